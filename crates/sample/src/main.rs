//! A sample organisation: made-up people and devices with a history, put into an empty data folder through
//! the flows that real ones go through, with a clock that runs a year in a minute.
//!
//! In scope: making it, the same each time for the same day. Out of scope: any way round a flow.

mod fairness;
mod fleet;
mod losses;
mod people;
mod policy;

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use anyhow::{Context, bail};
use clap::Parser;
use stead_model::{Millis, time::DAY};
use stead_server::{
    App, Config,
    error::Refusal,
    flows::notices::gather,
    jobs,
    source::{Clock, SystemClock, SystemRandomness},
    words::Words,
};

/// Puts a sample organisation into an empty data folder.
#[derive(Parser)]
#[command(name = "stead-sample", version)]
struct Arguments {
    /// The folder. It must be empty or not there.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// PostgreSQL to use instead of a file in the data folder. It must be empty.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// How many people.
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(40..=20_000))]
    people: u32,
    /// How many devices.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(10..=200_000))]
    devices: u32,
    /// How many days of history.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(i64).range(1..=1000))]
    days: i64,
}

/// A clock that is moved by hand.
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match make(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stead-sample: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn make(arguments: Arguments) -> anyhow::Result<()> {
    if arguments.data.read_dir().is_ok_and(|mut folder| folder.next().is_some()) {
        bail!("{} is not empty; remove it, or name another folder", arguments.data.display());
    }
    let end = SystemClock.now();
    let start = end.plus(-arguments.days * DAY);
    let hands = Arc::new(Hands(AtomicI64::new(start.0)));
    let sources = (Arc::clone(&hands) as Arc<dyn Clock>, Arc::new(SystemRandomness) as _);
    let store = arguments.store.as_deref();
    let app = App::open(&arguments.data, store, None, Config::default(), sources).await?;
    app.mark_as_sample().await.map_err(told)?;

    // The same story for the same numbers, whatever the day.
    let mut luck = fastrand::Rng::with_seed(1_873);
    let mut organisation = people::Organisation::found(&app, arguments.people, &mut luck).await?;
    let mut fleet = fleet::Fleet::plan(arguments.devices, arguments.days, &organisation, &mut luck);
    for day in 0..=arguments.days {
        // The last moment of the story is the moment at which it is told.
        let now = if day == arguments.days { end } else { start.plus(day * DAY + DAY / 3) };
        hands.0.store(now.0.min(end.0), Ordering::SeqCst);
        let left = arguments.days - day;
        organisation.live(&app, day, left, &mut luck).await?;
        fleet.live(&app, day, left, &organisation, &mut luck).await?;
        policy::live(&app, (day, left), &organisation, &mut luck).await?;
        jobs::once(&app).await;
        fairness::live(&app, day, &organisation, &mut luck).await?;
        losses::live(&app, left).await?;
        tell(&app).await.map_err(told)?;
        if day % 30 == 0 || left == 0 {
            let head = app.store.ledger_head().await?;
            eprintln!("day {day} of {}: {} entries in the ledger", arguments.days, head.size);
        }
    }
    app.store.close().await;
    println!("{}", organisation.address_book());
    Ok(())
}

/// Tells everybody what the day brought.
async fn tell(app: &Arc<App>) -> Result<(), Refusal> {
    jobs::notices(app).await;
    while gather::run(app).await? > 0 {}
    Ok(())
}

/// A refusal, as an error that ends the program.
fn told(refusal: Refusal) -> anyhow::Error {
    anyhow::anyhow!("{}", refusal.problem(&Words::english()))
}

/// A part of a list that must not be empty.
fn pick<'a, T>(luck: &mut fastrand::Rng, list: &'a [T]) -> anyhow::Result<&'a T> {
    luck.choice(list).context("nothing to choose from")
}

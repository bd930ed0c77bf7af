//! The command line of `stead-server`. Commands that change something call flows, as pages do.

mod admin;
mod doctor;
mod ledger;
mod pack;
mod relay;
mod serve;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Args, Parser, Subcommand};

use crate::{
    App, Config, flows,
    source::{SystemClock, SystemRandomness},
    words::Words,
};

/// Judges remote work by your policy, keeps the records it asks for, and proves them.
#[derive(Parser)]
#[command(name = "stead-server", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve pages and devices.
    Serve(Box<serve::Serve>),
    /// Check keys, database, policy, clock, permissions, disk, proxy, mail, issuer, and backups. Takes the arguments of
    /// `serve`, changes nothing, and may run while the server does.
    #[command(
        after_help = "Ends with 0 when all is well, 1 when something is wrong, 2 when something can't be found out."
    )]
    Doctor(Box<doctor::Doctor>),
    /// Stand between a proxy and an application, and cut what is not let in any more.
    Relay(relay::Relay),
    /// Check and test policy packs.
    #[command(subcommand)]
    Pack(pack::Pack),
    /// What the operator does by hand.
    Admin(admin::Admin),
    /// Copy keys and database into a folder, whole and verified. The server may run meanwhile.
    Backup {
        #[command(flatten)]
        data: Data,
        /// Folder in which the backup is made.
        into: PathBuf,
        /// Remove the oldest, so that no more than these are left.
        #[arg(long, value_name = "N")]
        keep: Option<usize>,
    },
    /// Bring a backup back into an empty data folder.
    Restore {
        #[command(flatten)]
        data: Data,
        /// The backup's folder.
        backup: PathBuf,
    },
    /// Verify and export the ledger.
    #[command(subcommand)]
    Ledger(ledger::Ledger),
}

/// Where the data is.
#[derive(Args, Clone, Debug)]
struct Data {
    /// Folder with the keys and, unless --store names another, the store.
    #[arg(long, env = "STEAD_DATA", value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// PostgreSQL to use instead of a file in the data folder, as in postgres://user@host/name.
    #[arg(long, env = "STEAD_STORE", value_name = "URL")]
    store: Option<String>,
    /// Folder of the policy pack to judge by, instead of the one that ships.
    #[arg(long, env = "STEAD_PACK", value_name = "DIR")]
    pack: Option<PathBuf>,
}

impl Data {
    async fn open(&self, config: Config) -> anyhow::Result<Arc<App>> {
        let pack = self.pack.as_deref().map(crate::pack_folder::read).transpose()?;
        let sources = (Arc::new(SystemClock) as _, Arc::new(SystemRandomness) as _);
        App::open(&self.data, self.store.as_deref(), pack.as_ref(), config, sources).await
    }
}

/// Runs the program.
pub async fn run() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(serve) => serve.run().await,
        Command::Doctor(doctor) => doctor.run().await,
        Command::Relay(relay) => relay.run().await,
        Command::Pack(pack) => pack.run().await,
        Command::Admin(admin) => admin.run().await,
        Command::Backup { data, into, keep } => backup(&data, &into, keep).await,
        Command::Restore { data, backup } => restore(&data, &backup).await,
        Command::Ledger(ledger) => ledger.run().await,
    };
    done.unwrap_or_else(|error| {
        eprintln!("stead-server: {error:#}");
        ExitCode::from(2)
    })
}

async fn backup(data: &Data, into: &Path, keep: Option<usize>) -> anyhow::Result<ExitCode> {
    let app = data.open(Config::default()).await?;
    let made = flows::backup::make(&app, into, keep)
        .await
        .map_err(|refusal| anyhow::anyhow!("{}", refusal.problem(&Words::english())))?;
    println!("{}", made.folder);
    match made.verified {
        Some(entries) => eprintln!("All {entries} entries in it are what was signed."),
        None => eprintln!("It was written by pg_dump. To verify it, restore it elsewhere."),
    }
    app.store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn restore(data: &Data, backup: &Path) -> anyhow::Result<ExitCode> {
    let entries = flows::backup::restore(backup, &data.data, data.store.as_deref()).await?;
    println!("All {entries} entries are what was signed. Start the server with this data.");
    Ok(ExitCode::SUCCESS)
}

//! `stead`: the program on a person's computer.

use std::{
    fs,
    io::Read,
    path::PathBuf,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::{Parser, Subcommand};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use stead_agent::{
    certificate,
    check::{self, Checked},
    checking_in::{CheckIns, CheckedIn},
    door::{self, Door, Pages},
    enrol, facts,
    host::Host,
    kept::Kept,
    losing::{self, Desk, Said},
    lost::{self, Gone},
    place::{Kind, Places},
    reporting::Prepared,
    show,
    state::{self, Identity, State},
    tunnel::{Connected, Wish},
    watch::Watch,
};
use stead_model::{DeviceId, Millis, message::PROOF_PORT};

/// Shows what the remote-work policy asks of this computer, and tells the server when you want it to.
#[derive(Parser)]
#[command(name = "stead", version, propagate_version = true)]
struct Arguments {
    /// Where the agent keeps its key and state.
    #[arg(long, global = true, env = "STEAD_STATE", value_name = "FOLDER")]
    state: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check this computer against the policy. Needs no server, sends nothing.
    #[command(
        after_help = "Ends with 0 when all is good, 1 when something fails or is unknown, 2 when it could not run."
    )]
    Check {
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Judge saved facts instead of this computer; `-` reads them from standard input.
        #[arg(long, value_name = "FILE")]
        facts: Option<PathBuf>,
    },
    /// Print exactly what would be sent, byte for byte.
    ShowReport,
    /// Enrol this computer with a one-time code.
    Enroll {
        /// Address of the server, as in https://stead.example.org.
        server: String,
        /// The code you were given.
        code: String,
        /// Certificates to trust, where the server's is not known to this system.
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
    },
    /// Keep checking in. Started as a service.
    Agent {
        /// Check in once and end.
        #[arg(long)]
        once: bool,
        /// Port on this machine at which a browser here is told which device it runs on.
        #[arg(long, value_name = "PORT", default_value_t = PROOF_PORT)]
        door: u16,
    },
    /// Show what this place is taken for, or say what it is.
    #[command(after_help = "How a place is known stays on this computer; what is sent is the one word.")]
    Place {
        /// What it is.
        kind: Option<Kind>,
        /// Forget it again.
        #[arg(long, conflicts_with = "kind")]
        forget: bool,
    },
    /// Bring up the tunnel of your organisation, and keep it up.
    #[command(after_help = "Ends with 0 when it is up, 1 when it is not; it says why.")]
    Connect {
        /// Which one, where there are several.
        tunnel: Option<String>,
    },
    /// Take the tunnel down.
    Disconnect,
    /// Have a certificate made, with which programs here show on a connection that it is this computer.
    #[command(
        after_help = "Its key is made here and stays here. The service renews it. Needed where your organisation's applications ask \
                      for it; the book, under \u{201c}The gate\u{201d}, says how browsers take it."
    )]
    Certificate,
    /// Tell that something is lost: everything it could open is shut at once.
    #[command(
        after_help = "Without WHAT it lists what can be reported. A device goes by its name; anything else is phone, storage, \
                      papers, keys or other. Away from your computer: any phone, with your wallet card."
    )]
    Lost {
        /// What is gone.
        what: Option<String>,
        /// What it is called, where it is no device.
        #[arg(long, value_name = "WORDS", default_value = "")]
        label: String,
        /// Somebody took it.
        #[arg(long)]
        stolen: bool,
        /// Where and how, in a few words.
        #[arg(long, value_name = "WORDS", default_value = "")]
        says: String,
        /// Practise: nothing is shut, and nobody else is told.
        #[arg(long)]
        practice: bool,
        /// Address of the server, where this computer is not enrolled.
        #[arg(long, value_name = "ADDRESS", requires = "card")]
        server: Option<String>,
        /// The code of a wallet card.
        #[arg(long, value_name = "CODE", requires = "server")]
        card: Option<String>,
    },
    /// Show the server's last answer, as long as it is valid.
    Status,
}

/// The only clock in this program.
#[expect(
    clippy::disallowed_methods,
    reason = "the agent's one reading of the clock; everything below takes time as an argument"
)]
fn now() -> Millis {
    Millis(jiff::Timestamp::now().as_millisecond())
}

fn main() -> ExitCode {
    // Its memory holds the device's key: no core file, and no other program of the same user reads it.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let arguments = Arguments::parse();
    let Some(folder) = arguments.state.or_else(state::default_folder) else {
        eprintln!("stead: There is no home folder here. Name the agent's folder with --state.");
        return ExitCode::from(2);
    };
    let state = State::new(folder);
    let run = match arguments.command {
        Command::Check { json, facts } => checked(&state, json, facts),
        Command::ShowReport => show_report(&state),
        Command::Enroll { server, code, trust } => enroll(&state, &server, &code, trust),
        Command::Agent { once, door } => agent(&state, once, door),
        Command::Place { kind, forget } => place(&state, kind, forget),
        Command::Connect { tunnel } => connect(&state, tunnel),
        Command::Disconnect => disconnect(&state),
        Command::Certificate => have_certificate(&state),
        Command::Lost { what, label, stolen, says, practice, server, card } => {
            let desk = match (server, card) {
                (Some(server), Some(code)) => Desk::Card { server, code },
                _ => Desk::Device,
            };
            let said = Said { what: what.unwrap_or_default(), label, stolen, words: says, practice };
            tell_loss(&state, &desk, &said)
        }
        Command::Status => status(&state),
    };
    run.unwrap_or_else(|error| {
        eprintln!("stead: {error:#}");
        ExitCode::from(2)
    })
}

fn checked(state: &State, json: bool, facts: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let (checked, pack) = match facts {
        None => check::here(state, now())?,
        Some(path) => check::saved(&text_of(&path)?, now())?,
    };
    print_checked(&checked, &pack, json)?;
    Ok(if checked.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_checked(checked: &Checked, pack: &stead_policy::Pack, json: bool) -> anyhow::Result<()> {
    if json {
        anstream::println!("{}", serde_json::to_string_pretty(checked)?);
    } else {
        anstream::print!("{}", show::findings(&checked.findings, checked.standing, pack));
    }
    Ok(())
}

fn text_of(path: &PathBuf) -> anyhow::Result<String> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input could not be read")?;
        return Ok(text);
    }
    fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))
}

fn show_report(state: &State) -> anyhow::Result<ExitCode> {
    let kept = Kept::load(&state.file("kept.json"));
    let prepared = Prepared::new(facts::collect(&Host::real(), &kept, &state.places(), now()))?;
    let (device, seq) = match state.identity()? {
        Some(identity) => (identity.device, state.progress()?.seq + 1),
        // Not enrolled: nothing would be sent; this is what would be once it is.
        None => (DeviceId::from_parts(Millis(0), [0; 10]), 1),
    };
    println!("{}", prepared.report(device, seq, now())?);
    Ok(ExitCode::SUCCESS)
}

fn enroll(state: &State, server: &str, code: &str, trust: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let was_lost = state.gone()?.is_some();
    let identity = enrol::enrol(state, &Host::real(), server, code, trust, now())?;
    println!(
        "Enrolled for {} as {}. Its key was made here and stays here.",
        identity.person, identity.device
    );
    if was_lost {
        println!("It was reported lost before: its service stopped then. `systemctl start stead` starts it.");
    }
    println!("Next: `stead agent --once` checks in now; as a service, `stead agent` keeps on.");
    Ok(ExitCode::SUCCESS)
}

/// Where the server's pages are: as it said in its last answer, else where this device was enrolled.
#[derive(Debug)]
struct ServerPages {
    state: State,
    identity: Identity,
}

impl Pages for ServerPages {
    fn address(&self) -> String {
        let said = self.state.latest(&self.identity).ok().flatten().map(|answer| answer.pages);
        said.filter(|pages| !pages.is_empty()).unwrap_or_else(|| self.identity.server.clone())
    }
}

/// Ends so when this computer was reported lost: a service that ends so is not started again.
const LOST: u8 = 3;

/// What is left where this computer was reported lost, and not enrolled anew since. What was not forgotten yet, because it
/// was switched off in that moment, is forgotten now.
fn left(state: &State) -> anyhow::Result<Option<Gone>> {
    let Some(left) = state.gone()? else { return Ok(None) };
    match (state.identity(), state.key()) {
        (Ok(Some(_)), Ok(_)) => Ok(None),
        (Ok(None), _) => Ok(Some(left)),
        (Ok(Some(_)) | Err(_), _) => {
            state.forget()?;
            Ok(Some(left))
        }
    }
}

/// Says what is still to be said of a computer that was reported lost, until it has arrived or `once`.
fn gone(state: &State, gone: &Gone, once: bool) -> anyhow::Result<ExitCode> {
    eprintln!("stead: {}", show::gone(gone));
    while !lost::say(state, gone.clone())? && !once && state.identity()?.is_none() {
        thread::sleep(FAREWELL_AGAIN);
    }
    Ok(ExitCode::from(LOST))
}

/// How long to wait before a farewell that did not arrive is sent again.
const FAREWELL_AGAIN: Duration = Duration::from_secs(30);

fn tell_loss(state: &State, desk: &Desk, said: &Said) -> anyhow::Result<ExitCode> {
    if matches!(desk, Desk::Device) {
        not_the_systems(state)?;
    }
    if said.what.is_empty() {
        print!("{}", show::losable(&losing::ask(state, desk, now())?));
        return Ok(ExitCode::SUCCESS);
    }
    let answered = losing::tell(state, desk, said, now())?;
    anstream::print!("{}", show::receipt(&answered, &said.what));
    Ok(ExitCode::SUCCESS)
}

fn agent(state: &State, once: bool, door: u16) -> anyhow::Result<ExitCode> {
    if let Some(left) = left(state)? {
        return gone(state, &left, once);
    }
    let check_ins = CheckIns::open(state)?;
    if !once {
        let say = |line: &str| eprintln!("stead: {line}");
        let (wake, woken) = std::sync::mpsc::channel();
        let identity = state.identity()?.context("this device is not enrolled")?;
        match door::listen(door) {
            Ok(listener) => {
                let pages = ServerPages { state: state.clone(), identity: identity.clone() };
                let (device, key) = (identity.device, state.key()?);
                Door { device, key, pages: Box::new(pages), now, wake: wake.clone() }.open(listener);
            }
            Err(error) => say(&format!(
                "port {door} cannot be listened on ({error}): browsers here cannot show that they run on this device"
            )),
        }
        let watch = Watch::new(&Host::real().user().home, &[state.places_file(), state.tunnel_wish_file()]);
        if !watch.hears_firewall() {
            say("changes of the firewall are not told to this account; they are seen at the next check-in");
        }
        watch.begin(wake);
        check_ins.keep_on(&now, &say, &woken)?;
        let left = state.gone()?.context("this computer was told to forget, and has not")?;
        return gone(state, &left, false);
    }
    match check_ins.once(&now)? {
        CheckedIn::Answered(answer) => {
            if let Err(error) = check_ins.ask_notices(now()) {
                eprintln!("stead: messages could not be asked for: {error:#}");
            }
            if let Some(findings) = &answer.findings {
                anstream::print!("{}", show::findings(findings, answer.standing, &check::policy()?));
            } else {
                println!("Nothing has changed. Standing: {}.", answer.standing);
            }
            Ok(ExitCode::SUCCESS)
        }
        CheckedIn::Lost(order) => gone(state, &check_ins.obey(&order, now())?, true),
        CheckedIn::Away(why) => {
            eprintln!("stead: {why}");
            eprintln!("stead: what has changed waits here and is sent when the server is back");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Says so where the agent of this computer is the system's, and this account's own knows nothing.
fn not_the_systems(state: &State) -> anyhow::Result<()> {
    let system = PathBuf::from(state::SYSTEM);
    if state.folder() != system && state.identity()?.is_none() && system.exists() {
        anyhow::bail!("the agent of this computer is the system's; say it with `sudo` before it");
    }
    Ok(())
}

fn place(state: &State, kind: Option<Kind>, forget: bool) -> anyhow::Result<ExitCode> {
    not_the_systems(state)?;
    let host = Host::real();
    let network = facts::place::network(&host).map_err(anyhow::Error::msg)?;
    let network = network.context("this computer is on no network just now, so there is no place to name")?;
    let mut places = state.places()?;
    if let Some(kind) = kind {
        if !places.has_salt() {
            let mut salt = [0; 32];
            aws_lc_rs::rand::fill(&mut salt).map_err(|_| anyhow::anyhow!("the system gave no randomness"))?;
            places = Places::new(salt);
        }
        places.name(&network, kind, now());
    }
    let forgotten = forget && places.forget(&network);
    if kind.is_some() || forgotten {
        state.make()?;
        places.save(&state.places_file())?;
    }
    match places.known(&network) {
        Some(place) => {
            println!("This place: {}. You named it on {}.", place.kind.word(), show::when(place.named_at));
            println!(
                "Wrong? Say `stead place home`, `office` or `travel`; `stead place --forget` forgets it."
            );
        }
        None => println!("This place has no name. Say what it is: `stead place home`, `office` or `travel`."),
    }
    println!("How it is known stays on this computer, as a salted digest. What is sent is the one word.");
    Ok(ExitCode::SUCCESS)
}

/// How long `connect` waits for the agent.
const CONNECTING: Duration = Duration::from_secs(20);

fn connect(state: &State, tunnel: Option<String>) -> anyhow::Result<ExitCode> {
    not_the_systems(state)?;
    state.identity()?.context("this device is not enrolled; ask your coordinator for a code")?;
    let wish = Wish { tunnel, wanted_at: now() };
    state.set_tunnel_wish(Some(&wish))?;
    let until = Instant::now() + CONNECTING;
    while Instant::now() < until {
        if let Some(became) = state.tunnel()?.filter(|became| became.wanted_at == wish.wanted_at) {
            anstream::print!("{}", show::tunnel(&became));
            return Ok(if became.state == Connected::Up { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        thread::sleep(Duration::from_millis(100));
    }
    println!(
        "The agent has not brought it up yet. Is it running? `systemctl status stead` tells; it goes on trying."
    );
    Ok(ExitCode::FAILURE)
}

fn disconnect(state: &State) -> anyhow::Result<ExitCode> {
    not_the_systems(state)?;
    let was = state.tunnel_wish()?.is_some();
    state.set_tunnel_wish(None)?;
    println!("{}", if was { "The tunnel goes down." } else { "No tunnel was wanted." });
    Ok(ExitCode::SUCCESS)
}

fn have_certificate(state: &State) -> anyhow::Result<ExitCode> {
    not_the_systems(state)?;
    let check_ins = CheckIns::open(state)?;
    let held = certificate::ask(&check_ins.asker(), now())?;
    println!(
        "{} holds this computer's certificate and its key, good until {}.",
        certificate::file(state).display(),
        show::when(held.until)
    );
    println!("The service renews it. A program shows it so: curl --cert FILE https://…");
    Ok(ExitCode::SUCCESS)
}

fn status(state: &State) -> anyhow::Result<ExitCode> {
    not_the_systems(state)?;
    if let Some(left) = left(state)? {
        println!("{}", show::gone(&left));
        return Ok(ExitCode::from(LOST));
    }
    let identity =
        state.identity()?.context("this device is not enrolled; `stead check` works all the same")?;
    println!("{}, enrolled at {} for {}", identity.device, identity.server, identity.person);
    let Some(answer) = state.answer(&identity)? else {
        println!("The server has not answered yet. Run `stead agent --once`.");
        return Ok(ExitCode::FAILURE);
    };
    println!("Judged by {}, {}", answer.policy, show::when(answer.heard_at));
    if answer.valid_until <= now() {
        println!(
            "This answer was valid until {}. Run `stead agent --once` for a new one.",
            show::when(answer.valid_until)
        );
        return Ok(ExitCode::FAILURE);
    }
    anstream::print!("{}", show::summary(answer.findings.as_deref().unwrap_or_default(), answer.standing));
    let latest = state.latest(&identity)?.filter(|latest| latest.valid_until > now());
    if let Some(clearance) = latest.and_then(|latest| latest.clearance) {
        anstream::print!("{}", show::clearance(&clearance, now()));
    }
    if let Some(became) = state.tunnel()? {
        anstream::print!("{}", show::tunnel(&became));
    }
    for kept in state.notices()?.iter().rev().take(5) {
        println!(
            "\n{} ({})\n{}\n{}",
            kept.notice.title,
            show::when(kept.at),
            kept.notice.text,
            kept.notice.link
        );
    }
    Ok(ExitCode::SUCCESS)
}

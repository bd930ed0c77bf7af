//! `stead-server ledger`: verify offline, on a copy of the database, an export, or a bundle from a page.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use stead_ledger::{
    Hash, NoteKey,
    audit::{Auditor, Found},
};
use stead_model::seal::{self, VerifyingKey};
use stead_store::Store;

use super::Data;
use crate::{
    Config, audit,
    bundle::{self, Bundle, Flaw},
};

#[derive(Subcommand)]
pub(super) enum Ledger {
    /// Verify a copy of the database, an export, or a bundle. Needs no server and no network.
    #[command(
        after_help = "Ends with 0 when all is as it was signed, 1 when it is not, 2 when it could not run."
    )]
    Verify {
        /// stead.db, an export, or a file from a page.
        file: PathBuf,
        /// The key to check by, kept apart from the server. Without it the key in the file is believed.
        #[arg(long)]
        key: Option<String>,
        /// A checkpoint kept from earlier, which the log must still hold.
        #[arg(long, value_name = "FILE")]
        seen: Option<PathBuf>,
    },
    /// Write the whole ledger to a file.
    Export {
        #[command(flatten)]
        data: Data,
        /// The file to write.
        out: PathBuf,
    },
    /// Print the key that checks checkpoints. Keep it apart from the server.
    Key {
        #[command(flatten)]
        data: Data,
    },
}

/// The first line of an export.
#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    key: String,
    checkpoint: String,
    earlier: Vec<String>,
}

/// Every other line of an export.
#[derive(Serialize, Deserialize)]
struct Line {
    i: u64,
    leaf: String,
    text: String,
}

const EXPORT: &str = "stead-ledger/1";

impl Ledger {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Verify { file, key, seen } => {
                let key =
                    key.map(|key| NoteKey::parse(&key).context("--key is no verifier key")).transpose()?;
                verify(&file, key, seen.as_deref()).await
            }
            Self::Export { data, out } => export(&data, &out).await,
            Self::Key { data } => {
                println!("{}", data.open(Config::default()).await?.keys.ledger.public());
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

async fn export(data: &Data, out: &Path) -> anyhow::Result<ExitCode> {
    let app = data.open(Config::default()).await?;
    let head = app.store.ledger_head().await?;
    let mut file = BufWriter::new(
        fs::File::create_new(out).with_context(|| format!("{} cannot be made", out.display()))?,
    );
    let earlier = app.store.ledger_checkpoints(audit::CHECKPOINTS).await?;
    let first = Head {
        format: EXPORT.to_owned(),
        key: app.keys.ledger.public().to_string(),
        checkpoint: head.checkpoint,
        earlier: earlier.into_iter().map(|(_, note)| note).collect(),
    };
    writeln!(file, "{}", serde_json::to_string(&first)?)?;
    let mut next = 0;
    while next < head.size {
        let page = app.store.ledger_page(next).await?;
        if page.is_empty() {
            break;
        }
        for found in page.iter().filter(|found| found.index < head.size) {
            let line = Line { i: found.index, leaf: seal::hex(&found.leaf), text: found.text.clone() };
            writeln!(file, "{}", serde_json::to_string(&line)?)?;
        }
        next = page.last().map_or(head.size, |last| last.index + 1);
        eprint!("\r{next} of {} entries", head.size);
    }
    eprintln!();
    file.into_inner()?.sync_all()?;
    Ok(ExitCode::SUCCESS)
}

async fn verify(file: &Path, key: Option<NoteKey>, seen: Option<&Path>) -> anyhow::Result<ExitCode> {
    let mut start = [0; 16];
    let read = fs::File::open(file)
        .and_then(|mut file| file.read(&mut start))
        .with_context(|| format!("{} cannot be read", file.display()))?;
    let seen = seen
        .map(|path| fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display())))
        .transpose()?;
    if start[..read].starts_with(b"SQLite format 3") {
        return database(file, key, seen).await;
    }
    let text = BufReader::new(fs::File::open(file)?).lines().next().context("the file is empty")??;
    match serde_json::from_str::<Head>(&text) {
        Ok(head) if head.format == EXPORT => exported(file, head, key, seen),
        _ => bundle(&fs::read_to_string(file)?, key, seen),
    }
}

/// Believes a key only when it was given; says so otherwise.
fn believed(key: Option<NoteKey>, found: &str) -> anyhow::Result<NoteKey> {
    if let Some(key) = key {
        return Ok(key);
    }
    eprintln!("No --key was given: the key in the file is believed. It is {}", escaped(found));
    NoteKey::parse(found).context("the key in the file cannot be used")
}

async fn database(file: &Path, key: Option<NoteKey>, seen: Option<String>) -> anyhow::Result<ExitCode> {
    // A copy taken with its write-ahead log is whole; opened for reading it stays as it is.
    let store = Store::snapshot(&stead_store::sqlite_url(file)).await?;
    let Some(key) = key else {
        bail!("a database holds no key; give --key, as `stead-server ledger key` printed it");
    };
    Ok(match audit::database(&store, &key, seen).await? {
        Ok(0) => {
            println!("The ledger is empty: no entries, no checkpoints, no tiles.");
            ExitCode::SUCCESS
        }
        Ok(size) => right(size),
        Err(why) => wrong(&why),
    })
}

fn exported(file: &Path, head: Head, key: Option<NoteKey>, seen: Option<String>) -> anyhow::Result<ExitCode> {
    let key = believed(key, &head.key)?;
    let mut auditor = match audit::begin(&head.checkpoint, &head.earlier, &key, seen) {
        Ok(auditor) => auditor,
        Err(why) => return Ok(wrong(&why)),
    };
    let no_tiles: HashMap<(u32, u64), Vec<Hash>> = HashMap::new();
    for line in BufReader::new(fs::File::open(file)?).lines().skip(1) {
        let line: Line = match serde_json::from_str(&line?) {
            Ok(line) => line,
            Err(error) => return Ok(wrong(&format!("a line of the export cannot be read: {error}"))),
        };
        let leaf = seal::unhex(&line.leaf).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        let found = Found { index: line.i, text: line.text, leaf };
        if let Err(fault) = auditor.take(&found, |level, index| no_tiles.get(&(level, index)).cloned()) {
            return Ok(wrong(&fault));
        }
    }
    Ok(ended(auditor))
}

fn ended(auditor: Auditor) -> ExitCode {
    match auditor.finish() {
        Ok(size) => right(size),
        Err(fault) => wrong(&fault),
    }
}

fn right(size: u64) -> ExitCode {
    println!("All {size} entries are what was signed.");
    ExitCode::SUCCESS
}

/// Text of a file as a terminal may show it: what would move the cursor or color the screen is escaped (S24).
pub(super) fn escaped(text: &str) -> String {
    text.chars()
        .map(|sign| match sign {
            '\n' => sign.to_string(),
            _ if sign.is_control() || stead_model::text::is_invisible(sign) => {
                sign.escape_default().to_string()
            }
            _ => sign.to_string(),
        })
        .collect()
}

fn wrong(why: &dyn std::fmt::Display) -> ExitCode {
    println!("Not what was signed: {}.", escaped(&why.to_string()));
    ExitCode::FAILURE
}

fn flawed(flaw: Flaw) -> anyhow::Result<ExitCode> {
    match flaw {
        Flaw::Wrong(why) => Ok(wrong(&why)),
        Flaw::NoProof(why) => bail!("{why}"),
    }
}

fn bundle(text: &str, key: Option<NoteKey>, seen: Option<String>) -> anyhow::Result<ExitCode> {
    let bundle: Bundle =
        serde_json::from_str(text).context("this is no database, export or bundle of Stead's")?;
    let seen = seen.as_deref();
    match bundle {
        Bundle::Entry { log, entry } => {
            let key = believed(key, &log.key)?;
            let checked = bundle::signed(&log, &key, seen)
                .and_then(|signed| bundle::is_in(&entry, &signed).map(|()| signed));
            let signed = match checked {
                Ok(signed) => signed,
                Err(flaw) => return flawed(flaw),
            };
            println!(
                "Entry {} is in the signed checkpoint of {} entries:\n{}",
                entry.index,
                signed.size,
                escaped(&entry.text)
            );
        }
        Bundle::Report { public_key, digest, envelope, ledger, .. } => {
            let device_key = VerifyingKey::from_text(&public_key)?;
            let written = serde_json::to_string(&envelope)?;
            if !bundle::is_sealed(&envelope, &device_key, &digest, &written) {
                return Ok(wrong(&"the report's signature or digest does not fit"));
            }
            let Some(evidence) = ledger else {
                if key.is_some() || seen.is_some() {
                    bail!(
                        "this report carries no proof from the ledger, so --key and --seen can't be used. Find its digest \
                         {digest} in the ledger, and verify that entry"
                    );
                }
                println!(
                    "The report is what the key {} signed; the file alone says that this key is the device's. Its digest is \
                     {}: verify the ledger's entry that names it.",
                    escaped(&public_key),
                    escaped(&digest)
                );
                return Ok(ExitCode::SUCCESS);
            };
            let key = believed(key, &evidence.log.key)?;
            let checked = bundle::signed(&evidence.log, &key, seen).and_then(|signed| {
                bundle::is_the_devices(&evidence, &signed, (&public_key, &digest, &envelope))
            });
            let device = match checked {
                Ok(device) => device,
                Err(flaw) => return flawed(flaw),
            };
            println!(
                "The report is what device {device} signed: entry {} of the ledger enrolled it with this key.",
                evidence.enrolled.index
            );
            match evidence.named {
                Some(named) => println!("Entry {} names the report.", named.index),
                None => println!("No entry names the report: it changed nothing that was found before."),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

//! `stead-server pack`: is a pack sound, and does it do what its tests say?

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Subcommand;
use miette::{GraphicalReportHandler, GraphicalTheme};
use serde_json::{Value, json};
use stead_model::{
    catalogue::{self, FactType, Source},
    seal::SigningKey,
};
use stead_policy::{Lint, Pack as Policy, pack::Files, pack_test};

use super::Data;
use crate::{
    Config,
    flows::policy::{signing, what_if},
    keys::seed,
    pack_folder,
    source::SystemRandomness,
    words::Words,
};

#[derive(Subcommand)]
pub(super) enum Pack {
    /// Say what is wrong with a pack, where, and what to do.
    Lint {
        /// The pack's folder.
        dir: PathBuf,
    },
    /// Run a pack's own tests.
    Test {
        /// The pack's folder.
        dir: PathBuf,
    },
    /// Judge what devices last reported by a pack that is not in force. Nothing is changed.
    Try {
        #[command(flatten)]
        data: Data,
        /// The pack's folder.
        dir: PathBuf,
        /// File for the devices that would stand worse, as CSV.
        #[arg(long, value_name = "FILE")]
        csv: Option<PathBuf>,
    },
    /// Make a key to sign packs with, or read the one that is there, and say what the server is to be told of it.
    Key {
        /// Its file. Whoever has it signs in its name.
        file: PathBuf,
    },
    /// Propose a pack to a server as its next version. Somebody else publishes it there.
    Publish {
        /// The pack's folder.
        dir: PathBuf,
        /// The server, as in https://stead.example.org.
        #[arg(long, value_name = "URL", env = "STEAD_URL")]
        server: String,
        /// File with a token that is good for the system.
        #[arg(long, value_name = "FILE", env = "STEAD_TOKEN_FILE")]
        token_file: PathBuf,
        /// File with the key that signs the pack, as `pack key` makes it.
        #[arg(long, value_name = "FILE", env = "STEAD_PACK_KEY_FILE")]
        key: PathBuf,
        /// What changes and why. Everybody reads it.
        #[arg(long, value_name = "WORDS")]
        says: String,
        /// From when on it is to be in force, as in 2026-12-31T00:00:00Z; without it, once it is published.
        #[arg(long, value_name = "TIME")]
        effective: Option<String>,
    },
    /// List every fact that a rule can ask for.
    Facts,
}

impl Pack {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Lint { dir } => {
                let files = pack_folder::read(&dir)?;
                match Policy::load(&files) {
                    Ok(pack) => {
                        println!("{}: {} rules, nothing wrong", pack.label(), pack.rules.len());
                        Ok(ExitCode::SUCCESS)
                    }
                    Err(lints) => Ok(print_lints(&lints)),
                }
            }
            Self::Test { dir } => {
                let files = pack_folder::read(&dir)?;
                let pack = match Policy::load(&files) {
                    Ok(pack) => pack,
                    Err(lints) => return Ok(print_lints(&lints)),
                };
                match pack_test::run(&pack, &files) {
                    Ok(outcomes) => Ok(print_outcomes(&outcomes)),
                    Err(lints) => Ok(print_lints(&lints)),
                }
            }
            Self::Try { data, dir, csv } => {
                let files = pack_folder::read(&dir)?;
                match Policy::load(&files) {
                    Ok(pack) => try_out(&data, pack, csv.as_deref()).await,
                    Err(lints) => Ok(print_lints(&lints)),
                }
            }
            Self::Key { file } => {
                let key = SigningKey::from_seed(&seed(&file, &SystemRandomness)?)?;
                println!("{}", key.public_text());
                eprintln!(
                    "Keep {} to yourself. Allow the key above on the page Policy of your server.",
                    file.display()
                );
                Ok(ExitCode::SUCCESS)
            }
            Self::Publish { dir, server, token_file, key, says, effective } => {
                let files = pack_folder::read(&dir)?;
                if let Err(lints) = Policy::load(&files) {
                    return Ok(print_lints(&lints));
                }
                anyhow::ensure!(
                    key.exists(),
                    "{} is not there: make a key with `stead-server pack key {}` and have it allowed",
                    key.display(),
                    key.display()
                );
                let key = SigningKey::from_seed(&seed(&key, &SystemRandomness)?)?;
                publish(&files, &key, &server, &token_file, &says, effective.as_deref()).await
            }
            Self::Facts => {
                for spec in catalogue::all() {
                    let by = match spec.source {
                        Source::Device => "",
                        Source::Record => ", from the server's records",
                        Source::ToCome => ", which nothing holds yet",
                    };
                    println!("{:<36} {}{by}\n{:<36} {}", spec.name, kind(&spec.kind), "", spec.about);
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// Says who would stand worse.
async fn try_out(data: &Data, pack: Policy, csv: Option<&Path>) -> anyhow::Result<ExitCode> {
    let app = data.open(Config::default()).await?;
    let label = pack.label();
    let began = Instant::now();
    let progress = |judged: i64| {
        if judged % 10_000 < 1_000 {
            eprint!("\r{judged} judged");
        }
    };
    let tried = what_if::try_out(&app, Arc::new(pack), progress)
        .await
        .map_err(|refusal| anyhow::anyhow!("{}", refusal.problem(&Words::english())))?;
    let seconds = began.elapsed().as_secs_f64();
    eprintln!(
        "\r{} devices and {} people judged by {label} in {seconds:.1} s",
        tried.devices.judged, tried.people.judged
    );
    if tried.unread > 0 {
        eprintln!("{} last reports could not be read", tried.unread);
    }
    for (what, moves) in [("devices", &tried.devices), ("people", &tried.people)] {
        println!("{:<28} {what:>8} {:>12} {:>12} {:>12}", "unit", "to due", "to lapsed", "to good");
        for (unit, all, [due, lapsed, good]) in moves.rows() {
            println!("{unit:<28} {all:>8} {due:>12} {lapsed:>12} {good:>12}");
        }
        println!();
    }
    println!("{} devices would stand worse", tried.worse());
    if let Some(file) = csv {
        std::fs::write(file, what_if::csv(&tried)?)?;
        println!("They are in {}", file.display());
    }
    app.store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Sends a pack to a server.
async fn publish(
    files: &Files,
    key: &SigningKey,
    server: &str,
    token_file: &Path,
    says: &str,
    effective: Option<&str>,
) -> anyhow::Result<ExitCode> {
    // One provider of cryptography for all of TLS; a second one is never installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let token = super::serve::secret(token_file)?;
    let mut body = json!({ "files": files, "says": says, "signature": signing::sign(files, key) });
    if let Some(effective) = effective {
        body["effective_at"] = effective.into();
    }
    let address = format!("{}/api/v1/policy/proposals", server.trim_end_matches('/'));
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
    let answer = client.post(&address).bearer_auth(token.as_str()).json(&body).send().await;
    let answer = answer.with_context(|| format!("{server} does not answer"))?;
    let status = answer.status();
    let said: Value = answer.json().await.with_context(|| format!("{server} gave no answer of Stead's"))?;
    if !status.is_success() {
        let detail = said["detail"].as_str().unwrap_or_default();
        eprintln!("stead-server: {} {detail}", said["title"].as_str().unwrap_or_default());
        for wrong in said["errors"].as_array().into_iter().flatten() {
            eprintln!("  {}", wrong["detail"].as_str().unwrap_or_default());
        }
        return Ok(ExitCode::FAILURE);
    }
    let id = said["id"].as_str().unwrap_or_default();
    println!("Proposed. Somebody else publishes it: {}/policy/proposals/{id}", server.trim_end_matches('/'));
    Ok(ExitCode::SUCCESS)
}

fn kind(kind: &FactType) -> String {
    match kind {
        FactType::Bool => "yes or no".to_owned(),
        FactType::Int => "number".to_owned(),
        FactType::Text => "text".to_owned(),
        FactType::Time => "time".to_owned(),
        FactType::List(fields) => {
            let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
            format!("list of {}", names.join(", "))
        }
    }
}

fn print_lints(lints: &[Lint]) -> ExitCode {
    use std::io::IsTerminal;
    let theme = if std::io::stderr().is_terminal() {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme);
    for lint in lints {
        let mut text = String::new();
        if handler.render_report(&mut text, lint).is_ok() {
            eprintln!("{}\n{text}", lint.place());
        }
    }
    eprintln!("{} wrong", lints.len());
    ExitCode::FAILURE
}

fn print_outcomes(outcomes: &pack_test::Outcomes) -> ExitCode {
    for line in &outcomes.failed {
        eprintln!("failed: {line}");
    }
    for line in &outcomes.missing {
        eprintln!("missing: {line}");
    }
    println!(
        "{} passed, {} failed, {} missing",
        outcomes.passed,
        outcomes.failed.len(),
        outcomes.missing.len()
    );
    if outcomes.failed.is_empty() && outcomes.missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

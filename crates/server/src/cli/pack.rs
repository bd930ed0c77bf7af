//! `stead-server pack`: is a pack sound, and does it do what its tests say?

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::Subcommand;
use miette::{GraphicalReportHandler, GraphicalTheme};
use serde_json::{Value, json};
use stead_model::catalogue::{self, FactType, Source};
use stead_policy::{Lint, Pack as Policy, pack::Files, pack_test};

use crate::pack_folder;

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
            Self::Publish { dir, server, token_file, says, effective } => {
                let files = pack_folder::read(&dir)?;
                if let Err(lints) = Policy::load(&files) {
                    return Ok(print_lints(&lints));
                }
                publish(&files, &server, &token_file, &says, effective.as_deref()).await
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

/// Sends a pack to a server.
async fn publish(
    files: &Files,
    server: &str,
    token_file: &Path,
    says: &str,
    effective: Option<&str>,
) -> anyhow::Result<ExitCode> {
    // One provider of cryptography for all of TLS; a second one is never installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let token = super::serve::secret(token_file)?;
    let mut body = json!({ "files": files, "says": says });
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

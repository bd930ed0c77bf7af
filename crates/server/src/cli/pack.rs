//! `stead-server pack`: is a pack sound, and does it do what its tests say?

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;
use miette::{GraphicalReportHandler, GraphicalTheme};
use stead_model::catalogue::{self, FactType, Source};
use stead_policy::{Lint, Pack as Policy, pack_test};

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
    /// List every fact that a rule can ask for.
    Facts,
}

impl Pack {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
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
            Self::Facts => {
                for spec in catalogue::DEVICE {
                    let by = if spec.source == Source::Record { ", from the server's records" } else { "" };
                    println!("{:<36} {}{by}\n{:<36} {}", spec.name, kind(&spec.kind), "", spec.about);
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
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

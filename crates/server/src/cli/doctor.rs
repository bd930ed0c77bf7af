//! `stead-server doctor`.

use std::process::ExitCode;

use clap::Args;

use super::{ledger::escaped, serve::Serve};
use crate::{
    doctor::{self, Outcome},
    source::{Clock, SystemClock},
};

#[derive(Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    serve: Serve,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let (data, config, listen) = self.serve.settings()?;
        let all =
            doctor::examine(&data.data, data.store.as_deref(), &config, &listen, SystemClock.now()).await;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&all)?);
        } else {
            for check in &all {
                println!("{:<11} {:<12} {}", check.outcome.word(), check.name, escaped(&check.found));
                if !check.advice.is_empty() && check.outcome >= Outcome::Unknown {
                    println!("{:<24} {}", "", check.advice);
                }
            }
        }
        Ok(ExitCode::from(doctor::exit_code(&all)))
    }
}

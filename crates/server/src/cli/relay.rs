//! `stead-server relay`.

use std::{net::SocketAddr, process::ExitCode};

use clap::Args;

use crate::relay::{self, Settings};

#[derive(Args)]
pub(super) struct Relay {
    /// The application's name, as in the gate's file.
    application: String,
    /// Address of the server that answers for the gate, beside this program.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8787")]
    gate: String,
    /// Address of the application, which nothing else may reach.
    #[arg(long, value_name = "URL")]
    to: String,
    /// Address to listen on, for the proxy alone.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8788")]
    listen: SocketAddr,
    /// Write the log as JSON.
    #[arg(long)]
    log_json: bool,
}

impl Relay {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        super::serve::start_log(self.log_json);
        anyhow::ensure!(
            self.listen.ip().is_loopback(),
            "{} can be reached from other machines; this speaks no TLS, so let it listen on 127.0.0.1",
            self.listen
        );
        let gate = relay::place(&self.gate)?;
        anyhow::ensure!(
            matches!(gate.host(), "127.0.0.1" | "[::1]" | "localhost"),
            "{gate} is another machine: passes would go there for everybody to read; run this beside the server"
        );
        let settings = Settings { application: self.application, gate, to: relay::place(&self.to)? };
        relay::relay(self.listen, settings).await?;
        Ok(ExitCode::SUCCESS)
    }
}

//! `stead-server`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    stead_server::cli::run().await
}

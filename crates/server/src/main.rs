//! `stead-server`.

use std::process::ExitCode;

/// Check-ins allocate much and briefly; the system's allocator took an eighth of their time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    stead_server::cli::run().await
}

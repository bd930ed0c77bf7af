//! `stead-server`.

use std::process::ExitCode;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Check-ins allocate much and briefly; the system's allocator took an eighth of their time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    // Whatever this program or what it starts creates is its owner's alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    // Its memory holds the server's keys: no core file, and no other program of the same user reads it.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    stead_server::cli::run().await
}

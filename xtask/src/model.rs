//! `cargo xtask model`: random walks over people, roles, states, links, sessions, and tokens, in which nobody may gain a
//! power (`crates/server/tests/powers.rs`).

use clap::Args;

use crate::machine;

/// Settings of the model test.
#[derive(Args)]
pub struct Model {
    /// How many walks.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    walks: u64,
}

impl Model {
    pub fn run(self) -> anyhow::Result<()> {
        let sides = std::thread::available_parallelism().map_or(1, usize::from);
        let settings = [
            format!("STEAD_WALKS={}", self.walks),
            format!("STEAD_SIDES={sides}"),
            // Built once and run once: linking longer wouldn't pay.
            "CARGO_PROFILE_RELEASE_LTO=off".to_owned(),
            "CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16".to_owned(),
        ];
        let test = ["cargo", "test", "--release", "--package", "stead-server", "--test", "powers"];
        let settings = settings.iter().map(String::as_str).collect::<Vec<_>>();
        machine::run("env", &[&settings[..], &test[..], &["no_walk", "--", "--nocapture"][..]].concat())
    }
}

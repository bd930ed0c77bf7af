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
        let walks = format!("STEAD_WALKS={}", self.walks);
        let test = ["cargo", "test", "--release", "--package", "stead-server", "--test", "powers"];
        machine::run(
            "env",
            &[&[walks.as_str()][..], &test[..], &["no_walk", "--", "--nocapture"][..]].concat(),
        )
    }
}

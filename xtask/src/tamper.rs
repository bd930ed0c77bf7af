//! `cargo xtask tamper`: every column of every table of a database of 20,000 entries changed, alone and in pairs, and one
//! table of what was found. `cargo xtask test` does the same to a small one, with few of the pairs.

use clap::Args;

use crate::machine;

/// Settings of the tamper suite.
#[derive(Args)]
pub struct Tamper {}

impl Tamper {
    pub fn run(self) -> anyhow::Result<()> {
        let test = ["cargo", "test", "--package", "stead-e2e", "--test", "tampering", "--", "--nocapture"];
        machine::cargo(&["build", "--release", "--package", "stead-server"])?;
        let server = format!("STEAD_TAMPER={}", machine::built("stead-server", true).display());
        machine::run("env", &[&[server.as_str()][..], &test[..]].concat())
    }
}

//! What if: a proposal judged against what a fleet last reported, as `stead-server pack try` does it.

use std::{fs, process::Command};

use anyhow::ensure;
use clap::Args;

use crate::{bench, bench_people, machine};

#[derive(Args)]
pub struct WhatIf {
    /// People.
    #[arg(long, default_value_t = 10_000)]
    people: u32,
    /// Devices.
    #[arg(long, default_value_t = 100_000)]
    devices: u32,
    /// The pack to try.
    #[arg(long, default_value = "packs/telework-government")]
    pack: String,
    /// Times that it is tried.
    #[arg(long, default_value_t = 3)]
    passes: usize,
}

impl WhatIf {
    pub fn run(self) -> anyhow::Result<()> {
        let packages = ["--package", "stead-server", "--package", "stead-sample"];
        machine::cargo(&[&["build", "--quiet", "--release", "--bins"], &packages[..]].concat())?;
        println!("{}", bench::machine());
        println!("$ cargo xtask bench what-if --people {} --devices {}", self.people, self.devices);
        let data = std::env::temp_dir().join(format!("stead-bench-{}", std::process::id()));
        bench_people::fill(&data, None, (self.people, self.devices))?;
        for _ in 0..self.passes {
            let tried = Command::new(machine::built("stead-server", true))
                .args(["pack", "try", &self.pack, "--data"])
                .arg(&data)
                .current_dir(machine::root())
                .output()?;
            let said = String::from_utf8_lossy(&tried.stderr);
            ensure!(tried.status.success(), "{said}");
            println!("{}", said.trim().rsplit('\r').next().unwrap_or_default());
        }
        let _ = fs::remove_dir_all(&data);
        Ok(())
    }
}

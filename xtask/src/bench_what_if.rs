//! What if: a proposal judged against what a fleet last reported, as `stead-server pack try` does it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

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
    /// The pack to try, with each of its rules about devices once more under another name: forty in all.
    #[arg(long, default_value = "packs/remote-work")]
    pack: PathBuf,
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
        let pack = data.join("pack");
        let rules = twice(&machine::root().join(&self.pack), &pack)?;
        println!("{rules} rules about devices");
        for _ in 0..self.passes {
            let tried = Command::new(machine::built("stead-server", true))
                .args(["pack", "try"])
                .arg(&pack)
                .arg("--data")
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

/// Copies a pack with each rule about devices that binds everybody once more; how many rules about devices it has.
fn twice(from: &Path, to: &Path) -> anyhow::Result<usize> {
    let mut devices = 0;
    for folder in ["", "rules", "tests", "data"] {
        fs::create_dir_all(to.join(folder))?;
        for entry in fs::read_dir(from.join(folder))? {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_file())
            else {
                continue;
            };
            let text = fs::read_to_string(&path)?;
            fs::write(to.join(folder).join(name), &text)?;
            if folder != "rules" || !text.contains("subject = \"device\"") {
                continue;
            }
            devices += 1;
            let id = name.trim_end_matches(".md");
            if !text.contains("binds = \"named\"") {
                devices += 1;
                let again = text.replacen(&format!("id = \"{id}\""), &format!("id = \"{id}-again\""), 1);
                fs::write(to.join(format!("rules/{id}-again.md")), again)?;
            }
        }
    }
    Ok(devices)
}

//! `cargo xtask mutants`: each small change to what decides (authorization, the ledger, the gate, rules), one at a time, and
//! whether a test notices.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;

use crate::machine;

/// What is changed, and the tests that are to notice.
struct Area {
    name: &'static str,
    package: &'static str,
    files: &'static [&'static str],
    tests: &'static [&'static str],
}

const AREAS: [Area; 4] = [
    Area { name: "ledger", package: "stead-ledger", files: &["crates/ledger/src/*.rs"], tests: &[] },
    Area {
        name: "rules",
        package: "stead-policy",
        files: &[
            "crates/policy/src/expression.rs",
            "crates/policy/src/expression_check.rs",
            "crates/policy/src/judge.rs",
            "crates/policy/src/os_support.rs",
            "crates/policy/src/rule.rs",
            "crates/policy/src/terms.rs",
        ],
        tests: &[],
    },
    Area {
        name: "gate",
        package: "stead-server",
        files: &["crates/server/src/gate/decide.rs", "crates/server/src/clearance.rs"],
        tests: &["--lib", "--test", "gate"],
    },
    Area {
        name: "authorization",
        package: "stead-server",
        files: &["crates/server/src/auth/*.rs"],
        tests: &[
            "--lib",
            "--test",
            "authorization",
            "--test",
            "hardening",
            "--test",
            "api",
            "--test",
            "powers",
        ],
    },
];

/// Share of mutants that must be noticed, in percent.
const GOAL: usize = 90;

/// Settings of mutation testing.
#[derive(Args)]
pub struct Mutants {
    /// This area alone: ledger, rules, gate, or authorization.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// One part of several, as in 1/4, for an area that takes hours.
    #[arg(long, value_name = "PART/PARTS")]
    shard: Option<String>,
}

impl Mutants {
    pub fn run(self) -> anyhow::Result<()> {
        let mutants = machine::tool("cargo-mutants", "27.1.0")?;
        let mutants = mutants.to_string_lossy();
        let into = machine::root().join("target/mutants");
        let (mut lines, mut survivors, mut short) = (Vec::new(), Vec::new(), Vec::new());
        for area in AREAS.iter().filter(|area| self.only.as_deref().is_none_or(|only| only == area.name)) {
            let output = into.join(area.name);
            fs::create_dir_all(&output)?;
            let at = output.to_string_lossy();
            // It builds in a copy of the project, and there alone.
            let mut arguments = vec![
                "-u",
                "CARGO_TARGET_DIR",
                &mutants,
                "mutants",
                "--package",
                area.package,
                "--output",
                &at,
                "--timeout",
                "120",
                "--no-shuffle",
                "--exclude",
                "**/fuzz.rs",
            ];
            area.files.iter().for_each(|file| arguments.extend(["--file", file]));
            if let Some(shard) = &self.shard {
                arguments.extend(["--shard", shard]);
            }
            // Made-up input takes a while, and others look for the same.
            arguments.push("--");
            arguments.extend(area.tests);
            arguments.extend(["--", "--skip", "fuzz_"]);
            // It ends with an error when a mutant survives; what came of it is in its files.
            let ended = machine::run("env", &arguments);
            let came = Came::read(&output.join("mutants.out")).or_else(|error| ended.and(Err(error)))?;
            lines.push(format!(
                "| {} | {} | {} | {} | {} % |",
                area.name,
                came.caught + came.missed.len(),
                came.caught,
                came.missed.len(),
                came.percent()
            ));
            if came.percent() < GOAL {
                short.push(area.name);
            }
            survivors.extend(came.missed);
        }
        println!("\n| area | mutants | noticed | not noticed | share |");
        println!("| --- | ---: | ---: | ---: | ---: |");
        lines.iter().for_each(|line| println!("{line}"));
        println!();
        survivors.iter().for_each(|survivor| println!("- {survivor}"));
        if !short.is_empty() {
            bail!("fewer than {GOAL} % are noticed: {}", short.join(", "));
        }
        Ok(())
    }
}

/// What came of an area. Mutants that don't compile are none; tests that never end have noticed.
struct Came {
    caught: usize,
    missed: Vec<String>,
}

impl Came {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join("outcomes.json");
        let text = fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
        let all: Value = serde_json::from_slice(&text)?;
        let mut came = Self { caught: 0, missed: Vec::new() };
        for outcome in all["outcomes"].as_array().into_iter().flatten() {
            let name = outcome["scenario"]["Mutant"]["name"].as_str().unwrap_or("the tests without a change");
            match outcome["summary"].as_str() {
                Some("CaughtMutant" | "Timeout") => came.caught += 1,
                Some("MissedMutant") => came.missed.push(name.to_owned()),
                Some("Failure") => bail!("{name}: the tests fail where nothing was changed"),
                _ => {}
            }
        }
        Ok(came)
    }

    fn percent(&self) -> usize {
        (100 * self.caught).checked_div(self.caught + self.missed.len()).unwrap_or(100)
    }
}

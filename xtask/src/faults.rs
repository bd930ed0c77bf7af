//! `cargo xtask faults`: faults of disk, process, and database, and one table of what was acknowledged and what was found.
//! Each system call fails at its first use, its second, and so on, until three runs in a row meet no fault or the 60th is
//! reached. `cargo xtask test` runs a few of the more important kinds.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use clap::Args;

use crate::machine;

#[derive(Args)]
pub struct Faults {
    /// Run only the tests whose names contain this.
    only: Option<String>,
}

impl Faults {
    pub fn run(self) -> anyhow::Result<()> {
        machine::cargo(&["build", "--workspace", "--bins"])?;
        let mut command = Command::new("cargo");
        command
            .args(["test", "--package", "stead-e2e", "--test", "faults", "--no-fail-fast", "--"])
            .args(self.only)
            // One after another: what one does to the machine is not the other's fault.
            .args(["--nocapture", "--test-threads=1"])
            .env("STEAD_FAULTS", "1")
            .current_dir(machine::root())
            .stdout(Stdio::inherit())
            .stderr(Stdio::piped());
        let mut running = command.spawn().context("cargo cannot be started")?;
        let mut table: Vec<String> = Vec::new();
        let output = running.stderr.take().context("no output")?;
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if line.starts_with('|') {
                if !table.contains(&line) {
                    table.push(line);
                }
            } else if !line.starts_with("server:") {
                eprintln!("{line}");
            }
        }
        let ended = running.wait()?;
        println!();
        for row in &table {
            println!("{row}");
        }
        let column = |row: &String, at: usize| -> usize {
            row.split('|').nth(at).and_then(|cell| cell.trim().parse().ok()).unwrap_or(0)
        };
        let sum = |at: usize| table.iter().map(|row| column(row, at)).sum::<usize>();
        let kinds = table.iter().filter(|row| column(row, 2) > 0).count();
        println!(
            "\n{kinds} kinds, {} injected, {} acknowledged, {} found, {} refused",
            sum(2),
            sum(3),
            sum(4),
            sum(5)
        );
        if !ended.success() {
            bail!("at least one kind of fault lost something, or did not recover");
        }
        Ok(())
    }
}

//! `cargo xtask fuzz`: input that nobody sent, made up by libFuzzer with the program's coverage to guide it. Each test run
//! tries the same targets for a moment (`stead_testkit::made_up`).

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, bail};
use clap::Args;

use crate::machine;

/// Targets, and the longest input of each.
const TARGETS: [(&str, usize); 8] = [
    ("envelopes", 2048),
    ("notes", 1024),
    ("tiles", 64),
    ("door", 2048),
    ("csv", 1024),
    ("forms", 1024),
    ("expressions", 1100),
    ("packs", 6144),
];

/// Settings of fuzzing.
#[derive(Args)]
pub struct Fuzz {
    /// Inputs for each target.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    runs: u64,
    /// This target alone.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Build them, and run nothing.
    #[arg(long)]
    build: bool,
}

impl Fuzz {
    pub fn run(self) -> anyhow::Result<()> {
        let fuzz = machine::tool("cargo-fuzz", "0.13.2")?;
        let root = machine::root();
        // The same versions as the programs are built with.
        fs::copy(root.join("Cargo.lock"), root.join("fuzz/Cargo.lock"))?;
        // What goes wrong says so itself, since nothing here is unsafe: no sanitizer, and so no nightly Rust.
        let stable = |command: &str| {
            let mut cargo = Command::new(&fuzz);
            cargo
                .args(["fuzz", command, "--sanitizer", "none"])
                .current_dir(&root)
                .env("RUSTC_BOOTSTRAP", "1");
            cargo
        };
        if !stable("build").status().context("cargo-fuzz could not be started")?.success() {
            bail!("the targets could not be built");
        }
        if self.build {
            return Ok(());
        }
        let mut lines = Vec::new();
        for (target, longest) in TARGETS {
            if self.only.as_deref().is_none_or(|only| only == target) {
                lines.push(one(stable("run"), target, longest, self.runs)?);
            }
        }
        println!("\n| target | inputs | seconds | features of the program reached | inputs that broke it |");
        println!("| --- | --- | --- | --- | --- |");
        lines.iter().for_each(|line| println!("{line}"));
        Ok(())
    }
}

/// Runs a target; its line of the table.
fn one(mut run: Command, target: &str, longest: usize, runs: u64) -> anyhow::Result<String> {
    let root = machine::root();
    let (seeds, corpus) = (root.join("tests/fuzz").join(target), root.join("target/fuzz").join(target));
    fs::create_dir_all(&corpus)?;
    let begun = Instant::now();
    // What it finds goes to the first folder; the seeds are read.
    run.arg(target).args([Path::new(&corpus), &seeds]).arg("--");
    run.args([format!("-runs={runs}"), format!("-max_len={longest}"), "-print_final_stats=1".to_owned()]);
    let mut running = run.stderr(Stdio::piped()).spawn().context("cargo-fuzz could not be started")?;
    let (mut inputs, mut features) = ("?".to_owned(), "?".to_owned());
    for line in running.stderr.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let line = line?;
        println!("{line}");
        // `#1048576  pulse  cov: 812 ft: 3301 corp: …`
        let mut words = line.split_whitespace();
        if let Some(number) = words.next().and_then(|word| word.strip_prefix('#'))
            && let Some(ft) = words.skip_while(|word| *word != "ft:").nth(1)
        {
            number.clone_into(&mut inputs);
            ft.clone_into(&mut features);
        }
    }
    if !running.wait()?.success() {
        bail!("an input broke {target}: it is in fuzz/artifacts/{target}");
    }
    Ok(format!("| `{target}` | {inputs} | {} | {features} | 0 |", begun.elapsed().as_secs()))
}

//! A pass over this computer, as a person starts it: `stead show-report`, with nothing kept and with
//! everything kept. CPU counts the commands that the agent starts.

use std::{fs, process::Command};

use anyhow::{Context, bail};
use clap::Args;

use crate::{bench, machine};

#[derive(Args)]
pub struct Agent {
    /// Passes of each kind.
    #[arg(long, default_value_t = 15)]
    passes: usize,
}

struct Pass {
    wall: f64,
    cpu: f64,
    rss: f64,
}

impl Agent {
    pub fn run(self) -> anyhow::Result<()> {
        machine::cargo(&["build", "--quiet", "--profile", "agent", "--package", "stead-agent", "--bins"])?;
        let program = machine::built_as("stead", "agent");
        let size = fs::metadata(&program)?.len();
        let state = std::env::temp_dir().join(format!("stead-bench-{}", std::process::id()));
        println!("{}", bench::machine());
        println!("$ cargo xtask bench agent --passes {}", self.passes);
        println!("binary {:.2} MiB", size as f64 / 1_048_576.0);
        for (name, keep) in [("first pass", false), ("steady pass", true)] {
            let mut passes = Vec::new();
            for _ in 0..=self.passes {
                if !keep {
                    let _ = fs::remove_dir_all(&state);
                }
                passes.push(pass(&program, &state)?);
            }
            // The first warms the caches of the disk, or fills what is kept.
            passes.remove(0);
            for (what, unit, values) in [
                ("wall", "ms", passes.iter().map(|p| p.wall).collect()),
                ("CPU, commands included", "ms", passes.iter().map(|p| p.cpu).collect()),
                (
                    "peak RSS, the largest of the agent and its commands",
                    "MiB",
                    passes.iter().map(|p| p.rss).collect::<Vec<f64>>(),
                ),
            ] {
                let (median, least, most) = bench::spread(values);
                println!("{name}: {what} {median:.1} {unit} ({least:.1} to {most:.1})");
            }
        }
        let _ = fs::remove_dir_all(&state);
        Ok(())
    }
}

/// One pass. GNU time is not everywhere, so the system's own accounting of children is read.
fn pass(program: &std::path::Path, state: &std::path::Path) -> anyhow::Result<Pass> {
    // `check` keeps what `show-report` only reads, so it is what is timed.
    let script = format!(
        "import os,resource,subprocess,time,json\n\
         t=time.monotonic(); p=subprocess.Popen([{program:?},'--state',{state:?},'check','--json'],stdout=subprocess.DEVNULL)\n\
         _,status,usage=os.wait4(p.pid,0); w=time.monotonic()-t\n\
         print(json.dumps([w,usage.ru_utime+usage.ru_stime,os.waitstatus_to_exitcode(status)]))",
        program = program.to_string_lossy(),
        state = state.to_string_lossy(),
    );
    let out = Command::new("python3")
        .args(["-c", &script])
        .output()
        .context("python3 reads the system's accounting and is missing")?;
    // A program's peak counts what its parent had before it became the program: GNU time is a small parent.
    let small = Command::new("/usr/bin/time")
        .args(["-f", "%M"])
        .arg(program)
        .arg("--state")
        .arg(state)
        .args(["check", "--json"])
        .output()
        .context("/usr/bin/time is missing; install the package `time`")?;
    let rss: f64 = String::from_utf8_lossy(&small.stderr)
        .lines()
        .next_back()
        .and_then(|line| line.trim().parse().ok())
        .context("the peak of memory could not be read")?;
    let numbers: Vec<f64> = serde_json::from_slice(&out.stdout)
        .with_context(|| String::from_utf8_lossy(&out.stderr).into_owned())?;
    let [wall, cpu, exit] = numbers.as_slice() else { bail!("the accounting could not be read") };
    if *exit > 1.0 {
        bail!("the agent could not run");
    }
    Ok(Pass { wall: wall * 1000.0, cpu: cpu * 1000.0, rss: rss / 1024.0 })
}

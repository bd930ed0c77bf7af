//! `cargo xtask up`: from a fresh clone to this computer's own page, in one command.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use anyhow::{Context, bail};
use clap::Args;

use crate::machine;

#[derive(Args)]
pub struct Up {
    /// Folder for the data.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// End after the first check-in, for trying it out in a script.
    #[arg(long)]
    once: bool,
    /// Show a sample organisation instead: made-up people and devices with a year behind them.
    #[arg(long)]
    sample: bool,
    /// Remove the sample organisation, and end.
    #[arg(long, conflicts_with_all = ["once", "sample"])]
    remove_sample: bool,
}

/// Where the sample organisation is, within the folder for data. Nothing else is there.
const SAMPLE: &str = "sample";

/// Ends a program when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(id) = rustix::process::Pid::from_raw(i32::try_from(self.0.id()).unwrap_or(0)) {
            // It may have ended by itself: Ctrl-C reaches every program in the terminal.
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

impl Up {
    pub fn run(self) -> anyhow::Result<()> {
        let sample = machine::root().join(&self.data).join(SAMPLE);
        if self.remove_sample {
            if sample.exists() {
                std::fs::remove_dir_all(&sample)?;
            }
            println!("The sample organisation is gone.");
            return Ok(());
        }
        if self.sample {
            return self.run_sample(&sample);
        }
        machine::cargo(&[
            "build",
            "--quiet",
            "--package",
            "stead-server",
            "--package",
            "stead-agent",
            "--bins",
        ])?;
        let data = machine::root().join(&self.data);
        let server = machine::built("stead-server", false);
        let agent = machine::built("stead", false);
        let mut running = self.serve(&data.join("server"))?;
        // Browsers bind passkeys to names alone.
        let address = format!("http://localhost:{}", self.listen.port());
        let state = data.join("agent");
        if !state.join("identity.json").exists() {
            let code = said(&server, &data, &["enrol-code", "You"])?;
            status(Command::new(&agent).arg("--state").arg(&state).args(["enroll", &address, code.trim()]))?;
        }
        status(Command::new(&agent).arg("--state").arg(&state).args(["agent", "--once"]))?;
        let link = said(&server, &data, &["sign-in-link", "--base-url", &address])?;
        println!("\nOpen this link to see it. It works once, for fifteen minutes:\n\n  {}\n", link.trim());
        if self.once {
            return Ok(());
        }
        println!("Ctrl-C ends everything. Run `cargo xtask up` again to carry on with the same data.");
        let _agent = Running(
            Command::new(&agent).arg("--state").arg(&state).arg("agent").stderr(Stdio::null()).spawn()?,
        );
        build_printer()?;
        let ended = running.0.wait()?;
        println!("The server has ended ({ended}).");
        Ok(())
    }

    /// Makes the sample organisation, the first time, and serves it.
    fn run_sample(&self, sample: &Path) -> anyhow::Result<()> {
        machine::cargo(&[
            "build",
            "--quiet",
            "--package",
            "stead-server",
            "--package",
            "stead-sample",
            "--bins",
        ])?;
        let server_data = sample.join("server");
        if !server_data.exists() {
            println!("A year passes in the sample organisation; that takes a minute or two.");
            let made = sample.join("making");
            if made.exists() {
                std::fs::remove_dir_all(&made)?;
            }
            status(Command::new(machine::built("stead-sample", false)).arg("--data").arg(&made))?;
            // What was interrupted half-way is made anew the next time.
            std::fs::rename(&made, &server_data)?;
        }
        let mut running = self.serve(&server_data)?;
        let base = format!("http://localhost:{}", self.listen.port());
        println!("\nSign in as one of them. Each link works once, for fifteen minutes:\n");
        for who in ["teleworker", "manager", "coordinator", "security", "auditor", "operator", "records"] {
            let email = format!("{who}@sample.example");
            let server = machine::built("stead-server", false);
            let link = said(&server, sample, &["sign-in-link", "--base-url", &base, "--email", &email])?;
            println!("  {who:<12} {}", link.trim());
        }
        println!("\nCtrl-C ends it. `cargo xtask up --remove-sample` removes it.");
        if self.once {
            return Ok(());
        }
        build_printer()?;
        let ended = running.0.wait()?;
        println!("The server has ended ({ended}).");
        Ok(())
    }

    fn serve(&self, data: &Path) -> anyhow::Result<Running> {
        let mut running = Running(
            Command::new(machine::built("stead-server", false))
                .arg("serve")
                .arg("--data")
                .arg(data)
                .args(["--listen", &self.listen.to_string()])
                .stderr(Stdio::piped())
                .spawn()
                .context("the server could not be started")?,
        );
        wait_until_ready(&mut running.0)?;
        Ok(running)
    }
}

/// What prints is large and not needed to look around: it is built while somebody does.
fn build_printer() -> anyhow::Result<()> {
    if !machine::built("stead-print", false).exists() {
        println!("\nBuilding what makes PDFs; until that is done, there are none.");
    }
    machine::cargo(&["build", "--quiet", "--package", "stead-print"])
}

fn wait_until_ready(server: &mut Child) -> anyhow::Result<()> {
    let log = server.stderr.take().context("the server's log cannot be read")?;
    let mut lines = BufReader::new(log).lines();
    let mut seen = Vec::new();
    for line in lines.by_ref() {
        let line = line?;
        let ready = line.contains("ready");
        seen.push(line);
        if ready {
            thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
            return Ok(());
        }
    }
    bail!("the server did not start:\n{}", seen.join("\n"))
}

fn said(server: &Path, data: &Path, command: &[&str]) -> anyhow::Result<String> {
    let out =
        Command::new(server).arg("admin").arg("--data").arg(data.join("server")).args(command).output()?;
    if !out.status.success() {
        bail!("stead-server admin {}: {}", command.join(" "), String::from_utf8_lossy(&out.stderr));
    }
    Ok(String::from_utf8(out.stdout)?)
}

fn status(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { bail!("{command:?} ended with {status}") }
}

//! `cargo xtask test`: everything that must hold, in one command. What a bare Debian machine with Rust
//! lacks is installed from the package registries; what may not be installed is said and skipped.

use std::{path::Path, process::Command};

use anyhow::bail;
use clap::Args;

use crate::{machine, tidy};

#[derive(Args)]
pub struct Test {
    /// Fail where something would be skipped.
    #[arg(long, env = "CI")]
    strict: bool,
}

impl Test {
    pub fn run(self) -> anyhow::Result<()> {
        let mut skipped = Vec::new();
        let postgres = need(
            "PostgreSQL",
            || Path::new("/usr/lib/postgresql").is_dir() || machine::has("initdb"),
            &["postgresql"],
            &mut skipped,
        )?;
        let browser = need("a browser", || machine::has("chromium"), &["chromium"], &mut skipped)?
            && need(
                "Node.js",
                || machine::has("node") && machine::has("npm"),
                &["nodejs", "npm"],
                &mut skipped,
            )?;
        if browser {
            machine::run("npm", &["ci", "--prefix", "tests/browser", "--no-audit", "--no-fund", "--silent"])?;
        }
        let proxies = need(
            "nginx, Caddy and HAProxy",
            || {
                [
                    "/usr/sbin/nginx",
                    "/usr/bin/caddy",
                    "/usr/sbin/haproxy",
                    "/usr/bin/openssl",
                    "/usr/bin/curl",
                ]
                .iter()
                .all(|path| Path::new(path).exists())
            },
            &["nginx-light", "caddy", "haproxy", "openssl", "curl"],
            &mut skipped,
        )?;
        let networks = need(
            "networks of their own",
            || Path::new("/usr/sbin/nft").exists() && Path::new("/usr/sbin/ip").exists(),
            &["nftables", "iproute2"],
            &mut skipped,
        )?;
        let faults = need("faults", || machine::has("strace"), &["strace", "mount"], &mut skipped)?;
        let python = need("Python", has_python, &["python3", "python3-venv"], &mut skipped)?;
        if python {
            machine::run("python3", &["-m", "venv", PEERS])?;
            let pip = format!("{PEERS}/bin/pip");
            let quiet = ["install", "--quiet", "--disable-pip-version-check"];
            machine::run(&pip, &[&quiet[..], &["--requirement", "tests/peers/requirements.txt"]].concat())?;
        }
        if !skipped.is_empty() && self.strict {
            bail!("would be skipped: {}", skipped.join("; "));
        }

        tidy::run()?;
        machine::cargo(&["fmt", "--all", "--check"])?;
        machine::cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
        machine::cargo(&["build", "--workspace", "--bins"])?;
        for task in ["lint", "test"] {
            let server = machine::built("stead-server", false);
            for pack in ["packs/remote-work", "packs/telework-government"] {
                machine::run(&server.to_string_lossy(), &["pack", task, pack])?;
            }
        }
        // Tests that would be skipped fail instead when what they need is there.
        let mut arguments = vec!["test", "--workspace"];
        let all = postgres && browser && proxies && networks && faults && python;
        if !all {
            arguments.push("--no-fail-fast");
        }
        if all {
            machine::run("env", &[&["STEAD_TEST_ALL=1", "cargo"], arguments.as_slice()].concat())?;
        } else {
            machine::cargo(&arguments)?;
        }
        supply_chain(&mut skipped)?;
        println!();
        for what in &skipped {
            println!("skipped: {what}");
        }
        println!("All that was run holds.");
        Ok(())
    }
}

/// Licenses, sources, and bans always; known weaknesses where the database of them can be reached. What wasn't checked is
/// said.
fn supply_chain(skipped: &mut Vec<String>) -> anyhow::Result<()> {
    let deny = machine::tool("cargo-deny", "0.20.2")?;
    let deny = deny.to_string_lossy();
    machine::run(&deny, &["--all-features", "--log-level", "error", "check", "bans", "licenses", "sources"])?;
    match machine::run(&deny, &["--all-features", "fetch", "db"]) {
        Ok(()) => machine::run(&deny, &["--all-features", "check", "--disable-fetch", "advisories"]),
        Err(_) => {
            skipped
                .push("KNOWN WEAKNESSES WERE NOT CHECKED: the advisory database can't be reached".to_owned());
            Ok(())
        }
    }
}

/// Where the programs are that tests talk to: a mail server, a fuzzer of the API.
pub const PEERS: &str = "tests/peers/.venv";

fn has_python() -> bool {
    Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether something is there, installed now if it may be.
fn need(
    what: &str,
    there: impl Fn() -> bool,
    packages: &[&str],
    skipped: &mut Vec<String>,
) -> anyhow::Result<bool> {
    if !there() && machine::can_install() {
        machine::install(packages)?;
    }
    if there() {
        return Ok(true);
    }
    skipped.push(format!("what needs {what} (install {})", packages.join(", ")));
    Ok(false)
}

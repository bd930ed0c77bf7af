//! `stead-gate`: keeps a WireGuard interface's peers equal to the devices that are let in.
//!
//! In scope: the interface, its wall, and asking the server. Out of scope: deciding, which the server does.

mod keeper;
mod wall;

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::{Args, Parser, Subcommand};
use keeper::{Question, Wanted};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use stead_transport::Transport;
use stead_tunnel::{PrivateKey, Tunnel};
use zeroize::Zeroizing;

/// Lets devices that are let in through a tunnel, and nobody else.
#[derive(Parser)]
#[command(name = "stead-gate", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the gate's public key, for the server's file; made here the first time.
    Key {
        #[command(flatten)]
        state: StateFolder,
    },
    /// Keep the tunnel. Started as a service.
    Run {
        /// The tunnel's name, as in the server's file.
        tunnel: String,
        /// Address of the server, as in https://stead.example.org.
        #[arg(long, value_name = "URL")]
        server: String,
        /// File with the secret that the server's file names too.
        #[arg(long, value_name = "FILE")]
        secret_file: PathBuf,
        /// Certificates to trust, where the server's is not known to this system.
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
        /// Port to listen at.
        #[arg(long, value_name = "PORT", default_value_t = 51820)]
        port: u16,
        #[command(flatten)]
        interface: Interface,
        #[command(flatten)]
        state: StateFolder,
    },
    /// Take the interface and its wall away. Run after the service has ended, however it ended.
    Clear {
        #[command(flatten)]
        interface: Interface,
    },
}

#[derive(Args)]
struct StateFolder {
    /// Folder with the gate's key.
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/stead-gate")]
    state: PathBuf,
}

#[derive(Args)]
struct Interface {
    /// Name of the interface: up to 15 small letters, digits and hyphens.
    #[arg(long, value_name = "NAME", default_value = "stead-gate", value_parser = interface)]
    interface: String,
}

fn interface(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if (1..=15).contains(&text.len()) && plain {
        return Ok(text.to_owned());
    }
    Err("use up to 15 small letters, digits and hyphens".to_owned())
}

fn main() -> ExitCode {
    // Its memory holds the tunnel's key: no core file, and no other program of the same user reads it.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stead-gate: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Key { state } => {
            println!("{}", key(&state.state)?.public());
            Ok(())
        }
        Command::Run { tunnel, server, secret_file, trust, port, interface, state } => {
            let secret = fs::read_to_string(&secret_file)
                .with_context(|| format!("{} cannot be read", secret_file.display()))?;
            let question = Question {
                transport: Transport::new(&server, trust.as_deref())?,
                tunnel,
                secret: Zeroizing::new(Zeroizing::new(secret).trim().to_owned()),
            };
            let wanted = Wanted { interface: interface.interface, key: key(&state.state)?, port };
            let say = |line: &str| eprintln!("stead-gate: {line}");
            if fs::read_to_string("/proc/sys/net/ipv4/ip_forward").is_ok_and(|text| text.trim() == "0") {
                say(
                    "this system forwards no packets (net.ipv4.ip_forward is 0): only what runs on it can be reached",
                );
            }
            keeper::keep(&question, &wanted, &say)
        }
        Command::Clear { interface } => {
            // First the interface: what would be left of it must not stand without its wall.
            Tunnel::clear(&interface.interface)?;
            wall::tear_down(&interface.interface)
        }
    }
}

/// The gate's key, made the first time.
fn key(folder: &Path) -> anyhow::Result<PrivateKey> {
    let path = folder.join("gate.key");
    if !path.exists() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        let mut bytes = Zeroizing::new([0; 32]);
        if aws_lc_rs::rand::fill(bytes.as_mut()).is_err() {
            bail!("the system gave no randomness");
        }
        let text = Zeroizing::new(STANDARD.encode(bytes.as_ref()));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    let text = Zeroizing::new(
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?,
    );
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).unwrap_or_default());
    let bytes: [u8; 32] = bytes
        .as_slice()
        .try_into()
        .ok()
        .with_context(|| format!("{} is no key; move it away, and a new one is made", path.display()))?;
    Ok(PrivateKey::new(Zeroizing::new(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_called_what_the_wall_can_be_called() {
        for name in ["stead0", "stead-office-12", "a"] {
            assert!(interface(name).is_ok(), "{name}");
        }
        for name in ["", "stead-office-123", "Stead", "a b", "a\"", "é"] {
            assert!(interface(name).is_err(), "{name}");
        }
    }
}

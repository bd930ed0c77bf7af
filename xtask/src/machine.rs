//! This machine: where the project is, what is installed, running programs and saying so.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// A program that this project builds.
pub fn built(name: &str, release: bool) -> PathBuf {
    built_as(name, if release { "release" } else { "debug" })
}

/// A program built by a profile, which names the folder.
pub fn built_as(name: &str, profile: &str) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join(profile).join(name)
}

/// Runs a command in the project's folder and says what it is.
pub fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    println!("\n$ {program} {}", arguments.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .status()
        .with_context(|| format!("{program} could not be started"))?;
    if !status.success() {
        bail!("{program} {} ended with {status}", arguments.join(" "));
    }
    Ok(())
}

/// Runs cargo.
pub fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    run(&env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), arguments)
}

/// A program of Cargo's registry, at this version, installed now if need be, outside the checkout.
pub fn tool(name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let home = env::var_os("HOME").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    let folder = home.join(".cache/stead-tools").join(format!("{name}-{version}"));
    let program = folder.join("bin").join(name);
    if !program.is_file() {
        let (root, build) = (folder.to_string_lossy(), folder.join("build"));
        let more = ["--locked", "--debug", "--root", &root, "--target-dir", &build.to_string_lossy()];
        // It runs for seconds: quick to build counts for more than quick to run.
        cargo(&[&["install", name, "--version", version][..], &more].concat())?;
        let _ = std::fs::remove_dir_all(build);
    }
    Ok(program)
}

/// Whether a program is on the path.
pub fn has(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Whether Debian packages can be installed here.
pub fn can_install() -> bool {
    has("apt-get") && rustix::process::geteuid().is_root()
}

/// Installs Debian packages, quietly.
pub fn install(packages: &[&str]) -> anyhow::Result<()> {
    println!("\n$ apt-get install {}", packages.join(" "));
    let apt = |arguments: &[&str]| {
        Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null())
            .status()
    };
    let updated = apt(&["update", "-qq"])?;
    if !updated.success() {
        bail!("apt-get update ended with {updated}");
    }
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend_from_slice(packages);
    let installed = apt(&arguments)?;
    if !installed.success() {
        bail!("apt-get install {} ended with {installed}", packages.join(" "));
    }
    Ok(())
}

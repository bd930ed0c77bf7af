//! `cargo xtask sbom`: what each program is made of, as CycloneDX, one file a program.

use std::{fs, path::Path};

use anyhow::Context;
use clap::Args;

use crate::{machine, test::PEERS};

/// The crates whose programs are installed.
const PROGRAMS: [&str; 4] = ["server", "agent", "gate", "print"];

/// Settings of the bill of materials.
#[derive(Args)]
pub struct Sbom {
    /// Folder for the files.
    #[arg(long, value_name = "DIR", default_value = "target/sbom")]
    into: String,
}

impl Sbom {
    pub fn run(self) -> anyhow::Result<()> {
        let cyclonedx = machine::tool("cargo-cyclonedx", "0.5.9")?;
        let cyclonedx = cyclonedx.to_string_lossy();
        let root = machine::root();
        let into = root.join(&self.into);
        fs::create_dir_all(&into).with_context(|| format!("{} can't be made", into.display()))?;
        for name in PROGRAMS {
            let manifest = format!("crates/{name}/Cargo.toml");
            let file = format!("stead-{name}.cdx");
            let arguments =
                ["cyclonedx", "--manifest-path", &manifest, "--format", "json", "--spec-version", "1.5"];
            machine::run(&cyclonedx, &[&arguments[..], &["--override-filename", &file]].concat())?;
            // It writes beside each manifest of the workspace.
            let mut beside = vec![root.join("xtask")];
            for entry in fs::read_dir(root.join("crates"))? {
                beside.push(entry?.path());
            }
            let written = |folder: &Path| folder.join(format!("{file}.json"));
            let kept = into.join(format!("{file}.json"));
            fs::copy(written(&root.join("crates").join(name)), &kept)
                .with_context(|| format!("nothing was written for {name}"))?;
            for stray in beside.iter().map(|folder| written(folder)).filter(|path| path.exists()) {
                fs::remove_file(stray)?;
            }
            let python = root.join(PEERS).join("bin/python");
            if python.exists() {
                let (python, kept) = (python.to_string_lossy(), kept.to_string_lossy());
                machine::run(&python, &["tests/peers/sbom.py", &kept])?;
            } else {
                println!("not validated: `cargo xtask test` sets up what validates it");
            }
        }
        println!("{}", into.display());
        Ok(())
    }
}

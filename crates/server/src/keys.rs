//! The server's keys: files in the data folder that only its owner may read. One signs the ledger's
//! checkpoints, one the answers to devices.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, bail};
use stead_ledger::NoteSigner;
use stead_model::seal::{self, Seed, SigningKey};
use zeroize::Zeroizing;

use crate::source::Randomness;

/// The server's keys.
#[derive(Debug)]
pub struct Keys {
    /// Signs checkpoints.
    pub ledger: NoteSigner,
    /// Signs answers.
    pub answers: SigningKey,
}

impl Keys {
    /// Reads the keys, or makes them the first time. `origin` is the ledger's name, kept in the store.
    ///
    /// # Errors
    /// When they cannot be read or written, or are no keys.
    pub fn open(data: &Path, origin: &str, random: &dyn Randomness) -> anyhow::Result<Self> {
        let ledger = seed(&data.join("ledger.key"), random)?;
        let answers = seed(&data.join("answers.key"), random)?;
        Ok(Self { ledger: NoteSigner::new(origin, &ledger)?, answers: SigningKey::from_seed(&answers)? })
    }
}

fn seed(path: &Path, random: &dyn Randomness) -> anyhow::Result<Seed> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            let bytes = Zeroizing::new(seal::unhex(text.trim()).unwrap_or_default());
            let bytes: [u8; 32] = bytes
                .as_slice()
                .try_into()
                .with_context(|| format!("{} holds no key; bring it back from a backup", path.display()))?;
            Ok(Zeroizing::new(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut seed = Seed::new([0; 32]);
            if !random.fill(seed.as_mut()) {
                bail!("the system gave no randomness for a key");
            }
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(Zeroizing::new(seal::hex(seed.as_ref())).as_bytes())?;
            file.sync_all()?;
            Ok(seed)
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

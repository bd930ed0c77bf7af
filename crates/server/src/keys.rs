//! The server's keys: files in the data folder that only its owner may read. One signs the ledger's
//! checkpoints, one the answers to devices, one seals what the store may hold but not tell.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, bail};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    hmac,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
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
    /// Seals what the store may hold but not tell.
    pub sealing: Sealing,
}

/// Seals small secrets for the store, and marks what browsers keep for us.
pub struct Sealing {
    key: RandomizedNonceKey,
    mark: hmac::Key,
}

impl std::fmt::Debug for Sealing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealing")
    }
}

impl Sealing {
    pub(crate) fn new(seed: &Seed) -> anyhow::Result<Self> {
        let part = |name: &str| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, seed.as_ref());
            hmac::sign(&key, name.as_bytes())
        };
        Ok(Self {
            key: RandomizedNonceKey::new(&AES_256_GCM, part("stead seal").as_ref())
                .map_err(|_| anyhow::anyhow!("the sealing key cannot be used"))?,
            mark: hmac::Key::new(hmac::HMAC_SHA256, part("stead mark").as_ref()),
        })
    }

    /// Seals a secret (AES-256-GCM, base64url). `what` says what it is and whose; it opens under the same
    /// words alone.
    pub fn seal(&self, what: &str, secret: &[u8]) -> Option<String> {
        let mut text = secret.to_vec();
        let nonce = self.key.seal_in_place_append_tag(Aad::from(what.as_bytes()), &mut text).ok()?;
        let mut all = nonce.as_ref().to_vec();
        all.extend_from_slice(&text);
        Some(URL_SAFE_NO_PAD.encode(all))
    }

    /// Opens what was sealed under the same words; none when it was not.
    pub fn open(&self, what: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        let all = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, text) = all.split_at_checked(12)?;
        let nonce: [u8; 12] = nonce.try_into().ok()?;
        let mut text = Zeroizing::new(text.to_vec());
        let length =
            self.key.open_in_place(Nonce::from(&nonce), Aad::from(what.as_bytes()), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }

    /// A mark on words that somebody else keeps for us, by which we know them again.
    pub fn mark(&self, words: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.mark, words.as_bytes()))
    }

    /// Whether the mark is ours, in constant time.
    pub fn is_marked(&self, words: &str, mark: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(mark)
            .is_ok_and(|mark| hmac::verify(&self.mark, words.as_bytes(), &mark).is_ok())
    }
}

/// The files of the keys.
pub const FILES: [&str; 3] = ["answers.key", "ledger.key", "sealing.key"];

impl Keys {
    /// Which of them are not in a folder.
    pub fn missing(data: &Path) -> Vec<&'static str> {
        FILES.into_iter().filter(|name| !data.join(name).exists()).collect()
    }

    /// Reads the keys, and makes none.
    pub fn read(data: &Path, origin: &str) -> Option<Self> {
        struct None;
        impl Randomness for None {
            fn fill(&self, _: &mut [u8]) -> bool {
                false
            }
        }
        if !Self::missing(data).is_empty() {
            return Option::None;
        }
        Self::open(data, origin, &None).ok()
    }

    /// Reads the keys, or makes them the first time. `origin` is the ledger's name, kept in the store.
    ///
    /// # Errors
    /// When they cannot be read or written, or are no keys.
    pub fn open(data: &Path, origin: &str, random: &dyn Randomness) -> anyhow::Result<Self> {
        let ledger = seed(&data.join("ledger.key"), random)?;
        let answers = seed(&data.join("answers.key"), random)?;
        let sealing = seed(&data.join("sealing.key"), random)?;
        Ok(Self {
            ledger: NoteSigner::new(origin, &ledger)?,
            answers: SigningKey::from_seed(&answers)?,
            sealing: Sealing::new(&sealing)?,
        })
    }
}

/// The seed of a key in a file, which is made the first time, for its owner alone.
///
/// # Errors
/// When it cannot be read or written, or holds no key.
pub(crate) fn seed(path: &Path, random: &dyn Randomness) -> anyhow::Result<Seed> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_owner_alone() {
        let sealing = Sealing::new(&Seed::new([1; 32])).unwrap();
        let sealed = sealing.seal("authenticator of sam", b"secret").unwrap();
        assert_eq!(sealing.open("authenticator of sam", &sealed).unwrap().as_slice(), b"secret");
        assert!(sealing.open("authenticator of toni", &sealed).is_none());
        assert!(
            sealing.open("authenticator of sam", &sealed.replace('A', "B")).is_none()
                || !sealed.contains('A')
        );
        assert!(sealing.open("authenticator of sam", "AAAA").is_none());
        assert!(Sealing::new(&Seed::new([2; 32])).unwrap().open("authenticator of sam", &sealed).is_none());
        assert!(sealing.is_marked("browser", &sealing.mark("browser")));
        assert!(!sealing.is_marked("browser", &sealing.mark("other")));
    }
}

//! The places that a person has named, kept on this computer alone: each by a salted digest of what its network is
//! known by. The salt stays here too, so that a digest says nothing to anybody else.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};
use stead_model::{Millis, seal};

use crate::files;

/// What somebody may call a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Where they live.
    Home,
    /// An office of their organisation.
    Office,
    /// Anywhere else.
    Travel,
}

impl Kind {
    /// The word that is sent.
    pub fn word(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Office => "office",
            Self::Travel => "travel",
        }
    }
}

/// A place that was named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The salted digest.
    pub digest: String,
    /// What it is called.
    pub kind: Kind,
    /// Since when.
    pub named_at: Millis,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Places {
    salt: String,
    places: Vec<Place>,
}

/// Most that are kept; the oldest is forgotten first.
const MOST: usize = 200;

impl Places {
    /// None yet. The salt is random and is never sent.
    pub fn new(salt: [u8; 32]) -> Self {
        Self { salt: seal::hex(&salt), places: Vec::new() }
    }

    /// Those in a file; none where there is no file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn load(file: &Path) -> io::Result<Self> {
        match fs::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{} is damaged; remove it and name your places again", file.display()),
                )
            }),
        }
    }

    /// Writes them down, for their owner alone.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn save(&self, file: &Path) -> io::Result<()> {
        files::write_whole(file, &serde_json::to_vec_pretty(self)?, 0o600)
    }

    /// Whether there is a salt yet.
    pub fn has_salt(&self) -> bool {
        !self.salt.is_empty()
    }

    /// The place with this network, when it was named.
    pub fn known(&self, network: &str) -> Option<&Place> {
        let digest = self.digest(network);
        self.places.iter().find(|place| place.digest == digest)
    }

    /// Names the place with this network.
    pub fn name(&mut self, network: &str, kind: Kind, now: Millis) {
        self.forget(network);
        if self.places.len() >= MOST {
            self.places.remove(0);
        }
        self.places.push(Place { digest: self.digest(network), kind, named_at: now });
    }

    /// Forgets the place with this network; whether it was known.
    pub fn forget(&mut self, network: &str) -> bool {
        let digest = self.digest(network);
        let before = self.places.len();
        self.places.retain(|place| place.digest != digest);
        self.places.len() < before
    }

    fn digest(&self, network: &str) -> String {
        seal::digest(format!("stead place\n{}\n{network}", self.salt).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_known_and_can_be_corrected() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("places.json");
        assert_eq!(Places::load(&file).unwrap(), Places::default());
        let mut places = Places::new([1; 32]);
        places.name("gateway a", Kind::Home, Millis(1));
        places.name("gateway a", Kind::Travel, Millis(2));
        places.save(&file).unwrap();
        let mut places = Places::load(&file).unwrap();
        assert_eq!(places.known("gateway a").unwrap().kind, Kind::Travel);
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("gateway a"), "what it is known by is not written down");
        assert!(places.forget("gateway a") && !places.forget("gateway a"));
        let other = Places::new([2; 32]);
        assert_ne!(
            other.digest("gateway a"),
            places.digest("gateway a"),
            "another computer's digest differs"
        );
        fs::write(&file, "{").unwrap();
        assert!(Places::load(&file).unwrap_err().to_string().contains("name your places again"));
    }
}

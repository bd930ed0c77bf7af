//! Checkpoints (C2SP tlog-checkpoint): what the log commits to at one size.
//!
//! ```text
//! <origin>
//! <size>
//! <base64 of root>
//! ```

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    Hash,
    note::{NoteError, NoteKey, NoteSigner},
};

/// The commitment of a log at one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The signed note.
    pub fn sign(&self, signer: &NoteSigner) -> String {
        signer.sign(&format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root)))
    }

    /// Checks a signed note and reads the checkpoint in it.
    ///
    /// # Errors
    /// [`NoteError`] when the signature does not fit or the text is no checkpoint of the key's log.
    pub fn open(note: &str, key: &NoteKey) -> Result<Self, NoteError> {
        let mut lines = key.open(note)?.lines();
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(NoteError::Form);
        };
        let plain = size == "0" || !size.starts_with('0') && size.bytes().all(|b| b.is_ascii_digit());
        if origin != key.name() || !plain {
            return Err(NoteError::Form);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: size.parse().map_err(|_| NoteError::Form)?,
            root: STANDARD
                .decode(root)
                .ok()
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or(NoteError::Form)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use stead_model::seal::Seed;

    use super::*;

    #[test]
    fn the_text_is_that_of_the_specification() {
        let signer = NoteSigner::new("example.com/log", &Seed::new([1; 32])).unwrap();
        let checkpoint = Checkpoint { origin: "example.com/log".to_owned(), size: 3, root: [0; 32] };
        let note = checkpoint.sign(&signer);
        assert!(note.starts_with(
            "example.com/log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— example.com/log "
        ));
        assert_eq!(Checkpoint::open(&note, signer.public()).unwrap(), checkpoint);
        let empty = Checkpoint { size: 0, ..checkpoint };
        assert_eq!(Checkpoint::open(&empty.sign(&signer), signer.public()).unwrap(), empty);
        let root = STANDARD.encode([0; 32]);
        for bad in [
            format!("example.com/log\n03\n{root}\n"),
            format!("example.com/log\n00\n{root}\n"),
            format!("example.com/log\n+3\n{root}\n"),
            format!("example.com/log\n-3\n{root}\n"),
            format!("example.com/log\n\n{root}\n"),
            format!("example.com/log\n18446744073709551616\n{root}\n"),
            format!("example.com/log\n3\n{}\n", STANDARD.encode([0; 31])),
            format!("example.com/log\n3\n{}\n", STANDARD.encode([0; 33])),
            format!("example.com/other\n3\n{root}\n"),
            "example.com/log\n3\n".to_owned(),
        ] {
            let signed = signer.sign(&bad);
            assert!(Checkpoint::open(&signed, signer.public()).is_err(), "{bad}");
        }
    }
}

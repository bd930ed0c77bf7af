//! Signed notes (C2SP signed-note), with Ed25519 keys.
//!
//! ```text
//! text, ending in a newline
//!
//! — <name> <base64 of key hash (4 bytes) and signature (64 bytes)>
//! ```

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use stead_model::seal::{self, SealError, SigningKey, VerifyingKey};

const ED25519: u8 = 1;

/// Why a note or key was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The text has not the form of a note or of a verifier key.
    #[error("not of the form of a signed note")]
    Form,
    /// No signature by the key asked for.
    #[error("no signature by {0}")]
    Unsigned(String),
    /// A signature by the key asked for does not fit the text.
    #[error("the signature by {0} does not fit the text")]
    Signature(String),
}

/// A key that checks notes.
#[derive(Clone, Debug)]
pub struct NoteKey {
    name: String,
    hash: [u8; 4],
    public: [u8; 32],
    key: VerifyingKey,
}

/// Most signatures of a note that are read.
const MOST_SIGNATURES: usize = 100;

impl NoteKey {
    /// The key with this name and these 32 bytes.
    ///
    /// # Errors
    /// [`NoteError::Form`] when the name holds white space or a plus sign, or the bytes are no key.
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, NoteError> {
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') {
            return Err(NoteError::Form);
        }
        let key = VerifyingKey::from_bytes(&public).map_err(|_| NoteError::Form)?;
        Ok(Self { name: name.to_owned(), hash: key_hash(name, &public), public, key })
    }

    /// The key in the form `<name>+<hash>+<key>`.
    ///
    /// # Errors
    /// [`NoteError::Form`] when the text is not of that form or the hash does not fit.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Form);
        };
        let bytes = STANDARD.decode(key).map_err(|_| NoteError::Form)?;
        let [ED25519, public @ ..] = bytes.as_slice() else {
            return Err(NoteError::Form);
        };
        let key = Self::new(name, public.try_into().map_err(|_| NoteError::Form)?)?;
        if seal::hex(&key.hash) == hash { Ok(key) } else { Err(NoteError::Form) }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks a note and hands out its text, the last newline included.
    ///
    /// # Errors
    /// [`NoteError`] when the form is wrong, or this key's signature is missing or does not fit.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        // C2SP signed-note: lines end with a line feed, and no other control character stands in a note.
        if note.chars().any(|sign| sign.is_control() && sign != '\n') {
            return Err(NoteError::Form);
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, signatures) = (&note[..=split], &note[split + 2..]);
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Form)?;
        if signatures.matches('\n').count() >= MOST_SIGNATURES {
            return Err(NoteError::Form);
        }
        let mut signed = false;
        for line in signatures.split('\n') {
            let rest = line.strip_prefix("— ").ok_or(NoteError::Form)?;
            let (name, sig) = rest.split_once(' ').ok_or(NoteError::Form)?;
            let sig = STANDARD.decode(sig).map_err(|_| NoteError::Form)?;
            if name == self.name && sig.starts_with(&self.hash) {
                let fits = self.key.verify(text.as_bytes(), &sig[4..]);
                fits.map_err(|_| NoteError::Signature(self.name.clone()))?;
                signed = true;
            }
        }
        if signed { Ok(text) } else { Err(NoteError::Unsigned(self.name.clone())) }
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(&self.public);
        write!(f, "{}+{}+{}", self.name, seal::hex(&self.hash), STANDARD.encode(bytes))
    }
}

/// A key that signs notes.
#[derive(Debug)]
pub struct NoteSigner {
    key: SigningKey,
    public: NoteKey,
}

impl NoteSigner {
    /// The signer with this name and seed.
    ///
    /// # Errors
    /// [`SealError::Key`] when name or seed cannot be used.
    pub fn new(name: &str, seed: &seal::Seed) -> Result<Self, SealError> {
        let key = SigningKey::from_seed(seed)?;
        let public = NoteKey::new(name, key.public()).map_err(|_| SealError::Key)?;
        Ok(Self { key, public })
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> &NoteKey {
        &self.public
    }

    /// Signs a text that ends in a newline.
    pub fn sign(&self, text: &str) -> String {
        let mut sig = self.public.hash.to_vec();
        sig.extend_from_slice(&self.key.sign(text.as_bytes()));
        format!("{text}\n— {} {}\n", self.public.name, STANDARD.encode(sig))
    }
}

/// The first four bytes of SHA-256 over name, newline, algorithm and key.
fn key_hash(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let mut bytes = name.as_bytes().to_vec();
    bytes.extend_from_slice(&[b'\n', ED25519]);
    bytes.extend_from_slice(public);
    let [a, b, c, d, ..] = seal::sha256(&bytes);
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Go's `golang.org/x/mod/sumdb/note`, which the specification grew from.
    const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    /// F20: these were taken for notes.
    #[test]
    fn f20_a_note_is_one_to_the_letter() {
        let signer = NoteSigner::new("stead.example", &seal::Seed::new([7; 32])).unwrap();
        let note = signer.sign("size 1\n");
        let key = signer.public();
        assert_eq!(key.open(&note), Ok("size 1\n"));
        let line = note.rsplit_once("\n\n").unwrap().1;
        let (head, sig) = line.trim_end().rsplit_once(' ').unwrap();
        let broken = format!(
            "{head} {}\n",
            sig.replacen(&sig[20..21], if &sig[20..21] == "A" { "B" } else { "A" }, 1)
        );
        for bad in [
            note.replace('\n', "\r\n"),
            format!("{}\r\n", note.trim_end()),
            note.trim_end().to_owned(),
            note.replacen("— ", "— \0", 1),
            format!("{note}{broken}"),
            format!("{note}\n"),
            format!("{note}{}", "— other AAAAAAAA\n".repeat(100)),
        ] {
            assert!(key.open(&bad).is_err(), "{bad:?}");
        }
        assert!(key.open(&format!("{note}— other AAAAAAAA\n")).is_ok(), "others may sign too");
    }

    #[test]
    fn notes_signed_by_others_open() {
        let key = NoteKey::parse(GO_KEY).unwrap();
        assert_eq!(key.to_string(), GO_KEY);
        assert!(key.open(GO_NOTE).unwrap().ends_with("your problem is.\n"));
        assert_eq!(
            key.open(&GO_NOTE.replace("answer", "Answer")),
            Err(NoteError::Signature("PeterNeumann".to_owned()))
        );
    }

    #[test]
    fn what_is_signed_opens_with_its_key_alone() {
        let signer = NoteSigner::new("example/log", &seal::Seed::new([7; 32])).unwrap();
        let other = NoteSigner::new("example/log", &seal::Seed::new([8; 32])).unwrap();
        let note = signer.sign("one\ntwo\n");
        assert_eq!(signer.public().open(&note).unwrap(), "one\ntwo\n");
        assert_eq!(other.public().open(&note), Err(NoteError::Unsigned("example/log".to_owned())));
    }
}

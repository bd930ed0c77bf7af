//! The certificate with which programs on this computer show on a connection (TLS) that it is this computer.
//!
//! Its key is made here and stays here, in one file with the certificate, so that the two always fit. It is begun by
//! `stead certificate` and renewed by the service.

use std::path::PathBuf;

use anyhow::Context;
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use stead_model::{
    Millis,
    certificate::{CERTIFICATE_ASKED, CERTIFICATE_GIVEN, CertificateAsked, CertificateGiven, proof},
    message::VERSION,
    seal::Envelope,
    time::{HOUR, MINUTE},
};
use zeroize::Zeroizing;

use crate::{state::State, tunnel::Asker};

/// What is known of the certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// When it was made.
    pub made_at: Millis,
    /// Until when it is good.
    pub until: Millis,
}

impl Held {
    /// Whether it is time for the next.
    fn is_old(&self, now: Millis) -> bool {
        now.since(self.made_at) >= self.until.since(self.made_at) / 2
    }
}

/// The file with the key and the certificate.
pub fn file(state: &State) -> PathBuf {
    state.file("certificate.pem")
}

/// Keeps a certificate that was begun: asks for the next when it is time, or when the server knows of none any more.
#[derive(Debug, Default)]
pub struct Keeper {
    /// When it was tried last.
    tried_at: Option<Millis>,
}

/// How long after one try the next is made: each that arrives makes a certificate, also where its answer does not.
const AGAIN: i64 = 6 * HOUR;
/// How long the server may take to know what it has given.
const LATELY: i64 = 5 * MINUTE;

impl Keeper {
    /// Asks for the next certificate where that is needed. `certified` is what the server said last.
    ///
    /// # Errors
    /// When the server does not give one, or it cannot be written.
    pub fn renew(&mut self, asker: &Asker<'_>, certified: Option<bool>, now: Millis) -> anyhow::Result<()> {
        let Some(held) = asker.state.certificate()? else { return Ok(()) };
        // What was let in again after a loss has none, whatever is in the file.
        let unknown = certified == Some(false) && now.since(held.made_at) >= LATELY;
        let waits = self.tried_at.is_some_and(|at| now.since(at) < AGAIN);
        if waits || !(held.is_old(now) || unknown) {
            return Ok(());
        }
        self.tried_at = Some(now);
        ask(asker, now).map(|_| ())
    }
}

/// Makes a key and asks for a certificate.
///
/// # Errors
/// When the server does not give one, or it cannot be written.
pub fn ask(asker: &Asker<'_>, now: Millis) -> anyhow::Result<Held> {
    let unmade = || anyhow::anyhow!("a key could not be made");
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| unmade())?;
    let device = asker.identity.device;
    let signed = pair.sign(&SystemRandom::new(), proof(device, now).as_bytes()).map_err(|_| unmade())?;
    let asked = CertificateAsked {
        v: VERSION,
        device,
        at: now,
        key: STANDARD.encode(pair.public_key().as_ref()),
        proof: STANDARD.encode(signed),
    };
    let envelope = asker.key.seal(CERTIFICATE_ASKED, &serde_json::to_vec(&asked)?, &device.to_string());
    let text = asker.transport.post("/api/v1/certificates", &envelope)?;
    let given = || {
        let envelope: Envelope = serde_json::from_str(&text).ok()?;
        let opened = envelope.open(CERTIFICATE_GIVEN, asker.answer_key).ok()?;
        let given: CertificateGiven = serde_json::from_slice(opened.bytes()).ok()?;
        (given.device == device && given.asked_at == now).then_some(given)
    };
    let given = given().context("the server's answer is not sealed for this question")?;
    let private = pair.to_pkcs8v1().map_err(|_| unmade())?;
    let both = Zeroizing::new([pem(private.as_ref()).as_str(), &given.certificate].concat());
    let held = Held { made_at: now, until: given.until };
    asker.state.set_certificate(&held, &both)?;
    Ok(held)
}

/// A private key (PKCS #8) as PEM.
fn pem(key: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(STANDARD.encode(key));
    let mut out = Zeroizing::new(String::with_capacity(text.len() + 100));
    out.push_str("-----BEGIN PRIVATE KEY-----\n");
    let mut rest = text.as_str();
    while let Some((line, more)) = rest.split_at_checked(64) {
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out.push_str(rest);
    out.push_str("\n-----END PRIVATE KEY-----\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_renewed_when_half_of_its_time_is_over() {
        let held = Held { made_at: Millis(1_000), until: Millis(2_000) };
        assert!(!held.is_old(Millis(1_499)));
        assert!(held.is_old(Millis(1_500)));
        // A clock that was set back renews nothing.
        assert!(!held.is_old(Millis(500)));
    }

    #[test]
    fn a_key_is_written_in_lines_of_64() {
        let text = pem(&[7; 100]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines[4]), ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"));
        assert_eq!(STANDARD.decode(lines[1..4].concat()).unwrap(), [7; 100]);
        assert!(lines[1..3].iter().all(|line| line.len() == 64));
    }
}

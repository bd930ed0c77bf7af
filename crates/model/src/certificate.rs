//! Certificates for connections (TLS): a device makes a key for them, and the server certifies that the device has it.
//!
//! The key is another than the one that seals messages: browsers and other programs use it, and they take ECDSA.

use serde::{Deserialize, Serialize};

use crate::{DeviceId, Millis};

/// Payload type of [`CertificateAsked`].
pub const CERTIFICATE_ASKED: &str = "application/vnd.stead.certificate-asked+json";
/// Payload type of [`CertificateGiven`].
pub const CERTIFICATE_GIVEN: &str = "application/vnd.stead.certificate-given+json";

/// A device asks for a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateAsked {
    /// [`VERSION`](crate::message::VERSION).
    pub v: u32,
    /// The device.
    pub device: DeviceId,
    /// When, by the device's clock.
    pub at: Millis,
    /// The public key: an uncompressed point of P-256, base64.
    pub key: String,
    /// What shows that the device has the other half: its signature (ECDSA with SHA-256, DER, base64) of [`proof`].
    pub proof: String,
}

/// What the server answers to [`CertificateAsked`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateGiven {
    /// [`VERSION`](crate::message::VERSION).
    pub v: u32,
    /// The device that asked.
    pub device: DeviceId,
    /// When it asked, by its own clock: an answer to another question is none to this.
    pub asked_at: Millis,
    /// The certificate, PEM.
    pub certificate: String,
    /// The server's own certificate, by which others know the device's, PEM.
    pub authority: String,
    /// Until when it is good.
    pub until: Millis,
}

/// The words that a key signs to show that whoever asks has it: for this device and this question alone.
pub fn proof(device: DeviceId, at: Millis) -> String {
    format!("stead certificate {device} {}", at.0)
}

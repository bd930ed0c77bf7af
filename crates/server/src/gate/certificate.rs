//! Certificates for connections: this server makes them for its devices' keys, and knows them again by their SHA-256.
//!
//! A proxy that asked for one (mutual TLS) says in `Client-Cert` with which a connection was made, as RFC 9440 has it
//! or, as nginx can, in PEM that is percent-encoded. Whether it is the device's, and good, is not read from it: that is in
//! memory, so what is taken back counts at once.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use axum::http::{HeaderMap, HeaderName};
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SerialNumber, SignatureAlgorithm,
    date_time_ymd,
};
use stead_model::{
    DeviceId, Millis, seal,
    time::{DAY, HOUR},
};
use zeroize::Zeroizing;

/// How long a certificate is good for; an agent asks for the next when half of it is over.
pub const LASTS: i64 = 14 * DAY;
/// How long before it is made it is good from: clocks differ.
const BEFORE: i64 = HOUR;
/// How long the server's own certificate is good for.
const AUTHORITY_LASTS: i64 = 20 * 365 * DAY;
/// Most bytes of a certificate in a header.
const LONGEST: usize = 8 * 1024;

/// Where a proxy says with which certificate a connection was made.
pub const HEADER: HeaderName = HeaderName::from_static("client-cert");

/// The SHA-256 of the certificate that a connection was made with, as the proxy says it. None where it says none.
pub fn shown(headers: &HeaderMap) -> Option<[u8; 32]> {
    let mut said = headers.get_all(HEADER).iter();
    // Said twice, it is not the proxy alone that says it.
    let (Some(one), None) = (said.next(), said.next()) else { return None };
    let text = one.to_str().ok().filter(|text| text.len() <= LONGEST)?;
    let der = match text.strip_prefix(':').and_then(|text| text.strip_suffix(':')) {
        Some(inner) => STANDARD.decode(inner).ok()?,
        None => {
            let pem = decoded(text)?;
            let inner = pem
                .trim()
                .strip_prefix("-----BEGIN CERTIFICATE-----")?
                .strip_suffix("-----END CERTIFICATE-----")?;
            let inner: String = inner.split_ascii_whitespace().collect();
            STANDARD.decode(inner).ok()?
        }
    };
    (!der.is_empty()).then(|| seal::sha256(&der))
}

/// Text that was percent-encoded.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        match (first, more) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                rest = after;
            }
            (b'%', _) => return None,
            (other, _) => {
                bytes.push(*other);
                rest = more;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// A device's public key for connections: a point of P-256.
#[derive(Debug)]
pub struct DeviceKey([u8; 65]);

impl DeviceKey {
    /// The key, where whoever shows it has signed these words with its other half. Both are base64.
    pub fn proved(key: &str, words: &str, proof: &str) -> Option<Self> {
        let key: [u8; 65] = STANDARD.decode(key).ok()?.try_into().ok()?;
        let proof = STANDARD.decode(proof).ok().filter(|proof| proof.len() <= 80)?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(words.as_bytes(), &proof).ok()?;
        Some(Self(key))
    }
}

impl PublicKeyData for DeviceKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// A certificate that was made.
#[derive(Debug)]
pub struct Made {
    /// PEM.
    pub text: String,
    /// SHA-256 of it.
    pub fingerprint: [u8; 32],
    /// Until when it is good.
    pub until: Millis,
}

/// What certifies devices: a key in the data folder, and a certificate that proxies are given.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, PEM.
    pub certificate: String,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    /// Reads the key and the certificate, or makes them the first time. `known` is the fingerprint of the one that
    /// the installation has: every server that shares its store certifies by the same.
    ///
    /// # Errors
    /// When they cannot be read or written, are neither, or are not those of the installation.
    pub fn open(data: &Path, known: Option<&str>, now: Millis) -> anyhow::Result<Self> {
        let (key_file, own_file) = (data.join("certificates.key"), data.join("certificates.pem"));
        let both = "certificates.key and certificates.pem from another of its servers, or from a backup";
        ensure!(
            known.is_none() || (key_file.exists() && own_file.exists()),
            "this installation certifies devices already: bring {both}, into {}",
            data.display()
        );
        let key = match fs::read_to_string(&key_file).map(Zeroizing::new) {
            Ok(text) => KeyPair::from_pem(&text).with_context(|| {
                format!("{} holds no key; bring it back from a backup", key_file.display())
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
                write_new(&key_file, Zeroizing::new(key.serialize_pem()).as_bytes(), 0o600)?;
                key
            }
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", key_file.display()));
            }
        };
        let certificate = match fs::read_to_string(&own_file) {
            Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => text,
            Ok(_) => bail!("{} holds no certificate; bring it back from a backup", own_file.display()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = own(now).self_signed(&key)?.pem();
                write_new(&own_file, text.as_bytes(), 0o644)?;
                text
            }
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", own_file.display()));
            }
        };
        let opened = Self { issuer: Issuer::new(own(now), key), certificate };
        ensure!(
            known.is_none_or(|known| known == opened.fingerprint()),
            "{} is not what this installation certifies devices by: bring {both}",
            own_file.display()
        );
        Ok(opened)
    }

    /// By what it is known again.
    pub fn fingerprint(&self) -> String {
        seal::digest(self.certificate.as_bytes())
    }

    /// Makes a certificate that a device has this key. `serial` makes it one of a kind.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn certify(
        &self,
        device: DeviceId,
        key: &DeviceKey,
        serial: [u8; 16],
        now: Millis,
    ) -> anyhow::Result<Made> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, device.to_string());
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.not_before = date_time_ymd(1970, 1, 1) + since(now.plus(-BEFORE));
        params.not_after = date_time_ymd(1970, 1, 1) + since(now.plus(LASTS));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let made = params.signed_by(key, &self.issuer)?;
        Ok(Made { text: made.pem(), fingerprint: seal::sha256(made.der()), until: now.plus(LASTS) })
    }
}

/// What the server's own certificate says.
fn own(now: Millis) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Stead devices");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.not_before = date_time_ymd(1970, 1, 1) + since(now.plus(-BEFORE));
    params.not_after = date_time_ymd(1970, 1, 1) + since(now.plus(AUTHORITY_LASTS));
    params
}

/// How long after the beginning of 1970; what came before is that.
fn since(at: Millis) -> Duration {
    Duration::from_millis(u64::try_from(at.0).unwrap_or(0))
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = file.with_context(|| format!("{} cannot be written", path.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
    };

    use super::*;

    const NOW: Millis = Millis(1_795_000_000_000);

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_certificate_is_known_again_however_a_proxy_says_it() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(folder.path(), None, NOW).unwrap();
        let device = DeviceId::from_parts(NOW, [3; 10]);
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let point = STANDARD.encode(pair.public_key().as_ref());
        let proof = STANDARD.encode(pair.sign(&SystemRandom::new(), b"words").unwrap());
        let key = DeviceKey::proved(&point, "words", &proof).unwrap();
        assert!(DeviceKey::proved(&point, "other words", &proof).is_none());
        assert!(DeviceKey::proved(&point[4..], "words", &proof).is_none());
        let made = authority.certify(device, &key, [7; 16], NOW).unwrap();
        assert_eq!(made.until, NOW.plus(LASTS));

        let inner: String = made.text.lines().filter(|line| !line.starts_with("-----")).collect();
        assert_eq!(shown(&headers(&[&format!(":{inner}:")])), Some(made.fingerprint));
        let escaped =
            made.text.replace(' ', "%20").replace('\n', "%0A").replace('+', "%2B").replace('/', "%2F");
        assert_eq!(shown(&headers(&[&escaped])), Some(made.fingerprint));
        for bad in ["", "::", ":", ":%:", "%", "%4", "%zz", inner.as_str(), &":".repeat(LONGEST + 1)] {
            assert_eq!(shown(&headers(&[bad])), None, "{bad}");
        }
        assert_eq!(shown(&headers(&[])), None);
        let twice = format!(":{inner}:");
        assert_eq!(shown(&headers(&[&twice, &twice])), None, "said by two, it is said by nobody");

        // The same key and certificate the next time.
        let known = authority.fingerprint();
        let again = Authority::open(folder.path(), Some(&known), NOW.plus(DAY)).unwrap();
        assert_eq!(again.certificate, authority.certificate);
        // Another server of the same installation makes none of its own.
        let other = tempfile::tempdir().unwrap();
        let said = format!("{:#}", Authority::open(other.path(), Some(&known), NOW).unwrap_err());
        assert!(said.contains("bring certificates.key"), "{said}");
        Authority::open(other.path(), None, NOW).unwrap();
        let said = format!("{:#}", Authority::open(other.path(), Some(&known), NOW).unwrap_err());
        assert!(said.contains("is not what this installation certifies devices by"), "{said}");
    }

    #[test]
    fn what_is_no_key_is_said() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("certificates.key"), "not a key").unwrap();
        let said = format!("{:#}", Authority::open(folder.path(), None, NOW).unwrap_err());
        assert!(said.contains("certificates.key holds no key"), "{said}");
    }
}

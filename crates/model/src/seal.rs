//! Sealing: Ed25519 signatures in DSSE envelopes.
//!
//! ```text
//! {"payload": base64, "payloadType": "application/vnd.stead.report+json",
//!  "signatures": [{"keyid": "<device id>", "sig": base64}]}
//! ```
//! What is signed is the pre-authentication encoding of the
//! [DSSE protocol](https://github.com/secure-systems-lab/dsse/blob/master/protocol.md), so that a
//! payload cannot be passed off as one of another type. An [`Envelope`] is only words until
//! [`Envelope::open`] has checked it; an [`Opened`] is the only way to its payload.

use aws_lc_rs::{
    digest as aws_digest,
    signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The 32 bytes from which a signing key is made.
pub type Seed = Zeroizing<[u8; 32]>;

/// Why a seal or key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The envelope holds no signature, too many, or text that is not base64.
    #[error("the envelope is not of the form asked for")]
    Form,
    /// The payload is of another type.
    #[error("the payload is of another type")]
    WrongType,
    /// The signature does not fit payload, type and key.
    #[error("the signature does not fit")]
    Signature,
    /// The bytes are no key.
    #[error("the key cannot be used")]
    Key,
}

/// `sha256:` and the digest of `bytes` as 64 hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&sha256(bytes)))
}

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(aws_digest::digest(&aws_digest::SHA256, bytes).as_ref());
    out
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

/// The bytes of lower-case hexadecimal text.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    bytes.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
pub fn same_secret(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// A private Ed25519 key.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key that belongs to a seed.
    ///
    /// # Errors
    /// [`SealError::Key`] when the library refuses the seed.
    pub fn from_seed(seed: &Seed) -> Result<Self, SealError> {
        Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map(Self).map_err(|_| SealError::Key)
    }

    /// The public key, 32 bytes.
    pub fn public(&self) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(self.0.public_key().as_ref());
        out
    }

    /// The public key as base64.
    pub fn public_text(&self) -> String {
        STANDARD.encode(self.public())
    }

    /// A bare signature over `message`, 64 bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }

    /// Seals `payload` as being of type `payload_type`, naming this key by `keyid`.
    pub fn seal(&self, payload_type: &str, payload: &[u8], keyid: &str) -> Envelope {
        let sig = self.sign(&pre_authentication_encoding(payload_type, payload));
        Envelope {
            payload: STANDARD.encode(payload),
            payload_type: payload_type.to_owned(),
            signatures: vec![Signature { keyid: keyid.to_owned(), sig: STANDARD.encode(sig) }],
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// A public Ed25519 key, parsed once.
#[derive(Clone, Debug)]
pub struct VerifyingKey(ParsedPublicKey);

impl VerifyingKey {
    /// The key in 32 bytes.
    ///
    /// # Errors
    /// [`SealError::Key`] when the bytes are no key, or one of small order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        if is_of_small_order(bytes) {
            return Err(SealError::Key);
        }
        ParsedPublicKey::new(&ED25519, bytes).map(Self).map_err(|_| SealError::Key)
    }

    /// The key in base64 text.
    ///
    /// # Errors
    /// [`SealError::Key`] when the text is no key.
    pub fn from_text(text: &str) -> Result<Self, SealError> {
        Self::from_bytes(&STANDARD.decode(text).map_err(|_| SealError::Key)?)
    }

    /// Checks a bare signature.
    ///
    /// # Errors
    /// [`SealError::Signature`] when it does not fit.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SealError> {
        self.0.verify_sig(message, signature).map_err(|_| SealError::Signature)
    }
}

/// Encodings of the points whose order divides the cofactor, without the sign (RFC 8032, 5.1.3; those below the modulus,
/// and those that wrap around it). By such a key anybody can sign.
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

fn is_of_small_order(bytes: &[u8]) -> bool {
    let mut point = bytes.to_vec();
    if let Some(last) = point.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER.contains(&hex(&point).as_str())
}

/// One signature in an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Whose key: a device's id, or empty. One that isn't there is as an empty one.
    #[serde(default)]
    pub keyid: String,
    /// The signature, base64.
    pub sig: String,
}

/// A sealed message, not yet checked: a DSSE envelope (v1.0.2). What it holds beside these fields counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The payload, base64.
    payload: String,
    /// What the payload is.
    #[serde(rename = "payloadType")]
    payload_type: String,
    /// One in all that Stead makes; at least one in what it takes.
    signatures: Vec<Signature>,
}

/// Most signatures that are tried.
const MOST_SIGNATURES: usize = 8;

/// Base64 in either alphabet (RFC 4648, 4 and 5), as verifiers of DSSE must take it.
fn base64(text: &str) -> Result<Vec<u8>, SealError> {
    STANDARD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .or_else(|_| URL_SAFE_NO_PAD.decode(text))
        .map_err(|_| SealError::Form)
}

impl Envelope {
    /// What the envelope claims to hold. To be believed only after [`Envelope::open`].
    pub fn claimed_type(&self) -> &str {
        &self.payload_type
    }

    /// Whose key the envelope claims to be signed with.
    ///
    /// # Errors
    /// [`SealError::Form`] without a signature.
    pub fn claimed_key(&self) -> Result<&str, SealError> {
        let named = self.signatures.iter().find(|signature| !signature.keyid.is_empty());
        let one = named.or(self.signatures.first()).ok_or(SealError::Form)?;
        Ok(&one.keyid)
    }

    /// The payload before its signature is checked, for an enrolment, whose key is in the payload.
    /// The caller must still [`Envelope::open`] it with that key.
    ///
    /// # Errors
    /// [`SealError::Form`] when the payload is not base64.
    pub fn unchecked_payload(&self) -> Result<Vec<u8>, SealError> {
        base64(&self.payload)
    }

    /// Checks type and signature and hands out the payload. One signature that fits is enough.
    ///
    /// # Errors
    /// [`SealError`] when form, type or signature are wrong.
    pub fn open(&self, payload_type: &str, key: &VerifyingKey) -> Result<Opened, SealError> {
        if self.payload_type != payload_type {
            return Err(SealError::WrongType);
        }
        if !(1..=MOST_SIGNATURES).contains(&self.signatures.len()) {
            return Err(SealError::Form);
        }
        let payload = self.unchecked_payload()?;
        let said = pre_authentication_encoding(payload_type, &payload);
        let mut refused = SealError::Form;
        for signature in &self.signatures {
            match base64(&signature.sig).and_then(|sig| key.verify(&said, &sig)) {
                Ok(()) => return Ok(Opened { digest: sha256(&said), payload }),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}

/// A payload whose signature has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    payload: Vec<u8>,
    digest: [u8; 32],
}

impl Opened {
    /// The payload.
    pub fn bytes(&self) -> &[u8] {
        &self.payload
    }

    /// The SHA-256 of what was signed, the pre-authentication encoding: the same however the envelope is written.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

/// `DSSEv1 <length of type> <type> <length of payload> <payload>`.
fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SigningKey {
        SigningKey::from_seed(&Zeroizing::new([byte; 32])).unwrap()
    }

    /// The example of the DSSE protocol text.
    #[test]
    fn encoding_is_the_published_one() {
        let encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    /// RFC 8032, section 7.1, test 1.
    #[test]
    fn keys_are_those_of_the_standard() {
        let seed = unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let key = SigningKey::from_seed(&Zeroizing::new(seed.try_into().unwrap())).unwrap();
        assert_eq!(hex(&key.public()), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    }

    #[test]
    fn only_the_right_key_and_type_open() {
        let envelope = key(1).seal("a", b"{}", "k");
        let right = VerifyingKey::from_text(&key(1).public_text()).unwrap();
        let wrong = VerifyingKey::from_bytes(&key(2).public()).unwrap();
        assert_eq!(envelope.open("a", &right).unwrap().bytes(), b"{}");
        assert_eq!(envelope.open("a", &wrong), Err(SealError::Signature));
        assert_eq!(envelope.open("b", &right), Err(SealError::WrongType));
    }

    /// S27: some of these were taken for keys; a signature by one can be made up.
    #[test]
    fn s27_a_key_of_small_order_is_none() {
        for point in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut bytes: Vec<u8> =
                    (0..32).map(|at| u8::from_str_radix(&point[2 * at..2 * at + 2], 16).unwrap()).collect();
                bytes[31] |= sign;
                assert!(VerifyingKey::from_bytes(&bytes).is_err(), "{point}");
            }
        }
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let right = VerifyingKey::from_bytes(&key(1).public()).unwrap();
        let envelope = key(1).seal("a", b"{\"seq\":1}", "k");
        let mut changed = envelope.clone();
        changed.payload = STANDARD.encode(b"{\"seq\":2}");
        assert_eq!(changed.open("a", &right), Err(SealError::Signature));
        let mut retyped = envelope.clone();
        retyped.payload_type = "b".to_owned();
        assert_eq!(retyped.open("b", &right), Err(SealError::Signature));
        let mut unsigned = envelope;
        unsigned.signatures.clear();
        assert_eq!(unsigned.open("a", &right), Err(SealError::Form));
    }

    /// F6: four MUSTs of DSSE's `envelope.md` were not kept.
    #[test]
    fn f6_an_envelope_is_taken_as_dsse_says() {
        let right = VerifyingKey::from_bytes(&key(1).public()).unwrap();
        let payload = "{\"a\":\"\u{fb}\u{ff}\u{fe}\"}".as_bytes();
        let ours = serde_json::to_value(key(1).seal("a", payload, "k")).unwrap();
        let other = serde_json::to_value(key(2).seal("a", payload, "other")).unwrap();
        let sig = ours["signatures"][0]["sig"].as_str().unwrap();
        let url = |text: &str| text.replace('+', "-").replace('/', "_");
        let mut shapes = Vec::new();
        let mut shape = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut changed = ours.clone();
            change(&mut changed);
            shapes.push(changed);
        };
        shape(&|_| ());
        shape(&|e| e["signatures"] = serde_json::json!([{ "sig": sig }]));
        shape(&|e| e["extra"] = serde_json::json!({ "payload": "x" }));
        shape(&|e| e["signatures"][0]["extra"] = serde_json::json!(1));
        shape(&|e| e["payload"] = serde_json::json!(url(ours["payload"].as_str().unwrap())));
        shape(&|e| e["signatures"][0]["sig"] = serde_json::json!(url(sig)));
        shape(&|e| e["signatures"][0]["sig"] = serde_json::json!(url(sig).trim_end_matches('=')));
        shape(&|e| e["signatures"] = serde_json::json!([other["signatures"][0], ours["signatures"][0]]));
        shape(&|e| e["signatures"] = serde_json::json!([{ "sig": "?" }, ours["signatures"][0]]));
        let mut digests = std::collections::BTreeSet::new();
        for shape in shapes {
            for text in [shape.to_string(), serde_json::to_string_pretty(&shape).unwrap()] {
                let envelope: Envelope = serde_json::from_str(&text).unwrap();
                let opened = envelope.open("a", &right).unwrap_or_else(|error| panic!("{error}: {text}"));
                assert_eq!(opened.bytes(), payload);
                digests.insert(opened.digest());
            }
        }
        assert_eq!(digests.len(), 1, "F5: one digest, however the envelope is written");
        // One that fits is needed, and not too many are tried.
        let mut many = ours.clone();
        many["signatures"] = serde_json::json!(vec![other["signatures"][0].clone(); 9]);
        let refused = |value: &serde_json::Value| {
            serde_json::from_value::<Envelope>(value.clone()).unwrap().open("a", &right).unwrap_err()
        };
        assert_eq!(refused(&many), SealError::Form);
        assert_eq!(refused(&other), SealError::Signature);
        let twice = r#"{"payload":"","payload":"","payloadType":"a","signatures":[]}"#;
        assert!(serde_json::from_str::<Envelope>(twice).is_err(), "a name that stands there twice");
    }
}

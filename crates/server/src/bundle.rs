//! Bundles: what a page hands out to be verified offline. Each carries the proofs that its claims need.
//!
//! ```text
//! {"format": "stead-ledger-entry/1", "key": …, "checkpoint": …, "index": …, "text": …, "proof": [hash, …],
//!  "consistency": {"from": size, "proof": [hash, …]}}
//! {"format": "stead-report/1", "public_key": …, "digest": …, "envelope": {…},
//!  "ledger": {"key": …, "checkpoint": …, "consistency": …, "enrolled": {"index": …, "text": …, "proof": […]},
//!             "named": {…}}}
//! ```
//! Hashes are hexadecimal. `consistency` shows that the checkpoint continues one that somebody kept, and is there when it
//! was asked for by that one's size.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stead_ledger::{Checkpoint, Entry, Hash, NoteKey, tree};
use stead_model::{
    DeviceId, Millis,
    message::REPORT,
    seal::{self, Envelope, VerifyingKey},
};
use stead_store::{StoreError, device::Device, ledger::StoredEntry};

use crate::{App, flows::device_subject};

/// A bundle.
#[derive(Serialize, Deserialize)]
#[serde(tag = "format")]
pub enum Bundle {
    /// An entry of the ledger.
    #[serde(rename = "stead-ledger-entry/1")]
    Entry {
        /// The log it is of.
        #[serde(flatten)]
        log: Log,
        /// The entry.
        #[serde(flatten)]
        entry: Proved,
    },
    /// A device's last report.
    #[serde(rename = "stead-report/1")]
    Report {
        /// The device's key, base64.
        public_key: String,
        /// The digest by which the ledger names the report.
        digest: String,
        /// The report, sealed.
        envelope: Envelope,
        /// What shows that the key is the device's, and that the report was judged.
        #[serde(default)]
        ledger: Option<Box<Evidence>>,
        /// What else a reader may want to know.
        #[serde(flatten)]
        more: Map<String, Value>,
    },
}

/// A log as it was signed, and that it continues one that was kept.
#[derive(Serialize, Deserialize)]
pub struct Log {
    /// The key that signs it.
    pub key: String,
    /// The newest signed checkpoint.
    pub checkpoint: String,
    /// That it continues the one of this size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consistency: Option<Consistency>,
}

/// That a log continues an earlier one.
#[derive(Serialize, Deserialize)]
pub struct Consistency {
    /// How many entries the earlier one had.
    pub from: u64,
    /// The proof (RFC 6962, 2.1.2).
    pub proof: Vec<String>,
}

/// An entry with its proof (RFC 6962, 2.1.1).
#[derive(Serialize, Deserialize)]
pub struct Proved {
    /// Where it stands.
    pub index: u64,
    /// Its text.
    pub text: String,
    /// The way to the root.
    pub proof: Vec<String>,
}

/// What the ledger says of a report.
#[derive(Serialize, Deserialize)]
pub struct Evidence {
    /// The log.
    #[serde(flatten)]
    pub log: Log,
    /// The entry by which the device was enrolled with its key.
    pub enrolled: Proved,
    /// The newest entry that names the report; none where it changed nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<Proved>,
}

/// Why a bundle does not verify.
#[derive(Debug)]
pub enum Flaw {
    /// Something in it is not what was signed: what.
    Wrong(String),
    /// It lacks a proof that was asked for: which, and how to get it.
    NoProof(String),
}

impl From<String> for Flaw {
    fn from(what: String) -> Self {
        Self::Wrong(what)
    }
}

fn hex(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| seal::hex(hash)).collect()
}

fn hashes(texts: &[String]) -> Result<Vec<Hash>, String> {
    let read = |text: &String| seal::unhex(text)?.try_into().ok();
    texts
        .iter()
        .map(read)
        .collect::<Option<_>>()
        .ok_or_else(|| "a proof holds something else than hashes".to_owned())
}

async fn log(app: &App, from: Option<u64>) -> Result<(Log, u64), StoreError> {
    let head = app.store.ledger_head().await?;
    let consistency = match from.filter(|from| *from <= head.size) {
        Some(from) => {
            let proof = app.store.consistency_proof(from, head.size).await?.unwrap_or_default();
            Some(Consistency { from, proof: hex(&proof) })
        }
        None => None,
    };
    Ok((
        Log { key: app.keys.ledger.public().to_string(), checkpoint: head.checkpoint, consistency },
        head.size,
    ))
}

async fn proved(app: &App, entry: StoredEntry, size: u64) -> Result<Proved, StoreError> {
    let proof = app.store.inclusion_proof(entry.index, size).await?.unwrap_or_default();
    Ok(Proved { index: entry.index, text: entry.text, proof: hex(&proof) })
}

/// The bundle of an entry. `from` is the size of a checkpoint that somebody kept.
///
/// # Errors
/// When the store is away.
pub async fn of_entry(app: &App, entry: StoredEntry, from: Option<u64>) -> Result<Bundle, StoreError> {
    let (log, size) = log(app, from).await?;
    Ok(Bundle::Entry { log, entry: proved(app, entry, size).await? })
}

/// The bundle of a device's last report; none where there is no report.
///
/// # Errors
/// When the store is away.
pub async fn of_report(app: &App, device: &Device, from: Option<u64>) -> Result<Option<Bundle>, StoreError> {
    let Some(stored) = app.store.report(device.id).await? else { return Ok(None) };
    let (log, size) = log(app, from).await?;
    let subject = device_subject(device.id);
    let always = (Millis(i64::MIN), Millis(i64::MAX));
    let enrolled = app.store.ledger_of_kind((&subject, "device.enrolled"), always).await?.into_iter().next();
    let ledger = match enrolled {
        Some(enrolled) => {
            let named = app.store.ledger_mentioning(&subject, &stored.digest).await?.pop();
            Some(Box::new(Evidence {
                log,
                enrolled: proved(app, enrolled, size).await?,
                named: match named {
                    Some(named) => Some(proved(app, named, size).await?),
                    None => None,
                },
            }))
        }
        None => None,
    };
    let more = Map::from_iter([("device".to_owned(), Value::String(device.id.to_string()))]);
    Ok(Some(Bundle::Report {
        public_key: device.public_key.clone(),
        digest: stored.digest,
        envelope: serde_json::from_str(&stored.envelope)?,
        ledger,
        more,
    }))
}

/// Whether an envelope is what a device's key signed, and the digest is its own.
pub fn is_sealed(envelope: &Envelope, key: &VerifyingKey, digest: &str, text: &str) -> bool {
    envelope.open(REPORT, key).is_ok_and(|opened| {
        // Earlier, the digest was over the text of the envelope.
        [format!("sha256:{}", seal::hex(&opened.digest())), seal::digest(text.as_bytes())]
            .contains(&digest.to_owned())
    })
}

/// The checkpoint of a log, once key and kept checkpoint were looked at.
///
/// # Errors
/// What is wrong with it, in words.
pub fn signed(log: &Log, key: &NoteKey, seen: Option<&str>) -> Result<Checkpoint, Flaw> {
    let signed = Checkpoint::open(&log.checkpoint, key).map_err(|error| error.to_string())?;
    let Some(seen) = seen else { return Ok(signed) };
    let seen =
        Checkpoint::open(seen, key).map_err(|error| format!("the checkpoint that was kept: {error}"))?;
    if seen.size > signed.size || seen.size == signed.size && seen.root != signed.root {
        return Err("the log in this bundle is not the one that the kept checkpoint is of".to_owned().into());
    }
    if seen.size == signed.size || seen.size == 0 {
        return Ok(signed);
    }
    let Some(consistency) = log.consistency.as_ref().filter(|proof| proof.from == seen.size) else {
        return Err(Flaw::NoProof(format!(
            "the bundle carries no proof that its log continues the kept checkpoint of {} entries. Fetch it again with ?seen={} at the \
             end of its address",
            seen.size, seen.size
        )));
    };
    let proof = hashes(&consistency.proof)?;
    match tree::verify_consistency(seen.size, &seen.root, signed.size, &signed.root, &proof) {
        true => Ok(signed),
        false => Err("the log in this bundle doesn't continue the kept checkpoint".to_owned().into()),
    }
}

/// Checks that an entry is in a signed log.
///
/// # Errors
/// What is wrong with it, in words.
pub fn is_in(entry: &Proved, signed: &Checkpoint) -> Result<(), Flaw> {
    let leaf = tree::leaf_hash(entry.text.as_bytes());
    let proof = hashes(&entry.proof)?;
    match tree::verify_inclusion(leaf, entry.index, signed.size, &proof, &signed.root) {
        true => Ok(()),
        false => Err(stead_ledger::audit::Fault::Changed(entry.index).to_string().into()),
    }
}

/// Checks what the ledger says of a report: the key was enrolled for the device that sealed it, and the entry that
/// names the report does.
///
/// # Errors
/// What is wrong with it, in words.
pub fn is_the_devices(
    evidence: &Evidence,
    signed: &Checkpoint,
    (public_key, digest, envelope): (&str, &str, &Envelope),
) -> Result<DeviceId, Flaw> {
    is_in(&evidence.enrolled, signed)?;
    let read = |entry: &Proved| -> Result<(Entry, Value), String> {
        let unreadable = |_| format!("entry {} can't be read", entry.index);
        let parsed = serde_json::from_str(&entry.text).map_err(unreadable)?;
        Ok((parsed, serde_json::from_str(&entry.text).map_err(unreadable)?))
    };
    let device: DeviceId = envelope
        .claimed_key()
        .ok()
        .and_then(|device| device.parse().ok())
        .ok_or_else(|| "the report doesn't name its device".to_owned())?;
    let (enrolled, text) = read(&evidence.enrolled)?;
    let fits = enrolled.kind == "device.enrolled"
        && enrolled.subject == device_subject(device)
        && text["data"]["key"] == seal::digest(public_key.as_bytes());
    if !fits {
        return Err(
            format!("entry {} doesn't enroll this device with this key", evidence.enrolled.index).into()
        );
    }
    if let Some(named) = &evidence.named {
        is_in(named, signed)?;
        let (entry, text) = read(named)?;
        if entry.subject != device_subject(device) || text["data"]["report"] != digest {
            return Err(format!("entry {} doesn't name this report", named.index).into());
        }
    }
    Ok(device)
}

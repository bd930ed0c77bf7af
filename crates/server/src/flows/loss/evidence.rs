//! What was last known of a lost thing, written down when it is told and never changed: above all whether it was
//! encrypted, by the last report that the device sealed itself.

use serde::{Deserialize, Serialize};
use stead_model::{
    FactState, Facts, Millis, Scalar, Value,
    fact::{Field, Record},
    message::{REPORT, Report},
    seal::{Envelope, VerifyingKey},
};
use stead_store::device::Device;

use crate::{App, bundle, error::Refusal};

/// The fact that answers it.
const VOLUMES: &str = "device.volumes";

/// Whether it was encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encrypted {
    /// Every disk was.
    Yes,
    /// At least one was not.
    No,
    /// It cannot be told.
    #[default]
    Unknown,
}

impl Encrypted {
    /// The word on the wire and in `locales/`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// A disk, as the report has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Where it is mounted.
    pub mount: String,
    /// Whether it was encrypted.
    pub encrypted: Encrypted,
    /// How, or why that is not known.
    pub how: String,
}

/// What was last known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// Whether it was encrypted.
    pub encrypted: Encrypted,
    /// Why that cannot be told.
    pub why: String,
    /// Its disks.
    pub volumes: Vec<Volume>,
    /// When the report was received from which that is known.
    pub received_at: Option<Millis>,
    /// That report's digest.
    pub report: String,
    /// The policy that judged it.
    pub policy: String,
    /// When the device was last heard.
    pub last_seen: Option<Millis>,
    /// How it stood.
    pub standing: String,
    /// The name of its operating system.
    pub system: String,
}

impl Evidence {
    /// What a loss's evidence says; nothing of somebody who was forgotten.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// What is known of a device now, from its last report, whose seal is checked.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub(super) async fn of(app: &App, device: &Device) -> Result<Evidence, Refusal> {
    let known = Evidence {
        last_seen: device.last_seen,
        standing: device.standing.word().to_owned(),
        system: device.system.clone(),
        ..Evidence::default()
    };
    let Some(stored) = app.store.report(device.id).await? else {
        return Ok(Evidence { why: "it never reported".to_owned(), ..known });
    };
    let known = Evidence {
        received_at: Some(stored.received_at),
        report: stored.digest.clone(),
        policy: stored.pack,
        ..known
    };
    let facts = match sealed_facts(&stored.envelope, &stored.digest, &device.public_key) {
        Ok(facts) => facts,
        Err(why) => return Ok(Evidence { why: why.to_owned(), ..known }),
    };
    let (encrypted, why, volumes) = answer(&facts);
    Ok(Evidence { encrypted, why, volumes, ..known })
}

/// The facts of a sealed report; or why it proves nothing.
fn sealed_facts(envelope: &str, digest: &str, key: &str) -> Result<Facts, &'static str> {
    let unreadable = "its last report cannot be read";
    let sealed: Envelope = serde_json::from_str(envelope).map_err(|_| unreadable)?;
    let key = VerifyingKey::from_text(key).map_err(|_| unreadable)?;
    let opened = sealed.open(REPORT, &key).map_err(|_| "its last report is not sealed by its key")?;
    if !bundle::is_sealed(&sealed, &key, digest, envelope) {
        return Err("its last report is not the one that was received");
    }
    let report: Report<'_> = serde_json::from_slice(opened.bytes()).map_err(|_| unreadable)?;
    serde_json::from_str(report.facts.get()).map_err(|_| unreadable)
}

/// Whether every disk was encrypted; what is not known is never a yes.
fn answer(facts: &Facts) -> (Encrypted, String, Vec<Volume>) {
    let unknown = |why: &str| (Encrypted::Unknown, why.to_owned(), Vec::new());
    let Some(fact) = facts.get(VOLUMES) else { return unknown("its last report says nothing of disks") };
    let list = match &fact.state {
        FactState::Known(Value::List(list)) if !list.is_empty() => list,
        FactState::Known(_) => return unknown("its last report names no disk"),
        FactState::Unknown(why) | FactState::NotApplicable(why) => return unknown(why),
    };
    let volumes: Vec<Volume> = list.iter().map(volume).collect();
    let any = |is: Encrypted| volumes.iter().find(|volume| volume.encrypted == is);
    let (encrypted, why) = match (any(Encrypted::No), any(Encrypted::Unknown)) {
        (Some(_), _) => (Encrypted::No, String::new()),
        (None, Some(volume)) => (Encrypted::Unknown, format!("{}: {}", volume.mount, volume.how)),
        (None, None) => (Encrypted::Yes, String::new()),
    };
    (encrypted, why, volumes)
}

fn volume(record: &Record) -> Volume {
    let text = |name: &str| match record.get(name) {
        Some(Field::Known(Scalar::Text(text))) => text.clone(),
        Some(Field::Unknown { unknown }) => unknown.clone(),
        Some(Field::Known(Scalar::Bool(_) | Scalar::Int(_))) | None => String::new(),
    };
    let (encrypted, why) = match record.get("encrypted") {
        Some(Field::Known(Scalar::Bool(true))) => (Encrypted::Yes, None),
        Some(Field::Known(Scalar::Bool(false))) => (Encrypted::No, None),
        Some(Field::Unknown { unknown }) => (Encrypted::Unknown, Some(unknown.clone())),
        Some(Field::Known(_)) | None => (Encrypted::Unknown, Some("it was not said".to_owned())),
    };
    Volume { mount: text("mount"), encrypted, how: why.unwrap_or_else(|| text("how")) }
}

#[cfg(test)]
mod tests {
    use stead_model::Fact;

    use super::*;

    fn facts(disks: &[(&str, Field)]) -> Facts {
        let list: Vec<Record> = disks
            .iter()
            .map(|(mount, encrypted)| {
                Record::from([
                    ("mount".to_owned(), Field::from(*mount)),
                    ("encrypted".to_owned(), encrypted.clone()),
                    ("how".to_owned(), Field::from("LUKS")),
                ])
            })
            .collect();
        Facts::from([(VOLUMES.to_owned(), Fact::known(list, "/proc/self/mountinfo"))])
    }

    #[test]
    fn what_is_not_known_is_never_a_yes() {
        let of = |facts: &Facts| answer(facts).0;
        assert_eq!(of(&facts(&[("/", Field::from(true)), ("/data", Field::from(true))])), Encrypted::Yes);
        assert_eq!(of(&facts(&[("/", Field::from(true)), ("/data", Field::from(false))])), Encrypted::No);
        let one_unknown = facts(&[("/", Field::from(true)), ("/data", Field::unknown("only root may look"))]);
        assert_eq!(of(&one_unknown), Encrypted::Unknown);
        assert_eq!(answer(&one_unknown).1, "/data: only root may look");
        assert_eq!(of(&facts(&[("/", Field::unknown("no")), ("/data", Field::from(false))])), Encrypted::No);
        assert_eq!(of(&facts(&[("/", Field::from("yes"))])), Encrypted::Unknown, "words are no answer");
        for nothing in [
            Facts::new(),
            facts(&[]),
            Facts::from([(VOLUMES.to_owned(), Fact::unknown("no /proc", ""))]),
            Facts::from([(VOLUMES.to_owned(), Fact::not_applicable("no disk", ""))]),
            Facts::from([(VOLUMES.to_owned(), Fact::known(true, ""))]),
        ] {
            assert_eq!(of(&nothing), Encrypted::Unknown);
        }
    }

    #[test]
    fn a_report_that_was_changed_proves_nothing() {
        assert!(sealed_facts("{}", "sha256:00", "").is_err());
        assert_eq!(Evidence::read("{}"), Evidence::default());
        assert_eq!(Evidence::read("").encrypted, Encrypted::Unknown);
    }
}

//! What device and server say to each other. Every message is the payload of a sealed
//! [`Envelope`](crate::seal::Envelope); the payload type names the message.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{DeviceId, Facts, Finding, Millis, RecordId, Standing};

/// Version of these messages. A server refuses what it does not know.
pub const VERSION: u32 = 1;

/// Payload type of [`Enrolment`].
pub const ENROLMENT: &str = "application/vnd.stead.enrolment+json";
/// Payload type of [`Report`].
pub const REPORT: &str = "application/vnd.stead.report+json";
/// Payload type of [`Heartbeat`].
pub const HEARTBEAT: &str = "application/vnd.stead.heartbeat+json";
/// Payload type of [`Delivery`].
pub const DELIVERY: &str = "application/vnd.stead.delivery+json";
/// Payload type of [`Answer`].
pub const ANSWER: &str = "application/vnd.stead.answer+json";
/// Payload type of [`NoticesAsked`].
pub const NOTICES_ASKED: &str = "application/vnd.stead.notices-asked+json";
/// Payload type of [`Notices`].
pub const NOTICES: &str = "application/vnd.stead.notices+json";

/// Payload type of [`Shown`].
pub const SHOWN: &str = "application/vnd.stead.shown+json";

/// The port at which an agent listens on its own machine, and nowhere else, for a browser there that is asked
/// which device it runs on.
pub const PROOF_PORT: u16 = 18_787;

/// How far a device's clock may be from the server's, in milliseconds.
pub const CLOCK_TOLERANCE: i64 = 10 * crate::time::MINUTE;

/// A device asks to be enrolled. Signed with the device's new key, which shows that it holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// [`VERSION`].
    pub v: u32,
    /// The one-time code that a person was given.
    pub code: String,
    /// The device's public Ed25519 key, base64.
    pub public_key: String,
    /// What the computer calls itself.
    pub name: String,
    /// Digest of the machine's id: the same machine enrolled twice is noticed, and its id stays there.
    pub machine: String,
    /// The device's clock.
    pub at: Millis,
}

/// The server's answer to an [`Enrolment`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Enrolled {
    /// The device's id from now on.
    pub device: DeviceId,
    /// The public key with which the server signs its answers, base64.
    pub answer_key: String,
    /// Name of the person whom the device is enrolled for.
    pub person: String,
    /// Who owns the device, as written down with the code.
    pub owner: String,
}

/// All facts of a device at one time.
///
/// `facts` stays the text that was signed: its digest is the digest of those bytes, so a server
/// need not parse facts it has already judged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report<'a> {
    /// [`VERSION`].
    pub v: u32,
    /// The device that reports.
    pub device: DeviceId,
    /// One more than the device's last message.
    pub seq: i64,
    /// When the facts were collected, by the device's clock.
    pub at: Millis,
    /// Version of the agent.
    pub agent: String,
    /// Facts that were read earlier, and when, because what they depend on had not changed.
    pub read_at: BTreeMap<String, Millis>,
    /// The facts, as canonical JSON of [`Facts`].
    #[serde(borrow)]
    pub facts: &'a RawValue,
}

/// Nothing has changed since the report with this digest of facts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// [`VERSION`].
    pub v: u32,
    /// The device that reports.
    pub device: DeviceId,
    /// One more than the device's last message.
    pub seq: i64,
    /// When the facts were collected, by the device's clock.
    pub at: Millis,
    /// Digest of the facts, as [`facts_digest`] makes it.
    pub facts_digest: String,
}

/// A message that waited in the spool while the server was away, sent on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// [`VERSION`].
    pub v: u32,
    /// The device that reports.
    pub device: DeviceId,
    /// When it was sent on, by the device's clock.
    pub sent_at: Millis,
    /// The envelope that waited, as it was sealed.
    pub late: crate::seal::Envelope,
}

/// What the server says to a message it has stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// [`VERSION`].
    pub v: u32,
    /// The device that was heard.
    pub device: DeviceId,
    /// The message this answers.
    pub seq: i64,
    /// When the server heard it.
    pub heard_at: Millis,
    /// The policy it was judged by: pack name and version.
    pub policy: String,
    /// The device's standing.
    pub standing: Standing,
    /// All findings, when they may differ from those of the answer before; else none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<Finding>>,
    /// What this device opens to its person, by what both count for. None from a server that does not know yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clearance: Option<Clearance>,
    /// Whether the device has a certificate for connections that is good. None from a server that does not know yet, or
    /// certifies nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certified: Option<bool>,
    /// Where the server's pages are.
    #[serde(default)]
    pub pages: String,
    /// Milliseconds until the next message is expected.
    pub next_in: i64,
    /// Until when this answer may be shown.
    pub valid_until: Millis,
}

/// What a device opens to its person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clearance {
    /// `allow`, `limit` or `deny`.
    pub answer: String,
    /// For each tier, least protected first.
    pub tiers: Vec<Tier>,
    /// What stands against letting them in everywhere.
    pub against: Vec<Against>,
}

/// A tier of what is protected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// Its name.
    pub tier: String,
    /// Whether it is open.
    pub open: bool,
    /// Until when, unless something is mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
}

/// Something that closes a tier, or will.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Against {
    /// The lowest tier that it closes.
    pub tier: String,
    /// The rule it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What to do about it.
    pub asks: String,
    /// Since or from when it closes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Millis>,
    /// Whether it is about the person, whatever device they use.
    pub person: bool,
}

/// A device asks what its person is to be told on its screen.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticesAsked {
    /// [`VERSION`].
    pub v: u32,
    /// The device that asks.
    pub device: DeviceId,
    /// When, by the device's clock.
    pub at: Millis,
    /// What it has shown since it last asked.
    pub shown: Vec<RecordId>,
}

/// What the server answers to [`NoticesAsked`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notices {
    /// [`VERSION`].
    pub v: u32,
    /// The device that asked.
    pub device: DeviceId,
    /// When it asked, by its own clock: an answer to another question is none to this.
    pub asked_at: Millis,
    /// What is to be shown, oldest first.
    pub notices: Vec<NoticeShown>,
}

/// One message for a screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeShown {
    /// Its id. It is sent again until the device says that it was shown.
    pub id: RecordId,
    /// In a few words.
    pub title: String,
    /// The text, in lines.
    pub text: String,
    /// The page where it is looked into.
    pub link: String,
}

/// A device shows that a browser runs on it: it signs the question that the server gave the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// [`VERSION`].
    pub v: u32,
    /// The device.
    pub device: DeviceId,
    /// When, by the device's clock.
    pub at: Millis,
    /// The question, as the browser brought it.
    pub question: String,
}

/// Facts as canonical JSON: keys sorted, no white space, no floating point.
///
/// # Errors
/// When the facts cannot be written as JSON.
pub fn canonical_facts(facts: &Facts) -> Result<Box<RawValue>, serde_json::Error> {
    serde_json::value::to_raw_value(facts)
}

/// Digest of the facts in a report: `sha256:` and 64 hexadecimal digits.
pub fn facts_digest(facts: &RawValue) -> String {
    crate::seal::digest(facts.get().as_bytes())
}

//! Making messages: what was collected, as it is sealed and sent.

use stead_model::{
    DeviceId, Millis,
    message::{self, HEARTBEAT, Heartbeat, REPORT, Report, VERSION},
    seal::{Envelope, SigningKey},
};

use crate::facts::Collected;

/// A pass over the machine, ready to be sealed.
#[derive(Debug)]
pub struct Prepared {
    collected: Collected,
    facts: Box<serde_json::value::RawValue>,
    /// Digest of the facts.
    pub digest: String,
}

impl Prepared {
    /// Prepares what was collected.
    ///
    /// # Errors
    /// When the facts cannot be written as JSON.
    pub fn new(collected: Collected) -> Result<Self, serde_json::Error> {
        let facts = message::canonical_facts(&collected.facts)?;
        let digest = message::facts_digest(&facts);
        Ok(Self { collected, facts, digest })
    }

    /// The payload of a report, exactly as it is sealed and sent.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn report(&self, device: DeviceId, seq: i64, at: Millis) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Report {
            v: VERSION,
            device,
            seq,
            at,
            agent: crate::VERSION.to_owned(),
            read_at: self.collected.read_at.clone(),
            facts: &self.facts,
        })
    }

    /// A sealed report.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn seal_report(
        &self,
        key: &SigningKey,
        device: DeviceId,
        seq: i64,
        at: Millis,
    ) -> Result<Envelope, serde_json::Error> {
        Ok(key.seal(REPORT, self.report(device, seq, at)?.as_bytes(), &device.to_string()))
    }

    /// A sealed heartbeat: nothing has changed since the report with these facts.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn seal_heartbeat(
        &self,
        key: &SigningKey,
        device: DeviceId,
        seq: i64,
        at: Millis,
    ) -> Result<Envelope, serde_json::Error> {
        let heartbeat = Heartbeat { v: VERSION, device, seq, at, facts_digest: self.digest.clone() };
        Ok(key.seal(HEARTBEAT, serde_json::to_string(&heartbeat)?.as_bytes(), &device.to_string()))
    }
}

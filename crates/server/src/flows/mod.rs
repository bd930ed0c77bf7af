//! Flows: each does one thing that changes state, in one transaction with its ledger entry. API,
//! pages, jobs and the command line call them; nothing else writes.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod anchor;
pub mod attest;
pub mod backup;
pub mod cases;
pub mod certificate;
pub mod check_in;
pub mod deadlines;
pub mod directory;
pub mod enrol;
pub mod exceptions;
pub mod glass;
pub mod identity;
pub mod look;
pub mod loss;
pub mod notices;
pub mod policy;
pub mod retention;
pub mod revoke;
pub mod sign_in;
pub mod tunnel;
pub mod writer;

use serde_json::Value;
use stead_ledger::Entry;
use stead_model::{DeviceId, Millis, PersonId};

/// A ledger entry.
fn entry(at: Millis, by: &str, kind: &str, subject: String, data: Value) -> Entry {
    Entry { at, by: by.to_owned(), data, kind: kind.to_owned(), subject }
}

/// How entries name a person.
pub fn person_subject(person: PersonId) -> String {
    format!("person:{person}")
}

/// How entries name a device.
pub fn device_subject(device: DeviceId) -> String {
    format!("device:{device}")
}

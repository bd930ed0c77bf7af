//! Flows: each does one thing that changes state, in one transaction with its ledger entry. API,
//! pages, jobs and the command line call them; nothing else writes.

pub mod anchor;
pub mod check_in;
pub mod deadlines;
pub mod enrol;
pub mod revoke;
pub mod sign_in;
pub mod writer;

use serde_json::Value;
use stead_ledger::Entry;
use stead_model::{DeviceId, Millis};

/// A ledger entry.
fn entry(at: Millis, by: &str, kind: &str, subject: String, data: Value) -> Entry {
    Entry { at, by: by.to_owned(), data, kind: kind.to_owned(), subject }
}

/// How entries name a device.
pub fn device_subject(device: DeviceId) -> String {
    format!("device:{device}")
}

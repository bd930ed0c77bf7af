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
use stead_model::{DeviceId, Millis, PersonId, problem::Kind};

use crate::error::Refusal;

/// Does work whose length a policy or a file decides on a thread where nobody else waits for it.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "work ended without a result");
        Refusal::said(Kind::Internal, "panicked")
    })
}

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

//! Confirming the policy: by name, the exact text, once for each version.

use serde_json::json;
use stead_model::{PersonId, problem::Kind};

use super::{subject, subjects};
use crate::{
    App,
    error::Refusal,
    flows::{entry, person_subject},
};

/// Writes down that somebody confirmed the policy in force. What they read is named by its digest: when
/// another version came into force while they read, they confirm nothing.
///
/// # Errors
/// [`Refusal`] when that text is not in force, or the store is away.
pub async fn confirm(app: &App, person: PersonId, digest: &str) -> Result<(), Refusal> {
    let pack = app.pack();
    if pack.digest != digest {
        return Err(Refusal::said(Kind::Conflict, "policy-moved"));
    }
    let now = app.now();
    let by = person_subject(person);
    let mut write = app.store.write().await?;
    let data = json!({ "policy": pack.label(), "digest": digest, "person": by });
    let position = write.append(&entry(now, &by, "policy.confirmed", subject(digest), data))?;
    if !write.add_acknowledgement(person, digest, now, position).await? {
        // It was confirmed before; nothing new is written.
        return Ok(());
    }
    write.commit(&app.keys.ledger).await?;
    subjects::judge_person(app, person).await
}

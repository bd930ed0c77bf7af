//! Reviewing the policy: who took part, what was considered, what came of it.

use serde_json::json;
use stead_model::{PersonId, RecordId, text};
use stead_store::policy::Review;

use super::{subject, subjects};
use crate::{
    App,
    error::{FieldError, Refusal},
    flows::{entry, person_subject},
};

/// What can come of a review.
pub const OUTCOMES: [&str; 2] = ["kept", "changed"];

/// What is said of a review.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Who took part.
    pub took_part: String,
    /// What was considered.
    pub considered: String,
    /// One of [`OUTCOMES`].
    pub outcome: String,
    /// What came of it.
    pub words: String,
}

/// Writes a review of the policy in force down.
///
/// # Errors
/// [`Refusal`] when it does not say who, what and with which outcome.
pub async fn review(app: &App, by: PersonId, said: Said) -> Result<(), Refusal> {
    let now = app.now();
    let plain = |words: &str| text::plain(words.trim(), 2000);
    let mut wrong = Vec::new();
    for (field, words) in [("took_part", &said.took_part), ("considered", &said.considered)] {
        if plain(words).is_empty() {
            wrong.push(FieldError::new(field, "review-say"));
        }
    }
    if !OUTCOMES.contains(&said.outcome.as_str()) {
        wrong.push(FieldError::new("outcome", "review-outcome"));
    }
    if !wrong.is_empty() {
        return Err(Refusal::Form(wrong));
    }
    let pack = app.pack();
    let id = RecordId::from_parts(now, app.random()?);
    let mut write = app.store.write().await?;
    let data = json!({ "policy": pack.label(), "review": id, "outcome": said.outcome });
    let position =
        write.append(&entry(now, &person_subject(by), "policy.reviewed", subject(&pack.digest), data))?;
    let review = Review {
        id,
        digest: pack.digest.clone(),
        at: now,
        by,
        by_name: String::new(),
        took_part: plain(&said.took_part),
        considered: plain(&said.considered),
        outcome: said.outcome,
        words: plain(&said.words),
        entry: position,
    };
    write.add_policy_review(&review).await?;
    write.commit(&app.keys.ledger).await?;
    app.put_review_due(subjects::review_due(app).await?);
    subjects::judge_organisation(app, now).await?;
    Ok(())
}

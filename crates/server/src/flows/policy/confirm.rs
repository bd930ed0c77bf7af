//! Confirming the policy: by name, the exact text, once for each version.

use serde_json::json;
use stead_model::{PersonId, problem::Kind};

use super::{subject, subjects};
use crate::{
    App,
    error::{FieldError, Refusal},
    flows::{entry, person_subject},
};

/// Fields of the answers to a policy's questions, in their order.
pub const ANSWERS: [&str; 2] = ["answer-0", "answer-1"];

/// Writes down that somebody confirmed the policy in force, and answered what it asks of whoever does. What they
/// read is named by its digest: when another version came into force while they read, they confirm nothing.
/// Answers that were not right are kept by nothing: the right one is there to be read.
///
/// # Errors
/// [`Refusal`] when that text is not in force, an answer is not right, or the store is away.
pub async fn confirm(
    app: &App,
    person: PersonId,
    digest: &str,
    answers: &[Option<usize>],
) -> Result<(), Refusal> {
    let pack = app.pack();
    if pack.digest != digest {
        return Err(Refusal::said(Kind::Conflict, "policy-moved"));
    }
    let questions = &pack.manifest.questions;
    let wrong = questions.iter().zip(ANSWERS).enumerate().filter_map(|(place, (question, field))| {
        match answers.get(place).copied().flatten() {
            Some(answer) if answer == question.right => None,
            Some(_) => Some(FieldError::new(field, "question-wrong")),
            None => Some(FieldError::new(field, "question-open")),
        }
    });
    let wrong: Vec<FieldError> = wrong.collect();
    if !wrong.is_empty() {
        return Err(Refusal::Form(wrong));
    }
    let now = app.now();
    let by = person_subject(person);
    let mut write = app.store.write().await?;
    let data = json!({
        "policy": pack.label(), "digest": digest, "person": by, "questions": questions.len(),
    });
    let position = write.append(&entry(now, &by, "policy.confirmed", subject(digest), data))?;
    if !write.add_acknowledgement(person, digest, now, position).await? {
        // It was confirmed before; nothing new is written.
        return Ok(());
    }
    write.commit(&app.keys.ledger).await?;
    subjects::judge_person(app, person).await
}

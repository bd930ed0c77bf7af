//! Opening another person's record is itself recorded: who, when, what for. The person sees it.

use serde_json::json;
use stead_model::{PersonId, RecordId, seal, text, time};
use stead_store::look::NewLook;

use super::{entry, person_subject};
use crate::{
    App,
    error::{FieldError, Refusal},
};

/// How long a visit may go on without saying again what for.
pub const VISIT: i64 = time::HOUR;

/// What a record may be opened for. The words are in `locales/` under `purpose-`.
pub const PURPOSES: [&str; 6] = ["help", "follow-up", "incident", "review", "directory", "other"];

/// Writes down that somebody opens a person's record, and why; for an hour the same visit need not say it
/// again. `words` may be empty but for the purpose `other`.
///
/// # Errors
/// [`Refusal`] when the purpose is none of [`PURPOSES`], needs words, or the store is away.
pub async fn record(
    app: &App,
    viewer: PersonId,
    visit: &str,
    subject: PersonId,
    (purpose, words): (&str, &str),
) -> Result<(), Refusal> {
    let now = app.now();
    let words = text::plain(words.trim(), 300);
    if !PURPOSES.contains(&purpose) {
        return Err(Refusal::form(FieldError::new("purpose", "purpose-choose")));
    }
    if purpose == "other" && words.chars().filter(|c| c.is_alphanumeric()).count() < 3 {
        return Err(Refusal::form(FieldError::new("words", "purpose-say")));
    }
    let salt = seal::hex(&app.random::<16>()?);
    let mut write = app.store.write().await?;
    // The words may name somebody; the ledger holds what proves them, and not them.
    let data = json!({
        "purpose": purpose,
        "words": seal::digest(format!("{salt} {words}").as_bytes()),
    });
    let entry = write.append(&entry(
        now,
        &person_subject(viewer),
        "person.looked-at",
        person_subject(subject),
        data,
    ))?;
    write
        .add_look(&NewLook {
            id: RecordId::from_parts(now, app.random()?),
            subject,
            viewer,
            visit: visit.to_owned(),
            at: now,
            until: now.plus(VISIT),
            purpose: purpose.to_owned(),
            words,
            entry,
        })
        .await?;
    Ok(write.commit(&app.keys.ledger).await?)
}

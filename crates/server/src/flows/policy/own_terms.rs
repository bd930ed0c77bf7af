//! Terms of one person: rules that bind them by name, judged as any other.

use serde_json::json;
use stead_model::{PersonId, RecordId, problem::Kind, text};
use stead_policy::terms::Binds;
use stead_store::{Write, term::Term};

use super::{subjects, terms};
use crate::{
    App,
    error::{FieldError, Refusal},
    flows::{check_in, entry, person_subject},
};

/// Binds somebody by a rule that is there for such terms.
///
/// # Errors
/// [`Refusal`] when there is no such rule, it binds them already, or it is not said why.
pub async fn bind(
    app: &App,
    by: PersonId,
    person: PersonId,
    rule: &str,
    words: &str,
) -> Result<RecordId, Refusal> {
    let now = app.now();
    for_another(by, person)?;
    let words = text::plain(words.trim(), 2000);
    let mut wrong = Vec::new();
    if !app.pack().rule(rule).is_some_and(|rule| rule.binds == Binds::Named) {
        wrong.push(FieldError::new("rule", "term-rule"));
    }
    if words.is_empty() {
        wrong.push(FieldError::new("words", "term-say"));
    }
    if !wrong.is_empty() {
        return Err(Refusal::Form(wrong));
    }
    let id = RecordId::from_parts(now, app.random()?);
    let mut write = app.store.write().await?;
    if write.is_bound(person, rule).await? {
        return Err(Refusal::said(Kind::Conflict, "term-there"));
    }
    let term =
        Term { id, person, rule: rule.to_owned(), words, written_by: by, written_at: now, ended_at: None };
    write.add_term(&term).await?;
    let data = json!({ "term": id, "rule": rule });
    write.append(&entry(now, &person_subject(by), "term.bound", person_subject(person), data))?;
    applies(app, write, person).await?;
    Ok(id)
}

/// Ends a term of a person.
///
/// # Errors
/// [`Refusal`] when there is none, or it has ended.
pub async fn release(app: &App, by: PersonId, person: PersonId, id: RecordId) -> Result<(), Refusal> {
    let now = app.now();
    for_another(by, person)?;
    let mut write = app.store.write().await?;
    let rule = write.end_term(person, id, by, now).await?;
    let rule = rule.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))?;
    let data = json!({ "term": id, "rule": rule });
    write.append(&entry(now, &person_subject(by), "term.released", person_subject(person), data))?;
    applies(app, write, person).await
}

/// Nobody writes or ends terms of their own.
fn for_another(by: PersonId, person: PersonId) -> Result<(), Refusal> {
    match by == person {
        true => Err(Refusal::said(Kind::Forbidden, "term-own")),
        false => Ok(()),
    }
}

async fn applies(app: &App, mut write: Write, person: PersonId) -> Result<(), Refusal> {
    write.turn_terms().await?;
    let devices = write.devices_of(person).await?;
    let devices: Vec<_> = devices.iter().filter(|device| device.revoked_at.is_none()).map(|d| d.id).collect();
    write.judge_anew(&devices).await?;
    write.commit(&app.keys.ledger).await?;
    terms::refresh(app).await?;
    for device in devices {
        app.known.forget(device);
        check_in::judge_again(app, device).await?;
    }
    subjects::judge_person(app, person).await
}

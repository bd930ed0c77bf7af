//! The monthly attestation: whoever answers for a unit looks once a month at who is in it, on which devices
//! they work and what has been noticed, and says so by name.

use serde_json::json;
use stead_model::{Employment, Millis, PersonId, UnitId, problem::Kind, text, time};
use stead_store::{
    attestation::{Answer, Attestation},
    people::{Filter, Person},
};

use super::{entry, person_subject};
use crate::{
    App,
    error::{FieldError, Refusal},
    words::Words,
};

/// What can be said of a person.
pub const ANSWERS: [&str; 2] = ["right", "look"];
/// People in an attestation at most: more cannot be looked at in ten minutes.
const MOST: i64 = 200;
/// Days after the first of a month by which it is to be done.
const BY_DAY: i64 = 10;

/// By when a unit's attestation of this month is due; none when it is done or there is nobody
/// in the unit.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn due(app: &App, unit: UnitId, words: &Words) -> Result<Option<Millis>, Refusal> {
    if app.store.unit(unit).await?.is_none_or(|unit| unit.people == 0) {
        return Ok(None);
    }
    let month = words.month_begins(app.now());
    let done = app.store.attestation(unit).await?.is_some_and(|last| last.at >= month);
    Ok((!done).then(|| due_in(month)))
}

/// When the attestations of a month are due that begins then: the last minute of the day.
pub fn due_in(month: Millis) -> Millis {
    month.plus(BY_DAY * time::DAY - time::MINUTE)
}

/// Whom an attestation of a unit is about: everybody in it, those below not counted, who works here.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn members(app: &App, unit: UnitId) -> Result<Vec<Person>, Refusal> {
    let filter = Filter { unit, below: false, state: None, words: String::new(), after: None };
    let listed = app.store.people(&filter, MOST).await?;
    let here = |state| match state {
        Employment::Active | Employment::OnLeave | Employment::Leaving => true,
        Employment::Invited | Employment::Gone => false,
    };
    Ok(listed.into_iter().map(|listed| listed.person).filter(|person| here(person.state)).collect())
}

/// [`attest`] with answers in any order, which must be those of [`members`].
///
/// # Errors
/// The same, and when there is an answer for somebody else.
pub async fn attest_all(
    app: &App,
    unit: UnitId,
    by: PersonId,
    mut answers: Vec<Answer>,
) -> Result<(), Refusal> {
    let mut all = Vec::new();
    for member in members(app, unit).await? {
        let place = answers.iter().position(|answer| answer.person == member.id);
        let none = || Answer { person: member.id, answer: String::new(), words: String::new() };
        all.push(place.map_or_else(none, |place| answers.swap_remove(place)));
    }
    if !answers.is_empty() {
        return Err(Refusal::form(FieldError::new("answers", "person-unknown")));
    }
    attest(app, unit, by, all).await
}

/// Writes an attestation down. Every person of the unit must have an answer; one that asks for a closer look
/// says why.
///
/// # Errors
/// [`Refusal`] when somebody has no answer, a reason is missing, or the store is away.
pub async fn attest(app: &App, unit: UnitId, by: PersonId, answers: Vec<Answer>) -> Result<(), Refusal> {
    let now = app.now();
    let mut wrong = Vec::new();
    let mut kept = Vec::new();
    for answer in answers {
        let words = text::plain(answer.words.trim(), 300);
        let name = answer.person.to_string();
        if !ANSWERS.contains(&answer.answer.as_str()) {
            wrong.push(FieldError::new(format!("p-{name}"), "attest-answer"));
        } else if answer.answer == "look" && words.is_empty() {
            wrong.push(FieldError::new(format!("w-{name}"), "attest-say"));
        }
        kept.push(Answer { words, ..answer });
    }
    if !wrong.is_empty() {
        return Err(Refusal::Form(wrong));
    }
    if kept.is_empty() {
        return Err(Refusal::new(Kind::Conflict, "There is nobody in this unit to speak of."));
    }
    let follow = kept.iter().filter(|answer| answer.answer == "look").count();
    let mut write = app.store.write().await?;
    let data = json!({ "people": kept.len(), "to_follow_up": follow });
    let position =
        write.append(&entry(now, &person_subject(by), "team.attested", format!("unit:{unit}"), data))?;
    write.add_attestation(&Attestation { unit, by, at: now, entry: position }, &kept).await?;
    Ok(write.commit(&app.keys.ledger).await?)
}

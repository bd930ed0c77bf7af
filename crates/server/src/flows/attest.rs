//! The monthly attestation: whoever answers for a unit looks once a month at who is in it, on which devices
//! they work and what has been noticed, and says so by name.

use std::collections::HashSet;

use serde_json::json;
use stead_model::{Employment, Millis, PersonId, UnitId, problem::Kind, text, time};
use stead_store::{
    attestation::{Answer, Attestation},
    people::Person,
};

use super::{entry, person_subject};
use crate::{
    App,
    error::{FieldError, Refusal},
    words::Words,
};

/// What can be said of a person.
pub const ANSWERS: [&str; 2] = ["right", "look"];
/// People who are looked at in one part: more cannot be looked at in ten minutes.
const PART: i64 = 40;
/// Answers that are taken at once.
pub const MOST_ANSWERS: usize = 200;
/// Days after the first of a month by which it is to be done.
const BY_DAY: i64 = 10;

/// Who waits to be looked at this month.
pub struct Waiting {
    /// The next of them, by name.
    pub people: Vec<Person>,
    /// How many there are.
    pub all: i64,
}

/// By when a unit's attestation of this month is due; none when nobody waits for it.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn due(app: &App, unit: UnitId, words: &Words) -> Result<Option<Millis>, Refusal> {
    let month = words.month_begins(app.now());
    let (_, all) = app.store.to_attest(unit, month, 0).await?;
    Ok((all > 0).then(|| due_in(month)))
}

/// When the attestations of a month are due that begins then: the last minute of the day.
pub fn due_in(month: Millis) -> Millis {
    month.plus(BY_DAY * time::DAY - time::MINUTE)
}

/// Who works in a unit, those below not counted, and has not been looked at this month. Large units are
/// looked at in parts.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn waiting(app: &App, unit: UnitId, words: &Words) -> Result<Waiting, Refusal> {
    let (people, all) = app.store.to_attest(unit, words.month_begins(app.now()), PART).await?;
    Ok(Waiting { people, all })
}

/// Whether an attestation of a unit can speak of somebody.
fn works_here(person: &Person, unit: UnitId) -> bool {
    let here = match person.state {
        Employment::Active | Employment::OnLeave | Employment::Leaving => true,
        Employment::Invited | Employment::Gone => false,
    };
    here && person.unit == unit
}

/// Writes an attestation down, of everybody in a unit or some. Whoever is not spoken of waits on. An answer
/// that asks for a closer look says why.
///
/// # Errors
/// [`Refusal`] when an answer is missing or is of somebody who does not work in the unit or was spoken of
/// twice, when there are too many, a reason is missing, or the store is away.
pub async fn attest(app: &App, unit: UnitId, by: PersonId, answers: Vec<Answer>) -> Result<(), Refusal> {
    let now = app.now();
    if answers.is_empty() {
        return Err(Refusal::new(Kind::Conflict, "Nobody in this unit waits to be spoken of."));
    }
    if answers.len() > MOST_ANSWERS {
        return Err(Refusal::form(FieldError::new("answers", "attest-many")));
    }
    let mut spoken_of = HashSet::new();
    let mut wrong = Vec::new();
    let mut kept = Vec::new();
    for answer in answers {
        let person = app.store.person(answer.person).await?;
        if !person.is_some_and(|person| works_here(&person, unit)) || !spoken_of.insert(answer.person) {
            return Err(Refusal::form(FieldError::new("answers", "person-unknown")));
        }
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
    let follow = kept.iter().filter(|answer| answer.answer == "look").count();
    let mut write = app.store.write().await?;
    // Who was spoken of, and how; why is erased with them.
    let answers: Vec<_> = kept.iter().map(|answer| json!([answer.person, answer.answer])).collect();
    let data = json!({ "people": kept.len(), "to_follow_up": follow, "answers": answers });
    let position =
        write.append(&entry(now, &person_subject(by), "team.attested", format!("unit:{unit}"), data))?;
    write.add_attestation(&Attestation { unit, by, at: now, entry: position }, &kept).await?;
    Ok(write.commit(&app.keys.ledger).await?)
}

//! A team: what is open to each, and the monthly attestation.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use stead_store::{attestation::Answer, people::Filter};
use utoipa::{IntoParams, ToSchema};

use super::{
    given::{Asked, Sent, after, id, limit, next},
    shapes::{Clearance, Named, Part, at},
};
use crate::{
    App,
    auth::guard::{Caller, TheUnit},
    clearance,
    error::{ApiError, Refusal},
    flows::attest as attesting,
    things,
    words::Words,
};

/// Whose team.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The unit; without it, the widest that the asker may see.
    #[param(format = Uuid)]
    #[expect(dead_code, reason = "the guard reads it")]
    unit: Option<String>,
    /// `next` of the part before.
    after: Option<String>,
    /// How many, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// Somebody of a team.
#[derive(Serialize, ToSchema)]
pub struct Member {
    /// Them.
    person: Named,
    /// `invited`, `active`, `on_leave` or `leaving`.
    state: &'static str,
    /// What is open to them.
    clearance: Clearance,
    /// How many of their devices are heard.
    devices: usize,
    /// How many findings count against them and these.
    waits: usize,
    /// When a device of theirs was last heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_seen: Option<String>,
}

/// Lists the people of a unit and below, with what is open to each.
#[utoipa::path(get, path = "/api/v1/team", tag = "teams", params(Which),
    responses((status = 200, body = Part<Member>)))]
pub async fn get(
    State(app): State<Arc<App>>,
    TheUnit(unit): TheUnit,
    Asked(which): Asked<Which>,
) -> Result<Json<Part<Member>>, ApiError> {
    let limit = limit(which.limit)?;
    let filter = Filter {
        unit,
        below: true,
        state: None,
        words: String::new(),
        after: after(which.after.as_deref())?,
    };
    let mut listed = app.store.people(&filter, limit + 1).await?;
    let next = next(&mut listed, limit, |last| (last.search.clone(), last.person.id.to_string()));
    let people: Vec<_> = listed.into_iter().map(|listed| listed.person).collect();
    let mut held = things::held_of_all(&app, &people).await?;
    let mut own = things::own_of_all(&app, &people).await?;
    let pack = app.pack();
    let now = app.now();
    let items = people
        .iter()
        .map(|person| {
            let held = held.remove(&person.id).unwrap_or_default();
            let own = own.remove(&person.id).unwrap_or_default();
            Member {
                person: Named::new(person.id, &person.name),
                state: person.state.word(),
                clearance: Clearance::new(&clearance::windows(&pack, person.state, &held, &own, now)),
                devices: held.len(),
                waits: own.len() + held.iter().map(|held| held.against.len()).sum::<usize>(),
                last_seen: held.iter().filter_map(|held| held.device.last_seen).max().map(at),
            }
        })
        .collect();
    Ok(Json(Part { items, next }))
}

/// Who waits to be looked at this month.
#[derive(Serialize, ToSchema)]
pub struct Waiting {
    /// By when; absent when nobody waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    due: Option<String>,
    /// How many people there are.
    all: i64,
    /// The next of them, by name.
    people: Vec<Named>,
}

/// Says who waits for this month's attestation.
#[utoipa::path(get, path = "/api/v1/team/attestations", tag = "teams", params(Unit),
    responses((status = 200, body = Waiting)))]
pub async fn waiting(
    State(app): State<Arc<App>>,
    words: Words,
    TheUnit(unit): TheUnit,
    Asked(_): Asked<Unit>,
) -> Result<Json<Waiting>, ApiError> {
    let waiting = attesting::waiting(&app, unit, &words).await?;
    let due = attesting::due(&app, unit, &words).await?.map(at);
    let people = waiting.people.iter().map(|person| Named::new(person.id, &person.name)).collect();
    Ok(Json(Waiting { due, all: waiting.all, people }))
}

/// An attestation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attested {
    /// Answers for people who work in the unit, those below not counted; 200 at most. Whoever is left out
    /// waits on.
    #[schema(min_items = 1, max_items = 200)]
    answers: Vec<AnswerSent>,
}

/// What is said of one person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerSent {
    /// Whom.
    #[schema(format = Uuid)]
    person: String,
    /// `right`, or `look` for a closer look.
    answer: String,
    /// What is to be looked at.
    #[serde(default)]
    words: String,
}

/// Which unit is attested for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Unit {
    /// The unit; without it, the widest that the asker answers for.
    #[param(format = Uuid)]
    #[expect(dead_code, reason = "the guard reads it")]
    unit: Option<String>,
}

/// Confirms that a team is as it should be.
#[utoipa::path(post, path = "/api/v1/team/attestations", tag = "teams", params(Unit), request_body = Attested,
    responses((status = 204)))]
pub async fn attest(
    State(app): State<Arc<App>>,
    caller: Caller,
    TheUnit(unit): TheUnit,
    Asked(_): Asked<Unit>,
    Sent(sent): Sent<Attested>,
) -> Result<StatusCode, ApiError> {
    let answers: Result<Vec<Answer>, Refusal> = sent
        .answers
        .into_iter()
        .map(|one| {
            let person = id("person", &one.person, "person-unknown")?;
            Ok(Answer { person, answer: one.answer, words: one.words })
        })
        .collect();
    attesting::attest(&app, unit, caller.id(), answers?).await?;
    Ok(StatusCode::NO_CONTENT)
}

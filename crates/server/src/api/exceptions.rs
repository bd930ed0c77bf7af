//! Exceptions, and rules that bind one person by name.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use stead_model::{Millis, PersonId, RecordId, problem::Kind};
use stead_store::{exception::Exception, term::Term};
use utoipa::{IntoParams, ToSchema};

use super::{
    given::{self, Asked, Id, Sent},
    shapes::{Added, Named, Part, at},
};
use crate::{
    App,
    auth::{
        access::{Action, Object},
        guard::{self, Caller},
    },
    error::{ApiError, FieldError, Refusal},
    flows::{
        exceptions::{self, Ask, Decision},
        policy::own_terms,
    },
};

/// An exception, asked for or given.
#[derive(Serialize, ToSchema)]
pub struct ExceptionRow {
    /// Its id.
    #[schema(format = Uuid)]
    id: String,
    /// The rule.
    rule: String,
    /// Whom it concerns.
    person: Named,
    /// The device, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Named>,
    /// Why the rule cannot be kept. In lists only where it is one's own.
    reason: String,
    /// What is done in its place. In lists only where it is one's own.
    instead: String,
    /// Until when.
    #[schema(format = DateTime)]
    until: String,
    /// `asked`, `granted`, `refused`, `withdrawn` or `ended`.
    state: &'static str,
    /// Who asked.
    #[schema(format = Uuid)]
    asked_by: String,
    /// When.
    #[schema(format = DateTime)]
    asked_at: String,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Uuid)]
    decided_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    decided_at: Option<String>,
    /// Why so.
    words: String,
}

impl From<&Exception> for ExceptionRow {
    fn from(one: &Exception) -> Self {
        let device = (!one.label.is_empty()).then(|| Named::new(&one.subject, &one.label));
        Self {
            id: one.id.to_string(),
            rule: one.rule.clone(),
            person: Named::new(one.person, &one.person_name),
            device,
            reason: one.reason.clone(),
            instead: one.instead.clone(),
            until: at(one.until),
            state: one.state.word(),
            asked_by: one.asked_by.to_string(),
            asked_at: at(one.asked_at),
            decided_by: one.decided_by.map(|by| by.to_string()),
            decided_at: one.decided_at.map(at),
            words: one.words.clone(),
        }
    }
}

/// Which are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhichExceptions {
    /// `next` of the part before.
    after: Option<String>,
    /// How many, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// Lists exceptions: one's own, and those that one may see. A part may hold fewer than asked for and go on.
#[utoipa::path(get, path = "/api/v1/exceptions", tag = "fairness", params(WhichExceptions),
    responses((status = 200, body = Part<ExceptionRow>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Asked(which): Asked<WhichExceptions>,
) -> Result<Json<Part<ExceptionRow>>, ApiError> {
    let limit = given::limit(which.limit)?;
    let before = match given::after(which.after.as_deref())? {
        Some((id, _)) => Some(given::id("after", &id, "after-wrong")?),
        None => None,
    };
    let mut all = app
        .store
        .exceptions(&caller.within(), &stead_store::exception::State::ALL, before, limit + 1)
        .await?;
    let next = given::next(&mut all, limit, |last| (last.id.to_string(), String::new()));
    let mut items = Vec::new();
    let mut people = guard::People::of(&app);
    for one in &all {
        let own = one.person == caller.id() || one.asked_by == caller.id();
        let object = people.object(one.person).await?;
        if own || object.is_some_and(|object| caller.may(&app, Action::ExceptionSee, object)) {
            let mut row = ExceptionRow::from(one);
            if !own {
                // Why is read where it was said what for: on the exception itself.
                row.reason.clear();
                row.instead.clear();
                row.words.clear();
            }
            items.push(row);
        }
    }
    Ok(Json(Part { items, next }))
}

async fn found(app: &App, id: RecordId) -> Result<(Exception, Object), Refusal> {
    let nothing = || Refusal::said(Kind::NotFound, "nothing-here");
    let one = app.store.exception(id).await?.ok_or_else(nothing)?;
    let object = guard::person_object(app, one.person).await?.ok_or_else(nothing)?;
    Ok((one, object))
}

/// Gives one exception.
#[utoipa::path(get, path = "/api/v1/exceptions/{exception}", tag = "fairness",
    params(("exception" = String, Path, format = Uuid)), responses((status = 200, body = ExceptionRow)))]
pub async fn get(State(app): State<Arc<App>>, Id(id): Id<RecordId>) -> Result<Json<ExceptionRow>, ApiError> {
    Ok(Json((&found(&app, id).await?.0).into()))
}

/// What is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExceptionAsked {
    /// The rule.
    rule: String,
    /// The device, where the rule is about devices.
    #[serde(default)]
    #[schema(format = Uuid)]
    device: Option<String>,
    /// Why the rule cannot be kept.
    reason: String,
    /// What is done in its place.
    instead: String,
    /// Until when.
    #[schema(format = DateTime)]
    until: String,
    /// The exception that it goes on from.
    #[serde(default)]
    #[schema(format = Uuid)]
    renews: Option<String>,
}

fn time(field: &'static str, text: &str) -> Result<Millis, Refusal> {
    text.parse::<jiff::Timestamp>()
        .map(|time| Millis(time.as_millisecond()))
        .map_err(|_| Refusal::form(FieldError::new(field, "policy-day")))
}

/// Asks for an exception for somebody.
#[utoipa::path(post, path = "/api/v1/people/{id}/exceptions", tag = "fairness",
    params(("id" = String, Path, format = Uuid)), request_body = ExceptionAsked,
    responses((status = 201, body = Added)))]
pub async fn ask(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<PersonId>,
    Sent(sent): Sent<ExceptionAsked>,
) -> Result<(StatusCode, Json<Added>), ApiError> {
    let nothing = || Refusal::said(Kind::NotFound, "nothing-here");
    let person = app.store.person(id).await?.ok_or_else(nothing)?;
    let device = match &sent.device {
        Some(device) => Some(given::id("device", device, "exception-device")?),
        None => None,
    };
    let renews = match &sent.renews {
        Some(renews) => Some(given::id("renews", renews, "exception-device")?),
        None => None,
    };
    let until = Some(time("until", &sent.until)?);
    let ask = Ask { device, rule: sent.rule, reason: sent.reason, instead: sent.instead, until, renews };
    let id = exceptions::ask(&app, caller.id(), &person, ask).await?.to_string();
    Ok((StatusCode::CREATED, Json(Added { id })))
}

/// What is decided.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExceptionDecided {
    /// Whether it is given.
    grants: bool,
    /// Until when, where that is sooner than was asked.
    #[serde(default)]
    #[schema(format = DateTime)]
    until: Option<String>,
    /// Why so.
    words: String,
}

/// Decides on an exception.
#[utoipa::path(post, path = "/api/v1/exceptions/{exception}/decision", tag = "fairness",
    params(("exception" = String, Path, format = Uuid)), request_body = ExceptionDecided,
    responses((status = 204)))]
pub async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
    Sent(sent): Sent<ExceptionDecided>,
) -> Result<StatusCode, ApiError> {
    let (_, object) = found(&app, id).await?;
    let until = sent.until.as_deref().map(|text| time("until", text)).transpose()?;
    let decision = Decision { grants: sent.grants, until, words: sent.words };
    exceptions::decide(&app, &caller, &object, id, decision).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes back what one asked for, or ends early what was given.
#[utoipa::path(delete, path = "/api/v1/exceptions/{exception}", tag = "fairness",
    params(("exception" = String, Path, format = Uuid)), responses((status = 204)))]
pub async fn end(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
) -> Result<StatusCode, ApiError> {
    let (_, object) = found(&app, id).await?;
    exceptions::withdraw(&app, &caller, &object, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A rule that binds somebody by name.
#[derive(Serialize, ToSchema)]
pub struct TermRow {
    /// Its id.
    #[schema(format = Uuid)]
    id: String,
    /// The rule.
    rule: String,
    /// Why, or where it was agreed.
    words: String,
    /// When it was written down.
    #[schema(format = DateTime)]
    written_at: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

impl From<&Term> for TermRow {
    fn from(term: &Term) -> Self {
        Self {
            id: term.id.to_string(),
            rule: term.rule.clone(),
            words: term.words.clone(),
            written_at: at(term.written_at),
            ended_at: term.ended_at.map(at),
        }
    }
}

/// Lists rules that bind somebody by name, and those that did.
#[utoipa::path(get, path = "/api/v1/people/{id}/terms", tag = "fairness",
    params(("id" = String, Path, format = Uuid)), responses((status = 200, body = Part<TermRow>)))]
pub async fn terms(
    State(app): State<Arc<App>>,
    Id(id): Id<PersonId>,
) -> Result<Json<Part<TermRow>>, ApiError> {
    Ok(Json(Part::all(app.store.terms_of(id).await?.iter().map(Into::into).collect())))
}

/// A rule to bind somebody by.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TermSent {
    /// A rule that is there for single persons.
    rule: String,
    /// Why, or where it was agreed.
    words: String,
}

/// Binds somebody by a rule that is there for single persons.
#[utoipa::path(post, path = "/api/v1/people/{id}/terms", tag = "fairness",
    params(("id" = String, Path, format = Uuid)), request_body = TermSent,
    responses((status = 201, body = Added)))]
pub async fn bind(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<PersonId>,
    Sent(sent): Sent<TermSent>,
) -> Result<(StatusCode, Json<Added>), ApiError> {
    let id = own_terms::bind(&app, caller.id(), id, &sent.rule, &sent.words).await?.to_string();
    Ok((StatusCode::CREATED, Json(Added { id })))
}

/// Releases somebody from a rule that binds them by name.
#[utoipa::path(delete, path = "/api/v1/people/{id}/terms/{term}", tag = "fairness",
    params(("id" = String, Path, format = Uuid), ("term" = String, Path, format = Uuid)),
    responses((status = 204)))]
pub async fn release(
    State(app): State<Arc<App>>,
    caller: Caller,
    axum::extract::Path((id, term)): axum::extract::Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let nothing = || Refusal::said(Kind::NotFound, "nothing-here");
    let person: PersonId = id.parse().map_err(|_| nothing())?;
    let term: RecordId = term.parse().map_err(|_| nothing())?;
    own_terms::release(&app, caller.id(), person, term).await?;
    Ok(StatusCode::NO_CONTENT)
}

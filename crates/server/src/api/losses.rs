//! Losses: telling of one, and what is done about it.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use stead_model::{
    DeviceId, PersonId, RecordId,
    loss::{LossAnswered, LossByCard, LossTold, Thing},
    problem::Kind,
    seal::Envelope,
    time::MINUTE,
};
use stead_store::loss::Loss;
use utoipa::{IntoParams, ToSchema};

use super::{
    JsonText,
    given::{self, Asked, Id, Sent},
    shapes::{Named, Part, at},
};
use crate::{
    App, auth,
    auth::{
        access::Action,
        guard::{self, Caller},
    },
    certificate as paper,
    error::{ApiError, FieldError, Refusal},
    flows::loss::{
        self, Teller,
        back::{self, Return},
        desk::{self, Taken},
        doors::{self, Door},
        evidence::Evidence,
        heard, question,
    },
    words::Words,
};

/// `POST /api/v1/loss-reports`: somebody at an enrolled computer tells. Authorization: the seal of an enrolled device.
pub async fn by_device(
    State(app): State<Arc<App>>,
    JsonText(text): JsonText,
) -> Result<Json<Envelope>, ApiError> {
    let envelope: Envelope = serde_json::from_str(&text)
        .map_err(|_| Refusal::new(Kind::Malformed, "Send a sealed question, as `stead lost` does."))?;
    Ok(Json(question::by_device(&app, &envelope).await?))
}

/// `POST /api/v1/loss-reports/card`: whoever has a wallet card tells. Authorization: the code on the card.
pub async fn by_card(
    State(app): State<Arc<App>>,
    parts: Parts,
    JsonText(text): JsonText,
) -> Result<Json<LossAnswered>, ApiError> {
    let asked: LossByCard = serde_json::from_str(&text)
        .map_err(|_| Refusal::new(Kind::Malformed, "Send the code of a card, as `stead lost` does."))?;
    Ok(Json(question::by_card(&app, &asked, auth::address(&app, &parts)).await?))
}

/// `POST /api/v1/farewells`: a lost device has forgotten its keys. Authorization: the seal of that device, its last.
pub async fn farewell(State(app): State<Arc<App>>, JsonText(text): JsonText) -> Result<StatusCode, ApiError> {
    let envelope: Envelope = serde_json::from_str(&text)
        .map_err(|_| Refusal::new(Kind::Malformed, "Send a sealed farewell, as `stead agent` does."))?;
    heard::farewell(&app, &envelope).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A loss.
#[derive(Serialize, ToSchema)]
pub struct LossRow {
    /// Its id.
    #[schema(format = Uuid)]
    id: String,
    /// Whose thing it is.
    person: Named,
    /// Their unit when it was told.
    unit: Named,
    /// `computer`, `phone`, `storage`, `papers`, `keys` or `other`.
    thing: &'static str,
    /// The enrolled device that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Uuid)]
    device: Option<String>,
    /// What it is called.
    label: String,
    /// Whether somebody took it.
    stolen: bool,
    /// Whether it is practice: nothing was shut.
    practice: bool,
    /// How it was told: `page`, `card` or `command`.
    way: String,
    /// `open`, `found`, `mistaken`, `back` or `closed`.
    state: &'static str,
    /// When it was told.
    #[schema(format = DateTime)]
    told_at: String,
    /// When it was noticed, as was said.
    #[schema(format = DateTime)]
    noticed_at: String,
    /// When the device said that it has forgotten its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    obeyed_at: Option<String>,
    /// When it was let in again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    back_at: Option<String>,
    /// When nothing was left to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    closed_at: Option<String>,
}

impl From<&Loss> for LossRow {
    fn from(loss: &Loss) -> Self {
        Self {
            id: loss.id.to_string(),
            person: Named::new(loss.person, &loss.person_name),
            unit: Named::new(loss.unit, &loss.unit_name),
            thing: loss.thing.word(),
            device: loss.device.map(|device| device.to_string()),
            label: loss.label.clone(),
            stolen: loss.stolen,
            practice: loss.practice,
            way: loss.way.clone(),
            state: loss.state.word(),
            told_at: at(loss.told_at),
            noticed_at: at(loss.noticed_at),
            obeyed_at: loss.obeyed_at.map(at),
            back_at: loss.back_at.map(at),
            closed_at: loss.closed_at.map(at),
        }
    }
}

/// A door that was shut.
#[derive(Serialize, ToSchema)]
pub struct LossDoor {
    /// `gate`, `tunnel`, `sessions`, `tokens`, `links` or `agent`.
    door: &'static str,
    /// How it is now: `shut`, `waits` or `open`.
    is: &'static str,
    /// When it was shut.
    #[schema(format = DateTime)]
    shut_at: String,
    /// How many things went through it.
    #[schema(minimum = 0)]
    n: i64,
    /// When it was opened again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    open_at: Option<String>,
}

/// A step.
#[derive(Serialize, ToSchema)]
pub struct LossStep {
    /// Its name in the policy.
    name: String,
    /// What is asked.
    asks: String,
    /// Who takes it: `person`, or a role.
    taker: String,
    /// By when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    due_at: Option<String>,
    /// When it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    done_at: Option<String>,
    /// What was said, with a reference where there is one.
    words: String,
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
pub struct LossEvent {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who did it; left out where nobody signed in did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Uuid)]
    by: Option<String>,
    /// What, by name.
    kind: String,
    /// In words.
    words: String,
}

/// A loss with its doors, its steps and what happened.
#[derive(Serialize, ToSchema)]
pub struct LossWhole {
    /// The loss.
    loss: LossRow,
    /// Whether somebody's data is at risk: `none`, `unlikely` or `likely`; empty before that is decided.
    risk: String,
    /// Whether it was encrypted, by the last report that the device sealed: `yes`, `no` or `unknown`.
    encrypted: &'static str,
    /// What was last known of it. It never changes; the ledger holds its digest.
    #[schema(value_type = Object)]
    evidence: serde_json::Value,
    /// What the digest of the evidence is salted with: SHA-256 over salt, a line feed, and the evidence.
    salt: String,
    /// The doors.
    doors: Vec<LossDoor>,
    /// The steps.
    steps: Vec<LossStep>,
    /// What happened, in order.
    events: Vec<LossEvent>,
}

async fn whole(app: &App, loss: &Loss) -> Result<LossWhole, Refusal> {
    let known = Evidence::read(&loss.evidence);
    let mut doors = Vec::new();
    for stored in app.store.loss_doors(loss.id).await? {
        let Some(door) = Door::from_word(&stored.door) else { continue };
        doors.push(LossDoor {
            door: door.word(),
            is: doors::is(app, loss, door, stored.shut_at).await?.word(),
            shut_at: at(stored.shut_at),
            n: stored.n,
            open_at: stored.open_at.map(at),
        });
    }
    let steps = app.store.loss_steps(loss.id).await?.into_iter().map(|step| LossStep {
        name: step.name,
        asks: step.asks,
        taker: step.taker,
        due_at: step.due_at.map(at),
        done_at: step.done_at.map(at),
        words: step.words,
    });
    let events = app.store.loss_events(loss.id).await?.into_iter().map(|event| LossEvent {
        at: at(event.at),
        by: event.by.map(|by| by.to_string()),
        kind: event.kind,
        words: event.words,
    });
    Ok(LossWhole {
        loss: loss.into(),
        risk: loss.risk.clone(),
        encrypted: known.encrypted.word(),
        evidence: serde_json::from_str(&loss.evidence).unwrap_or_default(),
        salt: loss.salt.clone(),
        doors,
        steps: steps.collect(),
        events: events.collect(),
    })
}

/// What somebody tells.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LossSent {
    /// The enrolled device that it is.
    #[serde(default)]
    #[schema(format = Uuid)]
    device: Option<String>,
    /// What kind of thing it is, where it is no enrolled device.
    #[serde(default)]
    thing: Option<String>,
    /// What it is called, where it is no enrolled device.
    #[serde(default)]
    label: String,
    /// Whether somebody took it.
    #[serde(default)]
    stolen: bool,
    /// How many minutes ago it was noticed.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 525600)]
    noticed_minutes_ago: u32,
    /// Where and how.
    #[serde(default)]
    words: String,
    /// Whether it is practice: nothing is shut.
    #[serde(default)]
    practice: bool,
}

/// Tells that something of somebody's is lost. Every door to which it may hold a key is shut before this is answered;
/// the token that asks stays good.
#[utoipa::path(post, path = "/api/v1/people/{id}/losses", tag = "losses",
    params(("id" = String, Path, format = Uuid)), request_body = LossSent,
    responses((status = 201, body = LossWhole)))]
pub async fn tell(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<PersonId>,
    Sent(sent): Sent<LossSent>,
) -> Result<(StatusCode, Json<LossWhole>), ApiError> {
    let nothing = || Refusal::said(Kind::NotFound, "nothing-here");
    let person = app.store.person(id).await?.ok_or_else(nothing)?;
    let device: Option<DeviceId> =
        sent.device.as_deref().map(|device| given::id("device", device, "loss-what")).transpose()?;
    let thing = match sent.thing.as_deref() {
        None => Thing::Computer,
        Some(word) => {
            Thing::from_word(word).ok_or_else(|| Refusal::form(FieldError::new("thing", "loss-what")))?
        }
    };
    let told = LossTold {
        device,
        thing,
        label: sent.label,
        stolen: sent.stolen,
        noticed: i64::from(sent.noticed_minutes_ago) * MINUTE,
        words: sent.words,
        practice: sent.practice && caller.id() == id,
    };
    let session = (caller.id() == id).then(|| caller.who().session.id);
    let loss = loss::tell(&app, &person, &told, Teller::on_page(caller.id(), session)).await?;
    Ok((StatusCode::CREATED, Json(whole(&app, &loss).await?)))
}

/// Which are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhichLosses {
    /// Those that are closed; without it, those that are not.
    #[serde(default)]
    closed: bool,
    /// `next` of the part before.
    after: Option<String>,
    /// How many, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// Lists losses: one's own, and those that one may see; practice is not among them. A part may hold fewer than asked
/// for and go on.
#[utoipa::path(get, path = "/api/v1/losses", tag = "losses", params(WhichLosses),
    responses((status = 200, body = Part<LossRow>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Asked(which): Asked<WhichLosses>,
) -> Result<Json<Part<LossRow>>, ApiError> {
    let limit = given::limit(which.limit)?;
    let before = match given::after(which.after.as_deref())? {
        Some((id, _)) => Some(given::id("after", &id, "after-wrong")?),
        None => None,
    };
    let mut all = app.store.losses(&caller.within(), which.closed, before, limit + 1).await?;
    let next = given::next(&mut all, limit, |last| (last.id.to_string(), String::new()));
    let mut items = Vec::new();
    let mut people = guard::People::of(&app);
    for loss in &all {
        let object = people.object(loss.person).await?;
        if object.is_some_and(|object| caller.may(&app, Action::LossSee, object)) {
            items.push(LossRow::from(loss));
        }
    }
    Ok(Json(Part { items, next }))
}

async fn find(app: &App, id: RecordId) -> Result<Loss, Refusal> {
    app.store.loss(id).await?.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))
}

/// Gives one loss, whole.
#[utoipa::path(get, path = "/api/v1/losses/{loss}", tag = "losses",
    params(("loss" = String, Path, format = Uuid)), responses((status = 200, body = LossWhole)))]
pub async fn get(State(app): State<Arc<App>>, Id(id): Id<RecordId>) -> Result<Json<LossWhole>, ApiError> {
    let loss = find(&app, id).await?;
    Ok(Json(whole(&app, &loss).await?))
}

/// Gives the certificate of a loss with its timeline, as PDF.
#[utoipa::path(get, path = "/api/v1/losses/{loss}/certificate.pdf", tag = "losses",
    params(("loss" = String, Path, format = Uuid)),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>)))]
pub async fn certificate(
    State(app): State<Arc<App>>,
    words: Words,
    Id(id): Id<RecordId>,
) -> Result<Response, ApiError> {
    let loss = find(&app, id).await?;
    let printed = paper::pdf(&app, &loss, &words).await?;
    Ok(([(header::CONTENT_TYPE, "application/pdf")], printed).into_response())
}

async fn by(app: &App, caller: &Caller, loss: &Loss) -> Result<(PersonId, bool), Refusal> {
    let object = guard::person_object(app, loss.person).await?;
    Ok((caller.id(), object.is_some_and(|object| caller.may(app, Action::LossHandle, &object))))
}

/// A step that somebody took.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LossTaken {
    /// Which, by name.
    step: String,
    /// What is to be said of it.
    #[serde(default)]
    words: String,
    /// For the step `triage`: `none`, `unlikely` or `likely`.
    #[serde(default)]
    risk: String,
}

/// Writes down that a step was done. The step `review`, once nothing else is left, closes the loss.
#[utoipa::path(post, path = "/api/v1/losses/{loss}/steps", tag = "losses",
    params(("loss" = String, Path, format = Uuid)), request_body = LossTaken, responses((status = 204)))]
pub async fn step(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
    Sent(sent): Sent<LossTaken>,
) -> Result<StatusCode, ApiError> {
    let loss = find(&app, id).await?;
    let by = by(&app, &caller, &loss).await?;
    desk::take(&app, by, id, Taken { step: sent.step, words: sent.words, risk: sent.risk }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Something worth knowing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LossNote {
    /// What.
    words: String,
}

/// Writes down something else about a loss.
#[utoipa::path(post, path = "/api/v1/losses/{loss}/notes", tag = "losses",
    params(("loss" = String, Path, format = Uuid)), request_body = LossNote, responses((status = 204)))]
pub async fn note(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
    Sent(sent): Sent<LossNote>,
) -> Result<StatusCode, ApiError> {
    desk::note(&app, caller.id(), id, &sent.words).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// In what ways something is there again.
pub const RETURNS: [&str; 3] = ["found", "mistaken", "let-in"];

/// That something is there again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LossReturned {
    /// `found`: it stays shut out; `mistaken`: it was never gone; `let-in`: it was looked at and is let in.
    how: String,
    /// Where it was, and what was looked at.
    #[serde(default)]
    words: String,
}

/// Says that something is there again, and lets it in where that is said.
#[utoipa::path(post, path = "/api/v1/losses/{loss}/return", tag = "losses",
    params(("loss" = String, Path, format = Uuid)), request_body = LossReturned, responses((status = 204)))]
pub async fn back(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
    Sent(sent): Sent<LossReturned>,
) -> Result<StatusCode, ApiError> {
    let how = Return::from_word(&sent.how)
        .ok_or_else(|| Refusal::form(FieldError::new("how", "loss-how-choose")))?;
    let loss = find(&app, id).await?;
    let (person, handles) = by(&app, &caller, &loss).await?;
    // That it was never gone is said by somebody who has just shown who they are, not by a program of theirs.
    if caller.is_program() && !handles {
        return Err(Refusal::said(Kind::Forbidden, "loss-not-yours").into());
    }
    back::bring(&app, (person, handles), id, how, &sent.words).await?;
    Ok(StatusCode::NO_CONTENT)
}

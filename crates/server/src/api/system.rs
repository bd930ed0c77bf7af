//! How the installation is, and how messages go out.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use stead_model::{RecordId, UnitId};
use stead_store::{delivery, hook};
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

use super::{
    given::{Asked, Id, Sent, after, id, limit, part},
    shapes::{Part, at},
};
use crate::{
    App,
    auth::guard::Caller,
    error::{ApiError, FieldError, Refusal},
    flows::notices::{deliver, hooks as connecting},
};

/// The installation.
#[derive(Serialize, ToSchema)]
pub struct System {
    /// The program's version.
    version: &'static str,
    /// The database.
    engine: &'static str,
    /// How many bytes it takes.
    bytes: i64,
    /// How many entries the ledger has.
    entries: u64,
    /// The policy in force.
    policy: String,
    /// What it does by itself.
    jobs: Vec<Job>,
    /// Tunnels behind the gate.
    tunnels: Vec<TunnelRow>,
    /// How many people are in each state.
    people: Vec<Counted>,
}

/// Something that the server does by itself.
#[derive(Serialize, ToSchema)]
pub struct Job {
    /// Its name.
    name: &'static str,
    /// When it last ran to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    done_at: Option<String>,
    /// Why it could not, the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

/// How many there are.
#[derive(Serialize, ToSchema)]
pub struct Counted {
    /// Of what.
    name: String,
    /// How many.
    count: i64,
}

/// A tunnel behind the gate.
#[derive(Serialize, ToSchema)]
pub struct TunnelRow {
    /// Its name.
    name: String,
    /// Devices that are let in.
    peers: usize,
    /// When its gate last asked this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    asked_at: Option<String>,
}

/// Says how the installation is.
#[utoipa::path(get, path = "/api/v1/system", tag = "system", responses((status = 200, body = System)))]
pub async fn get(State(app): State<Arc<App>>) -> Result<Json<System>, ApiError> {
    let job =
        |ran: crate::jobs::Ran| Job { name: ran.name, done_at: ran.done_at.map(at), failed: ran.failed };
    let people = app.store.people_by_state(UnitId::ORGANISATION).await?;
    let tunnels = app.gate.settings.tunnels.iter().enumerate().map(|(place, tunnel)| {
        let (peers, asked_at) = app.gate.lists.state(place);
        TunnelRow { name: tunnel.name.clone(), peers, asked_at: asked_at.map(at) }
    });
    Ok(Json(System {
        version: env!("CARGO_PKG_VERSION"),
        engine: app.store.engine(),
        bytes: app.store.bytes().await?,
        entries: app.store.ledger_head().await?.size,
        policy: app.pack().label(),
        jobs: app.jobs.ran().into_iter().map(job).collect(),
        tunnels: tunnels.collect(),
        people: people
            .into_iter()
            .map(|(state, count)| Counted { name: state.word().to_owned(), count })
            .collect(),
    }))
}

/// Another system that hears what happens. Its address is not shown.
#[derive(Serialize, ToSchema)]
pub struct HookRow {
    /// Its id.
    #[schema(format = Uuid)]
    id: String,
    /// `webhook`, `rocketchat` or `slack`.
    kind: String,
    /// Its name.
    name: String,
    /// The host of its address.
    host: String,
    /// What it hears.
    events: Vec<String>,
    /// Whether people are written to through it.
    people: bool,
}

impl From<hook::Hook> for HookRow {
    fn from(hook: hook::Hook) -> Self {
        Self {
            id: hook.id.to_string(),
            kind: hook.kind,
            name: hook.name,
            host: hook.host,
            events: hook.events.split_whitespace().map(str::to_owned).collect(),
            people: hook.people,
        }
    }
}

/// Lists the systems that hear what happens.
#[utoipa::path(get, path = "/api/v1/system/hooks", tag = "system",
    responses((status = 200, body = Part<HookRow>)))]
pub async fn hooks(State(app): State<Arc<App>>) -> Result<Json<Part<HookRow>>, ApiError> {
    Ok(Json(Part::all(app.store.hooks().await?.into_iter().map(Into::into).collect())))
}

/// A system to connect.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HookSent {
    /// `webhook`, `rocketchat` or `slack`.
    kind: String,
    /// What people call it.
    name: String,
    /// Its address, with https.
    address: String,
    /// What it hears: some of `devices`, `people`, `roles`, `access`.
    events: Vec<String>,
    /// Whether people are written to through it, by their name there (Rocket.Chat).
    #[serde(default)]
    people: bool,
}

/// A system that was connected.
#[derive(Serialize, ToSchema)]
pub struct HookAdded {
    /// The secret that a webhook's messages are signed with, told this once; empty for a chat.
    secret: String,
}

/// Connects a system.
#[utoipa::path(post, path = "/api/v1/system/hooks", tag = "system", request_body = HookSent,
    responses((status = 201, body = HookAdded)))]
pub async fn add_hook(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(sent): Sent<HookSent>,
) -> Result<(StatusCode, Json<HookAdded>), ApiError> {
    let new = connecting::NewHook {
        kind: sent.kind,
        name: sent.name,
        address: Zeroizing::new(sent.address),
        events: sent.events,
        people: sent.people,
    };
    let secret = connecting::add(&app, &new, &caller.by()).await?.to_string();
    Ok((StatusCode::CREATED, Json(HookAdded { secret })))
}

/// Removes a system. Its address is forgotten, and what waits for it is dropped.
#[utoipa::path(delete, path = "/api/v1/system/hooks/{hook}", tag = "system",
    params(("hook" = String, Path, format = Uuid)), responses((status = 204)))]
pub async fn end_hook(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
) -> Result<StatusCode, ApiError> {
    connecting::end(&app, id, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which messages are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `waiting`, `sent` or `dead`; `dead` without it.
    state: Option<String>,
    /// `next` of the part before.
    after: Option<String>,
    /// How many, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// A message on its way, without what it says and to whom it goes.
#[derive(Serialize, ToSchema)]
pub struct DeliveryRow {
    /// Its id.
    #[schema(format = Uuid)]
    id: String,
    /// `mail`, `desktop`, `webhook`, `rocketchat` or `slack`.
    channel: String,
    /// `waiting`, `sent` or `dead`.
    state: String,
    /// When it was written.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it is tried next.
    #[schema(format = DateTime)]
    due: String,
    /// How often it was tried.
    tries: i64,
    /// Why the last try failed.
    error: String,
}

impl From<&delivery::Delivery> for DeliveryRow {
    fn from(delivery: &delivery::Delivery) -> Self {
        Self {
            id: delivery.id.to_string(),
            channel: delivery.channel.clone(),
            state: delivery.state.clone(),
            created_at: at(delivery.created_at),
            due: at(delivery.due),
            tries: delivery.tries,
            error: delivery.error.clone(),
        }
    }
}

/// Lists messages on their way, newest first.
#[utoipa::path(get, path = "/api/v1/system/deliveries", tag = "system", params(Which),
    responses((status = 200, body = Part<DeliveryRow>)))]
pub async fn deliveries(
    State(app): State<Arc<App>>,
    Asked(which): Asked<Which>,
) -> Result<Json<Part<DeliveryRow>>, ApiError> {
    let limit = limit(which.limit)?;
    let state = which.state.as_deref().unwrap_or("dead");
    if !delivery::STATES.contains(&state) {
        return Err(Refusal::form(FieldError::new("state", "state-unknown")).into());
    }
    let before = match after(which.after.as_deref())? {
        None => None,
        Some((time, last)) => {
            let time = time.parse().map_err(|_| Refusal::form(FieldError::new("after", "after-wrong")))?;
            Some((stead_model::Millis(time), id("after", &last, "after-wrong")?))
        }
    };
    let found = app.store.deliveries(state, before, limit + 1).await?;
    Ok(Json(part(found, limit, |last| (last.created_at.0.to_string(), last.id.to_string()))))
}

/// Sends a message again that was given up.
#[utoipa::path(post, path = "/api/v1/system/deliveries/{delivery}/retry", tag = "system",
    params(("delivery" = String, Path, format = Uuid)), responses((status = 204)))]
pub async fn retry(State(app): State<Arc<App>>, Id(id): Id<RecordId>) -> Result<StatusCode, ApiError> {
    deliver::retry(&app, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! One's own: what is open, what waits, what is held, how one is told, what one is signed in with.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use stead_model::{RecordId, SessionId};
use stead_store::notice::Choice;
use utoipa::ToSchema;

use super::{
    given::{Id, Sent},
    shapes::{Clearance, DeviceRow, Named, Part, PersonRow, RoleHeld, Waits, at},
};
use crate::{
    App,
    auth::guard::Caller,
    clearance,
    error::ApiError,
    flows::{
        directory, notices as telling,
        sign_in::{self, token},
    },
    record as held_on, things,
    words::Words,
};

/// Who asks, and what is open to them.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// Them.
    person: PersonRow,
    /// What they are trusted with.
    roles: Vec<RoleHeld>,
    /// What is open to them now.
    clearance: Clearance,
    /// What waits for them, what is due first on top.
    things: Vec<Waits>,
    /// Their devices.
    devices: Vec<DeviceRow>,
    /// The language that they chose (BCP 47); empty for that of their browser.
    language: String,
    /// Their time zone (IANA); empty for the server's.
    zone: String,
}

/// Says who asks, what is open to them and what waits for them.
#[utoipa::path(get, path = "/api/v1/me", tag = "me", responses((status = 200, body = Me)))]
pub async fn get(State(app): State<Arc<App>>, caller: Caller, words: Words) -> Result<Json<Me>, ApiError> {
    let person = caller.person();
    let held = things::held(&app, person).await?;
    let own = things::own(&app, person.id).await?;
    let windows = clearance::windows(&app.pack(), person.state, &held, &own, app.now());
    let things = things::of(&app, person, (&held, &own), &words).await?;
    let unit = app.store.unit(person.unit).await?.map_or_else(String::new, |unit| unit.name);
    Ok(Json(Me {
        person: PersonRow::new(person, &unit),
        roles: caller.who().grants.iter().map(Into::into).collect(),
        clearance: Clearance::new(&windows),
        things: things.iter().map(Into::into).collect(),
        devices: held.iter().map(Into::into).collect(),
        language: person.language.clone(),
        zone: person.zone.clone(),
    }))
}

/// How one is spoken to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Spoken {
    /// `en`, `pt-BR`, or empty for that of the browser.
    language: String,
    /// As in `America/Sao_Paulo`; empty for the server's.
    zone: String,
}

/// Changes how one is spoken to.
#[utoipa::path(patch, path = "/api/v1/me", tag = "me", request_body = Spoken, responses((status = 204)))]
pub async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(sent): Sent<Spoken>,
) -> Result<StatusCode, ApiError> {
    directory::set_ways(&app, caller.id(), &sent.language, sent.zone.trim()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything that is held on one.
#[derive(Serialize, ToSchema)]
pub struct Record {
    /// When it was gathered.
    #[schema(format = DateTime)]
    at: String,
    /// The sections, each with its purpose and how long it is kept.
    sections: Vec<Section>,
    /// Who looked at it, newest first.
    looks: Vec<RecordLook>,
}

/// Somebody who looked.
#[derive(Serialize, ToSchema)]
pub struct RecordLook {
    /// Them.
    by: Named,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// What for: a word of a list.
    purpose: String,
    /// What for, in their words.
    words: String,
    /// The ledger entry that proves it.
    entry: u64,
}

/// Facts that belong together.
#[derive(Serialize, ToSchema)]
pub struct Section {
    /// What they are about.
    title: String,
    /// What they are held for.
    purpose: String,
    /// How long they are kept.
    kept: String,
    /// The facts.
    held: Vec<Fact>,
}

/// One fact.
#[derive(Serialize, ToSchema)]
pub struct Fact {
    /// What it is called.
    name: String,
    /// What it says.
    value: String,
    /// Where it comes from; empty where the section says it.
    origin: String,
}

/// Gives everything that is held on whoever asks, with its purpose and how long it is kept.
#[utoipa::path(get, path = "/api/v1/me/record", tag = "me", responses((status = 200, body = Record)))]
pub async fn record(
    State(app): State<Arc<App>>,
    caller: Caller,
    words: Words,
) -> Result<Json<Record>, ApiError> {
    let sections = held_on::of(&app, caller.person(), &words).await?;
    let fact = |held: held_on::Held| Fact { name: held.name, value: held.value, origin: held.origin };
    let section = |section: held_on::Section| Section {
        title: section.title,
        purpose: section.purpose,
        kept: section.kept,
        held: section.held.into_iter().map(fact).collect(),
    };
    let look = |look: stead_store::look::Look| RecordLook {
        by: Named::new(look.viewer, &look.viewer_name),
        at: at(look.at),
        purpose: look.purpose,
        words: look.words,
        entry: look.entry,
    };
    Ok(Json(Record {
        at: at(app.now()),
        sections: sections.into_iter().map(section).collect(),
        looks: app.store.looks(caller.id(), i64::MAX).await?.into_iter().map(look).collect(),
    }))
}

/// Gives the same in print, as PDF.
#[utoipa::path(get, path = "/api/v1/me/record.pdf", tag = "me",
    responses((status = 200, body = Vec<u8>, content_type = "application/pdf")))]
pub async fn record_pdf(
    State(app): State<Arc<App>>,
    caller: Caller,
    words: Words,
) -> Result<Response, ApiError> {
    let printed = held_on::pdf(&app, caller.person(), &words).await?;
    Ok(([(header::CONTENT_TYPE, "application/pdf")], printed).into_response())
}

/// Something that one was told.
#[derive(Serialize, ToSchema)]
pub struct Told {
    /// Its id.
    #[schema(format = Uuid)]
    id: String,
    /// `account`, `devices`, `tasks` or `record`.
    topic: String,
    /// When it happened.
    #[schema(format = DateTime)]
    at: String,
    /// What it says.
    text: String,
    /// The page where it is looked into.
    link: String,
}

/// Lists what one was told lately, newest first.
#[utoipa::path(get, path = "/api/v1/me/notices", tag = "me", responses((status = 200, body = Part<Told>)))]
pub async fn notices(
    State(app): State<Arc<App>>,
    caller: Caller,
    words: Words,
) -> Result<Json<Part<Told>>, ApiError> {
    let told = app.store.notices(caller.id(), 100).await?;
    let one = |notice: stead_store::notice::Notice| Told {
        text: telling::said(&notice, &words),
        id: notice.id,
        topic: notice.topic,
        at: at(notice.at),
        link: notice.link,
    };
    Ok(Json(Part::all(told.into_iter().map(one).collect())))
}

/// How one wants to be told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// About devices: `now`, `daily`, `weekly` or `never`.
    devices: String,
    /// About what waits: the same.
    tasks: String,
    /// About one's record: the same.
    record: String,
    /// Whether by mail.
    mail: bool,
    /// Whether on one's computer.
    desktop: bool,
    /// One's name in the organisation's chat; empty for not there.
    chat: String,
}

/// Changes how one wants to be told.
#[utoipa::path(put, path = "/api/v1/me/notices/choice", tag = "me", request_body = Chosen, responses((status = 204)))]
pub async fn choose(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(sent): Sent<Chosen>,
) -> Result<StatusCode, ApiError> {
    let choice = Choice {
        devices: sent.devices,
        tasks: sent.tasks,
        record: sent.record,
        mail: sent.mail,
        desktop: sent.desktop,
        chat: sent.chat,
    };
    telling::choose(&app, caller.person(), choice).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A session.
#[derive(Serialize, ToSchema)]
pub struct SessionRow {
    /// Its id.
    #[schema(format = Uuid)]
    id: String,
    /// What the browser says of itself.
    browser: String,
    /// How it began.
    method: String,
    /// When it began.
    #[schema(format = DateTime)]
    begun_at: String,
    /// When it was last used.
    #[schema(format = DateTime)]
    last_used: String,
}

/// Lists where one is signed in.
#[utoipa::path(get, path = "/api/v1/me/sessions", tag = "me", responses((status = 200, body = Part<SessionRow>)))]
pub async fn sessions(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Part<SessionRow>>, ApiError> {
    let now = app.now();
    let mut sessions = app.store.sessions(caller.id(), now.plus(-sign_in::ABSOLUTE)).await?;
    sessions.retain(|session| now.since(session.last_used) < sign_in::IDLE);
    let row = |session: stead_store::session::Session| SessionRow {
        id: session.id.to_string(),
        browser: session.browser,
        method: session.method,
        begun_at: at(session.created_at),
        last_used: at(session.last_used),
    };
    Ok(Json(Part::all(sessions.into_iter().map(row).collect())))
}

/// Signs out of one session.
#[utoipa::path(delete, path = "/api/v1/me/sessions/{session}", tag = "me",
    params(("session" = String, Path, format = Uuid)), responses((status = 204)))]
pub async fn end_session(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(session): Id<SessionId>,
) -> Result<StatusCode, ApiError> {
    sign_in::end(&app, caller.id(), session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
pub struct TokenRow {
    /// Its id.
    #[schema(format = Uuid)]
    id: String,
    /// What its person calls it.
    name: String,
    /// What it is good for.
    scopes: Vec<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it ends.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_used: Option<String>,
}

/// Lists one's tokens. They are made on the page “Tokens”, by somebody who has just proved who they are.
#[utoipa::path(get, path = "/api/v1/me/tokens", tag = "me", responses((status = 200, body = Part<TokenRow>)))]
pub async fn tokens(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Part<TokenRow>>, ApiError> {
    let tokens = app.store.tokens(caller.id(), app.now()).await?;
    let row = |token: stead_store::token::Token| TokenRow {
        id: token.id.to_string(),
        scopes: token.scopes.split(' ').map(str::to_owned).collect(),
        name: token.name,
        created_at: at(token.created_at),
        expires_at: at(token.expires_at),
        last_used: token.last_used.map(at),
    };
    Ok(Json(Part::all(tokens.into_iter().map(row).collect())))
}

/// Ends a token; also the one that asks.
#[utoipa::path(delete, path = "/api/v1/me/tokens/{token}", tag = "me",
    params(("token" = String, Path, format = Uuid)), responses((status = 204)))]
pub async fn end_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
) -> Result<StatusCode, ApiError> {
    token::end(&app, caller.id(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! How somebody signs in, where they are signed in, and how pages speak to them.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted, Json,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use stead_model::{Millis, RecordId, SessionId};
use stead_store::{
    credential::{Passkey, Password},
    session::Session,
};
use webauthn_rs::prelude::RegisterPublicKeyCredential;
use zeroize::Zeroizing;

use super::{
    Base, Page, Reader,
    form::{self, Form},
    page, parts,
    sign_in::with_cookie,
};
use crate::{
    App, auth,
    error::{ApiError, Refusal},
    flows::{
        directory,
        sign_in::{self, authenticator, passkey, password},
    },
    words::Language,
};

/// Zones that are offered by name; any other is taken as it is typed.
const ZONES: [&str; 12] = [
    "America/Sao_Paulo",
    "America/Manaus",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Europe/Lisbon",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "UTC",
];

#[derive(Template)]
#[template(path = "ways.html")]
struct Ways {
    base: Base,
    now: Millis,
    form: Form,
    welcome: bool,
    passkeys_here: bool,
    passkeys: Vec<Passkey>,
    password: Option<Password>,
    least: usize,
    code_on: bool,
    recovery_left: i64,
    outside: Vec<(String, Millis)>,
    sessions: Vec<Session>,
    this: SessionId,
    language: String,
    zone: String,
}

impl Ways {
    fn languages(&self) -> [Language; 2] {
        Language::ALL
    }

    fn zones(&self) -> [&'static str; 12] {
        ZONES
    }

    fn method(&self, session: &Session) -> String {
        self.base.say(match session.method.as_str() {
            "passkey" => "method-passkey",
            "password" => "method-password",
            "password+code" => "method-password-code",
            "password+recovery" => "method-password-recovery",
            "outside" => "method-outside",
            _ => "method-link",
        })
    }
}

#[derive(Template)]
#[template(path = "ways_code.html")]
struct CodeSetup {
    base: Base,
    form: Form,
    secret: String,
    picture: parts::Html,
}

#[derive(Template)]
#[template(path = "ways_recovery.html")]
struct Recovery {
    base: Base,
    codes: Vec<String>,
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    welcome: String,
}

/// `GET /me/ways`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader, Query(asked): Query<Asked>) -> Page {
    page(&gather(&app, &reader, Form::default(), !asked.welcome.is_empty()).await?)
}

async fn gather(app: &App, reader: &Reader, form: Form, welcome: bool) -> Result<Ways, Refusal> {
    let who = reader.caller.who();
    let now = app.now();
    let id = who.person.id;
    let code_on = authenticator::is_on(app, id).await?;
    let mut sessions = app.store.sessions(id, now.plus(-sign_in::ABSOLUTE)).await?;
    sessions.retain(|session| now.since(session.last_used) < sign_in::IDLE);
    Ok(Ways {
        base: Base::plain(app, reader, reader.words.say("ways-title"), "/me"),
        now,
        form,
        welcome,
        passkeys_here: app.passkeys.is_some(),
        passkeys: app.store.passkeys(id).await?,
        password: app.store.password(id).await?,
        least: if code_on { password::WITH_SECOND } else { password::ALONE },
        code_on,
        recovery_left: app.store.recovery_codes(id).await?,
        outside: app.store.outside_identities(id).await?,
        sessions,
        this: who.session.id,
        language: who.person.language.clone(),
        zone: who.person.zone.clone(),
    })
}

/// Back to the page; or the page again, with what was not right.
async fn done(app: &App, reader: &Reader, done: Result<(), Refusal>) -> Page {
    match done {
        Ok(()) => Ok(Redirect::to("/me/ways").into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&gather(app, reader, form, false).await?)?))
        }
    }
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Spoken {
    #[serde(default)]
    language: String,
    #[serde(default)]
    zone: String,
}

/// `POST /me/ways/language`.
pub async fn language(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Spoken>) -> Page {
    let set = directory::set_ways(&app, reader.caller.id(), &sent.language, sent.zone.trim()).await;
    done(&app, &reader, set).await
}

/// What the form sends.
#[derive(Deserialize)]
pub struct NewPassword {
    #[serde(default)]
    password: Zeroizing<String>,
}

/// `POST /me/ways/password`.
pub async fn password(
    State(app): State<Arc<App>>,
    reader: Reader,
    Posted(sent): Posted<NewPassword>,
) -> Page {
    match password::set(&app, reader.caller.who(), sent.password).await {
        Ok(begun) => {
            let to = Redirect::to("/me/ways").into_response();
            Ok(with_cookie(&auth::session_cookie(&begun.secret), to))
        }
        Err(refusal) => done(&app, &reader, Err(refusal)).await,
    }
}

/// `POST /me/ways/password/remove`.
pub async fn remove_password(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let removed = password::remove(&app, reader.caller.who()).await;
    done(&app, &reader, removed).await
}

/// `POST /me/ways/code`: begins an authenticator.
pub async fn set_up_code(State(app): State<Arc<App>>, reader: Reader) -> Page {
    match authenticator::set_up(&app, reader.caller.who()).await {
        Ok(setup) => page(&CodeSetup {
            base: Base::plain(&app, &reader, reader.words.say("code-set-up"), "/me"),
            form: Form::default(),
            picture: parts::qr(&setup.address, &reader.words.say("code-picture")),
            secret: setup.secret,
        }),
        Err(refusal) => done(&app, &reader, Err(refusal)).await,
    }
}

/// What the form sends.
#[derive(Deserialize)]
pub struct FirstCode {
    #[serde(default)]
    code: Zeroizing<String>,
}

/// `POST /me/ways/code/confirm`.
pub async fn confirm_code(
    State(app): State<Arc<App>>,
    reader: Reader,
    Posted(sent): Posted<FirstCode>,
) -> Page {
    match authenticator::confirm(&app, reader.caller.who(), &sent.code).await {
        Ok(codes) => page(&Recovery {
            base: Base::plain(&app, &reader, reader.words.say("recovery-title"), "/me"),
            codes,
        }),
        Err(refusal) => done(&app, &reader, Err(refusal)).await,
    }
}

/// `POST /me/ways/code/remove`.
pub async fn remove_code(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let removed = authenticator::remove(&app, reader.caller.who()).await;
    done(&app, &reader, removed).await
}

/// `POST /me/ways/passkey/ask`.
pub async fn passkey_ask(State(app): State<Arc<App>>, reader: Reader) -> Result<Json<Value>, ApiError> {
    let question = passkey::ask_new(&app, reader.caller.who()).await?;
    Ok(Json(json!({ "options": question.options, "place": question.place })))
}

/// What the browser answers.
#[derive(Deserialize)]
pub struct NewPasskey {
    place: String,
    #[serde(default)]
    name: String,
    answer: RegisterPublicKeyCredential,
}

/// `POST /me/ways/passkey`.
pub async fn add_passkey(
    State(app): State<Arc<App>>,
    reader: Reader,
    Json(sent): Json<NewPasskey>,
) -> Result<Response, ApiError> {
    let named = if sent.name.trim().is_empty() {
        reader.caller.who().session.browser.clone()
    } else {
        sent.name.clone()
    };
    passkey::add(&app, reader.caller.who(), &sent.place, &named, &sent.answer).await?;
    Ok(Json(json!({ "to": "/me/ways" })).into_response())
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Which<T> {
    id: T,
}

/// `POST /me/ways/passkey/remove`.
pub async fn remove_passkey(
    State(app): State<Arc<App>>,
    reader: Reader,
    Posted(sent): Posted<Which<RecordId>>,
) -> Page {
    let removed = passkey::remove(&app, reader.caller.who(), sent.id).await;
    done(&app, &reader, removed).await
}

/// `POST /me/ways/session/end`.
pub async fn end_session(
    State(app): State<Arc<App>>,
    reader: Reader,
    Posted(sent): Posted<Which<SessionId>>,
) -> Page {
    sign_in::end(&app, reader.caller.id(), sent.id).await?;
    Ok(Redirect::to("/me/ways#sessions").into_response())
}

/// `POST /me/ways/sessions/end`.
pub async fn end_others(State(app): State<Arc<App>>, reader: Reader) -> Page {
    sign_in::end_others(&app, reader.caller.who()).await?;
    Ok(Redirect::to("/me/ways#sessions").into_response())
}

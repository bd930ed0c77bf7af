//! Signing in: passkey, password and code; and proving anew who one is.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted, Json,
    extract::{FromRequestParts, Query, State},
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use webauthn_rs::prelude::PublicKeyCredential;
use zeroize::Zeroizing;

use super::{
    Base, Page, Reader,
    form::{self, Form},
    page, parts,
};
use crate::{
    App,
    auth::{self, guard},
    error::{ApiError, Refusal},
    flows::sign_in::{
        self, Begun, authenticator, outside, passkey,
        password::{self, Attempt, Attempted},
    },
    words::Words,
};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Ask {
    base: Base,
    form: Form,
    email: String,
    to: String,
    passkeys: bool,
    outside: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct AskCode {
    base: Base,
    form: Form,
    to: String,
}

#[derive(Template)]
#[template(path = "prove.html")]
struct AskProof {
    base: Base,
    form: Form,
    to: String,
    passkey: bool,
    password: bool,
    code: bool,
}

/// Where to go on to.
#[derive(Debug, Default, Deserialize)]
pub struct To {
    #[serde(default)]
    to: String,
}

impl To {
    fn path(&self) -> &str {
        auth::local_path(&self.to).unwrap_or("/")
    }
}

/// Whoever asks to be let in, as far as the request tells.
#[derive(Debug)]
pub struct Asking(Attempt);

impl Asking {
    /// Where they ask from.
    pub(super) fn address(&self) -> Option<std::net::IpAddr> {
        self.0.address
    }
}

impl FromRequestParts<Arc<App>> for Asking {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        Ok(Self(Attempt {
            address: auth::address(app, parts),
            browser: browser(&parts.headers),
            known: auth::known_browser(&parts.headers),
            session: auth::session_secret(&parts.headers),
        }))
    }
}

/// The browser in words, from what it says of itself.
pub(super) fn browser(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    sign_in::browser_words(agent)
}

/// `GET /sign-in`.
pub async fn ask(
    State(app): State<Arc<App>>,
    words: Words,
    Query(to): Query<To>,
    headers: HeaderMap,
) -> Page {
    if guard::caller(&app, &headers).await?.is_some() {
        return Ok(Redirect::to(to.path()).into_response());
    }
    page(&asking(&app, &words, Form::default(), String::new(), to.to))
}

fn asking(app: &App, words: &Words, form: Form, email: String, to: String) -> Ask {
    let base = Base::public(words, words.say("sign-in-title"));
    let outside = app.outside.as_ref().map(|outside| outside.settings.name.clone());
    Ask { base, form, email, to, passkeys: app.passkeys.is_some(), outside }
}

/// What the form sends.
#[derive(Deserialize)]
pub struct ByPassword {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: Zeroizing<String>,
    #[serde(flatten)]
    to: To,
}

/// `POST /sign-in/password`.
pub async fn password(
    State(app): State<Arc<App>>,
    words: Words,
    Asking(attempt): Asking,
    Posted(sent): Posted<ByPassword>,
) -> Page {
    match password::sign_in(&app, &sent.email, sent.password, &attempt).await {
        Ok(Attempted::In(begun)) => let_in(&app, &begun, &attempt, on_to(&words, sent.to.path())?).await,
        Ok(Attempted::CodeNeeded(place)) => {
            let to = format!("/sign-in/code?to={}", super::encode(sent.to.path()));
            Ok(with_cookie(&auth::place_cookie(&place), Redirect::to(&to).into_response()))
        }
        Err(refusal) => {
            let form = Form::of(refusal, &words)?;
            Ok(form::not_taken(page(&asking(&app, &words, form, sent.email, sent.to.to))?))
        }
    }
}

/// `GET /sign-in/code`.
pub async fn ask_code(words: Words, Query(to): Query<To>) -> Page {
    page(&asking_code(&words, Form::default(), to.to))
}

fn asking_code(words: &Words, form: Form, to: String) -> AskCode {
    AskCode { base: Base::public(words, words.say("code-title")), form, to }
}

/// What the form sends.
#[derive(Deserialize)]
pub struct ByCode {
    #[serde(default)]
    code: Zeroizing<String>,
    #[serde(flatten)]
    to: To,
}

/// `POST /sign-in/code`.
pub async fn code(
    State(app): State<Arc<App>>,
    words: Words,
    headers: HeaderMap,
    Asking(attempt): Asking,
    Posted(sent): Posted<ByCode>,
) -> Page {
    let place = auth::place(&headers).unwrap_or_default();
    match authenticator::sign_in(&app, &place, &sent.code, &attempt).await {
        Ok(begun) => {
            let response = let_in(&app, &begun, &attempt, on_to(&words, sent.to.path())?).await?;
            Ok(with_cookie(&auth::no_place_cookie(), response))
        }
        Err(refusal) => {
            let form = Form::of(refusal, &words)?;
            Ok(form::not_taken(page(&asking_code(&words, form, sent.to.to))?))
        }
    }
}

/// `POST /sign-in/passkey/ask`: a question for the browser.
pub async fn passkey_ask(
    State(app): State<Arc<App>>,
    Asking(attempt): Asking,
) -> Result<Json<Value>, ApiError> {
    let question = passkey::ask(&app, &attempt).await?;
    Ok(Json(json!({ "options": question.options, "place": question.place })))
}

/// What the browser answers.
#[derive(Deserialize)]
pub struct Answered {
    place: String,
    answer: PublicKeyCredential,
    #[serde(flatten)]
    to: To,
}

/// `POST /sign-in/passkey`.
pub async fn passkey(
    State(app): State<Arc<App>>,
    Asking(attempt): Asking,
    Json(sent): Json<Answered>,
) -> Result<Response, ApiError> {
    let begun = passkey::sign_in(&app, &sent.place, &sent.answer, &attempt).await?;
    let body = Json(json!({ "to": sent.to.path() }));
    let_in(&app, &begun, &attempt, body).await.map_err(|error| ApiError(error.0))
}

/// `GET /sign-in/outside`: to the issuer.
pub async fn outside(State(app): State<Arc<App>>, Asking(attempt): Asking, Query(to): Query<To>) -> Page {
    let sent = outside::send(&app, to.path(), &attempt).await?;
    Ok(with_cookie(&auth::place_cookie(&sent.place), Redirect::to(&sent.address).into_response()))
}

/// What the issuer sends back.
#[derive(Debug, Default, Deserialize)]
pub struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

/// `GET /sign-in/outside/back`.
pub async fn outside_back(
    State(app): State<Arc<App>>,
    words: Words,
    headers: HeaderMap,
    Asking(attempt): Asking,
    Query(back): Query<Back>,
) -> Page {
    let place = auth::place(&headers).unwrap_or_default();
    match outside::take(&app, &place, (&back.code, &back.state), &attempt).await {
        Ok((begun, to)) => {
            let to = auth::local_path(&to).unwrap_or("/");
            let response = let_in(&app, &begun, &attempt, Redirect::to(to)).await?;
            Ok(with_cookie(&auth::no_place_cookie(), response))
        }
        Err(refusal) => {
            let form = Form::of(refusal, &words)?;
            Ok(form::not_taken(page(&asking(&app, &words, form, String::new(), String::new()))?))
        }
    }
}

/// `GET /prove`: what is sensitive asks who you are once more.
pub async fn ask_proof(State(app): State<Arc<App>>, reader: Reader, Query(to): Query<To>) -> Page {
    page(&asking_proof(&app, &reader, Form::default(), to.to).await?)
}

async fn asking_proof(app: &App, reader: &Reader, form: Form, to: String) -> Result<AskProof, Refusal> {
    let id = reader.caller.id();
    Ok(AskProof {
        base: Base::plain(app, reader, reader.words.say("prove-title"), ""),
        form,
        to,
        passkey: app.passkeys.is_some() && !app.store.passkeys(id).await?.is_empty(),
        password: app.store.password(id).await?.is_some(),
        code: authenticator::is_on(app, id).await?,
    })
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Proof {
    #[serde(default)]
    password: Zeroizing<String>,
    /// Of the second factor, where there is one.
    #[serde(default)]
    code: Zeroizing<String>,
    #[serde(flatten)]
    to: To,
}

/// `POST /prove/password`.
pub async fn prove_password(
    State(app): State<Arc<App>>,
    reader: Reader,
    Posted(sent): Posted<Proof>,
) -> Page {
    match password::prove_anew(&app, reader.caller.who(), sent.password, &sent.code).await {
        Ok(begun) => {
            let cookie = auth::session_cookie(&begun.secret);
            Ok(with_cookie(&cookie, Redirect::to(sent.to.path()).into_response()))
        }
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&asking_proof(&app, &reader, form, sent.to.to).await?)?))
        }
    }
}

/// `POST /prove/passkey/ask`.
pub async fn prove_passkey_ask(State(app): State<Arc<App>>, reader: Reader) -> Result<Json<Value>, ApiError> {
    let question = passkey::ask_proof(&app, reader.caller.who()).await?;
    Ok(Json(json!({ "options": question.options, "place": question.place })))
}

/// `POST /prove/passkey`.
pub async fn prove_passkey(
    State(app): State<Arc<App>>,
    reader: Reader,
    Json(sent): Json<Answered>,
) -> Result<Response, ApiError> {
    let begun = passkey::prove_anew(&app, reader.caller.who(), &sent.place, &sent.answer).await?;
    let cookie = auth::session_cookie(&begun.secret);
    Ok(with_cookie(&cookie, Json(json!({ "to": sent.to.path() })).into_response()))
}

/// `POST /sign-out`.
pub async fn out(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let who = reader.caller.who();
    sign_in::end(&app, who.person.id, who.session.id).await?;
    let mut response = with_cookie(&auth::no_session_cookie(), Redirect::to("/sign-in").into_response());
    // Not cookies: that would forget the browser from which somebody signs in again.
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    Ok(response)
}

/// Hands a session to the browser, which is known from now on.
#[derive(Template)]
#[template(path = "sign_in_on.html")]
struct On<'a> {
    base: Base,
    to: &'a str,
}

/// On to where somebody wanted, after a form. The gate leads from there to other sites, and a form may lead to none
/// (Content-Security-Policy `form-action` counts what follows as well): a page goes between, which goes on by itself.
fn on_to(words: &Words, to: &str) -> Page {
    if !to.starts_with("/gate/") {
        return Ok(Redirect::to(to).into_response());
    }
    on_page(words, to)
}

/// A page that goes on by itself, also to another site.
pub(super) fn on_page(words: &Words, to: &str) -> Page {
    page(&On { base: Base::public(words, words.say("sign-in-on")), to })
}

/// Hands the new session to the browser, in place of the one that it had.
pub(super) async fn let_in(app: &App, begun: &Begun, attempt: &Attempt, to: impl IntoResponse) -> Page {
    sign_in::replace(app, attempt.session.as_deref()).await?;
    let mut response = with_cookie(&auth::session_cookie(&begun.secret), to.into_response());
    if password::known_browser(app, begun.person, attempt).is_none() {
        let mark = password::known_mark(app, begun.person)?;
        response = with_cookie(&auth::known_cookie(&mark), response);
    }
    Ok(response)
}

pub(super) fn with_cookie(cookie: &str, mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

//! What stands at an application's own address. The proxy asks [`auth`] before every request, and hands
//! everything below `/.stead/` to the others here.
//!
//! ```text
//! proxy: GET /gate/auth/wiki    204 with identity headers; 401: who are you?; 403: not now
//! 401 -> /.stead/wiki/start     marks the browser, and sends it to the server's own pages
//!        /gate/enter/wiki       (there: signs in, asks the device, makes a ticket)
//!        /.stead/wiki/enter     takes the ticket once, and gives the browser its pass
//! 403 -> /.stead/wiki/refused   sends the browser to the page that says why
//! ```
//!
//! Nothing that a request says of itself is believed but what the server marked. Authorization: the pass.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;
use stead_model::{
    DeviceId, Millis, PersonId, SessionId,
    problem::{Kind, Problem},
    seal,
};

use super::{
    apps::Application,
    certificate,
    decide::{self, Why},
    follow::TOUCH,
    glass,
    index::{Person, Session},
    proof::{Certified, Pass, SHORT, Ticket, Unfit},
};
use crate::{App, auth, error::Refusal, flows::sign_in, web};

/// What a browser shows to one application.
pub const PASS: &str = "__Host-stead-pass";
/// What a browser was given when it began there, so that nobody can hand it another's ticket.
const BEGUN: &str = "__Host-stead-begun";

/// Where the proxy says which address was asked for.
const ORIGINAL: [HeaderName; 2] =
    [HeaderName::from_static("x-original-uri"), HeaderName::from_static("x-forwarded-uri")];

/// What the gate says to a proxy.
#[derive(Debug)]
pub enum Answer {
    /// Let them in; who they are.
    In(Pass, PersonId, Person),
    /// Nobody is known; why what they sent was not taken, when they sent something.
    Unknown(Option<Unfit>),
    /// They are known, and not let in.
    Refused(Pass, Vec<Why>),
}

/// Decides on one request by what it carries. Reads nothing from the store.
pub fn decide(app: &App, application: &Application, headers: &HeaderMap) -> Answer {
    let now = app.now();
    let Some(text) = auth::cookie(headers, PASS) else {
        let sent = headers.get_all(header::COOKIE).iter().any(|value| {
            value.to_str().is_ok_and(|cookies| cookies.split(';').any(|one| one.trim().starts_with(PASS)))
        });
        return Answer::Unknown(sent.then_some(Unfit::Form));
    };
    match Pass::read(&app.keys.sealing, &application.name, &text, now) {
        Ok(pass) => of_pass(app, application, pass, headers, now),
        Err(unfit) => Answer::Unknown(Some(unfit)),
    }
}

fn of_pass(app: &App, application: &Application, pass: Pass, headers: &HeaderMap, now: Millis) -> Answer {
    let index = &app.gate.index;
    let Some(session) = index.session(pass.session) else {
        return match index.is_complete() {
            true => Answer::Unknown(Some(Unfit::Expired)),
            false => Answer::Refused(pass, vec![Why::NotKnown]),
        };
    };
    if is_over(&session, now) {
        return Answer::Unknown(Some(Unfit::Expired));
    }
    let pack = app.pack();
    let of = (session.person, pass.device);
    let mut why = decide::against(index, &pack, of, application.place(&pack), now);
    if !why.is_empty()
        && app.gate.glass.is_broken(pass.session, &application.name, now)
        && glass::may_break(index, &pack, application, of, now)
    {
        why.clear();
    }
    if application.certificates {
        match certified(app, application, headers, now) {
            Some(device) if device == pass.device => {}
            // A pass that was carried to another device of theirs opens nothing there; that one is given its own.
            Some(device) if index.device(device).is_some_and(|device| device.person == session.person) => {
                return Answer::Unknown(Some(Unfit::Stolen));
            }
            Some(_) | None => why.push(Why::NoCertificate),
        }
    }
    match index.person(session.person).filter(|_| why.is_empty()) {
        Some(person) => {
            index.use_session(pass.session, now, TOUCH);
            Answer::In(pass, session.person, person)
        }
        None => Answer::Refused(pass, why),
    }
}

/// The device with whose certificate the connection was made, where the application asks for one.
fn certified(app: &App, application: &Application, headers: &HeaderMap, now: Millis) -> Option<DeviceId> {
    let fingerprint = certificate::shown(headers).filter(|_| application.certificates)?;
    app.gate.index.certified(&fingerprint, now)
}

fn is_over(session: &Session, now: Millis) -> bool {
    now.since(session.last_used) >= sign_in::IDLE || now.since(session.created_at) >= sign_in::ABSOLUTE
}

/// A session that goes on, as memory has it.
pub fn live_session(app: &App, id: SessionId, now: Millis) -> Option<Session> {
    app.gate.index.session(id).filter(|session| !is_over(session, now))
}

/// Logs why somebody was not let in. What they sent is not in it.
fn log(app: &App, application: &str, answer: &Answer) {
    match answer {
        Answer::In(..) | Answer::Unknown(None) => {}
        Answer::Unknown(Some(unfit)) => tracing::info!(application, why = %unfit, "a pass was not taken"),
        Answer::Refused(pass, why) => {
            let words: Vec<&str> = why.iter().map(Why::word).collect();
            let words = words.join(",");
            if app.gate.is_news(pass.session, application, &words, app.now()) {
                tracing::info!(application, device = %pass.device, why = words, "not let in");
            }
        }
    }
}

/// `GET /gate/auth/{application}`: the answer for a proxy, without a body.
pub async fn auth(State(app): State<Arc<App>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(application) = app.gate.settings.application(&name) else {
        tracing::warn!("a proxy asks for an application that is not in the gate's file");
        return StatusCode::FORBIDDEN.into_response();
    };
    let answer = decide(&app, application, &headers);
    log(&app, &application.name, &answer);
    match answer {
        Answer::In(pass, id, person) => {
            (StatusCode::NO_CONTENT, identity(&pass, id, &person)).into_response()
        }
        Answer::Unknown(_) => StatusCode::UNAUTHORIZED.into_response(),
        Answer::Refused(..) => StatusCode::FORBIDDEN.into_response(),
    }
}

/// `/gate/auth` without an application: nobody is let in, and a proxy that is set up wrongly learns nothing else.
pub async fn unnamed() -> StatusCode {
    StatusCode::UNAUTHORIZED
}

/// `GET /gate/door/{application}`: the same for a proxy that hands on to the browser whatever is not yes, as Traefik
/// does; where nobody is let in, the answer leads on.
pub async fn door(State(app): State<Arc<App>>, Path(name): Path<String>, mut headers: HeaderMap) -> Response {
    // Such a proxy hands on what the browser sent: what it says of a certificate is nobody's word.
    headers.remove(certificate::HEADER);
    let answer = auth(State(Arc::clone(&app)), Path(name.clone()), headers.clone()).await;
    match answer.status() {
        StatusCode::NO_CONTENT => answer,
        StatusCode::UNAUTHORIZED => start(State(app), Path(name), headers).await,
        _ => refused(State(app), Path(name), headers).await,
    }
}

/// Who it is, for the application: in headers that the proxy sets over whatever was sent.
fn identity(pass: &Pass, id: PersonId, person: &Person) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let all = [
        ("stead-person", id.to_string()),
        ("stead-name", percent(&person.name)),
        ("stead-email", percent(person.email.as_deref().unwrap_or_default())),
        ("stead-device", pass.device.to_string()),
    ];
    for (name, value) in all {
        // Percent-encoded text and ids always fit.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// Text as a header takes it: what is not plain is percent-encoded UTF-8.
fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(char::from(byte)),
            other => {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{other:02X}");
            }
        }
        out
    })
}

/// Whether a browser asks for a page to show.
fn is_browser(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepts.contains("text/html")
}

/// The address that was asked for, as the proxy says it: a path of the application, or its first page.
fn original(headers: &HeaderMap) -> &str {
    let said = ORIGINAL.iter().find_map(|name| headers.get(name)).and_then(|value| value.to_str().ok());
    let said = said.unwrap_or("/");
    auth::local_path(said).filter(|path| !path.starts_with("/.stead/")).unwrap_or("/")
}

fn application<'a>(app: &'a App, name: &str) -> Result<&'a Application, Box<Response>> {
    let missing = || Box::new(web::refused(Refusal::said(Kind::NotFound, "nothing-here"), true));
    app.gate.settings.application(name).ok_or_else(missing)
}

/// `/.stead/{application}/start`: the proxy sends here whoever is not known.
pub async fn start(State(app): State<Arc<App>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let application = match application(&app, &name) {
        Ok(application) => application,
        Err(response) => return *response,
    };
    if !is_browser(&headers) {
        let problem = Problem::new(
            Kind::SignInNeeded,
            format!("Open {} in a browser on your work computer, and sign in.", application.url),
        );
        return (StatusCode::UNAUTHORIZED, Json(problem)).into_response();
    }
    // Several pages of one browser may begin at the same time: what it was given before goes on.
    let given = auth::cookie(&headers, BEGUN).filter(|begun| (20..=60).contains(&begun.len()));
    let begun = match given.map_or_else(|| sign_in::Secret::make(&app), Ok) {
        Ok(secret) => secret,
        Err(refusal) => return web::refused(refusal, true),
    };
    let now = app.now();
    let begun_as = mark_of(&begun);
    // A connection has shown already on which device it was made; the server's pages need not ask.
    let on = certified(&app, application, &headers, now).map(|device| {
        let on =
            Certified { application: name.clone(), device, begun: begun_as.clone(), until: now.plus(SHORT) };
        format!("&on={}", on.write(&app.keys.sealing))
    });
    let to = format!(
        "{}/gate/enter/{name}?begun={begun_as}{}&to={}",
        app.config.base_url,
        on.unwrap_or_default(),
        web::encode(original(&headers))
    );
    (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, to), (header::SET_COOKIE, auth::set_cookie(BEGUN, &begun, 10 * SHORT))],
    )
        .into_response()
}

/// What the server's own pages are told of what a browser was given.
fn mark_of(begun: &str) -> String {
    seal::hex(&seal::sha256(format!("stead begun {begun}").as_bytes())[..16])
}

/// Whether these words can be such a mark.
pub fn is_mark(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// What comes with a ticket.
#[derive(Debug, Deserialize)]
pub struct Entering {
    ticket: String,
    #[serde(default)]
    to: String,
}

/// `/.stead/{application}/enter`: takes a ticket and gives the browser its pass.
pub async fn enter(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(entering): Query<Entering>,
    headers: HeaderMap,
) -> Response {
    let application = match application(&app, &name) {
        Ok(application) => application,
        Err(response) => return *response,
    };
    match taken(&app, application, &entering.ticket, &headers) {
        Ok(ticket) => {
            let now = app.now();
            let pass = Pass {
                application: ticket.application,
                session: ticket.session,
                device: ticket.device,
                until: ticket.until,
            };
            let to = auth::local_path(&entering.to).unwrap_or("/").to_owned();
            let cookie = auth::set_cookie(PASS, &pass.write(&app.keys.sealing), pass.until.since(now).max(0));
            (StatusCode::SEE_OTHER, [(header::LOCATION, to), (header::SET_COOKIE, cookie)]).into_response()
        }
        Err(unfit) => {
            tracing::info!(application = application.name, why = %unfit, "a ticket was not taken");
            web::refused(Refusal::said(Kind::Forbidden, "gate-ticket"), true)
        }
    }
}

fn taken(app: &App, application: &Application, text: &str, headers: &HeaderMap) -> Result<Ticket, Unfit> {
    let now = app.now();
    let ticket = Ticket::read(&app.keys.sealing, text, now)?;
    let begun = auth::cookie(headers, BEGUN).map(|begun| mark_of(&begun)).unwrap_or_default();
    let same = seal::same_secret(begun.as_bytes(), ticket.begun.as_bytes());
    if ticket.application != application.name || !same {
        return Err(Unfit::Stolen);
    }
    app.gate.used.once(&ticket.nonce, ticket.use_by, now)?;
    Ok(ticket)
}

/// `/.stead/{application}/refused`: the proxy sends here whoever is not let in.
pub async fn refused(State(app): State<Arc<App>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let application = match application(&app, &name) {
        Ok(application) => application,
        Err(response) => return *response,
    };
    let answer = decide(&app, application, &headers);
    if is_browser(&headers) {
        let bare = matches!(&answer, Answer::Refused(_, why) if why.contains(&Why::NoCertificate));
        let page = if !bare && may_break(&app, application, &answer) { "glass" } else { "refused" };
        let to = format!(
            "{}/gate/{page}/{name}?{}to={}",
            app.config.base_url,
            if bare { "bare=1&" } else { "" },
            web::encode(original(&headers))
        );
        return (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response();
    }
    let why = match answer {
        Answer::Refused(_, why) => why,
        Answer::In(..) | Answer::Unknown(_) => Vec::new(),
    };
    let detail =
        "This application is closed to this device at present. Run `stead status` on it, or open the page.";
    let mut problem = json!(Problem::new(Kind::Forbidden, detail));
    problem["why"] = why.iter().map(|why| json!({ "word": why.word(), "rule": why.rule() })).collect();
    problem["page"] = format!("{}/gate/refused/{name}", app.config.base_url).into();
    (StatusCode::FORBIDDEN, Json(problem)).into_response()
}

/// Whether somebody who is refused may break the glass.
fn may_break(app: &App, application: &Application, answer: &Answer) -> bool {
    let Answer::Refused(pass, _) = answer else { return false };
    let index = &app.gate.index;
    index.session(pass.session).is_some_and(|session| {
        glass::may_break(index, &app.pack(), application, (session.person, pass.device), app.now())
    })
}

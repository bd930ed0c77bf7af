//! The page on which the two people whom the policy names break the glass. It asks the store for nothing: who it is
//! comes from memory, by the mark on which device their browser runs. Authorization: that mark, and the policy.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use stead_model::{PersonId, problem::Kind};

use super::{Base, Page, encode, gate, nothing_here, page, parts, sign_in};
use crate::{
    App, auth,
    error::Refusal,
    flows::glass::{self as flow, Broken},
    gate::{
        apps::Application,
        decide, door,
        glass::{self, REASONS},
        proof::OnDevice,
    },
    words::Words,
};

#[derive(Template)]
#[template(path = "gate_glass.html")]
struct Shown {
    base: Base,
    application: String,
    lasts: String,
    action: String,
    look: String,
}

/// What comes with the page.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    to: String,
}

/// Who may break it: the application, on which device their browser runs, and who they are.
fn whoever<'a>(
    app: &'a App,
    name: &str,
    headers: &HeaderMap,
) -> Result<(&'a Application, OnDevice, PersonId), super::PageError> {
    let application = app.gate.settings.application(name).ok_or_else(|| nothing_here("application"))?;
    let now = app.now();
    let refused = || Refusal::said(Kind::Forbidden, "glass-not-you");
    let on = gate::marked(app, headers).ok_or_else(refused)?;
    let session = door::live_session(app, on.session, now).ok_or_else(refused)?;
    let of = (session.person, on.device);
    if glass::may_break(&app.gate.index, &app.pack(), application, of, now) {
        return Ok((application, on, session.person));
    }
    Err(refused().into())
}

/// `GET /gate/glass/{application}`: what it is, what it costs, and the way to mend it first.
pub async fn get(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Page {
    let words = Words::asked(&headers);
    let to = encode(auth::local_path(&asked.to).unwrap_or("/"));
    let (application, ..) = match whoever(&app, &name, &headers) {
        Ok(found) => found,
        // It may be known again by now, or never have been theirs: the other page says which.
        Err(_) => return Ok(Redirect::to(&format!("/gate/refused/{name}?to={to}")).into_response()),
    };
    let lasts = app.pack().manifest.break_glass.as_ref().map_or(0, |glass| glass.lasts());
    page(&Shown {
        base: Base::public(&words, words.say("glass-title")),
        application: application.title.clone(),
        lasts: words.length(lasts),
        action: format!("/gate/glass/{name}?to={to}"),
        look: format!("/gate/refused/{name}?to={to}"),
    })
}

/// What the form says.
#[derive(Debug, Deserialize)]
pub struct Said {
    #[serde(default)]
    reason: String,
}

/// `POST /gate/glass/{application}`: written down first, then in.
pub async fn post(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    Form(said): Form<Said>,
) -> Page {
    let (application, on, person) = whoever(&app, &name, &headers)?;
    if !REASONS.contains(&said.reason.as_str()) {
        return Err(Refusal::said(Kind::Malformed, "glass-reason-wanted").into());
    }
    let (now, pack) = (app.now(), app.pack());
    let Some(rule) = &pack.manifest.break_glass else {
        return Err(Refusal::said(Kind::Forbidden, "glass-not-you").into());
    };
    let until = now.plus(rule.lasts());
    let place = application.place(&pack);
    let why = decide::in_memory(&app.gate.index, &pack, (person, on.device), place, now).unwrap_or_default();
    let broken = Broken {
        at: now,
        person,
        device: on.device,
        application: application.name.clone(),
        reason: said.reason,
        not_known: why.iter().map(|why| why.word().to_owned()).collect(),
        until,
    };
    flow::record(&app, &broken).await?;
    app.gate.glass.break_(on.session, &application.name, until, now);
    let to = format!("{}{}", application.url, auth::local_path(&asked.to).unwrap_or("/"));
    sign_in::on_page(&Words::asked(&headers), &to)
}

//! What somebody was told, and how they want to be told it.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use stead_model::{Millis, problem::Kind};
use stead_store::notice::{Choice, Notice};

use super::{
    Base, Page, Reader,
    form::{self, Form},
    page, parts,
};
use crate::{
    App,
    error::Refusal,
    flows::notices::{self, Soon, Topic, calendar as feed},
};

/// Notices on the page.
const SHOWN: i64 = 100;

#[derive(Template)]
#[template(path = "notices.html")]
struct NoticesPage {
    base: Base,
    form: Form,
    now: Millis,
    notices: Vec<Notice>,
    choice: Choice,
    email: String,
    mail: bool,
    chat: bool,
    calendar_since: Option<Millis>,
    /// The address of the calendar, when it was made just now.
    feed: String,
}

impl NoticesPage {
    /// The topics with what was chosen, but for the one that nobody chooses.
    fn topics(&self) -> Vec<(&'static str, &'static str)> {
        let chosen = |topic: &Topic| (topic.word(), topic.soon(&self.choice).word());
        Topic::ALL.iter().filter(|topic| **topic != Topic::Account).map(chosen).collect()
    }

    fn soons(&self) -> [&'static str; 4] {
        Soon::ALL.map(Soon::word)
    }

    fn said(&self, notice: &Notice) -> String {
        notices::said(notice, &self.base.words)
    }

    fn icon(&self, notice: &Notice) -> &'static str {
        match notice.topic.as_str() {
            "account" => "key",
            "devices" => "laptop",
            "tasks" => "papers",
            _ => "eye",
        }
    }
}

/// `GET /me/notices`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader) -> Page {
    page(&gather(&app, &reader, Form::default(), String::new()).await?)
}

async fn gather(app: &App, reader: &Reader, form: Form, feed: String) -> Result<NoticesPage, Refusal> {
    let person = reader.caller.person();
    Ok(NoticesPage {
        base: Base::plain(app, reader, reader.words.say("notices-title"), "/me"),
        form,
        now: app.now(),
        notices: app.store.notices(person.id, SHOWN).await?,
        choice: notices::choice(app, person.id).await?,
        email: person.email.clone().unwrap_or_default(),
        mail: app.mail.is_some(),
        chat: app.store.hooks().await?.iter().any(|hook| hook.people),
        calendar_since: app.store.calendar_since(person.id).await?,
        feed,
    })
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    devices: String,
    #[serde(default)]
    tasks: String,
    #[serde(default)]
    record: String,
    #[serde(default)]
    mail: String,
    #[serde(default)]
    desktop: String,
    #[serde(default)]
    chat: String,
}

/// `POST /me/notices`.
pub async fn choose(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Chosen>) -> Page {
    let choice = Choice {
        devices: sent.devices,
        tasks: sent.tasks,
        record: sent.record,
        mail: !sent.mail.is_empty(),
        desktop: !sent.desktop.is_empty(),
        chat: sent.chat,
    };
    match notices::choose(&app, reader.caller.person(), choice).await {
        Ok(()) => Ok(Redirect::to("/me/notices").into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&gather(&app, &reader, form, String::new()).await?)?))
        }
    }
}

/// `POST /me/notices/calendar`: an address for one's calendar, told this once.
pub async fn begin_calendar(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let address = feed::begin(&app, reader.caller.id()).await?;
    page(&gather(&app, &reader, Form::default(), address).await?)
}

/// `POST /me/notices/calendar/end`.
pub async fn end_calendar(State(app): State<Arc<App>>, reader: Reader) -> Page {
    feed::end(&app, reader.caller.id()).await?;
    Ok(Redirect::to("/me/notices#calendar").into_response())
}

/// `GET /calendar/{secret}`.
pub async fn calendar(
    State(app): State<Arc<App>>,
    Path(secret): Path<String>,
) -> Result<Response, super::PageError> {
    let secret = secret.strip_suffix(".ics").unwrap_or(&secret);
    let text =
        feed::show(&app, secret).await?.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))?;
    Ok(([(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], text).into_response())
}

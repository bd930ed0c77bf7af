//! Before another person's record opens: what for. Asked once per visit, and shown to that person.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use stead_model::PersonId;

use super::{
    Base, Page, Reader,
    form::{self, Form},
    nothing_here, page, parts,
};
use crate::{App, auth, flows::look};

#[derive(Template)]
#[template(path = "look.html")]
struct Ask {
    base: Base,
    form: Form,
    name: String,
    sent: Sent,
}

impl Ask {
    fn purposes(&self) -> [(&'static str, String); look::PURPOSES.len()] {
        look::PURPOSES.map(|purpose| (purpose, self.base.words.purpose(purpose)))
    }
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
pub struct Sent {
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    words: String,
    #[serde(default)]
    to: String,
}

/// `GET /people/{id}/look`.
pub async fn ask(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<PersonId>,
    Query(sent): Query<Sent>,
) -> Page {
    page(&asking(&app, &reader, id, Form::default(), sent).await?)
}

async fn asking(
    app: &App,
    reader: &Reader,
    id: PersonId,
    form: Form,
    sent: Sent,
) -> Result<Ask, super::PageError> {
    let person = app.store.person(id).await?.ok_or_else(|| nothing_here("person"))?;
    let base = Base::plain(app, reader, reader.words.say("look-title"), "/people");
    Ok(Ask { base, form, name: person.name, sent })
}

/// `POST /people/{id}/look`.
pub async fn record(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<PersonId>,
    Posted(sent): Posted<Sent>,
) -> Page {
    let visit = reader.caller.who().session.id.to_string();
    let why = (sent.purpose.as_str(), sent.words.as_str());
    match look::record(&app, reader.caller.id(), &visit, id, why).await {
        Ok(()) => {
            let record = format!("/people/{id}");
            Ok(Redirect::to(auth::local_path(&sent.to).unwrap_or(&record)).into_response())
        }
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&asking(&app, &reader, id, form, sent).await?)?))
        }
    }
}

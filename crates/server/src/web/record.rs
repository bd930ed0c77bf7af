//! "What we know about you": every fact that is held on the reader, what it is for and how long it is kept;
//! and who looked at it. What the page shows is gathered once, and is the same in the export.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use stead_model::{Millis, time};
use stead_store::{clear_out::Item, look::Look, people::Person};

use super::{Base, Page, Reader, download, page, parts};
use crate::{
    App,
    record::{self, Section},
};

/// Looks shown.
const LOOKS: i64 = 100;

#[derive(Template)]
#[template(path = "record.html")]
struct Record {
    base: Base,
    now: Millis,
    sections: Vec<Section>,
    facts: usize,
    looks: Vec<Look>,
    lookers: (i64, i64),
    clear_out: Vec<Item>,
    person: Person,
}

impl Record {
    fn headline(&self) -> String {
        self.base.words.count("record-headline", i64::try_from(self.facts).unwrap_or(i64::MAX))
    }
}

/// `GET /me`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let person = reader.caller.person().clone();
    let now = app.now();
    let sections = record::of(&app, &person, &reader.words).await?;
    page(&Record {
        base: Base::plain(&app, &reader, reader.words.say("menu-record"), "/me"),
        now,
        facts: sections.iter().map(Section::facts).sum(),
        sections,
        looks: app.store.looks(person.id, LOOKS).await?,
        lookers: app.store.looks_since(person.id, now.plus(-365 * time::DAY)).await?,
        clear_out: app.store.clear_out(person.id).await?,
        person,
    })
}

/// `GET /me/record.json`: the same as a file.
pub async fn json(State(app): State<Arc<App>>, reader: Reader) -> Result<Response, super::PageError> {
    let person = reader.caller.person();
    let sections = record::of(&app, person, &reader.words).await?;
    let looks = app.store.looks(person.id, i64::MAX).await?;
    let body = serde_json::json!({
        "format": "stead-record/1",
        "person": person.id,
        "made_at": app.now().to_string(),
        "sections": sections,
        "looks": looks.iter().map(|look| serde_json::json!({
            "at": look.at.to_string(), "by": look.viewer_name, "purpose": look.purpose,
            "words": look.words, "ledger_entry": look.entry,
        })).collect::<Vec<_>>(),
    });
    Ok(download("what-stead-knows-about-me.json", "application/json", super::json(&body)?))
}

/// `GET /me/record.pdf`: the same in print.
pub async fn pdf(State(app): State<Arc<App>>, reader: Reader) -> Result<Response, super::PageError> {
    let printed = record::pdf(&app, reader.caller.person(), &reader.words).await?;
    Ok(download("what-stead-knows-about-me.pdf", "application/pdf", printed))
}

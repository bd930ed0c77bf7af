//! Who confirmed the policy in force, who is missing, and why.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;
use stead_model::Millis;
use stead_store::people::Listed;

use super::super::{Base, Page, Reader, encode, page, parts};
use crate::{
    App,
    flows::policy::reach::{self, Why},
};

/// People on a page.
const PAGE: usize = 100;

#[derive(Template)]
#[template(path = "policy_reach.html")]
struct ReachPage {
    base: Base,
    label: String,
    due: Option<Millis>,
    all: i64,
    confirmed: i64,
    missing: Vec<(Listed, Why)>,
    next: Option<String>,
}

impl ReachPage {
    fn why(&self, why: &Why) -> String {
        self.base.say(&format!("reach-{}", why.word()))
    }
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    after: String,
    #[serde(default)]
    id: String,
}

/// `GET /policy/reach`: who confirmed the policy in force, and who is missing, and why.
pub async fn reach(State(app): State<Arc<App>>, reader: Reader, Query(asked): Query<Asked>) -> Page {
    let pack = app.pack();
    let after = (!asked.after.is_empty()).then_some((asked.after, asked.id));
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut missing = app.store.to_confirm(&pack.digest, after, limit).await?;
    let more = missing.len() > PAGE;
    missing.truncate(PAGE);
    let (all, confirmed) = app.store.reached(&pack.digest).await?;
    let next = missing
        .last()
        .filter(|_| more)
        .map(|last| format!("/policy/reach?after={}&id={}", encode(&last.search), last.person.id));
    page(&ReachPage {
        base: Base::of(&app, &reader, reader.words.say("reach-title"), "/policy"),
        label: pack.label(),
        due: reach::due(&app).await?,
        all,
        confirmed,
        next,
        missing: reach::why(&app, missing).await?,
    })
}

//! How the installation is: for whoever runs it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use stead_model::{Employment, Millis, Role, UnitId};

use super::{Base, Page, Reader, page, parts};
use crate::App;

#[derive(Template)]
#[template(path = "system.html")]
struct System {
    base: Base,
    now: Millis,
    version: &'static str,
    engine: &'static str,
    bytes: i64,
    entries: i64,
    checkpoint: String,
    policy: String,
    policy_digest: String,
    base_url: String,
    passkeys: bool,
    jobs: Vec<crate::jobs::Ran>,
    people: Vec<(Employment, i64)>,
    operators: Vec<String>,
}

impl System {
    fn wrong(&self) -> bool {
        self.jobs.iter().any(|job| job.failed.is_some())
    }
}

/// `GET /system`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let head = app.store.ledger_head().await?;
    let operators = app.store.holders(Role::Operator, UnitId::ORGANISATION).await?;
    page(&System {
        base: Base::of(&app, &reader, reader.words.say("system-title"), "/system"),
        now: app.now(),
        version: env!("CARGO_PKG_VERSION"),
        engine: app.store.engine(),
        bytes: app.store.bytes().await?,
        entries: i64::try_from(head.size).unwrap_or(i64::MAX),
        checkpoint: head.checkpoint.lines().nth(2).unwrap_or_default().to_owned(),
        policy: app.pack.label(),
        policy_digest: app.pack.digest.clone(),
        base_url: app.config.base_url.clone(),
        passkeys: app.passkeys.is_some(),
        jobs: app.jobs.ran(),
        people: app.store.people_by_state(UnitId::ORGANISATION).await?,
        operators: operators.into_iter().map(|(_, name)| name).collect(),
    })
}

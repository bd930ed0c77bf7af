//! One version: its text as it was, and what it changed.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use stead_store::policy::Version;

use super::{
    super::{Base, Page, Reader, nothing_here, page, parts},
    comes, name,
    told::{Told, Whole, load, read, told, whole},
};
use crate::{App, flows::policy};

#[derive(Template)]
#[template(path = "policy_version.html")]
struct OneVersion {
    base: Base,
    version: Version,
    author: String,
    approver: String,
    before: Option<Version>,
    changes: Vec<Told>,
    rules: Vec<Whole>,
    in_force: bool,
    comes: bool,
}

/// `GET /policy/versions/{digest}`: the text as it was, and what it changed.
pub async fn version(State(app): State<Arc<App>>, reader: Reader, Path(digest): Path<String>) -> Page {
    let Some((version, text)) = app.store.policy_version(&digest).await? else {
        return Err(nothing_here("policy"));
    };
    let pack = load(policy::files_of(&version, &text)?).await?;
    let words = &reader.words;
    let all = app.store.policy_versions().await?;
    let comes = comes(&version, &all);
    let before = all.into_iter().find(|other| other.entry < version.entry);
    let changes = match &before {
        Some(before) => {
            let old = read(&app, &before.digest).await;
            old.map_or_else(|_| Vec::new(), |old| told(&old, &pack, &app.pack(), words))
        }
        None => Vec::new(),
    };
    page(&OneVersion {
        base: Base::plain(&app, &reader, version.label(), "/policy"),
        author: name(&app, &version.author, words).await?,
        approver: name(&app, &version.approver, words).await?,
        rules: whole(&pack, words),
        in_force: app.pack().digest == version.digest,
        comes,
        before,
        changes,
        version,
    })
}

//! The ledger's entries. What proves them is served as files at `/ledger/…`.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stead_model::{problem::Kind, seal};
use stead_store::ledger::StoredEntry;
use utoipa::{IntoParams, ToSchema};

use super::{
    given::{Asked, Id, limit},
    shapes::{Part, at},
};
use crate::{
    App,
    error::{ApiError, FieldError, Refusal},
};

/// Which entries are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Those about this subject, as in `device:…`.
    #[param(max_length = 100)]
    subject: Option<String>,
    /// `next` of the part before.
    after: Option<String>,
    /// How many, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// An entry.
#[derive(Serialize, ToSchema)]
pub struct Entry {
    /// Its position.
    index: u64,
    /// When it was written.
    #[schema(format = DateTime)]
    at: String,
    /// What happened.
    kind: String,
    /// Whom it is about.
    subject: String,
    /// Who or what caused it.
    by: String,
    /// What is said of it.
    #[schema(value_type = Object)]
    data: Value,
    /// Its leaf in the tree, hexadecimal.
    leaf: String,
    /// The text that was hashed.
    text: String,
}

impl From<StoredEntry> for Entry {
    fn from(stored: StoredEntry) -> Self {
        let mut parsed: Value = serde_json::from_str(&stored.text).unwrap_or_default();
        Self {
            index: stored.index,
            at: at(stored.at),
            kind: stored.kind,
            subject: stored.subject,
            by: parsed["by"].as_str().unwrap_or_default().to_owned(),
            data: parsed["data"].take(),
            leaf: seal::hex(&stored.leaf),
            text: stored.text,
        }
    }
}

/// Lists entries, newest first.
#[utoipa::path(get, path = "/api/v1/ledger", tag = "ledger", params(Which),
    responses((status = 200, body = Part<Entry>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Asked(which): Asked<Which>,
) -> Result<Json<Part<Entry>>, ApiError> {
    let limit = limit(which.limit)?;
    let before = match which.after.as_deref().filter(|after| !after.is_empty()) {
        None => u64::MAX,
        Some(after) => after.parse().map_err(|_| Refusal::form(FieldError::new("after", "after-wrong")))?,
    };
    let subject: Option<String> =
        which.subject.map(|subject| subject.chars().filter(|c| !c.is_control()).take(100).collect());
    let entries = app.store.ledger_newest(subject.as_deref(), before, limit).await?;
    let full = i64::try_from(entries.len()).is_ok_and(|n| n == limit);
    let next = entries.last().filter(|last| full && last.index > 0).map(|last| last.index.to_string());
    Ok(Json(Part { items: entries.into_iter().map(Into::into).collect(), next }))
}

/// Gives one entry.
#[utoipa::path(get, path = "/api/v1/ledger/{index}", tag = "ledger",
    params(("index" = u64, Path)), responses((status = 200, body = Entry)))]
pub async fn get(State(app): State<Arc<App>>, Id(index): Id<u64>) -> Result<Json<Entry>, ApiError> {
    let nothing = || Refusal::said(Kind::NotFound, "nothing-here");
    let index = i64::try_from(index).map_err(|_| nothing())?.unsigned_abs();
    Ok(Json(app.store.ledger_entry(index).await?.ok_or_else(nothing)?.into()))
}

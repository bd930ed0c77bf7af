//! The ledger: entries with their proof, and the files that public tools verify it by (C2SP tlog-tiles).

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::Value;
use stead_ledger::{Checkpoint, tile, tree};
use stead_model::{Millis, Outcome, Standing, seal};
use stead_store::ledger::StoredEntry;

use super::{Base, Page, PageError, Reader, download, json, nothing_here, page, parts};
use crate::{App, bundle, error::Refusal};

/// Entries on a page.
const PAGE: i64 = 50;

/// An entry in words.
#[derive(Debug)]
pub struct Shown {
    /// Its position.
    pub index: u64,
    /// When it was written.
    pub at: Millis,
    /// What happened.
    pub what: String,
    /// Whom it is about, shortened.
    pub subject: String,
    /// Where that leads.
    pub link: Option<String>,
    /// Who or what caused it.
    pub by: String,
    /// The first digits of its leaf.
    pub leaf: String,
}

/// An entry in words. Titles of rules come from the policy in force.
pub fn shown(app: &App, entry: &StoredEntry) -> Shown {
    let value: Value = serde_json::from_str(&entry.text).unwrap_or_default();
    let data = &value["data"];
    let device = entry.subject.strip_prefix("device:");
    let short =
        |id: &str| id.parse::<stead_model::DeviceId>().map_or_else(|_| id.to_owned(), |id| id.short());
    let named = value["by"].as_str().unwrap_or_default();
    let mut by = match named.split_once(':') {
        Some((kind, id)) => format!("{kind} {}", short(id)),
        None => named.to_owned(),
    };
    if let Some(first) = by.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Shown {
        index: entry.index,
        at: entry.at,
        what: what(app, &entry.kind, data),
        subject: match entry.subject.split_once(':') {
            Some((kind, id)) => format!("{kind} {}", short(id)),
            None => entry.subject.clone(),
        },
        link: device.map(|id| format!("/devices/{id}")),
        by,
        leaf: format!("{}…", &seal::hex(&entry.leaf)[..6]),
    }
}

fn what(app: &App, kind: &str, data: &Value) -> String {
    let text = |name: &str| data[name].as_str().unwrap_or_default();
    let outcome = |value: &Value, none: &str| {
        let outcome = value.as_str().and_then(Outcome::from_word);
        outcome.map_or_else(|| none.to_owned(), |outcome| outcome.to_string().to_lowercase())
    };
    let standing = |name: &str| {
        Standing::from_word(text(name)).map_or_else(|| "?".to_owned(), |s| s.to_string().to_lowercase())
    };
    match kind {
        "findings.changed" => {
            let changes = data["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
            let title = |change: &Value| {
                let id = change["rule"].as_str().unwrap_or_default();
                app.pack().rule(id).map_or_else(|| id.to_owned(), |rule| rule.title.clone())
            };
            match changes {
                [one] => format!(
                    "Finding changed: “{}”, {} to {}",
                    title(one),
                    outcome(&one["from"], "new"),
                    outcome(&one["to"], "asked no more")
                ),
                many => format!("{} findings changed", many.len()),
            }
        }
        "standing.changed" => format!("Standing changed: {} to {}", standing("from"), standing("to")),
        "device.enrolled" => "Device enrolled".to_owned(),
        "device.revoked" => "Device revoked".to_owned(),
        "gate.glass" => "Glass broken at the gate".to_owned(),
        "device.certified" => "Certificate for connections given to a device".to_owned(),
        "tunnel.begun" => "First let through a tunnel".to_owned(),
        "device.restored" => "Device let in again after a loss".to_owned(),
        "loss.told" => format!("Loss reported: {}", text("thing")),
        "loss.again" => "Loss reported again".to_owned(),
        "loss.practised" => "Reporting a loss practised".to_owned(),
        "loss.heard" => "Lost device heard, told to lock and forget".to_owned(),
        "loss.obeyed" => "Lost device forgot its keys".to_owned(),
        "loss.found" => "Lost thing found".to_owned(),
        "loss.mistaken" => "Loss was a false alarm".to_owned(),
        "loss.let-in" => "Lost thing let in again".to_owned(),
        "loss.step" => format!("Step of a loss done: {}", text("step")),
        "loss.note" => "Note about a loss".to_owned(),
        "loss.closed" => "Loss closed".to_owned(),
        "loss-card.made" => "Wallet card made".to_owned(),
        "loss-card.ended" => "Wallet card taken back".to_owned(),
        "person.added" => "Person written down".to_owned(),
        "code.given" => "Enrolment code given out".to_owned(),
        "link.made" => "Sign-in link made".to_owned(),
        "session.begun" => "Signed in".to_owned(),
        "session.ended" => "Signed out".to_owned(),
        "sessions.ended" => "Signed out elsewhere".to_owned(),
        "person.changed" => "Person changed".to_owned(),
        "person.state" => {
            let words = |name: &str| text(name).replace('_', " ");
            format!("Person moved on: {} to {}", words("from"), words("to"))
        }
        "person.looked-at" => "Record opened for a purpose".to_owned(),
        "role.given" => format!("Role given: {}", text("role")),
        "role.taken" => format!("Role taken back: {}", text("role")),
        "unit.added" => "Unit added".to_owned(),
        "unit.changed" => "Unit changed".to_owned(),
        "people.imported" => "People brought in from a file".to_owned(),
        "clear-out.begun" => "Leaving: list begun".to_owned(),
        "clear-out.returned" => "Leaving: something came back".to_owned(),
        "person.erased" => "Record of somebody who left erased".to_owned(),
        "access.ended" => "Leaving: access ended".to_owned(),
        "password.set" => "Password set".to_owned(),
        "password.removed" => "Password removed".to_owned(),
        "authenticator.on" => "Authenticator turned on".to_owned(),
        "authenticator.off" => "Authenticator removed".to_owned(),
        "recovery-code.used" => "Recovery code used".to_owned(),
        "passkey.added" => "Passkey added".to_owned(),
        "passkey.removed" => "Passkey removed".to_owned(),
        "outside-identity.added" => "Account elsewhere linked".to_owned(),
        "token.made" => "Token made".to_owned(),
        "token.ended" => "Token ended".to_owned(),
        "calendar.begun" => "Calendar given an address".to_owned(),
        "calendar.ended" => "Calendar's address taken away".to_owned(),
        "hook.added" => "System connected".to_owned(),
        "hook.ended" => "System disconnected".to_owned(),
        "policy.proposed" => format!("Version proposed: {}", text("policy")),
        "policy.published" => format!("Version published: {}", text("policy")),
        "policy.in-force" => format!("In force from now on: {}", text("policy")),
        "policy.superseded" => format!("Never came into force: {}", text("policy")),
        "policy.withdrawn" => "Proposal turned down".to_owned(),
        "policy.confirmed" => format!("Policy confirmed: {}", text("policy")),
        "policy.reviewed" => format!("Policy reviewed: {}", text("policy")),
        "backup.made" => "Backup made".to_owned(),
        "team.attested" => "Team confirmed for the month".to_owned(),
        "reports.anchored" => {
            format!("Digests of {} last reports anchored", data["reports"].as_u64().unwrap_or(0))
        }
        other => other.to_owned(),
    }
}

#[derive(Template)]
#[template(path = "ledger.html")]
struct Ledger {
    base: Base,
    now: Millis,
    entries: Vec<Shown>,
    size: u64,
    next: Option<u64>,
    checkpoint: String,
    key: String,
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    before: Option<u64>,
}

/// `GET /ledger`.
pub async fn list(reader: Reader, State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Page {
    let head = app.store.ledger_head().await?;
    let before = asked.before.unwrap_or(head.size).min(head.size);
    let entries: Vec<Shown> =
        app.store.ledger_newest(None, before, PAGE).await?.iter().map(|entry| shown(&app, entry)).collect();
    let next = entries.last().map(|entry| entry.index).filter(|index| *index > 0);
    page(&Ledger {
        base: Base::of(&app, &reader, "Ledger", "/ledger"),
        now: app.now(),
        entries,
        size: head.size,
        next,
        checkpoint: head.checkpoint,
        key: app.keys.ledger.public().to_string(),
    })
}

#[derive(Template)]
#[template(path = "ledger_entry.html")]
struct EntryPage {
    base: Base,
    now: Millis,
    entry: Shown,
    pretty: String,
    leaf: String,
    proof: Vec<String>,
    checkpoint: String,
    size: u64,
    verified: bool,
}

struct Proven {
    entry: StoredEntry,
    proof: Vec<stead_ledger::Hash>,
    checkpoint: String,
    size: u64,
    verified: bool,
}

async fn prove(app: &App, index: &str) -> Result<Proven, PageError> {
    let index: u64 = index.parse().map_err(|_| nothing_here("entry"))?;
    let entry = app.store.ledger_entry(index).await?.ok_or_else(|| nothing_here("entry"))?;
    let head = app.store.ledger_head().await?;
    let proof = app.store.inclusion_proof(index, head.size).await?.unwrap_or_default();
    let signed = Checkpoint::open(&head.checkpoint, app.keys.ledger.public());
    // Everything from the text up: what is stored as its leaf is not believed.
    let leaf = tree::leaf_hash(entry.text.as_bytes());
    let verified =
        signed.is_ok_and(|signed| tree::verify_inclusion(leaf, index, signed.size, &proof, &signed.root));
    Ok(Proven { entry, proof, checkpoint: head.checkpoint, size: head.size, verified })
}

/// `GET /ledger/entries/{index}`: the entry, checked against the signed checkpoint as the page is made.
pub async fn entry(reader: Reader, State(app): State<Arc<App>>, Path(index): Path<String>) -> Page {
    let proven = prove(&app, &index).await?;
    let value: Value = serde_json::from_str(&proven.entry.text).unwrap_or_default();
    page(&EntryPage {
        base: Base::of(
            &app,
            &reader,
            format!("Entry {}", parts::number(i64::try_from(proven.entry.index).unwrap_or(i64::MAX))),
            "/ledger",
        ),
        now: app.now(),
        pretty: json(&value)?,
        leaf: seal::hex(&proven.entry.leaf),
        proof: proven.proof.iter().map(|hash| seal::hex(hash)).collect(),
        checkpoint: proven.checkpoint,
        size: proven.size,
        verified: proven.verified,
        entry: shown(&app, &proven.entry),
    })
}

/// `GET /ledger/entries/{index}/bundle`: the entry, its proof and the signed checkpoint, to verify offline.
///
/// With `seen`, the size of a checkpoint that somebody kept, also that the log continues it.
pub async fn bundle(
    State(app): State<Arc<App>>,
    Path(index): Path<String>,
    Query(kept): Query<Kept>,
) -> Result<Response, PageError> {
    let index: u64 = index.parse().map_err(|_| nothing_here("entry"))?;
    let entry = app.store.ledger_entry(index).await?.ok_or_else(|| nothing_here("entry"))?;
    let bundle = bundle::of_entry(&app, entry, kept.seen).await.map_err(Refusal::from)?;
    Ok(download(&format!("entry-{index}.json"), "application/json", json(&bundle)?))
}

/// What a bundle is asked for with.
#[derive(Debug, Default, Deserialize)]
pub struct Kept {
    /// The size of a checkpoint that somebody kept.
    pub(super) seen: Option<u64>,
}

/// `GET /ledger/checkpoint`. Anybody may hold us to it.
pub async fn checkpoint(State(app): State<Arc<App>>) -> Result<Response, PageError> {
    let head = app.store.ledger_head().await?;
    if head.size == 0 {
        return Err(nothing_here("checkpoint yet"));
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], head.checkpoint).into_response())
}

/// `GET /ledger/key`: the key that checks checkpoints, as a signed-note verifier key.
pub async fn key(State(app): State<Arc<App>>) -> String {
    format!("{}\n", app.keys.ledger.public())
}

/// `GET /ledger/tile/{level}/{index}`: hashes, 32 bytes each. They say nothing about anybody.
pub async fn tile(
    State(app): State<Arc<App>>,
    Path((level, index)): Path<(u32, String)>,
) -> Result<Response, PageError> {
    let (index, width) = tile::parse_index(&index).ok_or_else(|| nothing_here("tile"))?;
    let size = app.store.ledger_head().await?.size;
    if level > 7 || tile::width(size, level, index) < width {
        return Err(nothing_here("tile"));
    }
    let hashes = app.store.ledger_tile(size, level, index).await?;
    let take = usize::try_from(width).unwrap_or(usize::MAX);
    let bytes: Vec<u8> = hashes.iter().take(take).flatten().copied().collect();
    let kept = if width == tile::WIDTH { "public, max-age=31536000, immutable" } else { "no-store" };
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, kept)];
    Ok((StatusCode::OK, headers, bytes).into_response())
}

//! A device: what each rule says of it, since when, why, and how to mend it; its history; its proof.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use stead_model::{
    DeviceId, Millis, Outcome, RecordId, Stage, Standing,
    seal::{self, Envelope, VerifyingKey},
    time::DAY,
};
use stead_policy::Rule;
use stead_store::{
    device::{Device, StandingChange, StoredReport},
    finding::StoredFinding,
};

use super::{Base, Page, Reader, download, json, ledger, markdown, nothing_here, page, parts};
use crate::{
    App,
    auth::{
        access::{Action, Object},
        guard,
    },
    bundle,
    error::Refusal,
    flows::{device_subject, revoke},
    words::Words,
};

/// Days in the history.
const DAYS: i64 = 30;

#[derive(Template)]
#[template(path = "device.html")]
struct DevicePage {
    base: Base,
    now: Millis,
    device: Device,
    say: String,
    strip: Vec<Option<Standing>>,
    changes: Vec<StandingChange>,
    show: Show,
    counts: [(Show, usize); 4],
    findings: Vec<Row>,
    report: Option<Sealed>,
    entries: Vec<ledger::Shown>,
    size: u64,
    own: bool,
    may_list: bool,
    may_revoke: bool,
    /// The loss for which it is shut out.
    loss: Option<RecordId>,
    expert: bool,
}

impl DevicePage {
    fn tab(&self, show: &Show) -> String {
        self.base.say(show.name())
    }
}

struct Row {
    finding: StoredFinding,
    title: String,
    why: parts::Html,
    fixes: Vec<(String, parts::Html)>,
    stage: Stage,
    due: Option<Millis>,
    note: String,
}

struct Sealed {
    stored: StoredReport,
    valid: bool,
    key: String,
}

/// Which findings are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Show {
    /// All.
    #[default]
    All,
    /// Those that fail.
    Failing,
    /// Those that are unknown.
    Unknown,
    /// Those that pass.
    Passing,
}

impl Show {
    fn name(self) -> &'static str {
        match self {
            Self::All => "show-all",
            Self::Failing => "show-failing",
            Self::Unknown => "show-unknown",
            Self::Passing => "show-passing",
        }
    }

    fn query(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Failing => "failing",
            Self::Unknown => "unknown",
            Self::Passing => "passing",
        }
    }

    fn takes(self, outcome: Outcome) -> bool {
        match self {
            Self::All => true,
            Self::Failing => outcome == Outcome::Fail,
            Self::Unknown => outcome == Outcome::Unknown,
            Self::Passing => outcome == Outcome::Pass,
        }
    }
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    show: Show,
}

/// `GET /devices/{id}`.
pub async fn get(
    reader: Reader,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let device = find(&app, &id).await?;
    let now = app.now();
    let words = &reader.words;
    let own = device.person == reader.caller.id();
    let stored = app.store.findings(device.id).await?;
    let mut rows: Vec<Row> =
        stored.into_iter().filter_map(|finding| row(&app, words, finding, now)).collect();
    let place = |row: &Row| {
        let order = Outcome::ALL.iter().position(|outcome| *outcome == row.finding.outcome);
        (order, row.stage == Stage::Observe, row.due, row.title.clone())
    };
    rows.sort_by_key(place);
    let say = say(words, &device, &rows, now);
    let counts = [Show::All, Show::Failing, Show::Unknown, Show::Passing]
        .map(|show| (show, rows.iter().filter(|row| show.takes(row.finding.outcome)).count()));
    rows.retain(|row| asked.show.takes(row.finding.outcome));

    let changes = app.store.standing_changes(device.id, now.plus(-DAYS * DAY)).await?;
    let strip = strip(&changes, now);
    let report = app.store.report(device.id).await?.map(|stored| sealed(&device, stored));
    let head = app.store.ledger_head().await?;
    let entries = app.store.ledger_newest(Some(&device_subject(device.id)), head.size, 12).await?;
    let title = if own {
        device.name.clone()
    } else {
        words.with("device-of", [("device", device.name.clone()), ("name", device.person_name.clone())])
    };
    let may_list = reader.caller.may_to_all(&app, Action::DevicesList);
    let may_revoke = device.revoked_at.is_none()
        && match guard::person_object(&app, device.person).await? {
            Some(Object::Person(person, place)) => {
                let object = Object::Device(device.id, person, place);
                reader.caller.may(&app, Action::DeviceRevoke, &object)
            }
            Some(Object::Unit(_) | Object::Device(..)) | None => false,
        };
    let loss = match device.lost_at {
        Some(_) => app.store.loss_of_device(device.id).await?.map(|loss| loss.id),
        None => None,
    };
    let base = if own && !may_list {
        Base::plain(&app, &reader, title, "/home")
    } else {
        Base::of(&app, &reader, title, "/devices")
    };
    page(&DevicePage {
        expert: base.expert,
        base,
        own,
        may_list,
        may_revoke,
        loss,
        now,
        say,
        strip,
        changes,
        show: asked.show,
        counts,
        findings: rows,
        report,
        entries: entries.iter().map(|entry| ledger::shown(&app, entry)).collect(),
        size: head.size,
        device,
    })
}

/// The device of an id in a path.
pub(super) async fn find(app: &App, id: &str) -> Result<Device, super::PageError> {
    let id: DeviceId = id.parse().map_err(|_| nothing_here("device"))?;
    app.store.device(id).await?.ok_or_else(|| nothing_here("device"))
}

fn row(app: &App, words: &Words, mut finding: StoredFinding, now: Millis) -> Option<Row> {
    let pack = app.pack();
    let rule = pack.rule(&finding.rule)?;
    let due = finding.due;
    let text = rule.text(words.language.tag());
    // What is said when a rule does not concern a device is the rule's own sentence.
    if finding.outcome == Outcome::NotApplicable
        && rule.when.as_ref().is_some_and(|(_, not)| *not == finding.observed)
        && let Some(not) = text.when_not
    {
        finding.observed = not;
    }
    Some(Row {
        title: text.title,
        why: markdown::html(&text.why),
        fixes: text.fixes.iter().map(|fix| (fix.heading.clone(), markdown::html(&fix.text))).collect(),
        stage: finding.stage,
        due,
        note: note(words, rule, &finding, due, now),
        finding,
    })
}

fn note(words: &Words, rule: &Rule, finding: &StoredFinding, due: Option<Millis>, now: Millis) -> String {
    let tier = [("tier", words.tier(&rule.costs))];
    match (finding.stage, due) {
        _ if !finding.outcome.counts_against() => String::new(),
        (Stage::Observe, _) => words.say("note-observe"),
        (Stage::Advise, _) => words.say("note-advise"),
        (Stage::Enforce, Some(due)) if due > now => words.with("note-due", tier),
        (Stage::Enforce, _) => words.with("note-lapsed", tier),
    }
}

/// The answer in a sentence.
fn say(words: &Words, device: &Device, rows: &[Row], now: Millis) -> String {
    if device.lost_at.is_some() {
        return words.say("device-lost");
    }
    if device.revoked_at.is_some() {
        return words.say("device-revoked");
    }
    let enforced = |row: &&Row| row.stage == Stage::Enforce && row.finding.outcome.counts_against();
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let against = rows.iter().filter(enforced).count();
    let lapsed = rows.iter().filter(enforced).filter(|row| row.due.is_some_and(|due| due <= now)).count();
    match device.standing {
        Standing::Unknown if device.seq == 0 => words.say("device-enrolled-only"),
        Standing::Unknown => words.say("device-silent"),
        Standing::Good => words.say("device-good"),
        Standing::Lapsed => words.count("device-lapsed", count(lapsed)),
        Standing::Due => match rows.iter().filter(enforced).filter_map(|row| row.due).min() {
            Some(due) => {
                words.with("device-due", [("n", against.to_string()), ("time", words.deadline(due))])
            }
            None => words.count("device-lapsed", count(against)),
        },
    }
}

/// The standing at the end of each day, oldest first; the changes come newest first.
fn strip(changes: &[StandingChange], now: Millis) -> Vec<Option<Standing>> {
    (0..DAYS)
        .rev()
        .map(|back| {
            let end = if back == 0 { now } else { Millis((now.day() - back + 1) * DAY - 1) };
            changes.iter().find(|change| change.at <= end).map(|change| change.standing)
        })
        .collect()
}

fn sealed(device: &Device, stored: StoredReport) -> Sealed {
    let key = VerifyingKey::from_text(&device.public_key).ok();
    let envelope: Option<Envelope> = serde_json::from_str(&stored.envelope).ok();
    let valid = key
        .zip(envelope)
        .is_some_and(|(key, envelope)| bundle::is_sealed(&envelope, &key, &stored.digest, &stored.envelope));
    Sealed { valid, key: seal::digest(device.public_key.as_bytes()), stored }
}

/// `GET /devices/{id}/report`: the last sealed report, the key to check it with, and what the ledger says of both.
pub async fn report(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(kept): Query<super::ledger::Kept>,
) -> Result<Response, super::PageError> {
    let device = find(&app, &id).await?;
    let bundle = bundle::of_report(&app, &device, kept.seen).await.map_err(Refusal::from)?;
    let bundle = bundle.ok_or_else(|| nothing_here("report"))?;
    Ok(download(&format!("report-{}.json", device.id), "application/json", json(&bundle)?))
}

/// `POST /devices/{id}/revoke`.
pub async fn revoke(reader: Reader, State(app): State<Arc<App>>, Path(id): Path<String>) -> Page {
    let device = find(&app, &id).await?;
    revoke::revoke(&app, device.id, &reader.caller.by()).await?;
    Ok(Redirect::to(&format!("/devices/{}", device.id)).into_response())
}

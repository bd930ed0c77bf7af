//! What if a proposal or a draft were in force now.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    http::HeaderValue,
    response::{IntoResponse, Response},
};
use stead_model::{Millis, RecordId, Standing, problem::Kind};

use super::{
    super::{Base, Page, PageError, Reader, download, nothing_here, page, parts},
    told::load,
};
use crate::{
    App,
    error::Refusal,
    flows::policy::{
        self,
        trying::{self, Run},
        what_if::{self, Moves, Tried},
    },
    words::Words,
};

/// Those who would stand worse on the page; the file has them all.
const PAGE: usize = 100;
/// Tells a page to ask for all of itself again.
const AGAIN: (&str, HeaderValue) = ("hx-refresh", HeaderValue::from_static("true"));

/// How a unit would move.
struct UnitRow {
    unit: String,
    all: i64,
    due: i64,
    lapsed: i64,
    good: i64,
}

/// How units would move, of devices or of people.
struct Units {
    title: String,
    what: String,
    rows: Vec<UnitRow>,
}

/// A device that would stand worse.
struct One {
    name: String,
    person: String,
    link: String,
    unit: String,
    before: Standing,
    after: Standing,
    lapses_at: Option<Millis>,
    rules: String,
}

#[derive(Template)]
#[template(path = "policy_try.html")]
struct Try {
    base: Base,
    id: RecordId,
    /// Where the draft or proposal is.
    back: String,
    label: String,
    devices: i64,
    people: i64,
    unread: i64,
    worse: i64,
    units: Vec<Units>,
    first: Vec<One>,
}

impl Try {
    /// Whether more would stand worse than the page shows.
    fn is_cut(&self) -> bool {
        usize::try_from(self.worse).is_ok_and(|worse| worse > self.first.len())
    }
}

#[derive(Template)]
#[template(path = "policy_trying.html")]
struct Trying {
    base: Base,
    back: String,
    label: String,
    progress: Progress,
}

/// How far a run is.
#[derive(Template)]
#[template(path = "policy_progress.html")]
struct Progress {
    words: Words,
    id: RecordId,
    judged: i64,
    all: i64,
}

/// The run for what is proposed or drafted, with its label and where it is.
async fn begun(app: &Arc<App>, id: &str) -> Result<(RecordId, String, String, Arc<Run>), PageError> {
    let id: RecordId = id.parse().map_err(|_| nothing_here("policy"))?;
    let draft = app.store.policy_draft(id).await?.ok_or_else(|| nothing_here("policy"))?;
    let back = match draft.state.as_str() {
        "proposed" => format!("/policy/proposals/{id}"),
        "draft" => format!("/policy/drafts/{id}"),
        _ => return Err(nothing_here("policy")),
    };
    let pack = load(policy::files(&draft.files)?).await?;
    let label = pack.label();
    Ok((id, label, back, trying::run(app, (id, draft.revision), pack).await?))
}

fn units(words: &Words, name: &str, what: &str, moves: &Moves) -> Units {
    let rows = moves.rows().map(|(unit, all, [due, lapsed, good])| UnitRow {
        unit: unit.to_owned(),
        all,
        due,
        lapsed,
        good,
    });
    Units { title: words.say(name), what: words.say(what), rows: rows.collect() }
}

fn first(tried: &Tried) -> Vec<One> {
    let shown = tried.worse.iter().take(PAGE).map(|worse| One {
        name: worse.name.clone(),
        person: worse.person.clone(),
        link: format!("/devices/{}", worse.device),
        unit: worse.unit.clone(),
        before: worse.before,
        after: worse.after,
        lapses_at: worse.lapses_at,
        rules: worse.rules.join(", "),
    });
    shown.collect()
}

/// `GET /policy/proposals/{proposal}/try`: what if it were in force now; how far that is, until it is known.
pub async fn try_out(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    let (id, label, back, run) = begun(&app, &id).await?;
    let words = reader.words.clone();
    let base = Base::of(&app, &reader, words.say("try-title"), "/policy");
    let Some(tried) = run.answer()? else {
        let progress = Progress { words, id, judged: run.judged(), all: run.all };
        return page(&Trying { base, back, label, progress });
    };
    page(&Try {
        base,
        id,
        back,
        label,
        devices: tried.devices.judged,
        people: tried.people.judged,
        unread: tried.unread,
        worse: tried.worse(),
        units: vec![
            units(&words, "try-units", "menu-devices", &tried.devices),
            units(&words, "try-units-people", "menu-people", &tried.people),
        ],
        first: first(tried),
    })
}

/// `GET /policy/proposals/{proposal}/try/progress`: how far it is; that the page is to be asked for again, once
/// it is done.
pub async fn progress(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    let (id, _, _, run) = begun(&app, &id).await?;
    let judged = run.judged();
    let shown = page(&Progress { words: reader.words, id, judged, all: run.all })?;
    // The whole page says what came of it, or why nothing did.
    match run.answer() {
        Ok(None) => Ok(shown),
        Ok(Some(_)) | Err(_) => Ok(([AGAIN], shown).into_response()),
    }
}

/// `GET /policy/proposals/{proposal}/try.csv`: everybody who would stand worse.
pub async fn try_file(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, PageError> {
    let (.., run) = begun(&app, &id).await?;
    let tried = run.answer()?.ok_or_else(|| Refusal::said(Kind::Conflict, "try-wait"))?;
    let file = what_if::csv(tried).map_err(|_| Refusal::said(Kind::Internal, "panicked"))?;
    Ok(download("what-if.csv", "text/csv; charset=utf-8", file))
}

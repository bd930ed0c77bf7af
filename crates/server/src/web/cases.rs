//! Cases as pages: what one's own are, what waits to be decided, and one case with what was seen, what was said
//! and what comes next.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted,
    extract::{Path, State},
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use stead_model::{Millis, RecordId};
use stead_policy::pack::Cases;
use stead_store::case::{Case, State as Stage};

use super::{
    Base, Page, PageError, Reader,
    exceptions::{self, name, title},
    form::{self, Form},
    nothing_here, page, parts,
};
use crate::{
    App,
    auth::{
        access::{Action, Object},
        guard::{self, Caller},
    },
    error::Refusal,
    flows::cases::{self, Decision},
    words::Words,
};

/// Cases on a list.
const MOST: i64 = 200;

/// A row of a list.
pub(super) struct Row {
    pub(super) id: RecordId,
    pub(super) title: String,
    pub(super) whom: String,
    pub(super) unit: String,
    pub(super) state: Stage,
    pub(super) mended: bool,
    pub(super) outcome: String,
    pub(super) opened_at: Millis,
    pub(super) next_at: Option<Millis>,
}

pub(super) fn row(app: &App, case: &Case, words: &Words) -> Row {
    Row {
        id: case.id,
        title: title(&app.pack(), &case.rule, words),
        whom: case.person_name.clone(),
        unit: case.unit_name.clone(),
        state: case.state,
        mended: case.mended_at.is_some(),
        outcome: case.outcome.clone(),
        opened_at: case.opened_at,
        next_at: case.next_at,
    }
}

/// How far a case has come, as a sign.
pub(super) fn sign(words: &Words, state: Stage, outcome: &str) -> parts::Html {
    match state {
        Stage::Closed => {
            let is = if matches!(outcome, "sanction" | "upheld" | "changed") { "lapsed" } else { "good" };
            parts::sign(is, is, words.say(format!("case-outcome-{outcome}")))
        }
        Stage::Told
        | Stage::Manager
        | Stage::Decision
        | Stage::Answer
        | Stage::Answered
        | Stage::Decided
        | Stage::Appeal => parts::sign("due", "due", words.say(format!("case-{}", state.word()))),
    }
}

/// Whether somebody may read a case. Before their manager is told, managers see none.
pub(crate) fn may_see(app: &App, caller: &Caller, case: &Case, object: &Object) -> bool {
    let after = Cases::length(&app.pack().manifest.cases.manager_after);
    let soon = case.mended_at.is_some_and(|at| at.since(case.opened_at) < after);
    let early = case.state == Stage::Told || (case.state == Stage::Closed && case.decider.is_none() && soon);
    let own = case.person == caller.id();
    let decides = caller.may(app, Action::CaseDecide, object);
    let audits = caller.holds(stead_model::Role::Auditor);
    caller.may(app, Action::CaseSee, object) && (own || decides || audits || !early)
}

async fn visible(app: &App, reader: &Reader, all: Vec<Case>) -> Result<Vec<Case>, Refusal> {
    let mut seen = Vec::new();
    let mut people = guard::People::of(app);
    for case in all {
        let object = people.object(case.person).await?;
        if object.is_some_and(|object| may_see(app, &reader.caller, &case, object)) {
            seen.push(case);
        }
    }
    Ok(seen)
}

#[derive(Template)]
#[template(path = "cases.html")]
struct List {
    base: Base,
    now: Millis,
    own: Vec<Row>,
    to_decide: Vec<Row>,
    others: Vec<Row>,
    closed: Vec<Row>,
    exceptions: Vec<exceptions::Row>,
    may_report: bool,
}

impl List {
    fn sign(&self, row: &Row) -> parts::Html {
        sign(&self.base.words, row.state, &row.outcome)
    }

    fn exception(&self, row: &exceptions::Row) -> parts::Html {
        exceptions::sign(&self.base.words, row.state)
    }
}

/// `GET /cases`: one's own, those one is to decide, and those one may see.
pub async fn list(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let caller = &reader.caller;
    let words = &reader.words;
    let row = |case: &Case| row(&app, case, words);
    let to_decide = app.store.cases_for(caller.id()).await?;
    let within = caller.within();
    let open = app.store.cases(&within, None, None, MOST).await?;
    let mut others = visible(&app, &reader, open).await?;
    others.retain(|case| case.person != caller.id() && !to_decide.iter().any(|mine| mine.id == case.id));
    let over = app.store.cases(&within, Some(Stage::Closed), None, 50).await?;
    let mut closed = visible(&app, &reader, over).await?;
    closed.retain(|case| case.person != caller.id());
    let asked = app.store.exceptions(&within, &[exceptions::Stage::Asked], None, MOST).await?;
    let asked = exceptions::visible(&app, &reader, asked).await?;
    let own = app.store.cases_of(caller.id()).await?;
    page(&List {
        base: match caller.who().grants.is_empty() {
            true => Base::plain(&app, &reader, words.say("cases-title"), "/cases"),
            false => Base::of(&app, &reader, words.say("cases-title"), "/cases"),
        },
        now: app.now(),
        own: own.iter().map(row).collect(),
        to_decide: to_decide.iter().map(row).collect(),
        others: others.iter().map(row).collect(),
        closed: closed.iter().map(row).collect(),
        exceptions: asked.iter().map(|one| exceptions::row(&app.pack(), one, words)).collect(),
        may_report: caller.may_to_all(&app, Action::OverviewSee),
    })
}

/// A step of a case as the reader sees it.
struct Shown {
    at: Millis,
    by: String,
    what: String,
    words: String,
}

/// What was seen when the case was opened.
struct Evidence {
    outcome: stead_model::Outcome,
    observed: String,
    origin: String,
    at: Option<Millis>,
    failing_since: Option<Millis>,
    due: Option<Millis>,
    of: String,
    report: String,
    policy_digest: String,
}

impl Evidence {
    fn of(case: &Case) -> Self {
        // What is kept of somebody who was forgotten says nothing any more.
        let all: serde_json::Value = serde_json::from_str(&case.evidence).unwrap_or_default();
        let text = |name: &str| all[name].as_str().unwrap_or_default().to_owned();
        let time = |name: &str| all[name].as_i64().map(Millis);
        Self {
            outcome: stead_model::Outcome::from_word(&text("outcome"))
                .unwrap_or(stead_model::Outcome::Unknown),
            observed: text("observed"),
            origin: text("origin"),
            at: time("at"),
            failing_since: time("failing_since"),
            due: time("due"),
            of: text("of"),
            report: text("report"),
            policy_digest: text("policy_digest"),
        }
    }
}

#[derive(Template)]
#[template(path = "case.html")]
struct One {
    base: Base,
    form: Form,
    now: Millis,
    case: Case,
    title: String,
    fix: String,
    own: bool,
    evidence: Evidence,
    /// The steps a case can take: name, whether it was taken, whether it is the one now.
    steps: Vec<(String, bool, bool)>,
    events: Vec<Shown>,
    decider: String,
    second: String,
    ladder: Vec<String>,
    /// What the reader may do now.
    may_decide: bool,
    may_take: bool,
    may_appeal: bool,
    sanction: String,
    sent: Said,
}

impl One {
    fn sign(&self) -> parts::Html {
        sign(&self.base.words, self.case.state, &self.case.outcome)
    }

    fn is(&self, word: &str) -> bool {
        self.case.state.word() == word
    }

    /// What comes next and when, in a sentence.
    fn next(&self) -> String {
        let words = &self.base.words;
        let say = format!("case-next-{}{}", self.case.state.word(), if self.own { "-own" } else { "" });
        let time = self.case.next_at.map_or_else(String::new, |at| words.deadline(at));
        words.with(say, [("time", time)])
    }
}

async fn one(app: &App, reader: &Reader, id: &str, (form, sent): (Form, Said)) -> Result<One, PageError> {
    let id: RecordId = id.parse().map_err(|_| nothing_here("case"))?;
    let case = app.store.case(id).await?.ok_or_else(|| nothing_here("case"))?;
    let object = guard::person_object(app, case.person).await?.ok_or_else(|| nothing_here("person"))?;
    if !may_see(app, &reader.caller, &case, &object) {
        return Err(nothing_here("case"));
    }
    let words = &reader.words;
    let caller = &reader.caller;
    let pack = app.pack();
    let mut events = Vec::new();
    let happened = app.store.case_events(id).await?;
    let kinds: Vec<String> = happened.iter().map(|event| event.kind.clone()).collect();
    let was = |kind: &str| kinds.iter().any(|other| other == kind);
    for event in happened {
        let said = match event.kind.as_str() {
            "limited" => words.with("case-event-limited", [("tier", words.tier(&event.words))]),
            "closed" | "mended" => words.say(format!("case-outcome-{}", event.words)),
            _ => String::new(),
        };
        let plain = matches!(event.kind.as_str(), "limited" | "closed" | "mended");
        events.push(Shown {
            at: event.at,
            by: name(app, event.by).await?,
            what: match event.kind.as_str() {
                "limited" => said.clone(),
                kind => words.say(format!("case-event-{kind}")),
            },
            words: match event.kind.as_str() {
                "limited" => String::new(),
                _ if plain => said,
                _ => event.words,
            },
        });
    }
    let order = [Stage::Told, Stage::Manager, Stage::Decision, Stage::Answer, Stage::Decided, Stage::Closed];
    let at = match case.state {
        Stage::Answered => Stage::Answer,
        Stage::Appeal => Stage::Decided,
        other => other,
    };
    let title = title(&pack, &case.rule, words);
    let own = case.person == caller.id();
    let decides = caller.may(app, Action::CaseDecide, &object);
    let named = match case.state {
        Stage::Appeal => case.second,
        Stage::Decision | Stage::Answered => case.decider,
        Stage::Told | Stage::Manager | Stage::Answer | Stage::Decided | Stage::Closed => None,
    };
    let takes = matches!(case.state, Stage::Decision | Stage::Answer | Stage::Answered | Stage::Appeal);
    let fix = match stead_store::case::device_of(&case)? {
        Some(device) => format!("/devices/{device}#{}", case.rule),
        None => format!("/rules/{}", case.rule),
    };
    let now = app.now();
    Ok(One {
        base: Base::plain(app, reader, title.clone(), "/cases"),
        form,
        now,
        steps: order
            .iter()
            .map(|step| {
                let taken = match step {
                    Stage::Told => true,
                    Stage::Manager => was("manager"),
                    Stage::Decision => was("decision"),
                    Stage::Answer | Stage::Answered => was("step"),
                    Stage::Decided | Stage::Appeal => was("sanction"),
                    Stage::Closed => case.closed_at.is_some(),
                };
                (words.say(format!("case-step-{}", step.word())), taken, *step == at)
            })
            .collect(),
        events,
        decider: name(app, case.decider).await?,
        second: name(app, case.second).await?,
        ladder: pack
            .manifest
            .cases
            .ladder
            .iter()
            .map(|step| stead_policy::pack::said(step, words.language.tag()).to_owned())
            .collect(),
        may_decide: decides && !own && named == Some(caller.id()),
        may_take: decides && !own && takes && named != Some(caller.id()),
        may_appeal: own && case.state == Stage::Decided && case.next_at.is_some_and(|until| until > now),
        sanction: cases::sanction(&pack, &case.sanction, words.language.tag()),
        evidence: Evidence::of(&case),
        title,
        fix,
        own,
        case,
        sent,
    })
}

/// `GET /cases/{case}`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    page(&one(&app, &reader, &id, (Form::default(), Said::default())).await?)
}

/// What somebody says or decides.
#[derive(Debug, Default, Deserialize)]
pub struct Said {
    #[serde(default)]
    words: String,
    #[serde(default)]
    decision: String,
    #[serde(default)]
    sanction: String,
}

async fn done(app: &App, reader: &Reader, id: &str, sent: Said, done: Result<(), Refusal>) -> Page {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/cases/{id}")).into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&one(app, reader, id, (form, sent)).await?)?))
        }
    }
}

fn record(id: &str) -> Result<RecordId, PageError> {
    id.parse().map_err(|_| nothing_here("case"))
}

/// `POST /cases/{case}/answer`.
pub async fn answer(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Said>,
) -> Page {
    let result = cases::answer(&app, reader.caller.id(), record(&id)?, &sent.words).await;
    done(&app, &reader, &id, sent, result).await
}

/// `POST /cases/{case}/appeal`.
pub async fn appeal(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Said>,
) -> Page {
    let result = cases::appeal(&app, reader.caller.id(), record(&id)?, &sent.words).await;
    done(&app, &reader, &id, sent, result).await
}

/// A decision as it was sent.
pub(crate) fn decision(word: &str, sanction: &str) -> Option<Decision> {
    let place = || sanction.parse().unwrap_or(usize::MAX);
    Some(match word {
        "dismiss" => Decision::Dismiss,
        "open" => Decision::Open,
        "none" => Decision::None,
        "sanction" => Decision::Sanction(place()),
        "uphold" => Decision::Uphold,
        "lift" => Decision::Lift,
        "change" => Decision::Change(place()),
        _ => return None,
    })
}

/// `POST /cases/{case}/decide`.
pub async fn decide(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Said>,
) -> Page {
    let by = reader.caller.id();
    let result = match decision(&sent.decision, &sent.sanction) {
        Some(decision) => cases::decide(&app, by, record(&id)?, &decision, &sent.words).await,
        None => Err(Refusal::form(crate::error::FieldError::new("decision", "case-decision-wrong"))),
    };
    done(&app, &reader, &id, sent, result).await
}

/// `POST /cases/{case}/take`.
pub async fn take(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Said>,
) -> Page {
    let result = cases::take(&app, reader.caller.id(), record(&id)?, &sent.words).await;
    done(&app, &reader, &id, sent, result).await
}

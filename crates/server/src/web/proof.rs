//! From the policy to the proof: each line of the source documents, the rules that judge it, how things
//! stand, and what still waits for a rule.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;
use stead_policy::{
    Rule,
    requirement::{self, Requirement},
};

use super::{Base, Page, Reader, page, parts, rules::Counts};
use crate::{App, auth::access::Action};

/// How far a requirement is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Judged,
    Partly,
    Waits,
}

impl Reach {
    /// How far these rules judge it. A rule whose facts nothing holds yet judges nobody.
    pub(super) fn of<'a>(requirement: &Requirement, rules: impl Iterator<Item = &'a Rule> + Clone) -> Self {
        let waits = !requirement.waits.is_empty() || rules.clone().any(Rule::waits);
        match (rules.clone().all(Rule::waits), waits) {
            (true, _) => Self::Waits,
            (false, true) => Self::Partly,
            (false, false) => Self::Judged,
        }
    }

    const ALL: [Self; 3] = [Self::Judged, Self::Partly, Self::Waits];

    fn word(self) -> &'static str {
        match self {
            Self::Judged => "judged",
            Self::Partly => "partly",
            Self::Waits => "waits",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Judged => "Judged",
            Self::Partly => "Judged in part",
            Self::Waits => "No rule yet",
        }
    }

    pub(super) fn sign(self) -> parts::Html {
        match self {
            Self::Judged => parts::sign("judged", "rule", self.title()),
            Self::Partly => parts::sign("due", "due", self.title()),
            Self::Waits => parts::sign("unknown", "unknown", self.title()),
        }
    }
}

struct Row {
    requirement: &'static Requirement,
    rules: Vec<(String, String)>,
    state: Reach,
    counts: Counts,
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    source: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    q: String,
}

#[derive(Template)]
#[template(path = "proof.html")]
struct Proof {
    base: Base,
    asked: Asked,
    rows: Vec<Row>,
    totals: [(Reach, usize); 3],
    size: u64,
    /// Whether reports are for the reader.
    may_report: bool,
}

/// `GET /proof`.
pub async fn get(reader: Reader, State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Page {
    let tallies = app.store.tallies().await?;
    let pack = app.pack();
    let mut rows: Vec<Row> = requirement::all()
        .iter()
        .map(|requirement| {
            let mut counts = Counts::none();
            let serving = || pack.rules.iter().filter(|rule| rule.requirements.contains(&requirement.id));
            let rules: Vec<(String, String)> = serving()
                .map(|rule| {
                    counts.add(&Counts::of(&rule.id, &tallies));
                    (rule.id.clone(), rule.title.clone())
                })
                .collect();
            let state = Reach::of(requirement, serving());
            Row { requirement, rules, state, counts }
        })
        .collect();
    let totals = Reach::ALL.map(|state| (state, rows.iter().filter(|row| row.state == state).count()));
    let words = asked.q.to_lowercase();
    rows.retain(|row| {
        let r = row.requirement;
        (asked.source.is_empty() || r.id.starts_with(&asked.source))
            && (asked.state.is_empty() || row.state.word() == asked.state)
            && (words.is_empty()
                || [&r.id, &r.said, &r.title].iter().any(|text| text.to_lowercase().contains(&words)))
    });
    let size = app.store.ledger_head().await?.size;
    page(&Proof {
        base: Base::of(&app, &reader, "From the policy to the proof", "/proof"),
        may_report: reader.caller.may_to_all(&app, Action::OverviewSee),
        asked,
        rows,
        totals,
        size,
    })
}

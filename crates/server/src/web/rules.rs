//! Rules: the same text that the person reads, how it is judged, and who does not pass.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use stead_model::{DeviceId, Millis, Outcome, Stage};
use stead_policy::Rule;
use stead_store::{finding::Against, tally};

use super::{Base, Page, markdown, nothing_here, page, parts};
use crate::{App, auth::Operator};

/// Devices on a page.
const PAGE: usize = 25;

/// How many findings of a rule have which outcome.
pub struct Counts(BTreeMap<Outcome, i64>);

impl Counts {
    /// Reads them from all tallies.
    pub fn of(rule: &str, tallies: &BTreeMap<String, i64>) -> Self {
        Self(
            Outcome::ALL
                .iter()
                .map(|o| (*o, tallies.get(&tally::outcome_name(rule, *o)).copied().unwrap_or(0)))
                .collect(),
        )
    }

    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        for (outcome, n) in &other.0 {
            *self.0.entry(*outcome).or_default() += n;
        }
    }

    /// None at all.
    pub fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// How many have this outcome.
    pub fn n(&self, outcome: Outcome) -> i64 {
        self.0.get(&outcome).copied().unwrap_or(0)
    }

    /// Those that fail or are unknown.
    pub fn against(&self) -> i64 {
        self.n(Outcome::Fail) + self.n(Outcome::Unknown)
    }

    /// Those that pass or are excepted.
    pub fn good(&self) -> i64 {
        self.n(Outcome::Pass) + self.n(Outcome::Excepted)
    }

    /// Those that the rule concerns.
    pub fn judged(&self) -> i64 {
        self.good() + self.against()
    }

    /// In words.
    pub fn words(&self) -> String {
        let parts: Vec<String> = [
            (Outcome::Pass, "pass"),
            (Outcome::Fail, "fail"),
            (Outcome::Unknown, "unknown"),
            (Outcome::Excepted, "excepted"),
            (Outcome::NotApplicable, "not applicable"),
        ]
        .into_iter()
        .filter(|(outcome, _)| self.n(*outcome) > 0)
        .map(|(outcome, word)| format!("{} {word}", parts::number(self.n(outcome))))
        .collect();
        if parts.is_empty() { "No device has been judged yet".to_owned() } else { parts.join(", ") }
    }

    /// As a bar.
    pub fn bar(&self) -> parts::Html {
        let segments = [
            ("good", self.n(Outcome::Pass)),
            ("lapsed", self.n(Outcome::Fail)),
            ("unknown", self.n(Outcome::Unknown)),
            ("excepted", self.n(Outcome::Excepted)),
        ];
        parts::bar(segments, self.judged(), Some(&self.words()))
    }
}

struct Listed {
    id: String,
    title: String,
    stage: Stage,
    requirements: Vec<String>,
    counts: Counts,
}

#[derive(Template)]
#[template(path = "rules.html")]
struct Rules {
    base: Base,
    pack: String,
    rules: Vec<Listed>,
}

/// `GET /rules`.
pub async fn list(_: Operator, State(app): State<Arc<App>>) -> Page {
    let tallies = app.store.tallies().await?;
    let mut rules: Vec<Listed> = app
        .pack
        .rules
        .iter()
        .map(|rule| Listed {
            id: rule.id.clone(),
            title: rule.title.clone(),
            stage: rule.stage,
            requirements: rule.requirements.clone(),
            counts: Counts::of(&rule.id, &tallies),
        })
        .collect();
    rules.sort_by_key(|rule| (std::cmp::Reverse(rule.counts.against()), rule.title.clone()));
    page(&Rules { base: Base::signed_in(&app, "Rules", "/rules"), pack: app.pack.label(), rules })
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    since: Option<i64>,
    device: Option<DeviceId>,
}

#[derive(Template)]
#[template(path = "rule.html")]
struct RulePage<'a> {
    base: Base,
    now: Millis,
    pack: String,
    rule: &'a Rule,
    why: parts::Html,
    sections: Vec<(String, parts::Html)>,
    fixes: Vec<(String, parts::Html)>,
    counts: Counts,
    against: Vec<Against>,
    next: Option<String>,
}

impl RulePage<'_> {
    fn due(&self, against: &Against) -> Option<Millis> {
        Some(against.failing_since.plus(self.rule.grace))
    }
}

/// `GET /rules/{id}`.
pub async fn get(
    _: Operator,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let rule = app.pack.rule(&id).ok_or_else(|| nothing_here("rule"))?;
    let counts = Counts::of(&rule.id, &app.store.tallies().await?);
    let after = asked.since.zip(asked.device).map(|(since, device)| (Millis(since), device));
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut against = app.store.against(&rule.id, after, limit).await?;
    let more = against.len() > PAGE;
    against.truncate(PAGE);
    let next = against
        .last()
        .filter(|_| more)
        .map(|last| format!("/rules/{}?since={}&device={}", rule.id, last.failing_since.0, last.device));
    let shown = |sections: &[stead_policy::rule::Section]| {
        sections.iter().map(|s| (s.heading.clone(), markdown::html(&s.text))).collect()
    };
    page(&RulePage {
        base: Base::signed_in(&app, rule.title.clone(), "/rules"),
        now: app.now(),
        pack: app.pack.label(),
        why: markdown::html(&rule.why),
        sections: shown(&rule.sections),
        fixes: shown(&rule.fixes),
        rule,
        counts,
        against,
        next,
    })
}

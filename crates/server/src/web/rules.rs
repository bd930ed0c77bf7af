//! Rules: the same text that the person reads, how it is judged, and who does not pass.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use stead_model::{DeviceId, Millis, Outcome, PersonId, Stage, Subject};
use stead_policy::{
    Rule,
    terms::{Binds, Rollout},
};
use stead_store::{
    finding::{Against, StoredFinding},
    tally,
};

use super::{Base, Page, Reader, markdown, nothing_here, page, parts};
use crate::{App, auth::access::Action, flows::policy::subjects};

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
        if parts.is_empty() { "Nothing has been judged yet".to_owned() } else { parts.join(", ") }
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
    subject: Subject,
    waits: bool,
    stage: Stage,
    requirements: Vec<String>,
    counts: Counts,
}

#[derive(Template)]
#[template(path = "rules.html")]
struct Rules {
    base: Base,
    pack: String,
    count: usize,
    groups: Vec<(Subject, Vec<Listed>)>,
    /// Whether the reader may see how all devices stand.
    counts: bool,
}

impl Rules {
    fn stage(&self, stage: &Stage) -> String {
        self.base.words.stage(*stage)
    }
}

/// `GET /rules`.
pub async fn list(reader: Reader, State(app): State<Arc<App>>) -> Page {
    let counts = reader.caller.may_to_all(&app, Action::FindingsList);
    let tallies = if counts { app.store.tallies().await? } else { BTreeMap::new() };
    let tag = reader.words.language.tag();
    let mut rules: Vec<Listed> = app
        .pack()
        .rules
        .iter()
        .map(|rule| Listed {
            id: rule.id.clone(),
            title: rule.text(tag).title,
            subject: rule.subject,
            waits: rule.waits(),
            stage: rule.stage,
            requirements: rule.requirements.clone(),
            counts: Counts::of(&rule.id, &tallies),
        })
        .collect();
    rules.sort_by_key(|rule| (std::cmp::Reverse(rule.counts.against()), rule.title.clone()));
    let title = reader.words.say("menu-rules");
    let base = if counts {
        Base::of(&app, &reader, title, "/rules")
    } else {
        Base::plain(&app, &reader, title, "/rules")
    };
    let count = rules.len();
    let groups = Subject::ALL.into_iter().map(|subject| {
        let (of, rest) =
            std::mem::take(&mut rules).into_iter().partition(|rule: &Listed| rule.subject == subject);
        rules = rest;
        (subject, of)
    });
    let groups = groups.filter(|(_, of): &(Subject, Vec<Listed>)| !of.is_empty()).collect();
    page(&Rules { base, pack: app.pack().label(), count, groups, counts })
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
    title: String,
    when_not: Option<String>,
    /// Whether the reader may see who does not keep it.
    may_list: bool,
    /// Steps in which it is rolled out.
    rollout: Vec<Rollout>,
    /// The reader.
    me: PersonId,
    /// How the reader's own devices stand with it: name, address, outcome.
    own: Vec<(String, DeviceId, Outcome)>,
    /// How the reader, or the organisation, stands with it, when it is about them.
    own_finding: Option<StoredFinding>,
}

impl RulePage<'_> {
    fn harm(&self) -> String {
        self.base.say(&format!("harm-{}", self.rule.severity.word()))
    }

    fn subject(&self) -> String {
        self.base.say(&format!("subject-{}", self.rule.subject))
    }

    /// Whether the reader does not keep it on something of their own, for which an exception can be asked.
    fn may_ask(&self) -> bool {
        let person = self.rule.subject == Subject::Person;
        self.own.iter().any(|(.., outcome)| outcome.counts_against())
            || (person && self.own_finding.as_ref().is_some_and(|own| own.outcome.counts_against()))
    }
}

/// `GET /rules/{id}`.
pub async fn get(
    reader: Reader,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let pack = app.pack();
    let rule = pack.rule(&id).ok_or_else(|| nothing_here("rule"))?;
    let may_list = reader.caller.may_to_all(&app, Action::FindingsList);
    let counts = if may_list { Counts::of(&rule.id, &app.store.tallies().await?) } else { Counts::none() };
    let text = rule.text(reader.words.language.tag());
    let mut own = Vec::new();
    for device in app.store.devices_of(reader.caller.id()).await? {
        if device.revoked_at.is_some() {
            continue;
        }
        let findings = app.store.findings(device.id).await?;
        let finding = findings.into_iter().find(|finding| finding.rule == rule.id);
        own.extend(finding.map(|finding| (device.name, device.id, finding.outcome)));
    }
    let (kind, of) = match rule.subject {
        Subject::Organisation => (rule.subject, subjects::ORGANISATION.to_owned()),
        Subject::Device | Subject::Person | Subject::Site | Subject::Item => {
            (Subject::Person, reader.caller.id().to_string())
        }
    };
    let judged = app.store.subject_findings(kind, &of).await?;
    let own_finding = judged.into_iter().find(|finding| finding.rule == rule.id);
    let after = asked.since.zip(asked.device).map(|(since, device)| (Millis(since), device));
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut against = if may_list { app.store.against(&rule.id, after, limit).await? } else { Vec::new() };
    let more = against.len() > PAGE;
    against.truncate(PAGE);
    let next = against
        .last()
        .filter(|_| more)
        .map(|last| format!("/rules/{}?since={}&device={}", rule.id, last.failing_since.0, last.device));
    let shown = |sections: &[stead_policy::rule::Section]| {
        sections.iter().map(|s| (s.heading.clone(), markdown::html(&s.text))).collect()
    };
    let base = if may_list {
        Base::of(&app, &reader, text.title.clone(), "/rules")
    } else {
        Base::plain(&app, &reader, text.title.clone(), "/rules")
    };
    page(&RulePage {
        base,
        now: app.now(),
        pack: pack.label(),
        rollout: pack.manifest.rollout.iter().filter(|step| step.rules.contains(&rule.id)).cloned().collect(),
        me: reader.caller.id(),
        why: markdown::html(&text.why),
        sections: shown(&text.sections),
        fixes: shown(&text.fixes),
        title: text.title,
        when_not: text.when_not,
        may_list,
        own,
        own_finding,
        rule,
        counts,
        against,
        next,
    })
}

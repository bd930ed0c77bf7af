//! What is to come: reviews that are due, versions that come into force, steps of rolling rules out.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::extract::State;
use stead_model::Millis;

use super::super::{Base, Page, PageError, Reader, exceptions, page, parts};
use crate::{
    App,
    auth::access::Action,
    flows::policy::review::{self, Due},
    words::Words,
};

/// Something to come.
struct Coming {
    at: Millis,
    title: String,
    link: String,
    about: String,
    icon: &'static str,
}

#[derive(Template)]
#[template(path = "policy_calendar.html")]
struct Calendar {
    base: Base,
    now: Millis,
    late: Vec<Coming>,
    /// By month, in the reader's words.
    months: Vec<(String, Vec<Coming>)>,
    /// Who answers for which rules, and when each is looked through.
    owners: Vec<(String, Vec<Owned>)>,
    may_write: bool,
}

/// A rule, who answers for it, and when it is looked through.
struct Owned {
    id: String,
    title: String,
    every: i64,
    due: Millis,
}

fn due_words(words: &Words, due: &Due) -> String {
    let every = words.length(due.every);
    match due.last {
        Some(last) => words.with(
            "agenda-review-last",
            [("owner", due.owner.clone()), ("every", every), ("date", words.date(last))],
        ),
        None => words.with("agenda-review-never", [("owner", due.owner.clone()), ("every", every)]),
    }
}

/// `GET /policy/calendar`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader) -> Page {
    page(&gather(&app, &reader).await?)
}

async fn gather(app: &App, reader: &Reader) -> Result<Calendar, PageError> {
    let words = &reader.words;
    let (now, pack) = (app.now(), app.pack());
    let dues = review::calendar(app).await?;
    let mut all: Vec<Coming> = dues
        .iter()
        .map(|due| Coming {
            at: due.at,
            title: match &due.rule {
                Some(rule) => {
                    words.with("agenda-review-rule", [("rule", exceptions::title(&pack, rule, words))])
                }
                None => words.with("agenda-review-whole", [("pack", pack.label())]),
            },
            link: due
                .rule
                .as_ref()
                .map_or_else(|| "/policy#reviews".to_owned(), |rule| format!("/rules/{rule}")),
            about: due_words(words, due),
            icon: "history",
        })
        .collect();
    let versions = app.store.policy_versions().await?;
    for version in versions.iter().filter(|version| super::comes(version, &versions)) {
        all.push(Coming {
            at: version.effective_at,
            title: words.with("agenda-version", [("pack", version.label())]),
            link: format!("/policy/versions/{}", version.digest),
            about: version.says.clone(),
            icon: "papers",
        });
    }
    for step in &pack.manifest.rollout {
        let Some(from) = step.from.filter(|from| *from > now) else { continue };
        let unit = step.unit.clone().unwrap_or_else(|| words.say("rule-staged-all"));
        for rule in &step.rules {
            all.push(Coming {
                at: from,
                title: words.with(
                    "agenda-step",
                    [("rule", exceptions::title(&pack, rule, words)), ("stage", words.stage(step.stage))],
                ),
                link: format!("/rules/{rule}"),
                about: unit.clone(),
                icon: "gate",
            });
        }
    }
    all.sort_by(|a, b| (a.at, &a.title).cmp(&(b.at, &b.title)));
    let (late, coming): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.at <= now);
    let mut months: Vec<(String, Vec<Coming>)> = Vec::new();
    for one in coming {
        let month = words.month_of(one.at);
        match months.last_mut() {
            Some((last, list)) if *last == month => list.push(one),
            _ => months.push((month, vec![one])),
        }
    }
    let whole = dues.iter().find(|due| due.rule.is_none());
    let mut owners: BTreeMap<String, Vec<Owned>> = BTreeMap::new();
    for rule in &pack.rules {
        let own = dues.iter().find(|due| due.rule.as_deref() == Some(rule.id.as_str()));
        let Some(due) = own.or(whole) else { continue };
        let owner = rule.owner.clone().unwrap_or_else(|| pack.manifest.owner.clone());
        owners.entry(owner).or_default().push(Owned {
            id: rule.id.clone(),
            title: exceptions::title(&pack, &rule.id, words),
            every: due.every,
            due: due.at,
        });
    }
    for rules in owners.values_mut() {
        rules.sort_by(|a, b| (a.due, &a.title).cmp(&(b.due, &b.title)));
    }
    Ok(Calendar {
        base: Base::plain(app, reader, words.say("agenda-title"), "/policy"),
        now,
        late,
        months,
        owners: owners.into_iter().collect(),
        may_write: reader.caller.may_to_all(app, Action::PolicyWrite),
    })
}

/// The rules that may be reviewed on their own, for the form that writes a review down.
pub(super) fn choices(app: &App, words: &Words) -> Vec<(String, String)> {
    let pack = app.pack();
    let mut all: Vec<_> =
        pack.rules.iter().map(|rule| (rule.id.clone(), exceptions::title(&pack, &rule.id, words))).collect();
    all.sort_by(|a, b| a.1.cmp(&b.1));
    all
}

/// Which review is meant, in words.
pub(super) fn reviewed(app: &App, words: &Words, rule: Option<&str>) -> String {
    match rule {
        Some(rule) => exceptions::title(&app.pack(), rule, words),
        None => words.say("review-whole"),
    }
}

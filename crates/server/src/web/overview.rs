//! The overview: how many devices are in good standing, which rules fail most, what was last written down.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::IntoResponse,
};
use serde::Deserialize;
use stead_model::{Millis, Outcome, Standing, Subject};
use stead_policy::rule;
use stead_store::tally;

use super::{Base, Page, Reader, ledger, page, parts};
use crate::{App, error::Refusal, words::Words};

/// Days in the trend.
const DAYS: i64 = 14;
/// Rules in the list of those that fail most.
const WORST: usize = 5;
/// Ledger entries shown.
const ENTRIES: i64 = 6;

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    base: Base,
    live: Live,
}

/// The part that is fetched again as reports arrive.
#[derive(Template)]
#[template(path = "overview_live.html")]
struct Live {
    words: Words,
    version: String,
    now: Millis,
    counts: BTreeMap<Standing, i64>,
    total: i64,
    lapsed_change: i64,
    days: Vec<parts::Day>,
    worst: Vec<Worst>,
    rules: usize,
    serves: Vec<Serves>,
    policy: Policy,
    entries: Vec<ledger::Shown>,
    size: u64,
}

struct Worst {
    id: String,
    title: String,
    fail: i64,
    unknown: i64,
    most: i64,
    change: i64,
}

struct Serves {
    word: String,
    pass: i64,
    judged: i64,
}

struct Policy {
    label: String,
    owner: String,
    review: i64,
    enforced: usize,
    advised: usize,
    observed: usize,
}

impl Live {
    fn count(&self, standing: impl parts::Plain<Standing>) -> i64 {
        self.counts.get(&standing.plain()).copied().unwrap_or(0)
    }

    fn headline(&self) -> String {
        if self.total == 0 {
            return self.words.say("overview-no-device");
        }
        let good = self.words.with(
            "overview-good",
            [("good", parts::number(self.count(Standing::Good))), ("all", parts::number(self.total))],
        );
        let lapsed = self.words.count("overview-lapsed", self.count(Standing::Lapsed));
        let change = match self.lapsed_change {
            0 => String::new(),
            more if more > 0 => self.words.count("overview-more", more),
            fewer => self.words.count("overview-fewer", -fewer),
        };
        format!("{good} {lapsed}{change}.")
    }

    fn bar(&self) -> parts::Html {
        let segments: Vec<parts::Segment> =
            Standing::ALL.iter().map(|s| (s.word(), self.count(*s))).collect();
        parts::bar(&segments, self.total, None)
    }
}

impl Worst {
    fn bar(&self) -> parts::Html {
        let label = format!("{} fail, {} unknown", self.fail, self.unknown);
        parts::bar([("lapsed", self.fail), ("unknown", self.unknown)], self.most, Some(&label))
    }

    fn change(&self) -> String {
        if self.change > 0 { format!("+{}", parts::number(self.change)) } else { parts::number(self.change) }
    }
}

/// `GET /overview`.
pub async fn get(reader: Reader, State(app): State<Arc<App>>) -> Page {
    let live = gather(&app, &reader.words).await?;
    page(&Overview { base: Base::of(&app, &reader, reader.words.say("menu-overview"), "/overview"), live })
}

/// What the page shows already.
#[derive(Deserialize)]
pub struct Seen {
    #[serde(default)]
    v: String,
}

/// `GET /overview/live`: the part that changes, or nothing when it has not.
pub async fn live(reader: Reader, State(app): State<Arc<App>>, Query(seen): Query<Seen>) -> Page {
    let live = gather(&app, &reader.words).await?;
    if live.version == seen.v {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    page(&live)
}

async fn gather(app: &App, words: &Words) -> Result<Live, Refusal> {
    let now = app.now();
    let tallies = app.store.tallies().await?;
    let of = |name: &str| tallies.get(name).copied().unwrap_or(0);
    let counts: BTreeMap<Standing, i64> =
        Standing::ALL.iter().map(|s| (*s, of(&tally::standing_name(*s)))).collect();
    let today = now.day();
    let standing_days = app.store.tally_days("standing/", today - DAYS + 1).await?;
    let days = trend(&standing_days, today);
    let week_ago = days.iter().find(|day| day.day == today - 7).map(|day| day.lapsed);
    let lapsed = counts.get(&Standing::Lapsed).copied().unwrap_or(0);

    let rule_days = app.store.tally_days("rule/", today - 7).await?;
    let then =
        |name: &str| rule_days.iter().rfind(|(day, n, _)| *day <= today - 7 && n == name).map(|(_, _, n)| *n);
    let mut worst: Vec<Worst> = app
        .pack()
        .rules_of(Subject::Device)
        .iter()
        .map(|rule| {
            let name = |outcome| tally::outcome_name(&rule.id, outcome);
            let (fail, unknown) = (of(&name(Outcome::Fail)), of(&name(Outcome::Unknown)));
            let before = then(&name(Outcome::Fail)).unwrap_or(0) + then(&name(Outcome::Unknown)).unwrap_or(0);
            Worst {
                id: rule.id.clone(),
                title: rule.text(words.language.tag()).title,
                fail,
                unknown,
                most: 0,
                change: fail + unknown - before,
            }
        })
        .filter(|rule| rule.fail + rule.unknown > 0)
        .collect();
    worst.sort_by_key(|rule| std::cmp::Reverse((rule.fail + rule.unknown, rule.fail)));
    worst.truncate(WORST);
    let most = worst.first().map_or(1, |rule| rule.fail + rule.unknown);
    worst.iter_mut().for_each(|rule| rule.most = most);

    let serves = rule::SERVES.iter().map(|word| serves(app, word, &of)).collect();
    let head = app.store.ledger_head().await?;
    let entries = app.store.ledger_newest(None, head.size, ENTRIES).await?;
    let total: i64 = counts.values().sum();
    let stage = |stage| app.pack().rules.iter().filter(|rule| rule.stage == stage).count();
    Ok(Live {
        words: words.clone(),
        version: head.size.to_string(),
        now,
        total,
        lapsed_change: week_ago.map_or(0, |before| lapsed - before),
        counts,
        days,
        worst,
        rules: app.pack().rules.len(),
        serves,
        policy: Policy {
            label: app.pack().label(),
            owner: app.pack().manifest.owner.clone(),
            review: rule::duration(&app.pack().manifest.review_every).unwrap_or(0),
            enforced: stage(stead_model::Stage::Enforce),
            advised: stage(stead_model::Stage::Advise),
            observed: stage(stead_model::Stage::Observe),
        },
        entries: entries.iter().map(|entry| ledger::shown(app, entry)).collect(),
        size: head.size,
    })
}

/// The numbers at the end of each day; a day without a change is as the one before.
fn trend(stored: &tally::Days, today: i64) -> Vec<parts::Day> {
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    let mut rows = stored.iter().peekable();
    let mut days = Vec::new();
    let first = stored.first().map_or(today, |(day, _, _)| *day).max(today - DAYS + 1);
    for day in first..=today {
        while let Some((_, name, n)) = rows.next_if(|(of, _, _)| *of <= day) {
            last.insert(name, *n);
        }
        let of = |standing: Standing| last.get(tally::standing_name(standing).as_str()).copied().unwrap_or(0);
        days.push(parts::Day {
            day,
            lapsed: of(Standing::Lapsed),
            due: of(Standing::Due),
            unknown: of(Standing::Unknown),
        });
    }
    days
}

/// The share of findings that pass, among those that concern the device; unknown does not pass.
fn serves(app: &App, word: &str, of: &dyn Fn(&str) -> i64) -> Serves {
    let (mut pass, mut judged) = (0, 0);
    let pack = app.pack();
    for rule in
        pack.rules_of(Subject::Device).iter().filter(|rule| rule.serves.iter().any(|serves| serves == word))
    {
        let n = |outcome| of(&tally::outcome_name(&rule.id, outcome));
        let good = n(Outcome::Pass) + n(Outcome::Excepted);
        pass += good;
        judged += good + n(Outcome::Fail) + n(Outcome::Unknown);
    }
    Serves { word: word.to_owned(), pass, judged }
}

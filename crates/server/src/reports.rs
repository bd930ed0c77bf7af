//! Reports: how devices stand, whom the policy has reached, exceptions, how cases end, and a month in numbers.
//! Each is gathered once for the page, the file and the printed form. Nobody is named, and a group so small that
//! a number would point at somebody is shown without it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stead_model::{Millis, Outcome, Standing, Subject, UnitId, text, time::DAY};
use stead_policy::Pack;
use stead_store::{exception::State, tally};
use utoipa::ToSchema;

use crate::{
    App,
    error::Refusal,
    flows::{cases, policy::subjects},
    web::Plain,
    words::Words,
};

/// The reports there are, by name.
pub const NAMES: [&str; 5] = ["posture", "confirmations", "exceptions", "cases", "month"];
/// Fewer people than this are shown together with others, and smaller numbers of cases not exactly.
const FEW: i64 = 5;

/// Parts of a whole, as long as they are many.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ReportBar)]
pub struct Bar {
    /// What it is about.
    pub label: String,
    /// Each part: its class as in the key, and how many.
    pub parts: Vec<(&'static str, i64)>,
}

/// A picture of numbers that stand in the table below it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ReportChart)]
pub struct Chart {
    /// What the classes mean.
    pub key: Vec<(&'static str, String)>,
    /// The bars.
    pub bars: Vec<Bar>,
    /// How many the longest bar may be.
    pub whole: i64,
}

/// A table with its picture.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ReportSection)]
pub struct Section {
    /// What it is about.
    pub title: String,
    /// What is to be said of it; empty where nothing is.
    pub about: String,
    /// Its picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<Chart>,
    /// The heads of the columns.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

impl Section {
    /// Whether a column holds numbers alone.
    pub fn is_number(&self, column: impl Plain<usize>) -> bool {
        let column = column.plain();
        let number = |cell: &String| !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
        !self.rows.is_empty() && self.rows.iter().all(|row| row.get(column).is_some_and(number))
    }
}

/// A report.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WholeReport)]
pub struct Report {
    /// Its name.
    pub name: &'static str,
    /// The tag of its language.
    pub lang: &'static str,
    /// Its title.
    pub title: String,
    /// What it says, in a sentence.
    pub lead: String,
    /// When, and under which policy it was made.
    pub made: String,
    /// That the policy's review is overdue, where it is.
    pub stale: String,
    /// Its tables.
    pub sections: Vec<Section>,
}

/// Gathers a report; none when there is none of that name.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn gather(
    app: &App,
    name: &str,
    month: Option<Millis>,
    words: &Words,
) -> Result<Option<Report>, Refusal> {
    let Some(name) = NAMES.into_iter().find(|known| *known == name) else { return Ok(None) };
    let pack = app.pack();
    let now = app.now();
    let (lead, sections) = match name {
        "posture" => posture(app, &pack, words).await?,
        "confirmations" => confirmations(app, &pack, words).await?,
        "exceptions" => exceptions(app, &pack, words).await?,
        "cases" => fairness(app, words).await?,
        _ => self::month(app, month.unwrap_or(now), words).await?,
    };
    let stale = app.is_stale();
    Ok(Some(Report {
        name,
        lang: words.language.tag(),
        title: words.say(format!("report-{name}")),
        lead,
        made: words.with("report-made", [("time", words.long_time(now)), ("pack", pack.label())]),
        stale: if stale { words.say("policy-stale") } else { String::new() },
        sections,
    }))
}

/// A report's tables as one file: each under its title.
///
/// # Errors
/// When it cannot be written.
pub fn csv(report: &Report) -> anyhow::Result<Vec<u8>> {
    let mut out = spreadsheet();
    for section in &report.sections {
        out.write_record([plain(&section.title)])?;
        out.write_record(section.head.iter().map(|cell| plain(cell)))?;
        for row in &section.rows {
            out.write_record(row.iter().map(|cell| plain(cell)))?;
        }
    }
    Ok(out.into_inner()?)
}

/// A file for spreadsheets: every cell in quotation marks.
pub fn spreadsheet() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().flexible(true).quote_style(csv::QuoteStyle::Always).from_writer(Vec::new())
}

/// Words that a spreadsheet takes for words, whatever they begin with, and whatever it takes for the end of a cell: in
/// some countries that is a semicolon, and quotation marks within a line don't keep it from being one.
pub fn plain(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    let mut begins = true;
    for sign in words.chars() {
        let is_formula = matches!(sign, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r');
        if begins && is_formula {
            out.push('\'');
        }
        out.push(sign);
        begins = matches!(sign, ',' | ';' | '|' | '\t' | '\n' | '\r' | '"')
            || (begins && (sign.is_whitespace() || text::is_invisible(sign)));
    }
    out
}

type Gathered = (String, Vec<Section>);

fn standing_key(words: &Words) -> Vec<(&'static str, String)> {
    Standing::ALL.into_iter().map(|standing| (standing.word(), words.standing(standing))).collect()
}

async fn posture(app: &App, pack: &Pack, words: &Words) -> Result<Gathered, Refusal> {
    let tallies = app.store.tallies().await?;
    let count = |name: String| tallies.get(&name).copied().unwrap_or(0);
    let of = |standing: Standing| count(tally::standing_name(standing));
    let all: i64 = Standing::ALL.into_iter().map(of).sum();
    let mut units: BTreeMap<String, BTreeMap<Standing, i64>> = BTreeMap::new();
    for (unit, standing, n) in app.store.standings_by_unit().await? {
        *units.entry(unit).or_default().entry(standing).or_default() += n;
    }
    let parts = |moved: &BTreeMap<Standing, i64>| {
        Standing::ALL
            .into_iter()
            .map(|standing| (standing.word(), moved.get(&standing).copied().unwrap_or(0)))
            .collect::<Vec<_>>()
    };
    let most = units.values().map(|moved| moved.values().sum::<i64>()).max().unwrap_or(0);
    let bars = units.iter().map(|(unit, moved)| Bar { label: unit.clone(), parts: parts(moved) }).collect();
    let rows = units.iter().map(|(unit, moved)| {
        std::iter::once(unit.clone()).chain(parts(moved).into_iter().map(|(_, n)| n.to_string())).collect()
    });
    let head =
        std::iter::once(words.say("field-unit")).chain(standing_key(words).into_iter().map(|(_, w)| w));
    let by_unit = Section {
        title: words.say("report-by-unit"),
        about: String::new(),
        chart: Some(Chart { key: standing_key(words), bars, whole: most }),
        head: head.collect(),
        rows: rows.collect(),
    };
    let outcomes =
        [Outcome::Pass, Outcome::Fail, Outcome::Unknown, Outcome::Excepted, Outcome::NotApplicable];
    let class = |outcome: Outcome| match outcome {
        Outcome::Pass => "good",
        Outcome::Fail => "lapsed",
        Outcome::Unknown => "unknown",
        Outcome::Excepted => "excepted",
        Outcome::NotApplicable => "na",
    };
    let say = |outcome: Outcome| words.say(format!("outcome-{}", outcome.word().replace('_', "-")));
    let mut judged: Vec<(String, Vec<i64>)> = pack
        .rules
        .iter()
        .map(|rule| {
            let numbers = outcomes.map(|outcome| count(tally::outcome_name(&rule.id, outcome))).to_vec();
            (rule.text(words.language.tag()).title, numbers)
        })
        .filter(|(_, numbers)| numbers.iter().any(|n| *n > 0))
        .collect();
    // What nothing records yet is unknown for everybody, and says nothing about anybody.
    let waits: BTreeSet<String> = pack
        .rules
        .iter()
        .filter(|rule| rule.waits())
        .map(|rule| rule.text(words.language.tag()).title)
        .collect();
    judged.sort_by_key(|(title, numbers)| {
        (waits.contains(title), std::cmp::Reverse(numbers[1] + numbers[2]), title.clone())
    });
    let counted = outcomes.into_iter().take(4).map(|outcome| (class(outcome), say(outcome))).collect();
    let bar = |(title, numbers): &(String, Vec<i64>)| Bar {
        label: title.clone(),
        parts: outcomes.into_iter().take(4).map(class).zip(numbers.iter().copied()).collect(),
    };
    let by_rule = Section {
        title: words.say("report-by-rule"),
        about: words.say("report-by-rule-about"),
        chart: Some(Chart {
            key: counted,
            bars: judged.iter().filter(|(title, _)| !waits.contains(title)).take(15).map(bar).collect(),
            whole: judged.iter().map(|(_, n)| n.iter().take(4).sum::<i64>()).max().unwrap_or(0),
        }),
        head: std::iter::once(words.say("rule")).chain(outcomes.map(say)).collect(),
        rows: judged
            .into_iter()
            .map(|(title, n)| std::iter::once(title).chain(n.iter().map(ToString::to_string)).collect())
            .collect(),
    };
    let good = of(Standing::Good);
    let lead = words.with("report-posture-lead", [("n", good.to_string()), ("all", all.to_string())]);
    Ok((lead, vec![by_unit, by_rule]))
}

async fn confirmations(app: &App, pack: &Pack, words: &Words) -> Result<Gathered, Refusal> {
    let (all, confirmed) = app.store.reached(&pack.digest).await?;
    let units = app.store.reached_by_unit(&pack.digest).await?;
    let bar = |(unit, all, done): &(String, i64, i64)| Bar {
        label: unit.clone(),
        parts: vec![("good", *done), ("due", all - done)],
    };
    let by_unit = Section {
        title: words.say("report-by-unit"),
        about: String::new(),
        chart: Some(Chart {
            key: vec![("good", words.say("report-confirmed")), ("due", words.say("report-missing"))],
            bars: units.iter().map(bar).collect(),
            whole: units.iter().map(|(_, all, _)| *all).max().unwrap_or(0),
        }),
        head: ["field-unit", "report-people", "report-confirmed", "report-missing"]
            .map(|name| words.say(name))
            .to_vec(),
        rows: units
            .iter()
            .map(|(unit, all, done)| {
                vec![unit.clone(), all.to_string(), done.to_string(), (all - done).to_string()]
            })
            .collect(),
    };
    let (on_leave, no_address, open) = app.store.missing_by_reason(&pack.digest).await?;
    let why = Section {
        title: words.say("reach-why"),
        about: String::new(),
        chart: None,
        head: ["reach-why", "report-people"].map(|name| words.say(name)).to_vec(),
        rows: [("reach-on-leave", on_leave), ("reach-no-address", no_address), ("reach-open", open)]
            .map(|(name, n)| vec![words.say(name), n.to_string()])
            .to_vec(),
    };
    let lead = words.with("reach-lead", [("n", confirmed.to_string()), ("all", all.to_string())]);
    Ok((lead, vec![by_unit, why]))
}

async fn exceptions(app: &App, pack: &Pack, words: &Words) -> Result<Gathered, Refusal> {
    let now = app.now();
    let units: BTreeMap<String, String> = app.store.exception_units().await?.into_iter().collect();
    let holds = app.store.exceptions_in_force().await?;
    let asked = app.store.exceptions_asked().await?;
    let mut by_rule: BTreeMap<String, i64> = BTreeMap::new();
    let title = |rule: &str| {
        pack.rule(rule).map_or_else(|| rule.to_owned(), |rule| rule.text(words.language.tag()).title)
    };
    for one in &holds {
        *by_rule.entry(title(&one.rule)).or_default() += 1;
    }
    let rows = asked.iter().chain(&holds).map(|one| {
        let harm = pack
            .rule(&one.rule)
            .map_or_else(String::new, |rule| words.say(format!("harm-{}", rule.severity.word())));
        vec![
            title(&one.rule),
            harm,
            units.get(&one.id.to_string()).cloned().unwrap_or_default(),
            words.say(format!("exception-{}", one.state.word())),
            words.short_time(one.asked_at, now),
            words.short_time(one.until, now),
            match one.state {
                State::Granted => words.count("length-days", one.until.since(now).max(0) / DAY),
                State::Asked | State::Refused | State::Withdrawn | State::Ended => String::new(),
            },
            one.id.to_string(),
        ]
    });
    let all = Section {
        title: words.say("exceptions-title"),
        about: words.say("report-exceptions-about"),
        chart: Some(Chart {
            key: vec![("excepted", words.say("exception-granted"))],
            whole: by_rule.values().copied().max().unwrap_or(0),
            bars: by_rule.into_iter().map(|(label, n)| Bar { label, parts: vec![("excepted", n)] }).collect(),
        }),
        head: [
            "rule",
            "rule-harm",
            "field-unit",
            "exception-state",
            "exception-asked-at",
            "exception-until",
            "report-left",
            "report-id",
        ]
        .map(|name| words.say(name))
        .to_vec(),
        rows: rows.collect(),
    };
    let lead = words.count("exceptions-headline", i64::try_from(holds.len()).unwrap_or(i64::MAX));
    Ok((lead, vec![all]))
}

/// How cases ended in a year, by unit. A unit with few people counts with the one above it, and few cases are
/// not counted exactly: equal treatment can be seen, and nobody can be picked out.
async fn fairness(app: &App, words: &Words) -> Result<Gathered, Refusal> {
    let since = app.now().plus(-365 * DAY);
    let units = app.store.units().await?;
    let people: BTreeMap<UnitId, i64> = app.store.people_in_units().await?.into_iter().collect();
    let outcomes = app.store.case_outcomes(since).await?;
    // Deepest first, small units join the one above them until they are large enough.
    let parent: BTreeMap<UnitId, Option<UnitId>> = units.iter().map(|unit| (unit.id, unit.parent)).collect();
    let depth = |unit: UnitId| {
        let (mut at, mut depth) = (unit, 0);
        while let Some(Some(above)) = parent.get(&at) {
            (at, depth) = (*above, depth + 1);
        }
        depth
    };
    let mut order: Vec<UnitId> = units.iter().map(|unit| unit.id).collect();
    order.sort_by_key(|unit| std::cmp::Reverse(depth(*unit)));
    let mut size = people.clone();
    let mut group: BTreeMap<UnitId, UnitId> = BTreeMap::new();
    for unit in order {
        let own = size.get(&unit).copied().unwrap_or(0);
        if let (true, Some(Some(above))) = (own < 2 * FEW, parent.get(&unit)) {
            *size.entry(*above).or_default() += own;
            group.insert(unit, *above);
        }
    }
    let in_group = |unit: UnitId| {
        let mut at = unit;
        while let Some(above) = group.get(&at) {
            at = *above;
        }
        at
    };
    let kinds = ["open", "mended", "no-step", "sanction"];
    let kind = |outcome: &str| match outcome {
        "" => 0,
        "mended" | "excepted" | "moot" | "left" => 1,
        "dismissed" | "no-sanction" | "lifted" => 2,
        _ => 3,
    };
    let mut counts: BTreeMap<UnitId, ([i64; 4], i64)> = BTreeMap::new();
    for one in &outcomes {
        let entry = counts.entry(in_group(one.unit)).or_default();
        entry.0[kind(&one.outcome)] += one.n;
        entry.1 += one.appealed;
    }
    let name =
        |id: UnitId| units.iter().find(|unit| unit.id == id).map_or_else(String::new, |u| u.name.clone());
    let few = |n: i64| match n {
        0 => "0".to_owned(),
        n if n < FEW => words.with("report-few", [("n", FEW.to_string())]),
        n => n.to_string(),
    };
    // A number that is not shown cannot be worked out from a sum either.
    let sum = |all: &[i64]| {
        let total: i64 = all.iter().sum();
        match all.iter().any(|n| (1..FEW).contains(n)) {
            true if total < FEW => few(total),
            true => words.with("report-about", [("n", (total / FEW * FEW).to_string())]),
            false => total.to_string(),
        }
    };
    // Sums over all units are told roughly: from exact ones, what is left out could be worked out.
    let rough = |n: i64| match n {
        n if n < FEW => few(n),
        n => words.with("report-about", [("n", (n / FEW * FEW).to_string())]),
    };
    let classes = ["due", "good", "na", "lapsed"];
    let mut rows = Vec::new();
    let mut bars = Vec::new();
    // A group that stayed small has no other to join: it is not shown.
    counts.retain(|unit, _| size.get(unit).copied().unwrap_or(0) >= 2 * FEW);
    for (unit, (numbers, appealed)) in &counts {
        let mut row = vec![name(*unit), sum(numbers)];
        row.extend(numbers.iter().map(|n| few(*n)));
        row.push(few(*appealed));
        rows.push(row);
        // A bar is as long as what may be told: small parts are drawn as one.
        let told = |n: i64| if (1..FEW).contains(&n) { 1 } else { n };
        bars.push(Bar { label: name(*unit), parts: classes.into_iter().zip(numbers.map(told)).collect() });
    }
    let said = |kind: &str| words.say(format!("report-cases-{kind}"));
    let section = Section {
        title: words.say("report-by-unit"),
        about: words.with("report-cases-about", [("n", FEW.to_string())]),
        chart: Some(Chart {
            key: classes.into_iter().zip(kinds.map(said)).collect(),
            whole: bars.iter().map(|bar| bar.parts.iter().map(|(_, n)| n).sum::<i64>()).max().unwrap_or(0),
            bars,
        }),
        head: [words.say("field-unit"), words.say("cases-title")]
            .into_iter()
            .chain(kinds.map(said))
            .chain([words.say("report-appealed")])
            .collect(),
        rows,
    };
    let mut by_outcome: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for one in &outcomes {
        let entry = by_outcome.entry(&one.outcome).or_default();
        entry.0 += one.n;
        entry.1 += one.n * one.took;
    }
    let how = Section {
        title: words.say("report-outcomes"),
        about: String::new(),
        chart: None,
        head: ["report-outcome", "cases-title", "report-took"].map(|name| words.say(name)).to_vec(),
        rows: cases::Outcome::ALL
            .into_iter()
            .filter_map(|outcome| {
                let (n, took) = by_outcome.get(outcome.word()).copied()?;
                let days = took / n.max(1) / DAY;
                let took = if n < FEW { String::new() } else { words.count("length-days", days) };
                Some(vec![words.say(format!("case-outcome-{outcome}")), rough(n), took])
            })
            .collect(),
    };
    let all: i64 = outcomes.iter().map(|one| one.n).sum();
    Ok((words.with("report-cases-lead", [("n", rough(all))]), vec![section, how]))
}

/// A month in numbers: how devices stood, and what happened.
async fn month(app: &App, of: Millis, words: &Words) -> Result<Gathered, Refusal> {
    let now = app.now();
    let from = words.month_begins(of);
    // The first moment of the next one: no month has more than 31 days.
    let before = words.month_begins(from.plus(32 * DAY));
    let last = before.plus(-1).min(now);
    let mut bars = Vec::new();
    let mut rows = Vec::new();
    let mut day = from.day();
    while day <= last.day() {
        let tallies = app.store.tallies_on(day).await?;
        let parts = Standing::ALL.into_iter().map(|standing| {
            (standing.word(), tallies.get(&tally::standing_name(standing)).copied().unwrap_or(0))
        });
        let parts: Vec<_> = parts.collect();
        let label = words.date(Millis(day * DAY));
        rows.push(std::iter::once(label.clone()).chain(parts.iter().map(|(_, n)| n.to_string())).collect());
        bars.push(Bar { label, parts });
        // Every third day says how it went; the last is always there.
        day = if day == last.day() { day + 1 } else { (day + 3).min(last.day()) };
    }
    let whole = bars.iter().map(|bar: &Bar| bar.parts.iter().map(|(_, n)| n).sum::<i64>()).max().unwrap_or(0);
    let head =
        std::iter::once(words.say("report-day")).chain(standing_key(words).into_iter().map(|(_, w)| w));
    let devices = Section {
        title: words.say("report-month-devices"),
        about: String::new(),
        chart: Some(Chart { key: standing_key(words), bars, whole }),
        head: head.collect(),
        rows,
    };
    let happened = app.store.entries_by_kind(from, before).await?;
    let events = Section {
        title: words.say("report-month-events"),
        about: words.say("report-month-events-about"),
        chart: None,
        head: ["report-event", "report-times"].map(|name| words.say(name)).to_vec(),
        // How many cases there were stands in the report about them, as far as it may be told.
        rows: happened
            .iter()
            .filter(|(kind, _)| !kind.starts_with("case."))
            .map(|(kind, n)| vec![words.event(kind), n.to_string()])
            .collect(),
    };
    let versions = app.store.policy_versions().await?;
    let published =
        versions.iter().filter(|version| version.in_force_at.is_some_and(|at| from <= at && at < before));
    let policy = Section {
        title: words.say("policy-title"),
        about: String::new(),
        chart: None,
        head: ["policy-title", "report-in-force", "report-says"].map(|name| words.say(name)).to_vec(),
        rows: published
            .map(|version| {
                let at = version.in_force_at.map_or_else(String::new, |at| words.date(at));
                vec![version.label(), at, version.says.clone()]
            })
            .collect(),
    };
    let organisation = app.store.subject_findings(Subject::Organisation, subjects::ORGANISATION).await?;
    let pack = app.pack();
    let ours = Section {
        title: words.say("report-organisation"),
        about: String::new(),
        chart: None,
        head: ["rule", "outcome", "we-saw"].map(|name| words.say(name)).to_vec(),
        rows: organisation
            .into_iter()
            .filter_map(|finding| {
                let rule = pack.rule(&finding.rule)?;
                let outcome = words.say(format!("outcome-{}", finding.outcome.word().replace('_', "-")));
                Some(vec![rule.text(words.language.tag()).title, outcome, finding.observed])
            })
            .collect(),
    };
    let named =
        words.with("report-month-lead", [("from", words.date(from)), ("to", words.date(before.plus(-1)))]);
    Ok((named, vec![devices, events, policy, ours]))
}

//! Judging: rules and facts in, findings out. Pure and total: whatever cannot be read, run or
//! understood is a finding "unknown", never an error and never a pass.

use std::collections::BTreeMap;

use cel::Value as Cel;
use stead_model::{Facts, Finding, Millis, Outcome, Stage, Standing, Subject, fact::FactState};

use crate::{
    expression::{Bindings, Evaluated},
    pack::Pack,
    rule::Rule,
    terms::Terms,
    words,
};

/// What is kept of a rule's earlier finding, so that grace counts from the first failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Previous {
    /// The outcome.
    pub outcome: Outcome,
    /// Since when.
    pub since: Millis,
    /// When it first failed or became unknown, without having passed since.
    pub failing_since: Option<Millis>,
    /// When it first did so while it was enforced.
    pub counts_since: Option<Millis>,
}

/// One rule's finding, without the words that are the same for everybody.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Position of the rule in the pack.
    pub rule: usize,
    /// What judging says.
    pub outcome: Outcome,
    /// What was seen, in words.
    pub observed: String,
    /// Where it was seen.
    pub origin: String,
    /// When the oldest of the facts behind it was read.
    pub at: Millis,
    /// Since when the outcome is what it is.
    pub since: Millis,
    /// When it first failed or became unknown, though it may be excepted.
    pub failing_since: Option<Millis>,
    /// How far the rule has been rolled out to the subject.
    pub stage: Stage,
    /// When it first failed or became unknown while it was enforced: grace counts from then.
    pub counts_since: Option<Millis>,
    /// When it costs what the rule costs: the grace, and any exception, end then. None where it never does.
    pub due: Option<Millis>,
}

/// All findings of a subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// One for each rule of the pack about this kind of thing that binds the subject, in its order.
    pub findings: Vec<Judged>,
    /// The findings, folded.
    pub standing: Standing,
    /// When the standing changes though nothing else does: the next end of a grace or of an exception.
    pub next_deadline: Option<Millis>,
}

/// When each fact was read.
pub struct ReadAt<'a> {
    /// When those were read that are not listed.
    pub collected: Millis,
    /// Those that were read earlier and kept.
    pub kept: &'a BTreeMap<String, Millis>,
}

impl ReadAt<'_> {
    fn of(&self, name: &str) -> Millis {
        self.kept.get(name).copied().unwrap_or(self.collected).min(self.collected)
    }
}

/// Judges facts by every rule of a pack about one kind of thing, as it applies to the subject. `previous` answers with a rule's earlier
/// finding.
pub fn judge(
    (pack, terms): (&Pack, &Terms),
    subject: Subject,
    facts: &Facts,
    read_at: &ReadAt<'_>,
    previous: impl Fn(&str) -> Option<Previous>,
    now: Millis,
) -> Judgement {
    let bindings =
        Bindings::new(&pack.env, facts, &pack.facts, &pack.manifest.parameters, &pack.os_support, now);
    let findings: Vec<Judged> = pack
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.subject == subject && terms.binds(rule))
        .map(|(position, rule)| {
            let (seen, observed) = outcome(rule, &bindings, facts);
            let Weighed { outcome, since, failing_since, stage, counts_since, due } =
                weigh((pack, terms), rule, seen, previous(&rule.id), now);
            let (origin, at) = evidence(rule, facts, read_at);
            Judged {
                rule: position,
                outcome,
                observed,
                origin,
                at,
                since,
                failing_since,
                stage,
                counts_since,
                due,
            }
        })
        .collect();
    let (standing, next_deadline) = fold(findings.iter().map(|f| (f.outcome, f.due)), now);
    Judgement { findings, standing, next_deadline }
}

/// How a subject stands, with nothing said of what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stands {
    /// Its standing.
    pub standing: Standing,
    /// When that changes though nothing else does.
    pub next_deadline: Option<Millis>,
    /// Places in the pack of the rules that count against it.
    pub against: Vec<usize>,
}

/// Judges as [`judge`] does, without a word about what was seen: for many subjects at once.
pub fn stands(
    (pack, terms): (&Pack, &Terms),
    subject: Subject,
    facts: &Facts,
    previous: impl Fn(&str) -> Option<Previous>,
    now: Millis,
) -> Stands {
    let bindings =
        Bindings::new(&pack.env, facts, &pack.facts, &pack.manifest.parameters, &pack.os_support, now);
    let about = |rule: &&Rule| rule.subject == subject && terms.binds(rule);
    let weighed = pack.rules.iter().enumerate().filter(|(_, rule)| about(rule)).map(|(position, rule)| {
        let seen = match verdict(rule, &bindings) {
            Ok(true) => Outcome::Pass,
            Ok(false) => Outcome::Fail,
            Err((outcome, _)) => outcome,
        };
        (position, weigh((pack, terms), rule, seen, previous(&rule.id), now))
    });
    let weighed: Vec<(usize, Weighed)> = weighed.collect();
    let (standing, next_deadline) = fold(weighed.iter().map(|(_, one)| (one.outcome, one.due)), now);
    let counts = weighed.iter().filter(|(_, one)| one.outcome.counts_against() && one.due.is_some());
    Stands { standing, next_deadline, against: counts.map(|(position, _)| *position).collect() }
}

/// What an outcome comes to under the terms that apply.
struct Weighed {
    outcome: Outcome,
    since: Millis,
    failing_since: Option<Millis>,
    stage: Stage,
    counts_since: Option<Millis>,
    due: Option<Millis>,
}

fn weigh(
    (pack, terms): (&Pack, &Terms),
    rule: &Rule,
    seen: Outcome,
    before: Option<Previous>,
    now: Millis,
) -> Weighed {
    let against = seen.counts_against();
    let until = terms.excepted(rule, now).filter(|_| against);
    let outcome = if until.is_some() { Outcome::Excepted } else { seen };
    let stage = terms.stage(pack, rule, now);
    let counts_since =
        (against && stage == Stage::Enforce).then(|| before.and_then(|b| b.counts_since).unwrap_or(now));
    Weighed {
        outcome,
        since: before.filter(|b| b.outcome == outcome).map_or(now, |b| b.since),
        failing_since: against.then(|| before.and_then(|b| b.failing_since).unwrap_or(now)),
        stage,
        counts_since,
        due: counts_since.map(|since| {
            let graced = since.plus(rule.grace);
            until.map_or(graced, |until| until.max(graced))
        }),
    }
}

/// Folds findings, each with when it costs something, to a standing, and says when that changes by time alone.
pub fn fold(
    findings: impl IntoIterator<Item = (Outcome, Option<Millis>)>,
    now: Millis,
) -> (Standing, Option<Millis>) {
    let mut standing = Standing::Good;
    let mut next: Option<Millis> = None;
    for (outcome, due) in findings {
        let Some(due) = due else { continue };
        if due <= now {
            standing = Standing::Lapsed;
            continue;
        }
        if outcome != Outcome::Excepted {
            standing = standing.max(Standing::Due);
        }
        next = Some(next.map_or(due, |next| next.min(due)));
    }
    (standing, next)
}

/// Judges facts by one rule of a pack, as if for the first time.
pub fn judge_one(pack: &Pack, rule: &Rule, facts: &Facts, now: Millis) -> (Outcome, String) {
    let bindings =
        Bindings::new(&pack.env, facts, &pack.facts, &pack.manifest.parameters, &pack.os_support, now);
    outcome(rule, &bindings, facts)
}

fn outcome(rule: &Rule, bindings: &Bindings<'_>, facts: &Facts) -> (Outcome, String) {
    match verdict(rule, bindings) {
        Ok(passes) => {
            let outcome = if passes { Outcome::Pass } else { Outcome::Fail };
            (outcome, observed(rule, bindings, facts))
        }
        Err(why) => why,
    }
}

/// Whether a rule passes; or why nothing can be said of that.
fn verdict(rule: &Rule, bindings: &Bindings<'_>) -> Result<bool, (Outcome, String)> {
    if let Some((when, when_not)) = &rule.when {
        match bindings.evaluate(when) {
            Evaluated::Value(Cel::Bool(true)) => {}
            Evaluated::Value(Cel::Bool(false)) => {
                return Err((Outcome::NotApplicable, words::cut(when_not)));
            }
            other => return Err(not_a_verdict(other)),
        }
    }
    match bindings.evaluate(&rule.pass) {
        Evaluated::Value(Cel::Bool(passes)) => Ok(passes),
        other => Err(not_a_verdict(other)),
    }
}

fn not_a_verdict(evaluated: Evaluated) -> (Outcome, String) {
    match evaluated {
        Evaluated::NotApplicable(why) => (Outcome::NotApplicable, words::cut(&why)),
        Evaluated::Unknown(why) => (Outcome::Unknown, words::cut(&format!("could not tell: {why}"))),
        Evaluated::Value(value) => {
            (Outcome::Unknown, words::cut(&format!("could not tell: the rule gave {value:?}")))
        }
    }
}

fn observed(rule: &Rule, bindings: &Bindings<'_>, facts: &Facts) -> String {
    let said = rule.shows.as_ref().and_then(|shows| match bindings.evaluate(shows) {
        Evaluated::Value(value) => words::shown(&value),
        Evaluated::Unknown(_) | Evaluated::NotApplicable(_) => None,
    });
    said.unwrap_or_else(|| {
        let all: Vec<String> = rule
            .pass
            .facts()
            .iter()
            .filter_map(|name| facts.get(name).map(|fact| words::fact(name, fact)))
            .collect();
        words::cut(&all.join("; "))
    })
}

/// Where the facts behind a rule come from, and when the oldest was read.
fn evidence(rule: &Rule, facts: &Facts, read_at: &ReadAt<'_>) -> (String, Millis) {
    let names = rule.when.iter().map(|(when, _)| when).chain([&rule.pass]).flat_map(|e| e.facts());
    let mut origins: Vec<&str> = Vec::new();
    let mut oldest = read_at.collected;
    for name in names {
        if let Some(fact) = facts.get(name) {
            oldest = oldest.min(read_at.of(name));
            // What merely says "this is a computer" is no evidence for a reader.
            let interesting = !fact.origin.is_empty() && fact.origin != "built in";
            if interesting && !origins.contains(&fact.origin.as_str()) {
                origins.push(&fact.origin);
            }
        }
    }
    (words::cut(&origins.join(", ")), oldest)
}

/// The system whose fix a person is shown: `Linux`, `macOS` or `Windows`.
pub fn system_of(facts: &Facts) -> &'static str {
    let system = facts.get("device.os.system").map(|fact| &fact.state);
    match system {
        Some(FactState::Known(stead_model::Value::One(stead_model::Scalar::Text(text)))) => {
            match text.as_str() {
                "macos" => "macOS",
                "windows" => "Windows",
                _ => "Linux",
            }
        }
        _ => "Linux",
    }
}

impl Judged {
    /// The finding in full, with the words of its rule for a person on `system`.
    pub fn in_full(&self, pack: &Pack, system: &str) -> Finding {
        let rule = &pack.rules[self.rule];
        let asked = self.outcome.counts_against();
        Finding {
            rule: rule.id.clone(),
            title: rule.title.clone(),
            subject: rule.subject.word().to_owned(),
            outcome: self.outcome,
            observed: self.observed.clone(),
            origin: self.origin.clone(),
            at: self.at,
            severity: rule.severity,
            stage: self.stage,
            advice: if asked { rule.fix(system).to_owned() } else { String::new() },
            since: self.since,
            failing_since: self.failing_since,
            due: self.due,
        }
    }
}

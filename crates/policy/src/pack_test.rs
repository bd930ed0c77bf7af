//! A pack's own tests: facts in, findings out. `tests/<rule id>.toml` holds the cases of a rule.
//!
//! ```text
//! [[case]]
//! name = "a clear data disk"
//! expect = "fail"
//! shows = "/data"                          # must stand in the observed value; may be left out
//! [case.facts]
//! "device.volumes" = [{ mount = "/data", encrypted = false, how = "clear" }]
//! [case.unknown]                           # fact = why
//! [case.not_applicable]
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;
use stead_model::{Fact, Facts, Millis, Outcome, Subject, Value};

use crate::{
    judge::judge_one,
    lint::Lint,
    pack::{self, Files, Pack},
    rule::{Rule, toml_lint},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestFile {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    expect: Outcome,
    shows: Option<String>,
    now: Option<String>,
    #[serde(default)]
    facts: BTreeMap<String, Value>,
    #[serde(default)]
    unknown: BTreeMap<String, String>,
    #[serde(default)]
    not_applicable: BTreeMap<String, String>,
}

/// What running a pack's tests gave.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// Cases that came out as expected.
    pub passed: usize,
    /// Those that did not.
    pub failed: Vec<Amiss>,
    /// Outcomes that a rule's tests should show and do not.
    pub missing: Vec<Amiss>,
}

/// What is amiss with a rule's tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amiss {
    /// The rule.
    pub rule: String,
    /// What is, in words.
    pub what: String,
}

impl std::fmt::Display for Amiss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// Runs every test of a pack.
///
/// # Errors
/// Test files that cannot be read.
pub fn run(pack: &Pack, files: &Files) -> Result<Outcomes, Vec<Lint>> {
    let files = pack::in_force(files, pack.manifest.extends.is_some());
    let mut outcomes = Outcomes::default();
    let mut lints = Vec::new();
    for rule in &pack.rules {
        let amiss = |what| Amiss { rule: rule.id.clone(), what };
        let path = format!("tests/{}.toml", rule.id);
        let Some((path, text)) = files.get(path.as_str()).copied() else {
            outcomes.missing.push(amiss(format!("there is no {path}")));
            continue;
        };
        let file: TestFile = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                lints.push(toml_lint(path, text, 0, &error));
                continue;
            }
        };
        for wanted in [Outcome::Pass, Outcome::Fail, Outcome::Unknown, Outcome::NotApplicable] {
            if !file.case.iter().any(|case| case.expect == wanted) {
                outcomes.missing.push(amiss(format!("no case expects `{}`", wanted.word())));
            }
        }
        for case in &file.case {
            match run_case(pack, rule, case) {
                Ok(()) => outcomes.passed += 1,
                Err(why) => outcomes.failed.push(amiss(format!("{}: {why}", case.name))),
            }
        }
    }
    for (below, (path, text)) in &files {
        let of = below.strip_prefix("tests/").and_then(|name| name.strip_suffix(".toml"));
        if of.is_some_and(|id| pack.rule(id).is_none()) {
            let advice = "name it as its rule is named, or take it out";
            lints.push(Lint::new(path, text, 0..0, "there is no rule that this file tests", advice));
        }
    }
    if lints.is_empty() { Ok(outcomes) } else { Err(lints) }
}

fn run_case(pack: &Pack, rule: &Rule, case: &Case) -> Result<(), String> {
    let now = match &case.now {
        None => Millis(1_773_305_091_000),
        Some(text) => text
            .parse::<jiff::Timestamp>()
            .map(|time| Millis(time.as_millisecond()))
            .map_err(|error| format!("`now` cannot be read: {error}"))?,
    };
    let mut facts: Facts = (case.facts.iter().map(|(k, v)| (k, Fact::known(v.clone(), "test"))))
        .chain(case.unknown.iter().map(|(k, why)| (k, Fact::unknown(why, "test"))))
        .chain(case.not_applicable.iter().map(|(k, why)| (k, Fact::not_applicable(why, "test"))))
        .map(|(name, fact)| (name.clone(), fact))
        .collect();
    // A case about a device is about a computer unless it says otherwise.
    if rule.subject == Subject::Device {
        facts.entry("device.kind".to_owned()).or_insert_with(|| Fact::known("computer", "test"));
    }
    if let Some(name) = facts.keys().find(|name| stead_model::catalogue::find(name).is_none()) {
        return Err(format!("there is no fact `{name}`"));
    }
    let (outcome, observed) = judge_one(pack, rule, &facts, now);
    if outcome != case.expect {
        return Err(format!("expected `{}`, got `{}` ({observed})", case.expect.word(), outcome.word()));
    }
    match &case.shows {
        Some(words) if !observed.contains(words.as_str()) => {
            Err(format!("`{words}` should stand in what was seen: `{}`", observed))
        }
        _ => Ok(()),
    }
}

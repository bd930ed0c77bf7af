//! What changed from one text of the policy to another, rule by rule, in words.
//!
//! In scope: comparing. Whether a rule asks for more or for less is said where the numbers and stages show it,
//! and left open where only the expression changed: a person reads both.

use stead_model::{Scalar, Stage};
use stead_policy::{Pack, Rule};

/// What happened to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Added,
    /// It asks for more, sooner, or costs more.
    Stricter,
    /// What it asks is another thing; whether more or less, its text says.
    Changed,
    /// It asks for less, later, or costs less.
    Looser,
    /// It is gone.
    Removed,
    /// It asks the same in other words.
    Reworded,
}

impl Change {
    /// Its word, as in the names of messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Stricter => "stricter",
            Self::Changed => "changed",
            Self::Looser => "looser",
            Self::Removed => "removed",
            Self::Reworded => "reworded",
        }
    }
}

/// One rule that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its id.
    pub rule: String,
    /// What happened to it.
    pub change: Change,
    /// What it was and is, by name of the field: grace, stage, costs, parameters.
    pub fields: Vec<(String, String, String)>,
}

fn rank(stage: Stage) -> u8 {
    match stage {
        Stage::Observe => 0,
        Stage::Advise => 1,
        Stage::Enforce => 2,
    }
}

/// What changed from one pack to another, worst for the reader first.
pub fn between(old: &Pack, new: &Pack) -> Vec<Changed> {
    let mut all: Vec<Changed> = new
        .rules
        .iter()
        .filter_map(|rule| match old.rule(&rule.id) {
            Some(before) => changed((old, before), (new, rule)),
            None => Some(Changed { rule: rule.id.clone(), change: Change::Added, fields: Vec::new() }),
        })
        .collect();
    let gone = old.rules.iter().filter(|rule| new.rule(&rule.id).is_none());
    all.extend(gone.map(|rule| Changed {
        rule: rule.id.clone(),
        change: Change::Removed,
        fields: Vec::new(),
    }));
    all.sort_by(|a, b| (a.change, &a.rule).cmp(&(b.change, &b.rule)));
    all
}

fn changed((old, before): (&Pack, &Rule), (new, after): (&Pack, &Rule)) -> Option<Changed> {
    let mut fields = Vec::new();
    // More is 1, less is -1, for the reader.
    let mut sides = Vec::new();
    let mut note = |name: &str, from: String, to: String, side: i8| {
        if from != to {
            fields.push((name.to_owned(), from, to));
            sides.push(side);
        }
    };
    let sign = |more: bool| if more { 1 } else { -1 };
    note("grace", days(before.grace), days(after.grace), sign(after.grace < before.grace));
    note(
        "stage",
        before.stage.word().to_owned(),
        after.stage.word().to_owned(),
        sign(rank(after.stage) > rank(before.stage)),
    );
    let tier = |pack: &Pack, rule: &Rule| pack.manifest.tiers.iter().position(|tier| *tier == rule.costs);
    // The lower the tier that a lapse takes away, the more goes with it.
    note("costs", before.costs.clone(), after.costs.clone(), sign(tier(new, after) < tier(old, before)));
    let asked = |rule: &Rule| {
        let when = rule.when.as_ref().map(|(when, _)| when.source().to_owned());
        (rule.pass.source().to_owned(), when)
    };
    let other = asked(before) != asked(after);
    for (name, parameter) in &new.manifest.parameters {
        let used = after.expressions().any(|e| e.source().contains(&format!("param.{name}")));
        let was = old.manifest.parameters.get(name);
        if let (true, Some(was)) = (used, was) {
            let said = |parameter: &stead_policy::pack::Parameter| match &parameter.value {
                Scalar::Bool(value) => format!("{value} {}", parameter.unit),
                Scalar::Int(value) => format!("{value} {}", parameter.unit),
                Scalar::Text(value) => format!("{value} {}", parameter.unit),
            };
            note(name, said(was), said(parameter), 0);
        }
    }
    let words = |rule: &Rule| {
        (rule.title.clone(), rule.asks.clone(), rule.why.clone(), rule.sections.clone(), rule.fixes.clone())
    };
    let reworded = words(before) != words(after) || before.translations != after.translations;
    let change = match (sides.iter().any(|s| *s > 0), sides.iter().any(|s| *s < 0)) {
        _ if other || sides.contains(&0) => Change::Changed,
        (true, true) => Change::Changed,
        (true, false) => Change::Stricter,
        (false, true) => Change::Looser,
        (false, false) if reworded => Change::Reworded,
        (false, false) => return None,
    };
    Some(Changed { rule: after.id.clone(), change, fields })
}

fn days(millis: i64) -> String {
    (millis / stead_model::time::HOUR).to_string()
}

//! What changed from one text of the policy to another, rule by rule, in words.
//!
//! In scope: comparing. Whether a rule asks for more or for less is said where the numbers and stages show it,
//! and left open where only the expression changed: a person reads both.

use stead_model::{Scalar, Stage};
use stead_policy::{
    Pack, Rule,
    pack::{Parameter, said},
    terms::{Binds, Rollout},
};

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

/// What changed from one pack to another, worst for the reader first. What changed in the pack itself stands
/// under no rule's id.
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
    all.extend(whole(old, new));
    all.sort_by(|a, b| (a.change, &a.rule).cmp(&(b.change, &b.rule)));
    all
}

/// What changed in a pack beside its rules.
fn whole(old: &Pack, new: &Pack) -> Option<Changed> {
    let of = |pack: &Pack| {
        let manifest = &pack.manifest;
        [
            ("pack", manifest.name.clone()),
            ("owner", manifest.owner.clone()),
            ("review_every", manifest.review_every.clone()),
            ("silent_after", manifest.silent_after.clone()),
            ("tiers", manifest.tiers.join(", ")),
            ("data", pack.data_digest.chars().take(19).collect()),
            ("exceptions", exceptions(pack)),
            ("cases", cases(pack)),
            ("break_glass", glass(pack)),
            ("losses", losses(pack)),
            (
                "questions",
                manifest.questions.iter().map(|asked| said(&asked.ask, "en")).collect::<Vec<_>>().join(" "),
            ),
        ]
    };
    let mut fields: Vec<_> = of(old)
        .into_iter()
        .zip(of(new))
        .filter(|((_, from), (_, to))| from != to)
        .map(|((name, from), (_, to))| (name.to_owned(), from, to))
        .collect();
    // What a rule uses is said with the rule.
    let used = |name: &str| {
        new.rules.iter().flat_map(Rule::expressions).any(|e| e.source().contains(&format!("param.{name}")))
    };
    for (name, parameter) in new.manifest.parameters.iter().filter(|(name, _)| !used(name)) {
        let was = old.manifest.parameters.get(name).map_or_else(String::new, amount);
        if was != amount(parameter) {
            fields.push((name.clone(), was, amount(parameter)));
        }
    }
    (!fields.is_empty()).then(|| Changed { rule: String::new(), change: Change::Changed, fields })
}

/// How long exceptions last and who decides on them, in words.
fn exceptions(pack: &Pack) -> String {
    let exceptions = &pack.manifest.exceptions;
    let by =
        exceptions.decided_by.iter().map(|(severity, role)| format!("{} {}", severity.word(), role.word()));
    format!("{}: {}", exceptions.longest, by.collect::<Vec<_>>().join(", "))
}

/// What follows when a rule is not kept, in words.
fn cases(pack: &Pack) -> String {
    let cases = &pack.manifest.cases;
    let ladder: Vec<&str> = cases.ladder.iter().map(|step| said(step, "en")).collect();
    format!(
        "{}, {}, {}, {}: {}",
        cases.manager_after,
        cases.decision_after,
        cases.answer_within,
        cases.appeal_within,
        ladder.join(", ")
    )
}

/// Who may come in while it is not known whether they may, in words.
fn glass(pack: &Pack) -> String {
    let glass = pack.manifest.break_glass.as_ref();
    glass.map_or_else(String::new, |glass| {
        format!("{}: {}, {}", glass.people.join(", "), glass.tier, glass.lasts)
    })
}

/// What is done when something is lost, in words.
fn losses(pack: &Pack) -> String {
    let step = |step: &stead_policy::losses::Step| {
        let within = step.within.as_deref().unwrap_or_default();
        [step.asks("en"), step.by.word(), within].join(" ").trim().to_owned()
    };
    let steps = pack.losses.steps.iter().map(step);
    std::iter::once(pack.losses.call.clone()).chain(steps).collect::<Vec<_>>().join("; ")
}

/// The steps in which a rule is rolled out, in words.
fn rollout(pack: &Pack, rule: &Rule) -> String {
    let steps = pack.manifest.rollout.iter().filter(|step| step.rules.contains(&rule.id));
    let step = |step: &Rollout| {
        let from = step.from.map_or_else(String::new, |from| format!(" {from}"));
        format!("{} {}{from}", step.unit.as_deref().unwrap_or("*"), step.stage.key())
    };
    steps.map(step).collect::<Vec<_>>().join(", ")
}

fn amount(parameter: &Parameter) -> String {
    match &parameter.value {
        Scalar::Bool(value) => format!("{value} {}", parameter.unit),
        Scalar::Int(value) => format!("{value} {}", parameter.unit),
        Scalar::Text(value) => format!("{value} {}", parameter.unit),
    }
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
    note("grace", before.grace.to_string(), after.grace.to_string(), sign(after.grace < before.grace));
    note(
        "stage",
        before.stage.word().to_owned(),
        after.stage.word().to_owned(),
        sign(rank(after.stage) > rank(before.stage)),
    );
    let tier = |pack: &Pack, rule: &Rule| pack.manifest.tiers.iter().position(|tier| *tier == rule.costs);
    // The lower the tier that a lapse takes away, the more goes with it.
    note("costs", before.costs.clone(), after.costs.clone(), sign(tier(new, after) < tier(old, before)));
    let severe = sign(after.severity > before.severity);
    note("severity", before.severity.word().to_owned(), after.severity.word().to_owned(), severe);
    let when =
        |rule: &Rule| rule.when.as_ref().map_or_else(String::new, |(when, _)| when.source().to_owned());
    note("asks", before.pass.source().to_owned(), after.pass.source().to_owned(), 0);
    note("when", when(before), when(after), 0);
    note("controls", before.controls.join(", "), after.controls.join(", "), 0);
    note("requirements", before.requirements.join(", "), after.requirements.join(", "), 0);
    for (name, parameter) in &new.manifest.parameters {
        let used = after.expressions().any(|e| e.source().contains(&format!("param.{name}")));
        let was = old.manifest.parameters.get(name);
        if let (true, Some(was)) = (used, was) {
            note(name, amount(was), amount(parameter), 0);
        }
    }
    // Steps for units and days may ask more of some and less of others.
    note("rollout", rollout(old, before), rollout(new, after), 0);
    let all = sign(after.binds == Binds::All);
    note("binds", before.binds.word().to_owned(), after.binds.word().to_owned(), all);
    let words = |rule: &Rule| {
        (rule.title.clone(), rule.asks.clone(), rule.why.clone(), rule.sections.clone(), rule.fixes.clone())
    };
    let reworded = words(before) != words(after) || before.translations != after.translations;
    let change = match (sides.iter().any(|s| *s > 0), sides.iter().any(|s| *s < 0)) {
        _ if sides.contains(&0) => Change::Changed,
        (true, true) => Change::Changed,
        (true, false) => Change::Stricter,
        (false, true) => Change::Looser,
        (false, false) if reworded => Change::Reworded,
        (false, false) => return None,
    };
    Some(Changed { rule: after.id.clone(), change, fields })
}

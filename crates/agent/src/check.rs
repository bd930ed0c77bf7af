//! `stead check`: what the policy asks of this computer, and what is seen, with no server.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use stead_model::{Fact, Facts, Finding, Millis, Stage, Standing, Subject};
use stead_policy::{
    Pack, Terms,
    judge::{ReadAt, judge, system_of},
    shipped,
};

use crate::{facts, host::Host, kept::Kept, state::State};

/// What a check gives, as `--json` prints it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Checked {
    /// One finding for each rule.
    pub findings: Vec<Finding>,
    /// The findings, folded.
    pub standing: Standing,
}

impl Checked {
    /// Whether nothing that is asked of the person fails or is unknown. Rules that are only observed ask
    /// for nothing.
    pub fn is_good(&self) -> bool {
        !self
            .findings
            .iter()
            .any(|finding| finding.stage != Stage::Observe && finding.outcome.counts_against())
    }
}

/// Saved facts: the facts alone, or a report as `stead show-report` prints it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Saved {
    Report {
        facts: Facts,
        at: Millis,
        #[serde(default)]
        read_at: BTreeMap<String, Millis>,
    },
    Facts(Facts),
}

/// The policy that ships with the agent.
///
/// # Errors
/// When it is damaged, which the tests rule out.
pub fn policy() -> anyhow::Result<Pack> {
    Pack::load(&shipped::remote_work()).map_err(|lints| {
        let first = lints.first().map_or_else(String::new, |lint| format!("{}: {lint}", lint.place()));
        anyhow::anyhow!("the policy in this program cannot be read: {first}")
    })
}

/// Checks this computer.
///
/// # Errors
/// When the policy cannot be read.
pub fn here(state: &State, now: Millis) -> anyhow::Result<(Checked, Pack)> {
    let kept_file = state.file("kept.json");
    let kept = Kept::load(&kept_file);
    let mut collected = facts::collect(&Host::real(), &kept, &state.places(), now);
    if state.make().is_ok() {
        // A check that cannot remember is only slower next time.
        let _ = kept.save(&kept_file);
    }
    collected.facts.insert("device.owner".to_owned(), owner(state));
    let pack = policy()?;
    let checked = judged(&pack, &collected.facts, &collected.read_at, now);
    Ok((checked, pack))
}

/// Checks saved facts.
///
/// # Errors
/// When they or the policy cannot be read.
pub fn saved(text: &str, now: Millis) -> anyhow::Result<(Checked, Pack)> {
    let saved: Saved = serde_json::from_str(text)
        .context("these are no facts; give the output of `stead show-report`, or its `facts` alone")?;
    let (mut facts, at, read_at) = match saved {
        Saved::Report { facts, at, read_at } => (facts, at, read_at),
        Saved::Facts(facts) => (facts, now, BTreeMap::new()),
    };
    if let Some(name) = facts.keys().find(|name| stead_model::catalogue::find(name).is_none()) {
        anyhow::bail!("there is no fact `{name}`; `stead-server pack facts` lists every fact there is");
    }
    facts.entry("device.owner".to_owned()).or_insert_with(not_enrolled);
    let pack = policy()?;
    let checked = judged(&pack, &facts, &read_at, at);
    Ok((checked, pack))
}

fn judged(pack: &Pack, facts: &Facts, kept: &BTreeMap<String, Millis>, now: Millis) -> Checked {
    let judgement = judge(
        (pack, &Terms::default()),
        Subject::Device,
        facts,
        &ReadAt { collected: now, kept },
        |_| None,
        now,
    );
    let system = system_of(facts);
    Checked {
        findings: judgement.findings.iter().map(|judged| judged.in_full(pack, system)).collect(),
        standing: judgement.standing,
    }
}

fn owner(state: &State) -> Fact {
    match state.identity() {
        Ok(Some(identity)) => Fact::known(identity.owner, "record of the enrolment"),
        Ok(None) => not_enrolled(),
        Err(error) => Fact::unknown(
            format!("the record of the enrolment cannot be read: {error}"),
            "record of the enrolment",
        ),
    }
}

fn not_enrolled() -> Fact {
    Fact::not_applicable(
        "this computer is not enrolled, so nobody has written down whose it is",
        "record of the enrolment",
    )
}

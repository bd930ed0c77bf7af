//! What a message changes: nothing, or the findings of a report that must be judged.

use stead_model::{
    DeviceId, Fact, Facts, Finding, Millis, Standing,
    catalogue::{self, Source},
    message::{Report, facts_digest},
    problem::Kind,
    seal,
    time::{HOUR, MINUTE},
};
use stead_policy::judge::{self, Judgement, ReadAt, judge};
use stead_store::{
    check_in::{NewReport, Step},
    finding::StoredFinding,
};

use super::{
    SYSTEM, TIME_STEP,
    known::{Device, JudgedFacts, Remembered, remember, remember_stored},
    message::{Heard, Said, read},
};
use crate::{
    App,
    error::Refusal,
    flows::writer::{ChangedFinding, Judged, Work},
};

/// An unchanged report replaces the one that is kept when that is older.
const KEEP_EVERY: i64 = 6 * HOUR;

/// What is to be written, what is known of the device once it is, and what it is told.
pub(super) struct Prepared {
    pub(super) work: Work,
    pub(super) after: Device,
    /// The findings, when they were judged now.
    pub(super) findings: Option<Vec<Finding>>,
}

/// Decides what is to be written.
pub(super) async fn prepare(
    app: &App,
    device: &Device,
    heard: &Heard,
    step: Step,
    as_of: Millis,
) -> Result<Prepared, Refusal> {
    let mut after =
        Device { seq: heard.seq, message: heard.message, last_seen: step.last_seen, ..device.clone() };
    let still_holds = |digest: &str| {
        device.judged.as_ref().filter(|judged| {
            &*judged.facts_digest == digest
                && judged
                    .step
                    .is_some_and(|step| !app.pack.depends_on_time || step == as_of.0.div_euclid(TIME_STEP))
                && device.deadline.is_none_or(|deadline| deadline > as_of)
                && device.standing != Standing::Unknown
        })
    };
    match &heard.said {
        Said::Heartbeat(heartbeat) => {
            if still_holds(&heartbeat.facts_digest).is_none() {
                return Err(Refusal::new(Kind::FactsNeeded, "The agent does so by itself."));
            }
            Ok(Prepared { work: Work { step, judged: None, keep: None }, after, findings: None })
        }
        Said::Report(payload) => {
            let report: Report<'_> = read(payload.bytes())?;
            let digest = facts_digest(report.facts);
            let new_report = |pack: String| NewReport {
                device: heard.device,
                seq: heard.seq,
                received_at: as_of,
                digest: format!("sha256:{}", seal::hex(&heard.digest)),
                facts_digest: digest.clone(),
                pack,
                pack_digest: app.pack.digest.clone(),
                envelope: heard.text.clone(),
            };
            if let Some(judged) = still_holds(&digest) {
                let keep = (as_of.since(judged.kept_at) >= KEEP_EVERY)
                    .then(|| Box::new(new_report(app.pack.label())));
                if keep.is_some() {
                    after.judged = Some(JudgedFacts { seq: heard.seq, kept_at: as_of, ..judged.clone() });
                }
                return Ok(Prepared { work: Work { step, judged: None, keep }, after, findings: None });
            }
            let facts = facts_of(&report, &device.owner)?;
            let before = findings_before(app, device, heard.device).await?;
            let read_at = ReadAt { collected: heard.at.min(as_of), kept: &report.read_at };
            let mut judgement = judge(
                &app.pack,
                &facts,
                &read_at,
                |rule| {
                    app.pack
                        .rules
                        .iter()
                        .position(|r| r.id == rule)
                        .and_then(|i| before.get(i)?.as_ref())
                        .map(|r| r.previous)
                },
                as_of,
            );
            keep_what_is_unchanged(&mut judgement, &before);
            after.standing = judgement.standing;
            after.deadline = judgement.next_deadline;
            after.judged = Some(JudgedFacts {
                seq: heard.seq,
                facts_digest: digest.as_str().into(),
                step: Some(as_of.0.div_euclid(TIME_STEP)),
                kept_at: as_of,
                findings: judgement.findings.iter().map(remember).collect(),
            });
            let old = device.deadline.is_some_and(|deadline| deadline <= as_of.plus(MINUTE))
                || as_of.since(device.last_seen) >= app.pack.silent_after - MINUTE;
            let judged = Judged {
                reason: reason(app, device.judged.is_none(), &judgement, as_of),
                findings: changed(app, &judgement, &before),
                report: new_report(app.pack.label()),
                before: device.standing,
                before_is_old: old,
                standing: judgement.standing,
                deadline: judgement.next_deadline,
                system: system_name(&facts),
            };
            let findings = judgement.findings.iter().map(|f| f.in_full(&app.pack, SYSTEM)).collect();
            let work = Work { step, judged: Some(Box::new(judged)), keep: None };
            Ok(Prepared { work, after, findings: Some(findings) })
        }
    }
}

/// The facts of a report, with those that the server's own records hold.
pub(super) fn facts_of(report: &Report<'_>, owner: &str) -> Result<Facts, Refusal> {
    let mut facts: Facts = read(report.facts.get().as_bytes())?;
    for name in facts.keys() {
        match catalogue::find(name).map(|spec| spec.source) {
            Some(Source::Device) => {}
            Some(Source::Record) => {
                return Err(Refusal::new(Kind::Malformed, format!("`{name}` is not for a device to say.")));
            }
            None => {
                return Err(Refusal::new(
                    Kind::Malformed,
                    format!("There is no fact `{}`.", stead_model::text::plain(name, 80)),
                ));
            }
        }
    }
    facts.insert("device.owner".to_owned(), Fact::known(owner, "record of the enrolment"));
    Ok(facts)
}

/// The findings before, by position of the rule; none where there was none.
pub(super) async fn findings_before(
    app: &App,
    device: &Device,
    id: DeviceId,
) -> Result<Vec<Option<Remembered>>, Refusal> {
    let Some(judged) = &device.judged else { return Ok(Vec::new()) };
    if !judged.findings.is_empty() {
        return Ok(judged.findings.iter().copied().map(Some).collect());
    }
    let stored = app.store.findings(id).await?;
    let find = |rule: &str| stored.iter().find(|finding| finding.rule == rule);
    Ok(app.pack.rules.iter().map(|rule| find(&rule.id).map(remember_stored)).collect())
}

pub(super) fn changed(
    app: &App,
    judgement: &Judgement,
    before: &[Option<Remembered>],
) -> Vec<ChangedFinding> {
    let mut changed = Vec::new();
    for (judged, rule) in judgement.findings.iter().zip(&app.pack.rules) {
        let before = before.get(judged.rule).copied().flatten();
        if before.is_some_and(|before| before.says(judged)) {
            continue;
        }
        changed.push(ChangedFinding {
            before: before.map(|b| b.previous.outcome),
            finding: StoredFinding {
                rule: rule.id.clone(),
                outcome: judged.outcome,
                observed: judged.observed.clone(),
                origin: judged.origin.clone(),
                at: judged.at,
                since: judged.since,
                failing_since: judged.failing_since,
            },
        });
    }
    changed
}

/// Why the standing is what it is: the worst of the rules that count.
pub(super) fn reason(app: &App, first: bool, judgement: &Judgement, now: Millis) -> String {
    let against: Vec<&judge::Judged> = judgement
        .findings
        .iter()
        .filter(|f| f.outcome.counts_against() && app.pack.rules[f.rule].stage == stead_model::Stage::Enforce)
        .collect();
    let lapsed =
        |f: &&&judge::Judged| f.failing_since.unwrap_or(now).plus(app.pack.rules[f.rule].grace) <= now;
    let newest = |list: &mut dyn Iterator<Item = &&judge::Judged>| {
        list.max_by_key(|f| f.since).map(|f| &app.pack.rules[f.rule].title).cloned()
    };
    match judgement.standing {
        _ if first => Some("Judged for the first time".to_owned()),
        Standing::Lapsed => {
            newest(&mut against.iter().filter(lapsed)).map(|title| format!("Lapsed: “{title}”"))
        }
        Standing::Due => {
            newest(&mut against.iter()).map(|title| format!("Fails or cannot be told: “{title}”"))
        }
        Standing::Good | Standing::Unknown => None,
    }
    .unwrap_or_else(|| "All rules that count are kept".to_owned())
}

pub(super) fn system_name(facts: &Facts) -> String {
    match facts.get("device.os.name").map(|fact| &fact.state) {
        Some(stead_model::FactState::Known(stead_model::Value::One(stead_model::Scalar::Text(name)))) => {
            stead_model::text::plain(name, 80)
        }
        _ => String::new(),
    }
}

/// A finding that says what it said before keeps the time of the facts that first showed it, as its row does.
pub(super) fn keep_what_is_unchanged(judgement: &mut Judgement, before: &[Option<Remembered>]) {
    for (judged, before) in judgement.findings.iter_mut().zip(before) {
        if let Some(before) = before.filter(|before| before.says(judged)) {
            judged.at = before.at;
        }
    }
}

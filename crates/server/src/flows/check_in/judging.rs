//! What a message changes: nothing, or the findings of a report that must be judged.

use std::sync::Arc;

use stead_model::{
    DeviceId, Fact, Facts, Finding, Millis, Outcome, Standing, Subject,
    catalogue::{self, Source},
    fact::FactState,
    json,
    message::{Report, facts_digest},
    problem::Kind,
    seal,
    time::{HOUR, MINUTE},
};
use stead_policy::{
    Pack, Terms,
    judge::{self, Judgement, ReadAt, judge},
};
use stead_store::{
    check_in::{NewReport, Step},
    finding::StoredFinding,
};

use super::{
    SYSTEM, TIME_STEP,
    known::{Cost, Device, Findings, JudgedFacts, Remembered, remember, remember_stored},
    message::{Heard, Said, message, read},
};
use crate::{
    App,
    error::Refusal,
    flows::{
        apart,
        writer::{ChangedFinding, Judged, Work},
    },
};

/// An unchanged report replaces the one that is kept when that is older.
const KEEP_EVERY: i64 = 6 * HOUR;

/// What is to be written, what is known of the device once it is, and what it is told.
pub(super) struct Prepared {
    pub(super) work: Work,
    pub(super) after: Device,
    /// What was found, as `after` points to it, when it was judged now.
    pub(super) remembered: Option<Arc<Findings>>,
    /// The findings, when they were judged now.
    pub(super) findings: Option<Vec<Finding>>,
}

impl Prepared {
    fn unjudged(work: Work, after: Device) -> Self {
        Self { work, after, remembered: None, findings: None }
    }
}

/// Decides what is to be written.
pub(super) async fn prepare(
    app: &App,
    device: &Device,
    heard: &Heard,
    step: Step,
    as_of: Millis,
) -> Result<Prepared, Refusal> {
    let pack = app.pack();
    if pack.is_in_doubt() {
        return Err(Refusal::said(Kind::Unavailable, "policy-changed"));
    }
    let mut after =
        Device { seq: heard.seq, message: heard.message, last_seen: step.last_seen, ..device.clone() };
    let still_holds = |digest: &str| {
        device.judged.as_ref().filter(|judged| {
            &*judged.facts_digest == digest
                && *judged.pack == *pack.digest
                && judged
                    .step
                    .is_some_and(|step| !pack.depends_on_time || step == as_of.0.div_euclid(TIME_STEP))
                && device.deadline.is_none_or(|deadline| deadline > as_of)
                && device.standing != Standing::Unknown
        })
    };
    match &heard.said {
        Said::Heartbeat(heartbeat) => {
            if still_holds(&heartbeat.facts_digest).is_none() {
                return Err(Refusal::new(Kind::FactsNeeded, "The agent does so by itself."));
            }
            Ok(Prepared::unjudged(Work { step, judged: None, keep: None }, after))
        }
        Said::Report(payload) => {
            let report: Report<'_> = read(payload.bytes())?;
            let new_report = NewReport {
                device: heard.device,
                seq: heard.seq,
                received_at: app.now(),
                digest: format!("sha256:{}", seal::hex(&heard.digest)),
                facts_digest: facts_digest(report.facts),
                pack: pack.label(),
                pack_digest: pack.digest.clone(),
                envelope: heard.text.clone(),
            };
            if let Some(judged) = still_holds(&new_report.facts_digest) {
                let expects = (judged.pack.to_string(), judged.basis);
                let kept_at = new_report.received_at;
                let keep =
                    (kept_at.since(judged.kept_at) >= KEEP_EVERY).then(|| Box::new((new_report, expects)));
                if keep.is_some() {
                    after.judged = Some(JudgedFacts { seq: heard.seq, kept_at, ..judged.clone() });
                }
                return Ok(Prepared::unjudged(Work { step, judged: None, keep }, after));
            }
            judge_report(app, &pack, (device, after), &report, (step, new_report), as_of).await
        }
    }
}

/// Judges a report that was stored before by the policy in force now. None when there is none, or when it
/// was judged by that already.
pub(super) async fn prepare_again(
    app: &App,
    device: &Device,
    id: DeviceId,
    now: Millis,
) -> Result<Option<Prepared>, Refusal> {
    let pack = app.pack();
    let judged = device.judged.as_ref().is_some_and(|judged| *judged.pack == *pack.digest);
    if judged || device.revoked || device.standing == Standing::Unknown {
        return Ok(None);
    }
    let Some(stored) = app.store.report(id).await? else { return Ok(None) };
    let envelope: seal::Envelope =
        serde_json::from_str(&stored.envelope).map_err(stead_store::StoreError::from)?;
    let heard = message(id, device, &envelope, stored.envelope, false)?;
    let Said::Report(payload) = &heard.said else { return Ok(None) };
    let report: Report<'_> = read(payload.bytes())?;
    let new_report = NewReport {
        device: id,
        seq: stored.seq,
        received_at: stored.received_at,
        digest: stored.digest,
        facts_digest: stored.facts_digest,
        pack: pack.label(),
        pack_digest: pack.digest.clone(),
        envelope: heard.text.clone(),
    };
    // From where it is to where it is: the writer refuses when it has moved on meanwhile.
    let step = Step {
        device: id,
        prev_seq: device.seq,
        seq: device.seq,
        last_seen: device.last_seen,
        message: seal::hex(&device.message),
    };
    judge_report(app, &pack, (device, device.clone()), &report, (step, new_report), now).await.map(Some)
}

async fn judge_report(
    app: &App,
    pack: &Arc<Pack>,
    (device, mut after): (&Device, Device),
    report: &Report<'_>,
    (step, new_report): (Step, NewReport),
    as_of: Millis,
) -> Result<Prepared, Refusal> {
    let facts = facts_of(report, &device.owner)?;
    let terms = app.terms().of_device(new_report.device, device.person);
    let before = findings_before(app, (pack, &terms), device, new_report.device).await?;
    let (collected, kept) = (report.at.min(as_of), report.read_at.clone());
    let judging = Arc::clone(pack);
    let (judgement, before, facts) = apart(move || {
        let read_at = ReadAt { collected, kept: &kept };
        let previous = |rule: &str| {
            let place = judging.rules_of(Subject::Device).iter().position(|r| r.id == rule)?;
            before.findings.get(place)?.as_ref().map(|r| r.previous)
        };
        let mut judgement = judge((&judging, &terms), Subject::Device, &facts, &read_at, previous, as_of);
        keep_what_is_unchanged(&mut judgement, &before.findings);
        (judgement, before, facts)
    })
    .await?;
    let remembered = Arc::new(by_place(pack, &judgement));
    after.standing = judgement.standing;
    after.deadline = judgement.next_deadline;
    after.judged = Some(JudgedFacts {
        seq: new_report.seq,
        facts_digest: new_report.facts_digest.as_str().into(),
        pack: app.known.names.get(&pack.digest),
        basis: device.judged.as_ref().map_or(0, |judged| judged.basis),
        step: Some(as_of.0.div_euclid(TIME_STEP)),
        kept_at: new_report.received_at,
        costs: Some(costs(&remembered)),
        findings: Arc::downgrade(&remembered),
    });
    let old = device.deadline.is_some_and(|deadline| deadline <= as_of.plus(MINUTE))
        || as_of.since(device.last_seen) >= pack.silent_after - MINUTE;
    let judged = Judged {
        reason: reason(pack, device.judged.is_none(), &judgement, as_of),
        findings: changed(pack, &judgement, &before.findings),
        expects: device.judged.as_ref().map(|judged| (judged.pack.to_string(), judged.basis)),
        gone: before.gone,
        report: new_report,
        before: device.standing,
        before_is_old: old,
        standing: judgement.standing,
        deadline: judgement.next_deadline,
        system: system_name(&facts),
    };
    let findings = judgement.findings.iter().map(|f| f.in_full(pack, SYSTEM)).collect();
    let work = Work { step, judged: Some(Box::new(judged)), keep: None };
    Ok(Prepared { work, after, remembered: Some(remembered), findings: Some(findings) })
}

/// What is remembered of a judgement, by position of the rule among those about devices.
fn by_place(pack: &Pack, judgement: &Judgement) -> Findings {
    let mut all = vec![None; pack.rules_of(Subject::Device).len()];
    for judged in &judgement.findings {
        if let Some(place) = all.get_mut(judged.rule) {
            *place = Some(remember(judged));
        }
    }
    all
}

/// What of it costs something.
fn costs(findings: &Findings) -> Box<[Cost]> {
    let cost = |(place, found): (usize, &Option<Remembered>)| {
        let found = found.as_ref()?;
        Some(Cost { place: u16::try_from(place).ok()?, outcome: found.previous.outcome, due: found.due? })
    };
    findings.iter().enumerate().filter_map(cost).collect()
}

/// The facts of a report, with those that the server's own records hold.
pub(in crate::flows) fn facts_of(report: &Report<'_>, owner: &str) -> Result<Facts, Refusal> {
    if !json::is_unambiguous(report.facts.get().as_bytes()) {
        return Err(Refusal::new(Kind::Malformed, "The report names a fact twice. Send each once."));
    }
    let mut facts: Facts = read(report.facts.get().as_bytes())?;
    for (name, fact) in &mut facts {
        let spec = catalogue::find(name);
        if let (Some(spec), FactState::Known(value)) = (spec, &fact.state)
            && let Err(why) = spec.admits(value, report.at)
        {
            // What cannot be is not known, and never a pass.
            fact.state = FactState::Unknown(why.to_owned());
        }
        match spec.map(|spec| spec.source) {
            Some(Source::Device) => {}
            Some(Source::Record | Source::ToCome) => {
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

/// What was found before.
pub(super) struct Before {
    /// By position of the rule among those about devices; none where there was none.
    pub(super) findings: Vec<Option<Remembered>>,
    /// What rules found that are no more.
    pub(super) gone: Vec<(String, Outcome)>,
}

/// The findings before.
pub(super) async fn findings_before(
    app: &App,
    (pack, terms): (&Pack, &Terms),
    device: &Device,
    id: DeviceId,
) -> Result<Before, Refusal> {
    let none = Before { findings: Vec::new(), gone: Vec::new() };
    let Some(judged) = &device.judged else { return Ok(none) };
    if let Some(findings) = judged.findings.upgrade().filter(|_| *judged.pack == *pack.digest) {
        return Ok(Before { findings: findings.to_vec(), ..none });
    }
    let stored = app.store.findings(id).await?;
    let find = |rule: &str| stored.iter().find(|finding| finding.rule == rule);
    let rules = pack.rules_of(Subject::Device);
    let binds =
        |finding: &&StoredFinding| rules.iter().any(|rule| rule.id == finding.rule && terms.binds(rule));
    let gone = stored.iter().filter(|finding| !binds(finding));
    Ok(Before {
        findings: rules.iter().map(|rule| find(&rule.id).map(remember_stored)).collect(),
        gone: gone.map(|finding| (finding.rule.clone(), finding.outcome)).collect(),
    })
}

pub(super) fn changed(
    pack: &Pack,
    judgement: &Judgement,
    before: &[Option<Remembered>],
) -> Vec<ChangedFinding> {
    let mut changed = Vec::new();
    for judged in &judgement.findings {
        let before = before.get(judged.rule).copied().flatten();
        if before.is_some_and(|before| before.says(judged)) {
            continue;
        }
        changed.push(ChangedFinding {
            before: before.map(|b| b.previous.outcome),
            finding: StoredFinding {
                rule: pack.rules[judged.rule].id.clone(),
                outcome: judged.outcome,
                observed: judged.observed.clone(),
                origin: judged.origin.clone(),
                at: judged.at,
                since: judged.since,
                failing_since: judged.failing_since,
                stage: judged.stage,
                counts_since: judged.counts_since,
                due: judged.due,
            },
        });
    }
    changed
}

/// Why the standing is what it is: the worst of the rules that count.
pub(super) fn reason(pack: &Pack, first: bool, judgement: &Judgement, now: Millis) -> String {
    let against: Vec<&judge::Judged> =
        judgement.findings.iter().filter(|f| f.outcome.counts_against() && f.due.is_some()).collect();
    let lapsed = |f: &&&judge::Judged| f.due.is_some_and(|due| due <= now);
    let newest = |list: &mut dyn Iterator<Item = &&judge::Judged>| {
        list.max_by_key(|f| f.since).map(|f| &pack.rules[f.rule].title).cloned()
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
    for judged in &mut judgement.findings {
        let before = before.get(judged.rule).copied().flatten();
        if let Some(before) = before.filter(|before| before.says(judged)) {
            judged.at = before.at;
        }
    }
}

//! A check-in: is it from the device, is it new, has anything changed, and if so, what does the policy
//! say? The writer makes it durable; only then is it answered.

mod judging;
mod known;
pub(in crate::flows) mod message;
mod question;

use std::sync::Arc;

use stead_model::{
    DeviceId, Finding, PersonId, Standing, Subject,
    message::{ANSWER, Answer, Clearance, VERSION},
    problem::Kind,
    seal::{self, Envelope},
    time::HOUR,
};
use stead_policy::{Pack, judge};
use stead_store::{check_in::Step, finding::StoredFinding};

use self::{
    judging::{Prepared, prepare, prepare_again},
    known::{Cost, Device, remembered},
    message::{Heard, claimed_device, on_time, open, shut_out},
};
use super::{
    loss::heard,
    sign_in::{password::slow_down, throttle::Of},
    writer::Written,
};
use crate::{App, clearance, error::Refusal};

pub(in crate::flows) use judging::facts_of;
pub use known::Known;
pub(in crate::flows) use known::previous;
pub(in crate::flows) use question::question;

/// Findings that depend on the time are judged anew this often.
const TIME_STEP: i64 = 6 * HOUR;

/// Whose fixes an answer holds: the agent runs on Linux.
const SYSTEM: &str = "Linux";

/// Takes a sealed message and answers it, sealed.
///
/// # Errors
/// [`Refusal`], each with its own kind; then nothing has changed.
pub async fn check_in(app: &App, text: &str) -> Result<Envelope, Refusal> {
    let _turn = app.known.turn().await?;
    let envelope: Envelope = serde_json::from_str(text)
        .map_err(|_| Refusal::new(Kind::Malformed, "Send a sealed message, as the agent does."))?;
    let id = claimed_device(&envelope)?;
    // A device that moved on meanwhile is looked up again; three times is more than honest devices need.
    for _ in 0..3 {
        let device = remembered(app, id).await?;
        let heard = open(app, id, &device, &envelope, text)?;
        // Counted once it is the device's own: nobody else uses its allowance up.
        app.throttle.take(Of::Device(id), app.now()).map_err(slow_down)?;
        if device.revoked {
            // Only the device itself is told what it is to do.
            if device.lost_at.is_none() {
                return Err(shut_out(false));
            }
            let new = heard.seq > device.seq && !heard.late;
            if let Some(order) = heard::order(app, id, seal::digest(text.as_bytes()), new).await? {
                return Ok(order);
            }
            app.known.forget(id);
            continue;
        }
        if let Some(answer) = take(app, &device, heard).await? {
            let payload = serde_json::to_vec(&answer).map_err(stead_store::StoreError::from)?;
            return Ok(app.keys.answers.seal(ANSWER, &payload, "server"));
        }
        app.known.forget(id);
    }
    Err(Refusal::new(Kind::OldSequence, "Another message of this device is being stored. Try again."))
}

/// Judges what a device last reported by the policy in force now; whether that was done. What it sends
/// meanwhile is judged by that policy anyway.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub(in crate::flows) async fn judge_again(app: &App, id: DeviceId) -> Result<bool, Refusal> {
    let device = remembered(app, id).await?;
    let Some(Prepared { work, after, remembered, .. }) = prepare_again(app, &device, id, app.now()).await?
    else {
        return Ok(false);
    };
    match app.writer.write(work).await? {
        Written::Stale => {
            app.known.forget(id);
            Ok(false)
        }
        Written::Durable => {
            app.known.put_over(id, &device, after, remembered);
            Ok(true)
        }
    }
}

/// Takes a message. None when the device was no longer where it was thought to be.
async fn take(app: &App, device: &Arc<Device>, heard: Heard) -> Result<Option<Answer>, Refusal> {
    if heard.seq == device.seq && heard.message == device.message {
        let judged = device.judged.as_ref().is_some_and(|judged| judged.seq == heard.seq);
        let findings = if judged { Some(stored_findings(app, heard.device).await?) } else { None };
        return Ok(Some(answer(app, device, heard.device, findings)));
    }
    if heard.seq == device.seq {
        return Err(Refusal::new(
            Kind::SequenceFork,
            "Two copies of this device's key seem to be in use. Enrol the device anew.",
        ));
    }
    if heard.seq < device.seq {
        return Err(Refusal::new(
            Kind::OldSequence,
            format!(
                "Number {} was stored before this number {}. If this device was restored from a backup, enrol it anew.",
                device.seq, heard.seq
            ),
        ));
    }
    if !heard.late {
        on_time(app, heard.at)?;
    }
    // What waited is judged as of when it was made. A later number was made no earlier than the one before it, whatever
    // the device's clock said, and nothing is judged as of a time to come.
    let now = app.now();
    let as_of = if heard.late { heard.at.max(device.last_seen).min(now) } else { now };
    let step = Step {
        device: heard.device,
        prev_seq: device.seq,
        seq: heard.seq,
        last_seen: as_of.max(device.last_seen),
        message: seal::hex(&heard.message),
    };
    let Prepared { work, after, remembered, findings } = prepare(app, device, &heard, step, as_of).await?;
    let kept = work.keep.is_some();
    match app.writer.write(work).await? {
        Written::Stale => Ok(None),
        Written::Durable => {
            let findings = if kept { Some(stored_findings(app, heard.device).await?) } else { findings };
            let answer = answer(app, &after, heard.device, findings);
            app.known.put_over(heard.device, device, after, remembered);
            Ok(Some(answer))
        }
    }
}

/// The answer to a device's last message. A message whose report was judged or kept is answered with all
/// findings, any other with none, so that the same message sent again gets the same answer.
fn answer(app: &App, device: &Device, id: DeviceId, findings: Option<Vec<Finding>>) -> Answer {
    let pack = app.pack();
    let costs = costs_of(&pack, device);
    Answer {
        v: VERSION,
        device: id,
        seq: device.seq,
        heard_at: device.last_seen,
        policy: pack.label(),
        standing: match costs {
            _ if pack.is_in_doubt() => Standing::Unknown,
            Some(costs) => {
                judge::fold(costs.iter().map(|cost| (cost.outcome, Some(cost.due))), device.last_seen).0
            }
            None => device.standing,
        },
        findings,
        clearance: costs.and_then(|costs| clearance_of(app, &pack, device.person, costs)),
        certified: certified(app, id),
        pages: app.config.base_url.clone(),
        next_in: app.config.check_in_every,
        valid_until: device.last_seen.plus(24 * HOUR),
    }
}

/// Whether the device has a certificate that is good; none where nobody is certified or the gate does not know.
fn certified(app: &App, id: DeviceId) -> Option<bool> {
    app.gate.authority.as_ref().filter(|_| app.gate.index.is_complete())?;
    let held = app.gate.index.device(id)?.certificates;
    Some(held.iter().any(|(_, ends_at)| app.now() < *ends_at))
}

/// What costs the device something by the policy in force; none where that is not at hand.
fn costs_of<'a>(pack: &Pack, device: &'a Device) -> Option<&'a [Cost]> {
    device.judged.as_ref().filter(|judged| *judged.pack == *pack.digest)?.costs.as_deref()
}

/// What the device opens to its person, as it is answered: by what was just judged, and by what the gate knows of
/// the person. None while the gate does not know everything.
fn clearance_of(app: &App, pack: &Pack, person: PersonId, costs: &[Cost]) -> Option<Clearance> {
    let person = app.gate.index.person(person).filter(|_| app.gate.index.is_complete())?;
    let rules = pack.rules_of(Subject::Device);
    let of_device =
        costs.iter().filter_map(|cost| Some((rules.get(usize::from(cost.place))?.id.as_str(), cost.due)));
    let of_person = person.costs.iter().map(|cost| (&*cost.rule, cost.due));
    let costs: Vec<clearance::Costing<'_>> = of_device
        .map(|(rule, due)| clearance::Costing { rule, due, person: false })
        .chain(of_person.map(|(rule, due)| clearance::Costing { rule, due, person: true }))
        .collect();
    Some(clearance::told(pack, person.state.may_work(), &costs, app.now()))
}

/// All findings of a device in full, in the order of the rules, as when they were judged.
async fn stored_findings(app: &App, id: DeviceId) -> Result<Vec<Finding>, Refusal> {
    let stored = app.store.findings(id).await?;
    let of = |rule: &stead_policy::Rule| stored.iter().find(|finding| finding.rule == rule.id);
    let pack = app.pack();
    Ok(pack.rules_of(Subject::Device).iter().filter_map(|rule| full(&pack, of(rule)?)).collect())
}

fn full(pack: &Pack, finding: &StoredFinding) -> Option<Finding> {
    let rule = pack.rules.iter().position(|rule| rule.id == finding.rule)?;
    let judged = judge::Judged {
        rule,
        outcome: finding.outcome,
        observed: finding.observed.clone(),
        origin: finding.origin.clone(),
        at: finding.at,
        since: finding.since,
        failing_since: finding.failing_since,
        stage: finding.stage,
        counts_since: finding.counts_since,
        due: finding.due,
    };
    Some(judged.in_full(pack, SYSTEM))
}

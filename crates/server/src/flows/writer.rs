//! Group commit: check-ins that arrive together are written in one transaction, with a few statements
//! over many rows, and answered when it is durable.

use std::{
    collections::HashSet,
    sync::{Arc, Weak},
};

use serde_json::json;
use stead_model::{DeviceId, Millis, Outcome, Standing, problem::Kind};
use stead_store::{
    StoreError, Write,
    check_in::{NewReport, Step},
    device::{NewStanding, StandingChange},
    finding::StoredFinding,
    tally::Tallies,
};
use tokio::sync::{mpsc, oneshot};

use super::{device_subject, entry};
use crate::{App, error::Refusal};

/// The most check-ins in one transaction.
const BATCH: usize = 512;
/// The most that wait; beyond it a device is told to come back.
const WAITING: usize = 8192;

/// A finding that has changed.
#[derive(Debug)]
pub struct ChangedFinding {
    /// The finding as it is now.
    pub finding: StoredFinding,
    /// The outcome before, none for the first.
    pub before: Option<Outcome>,
}

/// What a judged report changes.
#[derive(Debug)]
pub struct Judged {
    /// The report to keep.
    pub report: NewReport,
    /// Findings that are new, or whose outcome or words have changed.
    pub findings: Vec<ChangedFinding>,
    /// Digest of the pack that judged what is stored, and how often it was to be judged again, as the caller
    /// knows it; none before the first report.
    pub expects: Option<(String, i64)>,
    /// What rules found that are no more.
    pub gone: Vec<(String, Outcome)>,
    /// The standing before, as far as the caller knows.
    pub before: Standing,
    /// Whether time alone may have changed it since, so that it must be looked up.
    pub before_is_old: bool,
    /// The standing now.
    pub standing: Standing,
    /// When it changes by time alone.
    pub deadline: Option<Millis>,
    /// Why the standing is what it is, in words.
    pub reason: String,
    /// The name of the operating system.
    pub system: String,
}

/// A check-in to be written.
#[derive(Debug)]
pub struct Work {
    /// From one message to the next.
    pub step: Step,
    /// What a judged report changes; none for a heartbeat or an unchanged report.
    pub judged: Option<Box<Judged>>,
    /// The report to keep though nothing in it has changed, and what judged the one that is stored.
    pub keep: Option<Box<(NewReport, (String, i64))>>,
}

impl Work {
    /// Whether it writes over the stored report.
    fn keeps(&self) -> bool {
        self.judged.is_some() || self.keep.is_some()
    }

    /// What judged the report that is stored, as the caller knows it.
    fn expects(&self) -> Option<&(String, i64)> {
        match (&self.judged, &self.keep) {
            (Some(judged), _) => judged.expects.as_ref(),
            (None, Some(kept)) => Some(&kept.1),
            (None, None) => None,
        }
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is durable.
    Durable,
    /// The device was no longer where the caller thought; nothing has changed.
    Stale,
}

type Reply = oneshot::Sender<Result<Written, Refusal>>;

/// Where check-ins are handed in.
#[derive(Debug)]
pub struct Writer(mpsc::Sender<(Work, Reply)>);

/// Where they are taken out.
#[derive(Debug)]
pub struct Queue(mpsc::Receiver<(Work, Reply)>);

impl Writer {
    pub(crate) fn new() -> (Self, Queue) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), Queue(receiver))
    }

    /// Hands in a check-in and waits until it is durable.
    ///
    /// # Errors
    /// [`Refusal`] when too many wait or the store is away.
    pub async fn write(&self, work: Work) -> Result<Written, Refusal> {
        let busy = || {
            Refusal::new(
                Kind::Unavailable,
                "Too many check-ins wait. Nothing was changed; come back in a minute.",
            )
        };
        let (reply, answer) = oneshot::channel();
        self.0.try_send((work, reply)).map_err(|_| busy())?;
        answer.await.map_err(|_| busy())?
    }
}

impl Queue {
    pub(crate) async fn run(mut self, app: Weak<App>) {
        let mut later: Vec<(Work, Reply)> = Vec::new();
        loop {
            let mut batch = std::mem::take(&mut later);
            if batch.is_empty() && self.0.recv_many(&mut batch, BATCH).await == 0 {
                return;
            }
            while batch.len() < BATCH
                && let Ok(more) = self.0.try_recv()
            {
                batch.push(more);
            }
            let Some(app) = app.upgrade() else { return };
            // One statement cannot touch a row twice: a device's second message waits for the next batch.
            let mut devices = HashSet::new();
            let (now, again): (Vec<_>, Vec<_>) =
                batch.into_iter().partition(|(work, _)| devices.insert(work.step.device));
            later = again;
            // What goes wrong with one batch is that batch's: whoever waits for it is answered that it wasn't written.
            if let Err(error) = tokio::spawn(async move { answer(&app, now).await }).await {
                tracing::error!(%error, "check-ins could not be written");
            }
        }
    }
}

async fn answer(app: &Arc<App>, batch: Vec<(Work, Reply)>) {
    let (mut works, replies): (Vec<Work>, Vec<Reply>) = batch.into_iter().unzip();
    let devices: Vec<DeviceId> = works.iter().map(|work| work.step.device).collect();
    match write_batch(app, &mut works).await {
        Ok(moved) => {
            for (device, reply) in devices.iter().zip(replies) {
                let written = if moved.contains(device) { Written::Durable } else { Written::Stale };
                // Whoever asked may have gone away meanwhile.
                let _ = reply.send(Ok(written));
            }
        }
        Err(error) => {
            tracing::error!(%error, check_ins = replies.len(), "check-ins were not written");
            for reply in replies {
                let detail = if matches!(error, StoreError::Unknown(_)) {
                    "We can't tell whether this check-in was saved. Send it again in a minute."
                } else {
                    "We can't save right now. Nothing was changed. Send it again in a minute."
                };
                let _ = reply.send(Err(Refusal::new(Kind::Unavailable, detail)));
            }
        }
    }
}

/// The steps of those whose stored report was judged by what they know of. Another server may have judged it by
/// the next version or under other terms meanwhile: then what they were compared with is gone.
async fn as_expected(write: &mut Write, works: &[Work]) -> Result<Vec<Step>, StoreError> {
    let judged: Vec<DeviceId> =
        works.iter().filter(|work| work.keeps()).map(|work| work.step.device).collect();
    let packs = write.judged_by(&judged).await?;
    let expected = |work: &&Work| !work.keeps() || packs.get(&work.step.device) == work.expects();
    Ok(works.iter().filter(expected).map(|work| work.step.clone()).collect())
}

async fn write_batch(app: &App, works: &mut [Work]) -> Result<HashSet<DeviceId>, StoreError> {
    // In the order of the rows, so that neighbours on a page are written together.
    works.sort_unstable_by_key(|work| work.step.device);
    let mut write = app.store.write().await?;
    let steps = as_expected(&mut write, works).await?;
    let moved: HashSet<DeviceId> = if write.step_all(&steps).await? {
        steps.iter().map(|step| step.device).collect()
    } else {
        // Rare: somebody was ahead of us.
        drop(write);
        write = app.store.write().await?;
        let steps = as_expected(&mut write, works).await?;
        write.step_some(&steps).await?
    };

    let now = app.now();
    let mut tallies = Tallies::default();
    let (mut findings, mut reports, mut changes, mut standings) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut gone = Vec::new();
    for work in works.iter_mut().filter(|work| moved.contains(&work.step.device)) {
        let device = work.step.device;
        reports.extend(work.keep.take().map(|kept| kept.0));
        let Some(judged) = work.judged.take() else { continue };
        let policy = judged.report.pack.clone();
        let evidence = judged.report.digest.clone();
        reports.push(judged.report);

        let mut outcomes = Vec::new();
        for (rule, outcome) in judged.gone {
            tallies.outcome_gone(&rule, outcome);
            outcomes.push(json!({ "rule": rule, "from": outcome, "to": null }));
            gone.push((device, rule));
        }
        // When it was judged, from which on a finding counts; it's written a little later.
        let mut judged_at = None;
        for ChangedFinding { finding, before } in judged.findings {
            if before != Some(finding.outcome) {
                judged_at = Some(finding.since.0);
                tallies.outcome(&finding.rule, before, finding.outcome);
                outcomes.push(json!({ "rule": finding.rule, "from": before, "to": finding.outcome }));
            }
            findings.push((device, finding));
        }
        if !outcomes.is_empty() {
            let mut data = json!({ "changes": outcomes, "policy": policy, "report": evidence });
            if let Some(at) = judged_at {
                data["judged_at"] = json!(at);
            }
            write.append(&entry(now, "check-in", "findings.changed", device_subject(device), data))?;
        }
        let before = match judged.before_is_old {
            true => write.standing(device).await?.map_or(judged.before, |(standing, _)| standing),
            false => judged.before,
        };
        let changed = before != judged.standing;
        standings.push(NewStanding {
            device,
            standing: judged.standing,
            since: now,
            deadline: judged.deadline,
            system: judged.system,
        });
        if changed {
            app.note_moved();
            tallies.standing(Some(before), judged.standing);
            let data = json!({
                "from": before, "to": judged.standing, "policy": policy, "reason": judged.reason, "report": evidence,
            });
            let position =
                write.append(&entry(now, "check-in", "standing.changed", device_subject(device), data))?;
            changes.push((
                device,
                StandingChange { entry: position, at: now, standing: judged.standing, reason: judged.reason },
            ));
        }
    }
    write.put_reports(reports).await?;
    write.drop_findings(&gone).await?;
    write.put_findings(findings).await?;
    write.put_standings(standings).await?;
    write.put_standing_changes(changes).await?;
    write.write_tallies(tallies, now.day()).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(moved)
}

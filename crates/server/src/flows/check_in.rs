//! A check-in: is it from the device, is it new, has anything changed, and if so, what does the policy
//! say? The writer makes it durable; only then is it answered.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use stead_model::{
    DeviceId, Fact, Facts, Finding, Millis, Standing,
    catalogue::{self, Source},
    message::{
        ANSWER, Answer, CLOCK_TOLERANCE, DELIVERY, Delivery, HEARTBEAT, Heartbeat, REPORT, Report, VERSION,
        facts_digest,
    },
    problem::Kind,
    seal::{self, Envelope, SealError, VerifyingKey},
    time::{HOUR, MINUTE},
};
use stead_policy::{
    Previous,
    judge::{self, Judgement, ReadAt, judge},
};
use stead_store::{
    check_in::{self as rows, NewReport, Step},
    finding::StoredFinding,
};

use super::writer::{ChangedFinding, Judged, Work, Written};
use crate::{App, error::Refusal};

/// Findings that depend on the time are judged anew this often.
const TIME_STEP: i64 = 6 * HOUR;

/// An unchanged report replaces the one that is kept when that is older.
const KEEP_EVERY: i64 = 6 * HOUR;

/// Whose fixes an answer holds: the agent runs on Linux.
const SYSTEM: &str = "Linux";

/// The most devices remembered; beyond it all are forgotten, and each is read from the store again.
const MOST: usize = 250_000;

/// Devices heard recently, so that a heartbeat reads nothing from the store. What is remembered is only
/// ever a guess: the writer moves a device on only from where it really is.
#[derive(Debug)]
pub struct Known {
    shards: Vec<Mutex<HashMap<DeviceId, Arc<Device>>>>,
}

impl Default for Known {
    fn default() -> Self {
        Self { shards: (0..64).map(|_| Mutex::default()).collect() }
    }
}

impl Known {
    fn shard(&self, device: DeviceId) -> &Mutex<HashMap<DeviceId, Arc<Device>>> {
        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(device);
        &self.shards[(hash % 64) as usize]
    }

    fn get(&self, device: DeviceId) -> Option<Arc<Device>> {
        self.shard(device).lock().unwrap_or_else(PoisonError::into_inner).get(&device).cloned()
    }

    fn put(&self, id: DeviceId, device: Device) {
        let mut shard = self.shard(id).lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= MOST / 64 && !shard.contains_key(&id) {
            shard.clear();
        }
        shard.insert(id, Arc::new(device));
    }

    /// Forgets a device, whose rows were changed by another way than a check-in.
    pub fn forget(&self, device: DeviceId) {
        self.shard(device).lock().unwrap_or_else(PoisonError::into_inner).remove(&device);
    }
}

/// What is remembered of a device.
#[derive(Clone, Debug)]
struct Device {
    key: VerifyingKey,
    owner: Arc<str>,
    revoked: bool,
    seq: i64,
    last_seen: Millis,
    message: [u8; 16],
    judged: Option<JudgedFacts>,
    standing: Standing,
    deadline: Option<Millis>,
}

#[derive(Clone, Debug)]
struct JudgedFacts {
    /// Number of the report that is kept.
    seq: i64,
    facts_digest: Arc<str>,
    /// When, in steps of [`TIME_STEP`]. None when judged by another pack.
    step: Option<i64>,
    kept_at: Millis,
    /// By position of the rule in the pack; empty when they must be read from the store.
    findings: Arc<[Remembered]>,
}

/// A finding, without its words: their digest tells whether they have changed.
#[derive(Clone, Copy, Debug)]
struct Remembered {
    previous: Previous,
    words: u64,
    at: Millis,
}

impl Remembered {
    /// Whether a new finding says the same.
    fn says(&self, judged: &judge::Judged) -> bool {
        self.previous.outcome == judged.outcome && self.words == words(&judged.observed, &judged.origin)
    }
}

/// What a message says, once its seal is checked.
enum Said {
    Heartbeat(Heartbeat),
    Report(seal::Opened),
}

/// A message from a device: who, what, and how it was sealed.
struct Heard {
    device: DeviceId,
    seq: i64,
    at: Millis,
    said: Said,
    /// The first half of the envelope's digest: enough to know it again.
    message: [u8; 16],
    /// The envelope's digest.
    digest: [u8; 32],
    /// The envelope's text, to be kept.
    text: String,
    /// Whether it waited in a spool, so that its time may be long ago.
    late: bool,
}

/// Takes a sealed message and answers it, sealed.
///
/// # Errors
/// [`Refusal`], each with its own kind; then nothing has changed.
pub async fn check_in(app: &App, text: &str) -> Result<Envelope, Refusal> {
    let envelope: Envelope = serde_json::from_str(text)
        .map_err(|_| Refusal::new(Kind::Malformed, "Send a sealed message, as the agent does."))?;
    let keyid = envelope.claimed_key().map_err(refused)?;
    let id: DeviceId = keyid
        .parse()
        .map_err(|_| Refusal::new(Kind::Malformed, "The message does not name the device that sealed it."))?;
    // A device that moved on meanwhile is looked up again; three times is more than honest devices need.
    for _ in 0..3 {
        let device = remembered(app, id).await?;
        let heard = open(app, id, &device, &envelope, text)?;
        if let Some(answer) = take(app, &device, heard).await? {
            let payload = serde_json::to_vec(&answer).map_err(stead_store::StoreError::from)?;
            return Ok(app.keys.answers.seal(ANSWER, &payload, "server"));
        }
        app.known.forget(id);
    }
    Err(Refusal::new(Kind::OldSequence, "Another message of this device is being stored. Try again."))
}

fn refused(error: SealError) -> Refusal {
    match error {
        SealError::Signature => Refusal::new(
            Kind::BadSignature,
            "Seal the message with the key that this device was enrolled with.",
        ),
        SealError::Form | SealError::WrongType | SealError::Key => {
            Refusal::new(Kind::Malformed, "Send a sealed report, heartbeat or delivery, as the agent does.")
        }
    }
}

async fn remembered(app: &App, id: DeviceId) -> Result<Arc<Device>, Refusal> {
    if let Some(device) = app.known.get(id) {
        return Ok(device);
    }
    let Some(row) = app.store.known(id).await? else {
        return Err(Refusal::new(Kind::UnknownDevice, "Enrol it with `stead enroll` and a new code."));
    };
    let device = from_row(app, id, row)?;
    app.known.put(id, device.clone());
    Ok(Arc::new(device))
}

fn from_row(app: &App, id: DeviceId, row: rows::Known) -> Result<Device, Refusal> {
    let bad = |what: &str| {
        tracing::error!(device = %id, what, "device row cannot be used");
        Refusal::new(Kind::Internal, "It is our fault, and nothing was changed. The log says more.")
    };
    Ok(Device {
        key: VerifyingKey::from_text(&row.public_key).map_err(|_| bad("key"))?,
        owner: row.owner.into(),
        revoked: row.revoked_at.is_some(),
        seq: row.seq,
        last_seen: row.last_seen,
        message: seal::unhex(&row.message).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default(),
        judged: row.judged.map(|judged| JudgedFacts {
            seq: judged.seq,
            facts_digest: judged.facts_digest.into(),
            // What another version of the pack judged must be judged anew.
            step: (judged.pack_digest == app.pack.digest).then(|| judged.received_at.0.div_euclid(TIME_STEP)),
            kept_at: judged.received_at,
            findings: Arc::new([]),
        }),
        standing: row.standing,
        deadline: row.deadline,
    })
}

/// Checks the seal and reads what is in it.
fn open(app: &App, id: DeviceId, device: &Device, envelope: &Envelope, text: &str) -> Result<Heard, Refusal> {
    if device.revoked {
        return Err(Refusal::new(
            Kind::RevokedDevice,
            "Ask your coordinator; to use it again it must be enrolled anew.",
        ));
    }
    let heard = match envelope.claimed_type() {
        DELIVERY => {
            let opened = envelope.open(DELIVERY, &device.key).map_err(refused)?;
            let delivery: Delivery = read(opened.bytes())?;
            version(delivery.v)?;
            same_device(delivery.device, id)?;
            on_time(app, delivery.sent_at)?;
            let inner = serde_json::to_string(&delivery.late).map_err(stead_store::StoreError::from)?;
            let heard = message(id, device, &delivery.late, inner, true)?;
            if heard.at.since(delivery.sent_at) > CLOCK_TOLERANCE {
                return Err(Refusal::new(
                    Kind::ClockSkew,
                    "A report that waited bears a time after it was sent on.",
                ));
            }
            heard
        }
        _ => message(id, device, envelope, text.to_owned(), false)?,
    };
    Ok(heard)
}

fn message(
    id: DeviceId,
    device: &Device,
    envelope: &Envelope,
    text: String,
    late: bool,
) -> Result<Heard, Refusal> {
    let (seq, at, said) = match envelope.claimed_type() {
        HEARTBEAT if !late => {
            let opened = envelope.open(HEARTBEAT, &device.key).map_err(refused)?;
            let heartbeat: Heartbeat = read(opened.bytes())?;
            version(heartbeat.v)?;
            same_device(heartbeat.device, id)?;
            (heartbeat.seq, heartbeat.at, Said::Heartbeat(heartbeat))
        }
        REPORT => {
            let payload = envelope.open(REPORT, &device.key).map_err(refused)?;
            let report: Report<'_> = read(payload.bytes())?;
            version(report.v)?;
            same_device(report.device, id)?;
            let (seq, at) = (report.seq, report.at);
            (seq, at, Said::Report(payload))
        }
        _ => return Err(refused(SealError::WrongType)),
    };
    let digest = seal::sha256(text.as_bytes());
    let mut message = [0; 16];
    message.copy_from_slice(&digest[..16]);
    Ok(Heard { device: id, seq, at, said, message, digest, text, late })
}

fn read<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::new(Kind::Malformed, format!("The message cannot be read: {error}.")))
}

fn version(v: u32) -> Result<(), Refusal> {
    if v == VERSION {
        Ok(())
    } else {
        Err(Refusal::new(Kind::WrongVersion, "Bring agent and server to the same version."))
    }
}

fn same_device(inside: DeviceId, outside: DeviceId) -> Result<(), Refusal> {
    if inside == outside {
        Ok(())
    } else {
        Err(Refusal::new(Kind::BadSignature, "The message names another device than the one that sealed it."))
    }
}

fn on_time(app: &App, at: Millis) -> Result<(), Refusal> {
    let now = app.now();
    if at.since(now).abs() <= CLOCK_TOLERANCE {
        return Ok(());
    }
    Err(Refusal::new(
        Kind::ClockSkew,
        format!(
            "The server's clock says {now}, the device's {at}. Set the device's clock; it will then be heard."
        ),
    ))
}

/// Takes a message. None when the device was no longer where it was thought to be.
async fn take(app: &App, device: &Device, heard: Heard) -> Result<Option<Answer>, Refusal> {
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
    // What waited is judged as of when it was seen; nothing is ever judged as of a later time than now.
    let now = app.now();
    let as_of = if heard.late { heard.at.min(now) } else { now };
    let step = Step {
        device: heard.device,
        prev_seq: device.seq,
        seq: heard.seq,
        last_seen: as_of.max(device.last_seen),
        message: seal::hex(&heard.message),
    };
    let Prepared { work, after, findings } = prepare(app, device, &heard, step, as_of).await?;
    let kept = work.keep.is_some();
    match app.writer.write(work).await? {
        Written::Stale => Ok(None),
        Written::Durable => {
            let findings = if kept { Some(stored_findings(app, heard.device).await?) } else { findings };
            let answer = answer(app, &after, heard.device, findings);
            app.known.put(heard.device, after);
            Ok(Some(answer))
        }
    }
}

/// What is to be written, what is known of the device once it is, and what it is told.
struct Prepared {
    work: Work,
    after: Device,
    /// The findings, when they were judged now.
    findings: Option<Vec<Finding>>,
}

/// Decides what is to be written.
async fn prepare(
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
fn facts_of(report: &Report<'_>, owner: &str) -> Result<Facts, Refusal> {
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
async fn findings_before(
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

fn remember(judged: &judge::Judged) -> Remembered {
    let previous =
        Previous { outcome: judged.outcome, since: judged.since, failing_since: judged.failing_since };
    Remembered { previous, words: words(&judged.observed, &judged.origin), at: judged.at }
}

fn remember_stored(finding: &StoredFinding) -> Remembered {
    let previous =
        Previous { outcome: finding.outcome, since: finding.since, failing_since: finding.failing_since };
    Remembered { previous, words: words(&finding.observed, &finding.origin), at: finding.at }
}

fn words(observed: &str, origin: &str) -> u64 {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    BuildHasherDefault::<DefaultHasher>::default().hash_one((observed, origin))
}

fn changed(app: &App, judgement: &Judgement, before: &[Option<Remembered>]) -> Vec<ChangedFinding> {
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
fn reason(app: &App, first: bool, judgement: &Judgement, now: Millis) -> String {
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

fn system_name(facts: &Facts) -> String {
    match facts.get("device.os.name").map(|fact| &fact.state) {
        Some(stead_model::FactState::Known(stead_model::Value::One(stead_model::Scalar::Text(name)))) => {
            stead_model::text::plain(name, 80)
        }
        _ => String::new(),
    }
}

/// The answer to a device's last message. A message whose report was judged or kept is answered with all
/// findings, any other with none, so that the same message sent again gets the same answer.
fn answer(app: &App, device: &Device, id: DeviceId, findings: Option<Vec<Finding>>) -> Answer {
    let folded = |judged: &JudgedFacts| {
        let with_rules = judged.findings.iter().zip(&app.pack.rules);
        let findings = with_rules.map(|(r, rule)| (rule, r.previous.outcome, r.previous.failing_since));
        judge::fold(findings, device.last_seen).0
    };
    Answer {
        v: VERSION,
        device: id,
        seq: device.seq,
        heard_at: device.last_seen,
        policy: app.pack.label(),
        standing: device
            .judged
            .as_ref()
            .filter(|judged| !judged.findings.is_empty())
            .map_or(device.standing, folded),
        findings,
        next_in: app.config.check_in_every,
        valid_until: device.last_seen.plus(24 * HOUR),
    }
}

/// All findings of a device in full, in the order of the rules, as when they were judged.
async fn stored_findings(app: &App, id: DeviceId) -> Result<Vec<Finding>, Refusal> {
    let stored = app.store.findings(id).await?;
    let of = |rule: &stead_policy::Rule| stored.iter().find(|finding| finding.rule == rule.id);
    Ok(app.pack.rules.iter().filter_map(|rule| full(app, of(rule)?)).collect())
}

/// A finding that says what it said before keeps the time of the facts that first showed it, as its row does.
fn keep_what_is_unchanged(judgement: &mut Judgement, before: &[Option<Remembered>]) {
    for (judged, before) in judgement.findings.iter_mut().zip(before) {
        if let Some(before) = before.filter(|before| before.says(judged)) {
            judged.at = before.at;
        }
    }
}

fn full(app: &App, finding: &StoredFinding) -> Option<Finding> {
    let rule = app.pack.rules.iter().position(|rule| rule.id == finding.rule)?;
    let judged = judge::Judged {
        rule,
        outcome: finding.outcome,
        observed: finding.observed.clone(),
        origin: finding.origin.clone(),
        at: finding.at,
        since: finding.since,
        failing_since: finding.failing_since,
    };
    Some(judged.in_full(&app.pack, SYSTEM))
}

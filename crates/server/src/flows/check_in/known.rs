//! Devices heard recently, so that a heartbeat reads nothing from the store.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use stead_model::{
    DeviceId, Millis, Outcome, PersonId, Stage, Standing,
    problem::Kind,
    seal::{self, VerifyingKey},
};
use stead_policy::{Previous, judge};
use stead_store::{check_in as rows, finding::StoredFinding};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::TIME_STEP;
use crate::{App, error::Refusal, flows::policy::terms, names::Names};

/// The most devices remembered; beyond it all are forgotten, and each is read from the store again.
const MOST: usize = 250_000;
/// The most devices whose findings are remembered, three KiB each; those that changed last. Of others they are read from
/// the store when they change.
const MOST_FINDINGS: usize = 4_096;
/// The most check-ins that are in hand at the same time: one batch being written, and the next. When a whole fleet comes
/// back at once the others wait, since each that is in hand takes memory.
const IN_HAND: usize = 1_024;
/// The most that wait for that; beyond it a device is told to come back.
const WAITING: usize = 16_384;
/// Parts of memory, each with a lock of its own.
const SHARDS: usize = 64;

/// Devices heard recently, so that a heartbeat reads nothing from the store. What is remembered is only
/// ever a guess: the writer moves a device on only from where it really is.
#[derive(Debug)]
pub struct Known {
    shards: Vec<Mutex<Shard>>,
    /// Words that many devices share: digests of packs, and who owns them.
    pub(super) names: Names,
    turns: Semaphore,
    /// Room for those who wait for a turn.
    waiting: Semaphore,
}

#[derive(Debug, Default)]
struct Shard {
    devices: HashMap<DeviceId, Arc<Device>>,
    /// Findings of those that changed last, the oldest first; devices point here.
    findings: VecDeque<Arc<Findings>>,
}

/// Findings of a device, by position of the rule among those about devices; none where it does not bind.
pub(super) type Findings = Vec<Option<Remembered>>;

impl Default for Known {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            names: Names::default(),
            turns: Semaphore::new(IN_HAND),
            waiting: Semaphore::new(WAITING),
        }
    }
}

impl Known {
    /// Waits for one's turn, which lasts until what is returned is dropped.
    ///
    /// # Errors
    /// [`Refusal`] when too many wait already.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        let busy = || {
            Refusal::new(
                Kind::Unavailable,
                "Too many check-ins wait. Nothing was changed; come back in a minute.",
            )
        };
        let Ok(_waits) = self.waiting.try_acquire() else { return Err(busy()) };
        self.turns.acquire().await.map_err(|_| busy())
    }

    fn shard(&self, device: DeviceId) -> &Mutex<Shard> {
        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(device);
        &self.shards[(hash % SHARDS as u64) as usize]
    }

    pub(super) fn get(&self, device: DeviceId) -> Option<Arc<Device>> {
        self.shard(device).lock().unwrap_or_else(PoisonError::into_inner).devices.get(&device).cloned()
    }

    pub(super) fn put(&self, id: DeviceId, device: Device) -> Arc<Device> {
        let device = Arc::new(device);
        let mut shard = self.shard(id).lock().unwrap_or_else(PoisonError::into_inner);
        if shard.devices.len() >= MOST / SHARDS && !shard.devices.contains_key(&id) {
            *shard = Shard::default();
        }
        shard.devices.insert(id, Arc::clone(&device));
        device
    }

    /// Takes the place of what was remembered, where that is still what is: one that was shut out while its message
    /// was in hand is read from the store again. `findings` are those that it points to, where it was judged now.
    pub(super) fn put_over(
        &self,
        id: DeviceId,
        before: &Arc<Device>,
        device: Device,
        findings: Option<Arc<Findings>>,
    ) {
        let mut shard = self.shard(id).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = shard.devices.get_mut(&id).filter(|held| Arc::ptr_eq(held, before)) {
            *held = Arc::new(device);
            if let Some(findings) = findings {
                let old = before.judged.as_ref().map(|judged| judged.findings.as_ptr());
                shard.findings.retain(|kept| Some(Arc::as_ptr(kept)) != old);
                if shard.findings.len() >= MOST_FINDINGS / SHARDS {
                    shard.findings.pop_front();
                }
                shard.findings.push_back(findings);
            }
        }
    }

    /// Forgets every device.
    pub fn clear(&self) {
        for shard in &self.shards {
            *shard.lock().unwrap_or_else(PoisonError::into_inner) = Shard::default();
        }
    }

    /// Forgets a device, whose rows were changed by another way than a check-in.
    pub fn forget(&self, device: DeviceId) {
        self.shard(device).lock().unwrap_or_else(PoisonError::into_inner).devices.remove(&device);
    }
}

/// What is remembered of a device.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) key: VerifyingKey,
    pub(super) owner: Arc<str>,
    pub(super) person: PersonId,
    pub(super) revoked: bool,
    /// When it was reported lost.
    pub(super) lost_at: Option<Millis>,
    pub(super) seq: i64,
    pub(super) last_seen: Millis,
    pub(super) message: [u8; 16],
    pub(super) judged: Option<JudgedFacts>,
    pub(super) standing: Standing,
    pub(super) deadline: Option<Millis>,
}

#[derive(Clone, Debug)]
pub(super) struct JudgedFacts {
    /// Number of the report that is kept.
    pub(super) seq: i64,
    pub(super) facts_digest: Arc<str>,
    /// Digest of the pack that judged it.
    pub(super) pack: Arc<str>,
    /// How often it was to be judged again.
    pub(super) basis: i64,
    /// When, in steps of [`TIME_STEP`]. None when judged by another pack.
    pub(super) step: Option<i64>,
    pub(super) kept_at: Millis,
    /// What costs something, and when; none when that is not known.
    pub(super) costs: Option<Box<[Cost]>>,
    /// Nowhere when they must be read from the store.
    pub(super) findings: Weak<Findings>,
}

/// A finding that costs something, now or later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// Position of the rule among those about devices.
    pub(super) place: u16,
    pub(super) outcome: Outcome,
    pub(super) due: Millis,
}

/// A finding, without its words: their digest tells whether they have changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remembered {
    pub(super) previous: Previous,
    pub(super) stage: Stage,
    pub(super) due: Option<Millis>,
    pub(super) words: u64,
    pub(super) at: Millis,
}

impl Remembered {
    /// Whether a new finding says the same.
    pub(super) fn says(&self, judged: &judge::Judged) -> bool {
        self.previous.outcome == judged.outcome
            && self.stage == judged.stage
            && self.due == judged.due
            && self.words == words(&judged.observed, &judged.origin)
    }
}

pub(super) async fn remembered(app: &App, id: DeviceId) -> Result<Arc<Device>, Refusal> {
    if let Some(device) = app.known.get(id) {
        return Ok(device);
    }
    let Some(row) = app.store.known(id).await? else {
        return Err(Refusal::new(Kind::UnknownDevice, "Enrol it with `stead enroll` and a new code."));
    };
    // What is judged from this row is judged under terms that are no older.
    if row.turn > app.terms().turn {
        terms::catch_up(app, row.turn).await?;
    }
    Ok(app.known.put(id, from_row(app, id, row)?))
}

pub(super) fn from_row(app: &App, id: DeviceId, row: rows::Known) -> Result<Device, Refusal> {
    let bad = |what: &str| {
        tracing::error!(device = %id, what, "device row cannot be used");
        Refusal::new(Kind::Internal, "It is our fault, and nothing was changed. The log says more.")
    };
    Ok(Device {
        key: VerifyingKey::from_text(&row.public_key).map_err(|_| bad("key"))?,
        owner: app.known.names.get(&row.owner),
        person: row.person,
        revoked: row.revoked_at.is_some(),
        lost_at: row.lost_at,
        seq: row.seq,
        last_seen: row.last_seen,
        message: seal::unhex(&row.message).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default(),
        judged: row.judged.map(|judged| JudgedFacts {
            seq: judged.seq,
            facts_digest: judged.facts_digest.into(),
            pack: app.known.names.get(&judged.pack_digest),
            basis: judged.basis,
            // What another version of the pack judged must be judged anew.
            step: (judged.pack_digest == app.pack().digest)
                // One that waited was judged as of when the device was last seen, and received later.
                .then(|| judged.received_at.min(row.last_seen).0.div_euclid(TIME_STEP)),
            kept_at: judged.received_at,
            costs: None,
            findings: Weak::new(),
        }),
        standing: row.standing,
        deadline: row.deadline,
    })
}

pub(super) fn remember(judged: &judge::Judged) -> Remembered {
    Remembered {
        previous: Previous {
            outcome: judged.outcome,
            since: judged.since,
            failing_since: judged.failing_since,
            counts_since: judged.counts_since,
        },
        stage: judged.stage,
        due: judged.due,
        words: words(&judged.observed, &judged.origin),
        at: judged.at,
    }
}

pub(super) fn remember_stored(finding: &StoredFinding) -> Remembered {
    Remembered {
        previous: previous(finding),
        stage: finding.stage,
        due: finding.due,
        words: words(&finding.observed, &finding.origin),
        at: finding.at,
    }
}

/// What judging asks of an earlier finding.
pub(in crate::flows) fn previous(finding: &StoredFinding) -> Previous {
    Previous {
        outcome: finding.outcome,
        since: finding.since,
        failing_since: finding.failing_since,
        counts_since: finding.counts_since,
    }
}

pub(super) fn words(observed: &str, origin: &str) -> u64 {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    BuildHasherDefault::<DefaultHasher>::default().hash_one((observed, origin))
}

//! What if: judging what devices last reported and what the records say of people by a version that is not in
//! force, and saying what would stand worse, where, and from when on. Nothing is changed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use stead_model::{DeviceId, Millis, Standing, Subject, message::Report, seal::Envelope};
use stead_policy::{Pack, judge::stands};
use stead_store::{device::ToTry, finding::StoredFinding};
use tokio::task::JoinSet;

use super::{subjects, terms::Index};
use crate::{
    App,
    error::Refusal,
    flows::check_in,
    reports::{plain, spreadsheet},
};

/// Devices read and judged together.
const BATCH: i64 = 500;
/// Batches judged at the same time: one for each processor that such an installation has.
const AT_ONCE: usize = 2;
/// Devices that are named; of more, the numbers alone are given.
const NAMED: usize = 20_000;

/// A device that would stand worse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worse {
    /// The device.
    pub device: DeviceId,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub person: String,
    /// Their unit.
    pub unit: String,
    /// How it stands.
    pub before: Standing,
    /// How it would.
    pub after: Standing,
    /// When it would lapse, unless something is mended; none when it would at once.
    pub lapses_at: Option<Millis>,
    /// Rules that would count against it.
    pub rules: Vec<String>,
}

/// How many were judged, and how many of them move from one standing to another, by unit.
#[derive(Debug, Default)]
pub struct Moves {
    /// All that were judged.
    pub judged: i64,
    /// By unit, how they stand and would.
    pub units: BTreeMap<String, BTreeMap<(Standing, Standing), i64>>,
}

impl Moves {
    fn note(&mut self, unit: &str, before: Standing, after: Standing) {
        self.judged += 1;
        *self.units.entry(unit.to_owned()).or_default().entry((before, after)).or_default() += 1;
    }

    fn add(&mut self, other: Self) {
        self.judged += other.judged;
        for (unit, moved) in other.units {
            let all = self.units.entry(unit).or_default();
            for (from_to, n) in moved {
                *all.entry(from_to).or_default() += n;
            }
        }
    }

    /// Each unit: how many were judged there, and how many come to be due, lapsed and good.
    pub fn rows(&self) -> impl Iterator<Item = (&str, i64, [i64; 3])> {
        self.units.iter().map(|(unit, moved)| {
            let to = |to: Standing| {
                moved.iter().filter(|((from, after), _)| from != after && *after == to).map(|(_, n)| n).sum()
            };
            (unit.as_str(), moved.values().sum(), [Standing::Due, Standing::Lapsed, Standing::Good].map(to))
        })
    }

    /// How many move from one standing to another, of all units.
    pub fn moved(&self, from: Standing, to: Standing) -> i64 {
        self.units.values().filter_map(|moved| moved.get(&(from, to))).sum()
    }
}

/// What would be.
#[derive(Debug, Default)]
pub struct Tried {
    /// Devices.
    pub devices: Moves,
    /// People, who are numbers alone.
    pub people: Moves,
    /// Devices whose last report could not be read.
    pub unread: i64,
    /// Devices that would stand worse.
    pub worse: Vec<Worse>,
    /// How many more would than are named.
    pub more: i64,
}

impl Tried {
    /// How many would stand worse, named or not.
    pub fn worse(&self) -> i64 {
        i64::try_from(self.worse.len()).unwrap_or(i64::MAX).saturating_add(self.more)
    }

    fn add(&mut self, other: Self) {
        self.devices.add(other.devices);
        self.people.add(other.people);
        self.unread += other.unread;
        self.more += other.more;
        let room = NAMED.saturating_sub(self.worse.len());
        self.more += i64::try_from(other.worse.len().saturating_sub(room)).unwrap_or(0);
        self.worse.extend(other.worse.into_iter().take(room));
    }
}

/// Judges by a pack what every device that is heard last reported, and what the records say of everybody.
/// `progress` is told how many devices and people were judged.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn try_out(app: &App, pack: Arc<Pack>, progress: impl Fn(i64)) -> Result<Tried, Refusal> {
    let now = app.now();
    let heard_since = now.plus(-pack.silent_after);
    let index = Arc::new(Index::read(app, &pack).await?);
    let mut tried = Tried::default();
    let mut going: JoinSet<Tried> = JoinSet::new();
    let mut after = None;
    loop {
        let batch = app.store.reports_to_try(heard_since, after, BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = Some(last.device);
        let ids: Vec<DeviceId> = batch.iter().map(|one| one.device).collect();
        let mut against: HashMap<DeviceId, Vec<StoredFinding>> = HashMap::new();
        for (device, finding) in app.store.against_of_all(&ids).await? {
            against.entry(device).or_default().push(finding);
        }
        let pack = Arc::clone(&pack);
        let index = Arc::clone(&index);
        going.spawn_blocking(move || judged((&pack, &index), &batch, &against, now));
        if going.len() >= AT_ONCE {
            take(&mut going, &mut tried).await;
            progress(tried.devices.judged);
        }
    }
    while !going.is_empty() {
        take(&mut going, &mut tried).await;
    }
    let mut after = None;
    loop {
        progress(tried.devices.judged + tried.people.judged);
        let would = subjects::try_people(app, (&pack, &index), after, now).await?;
        let Some(last) = would.last() else { break };
        after = Some(last.person);
        // How somebody stands is read on their record, for a purpose: here they are numbers.
        for one in would {
            tried.people.note(&one.unit, one.before, one.after);
        }
    }
    tried.worse.sort_by(|a, b| {
        (b.after, a.lapses_at, &a.unit, &a.name).cmp(&(a.after, b.lapses_at, &b.unit, &b.name))
    });
    Ok(tried)
}

/// Those who would stand worse, as CSV.
///
/// # Errors
/// When it cannot be written.
pub fn csv(tried: &Tried) -> anyhow::Result<Vec<u8>> {
    let mut out = spreadsheet();
    out.write_record(["unit", "person", "device", "name", "before", "after", "lapses_at", "rules"])?;
    for worse in &tried.worse {
        let lapses_at = worse.lapses_at.map_or_else(String::new, |at| at.to_string());
        let (unit, person, name) = (plain(&worse.unit), plain(&worse.person), plain(&worse.name));
        out.write_record([
            unit.as_str(),
            &person,
            &worse.device.to_string(),
            &name,
            worse.before.word(),
            worse.after.word(),
            &lapses_at,
            &plain(&worse.rules.join(" ")),
        ])?;
    }
    Ok(out.into_inner()?)
}

async fn take(going: &mut JoinSet<Tried>, tried: &mut Tried) {
    match going.join_next().await {
        Some(Ok(done)) => tried.add(done),
        Some(Err(_)) => tracing::error!("a part of trying a policy out ended abruptly"),
        None => {}
    }
}

fn judged(
    (pack, index): (&Pack, &Index),
    batch: &[ToTry],
    against: &HashMap<DeviceId, Vec<StoredFinding>>,
    now: Millis,
) -> Tried {
    let mut tried = Tried::default();
    for one in batch {
        let Some((after, lapses_at, rules)) = judge_one((pack, index), one, against.get(&one.device), now)
        else {
            tried.unread += 1;
            continue;
        };
        tried.devices.note(&one.unit, one.standing, after);
        if rank(after) > rank(one.standing) {
            tried.worse.push(Worse {
                device: one.device,
                name: one.name.clone(),
                person: one.person.clone(),
                unit: one.unit.clone(),
                before: one.standing,
                after,
                lapses_at,
                rules,
            });
        }
    }
    tried
}

fn rank(standing: Standing) -> u8 {
    match standing {
        Standing::Good => 0,
        Standing::Due => 1,
        Standing::Lapsed | Standing::Unknown => 2,
    }
}

fn judge_one(
    (pack, index): (&Pack, &Index),
    one: &ToTry,
    against: Option<&Vec<StoredFinding>>,
    now: Millis,
) -> Option<(Standing, Option<Millis>, Vec<String>)> {
    // Its signature was checked when it was stored.
    let envelope: Envelope = serde_json::from_str(&one.envelope).ok()?;
    let payload = envelope.unchecked_payload().ok()?;
    let report: Report<'_> = serde_json::from_slice(&payload).ok()?;
    let facts = check_in::facts_of(&report, &one.owner).ok()?;
    let previous = |rule: &str| {
        let found = against?.iter().find(|finding| finding.rule == rule)?;
        Some(check_in::previous(found))
    };
    let terms = index.of_device(one.device, one.person_id);
    let stands = stands((pack, &terms), Subject::Device, &facts, previous, now);
    let rules = stands.against.iter().map(|place| pack.rules[*place].id.clone()).collect();
    let lapses_at = stands.next_deadline.filter(|_| stands.standing == Standing::Due);
    Some((stands.standing, lapses_at, rules))
}

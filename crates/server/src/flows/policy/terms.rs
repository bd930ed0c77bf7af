//! How the policy applies to each person and device: exceptions in force, rules that bind somebody by name,
//! and units to which rules are rolled out step by step. Held in memory, and read anew when it changes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use stead_model::{DeviceId, Millis, PersonId, Subject};
use stead_policy::{Pack, Terms};
use stead_store::{Write, check_in::TURN};
use tokio::sync::MutexGuard;

use crate::{App, error::Refusal};

/// The name under which the store keeps until when steps of rolling out have been taken.
const STEPPED: &str = "rollout taken";

/// What applies to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// How often it had changed when it was read.
    pub turn: i64,
    excepted: HashMap<(Subject, String), BTreeMap<String, Millis>>,
    bound: HashMap<PersonId, BTreeSet<String>>,
    units: HashMap<PersonId, Vec<String>>,
}

impl Index {
    /// Reads what applies under a pack.
    ///
    /// # Errors
    /// [`Refusal`] when the store is away.
    pub async fn read(app: &App, pack: &Pack) -> Result<Self, Refusal> {
        // Read first: what changes meanwhile is read again by whoever sees a later turn.
        let turn = app.store.meta(TURN).await?.and_then(|turn| turn.parse().ok()).unwrap_or(0);
        let mut excepted: HashMap<_, BTreeMap<_, _>> = HashMap::new();
        for exception in app.store.exceptions_in_force().await? {
            excepted
                .entry((exception.kind, exception.subject))
                .or_default()
                .insert(exception.rule, exception.until);
        }
        let mut bound: HashMap<_, BTreeSet<_>> = HashMap::new();
        for term in app.store.terms_in_force().await? {
            bound.entry(term.person).or_default().insert(term.rule);
        }
        let by_unit = pack.manifest.rollout.iter().any(|step| step.unit.is_some());
        let units = if by_unit { app.store.units_of_all().await? } else { HashMap::new() };
        Ok(Self { turn, excepted, bound, units })
    }

    fn of(&self, kind: Subject, id: &str, person: Option<PersonId>) -> Terms {
        let of = |person: &PersonId| self.bound.get(person).cloned().unwrap_or_default();
        let units = |person: &PersonId| self.units.get(person).cloned().unwrap_or_default();
        Terms {
            units: person.as_ref().map(units).unwrap_or_default(),
            bound: person.as_ref().map(of).unwrap_or_default(),
            excepted: self.excepted.get(&(kind, id.to_owned())).cloned().unwrap_or_default(),
        }
    }

    /// What applies to a device of a person.
    pub fn of_device(&self, device: DeviceId, person: PersonId) -> Terms {
        if self.excepted.is_empty() && self.bound.is_empty() && self.units.is_empty() {
            return Terms::default();
        }
        self.of(Subject::Device, &device.to_string(), Some(person))
    }

    /// What applies to what is no device, by its id.
    pub fn of_subject(&self, kind: Subject, id: &str) -> Terms {
        let person = (kind == Subject::Person).then(|| id.parse().ok()).flatten();
        self.of(kind, id, person)
    }
}

/// Reads anew what applies to whom, unless somebody has read it meanwhile as late as this turn.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn catch_up(app: &App, turn: i64) -> Result<(), Refusal> {
    let reading = app.reading_terms.lock().await;
    if app.terms().turn >= turn {
        return Ok(());
    }
    read_anew(app, reading).await
}

/// Reads anew what applies to whom.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn refresh(app: &App) -> Result<(), Refusal> {
    read_anew(app, app.reading_terms.lock().await).await
}

/// One at a time: what was read later is never put back by what was read before.
async fn read_anew(app: &App, _reading: MutexGuard<'_, ()>) -> Result<(), Refusal> {
    let pack = app.pack();
    let index = Index::read(app, &pack).await?;
    let before = app.terms();
    // What is remembered of a device was judged under what applied before.
    for (kind, id) in index.excepted.keys().chain(before.excepted.keys()) {
        let key = (*kind, id.clone());
        if *kind == Subject::Device && index.excepted.get(&key) != before.excepted.get(&key) {
            id.parse().into_iter().for_each(|device| app.known.forget(device));
        }
    }
    let mut people = BTreeSet::new();
    for person in index.bound.keys().chain(before.bound.keys()) {
        if index.bound.get(person) != before.bound.get(person) && people.insert(*person) {
            for device in app.store.devices_of(*person).await? {
                app.known.forget(device.id);
            }
        }
    }
    if index.units != before.units {
        app.known.clear();
    }
    app.put_terms(Arc::new(index));
    Ok(())
}

/// Has judged again whom a change of units moves: one person, or everybody when the tree itself has changed. The
/// caller commits; every server reads anew what applies when it next looks.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub(in crate::flows) async fn moved(
    app: &App,
    write: &mut Write,
    person: Option<PersonId>,
) -> Result<(), Refusal> {
    if !app.pack().manifest.rollout.iter().any(|step| step.unit.is_some()) {
        return Ok(());
    }
    write.turn_terms().await?;
    match person {
        Some(person) => {
            let devices: Vec<_> = write.devices_of(person).await?.iter().map(|device| device.id).collect();
            write.judge_anew(&devices).await?;
        }
        None => write.judge_unit_anew(None).await?,
    }
    Ok(())
}

/// Reads anew what applies to whom when it has changed, and takes the steps of rolling rules out whose day has
/// come: who is judged under another stage from now on is judged again. Whether any was taken.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn run(app: &App) -> Result<bool, Refusal> {
    let turn = app.store.meta(TURN).await?.and_then(|turn| turn.parse().ok()).unwrap_or(0);
    if turn != app.terms().turn {
        refresh(app).await?;
        app.known.clear();
    }
    let now = app.now();
    let pack = app.pack();
    let taken = app.store.meta(STEPPED).await?;
    let until = taken.as_deref().and_then(|taken| taken.parse().ok()).map_or(now, Millis);
    let steps: Vec<_> = pack
        .manifest
        .rollout
        .iter()
        .filter(|step| step.from.is_some_and(|from| until < from && from <= now))
        .collect();
    if taken.is_some() && steps.is_empty() {
        return Ok(false);
    }
    let mut write = app.store.write().await?;
    match &taken {
        // Of several servers one does it.
        Some(taken) if !write.move_meta(STEPPED, taken, &now.0.to_string()).await? => return Ok(false),
        Some(_) => {}
        None => write.set_meta(STEPPED, &now.0.to_string()).await?,
    }
    for step in &steps {
        write.judge_unit_anew(step.unit.as_deref()).await?;
    }
    if !steps.is_empty() {
        write.turn_terms().await?;
    }
    write.commit(&app.keys.ledger).await?;
    if !steps.is_empty() {
        app.known.clear();
    }
    Ok(!steps.is_empty())
}

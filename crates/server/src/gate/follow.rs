//! Keeping memory true: everything is read once, and then what each committed transaction says it changed, here
//! or on another server that shares the store.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use stead_model::{DeviceId, Millis, PersonId, SessionId, problem::Kind, time::MINUTE};
use stead_store::changes::Changes;
use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    oneshot,
};

use super::{index::Index, peers};
use crate::{App, error::Refusal, flows::sign_in};

/// Rows read with one statement.
const BATCH: usize = 250;
/// How long to wait after the store was away.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is looked for what time alone changes.
const EVERY: Duration = Duration::from_secs(20);
/// The same in milliseconds.
const EVERY_MILLIS: i64 = 20_000;
/// How long what has changed may take to be read; beyond it those whom it concerns are not let in.
const PATIENCE: Duration = Duration::from_secs(2);
/// Devices that near their silence are read again this long before: another server may have heard them.
const BEFORE_SILENCE: i64 = MINUTE;

/// Begins to follow the store. Ends when the last `App` is gone.
pub(crate) fn begin(app: &Arc<App>) {
    let (tell, told) = unbounded_channel();
    let index = Arc::clone(&app.gate.index);
    let from_here = tell.clone();
    // Begun once; a second follower would only read everything twice.
    let _ = app.gate.follower.set(tell.clone());
    app.store.listen(move |mut changes| {
        let heard = std::mem::take(&mut changes.heard);
        index.heard(&heard);
        // Where nobody follows any more, nothing is known from here on.
        if changes != Changes::default() && from_here.send(Told::Changes(changes)).is_err() {
            index.set_complete(false);
        }
    });
    tokio::spawn(listen_to_others(Arc::downgrade(app), tell));
    tokio::spawn(run(Arc::downgrade(app), told));
    tokio::spawn(note_used(Arc::downgrade(app)));
    if !app.gate.settings.tunnels.is_empty() {
        tokio::spawn(peers::keep(Arc::downgrade(app)));
    }
}

/// Whoever follows, however it ends, leaves nothing behind that is taken for true.
struct Follows(Arc<Index>);

impl Drop for Follows {
    fn drop(&mut self) {
        self.0.set_complete(false);
    }
}

/// What whoever follows is told.
#[derive(Debug)]
pub(super) enum Told {
    /// Something was changed.
    Changes(Changes),
    /// Somebody waits until everything before is in memory.
    Asked(oneshot::Sender<()>),
    /// What others change is heard from now on.
    Listening,
    /// What others change may have been missed since.
    Deaf,
}

async fn listen_to_others(app: Weak<App>, tell: UnboundedSender<Told>) {
    let Some(follows) = app.upgrade().map(|app| Follows(Arc::clone(&app.gate.index))) else { return };
    loop {
        let Some((store, url)) = app.upgrade().map(|app| (app.store.clone(), app.store_url.clone())) else {
            return;
        };
        let listening = tell.clone();
        let heard = store.listen_to_others(&url, move || {
            let _ = listening.send(Told::Listening);
        });
        if let Err(error) = heard.await {
            tracing::warn!(%error, "other servers are not heard; nobody is let in until they are");
        }
        // At once, whatever is being read just now.
        follows.0.miss();
        if tell.send(Told::Deaf).is_err() {
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn run(app: Weak<App>, mut told: UnboundedReceiver<Told>) {
    let Some(follows) = app.upgrade().map(|app| Follows(Arc::clone(&app.gate.index))) else { return };
    let index = &follows.0;
    let mut wanted = Changes::default();
    let mut listening = false;
    let mut looked_at = Millis(0);
    loop {
        let retry = wanted != Changes::default() || (listening && !index.is_complete());
        let first = tokio::time::timeout(if retry { AGAIN } else { EVERY }, told.recv()).await;
        let Some(app) = app.upgrade() else { return };
        let mut next = match first {
            Ok(None) => return,
            Ok(Some(one)) => Some(one),
            Err(_) => None,
        };
        let mut begin = false;
        let mut asked = Vec::new();
        while let Some(one) = next {
            match one {
                Told::Changes(changes) => add(&mut wanted, changes),
                Told::Asked(reply) => asked.push(reply),
                Told::Listening => (listening, begin) = (true, true),
                Told::Deaf => listening = false,
            }
            next = told.try_recv().ok();
        }
        let now = app.now();
        let done = if listening && (begin || !index.is_complete()) {
            let missed = index.missed();
            read_all(&app, now).await.map(|()| index.complete_unless_missed(missed))
        } else {
            let away = || Refusal::new(Kind::Unavailable, "The store does not answer.");
            match tokio::time::timeout(PATIENCE, read(&app, &wanted)).await {
                Ok(Ok(())) if now.since(looked_at).unsigned_abs() >= EVERY_MILLIS.unsigned_abs() => {
                    looked_at = now;
                    wanted = by_time(&app, now);
                    read(&app, &wanted).await
                }
                Ok(done) => done,
                Err(_) => Err(away()),
            }
        };
        match done {
            Ok(()) => wanted = Changes::default(),
            Err(refusal) => {
                index.doubt(&wanted);
                let problem = refusal.problem(&crate::words::Words::english());
                tracing::warn!(%problem, "what has changed could not be read; those it concerns are not let in");
            }
        }
        for reply in asked {
            // Whoever asked may have gone away meanwhile.
            let _ = reply.send(());
        }
    }
}

/// Writes down which sessions were used at the gate, apart from what decides: it may have to wait for other writers.
async fn note_used(app: Weak<App>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(app) = app.upgrade() else { return };
        let used = app.gate.index.used_sessions();
        if let Err(refusal) = sign_in::note_used(&app, used).await {
            let problem = refusal.problem(&crate::words::Words::english());
            tracing::warn!(%problem, "the use of sessions at the gate was not written down");
        }
    }
}

fn add(wanted: &mut Changes, more: Changes) {
    wanted.devices.extend(more.devices);
    wanted.people.extend(more.people);
    wanted.sessions.extend(more.sessions);
    wanted.sessions_of.extend(more.sessions_of);
}

/// What is to be read again because of the time.
fn by_time(app: &App, now: Millis) -> Changes {
    let index = &app.gate.index;
    index.forget_sessions(now.plus(-sign_in::ABSOLUTE));
    let near = index.near_silence(now, now.plus(BEFORE_SILENCE), app.pack().silent_after);
    Changes { devices: near.into_iter().collect(), ..Changes::default() }
}

async fn read_all(app: &App, now: Millis) -> Result<(), Refusal> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let mut after = None;
    loop {
        let ids = app.store.device_ids(after, limit).await?;
        read_devices(app, &ids).await?;
        match ids.last() {
            Some(last) => after = Some(*last),
            None => break,
        }
    }
    let mut after = None;
    loop {
        let ids = app.store.person_ids(after, limit).await?;
        read_people(app, &ids).await?;
        match ids.last() {
            Some(last) => after = Some(*last),
            None => break,
        }
    }
    let sessions = app.store.live_sessions(now.plus(-sign_in::ABSOLUTE)).await?;
    app.gate.index.put_sessions(|_, _| true, &sessions);
    let (devices, people, sessions) = app.gate.index.size();
    tracing::debug!(devices, people, sessions, "the gate knows everything");
    Ok(())
}

async fn read(app: &App, wanted: &Changes) -> Result<(), Refusal> {
    // Whose sessions have ended comes first: it shuts doors, and is little.
    for person in &wanted.sessions_of {
        let sessions = app.store.gate_sessions_of(*person).await?;
        app.gate.index.put_sessions(|_, session| session.person == *person, &sessions);
    }
    let sessions: Vec<SessionId> = wanted.sessions.iter().copied().collect();
    for ids in sessions.chunks(BATCH) {
        let sessions = app.store.gate_sessions(ids).await?;
        app.gate.index.put_sessions(|id, _| ids.contains(id), &sessions);
    }
    let people: Vec<PersonId> = wanted.people.iter().copied().collect();
    for ids in people.chunks(BATCH) {
        read_people(app, ids).await?;
    }
    let devices: Vec<DeviceId> = wanted.devices.iter().copied().collect();
    for ids in devices.chunks(BATCH) {
        read_devices(app, ids).await?;
    }
    Ok(())
}

async fn read_devices(app: &App, ids: &[DeviceId]) -> Result<(), Refusal> {
    let devices = app.store.gate_devices(ids).await?;
    // One that was shut out, or let in again, by another server or beside this one is looked up at its next message.
    for device in &devices {
        let was = app.gate.index.device(device.id).is_some_and(|known| known.revoked);
        if device.revoked || was {
            app.known.forget(device.id);
        }
    }
    app.gate.index.put_devices(ids, devices, &app.pack());
    Ok(())
}

async fn read_people(app: &App, ids: &[PersonId]) -> Result<(), Refusal> {
    let people = app.store.gate_people(ids).await?;
    app.gate.index.put_people(ids, people, &app.pack());
    Ok(())
}

/// How exactly the last use of a session at the gate is kept.
pub(super) const TOUCH: i64 = 5 * MINUTE;

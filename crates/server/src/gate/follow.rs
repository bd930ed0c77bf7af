//! Keeping memory true: everything is read once, and then what each committed transaction says it changed, here
//! or on another server that shares the store.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use stead_model::{DeviceId, Millis, PersonId, SessionId, time::MINUTE};
use stead_store::changes::Changes;
use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    oneshot,
};

use crate::{App, error::Refusal, flows::sign_in};

/// Rows read with one statement.
const BATCH: usize = 250;
/// How long to wait after the store was away.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is looked for what time alone changes.
const EVERY: Duration = Duration::from_secs(20);
/// Devices that near their silence are read again this long before: another server may have heard them.
const BEFORE_SILENCE: i64 = MINUTE;

/// Begins to follow the store. Ends when the last `App` is gone.
///
/// # Errors
/// When the system gives no randomness.
pub(crate) fn begin(app: &Arc<App>) -> Result<(), Refusal> {
    let name = stead_model::seal::hex(&app.random::<8>()?);
    let (tell, told) = unbounded_channel();
    let index = Arc::clone(&app.gate.index);
    let from_here = tell.clone();
    // Begun once; a second follower would only read everything twice.
    let _ = app.gate.follower.set(tell.clone());
    app.store.listen(name, move |mut changes| {
        let heard = std::mem::take(&mut changes.heard);
        index.heard(&heard);
        if changes != Changes::default() {
            // Nobody listens any more when the server ends.
            let _ = from_here.send(Told::Changes(changes));
        }
    });
    tokio::spawn(listen_to_others(Arc::downgrade(app), tell));
    tokio::spawn(run(Arc::downgrade(app), told));
    Ok(())
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
        if tell.send(Told::Deaf).is_err() {
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn run(app: Weak<App>, mut told: UnboundedReceiver<Told>) {
    let mut wanted = Changes::default();
    let mut listening = false;
    loop {
        let retry = wanted != Changes::default();
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
                Told::Deaf => {
                    listening = false;
                    app.gate.index.set_complete(false);
                }
            }
            next = told.try_recv().ok();
        }
        let now = app.now();
        let complete = app.gate.index.is_complete();
        let done = if listening && (begin || !complete) {
            read_all(&app, now).await.map(|()| app.gate.index.set_complete(true))
        } else {
            by_time(&app, &mut wanted, now);
            read(&app, &wanted).await
        };
        match done {
            Ok(()) => wanted = Changes::default(),
            Err(refusal) => {
                app.gate.index.doubt(&wanted);
                let problem = refusal.problem(&crate::words::Words::english());
                tracing::warn!(%problem, "what has changed could not be read; those it concerns are not let in");
            }
        }
        for reply in asked {
            // Whoever asked may have gone away meanwhile.
            let _ = reply.send(());
        }
        if let Err(refusal) = sign_in::note_used(&app, app.gate.index.used_sessions()).await {
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
fn by_time(app: &App, wanted: &mut Changes, now: Millis) {
    let index = &app.gate.index;
    wanted.devices.extend(index.near_silence(now, now.plus(BEFORE_SILENCE), app.pack().silent_after));
    index.forget_sessions(now.plus(-sign_in::ABSOLUTE));
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

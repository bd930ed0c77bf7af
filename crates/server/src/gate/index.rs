//! What decides who is let in, in memory: of each device and person no more than what counts against them and
//! until when it costs nothing.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
};

use stead_model::{DeviceId, Employment, Millis, PersonId, SessionId, Standing, tunnel::PublicKey};
use stead_policy::Pack;
use stead_store::{
    changes::Changes,
    gate::{Counts, GateDevice, GatePerson, GateSession},
};

use tokio::sync::{Notify, futures::OwnedNotified};

use crate::{clearance, names::Names};

/// Something that counts against a device or a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The rule. Rules are few and named by many: each name is kept once.
    pub rule: Arc<str>,
    /// When it costs what the rule costs.
    pub due: Millis,
}

/// A device.
#[derive(Clone, Debug)]
pub struct Device {
    /// Whose it is.
    pub person: PersonId,
    /// Whether it has been revoked.
    pub revoked: bool,
    /// Whether it has a standing that can be told.
    pub judged: bool,
    /// When it was last heard.
    pub last_seen: Millis,
    /// Whether something about it has changed that could not be read.
    pub doubted: bool,
    /// What counts against it.
    pub costs: Box<[Cost]>,
    /// Its keys for tunnels.
    pub tunnels: Box<[TunnelKey]>,
    /// Its certificates for connections, by their SHA-256, and until when each is good.
    pub certificates: Box<[([u8; 32], Millis)]>,
}

/// A device's key for a tunnel.
#[derive(Clone, Debug)]
pub struct TunnelKey {
    /// The tunnel. As with rules, each name is kept once.
    pub tunnel: Arc<str>,
    /// The key.
    pub key: PublicKey,
    /// The device's place among the addresses there.
    pub place: i64,
    /// When the key was taken.
    pub made_at: Millis,
}

/// A person.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their state.
    pub state: Employment,
    /// Their name.
    pub name: Box<str>,
    /// Their address.
    pub email: Option<Box<str>>,
    /// Whether something about them has changed that could not be read.
    pub doubted: bool,
    /// What counts against them.
    pub costs: Box<[Cost]>,
}

/// A session that has not been ended.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// Whose it is.
    pub person: PersonId,
    /// When it began.
    pub created_at: Millis,
    /// When it was last used, as far as is known.
    pub last_used: Millis,
    /// Whether it was used at the gate since that was last written down.
    pub used: bool,
}

#[derive(Debug, Default)]
struct Inner {
    devices: HashMap<DeviceId, Device>,
    people: HashMap<PersonId, Person>,
    sessions: HashMap<SessionId, Session>,
    /// Devices that have keys for tunnels.
    in_tunnels: HashSet<DeviceId>,
    /// Whose certificates those are.
    certified: HashMap<[u8; 32], DeviceId>,
    /// Whether everything has been read, and nothing been missed since.
    complete: bool,
    /// How often something may have been missed.
    missed: u64,
}

/// What decides, in memory.
#[derive(Debug, Default)]
pub struct Index {
    inner: RwLock<Inner>,
    names: Names,
    moved: Arc<Notify>,
}

impl Index {
    fn read<T>(&self, look: impl FnOnce(&Inner) -> T) -> T {
        look(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        change(&mut self.inner.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same for what may change a decision, which those who wait for that are told.
    fn turn<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let changed = self.change(change);
        self.moved.notify_waiters();
        changed
    }

    /// Comes when something has changed after this was asked for.
    pub(super) fn moved(&self) -> OwnedNotified {
        Arc::clone(&self.moved).notified_owned()
    }

    /// Devices that have a key for this tunnel.
    pub(super) fn in_tunnel(&self, tunnel: &str) -> Vec<(DeviceId, TunnelKey)> {
        self.read(|inner| {
            let held = |id: &DeviceId| {
                let keys = &inner.devices.get(id)?.tunnels;
                Some((*id, keys.iter().find(|key| &*key.tunnel == tunnel)?.clone()))
            };
            inner.in_tunnels.iter().filter_map(held).collect()
        })
    }

    /// Whether everything has been read, and nothing been missed since. Until then nobody is let in.
    pub fn is_complete(&self) -> bool {
        self.read(|inner| inner.complete)
    }

    pub(super) fn set_complete(&self, complete: bool) {
        self.turn(|inner| inner.complete = complete);
    }

    /// Something may have been missed: nobody is let in until everything has been read again.
    pub(super) fn miss(&self) {
        self.turn(|inner| {
            inner.complete = false;
            inner.missed += 1;
        });
    }

    /// How often something may have been missed.
    pub(super) fn missed(&self) -> u64 {
        self.read(|inner| inner.missed)
    }

    /// Everything has been read; that counts unless something was missed since this number was asked for.
    pub(super) fn complete_unless_missed(&self, missed: u64) {
        self.turn(|inner| inner.complete = inner.missed == missed);
    }

    /// A device.
    pub fn device(&self, id: DeviceId) -> Option<Device> {
        self.read(|inner| inner.devices.get(&id).cloned())
    }

    /// The device that has this certificate, while it is good.
    pub fn certified(&self, fingerprint: &[u8; 32], now: Millis) -> Option<DeviceId> {
        self.read(|inner| {
            let id = inner.certified.get(fingerprint)?;
            let certificates = &inner.devices.get(id)?.certificates;
            certificates.iter().any(|(held, ends_at)| held == fingerprint && now < *ends_at).then_some(*id)
        })
    }

    /// A person.
    pub fn person(&self, id: PersonId) -> Option<Person> {
        self.read(|inner| inner.people.get(&id).cloned())
    }

    /// A session that has not been ended.
    pub fn session(&self, id: SessionId) -> Option<Session> {
        self.read(|inner| inner.sessions.get(&id).copied())
    }

    /// Notes that a session was used at the gate, at most once in `every` milliseconds.
    pub fn use_session(&self, id: SessionId, now: Millis, every: i64) {
        let due = self.session(id).is_some_and(|session| now.since(session.last_used) >= every);
        if due {
            self.change(|inner| {
                if let Some(session) = inner.sessions.get_mut(&id) {
                    session.last_used = session.last_used.max(now);
                    session.used = true;
                }
            });
        }
    }

    /// Sessions that were used at the gate since this was last asked, and when.
    pub(super) fn used_sessions(&self) -> Vec<(SessionId, Millis)> {
        if !self.read(|inner| inner.sessions.values().any(|session| session.used)) {
            return Vec::new();
        }
        self.change(|inner| {
            let used = inner.sessions.iter_mut().filter(|(_, session)| session.used);
            used.map(|(id, session)| {
                session.used = false;
                (*id, session.last_used)
            })
            .collect()
        })
    }

    /// Takes over when devices were heard.
    pub(super) fn heard(&self, heard: &[(DeviceId, Millis)]) {
        if heard.is_empty() {
            return;
        }
        self.change(|inner| {
            for (id, at) in heard {
                if let Some(device) = inner.devices.get_mut(id) {
                    device.last_seen = device.last_seen.max(*at);
                }
            }
        });
    }

    /// Nobody whom these changes concern is let in until they could be read.
    pub(super) fn doubt(&self, changes: &Changes) {
        self.turn(|inner| {
            for id in &changes.devices {
                if let Some(device) = inner.devices.get_mut(id) {
                    device.doubted = true;
                }
            }
            for id in &changes.people {
                if let Some(person) = inner.people.get_mut(id) {
                    person.doubted = true;
                }
            }
            inner.sessions.retain(|id, session| {
                !changes.sessions.contains(id) && !changes.sessions_of.contains(&session.person)
            });
        });
    }

    /// Takes over these devices; those asked for and not there are gone.
    pub(super) fn put_devices(&self, asked: &[DeviceId], devices: Vec<GateDevice>, pack: &Pack) {
        let read: HashMap<DeviceId, Device> = devices
            .into_iter()
            .map(|device| {
                let known = Device {
                    person: device.person,
                    revoked: device.revoked,
                    judged: device.standing != Standing::Unknown,
                    last_seen: device.last_seen,
                    doubted: false,
                    costs: self.costs(device.against, pack),
                    tunnels: self.keys(device.tunnels),
                    certificates: device
                        .certificates
                        .iter()
                        .map(|one| (one.fingerprint, one.ends_at))
                        .collect(),
                };
                (device.id, known)
            })
            .collect();
        self.turn(|inner| {
            for id in asked {
                let before =
                    inner.devices.get(id).map(|device| device.certificates.clone()).unwrap_or_default();
                for (fingerprint, _) in before {
                    inner.certified.remove(&fingerprint);
                }
            }
            for id in asked.iter().filter(|id| !read.contains_key(id)) {
                inner.devices.remove(id);
                inner.in_tunnels.remove(id);
            }
            for (id, mut device) in read {
                // It may have been heard after it was read.
                if let Some(before) = inner.devices.get(&id) {
                    device.last_seen = device.last_seen.max(before.last_seen);
                }
                match device.tunnels.is_empty() {
                    true => inner.in_tunnels.remove(&id),
                    false => inner.in_tunnels.insert(id),
                };
                inner.certified.extend(device.certificates.iter().map(|(fingerprint, _)| (*fingerprint, id)));
                inner.devices.insert(id, device);
            }
        });
    }

    /// Takes over these people; those asked for and not there are gone.
    pub(super) fn put_people(&self, asked: &[PersonId], people: Vec<GatePerson>, pack: &Pack) {
        let read: HashMap<PersonId, Person> = people
            .into_iter()
            .map(|person| {
                let known = Person {
                    state: person.state,
                    name: person.name.into(),
                    email: person.email.map(Into::into),
                    doubted: false,
                    costs: self.costs(person.against, pack),
                };
                (person.id, known)
            })
            .collect();
        self.turn(|inner| {
            for id in asked.iter().filter(|id| !read.contains_key(id)) {
                inner.people.remove(id);
            }
            inner.people.extend(read);
        });
    }

    /// Takes over these sessions; of those asked for, the ones that are not there have ended.
    pub(super) fn put_sessions(
        &self,
        asked: impl Fn(&SessionId, &Session) -> bool,
        sessions: &[GateSession],
    ) {
        self.change(|inner| {
            let before: HashMap<SessionId, Session> =
                inner.sessions.extract_if(|id, session| asked(id, session)).collect();
            for session in sessions {
                let known = before.get(&session.id);
                let last_used =
                    known.map_or(session.last_used, |known| known.last_used.max(session.last_used));
                let used = known.is_some_and(|known| known.used);
                let session_ =
                    Session { person: session.person, created_at: session.created_at, last_used, used };
                inner.sessions.insert(session.id, session_);
            }
        });
    }

    /// Devices that fall silent before `by` unless they are heard, and have not yet: another server may have
    /// heard them.
    pub(super) fn near_silence(&self, now: Millis, by: Millis, silent_after: i64) -> Vec<DeviceId> {
        self.read(|inner| {
            let near = |device: &Device| {
                let silent_at = device.last_seen.plus(silent_after);
                !device.revoked && device.judged && silent_at <= by && silent_at > now.plus(now.since(by))
            };
            inner.devices.iter().filter(|(_, device)| near(device)).map(|(id, _)| *id).collect()
        })
    }

    /// Forgets sessions that are over by age.
    pub(super) fn forget_sessions(&self, created_before: Millis) {
        self.change(|inner| inner.sessions.retain(|_, session| session.created_at > created_before));
    }

    /// How many devices, people and sessions are held.
    pub fn size(&self) -> (usize, usize, usize) {
        self.read(|inner| (inner.devices.len(), inner.people.len(), inner.sessions.len()))
    }

    fn costs(&self, against: Vec<Counts>, pack: &Pack) -> Box<[Cost]> {
        let costs = against.into_iter().filter_map(|counts| {
            let due = clearance::due(pack.rule(&counts.rule), counts.due, counts.counts_since)?;
            Some(Cost { rule: self.names.get(&counts.rule), due })
        });
        costs.collect()
    }

    fn keys(&self, keys: Vec<stead_store::tunnel::TunnelKey>) -> Box<[TunnelKey]> {
        let keys = keys.into_iter().map(|key| TunnelKey {
            tunnel: self.names.get(&key.tunnel),
            key: key.key,
            place: key.place,
            made_at: key.made_at,
        });
        keys.collect()
    }
}

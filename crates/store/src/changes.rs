//! What a transaction changed of that which decides who is let in, told once it is committed, so that it can
//! be kept in memory. Rows tell it themselves: whoever writes them cannot forget to.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use stead_model::{DeviceId, Millis, PersonId, SessionId};

/// The channel on which servers that share a PostgreSQL tell each other.
pub(crate) const CHANNEL: &str = "stead_changes";
/// Most bytes of one message on it; PostgreSQL takes 8,000.
const LONGEST: usize = 7_000;

/// What was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Devices whose findings, standing or place in the store have changed.
    pub devices: BTreeSet<DeviceId>,
    /// Devices that were heard, and when. Nothing else of them has changed.
    pub heard: Vec<(DeviceId, Millis)>,
    /// People whose findings or state have changed.
    pub people: BTreeSet<PersonId>,
    /// Sessions that began or ended.
    pub sessions: BTreeSet<SessionId>,
    /// People all of whose sessions may have ended.
    pub sessions_of: BTreeSet<PersonId>,
}

impl Changes {
    /// Whether there is nothing that others have to be told.
    fn is_quiet(&self) -> bool {
        self.devices.is_empty()
            && self.people.is_empty()
            && self.sessions.is_empty()
            && self.sessions_of.is_empty()
    }

    /// Messages that say so to other servers: a letter and an id each. That a device was heard
    /// is not among them; it happens too often, and the store has it.
    pub(crate) fn messages(&self) -> Vec<String> {
        if self.is_quiet() {
            return Vec::new();
        }
        let parts = (self.devices.iter().map(|id| format!(" d{id}")))
            .chain(self.people.iter().map(|id| format!(" p{id}")))
            .chain(self.sessions.iter().map(|id| format!(" s{id}")))
            .chain(self.sessions_of.iter().map(|id| format!(" a{id}")));
        let mut messages = vec![String::new()];
        for part in parts {
            if messages.last().is_none_or(|last| last.len() + part.len() > LONGEST) {
                messages.push(String::new());
            }
            if let Some(last) = messages.last_mut() {
                last.push_str(&part);
            }
        }
        messages
    }

    /// What a message says. What cannot be read is left out.
    pub(crate) fn read(message: &str) -> Self {
        let mut changes = Self::default();
        for word in message.split(' ').filter(|word| word.is_char_boundary(1)) {
            let (kind, id) = word.split_at(1);
            match kind {
                "d" => changes.devices.extend(id.parse::<DeviceId>().ok()),
                "p" => changes.people.extend(id.parse::<PersonId>().ok()),
                "s" => changes.sessions.extend(id.parse::<SessionId>().ok()),
                "a" => changes.sessions_of.extend(id.parse::<PersonId>().ok()),
                _ => {}
            }
        }
        changes
    }
}

impl Changes {
    /// What entries of the ledger say was changed, by what they are about.
    pub(crate) fn of_subjects<'a>(subjects: impl Iterator<Item = &'a str>) -> Self {
        let mut changes = Self::default();
        for subject in subjects {
            match subject.split_once(':') {
                Some(("device", id)) => changes.devices.extend(id.parse::<DeviceId>().ok()),
                Some(("person", id)) => {
                    let person = id.parse::<PersonId>().ok();
                    changes.people.extend(person);
                    changes.sessions_of.extend(person);
                }
                Some(_) | None => {}
            }
        }
        changes
    }
}

type Tell = Box<dyn Fn(Changes) + Send + Sync>;

/// Who is told. Set once, when the store's user begins to listen.
#[derive(Clone, Default)]
pub(crate) struct Listener(Arc<Shared>);

#[derive(Default)]
struct Shared {
    told: OnceLock<Tell>,
    /// Turns of the ledger's head that were this process's and have not been looked at.
    turns: Mutex<BTreeSet<i64>>,
}

impl Listener {
    pub(crate) fn set(&self, tell: Tell) {
        // Whoever listened first goes on.
        let _ = self.0.told.set(tell);
    }

    /// Whether all turns after one, up to another, were this process's. They are not remembered any more.
    pub(crate) fn were_own(&self, after: i64, up_to: i64) -> bool {
        let mut turns = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let own = (after + 1..=up_to).all(|turn| turns.contains(&turn));
        turns.retain(|turn| *turn > up_to);
        own
    }

    /// Tells of a transaction that was committed here, which was this turn. `watched` says that turns are looked at.
    pub(crate) fn tell_own(&self, turn: i64, watched: bool, changes: Changes) {
        if watched && self.0.told.get().is_some() {
            self.0.turns.lock().unwrap_or_else(PoisonError::into_inner).insert(turn);
        }
        self.tell(changes);
    }

    pub(crate) fn tell(&self, changes: Changes) {
        if let Some(tell) = self.0.told.get()
            && changes != Changes::default()
        {
            tell(changes);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood() {
        let id = |n: u32| {
            let mut random = [0; 10];
            random[..4].copy_from_slice(&n.to_be_bytes());
            DeviceId::from_parts(Millis(1), random)
        };
        let changes = Changes {
            devices: (0..500).map(id).collect(),
            people: [PersonId::from_parts(Millis(2), [2; 10])].into(),
            sessions: [SessionId::from_parts(Millis(3), [3; 10])].into(),
            sessions_of: [PersonId::from_parts(Millis(4), [4; 10])].into(),
            heard: Vec::new(),
        };
        let messages = changes.messages();
        assert!(messages.len() > 2 && messages.iter().all(|message| message.len() < 8_000));
        let mut all = Changes::default();
        for message in &messages {
            let some = Changes::read(message);
            all.devices.extend(some.devices);
            all.people.extend(some.people);
            all.sessions.extend(some.sessions);
            all.sessions_of.extend(some.sessions_of);
        }
        assert_eq!(all, changes);
        assert_eq!(Changes::read("x é dnonsense q"), Changes::default());
        let heard = Changes { heard: vec![(id(1), Millis(5))], ..Changes::default() };
        assert!(heard.messages().is_empty(), "that a device was heard is told to nobody else");
    }
}

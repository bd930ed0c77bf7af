//! What a transaction changed of that which decides who is let in, told once it is committed, so that it can
//! be kept in memory. Rows tell it themselves: whoever writes them cannot forget to.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
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

    /// Messages that say so to other servers: who says it, then a letter and an id each. That a device was heard
    /// is not among them; it happens too often, and the store has it.
    pub(crate) fn messages(&self, from: &str) -> Vec<String> {
        if self.is_quiet() {
            return Vec::new();
        }
        let parts = (self.devices.iter().map(|id| format!(" d{id}")))
            .chain(self.people.iter().map(|id| format!(" p{id}")))
            .chain(self.sessions.iter().map(|id| format!(" s{id}")))
            .chain(self.sessions_of.iter().map(|id| format!(" a{id}")));
        let mut messages = vec![from.to_owned()];
        for part in parts {
            if messages.last().is_none_or(|last| last.len() + part.len() > LONGEST) {
                messages.push(from.to_owned());
            }
            if let Some(last) = messages.last_mut() {
                last.push_str(&part);
            }
        }
        messages
    }

    /// What a message says, and who said it. What cannot be read is left out.
    pub(crate) fn read(message: &str) -> (&str, Self) {
        let mut words = message.split(' ');
        let from = words.next().unwrap_or_default();
        let mut changes = Self::default();
        for word in words.filter(|word| word.is_char_boundary(1)) {
            let (kind, id) = word.split_at(1);
            match kind {
                "d" => changes.devices.extend(id.parse::<DeviceId>().ok()),
                "p" => changes.people.extend(id.parse::<PersonId>().ok()),
                "s" => changes.sessions.extend(id.parse::<SessionId>().ok()),
                "a" => changes.sessions_of.extend(id.parse::<PersonId>().ok()),
                _ => {}
            }
        }
        (from, changes)
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
pub(crate) struct Listener(Arc<(OnceLock<(String, Tell)>, AtomicI64)>);

impl Listener {
    pub(crate) fn set(&self, from: String, tell: Tell) {
        // Whoever listened first goes on.
        let _ = self.0.0.set((from, tell));
    }

    /// How many transactions were committed here.
    pub(crate) fn committed(&self) -> i64 {
        self.0.1.load(Ordering::Acquire)
    }

    /// Under which name this store's user speaks to others; none while nobody listens.
    pub(crate) fn name(&self) -> Option<&str> {
        self.0.0.get().map(|(name, _)| name.as_str())
    }

    /// Tells of a transaction that was committed here.
    pub(crate) fn tell_own(&self, changes: Changes) {
        self.0.1.fetch_add(1, Ordering::AcqRel);
        self.tell(changes);
    }

    pub(crate) fn tell(&self, changes: Changes) {
        if let Some((_, tell)) = self.0.0.get()
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
        let messages = changes.messages("here");
        assert!(messages.len() > 2 && messages.iter().all(|message| message.len() < 8_000));
        let mut all = Changes::default();
        for message in &messages {
            let (from, some) = Changes::read(message);
            assert_eq!(from, "here");
            all.devices.extend(some.devices);
            all.people.extend(some.people);
            all.sessions.extend(some.sessions);
            all.sessions_of.extend(some.sessions_of);
        }
        assert_eq!(all, changes);
        assert_eq!(Changes::read("x é dnonsense q").1, Changes::default());
        let heard = Changes { heard: vec![(id(1), Millis(5))], ..Changes::default() };
        assert!(heard.messages("here").is_empty(), "that a device was heard is told to nobody else");
    }
}

//! Breaking the glass: two people whom the policy names come in while it is not known whether they may, for a while
//! and up to a tier. It works from memory, also while the store is away. What is known to be wrong keeps them out.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use stead_model::{DeviceId, Millis, PersonId, SessionId};
use stead_policy::Pack;

use super::{
    apps::{self, Application},
    decide,
    index::Index,
};

/// Why somebody breaks it, in one word: no words of theirs enter the ledger.
pub const REASONS: [&str; 4] = ["outage", "deadline", "safety", "other"];

/// Which sessions have broken it where, and until when. It is kept on this server alone.
#[derive(Debug, Default)]
pub struct Glass {
    broken: Mutex<HashMap<(SessionId, String), Millis>>,
}

impl Glass {
    /// A session has broken it at an application.
    pub(crate) fn break_(&self, session: SessionId, application: &str, until: Millis, now: Millis) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.retain(|_, until| now < *until);
        broken.insert((session, application.to_owned()), until);
    }

    /// Whether a session has, and its time is not over.
    pub(super) fn is_broken(&self, session: SessionId, application: &str, now: Millis) -> bool {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.get(&(session, application.to_owned())).is_some_and(|until| now < *until)
    }
}

/// Whether this person may break it there: the policy names them and opens the tier, something stands against them,
/// and none of it is known for certain.
pub fn may_break(
    index: &Index,
    pack: &Pack,
    application: &Application,
    (person, device): (PersonId, DeviceId),
    now: Millis,
) -> bool {
    let Some(glass) = &pack.manifest.break_glass else { return false };
    let named = index.person(person).and_then(|person| person.email).is_some_and(|email| glass.names(&email));
    let place = application.place(pack);
    named
        && place <= apps::place(pack, &glass.tier)
        && decide::in_memory(index, pack, (person, device), place, now)
            .is_some_and(|why| !why.is_empty() && why.iter().all(decide::Why::is_not_knowing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_broken_for_one_session_at_one_application_for_a_while() {
        let glass = Glass::default();
        let session = |n: u8| SessionId::from_parts(Millis(1), [n; 10]);
        glass.break_(session(1), "records", Millis(100), Millis(10));
        assert!(glass.is_broken(session(1), "records", Millis(99)));
        assert!(!glass.is_broken(session(1), "records", Millis(100)));
        assert!(!glass.is_broken(session(1), "wiki", Millis(50)));
        assert!(!glass.is_broken(session(2), "records", Millis(50)));
    }
}

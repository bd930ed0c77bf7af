//! The gate: whether this person, on this device, is let in to that, now. It answers from memory, so that its
//! answer never needs the database; what it does not know, it refuses.
//!
//! In scope: what is held in memory, the decision, and the proofs that browsers carry. Out of scope: judging, which
//! was done when a device was heard, and pages, which explain the same decision from the store.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod apps;
pub mod certificate;
pub mod decide;
pub mod door;
pub mod follow;
pub mod glass;
pub mod index;
pub mod peers;
pub mod proof;
pub mod showing;
pub mod tunnels;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

pub use apps::Settings;
use certificate::Authority;
use follow::Told;
use glass::Glass;
use index::Index;
use peers::Lists;
use proof::Used;
use stead_model::{Millis, SessionId, time::MINUTE};
use tokio::sync::{mpsc::UnboundedSender, oneshot};

/// What the gate holds.
#[derive(Debug)]
pub struct Gate {
    /// What decides, in memory.
    pub index: Arc<Index>,
    /// What stands behind the gate.
    pub settings: Settings,
    /// What certifies devices for connections, where an application asks for that.
    pub authority: Option<Authority>,
    /// Who is let in through tunnels.
    pub lists: Lists,
    /// Who has come in without being known to be cleared.
    pub glass: Glass,
    /// What was good once and has been used.
    pub used: Used,
    /// What was said lately of whom, so that the log is not filled by somebody who asks again and again.
    said: Mutex<HashMap<(SessionId, String), (String, Millis)>>,
    /// Where whoever follows the store is asked.
    follower: OnceLock<UnboundedSender<Told>>,
}

impl Gate {
    /// A gate that knows nothing yet, and lets nobody in.
    ///
    /// `run` is what this run of the server is called: gates see by it that another one answers.
    pub fn new(settings: Settings, authority: Option<Authority>, run: String) -> Self {
        Self {
            index: Arc::default(),
            authority,
            lists: Lists::new(settings.tunnels.len(), run),
            settings,
            glass: Glass::default(),
            used: Used::default(),
            said: Mutex::default(),
            follower: OnceLock::new(),
        }
    }

    /// Whether it is new that this is said of a session at an application, or was last said a minute ago.
    fn is_news(&self, session: SessionId, application: &str, words: &str, now: Millis) -> bool {
        const MOST: usize = 10_000;
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() >= MOST {
            said.retain(|_, (_, at)| now.since(*at) < MINUTE);
        }
        let of = (session, application.to_owned());
        if said.get(&of).is_some_and(|(before, at)| before == words && now.since(*at) < MINUTE) {
            return false;
        }
        said.insert(of, (words.to_owned(), now));
        true
    }

    /// Waits until everything that was committed here before is in memory.
    pub async fn settled(&self) {
        let (reply, settled) = oneshot::channel();
        if let Some(follower) = self.follower.get()
            && follower.send(Told::Asked(reply)).is_ok()
        {
            // Nobody answers any more when the server ends.
            let _ = settled.await;
        }
    }
}

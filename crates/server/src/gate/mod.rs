//! The gate: whether this person, on this device, is let in to that, now. It answers from memory, so that its
//! answer never needs the database; what it does not know, it refuses.
//!
//! In scope: what is held in memory, the decision, and the proofs that browsers carry. Out of scope: judging, which
//! was done when a device was heard, and pages, which explain the same decision from the store.

pub mod apps;
pub mod decide;
pub mod door;
pub mod follow;
pub mod index;
pub mod proof;
pub mod showing;

use std::sync::{Arc, OnceLock};

pub use apps::Settings;
use follow::Told;
use index::Index;
use proof::Used;
use tokio::sync::{mpsc::UnboundedSender, oneshot};

/// What the gate holds.
#[derive(Debug)]
pub struct Gate {
    /// What decides, in memory.
    pub index: Arc<Index>,
    /// What stands behind the gate.
    pub settings: Settings,
    /// What was good once and has been used.
    pub used: Used,
    /// Where whoever follows the store is asked.
    follower: OnceLock<UnboundedSender<Told>>,
}

impl Gate {
    /// A gate that knows nothing yet, and lets nobody in.
    pub fn new(settings: Settings) -> Self {
        Self { index: Arc::default(), settings, used: Used::default(), follower: OnceLock::new() }
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

//! Costly answers, kept with marks of what they depend on. When no mark has changed, nothing is read
//! again; the answer keeps the time at which it was read.

use std::{collections::BTreeMap, fs, path::Path, sync::Mutex};

use serde::{Deserialize, Serialize};
use stead_model::{Facts, Millis};

use crate::host::Host;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Answer {
    marks: BTreeMap<String, String>,
    read_at: Millis,
    facts: Facts,
}

/// Kept answers.
#[derive(Debug, Default)]
pub struct Kept {
    answers: Mutex<BTreeMap<String, Answer>>,
}

impl Kept {
    /// Reads what an earlier run kept. What cannot be read is simply asked again.
    pub fn load(path: &Path) -> Self {
        let answers =
            fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { answers: Mutex::new(answers) }
    }

    /// Keeps the answers for the next run.
    ///
    /// # Errors
    /// When they cannot be written; the next run then asks again.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let answers = self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        crate::files::write_whole(path, &serde_json::to_vec(&*answers)?, 0o600)
    }

    /// The kept answer when nothing it depends on has changed, else a new one; and when it was read.
    pub fn get(
        &self,
        host: &Host,
        name: &str,
        depends_on: &[String],
        now: Millis,
        ask: impl FnOnce() -> Facts,
    ) -> (Facts, Millis) {
        let marks: BTreeMap<String, String> =
            depends_on.iter().map(|path| (path.clone(), host.mark(path))).collect();
        {
            let answers = self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(answer) = answers.get(name)
                && answer.marks == marks
                && answer.read_at <= now
            {
                return (answer.facts.clone(), answer.read_at);
            }
        }
        let facts = ask();
        let mut answers = self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // What could not be told is asked again: the reason may be gone by then.
        if facts.values().all(|fact| !matches!(fact.state, stead_model::FactState::Unknown(_))) {
            answers.insert(name.to_owned(), Answer { marks, read_at: now, facts: facts.clone() });
        } else {
            answers.remove(name);
        }
        (facts, now)
    }
}

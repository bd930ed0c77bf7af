//! Words that memory holds many times over, each kept once.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

/// The words, of which there are few: rules, tunnels, digests of packs.
#[derive(Debug, Default)]
pub struct Names(Mutex<HashSet<Arc<str>>>);

impl Names {
    /// The one copy of a word.
    pub fn get(&self, name: &str) -> Arc<str> {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.get(name) {
            return Arc::clone(known);
        }
        let known: Arc<str> = name.into();
        names.insert(Arc::clone(&known));
        known
    }
}

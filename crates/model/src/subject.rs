//! What a rule can be about.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of thing that a rule judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A computer, phone or tablet.
    Device,
    /// Somebody who works here.
    Person,
    /// A place that somebody works from.
    Site,
    /// A paper, a medium, a document.
    Item,
    /// The organisation itself.
    Organisation,
}

impl Subject {
    /// Every kind, in the order in which packs hold and pages list their rules.
    pub const ALL: [Self; 5] = [Self::Device, Self::Person, Self::Site, Self::Item, Self::Organisation];

    /// The word in rules, on the wire and in the store; the names of its facts begin with it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Person => "person",
            Self::Site => "site",
            Self::Item => "item",
            Self::Organisation => "organisation",
        }
    }

    /// The kind for a [`Subject::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.word() == word)
    }

    /// The kind that a fact of this name is about.
    pub fn of_fact(name: &str) -> Option<Self> {
        Self::from_word(name.split('.').next().unwrap_or_default())
    }
}

impl fmt::Display for Subject {
    /// The word.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

//! Losses: what was lost, the doors that were shut for it, the steps that follow, and what happened.

use stead_model::{DeviceId, Millis, PersonId, RecordId, SessionId, UnitId, loss::Thing};

mod reading;
mod writing;

/// How far a loss has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// It is lost.
    Open,
    /// It is there again, and not let in yet.
    Found,
    /// It was never gone; what can be is as before.
    Mistaken,
    /// It is there again, and was let in.
    Back,
    /// Nothing is left to do.
    Closed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Open, Self::Found, Self::Mistaken, Self::Back, Self::Closed];

    /// The word on the wire and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Found => "found",
            Self::Mistaken => "mistaken",
            Self::Back => "back",
            Self::Closed => "closed",
        }
    }

    /// The state for a [`State::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Its id.
    pub id: RecordId,
    /// Whose thing it is.
    pub person: PersonId,
    /// Their name.
    pub person_name: String,
    /// Their unit when it was told.
    pub unit: UnitId,
    /// The name of that unit.
    pub unit_name: String,
    /// What kind of thing.
    pub thing: Thing,
    /// The enrolled device that it is.
    pub device: Option<DeviceId>,
    /// What it is called.
    pub label: String,
    /// Whether somebody took it.
    pub stolen: bool,
    /// Whether it is practice: nothing was shut.
    pub practice: bool,
    /// How it was told: `page`, `card` or `command`.
    pub way: String,
    /// Who told it; none by card, which anybody may hold.
    pub told_by: Option<PersonId>,
    /// When it was told.
    pub told_at: Millis,
    /// When it was noticed, as they say.
    pub noticed_at: Millis,
    /// What they said.
    pub words: String,
    /// What was last known of it, as JSON; never changed.
    pub evidence: String,
    /// What the ledger's digest of the evidence was salted with, hexadecimal.
    pub salt: String,
    /// The session that told it last, which was left open.
    pub kept: Option<SessionId>,
    /// How far it has come.
    pub state: State,
    /// Whether somebody's data is at risk: `none`, `unlikely` or `likely`; empty before that is decided.
    pub risk: String,
    /// When the device was first heard again.
    pub heard_at: Option<Millis>,
    /// When it said that it has locked itself and forgotten its keys.
    pub obeyed_at: Option<Millis>,
    /// When it was let in again.
    pub back_at: Option<Millis>,
    /// When nothing was left to do.
    pub closed_at: Option<Millis>,
    /// Counts its changes.
    pub revision: i64,
}

impl Loss {
    /// Whether nothing says that it was in other hands: nobody that it was taken or found, and it was not heard of.
    #[must_use]
    pub fn in_hand(&self) -> bool {
        self.state == State::Open && !self.stolen && self.heard_at.is_none()
    }
}

/// A door that was shut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Which, by name.
    pub door: String,
    /// When.
    pub shut_at: Millis,
    /// How many things went through it.
    pub n: i64,
    /// When it was opened again.
    pub open_at: Option<Millis>,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name in the policy.
    pub name: String,
    /// What was asked when the loss was told, in English.
    pub asks: String,
    /// Who takes it: `person`, or a role.
    pub taker: String,
    /// By when.
    pub due_at: Option<Millis>,
    /// When it was done.
    pub done_at: Option<Millis>,
    /// By whom.
    pub done_by: Option<PersonId>,
    /// What they said, with a reference where there is one.
    pub words: String,
}

/// Somebody's wallet card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Whose.
    pub person: PersonId,
    /// When it was made.
    pub made_at: Millis,
    /// When something was last told with it.
    pub used_at: Option<Millis>,
}

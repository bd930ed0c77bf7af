//! People: what they are to the organisation, and what that lets them do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where somebody is on the way from joining to having left. Each state says what it allows; nothing is
/// allowed that is not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Employment {
    /// Written down, and not yet joined.
    Invited,
    /// Works here.
    Active,
    /// Away for a while: parental leave, illness, a sabbatical.
    OnLeave,
    /// Has a last day, and gives back what is the organisation's.
    Leaving,
    /// Has left.
    Gone,
}

impl Employment {
    /// Every state, in order.
    pub const ALL: [Self; 5] = [Self::Invited, Self::Active, Self::OnLeave, Self::Leaving, Self::Gone];

    /// The word on the wire and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::OnLeave => "on_leave",
            Self::Leaving => "leaving",
            Self::Gone => "gone",
        }
    }

    /// The state for a [`Employment::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// May sign in and see their own pages.
    pub fn may_sign_in(self) -> bool {
        match self {
            Self::Active | Self::OnLeave | Self::Leaving => true,
            Self::Invited | Self::Gone => false,
        }
    }

    /// May take up an invitation and set up how they sign in.
    pub fn may_join(self) -> bool {
        match self {
            Self::Invited | Self::Active => true,
            Self::OnLeave | Self::Leaving | Self::Gone => false,
        }
    }

    /// May use the roles they hold: see and change what is others'.
    pub fn may_act_in_roles(self) -> bool {
        match self {
            Self::Active => true,
            Self::Invited | Self::OnLeave | Self::Leaving | Self::Gone => false,
        }
    }

    /// May enrol a device.
    pub fn may_enrol(self) -> bool {
        match self {
            Self::Invited | Self::Active => true,
            Self::OnLeave | Self::Leaving | Self::Gone => false,
        }
    }

    /// May be cleared to work. Until the last day somebody who is leaving still works.
    pub fn may_work(self) -> bool {
        match self {
            Self::Active | Self::Leaving => true,
            Self::Invited | Self::OnLeave | Self::Gone => false,
        }
    }
}

impl fmt::Display for Employment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Invited => "Invited",
            Self::Active => "Active",
            Self::OnLeave => "On leave",
            Self::Leaving => "Leaving",
            Self::Gone => "Gone",
        })
    }
}

/// What somebody may be trusted with, for a unit and all below it. Everybody is a teleworker; that is no
/// role but what is left without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers for the people of a unit.
    Manager,
    /// Runs telework: people, units, agreements, training.
    Coordinator,
    /// Watches devices and answers to losses.
    Security,
    /// Keeps records and what is lent out of them.
    Records,
    /// Reads everything, changes nothing.
    Auditor,
    /// Runs this installation.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Manager, Self::Coordinator, Self::Security, Self::Records, Self::Auditor, Self::Operator];

    /// The word on the wire and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Manager => "manager",
            Self::Coordinator => "coordinator",
            Self::Security => "security",
            Self::Records => "records",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }

    /// The role for a [`Role::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Manager => "Manager",
            Self::Coordinator => "Telework coordinator",
            Self::Security => "Security",
            Self::Records => "Records officer",
            Self::Auditor => "Auditor",
            Self::Operator => "Operator",
        })
    }
}

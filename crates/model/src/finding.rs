//! What judging says: a finding for each rule, folded to a standing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Millis;

/// What a rule says about a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Shown to be as the rule asks.
    Pass,
    /// Shown not to be as the rule asks.
    Fail,
    /// Could not be told. Counts against the subject exactly as a failure does.
    Unknown,
    /// Shown not to concern this subject. Counts neither way.
    NotApplicable,
    /// Fails or is unknown, and somebody allowed it until a named day. Counts as a pass.
    Excepted,
}

impl Outcome {
    /// Every outcome, in the order in which pages list them: worst first.
    pub const ALL: [Self; 5] = [Self::Fail, Self::Unknown, Self::Excepted, Self::NotApplicable, Self::Pass];

    /// Whether the gate counts this against the subject.
    pub fn counts_against(self) -> bool {
        matches!(self, Self::Fail | Self::Unknown)
    }

    /// The word on the wire and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not_applicable",
            Self::Excepted => "excepted",
        }
    }

    /// The outcome for a [`Outcome::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }
}

impl fmt::Display for Outcome {
    /// The word that people read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "Pass",
            Self::Fail => "Fail",
            Self::Unknown => "Unknown",
            Self::NotApplicable => "Not applicable",
            Self::Excepted => "Excepted",
        })
    }
}

/// How much harm a failing rule can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A nuisance.
    Low,
    /// Weakens another measure.
    Medium,
    /// Opens a way to data.
    High,
    /// Data is open now.
    Critical,
}

impl Severity {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// How far a rule has been rolled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Judged and reported; nobody is asked for anything.
    Observe,
    /// The person is told; nothing closes.
    Advise,
    /// Counts for the standing, and so at the gate.
    Enforce,
}

impl Stage {
    /// Every stage, from the mildest.
    pub const ALL: [Self; 3] = [Self::Observe, Self::Advise, Self::Enforce];

    /// The word in rules, on the wire and in the store.
    pub fn key(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Advise => "advise",
            Self::Enforce => "enforce",
        }
    }

    /// The stage for a [`Stage::key`].
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.key() == key)
    }

    /// The word that people read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Observe => "Observed",
            Self::Advise => "Advised",
            Self::Enforce => "Enforced",
        }
    }
}

/// All findings of a subject, folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Every enforced rule passes, is excepted or does not apply.
    Good,
    /// An enforced rule fails or is unknown, and its grace has not ended.
    Due,
    /// The grace of a failing or unknown enforced rule has ended.
    Lapsed,
    /// Nothing current to judge from: never heard, or silent too long.
    Unknown,
}

impl Standing {
    /// Every standing, best first.
    pub const ALL: [Self; 4] = [Self::Good, Self::Due, Self::Lapsed, Self::Unknown];

    /// The word on the wire and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Due => "due",
            Self::Lapsed => "lapsed",
            Self::Unknown => "unknown",
        }
    }

    /// The standing for a [`Standing::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.word() == word)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Good => "Good",
            Self::Due => "Due",
            Self::Lapsed => "Lapsed",
            Self::Unknown => "Unknown",
        })
    }
}

/// One rule judged on one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of the rule, as its file is named.
    pub rule: String,
    /// Title of the rule, in words for the person.
    pub title: String,
    /// Kind of subject: `device`.
    pub subject: String,
    /// What judging says.
    pub outcome: Outcome,
    /// What was seen, in words.
    pub observed: String,
    /// Where it was seen: files, commands, records.
    pub origin: String,
    /// When the oldest of the facts behind it was read.
    pub at: Millis,
    /// Harm that a failure can do.
    pub severity: Severity,
    /// How far the rule has been rolled out.
    pub stage: Stage,
    /// What to do next, for the person's own system, as Markdown. Empty when nothing is asked.
    pub advice: String,
    /// Since when the outcome is what it is.
    pub since: Millis,
    /// When it first failed or became unknown, and has not passed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Millis>,
    /// When the grace ends, while it fails or is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Millis>,
}

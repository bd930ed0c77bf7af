//! Losses: what was lost, and what is said about it between a device, the server and whoever tells.
//!
//! A device that is reported lost is heard no more. If it speaks all the same, the server answers with a
//! [`Lost`], sealed and bound to the message that it answers; the device then locks itself, forgets its keys, and
//! says so once, in a [`Farewell`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{DeviceId, Millis, RecordId};

/// Payload type of [`Lost`].
pub const LOST: &str = "application/vnd.stead.lost+json";
/// Payload type of [`Farewell`].
pub const FAREWELL: &str = "application/vnd.stead.farewell+json";
/// Payload type of [`LossAsked`].
pub const LOSS_ASKED: &str = "application/vnd.stead.loss-asked+json";
/// Payload type of [`LossAnswered`].
pub const LOSS_ANSWERED: &str = "application/vnd.stead.loss-answered+json";

/// Most characters of what a thing is called.
pub const LABEL: usize = 80;
/// Most characters of what somebody says about a loss.
pub const WORDS: usize = 2000;

/// What kind of thing was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// An enrolled computer.
    Computer,
    /// A phone or tablet.
    Phone,
    /// A stick, a disk, a card with data.
    Storage,
    /// Paper files, printouts.
    Papers,
    /// A badge or keys to a building.
    Keys,
    /// Anything else.
    Other,
}

impl Thing {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Computer, Self::Phone, Self::Storage, Self::Papers, Self::Keys, Self::Other];

    /// The word on the wire and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Computer => "computer",
            Self::Phone => "phone",
            Self::Storage => "storage",
            Self::Papers => "papers",
            Self::Keys => "keys",
            Self::Other => "other",
        }
    }

    /// The kind for a [`Thing::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|thing| thing.word() == word)
    }
}

impl fmt::Display for Thing {
    /// The word.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A device was reported lost: it is to lock itself and forget its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// [`VERSION`](crate::message::VERSION).
    pub v: u32,
    /// The device.
    pub device: DeviceId,
    /// Digest of the envelope that this answers: an order that was kept is none for another message.
    pub answers: String,
    /// When it was reported.
    pub lost_at: Millis,
}

/// A device did as [`Lost`] says. It is the last that it seals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Farewell {
    /// [`VERSION`](crate::message::VERSION).
    pub v: u32,
    /// The device.
    pub device: DeviceId,
    /// When, by its clock.
    pub at: Millis,
    /// The report that it was told of.
    pub lost_at: Millis,
    /// Whether its screens are locked.
    pub locked: bool,
    /// Why not, where they are not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// Somebody at an enrolled computer asks what of theirs can be lost, or tells that something is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossAsked {
    /// [`VERSION`](crate::message::VERSION).
    pub v: u32,
    /// The device that asks.
    pub device: DeviceId,
    /// When, by its clock.
    pub at: Millis,
    /// What is lost; none to be told what there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tells: Option<LossTold>,
}

/// The same from anybody with the code of somebody's wallet card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossByCard {
    /// [`VERSION`](crate::message::VERSION).
    pub v: u32,
    /// The code on the card.
    pub code: String,
    /// What is lost; none to be told what there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tells: Option<LossTold>,
}

/// That something is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossTold {
    /// The enrolled device that it is; none for anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// What kind of thing it is.
    pub thing: Thing,
    /// What it is called, where it is no enrolled device.
    #[serde(default)]
    pub label: String,
    /// Whether somebody took it.
    #[serde(default)]
    pub stolen: bool,
    /// Milliseconds since it was noticed.
    #[serde(default)]
    pub noticed: i64,
    /// Where and how, in a few words.
    #[serde(default)]
    pub words: String,
    /// Whether it is practice: nothing is shut.
    #[serde(default)]
    pub practice: bool,
}

/// What the server answers to [`LossAsked`] and [`LossByCard`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossAnswered {
    /// [`VERSION`](crate::message::VERSION).
    pub v: u32,
    /// When it was asked, by the asker's clock; zero for a card.
    pub asked_at: Millis,
    /// Whose things they are.
    pub person: String,
    /// Their devices that can be reported.
    pub devices: Vec<LossDevice>,
    /// What became of the report, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<LossReceipt>,
    /// The number to call.
    #[serde(default)]
    pub call: String,
}

/// A device that can be reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossDevice {
    /// Its id.
    pub id: DeviceId,
    /// What it calls itself.
    pub name: String,
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossReceipt {
    /// The loss.
    pub loss: RecordId,
    /// When it was reported.
    pub told_at: Millis,
    /// The doors that are shut, in words.
    pub shut: Vec<String>,
    /// Whether it was practice.
    pub practice: bool,
    /// Where the rest is done.
    pub page: String,
}

//! The ways out: how a message reaches a mail server or another system. What is sent, to whom and when is
//! decided by the flows; here it only goes.

pub mod mail;
pub mod post;

use serde::{Deserialize, Serialize};

/// A message, ready to go. It is sealed while it waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// By mail.
    Mail {
        /// To which address.
        to: String,
        /// The subject; nothing personal stands in it.
        subject: String,
        /// The text.
        text: String,
        /// The same, for those whose mail shows it.
        html: String,
    },
    /// An event for another system, as Standard Webhooks has it.
    Event {
        /// The body, as it is signed.
        body: String,
    },
    /// A line in a chat.
    Chat {
        /// Somebody's name there; empty for the room that the hook belongs to.
        to: String,
        /// The text.
        text: String,
    },
    /// For a person's own computer to show.
    Desktop {
        /// In a few words.
        title: String,
        /// The text.
        text: String,
        /// Where it is looked into.
        link: String,
    },
}

/// Why a message did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// It may arrive later.
    Later(String),
    /// It will never arrive.
    Never(String),
}

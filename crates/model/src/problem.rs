//! Problems that the API answers with, as RFC 9457 `application/problem+json`. The agent reads the
//! same list, so that it knows what to do about each.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $status:literal, $title:literal;)+) => {
        /// A kind of problem. Its slug never changes once released.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[$doc])* $name,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The last part of the problem's `type`.
            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)+ }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// One sentence, the same each time.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

kinds! {
    /// The body is not JSON of the form asked for.
    Malformed = "malformed", 400, "The message could not be read.";
    /// The body is larger than allowed.
    TooLarge = "too-large", 413, "The message is too large.";
    /// The body has another media type than the one asked for.
    WrongMediaType = "wrong-media-type", 415, "The message is not JSON.";
    /// The message has a version that this server does not know.
    WrongVersion = "wrong-version", 400, "The message has a version that this server does not know.";
    /// The signature does not fit the key.
    BadSignature = "bad-signature", 401, "The signature does not fit the device's key.";
    /// Nobody enrolled a device with this id.
    UnknownDevice = "unknown-device", 401, "This device is not enrolled here.";
    /// The device was revoked.
    RevokedDevice = "revoked-device", 403, "This device has been revoked.";
    /// The device was reported lost.
    LostDevice = "lost-device", 403, "This device has been reported lost.";
    /// No such code was given out.
    CodeUnknown = "code-unknown", 403, "This enrolment code was not given out here.";
    /// The code has been used.
    CodeUsed = "code-used", 403, "This enrolment code has been used.";
    /// The code has expired.
    CodeExpired = "code-expired", 403, "This enrolment code has expired.";
    /// The key belongs to a device that is enrolled already.
    KeyEnrolled = "key-enrolled", 409, "This key belongs to a device that is enrolled already.";
    /// A later message of this device has been stored.
    OldSequence = "old-sequence", 409, "A later message of this device has been stored already.";
    /// Two different messages bear the same number: the device's key may have been copied.
    SequenceFork = "sequence-fork", 409, "Another message with this number has been stored.";
    /// The device's clock is too far from the server's.
    ClockSkew = "clock-skew", 422, "The device's clock is more than ten minutes off.";
    /// A heartbeat names facts that the server does not hold.
    FactsNeeded = "facts-needed", 409, "The server does not hold these facts; send them all.";
    /// No such page or object.
    NotFound = "not-found", 404, "There is nothing here.";
    /// The method does not fit the address.
    WrongMethod = "wrong-method", 405, "This cannot be done to this address.";
    /// Nobody is signed in.
    SignInNeeded = "sign-in-needed", 401, "You are not signed in.";
    /// Address, password, code or passkey do not fit.
    SignInFailed = "sign-in-failed", 401, "You were not signed in.";
    /// Too many attempts in too short a time.
    TooMany = "too-many", 429, "There were too many attempts.";
    /// What is sensitive asks who you are once more.
    ProofNeeded = "proof-needed", 403, "This asks who you are once more.";
    /// Another person's record opens to a purpose alone.
    PurposeNeeded = "purpose-needed", 403, "Say what you need this record for.";
    /// What was sent is of the right form, and something in it is not right.
    Invalid = "invalid", 422, "Something in what you sent is not right.";
    /// It does not go with how things are now.
    Conflict = "conflict", 409, "This does not go with how things are now.";
    /// It was changed since it was read.
    Moved = "moved", 412, "This was changed since you read it.";
    /// Another request bears the same key.
    KeyReused = "key-reused", 422, "Another request was sent with this key.";
    /// The request that bears this key is being answered.
    StillAnswering = "still-answering", 409, "The same request is being answered.";
    /// Signed in, and not allowed.
    Forbidden = "forbidden", 403, "You may not do this.";
    /// A request that changes something came from another site.
    CrossSite = "cross-site", 403, "This request came from another site.";
    /// The server is busy or its store is away.
    Unavailable = "unavailable", 503, "The server cannot do this just now.";
    /// Our fault.
    Internal = "internal", 500, "Something went wrong on our side.";
}

/// Where the kinds are explained: the `type` of a problem is this and its slug.
pub const BASE: &str = "/problems/";

impl Kind {
    /// The kind with this `type`.
    pub fn from_type(kind: &str) -> Option<Self> {
        let slug = kind.strip_prefix(BASE)?;
        Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }
}

/// A problem as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// [`BASE`] and the slug of the [`Kind`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind's title.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, then what to do.
    pub detail: String,
    /// What is wrong with which field, for [`Kind::Invalid`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Wrong>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// The field, as it is named in the request.
    pub field: String,
    /// What is wrong, then what to do.
    pub detail: String,
}

impl Problem {
    /// A problem of this kind, with what happened and what to do.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("{BASE}{}", kind.slug()),
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: detail.into(),
            errors: Vec::new(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.title, self.detail)
    }
}

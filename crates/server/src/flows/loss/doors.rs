//! The doors that a loss shuts. Whatever else is to be shut some day joins this list, and with it the page, the
//! certificate and the tests.

use stead_model::{Millis, PersonId, SessionId, loss::Thing};
use stead_store::{Write, loss::Loss, token::Token};

use crate::{App, error::Refusal, flows::revoke};

/// A door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// The gate, and being heard at all: applications, check-ins, showing itself to a browser.
    Gate,
    /// Keys for tunnels.
    Tunnel,
    /// Sessions in browsers, wherever they are.
    Sessions,
    /// Tokens of programs.
    Tokens,
    /// Links and codes that wait to be used, and the calendar.
    Links,
    /// The device itself: it is to lock, and to forget its keys, if it is ever heard of.
    Agent,
}

/// How a door is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// Nothing comes through.
    Shut,
    /// It shuts as soon as the device is heard of.
    Waits,
    /// Something comes through.
    Open,
}

impl Is {
    /// The word on the wire and in `locales/`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shut => "shut",
            Self::Waits => "waits",
            Self::Open => "open",
        }
    }
}

impl Door {
    /// Every door, in the order in which they are shut.
    pub const ALL: [Self; 6] =
        [Self::Gate, Self::Tunnel, Self::Sessions, Self::Tokens, Self::Links, Self::Agent];

    /// The word on the wire, in the store and in `locales/`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Tunnel => "tunnel",
            Self::Sessions => "sessions",
            Self::Tokens => "tokens",
            Self::Links => "links",
            Self::Agent => "agent",
        }
    }

    /// The door for a [`Door::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.word() == word)
    }

    /// The doors to which such a thing may hold a key.
    pub fn of(thing: Thing) -> &'static [Self] {
        match thing {
            Thing::Computer => &Self::ALL,
            // A phone may be signed in, and may hold links that came by mail.
            Thing::Phone => &[Self::Sessions, Self::Tokens, Self::Links],
            Thing::Storage | Thing::Papers | Thing::Keys | Thing::Other => &[],
        }
    }

    /// Whether it is a way in of the person rather than of the thing: those are shut again when it is told again.
    pub fn is_of_person(self) -> bool {
        match self {
            Self::Sessions | Self::Tokens | Self::Links => true,
            Self::Gate | Self::Tunnel | Self::Agent => false,
        }
    }

    /// Whether it opens again by itself when the device comes back. What does not is begun anew by its person.
    pub fn comes_back(self) -> bool {
        match self {
            Self::Gate | Self::Agent => true,
            Self::Tunnel | Self::Sessions | Self::Tokens | Self::Links => false,
        }
    }
}

/// Shuts a door within a transaction; how many things went through it. The session of whoever tells stays.
pub(super) async fn shut(
    door: Door,
    write: &mut Write,
    loss: &Loss,
    (but, tunnels): (Option<SessionId>, i64),
    (by, now): (&str, Millis),
) -> Result<i64, Refusal> {
    let some = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let person: PersonId = loss.person;
    Ok(match (door, loss.device) {
        (Door::Gate, Some(device)) => {
            // Its keys for tunnels go with it.
            let shut = revoke::within(write, device, by, now).await?;
            write.lose_device(device, now).await?;
            i64::from(shut)
        }
        (Door::Tunnel, _) => tunnels,
        (Door::Agent, _) => 1,
        (Door::Gate, None) => 0,
        (Door::Sessions, _) => some(write.end_sessions(person, but, now).await?),
        (Door::Tokens, _) => some(write.end_tokens(person, but, now).await?),
        (Door::Links, _) => {
            let ended = write.end_links(person, now).await? + write.end_codes(person, now).await?;
            some(ended) + i64::from(write.end_calendar(person).await?)
        }
    })
}

/// How a door is now, as the store and the gate's memory have it; `shut_at` is when it was last shut.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn is(app: &App, loss: &Loss, door: Door, shut_at: Millis) -> Result<Is, Refusal> {
    let now = app.now();
    let kept = loss.kept;
    let shut = match (door, loss.device) {
        (Door::Gate, Some(device)) => {
            let stored = app.store.device(device).await?;
            stored.is_none_or(|device| device.revoked_at.is_some())
                && app.store.certificates(&[device]).await?.is_empty()
                && app.gate.index.device(device).is_none_or(|device| device.revoked)
        }
        (Door::Tunnel, Some(device)) => {
            app.store.tunnel_keys(&[device]).await?.is_empty()
                && app.gate.index.device(device).is_none_or(|device| device.tunnels.is_empty())
        }
        (Door::Agent, Some(_)) => match loss.obeyed_at {
            Some(_) => true,
            None if loss.back_at.is_none() => return Ok(Is::Waits),
            None => false,
        },
        (Door::Gate | Door::Tunnel | Door::Agent, None) => true,
        (Door::Sessions, _) => {
            let sessions = app.store.sessions(loss.person, Millis(0)).await?;
            let before = |at: Millis| at <= shut_at;
            !sessions.iter().any(|session| before(session.created_at) && Some(session.id) != kept)
        }
        (Door::Tokens, _) => {
            let tokens = app.store.tokens(loss.person, now).await?;
            let kept = kept.map(|id| id.to_string());
            let ended = |token: &Token| token.created_at > shut_at || kept == Some(token.id.to_string());
            tokens.iter().all(ended)
        }
        (Door::Links, _) => app.store.open_links(loss.person, shut_at, now).await? == 0,
    };
    Ok(if shut { Is::Shut } else { Is::Open })
}

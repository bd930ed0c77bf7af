//! What browsers carry from one door to the next: words that the server marked, so that it knows them again
//! without asking the store. Each is of one kind, good for one session, and for a while.
//!
//! - A **question** asks a device to sign that it is the one a browser runs on.
//! - A **device** mark says that it did.
//! - A **certified** mark says that a connection was said to be made with a device's certificate. It opens the application
//!   that it is for and no other, and that one asks again for the certificate with each request.
//! - A **ticket** carries both to an application's own address, once.
//! - A **pass** is what the browser shows there from then on.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use stead_model::{DeviceId, Millis, SessionId, time::SECOND};

use crate::keys::Sealing;

/// How long a question may wait for its answer, and a ticket to be used.
pub const SHORT: i64 = 60 * SECOND;

/// Why words were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// They are not of the form asked for.
    #[error("malformed")]
    Form,
    /// This server did not mark them, or not for this.
    #[error("not marked by this server")]
    Mark,
    /// Their time is over.
    #[error("expired")]
    Expired,
    /// They were used before.
    #[error("replayed")]
    Used,
    /// They belong to another session, application or browser.
    #[error("stolen")]
    Stolen,
}

/// A question to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The session for which it was asked.
    pub session: SessionId,
    /// Makes it one of a kind.
    pub nonce: String,
    /// Until when it may be answered.
    pub until: Millis,
}

/// That a session runs on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnDevice {
    /// The session.
    pub session: SessionId,
    /// The device.
    pub device: DeviceId,
    /// Until when it counts.
    pub until: Millis,
}

/// That a browser's connection to an application was made with a device's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// The application.
    pub application: String,
    /// The device.
    pub device: DeviceId,
    /// What the browser was given when it began at the application.
    pub begun: String,
    /// Until when it counts.
    pub until: Millis,
}

/// A way in to one application, good once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The application.
    pub application: String,
    /// The session.
    pub session: SessionId,
    /// The device.
    pub device: DeviceId,
    /// Until when the device's proof counts.
    pub until: Millis,
    /// What the browser was given when it began at the application.
    pub begun: String,
    /// Makes it one of a kind.
    pub nonce: String,
    /// Until when it may be used.
    pub use_by: Millis,
}

/// What a browser shows to one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The application; it opens no other.
    pub application: String,
    /// The session.
    pub session: SessionId,
    /// The device.
    pub device: DeviceId,
    /// Until when it counts.
    pub until: Millis,
}

/// Fields, then a mark over all of them and the kind.
fn write(keys: &Sealing, kind: &str, fields: &[&str]) -> String {
    let words = fields.join(".");
    let mark = keys.mark(&format!("gate {kind} {words}"));
    format!("{words}.{mark}")
}

/// The fields again, when the mark is right.
fn read<'a, const N: usize>(keys: &Sealing, kind: &str, text: &'a str) -> Result<[&'a str; N], Unfit> {
    // Nothing that was marked here is longer; a mark over more need not be made.
    if text.len() > 600 {
        return Err(Unfit::Form);
    }
    let (words, mark) = text.rsplit_once('.').ok_or(Unfit::Form)?;
    let fields: Vec<&str> = words.split('.').collect();
    let fields: [&str; N] = fields.try_into().map_err(|_| Unfit::Form)?;
    match keys.is_marked(&format!("gate {kind} {words}"), mark) {
        true => Ok(fields),
        false => Err(Unfit::Mark),
    }
}

fn time(text: &str) -> Result<Millis, Unfit> {
    text.parse().map(Millis).map_err(|_| Unfit::Form)
}

fn in_time(until: Millis, now: Millis) -> Result<(), Unfit> {
    if now < until { Ok(()) } else { Err(Unfit::Expired) }
}

impl Question {
    /// As it is carried.
    pub fn write(&self, keys: &Sealing) -> String {
        write(keys, "question", &[&self.session.to_string(), &self.nonce, &self.until.0.to_string()])
    }

    /// Read back.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn read(keys: &Sealing, text: &str, now: Millis) -> Result<Self, Unfit> {
        let [session, nonce, until] = read(keys, "question", text)?;
        let until = time(until)?;
        in_time(until, now)?;
        Ok(Self { session: session.parse().map_err(|_| Unfit::Form)?, nonce: nonce.to_owned(), until })
    }
}

impl OnDevice {
    /// As it is carried.
    pub fn write(&self, keys: &Sealing) -> String {
        let until = self.until.0.to_string();
        write(keys, "device", &[&self.session.to_string(), &self.device.to_string(), &until])
    }

    /// Read back.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn read(keys: &Sealing, text: &str, now: Millis) -> Result<Self, Unfit> {
        let [session, on, until] = read(keys, "device", text)?;
        let until = time(until)?;
        in_time(until, now)?;
        let session = session.parse().map_err(|_| Unfit::Form)?;
        Ok(Self { session, device: on.parse().map_err(|_| Unfit::Form)?, until })
    }
}

impl Certified {
    /// As it is carried.
    pub fn write(&self, keys: &Sealing) -> String {
        let until = self.until.0.to_string();
        write(keys, "certified", &[&self.application, &self.device.to_string(), &self.begun, &until])
    }

    /// Read back, for an application and what a browser was given when it began there.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn read(
        keys: &Sealing,
        (application, begun): (&str, &str),
        text: &str,
        now: Millis,
    ) -> Result<Self, Unfit> {
        let [named, on, of, until] = read(keys, "certified", text)?;
        if (named, of) != (application, begun) {
            return Err(Unfit::Stolen);
        }
        let until = time(until)?;
        in_time(until, now)?;
        Ok(Self {
            application: named.to_owned(),
            device: on.parse().map_err(|_| Unfit::Form)?,
            begun: of.to_owned(),
            until,
        })
    }
}

impl Ticket {
    /// As it is carried.
    pub fn write(&self, keys: &Sealing) -> String {
        let on = self.device.to_string();
        let (until, use_by) = (self.until.0.to_string(), self.use_by.0.to_string());
        let session = self.session.to_string();
        write(keys, "ticket", &[&self.application, &session, &on, &until, &self.begun, &self.nonce, &use_by])
    }

    /// Read back.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn read(keys: &Sealing, text: &str, now: Millis) -> Result<Self, Unfit> {
        let [application, session, on, until, begun, nonce, use_by] = read(keys, "ticket", text)?;
        let use_by = time(use_by)?;
        in_time(use_by, now)?;
        Ok(Self {
            application: application.to_owned(),
            session: session.parse().map_err(|_| Unfit::Form)?,
            device: on.parse().map_err(|_| Unfit::Form)?,
            until: time(until)?,
            begun: begun.to_owned(),
            nonce: nonce.to_owned(),
            use_by,
        })
    }
}

impl Pass {
    /// As it is carried.
    pub fn write(&self, keys: &Sealing) -> String {
        let on = self.device.to_string();
        let until = self.until.0.to_string();
        write(keys, "pass", &[&self.application, &self.session.to_string(), &on, &until])
    }

    /// Read back, for one application.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn read(keys: &Sealing, application: &str, text: &str, now: Millis) -> Result<Self, Unfit> {
        let [named, session, on, until] = read(keys, "pass", text)?;
        if named != application {
            return Err(Unfit::Stolen);
        }
        let until = time(until)?;
        in_time(until, now)?;
        let session = session.parse().map_err(|_| Unfit::Form)?;
        Ok(Self {
            application: named.to_owned(),
            session,
            device: on.parse().map_err(|_| Unfit::Form)?,
            until,
        })
    }
}

/// Most that is remembered as used; beyond it everything new is taken for used until some of it is over.
const MOST: usize = 200_000;

/// What was good once and has been used, until it would be over anyway.
#[derive(Debug, Default)]
pub struct Used(Mutex<HashMap<String, Millis>>);

impl Used {
    /// Uses something up that is good once.
    ///
    /// # Errors
    /// [`Unfit::Used`] when it was used before.
    pub fn once(&self, nonce: &str, until: Millis, now: Millis) -> Result<(), Unfit> {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= MOST / 2 {
            used.retain(|_, until| now < *until);
        }
        if used.len() >= MOST || used.insert(nonce.to_owned(), until).is_some() {
            return Err(Unfit::Used);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use stead_model::seal::Seed;

    use super::*;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn keys() -> Sealing {
        Sealing::new(&Seed::new([7; 32])).unwrap()
    }

    fn pass() -> Pass {
        Pass {
            application: "wiki".to_owned(),
            session: SessionId::from_parts(Millis(1), [1; 10]),
            device: DeviceId::from_parts(Millis(1), [2; 10]),
            until: NOW.plus(10),
        }
    }

    #[test]
    fn what_was_marked_is_read_back() {
        let keys = keys();
        let text = pass().write(&keys);
        assert_eq!(Pass::read(&keys, "wiki", &text, NOW), Ok(pass()));
        let ticket = Ticket {
            application: "wiki".to_owned(),
            session: pass().session,
            device: pass().device,
            until: NOW.plus(50),
            begun: "b".to_owned(),
            nonce: "n".to_owned(),
            use_by: NOW.plus(5),
        };
        assert_eq!(Ticket::read(&keys, &ticket.write(&keys), NOW), Ok(ticket.clone()));
        assert_eq!(Ticket::read(&keys, &ticket.write(&keys), NOW.plus(5)), Err(Unfit::Expired));
        let question = Question { session: pass().session, nonce: "n".to_owned(), until: NOW.plus(1) };
        assert_eq!(Question::read(&keys, &question.write(&keys), NOW), Ok(question));
    }

    #[test]
    fn whatever_is_changed_is_not_taken() {
        let keys = keys();
        let text = pass().write(&keys);
        assert_eq!(Pass::read(&keys, "records", &text, NOW), Err(Unfit::Stolen));
        assert_eq!(Pass::read(&keys, "wiki", &text, NOW.plus(10)), Err(Unfit::Expired));
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(Pass::read(&keys, "wiki", &changed, NOW).is_err(), "{changed}");
        }
        for bad in ["", ".", "wiki", "wiki....", &text[..text.len() - 1], &"x.".repeat(1000)] {
            assert!(Pass::read(&keys, "wiki", bad, NOW).is_err(), "{bad}");
        }
        let others = Sealing::new(&Seed::new([8; 32])).unwrap();
        assert_eq!(Pass::read(&others, "wiki", &text, NOW), Err(Unfit::Mark));
        // What is one thing is not taken for another.
        let on = OnDevice { session: pass().session, device: pass().device, until: NOW.plus(10) };
        assert_eq!(Question::read(&keys, &on.write(&keys), NOW), Err(Unfit::Mark));
        assert_eq!(OnDevice::read(&keys, &on.write(&keys), NOW), Ok(on));
        let (application, begun) = ("wiki".to_owned(), "b".repeat(32));
        let by = Certified { application, device: pass().device, begun, until: NOW.plus(10) };
        let text = by.write(&keys);
        let read = |application, begun: &str, now| Certified::read(&keys, (application, begun), &text, now);
        assert_eq!(read("wiki", &"c".repeat(32), NOW), Err(Unfit::Stolen));
        assert_eq!(read("records", &by.begun, NOW), Err(Unfit::Stolen));
        assert_eq!(read("wiki", &by.begun, NOW.plus(10)), Err(Unfit::Expired));
        assert_eq!(read("wiki", &by.begun, NOW), Ok(by.clone()));
    }

    #[test]
    fn what_is_good_once_is_good_once() {
        let used = Used::default();
        assert_eq!(used.once("a", NOW.plus(10), NOW), Ok(()));
        assert_eq!(used.once("a", NOW.plus(10), NOW), Err(Unfit::Used));
        assert_eq!(used.once("b", NOW.plus(10), NOW), Ok(()));
    }
}

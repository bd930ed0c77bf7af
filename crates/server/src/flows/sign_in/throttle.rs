//! Slowing guesses down. Each account, each address and each browser that has been let in before has an
//! allowance that fills up again with time. Whoever guesses at somebody's password uses up the allowance
//! that strangers share for that account; the person themselves, in a browser they have used, has their own.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use stead_model::{DeviceId, Millis, seal, time};

use crate::connections::network;

/// Most allowances remembered. Those that are full again are forgotten first; when none is, whoever isn't remembered shares
/// one allowance with everyone else who isn't, so that no number of addresses takes more memory or gets more guesses.
const MOST: usize = 100_000;
/// How often those that are full again are looked for, in milliseconds: going through all of them is work.
const SWEEP: i64 = time::SECOND;

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub enum Of<'a> {
    /// Guesses at an account by browsers that nobody has been let in with before.
    Account(&'a str),
    /// Guesses at an account by one browser that its person has used before.
    Known(&'a str, &'a str),
    /// Guesses at the second factor of an account by browsers that nobody has been let in with before.
    Code(&'a str),
    /// Guesses at the second factor of an account by one browser that its person has used before.
    KnownCode(&'a str, &'a str),
    /// Guesses within one session, at what proves anew whose it is.
    Proof(&'a str),
    /// All attempts from one address.
    Address(IpAddr),
    /// Guesses at the codes of wallet cards from one address.
    Card(IpAddr),
    /// Losses told with one person's wallet card.
    Told(&'a str),
    /// Losses that one person reports.
    Losses(&'a str),
    /// Messages of one device.
    Device(DeviceId),
    /// Attempts to enroll a device from one address.
    Enrolment(IpAddr),
}

impl Of<'_> {
    fn key(self) -> String {
        let text = match self {
            Self::Account(name) => format!("account {name}"),
            Self::Known(name, browser) => format!("known {browser} {name}"),
            Self::Code(name) => format!("code {name}"),
            Self::KnownCode(name, browser) => format!("known code {browser} {name}"),
            Self::Proof(session) => format!("proof {session}"),
            Self::Told(name) => format!("told {name}"),
            Self::Losses(name) => format!("losses {name}"),
            Self::Device(device) => format!("device {device}"),
            Self::Enrolment(address) => format!("enrolment {}", network(address)),
            Self::Address(address) => format!("address {}", network(address)),
            Self::Card(address) => format!("card {}", network(address)),
        };
        seal::digest(text.as_bytes())
    }

    /// How many at once, and after how long one more.
    fn allowance(self) -> (i64, i64) {
        match self {
            Self::Account(_) | Self::Known(..) => (10, time::MINUTE),
            Self::Code(_) | Self::KnownCode(..) | Self::Proof(_) => (5, 2 * time::MINUTE),
            // Many people may share an office's address.
            Self::Address(_) | Self::Enrolment(_) => (100, time::SECOND),
            // As many as wait in a spool, and then more than an agent ever sends.
            Self::Device(_) => (600, time::SECOND),
            Self::Losses(_) => (20, 10 * time::MINUTE),
            Self::Card(_) => (20, 30 * time::SECOND),
            Self::Told(_) => (10, 12 * time::MINUTE),
        }
    }
}

/// Allowances.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// When each is full again.
    full_at: HashMap<String, Millis>,
    swept_at: Millis,
}

impl Throttle {
    /// Takes one from an allowance; or after how many milliseconds there is one again.
    ///
    /// # Errors
    /// When there is none left.
    pub fn take(&self, of: Of<'_>, now: Millis) -> Result<(), i64> {
        let (burst, every) = of.allowance();
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Remembered { full_at, swept_at } = &mut *remembered;
        let mut key = of.key();
        if full_at.len() >= MOST && !full_at.contains_key(&key) {
            if now.since(*swept_at).unsigned_abs() >= SWEEP.unsigned_abs() {
                full_at.retain(|_, at| *at > now);
                *swept_at = now;
            }
            if full_at.len() >= MOST {
                // By its length, which says what kind it is: a device isn't slowed by guesses at passwords.
                key = format!("everyone else {burst} {every}");
            }
        }
        let slot = full_at.entry(key).or_insert(now);
        let from = (*slot).max(now);
        let over = from.plus(every).since(now) - burst * every;
        if over > 0 {
            return Err(over);
        }
        *slot = from.plus(every);
        Ok(())
    }

    /// Fills an allowance up: the guess was right.
    pub fn forgive(&self, of: Of<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).full_at.remove(&of.key());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_use_up_their_own_allowance_alone() {
        let throttle = Throttle::default();
        let now = Millis(1_795_000_000_000);
        for _ in 0..10 {
            throttle.take(Of::Account("sam"), now).unwrap();
        }
        assert_eq!(throttle.take(Of::Account("sam"), now), Err(time::MINUTE));
        assert_eq!(throttle.take(Of::Known("sam", "browser"), now), Ok(()), "the person is let in");
        assert_eq!(throttle.take(Of::Account("toni"), now), Ok(()), "others are let in");
        assert_eq!(throttle.take(Of::Account("sam"), now.plus(time::MINUTE)), Ok(()), "it fills up again");
        throttle.forgive(Of::Account("sam"));
        assert_eq!(throttle.take(Of::Account("sam"), now), Ok(()));
    }

    /// S28: from enough addresses, memory grew without end, and each request went through all of it.
    #[test]
    fn s28_no_number_of_addresses_takes_more_memory_or_gets_more_guesses() {
        let throttle = Throttle::default();
        let now = Millis(1_795_000_000_000);
        let name = |n: usize| format!("nobody {n}");
        for n in 0..MOST {
            throttle.take(Of::Account(&name(n)), now).unwrap();
        }
        let more = (MOST..2 * MOST).filter(|n| throttle.take(Of::Account(&name(*n)), now).is_ok()).count();
        assert_eq!(more, 10, "those who aren't remembered share one allowance");
        assert!(throttle.take(Of::Account(&name(7)), now).is_ok(), "whoever is remembered keeps their own");
        assert!(throttle.take(Of::Code("sam"), now).is_ok(), "what is counted otherwise has another");
        assert!(throttle.0.lock().unwrap().full_at.len() <= MOST + 2);
        let later = now.plus(10 * time::MINUTE);
        assert!(throttle.take(Of::Account("sam"), later).is_ok());
        assert!(throttle.0.lock().unwrap().full_at.len() <= 3, "what is full again is forgotten");
    }

    #[test]
    fn a_network_of_version_six_is_one_address() {
        let throttle = Throttle::default();
        let now = Millis(0);
        for n in 0..100 {
            throttle.take(Of::Address(format!("2001:db8::{n:x}").parse().unwrap()), now).unwrap();
        }
        assert!(throttle.take(Of::Address("2001:db8::ffff".parse().unwrap()), now).is_err());
        assert!(throttle.take(Of::Address("2001:db8:0:1::1".parse().unwrap()), now).is_ok());
    }
}

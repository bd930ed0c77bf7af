//! The costly work on passwords, on one thread of its own that gives way to all others: however many
//! people sign in at once, devices are answered in time.

use std::{sync::mpsc, thread};

use anyhow::Context;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use stead_model::problem::Kind;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::error::Refusal;

/// How many may wait. At thirty milliseconds each, the last of them waits for two seconds.
const WAITING: usize = 64;
/// Memory in KiB, passes and lanes: the first choice of the OWASP cheat sheet on storing passwords.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// The hash of a password that nobody has, at that cost. Kept, since making it would take all that memory at each start.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$16PT8vSAWJQKSsM5rCUDlsohzi98stkQxmSzOqan/uI";

enum Job {
    Hash { password: Zeroizing<String>, salt: [u8; 16], reply: oneshot::Sender<Option<String>> },
    Verify { password: Zeroizing<String>, hash: String, reply: oneshot::Sender<bool> },
}

/// Where the work is handed in.
#[derive(Debug)]
pub struct Hashing {
    jobs: mpsc::SyncSender<Job>,
}

impl Hashing {
    /// Starts the thread. It ends when this is dropped.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start() -> anyhow::Result<Self> {
        let argon2 = argon2()?;
        let (jobs, waiting) = mpsc::sync_channel(WAITING);
        thread::Builder::new()
            .name("passwords".to_owned())
            .spawn(move || work(&argon2, &waiting))
            .context("the thread for passwords could not be started")?;
        Ok(Self { jobs })
    }

    /// Hashes a password, as a PHC string.
    ///
    /// # Errors
    /// [`Refusal`] when too many wait already.
    pub async fn hash(&self, password: Zeroizing<String>, salt: [u8; 16]) -> Result<String, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.hand_in(Job::Hash { password, salt, reply })?;
        answer.await.ok().flatten().ok_or_else(busy)
    }

    /// Whether a password is the one that was hashed; where there is none, a no that takes as long.
    ///
    /// # Errors
    /// [`Refusal`] when too many wait already.
    pub async fn verify(&self, password: Zeroizing<String>, hash: Option<String>) -> Result<bool, Refusal> {
        let there = hash.is_some();
        let (reply, answer) = oneshot::channel();
        let hash = hash.unwrap_or_else(|| DECOY.to_owned());
        self.hand_in(Job::Verify { password, hash, reply })?;
        let fits = answer.await.map_err(|_| busy())?;
        Ok(there && fits)
    }

    fn hand_in(&self, job: Job) -> Result<(), Refusal> {
        self.jobs.try_send(job).map_err(|_| busy())
    }
}

fn busy() -> Refusal {
    Refusal::new(
        Kind::Unavailable,
        "Very many people are signing in just now. Try again in a few seconds; a passkey works at once.",
    )
}

fn argon2() -> anyhow::Result<Argon2<'static>> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(|e| anyhow::anyhow!("{e}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn work(argon2: &Argon2<'_>, waiting: &mpsc::Receiver<Job>) {
    // Others first. Where the system does not allow it, the work is done all the same.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10);
    while let Ok(job) = waiting.recv() {
        match job {
            Job::Hash { password, salt, reply } => {
                let hash = argon2.hash_password_with_salt(password.as_bytes(), &salt);
                let _ = reply.send(hash.ok().map(|hash| hash.to_string()));
            }
            // Whoever asked may have gone; then the work is not worth doing.
            Job::Verify { reply, .. } if reply.is_closed() => {}
            Job::Verify { password, hash, reply } => {
                let fits = PasswordVerifier::<str>::verify_password(argon2, password.as_bytes(), &hash);
                let _ = reply.send(fits.is_ok());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decoy_costs_what_a_password_costs() {
        let made = argon2().unwrap().hash_password_with_salt(b"nobody has this password", &[7; 16]).unwrap();
        assert_eq!(made.to_string(), DECOY);
    }
}

//! This computer was reported lost: it locks its screens, takes the tunnel down, forgets its keys and everything else
//! that it holds, and says so once, with the last that its key seals.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use stead_model::{
    Millis,
    loss::{FAREWELL, Farewell, Lost},
    message::VERSION,
    seal::{Envelope, SigningKey},
};
use stead_transport::{SendError, Transport};

use crate::{
    host::Host,
    state::{Identity, State},
    tunnel,
};

/// How long locking may take.
const LIMIT: Duration = Duration::from_secs(5);

/// What is left when everything else is forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// When it was reported lost.
    pub lost_at: Millis,
    /// When it did as it was told.
    pub at: Millis,
    /// Whether its screens are locked.
    pub locked: bool,
    /// Where the server is.
    pub server: String,
    /// A file of certificates to trust beside the system's.
    pub trust: Option<PathBuf>,
    /// What is still to be said to the server; none once it has arrived.
    pub farewell: Option<Envelope>,
}

/// Does as the server says. What cannot be done keeps nothing else from being done.
///
/// # Errors
/// When something could not be forgotten.
pub fn obey(
    state: &State,
    host: &Host,
    (identity, key): (&Identity, &SigningKey),
    order: &Lost,
    now: Millis,
) -> anyhow::Result<Gone> {
    let locked = lock(host);
    let said = Farewell {
        v: VERSION,
        device: identity.device,
        at: now,
        lost_at: order.lost_at,
        locked: locked.is_ok(),
        why: locked.clone().err().unwrap_or_default(),
    };
    let farewell = key.seal(FAREWELL, &serde_json::to_vec(&said)?, &identity.device.to_string());
    let gone = Gone {
        lost_at: order.lost_at,
        at: now,
        locked: locked.is_ok(),
        server: identity.server.clone(),
        trust: identity.trust.clone(),
        farewell: Some(farewell),
    };
    // A disk that takes nothing any more keeps nothing from being forgotten.
    let written = state.set_gone(&gone);
    tunnel::clear(state);
    state.forget()?;
    written.or_else(|_| state.set_gone(&gone))?;
    Ok(gone)
}

/// Says to the server what is still to be said; whether nothing is any more.
///
/// # Errors
/// When the state cannot be written.
pub fn say(state: &State, mut gone: Gone) -> anyhow::Result<bool> {
    let Some(farewell) = &gone.farewell else { return Ok(true) };
    let transport = Transport::new(&gone.server, gone.trust.as_deref())?;
    match transport.post("/api/v1/farewells", farewell) {
        Ok(_) => {}
        // A server that cannot just now can later; one that does not know the device never will.
        Err(SendError::Refused(problem)) if problem.status != 409 => {}
        Err(SendError::Refused(_) | SendError::Away(_) | SendError::Address(_)) => return Ok(false),
    }
    gone.farewell = None;
    state.set_gone(&gone)?;
    Ok(true)
}

/// Locks every screen of this computer.
fn lock(host: &Host) -> Result<(), String> {
    let all = if host.is_root() { "lock-sessions" } else { "lock-session" };
    host.run("loginctl", &[all], LIMIT).map(|_| ())
}

#[cfg(test)]
mod tests {
    use stead_model::{
        DeviceId,
        seal::{Seed, VerifyingKey},
    };

    use super::*;

    #[test]
    fn everything_is_forgotten_and_the_last_word_is_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(folder.path().join("state"));
        let device = DeviceId::from_parts(Millis(1), [1; 10]);
        let seed = Seed::new([7; 32]);
        let identity = Identity {
            device,
            server: "http://127.0.0.1:1".to_owned(),
            answer_key: String::new(),
            person: "Sam".to_owned(),
            owner: "organisation".to_owned(),
            trust: None,
        };
        state.set_identity(&identity, &seed).unwrap();
        std::fs::create_dir(state.file("spool")).unwrap();
        std::fs::write(state.file("spool").join("1.report"), "x").unwrap();
        std::fs::write(state.places_file(), "{}").unwrap();
        let key = state.key().unwrap();
        let order = Lost { v: VERSION, device, answers: String::new(), lost_at: Millis(5) };
        let host = Host::recorded(folder.path(), 0).answering("loginctl lock-sessions", Ok(""));
        let gone = obey(&state, &host, (&identity, &key), &order, Millis(9)).unwrap();
        assert!(gone.locked);
        let left: Vec<_> =
            std::fs::read_dir(state.folder()).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(left, ["lost.json"]);
        assert_eq!(state.gone().unwrap().unwrap(), gone);
        let opened = gone.farewell.unwrap();
        let public = VerifyingKey::from_text(&key.public_text()).unwrap();
        let said: Farewell = serde_json::from_slice(opened.open(FAREWELL, &public).unwrap().bytes()).unwrap();
        assert_eq!((said.lost_at, said.locked, said.why.as_str()), (Millis(5), true, ""));
    }

    #[test]
    fn a_screen_that_cannot_be_locked_is_said_to_be_open() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::recorded(folder.path(), 1000);
        assert_eq!(lock(&host), Err("loginctl is not installed".to_owned()));
    }
}

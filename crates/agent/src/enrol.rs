//! Enrolling: a key is made here and never leaves; a one-time code says for whom.

use std::path::PathBuf;

use anyhow::{Context, bail};
use stead_model::{
    Millis,
    message::{ENROLMENT, Enrolled, Enrolment, VERSION},
    seal::{self, Seed, SigningKey, VerifyingKey},
};

use stead_transport::Transport;

use crate::{
    host::Host,
    state::{Identity, State},
};

/// Enrols this device.
///
/// # Errors
/// When it is enrolled already, the server refuses, or the state cannot be written.
pub fn enrol(
    state: &State,
    host: &Host,
    server: &str,
    code: &str,
    trust: Option<PathBuf>,
    now: Millis,
) -> anyhow::Result<Identity> {
    if let Some(identity) = state.identity()? {
        bail!(
            "this device is enrolled already, at {} for {}. To enrol it anew, move {} away first; it will be a new device",
            identity.server,
            identity.person,
            state.folder().display()
        );
    }
    let transport = Transport::new(server, trust.as_deref())?;
    let mut seed = Seed::new([0; 32]);
    aws_lc_rs::rand::fill(seed.as_mut())
        .map_err(|_| anyhow::anyhow!("the system gave no randomness for a key"))?;
    let key = SigningKey::from_seed(&seed)?;
    let enrolment = Enrolment {
        v: VERSION,
        code: code.trim().to_owned(),
        public_key: key.public_text(),
        name: name(host),
        machine: machine(host),
        at: now,
    };
    let envelope = key.seal(ENROLMENT, &serde_json::to_vec(&enrolment)?, "");
    let answer = transport.post("/api/v1/enrolments", &envelope)?;
    let enrolled: Enrolled = serde_json::from_str(&answer).context("the server's answer cannot be read")?;
    VerifyingKey::from_text(&enrolled.answer_key).context("the server's key cannot be used")?;
    let identity = Identity {
        device: enrolled.device,
        server: server.trim_end_matches('/').to_owned(),
        answer_key: enrolled.answer_key,
        person: enrolled.person,
        owner: enrolled.owner,
        trust,
    };
    state.set_identity(&identity, &seed).context("the identity could not be written down")?;
    state.no_more_gone().context("that it was lost could not be taken away")?;
    Ok(identity)
}

fn name(host: &Host) -> String {
    let name = host.read("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "unnamed".to_owned() } else { stead_model::text::plain(name, 64) }
}

/// A digest of the machine's id, so that the id itself stays here (machine-id(5) asks for this).
fn machine(host: &Host) -> String {
    let id = host.read("/etc/machine-id").unwrap_or_default();
    seal::digest(format!("stead machine {}", id.trim()).as_bytes())
}

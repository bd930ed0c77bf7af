//! Telling of a loss from here: at an enrolled computer by its seal, anywhere else by the code of a wallet card.

use anyhow::{Context, bail};
use stead_model::{
    Millis,
    loss::{LOSS_ANSWERED, LOSS_ASKED, LossAnswered, LossAsked, LossByCard, LossTold, Thing},
    message::VERSION,
    seal::{Envelope, VerifyingKey},
};
use stead_transport::Transport;

use crate::state::State;

/// Where to tell it, and by what.
#[derive(Debug)]
pub enum Desk {
    /// By this computer's seal.
    Device,
    /// By a card.
    Card {
        /// Where the server is.
        server: String,
        /// The code on it.
        code: String,
    },
}

/// What is lost, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The name of a device, or one of the words for things: `phone`, `storage`, `papers`, `keys`, `other`.
    pub what: String,
    /// What it is called, where it is no device.
    pub label: String,
    /// Whether somebody took it.
    pub stolen: bool,
    /// Where and how.
    pub words: String,
    /// Whether it is practice.
    pub practice: bool,
}

/// Asks what there is to lose.
///
/// # Errors
/// When the server refuses or is away.
pub fn ask(state: &State, desk: &Desk, now: Millis) -> anyhow::Result<LossAnswered> {
    send(state, desk, None, now)
}

/// Tells that something is lost.
///
/// # Errors
/// When there is no such thing, or the server refuses or is away.
pub fn tell(state: &State, desk: &Desk, said: &Said, now: Millis) -> anyhow::Result<LossAnswered> {
    let there = ask(state, desk, now)?;
    let named: Vec<_> = there
        .devices
        .iter()
        .filter(|device| device.name == said.what || device.id.to_string() == said.what)
        .collect();
    let (device, thing) = match (named.as_slice(), Thing::from_word(&said.what)) {
        ([one], _) => (Some(one.id), Thing::Computer),
        ([], Some(thing)) if thing != Thing::Computer => (None, thing),
        ([], _) => bail!(
            "there is no device `{}` of {}; say one of those that `stead lost` lists, or phone, storage, papers, keys, other",
            said.what,
            there.person
        ),
        (_, _) => bail!("several devices are called `{}`; say the id of the one that is gone", said.what),
    };
    let told = LossTold {
        device,
        thing,
        label: said.label.clone(),
        stolen: said.stolen,
        noticed: 0,
        words: said.words.clone(),
        practice: said.practice,
    };
    // A question is good for one moment: the second has another time.
    send(state, desk, Some(told), now.plus(1))
}

fn send(state: &State, desk: &Desk, tells: Option<LossTold>, now: Millis) -> anyhow::Result<LossAnswered> {
    match desk {
        Desk::Card { server, code } => {
            let asked = LossByCard { v: VERSION, code: code.clone(), tells };
            let text = Transport::new(server, None)?.post("/api/v1/loss-reports/card", &asked)?;
            serde_json::from_str(&text).context("the server's answer cannot be read")
        }
        Desk::Device => {
            let identity = state.identity()?.context(
                "this computer is not enrolled. With the code of a wallet card: `stead lost --server ADDRESS --card CODE`; \
                 or report it on the page /lost of your server",
            )?;
            let asked = LossAsked { v: VERSION, device: identity.device, at: now, tells };
            let key = state.key().context("the device's key cannot be read")?;
            let envelope = key.seal(LOSS_ASKED, &serde_json::to_vec(&asked)?, &identity.device.to_string());
            let transport = Transport::new(&identity.server, identity.trust.as_deref())?;
            let text = transport.post("/api/v1/loss-reports", &envelope)?;
            let sealed: Envelope =
                serde_json::from_str(&text).context("the server's answer cannot be read")?;
            let answer_key = VerifyingKey::from_text(&identity.answer_key)?;
            let opened = sealed
                .open(LOSS_ANSWERED, &answer_key)
                .context("the answer is not sealed by the server this device enrolled at")?;
            let answered: LossAnswered = serde_json::from_slice(opened.bytes())?;
            if answered.asked_at != now {
                bail!("the answer is to another question");
            }
            Ok(answered)
        }
    }
}

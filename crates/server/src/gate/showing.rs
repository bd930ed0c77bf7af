//! A browser shows on which device it runs: the server asks, the agent on that machine signs, and the browser
//! brings the answer back.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use stead_model::{
    DeviceId, Millis, SessionId,
    message::{self, CLOCK_TOLERANCE, SHOWN, Shown},
    seal::{Envelope, VerifyingKey},
};
use stead_store::device::Device;

use super::proof::{OnDevice, Question, SHORT, Unfit};
use crate::{App, auth::guard::Caller, error::Refusal};

/// Most bytes of an answer.
const LONGEST: usize = 4096;

/// Where a browser is sent to ask the agent on its own machine. `look` has the agent look at the device anew
/// before it answers.
///
/// # Errors
/// [`Refusal`] when the system gives no randomness.
pub fn ask(app: &App, session: SessionId, look: bool) -> Result<String, Refusal> {
    let nonce = stead_model::seal::hex(&app.random::<16>()?);
    let question = Question { session, nonce, until: app.now().plus(SHORT) };
    Ok(format!(
        "http://127.0.0.1:{}/device?question={}{}",
        app.gate.settings.agent_port,
        question.write(&app.keys.sealing),
        if look { "&look=1" } else { "" }
    ))
}

/// Takes what the browser brought back: that its session runs on this device.
///
/// # Errors
/// [`Refusal`] when the store is away; inside, why the answer was not taken.
pub async fn take(app: &App, caller: &Caller, text: &str) -> Result<Result<OnDevice, Unfit>, Refusal> {
    let now = app.now();
    let session = caller.who().session.id;
    let claimed = match claimed(text) {
        Ok(claimed) => claimed,
        Err(unfit) => return Ok(Err(unfit)),
    };
    let Some(device) = app.store.device(claimed.1).await? else { return Ok(Err(Unfit::Mark)) };
    Ok(opened(app, caller, &claimed.0, &device, now).and_then(|question| {
        if question.session != session {
            return Err(Unfit::Stolen);
        }
        app.gate.used.once(&question.nonce, question.until, now)?;
        Ok(OnDevice { session, device: device.id, until: now.plus(app.gate.settings.proof_lasts) })
    }))
}

/// The envelope, and which device it claims to be of.
fn claimed(text: &str) -> Result<(Envelope, DeviceId), Unfit> {
    if text.len() > LONGEST {
        return Err(Unfit::Form);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Unfit::Form)?;
    let envelope: Envelope = serde_json::from_slice(&bytes).map_err(|_| Unfit::Form)?;
    let id = envelope.claimed_key().map_err(|_| Unfit::Form)?.parse().map_err(|_| Unfit::Form)?;
    Ok((envelope, id))
}

fn opened(
    app: &App,
    caller: &Caller,
    envelope: &Envelope,
    device: &Device,
    now: Millis,
) -> Result<Question, Unfit> {
    let key = VerifyingKey::from_text(&device.public_key).map_err(|_| Unfit::Mark)?;
    let opened = envelope.open(SHOWN, &key).map_err(|_| Unfit::Mark)?;
    let shown: Shown = serde_json::from_slice(opened.bytes()).map_err(|_| Unfit::Form)?;
    if shown.v != message::VERSION || shown.device != device.id {
        return Err(Unfit::Form);
    }
    if device.person != caller.id() {
        return Err(Unfit::Stolen);
    }
    if device.revoked_at.is_some() || now.since(shown.at).unsigned_abs() > CLOCK_TOLERANCE.unsigned_abs() {
        return Err(Unfit::Expired);
    }
    Question::read(&app.keys.sealing, &shown.question, now)
}

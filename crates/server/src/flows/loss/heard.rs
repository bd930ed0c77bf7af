//! A lost device speaks: it is told to lock itself and forget its keys, and says once that it has.

use serde_json::json;
use stead_model::{
    DeviceId,
    loss::{FAREWELL, Farewell, LOST, Lost},
    message::VERSION,
    problem::Kind,
    seal::{Envelope, VerifyingKey},
    text,
};

use super::{
    super::{check_in::message, device_subject},
    happened, next, prove,
};
use crate::{App, error::Refusal};

/// The order for a lost device that sent this message; none when it is not lost any more, as the store has it. That it
/// was heard is written down the first time that it says something `new`.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub(in crate::flows) async fn order(
    app: &App,
    device: DeviceId,
    answers: String,
    new: bool,
) -> Result<Option<Envelope>, Refusal> {
    // What it is told cannot be taken back: memory does not do for it.
    let stored = app.store.device(device).await?;
    let Some(lost_at) = stored.and_then(|stored| stored.lost_at) else { return Ok(None) };
    if new {
        note(app, device).await?;
    }
    let order = Lost { v: VERSION, device, answers, lost_at };
    let payload = serde_json::to_vec(&order).map_err(stead_store::StoreError::from)?;
    Ok(Some(app.keys.answers.seal(LOST, &payload, "server")))
}

async fn note(app: &App, device: DeviceId) -> Result<(), Refusal> {
    let now = app.now();
    // Somebody may be taking a step in this moment.
    for _ in 0..3 {
        let Some(mut loss) = app.store.loss_of_device(device).await?.filter(|loss| loss.heard_at.is_none())
        else {
            return Ok(());
        };
        let mut write = app.store.write().await?;
        loss.heard_at = Some(now);
        if next(&mut write, &mut loss).await.is_ok() {
            happened(&mut write, &loss, (None, "heard"), "", now).await?;
            let data = json!({ "device": device });
            prove(&mut write, &loss, (&device_subject(device), "loss.heard"), data, now)?;
            return Ok(write.commit(&app.keys.ledger).await?);
        }
    }
    Ok(())
}

/// Takes down that a lost device did as it was told. Sent again, it changes nothing.
///
/// # Errors
/// [`Refusal`] when it is not sealed by a lost device, is of another version, or the store is away.
pub async fn farewell(app: &App, envelope: &Envelope) -> Result<(), Refusal> {
    let now = app.now();
    let id = message::claimed_device(envelope)?;
    let unknown = || Refusal::new(Kind::UnknownDevice, "Enrol it, then it will be heard.");
    let device = app.store.device(id).await?.ok_or_else(unknown)?;
    let key = VerifyingKey::from_text(&device.public_key).map_err(message::refused)?;
    let opened = envelope.open(FAREWELL, &key).map_err(message::refused)?;
    let said: Farewell = message::read(opened.bytes())?;
    message::version(said.v)?;
    message::same_device(said.device, id)?;
    let not_lost = || Refusal::new(Kind::Conflict, "This device is not reported lost.");
    if device.lost_at != Some(said.lost_at) {
        return Err(not_lost());
    }
    let (mut write, loss) = loop {
        let mut loss = app.store.loss_of_device(id).await?.ok_or_else(not_lost)?;
        if loss.obeyed_at.is_some() {
            return Ok(());
        }
        let mut write = app.store.write().await?;
        loss.obeyed_at = Some(now);
        loss.heard_at = loss.heard_at.or(Some(now));
        // It says it once: a step that somebody takes in this moment is no reason not to hear it.
        if next(&mut write, &mut loss).await.is_ok() {
            break (write, loss);
        }
    };
    let words = if said.locked { String::new() } else { text::plain(&said.why, 200) };
    let kind = if said.locked { "obeyed" } else { "forgot" };
    happened(&mut write, &loss, (None, kind), &words, now).await?;
    let data = json!({ "device": id, "locked": said.locked, "at": said.at.0 });
    prove(&mut write, &loss, (&device_subject(id), "loss.obeyed"), data, now)?;
    Ok(write.commit(&app.keys.ledger).await?)
}

//! What a person's own computer shows them: it asks for it, sealed as its reports are, and says the next
//! time what it has shown.

use stead_model::{
    DeviceId, RecordId,
    message::{NOTICES, NOTICES_ASKED, NoticeShown, Notices, NoticesAsked, VERSION},
    problem::Kind,
    seal::{Envelope, VerifyingKey},
};

use super::opened;
use crate::{
    App,
    channels::Message,
    error::Refusal,
    flows::check_in::{bad_seal, device_on_time, read, same_device, version},
};

/// Most that a computer may say at once that it has shown.
const MOST: usize = 50;

/// Answers a device with what its person is to be told.
///
/// # Errors
/// [`Refusal`] when the message is not sealed by an enrolled device, is old, or the store is away.
pub async fn ask(app: &App, envelope: &Envelope) -> Result<Envelope, Refusal> {
    let now = app.now();
    let id: DeviceId =
        envelope.claimed_key().map_err(bad_seal)?.parse().map_err(|_| {
            Refusal::new(Kind::Malformed, "The message does not name the device that sealed it.")
        })?;
    let unknown = || Refusal::new(Kind::UnknownDevice, "Enrol it, then it will be heard.");
    let device = app.store.device(id).await?.ok_or_else(unknown)?;
    if device.revoked_at.is_some() {
        return Err(Refusal::new(
            Kind::RevokedDevice,
            "Ask your coordinator; to use it again it must be enrolled anew.",
        ));
    }
    let key = VerifyingKey::from_text(&device.public_key).map_err(bad_seal)?;
    let opened_question = envelope.open(NOTICES_ASKED, &key).map_err(bad_seal)?;
    let asked: NoticesAsked = read(opened_question.bytes())?;
    version(asked.v)?;
    same_device(asked.device, id)?;
    // An old question, sent again by somebody else, gets no answer.
    device_on_time(app, asked.at)?;
    let shown: Vec<RecordId> = asked.shown.iter().take(MOST).copied().collect();
    let waiting = app.store.desktop_waiting(device.person).await?;
    if waiting.iter().any(|delivery| shown.contains(&delivery.id)) {
        let mut write = app.store.write().await?;
        write.shown_on_desktop(device.person, &shown, now).await?;
        write.commit(&app.keys.ledger).await?;
    }
    let notices = waiting
        .iter()
        .filter(|delivery| !shown.contains(&delivery.id))
        .filter_map(|delivery| match opened(app, delivery)? {
            Message::Desktop { title, text, link } => {
                Some(NoticeShown { id: delivery.id, title, text, link })
            }
            Message::Mail { .. } | Message::Event { .. } | Message::Chat { .. } => None,
        })
        .collect();
    let answer = Notices { v: VERSION, device: asked.device, asked_at: asked.at, notices };
    let text = serde_json::to_vec(&answer).map_err(stead_store::StoreError::from)?;
    Ok(app.keys.answers.seal(NOTICES, &text, "server"))
}

//! What a person's own computer shows them: it asks for it, sealed as its reports are, and says the next
//! time what it has shown.

use stead_model::{
    RecordId,
    message::{NOTICES, NOTICES_ASKED, NoticeShown, Notices, NoticesAsked, VERSION},
    seal::Envelope,
};

use super::opened;
use crate::{App, channels::Message, error::Refusal, flows::check_in::question};

/// Most that a computer may say at once that it has shown.
const MOST: usize = 50;

/// Answers a device with what its person is to be told.
///
/// # Errors
/// [`Refusal`] when the message is not sealed by an enrolled device, is old, or the store is away.
pub async fn ask(app: &App, envelope: &Envelope) -> Result<Envelope, Refusal> {
    let now = app.now();
    let (device, asked) =
        question(app, envelope, NOTICES_ASKED, |asked: &NoticesAsked| (asked.v, asked.device, asked.at))
            .await?;
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

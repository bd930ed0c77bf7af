//! Sending what is on its way, again and again until it arrives; and giving up where it never will. What was
//! given up is kept, shown to operators, and may be tried again.

use std::time::Duration;

use stead_model::{RecordId, problem::Kind, text, time};
use stead_store::delivery::Delivery;
use tokio::task::JoinSet;

use super::{hooks, opened};
use crate::{
    App,
    channels::{Failed, Message},
    error::Refusal,
};

/// How long to wait after each try that failed; after the last it is given up. The times are those that
/// Standard Webhooks recommends.
pub const WAITS: [i64; 9] = [
    5 * time::SECOND,
    5 * time::MINUTE,
    30 * time::MINUTE,
    2 * time::HOUR,
    5 * time::HOUR,
    10 * time::HOUR,
    14 * time::HOUR,
    20 * time::HOUR,
    24 * time::HOUR,
];
/// How long a server has to send what it took in hand.
const LEASE: i64 = 2 * time::MINUTE;
/// How long one message may take; less than the lease.
const LIMIT: Duration = Duration::from_secs(60);
/// Messages sent at the same time.
const AT_ONCE: i64 = 16;

/// Sends what is due; how much arrived.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn run(app: &std::sync::Arc<App>) -> Result<usize, Refusal> {
    let mut arrived = 0;
    while app.store.delivery_is_due(app.now()).await? {
        let now = app.now();
        let mut write = app.store.write().await?;
        let until = now.plus(LEASE);
        let claimed = write.claim_deliveries(now, until, AT_ONCE).await?;
        write.commit(&app.keys.ledger).await?;
        if claimed.is_empty() {
            break;
        }
        let mut sending = JoinSet::new();
        for delivery in claimed {
            let app = std::sync::Arc::clone(app);
            sending.spawn(async move {
                let went = tokio::time::timeout(LIMIT, send(&app, &delivery)).await;
                let went = went.unwrap_or_else(|_| Err(Failed::Later("it took too long".into())));
                (delivery, went)
            });
        }
        let mut done = Vec::new();
        while let Some(sent) = sending.join_next().await {
            // A task that panicked keeps its lease, and is tried again when that ends.
            done.extend(sent.ok());
        }
        let now = app.now();
        let mut write = app.store.write().await?;
        for (mut delivery, went) in done {
            arrived += usize::from(went.is_ok());
            note(&mut delivery, went, now);
            write.note_delivery(&delivery, until).await?;
        }
        write.commit(&app.keys.ledger).await?;
    }
    Ok(arrived)
}

fn note(delivery: &mut Delivery, went: Result<(), Failed>, now: stead_model::Millis) {
    let wait = usize::try_from(delivery.tries).ok().and_then(|tries| WAITS.get(tries));
    delivery.tries += 1;
    let dead = |delivery: &mut Delivery, why: &str| {
        delivery.state = "dead".to_owned();
        delivery.ended_at = Some(now);
        delivery.error = text::plain(why, 300);
        tracing::warn!(channel = delivery.channel, id = %delivery.id, error = delivery.error, "a message was given up");
    };
    match (went, wait) {
        (Ok(()), _) => {
            delivery.state = "sent".to_owned();
            delivery.ended_at = Some(now);
            delivery.message = String::new();
            delivery.error = String::new();
        }
        (Err(Failed::Later(why)), Some(wait)) => {
            delivery.due = now.plus(*wait);
            delivery.error = text::plain(&why, 300);
        }
        (Err(Failed::Later(why) | Failed::Never(why)), _) => dead(delivery, &why),
    }
}

async fn send(app: &App, delivery: &Delivery) -> Result<(), Failed> {
    let message =
        opened(app, delivery).ok_or_else(|| Failed::Never("the message cannot be opened any more".into()))?;
    let id = delivery.id.to_string();
    if let Message::Mail { to, subject, text, html } = &message {
        let mail = app.mail.as_ref().ok_or_else(|| Failed::Later("no mail server is set up".into()))?;
        return mail.send(&id, to, subject, (text, html)).await;
    }
    let hook = match delivery.hook {
        Some(hook) => app.store.hook(hook).await.map_err(|error| Failed::Later(error.to_string()))?,
        None => None,
    };
    let gone = || Failed::Never("the connection was removed".into());
    let (address, secret) = hook.as_ref().and_then(|hook| hooks::secrets(app, hook)).ok_or_else(gone)?;
    match message {
        Message::Event { body } => app.post.event(&address, &secret, &id, app.now(), &body).await,
        Message::Chat { to, text } => app.post.chat(&address, &to, &text).await,
        Message::Desktop { .. } | Message::Mail { .. } => Err(gone()),
    }
}

/// Tries something again that was given up.
///
/// # Errors
/// [`Refusal`] when it is not there or the store is away.
pub async fn retry(app: &App, id: RecordId) -> Result<(), Refusal> {
    let mut write = app.store.write().await?;
    if !write.retry_delivery(id, app.now()).await? {
        return Err(Refusal::new(Kind::NotFound, "This message is on its way again, or is kept no longer."));
    }
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Tries everything again that was given up.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn retry_all(app: &App) -> Result<u64, Refusal> {
    let mut write = app.store.write().await?;
    let n = write.retry_deliveries(app.now()).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(n)
}

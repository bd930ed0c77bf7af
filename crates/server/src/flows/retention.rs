//! What is kept no longer than it is needed. The page "what we know about you" promises these times.

use serde_json::json;
use stead_model::time;

use super::{entry, notices, person_subject};
use crate::{App, error::Refusal};

/// How long sessions, links and codes are kept after they are worth nothing.
pub const ACCESS: i64 = 30 * time::DAY;
/// How long is kept what was answered to a request that may be sent again.
pub const ANSWERS: i64 = time::DAY;
/// How long who somebody was is kept after they have left.
pub const LEFT: i64 = 365 * time::DAY;
/// People whose records are erased in one transaction.
const BATCH: i64 = 50;

/// Forgets what is due; whether there was anything.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn run(app: &App) -> Result<bool, Refusal> {
    // Once a day is often enough, and most of the time there is nothing to do.
    const DONE: &str = "retention day";
    let now = app.now();
    let today = now.day().to_string();
    if app.store.meta(DONE).await?.as_deref() == Some(today.as_str()) {
        return Ok(false);
    }
    let mut write = app.store.write().await?;
    let forgotten = write.forget_access(now.plus(-ACCESS)).await?
        + write.forget_answers(now.plus(-ANSWERS)).await?
        + write.forget_notices(now.plus(-notices::KEPT), now.plus(-notices::SENT_KEPT)).await?;
    let left = write.left_before(now.plus(-LEFT), BATCH).await?;
    for person in &left {
        write.erase_person(*person, now).await?;
        write.append(&entry(now, "retention", "person.erased", person_subject(*person), json!({})))?;
    }
    // What is left over is done the next time round, not the next day.
    if i64::try_from(left.len()).unwrap_or(BATCH) < BATCH {
        write.set_meta(DONE, &today).await?;
    }
    write.commit(&app.keys.ledger).await?;
    Ok(forgotten > 0 || !left.is_empty())
}

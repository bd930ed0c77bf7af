//! Once a day an entry anchors the digests of all devices' last reports: whoever rewrites a stored
//! report afterwards contradicts the ledger.

use serde_json::json;
use stead_ledger::tree;
use stead_model::seal;

use super::entry;
use crate::{App, error::Refusal};

const LAST: &str = "last anchored day";

/// Writes today's anchor when there is none yet; whether it did.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn anchor(app: &App) -> Result<bool, Refusal> {
    let now = app.now();
    let today = now.day().to_string();
    if app.store.meta(LAST).await?.as_deref() == Some(&today) {
        return Ok(false);
    }
    let reports = app.store.report_digests().await?;
    let count = reports.len();
    let root = tree::root_of(
        reports.into_iter().map(|(device, digest)| tree::leaf_hash(format!("{device} {digest}").as_bytes())),
    );
    let mut write = app.store.write().await?;
    write.set_meta(LAST, &today).await?;
    let data = json!({ "reports": count, "root": seal::hex(&root) });
    write.append(&entry(now, "daily", "reports.anchored", "server".to_owned(), data))?;
    write.commit(&app.keys.ledger).await?;
    Ok(true)
}

//! Auditing the ledger of a whole database: every entry, every tile, every signature.

use stead_ledger::{Checkpoint, NoteKey, audit::Auditor};
use stead_store::{Store, StoreError};

/// Signed checkpoints taken along, to narrow down where a log goes wrong.
pub const CHECKPOINTS: i64 = 10_000;

/// Audits a database by a key; how many entries there are, or what is not as it was signed.
///
/// # Errors
/// When it cannot be read.
pub async fn database(
    store: &Store,
    key: &NoteKey,
    seen: Option<String>,
) -> Result<Result<u64, String>, StoreError> {
    let head = store.ledger_head().await?;
    if head.size == 0 {
        return Ok(Ok(0));
    }
    let mut auditor = match begin(&head.checkpoint, &store.ledger_checkpoints(CHECKPOINTS).await?, key, seen)
    {
        Ok(auditor) => auditor,
        Err(why) => return Ok(Err(why)),
    };
    let tiles = store.ledger_tiles().await?;
    let mut next = 0;
    loop {
        let page = store.ledger_page(next).await?;
        let Some(last) = page.last() else { break };
        next = last.index + 1;
        for found in &page {
            if let Err(fault) = auditor.take(found, |level, index| tiles.get(&(level, index)).cloned()) {
                return Ok(Err(fault.to_string()));
            }
        }
    }
    Ok(auditor.finish().map_err(|fault| fault.to_string()))
}

/// The audit, or why the signatures alone rule it out.
///
/// # Errors
/// What is wrong with them, in words.
pub fn begin(
    newest: &str,
    earlier: &[String],
    key: &NoteKey,
    seen: Option<String>,
) -> Result<Auditor, String> {
    let signed = Checkpoint::open(newest, key).map_err(|error| format!("the newest checkpoint: {error}"))?;
    let mut checkpoints = Vec::new();
    for note in earlier {
        checkpoints
            .push(Checkpoint::open(note, key).map_err(|error| format!("an earlier checkpoint: {error}"))?);
    }
    if let Some(note) = seen {
        let seen =
            Checkpoint::open(&note, key).map_err(|error| format!("the checkpoint that was kept: {error}"))?;
        if seen.size > signed.size {
            return Err(format!(
                "the log was set back: it had {} entries, and has {}",
                seen.size, signed.size
            ));
        }
        checkpoints.push(seen);
    }
    Ok(Auditor::new(signed, checkpoints))
}

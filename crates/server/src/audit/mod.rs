//! Auditing the ledger of a whole database: every entry, every tile, every signature, and every row that entries imply.

mod replay;

use std::collections::{BTreeSet, HashMap, HashSet};

use stead_ledger::{
    Checkpoint, Frontier, Hash, NoteKey,
    audit::{Auditor, Found},
    entry::Entry,
    tile,
};
use stead_model::{
    message,
    seal::{Envelope, VerifyingKey},
};
use stead_policy::Pack;
use stead_store::{Store, StoreError, accounted::KeptReport, ledger::StoredEntry};

use self::replay::Replay;
use crate::{bundle, flows::policy};

/// Signed checkpoints taken along, to narrow down where a log goes wrong.
pub const CHECKPOINTS: i64 = 10_000;

/// Audits a database by a key, as a [snapshot](Store::snapshot) has it; how many entries there are, or what is not as it
/// was signed. Every row that entries imply is held in memory.
///
/// # Errors
/// When it cannot be read.
pub async fn database(
    store: &Store,
    key: &NoteKey,
    seen: Option<String>,
) -> Result<Result<u64, String>, StoreError> {
    let mut replay = Replay::new();
    let size = match ledger(store, key, seen, |index, entry| replay.take(index, entry)).await? {
        Ok(size) => size,
        Err(why) => return Ok(Err(why)),
    };
    if let Some(why) = reports(store, replay.judged()).await? {
        return Ok(Err(why));
    }
    for version in store.policy_versions().await? {
        if let Some((version, text)) = store.policy_version(&version.digest).await?
            && let Ok(files) = policy::files_of(&version, &text)
            && let Ok(pack) = Pack::load(&files)
            && let Some(glass) = &pack.manifest.break_glass
        {
            replay.take_glass(&version.digest, &glass.people);
        }
    }
    Ok(match replay.compare(store).await? {
        Some(why) => Err(why),
        None => Ok(size),
    })
}

/// Audits the ledger alone: its entries with the columns that pages show, tiles, checkpoints, and the policy. It holds the
/// tiles in memory, 32 bytes an entry. Each entry that is what was signed so far goes to `take`.
///
/// # Errors
/// When it cannot be read.
pub async fn ledger(
    store: &Store,
    key: &NoteKey,
    seen: Option<String>,
    mut take: impl FnMut(u64, &Entry),
) -> Result<Result<u64, String>, StoreError> {
    if let Some(fault) = store.schema_faults().await?.into_iter().next() {
        return Ok(Err(format!("{fault}: what the database shows may not be what is stored")));
    }
    let head = store.ledger_head().await?;
    let tiles = store.ledger_tiles().await?;
    if head.size == 0 {
        // Empty means empty everywhere, and that nobody has seen it otherwise.
        let rest = [
            (
                "signed checkpoints",
                head.checkpoint.is_empty() && store.ledger_checkpoints(1).await?.is_empty(),
            ),
            ("entries", store.ledger_page(0).await?.is_empty()),
            ("tiles", tiles.is_empty()),
        ];
        if let Some((what, _)) = rest.iter().find(|(_, is_empty)| !is_empty) {
            return Ok(Err(format!("the ledger says it is empty, but there are {what}")));
        }
        return Ok(match seen {
            Some(note) => match Checkpoint::open(&note, key) {
                Ok(seen) if seen.size == 0 => Ok(0),
                Ok(seen) => Err(format!("the log was set back: it had {} entries, and has 0", seen.size)),
                Err(error) => Err(format!("the checkpoint that was kept: {error}")),
            },
            None => Ok(0),
        });
    }
    if let Some(why) = policies(store).await? {
        return Ok(Err(why));
    }
    let checkpoints = store.ledger_checkpoints(CHECKPOINTS).await?;
    if checkpoints.last() != Some(&(head.size, head.checkpoint.clone())) {
        return Ok(Err("the newest checkpoint isn't the last of those that were kept".to_owned()));
    }
    if let Some((size, _)) = checkpoints.iter().find(|(size, note)| !is_of_size(note, *size)) {
        return Ok(Err(format!("the checkpoint kept for {size} entries is of another size")));
    }
    let checkpoints: Vec<String> = checkpoints.into_iter().map(|(_, note)| note).collect();
    let mut auditor = match begin(&head.checkpoint, &checkpoints, key, seen) {
        Ok(auditor) => auditor,
        Err(why) => return Ok(Err(why)),
    };
    if let Some(why) = superfluous(&tiles, head.size) {
        return Ok(Err(why));
    }
    let mut frontier = Frontier::default();
    let mut next = 0;
    loop {
        let page = store.ledger_stored_page(next).await?;
        let Some(last) = page.last() else { break };
        next = last.index + 1;
        for entry in page {
            // Pages show the columns; what is signed is the text.
            let told = match as_told(&entry) {
                Ok(told) => told,
                Err(column) => {
                    let why = format!("column {column} of entry {} isn't what its text says", entry.index);
                    return Ok(Err(why));
                }
            };
            let found = Found { index: entry.index, text: entry.text, leaf: entry.leaf };
            if let Err(fault) = auditor.take(&found, |level, index| tiles.get(&(level, index)).cloned()) {
                return Ok(Err(fault.to_string()));
            }
            frontier.append(found.leaf);
            take(found.index, &told);
        }
    }
    if store.ledger_frontier().await?.as_ref() != Some(&frontier) {
        return Ok(Err("the stored right edge of the tree isn't that of the entries".to_owned()));
    }
    Ok(auditor.finish().map_err(|fault| fault.to_string()))
}

/// The kept report that isn't as its device sealed it, or of a judged device isn't there.
async fn reports(store: &Store, mut judged: BTreeSet<String>) -> Result<Option<String>, StoreError> {
    let mut after = String::new();
    loop {
        let page = store.kept_reports(&after).await?;
        let Some(last) = page.last() else {
            let missing = judged.pop_first();
            return Ok(
                missing.map(|device| format!("the report that device {device} was judged by is missing"))
            );
        };
        after.clone_from(&last.device);
        for kept in page {
            judged.remove(&kept.device);
            if !is_as_sealed(&kept) {
                return Ok(Some(format!("the report kept of device {} isn't as it was sealed", kept.device)));
            }
        }
    }
}

fn is_as_sealed(kept: &KeptReport) -> bool {
    let said = || {
        let key = VerifyingKey::from_text(&kept.key).ok()?;
        let envelope: Envelope = serde_json::from_str(&kept.envelope).ok()?;
        if !bundle::is_sealed(&envelope, &key, &kept.digest, &kept.envelope) {
            return None;
        }
        let opened = envelope.open(message::REPORT, &key).ok()?;
        let said: serde_json::Value = serde_json::from_slice(opened.bytes()).ok()?;
        Some((said.get("device")?.as_str()?.to_owned(), said.get("seq")?.as_i64()?))
    };
    said() == Some((kept.device.clone(), kept.seq))
}

/// The version of the policy that isn't what the ledger names, where there is one.
async fn policies(store: &Store) -> Result<Option<String>, StoreError> {
    for version in store.policy_versions().await? {
        let Some((version, text)) = store.policy_version(&version.digest).await? else { continue };
        let entry = store.ledger_entry(version.entry).await?;
        let named = entry.and_then(|entry| serde_json::from_str::<Entry>(&entry.text).ok());
        let is_named = named.is_some_and(|entry| {
            entry.kind == "policy.published" && entry.subject == policy::subject(&version.digest)
        });
        if !is_named {
            return Ok(Some(format!(
                "entry {} doesn't name {} with {}",
                version.entry,
                version.label(),
                version.digest
            )));
        }
        if policy::files_of(&version, &text).is_err() {
            return Ok(Some(format!("the files of {} aren't those that the ledger names", version.label())));
        }
    }
    match policy::complete(store).await {
        Ok(_) => Ok(None),
        Err(policy::Doubt::Changed(why)) => Ok(Some(why)),
        Err(policy::Doubt::Away(_)) => Ok(Some("the policy in effect can't be read".to_owned())),
    }
}

/// Whether a note says this size, in its second line.
fn is_of_size(note: &str, size: u64) -> bool {
    note.lines().nth(1) == Some(size.to_string().as_str())
}

/// An entry as its text says, or the column that says something else.
fn as_told(entry: &StoredEntry) -> Result<Entry, &'static str> {
    let text: Entry = serde_json::from_str(&entry.text).map_err(|_| "text")?;
    let columns = [
        ("at", text.at == entry.at),
        ("kind", text.kind == entry.kind),
        ("subject", text.subject == entry.subject),
    ];
    match columns.into_iter().find(|(_, same)| !same) {
        Some((name, _)) => Err(name),
        None => Ok(text),
    }
}

/// Why the stored tiles aren't exactly the full ones of a tree of this size: one that is missing, one too many.
fn superfluous(tiles: &HashMap<(u32, u64), Vec<Hash>>, size: u64) -> Option<String> {
    let mut due = HashSet::new();
    let (mut level, mut full) = (0, size / tile::WIDTH);
    while full > 0 {
        due.extend((0..full).map(|index| (level, index)));
        (level, full) = (level + 1, full / tile::WIDTH);
    }
    let named = |(level, index): &(u32, u64)| tile::path(*level, *index, tile::WIDTH);
    if let Some(missing) = due.iter().filter(|at| !tiles.contains_key(at)).min() {
        return Some(format!("tile {} is missing", named(missing)));
    }
    let odd =
        |(at, hashes): &(&(u32, u64), &Vec<Hash>)| !due.contains(at) || hashes.len() as u64 != tile::WIDTH;
    tiles.iter().find(odd).map(|(at, _)| format!("tile {} is not one of this ledger's", named(at)))
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

//! Which installation this is. Keys and database name each other, so that neither is used with a stranger's, an older
//! copy, or nothing: a server that guesses here starts a second history under the name of the first.
//!
//! The database holds the public side of the keys it belongs to. The data folder holds, beside the keys, the last
//! checkpoint it has seen of its database. What does not fit is refused, with what to do; `--adopt` goes on anyway and
//! records that in the ledger.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;
use stead_ledger::{Checkpoint, NoteKey};
use stead_model::{Millis, problem::Kind, seal};
use stead_store::Store;

use super::entry;
use crate::{App, error::Refusal, keys::Keys, source::Randomness};

/// The name under which the database keeps the ledger's name.
pub const ORIGIN: &str = "ledger origin";
/// The name under which it keeps the keys it belongs to.
const KEYS: &str = "identity";
/// The last checkpoint that this data folder has seen of its database.
pub const SEEN: &str = "checkpoint";

/// The public side of the keys that a database belongs to.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Belongs {
    /// The key that verifies checkpoints.
    ledger: String,
    /// The key that verifies answers to devices.
    answers: String,
    /// By which the sealing key is recognized.
    sealing: String,
}

impl Belongs {
    fn to(keys: &Keys) -> Self {
        Self {
            ledger: keys.ledger.public().to_string(),
            answers: seal::hex(&keys.answers.public()),
            sealing: keys.sealing.mark("stead identity"),
        }
    }
}

/// Opens the keys that belong to a database. In a new installation, makes them.
///
/// # Errors
/// When keys and database don't belong together, or one of them is missing or older: what is wrong and what to do.
pub async fn open(
    store: &Store,
    data: &Path,
    adopt: bool,
    now: Millis,
    random: &dyn Randomness,
) -> anyhow::Result<Keys> {
    let seen = read_seen(data)?;
    let Some(origin) = store.meta(ORIGIN).await? else {
        return begin(store, data, adopt, seen, now, random).await;
    };
    let missing = Keys::missing(data);
    if !missing.is_empty() && !adopt {
        bail!(
            "this database belongs to the installation {origin}, but {} {} missing from {}. Restore the keys from a \
             backup, or copy them from another server that uses this database. To continue with new keys, start once \
             with --adopt: devices must then enroll again",
            missing.join(", "),
            if missing.len() == 1 { "is" } else { "are" },
            data.display()
        );
    }
    let keys = Keys::open(data, &origin, random)?;
    let trouble = match trouble(store, &keys, seen.as_deref()).await? {
        None if missing.is_empty() => None,
        None => Some("Keys were missing and made anew.".to_owned()),
        trouble => trouble,
    };
    match trouble {
        None => {}
        Some(_) if adopt => adopted(store, &keys, seen.as_deref(), now).await?,
        Some(trouble) => bail!(
            "{trouble} Restore the database and the keys in {} from the same backup. To continue with what is there, \
             start once with --adopt, which is recorded in the ledger",
            data.display()
        ),
    }
    if store.meta(KEYS).await?.is_none() {
        let mut write = store.write().await?;
        write.set_meta(KEYS, &serde_json::to_string(&Belongs::to(&keys))?).await?;
        write.commit(&keys.ledger).await?;
    }
    Ok(keys)
}

/// What is wrong with keys and database, as far as can be seen without making or changing anything.
///
/// # Errors
/// When one of them can't be read.
pub async fn examine(store: &Store, data: &Path) -> anyhow::Result<Option<String>> {
    let Some(origin) = store.meta(ORIGIN).await? else {
        let known = read_seen(data)?.is_some();
        return Ok(known.then(|| "The database is empty, but the keys have belonged to one.".to_owned()));
    };
    let missing = Keys::missing(data);
    if !missing.is_empty() {
        return Ok(Some(format!("{} missing from {}.", missing.join(", "), data.display())));
    }
    let keys = Keys::read(data, &origin).context("the keys can't be read")?;
    trouble(store, &keys, read_seen(data)?.as_deref()).await
}

/// A database in which nothing is yet.
async fn begin(
    store: &Store,
    data: &Path,
    adopt: bool,
    seen: Option<String>,
    now: Millis,
    random: &dyn Randomness,
) -> anyhow::Result<Keys> {
    anyhow::ensure!(
        store.ledger_head().await?.size == 0,
        "the database holds a ledger but doesn't name it. Restore it from a backup"
    );
    let known = seen.as_deref().and_then(|note| note.lines().next()).map(str::to_owned);
    if let Some(origin) = known.as_deref().filter(|_| !adopt) {
        bail!(
            "the keys in {} belong to the installation {origin}, but the database is empty. Restore the database from \
             a backup (a SQLite database is stead.db together with stead.db-wal), or check --store. To begin a new \
             database with these keys, start once with --adopt",
            data.display()
        );
    }
    let origin = match known {
        Some(origin) => origin,
        None => {
            let mut bytes = [0; 8];
            anyhow::ensure!(random.fill(&mut bytes), "the system gave no randomness for the ledger's name");
            format!("stead/{}", seal::hex(&bytes))
        }
    };
    let keys = Keys::open(data, &origin, random)?;
    let mut write = store.write().await?;
    write.set_meta(ORIGIN, &origin).await?;
    write.set_meta(KEYS, &serde_json::to_string(&Belongs::to(&keys))?).await?;
    if let Some(seen) = seen {
        write.append(&entry(
            now,
            "operator",
            "server.adopted",
            "server".to_owned(),
            json!({ "size": 0, "seen": size_of(&seen, keys.ledger.public()) }),
        ))?;
    }
    write.commit(&keys.ledger).await?;
    Ok(keys)
}

/// Why these keys and this database don't belong together; none when they do.
async fn trouble(store: &Store, keys: &Keys, seen: Option<&str>) -> anyhow::Result<Option<String>> {
    let head = store.ledger_head().await?;
    let key = keys.ledger.public();
    let belongs = store.meta(KEYS).await?;
    let ours = match &belongs {
        Some(text) => serde_json::from_str::<Belongs>(text).is_ok_and(|belongs| belongs == Belongs::to(keys)),
        // Made by a version that did not write it: its signature says whose it is.
        None => head.size == 0 || Checkpoint::open(&head.checkpoint, key).is_ok(),
    };
    if !ours {
        return Ok(Some("The keys in the data folder aren't those of this database.".to_owned()));
    }
    let Some(note) = seen else { return Ok(None) };
    let Ok(seen) = Checkpoint::open(note, key) else {
        return Ok(Some("The checkpoint in the data folder is of another database.".to_owned()));
    };
    if seen.size > head.size {
        return Ok(Some(format!(
            "The database is an older copy, or lost its log: its ledger has {} entries, and {} were signed.",
            head.size, seen.size
        )));
    }
    let same = match seen.size {
        0 => true,
        size => store.frontier_at(size).await?.is_some_and(|frontier| frontier.root() == seen.root),
    };
    Ok((!same).then(|| {
        format!(
            "The database has another history: its first {} entries aren't those that were signed.",
            seen.size
        )
    }))
}

/// Goes on with keys and database as they are, and says so in the ledger.
async fn adopted(store: &Store, keys: &Keys, seen: Option<&str>, now: Millis) -> anyhow::Result<()> {
    let head = store.ledger_head().await?;
    let key = keys.ledger.public();
    let before = store.meta(KEYS).await?.and_then(|text| serde_json::from_str::<Belongs>(&text).ok());
    let signed_by_another = head.size > 0 && Checkpoint::open(&head.checkpoint, key).is_err();
    let mut write = store.write().await?;
    if signed_by_another {
        // They verify by the key before alone; the last of them is kept in the entry.
        write.forget_checkpoints().await?;
    }
    write.set_meta(KEYS, &serde_json::to_string(&Belongs::to(keys))?).await?;
    write.append(&entry(
        now,
        "operator",
        "server.adopted",
        "server".to_owned(),
        json!({
            "size": head.size,
            "seen": seen.and_then(|note| size_of(note, key)),
            "key_before": before.map(|before| before.ledger).filter(|_| signed_by_another),
            "checkpoint_before": signed_by_another.then_some(head.checkpoint),
        }),
    ))?;
    write.commit(&keys.ledger).await?;
    Ok(())
}

fn size_of(note: &str, key: &NoteKey) -> Option<u64> {
    Checkpoint::open(note, key).ok().map(|checkpoint| checkpoint.size)
}

fn read_seen(data: &Path) -> anyhow::Result<Option<String>> {
    let file = data.join(SEEN);
    match fs::read_to_string(&file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Keeps the newest checkpoint in the data folder; whether it was new.
///
/// # Errors
/// [`Refusal`] when it cannot be kept, or when the database went back behind what was kept.
pub async fn keep(app: &App) -> Result<bool, Refusal> {
    let head = app.store.ledger_head().await?;
    let failed = |what: String| Refusal::new(Kind::Unavailable, what);
    let seen = read_seen(&app.data).map_err(|error| failed(format!("{error:#}.")))?;
    let seen = seen.and_then(|note| size_of(&note, app.keys.ledger.public()));
    if seen.is_some_and(|seen| seen > head.size) {
        return Err(failed(format!(
            "The database went back: its ledger has {} entries, and {} were signed. Restore it, or restart the server \
             with --adopt.",
            head.size,
            seen.unwrap_or_default()
        )));
    }
    if head.size == 0 || seen == Some(head.size) {
        return Ok(false);
    }
    write_private(&app.data, SEEN, &head.checkpoint).map_err(|error| {
        failed(format!("The checkpoint cannot be kept in {}: {error}.", app.data.display()))
    })?;
    Ok(true)
}

/// Writes a file that only its owner may read, whole or not at all.
fn write_private(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let part = folder.join(format!("{name}.{}.part", std::process::id()));
    let written = (|| {
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, folder.join(name))?;
        fs::File::open(folder)?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

/// Makes the data folder, for its owner alone. What others could read in it before is closed to them; a folder that
/// was there is left as it is, since others may have made it for more than this.
///
/// # Errors
/// When it cannot be made.
pub fn prepare_folder(data: &Path) -> anyhow::Result<()> {
    if !data.exists() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .with_context(|| format!("cannot create {}", data.display()))?;
    }
    for name in ["stead.db", "stead.db-wal", "stead.db-shm", SEEN].iter().chain(&crate::keys::FILES) {
        let file = data.join(name);
        let Ok(about) = fs::metadata(&file) else { continue };
        if about.permissions().mode() & 0o077 != 0 {
            tracing::warn!(file = %file.display(), "file was readable by others; now owner-only");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))
                .with_context(|| format!("cannot make {} owner-only", file.display()))?;
        }
    }
    Ok(())
}

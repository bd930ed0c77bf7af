//! Backups: a folder with the database and the keys, whole and verified, while the server runs.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;
use stead_ledger::NoteKey;
use stead_model::{Millis, problem::Kind};
use stead_store::Store;

use super::{entry, identity, policy};
use crate::{App, audit, error::Refusal, keys::FILES};

/// How the names of backups begin.
const NAME: &str = "stead-backup-";
/// The database in a backup: SQLite's file, or what pg_dump writes.
const SQLITE: &str = "stead.db";
const POSTGRES: &str = "stead.pgdump";
/// The name under which the store keeps what the last one was.
const LAST: &str = "backup last";

/// What certifies devices; there alone where an application asks for certificates.
const AUTHORITY: [&str; 2] = ["certificates.key", "certificates.pem"];
/// How long to wait after a backup that failed.
const AGAIN: i64 = stead_model::time::HOUR;
/// How long PostgreSQL's programs may take.
const LIMIT: Duration = Duration::from_secs(4 * 3600);

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// When.
    pub at: Millis,
    /// Where.
    pub folder: String,
    /// How many bytes its database takes.
    pub bytes: i64,
    /// How many entries of the ledger were verified in it; none where the copy could not be opened here.
    pub verified: Option<u64>,
}

/// The last backup.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn last(app: &App) -> Result<Option<Made>, Refusal> {
    Ok(app.store.meta(LAST).await?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Makes one in a folder, and keeps no more than `keep` there.
///
/// # Errors
/// [`Refusal`] with why not; then what was begun is removed.
pub async fn make(app: &App, into: &Path, keep: Option<usize>) -> Result<Made, Refusal> {
    let now = app.now();
    let name = format!("{NAME}{}", now.timestamp().strftime("%Y%m%dT%H%M%SZ"));
    let (folder, begun) = (into.join(&name), into.join(format!("{name}.part")));
    if app.store.ledger_head().await?.size <= policy::FIRST_ENTRIES {
        return Err(Refusal::new(Kind::Conflict, "There is nothing in this store. Is it the one you mean?"));
    }
    let mut ours = false;
    let copied = async {
        fs::create_dir_all(into).with_context(|| format!("{} cannot be made", into.display()))?;
        fs::DirBuilder::new().mode(0o700).create(&begun).context("a backup is being made already")?;
        ours = true;
        let verified = copy(app, &begun).await?;
        fs::rename(&begun, &folder)?;
        Ok::<_, anyhow::Error>(verified)
    };
    let verified = match copied.await {
        Ok(verified) => verified,
        Err(error) => {
            if ours {
                let _ = fs::remove_dir_all(&begun);
            }
            return Err(Refusal::new(Kind::Unavailable, format!("No backup was made: {error:#}.")));
        }
    };
    let bytes = [SQLITE, POSTGRES].iter().filter_map(|file| fs::metadata(folder.join(file)).ok());
    let made = Made {
        at: now,
        folder: folder.display().to_string(),
        bytes: bytes.map(|file| i64::try_from(file.len()).unwrap_or(i64::MAX)).sum(),
        verified,
    };
    let mut write = app.store.write().await?;
    write.set_meta(LAST, &serde_json::to_string(&made).map_err(stead_store::StoreError::from)?).await?;
    let data = json!({ "bytes": made.bytes, "verified": made.verified });
    write.append(&entry(now, "backup", "backup.made", "server".to_owned(), data))?;
    write.commit(&app.keys.ledger).await?;
    if let Some(keep) = keep {
        prune(into, keep);
    }
    Ok(made)
}

/// Makes one when the last is of another day; whether it did.
///
/// # Errors
/// [`Refusal`] with why not.
pub async fn run(app: &App) -> Result<bool, Refusal> {
    const TRIED: &str = "backup tried";
    let Some((into, keep)) = &app.config.backups else { return Ok(false) };
    let now = app.now();
    let before = app.store.meta(TRIED).await?;
    let tried: i64 = before.as_deref().and_then(|at| at.parse().ok()).unwrap_or(0);
    let made_today = last(app).await?.is_some_and(|made| made.at.day() == now.day());
    if made_today || now.since(Millis(tried)) < AGAIN {
        return Ok(false);
    }
    // Of several servers one makes it, and what failed is not tried again at once.
    let mut write = app.store.write().await?;
    let ours = match before {
        Some(before) => write.move_meta(TRIED, &before, &now.0.to_string()).await?,
        None => {
            write.set_meta(TRIED, &now.0.to_string()).await?;
            true
        }
    };
    write.commit(&app.keys.ledger).await?;
    if !ours {
        return Ok(false);
    }
    make(app, into, Some(*keep)).await?;
    Ok(true)
}

/// Copies keys and database; how many entries were verified in the copy.
async fn copy(app: &App, into: &Path) -> anyhow::Result<Option<u64>> {
    copy_keys(&app.data, into)?;
    if app.store.engine() != "SQLite" {
        postgres(
            "pg_dump",
            &app.store_url,
            &["--format=custom", "--no-owner", "--no-password", "--file"],
            &into.join(POSTGRES),
        )
        .await?;
        return Ok(None);
    }
    let file = into.join(SQLITE);
    app.store.copy_to(&file).await.context("the database cannot be copied")?;
    let copy = Store::snapshot(&stead_store::sqlite_url(&file)).await?;
    // Whatever became of the rows, a copy that is what was signed counts: without it there would be none.
    let found = audit::ledger(&copy, app.keys.ledger.public(), None, |_, _| {}).await?;
    copy.close().await;
    match found {
        Ok(entries) => Ok(Some(entries)),
        Err(why) => bail!("the copy is not what was signed: {why}"),
    }
}

/// Copies the keys, which only their owner may read, wherever they come from.
fn copy_keys(from: &Path, into: &Path) -> anyhow::Result<()> {
    let there = AUTHORITY.iter().filter(|name| from.join(name).exists());
    for name in FILES.iter().chain(there) {
        let (file, copy) = (from.join(name), into.join(name));
        fs::copy(&file, &copy).with_context(|| format!("{} cannot be copied", file.display()))?;
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Runs a program of PostgreSQL's on a database. The password goes through the environment, where other
/// users of the machine do not see it.
async fn postgres(program: &str, store: &str, arguments: &[&str], file: &Path) -> anyhow::Result<()> {
    let mut url = reqwest::Url::parse(store).context("the store's address cannot be read")?;
    let mut command = tokio::process::Command::new(program);
    if let Some(password) = url.password() {
        command.env("PGPASSWORD", percent_decoded(password));
        url.set_password(None).map_err(|()| anyhow::anyhow!("the store's address cannot be read"))?;
    }
    command.args(arguments).arg(file).arg(format!("--dbname={url}")).stdin(Stdio::null()).kill_on_drop(true);
    let out = tokio::time::timeout(LIMIT, command.output())
        .await
        .with_context(|| format!("{program} took too long"))?
        .with_context(|| format!("{program} is not installed"))?;
    ensure!(out.status.success(), "{program}: {}", String::from_utf8_lossy(&out.stderr).trim());
    Ok(())
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Removes the oldest backups, so that no more than `keep` are left.
fn prune(folder: &Path, keep: usize) {
    let Ok(files) = fs::read_dir(folder) else { return };
    let mut backups: Vec<PathBuf> = files
        .flatten()
        .map(|file| file.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(NAME) && !name.ends_with(".part")
        })
        .collect();
    backups.sort();
    let old = backups.len().saturating_sub(keep.max(1));
    for path in backups.into_iter().take(old) {
        if let Err(error) = fs::remove_dir_all(&path) {
            tracing::warn!(%error, path = %path.display(), "an old backup could not be removed");
        }
    }
}

/// Brings a backup back into an empty data folder, or an empty database of PostgreSQL; how many entries of the
/// ledger were verified.
///
/// # Errors
/// Why not. Nothing that is there is overwritten.
pub async fn restore(backup: &Path, data: &Path, store: Option<&str>) -> anyhow::Result<u64> {
    identity::prepare_folder(data)?;
    // A fresh ext4 volume holds this folder, which is the file system's own.
    let there = fs::read_dir(data)?.flatten().any(|file| file.file_name() != "lost+found");
    ensure!(!there, "{} is not empty; a backup is brought back into an empty folder", data.display());
    let restored = bring_back(backup, data, store).await;
    if restored.is_err() {
        // The folder was empty: what is in it now is half a backup.
        for name in FILES.iter().chain(&AUTHORITY).chain(&[SQLITE, "stead.db-wal", "stead.db-shm"]) {
            let _ = fs::remove_file(data.join(name));
        }
    }
    restored
}

async fn bring_back(backup: &Path, data: &Path, store: Option<&str>) -> anyhow::Result<u64> {
    copy_keys(backup, data)?;
    let dump = backup.join(POSTGRES);
    let opened = if dump.exists() {
        let url = store.context("this backup is of PostgreSQL; give --store with an empty database")?;
        let arguments = ["--no-owner", "--exit-on-error", "--single-transaction", "--no-password"];
        postgres("pg_restore", url, &arguments, &dump).await?;
        Store::open(url).await?
    } else {
        ensure!(store.is_none(), "this backup is of SQLite; leave --store away");
        let file = data.join(SQLITE);
        fs::copy(backup.join(SQLITE), &file).context("the backup holds no database")?;
        Store::open(&stead_store::sqlite_url(&file)).await?
    };
    let origin = opened.meta(identity::ORIGIN).await?.context("the backup names no ledger")?;
    let keys = crate::keys::Keys::open(data, &origin, &crate::source::SystemRandomness)?;
    let key: &NoteKey = keys.ledger.public();
    let found = audit::ledger(&opened, key, None, |_, _| {}).await?;
    opened.close().await;
    found.map_err(|why| anyhow::anyhow!("the backup is not what was signed: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let name = |n: u8| format!("{NAME}2026010{n}T000000Z");
        for n in 1..=5 {
            fs::create_dir(folder.path().join(name(n))).unwrap();
        }
        fs::create_dir(folder.path().join("photos")).unwrap();
        prune(folder.path(), 2);
        let mut left: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["photos".to_owned(), name(4), name(5)]);
    }

    #[test]
    fn passwords_are_read_as_addresses_write_them() {
        assert_eq!(percent_decoded("a%40b%zz%2"), "a@b%zz%2");
    }
}

//! The one kind of transaction that changes state.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sqlx::{AnyPool, Row};
use stead_ledger::{Checkpoint, Entry, Frontier, Hash, NoteSigner};
use stead_model::{Millis, seal};

use crate::{
    Result, StoreError,
    changes::{Changes, Listener},
    connection::{Failed, WriteConnection},
    engine::{self, SqliteFile},
    ledger, sql,
};

tokio::task_local! {
    /// Whether the running task has sent a commit.
    static SENT: Arc<AtomicBool>;
}

/// Runs something; with what it gave, whether it may have changed anything: whether a commit was sent, however it ended.
pub async fn noting_commits<F: Future>(running: F) -> (F::Output, bool) {
    let sent = Arc::new(AtomicBool::new(false));
    let output = SENT.scope(Arc::clone(&sent), running).await;
    (output, sent.load(Ordering::Relaxed))
}

/// A transaction. Dropped, it changes nothing. Committed, its changes and their ledger entries are
/// there together or not at all.
#[derive(Debug)]
pub struct Write {
    connection: WriteConnection,
    start: u64,
    frontier: Frontier,
    pending: Vec<Pending>,
    /// Which turn of the ledger's head this is.
    turn: i64,
    sqlite: bool,
    file: Option<Arc<SqliteFile>>,
    listener: Listener,
    changes: Changes,
}

#[derive(Debug)]
struct Pending {
    at: Millis,
    kind: String,
    subject: String,
    leaf: Hash,
    text: String,
}

impl Write {
    pub(crate) async fn begin(
        pool: &AnyPool,
        sqlite: bool,
        file: Option<Arc<SqliteFile>>,
        listener: Listener,
    ) -> Result<Self> {
        let mut connection = WriteConnection::begin(pool, sqlite).await?;
        // First of all: on PostgreSQL the lock on this row orders the writers, as SQLite's write lock does there.
        let row =
            sqlx::query("UPDATE ledger_head SET turn = turn + 1 WHERE id = 1 RETURNING size, frontier, turn")
                .fetch_one(&mut connection)
                .await?;
        if let Some(file) = &file {
            file.confirm()?;
        }
        let size: i64 = row.try_get(0)?;
        let roots: String = row.try_get(1)?;
        let frontier = u64::try_from(size)
            .ok()
            .zip(ledger::parse_hashes(&roots))
            .and_then(|(size, roots)| Frontier::from_parts(size, roots))
            .ok_or_else(|| StoreError::inconsistent("ledger_head", "frontier", size, roots))?;
        Ok(Self {
            connection,
            start: frontier.size(),
            frontier,
            pending: Vec::new(),
            turn: row.try_get(2)?,
            sqlite,
            file,
            listener,
            changes: Changes::default(),
        })
    }

    pub(crate) fn connection(&mut self) -> &mut WriteConnection {
        &mut self.connection
    }

    /// Appends an entry to the ledger; its position.
    ///
    /// # Errors
    /// When the entry cannot be written as JSON.
    pub fn append(&mut self, entry: &Entry) -> Result<u64> {
        let text = entry.to_text()?;
        let leaf = Entry::leaf(&text);
        let position = self.start + self.pending.len() as u64;
        self.pending.push(Pending {
            at: entry.at,
            kind: entry.kind.clone(),
            subject: entry.subject.clone(),
            leaf,
            text,
        });
        Ok(position)
    }

    /// Writes the entries, signs the new checkpoint and commits. When this returns, all is durable.
    ///
    /// # Errors
    /// When the store is away; then nothing has changed. [`StoreError::Unknown`] when the commit itself failed: then it
    /// may or may not have been carried out.
    pub async fn commit(mut self, signer: &NoteSigner) -> Result<()> {
        if !self.pending.is_empty() {
            self.write_entries(signer).await?;
        }
        if !self.sqlite {
            for message in self.changes.messages() {
                engine::notify(&mut self.connection, &message).await?;
            }
        }
        // Nobody may be noting it.
        let _ = SENT.try_with(|sent| sent.store(true, Ordering::Relaxed));
        self.connection.commit().await.map_err(|failed| match failed {
            Failed::NotTried(error) => StoreError::Database(error),
            Failed::Unknown(error) => StoreError::Unknown(error),
        })?;
        // Written where nobody finds it again, it is not saved.
        if let Some(file) = &self.file {
            file.confirm().map_err(StoreError::Unknown)?;
        }
        self.listener.tell_own(self.turn, self.sqlite, self.changes);
        Ok(())
    }

    /// What this transaction changes that decides who is let in.
    pub(crate) fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    async fn write_entries(&mut self, signer: &NoteSigner) -> Result<()> {
        let mut entries = Vec::new();
        let mut leaves = Vec::new();
        for (offset, entry) in self.pending.drain(..).enumerate() {
            self.frontier.append(entry.leaf);
            leaves.push(entry.leaf);
            entries.push([
                number(self.start + offset as u64).into(),
                entry.at.0.into(),
                entry.kind.into(),
                entry.subject.into(),
                seal::hex(&entry.leaf).into(),
                entry.text.into(),
            ]);
        }
        let connection = &mut self.connection;
        let head = "INSERT INTO ledger_entry (idx, at, kind, subject, leaf, text)";
        sql::write_many(connection, head, entries, "").await?;
        ledger::write_tiles(connection.raw()?, self.start, &leaves).await?;
        connection.settle();

        let size = self.frontier.size();
        let checkpoint =
            Checkpoint { origin: signer.public().name().to_owned(), size, root: self.frontier.root() };
        let note = checkpoint.sign(signer);
        sqlx::query("UPDATE ledger_head SET size = $1, frontier = $2, checkpoint = $3 WHERE id = 1")
            .bind(number(size))
            .bind(ledger::format_hashes(self.frontier.roots()))
            .bind(&note)
            .execute(&mut *connection)
            .await?;
        sqlx::query("INSERT INTO ledger_checkpoint (size, note) VALUES ($1, $2)")
            .bind(number(size))
            .bind(&note)
            .execute(&mut *connection)
            .await?;
        Ok(())
    }
}

/// Sizes and positions as the database takes them; a log never comes near the end of the range.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

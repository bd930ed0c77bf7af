//! The one kind of transaction that changes state.

use sqlx::{Any, AnyConnection, AnyPool, Row, Transaction};
use stead_ledger::{Checkpoint, Entry, Frontier, Hash, NoteSigner};
use stead_model::{Millis, seal};

use crate::{
    Result, StoreError,
    changes::{Changes, Listener},
    engine, ledger, sql,
};

/// A transaction. Dropped, it changes nothing. Committed, its changes and their ledger entries are
/// there together or not at all.
#[derive(Debug)]
pub struct Write {
    transaction: Transaction<'static, Any>,
    start: u64,
    frontier: Frontier,
    pending: Vec<Pending>,
    /// Which turn of the ledger's head this is.
    turn: i64,
    sqlite: bool,
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
    pub(crate) async fn begin(pool: &AnyPool, sqlite: bool, listener: Listener) -> Result<Self> {
        let mut transaction = pool.begin().await?;
        // First of all: this orders the writers, on SQLite by taking its write lock at once, on
        // PostgreSQL by the lock on this row.
        let row =
            sqlx::query("UPDATE ledger_head SET turn = turn + 1 WHERE id = 1 RETURNING size, frontier, turn")
                .fetch_one(&mut *transaction)
                .await?;
        let size: i64 = row.try_get(0)?;
        let roots: String = row.try_get(1)?;
        let frontier = u64::try_from(size)
            .ok()
            .zip(ledger::parse_hashes(&roots))
            .and_then(|(size, roots)| Frontier::from_parts(size, roots))
            .ok_or_else(|| StoreError::inconsistent("ledger_head", "frontier", size, roots))?;
        Ok(Self {
            transaction,
            start: frontier.size(),
            frontier,
            pending: Vec::new(),
            turn: row.try_get(2)?,
            sqlite,
            listener,
            changes: Changes::default(),
        })
    }

    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
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
    /// When the store is away; then nothing has changed.
    pub async fn commit(mut self, signer: &NoteSigner) -> Result<()> {
        if !self.pending.is_empty() {
            self.write_entries(signer).await?;
        }
        if !self.sqlite {
            for message in self.changes.messages() {
                engine::notify(&mut self.transaction, &message).await?;
            }
        }
        self.transaction.commit().await?;
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
        let connection = &mut *self.transaction;
        let head = "INSERT INTO ledger_entry (idx, at, kind, subject, leaf, text)";
        sql::write_many(connection, head, entries, "").await?;
        ledger::write_tiles(connection, self.start, &leaves).await?;

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

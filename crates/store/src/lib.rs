//! The only SQL. One text for SQLite and PostgreSQL; what must differ is in [`engine`].
//!
//! In scope: rows in, rows out, and one kind of transaction that changes state and appends to the
//! ledger together. Out of scope: deciding anything.

pub mod accounted;
pub mod attestation;
pub mod case;
pub mod certificate;
pub mod changes;
pub mod check_in;
pub mod clear_out;
mod connection;
pub mod credential;
pub mod delivery;
pub mod device;
pub mod draft;
mod engine;
pub mod enrolment;
mod error;
pub mod evidence;
pub mod exception;
pub mod finding;
pub mod gate;
pub mod hook;
pub mod ledger;
pub mod look;
pub mod loss;
pub mod notice;
pub mod people;
pub mod policy;
pub mod powers;
pub mod report;
mod retention;
pub mod role;
pub mod session;
mod sql;
pub mod subject;
pub mod tally;
pub mod term;
pub mod token;
pub mod tunnel;
pub mod unit;
pub mod within;
mod write;

use std::sync::Arc;

use sqlx::{AnyPool, Row};

use changes::{Changes, Listener};
pub use engine::sqlite_url;
pub use error::StoreError;
pub use write::{Write, noting_commits};

/// What every function here gives.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A store, open.
#[derive(Clone, Debug)]
pub struct Store {
    readers: AnyPool,
    /// For what the gate remembers: it is read however much else is.
    followers: AnyPool,
    writers: AnyPool,
    sqlite: bool,
    /// The file, where a SQLite database was opened for writing.
    file: Option<Arc<engine::SqliteFile>>,
    listener: Listener,
}

impl Store {
    /// Opens the store at `url` (`sqlite:PATH` or `postgres://…`) and brings its tables up to date.
    ///
    /// # Errors
    /// When it cannot be reached, or was written by a newer version.
    pub async fn open(url: &str) -> Result<Self> {
        let engine::Pools { readers, followers, writers } = engine::connect(url).await?;
        let sqlite = url.starts_with("sqlite:");
        let file = sqlite.then(|| engine::SqliteFile::opened(url)).transpose()?.map(Arc::new);
        Ok(Self { readers, followers, writers, sqlite, file, listener: Listener::default() })
    }

    /// The store at `url` as it is at this moment, for reading alone: a copy that is to be verified and must stay as it is,
    /// or a database that goes on changing meanwhile.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn snapshot(url: &str) -> Result<Self> {
        let readers = engine::connect_snapshot(url).await?;
        Ok(Self {
            writers: readers.clone(),
            followers: readers.clone(),
            readers,
            sqlite: url.starts_with("sqlite:"),
            file: None,
            listener: Listener::default(),
        })
    }

    /// Begins a transaction that changes state. It holds the head of the ledger until it ends, so
    /// writers, here and in other replicas, come one after another.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn write(&self) -> Result<Write> {
        Write::begin(&self.writers, self.sqlite, self.file.clone(), self.listener.clone()).await
    }

    /// Commits a transaction that changes nothing but the ledger's turn: whether changes can be saved.
    ///
    /// # Errors
    /// Why they can't.
    pub async fn probe(&self, signer: &stead_ledger::NoteSigner) -> Result<()> {
        self.write().await?.commit(signer).await
    }

    /// Has `tell` told of what transactions here change, each time one is committed. Whoever listened first goes on.
    pub fn listen(&self, tell: impl Fn(Changes) + Send + Sync + 'static) {
        self.listener.set(Box::new(tell));
    }

    /// Waits for what others change that share this store, and has it told as well: other servers, and commands run
    /// beside the server. Comes back when the store is away. `begun` is called once nothing is missed any more.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn listen_to_others(&self, url: &str, begun: impl FnOnce() + Send) -> Result<()> {
        if self.sqlite {
            return engine::watch(&self.followers, &self.listener, begun).await;
        }
        engine::listen(url, &self.listener, begun).await
    }

    /// A value kept under a name, for jobs and identity of the installation.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn meta(&self, name: &str) -> Result<Option<String>> {
        let row = sqlx::query("SELECT value FROM meta WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// The engine, by name.
    pub fn engine(&self) -> &'static str {
        if self.sqlite { "SQLite" } else { "PostgreSQL" }
    }

    /// How many bytes the database takes.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn bytes(&self) -> Result<i64> {
        engine::bytes(&self.readers, self.sqlite).await
    }

    /// Copies a SQLite database, as it is at one moment, into a new file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn copy_to(&self, path: &std::path::Path) -> Result<()> {
        engine::copy_sqlite(&self.readers, path).await
    }

    /// Brings what is in SQLite's log into its main file, as far as nobody reads it, so that a copy of that file alone is
    /// no older than this. Whether there was anything to bring.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn settle(&self) -> Result<bool> {
        if self.sqlite { engine::settle_sqlite(&self.readers).await } else { Ok(false) }
    }

    /// Waits until everything in hand is done and closes the store.
    pub async fn close(&self) {
        self.readers.close().await;
        self.followers.close().await;
        self.writers.close().await;
    }
}

impl Write {
    /// Keeps a value under a name.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn set_meta(&mut self, name: &str, value: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO meta (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(name)
        .bind(value)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Moves a value on that stands where it was thought to stand; whether it did.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn move_meta(&mut self, name: &str, from: &str, to: &str) -> Result<bool> {
        let done = sqlx::query("UPDATE meta SET value = $1 WHERE name = $2 AND value = $3")
            .bind(to.to_owned())
            .bind(name.to_owned())
            .bind(from.to_owned())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

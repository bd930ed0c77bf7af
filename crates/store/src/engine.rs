//! Everything in which SQLite and PostgreSQL differ.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    AnyConnection, AnyPool, Row, SqlSafeStr,
    any::AnyPoolOptions,
    migrate::{Migration, MigrationType, Migrator},
    postgres::PgListener,
};

use crate::{
    Result,
    changes::{CHANNEL, Changes, Listener},
    connection::WriteConnection,
};

/// The steps from an empty database to today's, in order. A released step never changes.
const MIGRATIONS: [(i64, &str, &str); 12] = [
    (1, "the main job", include_str!("../migrations/0001_the_main_job.sql")),
    (2, "people", include_str!("../migrations/0002_people.sql")),
    (3, "notices", include_str!("../migrations/0003_notices.sql")),
    (4, "api", include_str!("../migrations/0004_api.sql")),
    (5, "policy", include_str!("../migrations/0005_policy.sql")),
    (6, "fairness", include_str!("../migrations/0006_fairness.sql")),
    (7, "drafts", include_str!("../migrations/0007_drafts.sql")),
    (8, "tunnels", include_str!("../migrations/0008_tunnels.sql")),
    (9, "losses", include_str!("../migrations/0009_losses.sql")),
    (10, "certificates", include_str!("../migrations/0010_certificates.sql")),
    (11, "powers", include_str!("../migrations/0011_powers.sql")),
    (12, "commitments", include_str!("../migrations/0012_commitments.sql")),
];

/// `synchronous=FULL` makes an answer mean durable; the larger checkpoint interval keeps a burst of
/// check-ins from rewriting the same pages.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000; PRAGMA wal_autocheckpoint = 8000; \
    PRAGMA temp_store = MEMORY;";
/// What a connection may keep in memory, in KiB: much for the one that writes, which goes back to the same pages; little
/// for those that read, since the system keeps the file.
const SQLITE_CACHES: [&str; 2] = ["PRAGMA cache_size = -32768;", "PRAGMA cache_size = -4096;"];

/// Connections.
#[derive(Debug)]
pub struct Pools {
    /// For reading.
    pub readers: AnyPool,
    /// For what the gate remembers.
    pub followers: AnyPool,
    /// For writing.
    pub writers: AnyPool,
}

/// Opens connections, and brings the tables up to date.
pub async fn connect(url: &str) -> Result<Pools> {
    sqlx::any::install_default_drivers();
    let options = AnyPoolOptions::new().acquire_timeout(Duration::from_secs(10));
    Ok(match url.strip_prefix("sqlite:") {
        Some(path) => {
            let url = format!("sqlite:{path}?mode=rwc");
            // SQLite has one writer at a time; a second connection would only wait in another queue.
            let options = options.test_before_acquire(false);
            let [for_writing, for_reading] = SQLITE_CACHES
                .map(|cache| options.clone().after_connect(move |c, _| sqlite_settings(c, cache)));
            let writers = for_writing.max_connections(1).min_connections(1).connect(&url).await?;
            migrate(&writers).await?;
            Pools {
                readers: for_reading.clone().max_connections(4).connect(&url).await?,
                followers: for_reading.max_connections(2).connect(&url).await?,
                writers,
            }
        }
        None => {
            let writers = options
                .clone()
                .max_connections(2)
                .after_connect(|connection, _| postgres_settings(connection))
                .connect(url)
                .await?;
            migrate(&writers).await?;
            Pools {
                readers: options.clone().max_connections(8).connect(url).await?,
                followers: options.max_connections(2).connect(url).await?,
                writers,
            }
        }
    })
}

/// One connection that reads the database as it is now, whatever is changed meanwhile, and changes nothing.
pub async fn connect_snapshot(url: &str) -> Result<AnyPool> {
    sqlx::any::install_default_drivers();
    let (url, begin) = match url.strip_prefix("sqlite:") {
        Some(_) => (format!("{url}?mode=ro"), "BEGIN"),
        None => (url.to_owned(), "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
    };
    let pool = AnyPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(begin).execute(&mut *connection).await?;
                // The first look fixes what is seen.
                sqlx::query("SELECT COUNT(*) FROM ledger_head").fetch_optional(connection).await?;
                Ok(())
            })
        });
    Ok(pool.connect(&url).await?)
}

/// What `after_connect` wants.
type Settled<'a> = std::pin::Pin<Box<dyn Future<Output = std::result::Result<(), sqlx::Error>> + Send + 'a>>;

fn sqlite_settings<'a>(connection: &'a mut AnyConnection, cache: &'static str) -> Settled<'a> {
    Box::pin(async move {
        sqlx::raw_sql(SQLITE_SETTINGS).execute(&mut *connection).await?;
        sqlx::raw_sql(cache).execute(connection).await?;
        Ok(())
    })
}

/// Brings the log of a SQLite database into its main file; whether there was anything in it.
pub async fn settle_sqlite(pool: &AnyPool) -> Result<bool> {
    let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(pool).await?;
    Ok(row.try_get::<i64, _>(2)? > 0)
}

/// The address of a SQLite file, whatever signs its path holds.
pub fn sqlite_url(path: &Path) -> String {
    let path = path.display().to_string().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite:{path}")
}

/// What a connection that writes to PostgreSQL is set to. An answer means durable, whatever the database's default; and
/// a server that stopped in the middle of a transaction keeps the others waiting for no longer than this.
const POSTGRES_SETTINGS: &str = "SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') = 'off'; \
    SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s';";

fn postgres_settings(connection: &mut AnyConnection) -> Settled<'_> {
    Box::pin(async move {
        sqlx::raw_sql(POSTGRES_SETTINGS).execute(connection).await?;
        Ok(())
    })
}

/// The file of an address made by [`sqlite_url`].
fn sqlite_path(url: &str) -> PathBuf {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    PathBuf::from(path.replace("%23", "#").replace("%3F", "?").replace("%25", "%"))
}

/// A SQLite database as it was when it was opened. One that is moved or deleted goes on taking writes that nobody finds
/// again.
#[derive(Debug)]
pub struct SqliteFile {
    path: PathBuf,
    log: PathBuf,
    device: u64,
    number: u64,
}

impl SqliteFile {
    /// The file that was opened under this address.
    pub fn opened(url: &str) -> Result<Self> {
        let path = sqlite_path(url);
        let about = std::fs::metadata(&path).map_err(sqlx::Error::Io)?;
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        Ok(Self { log: log.into(), device: about.dev(), number: about.ino(), path })
    }

    /// Confirms that file and log are where they were opened.
    ///
    /// # Errors
    /// When they are not.
    pub fn confirm(&self) -> std::result::Result<(), sqlx::Error> {
        let about = std::fs::metadata(&self.path).map_err(sqlx::Error::Io)?;
        std::fs::metadata(&self.log).map_err(sqlx::Error::Io)?;
        if (about.dev(), about.ino()) == (self.device, self.number) {
            return Ok(());
        }
        let path = self.path.display();
        Err(sqlx::Error::Io(std::io::Error::other(format!(
            "{path} was replaced while it was open; restart the server"
        ))))
    }
}

/// What is wrong with a database itself.
pub async fn faults(pool: &AnyPool, sqlite: bool) -> Result<Vec<String>> {
    let text = if sqlite {
        "SELECT quick_check FROM pragma_quick_check WHERE quick_check <> 'ok'"
    } else {
        "SELECT CAST(name || ' is ' || setting AS TEXT) FROM pg_settings
         WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'"
    };
    let rows = sqlx::query(text).fetch_all(pool).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// How the tables, indexes, views, and triggers differ from those that the migrations make. On PostgreSQL, what stands
/// between statements and the tables they name: Stead makes no views, rules, or triggers.
pub async fn schema_faults(pool: &AnyPool, sqlite: bool) -> Result<Vec<String>> {
    if sqlite {
        return sqlite_schema_faults(pool).await;
    }
    let text = "SELECT CAST('view ' || viewname AS TEXT) FROM pg_views WHERE schemaname = current_schema()
         UNION ALL SELECT CAST('materialized view ' || matviewname AS TEXT) FROM pg_matviews
             WHERE schemaname = current_schema()
         UNION ALL SELECT CAST('rule ' || rulename AS TEXT) FROM pg_rules WHERE schemaname = current_schema()
         UNION ALL SELECT CAST('trigger ' || tgname AS TEXT) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
             WHERE NOT tgisinternal AND relnamespace = CAST(current_schema() AS regnamespace)";
    let rows = sqlx::query(text).fetch_all(pool).await?;
    rows.iter().map(|row| Ok(format!("the {} isn't Stead's", row.try_get::<String, _>(0)?))).collect()
}

async fn sqlite_schema_faults(pool: &AnyPool) -> Result<Vec<String>> {
    let fresh = AnyPoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    migrate(&fresh).await?;
    let (ours, theirs) = (sqlite_schema(&fresh).await?, sqlite_schema(pool).await?);
    let mut faults = Vec::new();
    for (name, text) in &theirs {
        match ours.get(name) {
            None => faults.push(format!("the {name} isn't Stead's")),
            Some(own) if own != text => faults.push(format!("the {name} isn't as Stead makes it")),
            Some(_) => {}
        }
    }
    faults.extend(
        ours.keys().filter(|name| !theirs.contains_key(*name)).map(|name| format!("the {name} is missing")),
    );
    Ok(faults)
}

/// What a SQLite database consists of, by kind and name, with the text that made it; and which migrations ran there.
async fn sqlite_schema(pool: &AnyPool) -> Result<BTreeMap<String, String>> {
    let objects = "SELECT type || ' ' || name, COALESCE(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'
         UNION ALL SELECT 'migration ' || version, description || ' ' || success || ' ' || HEX(checksum)
             FROM _sqlx_migrations";
    let rows = sqlx::query(objects).fetch_all(pool).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Copies a SQLite database into a new file, without keeping writers out.
pub async fn copy_sqlite(pool: &AnyPool, path: &Path) -> Result<()> {
    sqlx::query("VACUUM INTO $1").bind(path.display().to_string()).execute(pool).await?;
    Ok(())
}

/// How a statement over many rows writes the place of its nth value. SQLite looks a numbered one up in a list of all,
/// for each: with thousands of places that took a fifth of a check-in. Places without a number are taken in turn.
pub fn place(sqlite: bool) -> fn(usize) -> String {
    if sqlite { |_| "?".to_owned() } else { |n| format!("${n}") }
}

/// How many bytes the database takes.
pub async fn bytes(pool: &AnyPool, sqlite: bool) -> Result<i64> {
    let text = if sqlite {
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    } else {
        "SELECT pg_database_size(current_database())"
    };
    Ok(sqlx::query(text).fetch_one(pool).await?.try_get(0)?)
}

/// Tells other servers that share the store, once the transaction is committed.
pub async fn notify(connection: &mut WriteConnection, message: &str) -> Result<()> {
    sqlx::query("SELECT CAST(pg_notify($1, $2) AS TEXT)")
        .bind(CHANNEL)
        .bind(message.to_owned())
        .fetch_all(connection)
        .await?;
    Ok(())
}

/// How often it is looked whether another process has written to a SQLite file, which tells nobody of it.
const LOOK: Duration = Duration::from_millis(50);

/// Has told what other processes write to a SQLite file, by what their entries in the ledger are about: whoever
/// writes counts a turn on, and turns that are not this process's are others'.
pub async fn watch(pool: &AnyPool, listener: &Listener, begun: impl FnOnce()) -> Result<()> {
    let head = async || -> Result<(i64, i64)> {
        let row = sqlx::query("SELECT turn, size FROM ledger_head WHERE id = 1").fetch_one(pool).await?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    };
    let (mut last, mut seen) = head().await?;
    begun();
    loop {
        tokio::time::sleep(LOOK).await;
        let (turn, size) = head().await?;
        // One's own whose end was not noted yet is taken for another's: it is told twice, which does no harm.
        if !listener.were_own(last, turn) {
            let rows = sqlx::query("SELECT subject FROM ledger_entry WHERE idx >= $1 AND idx < $2")
                .bind(seen)
                .bind(size)
                .fetch_all(pool)
                .await?;
            let subjects: Vec<String> = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<_>>()?;
            listener.tell(Changes::of_subjects(subjects.iter().map(String::as_str)));
        }
        (last, seen) = (turn, size);
    }
}

/// How long the connection to a PostgreSQL may be quiet before it is asked whether it is still there.
const QUIET: Duration = Duration::from_secs(5);

/// Has told what other servers say, until the connection is lost.
pub async fn listen(url: &str, listener: &Listener, begun: impl FnOnce()) -> Result<()> {
    let mut heard = PgListener::connect(url).await?;
    // Between two connections something may be missed: the caller begins anew then.
    heard.eager_reconnect(false);
    heard.listen(CHANNEL).await?;
    begun();
    loop {
        let message = match tokio::time::timeout(QUIET, heard.try_recv()).await {
            Ok(Ok(Some(message))) => message,
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => {
                // Nothing came: is there still somebody at the other end?
                let alive = sqlx::query("SELECT 1").execute(&mut heard);
                match tokio::time::timeout(QUIET, alive).await {
                    Ok(answered) => answered?,
                    Err(_) => return Ok(()),
                };
                continue;
            }
        };
        // What this server says comes back to it as well: should it have ended before it could tell itself that a
        // transaction was committed, it is told so.
        listener.tell(Changes::read(message.payload()));
    }
}

async fn migrate(pool: &AnyPool) -> Result<()> {
    let migrations: Vec<Migration> = MIGRATIONS
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(
                *version,
                Cow::Borrowed(*name),
                MigrationType::Simple,
                (*sql).into_sql_str(),
                false,
            )
        })
        .collect();
    let migrator = Migrator { migrations: Cow::Owned(migrations), ..Migrator::DEFAULT };
    Ok(migrator.run(pool).await?)
}

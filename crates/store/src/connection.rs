//! The connection of a transaction that writes, whose state is known or which is closed.
//!
//! SQLite ends a transaction on its own when a disk is full, a write fails or memory runs out; PostgreSQL answers the
//! COMMIT of a failed transaction as if all were well. So nothing here is inferred from what was sent: after a statement
//! that failed or was abandoned half-way, the transaction takes no other statement, cannot be committed, and its
//! connection is closed instead of going back to the pool.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::{Stream, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Any, AnyConnection, AnyPool, Either, Error, Execute, Executor, SqlStr,
    any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo},
    pool::PoolConnection,
};

/// How long a rollback may take before its connection is closed.
const ROLLBACK: Duration = Duration::from_secs(5);

/// A connection inside a transaction. Dropped, it is rolled back, or closed where that cannot be confirmed.
#[derive(Debug)]
pub struct WriteConnection {
    /// None once it was committed.
    inner: Option<PoolConnection<Any>>,
    /// Whether the last statement ended well. While one runs it has not.
    settled: bool,
    sqlite: bool,
}

impl WriteConnection {
    /// Begins a transaction.
    pub async fn begin(pool: &AnyPool, sqlite: bool) -> Result<Self, Error> {
        let mut connection = Self { inner: Some(pool.acquire().await?), settled: true, sqlite };
        // SQLite's write lock is taken right away: one that is upgraded later can fail half-way.
        let begin = if sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
        sqlx::raw_sql(begin).execute(&mut connection).await?;
        Ok(connection)
    }

    /// Commits.
    ///
    /// # Errors
    /// [`Failed::NotTried`] when a statement failed before, so that nothing has changed; [`Failed::Unknown`] when the
    /// COMMIT itself did, after which only the database knows.
    pub async fn commit(mut self) -> Result<(), Failed> {
        if !self.settled {
            return Err(Failed::NotTried(abandoned()));
        }
        sqlx::raw_sql("COMMIT").execute(&mut self).await.map_err(Failed::Unknown)?;
        // The transaction is over: the connection may serve the next one.
        self.inner = None;
        Ok(())
    }

    /// Whether the engine is SQLite.
    pub fn is_sqlite(&self) -> bool {
        self.sqlite
    }

    /// The connection itself, for what takes no other. It is unsettled until [`WriteConnection::settle`] says that all
    /// of it went well.
    pub fn raw(&mut self) -> Result<&mut AnyConnection, Error> {
        let (connection, settled) = self.parts()?;
        *settled = false;
        Ok(connection)
    }

    /// Says that what was done by [`WriteConnection::raw`] went well.
    pub fn settle(&mut self) {
        self.settled = true;
    }

    /// The connection, and where to note whether a statement ended well.
    fn parts(&mut self) -> Result<(&mut AnyConnection, &mut bool), Error> {
        match &mut self.inner {
            Some(connection) if self.settled => Ok((&mut **connection, &mut self.settled)),
            Some(_) | None => Err(abandoned()),
        }
    }
}

/// Why a commit did not succeed.
#[derive(Debug)]
pub enum Failed {
    /// Nothing was sent: nothing has changed.
    NotTried(Error),
    /// It was sent and did not succeed: it may or may not have been carried out.
    Unknown(Error),
}

fn abandoned() -> Error {
    Error::Protocol("an earlier statement of this transaction failed".to_owned())
}

impl Drop for WriteConnection {
    fn drop(&mut self) {
        let Some(mut connection) = self.inner.take() else { return };
        let runtime = tokio::runtime::Handle::try_current();
        match runtime {
            // The connection is not free before its transaction is known to be over.
            Ok(runtime) if self.settled => {
                runtime.spawn(async move {
                    let rollback = sqlx::raw_sql("ROLLBACK").execute(&mut *connection);
                    if !matches!(tokio::time::timeout(ROLLBACK, rollback).await, Ok(Ok(_))) {
                        connection.close_on_drop();
                    }
                });
            }
            Ok(_) => {
                tracing::warn!("database connection closed after a failed or abandoned statement");
                connection.close_on_drop();
            }
            // No runtime, nothing to wait with: closed with the program.
            Err(_) => drop(connection.detach()),
        }
    }
}

impl<'c> Executor<'c> for &'c mut WriteConnection {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        match self.parts() {
            Ok((connection, settled)) => {
                *settled = false;
                Box::pin(Watched { inner: connection.fetch_many(query), settled, failed: false })
            }
            Err(error) => Box::pin(Refused(Some(error))),
        }
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        Box::pin(async move {
            let (connection, settled) = self.parts()?;
            *settled = false;
            let row = connection.fetch_optional(query).await?;
            *settled = true;
            Ok(row)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let (connection, settled) = self.parts()?;
            *settled = false;
            let statement = connection.prepare_with(sql, parameters).await?;
            *settled = true;
            Ok(statement)
        })
    }
}

/// What a statement returns, noting whether it came to its end without an error.
struct Watched<'e> {
    inner: BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, Error>>,
    settled: &'e mut bool,
    failed: bool,
}

impl Stream for Watched<'_> {
    type Item = Result<Either<AnyQueryResult, AnyRow>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.inner.as_mut().poll_next(cx);
        match &next {
            Poll::Ready(Some(Err(_))) => self.failed = true,
            Poll::Ready(None) if !self.failed => *self.settled = true,
            Poll::Ready(_) | Poll::Pending => {}
        }
        next
    }
}

/// A statement that is not sent.
struct Refused(Option<Error>);

impl Stream for Refused {
    type Item = Result<Either<AnyQueryResult, AnyRow>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(Err))
    }
}

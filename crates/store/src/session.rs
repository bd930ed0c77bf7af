//! Sign-in links and sessions. Only digests are kept: whoever reads the store cannot sign in with it.

use sqlx::Row;
use stead_model::Millis;

use crate::{Result, Store, Write};

/// A session, as stored.
#[derive(Clone, Debug)]
pub struct Session {
    /// What its holder may do.
    pub role: String,
    /// When it began.
    pub created_at: Millis,
    /// When it was last used, to the minute.
    pub last_used: Millis,
    /// When it was ended.
    pub ended_at: Option<Millis>,
}

impl Store {
    /// The session with this digest.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn session(&self, digest: &str) -> Result<Option<Session>> {
        let row = sqlx::query("SELECT role, created_at, last_used, ended_at FROM session WHERE digest = $1")
            .bind(digest.to_owned())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| {
            let ended_at: Option<i64> = row.try_get(3)?;
            Ok(Session {
                role: row.try_get(0)?,
                created_at: Millis(row.try_get(1)?),
                last_used: Millis(row.try_get(2)?),
                ended_at: ended_at.map(Millis),
            })
        })
        .transpose()
    }
}

impl Write {
    /// Keeps the digest of a sign-in link.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_link(
        &mut self,
        digest: &str,
        role: &str,
        now: Millis,
        expires_at: Millis,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO sign_in_link (digest, role, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(digest.to_owned())
        .bind(role.to_owned())
        .bind(now.0)
        .bind(expires_at.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Uses a link up; its role when it was there to be used.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn use_link(&mut self, digest: &str, now: Millis) -> Result<Option<String>> {
        let row = sqlx::query(
            "UPDATE sign_in_link SET used_at = $1
             WHERE digest = $2 AND used_at IS NULL AND expires_at > $1 RETURNING role",
        )
        .bind(now.0)
        .bind(digest.to_owned())
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// Begins a session.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_session(&mut self, digest: &str, role: &str, now: Millis) -> Result<()> {
        sqlx::query("INSERT INTO session (digest, role, created_at, last_used) VALUES ($1, $2, $3, $3)")
            .bind(digest.to_owned())
            .bind(role.to_owned())
            .bind(now.0)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn touch_session(&mut self, digest: &str, now: Millis) -> Result<()> {
        sqlx::query("UPDATE session SET last_used = $1 WHERE digest = $2")
            .bind(now.0)
            .bind(digest.to_owned())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_session(&mut self, digest: &str, now: Millis) -> Result<()> {
        sqlx::query("UPDATE session SET ended_at = $1 WHERE digest = $2 AND ended_at IS NULL")
            .bind(now.0)
            .bind(digest.to_owned())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

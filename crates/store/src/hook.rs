//! Hooks: other systems that hear what happens.

use sqlx::{Row, any::AnyRow};
use stead_model::{Millis, RecordId};

use crate::{Result, Store, StoreError, Write};

/// Another system that hears what happens.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Its id.
    pub id: RecordId,
    /// How it is spoken to: one word of a list.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// Its address, sealed.
    pub address: String,
    /// The host in the address, to be shown.
    pub host: String,
    /// The secret that its messages are signed with, sealed; empty where there is none.
    pub secret: String,
    /// What it hears: words of a list, with spaces between.
    pub events: String,
    /// Whether it can reach people by their name there.
    pub people: bool,
    /// Since when.
    pub created_at: Millis,
}

const COLUMNS: &str = "SELECT id, kind, name, address, host, secret, events, people, created_at FROM hook WHERE ended_at IS NULL";

impl Store {
    /// Every hook, oldest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn hooks(&self) -> Result<Vec<Hook>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY created_at, id")))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(hook).collect()
    }

    /// The hook with this id.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn hook(&self, id: RecordId) -> Result<Option<Hook>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} AND id = $1")))
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(hook).transpose()
    }
}

impl Write {
    /// Adds a hook.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_hook(&mut self, hook: &Hook) -> Result<()> {
        sqlx::query(
            "INSERT INTO hook (id, kind, name, address, host, secret, events, people, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(hook.id.to_string())
        .bind(hook.kind.clone())
        .bind(hook.name.clone())
        .bind(hook.address.clone())
        .bind(hook.host.clone())
        .bind(hook.secret.clone())
        .bind(hook.events.clone())
        .bind(i64::from(hook.people))
        .bind(hook.created_at.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Ends a hook and forgets its address and secret; whether it was there. What waits for it is dropped.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_hook(&mut self, id: RecordId, now: Millis) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE hook SET ended_at = $1, address = '', secret = '' WHERE id = $2 AND ended_at IS NULL",
        )
        .bind(now.0)
        .bind(id.to_string())
        .execute(self.connection())
        .await?;
        sqlx::query("DELETE FROM delivery WHERE hook_id = $1 AND state <> 'sent'")
            .bind(id.to_string())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

fn hook(row: &AnyRow) -> Result<Hook> {
    let id: String = row.try_get(0)?;
    Ok(Hook {
        id: id.parse().map_err(|_| StoreError::inconsistent("hook", "id", &id, &id))?,
        kind: row.try_get(1)?,
        name: row.try_get(2)?,
        address: row.try_get(3)?,
        host: row.try_get(4)?,
        secret: row.try_get(5)?,
        events: row.try_get(6)?,
        people: row.try_get::<i64, _>(7)? == 1,
        created_at: Millis(row.try_get(8)?),
    })
}

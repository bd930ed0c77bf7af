//! Clear-outs: what somebody who leaves gives back or loses.

use sqlx::{Row, any::AnyRow};
use stead_model::{Millis, PersonId};

use crate::{Result, Store, Write};

/// One thing on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What kind of thing: `device`, `access`, `role`.
    pub kind: String,
    /// Which.
    pub object: String,
    /// What it is called.
    pub label: String,
    /// By when it must be done.
    pub due: Millis,
    /// When it was.
    pub done_at: Option<Millis>,
}

impl Store {
    /// Everything on somebody's list, open first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn clear_out(&self, person: PersonId) -> Result<Vec<Item>> {
        let rows = sqlx::query(
            "SELECT kind, object, label, due, done_at FROM clear_out WHERE person_id = $1
             ORDER BY CASE WHEN done_at IS NULL THEN 0 ELSE 1 END, kind, label",
        )
        .bind(person.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(item).collect()
    }
}

impl Write {
    /// Puts something on somebody's list; what is there already stays as it is, but for the time.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_to_clear_out(&mut self, person: PersonId, item: &Item) -> Result<()> {
        sqlx::query(
            "INSERT INTO clear_out (person_id, kind, object, label, due) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (person_id, kind, object) DO UPDATE SET due = excluded.due",
        )
        .bind(person.to_string())
        .bind(item.kind.clone())
        .bind(item.object.clone())
        .bind(item.label.clone())
        .bind(item.due.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Ticks something off; whether it was open.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn tick_off(
        &mut self,
        person: PersonId,
        kind: &str,
        object: &str,
        now: Millis,
    ) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE clear_out SET done_at = $1
             WHERE person_id = $2 AND kind = $3 AND object = $4 AND done_at IS NULL",
        )
        .bind(now.0)
        .bind(person.to_string())
        .bind(kind.to_owned())
        .bind(object.to_owned())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Drops what is still open on somebody's list: they stay after all.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn drop_clear_out(&mut self, person: PersonId) -> Result<()> {
        sqlx::query("DELETE FROM clear_out WHERE person_id = $1 AND done_at IS NULL")
            .bind(person.to_string())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

fn item(row: &AnyRow) -> Result<Item> {
    let done_at: Option<i64> = row.try_get(4)?;
    Ok(Item {
        kind: row.try_get(0)?,
        object: row.try_get(1)?,
        label: row.try_get(2)?,
        due: Millis(row.try_get(3)?),
        done_at: done_at.map(Millis),
    })
}

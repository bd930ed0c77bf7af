//! Looks: who opened whose record, when and why.

use sqlx::Row;
use stead_model::{Millis, PersonId, RecordId};

use crate::{Result, Store, StoreError, Write, people::person_id, write::number};

/// A look to write down.
#[derive(Clone, Debug)]
pub struct NewLook {
    /// Its id.
    pub id: RecordId,
    /// Whose record was opened.
    pub subject: PersonId,
    /// Who opened it.
    pub viewer: PersonId,
    /// The visit it belongs to: a session or a token.
    pub visit: String,
    /// When.
    pub at: Millis,
    /// Until when the same visit need not say why again.
    pub until: Millis,
    /// What for: one word of a list.
    pub purpose: String,
    /// What for, in the viewer's words.
    pub words: String,
    /// The ledger entry that proves it.
    pub entry: u64,
}

/// A look, as the person it was about reads it.
#[derive(Clone, Debug)]
pub struct Look {
    /// Who looked.
    pub viewer: PersonId,
    /// Their name.
    pub viewer_name: String,
    /// When.
    pub at: Millis,
    /// What for: one word of a list.
    pub purpose: String,
    /// What for, in the viewer's words.
    pub words: String,
    /// The ledger entry that proves it.
    pub entry: u64,
}

impl Store {
    /// Whether a visit has said why it looks at somebody, and need not say it again yet.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn has_said_why(&self, visit: &str, subject: PersonId, now: Millis) -> Result<bool> {
        let row = sqlx::query(
            "SELECT id FROM look WHERE visit = $1 AND subject_id = $2 AND until > $3 AND at <= $3 LIMIT 1",
        )
        .bind(visit.to_owned())
        .bind(subject.to_string())
        .bind(now.0)
        .fetch_optional(&self.readers)
        .await?;
        Ok(row.is_some())
    }

    /// Who looked at somebody's record, newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn looks(&self, subject: PersonId, limit: i64) -> Result<Vec<Look>> {
        let rows = sqlx::query(
            "SELECT l.viewer_id, p.name, l.at, l.purpose, l.words, l.entry
             FROM look l JOIN person p ON p.id = l.viewer_id
             WHERE l.subject_id = $1 ORDER BY l.at DESC, l.id DESC LIMIT $2",
        )
        .bind(subject.to_string())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let viewer: String = row.try_get(0)?;
                let entry: i64 = row.try_get(5)?;
                Ok(Look {
                    viewer: person_id(&viewer)?,
                    viewer_name: row.try_get(1)?,
                    at: Millis(row.try_get(2)?),
                    purpose: row.try_get(3)?,
                    words: row.try_get(4)?,
                    entry: u64::try_from(entry)
                        .map_err(|_| StoreError::inconsistent("look", "entry", subject, entry))?,
                })
            })
            .collect()
    }

    /// How many looks there were at somebody's record since a time, and by how many people.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn looks_since(&self, subject: PersonId, since: Millis) -> Result<(i64, i64)> {
        let row = sqlx::query(
            "SELECT COUNT(*), COUNT(DISTINCT viewer_id) FROM look WHERE subject_id = $1 AND at >= $2",
        )
        .bind(subject.to_string())
        .bind(since.0)
        .fetch_one(&self.readers)
        .await?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    }
}

impl Write {
    /// Writes a look down.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_look(&mut self, look: &NewLook) -> Result<()> {
        sqlx::query(
            "INSERT INTO look (id, subject_id, viewer_id, visit, at, until, purpose, words, entry)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(look.id.to_string())
        .bind(look.subject.to_string())
        .bind(look.viewer.to_string())
        .bind(look.visit.clone())
        .bind(look.at.0)
        .bind(look.until.0)
        .bind(look.purpose.clone())
        .bind(look.words.clone())
        .bind(number(look.entry))
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

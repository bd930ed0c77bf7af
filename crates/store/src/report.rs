//! Numbers for reports, by unit and by kind of event. Nobody is named.

use sqlx::Row;
use stead_model::{Millis, Standing};

use crate::{Result, Store, StoreError};

impl Store {
    /// How many devices of the people of each unit itself have which standing, by the unit's name.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn standings_by_unit(&self) -> Result<Vec<(String, Standing, i64)>> {
        let rows = sqlx::query(
            "SELECT u.name, t.standing, COUNT(*) FROM device d JOIN person p ON p.id = d.person_id
             JOIN unit u ON u.id = p.unit_id JOIN device_standing t ON t.device_id = d.id
             WHERE d.revoked_at IS NULL GROUP BY u.name, t.standing ORDER BY u.name",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let (unit, word): (String, String) = (row.try_get(0)?, row.try_get(1)?);
                let standing = Standing::from_word(&word)
                    .ok_or_else(|| StoreError::inconsistent("device_standing", "standing", &unit, word))?;
                Ok((unit, standing, row.try_get(2)?))
            })
            .collect()
    }

    /// How many people of each unit itself are to confirm a text, and have; by the unit's name.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn reached_by_unit(&self, digest: &str) -> Result<Vec<(String, i64, i64)>> {
        let rows = sqlx::query(
            "SELECT u.name, COUNT(*), COUNT(a.person_id) FROM person p JOIN unit u ON u.id = p.unit_id
             LEFT JOIN acknowledgement a ON a.person_id = p.id AND a.digest = $1
             WHERE p.state IN ('active', 'on_leave', 'leaving') GROUP BY u.name ORDER BY u.name",
        )
        .bind(digest.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
    }

    /// How many people who are to confirm a text and have not are on leave, have no address, and are neither.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn missing_by_reason(&self, digest: &str) -> Result<(i64, i64, i64)> {
        let row = sqlx::query(
            "SELECT COUNT(CASE WHEN p.state = 'on_leave' THEN 1 END),
                    COUNT(CASE WHEN p.state <> 'on_leave' AND p.email IS NULL THEN 1 END),
                    COUNT(CASE WHEN p.state <> 'on_leave' AND p.email IS NOT NULL THEN 1 END)
             FROM person p WHERE p.state IN ('active', 'on_leave', 'leaving')
               AND NOT EXISTS (SELECT 1 FROM acknowledgement a WHERE a.person_id = p.id AND a.digest = $1)",
        )
        .bind(digest.to_owned())
        .fetch_one(&self.readers)
        .await?;
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
    }

    /// How many entries of each kind the ledger holds from a time on and before another.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn entries_by_kind(&self, from: Millis, before: Millis) -> Result<Vec<(String, i64)>> {
        let rows = sqlx::query(
            "SELECT kind, COUNT(*) FROM ledger_entry WHERE at >= $1 AND at < $2 GROUP BY kind ORDER BY kind",
        )
        .bind(from.0)
        .bind(before.0)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Names of the units of these exceptions' people, by exception: who they are stands on each record.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn exception_units(&self) -> Result<Vec<(String, String)>> {
        let rows = sqlx::query(
            "SELECT e.id, u.name FROM policy_exception e JOIN person p ON p.id = e.person_id
             JOIN unit u ON u.id = p.unit_id WHERE e.state IN ('asked', 'granted')",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }
}

//! Findings: one row for each device and rule.

use std::collections::HashMap;

use sqlx::{Row, any::AnyRow};
use stead_model::{DeviceId, Millis, Outcome, PersonId};

use crate::{Result, Store, StoreError, Write, device::device_id, sql};

/// A finding, as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFinding {
    /// Id of the rule.
    pub rule: String,
    /// What judging said.
    pub outcome: Outcome,
    /// What was seen.
    pub observed: String,
    /// Where.
    pub origin: String,
    /// When the facts were read.
    pub at: Millis,
    /// Since when the outcome is what it is.
    pub since: Millis,
    /// When it first failed or became unknown.
    pub failing_since: Option<Millis>,
}

/// A device that does not pass a rule.
#[derive(Clone, Debug)]
pub struct Against {
    /// The device.
    pub device: DeviceId,
    /// Its name.
    pub name: String,
    /// The person it is enrolled for.
    pub person: String,
    /// What judging said.
    pub outcome: Outcome,
    /// What was seen.
    pub observed: String,
    /// Since when it does not pass.
    pub failing_since: Millis,
}

const COLUMNS: &str =
    "SELECT rule, outcome, observed, origin, at, since, failing_since FROM finding WHERE device_id = $1";

impl Store {
    /// All findings of a device.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn findings(&self, device: DeviceId) -> Result<Vec<StoredFinding>> {
        let rows = sqlx::query(COLUMNS).bind(device.to_string()).fetch_all(&self.readers).await?;
        rows.iter().map(stored).collect()
    }

    /// What does not pass on these devices, by device.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn against_of_all(&self, devices: &[DeviceId]) -> Result<Vec<(DeviceId, StoredFinding)>> {
        if devices.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<String> = (1..=devices.len()).map(|n| format!("${n}")).collect();
        let text = format!(
            "SELECT rule, outcome, observed, origin, at, since, failing_since, device_id FROM finding
             WHERE device_id IN ({}) AND failing_since IS NOT NULL ORDER BY device_id, failing_since",
            places.join(", ")
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text));
        let query = devices.iter().fold(query, |query, device| query.bind(device.to_string()));
        let rows = query.fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((device_id(&row.try_get::<String, _>(7)?)?, stored(row)?))).collect()
    }

    /// How many findings count against each device of these people; devices without any are left out.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn against_counts(&self, people: &[PersonId]) -> Result<HashMap<DeviceId, i64>> {
        if people.is_empty() {
            return Ok(HashMap::new());
        }
        let places: Vec<String> = (1..=people.len()).map(|n| format!("${n}")).collect();
        let text = format!(
            "SELECT f.device_id, COUNT(*) FROM device d JOIN finding f ON f.device_id = d.id
             WHERE d.person_id IN ({}) AND d.revoked_at IS NULL AND f.failing_since IS NOT NULL
             GROUP BY f.device_id",
            places.join(", ")
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text));
        let query = people.iter().fold(query, |query, person| query.bind(person.to_string()));
        let rows = query.fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((device_id(&row.try_get::<String, _>(0)?)?, row.try_get(1)?))).collect()
    }

    /// Devices that do not pass a rule, longest first, after the last one shown.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn against(
        &self,
        rule: &str,
        after: Option<(Millis, DeviceId)>,
        limit: i64,
    ) -> Result<Vec<Against>> {
        let (since, device) =
            after.map_or((i64::MIN, String::new()), |(since, device)| (since.0, device.to_string()));
        let rows = sqlx::query(
            "SELECT f.device_id, d.name, p.name, f.outcome, f.observed, f.failing_since
             FROM finding f JOIN device d ON d.id = f.device_id JOIN person p ON p.id = d.person_id
             WHERE f.rule = $1 AND f.failing_since IS NOT NULL AND d.revoked_at IS NULL
               AND (f.failing_since, f.device_id) > ($2, $3)
             ORDER BY f.failing_since, f.device_id LIMIT $4",
        )
        .bind(rule.to_owned())
        .bind(since)
        .bind(device)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let id: String = row.try_get(0)?;
                Ok(Against {
                    device: device_id(&id)?,
                    name: row.try_get(1)?,
                    person: row.try_get(2)?,
                    outcome: outcome(row, 3, &id)?,
                    observed: row.try_get(4)?,
                    failing_since: Millis(row.try_get(5)?),
                })
            })
            .collect()
    }
}

impl Write {
    /// Writes findings, over those that are there.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn put_findings(&mut self, findings: Vec<(DeviceId, StoredFinding)>) -> Result<()> {
        let rows = findings
            .into_iter()
            .map(|(device, finding)| {
                [
                    device.to_string().into(),
                    finding.rule.into(),
                    finding.outcome.word().into(),
                    finding.observed.into(),
                    finding.origin.into(),
                    finding.at.0.into(),
                    finding.since.0.into(),
                    finding.failing_since.map(|since| since.0).into(),
                ]
            })
            .collect();
        sql::write_many(
            self.connection(),
            "INSERT INTO finding (device_id, rule, outcome, observed, origin, at, since, failing_since)",
            rows,
            "ON CONFLICT (device_id, rule) DO UPDATE SET outcome = excluded.outcome, observed = excluded.observed,
             origin = excluded.origin, at = excluded.at, since = excluded.since, failing_since = excluded.failing_since",
        )
        .await?;
        Ok(())
    }

    /// Takes findings away whose rule is no more.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn drop_findings(&mut self, gone: &[(DeviceId, String)]) -> Result<()> {
        for (device, rule) in gone {
            sqlx::query("DELETE FROM finding WHERE device_id = $1 AND rule = $2")
                .bind(device.to_string())
                .bind(rule.clone())
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }

    /// All findings of a device, within this transaction.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn findings(&mut self, device: DeviceId) -> Result<Vec<StoredFinding>> {
        let rows = sqlx::query(COLUMNS).bind(device.to_string()).fetch_all(self.connection()).await?;
        rows.iter().map(stored).collect()
    }
}

pub(crate) fn stored(row: &AnyRow) -> Result<StoredFinding> {
    let rule: String = row.try_get(0)?;
    let failing_since: Option<i64> = row.try_get(6)?;
    Ok(StoredFinding {
        outcome: outcome(row, 1, &rule)?,
        rule,
        observed: row.try_get(2)?,
        origin: row.try_get(3)?,
        at: Millis(row.try_get(4)?),
        since: Millis(row.try_get(5)?),
        failing_since: failing_since.map(Millis),
    })
}

fn outcome(row: &AnyRow, column: usize, of: &str) -> Result<Outcome> {
    let word: String = row.try_get(column)?;
    Outcome::from_word(&word).ok_or_else(|| StoreError::inconsistent("finding", "outcome", of, word))
}

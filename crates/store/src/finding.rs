//! Findings: one row for each device and rule.

use std::collections::HashMap;

use sqlx::{Row, any::AnyRow};
use stead_model::{DeviceId, Millis, Outcome, PersonId, Stage};

use crate::{
    Result, Store, StoreError, Write,
    device::device_id,
    sql::{self, Bind},
};

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
    /// When it first failed or became unknown, though it may be excepted.
    pub failing_since: Option<Millis>,
    /// How far the rule has been rolled out to the subject.
    pub stage: Stage,
    /// When it first failed or became unknown while it was enforced.
    pub counts_since: Option<Millis>,
    /// When it costs what the rule costs, unless something is mended. None where it never does.
    pub due: Option<Millis>,
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
    /// When it costs something.
    pub due: Option<Millis>,
}

/// The columns of a finding, in the order that [`stored`] reads them.
pub(crate) const COLUMNS: &str =
    "rule, outcome, observed, origin, at, since, failing_since, stage, counts_since, due";
/// What becomes of a finding that is there.
pub(crate) const REPLACED: &str = "outcome = excluded.outcome, observed = excluded.observed,
    origin = excluded.origin, at = excluded.at, since = excluded.since, failing_since = excluded.failing_since,
    stage = excluded.stage, counts_since = excluded.counts_since, due = excluded.due";

impl Store {
    /// All findings of a device.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn findings(&self, device: DeviceId) -> Result<Vec<StoredFinding>> {
        let text = format!("SELECT {COLUMNS} FROM finding WHERE device_id = $1");
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(text)).bind(device.to_string()).fetch_all(&self.readers).await?;
        rows.iter().map(stored).collect()
    }

    /// What does not pass on these devices, excepted or not, by device.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn against_of_all(&self, devices: &[DeviceId]) -> Result<Vec<(DeviceId, StoredFinding)>> {
        if devices.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<String> = (1..=devices.len()).map(|n| format!("${n}")).collect();
        let text = format!(
            "SELECT {COLUMNS}, device_id FROM finding
             WHERE device_id IN ({}) AND failing_since IS NOT NULL ORDER BY device_id, failing_since",
            places.join(", ")
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text));
        let query = devices.iter().fold(query, |query, device| query.bind(device.to_string()));
        let rows = query.fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((device_id(&row.try_get::<String, _>(10)?)?, stored(row)?))).collect()
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
               AND f.outcome <> 'excepted'
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
            "SELECT f.device_id, d.name, p.name, f.outcome, f.observed, f.failing_since, f.due
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
                    due: row.try_get::<Option<i64>, _>(6)?.map(Millis),
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
        self.changes().devices.extend(findings.iter().map(|(device, _)| *device));
        let rows = findings
            .into_iter()
            .map(|(device, finding)| {
                let [rule, outcome, observed, origin, at, since, failing, stage, counts, due] =
                    binds(finding);
                [
                    device.to_string().into(),
                    rule,
                    outcome,
                    observed,
                    origin,
                    at,
                    since,
                    failing,
                    stage,
                    counts,
                    due,
                ]
            })
            .collect();
        sql::write_many(
            self.connection(),
            &format!("INSERT INTO finding (device_id, {COLUMNS})"),
            rows,
            &format!("ON CONFLICT (device_id, rule) DO UPDATE SET {REPLACED}"),
        )
        .await?;
        Ok(())
    }

    /// Takes findings away whose rule is no more.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn drop_findings(&mut self, gone: &[(DeviceId, String)]) -> Result<()> {
        self.changes().devices.extend(gone.iter().map(|(device, _)| *device));
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
        let text = format!("SELECT {COLUMNS} FROM finding WHERE device_id = $1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(device.to_string())
            .fetch_all(self.connection())
            .await?;
        rows.iter().map(stored).collect()
    }
}

/// A finding as a row of [`COLUMNS`].
pub(crate) fn binds(finding: StoredFinding) -> [Bind; 10] {
    let time = |time: Option<Millis>| time.map(|time| time.0).into();
    [
        finding.rule.into(),
        finding.outcome.word().into(),
        finding.observed.into(),
        finding.origin.into(),
        finding.at.0.into(),
        finding.since.0.into(),
        time(finding.failing_since),
        finding.stage.key().into(),
        time(finding.counts_since),
        time(finding.due),
    ]
}

pub(crate) fn stored(row: &AnyRow) -> Result<StoredFinding> {
    let rule: String = row.try_get(0)?;
    let time =
        |column: usize| -> Result<Option<Millis>> { Ok(row.try_get::<Option<i64>, _>(column)?.map(Millis)) };
    let stage: String = row.try_get(7)?;
    Ok(StoredFinding {
        stage: Stage::from_key(&stage)
            .ok_or_else(|| StoreError::inconsistent("finding", "stage", &rule, stage))?,
        failing_since: time(6)?,
        counts_since: time(8)?,
        due: time(9)?,
        outcome: outcome(row, 1, &rule)?,
        rule,
        observed: row.try_get(2)?,
        origin: row.try_get(3)?,
        at: Millis(row.try_get(4)?),
        since: Millis(row.try_get(5)?),
    })
}

fn outcome(row: &AnyRow, column: usize, of: &str) -> Result<Outcome> {
    let word: String = row.try_get(column)?;
    Outcome::from_word(&word).ok_or_else(|| StoreError::inconsistent("finding", "outcome", of, word))
}

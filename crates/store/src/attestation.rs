//! Attestations: what those who answer for a unit said of its people, month by month.

use sqlx::Row;
use stead_model::{Millis, PersonId, UnitId};

use crate::{
    Result, Store, StoreError, Write,
    people::{self, Person, person_id},
    sql,
    write::number,
};

/// Who works in unit `u` and still waits, since `$2`, to be spoken of: nobody did, and whoever came only
/// after the first look of that time is looked at in the next.
pub(crate) const WAITS: &str = "p.unit_id = u.id AND p.state IN ('active', 'on_leave', 'leaving')
    AND NOT EXISTS (SELECT 1 FROM attestation_answer s JOIN attestation a ON a.entry = s.entry
        WHERE s.person_id = p.id AND a.at >= $2)
    AND NOT EXISTS (SELECT 1 FROM attestation a
        WHERE a.unit_id = u.id AND a.at >= $2 AND a.at < p.created_at)";

/// An attestation.
#[derive(Clone, Debug)]
pub struct Attestation {
    /// Of which unit.
    pub unit: UnitId,
    /// By whom.
    pub by: PersonId,
    /// When.
    pub at: Millis,
    /// The ledger entry that proves it.
    pub entry: u64,
}

/// What was said of one person.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Of whom.
    pub person: PersonId,
    /// `right` when all is as it should be, `look` when something asks for a closer look.
    pub answer: String,
    /// Why, in words.
    pub words: String,
}

impl Store {
    /// The last attestation of a unit.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn attestation(&self, unit: UnitId) -> Result<Option<Attestation>> {
        let row = sqlx::query(
            "SELECT by_id, at, entry FROM attestation WHERE unit_id = $1 ORDER BY at DESC LIMIT 1",
        )
        .bind(unit.to_string())
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| {
            let by: String = row.try_get(0)?;
            let entry: i64 = row.try_get(2)?;
            Ok(Attestation {
                unit,
                by: person_id(&by)?,
                at: Millis(row.try_get(1)?),
                entry: u64::try_from(entry)
                    .map_err(|_| StoreError::inconsistent("attestation", "entry", unit, entry))?,
            })
        })
        .transpose()
    }

    /// The people of a unit of whom nothing was said since a time and something is to be, by name; and how
    /// many there are.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn to_attest(&self, unit: UnitId, since: Millis, limit: i64) -> Result<(Vec<Person>, i64)> {
        let waiting = format!("FROM unit u JOIN person p ON {WAITS} WHERE u.id = $1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {} {waiting} ORDER BY p.search, p.id LIMIT $3",
            people::COLUMNS
        )))
        .bind(unit.to_string())
        .bind(since.0)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let all: i64 = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) {waiting}")))
            .bind(unit.to_string())
            .bind(since.0)
            .fetch_one(&self.readers)
            .await?
            .try_get(0)?;
        Ok((rows.iter().map(people::person).collect::<Result<_>>()?, all))
    }

    /// What was said of a person in attestations: when, by whom, what, in which words; newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn said_of(&self, person: PersonId) -> Result<Vec<(Millis, String, String, String)>> {
        let rows = sqlx::query(
            "SELECT a.at, p.name, s.answer, s.words FROM attestation_answer s
             JOIN attestation a ON a.entry = s.entry JOIN person p ON p.id = a.by_id
             WHERE s.person_id = $1 ORDER BY a.at DESC LIMIT 60",
        )
        .bind(person.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| Ok((Millis(row.try_get(0)?), row.try_get(1)?, row.try_get(2)?, row.try_get(3)?)))
            .collect()
    }
}

impl Write {
    /// Writes an attestation and its answers.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_attestation(&mut self, attestation: &Attestation, answers: &[Answer]) -> Result<()> {
        sqlx::query("INSERT INTO attestation (entry, unit_id, by_id, at) VALUES ($1, $2, $3, $4)")
            .bind(number(attestation.entry))
            .bind(attestation.unit.to_string())
            .bind(attestation.by.to_string())
            .bind(attestation.at.0)
            .execute(self.connection())
            .await?;
        let rows = answers
            .iter()
            .map(|answer| {
                [
                    number(attestation.entry).into(),
                    answer.person.to_string().into(),
                    answer.answer.clone().into(),
                    answer.words.clone().into(),
                ]
            })
            .collect();
        let head = "INSERT INTO attestation_answer (entry, person_id, answer, words)";
        sql::write_many(self.connection(), head, rows, "").await?;
        Ok(())
    }
}

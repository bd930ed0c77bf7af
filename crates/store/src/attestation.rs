//! Attestations: what those who answer for a unit said of its people, month by month.

use sqlx::Row;
use stead_model::{Millis, PersonId, UnitId};

use crate::{Result, Store, StoreError, Write, people::person_id, sql, write::number};

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

//! Terms of one person: rules that bind them by name, and where everybody stands in the tree of units.

use std::collections::HashMap;

use sqlx::{Row, any::AnyRow};
use stead_model::{Millis, PersonId, RecordId};

use crate::{Result, Store, StoreError, Write, people::person_id};

/// A rule that binds one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Its id.
    pub id: RecordId,
    /// Whom.
    pub person: PersonId,
    /// The rule.
    pub rule: String,
    /// Why, or where it was agreed, in words.
    pub words: String,
    /// Who wrote it down.
    pub written_by: PersonId,
    /// When.
    pub written_at: Millis,
    /// When it ended; none while it binds.
    pub ended_at: Option<Millis>,
}

const COLUMNS: &str = "id, person_id, rule, words, written_by, written_at, ended_at";

impl Store {
    /// What binds a person by name, and what did, newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn terms_of(&self, person: PersonId) -> Result<Vec<Term>> {
        let text =
            format!("SELECT {COLUMNS} FROM person_term WHERE person_id = $1 ORDER BY written_at DESC, id");
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(text)).bind(person.to_string()).fetch_all(&self.readers).await?;
        rows.iter().map(term).collect()
    }

    /// What binds anybody by name.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn terms_in_force(&self) -> Result<Vec<Term>> {
        let text = format!("SELECT {COLUMNS} FROM person_term WHERE ended_at IS NULL ORDER BY id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(&self.readers).await?;
        rows.iter().map(term).collect()
    }

    /// Names of the units of everybody who is not gone, nearest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn units_of_all(&self) -> Result<HashMap<PersonId, Vec<String>>> {
        let rows = sqlx::query(
            "SELECT p.id, u.name FROM person p JOIN unit_above a ON a.unit_id = p.unit_id
             JOIN unit u ON u.id = a.above_id WHERE p.state <> 'gone' ORDER BY p.id, a.distance",
        )
        .fetch_all(&self.readers)
        .await?;
        let mut all: HashMap<PersonId, Vec<String>> = HashMap::new();
        for row in &rows {
            all.entry(person_id(&row.try_get::<String, _>(0)?)?).or_default().push(row.try_get(1)?);
        }
        Ok(all)
    }

    /// Names of all units.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn unit_names(&self) -> Result<Vec<String>> {
        let rows =
            sqlx::query("SELECT DISTINCT name FROM unit ORDER BY name").fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }
}

impl Write {
    /// Adds a term.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_term(&mut self, term: &Term) -> Result<()> {
        sqlx::query(
            "INSERT INTO person_term (id, person_id, rule, words, written_by, written_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(term.id.to_string())
        .bind(term.person.to_string())
        .bind(term.rule.clone())
        .bind(term.words.clone())
        .bind(term.written_by.to_string())
        .bind(term.written_at.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Whether a rule binds a person by name.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn is_bound(&mut self, person: PersonId, rule: &str) -> Result<bool> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM person_term WHERE person_id = $1 AND rule = $2 AND ended_at IS NULL",
        )
        .bind(person.to_string())
        .bind(rule.to_owned())
        .fetch_one(self.connection())
        .await?;
        Ok(row.try_get::<i64, _>(0)? > 0)
    }

    /// Ends a term of a person; the rule, when there was one.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_term(
        &mut self,
        person: PersonId,
        id: RecordId,
        by: PersonId,
        now: Millis,
    ) -> Result<Option<String>> {
        let row = sqlx::query(
            "UPDATE person_term SET ended_by = $3, ended_at = $4
             WHERE id = $1 AND person_id = $2 AND ended_at IS NULL RETURNING rule",
        )
        .bind(id.to_string())
        .bind(person.to_string())
        .bind(by.to_string())
        .bind(now.0)
        .fetch_optional(self.connection())
        .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}

fn term(row: &AnyRow) -> Result<Term> {
    let id: String = row.try_get(0)?;
    Ok(Term {
        id: id.parse().map_err(|_| StoreError::inconsistent("term", "id", &id, &id))?,
        person: person_id(&row.try_get::<String, _>(1)?)?,
        rule: row.try_get(2)?,
        words: row.try_get(3)?,
        written_by: person_id(&row.try_get::<String, _>(4)?)?,
        written_at: Millis(row.try_get(5)?),
        ended_at: row.try_get::<Option<i64>, _>(6)?.map(Millis),
    })
}

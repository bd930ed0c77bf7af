//! Roles: who is trusted with what, for which unit and all below it.

use sqlx::{Row, any::AnyRow};
use stead_model::{Millis, PersonId, Role, UnitId};

use crate::{Result, Store, StoreError, Write, unit::unit_id};

/// A role that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Which.
    pub role: Role,
    /// For this unit and all below it.
    pub unit: UnitId,
    /// The unit's name.
    pub unit_name: String,
    /// Since when.
    pub granted_at: Millis,
    /// Who gave it, as the ledger names them; empty for a role from before this was kept.
    pub granted_by: String,
}

const GRANTS: &str = "SELECT g.role, g.unit_id, u.name, g.granted_at, g.granted_by
    FROM role_grant g JOIN unit u ON u.id = g.unit_id WHERE g.person_id = $1 ORDER BY g.role, u.name";

impl Store {
    /// The roles that a person holds.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn grants(&self, person: PersonId) -> Result<Vec<Grant>> {
        let rows = sqlx::query(GRANTS).bind(person.to_string()).fetch_all(&self.readers).await?;
        rows.iter().map(grant).collect()
    }

    /// Who holds a role for a unit or for one above it: id and name, nearest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn holders(&self, role: Role, unit: UnitId) -> Result<Vec<(PersonId, String)>> {
        let rows = sqlx::query(
            "SELECT p.id, p.name FROM role_grant g JOIN person p ON p.id = g.person_id
             JOIN unit_above a ON a.above_id = g.unit_id
             WHERE g.role = $1 AND a.unit_id = $2 AND p.state = 'active' ORDER BY a.distance, p.search LIMIT 50",
        )
        .bind(role.word())
        .bind(unit.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let id: String = row.try_get(0)?;
                Ok((crate::people::person_id(&id)?, row.try_get(1)?))
            })
            .collect()
    }
}

impl Write {
    /// The roles that a person holds, within this transaction.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn grants(&mut self, person: PersonId) -> Result<Vec<Grant>> {
        let rows = sqlx::query(GRANTS).bind(person.to_string()).fetch_all(self.connection()).await?;
        rows.iter().map(grant).collect()
    }

    /// Gives a role; whether it was not held already.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn give_role(
        &mut self,
        person: PersonId,
        role: Role,
        unit: UnitId,
        by: &str,
        now: Millis,
    ) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO role_grant (person_id, role, unit_id, granted_at, granted_by) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (person_id, role, unit_id) DO NOTHING",
        )
        .bind(person.to_string())
        .bind(role.word())
        .bind(unit.to_string())
        .bind(now.0)
        .bind(by.to_owned())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes a role back; whether it was held.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn take_role(&mut self, person: PersonId, role: Role, unit: UnitId) -> Result<bool> {
        let done = sqlx::query("DELETE FROM role_grant WHERE person_id = $1 AND role = $2 AND unit_id = $3")
            .bind(person.to_string())
            .bind(role.word())
            .bind(unit.to_string())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// How many people hold a role for the whole organisation and may use it.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn holders_of_all(&mut self, role: Role) -> Result<i64> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM role_grant g JOIN person p ON p.id = g.person_id
             WHERE g.role = $1 AND g.unit_id = $2 AND p.state = 'active'",
        )
        .bind(role.word())
        .bind(UnitId::ORGANISATION.to_string())
        .fetch_one(self.connection())
        .await?;
        Ok(row.try_get(0)?)
    }
}

fn grant(row: &AnyRow) -> Result<Grant> {
    let word: String = row.try_get(0)?;
    let unit: String = row.try_get(1)?;
    let role =
        Role::from_word(&word).ok_or_else(|| StoreError::inconsistent("role_grant", "role", &unit, word))?;
    Ok(Grant {
        role,
        unit: unit_id(&unit)?,
        unit_name: row.try_get(2)?,
        granted_at: Millis(row.try_get(3)?),
        granted_by: row.try_get(4)?,
    })
}

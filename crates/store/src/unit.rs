//! Units: the tree of the organisation.

use sqlx::{Row, any::AnyRow};
use stead_model::{Millis, UnitId};

use crate::{Result, Store, StoreError, Write, sql};

/// A unit.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// Its name.
    pub name: String,
    /// The unit above; none for the organisation itself.
    pub parent: Option<UnitId>,
    /// How many people are in it, those below not counted.
    pub people: i64,
}

const UNITS: &str = "SELECT u.id, u.name, u.parent_id,
    (SELECT COUNT(*) FROM person p WHERE p.unit_id = u.id AND p.state <> 'gone') FROM unit u";

impl Store {
    /// Every unit, by name.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn units(&self) -> Result<Vec<Unit>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{UNITS} ORDER BY u.name, u.id")))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(unit).collect()
    }

    /// The unit with this id.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn unit(&self, id: UnitId) -> Result<Option<Unit>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{UNITS} WHERE u.id = $1")))
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(unit).transpose()
    }

    /// A unit and all that are above it, nearest first. Empty when there is no such unit.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn units_above(&self, id: UnitId) -> Result<Vec<UnitId>> {
        let rows = sqlx::query("SELECT above_id FROM unit_above WHERE unit_id = $1 ORDER BY distance")
            .bind(id.to_string())
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| unit_id(&row.try_get::<String, _>(0)?)).collect()
    }
}

impl Write {
    /// Every unit with its parent, within this transaction.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn units(&mut self) -> Result<Vec<Unit>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{UNITS} ORDER BY u.name, u.id")))
            .fetch_all(self.connection())
            .await?;
        rows.iter().map(unit).collect()
    }

    /// Adds a unit below another. A name that is there already is a [duplicate](StoreError::is_duplicate).
    ///
    /// # Errors
    /// When the store is away or the name is taken.
    pub async fn add_unit(&mut self, id: UnitId, name: &str, parent: UnitId, now: Millis) -> Result<()> {
        sqlx::query("INSERT INTO unit (id, name, parent_id, created_at) VALUES ($1, $2, $3, $4)")
            .bind(id.to_string())
            .bind(name.to_owned())
            .bind(parent.to_string())
            .bind(now.0)
            .execute(self.connection())
            .await?;
        sqlx::query(
            "INSERT INTO unit_above (unit_id, above_id, distance)
             SELECT $1, above_id, distance + 1 FROM unit_above WHERE unit_id = $2",
        )
        .bind(id.to_string())
        .bind(parent.to_string())
        .execute(self.connection())
        .await?;
        sqlx::query("INSERT INTO unit_above (unit_id, above_id, distance) VALUES ($1, $1, 0)")
            .bind(id.to_string())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Renames a unit and hangs it below another; `above` is every unit with all that are above it as
    /// they are afterwards.
    ///
    /// # Errors
    /// When the store is away or the name is taken.
    pub async fn change_unit(
        &mut self,
        id: UnitId,
        name: &str,
        parent: Option<UnitId>,
        above: Vec<(UnitId, UnitId, i64)>,
    ) -> Result<()> {
        sqlx::query("UPDATE unit SET name = $1, parent_id = $2 WHERE id = $3")
            .bind(name.to_owned())
            .bind(parent.map(|parent| parent.to_string()))
            .bind(id.to_string())
            .execute(self.connection())
            .await?;
        sqlx::query("DELETE FROM unit_above").execute(self.connection()).await?;
        let rows = above
            .into_iter()
            .map(|(unit, above, distance)| {
                [unit.to_string().into(), above.to_string().into(), distance.into()]
            })
            .collect();
        let head = "INSERT INTO unit_above (unit_id, above_id, distance)";
        sql::write_many(self.connection(), head, rows, "").await?;
        Ok(())
    }
}

pub(crate) fn unit_id(text: &str) -> Result<UnitId> {
    text.parse().map_err(|_| StoreError::inconsistent("unit", "id", text, text))
}

fn unit(row: &AnyRow) -> Result<Unit> {
    let id: String = row.try_get(0)?;
    let parent: Option<String> = row.try_get(2)?;
    Ok(Unit {
        id: unit_id(&id)?,
        name: row.try_get(1)?,
        parent: parent.as_deref().map(unit_id).transpose()?,
        people: row.try_get(3)?,
    })
}

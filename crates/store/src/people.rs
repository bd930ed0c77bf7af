//! People and the one-time codes with which they enrol devices.

use sqlx::Row;
use stead_model::{DeviceId, Millis, PersonId};

use crate::{Result, StoreError, Write};

/// A person.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their id.
    pub id: PersonId,
    /// Their name.
    pub name: String,
}

/// An enrolment code, as stored: its digest alone is kept.
#[derive(Clone, Debug)]
pub struct Code {
    /// Whom it was given to.
    pub person: Person,
    /// Who will own the device: `organisation` or `person`.
    pub owner: String,
    /// Until when it may be used.
    pub expires_at: Millis,
    /// When it was used.
    pub used_at: Option<Millis>,
}

impl Write {
    /// The person with this name, as it was written.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn person_by_name(&mut self, name: &str) -> Result<Option<Person>> {
        let row = sqlx::query("SELECT id FROM person WHERE name = $1 ORDER BY id LIMIT 1")
            .bind(name.to_owned())
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| {
            let id: String = row.try_get(0)?;
            Ok(Person { id: person_id(&id)?, name: name.to_owned() })
        })
        .transpose()
    }

    /// Adds a person.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_person(&mut self, person: &Person, now: Millis) -> Result<()> {
        sqlx::query("INSERT INTO person (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(person.id.to_string())
            .bind(person.name.clone())
            .bind(now.0)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Keeps the digest of a code.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_code(
        &mut self,
        digest: &str,
        person: PersonId,
        owner: &str,
        now: Millis,
        expires_at: Millis,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO enrolment_code (digest, person_id, owner, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(digest.to_owned())
        .bind(person.to_string())
        .bind(owner.to_owned())
        .bind(now.0)
        .bind(expires_at.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The code with this digest.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn code(&mut self, digest: &str) -> Result<Option<Code>> {
        let row = sqlx::query(
            "SELECT c.person_id, p.name, c.owner, c.expires_at, c.used_at
             FROM enrolment_code c JOIN person p ON p.id = c.person_id WHERE c.digest = $1",
        )
        .bind(digest.to_owned())
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| {
            let id: String = row.try_get(0)?;
            let used_at: Option<i64> = row.try_get(4)?;
            Ok(Code {
                person: Person { id: person_id(&id)?, name: row.try_get(1)? },
                owner: row.try_get(2)?,
                expires_at: Millis(row.try_get(3)?),
                used_at: used_at.map(Millis),
            })
        })
        .transpose()
    }

    /// Uses a code up; whether it was there to be used.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn use_code(&mut self, digest: &str, device: DeviceId, now: Millis) -> Result<bool> {
        let row = sqlx::query(
            "UPDATE enrolment_code SET used_at = $1, device_id = $2
             WHERE digest = $3 AND used_at IS NULL RETURNING digest",
        )
        .bind(now.0)
        .bind(device.to_string())
        .bind(digest.to_owned())
        .fetch_optional(self.connection())
        .await?;
        Ok(row.is_some())
    }
}

pub(crate) fn person_id(text: &str) -> Result<PersonId> {
    text.parse().map_err(|_| StoreError::inconsistent("person", "id", text, text))
}

//! The one-time codes with which people enrol devices. Only digests are kept.

use sqlx::Row;
use stead_model::{DeviceId, Employment, Millis, PersonId};

use crate::{Result, StoreError, Write, people::person_id};

/// An enrolment code, as stored.
#[derive(Clone, Debug)]
pub struct Code {
    /// Whom it was given to.
    pub person: PersonId,
    /// Their name.
    pub person_name: String,
    /// Where they are on the way from joining to having left.
    pub state: Employment,
    /// Who will own the device: `organisation` or `person`.
    pub owner: String,
    /// Until when it may be used.
    pub expires_at: Millis,
    /// When it was used.
    pub used_at: Option<Millis>,
    /// Who gave it, as the ledger names them; empty for a code from before this was kept.
    pub made_by: String,
}

impl Write {
    /// Keeps the digest of a code.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_code(
        &mut self,
        digest: &str,
        (person, made_by): (PersonId, &str),
        owner: &str,
        now: Millis,
        expires_at: Millis,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO enrolment_code (digest, person_id, owner, created_at, expires_at, made_by)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(digest.to_owned())
        .bind(person.to_string())
        .bind(owner.to_owned())
        .bind(now.0)
        .bind(expires_at.0)
        .bind(made_by.to_owned())
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
            "SELECT c.person_id, p.name, c.owner, c.expires_at, c.used_at, p.state, c.made_by
             FROM enrolment_code c JOIN person p ON p.id = c.person_id WHERE c.digest = $1",
        )
        .bind(digest.to_owned())
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| {
            let id: String = row.try_get(0)?;
            let used_at: Option<i64> = row.try_get(4)?;
            let state: String = row.try_get(5)?;
            Ok(Code {
                person: person_id(&id)?,
                person_name: row.try_get(1)?,
                state: Employment::from_word(&state)
                    .ok_or_else(|| StoreError::inconsistent("person", "state", id, state))?,
                owner: row.try_get(2)?,
                expires_at: Millis(row.try_get(3)?),
                used_at: used_at.map(Millis),
                made_by: row.try_get(6)?,
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

    /// Takes back every code that a person has not used.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_codes(&mut self, person: PersonId, now: Millis) -> Result<u64> {
        let done = sqlx::query(
            "UPDATE enrolment_code SET expires_at = $1
             WHERE person_id = $2 AND used_at IS NULL AND expires_at > $1",
        )
        .bind(now.0)
        .bind(person.to_string())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected())
    }
}

//! What people prove who they are with. Passwords are kept as argon2id hashes, recovery codes as digests,
//! secrets of authenticators sealed; what is in a passkey is public.

use sqlx::{Row, any::AnyRow};
use stead_model::{Millis, PersonId, RecordId};

use crate::{Result, Store, StoreError, Write, people::person_id};

/// A password.
#[derive(Clone)]
pub struct Password {
    /// Its hash, as a PHC string.
    pub hash: String,
    /// Whether it is too short to stand without a second factor.
    pub short: bool,
    /// When it was set.
    pub set_at: Millis,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Password(set at {})", self.set_at)
    }
}

/// An authenticator that shows codes by the time.
#[derive(Clone, Debug)]
pub struct Authenticator {
    /// Its secret, sealed.
    pub secret: String,
    /// When it was first proved to work; until then it opens nothing.
    pub confirmed_at: Option<Millis>,
    /// The step of the last code that was taken; none is taken twice.
    pub last_step: i64,
}

/// A passkey.
#[derive(Clone, Debug)]
pub struct Passkey {
    /// Its id, to name it by.
    pub id: RecordId,
    /// Whose it is.
    pub person: PersonId,
    /// What they call it.
    pub name: String,
    /// The credential, as the WebAuthn library writes it.
    pub passkey: String,
    /// When it was added.
    pub created_at: Millis,
    /// When it was last used.
    pub last_used: Option<Millis>,
}

const PASSKEY: &str = "SELECT id, person_id, name, passkey, created_at, last_used FROM passkey";

impl Store {
    /// A person's password.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn password(&self, person: PersonId) -> Result<Option<Password>> {
        let row = sqlx::query("SELECT hash, set_at, short FROM password WHERE person_id = $1")
            .bind(person.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| {
            let short: i64 = row.try_get(2)?;
            Ok(Password { hash: row.try_get(0)?, set_at: Millis(row.try_get(1)?), short: short != 0 })
        })
        .transpose()
    }

    /// A person's authenticator.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn authenticator(&self, person: PersonId) -> Result<Option<Authenticator>> {
        let row =
            sqlx::query("SELECT secret, confirmed_at, last_step FROM authenticator WHERE person_id = $1")
                .bind(person.to_string())
                .fetch_optional(&self.readers)
                .await?;
        row.map(|row| {
            let confirmed_at: Option<i64> = row.try_get(1)?;
            Ok(Authenticator {
                secret: row.try_get(0)?,
                confirmed_at: confirmed_at.map(Millis),
                last_step: row.try_get(2)?,
            })
        })
        .transpose()
    }

    /// How many recovery codes a person has left.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn recovery_codes(&self, person: PersonId) -> Result<i64> {
        let row = sqlx::query("SELECT COUNT(*) FROM recovery_code WHERE person_id = $1 AND used_at IS NULL")
            .bind(person.to_string())
            .fetch_one(&self.readers)
            .await?;
        Ok(row.try_get(0)?)
    }

    /// A person's passkeys, oldest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn passkeys(&self, person: PersonId) -> Result<Vec<Passkey>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{PASSKEY} WHERE person_id = $1 ORDER BY created_at, id LIMIT 50"
        )))
        .bind(person.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(passkey).collect()
    }

    /// The accounts elsewhere that sign a person in: issuer and since when.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn outside_identities(&self, person: PersonId) -> Result<Vec<(String, Millis)>> {
        let rows = sqlx::query(
            "SELECT issuer, created_at FROM outside_identity WHERE person_id = $1 ORDER BY created_at",
        )
        .bind(person.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, Millis(row.try_get(1)?)))).collect()
    }
}

impl Write {
    /// Sets a person's password.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn put_password(
        &mut self,
        person: PersonId,
        hash: &str,
        short: bool,
        now: Millis,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO password (person_id, hash, short, set_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash, short = excluded.short,
             set_at = excluded.set_at",
        )
        .bind(person.to_string())
        .bind(hash.to_owned())
        .bind(i64::from(short))
        .bind(now.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Takes a person's password away.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_password(&mut self, person: PersonId) -> Result<bool> {
        let done = sqlx::query("DELETE FROM password WHERE person_id = $1")
            .bind(person.to_string())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Begins an authenticator; one that was begun or confirmed before is replaced.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn put_authenticator(&mut self, person: PersonId, secret: &str, now: Millis) -> Result<()> {
        sqlx::query(
            "INSERT INTO authenticator (person_id, secret, begun_at, last_step) VALUES ($1, $2, $3, 0)
             ON CONFLICT (person_id) DO UPDATE SET secret = excluded.secret, begun_at = excluded.begun_at,
             confirmed_at = NULL, last_step = 0",
        )
        .bind(person.to_string())
        .bind(secret.to_owned())
        .bind(now.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Notes that the code of a step was taken; whether no code of it or of a later one was before.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn take_step(&mut self, person: PersonId, step: i64, now: Millis) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE authenticator SET last_step = $1, confirmed_at = COALESCE(confirmed_at, $2)
             WHERE person_id = $3 AND last_step < $1",
        )
        .bind(step)
        .bind(now.0)
        .bind(person.to_string())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes a person's authenticator and recovery codes away.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_authenticator(&mut self, person: PersonId) -> Result<bool> {
        sqlx::query("DELETE FROM recovery_code WHERE person_id = $1")
            .bind(person.to_string())
            .execute(self.connection())
            .await?;
        let done = sqlx::query("DELETE FROM authenticator WHERE person_id = $1")
            .bind(person.to_string())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Replaces a person's recovery codes by others, of which these are the digests.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn put_recovery_codes(
        &mut self,
        person: PersonId,
        digests: &[String],
        now: Millis,
    ) -> Result<()> {
        sqlx::query("DELETE FROM recovery_code WHERE person_id = $1")
            .bind(person.to_string())
            .execute(self.connection())
            .await?;
        for digest in digests {
            sqlx::query("INSERT INTO recovery_code (digest, person_id, created_at) VALUES ($1, $2, $3)")
                .bind(digest.clone())
                .bind(person.to_string())
                .bind(now.0)
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }

    /// Uses a recovery code up; whether it was there to be used.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn use_recovery_code(&mut self, person: PersonId, digest: &str, now: Millis) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE recovery_code SET used_at = $1 WHERE digest = $2 AND person_id = $3 AND used_at IS NULL",
        )
        .bind(now.0)
        .bind(digest.to_owned())
        .bind(person.to_string())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Adds a passkey. One that is there already is a [duplicate](StoreError::is_duplicate).
    ///
    /// # Errors
    /// When the store is away or the credential is known.
    pub async fn add_passkey(&mut self, passkey: &Passkey, credential: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO passkey (id, credential, person_id, name, passkey, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(passkey.id.to_string())
        .bind(credential.to_owned())
        .bind(passkey.person.to_string())
        .bind(passkey.name.clone())
        .bind(passkey.passkey.clone())
        .bind(passkey.created_at.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Notes that a passkey was used, with what it says now.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn use_passkey(&mut self, id: RecordId, passkey: &str, now: Millis) -> Result<()> {
        sqlx::query("UPDATE passkey SET passkey = $1, last_used = $2 WHERE id = $3")
            .bind(passkey.to_owned())
            .bind(now.0)
            .bind(id.to_string())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Takes one of a person's passkeys away; whether it was there.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_passkey(&mut self, person: PersonId, id: RecordId) -> Result<bool> {
        let done = sqlx::query("DELETE FROM passkey WHERE id = $1 AND person_id = $2")
            .bind(id.to_string())
            .bind(person.to_string())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// How many ways of signing in a person has: password, passkeys, accounts elsewhere.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ways_in(&mut self, person: PersonId) -> Result<i64> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM password WHERE person_id = $1)
                  + (SELECT COUNT(*) FROM passkey WHERE person_id = $1)
                  + (SELECT COUNT(*) FROM outside_identity WHERE person_id = $1)",
        )
        .bind(person.to_string())
        .fetch_one(self.connection())
        .await?;
        Ok(row.try_get(0)?)
    }

    /// The person whom an account elsewhere signs in.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn by_outside_identity(&mut self, issuer: &str, subject: &str) -> Result<Option<PersonId>> {
        let row = sqlx::query("SELECT person_id FROM outside_identity WHERE issuer = $1 AND subject = $2")
            .bind(issuer.to_owned())
            .bind(subject.to_owned())
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| person_id(&row.try_get::<String, _>(0)?)).transpose()
    }

    /// Whether somebody has an account elsewhere with this issuer.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn has_outside_identity(&mut self, person: PersonId, issuer: &str) -> Result<bool> {
        let row = sqlx::query("SELECT COUNT(*) FROM outside_identity WHERE person_id = $1 AND issuer = $2")
            .bind(person.to_string())
            .bind(issuer.to_owned())
            .fetch_one(self.connection())
            .await?;
        Ok(row.try_get::<i64, _>(0)? > 0)
    }

    /// Lets an account elsewhere sign a person in from now on.
    ///
    /// # Errors
    /// When the store is away or the account is somebody else's.
    pub async fn add_outside_identity(
        &mut self,
        issuer: &str,
        subject: &str,
        person: PersonId,
        now: Millis,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO outside_identity (issuer, subject, person_id, created_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(issuer.to_owned())
        .bind(subject.to_owned())
        .bind(person.to_string())
        .bind(now.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Takes away every way in that a person has.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_credentials(&mut self, person: PersonId) -> Result<()> {
        for text in [
            "DELETE FROM password WHERE person_id = $1",
            "DELETE FROM authenticator WHERE person_id = $1",
            "DELETE FROM recovery_code WHERE person_id = $1",
            "DELETE FROM passkey WHERE person_id = $1",
            "DELETE FROM outside_identity WHERE person_id = $1",
        ] {
            sqlx::query(text).bind(person.to_string()).execute(self.connection()).await?;
        }
        Ok(())
    }

    /// Keeps what a browser is in the middle of, and forgets what has expired.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_ceremony(
        &mut self,
        digest: &str,
        ceremony: &Ceremony,
        now: Millis,
        expires_at: Millis,
    ) -> Result<()> {
        sqlx::query("DELETE FROM ceremony WHERE expires_at <= $1")
            .bind(now.0)
            .execute(self.connection())
            .await?;
        sqlx::query(
            "INSERT INTO ceremony (digest, kind, person_id, state, expires_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(digest.to_owned())
        .bind(ceremony.kind.clone())
        .bind(ceremony.person.map(|id| id.to_string()))
        .bind(ceremony.state.clone())
        .bind(expires_at.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Takes out what a browser is in the middle of; it is there once.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn take_ceremony(&mut self, digest: &str, kind: &str, now: Millis) -> Result<Option<Ceremony>> {
        let row = sqlx::query(
            "DELETE FROM ceremony WHERE digest = $1 AND kind = $2 AND expires_at > $3
             RETURNING kind, person_id, state",
        )
        .bind(digest.to_owned())
        .bind(kind.to_owned())
        .bind(now.0)
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| {
            let person: Option<String> = row.try_get(1)?;
            Ok(Ceremony {
                kind: row.try_get(0)?,
                person: person.as_deref().map(person_id).transpose()?,
                state: row.try_get(2)?,
            })
        })
        .transpose()
    }
}

/// What a browser is in the middle of.
#[derive(Clone, Debug)]
pub struct Ceremony {
    /// Of what kind.
    pub kind: String,
    /// Whose it is, once that is known.
    pub person: Option<PersonId>,
    /// What must be remembered until the answer.
    pub state: String,
}

fn passkey(row: &AnyRow) -> Result<Passkey> {
    let id: String = row.try_get(0)?;
    let person: String = row.try_get(1)?;
    let last_used: Option<i64> = row.try_get(5)?;
    Ok(Passkey {
        id: id.parse().map_err(|_| StoreError::inconsistent("passkey", "id", &id, &id))?,
        person: person_id(&person)?,
        name: row.try_get(2)?,
        passkey: row.try_get(3)?,
        created_at: Millis(row.try_get(4)?),
        last_used: last_used.map(Millis),
    })
}

//! Tokens: what programs sign in with; and what was answered to their requests, should they send them again.

use sqlx::{Row, any::AnyRow};
use stead_model::{Millis, PersonId, RecordId, SessionId};

use crate::{Result, Store, StoreError, Write, people::person_id};

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: RecordId,
    /// Whose it is.
    pub person: PersonId,
    /// What they call it.
    pub name: String,
    /// What it may be used for: words of a list, with spaces between.
    pub scopes: String,
    /// When it was made.
    pub created_at: Millis,
    /// When it ends by itself.
    pub expires_at: Millis,
    /// When it was last used.
    pub last_used: Option<Millis>,
    /// When it was ended.
    pub ended_at: Option<Millis>,
}

/// What was answered to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The digest of the request.
    pub request: String,
    /// The status; none while it is being answered.
    pub status: Option<i64>,
    /// The answer, sealed.
    pub answer: String,
}

const COLUMNS: &str =
    "SELECT id, person_id, name, scopes, created_at, expires_at, last_used, ended_at FROM token";

impl Store {
    /// The token with this digest.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn token(&self, digest: &str) -> Result<Option<Token>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE digest = $1")))
            .bind(digest.to_owned())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(token).transpose()
    }

    /// A person's tokens that have not ended, newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn tokens(&self, person: PersonId, now: Millis) -> Result<Vec<Token>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE person_id = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY created_at DESC"
        )))
        .bind(person.to_string())
        .bind(now.0)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(token).collect()
    }

    /// What was answered to a request that bears this name.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn answered(&self, asker: &str, name: &str) -> Result<Option<Answered>> {
        let row = sqlx::query("SELECT request, status, answer FROM answered WHERE asker = $1 AND name = $2")
            .bind(asker.to_owned())
            .bind(name.to_owned())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| {
            Ok(Answered { request: row.try_get(0)?, status: row.try_get(1)?, answer: row.try_get(2)? })
        })
        .transpose()
    }
}

impl Write {
    /// Adds a token.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_token(&mut self, digest: &str, token: &Token) -> Result<()> {
        sqlx::query(
            "INSERT INTO token (id, digest, person_id, name, scopes, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(token.id.to_string())
        .bind(digest.to_owned())
        .bind(token.person.to_string())
        .bind(token.name.clone())
        .bind(token.scopes.clone())
        .bind(token.created_at.0)
        .bind(token.expires_at.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn touch_token(&mut self, id: RecordId, now: Millis) -> Result<()> {
        sqlx::query("UPDATE token SET last_used = $1 WHERE id = $2")
            .bind(now.0)
            .bind(id.to_string())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Ends one of a person's tokens; whether it was there.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_token(&mut self, person: PersonId, id: RecordId, now: Millis) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE token SET ended_at = $1 WHERE id = $2 AND person_id = $3 AND ended_at IS NULL",
        )
        .bind(now.0)
        .bind(id.to_string())
        .bind(person.to_string())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends every token of a person but one, which is named as the session that asks with it; how many.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_tokens(&mut self, person: PersonId, but: Option<SessionId>, now: Millis) -> Result<u64> {
        let done = sqlx::query(
            "UPDATE token SET ended_at = $1 WHERE person_id = $2 AND id <> $3 AND ended_at IS NULL",
        )
        .bind(now.0)
        .bind(person.to_string())
        .bind(but.map_or_else(String::new, |id| id.to_string()))
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected())
    }

    /// Notes that a request is being answered; whether it is the first that bears this name.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn begin_answer(
        &mut self,
        asker: &str,
        name: &str,
        request: &str,
        now: Millis,
    ) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO answered (asker, name, request, answer, at) VALUES ($1, $2, $3, '', $4)
             ON CONFLICT (asker, name) DO NOTHING",
        )
        .bind(asker.to_owned())
        .bind(name.to_owned())
        .bind(request.to_owned())
        .bind(now.0)
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Keeps what was answered; or, without an answer, forgets the request, so that it may be sent again.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_answer(&mut self, asker: &str, name: &str, answer: Option<(i64, &str)>) -> Result<()> {
        let query = match answer {
            Some((status, answer)) => {
                sqlx::query("UPDATE answered SET status = $3, answer = $4 WHERE asker = $1 AND name = $2")
                    .bind(asker.to_owned())
                    .bind(name.to_owned())
                    .bind(status)
                    .bind(answer.to_owned())
            }
            None => sqlx::query("DELETE FROM answered WHERE asker = $1 AND name = $2")
                .bind(asker.to_owned())
                .bind(name.to_owned()),
        };
        query.execute(self.connection()).await?;
        Ok(())
    }

    /// How many of somebody's tokens are good.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn good_tokens(&mut self, person: PersonId, now: Millis) -> Result<i64> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM token WHERE person_id = $1 AND ended_at IS NULL AND expires_at > $2",
        )
        .bind(person.to_string())
        .bind(now.0)
        .fetch_one(self.connection())
        .await?;
        Ok(row.try_get(0)?)
    }

    /// Forgets what was answered before a time.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn forget_answers(&mut self, before: Millis) -> Result<u64> {
        let done = sqlx::query("DELETE FROM answered WHERE at < $1")
            .bind(before.0)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }
}

fn token(row: &AnyRow) -> Result<Token> {
    let id: String = row.try_get(0)?;
    let last_used: Option<i64> = row.try_get(6)?;
    let ended_at: Option<i64> = row.try_get(7)?;
    Ok(Token {
        id: id.parse().map_err(|_| StoreError::inconsistent("token", "id", &id, &id))?,
        person: person_id(&row.try_get::<String, _>(1)?)?,
        name: row.try_get(2)?,
        scopes: row.try_get(3)?,
        created_at: Millis(row.try_get(4)?),
        expires_at: Millis(row.try_get(5)?),
        last_used: last_used.map(Millis),
        ended_at: ended_at.map(Millis),
    })
}

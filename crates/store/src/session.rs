//! One-time links and sessions. Only digests are kept: whoever reads the store cannot sign in with it.

use sqlx::{Row, any::AnyRow};
use stead_model::{Millis, PersonId, SessionId};

use crate::{Result, Store, StoreError, Write, people::person_id};

/// A session, as stored.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id, to name it by.
    pub id: SessionId,
    /// Whose it is.
    pub person: PersonId,
    /// How they signed in: `passkey`, `password`, `password+code`, `link`, `outside`.
    pub method: String,
    /// The browser, in words.
    pub browser: String,
    /// When it began.
    pub created_at: Millis,
    /// When it was last used, to the minute.
    pub last_used: Millis,
    /// When its holder last proved who they are.
    pub proved_at: Millis,
    /// When it was ended.
    pub ended_at: Option<Millis>,
}

/// A one-time link, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it is good for.
    pub kind: LinkKind,
    /// Whom it lets in.
    pub person: PersonId,
    /// Who made it, as the ledger names them; empty for a link from before this was kept.
    pub made_by: String,
}

/// What a one-time link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// Signs somebody in.
    SignIn,
    /// Lets somebody who was invited set up how they sign in.
    Invite,
    /// Lets somebody who cannot sign in any more set it up anew.
    Reset,
}

impl LinkKind {
    /// The word in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Invite => "invite",
            Self::Reset => "reset",
        }
    }

    /// The kind for a [`LinkKind::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::SignIn, Self::Invite, Self::Reset].into_iter().find(|kind| kind.word() == word)
    }
}

const COLUMNS: &str =
    "SELECT id, person_id, method, browser, created_at, last_used, proved_at, ended_at FROM session";

impl Store {
    /// The session with this digest.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn session(&self, digest: &str) -> Result<Option<Session>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE digest = $1")))
            .bind(digest.to_owned())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(session).transpose()
    }

    /// A person's sessions that began after a time and have not been ended, newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn sessions(&self, person: PersonId, since: Millis) -> Result<Vec<Session>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE person_id = $1 AND created_at > $2 AND ended_at IS NULL
             ORDER BY created_at DESC LIMIT 100"
        )))
        .bind(person.to_string())
        .bind(since.0)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(session).collect()
    }

    /// What a link is good for and whose it is, while it may be used.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn link(&self, digest: &str, now: Millis) -> Result<Option<Link>> {
        let row = sqlx::query(
            "SELECT kind, person_id, made_by FROM one_time_link
             WHERE digest = $1 AND used_at IS NULL AND expires_at > $2",
        )
        .bind(digest.to_owned())
        .bind(now.0)
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(link).transpose()
    }
}

impl Write {
    /// Keeps the digest of a one-time link.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_link(
        &mut self,
        digest: &str,
        kind: LinkKind,
        (person, made_by): (PersonId, &str),
        now: Millis,
        expires_at: Millis,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO one_time_link (digest, kind, person_id, created_at, expires_at, made_by)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(digest.to_owned())
        .bind(kind.word())
        .bind(person.to_string())
        .bind(now.0)
        .bind(expires_at.0)
        .bind(made_by.to_owned())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Uses a link up; what it was good for and whose it was, when it was there to be used.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn use_link(&mut self, digest: &str, now: Millis) -> Result<Option<Link>> {
        let row = sqlx::query(
            "UPDATE one_time_link SET used_at = $1
             WHERE digest = $2 AND used_at IS NULL AND expires_at > $1 RETURNING kind, person_id, made_by",
        )
        .bind(now.0)
        .bind(digest.to_owned())
        .fetch_optional(self.connection())
        .await?;
        row.as_ref().map(link).transpose()
    }

    /// Takes back every link of a person that has not been used; how many.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_links(&mut self, person: PersonId, now: Millis) -> Result<u64> {
        let done =
            sqlx::query("UPDATE one_time_link SET used_at = $1 WHERE person_id = $2 AND used_at IS NULL")
                .bind(now.0)
                .bind(person.to_string())
                .execute(self.connection())
                .await?;
        Ok(done.rows_affected())
    }

    /// Begins a session.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_session(&mut self, digest: &str, session: &Session) -> Result<()> {
        self.changes().sessions.insert(session.id);
        sqlx::query(
            "INSERT INTO session (id, digest, person_id, method, browser, created_at, last_used, proved_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(session.id.to_string())
        .bind(digest.to_owned())
        .bind(session.person.to_string())
        .bind(session.method.clone())
        .bind(session.browser.clone())
        .bind(session.created_at.0)
        .bind(session.last_used.0)
        .bind(session.proved_at.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn touch_session(&mut self, id: SessionId, now: Millis) -> Result<()> {
        sqlx::query("UPDATE session SET last_used = $1 WHERE id = $2 AND last_used < $1")
            .bind(now.0)
            .bind(id.to_string())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Notes that the holder of a session has proved anew who they are, and gives it another secret.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn prove_session(&mut self, id: SessionId, digest: &str, now: Millis) -> Result<()> {
        sqlx::query("UPDATE session SET proved_at = $1, digest = $2 WHERE id = $3 AND ended_at IS NULL")
            .bind(now.0)
            .bind(digest.to_owned())
            .bind(id.to_string())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Ends a person's session; whether it was there and not ended.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_session(&mut self, person: PersonId, id: SessionId, now: Millis) -> Result<bool> {
        self.changes().sessions.insert(id);
        let done = sqlx::query(
            "UPDATE session SET ended_at = $1 WHERE id = $2 AND person_id = $3 AND ended_at IS NULL",
        )
        .bind(now.0)
        .bind(id.to_string())
        .bind(person.to_string())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends every session of a person that began with a link and was never proved by anything else, with the tokens that
    /// were made since; how many sessions.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_link_sessions(&mut self, person: PersonId, now: Millis) -> Result<u64> {
        self.changes().sessions_of.insert(person);
        let done = sqlx::query(
            "UPDATE session SET ended_at = $1 WHERE person_id = $2 AND method = 'link' AND ended_at IS NULL",
        )
        .bind(now.0)
        .bind(person.to_string())
        .execute(self.connection())
        .await?;
        if done.rows_affected() > 0 {
            self.end_tokens(person, None, now).await?;
        }
        Ok(done.rows_affected())
    }

    /// Ends every session of a person but one; how many.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_sessions(
        &mut self,
        person: PersonId,
        but: Option<SessionId>,
        now: Millis,
    ) -> Result<u64> {
        self.changes().sessions_of.insert(person);
        let done = sqlx::query(
            "UPDATE session SET ended_at = $1 WHERE person_id = $2 AND id <> $3 AND ended_at IS NULL",
        )
        .bind(now.0)
        .bind(person.to_string())
        .bind(but.map_or_else(String::new, |id| id.to_string()))
        .execute(self.connection())
        .await?;
        // Whoever is halfway in, with a password that counts no more, begins again.
        sqlx::query("DELETE FROM ceremony WHERE person_id = $1")
            .bind(person.to_string())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }
}

fn link(row: &AnyRow) -> Result<Link> {
    let kind: String = row.try_get(0)?;
    let person: String = row.try_get(1)?;
    let known = LinkKind::from_word(&kind)
        .ok_or_else(|| StoreError::inconsistent("one_time_link", "kind", &person, kind))?;
    Ok(Link { kind: known, person: person_id(&person)?, made_by: row.try_get(2)? })
}

fn session(row: &AnyRow) -> Result<Session> {
    let id: String = row.try_get(0)?;
    let person: String = row.try_get(1)?;
    let ended_at: Option<i64> = row.try_get(7)?;
    Ok(Session {
        id: id.parse().map_err(|_| StoreError::inconsistent("session", "id", &id, &id))?,
        person: person_id(&person)?,
        method: row.try_get(2)?,
        browser: row.try_get(3)?,
        created_at: Millis(row.try_get(4)?),
        last_used: Millis(row.try_get(5)?),
        proved_at: Millis(row.try_get(6)?),
        ended_at: ended_at.map(Millis),
    })
}

//! Exceptions: somebody may go without keeping a rule until a named time.

use sqlx::{Row, any::AnyRow};
use stead_model::{Millis, PersonId, RecordId, Subject};

use crate::{Result, Store, StoreError, Write, people::person_id, within::Within};

/// How far an exception has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Somebody asked for it, and nobody has decided.
    Asked,
    /// It holds until its time.
    Granted,
    /// It was not given.
    Refused,
    /// Whoever asked took it back before it was decided, or whoever gave it ended it early.
    Withdrawn,
    /// Its time is over.
    Ended,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Asked, Self::Granted, Self::Refused, Self::Withdrawn, Self::Ended];

    /// The word on the wire and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Ended => "ended",
        }
    }

    /// The state for a [`State::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// An exception, asked for or given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Its id.
    pub id: RecordId,
    /// What kind of thing need not keep the rule.
    pub kind: Subject,
    /// Its id.
    pub subject: String,
    /// Its name, for a device; empty for a person.
    pub label: String,
    /// Whom it concerns.
    pub person: PersonId,
    /// Their name.
    pub person_name: String,
    /// The rule.
    pub rule: String,
    /// Who asked.
    pub asked_by: PersonId,
    /// When.
    pub asked_at: Millis,
    /// Why the rule cannot be kept.
    pub reason: String,
    /// What is done in its place.
    pub instead: String,
    /// Until when.
    pub until: Millis,
    /// How far it has come.
    pub state: State,
    /// Who decided.
    pub decided_by: Option<PersonId>,
    /// When.
    pub decided_at: Option<Millis>,
    /// Why so.
    pub words: String,
    /// The one that this goes on from.
    pub renews: Option<RecordId>,
    /// When it ended.
    pub ended_at: Option<Millis>,
}

const COLUMNS: &str =
    "e.id, e.kind, e.subject_id, e.label, e.person_id, p.name, e.rule, e.asked_by, e.asked_at,
    e.reason, e.instead, e.until, e.state, e.decided_by, e.decided_at, e.words, e.renews, e.ended_at";
const FROM: &str = "FROM policy_exception e JOIN person p ON p.id = e.person_id";

impl Store {
    /// The exception with this id.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn exception(&self, id: RecordId) -> Result<Option<Exception>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} {FROM} WHERE e.id = $1")))
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(exception).transpose()
    }

    /// What holds now, of everybody.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn exceptions_in_force(&self) -> Result<Vec<Exception>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} {FROM} WHERE e.state = 'granted' ORDER BY e.until, e.id"
        )))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(exception).collect()
    }

    /// What was asked for and is not decided, longest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn exceptions_asked(&self) -> Result<Vec<Exception>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} {FROM} WHERE e.state = 'asked' ORDER BY e.asked_at, e.id LIMIT 1000"
        )))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(exception).collect()
    }

    /// What was asked for people, newest first, before one that was seen: those in these states.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn exceptions(
        &self,
        within: &Within,
        states: &[State],
        before: Option<RecordId>,
        limit: i64,
    ) -> Result<Vec<Exception>> {
        let whose = match within {
            Within::All => within.text(3),
            // What one asked for somebody is one's own to see, wherever they work now.
            Within::Some { .. } => format!("({} OR e.asked_by = $3)", within.text(3)),
        };
        let states: Vec<String> = states.iter().map(|state| format!("'{}'", state.word())).collect();
        let query = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} {FROM} WHERE e.id < $1 AND e.state IN ({}) AND {} ORDER BY e.id DESC LIMIT $2",
            states.join(", "),
            whose
        )))
        .bind(before.map_or_else(|| "g".to_owned(), |id| id.to_string()))
        .bind(limit);
        let query = within.values().into_iter().fold(query, |query, value| query.bind(value));
        let rows = query.fetch_all(&self.readers).await?;
        rows.iter().map(exception).collect()
    }

    /// Those that concern a person, newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn exceptions_of(&self, person: PersonId) -> Result<Vec<Exception>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} {FROM} WHERE e.person_id = $1 ORDER BY e.asked_at DESC, e.id LIMIT 200"
        )))
        .bind(person.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(exception).collect()
    }
}

impl Write {
    /// Adds an exception that is asked for.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_exception(&mut self, exception: &Exception) -> Result<()> {
        sqlx::query(
            "INSERT INTO policy_exception (id, kind, subject_id, label, person_id, rule, asked_by, asked_at,
             reason, instead, until, state, words, renews)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', $13)",
        )
        .bind(exception.id.to_string())
        .bind(exception.kind.word())
        .bind(exception.subject.clone())
        .bind(exception.label.clone())
        .bind(exception.person.to_string())
        .bind(exception.rule.clone())
        .bind(exception.asked_by.to_string())
        .bind(exception.asked_at.0)
        .bind(exception.reason.clone())
        .bind(exception.instead.clone())
        .bind(exception.until.0)
        .bind(exception.state.word())
        .bind(exception.renews.map(|id| id.to_string()))
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Whether one for the same rule and thing waits to be decided.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn exception_waits(&mut self, kind: Subject, subject: &str, rule: &str) -> Result<bool> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM policy_exception
             WHERE kind = $1 AND subject_id = $2 AND rule = $3 AND state = 'asked'",
        )
        .bind(kind.word())
        .bind(subject.to_owned())
        .bind(rule.to_owned())
        .fetch_one(self.connection())
        .await?;
        Ok(row.try_get::<i64, _>(0)? > 0)
    }

    /// Moves an exception on that is still in the state it was seen in; whether it was.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn move_exception(&mut self, seen: State, exception: &Exception) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE policy_exception SET state = $3, until = $4, decided_by = $5, decided_at = $6, words = $7,
             ended_at = $8 WHERE id = $1 AND state = $2",
        )
        .bind(exception.id.to_string())
        .bind(seen.word())
        .bind(exception.state.word())
        .bind(exception.until.0)
        .bind(exception.decided_by.map(|by| by.to_string()))
        .bind(exception.decided_at.map(|at| at.0))
        .bind(exception.words.clone())
        .bind(exception.ended_at.map(|at| at.0))
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn exception(row: &AnyRow) -> Result<Exception> {
    let id: String = row.try_get(0)?;
    let wrong = |field: &'static str, value: String| StoreError::inconsistent("exception", field, &id, value);
    let record = |text: String| text.parse().map_err(|_| wrong("id", text));
    let (kind, state): (String, String) = (row.try_get(1)?, row.try_get(12)?);
    let time =
        |column: usize| -> Result<Option<Millis>> { Ok(row.try_get::<Option<i64>, _>(column)?.map(Millis)) };
    Ok(Exception {
        id: record(id.clone())?,
        kind: Subject::from_word(&kind).ok_or_else(|| wrong("kind", kind))?,
        subject: row.try_get(2)?,
        label: row.try_get(3)?,
        person: person_id(&row.try_get::<String, _>(4)?)?,
        person_name: row.try_get(5)?,
        rule: row.try_get(6)?,
        asked_by: person_id(&row.try_get::<String, _>(7)?)?,
        asked_at: Millis(row.try_get(8)?),
        reason: row.try_get(9)?,
        instead: row.try_get(10)?,
        until: Millis(row.try_get(11)?),
        state: State::from_word(&state).ok_or_else(|| wrong("state", state))?,
        decided_by: row.try_get::<Option<String>, _>(13)?.map(|by| person_id(&by)).transpose()?,
        decided_at: time(14)?,
        words: row.try_get(15)?,
        renews: row.try_get::<Option<String>, _>(16)?.map(record).transpose()?,
        ended_at: time(17)?,
    })
}

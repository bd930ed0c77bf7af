//! Deliveries: what is on its way out, each until it has arrived or is given up.

use sqlx::{Row, any::AnyRow};
use stead_model::{Millis, PersonId, RecordId};

use crate::{Result, Store, StoreError, Write, people::person_id, sql};

/// The states of a delivery.
pub const STATES: [&str; 3] = ["waiting", "sent", "dead"];

/// A message on its way out.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id; receivers know by it that they have had it already.
    pub id: RecordId,
    /// By which way: one word of a list.
    pub channel: String,
    /// To whom, when it is for a person.
    pub person: Option<PersonId>,
    /// Through which hook, when it goes through one.
    pub hook: Option<RecordId>,
    /// The message, sealed; empty once it has arrived.
    pub message: String,
    /// `waiting`, `sent` or `dead`.
    pub state: String,
    /// When it was written.
    pub created_at: Millis,
    /// When it is tried next.
    pub due: Millis,
    /// How often it was tried.
    pub tries: i64,
    /// Why the last try failed.
    pub error: String,
    /// When it arrived or was given up.
    pub ended_at: Option<Millis>,
}

const COLUMNS: &str = "SELECT id, channel, person_id, hook_id, message, state, created_at, due, tries, \
    error, ended_at FROM delivery";

impl Store {
    /// Deliveries in a state, newest first, before one that was shown.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn deliveries(
        &self,
        state: &str,
        before: Option<(Millis, RecordId)>,
        limit: i64,
    ) -> Result<Vec<Delivery>> {
        let (at, id) = before.map_or((i64::MAX, "~".to_owned()), |(at, id)| (at.0, id.to_string()));
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE state = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3))
             ORDER BY created_at DESC, id DESC LIMIT $4"
        )))
        .bind(state.to_owned())
        .bind(at)
        .bind(id)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(delivery).collect()
    }

    /// What is on its way and waits for nobody to ask for it, what is tried next first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn deliveries_going(&self, limit: i64) -> Result<Vec<Delivery>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE state = 'waiting' AND channel <> 'desktop' ORDER BY due, id LIMIT $1"
        )))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(delivery).collect()
    }

    /// How many deliveries are in each state.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn deliveries_by_state(&self) -> Result<Vec<(String, i64)>> {
        let rows = sqlx::query("SELECT state, COUNT(*) FROM delivery GROUP BY state ORDER BY state")
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Whether anything is due.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn delivery_is_due(&self, now: Millis) -> Result<bool> {
        let row = sqlx::query(
            "SELECT id FROM delivery WHERE state = 'waiting' AND due <= $1 AND channel <> 'desktop' LIMIT 1",
        )
        .bind(now.0)
        .fetch_optional(&self.readers)
        .await?;
        Ok(row.is_some())
    }

    /// What waits for one of a person's computers to ask for it, oldest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn desktop_waiting(&self, person: PersonId) -> Result<Vec<Delivery>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE person_id = $1 AND state = 'waiting' AND channel = 'desktop'
             ORDER BY created_at, id LIMIT 20"
        )))
        .bind(person.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(delivery).collect()
    }
}

impl Write {
    /// Puts messages on their way.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_deliveries(&mut self, deliveries: Vec<Delivery>) -> Result<()> {
        let rows = deliveries
            .into_iter()
            .map(|delivery| {
                [
                    delivery.id.to_string().into(),
                    delivery.channel.into(),
                    delivery.person.map(|id| id.to_string()).into(),
                    delivery.hook.map(|id| id.to_string()).into(),
                    delivery.message.into(),
                    delivery.state.into(),
                    delivery.created_at.0.into(),
                    delivery.due.0.into(),
                    delivery.tries.into(),
                    delivery.error.into(),
                ]
            })
            .collect();
        let head = "INSERT INTO delivery
            (id, channel, person_id, hook_id, message, state, created_at, due, tries, error)";
        sql::write_many(self.connection(), head, rows, "").await?;
        Ok(())
    }

    /// Takes what is due in hand: nobody else tries it until `until`.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn claim_deliveries(
        &mut self,
        now: Millis,
        until: Millis,
        limit: i64,
    ) -> Result<Vec<Delivery>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE state = 'waiting' AND due <= $1 AND channel <> 'desktop' ORDER BY due LIMIT $2"
        )))
        .bind(now.0)
        .bind(limit)
        .fetch_all(self.connection())
        .await?;
        let claimed: Vec<Delivery> = rows.iter().map(delivery).collect::<Result<_>>()?;
        for delivery in &claimed {
            sqlx::query("UPDATE delivery SET due = $1 WHERE id = $2")
                .bind(until.0)
                .bind(delivery.id.to_string())
                .execute(self.connection())
                .await?;
        }
        Ok(claimed)
    }

    /// Notes how a try went that was in hand until `until`: what has arrived is forgotten, what is given up is
    /// kept for another try. What somebody else has in hand by now is theirs to note.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn note_delivery(&mut self, delivery: &Delivery, until: Millis) -> Result<()> {
        sqlx::query(
            "UPDATE delivery SET message = $1, state = $2, due = $3, tries = $4, error = $5, ended_at = $6
             WHERE id = $7 AND state = 'waiting' AND due = $8",
        )
        .bind(delivery.message.clone())
        .bind(delivery.state.clone())
        .bind(delivery.due.0)
        .bind(delivery.tries)
        .bind(delivery.error.clone())
        .bind(delivery.ended_at.map(|at| at.0))
        .bind(delivery.id.to_string())
        .bind(until.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Notes that one of a person's computers has shown these.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn shown_on_desktop(&mut self, person: PersonId, ids: &[RecordId], now: Millis) -> Result<()> {
        for id in ids {
            sqlx::query(
                "UPDATE delivery SET state = 'sent', message = '', tries = tries + 1, ended_at = $1
                 WHERE id = $2 AND person_id = $3 AND channel = 'desktop' AND state = 'waiting'",
            )
            .bind(now.0)
            .bind(id.to_string())
            .bind(person.to_string())
            .execute(self.connection())
            .await?;
        }
        Ok(())
    }

    /// Lets what was given up be tried again; whether it was there.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn retry_delivery(&mut self, id: RecordId, now: Millis) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE delivery SET state = 'waiting', due = $1, tries = 0, ended_at = NULL
             WHERE id = $2 AND state = 'dead'",
        )
        .bind(now.0)
        .bind(id.to_string())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The same for everything that was given up; how many.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn retry_deliveries(&mut self, now: Millis) -> Result<u64> {
        let done = sqlx::query(
            "UPDATE delivery SET state = 'waiting', due = $1, tries = 0, ended_at = NULL
             WHERE state = 'dead'",
        )
        .bind(now.0)
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected())
    }

    /// Deletes notices and deliveries written before a time; how many.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn forget_notices(&mut self, notices: Millis, deliveries: Millis) -> Result<u64> {
        let one = sqlx::query("DELETE FROM notice WHERE at < $1")
            .bind(notices.0)
            .execute(self.connection())
            .await?;
        let two = sqlx::query("DELETE FROM delivery WHERE created_at < $1")
            .bind(deliveries.0)
            .execute(self.connection())
            .await?;
        Ok(one.rows_affected() + two.rows_affected())
    }
}

fn delivery(row: &AnyRow) -> Result<Delivery> {
    let record = |text: &str| -> Result<RecordId> {
        text.parse().map_err(|_| StoreError::inconsistent("delivery", "id", text, text))
    };
    let person: Option<String> = row.try_get(2)?;
    let hook: Option<String> = row.try_get(3)?;
    let ended_at: Option<i64> = row.try_get(10)?;
    Ok(Delivery {
        id: record(&row.try_get::<String, _>(0)?)?,
        channel: row.try_get(1)?,
        person: person.as_deref().map(person_id).transpose()?,
        hook: hook.as_deref().map(record).transpose()?,
        message: row.try_get(4)?,
        state: row.try_get(5)?,
        created_at: Millis(row.try_get(6)?),
        due: Millis(row.try_get(7)?),
        tries: row.try_get(8)?,
        error: row.try_get(9)?,
        ended_at: ended_at.map(Millis),
    })
}

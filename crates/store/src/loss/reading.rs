//! Reading losses.

use sqlx::{Row, any::AnyRow};
use stead_model::{DeviceId, Millis, PersonId, RecordId, loss::Thing};

use super::{Card, Door, Loss, State, Step};
use crate::{
    Result, Store, StoreError, case::Event, device::device_id, people::person_id, unit::unit_id,
    within::Within,
};

const COLUMNS: &str = "l.id, l.person_id, p.name, l.unit_id, u.name, l.thing, l.device_id, l.label, l.stolen,
    l.practice, l.way, l.told_by, l.told_at, l.noticed_at, l.words, l.evidence, l.salt, l.state, l.risk, l.heard_at,
    l.obeyed_at, l.back_at, l.closed_at, l.revision, l.kept";
const FROM: &str = "FROM loss l JOIN person p ON p.id = l.person_id JOIN unit u ON u.id = l.unit_id";

impl Store {
    /// The loss with this id.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn loss(&self, id: RecordId) -> Result<Option<Loss>> {
        self.one_loss("l.id = $1", id.to_string()).await
    }

    /// The loss for which a device is shut out.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn loss_of_device(&self, device: DeviceId) -> Result<Option<Loss>> {
        self.one_loss("l.device_id = $1 AND l.practice = 0 AND l.back_at IS NULL", device.to_string()).await
    }

    async fn one_loss(&self, which: &str, value: String) -> Result<Option<Loss>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} {FROM} WHERE {which}")))
            .bind(value)
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(loss).transpose()
    }

    /// Somebody's losses, newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn losses_of(&self, person: PersonId) -> Result<Vec<Loss>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} {FROM} WHERE l.person_id = $1 ORDER BY l.told_at DESC, l.id DESC LIMIT 200"
        )))
        .bind(person.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(loss).collect()
    }

    /// Losses of people that are no practice, newest first, before one that was seen: those that are closed, or those
    /// that are not.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn losses(
        &self,
        within: &Within,
        closed: bool,
        before: Option<RecordId>,
        limit: i64,
    ) -> Result<Vec<Loss>> {
        let which = if closed { "l.state = 'closed'" } else { "l.state <> 'closed'" };
        let query = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} {FROM} WHERE {which} AND l.practice = 0 AND l.id < $1 AND {}
             ORDER BY l.id DESC LIMIT $2",
            within.text(3)
        )))
        .bind(before.map_or_else(|| "g".to_owned(), |id| id.to_string()))
        .bind(limit);
        let query = within.values().into_iter().fold(query, |query, value| query.bind(value));
        query.fetch_all(&self.readers).await?.iter().map(loss).collect()
    }

    /// The doors that were shut for a loss.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn loss_doors(&self, id: RecordId) -> Result<Vec<Door>> {
        let rows = sqlx::query("SELECT door, shut_at, n, open_at FROM loss_door WHERE loss_id = $1")
            .bind(id.to_string())
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Door {
                    door: row.try_get(0)?,
                    shut_at: Millis(row.try_get(1)?),
                    n: row.try_get(2)?,
                    open_at: row.try_get::<Option<i64>, _>(3)?.map(Millis),
                })
            })
            .collect()
    }

    /// The steps that follow a loss, in their order.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn loss_steps(&self, id: RecordId) -> Result<Vec<Step>> {
        let rows = sqlx::query(
            "SELECT name, asks, taker, due_at, done_at, done_by, words FROM loss_step WHERE loss_id = $1 ORDER BY place",
        )
        .bind(id.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| step(row, 0)).collect()
    }

    /// Steps of losses that are not closed, which are due by then and not done, soonest first, with their loss; those
    /// after one, where one is given.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn loss_steps_due(
        &self,
        by: Millis,
        after: Option<&(Loss, Step)>,
        limit: i64,
    ) -> Result<Vec<(Loss, Step)>> {
        let (due, id, name) = after.map_or((i64::MIN, String::new(), String::new()), |(loss, step)| {
            (step.due_at.map_or(i64::MIN, |due| due.0), loss.id.to_string(), step.name.clone())
        });
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS}, s.name, s.asks, s.taker, s.due_at, s.done_at, s.done_by, s.words
             FROM loss_step s JOIN loss l ON l.id = s.loss_id JOIN person p ON p.id = l.person_id
             JOIN unit u ON u.id = l.unit_id
             WHERE s.done_at IS NULL AND s.due_at <= $1 AND l.practice = 0
               AND l.state NOT IN ('closed', 'mistaken')
               AND (s.due_at > $2 OR (s.due_at = $2 AND (l.id > $3 OR (l.id = $3 AND s.name > $4))))
             ORDER BY s.due_at, l.id, s.name LIMIT $5"
        )))
        .bind(by.0)
        .bind(due)
        .bind(id)
        .bind(name)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((loss(row)?, step(row, 25)?))).collect()
    }

    /// What happened, in order.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn loss_events(&self, id: RecordId) -> Result<Vec<Event>> {
        let rows = sqlx::query("SELECT at, by_id, kind, words FROM loss_event WHERE loss_id = $1 ORDER BY n")
            .bind(id.to_string())
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Event {
                    at: Millis(row.try_get(0)?),
                    by: somebody(row.try_get(1)?)?,
                    kind: row.try_get(2)?,
                    words: row.try_get(3)?,
                })
            })
            .collect()
    }

    /// How many links, codes and calendars of somebody, made up to a time, still open something.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn open_links(&self, person: PersonId, made_by: Millis, now: Millis) -> Result<i64> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM one_time_link
                     WHERE person_id = $1 AND created_at <= $2 AND used_at IS NULL AND expires_at > $3)
                  + (SELECT COUNT(*) FROM enrolment_code
                     WHERE person_id = $1 AND created_at <= $2 AND used_at IS NULL AND expires_at > $3)
                  + (SELECT COUNT(*) FROM calendar_feed WHERE person_id = $1 AND created_at <= $2)",
        )
        .bind(person.to_string())
        .bind(made_by.0)
        .bind(now.0)
        .fetch_one(&self.readers)
        .await?;
        Ok(row.try_get(0)?)
    }

    /// Somebody's wallet card.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn loss_card(&self, person: PersonId) -> Result<Option<Card>> {
        self.one_card("person_id", person.to_string()).await
    }

    /// The wallet card with this digest.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn loss_card_by(&self, digest: &str) -> Result<Option<Card>> {
        self.one_card("digest", digest.to_owned()).await
    }

    async fn one_card(&self, column: &str, value: String) -> Result<Option<Card>> {
        let text = format!("SELECT person_id, made_at, used_at FROM loss_card WHERE {column} = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(value).fetch_optional(&self.readers).await?;
        row.map(|row| {
            Ok(Card {
                person: person_id(&row.try_get::<String, _>(0)?)?,
                made_at: Millis(row.try_get(1)?),
                used_at: row.try_get::<Option<i64>, _>(2)?.map(Millis),
            })
        })
        .transpose()
    }
}

fn somebody(id: String) -> Result<Option<PersonId>> {
    (!id.is_empty()).then(|| person_id(&id)).transpose()
}

fn step(row: &AnyRow, from: usize) -> Result<Step> {
    let time = |column: usize| -> Result<Option<Millis>> {
        Ok(row.try_get::<Option<i64>, _>(from + column)?.map(Millis))
    };
    Ok(Step {
        name: row.try_get(from)?,
        asks: row.try_get(from + 1)?,
        taker: row.try_get(from + 2)?,
        due_at: time(3)?,
        done_at: time(4)?,
        done_by: somebody(row.try_get(from + 5)?)?,
        words: row.try_get(from + 6)?,
    })
}

fn loss(row: &AnyRow) -> Result<Loss> {
    let id: String = row.try_get(0)?;
    let wrong = |field: &'static str, value: String| StoreError::inconsistent("loss", field, &id, value);
    let (thing, state): (String, String) = (row.try_get(5)?, row.try_get(17)?);
    let device: Option<String> = row.try_get(6)?;
    let time =
        |column: usize| -> Result<Option<Millis>> { Ok(row.try_get::<Option<i64>, _>(column)?.map(Millis)) };
    Ok(Loss {
        id: id.parse().map_err(|_| wrong("id", id.clone()))?,
        person: person_id(&row.try_get::<String, _>(1)?)?,
        person_name: row.try_get(2)?,
        unit: unit_id(&row.try_get::<String, _>(3)?)?,
        unit_name: row.try_get(4)?,
        thing: Thing::from_word(&thing).ok_or_else(|| wrong("thing", thing))?,
        device: device.as_deref().map(device_id).transpose()?,
        label: row.try_get(7)?,
        stolen: row.try_get::<i64, _>(8)? != 0,
        practice: row.try_get::<i64, _>(9)? != 0,
        way: row.try_get(10)?,
        told_by: somebody(row.try_get(11)?)?,
        told_at: Millis(row.try_get(12)?),
        noticed_at: Millis(row.try_get(13)?),
        words: row.try_get(14)?,
        evidence: row.try_get(15)?,
        salt: row.try_get(16)?,
        state: State::from_word(&state).ok_or_else(|| wrong("state", state))?,
        risk: row.try_get(18)?,
        heard_at: time(19)?,
        obeyed_at: time(20)?,
        back_at: time(21)?,
        closed_at: time(22)?,
        revision: row.try_get(23)?,
        kept: match row.try_get::<String, _>(24)?.as_str() {
            "" => None,
            session => Some(session.parse().map_err(|_| wrong("kept", session.to_owned()))?),
        },
    })
}

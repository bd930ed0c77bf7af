//! Losses: what was lost, the doors that were shut for it, the steps that follow, and what happened.

use sqlx::{Row, any::AnyRow};
use stead_model::{DeviceId, Millis, PersonId, RecordId, SessionId, UnitId, loss::Thing};

use crate::{
    Result, Store, StoreError, Write, case::Event, device::device_id, people::person_id, unit::unit_id,
    within::Within,
};

/// How far a loss has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// It is lost.
    Open,
    /// It is there again, and not let in yet.
    Found,
    /// It was never gone; what can be is as before.
    Mistaken,
    /// It is there again, and was let in.
    Back,
    /// Nothing is left to do.
    Closed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Open, Self::Found, Self::Mistaken, Self::Back, Self::Closed];

    /// The word on the wire and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Found => "found",
            Self::Mistaken => "mistaken",
            Self::Back => "back",
            Self::Closed => "closed",
        }
    }

    /// The state for a [`State::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Its id.
    pub id: RecordId,
    /// Whose thing it is.
    pub person: PersonId,
    /// Their name.
    pub person_name: String,
    /// Their unit when it was told.
    pub unit: UnitId,
    /// The name of that unit.
    pub unit_name: String,
    /// What kind of thing.
    pub thing: Thing,
    /// The enrolled device that it is.
    pub device: Option<DeviceId>,
    /// What it is called.
    pub label: String,
    /// Whether somebody took it.
    pub stolen: bool,
    /// Whether it is practice: nothing was shut.
    pub practice: bool,
    /// How it was told: `page`, `card` or `command`.
    pub way: String,
    /// Who told it; none by card, which anybody may hold.
    pub told_by: Option<PersonId>,
    /// When it was told.
    pub told_at: Millis,
    /// When it was noticed, as they say.
    pub noticed_at: Millis,
    /// What they said.
    pub words: String,
    /// What was last known of it, as JSON; never changed.
    pub evidence: String,
    /// What the ledger's digest of the evidence was salted with, hexadecimal.
    pub salt: String,
    /// The session that told it last, which was left open.
    pub kept: Option<SessionId>,
    /// How far it has come.
    pub state: State,
    /// Whether somebody's data is at risk: `none`, `unlikely` or `likely`; empty before that is decided.
    pub risk: String,
    /// When the device was first heard again.
    pub heard_at: Option<Millis>,
    /// When it said that it has locked itself and forgotten its keys.
    pub obeyed_at: Option<Millis>,
    /// When it was let in again.
    pub back_at: Option<Millis>,
    /// When nothing was left to do.
    pub closed_at: Option<Millis>,
    /// Counts its changes.
    pub revision: i64,
}

impl Loss {
    /// Whether nothing says that it was in other hands: nobody that it was taken or found, and it was not heard of.
    #[must_use]
    pub fn in_hand(&self) -> bool {
        self.state == State::Open && !self.stolen && self.heard_at.is_none()
    }
}

/// A door that was shut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Which, by name.
    pub door: String,
    /// When.
    pub shut_at: Millis,
    /// How many things went through it.
    pub n: i64,
    /// When it was opened again.
    pub open_at: Option<Millis>,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name in the policy.
    pub name: String,
    /// What was asked when the loss was told, in English.
    pub asks: String,
    /// Who takes it: `person`, or a role.
    pub taker: String,
    /// By when.
    pub due_at: Option<Millis>,
    /// When it was done.
    pub done_at: Option<Millis>,
    /// By whom.
    pub done_by: Option<PersonId>,
    /// What they said, with a reference where there is one.
    pub words: String,
}

/// Somebody's wallet card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Whose.
    pub person: PersonId,
    /// When it was made.
    pub made_at: Millis,
    /// When something was last told with it.
    pub used_at: Option<Millis>,
}

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

    /// Steps of losses that are not closed, which are due by then and not done, soonest first, with their loss.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn loss_steps_due(&self, by: Millis, limit: i64) -> Result<Vec<(Loss, Step)>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS}, s.name, s.asks, s.taker, s.due_at, s.done_at, s.done_by, s.words
             FROM loss_step s JOIN loss l ON l.id = s.loss_id JOIN person p ON p.id = l.person_id
             JOIN unit u ON u.id = l.unit_id
             WHERE s.done_at IS NULL AND s.due_at <= $1 AND l.practice = 0
               AND l.state NOT IN ('closed', 'mistaken') ORDER BY s.due_at, l.id LIMIT $2"
        )))
        .bind(by.0)
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

impl Write {
    /// Adds a loss; false when the device is shut out for another already.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_loss(&mut self, loss: &Loss) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO loss (id, person_id, unit_id, thing, device_id, label, stolen, practice, way, told_by,
             told_at, noticed_at, words, evidence, salt, state, kept, risk, revision)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, '', 1)
             ON CONFLICT DO NOTHING",
        )
        .bind(loss.id.to_string())
        .bind(loss.person.to_string())
        .bind(loss.unit.to_string())
        .bind(loss.thing.word())
        .bind(loss.device.map(|device| device.to_string()))
        .bind(loss.label.clone())
        .bind(i64::from(loss.stolen))
        .bind(i64::from(loss.practice))
        .bind(loss.way.clone())
        .bind(loss.told_by.map_or_else(String::new, |by| by.to_string()))
        .bind(loss.told_at.0)
        .bind(loss.noticed_at.0)
        .bind(loss.words.clone())
        .bind(loss.evidence.clone())
        .bind(loss.salt.clone())
        .bind(loss.state.word())
        .bind(kept(loss))
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes a loss over the revision before; whether that was the one that is stored.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn put_loss(&mut self, loss: &Loss) -> Result<bool> {
        let time = |time: Option<Millis>| time.map(|time| time.0);
        let done = sqlx::query(
            "UPDATE loss SET state = $3, risk = $4, heard_at = $5, obeyed_at = $6, back_at = $7, closed_at = $8,
             kept = $9, revision = $2 WHERE id = $1 AND revision = $2 - 1",
        )
        .bind(loss.id.to_string())
        .bind(loss.revision)
        .bind(loss.state.word())
        .bind(loss.risk.clone())
        .bind(time(loss.heard_at))
        .bind(time(loss.obeyed_at))
        .bind(time(loss.back_at))
        .bind(time(loss.closed_at))
        .bind(kept(loss))
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes down that a door was shut; of one that was shut before, when that was last, and what went through since.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_loss_door(&mut self, loss: RecordId, door: &Door) -> Result<()> {
        sqlx::query(
            "INSERT INTO loss_door (loss_id, door, shut_at, n) VALUES ($1, $2, $3, $4)
             ON CONFLICT (loss_id, door) DO UPDATE SET shut_at = $3, n = loss_door.n + $4",
        )
        .bind(loss.to_string())
        .bind(door.door.clone())
        .bind(door.shut_at.0)
        .bind(door.n)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Writes down that a door is open again.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn open_loss_door(&mut self, loss: RecordId, door: &str, now: Millis) -> Result<()> {
        sqlx::query("UPDATE loss_door SET open_at = $3 WHERE loss_id = $1 AND door = $2 AND open_at IS NULL")
            .bind(loss.to_string())
            .bind(door.to_owned())
            .bind(now.0)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Adds the steps that follow a loss, in their order.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_loss_steps(&mut self, loss: RecordId, steps: &[Step]) -> Result<()> {
        for (place, step) in (0i64..).zip(steps) {
            sqlx::query(
                "INSERT INTO loss_step (loss_id, place, name, asks, taker, due_at, done_by, words)
                 VALUES ($1, $2, $3, $4, $5, $6, '', '')",
            )
            .bind(loss.to_string())
            .bind(place)
            .bind(step.name.clone())
            .bind(step.asks.clone())
            .bind(step.taker.clone())
            .bind(step.due_at.map(|due| due.0))
            .execute(self.connection())
            .await?;
        }
        Ok(())
    }

    /// Writes down that a step was done; whether it was not yet.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn do_loss_step(
        &mut self,
        loss: RecordId,
        name: &str,
        by: PersonId,
        words: &str,
        now: Millis,
    ) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE loss_step SET done_at = $3, done_by = $4, words = $5
             WHERE loss_id = $1 AND name = $2 AND done_at IS NULL",
        )
        .bind(loss.to_string())
        .bind(name.to_owned())
        .bind(now.0)
        .bind(by.to_string())
        .bind(words.to_owned())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes down what happened.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_loss_event(&mut self, loss: RecordId, event: &Event) -> Result<()> {
        sqlx::query(
            "INSERT INTO loss_event (loss_id, n, at, by_id, kind, words)
             SELECT $1, COUNT(*), $2, $3, $4, $5 FROM loss_event WHERE loss_id = $1",
        )
        .bind(loss.to_string())
        .bind(event.at.0)
        .bind(event.by.map_or_else(String::new, |by| by.to_string()))
        .bind(event.kind.clone())
        .bind(event.words.clone())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Keeps the digest of somebody's wallet card in the place of the one before.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn set_loss_card(&mut self, person: PersonId, digest: &str, now: Millis) -> Result<()> {
        sqlx::query(
            "INSERT INTO loss_card (person_id, digest, made_at) VALUES ($1, $2, $3)
             ON CONFLICT (person_id) DO UPDATE SET digest = $2, made_at = $3, used_at = NULL",
        )
        .bind(person.to_string())
        .bind(digest.to_owned())
        .bind(now.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Notes that something was told with somebody's wallet card.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn use_loss_card(&mut self, person: PersonId, now: Millis) -> Result<()> {
        sqlx::query("UPDATE loss_card SET used_at = $2 WHERE person_id = $1")
            .bind(person.to_string())
            .bind(now.0)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Takes somebody's wallet card back; whether there was one.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_loss_card(&mut self, person: PersonId) -> Result<bool> {
        let done = sqlx::query("DELETE FROM loss_card WHERE person_id = $1")
            .bind(person.to_string())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Marks a device that is not heard any more as lost.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn lose_device(&mut self, device: DeviceId, now: Millis) -> Result<()> {
        self.changes().devices.insert(device);
        sqlx::query("UPDATE device SET lost_at = $2 WHERE id = $1")
            .bind(device.to_string())
            .bind(now.0)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Shuts a lost device out for good; whether it could have come back.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn keep_out_lost_device(&mut self, device: DeviceId, now: Millis) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE device SET revoked_at = $2 WHERE id = $1 AND revoked_at = lost_at AND $2 > lost_at",
        )
        .bind(device.to_string())
        .bind(now.0)
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Lets a device be heard again that was shut out for a loss, and for nothing else; whether it was.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn bring_back_device(&mut self, device: DeviceId) -> Result<bool> {
        self.changes().devices.insert(device);
        let done = sqlx::query(
            "UPDATE device SET lost_at = NULL, revoked_at = NULL WHERE id = $1 AND revoked_at = lost_at",
        )
        .bind(device.to_string())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn kept(loss: &Loss) -> String {
    loss.kept.map_or_else(String::new, |session| session.to_string())
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

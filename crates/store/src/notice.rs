//! Notices: what people are told, and how they want to be told it.

use sqlx::{Row, any::AnyRow};
use stead_model::{Employment, Millis, PersonId, Role, UnitId};

use crate::{
    Result, Store, StoreError, Write, attestation::WAITS, ledger, people::person_id, sql, unit::unit_id,
    write::number,
};

/// One thing to tell one person.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// Whom.
    pub person: PersonId,
    /// What it is about: one word of a list.
    pub topic: String,
    /// What it comes from. The same person is told of the same thing once.
    pub source: String,
    /// When it happened.
    pub at: Millis,
    /// The message that says it.
    pub say: String,
    /// What the message is given, as a JSON object of texts.
    pub given: String,
    /// Where it is looked into or done.
    pub link: String,
    /// When it may go out.
    pub hold_until: Millis,
    /// When it went out; none while it waits.
    pub told_at: Option<Millis>,
}

/// How somebody wants to be told. The words for how soon belong to the flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// How soon about their devices.
    pub devices: String,
    /// How soon about what waits for them.
    pub tasks: String,
    /// How soon about their record.
    pub record: String,
    /// Whether by mail.
    pub mail: bool,
    /// Whether on their computer.
    pub desktop: bool,
    /// Their name in the organisation's chat; empty for not there.
    pub chat: String,
}

const COLUMNS: &str =
    "SELECT id, person_id, topic, source, at, say, given, link, hold_until, told_at FROM notice";

impl Store {
    /// Somebody's notices before a moment, newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn notices(&self, person: PersonId, limit: i64) -> Result<Vec<Notice>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE person_id = $1 ORDER BY at DESC, id DESC LIMIT $2"
        )))
        .bind(person.to_string())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(notice).collect()
    }

    /// How somebody wants to be told, when they have said so.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn notice_choice(&self, person: PersonId) -> Result<Option<Choice>> {
        let row = sqlx::query(
            "SELECT devices, tasks, record, mail, desktop, chat FROM notice_choice WHERE person_id = $1",
        )
        .bind(person.to_string())
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| {
            Ok(Choice {
                devices: row.try_get(0)?,
                tasks: row.try_get(1)?,
                record: row.try_get(2)?,
                mail: row.try_get::<i64, _>(3)? == 1,
                desktop: row.try_get::<i64, _>(4)? == 1,
                chat: row.try_get(5)?,
            })
        })
        .transpose()
    }

    /// People for whom something may go out now. Those who were told something after `lately` wait, but for
    /// what is about their account, which comes first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn to_be_told(&self, now: Millis, lately: Millis, limit: i64) -> Result<Vec<PersonId>> {
        let rows = sqlx::query(
            "SELECT n.person_id FROM notice n LEFT JOIN notice_last l ON l.person_id = n.person_id
             WHERE n.told_at IS NULL AND n.hold_until <= $1
               AND (l.told_at IS NULL OR l.told_at <= $2 OR n.topic = 'account')
             GROUP BY n.person_id
             ORDER BY MIN(CASE WHEN n.topic = 'account' THEN 0 ELSE 1 END), MIN(n.hold_until) LIMIT $3",
        )
        .bind(now.0)
        .bind(lately.0)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| person_id(&row.try_get::<String, _>(0)?)).collect()
    }

    /// Entries of these kinds from a position on, among the next `span`; and the position after them.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_of_kinds(
        &self,
        kinds: &[&'static str],
        from: u64,
        span: u64,
    ) -> Result<(Vec<ledger::StoredEntry>, u64)> {
        let end = self.ledger_head().await?.size.min(from.saturating_add(span));
        if end <= from {
            return Ok((Vec::new(), from));
        }
        // The kinds are words of the program.
        let kinds = kinds.join("', '");
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{} WHERE idx >= $1 AND idx < $2 AND kind IN ('{kinds}') ORDER BY idx",
            ledger::COLUMNS
        )))
        .bind(number(from))
        .bind(number(end))
        .fetch_all(&self.readers)
        .await?;
        Ok((rows.iter().map(ledger::stored).collect::<Result<_>>()?, end))
    }

    /// What is still to be handed back by people who leave and is due before a time, after one that was seen.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn returns_due(
        &self,
        before: Millis,
        after: Option<&Return>,
        limit: i64,
    ) -> Result<Vec<Return>> {
        let (due, object) =
            after.map_or((i64::MIN, String::new()), |after| (after.due.0, after.object.clone()));
        let rows = sqlx::query(
            "SELECT c.person_id, p.name, p.state, p.unit_id, c.object, c.label, c.due
             FROM clear_out c JOIN person p ON p.id = c.person_id
             WHERE c.done_at IS NULL AND c.kind = 'return' AND c.due < $1 AND (c.due, c.object) > ($2, $3)
             ORDER BY c.due, c.object LIMIT $4",
        )
        .bind(before.0)
        .bind(due)
        .bind(object)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let person: String = row.try_get(0)?;
                let state: String = row.try_get(2)?;
                Ok(Return {
                    person: person_id(&person)?,
                    name: row.try_get(1)?,
                    state: Employment::from_word(&state)
                        .ok_or_else(|| StoreError::inconsistent("person", "state", &person, &state))?,
                    unit: unit_id(&row.try_get::<String, _>(3)?)?,
                    object: row.try_get(4)?,
                    label: row.try_get(5)?,
                    due: Millis(row.try_get(6)?),
                })
            })
            .collect()
    }

    /// Everybody who is to attest for a unit in which somebody waits for it, since a time: who, the unit,
    /// its name.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn attestations_missing(&self, since: Millis) -> Result<Vec<(PersonId, UnitId, String)>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT g.person_id, u.id, u.name FROM role_grant g
             JOIN unit u ON u.id = g.unit_id JOIN person m ON m.id = g.person_id
             WHERE g.role = $1 AND m.state = 'active' AND EXISTS (SELECT 1 FROM person p WHERE {WAITS})"
        )))
        .bind(Role::Manager.word())
        .bind(since.0)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let person: String = row.try_get(0)?;
                let unit: String = row.try_get(1)?;
                Ok((person_id(&person)?, unit_id(&unit)?, row.try_get(2)?))
            })
            .collect()
    }

    /// Devices whose time to mend something ends between two times, after one that was seen: who has them,
    /// which, their name, the end.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn deadlines_near(
        &self,
        (from, before): (Millis, Millis),
        after: Option<(Millis, String)>,
        limit: i64,
    ) -> Result<Vec<(PersonId, String, String, Millis)>> {
        let (seen, device) = after.map_or((i64::MIN, String::new()), |(seen, device)| (seen.0, device));
        let rows = sqlx::query(
            "SELECT d.person_id, d.id, d.name, s.deadline
             FROM device_standing s JOIN device d ON d.id = s.device_id
             WHERE s.standing = 'due' AND s.deadline >= $1 AND s.deadline < $2 AND d.revoked_at IS NULL
               AND (s.deadline, d.id) > ($3, $4)
             ORDER BY s.deadline, d.id LIMIT $5",
        )
        .bind(from.0)
        .bind(before.0)
        .bind(seen)
        .bind(device)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let person: String = row.try_get(0)?;
                Ok((person_id(&person)?, row.try_get(1)?, row.try_get(2)?, Millis(row.try_get(3)?)))
            })
            .collect()
    }

    /// Whose calendar an address with this digest shows.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn calendar_of(&self, digest: &str) -> Result<Option<PersonId>> {
        let row = sqlx::query("SELECT person_id FROM calendar_feed WHERE digest = $1")
            .bind(digest.to_owned())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| person_id(&row.try_get::<String, _>(0)?)).transpose()
    }

    /// Since when somebody's calendar has an address.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn calendar_since(&self, person: PersonId) -> Result<Option<Millis>> {
        let row = sqlx::query("SELECT created_at FROM calendar_feed WHERE person_id = $1")
            .bind(person.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| Ok(Millis(row.try_get(0)?))).transpose()
    }
}

/// Something that somebody who leaves has not handed back.
#[derive(Clone, Debug)]
pub struct Return {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// Where they are on their way.
    pub state: Employment,
    /// Their unit.
    pub unit: UnitId,
    /// Which thing.
    pub object: String,
    /// What it is called.
    pub label: String,
    /// By when.
    pub due: Millis,
}

impl Write {
    /// Adds notices; those whose source a person has been told of already are left out.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_notices(&mut self, notices: Vec<Notice>) -> Result<u64> {
        let rows = notices
            .into_iter()
            .map(|notice| {
                [
                    notice.id.into(),
                    notice.person.to_string().into(),
                    notice.topic.into(),
                    notice.source.into(),
                    notice.at.0.into(),
                    notice.say.into(),
                    notice.given.into(),
                    notice.link.into(),
                    notice.hold_until.0.into(),
                    notice.told_at.map(|at| at.0).into(),
                ]
            })
            .collect();
        let head = "INSERT INTO notice
            (id, person_id, topic, source, at, say, given, link, hold_until, told_at)";
        let tail = "ON CONFLICT (person_id, source) DO NOTHING";
        sql::write_many(self.connection(), head, rows, tail).await
    }

    /// Somebody's notices that have not gone out, oldest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn untold(&mut self, person: PersonId) -> Result<Vec<Notice>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE person_id = $1 AND told_at IS NULL ORDER BY at, id"
        )))
        .bind(person.to_string())
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(notice).collect()
    }

    /// Notes that all that waited for somebody went out.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn told(&mut self, person: PersonId, now: Millis) -> Result<()> {
        sqlx::query("UPDATE notice SET told_at = $1 WHERE person_id = $2 AND told_at IS NULL")
            .bind(now.0)
            .bind(person.to_string())
            .execute(self.connection())
            .await?;
        sqlx::query(
            "INSERT INTO notice_last (person_id, told_at) VALUES ($1, $2)
             ON CONFLICT (person_id) DO UPDATE SET told_at = excluded.told_at",
        )
        .bind(person.to_string())
        .bind(now.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Lets what waits for somebody about one topic go out at another time.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn hold_notices(&mut self, person: PersonId, topic: &str, until: Millis) -> Result<()> {
        sqlx::query(
            "UPDATE notice SET hold_until = $1 WHERE person_id = $2 AND topic = $3 AND told_at IS NULL",
        )
        .bind(until.0)
        .bind(person.to_string())
        .bind(topic.to_owned())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Keeps how somebody wants to be told.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn set_notice_choice(&mut self, person: PersonId, choice: &Choice) -> Result<()> {
        sqlx::query(
            "INSERT INTO notice_choice (person_id, devices, tasks, record, mail, desktop, chat)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (person_id) DO UPDATE SET devices = excluded.devices, tasks = excluded.tasks,
             record = excluded.record, mail = excluded.mail, desktop = excluded.desktop, chat = excluded.chat",
        )
        .bind(person.to_string())
        .bind(choice.devices.clone())
        .bind(choice.tasks.clone())
        .bind(choice.record.clone())
        .bind(i64::from(choice.mail))
        .bind(i64::from(choice.desktop))
        .bind(choice.chat.clone())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Gives somebody's calendar an address; the one before is no more.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn set_calendar(&mut self, person: PersonId, digest: &str, now: Millis) -> Result<()> {
        sqlx::query(
            "INSERT INTO calendar_feed (person_id, digest, created_at) VALUES ($1, $2, $3)
             ON CONFLICT (person_id) DO UPDATE SET digest = excluded.digest, created_at = excluded.created_at",
        )
        .bind(person.to_string())
        .bind(digest.to_owned())
        .bind(now.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Takes the address of somebody's calendar away; whether there was one.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_calendar(&mut self, person: PersonId) -> Result<bool> {
        let done = sqlx::query("DELETE FROM calendar_feed WHERE person_id = $1")
            .bind(person.to_string())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

fn notice(row: &AnyRow) -> Result<Notice> {
    let told_at: Option<i64> = row.try_get(9)?;
    Ok(Notice {
        id: row.try_get(0)?,
        person: person_id(&row.try_get::<String, _>(1)?)?,
        topic: row.try_get(2)?,
        source: row.try_get(3)?,
        at: Millis(row.try_get(4)?),
        say: row.try_get(5)?,
        given: row.try_get(6)?,
        link: row.try_get(7)?,
        hold_until: Millis(row.try_get(8)?),
        told_at: told_at.map(Millis),
    })
}

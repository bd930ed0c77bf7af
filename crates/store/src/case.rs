//! Cases: what follows when a rule is not kept, step by step, with what was seen when it was opened.

use sqlx::{Row, any::AnyRow};
use stead_model::{DeviceId, Millis, PersonId, RecordId, Subject, UnitId};

use crate::{
    Result, Store, StoreError, Write,
    device::device_id,
    finding::{self, StoredFinding, stored},
    people::person_id,
    within::Within,
};

/// How far a case has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// The person was told, and what the rule costs is shut.
    Told,
    /// Their manager was told as well.
    Manager,
    /// Somebody by name is asked to decide.
    Decision,
    /// A disciplinary step was opened; the person may answer.
    Answer,
    /// They answered, or their time is over: whoever opened the step decides.
    Answered,
    /// It is decided; the person may appeal.
    Decided,
    /// They appealed; somebody else decides.
    Appeal,
    /// It is over.
    Closed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Told,
        Self::Manager,
        Self::Decision,
        Self::Answer,
        Self::Answered,
        Self::Decided,
        Self::Appeal,
        Self::Closed,
    ];

    /// The word on the wire and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Manager => "manager",
            Self::Decision => "decision",
            Self::Answer => "answer",
            Self::Answered => "answered",
            Self::Decided => "decided",
            Self::Appeal => "appeal",
            Self::Closed => "closed",
        }
    }

    /// The state for a [`State::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its id.
    pub id: RecordId,
    /// Whom it is about.
    pub person: PersonId,
    /// Their name.
    pub person_name: String,
    /// Their unit when it was opened.
    pub unit: UnitId,
    /// The name of that unit.
    pub unit_name: String,
    /// What kind of thing does not keep the rule.
    pub kind: Subject,
    /// Its id.
    pub subject: String,
    /// The rule.
    pub rule: String,
    /// The version it was judged under, as people name it.
    pub policy: String,
    /// When it was opened.
    pub opened_at: Millis,
    /// What was seen, as JSON; never changed.
    pub evidence: String,
    /// What the ledger's digest of the evidence was salted with, hexadecimal.
    pub salt: String,
    /// How far it has come.
    pub state: State,
    /// When it goes on by itself, unless something happens.
    pub next_at: Option<Millis>,
    /// Who decides.
    pub decider: Option<PersonId>,
    /// Who decides on an appeal.
    pub second: Option<PersonId>,
    /// The sanction, in the words of the policy's ladder; empty where there is none.
    pub sanction: String,
    /// When it was decided.
    pub decided_at: Option<Millis>,
    /// When they appealed.
    pub appealed_at: Option<Millis>,
    /// When the rule was kept again.
    pub mended_at: Option<Millis>,
    /// When it was closed.
    pub closed_at: Option<Millis>,
    /// What came of it; empty while it is open.
    pub outcome: String,
    /// Counts its changes.
    pub revision: i64,
}

/// Something that happened in a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Millis,
    /// Who did it; none where Stead did.
    pub by: Option<PersonId>,
    /// What, by name.
    pub kind: String,
    /// In words, where somebody wrote some.
    pub words: String,
}

/// A rule that is not kept, whose time is over, and about which no case was opened.
#[derive(Clone, Debug)]
pub struct Lapse {
    /// Whom it concerns.
    pub person: PersonId,
    /// Their unit.
    pub unit: UnitId,
    /// What kind of thing.
    pub kind: Subject,
    /// Its id.
    pub subject: String,
    /// Its name, for a device.
    pub label: String,
    /// What was found.
    pub finding: StoredFinding,
}

/// What came of the cases of a unit.
#[derive(Clone, Debug)]
pub struct UnitOutcome {
    /// The unit.
    pub unit: UnitId,
    /// What came of them; empty for those that are open.
    pub outcome: String,
    /// How many.
    pub n: i64,
    /// How many of them were appealed.
    pub appealed: i64,
    /// From opening to closing, on average, milliseconds.
    pub took: i64,
}

const COLUMNS: &str = "c.id, c.person_id, p.name, c.unit_id, u.name, c.kind, c.subject_id, c.rule, c.policy,
    c.opened_at, c.evidence, c.salt, c.state, c.next_at, c.decider_id, c.second_id, c.sanction, c.decided_at,
    c.appealed_at, c.mended_at, c.closed_at, c.outcome, c.revision";
const FROM: &str = "FROM lapse_case c JOIN person p ON p.id = c.person_id JOIN unit u ON u.id = c.unit_id";
/// Whose lapses become cases: who works now. Who is on leave is not asked to mend anything.
const WORKS: &str = "p.state IN ('active', 'leaving')";

impl Store {
    /// The case with this id.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn case(&self, id: RecordId) -> Result<Option<Case>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} {FROM} WHERE c.id = $1")))
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(case).transpose()
    }

    /// What happened in a case, in order.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn case_events(&self, id: RecordId) -> Result<Vec<Event>> {
        let rows = sqlx::query("SELECT at, by_id, kind, words FROM case_event WHERE case_id = $1 ORDER BY n")
            .bind(id.to_string())
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                let by: String = row.try_get(1)?;
                Ok(Event {
                    at: Millis(row.try_get(0)?),
                    by: (!by.is_empty()).then(|| person_id(&by)).transpose()?,
                    kind: row.try_get(2)?,
                    words: row.try_get(3)?,
                })
            })
            .collect()
    }

    /// A person's cases, newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn cases_of(&self, person: PersonId) -> Result<Vec<Case>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} {FROM} WHERE c.person_id = $1 ORDER BY c.opened_at DESC, c.id LIMIT 200"
        )))
        .bind(person.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(case).collect()
    }

    /// Cases in which somebody is asked to decide now.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn cases_for(&self, decider: PersonId) -> Result<Vec<Case>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} {FROM} WHERE (c.decider_id = $1 AND c.state IN ('decision', 'answered'))
             OR (c.second_id = $1 AND c.state = 'appeal') ORDER BY c.opened_at, c.id LIMIT 200"
        )))
        .bind(decider.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(case).collect()
    }

    /// Cases of people, newest first, before one that was seen: those in one state, or all that are open.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn cases(
        &self,
        within: &Within,
        state: Option<State>,
        before: Option<RecordId>,
        limit: i64,
    ) -> Result<Vec<Case>> {
        let which = match state {
            Some(state) => format!("c.state = '{}'", state.word()),
            None => "c.closed_at IS NULL".to_owned(),
        };
        let query = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} {FROM} WHERE {which} AND c.id < $1 AND {} ORDER BY c.id DESC LIMIT $2",
            within.text(3)
        )))
        .bind(before.map_or_else(|| "g".to_owned(), |id| id.to_string()))
        .bind(limit);
        let query = within.values().into_iter().fold(query, |query, value| query.bind(value));
        let rows = query.fetch_all(&self.readers).await?;
        rows.iter().map(case).collect()
    }

    /// Cases in one of these states whose next step is due by then, soonest first, after one that was seen.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn cases_due(
        &self,
        states: &[State],
        by: Millis,
        after: Option<(Millis, RecordId)>,
        limit: i64,
    ) -> Result<Vec<Case>> {
        let states: Vec<String> = states.iter().map(|state| format!("'{}'", state.word())).collect();
        let (at, id) = after.map_or((i64::MIN, String::new()), |(at, id)| (at.0, id.to_string()));
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} {FROM} WHERE c.next_at <= $1 AND c.state IN ({}) AND (c.next_at, c.id) > ($2, $3)
             ORDER BY c.next_at, c.id LIMIT $4",
            states.join(", ")
        )))
        .bind(by.0)
        .bind(at)
        .bind(id)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(case).collect()
    }

    /// Lapses about which no case was opened.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn lapses(&self, now: Millis, limit: i64) -> Result<Vec<Lapse>> {
        let prefixed = |columns: &str| columns.replace(", ", ", f.");
        let columns = prefixed(&format!("f.{}", finding::COLUMNS));
        let fresh = |kind: &str, id: &str| {
            format!(
                "NOT EXISTS (SELECT 1 FROM lapse_case c WHERE c.kind = {kind} AND c.subject_id = {id}
                 AND c.rule = f.rule AND (c.closed_at IS NULL
                     OR (c.opened_at >= f.due AND c.outcome NOT IN ('excepted', 'moot'))))"
            )
        };
        let devices = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {columns}, d.person_id, p.unit_id, d.id, d.name FROM finding f
             JOIN device d ON d.id = f.device_id JOIN person p ON p.id = d.person_id
             JOIN device_standing t ON t.device_id = d.id
             WHERE f.due <= $1 AND f.outcome <> 'excepted' AND d.revoked_at IS NULL
               AND t.standing <> 'unknown' AND {WORKS} AND {} ORDER BY f.due, f.device_id LIMIT $2",
            fresh("'device'", "f.device_id")
        )))
        .bind(now.0)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let people = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {columns}, p.id, p.unit_id, p.id, '' FROM subject_finding f
             JOIN person p ON p.id = f.subject_id
             WHERE f.kind = 'person' AND f.due <= $1 AND f.outcome <> 'excepted' AND {WORKS} AND {}
             ORDER BY f.due, f.subject_id LIMIT $2",
            fresh("f.kind", "f.subject_id")
        )))
        .bind(now.0)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let lapse = |kind: Subject| {
            move |row: &AnyRow| {
                Ok(Lapse {
                    finding: stored(row)?,
                    person: person_id(&row.try_get::<String, _>(10)?)?,
                    unit: unit_id(&row.try_get::<String, _>(11)?)?,
                    kind,
                    subject: row.try_get(12)?,
                    label: row.try_get(13)?,
                })
            }
        };
        devices.iter().map(lapse(Subject::Device)).chain(people.iter().map(lapse(Subject::Person))).collect()
    }

    /// Open cases in which the rule is kept again, or does not bind any more.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn cases_mended(&self, now: Millis, limit: i64) -> Result<Vec<Case>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} {FROM} WHERE c.closed_at IS NULL AND c.mended_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM finding f JOIN device d ON d.id = f.device_id
                 WHERE c.kind = 'device' AND f.device_id = c.subject_id AND f.rule = c.rule
                   AND (f.due <= $1 OR f.due <= c.opened_at)
                   AND f.outcome <> 'excepted' AND d.revoked_at IS NULL)
             AND NOT EXISTS (SELECT 1 FROM subject_finding f
                 WHERE f.kind = c.kind AND f.subject_id = c.subject_id AND f.rule = c.rule
                   AND (f.due <= $1 OR f.due <= c.opened_at)
                   AND f.outcome <> 'excepted')
             ORDER BY c.id LIMIT $2"
        )))
        .bind(now.0)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(case).collect()
    }

    /// What came of the cases opened since a time, by unit.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn case_outcomes(&self, since: Millis) -> Result<Vec<UnitOutcome>> {
        let rows = sqlx::query(
            "SELECT unit_id, outcome, COUNT(*), COUNT(appealed_at),
                    CAST(COALESCE(AVG(closed_at - opened_at), 0) AS BIGINT)
             FROM lapse_case WHERE opened_at >= $1 GROUP BY unit_id, outcome",
        )
        .bind(since.0)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(UnitOutcome {
                    unit: unit_id(&row.try_get::<String, _>(0)?)?,
                    outcome: row.try_get(1)?,
                    n: row.try_get(2)?,
                    appealed: row.try_get(3)?,
                    took: row.try_get(4)?,
                })
            })
            .collect()
    }

    /// How many people who are not gone are in each unit itself.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn people_in_units(&self) -> Result<Vec<(UnitId, i64)>> {
        let rows = sqlx::query("SELECT unit_id, COUNT(*) FROM person WHERE state <> 'gone' GROUP BY unit_id")
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| Ok((unit_id(&row.try_get::<String, _>(0)?)?, row.try_get(1)?))).collect()
    }

    /// The report that a device's findings were judged from, by its digest.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn report_digest(&self, device: DeviceId) -> Result<Option<String>> {
        let row = sqlx::query("SELECT digest FROM device_report WHERE device_id = $1")
            .bind(device.to_string())
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}

impl Write {
    /// Adds a case; false when one is open about the same.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_case(&mut self, case: &Case) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO lapse_case (id, person_id, unit_id, kind, subject_id, rule, policy, opened_at, evidence,
             salt, state, next_at, sanction, outcome, revision)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', '', 1) ON CONFLICT DO NOTHING",
        )
        .bind(case.id.to_string())
        .bind(case.person.to_string())
        .bind(case.unit.to_string())
        .bind(case.kind.word())
        .bind(case.subject.clone())
        .bind(case.rule.clone())
        .bind(case.policy.clone())
        .bind(case.opened_at.0)
        .bind(case.evidence.clone())
        .bind(case.salt.clone())
        .bind(case.state.word())
        .bind(case.next_at.map(|at| at.0))
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes a case over the revision before; whether that was the one that is stored.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn put_case(&mut self, case: &Case) -> Result<bool> {
        let time = |time: Option<Millis>| time.map(|time| time.0);
        let done = sqlx::query(
            "UPDATE lapse_case SET state = $3, next_at = $4, decider_id = $5, second_id = $6, sanction = $7,
             decided_at = $8, appealed_at = $9, mended_at = $10, closed_at = $11, outcome = $12, revision = $2
             WHERE id = $1 AND revision = $2 - 1",
        )
        .bind(case.id.to_string())
        .bind(case.revision)
        .bind(case.state.word())
        .bind(time(case.next_at))
        .bind(case.decider.map(|by| by.to_string()))
        .bind(case.second.map(|by| by.to_string()))
        .bind(case.sanction.clone())
        .bind(time(case.decided_at))
        .bind(time(case.appealed_at))
        .bind(time(case.mended_at))
        .bind(time(case.closed_at))
        .bind(case.outcome.clone())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes down what happened in a case.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_case_event(&mut self, case: RecordId, event: &Event) -> Result<()> {
        sqlx::query(
            "INSERT INTO case_event (case_id, n, at, by_id, kind, words)
             SELECT $1, COUNT(*), $2, $3, $4, $5 FROM case_event WHERE case_id = $1",
        )
        .bind(case.to_string())
        .bind(event.at.0)
        .bind(event.by.map_or_else(String::new, |by| by.to_string()))
        .bind(event.kind.clone())
        .bind(event.words.clone())
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

fn unit_id(text: &str) -> Result<UnitId> {
    text.parse().map_err(|_| StoreError::inconsistent("unit", "id", text, text))
}

/// The device that a case is about, when it is about one.
///
/// # Errors
/// When its id cannot be read.
pub fn device_of(case: &Case) -> Result<Option<DeviceId>> {
    (case.kind == Subject::Device).then(|| device_id(&case.subject)).transpose()
}

fn case(row: &AnyRow) -> Result<Case> {
    let id: String = row.try_get(0)?;
    let wrong = |field: &'static str, value: String| StoreError::inconsistent("case", field, &id, value);
    let (kind, state): (String, String) = (row.try_get(5)?, row.try_get(12)?);
    let time =
        |column: usize| -> Result<Option<Millis>> { Ok(row.try_get::<Option<i64>, _>(column)?.map(Millis)) };
    let who = |column: usize| -> Result<Option<PersonId>> {
        row.try_get::<Option<String>, _>(column)?.map(|by| person_id(&by)).transpose()
    };
    Ok(Case {
        id: id.parse().map_err(|_| wrong("id", id.clone()))?,
        person: person_id(&row.try_get::<String, _>(1)?)?,
        person_name: row.try_get(2)?,
        unit: unit_id(&row.try_get::<String, _>(3)?)?,
        unit_name: row.try_get(4)?,
        kind: Subject::from_word(&kind).ok_or_else(|| wrong("kind", kind))?,
        subject: row.try_get(6)?,
        rule: row.try_get(7)?,
        policy: row.try_get(8)?,
        opened_at: Millis(row.try_get(9)?),
        evidence: row.try_get(10)?,
        salt: row.try_get(11)?,
        state: State::from_word(&state).ok_or_else(|| wrong("state", state))?,
        next_at: time(13)?,
        decider: who(14)?,
        second: who(15)?,
        sanction: row.try_get(16)?,
        decided_at: time(17)?,
        appealed_at: time(18)?,
        mended_at: time(19)?,
        closed_at: time(20)?,
        outcome: row.try_get(21)?,
        revision: row.try_get(22)?,
    })
}

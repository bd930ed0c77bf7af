//! What is no device and is judged: findings and standings of people and of the organisation, and what the
//! records say of them.

use std::collections::HashMap;

use sqlx::Row;
use stead_model::{
    Millis, PersonId, Role, Standing, Subject,
    time::{DAY, HOUR},
};

use crate::{
    Result, Store, StoreError, Write,
    finding::{self, StoredFinding, stored},
    people::person_id,
    sql,
};

/// What the records say of a person, as far as rules ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRecords {
    /// Who.
    pub person: PersonId,
    /// The name of their unit.
    pub unit: String,
    /// When they confirmed the version in force.
    pub confirmed_at: Option<Millis>,
    /// How many passkeys, accounts elsewhere and second steps they have.
    pub strong_ways: i64,
    /// How many people answer for them.
    pub managers: i64,
    /// How many things are to be back by now.
    pub overdue: i64,
    /// How many rules bind them by name.
    pub terms: i64,
    /// How many of those are not kept or cannot be told, by them or on a device of theirs.
    pub terms_broken: i64,
    /// How many losses of the last year were told more than an hour after they were noticed.
    pub told_late: i64,
}

/// What the records say of the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationRecords {
    /// How many people coordinate telework.
    pub coordinators: i64,
    /// How many looks at records since a time have no purpose.
    pub looks_without_purpose: i64,
    /// How many cases wait for a decision since before another time.
    pub cases_overdue: i64,
}

/// A standing of what is no device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectStanding {
    /// The standing.
    pub standing: Standing,
    /// Since when.
    pub since: Millis,
    /// When it changes by time alone.
    pub deadline: Option<Millis>,
}

/// All findings of one subject.
fn of_one() -> String {
    format!("SELECT {} FROM subject_finding WHERE kind = $1 AND subject_id = $2", finding::COLUMNS)
}

impl Store {
    /// What the records say of people who work here, by id, after one that was seen.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn people_records(
        &self,
        policy: &str,
        now: Millis,
        after: Option<PersonId>,
        limit: i64,
    ) -> Result<Vec<PersonRecords>> {
        self.records(policy, now, "p.id > $4", after.map_or(String::new(), |after| after.to_string()), limit)
            .await
    }

    /// What the records say of one person; none when they do not work here.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn person_records(
        &self,
        policy: &str,
        now: Millis,
        person: PersonId,
    ) -> Result<Option<PersonRecords>> {
        Ok(self.records(policy, now, "p.id = $4", person.to_string(), 1).await?.pop())
    }

    async fn records(
        &self,
        policy: &str,
        now: Millis,
        which: &str,
        id: String,
        limit: i64,
    ) -> Result<Vec<PersonRecords>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT p.id,
                    (SELECT a.at FROM acknowledgement a WHERE a.person_id = p.id AND a.digest = $1),
                    (SELECT COUNT(*) FROM passkey k WHERE k.person_id = p.id)
                    + (SELECT COUNT(*) FROM outside_identity o WHERE o.person_id = p.id)
                    + (SELECT COUNT(*) FROM authenticator t
                       WHERE t.person_id = p.id AND t.confirmed_at IS NOT NULL),
                    CASE WHEN p.manager_id IS NOT NULL THEN 1 ELSE
                        (SELECT COUNT(*) FROM role_grant g JOIN unit_above u ON u.above_id = g.unit_id
                         JOIN person m ON m.id = g.person_id
                         WHERE g.role = $2 AND u.unit_id = p.unit_id AND m.state = 'active' AND m.id <> p.id) END,
                    (SELECT COUNT(*) FROM clear_out c
                     WHERE c.person_id = p.id AND c.kind = 'return' AND c.done_at IS NULL AND c.due <= $3),
                    (SELECT COUNT(*) FROM person_term m WHERE m.person_id = p.id AND m.ended_at IS NULL),
                    (SELECT COUNT(*) FROM person_term m WHERE m.person_id = p.id AND m.ended_at IS NULL AND
                         (EXISTS (SELECT 1 FROM subject_finding f WHERE f.kind = 'person' AND f.subject_id = p.id
                              AND f.rule = m.rule AND f.outcome IN ('fail', 'unknown'))
                          OR EXISTS (SELECT 1 FROM device d JOIN finding f ON f.device_id = d.id
                              WHERE d.person_id = p.id AND d.revoked_at IS NULL AND f.rule = m.rule
                                AND f.outcome IN ('fail', 'unknown')))),
                    n.name,
                    (SELECT COUNT(*) FROM loss l WHERE l.person_id = p.id AND l.practice = 0 AND l.state <> 'mistaken'
                         AND l.told_at - l.noticed_at > $6 AND l.told_at > $7)
             FROM person p JOIN unit n ON n.id = p.unit_id WHERE p.state IN ('active', 'on_leave', 'leaving') AND {which} ORDER BY p.id LIMIT $5"
        )))
        .bind(policy.to_owned())
        .bind(Role::Manager.word())
        .bind(now.0)
        .bind(id)
        .bind(limit)
        .bind(HOUR)
        .bind(now.plus(-365 * DAY).0)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(PersonRecords {
                    person: person_id(&row.try_get::<String, _>(0)?)?,
                    confirmed_at: row.try_get::<Option<i64>, _>(1)?.map(Millis),
                    strong_ways: row.try_get(2)?,
                    managers: row.try_get(3)?,
                    overdue: row.try_get(4)?,
                    terms: row.try_get(5)?,
                    terms_broken: row.try_get(6)?,
                    unit: row.try_get(7)?,
                    told_late: row.try_get(8)?,
                })
            })
            .collect()
    }

    /// What the records say of the organisation; looks since a time, cases that wait since before another.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn organisation_records(&self, since: Millis, before: Millis) -> Result<OrganisationRecords> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(DISTINCT g.person_id) FROM role_grant g JOIN person p ON p.id = g.person_id
                     WHERE g.role = $1 AND p.state = 'active'),
                    (SELECT COUNT(*) FROM look WHERE purpose = '' AND at >= $2),
                    (SELECT COUNT(*) FROM lapse_case c WHERE c.state IN ('decision', 'answered', 'appeal') AND
                         (SELECT MAX(e.at) FROM case_event e WHERE e.case_id = c.id) <= $3)",
        )
        .bind(Role::Coordinator.word())
        .bind(since.0)
        .bind(before.0)
        .fetch_one(&self.readers)
        .await?;
        Ok(OrganisationRecords {
            coordinators: row.try_get(0)?,
            looks_without_purpose: row.try_get(1)?,
            cases_overdue: row.try_get(2)?,
        })
    }

    /// People who were judged and do not work here any more.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn judged_and_gone(&self, limit: i64) -> Result<Vec<String>> {
        let rows = sqlx::query(
            "SELECT s.subject_id FROM subject_standing s JOIN person p ON p.id = s.subject_id
             WHERE s.kind = $1 AND p.state NOT IN ('active', 'on_leave', 'leaving') LIMIT $2",
        )
        .bind(Subject::Person.word())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// All findings of one subject.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn subject_findings(&self, kind: Subject, id: &str) -> Result<Vec<StoredFinding>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(of_one()))
            .bind(kind.word())
            .bind(id.to_owned())
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(stored).collect()
    }

    /// All findings of these subjects, by id.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn subject_findings_of_all(
        &self,
        kind: Subject,
        ids: &[String],
    ) -> Result<HashMap<String, Vec<StoredFinding>>> {
        let mut all: HashMap<String, Vec<StoredFinding>> = HashMap::new();
        if ids.is_empty() {
            return Ok(all);
        }
        let places: Vec<String> = (2..ids.len() + 2).map(|n| format!("${n}")).collect();
        let text = format!(
            "SELECT {}, subject_id FROM subject_finding WHERE kind = $1 AND subject_id IN ({})",
            finding::COLUMNS,
            places.join(", ")
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(kind.word());
        let query = ids.iter().fold(query, |query, id| query.bind(id.clone()));
        for row in query.fetch_all(&self.readers).await? {
            all.entry(row.try_get(10)?).or_default().push(stored(&row)?);
        }
        Ok(all)
    }

    /// Standings of these subjects, by id.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn subject_standings(
        &self,
        kind: Subject,
        ids: &[String],
    ) -> Result<HashMap<String, SubjectStanding>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let places: Vec<String> = (2..ids.len() + 2).map(|n| format!("${n}")).collect();
        let text = format!(
            "SELECT standing, since, deadline, subject_id FROM subject_standing
             WHERE kind = $1 AND subject_id IN ({})",
            places.join(", ")
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(kind.word());
        let query = ids.iter().fold(query, |query, id| query.bind(id.clone()));
        query
            .fetch_all(&self.readers)
            .await?
            .iter()
            .map(|row| {
                let word: String = row.try_get(0)?;
                let id: String = row.try_get(3)?;
                let standing = SubjectStanding {
                    standing: Standing::from_word(&word)
                        .ok_or_else(|| StoreError::inconsistent("subject_standing", "standing", &id, word))?,
                    since: Millis(row.try_get(1)?),
                    deadline: row.try_get::<Option<i64>, _>(2)?.map(Millis),
                };
                Ok((id, standing))
            })
            .collect()
    }
}

impl Write {
    /// Writes findings of subjects of one kind, over those that are there.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn put_subject_findings(
        &mut self,
        kind: Subject,
        findings: Vec<(String, StoredFinding)>,
    ) -> Result<()> {
        self.subjects_change(kind, findings.iter().map(|(id, _)| id));
        let rows = findings
            .into_iter()
            .map(|(id, finding)| {
                let [rule, outcome, observed, origin, at, since, failing, stage, counts, due] =
                    finding::binds(finding);
                [
                    kind.word().into(),
                    id.into(),
                    rule,
                    outcome,
                    observed,
                    origin,
                    at,
                    since,
                    failing,
                    stage,
                    counts,
                    due,
                ]
            })
            .collect();
        sql::write_many(
            self.connection(),
            &format!("INSERT INTO subject_finding (kind, subject_id, {})", finding::COLUMNS),
            rows,
            &format!("ON CONFLICT (kind, subject_id, rule) DO UPDATE SET {}", finding::REPLACED),
        )
        .await?;
        Ok(())
    }

    /// Takes findings away whose rule is no more.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn drop_subject_findings(&mut self, kind: Subject, gone: &[(String, String)]) -> Result<()> {
        self.subjects_change(kind, gone.iter().map(|(id, _)| id));
        for (id, rule) in gone {
            sqlx::query("DELETE FROM subject_finding WHERE kind = $1 AND subject_id = $2 AND rule = $3")
                .bind(kind.word())
                .bind(id.clone())
                .bind(rule.clone())
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }

    /// Notes of which people the findings change.
    fn subjects_change(&mut self, kind: Subject, ids: impl IntoIterator<Item = impl AsRef<str>>) {
        if kind == Subject::Person {
            let people = ids.into_iter().filter_map(|id| id.as_ref().parse().ok());
            self.changes().people.extend(people.collect::<Vec<PersonId>>());
        }
    }

    /// Takes away what was found on a subject, and its standing; what was found.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn drop_subject(&mut self, kind: Subject, id: &str) -> Result<Vec<StoredFinding>> {
        self.subjects_change(kind, [id]);
        let rows = sqlx::query(sqlx::AssertSqlSafe(of_one()))
            .bind(kind.word())
            .bind(id.to_owned())
            .fetch_all(self.connection())
            .await?;
        for table in ["subject_finding", "subject_standing"] {
            let text = format!("DELETE FROM {table} WHERE kind = $1 AND subject_id = $2");
            sqlx::query(sqlx::AssertSqlSafe(text))
                .bind(kind.word())
                .bind(id.to_owned())
                .execute(self.connection())
                .await?;
        }
        rows.iter().map(stored).collect()
    }

    /// Writes standings of subjects of one kind, over those that are there.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn put_subject_standings(
        &mut self,
        kind: Subject,
        standings: Vec<(String, SubjectStanding)>,
    ) -> Result<()> {
        let rows = standings
            .into_iter()
            .map(|(id, standing)| {
                [
                    kind.word().into(),
                    id.into(),
                    standing.standing.word().into(),
                    standing.since.0.into(),
                    standing.deadline.map(|at| at.0).into(),
                ]
            })
            .collect();
        sql::write_many(
            self.connection(),
            "INSERT INTO subject_standing (kind, subject_id, standing, since, deadline)",
            rows,
            "ON CONFLICT (kind, subject_id) DO UPDATE SET standing = excluded.standing, since = excluded.since,
             deadline = excluded.deadline",
        )
        .await?;
        Ok(())
    }
}

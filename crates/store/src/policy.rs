//! Versions of the policy, who confirmed which text, reviews.

use std::collections::{BTreeSet, HashMap};

use sqlx::{Row, any::AnyRow};
use stead_model::{DeviceId, Millis, PersonId, RecordId};

use crate::{
    Result, Store, StoreError, Write, device,
    people::{self, person_id},
    write::number,
};

/// A version of the policy, without its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Digest over all its files.
    pub digest: String,
    /// The pack's name.
    pub name: String,
    /// Its number.
    pub version: i64,
    /// What changes and why, in its author's words.
    pub says: String,
    /// Who wrote it: a person's id, or words.
    pub author: String,
    /// Who let it be published: a person's id, or words.
    pub approver: String,
    /// When it was published.
    pub published_at: Millis,
    /// From when on it is to be in force.
    pub effective_at: Millis,
    /// When it came into force; none while it waits.
    pub in_force_at: Option<Millis>,
    /// The ledger entry that proves its publication.
    pub entry: u64,
}

impl Version {
    /// `remote-work 2`, as findings name it.
    pub fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// A review of the policy.
#[derive(Clone, Debug)]
pub struct Review {
    /// Its id.
    pub id: RecordId,
    /// The version that was looked through.
    pub digest: String,
    /// The one rule that was, when it was not all of it.
    pub rule: Option<String>,
    /// When.
    pub at: Millis,
    /// Who wrote it down.
    pub by: PersonId,
    /// Their name.
    pub by_name: String,
    /// Who took part, in words.
    pub took_part: String,
    /// What was considered, in words.
    pub considered: String,
    /// `kept` or `changed`.
    pub outcome: String,
    /// What came of it, in words.
    pub words: String,
    /// The ledger entry that proves it.
    pub entry: u64,
}

const VERSION: &str = "SELECT digest, name, version, says, author, approver, published_at, effective_at,
    in_force_at, entry FROM policy_version";
/// Who is to confirm the policy: whoever works here, present or not.
const TO_CONFIRM: &str = "p.state IN ('active', 'on_leave', 'leaving')";

impl Store {
    /// The version in force, with its files; none before the first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn policy_in_force(&self) -> Result<Option<(Version, String)>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{} WHERE in_force_at IS NOT NULL ORDER BY in_force_at DESC, entry DESC LIMIT 1",
            VERSION.replace("entry FROM", "entry, files FROM")
        )))
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| Ok((version(&row)?, row.try_get(10)?))).transpose()
    }

    /// The version that was published last, in force or not, with its files; none before the first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn policy_newest(&self) -> Result<Option<(Version, String)>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{} ORDER BY entry DESC LIMIT 1",
            VERSION.replace("entry FROM", "entry, files FROM")
        )))
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| Ok((version(&row)?, row.try_get(10)?))).transpose()
    }

    /// The version that was in force at a time.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn policy_at(&self, at: Millis) -> Result<Option<Version>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{VERSION} WHERE in_force_at <= $1 ORDER BY in_force_at DESC, entry DESC LIMIT 1"
        )))
        .bind(at.0)
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(version).transpose()
    }

    /// Those of these people to whom a message could not be delivered since a time.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn bounced(&self, people: &[PersonId], since: Millis) -> Result<BTreeSet<PersonId>> {
        if people.is_empty() {
            return Ok(BTreeSet::new());
        }
        let places: Vec<String> = (2..people.len() + 2).map(|n| format!("${n}")).collect();
        let text = format!(
            "SELECT DISTINCT person_id FROM delivery
             WHERE state = 'dead' AND created_at >= $1 AND person_id IN ({})",
            places.join(", ")
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(since.0);
        let query = people.iter().fold(query, |query, person| query.bind(person.to_string()));
        let rows = query.fetch_all(&self.readers).await?;
        rows.iter().map(|row| person_id(&row.try_get::<String, _>(0)?)).collect()
    }

    /// Every version, newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn policy_versions(&self) -> Result<Vec<Version>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{VERSION} ORDER BY entry DESC LIMIT 500")))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(version).collect()
    }

    /// One version with its files.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn policy_version(&self, digest: &str) -> Result<Option<(Version, String)>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{} WHERE digest = $1",
            VERSION.replace("entry FROM", "entry, files FROM")
        )))
        .bind(digest.to_owned())
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| Ok((version(&row)?, row.try_get(10)?))).transpose()
    }

    /// Versions whose day has come, and which are not in force yet; in the order in which they come.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn policies_due(&self, now: Millis) -> Result<Vec<Version>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{VERSION} WHERE in_force_at IS NULL AND superseded_at IS NULL AND effective_at <= $1
             ORDER BY effective_at, entry"
        )))
        .bind(now.0)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(version).collect()
    }

    /// Which versions a person confirmed, and when, newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn confirmed_by(&self, person: PersonId) -> Result<Vec<(Version, Millis, u64)>> {
        let rows = sqlx::query(
            "SELECT v.digest, v.name, v.version, v.says, v.author, v.approver, v.published_at, v.effective_at,
                    v.in_force_at, v.entry, a.at, a.entry
             FROM acknowledgement a JOIN policy_version v ON v.digest = a.digest
             WHERE a.person_id = $1 ORDER BY a.at DESC, a.entry DESC LIMIT 200",
        )
        .bind(person.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| Ok((version(row)?, Millis(row.try_get(10)?), entry(row, 11, "acknowledgement")?)))
            .collect()
    }

    /// How many people are to confirm a version, and how many have.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn reached(&self, digest: &str) -> Result<(i64, i64)> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT COUNT(*), COUNT(a.person_id) FROM person p
             LEFT JOIN acknowledgement a ON a.person_id = p.id AND a.digest = $1 WHERE {TO_CONFIRM}"
        )))
        .bind(digest.to_owned())
        .fetch_one(&self.readers)
        .await?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    }

    /// Who is to confirm a version and has not, by name, after one that was seen.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn to_confirm(
        &self,
        digest: &str,
        after: Option<(String, String)>,
        limit: i64,
    ) -> Result<Vec<people::Listed>> {
        let (after, after_id) = after.unwrap_or_default();
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {}, p.search, u.name FROM person p JOIN unit u ON u.id = p.unit_id
             WHERE {TO_CONFIRM} AND (p.search, p.id) > ($2, $3)
               AND NOT EXISTS (SELECT 1 FROM acknowledgement a WHERE a.person_id = p.id AND a.digest = $1)
             ORDER BY p.search, p.id LIMIT $4",
            people::COLUMNS
        )))
        .bind(digest.to_owned())
        .bind(after)
        .bind(after_id)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(people::listed).collect()
    }

    /// How many of those who have been here since a time have not confirmed a version, and are not on leave.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn not_reached(&self, digest: &str, here_since: Millis) -> Result<i64> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM person p WHERE p.state IN ('active', 'leaving') AND p.state_since <= $2
               AND NOT EXISTS (SELECT 1 FROM acknowledgement a WHERE a.person_id = p.id AND a.digest = $1)",
        )
        .bind(digest.to_owned())
        .bind(here_since.0)
        .fetch_one(&self.readers)
        .await?;
        Ok(row.try_get(0)?)
    }

    /// Reviews, newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn policy_reviews(&self, limit: i64) -> Result<Vec<Review>> {
        let rows = sqlx::query(
            "SELECT r.id, r.digest, r.at, r.by_id, p.name, r.took_part, r.considered, r.outcome, r.words, r.entry,
                    r.rule
             FROM policy_review r JOIN person p ON p.id = r.by_id ORDER BY r.at DESC, r.entry DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Review {
                    id: record_id(row, 0, "policy_review")?,
                    digest: row.try_get(1)?,
                    at: Millis(row.try_get(2)?),
                    by: person_id(&row.try_get::<String, _>(3)?)?,
                    by_name: row.try_get(4)?,
                    took_part: row.try_get(5)?,
                    considered: row.try_get(6)?,
                    outcome: row.try_get(7)?,
                    words: row.try_get(8)?,
                    entry: entry(row, 9, "policy_review")?,
                    rule: row.try_get(10)?,
                })
            })
            .collect()
    }

    /// When each rule was reviewed last, by its id; the policy as a whole under none.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn last_reviews(&self) -> Result<HashMap<Option<String>, Millis>> {
        let rows = sqlx::query("SELECT rule, MAX(at) FROM policy_review GROUP BY rule")
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, Millis(row.try_get(1)?)))).collect()
    }

    /// Since when each rule that ever was in force has been asked, by its id.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn rules_since(&self) -> Result<HashMap<String, Millis>> {
        let rows = sqlx::query("SELECT rule, since FROM policy_rule").fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, Millis(row.try_get(1)?)))).collect()
    }

    /// Devices whose last report was judged by another version and whose standing is known, that were heard
    /// since a time; by id, after one that was seen.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn judged_by_another(
        &self,
        digest: &str,
        heard_since: Millis,
        after: Option<DeviceId>,
        limit: i64,
    ) -> Result<Vec<DeviceId>> {
        let rows = sqlx::query(
            "SELECT r.device_id FROM device_report r JOIN device_state s ON s.device_id = r.device_id
             JOIN device d ON d.id = r.device_id JOIN device_standing t ON t.device_id = r.device_id
             WHERE r.pack_digest <> $1 AND s.last_seen > $2 AND d.revoked_at IS NULL AND t.standing <> 'unknown'
               AND r.device_id > $3 ORDER BY r.device_id LIMIT $4",
        )
        .bind(digest.to_owned())
        .bind(heard_since.0)
        .bind(after.map_or(String::new(), |after| after.to_string()))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        device::ids(&rows)
    }
}

impl Write {
    /// Adds a version.
    ///
    /// # Errors
    /// When there is one of that digest, or of that name and number, or the store is away.
    pub async fn add_policy(&mut self, version: &Version, files: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO policy_version (digest, name, version, files, says, author, approver, published_at,
                 effective_at, in_force_at, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(version.digest.clone())
        .bind(version.name.clone())
        .bind(version.version)
        .bind(files.to_owned())
        .bind(version.says.clone())
        .bind(version.author.clone())
        .bind(version.approver.clone())
        .bind(version.published_at.0)
        .bind(version.effective_at.0)
        .bind(version.in_force_at.map(|at| at.0))
        .bind(number(version.entry))
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The newest number of a pack of this name; none when none was published.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn newest_policy(&mut self, name: &str) -> Result<Option<i64>> {
        let row = sqlx::query("SELECT MAX(version) FROM policy_version WHERE name = $1")
            .bind(name.to_owned())
            .fetch_one(self.connection())
            .await?;
        Ok(row.try_get(0)?)
    }

    /// The digest of the version that was published last; none before the first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn newest_policy_digest(&mut self) -> Result<Option<String>> {
        let row = sqlx::query("SELECT digest FROM policy_version ORDER BY entry DESC LIMIT 1")
            .fetch_optional(self.connection())
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Writes down that a version is in force from now on; false when it was already.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn put_policy_in_force(&mut self, digest: &str, now: Millis) -> Result<bool> {
        // Later than every one before, whatever the clock says: the last one to come is the one in force.
        let done = sqlx::query(
            "UPDATE policy_version SET in_force_at = (SELECT CASE WHEN COALESCE(MAX(v.in_force_at), 0) >= $1
                 THEN MAX(v.in_force_at) + 1 ELSE $1 END FROM policy_version v)
             WHERE digest = $2 AND in_force_at IS NULL AND superseded_at IS NULL",
        )
        .bind(now.0)
        .bind(digest.to_owned())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Whether a version that was published after this one has been in force already.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn policy_is_overtaken(&mut self, entry: u64) -> Result<bool> {
        let row =
            sqlx::query("SELECT COUNT(*) FROM policy_version WHERE in_force_at IS NOT NULL AND entry > $1")
                .bind(number(entry))
                .fetch_one(self.connection())
                .await?;
        let n: i64 = row.try_get(0)?;
        Ok(n > 0)
    }

    /// Writes down that a version never comes into force.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn supersede_policy(&mut self, digest: &str, now: Millis) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE policy_version SET superseded_at = $1
             WHERE digest = $2 AND in_force_at IS NULL AND superseded_at IS NULL",
        )
        .bind(now.0)
        .bind(digest.to_owned())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Writes down since when rules are asked, of those of which it is not known yet.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_rules_since(&mut self, rules: &[&str], since: Millis) -> Result<()> {
        for rule in rules {
            sqlx::query(
                "INSERT INTO policy_rule (rule, since) VALUES ($1, $2) ON CONFLICT (rule) DO NOTHING",
            )
            .bind((*rule).to_owned())
            .bind(since.0)
            .execute(self.connection())
            .await?;
        }
        Ok(())
    }

    /// Writes down that somebody confirmed a version; false when they had already.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_acknowledgement(
        &mut self,
        person: PersonId,
        digest: &str,
        at: Millis,
        entry: u64,
    ) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO acknowledgement (person_id, digest, at, entry) VALUES ($1, $2, $3, $4)
             ON CONFLICT (person_id, digest) DO NOTHING",
        )
        .bind(person.to_string())
        .bind(digest.to_owned())
        .bind(at.0)
        .bind(number(entry))
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Adds a review.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_policy_review(&mut self, review: &Review) -> Result<()> {
        sqlx::query(
            "INSERT INTO policy_review (id, digest, at, by_id, took_part, considered, outcome, words, entry, rule)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(review.id.to_string())
        .bind(review.digest.clone())
        .bind(review.at.0)
        .bind(review.by.to_string())
        .bind(review.took_part.clone())
        .bind(review.considered.clone())
        .bind(review.outcome.clone())
        .bind(review.words.clone())
        .bind(number(review.entry))
        .bind(review.rule.clone())
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

fn version(row: &AnyRow) -> Result<Version> {
    Ok(Version {
        digest: row.try_get(0)?,
        name: row.try_get(1)?,
        version: row.try_get(2)?,
        says: row.try_get(3)?,
        author: row.try_get(4)?,
        approver: row.try_get(5)?,
        published_at: Millis(row.try_get(6)?),
        effective_at: Millis(row.try_get(7)?),
        in_force_at: row.try_get::<Option<i64>, _>(8)?.map(Millis),
        entry: entry(row, 9, "policy_version")?,
    })
}

fn entry(row: &AnyRow, place: usize, table: &'static str) -> Result<u64> {
    let entry: i64 = row.try_get(place)?;
    u64::try_from(entry).map_err(|_| StoreError::inconsistent(table, "entry", entry, entry))
}

pub(crate) fn record_id(row: &AnyRow, place: usize, table: &'static str) -> Result<RecordId> {
    let id: String = row.try_get(place)?;
    id.parse().map_err(|_| StoreError::inconsistent(table, "id", &id, &id))
}

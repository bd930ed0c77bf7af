//! What is kept no longer: it is deleted, or what it said of somebody is taken out of it. The ledger names
//! people by ids alone and stays whole.

use sqlx::Row;
use stead_model::{Millis, PersonId};

use crate::{Result, Write, people::person_id};

impl Write {
    /// Deletes sessions, links, codes and what browsers were in the middle of, where they ended or expired
    /// before a time; how many.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn forget_access(&mut self, before: Millis) -> Result<u64> {
        let mut forgotten = 0;
        for text in [
            "DELETE FROM session WHERE created_at < $1 AND last_used < $1",
            "DELETE FROM one_time_link WHERE expires_at < $1",
            "DELETE FROM enrolment_code WHERE expires_at < $1",
            "DELETE FROM ceremony WHERE expires_at < $1",
            "DELETE FROM token WHERE expires_at < $1",
        ] {
            let done = sqlx::query(text).bind(before.0).execute(self.connection()).await?;
            forgotten += done.rows_affected();
        }
        Ok(forgotten)
    }

    /// People who have left before a time and whose record still says who they were.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn left_before(&mut self, before: Millis, limit: i64) -> Result<Vec<PersonId>> {
        let rows = sqlx::query(
            "SELECT id FROM person WHERE state = 'gone' AND erased_at IS NULL AND state_since < $1
             ORDER BY state_since LIMIT $2",
        )
        .bind(before.0)
        .bind(limit)
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(|row| person_id(&row.try_get::<String, _>(0)?)).collect()
    }

    /// Takes out of the records what says who somebody was: name, address, number, what their devices were
    /// called and reported, and what others wrote about them. That there was somebody stays.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn erase_person(&mut self, person: PersonId, now: Millis) -> Result<()> {
        self.changes().people.insert(person);
        sqlx::query(
            "UPDATE person SET name = '–', email = NULL, staff_number = NULL, manager_id = NULL,
             language = '', zone = '', search = '', salt = '', erased_at = $2 WHERE id = $1",
        )
        .bind(person.to_string())
        .bind(now.0)
        .execute(self.connection())
        .await?;
        const THEIRS: &str = "(SELECT id FROM device WHERE person_id = $1)";
        for text in [
            format!("DELETE FROM device_report WHERE device_id IN {THEIRS}"),
            format!("DELETE FROM finding WHERE device_id IN {THEIRS}"),
            format!("DELETE FROM tunnel_key WHERE device_id IN {THEIRS}"),
            format!("DELETE FROM device_certificate WHERE device_id IN {THEIRS}"),
            format!("UPDATE standing_change SET reason = '' WHERE device_id IN {THEIRS}"),
            format!("UPDATE device_standing SET search = '', system = '' WHERE device_id IN {THEIRS}"),
            "UPDATE device SET name = '–', machine = '' WHERE person_id = $1".to_owned(),
            "UPDATE look SET words = '' WHERE subject_id = $1".to_owned(),
            "UPDATE attestation_answer SET words = '' WHERE person_id = $1".to_owned(),
            "UPDATE clear_out SET label = '' WHERE person_id = $1".to_owned(),
            "DELETE FROM notice WHERE person_id = $1".to_owned(),
            "DELETE FROM notice_choice WHERE person_id = $1".to_owned(),
            "DELETE FROM notice_last WHERE person_id = $1".to_owned(),
            "DELETE FROM calendar_feed WHERE person_id = $1".to_owned(),
            "DELETE FROM delivery WHERE person_id = $1".to_owned(),
            "UPDATE token SET name = '' WHERE person_id = $1".to_owned(),
            "DELETE FROM subject_finding WHERE kind = 'person' AND subject_id = $1".to_owned(),
            "DELETE FROM subject_standing WHERE kind = 'person' AND subject_id = $1".to_owned(),
            "UPDATE policy_exception SET label = '', reason = '', instead = '', words = '' WHERE person_id = $1"
                .to_owned(),
            "UPDATE person_term SET words = '' WHERE person_id = $1".to_owned(),
            "DELETE FROM loss_card WHERE person_id = $1".to_owned(),
            "UPDATE loss SET label = '–', words = '', evidence = '{}', salt = '' WHERE person_id = $1".to_owned(),
            "UPDATE loss_step SET words = '' WHERE loss_id IN (SELECT id FROM loss WHERE person_id = $1)".to_owned(),
            "UPDATE loss_event SET words = '' WHERE loss_id IN (SELECT id FROM loss WHERE person_id = $1)".to_owned(),
            "UPDATE lapse_case SET evidence = '{}', salt = '' WHERE person_id = $1".to_owned(),
            "UPDATE case_event SET words = '' WHERE case_id IN (SELECT id FROM lapse_case WHERE person_id = $1)"
                .to_owned(),
        ] {
            sqlx::query(sqlx::AssertSqlSafe(text))
                .bind(person.to_string())
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }
}

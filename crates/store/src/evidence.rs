//! What proves how a rule stands: findings with the entries of the ledger that brought them.

use sqlx::Row;
use stead_model::Subject;

use crate::{
    Result, Store, StoreError,
    finding::{self, StoredFinding},
};

/// One finding and where the ledger proves it.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The id of what was judged.
    pub subject: String,
    /// What it is called; empty for what is no device.
    pub name: String,
    /// The finding.
    pub finding: StoredFinding,
    /// The entry that brought its outcome; none when none is found.
    pub entry: Option<u64>,
}

impl Store {
    /// Findings of a rule: those that have not passed the longest, and some that pass.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn evidence(&self, kind: Subject, rule: &str, each: i64) -> Result<Vec<Evidence>> {
        let columns: Vec<String> =
            finding::COLUMNS.split(", ").map(|column| format!("f.{}", column.trim())).collect();
        let columns = columns.join(", ");
        let (subject, tables, there) = match kind {
            Subject::Device => (
                "f.device_id, d.name",
                "finding f JOIN device d ON d.id = f.device_id",
                "d.revoked_at IS NULL AND $2 = 'device'",
            ),
            Subject::Person | Subject::Site | Subject::Item | Subject::Organisation => {
                ("f.subject_id, ''", "subject_finding f", "f.kind = $2")
            }
        };
        let mut all = Vec::new();
        for which in ["f.failing_since IS NOT NULL ORDER BY f.failing_since", "f.outcome = 'pass'"] {
            let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
                "SELECT {columns}, {subject} FROM {tables} WHERE f.rule = $1 AND {there} AND {which} LIMIT $3"
            )))
            .bind(rule.to_owned())
            .bind(kind.word())
            .bind(each)
            .fetch_all(&self.readers)
            .await?;
            for row in &rows {
                let (id, name): (String, String) = (row.try_get(10)?, row.try_get(11)?);
                let named = match kind {
                    Subject::Organisation => id.clone(),
                    Subject::Device | Subject::Person | Subject::Site | Subject::Item => {
                        format!("{kind}:{id}")
                    }
                };
                let entry = self.finding_entry(&named, rule).await?;
                all.push(Evidence { subject: id, name, finding: finding::stored(row)?, entry });
            }
        }
        Ok(all)
    }

    /// The newest entry about something that says what became of a rule there.
    async fn finding_entry(&self, subject: &str, rule: &str) -> Result<Option<u64>> {
        let row = sqlx::query(
            "SELECT MAX(idx) FROM ledger_entry WHERE subject = $1 AND kind = 'findings.changed' AND text LIKE $2",
        )
        .bind(subject.to_owned())
        .bind(format!("%\"rule\":\"{rule}\"%"))
        .fetch_one(&self.readers)
        .await?;
        let index: Option<i64> = row.try_get(0)?;
        index
            .map(|index| {
                u64::try_from(index)
                    .map_err(|_| StoreError::inconsistent("ledger_entry", "idx", subject, index))
            })
            .transpose()
    }
}

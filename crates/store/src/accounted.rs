//! Rows that the ledger accounts for, as text: what an audit compares with what it replays.

use sqlx::{AssertSqlSafe, Row};

use crate::{Result, Store, engine};

/// A table, or part of one, whose rows the ledger's entries imply.
#[derive(Debug)]
pub struct Accounted {
    /// The table.
    pub table: &'static str,
    /// What tells its rows apart, as an expression.
    pub key: &'static str,
    /// What is compared: a column's name, or an expression that an audit reads by its place.
    pub columns: &'static [&'static str],
    /// Whether a row may be forgotten while its entry stays: access that ended long ago is.
    pub may_be_forgotten: bool,
}

const fn kept(table: &'static str, key: &'static str, columns: &'static [&'static str]) -> Accounted {
    Accounted { table, key, columns, may_be_forgotten: false }
}

const fn forgotten(table: &'static str, key: &'static str, columns: &'static [&'static str]) -> Accounted {
    Accounted { table, key, columns, may_be_forgotten: true }
}

/// Every table that is compared.
pub const ACCOUNTED: &[Accounted] = &[
    kept("ledger_head", "id", &[]),
    kept("unit", "id", &["parent_id", "created_at"]),
    kept("unit_above", "unit_id || ' ' || above_id", &["distance"]),
    kept(
        "person",
        "id",
        &[
            "unit_id",
            "manager_id",
            "state",
            "state_since",
            "last_day",
            "created_at",
            "erased_at",
            "salt || ' ' || LENGTH(name) || ' ' || name || ' ' || LENGTH(COALESCE(email, '-')) || ' ' || \
             COALESCE(email, '-') || ' ' || COALESCE(staff_number, '-')",
        ],
    ),
    kept("role_grant", "person_id || ' ' || role || ' ' || unit_id", &["granted_at", "granted_by"]),
    kept("device", "id", &["person_id", "owner", "public_key", "enrolled_at", "revoked_at", "lost_at"]),
    kept("device_standing", "device_id", &["standing", "standing_since"]),
    kept("standing_change", "device_id || ' ' || entry", &["at", "standing", "reason"]),
    kept("finding", "device_id || ' ' || rule", &["outcome", "since", "failing_since"]),
    kept("subject_finding", "kind || ':' || subject_id || ' ' || rule", &["outcome", "since"]),
    kept("subject_standing", "kind || ':' || subject_id", &["standing", "since"]),
    kept("tally", "name", &["n"]),
    kept(
        "policy_version",
        "digest",
        &[
            "name || ' ' || version",
            "author",
            "approver",
            "published_at",
            "effective_at",
            "in_force_at",
            "superseded_at",
            "entry",
            "says",
        ],
    ),
    kept("policy_key", "key", &["added_by", "added_at", "removed_at"]),
    kept("acknowledgement", "person_id || ' ' || digest", &["at", "entry"]),
    kept(
        "policy_review",
        "id",
        &[
            "digest",
            "at",
            "by_id",
            "outcome",
            "rule",
            "entry",
            "took_part || ' ' || considered || ' ' || words",
        ],
    ),
    kept("attestation", "entry", &["unit_id", "by_id", "at"]),
    kept("attestation_answer", "entry || ' ' || person_id", &["answer"]),
    kept("look", "entry", &["subject_id", "viewer_id", "at", "purpose", "until"]),
    kept(
        "policy_exception",
        "id",
        &[
            "person_id",
            "kind || ':' || subject_id",
            "rule",
            "until",
            "asked_by",
            "asked_at",
            "state",
            "decided_by",
            "decided_at",
            "ended_at",
        ],
    ),
    kept("person_term", "id", &["person_id", "rule", "written_by", "written_at", "ended_by", "ended_at"]),
    kept(
        "lapse_case",
        "id",
        &[
            "person_id",
            "kind || ':' || subject_id",
            "rule",
            "policy",
            "opened_at",
            "state",
            "salt || ' ' || evidence",
            "salt || ' ' || sanction",
            "decided_at",
            "appealed_at",
            "mended_at",
            "closed_at",
            "outcome",
        ],
    ),
    kept(
        "loss",
        "id",
        &[
            "person_id",
            "device_id",
            "thing",
            "stolen",
            "practice",
            "way",
            "told_at",
            "noticed_at",
            "salt || ' ' || evidence",
            "salt || ' ' || words",
            "closed_at",
            "state",
            "risk",
            "heard_at",
            "obeyed_at",
            "told_by",
        ],
    ),
    kept("case_event", "case_id || ' ' || n", &["at", "by_id"]),
    kept("loss_event", "loss_id || ' ' || n", &["at", "by_id", "kind"]),
    kept("loss_step", "loss_id || ' ' || name", &["place", "due_at", "done_at", "done_by"]),
    kept("loss_door", "loss_id || ' ' || door", &["shut_at", "n", "open_at"]),
    kept("hook", "id", &["kind", "host", "events", "people", "created_at", "ended_at"]),
    kept("password", "person_id", &["hash", "set_at"]),
    kept("passkey", "id", &["person_id", "credential", "passkey", "created_at"]),
    kept("authenticator", "person_id || ' ' || COALESCE(confirmed_at, 0)", &[]),
    forgotten("outside_identity", "person_id || ' ' || issuer || ' ' || created_at", &[]),
    forgotten("session", "id", &["person_id", "method", "created_at", "ended_at"]),
    forgotten("token", "id", &["digest", "person_id", "scopes", "created_at", "expires_at", "ended_at"]),
    forgotten("one_time_link", "digest", &["kind", "person_id", "created_at", "expires_at", "made_by"]),
    forgotten(
        "enrolment_code",
        "digest",
        &["person_id", "owner", "created_at", "expires_at", "made_by", "used_at", "device_id"],
    ),
    forgotten("policy_glass", "digest || ' ' || address", &[]),
    forgotten("calendar_feed", "person_id", &["created_at"]),
    forgotten("loss_card", "person_id", &["made_at"]),
    forgotten("device_certificate", "fingerprint", &["device_id", "made_at", "ends_at"]),
    forgotten("tunnel_key", "device_id || ' ' || tunnel", &[]),
];

/// A row: its key, and what is compared, in the order of [`Accounted::columns`].
pub type AccountedRow = (String, Vec<Option<String>>);

impl Store {
    /// The rows of one table.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn accounted_rows(&self, of: &Accounted) -> Result<Vec<AccountedRow>> {
        let columns: String = of.columns.iter().map(|column| format!(", CAST({column} AS TEXT)")).collect();
        let text = format!("SELECT CAST({} AS TEXT){columns} FROM {}", of.key, of.table);
        let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                let values = (1..=of.columns.len()).map(|place| Ok(row.try_get(place)?));
                // A key that is nothing is a row that no entry accounts for.
                Ok((row.try_get::<Option<String>, _>(0)?.unwrap_or_default(), values.collect::<Result<_>>()?))
            })
            .collect()
    }

    /// The sealed report kept of each device, with the key that it is to be signed with: device, key, position, digest,
    /// envelope. Up to 500, after one device.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn kept_reports(&self, after: &str) -> Result<Vec<KeptReport>> {
        let rows = sqlx::query(
            "SELECT r.device_id, d.public_key, r.seq, r.digest, r.envelope FROM device_report r
             LEFT JOIN device d ON d.id = r.device_id WHERE r.device_id > $1 ORDER BY r.device_id LIMIT 500",
        )
        .bind(after.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(KeptReport {
                    device: row.try_get(0)?,
                    key: row.try_get::<Option<String>, _>(1)?.unwrap_or_default(),
                    seq: row.try_get(2)?,
                    digest: row.try_get(3)?,
                    envelope: row.try_get(4)?,
                })
            })
            .collect()
    }

    /// What is wrong with the database itself: a page of SQLite's that can't be read, a setting of PostgreSQL's by which what
    /// is acknowledged can be lost.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn faults(&self) -> Result<Vec<String>> {
        engine::faults(&self.readers, self.sqlite).await
    }

    /// What in a SQLite database isn't as the migrations leave it: a table, index, view, or trigger that is missing, one
    /// too many, or another one of the same name. On PostgreSQL, views, rules, and triggers, of which Stead has none.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn schema_faults(&self) -> Result<Vec<String>> {
        engine::schema_faults(&self.readers, self.sqlite).await
    }
}

/// A report as it is kept.
#[derive(Clone, Debug)]
pub struct KeptReport {
    /// Whose.
    pub device: String,
    /// The key that the device was enrolled with; empty when there is no such device.
    pub key: String,
    /// Its position among the device's messages.
    pub seq: i64,
    /// Its digest.
    pub digest: String,
    /// The envelope, as JSON.
    pub envelope: String,
}

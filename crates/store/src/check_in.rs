//! Check-ins, many at once.

use std::collections::{HashMap, HashSet};

use sqlx::Row;
use stead_model::{DeviceId, Millis, PersonId};

use crate::{
    Result, Store, Write,
    device::device_id,
    people::person_id,
    sql::{self, Bind},
};

/// What a device is known by before its message is looked at.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its public key, base64.
    pub public_key: String,
    /// Who owns it.
    pub owner: String,
    /// The person it is enrolled for.
    pub person: PersonId,
    /// How often what applies to people and devices has changed.
    pub turn: i64,
    /// When it was revoked.
    pub revoked_at: Option<Millis>,
    /// When it was reported lost; then it is revoked as well.
    pub lost_at: Option<Millis>,
    /// Number of its last message.
    pub seq: i64,
    /// When that was heard.
    pub last_seen: Millis,
    /// Digest of that message.
    pub message: String,
    /// The report that is kept. None before the first.
    pub judged: Option<Kept>,
    /// The standing.
    pub standing: stead_model::Standing,
    /// When the standing changes by time alone.
    pub deadline: Option<Millis>,
}

/// What is known of the report that is kept, without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub seq: i64,
    /// When it was received.
    pub received_at: Millis,
    /// Digest of its facts.
    pub facts_digest: String,
    /// Digest of the pack it was judged by; empty when it is to be judged again.
    pub pack_digest: String,
    /// How often it was to be judged again.
    pub basis: i64,
}

/// One device's step from one message to the next.
#[derive(Clone, Debug)]
pub struct Step {
    /// The device.
    pub device: DeviceId,
    /// Number of the message before, as the caller knows it.
    pub prev_seq: i64,
    /// Number of this message.
    pub seq: i64,
    /// When it was heard.
    pub last_seen: Millis,
    /// Digest of the message.
    pub message: String,
}

/// A report to keep.
#[derive(Clone, Debug)]
pub struct NewReport {
    /// The device.
    pub device: DeviceId,
    /// Its number.
    pub seq: i64,
    /// When it was received.
    pub received_at: Millis,
    /// Digest of the envelope.
    pub digest: String,
    /// Digest of the facts.
    pub facts_digest: String,
    /// The pack it was judged by, as people name it.
    pub pack: String,
    /// Digest of that pack.
    pub pack_digest: String,
    /// The envelope.
    pub envelope: String,
}

/// The name under which it is counted how often what applies to people and devices has changed.
pub const TURN: &str = "terms turn";

const STEP: &str = "INSERT INTO device_state (device_id, seq, prev_seq, last_seen, message)";
const STEPPED: &str =
    "ON CONFLICT (device_id) DO UPDATE SET seq = excluded.seq, prev_seq = excluded.prev_seq,
    last_seen = excluded.last_seen, message = excluded.message WHERE device_state.seq = excluded.prev_seq
    AND NOT EXISTS (SELECT 1 FROM device d WHERE d.id = excluded.device_id AND d.revoked_at IS NOT NULL)";

fn step_rows(steps: &[Step]) -> Vec<[Bind; 5]> {
    steps
        .iter()
        .map(|step| {
            [
                step.device.to_string().into(),
                step.seq.into(),
                step.prev_seq.into(),
                step.last_seen.0.into(),
                step.message.as_str().into(),
            ]
        })
        .collect()
}

impl Store {
    /// What is known of a device before its message is looked at.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn known(&self, device: DeviceId) -> Result<Option<Known>> {
        let row = sqlx::query(
            "SELECT d.public_key, d.owner, d.revoked_at, s.seq, s.last_seen, s.message, t.standing, t.deadline,
                    r.seq, r.received_at, r.facts_digest, r.pack_digest, r.basis, d.person_id,
                    (SELECT m.value FROM meta m WHERE m.name = $2), d.lost_at
             FROM device d JOIN device_state s ON s.device_id = d.id JOIN device_standing t ON t.device_id = d.id
             LEFT JOIN device_report r ON r.device_id = d.id WHERE d.id = $1",
        )
        .bind(device.to_string())
        .bind(TURN)
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| {
            let turn: Option<String> = row.try_get(14)?;
            let revoked_at: Option<i64> = row.try_get(2)?;
            let lost_at: Option<i64> = row.try_get(15)?;
            let word: String = row.try_get(6)?;
            let deadline: Option<i64> = row.try_get(7)?;
            let report: Option<i64> = row.try_get(8)?;
            let kept = |seq| -> Result<Kept> {
                Ok(Kept {
                    seq,
                    received_at: Millis(row.try_get(9)?),
                    facts_digest: row.try_get(10)?,
                    pack_digest: row.try_get(11)?,
                    basis: row.try_get(12)?,
                })
            };
            Ok(Known {
                public_key: row.try_get(0)?,
                owner: row.try_get(1)?,
                person: person_id(&row.try_get::<String, _>(13)?)?,
                turn: turn.and_then(|turn| turn.parse().ok()).unwrap_or(0),
                revoked_at: revoked_at.map(Millis),
                lost_at: lost_at.map(Millis),
                seq: row.try_get(3)?,
                last_seen: Millis(row.try_get(4)?),
                message: row.try_get(5)?,
                judged: report.map(kept).transpose()?,
                standing: stead_model::Standing::from_word(&word)
                    .ok_or_else(|| crate::StoreError::inconsistent("device", "standing", device, word))?,
                deadline: deadline.map(Millis),
            })
        })
        .transpose()
    }
}

impl Write {
    /// By what the stored reports of these devices were judged: the digest of the pack, and how often they
    /// were to be judged again.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn judged_by(&mut self, devices: &[DeviceId]) -> Result<HashMap<DeviceId, (String, i64)>> {
        let mut all = HashMap::new();
        if devices.is_empty() {
            return Ok(all);
        }
        let places: Vec<String> = (1..=devices.len()).map(|n| format!("${n}")).collect();
        let text = format!(
            "SELECT device_id, pack_digest, basis FROM device_report WHERE device_id IN ({})",
            places.join(", ")
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text));
        let query = devices.iter().fold(query, |query, device| query.bind(device.to_string()));
        for row in query.fetch_all(self.connection()).await? {
            let by = (row.try_get(1)?, row.try_get(2)?);
            all.insert(device_id(&row.try_get::<String, _>(0)?)?, by);
        }
        Ok(all)
    }

    /// Has the stored reports of these devices judged again: what applies to them has changed.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn judge_anew(&mut self, devices: &[DeviceId]) -> Result<()> {
        for device in devices {
            sqlx::query("UPDATE device_report SET pack_digest = '', basis = basis + 1 WHERE device_id = $1")
                .bind(device.to_string())
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }

    /// The same for all devices of everybody in a unit of this name or below one; of everybody, where no unit
    /// is named.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn judge_unit_anew(&mut self, unit: Option<&str>) -> Result<()> {
        sqlx::query(
            "UPDATE device_report SET pack_digest = '', basis = basis + 1 WHERE device_id IN
             (SELECT d.id FROM device d JOIN person p ON p.id = d.person_id
              JOIN unit_above a ON a.unit_id = p.unit_id JOIN unit u ON u.id = a.above_id
              WHERE u.name = $1 OR $1 = '')",
        )
        .bind(unit.unwrap_or_default().to_owned())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Says that what applies to people and devices has changed, so that every server reads it anew.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn turn_terms(&mut self) -> Result<()> {
        sqlx::query(
            "INSERT INTO meta (name, value) VALUES ($1, '1')
             ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)",
        )
        .bind(TURN)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Moves devices on to their next message; whether all were where the caller thought. When not, drop
    /// the transaction and [`Write::step_some`] in another. A device may stand in `steps` once.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn step_all(&mut self, steps: &[Step]) -> Result<bool> {
        let moved = sql::write_many(self.connection(), STEP, step_rows(steps), STEPPED).await?;
        self.changes().heard.extend(steps.iter().map(|step| (step.device, step.last_seen)));
        Ok(moved == steps.len() as u64)
    }

    /// Moves those devices on that are where the caller thought, and returns them; for the others nothing
    /// has changed.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn step_some(&mut self, steps: &[Step]) -> Result<HashSet<DeviceId>> {
        let tail = format!("{STEPPED} RETURNING device_id");
        let moved = sql::insert_many(self.connection(), STEP, step_rows(steps), &tail).await?;
        let moved: HashSet<DeviceId> =
            moved.iter().map(|row| device_id(&row.try_get::<String, _>(0)?)).collect::<Result<_>>()?;
        let heard = steps.iter().filter(|step| moved.contains(&step.device));
        self.changes().heard.extend(heard.map(|step| (step.device, step.last_seen)));
        Ok(moved)
    }

    /// Keeps reports, each over the one before.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn put_reports(&mut self, reports: Vec<NewReport>) -> Result<()> {
        let rows = reports
            .into_iter()
            .map(|report| {
                [
                    report.device.to_string().into(),
                    report.seq.into(),
                    report.received_at.0.into(),
                    report.digest.into(),
                    report.facts_digest.into(),
                    report.pack.into(),
                    report.pack_digest.into(),
                    report.envelope.into(),
                ]
            })
            .collect();
        sql::write_many(
            self.connection(),
            "INSERT INTO device_report
             (device_id, seq, received_at, digest, facts_digest, pack, pack_digest, envelope)",
            rows,
            "ON CONFLICT (device_id) DO UPDATE SET seq = excluded.seq, received_at = excluded.received_at,
             digest = excluded.digest, facts_digest = excluded.facts_digest, pack = excluded.pack,
             pack_digest = excluded.pack_digest, envelope = excluded.envelope",
        )
        .await?;
        Ok(())
    }
}

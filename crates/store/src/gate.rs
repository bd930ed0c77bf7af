//! What decides who is let in, read for memory: of devices and people no more than what counts against them.

use std::collections::HashMap;

use sqlx::{Row, any::AnyRow};
use stead_model::{DeviceId, Employment, Millis, PersonId, SessionId, Standing, Subject};

use crate::{
    Result, Store, StoreError, certificate::Certificate, device::device_id, people::person_id,
    tunnel::TunnelKey,
};

/// A finding that is against its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Id of the rule.
    pub rule: String,
    /// When it costs what the rule costs. None where it never does, or where an earlier Stead wrote it.
    pub due: Option<Millis>,
    /// When it first failed or became unknown while it was enforced.
    pub counts_since: Option<Millis>,
}

/// A device.
#[derive(Clone, Debug)]
pub struct GateDevice {
    /// Its id.
    pub id: DeviceId,
    /// Whose it is.
    pub person: PersonId,
    /// Whether it has been revoked.
    pub revoked: bool,
    /// Its standing.
    pub standing: Standing,
    /// When it was last heard.
    pub last_seen: Millis,
    /// What counts against it.
    pub against: Vec<Counts>,
    /// Its keys for tunnels.
    pub tunnels: Vec<TunnelKey>,
    /// Its certificates for connections.
    pub certificates: Vec<Certificate>,
}

/// A person.
#[derive(Clone, Debug)]
pub struct GatePerson {
    /// Their id.
    pub id: PersonId,
    /// Their state.
    pub state: Employment,
    /// Their address, lower case as it is kept.
    pub email: Option<String>,
    /// Their name.
    pub name: String,
    /// What counts against them.
    pub against: Vec<Counts>,
}

/// A session that has not been ended.
#[derive(Clone, Debug)]
pub struct GateSession {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub person: PersonId,
    /// When it began.
    pub created_at: Millis,
    /// When it was last used.
    pub last_used: Millis,
}

/// `$from, $from+1, …` for so many values.
pub(crate) fn places(from: usize, many: usize) -> String {
    (from..from + many).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

fn counts(row: &AnyRow) -> Result<(String, Counts)> {
    let due: Option<i64> = row.try_get(2)?;
    let counts_since: Option<i64> = row.try_get(3)?;
    let counts =
        Counts { rule: row.try_get(1)?, due: due.map(Millis), counts_since: counts_since.map(Millis) };
    Ok((row.try_get(0)?, counts))
}

fn by_subject(rows: &[AnyRow]) -> Result<HashMap<String, Vec<Counts>>> {
    let mut all: HashMap<String, Vec<Counts>> = HashMap::new();
    for row in rows {
        let (subject, counts) = counts(row)?;
        all.entry(subject).or_default().push(counts);
    }
    Ok(all)
}

impl Store {
    /// Ids of devices that work or have worked, after one, in their order.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn device_ids(&self, after: Option<DeviceId>, limit: i64) -> Result<Vec<DeviceId>> {
        let rows = sqlx::query("SELECT id FROM device WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after.map_or_else(String::new, |id| id.to_string()))
            .bind(limit)
            .fetch_all(&self.followers)
            .await?;
        rows.iter().map(|row| device_id(&row.try_get::<String, _>(0)?)).collect()
    }

    /// Ids of people after one, in their order.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn person_ids(&self, after: Option<PersonId>, limit: i64) -> Result<Vec<PersonId>> {
        let rows = sqlx::query("SELECT id FROM person WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after.map_or_else(String::new, |id| id.to_string()))
            .bind(limit)
            .fetch_all(&self.followers)
            .await?;
        rows.iter().map(|row| person_id(&row.try_get::<String, _>(0)?)).collect()
    }

    /// These devices with what counts against them; those that are not there are left out.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn gate_devices(&self, ids: &[DeviceId]) -> Result<Vec<GateDevice>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = places(1, ids.len());
        // One statement: what counts and what is known of the device are of one moment.
        let text = format!(
            "SELECT d.id, f.rule, f.due, f.counts_since, d.person_id, d.revoked_at, t.standing, s.last_seen
             FROM device d JOIN device_standing t ON t.device_id = d.id JOIN device_state s ON s.device_id = d.id
             LEFT JOIN finding f ON f.device_id = d.id AND f.failing_since IS NOT NULL
             WHERE d.id IN ({wanted}) ORDER BY d.id"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text));
        let query = ids.iter().fold(query, |query, id| query.bind(id.to_string()));
        let mut devices: Vec<GateDevice> = Vec::new();
        for row in query.fetch_all(&self.followers).await? {
            let id = device_id(&row.try_get::<String, _>(0)?)?;
            if devices.last().is_none_or(|last| last.id != id) {
                let standing: String = row.try_get(6)?;
                let revoked_at: Option<i64> = row.try_get(5)?;
                devices.push(GateDevice {
                    id,
                    person: person_id(&row.try_get::<String, _>(4)?)?,
                    revoked: revoked_at.is_some(),
                    standing: Standing::from_word(&standing)
                        .ok_or_else(|| StoreError::inconsistent("device", "standing", id, standing))?,
                    last_seen: Millis(row.try_get(7)?),
                    against: Vec::new(),
                    tunnels: Vec::new(),
                    certificates: Vec::new(),
                });
            }
            let rule: Option<String> = row.try_get(1)?;
            if rule.is_some()
                && let Some(device) = devices.last_mut()
            {
                device.against.push(counts(&row)?.1);
            }
        }
        // A key that is made meanwhile is told of on its own.
        for key in self.tunnel_keys(ids).await? {
            if let Some(device) = devices.iter_mut().find(|device| device.id == key.device) {
                device.tunnels.push(key);
            }
        }
        for certificate in self.certificates(ids).await? {
            if let Some(device) = devices.iter_mut().find(|device| device.id == certificate.device) {
                device.certificates.push(certificate);
            }
        }
        Ok(devices)
    }

    /// These people with what counts against them; those that are not there are left out.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn gate_people(&self, ids: &[PersonId]) -> Result<Vec<GatePerson>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let text = format!(
            "SELECT subject_id, rule, due, counts_since FROM subject_finding
             WHERE kind = $1 AND subject_id IN ({}) AND failing_since IS NOT NULL",
            places(2, ids.len())
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(Subject::Person.word());
        let query = ids.iter().fold(query, |query, id| query.bind(id.to_string()));
        let mut against = by_subject(&query.fetch_all(&self.followers).await?)?;
        let text =
            format!("SELECT id, state, email, name FROM person WHERE id IN ({})", places(1, ids.len()));
        let query = sqlx::query(sqlx::AssertSqlSafe(text));
        let query = ids.iter().fold(query, |query, id| query.bind(id.to_string()));
        let rows = query.fetch_all(&self.followers).await?;
        rows.iter()
            .map(|row| {
                let id: String = row.try_get(0)?;
                let state: String = row.try_get(1)?;
                Ok(GatePerson {
                    id: person_id(&id)?,
                    state: Employment::from_word(&state)
                        .ok_or_else(|| StoreError::inconsistent("person", "state", &id, state))?,
                    email: row.try_get(2)?,
                    name: row.try_get(3)?,
                    against: against.remove(&id).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Sessions that began after a time and have not been ended.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn live_sessions(&self, since: Millis) -> Result<Vec<GateSession>> {
        let rows = sqlx::query(
            "SELECT id, person_id, created_at, last_used FROM session
             WHERE created_at > $1 AND ended_at IS NULL",
        )
        .bind(since.0)
        .fetch_all(&self.followers)
        .await?;
        rows.iter().map(gate_session).collect()
    }

    /// Sessions of a person that have not been ended.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn gate_sessions_of(&self, person: PersonId) -> Result<Vec<GateSession>> {
        let rows = sqlx::query(
            "SELECT id, person_id, created_at, last_used FROM session WHERE person_id = $1 AND ended_at IS NULL",
        )
        .bind(person.to_string())
        .fetch_all(&self.followers)
        .await?;
        rows.iter().map(gate_session).collect()
    }

    /// Of these sessions those that have not been ended.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn gate_sessions(&self, ids: &[SessionId]) -> Result<Vec<GateSession>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let text = format!(
            "SELECT id, person_id, created_at, last_used FROM session WHERE ended_at IS NULL AND id IN ({})",
            places(1, ids.len())
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text));
        let query = ids.iter().fold(query, |query, id| query.bind(id.to_string()));
        query.fetch_all(&self.followers).await?.iter().map(gate_session).collect()
    }
}

fn gate_session(row: &AnyRow) -> Result<GateSession> {
    let id: String = row.try_get(0)?;
    Ok(GateSession {
        id: id.parse().map_err(|_| StoreError::inconsistent("session", "id", &id, &id))?,
        person: person_id(&row.try_get::<String, _>(1)?)?,
        created_at: Millis(row.try_get(2)?),
        last_used: Millis(row.try_get(3)?),
    })
}

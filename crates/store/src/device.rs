//! Devices: who holds them, their keys, their standing and its history.

use sqlx::{Row, any::AnyRow};
use stead_model::{DeviceId, Millis, PersonId, Standing};

use crate::{
    Result, Store, StoreError, Write,
    people::{like, person_id},
    sql,
};

/// A new device.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Its id.
    pub id: DeviceId,
    /// The person it is enrolled for.
    pub person: PersonId,
    /// Their name, for searching.
    pub person_name: String,
    /// What it calls itself.
    pub name: String,
    /// Who owns it.
    pub owner: String,
    /// Its public key, base64.
    pub public_key: String,
    /// Digest of the machine's id.
    pub machine: String,
}

/// A device with its person and what was last heard.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// The person it is enrolled for.
    pub person: PersonId,
    /// Their name.
    pub person_name: String,
    /// What it calls itself.
    pub name: String,
    /// Who owns it.
    pub owner: String,
    /// Its public key, base64.
    pub public_key: String,
    /// When it was enrolled.
    pub enrolled_at: Millis,
    /// When it was revoked.
    pub revoked_at: Option<Millis>,
    /// When it was reported lost; then it is revoked as well.
    pub lost_at: Option<Millis>,
    /// The name of its operating system; empty before the first report.
    pub system: String,
    /// Its standing.
    pub standing: Standing,
    /// Since when.
    pub standing_since: Millis,
    /// Number of its last message.
    pub seq: i64,
    /// When it was last heard.
    pub last_seen: Option<Millis>,
}

/// What a list of devices is asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this standing.
    pub standing: Option<Standing>,
    /// Only those whose name or person holds these words, in lower case.
    pub words: String,
    /// Only those after this one: its search text and id.
    pub after: Option<(String, String)>,
}

/// A row of a list of devices.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub id: DeviceId,
    /// The text it is sorted by.
    pub search: String,
    /// What it calls itself.
    pub name: String,
    /// The person it is enrolled for.
    pub person_name: String,
    /// The name of its operating system.
    pub system: String,
    /// Its standing.
    pub standing: Standing,
    /// Since when.
    pub standing_since: Millis,
    /// When it was last heard.
    pub last_seen: Option<Millis>,
}

/// A standing to write.
#[derive(Clone, Debug)]
pub struct NewStanding {
    /// The device.
    pub device: DeviceId,
    /// Its standing.
    pub standing: Standing,
    /// Since when, if it is another than the one that is stored.
    pub since: Millis,
    /// When it changes by time alone.
    pub deadline: Option<Millis>,
    /// The name of the operating system; empty leaves the one that is stored.
    pub system: String,
}

/// A change of a device's standing.
#[derive(Clone, Debug)]
pub struct StandingChange {
    /// The ledger entry that proves it.
    pub entry: u64,
    /// When.
    pub at: Millis,
    /// To what.
    pub standing: Standing,
    /// Why, in words.
    pub reason: String,
}

/// The last sealed report.
#[derive(Clone, Debug)]
pub struct StoredReport {
    /// Its number.
    pub seq: i64,
    /// When it was received.
    pub received_at: Millis,
    /// Digest of the envelope.
    pub digest: String,
    /// Digest of the facts in it.
    pub facts_digest: String,
    /// The pack it was judged by.
    pub pack: String,
    /// The envelope, whole.
    pub envelope: String,
}

/// What a device last reported, with what a change of the policy is told by.
#[derive(Clone, Debug)]
pub struct ToTry {
    /// The device.
    pub device: DeviceId,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub person_id: PersonId,
    /// Their name.
    pub person: String,
    /// The name of their unit.
    pub unit: String,
    /// Who owns it.
    pub owner: String,
    /// Its standing.
    pub standing: Standing,
    /// The sealed report.
    pub envelope: String,
}

const COLUMNS: &str = "SELECT d.id, d.person_id, p.name, d.name, d.owner, d.public_key, d.enrolled_at, \
    d.revoked_at, t.system, t.standing, t.standing_since, s.seq, s.last_seen, d.lost_at \
    FROM device d JOIN person p ON p.id = d.person_id JOIN device_state s ON s.device_id = d.id \
    JOIN device_standing t ON t.device_id = d.id";

const OF_PERSON: &str = "WHERE d.person_id = $1 \
    ORDER BY CASE WHEN d.revoked_at IS NULL THEN 0 ELSE 1 END, d.enrolled_at DESC, d.id LIMIT 200";

impl Store {
    /// The device with this id.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn device(&self, id: DeviceId) -> Result<Option<Device>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE d.id = $1")))
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(device).transpose()
    }

    /// The person a device belongs to.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn device_person(&self, id: DeviceId) -> Result<Option<PersonId>> {
        let row = sqlx::query("SELECT person_id FROM device WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| person_id(&row.try_get::<String, _>(0)?)).transpose()
    }

    /// A person's devices, newest first; revoked ones last.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn devices_of(&self, person: PersonId) -> Result<Vec<Device>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} {OF_PERSON}")))
            .bind(person.to_string())
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(device).collect()
    }

    /// The devices of these people that are heard, by person.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn devices_of_all(&self, people: &[PersonId]) -> Result<Vec<Device>> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<String> = (1..=people.len()).map(|n| format!("${n}")).collect();
        let text = format!(
            "{COLUMNS} WHERE d.person_id IN ({}) AND d.revoked_at IS NULL ORDER BY d.person_id, d.enrolled_at",
            places.join(", ")
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text));
        let query = people.iter().fold(query, |query, person| query.bind(person.to_string()));
        query.fetch_all(&self.readers).await?.iter().map(device).collect()
    }

    /// A page of devices, by name.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn devices(&self, filter: &Filter, limit: i64) -> Result<Vec<Listed>> {
        let (after, after_id) = filter.after.clone().unwrap_or_default();
        let words = like(&filter.words);
        let by_standing = match filter.standing {
            Some(standing) => format!("t.standing = '{}' AND", standing.word()),
            None => String::new(),
        };
        let by_words = if filter.words.is_empty() { "$3 = $3 AND" } else { "t.search LIKE $3 AND" };
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT t.device_id, t.search, d.name, p.name, t.system, t.standing, t.standing_since, s.last_seen
             FROM device_standing t JOIN device d ON d.id = t.device_id JOIN person p ON p.id = d.person_id
             JOIN device_state s ON s.device_id = t.device_id
             WHERE d.revoked_at IS NULL AND {by_standing} {by_words} (t.search, t.device_id) > ($1, $2)
             ORDER BY t.search, t.device_id LIMIT $4"
        )))
        .bind(after)
        .bind(after_id)
        .bind(words)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let id: String = row.try_get(0)?;
                Ok(Listed {
                    id: device_id(&id)?,
                    search: row.try_get(1)?,
                    name: row.try_get(2)?,
                    person_name: row.try_get(3)?,
                    system: row.try_get(4)?,
                    standing: standing(row, 5, &id)?,
                    standing_since: Millis(row.try_get(6)?),
                    last_seen: seen(row.try_get(7)?),
                })
            })
            .collect()
    }

    /// How a device's standing changed since a time, newest first; and the last change before it.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn standing_changes(&self, id: DeviceId, since: Millis) -> Result<Vec<StandingChange>> {
        let rows = sqlx::query(
            "SELECT entry, at, standing, reason FROM standing_change WHERE device_id = $1 AND at >= COALESCE(
                 (SELECT MAX(at) FROM standing_change WHERE device_id = $1 AND at <= $2), $2)
             ORDER BY entry DESC LIMIT 500",
        )
        .bind(id.to_string())
        .bind(since.0)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let entry: i64 = row.try_get(0)?;
                Ok(StandingChange {
                    entry: u64::try_from(entry)
                        .map_err(|_| StoreError::inconsistent("standing_change", "entry", id, entry))?,
                    at: Millis(row.try_get(1)?),
                    standing: standing(row, 2, &id.to_string())?,
                    reason: row.try_get(3)?,
                })
            })
            .collect()
    }

    /// The last sealed report of a device.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn report(&self, id: DeviceId) -> Result<Option<StoredReport>> {
        let row = sqlx::query(
            "SELECT seq, received_at, digest, facts_digest, pack, envelope FROM device_report WHERE device_id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| {
            Ok(StoredReport {
                seq: row.try_get(0)?,
                received_at: Millis(row.try_get(1)?),
                digest: row.try_get(2)?,
                facts_digest: row.try_get(3)?,
                pack: row.try_get(4)?,
                envelope: row.try_get(5)?,
            })
        })
        .transpose()
    }

    /// The last reports of devices that were heard since a time, by id, after one that was seen.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn reports_to_try(
        &self,
        heard_since: Millis,
        after: Option<DeviceId>,
        limit: i64,
    ) -> Result<Vec<ToTry>> {
        let rows = sqlx::query(
            "SELECT r.device_id, d.name, p.name, u.name, d.owner, t.standing, r.envelope, p.id
             FROM device_report r JOIN device d ON d.id = r.device_id JOIN person p ON p.id = d.person_id
             JOIN unit u ON u.id = p.unit_id JOIN device_standing t ON t.device_id = r.device_id
             JOIN device_state s ON s.device_id = r.device_id
             WHERE d.revoked_at IS NULL AND s.last_seen > $1 AND r.device_id > $2 ORDER BY r.device_id LIMIT $3",
        )
        .bind(heard_since.0)
        .bind(after.map_or(String::new(), |after| after.to_string()))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let id: String = row.try_get(0)?;
                Ok(ToTry {
                    device: device_id(&id)?,
                    name: row.try_get(1)?,
                    person: row.try_get(2)?,
                    unit: row.try_get(3)?,
                    owner: row.try_get(4)?,
                    standing: standing(row, 5, &id)?,
                    envelope: row.try_get(6)?,
                    person_id: person_id(&row.try_get::<String, _>(7)?)?,
                })
            })
            .collect()
    }

    /// How many devices were heard since a time, and people work here: those a policy is tried out on.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn how_many_to_try(&self, heard_since: Millis) -> Result<i64> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM device_state WHERE last_seen > $1)
                  + (SELECT COUNT(*) FROM person WHERE state IN ('active', 'on_leave', 'leaving'))",
        )
        .bind(heard_since.0)
        .fetch_one(&self.readers)
        .await?;
        Ok(row.try_get(0)?)
    }

    /// Devices whose next deadline has come.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn devices_at_deadline(&self, now: Millis, limit: i64) -> Result<Vec<DeviceId>> {
        let rows = sqlx::query(
            "SELECT t.device_id FROM device_standing t JOIN device d ON d.id = t.device_id
             WHERE t.deadline IS NOT NULL AND t.deadline <= $1 AND d.revoked_at IS NULL
             ORDER BY t.deadline LIMIT $2",
        )
        .bind(now.0)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        ids(&rows)
    }

    /// Devices that were last heard at or before a time, and whose standing does not say so yet.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn silent_devices(&self, last_seen: Millis, limit: i64) -> Result<Vec<DeviceId>> {
        let rows = sqlx::query(
            "SELECT s.device_id FROM device_state s JOIN device_standing t ON t.device_id = s.device_id
             JOIN device d ON d.id = s.device_id
             WHERE s.last_seen <= $1 AND t.standing <> 'unknown' AND d.revoked_at IS NULL LIMIT $2",
        )
        .bind(last_seen.0)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        ids(&rows)
    }

    /// Id and digest of the last report of every device, by id, for the daily anchor.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn report_digests(&self) -> Result<Vec<(String, String)>> {
        let rows = sqlx::query("SELECT device_id, digest FROM device_report ORDER BY device_id")
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }
}

impl Write {
    /// Adds a device, with unknown standing and nothing heard. A key that is there already is a
    /// [duplicate](StoreError::is_duplicate).
    ///
    /// # Errors
    /// When the store is away or the key is taken.
    pub async fn add_device(&mut self, device: &NewDevice, now: Millis) -> Result<()> {
        self.changes().devices.insert(device.id);
        sqlx::query(
            "INSERT INTO device (id, person_id, name, owner, public_key, machine, enrolled_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(device.id.to_string())
        .bind(device.person.to_string())
        .bind(device.name.clone())
        .bind(device.owner.clone())
        .bind(device.public_key.clone())
        .bind(device.machine.clone())
        .bind(now.0)
        .execute(self.connection())
        .await?;
        sqlx::query(
            "INSERT INTO device_standing (device_id, search, system, standing, standing_since)
             VALUES ($1, $2, '', 'unknown', $3)",
        )
        .bind(device.id.to_string())
        .bind(format!("{} {}", device.name, device.person_name).to_lowercase())
        .bind(now.0)
        .execute(self.connection())
        .await?;
        sqlx::query("INSERT INTO device_state (device_id, seq, prev_seq, last_seen, message) VALUES ($1, 0, 0, $2, '')")
            .bind(device.id.to_string())
            .bind(now.0)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Other devices that came from the same machine.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn same_machine(&mut self, machine: &str) -> Result<Vec<DeviceId>> {
        let rows = sqlx::query("SELECT id FROM device WHERE machine = $1 ORDER BY id LIMIT 20")
            .bind(machine.to_owned())
            .fetch_all(self.connection())
            .await?;
        ids(&rows)
    }

    /// The person a device belongs to, within this transaction.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn device_person(&mut self, id: DeviceId) -> Result<Option<PersonId>> {
        let row = sqlx::query("SELECT person_id FROM device WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| person_id(&row.try_get::<String, _>(0)?)).transpose()
    }

    /// A person's devices, within this transaction.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn devices_of(&mut self, person: PersonId) -> Result<Vec<Device>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} {OF_PERSON}")))
            .bind(person.to_string())
            .fetch_all(self.connection())
            .await?;
        rows.iter().map(device).collect()
    }

    /// Revokes a device; whether it was there and not yet revoked.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn revoke_device(&mut self, id: DeviceId, now: Millis) -> Result<bool> {
        self.changes().devices.insert(id);
        let row = sqlx::query(
            "UPDATE device SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL RETURNING id",
        )
        .bind(now.0)
        .bind(id.to_string())
        .fetch_optional(self.connection())
        .await?;
        self.forget_tunnel_keys(id).await?;
        self.forget_certificates(id).await?;
        Ok(row.is_some())
    }

    /// The standing of a device and the time it was last heard, within this transaction.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn standing(&mut self, id: DeviceId) -> Result<Option<(Standing, Millis)>> {
        let row = sqlx::query("SELECT t.standing, s.last_seen FROM device_standing t JOIN device_state s ON s.device_id = t.device_id
             WHERE t.device_id = $1",)
            .bind(id.to_string())
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| Ok((standing(&row, 0, &id.to_string())?, Millis(row.try_get(1)?)))).transpose()
    }

    /// Writes standings. The devices are there; what they are found by stays.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn put_standings(&mut self, standings: Vec<NewStanding>) -> Result<()> {
        self.changes().devices.extend(standings.iter().map(|new| new.device));
        let rows = standings
            .into_iter()
            .map(|new| {
                [
                    new.device.to_string().into(),
                    "".into(),
                    new.system.into(),
                    new.standing.word().into(),
                    new.since.0.into(),
                    new.deadline.map(|deadline| deadline.0).into(),
                ]
            })
            .collect();
        sql::write_many(
            self.connection(),
            "INSERT INTO device_standing (device_id, search, system, standing, standing_since, deadline)",
            rows,
            "ON CONFLICT (device_id) DO UPDATE SET
             system = CASE WHEN excluded.system = '' THEN device_standing.system ELSE excluded.system END,
             standing_since = CASE WHEN excluded.standing = device_standing.standing
                 THEN device_standing.standing_since ELSE excluded.standing_since END,
             standing = excluded.standing, deadline = excluded.deadline",
        )
        .await?;
        Ok(())
    }

    /// Writes changes of standing.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn put_standing_changes(&mut self, changes: Vec<(DeviceId, StandingChange)>) -> Result<()> {
        let rows = changes
            .into_iter()
            .map(|(device, change)| {
                [
                    device.to_string().into(),
                    crate::write::number(change.entry).into(),
                    change.at.0.into(),
                    change.standing.word().into(),
                    change.reason.into(),
                ]
            })
            .collect();
        let head = "INSERT INTO standing_change (device_id, entry, at, standing, reason)";
        sql::write_many(self.connection(), head, rows, "").await?;
        Ok(())
    }
}

pub(crate) fn device_id(text: &str) -> Result<DeviceId> {
    text.parse().map_err(|_| StoreError::inconsistent("device", "id", text, text))
}

pub(crate) fn ids(rows: &[AnyRow]) -> Result<Vec<DeviceId>> {
    rows.iter()
        .map(|row| {
            let id: String = row.try_get(0)?;
            device_id(&id)
        })
        .collect()
}

fn standing(row: &AnyRow, column: usize, of: &str) -> Result<Standing> {
    let word: String = row.try_get(column)?;
    Standing::from_word(&word).ok_or_else(|| StoreError::inconsistent("device", "standing", of, word))
}

/// A device that has said nothing yet has sequence zero; its row holds the time of enrolment.
fn seen(last_seen: i64) -> Option<Millis> {
    Some(Millis(last_seen))
}

fn device(row: &AnyRow) -> Result<Device> {
    let id: String = row.try_get(0)?;
    let person: String = row.try_get(1)?;
    let revoked_at: Option<i64> = row.try_get(7)?;
    let lost_at: Option<i64> = row.try_get(13)?;
    let seq: i64 = row.try_get(11)?;
    Ok(Device {
        person: person_id(&person)?,
        person_name: row.try_get(2)?,
        name: row.try_get(3)?,
        owner: row.try_get(4)?,
        public_key: row.try_get(5)?,
        enrolled_at: Millis(row.try_get(6)?),
        revoked_at: revoked_at.map(Millis),
        lost_at: lost_at.map(Millis),
        system: row.try_get(8)?,
        standing: standing(row, 9, &id)?,
        standing_since: Millis(row.try_get(10)?),
        seq,
        last_seen: seen(row.try_get(12)?).filter(|_| seq > 0),
        id: device_id(&id)?,
    })
}

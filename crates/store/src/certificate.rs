//! Certificates with which devices show themselves on connections.

use sqlx::{Row, any::AnyRow};
use stead_model::{DeviceId, Millis, seal};

use crate::{Result, Store, StoreError, Write, device::device_id, gate::places};

/// A certificate that a device was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of the whole certificate.
    pub fingerprint: [u8; 32],
    /// The device.
    pub device: DeviceId,
    /// When it was given.
    pub made_at: Millis,
    /// Until when it is good.
    pub ends_at: Millis,
}

fn certificate(row: &AnyRow) -> Result<Certificate> {
    let device = device_id(&row.try_get::<String, _>(1)?)?;
    let text: String = row.try_get(0)?;
    let bytes = seal::unhex(&text).and_then(|bytes| bytes.try_into().ok());
    Ok(Certificate {
        fingerprint: bytes
            .ok_or_else(|| StoreError::inconsistent("device_certificate", "fingerprint", device, text))?,
        device,
        made_at: Millis(row.try_get(2)?),
        ends_at: Millis(row.try_get(3)?),
    })
}

impl Store {
    /// Certificates that these devices have, the newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn certificates(&self, devices: &[DeviceId]) -> Result<Vec<Certificate>> {
        if devices.is_empty() {
            return Ok(Vec::new());
        }
        let text = format!(
            "SELECT fingerprint, device_id, made_at, ends_at FROM device_certificate
             WHERE device_id IN ({}) ORDER BY made_at DESC, fingerprint",
            places(1, devices.len())
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text));
        let query = devices.iter().fold(query, |query, id| query.bind(id.to_string()));
        query.fetch_all(&self.followers).await?.iter().map(certificate).collect()
    }
}

impl Write {
    /// When a device was given its newest certificate.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn last_certificate(&mut self, device: DeviceId) -> Result<Option<Millis>> {
        let row = sqlx::query("SELECT MAX(made_at) FROM device_certificate WHERE device_id = $1")
            .bind(device.to_string())
            .fetch_one(self.connection())
            .await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Millis))
    }

    /// Keeps a device's new certificate. Of those before, as many as `others` go on, and none that has ended.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn add_certificate(&mut self, new: &Certificate, others: i64) -> Result<()> {
        self.changes().devices.insert(new.device);
        sqlx::query(
            "DELETE FROM device_certificate WHERE device_id = $1 AND (ends_at <= $2 OR fingerprint NOT IN
             (SELECT k.fingerprint FROM device_certificate k WHERE k.device_id = $1
              ORDER BY k.made_at DESC, k.fingerprint LIMIT $3))",
        )
        .bind(new.device.to_string())
        .bind(new.made_at.0)
        .bind(others)
        .execute(self.connection())
        .await?;
        sqlx::query(
            "INSERT INTO device_certificate (fingerprint, device_id, made_at, ends_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(seal::hex(&new.fingerprint))
        .bind(new.device.to_string())
        .bind(new.made_at.0)
        .bind(new.ends_at.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Forgets a device's certificates: none of them shows it any more.
    ///
    /// # Errors
    /// When the store is away.
    pub(crate) async fn forget_certificates(&mut self, device: DeviceId) -> Result<()> {
        self.changes().devices.insert(device);
        sqlx::query("DELETE FROM device_certificate WHERE device_id = $1")
            .bind(device.to_string())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

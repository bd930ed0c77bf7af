//! Keys that devices made for tunnels, and their addresses there.

use sqlx::{Row, any::AnyRow};
use stead_model::{DeviceId, Millis, tunnel::PublicKey};

use crate::{Result, Store, StoreError, Write, device::device_id};

/// A device's key for a tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelKey {
    /// The tunnel.
    pub tunnel: String,
    /// The device.
    pub device: DeviceId,
    /// Its key.
    pub key: PublicKey,
    /// Its place among the tunnel's addresses; the gate has the first.
    pub place: i64,
    /// When the key was taken.
    pub made_at: Millis,
    /// When the device asked with it, by its own clock.
    pub asked_at: Millis,
}

const COLUMNS: &str = "tunnel, device_id, key, place, made_at, asked_at";

fn tunnel_key(row: &AnyRow) -> Result<TunnelKey> {
    let device = device_id(&row.try_get::<String, _>(1)?)?;
    let key: String = row.try_get(2)?;
    Ok(TunnelKey {
        tunnel: row.try_get(0)?,
        device,
        key: key.parse().map_err(|_| StoreError::inconsistent("tunnel_key", "key", device, key))?,
        place: row.try_get(3)?,
        made_at: Millis(row.try_get(4)?),
        asked_at: Millis(row.try_get(5)?),
    })
}

impl Store {
    /// Keys that these devices have for tunnels.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn tunnel_keys(&self, devices: &[DeviceId]) -> Result<Vec<TunnelKey>> {
        if devices.is_empty() {
            return Ok(Vec::new());
        }
        let text = format!(
            "SELECT {COLUMNS} FROM tunnel_key WHERE device_id IN ({}) ORDER BY tunnel, device_id",
            crate::gate::places(1, devices.len())
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text));
        let query = devices.iter().fold(query, |query, id| query.bind(id.to_string()));
        query.fetch_all(&self.followers).await?.iter().map(tunnel_key).collect()
    }
}

impl Write {
    /// A device's key for a tunnel.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn tunnel_key(&mut self, tunnel: &str, device: DeviceId) -> Result<Option<TunnelKey>> {
        let text = format!("SELECT {COLUMNS} FROM tunnel_key WHERE tunnel = $1 AND device_id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(tunnel.to_owned())
            .bind(device.to_string())
            .fetch_optional(self.connection())
            .await?;
        row.as_ref().map(tunnel_key).transpose()
    }

    /// The first place among a tunnel's addresses that no device has. The gate has place 1.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn free_place(&mut self, tunnel: &str) -> Result<i64> {
        let row = sqlx::query(
            "SELECT MIN(taken.place) + 1 FROM
                 (SELECT CAST(1 AS BIGINT) AS place UNION ALL SELECT place FROM tunnel_key WHERE tunnel = $1) taken
             WHERE NOT EXISTS (SELECT 1 FROM tunnel_key n WHERE n.tunnel = $1 AND n.place = taken.place + 1)",
        )
        .bind(tunnel.to_owned())
        .fetch_one(self.connection())
        .await?;
        Ok(row.try_get(0)?)
    }

    /// Keeps a device's key for a tunnel in the place of the one before.
    ///
    /// # Errors
    /// When another device has that key or place, or the store is away.
    pub async fn set_tunnel_key(&mut self, key: &TunnelKey) -> Result<()> {
        self.changes().devices.insert(key.device);
        sqlx::query(
            "INSERT INTO tunnel_key (tunnel, device_id, key, place, made_at, asked_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tunnel, device_id) DO UPDATE SET key = $3, place = $4, made_at = $5, asked_at = $6",
        )
        .bind(key.tunnel.clone())
        .bind(key.device.to_string())
        .bind(key.key.to_string())
        .bind(key.place)
        .bind(key.made_at.0)
        .bind(key.asked_at.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Forgets keys for a tunnel that were taken before a time; their addresses are free again.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn forget_old_tunnel_keys(&mut self, tunnel: &str, before: Millis) -> Result<()> {
        let gone =
            sqlx::query("DELETE FROM tunnel_key WHERE tunnel = $1 AND made_at < $2 RETURNING device_id")
                .bind(tunnel.to_owned())
                .bind(before.0)
                .fetch_all(self.connection())
                .await?;
        for row in &gone {
            let device = device_id(&row.try_get::<String, _>(0)?)?;
            self.changes().devices.insert(device);
        }
        Ok(())
    }

    /// Forgets the keys of a device for tunnels; its addresses there are free again.
    ///
    /// # Errors
    /// When the store is away.
    pub(crate) async fn forget_tunnel_keys(&mut self, device: DeviceId) -> Result<()> {
        self.changes().devices.insert(device);
        sqlx::query("DELETE FROM tunnel_key WHERE device_id = $1")
            .bind(device.to_string())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

//! Revoking a device: it is not heard any more.

use serde_json::json;
use stead_model::{DeviceId, problem::Kind};

use super::{device_subject, entry};
use crate::{App, error::Refusal};

/// Revokes a device.
///
/// # Errors
/// [`Refusal`] when there is no such device, it is revoked already, or the store is away.
pub async fn revoke(app: &App, device: DeviceId) -> Result<(), Refusal> {
    let now = app.now();
    let mut write = app.store.write().await?;
    if !write.revoke_device(device, now).await? {
        return Err(Refusal::new(Kind::NotFound, "No device has this id, or it has been revoked already."));
    }
    write.append(&entry(now, "operator", "device.revoked", device_subject(device), json!({})))?;
    write.commit(&app.keys.ledger).await?;
    app.known.forget(device);
    Ok(())
}

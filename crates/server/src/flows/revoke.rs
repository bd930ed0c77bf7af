//! Revoking a device: it is not heard any more.

use serde_json::json;
use stead_model::{DeviceId, Millis, problem::Kind};
use stead_store::{Write, tally::Tallies};

use super::{device_subject, entry};
use crate::{App, error::Refusal};

/// Revokes a device. `by` is who does it, as the ledger names them.
///
/// # Errors
/// [`Refusal`] when there is no such device, it is revoked already, or the store is away.
pub async fn revoke(app: &App, device: DeviceId, by: &str) -> Result<(), Refusal> {
    let now = app.now();
    let mut write = app.store.write().await?;
    if !within(&mut write, device, by, now).await? {
        return Err(Refusal::new(Kind::NotFound, "No device has this id, or it has been revoked already."));
    }
    write.commit(&app.keys.ledger).await?;
    app.known.forget(device);
    Ok(())
}

/// Revokes a device within a transaction; whether it was not revoked yet. The caller makes the server
/// forget it once the transaction is committed.
pub(super) async fn within(
    write: &mut Write,
    device: DeviceId,
    by: &str,
    now: Millis,
) -> Result<bool, Refusal> {
    if !write.revoke_device(device, now).await? {
        // One that is lost counts among those that work no more already, and comes back no more now.
        let kept_out = write.keep_out_lost_device(device, now).await?;
        if kept_out {
            write.append(&entry(now, by, "device.revoked", device_subject(device), json!({})))?;
        }
        return Ok(kept_out);
    }
    // It counts among those that work no more.
    let mut tallies = Tallies::default();
    if let Some((standing, _)) = write.standing(device).await? {
        tallies.standing_gone(standing);
    }
    for finding in write.findings(device).await? {
        tallies.outcome_gone(&finding.rule, finding.outcome);
    }
    write.write_tallies(tallies, now.day()).await?;
    write.append(&entry(now, by, "device.revoked", device_subject(device), json!({})))?;
    if let Some(person) = write.device_person(device).await? {
        write.tick_off(person, "revoke", &device.to_string(), now).await?;
    }
    Ok(true)
}

/// Counts a device again among those that work.
pub(super) async fn count_again(write: &mut Write, device: DeviceId, now: Millis) -> Result<(), Refusal> {
    let mut tallies = Tallies::default();
    if let Some((standing, _)) = write.standing(device).await? {
        tallies.standing(None, standing);
    }
    for finding in write.findings(device).await? {
        tallies.outcome(&finding.rule, None, finding.outcome);
    }
    Ok(write.write_tallies(tallies, now.day()).await?)
}

//! Opening a sealed question of an enrolled device, other than a check-in.

use serde::de::DeserializeOwned;
use stead_model::{
    DeviceId, Millis,
    problem::Kind,
    seal::{Envelope, VerifyingKey},
};
use stead_store::device::Device;

use super::message::{claimed_device, on_time, read, refused, same_device, shut_out, version};
use crate::{App, error::Refusal};

/// Who asks, and what. `said` is the version, device and time that the question itself names.
///
/// # Errors
/// [`Refusal`] when it is not sealed by an enrolled device, names another, is of another version or old, or the
/// store is away.
pub(in crate::flows) async fn question<T: DeserializeOwned>(
    app: &App,
    envelope: &Envelope,
    payload_type: &str,
    said: impl Fn(&T) -> (u32, DeviceId, Millis),
) -> Result<(Device, T), Refusal> {
    let id = claimed_device(envelope)?;
    let unknown = || Refusal::new(Kind::UnknownDevice, "Enrol it, then it will be heard.");
    let device = app.store.device(id).await?.ok_or_else(unknown)?;
    let key = VerifyingKey::from_text(&device.public_key).map_err(refused)?;
    // First the signature: whether a device was revoked is told to nobody but the device.
    let opened = envelope.open(payload_type, &key).map_err(refused)?;
    if device.revoked_at.is_some() {
        return Err(shut_out(device.lost_at.is_some()));
    }
    let asked: T = read(opened.bytes())?;
    let (v, named, at) = said(&asked);
    version(v)?;
    same_device(named, id)?;
    // An old question, sent again by somebody else, gets no answer.
    on_time(app, at)?;
    Ok((device, asked))
}

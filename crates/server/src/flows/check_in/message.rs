//! Opening a message: who sealed it, for whom it speaks, when, and what it says.

use stead_model::{
    DeviceId, Millis,
    message::{CLOCK_TOLERANCE, DELIVERY, Delivery, HEARTBEAT, Heartbeat, REPORT, Report, VERSION},
    problem::Kind,
    seal::{Envelope, Opened, SealError},
};

use super::known::Device;
use crate::{App, error::Refusal};

/// What a message says, once its seal is checked.
pub(super) enum Said {
    Heartbeat(Heartbeat),
    Report(Opened),
}

/// A message from a device: who, what, and how it was sealed.
pub(super) struct Heard {
    pub(super) device: DeviceId,
    pub(super) seq: i64,
    pub(super) at: Millis,
    pub(super) said: Said,
    /// The first half of the envelope's digest: enough to know it again.
    pub(super) message: [u8; 16],
    /// The envelope's digest.
    pub(super) digest: [u8; 32],
    /// The envelope's text, to be kept.
    pub(super) text: String,
    /// Whether it waited in a spool, so that its time may be long ago.
    pub(super) late: bool,
}

pub(in crate::flows) fn refused(error: SealError) -> Refusal {
    match error {
        SealError::Signature => Refusal::new(
            Kind::BadSignature,
            "Seal the message with the key that this device was enrolled with.",
        ),
        SealError::Form | SealError::WrongType | SealError::Key => {
            Refusal::new(Kind::Malformed, "Send a sealed report, heartbeat or delivery, as the agent does.")
        }
    }
}

/// The device that a message claims to be sealed by.
pub(in crate::flows) fn claimed_device(envelope: &Envelope) -> Result<DeviceId, Refusal> {
    let unnamed = |_| Refusal::new(Kind::Malformed, "The message does not name the device that sealed it.");
    envelope.claimed_key().map_err(refused)?.parse().map_err(unnamed)
}

/// Why a device is not heard that was shut out.
pub(super) fn shut_out(lost: bool) -> Refusal {
    match lost {
        true => Refusal::new(Kind::LostDevice, "If it is there again, its loss is ended on a page of Stead."),
        false => Refusal::new(
            Kind::RevokedDevice,
            "Ask your coordinator; to use it again it must be enrolled anew.",
        ),
    }
}

/// Checks the seal and reads what is in it.
pub(super) fn open(
    app: &App,
    id: DeviceId,
    device: &Device,
    envelope: &Envelope,
    text: &str,
) -> Result<Heard, Refusal> {
    let heard = match envelope.claimed_type() {
        DELIVERY => {
            let opened = envelope.open(DELIVERY, &device.key).map_err(refused)?;
            let delivery: Delivery = read(opened.bytes())?;
            version(delivery.v)?;
            same_device(delivery.device, id)?;
            on_time(app, delivery.sent_at)?;
            let inner = serde_json::to_string(&delivery.late).map_err(stead_store::StoreError::from)?;
            let heard = message(id, device, &delivery.late, inner, true)?;
            if heard.at.since(delivery.sent_at) > CLOCK_TOLERANCE {
                return Err(Refusal::new(
                    Kind::ClockSkew,
                    "A report that waited bears a time after it was sent on.",
                ));
            }
            heard
        }
        _ => message(id, device, envelope, text.to_owned(), false)?,
    };
    Ok(heard)
}

pub(super) fn message(
    id: DeviceId,
    device: &Device,
    envelope: &Envelope,
    text: String,
    late: bool,
) -> Result<Heard, Refusal> {
    let (seq, at, digest, said) = match envelope.claimed_type() {
        HEARTBEAT if !late => {
            let opened = envelope.open(HEARTBEAT, &device.key).map_err(refused)?;
            let heartbeat: Heartbeat = read(opened.bytes())?;
            version(heartbeat.v)?;
            same_device(heartbeat.device, id)?;
            (heartbeat.seq, heartbeat.at, opened.digest(), Said::Heartbeat(heartbeat))
        }
        REPORT => {
            let payload = envelope.open(REPORT, &device.key).map_err(refused)?;
            let report: Report<'_> = read(payload.bytes())?;
            version(report.v)?;
            same_device(report.device, id)?;
            let (seq, at, digest) = (report.seq, report.at, payload.digest());
            (seq, at, digest, Said::Report(payload))
        }
        _ => return Err(refused(SealError::WrongType)),
    };
    // Over what was signed: another way to write the same envelope is no other message.
    let mut message = [0; 16];
    message.copy_from_slice(&digest[..16]);
    Ok(Heard { device: id, seq, at, said, message, digest, text, late })
}

pub(in crate::flows) fn read<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::new(Kind::Malformed, format!("The message cannot be read: {error}.")))
}

pub(in crate::flows) fn version(v: u32) -> Result<(), Refusal> {
    if v == VERSION {
        Ok(())
    } else {
        Err(Refusal::new(Kind::WrongVersion, "Bring agent and server to the same version."))
    }
}

pub(in crate::flows) fn same_device(inside: DeviceId, outside: DeviceId) -> Result<(), Refusal> {
    if inside == outside {
        Ok(())
    } else {
        Err(Refusal::new(Kind::BadSignature, "The message names another device than the one that sealed it."))
    }
}

pub(super) fn on_time(app: &App, at: Millis) -> Result<(), Refusal> {
    let now = app.now();
    if at.since(now).unsigned_abs() <= CLOCK_TOLERANCE.unsigned_abs() {
        return Ok(());
    }
    Err(Refusal::new(
        Kind::ClockSkew,
        format!(
            "The server's clock says {now}, the device's {at}. Set the device's clock; it will then be heard."
        ),
    ))
}

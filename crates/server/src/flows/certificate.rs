//! A device asks for a certificate, with which it shows itself on connections.

use serde_json::json;
use stead_model::{
    certificate::{CERTIFICATE_ASKED, CERTIFICATE_GIVEN, CertificateAsked, CertificateGiven, proof},
    message::VERSION,
    problem::Kind,
    seal::Envelope,
    time::SECOND,
};
use stead_store::certificate::Certificate;

use super::{check_in::question, device_subject, entry};
use crate::{App, error::Refusal, gate::certificate::DeviceKey};

/// How many earlier certificates go on beside a new one: one may be in use still, and answers may be lost on their way.
const OTHERS: i64 = 3;
/// How long after one certificate a device may have the next.
const APART: i64 = 10 * SECOND;

/// Certifies that a device has the key that it shows.
///
/// # Errors
/// [`Refusal`] when the message is not sealed by an enrolled device or is old, the key was not proved, nothing here
/// asks for certificates, or the store is away.
pub async fn ask(app: &App, envelope: &Envelope) -> Result<Envelope, Refusal> {
    let (device, asked) = question(app, envelope, CERTIFICATE_ASKED, |asked: &CertificateAsked| {
        (asked.v, asked.device, asked.at)
    })
    .await?;
    let authority = app.gate.authority.as_ref().ok_or_else(|| {
        Refusal::new(Kind::NotFound, "No application of your organisation asks for a certificate.")
    })?;
    let id = device.id;
    let key = DeviceKey::proved(&asked.key, &proof(id, asked.at), &asked.proof).ok_or_else(|| {
        Refusal::new(Kind::Malformed, "The question does not show that the device has the key.")
    })?;
    let now = app.now();
    let made = authority.certify(id, &key, app.random()?, now).map_err(|error| {
        tracing::error!(%error, "a certificate could not be made");
        Refusal::new(Kind::Internal, "It is our fault, and nothing was changed. The log says more.")
    })?;

    let mut write = app.store.write().await?;
    // It may have been shut out since it was looked at.
    let devices = write.devices_of(device.person).await?;
    if !devices.iter().any(|held| held.id == id && held.revoked_at.is_none()) {
        return Err(Refusal::new(Kind::RevokedDevice, "Ask your coordinator."));
    }
    let last = write.last_certificate(id).await?;
    if last.is_some_and(|last| now.since(last) < APART) {
        return Err(Refusal::new(
            Kind::TooMany,
            "This device was given one just now. Ask again in ten seconds.",
        ));
    }
    let certificate =
        Certificate { fingerprint: made.fingerprint, device: id, made_at: now, ends_at: made.until };
    write.add_certificate(&certificate, OTHERS).await?;
    let subject = device_subject(id);
    let data = json!({ "sha256": stead_model::seal::hex(&made.fingerprint), "until": made.until });
    write.append(&entry(now, &subject, "device.certified", subject.clone(), data))?;
    write.commit(&app.keys.ledger).await?;

    let given = CertificateGiven {
        v: VERSION,
        device: id,
        asked_at: asked.at,
        certificate: made.text,
        authority: authority.certificate.clone(),
        until: made.until,
    };
    let text = serde_json::to_vec(&given).map_err(stead_store::StoreError::from)?;
    Ok(app.keys.answers.seal(CERTIFICATE_GIVEN, &text, "server"))
}

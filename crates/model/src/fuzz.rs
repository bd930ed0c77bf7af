//! Fuzz targets: what a device sends, before anything of it is believed. `cargo xtask fuzz` runs them at length.
#![expect(clippy::unwrap_used, reason = "whatever goes wrong must stop the fuzzer")]

use std::sync::LazyLock;

use zeroize::Zeroizing;

use crate::{
    catalogue, json,
    message::{Delivery, Enrolment, Heartbeat, NoticesAsked, Report, Shown},
    seal::{Envelope, SigningKey, VerifyingKey},
};

/// The key that sealed what the seeds hold.
static KEY: LazyLock<(SigningKey, VerifyingKey)> = LazyLock::new(|| {
    let key = SigningKey::from_seed(&Zeroizing::new([7; 32])).unwrap();
    let public = VerifyingKey::from_bytes(&key.public()).unwrap();
    (key, public)
});

/// A sealed message, or what is in one.
pub fn envelopes(input: &[u8]) {
    let (key, own) = &*KEY;
    if json::is_unambiguous(input) {
        let value: serde_json::Value = serde_json::from_slice(input).unwrap();
        assert!(json::is_unambiguous(&serde_json::to_vec(&value).unwrap()), "written again, it is as clear");
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope>(input) else { return };
    let _ = envelope.claimed_key();
    let payload = envelope.unchecked_payload().unwrap_or_default();
    if let Ok(opened) = envelope.open(envelope.claimed_type(), own) {
        // Only what the key signs is opened by it: a signature says one thing, and is made one way.
        let again = key.seal(envelope.claimed_type(), opened.bytes(), "k");
        assert_eq!(again.open(envelope.claimed_type(), own).unwrap().digest(), opened.digest());
        assert_eq!(opened.bytes(), payload);
    }
    read(&payload);
    read(input);
}

/// Reads a payload as each message there is.
fn read(payload: &[u8]) {
    if let Ok(report) = serde_json::from_slice::<Report<'_>>(payload) {
        let facts: Result<crate::Facts, _> = serde_json::from_str(report.facts.get());
        for (name, fact) in facts.iter().flatten() {
            if let (Some(spec), crate::FactState::Known(value)) = (catalogue::find(name), &fact.state) {
                let _ = spec.admits(value, report.at);
            }
        }
    }
    let _ = serde_json::from_slice::<Heartbeat>(payload);
    let _ = serde_json::from_slice::<Delivery>(payload);
    let _ = serde_json::from_slice::<NoticesAsked>(payload);
    let _ = serde_json::from_slice::<Shown>(payload);
    if let Ok(enrolment) = serde_json::from_slice::<Enrolment>(payload) {
        let _ = VerifyingKey::from_text(&enrolment.public_key);
    }
}

#[cfg(test)]
mod tests {
    use stead_testkit::made_up::each;

    #[test]
    fn fuzz_envelopes() {
        each("envelopes", super::envelopes);
    }
}

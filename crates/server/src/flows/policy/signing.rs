//! Packs that come from outside are signed: by a key that somebody here allowed. A pack without such a signature
//! is refused, and that it came is written down.

use serde::{Deserialize, Serialize};
use serde_json::json;
use stead_model::{
    PersonId,
    problem::Kind,
    seal::{Envelope, SigningKey, VerifyingKey},
    text,
};
use stead_policy::pack::{Files, digest_of};
use stead_store::draft::PackKey;

use super::subject;
use crate::{
    App,
    error::{FieldError, Refusal},
    flows::{entry, person_subject},
};

/// What a signed envelope says it is.
pub const PACK: &str = "application/vnd.stead.pack+json";
/// How entries name the keys.
const KEYS: &str = "policy:keys";
/// Most keys.
const MOST: usize = 20;

/// What is signed: the digest over all files of a pack.
#[derive(Debug, Serialize, Deserialize)]
struct Signed {
    digest: String,
}

/// Signs a pack's files.
pub fn sign(files: &Files, key: &SigningKey) -> Envelope {
    let signed = json!({ "digest": digest_of(files) }).to_string();
    key.seal(PACK, signed.as_bytes(), &key.public_text())
}

/// Checks that a pack was signed by a key that is allowed; the key's name.
///
/// # Errors
/// [`Refusal`] when it was not. That it came is written down.
pub async fn check(
    app: &App,
    by: PersonId,
    files: &Files,
    signature: Option<&Envelope>,
) -> Result<String, Refusal> {
    let digest = digest_of(files);
    let keys = app.store.pack_keys().await?;
    let signer = signature.and_then(|envelope| {
        let claimed = envelope.claimed_key().ok()?;
        let allowed = keys.into_iter().find(|key| key.key == claimed)?;
        let verifying = VerifyingKey::from_text(&allowed.key).ok()?;
        let opened = envelope.open(PACK, &verifying).ok()?;
        let signed: Signed = serde_json::from_slice(opened.bytes()).ok()?;
        (signed.digest == digest).then_some(allowed.name)
    });
    if let Some(name) = signer {
        return Ok(name);
    }
    let claimed = signature.and_then(|envelope| envelope.claimed_key().ok().map(|key| text::plain(key, 80)));
    let mut write = app.store.write().await?;
    let data = json!({ "digest": digest, "key": claimed });
    write.append(&entry(app.now(), &person_subject(by), "policy.refused", subject(&digest), data))?;
    write.commit(&app.keys.ledger).await?;
    Err(Refusal::said(Kind::Forbidden, "pack-unsigned"))
}

/// Allows packs that a key signs.
///
/// # Errors
/// [`Refusal`] when it is no key, has no name, or is there already.
pub async fn allow(app: &App, by: PersonId, key: &str, name: &str) -> Result<(), Refusal> {
    let now = app.now();
    let (key, name) = (key.trim(), text::plain(name.trim(), 80));
    let mut wrong = Vec::new();
    if VerifyingKey::from_text(key).is_err() {
        wrong.push(FieldError::new("key", "pack-key-wrong"));
    }
    if name.is_empty() {
        wrong.push(FieldError::new("name", "field-empty"));
    }
    if !wrong.is_empty() {
        return Err(Refusal::Form(wrong));
    }
    if app.store.pack_keys().await?.len() >= MOST {
        return Err(Refusal::said(Kind::Conflict, "pack-key-many"));
    }
    let mut write = app.store.write().await?;
    let allowed = PackKey { key: key.to_owned(), name, added_by: by, added_at: now };
    if !write.add_pack_key(&allowed).await? {
        return Err(Refusal::said(Kind::Conflict, "pack-key-there"));
    }
    let data = json!({ "key": key });
    write.append(&entry(now, &person_subject(by), "policy.key-allowed", KEYS.to_owned(), data))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Takes back that packs may be signed by a key.
///
/// # Errors
/// [`Refusal`] when there is no such key.
pub async fn disallow(app: &App, by: PersonId, key: &str) -> Result<(), Refusal> {
    let now = app.now();
    let mut write = app.store.write().await?;
    if !write.remove_pack_key(key, now).await? {
        return Err(Refusal::said(Kind::NotFound, "nothing-here"));
    }
    let data = json!({ "key": text::plain(key, 80) });
    write.append(&entry(now, &person_subject(by), "policy.key-removed", KEYS.to_owned(), data))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

//! Passkeys (WebAuthn, level 3): the way in that cannot be phished, and the first that is offered.

use serde_json::{Value, json};
use stead_model::{PersonId, RecordId, problem::Kind, text, time};
use stead_store::credential::{Ceremony, Passkey as Stored};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

use super::{Begun, Secret, SignedIn, begin, changed, password::Attempt, prove, throttle::Of};
use crate::{
    App,
    error::{FieldError, Refusal},
};

/// How long a browser may take to answer.
const ANSWER_LASTS: i64 = 5 * time::MINUTE;
/// How many passkeys somebody may have.
const MOST: usize = 20;

/// What passkeys are bound to: the host that browsers use. None where that host is an address of digits,
/// to which browsers bind none.
pub fn relying_party(base_url: &str) -> Option<Webauthn> {
    let origin = Url::parse(base_url).ok()?;
    let host = origin.domain()?.to_owned();
    WebauthnBuilder::new(&host, &origin).ok()?.rp_name("Stead").build().ok()
}

/// A question for a browser, and the secret of its place.
#[derive(Debug)]
pub struct Question {
    /// What the browser's own function is given.
    pub options: Value,
    /// The secret to send back with the answer.
    pub place: String,
}

/// Asks for any passkey of this host.
///
/// # Errors
/// [`Refusal`] when passkeys cannot be used here, one address asks too often, or the store is away.
pub async fn ask(app: &App, attempt: &Attempt) -> Result<Question, Refusal> {
    // Each question is written down; whoever asks for thousands would keep devices waiting.
    if let Some(address) = attempt.address {
        app.throttle.take(Of::Address(address), app.now()).map_err(super::password::slow_down)?;
    }
    let (options, state) = party(app)?.start_discoverable_authentication().map_err(failed)?;
    question(app, "passkey sign-in", None, json!(options), json!(state)).await
}

/// Signs in whoever's passkey answered.
///
/// # Errors
/// [`Refusal`] when the answer does not fit, or the store is away.
pub async fn sign_in(
    app: &App,
    place: &str,
    answer: &PublicKeyCredential,
    attempt: &Attempt,
) -> Result<Begun, Refusal> {
    if let Some(address) = attempt.address {
        app.throttle.take(Of::Address(address), app.now()).map_err(super::password::slow_down)?;
    }
    let party = party(app)?;
    let mut write = app.store.write().await?;
    let ceremony = taken(app, &mut write, place, "passkey sign-in").await?;
    let state: DiscoverableAuthentication = parsed(&ceremony.state)?;
    let (user, _) = party.identify_discoverable_authentication(answer).map_err(failed)?;
    let person: PersonId = user.to_string().parse().map_err(|_| unknown())?;
    let stored = app.store.passkeys(person).await?;
    let (_, credential) = party.identify_discoverable_authentication(answer).map_err(failed)?;
    let keys: Vec<Passkey> = stored.iter().map(|s| parsed(&s.passkey)).collect::<Result<_, _>>()?;
    let key =
        keys.iter().find(|key| AsRef::<[u8]>::as_ref(key.cred_id()) == credential).ok_or_else(unknown)?;
    let result = party.finish_discoverable_authentication_v2(answer, state, key).map_err(failed)?;
    used(app, &mut write, &stored, &result).await?;
    let person = write.person(person).await?.ok_or_else(unknown)?;
    let begun = begin(app, &mut write, &person, "passkey", &attempt.browser).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(begun)
}

/// Asks for a passkey of somebody who is signed in, to prove anew who they are.
///
/// # Errors
/// [`Refusal`] when they have none, or the store is away.
pub async fn ask_proof(app: &App, who: &SignedIn) -> Result<Question, Refusal> {
    let stored = app.store.passkeys(who.person.id).await?;
    let keys: Vec<Passkey> = stored.iter().map(|s| parsed(&s.passkey)).collect::<Result<_, _>>()?;
    let (options, state) = party(app)?.start_passkey_authentication(&keys).map_err(failed)?;
    question(app, "passkey proof", Some(who.person.id), json!(options), json!(state)).await
}

/// Proves anew who somebody is.
///
/// # Errors
/// [`Refusal`] when the answer does not fit, or the store is away.
pub async fn prove_anew(
    app: &App,
    who: &SignedIn,
    place: &str,
    answer: &PublicKeyCredential,
) -> Result<Begun, Refusal> {
    let mut write = app.store.write().await?;
    let ceremony = taken(app, &mut write, place, "passkey proof").await?;
    if ceremony.person != Some(who.person.id) {
        return Err(unknown());
    }
    let state: PasskeyAuthentication = parsed(&ceremony.state)?;
    let result = party(app)?.finish_passkey_authentication(answer, &state).map_err(failed)?;
    let stored = app.store.passkeys(who.person.id).await?;
    used(app, &mut write, &stored, &result).await?;
    let begun = prove(app, &mut write, who).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(begun)
}

/// Asks a browser to make a passkey.
///
/// # Errors
/// [`Refusal`] when somebody has very many, passkeys cannot be used here, or the store is away.
pub async fn ask_new(app: &App, who: &SignedIn) -> Result<Question, Refusal> {
    let stored = app.store.passkeys(who.person.id).await?;
    if stored.len() >= MOST {
        return Err(Refusal::said(Kind::Conflict, "passkey-most"));
    }
    let there = stored
        .iter()
        .map(|s| parsed::<Passkey>(&s.passkey).map(|key| key.cred_id().clone()))
        .collect::<Result<Vec<_>, _>>()?;
    let name = who.person.email.as_deref().unwrap_or(&who.person.name);
    let user = Uuid::parse_str(&who.person.id.to_string()).map_err(|_| unknown())?;
    let (options, state) =
        party(app)?.start_passkey_registration(user, name, &who.person.name, Some(there)).map_err(failed)?;
    let mut options = json!(options);
    // A passkey that the browser finds by itself: nobody has to type who they are.
    let selection = &mut options["publicKey"]["authenticatorSelection"];
    selection["residentKey"] = json!("required");
    selection["requireResidentKey"] = json!(true);
    question(app, "passkey new", Some(who.person.id), options, json!(state)).await
}

/// Adds the passkey that a browser made.
///
/// # Errors
/// [`Refusal`] when the answer does not fit, or the store is away.
pub async fn add(
    app: &App,
    who: &SignedIn,
    place: &str,
    name: &str,
    answer: &RegisterPublicKeyCredential,
) -> Result<(), Refusal> {
    let now = app.now();
    let name = text::plain(name.trim(), 60);
    if name.is_empty() {
        return Err(Refusal::form(FieldError::new("name", "field-empty")));
    }
    let mut write = app.store.write().await?;
    let ceremony = taken(app, &mut write, place, "passkey new").await?;
    if ceremony.person != Some(who.person.id) {
        return Err(unknown());
    }
    let state: PasskeyRegistration = parsed(&ceremony.state)?;
    let passkey = party(app)?.finish_passkey_registration(answer, &state).map_err(failed)?;
    let id = RecordId::from_parts(now, app.random()?);
    let stored = Stored {
        id,
        person: who.person.id,
        name,
        passkey: serde_json::to_string(&passkey).map_err(stead_store::StoreError::from)?,
        created_at: now,
        last_used: None,
    };
    let credential = stead_model::seal::hex(passkey.cred_id().as_ref());
    if let Err(error) = write.add_passkey(&stored, &credential).await {
        return Err(if error.is_duplicate() {
            Refusal::said(Kind::Conflict, "passkey-there")
        } else {
            error.into()
        });
    }
    let data = json!({
        "passkey": id, "credential": stead_model::seal::digest(credential.as_bytes()), "key": key_digest(&stored.passkey),
    });
    changed(now, &mut write, who.person.id, "passkey.added", data)?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// The digest of a stored passkey's public key. The rest of what is stored changes as it is used.
pub(crate) fn key_digest(stored: &str) -> Option<String> {
    let mut passkey: serde_json::Value = serde_json::from_str(stored).ok()?;
    passkey.sort_all_objects();
    passkey.pointer("/cred/cred").map(|key| stead_model::seal::digest(key.to_string().as_bytes()))
}

/// Takes a passkey away, when there is another way in.
///
/// # Errors
/// [`Refusal`] when it is the last way in, is not there, or the store is away.
pub async fn remove(app: &App, who: &SignedIn, id: RecordId) -> Result<(), Refusal> {
    let now = app.now();
    let mut write = app.store.write().await?;
    if !write.end_passkey(who.person.id, id).await? {
        return Err(Refusal::new(Kind::NotFound, "There is no such passkey."));
    }
    if write.ways_in(who.person.id).await? == 0 {
        return Err(Refusal::said(Kind::Conflict, "ways-last"));
    }
    changed(now, &mut write, who.person.id, "passkey.removed", json!({ "passkey": id }))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

async fn question(
    app: &App,
    kind: &str,
    person: Option<PersonId>,
    options: Value,
    state: Value,
) -> Result<Question, Refusal> {
    let now = app.now();
    let place = Secret::make(app)?;
    let ceremony = Ceremony { kind: kind.to_owned(), person, state: state.to_string() };
    let mut write = app.store.write().await?;
    write.add_ceremony(&Secret::Ceremony.digest(&place), &ceremony, now, now.plus(ANSWER_LASTS)).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(Question { options, place })
}

async fn taken(
    app: &App,
    write: &mut stead_store::Write,
    place: &str,
    kind: &str,
) -> Result<Ceremony, Refusal> {
    write
        .take_ceremony(&Secret::Ceremony.digest(place), kind, app.now())
        .await?
        .ok_or_else(|| Refusal::said(Kind::SignInFailed, "sign-in-begin-again"))
}

/// Writes down that a passkey was used; its counter and state move on.
async fn used(
    app: &App,
    write: &mut stead_store::Write,
    stored: &[Stored],
    result: &webauthn_rs::prelude::AuthenticationResult,
) -> Result<(), Refusal> {
    for one in stored {
        let mut passkey: Passkey = parsed(&one.passkey)?;
        if passkey.update_credential(result).is_some() {
            let text = serde_json::to_string(&passkey).map_err(stead_store::StoreError::from)?;
            return Ok(write.use_passkey(one.id, &text, app.now()).await?);
        }
    }
    Err(unknown())
}

fn party(app: &App) -> Result<&Webauthn, Refusal> {
    app.passkeys.as_ref().ok_or_else(|| Refusal::said(Kind::Conflict, "passkey-needs-name"))
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|error| Refusal::Failed(stead_store::StoreError::from(error)))
}

fn failed(error: WebauthnError) -> Refusal {
    tracing::info!(%error, "a passkey was refused");
    unknown()
}

fn unknown() -> Refusal {
    Refusal::said(Kind::SignInFailed, "passkey-wrong")
}

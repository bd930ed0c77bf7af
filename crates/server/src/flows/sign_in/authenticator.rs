//! The second factor beside a password: codes by the time (RFC 6238), and recovery codes for when the
//! phone is lost.

use serde_json::json;
use stead_model::{PersonId, problem::Kind, time};
use stead_store::{Write, credential::Ceremony, people::Person};
use totp_rs::{Algorithm, Builder, Secret as TotpSecret, Totp};

use super::{
    Begun, Secret, SignedIn, begin, changed,
    password::{Attempt, known_browser, slow_down},
    throttle::Of,
};
use crate::{
    App,
    error::{FieldError, Refusal},
    flows::enrol,
};

/// How long somebody may take to type a code.
const CODE_LASTS: i64 = 10 * time::MINUTE;
/// The name of what a browser is in the middle of.
const KIND: &str = "code";
/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;

/// Whether somebody has an authenticator that was shown to work.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn is_on(app: &App, person: PersonId) -> Result<bool, Refusal> {
    Ok(app.store.authenticator(person).await?.is_some_and(|found| found.confirmed_at.is_some()))
}

/// Notes that somebody's password fits and a code is awaited; the secret of that place.
pub(super) async fn ask(app: &App, person: &Person) -> Result<String, Refusal> {
    let now = app.now();
    let secret = Secret::make(app)?;
    let ceremony = Ceremony { kind: KIND.to_owned(), person: Some(person.id), state: "password".to_owned() };
    let mut write = app.store.write().await?;
    write.add_ceremony(&Secret::Ceremony.digest(&secret), &ceremony, now, now.plus(CODE_LASTS)).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(secret)
}

/// Ends a sign-in with a code: of the authenticator, or one of the recovery codes.
///
/// # Errors
/// [`Refusal`] when it does not fit, was taken before, there were too many, or the store is away.
pub async fn sign_in(app: &App, place: &str, code: &str, attempt: &Attempt) -> Result<Begun, Refusal> {
    let now = app.now();
    if let Some(address) = attempt.address {
        app.throttle.take(Of::Address(address), now).map_err(slow_down)?;
    }
    let digest = Secret::Ceremony.digest(place);
    let mut write = app.store.write().await?;
    let gone = || Refusal::said(Kind::SignInFailed, "sign-in-begin-again");
    let ceremony = write.take_ceremony(&digest, KIND, now).await?.ok_or_else(gone)?;
    let id = ceremony.person.ok_or_else(gone)?;
    let name = id.to_string();
    let person = write.person(id).await?.ok_or_else(gone)?;
    let known = known_browser(app, id, attempt);
    let guesses = match &known {
        Some(browser) => Of::KnownCode(&name, browser),
        None => Of::Code(&name),
    };
    // Left without a commit, the place is kept for another try.
    let method = second(app, &mut write, id, code, guesses).await?;
    let begun = begin(app, &mut write, &person, method, &attempt.browser).await?;
    write.commit(&app.keys.ledger).await?;
    app.throttle.forgive(guesses);
    Ok(begun)
}

/// Takes a second factor beside a password: a code by the time, or a recovery code; what both are called together. A
/// recovery code has a hundred random bits. It can't be guessed, and somebody else's guesses don't keep it from counting.
///
/// # Errors
/// [`Refusal`] when it does not fit, was taken before, there were too many guesses, or the store is away.
pub(super) async fn second(
    app: &App,
    write: &mut Write,
    person: PersonId,
    code: &str,
    guesses: Of<'_>,
) -> Result<&'static str, Refusal> {
    let now = app.now();
    if digits(code).is_some() {
        app.throttle.take(guesses, now).map_err(slow_down)?;
        if let Some(step) = step(app, person, code).await?
            && write.take_step(person, step, now).await?
        {
            return Ok("password+code");
        }
    } else if write.use_recovery_code(person, &recovery_digest(code), now).await? {
        changed(now, write, person, "recovery-code.used", json!({}))?;
        return Ok("password+recovery");
    }
    tracing::info!(%person, method = "code", "a sign-in failed");
    Err(Refusal::form(FieldError::new("code", "code-wrong")))
}

/// What an authenticator is set up with.
#[derive(Debug)]
pub struct Setup {
    /// The secret, as people type it.
    pub secret: String,
    /// The address that is shown as a picture.
    pub address: String,
}

/// Begins an authenticator. It opens nothing until [`confirm`] has seen a code of it.
///
/// # Errors
/// [`Refusal`] when one is on already, or the store is away.
pub async fn set_up(app: &App, who: &SignedIn) -> Result<Setup, Refusal> {
    let id = who.person.id;
    if is_on(app, id).await? {
        return Err(Refusal::said(Kind::Conflict, "code-on-already"));
    }
    let secret = zeroize::Zeroizing::new(app.random::<20>()?);
    let sealed = app.keys.sealing.seal(&sealed_as(id), secret.as_ref()).ok_or_else(unusable)?;
    let mut write = app.store.write().await?;
    write.put_authenticator(id, &sealed, app.now()).await?;
    write.commit(&app.keys.ledger).await?;
    let totp = totp(secret.as_ref(), who.person.email.as_deref().unwrap_or(&who.person.name))?;
    Ok(Setup {
        secret: TotpSecret::from(secret.to_vec()).to_base32(),
        address: totp.to_url().map_err(|_| unusable())?,
    })
}

/// Confirms an authenticator by its first code; the recovery codes, told this once.
///
/// # Errors
/// [`Refusal`] when the code does not fit, or the store is away.
pub async fn confirm(app: &App, who: &SignedIn, code: &str) -> Result<Vec<String>, Refusal> {
    let now = app.now();
    let id = who.person.id;
    let session = who.session.id.to_string();
    app.throttle.take(Of::Proof(&session), now).map_err(slow_down)?;
    let wrong = || Refusal::form(FieldError::new("code", "code-wrong"));
    let step = step(app, id, code).await?.ok_or_else(wrong)?;
    let mut codes = Vec::new();
    for _ in 0..RECOVERY_CODES {
        codes.push(enrol::code(app.random()?));
    }
    let digests: Vec<String> = codes.iter().map(|code| recovery_digest(code)).collect();
    let mut write = app.store.write().await?;
    if !write.take_step(id, step, now).await? {
        return Err(wrong());
    }
    write.put_recovery_codes(id, &digests, now).await?;
    let ended = write.end_sessions(id, Some(who.session.id), now).await?;
    changed(now, &mut write, id, "authenticator.on", json!({ "sessions_ended": ended }))?;
    write.commit(&app.keys.ledger).await?;
    app.throttle.forgive(Of::Proof(&session));
    Ok(codes)
}

/// Takes an authenticator away. A password too short to stand alone must be replaced first.
///
/// # Errors
/// [`Refusal`] when the password needs it, or the store is away.
pub async fn remove(app: &App, who: &SignedIn) -> Result<(), Refusal> {
    let now = app.now();
    let id = who.person.id;
    if app.store.password(id).await?.is_some_and(|password| password.short) {
        return Err(Refusal::said(Kind::Conflict, "code-needed-by-password"));
    }
    let mut write = app.store.write().await?;
    if write.end_authenticator(id).await? {
        let ended = write.end_sessions(id, Some(who.session.id), now).await?;
        changed(now, &mut write, id, "authenticator.off", json!({ "sessions_ended": ended }))?;
    }
    Ok(write.commit(&app.keys.ledger).await?)
}

/// The step of the time that a code belongs to, one before and one after included.
async fn step(app: &App, person: PersonId, code: &str) -> Result<Option<i64>, Refusal> {
    let Some(code) = digits(code) else { return Ok(None) };
    let Some(found) = app.store.authenticator(person).await? else { return Ok(None) };
    let secret = app.keys.sealing.open(&sealed_as(person), &found.secret).ok_or_else(unusable)?;
    let seconds = u64::try_from(app.now().0 / 1000).unwrap_or(0);
    let step = totp(&secret, "-")?.check(&code, seconds);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

/// A code by the time, however it is typed; none where it can be none.
fn digits(code: &str) -> Option<String> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).take(16).collect();
    (code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())).then_some(code)
}

fn totp(secret: &[u8], account: &str) -> Result<Totp, Refusal> {
    let account: String = account.chars().filter(|c| *c != ':').collect();
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(30)
        .with_secret(secret.to_vec())
        .with_account_name(account)
        .with_issuer(Some("Stead"))
        .build()
        .map_err(|_| unusable())
}

fn sealed_as(person: PersonId) -> String {
    format!("authenticator of {person}")
}

fn recovery_digest(code: &str) -> String {
    Secret::Recovery.digest(&enrol::letters(code))
}

fn unusable() -> Refusal {
    tracing::error!("an authenticator's secret cannot be used; was sealing.key replaced?");
    Refusal::said(Kind::Internal, "code-unusable")
}

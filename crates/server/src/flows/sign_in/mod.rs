//! Signing in, by whatever way, and the sessions that begin with it. Of every secret only the digest is
//! kept, under the name of what it is good for: a secret of one kind opens nothing of another.

pub mod authenticator;
pub mod hashing;
pub mod links;
pub mod outside;
pub mod passkey;
pub mod password;
pub mod throttle;
pub mod token;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use stead_model::{Millis, PersonId, SessionId, problem::Kind, seal, time};
use stead_store::{Write, people::Person, role::Grant, session::Session};

use super::{entry, person_subject};
use crate::{App, error::Refusal};

/// How long a session lasts without being used.
pub const IDLE: i64 = 8 * time::HOUR;
/// How long a session lasts at most.
pub const ABSOLUTE: i64 = 24 * time::HOUR;
/// How long a proof of who somebody is counts for what is sensitive.
pub const PROOF_LASTS: i64 = 10 * time::MINUTE;
/// How exactly the last use is written down.
const TOUCH: i64 = time::MINUTE;

/// What a secret is good for. The name goes into its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// Holds a session.
    Session,
    /// A one-time link.
    Link,
    /// Holds a browser's place between a question and its answer.
    Ceremony,
    /// Replaces a lost authenticator once.
    Recovery,
    /// Shows somebody's due dates to their calendar.
    Calendar,
    /// Signs a program in.
    Token,
}

impl Secret {
    /// Makes one: 256 random bits.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn make(app: &App) -> Result<String, Refusal> {
        Ok(URL_SAFE_NO_PAD.encode(app.random::<32>()?))
    }

    /// The digest under which a secret of this kind is kept.
    pub fn digest(self, secret: &str) -> String {
        let name = match self {
            Self::Session => "session",
            Self::Link => "link",
            Self::Ceremony => "ceremony",
            Self::Recovery => "recovery code",
            Self::Calendar => "calendar",
            Self::Token => "token",
        };
        seal::digest(format!("stead {name} {secret}").as_bytes())
    }
}

/// Somebody signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Their session.
    pub session: Session,
    /// Them.
    pub person: Person,
    /// The roles that they hold and may use now.
    pub grants: Vec<Grant>,
}

/// A session that has begun: its secret goes to the browser and nowhere else.
#[derive(Debug)]
pub struct Begun {
    /// The secret.
    pub secret: String,
    /// Whose it is.
    pub person: PersonId,
}

/// Who holds this session, if it is still good.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn session(app: &App, secret: &str) -> Result<Option<SignedIn>, Refusal> {
    let now = app.now();
    let Some(session) = app.store.session(&Secret::Session.digest(secret)).await? else { return Ok(None) };
    let good = session.ended_at.is_none()
        && now.since(session.last_used) < IDLE
        && now.since(session.created_at) < ABSOLUTE;
    if !good {
        if session.ended_at.is_none() {
            close(app, &session, now).await?;
        }
        return Ok(None);
    }
    let Some(person) = app.store.person(session.person).await? else { return Ok(None) };
    if !person.state.may_sign_in() {
        return Ok(None);
    }
    let grants =
        if person.state.may_act_in_roles() { app.store.grants(person.id).await? } else { Vec::new() };
    if now.since(session.last_used) >= TOUCH {
        let mut write = app.store.write().await?;
        write.touch_session(session.id, now).await?;
        write.commit(&app.keys.ledger).await?;
    }
    Ok(Some(SignedIn { session, person, grants }))
}

/// Ends the session that a browser had until somebody signed in with it again (ASVS 7.2.4).
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn replace(app: &App, before: Option<&str>) -> Result<(), Refusal> {
    let Some(secret) = before else { return Ok(()) };
    match app.store.session(&Secret::Session.digest(secret)).await? {
        Some(session) if session.ended_at.is_none() => close(app, &session, app.now()).await,
        _ => Ok(()),
    }
}

/// Ends a session that its person didn't end: its time is over, and a clock that is set back doesn't bring it back, or
/// another one has taken its place.
async fn close(app: &App, session: &Session, now: Millis) -> Result<(), Refusal> {
    let mut write = app.store.write().await?;
    if write.end_session(session.person, session.id, now).await? {
        let data = json!({ "session": session.id });
        write.append(&entry(now, "sign-in", "session.ended", person_subject(session.person), data))?;
        write.commit(&app.keys.ledger).await?;
    }
    Ok(())
}

/// Writes down when sessions were used at the gate, so that they do not end from not being used.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn note_used(app: &App, used: Vec<(SessionId, Millis)>) -> Result<(), Refusal> {
    if used.is_empty() {
        return Ok(());
    }
    let mut write = app.store.write().await?;
    for (session, at) in used {
        write.touch_session(session, at).await?;
    }
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Begins a session within a transaction; its secret.
async fn begin(
    app: &App,
    write: &mut Write,
    person: &Person,
    method: &str,
    browser: &str,
) -> Result<Begun, Refusal> {
    let now = app.now();
    if !person.state.may_sign_in() {
        return Err(Refusal::new(
            Kind::Forbidden,
            "Your account does not sign in at present. Ask your telework coordinator.",
        ));
    }
    let secret = Secret::make(app)?;
    let session = Session {
        id: SessionId::from_parts(now, app.random()?),
        person: person.id,
        method: method.to_owned(),
        browser: browser.to_owned(),
        created_at: now,
        last_used: now,
        proved_at: now,
        ended_at: None,
    };
    write.add_session(&Secret::Session.digest(&secret), &session).await?;
    let data = json!({ "method": method, "session": session.id });
    write.append(&entry(
        now,
        &person_subject(person.id),
        "session.begun",
        person_subject(person.id),
        data,
    ))?;
    Ok(Begun { secret, person: person.id })
}

/// Notes that somebody has proved anew who they are; the session goes on under another secret.
async fn prove(app: &App, write: &mut Write, who: &SignedIn) -> Result<Begun, Refusal> {
    let secret = Secret::make(app)?;
    write.prove_session(who.session.id, &Secret::Session.digest(&secret), app.now()).await?;
    Ok(Begun { secret, person: who.person.id })
}

/// Whether somebody has proved lately enough who they are for what is sensitive.
pub fn has_proved(session: &Session, now: Millis) -> bool {
    (0..PROOF_LASTS).contains(&now.since(session.proved_at))
}

/// Ends one of a person's sessions.
///
/// # Errors
/// [`Refusal`] when there is no such session or the store is away.
pub async fn end(app: &App, person: PersonId, session: SessionId) -> Result<(), Refusal> {
    let now = app.now();
    let mut write = app.store.write().await?;
    if !write.end_session(person, session, now).await? {
        return Err(Refusal::new(Kind::NotFound, "This session has ended already."));
    }
    let data = json!({ "session": session });
    write.append(&entry(now, &person_subject(person), "session.ended", person_subject(person), data))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Ends every session of a person but this one; how many.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn end_others(app: &App, who: &SignedIn) -> Result<u64, Refusal> {
    let now = app.now();
    let mut write = app.store.write().await?;
    let ended = write.end_sessions(who.person.id, Some(who.session.id), now).await?;
    changed(now, &mut write, who.person.id, "sessions.ended", json!({ "sessions": ended }))?;
    write.commit(&app.keys.ledger).await?;
    Ok(ended)
}

/// Appends that somebody changed how they sign in.
fn changed(
    now: Millis,
    write: &mut Write,
    person: PersonId,
    kind: &str,
    data: serde_json::Value,
) -> Result<(), Refusal> {
    let subject = person_subject(person);
    write.append(&entry(now, &subject, kind, subject.clone(), data))?;
    Ok(())
}

/// What a browser says of itself, in two words that a person knows again: `Firefox on Linux`.
pub fn browser_words(agent: &str) -> String {
    let first = |all: &[(&str, &'static str)]| all.iter().find(|(mark, _)| agent.contains(mark)).map(|m| m.1);
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chromium/", "Chromium"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_of_one_kind_is_none_of_another() {
        let kinds = [Secret::Session, Secret::Link, Secret::Ceremony, Secret::Recovery];
        let digests: std::collections::BTreeSet<_> = kinds.iter().map(|kind| kind.digest("x")).collect();
        assert_eq!(digests.len(), kinds.len());
    }

    #[test]
    fn browsers_are_named_as_people_name_them() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";
        assert_eq!(browser_words(chrome), "Chrome · Linux");
        assert_eq!(browser_words("curl/8"), "?");
    }
}

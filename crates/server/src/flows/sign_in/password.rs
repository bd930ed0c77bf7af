//! Passwords, by NIST SP 800-63B: length counts, composition does not, nothing expires by itself; what is
//! common, guessable or about the person is refused.

use serde_json::json;
use stead_model::{PersonId, problem::Kind};
use stead_store::people::Person;
use zeroize::Zeroizing;
use zxcvbn::{Score, zxcvbn};

use super::{Begun, Secret, SignedIn, authenticator, begin, changed, prove, throttle::Of};
use crate::{
    App,
    error::{FieldError, Refusal},
};

/// Fewest characters of a password that stands alone (SP 800-63B-4, 3.1.1.2).
pub const ALONE: usize = 15;
/// Fewest characters of one with a second factor.
pub const WITH_SECOND: usize = 8;
/// Most characters; what is longer would only be work.
pub const MOST: usize = 128;

/// Well-known pass phrases that are long enough and look random to a measure of strength.
const BLOCKED: &str = include_str!("blocked-passwords.txt");

/// Whoever asks to be let in.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// Where it comes from, when that is known.
    pub address: Option<std::net::IpAddr>,
    /// The browser, in words.
    pub browser: String,
    /// What the browser keeps from the last time somebody was let in with it.
    pub known: Option<String>,
    /// The session that the browser has until now.
    pub session: Option<String>,
}

/// What became of an attempt with a password.
#[derive(Debug)]
pub enum Attempted {
    /// In.
    In(Begun),
    /// The password fits, and a code is needed too: the secret of the place between.
    CodeNeeded(String),
}

/// Signs somebody in by address and password.
///
/// # Errors
/// [`Refusal`] when they do not fit, which of the two is not said; when there were too many attempts;
/// when the store is away.
pub async fn sign_in(
    app: &App,
    email: &str,
    password: Zeroizing<String>,
    attempt: &Attempt,
) -> Result<Attempted, Refusal> {
    let now = app.now();
    let email = email.trim().to_lowercase();
    if let Some(address) = attempt.address {
        app.throttle.take(Of::Address(address), now).map_err(slow_down)?;
    }
    let person = app.store.person_by_email(&email).await?;
    let known = person.as_ref().and_then(|person| known_browser(app, person.id, attempt));
    let guesses = match &known {
        Some(browser) => Of::Known(&email, browser),
        None => Of::Account(&email),
    };
    app.throttle.take(guesses, now).map_err(slow_down)?;
    let stored = match &person {
        Some(person) => app.store.password(person.id).await?,
        None => None,
    };
    // What is longer than any password was never set; a short stand-in takes as long to refuse.
    let asked = if password.chars().count() > MOST { Zeroizing::new(String::new()) } else { password };
    let fits = app.hashing.verify(asked, stored.map(|stored| stored.hash)).await?;
    // Never what was typed: it may be a password in the wrong field.
    let meant = person.as_ref().map(|person| person.id);
    let Some(person) = person.filter(|person| fits && person.state.may_sign_in()) else {
        tracing::info!(person = ?meant, method = "password", "a sign-in failed");
        return Err(Refusal::said(Kind::SignInFailed, "sign-in-wrong"));
    };
    app.throttle.forgive(guesses);
    if authenticator::is_on(app, person.id).await? {
        return Ok(Attempted::CodeNeeded(authenticator::ask(app, &person).await?));
    }
    let mut write = app.store.write().await?;
    let begun = begin(app, &mut write, &person, "password", &attempt.browser).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(Attempted::In(begun))
}

/// Proves anew who somebody is, by what they would sign in with: their password, and a code where they have a second
/// factor.
///
/// # Errors
/// [`Refusal`] when it does not fit, there were too many attempts, or the store is away.
pub async fn prove_anew(
    app: &App,
    who: &SignedIn,
    password: Zeroizing<String>,
    code: &str,
) -> Result<Begun, Refusal> {
    let session = who.session.id.to_string();
    app.throttle.take(Of::Known("prove", &session), app.now()).map_err(slow_down)?;
    let stored = app.store.password(who.person.id).await?;
    if !app.hashing.verify(password, stored.map(|stored| stored.hash)).await? {
        return Err(Refusal::form(FieldError::new("password", "password-wrong")));
    }
    app.throttle.forgive(Of::Known("prove", &session));
    let mut write = app.store.write().await?;
    if authenticator::is_on(app, who.person.id).await? {
        authenticator::second(app, &mut write, who.person.id, code, Of::Proof(&session)).await?;
        app.throttle.forgive(Of::Proof(&session));
    }
    let begun = prove(app, &mut write, who).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(begun)
}

/// Sets somebody's password. Every other session of theirs ends, and this one goes on under another secret.
///
/// # Errors
/// [`Refusal`] when the password is too weak, or the store is away.
pub async fn set(app: &App, who: &SignedIn, password: Zeroizing<String>) -> Result<Begun, Refusal> {
    let now = app.now();
    let second = authenticator::is_on(app, who.person.id).await?;
    check(&password, second, &who.person).map_err(Refusal::form)?;
    let short = password.chars().count() < ALONE;
    let hash = app.hashing.hash(password, app.random()?).await?;
    let mut write = app.store.write().await?;
    write.put_password(who.person.id, &hash, short, now).await?;
    let ended = write.end_sessions(who.person.id, Some(who.session.id), now).await?;
    // Whoever knew the old password may have made tokens and a calendar's address with it.
    write.end_tokens(who.person.id, None, now).await?;
    write.end_calendar(who.person.id).await?;
    write.end_links(who.person.id, now).await?;
    // It says nothing of the password: the salt that is hashed with it is as long as a key.
    let data = json!({ "sessions_ended": ended, "hash": stead_model::seal::digest(hash.as_bytes()) });
    changed(now, &mut write, who.person.id, "password.set", data)?;
    let begun = prove(app, &mut write, who).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(begun)
}

/// Takes somebody's password away, when they have another way in.
///
/// # Errors
/// [`Refusal`] when it is the last way in, or the store is away.
pub async fn remove(app: &App, who: &SignedIn) -> Result<(), Refusal> {
    let now = app.now();
    let mut write = app.store.write().await?;
    if write.end_password(who.person.id).await? {
        if write.ways_in(who.person.id).await? == 0 {
            return Err(Refusal::said(Kind::Conflict, "ways-last"));
        }
        changed(now, &mut write, who.person.id, "password.removed", json!({}))?;
    }
    Ok(write.commit(&app.keys.ledger).await?)
}

/// What is wrong with a password, if anything.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(password: &str, with_second: bool, person: &Person) -> Result<(), FieldError> {
    let length = password.chars().count();
    let least = if with_second { WITH_SECOND } else { ALONE };
    let wrong = |say| FieldError::new("password", say);
    if length < least {
        return Err(wrong("password-short").with("least", least));
    }
    if length > MOST {
        return Err(wrong("password-long").with("most", MOST));
    }
    let plain: String = password.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    if BLOCKED.lines().any(|line| line == plain) {
        return Err(wrong("password-common"));
    }
    let mut about: Vec<&str> = person.name.split_whitespace().collect();
    about.extend(person.email.iter().flat_map(|email| email.split(['@', '.'])));
    about.extend(["stead", "telework", "remote", "work"]);
    about.retain(|word| word.chars().count() >= 3);
    // What is left without the words that anybody would try first must still be something.
    let rest = about.iter().fold(plain, |rest, word| rest.replace(&word.to_lowercase(), ""));
    if rest.chars().count() < least / 2 {
        return Err(wrong("password-about-you"));
    }
    // Its time grows with the square of the length; what matters shows in the first characters.
    let start: String = password.chars().take(64).collect();
    let enough = if with_second { Score::Two } else { Score::Three };
    if zxcvbn(&start, &about).score() < enough {
        return Err(wrong("password-guessable"));
    }
    Ok(())
}

/// What a browser keeps once somebody was let in with it: random words and our mark on them.
///
/// # Errors
/// When the system gives no randomness.
pub fn known_mark(app: &App, person: PersonId) -> Result<String, Refusal> {
    let random = Secret::make(app)?;
    let mark = app.keys.sealing.mark(&format!("known browser {random} of {person}"));
    Ok(format!("{random}.{mark}"))
}

/// The random words of a browser that this person was let in with before.
pub fn known_browser(app: &App, person: PersonId, attempt: &Attempt) -> Option<String> {
    let (random, mark) = attempt.known.as_deref()?.split_once('.')?;
    let ours = app.keys.sealing.is_marked(&format!("known browser {random} of {person}"), mark);
    ours.then(|| random.to_owned())
}

/// What is said when an allowance is used up.
pub(crate) fn slow_down(wait: i64) -> Refusal {
    let seconds = (wait + 999) / 1000;
    Refusal::said(Kind::TooMany, "sign-in-slow-down").with("seconds", seconds)
}

#[cfg(test)]
mod tests {
    use stead_model::{Employment, Millis, UnitId};

    use super::*;

    #[test]
    fn length_counts_and_composition_does_not() {
        let id = PersonId::from_parts(Millis(1), [1; 10]);
        let mut sam =
            Person::new(id, "Sam Sample".to_owned(), UnitId::ORGANISATION, Employment::Active, Millis(1));
        sam.email = Some("sam.sample@stead.example".to_owned());
        let said = |password: &str, second| check(password, second, &sam).map_err(|e| e.say).err();
        assert_eq!(said("wet otters hum at noon", false), None);
        assert_eq!(said("kz7#Qp2!", false), Some("password-short"));
        assert_eq!(said("kz7vqpw2", true), None);
        assert_eq!(said("short", true), Some("password-short"));
        assert_eq!(said("correct horse battery staple", false), Some("password-common"));
        assert_eq!(said("aaaaaaaaaaaaaaaaaaaaaaaa", false), Some("password-guessable"));
        assert_eq!(said("password1234567890", false), Some("password-guessable"));
        assert_eq!(said("Sam.Sample@stead!1", false), Some("password-about-you"));
        assert_eq!(said(&"long words and more ".repeat(9), false), Some("password-long"));
    }
}

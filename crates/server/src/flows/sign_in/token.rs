//! Tokens: a program signs in with one, for its person, for what the token is good for and no more.

use std::collections::BTreeSet;

use serde_json::json;
use stead_model::{Millis, PersonId, RecordId, SessionId, problem::Kind, text, time};
use stead_store::{session::Session, token::Token};

use super::{Secret, SignedIn, TOUCH, entry, person_subject};
use crate::{
    App,
    error::{FieldError, Refusal},
};

/// How a token begins, so that people and scanners know one when they see it.
pub const START: &str = "stead_";
/// For how many days a token may be good.
pub const DAYS: [i64; 4] = [7, 30, 90, 365];
/// Most tokens of a person.
const MOST: i64 = 20;

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// What a token may be good for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Scope {
            $($(#[$doc])* $name,)+
        }

        impl Scope {
            /// Every scope.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The word on the wire and in the store.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

scopes! {
    /// Read what its person may read.
    Read = "read",
    /// Change what its person may change of their own.
    Own = "own",
    /// Add and change people, and let them in.
    People = "people",
    /// Change units.
    Units = "units",
    /// Give and take back roles.
    Roles = "roles",
    /// Confirm a team.
    Teams = "teams",
    /// Let devices be enrolled, and revoke them.
    Devices = "devices",
    /// Change how the installation is.
    System = "system",
}

impl Scope {
    /// The scope with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.word() == word)
    }
}

/// What a token is good for.
pub fn scopes(token: &Token) -> BTreeSet<Scope> {
    token.scopes.split(' ').filter_map(Scope::from_word).collect()
}

/// Makes one; its secret goes to its person and nowhere else.
///
/// # Errors
/// [`Refusal`] when a field is not right, there are too many, or the store is away.
pub async fn make(
    app: &App,
    who: &SignedIn,
    name: &str,
    scopes: &[String],
    days: i64,
) -> Result<String, Refusal> {
    let now = app.now();
    let name = text::plain(name.trim(), 60);
    let mut wrong = Vec::new();
    if name.is_empty() {
        wrong.push(FieldError::new("name", "field-empty"));
    }
    let chosen: BTreeSet<Scope> = scopes.iter().filter_map(|word| Scope::from_word(word)).collect();
    if chosen.is_empty() || chosen.len() < scopes.len() {
        wrong.push(FieldError::new("scopes", "token-scopes-none"));
    }
    if !DAYS.contains(&days) {
        wrong.push(FieldError::new("days", "field-empty"));
    }
    if !wrong.is_empty() {
        return Err(Refusal::Form(wrong));
    }
    let secret = format!("{START}{}", Secret::make(app)?);
    let words: Vec<&str> = chosen.into_iter().map(Scope::word).collect();
    let token = Token {
        id: RecordId::from_parts(now, app.random()?),
        person: who.person.id,
        name,
        scopes: words.join(" "),
        created_at: now,
        expires_at: now.plus(days * time::DAY),
        last_used: None,
        ended_at: None,
    };
    let mut write = app.store.write().await?;
    // Counted where nobody else adds one meanwhile.
    if write.good_tokens(who.person.id, now).await? >= MOST {
        return Err(Refusal::said(Kind::Conflict, "token-most"));
    }
    let digest = Secret::Token.digest(&secret);
    write.add_token(&digest, &token).await?;
    let data = json!({
        "token": token.id, "scopes": words, "expires_at": token.expires_at.0,
        "secret": stead_model::seal::digest(digest.as_bytes()),
    });
    let subject = person_subject(who.person.id);
    write.append(&entry(now, &subject, "token.made", subject.clone(), data))?;
    write.commit(&app.keys.ledger).await?;
    Ok(secret)
}

/// Ends one of a person's tokens.
///
/// # Errors
/// [`Refusal`] when it is not there or the store is away.
pub async fn end(app: &App, person: PersonId, id: RecordId) -> Result<(), Refusal> {
    let now = app.now();
    let mut write = app.store.write().await?;
    if !write.end_token(person, id, now).await? {
        return Err(Refusal::new(Kind::NotFound, "This token has ended already."));
    }
    let subject = person_subject(person);
    write.append(&entry(now, &subject, "token.ended", subject.clone(), json!({ "token": id })))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Who holds this token, if it is still good, and the token. What stands for the session bears the token's
/// id and has proved nothing.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn holder(app: &App, secret: &str) -> Result<Option<(SignedIn, Token)>, Refusal> {
    let now = app.now();
    if !secret.starts_with(START) {
        return Ok(None);
    }
    let Some(token) = app.store.token(&Secret::Token.digest(secret)).await? else { return Ok(None) };
    if token.ended_at.is_some() || token.expires_at <= now || token.created_at > now {
        return Ok(None);
    }
    let Some(person) = app.store.person(token.person).await? else { return Ok(None) };
    if !person.state.may_sign_in() {
        return Ok(None);
    }
    let grants =
        if person.state.may_act_in_roles() { app.store.grants(person.id).await? } else { Vec::new() };
    if token.last_used.is_none_or(|at| now.since(at) >= TOUCH) {
        let mut write = app.store.write().await?;
        write.touch_token(token.id, now).await?;
        write.commit(&app.keys.ledger).await?;
    }
    let id: SessionId = token
        .id
        .to_string()
        .parse()
        .map_err(|_| Refusal::new(Kind::Internal, "The token's id cannot be read. It is our fault."))?;
    let session = Session {
        id,
        person: person.id,
        method: "token".to_owned(),
        browser: token.name.clone(),
        created_at: token.created_at,
        last_used: now,
        proved_at: Millis(0),
        ended_at: None,
    };
    Ok(Some((SignedIn { session, person, grants }, token)))
}

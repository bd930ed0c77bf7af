//! Tokens: what programs sign in with, for whoever makes them.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted,
    extract::State,
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use stead_model::{Millis, RecordId};
use stead_store::token::Token;

use super::{
    Base, Page, Plain, Reader,
    form::{self, Form},
    page, parts,
};
use crate::{
    App,
    error::Refusal,
    flows::sign_in::token::{self, Scope},
};

/// For how many days a token is good unless something else is chosen.
const USUAL_DAYS: i64 = 30;

#[derive(Template)]
#[template(path = "tokens.html")]
struct Tokens {
    base: Base,
    form: Form,
    now: Millis,
    tokens: Vec<Token>,
    /// The token that was made just now.
    made: String,
    sent: Sent,
}

impl Tokens {
    fn scopes(&self) -> Vec<&'static str> {
        Scope::ALL.iter().map(|scope| scope.word()).collect()
    }

    fn days(&self) -> [i64; 4] {
        token::DAYS
    }

    fn offered(&self, days: impl Plain<i64>) -> bool {
        days.plain() == if self.sent.days == 0 { USUAL_DAYS } else { self.sent.days }
    }

    fn good_for(&self, token: &Token) -> String {
        let scopes = token::scopes(token);
        let words: Vec<String> =
            scopes.into_iter().map(|scope| self.base.say(&format!("scope-{}", scope.word()))).collect();
        words.join(", ")
    }

    fn used(&self, token: &Token) -> String {
        match token.last_used {
            Some(at) => self.base.words.with("token-used", [("ago", self.base.words.ago(at, self.now))]),
            None => self.base.say("token-unused"),
        }
    }

    fn chosen(&self, scope: &str) -> bool {
        self.sent.chosen().iter().any(|chosen| chosen == scope)
    }
}

/// `GET /me/tokens`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader) -> Page {
    page(&gather(&app, &reader, Form::default(), Sent::default(), String::new()).await?)
}

async fn gather(app: &App, reader: &Reader, form: Form, sent: Sent, made: String) -> Result<Tokens, Refusal> {
    let now = app.now();
    Ok(Tokens {
        base: Base::plain(app, reader, reader.words.say("tokens"), "/me"),
        form,
        now,
        tokens: app.store.tokens(reader.caller.id(), now).await?,
        made,
        sent,
    })
}

/// What the form sends.
#[derive(Default, Deserialize)]
pub struct Sent {
    #[serde(default)]
    name: String,
    #[serde(default)]
    days: i64,
    #[serde(default)]
    read: String,
    #[serde(default)]
    own: String,
    #[serde(default)]
    people: String,
    #[serde(default)]
    units: String,
    #[serde(default)]
    roles: String,
    #[serde(default)]
    teams: String,
    #[serde(default)]
    devices: String,
    #[serde(default)]
    system: String,
}

impl Sent {
    fn chosen(&self) -> Vec<String> {
        [
            ("read", &self.read),
            ("own", &self.own),
            ("people", &self.people),
            ("units", &self.units),
            ("roles", &self.roles),
            ("teams", &self.teams),
            ("devices", &self.devices),
            ("system", &self.system),
        ]
        .into_iter()
        .filter(|(_, on)| !on.is_empty())
        .map(|(scope, _)| scope.to_owned())
        .collect()
    }
}

/// `POST /me/tokens`: a token, told this once.
pub async fn make(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Sent>) -> Page {
    match token::make(&app, reader.caller.who(), &sent.name, &sent.chosen(), sent.days).await {
        Ok(secret) => page(&gather(&app, &reader, Form::default(), Sent::default(), secret).await?),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&gather(&app, &reader, form, sent, String::new()).await?)?))
        }
    }
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Which {
    id: RecordId,
}

/// `POST /me/tokens/end`.
pub async fn end(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Which>) -> Page {
    token::end(&app, reader.caller.id(), sent.id).await?;
    Ok(Redirect::to("/me/tokens").into_response())
}

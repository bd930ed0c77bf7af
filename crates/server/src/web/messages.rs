//! How messages go out: the mail server, other systems, and what could not be delivered. For operators.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted,
    extract::State,
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use stead_model::{Millis, RecordId};
use stead_store::{delivery::Delivery, hook::Hook};
use zeroize::Zeroizing;

use super::{
    Base, Page, Reader,
    form::{self, Form},
    page, parts,
};
use crate::{
    App,
    auth::access::Action,
    error::Refusal,
    flows::notices::{deliver, hooks},
};

/// Messages on the page.
const SHOWN: i64 = 50;

#[derive(Template)]
#[template(path = "messages.html")]
struct Messages {
    base: Base,
    form: Form,
    now: Millis,
    may_change: bool,
    mail: Option<(String, String)>,
    hooks: Vec<Hook>,
    counts: Vec<(String, i64)>,
    dead: Vec<Delivery>,
    waiting: Vec<Delivery>,
    /// The secret of a webhook that was added just now.
    secret: Zeroizing<String>,
    sent: Added,
}

impl Messages {
    fn kinds(&self) -> [&'static str; 3] {
        hooks::KINDS
    }

    fn events(&self) -> [&'static str; 7] {
        hooks::EVENTS
    }

    fn hears(&self, hook: &Hook) -> String {
        let mut heard: Vec<String> =
            hook.events.split_whitespace().map(|event| self.base.say(&format!("hears-{event}"))).collect();
        if hook.people {
            heard.push(self.base.say("hook-people"));
        }
        heard.join(", ")
    }

    fn by(&self, delivery: &Delivery) -> String {
        let hook = delivery.hook.and_then(|id| self.hooks.iter().find(|hook| hook.id == id));
        let way = self.base.say(&format!("channel-{}", delivery.channel));
        hook.map_or(way.clone(), |hook| [way, hook.name.clone()].join(", "))
    }
}

/// `GET /system/messages`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader) -> Page {
    page(&gather(&app, &reader, Form::default(), Added::default(), Zeroizing::default()).await?)
}

async fn gather(
    app: &App,
    reader: &Reader,
    form: Form,
    sent: Added,
    secret: Zeroizing<String>,
) -> Result<Messages, Refusal> {
    Ok(Messages {
        base: Base::of(app, reader, reader.words.say("messages-title"), "/system"),
        form,
        now: app.now(),
        may_change: reader.caller.may_to_all(app, Action::SystemChange),
        mail: app.mail.as_ref().map(|mail| (mail.server().to_owned(), mail.from())),
        hooks: app.store.hooks().await?,
        counts: app.store.deliveries_by_state().await?,
        dead: app.store.deliveries("dead", None, SHOWN).await?,
        waiting: app.store.deliveries_going(SHOWN).await?,
        secret,
        sent,
    })
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
pub struct Added {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    address: Zeroizing<String>,
    #[serde(default)]
    devices: String,
    #[serde(default)]
    people: String,
    #[serde(default)]
    roles: String,
    #[serde(default)]
    access: String,
    #[serde(default)]
    reaches: String,
}

/// `POST /system/messages/hooks`.
pub async fn add(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Added>) -> Page {
    let chosen = [
        ("devices", &sent.devices),
        ("people", &sent.people),
        ("roles", &sent.roles),
        ("access", &sent.access),
    ];
    let new = hooks::NewHook {
        kind: sent.kind.clone(),
        name: sent.name.clone(),
        address: sent.address.clone(),
        events: chosen
            .into_iter()
            .filter(|(_, on)| !on.is_empty())
            .map(|(event, _)| event.to_owned())
            .collect(),
        people: !sent.reaches.is_empty(),
    };
    match hooks::add(&app, &new, &reader.caller.by()).await {
        Ok(secret) if secret.is_empty() => Ok(Redirect::to("/system/messages").into_response()),
        Ok(secret) => page(&gather(&app, &reader, Form::default(), Added::default(), secret).await?),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            let again = gather(&app, &reader, form, sent, Zeroizing::default()).await?;
            Ok(form::not_taken(page(&again)?))
        }
    }
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Which {
    id: RecordId,
}

/// `POST /system/messages/hooks/test`.
pub async fn test(State(app): State<Arc<App>>, Posted(sent): Posted<Which>) -> Page {
    hooks::test(&app, sent.id).await?;
    Ok(Redirect::to("/system/messages#waiting").into_response())
}

/// `POST /system/messages/hooks/end`.
pub async fn end(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Which>) -> Page {
    hooks::end(&app, sent.id, &reader.caller.by()).await?;
    Ok(Redirect::to("/system/messages").into_response())
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Again {
    #[serde(default)]
    id: String,
}

/// `POST /system/messages/retry`: one, or all where none is named.
pub async fn retry(State(app): State<Arc<App>>, Posted(sent): Posted<Again>) -> Page {
    match sent.id.as_str() {
        "" => {
            deliver::retry_all(&app).await?;
        }
        id => {
            let id = id
                .parse()
                .map_err(|_| Refusal::said(stead_model::problem::Kind::NotFound, "nothing-here"))?;
            deliver::retry(&app, id).await?;
        }
    }
    Ok(Redirect::to("/system/messages").into_response())
}

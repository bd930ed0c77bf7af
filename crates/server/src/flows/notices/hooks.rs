//! Other systems that hear what happens: webhooks, and rooms of Rocket.Chat and Slack.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use stead_model::{RecordId, problem::Kind, text};
use stead_store::{delivery::Delivery, hook::Hook, ledger::StoredEntry};
use zeroize::Zeroizing;

use super::{entry, follow, outgoing};
use crate::{
    App,
    channels::{Message, post},
    error::{FieldError, Refusal},
    words::Words,
};

/// How a system is spoken to.
pub const KINDS: [&str; 3] = ["webhook", "rocketchat", "slack"];
/// What it may hear.
pub const EVENTS: [&str; 7] = ["devices", "people", "roles", "access", "policy", "fairness", "losses"];
/// Most events that a webhook is sent one by one of those found together; more become one.
const ONE_BY_ONE: usize = 50;

/// What an operator says of a new one.
#[derive(Clone, Debug, Default)]
pub struct NewHook {
    /// One of [`KINDS`].
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// Its address.
    pub address: Zeroizing<String>,
    /// Some of [`EVENTS`].
    pub events: Vec<String>,
    /// Whether people may be written to through it, by their name there.
    pub people: bool,
}

/// Adds one; the secret that its messages are signed with, told this once, or nothing for a chat.
///
/// # Errors
/// [`Refusal`] when a field is not right or the store is away.
pub async fn add(app: &App, new: &NewHook, by: &str) -> Result<Zeroizing<String>, Refusal> {
    let now = app.now();
    let mut wrong = Vec::new();
    let name = text::plain(new.name.trim(), 60);
    if !KINDS.contains(&new.kind.as_str()) {
        wrong.push(FieldError::new("kind", "field-empty"));
    }
    if name.is_empty() {
        wrong.push(FieldError::new("name", "field-empty"));
    }
    let host = host(&new.address);
    if host.is_none() {
        wrong.push(FieldError::new("address", "hook-address-wrong"));
    } else if !app.post.may_go_to(new.address.trim()) {
        wrong.push(FieldError::new("address", "hook-address-private"));
    }
    let events: Vec<&str> =
        EVENTS.into_iter().filter(|event| new.events.iter().any(|chosen| chosen == event)).collect();
    if events.is_empty() && !new.people {
        wrong.push(FieldError::new("events", "hook-events-none"));
    }
    let (Some(host), true) = (host, wrong.is_empty()) else { return Err(Refusal::Form(wrong)) };
    let id = RecordId::from_parts(now, app.random()?);
    let secret = match new.kind.as_str() {
        "webhook" => Zeroizing::new(format!("{}{}", post::SECRET, STANDARD.encode(app.random::<32>()?))),
        _ => Zeroizing::new(String::new()),
    };
    let sealed = |what: &str, text: &str| {
        app.keys
            .sealing
            .seal(&format!("hook {what} {id}"), text.as_bytes())
            .ok_or_else(|| Refusal::new(Kind::Unavailable, "The address could not be sealed; try again."))
    };
    let hook = Hook {
        id,
        kind: new.kind.clone(),
        name,
        address: sealed("address", new.address.trim())?,
        host,
        secret: if secret.is_empty() { String::new() } else { sealed("secret", &secret)? },
        events: events.join(" "),
        people: new.people && new.kind == "rocketchat",
        created_at: now,
    };
    let mut write = app.store.write().await?;
    write.add_hook(&hook).await?;
    let data = json!({ "kind": hook.kind, "host": hook.host, "events": events, "people": hook.people });
    write.append(&entry(now, by, "hook.added", format!("hook:{id}"), data))?;
    write.commit(&app.keys.ledger).await?;
    Ok(secret)
}

/// The host of an address that may be posted to: with TLS, or on this machine.
fn host(address: &str) -> Option<String> {
    let url = reqwest::Url::parse(address.trim()).ok()?;
    let host = url.host_str()?.to_owned();
    let near = ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str());
    let good = address.len() <= 500
        && url.username().is_empty()
        && url.password().is_none()
        && (url.scheme() == "https" || (url.scheme() == "http" && near));
    good.then_some(host)
}

/// Ends one. Its address and secret are forgotten, and what waits for it is dropped.
///
/// # Errors
/// [`Refusal`] when there is none such or the store is away.
pub async fn end(app: &App, id: RecordId, by: &str) -> Result<(), Refusal> {
    let now = app.now();
    let mut write = app.store.write().await?;
    if !write.end_hook(id, now).await? {
        return Err(Refusal::new(Kind::NotFound, "There is no such connection any more."));
    }
    write.append(&entry(now, by, "hook.ended", format!("hook:{id}"), json!({})))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Sends a word through one, so that an operator sees it arrive.
///
/// # Errors
/// [`Refusal`] when there is none such or the store is away.
pub async fn test(app: &App, id: RecordId) -> Result<(), Refusal> {
    let hook = app
        .store
        .hook(id)
        .await?
        .ok_or_else(|| Refusal::new(Kind::NotFound, "There is no such connection any more."))?;
    let words = Words::new(app.config.language, "");
    let message = match hook.kind.as_str() {
        "webhook" => {
            let body =
                json!({ "type": "stead.test", "timestamp": app.now().timestamp().to_string(), "data": {} });
            Message::Event { body: body.to_string() }
        }
        _ => Message::Chat { to: String::new(), text: words.say("chat-test") },
    };
    let mut write = app.store.write().await?;
    write.add_deliveries(vec![outgoing(app, &hook.kind, (None, Some(id)), &message)?]).await?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// What each system is to hear of these entries.
pub(super) async fn hear(app: &App, entries: &[StoredEntry]) -> Result<Vec<Delivery>, Refusal> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let mut deliveries = Vec::new();
    for hook in app.store.hooks().await? {
        let heard: Vec<&StoredEntry> = entries
            .iter()
            .filter(|entry| entry.at >= hook.created_at)
            .filter(|entry| hook.events.split(' ').any(|events| events == follow::group(&entry.kind)))
            .collect();
        let (Some(first), Some(last)) = (heard.first(), heard.last()) else { continue };
        let to = (None, Some(hook.id));
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        heard.iter().for_each(|entry| *counts.entry(&entry.kind).or_default() += 1);
        if hook.kind != "webhook" {
            let words = Words::new(app.config.language, "");
            let lines: Vec<String> =
                counts.iter().map(|(kind, n)| format!("{n} × {}", words.event(kind))).collect();
            let text = [
                words.count("chat-events", i64::try_from(heard.len()).unwrap_or(i64::MAX)),
                lines.join("\n"),
                super::address(app, "/ledger"),
            ];
            let message = Message::Chat { to: String::new(), text: text.join("\n") };
            deliveries.push(outgoing(app, &hook.kind, to, &message)?);
        } else if heard.len() <= ONE_BY_ONE {
            for entry in heard {
                let message = Message::Event { body: follow::event(entry).to_string() };
                deliveries.push(outgoing(app, &hook.kind, to, &message)?);
            }
        } else {
            let body = json!({
                "type": "stead.many",
                "timestamp": last.at.timestamp().to_string(),
                "data": { "first": first.index, "last": last.index, "counts": counts },
            });
            deliveries.push(outgoing(app, &hook.kind, to, &Message::Event { body: body.to_string() })?);
        }
    }
    Ok(deliveries)
}

/// The address of a hook and the secret that it signs with; none when they do not open.
pub(super) fn secrets(app: &App, hook: &Hook) -> Option<(Zeroizing<String>, Zeroizing<String>)> {
    let open = |what: &str, sealed: &str| {
        let bytes = app.keys.sealing.open(&format!("hook {what} {}", hook.id), sealed)?;
        Some(Zeroizing::new(std::str::from_utf8(&bytes).ok()?.to_owned()))
    };
    let secret =
        if hook.secret.is_empty() { Zeroizing::new(String::new()) } else { open("secret", &hook.secret)? };
    Some((open("address", &hook.address)?, secret))
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn nothing_is_posted_in_the_clear_to_others() {
        assert_eq!(host("https://chat.example.org/hooks/a/b").as_deref(), Some("chat.example.org"));
        assert_eq!(host("http://localhost:9000/x").as_deref(), Some("localhost"));
        for address in
            ["http://chat.example.org/x", "ftp://a.example", "https://me:pw@a.example", "a.example", ""]
        {
            assert_eq!(host(address), None, "{address}");
        }
    }
}

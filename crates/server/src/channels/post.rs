//! Messages to other systems over HTTP: Standard Webhooks, and the incoming webhooks of Rocket.Chat and
//! Slack, which take the same shape.

use std::time::Duration;

use anyhow::Context;
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, StatusCode, redirect};
use serde_json::json;
use stead_model::Millis;

use super::Failed;

/// How a Standard Webhooks secret begins.
pub const SECRET: &str = "whsec_";

/// Posts messages.
#[derive(Clone, Debug)]
pub struct Post(Client);

impl Post {
    /// A way to post.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> anyhow::Result<Self> {
        let client = Client::builder()
            .timeout(Duration::from_secs(15))
            .connect_timeout(Duration::from_secs(5))
            // What is sent is meant for that address and no other.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("stead-server/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("TLS cannot be set up")?;
        Ok(Self(client))
    }

    /// Posts an event, signed as Standard Webhooks 1.0.0 has it: HMAC-SHA256 over id, time and body. The id
    /// stays the same when it is tried again.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn event(
        &self,
        address: &str,
        secret: &str,
        id: &str,
        now: Millis,
        body: &str,
    ) -> Result<(), Failed> {
        let at = now.0 / 1000;
        let signature = sign(secret, id, at, body).ok_or_else(|| Failed::Never("no such secret".into()))?;
        let request = self
            .0
            .post(address)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", signature)
            .body(body.to_owned());
        done(request.send().await)
    }

    /// Posts a line to a chat; `to` is somebody's name there, or empty for the hook's own room.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn chat(&self, address: &str, to: &str, text: &str) -> Result<(), Failed> {
        let body = match to {
            "" => json!({ "text": text }),
            to => json!({ "text": text, "channel": format!("@{to}") }),
        };
        done(self.0.post(address).json(&body).send().await)
    }
}

fn done(answered: reqwest::Result<reqwest::Response>) -> Result<(), Failed> {
    match answered {
        Ok(answer) if answer.status().is_success() => Ok(()),
        // The receiver wants no more of it (Standard Webhooks, "Retries").
        Ok(answer) if answer.status() == StatusCode::GONE => {
            Err(Failed::Never(format!("answered {}", answer.status())))
        }
        Ok(answer) => Err(Failed::Later(format!("answered {}", answer.status()))),
        // The address holds a secret, and an error would tell it.
        Err(error) => Err(Failed::Later(said(&error.without_url()))),
    }
}

fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        text = error.to_string();
        inner = error.source();
    }
    text
}

fn sign(secret: &str, id: &str, at: i64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(SECRET)?).ok()?;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), format!("{id}.{at}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same message signed by the reference implementation.
    #[test]
    fn events_are_signed_as_others_sign_them() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = r#"{"type":"device.revoked"}"#;
        let theirs = standardwebhooks::Webhook::new(secret).unwrap();
        let signed = theirs.sign("msg_1", 1_773_305_091, body.as_bytes()).unwrap();
        assert_eq!(sign(secret, "msg_1", 1_773_305_091, body).unwrap(), signed);
        assert!(sign("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_1", 1, body).is_none());
    }
}

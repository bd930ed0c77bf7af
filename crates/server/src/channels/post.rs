//! Messages to other systems over HTTP: Standard Webhooks, and the incoming webhooks of Rocket.Chat and
//! Slack, which take the same shape.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    Client, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use serde_json::json;
use stead_model::Millis;

use super::Failed;

/// How a Standard Webhooks secret begins.
pub const SECRET: &str = "whsec_";

/// Posts messages.
#[derive(Clone, Debug)]
pub struct Post {
    client: Client,
    private: bool,
}

/// Finds public addresses alone. What a name leads to is asked once, and connected to as it was answered.
#[derive(Debug)]
struct Public;

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            match public.is_empty() {
                true => Err(PRIVATE.into()),
                false => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}

/// Why nothing is posted there.
const PRIVATE: &str = "it leads to a private address; start the server with --private-webhooks to allow that";

/// Whether an address is one of the public internet, and not of this machine or a network around it (IANA's registries
/// of special-purpose addresses).
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            let parts = address.segments();
            let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
            match parts {
                // Addresses of version 4 within: translated, and 6to4.
                [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(v4(high, low)),
                [0x2002, high, low, ..] => is_public_v4(v4(high, low)),
                [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
                // Global unicast is 2000::/3, and nothing else.
                [first, ..] => first & 0xe000 == 0x2000,
            }
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    );
    !special
}

impl Post {
    /// A way to post.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(private: bool) -> anyhow::Result<Self> {
        let client = Client::builder()
            .timeout(Duration::from_secs(15))
            .connect_timeout(Duration::from_secs(5))
            // What is sent is meant for that address and no other.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("stead-server/", env!("CARGO_PKG_VERSION")));
        let client = if private { client } else { client.dns_resolver(Arc::new(Public)) };
        Ok(Self { client: client.build().context("TLS cannot be set up")?, private })
    }

    /// Whether messages may go to an address, as far as it shows: a name is looked up when it is posted to.
    pub fn may_go_to(&self, address: &str) -> bool {
        let url = reqwest::Url::parse(address).ok();
        let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
        let home = host.trim_end_matches('.').ends_with("localhost");
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        self.private || (!home && literal.is_none_or(is_public))
    }

    fn to(&self, address: &str) -> Result<reqwest::RequestBuilder, Failed> {
        match self.may_go_to(address) {
            true => Ok(self.client.post(address)),
            false => Err(Failed::Never(PRIVATE.to_owned())),
        }
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
            .to(address)?
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
        done(self.to(address)?.json(&body).send().await)
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

    /// S33: a webhook reached what the server reaches.
    #[test]
    fn s33_private_addresses_are_told_from_public_ones() {
        for private in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "2001:db8::1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "2001::1",
            "5f00::1",
            "100::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in
            ["1.1.1.1", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let post = Post::new(false).unwrap();
        for address in [
            "https://127.0.0.1/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://[::1]/x",
            "https://localhost/x",
            "https://a.localhost./x",
            "https://[::ffff:169.254.169.254]/x",
            "https://10.0.0.1:8443/",
        ] {
            assert!(!post.may_go_to(address), "{address}");
            assert!(Post::new(true).unwrap().may_go_to(address), "{address}");
        }
        assert!(post.may_go_to("https://chat.example.org/hooks/a"));
    }

    /// S33: what a name leads to counts, not the name.
    #[tokio::test]
    async fn s33_a_name_that_leads_home_is_not_connected_to() {
        let said = Public.resolve("localhost".parse().unwrap()).await.err().unwrap().to_string();
        assert_eq!(said, PRIVATE);
    }

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

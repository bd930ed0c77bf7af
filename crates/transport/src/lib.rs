//! The way from a program on another machine to the server: one connection, kept open, over TLS unless the server is
//! this machine.

use std::{fs, path::Path, sync::Arc, time::Duration};

use serde::Serialize;
use stead_model::problem::Problem;
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
};

/// The largest answer to a message read.
const MAX_ANSWER: u64 = 1024 * 1024;
/// The largest list read: what a tunnel's gate is told of a million devices.
const MAX_LIST: u64 = 256 * 1024 * 1024;

/// Why a message got no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The server said why not.
    #[error("{0}")]
    Refused(Problem),
    /// The server is away, or does not speak as it should: try again later.
    #[error("the server did not answer: {0}")]
    Away(String),
    /// The address cannot be used.
    #[error("{0}")]
    Address(String),
}

/// A way to one server.
#[derive(Debug)]
pub struct Transport {
    agent: Agent,
    server: String,
}

impl Transport {
    /// The way to the server at `server`, trusting the system's certificates and those in `trust`.
    ///
    /// # Errors
    /// [`SendError::Address`] when it would go over a network without TLS, or `trust` cannot be read.
    pub fn new(server: &str, trust: Option<&Path>) -> Result<Self, SendError> {
        let server = server.trim_end_matches('/').to_owned();
        if !(server.starts_with("https://") || is_loopback(&server)) {
            return Err(SendError::Address(format!(
                "{server} would be reached without encryption; use an address that starts with https://"
            )));
        }
        let roots = match trust {
            None => RootCerts::PlatformVerifier,
            Some(path) => RootCerts::Specific(Arc::new(certificates(path)?)),
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(format!("stead/{}", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(Duration::from_secs(30)))
            .timeout_connect(Some(Duration::from_secs(10)))
            .max_idle_age(Duration::from_secs(3600))
            .max_idle_connections_per_host(1)
            .build()
            .new_agent();
        Ok(Self { agent, server })
    }

    /// Sends a message, most often a sealed one; the body of the answer.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn post(&self, path: &str, message: &impl Serialize) -> Result<String, SendError> {
        let away = |error: &dyn std::fmt::Display| SendError::Away(error.to_string());
        let body = serde_json::to_string(message).map_err(|error| away(&error))?;
        let response = self
            .agent
            .post(format!("{}{path}", self.server))
            .content_type("application/json")
            .send(&body)
            .map_err(|error| away(&error))?;
        Self::read(response, MAX_ANSWER)
    }

    /// Asks for something by a secret, and waits for it no longer than `patience`; the body of the answer.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn get(&self, path: &str, secret: &str, patience: Duration) -> Result<String, SendError> {
        let response = self
            .agent
            .get(format!("{}{path}", self.server))
            .header("authorization", format!("Bearer {secret}"))
            .config()
            .timeout_global(Some(patience))
            .build()
            .call()
            .map_err(|error| SendError::Away(error.to_string()))?;
        Self::read(response, MAX_LIST)
    }

    fn read(mut response: ureq::http::Response<ureq::Body>, most: u64) -> Result<String, SendError> {
        let away = |error: &dyn std::fmt::Display| SendError::Away(error.to_string());
        let status = response.status();
        let text =
            response.body_mut().with_config().limit(most).read_to_string().map_err(|error| away(&error))?;
        if status.is_success() {
            return Ok(text);
        }
        match serde_json::from_str::<Problem>(&text) {
            // A server that cannot just now, or not so much at once, will be able to later.
            Ok(problem) if problem.status < 500 && problem.status != 429 => Err(SendError::Refused(problem)),
            Ok(problem) => Err(SendError::Away(problem.to_string())),
            Err(_) => Err(SendError::Away(format!(
                "HTTP {status}, and not in Stead's words; is this the right address?"
            ))),
        }
    }
}

fn is_loopback(server: &str) -> bool {
    let Some(rest) = server.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // What stands before an @ is a name to sign in with, not a host.
    if authority.contains(['@', '\\']) {
        return false;
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host == "localhost"
        || host == "[::1]"
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, SendError> {
    let refused =
        |why: &dyn std::fmt::Display| SendError::Address(format!("{} cannot be used: {why}", path.display()));
    let text = fs::read(path).map_err(|error| refused(&error))?;
    let found: Vec<Certificate<'static>> = ureq::tls::parse_pem(&text)
        .filter_map(|item| match item {
            Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() { Err(refused(&"it holds no certificate")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_may_be_reached_without_tls() {
        for server in ["http://127.0.0.1:8787", "http://localhost", "http://[::1]:80", "http://127.9.9.9"] {
            assert!(is_loopback(server), "{server}");
        }
        for server in [
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com:80",
            "http://example.com/127.0.0.1",
            "http://localhost:80@example.com",
            "http://127.0.0.1:80\\@example.com",
            "ftp://localhost",
        ] {
            assert!(!is_loopback(server), "{server}");
        }
    }
}

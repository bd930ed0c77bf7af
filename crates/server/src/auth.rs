//! Who may do what. Every handler names its authorization by taking one of these as an argument:
//! [`Public`], [`Operator`], or nothing for what only a sealed message opens.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use stead_model::problem::{Kind, Problem};

use crate::{App, error::problem_response, flows::sign_in, web};

/// The session's cookie. The prefix makes browsers refuse it from another host or without TLS
/// (draft-ietf-httpbis-rfc6265bis, section 4.1.3.2); they take this machine's loopback for safe.
const COOKIE: &str = "__Host-stead";

/// What the holder of a session may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs this installation.
    Operator,
}

impl Role {
    /// The word in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
        }
    }

    /// The role for a [`Role::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        (word == "operator").then_some(Self::Operator)
    }
}

/// Anybody may.
#[derive(Debug)]
pub struct Public;

impl<S: Sync> FromRequestParts<S> for Public {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self)
    }
}

/// The operator may.
#[derive(Debug)]
pub struct Operator {
    /// The session's secret, to end it by.
    pub session: String,
}

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let page = !parts.uri.path().starts_with("/api/");
        let Some(secret) = session_secret(&parts.headers) else {
            return Err(not_signed_in(page, &parts.headers));
        };
        match sign_in::session(app, &secret).await {
            Ok(Some(Role::Operator)) => Ok(Self { session: secret }),
            Ok(None) => Err(not_signed_in(page, &parts.headers)),
            Err(refusal) => Err(web::error_response(&refusal.problem(), page)),
        }
    }
}

/// Whether the sender holds a session that is still good, for pages that anybody may see.
pub async fn is_signed_in(app: &Arc<App>, headers: &HeaderMap) -> bool {
    match session_secret(headers) {
        Some(secret) => matches!(sign_in::session(app, &secret).await, Ok(Some(_))),
        None => false,
    }
}

fn not_signed_in(page: bool, headers: &HeaderMap) -> Response {
    if headers.contains_key("hx-request") {
        // A part of a page cannot show a sign-in page; the whole page goes there.
        return ([("hx-redirect", "/sign-in")], axum::http::StatusCode::UNAUTHORIZED).into_response();
    }
    if page {
        return Redirect::to("/sign-in").into_response();
    }
    problem_response(&Problem::new(Kind::SignInNeeded, "Sign in, or send a token."))
}

fn session_secret(headers: &HeaderMap) -> Option<String> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value.to_owned());
    // Two of them means that somebody planted one.
    match (found.next(), found.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// The header that hands a session to a browser.
pub fn session_cookie(secret: &str) -> String {
    format!("{COOKIE}={secret}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={}", sign_in::ABSOLUTE / 1000)
}

/// The header that takes it back.
pub fn no_session_cookie() -> String {
    format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")
}

/// Refuses what changes something and comes from another site: by `Sec-Fetch-Site` where the browser
/// sends it, else by `Origin`. What comes from no browser has neither and no cookie that was planted.
pub async fn same_site(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || from_here(request.headers(), &app.config.base_url) {
        return next.run(request).await;
    }
    let page = !request.uri().path().starts_with("/api/");
    web::error_response(&Problem::new(Kind::CrossSite, "Open the page here and try again."), page)
}

fn from_here(headers: &HeaderMap, base_url: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => {
            let host = text("host").unwrap_or_default();
            origin == base_url || origin.split_once("://").is_some_and(|(_, authority)| authority == host)
        }
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn changes_from_other_sites_are_refused() {
        let base = "https://stead.example";
        for (sent, allowed) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "cross-site")][..], false),
            (&[("sec-fetch-site", "same-site")][..], false),
            (&[("origin", "https://stead.example")][..], true),
            (&[("origin", "https://evil.example"), ("host", "stead.example")][..], false),
            (&[("origin", "null"), ("host", "stead.example")][..], false),
            (&[][..], true),
        ] {
            assert_eq!(from_here(&headers(sent), base), allowed, "{sent:?}");
        }
    }

    #[test]
    fn a_planted_second_cookie_is_no_session() {
        assert_eq!(session_secret(&headers(&[("cookie", "a=b; __Host-stead=x")])).as_deref(), Some("x"));
        assert_eq!(session_secret(&headers(&[("cookie", "__Host-stead=x; __Host-stead=y")])), None);
        assert_eq!(session_secret(&headers(&[("cookie", "stead=x")])), None);
    }
}

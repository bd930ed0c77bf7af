//! Who is asking, and what they may do. [`guard`] stands before every route and asks [`access`].

#![deny(clippy::wildcard_enum_match_arm)]

pub mod access;
pub(crate) mod body;
pub mod guard;
pub mod placing;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::Response,
};
use stead_model::problem::Kind;

use crate::{App, error::Refusal, flows::sign_in, web};

/// The session's cookie. The prefix makes browsers refuse it from another host or without TLS
/// (draft-ietf-httpbis-rfc6265bis, section 4.1.3.2); they take this machine's loopback for safe.
const COOKIE: &str = "__Host-stead";

/// What a browser keeps from the last time somebody was let in with it, so that guesses by strangers do not
/// shut its person out.
const KNOWN: &str = "__Host-stead-known";
/// Holds a browser's place between a password and a code.
const PLACE: &str = "__Host-stead-place";
/// How long a browser is known.
const KNOWN_LASTS: i64 = 180 * stead_model::time::DAY;

/// The secret of a session, when the browser sends one.
pub fn session_secret(headers: &HeaderMap) -> Option<String> {
    cookie(headers, COOKIE)
}

/// The secret of a token, when a program sends one (RFC 6750, 2.1). Two of them are none.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (one, None) = (sent.next()?, sent.next()) else { return None };
    let (scheme, secret) = one.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// What the browser keeps from the last time somebody was let in with it.
pub fn known_browser(headers: &HeaderMap) -> Option<String> {
    cookie(headers, KNOWN)
}

/// The browser's place between a password and a code.
pub fn place(headers: &HeaderMap) -> Option<String> {
    cookie(headers, PLACE)
}

/// The value of a cookie. Two of the same name are none.
pub fn cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(name, _)| *name == wanted)
        .map(|(_, value)| value.to_owned());
    // Two of them means that somebody planted one.
    match (found.next(), found.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// Where a request comes from, in one form for each address. Behind a proxy that is what the proxy says; what it was told
/// by others before does not count. Whoever it says nothing readable of shares one address with all such, so that they
/// share one allowance.
pub fn address(app: &App, parts: &Parts) -> Option<IpAddr> {
    if app.config.behind_proxy {
        let last = parts.headers.get_all("x-forwarded-for").iter().next_back();
        let said = last.and_then(|value| value.to_str().ok()).and_then(|value| value.rsplit(',').next());
        return Some(said.and_then(forwarded).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
    }
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical())
}

/// An address as proxies write it (RFC 7239 6, and what Azure and IIS put there): alone, with a port, in brackets, quoted.
fn forwarded(said: &str) -> Option<IpAddr> {
    let said = said.trim().trim_matches('"');
    let alone = said.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(said);
    let address =
        alone.parse::<IpAddr>().ok().or_else(|| said.parse::<SocketAddr>().ok().map(|with| with.ip()));
    address.map(|address| address.to_canonical())
}

/// A path of this site to go on to, from a query or a form; never another site's.
pub fn local_path(path: &str) -> Option<&str> {
    let good = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 1000
        && !path.contains(|c: char| c == '\\' || c.is_control());
    good.then_some(path)
}

/// The header that hands a session to a browser.
pub fn session_cookie(secret: &str) -> String {
    set_cookie(COOKIE, secret, sign_in::ABSOLUTE)
}

/// The header by which a browser is known the next time.
pub fn known_cookie(mark: &str) -> String {
    set_cookie(KNOWN, mark, KNOWN_LASTS)
}

/// The header that holds a browser's place between a password and a code.
pub fn place_cookie(secret: &str) -> String {
    set_cookie(PLACE, secret, 10 * stead_model::time::MINUTE)
}

/// The header that takes that place back.
pub fn no_place_cookie() -> String {
    set_cookie(PLACE, "", 0)
}

/// The header that gives a browser a cookie for this host alone, for so many milliseconds.
pub fn set_cookie(name: &str, value: &str, lasts: i64) -> String {
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={}", lasts / 1000)
}

/// The header that takes it back.
pub fn no_session_cookie() -> String {
    set_cookie(COOKIE, "", 0)
}

/// Refuses what changes something and comes from another site: by `Sec-Fetch-Site` where the browser
/// sends it, else by `Origin`. What comes from no browser has neither and no cookie that was planted.
pub async fn same_site(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || from_here(request.headers(), &app.config.base_url) {
        return next.run(request).await;
    }
    let page = !request.uri().path().starts_with("/api/");
    web::refused(Refusal::said(Kind::CrossSite, "cross-site"), page)
}

fn from_here(headers: &HeaderMap, base_url: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => {
            let host = text("host").unwrap_or_default();
            let scheme = base_url.split_once("://").map_or("", |(scheme, _)| scheme);
            origin == base_url || origin.strip_prefix(scheme).is_some_and(|rest| rest == format!("://{host}"))
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
            (&[("origin", "http://stead.example"), ("host", "stead.example")][..], false),
            (&[("origin", "https://other.example"), ("host", "other.example")][..], true),
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

    #[test]
    fn nobody_is_sent_to_another_site() {
        assert_eq!(local_path("/people?q=a"), Some("/people?q=a"));
        for path in ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\nb"] {
            assert_eq!(local_path(path), None, "{path}");
        }
    }
}

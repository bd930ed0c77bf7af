//! What a close review found, each by its number.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use axum::http::StatusCode;
use stead_model::{Millis, UnitId};
use stead_server::{Config, flows::check_in};
use stead_testkit::device::{good_facts_at, text};
use support::TestServer;

/// S15: the earliest time there is was on time.
#[tokio::test]
async fn s15_no_extreme_time_is_on_time() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    let mut device = s.sim_device(person, 7).await;
    for at in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX] {
        let report = device.report(&good_facts_at(s.app.now()), Millis(at));
        let refusal = check_in::check_in(&s.app, &text(&report)).await.unwrap_err();
        let problem = refusal.problem(&stead_server::words::Words::english());
        assert_ne!(problem.status, 500, "{at}");
    }
}

/// S22: browsers that come by TLS come by nothing else from then on.
#[tokio::test]
async fn s22_strict_transport_security_is_sent_over_tls_alone() {
    for (base_url, sent) in [("https://stead.example", true), ("http://localhost:8787", false)] {
        let s = TestServer::start_with(Config { base_url: base_url.to_owned(), ..Config::default() }).await;
        for path in ["/healthz", "/sign-in", "/api/v1/me", "/nothing/here"] {
            let reply = s.get(path, "").await;
            assert_eq!(reply.strict.contains("max-age=63072000"), sent, "{path} at {base_url}");
        }
    }
}

/// S34: a stranger at the gate without an application is not known, not lost.
#[tokio::test]
async fn s34_the_gate_without_an_application_answers_401() {
    let s = TestServer::start().await;
    for path in ["/gate/auth", "/gate/auth/"] {
        assert_eq!(s.get(path, "").await.status, StatusCode::UNAUTHORIZED.as_u16(), "{path}");
    }
}

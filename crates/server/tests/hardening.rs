//! What a close review found, each by its number.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use std::sync::Arc;

use axum::http::StatusCode;
use stead_model::{Employment, Millis, Role, UnitId, time::HOUR};
use stead_server::{
    Config,
    flows::{
        check_in,
        directory::{self, roles},
        enrol,
        policy::drafts,
        sign_in::{self, links, token},
    },
};
use stead_store::session::LinkKind;
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

/// S3: a link and an enrollment code that were made before their person got a role opened that role afterwards.
#[tokio::test]
async fn s3_what_was_made_before_a_role_opens_nothing_of_it() {
    let s = TestServer::start().await;
    for (seed, kind) in [(40, LinkKind::SignIn), (41, LinkKind::Invite), (42, LinkKind::Reset)] {
        let person = s.person(&format!("Ana {}", kind.word()), UnitId::ORGANISATION).await;
        let link = links::make(&s.app, person, kind, "test").await.unwrap();
        let code = enrol::give_code(&s.app, person, "organisation", HOUR, "test").await.unwrap();
        roles::give(&s.app, person, Role::Operator, UnitId::ORGANISATION, "test").await.unwrap();
        assert!(links::take(&s.app, &link, "test").await.is_err(), "{}", kind.word());
        let (_, envelope) = stead_testkit::SimDevice::enrolment([seed; 32], &code, "laptop", s.app.now());
        assert!(enrol::enrol(&s.app, &envelope).await.is_err(), "{}", kind.word());
        // One made now, by whoever may, works.
        let link = links::make(&s.app, person, kind, "test").await.unwrap();
        assert!(links::take(&s.app, &link, "test").await.is_ok());
    }
}

/// S4: roles guarded the last operator, leaving did not.
#[tokio::test]
async fn s4_the_last_operator_stays_whichever_way_they_would_go() {
    let s = TestServer::start().await;
    let mut operators = Vec::new();
    for name in ["Ana", "Ben", "Caio"] {
        let person = s.person(name, UnitId::ORGANISATION).await;
        roles::give(&s.app, person, Role::Operator, UnitId::ORGANISATION, "test").await.unwrap();
        operators.push(person);
    }
    let last = operators.pop().unwrap();
    let day = Some(s.app.now().plus(48 * HOUR));
    directory::set_state(&s.app, operators[0], Employment::Gone, None, "test").await.unwrap();
    directory::set_state(&s.app, operators[1], Employment::Leaving, day, "test").await.unwrap();
    for (to, last_day) in [(Employment::Gone, None), (Employment::Leaving, day), (Employment::OnLeave, None)]
    {
        assert!(directory::set_state(&s.app, last, to, last_day, "test").await.is_err(), "{}", to.word());
    }
    assert!(roles::take(&s.app, last, Role::Operator, UnitId::ORGANISATION, "test").await.is_err());
    assert_eq!(s.app.store.person(last).await.unwrap().unwrap().state, Employment::Active);
}

/// S29: limits were counted before the transaction: 64 at once got 64.
#[tokio::test(flavor = "multi_thread")]
async fn s29_no_limit_is_passed_by_asking_many_times_at_once() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    let session = s.sign_in(person).await;
    let who = Arc::new(sign_in::session(&s.app, &session).await.unwrap().unwrap());
    let (mut tokens, mut begun) = (tokio::task::JoinSet::new(), tokio::task::JoinSet::new());
    for n in 0..64 {
        let (app, who) = (Arc::clone(&s.app), Arc::clone(&who));
        tokens.spawn(async move {
            token::make(&app, &who, &format!("t{n}"), &["read".to_owned()], 7).await.is_ok()
        });
        let app = Arc::clone(&s.app);
        begun.spawn(async move { drafts::begin(&app, person).await.is_ok() });
    }
    let count = |all: Vec<bool>| all.into_iter().filter(|made| *made).count();
    assert_eq!(count(tokens.join_all().await), 20);
    assert_eq!(count(begun.join_all().await), 20);
}

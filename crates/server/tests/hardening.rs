//! What a close review found, each by its number.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use std::sync::Arc;

use axum::http::StatusCode;
use stead_model::{
    Employment, Millis, PersonId, Role, UnitId,
    time::{DAY, HOUR, MINUTE},
};
use stead_server::{
    Config,
    flows::{
        check_in,
        directory::{self, Told, roles},
        enrol,
        policy::{drafts, publish},
        sign_in::{self, authenticator, links, token},
    },
};
use stead_store::session::LinkKind;
use stead_testkit::device::{good_facts_at, text};
use support::{TestServer, of};

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
    s.is_whole().await;
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
    s.is_whole().await;
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
    s.is_whole().await;
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
    s.is_whole().await;
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
    s.is_whole().await;
}

/// Somebody trusted with a role for a unit, and their session.
async fn trusted(s: &TestServer, name: &str, role: Role, unit: UnitId) -> (PersonId, String) {
    let person = s.person(name, unit).await;
    s.give(person, role, unit).await;
    (person, s.sign_in(person).await)
}

/// A way to sign in of each kind, made for somebody by a coordinator through the page; the secret of the link.
async fn link_by(s: &TestServer, session: &str, person: PersonId) -> Option<String> {
    let made = s.post(&format!("/people/{person}/invite"), session, "").await;
    let start = made.body.find("/join/")? + "/join/".len();
    (made.status == 200).then(|| made.body[start..start + 43].to_owned())
}

/// S3: what lets somebody in is decided when it is used: whoever made it must still be allowed to make it.
#[tokio::test]
async fn s3_a_link_is_worth_what_its_maker_may_when_it_is_used() {
    let s = TestServer::start().await;
    let (one, two) = (s.unit("One", UnitId::ORGANISATION).await, s.unit("Two", UnitId::ORGANISATION).await);
    let take = async |secret: &str| links::take(&s.app, secret, "test").await.is_ok();
    for (n, changes) in
        ["nothing", "role", "manager", "moved", "maker left", "maker's role", "code"].iter().enumerate()
    {
        let (maker, session) = trusted(&s, &format!("Cleo {n}"), Role::Coordinator, one).await;
        let person = s.person(&format!("Ana {n}"), one).await;
        let link = link_by(&s, &session, person).await.unwrap();
        let code =
            enrol::give_code(&s.app, person, "person", HOUR, &format!("person:{maker}")).await.unwrap();
        match *changes {
            "role" => roles::give(&s.app, person, Role::Auditor, two, "test").await.unwrap(),
            "manager" => {
                let told = Told {
                    manager: Some(person),
                    ..of(&s.app, s.person(&format!("Bob {n}"), two).await).await
                };
                let bob = s.app.store.person_by_email(&told.email).await.unwrap().unwrap().id;
                directory::change(&s.app, bob, &told, "test").await.unwrap();
            }
            "moved" => {
                let told = Told { unit: Some(two), ..of(&s.app, person).await };
                directory::change(&s.app, person, &told, "test").await.unwrap();
            }
            "maker left" => {
                directory::set_state(&s.app, maker, Employment::Gone, None, "test").await.unwrap()
            }
            "maker's role" => roles::take(&s.app, maker, Role::Coordinator, one, "test").await.unwrap(),
            _ => {}
        }
        let (_, envelope) = stead_testkit::SimDevice::enrolment(
            [60 + u8::try_from(n).unwrap(); 32],
            &code,
            "laptop",
            s.app.now(),
        );
        let nothing = matches!(*changes, "nothing" | "code");
        assert_eq!(enrol::enrol(&s.app, &envelope).await.is_ok(), nothing, "a code, {changes}");
        assert_eq!(take(&link).await, nothing, "a link, {changes}");
    }
    s.is_whole().await;
}

/// S4: whoever may not let in who is trusted does not put them out either, by page or by program.
#[tokio::test]
async fn s4_who_is_trusted_is_put_out_by_nobody_who_may_not_let_them_in() {
    let s = TestServer::start().await;
    let all = UnitId::ORGANISATION;
    let (cleo, session) = trusted(&s, "Cleo", Role::Coordinator, all).await;
    let token = s.token(cleo, &["read", "people"]).await;
    let lead = s.person("Lead", all).await;
    let told = Told { manager: Some(lead), ..of(&s.app, s.person("Bob", all).await).await };
    let bob = s.app.store.person_by_email(&told.email).await.unwrap().unwrap().id;
    directory::change(&s.app, bob, &told, "test").await.unwrap();
    let mut people = vec![cleo, lead];
    for role in Role::ALL {
        people.push(trusted(&s, &format!("Dana {}", role.word()), role, all).await.0);
    }
    for person in people {
        for to in ["on_leave", "leaving", "gone"] {
            let form = format!("to={to}&last_day=2026-12-24");
            let by_page = s.post(&format!("/people/{person}/state"), &session, &form).await;
            assert_ne!(by_page.status, 303, "{to}");
            let body = format!(r#"{{"state":"{to}","last_day":"2026-12-24T00:00:00Z"}}"#);
            let path = format!("/api/v1/people/{person}/state");
            let by_program = s.ask("PUT", &path, &token, &[("stead-purpose", "review")], &body).await;
            assert_eq!(by_program.status, 403, "{to}: {}", by_program.body);
        }
        assert_eq!(s.app.store.person(person).await.unwrap().unwrap().state, Employment::Active);
    }
    // Bob answers for nobody; and the lead leaves once somebody else answers for him.
    let path = format!("/api/v1/people/{lead}/state");
    directory::change(&s.app, bob, &Told { manager: None, ..told }, "test").await.unwrap();
    for person in [bob, lead] {
        let path = format!("/api/v1/people/{person}/state");
        let left = s.ask("PUT", &path, &token, &[("stead-purpose", "review")], r#"{"state":"gone"}"#).await;
        assert_eq!(left.status, 204, "{}", left.body);
    }
    let back = s.ask("PUT", &path, &token, &[("stead-purpose", "review")], r#"{"state":"invited"}"#).await;
    assert_eq!(back.status, 204, "{}", back.body);
    s.is_whole().await;
}

/// S9: proving anew asked for the password alone, and with it took the second factor off.
#[tokio::test]
async fn s9_proving_anew_asks_for_as_much_as_signing_in() {
    let s = TestServer::start().await;
    let sam = s.person("Sam Sample", UnitId::ORGANISATION).await;
    let session = s.sign_in(sam).await;
    let session =
        s.post("/me/ways/password", &session, "password=four+wet+otters+hum+at+noon").await.session();
    let (session, secret, recovery) = second_factor(&s, session).await;
    s.pass(11 * MINUTE);
    assert_eq!(s.post("/me/ways/code/remove", &session, "").await.status, 403);
    let page = s.get("/prove?to=/me/ways", &session).await;
    assert!(
        page.body.contains("name=\"password\"") && page.body.contains("name=\"code\""),
        "both are asked for"
    );
    for form in [
        "password=four+wet+otters+hum+at+noon".to_owned(),
        "password=four+wet+otters+hum+at+noon&code=".to_owned(),
        "password=four+wet+otters+hum+at+noon&code=000000".to_owned(),
        format!("code={}", code(&s, &secret)),
        format!("password=wrong&code={}", code(&s, &secret)),
    ] {
        assert_eq!(s.post("/prove/password", &session, &form).await.status, 422, "{form}");
        assert_eq!(s.post("/me/ways/code/remove", &session, "").await.status, 403, "{form}");
    }
    let form = format!("password=four+wet+otters+hum+at+noon&code={}", code(&s, &secret));
    let session = s.post("/prove/password", &session, &form).await.session();
    assert_eq!(s.get("/me/ways", &session).await.status, 200);
    s.pass(11 * MINUTE);
    let form = format!("password=four+wet+otters+hum+at+noon&code={}", recovery[0]);
    let session = s.post("/prove/password", &session, &form).await.session();
    assert_eq!(s.get("/me/ways", &session).await.status, 200, "what signs in proves");
    s.is_whole().await;
}

/// Sets a second factor up; the session, the secret, and the recovery codes.
async fn second_factor(s: &TestServer, session: String) -> (String, String, Vec<String>) {
    let who = sign_in::session(&s.app, &session).await.unwrap().unwrap();
    let secret = authenticator::set_up(&s.app, &who).await.unwrap().secret;
    let codes = authenticator::confirm(&s.app, &who, &code(s, &secret)).await.unwrap();
    s.pass(MINUTE);
    (session, secret, codes)
}

/// The code of now.
fn code(s: &TestServer, secret: &str) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).with_account_name("x").build().unwrap();
    totp.generate(u64::try_from(s.app.now().0 / 1000).unwrap()).to_string()
}

/// S18: whoever had the password could shut its person out by wrong codes, from their own browser and with a recovery
/// code too.
#[tokio::test]
async fn s18_wrong_codes_of_others_keep_nobody_out() {
    let s = TestServer::start().await;
    let sam = s.person("Sam Sample", UnitId::ORGANISATION).await;
    let session = s.sign_in(sam).await;
    let session =
        s.post("/me/ways/password", &session, "password=four+wet+otters+hum+at+noon").await.session();
    let (_, secret, recovery) = second_factor(&s, session).await;
    let known = stead_server::flows::sign_in::password::known_mark(&s.app, sam).unwrap();
    let form = "email=sam.sample@stead.example&password=four+wet+otters+hum+at+noon";
    let halfway = async |known: &str| {
        let reply = s.send("POST", "/sign-in/password", &format!("__Host-stead-known={known}"), form).await;
        reply.cookie("__Host-stead-place")
    };
    let finish = async |place: &str, known: &str, code: &str| {
        let cookies = format!("__Host-stead-place={place}; __Host-stead-known={known}");
        s.send("POST", "/sign-in/code", &cookies, &format!("code={code}")).await
    };
    let place = halfway("").await;
    for _ in 0..20 {
        assert!(finish(&place, "", "000000").await.session().is_empty());
    }
    let place = halfway("").await;
    assert!(finish(&place, "", &code(&s, &secret)).await.session().is_empty(), "strangers are slowed");
    assert!(!finish(&place, "", &recovery[0]).await.session().is_empty(), "a recovery code is let in");
    let place = halfway(&known).await;
    assert!(!finish(&place, &known, &code(&s, &secret)).await.session().is_empty(), "so is a known browser");
    // What proves anew within a session is nobody else's to use up.
    let session = s.sign_in(sam).await;
    s.pass(11 * MINUTE);
    let place = halfway("").await;
    for _ in 0..20 {
        finish(&place, "", "000000").await;
    }
    let form = format!("password=four+wet+otters+hum+at+noon&code={}", code(&s, &secret));
    assert_eq!(s.post("/prove/password", &session, &form).await.status, 303);
    s.is_whole().await;
}

/// S10: named managers and whoever the policy names for break-glass access were not protected as people with roles are.
#[tokio::test]
async fn s10_whoever_can_do_more_to_others_is_trusted() {
    let glass = "\n[break_glass]\npeople = [\"Gil@stead.example\", \"later@stead.example\"]\ntier = \"standard\"\nlasts = \"PT1H\"\n";
    let s = TestServer::start_with_manifest(|manifest| format!("{manifest}{glass}")).await;
    let all = UnitId::ORGANISATION;
    let (one, two) = (s.unit("One", all).await, s.unit("Two", all).await);
    let (cleo, session) = trusted(&s, "Cleo", Role::Coordinator, one).await;
    let (_, session_of_all) = trusted(&s, "Dora", Role::Coordinator, all).await;
    let (_, operator) = trusted(&s, "Oskar", Role::Operator, all).await;
    let lead = s.person("Lead", one).await;
    let told = Told { manager: Some(lead), ..of(&s.app, s.person("Bob", two).await).await };
    let bob = s.app.store.person_by_email(&told.email).await.unwrap().unwrap().id;
    directory::change(&s.app, bob, &told, "test").await.unwrap();
    let gil = s.person("Gil", one).await;
    let alice = s.person("Alice", one).await;
    for trusted in [lead, gil] {
        assert!(link_by(&s, &session, trusted).await.is_none(), "nobody but an operator lets them in anew");
        assert!(link_by(&s, &session_of_all, trusted).await.is_none());
        assert!(link_by(&s, &operator, trusted).await.is_some());
    }
    assert!(link_by(&s, &session, alice).await.is_some());

    // An address that the policy names goes to nobody else, by page, program, file, or a sign-in elsewhere.
    let purpose = [("stead-purpose", "review")];
    let token = s.token(cleo, &["read", "people"]).await;
    for (person, email) in
        [(gil, "gil2@stead.example"), (alice, "later@stead.example"), (alice, "LATER@stead.example")]
    {
        let path = format!("/api/v1/people/{person}");
        let moved = s.ask("PATCH", &path, &token, &purpose, &format!(r#"{{"email":"{email}"}}"#)).await;
        assert!(moved.status == 422 && moved.body.contains("an operator changes"), "{}", moved.body);
    }
    let body = r#"{"name":"New","email":"later@stead.example"}"#;
    let added = s.ask("POST", &format!("/api/v1/people?unit={one}"), &token, &purpose, body).await;
    assert_eq!(added.status, 422, "{}", added.body);
    let file = "name,email\nNew,later@stead.example\n";
    let preview = directory::import::preview(&s.app, file).await.unwrap();
    assert_eq!((preview.adds(), preview.wrong()), (0, 1));
    let file = format!("name,email,staff_number\nGil,gil3@stead.example,{}\n", 7);
    let told = Told { staff_number: "7".to_owned(), ..of(&s.app, gil).await };
    directory::change(&s.app, gil, &told, "test").await.unwrap();
    assert_eq!(directory::import::preview(&s.app, &file).await.unwrap().wrong(), 1);
    s.is_whole().await;
}

/// S17: a reset left every other way to sign in as it was.
#[tokio::test]
async fn s17_a_reset_ends_every_other_way_to_sign_in() {
    let s = TestServer::start().await;
    let sam = s.person("Sam Sample", UnitId::ORGANISATION).await;
    let session = s.sign_in(sam).await;
    let session =
        s.post("/me/ways/password", &session, "password=four+wet+otters+hum+at+noon").await.session();
    let (session, _, recovery) = second_factor(&s, session).await;
    let token = s.token(sam, &["read"]).await;
    let form = "email=sam.sample@stead.example&password=four+wet+otters+hum+at+noon";
    let place = s.send("POST", "/sign-in/password", "", form).await.cookie("__Host-stead-place");
    assert!(!place.is_empty());
    let link = links::make(&s.app, sam, LinkKind::Reset, "test").await.unwrap();
    let mut write = s.app.store.write().await.unwrap();
    write.add_outside_identity("https://issuer.example", "sub", sam, s.app.now()).await.unwrap();
    write.commit(&s.app.keys.ledger).await.unwrap();
    let begun = links::take(&s.app, &link, "test").await.unwrap().0.secret;
    assert_eq!(s.get("/home", &session).await.status, 303, "no session is left");
    assert_eq!(s.ask("GET", "/api/v1/me", &token, &[], "").await.status, 401, "no token");
    let cookies = format!("__Host-stead-place={place}");
    let halfway = s.send("POST", "/sign-in/code", &cookies, &format!("code={}", recovery[0])).await;
    assert!(halfway.session().is_empty(), "no half of a sign-in");
    assert_eq!(s.send("POST", "/sign-in/password", "", form).await.status, 422, "no password");
    assert!(s.app.store.authenticator(sam).await.unwrap().is_none(), "no second factor");
    assert!(s.app.store.outside_identities(sam).await.unwrap().is_empty(), "no account elsewhere");
    assert_eq!(s.get("/home", &begun).await.status, 200, "but the one that it makes");
    s.is_whole().await;
}

/// ASVS 7.2.4: whoever signed in again left the session that their browser had open behind them.
#[tokio::test]
async fn signing_in_again_ends_the_session_that_the_browser_had() {
    let s = TestServer::start().await;
    let sam = s.person("Sam Sample", UnitId::ORGANISATION).await;
    let toni = s.person("Toni", UnitId::ORGANISATION).await;
    let first = s.sign_in(sam).await;
    let first = s.post("/me/ways/password", &first, "password=four+wet+otters+hum+at+noon").await.session();
    let elsewhere = s.sign_in(sam).await;
    let form = "email=sam.sample@stead.example&password=four+wet+otters+hum+at+noon";
    let cookies = format!("__Host-stead={first}");
    let wrong =
        s.send("POST", "/sign-in/password", &cookies, "email=sam.sample@stead.example&password=x").await;
    assert_eq!(wrong.status, 422);
    assert_eq!(s.get("/home", &first).await.status, 200, "a wrong guess ends nothing");
    let second = s.send("POST", "/sign-in/password", &cookies, form).await.session();
    assert!(!second.is_empty() && second != first);
    assert_eq!(s.get("/home", &first).await.status, 303, "the one before has ended");
    assert_eq!(s.get("/home", &second).await.status, 200);
    // By a link as well, and whoever it is for.
    let link = links::make(&s.app, toni, LinkKind::SignIn, "test").await.unwrap();
    let third =
        s.send("POST", &format!("/join/{link}"), &format!("__Host-stead={second}"), "").await.session();
    assert_eq!(s.get("/home", &second).await.status, 303);
    assert_eq!(s.get("/home", &third).await.status, 200);
    assert_eq!(s.get("/home", &elsewhere).await.status, 200, "other browsers keep theirs");
    s.is_whole().await;
}

/// S31: one person wrote and approved a policy, by a second account of their own making or by a token.
#[tokio::test(flavor = "multi_thread")]
async fn s31_two_people_are_two_different_people() {
    let s = TestServer::start().await;
    let all = UnitId::ORGANISATION;
    let by = |person: PersonId| format!("person:{person}");
    let oskar = s.person("Oskar", all).await;
    for role in [Role::Operator, Role::Coordinator] {
        s.give(oskar, role, all).await;
    }
    let puppet = s.person("Puppet", all).await;
    roles::give(&s.app, puppet, Role::Security, all, &by(oskar)).await.unwrap();
    let (vera, _) = trusted(&s, "Vera", Role::Security, all).await;
    let proposal = propose(&s, oskar, 6).await;
    let approve = async |person: PersonId, proposal| publish::approve(&s.app, person, proposal, 1).await;
    assert!(approve(puppet, proposal).await.is_err(), "the author gave the role");
    // Let in as somebody whose role is another's gift: the link is the author's.
    links::make(&s.app, vera, LinkKind::Reset, &by(oskar)).await.unwrap();
    assert!(approve(vera, proposal).await.is_err(), "the author made the way in");
    // Whoever changes by which address another signs in elsewhere may sign in as them.
    let (wim, _) = trusted(&s, "Wim", Role::Security, all).await;
    let told = Told { email: "wim2@stead.example".to_owned(), ..of(&s.app, wim).await };
    directory::change(&s.app, wim, &told, &by(oskar)).await.unwrap();
    assert!(approve(wim, proposal).await.is_err(), "the author changed the address");
    let (token, path) =
        (s.token(vera, &["read", "system"]).await, format!("/api/v1/policy/proposals/{proposal}/approval"));
    let by_program = s.ask("POST", &path, &token, &[], r#"{"revision":1}"#).await;
    assert_eq!(by_program.status, 403, "{}", by_program.body);
    // The other way around: the puppet writes, and whoever made it approves.
    let theirs = propose(&s, puppet, 7).await;
    assert!(approve(oskar, theirs).await.is_err());
    s.pass(8 * DAY);
    // What was given on the eighth day has not settled, whoever gave it.
    let (new, _) = trusted(&s, "Nora", Role::Security, all).await;
    assert!(approve(new, proposal).await.is_err());
    approve(vera, proposal).await.unwrap();
    s.is_whole().await;
}

/// A proposal of the policy in force under another number.
async fn propose(s: &TestServer, by: PersonId, number: u32) -> stead_model::RecordId {
    let mut files = stead_policy::shipped::remote_work();
    let manifest = files["pack.toml"].replace("version = 5", &format!("version = {number}"));
    files.insert("pack.toml".to_owned(), manifest);
    publish::propose(&s.app, by, &files, "Another number.", None).await.unwrap()
}

/// S7: strangers could send twelve megabytes to every form, and each was read before anything else.
#[tokio::test]
async fn s7_each_route_takes_as_much_as_it_needs() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    let session = s.sign_in(person).await;
    let filler = |bytes: usize| format!("email=a&password={}", "x".repeat(bytes));
    assert_eq!(s.post("/sign-in/password", "", &filler(1000)).await.status, 422);
    for bytes in [17 * 1024, 60 * 1024, 300 * 1024, 11 * 1024 * 1024] {
        let reply = s.post("/sign-in/password", "", &filler(bytes)).await;
        assert_eq!(reply.status, 413, "{bytes}");
        assert!(reply.body.contains("16 KiB"), "it says how much: {}", reply.body);
    }
    // What needs a session is not read from those who have none.
    assert_eq!(s.post("/people/import", "", &filler(11 * 1024 * 1024)).await.status, 303);
    assert_eq!(s.post("/me/notices", &session, &filler(65 * 1024)).await.status, 413);
    let (routes, mut large) = (stead_server::serve::routes(&s.app).done().1, Vec::new());
    for route in routes {
        use stead_server::auth::guard::Need;
        if matches!(route.need, Need::Nothing | Need::Seal) && !route.path.starts_with("/api/") {
            assert!(route.largest <= 16 * 1024, "{}", route.path);
        }
        if route.largest > 256 * 1024 {
            large.push(route.path);
        }
    }
    large.sort_unstable();
    let drafts = [
        "/policy/drafts/{proposal}/catch-up",
        "/policy/drafts/{proposal}/check",
        "/policy/drafts/{proposal}/file",
    ];
    assert_eq!(large, [&["/people/import", "/people/import/preview"][..], &drafts[..]].concat());
    s.is_whole().await;
}

/// S20, F31: a NUL was an outage on one database and a character on the other.
#[tokio::test]
async fn s20_f31_no_text_with_a_nul_comes_in() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    s.give(person, Role::Coordinator, UnitId::ORGANISATION).await;
    let session = s.sign_in(person).await;
    for path in [
        "/people?q=%00",
        "/search?q=a%00b",
        "/people?after=%00",
        "/devices?q=%00",
        "/join/%00",
        "/rules/a%00",
    ] {
        assert_eq!(s.get(path, &session).await.status, 400, "{path}");
    }
    for path in ["/api/v1/people?words=%00", "/api/v1/search?words=%00", "/api/v1/people/%00"] {
        let reply = s.get(path, &session).await;
        assert!(reply.status == 400 && reply.body.contains("NUL"), "{path}: {}", reply.body);
    }
    for form in ["email=a%00b&password=x", "email=a\0b&password=x", "%00"] {
        assert_eq!(s.post("/sign-in/password", "", form).await.status, 400, "{form:?}");
    }
    let token = s.token(person, &["read", "people", "units"]).await;
    for body in [r#"{"name":"a\u0000b","email":"n@stead.example"}"#, "{\"name\":\"a\0b\"}"] {
        let reply = s.ask("POST", "/api/v1/people", &token, &[("stead-purpose", "review")], body).await;
        assert_eq!(reply.status, 400, "{}", reply.body);
    }
    let written = r#"{"name":"a\\u0000b","email":"n@stead.example"}"#;
    let reply = s.ask("POST", "/api/v1/people", &token, &[("stead-purpose", "review")], written).await;
    assert_eq!(reply.status, 201, "the letters are letters: {}", reply.body);
    s.is_whole().await;
}

/// S23: a device's name was a formula where semicolons part cells.
#[test]
fn s23_no_cell_is_a_formula_whatever_parts_cells() {
    let names = [
        "pc;=1+1;-2",
        "=1",
        " =1",
        "\t=1",
        "a\t=1",
        "a\n=1",
        "a;\u{200b}=1",
        "a; =1",
        "＝1",
        "a;＠x",
        "@x",
        "a|=1",
        "+1",
        "a,=HYPERLINK(\"x\")",
        "\";=1+1;\"",
        "a;;-1",
    ];
    for name in names {
        let mut file = stead_server::reports::spreadsheet();
        file.write_record([stead_server::reports::plain("Ana"), stead_server::reports::plain(name)]).unwrap();
        let text = String::from_utf8(file.into_inner().unwrap()).unwrap();
        // As readers of several countries take it apart, with quotation marks and without.
        for part in [b',', b';', b'\t', b'|'] {
            for quoting in [true, false] {
                let reader = csv::ReaderBuilder::new()
                    .delimiter(part)
                    .quoting(quoting)
                    .flexible(true)
                    .has_headers(false)
                    .from_reader(text.as_bytes());
                for cell in reader
                    .into_records()
                    .flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
                {
                    let seen =
                        cell.trim_start_matches(|c: char| c.is_whitespace() || c == '"' || c == '\u{200b}');
                    assert!(
                        !seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']),
                        "{name:?}: {cell:?}"
                    );
                }
            }
        }
    }
    assert_eq!(
        stead_server::reports::plain("Ana-Lima a - b 1;2"),
        "Ana-Lima a - b 1;2",
        "words stay as they are"
    );
}

/// S26: whoever knew a device's id heard whether it was revoked.
#[tokio::test]
async fn s26_a_forged_question_tells_nothing_of_a_device() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    let (good, revoked) = (s.device(person, 1).await, s.device(person, 2).await);
    stead_server::flows::revoke::revoke(&s.app, revoked, "test").await.unwrap();
    let forger = stead_model::seal::SigningKey::from_seed(&zeroize::Zeroizing::new([9; 32])).unwrap();
    let mut said = Vec::new();
    for device in [good, revoked] {
        let asked = serde_json::json!({ "v": 1, "device": device, "at": s.app.now().0 }).to_string();
        for (kind, sealed_as) in [
            ("notices", stead_model::message::NOTICES_ASKED),
            ("tunnels", stead_model::tunnel::TUNNEL_ASKED),
            ("check-ins", stead_model::message::HEARTBEAT),
        ] {
            let sealed = forger.seal(sealed_as, asked.as_bytes(), &device.to_string());
            let body = serde_json::to_string(&sealed).unwrap();
            let path = format!("/api/v1/{kind}");
            let reply = s.send_with("POST", &path, &[("content-type", "application/json")], &body).await;
            let json = reply.json();
            said.push((kind, reply.status, json["type"].clone(), json["detail"].clone()));
        }
    }
    let (of_good, of_revoked) = said.split_at(3);
    assert_eq!(of_good, of_revoked);
    s.is_whole().await;
}

/// S27: what a device says was taken whatever it was.
#[tokio::test]
async fn s27_what_a_device_says_is_of_its_type_and_once() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    let mut device = s.sim_device(person, 1).await;
    let good = good_facts_at(s.app.now());
    let answered = async |device: &mut stead_testkit::SimDevice, facts: &stead_model::Facts| {
        let report = device.report(facts, s.app.now());
        let answer = check_in::check_in(&s.app, &text(&report)).await.unwrap();
        let key = stead_model::seal::VerifyingKey::from_text(&device.answer_key).unwrap();
        let opened = answer.open(stead_model::message::ANSWER, &key).unwrap();
        serde_json::from_slice::<stead_model::message::Answer>(opened.bytes()).unwrap()
    };
    assert_eq!(answered(&mut device, &good).await.standing, stead_model::Standing::Good);
    let to_come = s.app.now().plus(DAY).0;
    for (name, value) in [
        ("device.updates.checked_at", serde_json::json!(to_come)),
        ("device.updates.checked_at", serde_json::json!(i64::MAX)),
        ("device.updates.checked_at", serde_json::json!("today")),
        ("device.clock.synchronised", serde_json::json!("yes")),
        ("device.clock.synchronised", serde_json::json!(1)),
        ("device.updates.security_pending", serde_json::json!(-1)),
        ("device.updates.security_pending", serde_json::json!(true)),
        ("device.volumes", serde_json::json!([{ "mount": "/", "encrypted": "yes", "how": "luks" }])),
        (
            "device.volumes",
            serde_json::json!([{ "mount": "/", "encrypted": true, "how": "luks", "more": 1 }]),
        ),
        ("device.volumes", serde_json::json!(true)),
    ] {
        let mut facts = serde_json::to_value(&good).unwrap();
        facts[name] = serde_json::json!({ "value": value, "origin": "test" });
        let facts: stead_model::Facts = serde_json::from_value(facts).unwrap();
        let findings = answered(&mut device, &facts).await.findings.unwrap();
        let unknown = |finding: &&stead_model::Finding| {
            finding.outcome == stead_model::Outcome::Unknown && finding.observed.contains("the device sent")
        };
        assert!(findings.iter().any(|finding| unknown(&finding)), "{name}: {value}");
    }
    // One fact twice: readers would choose differently.
    let twice = "{\"device.kind\":{\"value\":\"phone\",\"origin\":\"test\"},";
    let facts = serde_json::to_string(&good).unwrap().replacen('{', twice, 1);
    let report = serde_json::json!({
        "v": stead_model::message::VERSION, "device": device.id, "seq": 99, "at": s.app.now().0, "agent": "test", "read_at": {},
    });
    let payload = report.to_string().replacen('{', &format!("{{\"facts\":{facts},"), 1);
    let report = device.seal(stead_model::message::REPORT, payload.as_bytes());
    let refused = check_in::check_in(&s.app, &text(&report)).await.unwrap_err();
    assert_eq!(refused.problem(&stead_server::words::Words::english()).status, 400);
    s.is_whole().await;
}

/// S27: a report that waited was kept as if it had come when its device's clock said, 1970 for one.
#[tokio::test]
async fn s27_a_report_that_waited_came_when_it_came() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    let mut device = s.sim_device(person, 1).await;
    let good = good_facts_at(s.app.now());
    let first = device.report(&good, s.app.now());
    check_in::check_in(&s.app, &text(&first)).await.unwrap();
    let enrolled = s.app.now();
    s.pass(DAY);
    for at in [Millis(0), Millis(i64::MIN), enrolled.plus(-30 * DAY), enrolled.plus(HOUR)] {
        let mut facts = good.clone();
        facts.insert("device.kind".to_owned(), stead_model::Fact::known(at.0.to_string(), "test"));
        let waited = device.report(&facts, at);
        let delivery = device.deliver(waited, s.app.now());
        check_in::check_in(&s.app, &text(&delivery)).await.unwrap();
        let kept = s.app.store.report(device.id).await.unwrap().unwrap();
        assert_eq!(kept.received_at, s.app.now(), "{at}");
        // No finding began before the report that came before this one.
        let findings = s.app.store.findings(device.id).await.unwrap();
        assert!(findings.iter().all(|finding| finding.since >= enrolled), "{at}");
        let seen = s.app.store.device(device.id).await.unwrap().unwrap().last_seen.unwrap();
        assert!((enrolled..=s.app.now()).contains(&seen), "{at}: {seen}");
    }
    s.is_whole().await;
}

/// S28: one device or one person could fill the ledger.
#[tokio::test]
async fn s28_each_device_and_person_has_an_allowance() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    let other = s.person("Ben", UnitId::ORGANISATION).await;
    let (mut device, mut honest) = (s.sim_device(person, 1).await, s.sim_device(other, 2).await);
    let good = good_facts_at(s.app.now());
    let mut refused = 0;
    for _ in 0..650 {
        let report = device.report(&good, s.app.now());
        if let Err(refusal) = check_in::check_in(&s.app, &text(&report)).await {
            assert_eq!(refusal.problem(&stead_server::words::Words::english()).status, 429);
            refused += 1;
        }
    }
    assert!(refused >= 50, "{refused}");
    let report = honest.report(&good, s.app.now());
    check_in::check_in(&s.app, &text(&report)).await.unwrap();
    s.pass(MINUTE);
    let report = device.report(&good, s.app.now());
    check_in::check_in(&s.app, &text(&report)).await.unwrap();

    let session = s.sign_in(person).await;
    let mut told = 0;
    for n in 0..40 {
        let form = format!("what=phone&label=phone+{n}");
        told += usize::from(s.post("/lost", &session, &form).await.status == 303);
    }
    assert!((1..=20).contains(&told), "{told}");
    s.is_whole().await;
}

/// S28: enrollment codes could be guessed at without a limit.
#[tokio::test]
async fn s28_guesses_at_enrollment_codes_are_slowed_by_address() {
    let s = TestServer::start_with(Config { behind_proxy: true, ..Config::default() }).await;
    let guess = async |address: &str| {
        let headers = [("content-type", "application/json"), ("x-forwarded-for", address)];
        s.send_with("POST", "/api/v1/enrolments", &headers, "{}").await.status
    };
    for _ in 0..100 {
        assert_eq!(guess("203.0.113.9").await, 400);
    }
    assert_eq!(guess("203.0.113.9").await, 429);
    assert_eq!(guess("203.0.113.10").await, 400, "another address has its own");
    s.is_whole().await;
}

/// S6: one IPv4 address used up what all of them had. S16, F16: what a proxy wrote in another form was read as no address,
/// and had no limit at all.
#[tokio::test]
async fn s6_s16_f16_every_form_of_an_address_is_that_address() {
    let s = TestServer::start_with(Config { behind_proxy: true, ..Config::default() }).await;
    let guess = async |address: Option<&str>| {
        let json = ("content-type", "application/json");
        let headers = match address {
            Some(address) => vec![json, ("x-forwarded-for", address)],
            None => vec![json],
        };
        s.send_with("POST", "/api/v1/enrolments", &headers, "{}").await.status
    };
    let one =
        ["203.0.113.7", "::ffff:203.0.113.7", "203.0.113.7:51234", "[::ffff:cb00:7107]", "\"203.0.113.7\""];
    for n in 0..100 {
        assert_eq!(guess(Some(one[n % one.len()])).await, 400, "{n}");
    }
    for form in one {
        assert_eq!(guess(Some(form)).await, 429, "{form}");
        assert_eq!(
            guess(Some(&format!("198.51.100.1, {form}"))).await,
            429,
            "what others said before doesn't count"
        );
    }
    for other in ["203.0.113.8", "::ffff:203.0.113.8", "[2001:db8::1]:443", "2001:db8:0:1::1", "::1"] {
        assert_eq!(guess(Some(other)).await, 400, "{other}");
    }
    // Of whom nothing readable is said share one allowance.
    let nobody = [None, Some("unknown"), Some(""), Some("_hidden"), Some("1.2.3"), Some("203.0.113.9, ")];
    for n in 0..100 {
        assert_eq!(guess(nobody[n % nobody.len()]).await, 400, "{n}");
    }
    for form in nobody {
        assert_eq!(guess(form).await, 429, "{form:?}");
    }
    s.is_whole().await;
}

/// S30: words that show nothing were words, and a name could turn a page around.
#[tokio::test]
async fn s30_what_shows_nothing_says_nothing() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    let coordinator = s.person("Cleo", UnitId::ORGANISATION).await;
    s.give(coordinator, Role::Coordinator, UnitId::ORGANISATION).await;
    let session = s.sign_in(coordinator).await;
    for words in [
        "\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}",
        "     ",
        ".....",
        "\u{2028}\u{2028}\u{2028}\u{2028}\u{2028}",
    ] {
        let form = [("purpose", "other"), ("words", words)];
        assert_eq!(
            s.post_form(&format!("/people/{person}/look"), &form, &session).await.status,
            422,
            "{words:?}"
        );
    }
    let form = [("purpose", "other"), ("words", "A call about leave")];
    assert_eq!(s.post_form(&format!("/people/{person}/look"), &form, &session).await.status, 303);
    // What a device shows of itself moves no cursor.
    let mut device = s.sim_device(person, 1).await;
    let mut facts = good_facts_at(s.app.now());
    facts.insert(
        "device.os.name".to_owned(),
        stead_model::Fact::known("Li\u{1b}[2Jnux\u{202e}", "te\u{1b}st"),
    );
    let report = device.report(&facts, s.app.now());
    check_in::check_in(&s.app, &text(&report)).await.unwrap();
    for path in ["/me", "/home"] {
        let page = s.get(path, &s.sign_in(person).await).await.body;
        assert!(!page.contains('\u{1b}') && !page.contains('\u{202e}'), "{path}");
    }
    s.is_whole().await;
}

/// S8: the preview of a large file held up every change, and never ended.
#[tokio::test(flavor = "multi_thread")]
async fn s8_a_large_file_of_people_keeps_nobody_waiting() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    let mut device = s.sim_device(person, 1).await;
    let mut file = "name,email,unit,manager\n".to_owned();
    for n in 0..20_000 {
        file.push_str(&format!(
            "Person {n},p{n}@stead.example,Unit {} / Team {},p0@stead.example\n",
            n % 9,
            n % 40
        ));
    }
    // While somebody writes, the preview goes on: it asks nothing of the writer.
    let held = s.app.store.write().await.unwrap();
    let preview = directory::import::preview(&s.app, &file).await.unwrap();
    assert_eq!((preview.adds(), preview.wrong()), (19_999, 1), "nobody answers for themselves");
    drop(held);
    // One at a time, and devices are heard meanwhile.
    let app = Arc::clone(&s.app);
    let (text_of, digest) = (file.clone(), preview.digest.clone());
    let taking = tokio::spawn(async move {
        let some: String = text_of.lines().take(2001).map(|line| format!("{line}\n")).collect();
        let preview = directory::import::preview(&app, &some).await.unwrap();
        directory::import::take(&app, &some, &preview.digest, "test").await.unwrap()
    });
    let mut heard = 0;
    while !taking.is_finished() {
        let report = device.report(&good_facts_at(s.app.now()), s.app.now());
        check_in::check_in(&s.app, &text(&report)).await.unwrap();
        heard += 1;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let done = taking.await.unwrap();
    assert!(heard > 2, "{heard}");
    assert_eq!(done.adds(), 2000 - done.wrong());
    let refused = directory::import::take(&s.app, &file, &digest, "test").await;
    assert!(refused.is_err(), "it does something else than the preview said");
    s.is_whole().await;
}

/// S8: what a preview says is what taking the file does, whatever the file holds.
#[tokio::test(flavor = "multi_thread")]
async fn s8_a_preview_says_what_taking_does() {
    let s = TestServer::start().await;
    let mut random = 7u64;
    let mut next = move |most: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % most
    };
    for round in 0..30 {
        let mut file = if round % 2 == 0 {
            "name,email,staff_number,unit,manager\n"
        } else {
            "name,email,unit,manager\n"
        }
        .to_owned();
        for _ in 0..40 {
            let email = match next(12) {
                0 => String::new(),
                1 => "no address".to_owned(),
                n => format!("P{}@stead.example", next(25) + n % 2),
            };
            let name = if next(15) == 0 { String::new() } else { format!("Person {}", next(30)) };
            let number = if round % 2 == 0 {
                format!("{},", ["", "1", "2", "3", "4"][next(5) as usize])
            } else {
                String::new()
            };
            let unit = ["", "One", "One / Two", "one/two", "Three / / Four", "x/"][next(6) as usize];
            let manager =
                ["", "p1@stead.example", "P2@stead.example", "nobody@stead.example"][next(4) as usize];
            file.push_str(&format!("{name},{email},{number}{unit},{manager}\n"));
        }
        let preview = directory::import::preview(&s.app, &file).await.unwrap();
        let Ok(done) = directory::import::take(&s.app, &file, &preview.digest, "test").await else {
            assert_eq!(preview.adds() + preview.changes(), 0, "{file}");
            continue;
        };
        let does = |preview: &directory::import::Preview| -> Vec<String> {
            preview.rows.iter().map(|row| format!("{} {:?}", row.line, row.does)).collect()
        };
        assert_eq!(does(&done), does(&preview), "{file}");
        // Once more it does nothing but say what cannot be taken.
        let again = directory::import::preview(&s.app, &file).await.unwrap();
        assert_eq!(again.adds(), 0, "{file}");
    }
    s.is_whole().await;
}

/// F5: a report in an envelope that was written with other spaces was called false, and its device a copy of itself.
#[tokio::test]
async fn f5_a_report_is_what_was_signed_however_it_is_written() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    let mut device = s.sim_device(person, 1).await;
    let mut facts = good_facts_at(s.app.now());
    facts.insert("device.clock.synchronised".to_owned(), stead_model::Fact::known(false, "test"));
    let report = device.report(&facts, s.app.now());
    let pretty = serde_json::to_string_pretty(&report).unwrap();
    check_in::check_in(&s.app, &pretty).await.unwrap();
    let mut turned: serde_json::Value = serde_json::from_str(&pretty).unwrap();
    turned["extra"] = serde_json::json!(true);
    for again in [text(&report), turned.to_string(), pretty] {
        check_in::check_in(&s.app, &again).await.unwrap();
    }
    let stored = s.app.store.device(device.id).await.unwrap().unwrap();
    let bundle = stead_server::bundle::of_report(&s.app, &stored, None).await.unwrap().unwrap();
    let stead_server::bundle::Bundle::Report { public_key, digest, envelope, ledger, .. } = bundle else {
        unreachable!()
    };
    let key = stead_model::seal::VerifyingKey::from_text(&public_key).unwrap();
    let written = serde_json::to_string(&envelope).unwrap();
    assert!(stead_server::bundle::is_sealed(&envelope, &key, &digest, &written));
    let evidence = ledger.unwrap();
    let signed = stead_server::bundle::signed(&evidence.log, s.app.keys.ledger.public(), None).unwrap();
    let found =
        stead_server::bundle::is_the_devices(&evidence, &signed, (&public_key, &digest, &envelope)).unwrap();
    assert!(found == device.id && evidence.named.is_some());
    s.is_whole().await;
}

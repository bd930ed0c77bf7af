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
                let told =
                    Told { manager: Some(person), ..of(&s, s.person(&format!("Bob {n}"), two).await).await };
                let bob = s.app.store.person_by_email(&told.email).await.unwrap().unwrap().id;
                directory::change(&s.app, bob, &told, "test").await.unwrap();
            }
            "moved" => {
                let told = Told { unit: Some(two), ..of(&s, person).await };
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
}

/// What the directory is told to leave somebody as they are.
async fn of(s: &TestServer, person: PersonId) -> Told {
    let person = s.app.store.person(person).await.unwrap().unwrap();
    Told {
        name: person.name,
        email: person.email.unwrap_or_default(),
        staff_number: person.staff_number.unwrap_or_default(),
        unit: Some(person.unit),
        manager: person.manager,
    }
}

/// S4: whoever may not let in who is trusted does not put them out either, by page or by program.
#[tokio::test]
async fn s4_who_is_trusted_is_put_out_by_nobody_who_may_not_let_them_in() {
    let s = TestServer::start().await;
    let all = UnitId::ORGANISATION;
    let (cleo, session) = trusted(&s, "Cleo", Role::Coordinator, all).await;
    let token = s.token(cleo, &["read", "people"]).await;
    let lead = s.person("Lead", all).await;
    let told = Told { manager: Some(lead), ..of(&s, s.person("Bob", all).await).await };
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
    let told = Told { manager: Some(lead), ..of(&s, s.person("Bob", two).await).await };
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
    let told = Told { staff_number: "7".to_owned(), ..of(&s, gil).await };
    directory::change(&s.app, gil, &told, "test").await.unwrap();
    assert_eq!(directory::import::preview(&s.app, &file).await.unwrap().wrong(), 1);
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
}

/// A proposal of the policy in force under another number.
async fn propose(s: &TestServer, by: PersonId, number: u32) -> stead_model::RecordId {
    let mut files = stead_policy::shipped::remote_work();
    let manifest = files["pack.toml"].replace("version = 5", &format!("version = {number}"));
    files.insert("pack.toml".to_owned(), manifest);
    publish::propose(&s.app, by, &files, "Another number.", None).await.unwrap()
}

//! The classes of faults that products like this one had (C1 to C18), each tried here by its number. C9, C15, and C18's
//! changes at rest are in `stead-e2e`, which runs the programs; C16 is about programs that replace themselves, and none of
//! ours does.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, header},
};
use stead_ledger::{Checkpoint, tree};
use stead_model::{
    DeviceId, Employment, PersonId, Role, UnitId,
    time::{DAY, HOUR, MINUTE},
};
use stead_server::{
    App, Config,
    auth::guard::Need,
    flows::{
        check_in,
        directory::{self, Told},
        enrol,
        policy::own_terms,
        sign_in::{self, authenticator, links, password},
    },
    serve,
    source::{Clock, Randomness, SystemRandomness},
};
use stead_store::session::LinkKind;
use stead_testkit::{
    SimDevice,
    device::{good_facts_at, text},
};
use support::{Hands, Reply, TestServer};
use tower::ServiceExt;

/// Two units, and in each somebody with a device; a coordinator of the second.
struct World {
    s: TestServer,
    own: PersonId,
    own_device: DeviceId,
    other: PersonId,
    a: UnitId,
    b: UnitId,
    coordinator: String,
    manager: String,
}

impl World {
    async fn make() -> Self {
        let s = TestServer::start().await;
        let (a, b) = (s.unit("A", UnitId::ORGANISATION).await, s.unit("B", UnitId::ORGANISATION).await);
        let (own, other) = (s.person("Own", a).await, s.person("Other", b).await);
        let own_device = s.device(own, 1).await;
        s.device(other, 2).await;
        let mut sessions = Vec::new();
        for (name, role) in [("Cleo", Role::Coordinator), ("Max", Role::Manager)] {
            let person = s.person(name, b).await;
            s.give(person, role, b).await;
            sessions.push(s.sign_in(person).await);
        }
        let (manager, coordinator) = (sessions.pop().unwrap(), sessions.pop().unwrap());
        Self { s, own, own_device, other, a, b, coordinator, manager }
    }

    /// Asks the API with somebody's session.
    async fn ask(&self, session: &str, method: &str, path: &str, body: &str) -> Reply {
        let cookie = support::cookie(session);
        let headers =
            [("cookie", cookie.as_str()), ("content-type", "application/json"), ("stead-purpose", "review")];
        self.s.send_with(method, path, &headers, body).await
    }

    /// How many entries there are, but of looking at records: that is written down even where a change is refused.
    async fn size(&self) -> u64 {
        let store = &self.s.app.store;
        store.ledger_head().await.unwrap().size - store.ledger_count("person.looked-at").await.unwrap()
    }
}

/// C1: an id in a query, a body, or one element among many reaches nothing that the path's own id wouldn't.
#[tokio::test(flavor = "multi_thread")]
async fn c1_no_id_in_query_body_or_batch_reaches_another_unit() {
    let w = World::make().await;
    let (a, b, own, other, device) = (w.a, w.b, w.own, w.other, w.own_device);
    let all = UnitId::ORGANISATION;
    let coordinator = w.s.person("Dora", all).await;
    w.s.give(coordinator, Role::Coordinator, all).await;
    let term = own_terms::bind(&w.s.app, coordinator, own, "own-quick-lock", "As agreed.").await.unwrap();
    let until = w.s.app.now().plus(10 * DAY).0;
    let said = "\"reason\":\"There is a reason.\",\"instead\":\"Something else.\"";
    let cases: Vec<(&str, String, String)> = vec![
        ("GET", format!("/api/v1/people?unit={a}"), String::new()),
        ("GET", format!("/api/v1/people?unit={b}&unit={a}"), String::new()),
        ("GET", format!("/api/v1/people?%75nit={a}"), String::new()),
        ("GET", format!("/api/v1/team?unit={a}"), String::new()),
        ("POST", format!("/api/v1/people?unit={a}"), r#"{"name":"New"}"#.to_owned()),
        ("POST", format!("/api/v1/people?unit={b}"), format!(r#"{{"name":"New","unit":"{a}"}}"#)),
        ("POST", format!("/api/v1/people?unit={b}"), format!(r#"{{"name":"New","manager":"{own}"}}"#)),
        ("PATCH", format!("/api/v1/people/{other}"), format!(r#"{{"unit":"{a}"}}"#)),
        ("PATCH", format!("/api/v1/people/{other}"), format!(r#"{{"manager":"{own}"}}"#)),
        ("POST", format!("/api/v1/people/{other}/returns"), format!(r#"{{"object":"{device}"}}"#)),
        (
            "POST",
            format!("/api/v1/people/{other}/exceptions"),
            format!(r#"{{"rule":"disk-encrypted","device":"{device}",{said},"until":{until}}}"#),
        ),
        (
            "POST",
            format!("/api/v1/people/{other}/losses"),
            format!(r#"{{"thing":"computer","device":"{device}"}}"#),
        ),
        ("DELETE", format!("/api/v1/people/{other}/terms/{term}"), String::new()),
        (
            "POST",
            format!("/api/v1/team/attestations?unit={b}"),
            format!(
                r#"{{"answers":[{{"person":"{other}","answer":"yes"}},{{"person":"{own}","answer":"yes"}}]}}"#
            ),
        ),
        ("POST", format!("/api/v1/team/attestations?unit={b}"), r#"{"answers":[]}"#.to_owned()),
    ];
    for session in [&w.coordinator, &w.manager] {
        for (method, path, body) in &cases {
            let before = w.size().await;
            let reply = w.ask(session, method, path, body).await;
            let harmless = *method == "GET" && reply.status == 200 && !reply.body.contains(&own.to_string());
            assert!(
                (400..500).contains(&reply.status) || harmless,
                "{method} {path}: {} {}",
                reply.status,
                reply.body
            );
            assert_eq!(w.size().await, before, "{method} {path}");
        }
    }
    let stored = w.s.app.store.device(device).await.unwrap().unwrap();
    assert!(stored.lost_at.is_none() && stored.revoked_at.is_none());
    // A form says the unit in another field.
    let form = [("name", "New"), ("in_unit", &a.to_string())];
    let reply = w.s.post_form(&format!("/people/new?unit={b}"), &form, &w.coordinator).await;
    assert_eq!(reply.status, 422);
    w.s.is_whole().await;
}

/// C2: no field that isn't to be written is written, and an empty set of changes is no permission.
#[tokio::test(flavor = "multi_thread")]
async fn c2_no_field_or_empty_set_gives_a_power() {
    let w = World::make().await;
    let (own, other) = (w.own, w.other);
    let session = w.s.sign_in(own).await;
    let before = (w.s.app.store.person(own).await.unwrap(), w.s.app.store.person(other).await.unwrap());
    let size = w.size().await;
    for field in ["name", "email", "staff_number", "unit", "manager"] {
        let body = format!(r#"{{"{field}":"{}"}}"#, w.b);
        assert_eq!(
            w.ask(&session, "PATCH", &format!("/api/v1/people/{own}"), &body).await.status,
            403,
            "{field}"
        );
    }
    for field in [
        "id",
        "state",
        "role",
        "roles",
        "trusted",
        "version",
        "language",
        "zone",
        "last_day",
        "salt",
        "created_at",
    ] {
        for value in ["\"operator\"", "[]", "null", "1"] {
            let body = format!(r#"{{"{field}":{value}}}"#);
            let reply = w.ask(&w.coordinator, "PATCH", &format!("/api/v1/people/{other}"), &body).await;
            assert_eq!(reply.status, 400, "{body}: {}", reply.body);
        }
    }
    let nothing = w.ask(&session, "PATCH", &format!("/api/v1/people/{own}"), "{}").await;
    assert_eq!(nothing.status, 403, "an empty set of changes is refused as any other");
    assert_eq!(w.ask(&session, "PATCH", "/api/v1/me", &format!(r#"{{"unit":"{}"}}"#, w.b)).await.status, 400);
    let token = r#"{"name":"x","scopes":[],"days":7}"#;
    assert!((400..500).contains(&w.ask(&session, "POST", "/api/v1/me/tokens", token).await.status));
    assert_eq!(w.size().await, size);
    let after = (w.s.app.store.person(own).await.unwrap(), w.s.app.store.person(other).await.unwrap());
    assert_eq!(before, after);
    assert!(w.s.app.store.grants(own).await.unwrap().is_empty());
    // Where it is decided who may do what, a kind that is added later is no kind that is let through.
    for source in [
        include_str!("../src/auth/mod.rs"),
        include_str!("../src/flows/mod.rs"),
        include_str!("../src/gate/mod.rs"),
    ] {
        assert!(source.contains("#![deny(clippy::wildcard_enum_match_arm)]"));
    }
}

/// C3: each state of a person and of a device allows what it allows, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn c3_each_state_allows_what_it_allows() {
    let s = TestServer::start().await;
    let all = UnitId::ORGANISATION;
    for (seed, state) in (10..).zip(Employment::ALL) {
        let person = s.person(&format!("P {}", state.word()), all).await;
        s.give(person, Role::Security, all).await;
        let session = s.sign_in(person).await;
        let token = s.token(person, &["read"]).await;
        let link = links::make(&s.app, person, LinkKind::SignIn, "test").await.unwrap();
        let code = enrol::give_code(&s.app, person, "organisation", HOUR, "test").await.unwrap();
        let day = Some(s.app.now().plus(DAY));
        match state {
            Employment::Active => {}
            Employment::OnLeave | Employment::Leaving | Employment::Gone => {
                directory::set_state(&s.app, person, state, day, "test").await.unwrap();
            }
            Employment::Invited => {
                directory::set_state(&s.app, person, Employment::Gone, None, "test").await.unwrap();
                directory::set_state(&s.app, person, state, None, "test").await.unwrap();
            }
        }
        let word = state.word();
        // Whoever has left comes back with nothing that they had.
        let kept = !matches!(state, Employment::Invited | Employment::Gone);
        assert_eq!(s.get("/home", &session).await.status == 200, kept, "{word}: session");
        let by_token = s.ask("GET", "/api/v1/me", &token, &[], "").await.status == 200;
        assert_eq!(by_token, kept, "{word}: token");
        assert_eq!(links::take(&s.app, &link, "test").await.is_ok(), kept, "{word}: link");
        let acts = s.get("/devices", &session).await.status == 200;
        assert_eq!(acts, state == Employment::Active, "{word}: role");
        let (_, envelope) = SimDevice::enrolment([seed; 32], &code, "laptop", s.app.now());
        assert_eq!(
            enrol::enrol(&s.app, &envelope).await.is_ok(),
            state == Employment::Active,
            "{word}: code"
        );
        for (kind, allowed) in [
            (LinkKind::SignIn, state.may_sign_in()),
            (LinkKind::Reset, state.may_sign_in()),
            (LinkKind::Invite, state.may_join()),
        ] {
            let made = links::make(&s.app, person, kind, "test").await.is_ok();
            assert_eq!(made, allowed, "{word}: a link to {}", kind.word());
        }
    }
    // A device that was revoked is answered nothing.
    let person = s.person("Dev", all).await;
    let mut device = s.sim_device(person, 60).await;
    stead_server::flows::revoke::revoke(&s.app, device.id, "test").await.unwrap();
    let asked = serde_json::json!({ "v": 1, "device": device.id, "at": s.app.now().0 }).to_string();
    for (path, kind) in
        [("notices", stead_model::message::NOTICES_ASKED), ("tunnels", stead_model::tunnel::TUNNEL_ASKED)]
    {
        let body = text(&device.seal(kind, asked.as_bytes()));
        let headers = [("content-type", "application/json")];
        assert_eq!(
            s.send_with("POST", &format!("/api/v1/{path}"), &headers, &body).await.status,
            403,
            "{path}"
        );
    }
    let report = device.report(&good_facts_at(s.app.now()), s.app.now());
    assert!(check_in::check_in(&s.app, &text(&report)).await.is_err());
    s.is_whole().await;
}

/// C5: whatever is to be sealed is refused without a seal, with an empty one, two, or another's, on every such route.
#[tokio::test(flavor = "multi_thread")]
async fn c5_no_route_takes_an_absent_empty_or_doubled_proof() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    let device = s.sim_device(person, 7).await;
    let forger = s.sim_device(s.person("Eve", UnitId::ORGANISATION).await, 8).await;
    let asked = serde_json::json!({ "v": 1, "device": device.id, "at": s.app.now().0 });
    let (_, routes) = serve::routes(&s.app).done();
    let sealed: Vec<_> = routes.iter().filter(|route| route.need == Need::Seal).collect();
    assert!(sealed.len() >= 8, "{}", sealed.len());
    let size = s.app.store.ledger_head().await.unwrap().size;
    for route in sealed.iter().filter(|route| route.path.starts_with("/api/") && route.method == "POST") {
        let good: serde_json::Value = serde_json::from_str(&text(
            &forger.seal(stead_model::message::NOTICES_ASKED, asked.to_string().as_bytes()),
        ))
        .unwrap();
        let changed = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut envelope = good.clone();
            change(&mut envelope);
            envelope.to_string()
        };
        let bodies = [
            String::new(),
            "{}".to_owned(),
            "null".to_owned(),
            "[]".to_owned(),
            asked.to_string(),
            good.to_string(),
            changed(&|envelope| envelope["signatures"] = serde_json::json!([])),
            changed(&|envelope| envelope["signatures"][0]["sig"] = "".into()),
            changed(&|envelope| envelope["signatures"][0]["keyid"] = "".into()),
            changed(&|envelope| {
                let one = envelope["signatures"][0].clone();
                envelope["signatures"].as_array_mut().unwrap().push(one);
            }),
            changed(&|envelope| envelope["payload"] = "".into()),
            good.to_string().replacen('{', &format!("{{\"payload\":{},", good["payload"]), 1),
        ];
        for body in bodies {
            let headers = [("content-type", "application/json")];
            let reply = s.send_with("POST", route.path, &headers, &body).await;
            assert!((400..500).contains(&reply.status), "{}: {} {body}", route.path, reply.status);
        }
    }
    assert_eq!(s.app.store.ledger_head().await.unwrap().size, size);
    for (headers, what) in [
        (vec![], "none"),
        (vec![("authorization", "")], "empty"),
        (vec![("authorization", "Bearer ")], "an empty secret"),
        (vec![("authorization", "Bearer x"), ("authorization", "Bearer y")], "two"),
    ] {
        let reply = s.send_with("GET", "/gate/tunnels/office/peers", &headers, "").await;
        assert!((400..500).contains(&reply.status), "{what}: {}", reply.status);
    }
}

/// C6: a code enrolls one device, in time, and takes over none.
#[tokio::test(flavor = "multi_thread")]
async fn c6_a_code_enrolls_one_device_in_time_and_takes_over_none() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    let device = s.device(person, 1).await;
    let before = s.app.store.device(device).await.unwrap().unwrap();
    let late = enrol::give_code(&s.app, person, "organisation", HOUR, "test").await.unwrap();
    s.pass(HOUR + 1);
    let (_, envelope) = SimDevice::enrolment([2; 32], &late, "laptop-2", s.app.now());
    let refused = enrol::enrol(&s.app, &envelope).await.unwrap_err();
    assert!(refused.problem(&stead_server::words::Words::english()).kind.ends_with("code-expired"));
    // The key of a device that is there makes no other of it.
    let code = enrol::give_code(&s.app, person, "organisation", HOUR, "test").await.unwrap();
    let (_, envelope) = SimDevice::enrolment([1; 32], &code, "laptop-1", s.app.now());
    assert!(enrol::enrol(&s.app, &envelope).await.is_err());
    // The same machine with a new key is another device, and says so; the one before stays as it was.
    let (_, envelope) = SimDevice::enrolment([3; 32], &code, "laptop-1", s.app.now());
    let envelope = Arc::new(envelope);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (app, envelope) = (Arc::clone(&s.app), Arc::clone(&envelope));
        all.spawn(async move { enrol::enrol(&app, &envelope).await.ok().map(|enrolled| enrolled.device) });
    }
    let enrolled: Vec<DeviceId> = all.join_all().await.into_iter().flatten().collect();
    assert_eq!(enrolled.len(), 1);
    let after = s.app.store.device(device).await.unwrap().unwrap();
    assert_eq!(
        (before.public_key, before.owner, before.revoked_at, before.person),
        (after.public_key, after.owner, after.revoked_at, after.person)
    );
    let entries =
        s.app.store.ledger_newest(Some(&format!("device:{}", enrolled[0])), u64::MAX >> 1, 5).await.unwrap();
    assert!(entries.iter().any(|entry| entry.text.contains(&device.to_string())), "it names the one before");
    s.is_whole().await;
}

/// Randomness that fails once, as a fault of ours would.
struct Fails(AtomicBool);

impl Randomness for Fails {
    #[expect(clippy::panic, reason = "the fault that is tried")]
    fn fill(&self, out: &mut [u8]) -> bool {
        if self.0.swap(false, Ordering::SeqCst) {
            panic!("a fault of ours");
        }
        SystemRandomness.fill(out)
    }
}

/// C7: a fault of ours costs one answer, and no message of a device costs more.
#[tokio::test(flavor = "multi_thread")]
async fn c7_a_panic_loses_one_answer() {
    let folder = tempfile::tempdir().unwrap();
    let hands = Arc::new(Hands(std::sync::atomic::AtomicI64::new(1_795_000_000_000)));
    let fails = Arc::new(Fails(AtomicBool::new(false)));
    let sources = (Arc::clone(&hands) as Arc<dyn Clock>, Arc::clone(&fails) as Arc<dyn Randomness>);
    let app = App::open(folder.path(), None, None, Config::default(), sources).await.unwrap();
    let router = serve::router(Arc::clone(&app));
    let ask = async || {
        let request = Request::post("/sign-in/passkey/ask").header(header::HOST, "localhost:8787");
        let request = request.header("sec-fetch-site", "same-origin").body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    };
    assert_eq!(ask().await.status(), 200);
    fails.0.store(true, Ordering::SeqCst);
    let broken = ask().await;
    assert_eq!(broken.status(), 500);
    for name in ["content-security-policy", "x-content-type-options"] {
        assert!(
            broken.headers().contains_key(name),
            "an answer about a fault is guarded as any other: {name}"
        );
    }
    assert_eq!(ask().await.status(), 200);

    // Two thousand changed messages: an honest device is answered all the while.
    let s = TestServer::start().await;
    let mut honest = s.sim_device(s.person("Ana", UnitId::ORGANISATION).await, 1).await;
    let mut mallory = s.sim_device(s.person("Eve", UnitId::ORGANISATION).await, 2).await;
    let headers = [("content-type", "application/json")];
    for n in 0..2000usize {
        let at = [i64::MIN, -1, 0, i64::MAX, s.app.now().0][n % 5];
        let late = mallory.report(&good_facts_at(s.app.now()), stead_model::Millis(at));
        let envelope = if n % 3 == 0 { mallory.deliver(late, stead_model::Millis(at)) } else { late };
        let mut body = text(&envelope).into_bytes();
        if n % 2 == 0 {
            let place = (n * 7919) % body.len();
            body[place] = body[place].wrapping_add(u8::try_from(n % 200).unwrap() + 1);
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        let path =
            ["check-ins", "notices", "tunnels", "certificates", "loss-reports", "farewells", "enrolments"]
                [n % 7];
        let reply = s.send_with("POST", &format!("/api/v1/{path}"), &headers, &body).await;
        assert!(reply.status < 500, "{path}: {}", reply.status);
        if n % 100 == 0 {
            let report = honest.report(&good_facts_at(s.app.now()), s.app.now());
            let reply = s.send_with("POST", "/api/v1/check-ins", &headers, &text(&report)).await;
            assert_eq!(reply.status, 200, "{}", reply.body);
        }
    }
}

/// C8: hostile text is text wherever it comes out.
#[tokio::test(flavor = "multi_thread")]
async fn c8_hostile_text_is_text_wherever_it_comes_out() {
    let s = TestServer::start().await;
    let all = UnitId::ORGANISATION;
    let hostile = "<script>x</script>\"'><img src=x onerror=y>{{7*7}}${jndi:x}';DROP TABLE device;--";
    let coordinator = s.person("Cleo", all).await;
    for role in [Role::Coordinator, Role::Security, Role::Operator] {
        s.give(coordinator, role, all).await;
    }
    let unit = s.unit("=cmd|x <b>bold", all).await;
    let told = Told {
        name: hostile.to_owned(),
        unit: Some(unit),
        staff_number: "=1+1".to_owned(),
        ..Told::default()
    };
    let person = directory::add(&s.app, &told, "test").await.unwrap();
    directory::set_state(&s.app, person, Employment::Active, None, "test").await.unwrap();
    let code = enrol::give_code(&s.app, person, "organisation", HOUR, "test").await.unwrap();
    let (_, envelope) = SimDevice::enrolment([5; 32], &code, hostile, s.app.now());
    let mut device = SimDevice::with_identity([5; 32], enrol::enrol(&s.app, &envelope).await.unwrap());
    let mut facts = good_facts_at(s.app.now());
    for name in ["device.os.name", "device.os.release", "device.firewall.by", "device.antivirus.product"] {
        facts.insert(name.to_owned(), stead_model::Fact::known(hostile, hostile));
    }
    let report = device.report(&facts, s.app.now());
    check_in::check_in(&s.app, &text(&report)).await.unwrap();
    let session = s.sign_in(coordinator).await;
    s.post(&format!("/people/{person}/look"), &session, "purpose=review").await;
    s.post(&format!("/people/{person}/terms"), &session, "").await;
    let own = s.sign_in(person).await;
    let mut seen = 0;
    let paths = [
        "/home".to_owned(),
        "/me".to_owned(),
        "/people".to_owned(),
        format!("/people/{person}"),
        "/devices".to_owned(),
        format!("/devices/{}", device.id),
        "/units".to_owned(),
        "/team".to_owned(),
        "/ledger".to_owned(),
        "/overview".to_owned(),
        "/search?q=script".to_owned(),
        "/me/notices".to_owned(),
        "/me/ways".to_owned(),
    ];
    for path in &paths {
        for session in [&session, &own] {
            let request = Request::get(path).header(header::HOST, "localhost:8787");
            let request = request.header("cookie", support::cookie(session)).body(Body::empty()).unwrap();
            let (parts, body) = s.router.clone().oneshot(request).await.unwrap().into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let body = String::from_utf8_lossy(&body);
            assert!(
                !body.contains("<script>x") && !body.contains("<img src=x") && !body.contains("<b>bold"),
                "{path}"
            );
            seen += usize::from(body.contains("DROP TABLE"));
            let policy = parts.headers["content-security-policy"].to_str().unwrap();
            assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
            assert_eq!(parts.headers["x-content-type-options"], "nosniff", "{path}");
        }
    }
    assert!(seen >= 5, "the text came out as text: {seen}");
    s.is_whole().await;
}

/// C10: no header gives a guesser another address.
#[tokio::test(flavor = "multi_thread")]
async fn c10_no_header_gives_a_guesser_a_new_address() {
    let s = TestServer::start().await;
    let guess = async |n: usize| {
        let forged = format!("198.51.{}.{}", n / 250, n % 250);
        let mut request = Request::post("/api/v1/enrolments").header(header::HOST, "localhost:8787");
        for name in [
            "x-forwarded-for",
            "true-client-ip",
            "x-real-ip",
            "cf-connecting-ip",
            "x-client-ip",
            "fastly-client-ip",
        ] {
            request = request.header(name, &forged);
        }
        let request =
            request.header("forwarded", format!("for={forged}")).header("content-type", "application/json");
        let mut request = request.body(Body::from("{}")).unwrap();
        request.extensions_mut().insert(ConnectInfo(std::net::SocketAddr::from(([203, 0, 113, 9], 1))));
        s.router.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    for n in 0..100 {
        assert_eq!(guess(n).await, 400);
    }
    assert_eq!(guess(100).await, 429);
    // Behind a proxy the last address is the proxy's own word; what stands before it is anybody's.
    let s = TestServer::start_with(Config { behind_proxy: true, ..Config::default() }).await;
    let guess = async |n: usize| {
        let from = format!("198.51.100.{}, 10.0.0.{}, 203.0.113.9", n % 250, n % 200);
        let headers = [("content-type", "application/json"), ("x-forwarded-for", &*from)];
        s.send_with("POST", "/api/v1/enrolments", &headers, "{}").await.status
    };
    for n in 0..100 {
        assert_eq!(guess(n).await, 400);
    }
    assert_eq!(guess(100).await, 429);
}

/// C11: nothing that a request says of itself decides at the gate.
#[tokio::test(flavor = "multi_thread")]
async fn c11_no_header_of_a_request_opens_the_gate() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    s.device(person, 1).await;
    let session = support::cookie(&s.sign_in(person).await);
    for headers in [
        vec![("x-forwarded-user", "ana"), ("x-auth-request-user", "ana"), ("remote-user", "ana")],
        vec![("x_forwarded_user", "ana"), ("stead-person", "ana"), ("stead_person", "ana")],
        vec![("x-forwarded-uri", "/public"), ("x-original-url", "/healthz"), ("x-rewrite-url", "/healthz")],
        vec![("x-http-method-override", "OPTIONS"), ("x-forwarded-method", "OPTIONS")],
        vec![("connection", "cookie, authorization")],
        vec![("cookie", &session)],
        vec![("cookie", &session), ("cookie", "__Host-stead-pass=x")],
        vec![("authorization", "Bearer x")],
        vec![("stead-session", &session), ("x-stead-standing", "good")],
        vec![("host", "evil.example"), ("x-forwarded-host", "localhost:8787")],
    ] {
        for path in
            ["/gate/auth", "/gate/auth/", "/gate/auth/wiki", "/gate/auth/..%2fhealthz", "/gate/auth/wiki%00"]
        {
            let status = s.send_with("GET", path, &headers, "").await.status;
            assert!(status >= 400, "{path} {headers:?}: {status}");
        }
    }
}

/// C12: what is good once is good once for 64 at the same time, and a change of password ends what is halfway.
#[tokio::test(flavor = "multi_thread")]
async fn c12_what_is_good_once_is_good_once_for_64() {
    let s = Arc::new(TestServer::start().await);
    let sam = s.person("Sam Sample", UnitId::ORGANISATION).await;
    let link = links::make(&s.app, sam, LinkKind::Invite, "test").await.unwrap();
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (app, link) = (Arc::clone(&s.app), link.clone());
        all.spawn(async move { links::take(&app, &link, "test").await.is_ok() });
    }
    assert_eq!(all.join_all().await.into_iter().filter(|good| *good).count(), 1);
    let session = s.sign_in(sam).await;
    let session =
        s.post("/me/ways/password", &session, "password=four+wet+otters+hum+at+noon").await.session();
    let who = sign_in::session(&s.app, &session).await.unwrap().unwrap();
    let secret = authenticator::set_up(&s.app, &who).await.unwrap().secret;
    let code = totp_of(&secret, s.app.now().0 / 1000);
    let recovery = authenticator::confirm(&s.app, &who, &code).await.unwrap().swap_remove(0);
    let known = password::known_mark(&s.app, sam).unwrap();
    let form = "email=sam.sample@stead.example&password=four+wet+otters+hum+at+noon";
    let halfway = async || {
        let reply = s.send("POST", "/sign-in/password", &format!("__Host-stead-known={known}"), form).await;
        reply.cookie("__Host-stead-place")
    };
    let mut places = Vec::new();
    for _ in 0..32 {
        places.push(halfway().await);
        s.pass(MINUTE / 10);
    }
    assert!(places.iter().all(|place| !place.is_empty()));
    // One recovery code from many places, then one code by the time from many places.
    s.pass(2 * MINUTE);
    let by_time = totp_of(&secret, s.app.now().0 / 1000);
    for code in [recovery, by_time] {
        let mut all = tokio::task::JoinSet::new();
        for place in places.drain(..16) {
            let (s, code) = (Arc::clone(&s), code.clone());
            let cookies = format!("__Host-stead-place={place}; __Host-stead-known={known}");
            all.spawn(async move {
                !s.send("POST", "/sign-in/code", &cookies, &format!("code={code}")).await.session().is_empty()
            });
        }
        assert_eq!(all.join_all().await.into_iter().filter(|good| *good).count(), 1, "{code}");
    }
    // Halfway in with a password that is another one by now.
    let place = halfway().await;
    let session = s.sign_in(sam).await;
    let changed = s.post("/me/ways/password", &session, "password=five+dry+badgers+sing+at+dawn").await;
    assert_eq!(changed.status, 303);
    s.pass(MINUTE);
    let code = totp_of(&secret, s.app.now().0 / 1000);
    let cookies = format!("__Host-stead-place={place}; __Host-stead-known={known}");
    assert!(s.send("POST", "/sign-in/code", &cookies, &format!("code={code}")).await.session().is_empty());
    s.is_whole().await;
}

/// The code of an authenticator at a time, in seconds.
fn totp_of(secret: &str, at: i64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).with_account_name("x").build().unwrap();
    totp.generate(u64::try_from(at).unwrap()).to_string()
}

/// C13: who has an account isn't told by what a wrong password is answered. How long it takes is measured by
/// `the_decoy_costs_what_a_password_costs`: both hash with the same settings.
#[tokio::test(flavor = "multi_thread")]
async fn c13_who_exists_is_not_told() {
    let s = TestServer::start().await;
    let sam = s.person("Sam Sample", UnitId::ORGANISATION).await;
    let session = s.sign_in(sam).await;
    s.post("/me/ways/password", &session, "password=four+wet+otters+hum+at+noon").await;
    s.person("No Password", UnitId::ORGANISATION).await;
    let mut said = Vec::new();
    for email in ["sam.sample", "no.password", "nobody.here"] {
        let reply = s.post("/sign-in/password", "", &format!("email={email}@stead.example&password=x")).await;
        said.push((reply.status, reply.body.replace(email, "…"), reply.cookies));
    }
    assert_eq!(said[0], said[1]);
    assert_eq!(said[0], said[2]);
    for secret in [&"0".repeat(43), &"x".repeat(43), "", "x"] {
        let reply = s.get(&format!("/join/{secret}"), "").await;
        assert!(reply.status >= 400, "{secret}: {}", reply.status);
    }
}

/// C14: strangers learn nothing of who and what there is.
#[tokio::test(flavor = "multi_thread")]
async fn c14_strangers_learn_nothing() {
    let w = World::make().await;
    let ids = [w.own.to_string(), w.other.to_string(), w.own_device.to_string(), w.a.to_string()];
    let (_, routes) = serve::routes(&w.s.app).done();
    for route in routes.iter().filter(|route| route.method == "GET") {
        let path: Vec<&str> =
            route.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        let reply = w.s.get(&path.join("/"), "").await;
        assert!(!ids.iter().any(|id| reply.body.contains(id)), "{}", route.path);
        assert!(!reply.body.contains("@stead.example"), "{}", route.path);
    }
    for path in [
        "/metrics",
        "/debug",
        "/debug/pprof",
        "/.git/config",
        "/.env",
        "/actuator",
        "/server-status",
        "/api",
        "/swagger",
        "/.well-known/x",
        "/assets/../stead.db",
        "/assets/..%2f..%2fstead.db",
        "/api/v1/debug",
    ] {
        let status = w.s.get(path, "").await.status;
        assert!([400, 401, 404].contains(&status), "{path}: {status}");
    }
    // Links lead to where the operator says, whatever host a request names.
    let headers =
        [("cookie", support::cookie(&w.coordinator)), ("x-forwarded-host", "evil.example".to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = w.s.send_with("POST", &format!("/people/{}/invite", w.other), &headers, "").await;
    assert!(
        reply.body.contains("http://localhost:8787/join/") && !reply.body.contains("evil.example"),
        "{}",
        reply.status
    );
}

/// C16: nothing that is older or unsigned takes effect. Programs that replace themselves there are none of: no route
/// hands out a program, and the agent has no code that writes one.
#[tokio::test(flavor = "multi_thread")]
async fn c16_nothing_older_takes_effect_and_no_program_is_handed_out() {
    let s = TestServer::start().await;
    let all = UnitId::ORGANISATION;
    let author = s.person("Author", all).await;
    s.give(author, Role::Coordinator, all).await;
    let token = s.token(author, &["read", "system"]).await;
    let digest = s.app.pack().digest.clone();
    let files = stead_policy::shipped::remote_work();
    for (manifest, signature) in [
        (files["pack.toml"].clone(), None),
        (files["pack.toml"].replace("version = 5", "version = 4"), None),
        (files["pack.toml"].replace("version = 5", "version = 6"), None),
        (files["pack.toml"].replace("version = 5", "version = 6"), Some("{}")),
    ] {
        let mut files = files.clone();
        files.insert("pack.toml".to_owned(), manifest);
        let body = serde_json::json!({ "files": files, "says": "x", "signature": signature });
        let reply = s.ask("POST", "/api/v1/policy/proposals", &token, &[], &body.to_string()).await;
        assert!((400..500).contains(&reply.status), "{}", reply.status);
    }
    assert_eq!(s.app.pack().digest, digest);
    let (_, routes) = serve::routes(&s.app).done();
    for route in routes {
        for word in ["download", "update", "upgrade", "install", "binary", "exec", "script"] {
            assert!(!route.path.split('/').any(|part| part == word), "{}", route.path);
        }
    }
}

/// C17: no clock that is moved opens what was shut.
#[tokio::test(flavor = "multi_thread")]
async fn c17_no_clock_opens_what_was_shut() {
    let s = TestServer::start().await;
    let person = s.person("Ana", UnitId::ORGANISATION).await;
    s.device(person, 1).await;
    let session = s.sign_in(person).await;
    let token = s.token(person, &["read"]).await;
    let open = async |session: &str, token: &str| {
        let by_session = s.get("/home", session).await.status == 200;
        (by_session, s.ask("GET", "/api/v1/me", token, &[], "").await.status == 200)
    };
    assert_eq!(open(&session, &token).await, (true, true));
    for shift in [-HOUR, -3650 * DAY] {
        s.pass(shift);
        open(&session, &token).await;
        s.pass(-shift);
    }
    // Run out, seen so once, it stays so.
    s.pass(3650 * DAY);
    assert_eq!(open(&session, &token).await, (false, false));
    for shift in [-HOUR, -3649 * DAY, DAY, -DAY - MINUTE] {
        s.pass(shift);
        assert!(!open(&session, &token).await.0, "a session came back at {shift}");
    }
    s.is_whole().await;
}

/// C18: 64 at once see one history.
#[tokio::test(flavor = "multi_thread")]
async fn c18_sixty_four_at_once_see_one_history() {
    let s = Arc::new(TestServer::start().await);
    let mut all = tokio::task::JoinSet::new();
    for n in 0..64 {
        let s = Arc::clone(&s);
        all.spawn(async move {
            let mut seen: Vec<Checkpoint> = Vec::new();
            for round in 0..6 {
                s.unit(&format!("Unit {n} {round}"), UnitId::ORGANISATION).await;
                let note = s.get("/ledger/checkpoint", "").await.body;
                let checkpoint = Checkpoint::open(&note, s.app.keys.ledger.public()).unwrap();
                assert!(
                    seen.last().is_none_or(|last| last.size < checkpoint.size),
                    "its own change is in it"
                );
                seen.push(checkpoint);
            }
            seen
        });
    }
    let mut seen: Vec<Checkpoint> = all.join_all().await.into_iter().flatten().collect();
    seen.sort_by_key(|checkpoint| checkpoint.size);
    for pair in seen.windows(2) {
        let (old, new) = (&pair[0], &pair[1]);
        let proof = s.app.store.consistency_proof(old.size, new.size).await.unwrap().unwrap_or_default();
        assert!(tree::verify_consistency(old.size, &old.root, new.size, &new.root, &proof), "{}", new.size);
    }
    s.is_whole().await;
}

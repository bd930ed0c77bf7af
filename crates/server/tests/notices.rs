//! Telling people and other systems: what, whom, when, by which ways, and what happens when it cannot be
//! delivered.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::Value;
use stead_model::{
    Role, UnitId,
    message::{NOTICES, NOTICES_ASKED, Notices, NoticesAsked, VERSION},
    seal::{SigningKey, VerifyingKey},
    time::{DAY, HOUR, MINUTE},
};
use stead_server::{
    Config,
    flows::{
        directory,
        notices::{self, chase, deliver, follow, gather, hooks},
        policy, revoke,
    },
    jobs,
};
use stead_store::notice::{Choice, Notice};
use support::TestServer;

/// Receivers of these tests are on this machine.
async fn start() -> TestServer {
    TestServer::start_with(Config { private_hooks: true, ..Config::default() }).await
}

/// What another system was sent: its headers and its body.
type Heard = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// Another system, and the status that it answers with.
async fn receiver() -> (String, Heard, Arc<AtomicU16>) {
    let heard: Heard = Arc::default();
    let status = Arc::new(AtomicU16::new(204));
    let take =
        async |State((heard, status)): State<(Heard, Arc<AtomicU16>)>, headers: HeaderMap, body: Bytes| {
            heard.lock().unwrap().push((headers, String::from_utf8(body.to_vec()).unwrap()));
            StatusCode::from_u16(status.load(Ordering::SeqCst)).unwrap()
        };
    let router = Router::new().route("/", post(take)).with_state((Arc::clone(&heard), Arc::clone(&status)));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, router).await });
    (address, heard, status)
}

async fn hook(server: &TestServer, kind: &str, address: &str, events: &[&str]) -> String {
    let new = hooks::NewHook {
        kind: kind.to_owned(),
        name: "Security room".to_owned(),
        address: address.to_owned().into(),
        events: events.iter().map(|event| (*event).to_owned()).collect(),
        people: kind == "rocketchat",
    };
    hooks::add(&server.app, &new, "test").await.unwrap().to_string()
}

/// What a person finds on their page, newest first: the message's name.
async fn told(server: &TestServer, person: stead_model::PersonId) -> Vec<String> {
    let notices: Vec<Notice> = server.app.store.notices(person, 50).await.unwrap();
    notices.into_iter().map(|notice| notice.say).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_somebody_is_told_to_them_once() {
    let server = start().await;
    let sam = server.person("Sam", UnitId::ORGANISATION).await;
    let other = server.person("Other", UnitId::ORGANISATION).await;
    let device = server.device(sam, 1).await;
    server.give(sam, Role::Manager, UnitId::ORGANISATION).await;
    revoke::revoke(&server.app, device, "test").await.unwrap();
    follow::run(&server.app).await.unwrap();
    let all = told(&server, sam).await;
    for say in ["notice-device-enrolled", "notice-device-revoked", "notice-role-given"] {
        assert_eq!(all.iter().filter(|told| *told == say).count(), 1, "{say}: {all:?}");
    }
    assert!(!told(&server, other).await.iter().any(|say| say.starts_with("notice-device")));
    // Read again from where this server began, as another would: nothing is told twice.
    let mut write = server.app.store.write().await.unwrap();
    write.set_meta("notices follow", &policy::FIRST_ENTRIES.to_string()).await.unwrap();
    write.commit(&server.app.keys.ledger).await.unwrap();
    follow::run(&server.app).await.unwrap();
    assert_eq!(told(&server, sam).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_things_become_one_message_and_wait_as_long_as_their_person_wants() {
    let server = start().await;
    let app = &server.app;
    let sam = server.person("Sam", UnitId::ORGANISATION).await;
    let mut device = server.sim_device(sam, 1).await;
    jobs::notices(app).await;
    let ask = |device: &stead_testkit::SimDevice, shown: Vec<stead_model::RecordId>| {
        let question = NoticesAsked { v: VERSION, device: device.id, at: app.now(), shown };
        let key = SigningKey::from_seed(&stead_model::seal::Seed::new([1; 32])).unwrap();
        key.seal(NOTICES_ASKED, &serde_json::to_vec(&question).unwrap(), &device.id.to_string())
    };
    let answer_key = VerifyingKey::from_text(&app.keys.answers.public_text()).unwrap();
    let read = |sealed: stead_model::seal::Envelope| -> Notices {
        serde_json::from_slice(sealed.open(NOTICES, &answer_key).unwrap().bytes()).unwrap()
    };
    // That a device was enrolled is told at once; it may have been somebody else.
    let first = read(notices::desktop::ask(app, &ask(&device, Vec::new())).await.unwrap());
    assert_eq!(first.notices.len(), 1);
    assert!(first.notices[0].text.contains("laptop-1"), "{:?}", first.notices);
    assert!(!first.notices[0].title.contains("Sam") && !first.notices[0].title.contains("laptop"));
    // It comes again until the device says that it was shown.
    let again = read(notices::desktop::ask(app, &ask(&device, Vec::new())).await.unwrap());
    assert_eq!(again.notices, first.notices);
    let shown = vec![first.notices[0].id];
    assert!(read(notices::desktop::ask(app, &ask(&device, shown)).await.unwrap()).notices.is_empty());
    // What is about the account stands before all that waited for the morning.
    let viewer = server.person("Early", UnitId::ORGANISATION).await;
    for n in 0..20 {
        stead_server::flows::look::record(app, viewer, &format!("{n}"), sam, ("help", "")).await.unwrap();
    }
    server.pass(MINUTE);
    server.give(sam, Role::Manager, UnitId::ORGANISATION).await;
    jobs::notices(app).await;
    let all = read(notices::desktop::ask(app, &ask(&device, Vec::new())).await.unwrap());
    assert!(all.notices[0].text.starts_with("You were given a role"), "{:?}", all.notices);
    assert!(all.notices[0].text.ends_with("more things."), "{:?}", all.notices);
    let shown = vec![all.notices[0].id];
    assert!(read(notices::desktop::ask(app, &ask(&device, shown)).await.unwrap()).notices.is_empty());
    // An old question gets no answer, nor does one sealed by another key.
    let old = ask(&device, Vec::new());
    server.pass(11 * MINUTE);
    assert!(notices::desktop::ask(app, &old).await.is_err());
    let stolen = SigningKey::from_seed(&stead_model::seal::Seed::new([2; 32])).unwrap();
    let question = NoticesAsked { v: VERSION, device: device.id, at: app.now(), shown: Vec::new() };
    let forged = stolen.seal(NOTICES_ASKED, &serde_json::to_vec(&question).unwrap(), &device.id.to_string());
    assert!(notices::desktop::ask(app, &forged).await.is_err());

    // The firewall is off and the clock is not set: one message, two minutes later, and not two.
    server.pass(HOUR);
    let now = app.now();
    let mut facts = stead_testkit::device::good_facts_at(now);
    for name in ["device.firewall.denies_inbound", "device.clock.synchronised"] {
        facts.insert(name.to_owned(), stead_model::Fact::known(false, "test"));
    }
    let report = device.report(&facts, now);
    stead_server::flows::check_in::check_in(app, &stead_testkit::device::text(&report)).await.unwrap();
    jobs::notices(app).await;
    assert!(read(notices::desktop::ask(app, &ask(&device, Vec::new())).await.unwrap()).notices.is_empty());
    server.pass(3 * MINUTE);
    jobs::notices(app).await;
    let due = read(notices::desktop::ask(app, &ask(&device, Vec::new())).await.unwrap());
    assert_eq!(due.notices.len(), 1);
    assert!(due.notices[0].text.contains("something to mend"), "{:?}", due.notices);

    // Who opened the record is told the next morning, unless its person wants it otherwise.
    let viewer = server.person("Viewer", UnitId::ORGANISATION).await;
    stead_server::flows::look::record(app, viewer, "visit", sam, ("help", "")).await.unwrap();
    follow::run(app).await.unwrap();
    server.pass(HOUR);
    gather::run(app).await.unwrap();
    assert!(app.store.notices(sam, 1).await.unwrap()[0].told_at.is_none());
    let person = app.store.person(sam).await.unwrap().unwrap();
    let choice = Choice { record: "now".to_owned(), ..notices::as_it_comes() };
    notices::choose(app, &person, choice.clone()).await.unwrap();
    assert!(notices::choose(app, &person, choice.clone()).await.is_err(), "nothing would change");
    server.pass(3 * MINUTE);
    gather::run(app).await.unwrap();
    assert!(app.store.notices(sam, 1).await.unwrap()[0].told_at.is_some());
    let never = Choice { record: "never".to_owned(), ..choice };
    notices::choose(app, &person, never).await.unwrap();
    stead_server::flows::look::record(app, viewer, "visit two", sam, ("help", "")).await.unwrap();
    follow::run(app).await.unwrap();
    server.pass(30 * DAY);
    gather::run(app).await.unwrap();
    let newest = &app.store.notices(sam, 1).await.unwrap()[0];
    assert_eq!(newest.say, "notice-looked");
    assert!(newest.told_at.is_none(), "what is never sent stays on the page");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_systems_hear_signed_events_and_what_fails_is_tried_again_then_kept() {
    let server = start().await;
    let app = &server.app;
    let (address, heard, status) = receiver().await;
    let secret = hook(&server, "webhook", &address, &["devices", "roles"]).await;
    let sam = server.person("Sam", UnitId::ORGANISATION).await;
    server.give(sam, Role::Auditor, UnitId::ORGANISATION).await;
    follow::run(app).await.unwrap();
    status.store(500, Ordering::SeqCst);
    assert_eq!(deliver::run(app).await.unwrap(), 0);
    status.store(204, Ordering::SeqCst);
    server.pass(10_000);
    assert_eq!(deliver::run(app).await.unwrap(), 1);
    let all = heard.lock().unwrap().clone();
    assert_eq!(all.len(), 2, "it hears of the role and not of the person");
    assert_eq!(all[0].0["webhook-id"], all[1].0["webhook-id"], "it can tell that it had it already");
    let event: Value = serde_json::from_str(&all[1].1).unwrap();
    assert_eq!(event["type"], "role.given");
    assert_eq!(event["data"]["subject"], format!("person:{sam}"));
    assert!(!all[1].1.contains("Sam"), "events name people by their ids alone");
    // Checked by the implementation that others use. It takes no event older than five minutes, so the
    // test's clock, which is not today's, has to be that of its headers.
    let theirs = standardwebhooks::Webhook::new(&secret).unwrap();
    let (id, at) =
        (all[1].0["webhook-id"].to_str().unwrap(), all[1].0["webhook-timestamp"].to_str().unwrap());
    let signed = theirs.sign(id, at.parse().unwrap(), all[1].1.as_bytes()).unwrap();
    assert_eq!(all[1].0["webhook-signature"], signed);

    // What never arrives is given up in the end, kept, and goes when somebody says so.
    status.store(503, Ordering::SeqCst);
    server.give(sam, Role::Security, UnitId::ORGANISATION).await;
    follow::run(app).await.unwrap();
    for wait in deliver::WAITS {
        assert_eq!(deliver::run(app).await.unwrap(), 0);
        server.pass(wait);
    }
    deliver::run(app).await.unwrap();
    let dead = app.store.deliveries("dead", None, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].tries, 10);
    assert!(dead[0].error.contains("503") && !dead[0].message.contains("role"), "{:?}", dead[0]);
    status.store(200, Ordering::SeqCst);
    deliver::retry(app, dead[0].id).await.unwrap();
    assert_eq!(deliver::run(app).await.unwrap(), 1);
    assert!(app.store.deliveries("dead", None, 10).await.unwrap().is_empty());
    assert!(deliver::retry(app, dead[0].id).await.is_err());

    // A receiver that is gone for good is not asked again.
    status.store(410, Ordering::SeqCst);
    server.give(sam, Role::Operator, UnitId::ORGANISATION).await;
    follow::run(app).await.unwrap();
    deliver::run(app).await.unwrap();
    assert_eq!(app.store.deliveries("dead", None, 10).await.unwrap()[0].tries, 1);

    // Removed, it hears nothing, and its address is forgotten.
    let id = app.store.hooks().await.unwrap()[0].id;
    hooks::end(app, id, "test").await.unwrap();
    let before = heard.lock().unwrap().len();
    server.give(sam, Role::Records, UnitId::ORGANISATION).await;
    follow::run(app).await.unwrap();
    deliver::run(app).await.unwrap();
    assert_eq!(heard.lock().unwrap().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_hears_one_line_and_a_person_by_their_name_there() {
    let server = start().await;
    let app = &server.app;
    let (address, heard, _) = receiver().await;
    hook(&server, "rocketchat", &address, &["devices"]).await;
    let (slack, slack_heard, _) = receiver().await;
    hook(&server, "slack", &slack, &["people"]).await;
    let sam = server.person("Sam", UnitId::ORGANISATION).await;
    let person = app.store.person(sam).await.unwrap().unwrap();
    let wrong = Choice { chat: "sam example".to_owned(), ..notices::as_it_comes() };
    assert!(notices::choose(app, &person, wrong).await.is_err());
    let choice = Choice { chat: "@sam.example".to_owned(), desktop: false, ..notices::as_it_comes() };
    notices::choose(app, &person, choice).await.unwrap();
    for seed in 1..=60 {
        server.device(sam, seed).await;
    }
    jobs::notices(app).await;
    jobs::deliveries(app).await;
    let bodies: Vec<Value> =
        heard.lock().unwrap().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    let (to_sam, to_room): (Vec<_>, Vec<_>) =
        bodies.iter().partition(|body| body["channel"] == "@sam.example");
    assert_eq!((to_sam.len(), to_room.len()), (1, 1), "a digest, not a flood: {bodies:?}");
    assert!(to_room[0]["text"].as_str().unwrap().contains("60 × device enrolled"), "{}", to_room[0]);
    assert!(to_sam[0]["text"].as_str().unwrap().contains("was enrolled in your name"));
    let slack: Value = serde_json::from_str(&slack_heard.lock().unwrap()[0].1).unwrap();
    assert!(slack["text"].as_str().unwrap().contains("person added"), "{slack}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_and_who_answers_for_a_team_are_reminded() {
    let server = start().await;
    let app = &server.app;
    let unit = server.unit("Archive", UnitId::ORGANISATION).await;
    let manager = server.person("Manager", unit).await;
    server.give(manager, Role::Manager, unit).await;
    let coordinator = server.person("Coordinator", UnitId::ORGANISATION).await;
    server.give(coordinator, Role::Coordinator, UnitId::ORGANISATION).await;
    let sam = server.person("Sam", unit).await;
    server.device(sam, 1).await;
    let last_day = app.now().plus(5 * DAY);
    directory::set_state(app, sam, stead_model::Employment::Leaving, Some(last_day), "test").await.unwrap();
    let count =
        async |person, say: &str| told(&server, person).await.iter().filter(|told| *told == say).count();
    // Hour by hour for two weeks.
    let step = async || {
        for _ in 0..24 {
            chase::run(app).await.unwrap();
            server.pass(HOUR);
        }
        stead_server::flows::directory::leaving::run(app).await.unwrap();
    };
    step().await;
    assert_eq!(count(sam, "notice-return").await, 1, "a week before");
    for _ in 0..3 {
        step().await;
    }
    step().await;
    assert_eq!(count(sam, "notice-return").await, 2, "and a day before");
    for _ in 0..7 {
        step().await;
    }
    assert!(count(coordinator, "notice-return-missing").await >= 2, "who answers is told until it is back");
    assert!(count(manager, "notice-attest").await + count(manager, "notice-attest-late").await >= 2);
    let missing = count(coordinator, "notice-return-missing").await;
    let object = app.store.clear_out(sam).await.unwrap();
    let object = object.iter().find(|item| item.kind == "return").unwrap().object.clone();
    directory::leaving::handed_over(app, sam, &object, "test").await.unwrap();
    for _ in 0..7 {
        step().await;
    }
    assert_eq!(count(coordinator, "notice-return-missing").await, missing, "what is back is not chased");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_shows_due_dates_to_whoever_has_its_address_until_it_is_taken_away() {
    let server = start().await;
    let unit = server.unit("Archive", UnitId::ORGANISATION).await;
    let sam = server.person("Sam", unit).await;
    server.give(sam, Role::Manager, unit).await;
    let session = server.sign_in(sam).await;
    let page = server.post("/me/notices/calendar", &session, "").await;
    let start = page.body.find("/calendar/").unwrap();
    let path: String = page.body[start..].chars().take_while(|c| !matches!(c, '<' | '"' | ' ')).collect();
    let feed = server.get(&path, "").await;
    assert_eq!(feed.status, 200);
    assert!(feed.body.starts_with("BEGIN:VCALENDAR\r\n") && feed.body.ends_with("END:VCALENDAR\r\n"));
    assert!(feed.body.contains("SUMMARY:Confirm your team: Archive"), "{}", feed.body);
    assert!(feed.body.contains("DTSTART:") && !feed.body.contains("Sam"));
    // The events keep their names, so that a calendar shows each once.
    let uid = |text: &str| text.lines().find(|line| line.starts_with("UID:")).unwrap().to_owned();
    assert_eq!(uid(&feed.body), uid(&server.get(&path, "").await.body));
    let other = server.post("/me/notices/calendar", &session, "").await;
    assert_eq!(other.status, 200);
    assert_eq!(server.get(&path, "").await.status, 404, "the address before is no more");
    assert_eq!(server.get("/calendar/guess", "").await.status, 404);
    assert_eq!(server.post("/me/notices/calendar/end", &session, "").await.status, 303);
}

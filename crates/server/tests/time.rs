//! What changes by time alone, with a clock of the test's own.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

mod support;

use stead_model::{
    Employment, Fact, Millis, Role, Standing, UnitId,
    message::Enrolled,
    time::{DAY, HOUR, MINUTE},
};
use stead_server::{
    App, Config,
    flows::{
        anchor, backup, check_in, deadlines, directory, enrol,
        sign_in::{self, links},
    },
    jobs,
    source::{Clock, SystemRandomness},
};
use stead_store::session::LinkKind;
use stead_testkit::{
    SimDevice,
    device::{good_facts_at, text},
};
use support::TestServer;

struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

async fn app() -> (Arc<App>, Arc<Hands>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let hands = Arc::new(Hands(AtomicI64::new(1_795_000_000_000)));
    let sources = (Arc::clone(&hands) as Arc<dyn Clock>, Arc::new(SystemRandomness) as _);
    let app = App::open(folder.path(), None, None, Config::default(), sources).await.unwrap();
    (app, hands, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grace_ends_silence_counts_and_a_clock_set_back_brings_nothing_back() {
    let (app, hands, _folder) = app().await;
    let code = enrol::give_codes(&app, &["Sam".to_owned()], "organisation", HOUR).await.unwrap().remove(0);
    let (_, envelope) = SimDevice::enrolment([1; 32], &code, "laptop", app.now());
    let enrolled: Enrolled = enrol::enrol(&app, &envelope).await.unwrap();
    let mut device = SimDevice::with_identity([1; 32], enrolled);
    let mut facts = good_facts_at(app.now());
    facts.insert("device.volumes".to_owned(), Fact::unknown("not root", "test"));
    check_in::check_in(&app, &text(&device.report(&facts, app.now()))).await.unwrap();
    let id = device.id;
    let standing = || async { app.store.device(id).await.unwrap().unwrap().standing };

    assert_eq!(standing().await, Standing::Due);
    hands.0.fetch_add(3 * DAY - 1, Ordering::SeqCst);
    assert_eq!(deadlines::run(&app).await.unwrap(), 0);
    hands.0.fetch_add(1, Ordering::SeqCst);
    assert_eq!(deadlines::run(&app).await.unwrap(), 1);
    assert_eq!(standing().await, Standing::Lapsed);
    hands.0.fetch_sub(2 * DAY, Ordering::SeqCst);
    assert_eq!(deadlines::run(&app).await.unwrap(), 0);
    assert_eq!(standing().await, Standing::Lapsed);
    hands.0.fetch_add(6 * DAY, Ordering::SeqCst);
    assert_eq!(deadlines::run(&app).await.unwrap(), 1);
    assert_eq!(standing().await, Standing::Unknown);
    check_in::check_in(&app, &text(&device.report(&good_facts_at(app.now()), app.now()))).await.unwrap();
    assert_eq!(standing().await, Standing::Good);
    let tallies = app.store.tallies().await.unwrap();
    assert_eq!((tallies["standing/good"], tallies["standing/lapsed"]), (1, 0));

    assert!(anchor::anchor(&app).await.unwrap());
    assert!(!anchor::anchor(&app).await.unwrap(), "once a day");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_sessions_expire() {
    let (app, hands, _folder) = app().await;
    let person = links::first_operator(&app).await.unwrap();
    let make = || links::make(&app, person, LinkKind::SignIn, "operator");
    let late = make().await.unwrap();
    hands.0.fetch_add(15 * MINUTE, Ordering::SeqCst);
    assert!(links::take(&app, &late, "").await.is_err());
    let link = make().await.unwrap();
    let session = links::take(&app, &link, "").await.unwrap().0.secret;
    for _ in 0..3 {
        hands.0.fetch_add(7 * HOUR, Ordering::SeqCst);
        let found = sign_in::session(&app, &session).await.unwrap();
        assert!(found.is_some_and(|who| who.person.id == person), "used now and then");
    }
    hands.0.fetch_add(3 * HOUR, Ordering::SeqCst);
    assert!(sign_in::session(&app, &session).await.unwrap().is_none(), "a day at most");
    let link = make().await.unwrap();
    let idle = links::take(&app, &link, "").await.unwrap().0.secret;
    hands.0.fetch_add(8 * HOUR, Ordering::SeqCst);
    assert!(sign_in::session(&app, &idle).await.unwrap().is_none(), "idle for eight hours");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_day_ends_access_and_a_year_later_the_record_is_erased() {
    let server = TestServer::start().await;
    let app = &server.app;
    let sam = server.person("Sam Sample", UnitId::ORGANISATION).await;
    server.give(sam, Role::Security, UnitId::ORGANISATION).await;
    let device = server.device(sam, 1).await;
    let session = server.sign_in(sam).await;
    let last = app.now().plus(3 * DAY);
    directory::set_state(app, sam, Employment::Leaving, Some(last), "test").await.unwrap();
    let open = async || {
        let list = app.store.clear_out(sam).await.unwrap();
        list.into_iter().filter(|item| item.done_at.is_none()).map(|item| item.kind).collect::<Vec<_>>()
    };
    assert_eq!(open().await, ["access", "return", "revoke", "role"]);
    assert_eq!(server.get("/home", &session).await.status, 200, "until the last day");
    assert_eq!(server.get("/devices", &session).await.status, 403, "roles sleep at once");

    server.pass(3 * DAY);
    jobs::once(app).await;
    assert_eq!(open().await, ["return"], "what must be handed over is still open");
    assert_eq!(server.get("/home", &session).await.status, 303);
    assert!(app.store.device(device).await.unwrap().unwrap().revoked_at.is_some());
    assert!(app.store.grants(sam).await.unwrap().is_empty());
    let tallies = app.store.tallies().await.unwrap();
    assert_eq!(tallies["standing/good"], 0, "it counts among devices no more");

    server.pass(364 * DAY);
    jobs::once(app).await;
    assert_eq!(app.store.person(sam).await.unwrap().unwrap().name, "Sam Sample");
    server.pass(2 * DAY);
    jobs::once(app).await;
    let person = app.store.person(sam).await.unwrap().unwrap();
    assert_eq!((person.name.as_str(), person.email), ("–", None));
    assert!(app.store.report(device).await.unwrap().is_none());
    assert!(app.store.findings(device).await.unwrap().is_empty());
    assert_eq!(app.store.device(device).await.unwrap().unwrap().name, "–");
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_each_day_and_the_oldest_go() {
    let folder = tempfile::tempdir().unwrap();
    let backups = Some((folder.path().to_owned(), 2));
    let server = TestServer::start_with(Config { backups, ..Config::default() }).await;
    let app = &server.app;
    let there = || std::fs::read_dir(folder.path()).unwrap().count();
    assert!(backup::run(app).await.is_err(), "there is nothing in the store yet");
    server.person("Sam", UnitId::ORGANISATION).await;
    assert!(!backup::run(app).await.unwrap(), "what failed is not tried again at once");
    server.pass(HOUR);
    assert!(backup::run(app).await.unwrap());
    assert!(!backup::run(app).await.unwrap(), "one a day");
    for _ in 0..3 {
        server.pass(DAY);
        assert!(backup::run(app).await.unwrap());
    }
    assert_eq!(there(), 2);
    let last = backup::last(app).await.unwrap().unwrap();
    assert!(last.verified.unwrap() > 0 && last.at == app.now());
    server.is_whole().await;
}

//! What the gate goes by: tiers that an organisation names itself, and facts that the gate knows nothing of.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use stead_model::{
    Fact, PersonId, UnitId,
    fact::{Field, Record},
    loss::{LossTold, Thing},
    time::HOUR,
};
use stead_policy::{pack::Files, shipped};
use stead_server::{
    flows::{
        check_in,
        loss::{self, Teller},
        notices,
        policy::{publish, subjects},
    },
    gate::decide::{self, Why},
    jobs,
};
use stead_store::notice::Notice;
use stead_testkit::{
    SimDevice,
    device::{good_facts_at, text},
};
use support::TestServer;

/// Puts the shipped pack in force with changes.
async fn in_force(server: &TestServer, change: impl Fn(&str, &mut String)) {
    let mut files: Files = shipped::remote_work();
    files.iter_mut().for_each(|(path, text)| change(path, text));
    let author = server.person("Author", UnitId::ORGANISATION).await;
    let other = server.person("Other", UnitId::ORGANISATION).await;
    let id = publish::propose(&server.app, author, &files, "A change.", None).await.unwrap();
    publish::approve(&server.app, other, id, 1).await.unwrap();
    jobs::once(&server.app).await;
}

fn next(path: &str, text: &mut String) {
    if path == "pack.toml" {
        *text = text.replace("version = 5", "version = 6");
    }
}

async fn against(server: &TestServer, of: (PersonId, &SimDevice), place: usize) -> Vec<Why> {
    let app = &server.app;
    app.gate.settled().await;
    decide::against(&app.gate.index, &app.pack(), (of.0, of.1.id), place, app.now())
}

/// An organisation's own tiers decide as the shipped ones do, at the gate, on pages and in what a device is told.
#[tokio::test(flavor = "multi_thread")]
async fn tiers_of_ones_own_decide() {
    let server = TestServer::start().await;
    let sam = server.person("Sam", UnitId::ORGANISATION).await;
    in_force(&server, |path, text| {
        next(path, text);
        *text = text
            .replace(
                "tiers = [\"open\", \"standard\", \"restricted\"]",
                "tiers = [\"lobby\", \"desk\", \"archive\", \"vault\"]",
            )
            .replace("costs = \"open\"", "costs = \"lobby\"")
            .replace("costs = \"standard\"", "costs = \"desk\"")
            .replace("costs = \"restricted\"", "costs = \"archive\"");
        if path == "rules/disk-encrypted.md" {
            *text = text
                .replace("grace = \"P3D\"", "grace = \"P0D\"")
                .replace("costs = \"desk\"", "costs = \"archive\"");
        }
    })
    .await;
    let mut laptop = server.sim_device(sam, 1).await;
    for place in 0..4 {
        assert_eq!(against(&server, (sam, &laptop), place).await, [], "{place}");
    }
    server.pass(1000);
    let now = server.app.now();
    let mut facts = good_facts_at(now);
    let disk = Record::from([
        ("mount".to_owned(), Field::from("/data")),
        ("encrypted".to_owned(), Field::from(false)),
        ("how".to_owned(), Field::from("not encrypted")),
    ]);
    facts.insert("device.volumes".to_owned(), Fact::known(vec![disk], "/proc/self/mountinfo"));
    check_in::check_in(&server.app, &text(&laptop.report(&facts, now))).await.unwrap();
    let shut: Vec<bool> = {
        let mut shut = Vec::new();
        for place in 0..4 {
            shut.push(!against(&server, (sam, &laptop), place).await.is_empty());
        }
        shut
    };
    assert_eq!(shut, [false, false, true, true], "a tier and all above it");
    let session = server.sign_in(sam).await;
    let home = server.get("/home", &session).await.body;
    assert!(["lobby", "desk", "archive", "vault"].iter().all(|tier| home.contains(tier)), "{home}");
    server.is_whole().await;
}

/// A fact that came long after the gate was made counts there as any other, once a rule asks for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_the_gate_knows_nothing_of_counts() {
    let server = TestServer::start().await;
    let sam = server.person("Sam", UnitId::ORGANISATION).await;
    in_force(&server, |path, text| {
        next(path, text);
        if path == "rules/losses-told-at-once.md" {
            *text = text.replace("stage = \"observe\"", "stage = \"enforce\"");
        }
    })
    .await;
    let laptop = server.sim_device(sam, 1).await;
    assert_eq!(against(&server, (sam, &laptop), 2).await, []);
    let person = server.app.store.person(sam).await.unwrap().unwrap();
    let told = LossTold {
        device: None,
        thing: Thing::Papers,
        label: "file P-0417".to_owned(),
        stolen: false,
        noticed: 3 * HOUR,
        words: String::new(),
        practice: false,
    };
    loss::tell(&server.app, &person, &told, Teller::on_page(sam, None)).await.unwrap();
    subjects::judge_person(&server.app, sam).await.unwrap();
    let why = against(&server, (sam, &laptop), 2).await;
    assert_eq!(why.iter().filter_map(Why::rule).collect::<Vec<_>>(), ["losses-told-at-once"]);
    assert_eq!(against(&server, (sam, &laptop), 1).await, [], "it costs the upper tier alone");
    server.is_whole().await;
}

/// Whoever hears that somebody came in without being known reads where.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_of_the_glass_names_the_application() {
    let server = TestServer::start().await;
    let notice = Notice {
        id: String::new(),
        person: server.person("Sam", UnitId::ORGANISATION).await,
        topic: "account".to_owned(),
        source: String::new(),
        at: server.app.now(),
        say: "notice-glass".to_owned(),
        given: r#"{"application":"Personnel records","name":"Sam"}"#.to_owned(),
        link: String::new(),
        hold_until: server.app.now(),
        told_at: None,
    };
    let said = notices::said(&notice, &stead_server::words::Words::english());
    assert!(said.contains("came in to Personnel records"), "{said}");
    server.is_whole().await;
}

//! How it was: what stood at the end of a day is what was written down then, with the entry that proves it.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use stead_model::{Fact, Role, UnitId, time::DAY};
use stead_server::flows::check_in;
use stead_testkit::device::{good_facts_at, text};
use support::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn each_day_is_as_it_was() {
    let server = TestServer::start().await;
    let sam = server.person("Sam", UnitId::ORGANISATION).await;
    let auditor = server.person("Auditor", UnitId::ORGANISATION).await;
    server.give(auditor, Role::Auditor, UnitId::ORGANISATION).await;
    let mut device = server.sim_device(sam, 1).await;
    let first = server.app.now();
    // Good on the first day; failing from the third on; mended on the fifth.
    server.pass(2 * DAY);
    let mut facts = good_facts_at(server.app.now());
    facts.insert("device.firewall.denies_inbound".to_owned(), Fact::known(false, "test"));
    let report = device.report(&facts, server.app.now());
    check_in::check_in(&server.app, &text(&report)).await.unwrap();
    server.pass(2 * DAY);
    let report = device.report(&good_facts_at(server.app.now()), server.app.now());
    check_in::check_in(&server.app, &text(&report)).await.unwrap();
    server.pass(2 * DAY);

    let token = server.token(auditor, &["read"]).await;
    let on = |days: i64| first.plus(days * DAY).date();
    let ask = async |path: String| server.ask("GET", &path, &token, &[("stead-purpose", "review")], "").await;
    let all = async |days: i64| ask(format!("/api/v1/then?on={}", on(days))).await.json();
    let one = async |days: i64| {
        let path = format!("/api/v1/devices/{}/then?on={}", device.id, on(days));
        ask(path).await.json()
    };
    let firewall = |then: &serde_json::Value| {
        let all = then["findings"].as_array().unwrap().clone();
        all.into_iter().find(|finding| finding["rule"] == "firewall-on").unwrap()
    };
    for (days, standing, outcome) in [
        (0, "good", "pass"),
        (1, "good", "pass"),
        (2, "due", "fail"),
        (3, "due", "fail"),
        (4, "good", "pass"),
    ] {
        let (all, one) = (all(days).await, one(days).await);
        assert_eq!(all["standings"][standing], 1, "day {days}: {all}");
        assert_eq!(all["rules"]["firewall-on"][outcome], 1, "day {days}: {all}");
        assert_eq!(one["standing"]["standing"], standing, "day {days}");
        let firewall = firewall(&one);
        assert_eq!(firewall["outcome"], outcome, "day {days}");
        // What is said is proved by the entry that is named.
        let entry = ask(format!("/api/v1/ledger/{}", firewall["entry"])).await.json();
        assert_eq!(entry["kind"], "findings.changed");
        assert_eq!(entry["subject"], format!("device:{}", device.id));
        assert_eq!(entry["at"], firewall["since"]);
    }
    let before = all(-1).await;
    assert_eq!(before["entries"], 0, "{before}");
    assert!(one(-1).await["standing"].is_null());
    // The checkpoint is the one that was signed then.
    let (early, late) = (all(0).await, all(4).await);
    let size = |then: &serde_json::Value| then["entries"].as_u64().unwrap();
    assert!(size(&early) < size(&late));
    let note = early["checkpoint"].as_str().unwrap();
    assert_eq!(note.lines().nth(1), Some(size(&early).to_string().as_str()));

    // Today has not ended, and what is no day is refused beside the field.
    let session = server.sign_in(auditor).await;
    for day in [on(6), on(400), "2026-13-01".to_owned(), "x".to_owned()] {
        let reply = server.get(&format!("/then?on={day}"), &session).await;
        assert!(reply.status == 422 && reply.body.contains("Choose a day that has ended."), "{day}");
    }
    let page = server.get(&format!("/then?on={}", on(2)), &session).await;
    assert!(page.status == 200 && page.body.contains("How it was on"), "{}", page.status);
    server.post(&format!("/people/{sam}/look"), &session, "purpose=review").await;
    let page = server.get(&format!("/devices/{}/then?on={}", device.id, on(2)), &session).await;
    assert!(
        page.status == 200 && page.body.contains("Your firewall is on"),
        "{} {}",
        page.status,
        page.location
    );
    server.is_whole().await;
}

//! That the glass was broken is written down also while the store is away.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use std::sync::Arc;

use stead_model::UnitId;
use stead_server::{
    App, Config,
    flows::glass::{self, Broken},
    source::{SystemClock, SystemRandomness},
};
use support::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_down_while_the_store_was_away_is_entered_once() {
    let s = TestServer::start().await;
    let person = s.person("Ada", UnitId::ORGANISATION).await;
    let device = s.device(person, 1).await;
    let broken = |n: i64| Broken {
        at: s.app.now().plus(n),
        person,
        device,
        application: "records".to_owned(),
        reason: "outage".to_owned(),
        not_known: vec!["not-known".to_owned()],
        until: s.app.now().plus(60_000),
    };
    assert!(!glass::run(&s.app).await.unwrap(), "nothing waits");
    glass::record(&s.app, &broken(0)).await.unwrap();
    s.app.store.close().await;
    glass::record(&s.app, &broken(1)).await.unwrap();
    glass::record(&s.app, &broken(2)).await.unwrap();
    glass::run(&s.app).await.unwrap_err();

    let sources = (Arc::new(SystemClock) as _, Arc::new(SystemRandomness) as _);
    let app = App::open(&s.app.data, None, None, Config::default(), sources).await.unwrap();
    assert!(glass::run(&app).await.unwrap());
    assert!(!glass::run(&app).await.unwrap());
    let about = format!("person:{person}");
    let entries = app.store.ledger_newest(Some(&about), 1_000_000, 50).await.unwrap();
    let mut at: Vec<_> = entries.iter().filter(|entry| entry.kind == "gate.glass").map(|e| e.at).collect();
    at.sort();
    assert_eq!(at, [broken(0).at, broken(1).at, broken(2).at]);

    // Where it can be written nowhere, nobody comes in.
    app.store.close().await;
    std::fs::create_dir(app.data.join("glass.jsonl")).unwrap();
    glass::record(&app, &broken(3)).await.unwrap_err();
    s.is_whole().await;
}

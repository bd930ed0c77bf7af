//! When SQLite gets no memory: what was acknowledged is there, once, and what wasn't is whole or not there.
//!
//! SQLite's limit is its process's, and only ever goes down. So this program runs itself: the one that gets less and less
//! memory says what was acknowledged, and the other one looks.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::{collections::BTreeSet, process::Command, time::Duration};

use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use stead_ledger::{Checkpoint, Entry, NoteSigner, audit::Auditor};
use stead_model::{Employment, Millis, PersonId, UnitId, seal::Seed};
use stead_store::{Store, people::Person};

const NOW: Millis = Millis(1_773_305_091_000);
/// The limits go down from here, by this much.
const MOST: usize = 1024 * 1024;
const STEP: usize = 4 * 1024;
/// How often it runs, each time from another limit on.
const RUNS: usize = 8;
/// After so many refusals one after another nothing more comes of less.
const ENOUGH: usize = 16;
/// How long somebody waits for an answer.
const PATIENCE: Duration = Duration::from_millis(500);

fn signer() -> NoteSigner {
    NoteSigner::new("test/ledger", &Seed::new([3; 32])).unwrap()
}

/// Adds a person with an entry that names them; whether that was acknowledged.
async fn add(store: &Store, n: u64) -> bool {
    let [.., a, b, c, d] = n.to_be_bytes();
    let id = PersonId::from_parts(NOW, [a, b, c, d, 0, 0, 0, 0, 0, 1]);
    let person = Person::new(id, format!("Person {n}"), UnitId::ORGANISATION, Employment::Active, NOW);
    let adding = async {
        let mut write = store.write().await?;
        write.add_person(&person).await?;
        write.append(&Entry {
            at: NOW,
            by: "test".to_owned(),
            data: json!({ "n": n, "filler": "x".repeat(usize::try_from(n % 7).unwrap() * 300) }),
            kind: "person.added".to_owned(),
            subject: format!("person:{id}"),
        })?;
        write.commit(&signer()).await
    };
    // Whoever asked is gone before an answer that takes so long.
    tokio::time::timeout(PATIENCE, adding).await.is_ok_and(|added| added.is_ok())
}

/// What runs with less and less memory: it prints the number of each acknowledged change.
#[tokio::test(flavor = "multi_thread")]
async fn with_less_and_less_memory() {
    let Ok(given) = std::env::var("STEAD_OUT_OF_MEMORY") else { return };
    let (url, run) = given.rsplit_once(' ').unwrap();
    let run: usize = run.parse().unwrap();
    let store = Store::open(url).await.unwrap();
    let mut limited = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let (mut n, mut in_a_row) = (run as u64 * 1_000_000, 0);
    for limit in (0..MOST - run * STEP / RUNS).rev().step_by(STEP) {
        let set = format!("PRAGMA hard_heap_limit = {}", limit.max(1));
        // Below what this needs itself, the limit that was set last stays.
        let _ = sqlx::raw_sql(sqlx::AssertSqlSafe(set)).execute(&mut limited).await;
        n += 1;
        if add(&store, n).await {
            println!("acknowledged {n}");
            in_a_row = 0;
        } else {
            println!("refused {n}");
            in_a_row += 1;
        }
        if in_a_row == ENOUGH {
            return;
        }
        // The same again is rejected, and a transaction is dropped halfway: neither takes anything along.
        let _ = add(&store, n).await;
        let dropped = async { store.write().await?.set_meta("dropped", "yes").await };
        let _ = tokio::time::timeout(PATIENCE, dropped).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_what_is_acknowledged_without_memory_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("stead.db").display());
    Store::open(&url).await.unwrap().close().await;
    let (mut acknowledged, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for run in 0..RUNS {
        let ran = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "with_less_and_less_memory", "--nocapture"])
            .env("STEAD_OUT_OF_MEMORY", format!("{url} {run}"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        let numbers = |word: &str| -> BTreeSet<u64> {
            said.lines().filter_map(|line| line.split_once(word)?.1.trim().parse().ok()).collect()
        };
        acknowledged.append(&mut numbers("acknowledged "));
        refused.append(&mut numbers("refused "));

        let store = Store::open(&url).await.unwrap();
        assert!(add(&store, 500_000_000 + run as u64).await, "another process writes again");
        acknowledged.insert(500_000_000 + run as u64);
        assert_eq!(store.meta("dropped").await.unwrap(), None);
        let head = store.ledger_head().await.unwrap();
        let signed = Checkpoint::open(&head.checkpoint, signer().public()).unwrap();
        let mut auditor = Auditor::new(signed, Vec::new());
        let mut found = Vec::new();
        loop {
            let page = store.ledger_page(found.len() as u64).await.unwrap();
            if page.is_empty() {
                break;
            }
            for entry in &page {
                auditor.take(entry, |_, _| None).unwrap();
                let entry: Entry = serde_json::from_str(&entry.text).unwrap();
                found.push(entry.data["n"].as_u64().unwrap());
            }
        }
        assert_eq!(auditor.finish().unwrap(), found.len() as u64);
        let once: BTreeSet<u64> = found.iter().copied().collect();
        assert_eq!(once.len(), found.len(), "nothing is there twice");
        let lost: Vec<&u64> = acknowledged.difference(&once).collect();
        assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
        store.close().await;
    }
    eprintln!("{} acknowledged, {} refused for want of memory", acknowledged.len(), refused.len());
    assert!(acknowledged.len() > 100 && refused.len() > 20, "both were tried");
}

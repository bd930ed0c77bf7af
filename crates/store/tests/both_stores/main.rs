//! One suite, run on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::json;
use stead_ledger::{Checkpoint, Entry, NoteSigner, audit::Auditor, tree};
use stead_model::{
    DeviceId, Employment, Millis, Outcome, PersonId, Standing, UnitId, seal::Seed, tunnel::PublicKey,
};
use stead_store::{
    Store,
    certificate::Certificate,
    check_in::{Kept, NewReport, Step},
    device::{Filter, NewDevice, NewStanding, StandingChange},
    finding::StoredFinding,
    people::Person,
    tally::Tallies,
    tunnel::TunnelKey,
};
use stead_testkit::Postgres;

/// The server lives as long as this process: its guard ends it when the process does.
static POSTGRES: LazyLock<Result<Postgres, String>> = LazyLock::new(|| Postgres::start(false));
static DATABASES: AtomicUsize = AtomicUsize::new(0);

struct Fixture {
    store: Store,
    signer: NoteSigner,
    _folder: tempfile::TempDir,
}

async fn sqlite() -> Option<Fixture> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("stead.db").display());
    Some(fixture(&url, folder).await)
}

async fn postgres() -> Option<Fixture> {
    match &*POSTGRES {
        Ok(server) => {
            let name = format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed));
            let url = server.create_database(&name).unwrap();
            Some(fixture(&url, tempfile::tempdir().unwrap()).await)
        }
        Err(why) => {
            assert!(std::env::var_os("STEAD_TEST_ALL").is_none(), "{why}");
            eprintln!("skipped on PostgreSQL: {why}");
            None
        }
    }
}

async fn fixture(url: &str, folder: tempfile::TempDir) -> Fixture {
    Fixture {
        store: Store::open(url).await.unwrap(),
        signer: NoteSigner::new("test/ledger", &Seed::new([3; 32])).unwrap(),
        _folder: folder,
    }
}

/// Makes a test for each engine out of one.
macro_rules! on_both {
    ($($name:ident)+) => {
        mod on_sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { if let Some(f) = crate::sqlite().await { super::$name(f).await } })+ }
        mod on_postgres { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { if let Some(f) = crate::postgres().await { super::$name(f).await } })+ }
    };
}

mod people;

on_both! {
    a_dropped_transaction_changes_nothing
    the_ledger_survives_an_audit_and_proves_its_entries
    concurrent_writers_leave_no_gap
    a_code_is_used_once_by_64_at_the_same_time
    a_step_from_the_wrong_place_changes_nothing
    findings_are_written_over_and_listed_longest_first
    tallies_keep_their_days
    devices_are_listed_by_keyset
    tunnel_keys_have_places_and_go_with_their_device
    certificates_are_few_and_go_with_their_device
}

const NOW: Millis = Millis(1_773_305_091_000);

fn entry(n: u64) -> Entry {
    Entry {
        at: NOW,
        by: "test".to_owned(),
        data: json!({ "n": n }),
        kind: "test.done".to_owned(),
        subject: "server".to_owned(),
    }
}

fn device_id(n: u16) -> DeviceId {
    let [a, b] = n.to_be_bytes();
    DeviceId::from_parts(NOW, [a, b, 0, 0, 0, 0, 0, 0, 0, 1])
}

async fn enrol(f: &Fixture, n: u16) -> DeviceId {
    let id = device_id(n);
    let person = PersonId::from_parts(NOW, [u8::try_from(n % 250).unwrap(); 10]);
    let name = format!("Person {n:03}");
    let person = Person::new(person, name, UnitId::ORGANISATION, Employment::Active, NOW);
    let mut write = f.store.write().await.unwrap();
    write.add_person(&person).await.unwrap();
    let device = NewDevice {
        id,
        person: person.id,
        person_name: person.name,
        name: format!("laptop-{n:03}"),
        owner: "organisation".to_owned(),
        public_key: format!("key {n}"),
        machine: "same".to_owned(),
    };
    write.add_device(&device, NOW).await.unwrap();
    write.commit(&f.signer).await.unwrap();
    id
}

async fn a_dropped_transaction_changes_nothing(f: Fixture) {
    let mut write = f.store.write().await.unwrap();
    write.append(&entry(0)).unwrap();
    write.set_meta("a", "b").await.unwrap();
    drop(write);
    assert_eq!(f.store.ledger_head().await.unwrap().size, 0);
    assert_eq!(f.store.meta("a").await.unwrap(), None);
}

async fn the_ledger_survives_an_audit_and_proves_its_entries(f: Fixture) {
    for batch in 0..12_u64 {
        let mut write = f.store.write().await.unwrap();
        for n in 0..50 {
            assert_eq!(write.append(&entry(n)).unwrap(), batch * 50 + n);
        }
        write.commit(&f.signer).await.unwrap();
    }
    let head = f.store.ledger_head().await.unwrap();
    let key = f.signer.public();
    let signed = Checkpoint::open(&head.checkpoint, key).unwrap();
    assert_eq!(signed.size, 600);
    let tiles = f.store.ledger_tiles().await.unwrap();
    assert_eq!(tiles.len(), 2);
    let notes: Vec<String> =
        f.store.ledger_checkpoints(100).await.unwrap().into_iter().map(|(_, note)| note).collect();
    assert_eq!(notes.len(), 12);
    let earlier = notes.iter().map(|note| Checkpoint::open(note, key).unwrap()).collect();
    let mut auditor = Auditor::new(signed.clone(), earlier);
    for found in f.store.ledger_page(0).await.unwrap() {
        auditor.take(&found, |level, index| tiles.get(&(level, index)).cloned()).unwrap();
    }
    assert_eq!(auditor.finish(), Ok(600));
    for index in [0, 255, 256, 511, 512, 599] {
        let proof = f.store.inclusion_proof(index, 600).await.unwrap().unwrap();
        let leaf = f.store.ledger_entry(index).await.unwrap().unwrap().leaf;
        assert!(tree::verify_inclusion(leaf, index, 600, &proof, &signed.root), "{index}");
    }
    assert_eq!(f.store.ledger_newest(Some("server"), 600, 3).await.unwrap()[0].index, 599);
    assert!(f.store.ledger_newest(Some("device:none"), 600, 3).await.unwrap().is_empty());
}

async fn concurrent_writers_leave_no_gap(f: Fixture) {
    let f = Arc::new(f);
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let f = Arc::clone(&f);
            tokio::spawn(async move {
                let mut write = f.store.write().await.unwrap();
                write.append(&entry(n)).unwrap();
                write.commit(&f.signer).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let positions: Vec<u64> = f.store.ledger_page(0).await.unwrap().iter().map(|found| found.index).collect();
    assert_eq!(positions, (0..40).collect::<Vec<_>>());
}

async fn a_code_is_used_once_by_64_at_the_same_time(f: Fixture) {
    let id = PersonId::from_parts(NOW, [1; 10]);
    let person = Person::new(id, "Sam Sample".to_owned(), UnitId::ORGANISATION, Employment::Active, NOW);
    let mut write = f.store.write().await.unwrap();
    write.add_person(&person).await.unwrap();
    write.add_code("digest", (person.id, "maker"), "organisation", NOW, NOW.plus(1000)).await.unwrap();
    write.commit(&f.signer).await.unwrap();
    let f = Arc::new(f);
    let tasks: Vec<_> = (0..64)
        .map(|n| {
            let f = Arc::clone(&f);
            tokio::spawn(async move {
                let mut write = f.store.write().await.unwrap();
                let used = write.use_code("digest", device_id(n), NOW).await.unwrap();
                write.commit(&f.signer).await.unwrap();
                used
            })
        })
        .collect();
    let mut used = 0;
    for task in tasks {
        used += usize::from(task.await.unwrap());
    }
    assert_eq!(used, 1);
    let code = f.store.write().await.unwrap().code("digest").await.unwrap().unwrap();
    assert_eq!(code.used_at, Some(NOW));
    assert_eq!(code.person_name, "Sam Sample");
}

async fn a_step_from_the_wrong_place_changes_nothing(f: Fixture) {
    let (a, b) = (enrol(&f, 1).await, enrol(&f, 2).await);
    let step = |device, prev_seq, seq| Step {
        device,
        prev_seq,
        seq,
        last_seen: NOW.plus(seq),
        message: format!("m{seq}"),
    };
    let mut write = f.store.write().await.unwrap();
    assert!(!write.step_all(&[step(a, 0, 1), step(b, 5, 6)]).await.unwrap());
    drop(write);
    let mut write = f.store.write().await.unwrap();
    let moved = write.step_some(&[step(a, 0, 1), step(b, 5, 6)]).await.unwrap();
    assert_eq!(moved, [a].into());
    let report = NewReport {
        device: a,
        seq: 1,
        received_at: NOW,
        digest: "d".to_owned(),
        facts_digest: "f".to_owned(),
        pack: "p 1".to_owned(),
        pack_digest: "x".to_owned(),
        envelope: "{}".to_owned(),
    };
    write.put_reports(vec![report]).await.unwrap();
    write.commit(&f.signer).await.unwrap();
    let known = f.store.known(a).await.unwrap().unwrap();
    assert_eq!((known.seq, known.message.as_str(), known.last_seen), (1, "m1", NOW.plus(1)));
    assert_eq!(
        known.judged,
        Some(Kept {
            seq: 1,
            received_at: NOW,
            facts_digest: "f".to_owned(),
            pack_digest: "x".to_owned(),
            basis: 0
        })
    );
    assert_eq!(f.store.known(b).await.unwrap().unwrap().seq, 0);
    assert!(f.store.known(device_id(9)).await.unwrap().is_none());
    assert_eq!(f.store.report(a).await.unwrap().unwrap().envelope, "{}");
}

async fn findings_are_written_over_and_listed_longest_first(f: Fixture) {
    let ids = [enrol(&f, 1).await, enrol(&f, 2).await, enrol(&f, 3).await];
    let finding = |outcome: Outcome, since: i64| StoredFinding {
        rule: "disk-encrypted".to_owned(),
        outcome,
        observed: "/: not encrypted".to_owned(),
        origin: "lsblk".to_owned(),
        at: NOW,
        since: NOW.plus(since),
        failing_since: outcome.counts_against().then(|| NOW.plus(since)),
        stage: stead_model::Stage::Enforce,
        counts_since: outcome.counts_against().then(|| NOW.plus(since)),
        due: outcome.counts_against().then(|| NOW.plus(since + 10)),
    };
    let mut write = f.store.write().await.unwrap();
    let all = vec![
        (ids[0], finding(Outcome::Fail, 20)),
        (ids[1], finding(Outcome::Unknown, 10)),
        (ids[2], finding(Outcome::Fail, 30)),
    ];
    write.put_findings(all).await.unwrap();
    write.put_findings(vec![(ids[2], finding(Outcome::Pass, 40))]).await.unwrap();
    write.commit(&f.signer).await.unwrap();
    let against = f.store.against("disk-encrypted", None, 10).await.unwrap();
    let seen: Vec<_> = against.iter().map(|a| (a.device, a.outcome)).collect();
    assert_eq!(seen, [(ids[1], Outcome::Unknown), (ids[0], Outcome::Fail)]);
    let rest = f
        .store
        .against("disk-encrypted", Some((against[0].failing_since, against[0].device)), 10)
        .await
        .unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(f.store.findings(ids[2]).await.unwrap(), [finding(Outcome::Pass, 40)]);
}

async fn tallies_keep_their_days(f: Fixture) {
    for (day, from, to) in [
        (10, None, Standing::Unknown),
        (11, Some(Standing::Unknown), Standing::Good),
        (11, Some(Standing::Good), Standing::Due),
        (14, Some(Standing::Due), Standing::Good),
    ] {
        let mut write = f.store.write().await.unwrap();
        let mut tallies = Tallies::default();
        tallies.standing(from, to);
        write.write_tallies(tallies, day).await.unwrap();
        write.commit(&f.signer).await.unwrap();
    }
    let now = f.store.tallies().await.unwrap();
    assert_eq!(now["standing/good"], 1);
    assert_eq!(now["standing/due"], 0);
    let days = f.store.tally_days("standing/", 12).await.unwrap();
    let due: Vec<_> =
        days.iter().filter(|(_, name, _)| name == "standing/due").map(|(day, _, n)| (*day, *n)).collect();
    assert_eq!(due, [(11, 1), (14, 0)]);
}

async fn devices_are_listed_by_keyset(f: Fixture) {
    let mut ids = Vec::new();
    for n in 0..30 {
        ids.push(enrol(&f, n).await);
    }
    let mut write = f.store.write().await.unwrap();
    let standing = |standing, since: i64, system: &str| NewStanding {
        device: ids[7],
        standing,
        since: NOW.plus(since),
        deadline: Some(NOW.plus(5)),
        system: system.to_owned(),
    };
    write.put_standings(vec![standing(Standing::Lapsed, 1, "Debian")]).await.unwrap();
    write.put_standings(vec![standing(Standing::Lapsed, 2, "")]).await.unwrap();
    let change = StandingChange { entry: 4, at: NOW, standing: Standing::Lapsed, reason: "disk".to_owned() };
    write.put_standing_changes(vec![(ids[7], change)]).await.unwrap();
    write.commit(&f.signer).await.unwrap();

    let first = f.store.devices(&Filter::default(), 20).await.unwrap();
    assert_eq!(first.len(), 20);
    let last = first.last().unwrap();
    let after = Some((last.search.clone(), last.id.to_string()));
    let second = f.store.devices(&Filter { after, ..Filter::default() }, 20).await.unwrap();
    assert_eq!(second.len(), 10);
    let words = Filter { words: "person 012".to_owned(), ..Filter::default() };
    assert_eq!(f.store.devices(&words, 20).await.unwrap()[0].name, "laptop-012");
    let hostile = Filter { words: "%' OR 1=1 --".to_owned(), ..Filter::default() };
    assert!(f.store.devices(&hostile, 20).await.unwrap().is_empty());
    let lapsed = Filter { standing: Some(Standing::Lapsed), ..Filter::default() };
    let lapsed = f.store.devices(&lapsed, 20).await.unwrap();
    assert_eq!((lapsed.len(), lapsed[0].id, lapsed[0].system.as_str()), (1, ids[7], "Debian"));
    assert_eq!(lapsed[0].standing_since, NOW.plus(1), "it has been so since it was first written");
    assert_eq!(f.store.devices_at_deadline(NOW.plus(5), 10).await.unwrap(), [ids[7]]);
    assert!(f.store.devices_at_deadline(NOW.plus(4), 10).await.unwrap().is_empty());
    assert_eq!(f.store.silent_devices(NOW, 100).await.unwrap(), [ids[7]]);
    assert_eq!(f.store.standing_changes(ids[7], NOW.plus(100)).await.unwrap().len(), 1);
    assert_eq!(f.store.device(ids[7]).await.unwrap().unwrap().last_seen, None);

    let mut write = f.store.write().await.unwrap();
    let again = NewDevice {
        id: device_id(99),
        person: f.store.device(ids[0]).await.unwrap().unwrap().person,
        person_name: "x".to_owned(),
        name: "x".to_owned(),
        owner: "person".to_owned(),
        public_key: "key 0".to_owned(),
        machine: "same".to_owned(),
    };
    assert!(write.add_device(&again, NOW).await.unwrap_err().is_duplicate());
    drop(write);
    let mut write = f.store.write().await.unwrap();
    assert_eq!(write.same_machine("same").await.unwrap().len(), 20);
    assert!(write.revoke_device(ids[0], NOW).await.unwrap());
    assert!(!write.revoke_device(ids[0], NOW).await.unwrap());
}

async fn certificates_are_few_and_go_with_their_device(f: Fixture) {
    let ids = [enrol(&f, 1).await, enrol(&f, 2).await];
    let one = |n: u8, device, ends: i64| Certificate {
        fingerprint: [n; 32],
        device,
        made_at: NOW.plus(i64::from(n)),
        ends_at: NOW.plus(ends),
    };
    let mut write = f.store.write().await.unwrap();
    for n in 1..=3 {
        write.add_certificate(&one(n, ids[0], 100), 1).await.unwrap();
    }
    write.add_certificate(&one(4, ids[1], 100), 1).await.unwrap();
    assert!(write.add_certificate(&one(4, ids[0], 100), 1).await.unwrap_err().is_duplicate());
    drop(write);
    let mut write = f.store.write().await.unwrap();
    for n in 1..=3 {
        write.add_certificate(&one(n, ids[0], 100), 1).await.unwrap();
    }
    write.add_certificate(&one(4, ids[1], 100), 1).await.unwrap();
    write.commit(&f.signer).await.unwrap();
    let held = f.store.certificates(&ids).await.unwrap();
    assert_eq!(held, [one(4, ids[1], 100), one(3, ids[0], 100), one(2, ids[0], 100)]);
    assert_eq!(f.store.gate_devices(&ids[1..]).await.unwrap()[0].certificates, [one(4, ids[1], 100)]);
    // What has ended goes with the next.
    let mut write = f.store.write().await.unwrap();
    write.add_certificate(&one(150, ids[0], 900), 1).await.unwrap();
    assert!(write.revoke_device(ids[1], NOW).await.unwrap());
    write.commit(&f.signer).await.unwrap();
    assert_eq!(f.store.certificates(&ids).await.unwrap(), [one(150, ids[0], 900)]);
}

async fn tunnel_keys_have_places_and_go_with_their_device(f: Fixture) {
    let ids = [enrol(&f, 1).await, enrol(&f, 2).await, enrol(&f, 3).await];
    let key = |n: u8, device, place| TunnelKey {
        tunnel: "office".to_owned(),
        device,
        key: PublicKey([n; 32]),
        place,
        made_at: NOW.plus(i64::from(n)),
        asked_at: NOW,
    };
    let mut write = f.store.write().await.unwrap();
    for (n, id) in (1_u8..).zip(ids) {
        let place = write.free_place("office").await.unwrap();
        assert_eq!(place, i64::from(n) + 1);
        write.set_tunnel_key(&key(n, id, place)).await.unwrap();
    }
    assert_eq!(write.free_place("lab").await.unwrap(), 2);
    // A new key takes the place of the one before.
    write.set_tunnel_key(&key(9, ids[0], 2)).await.unwrap();
    assert_eq!(write.tunnel_key("office", ids[0]).await.unwrap(), Some(key(9, ids[0], 2)));
    assert!(write.revoke_device(ids[1], NOW).await.unwrap());
    assert_eq!(write.free_place("office").await.unwrap(), 3);
    write.commit(&f.signer).await.unwrap();
    let held = f.store.tunnel_keys(&ids).await.unwrap();
    assert_eq!(held, [key(9, ids[0], 2), key(3, ids[2], 4)]);
    let mut write = f.store.write().await.unwrap();
    let twice = write.set_tunnel_key(&key(9, ids[1], 3)).await.unwrap_err();
    assert!(twice.is_duplicate(), "two devices never have one key");
    drop(write);
    let mut write = f.store.write().await.unwrap();
    write.forget_old_tunnel_keys("office", NOW.plus(9)).await.unwrap();
    write.commit(&f.signer).await.unwrap();
    assert_eq!(f.store.tunnel_keys(&ids).await.unwrap(), [key(9, ids[0], 2)]);
}

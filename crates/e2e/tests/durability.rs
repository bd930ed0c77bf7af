//! What was answered is there: the server is killed under load, again and again, without a word.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests: what cannot go on must stop")]

use std::{
    collections::HashMap,
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use stead_e2e::{Fleet, postgres, system_now};
use stead_model::{DeviceId, Fact};
use stead_testkit::{
    Client, SimDevice,
    device::{good_facts_at, text},
};

/// Kills in each run; `STEAD_KILLS` sets another number.
fn kills() -> usize {
    std::env::var("STEAD_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(20)
}

#[test]
fn killed_under_load_on_sqlite() {
    killed_under_load(Fleet::start(None));
}

#[test]
fn killed_under_load_on_postgres() {
    if let Some(store) = postgres() {
        killed_under_load(Fleet::start(Some(&store)));
    }
}

fn killed_under_load(mut f: Fleet) {
    let devices: Vec<SimDevice> =
        (0..8).map(|n| f.enrol_another(&format!("laptop-{n}"), "organisation")).collect();
    let acknowledged: Arc<Mutex<HashMap<DeviceId, i64>>> = Arc::default();
    let ending = Arc::new(AtomicBool::new(false));
    let address = f.server.address;
    let threads: Vec<_> = devices
        .into_iter()
        .map(|mut device| {
            let (acknowledged, ending) = (Arc::clone(&acknowledged), Arc::clone(&ending));
            thread::spawn(move || {
                let mut client: Option<Client> = None;
                while !ending.load(Ordering::Relaxed) {
                    let Some(connected) = client.as_mut() else {
                        client = Client::connect(address).ok();
                        thread::sleep(Duration::from_millis(2));
                        continue;
                    };
                    // Each report changes a finding, so each writes rows, entries and tallies.
                    let mut facts = good_facts_at(system_now());
                    facts.insert(
                        "device.clock.synchronised".to_owned(),
                        Fact::known(device.seq % 2 == 0, "test"),
                    );
                    let report = device.report(&facts, system_now());
                    match connected.post("/api/v1/check-ins", &text(&report)) {
                        Ok((200, _)) => {
                            acknowledged.lock().unwrap().insert(device.id, device.seq);
                        }
                        Ok((503, _)) | Err(_) => client = None,
                        Ok((status, body)) => panic!("{status}: {body}"),
                    }
                }
            })
        })
        .collect();
    for round in 0..kills() {
        thread::sleep(Duration::from_millis(30 + (round as u64 * 37) % 90));
        f.server.kill();
        f.server.again().unwrap();
    }
    thread::sleep(Duration::from_millis(200));
    ending.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|t| t.join().unwrap());
    f.client = f.server.client().unwrap();

    let acknowledged = acknowledged.lock().unwrap().clone();
    assert_eq!(acknowledged.len(), 8);
    for (device, seq) in &acknowledged {
        let page = f.page(&format!("/devices/{device}"));
        let heard: i64 = page
            .split("number ")
            .nth(1)
            .unwrap()
            .split('<')
            .next()
            .unwrap()
            .replace(',', "")
            .parse()
            .unwrap();
        assert!(heard >= *seq, "device {device}: {seq} was answered, {heard} is there");
    }
    let said = f.verify_ledger();
    eprintln!("{} kills, {} messages answered: {said}", kills(), acknowledged.values().sum::<i64>());
}

/// Whoever changes the store is found out, and the first bad entry is named.
#[test]
fn a_rewritten_ledger_is_found_out() {
    let mut f = Fleet::start(None);
    for n in 0..40 {
        let mut facts = good_facts_at(f.now());
        facts.insert("device.clock.synchronised".to_owned(), Fact::known(n % 2 == 0, "test"));
        f.report(&facts);
    }
    f.verify_ledger();
    let key = f.server.ledger_key().unwrap();
    let seen = f.folder.path().join("seen");
    fs::write(&seen, f.client.get("/ledger/checkpoint", "").unwrap().1).unwrap();
    let whole = fs::read_to_string(f.export("whole.jsonl")).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let verify = |f: &Fleet, name: &str, text: &str, more: &[&str]| {
        let file = f.folder.path().join(name);
        fs::write(&file, text).unwrap();
        let file = file.to_string_lossy().into_owned();
        let arguments = [&["verify", &file, "--key", &key], more].concat();
        let out = f.server.ledger(&arguments).unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let join = |lines: &[String]| lines.join("\n");
    let own = || lines.iter().map(|line| (*line).to_owned()).collect::<Vec<String>>();

    assert_eq!(verify(&f, "same", &whole, &[]).0, Some(0));
    let mut flipped = own();
    flipped[21] = flipped[21].replace("check-in", "Check-in");
    assert!(verify(&f, "flipped", &join(&flipped), &[]).1.contains("entry 20 has been changed"));
    let mut missing = own();
    missing.remove(15);
    assert!(verify(&f, "missing", &join(&missing), &[]).1.contains("entry 14 is missing"));
    let mut swapped = own();
    swapped.swap(11, 12);
    assert!(verify(&f, "swapped", &join(&swapped), &[]).1.contains("entry 10 is missing"));
    let cut = join(&own()[..30]);
    assert!(verify(&f, "cut", &cut, &[]).1.contains("entries are missing from 29 on"));
    let other = verify(&f, "other-key", &whole.replacen(&key, "x", 1), &[]);
    assert_eq!(other.0, Some(0), "the key given counts, not the one in the file");
    // An old copy is whole in itself; only a checkpoint that was kept shows that it was set back.
    let old_export = f.export("old.jsonl");
    f.report(&good_facts_at(f.now()));
    fs::write(&seen, f.client.get("/ledger/checkpoint", "").unwrap().1).unwrap();
    let old = fs::read_to_string(old_export).unwrap();
    assert_eq!(verify(&f, "old", &old, &[]).0, Some(0));
    let kept = seen.to_string_lossy().into_owned();
    assert!(verify(&f, "set-back", &old, &["--seen", &kept]).1.contains("set back"));

    // A page's bundle verifies offline as well, and a changed one does not.
    let entry = lines.iter().position(|line| line.contains("check-in")).unwrap() - 1;
    let bundle = f.page(&format!("/ledger/entries/{entry}/bundle"));
    assert_eq!(verify(&f, "bundle.json", &bundle, &[]).0, Some(0));
    assert_eq!(verify(&f, "bundle-changed.json", &bundle.replace("check-in", "Check-in"), &[]).0, Some(1));
    let report = f.page(&format!("/devices/{}/report", f.device.id));
    let sealed = |f: &Fleet, name: &str, text: &str| {
        let file = f.folder.path().join(name);
        fs::write(&file, text).unwrap();
        f.server.ledger(&["verify", &file.to_string_lossy()]).unwrap().status.code()
    };
    assert_eq!(sealed(&f, "report.json", &report), Some(0));
    // Turned to the other case, the first letter of the payload is another one, and base64 all the same.
    let changed = report.replace("\"payload\": \"e", "\"payload\": \"f");
    assert_ne!(changed, report);
    assert_eq!(sealed(&f, "report-changed.json", &changed), Some(1));
}

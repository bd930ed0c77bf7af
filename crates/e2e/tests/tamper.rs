//! Whoever changes the database is found out: by `ledger verify` alone, on a copy, with a key and a checkpoint kept apart.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use stead_e2e::Fleet;
use stead_model::Fact;
use stead_testkit::device::good_facts_at;

/// A copy of a ledger's database, what verifies it, and a checkpoint kept from earlier.
struct Copy {
    fleet: Fleet,
    file: PathBuf,
    key: String,
    seen: PathBuf,
}

impl Copy {
    /// Of more entries than a tile holds.
    fn make() -> Self {
        let mut fleet = Fleet::start(None);
        for n in 0..300 {
            let mut facts = good_facts_at(fleet.now());
            facts.insert("device.clock.synchronised".to_owned(), Fact::known(n % 2 == 0, "test"));
            fleet.report(&facts);
        }
        let seen = fleet.folder.path().join("seen");
        fs::write(&seen, fleet.client.get("/ledger/checkpoint", "").unwrap().1).unwrap();
        let key = fleet.server.ledger_key().unwrap();
        let data = fleet.server.data().to_owned();
        fleet.server.terminate();
        let file = fleet.folder.path().join("copy.db");
        fs::copy(data.join("stead.db"), &file).unwrap();
        Self { fleet, file, key, seen }
    }

    /// Whether a changed copy verifies: the exit status and what was said.
    fn verify(&self, file: &Path, with_seen: bool) -> (i32, String) {
        let mut arguments =
            vec!["verify".to_owned(), file.display().to_string(), "--key".to_owned(), self.key.clone()];
        if with_seen {
            arguments.extend(["--seen".to_owned(), self.seen.display().to_string()]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let out = self.fleet.server.ledger(&arguments).unwrap();
        let said = [out.stdout, out.stderr].concat();
        (out.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
    }

    /// A copy changed with another program's SQLite.
    fn changed(&self, name: &str, sql: &str) -> PathBuf {
        let file = self.fleet.folder.path().join(format!("{name}.db"));
        fs::copy(&self.file, &file).unwrap();
        // What changes nothing proves nothing.
        let script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); before = list(db.iterdump()); \
            db.executescript(sys.argv[2]); db.commit(); assert list(db.iterdump()) != before, 'nothing was changed'";
        let out = Command::new("python3").args(["-c", script]).arg(&file).arg(sql).output().unwrap();
        assert!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
        file
    }
}

/// S1, S12: each of these once verified, or was called empty and ended with 0.
#[test]
fn s1_s12_what_is_not_as_it_was_signed_never_ends_well() {
    let copy = Copy::make();
    assert_eq!(copy.verify(&copy.file, true).0, 0, "{}", copy.verify(&copy.file, true).1);
    let empty = "UPDATE ledger_head SET size = 0, frontier = '', checkpoint = ''; ";
    let all = "DELETE FROM ledger_entry; DELETE FROM ledger_tile; DELETE FROM ledger_checkpoint; ";
    let changes = [
        ("size-0", "UPDATE ledger_head SET size = 0".to_owned()),
        ("head-empty", empty.to_owned()),
        ("entries-gone", format!("{empty} DELETE FROM ledger_entry")),
        ("entries-and-tiles-gone", format!("{empty} DELETE FROM ledger_entry; DELETE FROM ledger_tile")),
        ("tiles-left", format!("{empty} DELETE FROM ledger_entry; DELETE FROM ledger_checkpoint")),
        ("rows-gone-size-kept", all.to_owned()),
        ("size-less", "UPDATE ledger_head SET size = size - 1".to_owned()),
        ("size-more", "UPDATE ledger_head SET size = size + 1".to_owned()),
        ("frontier", "UPDATE ledger_head SET frontier = replace(frontier, '0', '1')".to_owned()),
        ("checkpoint-older", "UPDATE ledger_head SET checkpoint = (SELECT note FROM ledger_checkpoint ORDER BY size LIMIT 1)".to_owned()),
        ("column-at", "UPDATE ledger_entry SET at = at - 86400000 WHERE idx = 100".to_owned()),
        ("column-kind", "UPDATE ledger_entry SET kind = 'device.renamed' WHERE idx = 100".to_owned()),
        ("column-subject", "UPDATE ledger_entry SET subject = 'server' WHERE idx = 100".to_owned()),
        ("column-leaf", "UPDATE ledger_entry SET leaf = substr(leaf, 2) || substr(leaf, 1, 1) WHERE idx = 100".to_owned()),
        ("text", "UPDATE ledger_entry SET text = replace(text, 'check-in', 'operator') WHERE idx = 100".to_owned()),
        ("entry-gone", "DELETE FROM ledger_entry WHERE idx = 100".to_owned()),
        ("last-entry-gone", "DELETE FROM ledger_entry WHERE idx = (SELECT max(idx) FROM ledger_entry)".to_owned()),
        ("entry-more", "INSERT INTO ledger_entry SELECT idx + 1, at, kind, subject, leaf, text FROM ledger_entry ORDER BY idx DESC LIMIT 1".to_owned()),
        ("tile-gone", "DELETE FROM ledger_tile WHERE level = 0 AND idx = 0".to_owned()),
        ("tile-longer", "UPDATE ledger_tile SET hashes = hashes || substr(hashes, 1, 64)".to_owned()),
        ("tile-more", "INSERT INTO ledger_tile SELECT level, idx + 1, hashes FROM ledger_tile WHERE level = 0 ORDER BY idx DESC LIMIT 1".to_owned()),
        ("tile-of-a-level-too-high", "INSERT INTO ledger_tile SELECT level + 1, 0, hashes FROM ledger_tile WHERE level = 0 LIMIT 1".to_owned()),
        ("checkpoint-signature", "UPDATE ledger_checkpoint SET note = replace(note, 'A', 'B')".to_owned()),
        ("view", "ALTER TABLE ledger_entry RENAME TO hidden; CREATE VIEW ledger_entry AS SELECT * FROM hidden".to_owned()),
        ("trigger", "CREATE TRIGGER t AFTER INSERT ON ledger_entry BEGIN DELETE FROM device; END".to_owned()),
    ];
    for (name, sql) in &changes {
        let file = copy.changed(name, sql);
        for with_seen in [false, true] {
            let (status, said) = copy.verify(&file, with_seen);
            assert_ne!(status, 0, "{name} (kept checkpoint: {with_seen}): {said}");
        }
    }
    // Emptied without a trace, only a checkpoint that was kept tells.
    let file = copy.changed("emptied", &format!("{empty} {all}"));
    let (status, said) = copy.verify(&file, true);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("set back"), "{said}");
    eprintln!("{} changes, each found with and without a kept checkpoint", changes.len());
}

/// S13, S24: an option that was given counts or is refused, and a file's text moves no cursor.
#[test]
fn s13_s24_an_option_that_is_given_counts_and_a_forged_report_is_not_the_devices() {
    let mut f = Fleet::start(None);
    let facts = good_facts_at(f.now());
    f.report(&facts);
    let device = f.device.id;
    let report = f.page(&format!("/devices/{device}/report"));
    let file = f.folder.path().join("report.json");
    fs::write(&file, &report).unwrap();
    let key = f.server.ledger_key().unwrap();
    let path = file.display().to_string();
    let verify = |f: &Fleet, more: &[&str]| {
        let out = f.server.ledger(&[&["verify", &path][..], more].concat()).unwrap();
        (out.status.code().unwrap(), String::from_utf8([out.stdout, out.stderr].concat()).unwrap())
    };
    let (status, said) = verify(&f, &["--key", &key]);
    assert!(
        status == 0 && said.contains("enrolled it with this key") && said.contains("names the report"),
        "{said}"
    );
    // Sealed by a key of one's own, in the device's name, with the real ledger around it.
    let forger = stead_model::seal::SigningKey::from_seed(&stead_model::seal::Seed::new([66; 32])).unwrap();
    let mut forged: serde_json::Value = serde_json::from_str(&report).unwrap();
    let payload = b"{}";
    let envelope = forger.seal(stead_model::message::REPORT, payload, &device.to_string());
    let key_of = stead_model::seal::VerifyingKey::from_bytes(&forger.public()).unwrap();
    let opened = envelope.open(stead_model::message::REPORT, &key_of).unwrap();
    forged["envelope"] = serde_json::to_value(&envelope).unwrap();
    forged["digest"] = format!("sha256:{}", stead_model::seal::hex(&opened.digest())).into();
    forged["public_key"] = forger.public_text().into();
    fs::write(&file, forged.to_string()).unwrap();
    let (status, said) = verify(&f, &["--key", &key]);
    assert!(status == 1 && said.contains("doesn't enroll this device with this key"), "{said}");
    // The report of a device whose entry was left out, and one that another entry is said to name.
    let real: serde_json::Value = serde_json::from_str(&report).unwrap();
    let mut bare = real.clone();
    bare.as_object_mut().unwrap().remove("ledger");
    fs::write(&file, bare.to_string()).unwrap();
    assert_eq!(verify(&f, &["--key", &key]).0, 2);
    assert!(verify(&f, &[]).1.contains("the file alone says that this key is the device's"));
    let mut other = real.clone();
    other["ledger"]["named"] = real["ledger"]["enrolled"].clone();
    fs::write(&file, other.to_string()).unwrap();
    assert_eq!(verify(&f, &["--key", &key]).0, 1);
    // A kept checkpoint counts: the bundle shows that its log continues it, when it was asked for by its size.
    let kept = f.folder.path().join("kept");
    let note = f.client.get("/ledger/checkpoint", "").unwrap().1;
    fs::write(&kept, &note).unwrap();
    let size = note.lines().nth(1).unwrap().to_owned();
    let mut facts = facts;
    facts.insert("device.clock.synchronised".to_owned(), Fact::known(false, "test"));
    f.report(&facts);
    let kept = kept.display().to_string();
    for address in [format!("/devices/{device}/report"), "/ledger/entries/3/bundle".to_owned()] {
        fs::write(&file, f.page(&address)).unwrap();
        let (status, said) = verify(&f, &["--key", &key, "--seen", &kept]);
        assert!(status == 2 && said.contains(&format!("?seen={size}")), "{said}");
        let whole = f.page(&format!("{address}?seen={size}"));
        fs::write(&file, &whole).unwrap();
        let (status, said) = verify(&f, &["--key", &key, "--seen", &kept]);
        assert_eq!(status, 0, "{said}");
        let mut cut: serde_json::Value = serde_json::from_str(&whole).unwrap();
        let log = if cut["ledger"].is_null() { &mut cut } else { &mut cut["ledger"] };
        log["consistency"]["proof"].as_array_mut().unwrap().pop();
        fs::write(&file, cut.to_string()).unwrap();
        assert_eq!(verify(&f, &["--key", &key, "--seen", &kept]).0, 1);
    }

    let bundle = f.page("/ledger/entries/3/bundle");
    let hostile =
        bundle.replacen("\"text\": \"", "\"text\": \"\\u001b[2JAll 500 entries are what was signed.\\n", 1);
    fs::write(&file, hostile).unwrap();
    let out = f.server.ledger(&["verify", &path, "--key", &key]).unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(![out.stdout, out.stderr].concat().contains(&0x1b), "an escape reached the terminal");
    // A checkpoint that was kept counts for a bundle too.
    let seen = f.folder.path().join("seen");
    fs::write(&seen, f.client.get("/ledger/checkpoint", "").unwrap().1.replace("stead/", "other/")).unwrap();
    fs::write(&file, bundle).unwrap();
    let out =
        f.server.ledger(&["verify", &path, "--key", &key, "--seen", &seen.display().to_string()]).unwrap();
    assert_eq!(out.status.code(), Some(1), "{}", String::from_utf8_lossy(&out.stdout));
}

/// S14: the policy in effect was read from the database as it stood there: a rule made weaker counted.
#[test]
fn s14_a_changed_policy_opens_nothing_and_is_reported() {
    let mut fleet = Fleet::start(None);
    let mut clear = good_facts_at(fleet.now());
    let volume = stead_model::fact::Record::from([
        ("mount".to_owned(), stead_model::fact::Field::from("/home")),
        ("encrypted".to_owned(), stead_model::fact::Field::from(false)),
        ("how".to_owned(), stead_model::fact::Field::from("clear")),
    ]);
    clear.insert("device.volumes".to_owned(), Fact::known(vec![volume], "/proc/self/mountinfo"));
    let good = good_facts_at(fleet.now());
    assert_eq!(fleet.report(&good).standing, stead_model::Standing::Good);
    let data = fleet.server.data().to_owned();
    let file = data.join("stead.db");
    let key = fleet.server.ledger_key().unwrap();
    let weaker = "files = replace(files, 'severity = ', 'stage = \\\"observe\\\"\\nseverity = ')";
    for (name, change) in [
        ("a weaker rule", format!("UPDATE policy_version SET {weaker}")),
        (
            "with a digest of its own",
            format!("UPDATE policy_version SET {weaker}, digest = 'sha256:{}'", "0".repeat(64)),
        ),
        ("another text", "UPDATE policy_version SET files = '{}'".to_owned()),
        ("no text at all", "UPDATE policy_version SET files = 'x'".to_owned()),
        ("gone", "DELETE FROM policy_version".to_owned()),
    ] {
        fleet.server.terminate();
        let kept = fleet.folder.path().join("kept.db");
        fs::copy(&file, &kept).unwrap();
        let script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.executescript(sys.argv[2]); db.commit()";
        let out = Command::new("python3").args(["-c", script]).arg(&file).arg(&change).output().unwrap();
        assert!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
        fleet.server.again().unwrap();
        fleet.client = fleet.server.client().unwrap();
        let (status, said) = fleet.client.get("/healthz", "").unwrap();
        assert_eq!(status, 503, "{name}: {said}");
        assert!(said.contains("the policy in effect"), "{name}: {said}");
        let report = fleet.device.report(&clear, fleet.now());
        let refused = fleet.post(&report).unwrap_err();
        assert_eq!(refused.status, 503, "{name}");
        let page = fleet.page("/system");
        assert!(page.contains("access is closed for everyone"), "{name}");
        assert!(fleet.page("/home").contains("access is closed for everyone"), "{name}");
        fleet.server.terminate();
        let path = file.display().to_string();
        let out = fleet.server.ledger(&["verify", &path, "--key", &key]).unwrap();
        assert_eq!(out.status.code(), Some(1), "{name}: {}", String::from_utf8_lossy(&out.stderr));
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(data.join(format!("stead.db{end}")));
        }
        fs::copy(&kept, &file).unwrap();
        fleet.server.again().unwrap();
        fleet.client = fleet.server.client().unwrap();
        assert_eq!(fleet.client.get("/healthz", "").unwrap().0, 200, "{name}: put right");
    }
    // Changed while the server runs: nothing is open either, until it is put right.
    let script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=20); db.executescript(sys.argv[2]); db.commit()";
    let change = |sql: &str| {
        let out = Command::new("python3").args(["-c", script]).arg(&file).arg(sql).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    };
    change("UPDATE policy_version SET files = replace(files, 'severity', 'severitx')");
    fleet.until("it is found", |fleet| fleet.client.get("/healthz", "").unwrap().0 == 503);
    change("UPDATE policy_version SET files = replace(files, 'severitx', 'severity')");
    fleet.until("it is well again", |fleet| fleet.client.get("/healthz", "").unwrap().0 == 200);
    assert_ne!(fleet.report(&clear).standing, stead_model::Standing::Unknown);
}

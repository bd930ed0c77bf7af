//! `stead-server doctor` says what is wrong with an installation, and never that what it can't see is well.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use serde_json::Value;
use stead_e2e::Fleet;
use stead_testkit::program;

/// What it says of a data folder: the exit status, and each check's outcome with what was found.
fn doctor(data: &Path, more: &[&str]) -> (i32, BTreeMap<String, (String, String)>) {
    let out = Command::new(program("stead-server").unwrap())
        .args(["doctor", "--json", "--data"])
        .arg(data)
        .args(more)
        .output()
        .unwrap();
    assert!(!out.stdout.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    let said: Value = serde_json::from_slice(&out.stdout).unwrap();
    let text = |check: &Value, name: &str| check[name].as_str().unwrap().to_owned();
    let all = said.as_array().unwrap().iter();
    let all = all.map(|check| (text(check, "name"), (text(check, "outcome"), text(check, "found"))));
    (out.status.code().unwrap(), all.collect())
}

#[test]
fn the_doctor_finds_what_is_wrong_and_passes_nothing_unseen() {
    let mut f = Fleet::start(None);
    let good = stead_testkit::device::good_facts_at(f.now());
    f.report(&good);
    let data = f.server.data().to_owned();
    let url = f.server.url();
    let listen = f.server.address.to_string();
    let here = ["--listen", &listen, "--base-url", &url];
    let (status, all) = doctor(&data, &here);
    for name in
        ["permissions", "keys", "database", "policy", "clock", "disk", "descriptors", "proxy", "answers"]
    {
        assert_eq!(all[name].0, "ok", "{name}: {all:?}");
    }
    // No backups are named here, and nothing may be known of what keeps the clock right.
    assert_eq!(all["backups"].0, "unknown");
    assert_eq!(status, 2);
    assert_eq!(all["mail"].0, "not_set_up");

    let expect = |more: &[&str], name: &str, outcome: &str| {
        let (status, all) = doctor(&data, &[&here[..2], more].concat());
        assert_eq!(all[name].0, outcome, "{name}: {:?}", all[name]);
        assert_eq!(status == 1, all.values().any(|(outcome, _)| outcome == "problem"));
        all[name].1.clone()
    };
    let base = ["--base-url", &url];
    expect(&["--base-url", "http://stead.example"], "proxy", "problem");
    expect(&["--base-url", "https://stead.example"], "proxy", "problem");
    expect(&["--base-url", "http://localhost:9"], "answers", "unknown");
    let wide = ["--listen", "0.0.0.0:8787", "--behind-proxy", "--base-url", "https://stead.example"];
    assert_eq!(doctor(&data, &wide).1["proxy"].0, "problem");
    let mail = ["--mail-server", "smtp://localhost:9", "--mail-from", "stead@stead.example"];
    expect(&[&base[..], &mail].concat(), "mail", "problem");
    let issuer = ["--oidc-issuer", "http://127.0.0.1:9", "--oidc-client", "stead"];
    expect(&[&base[..], &issuer].concat(), "issuer", "problem");
    let empty = f.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    expect(&[&base[..], &["--backup-dir", &empty.display().to_string()]].concat(), "backups", "problem");
    expect(&[&base[..], &["--backup-dir", "/nowhere"]].concat(), "backups", "problem");
    let no_pem = empty.join("no.pem").display().to_string();
    fs::write(&no_pem, "none").unwrap();
    expect(&[&base[..], &["--tls-cert", &no_pem, "--tls-key", &no_pem]].concat(), "certificate", "problem");

    // A file that others may read.
    let key = data.join("ledger.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(expect(&base, "permissions", "problem").contains("ledger.key"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    // Keys that are missing are not made; what depends on them is unknown.
    let aside = empty.join("ledger.key");
    f.server.terminate();
    fs::rename(&key, &aside).unwrap();
    assert!(expect(&base, "keys", "problem").contains("ledger.key"));
    expect(&base, "database", "unknown");
    assert!(!key.exists());
    // Another installation's.
    fs::write(&key, "00".repeat(32)).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    expect(&base, "keys", "problem");
    fs::remove_file(&key).unwrap();
    fs::rename(&aside, &key).unwrap();
    expect(&base, "keys", "ok");
    // A changed ledger, a damaged file, an older copy, and none at all.
    let file = data.join("stead.db");
    let kept = empty.join("kept.db");
    fs::copy(&file, &kept).unwrap();
    let change =
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.executescript(sys.argv[2]); db.commit()";
    let sql = "UPDATE ledger_entry SET kind = 'other' WHERE idx = 1; UPDATE policy_version SET files = '{}'";
    let out = Command::new("python3").args(["-c", change]).arg(&file).arg(sql).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    expect(&base, "database", "problem");
    expect(&base, "policy", "problem");
    let mut damaged = fs::read(&kept).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 20_000].fill(0x5a);
    fs::write(&file, damaged).unwrap();
    let (status, all) = doctor(&data, &base);
    assert!(status == 1 && all["database"].0 == "problem", "{all:?}");
    fs::remove_file(&file).unwrap();
    let (status, all) = doctor(&data, &base);
    assert!(status == 1 && all["database"].0 == "problem" && all["keys"].0 == "unknown", "{all:?}");
    assert!(!file.exists(), "it makes no database");
    fs::copy(&kept, &file).unwrap();
    expect(&base, "database", "ok");
    // People read it too.
    let out = Command::new(program("stead-server").unwrap())
        .args(["doctor", "--data"])
        .arg(&data)
        .output()
        .unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(said.contains("ok          keys") && said.contains("unknown     answers"), "{said}");
}

/// PostgreSQL that may lose what it acknowledged is a problem, and is named.
#[test]
fn the_doctor_knows_a_postgresql_that_forgets() {
    let Some(store) = stead_e2e::postgres() else { return };
    let f = Fleet::start(Some(&store));
    let data = f.server.data().to_owned();
    let (_, all) = doctor(&data, &["--store", &store]);
    let (outcome, found) = &all["database"];
    assert!(outcome == "ok" || found.contains("is off"), "{outcome}: {found}");
    assert_eq!(all["keys"].0, "ok");
    let separator = if store.contains('?') { '&' } else { '?' };
    let forgets = format!("{store}{separator}options=-c%20synchronous_commit%3Doff");
    let (_, all) = doctor(&data, &["--store", &forgets]);
    assert_eq!(all["database"].0, "problem", "{:?}", all["database"]);
}

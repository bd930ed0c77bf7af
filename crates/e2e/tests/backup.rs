//! Backups: made while the server runs, verified, brought back elsewhere, and refused when they were changed.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt, process::Command};

use stead_e2e::{Fleet, on_both, postgres};
use stead_testkit::{Server, device::good_facts_at, free_port, program};

on_both! {
    a_backup_comes_back_whole_and_goes_on
}

fn a_backup_comes_back_whole_and_goes_on(f: &mut Fleet) {
    // PostgreSQL's own programs are where Debian keeps them.
    let path = std::env::var("PATH").unwrap();
    let found = fs::read_dir("/usr/lib/postgresql").ok().and_then(|mut all| all.next()).and_then(Result::ok);
    let path = found.map_or_else(|| path.clone(), |at| format!("{path}:{}/bin", at.path().display()));
    let facts = good_facts_at(f.now());
    f.report(&facts);
    let into = f.folder.path().join("backups");
    let command = |name: &str| {
        let mut command = Command::new(program("stead-server").unwrap());
        command.arg(name).env("PATH", &path);
        command
    };
    let beside = |command: &mut Command, f: &Fleet| {
        command.arg("--data").arg(f.server.data());
        if let Some(store) = f.server.store() {
            command.args(["--store", store]);
        }
    };
    let mut backup = command("backup");
    beside(&mut backup, f);
    let out = backup.arg(&into).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let folder = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700, "keys are in it");
    let size = f.ledger_texts().len();

    // The page says when, where, how large, and what was verified.
    let (_, page) = f.client.get("/system", &f.cookie).unwrap();
    assert!(page.contains(&folder), "{page}");

    // Brought back elsewhere it is the same installation: the device goes on where it was.
    let other = f.folder.path().join("other");
    let store = f.server.store().is_some().then(|| postgres().unwrap());
    let restore = |from: &str, into: &std::path::Path, store: Option<&str>| {
        let mut restore = command("restore");
        restore.arg("--data").arg(into);
        store.into_iter().for_each(|store| {
            restore.args(["--store", store]);
        });
        restore.arg(from).output().unwrap()
    };
    let out = restore(&folder, &other, store.as_deref());
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(String::from_utf8_lossy(&out.stdout).contains("entries are what was signed"));
    let address = SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
    let server =
        Server::start_at(&program("stead-server").unwrap(), &other, store.as_deref(), address).unwrap();
    let mut client = server.client().unwrap();
    let (status, _) = client.get("/home", &f.cookie).unwrap();
    assert_eq!(status, 200, "sessions go on");
    let facts = good_facts_at(f.now());
    let report = f.device.report(&facts, f.now());
    let (status, answer) =
        client.post("/api/v1/check-ins", &serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(status, 200, "{answer}");
    assert!(size > 3);

    // Nothing that is there is overwritten.
    let out = restore(&folder, &other, store.as_deref());
    assert!(!out.status.success() && String::from_utf8_lossy(&out.stderr).contains("is not empty"));

    // A backup that somebody changed is found out.
    if f.sqlite {
        let database = format!("{folder}/stead.db");
        let bytes = fs::read(&database).unwrap();
        let mut changed = bytes.clone();
        let places = bytes.windows(15).enumerate().filter(|(_, part)| *part == b"device.enrolled");
        for (at, _) in places {
            changed[at..at + 15].copy_from_slice(b"device.enr0lled");
        }
        assert_ne!(bytes, changed);
        fs::write(&database, &changed).unwrap();
        let out = restore(&folder, &f.folder.path().join("changed"), None);
        assert!(!out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
        assert!(String::from_utf8_lossy(&out.stderr).contains("not what was signed"));
    }
}

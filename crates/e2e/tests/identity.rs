//! Keys and database that don't belong together are refused, with what to do; `--adopt` goes on and the ledger says so.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use stead_e2e::{Fleet, on_both};
use stead_testkit::{Cluster, device::good_facts_at, program};

on_both! {
    f2_a_database_without_its_keys_is_refused
    f2_a_second_server_needs_the_keys_of_the_first
}

/// Tries to open data as an operator's command does.
fn tried(data: &Path, store: Option<&str>) -> Output {
    let mut command = Command::new(program("stead-server").unwrap());
    command.args(["admin", "--data"]).arg(data);
    if let Some(store) = store {
        command.args(["--store", store]);
    }
    command.args(["add-person", "Ana Lima", "--email", "ana@stead.example"]).output().unwrap()
}

fn refused(out: &Output, why: &str) {
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success(), "it went on");
    assert!(said.contains(why), "{said}");
    assert!(
        said.contains("--adopt") && said.to_lowercase().contains("restore"),
        "it must say what to do: {said}"
    );
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn f2_a_database_without_its_keys_is_refused(f: &mut Fleet) {
    let facts = good_facts_at(f.now());
    f.report(&facts);
    let data = f.server.data().to_owned();
    let store = f.server.store().map(str::to_owned);
    f.server.kill();
    for key in ["ledger.key", "answers.key", "sealing.key"] {
        let text = fs::read(data.join(key)).unwrap();
        fs::remove_file(data.join(key)).unwrap();
        refused(&tried(&data, store.as_deref()), key);
        assert!(!data.join(key).exists(), "no key is made anew without being asked to");
        // Keys of another installation do as little.
        fs::write(data.join(key), "11".repeat(32)).unwrap();
        refused(&tried(&data, store.as_deref()), "aren't those of this database");
        fs::write(data.join(key), text).unwrap();
    }
    f.server.again().unwrap();
    f.client = f.server.client().unwrap();
    f.report(&facts);
    f.verify_ledger();

    // Asked to go on, it does, and says so in the ledger, which verifies by the new key.
    f.server.kill();
    fs::remove_file(data.join("ledger.key")).unwrap();
    let adopted = f.server.again_with(&["--adopt"]);
    f.server = adopted.unwrap();
    f.client = f.server.client().unwrap();
    f.report(&good_facts_at(f.now()));
    f.verify_ledger();
    assert!(
        f.ledger_texts()
            .iter()
            .any(|text| text.contains("server.adopted") && text.contains("checkpoint_before"))
    );
    // From now on they belong together.
    f.server.kill();
    assert!(tried(&data, store.as_deref()).status.success());
}

fn f2_a_second_server_needs_the_keys_of_the_first(f: &mut Fleet) {
    let url = match f.server.store() {
        Some(url) => url.to_owned(),
        None => format!("sqlite:{}", f.server.data().join("stead.db").display()),
    };
    let second = f.folder.path().join("second");
    refused(&tried(&second, Some(&url)), "missing from");
    assert!(files(&second).is_empty(), "{:?}", files(&second));
    // One that has made keys for a database of its own is no better off.
    assert!(tried(&second, None).status.success());
    refused(&tried(&second, Some(&url)), "aren't those of this database");
    // With the keys of the first it works beside it.
    let third = f.folder.path().join("third");
    fs::create_dir(&third).unwrap();
    for key in ["ledger.key", "answers.key", "sealing.key"] {
        fs::copy(f.server.data().join(key), third.join(key)).unwrap();
    }
    let out = tried(&third, Some(&url));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    f.verify_ledger();
}

/// F4: the database without its log started as a new organization.
#[test]
fn f4_a_database_without_its_log_is_refused() {
    let mut f = Fleet::start(None);
    let data = f.server.data().to_owned();
    let early = fs::read(data.join("stead.db")).unwrap();
    assert!(early.len() > 100_000, "what was begun is in the main file, not in its log alone");
    for n in 0..40 {
        let facts = good_facts_at(f.now());
        f.report(&facts);
        f.server
            .admin(&["add-person", &format!("P {n}"), "--email", &format!("p{n}@stead.example")])
            .unwrap();
    }
    f.server.terminate();
    let late = fs::read(data.join("stead.db")).unwrap();
    let set = |database: Option<&[u8]>| {
        for name in ["stead.db", "stead.db-wal", "stead.db-shm"] {
            let _ = fs::remove_file(data.join(name));
        }
        if let Some(bytes) = database {
            fs::write(data.join("stead.db"), bytes).unwrap();
        }
    };
    set(Some(&early));
    refused(&tried(&data, None), "older copy");
    set(None);
    refused(&tried(&data, None), "the database is empty");
    set(Some(&late));
    f.server.again().unwrap();
    f.client = f.server.client().unwrap();
    f.verify_ledger();

    // While it runs, the main file is never far behind: seconds.
    f.report(&good_facts_at(f.now()));
    f.server.admin(&["add-person", "Late", "--email", "late@stead.example"]).unwrap();
    let database = data.join("stead.db");
    f.until("the change is in the main file", |_| {
        let bytes = fs::read(&database).unwrap();
        bytes.windows(18).any(|part| part == b"late@stead.example")
    });
}

/// A database set back under a running server is noticed.
#[test]
fn a_database_that_goes_back_under_a_running_server_is_unhealthy() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let Ok(cluster) = Cluster::start(&folder.path().join("pg")) else { return };
    let mut f = Fleet::start(Some(&cluster.url()));
    cluster.sql("CREATE TABLE kept AS SELECT * FROM ledger_head").unwrap();
    for n in 0..3 {
        f.server
            .admin(&["add-person", &format!("P {n}"), "--email", &format!("p{n}@stead.example")])
            .unwrap();
    }
    std::thread::sleep(std::time::Duration::from_secs(6));
    cluster
        .sql(
            "UPDATE ledger_head SET size = kept.size, frontier = kept.frontier, checkpoint = kept.checkpoint FROM kept; \
             DELETE FROM ledger_entry WHERE idx >= (SELECT size FROM kept); \
             DELETE FROM ledger_checkpoint WHERE size > (SELECT size FROM kept)",
        )
        .unwrap();
    f.until("health says so", |f| {
        let (status, said) = f.client.get("/healthz", "").unwrap();
        status == 503 && said.contains("went back")
    });
    let out = tried(f.server.data(), Some(&cluster.url()));
    refused(&out, "older copy");
}

/// S5, F17: every file and folder is its owner's alone, whatever the umask; F35: any sign may be in the folder's name.
#[test]
fn s5_f17_f35_files_are_owner_only_whatever_the_umask_and_the_name() {
    for name in ["plain", "what?mode=ro&x=1", "100%25 #5 ü"] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join(name);
        let out = Command::new("sh")
            .args(["-c", "umask 000; exec \"$@\"", "sh"])
            .arg(program("stead-server").unwrap())
            .args(["admin", "--data"])
            .arg(&data)
            .args(["add-person", "Ana", "--email", "ana@stead.example"])
            .output()
            .unwrap();
        assert!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
        assert!(data.join("stead.db").exists(), "{name}: {:?}", files(folder.path()));
        assert_eq!(files(folder.path()), [name], "nothing is made elsewhere");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data), 0o700, "{name}");
        for file in files(&data) {
            assert_eq!(mode(&data.join(&file)), 0o600, "{name}: {file}");
        }
        // What an earlier version left open is closed.
        fs::set_permissions(data.join("stead.db"), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(tried(&data, None).status.code().is_some());
        assert_eq!(mode(&data.join("stead.db")), 0o600);
    }
}

/// F37: a fresh ext4 volume holds a folder of its own.
#[test]
fn f37_a_backup_is_restored_into_a_fresh_volume() {
    let f = Fleet::start(None);
    let into = f.folder.path().join("backups");
    let server = program("stead-server").unwrap();
    let out =
        Command::new(&server).args(["backup", "--data"]).arg(f.server.data()).arg(&into).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let backup = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    let volume = f.folder.path().join("volume");
    fs::create_dir_all(volume.join("lost+found")).unwrap();
    let out = Command::new(&server).args(["restore", "--data"]).arg(&volume).arg(&backup).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(tried(&volume, None).status.success());
}

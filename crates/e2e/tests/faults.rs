//! A success response means durable: faults of disk, memory, process and database, and every acknowledged change looked
//! for afterwards. `cargo xtask faults` runs all of it and prints a table; without it, each kind runs in little.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::{thread, time::Duration};

use stead_e2e::{
    Fleet,
    faults::{Failing, SmallDisk, Tally, Victim, can_trace},
};
use stead_testkit::Cluster;

/// Whether every place is tried, or a few.
fn is_whole() -> bool {
    std::env::var_os("STEAD_FAULTS").is_some()
}

fn told(tally: &Tally) {
    eprintln!("{}\n{tally}", Tally::head());
}

/// F1: after one full disk and one ordinary rejected request, every later success was lost at the next start.
#[test]
fn f1_what_is_acknowledged_after_a_full_disk_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::new(&folder.path().join("server"), 16) else { return };
    let mut victim = Victim::new(Fleet::start_with(folder, None, &[]), "SQLite: disk full, then freed");
    let rounds = if is_whole() { 40 } else { 3 };
    for round in 0..rounds {
        victim.load();
        disk.fill();
        victim.injected(1);
        assert!(victim.is_healthy(false), "health must say so while the disk is full");
        // It fails in another place each time: there is a little room, then none.
        for _ in 0..=round % 3 {
            victim.load();
        }
        disk.free();
        assert!(victim.is_healthy(true), "it recovers without a restart");
        assert!(victim.add(), "changes can be saved again");
        victim.disturb();
        assert!(victim.add() && victim.report());
        victim.others_can_write();
    }
    told(&victim.done());
    drop(disk);
}

/// Every write, sync, and read of the database fails once, each in its turn. A kind that was never injected fails: it
/// would prove nothing.
#[test]
fn each_system_call_of_the_database_fails_in_its_turn() {
    if !can_trace() {
        return;
    }
    // Locks are left out: a lock that cannot be released stays with the process, and only its end frees it.
    let kinds = [
        ("write fails, no space", "pwrite64", "ENOSPC"),
        ("write fails, input/output error", "pwrite64", "EIO"),
        ("write fails, read-only file system", "pwrite64", "EROFS"),
        ("write fails, quota", "pwrite64", "EDQUOT"),
        ("sync fails", "fsync", "EIO"),
        ("read fails", "pread64", "EIO"),
    ];
    let mut tallies = Vec::new();
    let in_little = ["write fails, no space", "sync fails", "read fails"];
    for (what, call, error) in kinds.into_iter().filter(|kind| is_whole() || in_little.contains(&kind.0)) {
        let mut victim = Victim::new(Fleet::start(None), &format!("SQLite: {what}"));
        let folder = tempfile::tempdir().unwrap();
        victim.load();
        let most = if is_whole() { 60 } else { 3 };
        let mut clean = 0;
        for n in 1..=most {
            let ids = [victim.fleet.server.id()];
            // In little: a few places spread over a run.
            let when = if is_whole() { n } else { n * 3 - 2 };
            let failing = Failing::begin(&ids, call, error, &when.to_string(), folder.path());
            victim.load();
            let injected = failing.end();
            victim.injected(injected);
            clean = if injected == 0 { clean + 1 } else { 0 };
            if clean == 3 {
                break;
            }
            victim.add();
        }
        // Again and again: it fails while the last failure is being cleared away.
        let again = Failing::begin(&[victim.fleet.server.id()], call, error, "2+5", folder.path());
        for _ in 0..if is_whole() { 12 } else { 2 } {
            victim.load();
        }
        victim.injected(again.end());
        assert!(victim.is_healthy(true), "{what}: it recovers without a restart");
        assert!(victim.add() && victim.report(), "{what}: changes can be saved again");
        victim.others_can_write();
        let tally = victim.done();
        assert!(tally.injected > 0, "{what}: the database never makes this call");
        tallies.push(tally);
    }
    eprintln!("{}", Tally::head());
    for tally in &tallies {
        eprintln!("{tally}");
    }
}

/// While nothing can be written, nothing is acknowledged, and health says so.
#[test]
fn nothing_is_acknowledged_while_nothing_can_be_synced() {
    if !can_trace() {
        return;
    }
    let mut victim = Victim::new(Fleet::start(None), "SQLite: no sync succeeds");
    let folder = tempfile::tempdir().unwrap();
    let failing = Failing::begin(&[victim.fleet.server.id()], "fdatasync,fsync", "EIO", "1+", folder.path());
    for _ in 0..5 {
        assert!(!victim.add() && !victim.report(), "acknowledged though it was not synced");
        victim.disturb();
    }
    assert!(victim.is_healthy(false));
    victim.injected(failing.end());
    assert!(victim.is_healthy(true) && victim.add() && victim.report());
    told(&victim.done());
}

/// A database that is moved away under a running server takes no more changes.
#[test]
fn nothing_is_acknowledged_into_a_database_that_was_moved() {
    for (what, files) in [("file and log", &["stead.db", "stead.db-wal"][..]), ("log", &["stead.db-wal"][..])]
    {
        let mut victim = Victim::new(Fleet::start(None), &format!("SQLite: {what} moved away"));
        victim.load();
        let data = victim.fleet.server.data().to_owned();
        for file in files {
            std::fs::rename(data.join(file), data.join(format!("{file}.away"))).unwrap();
        }
        victim.injected(1);
        assert!(!victim.add() && !victim.report(), "{what}: acknowledged into a file that nobody finds");
        assert!(victim.is_healthy(false));
        victim.fleet.server.kill();
        for file in files {
            std::fs::rename(data.join(format!("{file}.away")), data.join(file)).unwrap();
        }
        told(&victim.done());
    }
}

/// Killed at any moment.
#[test]
fn killed_in_the_middle_of_requests() {
    let mut victim = Victim::new(Fleet::start(None), "SQLite: killed");
    for round in 0..if is_whole() { 100_u64 } else { 5 } {
        victim.load();
        let address = victim.fleet.server.address;
        let mut device = victim.fleet.enrol_another(&format!("laptop-{round}"), "organisation");
        let going = thread::spawn(move || {
            let mut client = stead_testkit::Client::connect(address).unwrap();
            for _ in 0..50 {
                let now = stead_e2e::system_now();
                let report = device.report(&stead_testkit::device::good_facts_at(now), now);
                if client.post("/api/v1/check-ins", &stead_testkit::device::text(&report)).is_err() {
                    break;
                }
            }
        });
        thread::sleep(Duration::from_millis(round * 7 % 40));
        victim.injected(1);
        victim.confirm();
        going.join().unwrap();
    }
    told(&victim.done());
}

/// A PostgreSQL of its own; none where there is none to be had.
fn cluster(folder: &std::path::Path) -> Option<Cluster> {
    match Cluster::start(folder) {
        Ok(cluster) => Some(cluster),
        Err(why) => {
            assert!(std::env::var_os("STEAD_TEST_ALL").is_none(), "{why}");
            eprintln!("skipped on PostgreSQL: {why}");
            None
        }
    }
}

/// The processes that serve connections and write its log.
fn processes(cluster: &Cluster) -> Vec<u32> {
    let pids = cluster.sql("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()").unwrap();
    pids.lines().map(|pid| pid.parse().unwrap()).collect()
}

fn postgres_folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// PostgreSQL crashes, loses connections, has statements canceled, runs as read-only, fails to sync.
#[test]
fn postgres_fails_in_each_way() {
    let folder = postgres_folder();
    let Some(cluster) = cluster(&folder.path().join("pg")) else { return };
    let rounds = if is_whole() { 30 } else { 2 };
    let mut victim = Victim::new(Fleet::start(Some(&cluster.url())), "PostgreSQL: crash and restart");
    for _ in 0..rounds {
        victim.load();
        cluster.down("immediate").unwrap();
        victim.injected(1);
        assert!(!victim.add(), "acknowledged without a database");
        victim.disturb();
        cluster.up().unwrap();
        assert!(victim.is_healthy(true), "it recovers without a restart");
        assert!(victim.add() && victim.report());
    }
    let mut tallies = vec![victim.next("PostgreSQL: connections ended in the middle")];

    let client_backends =
        "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
    for (function, next) in [
        ("pg_terminate_backend", "PostgreSQL: statements canceled"),
        ("pg_cancel_backend", "PostgreSQL: read-only"),
    ] {
        for _ in 0..rounds {
            let statement = format!("SELECT count({function}(pid)) {client_backends}");
            thread::scope(|scope| {
                let going = scope.spawn(|| {
                    let mut faults = 0;
                    for _ in 0..4 {
                        faults += cluster.sql(&statement).unwrap().parse::<usize>().unwrap();
                    }
                    faults
                });
                for _ in 0..2 {
                    victim.load();
                }
                victim.injected(going.join().unwrap());
            });
        }
        assert!(victim.is_healthy(true) && victim.add() && victim.report());
        victim.others_can_write();
        tallies.push(victim.next(next));
    }

    for _ in 0..rounds {
        cluster.sql("ALTER SYSTEM SET default_transaction_read_only = on").unwrap();
        cluster.sql("SELECT pg_reload_conf()").unwrap();
        victim.injected(1);
        thread::sleep(Duration::from_millis(300));
        assert!(!victim.add() && !victim.report(), "acknowledged though it is read-only");
        assert!(victim.is_healthy(false));
        cluster.sql("ALTER SYSTEM RESET default_transaction_read_only").unwrap();
        cluster.sql("SELECT pg_reload_conf()").unwrap();
        assert!(victim.is_healthy(true), "it recovers without a restart");
        assert!(victim.add());
    }
    tallies.push(victim.next("PostgreSQL: sync of its log fails"));

    if can_trace() {
        for round in 0..rounds {
            let failing = Failing::begin(
                &processes(&cluster),
                "fdatasync",
                "EIO",
                &format!("{}", round % 4 + 1),
                folder.path(),
            );
            victim.load();
            victim.injected(failing.end());
            assert!(victim.is_healthy(true), "PostgreSQL crashes and recovers by its log");
        }
    }
    tallies.push(victim.done());
    eprintln!("{}", Tally::head());
    for tally in &tallies {
        eprintln!("{tally}");
    }
}

/// A primary is demoted under a running server; a standby takes over where it listened.
#[test]
fn postgres_is_demoted_and_fails_over() {
    let folder = postgres_folder();
    let Some(primary) = cluster(&folder.path().join("one")) else { return };
    let mut victim =
        Victim::new(Fleet::start(Some(&primary.url())), "PostgreSQL: primary demoted to standby");
    victim.load();
    primary.down("fast").unwrap();
    primary.demote().unwrap();
    primary.up().unwrap();
    victim.injected(1);
    assert!(!victim.add() && !victim.report(), "acknowledged by a standby");
    assert!(victim.is_healthy(false), "health must say so");
    primary.down("fast").unwrap();
    primary.undo_demote().unwrap();
    primary.up().unwrap();
    assert!(victim.is_healthy(true) && victim.add());
    let demoted = victim.next("PostgreSQL: failover to a synchronous standby");

    let mut standby = Cluster::standby_of(&primary, &folder.path().join("two")).unwrap();
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'").unwrap();
    primary.sql("SELECT pg_reload_conf()").unwrap();
    let until = std::time::Instant::now() + Duration::from_secs(30);
    while primary.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").unwrap() != "1" {
        assert!(std::time::Instant::now() < until, "the standby never followed");
        thread::sleep(Duration::from_millis(100));
    }
    for _ in 0..3 {
        victim.load();
    }
    primary.down("immediate").unwrap();
    victim.injected(1);
    assert!(!victim.add());
    standby.promote().unwrap();
    standby.sql("ALTER SYSTEM SET synchronous_standby_names = ''").unwrap();
    standby.down("fast").unwrap();
    standby.take_port_of(&primary);
    standby.up().unwrap();
    assert!(victim.is_healthy(true), "it goes on with the standby");
    assert!(victim.add() && victim.report());
    eprintln!("{}\n{demoted}\n{}", Tally::head(), victim.done());
}

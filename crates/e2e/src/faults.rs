//! Faults, injected where they happen: the system calls of the server's database, its disk, its process, PostgreSQL.
//!
//! A [`Victim`] is a server under load whose every acknowledged change is remembered. [`Victim::confirm`] starts it again
//! and looks for each of them.

use std::{
    fs,
    io::Write as _,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use stead_model::Fact;
use stead_testkit::{
    Client,
    device::{good_facts_at, text},
};

use crate::{Fleet, system_now};

/// What a round of faults came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// The kind of fault.
    pub kind: String,
    /// Faults injected.
    pub injected: usize,
    /// Changes that were answered with success while they lasted.
    pub acknowledged: usize,
    /// Those of them that were there after the next start.
    pub found: usize,
    /// Requests that were answered with an error or not at all.
    pub refused: usize,
    /// How often health said that changes can't be saved.
    pub unhealthy: usize,
}

impl Tally {
    /// The table's head.
    pub fn head() -> String {
        format!(
            "| {:<44} | {:>8} | {:>12} | {:>6} | {:>7} | {:>9} |\n|{:-<46}|{:->9}:|{:->13}:|{:->7}:|{:->8}:|{:->10}:|",
            "fault", "injected", "acknowledged", "found", "refused", "unhealthy", "", "", "", "", "", ""
        )
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "| {:<44} | {:>8} | {:>12} | {:>6} | {:>7} | {:>9} |",
            self.kind, self.injected, self.acknowledged, self.found, self.refused, self.unhealthy
        )
    }
}

/// A server whose acknowledged changes are remembered.
pub struct Victim {
    /// The server.
    pub fleet: Fleet,
    /// A token that may add people.
    token: String,
    /// Names of people whose addition was acknowledged.
    people: Vec<String>,
    /// Names that were sent and not acknowledged.
    open: Vec<String>,
    /// The device's last acknowledged message.
    heard: i64,
    /// How many of its messages were.
    reports: usize,
    count: usize,
    tally: Tally,
}

impl Victim {
    /// Takes a server.
    pub fn new(mut fleet: Fleet, kind: &str) -> Self {
        let cookie = fleet.cookie.clone();
        let token = fleet.token(&cookie, &["read", "people"]);
        let tally = Tally { kind: kind.to_owned(), ..Tally::default() };
        Self { fleet, token, people: Vec::new(), open: Vec::new(), heard: 0, reports: 0, count: 0, tally }
    }

    /// Counts injected faults.
    pub fn injected(&mut self, faults: usize) {
        self.tally.injected += faults;
    }

    fn client(&mut self) -> Option<&mut Client> {
        // Each on a connection of its own: one that broke says nothing about the next.
        self.fleet.client = Client::connect(self.fleet.server.address).ok()?;
        Some(&mut self.fleet.client)
    }

    /// Adds somebody; whether that was acknowledged.
    pub fn add(&mut self) -> bool {
        self.count += 1;
        let name = format!("Person {} of {}", self.count, std::process::id());
        let email = format!("p{}@stead.example", self.count);
        let body = json!({ "name": name, "email": email }).to_string();
        let headers = [
            ("authorization", format!("Bearer {}", self.token)),
            ("idempotency-key", format!("add-{}", self.count)),
            ("stead-purpose", "review".to_owned()),
            ("content-type", "application/json".to_owned()),
        ];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        // Sent again with the same key, as a program would: it must be applied once.
        for _ in 0..2 {
            let Some(client) = self.client() else { break };
            match client.send("POST", "/api/v1/people", &headers, &body) {
                Ok((201, _)) => {
                    self.tally.acknowledged += 1;
                    self.people.push(name);
                    return true;
                }
                Ok((status, answer)) => {
                    // A conflict: the first attempt may have been carried out, and is not run again.
                    assert!(status == 409 || status >= 429, "{status}: {answer}");
                    self.tally.refused += 1;
                }
                Err(_) => self.tally.refused += 1,
            }
        }
        self.open.push(name);
        false
    }

    /// The device reports something new; whether that was acknowledged.
    pub fn report(&mut self) -> bool {
        let mut facts = good_facts_at(system_now());
        let known = self.fleet.device.seq % 2 == 0;
        facts.insert("device.clock.synchronised".to_owned(), Fact::known(known, "test"));
        let report = text(&self.fleet.device.report(&facts, system_now()));
        let seq = self.fleet.device.seq;
        let Some(client) = self.client() else { return false };
        match client.post("/api/v1/check-ins", &report) {
            Ok((200, _)) => {
                self.tally.acknowledged += 1;
                self.heard = seq;
                self.reports += 1;
                true
            }
            Ok((status, answer)) => {
                assert!(status >= 500, "{status}: {answer}");
                self.tally.refused += 1;
                false
            }
            Err(_) => {
                self.tally.refused += 1;
                false
            }
        }
    }

    /// Requests that change nothing: one that is refused inside a transaction, one whose caller goes away.
    pub fn disturb(&mut self) {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let twice = json!({ "name": "Somebody Else", "email": "p1@stead.example" }).to_string();
        if let Some(client) = self.client() {
            let _ = client.send("POST", "/api/v1/people", &headers, &twice);
            let _ = client.send("POST", "/api/v1/people", &headers, "{\"name\":\"\"}");
        }
        self.count += 1;
        let body = json!({ "name": format!("Gone {}", self.count), "email": format!("g{}@stead.example", self.count) })
            .to_string();
        if let Ok(mut stream) = TcpStream::connect(self.fleet.server.address) {
            let _ = write!(
                stream,
                "POST /api/v1/people HTTP/1.1\r\nhost: x\r\nauthorization: {bearer}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            thread::sleep(Duration::from_micros(self.count as u64 * 97 % 3000));
        }
    }

    /// A little of everything.
    pub fn load(&mut self) {
        self.add();
        self.disturb();
        self.report();
        self.add();
        self.report();
    }

    /// Whether health says that changes can be saved, tried until it is so, for a few seconds.
    pub fn is_healthy(&mut self, wanted: bool) -> bool {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            let Some(client) = self.client() else { continue };
            let status = client.get("/healthz", "").map_or(0, |(status, _)| status);
            if status != 200 {
                self.tally.unhealthy += 1;
            }
            if (status == 200) == wanted {
                return true;
            }
            thread::sleep(Duration::from_millis(200));
        }
        false
    }

    /// Confirms that another process can write while the server runs.
    pub fn others_can_write(&mut self) {
        self.count += 1;
        let email = format!("beside{}@stead.example", self.count);
        let name = format!("Beside {}", self.count);
        self.fleet.server.admin(&["add-person", &name, "--email", &email]).unwrap();
    }

    /// Starts the server again, as after a power cut, and confirms that all that was acknowledged is there, once, and
    /// that the ledger verifies.
    pub fn confirm(&mut self) {
        self.fleet.server.kill();
        self.fleet.server.again().unwrap_or_else(|why| panic!("{}: {why}", self.tally.kind));
        assert!(self.is_healthy(true), "{}: not healthy after the fault", self.tally.kind);
        let token = self.token.clone();
        let mut names: Vec<String> = Vec::new();
        let mut path = "/api/v1/people?limit=200".to_owned();
        loop {
            self.client().unwrap();
            let (status, page) = self.fleet.api("GET", &path, &token, &Value::Null);
            assert_eq!(status, 200, "{page}");
            let people = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
            names.extend(people.iter().map(|person| person["name"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => path = format!("/api/v1/people?limit=200&after={next}"),
                None => break,
            }
        }
        let times = |name: &String| names.iter().filter(|other| *other == name).count();
        for name in &self.people {
            assert_eq!(times(name), 1, "{}: {name} was acknowledged", self.tally.kind);
        }
        for name in &self.open {
            assert!(times(name) <= 1, "{}: {name} was applied twice", self.tally.kind);
        }
        self.tally.found = self.people.len() + self.reports;
        // The next message is numbered after the last: a server that had lost one would take it again.
        let page = self.fleet.page(&format!("/devices/{}", self.fleet.device.id));
        let there: i64 = page
            .split("number ")
            .nth(1)
            .and_then(|rest| rest.split('<').next())
            .map_or(0, |number| number.replace(',', "").parse().unwrap());
        assert!(
            there >= self.heard,
            "{}: message {} was answered, {there} is there",
            self.tally.kind,
            self.heard
        );
        self.fleet.verify_ledger();
        self.others_can_write();
        assert_eq!(self.tally.found, self.tally.acknowledged);
    }

    /// What it came to; the same server goes on with the next kind of fault.
    pub fn next(&mut self, kind: &str) -> Tally {
        self.confirm();
        (self.people, self.open, self.reports) = (Vec::new(), Vec::new(), 0);
        std::mem::replace(&mut self.tally, Tally { kind: kind.to_owned(), ..Tally::default() })
    }

    /// What it came to.
    pub fn done(mut self) -> Tally {
        self.confirm();
        self.tally
    }
}

/// A tracer that makes system calls of a process fail; ended when dropped.
#[derive(Debug)]
pub struct Failing {
    tracer: Child,
    log: PathBuf,
}

/// Whether processes can be traced here.
pub fn can_trace() -> bool {
    let can = Command::new("strace")
        .args(["-f", "-e", "trace=none", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    assert!(can || std::env::var_os("STEAD_TEST_ALL").is_none(), "strace is missing or not allowed");
    if !can {
        eprintln!("skipped: strace is missing or not allowed; `cargo xtask test` installs it");
    }
    can
}

impl Failing {
    /// Makes calls of these processes fail: which, with what, and when, as strace writes it.
    pub fn begin(ids: &[u32], call: &str, error: &str, when: &str, folder: &Path) -> Self {
        let log = folder.join("strace.log");
        let _ = fs::remove_file(&log);
        let mut command = Command::new("strace");
        command.arg("-f").arg("-o").arg(&log);
        command.args(["-e", &format!("trace={call}")]);
        command.args(["-e", &format!("inject={call}:error={error}:when={when}")]);
        for id in ids {
            command.args(["-p", &id.to_string()]);
        }
        let tracer = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut failing = Self { tracer, log };
        // It says so once for each thread that it has attached to.
        let mut said = std::io::BufReader::new(failing.tracer.stderr.take().unwrap());
        let mut line = String::new();
        std::io::BufRead::read_line(&mut said, &mut line).unwrap();
        assert!(line.contains("attached"), "{line}");
        thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        failing
    }

    /// Ends it; how many calls failed.
    pub fn end(mut self) -> usize {
        self.stop();
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.contains("(INJECTED)")).count()
    }

    fn stop(&mut self) {
        if let Some(id) = rustix::process::Pid::from_raw(i32::try_from(self.tracer.id()).unwrap_or(0)) {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::INT);
        }
        let _ = self.tracer.wait();
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A small disk of its own, which can be filled; unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    /// Where it is.
    pub path: PathBuf,
}

impl SmallDisk {
    /// A disk of so many MiB; none where nothing may be mounted.
    pub fn new(at: &Path, mebibytes: u32) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "stead-test"])
            .arg(at)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !mounted {
            assert!(std::env::var_os("STEAD_TEST_ALL").is_none(), "no disk can be mounted");
            eprintln!("skipped: no disk can be mounted here");
        }
        mounted.then(|| Self { path: at.to_owned() })
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        let mut file = fs::File::create(self.path.join("ballast")).unwrap();
        for size in [1 << 16, 1 << 10, 1] {
            let block = vec![0_u8; size];
            while file.write_all(&block).is_ok() {}
        }
    }

    /// Frees what filled it.
    pub fn free(&self) {
        fs::remove_file(self.path.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

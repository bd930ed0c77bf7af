//! What end-to-end tests share: a server on either engine, with one enrolled device and somebody signed
//! in. The tests themselves are in `tests/`, and drive the real programs.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "only tests link this, and a test that cannot go on must stop"
)]

pub mod faults;
pub mod machine;
pub mod mail;
pub mod network;
pub mod office;
pub mod proxy;

use std::{
    fs,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;
use stead_model::{
    Facts, Finding, Millis,
    message::{ANSWER, Answer},
    problem::Problem,
    seal::{Envelope, VerifyingKey},
};
use stead_testkit::{Client, Postgres, Server, SimDevice, device::text, free_port, program};

/// The server lives as long as this process: its guard ends it when the process does.
static POSTGRES: LazyLock<Result<Postgres, String>> = LazyLock::new(|| Postgres::start(false));
static DATABASES: AtomicUsize = AtomicUsize::new(0);

/// A server, a device, a session.
pub struct Fleet {
    /// The server.
    pub server: Server,
    /// Its first device.
    pub device: SimDevice,
    /// A connection to it.
    pub client: Client,
    /// A session.
    pub cookie: String,
    /// Whether it stores in SQLite.
    pub sqlite: bool,
    /// Where its data is.
    pub folder: tempfile::TempDir,
}

/// The address of an empty PostgreSQL database; none, with the reason printed, where there is no server.
pub fn postgres() -> Option<String> {
    match &*POSTGRES {
        Ok(server) => {
            let name = format!("e{}", DATABASES.fetch_add(1, Ordering::Relaxed));
            Some(server.create_database(&name).unwrap())
        }
        Err(why) => {
            assert!(std::env::var_os("STEAD_TEST_ALL").is_none(), "{why}");
            eprintln!("skipped on PostgreSQL: {why}");
            None
        }
    }
}

/// A program among those that tests talk to, in their environment; none, with the reason printed, where it
/// is not set up.
pub fn peer(program: &str) -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/.venv/bin").join(program);
    if program.exists() {
        return Some(program);
    }
    assert!(std::env::var_os("STEAD_TEST_ALL").is_none(), "{} is not there", program.display());
    eprintln!("skipped: {} is not there; `cargo xtask test` sets it up", program.display());
    None
}

/// Where the scripts of these programs are.
pub fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers")
}

/// Copies the pack `remote-work` into a folder, with changes: file, what stands there, what is to.
pub fn copy_pack(folder: &Path, changes: &[(&str, &str, &str)]) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/remote-work");
    for below in ["", "rules", "tests", "data"] {
        fs::create_dir_all(folder.join(below)).unwrap();
        for file in fs::read_dir(from.join(below)).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                fs::copy(file.path(), folder.join(below).join(file.file_name())).unwrap();
            }
        }
    }
    for (path, from, to) in changes {
        let text = fs::read_to_string(folder.join(path)).unwrap();
        assert!(text.contains(from), "{path}: {from}");
        fs::write(folder.join(path), text.replace(from, to)).unwrap();
    }
}

/// Takes all rules about devices out of a copied pack but these, with their translations and tests.
pub fn keep_rules(folder: &Path, keep: &[&str]) {
    let named =
        |path: &Path| path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap().to_owned();
    let files = |below: &str| -> Vec<PathBuf> {
        fs::read_dir(folder.join(below)).unwrap().map(|file| file.unwrap().path()).collect()
    };
    let gone: Vec<String> = files("rules")
        .iter()
        .filter(|path| fs::read_to_string(path).unwrap().contains("subject = \"device\""))
        .map(|path| named(path))
        .filter(|name| !keep.contains(&name.as_str()))
        .collect();
    for path in files("rules").into_iter().chain(files("tests")) {
        if gone.contains(&named(&path)) {
            fs::remove_file(path).unwrap();
        }
    }
}

/// What compliance-trestle finds in a document of OSCAL: what kind it is, or why it is none; nothing where there
/// is no such program.
pub fn read_oscal(document: &str) -> Option<Result<String, String>> {
    let mut reader = Command::new(peer("python")?);
    reader.arg(peers().join("oscal.py"));
    let mut reader =
        reader.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    reader.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
    let out = reader.wait_with_output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Some(if out.status.success() { Ok(said(&out.stdout)) } else { Err(said(&out.stderr)) })
}

/// What an independent reader finds in a PDF; none where there is no such reader.
pub fn read_pdf(pdf: &[u8]) -> Option<Value> {
    let mut reader = Command::new(peer("python")?);
    reader.arg(peers().join("pdf.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut reader = reader.spawn().unwrap();
    reader.stdin.take().unwrap().write_all(pdf).unwrap();
    let out = reader.wait_with_output().unwrap();
    assert!(out.status.success());
    Some(serde_json::from_slice(&out.stdout).unwrap())
}

impl Fleet {
    /// Starts a server, enrols a device, signs in.
    pub fn start(store: Option<&str>) -> Self {
        Self::start_with(tempfile::tempdir().unwrap(), store, &[])
    }

    /// [`Fleet::start`] in a folder, with more arguments for the server.
    pub fn start_with(folder: tempfile::TempDir, store: Option<&str>, more: &[String]) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
        let program = program("stead-server").unwrap();
        let server =
            Server::start_with(&program, &folder.path().join("server"), store, address, more).unwrap();
        let mut client = server.client().unwrap();
        let code = server.admin(&["enrol-code", "Sam Sample"]).unwrap();
        let device = SimDevice::enrol(&mut client, [1; 32], &code, "laptop-1", system_now()).unwrap();
        let cookie = server.sign_in().unwrap();
        Self { server, device, client, cookie, sqlite: store.is_none(), folder }
    }

    /// Somebody new who has joined: their id and their session.
    pub fn join(&mut self, name: &str, email: &str, roles: &[&str]) -> (String, String) {
        let mut add = vec!["add-person", name, "--email", email];
        roles.iter().for_each(|role| add.extend(["--role", role]));
        let id = self.server.admin(&add).unwrap();
        let link = self.server.admin(&["invite", email, "--base-url", &self.server.url()]).unwrap();
        let path = link.strip_prefix(&self.server.url()).unwrap().to_owned();
        let (status, cookie) = self.client.post_for_cookie(&path).unwrap();
        assert_eq!((status, self.client.location()), (303, Some("/me/ways?welcome=1")));
        (id, cookie.unwrap())
    }

    /// A token of whoever has this session, good for these.
    pub fn token(&mut self, cookie: &str, scopes: &[&str]) -> String {
        let mut form = vec![("name", "testing"), ("days", "7")];
        form.extend(scopes.iter().map(|scope| (*scope, "1")));
        let (status, page) = self.client.post_form("/me/tokens", cookie, &form).unwrap();
        assert_eq!(status, 200, "{page}");
        let start = page.find("<code>stead_").unwrap() + "<code>".len();
        page[start..].chars().take_while(|c| *c != '<').collect()
    }

    /// Asks the API with a token, for a purpose; status and answer.
    pub fn api(&mut self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("authorization", bearer.as_str()), ("stead-purpose", "review")];
        let text = if body.is_null() { String::new() } else { body.to_string() };
        if !body.is_null() {
            headers.push(("content-type", "application/json"));
        }
        let (status, answer) = self.client.send(method, path, &headers, &text).unwrap();
        (status, serde_json::from_str(&answer).unwrap_or(Value::Null))
    }

    /// A file with a key that signs packs, and the key that a server is told of.
    pub fn pack_key(&self) -> (PathBuf, String) {
        let file = self.folder.path().join("pack.key");
        let made = Command::new(program("stead-server").unwrap()).args(["pack", "key"]).arg(&file).output();
        let made = made.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        (file, String::from_utf8(made.stdout).unwrap().trim().to_owned())
    }

    /// Sends a pack with a token and a key that signs it, as `stead-server pack publish`; whether it was taken,
    /// and what was said.
    pub fn send_pack(&self, pack: &Path, token: &str, key: &Path) -> (bool, String) {
        let token_file = self.folder.path().join("token");
        fs::write(&token_file, token).unwrap();
        let out = Command::new(program("stead-server").unwrap())
            .args(["pack", "publish"])
            .arg(pack)
            .args(["--server", &self.server.url(), "--says", "One day for a clear disk.", "--token-file"])
            .arg(&token_file)
            .arg("--key")
            .arg(key)
            .output()
            .unwrap();
        let said = [out.stdout, out.stderr].concat();
        (out.status.success(), String::from_utf8(said).unwrap())
    }

    /// Publishes a pack: signed and sent as one person, approved by another in their session.
    pub fn publish(&mut self, pack: &Path, (author, token): (&str, &str), approver: &str) {
        let (file, key) = self.pack_key();
        let allowed = [("key", key.as_str()), ("name", "The author's computer")];
        let (status, said) = self.client.post_form("/policy/keys", author, &allowed).unwrap();
        assert_eq!(status, 303, "{said}");
        let (done, said) = self.send_pack(pack, token, &file);
        assert!(done, "{said}");
        let id = said.trim().rsplit('/').next().unwrap();
        let path = format!("/policy/proposals/{id}/approve");
        let (status, said) = self.client.post_form(&path, approver, &[("revision", "1")]).unwrap();
        assert_eq!(status, 303, "{said}");
    }

    /// Asks again until something is so, for at most a minute and a half.
    pub fn until(&mut self, what: &str, mut so: impl FnMut(&mut Self) -> bool) {
        let until = std::time::Instant::now() + std::time::Duration::from_secs(90);
        while !so(self) {
            assert!(std::time::Instant::now() < until, "it never came to be: {what}");
            std::thread::sleep(std::time::Duration::from_millis(250));
        }
    }

    /// The time.
    pub fn now(&self) -> Millis {
        system_now()
    }

    /// Enrols another device.
    pub fn enrol_another(&mut self, name: &str, owner: &str) -> SimDevice {
        let code = self.server.admin(&["enrol-code", "Toni Test", "--owner", owner]).unwrap();
        let mut seed = [2; 32];
        seed[..name.len()].copy_from_slice(name.as_bytes());
        SimDevice::enrol(&mut self.client, seed, &code, name, system_now()).unwrap()
    }

    /// Posts a check-in: the answer, its seal checked, or the problem.
    pub fn post(&mut self, envelope: &Envelope) -> Result<Answer, Problem> {
        self.post_text(&text(envelope))
    }

    /// [`Fleet::post`] of any text.
    pub fn post_text(&mut self, text: &str) -> Result<Answer, Problem> {
        let (status, body) = self.client.post("/api/v1/check-ins", text).unwrap();
        if status != 200 {
            let problem: Problem =
                serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e}: {status} {body}"));
            assert_eq!(problem.status, status);
            return Err(problem);
        }
        let sealed: Envelope = serde_json::from_str(&body).unwrap();
        let key = VerifyingKey::from_text(&self.device.answer_key).unwrap();
        Ok(serde_json::from_slice(sealed.open(ANSWER, &key).unwrap().bytes()).unwrap())
    }

    /// The first device reports; the answer.
    pub fn report(&mut self, facts: &Facts) -> Answer {
        let now = self.now();
        let envelope = self.device.report(facts, now);
        self.post(&envelope).unwrap()
    }

    /// Another device reports; the answer.
    pub fn report_as(&mut self, device: &mut SimDevice, facts: &Facts) -> Answer {
        let envelope = device.report(facts, system_now());
        self.post(&envelope).unwrap()
    }

    /// The finding of a rule in an answer.
    pub fn finding(&self, answer: &Answer, rule: &str) -> Finding {
        answer
            .findings
            .iter()
            .flatten()
            .find(|finding| finding.rule == rule)
            .cloned()
            .unwrap_or_else(|| panic!("no finding of {rule}"))
    }

    /// A page. Where it asks what for, a reason is given first, as a person would.
    pub fn page(&mut self, path: &str) -> String {
        let (mut status, mut body) = self.client.get(path, &self.cookie).unwrap();
        let asked = self.client.location().filter(|to| to.contains("/look?")).map(str::to_owned);
        if let Some(asked) = asked {
            let why = asked.split('?').next().unwrap();
            let cookie = self.cookie.clone();
            let (recorded, said) = self.client.post_form(why, &cookie, &[("purpose", "review")]).unwrap();
            assert_eq!(recorded, 303, "{why}: {said}");
            (status, body) = self.client.get(path, &self.cookie).unwrap();
        }
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The first device's page.
    pub fn device_page(&mut self) -> String {
        self.page(&format!("/devices/{}", self.device.id))
    }

    /// Another device's page.
    pub fn device_page_of(&mut self, device: &SimDevice) -> String {
        self.page(&format!("/devices/{}", device.id))
    }

    /// Exports the ledger; the file.
    pub fn export(&self, name: &str) -> std::path::PathBuf {
        let out = self.folder.path().join(name);
        let file = out.to_string_lossy().into_owned();
        let mut arguments =
            vec!["export".to_owned(), "--data".to_owned(), self.server.data().to_string_lossy().into_owned()];
        if let Some(store) = self.server.store() {
            arguments.extend(["--store".to_owned(), store.to_owned()]);
        }
        arguments.push(file);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let made = self.server.ledger(&arguments).unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        out
    }

    /// The texts of all entries.
    pub fn ledger_texts(&self) -> Vec<String> {
        let export = self.export(&format!("texts-{}.jsonl", DATABASES.fetch_add(1, Ordering::Relaxed)));
        let text = std::fs::read_to_string(export).unwrap();
        text.lines()
            .skip(1)
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["text"].as_str().unwrap().to_owned()
            })
            .collect()
    }

    /// Verifies the export, and on SQLite the database itself; how many entries.
    pub fn verify_ledger(&self) -> String {
        let key = self.server.ledger_key().unwrap();
        let mut files =
            vec![self.export(&format!("verify-{}.jsonl", DATABASES.fetch_add(1, Ordering::Relaxed)))];
        if self.sqlite {
            files.push(self.server.data().join("stead.db"));
        }
        let mut said = String::new();
        for file in files {
            let out = self.server.ledger(&["verify", &file.to_string_lossy(), "--key", &key]).unwrap();
            said =
                format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
            assert!(out.status.success(), "{}: {said}", file.display());
        }
        said
    }
}

/// The time, as the programs under test see it.
#[expect(clippy::disallowed_methods, reason = "the programs under test live in real time")]
pub fn system_now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Millis(i64::try_from(since.as_millis()).unwrap())
}

/// Makes a test for each engine out of one.
#[macro_export]
macro_rules! on_both {
    ($($name:ident)+) => { $(
        mod $name {
            #[test]
            fn on_sqlite() { super::$name(&mut $crate::Fleet::start(None)) }
            #[test]
            fn on_postgres() {
                if let Some(store) = $crate::postgres() { super::$name(&mut $crate::Fleet::start(Some(&store))) }
            }
        }
    )+ };
}

//! Pages in front of many people and devices, and devices in front of a flood of sign-ins.

use std::{
    fs,
    net::SocketAddr,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, ensure};
use clap::Args;
use stead_testkit::{
    Client, Postgres, Server, SimDevice,
    device::{digest_of, good_facts_at, text},
    free_port,
};

use crate::{bench, bench_ingest::now, machine};

#[derive(Args)]
pub struct People {
    /// People.
    #[arg(long, default_value_t = 10_000)]
    people: u32,
    /// Devices.
    #[arg(long, default_value_t = 100_000)]
    devices: u32,
    /// Store in PostgreSQL.
    #[arg(long)]
    postgres: bool,
    /// Requests for each page.
    #[arg(long, default_value_t = 100)]
    requests: usize,
    /// Measure the programs that are there.
    #[arg(long)]
    no_build: bool,
}

/// Pages, by who opens them. `{person}` and `{device}` stand for some of the lists.
const PAGES: [(&str, &[&str]); 6] = [
    (
        "teleworker",
        &["/home", "/me", "/rules", "/rules/disk-encrypted", "/search?q=disk", "/me/notices", "/me/tokens"],
    ),
    ("manager", &["/team", "/team/attest", "/people"]),
    (
        "security",
        &[
            "/overview",
            "/people",
            "/people?q=walker",
            "/people?state=leaving",
            "/people/{person}",
            "/devices",
            "/devices?q=0123",
            "/devices?standing=lapsed",
            "/devices/{device}",
            "/rules/updates-installed",
            "/search?q=an",
            "/api/v1/people?limit=200",
            "/api/v1/devices?limit=200",
        ],
    ),
    ("coordinator", &["/people/new", "/units", "/team", "/people/{person}/edit"]),
    ("auditor", &["/proof", "/ledger", "/system", "/then", "/devices/{device}/then"]),
    ("operator", &["/system", "/people", "/system/messages"]),
];

/// Makes a sample of so many people and devices.
pub fn fill(data: &std::path::Path, url: Option<&str>, (people, devices): (u32, u32)) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut sample = Command::new(machine::built("stead-sample", true));
    sample.args(["--days", "1", "--people", &people.to_string()]);
    sample.args(["--devices", &devices.to_string(), "--data"]).arg(data);
    if let Some(url) = url {
        sample.args(["--store", url]);
    }
    let made = sample.output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    println!("sample made in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

impl People {
    pub fn run(self) -> anyhow::Result<()> {
        if !self.no_build {
            let packages = ["--package", "stead-server", "--package", "stead-sample"];
            machine::cargo(&[&["build", "--quiet", "--release", "--bins"], &packages[..]].concat())?;
        }
        println!("{}", bench::machine());
        println!(
            "$ cargo xtask bench people --people {} --devices {}{}",
            self.people,
            self.devices,
            if self.postgres { " --postgres" } else { "" }
        );
        let data = std::env::temp_dir().join(format!("stead-bench-{}", std::process::id()));
        let postgres =
            if self.postgres { Some(Postgres::start(true).map_err(|e| anyhow!(e))?) } else { None };
        let url =
            postgres.as_ref().map(|p| p.create_database("bench")).transpose().map_err(|e| anyhow!(e))?;
        fill(&data, url.as_deref(), (self.people, self.devices))?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        // A flood comes from many addresses; here a proxy says which.
        let more = ["--behind-proxy".to_owned()];
        let program = machine::built("stead-server", true);
        let server =
            Server::start_with(&program, &data, url.as_deref(), address, &more).map_err(|e| anyhow!(e))?;
        self.pages(&server)?;
        flood(&server)?;
        drop(server);
        let _ = fs::remove_dir_all(&data);
        Ok(())
    }

    fn pages(&self, server: &Server) -> anyhow::Result<()> {
        println!("\n| who | page | p50 ms | p95 ms | most ms |\n| --- | --- | --- | --- | --- |");
        let mut slowest = 0.0_f64;
        for (who, pages) in PAGES {
            let cookie = sign_in(server, who)?;
            let mut client = server.client().map_err(|e| anyhow!(e))?;
            for page in pages {
                let path = self.path(&mut client, &cookie, page)?;
                let mut took = Vec::new();
                for _ in 0..self.requests {
                    let began = Instant::now();
                    let (status, _) = client.get(&path, &cookie)?;
                    took.push(began.elapsed().as_secs_f64() * 1000.0);
                    ensure!(status == 200, "{path} for {who}: {status}");
                }
                took.sort_by(f64::total_cmp);
                let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
                slowest = slowest.max(at(95));
                println!("| {who} | `{page}` | {:.1} | {:.1} | {:.1} |", at(50), at(95), at(100));
            }
        }
        println!("\nslowest p95: {slowest:.1} ms");
        Ok(())
    }

    /// The address of a page, with a purpose given where it asks for one.
    fn path(&self, client: &mut Client, cookie: &str, page: &str) -> anyhow::Result<String> {
        let mut path = page.to_owned();
        for (name, list, start) in
            [("{person}", "/people?q=s", "/people/"), ("{device}", "/devices", "/devices/")]
        {
            if path.contains(name) {
                let (_, body) = client.get(list, cookie)?;
                let id = body
                    .split(&format!("href=\"{start}"))
                    .skip(1)
                    .map(|rest| rest.split('"').next().unwrap_or_default())
                    .find(|id| id.len() == 36)
                    .with_context(|| format!("{list} names nobody"))?;
                path = path.replace(name, id);
            }
        }
        let (status, _) = client.get(&path, cookie)?;
        if status == 303
            && let Some(asked) = client.location().map(str::to_owned)
        {
            let look = asked.split('?').next().unwrap_or_default().to_owned();
            client.post_form(&look, cookie, &[("purpose", "review")])?;
        }
        Ok(path)
    }
}

fn sign_in(server: &Server, who: &str) -> anyhow::Result<String> {
    let email = format!("{who}@sample.example");
    let link = server
        .admin(&["sign-in-link", "--base-url", &server.url(), "--email", &email])
        .map_err(|e| anyhow!(e))?;
    let path = link.strip_prefix(&server.url()).context("a strange link")?;
    let (_, cookie) = server.client().map_err(|e| anyhow!(e))?.post_for_cookie(path)?;
    cookie.context("no session")
}

/// How long devices wait, with and without a flood of people who sign in.
fn flood(server: &Server) -> anyhow::Result<()> {
    println!("\n| check-ins | /s | p50 ms | p99 ms |\n| --- | --- | --- | --- |");
    check_ins(server, "alone", 1)?;
    let stop = Arc::new(AtomicBool::new(false));
    let answered: Arc<[AtomicU64; 3]> = Arc::default();
    let mut guessers = Vec::new();
    for n in 0..16_u8 {
        let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
        let mut client = server.client().map_err(|e| anyhow!(e))?;
        guessers.push(thread::spawn(move || -> anyhow::Result<()> {
            let mut count = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                count += 1;
                let address = format!("10.{n}.{}.{}", (count >> 8) & 255, count & 255);
                let headers = [
                    ("content-type", "application/x-www-form-urlencoded"),
                    ("x-forwarded-for", address.as_str()),
                ];
                let body = format!("email=guess.{n}.{count}%40sample.example&password=four+wet+otters");
                let (status, _) = client.send("POST", "/sign-in/password", &headers, &body)?;
                let place = match status {
                    422 => 0,
                    503 => 1,
                    _ => 2,
                };
                answered[place].fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        }));
    }
    thread::sleep(Duration::from_millis(500));
    let began = Instant::now();
    let before = answered[0].load(Ordering::Relaxed);
    check_ins(server, "with 16 who guess passwords all the time", 2)?;
    let hashed = answered[0].load(Ordering::Relaxed) - before;
    let a_second = hashed as f64 / began.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    for guesser in guessers {
        guesser.join().map_err(|_| anyhow!("a thread panicked"))??;
    }
    let [wrong, busy, other] = [0, 1, 2].map(|place| answered[place].load(Ordering::Relaxed));
    println!(
        "\n{a_second:.0} guesses a second were hashed; in all {wrong} refused, {busy} put off, {other} else"
    );
    Ok(())
}

fn check_ins(server: &Server, what: &str, seed: u8) -> anyhow::Result<()> {
    const DEVICES: u8 = 8;
    const MESSAGES: usize = 1_500;
    let mut threads = Vec::new();
    let began = Instant::now();
    for n in 0..DEVICES {
        let code = server.admin(&["enrol-code", "Bench"]).map_err(|e| anyhow!(e))?;
        let mut client = server.client().map_err(|e| anyhow!(e))?;
        let mut key = [seed; 32];
        key[0] = n;
        let mut device =
            SimDevice::enrol(&mut client, key, &code, "bench", now()).map_err(|e| anyhow!("{e}"))?;
        let facts = good_facts_at(now());
        client.post("/api/v1/check-ins", &text(&device.report(&facts, now())))?;
        threads.push(thread::spawn(move || -> anyhow::Result<Vec<f64>> {
            let digest = digest_of(&facts);
            let mut took = Vec::new();
            for _ in 0..MESSAGES {
                let message = text(&device.heartbeat(&digest, now()));
                let sent = Instant::now();
                let (status, body) = client.post("/api/v1/check-ins", &message)?;
                took.push(sent.elapsed().as_secs_f64() * 1000.0);
                ensure!(status == 200, "{status} {body}");
            }
            Ok(took)
        }));
    }
    let enrolled = began.elapsed();
    let mut all = Vec::new();
    for thread in threads {
        all.extend(thread.join().map_err(|_| anyhow!("a thread panicked"))??);
    }
    let seconds = (began.elapsed() - enrolled).as_secs_f64();
    all.sort_by(f64::total_cmp);
    let at = |share: usize| all[(all.len() * share / 100).min(all.len() - 1)];
    println!("| {what} | {:.0} | {:.1} | {:.1} |", all.len() as f64 / seconds, at(50), at(99));
    Ok(())
}

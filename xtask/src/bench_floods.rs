//! Twelve floods, and how long those who mean well wait meanwhile: a device that checks in, a proxy that asks the gate, and
//! somebody who opens a page on a connection of their own. Floods come from other addresses of this machine's loopback.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{anyhow, ensure};
use clap::Args;
use rustix::net::{AddressFamily, SocketType};
use stead_testkit::{Client, Server, SimDevice, device::good_facts_at, device::text, free_port};

use crate::{bench, bench_ingest::now, machine};

#[derive(Args)]
pub struct Floods {
    /// Seconds of each flood.
    #[arg(long, default_value_t = 6)]
    seconds: u64,
    /// Measure the program that is there.
    #[arg(long)]
    no_build: bool,
}

/// Devices that check in meanwhile.
const OFFICE: u8 = 8;
/// Threads that flood.
const THREADS: u8 = 4;
/// Between two attempts of a thread. The flood shares two cores with those it is to keep out, and more connections a second
/// from so few addresses would use up their ports: then the system would be slow, not the server.
const APART: Duration = Duration::from_millis(4);
/// Connections that one thread holds open where a flood holds them.
const HELD: usize = 300;

/// One kind of flood.
#[derive(Clone, Copy)]
enum Flood {
    Silent,
    HalfHeads,
    SlowBodies,
    Churn,
    Passwords,
    Codes,
    Links,
    Forged,
    OneDevice,
    Large,
    Pages,
    Losses,
}

impl Flood {
    const ALL: [(Self, &str); 12] = [
        (Self::Silent, "connections that say nothing"),
        (Self::HalfHeads, "heads that never end"),
        (Self::SlowBodies, "bodies that never come"),
        (Self::Churn, "connections opened and closed"),
        (Self::Passwords, "wrong passwords"),
        (Self::Codes, "guesses at enrollment codes"),
        (Self::Links, "guesses at links"),
        (Self::Forged, "check-ins with a forged seal"),
        (Self::OneDevice, "one device's own check-ins"),
        (Self::Large, "bodies of 256 KiB"),
        (Self::Pages, "one person's pages, as fast as they come"),
        (Self::Losses, "one person's reports of losses"),
    ];
}

/// What the floods are given.
struct Given {
    address: SocketAddr,
    cookie: String,
    forged: String,
    device: std::sync::Mutex<SimDevice>,
}

/// Milliseconds that each kind of honest client waited.
#[derive(Default)]
struct Waited {
    device: Vec<f64>,
    gate: Vec<f64>,
    page: Vec<f64>,
    refused: u64,
}

fn p99(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(f64::NAN)
}

impl Floods {
    pub fn run(self) -> anyhow::Result<()> {
        if !self.no_build {
            machine::cargo(&["build", "--release", "--package", "stead-server"])?;
        }
        let folder = std::env::temp_dir().join(format!("stead-bench-floods-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let address: SocketAddr = ([127, 0, 0, 1], free_port()?).into();
        let program = machine::built("stead-server", true);
        let server =
            Server::start_with(&program, &folder.join("data"), None, address, &[]).map_err(|e| anyhow!(e))?;
        let admin = |arguments: &[&str]| server.admin(arguments).map_err(|e| anyhow!(e));
        let mut client = server.client().map_err(|e| anyhow!(e))?;
        let mut devices = Vec::new();
        // Enough that none of them uses up its own allowance.
        for (seed, name) in (1..=OFFICE).map(|seed| (seed, "Sam Honest")).chain([(OFFICE + 1, "Mal Flood")]) {
            if seed == 1 || seed > OFFICE {
                admin(&["add-person", name, "--email", &format!("{seed}@bench.example")])?;
            }
            let code = admin(&["enrol-code", name])?;
            let device = SimDevice::enrol(&mut client, [seed; 32], &code, name, now());
            devices.push(device.map_err(|e| anyhow!(e))?);
        }
        let Some(flooding) = devices.pop() else { return Ok(()) };
        let mut honest = devices;
        let sessions = [1, OFFICE + 1].map(|seed| {
            let link = admin(&["invite", &format!("{seed}@bench.example"), "--base-url", &server.url()])?;
            let path = link.strip_prefix(&server.url()).unwrap_or_default().to_owned();
            let mut client = server.client().map_err(|e| anyhow!(e))?;
            client.post_for_cookie(&path)?.1.ok_or_else(|| anyhow!("no session"))
        });
        let [own, theirs] = sessions;
        let (own, theirs) = (own?, theirs?);
        let forged = text(&flooding.seal("application/vnd.stead.report+json", b"{}"))
            .replace("\"sig\":\"", "\"sig\":\"AAAA");
        let given =
            Arc::new(Given { address, cookie: theirs, forged, device: std::sync::Mutex::new(flooding) });

        println!("{}", bench::machine());
        println!(
            "| flood | attempts a second | device p99, ms | gate p99, ms | page p99, ms | worst, of alone | refused |"
        );
        println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        let measure = |honest: &mut [SimDevice]| {
            honest_clients(address, honest, &own, Duration::from_secs(self.seconds))
        };
        measure(&mut honest)?;
        let mut alone = measure(&mut honest)?;
        let base = [p99(&mut alone.device), p99(&mut alone.gate), p99(&mut alone.page)];
        println!("| none | 0 | {:.1} | {:.1} | {:.1} | 1.0 | {} |", base[0], base[1], base[2], alone.refused);
        for (flood, name) in Flood::ALL {
            let (ends, attempts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
            let threads: Vec<_> = (0..THREADS)
                .map(|n| {
                    let (given, ends, attempts) =
                        (Arc::clone(&given), Arc::clone(&ends), Arc::clone(&attempts));
                    thread::spawn(move || flooded(flood, n, &given, &ends, &attempts))
                })
                .collect();
            thread::sleep(Duration::from_secs(1));
            let before = attempts.load(Ordering::Relaxed);
            let waited = measure(&mut honest);
            let made = attempts.load(Ordering::Relaxed) - before;
            ends.store(true, Ordering::Relaxed);
            threads.into_iter().for_each(|thread| drop(thread.join()));
            let mut waited = waited?;
            let came = [p99(&mut waited.device), p99(&mut waited.gate), p99(&mut waited.page)];
            let worst = came.iter().zip(base).map(|(came, base)| came / base).fold(0.0, f64::max);
            println!(
                "| {name} | {} | {:.1} | {:.1} | {:.1} | {worst:.1} | {} |",
                made / self.seconds,
                came[0],
                came[1],
                came[2],
                waited.refused
            );
        }
        drop(server);
        Ok(fs::remove_dir_all(folder)?)
    }
}

/// Those who mean well, each as often as a busy office would: what they waited, and how often they were refused.
fn honest_clients(
    address: SocketAddr,
    devices: &mut [SimDevice],
    cookie: &str,
    lasts: Duration,
) -> anyhow::Result<Waited> {
    let mut waited = Waited::default();
    let mut kept = Client::connect(address)?;
    let mut proxy = Client::connect(address)?;
    let begun = Instant::now();
    let mut facts = good_facts_at(now());
    let mut turn = 0;
    while begun.elapsed() < lasts {
        turn += 1;
        // Every second time something has changed, which is judged and written down.
        let place = turn % devices.len();
        let changed = (turn / devices.len()).is_multiple_of(2);
        facts.insert("device.clock.synchronised".to_owned(), stead_model::Fact::known(changed, "bench"));
        let device = &mut devices[place];
        let report = text(&device.report(&facts, now()));
        let mut timed = |into: fn(&mut Waited) -> &mut Vec<f64>,
                         ask: &mut dyn FnMut() -> std::io::Result<u16>,
                         good: &[u16]| {
            let at = Instant::now();
            let status = ask();
            into(&mut waited).push(at.elapsed().as_secs_f64() * 1000.0);
            if !status.is_ok_and(|status| good.contains(&status)) {
                waited.refused += 1;
            }
        };
        timed(
            |waited| &mut waited.device,
            &mut || match kept.post("/api/v1/check-ins", &report) {
                Ok((status, _)) => Ok(status),
                Err(_) => {
                    // As agents do: once more, on a new connection.
                    kept = Client::connect(address)?;
                    Ok(kept.post("/api/v1/check-ins", &report)?.0)
                }
            },
            &[200],
        );
        timed(
            |waited| &mut waited.gate,
            &mut || match proxy.get("/gate/auth/", "") {
                Ok((status, _)) => Ok(status),
                Err(_) => {
                    proxy = Client::connect(address)?;
                    Ok(proxy.get("/gate/auth/", "")?.0)
                }
            },
            &[401],
        );
        timed(
            |waited| &mut waited.page,
            &mut || Ok(Client::connect(address)?.get("/home", cookie)?.0),
            &[200],
        );
        thread::sleep(Duration::from_millis(15));
    }
    ensure!(waited.page.len() > 50, "too little was measured");
    Ok(waited)
}

/// A connection from another address of the loopback.
fn from_elsewhere(n: u8, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 1, n + 1), 0))?;
    rustix::net::connect(&socket, &to)?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.set_write_timeout(Some(Duration::from_secs(2)))?;
    Ok(stream)
}

/// Sends one request and reads what comes first.
fn once(n: u8, to: SocketAddr, request: &str) -> std::io::Result<()> {
    let mut stream = from_elsewhere(n, to)?;
    stream.write_all(request.as_bytes())?;
    let mut said = [0; 512];
    let _ = stream.read(&mut said)?;
    Ok(())
}

fn request(method: &str, path: &str, more: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn flooded(flood: Flood, n: u8, given: &Given, ends: &AtomicBool, attempts: &AtomicU64) {
    let mut held = Vec::new();
    let (form, json) =
        ("Content-Type: application/x-www-form-urlencoded\r\n", "Content-Type: application/json\r\n");
    let signed_in = format!("{form}Cookie: {}\r\n", given.cookie);
    let large = "x".repeat(256 * 1024 - 1);
    let mut k = 0u64;
    while !ends.load(Ordering::Relaxed) {
        k += 1;
        attempts.fetch_add(1, Ordering::Relaxed);
        let mut hold = |said: &str| {
            if held.len() >= HELD {
                held.remove(0);
            }
            if let Ok(mut stream) = from_elsewhere(n, given.address) {
                let _ = stream.write_all(said.as_bytes());
                held.push(stream);
            }
        };
        let _ = match flood {
            Flood::Silent => {
                hold("");
                Ok(())
            }
            Flood::HalfHeads => {
                hold("GET / HTTP/1.1\r\nHost: x\r\nX-A: ");
                Ok(())
            }
            Flood::SlowBodies => {
                hold("POST /sign-in/password HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\nemail=");
                Ok(())
            }
            Flood::Churn => from_elsewhere(n, given.address).map(drop),
            Flood::Passwords => {
                let body = format!("email=1%40bench.example&password=wrong-{n}-{k}");
                once(n, given.address, &request("POST", "/sign-in/password", form, &body))
            }
            Flood::Codes => once(n, given.address, &request("POST", "/api/v1/enrolments", json, "{}")),
            Flood::Links => once(n, given.address, &request("GET", &format!("/join/{n}{k:042}"), "", "")),
            Flood::Forged => {
                once(n, given.address, &request("POST", "/api/v1/check-ins", json, &given.forged))
            }
            Flood::OneDevice => {
                let report =
                    given.device.lock().map(|mut device| text(&device.report(&good_facts_at(now()), now())));
                once(
                    n,
                    given.address,
                    &request("POST", "/api/v1/check-ins", json, &report.unwrap_or_default()),
                )
            }
            Flood::Large => once(n, given.address, &request("POST", "/api/v1/check-ins", json, &large)),
            Flood::Pages => once(n, given.address, &request("GET", "/me", &signed_in, "")),
            Flood::Losses => once(
                n,
                given.address,
                &request("POST", "/lost", &signed_in, &format!("what=phone&label=p{n}-{k}")),
            ),
        };
        thread::sleep(APART);
    }
}

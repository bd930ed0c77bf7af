//! Ingest: a simulated fleet enrols one by one, reports once, and then sends as fast as it is answered.
//! Generator and server share the machine; messages are sealed before the clock starts, since a fleet
//! seals on its own processors. Every answer means checked, judged, durable and in the ledger.

use std::{
    fs,
    net::SocketAddr,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use stead_model::{Fact, Facts, Millis};
use stead_testkit::{
    Client, Postgres, Server, SimDevice,
    device::{digest_of, good_facts_at, text},
    free_port,
};

use crate::{bench, machine};

#[derive(Args)]
pub struct Ingest {
    /// Devices.
    #[arg(long, default_value_t = 1_000)]
    devices: usize,
    /// Where the server stores.
    #[arg(long, value_enum, default_value_t = Engine::Sqlite)]
    store: Engine,
    /// Messages of the first kind of load; of the others, which are larger, a third.
    #[arg(long, default_value_t = 150_000)]
    messages: usize,
    /// Connections, over two threads.
    #[arg(long, default_value_t = 128)]
    connections: usize,
    /// Devices that come back at the same time after the server was away.
    #[arg(long, default_value_t = 10_000)]
    returning: usize,
    /// Measure the program that is there.
    #[arg(long)]
    no_build: bool,
    /// Send this many a second, instead of as many as are answered.
    #[arg(long)]
    rate: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Engine {
    Sqlite,
    Postgres,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    /// As agents do: heartbeats, and one message in a hundred a report with a changed finding.
    Agents,
    /// Whole reports, one in a hundred with a changed finding.
    Whole,
    /// Whole reports, each with a changed finding.
    Changed,
}

const THREADS: usize = 2;

impl Ingest {
    pub fn run(self) -> anyhow::Result<()> {
        if !self.no_build {
            machine::cargo(&["build", "--quiet", "--release", "--package", "stead-server", "--bins"])?;
        }
        println!("{}", bench::machine());
        println!(
            "$ cargo xtask bench ingest --devices {} --store {:?} --messages {} --connections {}{}",
            self.devices,
            self.store,
            self.messages,
            self.connections,
            self.rate.map_or_else(String::new, |rate| format!(" --rate {rate}"))
        );
        let data = std::env::temp_dir().join(format!("stead-bench-{}", std::process::id()));
        let postgres = match self.store {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Postgres::start(true).map_err(|e| anyhow!(e))?),
        };
        let url =
            postgres.as_ref().map(|p| p.create_database("bench")).transpose().map_err(|e| anyhow!(e))?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let program = machine::built("stead-server", true);
        let started = Instant::now();
        let server = Server::start_at(&program, &data, url.as_deref(), address).map_err(|e| anyhow!(e))?;
        println!(
            "ready after {} ms on an empty store; RSS {:.1} MiB; binary {:.1} MiB",
            started.elapsed().as_millis(),
            rss(&server),
            fs::metadata(&program)?.len() as f64 / 1_048_576.0
        );

        let mut fleet = self.enrol(&server)?;
        self.first_reports(&server, &mut fleet)?;
        for load in [Load::Agents, Load::Whole, Load::Changed] {
            self.send(&server, &mut fleet, load)?;
        }
        pages(&server)?;
        let verified = Instant::now();
        if self.store == Engine::Sqlite {
            let key = server.ledger_key().map_err(|e| anyhow!(e))?;
            let file = data.join("stead.db");
            let out =
                server.ledger(&["verify", &file.to_string_lossy(), "--key", &key]).map_err(|e| anyhow!(e))?;
            println!(
                "ledger: {} ({:.2} s)",
                String::from_utf8_lossy(&out.stdout).trim(),
                verified.elapsed().as_secs_f64()
            );
        }
        drop(server);
        let restarted = Instant::now();
        let server = Server::start_at(&program, &data, url.as_deref(), address).map_err(|e| anyhow!(e))?;
        println!("ready again after {} ms with {} devices", restarted.elapsed().as_millis(), self.devices);
        self.come_back(&server, &mut fleet)?;
        drop(server);
        let _ = fs::remove_dir_all(&data);
        Ok(())
    }

    fn enrol(&self, server: &Server) -> anyhow::Result<Vec<SimDevice>> {
        let mut codes = Command::new(machine::built("stead-server", true));
        codes.args(["admin", "--data"]).arg(server.data());
        if let Some(store) = server.store() {
            codes.args(["--store", store]);
        }
        let mut codes =
            codes.args(["enrol-code", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let names: String = (0..self.devices).map(|n| format!("Person {n:06}\n")).collect();
        let mut input = codes.stdin.take().context("no standard input")?;
        let writer = thread::spawn(move || std::io::Write::write_all(&mut input, names.as_bytes()));
        let out = codes.wait_with_output()?;
        writer.join().map_err(|_| anyhow!("the names could not be written"))??;
        let codes: Vec<String> = String::from_utf8(out.stdout)?
            .lines()
            .map(|line| line.split('\t').next().unwrap_or_default().to_owned())
            .collect();
        anyhow::ensure!(codes.len() == self.devices, "{} codes for {} devices", codes.len(), self.devices);
        let started = Instant::now();
        let share = self.devices.div_ceil(8);
        let fleet: Vec<SimDevice> = thread::scope(|scope| {
            let threads: Vec<_> = codes
                .chunks(share)
                .enumerate()
                .map(|(part, codes)| {
                    scope.spawn(move || -> anyhow::Result<Vec<SimDevice>> {
                        let mut client = server.client().map_err(|e| anyhow!(e))?;
                        let mut devices = Vec::new();
                        for (n, code) in codes.iter().enumerate() {
                            let mut seed = [7; 32];
                            seed[..8].copy_from_slice(&((part * share + n) as u64).to_le_bytes());
                            devices.push(
                                SimDevice::enrol(
                                    &mut client,
                                    seed,
                                    code,
                                    &format!("laptop-{:06}", part * share + n),
                                    now(),
                                )
                                .map_err(|e| anyhow!(e))?,
                            );
                        }
                        Ok(devices)
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|t| t.join().map_err(|_| anyhow!("a thread panicked"))?)
                .collect::<anyhow::Result<Vec<_>>>()
        })?
        .into_iter()
        .flatten()
        .collect();
        println!(
            "enrolled {} devices, {:.0}/s",
            fleet.len(),
            fleet.len() as f64 / started.elapsed().as_secs_f64()
        );
        Ok(fleet)
    }

    fn first_reports(&self, server: &Server, fleet: &mut [SimDevice]) -> anyhow::Result<()> {
        let facts = facts(false, now());
        let started = Instant::now();
        prepare(self, server, fleet, &facts)?;
        println!(
            "first reports, each judged by every rule: {:.0}/s; RSS {:.1} MiB",
            fleet.len() as f64 / started.elapsed().as_secs_f64(),
            rss(server)
        );
        Ok(())
    }

    fn send(&self, server: &Server, fleet: &mut [SimDevice], load: Load) -> anyhow::Result<()> {
        // The day's facts have been reported: what is unchanged stays so.
        let states = [facts(false, now()), facts(true, now())];
        let digests = [digest_of(&states[0]), digest_of(&states[1])];
        prepare(self, server, fleet, &states[0])?;
        let share = fleet.len().div_ceil(THREADS);
        let sealed: Vec<(usize, Vec<String>)> = thread::scope(|scope| {
            let threads: Vec<_> = fleet
                .chunks_mut(share)
                .map(|devices| {
                    let (states, digests) = (&states, &digests);
                    scope.spawn(move || (devices.len(), self.seal(devices, load, states, digests)))
                })
                .collect();
            threads
                .into_iter()
                .map(|t| t.join().map_err(|_| anyhow!("a thread panicked")))
                .collect::<anyhow::Result<_>>()
        })?;
        let (cpu_before, started) = (cpu(server), Instant::now());
        let mut latencies: Vec<u32> = thread::scope(|scope| {
            let threads: Vec<_> = sealed
                .iter()
                .map(|(devices, messages)| scope.spawn(move || self.drive(server, *devices, messages)))
                .collect();
            threads
                .into_iter()
                .map(|t| t.join().map_err(|_| anyhow!("a thread panicked"))?)
                .collect::<anyhow::Result<Vec<_>>>()
        })?
        .into_iter()
        .flatten()
        .collect();
        let seconds = started.elapsed().as_secs_f64();
        let sent = latencies.len();
        latencies.sort_unstable();
        let at = |share: f64| {
            latencies.get((latencies.len() as f64 * share) as usize).copied().unwrap_or(0) as f64 / 1000.0
        };
        println!(
            "{load:?}: {:.0}/s, p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms; server CPU {:.0} µs a message, RSS {:.1} MiB",
            sent as f64 / seconds,
            at(0.5),
            at(0.99),
            at(0.999),
            (cpu(server) - cpu_before) * 1e6 / sent as f64,
            rss(server),
        );
        Ok(())
    }

    /// Seals the messages of one thread's devices, and returns them in the order in which they are sent.
    fn seal(
        &self,
        devices: &mut [SimDevice],
        load: Load,
        states: &[Facts; 2],
        digests: &[String; 2],
    ) -> Vec<String> {
        let mut state = vec![0_usize; devices.len()];
        let count = self.messages / THREADS / if load == Load::Agents { 1 } else { 3 };
        (0..count)
            .map(|n| {
                let place = n % devices.len();
                let changes = load == Load::Changed || n % 100 == 99;
                if changes {
                    state[place] = 1 - state[place];
                }
                let device = &mut devices[place];
                let message = if load == Load::Agents && !changes {
                    device.heartbeat(&digests[state[place]], now())
                } else {
                    device.report(&states[state[place]], now())
                };
                text(&message)
            })
            .collect()
    }

    /// The server was away: every device has a report that waited, comes with a connection of its own, and sends it on
    /// and a heartbeat after it, all at the same time. Each retries nothing; the first error ends the measurement.
    fn come_back(&self, server: &Server, fleet: &mut [SimDevice]) -> anyhow::Result<()> {
        thread::sleep(Duration::from_secs(20));
        println!(
            "with everything that the gate remembers of {} devices: RSS {:.1} MiB",
            fleet.len(),
            rss(server)
        );
        let facts = [facts(true, now()), facts(false, now())];
        let digests = [digest_of(&facts[0]), digest_of(&facts[1])];
        let many = self.returning.min(fleet.len());
        let share = many.div_ceil(THREADS);
        // Sealed before: a fleet seals on its own processors.
        let messages: Vec<Vec<[String; 2]>> = fleet[..many]
            .chunks_mut(share)
            .map(|devices| {
                let waited = |(n, device): (usize, &mut SimDevice)| {
                    let late = device.report(&facts[n % 2], now());
                    [text(&device.deliver(late, now())), text(&device.heartbeat(&digests[n % 2], now()))]
                };
                devices.iter_mut().enumerate().map(waited).collect()
            })
            .collect();
        let started = Instant::now();
        let latest: Vec<Duration> = thread::scope(|scope| {
            let threads: Vec<_> = messages
                .iter()
                .map(|messages| {
                    scope.spawn(move || -> anyhow::Result<Duration> {
                        let mut clients = connect(server, messages.len())?;
                        for place in 0..2 {
                            let of: Vec<String> = messages.iter().map(|pair| pair[place].clone()).collect();
                            exchange(&mut clients, &of)?;
                        }
                        Ok(started.elapsed())
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|t| t.join().map_err(|_| anyhow!("a thread panicked"))?)
                .collect::<anyhow::Result<_>>()
        })?;
        println!(
            "{many} devices back at once, each with a report that waited and a heartbeat: all heard in {:.1} s; RSS {:.1} MiB",
            latest.iter().max().map_or(0.0, Duration::as_secs_f64),
            rss(server)
        );
        Ok(())
    }

    fn drive(&self, server: &Server, devices: usize, messages: &[String]) -> anyhow::Result<Vec<u32>> {
        let mut clients = connect(server, (self.connections / THREADS).min(devices))?;
        let mut latencies = Vec::with_capacity(messages.len());
        let started = Instant::now();
        let width = clients.len();
        for batch in messages.chunks(width) {
            latencies.extend(exchange(&mut clients, batch)?);
            if let Some(rate) = self.rate {
                let due = Duration::from_secs_f64(latencies.len() as f64 * THREADS as f64 / rate as f64);
                thread::sleep(due.saturating_sub(started.elapsed()));
            }
        }
        Ok(latencies)
    }
}

/// Brings every device to the same facts, so that each load starts alike.
fn prepare(bench: &Ingest, server: &Server, fleet: &mut [SimDevice], facts: &Facts) -> anyhow::Result<()> {
    let share = fleet.len().div_ceil(THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = fleet
            .chunks_mut(share)
            .map(|devices| {
                scope.spawn(move || -> anyhow::Result<()> {
                    let mut clients = connect(server, bench.connections / THREADS)?;
                    for chunk in devices.chunks_mut(clients.len()) {
                        let messages: Vec<String> =
                            chunk.iter_mut().map(|d| text(&d.report(facts, now()))).collect();
                        exchange(&mut clients, &messages)?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|t| t.join().map_err(|_| anyhow!("a thread panicked"))?)
    })
}

fn connect(server: &Server, count: usize) -> anyhow::Result<Vec<Client>> {
    (0..count.max(1)).map(|_| server.client().map_err(|e| anyhow!(e))).collect()
}

/// Sends one message over each connection, then reads all answers; microseconds for each.
fn exchange(clients: &mut [Client], messages: &[String]) -> anyhow::Result<Vec<u32>> {
    let mut sent = Vec::with_capacity(messages.len());
    for (client, message) in clients.iter_mut().zip(messages) {
        client.request("POST", "/api/v1/check-ins", &[("content-type", "application/json")], message)?;
        sent.push(Instant::now());
    }
    let mut latencies = Vec::with_capacity(messages.len());
    for (client, sent) in clients.iter_mut().zip(sent) {
        let (status, body, _) = client.answer()?;
        anyhow::ensure!(status == 200, "{status}: {body}");
        latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}

/// The overview and the list with this many devices.
fn pages(server: &Server) -> anyhow::Result<()> {
    let cookie = server.sign_in().map_err(|e| anyhow!(e))?;
    let mut client = server.client().map_err(|e| anyhow!(e))?;
    for path in [
        "/overview",
        "/devices",
        "/devices?standing=due",
        "/devices?q=person+000777",
        "/rules/firewall-on",
        "/ledger",
        "/proof",
    ] {
        let mut times = Vec::new();
        for _ in 0..30 {
            let started = Instant::now();
            let (status, body) = client.get(path, &cookie)?;
            anyhow::ensure!(status == 200, "{path}: {status}: {body}");
            times.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        let (median, _, most) = bench::spread(times);
        println!("{path}: {median:.1} ms (slowest of 30: {most:.1})");
    }
    Ok(())
}

fn facts(firewall_off: bool, at: Millis) -> Facts {
    let mut facts = good_facts_at(Millis(at.day() * stead_model::time::DAY));
    if firewall_off {
        facts.insert("device.firewall.denies_inbound".to_owned(), Fact::known(false, "nft -j list ruleset"));
        facts.insert(
            "device.firewall.by".to_owned(),
            Fact::known("nftables: nothing refuses connections from outside", "nft -j list ruleset"),
        );
    }
    facts
}

#[expect(clippy::disallowed_methods, reason = "a load generator lives in real time")]
pub(crate) fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Millis(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

fn rss(server: &Server) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Seconds of CPU that the server has used. Linux counts in hundredths.
fn cpu(server: &Server) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = [11, 12].iter().filter_map(|i| fields.get(*i)?.parse::<f64>().ok()).sum();
    ticks / 100.0
}

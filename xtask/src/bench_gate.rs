//! The gate: how fast nginx answers when it asks Stead before each request, against the same nginx asking an
//! upstream that says yes without looking; in one run, turn by turn. And how soon a device that is shut out is out.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, bail, ensure};
use clap::Args;
use stead_testkit::{Client, Server, SimDevice, device::good_facts_at, device::text, free_port};

use crate::{bench, bench_ingest::now, machine};

#[derive(Args)]
pub struct Gate {
    /// Rounds of each kind.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of a round.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Measure the program that is there.
    #[arg(long)]
    no_build: bool,
}

/// How many ask at the same time; by the first the rate is compared.
const CONNECTIONS: [u32; 3] = [64, 16, 4];

/// What one round of load gave.
#[derive(Clone, Copy, Debug)]
struct Round {
    /// Requests a second.
    rate: f64,
    /// The 99th percentile, in milliseconds.
    p99: f64,
}

impl Gate {
    pub fn run(self) -> anyhow::Result<()> {
        ensure!(machine::has("nginx") && machine::has("wrk"), "install nginx-light and wrk");
        if !self.no_build {
            machine::cargo(&["build", "--release", "--package", "stead-server"])?;
        }
        let folder = std::env::temp_dir().join(format!("stead-bench-gate-{}", std::process::id()));
        let at = folder.as_path();
        fs::create_dir_all(at)?;
        let [front, bare, empty] = [free_port()?, free_port()?, free_port()?];
        let gate = at.join("gate.toml");
        fs::write(
            &gate,
            format!(
                "[[application]]\nname = \"records\"\ntitle = \"Records\"\nurl = \"http://localhost:{front}\"\ntier = \"restricted\"\n"
            ),
        )?;
        let address = ([127, 0, 0, 1], free_port()?).into();
        let more = ["--gate".to_owned(), gate.display().to_string()];
        let program = machine::built("stead-server", true);
        let server =
            Server::start_with(&program, &at.join("data"), None, address, &more).map_err(|e| anyhow!(e))?;
        let (mut device, session) = enrolled(&server)?;
        let mut client = server.client().map_err(|e| anyhow!(e))?;
        let report = device.report(&good_facts_at(now()), now());
        ensure!(client.post("/api/v1/check-ins", &text(&report))?.0 == 200, "the report was not taken");
        let pass = pass(&mut client, &device, &session)?;
        let _nginx = nginx(at, [front, bare, empty], address.port())?;

        println!("{}", bench::machine());
        let cookie = format!("Cookie: {pass}");
        let mut rounds = CONNECTIONS.map(|_| (Vec::new(), Vec::new()));
        for round in 1..=self.rounds {
            for (connections, (not, asking)) in CONNECTIONS.iter().zip(&mut rounds) {
                not.push(load(bare, &cookie, *connections, self.seconds)?);
                asking.push(load(front, &cookie, *connections, self.seconds)?);
                println!(
                    "round {round}, {connections} connections: bare {:?}, asking {:?}",
                    not.last(),
                    asking.last()
                );
            }
        }
        let (not, asking) = &rounds[0];
        let rate = |rounds: &[Round]| bench::spread(rounds.iter().map(|r| r.rate).collect());
        let p99 = |rounds: &[Round]| bench::spread(rounds.iter().map(|r| r.p99).collect());
        let share = rate(asking).0 / rate(not).0;
        println!(
            "an upstream that says yes: {:.0}/s ({:.0} to {:.0})",
            rate(not).0,
            rate(not).1,
            rate(not).2
        );
        println!(
            "Stead:                     {:.0}/s ({:.0} to {:.0}), {:.0} %",
            rate(asking).0,
            rate(asking).1,
            rate(asking).2,
            share * 100.0
        );
        for (connections, (not, asking)) in CONNECTIONS.iter().zip(&rounds) {
            println!(
                "p99 with {connections:2} connections:   {:.2} ms and {:.2} ms",
                p99(not).0,
                p99(asking).0
            );
        }
        println!("server: {:.1} MiB", resident(server.id())?);

        let mut times = lost(&mut client, front, (&pass, &session), &device)?;
        times.sort_by(f64::total_cmp);
        println!(
            "from the begin of telling of a loss until nginx refuses it, {LOSSES} losses: median {:.1} ms, p99 {:.1} ms, most {:.1} ms",
            times[LOSSES / 2],
            times[LOSSES * 99 / 100],
            times[LOSSES - 1]
        );
        let times = revoked(&server, front, &pass, &device)?;
        println!("from the answer to shutting a device out until nginx refuses it: {times:.1} ms");
        drop(server);
        Ok(fs::remove_dir_all(at)?)
    }
}

/// A device of the person who is signed in, and their session.
fn enrolled(server: &Server) -> anyhow::Result<(SimDevice, String)> {
    let admin = |arguments: &[&str]| server.admin(arguments).map_err(|e| anyhow!(e));
    admin(&["add-person", "Sam Bench", "--email", "sam@bench.example", "--role", "security"])?;
    let link = admin(&["invite", "sam@bench.example", "--base-url", &server.url()])?;
    let path = link.strip_prefix(&server.url()).context("a strange link")?;
    let mut client = server.client().map_err(|e| anyhow!(e))?;
    let session = client.post_for_cookie(path)?.1.context("no session")?;
    let code = admin(&["enrol-code", "Sam Bench"])?;
    let device = SimDevice::enrol(&mut client, [5; 32], &code, "bench", now()).map_err(|e| anyhow!("{e}"))?;
    Ok((device, session))
}

/// The pass that a browser is given, by the steps that it takes.
fn pass(client: &mut Client, device: &SimDevice, session: &str) -> anyhow::Result<String> {
    let mut cookies = vec![session.to_owned()];
    let mut path = "/.stead/records/start".to_owned();
    for _ in 0..10 {
        let all = cookies.join("; ");
        let headers = [("accept", "text/html"), ("cookie", all.as_str()), ("x-original-uri", "/")];
        let (status, body) = client.send("GET", &path, &headers, "")?;
        for cookie in client.cookies() {
            let name = cookie.split('=').next().unwrap_or_default().to_owned();
            cookies.retain(|kept| !kept.starts_with(&format!("{name}=")));
            cookies.push(cookie.clone());
        }
        if let Some(pass) = cookies.iter().find(|cookie| cookie.starts_with("__Host-stead-pass=")) {
            return Ok(pass.clone());
        }
        let to = client.location().with_context(|| format!("{path}: {status} {body}"))?.to_owned();
        path = match to.split_once("/device?question=") {
            Some((_, question)) => format!("/gate/device/back?shown={}", device.show(question, now())),
            None => {
                let rest = to.split_once("://").map_or(to.as_str(), |(_, rest)| rest);
                let slash = if to.starts_with('/') { 0 } else { rest.find('/').unwrap_or(0) };
                rest[slash..].to_owned()
            }
        };
    }
    bail!("no pass was given")
}

/// How many losses are told, one after the other.
const LOSSES: usize = 300;

/// How long each loss takes from the begin of telling it until nginx refuses what it let in, in milliseconds; each is undone
/// as a false alarm before the next.
fn lost(
    client: &mut Client,
    front: u16,
    (pass, session): (&str, &str),
    device: &SimDevice,
) -> anyhow::Result<Vec<f64>> {
    let mut browser = Client::connect(([127, 0, 0, 1], front).into())?;
    let mut until = |wanted: bool| -> anyhow::Result<()> {
        let begun = Instant::now();
        while (browser.get("/index.html", pass)?.0 == 200) != wanted {
            ensure!(begun.elapsed() < Duration::from_secs(10), "nginx never saw it");
        }
        Ok(())
    };
    let what = format!("device:{}", device.id);
    let mut times = Vec::with_capacity(LOSSES);
    for _ in 0..LOSSES {
        until(true)?;
        let begun = Instant::now();
        let (status, body) = client.post_form("/lost", session, &[("what", &what)])?;
        ensure!(status == 303, "{status}: {body}");
        let page = client.location().context("no page of the loss")?.to_owned();
        until(false)?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
        let (status, body) = client.post_form(&format!("{page}/back"), session, &[("how", "mistaken")])?;
        ensure!(status == 303, "{status}: {body}");
    }
    Ok(times)
}

struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it when it is asked to.
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

/// One nginx: a small file at two ports, before which Stead and an upstream that says yes are asked.
fn nginx(at: &Path, [front, bare, empty]: [u16; 3], stead: u16) -> anyhow::Result<Nginx> {
    fs::create_dir(at.join("site"))?;
    fs::write(at.join("site/index.html"), "hello\n")?;
    let ask = |port: u16, upstream: &str, path: &str| {
        format!(
            "server {{ listen 127.0.0.1:{port}; root {0}/site;
               location = /.ask {{ internal; proxy_pass http://{upstream}{path}; proxy_http_version 1.1;
                 proxy_pass_request_body off; proxy_pass_request_headers off;
                 proxy_set_header Connection \"\"; proxy_set_header Cookie $http_cookie; }}
               location / {{ auth_request /.ask; }} }}\n",
            at.display()
        )
    };
    let text = format!(
        "daemon off; worker_processes 2; pid {0}/pid; error_log {0}/error.log;
         events {{ worker_connections 1024; }}
         http {{ access_log off; client_body_temp_path {0}; proxy_temp_path {0}; fastcgi_temp_path {0};
           uwsgi_temp_path {0}; scgi_temp_path {0};
           upstream stead {{ server 127.0.0.1:{stead}; keepalive 64; }}
           upstream empty {{ server 127.0.0.1:{empty}; keepalive 64; }}
           server {{ listen 127.0.0.1:{empty}; keepalive_requests 100000000; location / {{ return 204; }} }}
           {1}{2} }}\n",
        at.display(),
        ask(front, "stead", "/gate/auth/records"),
        ask(bare, "empty", "/"),
    );
    fs::write(at.join("nginx.conf"), text)?;
    // nginx leaves the rights of root, and must still find the file.
    machine::run("chmod", &["-R", "a+rX", &at.display().to_string()])?;
    let child = Command::new("nginx")
        .arg("-e")
        .arg(at.join("error.log"))
        .arg("-c")
        .arg(at.join("nginx.conf"))
        .stdout(Stdio::null())
        .spawn()?;
    thread::sleep(Duration::from_secs(1));
    Ok(Nginx(child))
}

/// One round of load.
fn load(port: u16, cookie: &str, connections: u32, seconds: u64) -> anyhow::Result<Round> {
    let out = Command::new("wrk")
        .args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "--latency", "-H", cookie])
        .arg(format!("http://127.0.0.1:{port}/index.html"))
        .output()?;
    let said = String::from_utf8(out.stdout)?;
    ensure!(!said.contains("Non-2xx"), "not everybody was let in:\n{said}");
    let after = |name: &str| {
        let line = said.lines().find(|line| line.trim_start().starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)).map(str::to_owned).with_context(|| said.clone())
    };
    let p99 = after("99%")?;
    let number = |unit: &str| p99.strip_suffix(unit).and_then(|text| text.parse::<f64>().ok());
    let p99 = match (number("us"), number("ms")) {
        (Some(us), _) => us / 1000.0,
        (None, Some(ms)) => ms,
        (None, None) => number("s").context("no time")? * 1000.0,
    };
    Ok(Round { rate: after("Requests/sec:")?.parse()?, p99 })
}

/// Resident memory of a process, in MiB.
fn resident(process: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib / 1024.0)
}

/// Shuts a device out, and asks until it is refused; milliseconds.
fn revoked(server: &Server, front: u16, pass: &str, device: &SimDevice) -> anyhow::Result<f64> {
    server.admin(&["revoke-device", &device.id.to_string()]).map_err(|e| anyhow!(e))?;
    let begun = Instant::now();
    let mut client = Client::connect(([127, 0, 0, 1], front).into())?;
    while client.get("/index.html", pass)?.0 == 200 {
        ensure!(begun.elapsed() < Duration::from_secs(60), "it was never refused");
    }
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

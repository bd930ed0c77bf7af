//! Nobody keeps everybody else out.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    time::Duration,
};

use stead_e2e::system_now;
use stead_testkit::{Server, SimDevice, device::good_facts_at, free_port, program};

/// A server that may hold so many descriptors and no more.
fn with_descriptors(folder: &std::path::Path, descriptors: usize) -> Server {
    let program = program("stead-server").unwrap();
    let few = folder.join("few");
    fs::write(&few, format!("#!/bin/sh\nulimit -n {descriptors}\nexec {} \"$@\"\n", program.display()))
        .unwrap();
    fs::set_permissions(&few, fs::Permissions::from_mode(0o700)).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
    Server::start_with(&few, &folder.join("data"), None, address, &[]).unwrap()
}

/// S2: eleven hundred connections that said nothing kept everybody out, of the gate too.
#[test]
fn s2_silent_connections_keep_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_descriptors(folder.path(), 600);
    let mut client = server.client().unwrap();
    let code = server.admin(&["enrol-code", "Sam Sample"]).unwrap();
    let mut device = SimDevice::enrol(&mut client, [1; 32], &code, "laptop-1", system_now()).unwrap();
    drop(client);
    let mut silent = Vec::new();
    for n in 0..1100 {
        let mut one = TcpStream::connect(server.address).unwrap();
        one.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        // Nothing at all, half a head, and a body that does not come.
        let said: &[u8] = match n % 3 {
            0 => b"",
            1 => b"GET /healthz HTTP/1.1\r\nHost: x\r\n",
            _ => b"POST /sign-in/password HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nemail=",
        };
        let _ = one.write_all(said);
        silent.push(one);
        if n % 100 == 99 {
            honest(&server, &mut device);
        }
    }
    for _ in 0..10 {
        honest(&server, &mut device);
    }
    // Those that made room were closed; the server holds no more than it may.
    let open = fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count();
    assert!(open < 600, "{open}");
    drop(silent);
}

/// What a device, the gate's proxy, and a monitor ask, each on a connection of its own.
fn honest(server: &Server, device: &mut SimDevice) {
    let mut client = server.client().unwrap();
    let report = device.report(&good_facts_at(system_now()), system_now());
    let body = serde_json::to_string(&report).unwrap();
    let sent = client.send("POST", "/api/v1/check-ins", &[("content-type", "application/json")], &body);
    assert_eq!(sent.unwrap().0, 200, "a device is heard");
    for (path, status) in [("/gate/auth/wiki", "401"), ("/healthz", "200")] {
        let mut one = TcpStream::connect(server.address).unwrap();
        one.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(one, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        one.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) || path.starts_with("/gate"),
            "{path}: {answer}"
        );
        assert!(!answer.is_empty(), "{path}");
    }
}

/// C9: ten thousand hostile bodies take no memory that isn't given back, and an honest device is answered meanwhile.
#[test]
fn c9_hostile_bodies_take_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), None).unwrap();
    let mut client = server.client().unwrap();
    let code = server.admin(&["enrol-code", "Sam Sample"]).unwrap();
    let mut device = SimDevice::enrol(&mut client, [1; 32], &code, "laptop-1", system_now()).unwrap();
    let deep = "[".repeat(200_000);
    let objects = "{\"a\":".repeat(40_000);
    let many = format!("[{}0]", "0,".repeat(120_000));
    let long = format!("{{\"payload\":\"{}\"}}", "A".repeat(250_000));
    let digits = format!("{{\"v\":{}}}", "9".repeat(250_000));
    let escapes = format!("\"{}\"", "\\ud800".repeat(40_000));
    let bodies = [&deep, &objects, &many, &long, &digits, &escapes];
    let paths =
        ["check-ins", "enrolments", "notices", "tunnels", "certificates", "loss-reports", "farewells"];
    let hostile = |n: usize| {
        let mut client = server.client().unwrap();
        for k in 0..n {
            let path = format!("/api/v1/{}", paths[k % paths.len()]);
            let more = [("content-type", "application/json"), ("content-encoding", "gzip")];
            let headers = &more[..1 + usize::from(k % 5 == 0)];
            let body = bodies[k % bodies.len()];
            let status = match client.send("POST", &path, headers, body) {
                Ok((status, _)) => status,
                // A body too large is answered, and the connection closed.
                Err(_) => {
                    client = server.client().unwrap();
                    413
                }
            };
            assert!((400..500).contains(&status), "{path}: {status}");
        }
    };
    hostile(500);
    let resident = || {
        let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before = resident();
    for _ in 0..20 {
        hostile(475);
        honest(&server, &mut device);
    }
    // Heads that are too many or too long, and a length that never comes.
    for head in [
        format!("GET / HTTP/1.1\r\n{}\r\n", "X-A: b\r\n".repeat(5000)),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(500_000)),
        format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n", "a".repeat(500_000)),
        "POST /api/v1/check-ins HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n{".to_owned(),
        "POST /api/v1/check-ins HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            .to_owned(),
    ] {
        for _ in 0..40 {
            let mut one = TcpStream::connect(server.address).unwrap();
            one.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            let _ = one.write_all(head.as_bytes());
            let mut said = [0; 64];
            let read = one.read(&mut said).unwrap_or(0);
            assert!(!said[..read].starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&said[..read]));
        }
        honest(&server, &mut device);
    }
    let after = resident();
    assert!(after < before + 16 * 1024, "{before} KiB, then {after} KiB");
}

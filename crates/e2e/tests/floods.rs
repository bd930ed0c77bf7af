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

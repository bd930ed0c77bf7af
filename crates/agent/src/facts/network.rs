//! What takes connections from other machines, and whether a tunnel carries what goes out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stead_model::{
    Fact, Facts,
    fact::{Field, Record},
};

use super::SHORT;
use crate::host::Host;

const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// Ports by which one signs in: SSH, remote desktop, xrdp's own, screen sharing.
const SIGN_IN_PORTS: [u16; 6] = [22, 3389, 3350, 5900, 5901, 5902];

/// Programs by which one signs in, wherever they listen.
const SIGN_IN_PROGRAMS: [&str; 13] = [
    "sshd",
    "dropbear",
    "xrdp",
    "gnome-remote-de",
    "krfb",
    "krdp",
    "x11vnc",
    "wayvnc",
    "Xvnc",
    "vncserver",
    "anydesk",
    "teamviewerd",
    "rustdesk",
];

/// What is said of a listener whose program does not show itself to this account.
fn hidden(host: &Host) -> &'static str {
    if host.is_root() {
        "a program that this system does not show"
    } else {
        "a program that only root may see"
    }
}

pub fn facts(host: &Host) -> Facts {
    let origin = "/proc/net/tcp, /proc/net/tcp6";
    let (open, doors) = match listeners(host) {
        Err(why) => (Fact::unknown(&why, origin), Fact::unknown(why, origin)),
        Ok(listeners) => (sign_in(&listeners, hidden(host), origin), doors(&listeners, hidden(host), origin)),
    };
    Facts::from([
        ("device.remote_login.open".to_owned(), open),
        ("device.doors".to_owned(), doors),
        ("device.tunnel.carries_traffic".to_owned(), tunnel(host)),
    ])
}

/// A port that takes connections from other machines, and the program behind it where it can be seen.
type Listener = (u16, Option<String>);

fn is_sign_in((port, program): &Listener) -> bool {
    SIGN_IN_PORTS.contains(port)
        || program.as_ref().is_some_and(|name| SIGN_IN_PROGRAMS.contains(&name.as_str()))
}

fn sign_in(listeners: &BTreeSet<Listener>, hidden: &str, origin: &str) -> Fact {
    if listeners.iter().any(is_sign_in) {
        return Fact::known(true, origin);
    }
    match listeners.iter().find(|(_, program)| program.is_none()) {
        Some((port, _)) => {
            Fact::unknown(format!("{hidden} listens on port {port}, and may be a way to sign in"), origin)
        }
        None => Fact::known(false, origin),
    }
}

fn doors(listeners: &BTreeSet<Listener>, hidden: &str, origin: &str) -> Fact {
    let records: Vec<Record> = listeners
        .iter()
        .filter(|listener| !is_sign_in(listener))
        .map(|(port, program)| {
            Record::from([
                ("port".to_owned(), Field::from(i64::from(*port))),
                ("program".to_owned(), Field::from(program.as_deref().unwrap_or(hidden))),
            ])
        })
        .collect();
    Fact::known(records, origin)
}

fn listeners(host: &Host) -> Result<BTreeSet<Listener>, String> {
    let mut sockets: Vec<(u16, String)> = Vec::new();
    for table in TABLES {
        let Some(text) = host.read_if_there(table)? else {
            if table == TABLES[0] {
                return Err(format!("there is no {table}"));
            }
            continue;
        };
        sockets.extend(text.lines().skip(1).filter_map(listening));
    }
    if sockets.is_empty() {
        return Ok(BTreeSet::new());
    }
    let programs = programs(host, &sockets.iter().map(|(_, inode)| inode.as_str()).collect());
    Ok(sockets.into_iter().map(|(port, inode)| (port, programs.get(&inode).cloned())).collect())
}

/// `sl local_address rem_address st … inode`: state 0A listens; an address of this machine alone is left out.
fn listening(line: &str) -> Option<(u16, String)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (address, port) = fields.get(1)?.split_once(':')?;
    if *fields.get(3)? != "0A" || is_loopback(address) {
        return None;
    }
    Some((u16::from_str_radix(port, 16).ok()?, (*fields.get(9)?).to_owned()))
}

/// Addresses stand as 32-bit words in the machine's order: 127.x ends in 7F, ::1 is 1 in the last word.
fn is_loopback(address: &str) -> bool {
    match address.len() {
        8 => address.ends_with("7F"),
        32 => {
            address == "00000000000000000000000001000000"
                || (address.starts_with("0000000000000000FFFF0000") && address.ends_with("7F"))
        }
        _ => false,
    }
}

/// Names of the programs that hold these sockets, as far as this account may see.
fn programs(host: &Host, wanted: &BTreeSet<&str>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for id in host.list("/proc").unwrap_or_default() {
        if !id.bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        for handle in host.list(&format!("/proc/{id}/fd")).unwrap_or_default() {
            let Some(target) = host.link(&format!("/proc/{id}/fd/{handle}")) else { continue };
            if let Some(inode) = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'))
                && wanted.contains(inode)
            {
                let name = host.read(&format!("/proc/{id}/comm")).unwrap_or_default();
                found.insert(inode.to_owned(), name.trim_end().to_owned());
            }
        }
    }
    found
}

/// Whether the way to the internet leads through a tunnel, for IPv4 and IPv6 alike. The addresses asked
/// about are those set aside for examples (RFC 5737, RFC 3849); nothing is sent to them.
fn tunnel(host: &Host) -> Fact {
    let origin = "ip route get";
    let mut ways = Vec::new();
    for (family, address) in [("-4", "198.51.100.1"), ("-6", "2001:db8::1")] {
        match host.run("ip", &["-j", family, "route", "get", address], SHORT) {
            Ok(text) => {
                let device = serde_json::from_str::<Value>(&text)
                    .ok()
                    .and_then(|v| v[0]["dev"].as_str().map(str::to_owned));
                match device {
                    Some(device) if device != "lo" => ways.push(device),
                    Some(_) => {}
                    None => return Fact::unknown("ip gave no route that could be read", origin),
                }
            }
            // There is no way out by this family.
            Err(why) if why.contains("ended with an error") => {}
            Err(why) => return Fact::unknown(why, origin),
        }
    }
    if ways.is_empty() {
        return Fact::not_applicable("this computer has no way to the internet just now", origin);
    }
    Fact::known(ways.iter().all(|device| is_tunnel(host, device)), origin)
}

fn is_tunnel(host: &Host, device: &str) -> bool {
    let folder = format!("/sys/class/net/{device}");
    let kind = host.read(&format!("{folder}/uevent")).unwrap_or_default();
    let number = host.read(&format!("{folder}/type")).unwrap_or_default();
    // 65534 has no link layer (WireGuard, tun); 512 is PPP. xfrm interfaces carry IPsec.
    kind.contains("DEVTYPE=wireguard")
        || host.exists(&format!("{folder}/tun_flags"))
        || number.trim() == "512"
        || kind.contains("DEVTYPE=xfrm")
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::{super::testing::*, *};

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn row(address: &str, port: u16, state: &str, inode: u32) -> String {
        format!(
            "   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1\n"
        )
    }

    fn with(rows: &str, program: Option<&str>) -> (Host, tempfile::TempDir) {
        let text = format!("{HEAD}{rows}");
        let (host, folder) = machine(1000, &[("/proc/net/tcp", &text)]);
        if let Some(program) = program {
            let process = folder.path().join("proc/77");
            fs::create_dir_all(process.join("fd")).unwrap();
            fs::write(process.join("comm"), program).unwrap();
            symlink("socket:[5]", process.join("fd/3")).unwrap();
        }
        (host, folder)
    }

    fn count(host: &Host) -> usize {
        match known(&facts(host), "device.doors") {
            stead_model::Value::List(list) => list.len(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_way_to_sign_in_is_found_by_port_and_by_program() {
        let (host, _folder) = with(&row("00000000", 22, "0A", 5), None);
        assert_eq!(known(&facts(&host), "device.remote_login.open"), true.into());
        assert_eq!(count(&host), 0);
        let (host, _folder) = with(&row("0100A8C0", 2222, "0A", 5), Some("sshd\n"));
        assert_eq!(known(&facts(&host), "device.remote_login.open"), true.into());
    }

    #[test]
    fn loopback_and_connections_are_no_doors() {
        let (host, _folder) =
            with(&format!("{}{}", row("0100007F", 5432, "0A", 5), row("0100A8C0", 443, "01", 6)), None);
        let facts_ = facts(&host);
        assert_eq!(known(&facts_, "device.remote_login.open"), false.into());
        assert_eq!(count(&host), 0);
        assert!(
            is_loopback("00000000000000000000000001000000")
                && is_loopback("0000000000000000FFFF00000100007F")
        );
        assert!(!is_loopback("00000000000000000000000000000000"));
    }

    #[test]
    fn what_cannot_be_seen_may_be_a_way_in() {
        let (host, _folder) = with(&row("00000000", 8080, "0A", 5), None);
        assert!(is_unknown(&facts(&host), "device.remote_login.open").contains("8080"));
        assert_eq!(count(&host), 1);
        let (host, _folder) = with(&row("00000000", 8080, "0A", 5), Some("python3\n"));
        assert_eq!(known(&facts(&host), "device.remote_login.open"), false.into());
        let (host, _folder) = machine(0, &[]);
        is_unknown(&facts(&host), "device.remote_login.open");
    }

    #[test]
    fn a_tunnel_must_carry_both_families() {
        let files = [
            ("/proc/net/tcp", HEAD),
            ("/sys/class/net/wg0/uevent", "DEVTYPE=wireguard\nINTERFACE=wg0\n"),
            ("/sys/class/net/eth0/uevent", "INTERFACE=eth0\n"),
            ("/sys/class/net/tun0/tun_flags", "0x1001"),
        ];
        let ask = |four: Result<&str, &str>, six: Result<&str, &str>| {
            let (host, _folder) = machine(0, &files);
            let host = host
                .answering("ip -j -4 route get 198.51.100.1", four)
                .answering("ip -j -6 route get 2001:db8::1", six);
            facts(&host)["device.tunnel.carries_traffic"].state.clone()
        };
        let none = Err("ip ended with an error (2)");
        let yes = stead_model::FactState::Known(true.into());
        let no = stead_model::FactState::Known(false.into());
        assert_eq!(ask(Ok(r#"[{"dst":"198.51.100.1","dev":"wg0"}]"#), none), yes);
        assert_eq!(ask(Ok(r#"[{"dev":"tun0"}]"#), Ok(r#"[{"dev":"wg0"}]"#)), yes);
        assert_eq!(
            ask(Ok(r#"[{"dev":"wg0"}]"#), Ok(r#"[{"dev":"eth0"}]"#)),
            no,
            "IPv6 goes round the tunnel"
        );
        assert!(matches!(ask(none, none), stead_model::FactState::NotApplicable(_)));
        assert!(matches!(ask(Err("ip is not installed"), none), stead_model::FactState::Unknown(_)));
    }
}

//! What its person calls the place that this computer is at. The network is known again by what stands at its edge:
//! the gateway's own address on the wire, which no two homes share, the names and servers that it hands out. Of all
//! that, only a salted digest is kept, here; what leaves this computer is one word.

use std::{collections::BTreeSet, io};

use serde_json::Value;
use stead_model::{Fact, Facts};

use super::{SHORT, one};
use crate::{host::Host, place::Places};

const NAME: &str = "device.place.kind";
const ORIGIN: &str = "/proc/net/route, /proc/net/arp";
/// Where the lease that an interface has now is kept, by its number. Other programs keep those of networks that were
/// left long ago too, and do not say which is which.
const LEASES: &str = "/run/systemd/netif/leases";

/// What its person calls this place.
pub fn facts(host: &Host, places: &io::Result<Places>) -> Facts {
    let places = match places {
        Ok(places) => places,
        // What cannot be read here keeps nothing else from being told.
        Err(error) => return one(NAME, Fact::unknown(error.to_string(), ORIGIN)),
    };
    let fact = match network(host) {
        Err(why) => Fact::unknown(why, ORIGIN),
        Ok(None) => Fact::not_applicable("this computer is on no network just now", ORIGIN),
        Ok(Some(network)) => {
            let kind = places.known(&network).map_or("unnamed", |place| place.kind.word());
            Fact::known(kind, ORIGIN)
        }
    };
    one(NAME, fact)
}

/// What the network is known by: lines that are the same each time one comes back to it. None on no network.
///
/// # Errors
/// Why it could not be told.
pub fn network(host: &Host) -> Result<Option<String>, String> {
    let gateway = match gateway4(host)? {
        Some(gateway) => Some(gateway),
        None => gateway6(host)?,
    };
    let Some((gateway, device)) = gateway else { return Ok(None) };
    let mut lines = vec![format!("gateway {gateway}")];
    lines.extend(hints(host, &device));
    Ok(Some(lines.join("\n")))
}

/// Address and hardware address of the IPv4 gateway that is preferred, and the interface that leads to it.
fn gateway4(host: &Host) -> Result<Option<(String, String)>, String> {
    let Some(routes) = host.read_if_there("/proc/net/route")? else { return Ok(None) };
    // Iface Destination Gateway Flags RefCnt Use Metric Mask …; addresses in the machine's order.
    let route = routes
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields.len() > 7 && fields[1] == "00000000" && fields[7] == "00000000")
        .filter(|fields| fields[2] != "00000000")
        .min_by_key(|fields| fields[6].parse::<u32>().unwrap_or(u32::MAX));
    let Some(fields) = route else { return Ok(None) };
    let number =
        u32::from_str_radix(fields[2], 16).map_err(|_| "/proc/net/route has no address that can be read")?;
    let address = std::net::Ipv4Addr::from(number.to_le_bytes()).to_string();
    let table = host.read("/proc/net/arp")?;
    // IP address, HW type, Flags, HW address, Mask, Device; flag 2: the address is complete.
    let hardware =
        table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>()).find_map(|f| {
            let complete = f.len() > 5 && f[0] == address && f[5] == fields[0] && f[2] != "0x0";
            complete.then(|| f[3].to_owned())
        });
    match hardware {
        Some(hardware) => Ok(Some((format!("{hardware} {address}"), fields[0].to_owned()))),
        None => Err(format!("the gateway of {} has not shown itself yet", fields[0])),
    }
}

/// The same for IPv6, on networks that have no other.
fn gateway6(host: &Host) -> Result<Option<(String, String)>, String> {
    let ask = |arguments: &[&str]| -> Result<Value, String> {
        match host.run("ip", arguments, SHORT) {
            Ok(text) => {
                serde_json::from_str(&text).map_err(|_| "ip gave nothing that could be read".to_owned())
            }
            Err(why) if why.contains("ended with an error") => Ok(Value::Null),
            Err(why) => Err(why),
        }
    };
    let routes = ask(&["-j", "-6", "route", "show", "default"])?;
    let Some((address, device)) = routes[0]["gateway"].as_str().zip(routes[0]["dev"].as_str()) else {
        return Ok(None);
    };
    let known = ask(&["-j", "-6", "neigh", "show", address, "dev", device])?;
    match known[0]["lladdr"].as_str() {
        Some(hardware) => Ok(Some((format!("{hardware} {address}"), device.to_owned()))),
        None => Err(format!("the gateway of {device} has not shown itself yet")),
    }
}

/// What DNS and DHCP say of the network: where names are asked for, under which domain, and who gave the address.
fn hints(host: &Host, device: &str) -> BTreeSet<String> {
    let resolved = host.read("/run/systemd/resolve/resolv.conf").or_else(|_| host.read("/etc/resolv.conf"));
    let mut hints: BTreeSet<String> = resolved
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once(char::is_whitespace))
        .filter(|(name, _)| matches!(*name, "nameserver" | "search" | "domain"))
        .map(|(name, value)| format!("{name} {}", value.trim()))
        .collect();
    let number = host.read(&format!("/sys/class/net/{device}/ifindex")).unwrap_or_default();
    let text = host.read(&format!("{LEASES}/{}", number.trim())).unwrap_or_default();
    hints.extend(text.lines().filter_map(lease));
    hints
}

/// The server's address or the domain, from a line of a lease.
fn lease(line: &str) -> Option<String> {
    let line = line.trim();
    let counts = ["SERVER_ADDRESS=", "DOMAINNAME="].iter().any(|name| line.starts_with(name));
    counts.then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};
    use crate::place::{Kind, Places};

    const HEAD: &str =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    fn routes(gateway: &str) -> String {
        format!(
            "{HEAD}wlan0\t00000000\t{gateway}\t0003\t0\t0\t600\t00000000\t0\t0\t0\nwlan0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0\n"
        )
    }

    fn arp(address: &str, hardware: &str) -> String {
        format!(
            "IP address       HW type     Flags       HW address            Mask     Device\n{address}      0x1         0x2         {hardware}     *        wlan0\n"
        )
    }

    fn at(hardware: &str, resolver: &str) -> (Host, tempfile::TempDir) {
        machine(
            1000,
            &[
                ("/proc/net/route", &routes("0101A8C0")),
                ("/proc/net/arp", &arp("192.168.1.1", hardware)),
                ("/etc/resolv.conf", &format!("# made\nnameserver {resolver}\nsearch lan\n")),
            ],
        )
    }

    #[test]
    fn two_homes_with_the_same_addresses_differ() {
        let (home, _a) = at("aa:bb:cc:00:00:01", "192.168.1.1");
        let (other, _b) = at("aa:bb:cc:00:00:02", "192.168.1.1");
        let mut places = Places::new([7; 32]);
        assert_eq!(known(&facts(&home, &Ok(places.clone())), NAME), "unnamed".into());
        places.name(&network(&home).unwrap().unwrap(), Kind::Home, stead_model::Millis(1));
        assert_eq!(known(&facts(&home, &Ok(places.clone())), NAME), "home".into());
        assert_eq!(known(&facts(&other, &Ok(places.clone())), NAME), "unnamed".into());
        // One that pretends to be it, and answers names itself, is not taken for it.
        let (twin, _c) = at("aa:bb:cc:00:00:01", "10.0.0.53");
        assert_eq!(known(&facts(&twin, &Ok(places.clone())), NAME), "unnamed".into());
    }

    #[test]
    fn what_cannot_be_told_is_unknown_and_no_network_is_no_place() {
        let places = Ok(Places::new([7; 32]));
        let (host, _folder) =
            machine(1000, &[("/proc/net/route", &routes("0101A8C0")), ("/proc/net/arp", "x\n")]);
        assert!(is_unknown(&facts(&host, &places), NAME).contains("not shown itself"));
        let (host, _folder) = machine(1000, &[("/proc/net/route", HEAD)]);
        is_unknown(&facts(&host, &places), NAME);
        let (host, _folder) = machine(1000, &[("/proc/net/route", HEAD)]);
        let host = host.answering("ip -j -6 route show default", Ok("[]"));
        assert!(is_not_applicable(&facts(&host, &places), NAME));
    }

    #[test]
    fn a_network_of_ipv6_alone_is_known_too() {
        let (host, _folder) = machine(1000, &[("/proc/net/route", HEAD)]);
        let host = host
            .answering(
                "ip -j -6 route show default",
                Ok(r#"[{"dst":"default","gateway":"fe80::1","dev":"eth0"}]"#),
            )
            .answering(
                "ip -j -6 neigh show fe80::1 dev eth0",
                Ok(r#"[{"dst":"fe80::1","lladdr":"aa:bb:cc:00:00:03"}]"#),
            );
        assert_eq!(network(&host).unwrap().unwrap(), "gateway aa:bb:cc:00:00:03 fe80::1");
    }

    #[test]
    fn the_lease_of_now_counts_and_those_of_before_do_not() {
        let (host, folder) = at("aa:bb:cc:00:00:01", "192.168.1.1");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("sys/class/net/wlan0/ifindex", "3\n");
        write("run/systemd/netif/leases/3", "ADDRESS=192.168.1.7\nSERVER_ADDRESS=192.168.1.1\n");
        let home = network(&host).unwrap().unwrap();
        assert!(home.contains("SERVER_ADDRESS=192.168.1.1") && !home.contains("192.168.1.7"), "{home}");
        write("run/systemd/netif/leases/4", "SERVER_ADDRESS=10.0.0.1\n");
        write("run/systemd/netif/leases/3", "ADDRESS=192.168.1.9\nSERVER_ADDRESS=192.168.1.1\n");
        assert_eq!(network(&host).unwrap().unwrap(), home, "one's own address changes and says nothing");
    }
}

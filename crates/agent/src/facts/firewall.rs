//! Whether connections from outside are refused unless allowed, by the rules in force. Which front
//! end wrote them (ufw, firewalld, a script) does not matter, and one that is installed shows nothing.

use serde_json::Value;
use stead_model::{Fact, Facts};

use super::SHORT;
use crate::host::Host;

/// What the rules in force do with what nobody allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Inbound {
    Denied(String),
    Open(String),
}

pub fn facts(host: &Host) -> Facts {
    let (denies, by) = match in_force(host) {
        Ok((Inbound::Denied(by), origin)) => (Fact::known(true, &origin), Fact::known(by, origin)),
        Ok((Inbound::Open(by), origin)) => (Fact::known(false, &origin), Fact::known(by, origin)),
        Err((why, origin)) => (Fact::unknown(&why, &origin), Fact::unknown(why, origin)),
    };
    Facts::from([
        ("device.firewall.denies_inbound".to_owned(), denies),
        ("device.firewall.by".to_owned(), by),
    ])
}

fn in_force(host: &Host) -> Result<(Inbound, String), (String, String)> {
    if !host.is_root() {
        let why =
            "only root may read the firewall rules in force; run as root, or start the agent as a service";
        return Err((why.to_owned(), "nft, iptables".to_owned()));
    }
    let ipv6 = host.exists("/proc/net/if_inet6")
        && host.read("/proc/sys/net/ipv6/conf/all/disable_ipv6").is_ok_and(|text| text.trim() == "0");
    let mut why_not = Vec::new();
    let mut open = None;
    if host.has("nft") {
        match host.run("nft", &["-j", "list", "ruleset"], SHORT).and_then(|text| nftables(&text, ipv6)) {
            Ok(denied @ Inbound::Denied(_)) => return Ok((denied, "nft -j list ruleset".to_owned())),
            Ok(found) => open = Some((found, "nft -j list ruleset".to_owned())),
            Err(why) => why_not.push(why),
        }
    }
    // Rules of the older kind do not show in nft. `iptables` may be either; both are asked.
    for (four, six) in [("iptables-legacy", "ip6tables-legacy"), ("iptables", "ip6tables")] {
        if !host.has(four) {
            continue;
        }
        match iptables(host, four, six, ipv6) {
            Ok(denied @ Inbound::Denied(_)) => return Ok((denied, format!("{four} -S"))),
            Ok(found) => open = open.or(Some((found, format!("{four} -S")))),
            Err(why) => why_not.push(why),
        }
    }
    if let Some(open) = open {
        return if why_not.is_empty() { Ok(open) } else { Err((why_not.join("; "), open.1)) };
    }
    if why_not.is_empty() {
        why_not
            .push("neither nft nor iptables is installed, so the rules in force cannot be read".to_owned());
    }
    Err((why_not.join("; "), "nft, iptables".to_owned()))
}

/// Whether every chain that new connections enter by refuses in the end, for IPv4 and IPv6.
fn nftables(text: &str, ipv6: bool) -> Result<Inbound, String> {
    let ruleset: Value = serde_json::from_str(text).map_err(|_| "nft gave no JSON".to_owned())?;
    let items = ruleset["nftables"].as_array().ok_or("nft gave no ruleset")?;
    let covers = |family: &str| -> Option<String> {
        items
            .iter()
            .filter_map(|item| item.get("chain"))
            .filter(|chain| chain["hook"] == "input" && chain["type"] == "filter")
            .filter(|chain| chain["family"] == family || chain["family"] == "inet")
            .find(|chain| refuses(items, chain))
            .map(|chain| {
                format!(
                    "{} {}",
                    chain["table"].as_str().unwrap_or("?"),
                    chain["name"].as_str().unwrap_or("?")
                )
            })
    };
    Ok(match (covers("ip"), ipv6.then(|| covers("ip6"))) {
        (Some(by), None | Some(Some(_))) => {
            Inbound::Denied(format!("nftables: {by} refuses what is not allowed"))
        }
        (Some(_), Some(None)) => Inbound::Open("nftables: IPv4 is guarded, IPv6 is open".to_owned()),
        (None, _) => Inbound::Open("nftables: nothing refuses connections from outside".to_owned()),
    })
}

/// Goes through a chain's own rules in order: one that takes everything decides; else its policy does.
fn refuses(items: &[Value], chain: &Value) -> bool {
    let rules = items.iter().filter_map(|item| item.get("rule")).filter(|rule| {
        rule["family"] == chain["family"] && rule["table"] == chain["table"] && rule["chain"] == chain["name"]
    });
    for rule in rules {
        let Some(statements) = rule["expr"].as_array() else { continue };
        let matches_some = statements
            .iter()
            .any(|s| s.get("match").is_some() || s.get("vmap").is_some() || s.get("limit").is_some());
        if matches_some {
            continue;
        }
        let has = |verdict: &str| statements.iter().any(|s| s.get(verdict).is_some());
        if has("drop") || has("reject") {
            return true;
        }
        if has("accept") {
            return false;
        }
    }
    chain["policy"] == "drop"
}

fn iptables(host: &Host, four: &str, six: &str, ipv6: bool) -> Result<Inbound, String> {
    let ask = |program: &str| host.run(program, &["-S", "INPUT"], SHORT).map(|text| input_refuses(&text));
    if !ask(four)? {
        return Ok(Inbound::Open(format!("{four}: INPUT accepts what nothing matched")));
    }
    if ipv6 && !ask(six)? {
        return Ok(Inbound::Open(format!("{six}: INPUT accepts what nothing matched")));
    }
    Ok(Inbound::Denied(format!("{four}: INPUT refuses what is not allowed")))
}

fn input_refuses(rules: &str) -> bool {
    let mut refuses = false;
    for line in rules.lines() {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["-P", "INPUT", policy] => refuses = *policy == "DROP" || *policy == "REJECT",
            ["-A", "INPUT", "-j", "ACCEPT"] => return false,
            ["-A", "INPUT", "-j", "DROP" | "REJECT", ..] => return true,
            _ => {}
        }
    }
    refuses
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};

    const IPV6: &[(&str, &str)] =
        &[("/proc/net/if_inet6", ""), ("/proc/sys/net/ipv6/conf/all/disable_ipv6", "0\n")];

    fn chain(family: &str, policy: &str) -> String {
        format!(
            r#"{{"chain":{{"family":"{family}","table":"filter","name":"INPUT","type":"filter","hook":"input","prio":0,"policy":"{policy}"}}}}"#
        )
    }

    fn rule(family: &str, expr: &str) -> String {
        format!(r#"{{"rule":{{"family":"{family}","table":"filter","chain":"INPUT","expr":[{expr}]}}}}"#)
    }

    fn judged(items: &[String]) -> bool {
        let text = format!(r#"{{"nftables":[{}]}}"#, items.join(","));
        let (host, _folder) = machine(0, IPV6);
        let host = host.answering("nft -j list ruleset", Ok(&text));
        known(&facts(&host), "device.firewall.denies_inbound") == true.into()
    }

    #[test]
    fn a_policy_of_drop_denies_for_both_families() {
        assert!(judged(&[chain("inet", "drop")]));
        assert!(judged(&[chain("ip", "drop"), chain("ip6", "drop")]));
        assert!(!judged(&[chain("ip", "drop")]), "IPv6 is open");
        assert!(!judged(&[chain("ip", "drop"), chain("ip6", "accept")]));
    }

    /// A known false pass of others: chains of containers and virtual machines are no firewall.
    #[test]
    fn chains_that_accept_are_no_firewall() {
        let docker = r#"{"chain":{"family":"ip","table":"nat","name":"DOCKER","type":"nat","hook":"prerouting","policy":"accept"}}"#;
        assert!(!judged(&[docker.to_owned(), chain("inet", "accept")]));
        assert!(!judged(&[]));
    }

    #[test]
    fn the_first_rule_that_takes_everything_decides() {
        let some =
            r#"{"match":{"op":"==","left":{"ct":{"key":"state"}},"right":"established"}},{"accept":null}"#;
        assert!(
            judged(&[
                chain("inet", "accept"),
                rule("inet", some),
                rule("inet", r#"{"reject":{"type":"icmpx"}}"#)
            ]),
            "firewalld"
        );
        assert!(
            !judged(&[chain("inet", "drop"), rule("inet", r#"{"counter":null},{"accept":null}"#)]),
            "everything is let in first"
        );
        assert!(judged(&[
            chain("inet", "drop"),
            rule("inet", some),
            rule("inet", r#"{"jump":{"target":"ufw"}}"#)
        ]));
    }

    #[test]
    fn older_rules_are_read_too() {
        let (host, _folder) = machine(0, IPV6);
        let host = host
            .answering("iptables -S INPUT", Ok("-P INPUT DROP\n-A INPUT -j ufw-before-input\n"))
            .answering("ip6tables -S INPUT", Ok("-P INPUT DROP\n"));
        assert_eq!(known(&facts(&host), "device.firewall.denies_inbound"), true.into());
        assert!(!input_refuses("-P INPUT ACCEPT\n-A INPUT -p tcp -j DROP\n"));
        assert!(!input_refuses("-P INPUT DROP\n-A INPUT -j ACCEPT\n"));
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        let (host, _folder) = machine(1000, IPV6);
        let host = host.answering("nft -j list ruleset", Ok("{}"));
        assert!(is_unknown(&facts(&host), "device.firewall.denies_inbound").contains("only root"));
        let (host, _folder) = machine(0, IPV6);
        assert!(is_unknown(&facts(&host), "device.firewall.denies_inbound").contains("neither"));
        let (host, _folder) = machine(0, IPV6);
        let host = host.answering("nft -j list ruleset", Err("nft ended with an error"));
        assert!(is_unknown(&facts(&host), "device.firewall.denies_inbound").contains("ended with an error"));
    }
}

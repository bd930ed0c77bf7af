//! The wall behind the interface: nftables rules by which packets from and to a device go to the networks that are
//! open to it, and nowhere else.
//!
//! The kernel holds it for a time that each answer of the server makes longer. When the gate or the server is gone,
//! the time ends and nothing goes through, whoever is still there to say so.
//!
//! ```text
//! set alive   the interface, for as long as the last answer is good
//! set open_N  addresses in the tunnel to which network N is open
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::Write as _,
    net::IpAddr,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use ipnet::IpNet;

/// Where `nft` is.
const PLACES: [&str; 4] = ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"];

/// The wall of one interface.
#[derive(Debug)]
pub struct Wall {
    interface: String,
    networks: Vec<IpNet>,
    /// To whom each network is open, as the kernel was told last.
    open: Vec<BTreeSet<IpAddr>>,
}

/// To whom each network is open: addresses in the tunnel, by the network's place.
pub type Open = BTreeMap<usize, BTreeSet<IpAddr>>;

impl Wall {
    /// Builds it, shut, in the place of one that was there before.
    ///
    /// # Errors
    /// When `nft` is not there or refuses.
    pub fn build(interface: &str, networks: &[IpNet], four: bool) -> anyhow::Result<Self> {
        nft(&rules(interface, networks, four))?;
        Ok(Self {
            interface: interface.to_owned(),
            networks: networks.to_vec(),
            open: vec![BTreeSet::new(); networks.len()],
        })
    }

    /// The networks that it was built for.
    pub fn networks(&self) -> &[IpNet] {
        &self.networks
    }

    /// Opens each network to these and nobody else, and holds all of it for a time.
    ///
    /// # Errors
    /// When `nft` refuses; then nothing was changed.
    pub fn hold(&mut self, open: &Open, time: Duration) -> anyhow::Result<()> {
        let table = table(&self.interface);
        let mut script = alive(&self.interface, time);
        let none = BTreeSet::new();
        for (place, known) in self.open.iter().enumerate() {
            let wanted = open.get(&place).unwrap_or(&none);
            elements(&mut script, "delete", &table, place, known.difference(wanted));
            elements(&mut script, "add", &table, place, wanted.difference(known));
        }
        nft(&script)?;
        for (place, known) in self.open.iter_mut().enumerate() {
            known.clone_from(open.get(&place).unwrap_or(&none));
        }
        Ok(())
    }
}

/// Takes the wall of an interface away. One that is not there is no error.
///
/// # Errors
/// When `nft` refuses.
pub fn tear_down(interface: &str) -> anyhow::Result<()> {
    let table = table(interface);
    nft(&format!("add table inet {table}\ndelete table inet {table}\n"))
}

/// What the table of an interface is called.
fn table(interface: &str) -> String {
    format!("stead_gate_{}", interface.replace(['-', '.'], "_"))
}

/// The interface is alive for a time from now on. What is there already would keep its old time: it goes first.
fn alive(interface: &str, time: Duration) -> String {
    let set = format!("element inet {} alive", table(interface));
    let until = format!("timeout {}ms", time.as_millis());
    format!(
        "add {set} {{ \"{interface}\" {until} }}\ndelete {set} {{ \"{interface}\" }}\nadd {set} {{ \"{interface}\" {until} }}\n"
    )
}

fn elements<'a>(
    script: &mut String,
    what: &str,
    table: &str,
    place: usize,
    addresses: impl Iterator<Item = &'a IpAddr>,
) {
    let addresses: Vec<String> = addresses.map(ToString::to_string).collect();
    if !addresses.is_empty() {
        // Writing to text does not fail.
        let _ = writeln!(script, "{what} element inet {table} open_{place} {{ {} }}", addresses.join(", "));
    }
}

/// The whole wall, shut. `four` says that addresses in the tunnel are IPv4.
fn rules(interface: &str, networks: &[IpNet], four: bool) -> String {
    let table = table(interface);
    let mut sets = String::new();
    let (mut out, mut back) = (String::new(), String::new());
    let (own, kind) = if four { ("ip", "ipv4_addr") } else { ("ip6", "ipv6_addr") };
    for (place, to) in networks.iter().enumerate() {
        let _ = writeln!(sets, "\tset open_{place} {{\n\t\ttype {kind}\n\t}}");
        // Addresses of the other family never come from the tunnel; the rule would not be one.
        if to.addr().is_ipv4() == four {
            let _ = writeln!(out, "\t\t{own} saddr @open_{place} {own} daddr {to} accept");
            let _ = writeln!(back, "\t\t{own} daddr @open_{place} {own} saddr {to} accept");
        }
    }
    format!(
        "add table inet {table}
delete table inet {table}
table inet {table} {{
\tset alive {{
\t\ttype ifname
\t\tflags timeout
\t}}
{sets}\tchain out {{
{out}\t}}
\tchain back {{
{back}\t}}
\tchain forward {{
\t\ttype filter hook forward priority -10; policy accept;
\t\tiifname \"{interface}\" iifname @alive jump out
\t\tiifname \"{interface}\" drop
\t\toifname \"{interface}\" oifname @alive ct state established,related jump back
\t\toifname \"{interface}\" drop
\t}}
\tchain input {{
\t\ttype filter hook input priority -10; policy accept;
\t\tiifname \"{interface}\" iifname @alive jump out
\t\tiifname \"{interface}\" drop
\t}}
\tchain output {{
\t\ttype filter hook output priority -10; policy accept;
\t\toifname \"{interface}\" oifname @alive ct state established,related jump back
\t\toifname \"{interface}\" drop
\t}}
}}
"
    )
}

fn nft(script: &str) -> anyhow::Result<()> {
    let program = PLACES
        .iter()
        .find(|place| std::path::Path::new(place).exists())
        .context("nft is not installed; install nftables (on Debian: apt install nftables)")?;
    let mut child = Command::new(program)
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("nft cannot be started")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(script.as_bytes())?;
    }
    let done = child.wait_with_output()?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("nft refused: {}", said.lines().next().unwrap_or("it did not say why"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_is_shut_but_for_what_is_open() {
        let networks = ["10.20.0.0/16", "10.30.0.0/16", "fd00:20::/64"].map(|net| net.parse().unwrap());
        insta::assert_snapshot!(rules("stead-office", &networks, true));
    }

    #[test]
    fn only_what_has_changed_is_said() {
        let mut script = alive("stead0", Duration::from_secs(15));
        let addresses: BTreeSet<IpAddr> = ["10.90.0.2", "10.90.0.3"].map(|ip| ip.parse().unwrap()).into();
        elements(&mut script, "add", &table("stead0"), 1, addresses.iter());
        elements(&mut script, "delete", &table("stead0"), 0, [].iter());
        insta::assert_snapshot!(script);
    }
}

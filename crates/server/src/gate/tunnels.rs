//! Tunnels behind the gate, as the operator wrote them down:
//!
//! ```toml
//! [[tunnel]]
//! name = "office"
//! title = "Office network"
//! endpoint = "vpn.example.org:51820"
//! key = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw="   # `stead-gate key` prints it
//! secret_file = "/etc/stead/tunnel-office.secret"        # what `stead-gate` shows when it asks
//! addresses = "10.90.0.0/16"    # the gate has the first, devices have the others
//! key_lasts = "P1D"             # devices make a new key before that
//! good_for = "PT15S"            # how long the gate goes by what it heard last
//!
//! [[tunnel.network]]
//! to = "10.20.0.0/16"
//! tier = "standard"
//! ```

use std::{net::IpAddr, path::PathBuf};

use anyhow::{Context, bail, ensure};
use ipnet::IpNet;
use serde::Deserialize;
use stead_model::{
    time::{DAY, HOUR, MINUTE, SECOND},
    tunnel::PublicKey,
};
use stead_policy::{Pack, rule};
use zeroize::Zeroizing;

/// Most networks behind one tunnel.
const MOST_NETWORKS: usize = 64;
/// The widest network that is somebody's own.
const SHORTEST_PREFIX: u8 = 8;
/// Fewest letters of the secret that a gate shows.
const SHORTEST_SECRET: usize = 32;

/// A tunnel.
#[derive(Clone)]
pub struct Tunnel {
    /// Its name in commands: small letters, digits and hyphens.
    pub name: String,
    /// Its name on pages.
    pub title: String,
    /// Where its gate is: host and port.
    pub endpoint: String,
    /// The gate's key.
    pub key: PublicKey,
    /// What the gate shows when it asks.
    pub secret: Zeroizing<String>,
    /// The addresses of those in it.
    pub addresses: IpNet,
    /// How long a device's key is taken, in milliseconds.
    pub key_lasts: i64,
    /// How long the gate goes by what it heard last, in milliseconds.
    pub good_for: i64,
    /// The networks behind it.
    pub networks: Vec<Behind>,
}

/// A network behind a tunnel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behind {
    /// Its addresses.
    pub to: IpNet,
    /// The tier that it takes.
    pub tier: String,
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tunnel({} at {})", self.name, self.endpoint)
    }
}

/// A tunnel as it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    name: String,
    title: String,
    endpoint: String,
    key: PublicKey,
    secret_file: PathBuf,
    addresses: IpNet,
    #[serde(default)]
    key_lasts: Option<String>,
    #[serde(default)]
    good_for: Option<String>,
    network: Vec<Behind>,
}

impl Written {
    /// The tunnel, when all of it can be used.
    pub(super) fn read(self) -> anyhow::Result<Tunnel> {
        let name = self.name.clone();
        let secret = std::fs::read_to_string(&self.secret_file)
            .with_context(|| format!("the secret of the tunnel {name}, {}", self.secret_file.display()))?;
        self.checked(&Zeroizing::new(secret))
    }

    fn checked(self, secret: &str) -> anyhow::Result<Tunnel> {
        let name = &self.name;
        ensure!(
            super::apps::is_name(name),
            "a tunnel is named {name:?}; use up to 40 small letters, digits and hyphens"
        );
        ensure!(
            secret.trim().len() >= SHORTEST_SECRET,
            "the secret of the tunnel {name} has fewer than {SHORTEST_SECRET} letters; `openssl rand -hex 32` makes one"
        );
        let port = self
            .endpoint
            .rsplit_once(':')
            .and_then(|(host, port)| port.parse::<u16>().ok().filter(|port| *port > 0 && !host.is_empty()));
        ensure!(port.is_some(), "the endpoint of {name} is {}; write host:port", self.endpoint);
        let bits = self.addresses.max_prefix_len() - self.addresses.prefix_len();
        ensure!(
            (2..=20).contains(&bits),
            "the addresses of {name} are {}; leave 2 to 20 bits for the devices",
            self.addresses
        );
        ensure!(
            (1..=MOST_NETWORKS).contains(&self.network.len()),
            "the tunnel {name} has {} networks; name 1 to {MOST_NETWORKS}",
            self.network.len()
        );
        let meet = |a: &IpNet, b: &IpNet| a.contains(b) || b.contains(a);
        for (place, behind) in self.network.iter().enumerate() {
            let (to, all) = (&behind.to, &self.addresses);
            if to.prefix_len() < SHORTEST_PREFIX {
                bail!("a network behind {name} is {to}; name the networks that are yours");
            }
            if to.addr().is_ipv4() != all.addr().is_ipv4() {
                bail!("the network {to} behind {name} is not of the family of its addresses, {all}");
            }
            if meet(to, all) {
                bail!("the network {to} behind {name} and the addresses {all} of those in it meet");
            }
            // Whoever is let in to the larger would reach the smaller.
            if let Some(other) = self.network[..place].iter().find(|other| meet(&other.to, to)) {
                bail!("the networks {} and {to} behind {name} meet; name each part once", other.to);
            }
        }
        let time = |text: &Option<String>, standard: i64, least: i64, most: i64, what: &str| match text {
            None => Ok(standard),
            Some(text) => {
                rule::duration(text).filter(|time| (least..=most).contains(time)).with_context(|| {
                    format!("{what} of {name} is {text}; write a time from {}", range(least, most))
                })
            }
        };
        Ok(Tunnel {
            key_lasts: time(&self.key_lasts, DAY, HOUR, 90 * DAY, "key_lasts")?,
            good_for: time(&self.good_for, 15 * SECOND, 5 * SECOND, 10 * MINUTE, "good_for")?,
            title: self.title,
            endpoint: self.endpoint,
            key: self.key,
            secret: Zeroizing::new(secret.trim().to_owned()),
            addresses: self.addresses.trunc(),
            networks: self
                .network
                .into_iter()
                .map(|behind| Behind { to: behind.to.trunc(), tier: behind.tier })
                .collect(),
            name: self.name,
        })
    }
}

fn range(least: i64, most: i64) -> String {
    let words = |time: i64| match time {
        time if time >= DAY => format!("P{}D", time / DAY),
        time if time >= MINUTE => format!("PT{}M", time / MINUTE),
        time => format!("PT{}S", time / SECOND),
    };
    format!("{} to {}", words(least), words(most))
}

impl Tunnel {
    /// The address at this place among those in it; the gate's own is the first. None beyond the last.
    pub fn address(&self, place: i64) -> Option<IpNet> {
        let place = u32::try_from(place).ok().filter(|place| *place > 0)?;
        let address = match self.addresses.network() {
            IpAddr::V4(net) => IpAddr::V4(u32::from(net).checked_add(place)?.into()),
            IpAddr::V6(net) => IpAddr::V6(u128::from(net).checked_add(u128::from(place))?.into()),
        };
        // The last one is the whole network's.
        let fits = self.addresses.contains(&address) && address != self.addresses.broadcast();
        fits.then(|| IpNet::from(address))
    }

    /// The gate's own address, with the whole network's length.
    pub fn own_address(&self) -> IpNet {
        let first = self.address(1).map_or(self.addresses.addr(), |first| first.addr());
        IpNet::new_assert(first, self.addresses.prefix_len())
    }

    /// Whether the policy has every tier that its networks take.
    ///
    /// # Errors
    /// The first that it has not.
    pub fn fits(&self, pack: &Pack) -> anyhow::Result<()> {
        let tiers = &pack.manifest.tiers;
        match self.networks.iter().find(|behind| !tiers.contains(&behind.tier)) {
            Some(behind) => bail!(
                "{} behind the tunnel {} takes the tier {}; the policy has {}",
                behind.to,
                self.name,
                behind.tier,
                tiers.join(", ")
            ),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn written(line: &str) -> anyhow::Result<Tunnel> {
        let mut fields = std::collections::BTreeMap::from([
            ("name", "\"office\""),
            ("title", "\"Office network\""),
            ("endpoint", "\"vpn.example.org:51820\""),
            ("key", "\"HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=\""),
            ("secret_file", "\"secret\""),
            ("addresses", "\"10.90.0.0/24\""),
            ("network", "[{ to = \"10.20.3.4/16\", tier = \"standard\" }]"),
        ]);
        if let Some((name, value)) = line.split_once(" = ") {
            fields.insert(name, value);
        }
        let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        toml::from_str::<Written>(&lines.join("\n"))?.checked(SECRET)
    }

    #[test]
    fn what_is_written_down_is_read() {
        let office = written("key_lasts = \"PT1H\"").unwrap();
        assert_eq!((office.key_lasts, office.good_for), (60 * MINUTE, 15 * SECOND));
        assert_eq!(office.networks[0].to.to_string(), "10.20.0.0/16");
        assert_eq!(office.own_address().to_string(), "10.90.0.1/24");
        let address = |place| office.address(place).map(|net| net.to_string());
        assert_eq!(address(2).as_deref(), Some("10.90.0.2/32"));
        assert_eq!(address(254).as_deref(), Some("10.90.0.254/32"));
        assert_eq!((address(0), address(255), address(-1)), (None, None, None));
        assert_eq!(format!("{office:?}"), "Tunnel(office at vpn.example.org:51820)");
        let six = Tunnel { addresses: "fd00:90::/112".parse().unwrap(), ..office.clone() };
        assert_eq!(six.address(2).map(|net| net.to_string()).as_deref(), Some("fd00:90::2/128"));
        let pack = Pack::load(&stead_policy::shipped::remote_work()).unwrap();
        office.fits(&pack).unwrap();
        let gone = written("network = [{ to = \"10.20.0.0/16\", tier = \"gone\" }]").unwrap();
        assert!(gone.fits(&pack).unwrap_err().to_string().contains("takes the tier gone"));
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        for (line, why) in [
            ("name = \"Office\"", "small letters"),
            ("endpoint = \"vpn.example.org\"", "host:port"),
            ("endpoint = \"vpn.example.org:0\"", "host:port"),
            ("key = \"abc\"", "WireGuard key"),
            ("addresses = \"10.90.0.0/31\"", "2 to 20 bits"),
            ("addresses = \"10.0.0.0/8\"", "2 to 20 bits"),
            ("network = []", "name 1 to"),
            ("network = [{ to = \"0.0.0.0/0\", tier = \"open\" }]", "networks that are yours"),
            ("network = [{ to = \"0.0.0.0/1\", tier = \"open\" }]", "networks that are yours"),
            ("network = [{ to = \"fd00::/64\", tier = \"open\" }]", "family"),
            (
                "network = [{ to = \"10.0.0.0/12\", tier = \"open\" }, { to = \"10.1.0.0/16\", tier = \"open\" }]",
                "name each part once",
            ),
            ("network = [{ to = \"10.90.0.0/25\", tier = \"open\" }]", "meet"),
            ("key_lasts = \"PT1M\"", "PT60M to P90D"),
            ("good_for = \"P1D\"", "PT5S to PT10M"),
            ("color = 3", "unknown field"),
        ] {
            let said = format!("{:#}", written(line).unwrap_err());
            assert!(said.contains(why), "{line}: {said}");
        }
    }
}

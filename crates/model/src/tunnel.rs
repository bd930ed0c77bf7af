//! Tunnels: what a device asks for and is given, and what the server tells the gate at a tunnel's other end.
//!
//! A device makes its own WireGuard key and shows the public half, sealed. The gate at the other end keeps its list
//! of peers equal to the devices that are let in, by long questions to the server.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{DeviceId, Millis};

/// Payload type of [`TunnelAsked`].
pub const TUNNEL_ASKED: &str = "application/vnd.stead.tunnel-asked+json";
/// Payload type of [`TunnelGiven`].
pub const TUNNEL_GIVEN: &str = "application/vnd.stead.tunnel-given+json";

/// A WireGuard public key: 32 bytes, base64 in text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(pub [u8; 32]);

/// The text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no WireGuard key: 32 bytes in base64 are wanted")]
pub struct NoKey;

impl FromStr for PublicKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let bytes: [u8; 32] = STANDARD.decode(text).map_err(|_| NoKey)?.try_into().map_err(|_| NoKey)?;
        // A key of zeros is what "no key" is written as.
        if bytes == [0; 32] { Err(NoKey) } else { Ok(Self(bytes)) }
    }
}

impl TryFrom<String> for PublicKey {
    type Error = NoKey;

    fn try_from(text: String) -> Result<Self, NoKey> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A device asks to be let through a tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunnelAsked {
    /// [`VERSION`](crate::message::VERSION).
    pub v: u32,
    /// The device.
    pub device: DeviceId,
    /// When, by the device's clock.
    pub at: Millis,
    /// The tunnel's name; the first that there is, where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<String>,
    /// The key that the device made for it.
    pub key: PublicKey,
}

/// What the server answers to [`TunnelAsked`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TunnelGiven {
    /// [`VERSION`](crate::message::VERSION).
    pub v: u32,
    /// The device that asked.
    pub device: DeviceId,
    /// When it asked, by its own clock: an answer to another question is none to this.
    pub asked_at: Millis,
    /// The tunnel's name.
    pub tunnel: String,
    /// What it is called.
    pub title: String,
    /// How to connect; none where no network behind it is open.
    pub way: Option<Way>,
    /// The networks behind it.
    pub networks: Vec<Network>,
}

/// How to connect to a tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// The gate's key.
    pub gate: PublicKey,
    /// Where it is: host and port.
    pub endpoint: String,
    /// The device's address in the tunnel.
    pub address: IpNet,
    /// Until when the device's key is taken; it makes a new one before.
    pub key_until: Millis,
}

/// A network behind a tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its addresses.
    pub to: IpNet,
    /// The tier that it takes.
    pub tier: String,
    /// What stands against letting the device in, in words; empty where it is open.
    pub closed: Vec<Closed>,
}

/// Something that closes a network to a device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Closed {
    /// The rule it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What to do about it.
    pub asks: String,
}

/// What a gate is told: everything, or what has changed since it last asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peers {
    /// Where this answer stands; the gate says it when it asks for more.
    pub turn: Turn,
    /// Milliseconds for which what is known is good. When they are over and nothing new was heard, nobody is let in.
    pub good_for: i64,
    /// The gate's own address in the tunnel.
    pub address: IpNet,
    /// The networks, in the order that peers name them by.
    pub networks: Vec<IpNet>,
    /// Whether these are all peers there are, rather than those that have changed.
    pub all: bool,
    /// Peers that are let in.
    pub peers: Vec<Peer>,
    /// Keys that are not let in any more.
    pub gone: Vec<PublicKey>,
}

/// Where an answer stands: a server's run, and how often the peers have changed in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The run. Another server, or the same one after it began anew, counts for itself.
    pub run: String,
    /// How often.
    pub n: u64,
}

/// A peer that is let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its key.
    pub key: PublicKey,
    /// Its address in the tunnel.
    pub address: IpNet,
    /// The networks that are open to it, by their place.
    pub networks: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_wireguard_writes_them() {
        let text = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";
        let key: PublicKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        assert_eq!(serde_json::to_string(&key).unwrap(), format!("\"{text}\""));
        for wrong in ["", "HIgo", &text[..43], &STANDARD.encode([0; 32]), "é"] {
            assert_eq!(wrong.parse::<PublicKey>(), Err(NoKey), "{wrong}");
        }
    }
}

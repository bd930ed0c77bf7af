//! Keeping the interface and its wall equal to what the server says.

use std::{
    collections::HashMap,
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use ipnet::IpNet;
use stead_model::tunnel::{Peer, Peers, PublicKey, Turn};
use stead_transport::{SendError, Transport};
use stead_tunnel::{self as tunnel, PrivateKey, Tunnel};
use zeroize::Zeroizing;

use crate::wall::{Open, Wall};

/// How long to wait for an answer: the server lets a question wait for ten seconds at most.
const PATIENCE: Duration = Duration::from_secs(13);
/// How long to wait after the server was away.
const AGAIN: Duration = Duration::from_millis(500);
/// Time between two questions that were answered at once.
const APART: Duration = Duration::from_millis(20);

/// Whom to ask, and for what.
pub struct Question {
    /// The way to the server.
    pub transport: Transport,
    /// The tunnel's name.
    pub tunnel: String,
    /// What is shown.
    pub secret: Zeroizing<String>,
}

impl Question {
    /// Asks, and waits until there is something new.
    fn ask(&self, known: Option<&Turn>, patience: Duration) -> Result<Peers, SendError> {
        let since = known.map(|turn| format!("?run={}&n={}", turn.run, turn.n)).unwrap_or_default();
        let path = format!("/gate/tunnels/{}/peers{since}", self.tunnel);
        let text = self.transport.get(&path, &self.secret, patience)?;
        serde_json::from_str(&text)
            .map_err(|error| SendError::Away(format!("its answer cannot be read: {error}")))
    }
}

/// How the interface is to be.
pub struct Wanted {
    /// Its name.
    pub interface: String,
    /// Its key.
    pub key: PrivateKey,
    /// The port it listens at.
    pub port: u16,
}

/// Keeps the interface equal to what the server says, for good.
///
/// # Errors
/// When the interface or its wall cannot be made, or cannot be shut any more.
pub fn keep(question: &Question, wanted: &Wanted, say: &dyn Fn(&str)) -> anyhow::Result<()> {
    let mut gate: Option<Gate> = None;
    let mut said = String::new();
    loop {
        let patience = gate.as_ref().map_or(PATIENCE, Gate::patience);
        let known = gate.as_ref().and_then(|gate| gate.turn.as_ref());
        // An answer may have been made as soon as it was asked for: it is good from then on.
        let asked = Instant::now();
        match question.ask(known, patience) {
            Ok(answer) => {
                if !said.is_empty() {
                    say("the server answers again");
                    said.clear();
                }
                let gate = match &mut gate {
                    Some(gate) if gate.is_of(&answer) => gate,
                    other => {
                        // One of the same name is taken away before the next is made.
                        *other = None;
                        other.insert(Gate::open(wanted, &answer, say)?)
                    }
                };
                gate.take(answer, asked, say)?;
                thread::sleep(APART.saturating_sub(asked.elapsed()));
            }
            Err(error) => {
                let words = error.to_string();
                if words != said {
                    say(&words);
                    said = words;
                }
                thread::sleep(AGAIN);
            }
        }
        if let Some(gate) = gate.as_mut().filter(|gate| gate.is_over()) {
            gate.shut(say)?;
        }
    }
}

struct Gate {
    tunnel: Tunnel,
    wall: Wall,
    address: IpNet,
    peers: HashMap<PublicKey, Peer>,
    turn: Option<Turn>,
    good_until: Instant,
}

impl Gate {
    fn open(wanted: &Wanted, answer: &Peers, say: &dyn Fn(&str)) -> anyhow::Result<Self> {
        // First the wall: there is no moment at which the interface stands without it.
        let wall = Wall::build(&wanted.interface, &answer.networks, answer.address.addr().is_ipv4())?;
        let tunnel = Tunnel::open(&wanted.interface, &wanted.key, answer.address, wanted.port).context(
            "stead-gate must run as root, or with CAP_NET_ADMIN, on a system with WireGuard or /dev/net/tun",
        )?;
        let place = match tunnel.place() {
            tunnel::Place::Kernel => "in the kernel",
            tunnel::Place::Process => "in this process, because the kernel has no WireGuard",
        };
        say(&format!("{} is up, {place}, at port {}", wanted.interface, wanted.port));
        Ok(Self {
            tunnel,
            wall,
            address: answer.address,
            peers: HashMap::new(),
            turn: None,
            good_until: Instant::now(),
        })
    }

    /// Whether the answer is about an interface as it is.
    fn is_of(&self, answer: &Peers) -> bool {
        self.address == answer.address && self.wall.networks() == answer.networks
    }

    fn is_over(&self) -> bool {
        self.turn.is_some() && Instant::now() >= self.good_until
    }

    /// How long to wait for an answer: no longer than the last one is good.
    fn patience(&self) -> Duration {
        match self.turn {
            Some(_) => self.good_until.saturating_duration_since(Instant::now()).clamp(AGAIN, PATIENCE),
            None => PATIENCE,
        }
    }

    /// Takes over what the server said.
    fn take(&mut self, answer: Peers, asked: Instant, say: &dyn Fn(&str)) -> anyhow::Result<()> {
        let until = asked + Duration::from_millis(u64::try_from(answer.good_for).unwrap_or_default());
        let time = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let before = self.peers.clone();
        if answer.all {
            self.peers.clear();
        }
        for key in &answer.gone {
            self.peers.remove(key);
        }
        self.peers.extend(answer.peers.into_iter().map(|peer| (peer.key, peer)));
        let gone: Vec<&PublicKey> = before.keys().filter(|key| !self.peers.contains_key(*key)).collect();
        let new: Vec<&Peer> = self
            .peers
            .values()
            .filter(|peer| before.get(&peer.key).is_none_or(|known| known.address != peer.address))
            .collect();
        // Who is out goes first, and whoever comes in finds the wall as it is to be.
        for key in &gone {
            self.tunnel.remove(key)?;
        }
        self.wall.hold(&opened(&self.peers), time)?;
        for peer in &new {
            let peer = tunnel::Peer { key: peer.key, addresses: vec![peer.address], endpoint: None };
            self.tunnel.put(&peer)?;
        }
        if !gone.is_empty() || !new.is_empty() {
            say(&format!("{} in, {} out; {} in all", new.len(), gone.len(), self.peers.len()));
        }
        self.turn = Some(answer.turn);
        self.good_until = until;
        Ok(())
    }

    /// Nothing was heard for as long as the last answer was good: nobody is let in.
    fn shut(&mut self, say: &dyn Fn(&str)) -> anyhow::Result<()> {
        say("the server has not answered for too long: nobody is let in until it does");
        for key in self.peers.keys() {
            self.tunnel.remove(key)?;
        }
        self.peers.clear();
        self.turn = None;
        // The wall has run out by itself; this forgets whom it was open to.
        self.wall.hold(&Open::new(), Duration::from_millis(1))
    }
}

/// To whom each network is open.
fn opened(peers: &HashMap<PublicKey, Peer>) -> Open {
    let mut open = Open::new();
    for peer in peers.values() {
        for place in &peer.networks {
            open.entry(*place).or_default().insert(peer.address.addr());
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_is_open_to_those_to_whom_it_is() {
        let peer = |n: u8, networks: &[usize]| {
            let address = format!("10.90.0.{n}/32").parse().unwrap();
            (PublicKey([n; 32]), Peer { key: PublicKey([n; 32]), address, networks: networks.to_vec() })
        };
        let open = opened(&HashMap::from([peer(2, &[0, 1]), peer(3, &[0])]));
        let addresses = |place: usize| open[&place].iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            (addresses(0), addresses(1)),
            (vec!["10.90.0.2".to_owned(), "10.90.0.3".to_owned()], vec!["10.90.0.2".to_owned()])
        );
    }
}

//! The tunnel of the person's organisation, on this computer: brought up when they want it and are let in, and kept
//! shut, not open, when they are not let in any more: what would have gone through it goes nowhere.
//!
//! The key is made here, lives in memory, and is made anew before its time is over.

use serde::{Deserialize, Serialize};
use stead_model::{
    Millis,
    message::{Clearance, VERSION},
    seal::{Envelope, SigningKey, VerifyingKey},
    tunnel::{Network, PublicKey, TUNNEL_ASKED, TUNNEL_GIVEN, TunnelAsked, TunnelGiven, Way},
};
use stead_transport::{SendError, Transport};
use stead_tunnel::{Peer, PrivateKey, Tunnel};
use zeroize::Zeroizing;

use crate::state::{Identity, State};

/// What the interface is called.
const INTERFACE: &str = "stead0";

/// That the person wants a tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Which; the first that there is, where none is named.
    pub tunnel: Option<String>,
    /// Since when.
    pub wanted_at: Millis,
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Became {
    /// The wish's time.
    pub wanted_at: Millis,
    /// When it was looked at last.
    pub at: Millis,
    /// What the tunnel is called; empty where the server has not said so.
    pub title: String,
    /// What is so.
    pub state: Connected,
    /// Since when.
    pub since: Millis,
    /// The networks behind it.
    pub networks: Vec<Network>,
}

/// Whether the tunnel is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connected {
    /// It is, and carries what is open.
    Up,
    /// Nothing behind it is open at present.
    Shut,
    /// It could not be brought up; why.
    Failed(String),
}

/// By what an agent asks.
#[derive(Debug)]
pub struct Asker<'a> {
    /// Its folder.
    pub state: &'a State,
    /// Who it is.
    pub identity: &'a Identity,
    /// Its key.
    pub key: &'a SigningKey,
    /// The server's.
    pub answer_key: &'a VerifyingKey,
    /// The way to the server.
    pub transport: &'a Transport,
}

/// A tunnel that is up, or was and is kept shut.
#[derive(Debug)]
struct Up {
    tunnel: Tunnel,
    /// Which one was wanted.
    wanted: Option<String>,
    way: Way,
    /// All networks behind it.
    all: Vec<ipnet::IpNet>,
    open: Vec<ipnet::IpNet>,
    made_at: Millis,
    /// Whether its gate is at the other end.
    open_now: bool,
}

/// The tunnel, as the agent holds it.
#[derive(Debug, Default)]
pub struct Held {
    up: Option<Up>,
    became: Option<Became>,
    /// A key that was made and could not be put to use; the next attempt takes it.
    spare: Option<PrivateKey>,
    /// What was open by the answer for which it was asked last.
    clearance: Option<Clearance>,
}

impl Held {
    /// Has the tunnel be as the person wants and the server lets. `clearance` is what the server said last.
    ///
    /// # Errors
    /// When the agent's folder cannot be read or written.
    pub fn settle(
        &mut self,
        asker: &Asker<'_>,
        clearance: Option<&Clearance>,
        now: Millis,
    ) -> anyhow::Result<()> {
        let Some(wish) = asker.state.tunnel_wish()? else {
            *self = Self::default();
            if asker.state.tunnel()?.is_some() {
                // Also one that an agent left behind which was ended.
                Tunnel::clear(INTERFACE)?;
                asker.state.set_tunnel(None)?;
            }
            return Ok(());
        };
        if !self.must_ask(&wish, clearance, now) {
            return Ok(());
        }
        let became = self.ask(asker, &wish, now);
        let Some(became) = became else { return Ok(()) };
        self.clearance = clearance.cloned();
        let since =
            self.became.as_ref().filter(|before| before.state == became.state).map(|before| before.since);
        let became = Became { since: since.unwrap_or(now), ..became };
        asker.state.set_tunnel(Some(&became))?;
        self.became = Some(became);
        Ok(())
    }

    /// Whether something is new: the wish, what is open, or the time for a new key. Where something is shut it is
    /// asked each time.
    fn must_ask(&self, wish: &Wish, clearance: Option<&Clearance>, now: Millis) -> bool {
        let Some(became) = self.became.as_ref().filter(|became| became.wanted_at == wish.wanted_at) else {
            return true;
        };
        let all_open =
            became.state == Connected::Up && became.networks.iter().all(|net| net.closed.is_empty());
        !all_open || self.clearance.as_ref() != clearance || self.wants_key(now)
    }

    fn wants_key(&self, now: Millis) -> bool {
        self.up.as_ref().is_some_and(|up| {
            let lasts = up.way.key_until.since(up.made_at);
            now.since(up.made_at) >= lasts / 5 * 4
        })
    }

    /// Asks the server and does as it says; none while it is away, when everything stays as it is.
    fn ask(&mut self, asker: &Asker<'_>, wish: &Wish, now: Millis) -> Option<Became> {
        let became = |title: String, state: Connected, networks: Vec<Network>| {
            Some(Became { wanted_at: wish.wanted_at, at: now, title, state, since: now, networks })
        };
        let failed = |why: &dyn std::fmt::Display| {
            became(String::new(), Connected::Failed(why.to_string()), Vec::new())
        };
        // A key that is in use goes on until it is time for a new one.
        let fresh = match &self.up {
            Some(up) if up.wanted == wish.tunnel && !self.wants_key(now) => None,
            _ => match self.spare.take().map_or_else(new_key, Ok) {
                Ok(key) => Some(key),
                Err(error) => return failed(&error),
            },
        };
        let public = match (&fresh, &self.up) {
            (Some(key), _) => key.public(),
            (None, Some(up)) => up.tunnel.public(),
            (None, None) => return None,
        };
        let given = match question(asker, wish, public, now) {
            Ok(given) => given,
            Err(SendError::Away(_)) => {
                self.spare = fresh;
                return None;
            }
            Err(error) => {
                self.shut();
                return failed(&error);
            }
        };
        let TunnelGiven { title, way, networks, .. } = given;
        let Some(way) = way else {
            self.shut();
            return became(title, Connected::Shut, networks);
        };
        let done = match fresh {
            Some(key) => self.open(&key, wish, way, &networks, now).inspect_err(|_| self.spare = Some(key)),
            // Another gate or other networks: a new key, and everything anew.
            None if self.up.as_ref().is_some_and(|up| !up.is_of(&way, &networks)) => {
                self.up = None;
                return self.ask(asker, wish, now.plus(1));
            }
            None => self.change(&networks),
        };
        match done {
            Ok(()) => became(title, Connected::Up, networks),
            Err(error) => {
                self.up = None;
                failed(&error)
            }
        }
    }

    fn open(
        &mut self,
        key: &PrivateKey,
        wish: &Wish,
        way: Way,
        networks: &[Network],
        now: Millis,
    ) -> Result<(), stead_tunnel::TunnelError> {
        // One of the same name goes first.
        self.up = None;
        let tunnel = Tunnel::open(INTERFACE, key, way.address, 0)?;
        let all: Vec<ipnet::IpNet> = networks.iter().map(|network| network.to).collect();
        // What is closed leads here too: it goes nowhere, rather than out into somebody else's network.
        tunnel.route(&all)?;
        let wanted = wish.tunnel.clone();
        let mut up = Up { tunnel, wanted, way, all, open: Vec::new(), made_at: now, open_now: false };
        up.lead_to(networks)?;
        self.up = Some(up);
        Ok(())
    }

    /// The same key; what is open may be something else.
    fn change(&mut self, networks: &[Network]) -> Result<(), stead_tunnel::TunnelError> {
        self.up.as_mut().map_or(Ok(()), |up| up.lead_to(networks))
    }

    /// Nothing goes through any more.
    fn shut(&mut self) {
        let Some(up) = &mut self.up else { return };
        up.open_now = false;
        if up.tunnel.remove(&up.way.gate).is_err() {
            self.up = None;
        }
    }
}

impl Up {
    /// Whether this leads to the same gate and networks.
    fn is_of(&self, way: &Way, networks: &[Network]) -> bool {
        let (ours, theirs) = (&self.way, way);
        ours.gate == theirs.gate
            && ours.endpoint == theirs.endpoint
            && ours.address == theirs.address
            && networks.iter().map(|network| network.to).eq(self.all.iter().copied())
    }

    /// Has the gate at the other end for the networks that are open.
    fn lead_to(&mut self, networks: &[Network]) -> Result<(), stead_tunnel::TunnelError> {
        let open: Vec<ipnet::IpNet> =
            networks.iter().filter(|network| network.closed.is_empty()).map(|network| network.to).collect();
        if self.open_now && self.open == open {
            return Ok(());
        }
        self.tunnel.put(&Peer {
            key: self.way.gate,
            addresses: open.clone(),
            endpoint: Some(self.way.endpoint.clone()),
        })?;
        self.open = open;
        self.open_now = true;
        Ok(())
    }
}

/// Takes down whatever stands of a tunnel; the next start of the computer does where this cannot.
pub fn clear(state: &State) {
    if state.tunnel().is_ok_and(|became| became.is_some())
        && let Err(error) = Tunnel::clear(INTERFACE)
    {
        eprintln!("stead: the tunnel could not be taken down: {error}");
    }
}

fn new_key() -> anyhow::Result<PrivateKey> {
    let mut bytes = Zeroizing::new([0; 32]);
    aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| anyhow::anyhow!("the system gave no randomness"))?;
    Ok(PrivateKey::new(bytes))
}

fn question(asker: &Asker<'_>, wish: &Wish, key: PublicKey, now: Millis) -> Result<TunnelGiven, SendError> {
    let device = asker.identity.device;
    let asked = TunnelAsked { v: VERSION, device, at: now, tunnel: wish.tunnel.clone(), key };
    let unreadable = || SendError::Away("its answer is not sealed for this question".to_owned());
    let payload = serde_json::to_vec(&asked).map_err(|_| unreadable())?;
    let envelope = asker.key.seal(TUNNEL_ASKED, &payload, &device.to_string());
    let text = asker.transport.post("/api/v1/tunnels", &envelope)?;
    let given = || {
        let envelope: Envelope = serde_json::from_str(&text).ok()?;
        let opened = envelope.open(TUNNEL_GIVEN, asker.answer_key).ok()?;
        let given: TunnelGiven = serde_json::from_slice(opened.bytes()).ok()?;
        (given.device == device && given.asked_at == now).then_some(given)
    };
    given().ok_or_else(unreadable)
}

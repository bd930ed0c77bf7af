//! A WireGuard interface of this machine: in the kernel where it can, else in this process. The device's end of a
//! tunnel and the gate's are the same thing here.
//!
//! In scope: making the interface, its key, address, peers and routes. Out of scope: who is let in, and packets that
//! go on from here.

use std::{fs, process::Command, thread, time::Duration};

use defguard_wireguard_rs::{
    InterfaceConfiguration, Kernel, Userspace, WGApi, WireguardInterfaceApi, error::WireguardInterfaceError,
    key::Key, net::IpAddrMask, peer::Peer as WirePeer,
};
use ipnet::IpNet;
use stead_model::tunnel::PublicKey;
use zeroize::Zeroizing;

/// Why something about an interface could not be done.
#[derive(Debug, thiserror::Error)]
pub enum TunnelError {
    /// This account may not make one, or the system cannot.
    #[error("the interface {0} could not be made: {1}")]
    Make(String, String),
    /// Something about it could not be changed or read.
    #[error("the interface {0} could not be {1}: {2}")]
    Change(String, &'static str, String),
    /// Something of that name is there and is no WireGuard interface.
    #[error("{0} is there already, and is no WireGuard interface; choose another name")]
    Taken(String),
}

/// A private key.
pub struct PrivateKey(Zeroizing<[u8; 32]>);

impl PrivateKey {
    /// The key in these bytes.
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(Key::new(*self.0).public_key().as_array())
    }

    fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(Key::new(*self.0).to_lower_hex())
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

/// Somebody at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Their key.
    pub key: PublicKey,
    /// The addresses that are theirs: packets from and to no other are carried.
    pub addresses: Vec<IpNet>,
    /// Where they are: host and port. None where they come by themselves.
    pub endpoint: Option<String>,
}

/// Where the interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the kernel.
    Kernel,
    /// In this process, because the kernel has no WireGuard.
    Process,
}

/// A WireGuard interface. It ends when dropped.
pub struct Tunnel {
    name: String,
    public: PublicKey,
    api: Api,
}

enum Api {
    Kernel(WGApi<Kernel>),
    Process(WGApi<Userspace>),
}

impl Api {
    fn any(&self) -> &dyn WireguardInterfaceApi {
        match self {
            Self::Kernel(api) => api,
            Self::Process(api) => api,
        }
    }
}

/// Seconds between packets that keep a way through somebody's router open.
const KEEP_ALIVE: u16 = 25;

impl Tunnel {
    /// Makes an interface with this key and address. It listens at `port`; at any where that is 0. One of the same
    /// name that a program left behind is taken away first.
    ///
    /// # Errors
    /// [`TunnelError`].
    pub fn open(name: &str, key: &PrivateKey, address: IpNet, port: u16) -> Result<Self, TunnelError> {
        let failed = |error: WireguardInterfaceError| TunnelError::Make(name.to_owned(), error.to_string());
        Self::clear(name)?;
        let mut api = WGApi::<Kernel>::new(name).map_err(failed)?;
        let api = match api.create_interface() {
            Ok(()) => Api::Kernel(api),
            Err(_) => Api::Process(in_process(name).map_err(failed)?),
        };
        let tunnel = Self { name: name.to_owned(), public: key.public(), api };
        let mut configuration = InterfaceConfiguration {
            name: name.to_owned(),
            prvkey: key.text().to_string(),
            addresses: vec![mask(address)],
            port,
            peers: Vec::new(),
            mtu: Some(1420),
            fwmark: None,
        };
        let done = tunnel.api.any().configure_interface(&configuration);
        zeroize::Zeroize::zeroize(&mut configuration.prvkey);
        done.map_err(failed)?;
        Ok(tunnel)
    }

    /// Takes an interface of this name away, which a program left behind, and sees that it is gone. None is no error.
    ///
    /// # Errors
    /// [`TunnelError`] when it is still there, or is no WireGuard interface.
    pub fn clear(name: &str) -> Result<(), TunnelError> {
        // One in a process that has just ended goes by itself.
        for _ in 0..20 {
            if !is_there(name) || is_kernels(name) {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        if !is_there(name) {
            return Ok(());
        }
        if !is_kernels(name) {
            return Err(TunnelError::Taken(name.to_owned()));
        }
        let failed = |why: &str| TunnelError::Change(name.to_owned(), "taken away", why.to_owned());
        // The library would first ask for a resolver's configuration, and leave the interface where there is none.
        let done = Command::new("ip").args(["link", "delete", "dev", name]).output();
        match done {
            Ok(_) if !is_there(name) => Ok(()),
            Ok(output) => Err(failed(String::from_utf8_lossy(&output.stderr).trim())),
            Err(error) => Err(failed(&format!("ip: {error}"))),
        }
    }

    /// Its key's public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Where it is.
    pub fn place(&self) -> Place {
        match self.api {
            Api::Kernel(_) => Place::Kernel,
            Api::Process(_) => Place::Process,
        }
    }

    /// Lets a peer in, or changes what is theirs.
    ///
    /// # Errors
    /// [`TunnelError`], also when their host has no address.
    pub fn put(&self, peer: &Peer) -> Result<(), TunnelError> {
        let mut wire = wire(peer);
        if let Some(endpoint) = &peer.endpoint {
            wire.set_endpoint(endpoint).map_err(|error| self.failed("pointed at its gate", &error))?;
            wire.persistent_keepalive_interval = Some(KEEP_ALIVE);
        }
        // In this process, a peer that is known already cannot be changed.
        self.remove(&peer.key)?;
        self.api.any().configure_peer(&wire).map_err(|error| self.failed("given a peer", &error))
    }

    /// Sends packets for these networks through it.
    ///
    /// # Errors
    /// [`TunnelError`].
    pub fn route(&self, networks: &[IpNet]) -> Result<(), TunnelError> {
        let mut carried = WirePeer::new(Key::default());
        carried.allowed_ips = networks.iter().copied().map(mask).collect();
        self.api
            .any()
            .configure_peer_routing(&[carried])
            .map_err(|error| self.failed("given its routes", &error))
    }

    /// Shuts a peer out. One that is not there is no error.
    ///
    /// # Errors
    /// [`TunnelError`].
    pub fn remove(&self, key: &PublicKey) -> Result<(), TunnelError> {
        self.api.any().remove_peer(&Key::new(key.0)).map_err(|error| self.failed("freed of a peer", &error))
    }

    /// Keys of the peers that it has, as it says itself.
    ///
    /// # Errors
    /// [`TunnelError`].
    pub fn peers(&self) -> Result<Vec<PublicKey>, TunnelError> {
        let host = self.api.any().read_interface_data().map_err(|error| self.failed("read", &error))?;
        Ok(host.peers.keys().map(|key| PublicKey(key.as_array())).collect())
    }

    fn failed(&self, what: &'static str, error: &WireguardInterfaceError) -> TunnelError {
        TunnelError::Change(self.name.clone(), what, error.to_string())
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        // In this process it ends with what holds it; in the kernel it would stay. Where it does all the same, whoever
        // makes the next says so.
        if self.place() == Place::Kernel {
            let _ = Self::clear(&self.name);
        }
    }
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tunnel({}, {:?})", self.name, self.place())
    }
}

/// An interface in this process. It is made on a thread of its own: the library keeps the signals that end a program
/// from the thread that makes it, and from those that come of it.
fn in_process(name: &str) -> Result<WGApi<Userspace>, WireguardInterfaceError> {
    let make = || {
        let mut api = WGApi::<Userspace>::new(name)?;
        api.create_interface().map(|()| api)
    };
    thread::scope(|scope| scope.spawn(make).join())
        .unwrap_or_else(|_| Err(WireguardInterfaceError::Interface("it could not be begun".to_owned())))
}

/// Whether there is an interface of this name in this network.
fn is_there(name: &str) -> bool {
    let all = fs::read_to_string("/proc/net/dev").unwrap_or_default();
    all.lines().filter_map(|line| line.split_once(':')).any(|(found, _)| found.trim() == name)
}

/// Whether it is a WireGuard interface of the kernel.
fn is_kernels(name: &str) -> bool {
    fs::read_to_string(format!("/sys/class/net/{name}/uevent"))
        .is_ok_and(|text| text.contains("DEVTYPE=wireguard"))
}

fn wire(peer: &Peer) -> WirePeer {
    let mut wire = WirePeer::new(Key::new(peer.key.0));
    wire.allowed_ips = peer.addresses.iter().copied().map(mask).collect();
    wire
}

fn mask(net: IpNet) -> IpAddrMask {
    IpAddrMask::new(net.addr(), net.prefix_len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pair that `wg genkey` and `wg pubkey` made.
    #[test]
    fn a_public_key_belongs_to_its_private_one() {
        let bytes: [u8; 32] =
            stead_model::seal::unhex("204f89ee3b3cfca301ae86256508c5d7c5620e7f42cccfe929fe5dee1cdb8e7f")
                .unwrap()
                .try_into()
                .unwrap();
        let key = PrivateKey::new(Zeroizing::new(bytes));
        assert_eq!(key.public().to_string(), "hYC0kXMYM+jah29ETekcmUBc51IdtH6EFrKpHnkB3D0=");
        assert_eq!(format!("{key:?}"), "PrivateKey(…)");
    }
}

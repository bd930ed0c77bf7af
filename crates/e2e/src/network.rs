//! Networks of their own on this machine (network namespaces): a home, a gate, an office behind it. They need root.

use std::{
    fs::File,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd,
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

static NAMES: AtomicUsize = AtomicUsize::new(0);

/// Such a network. It ends when dropped.
#[derive(Debug)]
pub struct Network {
    /// Its name.
    pub name: String,
}

impl Network {
    /// Makes one with a loopback interface; none, with the reason printed, where this account may not.
    pub fn new(what: &str) -> Option<Self> {
        let n = NAMES.fetch_add(1, Ordering::Relaxed);
        let name = format!("st{}-{n}-{what}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).stderr(Stdio::null()).status();
        if !made.is_ok_and(|status| status.success()) {
            assert!(std::env::var_os("STEAD_TEST_ALL").is_none(), "network namespaces need root");
            eprintln!("skipped: network namespaces need root");
            return None;
        }
        let network = Self { name };
        network.run("ip link set lo up");
        Some(network)
    }

    /// A command in it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs commands of a shell in it; their output.
    pub fn run(&self, script: &str) -> Output {
        let mut shell = self.command("sh");
        let done = shell.args(["-ec", &format!("PATH=$PATH:/usr/sbin:/sbin\n{script}")]).output().unwrap();
        assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
        done
    }

    /// Joins it to another by a cable; each end with its name and address.
    pub fn join(&self, own: (&str, &str), other: &Self, far: (&str, &str)) {
        self.run(&format!("ip link add {} type veth peer name {} netns {}", own.0, far.0, other.name));
        for (network, (name, address)) in [(self, own), (other, far)] {
            network.run(&format!("ip address add {address} dev {name}; ip link set {name} up"));
        }
    }

    /// Does something on a thread that is in it. What it opens stays in it.
    pub fn within<T: Send + 'static>(&self, what: impl FnOnce() -> T + Send + 'static) -> T {
        let name = self.name.clone();
        let inside = move || {
            enter(&name);
            what()
        };
        thread::spawn(inside).join().unwrap()
    }

    /// Listens in it, on its own loopback or another address of it.
    pub fn listen(&self, address: &str) -> TcpListener {
        let address: SocketAddr = address.parse().unwrap();
        self.within(move || TcpListener::bind(address).unwrap())
    }

    /// Connects from within it.
    ///
    /// # Errors
    /// When nothing answers in time.
    pub fn connect(&self, address: &str, patience: Duration) -> io::Result<TcpStream> {
        let address: SocketAddr = address.parse().unwrap();
        self.within(move || TcpStream::connect_timeout(&address, patience))
    }

    /// Carries connections to a port of its loopback to an address outside, as if that were there.
    pub fn carry_out(&self, port: u16, to: SocketAddr) {
        let listener = self.listen(&format!("127.0.0.1:{port}"));
        carry(listener, move || TcpStream::connect(to));
    }

    /// Carries connections to a port outside to one on its loopback.
    pub fn carry_in(&self, port: u16) {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let name = self.name.clone();
        carry(listener, move || {
            let name = name.clone();
            let inside = move || {
                enter(&name);
                TcpStream::connect(("127.0.0.1", port))
            };
            thread::spawn(inside).join().unwrap()
        });
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}

fn enter(name: &str) {
    let network = File::open(format!("/run/netns/{name}")).unwrap();
    move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
}

fn carry(listener: TcpListener, connect: impl Fn() -> io::Result<TcpStream> + Send + 'static) {
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(far) = connect() else { continue };
            for (from, to) in [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))] {
                let (Ok(from), Ok(to)) = (from, to) else { continue };
                thread::spawn(move || pour(from, to));
            }
        }
    });
}

fn pour(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

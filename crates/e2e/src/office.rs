//! Sam at home with a real agent, a gate, an office behind it, and an application behind nginx beside the server: real
//! programs in networks of their own, WireGuard in the process where the kernel has none.

use std::{
    fs,
    io::{Read, Write},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use stead_testkit::program;

use crate::{
    Fleet, copy_pack, keep_rules,
    machine::Machine,
    network::Network,
    proxy::{Application, Browser, Kind, Page, Proxy, port},
    system_now,
};

/// Something in the network that standing `standard` opens.
pub const OFFICE: &str = "10.213.2.2:80";
/// Something in the one for `restricted`.
pub const RECORDS: &str = "10.213.3.2:80";

/// Denies what comes from outside, as somebody's firewall does.
pub const FIREWALL: &str = "nft add table inet filter
nft 'add chain inet filter input { type filter hook input priority 0; policy drop; }'
nft add rule inet filter input iif lo accept
nft add rule inet filter input ct state established,related accept";

/// Sam at home, a gate, an office behind it, and an application behind nginx beside the server.
pub struct World {
    /// The server.
    pub f: Fleet,
    /// Sam's computer, with an agent.
    pub laptop: Machine,
    /// Where it is.
    pub home: Network,
    /// Where the gate is.
    pub gate: Network,
    _office: Network,
    program: Option<Child>,
    interface: String,
    /// Where its agent answers browsers.
    pub door: u16,
    /// Where nginx is.
    pub front: u16,
    /// Sam's session.
    pub sam: String,
    _proxy: Option<Proxy>,
    _app: Application,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop_gate();
    }
}

impl World {
    /// Starts everything; none, with the reason printed, where this account may not.
    pub fn start() -> Option<Self> {
        let (home, gate, office) = (Network::new("home")?, Network::new("gate")?, Network::new("office")?);
        home.join(("eth0", "10.213.1.2/24"), &gate, ("home0", "10.213.1.1/24"));
        gate.join(("office0", "10.213.2.1/24"), &office, ("eth0", "10.213.2.2/24"));
        home.run("ip route add default via 10.213.1.1");
        home.run(FIREWALL);
        // What the organisation has between the internet and its office: nothing goes through.
        gate.run(
            "echo 1 > /proc/sys/net/ipv4/ip_forward
             ip address add 10.213.3.1/24 dev office0
             nft add table ip outside
             nft 'add chain ip outside forward { type filter hook forward priority 0; policy accept; }'
             nft add rule ip outside forward iifname home0 drop",
        );
        office.run("ip address add 10.213.3.2/24 dev eth0; ip route add default via 10.213.2.1");
        for address in [OFFICE, RECORDS] {
            let listener = office.listen(address);
            thread::spawn(move || {
                for mut stream in listener.incoming().flatten() {
                    thread::spawn(move || {
                        // One letter after the other, until nobody is there any more.
                        while stream.write_all(b".").is_ok() {
                            thread::sleep(Duration::from_millis(5));
                        }
                    });
                }
            });
        }

        let folder = tempfile::tempdir().unwrap();
        // Every tunnel in the process of a gate has a socket by its name in one folder of this machine.
        let interface = gate.name.trim_end_matches("-gate").to_owned();
        let state = folder.path().join("gate");
        let key = Command::new(program("stead-gate").unwrap()).args(["key", "--state"]).arg(&state).output();
        let key = String::from_utf8(key.unwrap().stdout).unwrap();
        fs::write(folder.path().join("secret"), "0123456789abcdef0123456789abcdef\n").unwrap();
        let (door, front) = (port(), port());
        let file = folder.path().join("gate.toml");
        let text = format!(
            "agent_port = {door}
             [[application]]
             name = \"records\"
             title = \"Personnel records\"
             url = \"http://records.localhost:{front}\"
             tier = \"restricted\"
             [[tunnel]]
             name = \"office\"
             title = \"Office network\"
             endpoint = \"10.213.1.1:51820\"
             key = \"{}\"
             secret_file = \"{}\"
             addresses = \"10.213.90.0/24\"
             good_for = \"PT5S\"
             network = [
                 {{ to = \"10.213.2.0/24\", tier = \"standard\" }},
                 {{ to = \"10.213.3.0/24\", tier = \"restricted\" }},
             ]\n",
            key.trim(),
            folder.path().join("secret").display()
        );
        fs::write(&file, text).unwrap();
        let mut f =
            Fleet::start_with(folder, None, &["--gate".to_owned(), file.to_str().unwrap().to_owned()]);
        let app = Application::start();
        let proxy = Proxy::start(Kind::Nginx, front, f.server.address, app.address);
        let (_, sam) = f.join("Sam Örtel", "sam@stead.example", &[]);
        publish(&mut f);
        let at = f.server.address;
        home.carry_out(at.port(), at);
        gate.carry_out(at.port(), at);
        home.carry_in(door);
        let laptop = Machine::start(Some(&home.name), &["/usr/sbin/nft"])?;
        let mut world = Self {
            f,
            laptop,
            home,
            gate,
            _office: office,
            program: None,
            interface,
            door,
            front,
            sam,
            _proxy: proxy,
            _app: app,
        };
        world.start_gate();
        let code = world.f.server.admin(&["enrol-code", "Sam Örtel"]).unwrap();
        world.laptop.enrol(&format!("http://{at}"), &code);
        world.laptop.start_agent(door);
        Some(world)
    }

    /// Starts the gate of the tunnel.
    pub fn start_gate(&mut self) {
        let mut command = self.gate.command(program("stead-gate").unwrap().to_str().unwrap());
        command.args(["run", "office", "--server", &self.f.server.url(), "--interface", &self.interface]);
        command.arg("--secret-file").arg(self.f.folder.path().join("secret"));
        command.arg("--state").arg(self.f.folder.path().join("gate"));
        self.program = Some(command.stdin(Stdio::null()).spawn().unwrap());
    }

    /// Ends it as a system does that shuts down.
    pub fn stop_gate(&mut self) {
        if let Some(mut program) = self.program.take() {
            let _ = Command::new("kill").args(["-TERM", &program.id().to_string()]).status();
            for _ in 0..30 {
                if matches!(program.try_wait(), Ok(Some(_))) {
                    return;
                }
                thread::sleep(Duration::from_millis(100));
            }
            let _ = program.kill();
            let _ = program.wait();
            assert!(thread::panicking(), "the gate did not end when it was told to");
        }
    }

    /// Whether something is reached from home.
    pub fn reaches(&self, address: &str) -> bool {
        self.home.connect(address, Duration::from_millis(300)).is_ok()
    }

    /// Waits until something is so; how long it took.
    pub fn until(&self, what: &str, so: impl Fn(&Self) -> bool) -> Duration {
        let begun = Instant::now();
        while !so(self) {
            assert!(begun.elapsed() < Duration::from_secs(30), "it never came to be: {what}");
            thread::sleep(Duration::from_millis(20));
        }
        begun.elapsed()
    }

    /// What a command of `stead` says, and whether it was done.
    pub fn says(&self, command: &str) -> (bool, String) {
        let out = self.laptop.stead(&[command]);
        (out.status.success(), String::from_utf8(out.stdout).unwrap())
    }

    /// Brings the tunnel up.
    pub fn connected(&self) {
        self.until("the agent has checked in", |w| w.says("status").1.contains("Everything is open"));
        let (up, said) = self.says("connect");
        assert!(up && said.contains("Office network: the tunnel is up"), "{said}");
        self.until("what is behind the tunnel is reached", |w| w.reaches(OFFICE));
    }
}

/// What comes through one connection, and when the last of it came.
pub struct Flow {
    begun: Instant,
    last: Arc<AtomicU64>,
}

impl Flow {
    /// Begins to read.
    pub fn begin(w: &World, address: &str) -> Self {
        let mut stream = w.home.connect(address, Duration::from_secs(5)).unwrap();
        let (begun, last) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let seen = Arc::clone(&last);
        thread::spawn(move || {
            let mut buffer = [0; 256];
            while let Ok(1..) = stream.read(&mut buffer) {
                let now = u64::try_from(begun.elapsed().as_micros()).unwrap();
                seen.store(now, Ordering::Relaxed);
            }
        });
        let flow = Self { begun, last };
        thread::sleep(Duration::from_millis(100));
        assert!(flow.quiet() < Duration::from_millis(80), "nothing flows");
        flow
    }

    /// How long ago the last of it came.
    pub fn quiet(&self) -> Duration {
        self.begun.elapsed().saturating_sub(Duration::from_micros(self.last.load(Ordering::Relaxed)))
    }

    /// Waits until nothing has come for a while; how long after `since` the last of it came.
    pub fn ended(&self, since: Instant) -> Duration {
        while self.quiet() < Duration::from_millis(700) {
            assert!(since.elapsed() < Duration::from_secs(20), "it flows on");
            thread::sleep(Duration::from_millis(20));
        }
        (self.begun + Duration::from_micros(self.last.load(Ordering::Relaxed)))
            .saturating_duration_since(since)
    }
}

/// The application behind nginx, as Sam's browser sees it.
pub struct Records {
    browser: Browser,
    address: String,
    door: u16,
}

impl Records {
    /// Sam's browser, signed in.
    pub fn of(w: &World) -> Self {
        let mut browser = Browser::default();
        browser.put(&format!("localhost:{}", w.f.server.address.port()), &w.sam);
        Self { browser, address: format!("http://records.localhost:{}/pay", w.front), door: w.door }
    }

    /// Goes there as a browser does, by way of the agent.
    pub fn go(&mut self) -> Page {
        let door = self.door;
        let agent = |question: &str| Some(format!("http://127.0.0.1:{door}/device?question={question}"));
        self.browser.go(&self.address, &agent)
    }

    /// Asks again and again until nothing is let in any more; when that was, in milliseconds since 1970.
    pub fn watch(&self) -> thread::JoinHandle<i64> {
        let (mut browser, address) = (self.browser.clone(), self.address.clone());
        thread::spawn(move || {
            let begun = Instant::now();
            while browser.ask(&address, &[("accept", "application/json")]).status == 200 {
                assert!(begun.elapsed() < Duration::from_secs(60), "the application stays open");
                thread::sleep(Duration::from_millis(2));
            }
            system_now().0
        })
    }

    /// What is answered at once.
    pub fn status(&mut self) -> u16 {
        self.browser.ask(&self.address, &[("accept", "application/json")]).status
    }
}

/// Rules without grace, and no others about devices.
fn publish(f: &mut Fleet) {
    let pack = f.folder.path().join("strict");
    copy_pack(
        &pack,
        &[
            ("pack.toml", "version = 5", "version = 6"),
            ("rules/firewall-on.md", "grace = \"P2D\"", "grace = \"P0D\""),
            ("rules/disk-encrypted.md", "grace = \"P3D\"", "grace = \"P0D\""),
        ],
    );
    keep_rules(&pack, &["firewall-on", "disk-encrypted", "device-is-ours"]);
    let (_, author) = f.join("Pia Policy", "pia@stead.example", &["security"]);
    let (_, approver) = f.join("Ada Approver", "ada@stead.example", &["coordinator"]);
    let author_token = f.token(&author, &["read", "system", "people"]);
    f.publish(&pack, (&author, &author_token), &approver);
}

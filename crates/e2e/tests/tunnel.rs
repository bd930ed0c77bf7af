//! The way through a tunnel: real programs in networks of their own, WireGuard in the process where the kernel has
//! none.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

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

use stead_e2e::{
    Fleet, copy_pack, keep_rules,
    machine::Machine,
    network::Network,
    proxy::{Application, Browser, Kind, Page, Proxy, port},
};
use stead_testkit::program;

/// The network that standing `standard` opens, and the one for `restricted`.
const OFFICE: &str = "10.213.2.2:80";
const RECORDS: &str = "10.213.3.2:80";

/// Denies what comes from outside, as somebody's firewall does.
const FIREWALL: &str = "nft add table inet filter
nft 'add chain inet filter input { type filter hook input priority 0; policy drop; }'
nft add rule inet filter input iif lo accept
nft add rule inet filter input ct state established,related accept";

/// Sam at home, a gate, an office behind it, and an application behind nginx beside the server.
struct World {
    f: Fleet,
    laptop: Machine,
    home: Network,
    gate: Network,
    _office: Network,
    program: Option<Child>,
    interface: String,
    door: u16,
    front: u16,
    sam: String,
    _proxy: Option<Proxy>,
    _app: Application,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop_gate();
    }
}

impl World {
    fn start() -> Option<Self> {
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

    fn start_gate(&mut self) {
        let mut command = self.gate.command(program("stead-gate").unwrap().to_str().unwrap());
        command.args(["run", "office", "--server", &self.f.server.url(), "--interface", &self.interface]);
        command.arg("--secret-file").arg(self.f.folder.path().join("secret"));
        command.arg("--state").arg(self.f.folder.path().join("gate"));
        self.program = Some(command.stdin(Stdio::null()).spawn().unwrap());
    }

    /// Ends it as a system does that shuts down.
    fn stop_gate(&mut self) {
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

    fn reaches(&self, address: &str) -> bool {
        self.home.connect(address, Duration::from_millis(300)).is_ok()
    }

    fn until(&self, what: &str, so: impl Fn(&Self) -> bool) -> Duration {
        let begun = Instant::now();
        while !so(self) {
            assert!(begun.elapsed() < Duration::from_secs(30), "it never came to be: {what}");
            thread::sleep(Duration::from_millis(20));
        }
        begun.elapsed()
    }

    fn says(&self, command: &str) -> (bool, String) {
        let out = self.laptop.stead(&[command]);
        (out.status.success(), String::from_utf8(out.stdout).unwrap())
    }

    fn connected(&self) {
        self.until("the agent has checked in", |w| w.says("status").1.contains("Everything is open"));
        let (up, said) = self.says("connect");
        assert!(up && said.contains("Office network: the tunnel is up"), "{said}");
        self.until("what is behind the tunnel is reached", |w| w.reaches(OFFICE));
    }
}

/// What comes through one connection, and when the last of it came.
struct Flow {
    begun: Instant,
    last: Arc<AtomicU64>,
}

impl Flow {
    fn begin(w: &World, address: &str) -> Self {
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
    fn quiet(&self) -> Duration {
        self.begun.elapsed().saturating_sub(Duration::from_micros(self.last.load(Ordering::Relaxed)))
    }

    /// Waits until nothing has come for a while; how long after `since` the last of it came.
    fn ended(&self, since: Instant) -> Duration {
        while self.quiet() < Duration::from_millis(700) {
            assert!(since.elapsed() < Duration::from_secs(20), "it flows on");
            thread::sleep(Duration::from_millis(20));
        }
        (self.begun + Duration::from_micros(self.last.load(Ordering::Relaxed)))
            .saturating_duration_since(since)
    }
}

/// The application behind nginx, as Sam's browser sees it.
struct Records {
    browser: Browser,
    address: String,
    door: u16,
}

impl Records {
    fn of(w: &World) -> Self {
        let mut browser = Browser::default();
        browser.put(&format!("localhost:{}", w.f.server.address.port()), &w.sam);
        Self { browser, address: format!("http://records.localhost:{}/pay", w.front), door: w.door }
    }

    fn go(&mut self) -> Page {
        let door = self.door;
        let agent = |question: &str| Some(format!("http://127.0.0.1:{door}/device?question={question}"));
        self.browser.go(&self.address, &agent)
    }

    fn status(&mut self) -> u16 {
        self.browser.ask(&self.address, &[("accept", "application/json")]).status
    }
}

/// Rules without grace, and no others about devices.
fn publish(f: &mut Fleet) {
    let pack = f.folder.path().join("strict");
    copy_pack(
        &pack,
        &[
            ("pack.toml", "version = 4", "version = 5"),
            ("rules/firewall-on.md", "grace = \"P2D\"", "grace = \"P0D\""),
            ("rules/disk-encrypted.md", "grace = \"P3D\"", "grace = \"P0D\""),
        ],
    );
    keep_rules(&pack, &["firewall-on", "disk-encrypted", "device-is-ours"]);
    let (_, author) = f.join("Pia Policy", "pia@stead.example", &["security"]);
    let (_, approver) = f.join("Ada Approver", "ada@stead.example", &["coordinator"]);
    let author_token = f.token(&author, &["read", "system", "people"]);
    let approver_token = f.token(&approver, &["read", "system", "people"]);
    f.publish(&pack, (&author, &author_token), &approver_token);
}

/// Away from the office, a tunnel leads in for as long as the firewall is on, and no longer.
#[test]
fn rc_4_a_firewall_that_is_turned_off_stops_the_tunnel() {
    let Some(w) = World::start() else { return };
    assert!(!w.reaches(OFFICE), "without the tunnel nothing is reached");
    w.connected();
    assert!(w.reaches(RECORDS));

    let mut times = Vec::new();
    for _ in 0..5 {
        let flow = Flow::begin(&w, OFFICE);
        let off = Instant::now();
        w.home.run("nft delete table inet filter");
        times.push(flow.ended(off));
        assert!(!w.reaches(OFFICE) && !w.reaches(RECORDS));
        w.home.run(FIREWALL);
        w.until("it is mended", |w| w.reaches(OFFICE) && w.reaches(RECORDS));
        // What has changed just now is followed with some patience.
        thread::sleep(Duration::from_secs(4));
    }
    times.sort();
    eprintln!("from the firewall to the last packet: {times:?}");
    assert!(times[2] < Duration::from_secs(2) && times[4] < Duration::from_secs(10));

    w.home.run("nft delete table inet filter");
    w.until("the person sees why", |w| {
        let said = w.says("status").1;
        said.contains("the tunnel is shut") && said.contains("- Turn your firewall on")
    });
    let (up, said) = w.says("connect");
    assert!(!up && said.contains("10.213.2.0/24") && said.contains("closed"), "{said}");
    w.home.run(FIREWALL);
    w.until("it is mended", |w| w.reaches(OFFICE));
    assert!(w.says("status").1.contains("the tunnel is up"));

    // A tunnel that is not wanted any more goes down.
    let (done, said) = w.says("disconnect");
    assert!(done && said.contains("goes down"), "{said}");
    w.until("it is down", |w| !w.reaches(OFFICE));
    w.until("nothing is said of it", |w| !w.says("status").1.contains("Office network"));
}

/// One run through both doors: in, the disk fails, both shut, the person sees why, mends it, and is in again.
#[test]
fn rc_6_a_disk_that_fails_shuts_application_and_tunnel() {
    let Some(w) = World::start() else { return };
    w.connected();
    let mut records = Records::of(&w);
    let page = records.go();
    assert!(page.status == 200 && page.body.contains("the application was asked"), "{page:?}");

    let mut times = Vec::new();
    for _ in 0..3 {
        thread::sleep(Duration::from_secs(4));
        let (office, through) = (Flow::begin(&w, OFFICE), Flow::begin(&w, RECORDS));
        let plugged = Instant::now();
        w.laptop.plug_in();
        while records.status() != 403 {
            assert!(plugged.elapsed() < Duration::from_secs(10), "the application stays open");
            thread::sleep(Duration::from_millis(2));
        }
        let application = plugged.elapsed();
        times.push((application, through.ended(plugged)));
        // The disk costs the upper tier alone.
        assert!(w.reaches(OFFICE) && !w.reaches(RECORDS));
        assert!(office.quiet() < Duration::from_millis(200), "what is open flows on");
        if times.len() < 3 {
            w.laptop.pull_out();
            w.until("it is mended", |w| w.reaches(RECORDS));
            assert_eq!(records.status(), 200);
        }
    }
    eprintln!("from the disk to the shut application, and to the last packet: {times:?}");
    times.sort();
    assert!(times[1].0 < Duration::from_secs(2) && times[1].1 < Duration::from_secs(2));

    let page = records.go();
    assert_eq!(page.status, 403);
    assert!(page.body.contains("/data") && page.body.contains("Encrypt"), "{}", page.body);
    w.until("the person sees why", |w| {
        let said = w.says("status").1;
        said.contains("Part of your work is closed")
            && said.contains("10.213.3.0/24        restricted   closed")
            && said.contains("10.213.2.0/24        standard     open")
            && said.contains("- Encrypt")
    });
    w.laptop.pull_out();
    w.until("the tunnel leads there again", |w| w.reaches(RECORDS));
    assert_eq!(records.status(), 200);
    assert!(w.says("status").1.contains("Everything is open to you"));
}

/// What is shut out is out of the tunnel within a second; when the server or the gate is gone, so is everybody.
#[test]
fn rc_6_a_tunnel_ends_with_the_device_the_server_and_the_gate() {
    let Some(mut w) = World::start() else { return };
    w.connected();

    let flow = Flow::begin(&w, OFFICE);
    w.f.server.kill();
    let gone = flow.ended(Instant::now());
    eprintln!("from the end of the server to the last packet: {gone:?}");
    assert!(gone < Duration::from_secs(7), "an answer is good for five seconds");
    w.f.server.again().unwrap();
    w.until("the server is back", |w| w.reaches(OFFICE));

    let flow = Flow::begin(&w, OFFICE);
    w.stop_gate();
    let gone = flow.ended(Instant::now());
    eprintln!("from the end of the gate to the last packet: {gone:?}");
    assert!(gone < Duration::from_secs(1));
    w.start_gate();
    w.until("the gate is back", |w| w.reaches(OFFICE));

    // Somebody's firewall reads its rules anew and takes the wall away: the gate ends rather than go on without.
    let flow = Flow::begin(&w, OFFICE);
    w.gate.run("nft delete table inet $(nft list tables | grep -o 'stead_gate_[a-z0-9_]*')");
    let gone = flow.ended(Instant::now());
    eprintln!("from the end of the wall to the last packet: {gone:?}");
    assert!(gone < Duration::from_secs(3), "a third of five seconds, and a little");
    w.stop_gate();
    w.start_gate();
    w.until("the gate is back", |w| w.reaches(OFFICE));

    // Nothing comes from the server any more, and nothing says so: the gate is cut off.
    let flow = Flow::begin(&w, OFFICE);
    let cut = "nft add table ip cut; nft 'add chain ip cut input { type filter hook input priority -200; }'
               nft add rule ip cut input iif lo drop";
    w.gate.run(cut);
    let gone = flow.ended(Instant::now());
    eprintln!("from the cut to the last packet: {gone:?}");
    assert!(gone < Duration::from_secs(7), "an answer is good for five seconds");
    w.gate.run("nft delete table ip cut");
    w.until("it is joined again", |w| w.reaches(OFFICE));

    let flow = Flow::begin(&w, OFFICE);
    let said = w.says("status").1;
    let (id, now) = (said.split(',').next().unwrap(), Instant::now());
    w.f.server.admin(&["revoke-device", id]).unwrap();
    let (command, last) = (now.elapsed(), flow.ended(now));
    eprintln!("shut out: the command took {command:?}, the last packet came {last:?} after it began");
    assert!(last < command + Duration::from_secs(1));
    let (up, said) = w.says("connect");
    assert!(!up && said.contains("could not be brought up") && said.contains("revoked"), "{said}");
}

//! The gate, through real proxies with the configurations that the book gives.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use stead_e2e::{
    Fleet, copy_pack, keep_rules,
    machine::Machine,
    postgres,
    proxy::{Application, Browser, Kind, Page, Proxy, Relay, Tls, port, send_raw},
    system_now,
};
use stead_model::{Fact, Facts, fact::Field, message::Enrolled};
use stead_testkit::{SimDevice, device::good_facts_at, program};

/// Sam, their laptop, and an application behind a proxy.
struct World {
    f: Fleet,
    proxy: Proxy,
    app: Application,
    kind: Kind,
    /// Sam's session with the server.
    sam: String,
    sam_id: String,
    laptop: SimDevice,
}

fn world(kind: Kind, store: Option<&str>) -> Option<World> {
    world_at(kind, store, port())
}

/// The same where agents listen at a port.
fn world_at(kind: Kind, store: Option<&str>, door: u16) -> Option<World> {
    let folder = tempfile::tempdir().unwrap();
    let front = port();
    let file = folder.path().join("gate.toml");
    let text = format!(
        "agent_port = {door}\n[[application]]\nname = \"records\"\ntitle = \"Personnel records\"\n\
         url = \"http://records.localhost:{front}\"\ntier = \"restricted\"\n"
    );
    fs::write(&file, text).unwrap();
    let more = ["--gate".to_owned(), file.to_str().unwrap().to_owned()];
    let mut f = Fleet::start_with(folder, store, &more);
    let app = Application::start();
    let proxy = Proxy::start(kind, front, f.server.address, app.address)?;
    let (sam_id, sam) = f.join("Sam Örtel", "sam@stead.example", &[]);
    let code = f.server.admin(&["enrol-code", "Sam Örtel"]).unwrap();
    let laptop = SimDevice::enrol(&mut f.client, [9; 32], &code, "sams-laptop", system_now()).unwrap();
    Some(World { f, proxy, app, kind, sam, sam_id, laptop })
}

fn disk(encrypted: bool) -> Facts {
    let mut facts = good_facts_at(system_now());
    let volume = stead_model::fact::Record::from([
        ("mount".to_owned(), Field::from("/data")),
        ("encrypted".to_owned(), Field::from(encrypted)),
        ("how".to_owned(), Field::from(if encrypted { "encrypted (LUKS2)" } else { "clear" })),
    ]);
    facts.insert("device.volumes".to_owned(), Fact::known(vec![volume], "/proc/self/mountinfo"));
    facts
}

impl World {
    fn address(&self) -> String {
        format!("http://records.localhost:{}", self.proxy.port)
    }

    fn host(&self) -> String {
        format!("records.localhost:{}", self.proxy.port)
    }

    fn stead(&self) -> String {
        format!("localhost:{}", self.f.server.address.port())
    }

    fn report(&mut self, facts: &Facts) {
        let envelope = self.laptop.report(facts, system_now());
        self.f.post(&envelope).unwrap();
    }

    /// A browser that is signed in.
    fn browser(&self) -> Browser {
        let mut browser = Browser::default();
        browser.put(&self.stead(), &self.sam);
        browser
    }

    /// What the laptop's agent answers.
    fn agent(&self) -> impl Fn(&str) -> Option<String> + use<> {
        let (stead, device) = (self.stead(), agent_of(&self.laptop, [9; 32]));
        move |question| {
            let question = question.split('&').next().unwrap();
            Some(format!("http://{stead}/gate/device/back?shown={}", device.show(question, system_now())))
        }
    }

    /// A browser that has been let in.
    fn inside(&self) -> Browser {
        let mut browser = self.browser();
        self.goes_in(&mut browser, "/pay?month=3");
        browser
    }

    /// Goes to the application and in. What the gate remembers follows what was saved, within two seconds.
    fn goes_in(&self, browser: &mut Browser, path: &str) -> Page {
        let begun = Instant::now();
        loop {
            let page = browser.go(&format!("{}{path}", self.address()), &self.agent());
            if page.status == 200 {
                return page;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "{page:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks the application until the status is another, for at most some seconds; how long that took.
    fn until(&self, browser: &mut Browser, status: u16) -> Duration {
        let begun = Instant::now();
        while browser.ask(&self.address(), &[("accept", "application/json")]).status != status {
            assert!(begun.elapsed() < Duration::from_secs(10), "{:?}: never {status}", self.kind);
            std::thread::sleep(Duration::from_millis(2));
        }
        begun.elapsed()
    }

    fn asks_api(&mut self, browser: &mut Browser) -> Page {
        let address = self.address();
        browser.ask(&address, &[("accept", "application/json")])
    }
}

/// The agent on a device: it holds the same key.
fn agent_of(device: &SimDevice, seed: [u8; 32]) -> SimDevice {
    let enrolled = Enrolled {
        device: device.id,
        answer_key: device.answer_key.clone(),
        person: String::new(),
        owner: String::new(),
    };
    SimDevice::with_identity(seed, enrolled)
}

/// Good: in, and the application is told who. Not good any more: shut at once, with why and the way back. Mended: in
/// again without anybody's help.
fn lets_in_whoever_is_cleared(w: &mut World) {
    // Nobody yet: a program is told so, a browser is sent to sign in.
    let page = send_raw(
        w.proxy.port,
        format!("GET /pay HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", w.host()).as_bytes(),
    );
    assert_eq!(page.status, 401, "{page:?}");
    let mut stranger = Browser::default();
    let page = stranger.go_until(&w.address(), &|_| None, &|to| to.contains("/sign-in"));
    assert!(page.address.contains("/sign-in?to="), "{page:?}");
    assert_eq!(w.app.asked(), 0);

    // Enrolled and not heard yet: nothing is known, so nothing opens.
    let mut browser = w.browser();
    let page = browser.go(&w.address(), &w.agent());
    assert_eq!(page.status, 403);
    assert!(page.body.contains("has not told us how it is"), "{}", page.body);
    assert_eq!(w.app.asked(), 0);

    let facts = disk(true);
    w.report(&facts);
    let page = w.goes_in(&mut browser, "/pay?month=3&a=%2F");
    assert!(
        page.body.contains("GET /pay?month=3&a=%2F "),
        "the way leads on to where one wanted: {}",
        page.body
    );
    let told = page.body.to_ascii_lowercase();
    assert!(told.contains(&format!("stead-person: {}", w.sam_id)), "{told}");
    assert!(
        told.contains("stead-email: sam@stead.example") && told.contains("stead-name: sam %c3%96rtel"),
        "{told}"
    );
    assert!(told.contains(&format!("stead-device: {}", w.laptop.id)));

    // The rule costs at once here; the page says what, where and since when, and what opens it again.
    w.report(&disk(false));
    let took = w.until(&mut browser, 403);
    eprintln!("{:?}: shut {took:?} after the report was answered", w.kind);
    let before = w.app.asked();
    let refused = w.asks_api(&mut browser);
    let problem: Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!(problem["why"][0], json!({ "word": "device-rule", "rule": "disk-encrypted" }));
    let page = browser.go(&format!("{}/pay", w.address()), &w.agent());
    assert_eq!(page.status, 403, "{page:?}");
    for said in
        ["Personnel records", "sams-laptop", "/data", "exceptions/new?rule=disk-encrypted", "Look again"]
    {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert_eq!(w.app.asked(), before, "nothing of it reached the application");

    // Mended: looking again leads straight on.
    w.report(&disk(true));
    let again = page.body.split("href=\"/gate/device?look=1").nth(1).unwrap().split('"').next().unwrap();
    let again = format!(
        "http://{}/gate/device?look=1{}",
        w.stead(),
        again.replace("&amp;", "&").replace("&#38;", "&")
    );
    let page = browser.go(&again, &w.agent());
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("GET /pay "), "{}", page.body);

    // The home page, the API and the gate give one answer.
    let token = w.f.token(&w.sam.clone(), &["read", "own"]);
    let open = |w: &mut World| {
        let (_, me) = w.f.api("GET", "/api/v1/me", &token, &Value::Null);
        me["clearance"]["tiers"][2]["open"].as_bool().unwrap()
    };
    assert!(open(w));
    w.report(&disk(false));
    w.until(&mut browser, 403);
    assert!(!open(w));
    w.report(&disk(true));
    w.until(&mut browser, 200);

    // A session that ends, a device that is shut out.
    let coordinator = w.f.join("Cora Coordinator", "cora@stead.example", &["coordinator", "security"]).1;
    let (status, _) = w.f.client.post_form("/sign-out", &w.sam.clone(), &[]).unwrap();
    assert_eq!(status, 303);
    w.until(&mut browser, 401);
    w.sam = sign_in_again(w);
    let mut browser = w.inside();
    let look = format!("/people/{}/look", w.sam_id);
    w.f.client.post_form(&look, &coordinator, &[("purpose", "review")]).unwrap();
    let (status, said) =
        w.f.client.post_form(&format!("/devices/{}/revoke", w.laptop.id), &coordinator, &[]).unwrap();
    assert_eq!(status, 303, "{said}");
    let took = w.until(&mut browser, 403);
    eprintln!("{:?}: shut {took:?} after the device was shut out", w.kind);

    // The server away: refused, whatever one carries.
    w.f.server.kill();
    let before = w.app.asked();
    for _ in 0..5 {
        let page = w.asks_api(&mut browser);
        assert!(page.status >= 500 || page.status == 0, "{page:?}");
    }
    assert_eq!(w.app.asked(), before);
}

/// S30: the pass went on to the application, which could log it or use it elsewhere.
#[test]
fn s30_no_application_gets_the_pass() {
    for kind in [Kind::Nginx, Kind::Caddy, Kind::HaProxy] {
        let Some(mut w) = world(kind, None) else { return };
        w.report(&disk(true));
        let pass =
            format!("__Host-stead-pass={}", w.inside().cookie(&w.host(), "__Host-stead-pass").unwrap());
        for (sent, got) in [
            (pass.clone(), ""),
            (format!("a=1; {pass}"), "a=1"),
            (format!("{pass}; a=1; b=2"), "a=1; b=2"),
            (format!("a=1; {pass}; b=2"), "a=1; b=2"),
            (format!("a=1;{pass};b=2"), "a=1;b=2"),
            (format!("x__Host-stead-pass=1; {pass}"), "x__Host-stead-pass=1"),
        ] {
            let request = format!(
                "GET /pay HTTP/1.1\r\nHost: {}\r\nCookie: {sent}\r\nConnection: close\r\n\r\n",
                w.host()
            );
            let page = send_raw(w.proxy.port, request.as_bytes());
            assert_eq!(page.status, 200, "{kind:?}: {sent}: {page:?}");
            let cookies = page.body.lines().filter(|line| line.to_ascii_lowercase().starts_with("cookie:"));
            let cookies: Vec<&str> = cookies.map(|line| line[7..].trim()).collect();
            assert_eq!(cookies.join("").replace(' ', ""), got.replace(' ', ""), "{kind:?}: {sent}");
        }
    }
}

fn sign_in_again(w: &mut World) -> String {
    let link = w.f.server.admin(&["invite", "sam@stead.example", "--base-url", &w.f.server.url()]).unwrap();
    let path = link.strip_prefix(&w.f.server.url()).unwrap().to_owned();
    w.f.client.post_for_cookie(&path).unwrap().1.unwrap()
}

/// The pack with a rule that costs at once.
fn strict(w: &mut World) {
    publish(w, &[("rules/disk-encrypted.md", "grace = \"P3D\"", "grace = \"P0D\"")], None);
}

/// Publishes the pack with changes; with none of the rules about devices but those that are named.
fn publish(w: &mut World, changes: &[(&str, &str, &str)], keep: Option<&[&str]>) {
    let pack = w.f.folder.path().join("strict");
    copy_pack(&pack, &[&[("pack.toml", "version = 5", "version = 6")], changes].concat());
    if let Some(keep) = keep {
        keep_rules(&pack, keep);
    }
    let (_, author) = w.f.join("Pia Policy", "pia@stead.example", &["security"]);
    let (_, approver) = w.f.join("Ada Approver", "ada@stead.example", &["coordinator"]);
    let author_token = w.f.token(&author, &["read", "system", "people"]);
    w.f.publish(&pack, (&author, &author_token), &approver);
}

#[test]
fn rc_6_nginx_lets_in_whoever_is_cleared_on_sqlite() {
    let Some(mut w) = world(Kind::Nginx, None) else { return };
    strict(&mut w);
    lets_in_whoever_is_cleared(&mut w);
}

#[test]
fn rc_6_nginx_lets_in_whoever_is_cleared_on_postgres() {
    let Some(store) = postgres() else { return };
    let Some(mut w) = world(Kind::Nginx, Some(&store)) else { return };
    strict(&mut w);
    lets_in_whoever_is_cleared(&mut w);
}

#[test]
fn rc_6_caddy_lets_in_whoever_is_cleared() {
    let Some(mut w) = world(Kind::Caddy, None) else { return };
    strict(&mut w);
    lets_in_whoever_is_cleared(&mut w);
}

#[test]
fn rc_6_haproxy_lets_in_whoever_is_cleared() {
    let Some(mut w) = world(Kind::HaProxy, None) else { return };
    strict(&mut w);
    lets_in_whoever_is_cleared(&mut w);
}

/// Shapes of requests that try to come in without being let in: what is sent, and by what name.
fn hostile(host: &str, cookies: &[(&str, String)]) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: String, line: &str, headers: &[String]| {
        let lines: Vec<&str> = headers.iter().map(String::as_str).collect();
        let text = format!("{line}\r\n{}\r\n\r\n", lines.join("\r\n"));
        all.push((name, text.into_bytes()));
    };
    let own = |more: &[&str]| -> Vec<String> {
        let first = [format!("Host: {host}"), "Connection: close".to_owned()];
        first.into_iter().chain(more.iter().map(|line| (*line).to_owned())).collect()
    };
    // Headers by which something in front may say who it is, or what was asked; each in several spellings.
    let said = [
        "Stead-Person: 01a00000-0000-7000-8000-000000000000",
        "Stead-Email: sam@stead.example",
        "Stead-Device: 01a00000-0000-7000-8000-000000000000",
        "Stead-Name: Sam",
        "X-Forwarded-User: sam",
        "X-Forwarded-Email: sam@stead.example",
        "X-Auth-Request-User: sam",
        "Remote-User: sam",
        "X-Remote-User: sam",
        "X-Original-URI: /.stead/records/start",
        "X-Original-URI: /gate/auth/records",
        "X-Original-URL: /public",
        "X-Rewrite-URL: /public",
        "X-Forwarded-Uri: /.stead/records/start",
        "X-Forwarded-Method: OPTIONS",
        "X-Forwarded-Host: localhost",
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Proto: https",
        "X-Real-IP: 127.0.0.1",
        "Forwarded: for=127.0.0.1;host=localhost",
        "Authorization: Bearer stead_x",
        "Authorization: Basic c2FtOnNhbQ==",
        "Proxy-Authorization: Basic c2FtOnNhbQ==",
        "X-HTTP-Method-Override: OPTIONS",
        "X-Method-Override: HEAD",
        "X-HTTP-Method: CONNECT",
        "X-Accel-Redirect: /",
        "X-Sendfile: /etc/passwd",
        "X-Accel-Internal: /",
        "Upgrade: websocket",
        "Upgrade: h2c",
        "Expect: 100-continue",
        "Range: bytes=0-",
        "If-None-Match: *",
        "Via: 1.1 stead",
        "CF-Connecting-IP: 127.0.0.1",
        "True-Client-IP: 127.0.0.1",
        "X-Stead-Auth: 204",
        "Client-Cert: :MIIB:",
        "Status: 204",
    ];
    for header in said {
        let (name, value) = header.split_once(": ").unwrap();
        let spelt = [
            header.to_owned(),
            format!("{}: {value}", name.to_lowercase()),
            format!("{}: {value}", name.to_uppercase()),
            format!("{}: {value}", name.replace('-', "_")),
            format!("{name}:{value}\r\n{name}: other"),
            format!("{name} : {value}"),
        ];
        for one in spelt {
            add(format!("header {one:?}"), "GET /pay HTTP/1.1", &own(&[&one]));
        }
    }
    // Headers that ask the proxy to drop what it sets.
    for dropped in [
        "Stead-Person",
        "Stead-Device, Stead-Email",
        "Cookie",
        "Host",
        "Content-Length",
        "Authorization",
        "X-Original-URI",
    ] {
        for wrap in ["close, {}", "{}", "keep-alive, {}", "upgrade, {}"] {
            let line = format!("Connection: {}", wrap.replace("{}", dropped));
            add(format!("hop {line}"), "GET /pay HTTP/1.1", &[format!("Host: {host}"), line]);
        }
    }
    // Paths that a proxy and the server may read in two ways.
    for path in [
        "/.stead/",
        "/.stead",
        "/.stead/auth",
        "/.stead/../pay",
        "/.stead/..;/pay",
        "/.stead/%2e%2e/pay",
        "/.stead/records/../../pay",
        "/.stead/records/start/../../../pay",
        "/.stead%2f..%2fpay",
        "/.stead/%2e%2e%2fpay",
        "//pay",
        "///pay",
        "/./pay",
        "/x/../pay",
        "/x/..%2fpay",
        "/%2e/pay",
        "/pay%00",
        "/pay%0d%0aX: y",
        "/pay;a=b",
        "/pay?x=/.stead/records/start",
        "/pay#/.stead/",
        "/.Stead/records/start/pay",
        "/.stead/records/start%2f..%2f..%2f..%2fpay",
        "/gate/auth/records",
        "/gate/auth/records/../../pay",
        "/assets/../pay",
        "/healthz",
        "/\\pay",
        "/.stead\\..\\pay",
        "/pay/.stead/records/start",
        "/pay/..%5c.stead/",
        "/.stead/records/enter?ticket=x&to=/pay",
        "/.stead/records/enter?ticket=&to=//evil.example",
        "/.stead/records/enter",
        "/%252e%252e/pay",
        "/pay/.",
        "/pay/..",
        "*",
        "http://localhost/pay",
        "http://127.0.0.1/pay",
        "/.well-known/../pay",
        "/a/b/../../../pay",
        "/%2f%2fpay",
    ] {
        for line in
            [format!("GET {path} HTTP/1.1"), format!("GET {path} HTTP/1.0"), format!("POST {path} HTTP/1.1")]
        {
            add(format!("path {line}"), &line, &own(&[]));
        }
    }
    // Methods, and words that are none.
    for method in [
        "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "GET\t",
        "PRI", "ANY", "X",
    ] {
        add(format!("method {method}"), &format!("{method} /pay HTTP/1.1"), &own(&[]));
    }
    // Bodies whose length can be read in two ways.
    for (name, lines) in [
        ("two lengths", &["Content-Length: 0", "Content-Length: 5"][..]),
        ("length and chunks", &["Content-Length: 5", "Transfer-Encoding: chunked"]),
        ("chunks twice", &["Transfer-Encoding: chunked", "Transfer-Encoding: identity"]),
        ("strange chunks", &["Transfer-Encoding: xchunked"]),
        ("chunks in a list", &["Transfer-Encoding: chunked, identity"]),
        ("negative length", &["Content-Length: -1"]),
        ("length with a sign", &["Content-Length: +0"]),
        ("folded header", &["X-A: b", " Stead-Person: x"]),
        ("bare name", &["Stead-Person"]),
        ("empty name", &[": Stead-Person"]),
        (
            "long header",
            &["X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
        ),
    ] {
        add(format!("body {name}"), "POST /pay HTTP/1.1", &own(lines));
    }
    // Other hosts, none, and several.
    for hosts in [
        &["Host: localhost"][..],
        &["Host: 127.0.0.1"],
        &["Host: evil.example"],
        &["Host: "],
        &[],
        &["Host: evil.example", "Host: records.localhost"],
        &["Host: records.localhost, evil.example"],
        &["Host: records.localhost@evil.example"],
        &["Host: RECORDS.LOCALHOST."],
        &["Host: records.localhost:1"],
        &["Host: records.localhost", "X-Forwarded-Host: evil.example"],
    ] {
        let mut lines: Vec<String> = hosts.iter().map(|line| (*line).to_owned()).collect();
        lines.push("Connection: close".to_owned());
        add(format!("host {hosts:?}"), "GET /pay HTTP/1.1", &lines);
    }
    // Cookies that are nearly right, and each in places where another may be read first.
    for (name, value) in cookies {
        for line in [
            format!("Cookie: __Host-stead-pass={value}"),
            format!("Cookie: __host-stead-pass={value}"),
            format!("Cookie: a=b; __Host-stead-pass={value}"),
            format!("Cookie: __Host-stead-pass={value}; __Host-stead-pass={value}"),
            format!("Cookie: __Host-stead-pass=\"{value}\""),
            format!("Cookie: __Host-stead-pass={value}\r\nCookie: __Host-stead-pass=x"),
        ] {
            add(format!("cookie {name}: {line}"), "GET /pay HTTP/1.1", &own(&[&line]));
        }
    }
    all
}

/// Through the proxy none of them comes in; the application hears of none.
fn refuses_whatever_is_sent(kind: Kind) {
    let Some(mut w) = world(kind, None) else { return };
    w.report(&disk(true));
    let browser = w.inside();
    let good = browser.cookie(&w.host(), "__Host-stead-pass").unwrap();
    let fields: Vec<&str> = good.split('.').collect();
    let with = |place: usize, value: &str| {
        let mut fields = fields.clone();
        fields[place] = value;
        fields.join(".")
    };
    let cookies = [
        ("empty", String::new()),
        ("nonsense", "x".to_owned()),
        ("without a mark", fields[..4].join(".")),
        ("another application", with(0, "wiki")),
        ("another session", with(1, "01a00000-0000-7000-8000-000000000000")),
        ("another device", with(2, "01a00000-0000-7000-8000-000000000000")),
        ("a longer time", with(3, "9999999999999")),
        ("another mark", with(4, &"A".repeat(43))),
        ("an empty mark", with(4, "")),
        ("one more field", format!("{good}.x")),
        ("very long", good.repeat(40)),
        ("the session itself", w.sam.split_once('=').unwrap().1.to_owned()),
    ];
    let before = w.app.asked();
    let all = hostile(&w.host(), &cookies);
    assert!(all.len() >= 300, "{}", all.len());
    for (name, request) in &all {
        let page = send_raw(w.proxy.port, request);
        // Caddy answers for a host that it does not serve with 200 and nothing.
        let in_ = (200..300).contains(&page.status) && !page.body.is_empty();
        assert!(!in_, "{kind:?}: {name}: {page:?}");
        assert_eq!(w.app.asked(), before, "{kind:?}: {name} reached the application: {page:?}");
    }
    eprintln!("{kind:?}: {} shapes, none let in", all.len());
    // Whoever is let in cannot be somebody else by saying so.
    let request = format!(
        "GET /pay HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nStead-Person: other\r\nstead_person: other\r\n\
         STEAD-EMAIL: other\r\nConnection: close, Stead-Person\r\n\r\n",
        w.host(),
        browser.header(&w.host())
    );
    let page = send_raw(w.proxy.port, request.as_bytes());
    assert_eq!(page.status, 200, "{page:?}");
    let told = page.body.to_ascii_lowercase();
    assert!(!told.contains("other"), "{told}");
    assert!(told.contains(&format!("stead-person: {}", w.sam_id)), "{told}");
    // What they send with a request is the application's alone, and nothing of it stays behind in a connection to the
    // gate, where it would be read as the next question.
    let body = "GET /gate/auth/records HTTP/1.1\r\nHost: x\r\n\r\n";
    for _ in 0..20 {
        let request = format!(
            "POST /pay HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            w.host(),
            browser.header(&w.host()),
            body.len()
        );
        let begun = Instant::now();
        let page = send_raw(w.proxy.port, request.as_bytes());
        assert!(page.status == 200 && page.body.ends_with(body), "{kind:?}: {page:?}");
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{kind:?}: the gate waits for what is not sent to it"
        );
        let stranger = format!(
            "POST /pay HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            w.host(),
            body.len()
        );
        let page = send_raw(w.proxy.port, stranger.as_bytes());
        assert_eq!(page.status, 401, "{kind:?}: {page:?}");
    }
}

#[test]
fn rc_6_nginx_refuses_whatever_is_sent() {
    refuses_whatever_is_sent(Kind::Nginx);
}

#[test]
fn rc_6_caddy_refuses_whatever_is_sent() {
    refuses_whatever_is_sent(Kind::Caddy);
}

#[test]
fn rc_6_haproxy_refuses_whatever_is_sent() {
    refuses_whatever_is_sent(Kind::HaProxy);
}

/// What is asked for by a proxy that hands on whatever is not yes (Traefik): never 2xx but for who is let in.
#[test]
fn rc_6_the_door_leads_on_whom_it_does_not_let_in() {
    let Some(mut w) = world(Kind::Nginx, None) else { return };
    strict(&mut w);
    w.report(&disk(true));
    let mut browser = w.inside();
    let (at, cookies) = (w.f.server.address.port(), browser.header(&w.host()));
    let ask = |application: &str, more: &str| {
        let head = format!(
            "GET /gate/door/{application} HTTP/1.1\r\nHost: x\r\nX-Forwarded-Uri: /pay?a=b\r\nConnection: close\r\n{more}\r\n"
        );
        send_raw(at, head.as_bytes())
    };
    let html = "Accept: text/html\r\n";
    let page = ask("records", &format!("Cookie: {cookies}\r\n{html}"));
    assert_eq!((page.status, page.header("stead-person")), (204, Some(w.sam_id.as_str())), "{page:?}");
    let page = ask("records", html);
    let to = page.header("location").unwrap_or_default().to_owned();
    assert!(
        page.status == 303 && to.contains("/gate/enter/records") && to.contains("to=%2Fpay%3Fa%3Db"),
        "{page:?}"
    );
    assert_eq!(ask("records", "").status, 401, "a program");
    assert_eq!(ask("other", html).status, 404);
    w.report(&disk(false));
    // What the gate remembers follows what was saved.
    w.until(&mut browser, 403);
    let page = ask("records", &format!("Cookie: {cookies}\r\n{html}"));
    let to = page.header("location").unwrap_or_default();
    assert!(page.status == 303 && to.contains("/gate/refused/records"), "{page:?}");
    assert_eq!(ask("records", &format!("Cookie: {cookies}\r\n")).status, 403, "a program");
}

/// Proofs that are expired, used twice, or another's are refused, each with its own reason in the log, and nothing of
/// what was sent there.
#[test]
fn rc_6_proofs_are_good_once_for_one_browser_on_one_device() {
    let Some(mut w) = world(Kind::Nginx, None) else { return };
    w.report(&disk(true));
    let enter = format!("{}/pay", w.address());
    let stead = w.stead();
    let refused = |page: &Page| {
        assert!(
            page.status == 403 || page.header("location").is_some_and(|to| to.contains("/gate/device?to=")),
            "{page:?}"
        )
    };
    let mut secrets: Vec<String> = Vec::new();

    // The question of this browser's session, answered twice.
    let mut browser = w.browser();
    let asked = browser.go_until(&enter, &|_| None, &|_| false);
    let question = asked.address.split_once("question=").unwrap().1.to_owned();
    let shown = w.laptop.show(&question, system_now());
    let back = |shown: &str| format!("http://{stead}/gate/device/back?shown={shown}");
    let first = browser.clone().ask(&back(&shown), &[]);
    assert!(first.header("location").is_some_and(|to| to.starts_with("/gate/enter/")), "{first:?}");
    refused(&browser.clone().ask(&back(&shown), &[]));
    w.f.until("the log says so", |f| f.server.log().contains("replayed"));
    secrets.extend([question.clone(), shown]);

    // Answered by somebody else's device.
    let code = w.f.server.admin(&["enrol-code", "Toni Test"]).unwrap();
    let other = SimDevice::enrol(&mut w.f.client, [8; 32], &code, "tonis-laptop", system_now()).unwrap();
    let fresh = |w: &World| {
        let mut browser = w.browser();
        let asked = browser.go_until(&enter, &|_| None, &|_| false);
        (browser, asked.address.split_once("question=").unwrap().1.to_owned())
    };
    let (mut browser, question) = fresh(&w);
    let shown = other.show(&question, system_now());
    refused(&browser.ask(&back(&shown), &[]));
    w.f.until("the log says so", |f| f.server.log().contains("stolen"));
    secrets.extend([question, shown]);

    // Another browser's question: a session of Sam's that was begun elsewhere.
    let (_, question) = fresh(&w);
    let elsewhere = sign_in_again(&mut w);
    let mut thief = Browser::default();
    thief.put(&w.stead(), &elsewhere);
    let shown = w.laptop.show(&question, system_now());
    let page = thief.ask(&back(&shown), &[]);
    refused(&page);
    secrets.extend([question, shown]);

    // Signed with a key of nobody, by a clock that is far off, and not at all.
    let (mut browser, question) = fresh(&w);
    let forged = agent_of(&w.laptop, [7; 32]).show(&question, system_now());
    refused(&browser.ask(&back(&forged), &[]));
    w.f.until("the log says so", |f| f.server.log().contains("not marked by this server"));
    let late = w.laptop.show(&question, system_now().plus(-3_600_000));
    refused(&browser.ask(&back(&late), &[]));
    w.f.until("the log says so", |f| f.server.log().contains("expired"));
    refused(&browser.ask(&back("x"), &[]));
    w.f.until("the log says so", |f| f.server.log().contains("malformed"));
    secrets.extend([question, forged, late]);

    // A ticket is good once, and in the browser that began alone.
    let mut browser = w.browser();
    let ticket = browser.go_until(&enter, &w.agent(), &|to| to.contains("/.stead/records/enter?ticket="));
    let mut thief = Browser::default();
    assert_eq!(thief.ask(&ticket.address, &[]).status, 403);
    let page = browser.clone().ask(&ticket.address, &[]);
    assert_eq!(page.header("location"), Some("/pay"), "{page:?}");
    assert_eq!(browser.clone().ask(&ticket.address, &[]).status, 403);
    secrets.push(ticket.address.split("ticket=").nth(1).unwrap().split('&').next().unwrap().to_owned());

    let log = w.f.server.log();
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret}");
    }
}

/// One run with the real agent on a computer of its own: let in through nginx; a disk that is not encrypted is
/// plugged in, and the gate is shut within two seconds without anybody pressing anything; the person sees why; it is
/// taken out, and they are in again.
#[test]
fn rc_6_a_disk_that_is_plugged_in_shuts_the_gate_and_taking_it_out_opens_it() {
    let door = port();
    let Some(mut w) = world_at(Kind::Nginx, None, door) else { return };
    let Some(mut laptop) = Machine::start(None, &[]) else { return };
    publish(
        &mut w,
        &[("rules/disk-encrypted.md", "grace = \"P3D\"", "grace = \"P0D\"")],
        Some(&["disk-encrypted", "device-is-ours"]),
    );
    let code = w.f.server.admin(&["enrol-code", "Sam Örtel"]).unwrap();
    laptop.enrol(&w.f.server.url(), &code);
    laptop.start_agent(door);
    let agent = |question: &str| Some(format!("http://127.0.0.1:{door}/device?question={question}"));
    let mut browser = w.browser();
    let address = format!("{}/pay", w.address());
    let mut page = browser.clone().go(&address, &agent);
    w.f.until("the agent is there", |_| {
        page = browser.clone().go(&address, &agent);
        page.body.contains("the application was asked")
    });
    browser.go(&address, &agent);
    assert!(page.body.contains("stead-device: ") || page.body.contains("Stead-Device: "), "{page:?}");

    // `cargo xtask bench change` asks for more.
    let rounds = std::env::var("STEAD_ROUNDS").ok().and_then(|many| many.parse().ok()).unwrap_or(5);
    let (mut shut, mut opened) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        // With what it takes to plug it in.
        let begun = Instant::now();
        laptop.plug_in();
        w.until(&mut browser, 403);
        shut.push(begun.elapsed());
        let begun = Instant::now();
        laptop.pull_out();
        w.until(&mut browser, 200);
        opened.push(begun.elapsed());
    }
    for (what, times) in
        [("disk plugged in to gate shut", &mut shut), ("disk taken out to gate open", &mut opened)]
    {
        times.sort();
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_millis();
        let (median, p99, most) = (at(50), at(99), at(100));
        eprintln!("{what}, {rounds} times: median {median} ms, p99 {p99} ms, most {most} ms");
    }
    assert!(shut.iter().all(|time| *time < Duration::from_secs(10)));

    laptop.plug_in();
    w.until(&mut browser, 403);
    let page = browser.go(&address, &agent);
    assert_eq!(page.status, 403);
    assert!(page.body.contains("/data") && page.body.contains("Encrypt"), "{}", page.body);
    // The gate is shut before the agent has the answer.
    w.f.until("the agent knows", |_| {
        let status = String::from_utf8(laptop.stead(&["status"]).stdout).unwrap();
        status.contains("Part of your work is closed") && status.contains("restricted   closed")
    });
    laptop.pull_out();
    // Looking again asks the agent, and leads straight on.
    let again =
        format!("http://{}/gate/device?look=1&to=%2Fgate%2Frefused%2Frecords%3Fto%3D%252Fpay", w.stead());
    let page = browser.go(&again, &agent);
    assert_eq!(page.status, 200, "{page:?}");
    w.f.until("the agent knows", |_| {
        let status = String::from_utf8(laptop.stead(&["status"]).stdout).unwrap();
        status.contains("Everything is open to you")
    });
    assert!(laptop.said().contains("something has changed: mounts"), "{}", laptop.said());
}

/// What is done beside the server, by the command line on the same store, shuts the gate as well.
#[test]
fn rc_6_what_is_done_beside_the_server_counts() {
    let mut stores = vec![None];
    stores.extend(postgres().map(Some));
    for store in stores {
        let Some(mut w) = world(Kind::Nginx, store.as_deref()) else { return };
        w.report(&disk(true));
        let mut browser = w.inside();
        w.f.server.admin(&["revoke-device", &w.laptop.id.to_string()]).unwrap();
        let took = w.until(&mut browser, 403);
        eprintln!("{store:?}: shut {took:?} after the command was done");
    }
}

/// Bytes of a connection as they come, and whether it has ended.
struct Runs(std::sync::mpsc::Receiver<usize>);

impl Runs {
    /// Begins with a request through the proxy.
    fn begin(w: &World, browser: &Browser, path: &str, more: &str) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", w.proxy.port)).unwrap();
        let cookies = browser.header(&w.host());
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookies}\r\n{more}\r\n", w.host());
        stream.write_all(request.as_bytes()).unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                if tell.send(read).is_err() {
                    return;
                }
            }
        });
        Self(told)
    }

    /// Whether it goes on for as long as this.
    fn goes_on(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while Instant::now() < until {
            if self.0.recv_timeout(Duration::from_secs(2)).is_err() {
                return false;
            }
        }
        true
    }

    /// Waits until it has ended; how long that took.
    fn ended(&self) -> Duration {
        let begun = Instant::now();
        while self.0.recv_timeout(Duration::from_secs(20)).is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it was never cut");
        }
        begun.elapsed()
    }
}

/// What runs on after it was let in ends when it would not be let in any more.
#[test]
fn rc_6_what_runs_is_cut_when_the_device_is_not_let_in_any_more() {
    for kind in [Kind::Nginx, Kind::Caddy, Kind::HaProxy] {
        let Some(mut w) = world(kind, None) else { return };
        strict(&mut w);
        let relay = Relay::start(w.f.server.address, w.app.address);
        w.proxy.lead_to(kind, w.f.server.address, relay.address);
        w.report(&disk(true));
        let mut browser = w.inside();
        let page = browser.ask(&w.address(), &[]);
        assert!(page.body.contains("the application was asked"), "{page:?}");
        assert!(page.body.to_lowercase().contains(&format!("stead-person: {}", w.sam_id)), "{page:?}");
        assert!(!page.body.contains("stead-pass"), "the pass is not the application's: {page:?}");

        let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let socket = Runs::begin(&w, &browser, "/socket", upgrade);
        let download = Runs::begin(&w, &browser, "/long", "Connection: close\r\n");
        assert!(
            socket.goes_on(Duration::from_secs(3)) && download.goes_on(Duration::from_secs(1)),
            "{kind:?}"
        );
        w.report(&disk(false));
        let times = (socket.ended(), download.ended());
        eprintln!("{kind:?}: cut after {times:?}");
        assert!(times.0 < Duration::from_secs(3) && times.1 < Duration::from_secs(3), "{kind:?}: {times:?}");

        // A browser's word that goes round the proxy is none.
        let asked = w.app.asked();
        let head = format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nStead-Person: {}\r\nConnection: close\r\n\r\n",
            w.host(),
            w.sam_id
        );
        assert_eq!(send_raw(relay.address.port(), head.as_bytes()).status, 401);
        assert_eq!(w.app.asked(), asked);

        // When the gate cannot be asked, what runs ends too.
        w.report(&disk(true));
        w.until(&mut browser, 200);
        let download = Runs::begin(&w, &browser, "/long", "Connection: close\r\n");
        assert!(download.goes_on(Duration::from_secs(2)));
        w.f.server.kill();
        eprintln!("{kind:?}: cut {:?} after the end of the server", download.ended());
    }
}

/// Two people whom the policy names come in while it is not known whether they may, by their word and with a record;
/// nobody else does, and nobody against what is known.
#[test]
fn rc_6_two_named_people_break_the_glass() {
    let Some(mut w) = world(Kind::Nginx, None) else { return };
    let rule = "[break_glass]\npeople = [\"sam@stead.example\", \"ada@stead.example\"]\n\
                tier = \"restricted\"\nlasts = \"PT5M\"\n\n[exceptions]";
    publish(
        &mut w,
        &[
            ("pack.toml", "[exceptions]", rule),
            ("rules/disk-encrypted.md", "grace = \"P3D\"", "grace = \"P0D\""),
        ],
        Some(&["disk-encrypted", "device-is-ours"]),
    );
    // Who is named can do more than before: a session that began with a link ended, and they sign in once more.
    let mut signed_out = w.browser();
    let page = signed_out.go(&format!("{}/pay", w.address()), &w.agent());
    assert!(page.address.contains("/sign-in"), "{}", page.address);
    let link = w.f.server.url();
    let arguments = ["sign-in-link", "--email", "sam@stead.example", "--base-url", &link];
    let link = w.f.server.admin(&arguments).unwrap();
    let path = link.strip_prefix(&w.f.server.url()).unwrap().to_owned();
    w.sam = w.f.client.post_for_cookie(&path).unwrap().1.unwrap();
    // Toni's laptop is not known any better, and Toni is not named.
    let (_, toni) = w.f.join("Toni Test", "toni@stead.example", &[]);
    let code = w.f.server.admin(&["enrol-code", "Toni Test"]).unwrap();
    let other = SimDevice::enrol(&mut w.f.client, [8; 32], &code, "tonis-laptop", system_now()).unwrap();
    let mut of_toni = Browser::default();
    of_toni.put(&w.stead(), &toni);
    let stead = w.stead();
    let agent = move |question: &str| {
        Some(format!("http://{stead}/gate/device/back?shown={}", other.show(question, system_now())))
    };
    let page = of_toni.go(&w.address(), &agent);
    assert_eq!(page.status, 403);
    assert!(page.address.contains("/gate/refused/"), "{}", page.address);

    let mut browser = w.browser();
    let page = browser.go(&format!("{}/pay", w.address()), &w.agent());
    assert!(page.status == 200 && page.address.contains("/gate/glass/records?to="), "{page:?}");
    assert!(page.body.contains("Come in all the same") && page.body.contains("5 minutes"), "{}", page.body);
    let stead = w.stead();
    let cookies = [browser.header(&stead), of_toni.header(&stead)];
    let post = |w: &mut World, cookies: &str, reason: &str| {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("cookie", cookies)];
        let path = "/gate/glass/records?to=%2Fpay";
        w.f.client.send("POST", path, &headers, &format!("reason={reason}")).unwrap()
    };
    assert_eq!(post(&mut w, &cookies[1], "outage").0, 403, "whoever is not named");
    assert_eq!(post(&mut w, "", "outage").0, 403, "nobody");
    assert_eq!(post(&mut w, &cookies[0], "boredom").0, 400);
    let (status, said) = post(&mut w, &cookies[0], "outage");
    assert!(status == 200 && said.contains(&format!("url={}/pay", w.address())), "{status} {said}");
    let page = browser.go(&format!("{}/pay", w.address()), &w.agent());
    assert!(page.status == 200 && page.body.contains("the application was asked"), "{page:?}");
    assert!(w.f.page("/ledger").contains("Glass broken at the gate"));

    // What is known counts as for anybody.
    w.report(&disk(false));
    w.until(&mut browser, 403);
    w.report(&disk(true));
    w.until(&mut browser, 200);
    // S32: nor is it broken ahead of time, with nothing against whoever does.
    let cookies = browser.header(&w.stead());
    assert_eq!(post(&mut w, &cookies, "outage").0, 403);
}

/// What curl got: status, head and body.
struct Got {
    status: u16,
    head: String,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.head.lines().filter_map(|line| line.split_once(':'));
        all.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The value of a cookie that was set.
    fn cookie(&self, name: &str) -> String {
        let set = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut set =
            set.filter(|(found, _)| found.eq_ignore_ascii_case("set-cookie")).map(|(_, value)| value);
        let value = set.find_map(|value| value.strip_prefix(name)?.strip_prefix('=')).unwrap();
        format!("{name}={}", value.split(';').next().unwrap())
    }
}

/// Asks for a path of the application over TLS, with a certificate where one is given.
fn over_tls(port: u16, trust: &str, certificate: Option<&Path>, path: &str, headers: &[&str]) -> Got {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--http1.1", "--include", "--cacert", trust]);
    curl.args(["--resolve", &format!("records.localhost:{port}:127.0.0.1")]);
    headers.iter().for_each(|header| {
        curl.args(["--header", header]);
    });
    certificate.iter().for_each(|file| {
        curl.arg("--cert").arg(file);
    });
    let out = curl.arg(format!("https://records.localhost:{port}{path}")).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Got { status, head: head.to_owned(), body: body.to_owned() }
}

/// The folder of an agent that is this device.
fn agents_folder(f: &Fleet, name: &str, device: &SimDevice, seed: [u8; 32]) -> PathBuf {
    let folder = f.folder.path().join(name);
    fs::create_dir(&folder).unwrap();
    let identity = json!({
        "device": device.id, "server": f.server.url(), "answer_key": device.answer_key,
        "person": "Sam Örtel", "owner": "organisation",
    });
    fs::write(folder.join("identity.json"), identity.to_string()).unwrap();
    fs::write(folder.join("device.key"), stead_model::seal::hex(&seed)).unwrap();
    folder
}

/// With `certificates = true` a pass opens the application on a connection with its device's certificate, and nowhere
/// else; the agent need not be asked by the browser.
fn takes_the_devices_certificate(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let front = port();
    let file = folder.path().join("gate.toml");
    let text = format!(
        "[[application]]\nname = \"records\"\ntitle = \"Personnel records\"\ncertificates = true\n\
         url = \"https://records.localhost:{front}\"\ntier = \"restricted\"\n\
         [[application]]\nname = \"wiki\"\ntitle = \"Wiki\"\nurl = \"http://wiki.localhost:1\"\ntier = \"open\"\n"
    );
    fs::write(&file, text).unwrap();
    let more = ["--gate".to_owned(), file.to_str().unwrap().to_owned()];
    let mut f = Fleet::start_with(folder, None, &more);
    let app = Application::start();
    let tls = Tls::new(f.server.data().join("certificates.pem"));
    let Some(_proxy) = Proxy::start_with(kind, front, f.server.address, app.address, Some(&tls)) else {
        return;
    };
    let (_, sam) = f.join("Sam Örtel", "sam@stead.example", &[]);
    f.join("Toni Other", "toni@stead.example", &[]);
    let mut laptops = Vec::new();
    for (n, whose) in [(11, "Sam Örtel"), (12, "Sam Örtel"), (13, "Toni Other")] {
        let code = f.server.admin(&["enrol-code", whose]).unwrap();
        let mut device =
            SimDevice::enrol(&mut f.client, [n; 32], &code, &format!("laptop-{n}"), system_now()).unwrap();
        let report = device.report(&disk(true), system_now());
        f.post(&report).unwrap();
        // The agent on it has a certificate made.
        let folder = agents_folder(&f, &format!("agent-{n}"), &device, [n; 32]);
        let stead = Command::new(program("stead").unwrap())
            .args(["--state", folder.to_str().unwrap(), "certificate"])
            .output()
            .unwrap();
        assert!(stead.status.success(), "{}", String::from_utf8_lossy(&stead.stderr));
        assert!(String::from_utf8_lossy(&stead.stdout).contains("good until"));
        laptops.push((device, folder.join("certificate.pem")));
    }
    let trust = tls.both();
    let html = "Accept: text/html";
    let ask = |certificate: Option<&Path>, path: &str, headers: &[&str]| {
        over_tls(front, &trust, certificate, path, headers)
    };
    let (mine, others) = (laptops[0].1.as_path(), laptops[1].1.as_path());

    // The way in: the connection has shown the device, so nothing asks for it.
    let begun = ask(Some(mine), "/pay?month=3", &[html]);
    assert_eq!(begun.status, 303, "{}", begun.head);
    let to = begun.header("location").unwrap().to_owned();
    assert!(to.contains("&on="), "{to}");
    let stead = format!("http://localhost:{}", f.server.address.port());
    let mut browser = Browser::default();
    browser.put(stead.strip_prefix("http://").unwrap(), &sam);
    let path = to.split_once("/gate/enter/").unwrap().1;
    let ticket = browser.ask(&format!("{stead}/gate/enter/{path}"), &[]);
    let to = ticket.header("location").unwrap().to_owned();
    let step = to.split_once(&format!(":{front}")).unwrap().1;
    let given = ask(Some(mine), step, &[html, &format!("Cookie: {}", begun.cookie("__Host-stead-begun"))]);
    assert_eq!((given.status, given.header("location")), (303, Some("/pay?month=3")), "{}", given.head);
    let pass = format!("Cookie: {}", given.cookie("__Host-stead-pass"));

    let page = ask(Some(mine), "/pay?month=3", &[&pass]);
    assert_eq!(page.status, 200, "{}", page.head);
    assert!(page.body.to_ascii_lowercase().contains(&format!("stead-device: {}", laptops[0].0.id)));
    let asked = app.asked();

    // Copied to a browser elsewhere, with no certificate, another device's, or one that is only said.
    let bare = ask(None, "/pay", &[&pass]);
    assert_eq!(bare.status, 403);
    let problem: Value = serde_json::from_str(&bare.body).unwrap();
    assert_eq!(problem["why"], json!([{ "word": "no-certificate", "rule": null }]));
    assert_eq!(ask(Some(others), "/pay", &[&pass]).status, 401, "another device's certificate");
    let tonis = ask(Some(&laptops[2].1), "/pay", &[&pass]);
    assert_eq!(tonis.status, 403, "somebody else's: no way leads round to it");
    let der = fs::read_to_string(mine).unwrap();
    let inner = der.split_once("-----BEGIN CERTIFICATE-----").unwrap().1;
    let inner: String = inner.lines().filter(|line| !line.starts_with("-----")).collect();
    for said in [
        format!("Client-Cert: :{inner}:"),
        format!("client-cert: :{inner}:"),
        format!("Client_Cert: :{inner}:"),
    ] {
        assert_eq!(ask(None, "/pay", &[&pass, &said]).status, 403, "{said}");
        let step = ask(None, "/.stead/records/start", &[html, &said]);
        assert!(!step.header("location").unwrap().contains("&on="), "{said}: {}", step.head);
    }
    // A proxy of the kind that hands on what browsers send is not believed about certificates.
    for (path, status) in [("auth", 204), ("door", 403)] {
        let head = format!(
            "GET /gate/{path}/records HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{pass}\r\nClient-Cert: :{inner}:\r\n\r\n"
        );
        assert_eq!(send_raw(f.server.address.port(), head.as_bytes()).status, status, "{path}");
    }
    // Said to the server itself, it leads to the application alone that asks for the real one with each request.
    let head = format!(
        "GET /.stead/records/start HTTP/1.1\r\nHost: x\r\n{html}\r\nConnection: close\r\nClient-Cert: :{inner}:\r\n\r\n"
    );
    let said = send_raw(f.server.address.port(), head.as_bytes());
    let query = said.header("location").unwrap().split_once('?').unwrap().1.to_owned();
    assert!(query.contains("&on="), "{query}");
    let mut elsewhere = Browser::default();
    elsewhere.put(stead.strip_prefix("http://").unwrap(), &sam);
    let entered = elsewhere.ask(&format!("{stead}/gate/enter/wiki?{query}"), &[]);
    assert!(entered.header("location").unwrap().starts_with("/gate/device?"), "{}", entered.head);
    let entered = elsewhere.ask(&format!("{stead}/gate/enter/records?{query}"), &[]);
    assert!(entered.header("location").unwrap().contains("/enter?ticket="), "{}", entered.head);
    let entered = elsewhere.ask(&format!("{stead}/gate/enter/wiki?{query}"), &[]);
    assert!(entered.header("location").unwrap().starts_with("/gate/device?"), "no other is opened by it");
    // One that nobody here has certified ends at the proxy.
    let strange = ask(Some(Path::new(&trust)), "/pay", &[&pass]);
    assert!(![200, 303].contains(&strange.status), "{}", strange.head);
    assert_eq!(app.asked(), asked, "none of it reached the application");

    // The page says what is missing, and does not lead on to the application that refused.
    let refused = ask(None, "/pay", &[&pass, html]);
    let to = refused.header("location").unwrap().to_owned();
    let device = agent_of(&laptops[0].0, [11; 32]);
    let page = browser.go(&to, &|question| {
        let question = question.split('&').next().unwrap();
        Some(format!("{stead}/gate/device/back?shown={}", device.show(question, system_now())))
    });
    assert_eq!(page.status, 403, "{page:?}");
    assert!(page.body.contains("did not show that it comes from"), "{}", page.body);
    let again = format!("href=\"https://records.localhost:{front}/pay\"");
    assert!(page.body.contains(&again), "looking again is another connection: {}", page.body);

    // Shut out: the certificate is nothing any more, at once.
    f.server.admin(&["revoke-device", &laptops[0].0.id.to_string()]).unwrap();
    let begun = Instant::now();
    while ask(Some(mine), "/pay", &[&pass]).status == 200 {
        assert!(begun.elapsed() < Duration::from_secs(5), "never shut");
    }
    let after = ask(Some(mine), "/pay", &[&pass]);
    let problem: Value = serde_json::from_str(&after.body).unwrap();
    assert_eq!(problem["why"][0]["word"], "revoked");
    let log = f.server.log();
    assert!(log.contains("stolen") && log.contains("no-certificate"), "{log}");
    assert!(!log.contains(&inner[..40]), "the log holds none of what was sent");
}

#[test]
fn rc_6_nginx_takes_the_devices_certificate() {
    takes_the_devices_certificate(Kind::Nginx);
}

#[test]
fn rc_6_caddy_takes_the_devices_certificate() {
    takes_the_devices_certificate(Kind::Caddy);
}

#[test]
fn rc_6_haproxy_takes_the_devices_certificate() {
    takes_the_devices_certificate(Kind::HaProxy);
}

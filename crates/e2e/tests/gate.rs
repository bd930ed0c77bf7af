//! The gate, through real proxies with the configurations that the book gives.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use stead_e2e::{
    Fleet, copy_pack, postgres,
    proxy::{Application, Browser, Kind, Page, Proxy, port, send_raw},
    system_now,
};
use stead_model::{Fact, Facts, fact::Field, message::Enrolled};
use stead_testkit::{SimDevice, device::good_facts_at};

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
    let folder = tempfile::tempdir().unwrap();
    let front = port();
    let file = folder.path().join("gate.toml");
    let text = format!(
        "[[application]]\nname = \"records\"\ntitle = \"Personnel records\"\n\
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
        let page = browser.go(&format!("{}/pay?month=3", self.address()), &self.agent());
        assert_eq!(page.status, 200, "{page:?}");
        browser
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
    let page = browser.go(&format!("{}/pay?month=3&a=%2F", w.address()), &w.agent());
    assert_eq!(page.status, 200, "{page:?}");
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

fn sign_in_again(w: &mut World) -> String {
    let link = w.f.server.admin(&["invite", "sam@stead.example", "--base-url", &w.f.server.url()]).unwrap();
    let path = link.strip_prefix(&w.f.server.url()).unwrap().to_owned();
    w.f.client.post_for_cookie(&path).unwrap().1.unwrap()
}

/// The pack with a rule that costs at once.
fn strict(w: &mut World) {
    let pack = w.f.folder.path().join("strict");
    copy_pack(
        &pack,
        &[
            ("pack.toml", "version = 3", "version = 4"),
            ("rules/disk-encrypted.md", "grace = \"P3D\"", "grace = \"P0D\""),
        ],
    );
    let (_, author) = w.f.join("Pia Policy", "pia@stead.example", &["security"]);
    let (_, approver) = w.f.join("Ada Approver", "ada@stead.example", &["coordinator"]);
    let author_token = w.f.token(&author, &["read", "system", "people"]);
    let approver_token = w.f.token(&approver, &["read", "system", "people"]);
    w.f.publish(&pack, (&author, &author_token), &approver_token);
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

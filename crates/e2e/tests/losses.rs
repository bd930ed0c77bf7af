//! A loss from end to end: told on a phone, every door tried, the certificate, and what comes back; with a real agent
//! in a tunnel, an application behind nginx, and a real browser.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::{Value, json};
use stead_e2e::{
    Fleet,
    office::{Flow, OFFICE, Records, World},
    on_both, read_pdf, system_now,
};
use stead_model::loss::{LOST, Lost};
use stead_testkit::{SimDevice, device::good_facts_at, program};

fn no_browser() -> bool {
    let there =
        folder().join("node_modules/playwright-core").is_dir() && Path::new("/usr/bin/chromium").exists();
    if !there {
        assert!(std::env::var_os("STEAD_TEST_ALL").is_none(), "no browser; `cargo xtask test` installs one");
        eprintln!("skipped: no browser; `cargo xtask test` installs one where it may");
    }
    !there
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser")
}

fn walk(arguments: &[&str]) {
    let mut walk = Command::new("node");
    walk.arg("lost.mjs").args(arguments).current_dir(folder());
    walk.args(std::env::var_os("STEAD_SCREENS"));
    let walked = walk.output().unwrap();
    let said = [walked.stdout, walked.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    eprintln!("{said}");
    assert!(walked.status.success(), "{said}");
}

/// The code of a new wallet card.
fn card(f: &mut Fleet, cookie: &str) -> String {
    let (status, page) = f.client.post_form("/me/card", cookie, &[]).unwrap();
    assert_eq!(status, 200, "{page}");
    let start = page.find("id=\"code\">").unwrap() + "id=\"code\">".len();
    page[start..].chars().take_while(|c| *c != '<').collect()
}

/// The scripted run: lost on a phone-sized browser, every door verified shut, the certificate, never gone after all,
/// restored; then lost in earnest, heard, forgotten, found, and enrolled anew.
#[test]
fn rc_2_a_loss_told_on_a_phone_shuts_every_door() {
    if no_browser() {
        return;
    }
    let Some(mut w) = World::start() else { return };
    w.connected();
    let mut records = Records::of(&w);
    assert_eq!(records.go().status, 200);
    let sam = w.sam.clone();
    let token = w.f.token(&sam, &["read", "own"]);
    let code = card(&mut w.f, &sam);
    let (_, security) = w.f.join("Sasha Security", "sasha@stead.example", &["security"]);
    let security = w.f.token(&security, &["read", "own", "devices"]);
    let there = w.laptop.stead(&["lost"]);
    let name = String::from_utf8(there.stdout).unwrap();
    let name = name.lines().nth(1).unwrap().split_whitespace().next().unwrap().to_owned();

    // Practice first, from the computer itself: nothing is shut.
    let practised = w.laptop.stead(&["lost", &name, "--practice"]);
    let said = String::from_utf8(practised.stdout).unwrap();
    assert!(practised.status.success() && said.contains("This was practice"), "{said}");
    assert_eq!(records.status(), 200);
    assert!(w.reaches(OFFICE));

    // Told on a phone. The computer is shut at that moment, and will not be heard for a while.
    let flow = Flow::begin(&w, OFFICE);
    let url = w.f.server.url();
    let base = format!("http://localhost:{}", w.f.server.address.port());
    let (watch, begun, said) = (records.watch(), w.f.now(), Instant::now());
    walk(&["tell", &base, &code, &name]);
    let (shut, stopped) = (watch.join().unwrap(), flow.ended(said));
    w.laptop.stop_agent();
    let answer = w.f.api("GET", "/api/v1/losses", &security, &Value::Null).1;
    let loss = answer["items"][0]["id"].as_str().unwrap().to_owned();
    let whole = w.f.api("GET", &format!("/api/v1/losses/{loss}"), &security, &Value::Null).1;
    // The API tells whole seconds.
    let told_at = whole["loss"]["told_at"].as_str().unwrap().parse::<Timestamp>().unwrap().as_millisecond();
    let last = begun.0 + i64::try_from(stopped.as_millis()).unwrap();
    eprintln!(
        "told within the second {told_at}; refused {} ms, the last packet {} ms after its begin",
        shut - told_at,
        last - told_at
    );
    assert!(shut - told_at < 2_000 && last - told_at < 3_000);

    // Every door, tried.
    assert!([401, 403].contains(&records.status()), "the application");
    assert!(!w.reaches(OFFICE), "the tunnel");
    let (status, _) = w.f.client.get("/home", &sam).unwrap();
    assert_eq!((status, w.f.client.location()), (303, Some("/sign-in?to=%2Fhome")), "the session");
    assert_eq!(w.f.api("GET", "/api/v1/me", &token, &Value::Null).0, 401, "the token");
    let doors: Vec<(&str, &str)> = whole["doors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|door| (door["door"].as_str().unwrap(), door["is"].as_str().unwrap()))
        .collect();
    for door in ["gate", "tunnel", "sessions", "tokens", "links"] {
        assert!(doors.contains(&(door, "shut")), "{door}: {doors:?}");
    }
    assert!(doors.contains(&("agent", "waits")), "{doors:?}");
    assert_eq!(whole["encrypted"], "yes", "{whole}");
    certificate(&mut w.f, &loss, &security, &name);

    // It was in the other bag: undone on the phone by its person, and everything works again.
    let link =
        w.f.server.admin(&["sign-in-link", "--email", "sam@stead.example", "--base-url", &base]).unwrap();
    walk(&["undo", &base, &link, &loss]);
    w.laptop.start_agent(w.door);
    w.until("the tunnel leads there again", |w| w.reaches(OFFICE));
    let link =
        w.f.server.admin(&["sign-in-link", "--email", "sam@stead.example", "--base-url", &url]).unwrap();
    let (status, again) = w.f.client.post_for_cookie(link.strip_prefix(&url).unwrap()).unwrap();
    assert_eq!(status, 303);
    w.sam = again.unwrap();
    let mut records = Records::of(&w);
    assert_eq!(records.go().status, 200, "in again, with a new session");
    assert_eq!(w.f.client.get("/home", &sam).unwrap().0, 303, "the old one stays ended");

    // Lost in earnest, told by the card from another computer. It is heard: it locks itself and forgets its keys.
    let outside = tempfile::tempdir().unwrap();
    let told = Command::new(program("stead").unwrap())
        .args(["--state", outside.path().to_str().unwrap(), "lost", &name, "--server", &url, "--card", &code])
        .args(["--says", "Left in a taxi"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(told.stdout).unwrap();
    assert!(told.status.success() && said.contains("is reported lost since"), "{said}");
    w.laptop.stop_agent();
    w.laptop.start_agent(w.door);
    w.until("it has forgotten its keys", |w| !w.laptop.has("state/device.key"));
    assert!(!w.laptop.has("state/identity.json") && !w.laptop.has("state/places.json"));
    let status = w.laptop.stead(&["status"]);
    let said = String::from_utf8(status.stdout).unwrap();
    assert!(status.status.code() == Some(3) && said.contains("was reported lost"), "{said}");
    assert!(!w.reaches(OFFICE));
    let list = w.f.api("GET", "/api/v1/losses", &security, &Value::Null).1;
    let second = list["items"].as_array().unwrap().iter().find(|one| one["state"] == "open").unwrap().clone();
    let path = format!("/api/v1/losses/{}", second["id"].as_str().unwrap());
    let until = Instant::now() + Duration::from_secs(20);
    let whole = loop {
        let whole = w.f.api("GET", &path, &security, &Value::Null).1;
        if whole["loss"]["obeyed_at"].is_string() || Instant::now() > until {
            break whole;
        }
        thread::sleep(Duration::from_millis(200));
    };
    let kinds: Vec<&str> =
        whole["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    // Nothing locks screens on this computer, and it says so rather than that they are locked.
    assert_eq!(kinds, ["told", "heard", "forgot"], "{whole}");

    // Found, looked at, let in: with its keys gone that takes a new code, on purpose.
    let back = json!({ "how": "let-in", "words": "The taxi driver brought it; seals unbroken" });
    let (status, said) = w.f.api("POST", &format!("{path}/return"), &security, &back);
    assert_eq!(status, 204, "{said}");
    let code = w.f.server.admin(&["enrol-code", "Sam Örtel"]).unwrap();
    w.laptop.stop_agent();
    w.laptop.enrol(&url, &code);
    w.laptop.start_agent(w.door);
    w.connected();
    assert_eq!(Records::of(&w).go().status, 200);
    w.f.verify_ledger();
}

/// The certificate says what it is for, and is tagged for screen readers.
fn certificate(f: &mut Fleet, loss: &str, token: &str, name: &str) {
    let bearer = format!("Bearer {token}");
    let path = format!("/api/v1/losses/{loss}/certificate.pdf");
    let headers = [("authorization", bearer.as_str()), ("stead-purpose", "incident")];
    let (status, pdf) = f.client.get_bytes_with(&path, &headers).unwrap();
    assert_eq!(status, 200);
    let Some(read) = read_pdf(&pdf) else { return };
    let text = read["text"].as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    for says in
        [name, "Yes, every disk", "Applications and check-ins", "Shut", "loss.told", "On the 8:12 train"]
    {
        assert!(text.contains(says), "{says}: {text}");
    }
}

on_both! {
    rc_2_a_loss_is_one_transaction_and_its_steps_have_their_people
}

/// The same on both stores, by programs alone: told for somebody by whoever takes the call.
fn rc_2_a_loss_is_one_transaction_and_its_steps_have_their_people(f: &mut Fleet) {
    let (id, sam) = f.join("Sam Walker", "sam@stead.example", &[]);
    let (_, coordinator) = f.join("Cora Coordinator", "cora@stead.example", &["coordinator"]);
    let coordinator = f.token(&coordinator, &["read", "own", "devices"]);
    let own = f.token(&sam, &["read", "own"]);
    let code = f.server.admin(&["enrol-code", "Sam Walker"]).unwrap();
    let mut laptop = SimDevice::enrol(&mut f.client, [8; 32], &code, "sams-laptop", system_now()).unwrap();
    let facts = good_facts_at(f.now());
    f.report_as(&mut laptop, &facts);

    let told = json!({ "device": laptop.id, "stolen": true, "noticed_minutes_ago": 90, "words": "Called from a friend’s phone" });
    let path = format!("/api/v1/people/{id}/losses");
    let (status, whole) = f.api("POST", &path, &coordinator, &told);
    assert_eq!(status, 201, "{whole}");
    assert_eq!(
        f.api("GET", "/api/v1/me", &own, &Value::Null).0,
        401,
        "the token of whoever lost it has ended"
    );
    let (again, same) = f.api("POST", &path, &coordinator, &told);
    assert_eq!((again, &same["loss"]["id"]), (201, &whole["loss"]["id"]));

    // It speaks: only itself learns what it is to do.
    let report = laptop.report(&facts, f.now());
    let (status, body) = f.client.post("/api/v1/check-ins", &stead_testkit::device::text(&report)).unwrap();
    assert_eq!(status, 200, "{body}");
    let sealed: stead_model::seal::Envelope = serde_json::from_str(&body).unwrap();
    let key = stead_model::seal::VerifyingKey::from_text(&laptop.answer_key).unwrap();
    let order: Lost = serde_json::from_slice(sealed.open(LOST, &key).unwrap().bytes()).unwrap();
    assert_eq!(order.device, laptop.id);

    // Each step by whom it belongs to, then the end.
    let loss = format!("/api/v1/losses/{}", whole["loss"]["id"].as_str().unwrap());
    let (status, sam) = {
        let link =
            f.server.admin(&["sign-in-link", "--email", "sam@stead.example", "--base-url", &f.server.url()]);
        let link = link.unwrap();
        f.client.post_for_cookie(link.strip_prefix(&f.server.url()).unwrap()).unwrap()
    };
    assert_eq!(status, 303);
    let own = f.token(&sam.unwrap(), &["read", "own"]);
    let step = |step: &str, risk: &str| json!({ "step": step, "words": "Reference 4711 of the police", "risk": risk });
    assert_eq!(f.api("POST", &format!("{loss}/steps"), &own, &step("triage", "none")).0, 403);
    assert_eq!(f.api("POST", &format!("{loss}/steps"), &own, &step("police", "")).0, 204);
    let names = f.api("GET", &loss, &coordinator, &Value::Null).1["steps"].as_array().unwrap().clone();
    for name in names.iter().map(|one| one["name"].as_str().unwrap()).filter(|name| *name != "police") {
        let (status, said) = f.api("POST", &format!("{loss}/steps"), &coordinator, &step(name, "unlikely"));
        assert_eq!(status, 204, "{name}: {said}");
    }
    let closed = f.api("GET", &loss, &coordinator, &Value::Null).1;
    assert_eq!(
        (&closed["loss"]["state"], &closed["risk"]),
        (&json!("closed"), &json!("unlikely")),
        "{closed}"
    );
    let page = f.page("/ledger");
    assert!(page.contains("Loss reported: computer") && page.contains("Loss closed"), "{page}");

    // Told more than an hour late: the rule sees it.
    f.until("it was judged", |f| {
        let (_, overview) = f.api("GET", "/api/v1/overview", &coordinator, &Value::Null);
        overview["rules"]["losses-told-at-once"]["fail"] == 1
    });
    f.verify_ledger();
}

/// Everything that people see of losses.
#[test]
fn rc_2_the_loss_desk_walks_in_a_real_browser() {
    if no_browser() {
        return;
    }
    let mut f = Fleet::start(None);
    let base = format!("http://localhost:{}", f.server.address.port());
    let mut links = serde_json::Map::new();
    for (name, email, role) in
        [("sam", "sam@stead.example", None), ("security", "sasha@stead.example", Some("security"))]
    {
        let display = format!("{}{} Walker", name[..1].to_uppercase(), &name[1..]);
        let mut add = vec!["add-person", &display, "--email", email];
        add.extend(role.map_or(vec![], |role| vec!["--role", role]));
        f.server.admin(&add).unwrap();
        links
            .insert(name.to_owned(), f.server.admin(&["invite", email, "--base-url", &base]).unwrap().into());
    }
    let code = f.server.admin(&["enrol-code", "Sam Walker"]).unwrap();
    let mut laptop = SimDevice::enrol(&mut f.client, [9; 32], &code, "work-laptop", system_now()).unwrap();
    let facts = good_facts_at(f.now());
    f.report_as(&mut laptop, &facts);
    walk(&["pages", &base, &Value::from(links).to_string()]);
}

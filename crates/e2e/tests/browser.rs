//! Every page in a real browser, at two widths, light and dark, by keyboard, with axe.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use stead_e2e::{Fleet, copy_pack, keep_rules, machine::Machine, proxy, system_now};
use stead_model::{
    Fact, Facts,
    fact::{Field, Record},
};
use stead_testkit::{Server, SimDevice, device::good_facts_at};

/// Runs a walk; whether there is a browser to do it with.
fn walk(script: &str, arguments: &[&str]) {
    let mut walk = Command::new("node");
    walk.arg(script).args(arguments).current_dir(folder());
    if let Some(shots) = std::env::var_os("STEAD_SCREENS") {
        walk.arg(shots);
    }
    let walked = walk.output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&walked.stdout), String::from_utf8_lossy(&walked.stderr));
    eprintln!("{said}");
    assert!(walked.status.success(), "{said}");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser")
}

fn no_browser() -> bool {
    let there =
        folder().join("node_modules/playwright-core").is_dir() && Path::new("/usr/bin/chromium").exists();
    if !there {
        assert!(std::env::var_os("STEAD_TEST_ALL").is_none(), "no browser; `cargo xtask test` installs one");
        eprintln!("skipped: no browser; `cargo xtask test` installs one where it may");
    }
    !there
}

/// What people see, each with their own eyes.
#[test]
fn people_walk_in_a_real_browser() {
    if no_browser() {
        return;
    }
    let mut f = Fleet::start(None);
    let base = format!("http://localhost:{}", f.server.address.port());
    let mut links = BTreeMap::new();
    for (name, email, roles) in [
        ("sam", "sam@stead.example", &[][..]),
        ("new", "new@stead.example", &[][..]),
        ("manager", "morgan@stead.example", &["manager"][..]),
        ("security", "sasha@stead.example", &["security"][..]),
        ("auditor", "alex@stead.example", &["auditor"][..]),
        ("operator", "olga@stead.example", &["operator"][..]),
        ("records", "rory@stead.example", &["records"][..]),
    ] {
        let display = format!("{}{} Walker", name[..1].to_uppercase(), &name[1..]);
        let mut add = vec!["add-person", &display, "--email", email];
        roles.iter().for_each(|role| add.extend(["--role", role]));
        f.server.admin(&add).unwrap();
        links.insert(name, f.server.admin(&["invite", email, "--base-url", &base]).unwrap());
    }
    let code = f.server.admin(&["enrol-code", "Sam Walker"]).unwrap();
    let mut laptop = SimDevice::enrol(&mut f.client, [9; 32], &code, "work-laptop", system_now()).unwrap();
    let facts = with_a_clear_disk(&f);
    f.report_as(&mut laptop, &facts);
    links.insert("device", format!("/devices/{}", laptop.id));
    walk("people.mjs", &[&base, &serde_json::to_string(&links).unwrap()]);
}

/// The sample organisation, smaller than the one that is shown, with pages that are full.
#[test]
fn the_sample_walks_in_a_real_browser() {
    if no_browser() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("server");
    let made = Command::new(stead_testkit::program("stead-sample").unwrap())
        .args(["--people", "60", "--devices", "90", "--days", "45", "--data"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let again = Command::new(stead_testkit::program("stead-sample").unwrap())
        .arg("--data")
        .arg(&data)
        .output()
        .unwrap();
    assert!(!again.status.success(), "nothing is put among what is there");
    let server = Server::start(&data, None).unwrap();
    let base = format!("http://localhost:{}", server.address.port());
    let links: BTreeMap<&str, String> = ["teleworker", "manager", "security", "auditor", "operator"]
        .into_iter()
        .map(|who| {
            let email = format!("{who}@sample.example");
            (who, server.admin(&["sign-in-link", "--base-url", &base, "--email", &email]).unwrap())
        })
        .collect();
    walk("sample.mjs", &[&base, &serde_json::to_string(&links).unwrap()]);
}

/// An application behind the gate, on a computer with a real agent: in unnoticed, refused with why, in again.
#[test]
fn the_gate_walks_in_a_real_browser() {
    if no_browser() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (front, door) = (proxy::port(), proxy::port());
    let file = folder.path().join("gate.toml");
    let text = format!(
        "agent_port = {door}\n[[application]]\nname = \"records\"\ntitle = \"Personnel records\"\n\
         url = \"http://records.localhost:{front}\"\ntier = \"restricted\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let more = ["--gate".to_owned(), file.to_str().unwrap().to_owned()];
    let mut f = Fleet::start_with(folder, None, &more);
    let pack = f.folder.path().join("strict");
    copy_pack(
        &pack,
        &[
            ("pack.toml", "version = 5", "version = 6"),
            ("rules/disk-encrypted.md", "grace = \"P3D\"", "grace = \"P0D\""),
        ],
    );
    keep_rules(&pack, &["disk-encrypted", "device-is-ours"]);
    let (_, author) = f.join("Pia Policy", "pia@stead.example", &["security"]);
    let (_, approver) = f.join("Ada Approver", "ada@stead.example", &["coordinator"]);
    let author_token = f.token(&author, &["read", "system", "people"]);
    f.publish(&pack, (&author, &author_token), &approver);
    let app = proxy::Application::start();
    let Some(_proxy) = proxy::Proxy::start(proxy::Kind::Nginx, front, f.server.address, app.address) else {
        return;
    };
    f.server.admin(&["add-person", "Sam Walker", "--email", "sam@stead.example"]).unwrap();
    let base = format!("http://localhost:{}", f.server.address.port());
    let link = f.server.admin(&["invite", "sam@stead.example", "--base-url", &base]).unwrap();
    let Some(mut laptop) = Machine::start(None, &[]) else { return };
    let code = f.server.admin(&["enrol-code", "Sam Walker"]).unwrap();
    laptop.enrol(&f.server.url(), &code);
    laptop.start_agent(door);
    f.until("the agent has checked in", |_| laptop.said().contains("checked in"));
    // What happens to the computer while the browser looks.
    let commands = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("http://{}", commands.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in commands.incoming().flatten() {
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            match line.split(' ').nth(1).unwrap() {
                "/bad" => laptop.plug_in(),
                "/good" => laptop.pull_out(),
                _ => laptop.stop_agent(),
            }
            // The agent notices within two seconds; the walk is about the pages.
            std::thread::sleep(std::time::Duration::from_secs(3));
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        }
    });
    walk("gate.mjs", &[&base, &format!("http://records.localhost:{front}"), &link, &at, &door.to_string()]);
}

/// One of the two people whom the policy names comes in while it is not known whether they may; the operator sees what
/// stands behind the gate.
#[test]
fn the_glass_is_broken_in_a_real_browser() {
    if no_browser() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (front, door) = (proxy::port(), TcpListener::bind("127.0.0.1:0").unwrap());
    let file = folder.path().join("gate.toml");
    std::fs::write(folder.path().join("secret"), "0123456789abcdef0123456789abcdef").unwrap();
    let text = format!(
        "agent_port = {}\n[[application]]\nname = \"records\"\ntitle = \"Personnel records\"\n\
         url = \"http://records.localhost:{front}\"\ntier = \"restricted\"\n\
         [[tunnel]]\nname = \"office\"\ntitle = \"Office network\"\nendpoint = \"vpn.example.org:51820\"\n\
         key = \"HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=\"\nsecret_file = \"{}\"\n\
         addresses = \"10.90.0.0/16\"\nnetwork = [{{ to = \"10.20.0.0/16\", tier = \"standard\" }}]\n",
        door.local_addr().unwrap().port(),
        folder.path().join("secret").display()
    );
    std::fs::write(&file, text).unwrap();
    let more = ["--gate".to_owned(), file.to_str().unwrap().to_owned()];
    let mut f = Fleet::start_with(folder, None, &more);
    let pack = f.folder.path().join("glass");
    let rule = "[break_glass]\npeople = [\"sam@stead.example\", \"ada@stead.example\"]\n\
                tier = \"restricted\"\nlasts = \"PT1H\"\n\n[exceptions]";
    copy_pack(&pack, &[("pack.toml", "version = 5", "version = 6"), ("pack.toml", "[exceptions]", rule)]);
    let (_, author) = f.join("Pia Policy", "pia@stead.example", &["security"]);
    let (_, approver) = f.join("Ada Approver", "ada@stead.example", &["coordinator"]);
    let author_token = f.token(&author, &["read", "system", "people"]);
    f.publish(&pack, (&author, &author_token), &approver);
    let app = proxy::Application::start();
    let Some(_proxy) = proxy::Proxy::start(proxy::Kind::Nginx, front, f.server.address, app.address) else {
        return;
    };
    let base = format!("http://localhost:{}", f.server.address.port());
    let mut links = Vec::new();
    for (name, email, roles) in
        [("Sam Walker", "sam@stead.example", None), ("Olu Operator", "olu@stead.example", Some("operator"))]
    {
        let mut add = vec!["add-person", name, "--email", email];
        add.extend(roles.map_or(vec![], |role| vec!["--role", role]));
        f.server.admin(&add).unwrap();
        links.push(f.server.admin(&["invite", email, "--base-url", &base]).unwrap());
    }
    // A laptop that was enrolled and has not said how it is; what its agent would answer a browser.
    let code = f.server.admin(&["enrol-code", "Sam Walker"]).unwrap();
    let laptop = SimDevice::enrol(&mut f.client, [6; 32], &code, "sams-laptop", system_now()).unwrap();
    let back = format!("{base}/gate/device/back?shown=");
    std::thread::spawn(move || {
        for mut stream in door.incoming().flatten() {
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            let question = line.split("question=").nth(1).unwrap_or_default();
            let question = question.split(['&', ' ']).next().unwrap();
            let to = format!("{back}{}", laptop.show(question, system_now()));
            let answer = format!("HTTP/1.1 303 See Other\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    walk("glass.mjs", &[&base, &format!("http://records.localhost:{front}"), &links[0], &links[1]]);
}

/// Signing in with an account elsewhere, at a real issuer.
#[test]
fn people_sign_in_elsewhere_in_a_real_browser() {
    if no_browser() {
        return;
    }
    let port = || SocketAddr::from(([127, 0, 0, 1], stead_testkit::free_port().unwrap()));
    let (server_at, issuer_at) = (port(), port());
    let base = format!("http://localhost:{}", server_at.port());
    let back = format!("{base}/sign-in/outside/back");
    let mut issuer = Command::new("node")
        .args(["issuer.mjs", &issuer_at.port().to_string(), "stead", "a long secret of the client", &back])
        .current_dir(folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(issuer.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(said.any(|line| line == "ready"), "the issuer did not start");
    // It goes on talking, and would end where nobody listens.
    std::thread::spawn(move || said.for_each(drop));
    let data = tempfile::tempdir().unwrap();
    let secret = data.path().join("secret");
    std::fs::write(&secret, "a long secret of the client\n").unwrap();
    let more = [
        ("--oidc-issuer", format!("http://{issuer_at}")),
        ("--oidc-client", "stead".to_owned()),
        ("--oidc-secret-file", secret.to_string_lossy().into_owned()),
        ("--oidc-name", "Sample ID".to_owned()),
    ];
    let more: Vec<String> = more.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
    let program = stead_testkit::program("stead-server").unwrap();
    let server = Server::start_with(&program, &data.path().join("server"), None, server_at, &more).unwrap();
    server.admin(&["add-person", "Dana Demo", "--email", "dana@stead.example"]).unwrap();
    let walked = std::panic::catch_unwind(|| walk("outside.mjs", &[&base]));
    issuer.kill().unwrap();
    issuer.wait().unwrap();
    assert!(walked.is_ok(), "the walk failed");
}

fn with_a_clear_disk(f: &Fleet) -> Facts {
    let mut facts = good_facts_at(f.now());
    let volume = Record::from([
        ("mount".to_owned(), Field::from("/data")),
        ("encrypted".to_owned(), Field::from(false)),
        ("how".to_owned(), Field::from("not encrypted (ext4 on sdb1)")),
    ]);
    facts.insert("device.volumes".to_owned(), Fact::known(vec![volume], "/proc/self/mountinfo"));
    facts
}

#[test]
fn pages_walk_in_a_real_browser() {
    if no_browser() {
        return;
    }
    let mut f = Fleet::start(None);
    let mut facts = with_a_clear_disk(&f);
    facts.insert(
        "device.firewall.denies_inbound".to_owned(),
        Fact::unknown("only root may read the firewall rules in force", "nft"),
    );
    f.report(&facts);
    let mut second = f.enrol_another("laptop-2", "organisation");
    let good = good_facts_at(f.now());
    f.report_as(&mut second, &good);
    let link = f.server.admin(&["sign-in-link", "--base-url", &f.server.url()]).unwrap();
    walk("pages.mjs", &[&f.server.url(), &link]);
}

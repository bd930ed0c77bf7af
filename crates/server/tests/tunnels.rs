//! Tunnels: what a device is given, what their gates are told, and who is told nothing.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use std::{io::Write, time::Duration};

use serde_json::{Value, json};
use stead_model::{
    PersonId, UnitId,
    message::Enrolled,
    seal::{Envelope, VerifyingKey},
    time::{DAY, HOUR, MINUTE},
    tunnel::{Peers, PublicKey, TUNNEL_ASKED, TUNNEL_GIVEN, TunnelGiven},
};
use stead_server::{Config, flows::revoke, gate};
use stead_testkit::{SimDevice, device::text};
use support::TestServer;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Two tunnels; the first has room for few.
async fn server() -> TestServer {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::File::create(&secret).unwrap().write_all(SECRET.as_bytes()).unwrap();
    let tunnel = |name: &str, addresses: &str| {
        format!(
            "[[tunnel]]\nname = \"{name}\"\ntitle = \"The {name}\"\nendpoint = \"vpn.example.org:51820\"\n\
             key = \"HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=\"\nsecret_file = \"{}\"\n\
             addresses = \"{addresses}\"\nnetwork = [{{ to = \"10.20.0.0/16\", tier = \"standard\" }}, \
             {{ to = \"10.30.0.0/16\", tier = \"restricted\" }}]\n",
            secret.display()
        )
    };
    let file = folder.path().join("gate.toml");
    let both = [tunnel("office", "10.90.0.0/30"), tunnel("lab", "10.91.0.0/24")].concat();
    std::fs::write(&file, both).unwrap();
    TestServer::start_with(Config { gate: gate::Settings::read(&file).unwrap(), ..Config::default() }).await
}

fn key(n: u8) -> PublicKey {
    PublicKey([n; 32])
}

/// What the server says to a question; the problem's kind where it refuses.
async fn ask(s: &TestServer, envelope: &Envelope) -> Result<TunnelGiven, String> {
    let headers = [("content-type", "application/json")];
    let reply = s.send_with("POST", "/api/v1/tunnels", &headers, &text(envelope)).await;
    if reply.status != 200 {
        let kind = reply.json()["type"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        return Err(kind);
    }
    let sealed: Envelope = serde_json::from_value(reply.json()).unwrap();
    let answers = VerifyingKey::from_text(&s.app.keys.answers.public_text()).unwrap();
    Ok(serde_json::from_slice(sealed.open(TUNNEL_GIVEN, &answers).unwrap().bytes()).unwrap())
}

async fn peers_since(s: &TestServer, tunnel: &str, secret: &str, known: &str) -> Result<Peers, u16> {
    let bearer = format!("Bearer {secret}");
    let path = format!("/gate/tunnels/{tunnel}/peers{known}");
    let reply = s.send_with("GET", &path, &[("authorization", &bearer)], "").await;
    if reply.status == 200 { Ok(serde_json::from_value(reply.json()).unwrap()) } else { Err(reply.status) }
}

/// All peers, once there are as many; a server that has just begun does not know yet.
async fn peers(s: &TestServer, tunnel: &str, many: usize) -> Peers {
    for _ in 0..100 {
        match peers_since(s, tunnel, SECRET, "").await {
            Ok(peers) if peers.peers.len() == many => return peers,
            Ok(_) | Err(503) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(status) => unreachable!("{status}"),
        }
    }
    unreachable!("there were never {many} peers");
}

/// Somebody with a laptop that is in order.
async fn somebody(s: &TestServer, name: &str, seed: u8) -> (PersonId, SimDevice) {
    let person = s.person(name, UnitId::ORGANISATION).await;
    let laptop = s.sim_device(person, seed).await;
    (person, laptop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_let_in_is_given_a_way_and_its_gate_is_told() {
    let s = server().await;
    let (person, laptop) = somebody(&s, "Sam", 1).await;
    let now = s.app.now();
    let given = ask(&s, &laptop.ask_tunnel(None, key(1), now)).await.unwrap();
    assert_eq!((given.tunnel.as_str(), given.title.as_str()), ("office", "The office"));
    let way = given.way.unwrap();
    assert_eq!((way.address.to_string().as_str(), way.key_until), ("10.90.0.2/32", now.plus(DAY)));
    assert!(given.networks.iter().all(|network| network.closed.is_empty()), "{:?}", given.networks);
    let told = peers(&s, "office", 1).await;
    assert_eq!(told.peers[0].key, key(1));
    assert_eq!((told.peers[0].networks.as_slice(), told.all), ([0, 1].as_slice(), true));
    assert_eq!(told.address.to_string(), "10.90.0.1/30");
    assert!(peers(&s, "lab", 0).await.peers.is_empty(), "each tunnel has peers of its own");

    // A new key takes the place of the one before, at the same address; what has changed is told.
    s.pass(MINUTE);
    let again = ask(&s, &laptop.ask_tunnel(Some("office"), key(2), s.app.now())).await.unwrap();
    assert_eq!(again.way.unwrap().address, way.address);
    let since = format!("?run={}&n={}", told.turn.run, told.turn.n);
    let told = peers_since(&s, "office", SECRET, &since).await.unwrap();
    assert!(!told.all);
    assert_eq!((told.peers.len(), told.peers[0].key, told.gone), (1, key(2), vec![key(1)]));

    // The person sees it among what is held on them; the ledger knows that they came, and not how often.
    let session = s.sign_in(person).await;
    let record = s.get("/me/record.json", &session).await;
    assert!(record.body.contains("The office") && record.body.contains("10.90.0.2"), "{}", record.body);
    let about = format!("device:{}", laptop.id);
    let entries = s.app.store.ledger_newest(Some(&about), 1_000_000, 50).await.unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.kind == "tunnel.begun").count(), 1);

    // A key has its time.
    s.pass(DAY + MINUTE);
    s.app.gate.settled().await;
    peers(&s, "office", 0).await;

    // One that has not come for long gives its address to others.
    s.pass(7 * DAY);

    // What is shut out is gone, and its address is free.
    revoke::revoke(&s.app, laptop.id, "test").await.unwrap();
    let refused = ask(&s, &laptop.ask_tunnel(None, key(4), s.app.now())).await;
    assert_eq!(refused, Err("revoked-device".to_owned()));
    let (_, other) = somebody(&s, "Toni", 2).await;
    let given = ask(&s, &other.ask_tunnel(None, key(5), s.app.now())).await.unwrap();
    assert_eq!(given.way.unwrap().address.to_string(), "10.90.0.2/32");
    // There is room for one, and it is taken.
    let (_, third) = somebody(&s, "Kim", 3).await;
    assert_eq!(ask(&s, &third.ask_tunnel(None, key(6), s.app.now())).await, Err("unavailable".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_let_in_reads_why() {
    let s = server().await;
    let (_, laptop) = somebody(&s, "Sam", 1).await;
    s.pass(2 * HOUR + 30 * DAY);
    let given = ask(&s, &laptop.ask_tunnel(None, key(1), s.app.now())).await.unwrap();
    assert!(given.way.is_none());
    assert!(given.networks.iter().all(|network| network.closed[0].asks.contains("has not been heard since")));
    peers(&s, "office", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_are_not_the_devices_own_are_refused() {
    let s = server().await;
    let (_, laptop) = somebody(&s, "Sam", 1).await;
    let (_, other) = somebody(&s, "Toni", 2).await;
    let now = s.app.now();
    let good = laptop.ask_tunnel(Some("lab"), key(1), now);
    ask(&s, &good).await.unwrap();
    let of = |envelope: &Envelope| serde_json::to_value(envelope).unwrap();
    let made = |value: Value| serde_json::from_value::<Envelope>(value).unwrap();
    let mut named_other = of(&good);
    named_other["signatures"][0]["keyid"] = json!(other.id.to_string());
    let mut changed = of(&good);
    changed["payload"] = of(&laptop.ask_tunnel(Some("lab"), key(2), now))["payload"].clone();
    let speaks_for_other = laptop.seal(
        TUNNEL_ASKED,
        json!({ "v": 1, "device": other.id, "at": now, "key": key(3) }).to_string().as_bytes(),
    );
    let unknown = SimDevice::with_identity(
        [7; 32],
        Enrolled {
            device: stead_model::DeviceId::from_parts(now, [7; 10]),
            answer_key: String::new(),
            person: String::new(),
            owner: String::new(),
        },
    );
    let no_key = laptop.seal(
        TUNNEL_ASKED,
        json!({ "v": 1, "device": laptop.id, "at": now, "key": "AAAA" }).to_string().as_bytes(),
    );
    for (what, envelope, kind) in [
        ("another device's name", made(named_other), "bad-signature"),
        ("a payload that was changed", made(changed), "bad-signature"),
        ("another device's question", speaks_for_other, "bad-signature"),
        ("a message of another type", laptop.seal("application/json", b"{}"), "malformed"),
        ("an old question", laptop.ask_tunnel(Some("lab"), key(4), now.plus(-HOUR)), "clock-skew"),
        ("no key", no_key, "malformed"),
        ("a device that nobody knows", unknown.ask_tunnel(None, key(5), now), "unknown-device"),
        ("a tunnel that is not there", laptop.ask_tunnel(Some("cellar"), key(6), now), "not-found"),
        ("the question before the last", laptop.ask_tunnel(Some("lab"), key(7), now.plus(-1)), "conflict"),
        ("another device's key", other.ask_tunnel(Some("lab"), key(1), now), "conflict"),
    ] {
        assert_eq!(ask(&s, &envelope).await, Err(kind.to_owned()), "{what}");
    }
    assert_eq!(peers(&s, "lab", 1).await.peers[0].key, key(1), "nothing has changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_shows_its_secret() {
    let s = server().await;
    for (tunnel, secret) in
        [("office", ""), ("office", "wrong"), ("office", &SECRET[..31]), ("cellar", SECRET)]
    {
        assert_eq!(peers_since(&s, tunnel, secret, "").await, Err(401), "{tunnel} {secret}");
    }
    let reply = s.send_with("GET", "/gate/tunnels/office/peers", &[("authorization", SECRET)], "").await;
    assert_eq!(reply.status, 401, "a scheme is said");
    peers(&s, "office", 0).await;
    // What cannot be a turn is none.
    let bearer = format!("Bearer {SECRET}");
    let reply =
        s.send_with("GET", "/gate/tunnels/office/peers?n=-1", &[("authorization", &bearer)], "").await;
    assert_eq!(reply.status, 400);
}

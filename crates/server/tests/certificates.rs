//! Certificates for connections: who is given one, what it shows, and when it shows nothing any more.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use stead_model::{
    Millis, UnitId,
    certificate::{CERTIFICATE_ASKED, CERTIFICATE_GIVEN, CertificateAsked, CertificateGiven, proof},
    message::{ANSWER, Answer, VERSION},
    seal::{self, Envelope, VerifyingKey},
    time::{DAY, HOUR},
};
use stead_server::{
    Config,
    flows::{check_in::check_in, revoke},
    gate,
};
use stead_testkit::{
    SimDevice,
    device::{good_facts_at, text},
};
use support::TestServer;

async fn server(certificates: bool) -> TestServer {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gate.toml");
    let text = format!(
        "[[application]]\nname = \"records\"\ntitle = \"Records\"\nurl = \"https://records.example.org\"\n\
         tier = \"restricted\"\ncertificates = {certificates}\n"
    );
    std::fs::write(&file, text).unwrap();
    TestServer::start_with(Config { gate: gate::Settings::read(&file).unwrap(), ..Config::default() }).await
}

/// A question with a new key, which is changed before it is sealed.
fn question(device: &SimDevice, at: Millis, change: impl FnOnce(&mut CertificateAsked)) -> Envelope {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let signed = pair.sign(&SystemRandom::new(), proof(device.id, at).as_bytes()).unwrap();
    let mut asked = CertificateAsked {
        v: VERSION,
        device: device.id,
        at,
        key: STANDARD.encode(pair.public_key().as_ref()),
        proof: STANDARD.encode(signed),
    };
    change(&mut asked);
    device.seal(CERTIFICATE_ASKED, &serde_json::to_vec(&asked).unwrap())
}

/// What the server gives; the problem's kind where it refuses.
async fn ask(s: &TestServer, envelope: &Envelope) -> Result<CertificateGiven, String> {
    let headers = [("content-type", "application/json")];
    let reply = s.send_with("POST", "/api/v1/certificates", &headers, &text(envelope)).await;
    if reply.status != 200 {
        return Err(reply.json()["type"].as_str().unwrap().rsplit('/').next().unwrap().to_owned());
    }
    let sealed: Envelope = serde_json::from_value(reply.json()).unwrap();
    let answers = VerifyingKey::from_text(&s.app.keys.answers.public_text()).unwrap();
    Ok(serde_json::from_slice(sealed.open(CERTIFICATE_GIVEN, &answers).unwrap().bytes()).unwrap())
}

/// What the device is told of its certificates when it is heard.
async fn heard(s: &TestServer, device: &mut SimDevice) -> Option<bool> {
    let report = device.report(&good_facts_at(s.app.now()), s.app.now());
    let answer = check_in(&s.app, &text(&report)).await.unwrap();
    let answers = VerifyingKey::from_text(&s.app.keys.answers.public_text()).unwrap();
    let answer: Answer = serde_json::from_slice(answer.open(ANSWER, &answers).unwrap().bytes()).unwrap();
    answer.certified
}

fn fingerprint(given: &CertificateGiven) -> [u8; 32] {
    let inner: String = given.certificate.lines().filter(|line| !line.starts_with("-----")).collect();
    seal::sha256(&STANDARD.decode(inner).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_given_a_certificate_until_it_is_shut_out() {
    let s = server(true).await;
    let person = s.person("Sam", UnitId::ORGANISATION).await;
    let mut laptop = s.sim_device(person, 1).await;
    let now = s.app.now();
    s.app.gate.settled().await;
    assert_eq!(heard(&s, &mut laptop).await, Some(false));
    let mut given = Vec::new();
    for n in 0..5 {
        given.push(ask(&s, &question(&laptop, s.app.now(), |_| {})).await.unwrap());
        let soon = ask(&s, &question(&laptop, s.app.now().plus(n), |_| {})).await;
        assert_eq!(soon, Err("too-many".to_owned()), "one at a time");
        s.pass(10_000);
    }
    s.app.gate.settled().await;
    assert_eq!(heard(&s, &mut laptop).await, Some(true), "the device is told that it has one");
    assert_eq!(given[0].until, now.plus(14 * DAY));
    assert!(given[0].authority.contains("BEGIN CERTIFICATE"));
    s.app.gate.settled().await;
    let index = &s.app.gate.index;
    let knows = |n: usize, at: Millis| index.certified(&fingerprint(&given[n]), at) == Some(laptop.id);
    // A few go on beside the new one; those before do not.
    assert!(!knows(0, now) && (1..5).all(|n| knows(n, now)));
    assert!(!knows(4, given[4].until), "what has ended shows nothing");

    // The ledger knows, and the person sees it among what is held on them.
    let about = format!("device:{}", laptop.id);
    let entries = s.app.store.ledger_newest(Some(&about), 1_000_000, 50).await.unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.kind == "device.certified").count(), 5);
    let session = s.sign_in(person).await;
    let record = s.get("/me/record.json", &session).await;
    assert!(record.body.contains("Certificate for connections"), "{}", record.body);

    revoke::revoke(&s.app, laptop.id, "test").await.unwrap();
    s.app.gate.settled().await;
    assert!((1..5).all(|n| !knows(n, now)));
    assert_eq!(ask(&s, &question(&laptop, s.app.now(), |_| {})).await, Err("revoked-device".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_show_the_key_is_refused() {
    let s = server(true).await;
    let person = s.person("Sam", UnitId::ORGANISATION).await;
    let (laptop, other) = (s.sim_device(person, 1).await, s.sim_device(person, 2).await);
    let now = s.app.now();
    let refused = async |envelope: &Envelope| ask(&s, envelope).await.unwrap_err();
    let malformed = "malformed".to_owned();
    assert_eq!(refused(&question(&laptop, now, |asked| asked.proof.clear())).await, malformed);
    assert_eq!(refused(&question(&laptop, now, |asked| asked.key = "AAAA".to_owned())).await, malformed);
    assert_eq!(refused(&question(&laptop, now, |asked| asked.proof = "A".repeat(4_000))).await, malformed);
    // A key that another device showed for itself, or this one a while ago.
    let theirs = proof(other.id, now);
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let signed = STANDARD.encode(pair.sign(&SystemRandom::new(), theirs.as_bytes()).unwrap());
    let point = STANDARD.encode(pair.public_key().as_ref());
    let stolen = question(&laptop, now, |asked| (asked.key, asked.proof) = (point, signed));
    assert_eq!(refused(&stolen).await, malformed);
    assert_eq!(refused(&question(&laptop, now.plus(-HOUR), |_| {})).await, "clock-skew");
    assert_eq!(refused(&question(&laptop, now, |asked| asked.device = other.id)).await, "bad-signature");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_asks_for_certificates_none_is_given() {
    let s = server(false).await;
    let person = s.person("Sam", UnitId::ORGANISATION).await;
    let laptop = s.sim_device(person, 1).await;
    assert_eq!(ask(&s, &question(&laptop, s.app.now(), |_| {})).await, Err("not-found".to_owned()));
    assert!(s.app.gate.authority.is_none() && !s.app.data.join("certificates.key").exists());
}

//! Each kind of bad input gets its own problem and changes nothing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests: what cannot go on must stop")]

use std::thread;

use stead_e2e::{Fleet, on_both, system_now};
use stead_model::{
    DeviceId, Fact,
    message::{Answer, DELIVERY, Delivery, REPORT, VERSION},
    problem::{Kind, Problem},
    time::{DAY, HOUR, MINUTE},
};
use stead_testkit::{
    Client, SimDevice,
    device::{digest_of, good_facts_at, text},
};

on_both! {
    every_bad_message_has_its_own_problem
    every_bad_enrolment_has_its_own_problem
    a_replay_gets_the_earlier_answer
    what_waited_is_taken_later_in_order
    sixty_four_uses_of_a_code_enrol_one_device
    pages_refuse_strangers_and_other_sites
}

fn kind(problem: &Problem) -> Kind {
    Kind::from_type(&problem.kind).unwrap_or_else(|| panic!("{problem:?}"))
}

fn every_bad_message_has_its_own_problem(f: &mut Fleet) {
    let now = f.now();
    let facts = good_facts_at(now);
    f.report(&facts);
    let before = f.ledger_texts().len();
    let refused = |f: &mut Fleet, text: &str| kind(&f.post_text(text).unwrap_err());

    assert_eq!(refused(f, "{"), Kind::Malformed);
    assert_eq!(refused(f, "[]"), Kind::Malformed);
    assert_eq!(refused(f, &"[".repeat(100_000)), Kind::Malformed);
    assert_eq!(refused(f, &"x".repeat(300_000)), Kind::TooLarge);
    let (status, body) =
        f.client.send("POST", "/api/v1/check-ins", &[("content-type", "text/plain")], "{}").unwrap();
    assert_eq!((status, kind(&serde_json::from_str(&body).unwrap())), (415, Kind::WrongMediaType));

    let nobody = DeviceId::from_parts(now, [9; 10]);
    let good = text(&f.device.report_numbered(2, &facts, now));
    assert_eq!(refused(f, &good.replace(&f.device.id.to_string(), &nobody.to_string())), Kind::UnknownDevice);
    assert_eq!(refused(f, &good.replace(&f.device.id.to_string(), "me")), Kind::Malformed);

    let thief = f.enrol_another("laptop-9", "organisation");
    let stolen =
        text(&thief.report_numbered(1, &facts, now)).replace(&thief.id.to_string(), &f.device.id.to_string());
    assert_eq!(refused(f, &stolen), Kind::BadSignature);
    let other = f.device.seal(
        REPORT,
        format!(
            r#"{{"v":1,"device":"{}","seq":2,"at":{},"agent":"x","read_at":{{}},"facts":{{}}}}"#,
            thief.id, now.0
        )
        .as_bytes(),
    );
    assert_eq!(refused(f, &text(&other)), Kind::BadSignature, "one device cannot speak for another");

    let sealed = |f: &Fleet, payload: &str| text(&f.device.seal(REPORT, payload.as_bytes()));
    let id = f.device.id;
    let whole = |v: i64, facts: &str| {
        format!(
            r#"{{"v":{v},"device":"{id}","seq":2,"at":{},"agent":"x","read_at":{{}},"facts":{facts}}}"#,
            now.0
        )
    };
    let cases = [
        (whole(9, "{}"), Kind::WrongVersion),
        (whole(1, "[]"), Kind::Malformed),
        (whole(1, r#"{"device.weather":{"value":"rain","origin":""}}"#), Kind::Malformed),
        (whole(1, r#"{"device.owner":{"value":"organisation","origin":"me"}}"#), Kind::Malformed),
        (whole(1, "{}").replace("}}", "},\"more\":1}"), Kind::Malformed),
    ];
    for (payload, expected) in cases {
        let message = sealed(f, &payload);
        assert_eq!(refused(f, &message), expected, "{payload}");
    }

    let old = text(&f.device.report_numbered(0, &facts, now));
    assert_eq!(refused(f, &old), Kind::OldSequence);
    let mut changed = facts.clone();
    changed.insert("device.clock.synchronised".to_owned(), Fact::known(false, "x"));
    let fork = text(&f.device.report_numbered(1, &changed, now));
    assert_eq!(refused(f, &fork), Kind::SequenceFork);
    for off in [-11 * MINUTE, 11 * MINUTE, -365 * DAY] {
        let skewed = text(&f.device.report_numbered(2, &facts, now.plus(off)));
        assert_eq!(refused(f, &skewed), Kind::ClockSkew);
    }
    let heartbeat = text(&f.device.heartbeat(&digest_of(&changed), now));
    assert_eq!(refused(f, &heartbeat), Kind::FactsNeeded);

    let id = f.device.id.to_string();
    assert_eq!(
        f.ledger_texts().iter().skip(before).filter(|e| e.contains(&id)).count(),
        0,
        "nothing has changed"
    );
    f.server.admin(&["revoke-device", &id]).unwrap();
    // The server remembers devices for speed; one that was revoked beside it is refused once it is looked up again.
    f.server.kill();
    f.server.again().unwrap();
    f.client = f.server.client().unwrap();
    assert_eq!(refused(f, &good), Kind::RevokedDevice);
    f.verify_ledger();
}

fn every_bad_enrolment_has_its_own_problem(f: &mut Fleet) {
    let now = f.now();
    let enrol = |f: &mut Fleet, seed: u8, code: &str, at| {
        let (_, envelope) = SimDevice::enrolment([seed; 32], code, "laptop-5", at);
        let (status, body) = f.client.post("/api/v1/enrolments", &text(&envelope)).unwrap();
        if status == 201 { None } else { Some(kind(&serde_json::from_str(&body).unwrap())) }
    };
    let code = f.server.admin(&["enrol-code", "Dana Demo"]).unwrap();
    assert_eq!(enrol(f, 5, "00000-00000-00000-00000", now), Some(Kind::CodeUnknown));
    assert_eq!(enrol(f, 5, &code, now.plus(-HOUR)), Some(Kind::ClockSkew));
    assert_eq!(enrol(f, 1, &code, now), Some(Kind::KeyEnrolled), "the key of the first device");
    assert_eq!(enrol(f, 5, &code.to_lowercase(), now), None, "nothing of that used the code up");
    assert_eq!(enrol(f, 6, &code, now), Some(Kind::CodeUsed));

    let another = f.server.admin(&["enrol-code", "Dana Demo"]).unwrap();
    let (_, one) = SimDevice::enrolment([7; 32], &another, "x", now);
    let (_, two) = SimDevice::enrolment([8; 32], &another, "x", now);
    let mut mixed: serde_json::Value = serde_json::from_str(&text(&one)).unwrap();
    mixed["signatures"] =
        serde_json::from_str::<serde_json::Value>(&text(&two)).unwrap()["signatures"].clone();
    let (_, body) = f.client.post("/api/v1/enrolments", &mixed.to_string()).unwrap();
    assert_eq!(kind(&serde_json::from_str(&body).unwrap()), Kind::BadSignature);
    // The first device is still what it was.
    assert!(f.device_page().contains("laptop-1"));
    f.verify_ledger();
}

fn a_replay_gets_the_earlier_answer(f: &mut Fleet) {
    let facts = good_facts_at(f.now());
    let report = f.device.report(&facts, f.now());
    let first = f.post(&report).unwrap();
    assert_eq!(f.post(&report).unwrap(), first);
    let heartbeat = f.device.heartbeat(&digest_of(&facts), f.now());
    let second = f.post(&heartbeat).unwrap();
    assert_eq!(second.findings, None);
    for _ in 0..3 {
        assert_eq!(f.post(&heartbeat).unwrap(), second);
    }
    assert_eq!(kind(&f.post(&report).unwrap_err()), Kind::OldSequence);
    // After a restart as well, when nothing is remembered.
    f.server.kill();
    f.server.again().unwrap();
    f.client = f.server.client().unwrap();
    // What is open is said as it is now, and not by a server that does not know yet.
    let again = f.post(&heartbeat).unwrap();
    assert_eq!(Answer { clearance: second.clearance.clone(), ..again }, second);
}

fn what_waited_is_taken_later_in_order(f: &mut Fleet) {
    let now = f.now();
    let mut facts = good_facts_at(now);
    let first = f.report(&facts);
    facts.insert("device.firewall.denies_inbound".to_owned(), Fact::known(false, "nft"));
    // Seen half an hour "ago" by a clock that the envelope fixes: enrolled devices send it on later.
    let waited = f.device.report(&facts, now.plus(-30 * MINUTE));
    assert_eq!(kind(&f.post(&waited).unwrap_err()), Kind::ClockSkew, "not as if it were new");
    let delivery = |f: &Fleet, late| {
        f.device.seal(
            DELIVERY,
            &serde_json::to_vec(&Delivery { v: VERSION, device: f.device.id, sent_at: system_now(), late })
                .unwrap(),
        )
    };
    let sent_on = delivery(f, waited.clone());
    let answer = f.post(&sent_on).unwrap();
    let finding = f.finding(&answer, "firewall-on");
    // Its clock says that it failed before the report that came before this one, and that one was good.
    assert_eq!(finding.failing_since, Some(first.heard_at));
    let again = delivery(f, waited);
    assert_eq!(f.post(&again).unwrap(), answer, "sent on twice, it counts once");
    let facts_now = good_facts_at(f.now());
    assert_eq!(f.report(&facts_now).standing, stead_model::Standing::Good);
    f.verify_ledger();
}

fn sixty_four_uses_of_a_code_enrol_one_device(f: &mut Fleet) {
    let code = f.server.admin(&["enrol-code", "Erin Example"]).unwrap();
    let address = f.server.address;
    let threads: Vec<_> = (0..64_u8)
        .map(|n| {
            let code = code.clone();
            thread::spawn(move || {
                let mut client = Client::connect(address).unwrap();
                SimDevice::enrol(&mut client, [100 + n; 32], &code, "race", system_now()).is_ok()
            })
        })
        .collect();
    let enrolled = threads.into_iter().map(|t| usize::from(t.join().unwrap())).sum::<usize>();
    assert_eq!(enrolled, 1);
    f.verify_ledger();
}

fn pages_refuse_strangers_and_other_sites(f: &mut Fleet) {
    f.report(&good_facts_at(system_now()));
    let id = f.device.id;
    for path in [
        "/overview",
        "/overview/live",
        "/devices",
        &format!("/devices/{id}"),
        &format!("/devices/{id}/report"),
        "/rules",
        "/rules/disk-encrypted",
        "/proof",
        "/ledger",
        "/ledger/entries/0",
        "/ledger/entries/0/bundle",
    ] {
        for cookie in ["", "__Host-stead=guess", "__Host-stead=", &format!("{0}; {0}", f.cookie)] {
            let (status, body) = f.client.get(path, cookie).unwrap();
            assert_eq!(status, 303, "{path} with `{cookie}`: {body}");
            assert!(!body.contains("laptop"), "{path}");
        }
    }
    for path in ["/healthz", "/ledger/checkpoint", "/ledger/key", "/sign-in", "/problems/clock-skew"] {
        let (status, _) = f.client.get(path, "").unwrap();
        assert_eq!(status, 200, "{path}");
    }
    for path in [
        "/devices/not-an-id",
        "/rules/../../etc/passwd",
        "/ledger/entries/999999",
        "/ledger/entries/-1",
        "/ledger/tile/0/999",
        "/ledger/tile/0/000",
        "/assets/x/../../Cargo.toml",
        "/nowhere",
    ] {
        let (status, _) = f.client.get(path, &f.cookie).unwrap();
        assert!([400, 404].contains(&status), "{path}: {status}");
    }
    let cookie = f.cookie.clone();
    let foreign = [("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site")];
    assert_eq!(f.client.send("POST", "/sign-out", &foreign, "").unwrap().0, 403);
    let foreign = [("cookie", cookie.as_str()), ("origin", "https://evil.example")];
    assert_eq!(f.client.send("POST", "/sign-out", &foreign, "").unwrap().0, 403);
    f.page("/overview");
    assert_eq!(f.client.send("POST", "/sign-out", &[("cookie", cookie.as_str())], "").unwrap().0, 303);
    assert_eq!(f.client.get("/overview", &cookie).unwrap().0, 303, "an ended session is ended");

    // Hostile words of a device are words.
    let code = f.server.admin(&["enrol-code", "<script>alert(1)</script>"]).unwrap();
    SimDevice::enrol(&mut f.client, [77; 32], &code, "\u{202e}<img src=x onerror=alert(1)>", system_now())
        .unwrap();
    f.cookie = f.server.sign_in().unwrap();
    let page = f.page("/devices");
    assert!(
        !page.contains("<script>alert") && !page.contains("<img src=x") && page.contains("&#60;img"),
        "{page}"
    );
}

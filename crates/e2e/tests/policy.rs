//! The policy, from end to end: a change is published by two people, judged by, read and confirmed by all.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::{fs, path::Path};

use stead_e2e::{Fleet, copy_pack, on_both};
use stead_testkit::device::good_facts_at;

on_both! {
    rc_9_a_change_of_the_policy_is_published_by_two_reaches_everybody_and_is_confirmed
}

/// The pack that ships, with the next number and less time for a clear disk.
fn next_version(folder: &Path) {
    copy_pack(
        folder,
        &[
            ("pack.toml", "version = 5", "version = 6"),
            ("rules/disk-encrypted.md", "grace = \"P3D\"", "grace = \"P1D\""),
        ],
    );
}

fn rc_9_a_change_of_the_policy_is_published_by_two_reaches_everybody_and_is_confirmed(f: &mut Fleet) {
    let facts = good_facts_at(f.now());
    f.report(&facts);
    let (_, author) = f.join("Cora Coordinator", "cora@stead.example", &["coordinator"]);
    let (_, other) = f.join("Sasha Security", "sasha@stead.example", &["security"]);
    let (sam_id, sam) = f.join("Sam Teleworker", "sam@stead.example", &[]);
    let pack = f.folder.path().join("pack");
    next_version(&pack);
    // Somebody who may not, a pack that is not sound: each is told, and nothing is proposed.
    let may_not = f.token(&sam, &["system"]);
    let (file, key) = f.pack_key();
    let (done, said) = f.send_pack(&pack, &may_not, &file);
    assert!(!done && said.contains("You may not do this."), "{said}");
    let token = f.token(&author, &["system"]);
    let (done, said) = f.send_pack(&pack, &token, &file);
    assert!(!done && said.contains("signed by no key that is allowed here"), "{said}");
    assert!(f.ledger_texts().iter().any(|e| e.contains("policy.refused") && e.contains(&key)), "recorded");
    let allowed = [("key", key.as_str()), ("name", "Cora's computer")];
    assert_eq!(f.client.post_form("/policy/keys", &author, &allowed).unwrap().0, 303);
    let rule = pack.join("rules/disk-encrypted.md");
    let sound = fs::read_to_string(&rule).unwrap();
    fs::write(&rule, sound.replace("device.volumes.all", "device.volums.all")).unwrap();
    let (done, said) = f.send_pack(&pack, &token, &file);
    assert!(!done && said.contains("there is no fact `device.volums`"), "{said}");
    fs::write(&rule, sound).unwrap();

    let (done, said) = f.send_pack(&pack, &token, &file);
    assert!(done, "{said}");
    let address = said.trim().rsplit(f.server.url().as_str()).next().unwrap().to_owned();
    let (_, page) = f.client.get(&address, &author).unwrap();
    assert!(page.contains("Somebody else than its author lets a version be published."));
    let seen = [("revision", "1")];
    let (status, _) = f.client.post_form(&format!("{address}/approve"), &author, &seen).unwrap();
    assert_eq!(status, 422);
    let (_, page) = f.client.get(&address, &other).unwrap();
    assert!(page.contains("Asks for more.") && page.contains("3 days before, 1 day now"), "{page}");
    let (status, _) = f.client.post_form(&format!("{address}/approve"), &other, &seen).unwrap();
    assert_eq!(status, 303);

    // It is in force for everybody and every device at once; the version before stays readable.
    let (_, page) = f.client.get("/policy", &sam).unwrap();
    assert!(page.contains("remote-work 6") && page.contains("One day for a clear disk."));
    let answer = f.report(&facts);
    assert_eq!(answer.policy, "remote-work 6");
    let digest = page.split("name=\"digest\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for (cookie, done) in [(&sam, 1), (&author, 2), (&other, 3)] {
        let (status, _) = f
            .client
            .post_form(
                "/policy/confirm",
                cookie,
                &[("digest", &digest), ("answer-0", "1"), ("answer-1", "0")],
            )
            .unwrap();
        assert_eq!(status, 303);
        let (_, page) = f.client.get("/policy/reach", &other).unwrap();
        assert!(page.contains(&format!("{done} of ")), "{page}");
    }
    let (_, page) = f.client.get("/policy/reach", &other).unwrap();
    assert!(!page.contains("Sam Teleworker"), "{page}");
    let (_, page) = f.client.get("/me", &sam).unwrap();
    assert!(page.contains("Versions of the policy that you confirmed"));
    let entries = f.ledger_texts();
    let confirmed = |e: &String| e.contains("policy.confirmed") && e.contains(&digest) && e.contains(&sam_id);
    assert!(entries.iter().any(confirmed), "by name, the exact text");
    assert!(!entries.iter().any(|e| e.contains("One day")), "no words of people");
    f.verify_ledger();
}

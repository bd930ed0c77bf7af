//! What follows when a rule is not kept, from end to end: exceptions, cases, terms of one person, reports and
//! OSCAL, through pages and API of the real program. Grace and clocks are seconds here; nothing else differs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests: what cannot go on must stop")]

use serde_json::{Value, json};
use stead_e2e::{
    Fleet, copy_pack,
    mail::{MailPeer, mail_arguments},
    on_both, read_oscal, read_pdf,
};
use stead_model::{Fact, Outcome, Standing, fact::Field, time::SECOND};
use stead_testkit::device::good_facts_at;

on_both! {
    rc_8_a_lapse_is_told_limited_heard_decided_and_appealed
    rc_8_an_exception_ends_at_its_minute
    opm_e5_an_extra_rule_binds_one_person
    opm_s4_what_is_judged_goes_out_as_oscal_and_reports
    rc_0_every_rule_says_what_it_protects_and_the_overview_adds_up
    rc_1_confidentiality_is_asked_of_text_secrets_and_sign_in
}

/// Somebody with a device, those who answer for them, and their tokens.
struct World {
    sam: String,
    sam_id: String,
    sam_token: String,
    manager: String,
    coordinator: String,
    coordinator_token: String,
    security: String,
    security_token: String,
}

fn world(f: &mut Fleet) -> World {
    let sam_id = f.server.admin(&["add-person", "Sam Teleworker", "--email", "sam@stead.example"]).unwrap();
    let (_, manager) = f.join("Mona Manager", "mona@stead.example", &["manager"]);
    let (_, coordinator) = f.join("Cora Coordinator", "cora@stead.example", &["coordinator"]);
    let (_, security) = f.join("Sasha Security", "sasha@stead.example", &["security"]);
    let link = f.server.admin(&["invite", "sam@stead.example", "--base-url", &f.server.url()]).unwrap();
    let path = link.strip_prefix(&f.server.url()).unwrap().to_owned();
    let sam = f.client.post_for_cookie(&path).unwrap().1.unwrap();
    let code = f.server.admin(&["enrol-code", "Sam Teleworker"]).unwrap();
    let now = f.now();
    f.device = stead_testkit::SimDevice::enrol(&mut f.client, [9; 32], &code, "sams-laptop", now).unwrap();
    World {
        sam_token: f.token(&sam, &["read", "own"]),
        coordinator_token: f.token(&coordinator, &["read", "system", "people"]),
        security_token: f.token(&security, &["read", "system", "people"]),
        sam,
        sam_id,
        manager,
        coordinator,
        security,
    }
}

/// The pack with a grace and clocks of seconds.
fn quick(f: &mut Fleet, w: &World, more: &[(&str, &str, &str)]) {
    let pack = f.folder.path().join("quick");
    let mut changes = vec![
        ("pack.toml", "version = 5", "version = 6"),
        ("pack.toml", "manager_after = \"P3D\"", "manager_after = \"PT1S\""),
        ("pack.toml", "decision_after = \"P4D\"", "decision_after = \"PT1S\""),
        ("rules/disk-encrypted.md", "grace = \"P3D\"", "grace = \"PT1S\""),
    ];
    changes.extend(more);
    copy_pack(&pack, &changes);
    f.publish(&pack, (&w.coordinator, &w.coordinator_token), &w.security);
}

fn clear_disk(f: &Fleet) -> stead_model::Facts {
    let mut facts = good_facts_at(f.now());
    let volume = stead_model::fact::Record::from([
        ("mount".to_owned(), Field::from("/home")),
        ("encrypted".to_owned(), Field::from(false)),
        ("how".to_owned(), Field::from("clear")),
    ]);
    facts.insert("device.volumes".to_owned(), Fact::known(vec![volume], "/proc/self/mountinfo"));
    facts
}

/// The only case about Sam, as Sam's programs see it.
fn case(f: &mut Fleet, w: &World) -> Value {
    let closed = f.api("GET", "/api/v1/cases?state=closed", &w.sam_token, &Value::Null).1;
    let open = f.api("GET", "/api/v1/cases", &w.sam_token, &Value::Null).1;
    let all: Vec<Value> = [open, closed]
        .iter()
        .flat_map(|list| list["items"].as_array().cloned().unwrap_or_default())
        .collect();
    assert!(all.len() <= 1, "{all:?}");
    all.into_iter().next().unwrap_or(Value::Null)
}

/// What was found on Sam's device by a rule.
fn outcome(f: &mut Fleet, w: &World, rule: &str) -> Value {
    let path = format!("/api/v1/devices/{}", f.device.id);
    let (_, device) = f.api("GET", &path, &w.sam_token, &Value::Null);
    let found = device["findings"].as_array().unwrap_or_else(|| panic!("{device}"));
    found.iter().find(|finding| finding["rule"] == rule).map_or(Value::Null, |found| found["outcome"].clone())
}

fn look(f: &mut Fleet, w: &World, cookie: &str) {
    let path = format!("/people/{}/look", w.sam_id);
    assert_eq!(f.client.post_form(&path, cookie, &[("purpose", "follow-up")]).unwrap().0, 303);
}

fn rc_8_a_lapse_is_told_limited_heard_decided_and_appealed(f: &mut Fleet) {
    let w = world(f);
    quick(f, &w, &[]);
    let facts = clear_disk(f);
    let answer = f.report(&facts);
    assert_eq!(answer.standing, Standing::Due, "a notice comes before anything is shut");
    f.until("somebody is asked to decide", |f| case(f, &w)["state"] == "decision");
    let id = case(f, &w)["id"].as_str().unwrap().to_owned();
    let page = format!("/cases/{id}");

    // Restricted work is closed meanwhile, and says why.
    let me = f.api("GET", "/api/v1/me", &w.sam_token, &Value::Null).1;
    assert!(me.to_string().contains("disk-encrypted") || me.to_string().contains("restricted"), "{me}");
    let (_, home) = f.client.get("/home", &w.sam).unwrap();
    assert!(home.contains("Closed") || home.contains("closed"), "{home}");
    // The person hears; so do their manager and whoever decides.
    for (cookie, words) in [
        (&w.sam, "A case was opened, because this has not been put right in time"),
        (&w.manager, "has not put this right in time"),
        (&w.coordinator, "waits for your decision"),
    ] {
        f.until(words, |f| f.client.get("/me/notices", cookie).unwrap().1.contains(words));
    }

    // Nobody else decides, and nobody without having said what for.
    look(f, &w, &w.manager);
    let decide = format!("{page}/decide");
    let open = [("decision", "open"), ("words", "The disk is clear and it holds files of people")];
    assert_eq!(f.client.post_form(&decide, &w.manager, &open).unwrap().0, 403);
    assert_eq!(f.client.post_form(&decide, &w.sam, &open).unwrap().0, 403);
    look(f, &w, &w.security);
    assert_eq!(f.client.post_form(&decide, &w.security, &open).unwrap().0, 403, "somebody by name");
    look(f, &w, &w.coordinator);
    let (_, before) = f.client.get(&page, &w.coordinator).unwrap();
    assert!(before.contains("/home: clear") && before.contains("Open a disciplinary step"), "{before}");
    let early =
        [("decision", "sanction"), ("sanction", "0"), ("words", "The disk is clear and it holds files")];
    assert_eq!(f.client.post_form(&decide, &w.coordinator, &early).unwrap().0, 422, "nobody unheard");
    let bare = [("decision", "open"), ("words", "")];
    let (status, said) = f.client.post_form(&decide, &w.coordinator, &bare).unwrap();
    assert!(status == 422 && said.contains("Write at least a sentence."), "{said}");
    assert_eq!(f.client.post_form(&decide, &w.coordinator, &open).unwrap().0, 303);

    // The person answers, through the API.
    let answers = format!("/api/v1/cases/{id}/answers");
    let words = json!({ "words": "The installer failed twice, and I told the help desk" });
    assert_eq!(f.api("POST", &answers, &w.sam_token, &words).0, 204);
    assert_eq!(case(f, &w)["state"], "answered");
    let decisions = format!("/api/v1/cases/{id}/decisions");
    let sanction =
        json!({ "decision": "sanction", "sanction": 1, "words": "It was not told to the coordinator" });
    let (status, said) = f.api("POST", &decisions, &w.coordinator_token, &sanction);
    assert_eq!(status, 204, "{said}");
    assert_eq!(case(f, &w)["sanction"], "A written warning");

    // Put right, it does not end by itself: a step was opened.
    let facts = good_facts_at(f.now());
    assert_eq!(f.report(&facts).standing, Standing::Good);
    f.until("that it was put right is noted", |f| case(f, &w)["mended_at"].is_string());
    assert_eq!(case(f, &w)["state"], "decided");
    let appeal = [("words", "The help desk knew, and wrote it down")];
    assert_eq!(f.client.post_form(&format!("{page}/appeal"), &w.sam, &appeal).unwrap().0, 303);
    assert_eq!(case(f, &w)["state"], "appeal");
    let again = [("decision", "uphold"), ("words", "I have decided this before")];
    assert_eq!(f.client.post_form(&decide, &w.coordinator, &again).unwrap().0, 403, "somebody else");
    // The next one who may: whoever set the installation up holds every role.
    let other = f.cookie.clone();
    look(f, &w, &other);
    let lift = [("decision", "lift"), ("words", "The help desk’s note was found")];
    let (status, said) = f.client.post_form(&decide, &other, &lift).unwrap();
    assert_eq!(status, 303, "{said}");
    assert_eq!((&case(f, &w)["outcome"], &case(f, &w)["sanction"]), (&json!("lifted"), &json!("")));

    // The person reads all of it; the ledger proves it and holds none of the words.
    let (_, whole) = f.client.get(&page, &w.sam).unwrap();
    assert!(whole.contains("Sanction lifted on appeal") && whole.contains("The help desk’s note was found"));
    let (_, record) = f.client.get("/me", &w.sam).unwrap();
    assert!(record.contains("It was not told to the coordinator"), "what is held is shown");
    let texts = f.ledger_texts();
    assert!(texts.iter().any(|e| e.contains("case.closed") && e.contains(&w.sam_id)));
    assert!(!texts.iter().any(|e| e.contains("help desk") || e.contains("warning")));
    f.verify_ledger();
}

fn rc_8_an_exception_ends_at_its_minute(f: &mut Fleet) {
    let w = world(f);
    quick(f, &w, &[]);
    let facts = clear_disk(f);
    f.report(&facts);
    f.until("the lapse", |f| {
        let device = f.device.id;
        let path = format!("/api/v1/devices/{device}");
        f.api("GET", &path, &w.sam_token, &Value::Null).1.to_string().contains("lapsed")
    });
    let ask = |until: stead_model::Millis, device: &str| {
        json!({ "rule": "disk-encrypted", "device": device, "until": until.to_string(),
            "reason": "The new disk comes next week", "instead": "The laptop stays in the office" })
    };
    let device = f.device.id.to_string();
    let people = format!("/api/v1/people/{}/exceptions", w.sam_id);
    let until = f.now().plus(12 * SECOND);
    let (status, said) = f.api("POST", &people, &w.sam_token, &ask(until, &device));
    assert_eq!(status, 201, "{said}");
    let one = format!("/api/v1/exceptions/{}", said["id"].as_str().unwrap());
    let grant = json!({ "grants": true, "words": "Until the new disk is there" });
    let decision = format!("{one}/decision");
    assert_eq!(f.api("POST", &decision, &w.coordinator_token, &grant).0, 403, "it prevents much harm");
    let (status, said) = f.api("POST", &decision, &w.security_token, &grant);
    assert_eq!(status, 204, "{said}");
    let page = format!("/exceptions/{}", one.rsplit('/').next().unwrap());
    let (_, shown) = f.client.get(&page, &w.sam).unwrap();
    assert!(shown.contains("The rule counts as kept until"), "{shown}");
    let answer = f.report(&facts);
    assert_eq!((answer.standing, outcome(f, &w, "disk-encrypted")), (Standing::Good, json!("excepted")));
    f.until("the case is over, and says why", |f| case(f, &w)["outcome"] == "excepted");

    f.until("its end", |f| f.api("GET", &one, &w.sam_token, &Value::Null).1["state"] == "ended");
    assert!(f.now() >= until, "not a moment before");
    let facts = clear_disk(f);
    let answer = f.report(&facts);
    assert_eq!((answer.standing, outcome(f, &w, "disk-encrypted")), (Standing::Lapsed, json!("fail")));
    // Going on is asked anew.
    let (status, _) = f.api("POST", &decision, &w.security_token, &grant);
    assert_eq!(status, 409);
    f.verify_ledger();
}

fn opm_e5_an_extra_rule_binds_one_person(f: &mut Fleet) {
    let w = world(f);
    let mut other = f.enrol_another("other", "organisation");
    let mut facts = good_facts_at(f.now());
    facts.insert("device.screen.lock_after".to_owned(), Fact::known(600_i64, "gsettings"));
    assert_eq!(f.report(&facts).standing, Standing::Good);
    let terms = format!("/api/v1/people/{}/terms", w.sam_id);
    let term = json!({ "rule": "own-quick-lock", "words": "Works with personnel records, as agreed" });
    assert_eq!(f.api("POST", &terms, &w.sam_token, &term).0, 403, "not by oneself");
    let (status, said) = f.api("POST", &terms, &w.coordinator_token, &term);
    assert_eq!(status, 201, "{said}");
    let answer = f.report(&facts);
    assert_eq!((answer.standing, outcome(f, &w, "own-quick-lock")), (Standing::Due, json!("fail")));
    let theirs = f.report_as(&mut other, &facts);
    assert!(theirs.findings.iter().flatten().all(|finding| finding.rule != "own-quick-lock"));
    assert_eq!(theirs.standing, Standing::Good, "nobody else is bound");
    let (_, record) = f.client.get("/me", &w.sam).unwrap();
    assert!(record.contains("Terms of your own") && record.contains("Works with personnel records"));
    f.until("they hear of it", |f| {
        f.client.get("/me/notices", &w.sam).unwrap().1.contains("A rule binds you by name now")
    });
    facts.insert("device.screen.lock_after".to_owned(), Fact::known(240_i64, "gsettings"));
    assert_eq!(f.report(&facts).standing, Standing::Good, "kept like any other");
    look(f, &w, &w.coordinator);
    let (_, page) = f.client.get(&format!("/people/{}", w.sam_id), &w.coordinator).unwrap();
    assert!(page.contains("Terms of their own") && page.contains("Your screen locks itself soon"), "{page}");
    let end = format!("{terms}/{}", said["id"].as_str().unwrap());
    assert_eq!(f.api("DELETE", &end, &w.coordinator_token, &Value::Null).0, 204);
    facts.insert("device.screen.lock_after".to_owned(), Fact::known(600_i64, "gsettings"));
    assert_eq!(f.report(&facts).standing, Standing::Good);
    assert!(f.ledger_texts().iter().any(|e| e.contains("term.bound") && e.contains(&w.sam_id)));
}

fn opm_s4_what_is_judged_goes_out_as_oscal_and_reports(f: &mut Fleet) {
    let w = world(f);
    let facts = clear_disk(f);
    f.report(&facts);
    let ask = json!({ "rule": "disk-encrypted", "device": f.device.id.to_string(),
        "until": f.now().plus(86_400_000).to_string(),
        "reason": "The new disk comes next week", "instead": "The laptop stays in the office" });
    let people = format!("/api/v1/people/{}/exceptions", w.sam_id);
    let (status, said) = f.api("POST", &people, &w.sam_token, &ask);
    assert_eq!(status, 201, "{said}");
    let id = said["id"].as_str().unwrap().to_owned();
    let grant = json!({ "grants": true, "words": "Until the new disk is there" });
    assert_eq!(f.api("POST", &format!("/api/v1/exceptions/{id}/decision"), &w.security_token, &grant).0, 204);

    for (name, kind) in [
        ("component-definition", "component-definition"),
        ("assessment-results", "assessment-results"),
        ("poam", "plan-of-action-and-milestones"),
    ] {
        let (status, document) = f.client.get(&format!("/reports/oscal/{name}"), &w.security).unwrap();
        assert_eq!(status, 200);
        assert_eq!(f.client.get(&format!("/reports/oscal/{name}"), &w.sam).unwrap().0, 403);
        let (_, by_api) = f.api("GET", &format!("/api/v1/oscal/{name}"), &w.security_token, &Value::Null);
        assert!(by_api[kind].is_object(), "{by_api}");
        assert!(!document.contains("Sam Teleworker") && !document.contains("sams-laptop"), "nobody by name");
        match read_oscal(&document) {
            Some(read) => assert_eq!(read, Ok(format!("{kind} 1.1.3"))),
            None => continue,
        }
        // What is no such document is none: the reader is not one that takes anything.
        let broken = document.replacen("\"uuid\": \"", "\"uuid\": \"not-", 1);
        assert_ne!(broken, document);
        assert!(read_oscal(&broken).unwrap().is_err(), "a broken id");
        let broken = document.replacen("\"metadata\"", "\"meta\"", 1);
        assert!(read_oscal(&broken).unwrap().is_err(), "no metadata");
    }
    let (_, results) = f.api("GET", "/api/v1/oscal/assessment-results", &w.security_token, &Value::Null);
    let findings = results["assessment-results"]["results"][0]["findings"].as_array().unwrap();
    let state = |control: &str| {
        let found = findings.iter().find(|finding| finding["title"] == control).unwrap();
        found["target"]["status"]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state("at-2"), "not-satisfied", "training waits for its facts, and does not pass");
    assert_eq!(state("ac-11"), "satisfied", "every screen locks");
    let (_, open) = f.api("GET", "/api/v1/oscal/poam", &w.security_token, &Value::Null);
    let text = open.to_string();
    assert!(text.contains("deviation-approved") && text.contains("deadline") && text.contains(&id));

    for name in ["posture", "confirmations", "exceptions", "cases", "month"] {
        let (status, page) = f.client.get(&format!("/reports/{name}"), &w.security).unwrap();
        assert!(status == 200 && !page.contains("Sam Teleworker"), "{name}: {page}");
        let (status, csv) = f.client.get(&format!("/reports/{name}/csv"), &w.security).unwrap();
        assert!(status == 200 && csv.lines().count() > 1, "{name}: {csv}");
        let (status, printed) = f.client.get_bytes(&format!("/reports/{name}/pdf"), &w.security).unwrap();
        assert_eq!(status, 200, "{name}: {}", String::from_utf8_lossy(&printed));
        if let Some(read) = read_pdf(&printed) {
            assert_eq!(read["tagged"], true, "{name}: {read}");
            assert!(read["text"].as_str().unwrap().contains("remote-work 5"), "{name}: {read}");
        }
    }
}

fn rc_0_every_rule_says_what_it_protects_and_the_overview_adds_up(f: &mut Fleet) {
    let w = world(f);
    let facts = good_facts_at(f.now());
    f.report(&facts);
    let (_, rules) = f.api("GET", "/api/v1/rules", &w.security_token, &Value::Null);
    let rules = rules["rules"].as_array().unwrap().clone();
    let mut protected = std::collections::BTreeSet::new();
    for rule in &rules {
        let serves = rule["serves"].as_array().unwrap().clone();
        assert!(!serves.is_empty(), "{rule}");
        protected.extend(serves.into_iter().map(|word| word.as_str().unwrap().to_owned()));
    }
    assert_eq!(protected.into_iter().collect::<Vec<_>>(), ["availability", "confidentiality", "integrity"]);
    let (_, page) = f.client.get("/overview", &w.security).unwrap();
    for word in ["onfidentiality", "ntegrity", "vailability"] {
        assert!(page.contains(word), "{word}");
    }
    // One device less that keeps its secrets moves that line and not the others.
    let line = |page: &str, word: &str| {
        let start = page.find(word).unwrap();
        page[start..].split("</tr>").next().unwrap().to_owned()
    };
    let facts = clear_disk(f);
    f.report(&facts);
    let (_, after) = f.client.get("/overview", &w.security).unwrap();
    assert_ne!(line(&page, "onfidentiality"), line(&after, "onfidentiality"));
    assert_eq!(line(&page, "vailability"), line(&after, "vailability"));
}

fn rc_1_confidentiality_is_asked_of_text_secrets_and_sign_in(f: &mut Fleet) {
    let w = world(f);
    let judged = |f: &mut Fleet, title: &str| -> bool {
        let (_, record) = f.client.get("/me", &w.sam).unwrap();
        let start = record.find(title).unwrap_or_else(|| panic!("{title}: {record}"));
        record[start..].split("</dd>").next().unwrap().contains("Pass")
    };
    // The text: confirmed by name.
    f.until("they were judged", |f| {
        f.client.get("/me", &w.sam).unwrap().1.contains("You have read the policy in force")
    });
    assert!(!judged(f, "You have read the policy in force"));
    let digest = f.api("GET", "/api/v1/policy", &w.sam_token, &Value::Null).1["digest"].clone();
    let wrong = json!({ "digest": digest, "answers": [0, 0] });
    assert_eq!(f.api("POST", "/api/v1/me/confirmations", &w.sam_token, &wrong).0, 422, "understood as well");
    let right = json!({ "digest": digest, "answers": [1, 0] });
    assert_eq!(f.api("POST", "/api/v1/me/confirmations", &w.sam_token, &right).0, 204);
    assert!(judged(f, "You have read the policy in force"));
    // Secrets: a password manager on the device; no answer is no pass.
    let mut facts = good_facts_at(f.now());
    let answer = f.report(&facts);
    assert_eq!(f.finding(&answer, "password-manager").outcome, Outcome::Pass);
    let manager: Vec<String> =
        facts.keys().filter(|name| name.contains("password_manager")).cloned().collect();
    assert!(!manager.is_empty());
    for name in manager {
        facts.insert(name, Fact::unknown("the browser's folder cannot be read", "test"));
    }
    let answer = f.report(&facts);
    assert_eq!(f.finding(&answer, "password-manager").outcome, Outcome::Unknown);
    // Sign-in: more than a password.
    assert!(!judged(f, "You sign in with more than a password"));
}

/// A version is published, goes out by real mail, is confirmed, those who have not are chased and named with the
/// reason, their manager hears of it, and at last it has reached everybody.
#[test]
fn rc_9_a_version_reaches_everybody_by_mail_or_names_who_is_missing_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let trust = folder.path().join("ca.pem");
    let Some(mut peer) = MailPeer::start("starttls", &trust) else { return };
    let more = mail_arguments(folder.path(), "smtp+starttls", peer.port, &trust);
    let mut f = Fleet::start_with(folder, None, &more);
    let w = world(&mut f);
    let (_, nora) = f.join("Nora Nomail", "nobody@stead.example", &[]);
    let (lea_id, lea) = f.join("Lea Away", "lea@stead.example", &[]);
    let owner = f.cookie.clone();
    for cookie in [&w.sam, &w.manager, &nora] {
        let now = [("devices", "now"), ("tasks", "now"), ("record", "now"), ("mail", "1")];
        assert_eq!(f.client.post_form("/me/notices", cookie, &now).unwrap().0, 303);
    }
    // Everybody confirms what is in force to begin with, but who is enrolled and has no way in yet.
    let digest =
        |f: &mut Fleet| f.api("GET", "/api/v1/policy", &w.sam_token, &Value::Null).1["digest"].clone();
    let confirm = |f: &mut Fleet, cookie: &str| {
        let digest = digest(f);
        let form = [("digest", digest.as_str().unwrap()), ("answer-0", "1"), ("answer-1", "0")];
        let (status, said) = f.client.post_form("/policy/confirm", cookie, &form).unwrap();
        assert_eq!(status, 303, "{said}");
    };
    confirm(&mut f, &w.sam);
    let state = |f: &mut Fleet, id: &str, to: &str| {
        let path = format!("/api/v1/people/{id}/state");
        let (status, said) = f.api("PUT", &path, &w.coordinator_token, &json!({ "state": to }));
        assert!(status < 300, "{said}");
    };
    state(&mut f, &lea_id, "on_leave");

    // No time to confirm it: who has not, is late at once.
    quick(&mut f, &w, &[("pack.toml", "acknowledge_days = { value = 14", "acknowledge_days = { value = 0")]);
    let (_, page) = f.client.get("/policy", &w.sam).unwrap();
    assert!(page.contains("This has changed since") && page.contains("3 days before"), "{page}");

    let mut told = String::new();
    while !(told.contains("remote-work 6 is in force") && told.contains("You were to confirm")) {
        let mail = peer.next_to("sam@stead.example");
        assert_eq!((mail["tls"].as_bool(), mail["signed_in"].as_bool()), (Some(true), Some(true)));
        told += mail["parts"]["text/plain"].as_str().unwrap();
    }
    assert!(told.contains("/policy"), "{told}");
    let mut told = String::new();
    while !told.contains("have not confirmed") {
        told += peer.next_to("mona@stead.example")["parts"]["text/plain"].as_str().unwrap();
    }

    for cookie in [&w.sam, &w.manager, &w.coordinator, &w.security, &owner] {
        confirm(&mut f, cookie);
    }
    let why = |f: &mut Fleet, name: &str| {
        let (_, reach) = f.api("GET", "/api/v1/policy/reach", &w.security_token, &Value::Null);
        let items = reach["missing"]["items"].as_array().unwrap().clone();
        let one = items.iter().find(|one| one["person"]["name"] == name).cloned();
        one.map_or(String::new(), |one| one["why"].as_str().unwrap().to_owned())
    };
    f.until("what came back is known", |f| why(f, "Nora Nomail") == "bounced");
    assert_eq!(why(&mut f, "Lea Away"), "on-leave");
    assert_eq!(why(&mut f, "Sam Sample"), "no-address");
    assert_eq!(why(&mut f, "Sam Teleworker"), "", "who has confirmed is not missing");
    let (_, page) = f.client.get("/policy/reach", &w.security).unwrap();
    assert!(page.contains("Could not be reached by mail") && page.contains("On leave"), "{page}");

    // Each reason is mended, and then it has reached everybody.
    let (_, all) = f.api("GET", "/api/v1/people?q=Sample", &w.coordinator_token, &Value::Null);
    let sample_id = all["items"][0]["id"].as_str().unwrap().to_owned();
    let address = json!({ "email": "sample@stead.example" });
    let (status, said) =
        f.api("PATCH", &format!("/api/v1/people/{sample_id}"), &w.coordinator_token, &address);
    assert!(status < 300, "{said}");
    let link = f.server.admin(&["invite", "sample@stead.example", "--base-url", &f.server.url()]).unwrap();
    let path = link.strip_prefix(&f.server.url()).unwrap().to_owned();
    let sample = f.client.post_for_cookie(&path).unwrap().1.unwrap();
    state(&mut f, &lea_id, "active");
    for cookie in [&sample, &lea, &nora] {
        confirm(&mut f, cookie);
    }
    let (_, reach) = f.api("GET", "/api/v1/policy/reach", &w.security_token, &Value::Null);
    assert_eq!(reach["all"], reach["confirmed"], "{reach}");
    let (_, page) = f.client.get("/policy/reach", &w.security).unwrap();
    assert!(page.contains("Everybody who works here has confirmed it."), "{page}");
    f.verify_ledger();
}

//! The life of the policy: two people publish a version, its day puts it in force, devices and people are
//! judged by it, and everybody confirms its exact text.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use stead_model::{
    Employment, Outcome, Role, Standing, Subject, UnitId,
    time::{DAY, MINUTE},
};
use stead_policy::{pack::Files, shipped, terms::Binds};
use stead_server::{
    flows::{
        directory,
        policy::{self, confirm, diff, publish, review, subjects, what_if},
    },
    jobs, reports,
    words::Words,
};
use support::TestServer;

/// The right answers to what the pack that ships asks.
const RIGHT: [Option<usize>; 2] = [Some(1), Some(0)];

/// The pack that ships with the next number, a rule that gives less time, and one rule less.
fn next_version() -> Files {
    let mut files = shipped::remote_work();
    let change = |text: &mut String, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        *text = text.replace(from, to);
    };
    change(files.get_mut("pack.toml").unwrap(), "version = 5", "version = 6");
    change(files.get_mut("rules/disk-encrypted.md").unwrap(), "grace = \"P3D\"", "grace = \"P1D\"");
    for path in ["rules/clock-right.md", "rules/clock-right.pt-BR.md", "tests/clock-right.toml"] {
        files.remove(path);
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn rc_9_a_version_takes_two_people_and_its_day() {
    let server = TestServer::start().await;
    let app = &server.app;
    let all = UnitId::ORGANISATION;
    let author = server.person("Author", all).await;
    let other = server.person("Other", all).await;
    let sam = server.person("Sam", all).await;
    let device = server.device(sam, 1).await;
    let before = app.pack();
    assert_eq!(before.label(), "remote-work 5");
    assert_eq!(app.store.report(device).await.unwrap().unwrap().pack, "remote-work 5");

    let day = app.now().plus(3 * DAY);
    let id = publish::propose(app, author, &next_version(), "A day to encrypt.", Some(day)).await.unwrap();
    let refused = publish::approve(app, author, id, 1).await.unwrap_err();
    assert!(format!("{refused:?}").contains("policy-two"), "{refused:?}");
    publish::approve(app, other, id, 1).await.unwrap();
    assert!(publish::approve(app, other, id, 1).await.is_err(), "once");

    server.pass(3 * DAY - MINUTE);
    jobs::once(app).await;
    assert_eq!(app.pack().digest, before.digest, "its day has not come");
    server.pass(MINUTE);
    jobs::once(app).await;
    assert_eq!(app.pack().label(), "remote-work 6");
    let report = app.store.report(device).await.unwrap().unwrap();
    assert_eq!(report.pack, "remote-work 6");
    let findings = app.store.findings(device).await.unwrap();
    assert!(findings.iter().all(|finding| finding.rule != "clock-right"), "the rule is no more");
    assert_eq!(app.store.tallies().await.unwrap()["rule/clock-right/pass"], 0);
    let pack = app.pack();
    let bind = pack.rules_of(Subject::Device).iter().filter(|rule| rule.binds == Binds::All);
    assert_eq!(findings.len(), bind.count());

    // A clock that is set back takes nothing back.
    server.pass(-30 * DAY);
    jobs::once(app).await;
    assert_eq!(app.pack().label(), "remote-work 6");
    server.pass(30 * DAY);

    // What was in force on a day is known afterwards.
    let then = app.store.policy_at(day.plus(-1)).await.unwrap().unwrap();
    assert_eq!(then.label(), "remote-work 5");
    let changes = diff::between(&before, &app.pack());
    let words: Vec<_> = changes.iter().map(|c| (c.rule.as_str(), c.change)).collect();
    assert_eq!(words, [("disk-encrypted", diff::Change::Stricter), ("clock-right", diff::Change::Removed)]);
    server.is_whole().await;
}

#[test]
fn an_approver_sees_what_changes_beside_the_rules() {
    let old = stead_policy::Pack::load(&shipped::remote_work()).unwrap();
    let mut files = next_version();
    let text = files.get_mut("pack.toml").unwrap();
    *text = text.replace("silent_after = \"P7D\"", "silent_after = \"P365D\"");
    *text = text.replace("acknowledge_days = { value = 14", "acknowledge_days = { value = 140");
    files.get_mut("data/os-support.csv").unwrap().push_str("debian,99,2026-01-01,false\n");
    let rule = files.get_mut("rules/firewall-on.md").unwrap();
    *rule = rule.replace("device.firewall.denies_inbound", "device.firewall.denies_inbound || true");
    let changes = diff::between(&old, &stead_policy::Pack::load(&files).unwrap());
    let of = |rule: &str| changes.iter().find(|changed| changed.rule == rule).unwrap();
    let names: Vec<_> = of("").fields.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["silent_after", "data", "acknowledge_days"]);
    assert_eq!(of("firewall-on").change, diff::Change::Changed);
    assert!(of("firewall-on").fields.iter().any(|(name, _, to)| name == "asks" && to.contains("|| true")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_later_is_not_displaced_and_a_clock_set_back_stops_nothing() {
    let server = TestServer::start().await;
    let app = &server.app;
    let author = server.person("Author", UnitId::ORGANISATION).await;
    let other = server.person("Other", UnitId::ORGANISATION).await;
    let publish = async |number: u32, after: i64| {
        let mut files = next_version();
        let text = files.get_mut("pack.toml").unwrap();
        *text = text.replace("version = 6", &format!("version = {number}"));
        let day = Some(app.now().plus(after));
        let id = publish::propose(app, author, &files, "Next.", day).await.unwrap();
        publish::approve(app, other, id, 1).await.unwrap();
    };
    publish(6, 10 * DAY).await;
    publish(7, 0).await;
    jobs::once(app).await;
    assert_eq!(app.pack().label(), "remote-work 7", "the urgent one");
    server.pass(11 * DAY);
    jobs::once(app).await;
    assert_eq!(app.pack().label(), "remote-work 7", "what was written before it does not displace it");
    assert!(app.store.policies_due(app.now()).await.unwrap().is_empty(), "and waits no more");
    let session = server.sign_in(author).await;
    let page = server.get("/policy", &session).await.body;
    assert!(page.contains("Never came into force") && !page.contains("In force from"), "{page}");
    // The clock is set right after it was a month ahead: what is published now comes into force all the same.
    server.pass(-30 * DAY);
    publish(8, 0).await;
    jobs::once(app).await;
    assert_eq!(app.pack().label(), "remote-work 8");
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_counted_once_however_often_it_is_judged_again() {
    let server = TestServer::start().await;
    let app = &server.app;
    let author = server.person("Author", UnitId::ORGANISATION).await;
    let other = server.person("Other", UnitId::ORGANISATION).await;
    for seed in 1..=4 {
        server.device(author, seed).await;
    }
    let id = publish::propose(app, author, &next_version(), "Next.", None).await.unwrap();
    publish::approve(app, other, id, 1).await.unwrap();
    policy::bring_in(app).await.unwrap();
    // As several servers do, at the same time.
    let (a, b, c) =
        tokio::join!(policy::judge_again(app), policy::judge_again(app), policy::judge_again(app));
    assert_eq!(a.unwrap() + b.unwrap() + c.unwrap(), 4, "each once");
    let tallies = app.store.tallies().await.unwrap();
    assert_eq!((tallies["rule/disk-encrypted/pass"], tallies["rule/clock-right/pass"]), (4, 0));
    assert_eq!(tallies["standing/good"], 4);
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rc_9_an_overdue_review_is_said_on_every_page_and_report() {
    let server = TestServer::start().await;
    let app = &server.app;
    let security = server.person("Sec", UnitId::ORGANISATION).await;
    server.give(security, Role::Security, UnitId::ORGANISATION).await;
    let overdue = async || {
        jobs::once(app).await;
        let session = server.sign_in(security).await;
        let mut said = Vec::new();
        for page in ["/home", "/overview", "/rules", "/cases", "/reports", "/reports/posture"] {
            said.push(server.get(page, &session).await.body.contains("its review is overdue"));
        }
        let report = reports::gather(app, "posture", None, &Words::english()).await.unwrap().unwrap();
        said.push(!report.stale.is_empty());
        said
    };
    assert_eq!(overdue().await, [false; 7]);
    server.pass(365 * DAY + MINUTE);
    assert_eq!(overdue().await, [true; 7]);
    let said = review::Said {
        rule: String::new(),
        took_part: "Sec".to_owned(),
        considered: "A year of cases".to_owned(),
        outcome: "kept".to_owned(),
        words: String::new(),
    };
    review::review(app, security, said).await.unwrap();
    assert_eq!(overdue().await, [false; 7], "at once");
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sound_is_not_proposed() {
    let server = TestServer::start().await;
    let app = &server.app;
    let author = server.person("Author", UnitId::ORGANISATION).await;
    let refused = async |files: &Files, says: &str| {
        let refusal = publish::propose(app, author, files, says, None).await.unwrap_err();
        format!("{refusal:?}")
    };
    assert!(refused(&shipped::remote_work(), "The same.").await.contains("policy-number"));
    assert!(refused(&next_version(), "  ").await.contains("policy-says"));
    let mut broken = next_version();
    broken.insert("rules/new.md".to_owned(), "no rule".to_owned());
    assert!(refused(&broken, "x").await.contains("rules/new.md:1:1"));
    let mut untested = next_version();
    untested.remove("tests/disk-encrypted.toml");
    assert!(refused(&untested, "x").await.contains("tests/disk-encrypted.toml"));
    assert!(app.store.policy_drafts().await.unwrap().is_empty());
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rc_9_everybody_confirms_the_exact_text_and_is_shown_what_changed() {
    let server = TestServer::start().await;
    let app = &server.app;
    let all = UnitId::ORGANISATION;
    let sam = server.person("Sam", all).await;
    let coordinator = server.person("Cora", all).await;
    server.give(coordinator, Role::Coordinator, all).await;
    let session = server.sign_in(sam).await;
    jobs::once(app).await;
    let finding = async |rule: &str| {
        let all = app.store.subject_findings(Subject::Person, &sam.to_string()).await.unwrap();
        all.into_iter().find(|finding| finding.rule == rule).map(|finding| finding.outcome)
    };
    assert_eq!(finding("policy-acknowledged").await, Some(Outcome::Fail));
    assert_eq!(finding("training-current").await, Some(Outcome::Unknown));
    let home = server.get("/home", &session).await.body;
    assert!(home.contains("Read what changed in the policy and confirm it"), "{home}");

    let page = server.get("/policy", &session).await.body;
    assert!(page.contains("You have not confirmed this policy yet."));
    let wrong = server.post("/policy/confirm", &session, "digest=sha256:0").await;
    assert!(wrong.status == 422 && wrong.body.contains("Another version came into force"));
    let digest = app.pack().digest.clone();
    let unsure = format!("digest={digest}&answer-0=0&answer-1=0");
    let unsure = server.post("/policy/confirm", &session, &unsure).await;
    assert!(
        unsure.status == 422 && unsure.body.contains("That is not what the policy says"),
        "{}",
        unsure.body
    );
    assert_eq!(unsure.body.matches("It stands in:").count(), 1, "where it can be read, and only there");
    assert_eq!(finding("policy-acknowledged").await, Some(Outcome::Fail));
    let done =
        server.post("/policy/confirm", &session, &format!("digest={digest}&answer-0=1&answer-1=0")).await;
    assert_eq!(done.status, 303);
    assert_eq!(finding("policy-acknowledged").await, Some(Outcome::Pass), "at once");
    assert!(server.get("/policy", &session).await.body.contains("You confirmed this text on"));
    let head = app.store.ledger_head().await.unwrap();
    let subject = format!("policy:{digest}");
    let entries = app.store.ledger_newest(Some(&subject), head.size, 50).await.unwrap();
    let confirmed: Vec<_> = entries.iter().filter(|entry| entry.kind == "policy.confirmed").collect();
    assert_eq!(confirmed.len(), 1);
    assert!(confirmed[0].text.contains(&digest) && confirmed[0].text.contains(&sam.to_string()));
    confirm::confirm(app, sam, &digest, &RIGHT).await.unwrap();
    assert_eq!(app.store.ledger_head().await.unwrap().size, head.size, "twice is once");

    // The next version asks again, gives its own time, and shows what changed since.
    let other = server.person("Other", all).await;
    let id = publish::propose(app, coordinator, &next_version(), "A day to encrypt.", None).await.unwrap();
    publish::approve(app, other, id, 1).await.unwrap();
    jobs::once(app).await;
    server.pass(2 * MINUTE);
    jobs::once(app).await;
    assert_eq!(finding("policy-acknowledged").await, Some(Outcome::Fail));
    let page = server.get("/policy", &session).await.body;
    assert!(
        page.contains("Asks for more.") && page.contains("Time to mend it: 3 days before, 1 day now."),
        "{page}"
    );
    assert!(page.contains("Asked for no more.") && page.contains("A day to encrypt."));
    assert_eq!(app.store.reached(&app.pack().digest).await.unwrap(), (3, 0));

    // Who is missing is named, with why.
    let reader = server.sign_in(coordinator).await;
    let page = server.get("/policy/reach", &reader).await.body;
    assert!(page.contains("Sam") && page.contains("Was told; still has time"), "{page}");
    for person in [sam, coordinator] {
        confirm::confirm(app, person, &app.pack().digest, &RIGHT).await.unwrap();
    }
    directory::set_state(app, other, Employment::OnLeave, None, "test").await.unwrap();
    let page = server.get("/policy/reach", &reader).await.body;
    assert!(page.contains("On leave") && !page.contains("Sam"), "{page}");
    confirm::confirm(app, other, &app.pack().digest, &RIGHT).await.unwrap();
    let page = server.get("/policy/reach", &reader).await.body;
    assert!(page.contains("3 of 3 have confirmed it."), "{page}");
    // Every version stays readable.
    let old = server.get(&format!("/policy/versions/{digest}"), &session).await;
    assert!(old.status == 200 && old.body.contains("remote-work 5") && old.body.contains("clock"));
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opm_s4_the_organisation_is_judged_by_its_own_records() {
    let server = TestServer::start().await;
    let app = &server.app;
    let all = UnitId::ORGANISATION;
    let coordinator = server.person("Cora", all).await;
    let other = server.person("Other", all).await;
    let id =
        publish::propose(app, coordinator, &shipped::telework_government(), "The law.", None).await.unwrap();
    publish::approve(app, other, id, 1).await.unwrap();
    jobs::once(app).await;
    server.pass(2 * MINUTE);
    jobs::once(app).await;
    let finding = async |rule: &str| {
        let all = app.store.subject_findings(Subject::Organisation, subjects::ORGANISATION).await.unwrap();
        let found = all.into_iter().find(|finding| finding.rule == rule).unwrap();
        (found.outcome, found.observed)
    };
    assert_eq!(finding("rules-have-controls").await, (Outcome::Pass, "0 rules without one".to_owned()));
    assert_eq!(finding("coordinator-named").await.0, Outcome::Fail);
    assert_eq!(finding("looks-have-a-purpose").await.0, Outcome::Pass);
    assert_eq!(finding("backup-made").await.0, Outcome::Unknown, "never made is not made");
    assert_eq!(finding("policy-reviewed").await.0, Outcome::Pass);
    assert_eq!(finding("everybody-reached").await.0, Outcome::Pass, "there is still time");
    assert_eq!(finding("equipment-planned").await.0, Outcome::Unknown);

    server.give(coordinator, Role::Coordinator, all).await;
    server.pass(15 * DAY);
    jobs::once(app).await;
    assert_eq!(finding("coordinator-named").await, (Outcome::Pass, "1 coordinators".to_owned()));
    assert_eq!(finding("everybody-reached").await, (Outcome::Fail, "2 past their time".to_owned()));
    server.pass(351 * DAY);
    jobs::once(app).await;
    assert_eq!(finding("policy-reviewed").await.0, Outcome::Fail);
    let session = server.sign_in(coordinator).await;
    let page = server.get("/policy", &session).await.body;
    assert!(page.contains("The review of this policy is overdue."));
    let form = "took_part=Cora&considered=Losses&outcome=kept&words=";
    assert_eq!(server.post("/policy/reviews", &session, form).await.status, 303);
    assert_eq!(finding("policy-reviewed").await.0, Outcome::Pass);
    let missing = server.post("/policy/reviews", &session, "took_part=&considered=&outcome=").await;
    assert!(missing.status == 422 && missing.body.contains("Choose one of the two."));
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_if_says_who_would_stand_worse_and_changes_nothing() {
    let server = TestServer::start().await;
    let app = &server.app;
    let unit = server.unit("Archive", UnitId::ORGANISATION).await;
    let sam = server.person("Sam", unit).await;
    let cora = server.person("Cora", UnitId::ORGANISATION).await;
    server.give(cora, Role::Coordinator, UnitId::ORGANISATION).await;
    let device = server.device(sam, 1).await;
    let mut files = next_version();
    // Nobody has so few administrators: every device fails, and has its grace.
    let text = files.get_mut("pack.toml").unwrap();
    *text = text.replace("administrators = { value = 2", "administrators = { value = -1");
    files.remove("tests/few-administrators.toml");
    let pack = std::sync::Arc::new(stead_policy::Pack::load(&files).unwrap());
    let size = app.store.ledger_head().await.unwrap().size;
    let tried = what_if::try_out(app, std::sync::Arc::clone(&pack), |_| ()).await.unwrap();
    assert_eq!((tried.devices.judged, tried.unread, tried.more), (1, 0, 0));
    let worse = &tried.worse[0];
    assert_eq!((worse.device, worse.before, worse.after), (device, Standing::Good, Standing::Due));
    assert_eq!(
        (worse.unit.as_str(), worse.rules.as_slice()),
        ("Archive", ["few-administrators".to_owned()].as_slice())
    );
    let grace = pack.rule("few-administrators").unwrap().grace;
    assert_eq!(worse.lapses_at, Some(app.now().plus(grace)), "and from when on");
    assert_eq!(tried.devices.moved(Standing::Good, Standing::Due), 1);
    let file = String::from_utf8(what_if::csv(&tried).unwrap()).unwrap();
    assert!(file.contains("\"Archive\",\"Sam\",") && file.contains("few-administrators"), "{file}");
    let same = what_if::try_out(app, app.pack(), |_| ()).await.unwrap();
    assert!(same.worse.is_empty(), "what is in force changes nobody");
    assert_eq!(app.store.ledger_head().await.unwrap().size, size, "nothing was changed");

    // On the page, for those who may write the policy.
    let id = publish::propose(app, cora, &next_version(), "A day to encrypt.", None).await.unwrap();
    let session = server.sign_in(cora).await;
    let wait = server.get(&format!("/policy/proposals/{id}/try"), &session).await;
    assert!(wait.status == 200 && wait.body.contains("<progress"), "{}", wait.body);
    let page = loop {
        let page = server.get(&format!("/policy/proposals/{id}/try"), &session).await;
        if !page.body.contains("<progress") {
            break page;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert!(page.status == 200 && page.body.contains("No device would stand worse"), "{}", page.body);
    let done = server.get(&format!("/policy/proposals/{id}/try/progress"), &session).await;
    assert!(done.again, "the page asks for itself again");
    assert!(page.body.contains("Archive"));
    let file = server.get(&format!("/policy/proposals/{id}/try.csv"), &session).await;
    assert!(file.body.starts_with("\"unit\",\"person\",\"device\""));
    server.is_whole().await;
}

//! Exceptions, cases, terms of one person and stages, with a clock of the test's own.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod support;

use stead_model::{
    DeviceId, Millis, Outcome, PersonId, Role, Stage, Standing, Subject, UnitId,
    time::{DAY, HOUR, MINUTE},
};
use stead_policy::{pack::Files, shipped};
use stead_server::{
    clearance::{self, Open},
    flows::{
        cases::{self, Decision},
        check_in,
        directory::{self, Told},
        policy::{own_terms, publish},
    },
    jobs, things,
};
use stead_store::{case::State, finding::StoredFinding};
use stead_testkit::device::{good_facts_at, text};
use support::TestServer;

/// An organisation with somebody whose disk is clear, and those who answer for them.
struct World {
    server: TestServer,
    sam: PersonId,
    manager: PersonId,
    coordinator: PersonId,
    security: PersonId,
    device: stead_testkit::SimDevice,
}

impl World {
    async fn start() -> Self {
        let server = TestServer::start().await;
        let all = UnitId::ORGANISATION;
        let sales = server.unit("Sales", all).await;
        let sam = server.person("Sam", sales).await;
        let manager = server.person("Mona", all).await;
        server.give(manager, Role::Manager, sales).await;
        let coordinator = server.person("Cora", all).await;
        server.give(coordinator, Role::Coordinator, all).await;
        let security = server.person("Sec", all).await;
        server.give(security, Role::Security, all).await;
        let device = server.sim_device(sam, 1).await;
        Self { server, sam, manager, coordinator, security, device }
    }

    /// The device reports, with or without an encrypted disk.
    async fn report(&mut self, encrypted: bool) {
        let now = self.server.app.now();
        let mut facts = good_facts_at(now);
        if !encrypted {
            let volumes = facts.get_mut("device.volumes").unwrap();
            let said = serde_json::to_string(volumes).unwrap();
            *volumes =
                serde_json::from_str(&said.replace("\"encrypted\":true", "\"encrypted\":false")).unwrap();
        }
        let envelope = self.device.report(&facts, now);
        check_in::check_in(&self.server.app, &text(&envelope)).await.unwrap();
    }

    async fn finding(&self, rule: &str) -> Option<StoredFinding> {
        let all = self.server.app.store.findings(self.device.id).await.unwrap();
        all.into_iter().find(|finding| finding.rule == rule)
    }

    async fn standing(&self) -> Standing {
        self.server.app.store.device(self.device.id).await.unwrap().unwrap().standing
    }

    /// The device reports a screen that locks after ten minutes.
    async fn report_slow_lock(&mut self) {
        let now = self.server.app.now();
        let mut facts = good_facts_at(now);
        let ten = stead_model::Value::One(stead_model::Scalar::Int(600));
        facts.insert("device.screen.lock_after".to_owned(), stead_model::Fact::known(ten, "test"));
        let envelope = self.device.report(&facts, now);
        check_in::check_in(&self.server.app, &text(&envelope)).await.unwrap();
    }

    /// Whether restricted work is open to them now.
    async fn restricted(&self) -> Open {
        let app = &self.server.app;
        let person = app.store.person(self.sam).await.unwrap().unwrap();
        let held = things::held(app, &person).await.unwrap();
        let windows = clearance::windows(&app.pack(), person.state, &held, &[], app.now());
        windows.into_iter().find(|window| window.tier == "restricted").unwrap().open
    }

    /// Time goes by, an hour at a time, with a device that is heard.
    async fn days(&mut self, days: i64, encrypted: bool) {
        for _ in 0..days {
            self.server.pass(DAY);
            self.report(encrypted).await;
            jobs::once(&self.server.app).await;
        }
    }

    async fn case(&self) -> stead_store::case::Case {
        self.server.app.store.cases_of(self.sam).await.unwrap().remove(0)
    }
}

const ASK: &str =
    "rule=disk-encrypted&reason=The+new+disk+comes+next+week&instead=It+stays+in+the+office&until=";

fn day(at: Millis) -> String {
    at.to_string()[..10].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn rc_8_an_exception_is_asked_decided_by_somebody_else_and_ends_at_its_minute() {
    let mut w = World::start().await;
    let app = w.server.app.clone();
    w.report(false).await;
    w.days(4, false).await;
    assert_eq!((w.standing().await, w.restricted().await), (Standing::Lapsed, Open::Not));

    let session = w.server.sign_in(w.sam).await;
    let form = w.server.get(&format!("/people/{}/exceptions/new?rule=disk-encrypted", w.sam), &session).await;
    assert!(form.status == 200 && form.body.contains("Ask for an exception: Your disk is encrypted"));
    let address = format!("/people/{}/exceptions", w.sam);
    let too_long = format!("{ASK}{}&device={}", day(app.now().plus(200 * DAY)), w.device.id);
    let refused = w.server.post(&address, &session, &too_long).await;
    assert!(refused.status == 422 && refused.body.contains("within 90 days"), "{}", refused.body);
    assert!(refused.body.contains("The new disk comes next week"), "nothing is lost");
    let asked = format!("{ASK}{}&device={}", day(app.now().plus(10 * DAY)), w.device.id);
    let one = w.server.post(&address, &session, &asked).await.location;
    let again = w.server.post(&address, &session, &asked).await;
    assert!(again.status == 422 && again.body.contains("waits to be decided already"));

    // Not by themselves, not by a coordinator: the rule prevents much harm.
    let grant = "answer=grant&words=Until+the+new+disk+is+there";
    assert_eq!(w.server.post(&format!("{one}/decide"), &session, grant).await.status, 403);
    let by = async |person| {
        let session = w.server.sign_in(person).await;
        w.server.post(&format!("/people/{}/look", w.sam), &session, "purpose=follow-up").await;
        let page = w.server.get(&one, &session).await;
        assert!(page.body.contains("The new disk comes next week"), "{}", page.body);
        w.server.post(&format!("{one}/decide"), &session, grant).await
    };
    assert_eq!(by(w.coordinator).await.status, 403);
    let given = by(w.security).await;
    assert_eq!(given.status, 303, "{}", given.body);

    let finding = w.finding("disk-encrypted").await.unwrap();
    assert_eq!((finding.outcome, w.standing().await), (Outcome::Excepted, Standing::Good), "at once");
    let until = finding.due.unwrap();
    assert_eq!(w.restricted().await, Open::Until(until));
    assert!(w.server.get(&format!("/devices/{}", w.device.id), &session).await.body.contains("Excepted"));

    // It holds to its minute, and not a minute longer, whether anything has looked or not.
    let left = until.since(app.now());
    w.server.pass(left - MINUTE);
    w.report(false).await;
    jobs::once(&app).await;
    assert_eq!((w.standing().await, w.restricted().await), (Standing::Good, Open::Until(until)));
    w.server.pass(MINUTE);
    assert_eq!(w.restricted().await, Open::Not, "before any job has run");
    jobs::once(&app).await;
    assert_eq!(w.standing().await, Standing::Lapsed);
    assert_eq!(w.finding("disk-encrypted").await.unwrap().outcome, Outcome::Fail);
    let session = w.server.sign_in(w.sam).await;
    assert!(w.server.get(&one, &session).await.body.contains("Ended"));

    // The case that the exception ended is followed by another.
    let cases = app.store.cases_of(w.sam).await.unwrap();
    let outcomes: Vec<_> = cases.iter().map(|case| case.outcome.as_str()).collect();
    assert_eq!(outcomes, ["", "excepted"]);

    // A clock that is set back brings it not back, and closes no case.
    w.server.pass(-2 * DAY);
    jobs::once(&app).await;
    assert_eq!(w.finding("disk-encrypted").await.unwrap().outcome, Outcome::Fail);
    assert_eq!(w.case().await.closed_at, None);
    let entries =
        app.store.ledger_newest(Some(&format!("person:{}", w.sam)), u64::MAX >> 1, 50).await.unwrap();
    let kinds: Vec<_> =
        entries.iter().map(|entry| entry.kind.as_str()).filter(|k| k.starts_with("exc")).collect();
    assert_eq!(kinds, ["exception.ended", "exception.granted", "exception.asked"]);
    assert!(entries.iter().all(|entry| !entry.text.contains("new disk")), "words stay outside");
}

#[tokio::test(flavor = "multi_thread")]
async fn rc_8_a_case_goes_from_the_person_to_a_human_who_decides() {
    let mut w = World::start().await;
    let app = w.server.app.clone();
    w.report(false).await;
    w.days(2, false).await;
    assert!(app.store.cases_of(w.sam).await.unwrap().is_empty(), "not before the grace ends");
    w.days(2, false).await;
    let case = w.case().await;
    assert_eq!(
        (case.state, case.rule.as_str(), app.store.cases_of(w.sam).await.unwrap().len()),
        (State::Told, "disk-encrypted", 1)
    );
    let evidence = case.evidence.clone();
    jobs::notices(&app).await;
    let told = async |person| {
        let notices = app.store.notices(person, 50).await.unwrap();
        notices.into_iter().map(|notice| notice.say).filter(|say| say.contains("case")).collect::<Vec<_>>()
    };
    assert_eq!((told(w.sam).await, told(w.manager).await), (vec!["notice-case".to_owned()], vec![]));
    // Before the manager is told, they see nothing of it.
    let manager = w.server.sign_in(w.manager).await;
    w.server.post(&format!("/people/{}/look", w.sam), &manager, "purpose=follow-up").await;
    assert_eq!(w.server.get(&format!("/cases/{}", case.id), &manager).await.status, 404);

    w.days(3, false).await;
    assert_eq!(w.case().await.state, State::Manager);
    jobs::notices(&app).await;
    assert_eq!(told(w.manager).await, ["notice-case-team"]);
    let manager = w.server.sign_in(w.manager).await;
    w.server.post(&format!("/people/{}/look", w.sam), &manager, "purpose=follow-up").await;
    let page = w.server.get(&format!("/cases/{}", case.id), &manager).await;
    assert!(page.status == 200 && !page.body.contains("Open a disciplinary step"), "managers do not decide");
    assert_eq!(
        w.server.post(&format!("/cases/{}/decide", case.id), &manager, "decision=open").await.status,
        403
    );

    w.days(4, false).await;
    let asked = w.case().await;
    assert_eq!((asked.state, asked.decider), (State::Decision, Some(w.coordinator)));
    assert_eq!(asked.evidence, evidence, "what was seen stays as it was seen");
    // However long it waits, nothing is decided by itself.
    w.days(30, false).await;
    assert_eq!(w.case().await.state, State::Decision);
    jobs::notices(&app).await;
    assert!(told(w.coordinator).await.contains(&"notice-case-decide".to_owned()));
    let overdue = app.store.subject_findings(Subject::Organisation, "organisation").await.unwrap();
    let overdue = overdue.into_iter().find(|finding| finding.rule == "cases-decided").unwrap();
    assert_eq!((overdue.outcome, overdue.observed.as_str()), (Outcome::Fail, "1 overdue"));

    let say = "The disk is still clear after five weeks";
    let wrong = cases::decide(&app, w.security, case.id, &Decision::Open, say).await.unwrap_err();
    assert!(format!("{wrong:?}").contains("case-not-yours"), "{wrong:?}");
    let wrong = cases::decide(&app, w.coordinator, case.id, &Decision::Sanction(0), say).await.unwrap_err();
    assert!(
        format!("{wrong:?}").contains("case-elsewhere"),
        "nothing before the person was heard: {wrong:?}"
    );
    let wrong = cases::decide(&app, w.coordinator, case.id, &Decision::Open, "").await.unwrap_err();
    assert!(format!("{wrong:?}").contains("case-say"), "reasons: {wrong:?}");
    cases::decide(&app, w.coordinator, case.id, &Decision::Open, say).await.unwrap();

    let session = w.server.sign_in(w.sam).await;
    let page = w.server.get(&format!("/cases/{}", case.id), &session).await.body;
    assert!(page.contains(say) && page.contains("A disciplinary step is open about you"), "{page}");
    let answer = "words=The+new+disk+was+ordered+and+has+not+come";
    assert_eq!(w.server.post(&format!("/cases/{}/answer", case.id), &session, answer).await.status, 303);
    assert_eq!(w.case().await.state, State::Answered);
    let why = "It was ordered late, and nobody asked for an exception";
    cases::decide(&app, w.coordinator, case.id, &Decision::Sanction(1), why).await.unwrap();
    let decided = w.case().await;
    assert_eq!((decided.state, decided.sanction.as_str()), (State::Decided, "A written warning"));

    // The rule is kept again: a step that was opened ends by a person alone.
    w.days(1, true).await;
    assert!(w.case().await.mended_at.is_some() && w.case().await.state == State::Decided);
    let session = w.server.sign_in(w.sam).await;
    let appeal = "words=I+asked+twice+for+the+disk";
    assert_eq!(w.server.post(&format!("/cases/{}/appeal", case.id), &session, appeal).await.status, 303);
    let appealed = w.case().await;
    assert_eq!((appealed.state, appealed.second), (State::Appeal, Some(w.security)), "somebody else");
    let worse = cases::decide(&app, w.security, case.id, &Decision::Change(2), why).await.unwrap_err();
    assert!(format!("{worse:?}").contains("case-milder"), "{worse:?}");
    let milder = "The order was late through no fault of theirs";
    cases::decide(&app, w.security, case.id, &Decision::Change(0), milder).await.unwrap();
    let over = w.case().await;
    assert_eq!(
        (over.state, over.outcome.as_str(), over.sanction.as_str()),
        (State::Closed, "changed", "A spoken warning")
    );
    assert_eq!(over.evidence, evidence);
    let page = w.server.get(&format!("/cases/{}", case.id), &session).await.body;
    assert!(page.contains(milder) && page.contains("Milder sanction on appeal"));

    // The ledger proves every step and holds none of the words.
    let entries =
        app.store.ledger_newest(Some(&format!("person:{}", w.sam)), u64::MAX >> 1, 100).await.unwrap();
    let mut kinds: Vec<_> =
        entries.iter().map(|entry| entry.kind.as_str()).filter(|k| k.starts_with("case")).collect();
    kinds.reverse();
    assert_eq!(
        kinds,
        [
            "case.opened",
            "case.manager",
            "case.decision",
            "case.step",
            "case.answered",
            "case.decided",
            "case.mended",
            "case.appealed",
            "case.closed"
        ]
    );
    assert!(entries.iter().all(|entry| !entry.text.contains("disk was") && !entry.text.contains("warning")));
    let opened = entries.iter().find(|entry| entry.kind == "case.opened").unwrap();
    let opened: serde_json::Value = serde_json::from_str(&opened.text).unwrap();
    assert!(cases::is_as_committed(&over, opened["data"]["evidence"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn rc_8_a_case_that_is_mended_closes_with_word_to_whoever_knew() {
    let mut w = World::start().await;
    let app = w.server.app.clone();
    w.report(false).await;
    w.days(7, false).await;
    assert_eq!(w.case().await.state, State::Manager);
    w.days(1, true).await;
    let case = w.case().await;
    assert_eq!((case.state, case.outcome.as_str()), (State::Closed, "mended"));
    jobs::notices(&app).await;
    for (person, say) in [(w.sam, "notice-case-closed"), (w.manager, "notice-case-over")] {
        let notices = app.store.notices(person, 50).await.unwrap();
        assert!(notices.iter().any(|notice| notice.say == say), "{say}");
    }
    // Not kept again is another case, with its own time.
    w.days(4, false).await;
    assert_eq!(app.store.cases_of(w.sam).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn opm_e5_terms_of_one_person_bind_them_alone() {
    let mut w = World::start().await;
    let app = w.server.app.clone();
    w.report_slow_lock().await;
    let other = w.server.person("Other", UnitId::ORGANISATION).await;
    let theirs: DeviceId = w.server.device(other, 2).await;
    let wrong = own_terms::bind(&app, w.coordinator, w.sam, "disk-encrypted", "As agreed").await.unwrap_err();
    assert!(format!("{wrong:?}").contains("term-rule"), "{wrong:?}");
    assert!(w.finding("own-quick-lock").await.is_none());
    let term = own_terms::bind(&app, w.coordinator, w.sam, "own-quick-lock", "As agreed").await.unwrap();
    let finding = w.finding("own-quick-lock").await.unwrap();
    assert_eq!(
        (finding.outcome, w.standing().await),
        (Outcome::Fail, Standing::Due),
        "at once, with its grace"
    );
    let others = app.store.findings(theirs).await.unwrap();
    assert!(others.iter().all(|finding| finding.rule != "own-quick-lock"));
    w.server.pass(2 * DAY + HOUR);
    jobs::once(&app).await;
    assert_eq!(w.standing().await, Standing::Lapsed);
    assert_eq!(app.store.cases_of(w.sam).await.unwrap().len(), 1, "judged as any other");
    own_terms::release(&app, w.coordinator, w.sam, term).await.unwrap();
    assert_eq!((w.finding("own-quick-lock").await.is_none(), w.standing().await), (true, Standing::Good));
    assert_eq!(app.store.tallies().await.unwrap().get("rule/own-quick-lock/fail"), Some(&0));
    w.server.pass(MINUTE);
    jobs::once(&app).await;
    assert_eq!(app.store.cases_of(w.sam).await.unwrap()[0].outcome, "moot");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_rolled_out_by_unit_and_day() {
    let mut w = World::start().await;
    let app = w.server.app.clone();
    let elsewhere = w.server.person("Elsa", UnitId::ORGANISATION).await;
    w.report(false).await;
    let mut files: Files = shipped::remote_work();
    let manifest = files.get_mut("pack.toml").unwrap();
    *manifest = manifest.replace("version = 5", "version = 6");
    let first = day(app.now().plus(5 * DAY));
    manifest.push_str(&format!(
        "[[rollout]]\nrules = [\"disk-encrypted\"]\nstage = \"advise\"\n\
         [[rollout]]\nrules = [\"disk-encrypted\"]\nunit = \"Sales\"\nstage = \"enforce\"\nfrom = \"{first}\"\n"
    ));
    let id = publish::propose(&app, w.coordinator, &files, "Sales first.", None).await.unwrap();
    publish::approve(&app, w.security, id, 1).await.unwrap();
    jobs::once(&app).await;
    let finding = w.finding("disk-encrypted").await.unwrap();
    assert_eq!((finding.stage, finding.due, w.standing().await), (Stage::Advise, None, Standing::Good));
    w.days(6, false).await;
    let finding = w.finding("disk-encrypted").await.unwrap();
    assert_eq!((finding.stage, w.standing().await), (Stage::Enforce, Standing::Due), "with all of its grace");
    assert!(finding.due.unwrap().since(app.now()) > DAY);
    // Whoever is somewhere else is told, and nothing closes.
    let theirs = app.terms().of_device(w.device.id, elsewhere);
    let pack = app.pack();
    assert_eq!(theirs.stage(&pack, pack.rule("disk-encrypted").unwrap(), app.now()), Stage::Advise);
    // Whoever moves there or away is judged under what applies there, at once.
    let moved = Told {
        name: "Sam".to_owned(),
        email: "sam@stead.example".to_owned(),
        unit: Some(UnitId::ORGANISATION),
        ..Told::default()
    };
    directory::change(&app, w.sam, &moved, "test").await.unwrap();
    jobs::once(&app).await;
    let finding = w.finding("disk-encrypted").await.unwrap();
    assert_eq!((finding.stage, w.standing().await), (Stage::Advise, Standing::Good));
    let page = w.server.get("/rules/disk-encrypted", &w.server.sign_in(elsewhere).await).await.body;
    assert!(page.contains("Rolled out in steps") && page.contains("Sales: Enforced"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_hold_those_whom_one_answers_for_and_nobody_elses_crowd_them_out() {
    let mut w = World::start().await;
    let app = w.server.app.clone();
    let lead = w.server.person("Lena", UnitId::ORGANISATION).await;
    let manages = Told {
        name: "Sam".to_owned(),
        email: "sam@stead.example".to_owned(),
        manager: Some(lead),
        ..Told::default()
    };
    directory::change(&app, w.sam, &manages, "test").await.unwrap();
    let elsewhere = w.server.unit("Elsewhere", UnitId::ORGANISATION).await;
    let other = w.server.person("Otto", UnitId::ORGANISATION).await;
    w.server.give(other, Role::Coordinator, elsewhere).await;
    w.report(false).await;
    w.days(8, false).await;
    let case = w.case().await;
    let link = format!("/cases/{}", case.id);
    for (who, sees) in [(lead, true), (w.manager, true), (w.coordinator, true), (other, false)] {
        let session = w.server.sign_in(who).await;
        let page = w.server.get("/cases", &session).await;
        assert_eq!(page.body.contains(&link), sees, "{}", page.body);
    }
    // Two hundred newer ones of other people leave it on the list of who answers for it.
    let ask = format!("{ASK}{}&device={}", day(app.now().plus(9 * DAY)), w.device.id);
    let coordinator = w.server.sign_in(w.coordinator).await;
    w.server.post(&format!("/people/{}/look", w.sam), &coordinator, "purpose=follow-up").await;
    let asked = w.server.post(&format!("/people/{}/exceptions", w.sam), &coordinator, &ask).await;
    assert_eq!(asked.status, 303, "{}", asked.body);
    let sams = app.store.exceptions_of(w.sam).await.unwrap().remove(0);
    w.server.pass(MINUTE);
    let mut write = app.store.write().await.unwrap();
    for n in 0..201_u64 {
        let id = stead_model::RecordId::from_parts(
            app.now(),
            (u128::from(n) << 8).to_be_bytes()[6..].try_into().unwrap(),
        );
        let more = stead_store::exception::Exception { id, person: other, asked_by: other, ..sams.clone() };
        write.add_exception(&more).await.unwrap();
    }
    write.commit(&app.keys.ledger).await.unwrap();
    let session = w.server.sign_in(lead).await;
    let page = w.server.get("/exceptions", &session).await;
    assert!(page.body.contains(&format!("/exceptions/{}", sams.id)), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_steps_name_keeps_its_name() {
    let w = World::start().await;
    let app = &w.server.app;
    let mut files: Files = shipped::remote_work();
    let manifest = files.get_mut("pack.toml").unwrap();
    *manifest = manifest.replace("version = 5", "version = 6");
    manifest.push_str("[[rollout]]\nrules = [\"disk-encrypted\"]\nunit = \"Sales\"\nstage = \"advise\"\n");
    let id = publish::propose(app, w.coordinator, &files, "Sales first.", None).await.unwrap();
    publish::approve(app, w.security, id, 1).await.unwrap();
    jobs::once(app).await;
    let sales = app.store.person(w.sam).await.unwrap().unwrap().unit;
    let refused = directory::units::change(app, sales, "Selling", None, "test").await.unwrap_err();
    assert!(format!("{refused:?}").contains("unit-named"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rc_0_each_line_of_the_documents_opens_its_evidence() {
    let mut w = World::start().await;
    w.report(false).await;
    let session = w.server.sign_in(w.security).await;
    let page = w.server.get("/proof/RC-2", &session).await;
    assert!(page.status == 200 && page.body.contains("Fail"), "{}", page.body);
    // The entry that it names is about that device and that rule.
    let entry =
        page.body.split("href=\"/ledger/entries/").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut texts = Vec::new();
    for index in entry {
        let opened = w.server.get(&format!("/ledger/entries/{index}"), &session).await;
        assert_eq!(opened.status, 200, "each link leads to its entry");
        texts.push(w.server.app.store.ledger_entry(index.parse().unwrap()).await.unwrap().unwrap().text);
    }
    let device = w.device.id.to_string();
    assert!(
        texts.iter().any(|text| text.contains(&device) && text.contains("\"rule\":\"disk-encrypted\"")),
        "{texts:?}"
    );
    // Whoever may not see single devices sees the numbers and the text.
    let session = w.server.sign_in(w.sam).await;
    let page = w.server.get("/proof/RC-2", &session).await;
    assert!(page.status == 200 && !page.body.contains(&device), "{}", page.body);
    assert_eq!(w.server.get("/proof/RC-99", &session).await.status, 404);
}

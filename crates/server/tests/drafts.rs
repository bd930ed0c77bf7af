//! Drafts: the next version is written by several people, no edit is lost, what does not lint is not proposed,
//! and nothing that came into force meanwhile is undone.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use std::collections::BTreeMap;

use stead_model::{PersonId, RecordId, Role, UnitId, time::DAY};
use stead_policy::shipped;
use stead_server::{
    error::Refusal,
    flows::policy::{
        self, diff,
        drafts::{self, Edit, mark},
        publish, review,
    },
};
use support::TestServer;

const RULE: &str = "rules/disk-encrypted.md";

/// An edit of a file from the text that a draft has now.
async fn edit(server: &TestServer, id: RecordId, path: &str, from: &str, to: &str) -> Edit {
    let open = drafts::open(&server.app, id).await.unwrap();
    let text = open.text(path);
    assert!(text.contains(from), "{path}: {from}");
    Edit { path: path.to_owned(), was: mark(text), text: text.replacen(from, to, 1) }
}

/// Lets a proposal be published as it is now.
async fn approve(server: &TestServer, by: PersonId, id: RecordId) -> Result<(), Refusal> {
    let revision = server.app.store.policy_draft(id).await.unwrap().unwrap().revision;
    publish::approve(&server.app, by, id, revision).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rc_9_a_draft_is_written_by_several_and_published_by_another() {
    let server = TestServer::start().await;
    let app = &server.app;
    let all = UnitId::ORGANISATION;
    let [ana, ben, cleo] =
        [server.person("Ana", all).await, server.person("Ben", all).await, server.person("Cleo", all).await];
    let id = drafts::begin(app, ana).await.unwrap();
    let open = drafts::open(app, id).await.unwrap();
    assert!(open.text("pack.toml").contains("version = 6"), "the next number is given");
    let untouched = publish::look_through(open.files.clone()).await.unwrap().sound().unwrap();
    assert!(diff::between(&app.pack(), &untouched).is_empty(), "nothing else has changed");

    // Two people have the same text before them, and change it.
    let anas = edit(&server, id, RULE, "grace = \"P3D\"", "grace = \"P1D\"").await;
    let bens = edit(&server, id, RULE, "grace = \"P3D\"", "grace = \"P5D\"").await;
    let other = edit(&server, id, "rules/firewall-on.md", "severity = \"", "severity = \"").await;
    assert_eq!(drafts::save(app, ana, id, &anas).await.unwrap(), None);
    let theirs = drafts::save(app, ben, id, &bens).await.unwrap().unwrap();
    assert!(theirs.contains("P1D"), "Ben is shown what Ana saved");
    assert!(drafts::open(app, id).await.unwrap().text(RULE).contains("P1D"), "and nothing of hers is gone");
    // Another file is in nobody's way.
    let other = Edit { text: other.text.replace("P2D", "P1D"), ..other };
    assert_eq!(drafts::save(app, ben, id, &other).await.unwrap(), None);
    // Ben takes his over hers, knowing: what she wrote is still there to be read.
    let bens = Edit { was: mark(&theirs), ..bens };
    assert_eq!(drafts::save(app, ben, id, &bens).await.unwrap(), None);
    let earlier = app.store.draft_texts(id, RULE, 10).await.unwrap();
    let texts: Vec<_> =
        earlier.iter().map(|one| (one.by, one.text.as_ref().unwrap().contains("P1D"))).collect();
    assert_eq!(texts, [(ben, false), (ana, true), (ana, false)], "and what it said before either");

    // What does not lint is saved, and not proposed.
    let broken = edit(&server, id, RULE, "severity = \"", "severity = \"very ").await;
    drafts::save(app, ana, id, &broken).await.unwrap();
    let refused = format!("{:?}", drafts::propose(app, ana, id, "Less time.", None).await.unwrap_err());
    assert!(refused.contains(&format!("{RULE}:")), "it names file and line: {refused}");
    let mended = edit(&server, id, RULE, "severity = \"very ", "severity = \"").await;
    drafts::save(app, ana, id, &mended).await.unwrap();

    drafts::propose(app, ana, id, "Five days to encrypt.", None).await.unwrap();
    assert!(drafts::open(app, id).await.is_err(), "what is proposed is not written any more");
    for writer in [ana, ben] {
        let refused = format!("{:?}", approve(&server, writer, id).await.unwrap_err());
        assert!(refused.contains("policy-two"), "{refused}");
    }
    // Cleo wants another word first: it is a draft again, and hers to approve still. Who puts forward what others
    // wrote has a part in it.
    let read = app.store.policy_draft(id).await.unwrap().unwrap().revision;
    drafts::reopen(app, cleo, id).await.unwrap();
    let dora = server.person("Dora", all).await;
    drafts::propose(app, dora, id, "Five days to encrypt a disk.", None).await.unwrap();
    assert!(approve(&server, dora, id).await.is_err());
    let refused = publish::approve(app, cleo, id, read).await.unwrap_err();
    assert!(
        format!("{refused:?}").contains("proposal-moved"),
        "what she read is not what it is: {refused:?}"
    );
    approve(&server, cleo, id).await.unwrap();
    policy::bring_in(app).await.unwrap();
    assert_eq!(app.pack().label(), "remote-work 6");
    assert_eq!(app.pack().rule("disk-encrypted").unwrap().grace, 5 * DAY);
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_into_force_meanwhile_is_not_undone() {
    let server = TestServer::start().await;
    let app = &server.app;
    let all = UnitId::ORGANISATION;
    let [ana, ben] = [server.person("Ana", all).await, server.person("Ben", all).await];
    let id = drafts::begin(app, ana).await.unwrap();
    let own = edit(&server, id, RULE, "grace = \"P3D\"", "grace = \"P5D\"").await;
    drafts::save(app, ana, id, &own).await.unwrap();

    // Another version changes the same file, another one, and takes a third out.
    let mut files = shipped::remote_work();
    let mut change = |path: &str, from: &str, to: &str| {
        let text = files.get_mut(path).unwrap();
        *text = text.replacen(from, to, 1);
    };
    change("pack.toml", "version = 5", "version = 6");
    change(RULE, "grace = \"P3D\"", "grace = \"P1D\"");
    change("pack.toml", "backup_days = { value = 2", "backup_days = { value = 1");
    for path in ["rules/clock-right.md", "rules/clock-right.pt-BR.md", "tests/clock-right.toml"] {
        files.remove(path);
    }
    let other = publish::propose(app, ana, &files, "One day.", None).await.unwrap();
    approve(&server, ben, other).await.unwrap();
    policy::bring_in(app).await.unwrap();

    let refused = drafts::propose(app, ana, id, "Five days.", None).await.unwrap_err();
    assert!(format!("{refused:?}").contains("draft-behind"), "{refused:?}");
    let open = drafts::open(app, id).await.unwrap();
    let behind = drafts::behind(app, &open).await.unwrap().unwrap();
    let both: Vec<_> = behind.both.iter().map(|both| both.path.as_str()).collect();
    assert_eq!(both, [RULE], "one file was changed by both");
    assert!(behind.taken.contains_key("pack.toml"), "{:?}", behind.taken.keys());
    assert_eq!(behind.taken["rules/clock-right.md"], None);

    server.give(ana, Role::Coordinator, all).await;
    let page = server.get(&format!("/policy/drafts/{id}/catch-up"), &server.sign_in(ana).await).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("P5D") && page.body.contains("P1D"), "both texts: {}", page.body);
    let revision = open.draft.revision;
    let none = BTreeMap::new();
    assert!(
        drafts::bring_up(app, ana, id, (&behind.version.digest, revision), &none).await.is_err(),
        "not unread"
    );
    let texts =
        BTreeMap::from([(RULE.to_owned(), behind.both[0].ours.clone().unwrap().replace("P5D", "P2D"))]);
    assert!(
        drafts::bring_up(app, ana, id, (&behind.version.digest, revision + 1), &texts).await.is_err(),
        "moved"
    );
    drafts::bring_up(app, ana, id, (&behind.version.digest, revision), &texts).await.unwrap();
    let open = drafts::open(app, id).await.unwrap();
    assert!(open.text("pack.toml").contains("version = 7"), "and the number is the next one");
    assert!(open.text("pack.toml").contains("backup_days = { value = 1"));
    assert!(open.text("rules/clock-right.md").is_empty());
    drafts::propose(app, ana, id, "Two days.", None).await.unwrap();
    approve(&server, ben, id).await.unwrap();
    policy::bring_in(app).await.unwrap();
    assert_eq!(app.pack().rule("disk-encrypted").unwrap().grace, 2 * DAY);
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_builds_on_what_is_still_to_come() {
    let server = TestServer::start().await;
    let app = &server.app;
    let all = UnitId::ORGANISATION;
    let [ana, ben] = [server.person("Ana", all).await, server.person("Ben", all).await];
    let early = drafts::begin(app, ana).await.unwrap();
    let first = drafts::begin(app, ana).await.unwrap();
    let own = edit(&server, first, RULE, "grace = \"P3D\"", "grace = \"P1D\"").await;
    drafts::save(app, ana, first, &own).await.unwrap();
    drafts::propose(app, ana, first, "One day, from next week on.", Some(app.now().plus(7 * DAY)))
        .await
        .unwrap();
    approve(&server, ben, first).await.unwrap();
    policy::bring_in(app).await.unwrap();
    assert_eq!(app.pack().label(), "remote-work 5", "it is still to come");

    let refused = drafts::propose(app, ana, early, "Something else.", None).await.unwrap_err();
    assert!(format!("{refused:?}").contains("draft-behind"), "it would undo what is to come: {refused:?}");
    let next = drafts::begin(app, ana).await.unwrap();
    let open = drafts::open(app, next).await.unwrap();
    assert!(open.text("pack.toml").contains("version = 7") && open.text(RULE).contains("P1D"));
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_editor_says_what_is_wrong_and_shows_both_texts() {
    let server = TestServer::start().await;
    let app = &server.app;
    let all = UnitId::ORGANISATION;
    let cora = server.person("Cora", all).await;
    server.give(cora, Role::Coordinator, all).await;
    let session = server.sign_in(cora).await;
    let begun = server.post_form("/policy/drafts", &[], &session).await;
    let place = begun.location;
    let id: RecordId = place.rsplit('/').next().unwrap().parse().unwrap();
    let page = server.get(&place, &session).await;
    assert!(page.status == 200 && page.body.contains("Draft: remote-work 6"), "{}", page.body);

    // A rule from scratch: it does not lint until it says what it asks.
    let rule = [("rule", "screen-clean"), ("title", "Your screen is clean"), ("subject", "device")];
    let added = server.post_form(&format!("{place}/rules"), &rule, &session).await;
    assert_eq!(added.status, 303, "{}", added.body);
    let file = server.get(&added.location, &session).await;
    assert!(file.body.contains("Your screen is clean") && file.body.contains("data-line"), "{}", file.body);
    let twice = server.post_form(&format!("{place}/rules"), &rule, &session).await;
    assert!(twice.status == 422 && twice.body.contains("There is a rule of this name"), "{}", twice.body);

    // Said while one writes, and nothing is saved by that.
    let text = shipped::remote_work()[RULE].clone();
    let wrong = text.replace("pass = \"", "pass = \"device.nothing && ");
    let said =
        server.post_form(&format!("{place}/check"), &[("path", RULE), ("text", &wrong)], &session).await;
    assert!(said.status == 200 && said.body.contains("device.nothing"), "{}", said.body);
    assert!(said.body.contains("How it reads"), "{}", said.body);
    assert_eq!(drafts::open(app, id).await.unwrap().text(RULE), text);

    // An edit that meets another one: both are on the page, and the status says that it was not taken.
    let theirs = text.replace("grace = \"P3D\"", "grace = \"P1D\"");
    drafts::save(app, cora, id, &Edit { path: RULE.to_owned(), was: mark(&text), text: theirs })
        .await
        .unwrap();
    let mine = text.replace("grace = \"P3D\"", "grace = \"P9D\"").replace('\n', "\r\n");
    let was = mark(&text);
    let form = [("path", RULE), ("was", was.as_str()), ("text", mine.as_str())];
    let met = server.post_form(&format!("{place}/file"), &form, &session).await;
    assert_eq!(met.status, 409);
    assert!(met.body.contains("<del>grace = &#34;P1D&#34;</del>"), "{}", met.body);
    assert!(met.body.contains("<ins>grace = &#34;P9D&#34;</ins>"), "{}", met.body);

    // Files outside of a pack are none.
    for path in ["../secret", "base/rules/a.md", "rules/a/b.md"] {
        let form = [("path", path), ("was", ""), ("text", "x")];
        let refused = server.post_form(&format!("{place}/file"), &form, &session).await;
        assert!(refused.status == 422 || refused.status == 404, "{path}: {}", refused.status);
    }
    let removed =
        server.post_form(&format!("{place}/remove"), &[("path", "rules/screen-clean.md")], &session).await;
    assert_eq!(removed.status, 303);
    assert!(drafts::open(app, id).await.unwrap().text("tests/screen-clean.toml").is_empty());
    server.post_form(&format!("{place}/discard"), &[], &session).await;
    assert_eq!(server.get(&place, &session).await.status, 404);
    // Whoever was still writing is handed back what they wrote.
    let late = [("path", RULE), ("was", was.as_str()), ("text", "an hour of work")];
    let gone = server.post_form(&format!("{place}/file"), &late, &session).await;
    assert!(gone.status == 409 && gone.body.contains("an hour of work"), "{}: {}", gone.status, gone.body);
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_with_a_period_of_its_own_is_due_on_its_own() {
    let server = TestServer::start().await;
    let app = &server.app;
    let all = UnitId::ORGANISATION;
    let [ana, ben] = [server.person("Ana", all).await, server.person("Ben", all).await];
    server.give(ana, Role::Security, all).await;
    let id = drafts::begin(app, ana).await.unwrap();
    let own = edit(
        &server,
        id,
        "rules/firewall-on.md",
        "severity = ",
        "owner = \"Network team\"\nreview_every = \"P30D\"\nseverity = ",
    )
    .await;
    drafts::save(app, ana, id, &own).await.unwrap();
    drafts::propose(app, ana, id, "Looked through each month.", None).await.unwrap();
    approve(&server, ben, id).await.unwrap();
    policy::run(app).await.unwrap();
    let due = review::calendar(app).await.unwrap();
    let named: Vec<_> = due.iter().map(|due| (due.rule.as_deref(), due.owner.as_str())).collect();
    assert_eq!(named, [(Some("firewall-on"), "Network team"), (None, "Security team")]);

    assert!(!app.is_stale());
    server.pass(31 * DAY);
    policy::subjects::run(app).await.unwrap();
    assert!(app.is_stale(), "one rule is enough");
    let session = server.sign_in(ana).await;
    let page = server.get("/policy/calendar", &session).await;
    assert!(
        page.body.contains("One review is overdue") && page.body.contains("Network team"),
        "{}",
        page.body
    );

    let form = [
        ("rule", "firewall-on"),
        ("took_part", "Ana, Ben"),
        ("considered", "Findings"),
        ("outcome", "kept"),
        ("words", ""),
    ];
    let done = server.post_form("/policy/reviews", &form, &session).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert!(!app.is_stale());
    let page = server.get("/policy/calendar", &session).await;
    assert!(page.body.contains("No review is overdue"), "{}", page.body);
    // A review of the whole is one of each rule.
    server.pass(20 * DAY);
    let session = server.sign_in(ana).await;
    let form =
        [("rule", ""), ("took_part", "All"), ("considered", "All"), ("outcome", "kept"), ("words", "")];
    server.post_form("/policy/reviews", &form, &session).await;
    let due = review::calendar(app).await.unwrap();
    assert!(due.iter().all(|due| due.last == Some(app.now())), "{due:?}");

    // A rule that comes later has its own period before it: no review from before it was one of it.
    server.pass(60 * DAY);
    let id = drafts::begin(app, ana).await.unwrap();
    let open = drafts::open(app, id).await.unwrap();
    for (from, to) in [
        ("rules/firewall-on.md", "rules/firewall-too.md"),
        ("tests/firewall-on.toml", "tests/firewall-too.toml"),
    ] {
        let text = open.text(from).replace("id = \"firewall-on\"", "id = \"firewall-too\"");
        let new = Edit { path: to.to_owned(), was: mark(""), text };
        assert_eq!(drafts::save(app, ana, id, &new).await.unwrap(), None);
    }
    drafts::propose(app, ana, id, "Once more.", None).await.unwrap();
    approve(&server, ben, id).await.unwrap();
    policy::run(app).await.unwrap();
    let due = review::calendar(app).await.unwrap();
    let new = due.iter().find(|due| due.rule.as_deref() == Some("firewall-too")).unwrap();
    assert_eq!((new.last, new.at.since(app.now()) > 29 * DAY), (None, true), "{new:?}");
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_the_pack_below_keeps_its_translations_when_it_is_changed() {
    let server = TestServer::start().await;
    let app = &server.app;
    let all = UnitId::ORGANISATION;
    let [ana, ben] = [server.person("Ana", all).await, server.person("Ben", all).await];
    let id = publish::propose(app, ana, &shipped::telework_government(), "By the law.", None).await.unwrap();
    approve(&server, ben, id).await.unwrap();
    policy::bring_in(app).await.unwrap();
    let id = drafts::begin(app, ana).await.unwrap();
    let own = edit(&server, id, RULE, "grace = \"P3D\"", "grace = \"P1D\"").await;
    drafts::save(app, ana, id, &own).await.unwrap();
    let open = drafts::open(app, id).await.unwrap();
    let pack = publish::look_through(open.files).await.unwrap().sound().unwrap();
    let rule = pack.rule("disk-encrypted").unwrap();
    assert_eq!(rule.grace, DAY);
    assert_ne!(rule.text("pt-BR").title, rule.title, "it is still said in Portuguese");
    server.is_whole().await;
}

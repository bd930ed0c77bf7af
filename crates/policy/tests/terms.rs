//! What applies to one subject: exceptions, rules that bind by name, stages; and grace, which counts from when
//! a rule first counted.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

use std::collections::BTreeMap;

use stead_model::{
    Fact, Facts, Millis, Outcome, Scalar, Stage, Standing, Subject, Value,
    time::{DAY, HOUR},
};
use stead_policy::{
    Judged, Judgement, Pack, Previous, Terms,
    judge::{ReadAt, judge},
    shipped,
};

const NOW: Millis = Millis(1_780_000_000_000);

/// A pack of two rules: one for everybody with three days of grace, one that binds by name.
fn pack(rollout: &str) -> Pack {
    let mut files = shipped::remote_work();
    files.retain(|path, _| {
        !path.starts_with("rules/") || ["clock-right", "own-quick-lock"].iter().any(|id| path.contains(id))
    });
    let manifest = files.get_mut("pack.toml").unwrap();
    let end = manifest.find("# Asked of whoever").unwrap();
    manifest.truncate(end);
    manifest.push_str(rollout);
    let rule = files.get_mut("rules/clock-right.md").unwrap();
    let grace = rule.lines().find(|line| line.starts_with("grace")).unwrap().to_owned();
    let stage = rule.lines().find(|line| line.starts_with("stage")).unwrap().to_owned();
    *rule = rule.replace(&grace, "grace = \"P3D\"").replace(&stage, "stage = \"enforce\"");
    Pack::load(&files).unwrap()
}

fn facts(synchronised: bool, lock: i64) -> Facts {
    let all = [
        ("device.kind", Value::One(Scalar::Text("computer".to_owned()))),
        ("device.clock.synchronised", Value::One(Scalar::Bool(synchronised))),
        ("device.screen.lock_after", Value::One(Scalar::Int(lock))),
    ];
    all.into_iter().map(|(name, value)| (name.to_owned(), Fact::known(value, "test"))).collect()
}

fn judged(pack: &Pack, terms: &Terms, before: Option<&Judged>, now: Millis) -> Judgement {
    let read_at = ReadAt { collected: now, kept: &BTreeMap::new() };
    let previous = |rule: &str| {
        let before = before.filter(|before| pack.rules[before.rule].id == rule)?;
        Some(Previous {
            outcome: before.outcome,
            since: before.since,
            failing_since: before.failing_since,
            counts_since: before.counts_since,
        })
    };
    judge((pack, terms), Subject::Device, &facts(false, 900), &read_at, previous, now)
}

fn clock<'a>(pack: &Pack, judgement: &'a Judgement) -> &'a Judged {
    judgement.findings.iter().find(|f| pack.rules[f.rule].id == "clock-right").unwrap()
}

#[test]
fn an_exception_counts_as_a_pass_until_its_minute() {
    let pack = pack("");
    let first = judged(&pack, &Terms::default(), None, NOW);
    assert_eq!((first.standing, first.next_deadline), (Standing::Due, Some(NOW.plus(3 * DAY))));

    let until = NOW.plus(10 * DAY);
    let excepted = Terms { excepted: [("clock-right".to_owned(), until)].into(), ..Terms::default() };
    let later = NOW.plus(4 * DAY);
    let second = judged(&pack, &excepted, Some(clock(&pack, &first)), later);
    assert_eq!(clock(&pack, &second).outcome, Outcome::Excepted);
    assert_eq!((second.standing, second.next_deadline), (Standing::Good, Some(until)));
    assert_eq!(clock(&pack, &second).failing_since, Some(NOW), "what fails still fails");

    // A minute before it holds; at its minute the grace is long over.
    let before = clock(&pack, &second);
    assert_eq!(judged(&pack, &excepted, Some(before), Millis(until.0 - 1)).standing, Standing::Good);
    let over = judged(&pack, &excepted, Some(before), until);
    assert_eq!((clock(&pack, &over).outcome, over.standing), (Outcome::Fail, Standing::Lapsed));
}

#[test]
fn an_exception_that_ends_within_the_grace_takes_none_of_it() {
    let pack = pack("");
    let until = NOW.plus(HOUR);
    let excepted = Terms { excepted: [("clock-right".to_owned(), until)].into(), ..Terms::default() };
    let first = judged(&pack, &excepted, None, NOW);
    assert_eq!(clock(&pack, &first).due, Some(NOW.plus(3 * DAY)));
    let after = judged(&pack, &Terms::default(), Some(clock(&pack, &first)), until);
    assert_eq!((after.standing, after.next_deadline), (Standing::Due, Some(NOW.plus(3 * DAY))));
}

#[test]
fn a_rule_that_binds_by_name_binds_nobody_else() {
    let pack = pack("");
    let named =
        |judgement: &Judgement| judgement.findings.iter().any(|f| pack.rules[f.rule].id == "own-quick-lock");
    assert!(!named(&judged(&pack, &Terms::default(), None, NOW)));
    let bound = Terms { bound: ["own-quick-lock".to_owned()].into(), ..Terms::default() };
    assert!(named(&judged(&pack, &bound, None, NOW)));
}

#[test]
fn grace_counts_from_when_a_rule_first_counted() {
    let steps = "[[rollout]]\nrules = [\"clock-right\"]\nstage = \"advise\"\n\
        [[rollout]]\nrules = [\"clock-right\"]\nunit = \"Sales\"\nstage = \"enforce\"\n";
    let pack = pack(steps);
    let advised = judged(&pack, &Terms::default(), None, NOW);
    assert_eq!((advised.standing, clock(&pack, &advised).stage), (Standing::Good, Stage::Advise));
    assert_eq!(clock(&pack, &advised).due, None);
    // A month later it is enforced for them: they have the whole grace.
    let month = NOW.plus(30 * DAY);
    let sales = Terms { units: vec!["Sales".to_owned()], ..Terms::default() };
    let enforced = judged(&pack, &sales, Some(clock(&pack, &advised)), month);
    assert_eq!((enforced.standing, enforced.next_deadline), (Standing::Due, Some(month.plus(3 * DAY))));
    assert_eq!(clock(&pack, &enforced).failing_since, Some(NOW));
}

/// What a finding says of where it comes from: each source once, and none that merely says what the thing is; and when the
/// oldest of it was read.
#[test]
fn a_finding_names_its_evidence_and_the_oldest_of_it() {
    let pack = pack("");
    let mut facts = facts(false, 900);
    let of = |facts: &Facts, collected: Millis, kept: &[(&str, Millis)]| {
        let kept = kept.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect();
        let read_at = ReadAt { collected, kept: &kept };
        let judgement = judge((&pack, &Terms::default()), Subject::Device, facts, &read_at, |_| None, NOW);
        let found = clock(&pack, &judgement);
        (found.origin.clone(), found.at)
    };
    let collected = NOW.plus(-HOUR);
    assert_eq!(of(&facts, collected, &[]), ("test".to_owned(), collected));
    // Read before and kept; a time after the rest was collected can't be.
    let kept = [("device.clock.synchronised", NOW.plus(-DAY)), ("device.kind", NOW.plus(DAY))];
    assert_eq!(of(&facts, collected, &kept), ("test".to_owned(), NOW.plus(-DAY)));
    // What no rule asks for doesn't make a finding older.
    assert_eq!(of(&facts, collected, &[("device.screen.lock_after", NOW.plus(-DAY))]).1, collected);
    for (origin, said) in [("timedatectl", "test, timedatectl"), ("built in", "test"), ("", "test")] {
        let fact = facts.get_mut("device.clock.synchronised").unwrap();
        origin.clone_into(&mut fact.origin);
        assert_eq!(of(&facts, collected, &[]).0, said, "{origin}");
    }
}

/// A rule counts once it is enforced, and from then on.
#[test]
fn only_what_is_enforced_counts() {
    for (stage, counts) in [("observe", false), ("advise", false), ("enforce", true)] {
        let mut files = shipped::remote_work();
        files.retain(|path, _| !path.starts_with("rules/") || path.contains("clock-right"));
        let manifest = files.get_mut("pack.toml").unwrap();
        let end = manifest.find("# Asked of whoever").unwrap();
        manifest.truncate(end);
        let rule = files.get_mut("rules/clock-right.md").unwrap();
        let was = rule.lines().find(|line| line.starts_with("stage")).unwrap().to_owned();
        *rule = rule.replace(&was, &format!("stage = \"{stage}\""));
        let pack = Pack::load(&files).unwrap();
        let judgement = judged(&pack, &Terms::default(), None, NOW);
        let found = clock(&pack, &judgement);
        assert_eq!((found.outcome, found.failing_since), (Outcome::Fail, Some(NOW)), "{stage}");
        assert_eq!((found.counts_since, found.due.is_some()), (counts.then_some(NOW), counts), "{stage}");
    }
}

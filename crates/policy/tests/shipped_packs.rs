//! The packs that ship must be sound, pass their own tests, and between them ask for every line of the
//! documents.
#![expect(clippy::panic, reason = "helpers of tests: what cannot go on must stop")]

use stead_model::{Stage, Subject};
use stead_policy::{Pack, pack::Files, pack_test, requirement, shipped};

fn passes_its_own_tests(files: &Files) -> Pack {
    let pack = Pack::load(files).unwrap_or_else(|lints| {
        let all: Vec<String> =
            lints.iter().map(|l| format!("{}: {} ({})", l.place(), l.message(), l.advice())).collect();
        panic!("{}", all.join("\n"))
    });
    let outcomes = pack_test::run(&pack, files).unwrap_or_else(|lints| {
        let all: Vec<String> = lints.iter().map(|l| format!("{}: {}", l.place(), l.message())).collect();
        panic!("{}", all.join("\n"))
    });
    assert!(outcomes.failed.is_empty(), "{:?}", outcomes.failed);
    assert!(outcomes.missing.is_empty(), "{:?}", outcomes.missing);
    assert!(outcomes.passed >= 4 * pack.rules.len());
    for rule in &pack.rules {
        assert!(rule.translations.contains_key("pt-BR"), "{} in Portuguese", rule.id);
        assert!(!rule.waits() || rule.stage == Stage::Observe, "{} waits and counts", rule.id);
    }
    pack
}

#[test]
fn remote_work_passes_its_own_tests() {
    let pack = passes_its_own_tests(&shipped::remote_work());
    for line in requirement::all().iter().filter(|line| line.id.starts_with("RC-")) {
        assert!(pack.rules.iter().any(|rule| rule.requirements.contains(&line.id)), "{}", line.id);
    }
}

#[test]
fn telework_government_asks_for_every_line_of_both_documents() {
    let pack = passes_its_own_tests(&shipped::telework_government());
    for line in requirement::all() {
        assert!(pack.rules.iter().any(|rule| rule.requirements.contains(&line.id)), "{}", line.id);
    }
    for subject in Subject::ALL {
        assert!(!pack.rules_of(subject).is_empty(), "{subject}");
    }
    // The controls that the publications put to telework.
    for control in [
        "AC-11", "AC-17", "AC-18", "AC-19", "AC-20", "AT-2", "AT-3", "AT-4", "IR-6", "MP-2", "MP-3", "MP-4",
        "MP-5", "MP-6", "MP-7", "PE-17", "PL-4", "PS-4", "PS-6", "PS-8",
    ] {
        let named = |name: &String| {
            name.strip_prefix("NIST SP 800-53r5 ").is_some_and(|rest| rest.split('(').next() == Some(control))
        };
        assert!(pack.rules.iter().any(|rule| rule.controls.iter().any(named)), "{control}");
    }
    for law in ["5 USC 6502", "5 USC 6503", "5 USC 552a(c)", "NIST SP 800-46r2", "NIST SP 800-114r1"] {
        let named = |name: &String| name.starts_with(law);
        assert!(pack.rules.iter().any(|rule| rule.controls.iter().any(named)), "{law}");
    }
}

#[test]
fn what_a_pack_builds_on_must_be_there_and_can_be_replaced() {
    let alone = shipped::named("telework-government").unwrap();
    let lints = Pack::load(&alone).unwrap_err();
    assert!(lints[0].message().contains("is not there"), "{}", lints[0]);

    let mut files = shipped::telework_government();
    let own = files["base/rules/clock-right.md"].replace("grace = \"P7D\"", "grace = \"P1D\"");
    files.insert("rules/clock-right.md".to_owned(), own);
    let pack = Pack::load(&files).unwrap();
    let rule = pack.rule("clock-right").unwrap();
    assert_eq!(rule.grace, stead_model::time::DAY);
    assert!(rule.translations.is_empty(), "a translation of another text is none");
    assert_eq!(pack.number("acknowledge_days", 0), 14, "parameters come along");
}

#[test]
fn a_rule_asks_about_what_it_judges_and_counts_once_somebody_can_keep_it() {
    let refused = |from: &str, to: &str| {
        let mut files = shipped::remote_work();
        let rule = files.get_mut("rules/training-current.md").unwrap();
        assert!(rule.contains(from), "{from}");
        *rule = rule.replace(from, to);
        files.retain(|path, _| path != "rules/training-current.pt-BR.md");
        Pack::load(&files).unwrap_err().remove(0).message().to_owned()
    };
    assert!(refused("\"observe\"", "\"enforce\"").contains("nothing holds"));
    assert!(refused("subject = \"person\"", "subject = \"site\"").contains("judges `site`"));
    assert!(refused("subject = \"person\"", "subject = \"weather\"").contains("no rule can judge"));
    assert!(refused("## What to do", "## Do").contains("## What to do"));
}

/// S11: what a pack holds and nothing reads is an error.
#[test]
fn s11_a_test_of_no_rule_is_an_error() {
    let mut files = shipped::remote_work();
    files.insert("tests/disk-encrypteds.toml".to_owned(), files["tests/disk-encrypted.toml"].clone());
    let pack = Pack::load(&files).unwrap();
    let lints = pack_test::run(&pack, &files).unwrap_err();
    assert_eq!(lints[0].path(), "tests/disk-encrypteds.toml");
}

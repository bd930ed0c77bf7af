//! The packs that ship must be sound and pass their own tests.

use stead_policy::{Pack, pack_test, shipped};

#[test]
fn remote_work_passes_its_own_tests() {
    let files = shipped::remote_work();
    let pack = Pack::load(&files).unwrap_or_else(|lints| {
        let all: Vec<String> =
            lints.iter().map(|l| format!("{}: {} ({})", l.place(), l.message(), l.advice())).collect();
        panic!("{}", all.join("\n"))
    });
    let outcomes = pack_test::run(&pack, &files).unwrap_or_else(|lints| {
        let all: Vec<String> = lints.iter().map(|l| format!("{}: {}", l.place(), l.message())).collect();
        panic!("{}", all.join("\n"))
    });
    assert!(outcomes.failed.is_empty(), "{}", outcomes.failed.join("\n"));
    assert!(outcomes.missing.is_empty(), "{}", outcomes.missing.join("\n"));
    assert!(outcomes.passed >= 4 * pack.rules.len());
}

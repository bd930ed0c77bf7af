//! Fuzz targets: expressions and packs that somebody else wrote. `cargo xtask fuzz` runs them at length.
#![expect(clippy::unwrap_used, reason = "whatever goes wrong must stop the fuzzer")]

use std::{sync::LazyLock, thread};

use stead_model::{Fact, Facts, Millis, catalogue};

use crate::{
    expression::{Bindings, Evaluated, Expression, Wanted},
    pack::{Files, Pack},
    pack_test, shipped,
};

const NOW: Millis = Millis(1_773_305_091_000);

static PACK: LazyLock<Pack> = LazyLock::new(|| Pack::load(&shipped::remote_work()).unwrap());

static UNKNOWN: LazyLock<Facts> = LazyLock::new(|| {
    catalogue::all().map(|spec| (spec.name.to_owned(), Fact::unknown("not known", "fuzz"))).collect()
});

/// A rule's expression. The parser has as much room as [`Pack::load`] gives it.
pub fn expressions(input: &[u8]) {
    let Ok(source) = std::str::from_utf8(input) else { return };
    thread::scope(|scope| {
        let room = thread::Builder::new().stack_size(16 * 1024 * 1024);
        room.spawn_scoped(scope, || expression(source)).unwrap().join().unwrap();
    });
}

fn expression(source: &str) {
    let pack = &*PACK;
    let parameters = &pack.manifest.parameters;
    let _ = Expression::compile(source, parameters, Wanted::Words);
    let Ok(expression) = Expression::compile(source, parameters, Wanted::Verdict) else { return };
    let evaluate = |facts: &Facts| {
        Bindings::new(&pack.env, facts, expression.facts(), parameters, &pack.os_support, NOW)
            .evaluate(&expression)
    };
    let (nothing, not_known) = (evaluate(&Facts::new()), evaluate(&UNKNOWN));
    // What isn't there and what isn't known come to the same: a verdict only where no fact can change it.
    assert_eq!(
        matches!(nothing, Evaluated::Value(_)),
        matches!(not_known, Evaluated::Value(_)),
        "{source}: {nothing:?}, {not_known:?}"
    );
}

static BASE: LazyLock<Files> = LazyLock::new(|| {
    let kept = ["pack.toml", "rules/disk-encrypted.md", "data/os-support.csv"];
    shipped::remote_work().into_iter().filter(|(path, _)| kept.contains(&path.as_str())).collect()
});

/// A file of a pack. The first byte says which.
pub fn packs(input: &[u8]) {
    let [which, text @ ..] = input else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let mut files = BASE.clone();
    let path = match which % 5 {
        0 => "pack.toml",
        1 => "rules/disk-encrypted.md",
        2 => "data/os-support.csv",
        3 => "tests/disk-encrypted.toml",
        _ => text.lines().next().unwrap_or_default(),
    };
    files.insert(path.to_owned(), text.to_owned());
    match Pack::load(&files) {
        Ok(pack) => {
            assert!(pack.rules.iter().all(|rule| !rule.id.is_empty()));
            let _ = pack_test::run(&pack, &files);
        }
        Err(lints) => assert!(!lints.is_empty(), "a pack that is refused is refused with a reason"),
    }
}

#[cfg(test)]
mod tests {
    use stead_testkit::made_up::each;

    #[test]
    fn fuzz_expressions() {
        each("expressions", super::expressions);
    }

    #[test]
    fn fuzz_packs() {
        each("packs", super::packs);
    }
}

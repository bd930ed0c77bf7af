//! Kleene's logic, held against every rule that ships: what is judged while something is not known is
//! what would be judged whatever it turned out to be.

#![expect(clippy::panic, reason = "a pack that ships and cannot be read leaves nothing to test")]

use std::{collections::BTreeMap, sync::LazyLock};

use proptest::{collection::vec, prelude::*, sample::select};
use stead_model::{
    Fact, FactState, Facts, Millis, Outcome, Scalar, Subject, Value,
    catalogue::{self, FactType},
    fact::{Field, Record},
    time::DAY,
};
use stead_policy::{
    Pack, Terms,
    judge::{ReadAt, judge, stands},
    shipped,
};

static PACK: LazyLock<Pack> =
    LazyLock::new(|| Pack::load(&shipped::telework_government()).unwrap_or_else(|lints| panic!("{lints:?}")));

const NOW: Millis = Millis(1_773_305_091_000);

fn text(name: &str) -> BoxedStrategy<String> {
    let words: &[&str] = match name {
        "item.kind" => &["paper", "medium", "document", "printout"],
        "device.kind" => &["computer", "phone"],
        "device.owner" => &["organisation", "person"],
        "device.os.system" => &["debian", "ubuntu", "macos", "unheard-of"],
        "device.os.release" => &["12", "13", "24.04", "15", "0"],
        "device.wifi.security" => &["open", "wep", "wpa", "wpa2", "wpa3", "enterprise"],
        _ => &["", "a", "ClamAV"],
    };
    select(words.to_vec()).prop_map(str::to_owned).boxed()
}

fn scalar(name: &str, kind: &FactType) -> BoxedStrategy<Scalar> {
    match kind {
        FactType::Bool => any::<bool>().prop_map(Scalar::Bool).boxed(),
        FactType::Int => prop_oneof![Just(0), 1_i64..2000, any::<i64>()].prop_map(Scalar::Int).boxed(),
        FactType::Time => (-40_i64..5).prop_map(|days| Scalar::Int(NOW.plus(days * DAY).0)).boxed(),
        FactType::Text | FactType::List(_) => text(name).prop_map(Scalar::Text).boxed(),
    }
}

fn value(name: &'static str, kind: &'static FactType) -> BoxedStrategy<Value> {
    let FactType::List(fields) = kind else { return scalar(name, kind).prop_map(Value::One).boxed() };
    let record = fields
        .iter()
        .map(|(field, kind)| scalar(field, kind).prop_map(|value| ((*field).to_owned(), Field::Known(value))))
        .collect::<Vec<_>>()
        .prop_map(|fields| fields.into_iter().collect::<Record>());
    vec(record, 0..4).prop_map(Value::List).boxed()
}

/// Everything known.
fn all_known() -> impl Strategy<Value = Facts> {
    catalogue::all()
        .map(|spec| {
            value(spec.name, &spec.kind).prop_map(|value| (spec.name.to_owned(), Fact::known(value, "test")))
        })
        .collect::<Vec<_>>()
        .prop_map(|facts| facts.into_iter().collect())
}

/// What is hidden of a fact: nothing, all of it, its being reported at all, or a field of a list's element.
#[derive(Clone, Copy, Debug)]
enum Hidden {
    Nothing,
    Unknown,
    Absent,
    Field(usize, usize),
}

fn hidden() -> impl Strategy<Value = Vec<Hidden>> {
    let one = prop_oneof![
        4 => Just(Hidden::Nothing),
        2 => Just(Hidden::Unknown),
        1 => Just(Hidden::Absent),
        3 => (0_usize..4, 0_usize..3).prop_map(|(record, field)| Hidden::Field(record, field)),
    ];
    vec(one, catalogue::all().count())
}

fn hide(facts: &Facts, hidden: &[Hidden]) -> Facts {
    let mut left = Facts::new();
    for ((name, fact), hidden) in facts.iter().zip(hidden) {
        let mut fact = fact.clone();
        match hidden {
            Hidden::Nothing => {}
            Hidden::Unknown => fact.state = FactState::Unknown("hidden".to_owned()),
            Hidden::Absent => continue,
            Hidden::Field(record, field) => {
                if let FactState::Known(Value::List(list)) = &mut fact.state
                    && let Some(record) = list.get_mut(*record)
                    && let Some((_, value)) = record.iter_mut().nth(*field)
                {
                    *value = Field::unknown("hidden");
                }
            }
        }
        left.insert(name.clone(), fact);
    }
    left
}

fn outcomes(facts: &Facts) -> Vec<Outcome> {
    let read_at = ReadAt { collected: NOW, kept: &BTreeMap::new() };
    // All that bind somebody by name bind here.
    let bound = PACK.rules.iter().map(|rule| rule.id.clone()).collect();
    let terms = Terms { bound, ..Terms::default() };
    let judged = |subject| judge((&PACK, &terms), subject, facts, &read_at, |_| None, NOW).findings;
    Subject::ALL.into_iter().flat_map(judged).map(|finding| finding.outcome).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// A pass, or a failure, while something is hidden holds whatever it was. So nothing unknown is ever
    /// a pass that knowing would take back, and knowing more never turns a pass into unknown.
    #[test]
    fn what_is_decided_stays_decided(facts in all_known(), hidden in hidden()) {
        let (with_less, with_all) = (outcomes(&hide(&facts, &hidden)), outcomes(&facts));
        for ((less, all), rule) in with_less.iter().zip(&with_all).zip(&PACK.rules) {
            prop_assert!(*less == Outcome::Unknown || less == all, "{}: {less} becomes {all}", rule.id);
        }
    }

    /// Judging is total: any facts at all give one finding for each rule.
    #[test]
    fn any_facts_are_judged(facts in all_known(), hidden in hidden(), kinds in any::<bool>()) {
        let mut facts = hide(&facts, &hidden);
        if kinds {
            // Values of the wrong type, as a broken agent might send.
            for fact in facts.values_mut() {
                fact.state = FactState::Known(Value::One(Scalar::Text("wrong".to_owned())));
            }
            facts.insert("device.kind".to_owned(), Fact::known("computer", "test"));
            let devices = PACK.rules_of(Subject::Device).len();
            prop_assert!(outcomes(&facts)[..devices].iter().all(|outcome| *outcome != Outcome::NotApplicable));
        }
        prop_assert_eq!(outcomes(&facts).len(), PACK.rules.len());
    }

    /// Judging without words comes to the same as judging with them.
    #[test]
    fn standing_is_the_same_without_words(facts in all_known(), hidden in hidden()) {
        let facts = hide(&facts, &hidden);
        let terms = Terms::default();
        let read_at = ReadAt { collected: NOW, kept: &BTreeMap::new() };
        let judged = judge((&PACK, &terms), Subject::Device, &facts, &read_at, |_| None, NOW);
        let stands = stands((&PACK, &terms), Subject::Device, &facts, |_| None, NOW);
        let counts = judged.findings.iter().filter(|one| one.outcome.counts_against() && one.due.is_some());
        prop_assert_eq!(stands.against, counts.map(|one| one.rule).collect::<Vec<_>>());
        prop_assert_eq!((stands.standing, stands.next_deadline), (judged.standing, judged.next_deadline));
    }
}

/// S19: nested loops over long lists were gone through for minutes.
#[test]
fn s19_what_would_take_too_long_is_not_known() {
    let mut files = shipped::remote_work();
    let rule = files.get_mut("rules/disk-encrypted.md").unwrap();
    let start = rule.find("pass = ").unwrap();
    let end = start + rule[start..].find('\n').unwrap();
    let double = "device.volumes.all(a, device.volumes.exists(b, a.mount == b.mount))";
    let all = [double; 12].join(" && ");
    rule.replace_range(start..end, &format!("pass = \"{all}\""));
    let pack = Pack::load(&files).unwrap();
    let rule = pack.rule("disk-encrypted").unwrap();
    let volumes = |n: usize| -> Facts {
        let one = |n: usize| {
            Record::from([
                ("mount".to_owned(), Field::from(format!("/{n}").as_str())),
                ("encrypted".to_owned(), Field::from(true)),
                ("how".to_owned(), Field::from("luks")),
            ])
        };
        let list: Vec<Record> = (0..n).map(one).collect();
        Facts::from([
            ("device.kind".to_owned(), Fact::known("computer", "test")),
            ("device.volumes".to_owned(), Fact::known(list, "test")),
        ])
    };
    let judged = |n| stead_policy::judge::judge_one(&pack, rule, &volumes(n), Millis(0));
    assert_eq!(judged(10).0, Outcome::Pass);
    for n in [800, 3000] {
        let (outcome, said) = judged(n);
        assert!(outcome == Outcome::Unknown && said.contains("too much"), "{n}: {outcome:?} {said}");
    }
}

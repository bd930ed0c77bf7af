//! What an expression may say, what it may not, and where and how that is told.

use std::sync::LazyLock;

use stead_model::{Fact, Facts, Millis, fact::Record};

use super::*;
use crate::{Pack, shipped};

const NOW: Millis = Millis(1_780_000_000_000);

static PACK: LazyLock<Pack> = LazyLock::new(|| Pack::load(&shipped::remote_work()).unwrap());

fn compile(source: &str, wanted: Wanted) -> Result<Expression, Refused> {
    Expression::compile(source, &PACK.manifest.parameters, wanted)
}

fn verdict(source: &str) -> Expression {
    compile(source, Wanted::Verdict).unwrap_or_else(|refused| unreachable!("{source}: {}", refused.message))
}

fn evaluate(expression: &Expression, facts: &Facts) -> Evaluated {
    let names = expression.facts();
    Bindings::new(&PACK.env, facts, names, &PACK.manifest.parameters, &PACK.os_support, NOW)
        .evaluate(expression)
}

fn one(name: &str, value: Scalar) -> (String, Fact) {
    (name.to_owned(), Fact::known(Value::One(value), "test"))
}

fn volumes(encrypted: &[bool]) -> (String, Fact) {
    let volume = |encrypted: &bool| {
        let field = |name: &str, value: Scalar| (name.to_owned(), Field::Known(value));
        let mount = Scalar::Text("/".to_owned());
        let how = Scalar::Text("luks".to_owned());
        Record::from_iter([
            field("mount", mount),
            field("encrypted", Scalar::Bool(*encrypted)),
            field("how", how),
        ])
    };
    let all = Value::List(encrypted.iter().map(volume).collect());
    ("device.volumes".to_owned(), Fact::known(all, "test"))
}

#[test]
fn what_an_expression_asks_for_is_known() {
    let timeless: &[(&str, &[&str])] = &[
        ("true", &[]),
        ("device.clock.synchronised", &["device.clock.synchronised"]),
        ("!device.clock.synchronised || false && true", &["device.clock.synchronised"]),
        ("device.updates.security_pending + 1 - 2 * 3 == -4", &["device.updates.security_pending"]),
        ("device.screen.lock_after <= param.lock_seconds", &["device.screen.lock_after"]),
        ("size(device.os.name) > 0 && size(device.volumes) >= 0", &["device.os.name", "device.volumes"]),
        ("device.os.name.startsWith('D')", &["device.os.name"]),
        ("device.os.name.endsWith('n') != device.os.name.contains('e')", &["device.os.name"]),
        ("device.os.name in ['a', 'b'] + ['c']", &["device.os.name"]),
        ("(device.clock.synchronised ? 1 : 2) < 2", &["device.clock.synchronised"]),
        ("string(true) + string(1) == 'true1'", &[]),
        ("device.volumes.all(v, v.encrypted)", &["device.volumes"]),
        ("size(device.volumes.filter(v, !v.encrypted)) == 0", &["device.volumes"]),
        ("device.volumes.map(v, v.mount).exists(m, m == '/')", &["device.volumes"]),
        ("device.volumes.all(v, device.volumes.exists(w, w.mount == v.mount))", &["device.volumes"]),
        ("device.doors.all(d, d.port > 1023)", &["device.doors"]),
    ];
    for (source, facts) in timeless {
        let expression = verdict(source);
        assert_eq!(expression.source(), *source);
        assert_eq!(expression.facts().iter().map(String::as_str).collect::<Vec<_>>(), *facts, "{source}");
        assert!(!expression.depends_on_time(), "{source}");
    }
    for source in [
        "age_days(device.updates.checked_at) <= 7",
        "device.updates.checked_at < now",
        "os_support_ends(device.os.system, device.os.release) > now",
    ] {
        assert!(verdict(source).depends_on_time(), "{source}");
    }
    for source in [
        "'text'",
        "['a', 'b']",
        "string(1)",
        "date(device.updates.checked_at)",
        "device.volumes.map(v, v.mount + ': ' + v.how)",
    ] {
        assert!(compile(source, Wanted::Words).is_ok(), "{source}");
        assert!(compile(source, Wanted::Verdict).is_err(), "{source}");
    }
}

#[test]
fn what_is_refused_is_shown_where_it_is_and_why() {
    // The expression, the part that is shown, and what is said of it.
    for (source, part, said) in [
        ("true && device.clok.synchronised", "device.clok.synchronised", "there is no fact `device.clok"),
        ("device.os.name.x == 'a'", "device.os.name.x", "there is no fact `device.os.name.x`"),
        ("param.nothing == 1", "param.nothing", "the pack has no parameter `nothing`"),
        ("has(device.os.name)", "has", "`has()` would turn not knowing into an answer"),
        ("has(device.os).name == 'a'", "has", "`has()` would turn not knowing into an answer"),
        (
            "device.volumes == device.volumes",
            "",
            "`==` cannot be used on a list of a record and a list of a record",
        ),
        ("[1] == [1]", "", "`==` cannot be used on a list of a number and a list of a number"),
        ("1 == 'a'", "==", "`==` cannot be used on a number and text"),
        ("1 in ['a']", "in", "`in` cannot be used on a number and a list of text"),
        ("device.volumes in [device.volumes]", "", "`in` cannot be used"),
        ("device.volumes.exists(v, v == v)", "", "`==` cannot be used on a record and a record"),
        ("1 < 'a'", "", "`<` cannot be used on a number and text"),
        ("true < false", "", "`<` cannot be used on yes or no and yes or no"),
        ("'a' - 'b' == 'c'", "", "`-` cannot be used on text and text"),
        ("device.updates.checked_at + 1 > now", "", "`+` cannot be used on a time and a number"),
        ("!1", "", "`!` cannot be used on a number"),
        ("-'a' == 'b'", "", "`-` cannot be used on text"),
        ("1 && true", "", "`&&` cannot be used on a number and yes or no"),
        ("1 ? true : false", "", "`? :` cannot be used on a number and yes or no and yes or no"),
        ("(true ? 1 : 'a') == 1", "", "`? :` cannot be used on yes or no and a number and text"),
        ("size(1) == 1", "size", "`size` cannot be used on a number"),
        ("age_days(1) == 1", "age_days", "`age_days` cannot be used on a number"),
        ("date(1) == 'a'", "date", "`date` cannot be used on a number"),
        ("string([1]) == 'a'", "string", "`string` cannot be used on a list of a number"),
        ("1.startsWith('a')", "1.startsWith", "`startsWith` cannot be used on a number and text"),
        ("os_support_ends('a', 1) > now", "", "`os_support_ends` cannot be used on text and a number"),
        ("duration('1s') == 1", "duration", "`duration` cannot be used on text"),
        ("1.5 == 1.5", "1.5", "rules know yes and no, whole numbers, text and lists"),
        ("null == null", "null", "rules know yes and no"),
        ("{'a': 1} == {'a': 1}", "", "rules cannot make records"),
        ("1 in [1, 'a']", "'a'", "text stands in a list of a number"),
        ("device.volumes.all(v, v.secret)", "v.secret", "there is no field `secret`"),
        ("1.x == 2", "", ""),
        ("[1].all(n, n.x == 1)", "n.x", "a number has no fields"),
        ("device.os.name.all(c, true)", "device.os.name.all", "text is no list"),
        (
            "device.volumes.all(a, device.volumes.all(b, device.volumes.all(c, true)))",
            "",
            "the loops are nested too deeply",
        ),
        ("1", "1", "this gives a number, and yes or no is wanted"),
        ("now", "now", "this gives a time, and yes or no is wanted"),
        ("[]", "[]", "this gives a list of anything, and yes or no is wanted"),
    ] {
        let Err(refused) = compile(source, Wanted::Verdict) else { unreachable!("{source} is taken") };
        assert!(refused.message.contains(said), "{source}: {}", refused.message);
        assert!(!refused.help.is_empty(), "{source}");
        let shown = &source[refused.span.clone()];
        assert!(!shown.is_empty() && (part.is_empty() || shown == part), "{source}: {shown:?}");
    }
    let near = compile("device.clock.synchronized", Wanted::Verdict).unwrap_err();
    assert!(near.help.contains("did you mean `device.clock.synchronised`?"), "{}", near.help);
    let far = compile("weather", Wanted::Verdict).unwrap_err();
    assert!(far.help.starts_with("`stead-server pack facts` lists"), "{}", far.help);
    let fields = compile("device.volumes.all(v, v.secret)", Wanted::Verdict).unwrap_err();
    assert_eq!(fields.help, "its fields are `encrypted`, `how`, `mount`");
    for source in ["true", "[1]", "device.volumes"] {
        assert!(compile(source, Wanted::Words).is_err(), "{source}");
    }
}

#[test]
fn what_is_no_expression_is_shown_where_it_stops_being_one() {
    for (source, at) in [
        ("true &&", 7),
        ("1 +* 2", 3),
        ("true &&\n  (false\n", 17),
        ("true\n&& §x", 8),
        ("'ä' == 'ö' )", 13),
        ("", 0),
    ] {
        let refused = compile(source, Wanted::Verdict).unwrap_err();
        assert!(refused.message.starts_with("this is not an expression: "), "{source}: {}", refused.message);
        assert_eq!(
            (source, refused.span.clone()),
            (source, at..at + source[at..].chars().next().map_or(0, char::len_utf8))
        );
    }
}

#[test]
fn what_is_long_or_deep_is_refused() {
    let long = |length: usize| format!("true{}", " ".repeat(length - 4));
    assert!(compile(&long(MAX_LENGTH), Wanted::Verdict).is_ok());
    let refused = compile(&long(MAX_LENGTH + 1), Wanted::Verdict).unwrap_err();
    assert!(refused.message.contains("1025 bytes"), "{}", refused.message);
    let deep = |terms: usize| format!("{}1{} == 1", "1 + (".repeat(terms), ")".repeat(terms));
    assert!(compile(&deep(38), Wanted::Verdict).is_ok());
    for terms in [39, 60, 120] {
        let refused = compile(&deep(terms), Wanted::Verdict).unwrap_err();
        assert_eq!((terms, refused.message.as_str()), (terms, "the expression is nested too deeply"));
    }
}

#[test]
fn loops_are_counted_by_what_they_go_through() {
    let facts: Facts = [volumes(&[true; 10])].into_iter().collect();
    // Ten volumes, a comma, and one.
    assert_eq!(verdict("device.volumes.all(v, v.encrypted)").steps(&facts), 12);
    assert_eq!(verdict("true").steps(&facts), 0);
    let twice = "device.volumes.all(v, device.volumes.exists(w, w.mount == v.mount))";
    assert_eq!(verdict(twice).steps(&facts), 13 + 13 * 13);
    let beside = "device.volumes.all(v, v.encrypted) || device.volumes.exists(v, v.encrypted)";
    assert_eq!(verdict(beside).steps(&facts), 2 * 13);
}

#[test]
fn what_stands_in_the_way_is_said() {
    let unlisted: Facts = [
        one("device.os.system", Scalar::Text("unheard-of".to_owned())),
        one("device.os.release", Scalar::Text("1".to_owned())),
    ]
    .into_iter()
    .collect();
    let ends = verdict("os_support_ends(device.os.system, device.os.release) > now");
    let said = Evaluated::Unknown("the table of supported systems does not list unheard-of 1".to_owned());
    assert_eq!(evaluate(&ends, &unlisted), said);
    let bound = verdict("device.clock.synchronised && device.secure_boot");
    let not_applicable = ("device.secure_boot".to_owned(), Fact::not_applicable("no firmware", "test"));
    let unknown = ("device.secure_boot".to_owned(), Fact::unknown("no rights", "test"));
    let clock = one("device.clock.synchronised", Scalar::Bool(true));
    let with = |more: &(String, Fact)| [clock.clone(), more.clone()].into_iter().collect::<Facts>();
    assert_eq!(evaluate(&bound, &with(&not_applicable)), Evaluated::NotApplicable("no firmware".to_owned()));
    assert_eq!(evaluate(&bound, &with(&unknown)), Evaluated::Unknown("no rights".to_owned()));
    let alone: Facts = [not_applicable].into_iter().collect();
    let said = Evaluated::Unknown("nothing was reported about device.clock.synchronised".to_owned());
    assert_eq!(evaluate(&bound, &alone), said, "not knowing comes first");
    assert_eq!(
        evaluate(
            &verdict("device.volumes.all(v, v.encrypted)"),
            &[volumes(&[true, false])].into_iter().collect()
        ),
        Evaluated::Value(Cel::Bool(false))
    );
}

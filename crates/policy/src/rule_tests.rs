//! What a rule file may say, and where and how it is told what it may not.

use std::sync::LazyLock;

use stead_model::{
    Fact, Facts, Scalar, Value,
    time::{DAY, HOUR, MINUTE},
};

use super::*;
use crate::{Pack, judge, shipped};

const PATH: &str = "rules/disk-encrypted.md";

static PACK: LazyLock<Pack> = LazyLock::new(|| Pack::load(&shipped::remote_work()).unwrap());

fn text() -> String {
    shipped::remote_work()[PATH].clone()
}

fn line(key: &str) -> String {
    let text = text();
    text.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap_or_default().to_owned()
}

/// The shipped rule with one line of its front matter put otherwise.
fn with(key: &str, value: &str) -> String {
    text().replacen(&line(key), value, 1)
}

#[test]
fn the_shipped_rule_is_read_whole() {
    let rule = Rule::parse(PATH, &text(), &PACK.manifest).unwrap();
    assert_eq!((rule.id.as_str(), rule.subject, rule.grace), ("disk-encrypted", Subject::Device, 3 * DAY));
    assert_eq!(rule.requirements, ["RC-2", "RC-5", "OPM-S2"]);
    assert!(rule.why.starts_with("A lost laptop") && !rule.why.contains("## "));
    assert!(
        rule.sections.iter().any(|section| section.heading == "What we look at" && !section.text.is_empty())
    );
    assert!(!rule.sections.iter().any(|section| section.heading.starts_with("Fix on ")));
    assert_eq!(rule.expressions().count(), 3);
    assert!(!rule.waits());
    let systems = ["Linux", "macOS", "Windows"].map(|system| rule.fix(system).to_owned());
    assert!(
        systems.iter().all(|fix| !fix.is_empty()) && systems[0] != systems[1] && systems[1] != systems[2]
    );
    assert_eq!(rule.fix("Plan 9"), systems[0], "what is said for Linux, where nothing else is");
    let person = &PACK.rules_of(Subject::Person)[0];
    assert!(!person.fix("Linux").is_empty() && person.fix("Linux") == person.fix("macOS"));
    assert!(PACK.rules.iter().any(Rule::waits), "some rule asks for what nothing holds yet");
    // In the reader's language where it is there.
    let rule = PACK.rule("disk-encrypted").unwrap();
    assert_ne!(rule.text("pt-BR").title, rule.title);
    assert_eq!(rule.text("pt-BR").fixes.len(), rule.fixes.len());
    assert_eq!(rule.text("pt-BR").sections.len(), rule.sections.len());
    assert_eq!(rule.text("eo").title, rule.title);
    assert_eq!(title_in(&text()).as_deref(), Some("Your disk is encrypted"));
    assert_eq!(title_in("no rule"), None);
    assert_eq!(title_in("+++\ntitle = \"\"\n+++\n"), None);
}

#[test]
fn what_is_wrong_with_a_rule_is_shown_where_it_is() {
    // The file, the part that is shown, and what is said of it.
    for (file, part, said) in [
        (with("id", "id = \"other\""), "\"other\"", "the id is not the name of the file, `disk-encrypted`"),
        (with("title", "title = \" \""), "\" \"", "the title is empty"),
        (with("requirements", "requirements = []"), "[]", "the rule serves no requirement"),
        (with("requirements", "requirements = [\"RC-99\"]"), "\"RC-99\"", "there is no requirement `RC-99`"),
        (with("serves", "serves = []"), "[]", "the rule protects nothing"),
        (with("serves", "serves = [\"honor\"]"), "\"honor\"", "`honor` is nothing a rule protects"),
        (with("costs", "costs = \"moon\""), "\"moon\"", "the pack has no tier `moon`"),
        (with("subject", "subject = \"moon\""), "\"moon\"", "no rule can judge `moon`"),
        (
            with("subject", "subject = \"person\""),
            "\"person\"",
            "the rule judges `person` and asks for `device.",
        ),
        (with("when_not", ""), "\"device.kind == 'computer'\"", "`when` needs `when_not`"),
        (
            with("when", ""),
            "\"Asked of computers. Phones have a rule of their own.\"",
            "`when_not` without `when`",
        ),
        (with("grace", "grace = \"3 days\""), "\"3 days\"", "`3 days` is no length of time"),
        (with("pass", "pass = \"device.clok\""), "device.clok", "there is no fact `device.clok`"),
        (with("pass", "pass = '''true && device.clok'''"), "device.clok", "there is no fact `device.clok`"),
        (with("pass", "pass = \"\"\"device.clok\"\"\""), "device.clok", "there is no fact `device.clok`"),
        (with("pass", "pass = '''\ndevice.clok'''"), "device.clok", "there is no fact `device.clok`"),
        (
            with("pass", "pass = \"'\\u0041' == device.clok\""),
            "\"'\\u0041' == device.clok\"",
            "there is no fact `device.clok`",
        ),
        (
            with("shows", "shows = \"true\""),
            "true",
            "this gives yes or no, and text or a list of texts is wanted",
        ),
        (with("severity", "severity = \"mild\""), "\"mild\"", "unknown variant `mild`"),
        (with("severity", ""), "", "missing field `severity`"),
        (with("severity", "severity = \"high\"\ncolor = 1"), "color", "unknown field `color`"),
        (text().replacen("+++\n", "", 1), "", "the front matter is missing"),
        (text().replacen("\n+++\n", "\n", 1), "+++", "the front matter does not end"),
        (text().replacen("## Fix on macOS", "## On a Mac", 1), "", "there is no section `## Fix on macOS`"),
    ] {
        let lints = Rule::parse(PATH, &file, &PACK.manifest).unwrap_err();
        let lint = lints.iter().find(|lint| lint.message().contains(said));
        let Some(lint) = lint else {
            unreachable!("{said}: {:?}", lints.iter().map(Lint::message).collect::<Vec<_>>())
        };
        assert!(!lint.advice().is_empty(), "{said}");
        let (row, column) = lint.at();
        let shown = file.lines().nth(row - 1).unwrap_or_default();
        let shown: String = shown.chars().skip(column - 1).collect();
        assert!(shown.starts_with(part), "{said}: {shown:?} is shown, and not {part:?}");
    }
    let no_why = {
        let text = text();
        let (head, rest) = (text.find("A lost laptop").unwrap(), text.find("## What we look at").unwrap());
        format!("{}{}", &text[..head], &text[rest..])
    };
    let lints = Rule::parse(PATH, &no_why, &PACK.manifest).unwrap_err();
    assert_eq!(lints[0].message(), "the rule does not say why");
    let shouting = text().replacen("id = \"disk-encrypted\"", "id = \"Disk_1\"", 1);
    let lints = Rule::parse("rules/Disk_1.md", &shouting, &PACK.manifest).unwrap_err();
    assert_eq!((lints.len(), lints[0].message()), (1, "an id has small letters, digits and `-`"));
    let numbered = text().replacen("id = \"disk-encrypted\"", "id = \"disk-2\"", 1);
    assert!(Rule::parse("rules/disk-2.md", &numbered, &PACK.manifest).is_ok());
}

#[test]
fn a_rule_that_nothing_can_answer_yet_counts_for_nobody() {
    let waiting = PACK.rules.iter().find(|rule| rule.waits()).unwrap();
    let path = format!("rules/{}.md", waiting.id);
    let counting = waiting.source.replacen("stage = \"observe\"", "stage = \"enforce\"", 1);
    assert_ne!(counting, waiting.source);
    let lints = Rule::parse(&path, &counting, &PACK.manifest).unwrap_err();
    assert!(lints[0].message().ends_with("the rule would count against everybody"), "{}", lints[0].message());
}

#[test]
fn a_translation_has_the_same_sections() {
    let files = shipped::remote_work();
    let (path, translated) = ("rules/disk-encrypted.pt-BR.md", &files["rules/disk-encrypted.pt-BR.md"]);
    let mut rule = Rule::parse(PATH, &text(), &PACK.manifest).unwrap();
    assert!(rule.translate(path, translated, "pt-BR").is_ok());
    let when_not = translated.lines().find(|line| line.starts_with("when_not")).unwrap();
    for (file, said) in [
        (translated.replacen("\n## ", "\n", 1), "sections, and the rule"),
        (format!("{translated}\n## More\n\nMore.\n"), "sections, and the rule"),
        (translated.replacen(when_not, "", 1), "`when_not` is there in one of rule and translation only"),
        (translated.replacen("title = ", "titel = ", 1), "unknown field"),
        ("no rule".to_owned(), "the front matter is missing"),
    ] {
        let lint = rule.translate(path, &file, "pt-BR").unwrap_err();
        assert!(lint.message().contains(said), "{said}: {}", lint.message());
    }
}

#[test]
fn lengths_of_time_are_those_of_the_standard() {
    for (text, length) in [
        ("P3D", Some(3 * DAY)),
        ("P1W", Some(7 * DAY)),
        ("PT12H", Some(12 * HOUR)),
        ("P1DT6H5M", Some(DAY + 6 * HOUR + 5 * MINUTE)),
        ("P0D", Some(0)),
        ("P1M", None),
        ("P1Y", None),
        ("-P1D", None),
        ("P-1D", None),
        ("3d", None),
        ("", None),
    ] {
        assert_eq!(duration(text), length, "{text}");
    }
}

/// The fix that is shown is that of the system the device says it has.
#[test]
fn the_system_is_what_the_device_says() {
    let of = |system: Option<&str>| {
        let fact = |text: &str| Fact::known(Value::One(Scalar::Text(text.to_owned())), "test");
        let facts: Facts =
            system.map(|text| ("device.os.system".to_owned(), fact(text))).into_iter().collect();
        judge::system_of(&facts)
    };
    let said = [Some("macos"), Some("windows"), Some("debian"), None].map(of);
    assert_eq!(said, ["macOS", "Windows", "Linux", "Linux"]);
}

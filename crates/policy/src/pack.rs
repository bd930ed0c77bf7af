//! A pack: `pack.toml`, `rules/`, `tests/`, `data/`.
//!
//! A pack may build on another, which it names in `extends`: the other's files stand below `base/`. It adds
//! rules and parameters, and what it has under the same name takes the place of the other's.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use cel::Env;
use serde::Deserialize;
use stead_model::{Role, Scalar, Severity, Stage, Subject, seal, time::DAY};

use crate::{
    glass::BreakGlass, lint::Lint, losses::Losses, os_support::OsSupport, rule, rule::Rule, terms::Rollout,
};

/// The files of a pack: path within it, and text.
pub type Files = BTreeMap<String, String>;

/// The parameters of a pack, by name.
pub type Parameters = BTreeMap<String, Parameter>;

/// A number or word that several rules use and an organisation may want to change.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its value.
    pub value: Scalar,
    /// What it counts: `seconds`, `days`, ….
    pub unit: String,
    /// What it means.
    pub about: String,
}

/// `pack.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name of the pack.
    pub name: String,
    /// Its version; counts up.
    pub version: u32,
    /// The pack that it builds on.
    #[serde(default)]
    pub extends: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// How often it is to be reviewed, ISO 8601.
    pub review_every: String,
    /// A device silent for longer has unknown standing, ISO 8601.
    pub silent_after: String,
    /// Tiers of what is protected, least first.
    pub tiers: Vec<String>,
    /// Parameters of the rules.
    #[serde(default)]
    pub parameters: Parameters,
    /// How rules are rolled out, step by step.
    #[serde(default)]
    pub rollout: Vec<Rollout>,
    /// Who decides on exceptions, and how long they last.
    #[serde(default)]
    pub exceptions: Exceptions,
    /// What follows when a rule is not kept.
    #[serde(default)]
    pub cases: Cases,
    /// What is asked of whoever confirms the policy, so that reading it is worth their while.
    #[serde(default)]
    pub questions: Vec<Question>,
    /// Who may come in while it is not known whether they may.
    #[serde(default)]
    pub break_glass: Option<BreakGlass>,
    /// What is done when something is lost.
    #[serde(default)]
    losses: Option<Losses>,
}

/// Words in several languages, by tag (BCP 47); `en` is always there.
pub type Said = BTreeMap<String, String>;

/// Words in a language, or in English where they have not been translated.
pub fn said<'a>(words: &'a Said, language: &str) -> &'a str {
    words.get(language).or_else(|| words.get("en")).map_or("", String::as_str)
}

/// Who decides on exceptions, and how long they last.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exceptions {
    /// The longest that one lasts, ISO 8601.
    pub longest: String,
    /// The role that decides, by how much harm the rule prevents.
    pub decided_by: BTreeMap<Severity, Role>,
}

impl Default for Exceptions {
    fn default() -> Self {
        let decided_by = [
            (Severity::Low, Role::Manager),
            (Severity::Medium, Role::Coordinator),
            (Severity::High, Role::Security),
            (Severity::Critical, Role::Security),
        ];
        Self { longest: "P90D".to_owned(), decided_by: decided_by.into() }
    }
}

impl Exceptions {
    /// The role that decides on an exception to a rule.
    pub fn decided_by(&self, severity: Severity) -> Role {
        self.decided_by.get(&severity).copied().unwrap_or(Role::Security)
    }

    /// The longest that one lasts, in milliseconds.
    pub fn longest(&self) -> i64 {
        rule::duration(&self.longest).unwrap_or(90 * DAY)
    }
}

/// What follows when a rule is not kept: who is told when, how long somebody has to answer and to appeal, and
/// the sanctions there are. Each time is ISO 8601.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cases {
    /// From the lapse until the manager is told.
    pub manager_after: String,
    /// From then until somebody is asked to decide.
    pub decision_after: String,
    /// How long somebody has to answer a disciplinary step.
    pub answer_within: String,
    /// How long they have to appeal.
    pub appeal_within: String,
    /// The sanctions, mildest first.
    pub ladder: Vec<Said>,
}

impl Default for Cases {
    fn default() -> Self {
        let days = |days: u8| format!("P{days}D");
        Self {
            manager_after: days(3),
            decision_after: days(4),
            answer_within: days(5),
            appeal_within: days(7),
            ladder: Vec::new(),
        }
    }
}

impl Cases {
    /// The four times, by the names of their fields.
    fn times(&self) -> [(&'static str, &str); 4] {
        [
            ("manager_after", &self.manager_after),
            ("decision_after", &self.decision_after),
            ("answer_within", &self.answer_within),
            ("appeal_within", &self.appeal_within),
        ]
    }

    /// One of these times in milliseconds; they were checked when the pack was read.
    pub fn length(text: &str) -> i64 {
        rule::duration(text).unwrap_or(0)
    }
}

/// A question about what the policy says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The question.
    pub ask: Said,
    /// The answers to choose from.
    pub options: Vec<Said>,
    /// The place of the right one among them, from zero.
    pub right: usize,
    /// The rule where it can be read.
    pub rule: String,
}

/// Most questions that are asked of whoever confirms.
const MOST_QUESTIONS: usize = 2;

/// A pack that has been checked and can judge.
pub struct Pack {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its rules, by what they judge and by id.
    pub rules: Vec<Rule>,
    /// Digest over all its files.
    pub digest: String,
    /// Digest over its tables, such as that of supported systems.
    pub data_digest: String,
    /// Milliseconds after which a silent device has unknown standing.
    pub silent_after: i64,
    /// Names of the facts that its rules ask for.
    pub facts: BTreeSet<String>,
    /// Whether a finding can change while the facts stay the same.
    pub depends_on_time: bool,
    /// What is done when something is lost.
    pub losses: Losses,
    in_doubt: AtomicBool,
    pub(crate) os_support: Arc<OsSupport>,
    pub(crate) env: Arc<Env>,
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pack({})", self.label())
    }
}

/// Stack for compiling expressions, whose parser is recursive.
const COMPILE_STACK: usize = 16 * 1024 * 1024;

impl Pack {
    /// Reads and checks a pack.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(files: &Files) -> Result<Self, Vec<Lint>> {
        std::thread::scope(|scope| {
            let builder = std::thread::Builder::new().stack_size(COMPILE_STACK);
            let failed =
                |why: &str| vec![Lint::new("pack.toml", "", 0..0, why, "try again; if it stays so, tell us")];
            match builder.spawn_scoped(scope, || Self::load_here(files)) {
                Ok(handle) => {
                    handle.join().unwrap_or_else(|_| Err(failed("reading the pack ended abruptly")))
                }
                Err(error) => Err(failed(&format!("no thread for reading the pack: {error}"))),
            }
        })
    }

    fn load_here(all: &Files) -> Result<Self, Vec<Lint>> {
        let Some(text) = all.get("pack.toml") else {
            return Err(vec![Lint::new(
                "pack.toml",
                "",
                0..0,
                "there is no pack.toml",
                "a pack is a folder with pack.toml, rules/ and tests/",
            )]);
        };
        let read = |path: &str, text: &str| {
            toml::from_str::<Manifest>(text).map_err(|error| vec![rule::toml_lint(path, text, 0, &error)])
        };
        let mut manifest = read("pack.toml", text)?;
        let mut lints = Vec::new();
        match (&manifest.extends, all.get(BASE_MANIFEST)) {
            (Some(name), Some(base)) => {
                let base = read(BASE_MANIFEST, base)?;
                if base.name != *name || base.extends.is_some() {
                    lints.push(Lint::new(
                        "pack.toml",
                        text,
                        place(text, "extends"),
                        format!("the pack below base/ is `{}`", base.name),
                        "name a pack that builds on no other",
                    ));
                }
                for (name, parameter) in base.parameters {
                    manifest.parameters.entry(name).or_insert(parameter);
                }
                if manifest.cases.ladder.is_empty() {
                    manifest.cases.ladder = base.cases.ladder;
                }
                if manifest.questions.is_empty() {
                    manifest.questions = base.questions;
                }
                manifest.break_glass = manifest.break_glass.take().or(base.break_glass);
                manifest.losses = manifest.losses.take().or(base.losses);
            }
            (Some(name), None) => lints.push(Lint::new(
                "pack.toml",
                text,
                place(text, "extends"),
                format!("the pack `{name}` that this one builds on is not there"),
                "put its folder beside this one",
            )),
            (None, _) => {}
        }
        let inherits = manifest.extends.is_some();
        let files = in_force(all, inherits);
        let silent_after = rule::duration(&manifest.silent_after);
        for (field, value) in
            [("review_every", &manifest.review_every), ("silent_after", &manifest.silent_after)]
        {
            if rule::duration(value).is_none_or(|millis| millis == 0) {
                lints.push(Lint::new(
                    "pack.toml",
                    text,
                    place(text, field),
                    format!("`{value}` is no length of time"),
                    "write days or hours as in P365D or PT12H",
                ));
            }
        }
        let os_support = files.get("data/os-support.csv").map_or_else(
            || Ok(OsSupport::default()),
            |(path, csv)| {
                OsSupport::parse(csv).map_err(|line| {
                    let start = csv.split_inclusive('\n').take(line - 1).map(str::len).sum();
                    Lint::new(
                        path,
                        csv,
                        start..start + 1,
                        "this line cannot be read",
                        "write system,release,released,support_ends with a date, `true` or `false` last",
                    )
                })
            },
        );
        let mut rules: Vec<Rule> = Vec::new();
        let texts = || files.iter().filter(|(path, _)| path.starts_with("rules/")).map(|(_, file)| *file);
        for (path, text) in texts().filter(|(path, _)| language_of(path) == Some("")) {
            match Rule::parse(path, text, &manifest) {
                Ok(rule) => rules.push(rule),
                Err(more) => lints.extend(more),
            }
        }
        for (path, text) in texts() {
            let Some(tag) = language_of(path).filter(|tag| !tag.is_empty()) else { continue };
            let original = path.replace(&format!(".{tag}.md"), ".md");
            let original = original.trim_start_matches(BASE);
            let lint = match rules.iter_mut().find(|rule| original == format!("rules/{}.md", rule.id)) {
                Some(rule) => rule.translate(path, text, tag).err(),
                // What is wrong with the original has been said.
                None if files.contains_key(original) => None,
                None => Some(Lint::new(
                    path,
                    text,
                    0..3,
                    format!("there is no {original} that this would translate"),
                    "name it as the rule with the language before `.md`, as in disk-encrypted.pt-BR.md",
                )),
            };
            lints.extend(lint);
        }
        if rules.is_empty() && lints.is_empty() {
            lints.push(Lint::new("pack.toml", text, 0..0, "the pack has no rules", "add rules/<id>.md"));
        }
        lints.extend(sections(&manifest, &rules, text));
        let os_support = os_support.unwrap_or_else(|lint| {
            lints.push(lint);
            OsSupport::default()
        });
        lints.extend(strange_files(all, inherits));
        let (Some(silent_after), true) = (silent_after, lints.is_empty()) else {
            return Err(lints);
        };
        rules.sort_by(|a, b| (a.subject, &a.id).cmp(&(b.subject, &b.id)));
        let expressions: Vec<_> = rules.iter().flat_map(Rule::expressions).collect();
        Ok(Self {
            digest: digest_of(all),
            data_digest: digest(
                files
                    .iter()
                    .filter(|(path, _)| path.starts_with("data/"))
                    .map(|(path, (_, text))| (*path, *text)),
            ),
            silent_after,
            facts: expressions.iter().flat_map(|e| e.facts().iter().cloned()).collect(),
            depends_on_time: expressions.iter().any(|e| e.depends_on_time()),
            os_support: Arc::new(os_support),
            env: Arc::new(Env::stdlib()),
            losses: manifest.losses.take().unwrap_or_default(),
            in_doubt: AtomicBool::new(false),
            manifest,
            rules,
        })
    }

    /// Whether it's not known that this is the policy in effect. While it isn't, nothing is open to anybody.
    pub fn is_in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::Relaxed)
    }

    /// Says whether it's in doubt; whether that is new.
    pub fn put_in_doubt(&self, in_doubt: bool) -> bool {
        self.in_doubt.swap(in_doubt, Ordering::Relaxed) != in_doubt
    }

    /// `remote-work 1`, as findings and answers name it.
    pub fn label(&self) -> String {
        format!("{} {}", self.manifest.name, self.manifest.version)
    }

    /// The rules that judge one kind of thing.
    pub fn rules_of(&self, subject: Subject) -> &[Rule] {
        let start = self.rules.partition_point(|rule| rule.subject < subject);
        let end = self.rules.partition_point(|rule| rule.subject <= subject);
        &self.rules[start..end]
    }

    /// A parameter that is a number; `or` where the pack has none of that name.
    pub fn number(&self, name: &str, or: i64) -> i64 {
        match self.manifest.parameters.get(name).map(|parameter| &parameter.value) {
            Some(Scalar::Int(value)) => *value,
            Some(Scalar::Bool(_) | Scalar::Text(_)) | None => or,
        }
    }

    /// The rule with this id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}

/// The folder of the pack that another one builds on.
pub const BASE: &str = "base/";
const BASE_MANIFEST: &str = "base/pack.toml";

/// What is wrong with the sections of `pack.toml` that speak of rules, times and words.
fn sections(manifest: &Manifest, rules: &[Rule], text: &str) -> Vec<Lint> {
    let mut lints = Vec::new();
    let mut wrong = |word: &str, message: String, help: &str| {
        lints.push(Lint::new("pack.toml", text, place(text, word), message, help));
    };
    let find = |id: &str| rules.iter().find(|rule| rule.id == id);
    // Where a rule cannot be read, that is what is said.
    for (step, id) in manifest.rollout.iter().flat_map(|step| step.rules.iter().map(move |id| (step, id))) {
        match find(id) {
            None if !rules.is_empty() => {
                wrong(id, format!("there is no rule `{id}` to roll out"), "name rules by their ids");
            }
            Some(rule) if rule.waits() && step.stage != Stage::Observe => wrong(
                id,
                format!("nothing holds yet what `{id}` asks for: it would count against everybody"),
                "leave it at stage = \"observe\"",
            ),
            Some(_) | None => {}
        }
    }
    let longest = ("longest", manifest.exceptions.longest.as_str());
    for (field, value) in manifest.cases.times().into_iter().chain([longest]) {
        if rule::duration(value).is_none_or(|millis| millis == 0) {
            wrong(
                value,
                format!("`{value}` is no length of time for {field}"),
                "write days or hours as in P5D or PT12H",
            );
        }
    }
    if let Some((field, message, help)) =
        manifest.break_glass.as_ref().and_then(|glass| glass.wrong(&manifest.tiers))
    {
        wrong(field, message, help);
    }
    for (at, message, help) in manifest.losses.iter().flat_map(Losses::wrong) {
        wrong(&at, message, help);
    }
    for (severity, role) in &manifest.exceptions.decided_by {
        if !matches!(role, Role::Manager | Role::Coordinator | Role::Security) {
            let message = format!("exceptions to rules that prevent {} harm", severity.word());
            wrong("decided_by", message, "let a manager, a coordinator or security decide on them");
        }
    }
    let words = |words: &Said| words.get("en").is_some_and(|words| !words.trim().is_empty());
    if !manifest.cases.ladder.iter().all(words) {
        wrong(
            "ladder",
            "a sanction has no words".to_owned(),
            "write it as { en = \"…\" }, and in other languages beside it",
        );
    }
    if manifest.questions.len() > MOST_QUESTIONS {
        wrong("questions", format!("more than {MOST_QUESTIONS} questions"), "ask what matters most");
    }
    for question in &manifest.questions {
        let sound = words(&question.ask)
            && question.options.iter().all(words)
            && (2..=6).contains(&question.options.len())
            && question.right < question.options.len();
        if !sound {
            wrong(
                "questions",
                "a question that cannot be answered".to_owned(),
                "give it words, two to six options with words, and as `right` the place of one of them, from 0",
            );
        }
        if find(&question.rule).is_none() && !rules.is_empty() {
            wrong(
                &question.rule,
                format!("there is no rule `{}`", question.rule),
                "name the rule where the answer is read",
            );
        }
    }
    lints
}

/// Whether a pack may hold a file of this path: the manifest, a rule or its translation, a test, a table, notes. What
/// stands below `base/` is named without that.
pub fn is_path(path: &str) -> bool {
    let word = |name: &str| {
        !name.is_empty()
            && name.len() <= 80
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    match path.split_once('/') {
        None => path == "pack.toml" || NOTES.contains(&path),
        Some(("rules", name)) => match name.strip_suffix(".md").map(|name| name.split_once('.')) {
            Some(Some((rule, tag))) => word(rule) && word(tag),
            Some(None) => name.strip_suffix(".md").is_some_and(word),
            None => false,
        },
        Some(("tests", name)) => name.strip_suffix(".toml").is_some_and(word),
        Some(("data", name)) => name.rsplit_once('.').is_some_and(|(name, kind)| word(name) && word(kind)),
        Some(_) => false,
    }
}

/// Files for people, which no rule reads.
const NOTES: [&str; 2] = ["README.md", "LICENSE"];
/// The tables that rules read, and what is said about them.
const TABLES: [&str; 2] = ["data/os-support.csv", "data/README.md"];

/// Files that a pack may not hold, and those that nothing reads: whoever wrote one expects it to count.
fn strange_files(all: &Files, inherits: bool) -> Vec<Lint> {
    let strange = |path: &str| {
        let below = path.strip_prefix(BASE).unwrap_or(path);
        if !is_path(below) {
            return Some("a pack holds no file of this name");
        }
        let unread =
            (path.starts_with(BASE) && !inherits) || (below.starts_with("data/") && !TABLES.contains(&below));
        unread.then_some("nothing reads this file")
    };
    all.iter()
        .filter_map(|(path, text)| Some((path, text, strange(path)?)))
        .map(|(path, text, what)| {
            let advice =
                "a pack is pack.toml, rules/NAME.md, tests/NAME.toml and data/os-support.csv; take it out";
            Lint::new(&path.escape_debug().to_string(), text, 0..0, what, advice)
        })
        .collect()
}

/// Where a word stands in a text.
fn place(text: &str, word: &str) -> std::ops::Range<usize> {
    let start = text.find(word).unwrap_or(0);
    start..start + word.len()
}

/// The files that count, by their path without `base/`: those of the pack, and those of the pack that it
/// builds on where it has none of that name.
pub(crate) fn in_force(files: &Files, inherits: bool) -> BTreeMap<&str, (&str, &str)> {
    let mut all = BTreeMap::new();
    for (path, text) in files {
        match path.strip_prefix(BASE) {
            Some(below) if inherits => {
                all.entry(below).or_insert((path.as_str(), text.as_str()));
            }
            Some(_) => {}
            None => {
                all.insert(path.as_str(), (path.as_str(), text.as_str()));
            }
        }
    }
    // A rule that was replaced is not spoken for by the translation of the other one.
    let replaced: Vec<&str> = all
        .iter()
        .filter(|(below, (path, _))| {
            path.starts_with(BASE)
                && language_of(below).is_some_and(|tag| {
                    let original = below.replace(&format!(".{tag}.md"), ".md");
                    !tag.is_empty()
                        && all.get(original.as_str()).is_some_and(|(path, _)| !path.starts_with(BASE))
                })
        })
        .map(|(below, _)| *below)
        .collect();
    for below in replaced {
        all.remove(below);
    }
    all
}

/// The language in a rule's file name: `pt-BR` in `x.pt-BR.md`, none in `x.md`. None at all for what is no
/// rule.
fn language_of(path: &str) -> Option<&str> {
    let name = path.strip_suffix(".md")?.rsplit('/').next()?;
    Some(name.split_once('.').map_or("", |(_, tag)| tag))
}

/// Digest over all files of a pack, as versions are named by.
pub fn digest_of(files: &Files) -> String {
    digest(files.iter().map(|(path, text)| (path.as_str(), text.as_str())))
}

/// Digest over names and texts of files. A line feed within a name is written as `\n` and a backslash twice, so that no
/// two sets of files have one listing.
fn digest<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let named = |path: &str| path.replace('\\', "\\\\").replace('\n', "\\n");
    let listing: String =
        files.map(|(path, text)| format!("{} {}\n", seal::digest(text.as_bytes()), named(path))).collect();
    seal::digest(listing.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shipped;

    /// S11: a file of a signed pack, renamed so that it swallowed those after it, kept the digest and lost the rules.
    #[test]
    fn s11_no_file_is_taken_out_under_the_same_digest() {
        let whole = shipped::remote_work();
        let names: Vec<&String> = whole.keys().collect();
        for (place, name) in names.iter().enumerate() {
            for next in names.iter().skip(place + 1).take(3) {
                let mut files = whole.clone();
                let text = files.remove(*name).unwrap();
                let swallowed: Vec<String> = names[place + 1..]
                    .iter()
                    .take_while(|swallowed| **swallowed <= *next)
                    .filter_map(|path| {
                        Some(format!("\n{} {path}", seal::digest(files.remove(*path)?.as_bytes())))
                    })
                    .collect();
                let path = format!("{name}{}", swallowed.concat());
                files.insert(path.clone(), text);
                assert_ne!(digest_of(&files), digest_of(&whole), "{path}");
                assert!(Pack::load(&files).is_err(), "{path}");
            }
        }
        let digest = digest_of(&whole);
        for path in [
            "..",
            "/etc/x",
            "a\0b",
            "rules/a\u{202e}b.md",
            "rules/../pack.toml",
            "x",
            "data/rules.csv",
            "base/rules/x.md",
            "rules/clock-right.md\\n",
            "RULES/a.md",
        ] {
            let mut files = whole.clone();
            files.insert(path.to_owned(), String::new());
            let lints = Pack::load(&files).unwrap_err();
            assert!(lints[0].path().chars().all(|c| !c.is_control()), "{path:?}");
            assert_ne!(digest_of(&files), digest);
        }
    }

    proptest::proptest! {
        /// S11: two sets of files that have one digest are one set.
        #[test]
        fn s11_what_is_hashed_says_all_of_it(
            one in proptest::collection::btree_map("[ab\\\\\n :]{0,4}", "[ab]{0,1}", 0..4),
            other in proptest::collection::btree_map("[ab\\\\\n :]{0,4}", "[ab]{0,1}", 0..4),
            cut in 0usize..80,
        ) {
            proptest::prop_assert_eq!(digest_of(&one) == digest_of(&other), one == other);
            // The same, with a path that holds what the listing holds of another file.
            let mut swallowing = one.clone();
            if let (Some((path, text)), Some((next, said))) = (swallowing.pop_first(), swallowing.pop_first()) {
                let listed = format!("{path}\n{} {next}", seal::digest(said.as_bytes()));
                let cut = listed.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(listed.len());
                swallowing.insert(listed[..cut].to_owned(), text);
                proptest::prop_assert_eq!(digest_of(&one) == digest_of(&swallowing), one == swallowing);
            }
        }
    }

    #[test]
    fn paths_stay_inside_the_pack() {
        for good in [
            "pack.toml",
            "README.md",
            "rules/a-b.md",
            "rules/a-b.pt-BR.md",
            "tests/a.toml",
            "data/os-support.csv",
        ] {
            assert!(is_path(good), "{good}");
        }
        for bad in [
            "",
            "a.md",
            "rules/",
            "rules/../pack.toml",
            "rules/a.b.c.md",
            "rules/a",
            "base/pack.toml",
            "data/.csv",
        ] {
            assert!(!is_path(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let refused = |files: &Files| Pack::load(files).unwrap_err()[0].message().to_owned();
        assert_eq!(refused(&Files::new()), "there is no pack.toml");
        let mut files = shipped::remote_work();
        files.retain(|path, _| !path.starts_with("rules/"));
        assert_eq!(refused(&files), "the pack has no rules");
        files.insert("data/os-support.csv".to_owned(), "h\nx,1,,soon\n".to_owned());
        files.insert("rules/a.md".to_owned(), "# no front matter\n".to_owned());
        assert_eq!(refused(&files), "the front matter is missing");
    }

    #[test]
    fn a_translation_has_the_sections_of_its_rule() {
        let mut files = shipped::remote_work();
        files.retain(|path, _| !path.contains(".pt-BR."));
        let original = files["rules/clock-right.md"].clone();
        let body = original.split("+++\n").nth(2).unwrap();
        let path = "rules/clock-right.pt-BR.md".to_owned();
        files.insert(
            path.clone(),
            format!(
                "+++\ntitle = \"O relógio está certo\"\nasks = \"Acerte\"\nwhen_not = \"Não\"\n+++\n{body}"
            ),
        );
        let pack = Pack::load(&files).unwrap();
        let rule = pack.rule("clock-right").unwrap();
        assert_eq!(rule.text("pt-BR").title, "O relógio está certo");
        assert_eq!(rule.text("pt-BR").fixes.len(), rule.fixes.len());
        assert_eq!(rule.text("de").title, rule.title);
        files.insert(path, "+++\ntitle = \"x\"\nasks = \"y\"\n+++\nWhy.\n".to_owned());
        assert!(Pack::load(&files).unwrap_err()[0].message().contains("sections"));
        files.remove("rules/clock-right.pt-BR.md");
        files.insert(
            "rules/nothing.pt-BR.md".to_owned(),
            "+++\ntitle = \"x\"\nasks = \"y\"\n+++\nWhy.\n".to_owned(),
        );
        assert!(Pack::load(&files).unwrap_err()[0].message().contains("would translate"));
    }

    #[test]
    fn another_text_is_another_digest() {
        let mut files = shipped::remote_work();
        let before = Pack::load(&files).unwrap().digest;
        files.entry("rules/clock-right.md".to_owned()).or_default().push('\n');
        assert_ne!(Pack::load(&files).unwrap().digest, before);
    }
}

//! A rule: one Markdown file with TOML front matter.
//!
//! ```text
//! +++
//! id = "disk-encrypted"
//! …                              what the server judges
//! +++
//! Why it matters, for the person.
//! ## What we look at
//! …
//! ## Fix on Linux
//! …                              what to do, for each system
//! ```

use std::collections::BTreeMap;

use jiff::{Span, SpanRelativeTo};
use serde::Deserialize;
use stead_model::{Severity, Stage, Subject, catalogue};
use toml::Spanned;

use crate::{
    expression::{Expression, Wanted},
    lint::Lint,
    pack::Manifest,
    requirement,
    terms::Binds,
};

/// The systems that every device rule must say a fix for.
pub const SYSTEMS: [&str; 3] = ["Linux", "macOS", "Windows"];

/// The section in which every other rule says what to do.
pub const WHAT_TO_DO: &str = "What to do";

/// What a rule may protect.
pub const SERVES: [&str; 3] = ["confidentiality", "integrity", "availability"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    id: Spanned<String>,
    title: Spanned<String>,
    asks: String,
    requirements: Spanned<Vec<Spanned<String>>>,
    controls: Vec<String>,
    serves: Spanned<Vec<Spanned<String>>>,
    subject: Spanned<String>,
    when: Option<Spanned<String>>,
    when_not: Option<Spanned<String>>,
    pass: Spanned<String>,
    shows: Option<Spanned<String>>,
    severity: Severity,
    grace: Spanned<String>,
    stage: Spanned<Stage>,
    costs: Spanned<String>,
    #[serde(default)]
    binds: Binds,
    owner: Option<String>,
    review_every: Option<Spanned<String>>,
}

/// One section of a rule's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// What stands under it, Markdown.
    pub text: String,
}

/// What a person reads of a rule, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its title.
    pub title: String,
    /// What it asks somebody to do who does not keep it, as an imperative.
    pub asks: String,
    /// What is said when it does not concern a subject.
    pub when_not: Option<String>,
    /// Why it matters, Markdown.
    pub why: String,
    /// Sections that are no fixes.
    pub sections: Vec<Section>,
    /// How to fix it, by system, Markdown. The headings name the systems; empty where it is the same for all.
    pub fixes: Vec<Section>,
}

/// A rule that has been checked and can judge.
#[derive(Debug)]
pub struct Rule {
    /// Its id, the name of its file.
    pub id: String,
    /// Its title, in words for the person: how things are where it is kept.
    pub title: String,
    /// What it asks somebody to do who does not keep it, as an imperative.
    pub asks: String,
    /// The lines of the source documents that it serves.
    pub requirements: Vec<String>,
    /// The controls of standards that it serves.
    pub controls: Vec<String>,
    /// Which of confidentiality, integrity and availability it protects.
    pub serves: Vec<String>,
    /// What kind of thing it judges.
    pub subject: Subject,
    /// When it concerns a subject at all, and what is said when it does not.
    pub when: Option<(Expression, String)>,
    /// What it asks.
    pub pass: Expression,
    /// What was seen, in words.
    pub shows: Option<Expression>,
    /// Harm that a failure can do.
    pub severity: Severity,
    /// Milliseconds from the first failure until it counts as lapsed.
    pub grace: i64,
    /// How far it has been rolled out.
    pub stage: Stage,
    /// The tier that a lapse takes away.
    pub costs: String,
    /// Whom it binds.
    pub binds: Binds,
    /// Who answers for it, where that is not whoever answers for the pack.
    pub owner: Option<String>,
    /// How often it is to be reviewed, in milliseconds, where that is not as often as the pack.
    pub review_every: Option<i64>,
    /// Why it matters, Markdown.
    pub why: String,
    /// Sections that are no fixes.
    pub sections: Vec<Section>,
    /// How to fix it, by system, Markdown; for what is no device one section without a system.
    pub fixes: Vec<Section>,
    /// The same words in other languages, by tag (BCP 47).
    pub translations: BTreeMap<String, Text>,
    /// The whole file.
    pub source: String,
}

impl Rule {
    /// Reads and checks one rule file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(path: &str, text: &str, manifest: &Manifest) -> Result<Self, Vec<Lint>> {
        let (front, body_start) = split(path, text).map_err(|lint| vec![lint])?;
        let offset = front.start;
        let matter: FrontMatter = toml::from_str(&text[front.clone()])
            .map_err(|error| vec![toml_lint(path, text, offset, &error)])?;
        let mut reader = Reader { path, text, offset, lints: Vec::new() };

        reader.check_names(&matter, manifest);
        let subject = reader.subject(&matter.subject);
        let when = match (&matter.when, &matter.when_not) {
            (Some(when), Some(not)) => {
                reader.expression(when, manifest, Wanted::Verdict).map(|when| (when, not.get_ref().clone()))
            }
            (Some(when), None) => {
                reader.at(
                    when,
                    "`when` needs `when_not`",
                    "say in `when_not` what a person reads when the rule does not concern them",
                );
                None
            }
            (None, Some(not)) => {
                reader.at(
                    not,
                    "`when_not` without `when` is never said",
                    "add `when`, or take `when_not` out",
                );
                None
            }
            (None, None) => None,
        };
        let pass = reader.expression(&matter.pass, manifest, Wanted::Verdict);
        let shows = matter.shows.as_ref().map(|shows| reader.expression(shows, manifest, Wanted::Words));
        let grace = reader.duration(&matter.grace);
        let review_every = matter.review_every.as_ref().and_then(|every| reader.duration(every));
        let (why, sections, fixes) = reader.body(body_start, subject);
        if let Some(subject) = subject {
            let all = when.iter().map(|(when, _)| when).chain(&pass).chain(shows.iter().flatten());
            reader.facts(&matter, subject, all);
        }

        match (pass, grace, subject) {
            (Some(pass), Some(grace), Some(subject)) if reader.lints.is_empty() => Ok(Self {
                id: matter.id.into_inner(),
                title: matter.title.into_inner(),
                asks: matter.asks,
                requirements: plain(matter.requirements.into_inner()),
                controls: matter.controls,
                serves: plain(matter.serves.into_inner()),
                subject,
                when,
                pass,
                shows: shows.flatten(),
                severity: matter.severity,
                grace,
                stage: matter.stage.into_inner(),
                costs: matter.costs.into_inner(),
                binds: matter.binds,
                owner: matter.owner,
                review_every,
                why,
                sections,
                fixes,
                translations: BTreeMap::new(),
                source: text.to_owned(),
            }),
            _ => Err(reader.lints),
        }
    }

    /// How to fix it on a system; what is said for Linux, or for all, where that system is not named.
    pub fn fix(&self, system: &str) -> &str {
        let named = |name: &str| self.fixes.iter().find(|fix| fix.heading == name);
        named(system).or_else(|| named("Linux")).or_else(|| named("")).map_or("", |fix| &fix.text)
    }

    /// Whether it asks for facts that nothing holds yet: then it is judged unknown, and counts for nobody.
    pub fn waits(&self) -> bool {
        let names = self.when.iter().map(|(when, _)| when).chain([&self.pass]).flat_map(Expression::facts);
        names.into_iter().any(|name| to_come(name))
    }

    /// What a person reads, in their language where it is there, else in the pack's own.
    pub fn text(&self, language: &str) -> Text {
        self.translations.get(language).cloned().unwrap_or_else(|| Text {
            title: self.title.clone(),
            asks: self.asks.clone(),
            when_not: self.when.as_ref().map(|(_, not)| not.clone()),
            why: self.why.clone(),
            sections: self.sections.clone(),
            fixes: self.fixes.clone(),
        })
    }

    /// Takes a translation: a file `rules/<id>.<tag>.md` with the same sections in the same order.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn translate(&mut self, path: &str, text: &str, tag: &str) -> Result<(), Lint> {
        let (front, body) = split(path, text)?;
        let front_matter: Translated = toml::from_str(&text[front.clone()])
            .map_err(|error| toml_lint(path, text, front.start, &error))?;
        let (why, all) = headings(&text[body..]);
        let wanted = self.sections.len() + self.fixes.len();
        let wrong = |message: String, help: &str| Err(Lint::new(path, text, 0..3, message, help));
        if all.len() != wanted || why.is_empty() {
            return wrong(
                format!("the translation has {} sections, and the rule {wanted}", all.len()),
                "give it the same sections in the same order, after a sentence or two on why",
            );
        }
        if front_matter.when_not.is_some() != self.when.is_some() {
            return wrong(
                "`when_not` is there in one of rule and translation only".to_owned(),
                "translate it, or take it out",
            );
        }
        // A section stands where its original stands; the original's heading says what it is.
        let mut original = headings(&self.source).1.into_iter();
        let (mut sections, mut fixes) = (Vec::new(), Vec::new());
        for section in all {
            match original.next().and_then(|original| fixes_on(&original.heading)) {
                Some(system) => fixes.push(Section { heading: system, text: section.text }),
                None => sections.push(section),
            }
        }
        let Translated { title, asks, when_not } = front_matter;
        self.translations.insert(tag.to_owned(), Text { title, asks, when_not, why, sections, fixes });
        Ok(())
    }

    /// Every expression it has.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.when.iter().map(|(when, _)| when).chain([&self.pass]).chain(&self.shows)
    }
}

/// The system for which a section says what to do; empty where it does so for all. None when it is no such
/// section.
fn fixes_on(heading: &str) -> Option<String> {
    match heading {
        WHAT_TO_DO => Some(String::new()),
        heading => heading.strip_prefix("Fix on ").map(str::to_owned),
    }
}

/// The title that the text of a rule gives it, as far as that can be read.
pub fn title_in(text: &str) -> Option<String> {
    let (front, _) = split("", text).ok()?;
    let table: toml::Table = toml::from_str(&text[front]).ok()?;
    table.get("title")?.as_str().filter(|title| !title.is_empty()).map(str::to_owned)
}

fn to_come(fact: &str) -> bool {
    catalogue::find(fact).is_some_and(|spec| spec.source == catalogue::Source::ToCome)
}

fn plain(spanned: Vec<Spanned<String>>) -> Vec<String> {
    spanned.into_iter().map(Spanned::into_inner).collect()
}

/// The bytes of the front matter, and where the body starts.
fn split(path: &str, text: &str) -> Result<(std::ops::Range<usize>, usize), Lint> {
    const FENCE: &str = "+++\n";
    let help = "a rule starts with a line `+++`, then its fields as TOML, then a line `+++`, then its text";
    if !text.starts_with(FENCE) {
        return Err(Lint::new(
            path,
            text,
            0..text.find('\n').unwrap_or(text.len()),
            "the front matter is missing",
            help,
        ));
    }
    let start = FENCE.len();
    match text[start..].find("\n+++\n") {
        Some(length) => Ok((start..start + length + 1, start + length + 1 + FENCE.len())),
        None => Err(Lint::new(path, text, 0..3, "the front matter does not end", help)),
    }
}

/// What the TOML reader says, placed in the whole file.
pub(crate) fn toml_lint(path: &str, text: &str, offset: usize, error: &toml::de::Error) -> Lint {
    let span = error.span().map_or(offset..offset, |span| span.start + offset..span.end + offset);
    let message = error.message().to_owned();
    let help = if message.starts_with("unknown field") {
        "take the field out or correct its name; the names that are known are listed above"
    } else if message.starts_with("missing field") {
        "add the field to the front matter"
    } else if message.starts_with("unknown variant") {
        "use one of the words listed above"
    } else {
        "correct the TOML here"
    };
    Lint::new(path, text, span, message, help)
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    offset: usize,
    lints: Vec<Lint>,
}

impl Reader<'_> {
    fn at<T>(&mut self, value: &Spanned<T>, message: impl Into<String>, help: impl Into<String>) {
        let span = value.span();
        self.place(span.start + self.offset..span.end + self.offset, message, help);
    }

    fn place(&mut self, span: std::ops::Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.lints.push(Lint::new(self.path, self.text, span, message, help));
    }

    fn check_names(&mut self, matter: &FrontMatter, manifest: &Manifest) {
        let stem = self.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".md").to_owned();
        if *matter.id.get_ref() != stem {
            self.at(
                &matter.id,
                format!("the id is not the name of the file, `{stem}`"),
                "give both the same name",
            );
        }
        if !stem.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            self.at(&matter.id, "an id has small letters, digits and `-`", "name file and rule so");
        }
        if matter.title.get_ref().trim().is_empty() {
            self.at(&matter.title, "the title is empty", "say in a few words what is so when all is well");
        }
        if matter.requirements.get_ref().is_empty() {
            self.at(
                &matter.requirements,
                "the rule serves no requirement",
                "name at least one line of the register, as in \"RC-2\"",
            );
        }
        for id in matter.requirements.get_ref() {
            if requirement::find(id.get_ref()).is_none() {
                self.at(
                    id,
                    format!("there is no requirement `{}`", id.get_ref()),
                    "use an id of the register: RC-0 to RC-10, OPM-S1 to S4, OPM-M1 to M7, OPM-E1 to E5",
                );
            }
        }
        if matter.serves.get_ref().is_empty() {
            self.at(
                &matter.serves,
                "the rule protects nothing",
                format!("name at least one of {}", SERVES.join(", ")),
            );
        }
        for word in matter.serves.get_ref() {
            if !SERVES.contains(&word.get_ref().as_str()) {
                self.at(
                    word,
                    format!("`{}` is nothing a rule protects", word.get_ref()),
                    format!("use {}", SERVES.join(", ")),
                );
            }
        }
        if !manifest.tiers.contains(matter.costs.get_ref()) {
            self.at(
                &matter.costs,
                format!("the pack has no tier `{}`", matter.costs.get_ref()),
                format!("use one of {}", manifest.tiers.join(", ")),
            );
        }
    }

    fn subject(&mut self, word: &Spanned<String>) -> Option<Subject> {
        let subject = Subject::from_word(word.get_ref());
        if subject.is_none() {
            let words = Subject::ALL.map(Subject::word).join(", ");
            self.at(word, format!("no rule can judge `{}`", word.get_ref()), format!("use one of {words}"));
        }
        subject
    }

    /// What a rule asks for must be about what it judges, and must not count before anything holds it.
    fn facts<'a>(
        &mut self,
        matter: &FrontMatter,
        subject: Subject,
        expressions: impl Iterator<Item = &'a Expression>,
    ) {
        for fact in expressions.flat_map(Expression::facts) {
            if Subject::of_fact(fact) != Some(subject) {
                self.at(
                    &matter.subject,
                    format!("the rule judges `{subject}` and asks for `{fact}`"),
                    "ask for facts of what it judges, or judge something else",
                );
            } else if to_come(fact) && *matter.stage.get_ref() != Stage::Observe {
                self.at(
                    &matter.stage,
                    format!("nothing holds `{fact}` yet: the rule would count against everybody"),
                    "write stage = \"observe\"",
                );
            }
        }
    }

    fn expression(
        &mut self,
        source: &Spanned<String>,
        manifest: &Manifest,
        wanted: Wanted,
    ) -> Option<Expression> {
        match Expression::compile(source.get_ref(), &manifest.parameters, wanted) {
            Ok(expression) => Some(expression),
            Err(refused) => {
                // The text starts after the opening quotes, one or three, and a line's end after three.
                let span = self.offset + source.span().start..self.offset + source.span().end;
                let raw = &self.text[span.clone()];
                let opening = ["\"\"\"\n", "'''\n", "\"\"\"", "'''"].into_iter().find(|o| raw.starts_with(o));
                let start = span.start + opening.map_or(1, str::len);
                let at = start + refused.span.start..start + refused.span.end;
                // What was written with escapes is longer there than it is: then all of it is shown.
                let same = self.text.get(at.clone()) == source.get_ref().get(refused.span);
                self.place(if same { at } else { span }, refused.message, refused.help);
                None
            }
        }
    }

    fn duration(&mut self, text: &Spanned<String>) -> Option<i64> {
        let millis = duration(text.get_ref());
        if millis.is_none() {
            self.at(
                text,
                format!("`{}` is no length of time", text.get_ref()),
                "write days, hours or minutes as in P3D, PT12H, P1DT6H; P0D is none",
            );
        }
        millis
    }

    fn body(&mut self, start: usize, subject: Option<Subject>) -> (String, Vec<Section>, Vec<Section>) {
        let (why, all) = headings(&self.text[start..]);
        let end = self.text.len().saturating_sub(1)..self.text.len();
        if why.is_empty() {
            self.place(
                start..start,
                "the rule does not say why",
                "write a sentence or two before the first heading",
            );
        }
        let (mut sections, mut fixes) = (Vec::new(), Vec::new());
        for Section { heading, text } in all {
            match fixes_on(&heading) {
                Some(system) => fixes.push(Section { heading: system, text }),
                None => sections.push(Section { heading, text }),
            }
        }
        let (wanted, help): (&[&str], _) = match subject {
            Some(Subject::Device) => {
                (&SYSTEMS, "say how to fix it on that system, or that it cannot happen there")
            }
            Some(_) => (&[""], "say what somebody does who does not keep it"),
            None => (&[], ""),
        };
        for system in wanted {
            if !fixes.iter().any(|fix| fix.heading == *system && !fix.text.is_empty()) {
                let heading = match *system {
                    "" => WHAT_TO_DO.to_owned(),
                    system => format!("Fix on {system}"),
                };
                self.place(end.clone(), format!("there is no section `## {heading}`"), help);
            }
        }
        (why, sections, fixes)
    }
}

/// The front matter of a translation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Translated {
    title: String,
    asks: String,
    when_not: Option<String>,
}

/// What stands before the first heading of the second rank, and what stands under each.
fn headings(body: &str) -> (String, Vec<Section>) {
    let mut why = String::new();
    let mut all: Vec<Section> = Vec::new();
    for line in body.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            all.push(Section { heading: heading.trim().to_owned(), text: String::new() });
            continue;
        }
        let text = all.last_mut().map_or(&mut why, |section| &mut section.text);
        text.push_str(line);
        text.push('\n');
    }
    for section in &mut all {
        section.text = section.text.trim().to_owned();
    }
    (why.trim().to_owned(), all)
}

/// Milliseconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds; a day has 24 hours.
pub fn duration(text: &str) -> Option<i64> {
    let span: Span = text.starts_with('P').then(|| text.parse().ok()).flatten()?;
    if span.get_years() != 0 || span.get_months() != 0 || span.is_negative() {
        return None;
    }
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    i64::try_from(duration.as_millis()).ok()
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;

//! The words of pages in each language, and times as people write them. Messages are Fluent files in
//! `locales/`; a test holds that every language has every message.

use std::{borrow::Cow, collections::HashMap};

use axum::{extract::FromRequestParts, http::HeaderMap, http::request::Parts};
use fluent_templates::{LanguageIdentifier, Loader, fluent_bundle::FluentValue, langid, static_loader};
use jiff::{Zoned, tz::TimeZone};
use stead_model::{Employment, Millis, Role, Stage, Standing, catalogue, problem::Kind, time};
use stead_store::clear_out::Item;

use crate::web::Plain;

static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "en",
        // The marks that keep directions of writing apart would stand in every copied number.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

// The loader reads the files while it is compiled; this lets cargo know that they are part of it.
const _: [&str; 2] = [include_str!("../locales/en/main.ftl"), include_str!("../locales/pt-BR/main.ftl")];

/// What a message is given: names and values. Values that are whole numbers choose plurals.
pub type Arguments = Vec<(&'static str, String)>;

/// A language that pages speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Brazilian Portuguese.
    BrazilianPortuguese,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::BrazilianPortuguese];

    /// Its tag (BCP 47), as in a page's `lang`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::BrazilianPortuguese => "pt-BR",
        }
    }

    /// Its name, in itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::BrazilianPortuguese => "Português (Brasil)",
        }
    }

    /// The language with this tag.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// What a browser asks for most that is there (RFC 9110, 12.5.4).
    pub fn asked(headers: &HeaderMap) -> Self {
        let asked = headers.get("accept-language").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (0.0, Self::English);
        for part in asked.split(',').take(20) {
            let mut pieces = part.split(';');
            let tag = pieces.next().unwrap_or_default().trim().to_lowercase();
            let weight =
                pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            let language = match tag.split('-').next() {
                Some("en") => Self::English,
                Some("pt") => Self::BrazilianPortuguese,
                _ => continue,
            };
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }

    fn id(self) -> LanguageIdentifier {
        match self {
            Self::English => langid!("en"),
            Self::BrazilianPortuguese => langid!("pt-BR"),
        }
    }
}

/// How one reader is spoken to: their language, and their time.
#[derive(Clone, Debug)]
pub struct Words {
    /// The language.
    pub language: Language,
    zone: TimeZone,
}

impl Words {
    /// English, in the server's time: for logs, terminals and the API.
    pub fn english() -> Self {
        Self { language: Language::English, zone: TimeZone::system() }
    }

    /// A language and a time zone by name; the server's where there is none of that name.
    pub fn new(language: Language, zone: &str) -> Self {
        let zone = if zone.is_empty() { None } else { TimeZone::get(zone).ok() };
        Self { language, zone: zone.unwrap_or_else(TimeZone::system) }
    }

    /// What a browser asks for.
    pub fn asked(headers: &HeaderMap) -> Self {
        Self::new(Language::asked(headers), "")
    }

    /// A message.
    pub fn say(&self, name: impl AsRef<str>) -> String {
        self.message(name.as_ref(), &[])
    }

    /// A message with what it is given.
    pub fn with(&self, name: impl AsRef<str>, with: impl AsRef<[(&'static str, String)]>) -> String {
        self.message(name.as_ref(), with.as_ref())
    }

    /// A message about a number, which is called `n` in it.
    pub fn count(&self, name: impl AsRef<str>, n: impl Plain<i64>) -> String {
        self.message(name.as_ref(), &[("n", n.plain().to_string())])
    }

    fn message(&self, name: &str, with: &[(&'static str, String)]) -> String {
        let values: HashMap<Cow<'static, str>, FluentValue<'_>> = with
            .iter()
            .map(|(name, value)| {
                let number = value.len() < 16 && value.parse::<i64>().is_ok();
                let value = if number {
                    FluentValue::try_number(value)
                } else {
                    FluentValue::String(Cow::Borrowed(value.as_str()))
                };
                (Cow::Borrowed(*name), value)
            })
            .collect();
        let values = (!values.is_empty()).then_some(&values);
        LOCALES.lookup_complete(&self.language.id(), name, values)
    }

    /// The title of a problem; English where a language has none, for what no teleworker meets.
    pub fn problem_title(&self, kind: Kind) -> String {
        if self.language == Language::English {
            return kind.title().to_owned();
        }
        let name = format!("problem-{}", kind.slug());
        LOCALES.try_lookup(&self.language.id(), &name).unwrap_or_else(|| kind.title().to_owned())
    }

    fn zoned(&self, at: Millis) -> Zoned {
        at.timestamp().to_zoned(self.zone.clone())
    }

    fn named(&self, message: &str, at: Millis) -> String {
        let at = self.zoned(at);
        let month = self.say(format!("month-{}", at.month()));
        let weekday = self.say(format!("weekday-{}", at.weekday().to_monday_one_offset()));
        let day = match (self.language, at.day()) {
            (Language::BrazilianPortuguese, 1) => "1º".to_owned(),
            (_, day) => day.to_string(),
        };
        let with = [
            ("weekday", weekday),
            ("day", day),
            ("month", month),
            ("year", at.year().to_string()),
            ("time", at.strftime("%H:%M").to_string()),
        ];
        self.with(message, with)
    }

    /// `Thursday 12 March 2026, 09:42`.
    pub fn long_time(&self, at: impl Plain<Millis>) -> String {
        self.named("time-long", at.plain())
    }

    /// `12 March, 08:12`, with the year when it is another.
    pub fn short_time(&self, at: impl Plain<Millis>, now: impl Plain<Millis>) -> String {
        let (at, now) = (at.plain(), now.plain());
        let same = self.zoned(at).year() == self.zoned(now).year();
        self.named(if same { "time-short" } else { "time-short-year" }, at)
    }

    /// `3 June 2025`.
    pub fn date(&self, at: impl Plain<Millis>) -> String {
        self.named("date", at.plain())
    }

    /// `Thursday 12 March, 08:12`: for a deadline.
    pub fn deadline(&self, at: impl Plain<Millis>) -> String {
        self.named("time-deadline", at.plain())
    }

    /// `Thu 08:12` within a week, else the day: for where there is little room.
    pub fn brief(&self, at: impl Plain<Millis>, now: impl Plain<Millis>) -> String {
        let (at, now) = (at.plain(), now.plain());
        if at.since(now) >= 6 * time::DAY {
            return self.named("day-brief", at);
        }
        let weekday = self.say(format!("weekday-brief-{}", self.zoned(at).weekday().to_monday_one_offset()));
        let hour = self.zoned(at).strftime("%H:%M").to_string();
        self.with("time-brief", [("weekday", weekday), ("time", hour)])
    }

    /// Yes or no.
    pub fn yes(&self, yes: bool) -> String {
        self.say(if yes { "yes" } else { "no" })
    }

    /// `09:41:58` today, else with the date.
    pub fn exact_time(&self, at: Millis, now: Millis) -> String {
        let (at, today) = (self.zoned(at), self.zoned(now));
        let form = if at.date() == today.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
        at.strftime(form).to_string()
    }

    /// `2026-03-12 09:41:58 +01:00`: for papers that leave the house.
    pub fn exact_date(&self, at: Millis) -> String {
        self.zoned(at).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
    }

    /// The word for a standing.
    pub fn standing(&self, standing: Standing) -> String {
        self.say(match standing {
            Standing::Good => "standing-good",
            Standing::Due => "standing-due",
            Standing::Lapsed => "standing-lapsed",
            Standing::Unknown => "standing-unknown",
        })
    }

    /// The word for a stage.
    pub fn stage(&self, stage: impl Plain<Stage>) -> String {
        self.say(match stage.plain() {
            Stage::Observe => "stage-observe",
            Stage::Advise => "stage-advise",
            Stage::Enforce => "stage-enforce",
        })
    }

    /// The name of a role.
    pub fn role(&self, role: impl Plain<Role>) -> String {
        self.say(format!("role-{}", role.plain().word()))
    }

    /// The name of a state of employment.
    pub fn state(&self, state: impl Plain<Employment>) -> String {
        self.say(format!("state-{}", state.plain().word()))
    }

    /// What a record was opened for.
    pub fn purpose(&self, purpose: impl AsRef<str>) -> String {
        self.say(format!("purpose-{}", purpose.as_ref()))
    }

    /// The name of a tier; the pack's own word where it is one of the organisation's.
    pub fn tier(&self, tier: impl AsRef<str>) -> String {
        let tier = tier.as_ref();
        LOCALES.try_lookup(&self.language.id(), &format!("tier-{tier}")).unwrap_or_else(|| tier.to_owned())
    }

    /// What a fact of the catalogue says, for the person it is about.
    pub fn fact(&self, name: &str) -> String {
        let message = fact_message(name);
        LOCALES.try_lookup(&self.language.id(), &message).unwrap_or_else(|| {
            let spec = catalogue::DEVICE.iter().find(|spec| spec.name == name);
            spec.map_or_else(|| name.to_owned(), |spec| spec.about.to_owned())
        })
    }

    /// Something on the list of somebody who leaves.
    pub fn clear_out(&self, item: &Item) -> String {
        match item.kind.as_str() {
            "role" => {
                let role = item.object.split(' ').next().and_then(Role::from_word);
                let role = role.map(|role| self.role(role)).unwrap_or_default();
                self.with("clear-out-role", [("role", role), ("unit", item.label.clone())])
            }
            kind => self.with(format!("clear-out-{kind}"), [("device", item.label.clone())]),
        }
    }

    /// The end of a day that was typed as `2026-12-31`.
    pub fn end_of_day(&self, day: &str) -> Option<Millis> {
        let date: jiff::civil::Date = day.parse().ok()?;
        let end = date.to_zoned(self.zone.clone()).ok()?.end_of_day().ok()?;
        Some(Millis(end.timestamp().as_millisecond()))
    }

    /// `1 minute ago`, by words that stay true for a while.
    pub fn ago(&self, at: impl Plain<Millis>, now: impl Plain<Millis>) -> String {
        match now.plain().since(at.plain()).max(0) {
            p if p < 2 * time::MINUTE => self.say("ago-now"),
            p if p < 2 * time::HOUR => self.count("ago-minutes", p / time::MINUTE),
            p if p < 2 * time::DAY => self.count("ago-hours", p / time::HOUR),
            p => self.count("ago-days", p / time::DAY),
        }
    }

    /// `3 days`, `12 hours`: how long something lasts.
    pub fn length(&self, millis: impl Plain<i64>) -> String {
        match millis.plain() {
            m if m % time::DAY == 0 => self.count("length-days", m / time::DAY),
            m if m % time::HOUR == 0 => self.count("length-hours", m / time::HOUR),
            m => self.count("length-minutes", m / time::MINUTE),
        }
    }

    /// The first moment of the month that it is.
    pub fn month_begins(&self, now: Millis) -> Millis {
        let now = self.zoned(now);
        let first = now.first_of_month().and_then(|first| first.start_of_day());
        Millis(first.unwrap_or(now).timestamp().as_millisecond())
    }

    /// The month that it is, as in 2026-12.
    pub fn month_number(&self, at: Millis) -> String {
        self.zoned(at).strftime("%Y-%m").to_string()
    }

    /// When a day begins that is written as in 2026-12-31; none when it is no day.
    pub fn day_begins(&self, day: &str) -> Option<Millis> {
        let day: jiff::civil::Date = day.trim().parse().ok()?;
        Some(Millis(day.to_zoned(self.zone.clone()).ok()?.timestamp().as_millisecond()))
    }

    /// The next eight o'clock in the morning; of a Monday, when it is to be one.
    pub fn next_morning(&self, now: Millis, monday: bool) -> Millis {
        let zoned = self.zoned(now);
        let eight = |day: Zoned| day.with().time(jiff::civil::time(8, 0, 0, 0)).build();
        (0..=7)
            .filter_map(|days| zoned.checked_add(jiff::Span::new().days(days)).ok())
            .filter(|day| !monday || day.weekday() == jiff::civil::Weekday::Monday)
            .filter_map(|day| eight(day).ok())
            .map(|at| Millis(at.timestamp().as_millisecond()))
            .find(|at| *at > now)
            .unwrap_or_else(|| now.plus(time::DAY))
    }

    /// What happened, in a word or two, for those who watch the ledger.
    pub fn event(&self, kind: &str) -> String {
        let name = format!("event-{}", kind.replace('.', "-"));
        LOCALES.try_lookup(&self.language.id(), &name).unwrap_or_else(|| kind.replace(['.', '-'], " "))
    }

    /// The month that it is, by name.
    pub fn month(&self, now: Millis) -> String {
        self.say(format!("month-{}", self.zoned(now).month()))
    }

    /// The month with its year: `March 2026`.
    pub fn month_of(&self, at: Millis) -> String {
        let year = self.zoned(at).year().to_string();
        self.with("month-of", [("month", self.month(at)), ("year", year)])
    }
}

/// The name of the message that says what a fact is.
fn fact_message(name: &str) -> String {
    format!("fact-{}", name.replace(['.', '_'], "-"))
}

impl<S: Sync> FromRequestParts<S> for Words {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self::asked(&parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(tag: &str) -> BTreeSet<String> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(tag);
        let mut names = BTreeSet::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for line in text.lines() {
                if let Some((name, _)) = line.split_once(" =")
                    && line.starts_with(|c: char| c.is_ascii_lowercase())
                {
                    assert!(names.insert(name.to_owned()), "{tag}: {name} is there twice");
                }
            }
        }
        names
    }

    /// Every variable that a message names.
    fn variables() -> BTreeSet<String> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("locales/en/main.ftl");
        let text = std::fs::read_to_string(path).unwrap();
        text.split("{ $").skip(1).map(|rest| rest.split([' ', '}']).next().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_language_has_every_message() {
        let english = names("en");
        // A message that names something it is not given is as good as missing.
        let given: HashMap<Cow<'static, str>, FluentValue<'_>> =
            variables().into_iter().map(|name| (Cow::Owned(name), FluentValue::try_number("3"))).collect();
        for language in Language::ALL {
            let there = names(language.tag());
            // Titles of problems and what facts say are in the code, in English.
            let missing: Vec<_> = english.difference(&there).collect();
            let from_code = |name: &str| name.starts_with("problem-") || name.starts_with("fact-");
            let more: Vec<_> = there.difference(&english).filter(|name| !from_code(name)).collect();
            assert!(missing.is_empty() && more.is_empty(), "{}: {missing:?} {more:?}", language.tag());
            for name in &there {
                let said = LOCALES.lookup_with_args(&language.id(), name, &given);
                assert!(!said.starts_with("Unknown localization"), "{}: {said}", language.tag());
            }
        }
    }

    #[test]
    fn every_problem_and_every_fact_is_said_in_every_language() {
        let there = names("pt-BR");
        let problems = Kind::ALL.iter().map(|kind| format!("problem-{}", kind.slug()));
        let facts = catalogue::DEVICE.iter().map(|spec| fact_message(spec.name));
        let missing: Vec<_> = problems.chain(facts).filter(|name| !there.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    /// Every message that the code or a page names is there, and every message is named.
    #[test]
    fn every_message_that_is_named_is_there() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut text = String::new();
        let mut folders = vec![root.join("src"), root.join("templates")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    text.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let there = names("en");
        for mark in ["say(\"", "with(\"", "count(\""] {
            for found in text.split(mark).skip(1) {
                let name = found.split('"').next().unwrap();
                let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
                if plain && name.contains('-') && !name.ends_with('-') {
                    assert!(there.contains(name), "{name} is named and not there");
                }
            }
        }
        let unused: Vec<_> = there
            .iter()
            .filter(|name| {
                let stems = name.match_indices('-').map(|(place, _)| &name[..place]);
                let mut built = stems.map(|stem| format!("\"{stem}-{{"));
                !text.contains(&format!("\"{name}\"")) && !built.any(|start| text.contains(&start))
            })
            .collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    #[test]
    fn a_browser_is_answered_in_what_it_asks_for() {
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("accept-language", text.parse().unwrap());
            Language::asked(&headers)
        };
        assert_eq!(asked("pt-BR,pt;q=0.9,en;q=0.8"), Language::BrazilianPortuguese);
        assert_eq!(asked("de, en;q=0.5, pt;q=0.7"), Language::BrazilianPortuguese);
        assert_eq!(asked("de"), Language::English);
        assert_eq!(asked(""), Language::English);
    }

    #[test]
    fn times_are_written_as_people_write_them() {
        let at = Millis(1_773_305_091_000);
        let english = Words::new(Language::English, "Europe/Lisbon");
        let portuguese = Words::new(Language::BrazilianPortuguese, "America/Sao_Paulo");
        assert_eq!(english.long_time(at), "Thursday 12 March 2026, 08:44");
        assert_eq!(portuguese.long_time(at), "quinta-feira, 12 de março de 2026, 05:44");
        assert_eq!(portuguese.date(at), "12 de março de 2026");
        assert_eq!(portuguese.ago(at, at.plus(3 * time::HOUR)), "há 3 horas");
        assert_eq!(english.length(3 * time::DAY), "3 days");
        // 12 March 2026 is a Thursday.
        assert_eq!(english.long_time(english.next_morning(at, false)), "Friday 13 March 2026, 08:00");
        assert_eq!(
            portuguese.long_time(portuguese.next_morning(at, false)),
            "quinta-feira, 12 de março de 2026, 08:00"
        );
        assert_eq!(english.long_time(english.next_morning(at, true)), "Monday 16 March 2026, 08:00");
    }
}

//! The parts that pages are made of: signs, bars, charts, times. Words from outside are escaped here.

use std::fmt;

use askama::filters::HtmlSafe;
use jiff::{Zoned, tz::TimeZone};
use stead_model::{Employment, Millis, Outcome, Role, Stage, Standing, time};

use crate::{assets, clearance::Open, words::Words};

/// Takes a small value by value or by reference: templates hand over either, as the place demands.
pub trait Plain<T> {
    /// The value.
    fn plain(self) -> T;
}

macro_rules! plain {
    ($($kind:ty)+) => { $(
        impl Plain<$kind> for $kind { fn plain(self) -> $kind { self } }
        impl Plain<$kind> for &$kind { fn plain(self) -> $kind { *self } }
        impl Plain<$kind> for &&$kind { fn plain(self) -> $kind { **self } }
    )+ };
}

plain!(i64 usize Millis Standing Outcome Stage Option<Millis> Open Employment Role);

/// HTML that needs no escaping, because it was made here.
#[derive(Clone, Debug)]
pub struct Html(String);

impl Html {
    /// Takes HTML that was made with escaping.
    pub fn trusted(html: String) -> Self {
        Self(html)
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Html {}

/// Text for HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// Text in which what stands between backticks is code.
pub fn ticked(text: impl AsRef<str>) -> Html {
    let parts = text.as_ref().split('`').enumerate().map(|(n, part)| match n % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    });
    Html(parts.collect())
}

/// An icon of the sprite.
pub fn icon(name: impl AsRef<str>) -> Html {
    let name = name.as_ref();
    let sprite = assets::address("icons.svg");
    Html(format!(
        "<svg class=\"i\" width=\"20\" height=\"20\" aria-hidden=\"true\"><use href=\"{sprite}#{name}\"/></svg>"
    ))
}

/// A sign: icon, word, colour.
pub fn sign(is: impl AsRef<str>, name: impl AsRef<str>, word: impl AsRef<str>) -> Html {
    let (is, word) = (is.as_ref(), word.as_ref());
    Html(format!("<span class=\"sign\" data-is=\"{is}\">{}{}</span>", icon(name), escape(word)))
}

/// A standing, as in a row.
pub fn standing(words: &Words, standing: impl Plain<Standing>) -> Html {
    let standing = standing.plain();
    sign(standing.word(), standing.word(), words.standing(standing))
}

/// A standing, beside a heading.
pub fn plate(words: &Words, standing: impl Plain<Standing>) -> Html {
    let standing = standing.plain();
    let (is, word) = (standing.word(), escape(&words.standing(standing)));
    Html(format!("<span class=\"sign plate\" data-is=\"{is}\">{}{word}</span>", icon(is)))
}

/// An outcome, as in a row.
pub fn outcome(
    words: &Words,
    outcome: impl Plain<Outcome>,
    due: impl Plain<Option<Millis>>,
    now: impl Plain<Millis>,
    stage: impl Plain<Stage>,
) -> Html {
    let (outcome, due, now, stage) = (outcome.plain(), due.plain(), now.plain(), stage.plain());
    let in_grace = stage == Stage::Enforce && due.is_some_and(|due| due > now);
    match outcome {
        Outcome::Pass => sign("pass", "good", words.say("outcome-pass")),
        Outcome::Fail if in_grace => sign("due", "due", words.say("outcome-fail-due")),
        Outcome::Fail => sign("fail", "lapsed", words.say("outcome-fail")),
        Outcome::Unknown => sign("unknown", "unknown", words.say("outcome-unknown")),
        Outcome::Excepted => sign("excepted", "excepted", words.say("outcome-excepted")),
        Outcome::NotApplicable => sign("na", "na", words.say("outcome-not-applicable")),
    }
}

/// Whether a tier is open, as in a row.
pub fn open(words: &Words, open: impl Plain<Open>, now: impl Plain<Millis>) -> Html {
    match open.plain() {
        Open::Now => sign("open", "open", words.say("window-open")),
        Open::Until(due) => sign("due", "due", words.with("window-until", [("time", words.brief(due, now))])),
        Open::Not => sign("shut", "shut", words.say("window-closed")),
    }
}

/// A QR code, black on white whatever the theme: cameras read no other.
pub fn qr(text: &str, label: &str) -> Html {
    let Ok(code) = fast_qr::QRBuilder::new(text).build() else { return Html(String::new()) };
    let mut path = String::new();
    for (y, row) in code.data.chunks(code.size).take(code.size).enumerate() {
        for (x, module) in row.iter().enumerate() {
            if module.value() {
                path.push_str(&format!("M{} {}h1v1h-1z", x + 4, y + 4));
            }
        }
    }
    let size = code.size + 8;
    let label = escape(label);
    Html(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {size} {size}\" width=\"240\" height=\"240\" role=\"img\" aria-label=\"{label}\"><path fill=\"#fff\" d=\"M0 0h{size}v{size}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

/// One part of a bar: its class after `f-`, and how much it is.
pub type Segment = (&'static str, i64);

/// A bar of shares of `whole`. A share that is not zero stays visible.
pub fn bar(segments: impl AsRef<[Segment]>, whole: impl Plain<i64>, label: Option<&str>) -> Html {
    let (segments, whole) = (segments.as_ref(), whole.plain());
    let mut parts = String::new();
    let mut at = 0.0;
    for (class, n) in segments.iter().filter(|(_, n)| *n > 0) {
        let share = share(*n, whole);
        let width = (share - 0.4).max(0.6);
        parts
            .push_str(&fill(class, &format!("x=\"{at:.2}%\" y=\"0\" width=\"{width:.2}%\" height=\"100%\"")));
        at += share.max(1.0);
    }
    let role = match label {
        Some(label) => format!("role=\"img\" aria-label=\"{}\"", escape(label)),
        None => "aria-hidden=\"true\"".to_owned(),
    };
    Html(format!("<svg class=\"bar\" width=\"100%\" height=\"14\" {role}>{parts}</svg>"))
}

fn share(n: i64, whole: i64) -> f64 {
    if whole <= 0 { 0.0 } else { n as f64 * 100.0 / whole as f64 }
}

/// A rectangle in the colour of a judgement, with its pattern over it.
fn fill(class: &str, place: &str) -> String {
    let pattern = match class {
        "due" | "unknown" | "excepted" => format!("<rect fill=\"url(#p-{class})\" {place}/>"),
        _ => String::new(),
    };
    format!("<rect class=\"f-{class}\" {place}/>{pattern}")
}

/// The key to a bar or chart.
pub fn key(classes: impl AsRef<[(&'static str, &'static str)]>) -> Html {
    key_of(classes.as_ref())
}

/// The same with words that are not known before.
pub fn key_of(classes: &[(&str, &str)]) -> Html {
    let items: String = classes
        .iter()
        .map(|(class, word)| {
            let square = fill(class, "x=\"0\" y=\"0\" width=\"14\" height=\"14\"");
            format!("<li><svg width=\"14\" height=\"14\" aria-hidden=\"true\">{square}</svg>{word}</li>")
        })
        .collect();
    Html(format!("<ul class=\"key\">{items}</ul>"))
}

/// The key to a bar of standings.
pub fn standing_key(words: &Words) -> Html {
    let named: Vec<(&str, String)> =
        Standing::ALL.iter().map(|standing| (standing.word(), words.standing(*standing))).collect();
    let named: Vec<(&str, &str)> = named.iter().map(|(class, word)| (*class, word.as_str())).collect();
    key_of(&named)
}

/// How many devices had which standing at the end of a day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Day {
    /// The day, counted from 1970.
    pub day: i64,
    /// Lapsed, due, unknown.
    pub lapsed: i64,
    /// In grace.
    pub due: i64,
    /// Not known.
    pub unknown: i64,
}

impl Day {
    /// All that are not in good standing.
    pub fn all(&self) -> i64 {
        self.lapsed + self.due + self.unknown
    }

    /// `12 Mar`, in the reader's language.
    pub fn label(&self, words: &Words) -> String {
        let at = zoned_utc(Millis(self.day * time::DAY));
        let month: String = words.say(format!("month-{}", at.month())).chars().take(3).collect();
        format!("{} {month}", at.day())
    }
}

/// Stacked columns of the days' numbers, zero at the bottom. The table beside it holds the same numbers.
pub fn trend(words: &Words, days: impl AsRef<[Day]>) -> Html {
    let days = days.as_ref();
    const BOTTOM: f64 = 298.0;
    const HEIGHT: f64 = 266.0;
    let most = days.iter().map(Day::all).max().unwrap_or(0);
    let step = nice_step(most);
    let top = (step * 4).max(1);
    let y = |n: i64| BOTTOM - HEIGHT * n as f64 / top as f64;
    let mut out = String::new();
    for line in 0..=4 {
        let n = line * step;
        let at = y(n);
        out.push_str(&format!("<line x1=\"40\" x2=\"560\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text x=\"32\" y=\"{:.1}\" text-anchor=\"end\">{n}</text>", at + 4.0));
    }
    // A young installation has few days: they stand at the right, as wide as they will stay.
    let slots = days.len().max(8);
    let slot = 520.0 / slots as f64;
    for (place, day) in days.iter().enumerate() {
        let x = 40.0 + slot * ((slots - days.len() + place) as f64 + 0.2);
        let width = slot * 0.6;
        let mut below = 0;
        out.push_str("<g>");
        for (class, n) in [("lapsed", day.lapsed), ("due", day.due), ("unknown", day.unknown)] {
            if n > 0 {
                let (upper, lower) = (y(below + n), y(below));
                let height = (lower - upper - 1.0).max(0.8);
                out.push_str(&fill(
                    class,
                    &format!("x=\"{x:.1}\" y=\"{upper:.1}\" width=\"{width:.1}\" height=\"{height:.1}\""),
                ));
                below += n;
            }
        }
        // Every second day is named where all would not fit.
        if days.len() <= 8 || (days.len() - 1 - place).is_multiple_of(2) {
            out.push_str(&format!(
                "<text x=\"{:.1}\" y=\"322\" text-anchor=\"middle\">{}</text>",
                x + width / 2.0,
                day.label(words)
            ));
        }
        out.push_str("</g>");
    }
    let (first, last) = (days.first().copied().unwrap_or_default(), days.last().copied().unwrap_or_default());
    let title = escape(&words.with(
        "overview-trend-title",
        [
            ("from", first.all().to_string()),
            ("first", first.label(words)),
            ("to", last.all().to_string()),
            ("last", last.label(words)),
        ],
    ));
    Html(format!(
        "<svg class=\"chart\" viewBox=\"0 0 576 330\" role=\"img\" aria-labelledby=\"trend-t\"><title id=\"trend-t\">{title}</title>{out}</svg>"
    ))
}

fn nice_step(most: i64) -> i64 {
    let quarter = (most + 3) / 4;
    let mut step = 1;
    loop {
        for factor in [1, 2, 5] {
            if step * factor >= quarter {
                return step * factor;
            }
        }
        step *= 10;
    }
}

/// One square for each of the last days, in the colour of the standing at its end; none before there was one.
pub fn strip(words: &Words, days: impl AsRef<[Option<Standing>]>) -> Html {
    let label = escape(&words.say("strip-label"));
    let days = days.as_ref();
    let width = 100.0 / days.len().max(1) as f64;
    let mut parts = String::new();
    for (place, day) in days.iter().enumerate() {
        if let Some(standing) = day {
            let at = format!(
                "x=\"{:.3}%\" y=\"0\" width=\"{:.3}%\" height=\"100%\"",
                place as f64 * width,
                width * 0.85
            );
            parts.push_str(&fill(standing.word(), &at));
        }
    }
    Html(format!(
        "<svg class=\"bar strip\" width=\"100%\" height=\"36\" role=\"img\" aria-label=\"{label}\">{parts}</svg>"
    ))
}

fn zoned_utc(time: Millis) -> Zoned {
    time.timestamp().to_zoned(TimeZone::UTC)
}

fn element(time: Millis, words: &str) -> Html {
    Html(format!("<time datetime=\"{time}\">{}</time>", escape(words)))
}

/// `Thursday 12 March 2026, 09:42`.
pub fn long_time(words: &Words, time: impl Plain<Millis>) -> Html {
    let time = time.plain();
    element(time, &words.long_time(time))
}

/// `12 March, 08:12`, with the year when it is another.
pub fn short_time(words: &Words, time: impl Plain<Millis>, now: impl Plain<Millis>) -> Html {
    let (time, now) = (time.plain(), now.plain());
    element(time, &words.short_time(time, now))
}

/// `Thursday 12 March, 08:12`.
pub fn deadline(words: &Words, time: impl Plain<Millis>) -> Html {
    let time = time.plain();
    element(time, &words.deadline(time))
}

/// `09:41:58` today, else with the date.
pub fn exact_time(words: &Words, time: impl Plain<Millis>, now: impl Plain<Millis>) -> Html {
    let (time, now) = (time.plain(), now.plain());
    element(time, &words.exact_time(time, now))
}

/// `3 June 2025`.
pub fn date(words: &Words, time: impl Plain<Millis>) -> Html {
    let time = time.plain();
    element(time, &words.date(time))
}

/// `1 minute ago`, by words that stay true for a while.
pub fn ago(words: &Words, time: impl Plain<Millis>, now: impl Plain<Millis>) -> Html {
    let (time, now) = (time.plain(), now.plain());
    element(time, &words.ago(time, now))
}

/// `1,240`.
pub fn number(n: impl Plain<i64>) -> String {
    let n = n.plain();
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if n < 0 { format!("−{out}") } else { out }
}

/// `3.4 MB`.
pub fn bytes(n: impl Plain<i64>) -> String {
    let n = n.plain() as f64;
    match n {
        n if n >= 1e9 => format!("{:.1}\u{a0}GB", n / 1e9),
        n if n >= 1e6 => format!("{:.1}\u{a0}MB", n / 1e6),
        n => format!("{:.0}\u{a0}kB", n / 1e3),
    }
}

/// `device`, `devices`.
pub fn plural(n: impl Plain<i64>, one: impl AsRef<str>) -> String {
    let one = one.as_ref();
    match (n.plain(), one.ends_with("sh")) {
        (1, _) => one.to_owned(),
        (_, true) => format!("{one}es"),
        (_, false) => format!("{one}s"),
    }
}

/// How long the grace of a rule is: `3 days from the first failure`.
pub fn length(words: &Words, millis: impl Plain<i64>) -> String {
    match millis.plain() {
        0 => words.say("grace-none"),
        millis => words.with("grace", [("length", words.length(millis))]),
    }
}

/// `96.2 %`, of findings that are judged at all.
pub fn percent(n: impl Plain<i64>, whole: impl Plain<i64>) -> String {
    let (n, whole) = (n.plain(), whole.plain());
    if whole == 0 {
        "no finding yet".to_owned()
    } else {
        format!("{:.1}\u{a0}%", (share(n, whole) * 10.0).floor() / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_words_are_escaped() {
        assert!(!sign("x", "good", "<script>\"'").to_string().contains("<script>"));
        assert!(bar([("good", 1)], 1, Some("\"><b>")).to_string().contains("&quot;&gt;"));
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(number(-12), "−12");
        assert_eq!(percent(999, 1000), "99.9\u{a0}%");
        assert_eq!(percent(9_999, 10_000), "99.9\u{a0}%", "never rounded up to all");
        assert_eq!(nice_step(122), 50);
        assert_eq!(nice_step(0), 1);
        assert_eq!(nice_step(1), 1);
    }

    #[test]
    fn a_small_share_stays_visible() {
        let html = bar([("good", 99_999), ("lapsed", 1)], 100_000, None).to_string();
        assert!(html.contains("f-lapsed") && html.contains("width=\"0.60%\""), "{html}");
    }
}

//! Findings on a terminal: worst first, each with what was seen, why it matters and what to do.

use std::{collections::BTreeSet, fmt::Write as _};

use anstyle::{AnsiColor, Style};
use jiff::tz::TimeZone;
use stead_model::{Finding, Millis, Outcome, Stage, Standing, loss::LossAnswered, message::Clearance};
use stead_policy::Pack;

use crate::{
    lost::Gone,
    tunnel::{Became, Connected},
};

const WIDTH: usize = 96;

/// Findings as text. Colours are taken out again where the output is no terminal.
pub fn findings(all: &[Finding], standing: Standing, pack: &Pack) -> String {
    let mut out = String::new();
    let mut sorted: Vec<&Finding> = all.iter().collect();
    let place = |finding: &Finding| {
        let order = Outcome::ALL.iter().position(|outcome| *outcome == finding.outcome);
        (order, finding.stage == Stage::Observe, std::cmp::Reverse(finding.severity))
    };
    sorted.sort_by_key(|finding| place(finding));
    for finding in sorted {
        one(&mut out, finding, pack);
    }
    out.push_str(&summary(all, standing));
    out
}

fn one(out: &mut String, finding: &Finding, pack: &Pack) {
    let style = style(finding.outcome);
    let bold = Style::new().bold();
    let soft = Style::new().dimmed();
    let _ =
        writeln!(out, "{style}{:<15}{style:#} {bold}{}{bold:#}", finding.outcome.to_string(), finding.title);
    let _ = wrapped(out, &finding.observed, 16);
    let origin = if finding.origin.is_empty() { String::new() } else { format!("{}, ", finding.origin) };
    let _ = wrapped_in(out, &format!("from {origin}{}", when(finding.at)), 16, soft);
    if finding.outcome.counts_against() {
        let stage = match finding.stage {
            Stage::Enforce => {
                finding.due.map_or_else(String::new, |due| format!("Counts from {}.", when(due)))
            }
            Stage::Advise => "Advice; it closes nothing.".to_owned(),
            Stage::Observe => "Only written down; it closes nothing.".to_owned(),
        };
        let _ = wrapped_in(out, &stage, 16, soft);
        if finding.stage != Stage::Observe {
            if let Some(rule) = pack.rule(&finding.rule) {
                let why = rule.why.replace('\n', " ");
                let _ = wrapped(out, &format!("Why: {}", plain(&why)), 16);
            }
            let _ = writeln!(out, "{:16}What to do:", "");
            for paragraph in paragraphs(&finding.advice) {
                let _ = wrapped(out, &plain(&paragraph), 18);
            }
        }
    }
    out.push('\n');
}

/// Numbers of each outcome, and the standing in a sentence.
pub fn summary(all: &[Finding], standing: Standing) -> String {
    let count = |outcome: Outcome| all.iter().filter(|finding| finding.outcome == outcome).count();
    let deadline = all.iter().filter(|f| f.stage == Stage::Enforce).filter_map(|f| f.due).min();
    let standing = match (standing, deadline) {
        (Standing::Good, _) => "This computer is in good standing.".to_owned(),
        (Standing::Due, Some(due)) => format!("Something is due: the first by {}.", when(due)),
        (Standing::Lapsed, _) => "Something has lapsed.".to_owned(),
        (Standing::Due | Standing::Unknown, _) => "The standing is not known.".to_owned(),
    };
    format!(
        "{} pass, {} fail, {} unknown, {} excepted, {} not applicable. {standing}\n",
        count(Outcome::Pass),
        count(Outcome::Fail),
        count(Outcome::Unknown),
        count(Outcome::Excepted),
        count(Outcome::NotApplicable),
    )
}

/// What is open from this computer, and what closes the rest.
pub fn clearance(clearance: &Clearance, now: Millis) -> String {
    let mut out = String::new();
    let answer = match clearance.answer.as_str() {
        "allow" => "Everything is open to you from this computer.",
        "limit" => "Part of your work is closed from this computer.",
        _ => "Nothing is open to you from this computer just now.",
    };
    let _ = writeln!(out, "{}{answer}{:#}", Style::new().bold(), Style::new().bold());
    for tier in &clearance.tiers {
        let open = match (tier.open, tier.until) {
            (false, _) => "closed".to_owned(),
            (true, None) => "open".to_owned(),
            (true, Some(until)) => format!("open until {}", when(until)),
        };
        let _ = writeln!(out, "  {:<12} {open}", tier.tier);
    }
    for against in &clearance.against {
        let due = match against.due {
            Some(due) if due > now => format!("closes {} and above from {}", against.tier, when(due)),
            Some(due) => format!("closes {} and above since {}", against.tier, when(due)),
            None => format!("closes {} and above", against.tier),
        };
        let _ = writeln!(out, "  - {} ({due})", against.asks);
    }
    out
}

/// Whether the tunnel is up, what it leads to, and why not to the rest.
pub fn tunnel(became: &Became) -> String {
    let mut out = String::new();
    let name = if became.title.is_empty() { "The tunnel" } else { &became.title };
    let since = when(became.since);
    let answer = match &became.state {
        Connected::Up => format!("{name}: the tunnel is up since {since}."),
        Connected::Shut => {
            format!("{name}: the tunnel is shut since {since}; nothing behind it is open to you now.")
        }
        Connected::Failed(why) => format!("{name} could not be brought up: {why}."),
    };
    let _ = writeln!(out, "{}{answer}{:#}", Style::new().bold(), Style::new().bold());
    for network in &became.networks {
        let open = if network.closed.is_empty() { "open" } else { "closed" };
        let _ = writeln!(out, "  {:<20} {:<12} {open}", network.to.to_string(), network.tier);
    }
    let reasons: BTreeSet<&str> = became
        .networks
        .iter()
        .flat_map(|network| &network.closed)
        .map(|closed| closed.asks.as_str())
        .collect();
    for asks in &reasons {
        let _ = writeln!(out, "  - {asks}");
    }
    if !reasons.is_empty() {
        out.push_str("What is closed opens by itself as soon as that is mended.\n");
    }
    out
}

/// What can be reported lost, and how.
pub fn losable(there: &LossAnswered) -> String {
    let mut out = format!("What {} can report:\n", there.person);
    for device in &there.devices {
        let _ = writeln!(out, "  {:<24} {}", device.name, device.id);
    }
    out.push_str("  phone, storage, papers, keys, other\n");
    out.push_str("Say which: `stead lost NAME`. It is shut out at once; `--practice` shuts nothing.\n");
    call(&mut out, there);
    out
}

/// What became of a report.
pub fn receipt(answered: &LossAnswered, what: &str) -> String {
    let mut out = String::new();
    let Some(receipt) = &answered.receipt else { return out };
    let bold = Style::new().bold();
    if receipt.practice {
        let _ = writeln!(out, "{bold}This was practice: nothing was shut, and nobody else was told.{bold:#}");
        return out;
    }
    let _ = writeln!(out, "{bold}{what} is reported lost since {}.{bold:#}", when(receipt.told_at));
    for door in &receipt.shut {
        let _ = writeln!(out, "  shut: {door}");
    }
    let _ = writeln!(out, "Security has been told. What is left to do: {}", receipt.page);
    call(&mut out, answered);
    out
}

fn call(out: &mut String, answered: &LossAnswered) {
    if !answered.call.is_empty() {
        let _ = writeln!(out, "Or call {}.", answered.call);
    }
}

/// That this computer was reported lost, and what to do where it is there again.
pub fn gone(gone: &Gone) -> String {
    let locked = if gone.locked { "locked its screens and " } else { "" };
    format!(
        "this computer was reported lost on {}; on {} it {locked}forgot its keys. \
         If it is there again: ask your coordinator for a code, and run `stead enroll {} CODE`",
        when(gone.lost_at),
        when(gone.at),
        gone.server
    )
}

fn style(outcome: Outcome) -> Style {
    let colour = |colour: AnsiColor| Style::new().bold().fg_color(Some(colour.into()));
    match outcome {
        Outcome::Pass => colour(AnsiColor::Green),
        Outcome::Fail => colour(AnsiColor::Red),
        Outcome::Unknown => colour(AnsiColor::Yellow),
        Outcome::Excepted => colour(AnsiColor::Magenta),
        Outcome::NotApplicable => Style::new().dimmed(),
    }
}

/// A time as people here write it.
pub fn when(time: Millis) -> String {
    time.timestamp().to_zoned(TimeZone::system()).strftime("%a %-d %b %Y, %H:%M").to_string()
}

/// Markdown without its marks.
fn plain(markdown: &str) -> String {
    markdown.replace("**", "").replace('`', "")
}

/// Paragraphs and list items, each on one line.
fn paragraphs(markdown: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut fresh = true;
    for line in markdown.lines() {
        let item = line
            .split_once(". ")
            .is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
        if line.trim().is_empty() {
            fresh = true;
        } else if let (false, false, Some(last)) = (fresh, item, all.last_mut()) {
            last.push(' ');
            last.push_str(line.trim());
        } else {
            all.push(line.trim().to_owned());
            fresh = false;
        }
    }
    all
}

fn wrapped(out: &mut String, text: &str, indent: usize) -> std::fmt::Result {
    wrapped_in(out, text, indent, Style::new())
}

fn wrapped_in(out: &mut String, text: &str, indent: usize, style: Style) -> std::fmt::Result {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.chars().count() + word.chars().count() >= WIDTH {
            writeln!(out, "{:indent$}{style}{line}{style:#}", "")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.is_empty() { Ok(()) } else { writeln!(out, "{:indent$}{style}{line}{style:#}", "") }
}

//! How it was: what stood at the end of a day, from what was written down then. Days are those of UTC, as
//! tallies have them.
//!
//! In scope: finding it. Out of scope: judging anew; what was not written down then is not known.

use std::collections::BTreeMap;

use serde_json::Value;
use stead_model::{DeviceId, Millis, Outcome, Standing, problem::Kind, time};
use stead_store::{ledger::Head, policy::Version, tally};

use crate::{
    App,
    error::{FieldError, Refusal},
    flows::device_subject,
};

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(i64);

impl Day {
    /// The day that is written as `2026-03-14`; the one before today where nothing is written.
    ///
    /// # Errors
    /// [`Refusal`] when it is no day or has not ended yet.
    pub fn read(text: &str, now: Millis) -> Result<Self, Refusal> {
        let wrong = || Refusal::form(FieldError::new("on", "then-day-wrong"));
        if text.is_empty() {
            return Ok(Self(now.day() - 1));
        }
        let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
        let noon = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong())?;
        let day = Self(Millis(noon.timestamp().as_millisecond()).day());
        if day.0 < now.day() { Ok(day) } else { Err(wrong()) }
    }

    /// Its last moment.
    pub fn end(self) -> Millis {
        Millis((self.0 + 1) * time::DAY - 1)
    }

    /// As it is written.
    pub fn date(self) -> String {
        self.end().date()
    }
}

/// How the organisation's devices stood at the end of a day.
#[derive(Debug)]
pub struct Then {
    /// The day.
    pub day: Day,
    /// Devices by standing.
    pub standings: BTreeMap<Standing, i64>,
    /// Findings by rule, and by outcome.
    pub rules: Vec<(String, BTreeMap<Outcome, i64>)>,
    /// The policy that was in force when the day ended; none before the first.
    pub policy: Option<Version>,
    /// The ledger as it was then.
    pub ledger: Head,
}

impl Then {
    /// How many devices there were.
    pub fn devices(&self) -> i64 {
        self.standings.values().sum()
    }

    /// The root that was signed last, base64; empty where none was.
    pub fn root(&self) -> &str {
        self.ledger.checkpoint.lines().nth(2).unwrap_or_default()
    }
}

/// How the organisation's devices stood at the end of a day. Rules that are gone since are named by their ids.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn organisation(app: &App, day: Day) -> Result<Then, Refusal> {
    let tallies = app.store.tallies_on(day.0).await?;
    let of = |name: &str| tallies.get(name).copied().unwrap_or(0);
    let mut rules: BTreeMap<String, BTreeMap<Outcome, i64>> = BTreeMap::new();
    for (name, n) in &tallies {
        let Some((rule, word)) = name.strip_prefix("rule/").and_then(|rest| rest.rsplit_once('/')) else {
            continue;
        };
        if let Some(outcome) = Outcome::from_word(word).filter(|_| *n != 0) {
            rules.entry(rule.to_owned()).or_default().insert(outcome, *n);
        }
    }
    Ok(Then {
        day,
        standings: Standing::ALL.iter().map(|s| (*s, of(&tally::standing_name(*s)))).collect(),
        rules: rules.into_iter().collect(),
        policy: app.store.policy_at(day.end()).await?,
        ledger: app.store.ledger_at(day.end()).await?,
    })
}

/// What a rule said of a device.
#[derive(Debug)]
pub struct Said {
    /// The rule.
    pub rule: String,
    /// What it said.
    pub outcome: Outcome,
    /// Since when.
    pub at: Millis,
    /// The policy that it was judged by.
    pub policy: String,
    /// The ledger's entry that proves it.
    pub entry: u64,
}

/// How a device stood at the end of a day.
#[derive(Debug)]
pub struct DeviceThen {
    /// Its standing, since when, and the entry that proves it; none before it was first judged.
    pub standing: Option<(Standing, Millis, u64)>,
    /// What each rule said.
    pub said: Vec<Said>,
}

/// Entries read at once.
const PAGE: i64 = 500;
/// Entries that may stand out of the order of time.
const SLACK: u64 = 1000;
/// Most entries that are read for one device.
const MOST: usize = 20_000;

/// How a device stood at the end of a day, from the ledger's entries about it.
///
/// # Errors
/// [`Refusal`] when too much happened to it since, or the store is away.
pub async fn device(app: &App, id: DeviceId, day: Day) -> Result<DeviceThen, Refusal> {
    let subject = device_subject(id);
    // Entries that were written at the same moment may stand a little out of order.
    let mut before = app.store.ledger_at(day.end()).await?.size.saturating_add(SLACK);
    // None for what a rule said that was no more by then.
    let mut said: BTreeMap<String, Option<Said>> = BTreeMap::new();
    let mut standing = None;
    let mut read = 0;
    loop {
        let entries = app.store.ledger_newest(Some(&subject), before, PAGE).await?;
        for entry in entries.iter().filter(|entry| entry.at <= day.end()) {
            let parsed: Value = serde_json::from_str(&entry.text).map_err(stead_store::StoreError::from)?;
            let data = &parsed["data"];
            match entry.kind.as_str() {
                "standing.changed" if standing.is_none() => {
                    let to = data["to"].as_str().and_then(Standing::from_word);
                    standing = to.map(|to| (to, entry.at, entry.index));
                }
                "findings.changed" => {
                    for change in data["changes"].as_array().into_iter().flatten() {
                        let rule = change["rule"].as_str().unwrap_or_default();
                        let outcome = change["to"].as_str().and_then(Outcome::from_word);
                        said.entry(rule.to_owned()).or_insert_with(|| {
                            Some(Said {
                                rule: rule.to_owned(),
                                outcome: outcome?,
                                at: entry.at,
                                policy: data["policy"].as_str().unwrap_or_default().to_owned(),
                                entry: entry.index,
                            })
                        });
                    }
                }
                _ => {}
            }
        }
        read += entries.len();
        match entries.last() {
            Some(last) if i64::try_from(entries.len()) == Ok(PAGE) => before = last.index,
            Some(_) | None => break,
        }
        if read >= MOST {
            return Err(Refusal::new(
                Kind::Conflict,
                "Too much happened to this device since. Take an export of the ledger.",
            ));
        }
    }
    Ok(DeviceThen { standing, said: said.into_values().flatten().collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_ended_before_it_is_looked_at() {
        let now = Millis(1_773_305_091_000);
        assert_eq!(Day::read("", now).unwrap().date(), "2026-03-11");
        assert_eq!(Day::read("2026-03-11", now).unwrap().date(), "2026-03-11");
        for wrong in ["2026-03-12", "2027-01-01", "2026-02-30", "yesterday", "2026-3-1 "] {
            assert!(Day::read(wrong, now).is_err(), "{wrong}");
        }
    }
}

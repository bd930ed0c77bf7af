//! What is open to a person, from what was found on their devices and on themselves: for each tier of what
//! is protected, whether a device of theirs opens it, and until when.
//!
//! In scope: folding, for pages and for the gate alike, so that both give one answer.

use stead_model::{Employment, Millis, Stage, Standing, message};
use stead_policy::{Pack, Rule};
use stead_store::{device::Device, finding::StoredFinding};

/// A device with what does not pass on it.
#[derive(Clone, Debug)]
pub struct Held {
    /// The device.
    pub device: Device,
    /// Findings that count against it, of whatever stage.
    pub against: Vec<StoredFinding>,
}

/// Whether a tier is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Open {
    /// It is.
    Now,
    /// It is, until then, unless something is mended.
    Until(Millis),
    /// It is not.
    Not,
}

/// A tier, and whether it is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The tier, as the pack names it.
    pub tier: String,
    /// Whether it is open.
    pub open: Open,
}

/// The tiers, least protected first, and whether any of a person's devices opens them. `own` is what counts
/// against the person, whatever device they use.
pub fn windows(
    pack: &Pack,
    state: Employment,
    held: &[Held],
    own: &[StoredFinding],
    now: Millis,
) -> Vec<Window> {
    let tiers = &pack.manifest.tiers;
    tiers
        .iter()
        .enumerate()
        .map(|(place, tier)| {
            let by_device = held.iter().map(|held| opens(pack, held, place, now));
            let open = match state.may_work() {
                true => both(by_device.min().unwrap_or(Open::Not), lets(pack, costs(pack, own), place, now)),
                false => Open::Not,
            };
            Window { tier: tier.clone(), open }
        })
        .collect()
}

/// Whether one device opens the tier at this place. A rule that costs a tier costs all above it too.
fn opens(pack: &Pack, held: &Held, place: usize, now: Millis) -> Open {
    let silent = held.device.last_seen.is_some_and(|seen| is_silent(pack, seen, now));
    if held.device.revoked_at.is_some() || held.device.standing == Standing::Unknown || silent {
        return Open::Not;
    }
    lets(pack, costs(pack, &held.against), place, now)
}

/// What is open when both are asked.
fn both(a: Open, b: Open) -> Open {
    match (a, b) {
        (Open::Not, _) | (_, Open::Not) => Open::Not,
        (Open::Until(a), Open::Until(b)) => Open::Until(a.min(b)),
        (Open::Until(until), Open::Now) | (Open::Now, Open::Until(until)) => Open::Until(until),
        (Open::Now, Open::Now) => Open::Now,
    }
}

/// Whether a device that was last heard then has been silent for too long.
pub fn is_silent(pack: &Pack, last_seen: Millis, now: Millis) -> bool {
    now.since(last_seen) >= pack.silent_after
}

/// When a finding costs something. One that an earlier Stead wrote does not say so yet: there the rule does.
pub fn costs_at(rule: &Rule, finding: &StoredFinding) -> Option<Millis> {
    due(Some(rule), finding.due, finding.counts_since)
}

/// The same, from what is stored of a finding.
pub fn due(rule: Option<&Rule>, due: Option<Millis>, counts_since: Option<Millis>) -> Option<Millis> {
    let by_rule = || {
        let rule = rule.filter(|rule| rule.stage == Stage::Enforce)?;
        Some(counts_since?.plus(rule.grace))
    };
    due.or_else(by_rule)
}

/// Which rules cost something, and when.
fn costs<'a>(pack: &'a Pack, against: &'a [StoredFinding]) -> impl Iterator<Item = (&'a str, Millis)> {
    against.iter().filter_map(|finding| {
        let due = due(pack.rule(&finding.rule), finding.due, finding.counts_since)?;
        Some((finding.rule.as_str(), due))
    })
}

/// Whether what costs something leaves the tier at this place open: each a rule, and when it begins to cost. A
/// rule that the policy does not have any more costs everything, until its subject was judged by what took its place.
pub fn lets<'a>(
    pack: &Pack,
    costs: impl IntoIterator<Item = (&'a str, Millis)>,
    place: usize,
    now: Millis,
) -> Open {
    if pack.is_in_doubt() {
        return Open::Not;
    }
    let mut first: Option<Millis> = None;
    for (rule, due) in costs {
        let tier = pack.rule(rule).map(|rule| &rule.costs);
        let costs = pack.manifest.tiers.iter().position(|known| Some(known) == tier).unwrap_or(0);
        if costs > place {
            continue;
        }
        if due <= now {
            return Open::Not;
        }
        first = Some(first.map_or(due, |first| first.min(due)));
    }
    first.map_or(Open::Now, Open::Until)
}

/// Something that costs a tier, now or later.
#[derive(Clone, Copy, Debug)]
pub struct Costing<'a> {
    /// The rule.
    pub rule: &'a str,
    /// When it begins to cost.
    pub due: Millis,
    /// Whether it is about the person, whatever device they use.
    pub person: bool,
}

/// What one device opens to its person, as the device is told: the tiers, and each thing that closes one or will.
pub fn told(pack: &Pack, may_work: bool, costs: &[Costing<'_>], now: Millis) -> message::Clearance {
    let tiers = &pack.manifest.tiers;
    let windows: Vec<Window> = tiers
        .iter()
        .enumerate()
        .map(|(place, tier)| {
            let open = match may_work {
                true => lets(pack, costs.iter().map(|cost| (cost.rule, cost.due)), place, now),
                false => Open::Not,
            };
            Window { tier: tier.clone(), open }
        })
        .collect();
    let mut against: Vec<message::Against> = costs
        .iter()
        .filter_map(|cost| {
            let rule = pack.rule(cost.rule)?;
            Some(message::Against {
                tier: rule.costs.clone(),
                rule: Some(rule.id.clone()),
                asks: rule.asks.clone(),
                due: Some(cost.due),
                person: cost.person,
            })
        })
        .collect();
    against.sort_by_key(|against| against.due);
    message::Clearance {
        answer: answer(&windows).to_owned(),
        tiers: windows
            .into_iter()
            .map(|window| message::Tier {
                open: window.open != Open::Not,
                until: match window.open {
                    Open::Until(until) => Some(until),
                    Open::Now | Open::Not => None,
                },
                tier: window.tier,
            })
            .collect(),
        against,
    }
}

/// The whole answer in one word: `allow`, `limit` or `deny`.
pub fn answer(windows: &[Window]) -> &'static str {
    let shut = windows.iter().filter(|window| window.open == Open::Not).count();
    match shut {
        0 => "allow",
        n if n == windows.len() => "deny",
        _ => "limit",
    }
}

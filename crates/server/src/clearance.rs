//! What is open to a person, from what was found on their devices and on themselves: for each tier of what
//! is protected, whether a device of theirs opens it, and until when.
//!
//! In scope: folding. Out of scope: places and gates, which decide for one device at one moment.

use stead_model::{Employment, Millis, Stage, Standing};
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
                true => both(by_device.min().unwrap_or(Open::Not), lets(pack, own, place, now)),
                false => Open::Not,
            };
            Window { tier: tier.clone(), open }
        })
        .collect()
}

/// Whether one device opens the tier at this place. A rule that costs a tier costs all above it too.
fn opens(pack: &Pack, held: &Held, place: usize, now: Millis) -> Open {
    if held.device.revoked_at.is_some() || held.device.standing == Standing::Unknown {
        return Open::Not;
    }
    lets(pack, &held.against, place, now)
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

/// When a finding costs something. One that an earlier Stead wrote does not say so yet: there the rule does.
pub fn costs_at(rule: &Rule, finding: &StoredFinding) -> Option<Millis> {
    let by_rule = finding.counts_since.filter(|_| rule.stage == Stage::Enforce);
    finding.due.or(by_rule.map(|since| since.plus(rule.grace)))
}

/// Whether findings leave the tier at this place open.
fn lets(pack: &Pack, against: &[StoredFinding], place: usize, now: Millis) -> Open {
    let mut first: Option<Millis> = None;
    for finding in against {
        let Some(rule) = pack.rule(&finding.rule) else { continue };
        let costs = pack.manifest.tiers.iter().position(|tier| *tier == rule.costs).unwrap_or(0);
        let Some(due) = costs_at(rule, finding).filter(|_| costs <= place) else { continue };
        if due <= now {
            return Open::Not;
        }
        first = Some(first.map_or(due, |first| first.min(due)));
    }
    first.map_or(Open::Now, Open::Until)
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

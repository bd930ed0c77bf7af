//! The decision: whether this person on this device opens that tier now, and all that stands against it.

use std::sync::Arc;

use stead_model::{DeviceId, Millis, PersonId};
use stead_policy::Pack;

use super::index::{Cost, Device, Index, Person};
use crate::clearance::{self, Open};

/// Something that stands against letting somebody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The server cannot tell: it has not read everything yet, or could not read what has changed.
    NotKnown,
    /// Their account does not work at present.
    NotWorking,
    /// There is no such device.
    NoDevice,
    /// The device is somebody else's.
    NotTheirs,
    /// The device has been revoked.
    Revoked,
    /// The connection was not made with the device's certificate, where the application asks for that.
    NoCertificate,
    /// The device has not been judged yet.
    NotJudged,
    /// The device has not been heard since.
    Silent(Millis),
    /// A rule about the device, and when it began to cost.
    Device(Arc<str>, Millis),
    /// A rule about the person, and when it began to cost.
    Person(Arc<str>, Millis),
}

impl Why {
    /// The word for it in logs and in the API.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotKnown => "not-known",
            Self::NotWorking => "not-working",
            Self::NoDevice => "no-device",
            Self::NotTheirs => "not-theirs",
            Self::Revoked => "revoked",
            Self::NoCertificate => "no-certificate",
            Self::NotJudged => "not-judged",
            Self::Silent(_) => "silent",
            Self::Device(..) => "device-rule",
            Self::Person(..) => "person-rule",
        }
    }

    /// Whether it is that something is not known, rather than known to be wrong.
    pub fn is_not_knowing(&self) -> bool {
        match self {
            Self::NotKnown | Self::NotJudged | Self::Silent(_) => true,
            Self::NotWorking
            | Self::NoDevice
            | Self::NotTheirs
            | Self::Revoked
            | Self::NoCertificate
            | Self::Device(..)
            | Self::Person(..) => false,
        }
    }

    /// The rule that it comes from.
    pub fn rule(&self) -> Option<&str> {
        match self {
            Self::Device(rule, _) | Self::Person(rule, _) => Some(rule),
            Self::NotKnown
            | Self::NotWorking
            | Self::NoDevice
            | Self::NotTheirs
            | Self::Revoked
            | Self::NoCertificate
            | Self::NotJudged
            | Self::Silent(_) => None,
        }
    }
}

/// All that stands against letting this person, on this device, in to the tier at this place; empty when they
/// are let in.
pub fn against(
    index: &Index,
    pack: &Pack,
    (person, device): (PersonId, DeviceId),
    place: usize,
    now: Millis,
) -> Vec<Why> {
    if !index.is_complete() {
        return vec![Why::NotKnown];
    }
    let known = (index.person(person), index.device(device));
    match known {
        (Some(who), Some(on)) if on.person == person => of(pack, (&who, &on), place, now),
        (None, _) => vec![Why::NotWorking],
        (Some(_), Some(_)) => vec![Why::NotTheirs],
        (Some(_), None) => vec![Why::NoDevice],
    }
}

/// What a rule about the network alone asks for.
const OF_NETWORK: [&str; 3] = ["device.tunnel.", "device.place.", "device.wifi."];

/// The same for a way through a tunnel: a rule about the network alone that a tunnel mends keeps nobody from bringing one
/// up. What goes through it is not seen by that network.
pub fn through_tunnel(pack: &Pack, why: Vec<Why>) -> Vec<Why> {
    let mended = |why: &Why| match why {
        Why::Device(rule, _) => pack.rule(rule).is_some_and(|rule| {
            let facts = rule.pass.facts();
            let of_network = |fact: &String| OF_NETWORK.iter().any(|start| fact.starts_with(start));
            facts.iter().all(of_network) && facts.iter().any(|fact| fact.starts_with(OF_NETWORK[0]))
        }),
        Why::Person(..)
        | Why::NotKnown
        | Why::NotWorking
        | Why::NoDevice
        | Why::NotTheirs
        | Why::Revoked
        | Why::NoCertificate
        | Why::NotJudged
        | Why::Silent(_) => false,
    };
    why.into_iter().filter(|why| !mended(why)).collect()
}

/// All that is known to stand, or not known, by what memory has of the two, also while it is not complete; none
/// where it has nothing of them.
pub fn in_memory(
    index: &Index,
    pack: &Pack,
    (person, device): (PersonId, DeviceId),
    place: usize,
    now: Millis,
) -> Option<Vec<Why>> {
    let (who, on) = (index.person(person)?, index.device(device)?);
    if on.person != person {
        return Some(vec![Why::NotTheirs]);
    }
    let mut why = of(pack, (&who, &on), place, now);
    if !index.is_complete() {
        why.push(Why::NotKnown);
    }
    Some(why)
}

fn of(pack: &Pack, (person, device): (&Person, &Device), place: usize, now: Millis) -> Vec<Why> {
    let mut why = Vec::new();
    if pack.is_in_doubt() || person.doubted || device.doubted {
        why.push(Why::NotKnown);
    }
    if !person.state.may_work() {
        why.push(Why::NotWorking);
    }
    if device.revoked {
        // Nothing else about it matters any more.
        return vec![Why::Revoked];
    }
    if clearance::is_silent(pack, device.last_seen, now) {
        why.push(Why::Silent(device.last_seen));
    } else if !device.judged {
        why.push(Why::NotJudged);
    }
    why.extend(costing(pack, &person.costs, place, now).map(|cost| Why::Person(cost.rule.clone(), cost.due)));
    why.extend(costing(pack, &device.costs, place, now).map(|cost| Why::Device(cost.rule.clone(), cost.due)));
    why
}

fn costing<'a>(
    pack: &'a Pack,
    costs: &'a [Cost],
    place: usize,
    now: Millis,
) -> impl Iterator<Item = &'a Cost> {
    costs.iter().filter(move |cost| clearance::lets(pack, [(&*cost.rule, cost.due)], place, now) == Open::Not)
}

#[cfg(test)]
mod tests {
    use stead_model::{DeviceId, Employment, Standing, time::DAY};
    use stead_policy::shipped;
    use stead_store::{
        changes::Changes,
        gate::{Counts, GateDevice, GatePerson},
    };

    use super::*;

    const NOW: Millis = Millis(1_700_000_000_000);

    struct World {
        index: Index,
        pack: Pack,
        sam: PersonId,
        laptop: DeviceId,
    }

    fn counts(rule: &str, due: i64) -> Counts {
        Counts { rule: rule.to_owned(), due: Some(NOW.plus(due)), counts_since: None }
    }

    fn world(device: impl FnOnce(&mut GateDevice), person: impl FnOnce(&mut GatePerson)) -> World {
        let sam = PersonId::from_parts(Millis(1), [1; 10]);
        let laptop = DeviceId::from_parts(Millis(1), [2; 10]);
        let pack = Pack::load(&shipped::remote_work()).unwrap();
        let mut on = GateDevice {
            id: laptop,
            person: sam,
            revoked: false,
            standing: Standing::Good,
            last_seen: NOW,
            against: Vec::new(),
            tunnels: Vec::new(),
            certificates: Vec::new(),
        };
        let mut who = GatePerson {
            id: sam,
            state: Employment::Active,
            email: None,
            name: "Sam".to_owned(),
            against: Vec::new(),
        };
        device(&mut on);
        person(&mut who);
        let index = Index::default();
        index.put_devices(&[laptop], vec![on], &pack);
        index.put_people(&[sam], vec![who], &pack);
        index.set_complete(true);
        World { index, pack, sam, laptop }
    }

    impl World {
        fn words(&self, tier: usize, now: Millis) -> Vec<&'static str> {
            against(&self.index, &self.pack, (self.sam, self.laptop), tier, now)
                .iter()
                .map(Why::word)
                .collect()
        }
    }

    #[test]
    fn whoever_has_nothing_against_them_is_let_in() {
        let w = world(|_| {}, |_| {});
        for tier in 0..3 {
            assert!(w.words(tier, NOW).is_empty());
        }
        let other = DeviceId::from_parts(Millis(1), [9; 10]);
        assert_eq!(against(&w.index, &w.pack, (w.sam, other), 0, NOW), [Why::NoDevice]);
        let toni = PersonId::from_parts(Millis(1), [9; 10]);
        assert_eq!(against(&w.index, &w.pack, (toni, w.laptop), 0, NOW), [Why::NotWorking]);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let w = world(|_| {}, |_| {});
        let changes = Changes { devices: [w.laptop].into(), ..Changes::default() };
        w.index.doubt(&changes);
        assert_eq!(w.words(0, NOW), ["not-known"]);
        w.index.set_complete(false);
        assert_eq!(w.words(0, NOW), ["not-known"]);
        assert_eq!(world(|d| d.standing = Standing::Unknown, |_| {}).words(0, NOW), ["not-judged"]);
    }

    #[test]
    fn silence_costs_at_its_deadline_and_being_heard_mends_it() {
        let w = world(|_| {}, |_| {});
        let at = NOW.plus(w.pack.silent_after);
        assert!(w.words(2, at.plus(-1)).is_empty());
        assert_eq!(w.words(0, at), ["silent"]);
        assert_eq!(w.index.near_silence(NOW, at, w.pack.silent_after), [w.laptop]);
        w.index.heard(&[(w.laptop, at)]);
        assert!(w.words(0, at).is_empty());
        assert!(w.index.near_silence(NOW, at, w.pack.silent_after).is_empty());
    }

    #[test]
    fn a_rule_costs_its_tier_and_all_above_from_its_minute_on() {
        let w = world(|d| d.against = vec![counts("disk-encrypted", DAY)], |_| {});
        let due = NOW.plus(DAY);
        assert!(w.words(2, due.plus(-1)).is_empty(), "grace still runs");
        assert_eq!(w.words(2, due), ["device-rule"]);
        assert!(w.words(1, due).is_empty(), "it costs the upper tier alone");
        let w = world(|d| d.against = vec![counts("firewall-on", -1)], |_| {});
        assert_eq!((w.words(0, NOW).len(), w.words(1, NOW).len(), w.words(2, NOW).len()), (0, 1, 1));
        // What was found by a rule that the policy has no more is judged again; until then it is not forgotten.
        assert_eq!(world(|d| d.against = vec![counts("gone", -1)], |_| {}).words(0, NOW), ["device-rule"]);
        // Observed and advised rules have no time at which they cost.
        let free = Counts { rule: "firewall-on".to_owned(), due: None, counts_since: None };
        assert!(world(|d| d.against = vec![free], |_| {}).words(2, NOW).is_empty());
    }

    #[test]
    fn what_the_tunnel_mends_does_not_shut_the_tunnel() {
        let w = world(|d| d.against = vec![counts("tunnel-when-away", 0), counts("firewall-on", 0)], |_| {});
        let why = against(&w.index, &w.pack, (w.sam, w.laptop), 2, NOW);
        assert_eq!(why.len(), 2);
        assert_eq!(through_tunnel(&w.pack, why), [Why::Device("firewall-on".into(), NOW)]);
    }

    #[test]
    fn people_count_as_devices_do() {
        let w = world(|_| {}, |p| p.against = vec![counts("policy-acknowledged", 0)]);
        assert_eq!(w.words(1, NOW), ["person-rule"]);
        let w = world(|_| {}, |p| p.state = Employment::OnLeave);
        assert_eq!(w.words(0, NOW), ["not-working"]);
        let w = world(|d| d.revoked = true, |p| p.against = vec![counts("policy-acknowledged", 0)]);
        assert_eq!(w.words(1, NOW), ["revoked"], "of a revoked device nothing else is said");
        let toni = PersonId::from_parts(Millis(1), [9; 10]);
        assert_eq!(world(|d| d.person = toni, |_| {}).words(0, NOW), ["not-theirs"]);
    }
}

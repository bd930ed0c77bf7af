//! The published list of facts. An agent sends nothing that is not named here, a rule can ask for
//! nothing that is not named here, and the page "what we know about you" is made from it.

use crate::{Millis, Scalar, Subject, Value, fact::Field, message::CLOCK_TOLERANCE};

/// The type of a value, for checking rules before they judge anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactType {
    /// Yes or no.
    Bool,
    /// A whole number.
    Int,
    /// Words.
    Text,
    /// A point in time, in milliseconds.
    Time,
    /// A list of records with these fields.
    List(&'static [(&'static str, FactType)]),
}

/// Who knows a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The agent measures it on the device.
    Device,
    /// The server's own records hold it.
    Record,
    /// Nothing holds it yet. Rules may ask for it, are judged unknown, and count for nobody.
    ToCome,
}

/// One fact that Stead may hold.
#[derive(Clone, Debug)]
pub struct FactSpec {
    /// Its name in rules and reports.
    pub name: &'static str,
    /// Its type.
    pub kind: FactType,
    /// Who knows it.
    pub source: Source,
    /// What it says, for the person it is about.
    pub about: &'static str,
}

impl FactSpec {
    /// Whether a value can be one of this fact's: of its type, and not from a time that is still to come. `at` is when it
    /// was collected.
    ///
    /// # Errors
    /// Why it cannot, in words.
    pub fn admits(&self, value: &Value, at: Millis) -> Result<(), &'static str> {
        match (&self.kind, value) {
            (FactType::List(fields), Value::List(records)) => {
                let is_one = |(name, field): (&String, &Field)| match field {
                    Field::Unknown { .. } => true,
                    Field::Known(scalar) => fields
                        .iter()
                        .any(|(known, kind)| known == name && admits_one(kind, scalar, at).is_ok()),
                };
                let all = records.iter().all(|record| record.iter().all(is_one));
                if all { Ok(()) } else { Err("the device sent a list that can't be one of this fact's") }
            }
            (kind, Value::One(scalar)) => admits_one(kind, scalar, at),
            (_, Value::List(_)) => Err("the device sent a list where there is one value"),
        }
    }
}

fn admits_one(kind: &FactType, scalar: &Scalar, at: Millis) -> Result<(), &'static str> {
    match (kind, scalar) {
        (FactType::Bool, Scalar::Bool(_)) | (FactType::Text, Scalar::Text(_)) => Ok(()),
        (FactType::Int, Scalar::Int(number)) if (0..=MOST).contains(number) => Ok(()),
        (FactType::Int, Scalar::Int(_)) => Err("the device sent a number that can't be"),
        (FactType::Time, Scalar::Int(time)) if *time > at.0.saturating_add(CLOCK_TOLERANCE) => {
            Err("the device sent a time that is still to come")
        }
        (FactType::Time, Scalar::Int(_)) => Ok(()),
        (FactType::Bool | FactType::Int | FactType::Text | FactType::Time | FactType::List(_), _) => {
            Err("the device sent a value of another type")
        }
    }
}

/// Facts count things and lengths of time: none is negative, and none is larger.
const MOST: i64 = 1_000_000_000;

const VOLUME: &[(&str, FactType)] =
    &[("mount", FactType::Text), ("encrypted", FactType::Bool), ("how", FactType::Text)];
const DOOR: &[(&str, FactType)] = &[("port", FactType::Int), ("program", FactType::Text)];

const fn device(name: &'static str, kind: FactType, about: &'static str) -> FactSpec {
    FactSpec { name, kind, source: Source::Device, about }
}

/// Every fact about a device.
pub const DEVICE: &[FactSpec] = &[
    device("device.kind", FactType::Text, "Whether it is a computer or a phone"),
    FactSpec {
        name: "device.owner",
        kind: FactType::Text,
        source: Source::Record,
        about: "Whether the organisation or the person owns it, as written down at enrolment",
    },
    device("device.os.system", FactType::Text, "The operating system"),
    device("device.os.release", FactType::Text, "The release of the operating system"),
    device("device.os.name", FactType::Text, "The operating system's name for itself"),
    device(
        "device.volumes",
        FactType::List(VOLUME),
        "Where fixed disks and swap are mounted and whether each is encrypted, never what is on them",
    ),
    device(
        "device.firewall.denies_inbound",
        FactType::Bool,
        "Whether connections from outside are refused unless allowed",
    ),
    device("device.firewall.by", FactType::Text, "Which firewall does it"),
    device(
        "device.screen.lock_after",
        FactType::Int,
        "Seconds of idleness until the screen is locked; 0 is never",
    ),
    device(
        "device.login.automatic",
        FactType::Bool,
        "Whether somebody is signed in without a password when it starts",
    ),
    device("device.updates.security_pending", FactType::Int, "How many security updates wait, never which"),
    device("device.updates.checked_at", FactType::Time, "When the list of updates was last fetched"),
    device("device.updates.automatic", FactType::Bool, "Whether security updates install themselves"),
    device("device.antivirus.running", FactType::Bool, "Whether virus protection runs"),
    device("device.antivirus.product", FactType::Text, "Which virus protection runs"),
    device("device.antivirus.signatures_at", FactType::Time, "When its signatures were last renewed"),
    device("device.remote_login.open", FactType::Bool, "Whether somebody can sign in over the network"),
    device(
        "device.doors",
        FactType::List(DOOR),
        "Which programs take connections from other machines, and on which port",
    ),
    device("device.secure_boot", FactType::Bool, "Whether only signed systems can start"),
    device(
        "device.wifi.security",
        FactType::Text,
        "How the Wi-Fi in use is encrypted: open, wep, wpa, wpa2, wpa3 or enterprise; never its name",
    ),
    device(
        "device.place.kind",
        FactType::Text,
        "What its person calls the place it is at: home, office or travel, or unnamed; never where that is",
    ),
    device(
        "device.tunnel.carries_traffic",
        FactType::Bool,
        "Whether a tunnel carries what goes to the internet",
    ),
    device(
        "device.password_manager.present",
        FactType::Bool,
        "Whether a password manager is installed, never what is in it",
    ),
    device("device.clock.synchronised", FactType::Bool, "Whether the clock is kept right over the network"),
    device(
        "device.accounts.administrators",
        FactType::Int,
        "How many people's accounts have administrator rights, never whose",
    ),
    device(
        "device.mail.foreign_accounts",
        FactType::Int,
        "How many mail and calendar accounts are not the organisation's, never which",
    ),
];

const fn record(name: &'static str, kind: FactType, about: &'static str) -> FactSpec {
    FactSpec { name, kind, source: Source::Record, about }
}

const fn to_come(name: &'static str, kind: FactType, about: &'static str) -> FactSpec {
    FactSpec { name, kind, source: Source::ToCome, about }
}

/// Every fact about a person.
pub const PERSON: &[FactSpec] = &[
    record("person.policy.acknowledged", FactType::Bool, "Whether they have confirmed the policy in force"),
    record("person.sign_in.strong", FactType::Bool, "Whether they sign in with more than a password"),
    record("person.manager.named", FactType::Bool, "Whether somebody answers for them"),
    record("person.returns.overdue", FactType::Int, "How many things they should have given back by now"),
    record(
        "person.terms.broken",
        FactType::Int,
        "How many terms of their own are not kept or cannot be told",
    ),
    record(
        "person.losses.told_late",
        FactType::Int,
        "How many losses of the last year were told more than an hour after they were noticed",
    ),
    to_come("person.training.current", FactType::Bool, "Whether their training is done and not too old"),
    to_come(
        "person.training.before_agreement",
        FactType::Bool,
        "Whether they were trained before they signed their agreement",
    ),
    to_come("person.proficiency.shown", FactType::Bool, "Whether the exercises for their work are done"),
    to_come(
        "person.agreement.in_force",
        FactType::Bool,
        "Whether a signed agreement is in force that was reviewed against the policy",
    ),
    to_come(
        "person.agreement.eligible",
        FactType::Bool,
        "Whether they have been told that they may telework",
    ),
];

/// Every fact about a place that somebody works from.
pub const SITE: &[FactSpec] = &[
    to_come("site.open_points", FactType::Int, "How many points of the checklist are open"),
    to_come("site.checked_at", FactType::Time, "When the checklist was filled in"),
    to_come("site.network.open_points", FactType::Int, "How many points of the home-network check are open"),
    to_come("site.network.checked_at", FactType::Time, "When the home network was checked"),
];

/// Every fact about a paper, a medium or a document.
pub const ITEM: &[FactSpec] = &[
    to_come("item.kind", FactType::Text, "What it is: paper, medium, document or printout"),
    to_come("item.sensitive", FactType::Bool, "Whether its class is a sensitive one"),
    to_come("item.sealed", FactType::Bool, "Whether it is sealed"),
    to_come("item.returned", FactType::Bool, "Whether it is back"),
    to_come("item.due_back_at", FactType::Time, "When it is to be back"),
    to_come("item.transport_confirmed", FactType::Bool, "Whether its carrier confirmed how it is carried"),
    to_come("item.destroyed", FactType::Bool, "Whether it is destroyed"),
    to_come("item.destroy_by", FactType::Time, "When it is to be destroyed"),
];

/// Every fact about the organisation.
pub const ORGANISATION: &[FactSpec] = &[
    record("organisation.policy.review_due_at", FactType::Time, "When the policy is to be reviewed next"),
    record(
        "organisation.policy.waiting",
        FactType::Int,
        "How many people have had their time to confirm the policy in force and have not",
    ),
    record(
        "organisation.policy.unmapped_rules",
        FactType::Int,
        "How many rules of the policy name no control of a NIST publication",
    ),
    record("organisation.backup.made_at", FactType::Time, "When the last backup was made"),
    record("organisation.roles.coordinators", FactType::Int, "How many people coordinate telework"),
    record(
        "organisation.looks.without_purpose",
        FactType::Int,
        "How many looks at somebody's record of the last year have no purpose",
    ),
    record("organisation.cases.overdue", FactType::Int, "How many cases are past their day of decision"),
    record("organisation.gate.applications", FactType::Int, "How many applications ask the gate"),
    to_come(
        "organisation.inventory.kinds_missing",
        FactType::Int,
        "Of how many kinds of things nothing is registered",
    ),
    to_come("organisation.equipment.unplanned", FactType::Int, "How many devices to replace are in no plan"),
    to_come(
        "organisation.disclosures.unaccounted",
        FactType::Int,
        "How many disclosures are not accounted for",
    ),
];

/// Every fact about one kind of thing.
pub fn of(subject: Subject) -> &'static [FactSpec] {
    match subject {
        Subject::Device => DEVICE,
        Subject::Person => PERSON,
        Subject::Site => SITE,
        Subject::Item => ITEM,
        Subject::Organisation => ORGANISATION,
    }
}

/// Every fact there is.
pub fn all() -> impl Iterator<Item = &'static FactSpec> {
    Subject::ALL.into_iter().flat_map(of)
}

/// The fact of this name.
pub fn find(name: &str) -> Option<&'static FactSpec> {
    of(Subject::of_fact(name)?).iter().find(|spec| spec.name == name)
}

/// The published name nearest to `name`, for an error that helps.
pub fn nearest(name: &str) -> Option<&'static str> {
    all()
        .map(|spec| (distance(spec.name, name), spec.name))
        .min()
        .filter(|(distance, _)| *distance <= name.len().div_ceil(3))
        .map(|(_, name)| name)
}

/// Levenshtein distance: how many letters must change.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_helpfully_near() {
        for subject in Subject::ALL {
            let specs = of(subject);
            for (i, spec) in specs.iter().enumerate() {
                assert!(specs[i + 1..].iter().all(|other| other.name != spec.name), "{}", spec.name);
                assert_eq!(Subject::of_fact(spec.name), Some(subject), "{}", spec.name);
            }
        }
        assert_eq!(nearest("device.volume"), Some("device.volumes"));
        assert_eq!(nearest("weather"), None);
    }
}

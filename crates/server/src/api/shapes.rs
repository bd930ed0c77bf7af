//! What the API answers with. Times are RFC 3339 in UTC, ids are UUIDs; what is not known is left out.

use serde::Serialize;
use stead_model::{Millis, Role};
use stead_store::{clear_out::Item, device, look::Look, people::Listed, role::Grant, unit};
use utoipa::ToSchema;

use crate::{
    clearance::{Held, Open, Window},
    things::Thing,
};

/// A time on the wire.
pub fn at(time: Millis) -> String {
    time.to_string()
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Part<T> {
    /// What is listed.
    pub items: Vec<T>,
    /// Where the list goes on, to be sent as `after`; none at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Part<T> {
    /// A list to its end.
    pub fn all(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// Something with a name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Named {
    /// Its id.
    #[schema(format = Uuid)]
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Named {
    /// An id with its name.
    pub fn new(id: impl ToString, name: impl Into<String>) -> Self {
        Self { id: id.to_string(), name: name.into() }
    }
}

/// What was added.
#[derive(Debug, Serialize, ToSchema)]
pub struct Added {
    /// Its id.
    #[schema(format = Uuid)]
    pub id: String,
}

/// Something that is told once and never again.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldOnce {
    /// The link, code or secret. Keep it: it is not told again.
    pub secret: String,
}

/// A person, as lists have them.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonRow {
    /// Their id.
    #[schema(format = Uuid)]
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The number that other systems know them by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff_number: Option<String>,
    /// Their unit.
    pub unit: Named,
    /// `invited`, `active`, `on_leave`, `leaving` or `gone`.
    pub state: &'static str,
    /// Since when.
    #[schema(format = DateTime)]
    pub state_since: String,
    /// The end of their last day, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub last_day: Option<String>,
}

impl PersonRow {
    /// A person in a unit of this name.
    pub fn new(person: &stead_store::people::Person, unit_name: &str) -> Self {
        Self {
            id: person.id.to_string(),
            name: person.name.clone(),
            email: person.email.clone(),
            staff_number: person.staff_number.clone(),
            unit: Named::new(person.unit, unit_name),
            state: person.state.word(),
            state_since: at(person.state_since),
            last_day: person.last_day.map(at),
        }
    }
}

impl From<&Listed> for PersonRow {
    fn from(listed: &Listed) -> Self {
        Self::new(&listed.person, &listed.unit_name)
    }
}

/// A person's record.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonRecord {
    /// Them.
    #[serde(flatten)]
    pub person: PersonRow,
    /// Another when what the directory holds on them has changed; to be sent as `If-Match`.
    pub version: String,
    /// Who answers for them by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<Named>,
    /// What is open to them.
    pub clearance: Clearance,
    /// Their devices that are heard.
    pub devices: Vec<DeviceRow>,
    /// What they are trusted with.
    pub roles: Vec<RoleHeld>,
    /// What they give back or lose when they leave.
    pub clear_out: Vec<ClearOutItem>,
    /// Who looked at this record lately.
    pub looks: Vec<Looked>,
}

/// What is open to somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct Clearance {
    /// `allow`, `limit` or `deny`.
    pub answer: &'static str,
    /// For each tier, least protected first.
    pub tiers: Vec<Tier>,
}

impl Clearance {
    /// An answer from what is open.
    pub fn new(windows: &[Window]) -> Self {
        let tiers = windows
            .iter()
            .map(|window| Tier {
                tier: window.tier.clone(),
                open: window.open != Open::Not,
                until: match window.open {
                    Open::Until(until) => Some(at(until)),
                    Open::Now | Open::Not => None,
                },
            })
            .collect();
        Self { answer: crate::clearance::answer(windows), tiers }
    }
}

/// A tier of what is protected.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tier {
    /// Its name.
    pub tier: String,
    /// Whether it is open.
    pub open: bool,
    /// Until when, unless something is mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub until: Option<String>,
}

/// A role that somebody holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleHeld {
    /// `manager`, `coordinator`, `security`, `records`, `auditor` or `operator`.
    pub role: &'static str,
    /// For this unit and all below it.
    pub unit: Named,
    /// Since when.
    #[schema(format = DateTime)]
    pub since: String,
}

impl From<&Grant> for RoleHeld {
    fn from(grant: &Grant) -> Self {
        Self {
            role: Role::word(grant.role),
            unit: Named::new(grant.unit, &grant.unit_name),
            since: at(grant.granted_at),
        }
    }
}

/// Something to give back or to lose.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClearOutItem {
    /// `return`, `revoke`, `role` or `access`.
    pub kind: String,
    /// Which.
    pub object: String,
    /// What it is called.
    pub label: String,
    /// By when.
    #[schema(format = DateTime)]
    pub due: String,
    /// When it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub done_at: Option<String>,
}

impl From<&Item> for ClearOutItem {
    fn from(item: &Item) -> Self {
        Self {
            kind: item.kind.clone(),
            object: item.object.clone(),
            label: item.label.clone(),
            due: at(item.due),
            done_at: item.done_at.map(at),
        }
    }
}

/// A look at a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct Looked {
    /// Who looked.
    pub by: Named,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// What for.
    pub purpose: String,
    /// What for, in their words.
    pub words: String,
    /// The ledger's entry that proves it.
    pub entry: u64,
}

impl From<&Look> for Looked {
    fn from(look: &Look) -> Self {
        Self {
            by: Named::new(look.viewer, &look.viewer_name),
            at: at(look.at),
            purpose: look.purpose.clone(),
            words: look.words.clone(),
            entry: look.entry,
        }
    }
}

/// A device.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceRow {
    /// Its id.
    #[schema(format = Uuid)]
    pub id: String,
    /// What it calls itself.
    pub name: String,
    /// The person whom it is enrolled for.
    pub person: String,
    /// Its operating system; empty before the first report.
    pub system: String,
    /// `good`, `due`, `lapsed` or `unknown`.
    pub standing: &'static str,
    /// Since when.
    #[schema(format = DateTime)]
    pub standing_since: String,
    /// When it was last heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub last_seen: Option<String>,
}

impl From<&device::Device> for DeviceRow {
    fn from(device: &device::Device) -> Self {
        Self {
            id: device.id.to_string(),
            name: device.name.clone(),
            person: device.person_name.clone(),
            system: device.system.clone(),
            standing: device.standing.word(),
            standing_since: at(device.standing_since),
            last_seen: device.last_seen.map(at),
        }
    }
}

impl From<&Held> for DeviceRow {
    fn from(held: &Held) -> Self {
        Self::from(&held.device)
    }
}

impl From<&device::Listed> for DeviceRow {
    fn from(device: &device::Listed) -> Self {
        Self {
            id: device.id.to_string(),
            name: device.name.clone(),
            person: device.person_name.clone(),
            system: device.system.clone(),
            standing: device.standing.word(),
            standing_since: at(device.standing_since),
            last_seen: device.last_seen.map(at),
        }
    }
}

/// Something that waits for somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct Waits {
    /// What it is.
    pub title: String,
    /// Why.
    pub why: String,
    /// By when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub due: Option<String>,
    /// Whether that has passed.
    pub late: bool,
    /// The page where it is done.
    pub link: String,
    /// The rule that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

impl From<&Thing> for Waits {
    fn from(thing: &Thing) -> Self {
        Self {
            title: thing.title.clone(),
            why: thing.why.clone(),
            due: thing.due.map(at),
            late: thing.late,
            link: thing.link.clone(),
            rule: thing.rule.clone(),
        }
    }
}

/// A unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitRow {
    /// Its id.
    #[schema(format = Uuid)]
    pub id: String,
    /// Its name.
    pub name: String,
    /// The unit above; none for the organisation itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Uuid)]
    pub parent: Option<String>,
    /// How many people are in it, those below not counted.
    pub people: i64,
}

impl From<&unit::Unit> for UnitRow {
    fn from(unit: &unit::Unit) -> Self {
        Self {
            id: unit.id.to_string(),
            name: unit.name.clone(),
            parent: unit.parent.map(|parent| parent.to_string()),
            people: unit.people,
        }
    }
}

//! The people of the sample: who they are, what they are trusted with, and what happens to them in a year.

use std::fmt::Write as _;

use stead_model::{Employment, PersonId, Role, SessionId, UnitId, time::DAY};
use stead_server::{
    App,
    flows::{
        attest,
        directory::{self, Told, roles, units},
        look,
    },
};
use stead_store::{
    attestation::Answer,
    people::{Filter, Person},
};

use crate::{pick, policy::Publishers, told};

const FIRST: [&str; 48] = [
    "Ana", "Bruno", "Carla", "Diego", "Elisa", "Fabio", "Gabi", "Hugo", "Iris", "Joana", "Kai", "Lia",
    "Mateus", "Nina", "Otto", "Paula", "Quim", "Rita", "Saulo", "Tina", "Ugo", "Vera", "Wanda", "Xavi",
    "Yara", "Zeca", "Alex", "Blair", "Casey", "Drew", "Ellis", "Finn", "Gray", "Harper", "Indra", "Jules",
    "Kim", "Logan", "Morgan", "Noor", "Oakley", "Parker", "Quinn", "Robin", "Sasha", "Taylor", "Uma", "Val",
];
const LAST: [&str; 40] = [
    "Abreu",
    "Barros",
    "Campos",
    "Duarte",
    "Esteves",
    "Freitas",
    "Guedes",
    "Horta",
    "Inverno",
    "Jardim",
    "Kessler",
    "Lemos",
    "Moura",
    "Neves",
    "Oliveira",
    "Prado",
    "Queiroz",
    "Ramos",
    "Serra",
    "Teles",
    "Underhill",
    "Vargas",
    "Winter",
    "Xavier",
    "Yates",
    "Zimmer",
    "Archer",
    "Brook",
    "Carver",
    "Dale",
    "Easton",
    "Field",
    "Glover",
    "Hill",
    "Iverson",
    "Joiner",
    "Keeler",
    "Lake",
    "Mason",
    "North",
];
/// Twelve units in a tree, each with the one above it.
const UNITS: [(&str, Option<usize>); 12] = [
    ("Service", None),
    ("Records", Some(0)),
    ("Benefits", Some(0)),
    ("Appeals", Some(0)),
    ("Technology", None),
    ("Platform", Some(4)),
    ("Support", Some(4)),
    ("Security", Some(4)),
    ("Administration", None),
    ("Finance", Some(8)),
    ("People", Some(8)),
    ("Legal", Some(8)),
];
/// Roles for the whole organisation, each with who holds it at first.
const TRUSTED: [(Role, &str); 6] = [
    (Role::Operator, "operator"),
    (Role::Coordinator, "coordinator"),
    (Role::Security, "security"),
    (Role::Security, "security2"),
    (Role::Records, "records"),
    (Role::Auditor, "auditor"),
];

/// The organisation.
pub struct Organisation {
    /// Everybody who works here, in the order in which they came.
    pub staff: Vec<PersonId>,
    units: Vec<UnitId>,
    managers: Vec<(UnitId, PersonId)>,
    security: Vec<PersonId>,
    coordinator: PersonId,
    leaving: Vec<PersonId>,
}

impl Organisation {
    /// Writes everybody down.
    pub async fn found(app: &App, people: u32, luck: &mut fastrand::Rng) -> anyhow::Result<Self> {
        let mut ids: Vec<UnitId> = Vec::new();
        for (name, above) in UNITS {
            let above = above.and_then(|place| ids.get(place).copied()).unwrap_or(UnitId::ORGANISATION);
            ids.push(units::add(app, name, above, "sample").await.map_err(told)?);
        }
        let mut held = Vec::new();
        for (role, address) in TRUSTED {
            let unit = if role == Role::Security { ids[7] } else { ids[8] };
            let id = join(app, luck, unit, Some(address)).await?;
            roles::give(app, id, role, UnitId::ORGANISATION, "sample").await.map_err(told)?;
            held.push((role, id));
        }
        let of = |wanted: Role| held.iter().filter(move |(role, _)| *role == wanted).map(|(_, id)| *id);
        let mut managers = Vec::new();
        for (place, unit) in ids.iter().enumerate() {
            let address = (place == 1).then_some("manager");
            let id = join(app, luck, *unit, address).await?;
            roles::give(app, id, Role::Manager, *unit, "sample").await.map_err(told)?;
            managers.push((*unit, id));
        }
        let mut staff: Vec<PersonId> = held.iter().map(|(_, id)| *id).collect();
        staff.extend(managers.iter().map(|(_, id)| *id));
        let coordinator = of(Role::Coordinator).next().unwrap_or(staff[0]);
        let security = of(Role::Security).collect();
        let already = staff.len();
        for n in already..people as usize {
            // Most work in the units below, few directly in those above.
            let unit = *pick(luck, &ids[1..])?;
            staff.push(join(app, luck, unit, (n == already).then_some("teleworker")).await?);
        }
        Ok(Self { staff, units: ids, managers, security, coordinator, leaving: Vec::new() })
    }

    /// Who writes a version of the policy, and who publishes it.
    pub fn who_publish(&self) -> Publishers {
        (self.coordinator, self.security.first().copied().unwrap_or(self.coordinator))
    }

    /// What happens on a day.
    pub async fn live(
        &mut self,
        app: &App,
        day: i64,
        left: i64,
        luck: &mut fastrand::Rng,
    ) -> anyhow::Result<()> {
        let by = format!("person:{}", self.coordinator);
        // Somebody leaves every other week, with three weeks' notice; some are leaving as the story ends.
        if day % 13 == 6 {
            let person = *pick(luck, &self.staff[20..])?;
            if state(app, person).await? == Some(Employment::Active) {
                let last = app.now().plus(21 * DAY);
                directory::set_state(app, person, Employment::Leaving, Some(last), &by)
                    .await
                    .map_err(told)?;
                self.leaving.push(person);
            }
        }
        // A few are away for a while.
        if day % 17 == 3 {
            let person = *pick(luck, &self.staff[20..])?;
            let to = match state(app, person).await? {
                Some(Employment::Active) => Employment::OnLeave,
                Some(Employment::OnLeave) => Employment::Active,
                _ => return Ok(()),
            };
            directory::set_state(app, person, to, None, &by).await.map_err(told)?;
        }
        // Newcomers at the start of some months; the last of them have not joined yet.
        if day % 45 == 30 {
            let unit = *pick(luck, &self.units[1..])?;
            let told_of = new_person(luck, unit, None);
            let id = directory::add(app, &told_of, &by).await.map_err(told)?;
            if left > 14 {
                directory::set_state(app, id, Employment::Active, None, "sample").await.map_err(told)?;
                self.staff.push(id);
            }
        }
        if day % 3 == 1 {
            self.look(app, luck).await?;
        }
        if day % 30 == 8 {
            self.attest(app, left, luck).await?;
        }
        Ok(())
    }

    /// Security opens somebody's record, and says why.
    async fn look(&self, app: &App, luck: &mut fastrand::Rng) -> anyhow::Result<()> {
        const WHY: [(&str, &str); 4] = [
            ("help", "Called about the encryption of a disk"),
            ("follow-up", ""),
            ("incident", "A laptop was reported lost and found again"),
            ("review", "Quarterly review"),
        ];
        let subject = *pick(luck, &self.staff)?;
        let viewer = *pick(luck, &self.security)?;
        if subject == viewer {
            return Ok(());
        }
        let visit = SessionId::from_parts(app.now(), [luck.u8(..); 10]).to_string();
        look::record(app, viewer, &visit, subject, *pick(luck, &WHY)?).await.map_err(told)
    }

    /// Managers look at their teams; this month some have not yet.
    async fn attest(&self, app: &App, left: i64, luck: &mut fastrand::Rng) -> anyhow::Result<()> {
        for (place, (unit, manager)) in self.managers.iter().enumerate() {
            if left < 30 && place % 3 == 1 {
                continue;
            }
            let filter = Filter { unit: *unit, below: false, state: None, words: String::new(), after: None };
            let answers: Vec<Answer> = app
                .store
                .people(&filter, 200)
                .await?
                .into_iter()
                .filter(|listed| listed.person.state != Employment::Invited)
                .map(|listed| {
                    let closer = luck.u8(..) < 6;
                    Answer {
                        person: listed.person.id,
                        answer: if closer { "look" } else { "right" }.to_owned(),
                        words: if closer { "Works on a second laptop now" } else { "" }.to_owned(),
                    }
                })
                .collect();
            if !answers.is_empty() {
                attest::attest(app, *unit, *manager, answers).await.map_err(told)?;
            }
        }
        Ok(())
    }

    /// Whom to sign in as.
    pub fn address_book(&self) -> String {
        let mut book = String::new();
        for name in ["teleworker", "manager", "coordinator", "security", "auditor", "operator", "records"] {
            let _ = writeln!(book, "{name}@sample.example");
        }
        book.trim_end().to_owned()
    }
}

/// Where somebody is on the way from joining to having left.
pub async fn state(app: &App, person: PersonId) -> anyhow::Result<Option<Employment>> {
    Ok(app.store.person(person).await?.map(|person: Person| person.state))
}

async fn join(
    app: &App,
    luck: &mut fastrand::Rng,
    unit: UnitId,
    address: Option<&str>,
) -> anyhow::Result<PersonId> {
    let id = directory::add(app, &new_person(luck, unit, address), "sample").await.map_err(told)?;
    directory::set_state(app, id, Employment::Active, None, "sample").await.map_err(told)?;
    Ok(id)
}

fn new_person(luck: &mut fastrand::Rng, unit: UnitId, address: Option<&str>) -> Told {
    let first = FIRST[luck.usize(..FIRST.len())];
    let last = LAST[luck.usize(..LAST.len())];
    let number = luck.u32(100_000..999_999);
    let local = address
        .map_or_else(|| format!("{}.{}.{number}", first.to_lowercase(), last.to_lowercase()), str::to_owned);
    Told {
        name: format!("{first} {last}"),
        email: format!("{local}@sample.example"),
        staff_number: format!("S{number}{}", luck.u32(10..99)),
        unit: Some(unit),
        manager: None,
    }
}

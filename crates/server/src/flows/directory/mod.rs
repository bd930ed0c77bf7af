//! The directory: people, units, who is trusted with what.

pub mod import;
pub mod leaving;
pub mod roles;
pub mod units;

use serde_json::{Value, json};
use stead_model::{Employment, Millis, PersonId, Role, UnitId, problem::Kind, seal, text};
use stead_store::{Write, people::Person};

use super::{entry, person_subject, policy::terms};
use crate::{
    App,
    error::{FieldError, Refusal},
};

/// What the directory is told about somebody, as it was typed or sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Their name.
    pub name: String,
    /// Their address; empty for none.
    pub email: String,
    /// Their number elsewhere; empty for none.
    pub staff_number: String,
    /// Their unit.
    pub unit: Option<UnitId>,
    /// Who answers for them, when it is not their unit's managers.
    pub manager: Option<PersonId>,
}

/// Adds somebody, who is invited at first. `by` is who adds them, as the ledger names them.
///
/// # Errors
/// [`Refusal`] when something told is not right or taken, or the store is away.
pub async fn add(app: &App, told: &Told, by: &str) -> Result<PersonId, Refusal> {
    let mut write = app.store.write().await?;
    let person = add_within(app, &mut write, told, Employment::Invited, by).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(person.id)
}

/// [`add`] within a transaction.
async fn add_within(
    app: &App,
    write: &mut Write,
    told: &Told,
    state: Employment,
    by: &str,
) -> Result<Person, Refusal> {
    let now = app.now();
    let id = PersonId::from_parts(now, app.random()?);
    let unit = told.unit.unwrap_or(UnitId::ORGANISATION);
    let mut person = Person::new(id, String::new(), unit, state, now);
    tell(&mut person, told)?;
    check(write, &person).await?;
    if let Some(manager) = person.manager {
        manages(app, write, manager).await?;
    }
    write.add_person(&person).await?;
    terms::moved(app, write, Some(id)).await?;
    let record = commit_to(app, write, &person).await?;
    let data =
        json!({ "unit": person.unit, "manager": person.manager, "state": state.word(), "record": record });
    write.append(&entry(now, by, "person.added", person_subject(id), data))?;
    Ok(person)
}

/// Changes what the directory holds on somebody.
///
/// # Errors
/// [`Refusal`] when nothing would change, something is not right or taken, or the store is away.
pub async fn change(app: &App, id: PersonId, told: &Told, by: &str) -> Result<(), Refusal> {
    change_version(app, id, told, None, by).await
}

/// [`change`], only while somebody's [`version`] is among those that are wanted (RFC 9110, 13.1.1).
///
/// # Errors
/// The same, and when it was changed meanwhile.
pub async fn change_version(
    app: &App,
    id: PersonId,
    told: &Told,
    wanted: Option<&str>,
    by: &str,
) -> Result<(), Refusal> {
    let mut write = app.store.write().await?;
    let mut person = there(&mut write, id).await?;
    if let Some(wanted) = wanted {
        let version = version(&person);
        let fits = |one: &str| one == "*" || one.trim_matches('"') == version;
        if !wanted.split(',').map(str::trim).any(fits) {
            return Err(Refusal::said(Kind::Moved, "moved"));
        }
    }
    if !change_within(app, &mut write, &mut person, told, by).await? {
        return Err(Refusal::said(Kind::Conflict, "nothing-changed"));
    }
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Another when what the directory holds on somebody has changed.
pub fn version(person: &Person) -> String {
    let held = json!([
        person.name,
        person.email,
        person.staff_number,
        person.unit,
        person.manager,
        person.state.word(),
        person.last_day,
    ]);
    stead_model::seal::digest(held.to_string().as_bytes())[7..39].to_owned()
}

/// What the ledger commits to of who somebody is: their name, address, and number, behind a salt that is erased with
/// them.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub(in crate::flows) async fn commit_to(
    app: &App,
    write: &mut Write,
    person: &Person,
) -> Result<String, Refusal> {
    let salt = seal::hex(&app.random::<16>()?);
    write.salt_person(person.id, &salt).await?;
    let [name, email, number] = [
        person.name.as_str(),
        person.email.as_deref().unwrap_or("-"),
        person.staff_number.as_deref().unwrap_or("-"),
    ];
    // With the length of each, so that nothing moves from one to the next.
    let (first, second) = (name.chars().count(), email.chars().count());
    Ok(seal::digest(format!("{salt}\n{first} {name} {second} {email} {number}").as_bytes()))
}

/// [`change`] within a transaction; whether anything changed.
async fn change_within(
    app: &App,
    write: &mut Write,
    person: &mut Person,
    told: &Told,
    by: &str,
) -> Result<bool, Refusal> {
    let before = person.clone();
    tell(person, told)?;
    if *person == before {
        return Ok(false);
    }
    check(write, person).await?;
    if let Some(manager) = person.manager.filter(|_| person.manager != before.manager) {
        manages(app, write, manager).await?;
    }
    write.put_person(person).await?;
    if person.unit != before.unit {
        terms::moved(app, write, Some(person.id)).await?;
    }
    let changed: Vec<&str> = [
        ("name", before.name != person.name),
        ("email", before.email != person.email),
        ("staff_number", before.staff_number != person.staff_number),
        ("unit", before.unit != person.unit),
        ("manager", before.manager != person.manager),
    ]
    .into_iter()
    .filter_map(|(field, changed)| changed.then_some(field))
    .collect();
    let mut data = json!({ "fields": changed, "record": commit_to(app, write, person).await? });
    if before.unit != person.unit {
        data["unit"] = json!(person.unit);
    }
    if before.manager != person.manager {
        data["manager"] = json!(person.manager);
    }
    write.append(&entry(app.now(), by, "person.changed", person_subject(person.id), data))?;
    Ok(true)
}

/// What somebody may set for themselves: language and time zone. Empty means as the browser and server have it.
///
/// # Errors
/// [`Refusal`] when nothing would change, one of them is not known, or the store is away.
pub async fn set_ways(app: &App, id: PersonId, language: &str, zone: &str) -> Result<(), Refusal> {
    if !language.is_empty() && crate::words::Language::from_tag(language).is_none() {
        return Err(Refusal::form(FieldError::new("language", "language-unknown")));
    }
    if !zone.is_empty() && (zone.len() > 60 || jiff::tz::TimeZone::get(zone).is_err()) {
        return Err(Refusal::form(FieldError::new("zone", "zone-unknown")));
    }
    let mut write = app.store.write().await?;
    let mut person = there(&mut write, id).await?;
    if person.language == language && person.zone == zone {
        return Err(Refusal::said(Kind::Conflict, "nothing-changed"));
    }
    person.language = language.to_owned();
    person.zone = zone.to_owned();
    write.put_person(&person).await?;
    let subject = person_subject(id);
    let data = json!({ "fields": ["language", "zone"] });
    write.append(&entry(app.now(), &subject, "person.changed", subject.clone(), data))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Moves somebody on: joins, goes on leave, comes back, leaves. `last_day` is the end of the last day of
/// somebody who leaves.
///
/// # Errors
/// [`Refusal`] when there is no way from here to there, the last day is missing, or the store is away.
pub async fn set_state(
    app: &App,
    id: PersonId,
    to: Employment,
    last_day: Option<Millis>,
    by: &str,
) -> Result<(), Refusal> {
    let mut write = app.store.write().await?;
    let person = there(&mut write, id).await?;
    let operators = write.holders_of_all(Role::Operator).await?;
    let revoked = state_within(app, &mut write, person, to, last_day, by).await?;
    // Somebody must be able to run the installation, whichever way the others go.
    if operators > 0 && write.holders_of_all(Role::Operator).await? == 0 {
        return Err(Refusal::said(Kind::Conflict, "operator-last"));
    }
    write.commit(&app.keys.ledger).await?;
    revoked.into_iter().for_each(|device| app.known.forget(device));
    Ok(())
}

/// [`set_state`] within a transaction; the devices that were revoked with it.
async fn state_within(
    app: &App,
    write: &mut Write,
    mut person: Person,
    to: Employment,
    last_day: Option<Millis>,
    by: &str,
) -> Result<Vec<stead_model::DeviceId>, Refusal> {
    let now = app.now();
    let from = person.state;
    let way = match (from, to) {
        (Employment::Invited, Employment::Active | Employment::Gone)
        | (Employment::Active, Employment::OnLeave | Employment::Leaving | Employment::Gone)
        | (Employment::OnLeave, Employment::Active | Employment::Leaving | Employment::Gone)
        | (Employment::Leaving, Employment::Active | Employment::Leaving | Employment::Gone)
        | (Employment::Gone, Employment::Invited) => true,
        (Employment::Invited, Employment::Invited | Employment::OnLeave | Employment::Leaving)
        | (Employment::Active, Employment::Invited | Employment::Active)
        | (Employment::OnLeave, Employment::Invited | Employment::OnLeave)
        | (Employment::Leaving, Employment::Invited | Employment::OnLeave)
        | (
            Employment::Gone,
            Employment::Active | Employment::OnLeave | Employment::Leaving | Employment::Gone,
        ) => false,
    };
    if !way {
        return Err(Refusal::new(
            Kind::Conflict,
            format!("{} is {} and cannot become {}.", person.name, from.word(), to.word()),
        ));
    }
    person.last_day = match to {
        Employment::Leaving => {
            let day =
                last_day.ok_or_else(|| Refusal::form(FieldError::new("last_day", "last-day-missing")))?;
            if day <= now {
                return Err(Refusal::form(FieldError::new("last_day", "last-day-past")));
            }
            Some(day)
        }
        Employment::Gone => Some(person.last_day.filter(|day| *day <= now).unwrap_or(now)),
        Employment::Invited | Employment::Active | Employment::OnLeave => None,
    };
    let back = person.state == Employment::Gone;
    person.state = to;
    person.state_since = now;
    write.put_person(&person).await?;
    if back {
        terms::moved(app, write, Some(person.id)).await?;
    }
    let mut data = json!({ "from": from.word(), "to": to.word() });
    if let Some(day) = person.last_day {
        data["last_day"] = json!(day.0);
    }
    write.append(&entry(now, by, "person.state", person_subject(person.id), data))?;
    match to {
        Employment::Leaving => leaving::begin(app, write, &person).await?,
        Employment::Gone => return leaving::end(app, write, &person, by).await,
        Employment::Active if from == Employment::Leaving => write.drop_clear_out(person.id).await?,
        Employment::Invited | Employment::Active | Employment::OnLeave => {}
    }
    Ok(Vec::new())
}

/// Ends what would let somebody in and was not used yet, and sessions that began with a link: they can do more from now
/// on, and whoever made it may not make one now.
pub(in crate::flows) async fn grown(app: &App, write: &mut Write, person: PersonId) -> Result<(), Refusal> {
    write.end_links(person, app.now()).await?;
    write.end_codes(person, app.now()).await?;
    write.end_link_sessions(person, app.now()).await?;
    Ok(())
}

/// Somebody is about to answer for a person by name: they can do more from then on, unless they could before.
async fn manages(app: &App, write: &mut Write, manager: PersonId) -> Result<(), Refusal> {
    match write.person(manager).await? {
        Some(person) if !write.is_trusted(&person).await? => grown(app, write, manager).await,
        Some(_) | None => Ok(()),
    }
}

/// Writes over a person what was told, trimmed and made plain.
fn tell(person: &mut Person, told: &Told) -> Result<(), Refusal> {
    let mut wrong = Vec::new();
    person.name = text::plain(told.name.trim(), 100);
    if person.name.is_empty() {
        wrong.push(FieldError::new("name", "field-empty"));
    }
    let email = told.email.trim().to_lowercase();
    if !email.is_empty() && !is_address(&email) {
        wrong.push(FieldError::new("email", "email-wrong"));
    }
    person.email = (!email.is_empty()).then_some(email);
    let number = text::plain(told.staff_number.trim(), 40);
    person.staff_number = (!number.is_empty()).then_some(number);
    if let Some(unit) = told.unit {
        person.unit = unit;
    }
    person.manager = told.manager;
    if told.manager == Some(person.id) {
        wrong.push(FieldError::new("manager", "manager-self"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::Form(wrong)) }
}

/// Whether a text can be an address: one @, a name before it, a host with a dot or a local one after it.
/// Whether mail arrives there, only mail can tell.
pub fn is_address(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else { return false };
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[]\\,;:\"@".contains(c);
    text.len() <= 254
        && !name.is_empty()
        && name.chars().all(plain)
        && !host.is_empty()
        && !host.starts_with(['.', '-'])
        && !host.ends_with(['.', '-'])
        && !host.contains("..")
        && host.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-')
}

/// Whether what a person is given is there and not somebody else's.
async fn check(write: &mut Write, person: &Person) -> Result<(), Refusal> {
    let taken =
        write.person_by_address_or_number(person.email.as_deref(), person.staff_number.as_deref()).await?;
    if let Some(other) = taken.iter().find(|other| other.id != person.id) {
        let (field, say) = if person.email.is_some() && other.email == person.email {
            ("email", "email-taken")
        } else {
            ("staff_number", "number-taken")
        };
        return Err(Refusal::form(FieldError::new(field, say)));
    }
    if !write.units().await?.iter().any(|unit| unit.id == person.unit) {
        return Err(Refusal::form(FieldError::new("unit", "unit-unknown")));
    }
    if let Some(manager) = person.manager
        && write.person(manager).await?.is_none()
    {
        return Err(Refusal::form(FieldError::new("manager", "manager-unknown")));
    }
    Ok(())
}

async fn there(write: &mut Write, id: PersonId) -> Result<Person, Refusal> {
    write.person(id).await?.ok_or_else(|| Refusal::new(Kind::NotFound, "There is no such person."))
}

/// An entry about a person that somebody else caused.
fn about(now: Millis, by: &str, kind: &str, person: PersonId, data: Value) -> stead_ledger::Entry {
    entry(now, by, kind, person_subject(person), data)
}

#[cfg(test)]
mod tests {
    #[test]
    fn addresses_are_told_from_other_text() {
        for good in ["sam@stead.example", "s.a+m@localhost", "joão@correio.example"] {
            assert!(super::is_address(good), "{good}");
        }
        for bad in ["sam", "@x", "sam@", "a b@x", "a@b@c", "a@.x", "a@x.", "a@x..y", "<a@x>", "a@x\n"] {
            assert!(!super::is_address(bad), "{bad}");
        }
    }
}

//! A calendar of one's due dates, at an address with a secret in it: calendars ask for it by themselves and
//! cannot sign in (iCalendar, RFC 5545).

use icalendar::{Calendar, Component, Event, Property};
use serde_json::json;
use stead_model::{Millis, PersonId, problem::Kind, seal, time};

use super::{address, entry, person_subject, spoken};
use crate::{App, error::Refusal, flows::sign_in::Secret, things};

/// Gives somebody's calendar an address; the one before is no more. The secret in it is told this once.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn begin(app: &App, person: PersonId) -> Result<String, Refusal> {
    let now = app.now();
    let secret = Secret::make(app)?;
    let mut write = app.store.write().await?;
    write.set_calendar(person, &Secret::Calendar.digest(&secret), now).await?;
    let subject = person_subject(person);
    write.append(&entry(now, &subject, "calendar.begun", subject.clone(), json!({})))?;
    write.commit(&app.keys.ledger).await?;
    Ok(address(app, &format!("/calendar/{secret}")))
}

/// Takes the address away.
///
/// # Errors
/// [`Refusal`] when there is none or the store is away.
pub async fn end(app: &App, person: PersonId) -> Result<(), Refusal> {
    let mut write = app.store.write().await?;
    if !write.end_calendar(person).await? {
        return Err(Refusal::said(Kind::Conflict, "nothing-changed"));
    }
    let subject = person_subject(person);
    write.append(&entry(app.now(), &subject, "calendar.ended", subject.clone(), json!({})))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// The calendar at an address; none where there is none, or its person signs in no more.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn show(app: &App, secret: &str) -> Result<Option<String>, Refusal> {
    let Some(id) = app.store.calendar_of(&Secret::Calendar.digest(secret)).await? else { return Ok(None) };
    let Some(person) = app.store.person(id).await?.filter(|person| person.state.may_sign_in()) else {
        return Ok(None);
    };
    let words = spoken(app, &person);
    let held = things::held(app, &person).await?;
    let own = things::own(app, person.id).await?;
    let mut calendar = Calendar::new();
    calendar.name(&words.say("calendar-name"));
    calendar.append_property(Property::new("PRODID", "-//Stead//Due dates//EN"));
    let now = app.now();
    for thing in things::of(app, &person, (&held, &own), &words).await? {
        let Some(due) = thing.due else { continue };
        // The same thing with the same deadline is the same event.
        let name = format!("{} {} {}", thing.link, thing.rule.unwrap_or_default(), due.0);
        let mut event = Event::new();
        event
            .uid(&format!("{}@stead", &seal::digest(name.as_bytes())[7..39]))
            .append_property(Property::new("DTSTAMP", written(now)))
            .append_property(Property::new("DTSTART", written(due.plus(-30 * time::MINUTE))))
            .append_property(Property::new("DTEND", written(due)))
            .summary(&thing.title)
            .description(&thing.why)
            .url(&address(app, &thing.link));
        calendar.push(event.done());
    }
    Ok(Some(calendar.done().to_string()))
}

/// A time as calendars write it, in UTC.
fn written(at: Millis) -> String {
    at.timestamp().strftime("%Y%m%dT%H%M%SZ").to_string()
}

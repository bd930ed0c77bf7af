//! Leaving: what is to be given back or taken away is listed when somebody has a last day, and what is only access is taken away at its end by itself.

use serde_json::json;
use stead_model::{DeviceId, Employment, PersonId, problem::Kind};
use stead_store::{Write, clear_out::Item, people::Person};

use super::{about, state_within};
use crate::{App, error::Refusal, flows::revoke};

/// People whose last day has ended that are looked at in one transaction.
const BATCH: i64 = 50;

/// Puts everything on the list: each device (to give back when it is the organisation's, and to be heard no
/// more), signing in, each role.
pub(super) async fn begin(app: &App, write: &mut Write, person: &Person) -> Result<(), Refusal> {
    let now = app.now();
    let due = person.last_day.unwrap_or(now);
    let item = |kind: &str, object: String, label: &str| Item {
        kind: kind.to_owned(),
        object,
        label: label.to_owned(),
        due,
        done_at: None,
    };
    let mut list = Vec::new();
    for device in write.devices_of(person.id).await? {
        if device.revoked_at.is_some() {
            continue;
        }
        if device.owner == "organisation" {
            list.push(item("return", device.id.to_string(), &device.name));
        }
        list.push(item("revoke", device.id.to_string(), &device.name));
    }
    for grant in write.grants(person.id).await? {
        list.push(item("role", format!("{} {}", grant.role.word(), grant.unit), &grant.unit_name));
    }
    list.push(item("access", "sign-in".to_owned(), ""));
    for item in &list {
        write.add_to_clear_out(person.id, item).await?;
    }
    let data = json!({ "items": list.len(), "due": due.0 });
    write.append(&about(now, "directory", "clear-out.begun", person.id, data))?;
    Ok(())
}

/// Takes away what is only access: sessions, ways in, links, codes, roles, and that devices are heard. What
/// must be handed over stays on the list. The devices that were revoked.
pub(super) async fn end(
    app: &App,
    write: &mut Write,
    person: &Person,
    by: &str,
) -> Result<Vec<DeviceId>, Refusal> {
    let now = app.now();
    let id = person.id;
    begin(app, write, person).await?;
    write.end_sessions(id, None, now).await?;
    write.end_tokens(id, None, now).await?;
    write.end_calendar(id).await?;
    write.end_credentials(id).await?;
    write.end_links(id, now).await?;
    write.end_codes(id, now).await?;
    write.end_loss_card(id, None).await?;
    write.tick_off(id, "access", "sign-in", now).await?;
    write.append(&about(now, by, "access.ended", id, json!({})))?;
    for grant in write.grants(id).await? {
        super::roles::take_within(app, write, id, grant.role, grant.unit, by).await?;
        write.tick_off(id, "role", &format!("{} {}", grant.role.word(), grant.unit), now).await?;
    }
    let mut revoked = Vec::new();
    for device in write.devices_of(id).await? {
        let may_come_back = device.revoked_at.is_none() || device.revoked_at == device.lost_at;
        if may_come_back && revoke::within(write, device.id, by, now).await? {
            revoked.push(device.id);
        }
    }
    Ok(revoked)
}

/// Ticks off something that was handed over.
///
/// # Errors
/// [`Refusal`] when it is not on the list or done already, or the store is away.
pub async fn handed_over(app: &App, person: PersonId, object: &str, by: &str) -> Result<(), Refusal> {
    let now = app.now();
    let mut write = app.store.write().await?;
    if !write.tick_off(person, "return", object, now).await? {
        return Err(Refusal::new(Kind::NotFound, "This is not on the list, or was ticked off already."));
    }
    let data = json!({ "object": object });
    write.append(&about(now, by, "clear-out.returned", person, data))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Ends the access of everybody whose last day has ended; how many.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn run(app: &App) -> Result<usize, Refusal> {
    let now = app.now();
    let mut done = 0;
    loop {
        let mut write = app.store.write().await?;
        let people = write.past_their_last_day(now, BATCH).await?;
        if people.is_empty() {
            return Ok(done);
        }
        let mut revoked = Vec::new();
        for person in people {
            revoked.extend(state_within(app, &mut write, person, Employment::Gone, None, "directory").await?);
            done += 1;
        }
        write.commit(&app.keys.ledger).await?;
        revoked.into_iter().for_each(|device| app.known.forget(device));
    }
}

//! What changes by time alone: a grace ends, a device has been silent too long. Both by the server's
//! clock going forward; one set back brings nothing back.

use serde_json::json;
use stead_model::{DeviceId, Millis, Outcome, Standing};
use stead_policy::judge;
use stead_store::{
    Write,
    device::{NewStanding, StandingChange},
    finding::StoredFinding,
    tally::Tallies,
};

use super::{device_subject, entry};
use crate::{App, clearance::costs_at, error::Refusal};

/// Devices looked at in one transaction.
const BATCH: i64 = 500;

/// Does what is due; how many standings changed.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn run(app: &App) -> Result<usize, Refusal> {
    let now = app.now();
    let mut changed = 0;
    loop {
        let due = app.store.devices_at_deadline(now, BATCH).await?;
        if due.is_empty() {
            break;
        }
        changed += change(app, &due, now, Why::Deadline).await?;
    }
    loop {
        let silent = app.store.silent_devices(now.plus(-app.pack().silent_after), BATCH).await?;
        if silent.is_empty() {
            return Ok(changed);
        }
        changed += change(app, &silent, now, Why::Silence).await?;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Deadline,
    Silence,
}

async fn change(app: &App, devices: &[DeviceId], now: Millis, why: Why) -> Result<usize, Refusal> {
    let mut write = app.store.write().await?;
    let mut tallies = Tallies::default();
    let (mut changes, mut standings) = (Vec::new(), Vec::new());
    for device in devices {
        // Looked at again inside the transaction: the device may have been heard meanwhile.
        let Some((before, last_seen)) = write.standing(*device).await? else { continue };
        let (after, deadline, reason) = match why {
            Why::Silence if now.since(last_seen) < app.pack().silent_after => continue,
            Why::Silence => (Standing::Unknown, None, "Not heard for too long".to_owned()),
            Why::Deadline => folded(app, &mut write, *device, now).await?,
        };
        standings.push(NewStanding {
            device: *device,
            standing: after,
            since: now,
            deadline,
            system: String::new(),
        });
        app.known.forget(*device);
        if after == before {
            continue;
        }
        app.note_moved();
        tallies.standing(Some(before), after);
        let data = json!({ "from": before, "to": after, "policy": app.pack().label(), "reason": reason });
        let position =
            write.append(&entry(now, "deadline", "standing.changed", device_subject(*device), data))?;
        changes.push((*device, StandingChange { entry: position, at: now, standing: after, reason }));
    }
    let count = changes.len();
    write.put_standings(standings).await?;
    write.put_standing_changes(changes).await?;
    write.write_tallies(tallies, now.day()).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(count)
}

async fn folded(
    app: &App,
    write: &mut Write,
    device: DeviceId,
    now: Millis,
) -> Result<(Standing, Option<Millis>, String), Refusal> {
    let findings = write.findings(device).await?;
    let pack = app.pack();
    let costs = |f: &StoredFinding| pack.rule(&f.rule).and_then(|rule| costs_at(rule, f));
    let (standing, deadline) = judge::fold(findings.iter().map(|f| (f.outcome, costs(f))), now);
    let ended = findings.iter().filter(|f| f.due.is_some_and(|due| due <= now)).max_by_key(|f| f.due);
    let reason = ended.and_then(|f| Some((f, pack.rule(&f.rule)?))).map_or_else(
        || "Judged again".to_owned(),
        |(f, rule)| match f.outcome {
            Outcome::Excepted => format!("Exception ended: “{}”", rule.title),
            Outcome::Pass | Outcome::Fail | Outcome::Unknown | Outcome::NotApplicable => {
                format!("Grace ended: “{}”", rule.title)
            }
        },
    );
    Ok((standing, deadline, reason))
}

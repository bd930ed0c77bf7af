//! Reminding of what waits: what somebody who leaves has to hand back, what managers confirm once a month,
//! and time to mend something that ends. Each reminder has its name and goes out once.

use std::collections::HashMap;

use stead_model::{Employment, Millis, PersonId, Role, time};
use stead_store::{case::State, notice::Return};

use super::{Tell, Topic, write_down};
use crate::{
    App,
    error::Refusal,
    flows::{attest, cases, policy::subjects},
    words::Words,
};

/// Reminders written down in one transaction.
const BATCH: i64 = 500;

/// Writes down what is to be reminded of now; whether there was anything.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn run(app: &App) -> Result<bool, Refusal> {
    // Once an hour is often enough.
    const DONE: &str = "notices chase";
    let now = app.now();
    // A version that comes into force has its own reminders, and they do not wait for the hour.
    let hour = format!("{} {}", now.0 / time::HOUR, app.pack().digest);
    if app.store.meta(DONE).await?.as_deref() == Some(hour.as_str()) {
        return Ok(false);
    }
    let mut told = write_down(app, attestations(app).await?).await?;
    let mut seen = None;
    loop {
        let things = app.store.returns_due(now.plus(7 * time::DAY), seen.as_ref(), BATCH).await?;
        told += write_down(app, returns(app, &things).await?).await?;
        match things.into_iter().next_back() {
            Some(last) => seen = Some(last),
            None => break,
        }
    }
    let mut seen = None;
    loop {
        let near = app.store.deadlines_near((now, now.plus(time::DAY)), seen.take(), BATCH).await?;
        seen = near.last().map(|(_, device, _, deadline)| (*deadline, device.clone()));
        told += write_down(app, deadlines(now, near)).await?;
        if seen.is_none() {
            break;
        }
    }
    told += confirmations(app).await?;
    told += write_down(app, ending(app).await?).await?;
    told += appeals(app).await?;
    let mut write = app.store.write().await?;
    write.set_meta(DONE, &hour).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(told > 0)
}

/// A week and a day before the last day; then every three days, to whoever leaves and to who answers for them.
async fn returns(app: &App, things: &[Return]) -> Result<Vec<Tell>, Refusal> {
    let now = app.now();
    let mut tells = Vec::new();
    for thing in things {
        let left = thing.due.since(now);
        let step = match left {
            left if left > time::DAY => "week".to_owned(),
            left if left > 0 => "day".to_owned(),
            late => format!("late-{}", -late / (3 * time::DAY)),
        };
        let source = format!("return:{}:{}:{step}", thing.object, thing.due.0);
        if thing.state != Employment::Gone {
            tells.push(Tell {
                person: thing.person,
                topic: Topic::Tasks,
                source: source.clone(),
                at: now,
                say: if left > 0 { "notice-return" } else { "notice-return-late" },
                given: vec![("device", thing.label.clone()), ("due", thing.due.0.to_string())],
                link: "/me#leaving".to_owned(),
            });
        }
        if left <= 0 {
            for (person, _) in app.store.holders(Role::Coordinator, thing.unit).await? {
                tells.push(Tell {
                    person,
                    topic: Topic::Tasks,
                    source: source.clone(),
                    at: now,
                    say: "notice-return-missing",
                    given: vec![("device", thing.label.clone()), ("name", thing.name.clone())],
                    link: format!("/people/{}", thing.person),
                });
            }
        }
    }
    Ok(tells)
}

/// When a month begins, three days before it is due, and every three days after that.
async fn attestations(app: &App) -> Result<Vec<Tell>, Refusal> {
    let now = app.now();
    let words = Words::new(app.config.language, "");
    let month = words.month_begins(now);
    let due = attest::due_in(month);
    let left = due.since(now);
    let step = match left {
        left if left > 3 * time::DAY => "month".to_owned(),
        left if left > 0 => "days".to_owned(),
        late => format!("late-{}", -late / (3 * time::DAY)),
    };
    let missing = app.store.attestations_missing(month).await?;
    Ok(missing
        .into_iter()
        .map(|(person, unit, unit_name)| Tell {
            person,
            topic: Topic::Tasks,
            source: format!("attest:{unit}:{}:{step}", month.0),
            at: now,
            say: if left > 0 { "notice-attest" } else { "notice-attest-late" },
            given: vec![("unit", unit_name), ("due", due.0.to_string())],
            link: format!("/team/attest?unit={unit}"),
        })
        .collect())
}

/// Who has not confirmed the policy in force is reminded three days before their time ends, when it ends, and
/// every week after that. Then whoever answers for them hears how many are missing.
async fn confirmations(app: &App) -> Result<u64, Refusal> {
    let now = app.now();
    let pack = app.pack();
    let Some(since) = app.store.policy_at(Millis(i64::MAX)).await?.and_then(|version| version.in_force_at)
    else {
        return Ok(0);
    };
    let time = subjects::time_to_confirm(&pack);
    let mut late: HashMap<PersonId, u64> = HashMap::new();
    let (mut told, mut after) = (0, None);
    loop {
        let missing = app.store.to_confirm(&pack.digest, after, BATCH).await?;
        after = missing.last().map(|last| (last.search.clone(), last.person.id.to_string()));
        if after.is_none() {
            break;
        }
        let mut tells = Vec::new();
        for listed in missing {
            let person = listed.person;
            // Who is away is not chased; whoever came later has the same time.
            let due = since.max(person.state_since).plus(time);
            let left = due.since(now);
            if person.state == Employment::OnLeave || left > 3 * time::DAY {
                continue;
            }
            let week = -left.min(0) / (7 * time::DAY);
            let step = if left > 0 { "days".to_owned() } else { format!("late-{week}") };
            if left <= 0 {
                for manager in cases::managers_of(app, &person).await? {
                    *late.entry(manager).or_default() += 1;
                }
            }
            tells.push(Tell {
                person: person.id,
                topic: Topic::Tasks,
                source: format!("confirm:{}:{step}", pack.digest),
                at: now,
                say: if left > 0 { "notice-confirm" } else { "notice-confirm-late" },
                given: vec![("pack", pack.label()), ("due", due.0.to_string())],
                link: "/policy".to_owned(),
            });
        }
        told += write_down(app, tells).await?;
    }
    let week = now.0.div_euclid(7 * time::DAY);
    let tells = late.into_iter().map(|(person, n)| Tell {
        person,
        topic: Topic::Tasks,
        source: format!("confirm-team:{}:{week}", pack.digest),
        at: now,
        say: "notice-confirm-team",
        given: vec![("pack", pack.label()), ("n", n.to_string())],
        link: "/team".to_owned(),
    });
    Ok(told + write_down(app, tells.collect()).await?)
}

/// A week and a day before an exception ends.
async fn ending(app: &App) -> Result<Vec<Tell>, Refusal> {
    let now = app.now();
    let mut tells = Vec::new();
    for exception in app.store.exceptions_in_force().await? {
        let left = exception.until.since(now);
        let step = match left {
            left if left <= 0 || left > 7 * time::DAY => continue,
            left if left > time::DAY => "week",
            _ => "day",
        };
        tells.push(Tell {
            person: exception.person,
            topic: Topic::Tasks,
            source: format!("exception:{}:{step}", exception.id),
            at: now,
            say: "notice-exception-ends",
            given: vec![("due", exception.until.0.to_string())],
            link: format!("/exceptions/{}", exception.id),
        });
    }
    Ok(tells)
}

/// Two days before the time to answer a step, or to appeal, is over.
async fn appeals(app: &App) -> Result<u64, Refusal> {
    let now = app.now();
    let (mut told, mut after) = (0, None);
    loop {
        let soon = now.plus(2 * time::DAY);
        let near = app.store.cases_due(&[State::Answer, State::Decided], soon, after, BATCH).await?;
        after = near.last().and_then(|last| Some((last.next_at?, last.id)));
        if after.is_none() {
            return Ok(told);
        }
        let tells = near.into_iter().filter_map(|case| {
            let say = if case.state == State::Answer { "notice-case-answer" } else { "notice-case-appeal" };
            let due = case.next_at.filter(|due| *due > now)?;
            Some(Tell {
                person: case.person,
                topic: Topic::Tasks,
                source: format!("case:{}:{}", case.id, case.state.word()),
                at: now,
                say,
                given: vec![("due", due.0.to_string())],
                link: format!("/cases/{}", case.id),
            })
        });
        told += write_down(app, tells.collect()).await?;
    }
}

/// A day before the time to mend something ends.
fn deadlines(now: Millis, near: Vec<(PersonId, String, String, Millis)>) -> Vec<Tell> {
    near.into_iter()
        .map(|(person, device, name, deadline)| Tell {
            person,
            topic: Topic::Devices,
            source: format!("deadline:{device}:{}", deadline.0),
            at: now,
            say: "notice-deadline",
            given: vec![("device", name), ("due", deadline.0.to_string())],
            link: format!("/devices/{device}"),
        })
        .collect()
}

//! The clocks of a loss: whoever takes a step hears before its time is over, and every day after that.

use stead_model::{Millis, PersonId, Role, time};
use stead_policy::losses::By;
use stead_store::{
    loss::{Loss, Step},
    people::Person,
};

use crate::{
    App,
    error::Refusal,
    flows::{
        cases,
        notices::{Tell, Topic, spoken, write_down},
    },
    web::losses::{asks, label},
};

/// Steps looked at together.
const BATCH: i64 = 500;
/// The longest before its time that somebody is reminded of a step.
const AHEAD: i64 = time::DAY;

/// Reminds of steps whose time is near or over; whether of any.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn run(app: &App) -> Result<bool, Refusal> {
    let now = app.now();
    let mut written = false;
    let mut last = None;
    loop {
        let due = app.store.loss_steps_due(now.plus(AHEAD), last.as_ref(), BATCH).await?;
        let tells = reminders(app, &due, now).await?;
        written |= write_down(app, tells).await? > 0;
        let full = i64::try_from(due.len()).is_ok_and(|many| many == BATCH);
        match due.into_iter().last().filter(|_| full) {
            Some(one) => last = Some(one),
            None => return Ok(written),
        }
    }
}

/// Whom to remind of these steps.
async fn reminders(app: &App, due: &[(Loss, Step)], now: Millis) -> Result<Vec<Tell>, Refusal> {
    let mut tells = Vec::new();
    for (loss, step) in due {
        let Some(due) = step.due_at else { continue };
        let left = due.since(now);
        // A quarter of the time before its end is soon enough, and for what takes days, a day.
        if left > AHEAD.min(due.since(loss.told_at) / 4) {
            continue;
        }
        let when = if left > 0 { "soon".to_owned() } else { format!("late-{}", -left / time::DAY) };
        let say = if left > 0 { "notice-loss-clock" } else { "notice-loss-late" };
        for person in takers(app, loss, step).await? {
            let Some(reader) = app.store.person(person).await? else { continue };
            let words = spoken(app, &reader);
            tells.push(Tell {
                person,
                topic: Topic::Account,
                source: format!("loss:{}:{}:{when}", loss.id, step.name),
                at: now,
                say,
                given: vec![
                    ("device", label(loss, &words)),
                    ("rule", asks(app, step, &words)),
                    ("due", due.0.to_string()),
                ],
                link: format!("/losses/{}#steps", loss.id),
            });
        }
    }
    Ok(tells)
}

/// Who takes a step: its person, or those who hold the role for them.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn takers(app: &App, loss: &Loss, step: &Step) -> Result<Vec<PersonId>, Refusal> {
    Ok(match By::from_word(&step.taker) {
        Some(By::Person) | None => vec![loss.person],
        Some(By::Role(role)) => {
            app.store.holders(role, loss.unit).await?.into_iter().map(|(person, _)| person).collect()
        }
    })
}

/// Everybody who is to hear at once that something of somebody's was lost: security, coordinators, and who answers
/// for them.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn told_at_once(app: &App, person: &Person) -> Result<Vec<PersonId>, Refusal> {
    let mut all = cases::managers_of(app, person).await?;
    for role in [Role::Security, Role::Coordinator] {
        all.extend(app.store.holders(role, person.unit).await?.into_iter().map(|(holder, _)| holder));
    }
    all.sort();
    all.dedup();
    all.retain(|other| *other != person.id);
    Ok(all)
}

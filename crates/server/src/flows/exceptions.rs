//! Exceptions: somebody cannot keep a rule for a while, says why and what they do in its place, and somebody
//! else lets them until a named time, or does not. What is let ends by itself; going on is asked anew.

use serde_json::json;
use stead_model::{DeviceId, Millis, PersonId, RecordId, Role, Subject, problem::Kind, text};
use stead_policy::Rule;
use stead_store::{
    Write,
    exception::{Exception, State},
    people::Person,
};

use super::{
    check_in, entry, person_subject,
    policy::{subjects, terms},
};
use crate::{
    App,
    auth::{
        access::{Action, Object},
        guard::Caller,
    },
    error::{FieldError, Refusal},
};

/// Most bytes of a reason.
const WORDS: usize = 2000;

/// What somebody asks for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The device that cannot keep the rule; none when the rule is about the person.
    pub device: Option<DeviceId>,
    /// The rule.
    pub rule: String,
    /// Why it cannot be kept.
    pub reason: String,
    /// What is done in its place.
    pub instead: String,
    /// Until when; none where what was sent is no day.
    pub until: Option<Millis>,
    /// The exception that this goes on from.
    pub renews: Option<RecordId>,
}

/// What somebody decides.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Whether it is given.
    pub grants: bool,
    /// Until when, where that is sooner than was asked.
    pub until: Option<Millis>,
    /// Why so.
    pub words: String,
}

/// What somebody must be allowed to decide on an exception to a rule.
pub fn action(app: &App, rule: Option<&Rule>) -> Action {
    let role = rule.map_or(Role::Security, |rule| app.pack().manifest.exceptions.decided_by(rule.severity));
    match role {
        Role::Manager => Action::ExceptionDecideManager,
        Role::Coordinator => Action::ExceptionDecideCoordinator,
        Role::Security | Role::Records | Role::Auditor | Role::Operator => Action::ExceptionDecideSecurity,
    }
}

/// Those who may decide on an exception: whoever holds the role for the person's unit, and is neither the
/// person nor whoever asked.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn deciders(app: &App, exception: &Exception) -> Result<Vec<PersonId>, Refusal> {
    let Some(person) = app.store.person(exception.person).await? else { return Ok(Vec::new()) };
    let pack = app.pack();
    let rule = pack.rule(&exception.rule);
    let role = rule.map_or(Role::Security, |rule| pack.manifest.exceptions.decided_by(rule.severity));
    let named = person.manager.filter(|_| role == Role::Manager);
    let holders = app.store.holders(role, person.unit).await?.into_iter().map(|(holder, _)| holder);
    let mut all: Vec<PersonId> = named.into_iter().chain(holders).collect();
    all.retain(|decider| *decider != exception.person && *decider != exception.asked_by);
    all.dedup();
    Ok(all)
}

/// Asks for an exception for somebody.
///
/// # Errors
/// [`Refusal`] when a field is not right, one is asked for already, or nothing can be excepted there.
pub async fn ask(app: &App, by: PersonId, person: &Person, ask: Ask) -> Result<RecordId, Refusal> {
    let now = app.now();
    let pack = app.pack();
    let plain = |words: &str| text::plain(words.trim(), WORDS);
    let (reason, instead) = (plain(&ask.reason), plain(&ask.instead));
    let mut wrong = Vec::new();
    for (field, words) in [("reason", &reason), ("instead", &instead)] {
        if words.chars().count() < 10 {
            wrong.push(FieldError::new(field, "exception-say"));
        }
    }
    let longest = pack.manifest.exceptions.longest();
    match ask.until {
        None => wrong.push(FieldError::new("until", "policy-day")),
        Some(until) if until <= now => wrong.push(FieldError::new("until", "exception-past")),
        Some(until) if until.since(now) > longest => {
            let days = longest / stead_model::time::DAY;
            wrong.push(FieldError::new("until", "exception-long").with("days", days));
        }
        Some(_) => {}
    }
    let Some(rule) = pack.rule(&ask.rule) else {
        wrong.push(FieldError::new("rule", "exception-rule"));
        return Err(Refusal::Form(wrong));
    };
    let (kind, subject, label) = match (rule.subject, ask.device) {
        (Subject::Device, Some(device)) => {
            let device = app.store.device(device).await?;
            let device = device.filter(|device| device.person == person.id && device.revoked_at.is_none());
            let device =
                device.ok_or_else(|| Refusal::form(FieldError::new("device", "exception-device")))?;
            (Subject::Device, device.id.to_string(), device.name)
        }
        (Subject::Device, None) => {
            wrong.push(FieldError::new("device", "exception-device"));
            return Err(Refusal::Form(wrong));
        }
        (Subject::Person, _) => (Subject::Person, person.id.to_string(), String::new()),
        (Subject::Site | Subject::Item | Subject::Organisation, _) => {
            wrong.push(FieldError::new("rule", "exception-rule"));
            return Err(Refusal::Form(wrong));
        }
    };
    if let Some(renews) = ask.renews {
        let before = app.store.exception(renews).await?;
        if !before.is_some_and(|before| before.person == person.id && before.rule == rule.id) {
            wrong.push(FieldError::new("renews", "nothing-here"));
        }
    }
    let (true, Some(until)) = (wrong.is_empty(), ask.until) else { return Err(Refusal::Form(wrong)) };
    let id = RecordId::from_parts(now, app.random()?);
    let mut write = app.store.write().await?;
    if write.exception_waits(kind, &subject, &rule.id).await? {
        return Err(Refusal::said(Kind::Conflict, "exception-waits"));
    }
    let exception = Exception {
        id,
        kind,
        subject,
        label,
        person: person.id,
        person_name: person.name.clone(),
        rule: rule.id.clone(),
        asked_by: by,
        asked_at: now,
        reason,
        instead,
        until,
        state: State::Asked,
        decided_by: None,
        decided_at: None,
        words: String::new(),
        renews: ask.renews,
        ended_at: None,
    };
    write.add_exception(&exception).await?;
    note(&mut write, &exception, &person_subject(by), "exception.asked", now)?;
    write.commit(&app.keys.ledger).await?;
    Ok(id)
}

/// Decides on what somebody asked for.
///
/// # Errors
/// [`Refusal`] when it is not for them to decide, it was decided before, or a field is not right.
pub async fn decide(
    app: &App,
    caller: &Caller,
    object: &Object,
    id: RecordId,
    decision: Decision,
) -> Result<(), Refusal> {
    let exception = find(app, id).await?;
    if !caller.may(app, action(app, app.pack().rule(&exception.rule)), object) {
        return Err(Refusal::said(Kind::Forbidden, "exception-not-yours"));
    }
    settle(app, caller.id(), id, decision).await
}

/// Does what somebody decided who may: see [`decide`].
///
/// # Errors
/// [`Refusal`] when it is about them, they asked for it, it was decided before, or a field is not right.
pub async fn settle(app: &App, by: PersonId, id: RecordId, decision: Decision) -> Result<(), Refusal> {
    let now = app.now();
    let exception = find(app, id).await?;
    if exception.person == by || exception.asked_by == by {
        return Err(Refusal::said(Kind::Forbidden, "exception-two"));
    }
    if exception.state != State::Asked {
        return Err(Refusal::said(Kind::Conflict, "exception-decided"));
    }
    let words = text::plain(decision.words.trim(), WORDS);
    let until = decision.until.map_or(exception.until, |until| until.min(exception.until));
    let mut wrong = Vec::new();
    if words.chars().count() < 10 {
        wrong.push(FieldError::new("words", "exception-say"));
    }
    if decision.grants && until <= now {
        wrong.push(FieldError::new("until", "exception-past"));
    }
    if !wrong.is_empty() {
        return Err(Refusal::Form(wrong));
    }
    let decided = Exception {
        state: if decision.grants { State::Granted } else { State::Refused },
        until,
        decided_by: Some(by),
        decided_at: Some(now),
        words,
        ..exception
    };
    let kind = if decision.grants { "exception.granted" } else { "exception.refused" };
    let mut write = app.store.write().await?;
    if !write.move_exception(State::Asked, &decided).await? {
        return Err(Refusal::said(Kind::Conflict, "exception-decided"));
    }
    note(&mut write, &decided, &person_subject(by), kind, now)?;
    if !decision.grants {
        return Ok(write.commit(&app.keys.ledger).await?);
    }
    applies(app, write, &decided).await
}

/// Takes back what one asked for, or ends early what was given.
///
/// # Errors
/// [`Refusal`] when there is nothing to end, or it is not for them to end it.
pub async fn withdraw(app: &App, caller: &Caller, object: &Object, id: RecordId) -> Result<(), Refusal> {
    let now = app.now();
    let exception = find(app, id).await?;
    let by = caller.id();
    let own = exception.asked_by == by || exception.person == by;
    let may = match exception.state {
        State::Asked => own,
        State::Granted => own || caller.may(app, action(app, app.pack().rule(&exception.rule)), object),
        State::Refused | State::Withdrawn | State::Ended => {
            return Err(Refusal::said(Kind::Conflict, "exception-over"));
        }
    };
    if !may {
        return Err(Refusal::said(Kind::Forbidden, "exception-not-yours"));
    }
    let seen = exception.state;
    let ended = Exception { state: State::Withdrawn, ended_at: Some(now), ..exception };
    let mut write = app.store.write().await?;
    if !write.move_exception(seen, &ended).await? {
        return Err(Refusal::said(Kind::Conflict, "exception-over"));
    }
    note(&mut write, &ended, &person_subject(by), "exception.withdrawn", now)?;
    match seen {
        State::Granted => applies(app, write, &ended).await,
        State::Asked | State::Refused | State::Withdrawn | State::Ended => {
            Ok(write.commit(&app.keys.ledger).await?)
        }
    }
}

/// Ends what has reached its time; how many. What has ended stays ended, whatever the clock says later.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn run(app: &App) -> Result<usize, Refusal> {
    let now = app.now();
    let over: Vec<Exception> =
        app.store.exceptions_in_force().await?.into_iter().filter(|one| one.until <= now).collect();
    let mut count = 0;
    for exception in over {
        let ended = Exception { state: State::Ended, ended_at: Some(now), ..exception };
        let mut write = app.store.write().await?;
        // Of several servers one does it.
        if write.move_exception(State::Granted, &ended).await? {
            note(&mut write, &ended, "exceptions", "exception.ended", now)?;
            applies(app, write, &ended).await?;
            count += 1;
        }
    }
    // What nobody decided on before its time is over as well, and can be asked for anew.
    let late = app.store.exceptions_asked().await?.into_iter().filter(|one| one.until <= now);
    for exception in late {
        let ended = Exception { state: State::Ended, ended_at: Some(now), ..exception };
        let mut write = app.store.write().await?;
        if write.move_exception(State::Asked, &ended).await? {
            note(&mut write, &ended, "exceptions", "exception.ended", now)?;
            write.commit(&app.keys.ledger).await?;
            count += 1;
        }
    }
    Ok(count)
}

/// Commits a change of what applies, and has judged again whom it is about.
async fn applies(app: &App, mut write: Write, exception: &Exception) -> Result<(), Refusal> {
    write.turn_terms().await?;
    let device: Option<DeviceId> =
        (exception.kind == Subject::Device).then(|| exception.subject.parse().ok()).flatten();
    write.judge_anew(device.as_slice()).await?;
    write.commit(&app.keys.ledger).await?;
    terms::refresh(app).await?;
    match device {
        Some(device) => {
            app.known.forget(device);
            check_in::judge_again(app, device).await?;
        }
        None => subjects::judge_person(app, exception.person).await?,
    }
    Ok(())
}

async fn find(app: &App, id: RecordId) -> Result<Exception, Refusal> {
    app.store.exception(id).await?.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))
}

/// The entry that proves a step: which rule, until when; why and what instead stays outside.
fn note(write: &mut Write, exception: &Exception, by: &str, kind: &str, now: Millis) -> Result<(), Refusal> {
    let data = json!({
        "exception": exception.id,
        "of": format!("{}:{}", exception.kind, exception.subject),
        "rule": exception.rule,
        "until": exception.until.0,
    });
    write.append(&entry(now, by, kind, person_subject(exception.person), data))?;
    Ok(())
}

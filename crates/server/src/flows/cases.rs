//! Cases: what follows when a rule is not kept and its time is over. The person hears first, then what the rule
//! costs is shut, then their manager hears, then somebody by name decides. Stead tells and limits; a step
//! against somebody is opened, decided and looked at again by people alone, with reasons, and never without the
//! person having been heard. No case ends unseen.

use std::fmt;

use serde_json::{Value, json};
use stead_model::{Employment, Millis, PersonId, RecordId, Role, problem::Kind, seal, text, time::DAY};
use stead_policy::{
    Pack,
    pack::{self, Cases},
};
use stead_store::{
    Write,
    case::{Case, Event, Lapse, State, device_of},
    people::Person,
};

use super::{entry, person_subject};
use crate::{
    App,
    error::{FieldError, Refusal},
};

/// Cases opened or moved on in one pass over what is due.
const BATCH: i64 = 200;
/// Most characters of what somebody writes.
const WORDS: usize = 4000;
/// Who does what nobody does.
const STEAD: &str = "cases";
/// How often it is looked for somebody who can decide, while there is nobody.
const LOOKS_AGAIN: i64 = DAY;

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The rule is kept again.
    Mended,
    /// An exception was given.
    Excepted,
    /// The rule binds no more, or what it was about is gone.
    Moot,
    /// The person works here no more.
    Left,
    /// Whoever was asked to decide opened no step.
    Dismissed,
    /// The step ended without a sanction.
    NoSanction,
    /// There was a sanction, and no appeal.
    Sanction,
    /// There was an appeal, and the sanction stands.
    Upheld,
    /// There was an appeal, and another sanction took its place.
    Changed,
    /// There was an appeal, and the sanction was taken back.
    Lifted,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 10] = [
        Self::Mended,
        Self::Excepted,
        Self::Moot,
        Self::Left,
        Self::Dismissed,
        Self::NoSanction,
        Self::Sanction,
        Self::Upheld,
        Self::Changed,
        Self::Lifted,
    ];

    /// The word on the wire and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mended => "mended",
            Self::Excepted => "excepted",
            Self::Moot => "moot",
            Self::Left => "left",
            Self::Dismissed => "dismissed",
            Self::NoSanction => "no-sanction",
            Self::Sanction => "sanction",
            Self::Upheld => "upheld",
            Self::Changed => "changed",
            Self::Lifted => "lifted",
        }
    }
}

impl fmt::Display for Outcome {
    /// The word.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What whoever decides does with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Opens no step: the case is over.
    Dismiss,
    /// Opens a disciplinary step: the person is asked to answer.
    Open,
    /// Ends a step without a sanction.
    None,
    /// Ends a step with this sanction of the policy's ladder, by its place.
    Sanction(usize),
    /// On appeal: the sanction stands.
    Uphold,
    /// On appeal: the sanction is taken back.
    Lift,
    /// On appeal: a milder sanction takes its place.
    Change(usize),
}

/// Opens cases about what has lapsed, moves those on whose time has come, and notes what has been mended;
/// how many things were done.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn run(app: &App) -> Result<usize, Refusal> {
    const LAST: &str = "cases last";
    let now = app.now();
    let mut done = 0;
    loop {
        let due = app.store.cases_due(&State::ALL, now, None, BATCH).await?;
        if due.is_empty() {
            break;
        }
        for case in due {
            done += usize::from(move_on(app, case).await?);
        }
    }
    // What other servers saw is looked at once a minute.
    let minute = now.0.div_euclid(stead_model::time::MINUTE).to_string();
    if !app.has_moved() && app.store.meta(LAST).await?.as_deref() == Some(minute.as_str()) {
        return Ok(done);
    }
    loop {
        let lapses = app.store.lapses(now, BATCH).await?;
        if lapses.is_empty() {
            break;
        }
        let opened = open(app, &lapses).await?;
        done += opened;
        if opened == 0 {
            break;
        }
    }
    loop {
        let mended = app.store.cases_mended(now, BATCH).await?;
        if mended.is_empty() {
            break;
        }
        for case in mended {
            done += usize::from(mend(app, case).await?);
        }
    }
    let mut write = app.store.write().await?;
    write.set_meta(LAST, &minute).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(done)
}

/// Opens a case for each lapse, with what was seen. It stays as it is, whatever is seen later.
async fn open(app: &App, lapses: &[Lapse]) -> Result<usize, Refusal> {
    let now = app.now();
    let pack = app.pack();
    let mut cases = Vec::new();
    for lapse in lapses {
        // A rule that is gone is about to be judged no more.
        let Some(rule) = pack.rule(&lapse.finding.rule) else { continue };
        let id = RecordId::from_parts(now, app.random()?);
        let salt = seal::hex(&app.random::<16>()?);
        let mut case = Case {
            id,
            person: lapse.person,
            person_name: String::new(),
            unit: lapse.unit,
            unit_name: String::new(),
            kind: lapse.kind,
            subject: lapse.subject.clone(),
            rule: rule.id.clone(),
            policy: pack.label(),
            opened_at: now,
            evidence: String::new(),
            salt,
            state: State::Told,
            next_at: Some(now.plus(Cases::length(&pack.manifest.cases.manager_after))),
            decider: None,
            second: None,
            sanction: String::new(),
            decided_at: None,
            appealed_at: None,
            mended_at: None,
            closed_at: None,
            outcome: String::new(),
            revision: 1,
        };
        let report = match device_of(&case)? {
            Some(device) => app.store.report_digest(device).await?,
            None => None,
        };
        let finding = &lapse.finding;
        case.evidence = json!({
            "rule": rule.id, "outcome": finding.outcome, "observed": finding.observed, "origin": finding.origin,
            "at": finding.at.0, "failing_since": finding.failing_since.map(|at| at.0),
            "due": finding.due.map(|at| at.0), "of": lapse.label, "policy": pack.label(),
            "policy_digest": pack.digest, "report": report,
        })
        .to_string();
        cases.push((case, &rule.costs));
    }
    let mut opened = 0;
    let mut write = app.store.write().await?;
    for (case, costs) in cases {
        // Otherwise another server opened it.
        if !write.add_case(&case).await? {
            continue;
        }
        happened(&mut write, &case, None, "opened", "", now).await?;
        happened(&mut write, &case, None, "limited", costs, now).await?;
        let data = json!({
            "of": format!("{}:{}", case.kind, case.subject), "rule": case.rule, "policy": case.policy,
            "evidence": committed(&case, &case.evidence),
        });
        prove(&mut write, &case, STEAD, "case.opened", data, now)?;
        opened += 1;
    }
    write.commit(&app.keys.ledger).await?;
    Ok(opened)
}

/// Notes that there is no lapse any more. Before a step was opened that ends the case, and the person hears of
/// it; afterwards whoever opened it ends it.
async fn mend(app: &App, case: Case) -> Result<bool, Refusal> {
    let now = app.now();
    let person = app.store.person(case.person).await?;
    let left = person.is_none_or(|person| person.state == Employment::Gone);
    let finding = match device_of(&case)? {
        Some(device) => app.store.findings(device).await?,
        None => app.store.subject_findings(case.kind, &case.subject).await?,
    };
    let finding = finding.into_iter().find(|finding| finding.rule == case.rule);
    let revoked = match device_of(&case)? {
        Some(device) => app.store.device(device).await?.is_none_or(|device| device.revoked_at.is_some()),
        None => false,
    };
    let outcome = match finding.map(|finding| finding.outcome) {
        _ if left => Outcome::Left,
        _ if revoked => Outcome::Moot,
        Some(stead_model::Outcome::Excepted) => Outcome::Excepted,
        Some(stead_model::Outcome::Pass) => Outcome::Mended,
        Some(
            stead_model::Outcome::NotApplicable | stead_model::Outcome::Fail | stead_model::Outcome::Unknown,
        )
        | None => Outcome::Moot,
    };
    let before_a_step = matches!(case.state, State::Told | State::Manager | State::Decision);
    let mut after = Case { mended_at: Some(now), ..case };
    let mut write = app.store.write().await?;
    if before_a_step || left {
        close(&mut after, outcome, now);
    }
    if !next(&mut write, &mut after).await? {
        return Ok(false);
    }
    happened(&mut write, &after, None, "mended", outcome.word(), now).await?;
    if after.closed_at.is_some() {
        happened(&mut write, &after, None, "closed", outcome.word(), now).await?;
        prove(&mut write, &after, STEAD, "case.closed", json!({ "outcome": outcome.word() }), now)?;
    } else {
        prove(&mut write, &after, STEAD, "case.mended", json!({}), now)?;
    }
    write.commit(&app.keys.ledger).await?;
    Ok(true)
}

/// Moves a case on whose time has come.
async fn move_on(app: &App, case: Case) -> Result<bool, Refusal> {
    let now = app.now();
    let pack = app.pack();
    let times = &pack.manifest.cases;
    let person = app.store.person(case.person).await?;
    if person.is_some_and(|person| person.state == Employment::OnLeave) {
        // Nobody's time runs out while they are away.
        let mut later = Case { next_at: Some(now.plus(LOOKS_AGAIN)), ..case };
        let mut write = app.store.write().await?;
        if next(&mut write, &mut later).await? {
            write.commit(&app.keys.ledger).await?;
        }
        return Ok(false);
    }
    let (kind, event) = match case.state {
        State::Told => ("case.manager", "manager"),
        State::Manager | State::Decision | State::Appeal => ("case.decision", "decision"),
        State::Answer => ("case.answered", "answer-over"),
        State::Decided => ("case.closed", "closed"),
        // Nothing goes on by itself while somebody is to decide, or once it is over.
        State::Answered | State::Closed => return Ok(false),
    };
    let waited = matches!(case.state, State::Decision | State::Appeal);
    let mut after = Case { next_at: None, ..case };
    let mut words = String::new();
    let mut data = json!({});
    match after.state {
        State::Told => {
            after.state = State::Manager;
            after.next_at = Some(now.plus(Cases::length(&times.decision_after)));
            data = json!({ "managers": subjects_of(&managers(app, after.person).await?) });
        }
        State::Manager | State::Decision => {
            after.state = State::Decision;
            after.decider = decider(app, &after).await?;
            if after.decider.is_none() {
                // It is not forgotten: it is looked for somebody until there is one.
                after.next_at = Some(now.plus(LOOKS_AGAIN));
            }
            data = json!({ "decider": after.decider.map(person_subject) });
        }
        State::Appeal => {
            after.second = decider(app, &after).await?;
            if after.second.is_none() {
                after.next_at = Some(now.plus(LOOKS_AGAIN));
            }
            data = json!({ "decider": after.second.map(person_subject) });
        }
        State::Answer => {
            after.state = State::Answered;
            data = json!({ "decider": after.decider.map(person_subject) });
        }
        State::Decided => {
            close(&mut after, Outcome::Sanction, now);
            words = Outcome::Sanction.word().to_owned();
            data = json!({ "outcome": Outcome::Sanction.word() });
        }
        State::Answered | State::Closed => {}
    }
    let found = if after.state == State::Appeal { after.second } else { after.decider };
    let mut write = app.store.write().await?;
    if !next(&mut write, &mut after).await? {
        return Ok(false);
    }
    if !waited || found.is_some() {
        happened(&mut write, &after, None, event, &words, now).await?;
        prove(&mut write, &after, STEAD, kind, data, now)?;
    }
    write.commit(&app.keys.ledger).await?;
    Ok(true)
}

/// Takes down what the person says. It is theirs to say at any time while the case is open; once a step was
/// opened, it is their answer.
///
/// # Errors
/// [`Refusal`] when the case is not theirs, is over, or nothing was said.
pub async fn answer(app: &App, by: PersonId, id: RecordId, words: &str) -> Result<(), Refusal> {
    let now = app.now();
    let case = find(app, id).await?;
    if case.person != by {
        return Err(Refusal::said(Kind::Forbidden, "forbidden"));
    }
    let words = said(words)?;
    let mut after = case;
    match after.state {
        State::Closed => return Err(Refusal::said(Kind::Conflict, "case-over")),
        State::Answer => {
            after.state = State::Answered;
            after.next_at = None;
        }
        State::Told | State::Manager | State::Decision | State::Answered | State::Decided | State::Appeal => {
        }
    }
    let data = json!({
        "decider": after.decider.map(person_subject), "words": committed(&after, &words),
    });
    done(app, &mut after, (by, "answer", &words), ("case.answered", data), now).await
}

/// Asks for another person to look at what was decided.
///
/// # Errors
/// [`Refusal`] when the case is not theirs, nothing was decided, its time is over, or nothing was said.
pub async fn appeal(app: &App, by: PersonId, id: RecordId, words: &str) -> Result<(), Refusal> {
    let now = app.now();
    let mut after = find(app, id).await?;
    if after.person != by {
        return Err(Refusal::said(Kind::Forbidden, "forbidden"));
    }
    if after.state != State::Decided || after.next_at.is_some_and(|until| until <= now) {
        return Err(Refusal::said(Kind::Conflict, "case-no-appeal"));
    }
    let words = said(words)?;
    after.state = State::Appeal;
    after.next_at = None;
    after.appealed_at = Some(now);
    after.second = decider(app, &after).await?;
    if after.second.is_none() {
        after.next_at = Some(now.plus(LOOKS_AGAIN));
    }
    let data = json!({
        "decider": after.second.map(person_subject), "words": committed(&after, &words),
    });
    done(app, &mut after, (by, "appeal", &words), ("case.appealed", data), now).await
}

/// Does what whoever is named in the case decides, with their reasons.
///
/// # Errors
/// [`Refusal`] when it is not theirs to decide, the case is not where that can be decided, or there are no
/// reasons.
pub async fn decide(
    app: &App,
    by: PersonId,
    id: RecordId,
    decision: &Decision,
    words: &str,
) -> Result<(), Refusal> {
    let now = app.now();
    let mut after = find(app, id).await?;
    let named = match after.state {
        State::Appeal => after.second,
        State::Told
        | State::Manager
        | State::Decision
        | State::Answer
        | State::Answered
        | State::Decided
        | State::Closed => after.decider,
    };
    if named != Some(by) || after.person == by {
        return Err(Refusal::said(Kind::Forbidden, "case-not-yours"));
    }
    let words = said(words)?;
    let pack = app.pack();
    let times = &pack.manifest.cases;
    let on = |place: usize| -> Result<String, Refusal> {
        let step = times.ladder.get(place).ok_or_else(|| FieldError::new("sanction", "case-sanction-wrong"));
        Ok(pack::said(step.map_err(Refusal::form)?, "en").to_owned())
    };
    let (event, kind) = match (after.state, decision) {
        (State::Decision, Decision::Dismiss) => {
            close(&mut after, Outcome::Dismissed, now);
            ("dismissed", "case.closed")
        }
        (State::Decision, Decision::Open) => {
            after.state = State::Answer;
            after.next_at = Some(now.plus(Cases::length(&times.answer_within)));
            ("step", "case.step")
        }
        (State::Answered, Decision::None) => {
            close(&mut after, Outcome::NoSanction, now);
            ("no-sanction", "case.closed")
        }
        (State::Answered, Decision::Sanction(place)) => {
            after.sanction = on(*place)?;
            after.state = State::Decided;
            after.decided_at = Some(now);
            after.next_at = Some(now.plus(Cases::length(&times.appeal_within)));
            ("sanction", "case.decided")
        }
        (State::Appeal, Decision::Uphold) => {
            close(&mut after, Outcome::Upheld, now);
            ("upheld", "case.closed")
        }
        (State::Appeal, Decision::Lift) => {
            after.sanction = String::new();
            close(&mut after, Outcome::Lifted, now);
            ("lifted", "case.closed")
        }
        (State::Appeal, Decision::Change(place)) => {
            let (before, milder) = (place_of(&pack, &after.sanction), on(*place)?);
            // Nobody is worse off for having appealed.
            if before.is_none_or(|before| *place >= before) {
                return Err(Refusal::form(FieldError::new("sanction", "case-milder")));
            }
            after.sanction = milder;
            close(&mut after, Outcome::Changed, now);
            ("changed", "case.closed")
        }
        (
            State::Told
            | State::Manager
            | State::Decision
            | State::Answer
            | State::Answered
            | State::Decided
            | State::Appeal
            | State::Closed,
            _,
        ) => return Err(Refusal::said(Kind::Conflict, "case-elsewhere")),
    };
    let sanction = match decision {
        Decision::Sanction(place) | Decision::Change(place) => Some(*place),
        Decision::Dismiss | Decision::Open | Decision::None | Decision::Uphold | Decision::Lift => None,
    };
    let data = json!({
        "words": committed(&after, &words), "outcome": after.outcome,
        "sanction": sanction.map(|place| committed(&after, &place.to_string())),
    });
    done(app, &mut after, (by, event, &words), (kind, data), now).await
}

/// Takes a case over that waits for a decision, because whoever was named cannot decide, or nobody was.
///
/// # Errors
/// [`Refusal`] when nothing waits, it is about them, or they decided it before.
pub async fn take(app: &App, by: PersonId, id: RecordId, words: &str) -> Result<(), Refusal> {
    let now = app.now();
    let mut after = find(app, id).await?;
    let own = after.person == by || managers(app, after.person).await?.contains(&by);
    if own || (after.state == State::Appeal && have_decided(app, &after).await?.contains(&by)) {
        return Err(Refusal::said(Kind::Forbidden, "case-not-for-you"));
    }
    match after.state {
        State::Decision | State::Answer | State::Answered => after.decider = Some(by),
        State::Appeal => after.second = Some(by),
        State::Told | State::Manager | State::Decided | State::Closed => {
            return Err(Refusal::said(Kind::Conflict, "case-elsewhere"));
        }
    }
    if after.state == State::Decision {
        after.next_at = None;
    }
    let words = said(words)?;
    let data = json!({ "decider": person_subject(by) });
    done(app, &mut after, (by, "taken", &words), ("case.taken", data), now).await
}

/// The place of a sanction on the ladder.
fn place_of(pack: &Pack, sanction: &str) -> Option<usize> {
    pack.manifest.cases.ladder.iter().position(|step| pack::said(step, "en") == sanction)
}

/// A sanction in a reader's language, where the ladder in force still has it.
pub fn sanction(pack: &Pack, sanction: &str, language: &str) -> String {
    let place = place_of(pack, sanction);
    let step = place.and_then(|place| pack.manifest.cases.ladder.get(place));
    step.map_or_else(|| sanction.to_owned(), |step| pack::said(step, language).to_owned())
}

fn close(case: &mut Case, outcome: Outcome, now: Millis) {
    case.state = State::Closed;
    case.next_at = None;
    case.closed_at = Some(now);
    outcome.word().clone_into(&mut case.outcome);
}

/// Writes a case in its next revision; whether nobody was faster.
async fn next(write: &mut Write, case: &mut Case) -> Result<bool, Refusal> {
    case.revision += 1;
    Ok(write.put_case(case).await?)
}

/// Writes down what somebody did, with its entry.
async fn done(
    app: &App,
    case: &mut Case,
    (by, event, words): (PersonId, &str, &str),
    (kind, data): (&str, Value),
    now: Millis,
) -> Result<(), Refusal> {
    let mut write = app.store.write().await?;
    if !next(&mut write, case).await? {
        return Err(Refusal::said(Kind::Conflict, "case-elsewhere"));
    }
    happened(&mut write, case, Some(by), event, words, now).await?;
    prove(&mut write, case, &person_subject(by), kind, data, now)?;
    Ok(write.commit(&app.keys.ledger).await?)
}

async fn happened(
    write: &mut Write,
    case: &Case,
    by: Option<PersonId>,
    kind: &str,
    words: &str,
    now: Millis,
) -> Result<(), Refusal> {
    let event = Event { at: now, by, kind: kind.to_owned(), words: words.to_owned() };
    Ok(write.add_case_event(case.id, &event).await?)
}

/// The entry that proves a step. What was seen and said stays outside, behind a salted digest.
fn prove(
    write: &mut Write,
    case: &Case,
    by: &str,
    kind: &str,
    data: Value,
    now: Millis,
) -> Result<(), Refusal> {
    let mut all = json!({ "case": case.id, "state": case.state.word() });
    if let (Some(all), Value::Object(data)) = (all.as_object_mut(), data) {
        all.extend(data.into_iter().filter(|(_, value)| !value.is_null()));
    }
    write.append(&entry(now, by, kind, person_subject(case.person), all))?;
    Ok(())
}

/// A digest that says nothing to whoever does not have the salt.
fn committed(case: &Case, words: &str) -> String {
    seal::digest(format!("{}\n{words}", case.salt).as_bytes())
}

/// Whether a case's evidence is what its entry committed to.
pub fn is_as_committed(case: &Case, commitment: &str) -> bool {
    committed(case, &case.evidence) == commitment
}

fn said(words: &str) -> Result<String, Refusal> {
    let words = text::plain(words.trim(), WORDS);
    match words.chars().count() {
        0..10 => Err(Refusal::form(FieldError::new("words", "case-say"))),
        _ => Ok(words),
    }
}

async fn find(app: &App, id: RecordId) -> Result<Case, Refusal> {
    app.store.case(id).await?.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))
}

fn subjects_of(people: &[PersonId]) -> Vec<String> {
    people.iter().copied().map(person_subject).collect()
}

/// Who answers for somebody: by name, or for their unit.
pub(super) async fn managers(app: &App, person: PersonId) -> Result<Vec<PersonId>, Refusal> {
    let Some(person) = app.store.person(person).await? else { return Ok(Vec::new()) };
    managers_of(app, &person).await
}

/// The same of somebody who is at hand.
pub(super) async fn managers_of(app: &App, person: &Person) -> Result<Vec<PersonId>, Refusal> {
    if let Some(manager) = person.manager {
        return Ok(vec![manager]);
    }
    let holders = app.store.holders(Role::Manager, person.unit).await?;
    Ok(holders.into_iter().map(|(manager, _)| manager).filter(|m| *m != person.id).take(1).collect())
}

/// Everybody who has had a part in deciding a case: none of them decides on an appeal.
async fn have_decided(app: &App, case: &Case) -> Result<Vec<PersonId>, Refusal> {
    let parts = ["step", "sanction", "taken"];
    let events = app.store.case_events(case.id).await?;
    let by = events.into_iter().filter(|event| parts.contains(&event.kind.as_str()));
    Ok(by.filter_map(|event| event.by).chain(case.decider).collect())
}

/// Who decides: the nearest coordinator for the person, or else somebody from security; neither the person, nor
/// who answers for them, nor who decided before.
async fn decider(app: &App, case: &Case) -> Result<Option<PersonId>, Refusal> {
    let Some(person) = app.store.person(case.person).await? else { return Ok(None) };
    let managers = managers_of(app, &person).await?;
    let before = match case.state {
        State::Appeal => have_decided(app, case).await?,
        State::Told
        | State::Manager
        | State::Decision
        | State::Answer
        | State::Answered
        | State::Decided
        | State::Closed => Vec::new(),
    };
    for role in [Role::Coordinator, Role::Security] {
        for (holder, _) in app.store.holders(role, person.unit).await? {
            if holder != person.id && !managers.contains(&holder) && !before.contains(&holder) {
                return Ok(Some(holder));
            }
        }
    }
    Ok(None)
}

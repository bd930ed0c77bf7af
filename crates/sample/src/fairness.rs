//! What follows in the sample when rules are not kept: some ask for an exception, cases go their way, and people
//! answer and decide, each in their own words.

use stead_model::{PersonId, Subject, time::DAY};
use stead_server::{
    App,
    flows::{
        cases::{self, Decision},
        exceptions::{self, Ask},
        policy::own_terms,
    },
};
use stead_store::{
    case::{Case, State},
    within::Within,
};

use crate::{people::Organisation, told};

/// Why rules cannot be kept, and what is done in their place.
const REASONS: [(&str, &str); 4] = [
    ("The new disk was ordered and comes in two weeks", "The laptop stays in the office until then"),
    ("The measuring software runs on the old system alone", "The computer is used for nothing else"),
    ("The update breaks the driver of the lecture hall", "Nothing but slides is held on it"),
    ("I am at a field station without a fast line", "I work on public data only until I am back"),
];
/// What people say to a case.
const ANSWERS: [&str; 3] = [
    "The installer failed twice, and the help desk knows",
    "I was travelling and could not be reached",
    "I had not seen the notices; I will do it this week",
];

/// What happens on a day.
pub async fn live(
    app: &App,
    day: i64,
    organisation: &Organisation,
    luck: &mut fastrand::Rng,
) -> anyhow::Result<()> {
    let now = app.now();
    if day == 120 {
        let (by, _) = organisation.who_publish();
        let staff = app.store.cases(&Within::All, None, None, 1).await?;
        for case in staff.iter().filter(|case| case.person != by) {
            let words = "Agreed on taking over the personnel files";
            own_terms::bind(app, by, case.person, "own-quick-lock", words).await.map_err(told)?;
        }
    }
    for exception in app.store.exceptions_asked().await? {
        if exception.asked_at.plus(DAY) > now || luck.u8(..) < 60 {
            continue;
        }
        let deciders = exceptions::deciders(app, &exception).await.map_err(told)?;
        let Some(by) = deciders.first() else { continue };
        let grants = luck.u8(..) < 190;
        let words = if grants {
            "Understood, until the day that was asked"
        } else {
            "There is a spare laptop for you"
        };
        let decision = exceptions::Decision { grants, until: None, words: words.to_owned() };
        exceptions::settle(app, *by, exception.id, decision).await.map_err(told)?;
    }
    for case in app.store.cases(&Within::All, None, None, 200).await? {
        step(app, &case, luck).await?;
    }
    Ok(())
}

/// What becomes of a case on a day.
async fn step(app: &App, case: &Case, luck: &mut fastrand::Rng) -> anyhow::Result<()> {
    let answer = ANSWERS[luck.usize(..ANSWERS.len())];
    let chance = luck.u8(..);
    match case.state {
        State::Told if chance < 12 && case.kind == Subject::Device => ask(app, case, luck).await,
        State::Decision if chance < 60 => decide(app, case, case.decider, chance, 40).await,
        State::Answer if chance < 80 => cases::answer(app, case.person, case.id, answer).await.map_err(told),
        State::Answered if chance < 80 => decide(app, case, case.decider, chance, 40).await,
        State::Decided if chance < 10 => cases::appeal(app, case.person, case.id, answer).await.map_err(told),
        State::Appeal if chance < 60 => decide(app, case, case.second, chance, 30).await,
        _ => Ok(()),
    }
}

async fn ask(app: &App, case: &Case, luck: &mut fastrand::Rng) -> anyhow::Result<()> {
    let Some(person) = app.store.person(case.person).await? else { return Ok(()) };
    let (reason, instead) = REASONS[luck.usize(..REASONS.len())];
    let ask = Ask {
        device: case.subject.parse().ok(),
        rule: case.rule.clone(),
        reason: reason.to_owned(),
        instead: instead.to_owned(),
        until: Some(app.now().plus(luck.i64(10..60) * DAY)),
        renews: None,
    };
    // Whoever has asked for the same already waits, and somebody else's device is somebody else's.
    match exceptions::ask(app, person.id, &person, ask).await {
        Ok(_) | Err(stead_server::error::Refusal::Said(..) | stead_server::error::Refusal::Form(_)) => Ok(()),
        Err(refusal) => Err(told(refusal)),
    }
}

async fn decide(
    app: &App,
    case: &Case,
    by: Option<PersonId>,
    chance: u8,
    milder_below: u8,
) -> anyhow::Result<()> {
    let Some(by) = by else { return Ok(()) };
    let mild = chance < milder_below;
    let (decision, words) = match (case.state, mild) {
        (State::Decision, true) => (Decision::Dismiss, "It is being put right, and nothing was at stake"),
        (State::Decision, false) => (Decision::Open, "Reminded three times, and files of people are on it"),
        (State::Answered, true) => (Decision::None, "What was said explains it"),
        (State::Answered, false) => (Decision::Sanction(0), "The help desk has no note of a call"),
        (_, true) => (Decision::Lift, "The note of the call was found"),
        (_, false) => (Decision::Uphold, "Nothing new was said"),
    };
    cases::decide(app, by, case.id, &decision, words).await.map_err(told)
}

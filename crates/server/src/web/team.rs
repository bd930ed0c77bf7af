//! A team: who is in it, what is open to each, what waits; and the monthly attestation.

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use axum::{
    Form as Posted,
    extract::{Query, State},
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use stead_model::{Millis, PersonId, Standing, UnitId};
use stead_store::{
    attestation::Answer,
    people::{Filter, Person},
    unit::Unit,
};

use super::{
    Base, Page, Reader, encode,
    form::{self, Form},
    nothing_here, page, parts,
};
use crate::{
    App,
    auth::{
        access::{Action, Object},
        guard::TheUnit,
    },
    clearance::{self, Held, Open, Window},
    error::Refusal,
    flows::attest,
    things,
    words::Words,
};

/// People on a page.
const PAGE: usize = 50;

struct Member {
    person: Person,
    held: Vec<Held>,
    own: usize,
    windows: Vec<Window>,
}

impl Member {
    fn waits(&self) -> i64 {
        i64::try_from(self.own + self.held.iter().map(|held| held.against.len()).sum::<usize>())
            .unwrap_or(i64::MAX)
    }
}

#[derive(Template)]
#[template(path = "team.html")]
struct Team {
    base: Base,
    now: Millis,
    unit: Unit,
    tiers: Vec<String>,
    members: Vec<Member>,
    next: Option<String>,
    below: Vec<Unit>,
    attest_due: Option<Millis>,
    attested: Option<Millis>,
    late: bool,
}

impl Team {
    fn window(&self, window: &Window) -> parts::Html {
        parts::open(&self.base.words, window.open, self.now)
    }

    fn headline(&self) -> String {
        let open = |place: Option<&Window>| place.is_some_and(|window| window.open != Open::Not);
        let all = self.members.iter().filter(|m| open(m.windows.last())).count();
        self.base
            .words
            .with("team-headline", [("open", all.to_string()), ("n", self.members.len().to_string())])
    }
}

/// Somebody to say something of, with their devices.
struct Colleague {
    person: Person,
    held: Vec<HeldBy>,
}

/// A device as the attestation shows it, in words that were looked up once for all.
struct HeldBy {
    name: String,
    waits: Arc<str>,
    standing: parts::Html,
}

#[derive(Template)]
#[template(path = "attest.html")]
struct Ask {
    base: Base,
    form: Form,
    unit: Unit,
    month: String,
    members: Vec<Colleague>,
    later: Option<String>,
    right: String,
    look: String,
    say: String,
    sent: HashMap<String, String>,
}

impl Ask {
    fn sent(&self, prefix: &str, person: &PersonId) -> &str {
        self.sent.get(&format!("{prefix}-{person}")).map_or("", String::as_str)
    }
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    after: String,
    #[serde(default)]
    id: String,
}

/// `GET /team`.
pub async fn get(
    State(app): State<Arc<App>>,
    reader: Reader,
    TheUnit(unit): TheUnit,
    Query(asked): Query<Asked>,
) -> Page {
    let now = app.now();
    let units = app.store.units().await?;
    let unit = units.iter().find(|u| u.id == unit).cloned().ok_or_else(|| nothing_here("unit"))?;
    let after = (!asked.after.is_empty()).then_some((asked.after, asked.id));
    let filter = Filter { unit: unit.id, below: true, state: None, words: String::new(), after };
    let mut listed = app.store.people(&filter, i64::try_from(PAGE + 1).unwrap_or(i64::MAX)).await?;
    let more = listed.len() > PAGE;
    listed.truncate(PAGE);
    let next = listed
        .last()
        .filter(|_| more)
        .map(|last| format!("/team?unit={}&after={}&id={}", unit.id, encode(&last.search), last.person.id));
    let members = members(&app, listed.into_iter().map(|listed| listed.person).collect(), now).await?;
    let attest = reader.caller.may(&app, Action::TeamAttest, &Object::Unit(above(&units, unit.id)));
    let attest_due = if attest { attest::due(&app, unit.id, &reader.words).await? } else { None };
    let attested = app.store.attestation(unit.id).await?.map(|last| last.at);
    page(&Team {
        base: Base::of(&app, &reader, unit.name.clone(), "/team"),
        now,
        tiers: app.pack().manifest.tiers.iter().map(|tier| reader.words.tier(tier)).collect(),
        below: units.into_iter().filter(|below| below.parent == Some(unit.id)).collect(),
        members,
        next,
        attested,
        late: attest_due.is_some_and(|due| due <= now),
        attest_due,
        unit,
    })
}

fn above(units: &[Unit], unit: UnitId) -> Vec<UnitId> {
    crate::flows::directory::units::path(units, unit)
        .map(|path| path.iter().map(|unit| unit.id).collect())
        .unwrap_or_default()
}

async fn members(app: &App, people: Vec<Person>, now: Millis) -> Result<Vec<Member>, Refusal> {
    let mut by_person = things::held_of_all(app, &people).await?;
    let mut own = things::own_of_all(app, &people).await?;
    let pack = app.pack();
    Ok(people
        .into_iter()
        .map(|person| {
            let held = by_person.remove(&person.id).unwrap_or_default();
            let own = own.remove(&person.id).unwrap_or_default();
            let windows = clearance::windows(&pack, person.state, &held, &own, now);
            Member { person, held, own: own.len(), windows }
        })
        .collect())
}

async fn colleagues(app: &App, people: Vec<Person>, words: &Words) -> Result<Vec<Colleague>, Refusal> {
    let ids: Vec<PersonId> = people.iter().map(|person| person.id).collect();
    let waits = app.store.against_counts(&ids).await?;
    let mut counted: HashMap<i64, Arc<str>> = HashMap::new();
    let mut signs: HashMap<Standing, parts::Html> = HashMap::new();
    let mut by_person: HashMap<PersonId, Vec<HeldBy>> = HashMap::new();
    for device in app.store.devices_of_all(&ids).await? {
        let n = waits.get(&device.id).copied().unwrap_or(0);
        let sign = || parts::standing(words, device.standing);
        by_person.entry(device.person).or_default().push(HeldBy {
            waits: Arc::clone(counted.entry(n).or_insert_with(|| words.count("device-waits", n).into())),
            standing: signs.entry(device.standing).or_insert_with(sign).clone(),
            name: device.name,
        });
    }
    let colleague =
        |person: Person| Colleague { held: by_person.remove(&person.id).unwrap_or_default(), person };
    Ok(people.into_iter().map(colleague).collect())
}

/// `GET /team/attest`.
pub async fn ask(State(app): State<Arc<App>>, reader: Reader, TheUnit(unit): TheUnit) -> Page {
    page(&asking(&app, &reader, unit, Form::default(), HashMap::new()).await?)
}

async fn asking(
    app: &App,
    reader: &Reader,
    unit: UnitId,
    form: Form,
    sent: HashMap<String, String>,
) -> Result<Ask, super::PageError> {
    let now = app.now();
    let waiting = attest::waiting(app, unit, &reader.words).await?;
    let later = waiting.all - i64::try_from(waiting.people.len()).unwrap_or(i64::MAX);
    let unit = app.store.unit(unit).await?.ok_or_else(|| nothing_here("unit"))?;
    Ok(Ask {
        base: Base::of(app, reader, reader.words.say("attest-title"), "/team"),
        form,
        unit,
        month: reader.words.month(now),
        members: colleagues(app, waiting.people, &reader.words).await?,
        later: (later > 0).then(|| reader.words.count("attest-later", later)),
        right: reader.words.say("attest-right"),
        look: reader.words.say("attest-look"),
        say: reader.words.say("attest-words"),
        sent,
    })
}

/// `POST /team/attest`.
pub async fn attest(
    State(app): State<Arc<App>>,
    reader: Reader,
    TheUnit(unit): TheUnit,
    Posted(sent): Posted<HashMap<String, String>>,
) -> Page {
    let get = |name: String| sent.get(&name).cloned().unwrap_or_default();
    // Everybody who was shown has a field for words; who came meanwhile is looked at next.
    let answers = sent
        .keys()
        .filter_map(|name| name.strip_prefix("w-")?.parse().ok())
        .map(|person: PersonId| Answer {
            answer: get(format!("p-{person}")),
            words: get(format!("w-{person}")),
            person,
        })
        .collect();
    match attest::attest(&app, unit, reader.caller.id(), answers).await {
        Ok(()) => {
            let more = attest::due(&app, unit, &reader.words).await?.is_some();
            let to = if more { "/team/attest" } else { "/team" };
            Ok(Redirect::to(&format!("{to}?unit={unit}")).into_response())
        }
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&asking(&app, &reader, unit, form, sent).await?)?))
        }
    }
}

//! Exceptions as pages: what somebody asks for, what waits to be decided, what holds and until when.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use stead_model::{DeviceId, Millis, PersonId, RecordId, Subject};
use stead_policy::Pack;
use stead_store::{device::Device, exception::Exception, people::Person};

pub(super) use stead_store::exception::State as Stage;

use super::{
    Base, Page, PageError, Reader,
    form::{self, Form},
    nothing_here, page, parts,
    people::person_id,
};
use crate::{
    App,
    auth::{access::Action, guard},
    error::Refusal,
    flows::exceptions::{self, Ask, Decision},
    words::Words,
};

/// Exceptions looked at for one list.
const MOST: i64 = 1000;

/// A row of a list.
pub(super) struct Row {
    pub(super) id: RecordId,
    pub(super) title: String,
    pub(super) whom: String,
    pub(super) until: Millis,
    pub(super) state: Stage,
    pub(super) asked_at: Millis,
}

/// The title of a rule in the reader's language; its id, where it is no more.
pub(super) fn title(pack: &Pack, rule: &str, words: &Words) -> String {
    pack.rule(rule).map_or_else(|| rule.to_owned(), |rule| rule.text(words.language.tag()).title)
}

pub(super) fn row(pack: &Pack, one: &Exception, words: &Words) -> Row {
    let whom = match one.label.as_str() {
        "" => one.person_name.clone(),
        device => format!("{}, {device}", one.person_name),
    };
    Row {
        id: one.id,
        title: title(pack, &one.rule, words),
        whom,
        until: one.until,
        state: one.state,
        asked_at: one.asked_at,
    }
}

/// How far an exception has come, as a sign.
pub(super) fn sign(words: &Words, state: Stage) -> parts::Html {
    let word = words.say(format!("exception-{}", state.word()));
    match state {
        Stage::Asked => parts::sign("due", "due", word),
        Stage::Granted => parts::sign("excepted", "excepted", word),
        Stage::Refused => parts::sign("lapsed", "lapsed", word),
        Stage::Withdrawn | Stage::Ended => parts::sign("na", "na", word),
    }
}

/// Those that the reader may see, of the ones given.
pub(super) async fn visible(
    app: &App,
    reader: &Reader,
    all: Vec<Exception>,
) -> Result<Vec<Exception>, Refusal> {
    let mut seen = Vec::new();
    let mut people = guard::People::of(app);
    for one in all {
        let own = one.person == reader.caller.id() || one.asked_by == reader.caller.id();
        let object = people.object(one.person).await?;
        if own || object.is_some_and(|object| reader.caller.may(app, Action::ExceptionSee, object)) {
            seen.push(one);
        }
    }
    Ok(seen)
}

#[derive(Template)]
#[template(path = "exceptions.html")]
struct List {
    base: Base,
    now: Millis,
    waiting: Vec<Row>,
    in_force: Vec<Row>,
    past: Vec<Row>,
}

impl List {
    /// The three lists: their ids, their headings, their rows.
    fn lists(&self) -> [(&'static str, &'static str, &[Row]); 3] {
        [
            ("waiting", "exceptions-waiting", &self.waiting),
            ("holds", "exceptions-hold", &self.in_force),
            ("past", "exceptions-past", &self.past),
        ]
    }

    fn sign(&self, row: &Row) -> parts::Html {
        sign(&self.base.words, row.state)
    }
}

/// `GET /exceptions`: one's own, and those that one may see.
pub async fn list(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let pack = app.pack();
    let within = reader.caller.within();
    let lists = [&[Stage::Asked][..], &[Stage::Granted], &[Stage::Refused, Stage::Withdrawn, Stage::Ended]];
    let mut rows: Vec<Vec<Row>> = Vec::new();
    for states in lists {
        let found = app.store.exceptions(&within, states, None, MOST).await?;
        let found = visible(&app, &reader, found).await?;
        rows.push(found.iter().map(|one| row(&pack, one, &reader.words)).collect());
    }
    let mut rows = rows.into_iter();
    let mut next = || rows.next().unwrap_or_default();
    page(&List {
        base: Base::of(&app, &reader, reader.words.say("exceptions-title"), "/cases"),
        now: app.now(),
        waiting: next(),
        in_force: next(),
        past: next(),
    })
}

/// What is asked for, as it was sent.
#[derive(Debug, Default, Deserialize)]
pub struct Sent {
    #[serde(default)]
    rule: String,
    #[serde(default)]
    device: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    instead: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    renews: String,
}

#[derive(Template)]
#[template(path = "exception_new.html")]
struct New {
    base: Base,
    form: Form,
    person: Person,
    own: bool,
    title: String,
    devices: Vec<Device>,
    rules: Vec<(String, String)>,
    about_device: bool,
    days: i64,
    sent: Sent,
}

/// `GET /people/{id}/exceptions/new`.
pub async fn new(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Query(sent): Query<Sent>,
) -> Page {
    page(&asking(&app, &reader, &id, sent, Form::default()).await?)
}

async fn asking(app: &App, reader: &Reader, id: &str, sent: Sent, form: Form) -> Result<New, PageError> {
    let person = app.store.person(person_id(id)?).await?.ok_or_else(|| nothing_here("person"))?;
    let pack = app.pack();
    let words = &reader.words;
    let devices = app.store.devices_of(person.id).await?;
    let rule = pack.rule(&sent.rule);
    let rules = pack.rules.iter().filter(|rule| matches!(rule.subject, Subject::Device | Subject::Person));
    Ok(New {
        base: Base::plain(app, reader, words.say("exception-ask-title"), "/cases"),
        form,
        own: person.id == reader.caller.id(),
        title: rule.map_or_else(String::new, |rule| rule.text(words.language.tag()).title),
        about_device: rule.is_none_or(|rule| rule.subject == Subject::Device),
        rules: rules.map(|rule| (rule.id.clone(), rule.text(words.language.tag()).title)).collect(),
        devices: devices.into_iter().filter(|device| device.revoked_at.is_none()).collect(),
        days: pack.manifest.exceptions.longest() / stead_model::time::DAY,
        person,
        sent,
    })
}

/// `POST /people/{id}/exceptions`.
pub async fn ask(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Page {
    let person = app.store.person(person_id(&id)?).await?.ok_or_else(|| nothing_here("person"))?;
    let about_person = app.pack().rule(&sent.rule).is_some_and(|rule| rule.subject == Subject::Person);
    let ask = Ask {
        device: sent.device.parse::<DeviceId>().ok().filter(|_| !about_person),
        rule: sent.rule.clone(),
        reason: sent.reason.clone(),
        instead: sent.instead.clone(),
        until: reader.words.end_of_day(sent.until.trim()),
        renews: sent.renews.parse().ok(),
    };
    match exceptions::ask(&app, reader.caller.id(), &person, ask).await {
        Ok(id) => Ok(Redirect::to(&format!("/exceptions/{id}")).into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&asking(&app, &reader, &id, sent, form).await?)?))
        }
    }
}

#[derive(Template)]
#[template(path = "exception.html")]
struct One {
    base: Base,
    form: Form,
    now: Millis,
    exception: Exception,
    title: String,
    asked_by: String,
    decided_by: String,
    /// Who may decide, by name.
    deciders: Vec<String>,
    may_decide: bool,
    may_end: bool,
    may_renew: bool,
    sent: Decided,
}

impl One {
    fn sign(&self) -> parts::Html {
        sign(&self.base.words, self.exception.state)
    }

    fn is(&self, word: &str) -> bool {
        self.exception.state.word() == word
    }
}

/// The name of somebody; empty where there is nobody.
pub(super) async fn name(app: &App, person: Option<PersonId>) -> Result<String, Refusal> {
    let Some(person) = person else { return Ok(String::new()) };
    Ok(app.store.person(person).await?.map_or_else(String::new, |person| person.name))
}

async fn one(app: &App, reader: &Reader, id: &str, (form, sent): (Form, Decided)) -> Result<One, PageError> {
    let id: RecordId = id.parse().map_err(|_| nothing_here("exception"))?;
    let exception = app.store.exception(id).await?.ok_or_else(|| nothing_here("exception"))?;
    let object = guard::person_object(app, exception.person).await?.ok_or_else(|| nothing_here("person"))?;
    let pack = app.pack();
    let caller = &reader.caller;
    let own = exception.person == caller.id() || exception.asked_by == caller.id();
    let decides = caller.may(app, exceptions::action(app, pack.rule(&exception.rule)), &object) && !own;
    let mut deciders = Vec::new();
    if exception.state == Stage::Asked {
        for decider in exceptions::deciders(app, &exception).await? {
            deciders.push(name(app, Some(decider)).await?);
        }
    }
    let title = title(&pack, &exception.rule, &reader.words);
    Ok(One {
        base: Base::plain(app, reader, title.clone(), "/cases"),
        form,
        now: app.now(),
        asked_by: name(app, Some(exception.asked_by)).await?,
        decided_by: name(app, exception.decided_by).await?,
        deciders,
        may_decide: decides && exception.state == Stage::Asked,
        may_end: match exception.state {
            Stage::Asked => own,
            Stage::Granted => own || decides,
            Stage::Refused | Stage::Withdrawn | Stage::Ended => false,
        },
        may_renew: own && matches!(exception.state, Stage::Granted | Stage::Ended | Stage::Refused),
        title,
        exception,
        sent,
    })
}

/// `GET /exceptions/{exception}`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    page(&one(&app, &reader, &id, (Form::default(), Decided::default())).await?)
}

/// What is decided, as it was sent.
#[derive(Debug, Default, Deserialize)]
pub struct Decided {
    #[serde(default)]
    answer: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    words: String,
}

/// `POST /exceptions/{exception}/decide`.
pub async fn decide(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Decided>,
) -> Page {
    let record: RecordId = id.parse().map_err(|_| nothing_here("exception"))?;
    let found = app.store.exception(record).await?.ok_or_else(|| nothing_here("exception"))?;
    let object = guard::person_object(&app, found.person).await?.ok_or_else(|| nothing_here("person"))?;
    let decision = Decision {
        grants: sent.answer == "grant",
        until: reader.words.end_of_day(sent.until.trim()),
        words: sent.words.clone(),
    };
    match exceptions::decide(&app, &reader.caller, &object, record, decision).await {
        Ok(()) => Ok(Redirect::to(&format!("/exceptions/{id}")).into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&one(&app, &reader, &id, (form, sent)).await?)?))
        }
    }
}

/// `POST /exceptions/{exception}/end`.
pub async fn end(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    let record: RecordId = id.parse().map_err(|_| nothing_here("exception"))?;
    let found = app.store.exception(record).await?.ok_or_else(|| nothing_here("exception"))?;
    let object = guard::person_object(&app, found.person).await?.ok_or_else(|| nothing_here("person"))?;
    match exceptions::withdraw(&app, &reader.caller, &object, record).await {
        Ok(()) => Ok(Redirect::to(&format!("/exceptions/{id}")).into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&one(&app, &reader, &id, (form, Decided::default())).await?)?))
        }
    }
}

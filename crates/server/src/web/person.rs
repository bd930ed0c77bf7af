//! Another person's record: what the directory holds, their devices, what they are trusted with.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted,
    extract::{Path, State},
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use stead_model::{Employment, Millis, RecordId, Role, time};
use stead_policy::terms::Binds;
use stead_store::{
    clear_out::Item, look::Look, people::Person, role::Grant, session::LinkKind, term::Term, unit::Unit,
};

use super::{
    Base, Page, PageError, Reader,
    exceptions::title,
    form::{self, Form},
    nothing_here, page, parts,
    people::{Sent, person_id},
    units::{Branch, tree},
};
use crate::{
    App,
    auth::{
        access::{Action, Object},
        guard, placing,
    },
    clearance::{self, Held, Window},
    error::{FieldError, Refusal},
    flows::{
        directory::{self, leaving, roles},
        enrol, notices,
        policy::own_terms,
        sign_in::links,
    },
    things,
};

/// How long an enrolment code that a page gives may be used.
const CODE_LASTS: i64 = 3 * time::DAY;

/// Something that is told once and never again.
#[derive(Debug)]
enum Told {
    /// A link to join or to set up anew how one signs in.
    Link(String),
    /// A code to enrol a device with.
    Code(String),
}

#[derive(Template)]
#[template(path = "person_told.html")]
struct TellPage {
    base: Base,
    person: Person,
    told: Told,
    mailed: bool,
}

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    base: Base,
    now: Millis,
    form: Form,
    person: Person,
    unit: Unit,
    manager: Option<Person>,
    grants: Vec<Grant>,
    held: Vec<Held>,
    windows: Vec<Window>,
    clear_out: Vec<Item>,
    looks: Vec<Look>,
    said: Vec<(Millis, String, String, String)>,
    terms: Vec<TermShown>,
    /// Rules that may bind somebody by name: id and title.
    to_bind: Vec<(String, String)>,
    may_change: bool,
    /// Whether the reader may move them on, who may be trusted with more than the reader lets in.
    may_move: bool,
    may_ask: bool,
    may_invite: bool,
    may_enrol: bool,
    may_lose: bool,
    may_roles: bool,
}

impl PersonPage {
    fn next_states(&self) -> Vec<Employment> {
        match self.person.state {
            Employment::Invited => vec![Employment::Gone],
            Employment::Active => vec![Employment::OnLeave, Employment::Leaving, Employment::Gone],
            Employment::OnLeave => vec![Employment::Active, Employment::Leaving, Employment::Gone],
            Employment::Leaving => vec![Employment::Active, Employment::Leaving, Employment::Gone],
            Employment::Gone => vec![Employment::Invited],
        }
    }

    fn item(&self, item: &Item) -> String {
        self.base.words.clear_out(item)
    }
}

/// `GET /people/{id}`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    page(&gather(&app, &reader, &id, Form::default()).await?)
}

async fn gather(app: &App, reader: &Reader, id: &str, form: Form) -> Result<PersonPage, PageError> {
    let now = app.now();
    let id = person_id(id)?;
    let person = app.store.person(id).await?.ok_or_else(|| nothing_here("person"))?;
    let unit = app.store.unit(person.unit).await?.ok_or_else(|| nothing_here("unit"))?;
    let object = guard::person_object(app, id).await?.ok_or_else(|| nothing_here("person"))?;
    let may = |action: Action| reader.caller.may(app, action, &object);
    let held = things::held(app, &person).await?;
    let own = things::own(app, id).await?;
    Ok(PersonPage {
        base: Base::of(app, reader, person.name.clone(), "/people"),
        now,
        form,
        manager: match person.manager {
            Some(manager) => app.store.person(manager).await?,
            None => None,
        },
        grants: app.store.grants(id).await?,
        windows: clearance::windows(&app.pack(), person.state, &held, &own, now),
        held,
        clear_out: app.store.clear_out(id).await?,
        looks: app.store.looks(id, 20).await?,
        said: app.store.said_of(id).await?,
        terms: app.store.terms_of(id).await?.into_iter().map(|term| shown(app, term, reader)).collect(),
        to_bind: to_bind(app, reader),
        may_change: may(Action::PersonChange),
        may_move: may(Action::PersonChange)
            && (may(Action::PersonInvite) || !app.store.is_trusted(&person).await?),
        may_ask: may(Action::ExceptionAsk),
        may_invite: may(Action::PersonInvite) && person.state.may_join(),
        may_enrol: may(Action::DeviceEnrol) && person.state.may_enrol(),
        may_lose: may(Action::LossTell),
        may_roles: reader.caller.may_to_all(app, Action::RolesGive),
        unit,
        person,
    })
}

/// A rule that binds somebody by name.
struct TermShown {
    id: RecordId,
    rule: String,
    title: String,
    words: String,
    since: Millis,
    ended_at: Option<Millis>,
}

fn shown(app: &App, term: Term, reader: &Reader) -> TermShown {
    TermShown {
        id: term.id,
        title: title(&app.pack(), &term.rule, &reader.words),
        rule: term.rule,
        words: term.words,
        since: term.written_at,
        ended_at: term.ended_at,
    }
}

fn to_bind(app: &App, reader: &Reader) -> Vec<(String, String)> {
    let pack = app.pack();
    let named = pack.rules.iter().filter(|rule| rule.binds == Binds::Named);
    named.map(|rule| (rule.id.clone(), rule.text(reader.words.language.tag()).title)).collect()
}

/// A term, as it was sent.
#[derive(Debug, Default, Deserialize)]
pub struct TermSent {
    #[serde(default)]
    rule: String,
    #[serde(default)]
    words: String,
    #[serde(default)]
    term: String,
}

/// `POST /people/{id}/terms`.
pub async fn bind(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<TermSent>,
) -> Page {
    let by = reader.caller.id();
    let bound = own_terms::bind(&app, by, person_id(&id)?, &sent.rule, &sent.words).await;
    done(&app, &reader, &id, bound.map(|_| ())).await
}

/// `POST /people/{id}/terms/end`.
pub async fn release(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<TermSent>,
) -> Page {
    let term = sent.term.parse().map_err(|_| nothing_here("term"))?;
    let released = own_terms::release(&app, reader.caller.id(), person_id(&id)?, term).await;
    done(&app, &reader, &id, released).await
}

/// Back to the record; or the record again, with what was not right.
async fn done(app: &App, reader: &Reader, id: &str, done: Result<(), Refusal>) -> Page {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/people/{id}")).into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&gather(app, reader, id, form).await?)?))
        }
    }
}

#[derive(Template)]
#[template(path = "person_edit.html")]
struct Edit {
    base: Base,
    form: Form,
    person: Person,
    branches: Vec<Branch>,
    sent: Sent,
}

/// `GET /people/{id}/edit`.
pub async fn edit(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    let person = app.store.person(person_id(&id)?).await?.ok_or_else(|| nothing_here("person"))?;
    let manager = match person.manager {
        Some(manager) => app.store.person(manager).await?.and_then(|manager| manager.email),
        None => None,
    };
    let sent = Sent {
        name: person.name.clone(),
        email: person.email.clone().unwrap_or_default(),
        staff_number: person.staff_number.clone().unwrap_or_default(),
        in_unit: person.unit.to_string(),
        manager: manager.unwrap_or_default(),
    };
    page(&editing(&app, &reader, person, Form::default(), sent).await?)
}

async fn editing(
    app: &App,
    reader: &Reader,
    person: Person,
    form: Form,
    sent: Sent,
) -> Result<Edit, Refusal> {
    let units = app.store.units().await?;
    let mut branches = tree(&units);
    branches.retain(|branch| branch.unit.id == person.unit || may_place(app, reader, &units, branch.unit.id));
    let base = Base::of(app, reader, person.name.clone(), "/people");
    Ok(Edit { base, form, person, branches, sent })
}

/// Whether the reader may put people into a unit.
fn may_place(app: &App, reader: &Reader, units: &[Unit], unit: stead_model::UnitId) -> bool {
    let above = directory::units::path(units, unit).unwrap_or_default();
    let above = above.iter().map(|unit| unit.id).collect();
    reader.caller.may(app, Action::PeopleAdd, &Object::Unit(above))
}

/// `POST /people/{id}/edit`.
pub async fn change(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Page {
    let person = app.store.person(person_id(&id)?).await?.ok_or_else(|| nothing_here("person"))?;
    let changed = async {
        let told = sent.told(&app).await?;
        placing::may_change(&app, &reader.caller, &person, &told, "in_unit").await?;
        directory::change(&app, person.id, &told, &reader.caller.by()).await
    }
    .await;
    match changed {
        Ok(()) => Ok(Redirect::to(&format!("/people/{id}")).into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&editing(&app, &reader, person, form, sent).await?)?))
        }
    }
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Moved {
    #[serde(default)]
    to: String,
    #[serde(default)]
    last_day: String,
}

/// `POST /people/{id}/state`.
pub async fn state(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Moved>,
) -> Page {
    let moved = async {
        let to = Employment::from_word(&sent.to)
            .ok_or_else(|| Refusal::form(FieldError::new("to", "field-empty")))?;
        let last_day = match sent.last_day.trim() {
            "" => None,
            day => Some(
                reader
                    .words
                    .end_of_day(day)
                    .ok_or_else(|| Refusal::form(FieldError::new("last_day", "last-day-unreadable")))?,
            ),
        };
        let id = id.parse().map_err(|_| Refusal::said(stead_model::problem::Kind::NotFound, "link-gone"))?;
        placing::may_move(&app, &reader.caller, id).await?;
        directory::set_state(&app, id, to, last_day, &reader.caller.by()).await
    }
    .await;
    done(&app, &reader, &id, moved).await
}

/// `POST /people/{id}/invite`: a link to join, or to set up anew how one signs in; told this once.
pub async fn invite(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    let person = app.store.person(person_id(&id)?).await?.ok_or_else(|| nothing_here("person"))?;
    let kind = match person.state {
        Employment::Invited => LinkKind::Invite,
        Employment::Active | Employment::OnLeave | Employment::Leaving | Employment::Gone => LinkKind::Reset,
    };
    let secret = links::make(&app, person.id, kind, &reader.caller.by()).await?;
    let link = format!("{}/join/{secret}", app.config.base_url.trim_end_matches('/'));
    let mailed = notices::send_link(&app, &person, &link, kind == LinkKind::Invite).await?;
    tell(&app, &reader, person, Told::Link(link), mailed)
}

/// Shows what is told once, and nothing of the record: whoever makes it need not have opened that.
fn tell(app: &App, reader: &Reader, person: Person, told: Told, mailed: bool) -> Page {
    page(&TellPage { base: Base::plain(app, reader, person.name.clone(), "/people"), person, told, mailed })
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Enrols {
    #[serde(default)]
    owner: String,
}

/// `POST /people/{id}/enrol`: a code to enrol a device with, told this once.
pub async fn enrol(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Enrols>,
) -> Page {
    let person = app.store.person(person_id(&id)?).await?.ok_or_else(|| nothing_here("person"))?;
    let code = enrol::give_code(&app, person.id, &sent.owner, CODE_LASTS, &reader.caller.by()).await?;
    tell(&app, &reader, person, Told::Code(code), false)
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Returned {
    #[serde(default)]
    object: String,
}

/// `POST /people/{id}/returned`.
pub async fn returned(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Returned>,
) -> Page {
    let ticked = leaving::handed_over(&app, person_id(&id)?, &sent.object, &reader.caller.by()).await;
    done(&app, &reader, &id, ticked).await
}

#[derive(Template)]
#[template(path = "person_roles.html")]
struct Roles {
    base: Base,
    form: Form,
    now: Millis,
    person: Person,
    grants: Vec<Grant>,
    branches: Vec<Branch>,
}

impl Roles {
    fn roles(&self) -> [Role; 6] {
        Role::ALL
    }
}

/// `GET /people/{id}/roles`.
pub async fn roles(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    page(&gather_roles(&app, &reader, &id, Form::default()).await?)
}

async fn gather_roles(app: &App, reader: &Reader, id: &str, form: Form) -> Result<Roles, PageError> {
    let person = app.store.person(person_id(id)?).await?.ok_or_else(|| nothing_here("person"))?;
    Ok(Roles {
        base: Base::of(app, reader, person.name.clone(), "/people"),
        form,
        now: app.now(),
        grants: app.store.grants(person.id).await?,
        branches: tree(&app.store.units().await?),
        person,
    })
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Trusted {
    #[serde(default)]
    role: String,
    #[serde(default)]
    of_unit: String,
}

/// `POST /people/{id}/roles`.
pub async fn give_role(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Trusted>,
) -> Page {
    let given = async {
        let (role, unit) = trusted(&sent)?;
        let person =
            id.parse().map_err(|_| Refusal::said(stead_model::problem::Kind::NotFound, "link-gone"))?;
        roles::give(&app, person, role, unit, &reader.caller.by()).await
    }
    .await;
    roles_done(&app, &reader, &id, given).await
}

/// `POST /people/{id}/roles/take`.
pub async fn take_role(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Trusted>,
) -> Page {
    let taken = async {
        let (role, unit) = trusted(&sent)?;
        let person =
            id.parse().map_err(|_| Refusal::said(stead_model::problem::Kind::NotFound, "link-gone"))?;
        roles::take(&app, person, role, unit, &reader.caller.by()).await
    }
    .await;
    roles_done(&app, &reader, &id, taken).await
}

fn trusted(sent: &Trusted) -> Result<(Role, stead_model::UnitId), Refusal> {
    let role =
        Role::from_word(&sent.role).ok_or_else(|| Refusal::form(FieldError::new("role", "field-empty")))?;
    let unit = sent.of_unit.parse().map_err(|_| Refusal::form(FieldError::new("of_unit", "unit-unknown")))?;
    Ok((role, unit))
}

async fn roles_done(app: &App, reader: &Reader, id: &str, done: Result<(), Refusal>) -> Page {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/people/{id}/roles")).into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&gather_roles(app, reader, id, form).await?)?))
        }
    }
}

//! The directory: a list, adding somebody, bringing people in from a file; and search.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted,
    extract::{Multipart, Query, State},
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use stead_model::{Employment, PersonId, Role, UnitId};
use stead_store::{
    device,
    people::{Filter, Listed},
    unit::Unit,
};

use super::{
    Base, Page, Reader, encode,
    form::{self, Form},
    nothing_here, page, parts,
    units::{Branch, tree},
};
use crate::{
    App,
    auth::{
        access::{Action, Object},
        guard::TheUnit,
        placing,
    },
    error::{FieldError, Refusal},
    flows::directory::{
        self, Told,
        import::{self, Does, Preview},
    },
};

/// People on a page.
const PAGE: usize = 50;
/// What search shows of each kind.
const FOUND: i64 = 20;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    id: String,
}

#[derive(Template)]
#[template(path = "people.html")]
struct People {
    base: Base,
    asked: Asked,
    unit: Unit,
    branches: Vec<Branch>,
    people: Vec<Listed>,
    counts: Vec<(Employment, i64)>,
    next: Option<String>,
    may_add: bool,
    may_import: bool,
    may_open: bool,
    may_roles: bool,
}

impl People {
    fn states(&self) -> [Employment; 5] {
        Employment::ALL
    }

    fn headline(&self) -> String {
        let n =
            self.counts.iter().filter(|(state, _)| *state != Employment::Gone).map(|(_, n)| n).sum::<i64>();
        self.base.words.with("people-headline", [("n", n.to_string()), ("unit", self.unit.name.clone())])
    }
}

/// `GET /people`.
pub async fn list(
    State(app): State<Arc<App>>,
    reader: Reader,
    TheUnit(unit): TheUnit,
    Query(asked): Query<Asked>,
) -> Page {
    let units = app.store.units().await?;
    let shown = units.iter().find(|u| u.id == unit).cloned().ok_or_else(|| nothing_here("unit"))?;
    let words: String = asked.q.chars().take(100).collect::<String>().trim().to_lowercase();
    let filter = Filter {
        unit,
        below: true,
        state: Employment::from_word(&asked.state),
        words,
        after: (!asked.after.is_empty()).then(|| (asked.after.clone(), asked.id.clone())),
    };
    let mut people = app.store.people(&filter, i64::try_from(PAGE + 1).unwrap_or(i64::MAX)).await?;
    let more = people.len() > PAGE;
    people.truncate(PAGE);
    let next = people.last().filter(|_| more).map(|last| {
        let query = [
            ("unit", unit.to_string()),
            ("state", asked.state.clone()),
            ("q", asked.q.clone()),
            ("after", last.search.clone()),
            ("id", last.person.id.to_string()),
        ]
        .map(|(name, value)| format!("{name}={}", encode(&value)));
        format!("/people?{}", query.join("&"))
    });
    let above = directory::units::path(&units, unit).unwrap_or_default();
    let object = Object::Unit(above.iter().map(|unit| unit.id).collect());
    let caller = &reader.caller;
    page(&People {
        may_add: caller.may(&app, Action::PeopleAdd, &object),
        may_import: caller.may_to_all(&app, Action::PeopleImport),
        may_open: [Role::Manager, Role::Coordinator, Role::Security, Role::Auditor]
            .into_iter()
            .any(|role| caller.holds(role)),
        may_roles: caller.may_to_all(&app, Action::RolesGive),
        base: Base::of(&app, &reader, reader.words.say("menu-people"), "/people"),
        counts: app.store.people_by_state(unit).await?,
        branches: tree(&units),
        unit: shown,
        asked,
        people,
        next,
    })
}

#[derive(Template)]
#[template(path = "person_new.html")]
struct New {
    base: Base,
    form: Form,
    unit: UnitId,
    branches: Vec<Branch>,
    sent: Sent,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
pub struct Sent {
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Address.
    #[serde(default)]
    pub email: String,
    /// Number.
    #[serde(default)]
    pub staff_number: String,
    /// Unit.
    #[serde(default)]
    pub in_unit: String,
    /// Address of whoever answers for them.
    #[serde(default)]
    pub manager: String,
}

impl Sent {
    /// As the directory is told it.
    pub async fn told(&self, app: &App) -> Result<Told, Refusal> {
        let manager = self.manager.trim().to_lowercase();
        let manager = match manager.as_str() {
            "" => None,
            email => {
                let unknown = || Refusal::form(FieldError::new("manager", "manager-unknown"));
                Some(app.store.person_by_email(email).await?.ok_or_else(unknown)?.id)
            }
        };
        Ok(Told {
            name: self.name.clone(),
            email: self.email.clone(),
            staff_number: self.staff_number.clone(),
            unit: self.in_unit.parse().ok(),
            manager,
        })
    }
}

/// `GET /people/new`.
pub async fn new(State(app): State<Arc<App>>, reader: Reader, TheUnit(unit): TheUnit) -> Page {
    page(&asking(&app, &reader, unit, Form::default(), Sent::default()).await?)
}

async fn asking(app: &App, reader: &Reader, unit: UnitId, form: Form, sent: Sent) -> Result<New, Refusal> {
    let units = app.store.units().await?;
    let caller = &reader.caller;
    let mut branches = tree(&units);
    branches.retain(|branch| {
        let above = directory::units::path(&units, branch.unit.id).unwrap_or_default();
        let above = above.iter().map(|unit| unit.id).collect();
        caller.may(app, Action::PeopleAdd, &Object::Unit(above))
    });
    Ok(New {
        base: Base::of(app, reader, reader.words.say("person-new"), "/people"),
        form,
        unit,
        branches,
        sent,
    })
}

/// `POST /people/new`.
pub async fn add(
    State(app): State<Arc<App>>,
    reader: Reader,
    TheUnit(unit): TheUnit,
    Posted(sent): Posted<Sent>,
) -> Page {
    let added = async {
        let mut told = sent.told(&app).await?;
        let into = told.unit.unwrap_or(unit);
        placing::may_place(&app, &reader.caller, into, "in_unit").await?;
        told.unit = Some(into);
        placing::may_add(&app, &reader.caller, &told, into).await?;
        directory::add(&app, &told, &reader.caller.by()).await
    }
    .await;
    match added {
        Ok(id) => Ok(Redirect::to(&format!("/people/{id}")).into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&asking(&app, &reader, unit, form, sent).await?)?))
        }
    }
}

#[derive(Template)]
#[template(path = "import.html")]
struct Import {
    base: Base,
    form: Form,
    columns: String,
}

#[derive(Template)]
#[template(path = "import_preview.html")]
struct Previewed {
    base: Base,
    preview: Preview,
    csv: String,
    shown: usize,
}

impl Previewed {
    fn does(&self, does: &Does) -> String {
        let words = &self.base.words;
        match does {
            Does::Adds => words.say("import-adds"),
            Does::Changes(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|field| words.say(format!("field-{field}"))).collect();
                words.with("import-changes", [("fields", fields.join(", "))])
            }
            Does::Nothing => words.say("import-nothing"),
            Does::Wrong(error) => words.with(error.say, &error.with),
        }
    }

    /// Rows that do something or cannot be taken, those first.
    fn rows(&self) -> Vec<&import::Row> {
        let mut rows: Vec<&import::Row> =
            self.preview.rows.iter().filter(|row| row.does != Does::Nothing).collect();
        rows.sort_by_key(|row| !matches!(row.does, Does::Wrong(_)));
        rows.truncate(self.shown);
        rows
    }
}

/// `GET /people/import`.
pub async fn ask_import(State(app): State<Arc<App>>, reader: Reader) -> Page {
    page(&asking_import(&app, &reader, Form::default()))
}

fn asking_import(app: &App, reader: &Reader, form: Form) -> Import {
    let base = Base::of(app, reader, reader.words.say("import-title"), "/people");
    Import { base, form, columns: import::COLUMNS.join(",") }
}

/// `POST /people/import/preview`: what the file would do. Nothing changes.
pub async fn preview(State(app): State<Arc<App>>, reader: Reader, mut parts: Multipart) -> Page {
    let mut csv = String::new();
    loop {
        let field = match parts.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(_) => return import_refused(&app, &reader, too_large()),
        };
        let Ok(text) = field.text().await else { return import_refused(&app, &reader, too_large()) };
        if !text.trim().is_empty() {
            csv = text;
        }
    }
    match import::preview(&app, &csv).await {
        Ok(preview) => page(&Previewed {
            base: Base::of(&app, &reader, reader.words.say("import-title"), "/people"),
            preview,
            csv,
            shown: 200,
        }),
        Err(refusal) => import_refused(&app, &reader, refusal),
    }
}

fn too_large() -> Refusal {
    Refusal::form(FieldError::new("file", "import-large"))
}

fn import_refused(app: &App, reader: &Reader, refusal: Refusal) -> Page {
    let form = Form::of(refusal, &reader.words)?;
    Ok(form::not_taken(page(&asking_import(app, reader, form))?))
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Taken {
    #[serde(default)]
    csv: String,
    #[serde(default)]
    digest: String,
}

/// `POST /people/import`.
pub async fn import(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Taken>) -> Page {
    // Browsers send line ends of forms in their own way.
    let csv = sent.csv.replace("\r\n", "\n");
    match import::take(&app, &csv, &sent.digest, &reader.caller.by()).await {
        Ok(_) => Ok(Redirect::to("/people?state=invited").into_response()),
        Err(refusal) => import_refused(&app, &reader, refusal),
    }
}

#[derive(Template)]
#[template(path = "search.html")]
struct Search {
    base: Base,
    q: String,
    people: Vec<Listed>,
    devices: Vec<device::Listed>,
    rules: Vec<(String, String)>,
}

/// `GET /search`: people and devices that the reader may list, and rules.
pub async fn search(State(app): State<Arc<App>>, reader: Reader, Query(asked): Query<Asked>) -> Page {
    let q: String = asked.q.chars().take(100).collect::<String>().trim().to_owned();
    let words = q.to_lowercase();
    let tag = reader.words.language.tag();
    let mut found = Search {
        base: Base::plain(&app, &reader, reader.words.say("search-title"), ""),
        q,
        people: Vec::new(),
        devices: Vec::new(),
        rules: Vec::new(),
    };
    if words.chars().count() >= 2 {
        found.rules = app
            .pack()
            .rules
            .iter()
            .map(|rule| (rule.id.clone(), rule.text(tag)))
            .filter(|(id, text)| {
                id.contains(&words)
                    || text.title.to_lowercase().contains(&words)
                    || text.why.to_lowercase().contains(&words)
            })
            .map(|(id, text)| (id, text.title))
            .collect();
        if let Some([unit, ..]) = reader.caller.widest(&app, Action::PeopleList).await?.as_deref() {
            let filter = Filter { unit: *unit, below: true, state: None, words: words.clone(), after: None };
            found.people = app.store.people(&filter, FOUND).await?;
        }
        if reader.caller.may_to_all(&app, Action::DevicesList) {
            let filter = device::Filter { words, ..device::Filter::default() };
            found.devices = app.store.devices(&filter, FOUND).await?;
        }
    }
    page(&found)
}

/// The person of an id in a path.
pub fn person_id(text: &str) -> Result<PersonId, super::PageError> {
    text.parse().map_err(|_| nothing_here("person"))
}

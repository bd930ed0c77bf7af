//! The directory: people, who comes and goes, what they are trusted with.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use serde::{Deserialize, Serialize};
use stead_model::{Employment, Millis, PersonId, problem::Kind, time};
use stead_store::{
    people::{Filter, Person},
    session::LinkKind,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    given::{Asked, Id, Sent, after, id, limit, part},
    shapes::{Added, Clearance, Named, Part, PersonRecord, PersonRow, ToldOnce},
};
use crate::{
    App,
    auth::{
        guard::{Caller, TheUnit},
        placing,
    },
    clearance,
    error::{ApiError, FieldError, Refusal},
    flows::{
        directory::{self, Told, import, leaving},
        enrol, notices,
        sign_in::links,
    },
    things,
};

/// Which people are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Those in this unit and below; without it, in the widest that the asker may see.
    #[param(format = Uuid)]
    #[expect(dead_code, reason = "the guard reads it")]
    unit: Option<String>,
    /// Those in this state; without it, all but those who have left.
    state: Option<String>,
    /// Those whose name, address or number holds these words.
    q: Option<String>,
    /// `next` of the part before.
    after: Option<String>,
    /// How many, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

fn state_of(field: &'static str, word: &str) -> Result<Employment, Refusal> {
    Employment::from_word(word).ok_or_else(|| Refusal::form(FieldError::new(field, "state-unknown")))
}

/// Lists people by name.
#[utoipa::path(get, path = "/api/v1/people", tag = "people", params(Which),
    responses((status = 200, body = Part<PersonRow>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    TheUnit(unit): TheUnit,
    Asked(which): Asked<Which>,
) -> Result<Json<Part<PersonRow>>, ApiError> {
    let limit = limit(which.limit)?;
    let filter = Filter {
        unit,
        below: true,
        state: which.state.as_deref().map(|word| state_of("state", word)).transpose()?,
        words: looked_for(which.q.as_deref()),
        after: after(which.after.as_deref())?,
    };
    let people = app.store.people(&filter, limit + 1).await?;
    Ok(Json(part(people, limit, |last| (last.search.clone(), last.person.id.to_string()))))
}

/// Words to look for, as the store compares them.
pub fn looked_for(q: Option<&str>) -> String {
    let plain = q.unwrap_or_default().chars().filter(|c| !c.is_control()).take(100).collect::<String>();
    plain.trim().to_lowercase()
}

/// What the directory is told about somebody.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonSent {
    /// Their name.
    name: String,
    /// Their address for mail and for signing in; empty for none.
    #[serde(default)]
    email: String,
    /// The number that other systems know them by; empty for none.
    #[serde(default)]
    staff_number: String,
    /// Their unit; without it, the one that is asked about, or the one that they are in.
    #[serde(default)]
    #[schema(format = Uuid)]
    unit: Option<String>,
    /// Who answers for them, when it is not the managers of their unit.
    #[serde(default)]
    #[schema(format = Uuid)]
    manager: Option<String>,
}

impl PersonSent {
    fn told(self) -> Result<Told, Refusal> {
        let unit = self.unit.as_deref().map(|text| id("unit", text, "unit-unknown")).transpose()?;
        let manager = self.manager.as_deref().map(|text| id("manager", text, "manager-unknown"));
        Ok(Told {
            name: self.name,
            email: self.email,
            staff_number: self.staff_number,
            unit,
            manager: manager.transpose()?,
        })
    }
}

/// Where somebody is added.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Where {
    /// The unit; without it, the widest that the asker may add to.
    #[param(format = Uuid)]
    #[expect(dead_code, reason = "the guard reads it")]
    unit: Option<String>,
}

/// Adds somebody, who is invited at first.
#[utoipa::path(post, path = "/api/v1/people", tag = "people", params(Where), request_body = PersonSent,
    responses((status = 201, body = Added)))]
pub async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    TheUnit(unit): TheUnit,
    Asked(_): Asked<Where>,
    Sent(sent): Sent<PersonSent>,
) -> Result<(StatusCode, Json<Added>), ApiError> {
    let mut told = sent.told()?;
    let into = told.unit.unwrap_or(unit);
    placing::may_place(&app, &caller, into, "unit").await?;
    told.unit = Some(into);
    placing::may_add(&app, &caller, &told, into).await?;
    let id = directory::add(&app, &told, &caller.by()).await?.to_string();
    Ok((StatusCode::CREATED, Json(Added { id })))
}

/// A file of people.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportSent {
    /// The file, as CSV. Its first line names the columns.
    csv: String,
    /// The digest of a preview: the file is taken when it would still do the same. Without it, nothing changes.
    #[serde(default)]
    digest: Option<String>,
}

/// What a file of people does.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    /// Whether it was taken.
    taken: bool,
    /// The digest of what it does.
    digest: String,
    /// How many it adds.
    adds: usize,
    /// How many it changes.
    changes: usize,
    /// Rows that cannot be taken.
    wrong: Vec<WrongRow>,
}

/// A row that cannot be taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct WrongRow {
    /// Its line in the file.
    line: u64,
    /// The column.
    field: String,
    /// What is wrong, and what to do.
    detail: String,
}

/// Looks at a file of people, or takes one that was looked at.
#[utoipa::path(post, path = "/api/v1/people/imports", tag = "people", request_body = ImportSent,
    responses((status = 200, body = Imported)))]
pub async fn import(
    State(app): State<Arc<App>>,
    caller: Caller,
    words: crate::words::Words,
    Sent(sent): Sent<ImportSent>,
) -> Result<Json<Imported>, ApiError> {
    let done = match &sent.digest {
        None => import::preview(&app, &sent.csv).await?,
        Some(digest) => import::take(&app, &sent.csv, digest, &caller.by()).await?,
    };
    let wrong = done
        .rows
        .iter()
        .filter_map(|row| match &row.does {
            import::Does::Wrong(error) => Some(WrongRow {
                line: row.line,
                field: error.field.clone(),
                detail: words.with(error.say, &error.with),
            }),
            import::Does::Adds | import::Does::Changes(_) | import::Does::Nothing => None,
        })
        .collect();
    Ok(Json(Imported {
        taken: sent.digest.is_some(),
        digest: done.digest.clone(),
        adds: done.adds(),
        changes: done.changes(),
        wrong,
    }))
}

/// Opens somebody's record.
#[utoipa::path(get, path = "/api/v1/people/{id}", tag = "people",
    params(("id" = String, Path, format = Uuid)), responses((status = 200, body = PersonRecord)))]
pub async fn get(State(app): State<Arc<App>>, Id(id): Id<PersonId>) -> Result<Json<PersonRecord>, ApiError> {
    Ok(Json(gather(&app, id).await?))
}

async fn gather(app: &App, id: PersonId) -> Result<PersonRecord, Refusal> {
    let person = app.store.person(id).await?.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))?;
    let unit = app.store.unit(person.unit).await?.map_or_else(String::new, |unit| unit.name);
    let held = things::held(app, &person).await?;
    let own = things::own(app, id).await?;
    let manager = match person.manager {
        Some(manager) => app.store.person(manager).await?.map(|person| Named::new(person.id, person.name)),
        None => None,
    };
    Ok(PersonRecord {
        clearance: Clearance::new(&clearance::windows(&app.pack(), person.state, &held, &own, app.now())),
        version: directory::version(&person),
        person: PersonRow::new(&person, &unit),
        manager,
        devices: held.iter().map(Into::into).collect(),
        roles: app.store.grants(id).await?.iter().map(Into::into).collect(),
        clear_out: app.store.clear_out(id).await?.iter().map(Into::into).collect(),
        looks: app.store.looks(id, 20).await?.iter().map(Into::into).collect(),
    })
}

/// What is to be different about somebody. What is left out stays; what is empty is taken away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonChanged {
    /// Their name.
    #[serde(default)]
    name: Option<String>,
    /// Their address for mail and for signing in.
    #[serde(default)]
    email: Option<String>,
    /// The number that other systems know them by.
    #[serde(default)]
    staff_number: Option<String>,
    /// Their unit.
    #[serde(default)]
    #[schema(format = Uuid)]
    unit: Option<String>,
    /// Who answers for them, when it is not the managers of their unit.
    #[serde(default)]
    manager: Option<String>,
}

impl PersonChanged {
    fn told(self, before: &Person) -> Result<Told, Refusal> {
        let unit = self.unit.as_deref().map(|text| id("unit", text, "unit-unknown")).transpose()?;
        let manager = match self.manager.as_deref() {
            None => before.manager,
            Some("") => None,
            Some(text) => Some(id("manager", text, "manager-unknown")?),
        };
        let kept = |text: &Option<String>| text.clone().unwrap_or_default();
        Ok(Told {
            name: self.name.unwrap_or_else(|| before.name.clone()),
            email: self.email.unwrap_or_else(|| kept(&before.email)),
            staff_number: self.staff_number.unwrap_or_else(|| kept(&before.staff_number)),
            unit: Some(unit.unwrap_or(before.unit)),
            manager,
        })
    }
}

/// Changes what the directory holds on somebody. With `If-Match`, only while `version` is as it was read.
#[utoipa::path(patch, path = "/api/v1/people/{id}", tag = "people",
    params(("id" = String, Path, format = Uuid), ("If-Match" = Option<String>, Header)),
    request_body = PersonChanged, responses((status = 204)))]
pub async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<PersonId>,
    headers: HeaderMap,
    Sent(sent): Sent<PersonChanged>,
) -> Result<StatusCode, ApiError> {
    let before = app.store.person(id).await?.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))?;
    let told = sent.told(&before)?;
    placing::may_change(&app, &caller, &before, &told, "unit").await?;
    let wanted = headers.get(header::IF_MATCH).map(|wanted| wanted.to_str().unwrap_or_default());
    directory::change_version(&app, id, &told, wanted, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where somebody moves on to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// `invited`, `active`, `on_leave`, `leaving` or `gone`.
    state: String,
    /// The end of the last day of somebody who leaves.
    #[serde(default)]
    #[schema(format = DateTime)]
    last_day: Option<String>,
}

/// Moves somebody on: joins, goes on leave, comes back, leaves.
#[utoipa::path(put, path = "/api/v1/people/{id}/state", tag = "people",
    params(("id" = String, Path, format = Uuid)), request_body = Moved, responses((status = 204)))]
pub async fn state(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<PersonId>,
    Sent(sent): Sent<Moved>,
) -> Result<StatusCode, ApiError> {
    let to = state_of("state", &sent.state)?;
    let last_day = sent.last_day.as_deref().map(read_time).transpose()?;
    placing::may_move(&app, &caller, id).await?;
    directory::set_state(&app, id, to, last_day, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read_time(text: &str) -> Result<Millis, Refusal> {
    let time: Result<jiff::Timestamp, _> = text.parse();
    time.map(|time| Millis(time.as_millisecond()))
        .map_err(|_| Refusal::form(FieldError::new("last_day", "last-day-unreadable")))
}

/// A link that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkMade {
    /// The link, told this once; none where it went by mail alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// Whether it went to their address by mail.
    mailed: bool,
}

/// Makes a link by which somebody joins, or sets up anew how they sign in. A program is told the link of
/// somebody who joins; of others it goes to their address alone, and to nobody who holds a role, manages people, or is named for break-glass access.
#[utoipa::path(post, path = "/api/v1/people/{id}/links", tag = "people",
    params(("id" = String, Path, format = Uuid)), responses((status = 201, body = LinkMade)))]
pub async fn link(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<PersonId>,
) -> Result<(StatusCode, Json<LinkMade>), ApiError> {
    let person = app.store.person(id).await?.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))?;
    let kind = match person.state {
        Employment::Invited => LinkKind::Invite,
        Employment::Active | Employment::OnLeave | Employment::Leaving | Employment::Gone => LinkKind::Reset,
    };
    let tells = !caller.is_program() || kind == LinkKind::Invite;
    if caller.is_program() {
        // A link is a session: a token must not become more than it is.
        if id == caller.id() || app.store.is_trusted(&person).await? {
            return Err(Refusal::said(Kind::Forbidden, "program-link").into());
        }
        if !tells && (app.mail.is_none() || person.email.is_none()) {
            return Err(Refusal::said(Kind::Conflict, "program-link-mail").into());
        }
    }
    let secret = links::make(&app, id, kind, &caller.by()).await?;
    let link = format!("{}/join/{secret}", app.config.base_url.trim_end_matches('/'));
    let mailed = notices::send_link(&app, &person, &link, kind == LinkKind::Invite).await?;
    Ok((StatusCode::CREATED, Json(LinkMade { link: tells.then_some(link), mailed })))
}

/// Whose the device is that is to be enrolled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeSent {
    /// `organisation` or `person`.
    owner: String,
}

/// Makes a code with which somebody enrols a device within three days.
#[utoipa::path(post, path = "/api/v1/people/{id}/codes", tag = "people",
    params(("id" = String, Path, format = Uuid)), request_body = CodeSent,
    responses((status = 201, body = ToldOnce)))]
pub async fn code(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<PersonId>,
    Sent(sent): Sent<CodeSent>,
) -> Result<(StatusCode, Json<ToldOnce>), ApiError> {
    let secret = enrol::give_code(&app, id, &sent.owner, 3 * time::DAY, &caller.by()).await?;
    Ok((StatusCode::CREATED, Json(ToldOnce { secret })))
}

/// What was handed over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    /// `object` of the item of the clear-out.
    object: String,
}

/// Ticks off something that somebody who leaves has handed over.
#[utoipa::path(post, path = "/api/v1/people/{id}/returns", tag = "people",
    params(("id" = String, Path, format = Uuid)), request_body = Returned, responses((status = 204)))]
pub async fn returned(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(person): Id<PersonId>,
    Sent(sent): Sent<Returned>,
) -> Result<StatusCode, ApiError> {
    let object = id::<uuid::Uuid>("object", &sent.object, "field-empty")?;
    leaving::handed_over(&app, person, &object.to_string(), &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

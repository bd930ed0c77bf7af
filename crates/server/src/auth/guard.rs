//! The guard before every route. A route is written down together with what it needs; a handler is never
//! called before that was checked, and there is no way to add a route without saying it.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::Arc,
};

use axum::{
    Router,
    extract::{FromRequestParts, RawPathParams, Request, State},
    handler::Handler,
    http::{Method, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{MethodFilter, on},
};
use stead_model::{DeviceId, PersonId, RecordId, Role, UnitId, problem::Kind};
use stead_store::{people::Person, within::Within};

use super::{
    access::{Action, Asker, Object, Place},
    body,
};
use crate::{
    App, api,
    error::Refusal,
    flows::{
        look,
        sign_in::{
            self, SignedIn,
            token::{self, Scope},
        },
    },
    web,
    words::{Language, Words},
};

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: anybody may.
    Nothing,
    /// A sealed message of a device, a one-time code, or an address with a secret in it; the flow checks it.
    Seal,
    /// That somebody may do this to that.
    May(Action, On),
    /// The same; and where it is another person's record, that they have said what for.
    Look(Action, On),
    /// The same as [`Need::May`]; and that they have proved lately who they are.
    Proof(Action, On),
}

/// What something is done to, and where the request says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Whoever asks.
    Self_,
    /// The organisation as a whole.
    Organisation,
    /// The unit `unit` of the query; without one, the widest that the asker may do it to.
    Unit,
    /// The person `id` of the path.
    Person,
    /// The device `id` of the path.
    Device,
    /// What the ledger's entry `index` of the path is about.
    Entry,
    /// The person whom the exception `exception` of the path concerns.
    Exception,
    /// The person whom the case `case` of the path is about.
    Case,
    /// The person whose thing the loss `loss` of the path is.
    Loss,
}

/// A route, as it was written down.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path, as the router reads it.
    pub path: &'static str,
    /// What it needs.
    pub need: Need,
    /// Most bytes of a request's body.
    pub largest: usize,
}

/// Most bytes of a form that anybody may send.
const OF_STRANGERS: usize = 16 * 1024;
/// Most bytes of a form that is sent by somebody signed in: long texts in any script.
const OF_PAGES: usize = 64 * 1024;

impl Need {
    /// Most bytes of a body where a route names none.
    fn largest(self, path: &str) -> usize {
        match self {
            _ if path.starts_with("/api/") => api::MAX_MESSAGE,
            Self::Nothing | Self::Seal => OF_STRANGERS,
            Self::May(..) | Self::Look(..) | Self::Proof(..) => OF_PAGES,
        }
    }
}

/// Routes with what they need.
pub struct Routes {
    app: Arc<App>,
    router: Router<Arc<App>>,
    list: Vec<Route>,
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Routes({})", self.list.len())
    }
}

impl Routes {
    /// No route yet.
    pub fn new(app: Arc<App>) -> Self {
        Self { app, router: Router::new(), list: Vec::new() }
    }

    /// Adds a page or another thing to read.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, need: Need, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add(Method::GET, path, (need, need.largest(path)), handler)
    }

    /// Adds something to do.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, need: Need, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add(Method::POST, path, (need, need.largest(path)), handler)
    }

    /// The same with a larger body than others may have. It is read from those alone who may send it.
    #[must_use]
    pub fn post_large<H, T>(self, path: &'static str, need: Need, largest: usize, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add(Method::POST, path, (need, largest), handler)
    }

    /// Adds something to change.
    #[must_use]
    pub fn patch<H, T>(self, path: &'static str, need: Need, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add(Method::PATCH, path, (need, need.largest(path)), handler)
    }

    /// Adds something to set as it is sent.
    #[must_use]
    pub fn put<H, T>(self, path: &'static str, need: Need, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add(Method::PUT, path, (need, need.largest(path)), handler)
    }

    /// Adds something to take away.
    #[must_use]
    pub fn delete<H, T>(self, path: &'static str, need: Need, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add(Method::DELETE, path, (need, need.largest(path)), handler)
    }

    fn add<H, T>(
        mut self,
        method: Method,
        path: &'static str,
        (need, largest): (Need, usize),
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        let route = Route { method, path, need, largest };
        let state = (Arc::clone(&self.app), Arc::new(route.clone()));
        let filter = match route.method {
            Method::POST => MethodFilter::POST,
            Method::PUT => MethodFilter::PUT,
            Method::PATCH => MethodFilter::PATCH,
            Method::DELETE => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        let guarded = on(filter, handler).layer(middleware::from_fn_with_state(state, guard));
        self.router = self.router.route(path, guarded);
        self.list.push(route);
        self
    }

    /// The router, and the list of what is in it.
    pub fn done(self) -> (Router<Arc<App>>, Vec<Route>) {
        (self.router, self.list)
    }
}

/// Somebody signed in, as handlers are given them.
#[derive(Clone, Debug)]
pub struct Caller {
    who: Arc<SignedIn>,
    /// What the token is good for, when a program asks with one.
    token: Option<Arc<BTreeSet<Scope>>>,
}

impl Caller {
    /// Them, with their session.
    pub fn who(&self) -> &SignedIn {
        &self.who
    }

    /// Them.
    pub fn person(&self) -> &Person {
        &self.who.person
    }

    /// Their id.
    pub fn id(&self) -> PersonId {
        self.who.person.id
    }

    /// Whether they hold a role, for any unit.
    pub fn holds(&self, role: Role) -> bool {
        self.who.grants.iter().any(|grant| grant.role == role)
    }

    /// Whether they may do this to that.
    pub fn may(&self, app: &App, action: Action, object: &Object) -> bool {
        self.good_for(action) && app.access.may(&self.asker(), action, object)
    }

    /// Whether a program asks for them, with a token.
    pub fn is_program(&self) -> bool {
        self.token.is_some()
    }

    /// Whether what they ask with is good for this. A session is good for all that its person may do.
    fn good_for(&self, action: Action) -> bool {
        self.token.as_ref().is_none_or(|scopes| scopes.contains(&action.scope()))
    }

    /// Whether they may do this to the organisation as a whole.
    pub fn may_to_all(&self, app: &App, action: Action) -> bool {
        self.may(app, action, &Object::organisation())
    }

    /// The widest unit to which they may do this, by the roles that they hold, with all above it.
    ///
    /// # Errors
    /// [`Refusal`] when the store is away.
    pub async fn widest(&self, app: &App, action: Action) -> Result<Option<Vec<UnitId>>, Refusal> {
        let mut widest: Option<Vec<UnitId>> = None;
        for grant in &self.who.grants {
            let above = app.store.units_above(grant.unit).await?;
            let wider = widest.as_ref().is_none_or(|before| above.len() < before.len());
            if wider && self.may(app, action, &Object::Unit(above.clone())) {
                widest = Some(above);
            }
        }
        Ok(widest)
    }

    /// Those whom lists may hold for them: themselves, whom they manage, and people of units in which they hold
    /// a role. What of it they may see is decided row by row.
    pub fn within(&self) -> Within {
        Within::of(self.id(), self.who.grants.iter().map(|grant| grant.unit).collect())
    }

    /// How the ledger names them.
    pub fn by(&self) -> String {
        crate::flows::person_subject(self.id())
    }

    /// How they are spoken to: as they have chosen, else as their browser asks.
    pub(crate) fn words(&self, headers: &axum::http::HeaderMap) -> Words {
        let person = self.person();
        let language = Language::from_tag(&person.language).unwrap_or_else(|| Language::asked(headers));
        Words::new(language, &person.zone)
    }

    fn asker(&self) -> Asker {
        Asker { person: self.id(), grants: self.who.grants.clone() }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let missing = || web::refused(Refusal::said(Kind::SignInNeeded, "sign-in-needed"), true);
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

/// The unit that a request is about, once the guard has found it.
#[derive(Clone, Copy, Debug)]
pub struct TheUnit(pub UnitId);

impl<S: Sync> FromRequestParts<S> for TheUnit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let missing = || web::refused(Refusal::new(Kind::NotFound, "There is no such unit."), true);
        parts.extensions.get::<Self>().copied().ok_or_else(missing)
    }
}

/// Whoever is signed in, for what anybody may read.
pub async fn caller(app: &App, headers: &axum::http::HeaderMap) -> Result<Option<Caller>, Refusal> {
    let Some(secret) = super::session_secret(headers) else { return Ok(None) };
    Ok(sign_in::session(app, &secret).await?.map(|who| Caller { who: Arc::new(who), token: None }))
}

/// Whoever asks the API: a program by its token, or a page by its session. Whoever sends both is asked to
/// choose by being refused.
async fn caller_of_api(app: &App, headers: &axum::http::HeaderMap) -> Result<Option<Caller>, Refusal> {
    if !headers.contains_key(header::AUTHORIZATION) {
        return caller(app, headers).await;
    }
    let Some(secret) = super::bearer(headers).filter(|_| !headers.contains_key(header::COOKIE)) else {
        return Ok(None);
    };
    Ok(token::holder(app, secret)
        .await?
        .map(|(who, token)| Caller { who: Arc::new(who), token: Some(Arc::new(token::scopes(&token))) }))
}

async fn guard(
    State((app, route)): State<(Arc<App>, Arc<Route>)>,
    path: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    if let Err(refusal) = body::address(request.uri()) {
        return web::refused(refusal, !route.path.starts_with("/api/"));
    }
    let need = route.need;
    let (action, on) = match need {
        Need::Nothing | Need::Seal => return taken(request, &route, next).await,
        Need::May(action, on) | Need::Look(action, on) | Need::Proof(action, on) => (action, on),
    };
    let page = !request.uri().path().starts_with("/api/");
    let caller = match page {
        true => caller(&app, request.headers()).await,
        false => caller_of_api(&app, request.headers()).await,
    };
    let caller = match caller {
        Ok(Some(caller)) => caller,
        Ok(None) => return not_signed_in(page, &request),
        Err(refusal) => return web::refused(refusal, page),
    };
    let words = caller.words(request.headers());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let mut checked = check(&app, &caller, need, (action, on), &path, &query).await;
    if let (Err(Stop::SayWhy(person)), false) = (&checked, page)
        && let Some(purpose) = request.headers().get(PURPOSE)
    {
        // A program says what for in the request itself.
        checked = match say_why(&app, &caller, *person, purpose).await {
            Ok(()) => check(&app, &caller, need, (action, on), &path, &query).await,
            Err(refusal) => Err(refusal.into()),
        };
    }
    let mut response = match checked {
        Ok(object) => {
            if let Object::Unit(units) = &object
                && let Some(unit) = units.first()
            {
                request.extensions_mut().insert(TheUnit(*unit));
            }
            let asker = caller.who().session.id.to_string();
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(words.clone());
            match body::taken(request, route.largest).await {
                Ok((request, _underway)) if page => next.run(request).await,
                Ok((request, _underway)) => api::answer(&app, &asker, request, next).await,
                Err(refusal) => web::refused(refusal, page),
            }
        }
        Err(Stop::Refused(refusal)) => web::refused(refusal, page),
        Err(Stop::SayWhy(person)) if page && request.method() == Method::GET => {
            Redirect::to(&format!("/people/{person}/look?to={}", web::encode(&here(&request))))
                .into_response()
        }
        Err(Stop::SayWhy(_)) => web::refused(Refusal::said(Kind::PurposeNeeded, "purpose-needed"), page),
        Err(Stop::Prove) if page && request.method() == Method::GET => {
            Redirect::to(&format!("/prove?to={}", web::encode(&here(&request)))).into_response()
        }
        Err(Stop::Prove) => web::refused(Refusal::said(Kind::ProofNeeded, "proof-needed"), page),
    };
    response.extensions_mut().insert(words);
    response
}

/// Goes on with a request whose body is one that the route takes.
async fn taken(request: Request, route: &Route, next: Next) -> Response {
    let page = !route.path.starts_with("/api/");
    match body::taken(request, route.largest).await {
        Ok((request, _underway)) => next.run(request).await,
        Err(refusal) => web::refused(refusal, page),
    }
}

/// The header in which the API is told what another person's record is needed for: one word of
/// [`look::PURPOSES`], and after a semicolon what it is in a few words.
pub const PURPOSE: &str = "stead-purpose";

async fn say_why(
    app: &App,
    caller: &Caller,
    person: PersonId,
    purpose: &axum::http::HeaderValue,
) -> Result<(), Refusal> {
    // Words may be in any language; the header's bytes are taken for UTF-8 (RFC 9110, 5.5).
    let said = String::from_utf8_lossy(purpose.as_bytes());
    let (purpose, words) = said.split_once(';').unwrap_or((&said, ""));
    let visit = caller.who().session.id.to_string();
    look::record(app, caller.id(), &visit, person, (purpose.trim(), words)).await
}

/// Why a request goes no further.
enum Stop {
    Refused(Refusal),
    SayWhy(PersonId),
    Prove,
}

impl<T: Into<Refusal>> From<T> for Stop {
    fn from(error: T) -> Self {
        Self::Refused(error.into())
    }
}

async fn check(
    app: &App,
    caller: &Caller,
    need: Need,
    (action, on): (Action, On),
    path: &RawPathParams,
    query: &str,
) -> Result<Object, Stop> {
    let now = app.now();
    let object = object(app, caller, action, on, path, query).await?;
    if !caller.may(app, action, &object) {
        tracing::info!(person = %caller.id(), action = action.word(), "refused");
        return Err(Refusal::said(Kind::Forbidden, "forbidden").into());
    }
    if let Some(person) = object.person().filter(|person| *person != caller.id())
        && matches!(need, Need::Look(..))
        && !app.store.has_said_why(&caller.who().session.id.to_string(), person, now).await?
    {
        return Err(Stop::SayWhy(person));
    }
    // A token was made by somebody who had just proved who they are, for exactly this.
    if matches!(need, Need::Proof(..))
        && !caller.is_program()
        && !sign_in::has_proved(&caller.who().session, now)
    {
        return Err(Stop::Prove);
    }
    Ok(object)
}

/// What the request is about, with everything above it.
async fn object(
    app: &App,
    caller: &Caller,
    action: Action,
    on: On,
    path: &RawPathParams,
    query: &str,
) -> Result<Object, Refusal> {
    let nothing = |what: &str| {
        Refusal::new(Kind::NotFound, format!("There is no such {what}. It may have been named wrongly."))
    };
    let id = || path.iter().find(|(name, _)| *name == "id").map_or("", |(_, value)| value);
    let record = |what: &str| -> Result<RecordId, Refusal> {
        let named = path.iter().find(|(name, _)| *name == what).map_or("", |(_, value)| value);
        named.parse().map_err(|_| nothing(what))
    };
    match on {
        On::Self_ => Ok(Object::Person(caller.id(), place(app, caller.person()).await?)),
        On::Organisation => Ok(Object::organisation()),
        On::Unit => {
            let named = query.split('&').filter_map(|pair| pair.strip_prefix("unit=")).next();
            if let Some(named) = named.filter(|named| !named.is_empty()) {
                let unit: UnitId = named.parse().map_err(|_| nothing("unit"))?;
                let above = app.store.units_above(unit).await?;
                return if above.is_empty() { Err(nothing("unit")) } else { Ok(Object::Unit(above)) };
            }
            let widest = caller.widest(app, action).await?;
            Ok(widest.map_or_else(Object::organisation, Object::Unit))
        }
        On::Person => {
            let person: PersonId = id().parse().map_err(|_| nothing("person"))?;
            person_object(app, person).await?.ok_or_else(|| nothing("person"))
        }
        On::Device => {
            let device: DeviceId = id().parse().map_err(|_| nothing("device"))?;
            device_object(app, device).await?.ok_or_else(|| nothing("device"))
        }
        On::Exception => {
            let exception = app.store.exception(record("exception")?).await?;
            let person = exception.ok_or_else(|| nothing("exception"))?.person;
            person_object(app, person).await?.ok_or_else(|| nothing("person"))
        }
        On::Case => {
            let case = app.store.case(record("case")?).await?.ok_or_else(|| nothing("case"))?;
            person_object(app, case.person).await?.ok_or_else(|| nothing("person"))
        }
        On::Loss => {
            let loss = app.store.loss(record("loss")?).await?.ok_or_else(|| nothing("loss"))?;
            person_object(app, loss.person).await?.ok_or_else(|| nothing("person"))
        }
        On::Entry => {
            let index = path.iter().find(|(name, _)| *name == "index").map_or("", |(_, value)| value);
            let index = index.parse().map_err(|_| nothing("entry"))?;
            let entry = app.store.ledger_entry(index).await?.ok_or_else(|| nothing("entry"))?;
            let about = match entry.subject.split_once(':') {
                Some(("device", id)) => match id.parse() {
                    Ok(id) => device_object(app, id).await?,
                    Err(_) => None,
                },
                Some(("person", id)) => match id.parse() {
                    Ok(id) => person_object(app, id).await?,
                    Err(_) => None,
                },
                Some(_) | None => None,
            };
            Ok(about.unwrap_or_else(Object::organisation))
        }
    }
}

/// A person as authorization sees them.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn person_object(app: &App, person: PersonId) -> Result<Option<Object>, Refusal> {
    let Some(person) = app.store.person(person).await? else { return Ok(None) };
    Ok(Some(object_of(app, &person).await?))
}

/// The same, of somebody who was read already.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn object_of(app: &App, person: &Person) -> Result<Object, Refusal> {
    Ok(Object::Person(person.id, place(app, person).await?))
}

/// What people are to policies, each asked for once: for lists.
#[derive(Debug)]
pub struct People<'a> {
    app: &'a App,
    known: HashMap<PersonId, Option<Object>>,
}

impl<'a> People<'a> {
    /// Nobody yet.
    pub fn of(app: &'a App) -> Self {
        Self { app, known: HashMap::new() }
    }

    /// One of them; none when there is nobody of that id.
    ///
    /// # Errors
    /// [`Refusal`] when the store is away.
    pub async fn object(&mut self, person: PersonId) -> Result<Option<&Object>, Refusal> {
        if let Entry::Vacant(vacant) = self.known.entry(person) {
            vacant.insert(person_object(self.app, person).await?);
        }
        Ok(self.known.get(&person).and_then(Option::as_ref))
    }
}

async fn device_object(app: &App, device: DeviceId) -> Result<Option<Object>, Refusal> {
    let Some(person) = app.store.device_person(device).await? else { return Ok(None) };
    let Some(person) = app.store.person(person).await? else { return Ok(None) };
    Ok(Some(Object::Device(device, person.id, place(app, &person).await?)))
}

async fn place(app: &App, person: &Person) -> Result<Place, Refusal> {
    Ok(Place {
        units: app.store.units_above(person.unit).await?,
        manager: person.manager,
        trusted: app.store.is_trusted(person).await?,
    })
}

/// The address of the page that was asked for.
fn here(request: &Request) -> String {
    request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
}

fn not_signed_in(page: bool, request: &Request) -> Response {
    if request.headers().contains_key("hx-request") {
        // A part of a page cannot show a sign-in page; the whole page goes there.
        return ([("hx-redirect", "/sign-in")], StatusCode::UNAUTHORIZED).into_response();
    }
    if !page {
        return web::refused(Refusal::said(Kind::SignInNeeded, "sign-in-needed"), false);
    }
    let to = if request.method() == Method::GET { here(request) } else { String::new() };
    let address = match to.as_str() {
        "" | "/" => "/sign-in".to_owned(),
        to => format!("/sign-in?to={}", web::encode(to)),
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response()
}

//! Pages: HTML from the server, readable without a script.

pub(crate) mod cases;
mod device;
mod devices;
mod evidence;
mod exceptions;
mod form;
mod gate;
mod glass;
mod home;
mod joining;
mod ledger;
mod look;
pub(crate) mod losses;
mod markdown;
mod messages;
mod notices;
mod overview;
mod parts;
mod people;
mod person;
mod policy;
mod problems;
mod proof;
mod record;
mod reports;
mod rules;
mod sign_in;
mod styleguide;
mod system;
mod team;
mod then;
mod tokens;
mod units;
mod ways;

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{FromRequestParts, Request},
    http::{StatusCode, header, request::Parts},
    middleware::Next,
    response::{Html as HtmlBody, IntoResponse, Response},
};
use stead_model::{
    Role,
    problem::{Kind, Problem},
};
use stead_store::StoreError;

pub use parts::Plain;

use crate::{
    App, assets,
    auth::{
        access::Action,
        guard::{Caller, Need, On, Routes},
    },
    error::{Refusal, problem_response},
    flows::directory::import,
    words::Words,
};

/// Most bytes of a file of people, three times over as a form writes it.
const IMPORT: usize = 3 * import::LARGEST;
/// Most bytes of a file of a draft, as a form writes it.
const DRAFT: usize = 1024 * 1024;
/// Most bytes of all files of a draft that others changed too.
const CATCH_UP: usize = 4 * 1024 * 1024;

/// Adds all pages.
pub fn routes(routes: Routes) -> Routes {
    use Need::{Look, May, Nothing, Proof, Seal};
    routes
        .get("/", May(Action::OwnSee, On::Self_), home::start)
        .get("/home", May(Action::OwnSee, On::Self_), home::get)
        .get("/sign-in", Nothing, sign_in::ask)
        .post("/sign-in/password", Nothing, sign_in::password)
        .get("/sign-in/code", Nothing, sign_in::ask_code)
        .post("/sign-in/code", Nothing, sign_in::code)
        .post("/sign-in/passkey/ask", Nothing, sign_in::passkey_ask)
        .post("/sign-in/passkey", Nothing, sign_in::passkey)
        .get("/sign-in/outside", Nothing, sign_in::outside)
        .get("/sign-in/outside/back", Nothing, sign_in::outside_back)
        .get("/join/{secret}", Nothing, joining::offer)
        .post("/join/{secret}", Nothing, joining::take)
        .post("/sign-out", May(Action::OwnChange, On::Self_), sign_in::out)
        .get("/prove", May(Action::OwnSee, On::Self_), sign_in::ask_proof)
        .post("/prove/password", May(Action::OwnSee, On::Self_), sign_in::prove_password)
        .post("/prove/passkey/ask", May(Action::OwnSee, On::Self_), sign_in::prove_passkey_ask)
        .post("/prove/passkey", May(Action::OwnSee, On::Self_), sign_in::prove_passkey)
        .get("/me", May(Action::OwnSee, On::Self_), record::get)
        .get("/me/record.pdf", Proof(Action::OwnSee, On::Self_), record::pdf)
        .get("/me/record.json", Proof(Action::OwnSee, On::Self_), record::json)
        .get("/me/notices", May(Action::OwnSee, On::Self_), notices::get)
        .post("/me/notices", May(Action::OwnChange, On::Self_), notices::choose)
        .post("/me/notices/calendar", Proof(Action::OwnChange, On::Self_), notices::begin_calendar)
        .post("/me/notices/calendar/end", May(Action::OwnChange, On::Self_), notices::end_calendar)
        .get("/calendar/{secret}", Seal, notices::calendar)
        .get("/me/tokens", Proof(Action::OwnSee, On::Self_), tokens::get)
        .post("/me/tokens", Proof(Action::OwnChange, On::Self_), tokens::make)
        .post("/me/tokens/end", May(Action::OwnChange, On::Self_), tokens::end)
        .get("/me/ways", Proof(Action::OwnSee, On::Self_), ways::get)
        .post("/me/ways/language", May(Action::OwnChange, On::Self_), ways::language)
        .post("/me/ways/password", Proof(Action::OwnChange, On::Self_), ways::password)
        .post("/me/ways/password/remove", Proof(Action::OwnChange, On::Self_), ways::remove_password)
        .post("/me/ways/code", Proof(Action::OwnChange, On::Self_), ways::set_up_code)
        .post("/me/ways/code/confirm", Proof(Action::OwnChange, On::Self_), ways::confirm_code)
        .post("/me/ways/code/remove", Proof(Action::OwnChange, On::Self_), ways::remove_code)
        .post("/me/ways/passkey/ask", Proof(Action::OwnChange, On::Self_), ways::passkey_ask)
        .post("/me/ways/passkey", Proof(Action::OwnChange, On::Self_), ways::add_passkey)
        .post("/me/ways/passkey/remove", Proof(Action::OwnChange, On::Self_), ways::remove_passkey)
        .post("/me/ways/session/end", May(Action::OwnChange, On::Self_), ways::end_session)
        .post("/me/ways/sessions/end", May(Action::OwnChange, On::Self_), ways::end_others)
        .get("/overview", May(Action::OverviewSee, On::Organisation), overview::get)
        .get("/overview/live", May(Action::OverviewSee, On::Organisation), overview::live)
        .get("/then", May(Action::LedgerSee, On::Organisation), then::get)
        .get("/team", May(Action::TeamSee, On::Unit), team::get)
        .get("/team/attest", May(Action::TeamAttest, On::Unit), team::ask)
        .post("/team/attest", May(Action::TeamAttest, On::Unit), team::attest)
        .get("/people", May(Action::PeopleList, On::Unit), people::list)
        .get("/people/new", May(Action::PeopleAdd, On::Unit), people::new)
        .post("/people/new", May(Action::PeopleAdd, On::Unit), people::add)
        .get("/people/import", May(Action::PeopleImport, On::Organisation), people::ask_import)
        .post_large(
            "/people/import/preview",
            May(Action::PeopleImport, On::Organisation),
            IMPORT,
            people::preview,
        )
        .post_large("/people/import", May(Action::PeopleImport, On::Organisation), IMPORT, people::import)
        .get("/people/{id}", Look(Action::PersonSee, On::Person), person::get)
        .get("/people/{id}/look", May(Action::PersonSee, On::Person), look::ask)
        .post("/people/{id}/look", May(Action::PersonSee, On::Person), look::record)
        .get("/people/{id}/edit", Look(Action::PersonChange, On::Person), person::edit)
        .post("/people/{id}/edit", Look(Action::PersonChange, On::Person), person::change)
        .post("/people/{id}/state", Look(Action::PersonChange, On::Person), person::state)
        .post("/people/{id}/invite", May(Action::PersonInvite, On::Person), person::invite)
        .post("/people/{id}/enrol", May(Action::DeviceEnrol, On::Person), person::enrol)
        .post("/people/{id}/returned", Look(Action::PersonChange, On::Person), person::returned)
        .get("/people/{id}/roles", Proof(Action::RolesGive, On::Organisation), person::roles)
        .post("/people/{id}/roles", Proof(Action::RolesGive, On::Organisation), person::give_role)
        .post("/people/{id}/roles/take", Proof(Action::RolesGive, On::Organisation), person::take_role)
        .get("/units", May(Action::UnitsSee, On::Organisation), units::list)
        .post("/units", May(Action::UnitsChange, On::Organisation), units::add)
        .post("/units/change", May(Action::UnitsChange, On::Organisation), units::change)
        .get("/devices", May(Action::DevicesList, On::Organisation), devices::get)
        .get("/devices/{id}", Look(Action::DeviceSee, On::Device), device::get)
        .get("/devices/{id}/then", Look(Action::DeviceSee, On::Device), then::device)
        .get("/devices/{id}/report", Look(Action::DeviceSee, On::Device), device::report)
        .post("/devices/{id}/revoke", Look(Action::DeviceRevoke, On::Device), device::revoke)
        .get("/rules", May(Action::RulesSee, On::Organisation), rules::list)
        .get("/rules/{id}", May(Action::RulesSee, On::Organisation), rules::get)
        .get("/policy", May(Action::RulesSee, On::Organisation), policy::get)
        .post("/policy/confirm", May(Action::OwnChange, On::Self_), policy::confirm)
        .get("/policy/versions/{digest}", May(Action::RulesSee, On::Organisation), policy::version)
        .get("/policy/calendar", May(Action::RulesSee, On::Organisation), policy::calendar)
        .post("/policy/drafts", May(Action::PolicyWrite, On::Organisation), policy::begin_draft)
        .get("/policy/drafts/{proposal}", May(Action::PolicyWrite, On::Organisation), policy::draft)
        .get("/policy/drafts/{proposal}/file", May(Action::PolicyWrite, On::Organisation), policy::draft_file)
        .post_large(
            "/policy/drafts/{proposal}/file",
            May(Action::PolicyWrite, On::Organisation),
            DRAFT,
            policy::save_file,
        )
        .post_large(
            "/policy/drafts/{proposal}/check",
            May(Action::PolicyWrite, On::Organisation),
            DRAFT,
            policy::check_draft,
        )
        .post("/policy/drafts/{proposal}/rules", May(Action::PolicyWrite, On::Organisation), policy::add_rule)
        .post(
            "/policy/drafts/{proposal}/remove",
            May(Action::PolicyWrite, On::Organisation),
            policy::remove_file,
        )
        .get(
            "/policy/drafts/{proposal}/catch-up",
            May(Action::PolicyWrite, On::Organisation),
            policy::catch_up,
        )
        .post_large(
            "/policy/drafts/{proposal}/catch-up",
            May(Action::PolicyWrite, On::Organisation),
            CATCH_UP,
            policy::bring_up,
        )
        .post(
            "/policy/drafts/{proposal}/propose",
            May(Action::PolicyWrite, On::Organisation),
            policy::propose_draft,
        )
        .post(
            "/policy/drafts/{proposal}/discard",
            May(Action::PolicyWrite, On::Organisation),
            policy::discard,
        )
        .post(
            "/policy/proposals/{proposal}/reopen",
            May(Action::PolicyWrite, On::Organisation),
            policy::reopen,
        )
        .get(
            "/policy/proposals/{proposal}/try/progress",
            May(Action::PolicyWrite, On::Organisation),
            policy::try_progress,
        )
        .get("/policy/reach", May(Action::OverviewSee, On::Organisation), policy::reach)
        .post("/policy/proposals", May(Action::PolicyWrite, On::Organisation), policy::propose)
        .get("/policy/proposals/{proposal}", May(Action::PolicyWrite, On::Organisation), policy::proposal)
        .get("/policy/proposals/{proposal}/try", May(Action::PolicyWrite, On::Organisation), policy::try_out)
        .get(
            "/policy/proposals/{proposal}/try.csv",
            May(Action::PolicyWrite, On::Organisation),
            policy::try_file,
        )
        .post(
            "/policy/proposals/{proposal}/approve",
            Proof(Action::PolicyWrite, On::Organisation),
            policy::approve,
        )
        .post(
            "/policy/proposals/{proposal}/withdraw",
            May(Action::PolicyWrite, On::Organisation),
            policy::withdraw,
        )
        .post("/policy/keys", Proof(Action::PolicyWrite, On::Organisation), policy::allow_key)
        .post("/policy/keys/end", Proof(Action::PolicyWrite, On::Organisation), policy::disallow_key)
        .post("/policy/reviews", May(Action::PolicyWrite, On::Organisation), policy::add_review)
        .get("/exceptions", May(Action::OwnSee, On::Self_), exceptions::list)
        .get("/people/{id}/exceptions/new", Look(Action::ExceptionAsk, On::Person), exceptions::new)
        .post("/people/{id}/exceptions", Look(Action::ExceptionAsk, On::Person), exceptions::ask)
        .get("/exceptions/{exception}", Look(Action::ExceptionSee, On::Exception), exceptions::get)
        .post(
            "/exceptions/{exception}/decide",
            Look(Action::ExceptionDecide, On::Exception),
            exceptions::decide,
        )
        .post("/exceptions/{exception}/end", Look(Action::ExceptionEnd, On::Exception), exceptions::end)
        .get("/cases", May(Action::OwnSee, On::Self_), cases::list)
        .get("/cases/{case}", Look(Action::CaseSee, On::Case), cases::get)
        .post("/cases/{case}/answer", May(Action::CaseAnswer, On::Case), cases::answer)
        .post("/cases/{case}/appeal", May(Action::CaseAnswer, On::Case), cases::appeal)
        .post("/cases/{case}/decide", Look(Action::CaseDecide, On::Case), cases::decide)
        .post("/cases/{case}/take", Look(Action::CaseDecide, On::Case), cases::take)
        .get("/lost", Nothing, losses::ask)
        .post("/lost", May(Action::LossTell, On::Self_), losses::tell)
        .get("/lost/card", Nothing, losses::ask_card)
        .post("/lost/card", Nothing, losses::by_card)
        .post("/lost/card/tell", Nothing, losses::tell_by_card)
        .get("/people/{id}/lost", Look(Action::LossTell, On::Person), losses::ask_for)
        .post("/people/{id}/lost", Look(Action::LossTell, On::Person), losses::tell_for)
        .get("/me/card", May(Action::OwnSee, On::Self_), losses::card)
        .post("/me/card", May(Action::OwnChange, On::Self_), losses::make_card)
        .post("/me/card/end", May(Action::OwnChange, On::Self_), losses::end_card)
        .get("/losses", May(Action::OwnSee, On::Self_), losses::list)
        .get("/losses/{loss}", Look(Action::LossSee, On::Loss), losses::get)
        .get("/losses/{loss}/certificate.pdf", Look(Action::LossSee, On::Loss), losses::certificate)
        .post("/losses/{loss}/step", Look(Action::LossTell, On::Loss), losses::step)
        .post("/losses/{loss}/note", Look(Action::LossTell, On::Loss), losses::note)
        .post("/losses/{loss}/card/end", Look(Action::LossHandle, On::Loss), losses::end_their_card)
        .post("/losses/{loss}/back", Proof(Action::LossTell, On::Loss), losses::back)
        .post("/people/{id}/terms", Look(Action::PersonChange, On::Person), person::bind)
        .post("/people/{id}/terms/end", Look(Action::PersonChange, On::Person), person::release)
        .get("/reports", May(Action::OverviewSee, On::Organisation), reports::list)
        .get("/reports/{name}", May(Action::OverviewSee, On::Organisation), reports::get)
        .get("/reports/{name}/csv", May(Action::OverviewSee, On::Organisation), reports::csv)
        .get("/reports/{name}/pdf", May(Action::OverviewSee, On::Organisation), reports::pdf)
        .get("/reports/oscal/{name}", May(Action::OverviewSee, On::Organisation), reports::oscal)
        .get("/gate/enter/{application}", May(Action::OwnSee, On::Self_), gate::enter)
        .get("/gate/device", May(Action::OwnSee, On::Self_), gate::device)
        .get("/gate/device/back", May(Action::OwnSee, On::Self_), gate::back)
        .get("/gate/glass/{application}", Seal, glass::get)
        .post("/gate/glass/{application}", Seal, glass::post)
        .get("/gate/refused/{application}", May(Action::OwnSee, On::Self_), gate::refused)
        .get("/search", May(Action::Search, On::Organisation), people::search)
        .get("/system", May(Action::SystemSee, On::Organisation), system::get)
        .get("/system/messages", May(Action::SystemSee, On::Organisation), messages::get)
        .post("/system/messages/hooks", Proof(Action::SystemChange, On::Organisation), messages::add)
        .post("/system/messages/hooks/test", May(Action::SystemChange, On::Organisation), messages::test)
        .post("/system/messages/hooks/end", Proof(Action::SystemChange, On::Organisation), messages::end)
        .post("/system/messages/retry", May(Action::SystemChange, On::Organisation), messages::retry)
        .get("/proof", May(Action::RulesSee, On::Organisation), proof::get)
        .get("/proof/{requirement}", May(Action::RulesSee, On::Organisation), evidence::get)
        .get("/ledger", May(Action::LedgerSee, On::Organisation), ledger::list)
        .get("/ledger/entries/{index}", May(Action::EntrySee, On::Entry), ledger::entry)
        .get("/ledger/entries/{index}/bundle", May(Action::EntrySee, On::Entry), ledger::bundle)
        .get("/ledger/checkpoint", Nothing, ledger::checkpoint)
        .get("/ledger/key", Nothing, ledger::key)
        .get("/ledger/tile/{level}/{*index}", Nothing, ledger::tile)
        .get("/problems/{slug}", Nothing, problems::get)
        .get("/styleguide", Nothing, styleguide::get)
}

/// Somebody signed in who reads a page, and how they are spoken to.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Them.
    pub caller: Caller,
    /// How they are spoken to.
    pub words: Words,
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let Ok(words) = Words::from_request_parts(parts, state).await;
        Ok(Self { caller, words })
    }
}

/// What every page has.
#[derive(Debug)]
struct Base {
    title: String,
    /// The address of the section that the menu marks.
    section: &'static str,
    /// How the reader is spoken to.
    words: Words,
    /// The reader, when somebody is signed in.
    reader: Option<Shown>,
    /// Whether the page is for those who compare much at once.
    expert: bool,
    /// Whether everybody and everything here is made up.
    sample: bool,
    /// Whether the policy should have been reviewed by now.
    stale: bool,
    /// Whether it's not known which policy is in effect, and so nothing is open to anybody.
    in_doubt: bool,
}

/// What a page shows of its reader.
#[derive(Debug)]
struct Shown {
    name: String,
    roles: String,
    policy: String,
    menu: Vec<(&'static str, String)>,
}

impl Base {
    /// A dense page for experts.
    fn of(app: &App, reader: &Reader, title: impl Into<String>, section: &'static str) -> Self {
        let words = reader.words.clone();
        let caller = &reader.caller;
        let roles: Vec<String> =
            Role::ALL.into_iter().filter(|role| caller.holds(*role)).map(|role| words.role(role)).collect();
        let shown = Shown {
            name: caller.person().name.clone(),
            roles: roles.join(", "),
            policy: app.pack().label(),
            menu: menu(caller, &words),
        };
        Self {
            title: title.into(),
            section,
            words,
            reader: Some(shown),
            expert: true,
            sample: app.is_sample(),
            stale: app.is_stale(),
            in_doubt: app.pack().is_in_doubt(),
        }
    }

    /// A page that reads easily.
    fn plain(app: &App, reader: &Reader, title: impl Into<String>, section: &'static str) -> Self {
        Self { expert: false, ..Self::of(app, reader, title, section) }
    }

    fn public(words: &Words, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            section: "",
            words: words.clone(),
            reader: None,
            expert: false,
            sample: false,
            stale: false,
            in_doubt: false,
        }
    }

    fn asset(&self, name: &str) -> String {
        assets::address(name)
    }

    fn say(&self, name: &str) -> String {
        self.words.say(name)
    }
}

/// The menu: what somebody's roles open.
fn menu(caller: &Caller, words: &Words) -> Vec<(&'static str, String)> {
    let any = |roles: &[Role]| roles.iter().any(|role| caller.holds(*role));
    let overview = any(&[Role::Security, Role::Coordinator, Role::Auditor]);
    let people = overview || any(&[Role::Records, Role::Manager, Role::Operator]);
    [
        (true, "/home", "menu-home"),
        (any(&[Role::Manager]), "/team", "menu-team"),
        (overview, "/overview", "menu-overview"),
        (people, "/people", "menu-people"),
        (overview, "/devices", "menu-devices"),
        (!caller.who().grants.is_empty(), "/cases", "menu-cases"),
        (overview || any(&[Role::Manager]), "/losses", "menu-losses"),
        (true, "/rules", "menu-rules"),
        (true, "/policy", "menu-policy"),
        (people, "/proof", "menu-proof"),
        (overview || any(&[Role::Operator]), "/ledger", "menu-ledger"),
        (any(&[Role::Operator, Role::Auditor]), "/system", "menu-system"),
        (true, "/me", "menu-record"),
    ]
    .into_iter()
    .filter(|(there, ..)| *there)
    .map(|(_, address, name)| (address, words.say(name)))
    .collect()
}

/// A page that could not be shown.
#[derive(Debug)]
pub struct PageError(Refusal);

impl<T: Into<Refusal>> From<T> for PageError {
    fn from(error: T) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        refused(self.0, true)
    }
}

/// What page handlers give.
type Page = Result<Response, PageError>;

/// A template as a page.
fn page(template: &impl Template) -> Page {
    match template.render() {
        Ok(html) => Ok(HtmlBody(html).into_response()),
        Err(error) => {
            tracing::error!(%error, "page could not be rendered");
            Err(Refusal::new(
                Kind::Internal,
                "This page did not load. It is our fault, and nothing is lost. Try again.",
            )
            .into())
        }
    }
}

fn nothing_here(what: &str) -> PageError {
    Refusal::new(Kind::NotFound, format!("There is no such {what}. It may have been named wrongly.")).into()
}

/// A file to download.
fn download(name: &str, kind: &'static str, body: impl Into<axum::body::Body>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], body.into())
        .into_response()
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    base: Base,
    problem: Problem,
}

/// A refusal that waits to be said in the reader's words.
#[derive(Clone, Debug)]
struct ToSay(Arc<Refusal>);

/// A refusal as the API answers it, or as a page that [`say_refusals`] writes.
pub fn refused(refusal: Refusal, as_page: bool) -> Response {
    if !as_page {
        return problem_response(&refusal.problem(&Words::english()));
    }
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(ToSay(Arc::new(refusal)));
    response
}

/// Writes the page of a refusal, in the words of whoever asked.
pub async fn say_refusals(request: Request, next: Next) -> Response {
    let asked = Words::asked(request.headers());
    let mut response = next.run(request).await;
    let Some(ToSay(refusal)) = response.extensions_mut().remove::<ToSay>() else { return response };
    let words = response.extensions_mut().remove::<Words>().unwrap_or(asked);
    problem_page(&words, &refusal.problem(&words))
}

/// A problem as a page.
fn problem_page(words: &Words, problem: &Problem) -> Response {
    let template = ProblemPage { base: Base::public(words, problem.title.clone()), problem: problem.clone() };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match template.render() {
        Ok(html) => (status, HtmlBody(html)).into_response(),
        Err(_) => problem_response(problem),
    }
}

/// Percent-encodes what is not plain in a query.
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

impl From<askama::Error> for Refusal {
    fn from(error: askama::Error) -> Self {
        tracing::error!(%error, "page could not be rendered");
        Self::new(Kind::Internal, "This page did not load. It is our fault, and nothing is lost. Try again.")
    }
}

/// JSON that a page writes; its failure is the store's kind of failure.
fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    Ok(serde_json::to_string_pretty(value)?)
}

//! The API: what the pages can do, for programs; and what devices say. One kind of thing, one file. The
//! document that describes it is made from the same code.

mod answers;
mod cases;
mod certificates;
mod check_ins;
mod devices;
mod enrolments;
mod exceptions;
mod given;
mod ledger;
mod losses;
mod me;
mod notices;
pub mod openapi;
mod people;
mod policy;
mod reports;
mod roles;
mod rules;
mod search;
mod shapes;
mod system;
mod teams;
mod then;
mod tunnels;
mod units;

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
    http::header,
};
use stead_model::problem::Kind;

pub use answers::answer;

use crate::{
    auth::{
        access::Action,
        guard::{Need, On, Routes},
    },
    error::{ApiError, Refusal},
};

/// The largest message taken, in bytes. A report has about four thousand.
pub const MAX_MESSAGE: usize = 256 * 1024;

/// Adds the API.
pub fn routes(routes: Routes) -> Routes {
    use Need::{Look, May, Nothing, Proof, Seal};
    routes
        .post("/api/v1/check-ins", Seal, check_ins::post)
        .post("/api/v1/enrolments", Seal, enrolments::post)
        .post("/api/v1/notices", Seal, notices::post)
        .post("/api/v1/tunnels", Seal, tunnels::post)
        .post("/api/v1/certificates", Seal, certificates::post)
        .post("/api/v1/loss-reports", Seal, losses::by_device)
        .post("/api/v1/loss-reports/card", Seal, losses::by_card)
        .post("/api/v1/farewells", Seal, losses::farewell)
        .get("/api/v1/openapi.json", Nothing, openapi::get)
        .get("/api/v1/me", May(Action::OwnSee, On::Self_), me::get)
        .patch("/api/v1/me", May(Action::OwnChange, On::Self_), me::change)
        .get("/api/v1/me/record", Proof(Action::OwnSee, On::Self_), me::record)
        .get("/api/v1/me/record.pdf", Proof(Action::OwnSee, On::Self_), me::record_pdf)
        .get("/api/v1/me/notices", May(Action::OwnSee, On::Self_), me::notices)
        .put("/api/v1/me/notices/choice", May(Action::OwnChange, On::Self_), me::choose)
        .get("/api/v1/me/sessions", May(Action::OwnSee, On::Self_), me::sessions)
        .delete("/api/v1/me/sessions/{session}", May(Action::OwnChange, On::Self_), me::end_session)
        .get("/api/v1/me/tokens", May(Action::OwnSee, On::Self_), me::tokens)
        .delete("/api/v1/me/tokens/{token}", May(Action::OwnChange, On::Self_), me::end_token)
        .get("/api/v1/people", May(Action::PeopleList, On::Unit), people::list)
        .post("/api/v1/people", May(Action::PeopleAdd, On::Unit), people::add)
        .post("/api/v1/people/imports", May(Action::PeopleImport, On::Organisation), people::import)
        .get("/api/v1/people/{id}", Look(Action::PersonSee, On::Person), people::get)
        .patch("/api/v1/people/{id}", Look(Action::PersonChange, On::Person), people::change)
        .put("/api/v1/people/{id}/state", Look(Action::PersonChange, On::Person), people::state)
        .post("/api/v1/people/{id}/links", May(Action::PersonInvite, On::Person), people::link)
        .post("/api/v1/people/{id}/codes", May(Action::DeviceEnrol, On::Person), people::code)
        .post("/api/v1/people/{id}/returns", Look(Action::PersonChange, On::Person), people::returned)
        .get("/api/v1/people/{id}/roles", Proof(Action::RolesGive, On::Organisation), roles::list)
        .put(
            "/api/v1/people/{id}/roles/{role}/{of_unit}",
            Proof(Action::RolesGive, On::Organisation),
            roles::give,
        )
        .delete(
            "/api/v1/people/{id}/roles/{role}/{of_unit}",
            Proof(Action::RolesGive, On::Organisation),
            roles::take,
        )
        .get("/api/v1/units", May(Action::UnitsSee, On::Organisation), units::list)
        .post("/api/v1/units", May(Action::UnitsChange, On::Organisation), units::add)
        .patch("/api/v1/units/{unit}", May(Action::UnitsChange, On::Organisation), units::change)
        .get("/api/v1/team", May(Action::TeamSee, On::Unit), teams::get)
        .get("/api/v1/team/attestations", May(Action::TeamAttest, On::Unit), teams::waiting)
        .post("/api/v1/team/attestations", May(Action::TeamAttest, On::Unit), teams::attest)
        .get("/api/v1/devices", May(Action::DevicesList, On::Organisation), devices::list)
        .get("/api/v1/devices/{id}", Look(Action::DeviceSee, On::Device), devices::get)
        .get("/api/v1/devices/{id}/report", Look(Action::DeviceSee, On::Device), devices::report)
        .post("/api/v1/devices/{id}/revocation", Look(Action::DeviceRevoke, On::Device), devices::revoke)
        .get("/api/v1/policy", May(Action::RulesSee, On::Organisation), policy::get)
        .get("/api/v1/policy/versions/{digest}", May(Action::RulesSee, On::Organisation), policy::version)
        .get("/api/v1/policy/reach", May(Action::OverviewSee, On::Organisation), policy::reach)
        .get("/api/v1/policy/keys", May(Action::PolicyWrite, On::Organisation), policy::keys)
        .get("/api/v1/policy/proposals", May(Action::PolicyWrite, On::Organisation), policy::proposals)
        .post("/api/v1/policy/proposals", May(Action::PolicyWrite, On::Organisation), policy::propose)
        .post(
            "/api/v1/policy/proposals/{proposal}/approval",
            Proof(Action::PolicyWrite, On::Organisation),
            policy::approve,
        )
        .delete(
            "/api/v1/policy/proposals/{proposal}",
            May(Action::PolicyWrite, On::Organisation),
            policy::withdraw,
        )
        .post("/api/v1/policy/reviews", May(Action::PolicyWrite, On::Organisation), policy::review)
        .post("/api/v1/me/confirmations", May(Action::OwnChange, On::Self_), policy::confirm)
        .get("/api/v1/exceptions", May(Action::OwnSee, On::Self_), exceptions::list)
        .get("/api/v1/exceptions/{exception}", Look(Action::ExceptionSee, On::Exception), exceptions::get)
        .delete("/api/v1/exceptions/{exception}", Look(Action::ExceptionEnd, On::Exception), exceptions::end)
        .post(
            "/api/v1/exceptions/{exception}/decision",
            Look(Action::ExceptionDecide, On::Exception),
            exceptions::decide,
        )
        .post("/api/v1/people/{id}/exceptions", Look(Action::ExceptionAsk, On::Person), exceptions::ask)
        .get("/api/v1/people/{id}/terms", Look(Action::PersonSee, On::Person), exceptions::terms)
        .post("/api/v1/people/{id}/terms", Look(Action::PersonChange, On::Person), exceptions::bind)
        .delete(
            "/api/v1/people/{id}/terms/{term}",
            Look(Action::PersonChange, On::Person),
            exceptions::release,
        )
        .get("/api/v1/cases", May(Action::OwnSee, On::Self_), cases::list)
        .get("/api/v1/cases/{case}", Look(Action::CaseSee, On::Case), cases::get)
        .post("/api/v1/cases/{case}/answers", May(Action::CaseAnswer, On::Case), cases::answer)
        .post("/api/v1/cases/{case}/appeal", May(Action::CaseAnswer, On::Case), cases::appeal)
        .post("/api/v1/cases/{case}/decisions", Look(Action::CaseDecide, On::Case), cases::decide)
        .post("/api/v1/cases/{case}/takeover", Look(Action::CaseDecide, On::Case), cases::take)
        .post("/api/v1/people/{id}/losses", Look(Action::LossTell, On::Person), losses::tell)
        .get("/api/v1/losses", May(Action::OwnSee, On::Self_), losses::list)
        .get("/api/v1/losses/{loss}", Look(Action::LossSee, On::Loss), losses::get)
        .get("/api/v1/losses/{loss}/certificate.pdf", Look(Action::LossSee, On::Loss), losses::certificate)
        .post("/api/v1/losses/{loss}/steps", Look(Action::LossTell, On::Loss), losses::step)
        .post("/api/v1/losses/{loss}/notes", Look(Action::LossTell, On::Loss), losses::note)
        .post("/api/v1/losses/{loss}/return", Proof(Action::LossTell, On::Loss), losses::back)
        .get("/api/v1/rules", May(Action::RulesSee, On::Organisation), rules::list)
        .get("/api/v1/rules/{id}", May(Action::RulesSee, On::Organisation), rules::get)
        .get("/api/v1/rules/{id}/findings", May(Action::FindingsList, On::Organisation), rules::findings)
        .get("/api/v1/overview", May(Action::OverviewSee, On::Organisation), rules::overview)
        .get("/api/v1/then", May(Action::LedgerSee, On::Organisation), then::get)
        .get("/api/v1/devices/{id}/then", Look(Action::DeviceSee, On::Device), then::device)
        .get("/api/v1/reports/{name}", May(Action::OverviewSee, On::Organisation), reports::get)
        .get("/api/v1/oscal/{name}", May(Action::OverviewSee, On::Organisation), reports::oscal)
        .get("/api/v1/search", May(Action::Search, On::Organisation), search::get)
        .get("/api/v1/ledger", May(Action::LedgerSee, On::Organisation), ledger::list)
        .get("/api/v1/ledger/{index}", May(Action::EntrySee, On::Entry), ledger::get)
        .get("/api/v1/system", May(Action::SystemSee, On::Organisation), system::get)
        .get("/api/v1/system/hooks", May(Action::SystemSee, On::Organisation), system::hooks)
        .post("/api/v1/system/hooks", Proof(Action::SystemChange, On::Organisation), system::add_hook)
        .delete(
            "/api/v1/system/hooks/{hook}",
            Proof(Action::SystemChange, On::Organisation),
            system::end_hook,
        )
        .get("/api/v1/system/deliveries", May(Action::SystemSee, On::Organisation), system::deliveries)
        .post(
            "/api/v1/system/deliveries/{delivery}/retry",
            May(Action::SystemChange, On::Organisation),
            system::retry,
        )
}

/// A body of JSON, as text, within the limit.
#[derive(Debug)]
pub struct JsonText(pub String);

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            return Err(Refusal::new(Kind::WrongMediaType, "Send it as application/json.").into());
        }
        let too_large = || Refusal::new(Kind::TooLarge, format!("At most {MAX_MESSAGE} bytes are taken."));
        // Somewhat more is read and thrown away, so that the sender hears why instead of a broken connection.
        let bytes = to_bytes(request.into_body(), 4 * MAX_MESSAGE).await.map_err(|_| too_large())?;
        if bytes.len() > MAX_MESSAGE {
            return Err(too_large().into());
        }
        String::from_utf8(bytes.to_vec())
            .map(Self)
            .map_err(|_| Refusal::new(Kind::Malformed, "The body is not UTF-8.").into())
    }
}

//! The description of the API, made from its own code: OpenAPI 3.1 at `/api/v1/openapi.json`.

use std::sync::{Arc, OnceLock};

use axum::{
    extract::State,
    http::{Method, header},
    response::IntoResponse,
};
use serde_json::{Value, json};
use stead_model::{Employment, Outcome, Role, Standing, loss::Thing, problem::Kind};
use stead_store::delivery::STATES as DELIVERY_STATES;
use utoipa::{OpenApi, ToSchema};

use super::{
    cases, devices, exceptions, ledger, losses, me, people, policy, reports, roles, rules, search, system,
    teams, then, units,
};
use crate::{
    App,
    auth::guard::{Need, PURPOSE, Route},
    flows::{
        attest, enrol, look,
        notices::{Soon, hooks},
        policy::{reach, review},
    },
    serve,
    words::Language,
};

/// What went wrong, and what to do (RFC 9457).
#[derive(ToSchema)]
#[expect(dead_code, reason = "a description alone; problems are made by the model")]
pub struct Problem {
    /// The kind: an address that explains it.
    r#type: String,
    /// The kind in a sentence.
    title: String,
    /// The status.
    status: u16,
    /// What happened this time, then what to do.
    detail: String,
    /// What is wrong with which field.
    errors: Option<Vec<WrongField>>,
}

/// What is wrong with one field.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a description alone; problems are made by the model")]
pub struct WrongField {
    /// The field.
    field: String,
    /// What is wrong, then what to do.
    detail: String,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Stead",
        description = "What the pages of Stead can do, for programs. Lists go on where `next` says. Another \
            person's record opens to a purpose alone, which its person sees. What changes something can be \
            sent again under the same `Idempotency-Key`.",
    ),
    paths(
        me::get, me::change, me::record, me::record_pdf, me::notices, me::choose, me::sessions, me::end_session, me::tokens,
        me::end_token, people::list, people::add, people::import, people::get, people::change, people::state,
        people::link, people::code, people::returned, roles::list, roles::give, roles::take,
        search::get, units::list, units::add, units::change, teams::get, teams::waiting, teams::attest, devices::list,
        devices::get, devices::report, devices::revoke, rules::list, rules::get, policy::get, policy::confirm,
        policy::version, policy::reach, policy::keys, policy::proposals, policy::propose, policy::approve, policy::withdraw,
        policy::review, rules::findings, exceptions::list, exceptions::get, exceptions::ask, exceptions::decide,
        exceptions::end, exceptions::terms, exceptions::bind, exceptions::release, cases::list, cases::get,
        cases::answer, cases::appeal, cases::decide, cases::take, losses::tell, losses::list, losses::get,
        losses::certificate, losses::step, losses::note, losses::back,
        reports::get, reports::oscal, rules::overview, ledger::list, ledger::get, system::get, system::hooks, system::add_hook,
        system::end_hook, system::deliveries, system::retry, then::get, then::device,
    ),
    components(schemas(Problem)),
    tags(
        (name = "me", description = "One's own."),
        (name = "people", description = "The directory."),
        (name = "units", description = "The tree of units."),
        (name = "teams", description = "Teams and their attestation."),
        (name = "devices", description = "Devices."),
        (name = "rules", description = "The policy, and how it is kept."),
        (name = "fairness", description = "Exceptions, cases, terms of one person."),
        (name = "losses", description = "What was lost, the doors that were shut for it, and what is done about it."),
        (name = "reports", description = "Reports, and the documents of OSCAL."),
        (name = "ledger", description = "The ledger."),
        (name = "system", description = "The installation."),
    ),
)]
struct Described;

/// `GET /api/v1/openapi.json`.
pub async fn get(State(app): State<Arc<App>>) -> impl IntoResponse {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let (_, routes) = serve::routes(&app).done();
        document(&routes).to_string()
    });
    ([(header::CONTENT_TYPE, "application/json")], text.as_str())
}

/// Statuses that any operation may answer a program with that asks for something it cannot have.
const REFUSALS: [u16; 9] = [400, 401, 403, 404, 409, 413, 415, 422, 503];

/// Properties that take one of a few words: schema, property, the words.
fn words() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let soon = Soon::ALL.map(Soon::word).to_vec();
    let tags = std::iter::once("").chain(Language::ALL.map(Language::tag)).collect();
    vec![
        ("Spoken", "language", tags),
        ("Chosen", "devices", soon.clone()),
        ("Chosen", "tasks", soon.clone()),
        ("Chosen", "record", soon),
        ("Moved", "state", Employment::ALL.map(Employment::word).to_vec()),
        ("CodeSent", "owner", enrol::OWNERS.to_vec()),
        ("AnswerSent", "answer", attest::ANSWERS.to_vec()),
        ("Reviewed", "outcome", review::OUTCOMES.to_vec()),
        ("Missing", "why", reach::Why::ALL.map(reach::Why::word).to_vec()),
        ("HookSent", "kind", hooks::KINDS.to_vec()),
        ("HookSent", "events", hooks::EVENTS.to_vec()),
        ("PersonRow", "state", Employment::ALL.map(Employment::word).to_vec()),
        ("RoleHeld", "role", Role::ALL.map(Role::word).to_vec()),
        ("DeviceRow", "standing", Standing::ALL.map(Standing::word).to_vec()),
        ("CaseDecided", "decision", cases::DECISIONS.to_vec()),
        ("CaseRow", "state", stead_store::case::State::ALL.map(|state| state.word()).to_vec()),
        ("LossRow", "thing", Thing::ALL.map(Thing::word).to_vec()),
        ("LossRow", "state", stead_store::loss::State::ALL.map(|state| state.word()).to_vec()),
        ("LossSent", "thing", Thing::ALL.map(Thing::word).to_vec()),
        ("LossReturned", "how", losses::RETURNS.to_vec()),
        ("ExceptionRow", "state", stead_store::exception::State::ALL.map(|state| state.word()).to_vec()),
        ("Finding", "outcome", Outcome::ALL.map(Outcome::word).to_vec()),
        ("DeliveryRow", "state", DELIVERY_STATES.to_vec()),
    ]
}

/// The document, with what the routes need written beside what the handlers say.
pub fn document(routes: &[Route]) -> Value {
    let mut document = serde_json::to_value(Described::openapi()).unwrap_or_default();
    document["components"]["securitySchemes"] = json!({
        "token": { "type": "http", "scheme": "bearer",
            "description": "A token, made on the page “Tokens”. It is good for its scopes alone." },
    });
    document["security"] = json!([{ "token": [] }]);
    for (schema, property, words) in words() {
        let described = &mut document["components"]["schemas"][schema]["properties"][property];
        let list = described["items"].is_object();
        let one = if list { &mut described["items"] } else { described };
        one["enum"] = json!(words);
    }
    for route in routes {
        let (Need::May(action, _) | Need::Look(action, _) | Need::Proof(action, _)) = route.need else {
            continue;
        };
        let method = route.method.as_str().to_lowercase();
        let paths = document["paths"].as_object_mut();
        let Some(operation) = paths.and_then(|paths| paths.get_mut(route.path)?.get_mut(&method)) else {
            continue;
        };
        let scope = action.scope().word();
        let said = operation["summary"].as_str().unwrap_or_default().to_owned();
        operation["description"] = json!(format!("{said} Needs a token that is good for `{scope}`."));
        operation["x-stead-action"] = json!(action.word());
        // Handlers in different files have the same names; an operation's must be its own.
        let words = route.path.trim_start_matches("/api/v1/").replace(['{', '}'], "");
        operation["operationId"] = json!(format!("{method}_{}", words.replace(['/', '-'], "_")));
        let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in &mut parameters {
            let words = match (route.path, parameter["name"].as_str().unwrap_or_default()) {
                (_, "role") => Role::ALL.map(Role::word).to_vec(),
                ("/api/v1/people", "state") => Employment::ALL.map(Employment::word).to_vec(),
                ("/api/v1/devices", "standing") => Standing::ALL.map(Standing::word).to_vec(),
                ("/api/v1/system/deliveries", "state") => DELIVERY_STATES.to_vec(),
                _ => continue,
            };
            parameter["schema"] = json!({ "type": "string", "enum": words });
        }
        if matches!(route.need, Need::Look(..)) {
            parameters.push(json!({
                "name": PURPOSE, "in": "header", "required": false, "schema": { "type": "string" },
                "example": "help; ticket 41",
                "description": format!(
                    "What another person's record is needed for: {}, and after a semicolon what it is in a few \
                     words. It is asked once an hour, and shown to that person.",
                    look::PURPOSES.join(", ")
                ),
            }));
        }
        let changes = route.method != Method::GET;
        if changes {
            parameters.push(json!({
                "name": "Idempotency-Key", "in": "header", "required": false,
                "schema": { "type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]+$" },
                "description": "Sent again with the same key, the request is answered as before and nothing happens twice.",
            }));
        }
        operation["parameters"] = Value::Array(parameters);
        let mut statuses = REFUSALS.to_vec();
        if operation["parameters"].to_string().contains("If-Match") {
            statuses.push(Kind::Moved.status());
        }
        for status in statuses {
            operation["responses"][status.to_string()] = json!({
                "description": "A problem: what happened and what to do.",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            });
        }
        if !changes {
            operation["responses"]["304"] = json!({ "description": "It is as the `If-None-Match` says." });
        }
    }
    document
}

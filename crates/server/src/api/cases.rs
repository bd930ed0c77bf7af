//! Cases: what follows when a rule is not kept.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use stead_model::{RecordId, problem::Kind};
use stead_store::case::Case;
use utoipa::{IntoParams, ToSchema};

use super::{
    given::{self, Asked, Id, Sent},
    shapes::{Named, Part, at},
};
use crate::{
    App,
    auth::guard::{self, Caller},
    error::{ApiError, FieldError, Refusal},
    flows::cases,
    web::cases::{decision, may_see},
};

/// A case.
#[derive(Serialize, ToSchema)]
pub struct CaseRow {
    /// Its id.
    #[schema(format = Uuid)]
    id: String,
    /// Whom it is about.
    person: Named,
    /// Their unit when it was opened.
    unit: Named,
    /// The rule that was not kept.
    rule: String,
    /// The version it was judged under.
    policy: String,
    /// How far it has come: `told`, `manager`, `decision`, `answer`, `answered`, `decided`, `appeal` or
    /// `closed`.
    state: &'static str,
    /// What came of it; empty while it is open.
    outcome: String,
    /// The sanction, in the words of the policy; empty where there is none. In lists only where it is about
    /// oneself.
    sanction: String,
    /// When it was opened.
    #[schema(format = DateTime)]
    opened_at: String,
    /// When it goes on by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next_at: Option<String>,
    /// Who decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Uuid)]
    decider: Option<String>,
    /// Who decides on an appeal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Uuid)]
    second: Option<String>,
    /// When the rule was kept again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    mended_at: Option<String>,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    closed_at: Option<String>,
}

impl From<&Case> for CaseRow {
    fn from(case: &Case) -> Self {
        Self {
            id: case.id.to_string(),
            person: Named::new(case.person, &case.person_name),
            unit: Named::new(case.unit, &case.unit_name),
            rule: case.rule.clone(),
            policy: case.policy.clone(),
            state: case.state.word(),
            outcome: case.outcome.clone(),
            sanction: case.sanction.clone(),
            opened_at: at(case.opened_at),
            next_at: case.next_at.map(at),
            decider: case.decider.map(|by| by.to_string()),
            second: case.second.map(|by| by.to_string()),
            mended_at: case.mended_at.map(at),
            closed_at: case.closed_at.map(at),
        }
    }
}

/// Something that happened in a case.
#[derive(Serialize, ToSchema)]
pub struct CaseStep {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who did it; left out where Stead did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Uuid)]
    by: Option<String>,
    /// What, by name.
    kind: String,
    /// What they said.
    words: String,
}

/// A case with what was seen and what happened.
#[derive(Serialize, ToSchema)]
pub struct CaseWhole {
    /// The case.
    case: CaseRow,
    /// What was seen when it was opened. It never changes; the ledger holds its digest.
    #[schema(value_type = Object)]
    evidence: serde_json::Value,
    /// What the digest of the evidence is salted with: SHA-256 over salt, a line feed, and the evidence.
    salt: String,
    /// What happened, in order.
    steps: Vec<CaseStep>,
}

/// Which are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhichCases {
    /// One state alone; without it, all that are open.
    state: Option<String>,
    /// `next` of the part before.
    after: Option<String>,
    /// How many, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// Lists cases: one's own, and those that one may see. A part may hold fewer than asked for and go on.
#[utoipa::path(get, path = "/api/v1/cases", tag = "fairness", params(WhichCases),
    responses((status = 200, body = Part<CaseRow>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Asked(which): Asked<WhichCases>,
) -> Result<Json<Part<CaseRow>>, ApiError> {
    let limit = given::limit(which.limit)?;
    let state = match which.state.as_deref() {
        None => None,
        Some(word) => Some(
            stead_store::case::State::from_word(word)
                .ok_or_else(|| Refusal::form(FieldError::new("state", "state-wrong")))?,
        ),
    };
    let before = match given::after(which.after.as_deref())? {
        Some((id, _)) => Some(given::id("after", &id, "after-wrong")?),
        None => None,
    };
    let mut all = app.store.cases(&caller.within(), state, before, limit + 1).await?;
    let next = given::next(&mut all, limit, |last| (last.id.to_string(), String::new()));
    let mut items = Vec::new();
    let mut people = guard::People::of(&app);
    for case in &all {
        let object = people.object(case.person).await?;
        if object.is_some_and(|object| may_see(&app, &caller, case, object)) {
            let mut row = CaseRow::from(case);
            if case.person != caller.id() {
                // What was decided is read where it was said what for: on the case itself.
                row.sanction.clear();
            }
            items.push(row);
        }
    }
    Ok(Json(Part { items, next }))
}

/// Gives one case, whole.
#[utoipa::path(get, path = "/api/v1/cases/{case}", tag = "fairness",
    params(("case" = String, Path, format = Uuid)), responses((status = 200, body = CaseWhole)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
) -> Result<Json<CaseWhole>, ApiError> {
    let nothing = || Refusal::said(Kind::NotFound, "nothing-here");
    let case = app.store.case(id).await?.ok_or_else(nothing)?;
    let object = guard::person_object(&app, case.person).await?.ok_or_else(nothing)?;
    if !may_see(&app, &caller, &case, &object) {
        return Err(nothing().into());
    }
    let steps = app.store.case_events(id).await?.into_iter().map(|event| CaseStep {
        at: at(event.at),
        by: event.by.map(|by| by.to_string()),
        kind: event.kind,
        words: event.words,
    });
    Ok(Json(CaseWhole {
        case: (&case).into(),
        evidence: serde_json::from_str(&case.evidence).unwrap_or_default(),
        salt: case.salt.clone(),
        steps: steps.collect(),
    }))
}

/// What somebody says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseSaid {
    /// At least a sentence.
    words: String,
}

/// Says what there is to say in a case about oneself.
#[utoipa::path(post, path = "/api/v1/cases/{case}/answers", tag = "fairness",
    params(("case" = String, Path, format = Uuid)), request_body = CaseSaid, responses((status = 204)))]
pub async fn answer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
    Sent(sent): Sent<CaseSaid>,
) -> Result<StatusCode, ApiError> {
    cases::answer(&app, caller.id(), id, &sent.words).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Appeals what was decided about oneself.
#[utoipa::path(post, path = "/api/v1/cases/{case}/appeal", tag = "fairness",
    params(("case" = String, Path, format = Uuid)), request_body = CaseSaid, responses((status = 204)))]
pub async fn appeal(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
    Sent(sent): Sent<CaseSaid>,
) -> Result<StatusCode, ApiError> {
    cases::appeal(&app, caller.id(), id, &sent.words).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What can be decided.
pub const DECISIONS: [&str; 7] = ["dismiss", "open", "none", "sanction", "uphold", "lift", "change"];

/// What somebody decides.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseDecided {
    /// `dismiss`, `open`, `none`, `sanction`, `uphold`, `lift` or `change`.
    decision: String,
    /// The place of the sanction on the policy's ladder, from 0.
    #[serde(default)]
    #[schema(minimum = 0)]
    sanction: Option<u16>,
    /// The reasons.
    words: String,
}

/// Decides what one is named to decide.
#[utoipa::path(post, path = "/api/v1/cases/{case}/decisions", tag = "fairness",
    params(("case" = String, Path, format = Uuid)), request_body = CaseDecided, responses((status = 204)))]
pub async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
    Sent(sent): Sent<CaseDecided>,
) -> Result<StatusCode, ApiError> {
    let sanction = sent.sanction.map_or_else(String::new, |place| place.to_string());
    let decision = decision(&sent.decision, &sanction)
        .ok_or_else(|| Refusal::form(FieldError::new("decision", "case-decision-wrong")))?;
    cases::decide(&app, caller.id(), id, &decision, &sent.words).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes over a case that waits for a decision.
#[utoipa::path(post, path = "/api/v1/cases/{case}/takeover", tag = "fairness",
    params(("case" = String, Path, format = Uuid)), request_body = CaseSaid, responses((status = 204)))]
pub async fn take(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
    Sent(sent): Sent<CaseSaid>,
) -> Result<StatusCode, ApiError> {
    cases::take(&app, caller.id(), id, &sent.words).await?;
    Ok(StatusCode::NO_CONTENT)
}

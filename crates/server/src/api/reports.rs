//! Reports in numbers, and the documents of OSCAL.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::Value;
use stead_model::problem::Kind;
use utoipa::IntoParams;

use super::given::Asked;
use crate::{
    App,
    error::{ApiError, FieldError, Refusal},
    oscal,
    reports::{self, Report},
    words::Words,
};

/// Which month is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhichMonth {
    /// The month of a report about a month, as `2026-10`; this one without it.
    month: Option<String>,
}

/// Gives a report: `posture`, `confirmations`, `exceptions`, `cases` or `month`. Nobody is named in it.
#[utoipa::path(get, path = "/api/v1/reports/{name}", tag = "reports",
    params(("name" = String, Path), WhichMonth), responses((status = 200, body = Report)))]
pub async fn get(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Asked(which): Asked<WhichMonth>,
) -> Result<Json<Report>, ApiError> {
    let words = Words::english();
    let month = match &which.month {
        None => None,
        Some(month) => Some(
            words
                .day_begins(&format!("{month}-01"))
                .ok_or_else(|| Refusal::form(FieldError::new("month", "policy-day")))?,
        ),
    };
    let report = reports::gather(&app, &name, month, &words).await?;
    Ok(Json(report.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))?))
}

/// Gives a document of OSCAL 1.1.3: `component-definition`, `assessment-results` or `poam`.
#[utoipa::path(get, path = "/api/v1/oscal/{name}", tag = "reports",
    params(("name" = String, Path)), responses((status = 200, body = Object)))]
pub async fn oscal(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let document = oscal::document(&app, &name).await?;
    Ok(Json(document.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))?))
}

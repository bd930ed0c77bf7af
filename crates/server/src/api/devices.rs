//! Devices: how they stand, why, and revoking them.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use stead_model::{DeviceId, Standing, problem::Kind};
use stead_store::{device::Filter, finding::StoredFinding};
use utoipa::{IntoParams, ToSchema};

use super::{
    given::{Asked, Id, after, limit, part},
    people::looked_for,
    shapes::{DeviceRow, Part, at},
};
use crate::{
    App,
    auth::guard::Caller,
    error::{ApiError, FieldError, Refusal},
    flows::revoke as revoking,
};

/// Which devices are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Those with this standing: `good`, `due`, `lapsed` or `unknown`.
    standing: Option<String>,
    /// Those whose name or person holds these words.
    q: Option<String>,
    /// `next` of the part before.
    after: Option<String>,
    /// How many, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// Lists devices by name.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", params(Which),
    responses((status = 200, body = Part<DeviceRow>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Asked(which): Asked<Which>,
) -> Result<Json<Part<DeviceRow>>, ApiError> {
    let limit = limit(which.limit)?;
    let standing = which.standing.as_deref().map(|word| {
        Standing::from_word(word).ok_or_else(|| Refusal::form(FieldError::new("standing", "standing-wrong")))
    });
    let filter = Filter {
        standing: standing.transpose()?,
        words: looked_for(which.q.as_deref()),
        after: after(which.after.as_deref())?,
    };
    let devices = app.store.devices(&filter, limit + 1).await?;
    Ok(Json(part(devices, limit, |last| (last.search.clone(), last.id.to_string()))))
}

/// A device and what was found on it.
#[derive(Serialize, ToSchema)]
pub struct Device {
    /// It.
    #[serde(flatten)]
    device: DeviceRow,
    /// The person whom it is enrolled for.
    #[schema(format = Uuid)]
    person_id: String,
    /// `organisation` or `person`.
    owner: String,
    /// When it was enrolled.
    #[schema(format = DateTime)]
    enrolled_at: String,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// What every rule says of it.
    findings: Vec<Finding>,
}

/// What a rule says of a device.
#[derive(Serialize, ToSchema)]
pub struct Finding {
    /// The rule.
    rule: String,
    /// `pass`, `fail`, `unknown`, `not_applicable` or `excepted`.
    outcome: &'static str,
    /// What was seen.
    observed: String,
    /// Where.
    origin: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Since when the outcome is what it is.
    #[schema(format = DateTime)]
    since: String,
    /// When it first failed or became unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    failing_since: Option<String>,
    /// `observe`, `advise` or `enforce`: how far the rule has been rolled out to it.
    stage: &'static str,
    /// When it costs something, unless something is mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    due: Option<String>,
}

impl From<&StoredFinding> for Finding {
    fn from(finding: &StoredFinding) -> Self {
        Self {
            rule: finding.rule.clone(),
            outcome: finding.outcome.word(),
            observed: finding.observed.clone(),
            origin: finding.origin.clone(),
            at: at(finding.at),
            since: at(finding.since),
            failing_since: finding.failing_since.map(at),
            stage: finding.stage.key(),
            due: finding.due.map(at),
        }
    }
}

/// Opens a device.
#[utoipa::path(get, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path, format = Uuid)), responses((status = 200, body = Device)))]
pub async fn get(State(app): State<Arc<App>>, Id(id): Id<DeviceId>) -> Result<Json<Device>, ApiError> {
    let nothing = || Refusal::said(Kind::NotFound, "nothing-here");
    let device = app.store.device(id).await?.ok_or_else(nothing)?;
    Ok(Json(Device {
        person_id: device.person.to_string(),
        owner: device.owner.clone(),
        enrolled_at: at(device.enrolled_at),
        revoked_at: device.revoked_at.map(at),
        findings: app.store.findings(id).await?.iter().map(Into::into).collect(),
        device: (&device).into(),
    }))
}

/// Gives the last report of a device as it was sealed (DSSE).
#[utoipa::path(get, path = "/api/v1/devices/{id}/report", tag = "devices",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, body = Object, content_type = "application/json")))]
pub async fn report(State(app): State<Arc<App>>, Id(id): Id<DeviceId>) -> Result<Response, ApiError> {
    let report = app.store.report(id).await?.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], report.envelope).into_response())
}

/// Revokes a device: it is not heard any more, until it is enrolled anew.
#[utoipa::path(post, path = "/api/v1/devices/{id}/revocation", tag = "devices",
    params(("id" = String, Path, format = Uuid)), responses((status = 204)))]
pub async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<DeviceId>,
) -> Result<StatusCode, ApiError> {
    revoking::revoke(&app, id, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! The tree of units.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use stead_model::UnitId;
use utoipa::ToSchema;

use super::{
    given::{Id, Sent, id},
    shapes::{Added, Part, UnitRow},
};
use crate::{App, auth::guard::Caller, error::ApiError, flows::directory::units};

/// Lists all units.
#[utoipa::path(get, path = "/api/v1/units", tag = "units", responses((status = 200, body = Part<UnitRow>)))]
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<Part<UnitRow>>, ApiError> {
    Ok(Json(Part::all(app.store.units().await?.iter().map(Into::into).collect())))
}

/// What a unit is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitSent {
    /// Its name.
    name: String,
    /// The unit above. Without it a new unit is right below the organisation, and another stays where it is.
    #[serde(default)]
    #[schema(format = Uuid)]
    parent: Option<String>,
}

impl UnitSent {
    fn parent(&self) -> Result<Option<UnitId>, ApiError> {
        let parent = self.parent.as_deref().map(|text| id("parent", text, "unit-unknown"));
        Ok(parent.transpose()?)
    }
}

/// Adds a unit.
#[utoipa::path(post, path = "/api/v1/units", tag = "units", request_body = UnitSent,
    responses((status = 201, body = Added)))]
pub async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(sent): Sent<UnitSent>,
) -> Result<(StatusCode, Json<Added>), ApiError> {
    let parent = sent.parent()?.unwrap_or(UnitId::ORGANISATION);
    let id = units::add(&app, &sent.name, parent, &caller.by()).await?.to_string();
    Ok((StatusCode::CREATED, Json(Added { id })))
}

/// Renames a unit or moves it.
#[utoipa::path(patch, path = "/api/v1/units/{unit}", tag = "units",
    params(("unit" = String, Path, format = Uuid)), request_body = UnitSent, responses((status = 204)))]
pub async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(unit): Id<UnitId>,
    Sent(sent): Sent<UnitSent>,
) -> Result<StatusCode, ApiError> {
    let parent = sent.parent()?;
    units::change(&app, unit, &sent.name, parent, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

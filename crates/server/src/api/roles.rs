//! What people are trusted with.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use stead_model::{PersonId, Role, UnitId, problem::Kind};

use super::{
    given::Id,
    shapes::{Part, RoleHeld},
};
use crate::{
    App,
    auth::guard::Caller,
    error::{ApiError, Refusal},
    flows::directory::roles,
};

/// Lists what somebody is trusted with.
#[utoipa::path(get, path = "/api/v1/people/{id}/roles", tag = "people",
    params(("id" = String, Path, format = Uuid)), responses((status = 200, body = Part<RoleHeld>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Id(id): Id<PersonId>,
) -> Result<Json<Part<RoleHeld>>, ApiError> {
    if app.store.person(id).await?.is_none() {
        return Err(Refusal::said(Kind::NotFound, "nothing-here").into());
    }
    Ok(Json(Part::all(app.store.grants(id).await?.iter().map(Into::into).collect())))
}

type RolePath = Path<(String, String, String)>;

fn role_path(Path((person, role, unit)): RolePath) -> Result<(PersonId, Role, UnitId), Refusal> {
    let nothing = || Refusal::said(Kind::NotFound, "nothing-here");
    Ok((
        person.parse().map_err(|_| nothing())?,
        Role::from_word(&role).ok_or_else(nothing)?,
        unit.parse().map_err(|_| nothing())?,
    ))
}

/// Gives a role for a unit and all below it.
#[utoipa::path(put, path = "/api/v1/people/{id}/roles/{role}/{of_unit}", tag = "people",
    params(("id" = String, Path, format = Uuid), ("role" = String, Path), ("of_unit" = String, Path, format = Uuid)),
    responses((status = 204)))]
pub async fn give(
    State(app): State<Arc<App>>,
    caller: Caller,
    path: RolePath,
) -> Result<StatusCode, ApiError> {
    let (person, role, unit) = role_path(path)?;
    roles::give(&app, person, role, unit, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a role back.
#[utoipa::path(delete, path = "/api/v1/people/{id}/roles/{role}/{of_unit}", tag = "people",
    params(("id" = String, Path, format = Uuid), ("role" = String, Path), ("of_unit" = String, Path, format = Uuid)),
    responses((status = 204)))]
pub async fn take(
    State(app): State<Arc<App>>,
    caller: Caller,
    path: RolePath,
) -> Result<StatusCode, ApiError> {
    let (person, role, unit) = role_path(path)?;
    roles::take(&app, person, role, unit, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

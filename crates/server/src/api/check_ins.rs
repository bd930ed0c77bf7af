//! `POST /api/v1/check-ins`: a device says how it is. Authorization: the seal of an enrolled device.

use std::sync::Arc;

use axum::{Json, extract::State};
use stead_model::seal::Envelope;

use super::JsonText;
use crate::{App, error::ApiError, flows::check_in};

/// Answers when the message is durable.
pub async fn post(State(app): State<Arc<App>>, JsonText(text): JsonText) -> Result<Json<Envelope>, ApiError> {
    Ok(Json(check_in::check_in(&app, &text).await?))
}

//! `POST /api/v1/certificates`: a device asks for a certificate. Authorization: the seal of an enrolled device.

use std::sync::Arc;

use axum::{Json, extract::State};
use stead_model::{problem::Kind, seal::Envelope};

use super::JsonText;
use crate::{
    App,
    error::{ApiError, Refusal},
    flows::certificate,
};

/// Answers with the certificate.
pub async fn post(State(app): State<Arc<App>>, JsonText(text): JsonText) -> Result<Json<Envelope>, ApiError> {
    let envelope: Envelope = serde_json::from_str(&text)
        .map_err(|_| Refusal::new(Kind::Malformed, "Send a sealed question, as `stead certificate` does."))?;
    Ok(Json(certificate::ask(&app, &envelope).await?))
}

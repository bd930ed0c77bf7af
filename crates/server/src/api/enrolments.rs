//! `POST /api/v1/enrolments`: a device asks to be enrolled. Authorization: a one-time code, in a message
//! sealed with the new key.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, request::Parts},
};
use stead_model::{message::Enrolled, problem::Kind, seal::Envelope};

use super::JsonText;
use crate::{
    App, auth,
    error::{ApiError, Refusal},
    flows::{
        enrol,
        sign_in::{password::slow_down, throttle::Of},
    },
};

/// Enrols the device.
pub async fn post(
    State(app): State<Arc<App>>,
    parts: Parts,
    JsonText(text): JsonText,
) -> Result<(StatusCode, Json<Enrolled>), ApiError> {
    if let Some(address) = auth::address(&app, &parts) {
        app.throttle.take(Of::Enrolment(address), app.now()).map_err(slow_down)?;
    }
    let envelope: Envelope = serde_json::from_str(&text)
        .map_err(|_| Refusal::new(Kind::Malformed, "Send a sealed enrolment, as `stead enroll` does."))?;
    Ok((StatusCode::CREATED, Json(enrol::enrol(&app, &envelope).await?)))
}

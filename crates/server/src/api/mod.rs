//! The API for devices. One endpoint, one file.

mod check_ins;
mod enrolments;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request},
    http::header,
    routing::post,
};
use stead_model::problem::Kind;

use crate::{
    App,
    error::{ApiError, Refusal},
};

/// The largest message taken, in bytes. A report has about four thousand.
pub const MAX_MESSAGE: usize = 256 * 1024;

/// The API's routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/check-ins", post(check_ins::post))
        .route("/api/v1/enrolments", post(enrolments::post))
        .layer(DefaultBodyLimit::max(MAX_MESSAGE))
}

/// A body of JSON, as text, within the limit.
#[derive(Debug)]
pub struct JsonText(pub String);

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            return Err(Refusal::new(Kind::WrongMediaType, "Send it as application/json.").into());
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|error| {
            if error.status().as_u16() == 413 {
                Refusal::new(Kind::TooLarge, format!("At most {MAX_MESSAGE} bytes are taken."))
            } else {
                Refusal::new(Kind::Malformed, "The body ended before its time.")
            }
        })?;
        String::from_utf8(bytes.to_vec())
            .map(Self)
            .map_err(|_| Refusal::new(Kind::Malformed, "The body is not UTF-8.").into())
    }
}

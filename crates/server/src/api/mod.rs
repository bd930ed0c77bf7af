//! The API for devices. One endpoint, one file.

mod check_ins;
mod enrolments;
mod notices;

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
    http::header,
};
use stead_model::problem::Kind;

use crate::{
    auth::guard::{Need, Routes},
    error::{ApiError, Refusal},
};

/// The largest message taken, in bytes. A report has about four thousand.
pub const MAX_MESSAGE: usize = 256 * 1024;

/// Adds the API.
pub fn routes(routes: Routes) -> Routes {
    routes
        .post("/api/v1/check-ins", Need::Seal, check_ins::post)
        .post("/api/v1/enrolments", Need::Seal, enrolments::post)
        .post("/api/v1/notices", Need::Seal, notices::post)
}

/// A body of JSON, as text, within the limit.
#[derive(Debug)]
pub struct JsonText(pub String);

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            return Err(Refusal::new(Kind::WrongMediaType, "Send it as application/json.").into());
        }
        let too_large = || Refusal::new(Kind::TooLarge, format!("At most {MAX_MESSAGE} bytes are taken."));
        // Somewhat more is read and thrown away, so that the sender hears why instead of a broken connection.
        let bytes = to_bytes(request.into_body(), 4 * MAX_MESSAGE).await.map_err(|_| too_large())?;
        if bytes.len() > MAX_MESSAGE {
            return Err(too_large().into());
        }
        String::from_utf8(bytes.to_vec())
            .map(Self)
            .map_err(|_| Refusal::new(Kind::Malformed, "The body is not UTF-8.").into())
    }
}

//! Errors at the boundary: an API answers with a problem, a page with a page. Logged once, here.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use stead_model::problem::{Kind, Problem};
use stead_store::StoreError;

/// Why a flow did not do what it was asked.
#[derive(Debug)]
pub enum Refusal {
    /// It said no: what happened, what to do.
    Problem(Kind, String),
    /// It could not: the store is away or holds what it should not.
    Failed(StoreError),
}

impl Refusal {
    /// A refusal of this kind.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self::Problem(kind, detail.into())
    }

    /// The problem to answer with. A failure is written to the log and told in general words alone.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Problem(kind, detail) => Problem::new(*kind, detail),
            Self::Failed(error @ StoreError::Database(_)) => {
                tracing::error!(%error, "store is away");
                Problem::new(
                    Kind::Unavailable,
                    "The store is away. Nothing was changed; try again in a minute.",
                )
            }
            Self::Failed(error) => {
                tracing::error!(%error, "flow failed");
                Problem::new(Kind::Internal, "It is our fault, and nothing was changed. The log says more.")
            }
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// A refusal as the API answers it.
#[derive(Debug)]
pub struct ApiError(pub Refusal);

impl<T: Into<Refusal>> From<T> for ApiError {
    fn from(error: T) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        problem_response(&self.0.problem())
    }
}

/// A problem as a response.
pub fn problem_response(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_string(problem).unwrap_or_default();
    let kind = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

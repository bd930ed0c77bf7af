//! Errors at the boundary: an API answers with a problem, a page with a page. Logged once, here.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use stead_model::problem::{Kind, Problem, Wrong};
use stead_store::StoreError;

use crate::words::{Arguments, Words};

/// What is wrong with one field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field.
    pub field: String,
    /// What is wrong and what to do: the name of a message in `locales/`.
    pub say: &'static str,
    /// What the message is given.
    pub with: Arguments,
}

impl FieldError {
    /// What is wrong with this field.
    pub fn new(field: impl Into<String>, say: &'static str) -> Self {
        Self { field: field.into(), say, with: Vec::new() }
    }

    /// The same, with something that the message is given.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.with.push((name, value.to_string()));
        self
    }
}

/// Why a flow did not do what it was asked.
#[derive(Debug)]
pub enum Refusal {
    /// It said no: what happened, what to do.
    Problem(Kind, String),
    /// It said no in words that are there in every language: the name of a message in `locales/`.
    Said(Kind, &'static str, Arguments),
    /// Fields of a form are not right.
    Form(Vec<FieldError>),
    /// It could not: the store is away or holds what it should not.
    Failed(StoreError),
}

impl Refusal {
    /// A refusal of this kind.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self::Problem(kind, detail.into())
    }

    /// A refusal in the words of a message.
    pub fn said(kind: Kind, say: &'static str) -> Self {
        Self::Said(kind, say, Vec::new())
    }

    /// A refusal of one field of a form.
    pub fn form(error: FieldError) -> Self {
        Self::Form(vec![error])
    }

    /// The same, with something that the message is given.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Self::Said(_, _, with) = &mut self {
            with.push((name, value.to_string()));
        }
        self
    }

    /// The problem to answer with, in the reader's words. A failure is written to the log and told in
    /// general words alone.
    pub fn problem(&self, words: &Words) -> Problem {
        let problem = |kind: Kind, detail: String| {
            let mut problem = Problem::new(kind, detail);
            problem.title = words.problem_title(kind);
            problem
        };
        match self {
            Self::Problem(kind, detail) => problem(*kind, detail.clone()),
            Self::Said(kind, say, with) => problem(*kind, words.with(say, with)),
            Self::Form(errors) => {
                let mut problem = problem(Kind::Invalid, words.say("form-wrong"));
                problem.errors = errors
                    .iter()
                    .map(|error| Wrong {
                        field: error.field.clone(),
                        detail: words.with(error.say, &error.with),
                    })
                    .collect();
                problem
            }
            Self::Failed(error @ StoreError::Database(_)) => {
                tracing::error!(%error, "store is away");
                problem(Kind::Unavailable, words.say("store-away"))
            }
            Self::Failed(error @ StoreError::Unknown(_)) => {
                tracing::error!(%error, "commit failed");
                problem(Kind::Unavailable, words.say("may-be-saved"))
            }
            Self::Failed(error) => {
                tracing::error!(%error, "flow failed");
                problem(Kind::Internal, words.say("our-fault"))
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
        problem_response(&self.0.problem(&Words::english()))
    }
}

/// A problem as a response.
pub fn problem_response(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_string(problem).unwrap_or_default();
    let kind = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

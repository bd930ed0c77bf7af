//! What a form shows after it was sent and something in it was not right: the errors beside the fields,
//! and all of them above.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use stead_model::problem::{Kind, Wrong};

use crate::{error::Refusal, words::Words};

/// What was not right.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// What is wrong with which field.
    pub errors: Vec<Wrong>,
    /// What is wrong with no field in particular.
    pub note: String,
}

impl Form {
    /// What a flow did not like, to be shown in the form again. What no change of the form can mend is
    /// handed back.
    ///
    /// # Errors
    /// The refusal, when it belongs on a page of its own.
    pub fn of(refusal: Refusal, words: &Words) -> Result<Self, Refusal> {
        match &refusal {
            Refusal::Form(_) => Ok(Self { errors: refusal.problem(words).errors, note: String::new() }),
            Refusal::Said(Kind::Conflict | Kind::SignInFailed | Kind::TooMany, ..)
            | Refusal::Problem(Kind::Conflict | Kind::Unavailable | Kind::Invalid, _) => {
                Ok(Self { errors: Vec::new(), note: refusal.problem(words).detail })
            }
            Refusal::Said(..) | Refusal::Problem(..) | Refusal::Failed(_) => Err(refusal),
        }
    }

    /// Whether anything is wrong.
    pub fn any(&self) -> bool {
        !self.errors.is_empty() || !self.note.is_empty()
    }

    /// What is wrong with a field; empty when nothing is.
    pub fn error(&self, field: impl AsRef<str>) -> &str {
        let field = field.as_ref();
        self.errors.iter().find(|wrong| wrong.field == field).map_or("", |wrong| &wrong.detail)
    }
}

/// A page with the status that says that a form was not taken.
pub fn not_taken(page: Response) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}

//! `GET /problems/{slug}`: what a kind of problem means. Its address is the problem's `type`.

use axum::extract::Path;
use stead_model::problem::{BASE, Kind, Problem};

use super::{Page, nothing_here};
use crate::auth::Public;

/// Explains a kind of problem.
pub async fn get(_: Public, Path(slug): Path<String>) -> Page {
    let Some(kind) = Kind::from_type(&format!("{BASE}{slug}")) else {
        return Err(nothing_here("kind of problem"));
    };
    let mut problem = Problem::new(
        kind,
        "This page explains a kind of problem. Each time it happens, its detail says what to do.",
    );
    problem.status = 200;
    Ok(super::error_response(&problem, true))
}

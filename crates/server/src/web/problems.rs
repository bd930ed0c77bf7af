//! `GET /problems/{slug}`: what a kind of problem means. Its address is the problem's `type`.

use axum::extract::Path;
use stead_model::problem::{BASE, Kind, Problem};

use super::{Page, nothing_here, problem_page};
use crate::words::Words;

/// Explains a kind of problem.
pub async fn get(words: Words, Path(slug): Path<String>) -> Page {
    let Some(kind) = Kind::from_type(&format!("{BASE}{slug}")) else {
        return Err(nothing_here("kind of problem"));
    };
    let mut problem = Problem::new(kind, words.say("problem-explained"));
    problem.title = words.problem_title(kind);
    problem.status = 200;
    Ok(problem_page(&words, &problem))
}

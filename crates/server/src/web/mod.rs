//! Pages: HTML from the server, readable without a script.

mod device;
mod devices;
mod ledger;
mod markdown;
mod overview;
mod parts;
mod problems;
mod proof;
mod rules;
mod sign_in;

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    http::{StatusCode, header},
    response::{Html as HtmlBody, IntoResponse, Response},
    routing::get,
};
use stead_model::problem::{Kind, Problem};
use stead_store::StoreError;

use crate::{
    App, assets,
    error::{Refusal, problem_response},
};

/// Routes of all pages.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(overview::start))
        .route("/sign-in", get(sign_in::ask))
        .route("/sign-in/{secret}", get(sign_in::offer).post(sign_in::take))
        .route("/sign-out", axum::routing::post(sign_in::out))
        .route("/overview", get(overview::get))
        .route("/overview/live", get(overview::live))
        .route("/devices", get(devices::get))
        .route("/devices/{id}", get(device::get))
        .route("/devices/{id}/report", get(device::report))
        .route("/rules", get(rules::list))
        .route("/rules/{id}", get(rules::get))
        .route("/proof", get(proof::get))
        .route("/ledger", get(ledger::list))
        .route("/ledger/entries/{index}", get(ledger::entry))
        .route("/ledger/entries/{index}/bundle", get(ledger::bundle))
        .route("/ledger/checkpoint", get(ledger::checkpoint))
        .route("/ledger/key", get(ledger::key))
        .route("/ledger/tile/{level}/{*index}", get(ledger::tile))
        .route("/problems/{slug}", get(problems::get))
}

/// What every page has.
#[derive(Debug)]
struct Base {
    title: String,
    /// The address of the section that the menu marks.
    section: &'static str,
    /// The policy in force, when somebody is signed in.
    policy: Option<String>,
}

impl Base {
    fn signed_in(app: &App, title: impl Into<String>, section: &'static str) -> Self {
        Self { title: title.into(), section, policy: Some(app.pack.label()) }
    }

    fn public(title: impl Into<String>) -> Self {
        Self { title: title.into(), section: "", policy: None }
    }

    fn asset(&self, name: &str) -> String {
        assets::address(name)
    }
}

/// A page that could not be shown.
#[derive(Debug)]
pub struct PageError(Refusal);

impl<T: Into<Refusal>> From<T> for PageError {
    fn from(error: T) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        error_response(&self.0.problem(), true)
    }
}

/// What page handlers give.
type Page = Result<Response, PageError>;

/// A template as a page.
fn page(template: &impl Template) -> Page {
    match template.render() {
        Ok(html) => Ok(HtmlBody(html).into_response()),
        Err(error) => {
            tracing::error!(%error, "page could not be rendered");
            Err(Refusal::new(
                Kind::Internal,
                "This page did not load. It is our fault, and nothing is lost. Try again.",
            )
            .into())
        }
    }
}

fn nothing_here(what: &str) -> PageError {
    Refusal::new(Kind::NotFound, format!("There is no such {what}. It may have been named wrongly.")).into()
}

/// A file to download.
fn download(name: &str, kind: &'static str, body: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], body)
        .into_response()
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    base: Base,
    problem: Problem,
}

/// A problem as a page, or as the API answers it.
pub fn error_response(problem: &Problem, as_page: bool) -> Response {
    if !as_page {
        return problem_response(problem);
    }
    let template = ProblemPage { base: Base::public(problem.title.clone()), problem: problem.clone() };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match template.render() {
        Ok(html) => (status, HtmlBody(html)).into_response(),
        Err(_) => problem_response(problem),
    }
}

impl From<askama::Error> for Refusal {
    fn from(error: askama::Error) -> Self {
        tracing::error!(%error, "page could not be rendered");
        Self::new(Kind::Internal, "This page did not load. It is our fault, and nothing is lost. Try again.")
    }
}

/// JSON that a page writes; its failure is the store's kind of failure.
fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    Ok(serde_json::to_string_pretty(value)?)
}

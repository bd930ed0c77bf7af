//! Reports as pages, files and print.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use serde::Deserialize;
use stead_model::{Millis, problem::Kind};

use super::{Base, Page, PageError, Reader, download, nothing_here, page, parts};
use crate::{
    App,
    error::Refusal,
    oscal,
    reports::{self, NAMES, Report},
};

#[derive(Template)]
#[template(path = "reports.html")]
struct List {
    base: Base,
}

impl List {
    fn names(&self) -> [&'static str; 5] {
        NAMES
    }

    fn say(&self, before: &str, name: &str, after: &str) -> String {
        self.base.say(&format!("{before}{name}{after}"))
    }
}

/// `GET /reports`.
pub async fn list(State(app): State<Arc<App>>, reader: Reader) -> Page {
    page(&List { base: Base::of(&app, &reader, reader.words.say("reports-title"), "/proof") })
}

#[derive(Template)]
#[template(path = "report.html")]
struct One {
    base: Base,
    report: Report,
    query: String,
    months: Vec<(String, String)>,
}

impl One {
    fn key(&self, chart: &reports::Chart) -> parts::Html {
        let key: Vec<(&str, &str)> = chart.key.iter().map(|(class, word)| (*class, word.as_str())).collect();
        parts::key_of(&key)
    }
}

/// Which month is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    month: String,
}

impl Asked {
    fn month(&self, reader: &Reader) -> Option<Millis> {
        (!self.month.is_empty()).then(|| reader.words.day_begins(&format!("{}-01", self.month))).flatten()
    }
}

async fn gathered(app: &App, reader: &Reader, name: &str, asked: &Asked) -> Result<Report, PageError> {
    let report = reports::gather(app, name, asked.month(reader), &reader.words).await?;
    report.ok_or_else(|| nothing_here("report"))
}

/// `GET /reports/{name}`.
pub async fn get(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let report = gathered(&app, &reader, &name, &asked).await?;
    let mut months = Vec::new();
    if name == "month" {
        let mut at = reader.words.month_begins(app.now());
        for _ in 0..12 {
            months.push((reader.words.month_number(at), reader.words.month_of(at)));
            at = reader.words.month_begins(at.plus(-1));
        }
    }
    page(&One {
        base: Base::of(&app, &reader, report.title.clone(), "/proof"),
        query: if asked.month.is_empty() {
            String::new()
        } else {
            format!("?month={}", super::encode(&asked.month))
        },
        report,
        months,
    })
}

/// `GET /reports/{name}/csv`.
pub async fn csv(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let report = gathered(&app, &reader, &name, &asked).await?;
    let file = reports::csv(&report).map_err(|_| Refusal::said(Kind::Internal, "panicked"))?;
    Ok(download(&format!("{name}.csv"), "text/csv; charset=utf-8", file))
}

/// `GET /reports/{name}/pdf`.
pub async fn pdf(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let report = gathered(&app, &reader, &name, &asked).await?;
    let printed = app.printer.print("report", &report).await?;
    Ok(download(&format!("{name}.pdf"), "application/pdf", printed))
}

/// `GET /reports/oscal/{name}`.
pub async fn oscal(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Response, PageError> {
    let document = oscal::document(&app, &name).await?.ok_or_else(|| nothing_here("document"))?;
    Ok(download(&format!("{name}.json"), "application/json", super::json(&document)?))
}

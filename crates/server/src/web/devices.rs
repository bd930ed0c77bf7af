//! The list of devices: search, filter, pages by keyset.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;
use stead_model::{Millis, Standing};
use stead_store::{
    device::{Filter, Listed},
    tally,
};

use super::{Base, Page, Reader, encode, page, parts};
use crate::App;

/// Devices on a page.
const PAGE: usize = 50;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    standing: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    id: String,
}

#[derive(Template)]
#[template(path = "devices.html")]
struct Devices {
    base: Base,
    now: Millis,
    asked: Asked,
    total: i64,
    devices: Vec<Listed>,
    next: Option<String>,
}

impl Devices {
    fn standings(&self) -> [Standing; 4] {
        Standing::ALL
    }

    fn headline(&self) -> String {
        match (self.asked.q.is_empty(), Standing::from_word(&self.asked.standing)) {
            (true, None) => format!("{} {}", parts::number(self.total), parts::plural(self.total, "device")),
            (true, Some(standing)) => format!("Devices whose standing is {}", standing.word()),
            (false, _) => format!("Devices with “{}”", self.asked.q),
        }
    }
}

/// `GET /devices`.
pub async fn get(reader: Reader, State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Page {
    let words: String = asked.q.chars().take(100).collect::<String>().trim().to_lowercase();
    let filter = Filter {
        standing: Standing::from_word(&asked.standing),
        words,
        after: (!asked.after.is_empty()).then(|| (asked.after.clone(), asked.id.clone())),
    };
    let limit = PAGE + 1;
    let mut devices = app.store.devices(&filter, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
    let more = devices.len() > PAGE;
    devices.truncate(PAGE);
    let next = devices.last().filter(|_| more).map(|last| {
        let query = [
            ("standing", asked.standing.as_str()),
            ("q", &asked.q),
            ("after", &last.search),
            ("id", &last.id.to_string()),
        ]
        .map(|(name, value)| format!("{name}={}", encode(value)));
        format!("/devices?{}", query.join("&"))
    });
    let tallies = app.store.tallies().await?;
    let total = Standing::ALL.iter().filter_map(|s| tallies.get(&tally::standing_name(*s))).sum();
    page(&Devices {
        base: Base::of(&app, &reader, "Devices", "/devices"),
        now: app.now(),
        asked,
        total,
        devices,
        next,
    })
}

//! Looking for people, devices and rules.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use stead_store::{device, people::Filter};
use utoipa::{IntoParams, ToSchema};

use super::{
    given::Asked,
    people::looked_for,
    shapes::{DeviceRow, PersonRow},
};
use crate::{
    App,
    auth::{access::Action, guard::Caller},
    error::{ApiError, FieldError, Refusal},
    words::Words,
};

/// Most that a search finds of each kind.
const FOUND: i64 = 10;

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LookedFor {
    /// At least two letters.
    #[param(min_length = 2)]
    q: String,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// People whom the asker may list.
    people: Vec<PersonRow>,
    /// Devices that the asker may list.
    devices: Vec<DeviceRow>,
    /// Ids of rules.
    rules: Vec<String>,
}

/// Looks for people, devices and rules.
#[utoipa::path(get, path = "/api/v1/search", tag = "people", params(LookedFor), responses((status = 200, body = Found)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    words: Words,
    Asked(asked): Asked<LookedFor>,
) -> Result<Json<Found>, ApiError> {
    let q = looked_for(Some(&asked.q));
    if q.chars().count() < 2 {
        return Err(Refusal::form(FieldError::new("q", "search-short")).into());
    }
    let pack = app.pack();
    let rules = pack.rules.iter().filter(|rule| {
        let text = rule.text(words.language.tag());
        rule.id.contains(&q) || text.title.to_lowercase().contains(&q) || text.why.to_lowercase().contains(&q)
    });
    let rules = rules.map(|rule| rule.id.clone()).collect();
    let people = match caller.widest(&app, Action::PeopleList).await?.as_deref() {
        Some([unit, ..]) => {
            let filter = Filter { unit: *unit, below: true, state: None, words: q.clone(), after: None };
            app.store.people(&filter, FOUND).await?
        }
        Some([]) | None => Vec::new(),
    };
    let devices = if caller.may_to_all(&app, Action::DevicesList) {
        let filter = device::Filter { words: q, ..device::Filter::default() };
        app.store.devices(&filter, FOUND).await?
    } else {
        Vec::new()
    };
    Ok(Json(Found {
        people: people.iter().map(Into::into).collect(),
        devices: devices.iter().map(Into::into).collect(),
        rules,
    }))
}

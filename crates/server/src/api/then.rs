//! How it was at the end of a day.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use stead_model::{DeviceId, problem::Kind};
use utoipa::{IntoParams, ToSchema};

use super::{
    given::{Asked, Id},
    shapes::at,
};
use crate::{
    App,
    error::{ApiError, Refusal},
    then::{self, Day},
};

/// Which day.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct On {
    /// A day of UTC that has ended; yesterday without it.
    #[param(format = Date)]
    on: Option<String>,
}

/// How the organisation's devices stood.
#[derive(Serialize, ToSchema)]
pub struct Then {
    /// The end of the day.
    #[schema(format = DateTime)]
    at: String,
    /// Devices by standing.
    standings: BTreeMap<&'static str, i64>,
    /// Findings by rule and outcome.
    rules: BTreeMap<String, BTreeMap<&'static str, i64>>,
    /// Digest of the policy that was in force; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    /// How many entries the ledger had.
    entries: u64,
    /// The newest checkpoint that was signed by then.
    checkpoint: String,
}

/// Says how all devices stood at the end of a day.
#[utoipa::path(get, path = "/api/v1/then", tag = "rules", params(On), responses((status = 200, body = Then)))]
pub async fn get(State(app): State<Arc<App>>, Asked(asked): Asked<On>) -> Result<Json<Then>, ApiError> {
    let day = Day::read(asked.on.as_deref().unwrap_or_default(), app.now())?;
    let then = then::organisation(&app, day).await?;
    let counts = |counts: BTreeMap<stead_model::Outcome, i64>| {
        counts.into_iter().map(|(outcome, n)| (outcome.word(), n)).collect()
    };
    Ok(Json(Then {
        at: at(day.end()),
        standings: then.standings.iter().map(|(standing, n)| (standing.word(), *n)).collect(),
        rules: then.rules.into_iter().map(|(rule, n)| (rule, counts(n))).collect(),
        policy: then.policy.map(|version| version.digest),
        entries: then.ledger.size,
        checkpoint: then.ledger.checkpoint,
    }))
}

/// How a device stood.
#[derive(Serialize, ToSchema)]
pub struct DeviceThen {
    /// The end of the day.
    #[schema(format = DateTime)]
    at: String,
    /// Its standing; none before it was first judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<Stood>,
    /// What each rule said.
    findings: Vec<Said>,
}

/// A standing, with what proves it.
#[derive(Serialize, ToSchema)]
pub struct Stood {
    /// `good`, `due`, `lapsed` or `unknown`.
    standing: &'static str,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
    /// The ledger's entry.
    entry: u64,
}

/// What a rule said, with what proves it.
#[derive(Serialize, ToSchema)]
pub struct Said {
    /// The rule.
    rule: String,
    /// `pass`, `fail`, `unknown`, `not_applicable` or `excepted`.
    outcome: &'static str,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
    /// The policy that it was judged by.
    policy: String,
    /// The ledger's entry.
    entry: u64,
}

/// Says how a device stood at the end of a day, with the entries that prove it.
#[utoipa::path(get, path = "/api/v1/devices/{id}/then", tag = "devices",
    params(("id" = String, Path, format = Uuid), On), responses((status = 200, body = DeviceThen)))]
pub async fn device(
    State(app): State<Arc<App>>,
    Id(id): Id<DeviceId>,
    Asked(asked): Asked<On>,
) -> Result<Json<DeviceThen>, ApiError> {
    if app.store.device_person(id).await?.is_none() {
        return Err(Refusal::said(Kind::NotFound, "nothing-here").into());
    }
    let day = Day::read(asked.on.as_deref().unwrap_or_default(), app.now())?;
    let then = then::device(&app, id, day).await?;
    let stood = |(standing, since, entry): (stead_model::Standing, _, _)| Stood {
        standing: standing.word(),
        since: at(since),
        entry,
    };
    let said = |said: then::Said| Said {
        outcome: said.outcome.word(),
        since: at(said.at),
        rule: said.rule,
        policy: said.policy,
        entry: said.entry,
    };
    Ok(Json(DeviceThen {
        at: at(day.end()),
        standing: then.standing.map(stood),
        findings: then.said.into_iter().map(said).collect(),
    }))
}

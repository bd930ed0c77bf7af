//! The policy, and how devices keep it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use stead_model::{Millis, Outcome, Standing, problem::Kind};
use stead_policy::{Pack, Rule};
use stead_store::{finding, tally};
use utoipa::{IntoParams, ToSchema};

use super::{
    given::{self, Asked, after, limit},
    shapes::{Part, at},
};
use crate::{
    App,
    error::{ApiError, Refusal},
    words::Words,
};

/// A rule.
#[derive(Serialize, ToSchema)]
pub struct RuleRow {
    /// Its id.
    id: String,
    /// What is so when it is kept.
    title: String,
    /// What it asks for.
    asks: String,
    /// Why, as Markdown.
    why: String,
    /// The requirements that it serves.
    requirements: Vec<String>,
    /// The controls of standards that it serves.
    controls: Vec<String>,
    /// Which of confidentiality, integrity and availability it protects.
    serves: Vec<String>,
    /// What it judges: `device`, `person`, `site`, `item` or `organisation`.
    subject: &'static str,
    /// `all`, or `named` when it binds those alone whose own terms name it.
    binds: &'static str,
    /// `observe`, `advise` or `enforce`; steps of rolling it out may say otherwise for a unit.
    stage: &'static str,
    /// The tier that a lapse takes away.
    costs: String,
    /// Time to mend it, in milliseconds.
    grace: i64,
}

impl RuleRow {
    fn new(rule: &Rule, words: &Words) -> Self {
        let text = rule.text(words.language.tag());
        Self {
            id: rule.id.clone(),
            title: text.title,
            asks: text.asks,
            why: text.why,
            requirements: rule.requirements.clone(),
            controls: rule.controls.clone(),
            serves: rule.serves.clone(),
            subject: rule.subject.word(),
            binds: rule.binds.word(),
            stage: rule.stage.key(),
            costs: rule.costs.clone(),
            grace: rule.grace,
        }
    }
}

/// The policy in force.
#[derive(Serialize, ToSchema)]
pub struct Policy {
    /// Its name and version.
    policy: String,
    /// The digest of its files.
    digest: String,
    /// Its rules.
    rules: Vec<RuleRow>,
}

/// Gives the policy in force.
#[utoipa::path(get, path = "/api/v1/rules", tag = "rules", responses((status = 200, body = Policy)))]
pub async fn list(State(app): State<Arc<App>>, words: Words) -> Json<Policy> {
    Json(Policy {
        policy: app.pack().label(),
        digest: app.pack().digest.clone(),
        rules: app.pack().rules.iter().map(|rule| RuleRow::new(rule, &words)).collect(),
    })
}

/// Gives one rule.
#[utoipa::path(get, path = "/api/v1/rules/{id}", tag = "rules",
    params(("id" = String, Path)), responses((status = 200, body = RuleRow)))]
pub async fn get(
    State(app): State<Arc<App>>,
    words: Words,
    Path(id): Path<String>,
) -> Result<Json<RuleRow>, ApiError> {
    Ok(Json(RuleRow::new(rule(&app.pack(), &id)?, &words)))
}

fn rule<'a>(pack: &'a Pack, id: &str) -> Result<&'a Rule, Refusal> {
    pack.rule(id).ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))
}

/// Which part of the list is given.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Many {
    /// `next` of the part before.
    after: Option<String>,
    /// How many, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// A device that does not keep a rule.
#[derive(Serialize, ToSchema)]
pub struct Against {
    /// The device.
    #[schema(format = Uuid)]
    device: String,
    /// What it calls itself.
    name: String,
    /// The person whom it is enrolled for.
    person: String,
    /// `fail` or `unknown`.
    outcome: &'static str,
    /// What was seen.
    observed: String,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
}

impl From<&finding::Against> for Against {
    fn from(one: &finding::Against) -> Self {
        Self {
            device: one.device.to_string(),
            name: one.name.clone(),
            person: one.person.clone(),
            outcome: one.outcome.word(),
            observed: one.observed.clone(),
            since: at(one.failing_since),
        }
    }
}

/// Lists devices that do not keep a rule, those that have not for longest first.
#[utoipa::path(get, path = "/api/v1/rules/{id}/findings", tag = "rules",
    params(("id" = String, Path), Many), responses((status = 200, body = Part<Against>)))]
pub async fn findings(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Asked(many): Asked<Many>,
) -> Result<Json<Part<Against>>, ApiError> {
    rule(&app.pack(), &id)?;
    let limit = limit(many.limit)?;
    let from = match after(many.after.as_deref())? {
        None => None,
        Some((since, device)) => {
            let since: i64 = given::id("after", &since, "after-wrong")?;
            Some((Millis(since), given::id("after", &device, "after-wrong")?))
        }
    };
    let against = app.store.against(&id, from, limit + 1).await?;
    Ok(Json(given::part(against, limit, |last| (last.failing_since.0.to_string(), last.device.to_string()))))
}

/// How all devices stand.
#[derive(Serialize, ToSchema)]
pub struct Overview {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Devices by standing.
    standings: BTreeMap<&'static str, i64>,
    /// Findings by rule and outcome.
    rules: BTreeMap<String, BTreeMap<&'static str, i64>>,
}

/// Counts how devices stand, and how each rule is kept.
#[utoipa::path(get, path = "/api/v1/overview", tag = "rules", responses((status = 200, body = Overview)))]
pub async fn overview(State(app): State<Arc<App>>) -> Result<Json<Overview>, ApiError> {
    let tallies = app.store.tallies().await?;
    let of = |name: &str| tallies.get(name).copied().unwrap_or(0);
    let pack = app.pack();
    let rules = pack.rules.iter().map(|rule| {
        let counts =
            Outcome::ALL.iter().map(|outcome| (outcome.word(), of(&tally::outcome_name(&rule.id, *outcome))));
        (rule.id.clone(), counts.collect())
    });
    Ok(Json(Overview {
        at: at(app.now()),
        standings: Standing::ALL.iter().map(|s| (s.word(), of(&tally::standing_name(*s)))).collect(),
        rules: rules.collect(),
    }))
}

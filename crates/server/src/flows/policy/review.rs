//! Reviewing the policy: when it is due, of the whole and of rules with a period of their own; who took part,
//! what was considered, what came of it.

use serde_json::json;
use stead_model::{Millis, PersonId, RecordId, text, time::DAY};
use stead_policy::rule;
use stead_store::policy::Review;

use super::{subject, subjects};
use crate::{
    App,
    error::{FieldError, Refusal},
    flows::{entry, person_subject},
};

/// What can come of a review.
pub const OUTCOMES: [&str; 2] = ["kept", "changed"];

/// When something is to be reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The rule; none for the policy as a whole.
    pub rule: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// How often it is to be, in milliseconds.
    pub every: i64,
    /// When it was last; none when it never was.
    pub last: Option<Millis>,
    /// When it is to be next.
    pub at: Millis,
}

/// What is to be reviewed and when, soonest first: the policy, and each rule that has a period of its own. A
/// review of the whole is one of each rule.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn calendar(app: &App) -> Result<Vec<Due>, Refusal> {
    let pack = app.pack();
    let last = app.store.last_reviews().await?;
    let since = app.store.rules_since().await?;
    let whole = last.get(&None).copied();
    // Before the first review, the clock runs from when a rule was first in force.
    let Some(first) = since.values().min().copied() else { return Ok(Vec::new()) };
    let every = rule::duration(&pack.manifest.review_every).unwrap_or(365 * DAY);
    let mut all = vec![Due {
        rule: None,
        owner: pack.manifest.owner.clone(),
        every,
        last: whole,
        at: whole.unwrap_or(first).plus(every),
    }];
    for rule in &pack.rules {
        let Some(every) = rule.review_every else { continue };
        let asked = since.get(&rule.id).copied().unwrap_or(first);
        // A review of the whole from before a rule was asked was none of that rule.
        let last = last.get(&Some(rule.id.clone())).copied().max(whole.filter(|at| *at >= asked));
        let begins = last.unwrap_or(asked);
        all.push(Due {
            rule: Some(rule.id.clone()),
            owner: rule.owner.clone().unwrap_or_else(|| pack.manifest.owner.clone()),
            every,
            last,
            at: begins.plus(every),
        });
    }
    all.sort_by(|a, b| (a.at, &a.rule).cmp(&(b.at, &b.rule)));
    Ok(all)
}

/// When the next review is due, of whatever is due first.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn due(app: &App) -> Result<Option<Millis>, Refusal> {
    Ok(calendar(app).await?.first().map(|first| first.at))
}

/// What is said of a review.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The rule that was looked through; empty for all of the policy.
    pub rule: String,
    /// Who took part.
    pub took_part: String,
    /// What was considered.
    pub considered: String,
    /// One of [`OUTCOMES`].
    pub outcome: String,
    /// What came of it.
    pub words: String,
}

/// Writes a review of the policy in force down.
///
/// # Errors
/// [`Refusal`] when it does not say who, what and with which outcome.
pub async fn review(app: &App, by: PersonId, said: Said) -> Result<(), Refusal> {
    let now = app.now();
    let plain = |words: &str| text::plain(words.trim(), 2000);
    let mut wrong = Vec::new();
    for (field, words) in [("took_part", &said.took_part), ("considered", &said.considered)] {
        if plain(words).is_empty() {
            wrong.push(FieldError::new(field, "review-say"));
        }
    }
    if !OUTCOMES.contains(&said.outcome.as_str()) {
        wrong.push(FieldError::new("outcome", "review-outcome"));
    }
    let pack = app.pack();
    let rule = Some(said.rule).filter(|rule| !rule.is_empty());
    if rule.as_ref().is_some_and(|rule| pack.rule(rule).is_none()) {
        wrong.push(FieldError::new("rule", "review-rule"));
    }
    if !wrong.is_empty() {
        return Err(Refusal::Form(wrong));
    }
    let id = RecordId::from_parts(now, app.random()?);
    let mut write = app.store.write().await?;
    let (took_part, considered, words) =
        (plain(&said.took_part), plain(&said.considered), plain(&said.words));
    let data = json!({
        "policy": pack.label(), "review": id, "outcome": said.outcome, "rule": rule,
        "words": stead_model::seal::digest(format!("{took_part} {considered} {words}").as_bytes()),
    });
    let position =
        write.append(&entry(now, &person_subject(by), "policy.reviewed", subject(&pack.digest), data))?;
    let review = Review {
        id,
        digest: pack.digest.clone(),
        rule,
        at: now,
        by,
        by_name: String::new(),
        took_part,
        considered,
        outcome: said.outcome,
        words,
        entry: position,
    };
    write.add_policy_review(&review).await?;
    write.commit(&app.keys.ledger).await?;
    app.put_review_due(due(app).await?);
    subjects::judge_organisation(app, now).await?;
    Ok(())
}

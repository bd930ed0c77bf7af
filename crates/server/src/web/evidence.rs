//! The evidence behind a line of the source documents: the text in force and who published it, how each of
//! its rules is judged, findings as they were seen, and the entries of the ledger that prove them.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use stead_model::{Millis, Subject, problem::Kind};
use stead_policy::{
    Rule,
    requirement::{self, Requirement},
};
use stead_store::{evidence::Evidence, policy::Version};

use super::{Base, Page, Reader, page, parts, proof::Reach, rules::Counts};
use crate::{App, auth::access::Action, error::Refusal};

/// Findings of a rule that are shown of those that do not pass, and of those that do.
const EACH: i64 = 3;

struct Judged<'a> {
    rule: &'a Rule,
    counts: Counts,
    findings: Vec<Evidence>,
}

impl Judged<'_> {
    fn about(&self) -> &'static str {
        match self.rule.subject {
            Subject::Device => "devices",
            Subject::Person => "people",
            Subject::Site => "sites",
            Subject::Item => "items",
            Subject::Organisation => "the organisation",
        }
    }
}

#[derive(Template)]
#[template(path = "evidence.html")]
struct Shown<'a> {
    base: Base,
    now: Millis,
    requirement: &'static Requirement,
    reach: Reach,
    rules: Vec<Judged<'a>>,
    version: Option<Version>,
    reached: (i64, i64),
    review: Option<(Millis, u64)>,
    /// Whether findings of single devices are for the reader.
    may_list: bool,
    size: u64,
    before: Option<&'static str>,
    after: Option<&'static str>,
}

/// `GET /proof/{requirement}`.
pub async fn get(reader: Reader, State(app): State<Arc<App>>, Path(id): Path<String>) -> Page {
    let all = requirement::all();
    let Some(place) = all.iter().position(|requirement| requirement.id == id) else {
        return Err(Refusal::said(Kind::NotFound, "nothing-here").into());
    };
    let requirement = &all[place];
    let neighbour =
        |place: Option<usize>| place.and_then(|place| all.get(place)).map(|other| other.id.as_str());
    let pack = app.pack();
    let tallies = app.store.tallies().await?;
    let may_list = reader.caller.may_to_all(&app, Action::FindingsList);
    let mut rules = Vec::new();
    for rule in pack.rules.iter().filter(|rule| rule.requirements.contains(&requirement.id)) {
        // What is found of the organisation names nobody. What waits for its facts has found nothing.
        let shows = !rule.waits() && (may_list || rule.subject == Subject::Organisation);
        rules.push(Judged {
            counts: Counts::of(&rule.id, &tallies),
            findings: match shows {
                true => app.store.evidence(rule.subject, &rule.id, EACH).await?,
                false => Vec::new(),
            },
            rule,
        });
    }
    let versions = app.store.policy_versions().await?;
    let reviews = app.store.policy_reviews(500).await?;
    page(&Shown {
        base: Base::of(&app, &reader, format!("{} and its evidence", requirement.id), "/proof"),
        now: app.now(),
        reach: Reach::of(requirement, rules.iter().map(|judged| judged.rule)),
        requirement,
        rules,
        version: versions.into_iter().find(|version| version.digest == pack.digest),
        reached: app.store.reached(&pack.digest).await?,
        review: reviews.iter().find(|review| review.rule.is_none()).map(|review| (review.at, review.entry)),
        may_list,
        size: app.store.ledger_head().await?.size,
        before: neighbour(place.checked_sub(1)),
        after: neighbour(Some(place + 1)),
    })
}

//! The policy: what is in force, confirming it, who has been reached, publishing the next version.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use stead_model::{Millis, RecordId, problem::Kind, seal::Envelope};
use stead_store::policy::Version;
use utoipa::{IntoParams, ToSchema};

use super::{
    given::{self, Asked, Id, Sent, after},
    shapes::{Added, Named, Part, at},
};
use crate::{
    App,
    auth::guard::Caller,
    error::{ApiError, FieldError, Refusal},
    flows::policy::{self, confirm, publish, review, signing},
};

/// A version of the policy.
#[derive(Serialize, ToSchema)]
pub struct VersionRow {
    /// Digest over all its files.
    digest: String,
    /// The pack's name.
    name: String,
    /// Its number.
    version: i64,
    /// What changes and why.
    says: String,
    /// When it was published.
    #[schema(format = DateTime)]
    published_at: String,
    /// From when on it is to be in force.
    #[schema(format = DateTime)]
    effective_at: String,
    /// When it came into force; absent while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    in_force_at: Option<String>,
    /// The ledger entry that proves its publication.
    entry: u64,
}

impl From<Version> for VersionRow {
    fn from(version: Version) -> Self {
        Self {
            digest: version.digest,
            name: version.name,
            version: version.version,
            says: version.says,
            published_at: at(version.published_at),
            effective_at: at(version.effective_at),
            in_force_at: version.in_force_at.map(at),
            entry: version.entry,
        }
    }
}

/// The policy.
#[derive(Serialize, ToSchema)]
pub struct PolicyInForce {
    /// Digest of the version in force: what is confirmed.
    digest: String,
    /// As findings name it.
    label: String,
    /// Who answers for it.
    owner: String,
    /// When it is to be reviewed next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    review_due: Option<String>,
    /// What is to be reviewed and when, soonest first.
    reviews: Vec<ReviewDue>,
    /// Whether the asker has confirmed it.
    confirmed: bool,
    /// What it asks of whoever confirms it.
    questions: Vec<PolicyQuestion>,
    /// Every version, newest first.
    versions: Vec<VersionRow>,
}

/// When something is to be reviewed.
#[derive(Serialize, ToSchema)]
pub struct ReviewDue {
    /// The rule; absent for the policy as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// Who answers for it.
    owner: String,
    /// When it was last; absent when it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last: Option<String>,
    /// When it is to be next.
    #[schema(format = DateTime)]
    at: String,
}

impl From<review::Due> for ReviewDue {
    fn from(due: review::Due) -> Self {
        Self { rule: due.rule, owner: due.owner, last: due.last.map(at), at: at(due.at) }
    }
}

/// A question about what the policy says.
#[derive(Serialize, ToSchema)]
pub struct PolicyQuestion {
    /// The question, by language.
    ask: BTreeMap<String, String>,
    /// The answers to choose from, by language.
    options: Vec<BTreeMap<String, String>>,
    /// The rule where it can be read.
    rule: String,
}

impl From<&stead_policy::pack::Question> for PolicyQuestion {
    fn from(question: &stead_policy::pack::Question) -> Self {
        Self { ask: question.ask.clone(), options: question.options.clone(), rule: question.rule.clone() }
    }
}

/// Says which policy is in force, and which were and will be.
#[utoipa::path(get, path = "/api/v1/policy", tag = "rules", responses((status = 200, body = PolicyInForce)))]
pub async fn get(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<PolicyInForce>, ApiError> {
    let pack = app.pack();
    let confirmed = app.store.confirmed_by(caller.id()).await?;
    let reviews = review::calendar(&app).await?;
    Ok(Json(PolicyInForce {
        digest: pack.digest.clone(),
        label: pack.label(),
        owner: pack.manifest.owner.clone(),
        review_due: reviews.first().map(|due| at(due.at)),
        reviews: reviews.into_iter().map(Into::into).collect(),
        confirmed: confirmed.iter().any(|(version, ..)| version.digest == pack.digest),
        questions: pack.manifest.questions.iter().map(Into::into).collect(),
        versions: app.store.policy_versions().await?.into_iter().map(Into::into).collect(),
    }))
}

/// What is confirmed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    /// Digest of the text that was read.
    digest: String,
    /// Answers to the questions of the policy in force, in their order: the place of an option, from 0.
    #[serde(default)]
    answers: Vec<u16>,
}

/// Confirms that one has read the policy in force.
#[utoipa::path(post, path = "/api/v1/me/confirmations", tag = "me", request_body = Confirmed,
    responses((status = 204)))]
pub async fn confirm(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(sent): Sent<Confirmed>,
) -> Result<StatusCode, ApiError> {
    let answers: Vec<_> = sent.answers.iter().map(|answer| Some(usize::from(*answer))).collect();
    confirm::confirm(&app, caller.id(), &sent.digest, &answers).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `next` of the part before.
    after: Option<String>,
    /// How many, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// How far the policy in force has reached.
#[derive(Serialize, ToSchema)]
pub struct Reach {
    /// The digest of what is to be confirmed.
    digest: String,
    /// How many are to confirm it.
    all: i64,
    /// How many have.
    confirmed: i64,
    /// Who has not, by name.
    missing: Part<Missing>,
}

/// Somebody who has not confirmed the policy.
#[derive(Serialize, ToSchema)]
pub struct Missing {
    /// Them.
    person: Named,
    /// The name of their unit.
    unit: String,
    /// `active`, `on_leave` or `leaving`.
    state: &'static str,
    /// Why they have not confirmed it, as far as the records say.
    why: &'static str,
}

/// Says who has confirmed the policy in force, and who is missing.
#[utoipa::path(get, path = "/api/v1/policy/reach", tag = "rules", params(Which),
    responses((status = 200, body = Reach)))]
pub async fn reach(State(app): State<Arc<App>>, Asked(which): Asked<Which>) -> Result<Json<Reach>, ApiError> {
    let digest = app.pack().digest.clone();
    let limit = given::limit(which.limit)?;
    let mut listed = app.store.to_confirm(&digest, after(which.after.as_deref())?, limit + 1).await?;
    let next = given::next(&mut listed, limit, |last| (last.search.clone(), last.person.id.to_string()));
    let (all, confirmed) = app.store.reached(&digest).await?;
    let items = policy::reach::why(&app, listed).await?.into_iter().map(|(one, why)| Missing {
        person: Named::new(one.person.id, &one.person.name),
        unit: one.unit_name,
        state: one.person.state.word(),
        why: why.word(),
    });
    let missing = Part { items: items.collect(), next };
    Ok(Json(Reach { digest, all, confirmed, missing }))
}

/// A version that is proposed.
#[derive(Serialize, ToSchema)]
pub struct ProposalRow {
    /// Its id.
    #[schema(format = Uuid)]
    id: String,
    /// Who proposes it.
    #[schema(format = Uuid)]
    author: String,
    /// What changes and why.
    says: String,
    /// Counts its changes: whoever publishes it says which one they have read.
    revision: i64,
    /// When it was proposed.
    #[schema(format = DateTime)]
    proposed_at: String,
    /// From when on it is to be in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    effective_at: Option<String>,
}

/// Lists proposals that are open.
#[utoipa::path(get, path = "/api/v1/policy/proposals", tag = "rules",
    responses((status = 200, body = Part<ProposalRow>)))]
pub async fn proposals(State(app): State<Arc<App>>) -> Result<Json<Part<ProposalRow>>, ApiError> {
    let drafts = app.store.policy_drafts().await?;
    let row = |draft: stead_store::draft::Draft| ProposalRow {
        id: draft.id.to_string(),
        author: draft.author.to_string(),
        says: draft.says,
        revision: draft.revision,
        proposed_at: at(draft.changed_at),
        effective_at: draft.effective_at.map(at),
    };
    Ok(Json(Part::all(drafts.into_iter().filter(|draft| draft.state == "proposed").map(row).collect())))
}

/// A version to propose.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proposed {
    /// Its files, text by path: `pack.toml`, `rules/…`, `tests/…`, `data/…`, and below `base/` those of the
    /// pack that it builds on.
    files: BTreeMap<String, String>,
    /// What changes and why.
    says: String,
    /// From when on it is to be in force; without it, as soon as it is published.
    #[serde(default)]
    #[schema(format = DateTime)]
    effective_at: Option<String>,
    /// A DSSE envelope over the digest of the files, sealed with a key that is allowed here;
    /// `stead-server pack publish` makes it.
    #[serde(default)]
    #[schema(value_type = Object)]
    signature: Option<Envelope>,
}

/// Proposes a version. Somebody else publishes it.
#[utoipa::path(post, path = "/api/v1/policy/proposals", tag = "rules", request_body = Proposed,
    responses((status = 201, body = Added)))]
pub async fn propose(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(sent): Sent<Proposed>,
) -> Result<(StatusCode, Json<Added>), ApiError> {
    let day = match &sent.effective_at {
        None => None,
        Some(text) => Some(
            text.parse::<jiff::Timestamp>()
                .map(|time| Millis(time.as_millisecond()))
                .map_err(|_| Refusal::form(FieldError::new("effective_at", "policy-day")))?,
        ),
    };
    signing::check(&app, caller.id(), &sent.files, sent.signature.as_ref()).await?;
    let id = publish::propose(&app, caller.id(), &sent.files, &sent.says, day).await?.to_string();
    Ok((StatusCode::CREATED, Json(Added { id })))
}

/// A key with which packs may be signed.
#[derive(Serialize, ToSchema)]
pub struct PackKeyRow {
    /// The public key, base64.
    key: String,
    /// Whose it is.
    name: String,
    /// When it was allowed.
    #[schema(format = DateTime)]
    added_at: String,
}

/// Lists keys with which packs may be signed.
#[utoipa::path(get, path = "/api/v1/policy/keys", tag = "rules",
    responses((status = 200, body = Part<PackKeyRow>)))]
pub async fn keys(State(app): State<Arc<App>>) -> Result<Json<Part<PackKeyRow>>, ApiError> {
    let row = |key: stead_store::draft::PackKey| PackKeyRow {
        key: key.key,
        name: key.name,
        added_at: at(key.added_at),
    };
    Ok(Json(Part::all(app.store.pack_keys().await?.into_iter().map(row).collect())))
}

/// What is let be published.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// The revision of the proposal that was read.
    revision: i64,
}

/// Publishes what somebody else proposed. A person does so in a browser; a token may not.
#[utoipa::path(post, path = "/api/v1/policy/proposals/{proposal}/approval", tag = "rules", request_body = Approved,
    params(("proposal" = String, Path, format = Uuid)), responses((status = 204)))]
pub async fn approve(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
    Sent(sent): Sent<Approved>,
) -> Result<StatusCode, ApiError> {
    // Two people publish, and a token is none.
    if caller.is_program() {
        return Err(Refusal::said(Kind::Forbidden, "policy-two-program").into());
    }
    publish::approve(&app, caller.id(), id, sent.revision).await?;
    policy::bring_in(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a proposal back, or turns it down.
#[utoipa::path(delete, path = "/api/v1/policy/proposals/{proposal}", tag = "rules",
    params(("proposal" = String, Path, format = Uuid)), responses((status = 204)))]
pub async fn withdraw(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<RecordId>,
) -> Result<StatusCode, ApiError> {
    publish::withdraw(&app, caller.id(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A review of the policy in force.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reviewed {
    /// The rule that was looked through; without it, all of the policy.
    #[serde(default)]
    rule: String,
    /// Who took part.
    took_part: String,
    /// What was considered.
    considered: String,
    /// `kept` or `changed`.
    outcome: String,
    /// What came of it.
    #[serde(default)]
    words: String,
}

/// Writes a review down.
#[utoipa::path(post, path = "/api/v1/policy/reviews", tag = "rules", request_body = Reviewed,
    responses((status = 204)))]
pub async fn review(
    State(app): State<Arc<App>>,
    caller: Caller,
    Sent(sent): Sent<Reviewed>,
) -> Result<StatusCode, ApiError> {
    let Reviewed { rule, took_part, considered, outcome, words } = sent;
    let said = review::Said { rule, took_part, considered, outcome, words };
    review::review(&app, caller.id(), said).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The files of one version.
#[derive(Serialize, ToSchema)]
pub struct Files {
    /// Text by path.
    files: BTreeMap<String, String>,
}

/// Gives a version's files, as they were published.
#[utoipa::path(get, path = "/api/v1/policy/versions/{digest}", tag = "rules",
    params(("digest" = String, Path)), responses((status = 200, body = Files)))]
pub async fn version(
    State(app): State<Arc<App>>,
    axum::extract::Path(digest): axum::extract::Path<String>,
) -> Result<Json<Files>, ApiError> {
    let found = app.store.policy_version(&digest).await?;
    let (version, text) = found.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))?;
    Ok(Json(Files { files: policy::files_of(&version, &text)? }))
}

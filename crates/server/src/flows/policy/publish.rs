//! Publishing a version: somebody proposes it, somebody else lets it be published, and its day puts it in
//! force. What does not lint, or fails its own tests, is not even proposed.

use serde_json::json;
use stead_model::{Millis, PersonId, RecordId, problem::Kind, text, time::DAY};
use stead_policy::{Pack, pack::Files, pack_test};
use stead_store::policy::{Draft, Version};
use tokio::sync::Semaphore;

use super::{files, subject};
use crate::{
    App,
    error::{FieldError, Refusal},
    flows::{entry, person_subject},
};

/// Most bytes of all files of a pack.
const LARGEST: usize = 4 * 1024 * 1024;
/// Most files of a pack.
const MOST_FILES: usize = 2000;
/// Most proposals that are open.
const MOST_OPEN: usize = 20;
/// How far ahead a version may come into force.
const FARTHEST: i64 = 366 * DAY;

/// What is wrong with a pack, by place; none when it can be published.
pub fn wrong_with(files: &Files) -> Result<Pack, Vec<String>> {
    if files.len() > MOST_FILES
        || files.iter().map(|(path, text)| path.len() + text.len()).sum::<usize>() > LARGEST
    {
        return Err(vec![format!("the pack has more than {MOST_FILES} files, or more than {LARGEST} bytes")]);
    }
    let said = |lints: Vec<stead_policy::Lint>| -> Vec<String> {
        lints.iter().map(|lint| format!("{}: {lint}. {}", lint.place(), lint.advice())).collect()
    };
    let pack = Pack::load(files).map_err(said)?;
    let outcomes = pack_test::run(&pack, files).map_err(said)?;
    let wrong: Vec<String> = outcomes.failed.into_iter().chain(outcomes.missing).collect();
    if wrong.is_empty() { Ok(pack) } else { Err(wrong) }
}

/// The same beside everything else, one at a time: reading and testing a pack is work.
async fn sound(files: Files) -> Result<Result<Pack, Vec<String>>, Refusal> {
    static ONE: Semaphore = Semaphore::const_new(1);
    let busy = || Refusal::said(Kind::Unavailable, "policy-busy");
    let _one = ONE.acquire().await.map_err(|_| busy())?;
    tokio::task::spawn_blocking(move || wrong_with(&files)).await.map_err(|_| busy())
}

/// Proposes a version.
///
/// # Errors
/// [`Refusal`] when the pack is not sound, its number is not new, it does not say what changes, or its day is
/// not one to come.
pub async fn propose(
    app: &App,
    by: PersonId,
    files: &Files,
    says: &str,
    effective_at: Option<Millis>,
) -> Result<RecordId, Refusal> {
    let now = app.now();
    let says = text::plain(says.trim(), 2000);
    let mut wrong = Vec::new();
    if says.is_empty() {
        wrong.push(FieldError::new("says", "policy-says"));
    }
    let effective_at = effective_at.unwrap_or(now).max(now);
    if effective_at.since(now) > FARTHEST {
        wrong.push(FieldError::new("effective_at", "policy-far"));
    }
    if app.store.policy_drafts().await?.len() >= MOST_OPEN {
        return Err(Refusal::said(Kind::Conflict, "policy-many"));
    }
    let pack = sound(files.clone()).await?.map_err(|all| {
        let detail = text::plain(&all.join("\n"), 4000);
        Refusal::new(Kind::Invalid, format!("The pack cannot be published.\n{detail}"))
    })?;
    let units = app.store.unit_names().await?;
    for unit in pack.manifest.rollout.iter().filter_map(|step| step.unit.as_ref()) {
        if !units.contains(unit) {
            wrong.push(FieldError::new("rollout", "policy-unit").with("unit", unit));
        }
    }
    let id = RecordId::from_parts(now, app.random()?);
    let mut write = app.store.write().await?;
    let number = i64::from(pack.manifest.version);
    if write.newest_policy(&pack.manifest.name).await?.is_some_and(|newest| newest >= number) {
        wrong.push(FieldError::new("version", "policy-number"));
    }
    if !wrong.is_empty() {
        return Err(Refusal::Form(wrong));
    }
    let draft = Draft {
        id,
        based_on: app.pack().digest.clone(),
        files: serde_json::to_string(files).map_err(stead_store::StoreError::from)?,
        says,
        state: "proposed".to_owned(),
        revision: 1,
        author: by,
        changed_by: by,
        created_at: now,
        changed_at: now,
        effective_at: Some(effective_at),
        editors: by.to_string(),
    };
    write.add_policy_draft(&draft).await?;
    let data = json!({ "policy": pack.label(), "proposal": id, "effective_at": effective_at.0 });
    write.append(&entry(now, &person_subject(by), "policy.proposed", subject(&pack.digest), data))?;
    write.commit(&app.keys.ledger).await?;
    Ok(id)
}

async fn open(app: &App, id: RecordId) -> Result<Draft, Refusal> {
    let draft = app.store.policy_draft(id).await?;
    draft
        .filter(|draft| draft.state == "proposed")
        .ok_or_else(|| Refusal::said(Kind::NotFound, "policy-no-proposal"))
}

/// Lets a proposal be published, by somebody else than its author. It comes into force on its day; on the
/// spot, when that has passed.
///
/// # Errors
/// [`Refusal`] when there is no such proposal, its author asks, or another version took its number.
pub async fn approve(app: &App, by: PersonId, id: RecordId) -> Result<(), Refusal> {
    let now = app.now();
    let draft = open(app, id).await?;
    if draft.is_by(by) {
        return Err(Refusal::said(Kind::Conflict, "policy-two"));
    }
    let pack = sound(files(&draft.files)?)
        .await?
        .map_err(|all| Refusal::new(Kind::Conflict, text::plain(&all.join("\n"), 4000)))?;
    let mut write = app.store.write().await?;
    let number = i64::from(pack.manifest.version);
    if write.newest_policy(&pack.manifest.name).await?.is_some_and(|newest| newest >= number) {
        return Err(Refusal::said(Kind::Conflict, "policy-number"));
    }
    let done = Draft {
        state: "published".to_owned(),
        revision: draft.revision + 1,
        changed_by: by,
        changed_at: now,
        ..draft.clone()
    };
    if !write.change_policy_draft(&done).await? {
        return Err(Refusal::said(Kind::Conflict, "policy-no-proposal"));
    }
    let effective_at = draft.effective_at.unwrap_or(now).max(now);
    let (author, approver) = (person_subject(draft.author), person_subject(by));
    let data = json!({
        "policy": pack.label(), "proposal": id, "author": author, "effective_at": effective_at.0,
    });
    let position = write.append(&entry(now, &approver, "policy.published", subject(&pack.digest), data))?;
    let version = Version {
        digest: pack.digest.clone(),
        name: pack.manifest.name.clone(),
        version: number,
        says: draft.says,
        author: draft.author.to_string(),
        approver: by.to_string(),
        published_at: now,
        effective_at,
        in_force_at: None,
        entry: position,
    };
    write.add_policy(&version, &draft.files).await.map_err(|error| match error.is_duplicate() {
        true => Refusal::said(Kind::Conflict, "policy-number"),
        false => error.into(),
    })?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Takes a proposal back, or turns it down.
///
/// # Errors
/// [`Refusal`] when there is no such proposal.
pub async fn withdraw(app: &App, by: PersonId, id: RecordId) -> Result<(), Refusal> {
    let now = app.now();
    let draft = open(app, id).await?;
    let done = Draft {
        state: "withdrawn".to_owned(),
        revision: draft.revision + 1,
        changed_by: by,
        changed_at: now,
        ..draft
    };
    let mut write = app.store.write().await?;
    if !write.change_policy_draft(&done).await? {
        return Err(Refusal::said(Kind::Conflict, "policy-no-proposal"));
    }
    let data = json!({ "proposal": id });
    write.append(&entry(now, &person_subject(by), "policy.withdrawn", subject(&done.based_on), data))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

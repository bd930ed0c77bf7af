//! The life of the policy: which version is in force, from when on, and who confirmed its text.
//!
//! In scope: versions, from their publication to the day they come into force; confirming. Out of scope:
//! judging by it (see `check_in` and [`subjects`]).

pub mod confirm;
pub mod diff;
pub mod drafts;
pub mod own_terms;
pub mod publish;
pub mod reach;
pub mod review;
pub mod signing;
pub mod subjects;
pub mod terms;
pub mod trying;
pub mod what_if;

use std::sync::Arc;

use serde_json::json;
use stead_model::{Millis, problem::Kind};
use stead_policy::{
    Lint, Pack,
    pack::{self, Files},
};
use stead_store::{Store, Write, policy::Version};

use super::{apart, check_in, directory, entry};
use crate::{App, error::Refusal};

/// Who publishes the first version.
const INSTALLATION: &str = "installation";
/// Entries of a ledger in which nothing has happened yet: the first version was published, and is in force.
pub const FIRST_ENTRIES: u64 = 2;
/// Devices that are judged anew at the same time.
const AT_ONCE: i64 = 128;

/// How entries name a version.
pub fn subject(digest: &str) -> String {
    format!("policy:{digest}")
}

/// The files of a version as they are stored.
///
/// # Errors
/// When they are not what was stored.
pub fn files(text: &str) -> Result<Files, Refusal> {
    Ok(serde_json::from_str(text).map_err(stead_store::StoreError::from)?)
}

/// Whether the version in force, or one that is still to come, rolls rules out to a unit of this name.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn names_unit(app: &App, unit: &str) -> Result<bool, Refusal> {
    let names = |pack: &Pack| pack.manifest.rollout.iter().any(|step| step.unit.as_deref() == Some(unit));
    if names(&app.pack()) {
        return Ok(true);
    }
    for version in app.store.policies_due(Millis(i64::MAX)).await? {
        let Some((_, text)) = app.store.policy_version(&version.digest).await? else { continue };
        if Pack::load(&files(&text)?).is_ok_and(|pack| names(&pack)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The files of a version, when they are those that its digest stands for.
///
/// # Errors
/// When they aren't: somebody changed the database.
pub fn files_of(version: &Version, text: &str) -> Result<Files, Refusal> {
    let files = files(text)?;
    match pack::digest_of(&files) == version.digest {
        true => Ok(files),
        false => Err(Refusal::said(Kind::Internal, "policy-changed")),
    }
}

/// Why it's not known which policy is in effect.
#[derive(Debug)]
pub enum Doubt {
    /// The database can't be read just now.
    Away(Refusal),
    /// What is stored isn't what the ledger names.
    Changed(String),
}

impl<T: Into<Refusal>> From<T> for Doubt {
    fn from(error: T) -> Self {
        Self::Away(error.into())
    }
}

/// The policy in effect with its files, as the ledger names it; none before the first.
pub(crate) async fn in_effect(store: &Store) -> Result<Option<(Version, Files)>, Doubt> {
    let Some((version, text)) = store.policy_in_force().await? else {
        return match store.ledger_count("policy.in-force").await? {
            0 => Ok(None),
            _ => Err(Doubt::Changed("the ledger names one, and none is stored as in force".to_owned())),
        };
    };
    let named = store.ledger_policy_in_force().await?;
    if named.as_deref() != Some(subject(&version.digest).as_str()) {
        let named = named.unwrap_or_else(|| "none".to_owned());
        return Err(Doubt::Changed(format!(
            "{} is stored as in force, and the ledger names {named}",
            version.digest
        )));
    }
    match files_of(&version, &text) {
        Ok(files) => Ok(Some((version, files))),
        Err(_) => Err(Doubt::Changed(format!("the stored files of {} have another digest", version.label()))),
    }
}

/// [`in_effect`], and that no version is gone that the ledger names. It reads all of the ledger.
pub(crate) async fn complete(store: &Store) -> Result<Option<(Version, Files)>, Doubt> {
    let (named, stored) =
        (store.ledger_count("policy.published").await?, store.policy_versions().await?.len());
    if named != stored as u64 {
        return Err(Doubt::Changed(format!("the ledger names {named} versions, and {stored} are stored")));
    }
    in_effect(store).await
}

/// What is wrong with a pack, in one text.
fn wrong(lints: &[Lint]) -> String {
    let all: Vec<String> = lints.iter().map(|lint| format!("{}: {lint}", lint.place())).collect();
    all.join("\n")
}

/// The policy to begin with: the one that is in force in this store, or, in a new one, what is given.
///
/// # Errors
/// When the policy cannot be read, or another one is given than the one in force.
pub async fn at_start(store: &Store, given: Option<&Files>, shipped: &Files) -> anyhow::Result<Pack> {
    let in_effect = match complete(store).await {
        Ok(in_effect) => in_effect,
        Err(Doubt::Away(refusal)) => {
            anyhow::bail!("{}", refusal.problem(&crate::words::Words::english()))
        }
        Err(Doubt::Changed(why)) => {
            // Whoever can tell what happened sees the pages; nothing is open and nobody is judged until it's put right.
            tracing::error!(why, "the policy in effect isn't known: access is closed for everyone");
            let pack = load(shipped)?;
            pack.put_in_doubt(true);
            return Ok(pack);
        }
    };
    if let Some((version, stored)) = in_effect {
        let pack = Pack::load(&stored)
            .map_err(|lints| anyhow::anyhow!("the policy in force cannot be used:\n{}", wrong(&lints)))?;
        if let Some(given) = given {
            let given = load(given)?;
            anyhow::ensure!(
                given.digest == pack.digest,
                "{} is in force here since {}, and --pack names another text ({}). Leave --pack out, and publish a new version instead",
                version.label(),
                version.in_force_at.unwrap_or(version.effective_at),
                given.label()
            );
        }
        return Ok(pack);
    }
    load(given.unwrap_or(shipped))
}

fn load(files: &Files) -> anyhow::Result<Pack> {
    Pack::load(files).map_err(|lints| {
        anyhow::anyhow!(
            "the policy pack cannot be used; `stead-server pack lint` says more:\n{}",
            wrong(&lints)
        )
    })
}

/// Writes the first version down, where there is none.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn begin(app: &App, files: &Files) -> Result<(), Refusal> {
    if app.pack().is_in_doubt() {
        return Ok(());
    }
    if app.store.policy_in_force().await?.is_some() {
        // A store of an earlier Stead did not know since when rules are asked: since the first version.
        let first = app.store.policy_versions().await?.last().map(|first| first.published_at);
        // Nor whom its versions name for break-glass access.
        let to_come =
            app.store.policies_due(Millis(i64::MAX)).await?.into_iter().map(|version| version.digest);
        for digest in std::iter::once(app.pack().digest.clone()).chain(to_come) {
            let Some((_, text)) = app.store.policy_version(&digest).await? else { continue };
            if let Ok(files) = self::files(&text)
                && let Ok(pack) = Pack::load(&files)
            {
                let mut write = app.store.write().await?;
                name_for_glass(app, &mut write, &pack).await?;
                write.commit(&app.keys.ledger).await?;
            }
        }
        return note_rules(app, first.unwrap_or_else(|| app.now())).await;
    }
    let now = app.now();
    let pack = app.pack();
    let mut write = app.store.write().await?;
    // Looked at again inside the transaction: another server may have begun meanwhile.
    if write.newest_policy(&pack.manifest.name).await?.is_some() {
        return Ok(());
    }
    let says = stead_model::seal::digest(b"");
    let data = json!({ "policy": pack.label(), "effective_at": now.0, "says": says });
    let position =
        write.append(&entry(now, INSTALLATION, "policy.published", subject(&pack.digest), data))?;
    let version = Version {
        digest: pack.digest.clone(),
        name: pack.manifest.name.clone(),
        version: i64::from(pack.manifest.version),
        says: String::new(),
        author: INSTALLATION.to_owned(),
        approver: INSTALLATION.to_owned(),
        published_at: now,
        effective_at: now,
        in_force_at: Some(now),
        entry: position,
    };
    write.add_policy(&version, &serde_json::to_string(files).map_err(stead_store::StoreError::from)?).await?;
    name_for_glass(app, &mut write, &pack).await?;
    let data = json!({ "policy": pack.label() });
    write.append(&entry(now, INSTALLATION, "policy.in-force", subject(&pack.digest), data))?;
    let rules: Vec<&str> = pack.rules.iter().map(|rule| rule.id.as_str()).collect();
    write.add_rules_since(&rules, now).await?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Notes whom a version names for break-glass access. They can do more from now on than before, and what was made to let
/// them in then is no good any more.
async fn name_for_glass(app: &App, write: &mut Write, pack: &Pack) -> Result<(), Refusal> {
    let Some(glass) = &pack.manifest.break_glass else { return Ok(()) };
    let addresses: Vec<String> = glass.people.iter().map(|address| address.to_lowercase()).collect();
    for address in &addresses {
        for person in write.person_by_address_or_number(Some(address), None).await? {
            if !write.is_trusted(&person).await? {
                directory::grown(app, write, person.id).await?;
            }
        }
    }
    Ok(write.name_for_glass(&pack.digest, &addresses).await?)
}

/// Puts versions in force whose day has come, takes over what another server put in force, and judges anew
/// what an earlier version judged. Whether anything was done.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn run(app: &Arc<App>) -> Result<bool, Refusal> {
    let came = bring_in(app).await?;
    if app.pack().is_in_doubt() {
        return Ok(came);
    }
    let stepped = terms::run(app).await?;
    Ok(judge_again(app).await? > 0 || came || stepped)
}

/// Puts versions in force whose day has come, and takes over what another server put in force. Judging by it
/// is left to the job.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn bring_in(app: &App) -> Result<bool, Refusal> {
    let came = come_into_force(app, app.now()).await?;
    Ok(take_over(app).await? || came)
}

async fn come_into_force(app: &App, now: Millis) -> Result<bool, Refusal> {
    let mut came = false;
    for version in app.store.policies_due(now).await? {
        let mut write = app.store.write().await?;
        // What was published later was meant to follow, whatever day it bore.
        let overtaken = write.policy_is_overtaken(version.entry).await?;
        let (done, kind) = match overtaken {
            true => (write.supersede_policy(&version.digest, now).await?, "policy.superseded"),
            false => (write.put_policy_in_force(&version.digest, now).await?, "policy.in-force"),
        };
        if done {
            let data = json!({ "policy": version.label() });
            write.append(&entry(now, "policy", kind, subject(&version.digest), data))?;
            write.commit(&app.keys.ledger).await?;
            came = true;
        }
    }
    Ok(came)
}

/// The version that the store says is in force, when this server judges by another.
async fn take_over(app: &App) -> Result<bool, Refusal> {
    let own = app.pack();
    let (version, files) = match in_effect(&app.store).await {
        Ok(Some(in_effect)) => in_effect,
        Ok(None) => return Ok(false),
        Err(Doubt::Away(refusal)) => return Err(refusal),
        Err(Doubt::Changed(why)) => {
            if own.put_in_doubt(true) {
                tracing::error!(why, "the policy in effect isn't known: access is closed for everyone");
            }
            return Err(Refusal::said(Kind::Internal, "policy-changed"));
        }
    };
    if version.digest == own.digest {
        if own.put_in_doubt(false) {
            tracing::info!(policy = own.label(), "the policy in effect is known again");
        }
        return Ok(false);
    }
    let pack = apart(move || Pack::load(&files)).await?.map_err(|lints| {
        tracing::error!(policy = version.label(), "the policy in force cannot be used: {}", wrong(&lints));
        Refusal::said(Kind::Internal, "panicked")
    })?;
    tracing::info!(policy = pack.label(), digest = pack.digest, "policy in force");
    app.put_in_force(pack);
    note_rules(app, version.in_force_at.unwrap_or(version.effective_at)).await?;
    terms::refresh(app).await?;
    Ok(true)
}

/// Writes down since when the rules in force are asked: from then on their first review is counted.
async fn note_rules(app: &App, since: Millis) -> Result<(), Refusal> {
    let pack = app.pack();
    let known = app.store.rules_since().await?;
    let new: Vec<&str> =
        pack.rules.iter().map(|rule| rule.id.as_str()).filter(|rule| !known.contains_key(*rule)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let mut write = app.store.write().await?;
    write.add_rules_since(&new, since).await?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Judges every device anew whose last report was judged by another version and that is heard; how many. One
/// that cannot be judged keeps nobody waiting.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn judge_again(app: &Arc<App>) -> Result<usize, Refusal> {
    let pack = app.pack();
    let heard_since = app.now().plus(-pack.silent_after);
    let (mut judged, mut after) = (0, None);
    loop {
        // Another server may have put the next one in force: this pass is over then.
        let in_force = app.store.policy_at(Millis(i64::MAX)).await?;
        if in_force.is_none_or(|version| version.digest != pack.digest) {
            return Ok(judged);
        }
        let ids = app.store.judged_by_another(&pack.digest, heard_since, after, AT_ONCE).await?;
        let Some(last) = ids.last() else { return Ok(judged) };
        after = Some(*last);
        let mut going = tokio::task::JoinSet::new();
        for id in ids {
            let app = Arc::clone(app);
            going.spawn(async move { (id, check_in::judge_again(&app, id).await) });
        }
        while let Some(result) = going.join_next().await {
            match result {
                Ok((_, Ok(true))) => judged += 1,
                // It moved on meanwhile, and is judged by what it sent.
                Ok((_, Ok(false))) => {}
                Ok((device, Err(refusal))) => {
                    let problem = refusal.problem(&crate::words::Words::english());
                    tracing::warn!(%device, %problem, "a device was not judged anew");
                }
                Err(_) => tracing::error!("judging a device anew ended abruptly"),
            }
        }
    }
}

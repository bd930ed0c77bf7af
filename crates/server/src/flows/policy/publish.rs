//! Publishing a version: somebody proposes it, somebody else lets it be published, and its day puts it in
//! force. What does not lint, or fails its own tests, is not even proposed.

use serde_json::json;
use stead_model::{Millis, PersonId, RecordId, Role, UnitId, problem::Kind, text, time::DAY};
use stead_policy::{Pack, pack::Files, pack_test};
use stead_store::{Write, draft::Draft, policy::Version, role::Grant};
use tokio::sync::Semaphore;

use super::{files, name_for_glass, subject};
use crate::{
    App,
    error::{FieldError, Refusal},
    flows::{entry, person_subject},
};

/// The file that says what a pack is.
pub const MANIFEST: &str = "pack.toml";
/// Most bytes of all files of a pack.
const LARGEST: usize = 4 * 1024 * 1024;
/// Most files of a pack.
const MOST_FILES: usize = 2000;
/// Most proposals that are open.
const MOST_OPEN: i64 = 20;
/// How long a role or a way in must have been there before whoever got it stands beside whoever gave it as a second
/// person.
const SETTLES: i64 = 7 * DAY;
/// How far ahead a version may come into force.
const FARTHEST: i64 = 366 * DAY;

/// One thing that keeps a pack from being published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amiss {
    /// The file.
    pub path: String,
    /// Line and column, counted from one; none when it is about all of the file.
    pub at: Option<(usize, usize)>,
    /// What it is.
    pub what: String,
    /// What to do; empty where that is plain.
    pub advice: String,
}

impl std::fmt::Display for Amiss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)?;
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}.", self.what)?;
        if self.advice.is_empty() { Ok(()) } else { write!(f, " {}", self.advice) }
    }
}

/// A pack that was looked through.
#[derive(Debug)]
pub struct Looked {
    /// The pack; none when its files cannot be read.
    pub pack: Option<Pack>,
    /// What keeps it from being published: files that cannot be read, and tests of its own that fail.
    pub amiss: Vec<Amiss>,
}

impl Looked {
    /// The pack, when nothing keeps it from being published.
    ///
    /// # Errors
    /// What does.
    pub fn sound(self) -> Result<Pack, Vec<Amiss>> {
        self.pack.filter(|_| self.amiss.is_empty()).ok_or(self.amiss)
    }
}

fn read(files: &Files) -> Looked {
    if files.len() > MOST_FILES
        || files.iter().map(|(path, text)| path.len() + text.len()).sum::<usize>() > LARGEST
    {
        let what = format!("the pack has more than {MOST_FILES} files, or more than {LARGEST} bytes");
        let amiss = Amiss { path: MANIFEST.to_owned(), at: None, what, advice: String::new() };
        return Looked { pack: None, amiss: vec![amiss] };
    }
    let said = |lints: Vec<stead_policy::Lint>| -> Vec<Amiss> {
        let of = |lint: &stead_policy::Lint| Amiss {
            path: lint.path().to_owned(),
            at: Some(lint.at()),
            what: lint.message().to_owned(),
            advice: lint.advice().to_owned(),
        };
        lints.iter().map(of).collect()
    };
    let pack = match Pack::load(files) {
        Ok(pack) => pack,
        Err(lints) => return Looked { pack: None, amiss: said(lints) },
    };
    let amiss = match pack_test::run(&pack, files) {
        Err(lints) => said(lints),
        Ok(outcomes) => {
            let all = outcomes.failed.into_iter().chain(outcomes.missing);
            all.map(|amiss| Amiss {
                path: format!("tests/{}.toml", amiss.rule),
                at: None,
                what: amiss.what,
                advice: String::new(),
            })
            .collect()
        }
    };
    Looked { pack: Some(pack), amiss }
}

/// Reads a pack and runs its tests, beside everything else and one at a time: it is work.
///
/// # Errors
/// [`Refusal`] when there is no room for it.
pub async fn look_through(files: Files) -> Result<Looked, Refusal> {
    static ONE: Semaphore = Semaphore::const_new(1);
    let busy = || Refusal::said(Kind::Unavailable, "policy-busy");
    let one = ONE.acquire().await.map_err(|_| busy())?;
    // Whoever asked may be gone before the work is done: the turn goes with the work.
    let work = move || {
        let _one = one;
        read(&files)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| busy())
}

/// A pack that is not sound, as whoever sent it is told.
fn unsound(kind: Kind, all: &[Amiss]) -> Refusal {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    Refusal::new(kind, format!("The pack cannot be published.\n{}", text::plain(&all.join("\n"), 4000)))
}

/// Units to which a pack rolls rules out and which there are none of.
async fn unknown_units(app: &App, pack: &Pack) -> Result<Vec<String>, Refusal> {
    let units = app.store.unit_names().await?;
    let named = pack.manifest.rollout.iter().filter_map(|step| step.unit.clone());
    Ok(named.filter(|unit| !units.contains(unit)).collect())
}

/// Whether there is room for one more that is open. Counted where nobody else adds one meanwhile.
pub(super) async fn room(write: &mut Write) -> Result<(), Refusal> {
    match write.open_drafts().await? {
        n if n >= MOST_OPEN => Err(Refusal::said(Kind::Conflict, "policy-many")),
        _ => Ok(()),
    }
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
    let newest = app.store.policy_newest().await?.map(|(version, _)| version.digest);
    let draft = Draft {
        id: RecordId::from_parts(now, app.random()?),
        based_on: newest.unwrap_or_else(|| app.pack().digest.clone()),
        files: serde_json::to_string(files).map_err(stead_store::StoreError::from)?,
        says: says.to_owned(),
        state: "draft".to_owned(),
        revision: 0,
        author: by,
        changed_by: by,
        created_at: now,
        changed_at: now,
        effective_at,
        editors: by.to_string(),
    };
    put_forward(app, by, draft).await
}

/// Puts a draft forward, with what its author says of it: a new one where its revision is none yet.
///
/// # Errors
/// As for [`propose`], and when somebody else changed it meanwhile.
pub(super) async fn put_forward(app: &App, by: PersonId, draft: Draft) -> Result<RecordId, Refusal> {
    let now = app.now();
    let is_new = draft.revision == 0;
    let says = text::plain(draft.says.trim(), 2000);
    let mut wrong = Vec::new();
    if says.is_empty() {
        wrong.push(FieldError::new("says", "policy-says"));
    }
    let effective_at = draft.effective_at.unwrap_or(now).max(now);
    if effective_at.since(now) > FARTHEST {
        wrong.push(FieldError::new("effective_at", "policy-far"));
    }
    let looked = look_through(files(&draft.files)?).await?;
    let pack = looked.sound().map_err(|all| unsound(Kind::Invalid, &all))?;
    for unit in unknown_units(app, &pack).await? {
        wrong.push(FieldError::new("rollout", "policy-unit").with("unit", unit));
    }
    let mut write = app.store.write().await?;
    let number = i64::from(pack.manifest.version);
    if write.newest_policy(&pack.manifest.name).await?.is_some_and(|newest| newest >= number) {
        wrong.push(FieldError::new("version", "policy-number"));
    }
    if !wrong.is_empty() {
        return Err(Refusal::Form(wrong));
    }
    let proposed = Draft {
        says,
        // Whoever puts it forward has a part in it, and leaves publishing to somebody else.
        editors: draft.editors_and(by),
        state: "proposed".to_owned(),
        revision: draft.revision + 1,
        changed_at: now,
        effective_at: Some(effective_at),
        ..draft
    };
    if is_new {
        room(&mut write).await?;
        write.add_policy_draft(&proposed).await?;
    } else if !write.change_policy_draft(&proposed).await? {
        return Err(Refusal::said(Kind::Conflict, "draft-moved"));
    }
    let data = json!({ "policy": pack.label(), "proposal": proposed.id, "effective_at": effective_at.0 });
    write.append(&entry(now, &person_subject(by), "policy.proposed", subject(&pack.digest), data))?;
    write.commit(&app.keys.ledger).await?;
    Ok(proposed.id)
}

pub(super) async fn open(app: &App, id: RecordId) -> Result<Draft, Refusal> {
    let draft = app.store.policy_draft(id).await?;
    draft
        .filter(|draft| draft.state == "proposed")
        .ok_or_else(|| Refusal::said(Kind::NotFound, "policy-no-proposal"))
}

/// Lets a proposal be published as it was at the revision that was `seen`, by somebody who wrote none of it. It
/// comes into force on its day; on the spot, when that has passed.
///
/// # Errors
/// [`Refusal`] when there is no such proposal, it was changed since it was seen, its author asks, or another
/// version was published since it was proposed.
pub async fn approve(app: &App, by: PersonId, id: RecordId, seen: i64) -> Result<(), Refusal> {
    let now = app.now();
    let draft = open(app, id).await?;
    if draft.revision != seen {
        return Err(Refusal::said(Kind::Conflict, "proposal-moved"));
    }
    if draft.is_by(by) {
        return Err(Refusal::said(Kind::Conflict, "policy-two"));
    }
    let looked = look_through(files(&draft.files)?).await?;
    let pack = looked.sound().map_err(|all| unsound(Kind::Conflict, &all))?;
    if let Some(unit) = unknown_units(app, &pack).await?.into_iter().next() {
        return Err(Refusal::Said(Kind::Conflict, "policy-unit", vec![("unit", unit)]));
    }
    // What was proposed is what is approved: the ledger has its digest.
    let proposed = (subject(&pack.digest), "policy.proposed");
    if app.store.ledger_of_kind((&proposed.0, proposed.1), (Millis(0), now)).await?.is_empty() {
        return Err(Refusal::said(Kind::Internal, "policy-changed"));
    }
    let installed = app.store.ledger_entry(0).await?.map_or(now, |first| first.at);
    let mut write = app.store.write().await?;
    for editor in draft.everybody() {
        independent(&mut write, by, editor, (installed, now)).await?;
        for (person, maker) in [(by, editor), (editor, by)] {
            if readdressed(app, person, maker, now).await? {
                return Err(Refusal::said(Kind::Conflict, "policy-two-new"));
            }
        }
    }
    let number = i64::from(pack.manifest.version);
    if write.newest_policy(&pack.manifest.name).await?.is_some_and(|newest| newest >= number) {
        return Err(Refusal::said(Kind::Conflict, "policy-number"));
    }
    // Whoever proposed it did not know what was published since, and would undo it.
    if write.newest_policy_digest().await?.is_some_and(|newest| newest != draft.based_on) {
        return Err(Refusal::said(Kind::Conflict, "proposal-behind"));
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
        "says": stead_model::seal::digest(draft.says.as_bytes()),
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
    name_for_glass(app, &mut write, &pack).await?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Whether an approver and an author are two people, as far as can be told: neither has lately made the other one able
/// to take part, by a role or by a link to sign in with. An approver's role must have settled too, unless the
/// installation is as new as that. That they hold one is asked before this.
async fn independent(
    write: &mut Write,
    approver: PersonId,
    author: PersonId,
    (installed, now): (Millis, Millis),
) -> Result<(), Refusal> {
    let settled = |since: Millis| now.since(since) >= SETTLES;
    for (person, maker, others_count) in [(approver, author, !settled(installed)), (author, approver, true)] {
        let maker = person_subject(maker);
        let counts = |grant: &Grant| settled(grant.granted_at) || (others_count && grant.granted_by != maker);
        let grants = write.grants(person).await?;
        let writing: Vec<&Grant> = grants.iter().filter(|grant| writes(grant)).collect();
        let depends = !writing.is_empty() && !writing.into_iter().any(counts);
        let let_in = write.link_made_by(person, &maker).await?;
        if depends || let_in.is_some_and(|at| !settled(at)) {
            return Err(Refusal::said(Kind::Conflict, "policy-two-new"));
        }
    }
    Ok(())
}

/// Whether `maker` has lately changed the address by which `person` signs in elsewhere.
async fn readdressed(app: &App, person: PersonId, maker: PersonId, now: Millis) -> Result<bool, Refusal> {
    let of = (&*person_subject(person), "person.changed");
    let changes = app.store.ledger_of_kind(of, (now.plus(-SETTLES), now)).await?;
    Ok(changes.iter().any(|change| {
        let told = serde_json::from_str::<stead_ledger::Entry>(&change.text);
        let of_address = |told: &stead_ledger::Entry| {
            let fields = told.data.get("fields").and_then(serde_json::Value::as_array);
            fields.is_some_and(|fields| fields.iter().any(|field| field == "email"))
        };
        told.is_ok_and(|told| told.by == person_subject(maker) && of_address(&told))
    }))
}

/// Whether a role lets somebody write the policy (`policy-write` in `policies/roles.cedar`).
fn writes(grant: &Grant) -> bool {
    matches!(grant.role, Role::Coordinator | Role::Security) && grant.unit == UnitId::ORGANISATION
}

/// Takes a proposal or a draft back, or turns it down.
///
/// # Errors
/// [`Refusal`] when none of that id is open.
pub async fn withdraw(app: &App, by: PersonId, id: RecordId) -> Result<(), Refusal> {
    let now = app.now();
    let draft = match app.store.policy_draft(id).await? {
        Some(draft) if draft.state == "draft" => draft,
        _ => open(app, id).await?,
    };
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

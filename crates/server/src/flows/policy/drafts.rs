//! Drafts: the next version, written file by file by several people, until one of them proposes it.
//!
//! In scope: beginning one, saving a file, edits that meet, catching up with a version that was published
//! meanwhile. Out of scope: whether it is sound (see [`publish`]), showing it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use stead_model::{Millis, PersonId, RecordId, Subject, problem::Kind, seal, text};
use stead_policy::{
    pack::{self, BASE, Files},
    rule::{SYSTEMS, WHAT_TO_DO},
};
use stead_store::{draft::Draft, policy::Version};

use super::{
    files, files_of,
    publish::{self, MANIFEST},
    subject,
};
use crate::{
    App,
    error::{FieldError, Refusal},
    flows::{entry, person_subject},
};

/// Most bytes of a file that is edited here.
const LARGEST_FILE: usize = 256 * 1024;
/// How often a save is tried again that met another one of another file.
const TRIES: usize = 5;

/// A draft that is being written, with its files.
#[derive(Clone, Debug)]
pub struct Open {
    /// The draft.
    pub draft: Draft,
    /// Its files, with those of the pack that it builds on below `base/`.
    pub files: Files,
}

impl Open {
    fn of(draft: Draft) -> Result<Self, Refusal> {
        Ok(Self { files: files(&draft.files)?, draft })
    }

    /// The text of a file as it counts: the pack's own, or that of the pack it builds on; empty when there is
    /// none.
    pub fn text(&self, path: &str) -> &str {
        text_in(&self.files, path)
    }

    /// What it would be with another text of one file.
    pub fn with(&self, path: &str, text: &str) -> Files {
        let mut files = self.files.clone();
        files.insert(path.to_owned(), plain(text));
        files
    }
}

/// The text of a file as it counts, among these files; empty when there is none.
pub fn text_in<'a>(files: &'a Files, path: &str) -> &'a str {
    files.get(path).or_else(|| files.get(&format!("{BASE}{path}"))).map_or("", String::as_str)
}

/// How a form remembers which text it was given to change.
pub fn mark(text: &str) -> String {
    seal::digest(text.as_bytes())
}

/// As browsers send it: lines end as files' lines do, and the last one does end.
fn plain(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" }
}

/// Paths of all files that count, without `base/`.
pub fn paths(files: &Files) -> BTreeSet<&str> {
    files.keys().map(|path| path.strip_prefix(BASE).unwrap_or(path)).collect()
}

/// The manifest with another number.
fn numbered(manifest: &str, number: i64) -> String {
    let mut top = true;
    let lines = manifest.lines().map(|line| {
        top &= !line.trim_start().starts_with('[');
        match line.split_once('=') {
            Some((key, _)) if top && key.trim() == "version" => format!("version = {number}"),
            _ => line.to_owned(),
        }
    });
    plain(&lines.collect::<Vec<_>>().join("\n"))
}

/// The version that was published last: what a draft builds on, in force already or still to come. One that
/// left out what is to come would undo it.
async fn newest(app: &App) -> Result<(Version, Files), Refusal> {
    let newest = app.store.policy_newest().await?;
    let (version, text) = newest.ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))?;
    let files = files_of(&version, &text)?;
    Ok((version, files))
}

fn stored(files: &Files) -> Result<String, Refusal> {
    Ok(serde_json::to_string(files).map_err(stead_store::StoreError::from)?)
}

/// Begins a draft from the version that was published last, with the next number.
///
/// # Errors
/// [`Refusal`] when too many are open, or the store is away.
pub async fn begin(app: &App, by: PersonId) -> Result<RecordId, Refusal> {
    let now = app.now();
    let id = RecordId::from_parts(now, app.random()?);
    let (version, mut files) = newest(app).await?;
    if let Some(manifest) = files.get_mut(MANIFEST) {
        *manifest = numbered(manifest, version.version + 1);
    }
    let draft = Draft {
        id,
        based_on: version.digest.clone(),
        files: stored(&files)?,
        says: String::new(),
        state: "draft".to_owned(),
        revision: 1,
        author: by,
        changed_by: by,
        created_at: now,
        changed_at: now,
        effective_at: None,
        editors: by.to_string(),
    };
    let mut write = app.store.write().await?;
    publish::room(&mut write).await?;
    write.add_policy_draft(&draft).await?;
    let data = json!({ "draft": id, "policy": version.label() });
    write.append(&entry(now, &person_subject(by), "policy.drafted", subject(&draft.based_on), data))?;
    write.commit(&app.keys.ledger).await?;
    Ok(id)
}

/// A draft that is being written.
///
/// # Errors
/// [`Refusal`] when none of that id is.
pub async fn open(app: &App, id: RecordId) -> Result<Open, Refusal> {
    let draft = app.store.policy_draft(id).await?.filter(|draft| draft.state == "draft");
    Open::of(draft.ok_or_else(|| Refusal::said(Kind::NotFound, "draft-none"))?)
}

/// A change of one file.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The file.
    pub path: String,
    /// [`mark`] of the text that was changed.
    pub was: String,
    /// The new text.
    pub text: String,
}

/// Saves one file. What somebody else saved there meanwhile is handed back instead, and nothing is written.
///
/// # Errors
/// [`Refusal`] when there is no such draft, the path is none, the text is too long, or the store is away.
pub async fn save(app: &App, by: PersonId, id: RecordId, edit: &Edit) -> Result<Option<String>, Refusal> {
    if !pack::is_path(&edit.path) {
        return Err(Refusal::form(FieldError::new("path", "draft-path")));
    }
    if edit.text.len() > LARGEST_FILE {
        return Err(Refusal::form(FieldError::new("text", "draft-long")));
    }
    let text = plain(&edit.text);
    for _ in 0..TRIES {
        let open = open(app, id).await?;
        let there = open.text(&edit.path);
        if there == text {
            return Ok(None);
        }
        if mark(there) != edit.was {
            return Ok(Some(there.to_owned()));
        }
        let mut changed = translations_kept(&open.files, &edit.path);
        changed.insert(edit.path.clone(), Some(text.clone()));
        if write_down(app, by, open, changed, None).await? {
            return Ok(None);
        }
    }
    Err(Refusal::said(Kind::Conflict, "draft-moved"))
}

/// A rule of the pack that this one builds on, when it is changed, keeps the translations that it has there.
fn translations_kept(files: &Files, path: &str) -> BTreeMap<String, Option<String>> {
    let below = format!("{BASE}{}.", path.trim_end_matches(".md"));
    let replaces = path.starts_with("rules/") && !files.contains_key(path) && path.matches('.').count() == 1;
    let theirs =
        files.iter().filter(|(other, _)| replaces && other.starts_with(&below) && other.ends_with(".md"));
    theirs
        .filter(|(other, _)| **other != format!("{BASE}{path}"))
        .filter_map(|(other, text)| Some((other.strip_prefix(BASE)?.to_owned(), Some(text.clone()))))
        .collect()
}

/// Writes changes of a draft down, a file that is none being removed; false when somebody else was quicker.
async fn write_down(
    app: &App,
    by: PersonId,
    open: Open,
    changed: BTreeMap<String, Option<String>>,
    based_on: Option<String>,
) -> Result<bool, Refusal> {
    let now = app.now();
    let Open { draft, mut files } = open;
    let before: Vec<(String, String)> =
        changed.keys().filter_map(|path| Some((path.clone(), files.get(path)?.clone()))).collect();
    for (path, text) in &changed {
        match text {
            Some(text) => files.insert(path.clone(), text.clone()),
            None => files.remove(path),
        };
    }
    let editors = draft.editors_and(by);
    let first = Draft { changed_by: draft.author, changed_at: draft.created_at, ..draft.clone() };
    let next = Draft {
        based_on: based_on.unwrap_or(draft.based_on),
        files: stored(&files)?,
        revision: draft.revision + 1,
        changed_by: by,
        changed_at: now,
        editors,
        ..draft
    };
    let mut write = app.store.write().await?;
    if !write.change_policy_draft(&next).await? {
        return Ok(false);
    }
    // What a file said to begin with is kept as well.
    for (path, text) in &before {
        if !write.has_draft_text(next.id, path).await? {
            write.add_draft_text(&first, path, Some(text)).await?;
        }
    }
    let mut named = serde_json::Map::new();
    for (path, text) in &changed {
        write.add_draft_text(&next, path, text.as_deref()).await?;
        named.insert(path.clone(), text.as_deref().map_or(serde_json::Value::Null, |text| mark(text).into()));
    }
    let data = json!({ "draft": next.id, "revision": next.revision, "files": named });
    write.append(&entry(now, &person_subject(by), "policy.draft-changed", subject(&next.based_on), data))?;
    write.commit(&app.keys.ledger).await?;
    Ok(true)
}

/// Changes a draft by what `change` makes of it, again where somebody else was quicker.
async fn change(
    app: &App,
    by: PersonId,
    id: RecordId,
    change: impl Fn(&Open) -> Result<BTreeMap<String, Option<String>>, Refusal>,
) -> Result<(), Refusal> {
    for _ in 0..TRIES {
        let open = open(app, id).await?;
        let changed = change(&open)?;
        if changed.is_empty() || write_down(app, by, open, changed, None).await? {
            return Ok(());
        }
    }
    Err(Refusal::said(Kind::Conflict, "draft-moved"))
}

/// Adds a rule, with a page and tests to be filled in. It does not lint until it says what it asks.
///
/// # Errors
/// [`Refusal`] when its name is none or is taken, it has no title, or the store is away.
pub async fn add_rule(
    app: &App,
    by: PersonId,
    id: RecordId,
    (rule, title, about): (&str, &str, &str),
) -> Result<(), Refusal> {
    let title = text::plain(title.trim(), 120);
    let mut wrong = Vec::new();
    let named = rule.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if rule.is_empty() || rule.len() > 60 || !named || rule.starts_with('-') {
        wrong.push(FieldError::new("rule", "draft-rule-name"));
    }
    if title.is_empty() {
        wrong.push(FieldError::new("title", "field-empty"));
    }
    let Some(about) = Subject::ALL.into_iter().find(|subject| subject.word() == about) else {
        wrong.push(FieldError::new("subject", "draft-rule-subject"));
        return Err(Refusal::Form(wrong));
    };
    if !wrong.is_empty() {
        return Err(Refusal::Form(wrong));
    }
    let (page, test) = (format!("rules/{rule}.md"), format!("tests/{rule}.toml"));
    change(app, by, id, |open| {
        if paths(&open.files).contains(page.as_str()) {
            return Err(Refusal::form(FieldError::new("rule", "draft-rule-taken")));
        }
        let fixes: String = match about {
            Subject::Device => SYSTEMS.iter().map(|system| format!("\n## Fix on {system}\n\n")).collect(),
            Subject::Person | Subject::Organisation | Subject::Site | Subject::Item => {
                format!("\n## {WHAT_TO_DO}\n\n")
            }
        };
        let quoted = serde_json::Value::from(title.clone());
        let text = format!(
            "{fence}\nid = \"{rule}\"\ntitle = {quoted}\nasks = {quoted}\nrequirements = []\ncontrols = []\n\
             serves = []\nsubject = \"{about}\"\npass = \"\"\nshows = \"\"\nseverity = \"medium\"\n\
             grace = \"P7D\"\nstage = \"observe\"\ncosts = \"restricted\"\n{fence}\n\n\
             ## What we look at\n\n\n## What it means for you\n\n{fixes}",
            fence = "+++",
            about = about.word(),
        );
        let case = |expect: &str| format!("[[case]]\nname = \"\"\nexpect = \"{expect}\"\n[case.facts]\n\n");
        let tests: String = ["pass", "fail", "unknown", "not_applicable"].map(case).concat();
        Ok(BTreeMap::from([(page.clone(), Some(text)), (test.clone(), Some(tests))]))
    })
    .await
}

/// Takes a file out; with a rule, its translations and tests. What only the pack has that this one builds on
/// stays: a rule of that one is rolled out no further than `observe`, or replaced.
///
/// # Errors
/// [`Refusal`] when there is no such file of its own, it is the manifest, or the store is away.
pub async fn remove(app: &App, by: PersonId, id: RecordId, path: &str) -> Result<(), Refusal> {
    change(app, by, id, |open| {
        if path == MANIFEST || path.starts_with(BASE) || !open.files.contains_key(path) {
            return Err(Refusal::said(Kind::Conflict, "draft-stays"));
        }
        let rule = path.strip_prefix("rules/").and_then(|name| name.strip_suffix(".md"));
        let goes = |other: &str| match rule {
            Some(rule) if !rule.contains('.') => {
                other == path
                    || other == format!("tests/{rule}.toml")
                    || other.starts_with(&format!("rules/{rule}."))
            }
            _ => other == path,
        };
        Ok(open.files.keys().filter(|other| goes(other)).map(|other| (other.clone(), None)).collect())
    })
    .await
}

/// A file that both a draft and the version that was published meanwhile changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Both {
    /// The file.
    pub path: String,
    /// Its text in that version; none when it is gone there.
    pub theirs: Option<String>,
    /// Its text in the draft; none when it is gone there.
    pub ours: Option<String>,
}

/// What was published since a draft was begun.
#[derive(Clone, Debug)]
pub struct Behind {
    /// The version that was published last.
    pub version: Version,
    /// Files that it changed and the draft did not: they are taken over as they are.
    pub taken: BTreeMap<String, Option<String>>,
    /// Files that both changed: a person reads them side by side.
    pub both: Vec<Both>,
}

/// What was published since a draft was begun; none when nothing was.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn behind(app: &App, open: &Open) -> Result<Option<Behind>, Refusal> {
    let (version, theirs) = newest(app).await?;
    if open.draft.based_on == version.digest {
        return Ok(None);
    }
    let Some((base, text)) = app.store.policy_version(&open.draft.based_on).await? else {
        return Ok(None);
    };
    let before = files_of(&base, &text)?;
    let mut behind = Behind { version, taken: BTreeMap::new(), both: Vec::new() };
    let paths: BTreeSet<&String> = before.keys().chain(theirs.keys()).chain(open.files.keys()).collect();
    for path in paths {
        // Numbers always differ, and are given anew.
        let of = |files: &Files| {
            let text = files.get(path)?;
            Some(if path == MANIFEST { numbered(text, 0) } else { text.clone() })
        };
        let (was, there, here) = (of(&before), of(&theirs), of(&open.files));
        if there == was || there == here {
            continue;
        }
        if here == was || path.starts_with(BASE) {
            behind.taken.insert(path.clone(), there);
        } else {
            behind.both.push(Both { path: path.clone(), theirs: there, ours: here });
        }
    }
    Ok(Some(behind))
}

/// Brings a draft up to what was published since: files that only that changed are taken over, and of those
/// that both changed `texts` says what they are to be; an empty one removes the file.
///
/// # Errors
/// [`Refusal`] when another version was published meanwhile, somebody else changed the draft, a file is
/// left out, or the store is away.
pub async fn bring_up(
    app: &App,
    by: PersonId,
    id: RecordId,
    (digest, revision): (&str, i64),
    texts: &BTreeMap<String, String>,
) -> Result<(), Refusal> {
    let moved = || Refusal::said(Kind::Conflict, "draft-moved");
    let open = open(app, id).await?;
    let Some(behind) = behind(app, &open).await? else { return Ok(()) };
    if behind.version.digest != digest || open.draft.revision != revision {
        return Err(moved());
    }
    let mut changed = behind.taken;
    for both in behind.both {
        let text = texts.get(&both.path).ok_or_else(moved)?;
        if text.len() > LARGEST_FILE {
            return Err(Refusal::form(FieldError::new("text", "draft-long")));
        }
        changed.insert(both.path, Some(plain(text)).filter(|text| !text.is_empty()));
    }
    let number = behind.version.version + 1;
    let manifest = match changed.get(MANIFEST) {
        Some(Some(text)) => text.as_str(),
        _ => open.text(MANIFEST),
    };
    changed.insert(MANIFEST.to_owned(), Some(numbered(manifest, number)));
    match write_down(app, by, open, changed, Some(behind.version.digest)).await? {
        true => Ok(()),
        false => Err(moved()),
    }
}

/// Proposes a draft as the next version.
///
/// # Errors
/// As for [`publish::propose`]; and when another version was published since it was begun.
pub async fn propose(
    app: &App,
    by: PersonId,
    id: RecordId,
    says: &str,
    effective_at: Option<Millis>,
) -> Result<(), Refusal> {
    let open = open(app, id).await?;
    if behind(app, &open).await?.is_some() {
        return Err(Refusal::said(Kind::Conflict, "draft-behind"));
    }
    let draft = Draft { says: says.to_owned(), effective_at, ..open.draft };
    publish::put_forward(app, by, draft).await.map(|_| ())
}

/// Makes a proposal a draft again, to be changed.
///
/// # Errors
/// [`Refusal`] when there is no such proposal.
pub async fn reopen(app: &App, by: PersonId, id: RecordId) -> Result<(), Refusal> {
    let now = app.now();
    let draft = publish::open(app, id).await?;
    let next = Draft { state: "draft".to_owned(), revision: draft.revision + 1, changed_at: now, ..draft };
    let mut write = app.store.write().await?;
    if !write.change_policy_draft(&next).await? {
        return Err(Refusal::said(Kind::Conflict, "draft-moved"));
    }
    let data = json!({ "draft": id });
    write.append(&entry(now, &person_subject(by), "policy.reopened", subject(&next.based_on), data))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// The rule that a file belongs to, when it does to one.
pub fn rule_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix("rules/").and_then(|name| name.strip_suffix(".md"));
    let name = name.or_else(|| path.strip_prefix("tests/").and_then(|name| name.strip_suffix(".toml")))?;
    Some(name.split_once('.').map_or(name, |(rule, _)| rule))
}

#[cfg(test)]
mod tests {
    use super::{numbered, plain};

    #[test]
    fn a_number_is_that_of_the_pack_and_of_nothing_below() {
        let text = "name = \"a\"\nversion = 3\n\n[parameters]\nversion = { value = 1 }\n";
        assert_eq!(numbered(text, 4), text.replacen("version = 3", "version = 4", 1));
    }

    #[test]
    fn lines_end_as_files_lines_do() {
        assert_eq!(plain("a\r\nb"), "a\nb\n");
        assert_eq!(plain(""), "");
    }
}

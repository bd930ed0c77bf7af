//! Drafts on pages: every file with what keeps it from being published, an editor that says so while one
//! writes, edits that met side by side, and catching up with a version that came into force meanwhile.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use askama::Template;
use axum::{
    Form as Posted,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use stead_model::{RecordId, Subject, problem::Kind};
use stead_policy::{
    pack::{self, BASE, Files},
    rule::title_in,
};
use stead_store::draft::DraftText;

use super::{
    super::{
        Base, Page, PageError, Reader, encode,
        form::{self, Form},
        markdown, nothing_here, page, parts,
    },
    Sent, day, name,
    side_by_side::{self, Row},
    told::{Told, told},
};
use crate::{
    App,
    error::Refusal,
    flows::policy::{
        drafts::{self, Both, Edit, Open, mark},
        publish::{self, Amiss, Looked, MANIFEST},
    },
    words::Words,
};

/// Earlier texts of a file that are listed.
const EARLIER: i64 = 200;
/// Languages that a rule may be said in beside English.
const LANGUAGES: [&str; 1] = ["pt-BR"];

fn id_of(text: &str) -> Result<RecordId, PageError> {
    text.parse().map_err(|_| nothing_here("policy"))
}

/// A file of a draft in a list.
struct Listed {
    path: String,
    /// What it is called there: the tag of a language, `tests`, or its path.
    name: String,
    /// Whether it differs from the version in force.
    changed: bool,
    /// How many things are amiss with it.
    amiss: usize,
}

/// A rule of a draft with its files.
struct RuleFiles {
    title: String,
    page: Listed,
    others: Vec<Listed>,
    /// Whether the version in force has no such rule.
    is_new: bool,
}

/// What is amiss, by file.
fn by_file(amiss: &[Amiss]) -> HashMap<&str, usize> {
    let mut by = HashMap::new();
    for one in amiss {
        *by.entry(one.path.strip_prefix(BASE).unwrap_or(&one.path)).or_default() += 1;
    }
    by
}

#[derive(Template)]
#[template(path = "draft.html")]
struct DraftPage {
    base: Base,
    form: Form,
    sent: Sent,
    id: RecordId,
    label: String,
    author: String,
    changed_by: String,
    open: Open,
    behind: bool,
    amiss: Vec<Amiss>,
    /// None while its files cannot be read.
    changes: Option<Vec<Told>>,
    rules: Vec<RuleFiles>,
    others: Vec<Listed>,
    subjects: Vec<(&'static str, String)>,
}

impl DraftPage {
    fn file(&self, path: impl AsRef<str>) -> String {
        address(self.id, path.as_ref())
    }

    fn amiss_in(&self, file: &Listed) -> String {
        let n = i64::try_from(file.amiss).unwrap_or(i64::MAX);
        format!("{}: {}", file.name, self.base.words.count("draft-amiss-n", n))
    }

    fn sent(&self, name: &str) -> &str {
        self.sent.get(name).map_or("", String::as_str)
    }
}

fn address(id: RecordId, path: &str) -> String {
    format!("/policy/drafts/{id}/file?path={}", encode(path.strip_prefix(BASE).unwrap_or(path)))
}

/// The files of the version in force, which everything is compared with.
async fn in_force(app: &App) -> Result<Files, PageError> {
    let digest = app.pack().digest.clone();
    let found = app.store.policy_version(&digest).await?;
    let (version, text) = found.ok_or_else(|| nothing_here("policy"))?;
    Ok(crate::flows::policy::files_of(&version, &text)?)
}

async fn draft_of(
    app: &App,
    reader: &Reader,
    id: RecordId,
    (form, sent): (Form, Sent),
) -> Result<DraftPage, PageError> {
    let open = drafts::open(app, id).await?;
    let words = &reader.words;
    let before = in_force(app).await?;
    let pack = app.pack();
    let Looked { pack: new, amiss } = publish::look_through(open.files.clone()).await?;
    let changes = new.as_ref().map(|new| told(&pack, new, &pack, words));
    let label = new.map_or_else(|| pack.manifest.name.clone(), |new| new.label());
    let counts = by_file(&amiss);
    let list = |path: &str, name: &str| Listed {
        path: path.to_owned(),
        name: name.to_owned(),
        changed: open.text(path) != drafts::text_in(&before, path),
        amiss: counts.get(path).copied().unwrap_or(0),
    };
    let paths = drafts::paths(&open.files);
    let mut rules = Vec::new();
    for path in &paths {
        let Some(rule) = path.strip_prefix("rules/").and_then(|name| name.strip_suffix(".md")) else {
            continue;
        };
        if rule.contains('.') {
            continue;
        }
        let translations = LANGUAGES.iter().map(|tag| (format!("rules/{rule}.{tag}.md"), *tag));
        let tests = (format!("tests/{rule}.toml"), "tests");
        rules.push(RuleFiles {
            title: title_in(open.text(path)).unwrap_or_else(|| rule.to_owned()),
            page: list(path, rule),
            others: translations.chain([tests]).map(|(path, name)| list(&path, name)).collect(),
            is_new: drafts::text_in(&before, path).is_empty(),
        });
    }
    rules.sort_by_key(|rule| {
        let files = || std::iter::once(&rule.page).chain(&rule.others);
        (files().all(|file| file.amiss == 0), files().all(|file| !file.changed), rule.page.path.clone())
    });
    Ok(DraftPage {
        base: Base::of(app, reader, words.say("draft-title"), "/policy"),
        form,
        sent,
        id,
        label,
        author: name(app, &open.draft.author.to_string(), words).await?,
        changed_by: name(app, &open.draft.changed_by.to_string(), words).await?,
        behind: drafts::behind(app, &open).await?.is_some(),
        others: paths
            .iter()
            .filter(|path| !path.starts_with("rules/") && !path.starts_with("tests/") && pack::is_path(path))
            .map(|path| list(path, path))
            .collect(),
        subjects: Subject::ALL
            .map(|subject| (subject.word(), words.say(format!("subject-{subject}"))))
            .into(),
        amiss,
        changes,
        rules,
        open,
    })
}

/// `POST /policy/drafts`: begins one from the version that was published last.
pub async fn begin(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let id = drafts::begin(&app, reader.caller.id()).await?;
    Ok(Redirect::to(&format!("/policy/drafts/{id}")).into_response())
}

/// `GET /policy/drafts/{proposal}`.
pub async fn draft(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    page(&draft_of(&app, &reader, id_of(&id)?, Default::default()).await?)
}

/// The draft's page again, with what was not right.
async fn again(app: &App, reader: &Reader, id: RecordId, refusal: Refusal, sent: Sent) -> Page {
    let form = Form::of(refusal, &reader.words)?;
    Ok(form::not_taken(page(&draft_of(app, reader, id, (form, sent)).await?)?))
}

/// `POST /policy/drafts/{proposal}/rules`: adds a rule.
pub async fn add_rule(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Page {
    let id = id_of(&id)?;
    let get = |name: &str| sent.get(name).map_or("", |text| text.trim());
    let given = (get("rule"), get("title"), get("subject"));
    match drafts::add_rule(&app, reader.caller.id(), id, given).await {
        Ok(()) => {
            let to = address(id, &format!("rules/{}.md", get("rule")));
            Ok(Redirect::to(&to).into_response())
        }
        Err(refusal) => again(&app, &reader, id, refusal, sent).await,
    }
}

/// `POST /policy/drafts/{proposal}/remove`: takes a file out.
pub async fn remove(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Page {
    let id = id_of(&id)?;
    match drafts::remove(&app, reader.caller.id(), id, sent.get("path").map_or("", String::as_str)).await {
        Ok(()) => Ok(Redirect::to(&format!("/policy/drafts/{id}")).into_response()),
        Err(refusal) => again(&app, &reader, id, refusal, sent).await,
    }
}

/// `POST /policy/drafts/{proposal}/propose`.
pub async fn propose(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Page {
    let id = id_of(&id)?;
    let get = |name: &str| sent.get(name).map_or("", String::as_str);
    let proposed = async {
        let day = day(&reader.words, get("effective_at"))?;
        drafts::propose(&app, reader.caller.id(), id, get("says"), day).await
    };
    match proposed.await {
        Ok(()) => Ok(Redirect::to(&format!("/policy/proposals/{id}")).into_response()),
        Err(refusal) => again(&app, &reader, id, refusal, sent).await,
    }
}

/// `POST /policy/drafts/{proposal}/discard`.
pub async fn discard(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    let id = id_of(&id)?;
    drafts::open(&app, id).await?;
    publish::withdraw(&app, reader.caller.id(), id).await?;
    Ok(Redirect::to("/policy#proposals").into_response())
}

/// `POST /policy/proposals/{proposal}/reopen`: makes it a draft again.
pub async fn reopen(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    let id = id_of(&id)?;
    drafts::reopen(&app, reader.caller.id(), id).await?;
    Ok(Redirect::to(&format!("/policy/drafts/{id}")).into_response())
}

/// What is said of a text while it is written.
#[derive(Template)]
#[template(path = "draft_check.html")]
struct Check {
    words: Words,
    id: RecordId,
    /// What is amiss with this file.
    here: Vec<Amiss>,
    /// With the others, by file.
    elsewhere: Vec<(String, usize)>,
    /// What the draft would change of the rule, or of the pack.
    changes: Vec<Told>,
    /// How a rule's page would read.
    preview: Option<(String, parts::Html)>,
}

impl Check {
    async fn of(app: &App, words: &Words, open: &Open, (path, text): (&str, &str)) -> Result<Self, Refusal> {
        let pack = app.pack();
        let Looked { pack: new, amiss } = publish::look_through(open.with(path, text)).await?;
        let changes = new.map_or_else(Vec::new, |new| told(&pack, &new, &pack, words));
        let about = if path == MANIFEST { "" } else { drafts::rule_of(path).unwrap_or("") };
        let (here, elsewhere): (Vec<Amiss>, Vec<Amiss>) =
            amiss.into_iter().partition(|amiss| amiss.path.strip_prefix(BASE).unwrap_or(&amiss.path) == path);
        let mut elsewhere: Vec<_> =
            by_file(&elsewhere).into_iter().map(|(path, n)| (path.to_owned(), n)).collect();
        elsewhere.sort();
        let text = text.replace("\r\n", "\n");
        let body = text.strip_prefix("+++\n").and_then(|text| text.split_once("\n+++\n"));
        Ok(Self {
            words: words.clone(),
            id: open.draft.id,
            here,
            elsewhere,
            changes: changes.into_iter().filter(|told| told.rule == about).collect(),
            preview: body
                .filter(|_| path.starts_with("rules/"))
                .map(|(_, body)| (title_in(&text).unwrap_or_default(), markdown::html(body))),
        })
    }

    fn file(&self, path: impl AsRef<str>) -> String {
        address(self.id, path.as_ref())
    }
}

#[derive(Template)]
#[template(path = "draft_file.html")]
struct FilePage {
    base: Base,
    form: Form,
    id: RecordId,
    label: String,
    path: String,
    /// The rule's title, or the path.
    title: String,
    /// The text in the editor.
    text: String,
    /// [`mark`] of the text that it changes.
    was: String,
    /// What somebody else saved meanwhile, beside what is in the editor.
    met: Option<Vec<Row>>,
    /// What the draft changes of it, beside the version in force.
    changed: Vec<Row>,
    check: Check,
    earlier: Vec<DraftText>,
    /// Whether it may be taken out.
    removes: bool,
    saved: bool,
}

/// What is to be seen in the editor.
struct Shown {
    path: String,
    /// The text in it; none for what is saved.
    text: Option<String>,
    /// [`mark`] of the text that it changes; none for what is saved.
    was: Option<String>,
    form: Form,
    met: bool,
    saved: bool,
}

async fn file_of(app: &App, reader: &Reader, id: RecordId, shown: Shown) -> Result<FilePage, PageError> {
    let Shown { path, text, was, form, met, saved } = shown;
    if !pack::is_path(&path) {
        return Err(nothing_here("policy"));
    }
    let open = drafts::open(app, id).await?;
    let there = open.text(&path);
    let text = text.unwrap_or_else(|| there.to_owned());
    let before = in_force(app).await?;
    let title = drafts::rule_of(&path).map(|rule| title_in(open.text(&format!("rules/{rule}.md"))));
    Ok(FilePage {
        base: Base::of(app, reader, path.clone(), "/policy"),
        form,
        id,
        label: app.pack().manifest.name.clone(),
        title: title.flatten().unwrap_or_else(|| path.clone()),
        was: was.unwrap_or_else(|| mark(there)),
        met: met.then(|| side_by_side::compare(there, &text.replace("\r\n", "\n"))),
        changed: side_by_side::compare(drafts::text_in(&before, &path), there),
        check: Check::of(app, &reader.words, &open, (&path, &text)).await?,
        earlier: app.store.draft_texts(id, &path, EARLIER).await?,
        removes: path != MANIFEST && open.files.contains_key(&path),
        path,
        text,
        saved,
    })
}

/// Which file, and which of its texts.
#[derive(Debug, Deserialize)]
pub struct Which {
    #[serde(default)]
    path: String,
    /// An earlier revision, to be put back.
    revision: Option<i64>,
    #[serde(default)]
    saved: String,
}

/// `GET /policy/drafts/{proposal}/file`.
pub async fn file(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Page {
    let id = id_of(&id)?;
    let text = match which.revision {
        None => None,
        Some(revision) => {
            let all = app.store.draft_texts(id, &which.path, EARLIER).await?;
            let found = all.into_iter().find(|one| one.revision == revision);
            Some(found.ok_or_else(|| nothing_here("policy"))?.text.unwrap_or_default())
        }
    };
    let saved = which.saved == "1";
    let shown = Shown { path: which.path, text, was: None, form: Form::default(), met: false, saved };
    page(&file_of(&app, &reader, id, shown).await?)
}

/// What was written to a draft that is not open any more.
#[derive(Template)]
#[template(path = "draft_gone.html")]
struct Gone {
    base: Base,
    path: String,
    text: String,
}

/// `POST /policy/drafts/{proposal}/file`: saves it, or shows what somebody else saved beside it.
pub async fn save(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(mut sent): Posted<Sent>,
) -> Page {
    let id = id_of(&id)?;
    let mut take = |name: &str| sent.remove(name).unwrap_or_default();
    let edit = Edit { path: take("path"), was: take("was"), text: take("text") };
    let shown = |form, was, met| Shown {
        path: edit.path.clone(),
        text: Some(edit.text.clone()),
        was: Some(was),
        form,
        met,
        saved: false,
    };
    match drafts::save(&app, reader.caller.id(), id, &edit).await {
        Ok(None) => Ok(Redirect::to(&format!("{}&saved=1", address(id, &edit.path))).into_response()),
        Ok(Some(theirs)) => {
            let shown = shown(Form::default(), mark(&theirs), true);
            let page = page(&file_of(&app, &reader, id, shown).await?)?;
            Ok((StatusCode::CONFLICT, page).into_response())
        }
        // Proposed or discarded meanwhile: what was written is handed back.
        Err(Refusal::Said(Kind::NotFound, ..)) => {
            let base = Base::of(&app, &reader, reader.words.say("draft-gone-title"), "/policy");
            Ok((StatusCode::CONFLICT, page(&Gone { base, path: edit.path, text: edit.text })?)
                .into_response())
        }
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            let shown = shown(form, edit.was.clone(), false);
            Ok(form::not_taken(page(&file_of(&app, &reader, id, shown).await?)?))
        }
    }
}

/// `POST /policy/drafts/{proposal}/check`: what is to be said of a text before it is saved.
pub async fn check(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Page {
    let get = |name: &str| sent.get(name).map_or("", String::as_str);
    if !pack::is_path(get("path")) {
        return Err(nothing_here("policy"));
    }
    let open = drafts::open(&app, id_of(&id)?).await?;
    page(&Check::of(&app, &reader.words, &open, (get("path"), get("text"))).await?)
}

/// A file that both changed, to be brought together.
struct Meeting {
    both: Both,
    rows: Vec<Row>,
    text: String,
}

#[derive(Template)]
#[template(path = "draft_catch_up.html")]
struct CatchUp {
    base: Base,
    form: Form,
    id: RecordId,
    label: String,
    digest: String,
    revision: i64,
    taken: Vec<String>,
    both: Vec<Meeting>,
}

async fn catching_up(
    app: &App,
    reader: &Reader,
    id: RecordId,
    (form, sent): (Form, Sent),
) -> Result<Option<CatchUp>, PageError> {
    let open = drafts::open(app, id).await?;
    let Some(behind) = drafts::behind(app, &open).await? else { return Ok(None) };
    let both = behind.both.into_iter().map(|both| {
        let (theirs, ours) = (both.theirs.as_deref().unwrap_or(""), both.ours.as_deref().unwrap_or(""));
        Meeting {
            rows: side_by_side::compare(theirs, ours),
            // What was typed already is kept, whatever moved meanwhile.
            text: sent.get(&both.path).cloned().unwrap_or_else(|| ours.to_owned()),
            both,
        }
    });
    Ok(Some(CatchUp {
        base: Base::of(app, reader, reader.words.say("catch-up-title"), "/policy"),
        form,
        id,
        label: behind.version.label(),
        digest: behind.version.digest,
        revision: open.draft.revision,
        taken: behind.taken.into_keys().collect(),
        both: both.collect(),
    }))
}

/// `GET /policy/drafts/{proposal}/catch-up`.
pub async fn catch_up(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    let id = id_of(&id)?;
    match catching_up(&app, &reader, id, Default::default()).await? {
        Some(shown) => page(&shown),
        None => Ok(Redirect::to(&format!("/policy/drafts/{id}")).into_response()),
    }
}

/// `POST /policy/drafts/{proposal}/catch-up`.
pub async fn bring_up(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(mut sent): Posted<Sent>,
) -> Result<Response, PageError> {
    let id = id_of(&id)?;
    let digest = sent.remove("digest").unwrap_or_default();
    let revision = sent.remove("revision").and_then(|text| text.parse().ok()).unwrap_or(0);
    let texts: BTreeMap<String, String> = sent.into_iter().collect();
    match drafts::bring_up(&app, reader.caller.id(), id, (&digest, revision), &texts).await {
        Ok(()) => Ok(Redirect::to(&format!("/policy/drafts/{id}")).into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            let sent = texts.into_iter().collect();
            match catching_up(&app, &reader, id, (form, sent)).await? {
                Some(shown) => Ok(form::not_taken(page(&shown)?)),
                None => Ok(Redirect::to(&format!("/policy/drafts/{id}")).into_response()),
            }
        }
    }
}

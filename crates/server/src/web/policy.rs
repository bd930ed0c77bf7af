//! The policy as people meet it: what is in force, what changed since they confirmed it, every version there
//! was, who has been reached, and publishing the next one.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use askama::Template;
use axum::{
    Form as Posted,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use stead_model::{Millis, PersonId, RecordId, Standing, Subject, problem::Kind};
use stead_policy::{Pack, pack::said, shipped};
use stead_store::{
    people::Listed,
    policy::{Draft, PackKey, Review, Version},
};

use super::{
    Base, Page, PageError, Reader, download, encode,
    form::{self, Form},
    markdown, nothing_here, page, parts,
};
use crate::{
    App,
    auth::access::Action,
    error::{FieldError, Refusal},
    flows::policy::{
        self, confirm, diff, publish, review, signing, subjects,
        what_if::{self, Tried, Worse},
    },
    words::Words,
};

/// People on a page of those who are missing.
const PAGE: usize = 100;

/// A change as a person reads it.
struct Told {
    rule: String,
    title: String,
    /// What happened to it, in words.
    change: String,
    /// What it was and is, in words.
    fields: Vec<String>,
    /// Whether the rule can be opened: it is in force.
    open: bool,
}

/// What changed, in the reader's words.
fn told(old: &Pack, new: &Pack, in_force: &Pack, words: &Words) -> Vec<Told> {
    diff::between(old, new)
        .into_iter()
        .map(|changed| {
            let rule = new.rule(&changed.rule).or_else(|| old.rule(&changed.rule));
            let title =
                rule.map_or_else(|| words.say("changed-pack"), |rule| rule.text(words.language.tag()).title);
            let field = |(name, from, to): (String, String, String)| field(words, new, &name, &from, &to);
            Told {
                title,
                change: words.say(format!("change-{}", changed.change.word())),
                fields: changed.fields.into_iter().map(field).collect(),
                open: in_force.rule(&changed.rule).is_some(),
                rule: changed.rule,
            }
        })
        .collect()
}

fn field(words: &Words, pack: &Pack, name: &str, from: &str, to: &str) -> String {
    let grace = |millis: &str| words.length(millis.parse::<i64>().unwrap_or(0));
    let (from, to) = match name {
        "grace" => (grace(from), grace(to)),
        "stage" => (words.say(format!("stage-{from}")), words.say(format!("stage-{to}"))),
        "severity" => (words.say(format!("harm-{from}")), words.say(format!("harm-{to}"))),
        "costs" => (words.tier(from), words.tier(to)),
        _ => (from.to_owned(), to.to_owned()),
    };
    let about = pack.manifest.parameters.get(name).map(|parameter| parameter.about.clone());
    let name = about.unwrap_or_else(|| words.say(format!("changed-{}", name.replace('_', "-"))));
    words.with("changed-field", [("name", name), ("from", from), ("to", to)])
}

/// The rules about one kind of thing, with their titles.
struct Group {
    subject: Subject,
    rules: Vec<(String, String, bool)>,
}

fn groups(pack: &Pack, words: &Words) -> Vec<Group> {
    Subject::ALL
        .into_iter()
        .map(|subject| Group {
            subject,
            rules: pack
                .rules_of(subject)
                .iter()
                .map(|rule| (rule.id.clone(), rule.text(words.language.tag()).title, rule.waits()))
                .collect(),
        })
        .filter(|group| !group.rules.is_empty())
        .collect()
}

/// A question about what the policy says.
struct Asking {
    field: &'static str,
    ask: String,
    options: Vec<String>,
    /// The rule where the answer is read: id and title.
    rule: (String, String),
}

fn questions(pack: &Pack, words: &Words) -> Vec<Asking> {
    let tag = words.language.tag();
    let asked = pack.manifest.questions.iter().zip(confirm::ANSWERS);
    asked
        .map(|(question, field)| Asking {
            field,
            ask: said(&question.ask, tag).to_owned(),
            options: question.options.iter().map(|option| said(option, tag).to_owned()).collect(),
            rule: (question.rule.clone(), super::exceptions::title(pack, &question.rule, words)),
        })
        .collect()
}

#[derive(Template)]
#[template(path = "policy.html")]
struct Policy {
    base: Base,
    form: Form,
    now: Millis,
    digest: String,
    label: String,
    owner: String,
    in_force: Option<Version>,
    coming: Vec<Version>,
    earlier: Vec<Version>,
    /// What the reader confirmed last, and when; none when nothing.
    confirmed: Option<(Version, Millis)>,
    changes: Vec<Told>,
    groups: Vec<Group>,
    questions: Vec<Asking>,
    review_due: Option<Millis>,
    reviews: Vec<Review>,
    proposals: Vec<(Draft, String)>,
    keys: Vec<PackKey>,
    may_write: bool,
    may_reach: bool,
    reached: (i64, i64),
    sent: HashMap<String, String>,
}

impl Policy {
    fn is_confirmed(&self) -> bool {
        self.confirmed.as_ref().is_some_and(|(version, _)| version.digest == self.digest)
    }

    fn sent(&self, name: &str) -> &str {
        self.sent.get(name).map_or("", String::as_str)
    }

    fn stale(&self) -> bool {
        self.review_due.is_some_and(|due| due <= self.now)
    }

    fn subject(&self, group: &Group) -> String {
        self.base.say(&format!("subject-{}", group.subject))
    }
}

/// `GET /policy`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader) -> Page {
    page(&gather(&app, &reader, Form::default(), HashMap::new()).await?)
}

async fn gather(
    app: &App,
    reader: &Reader,
    form: Form,
    sent: HashMap<String, String>,
) -> Result<Policy, PageError> {
    let pack = app.pack();
    let words = &reader.words;
    let versions = app.store.policy_versions().await?;
    let in_force = versions.iter().find(|version| version.digest == pack.digest).cloned();
    let confirmed = app.store.confirmed_by(reader.caller.id()).await?;
    let own = confirmed.iter().find(|(version, ..)| version.digest == pack.digest).or(confirmed.first());
    let changes = match own {
        Some((version, ..)) if version.digest != pack.digest => {
            // What a later Stead cannot read any more is compared with nothing, and keeps nobody from confirming.
            read(app, &version.digest)
                .await
                .map_or_else(|_| Vec::new(), |old| told(&old, &pack, &pack, words))
        }
        _ => Vec::new(),
    };
    let may_write = reader.caller.may_to_all(app, Action::PolicyWrite);
    let may_reach = reader.caller.may_to_all(app, Action::OverviewSee);
    let mut proposals = Vec::new();
    if may_write {
        for draft in app.store.policy_drafts().await? {
            let author = app.store.person(draft.author).await?.map_or_else(String::new, |p| p.name);
            proposals.push((draft, author));
        }
    }
    let title = words.say("policy-title");
    Ok(Policy {
        base: match may_write || may_reach {
            true => Base::of(app, reader, title, "/policy"),
            false => Base::plain(app, reader, title, "/policy"),
        },
        form,
        now: app.now(),
        digest: pack.digest.clone(),
        label: pack.label(),
        owner: pack.manifest.owner.clone(),
        confirmed: own.map(|(version, at, _)| (version.clone(), *at)),
        changes,
        groups: groups(&pack, words),
        questions: questions(&pack, words),
        coming: versions.iter().filter(|version| comes(version, &versions)).cloned().collect(),
        earlier: versions
            .iter()
            .filter(|version| !comes(version, &versions) && version.digest != pack.digest)
            .cloned()
            .collect(),
        in_force,
        review_due: subjects::review_due(app).await?,
        reviews: app.store.policy_reviews(5).await?,
        proposals,
        keys: if may_write { app.store.pack_keys().await? } else { Vec::new() },
        may_write,
        reached: if may_reach { app.store.reached(&pack.digest).await? } else { (0, 0) },
        may_reach,
        sent,
    })
}

/// Whether a version is still to come into force. One that was published before one that is, never does.
fn comes(version: &Version, all: &[Version]) -> bool {
    let overtaken = all.iter().any(|other| other.in_force_at.is_some() && other.entry > version.entry);
    version.in_force_at.is_none() && !overtaken
}

/// A version's rules. The one in force is at hand.
async fn read(app: &App, digest: &str) -> Result<Arc<Pack>, PageError> {
    let pack = app.pack();
    if pack.digest == digest {
        return Ok(pack);
    }
    let Some((_, text)) = app.store.policy_version(digest).await? else { return Err(nothing_here("policy")) };
    load(&text).await
}

async fn load(text: &str) -> Result<Arc<Pack>, PageError> {
    // What was published was sound; a later Stead may be stricter about how rules are written.
    let files = policy::files(text)?;
    let loaded = tokio::task::spawn_blocking(move || Pack::load(&files)).await;
    match loaded {
        Ok(Ok(pack)) => Ok(Arc::new(pack)),
        Ok(Err(_)) | Err(_) => Err(Refusal::said(Kind::Conflict, "policy-unreadable").into()),
    }
}

/// `POST /policy/confirm`.
pub async fn confirm(
    State(app): State<Arc<App>>,
    reader: Reader,
    Posted(sent): Posted<HashMap<String, String>>,
) -> Page {
    let digest = sent.get("digest").map_or("", String::as_str);
    let answers = confirm::ANSWERS.map(|field| sent.get(field).and_then(|answer| answer.parse().ok()));
    match confirm::confirm(&app, reader.caller.id(), digest, &answers).await {
        Ok(()) => Ok(Redirect::to("/policy").into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&gather(&app, &reader, form, sent).await?)?))
        }
    }
}

/// One rule of a version, whole.
struct Whole {
    id: String,
    title: String,
    why: parts::Html,
    sections: Vec<(String, parts::Html)>,
    asks: String,
}

#[derive(Template)]
#[template(path = "policy_version.html")]
struct OneVersion {
    base: Base,
    version: Version,
    author: String,
    approver: String,
    before: Option<Version>,
    changes: Vec<Told>,
    rules: Vec<Whole>,
    in_force: bool,
    comes: bool,
}

async fn name(app: &App, who: &str, words: &Words) -> Result<String, Refusal> {
    match who.parse::<PersonId>() {
        Ok(person) => {
            Ok(app.store.person(person).await?.map_or_else(|| who.to_owned(), |person| person.name))
        }
        Err(_) => Ok(words.say("policy-by-installation")),
    }
}

fn whole(pack: &Pack, words: &Words) -> Vec<Whole> {
    pack.rules
        .iter()
        .map(|rule| {
            let text = rule.text(words.language.tag());
            Whole {
                id: rule.id.clone(),
                title: text.title,
                why: markdown::html(&text.why),
                sections: text
                    .sections
                    .iter()
                    .map(|s| (s.heading.clone(), markdown::html(&s.text)))
                    .collect(),
                asks: rule.pass.source().to_owned(),
            }
        })
        .collect()
}

/// `GET /policy/versions/{digest}`: the text as it was, and what it changed.
pub async fn version(State(app): State<Arc<App>>, reader: Reader, Path(digest): Path<String>) -> Page {
    let Some((version, text)) = app.store.policy_version(&digest).await? else {
        return Err(nothing_here("policy"));
    };
    let pack = load(&text).await?;
    let words = &reader.words;
    let all = app.store.policy_versions().await?;
    let comes = comes(&version, &all);
    let before = all.into_iter().find(|other| other.entry < version.entry);
    let changes = match &before {
        Some(before) => {
            let old = read(&app, &before.digest).await;
            old.map_or_else(|_| Vec::new(), |old| told(&old, &pack, &app.pack(), words))
        }
        None => Vec::new(),
    };
    page(&OneVersion {
        base: Base::plain(&app, &reader, version.label(), "/policy"),
        author: name(&app, &version.author, words).await?,
        approver: name(&app, &version.approver, words).await?,
        rules: whole(&pack, words),
        in_force: app.pack().digest == version.digest,
        comes,
        before,
        changes,
        version,
    })
}

#[derive(Template)]
#[template(path = "policy_reach.html")]
struct ReachPage {
    base: Base,
    now: Millis,
    label: String,
    due: Option<Millis>,
    all: i64,
    confirmed: i64,
    missing: Vec<Listed>,
    /// Those to whom a message could not be delivered since the version came into force.
    bounced: BTreeSet<PersonId>,
    next: Option<String>,
}

impl ReachPage {
    /// Why somebody is missing, as far as the records say.
    fn why(&self, listed: &Listed) -> String {
        let person = &listed.person;
        self.base.say(match person.state {
            stead_model::Employment::OnLeave => "reach-on-leave",
            _ if person.email.is_none() => "reach-no-address",
            _ if self.bounced.contains(&person.id) => "reach-bounced",
            _ if self.due.is_some_and(|due| due <= self.now) => "reach-late",
            _ => "reach-open",
        })
    }
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    after: String,
    #[serde(default)]
    id: String,
}

/// `GET /policy/reach`: who confirmed the policy in force, and who is missing, and why.
pub async fn reach(State(app): State<Arc<App>>, reader: Reader, Query(asked): Query<Asked>) -> Page {
    let pack = app.pack();
    let after = (!asked.after.is_empty()).then_some((asked.after, asked.id));
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut missing = app.store.to_confirm(&pack.digest, after, limit).await?;
    let more = missing.len() > PAGE;
    missing.truncate(PAGE);
    let (all, confirmed) = app.store.reached(&pack.digest).await?;
    let in_force = app.store.policy_at(Millis(i64::MAX)).await?.and_then(|version| version.in_force_at);
    let people: Vec<PersonId> = missing.iter().map(|listed| listed.person.id).collect();
    page(&ReachPage {
        bounced: app.store.bounced(&people, in_force.unwrap_or(Millis(0))).await?,
        base: Base::of(&app, &reader, reader.words.say("reach-title"), "/policy"),
        now: app.now(),
        label: pack.label(),
        due: in_force.map(|at| at.plus(subjects::time_to_confirm(&pack))),
        all,
        confirmed,
        next: missing
            .last()
            .filter(|_| more)
            .map(|last| format!("/policy/reach?after={}&id={}", encode(&last.search), last.person.id)),
        missing,
    })
}

#[derive(Template)]
#[template(path = "policy_proposal.html")]
struct Proposal {
    base: Base,
    form: Form,
    draft: Draft,
    author: String,
    own: bool,
    label: String,
    changes: Vec<Told>,
}

async fn proposal_of(app: &App, reader: &Reader, id: &str, form: Form) -> Result<Proposal, PageError> {
    let id: RecordId = id.parse().map_err(|_| nothing_here("policy"))?;
    let draft = app.store.policy_draft(id).await?.filter(|draft| draft.state == "proposed");
    let draft = draft.ok_or_else(|| nothing_here("policy"))?;
    let pack = load(&draft.files).await?;
    let in_force = app.pack();
    Ok(Proposal {
        base: Base::of(app, reader, pack.label(), "/policy"),
        form,
        author: name(app, &draft.author.to_string(), &reader.words).await?,
        own: draft.is_by(reader.caller.id()),
        label: pack.label(),
        changes: told(&in_force, &pack, &in_force, &reader.words),
        draft,
    })
}

/// `GET /policy/proposals/{proposal}`.
pub async fn proposal(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    page(&proposal_of(&app, &reader, &id, Form::default()).await?)
}

/// How a unit's devices would move.
struct UnitRow {
    unit: String,
    all: i64,
    due: i64,
    lapsed: i64,
    good: i64,
}

#[derive(Template)]
#[template(path = "policy_try.html")]
struct Try {
    base: Base,
    id: RecordId,
    label: String,
    worse: i64,
    units: Vec<UnitRow>,
    first: Vec<Worse>,
    tried: Tried,
}

impl Try {
    /// Whether more would stand worse than the page shows.
    fn is_cut(&self) -> bool {
        usize::try_from(self.worse).is_ok_and(|worse| worse > self.first.len())
    }
}

async fn tried(app: &App, id: &str) -> Result<(RecordId, Arc<Pack>, Tried), PageError> {
    let id: RecordId = id.parse().map_err(|_| nothing_here("policy"))?;
    let draft = app.store.policy_draft(id).await?.filter(|draft| draft.state == "proposed");
    let pack = load(&draft.ok_or_else(|| nothing_here("policy"))?.files).await?;
    let tried = what_if::try_out(app, Arc::clone(&pack), |_| ()).await?;
    Ok((id, pack, tried))
}

/// `GET /policy/proposals/{proposal}/try`: what if it were in force now.
pub async fn try_out(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    let (id, pack, mut tried) = tried(&app, &id).await?;
    let units = tried.units.iter().map(|(unit, moved)| {
        let to = |to: Standing| {
            moved.iter().filter(|((from, after), _)| from != after && *after == to).map(|(_, n)| n).sum()
        };
        UnitRow {
            unit: unit.clone(),
            all: moved.values().sum(),
            due: to(Standing::Due),
            lapsed: to(Standing::Lapsed),
            good: to(Standing::Good),
        }
    });
    let units = units.collect();
    let worse = i64::try_from(tried.worse.len()).unwrap_or(i64::MAX).saturating_add(tried.more);
    let mut first = std::mem::take(&mut tried.worse);
    first.truncate(PAGE);
    page(&Try {
        base: Base::of(&app, &reader, reader.words.say("try-title"), "/policy"),
        id,
        label: pack.label(),
        worse,
        units,
        first,
        tried,
    })
}

/// `GET /policy/proposals/{proposal}/try.csv`: everybody who would stand worse.
pub async fn try_file(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, PageError> {
    let (_, _, tried) = tried(&app, &id).await?;
    let file = what_if::csv(&tried).map_err(|_| Refusal::said(Kind::Internal, "panicked"))?;
    Ok(download("what-if.csv", "text/csv; charset=utf-8", file))
}

/// `POST /policy/proposals`: proposes a pack that ships.
pub async fn propose(
    State(app): State<Arc<App>>,
    reader: Reader,
    Posted(sent): Posted<HashMap<String, String>>,
) -> Page {
    let get = |name: &str| sent.get(name).map_or("", String::as_str);
    let files = match get("pack") {
        "telework-government" => shipped::telework_government(),
        "remote-work" => shipped::remote_work(),
        _ => return Err(nothing_here("policy")),
    };
    let day = match get("effective_at").trim() {
        "" => Ok(None),
        day => match reader.words.day_begins(day) {
            Some(begins) => Ok(Some(begins)),
            None => Err(Refusal::form(FieldError::new("effective_at", "policy-day"))),
        },
    };
    let proposed = async { publish::propose(&app, reader.caller.id(), &files, get("says"), day?).await };
    match proposed.await {
        Ok(id) => Ok(Redirect::to(&format!("/policy/proposals/{id}")).into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&gather(&app, &reader, form, sent).await?)?))
        }
    }
}

/// `POST /policy/proposals/{proposal}/approve`.
pub async fn approve(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    let record: RecordId = id.parse().map_err(|_| nothing_here("policy"))?;
    match publish::approve(&app, reader.caller.id(), record).await {
        Ok(()) => {
            // Who publishes for now sees it in force on the next page.
            policy::bring_in(&app).await?;
            Ok(Redirect::to("/policy").into_response())
        }
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&proposal_of(&app, &reader, &id, form).await?)?))
        }
    }
}

/// `POST /policy/proposals/{proposal}/withdraw`.
pub async fn withdraw(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    let record: RecordId = id.parse().map_err(|_| nothing_here("policy"))?;
    publish::withdraw(&app, reader.caller.id(), record).await?;
    Ok(Redirect::to("/policy").into_response())
}

/// `POST /policy/keys`: allows a key to sign packs.
pub async fn allow_key(
    State(app): State<Arc<App>>,
    reader: Reader,
    Posted(sent): Posted<HashMap<String, String>>,
) -> Page {
    let get = |name: &str| sent.get(name).map_or("", String::as_str);
    match signing::allow(&app, reader.caller.id(), get("key"), get("name")).await {
        Ok(()) => Ok(Redirect::to("/policy#keys").into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&gather(&app, &reader, form, sent).await?)?))
        }
    }
}

/// `POST /policy/keys/end`: takes that back.
pub async fn disallow_key(
    State(app): State<Arc<App>>,
    reader: Reader,
    Posted(sent): Posted<HashMap<String, String>>,
) -> Page {
    signing::disallow(&app, reader.caller.id(), sent.get("key").map_or("", String::as_str)).await?;
    Ok(Redirect::to("/policy#keys").into_response())
}

/// `POST /policy/reviews`.
pub async fn add_review(
    State(app): State<Arc<App>>,
    reader: Reader,
    Posted(sent): Posted<HashMap<String, String>>,
) -> Page {
    let get = |name: &str| sent.get(name).cloned().unwrap_or_default();
    let said = review::Said {
        took_part: get("took_part"),
        considered: get("considered"),
        outcome: get("outcome"),
        words: get("words"),
    };
    match review::review(&app, reader.caller.id(), said).await {
        Ok(()) => Ok(Redirect::to("/policy#reviews").into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&gather(&app, &reader, form, sent).await?)?))
        }
    }
}

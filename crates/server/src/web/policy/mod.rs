//! The policy as people meet it: what is in force, what changed since they confirmed it, every version there
//! was, who has been reached, and publishing the next one.

mod calendar;
mod drafts;
mod keys;
mod proposal;
mod reach;
mod side_by_side;
mod told;
mod try_out;
mod version;

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use axum::{
    Form as Posted,
    extract::State,
    response::{IntoResponse, Redirect},
};
use stead_model::{Millis, PersonId, Subject};
use stead_policy::{Pack, pack::said, shipped};
use stead_store::{
    draft::{Draft, PackKey},
    policy::{Review, Version},
};

pub use calendar::get as calendar;
pub use drafts::{
    add_rule, begin as begin_draft, bring_up, catch_up, check as check_draft, discard, draft,
    file as draft_file, propose as propose_draft, remove as remove_file, reopen, save as save_file,
};
pub use keys::{allow_key, disallow_key};
pub use proposal::{approve, proposal, withdraw};
pub use reach::reach;
use told::{Told, read, told};
pub use try_out::{progress as try_progress, try_file, try_out};
pub use version::version;

use super::{
    Base, Page, PageError, Reader, exceptions,
    form::{self, Form},
    nothing_here, page, parts,
};
use crate::{
    App,
    auth::access::Action,
    error::{FieldError, Refusal},
    flows::policy::{confirm, publish, review},
    words::Words,
};

/// What a form sent, by field.
type Sent = HashMap<String, String>;

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
            rule: (question.rule.clone(), exceptions::title(pack, &question.rule, words)),
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
    /// Each with what was looked through, in words.
    reviews: Vec<(Review, String)>,
    /// What may be reviewed on its own: rules by id and title.
    choices: Vec<(String, String)>,
    proposals: Vec<(Draft, String)>,
    keys: Vec<PackKey>,
    may_write: bool,
    may_reach: bool,
    reached: (i64, i64),
    sent: Sent,
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

async fn gather(app: &App, reader: &Reader, form: Form, sent: Sent) -> Result<Policy, PageError> {
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
    let reviews = app.store.policy_reviews(5).await?;
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
        review_due: review::due(app).await?,
        reviews: reviews
            .into_iter()
            .map(|review| {
                let what = calendar::reviewed(app, words, review.rule.as_deref());
                (review, what)
            })
            .collect(),
        choices: if may_write { calendar::choices(app, words) } else { Vec::new() },
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

/// `POST /policy/confirm`.
pub async fn confirm(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Sent>) -> Page {
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

/// The day from which on something is to be in force, as a form gives it; none where it gives none.
fn day(words: &Words, text: &str) -> Result<Option<Millis>, Refusal> {
    match text.trim() {
        "" => Ok(None),
        text => match words.day_begins(text) {
            Some(begins) => Ok(Some(begins)),
            None => Err(Refusal::form(FieldError::new("effective_at", "policy-day"))),
        },
    }
}

/// What somebody is called, by what a record names them.
async fn name(app: &App, who: &str, words: &Words) -> Result<String, Refusal> {
    match who.parse::<PersonId>() {
        Ok(person) => {
            Ok(app.store.person(person).await?.map_or_else(|| who.to_owned(), |person| person.name))
        }
        Err(_) => Ok(words.say("policy-by-installation")),
    }
}

/// `POST /policy/proposals`: proposes a pack that ships.
pub async fn propose(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Sent>) -> Page {
    let get = |name: &str| sent.get(name).map_or("", String::as_str);
    let files = match get("pack") {
        "telework-government" => shipped::telework_government(),
        "remote-work" => shipped::remote_work(),
        _ => return Err(nothing_here("policy")),
    };
    let proposed = async {
        let day = day(&reader.words, get("effective_at"))?;
        publish::propose(&app, reader.caller.id(), &files, get("says"), day).await
    };
    match proposed.await {
        Ok(id) => Ok(Redirect::to(&format!("/policy/proposals/{id}")).into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&gather(&app, &reader, form, sent).await?)?))
        }
    }
}

/// `POST /policy/reviews`.
pub async fn add_review(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Sent>) -> Page {
    let get = |name: &str| sent.get(name).cloned().unwrap_or_default();
    let said = review::Said {
        rule: get("rule"),
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

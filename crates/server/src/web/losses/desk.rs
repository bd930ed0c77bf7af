//! One loss: whether every door is shut, whether it was encrypted, the clocks, the steps, and what happened.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted,
    extract::{Path, State},
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use stead_model::{Millis, PersonId, RecordId};
use stead_policy::losses::{By, REVIEW, TRIAGE};
use stead_store::loss::{Loss, State as Stage, Step};

use super::{
    super::{
        Base, Page, PageError, Reader, download,
        exceptions::name,
        form::{self, Form},
        nothing_here, page, parts,
    },
    label, sign,
};
use crate::{
    App,
    auth::{access::Action, guard},
    certificate as paper,
    error::{FieldError, Refusal},
    flows::{
        loss::{
            back::{self, Return},
            card,
            desk::{self, RISKS, Taken},
            doors::{self, Door, Is},
            evidence::Evidence,
        },
        person_subject,
    },
    words::Words,
};

/// A door as the page shows it.
struct DoorRow {
    door: Door,
    is: Is,
    shut_at: Millis,
    n: i64,
    open_at: Option<Millis>,
}

/// A step as the page shows it.
struct StepRow {
    step: Step,
    asks: String,
    taker: String,
    done_by: String,
    may: bool,
    triage: bool,
    review: bool,
}

/// A clock: how much of its time is used.
struct Clock {
    asks: String,
    due: Millis,
    done_at: Option<Millis>,
    used: i64,
    whole: i64,
    late: bool,
}

struct Shown {
    at: Millis,
    by: String,
    what: String,
    words: String,
}

#[derive(Template)]
#[template(path = "loss.html")]
struct Desk {
    base: Base,
    form: Form,
    sent: Sent,
    now: Millis,
    loss: Loss,
    label: String,
    lead: String,
    own: bool,
    handles: bool,
    known: Evidence,
    doors: Vec<DoorRow>,
    shut: usize,
    clocks: Vec<Clock>,
    steps: Vec<StepRow>,
    events: Vec<Shown>,
    told_by: String,
    call: String,
    entry: Option<u64>,
    /// When a wallet card of its person was made, for those who may take it back.
    card: Option<Millis>,
}

impl Desk {
    fn sign(&self) -> parts::Html {
        sign(&self.base.words, &self.loss)
    }

    fn is(&self, word: &str) -> bool {
        self.loss.state.word() == word
    }

    fn is_over(&self) -> bool {
        self.loss.state == Stage::Closed
    }

    /// Whether it may still be said that it is there again.
    fn is_gone(&self) -> bool {
        matches!(self.loss.state, Stage::Open | Stage::Found)
    }

    fn door_sign(&self, row: &DoorRow) -> parts::Html {
        let (is, icon) = match (row.is, row.open_at) {
            (Is::Shut, _) => ("good", "shut"),
            (Is::Waits, _) => ("due", "due"),
            (Is::Open, Some(_)) => ("open", "open"),
            (Is::Open, None) => ("lapsed", "lapsed"),
        };
        let say = if row.is == Is::Open && row.open_at.is_some() { "door-is-back" } else { "" };
        let word = if say.is_empty() { format!("door-is-{}", row.is.word()) } else { say.to_owned() };
        parts::sign(is, icon, self.base.say(&word))
    }

    fn door_about(&self, row: &DoorRow) -> String {
        self.base.words.count(format!("door-about-{}", row.door.word()), row.n)
    }

    fn encrypted_sign(&self) -> parts::Html {
        let words = &self.base.words;
        let say = words.say(format!("loss-encrypted-{}", self.known.encrypted.word()));
        match self.known.encrypted.word() {
            "yes" => parts::sign("good", "good", say),
            "no" => parts::sign("lapsed", "lapsed", say),
            _ => parts::sign("unknown", "unknown", say),
        }
    }

    /// How old the report was when the loss was told.
    fn age(&self) -> String {
        let received = self.known.received_at.unwrap_or(self.loss.told_at);
        self.base.words.ago(received, self.loss.told_at)
    }

    fn bar(&self, clock: &Clock) -> parts::Html {
        let class = match (clock.done_at, clock.late) {
            (_, true) => "lapsed",
            (Some(_), false) => "good",
            (None, false) => "due",
        };
        parts::bar([(class, clock.used)], clock.whole, None)
    }

    fn clock_sign(&self, clock: &Clock) -> parts::Html {
        let words = &self.base.words;
        match (clock.done_at, clock.late) {
            (Some(at), late) => {
                let say = words.with("loss-clock-done", [("time", words.short_time(at, self.now))]);
                parts::sign(if late { "lapsed" } else { "good" }, if late { "lapsed" } else { "good" }, say)
            }
            (None, true) => parts::sign("lapsed", "lapsed", words.say("late")),
            (None, false) => parts::sign(
                "due",
                "due",
                words.with("loss-clock-left", [("time", words.brief(clock.due, self.now))]),
            ),
        }
    }

    /// Whether its person may say that it was never gone.
    fn in_hand(&self) -> bool {
        self.handles || (self.own && self.loss.in_hand())
    }

    /// What was decided about data.
    fn risk(&self) -> String {
        self.base.say(format!("loss-risk-{}", self.loss.risk).as_str())
    }

    fn risks(&self) -> [&'static str; 3] {
        RISKS
    }

    /// The words of a form that was not taken, where it was this one.
    fn words_of(&self, step: &str) -> &str {
        if self.sent.step == step { &self.sent.words } else { "" }
    }

    fn form_of(&self, step: &str) -> Form {
        if self.sent.step == step { self.form.clone() } else { Form::default() }
    }
}

/// What the forms of the page send.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Sent {
    #[serde(default)]
    step: String,
    #[serde(default)]
    words: String,
    #[serde(default)]
    risk: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    back: String,
    #[serde(default)]
    how: String,
    /// When the card was made that is to be taken back.
    #[serde(default)]
    card: i64,
}

/// What is asked in a step, in a reader's language.
pub(crate) fn asks(app: &App, step: &Step, words: &Words) -> String {
    let pack = app.pack();
    let said = pack.losses.step(&step.name).map(|step| step.asks(words.language.tag()).to_owned());
    said.unwrap_or_else(|| step.asks.clone())
}

/// What happened, in a reader's words: what, and what was said with it.
pub(crate) fn event(app: &App, steps: &[Step], words: &Words, kind: &str, said: &str) -> (String, String) {
    match kind {
        "step" => {
            let (name, said) = said.split_once('\n').unwrap_or((said, ""));
            let step = steps.iter().find(|step| step.name == name);
            let asked = step.map_or_else(|| name.to_owned(), |step| asks(app, step, words));
            (words.with("loss-event-step", [("step", asked)]), said.to_owned())
        }
        "practised" if !said.is_empty() => {
            (words.with("loss-event-practised", [("n", said.to_owned())]), String::new())
        }
        "practised" => (words.say("loss-state-practice"), String::new()),
        kind => (words.say(format!("loss-event-{kind}")), said.to_owned()),
    }
}

async fn find(app: &App, id: &str) -> Result<Loss, PageError> {
    let id: RecordId = id.parse().map_err(|_| nothing_here("loss"))?;
    app.store.loss(id).await?.ok_or_else(|| nothing_here("loss"))
}

async fn handles(app: &App, reader: &Reader, person: PersonId) -> Result<bool, Refusal> {
    let object = guard::person_object(app, person).await?;
    Ok(object.is_some_and(|object| reader.caller.may(app, Action::LossHandle, &object)))
}

async fn desk(app: &App, reader: &Reader, id: &str, (form, sent): (Form, Sent)) -> Result<Desk, PageError> {
    let loss = find(app, id).await?;
    let words = &reader.words;
    let now = app.now();
    let caller = &reader.caller;
    let own = loss.person == caller.id();
    let handles = handles(app, reader, loss.person).await?;
    let known = Evidence::read(&loss.evidence);
    let mut rows = Vec::new();
    let stored = app.store.loss_doors(loss.id).await?;
    for door in Door::ALL {
        let Some(shut) = stored.iter().find(|shut| shut.door == door.word()) else { continue };
        let is = doors::is(app, &loss, door, shut.shut_at).await?;
        rows.push(DoorRow { door, is, shut_at: shut.shut_at, n: shut.n, open_at: shut.open_at });
    }
    let steps = app.store.loss_steps(loss.id).await?;
    let mut shown = Vec::new();
    for step in &steps {
        let taker = match By::from_word(&step.taker) {
            Some(By::Role(role)) => words.role(role),
            Some(By::Person) | None if own => words.say("loss-taker-you"),
            Some(By::Person) | None => loss.person_name.clone(),
        };
        shown.push(StepRow {
            asks: asks(app, step, words),
            taker,
            done_by: name(app, step.done_by).await?,
            may: loss.state != Stage::Closed && desk::may_take(&loss, step, caller.id(), handles),
            triage: step.name == TRIAGE,
            review: step.name == REVIEW,
            step: step.clone(),
        });
    }
    let clock = |step: &Step| {
        // Nothing runs for what was never gone.
        let due = step.due_at.filter(|_| step.done_at.is_some() || loss.state != Stage::Mistaken)?;
        let end = step.done_at.unwrap_or(now);
        let whole = due.since(loss.told_at).max(1);
        Some(Clock {
            asks: asks(app, step, words),
            due,
            done_at: step.done_at,
            used: end.since(loss.told_at).clamp(0, whole),
            whole,
            late: end > due,
        })
    };
    let clocks = steps.iter().filter_map(clock).collect();
    let mut events = Vec::new();
    for one in app.store.loss_events(loss.id).await? {
        let (what, said) = event(app, &steps, words, &one.kind, &one.words);
        let by = match (one.by, one.kind.as_str()) {
            (None, "told") => words.say(format!("loss-way-{}", loss.way)),
            (by, _) => name(app, by).await?,
        };
        events.push(Shown { at: one.at, by, what, words: said });
    }
    let told_by = match loss.told_by {
        Some(by) => name(app, Some(by)).await?,
        None => words.say("loss-way-card"),
    };
    let label = label(&loss, words);
    let title = match own {
        true => words.with(
            if loss.stolen { "loss-headline-stolen" } else { "loss-headline" },
            [("thing", label.clone())],
        ),
        false => {
            words.with("loss-headline-of", [("thing", label.clone()), ("name", loss.person_name.clone())])
        }
    };
    let wait = loss.told_at.since(loss.noticed_at);
    let lead = if loss.practice {
        words.say("loss-lead-practice")
    } else {
        let forgot = loss.device.is_some()
            && loss.back_at.is_none()
            && matches!(loss.state, Stage::Mistaken | Stage::Back);
        let say = match forgot {
            true => "loss-back-forgot".to_owned(),
            false => format!("loss-lead-{}{}", loss.state.word(), if own { "-own" } else { "" }),
        };
        let minutes = (wait / stead_model::time::MINUTE).to_string();
        words.with(say, [("thing", label.clone()), ("name", loss.person_name.clone()), ("n", minutes)])
    };
    let entries = app.store.ledger_mentioning(&person_subject(loss.person), &loss.id.to_string()).await?;
    let may_prove = own || caller.may_to_all(app, Action::LedgerSee);
    Ok(Desk {
        base: match caller.who().grants.is_empty() {
            true => Base::plain(app, reader, title, "/losses"),
            false => Base::of(app, reader, title, "/losses"),
        },
        form,
        sent,
        now,
        label,
        lead,
        own,
        handles,
        known,
        shut: rows.iter().filter(|row| row.is == Is::Shut).count(),
        doors: rows,
        clocks,
        steps: shown,
        events,
        told_by,
        call: app.pack().losses.call.clone(),
        entry: entries.first().map(|entry| entry.index).filter(|_| may_prove),
        card: match handles && !own && !loss.practice && loss.state != Stage::Closed {
            true => app.store.loss_card(loss.person).await?.map(|card| card.made_at),
            false => None,
        },
        loss,
    })
}

/// `GET /losses/{loss}`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    page(&desk(&app, &reader, &id, (Form::default(), Sent::default())).await?)
}

async fn done(app: &App, reader: &Reader, id: &str, sent: Sent, done: Result<(), Refusal>) -> Page {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/losses/{id}")).into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&desk(app, reader, id, (form, sent)).await?)?))
        }
    }
}

/// `POST /losses/{loss}/step`.
pub async fn step(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Page {
    let loss = find(&app, &id).await?;
    let by = (reader.caller.id(), handles(&app, &reader, loss.person).await?);
    let taken = Taken { step: sent.step.clone(), words: sent.words.clone(), risk: sent.risk.clone() };
    let result = desk::take(&app, by, loss.id, taken).await;
    done(&app, &reader, &id, sent, result).await
}

/// `POST /losses/{loss}/note`.
pub async fn note(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Page {
    let loss = find(&app, &id).await?;
    let result = desk::note(&app, reader.caller.id(), loss.id, &sent.note).await;
    done(&app, &reader, &id, sent, result).await
}

/// `POST /losses/{loss}/card/end`: takes back the wallet card of whose loss it is.
pub async fn end_their_card(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Page {
    let loss = find(&app, &id).await?;
    let result = card::end(&app, reader.caller.id(), loss.person, Some(Millis(sent.card))).await;
    done(&app, &reader, &id, sent, result).await
}

/// `POST /losses/{loss}/back`.
pub async fn back(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Page {
    let loss = find(&app, &id).await?;
    let session = reader.caller.who().session.id.to_string();
    if loss.person != reader.caller.id() && !app.store.has_said_why(&session, loss.person, app.now()).await? {
        let look = format!("/people/{}/look?to=%2Flosses%2F{}", loss.person, loss.id);
        return Ok(Redirect::to(&look).into_response());
    }
    let by = (reader.caller.id(), handles(&app, &reader, loss.person).await?);
    let result = match Return::from_word(&sent.how) {
        Some(how) => back::bring(&app, by, loss.id, how, &sent.back).await,
        None => Err(Refusal::form(FieldError::new("how", "loss-how-choose"))),
    };
    done(&app, &reader, &id, sent, result).await
}

/// `GET /losses/{loss}/certificate.pdf`.
pub async fn certificate(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Page {
    let loss = find(&app, &id).await?;
    let pdf = paper::pdf(&app, &loss, &reader.words).await?;
    Ok(download(&format!("loss-{}.pdf", loss.id), "application/pdf", pdf))
}

//! The loss desk: what is lost, one loss with its doors, clocks and steps, and what somebody does about it.

mod card;
mod desk;
mod telling;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use stead_model::{Millis, RecordId};
use stead_store::loss::{Loss, State as Stage};

pub use card::{end as end_card, get as card, make as make_card};
pub(crate) use desk::{asks, event};
pub use desk::{back, certificate, end_their_card, get, note, step};
pub use telling::{ask, ask_card, ask_for, card as by_card, tell, tell_by_card, tell_for};

use super::{Base, Page, Reader, page, parts};
use crate::{
    App,
    auth::{access::Action, guard},
    error::Refusal,
    words::Words,
};

/// Losses on a list.
const MOST: i64 = 200;

/// What a lost thing is called.
pub(crate) fn label(loss: &Loss, words: &Words) -> String {
    match loss.label.is_empty() {
        true => words.say(format!("thing-{}", loss.thing)),
        false => loss.label.clone(),
    }
}

/// The icon of a lost thing.
fn icon(loss: &Loss) -> &'static str {
    use stead_model::loss::Thing;
    match loss.thing {
        Thing::Computer => "laptop",
        Thing::Phone => "phone",
        Thing::Storage => "drive",
        Thing::Papers => "papers",
        Thing::Keys => "key",
        Thing::Other => "help",
    }
}

/// How far a loss has come, as a sign.
fn sign(words: &Words, loss: &Loss) -> parts::Html {
    let (is, name) = match (loss.practice, loss.state) {
        (true, _) => ("na", "na"),
        (false, Stage::Open) => ("lapsed", "loss"),
        (false, Stage::Found) => ("due", "due"),
        (false, Stage::Mistaken | Stage::Back | Stage::Closed) => ("good", "good"),
    };
    let word = if loss.practice { "practice".to_owned() } else { loss.state.word().to_owned() };
    parts::sign(is, name, words.say(format!("loss-state-{word}")))
}

struct Row {
    id: RecordId,
    icon: &'static str,
    label: String,
    whom: String,
    unit: String,
    told_at: Millis,
    sign: parts::Html,
}

fn row(loss: &Loss, words: &Words) -> Row {
    Row {
        id: loss.id,
        icon: icon(loss),
        label: label(loss, words),
        whom: loss.person_name.clone(),
        unit: loss.unit_name.clone(),
        told_at: loss.told_at,
        sign: sign(words, loss),
    }
}

#[derive(Template)]
#[template(path = "losses.html")]
struct List {
    base: Base,
    now: Millis,
    own: Vec<Row>,
    open: Vec<Row>,
    closed: Vec<Row>,
    handles: bool,
}

async fn visible(app: &App, reader: &Reader, all: Vec<Loss>) -> Result<Vec<Row>, Refusal> {
    let mut seen = Vec::new();
    let mut people = guard::People::of(app);
    for loss in all.iter().filter(|loss| loss.person != reader.caller.id()) {
        let object = people.object(loss.person).await?;
        if object.is_some_and(|object| reader.caller.may(app, Action::LossSee, object)) {
            seen.push(row(loss, &reader.words));
        }
    }
    Ok(seen)
}

/// `GET /losses`: one's own, and those that one may see.
pub async fn list(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let words = &reader.words;
    let within = reader.caller.within();
    let open = app.store.losses(&within, false, None, MOST).await?;
    let closed = app.store.losses(&within, true, None, 50).await?;
    let own = app.store.losses_of(reader.caller.id()).await?;
    let title = words.say("losses-title");
    let handles = !reader.caller.who().grants.is_empty();
    page(&List {
        base: match handles {
            true => Base::of(&app, &reader, title, "/losses"),
            false => Base::plain(&app, &reader, title, "/losses"),
        },
        now: app.now(),
        own: own.iter().map(|loss| row(loss, words)).collect(),
        open: visible(&app, &reader, open).await?,
        closed: visible(&app, &reader, closed).await?,
        handles,
    })
}

//! The teleworker's home page: are you cleared to work, and what is the one next thing to do?

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use stead_model::{Employment, Millis, Role};

use super::{Base, Page, Reader, losses::label, page, parts};
use crate::{
    App,
    clearance::{self, Held, Open, Window},
    things::{self, Thing, is_gone},
};

/// Things shown beneath the next one.
const SHOWN: usize = 8;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    base: Base,
    now: Millis,
    answer: &'static str,
    headline: String,
    lead: String,
    windows: Vec<Window>,
    next: Option<Thing>,
    things: Vec<Thing>,
    more: usize,
    held: Vec<Held>,
    /// Whether the device that they worked on is lost.
    lost: bool,
    rules: usize,
    looks: (i64, i64),
    month: String,
    help: Vec<String>,
    base_url: String,
}

impl Home {
    fn tier(&self, tier: &str) -> String {
        self.base.words.tier(tier)
    }

    fn window(&self, window: &Window) -> parts::Html {
        parts::open(&self.base.words, window.open, self.now)
    }

    fn waits(&self, held: &Held) -> String {
        let n = i64::try_from(held.against.len()).unwrap_or(i64::MAX);
        match held.device.last_seen {
            None => self.base.say("device-not-heard"),
            Some(_) if n > 0 => self.base.words.count("device-waits", n),
            Some(seen) => {
                self.base.words.with("device-checked", [("ago", self.base.words.ago(seen, self.now))])
            }
        }
    }
}

/// `GET /`: the page that answers the question of whoever asks.
pub async fn start(reader: Reader) -> Response {
    let holds = |role| reader.caller.holds(role);
    let to = if holds(Role::Security) || holds(Role::Coordinator) || holds(Role::Auditor) {
        "/overview"
    } else if holds(Role::Manager) {
        "/team"
    } else if holds(Role::Operator) {
        "/system"
    } else if holds(Role::Records) {
        "/people"
    } else {
        "/home"
    };
    Redirect::to(to).into_response()
}

/// `GET /home`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let person = reader.caller.person();
    let words = &reader.words;
    let now = app.now();
    let held = things::held(&app, person).await?;
    let own = things::own(&app, person.id).await?;
    let windows = clearance::windows(&app.pack(), person.state, &held, &own, now);
    let answer = clearance::answer(&windows);
    let mut things = things::of(&app, person, (&held, &own), words).await?;
    let next = if things.is_empty() { None } else { Some(things.remove(0)) };
    let more = things.len().saturating_sub(SHOWN);
    things.truncate(SHOWN);
    let lost = match held.is_empty() {
        true => app.store.losses_of(person.id).await?.into_iter().find(is_gone),
        false => None,
    };
    let headline = match (person.state, answer, &lost) {
        (Employment::OnLeave, ..) => words.say("home-on-leave"),
        (_, _, Some(loss)) => words.with("home-lost-headline", [("device", label(loss, words))]),
        (_, _, None) if held.is_empty() => words.say("home-no-device"),
        (_, "allow", None) => words.say("home-allow"),
        (_, "limit", None) => words.say("home-limit"),
        (_, _, None) => words.say("home-deny"),
    };
    let lead = match (&next, answer) {
        (_, _) if lost.is_some() => words.say("home-lost-lead"),
        (_, _) if held.is_empty() => words.say("home-lead-no-device"),
        (None, _) => words.say("home-lead-nothing"),
        (Some(Thing { due: Some(due), late: false, .. }), "allow") => {
            words.with("home-lead-by", [("time", words.deadline(*due))])
        }
        (Some(_), "allow") => words.say("home-lead-open"),
        (Some(_), "limit") => words.say("home-lead-limit"),
        (Some(_), _) => words.say("home-lead-deny"),
    };
    let looks = app.store.looks_since(person.id, words.month_begins(now)).await?;
    let holders = app.store.holders(Role::Coordinator, person.unit).await?;
    page(&Home {
        base: Base::plain(&app, &reader, headline.clone(), "/home"),
        lost: lost.is_some(),
        now,
        answer,
        headline,
        lead,
        windows,
        next,
        things,
        more,
        held,
        rules: app.pack().rules.len(),
        looks,
        month: words.month(now),
        base_url: app.config.base_url.clone(),
        help: holders.into_iter().take(2).map(|(_, name)| name).collect(),
    })
}

//! How it was on a day: the organisation, or one device.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use stead_model::{Outcome, Standing};
use stead_store::device::Device;

use super::{
    Base, Page, Reader,
    device::find,
    form::{self, Form},
    page, parts,
};
use crate::{
    App,
    error::Refusal,
    then::{self, Day, DeviceThen, Then},
};

#[derive(Template)]
#[template(path = "then.html")]
struct ThenPage {
    base: Base,
    form: Form,
    on: String,
    then: Option<Then>,
    rules: Vec<Kept>,
}

/// How a rule was kept.
struct Kept {
    title: String,
    fail: i64,
    unknown: i64,
    pass: i64,
}

impl ThenPage {
    fn bar(&self, then: &Then) -> parts::Html {
        let segments: Vec<parts::Segment> =
            then.standings.iter().map(|(standing, n)| (standing.word(), *n)).collect();
        parts::bar(&segments, then.devices(), None)
    }
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    on: String,
}

/// `GET /then`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader, Query(asked): Query<Asked>) -> Page {
    let base = Base::of(&app, &reader, reader.words.say("then-title"), "/overview");
    let day = match Day::read(asked.on.trim(), app.now()) {
        Ok(day) => day,
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            let again = ThenPage { base, form, on: asked.on, then: None, rules: Vec::new() };
            return Ok(form::not_taken(page(&again)?));
        }
    };
    let then = then::organisation(&app, day).await?;
    let n = |counts: &std::collections::BTreeMap<Outcome, i64>, outcome| {
        counts.get(&outcome).copied().unwrap_or(0)
    };
    let mut rules: Vec<Kept> = then
        .rules
        .iter()
        .map(|(id, counts)| Kept {
            title: title(&app, &reader, id),
            fail: n(counts, Outcome::Fail),
            unknown: n(counts, Outcome::Unknown),
            pass: n(counts, Outcome::Pass) + n(counts, Outcome::Excepted),
        })
        .collect();
    rules.sort_by_key(|rule| std::cmp::Reverse((rule.fail + rule.unknown, rule.fail)));
    page(&ThenPage { base, form: Form::default(), on: day.date(), then: Some(then), rules })
}

/// A rule's title in the policy of today; its id where it is not in that.
fn title(app: &App, reader: &Reader, id: &str) -> String {
    app.pack().rule(id).map_or_else(|| id.to_owned(), |rule| rule.text(reader.words.language.tag()).title)
}

#[derive(Template)]
#[template(path = "then_device.html")]
struct DevicePage {
    base: Base,
    form: Form,
    on: String,
    device: Device,
    then: Option<DeviceThen>,
    said: Vec<(String, usize)>,
}

impl DevicePage {
    fn outcome(&self, outcome: &Outcome) -> parts::Html {
        let (icon, word) = match outcome {
            Outcome::Pass => ("good", "outcome-pass"),
            Outcome::Fail => ("lapsed", "outcome-fail"),
            Outcome::Unknown => ("unknown", "outcome-unknown"),
            Outcome::NotApplicable => ("na", "outcome-not-applicable"),
            Outcome::Excepted => ("excepted", "outcome-excepted"),
        };
        parts::sign(icon, icon, self.base.say(word))
    }
}

/// `GET /devices/{id}/then`.
pub async fn device(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let device = find(&app, &id).await?;
    let base = Base::of(&app, &reader, device.name.clone(), "/devices");
    let looked = async {
        let day = Day::read(asked.on.trim(), app.now())?;
        Ok::<_, Refusal>((day, then::device(&app, device.id, day).await?))
    };
    match looked.await {
        Ok((day, then)) => {
            let mut said: Vec<(String, usize)> =
                then.said.iter().enumerate().map(|(n, s)| (title(&app, &reader, &s.rule), n)).collect();
            let order = |n: usize| Outcome::ALL.iter().position(|o| *o == then.said[n].outcome);
            said.sort_by_key(|(title, n)| (order(*n), title.clone()));
            let form = Form::default();
            page(&DevicePage { base, form, on: day.date(), device, then: Some(then), said })
        }
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            let again = DevicePage { base, form, on: asked.on, device, then: None, said: Vec::new() };
            Ok(form::not_taken(page(&again)?))
        }
    }
}

/// A standing as a word with its sign.
fn standing(base: &Base, standing: &Standing) -> parts::Html {
    parts::standing(&base.words, *standing)
}

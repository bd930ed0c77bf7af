//! The tree of units.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted,
    extract::State,
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use stead_model::UnitId;
use stead_store::unit::Unit;

use super::{
    Base, Page, Reader,
    form::{self, Form},
    page, parts,
};
use crate::{App, auth::access::Action, error::Refusal, flows::directory::units};

/// A unit and how deep in the tree it is.
pub struct Branch {
    /// The unit.
    pub unit: Unit,
    /// Its names from the top, as people write them.
    pub path: String,
    /// How many units are above it.
    pub depth: usize,
}

/// The tree in the order of a table of contents.
pub fn tree(all: &[Unit]) -> Vec<Branch> {
    let mut branches: Vec<Branch> = all
        .iter()
        .filter_map(|unit| {
            let path = units::path(all, unit.id)?;
            let depth = path.len() - 1;
            // The organisation's own name would stand before every other.
            let mut names: Vec<&str> = path.iter().map(|unit| unit.name.as_str()).collect();
            if names.len() > 1 {
                names.pop();
            }
            names.reverse();
            Some(Branch { path: names.join(" / "), depth, unit: unit.clone() })
        })
        .collect();
    branches.sort_by_key(|branch| (branch.depth > 0, branch.path.to_lowercase()));
    branches
}

#[derive(Template)]
#[template(path = "units.html")]
struct Units {
    base: Base,
    form: Form,
    branches: Vec<Branch>,
    may_change: bool,
    new_name: String,
    parent: String,
}

/// `GET /units`.
pub async fn list(State(app): State<Arc<App>>, reader: Reader) -> Page {
    page(&gather(&app, &reader, Form::default(), Sent::default()).await?)
}

async fn gather(app: &App, reader: &Reader, form: Form, sent: Sent) -> Result<Units, Refusal> {
    Ok(Units {
        base: Base::of(app, reader, reader.words.say("units-title"), "/people"),
        form,
        branches: tree(&app.store.units().await?),
        may_change: reader.caller.may_to_all(app, Action::UnitsChange),
        new_name: sent.name,
        parent: sent.parent,
    })
}

/// What the forms send.
#[derive(Debug, Default, Deserialize)]
pub struct Sent {
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    parent: String,
}

/// `POST /units`.
pub async fn add(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Sent>) -> Page {
    let parent = sent.parent.parse().unwrap_or(UnitId::ORGANISATION);
    let added = units::add(&app, &sent.name, parent, &reader.caller.by()).await.map(|_| ());
    done(&app, &reader, added, sent).await
}

/// `POST /units/change`.
pub async fn change(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Sent>) -> Page {
    let Ok(id) = sent.id.parse() else { return Err(super::nothing_here("unit")) };
    let parent = sent.parent.parse().ok();
    let changed = units::change(&app, id, &sent.name, parent, &reader.caller.by()).await;
    done(&app, &reader, changed, sent).await
}

async fn done(app: &App, reader: &Reader, done: Result<(), Refusal>, sent: Sent) -> Page {
    match done {
        Ok(()) => Ok(Redirect::to("/units").into_response()),
        Err(refusal) => {
            let form = Form::of(refusal, &reader.words)?;
            Ok(form::not_taken(page(&gather(app, reader, form, sent).await?)?))
        }
    }
}

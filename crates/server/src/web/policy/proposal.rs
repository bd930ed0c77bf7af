//! A proposal, and deciding on it.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Posted,
    extract::{Path, State},
    response::{IntoResponse, Redirect},
};
use stead_model::RecordId;
use stead_store::draft::Draft;

use super::{
    super::{
        Base, Page, PageError, Reader,
        form::{self, Form},
        nothing_here, page, parts,
    },
    Sent, name,
    told::{Told, load, told},
};
use crate::{
    App,
    flows::policy::{self, publish},
};

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
    let pack = load(policy::files(&draft.files)?).await?;
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

/// `POST /policy/proposals/{proposal}/approve`.
pub async fn approve(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Page {
    let record: RecordId = id.parse().map_err(|_| nothing_here("policy"))?;
    let seen = sent.get("revision").and_then(|text| text.parse().ok()).unwrap_or(0);
    match publish::approve(&app, reader.caller.id(), record, seen).await {
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

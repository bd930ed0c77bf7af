//! The keys with which packs may be signed.

use std::sync::Arc;

use axum::{
    Form as Posted,
    extract::State,
    response::{IntoResponse, Redirect},
};

use super::{
    super::{
        Page, Reader,
        form::{self, Form},
        page,
    },
    Sent, gather,
};
use crate::{App, flows::policy::signing};

/// `POST /policy/keys`: allows a key to sign packs.
pub async fn allow_key(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Sent>) -> Page {
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
pub async fn disallow_key(State(app): State<Arc<App>>, reader: Reader, Posted(sent): Posted<Sent>) -> Page {
    signing::disallow(&app, reader.caller.id(), sent.get("key").map_or("", String::as_str)).await?;
    Ok(Redirect::to("/policy#keys").into_response())
}

//! One-time links: looking at one is not using it. Mail programs and chat rooms open links in passing.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect},
};
use stead_model::problem::Kind;
use stead_store::session::LinkKind;

use super::{
    Base, Page, page, parts,
    sign_in::{browser, with_cookie},
};
use crate::{
    App, auth,
    error::Refusal,
    flows::sign_in::{self, links},
    words::Words,
};

#[derive(Template)]
#[template(path = "join.html")]
struct Offer {
    base: Base,
    action: String,
    lead: String,
    press: String,
}

/// `GET /join/{secret}`: a button.
pub async fn offer(State(app): State<Arc<App>>, words: Words, Path(secret): Path<String>) -> Page {
    let plain = secret.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let kind = if plain && secret.len() <= 64 { links::look(&app, &secret).await? } else { None };
    let (lead, press) = match kind {
        Some(LinkKind::SignIn) => ("link-sign-in", "link-sign-in-press"),
        Some(LinkKind::Invite) => ("link-invite", "link-invite-press"),
        Some(LinkKind::Reset) => ("link-reset", "link-reset-press"),
        None => return Err(Refusal::said(Kind::NotFound, "link-gone").into()),
    };
    let base = Base::public(&words, words.say("sign-in-title"));
    page(&Offer { base, action: format!("/join/{secret}"), lead: words.say(lead), press: words.say(press) })
}

/// `POST /join/{secret}`: uses the link up and begins a session.
pub async fn take(State(app): State<Arc<App>>, Path(secret): Path<String>, headers: HeaderMap) -> Page {
    let (begun, kind) = links::take(&app, &secret, &browser(&headers)).await?;
    sign_in::replace(&app, auth::session_secret(&headers).as_deref()).await?;
    let to = match kind {
        LinkKind::SignIn => "/",
        LinkKind::Invite | LinkKind::Reset => "/me/ways?welcome=1",
    };
    Ok(with_cookie(&auth::session_cookie(&begun.secret), Redirect::to(to).into_response()))
}

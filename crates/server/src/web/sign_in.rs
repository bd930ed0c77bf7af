//! Signing in by a one-time link.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect},
};

use super::{Base, Page, page, parts};
use crate::{
    App,
    auth::{self, Operator, Public},
    flows::sign_in,
};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Ask {
    base: Base,
}

#[derive(Template)]
#[template(path = "sign_in_link.html")]
struct Offer {
    base: Base,
    action: String,
}

/// `GET /sign-in`: how to get a link.
pub async fn ask(_: Public, State(app): State<Arc<App>>, headers: HeaderMap) -> Page {
    if auth::is_signed_in(&app, &headers).await {
        return Ok(Redirect::to("/overview").into_response());
    }
    page(&Ask { base: Base::public("Sign in") })
}

/// `GET /sign-in/{secret}`: a button. Programs that look at links in passing must not use them up.
pub async fn offer(_: Public, Path(secret): Path<String>) -> Page {
    let plain = secret.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !plain || secret.len() > 64 {
        return Err(super::nothing_here("link"));
    }
    page(&Offer { base: Base::public("Sign in"), action: format!("/sign-in/{secret}") })
}

/// `POST /sign-in/{secret}`: uses the link up and begins a session.
pub async fn take(_: Public, State(app): State<Arc<App>>, Path(secret): Path<String>) -> Page {
    let session = sign_in::use_link(&app, &secret).await?;
    Ok(([(header::SET_COOKIE, auth::session_cookie(&session))], Redirect::to("/overview")).into_response())
}

/// `POST /sign-out`.
pub async fn out(operator: Operator, State(app): State<Arc<App>>) -> Page {
    sign_in::sign_out(&app, &operator.session).await?;
    Ok(([(header::SET_COOKIE, auth::no_session_cookie())], Redirect::to("/sign-in")).into_response())
}

//! Answers that may be asked for again: a list that has not changed is not sent twice (ETag, RFC 9110
//! 8.8.3), and a change that was sent twice happens once (`Idempotency-Key`,
//! draft-ietf-httpapi-idempotency-key-header).

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::FutureExt;
use stead_model::{problem::Kind, seal};
use stead_store::StoreError;

use super::MAX_MESSAGE;
use crate::{
    App,
    error::{ApiError, Refusal},
};

/// The header with the key.
const KEY: &str = "idempotency-key";
/// Says that an answer was given before.
const REPLAYED: &str = "idempotency-replayed";
/// Longest key.
const LONGEST: usize = 100;
/// Largest answer that is looked at.
const LARGEST: usize = 16 * 1024 * 1024;

/// Calls a handler of the API for somebody who may, with both taken care of. `asker` is their session or
/// their token.
pub async fn answer(app: &Arc<App>, asker: &str, request: Request, next: Next) -> Response {
    if request.method() == Method::GET {
        let wanted = request.headers().get(header::IF_NONE_MATCH).cloned();
        return tagged(next.run(request).await, wanted).await.unwrap_or_else(IntoResponse::into_response);
    }
    match request.headers().get(KEY).cloned() {
        None => next.run(request).await,
        Some(key) => once(app, asker, &key, request, next).await.unwrap_or_else(IntoResponse::into_response),
    }
}

/// The tag of a body.
fn tag(body: &[u8]) -> String {
    format!("\"{}\"", &seal::digest(body)[7..39])
}

async fn body_of(body: Body) -> Result<Vec<u8>, ApiError> {
    let large = |_| Refusal::new(Kind::Internal, "The answer is too large. Ask for less at once.");
    Ok(to_bytes(body, LARGEST).await.map_err(large)?.to_vec())
}

/// An answer with its tag; without its body when the asker has it already.
async fn tagged(response: Response, wanted: Option<HeaderValue>) -> Result<Response, ApiError> {
    if response.status() != StatusCode::OK {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let body = body_of(body).await?;
    let tag = tag(&body);
    let known = wanted.and_then(|value| value.to_str().map(str::to_owned).ok()).is_some_and(|wanted| {
        wanted.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
    });
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, value);
    }
    // Kept by whoever asked alone, and asked after each time.
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Ok(Response::from_parts(parts, Body::empty()));
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Answers a request once; sent again with the same key, it is given the same answer.
async fn once(
    app: &Arc<App>,
    asker: &str,
    key: &HeaderValue,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let wrong =
        || Refusal::new(Kind::Malformed, "An Idempotency-Key has 1 to 100 letters, digits and marks.");
    let name = key.to_str().map_err(|_| wrong())?.to_owned();
    if name.is_empty() || name.len() > LONGEST {
        return Err(wrong().into());
    }
    let (parts, body) = request.into_parts();
    let large = || Refusal::new(Kind::TooLarge, format!("At most {MAX_MESSAGE} bytes are taken."));
    let body = to_bytes(body, MAX_MESSAGE).await.map_err(|_| large())?;
    let version = parts.headers.get(header::IF_MATCH).map_or(&b""[..], HeaderValue::as_bytes);
    let line = format!("{} {}\n{}\n", parts.method, parts.uri, String::from_utf8_lossy(version));
    let digest = seal::digest(&[line.as_bytes(), &body].concat());

    let mut write = app.store.write().await?;
    let first = write.begin_answer(asker, &name, &digest, app.now()).await?;
    write.commit(&app.keys.ledger).await?;
    if !first {
        return again(app, asker, &name, &digest).await;
    }
    // Whoever hangs up or waits no longer does not leave it half answered.
    let (app, asker) = (Arc::clone(app), asker.to_owned());
    let request = Request::from_parts(parts, Body::from(body));
    let answering = tokio::spawn(async move {
        let (response, changed) =
            stead_store::noting_commits(AssertUnwindSafe(next.run(request)).catch_unwind()).await;
        let response = response.unwrap_or_else(|_| {
            tracing::error!("handler panicked");
            ApiError(Refusal::said(Kind::Internal, "panicked")).into_response()
        });
        finished(&app, &asker, &name, response, changed).await
    });
    answering.await.map_err(|_| Refusal::said(Kind::Internal, "panicked"))?
}

/// Keeps an answer, to be given again. A request that failed before it changed anything may be sent again; one that may
/// have changed something is never run a second time, even where its answer cannot be kept.
async fn finished(
    app: &App,
    asker: &str,
    name: &str,
    response: Response,
    changed: bool,
) -> Result<Response, ApiError> {
    let (parts, body) = response.into_parts();
    let body = body_of(body).await?;
    if parts.status.is_server_error() && changed {
        return Ok(Response::from_parts(parts, Body::from(body)));
    }
    let kept = (!parts.status.is_server_error())
        .then(|| app.keys.sealing.seal(&answer_name(asker, name), &kept(&parts.headers, &body)))
        .flatten();
    let answer = kept.as_deref().map(|answer| (i64::from(parts.status.as_u16()), answer));
    if let Err(error) = keep(app, asker, name, answer).await {
        tracing::error!(%error, "answer not kept for its idempotency key");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Keeps an answer; none lets the request be sent again.
async fn keep(app: &App, asker: &str, name: &str, answer: Option<(i64, &str)>) -> Result<(), StoreError> {
    let mut write = app.store.write().await?;
    write.end_answer(asker, name, answer).await?;
    write.commit(&app.keys.ledger).await
}

fn answer_name(asker: &str, name: &str) -> String {
    format!("answer {asker} {name}")
}

/// An answer as it is kept: its content type, then its body.
fn kept(headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    format!("{}\n{}", STANDARD.encode(kind), STANDARD.encode(body)).into_bytes()
}

async fn again(app: &App, asker: &str, name: &str, digest: &str) -> Result<Response, ApiError> {
    let gone = || Refusal::new(Kind::Unavailable, "The same request failed just now. Send it again.");
    let before = app.store.answered(asker, name).await?.ok_or_else(gone)?;
    if before.request != digest {
        return Err(Refusal::new(Kind::KeyReused, "Take another key for another request.").into());
    }
    let Some(status) = before.status else {
        return Err(Refusal::new(
            Kind::StillAnswering,
            "Wait a moment and send it again. If this stays so, the server was interrupted: look whether it happened.",
        )
        .into());
    };
    let read = || -> Option<Response> {
        let text = app.keys.sealing.open(&answer_name(asker, name), &before.answer)?;
        let (kind, body) = std::str::from_utf8(&text).ok()?.split_once('\n')?;
        let status = StatusCode::from_u16(u16::try_from(status).ok()?).ok()?;
        let mut response = (status, STANDARD.decode(body).ok()?).into_response();
        response.headers_mut().remove(header::CONTENT_TYPE);
        let kind = STANDARD.decode(kind).ok()?;
        if !kind.is_empty() {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_bytes(&kind).ok()?);
        }
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        Some(response)
    };
    Ok(read().ok_or_else(|| {
        Refusal::new(Kind::Conflict, "This was answered already, and the answer cannot be read any more.")
    })?)
}

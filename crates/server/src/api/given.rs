//! What a request gives: its path, its query, its body; each refused in the words of a problem when it is
//! not of the form asked for.

use std::str::FromStr;

use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::request::Parts,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::de::DeserializeOwned;
use stead_model::problem::Kind;

use super::{JsonText, shapes::Part};
use crate::error::{ApiError, FieldError, Refusal};

/// The part of the path that names what is meant. What is no such name names nothing.
#[derive(Debug)]
pub struct Id<T>(pub T);

impl<T: FromStr + Send, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let nothing = || Refusal::said(Kind::NotFound, "nothing-here");
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| nothing())?;
        Ok(Self(text.parse().map_err(|_| nothing())?))
    }
}

/// The query.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(error) => Err(Refusal::new(Kind::Malformed, format!("{}.", error.body_text())).into()),
        }
    }
}

/// The body, JSON of a form that is known. What is not known in it is refused: it would be lost.
#[derive(Debug)]
pub struct Sent<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let JsonText(text) = JsonText::from_request(request, state).await?;
        serde_json::from_str(&text)
            .map(Self)
            .map_err(|error| Refusal::new(Kind::Malformed, format!("The body: {error}.")).into())
    }
}

/// How many are listed when nobody says, and at most.
const USUAL: i64 = 50;
const MOST: i64 = 200;

/// How many are to be listed.
///
/// # Errors
/// [`Refusal`] when it is no number from 1 to 200.
pub fn limit(asked: Option<i64>) -> Result<i64, Refusal> {
    match asked {
        None => Ok(USUAL),
        Some(limit @ 1..=MOST) => Ok(limit),
        Some(_) => Err(Refusal::form(FieldError::new("limit", "limit-wrong"))),
    }
}

/// A part of a list, of which one row more than `limit` was asked for. `key` is what a row is sorted by.
pub fn part<T, R: for<'a> From<&'a T>>(
    mut rows: Vec<T>,
    limit: i64,
    key: impl Fn(&T) -> (String, String),
) -> Part<R> {
    let next = next(&mut rows, limit, key);
    Part { items: rows.iter().map(Into::into).collect(), next }
}

/// Leaves as many rows as were asked for; and where the list goes on, when there was one more.
pub fn next<T>(rows: &mut Vec<T>, limit: i64, key: impl Fn(&T) -> (String, String)) -> Option<String> {
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > shown;
    rows.truncate(shown);
    let last = rows.last().filter(|_| more).map(key)?;
    Some(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&last).unwrap_or_default()))
}

/// What a part's `next` says.
///
/// # Errors
/// [`Refusal`] when it is none.
pub fn after(cursor: Option<&str>) -> Result<Option<(String, String)>, Refusal> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else { return Ok(None) };
    let read = || {
        let (text, id): (String, String) =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        // PostgreSQL has no text with a zero in it.
        (!text.contains('\0') && !id.contains('\0')).then_some((text, id))
    };
    read().map(Some).ok_or_else(|| Refusal::form(FieldError::new("after", "after-wrong")))
}

/// An id in a body or a query.
///
/// # Errors
/// [`Refusal`] of this field, with this message.
pub fn id<T: FromStr>(field: &'static str, text: &str, say: &'static str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::form(FieldError::new(field, say)))
}

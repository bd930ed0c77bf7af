//! Signing in: a one-time link begins a session. Only digests of both are kept.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use stead_model::{Millis, problem::Kind, seal, time};

use super::entry;
use crate::{App, auth::Role, error::Refusal};

/// How long a link may be used.
const LINK_LASTS: i64 = 15 * time::MINUTE;
/// How long a session lasts without being used.
pub const IDLE: i64 = 8 * time::HOUR;
/// How long a session lasts at most.
pub const ABSOLUTE: i64 = 24 * time::HOUR;
/// How exactly the last use is written down.
const TOUCH: i64 = time::MINUTE;

/// Makes a one-time link; its secret.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn make_link(app: &App, role: Role) -> Result<String, Refusal> {
    let now = app.now();
    let secret = URL_SAFE_NO_PAD.encode(app.random::<32>()?);
    let mut write = app.store.write().await?;
    write.add_link(&digest(&secret), role.word(), now, now.plus(LINK_LASTS)).await?;
    write.append(&entry(
        now,
        "operator",
        "link.made",
        "server".to_owned(),
        json!({ "role": role.word() }),
    ))?;
    write.commit(&app.keys.ledger).await?;
    Ok(secret)
}

/// Uses a link up and begins a session; its secret.
///
/// # Errors
/// [`Refusal`] when the link is unknown, used or expired, which look the same from outside.
pub async fn use_link(app: &App, secret: &str) -> Result<String, Refusal> {
    let now = app.now();
    let session = URL_SAFE_NO_PAD.encode(app.random::<32>()?);
    let mut write = app.store.write().await?;
    let Some(role) = write.use_link(&digest(secret), now).await? else {
        return Err(Refusal::new(
            Kind::Forbidden,
            "This link has been used or has expired. Make another with `stead-server admin sign-in-link`.",
        ));
    };
    write.add_session(&digest(&session), &role, now).await?;
    write.append(&entry(now, "operator", "session.begun", "server".to_owned(), json!({ "role": role })))?;
    write.commit(&app.keys.ledger).await?;
    Ok(session)
}

/// What the holder of a session's secret may do, if it is still good.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn session(app: &App, secret: &str) -> Result<Option<Role>, Refusal> {
    let now = app.now();
    let digest = digest(secret);
    let Some(session) = app.store.session(&digest).await? else { return Ok(None) };
    let good = session.ended_at.is_none()
        && now.since(session.last_used) < IDLE
        && now.since(session.created_at) < ABSOLUTE;
    if !good {
        return Ok(None);
    }
    if now.since(session.last_used) >= TOUCH {
        touch(app, &digest, now).await?;
    }
    Ok(Role::from_word(&session.role))
}

async fn touch(app: &App, digest: &str, now: Millis) -> Result<(), Refusal> {
    let mut write = app.store.write().await?;
    write.touch_session(digest, now).await?;
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Ends a session.
///
/// # Errors
/// [`Refusal`] when the store is away.
pub async fn sign_out(app: &App, secret: &str) -> Result<(), Refusal> {
    let now = app.now();
    let mut write = app.store.write().await?;
    write.end_session(&digest(secret), now).await?;
    write.append(&entry(now, "operator", "session.ended", "server".to_owned(), json!({})))?;
    Ok(write.commit(&app.keys.ledger).await?)
}

fn digest(secret: &str) -> String {
    seal::digest(format!("stead secret {secret}").as_bytes())
}

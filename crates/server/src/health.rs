//! Whether this server can do its work: `/healthz`, for whoever watches it.

use std::time::Duration;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio::{sync::Mutex, time::Instant};

use crate::App;

/// How long an answer holds. Strangers may ask, and each look is a write.
const HOLDS: Duration = Duration::from_secs(1);
/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// What was found, and when.
#[derive(Debug, Default)]
pub struct Health(Mutex<Option<(Instant, Option<&'static str>)>>);

/// What keeps this server from its work; none when nothing does. It is tried, not remembered: a transaction is
/// committed, as a request would.
pub async fn trouble(app: &App) -> Option<&'static str> {
    let mut last = app.health.0.lock().await;
    if let Some((at, trouble)) = *last
        && at.elapsed() < HOLDS
    {
        return trouble;
    }
    let trouble = match tokio::time::timeout(PATIENCE, app.store.probe(&app.keys.ledger)).await {
        Ok(Ok(())) if app.jobs.has_failed("identity") => Some("the database went back"),
        Ok(Ok(())) => {
            let in_doubt = app.pack().is_in_doubt();
            in_doubt.then_some("the policy in effect isn't the one that the ledger names: access is closed")
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "health check failed");
            Some("the database can't be written")
        }
        Err(_) => Some("the database takes too long to write"),
    };
    *last = Some((Instant::now(), trouble));
    trouble
}

/// `/healthz`: 200 while changes can be saved, 503 with the reason while they can't.
pub async fn healthz(State(app): State<std::sync::Arc<App>>) -> Response {
    match trouble(&app).await {
        None => "ok\n".into_response(),
        Some(trouble) => (StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n")).into_response(),
    }
}

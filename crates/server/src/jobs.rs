//! What the server does by itself: deadlines, silence, the daily anchor.

use std::{sync::Weak, time::Duration};

use crate::{
    App,
    flows::{anchor, deadlines},
};

/// How often deadlines are looked for.
const EVERY: Duration = Duration::from_secs(5);

/// Runs until the server ends.
pub async fn run(app: Weak<App>) {
    loop {
        let Some(app) = app.upgrade() else { return };
        if let Err(refusal) = deadlines::run(&app).await {
            tracing::warn!(problem = %refusal.problem(), "deadlines were not looked at; trying again");
        }
        if let Err(refusal) = anchor::anchor(&app).await {
            tracing::warn!(problem = %refusal.problem(), "reports were not anchored; trying again");
        }
        drop(app);
        tokio::time::sleep(EVERY).await;
    }
}

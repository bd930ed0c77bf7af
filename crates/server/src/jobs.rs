//! What the server does by itself: deadlines, silence, the daily anchor, last days, what is kept no longer,
//! and telling people.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use stead_model::{Millis, problem::Kind};
use stead_store::Store;

use crate::{
    App, audit,
    error::Refusal,
    flows::{
        anchor, backup, cases, deadlines,
        directory::leaving,
        exceptions, glass, identity,
        loss::clocks,
        notices::{chase, deliver, follow, gather},
        policy::{self, subjects},
        retention,
    },
    words::Words,
};

/// How often the ledger is audited.
const AUDITED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How often it looks.
const EVERY: Duration = Duration::from_secs(5);

/// How a job went the last time.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The job.
    pub name: &'static str,
    /// When it last ran to its end.
    pub done_at: Option<Millis>,
    /// When it last did something.
    pub did_at: Option<Millis>,
    /// Why it could not, when the last attempt failed.
    pub failed: Option<String>,
}

/// How each job went, for the page of whoever runs the installation.
#[derive(Debug, Default)]
pub struct Jobs(Mutex<Vec<Ran>>);

impl Jobs {
    /// How each job went.
    pub fn ran(&self) -> Vec<Ran> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the last attempt at a job failed.
    pub fn has_failed(&self, name: &str) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|ran| ran.name == name && ran.failed.is_some())
    }

    fn note(&self, name: &'static str, now: Millis, result: Result<bool, Refusal>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = all.iter().position(|ran| ran.name == name).unwrap_or_else(|| {
            all.push(Ran { name, done_at: None, did_at: None, failed: None });
            all.len() - 1
        });
        let ran = &mut all[place];
        match result {
            Ok(did) => {
                ran.done_at = Some(now);
                ran.failed = None;
                if did {
                    ran.did_at = Some(now);
                }
            }
            Err(refusal) => {
                let problem = refusal.problem(&Words::english());
                tracing::warn!(job = name, %problem, "a job could not be done; trying again");
                ran.failed = Some(problem.to_string());
            }
        }
    }
}

/// Runs until the server ends.
pub async fn run(app: Weak<App>) {
    loop {
        let Some(app) = app.upgrade() else { return };
        once(&app).await;
        drop(app);
        tokio::time::sleep(EVERY).await;
    }
}

/// Tells people and other systems until the server ends. It runs beside the rest: a mail server that takes
/// its time keeps no deadline waiting.
pub async fn run_notices(app: Weak<App>) {
    loop {
        let Some(app) = app.upgrade() else { return };
        notices(&app).await;
        drop(app);
        tokio::time::sleep(EVERY).await;
    }
}

/// Tells once what is to be told.
pub async fn notices(app: &Arc<App>) {
    let now = app.now();
    app.jobs.note("follow", now, follow::run(app).await);
    app.jobs.note("clocks", now, clocks::run(app).await);
    if !app.pack().is_in_doubt() {
        app.jobs.note("chase", now, chase::run(app).await);
    }
    app.jobs.note("gather", now, gather::run(app).await.map(|n| n > 0));
}

/// Sends what is on its way until the server ends. What does not answer keeps nothing else waiting.
pub async fn run_deliveries(app: Weak<App>) {
    loop {
        let Some(app) = app.upgrade() else { return };
        deliveries(&app).await;
        drop(app);
        tokio::time::sleep(EVERY).await;
    }
}

/// Sends once what is due.
pub async fn deliveries(app: &Arc<App>) {
    let now = app.now();
    app.jobs.note("deliver", now, deliver::run(app).await.map(|n| n > 0));
}

/// Makes backups until the server ends.
pub async fn run_backups(app: Weak<App>) {
    loop {
        let Some(app) = app.upgrade() else { return };
        let now = app.now();
        app.jobs.note("backup", now, backup::run(&app).await);
        drop(app);
        tokio::time::sleep(EVERY).await;
    }
}

/// Audits the ledger until the server ends: at its start, and once a day. It takes as long as the ledger is, and keeps
/// nothing else waiting.
pub async fn run_audits(app: Weak<App>) {
    loop {
        let Some(app) = app.upgrade() else { return };
        audits(&app).await;
        drop(app);
        tokio::time::sleep(AUDITED_EVERY).await;
    }
}

/// Audits the ledger once.
pub async fn audits(app: &Arc<App>) {
    let audited = async {
        let snapshot = Store::snapshot(&app.store_url).await?;
        let found = audit::ledger(&snapshot, app.keys.ledger.public(), None, |_, _| {}).await?;
        snapshot.close().await;
        found.map(|size| size > 0).map_err(|why| {
            tracing::error!(%why, "the ledger isn't what was signed");
            Refusal::new(Kind::Internal, why)
        })
    };
    let audited: Result<bool, Refusal> = audited.await;
    app.jobs.note("audit", app.now(), audited);
}

/// Does once what is due.
pub async fn once(app: &Arc<App>) {
    let now = app.now();
    app.jobs.note("identity", now, identity::keep(app).await);
    app.jobs.note("database", now, app.store.settle().await.map_err(Refusal::from));
    app.jobs.note("policy", now, policy::run(app).await);
    app.jobs.note("anchor", now, anchor::anchor(app).await);
    app.jobs.note("glass", now, glass::run(app).await);
    // Nobody is judged while it's not known by what.
    if app.pack().is_in_doubt() {
        return;
    }
    app.jobs.note("exceptions", now, exceptions::run(app).await.map(|n| n > 0));
    app.jobs.note("deadlines", now, deadlines::run(app).await.map(|n| n > 0));
    app.jobs.note("leaving", now, leaving::run(app).await.map(|n| n > 0));
    app.jobs.note("people", now, subjects::run(app).await);
    app.jobs.note("cases", now, cases::run(app).await.map(|n| n > 0));
    app.jobs.note("retention", now, retention::run(app).await);
}

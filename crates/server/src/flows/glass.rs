//! That the glass was broken: written down before anybody comes in, in the ledger, or beside it while the store is
//! away, and entered as soon as it is back.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::json;
use stead_model::{DeviceId, Millis, PersonId, problem::Kind};

use super::{entry, person_subject};
use crate::{App, error::Refusal};

/// How long the store may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// That somebody has broken it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Broken {
    /// When.
    pub at: Millis,
    /// Who.
    pub person: PersonId,
    /// On which device.
    pub device: DeviceId,
    /// Where.
    pub application: String,
    /// One of [`REASONS`](crate::gate::glass::REASONS).
    pub reason: String,
    /// What was not known, as the gate says it.
    pub not_known: Vec<String>,
    /// Until when it counts.
    pub until: Millis,
}

fn waiting(app: &App) -> PathBuf {
    app.data.join("glass.jsonl")
}

/// Writes it down.
///
/// # Errors
/// [`Refusal`] when neither the store nor the disk takes it: then nobody comes in.
pub async fn record(app: &App, broken: &Broken) -> Result<(), Refusal> {
    tracing::warn!(
        person = %broken.person, device = %broken.device, application = broken.application,
        reason = broken.reason, "the glass is broken"
    );
    let entered = tokio::time::timeout(PATIENCE, enter(app, std::slice::from_ref(broken))).await;
    if matches!(entered, Ok(Ok(()))) {
        return Ok(());
    }
    keep(app, broken).map_err(|error| {
        tracing::error!(%error, "that the glass was broken could not be written down");
        Refusal::new(Kind::Unavailable, "It could not be written down that you come in, so you do not.")
    })
}

/// Appends it to the file of those that wait.
fn keep(app: &App, broken: &Broken) -> io::Result<()> {
    let line = serde_json::to_string(broken)?;
    let mut file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(waiting(app))?;
    writeln!(file, "{line}")?;
    file.sync_all()
}

async fn enter(app: &App, all: &[Broken]) -> Result<(), Refusal> {
    let mut write = app.store.write().await?;
    for broken in all {
        let subject = person_subject(broken.person);
        let data = json!({
            "application": broken.application,
            "device": broken.device,
            "reason": broken.reason,
            "not_known": broken.not_known,
            "until": broken.until.0,
        });
        write.append(&entry(broken.at, &subject, "gate.glass", subject.clone(), data))?;
    }
    Ok(write.commit(&app.keys.ledger).await?)
}

/// Enters what waits; whether there was anything.
///
/// # Errors
/// [`Refusal`] when the store or the disk is away; then it waits on.
pub async fn run(app: &App) -> Result<bool, Refusal> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Refusal::new(Kind::Internal, format!("{} cannot be entered: {error}", waiting(app).display()))
    };
    // What is written down from here on goes into a file of its own.
    let entering = waiting(app).with_extension("entering");
    if !entering.exists() {
        match fs::rename(waiting(app), &entering) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(unreadable(&error)),
        }
    }
    let text = fs::read_to_string(&entering).map_err(|error| unreadable(&error))?;
    let all: Vec<Broken> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(&error))?;
    enter(app, &all).await?;
    fs::remove_file(&entering).map_err(|error| unreadable(&error))?;
    Ok(true)
}

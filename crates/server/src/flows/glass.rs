//! That the glass was broken: written down before anybody comes in, in the ledger, or beside it while the store is
//! away, and entered as soon as it is back.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
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

/// The file of those that wait to be entered.
#[derive(Debug)]
pub(crate) struct Waiting {
    path: PathBuf,
    /// Held while a line is written, and while the file is put aside: a line goes into the one or the other.
    writing: Mutex<()>,
}

impl Waiting {
    pub(crate) fn new(data: &Path) -> Self {
        Self { path: data.join("glass.jsonl"), writing: Mutex::new(()) }
    }

    /// Appends a line.
    fn keep(&self, broken: &Broken) -> io::Result<()> {
        let line = serde_json::to_string(broken)?;
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path)?;
        writeln!(file, "{line}")?;
        file.sync_all()
    }

    /// Puts what waits aside, where nothing is added to it; the file. None when nothing waits.
    fn aside(&self) -> io::Result<Option<PathBuf>> {
        let entering = self.path.with_extension("entering");
        if entering.exists() {
            return Ok(Some(entering));
        }
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match fs::rename(&self.path, &entering) {
            Ok(()) => Ok(Some(entering)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What a file put aside holds.
fn read(entering: &Path) -> io::Result<Vec<Broken>> {
    let text = fs::read_to_string(entering)?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
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
    app.glass.keep(broken).map_err(|error| {
        tracing::error!(%error, "that the glass was broken could not be written down");
        Refusal::new(Kind::Unavailable, "It could not be written down that you come in, so you do not.")
    })
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
    let unreadable = |error: io::Error| {
        Refusal::new(Kind::Internal, format!("{} cannot be entered: {error}", app.glass.path.display()))
    };
    let Some(entering) = app.glass.aside().map_err(unreadable)? else { return Ok(false) };
    let all = read(&entering).map_err(unreadable)?;
    enter(app, &all).await?;
    fs::remove_file(&entering).map_err(unreadable)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc, thread};

    use super::*;

    /// S32: a line that was written while the file was put aside was in neither.
    #[test]
    fn s32_no_line_is_lost_while_others_are_entered() {
        let folder = tempfile::tempdir().unwrap();
        let waiting = Arc::new(Waiting::new(folder.path()));
        let broken = |at: i64| Broken {
            at: Millis(at),
            person: PersonId::from_parts(Millis(1), [1; 10]),
            device: DeviceId::from_parts(Millis(1), [2; 10]),
            application: "records".to_owned(),
            reason: "outage".to_owned(),
            not_known: Vec::new(),
            until: Millis(9),
        };
        let writers: Vec<_> = (0..4)
            .map(|n| {
                let waiting = Arc::clone(&waiting);
                thread::spawn(move || (0..250).for_each(|k| waiting.keep(&broken(n * 250 + k)).unwrap()))
            })
            .collect();
        let mut entered = Vec::new();
        loop {
            let done = writers.iter().all(thread::JoinHandle::is_finished);
            if let Some(entering) = waiting.aside().unwrap() {
                entered.extend(read(&entering).unwrap().into_iter().map(|broken| broken.at.0));
                fs::remove_file(entering).unwrap();
            } else if done {
                break;
            }
        }
        assert_eq!(entered.len(), 1000);
        assert_eq!(entered.into_iter().collect::<BTreeSet<_>>().len(), 1000);
    }
}

//! What-if asked for on a page: it goes on beside the request, says how far it is, and its answer is kept for
//! a while, so that the page, the file and a second look say the same.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use stead_model::{Millis, RecordId, problem::Kind, time::MINUTE};
use stead_policy::Pack;
use tokio::sync::Semaphore;

use super::what_if::{self, Tried};
use crate::{App, error::Refusal};

/// How long an answer is given again.
const KEPT: i64 = 10 * MINUTE;
/// Answers that are kept, and runs that may wait.
const MOST: usize = 4;

/// What is tried: a draft at one revision, against the version in force.
#[derive(Clone, Debug, PartialEq, Eq)]
struct What {
    draft: RecordId,
    revision: i64,
    in_force: String,
}

/// One run.
#[derive(Debug)]
pub struct Run {
    what: What,
    judged: AtomicI64,
    /// How many are to be judged, as counted when it began.
    pub all: i64,
    /// When it was answered, and how; none where it could not be finished.
    answer: OnceLock<(Millis, Option<Tried>)>,
}

impl Run {
    /// How many have been judged.
    pub fn judged(&self) -> i64 {
        self.judged.load(Ordering::Relaxed).min(self.all)
    }

    /// What came of it; none while it goes on.
    ///
    /// # Errors
    /// [`Refusal`] when it could not be finished.
    pub fn answer(&self) -> Result<Option<&Tried>, Refusal> {
        match self.answer.get() {
            None => Ok(None),
            Some((_, Some(tried))) => Ok(Some(tried)),
            Some((_, None)) => Err(Refusal::said(Kind::Unavailable, "policy-busy")),
        }
    }
}

/// The runs that this server knows.
#[derive(Debug, Default)]
pub struct Runs(Mutex<Vec<Arc<Run>>>);

/// The run for a draft at its revision: the one that goes on or was answered a short while ago, or a new one.
///
/// # Errors
/// [`Refusal`] when too many wait, or the store is away.
pub async fn run(
    app: &Arc<App>,
    (draft, revision): (RecordId, i64),
    pack: Arc<Pack>,
) -> Result<Arc<Run>, Refusal> {
    static ONE: Semaphore = Semaphore::const_new(1);
    let now = app.now();
    let what = What { draft, revision, in_force: app.pack().digest.clone() };
    let all = app.store.how_many_to_try(now.plus(-pack.silent_after)).await?;
    let run = {
        let mut runs = app.trying.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What was answered a while ago is asked anew, and so is what failed, a little later.
        let keeps = |run: &Arc<Run>| match run.answer.get() {
            None => true,
            Some((at, answer)) => (0..if answer.is_some() { KEPT } else { MINUTE }).contains(&now.since(*at)),
        };
        runs.retain(keeps);
        if let Some(run) = runs.iter().find(|run| run.what == what) {
            return Ok(Arc::clone(run));
        }
        if runs.len() >= MOST {
            let Some(oldest) = runs.iter().position(|run| run.answer.get().is_some()) else {
                return Err(Refusal::said(Kind::Unavailable, "policy-busy"));
            };
            runs.remove(oldest);
        }
        let run = Run { what, judged: AtomicI64::new(0), all, answer: OnceLock::new() };
        let run = Arc::new(run);
        runs.push(Arc::clone(&run));
        run
    };
    let (going, app) = (Arc::clone(&run), Arc::clone(app));
    tokio::spawn(async move {
        let (judging, told) = (Arc::clone(&app), Arc::clone(&going));
        // In a task of its own: one that ends abruptly is answered as well.
        let work = tokio::spawn(async move {
            let progress = |judged| told.judged.store(judged, Ordering::Relaxed);
            let _one = ONE.acquire().await.map_err(|_| Refusal::said(Kind::Unavailable, "policy-busy"))?;
            what_if::try_out(&judging, pack, progress).await
        });
        let answer = match work.await {
            Ok(Ok(tried)) => Some(tried),
            Ok(Err(refusal)) => {
                tracing::warn!(?refusal, "trying a policy out was not finished");
                None
            }
            Err(_) => {
                tracing::error!("trying a policy out ended abruptly");
                None
            }
        };
        // It is answered once, here.
        let _ = going.answer.set((app.now(), answer));
    });
    Ok(run)
}

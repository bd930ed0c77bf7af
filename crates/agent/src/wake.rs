//! What has an agent check in before its time.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

/// How long it is waited for more after something has changed: a change seldom comes alone.
pub const SETTLES: Duration = Duration::from_millis(150);
/// The same right after a change: what goes on changing, as while updates are installed, is not followed step by
/// step.
pub const GOES_ON: Duration = Duration::from_secs(1);

/// Why to check in now.
#[derive(Debug)]
pub enum Wake {
    /// Something that facts are read from has changed; what.
    Changed(&'static str),
    /// Somebody waits for it, and is told when it is done.
    Asked(Sender<()>),
}

/// Waits until something wakes or the time is over, and then as long as `settles` says for more; who waits for the check-in, and what
/// has changed.
pub fn wait(
    woken: &Receiver<Wake>,
    at_most: Duration,
    settles: impl FnOnce() -> Duration,
) -> (Vec<Sender<()>>, Vec<&'static str>) {
    let (mut waiting, mut changed) = (Vec::new(), Vec::new());
    let mut take = |wake| match wake {
        Wake::Asked(done) => waiting.push(done),
        Wake::Changed(what) => {
            if !changed.contains(&what) {
                changed.push(what);
            }
        }
    };
    match woken.recv_timeout(at_most) {
        Ok(wake) => take(wake),
        Err(RecvTimeoutError::Timeout) => return (waiting, changed),
        Err(RecvTimeoutError::Disconnected) => {
            // Nobody can wake: the time alone counts.
            thread::sleep(at_most);
            return (waiting, changed);
        }
    }
    thread::sleep(settles());
    woken.try_iter().for_each(take);
    (waiting, changed)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_comes_together_wakes_once() {
        let (wake, woken) = mpsc::channel();
        let (done, _) = mpsc::channel();
        wake.send(Wake::Changed("files")).unwrap();
        wake.send(Wake::Changed("files")).unwrap();
        wake.send(Wake::Asked(done)).unwrap();
        let (waiting, changed) = wait(&woken, Duration::from_secs(5), || SETTLES);
        assert_eq!((waiting.len(), changed), (1, vec!["files"]));
        let (waiting, changed) = wait(&woken, Duration::from_millis(1), || SETTLES);
        assert!(waiting.is_empty() && changed.is_empty());
        drop(wake);
        assert!(wait(&woken, Duration::from_millis(1), || SETTLES).1.is_empty());
    }
}

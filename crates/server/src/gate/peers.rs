//! What the gates of tunnels are told: which devices are let in, kept equal to the decision, with what has changed
//! since a gate last asked. A gate's question waits until something has.
//!
//! Authorization: the secret that the operator gave to the gate.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use stead_model::{
    DeviceId, Millis,
    problem::Kind,
    seal,
    time::MINUTE,
    tunnel::{Peer, Peers, PublicKey, Turn},
};
use stead_policy::Pack;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{
    apps,
    decide::{self, Why},
    index::Index,
    tunnels::Tunnel,
};
use crate::{
    App,
    error::{ApiError, Refusal},
};

/// How many changes are remembered; a gate that has missed more is told everything.
const REMEMBERED: usize = 10_000;
/// How often it is looked for what time alone changes.
const EVERY: Duration = Duration::from_millis(500);
/// What was looked at longer ago is not told any more.
const STALE: Duration = Duration::from_secs(5);
/// The longest that a question waits.
const LONGEST: Duration = Duration::from_secs(10);
/// How long a device waits for its gate.
const MOMENT: Duration = Duration::from_secs(1);
/// How long before its end a device's key is still taken: it makes a new one at four fifths.
const SLACK: i64 = MINUTE;

/// The peers of one tunnel.
#[derive(Debug, Default)]
struct List {
    n: u64,
    peers: HashMap<PublicKey, Peer>,
    changed: VecDeque<(u64, PublicKey)>,
    asked_at: Option<Millis>,
    /// The turn that its gate has taken over.
    taken: u64,
    /// The last turn of which something is remembered no more.
    forgotten: u64,
    /// When it was last looked who is let in, and how often something may have been missed before.
    looked: Option<(Instant, u64)>,
}

impl List {
    /// Takes over who is let in now; whether that is anything new.
    fn become_(&mut self, now: HashMap<PublicKey, Peer>) -> bool {
        let gone = self.peers.keys().filter(|key| !now.contains_key(*key));
        let other = now.iter().filter(|(key, peer)| self.peers.get(*key) != Some(*peer)).map(|(key, _)| key);
        let changed: Vec<PublicKey> = gone.chain(other).copied().collect();
        if changed.is_empty() {
            return false;
        }
        self.n += 1;
        self.changed.extend(changed.into_iter().map(|key| (self.n, key)));
        let older = self.changed.len().saturating_sub(REMEMBERED);
        if let Some((turn, _)) = self.changed.drain(..older).next_back() {
            // Some of that turn may be left; it is not the whole any more.
            self.forgotten = turn;
        }
        self.peers = now;
        true
    }

    /// What somebody is told who knows everything up to a turn; all, where that is not remembered.
    fn since(&self, known: Option<u64>) -> (bool, Vec<Peer>, Vec<PublicKey>) {
        let Some(known) = known.filter(|known| (self.forgotten..=self.n).contains(known)) else {
            return (true, self.peers.values().cloned().collect(), Vec::new());
        };
        let (mut peers, mut gone) = (Vec::new(), Vec::new());
        let mut seen = std::collections::HashSet::new();
        for (_, key) in self.changed.iter().filter(|(n, key)| *n > known && seen.insert(*key)) {
            match self.peers.get(key) {
                Some(peer) => peers.push(peer.clone()),
                None => gone.push(*key),
            }
        }
        (false, peers, gone)
    }
}

/// The peers of every tunnel.
#[derive(Debug)]
pub struct Lists {
    /// What this run of the server is called.
    run: String,
    lists: Vec<Mutex<List>>,
    turned: watch::Sender<u64>,
    taken: Notify,
}

impl Lists {
    /// Nobody is let in yet.
    pub(super) fn new(tunnels: usize, run: String) -> Self {
        Self {
            run,
            lists: (0..tunnels).map(|_| Mutex::default()).collect(),
            turned: watch::Sender::new(0),
            taken: Notify::new(),
        }
    }

    /// Waits until the tunnel's gate has let a key in, for at most a moment: a device that knocks before has to wait
    /// for its next try.
    pub async fn let_in(&self, tunnel: usize, key: PublicKey) {
        let until = Instant::now() + MOMENT;
        loop {
            let taken = self.taken.notified();
            let is_in = self.list(tunnel, |list| {
                list.peers.contains_key(&key)
                    && list
                        .changed
                        .iter()
                        .rev()
                        .find(|(_, of)| *of == key)
                        .is_none_or(|(n, _)| *n <= list.taken)
            });
            if is_in == Some(true) || tokio::time::timeout_at(until, taken).await.is_err() {
                return;
            }
        }
    }

    fn list<T>(&self, tunnel: usize, with: impl FnOnce(&mut List) -> T) -> Option<T> {
        let list = self.lists.get(tunnel)?;
        Some(with(&mut list.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// How many are let in, and when its gate last asked this server.
    pub fn state(&self, tunnel: usize) -> (usize, Option<Millis>) {
        self.list(tunnel, |list| (list.peers.len(), list.asked_at)).unwrap_or_default()
    }
}

/// The networks behind a tunnel, and all that stands against letting a device in to each.
pub fn networks(index: &Index, pack: &Pack, tunnel: &Tunnel, id: DeviceId, now: Millis) -> Vec<Vec<Why>> {
    let Some(device) = index.device(id) else {
        return vec![vec![Why::NoDevice]; tunnel.networks.len()];
    };
    let of = |tier: &str| {
        let place = apps::place(pack, tier);
        decide::through_tunnel(pack, decide::against(index, pack, (device.person, id), place, now))
    };
    tunnel.networks.iter().map(|behind| of(&behind.tier)).collect()
}

/// Everybody who is let in through a tunnel now.
fn peers(index: &Index, pack: &Pack, tunnel: &Tunnel, now: Millis) -> HashMap<PublicKey, Peer> {
    let mut peers = HashMap::new();
    for (id, held) in index.in_tunnel(&tunnel.name) {
        let Some(address) = tunnel.address(held.place) else { continue };
        if now.since(held.made_at) >= tunnel.key_lasts + SLACK {
            continue;
        }
        let open: Vec<usize> = networks(index, pack, tunnel, id, now)
            .iter()
            .enumerate()
            .filter(|(_, why)| why.is_empty())
            .map(|(place, _)| place)
            .collect();
        if !open.is_empty() {
            peers.insert(held.key, Peer { key: held.key, address, networks: open });
        }
    }
    peers
}

/// Keeps the lists equal to the decision, for as long as the server runs. If it should end, what it knew is soon too old
/// to be told.
pub(crate) async fn keep(app: Weak<App>) {
    let Some(index) = app.upgrade().map(|app| Arc::clone(&app.gate.index)) else { return };
    loop {
        let moved = index.moved();
        let Some(app) = app.upgrade() else { return };
        let begun = Instant::now();
        // There may be many; what else the server does goes on meanwhile.
        if let Err(error) = tokio::task::spawn_blocking(move || look(&app)).await {
            tracing::error!(%error, "it could not be looked who is let in through tunnels");
        }
        // However many there are, at most half of the time goes into looking.
        tokio::time::sleep(begun.elapsed()).await;
        // Nothing may have moved for long; then it is the time alone that changes something.
        let _ = tokio::time::timeout(EVERY, moved).await;
    }
}

fn look(app: &App) {
    let (index, begun) = (&app.gate.index, Instant::now());
    let (pack, now, missed) = (app.pack(), app.now(), index.missed());
    let all: Vec<_> =
        app.gate.settings.tunnels.iter().map(|tunnel| peers(index, &pack, tunnel, now)).collect();
    // What was decided while something was missed is not told.
    if !index.is_complete() || index.missed() != missed {
        return;
    }
    let mut any = false;
    for (place, let_in) in all.into_iter().enumerate() {
        let news = app.gate.lists.list(place, |list| {
            list.looked = Some((begun, missed));
            list.become_(let_in)
        });
        any |= news.unwrap_or_default();
    }
    if any {
        app.gate.lists.turned.send_modify(|turns| *turns += 1);
    }
}

/// What a gate says when it asks.
#[derive(Debug, Default, Deserialize)]
pub struct Known {
    #[serde(default)]
    run: String,
    #[serde(default)]
    n: u64,
}

/// `GET /gate/tunnels/{tunnel}/peers?run=…&n=…`: who is let in, or what has changed since that turn.
pub async fn get(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(known): Query<Known>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let shown = crate::auth::bearer(&headers).unwrap_or_default();
    let found = app.gate.settings.tunnel(&name);
    let Some((place, tunnel)) =
        found.filter(|(_, tunnel)| seal::same_secret(shown.as_bytes(), tunnel.secret.as_bytes()))
    else {
        tracing::warn!("a gate's secret was not taken, or its tunnel is in no file");
        let refusal = Refusal::new(
            Kind::SignInNeeded,
            "Give stead-gate the tunnel's name and secret as this server has them.",
        );
        return Err(refusal.into());
    };
    let lists = &app.gate.lists;
    let is_known = known.run == lists.run;
    if is_known {
        lists.list(place, |list| list.taken = known.n);
        lists.taken.notify_waiters();
    }
    let mut turned = lists.turned.subscribe();
    let wait = LONGEST.min(Duration::from_millis(u64::try_from(tunnel.good_for / 3).unwrap_or_default()));
    let until = Instant::now() + wait;
    loop {
        let index = &app.gate.index;
        let looked = lists.list(place, |list| list.looked).flatten();
        let is_current = looked.is_some_and(|(at, missed)| at.elapsed() < STALE && missed == index.missed());
        if !is_current || !index.is_complete() {
            // What was said before stays good for as long as was said; this server has nothing to add.
            return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
        }
        turned.mark_unchanged();
        let stands = lists.list(place, |list| list.n).unwrap_or_default();
        if !is_known || stands != known.n || Instant::now() >= until {
            break;
        }
        // Over is over; it is told below that nothing has changed.
        let _ = tokio::time::timeout_at(until, turned.changed()).await;
    }
    let now = app.now();
    let answer = lists.list(place, |list| {
        list.asked_at = Some(now);
        let (all, peers, gone) = list.since(is_known.then_some(known.n));
        Peers {
            turn: Turn { run: lists.run.clone(), n: list.n },
            good_for: tunnel.good_for,
            address: tunnel.own_address(),
            networks: tunnel.networks.iter().map(|behind| behind.to).collect(),
            all,
            peers,
            gone,
        }
    });
    Ok(Json(answer).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: u8, networks: &[usize]) -> (PublicKey, Peer) {
        let key = PublicKey([n; 32]);
        let address = format!("10.90.0.{n}/32").parse().unwrap();
        (key, Peer { key, address, networks: networks.to_vec() })
    }

    #[test]
    fn what_has_changed_is_told_and_all_where_that_is_not_known() {
        let mut list = List::default();
        assert_eq!(list.since(None), (true, vec![], vec![]));
        assert!(list.become_(HashMap::from([peer(1, &[0]), peer(2, &[0])])));
        assert!(!list.become_(HashMap::from([peer(1, &[0]), peer(2, &[0])])), "nothing is new");
        assert_eq!(list.since(Some(1)), (false, vec![], vec![]));
        assert!(list.become_(HashMap::from([peer(1, &[0, 1])])));
        assert_eq!(list.since(Some(1)), (false, vec![peer(1, &[0, 1]).1], vec![PublicKey([2; 32])]));
        assert!(list.become_(HashMap::from([peer(1, &[0]), peer(2, &[0])])));
        let (all, mut peers, gone) = list.since(Some(0));
        peers.sort_by_key(|peer| peer.key);
        assert_eq!((all, peers, gone), (false, vec![peer(1, &[0]).1, peer(2, &[0]).1], vec![]));
        assert!(list.since(Some(9)).0, "a turn that never was");
    }

    #[test]
    fn a_turn_of_which_a_part_is_forgotten_is_told_whole() {
        let many = |of: std::ops::Range<u32>| -> HashMap<PublicKey, Peer> {
            of.map(|n| {
                let mut key = [0; 32];
                key[..4].copy_from_slice(&n.to_be_bytes());
                (PublicKey(key), Peer { key: PublicKey(key), ..peer(1, &[0]).1 })
            })
            .collect()
        };
        let mut list = List::default();
        let most = u32::try_from(REMEMBERED).unwrap();
        list.become_(many(0..most + 500));
        list.become_(many(0..10));
        assert_eq!((list.n, list.changed.len()), (2, REMEMBERED));
        assert!(list.since(Some(0)).0 && list.since(Some(1)).0, "whose keys are gone is not all remembered");
        assert!(!list.since(Some(2)).0);
        list.become_(many(0..11));
        assert_eq!(list.since(Some(2)).1.len(), 1);
    }
}

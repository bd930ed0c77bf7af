//! How many connections there may be, in all and from one address, and which one makes room for another: the one that
//! has asked for nothing the longest. Whoever opens many and says nothing keeps nobody out.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv6Addr},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::http::Request;
use axum_server::accept::Accept;
use futures_util::task::AtomicWaker;
use hyper::body::Body;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tower::Service;

/// Descriptors that are not connections of others: the database's, files, what the server itself connects to.
const OWN: usize = 192;
/// No more descriptors are asked of the system than this.
const MOST: u64 = 65_536;

/// Where a connection comes from: an address of version 4, or a network of version 6.
pub type Place = IpAddr;

/// A connection that is there.
#[derive(Debug)]
struct Slot {
    id: u64,
    from: Place,
    /// Requests of it that are being answered.
    answering: AtomicU32,
    /// When it asked or was answered last, in milliseconds since the limits were made.
    active_at: AtomicU64,
    closed: AtomicBool,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    all: usize,
    by: HashMap<Place, Vec<Arc<Slot>>>,
}

/// The limits, and the connections that there are.
#[derive(Clone, Debug)]
pub struct Limits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    in_all: usize,
    each: usize,
    since: Instant,
    table: Mutex<Table>,
}

/// Lets this process hold as many descriptors as the system allows it, and says how many those are.
pub fn descriptors() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let found = getrlimit(Resource::Nofile);
    let wanted = found.maximum.unwrap_or(MOST).min(MOST);
    let raised = Rlimit { current: Some(wanted), maximum: found.maximum };
    if found.current.is_some_and(|current| current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(%error, "no more descriptors could be had");
    }
    let now = getrlimit(Resource::Nofile).current.unwrap_or(MOST).min(MOST);
    usize::try_from(now).unwrap_or(1024)
}

impl Limits {
    /// For a process that may hold so many descriptors. Behind a proxy all connections come from one address.
    pub fn new(descriptors: usize, behind_proxy: bool) -> Self {
        let in_all = descriptors.saturating_sub(OWN).max(64);
        Self::of(in_all, if behind_proxy { in_all } else { in_all / 2 })
    }

    fn of(in_all: usize, each: usize) -> Self {
        Self(Arc::new(Inner { in_all, each, since: Instant::now(), table: Mutex::default() }))
    }

    /// Takes a connection in, for which another makes room where it must; none where nothing can.
    fn take(&self, address: IpAddr) -> Option<Held> {
        let from = network(address);
        let now = self.now();
        let mut table = self.0.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.by.get(&from).is_some_and(|same| same.len() >= self.0.each) && !close_idle(&mut table, from)
        {
            return None;
        }
        if table.all >= self.0.in_all {
            // Whoever has the most of them gives one back.
            let most = table.by.iter().max_by_key(|(_, same)| same.len()).map(|(from, _)| *from)?;
            if !close_idle(&mut table, most) {
                return None;
            }
        }
        table.next += 1;
        let slot = Arc::new(Slot {
            id: table.next,
            from,
            answering: AtomicU32::new(0),
            active_at: AtomicU64::new(now),
            closed: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        });
        table.all += 1;
        table.by.entry(from).or_default().push(Arc::clone(&slot));
        Some(Held { limits: self.clone(), slot })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A household or a provider's customer has many addresses of version 6, but one network.
pub fn network(address: IpAddr) -> Place {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Closes the connection from there that has asked for nothing the longest; whether there was one.
fn close_idle(table: &mut Table, from: Place) -> bool {
    let Some(same) = table.by.get(&from) else { return false };
    let idle = same.iter().filter(|slot| slot.answering.load(Ordering::Relaxed) == 0);
    let Some(oldest) = idle.min_by_key(|slot| slot.active_at.load(Ordering::Relaxed)).cloned() else {
        return false;
    };
    remove(table, &oldest);
    oldest.closed.store(true, Ordering::Release);
    oldest.waker.wake();
    true
}

fn remove(table: &mut Table, slot: &Slot) {
    if let Some(same) = table.by.get_mut(&slot.from)
        && let Some(place) = same.iter().position(|other| other.id == slot.id)
    {
        same.swap_remove(place);
        table.all -= 1;
        if same.is_empty() {
            table.by.remove(&slot.from);
        }
    }
}

/// A connection's place. It is free again when this is dropped.
#[derive(Debug)]
struct Held {
    limits: Limits,
    slot: Arc<Slot>,
}

impl Held {
    fn note(&self) {
        self.slot.active_at.store(self.limits.now(), Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut table = self.limits.0.table.lock().unwrap_or_else(PoisonError::into_inner);
        remove(&mut table, &self.slot);
    }
}

/// A connection that ends when it has to make room.
#[derive(Debug)]
pub struct Counted {
    stream: TcpStream,
    held: Held,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.held.slot.waker.register(cx.waker());
        if self.held.slot.closed.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf));
        self.held.note();
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs));
        self.held.note();
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// What answers a connection's requests, and says when it does.
#[derive(Clone, Debug)]
pub struct Answering<S> {
    inner: S,
    slot: Arc<Slot>,
}

/// The connection that a request came by.
#[derive(Clone, Debug)]
pub struct Connection(Arc<Slot>);

impl Connection {
    /// Says that a request of it is whole and is being answered: it makes no room until this is dropped.
    pub fn answering(&self) -> Underway {
        self.0.answering.fetch_add(1, Ordering::Relaxed);
        Underway(Arc::clone(&self.0))
    }
}

/// A request that is being answered, until this is dropped.
#[derive(Debug)]
pub struct Underway(Arc<Slot>);

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<B: Body, S: Service<Request<B>, Future: Send + 'static>> Service<Request<B>> for Answering<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let connection = Connection(Arc::clone(&self.slot));
        // One with a body is whole once that was read (`auth::body`); until then it may be one that never comes.
        let underway = request.body().is_end_stream().then(|| connection.answering());
        request.extensions_mut().insert(connection);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let _underway = underway;
            answer.await
        })
    }
}

impl<S> Accept<TcpStream, S> for Limits {
    type Stream = Counted;
    type Service = Answering<S>;
    type Future = std::future::Ready<io::Result<(Counted, Answering<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = stream.peer_addr().and_then(|address| {
            let held = self.take(address.ip()).ok_or(io::ErrorKind::ConnectionRefused)?;
            let service = Answering { inner: service, slot: Arc::clone(&held.slot) };
            Ok((Counted { stream, held }, service))
        });
        std::future::ready(accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: u8) -> IpAddr {
        IpAddr::from([203, 0, 113, last])
    }

    fn is_open(held: &Held) -> bool {
        !held.slot.closed.load(Ordering::Acquire)
    }

    #[test]
    fn who_asks_for_nothing_makes_room() {
        let limits = Limits::of(10, 4);
        let silent: Vec<Held> = (0..4).map(|_| limits.take(at(1)).unwrap()).collect();
        for (n, one) in silent.iter().enumerate() {
            one.slot.active_at.store(n as u64, Ordering::Relaxed);
        }
        silent[0].slot.answering.store(1, Ordering::Relaxed);
        let honest = limits.take(at(1)).unwrap();
        assert!(is_open(&honest) && is_open(&silent[0]), "what is being answered is not cut off");
        assert_eq!(silent.iter().map(is_open).collect::<Vec<_>>(), [true, false, true, true]);
        // Others keep theirs, up to the limit in all, where whoever has the most gives way.
        let others: Vec<Held> = (2..8).map(|last| limits.take(at(last)).unwrap()).collect();
        assert!(others.iter().all(is_open));
        let one_more = limits.take(at(9)).unwrap();
        assert!(is_open(&one_more) && others.iter().all(is_open));
        drop((silent, honest, others, one_more));
        let table = limits.0.table.lock().unwrap();
        assert!(table.all == 0 && table.by.is_empty());
    }

    #[test]
    fn nothing_makes_room_where_everything_is_being_answered() {
        let limits = Limits::of(10, 2);
        let busy: Vec<Held> = (0..2).map(|_| limits.take(at(1)).unwrap()).collect();
        busy.iter().for_each(|held| held.slot.answering.store(1, Ordering::Relaxed));
        assert!(limits.take(at(1)).is_none());
        assert!(limits.take(at(2)).is_some(), "another address has its own");
    }

    #[test]
    fn a_network_of_version_six_is_one_place() {
        let network_of = |text: &str| network(text.parse().unwrap());
        assert_eq!(network_of("2001:db8::1"), network_of("2001:db8::ffff"));
        assert_ne!(network_of("2001:db8::1"), network_of("2001:db8:0:1::1"));
        assert_eq!(network_of("::ffff:203.0.113.1"), at(1));
    }
}

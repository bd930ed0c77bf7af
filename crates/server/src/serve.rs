//! Serving: routes, headers, limits, TLS, and an end that lets nothing in hand fall.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::Response,
};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};
use stead_model::problem::Kind;
use tokio::net::{TcpListener, TcpSocket};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

use crate::{
    App, api, assets,
    auth::{
        self,
        guard::{Need, Routes},
    },
    connections::{self, Limits},
    error::Refusal,
    gate::{door, peers},
    health, jobs, web,
};

/// How long a request's head may take, counted from the end of the one before: longer than devices are apart.
const HEAD: Duration = Duration::from_secs(75);

/// Connections that may wait to be taken. Linux allows as many as net.core.somaxconn, which is 4096 by itself.
const WAITING: u32 = 16_384;

/// Headers on every response. The policy lets pages load what comes from here and nothing else.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// Every route with what it needs.
pub fn routes(app: &Arc<App>) -> Routes {
    let routes = api::routes(web::routes(Routes::new(Arc::clone(app))));
    let routes = routes
        .get("/gate/auth", Need::Seal, door::unnamed)
        .get("/gate/auth/", Need::Seal, door::unnamed)
        .get("/gate/auth/{application}", Need::Seal, door::auth)
        .get("/gate/door/{application}", Need::Seal, door::door)
        .get("/gate/tunnels/{tunnel}/peers", Need::Seal, peers::get)
        .get("/.stead/{application}/start", Need::Seal, door::start)
        .get("/.stead/{application}/enter", Need::Seal, door::enter)
        .get("/.stead/{application}/refused", Need::Seal, door::refused);
    routes.get("/assets/{version}/{name}", Need::Nothing, assets::get).get(
        "/healthz",
        Need::Nothing,
        health::healthz,
    )
}

/// The whole of what is served.
pub fn router(app: Arc<App>) -> Router {
    let (router, _) = routes(&app).done();
    router
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), auth::same_site))
        .layer(middleware::from_fn(web::say_refusals))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(30)))
        // Outermost: what a fault or a time-out is answered with is guarded as any page.
        .layer(middleware::from_fn_with_state(Arc::clone(&app), headers))
        // Each route has its own (`auth::guard`).
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

async fn not_found(request: Request) -> Response {
    let page = !request.uri().path().starts_with("/api/");
    web::refused(Refusal::said(Kind::NotFound, "nothing-here"), page)
}

async fn wrong_method(request: Request) -> Response {
    let page = !request.uri().path().starts_with("/api/");
    web::refused(Refusal::said(Kind::WrongMethod, "wrong-method"), page)
}

async fn headers(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    // A proxy asks before every request, and shows no browser what it is told.
    let is_shown = !request.uri().path().starts_with("/gate/auth/");
    let mut response = next.run(request).await;
    for (name, value) in HEADERS.into_iter().filter(|_| is_shown) {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // RFC 6797: heard over TLS alone, so sent where browsers come by it.
    if is_shown && app.config.base_url.starts_with("https://") {
        let strict = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, strict);
    }
    let kept = response.headers_mut().entry(header::CACHE_CONTROL);
    kept.or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A handler that panics costs its own request and no other.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    web::refused(Refusal::said(Kind::Internal, "panicked"), false)
}

/// Where and how to listen.
#[derive(Debug)]
pub struct Listen {
    /// The address.
    pub address: SocketAddr,
    /// Certificate and key, both PEM.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whether something in front speaks TLS.
    pub behind_proxy: bool,
}

/// Listens, with room for a whole fleet that comes back at once: whom the system has no room for tries again after
/// one second, and then after two, four and eight.
fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // As the standard library does: a server that was just ended does not keep the next one out.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// Every stage of a connection has a deadline: a request's head, and a connection of HTTP/2 that answers no more. A body
/// has that of the whole request.
fn deadlines(builder: &mut Builder<TokioExecutor>) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD)
        .keep_alive_timeout(HEAD)
        .max_concurrent_streams(64)
        .max_header_list_size(32 * 1024);
}

/// Serves until `ended`, then finishes what is in hand. `ready` is told the address.
///
/// # Errors
/// When it cannot listen there, or should not.
pub async fn serve(
    app: Arc<App>,
    listen: Listen,
    ready: impl FnOnce(SocketAddr),
    ended: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    if !listen.address.ip().is_loopback() && listen.tls.is_none() && !listen.behind_proxy {
        bail!(
            "{} can be reached from other machines, and there is no TLS. Give --tls-cert and --tls-key, or --behind-proxy when something in front speaks TLS",
            listen.address
        );
    }
    let socket = bind(listen.address)
        .with_context(|| format!("{} cannot be listened on", listen.address))?
        .into_std()?;
    let address = socket.local_addr()?;
    let handle = Handle::new();
    let ending = handle.clone();
    tokio::spawn(async move {
        ended.await;
        ending.graceful_shutdown(Some(Duration::from_secs(5)));
    });
    tokio::spawn(jobs::run(Arc::downgrade(&app)));
    tokio::spawn(jobs::run_notices(Arc::downgrade(&app)));
    tokio::spawn(jobs::run_deliveries(Arc::downgrade(&app)));
    tokio::spawn(jobs::run_backups(Arc::downgrade(&app)));
    tokio::spawn(jobs::run_audits(Arc::downgrade(&app)));
    let service = router(Arc::clone(&app)).into_make_service_with_connect_info::<SocketAddr>();
    let limits = Limits::new(connections::descriptors(), listen.behind_proxy);
    ready(address);
    match listen.tls {
        None => {
            let mut server = axum_server::from_tcp(socket)?.handle(handle).acceptor(limits);
            deadlines(server.http_builder());
            server.serve(service).await?;
        }
        Some((certificate, key)) => {
            let config = RustlsConfig::from_pem_file(certificate, key)
                .await
                .context("certificate or key cannot be used")?;
            let mut server =
                axum_server::from_tcp_rustls(socket, config)?.handle(handle).map(|tls| tls.acceptor(limits));
            deadlines(server.http_builder());
            server.serve(service).await?;
        }
    }
    app.store.close().await;
    Ok(())
}

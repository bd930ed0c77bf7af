//! Between a proxy and an application: what was let in is cut when it is not let in any more.
//!
//! A proxy asks before a request, and then lets it run: a WebSocket or a long download would go on for hours. This
//! asks the gate again, each second, for as long as something runs, and ends it when the answer is not yes. What it
//! cannot ask about, it ends as well.
//!
//! In scope: HTTP/1.1 to one application. Out of scope: TLS, pages, and signing in, which are the proxy's and the
//! server's.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use anyhow::{Context as _, bail};
use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, uri::Authority},
    response::{IntoResponse, Response},
};
use hyper::{body::Frame, upgrade::OnUpgrade};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::time::{sleep, timeout};

use crate::gate::{certificate, door::PASS};

/// Between two questions about something that runs.
const EVERY: Duration = Duration::from_secs(1);
/// How long the gate may take to answer; beyond it, nobody is let in.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often in a row the gate may not answer for something that runs.
const MISSES: u32 = 3;

/// What the gate says of somebody, in the headers that the application is given.
const IDENTITY: [&str; 4] = ["stead-person", "stead-name", "stead-email", "stead-device"];

/// Headers that are for one connection and are not handed on (RFC 9110, 7.6.1).
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
];

const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// Between what and what.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The application's name at the gate.
    pub application: String,
    /// Where the gate is.
    pub gate: Authority,
    /// Where the application is.
    pub to: Authority,
}

/// Where something is, as in `http://127.0.0.1:3000`.
///
/// # Errors
/// When it is anything else than plain HTTP to a host.
pub fn place(text: &str) -> anyhow::Result<Authority> {
    let uri: Uri = text.parse().with_context(|| format!("{text} is no address"))?;
    match (uri.scheme_str(), uri.authority(), uri.path()) {
        (Some("http"), Some(authority), "/") => Ok(authority.clone()),
        _ => bail!("{text} cannot be used: write http://HOST:PORT; TLS is the proxy's"),
    }
}

type Http = Client<HttpConnector, Body>;

#[derive(Debug)]
struct Relay {
    settings: Settings,
    http: Http,
}

/// Relays until the program ends.
///
/// # Errors
/// When it cannot listen there.
pub async fn relay(address: SocketAddr, settings: Settings) -> anyhow::Result<()> {
    let http = Client::builder(TokioExecutor::new()).build_http();
    let relay = Arc::new(Relay { settings, http });
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("{address} cannot be listened on"))?;
    tracing::info!(address = %listener.local_addr()?, "ready");
    let router = Router::new().fallback(one).with_state(relay);
    Ok(axum::serve(listener, router).await?)
}

/// What the gate says.
enum Said {
    /// Yes, and who it is.
    In(HeaderMap),
    /// No.
    Out(StatusCode),
    /// Nothing.
    Nothing,
}

impl Relay {
    async fn ask(&self, carried: &HeaderMap) -> Said {
        let path = format!("http://{}/gate/auth/{}", self.settings.gate, self.settings.application);
        let mut question = Request::builder().uri(path).header(header::HOST, self.settings.gate.as_str());
        if let Some(headers) = question.headers_mut() {
            headers.extend(carried.clone());
        }
        let Ok(question) = question.body(Body::empty()) else { return Said::Nothing };
        match timeout(PATIENCE, self.http.request(question)).await {
            Ok(Ok(answer)) if answer.status() == StatusCode::NO_CONTENT => Said::In(answer.headers().clone()),
            Ok(Ok(answer)) if answer.status().is_client_error() => Said::Out(answer.status()),
            Ok(_) | Err(_) => Said::Nothing,
        }
    }

    /// Comes when what runs for somebody is not let in any more.
    async fn over(self: Arc<Self>, carried: HeaderMap) {
        let mut misses = 0;
        loop {
            sleep(EVERY).await;
            misses = match self.ask(&carried).await {
                Said::In(_) => 0,
                Said::Out(_) => break,
                Said::Nothing if misses + 1 == MISSES => break,
                Said::Nothing => misses + 1,
            };
        }
        tracing::info!(application = self.settings.application, "something that ran was cut");
    }
}

async fn one(State(relay): State<Arc<Relay>>, request: Request) -> Response {
    // What the gate decides by: the pass, and with which certificate the proxy says that the connection was made.
    let mut carried = HeaderMap::new();
    for name in [header::COOKIE, certificate::HEADER] {
        for value in request.headers().get_all(&name) {
            carried.append(&name, value.clone());
        }
    }
    let identity = match relay.ask(&carried).await {
        Said::In(headers) => headers,
        Said::Out(status) => return status.into_response(),
        Said::Nothing => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    let mut request = match handed_on(request, &relay.settings, &identity) {
        Ok(request) => request,
        Err(status) => return status.into_response(),
    };
    let theirs = request.extensions_mut().remove::<OnUpgrade>();
    let mut over: Over = Box::pin(Arc::clone(&relay).over(carried));
    let answer = tokio::select! {
        answer = relay.http.request(request) => answer,
        () = &mut over => return StatusCode::FORBIDDEN.into_response(),
    };
    let Ok(mut answer) = answer else { return StatusCode::BAD_GATEWAY.into_response() };
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        let Some(theirs) = theirs else { return StatusCode::BAD_GATEWAY.into_response() };
        let ours = hyper::upgrade::on(&mut answer);
        tokio::spawn(both_ways(theirs, ours, over));
        return answer.map(|_| Body::empty());
    }
    answer.headers_mut().remove(header::CONNECTION);
    answer.map(|body| Body::new(Cut { body: Body::new(body), over, is_over: false }))
}

/// The request as the application gets it: who it is comes from the gate, and the pass stays here.
fn handed_on(request: Request, settings: &Settings, identity: &HeaderMap) -> Result<Request, StatusCode> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = format!("http://{}{path}", settings.to).parse().map_err(|_| StatusCode::BAD_REQUEST)?;
    // Any other would let them speak to the application past this.
    let upgrade = is_upgrade(&parts.headers).then(|| HeaderValue::from_static("websocket"));
    // What is listed as being for this connection alone is dropped, before anything is set.
    let listed: Vec<HeaderName> = parts
        .headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in listed.iter().chain(&HOP_BY_HOP).chain([&header::UPGRADE, &HTTP2_SETTINGS]) {
        // Who asks for what host is what the proxy says, whatever a browser lists.
        if name != header::HOST && name != header::COOKIE {
            parts.headers.remove(name);
        }
    }
    let of_gate =
        |name: &HeaderName| name.as_str().starts_with("stead-") || name.as_str().starts_with("stead_");
    let said: Vec<HeaderName> = parts.headers.keys().filter(|name| of_gate(name)).cloned().collect();
    for name in said {
        parts.headers.remove(name);
    }
    for name in IDENTITY {
        if let Some(value) = identity.get(name) {
            parts.headers.insert(HeaderName::from_static(name), value.clone());
        }
    }
    let cookies: Vec<HeaderValue> =
        parts.headers.get_all(header::COOKIE).iter().filter_map(without_pass).collect();
    parts.headers.remove(header::COOKIE);
    for value in cookies {
        parts.headers.append(header::COOKIE, value);
    }
    if let Some(upgrade) = upgrade {
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        parts.headers.insert(header::UPGRADE, upgrade);
    }
    Ok(Request::from_parts(parts, body))
}

/// Whether this asks for a WebSocket, and for nothing else.
fn is_upgrade(headers: &HeaderMap) -> bool {
    let upgrade: Vec<&HeaderValue> = headers.get_all(header::UPGRADE).iter().collect();
    let websocket = matches!(upgrade.as_slice(), [one] if one.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let connection = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    websocket
        && connection
            .flat_map(|value| value.split(','))
            .any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
}

/// Cookies without the gate's own; none where nothing is left.
fn without_pass(value: &HeaderValue) -> Option<HeaderValue> {
    let others = value.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let left = others.filter(|one| !one.starts_with(PASS.as_bytes())).collect::<Vec<_>>().join(&b"; "[..]);
    if left.is_empty() { None } else { HeaderValue::from_bytes(&left).ok() }
}

async fn both_ways(theirs: OnUpgrade, ours: OnUpgrade, over: Over) {
    let (Ok(theirs), Ok(ours)) = (theirs.await, ours.await) else { return };
    let (mut theirs, mut ours) = (TokioIo::new(theirs), TokioIo::new(ours));
    tokio::select! {
        // However it ends, both ends are closed.
        _ = tokio::io::copy_bidirectional(&mut theirs, &mut ours) => {}
        () = over => {}
    }
}

type Over = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A body that breaks off when it is over.
struct Cut {
    body: Body,
    over: Over,
    is_over: bool,
}

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.is_over && self.over.as_mut().poll(context).is_ready() {
            self.is_over = true;
        }
        match self.is_over {
            // An error, not an end: whoever reads must not take it for the whole.
            true => Poll::Ready(Some(Err(axum::Error::new("not let in any more")))),
            false => Pin::new(&mut self.body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        !self.is_over && self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            application: "records".to_owned(),
            gate: place("http://127.0.0.1:8787").unwrap(),
            to: place("http://127.0.0.1:3000").unwrap(),
        }
    }

    fn got(headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().uri("/pay?month=3");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let identity = HeaderMap::from_iter([(
            HeaderName::from_static("stead-person"),
            HeaderValue::from_static("sam"),
        )]);
        handed_on(request.body(Body::empty()).unwrap(), &settings(), &identity).unwrap()
    }

    #[test]
    fn places_are_plain_hosts() {
        assert_eq!(place("http://127.0.0.1:3000/").unwrap().as_str(), "127.0.0.1:3000");
        for text in ["https://127.0.0.1", "127.0.0.1:3000", "http://127.0.0.1/path", "", "http://"] {
            assert!(place(text).is_err(), "{text}");
        }
    }

    #[test]
    fn who_it_is_comes_from_the_gate_and_the_pass_stays_here() {
        let pass = format!("{PASS}=x");
        let cookies = format!("a=1; {pass}; b=2");
        let request = got(&[
            ("host", "records.example.org"),
            ("stead-person", "somebody"),
            ("stead_device", "another"),
            ("Stead-Later", "x"),
            ("cookie", &cookies),
            ("cookie", &pass),
            ("connection", "close, stead-person, x-own, host"),
            ("x-own", "1"),
            ("transfer-encoding", "chunked"),
        ]);
        assert_eq!(request.uri(), "http://127.0.0.1:3000/pay?month=3");
        let headers: Vec<(&str, &str)> =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(
            headers,
            [("host", "records.example.org"), ("stead-person", "sam"), ("cookie", "a=1; b=2")]
        );
    }

    #[test]
    fn an_upgrade_is_handed_on_where_it_is_asked_for() {
        let asked = got(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")]);
        assert_eq!(
            (&asked.headers()["connection"], &asked.headers()["upgrade"]),
            (&HeaderValue::from_static("upgrade"), &HeaderValue::from_static("websocket"))
        );
        for not in [
            vec![("upgrade", "websocket")],
            vec![("connection", "upgrade, http2-settings"), ("upgrade", "h2c"), ("http2-settings", "x")],
            vec![("connection", "upgrade"), ("upgrade", "websocket"), ("upgrade", "h2c")],
            vec![("connection", "upgrade"), ("upgrade", "websocket, h2c")],
        ] {
            let not = got(&not);
            assert!(!not.headers().contains_key("http2-settings"));
            assert!(not.headers().get("upgrade").is_none() && not.headers().get("connection").is_none());
        }
    }
}

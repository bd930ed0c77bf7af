//! The whole server in a test value, with a clock of the test's own.
#![expect(dead_code, reason = "each test file uses another part of it")]

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, header},
};
use stead_model::{
    DeviceId, Employment, Millis, PersonId, Role, UnitId,
    message::Enrolled,
    time::{HOUR, MINUTE},
};
use stead_server::{
    App, Config, audit,
    flows::{
        check_in,
        directory::{self, Told, roles, units},
        enrol,
        sign_in::{self, links, token},
    },
    serve,
    source::{Clock, SystemRandomness},
};
use stead_store::{Store, session::LinkKind};
use stead_testkit::{
    SimDevice,
    device::{good_facts_at, text},
};
use tower::ServiceExt;

/// A clock that stands still until it is moved.
pub struct Hands(pub AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

/// A server.
pub struct TestServer {
    pub app: Arc<App>,
    pub hands: Arc<Hands>,
    pub router: Router,
    url: String,
    _folder: tempfile::TempDir,
}

/// An answer.
pub struct Reply {
    pub status: u16,
    pub location: String,
    pub cookies: Vec<String>,
    pub tag: String,
    pub replayed: bool,
    /// Whether the page is to be asked for again.
    pub again: bool,
    pub body: String,
    /// What it says of TLS.
    pub strict: String,
}

impl Reply {
    /// Its body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The session that it begins.
    pub fn session(&self) -> String {
        let set = self.cookies.iter().find_map(|cookie| cookie.strip_prefix("__Host-stead="));
        set.and_then(|rest| rest.split(';').next()).unwrap_or_default().to_owned()
    }

    /// The value of a cookie that it sets.
    pub fn cookie(&self, name: &str) -> String {
        let start = format!("{name}=");
        let set = self.cookies.iter().find_map(|cookie| cookie.strip_prefix(&start));
        set.and_then(|rest| rest.split(';').next()).unwrap_or_default().to_owned()
    }
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    pub async fn start_with(config: Config) -> Self {
        Self::open(None, config).await
    }

    /// With the shipped policy, its manifest changed.
    pub async fn start_with_manifest(change: impl Fn(&str) -> String) -> Self {
        let mut files = stead_policy::shipped::remote_work();
        let manifest = change(&files["pack.toml"]);
        files.insert("pack.toml".to_owned(), manifest);
        Self::open(Some(files), Config::default()).await
    }

    async fn open(files: Option<stead_policy::pack::Files>, config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hands = Arc::new(Hands(AtomicI64::new(1_795_000_000_000)));
        let sources = (Arc::clone(&hands) as Arc<dyn Clock>, Arc::new(SystemRandomness) as _);
        let app = App::open(folder.path(), None, files.as_ref(), config, sources).await.unwrap();
        let router = serve::router(Arc::clone(&app));
        let url = stead_store::sqlite_url(&folder.path().join("stead.db"));
        Self { app, hands, router, url, _folder: folder }
    }

    /// What an audit of the whole database says: no row that an entry doesn't account for, and none that is missing.
    pub async fn is_whole(&self) {
        let snapshot = Store::snapshot(&self.url).await.unwrap();
        let found = audit::database(&snapshot, self.app.keys.ledger.public(), None).await.unwrap();
        assert!(found.is_ok(), "{found:?}");
    }

    pub fn pass(&self, millis: i64) {
        self.hands.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Adds a unit below another.
    pub async fn unit(&self, name: &str, parent: UnitId) -> UnitId {
        units::add(&self.app, name, parent, "test").await.unwrap()
    }

    /// Adds somebody who works in a unit.
    pub async fn person(&self, name: &str, unit: UnitId) -> PersonId {
        let told = Told {
            name: name.to_owned(),
            email: format!("{}@stead.example", name.to_lowercase().replace(' ', ".")),
            unit: Some(unit),
            ..Told::default()
        };
        let id = directory::add(&self.app, &told, "test").await.unwrap();
        directory::set_state(&self.app, id, Employment::Active, None, "test").await.unwrap();
        id
    }

    pub async fn give(&self, person: PersonId, role: Role, unit: UnitId) {
        roles::give(&self.app, person, role, unit, "test").await.unwrap();
    }

    /// Enrols a device that has reported that all is well.
    pub async fn device(&self, person: PersonId, seed: u8) -> DeviceId {
        self.sim_device(person, seed).await.id
    }

    /// The same, to go on with.
    pub async fn sim_device(&self, person: PersonId, seed: u8) -> SimDevice {
        let now = self.app.now();
        let code = enrol::give_code(&self.app, person, "organisation", HOUR, "test").await.unwrap();
        let (_, envelope) = SimDevice::enrolment([seed; 32], &code, &format!("laptop-{seed}"), now);
        let enrolled: Enrolled = enrol::enrol(&self.app, &envelope).await.unwrap();
        let mut device = SimDevice::with_identity([seed; 32], enrolled);
        let report = device.report(&good_facts_at(now), now);
        check_in::check_in(&self.app, &text(&report)).await.unwrap();
        device
    }

    /// Signs somebody in by a link; the session.
    pub async fn sign_in(&self, person: PersonId) -> String {
        let link = links::make(&self.app, person, LinkKind::SignIn, "test").await.unwrap();
        links::take(&self.app, &link, "test").await.unwrap().0.secret
    }

    pub async fn get(&self, path: &str, session: &str) -> Reply {
        self.send("GET", path, &cookie(session), "").await
    }

    pub async fn post(&self, path: &str, session: &str, form: &str) -> Reply {
        self.send("POST", path, &cookie(session), form).await
    }

    /// Sends a form with any text in its fields.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)], session: &str) -> Reply {
        let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let fields: Vec<String> =
            fields.iter().map(|(name, text)| format!("{}={}", encoded(name), encoded(text))).collect();
        self.post(path, session, &fields.join("&")).await
    }

    /// Sends a request with these cookies.
    pub async fn send(&self, method: &str, path: &str, cookies: &str, form: &str) -> Reply {
        let headers = [("cookie", cookies), ("content-type", "application/x-www-form-urlencoded")];
        self.send_with(method, path, &headers, form).await
    }

    /// Asks the API with a token and these headers.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let bearer = format!("Bearer {token}");
        let all = [headers, &[("authorization", &bearer), ("content-type", "application/json")]].concat();
        self.send_with(method, path, &all, body).await
    }

    /// A token of somebody's that is good for these.
    pub async fn token(&self, person: PersonId, scopes: &[&str]) -> String {
        let session = self.sign_in(person).await;
        let who = sign_in::session(&self.app, &session).await.unwrap().unwrap();
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        token::make(&self.app, &who, "test", &scopes, 30).await.unwrap()
    }

    /// Sends a request with these headers.
    pub async fn send_with(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost:8787");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (response, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let text = |name: header::HeaderName| -> Vec<String> {
            let all = response.headers.get_all(name).iter();
            all.map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        let (cookies, location) = (text(header::SET_COOKIE), text(header::LOCATION));
        let tag = text(header::ETAG).into_iter().next().unwrap_or_default();
        let strict = text(header::STRICT_TRANSPORT_SECURITY).into_iter().next().unwrap_or_default();
        let replayed = response.headers.contains_key("idempotency-replayed");
        let again = response.headers.contains_key("hx-refresh");
        let status = response.status.as_u16();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Reply {
            status,
            location: location.into_iter().next().unwrap_or_default(),
            cookies,
            tag,
            replayed,
            again,
            body: String::from_utf8_lossy(&body).into_owned(),
            strict,
        }
    }
}

/// The session's cookie.
pub fn cookie(session: &str) -> String {
    format!("__Host-stead={session}")
}

/// Minutes, for tests that let time pass.
pub const fn minutes(n: i64) -> i64 {
    n * MINUTE
}

/// What the directory is told to leave somebody as they are.
pub async fn of(app: &App, person: PersonId) -> Told {
    let person = app.store.person(person).await.unwrap().unwrap();
    Told {
        name: person.name,
        email: person.email.unwrap_or_default(),
        staff_number: person.staff_number.unwrap_or_default(),
        unit: Some(person.unit),
        manager: person.manager,
    }
}

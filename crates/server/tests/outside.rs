//! Signing in elsewhere: no identity that isn't exactly what the issuer signed for this attempt lets anybody in (C4).
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::State, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use stead_model::{
    UnitId,
    seal::{Seed, SigningKey},
};
use stead_server::{Config, flows::sign_in::outside};
use support::{Reply, TestServer};

/// What the issuer answers with next, in place of an identity.
type Next = Arc<Mutex<Value>>;

/// An issuer of identities whose key is made from a seed.
struct Issuer {
    address: String,
    key: SigningKey,
    next: Next,
}

impl Issuer {
    async fn start() -> Self {
        let key = SigningKey::from_seed(&Seed::new([9; 32])).unwrap();
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", socket.local_addr().unwrap());
        let published = json!({
            "issuer": address,
            "authorization_endpoint": format!("{address}/authorize"),
            "token_endpoint": format!("{address}/token"),
            "jwks_uri": format!("{address}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
        });
        let keys = json!({ "keys": [
            { "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": "one", "x": BASE64.encode(key.public()) },
        ] });
        let next: Next = Arc::default();
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(async move || Json(published.clone())))
            .route("/jwks", get(async move || Json(keys.clone())))
            .route(
                "/token",
                axum::routing::post(async |State(next): State<Next>| Json(next.lock().unwrap().clone())),
            )
            .with_state(Arc::clone(&next));
        tokio::spawn(async move { axum::serve(socket, router).await });
        Self { address, key, next }
    }

    fn signed(&self, head: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()));
        format!("{text}.{}", BASE64.encode(self.key.sign(text.as_bytes())))
    }
}

/// A server that takes its identities, and an attempt to sign in: the browser's place, the state, the nonce.
struct Attempt {
    place: String,
    state: String,
    nonce: String,
}

async fn begin(s: &TestServer) -> Attempt {
    let sent = s.get("/sign-in/outside", "").await;
    let address = sent.location.clone();
    let given = |name: &str| {
        let rest = address.split(&format!("{name}=")).nth(1).unwrap();
        rest.split('&').next().unwrap().to_owned()
    };
    Attempt { place: sent.cookie("__Host-stead-place"), state: given("state"), nonce: given("nonce") }
}

async fn come_back(s: &TestServer, attempt: &Attempt) -> Reply {
    let path = format!("/sign-in/outside/back?code=c&state={}", attempt.state);
    s.send("GET", &path, &format!("__Host-stead-place={}", attempt.place), "").await
}

/// A change of what an issuer says.
type Change = Box<dyn Fn(&mut Value)>;

/// C4, S21: an identity that is changed in any way, old, of somebody else's client, or signed otherwise, signs nobody in.
#[tokio::test(flavor = "multi_thread")]
async fn c4_s21_no_changed_identity_signs_in() {
    let issuer = Issuer::start().await;
    let settings = outside::Settings {
        issuer: issuer.address.clone(),
        client: "stead".to_owned(),
        secret: Some("a secret of ours".to_owned().into()),
        name: "Elsewhere".to_owned(),
        adds_people: false,
    };
    let s = TestServer::start_with(Config { outside: Some(settings), ..Config::default() }).await;
    s.person("Sam Sample", UnitId::ORGANISATION).await;
    s.person("Kim Kelvin", UnitId::ORGANISATION).await;
    let now = s.app.now().0 / 1000;
    let head = json!({ "alg": "EdDSA", "typ": "JWT", "kid": "one" });
    let claims = |nonce: &str| {
        json!({
            "iss": issuer.address, "aud": "stead", "sub": "sam-1", "exp": 4_000_000_000i64, "iat": now, "nonce": nonce,
            "email": "sam.sample@stead.example", "email_verified": true,
        })
    };
    let tried = async |name: &str, token: Option<String>, attempt: &Attempt| {
        let mut answer = json!({ "access_token": "x", "token_type": "Bearer" });
        if let Some(token) = token {
            answer["id_token"] = token.into();
        }
        *issuer.next.lock().unwrap() = answer;
        let reply = come_back(&s, attempt).await;
        assert!(reply.status < 500, "{name}: {}", reply.status);
        reply.session()
    };
    let set = |name: &'static str, value: Value| move |claims: &mut Value| claims[name] = value.clone();
    let gone =
        |name: &'static str| move |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove(name));
    let changes: Vec<(&str, Change)> = vec![
        ("another client", Box::new(set("aud", json!("other")))),
        ("clients we don't know", Box::new(set("aud", json!(["stead", "other"])))),
        ("no client", Box::new(gone("aud"))),
        ("another issuer", Box::new(set("iss", json!("https://issuer.example")))),
        ("nearly the issuer", Box::new(set("iss", json!(format!("{}/", issuer.address))))),
        ("no issuer", Box::new(gone("iss"))),
        ("run out", Box::new(set("exp", json!(1_000_000_000i64)))),
        ("never runs out", Box::new(gone("exp"))),
        ("from the future", Box::new(set("iat", json!(now + 3600)))),
        ("from yesterday", Box::new(set("iat", json!(now - 86_400)))),
        ("of no time", Box::new(gone("iat"))),
        ("another attempt's", Box::new(set("nonce", json!("other")))),
        ("an empty attempt", Box::new(set("nonce", json!("")))),
        ("no attempt", Box::new(gone("nonce"))),
        ("nobody", Box::new(set("sub", json!("")))),
        ("a blank", Box::new(set("sub", json!("  ")))),
        ("no subject", Box::new(gone("sub"))),
        ("an address nobody checked", Box::new(set("email_verified", json!(false)))),
        ("an address of which nothing is said", Box::new(gone("email_verified"))),
        ("no address", Box::new(gone("email"))),
        ("a stranger", Box::new(set("email", json!("stranger@stead.example")))),
        // U+212A, whose lower case is a k of ASCII.
        (
            "a letter that looks like another",
            Box::new(set("email", json!("\u{212a}im.kelvin@stead.example"))),
        ),
    ];
    for (name, change) in &changes {
        let attempt = begin(&s).await;
        let mut claims = claims(&attempt.nonce);
        change(&mut claims);
        let token = issuer.signed(&head, &claims);
        assert!(tried(name, Some(token), &attempt).await.is_empty(), "{name}");
    }
    for (name, head) in [
        ("no algorithm", json!({ "alg": "none", "typ": "JWT" })),
        ("no algorithm, in capitals", json!({ "alg": "NONE", "typ": "JWT", "kid": "one" })),
        ("a secret's algorithm", json!({ "alg": "HS256", "typ": "JWT", "kid": "one" })),
        ("another algorithm", json!({ "alg": "RS256", "typ": "JWT", "kid": "one" })),
        ("another key", json!({ "alg": "EdDSA", "typ": "JWT", "kid": "two" })),
    ] {
        let attempt = begin(&s).await;
        let whole = issuer.signed(&head, &claims(&attempt.nonce));
        assert!(tried(name, Some(whole.clone()), &attempt).await.is_empty(), "{name}");
        let attempt = begin(&s).await;
        let whole = issuer.signed(&head, &claims(&attempt.nonce));
        let unsigned = format!("{}.", whole.rsplit_once('.').unwrap().0);
        assert!(tried(name, Some(unsigned), &attempt).await.is_empty(), "{name}, unsigned");
    }
    // One sign changed, anywhere.
    for place in 0..40usize {
        let attempt = begin(&s).await;
        let mut token = issuer.signed(&head, &claims(&attempt.nonce)).into_bytes();
        // The last sign of a part has bits that mean nothing.
        let at = (place * 13 + 3) % (token.len() - 2);
        if token[at] == b'.' || token.get(at + 1) == Some(&b'.') {
            continue;
        }
        token[at] = if token[at] == b'A' { b'B' } else { b'A' };
        let token = String::from_utf8(token).unwrap();
        assert!(tried("a changed sign", Some(token), &attempt).await.is_empty(), "{at}");
    }
    let attempt = begin(&s).await;
    assert!(tried("no identity", None, &attempt).await.is_empty());
    // The browser that began it, and once.
    let (one, two) = (begin(&s).await, begin(&s).await);
    let crossed = Attempt { place: one.place.clone(), state: two.state.clone(), nonce: one.nonce.clone() };
    let good = issuer.signed(&head, &claims(&one.nonce));
    assert!(tried("another browser's state", Some(good.clone()), &crossed).await.is_empty());
    assert!(tried("a place that was used", Some(good), &one).await.is_empty());
    // As it was meant to be.
    let good = issuer.signed(&head, &claims(&two.nonce));
    assert!(!tried("unchanged", Some(good.clone()), &two).await.is_empty());
    assert!(tried("again", Some(good), &two).await.is_empty());
    // Another account there with the same address is not the one that is linked (ASVS 10.5.2).
    let attempt = begin(&s).await;
    let mut claims = claims(&attempt.nonce);
    claims["sub"] = "sam-2".into();
    assert!(tried("another account", Some(issuer.signed(&head, &claims)), &attempt).await.is_empty());
    s.is_whole().await;
}

/// S21: an issuer that anybody on the way can be is none.
#[test]
fn s21_an_issuer_without_tls_is_refused() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for (issuer, good) in [
        ("https://issuer.example", true),
        ("http://127.0.0.1:9", true),
        ("http://issuer.example", false),
        ("ftp://issuer.example", false),
        ("issuer", false),
    ] {
        let settings = outside::Settings {
            issuer: issuer.to_owned(),
            client: "stead".to_owned(),
            secret: None,
            name: String::new(),
            adds_people: false,
        };
        assert_eq!(outside::Outside::new(settings).is_ok(), good, "{issuer}");
    }
}

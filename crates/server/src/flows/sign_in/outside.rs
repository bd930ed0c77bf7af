//! Signing in with an account elsewhere: OpenID Connect, the code flow with PKCE (RFC 7636). Who signs in
//! for the first time is known by their verified address, or written down where that is allowed.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use openidconnect::{
    AsyncHttpClient, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
    core::{CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use stead_model::{Employment, Millis, PersonId, UnitId, problem::Kind, text, time};
use stead_store::{Write, credential::Ceremony, people::Person};
use zeroize::Zeroizing;

use super::{Begun, Secret, begin, changed, password::Attempt, throttle::Of};
use crate::{
    App,
    auth::placing,
    error::Refusal,
    flows::{directory, entry, person_subject},
};

/// How long somebody may take on the other side.
const BACK_WITHIN: i64 = 15 * time::MINUTE;
/// How long what the issuer publishes of itself is believed without asking again.
const PUBLISHED_LASTS: i64 = time::HOUR;
/// Largest answer of an issuer, in bytes.
const LARGEST: usize = 512 * 1024;
/// How far the issuer's clock may be ahead.
const AHEAD: i64 = time::MINUTE;
/// How identities may be signed: by keys of which the issuer alone has the private half.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 10] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EcdsaP521Sha512,
    CoreJwsSigningAlgorithm::EdDsa,
];
/// The name of what a browser is in the middle of.
const KIND: &str = "outside";

/// What an operator sets for it.
#[derive(Clone)]
pub struct Settings {
    /// Who issues identities.
    pub issuer: String,
    /// What we are called there.
    pub client: String,
    /// Our secret there; none for a public client.
    pub secret: Option<Zeroizing<String>>,
    /// What people call it.
    pub name: String,
    /// Whether somebody who is not in the directory yet is written down at their first sign-in.
    pub adds_people: bool,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Settings({} as {})", self.issuer, self.client)
    }
}

/// The issuer, as far as it is known.
pub struct Outside {
    /// What the operator set.
    pub settings: Settings,
    http: Http,
    published: Mutex<Option<(Millis, CoreProviderMetadata)>>,
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outside({:?})", self.settings)
    }
}

impl Outside {
    /// Takes what the operator set. Nothing is asked of the issuer before somebody signs in.
    ///
    /// # Errors
    /// When no connections can be made at all.
    pub fn new(settings: Settings) -> anyhow::Result<Self> {
        let issuer = reqwest::Url::parse(&settings.issuer).context("--oidc-issuer is no address")?;
        let here = issuer.host_str().is_some_and(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host));
        anyhow::ensure!(
            issuer.scheme() == "https" || (issuer.scheme() == "http" && here),
            "--oidc-issuer {} isn't https. Who signs in would be whoever is on the way says; name an issuer with TLS",
            settings.issuer
        );
        let http = reqwest::Client::builder()
            // What leads elsewhere is not what the operator named.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self { settings, http: Http(http), published: Mutex::new(None) })
    }

    /// Reads what the issuer publishes, as a sign-in would.
    ///
    /// # Errors
    /// Why no sign-in would succeed.
    pub async fn try_out(&self, now: Millis) -> Result<(), String> {
        let metadata = self.published(now).await.map_err(|_| "it can't be reached".to_owned())?;
        let offered = metadata.id_token_signing_alg_values_supported();
        match offered.iter().any(|offered| ALGORITHMS.contains(offered)) {
            true => Ok(()),
            false => Err("it signs identities with none of the algorithms that we take".to_owned()),
        }
    }

    async fn published(&self, now: Millis) -> Result<CoreProviderMetadata, Refusal> {
        let kept = self.published.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, metadata)) = kept
            && (0..PUBLISHED_LASTS).contains(&now.since(at))
        {
            return Ok(metadata);
        }
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(away)?;
        let metadata = CoreProviderMetadata::discover_async(issuer, &self.http).await.map_err(away)?;
        *self.published.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, metadata.clone()));
        Ok(metadata)
    }
}

/// Connections to the issuer, as the library wants them.
#[derive(Clone)]
struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Self::Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        let http = self.0.clone();
        Box::pin(ask(http, request))
    }
}

async fn ask(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, std::io::Error> {
    let other = std::io::Error::other::<reqwest::Error>;
    let mut response = http.execute(request.try_into().map_err(other)?).await.map_err(other)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(other)? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(std::io::Error::other("the answer is too large"));
        }
    }
    let mut answer = HttpResponse::new(body);
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    Ok(answer)
}

/// What must be remembered while somebody is on the other side.
#[derive(Serialize, Deserialize)]
struct Underway {
    state: String,
    nonce: String,
    verifier: String,
    to: String,
}

/// Where the browser is sent, and the secret of its place.
#[derive(Debug)]
pub struct Sent {
    /// The issuer's address.
    pub address: String,
    /// The secret of the browser's place.
    pub place: String,
}

/// Sends somebody to the issuer. `to` is where they go on to afterwards.
///
/// # Errors
/// [`Refusal`] when it is not set up, the issuer or the store is away.
pub async fn send(app: &App, to: &str, attempt: &Attempt) -> Result<Sent, Refusal> {
    let now = app.now();
    if let Some(address) = attempt.address {
        app.throttle.take(Of::Address(address), now).map_err(super::password::slow_down)?;
    }
    let outside = set_up(app)?;
    let metadata = outside.published(now).await?;
    let client = CoreClient::from_provider_metadata(
        metadata,
        ClientId::new(outside.settings.client.clone()),
        outside.settings.secret.as_ref().map(|secret| ClientSecret::new(secret.to_string())),
    )
    .set_redirect_uri(back(app)?);
    let place = Secret::make(app)?;
    let underway = Underway {
        state: Secret::make(app)?,
        nonce: Secret::make(app)?,
        verifier: Secret::make(app)?,
        to: to.to_owned(),
    };
    let challenge =
        PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(underway.verifier.clone()));
    let (state, nonce) = (CsrfToken::new(underway.state.clone()), Nonce::new(underway.nonce.clone()));
    let (address, _, _) = client
        .authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            move || state,
            move || nonce,
        )
        .add_scope(Scope::new("email".to_owned()))
        .add_scope(Scope::new("profile".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let state = serde_json::to_string(&underway).map_err(stead_store::StoreError::from)?;
    let ceremony = Ceremony { kind: KIND.to_owned(), person: None, state };
    let mut write = app.store.write().await?;
    write.add_ceremony(&Secret::Ceremony.digest(&place), &ceremony, now, now.plus(BACK_WITHIN)).await?;
    write.commit(&app.keys.ledger).await?;
    Ok(Sent { address: address.to_string(), place })
}

/// Signs in whoever came back; the session, and where they go on to.
///
/// # Errors
/// [`Refusal`] when what came back does not fit what was sent, the issuer does not confirm it, nobody here
/// is meant, or the store is away.
pub async fn take(
    app: &App,
    place: &str,
    (code, state): (&str, &str),
    attempt: &Attempt,
) -> Result<(Begun, String), Refusal> {
    let now = app.now();
    let outside = set_up(app)?;
    if let Some(address) = attempt.address {
        app.throttle.take(Of::Address(address), now).map_err(super::password::slow_down)?;
    }
    let again = || Refusal::said(Kind::SignInFailed, "sign-in-begin-again");
    let mut write = app.store.write().await?;
    let ceremony =
        write.take_ceremony(&Secret::Ceremony.digest(place), KIND, now).await?.ok_or_else(again)?;
    // Used up whatever comes of it; and the issuer is asked with no transaction open.
    write.commit(&app.keys.ledger).await?;
    let underway: Underway = serde_json::from_str(&ceremony.state).map_err(stead_store::StoreError::from)?;
    if verify_slices_are_equal(underway.state.as_bytes(), state.as_bytes()).is_err() {
        return Err(again());
    }
    let known = confirmed(app, outside, code, &underway).await?;
    let mut write = app.store.write().await?;
    let person = person(app, &mut write, outside, &known).await?;
    let begun = begin(app, &mut write, &person, "outside", &attempt.browser).await?;
    write.commit(&app.keys.ledger).await?;
    Ok((begun, underway.to))
}

/// What the issuer says of whoever came back.
struct Known {
    issuer: String,
    subject: String,
    email: Option<String>,
    name: Option<String>,
}

async fn confirmed(app: &App, outside: &Outside, code: &str, underway: &Underway) -> Result<Known, Refusal> {
    let metadata = outside.published(app.now()).await?;
    let client = CoreClient::from_provider_metadata(
        metadata,
        ClientId::new(outside.settings.client.clone()),
        outside.settings.secret.as_ref().map(|secret| ClientSecret::new(secret.to_string())),
    )
    .set_redirect_uri(back(app)?);
    let wrong = |error: &dyn std::fmt::Display| {
        tracing::info!(%error, "a sign-in elsewhere was not confirmed");
        Refusal::said(Kind::SignInFailed, "outside-not-confirmed")
    };
    let tokens = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .map_err(|error| wrong(&error))?
        .set_pkce_verifier(PkceCodeVerifier::new(underway.verifier.clone()))
        .request_async(&outside.http)
        .await
        .map_err(|error| wrong(&error))?;
    let token = tokens.id_token().ok_or_else(|| wrong(&"no identity was given"))?;
    let now = app.now();
    let verifier =
        client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_issue_time_verifier_fn(move |at| {
            let at = Millis(at.timestamp_millis());
            match at.since(now) > AHEAD || now.since(at) > BACK_WITHIN {
                true => Err("it was issued at another time".to_owned()),
                false => Ok(()),
            }
        });
    let claims =
        token.claims(&verifier, &Nonce::new(underway.nonce.clone())).map_err(|error| wrong(&error))?;
    if claims.subject().trim().is_empty() {
        return Err(wrong(&"it names nobody"));
    }
    let verified = claims.email_verified().unwrap_or(false);
    Ok(Known {
        issuer: claims.issuer().to_string(),
        subject: claims.subject().to_string(),
        // In ASCII alone: other letters have lower cases that are letters of ASCII, and another's address.
        email: claims.email().filter(|_| verified).map(|email| email.to_ascii_lowercase()),
        name: claims.name().and_then(|name| name.get(None)).map(|name| text::plain(name.trim(), 100)),
    })
}

/// The person whom the issuer means: as linked before, else by verified address, else new.
async fn person(app: &App, write: &mut Write, outside: &Outside, known: &Known) -> Result<Person, Refusal> {
    let now = app.now();
    let stranger = || Refusal::said(Kind::SignInFailed, "outside-unknown");
    if let Some(id) = write.by_outside_identity(&known.issuer, &known.subject).await? {
        return write.person(id).await?.ok_or_else(stranger);
    }
    let email =
        known.email.as_deref().ok_or_else(|| Refusal::said(Kind::SignInFailed, "outside-no-email"))?;
    let found = write.person_by_address_or_number(Some(email), None).await?.into_iter().next();
    let mut person = match found {
        // An address that the issuer gave to another account is no way into the record of whoever had it.
        Some(person) if write.has_outside_identity(person.id, &known.issuer).await? => {
            return Err(Refusal::said(Kind::SignInFailed, "outside-another"));
        }
        Some(person) => person,
        None if outside.settings.adds_people
            && directory::is_address(email)
            // The machine's operator adds whoever the policy names.
            && !write.is_trusted(&placing::stranger(email, UnitId::ORGANISATION, now)).await? =>
        {
            let id = PersonId::from_parts(now, app.random()?);
            let name = known.name.clone().filter(|name| !name.is_empty());
            let name = name.unwrap_or_else(|| text::plain(email, 100));
            let mut person = Person::new(id, name, UnitId::ORGANISATION, Employment::Active, now);
            person.email = Some(email.to_owned());
            write.add_person(&person).await?;
            let record = directory::commit_to(app, write, &person).await?;
            let data = json!({ "unit": person.unit, "manager": null, "state": "active", "record": record });
            write.append(&entry(now, "sign-in", "person.added", person_subject(id), data))?;
            person
        }
        None => return Err(stranger()),
    };
    if person.state == Employment::Invited {
        person.state = Employment::Active;
        person.state_since = now;
        write.put_person(&person).await?;
        let data = json!({ "from": "invited", "to": "active" });
        let subject = person_subject(person.id);
        write.append(&entry(now, &subject, "person.state", subject.clone(), data))?;
    }
    write.add_outside_identity(&known.issuer, &known.subject, person.id, now).await?;
    changed(now, write, person.id, "outside-identity.added", json!({ "issuer": known.issuer }))?;
    Ok(person)
}

fn set_up(app: &App) -> Result<&Outside, Refusal> {
    app.outside.as_ref().ok_or_else(|| Refusal::said(Kind::NotFound, "nothing-here"))
}

fn back(app: &App) -> Result<RedirectUrl, Refusal> {
    RedirectUrl::new(format!("{}/sign-in/outside/back", app.config.base_url.trim_end_matches('/')))
        .map_err(away)
}

fn away(error: impl std::fmt::Display) -> Refusal {
    tracing::warn!(%error, "the issuer of identities is away");
    Refusal::said(Kind::Unavailable, "outside-away")
}

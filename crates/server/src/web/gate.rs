//! The gate's own pages: the way in to an application, asking this computer who it is, and why somebody is not let
//! in, with the way to be.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use stead_model::{DeviceId, Millis, PersonId, Role, Subject};
use stead_store::{device::Device, finding::StoredFinding};

use super::{Base, Page, Reader, encode, markdown, nothing_here, page, parts};
use crate::{
    App, auth,
    clearance::{Open, Window},
    gate::{
        apps::Application,
        decide::{self, Why},
        door,
        proof::{Certified, OnDevice, SHORT, Ticket, Unfit},
        showing,
    },
    words::Words,
};

/// On which device a browser was shown to run.
const DEVICE: &str = "__Host-stead-device";
/// That this computer was asked, and where to go on once it has answered.
const ASKED: &str = "__Host-stead-asked";

/// What comes with the way in.
#[derive(Debug, Default, Deserialize)]
pub struct Entering {
    #[serde(default)]
    begun: String,
    /// On which device the browser's connection was made, as the gate has marked it.
    #[serde(default)]
    on: Option<String>,
    #[serde(default)]
    to: String,
}

fn application<'a>(app: &'a App, name: &str) -> Result<&'a Application, super::PageError> {
    app.gate.settings.application(name).ok_or_else(|| nothing_here("application"))
}

/// On which device a browser was shown to run, and for which session, by the mark that it carries.
pub(super) fn marked(app: &App, headers: &HeaderMap) -> Option<OnDevice> {
    let text = auth::cookie(headers, DEVICE)?;
    OnDevice::read(&app.keys.sealing, &text, app.now()).ok()
}

/// On which device the reader's browser was shown to run.
fn on_device(app: &App, reader: &Reader, headers: &HeaderMap) -> Option<OnDevice> {
    marked(app, headers).filter(|on| on.session == reader.caller.who().session.id)
}

/// `GET /gate/enter/{application}`: with a session and a device, a ticket to the application.
pub async fn enter(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(entering): Query<Entering>,
    reader: Reader,
    headers: HeaderMap,
) -> Page {
    let application = application(&app, &name)?;
    let to = auth::local_path(&entering.to).unwrap_or("/");
    if !door::is_mark(&entering.begun) {
        // Somebody came here by hand: the application's own address begins it.
        return Ok(Redirect::to(&format!("{}{to}", application.url)).into_response());
    }
    let now = app.now();
    // Good for this application alone: it asks for the certificate again with each request.
    let by_certificate = match entering.on.as_deref().filter(|_| application.certificates) {
        None => None,
        Some(text) => {
            match Certified::read(&app.keys.sealing, (&name, &entering.begun), text, now) {
                Ok(by) => app
                    .gate
                    .index
                    .device(by.device)
                    .filter(|device| device.person == reader.caller.id())
                    .map(|_| by.device),
                // Signing in took its time. The connection is still there to show it again.
                Err(Unfit::Expired) => {
                    return Ok(Redirect::to(&format!("{}{to}", application.url)).into_response());
                }
                Err(unfit) => {
                    tracing::info!(why = %unfit, "a connection's device was not taken");
                    None
                }
            }
        }
    };
    let on = match by_certificate {
        Some(device) => {
            let until = now.plus(app.gate.settings.proof_lasts);
            Some(OnDevice { session: reader.caller.who().session.id, device, until })
        }
        None => on_device(&app, &reader, &headers),
    };
    let Some(on) = on else {
        let back = format!("/gate/enter/{name}?begun={}&to={}", entering.begun, encode(to));
        return Ok(Redirect::to(&format!("/gate/device?to={}", encode(&back))).into_response());
    };
    // Whoever gets here has just used their session, though the gate may not have seen it for long.
    app.gate.index.use_session(on.session, now, 0);
    let ticket = Ticket {
        application: name.clone(),
        session: on.session,
        device: on.device,
        until: on.until,
        begun: entering.begun,
        nonce: stead_model::seal::hex(&app.random::<16>()?),
        use_by: now.plus(SHORT),
    };
    let to = format!(
        "{}/.stead/{name}/enter?ticket={}&to={}",
        application.url,
        ticket.write(&app.keys.sealing),
        encode(to)
    );
    Ok(Redirect::to(&to).into_response())
}

/// What comes with the question which device this is.
#[derive(Debug, Default, Deserialize)]
pub struct Asking {
    #[serde(default)]
    to: String,
    /// Whether to ask though there was no answer a moment ago.
    #[serde(default)]
    again: Option<String>,
    /// Whether the device is to look at itself anew first.
    #[serde(default)]
    look: Option<String>,
}

#[derive(Template)]
#[template(path = "gate_device.html")]
struct DevicePage {
    base: Base,
    /// Devices that the reader has.
    devices: Vec<Device>,
    again: String,
    base_url: String,
    help: Vec<String>,
}

/// `GET /gate/device`: asks this computer which one it is, by way of the agent on it.
pub async fn device(
    State(app): State<Arc<App>>,
    Query(asking): Query<Asking>,
    reader: Reader,
    headers: HeaderMap,
) -> Page {
    let to = auth::local_path(&asking.to).unwrap_or("/home");
    let mut devices = app.store.devices_of(reader.caller.id()).await?;
    devices.retain(|device| device.revoked_at.is_none());
    let asked = auth::cookie(&headers, ASKED).is_some() && asking.again.is_none() && asking.look.is_none();
    if devices.is_empty() || asked {
        let holders = app.store.holders(Role::Coordinator, reader.caller.person().unit).await?;
        let title = reader.words.say(if devices.is_empty() { "gate-no-device" } else { "gate-no-answer" });
        let mut response = page(&DevicePage {
            base: Base::plain(&app, &reader, title, "/home"),
            again: format!("/gate/device?again=1&to={}", encode(to)),
            devices,
            base_url: app.config.base_url.clone(),
            help: holders.into_iter().take(2).map(|(_, name)| name).collect(),
        })?;
        *response.status_mut() = StatusCode::FORBIDDEN;
        return Ok(response);
    }
    let question = showing::ask(&app, reader.caller.who().session.id, asking.look.is_some())?;
    let kept = auth::set_cookie(ASKED, &URL_SAFE_NO_PAD.encode(to), SHORT);
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, question), (header::SET_COOKIE, kept)]).into_response())
}

/// What the browser brings back.
#[derive(Debug, Default, Deserialize)]
pub struct Brought {
    #[serde(default)]
    shown: String,
}

/// `GET /gate/device/back`: the agent has answered.
pub async fn back(
    State(app): State<Arc<App>>,
    Query(brought): Query<Brought>,
    reader: Reader,
    headers: HeaderMap,
) -> Page {
    let to = auth::cookie(&headers, ASKED).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let to = to.and_then(|to| String::from_utf8(to).ok()).unwrap_or_default();
    let to = auth::local_path(&to).unwrap_or("/home").to_owned();
    match showing::take(&app, &reader.caller, &brought.shown).await? {
        Ok(on) => {
            // Whatever the agent looked at before it answered counts for the page that comes next.
            app.gate.settled().await;
            let lasts = on.until.since(app.now());
            let kept = auth::set_cookie(DEVICE, &on.write(&app.keys.sealing), lasts);
            let mut response =
                (StatusCode::SEE_OTHER, [(header::LOCATION, to), (header::SET_COOKIE, kept)]).into_response();
            if let Ok(gone) = HeaderValue::from_str(&auth::set_cookie(ASKED, "", 0)) {
                response.headers_mut().append(header::SET_COOKIE, gone);
            }
            Ok(response)
        }
        Err(unfit) => {
            tracing::info!(why = %unfit, "a device's proof was not taken");
            Ok(Redirect::to(&format!("/gate/device?to={}", encode(&to))).into_response())
        }
    }
}

/// What stands against somebody, as the page shows it.
struct Reason {
    icon: &'static str,
    title: String,
    /// What to do about it.
    next: String,
    rule: Option<FromRule>,
}

/// A reason that comes from a rule.
struct FromRule {
    id: String,
    title: String,
    finding: Option<StoredFinding>,
    since: Millis,
    fixes: Vec<(String, parts::Html)>,
    /// Where an exception is asked for.
    exception: String,
}

#[derive(Template)]
#[template(path = "gate_refused.html")]
struct Refused {
    base: Base,
    now: Millis,
    application: String,
    tier: String,
    headline: String,
    device: Option<Device>,
    windows: Vec<Window>,
    first: Reason,
    others: Vec<Reason>,
    look: String,
    help: Vec<String>,
}

impl Refused {
    fn tier(&self, tier: &str) -> String {
        self.base.words.tier(tier)
    }

    fn window(&self, window: &Window) -> parts::Html {
        parts::open(&self.base.words, window.open, self.now)
    }
}

/// What comes with the page that says why.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// Whether the connection was made without the device's certificate.
    #[serde(default)]
    bare: Option<String>,
    #[serde(default)]
    to: String,
}

/// `GET /gate/refused/{application}`: why this person on this device is not let in, and what opens it; or on to
/// the application, when nothing stands against them any more.
pub async fn refused(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    reader: Reader,
    headers: HeaderMap,
) -> Page {
    let application = application(&app, &name)?;
    let to = auth::local_path(&asked.to).unwrap_or("/");
    let bare = asked.bare.is_some() && application.certificates;
    let here = format!("/gate/refused/{name}?{}to={}", if bare { "bare=1&" } else { "" }, encode(to));
    let Some(on) = on_device(&app, &reader, &headers) else {
        return Ok(Redirect::to(&format!("/gate/device?to={}", encode(&here))).into_response());
    };
    let (me, now, pack) = (reader.caller.id(), app.now(), app.pack());
    let of = |place: usize| decide::against(&app.gate.index, &pack, (me, on.device), place, now);
    let mut why = of(application.place(&pack));
    if bare {
        why.push(Why::NoCertificate);
    }
    if why.is_empty() {
        return Ok(Redirect::to(&format!("{}{to}", application.url)).into_response());
    }
    let device = app.store.device(on.device).await?.filter(|device| device.person == me);
    let name_of_device =
        device.as_ref().map_or_else(|| reader.words.say("gate-this-computer"), |device| device.name.clone());
    let on_it = app.store.findings(on.device).await?;
    let own = app.store.subject_findings(Subject::Person, &me.to_string()).await?;
    let mut reasons: Vec<Reason> = why
        .iter()
        .map(|why| {
            let finding = |rule: &str, all: &[StoredFinding]| all.iter().find(|f| f.rule == rule).cloned();
            let found = match why {
                Why::Device(rule, _) => finding(rule, &on_it),
                Why::Person(rule, _) => finding(rule, &own),
                Why::NotKnown
                | Why::NotWorking
                | Why::NoDevice
                | Why::NotTheirs
                | Why::Revoked
                | Why::NoCertificate
                | Why::NotJudged
                | Why::Silent(_) => None,
            };
            reason(&app, &reader.words, (me, on.device, &name_of_device), why, found)
        })
        .collect();
    let first = reasons.remove(0);
    let windows = pack.manifest.tiers.iter().enumerate().map(|(place, tier)| {
        let open = if of(place).is_empty() { Open::Now } else { Open::Not };
        Window { tier: tier.clone(), open }
    });
    let holders = app.store.holders(Role::Coordinator, reader.caller.person().unit).await?;
    let mut response = page(&Refused {
        base: Base::plain(&app, &reader, first.title.clone(), "/home"),
        now,
        application: application.title.clone(),
        tier: reader.words.tier(&application.tier),
        headline: first.title.clone(),
        windows: windows.collect(),
        first,
        others: reasons,
        // A new connection shows it, or shows it not; the agent has no say in that.
        look: match bare {
            true => format!("{}{to}", application.url),
            false => format!("/gate/device?look=1&to={}", encode(&here)),
        },
        help: holders.into_iter().take(2).map(|(_, name)| name).collect(),
        device,
    })?;
    *response.status_mut() = StatusCode::FORBIDDEN;
    Ok(response)
}

fn reason(
    app: &App,
    words: &Words,
    (me, device, name): (PersonId, DeviceId, &str),
    why: &Why,
    finding: Option<StoredFinding>,
) -> Reason {
    let with = |more: Option<(&'static str, String)>| {
        [("device", name.to_owned())].into_iter().chain(more).collect::<Vec<_>>()
    };
    let say = |more| words.with(format!("gate-why-{}", why.word()), with(more));
    let next = words.with(format!("gate-next-{}", why.word()), with(None));
    let plain = |icon, more| Reason { icon, title: say(more), next: next.clone(), rule: None };
    match why {
        Why::Silent(since) => plain("unknown", Some(("time", words.short_time(*since, app.now())))),
        Why::NotKnown | Why::NotJudged => plain("unknown", None),
        Why::NotWorking | Why::NoDevice | Why::NotTheirs | Why::Revoked | Why::NoCertificate => {
            plain("shut", None)
        }
        Why::Device(rule, due) | Why::Person(rule, due) => {
            let pack = app.pack();
            let Some(of) = pack.rule(rule) else { return plain("shut", Some(("asks", rule.to_string()))) };
            let text = of.text(words.language.tag());
            let about =
                if of.subject == Subject::Device { format!("&device={device}") } else { String::new() };
            let fixes = text.fixes.iter().map(|fix| (fix.heading.clone(), markdown::html(&fix.text)));
            Reason {
                icon: "rule",
                title: say(Some(("asks", text.asks))),
                next,
                rule: Some(FromRule {
                    id: of.id.clone(),
                    title: text.title,
                    since: finding.as_ref().and_then(|finding| finding.failing_since).unwrap_or(*due),
                    finding,
                    fixes: fixes.collect(),
                    exception: format!("/people/{me}/exceptions/new?rule={}{about}", of.id),
                }),
            }
        }
    }
}

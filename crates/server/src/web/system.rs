//! How the installation is: for whoever runs it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use stead_model::{Employment, Millis, Role, UnitId, time};

use super::{Base, Page, Reader, page, parts};
use crate::{
    App,
    flows::backup::{self, Made},
    gate::tunnels::Behind as Network,
    words::Words,
};

#[derive(Template)]
#[template(path = "system.html")]
struct System {
    base: Base,
    now: Millis,
    version: &'static str,
    engine: &'static str,
    bytes: i64,
    entries: i64,
    checkpoint: String,
    policy: String,
    policy_digest: String,
    base_url: String,
    passkeys: bool,
    jobs: Vec<crate::jobs::Ran>,
    people: Vec<(Employment, i64)>,
    operators: Vec<String>,
    backup: Option<Made>,
    backups_on: bool,
    settings: Vec<Setting>,
    behind: Vec<Behind>,
}

/// Something behind the gate: an application, or a network at the end of a tunnel.
struct Behind {
    title: String,
    at: String,
    takes: String,
    tunnel: Option<TunnelState>,
}

/// How a tunnel's gate is, as this server knows it.
struct TunnelState {
    peers: i64,
    asked_at: Option<Millis>,
    late: bool,
}

/// A setting: the message that names it, what it is, how it is set.
struct Setting {
    name: &'static str,
    value: String,
    how: &'static str,
}

/// A backup that is older than this is late.
const LATE: i64 = 36 * time::HOUR;

impl System {
    fn wrong(&self) -> bool {
        let gates = self.behind.iter().filter_map(|behind| behind.tunnel.as_ref());
        self.jobs.iter().any(|job| job.failed.is_some())
            || (self.backups_on && self.backup_late())
            || gates.into_iter().any(|tunnel| tunnel.late)
    }

    fn heard(&self, tunnel: &TunnelState) -> String {
        let words = &self.base.words;
        match tunnel.asked_at {
            Some(at) => words.with("system-gate-heard", [("time", words.short_time(at, self.now))]),
            None => words.say("system-gate-silent"),
        }
    }

    fn backup_late(&self) -> bool {
        self.backup.as_ref().is_none_or(|made| self.now.since(made.at) > LATE)
    }
}

fn settings(app: &App, words: &Words) -> Vec<Setting> {
    let config = &app.config;
    let none = || words.say("none");
    let outside = config.outside.as_ref().map(|outside| outside.issuer.clone());
    let mail = config.mail.as_ref().map(|mail| [mail.server.clone(), mail.from.clone()].join(", "));
    let backups = config.backups.as_ref().map(|(folder, keep)| format!("{}, {keep}", folder.display()));
    [
        ("system-address", config.base_url.clone(), "--base-url"),
        ("setting-check-in", words.length(config.check_in_every), "--check-in-every"),
        ("setting-proxy", words.yes(config.behind_proxy), "--behind-proxy"),
        ("outside", outside.unwrap_or_else(none), "--oidc-issuer"),
        ("channel-mail", mail.unwrap_or_else(none), "--mail-server, --mail-from"),
        ("setting-apart", words.length(config.apart), "--mail-apart"),
        ("setting-backups", backups.unwrap_or_else(none), "--backup-dir, --backup-keep"),
        ("field-language", config.language.name().to_owned(), "--language"),
    ]
    .map(|(name, value, how)| Setting { name, value, how })
    .into()
}

fn behind(app: &App, words: &Words) -> Vec<Behind> {
    let settings = &app.gate.settings;
    let applications = settings.applications.iter().map(|application| Behind {
        title: application.title.clone(),
        at: application.url.clone(),
        takes: words.tier(&application.tier),
        tunnel: None,
    });
    let tunnels = settings.tunnels.iter().enumerate().map(|(place, tunnel)| {
        let (peers, asked_at) = app.gate.lists.state(place);
        let network = |behind: &Network| format!("{}: {}", behind.to, words.tier(&behind.tier));
        Behind {
            title: tunnel.title.clone(),
            at: tunnel.endpoint.clone(),
            takes: tunnel.networks.iter().map(network).collect::<Vec<_>>().join(", "),
            tunnel: Some(TunnelState {
                peers: i64::try_from(peers).unwrap_or(i64::MAX),
                asked_at,
                late: asked_at.is_none_or(|at| app.now().since(at) > tunnel.good_for),
            }),
        }
    });
    applications.chain(tunnels).collect()
}

/// `GET /system`.
pub async fn get(State(app): State<Arc<App>>, reader: Reader) -> Page {
    let head = app.store.ledger_head().await?;
    let operators = app.store.holders(Role::Operator, UnitId::ORGANISATION).await?;
    page(&System {
        base: Base::of(&app, &reader, reader.words.say("system-title"), "/system"),
        now: app.now(),
        version: env!("CARGO_PKG_VERSION"),
        engine: app.store.engine(),
        bytes: app.store.bytes().await?,
        entries: i64::try_from(head.size).unwrap_or(i64::MAX),
        checkpoint: head.checkpoint.lines().nth(2).unwrap_or_default().to_owned(),
        policy: app.pack().label(),
        policy_digest: app.pack().digest.clone(),
        base_url: app.config.base_url.clone(),
        passkeys: app.passkeys.is_some(),
        jobs: app.jobs.ran(),
        people: app.store.people_by_state(UnitId::ORGANISATION).await?,
        operators: operators.into_iter().map(|(_, name)| name).collect(),
        backup: backup::last(&app).await?,
        backups_on: app.config.backups.is_some(),
        settings: settings(&app, &reader.words),
        behind: behind(&app, &reader.words),
    })
}

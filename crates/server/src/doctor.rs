//! Whether an installation is as it should be: `stead-server doctor`. It looks and changes nothing, while the server
//! runs or not. What can't be found out is unknown, which is no pass.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use serde::Serialize;
use stead_model::{
    Millis,
    time::{DAY, HOUR, MINUTE},
};
use stead_store::Store;

use crate::{
    Config,
    app::store_url,
    audit,
    channels::mail::Mail,
    flows::{
        identity,
        policy::{self, Doubt},
        sign_in::outside::Outside,
    },
    keys::Keys,
    serve::Listen,
};

/// How long anything that is asked may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Free space below which there is too little, in bytes.
const TOO_LITTLE: u64 = 1 << 30;
/// What to do about a database that is damaged.
const RESTORE: &str = "Restore a backup, or repair the database, before anything else is saved.";
/// Descriptors that a server needs for its connections.
const DESCRIPTORS: u64 = 4096;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is as it should be.
    Ok,
    /// There is nothing to check: it isn't set up.
    NotSetUp,
    /// It could not be found out.
    Unknown,
    /// It isn't as it should be.
    Problem,
}

impl Outcome {
    /// The word in front of a line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotSetUp => "not set up",
            Self::Unknown => "unknown",
            Self::Problem => "problem",
        }
    }
}

/// One thing that was checked.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What: keys, database, clock, ….
    pub name: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// What was found.
    pub found: String,
    /// What to do about it; empty when there is nothing to do.
    pub advice: String,
}

fn check(name: &'static str, outcome: Outcome, found: impl Into<String>, advice: &str) -> Check {
    Check { name, outcome, found: found.into(), advice: advice.to_owned() }
}

fn ok(name: &'static str, found: impl Into<String>) -> Check {
    check(name, Outcome::Ok, found, "")
}

fn problem(name: &'static str, found: impl Into<String>, advice: &str) -> Check {
    check(name, Outcome::Problem, found, advice)
}

fn unknown(name: &'static str, found: impl Into<String>, advice: &str) -> Check {
    check(name, Outcome::Unknown, found, advice)
}

/// Checks everything, in the order in which it is to be repaired.
pub async fn examine(
    data: &Path,
    named_store: Option<&str>,
    config: &Config,
    listen: &Listen,
    now: Millis,
) -> Vec<Check> {
    // It may have been installed by whoever calls this.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut all = vec![permissions(data)];
    match Store::snapshot(&store_url(data, named_store)).await {
        Ok(store) => {
            all.push(keys(&store, data).await);
            all.push(database(&store, data).await);
            all.push(in_effect(&store).await);
            all.push(clock(
                store
                    .ledger_newest(None, i64::MAX as u64, 1)
                    .await
                    .ok()
                    .map(|all| all.first().map(|entry| entry.at)),
                now,
            ));
            store.close().await;
        }
        Err(error) => {
            let advice = "Check --data and --store, and that the database runs. For SQLite, run this as the server's user.";
            all.push(problem("database", format!("It can't be opened: {error}"), advice));
            all.push(unknown("keys", "They can't be compared without the database.", ""));
            all.push(unknown("policy", "It can't be read without the database.", ""));
            all.push(clock(None, now));
        }
    }
    all.push(time_source());
    all.push(disk("disk", data));
    all.push(descriptors());
    all.push(address(config, listen));
    all.push(certificate(listen));
    all.push(answers(config).await);
    all.push(mail(config).await);
    all.push(issuer(config, now).await);
    all.push(backups(config, now));
    all
}

/// The process's exit code: 1 with a problem, else 2 when something is unknown, else 0.
pub fn exit_code(all: &[Check]) -> u8 {
    match all.iter().map(|check| check.outcome).max() {
        Some(Outcome::Problem) => 1,
        Some(Outcome::Unknown) | None => 2,
        Some(Outcome::Ok | Outcome::NotSetUp) => 0,
    }
}

/// Data and keys are their owner's alone.
fn permissions(data: &Path) -> Check {
    let name = "permissions";
    let advice =
        "Run the server once as its own user: it tightens them. If it can't, chown the folder to that user.";
    let own = rustix::process::geteuid().as_raw();
    let mut folders = vec![data.to_owned()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let listed = fs::metadata(&folder).and_then(|about| Ok((about, fs::read_dir(&folder)?)));
        let (about, listed) = match listed {
            Ok(listed) => listed,
            Err(error) => {
                return unknown(name, format!("{} can't be read: {error}", folder.display()), advice);
            }
        };
        let mut files = vec![(folder.clone(), about)];
        for entry in listed {
            match entry.and_then(|entry| Ok((entry.path(), entry.metadata()?))) {
                Ok((path, about)) if about.is_dir() => folders.push(path),
                Ok(file) => files.push(file),
                Err(error) => return unknown(name, format!("{}: {error}", folder.display()), advice),
            }
        }
        for (path, about) in files {
            seen += 1;
            let mode = about.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                let found = format!("{} is open to others (mode {mode:o}).", path.display());
                return problem(name, found, advice);
            }
            if own != 0 && about.uid() != own {
                return problem(name, format!("{} belongs to another user.", path.display()), advice);
            }
        }
    }
    ok(name, format!("{seen} files and folders in {} are owner-only.", data.display()))
}

async fn keys(store: &Store, data: &Path) -> Check {
    let name = "keys";
    let advice = "Restore keys and database from the same backup (`stead-server restore`). See --adopt in `serve --help`.";
    match identity::examine(store, data).await {
        Ok(None) => ok(name, "Keys and database belong together, and neither is older than it was."),
        Ok(Some(trouble)) => problem(name, trouble, advice),
        Err(error) => unknown(name, format!("{error:#}"), advice),
    }
}

async fn database(store: &Store, data: &Path) -> Check {
    let name = "database";
    match store.faults().await {
        Ok(faults) => {
            if let Some(fault) = faults.into_iter().next() {
                return problem(name, fault, RESTORE);
            }
        }
        Err(error) => return problem(name, format!("It can't be read: {error}"), RESTORE),
    }
    let Ok(Some(origin)) = store.meta(identity::ORIGIN).await else {
        return check(
            name,
            Outcome::NotSetUp,
            "It is empty: a server started with it begins an installation.",
            "",
        );
    };
    let Some(keys) = Keys::read(data, &origin) else {
        return unknown(name, "Its ledger can't be checked without the keys.", "");
    };
    match audit::ledger(store, keys.ledger.public(), None, |_, _| {}).await {
        Ok(Ok(size)) => ok(name, format!("All {size} entries of its ledger are what was signed.")),
        Ok(Err(why)) => {
            let advice =
                "Keep a copy, find out who changed it, and restore a backup. `ledger verify` says more.";
            problem(name, format!("Its ledger isn't what was signed: {why}."), advice)
        }
        Err(error) => problem(name, format!("It can't be read: {error}"), RESTORE),
    }
}

async fn in_effect(store: &Store) -> Check {
    let name = "policy";
    match policy::in_effect(store).await {
        Ok(Some((version, _))) => {
            ok(name, format!("{} is in effect, as the ledger names it.", version.label()))
        }
        Ok(None) => check(name, Outcome::NotSetUp, "None has been in effect yet.", ""),
        Err(Doubt::Changed(why)) => {
            problem(name, why, "Access is closed for everyone. Restore the database from a backup.")
        }
        Err(Doubt::Away(_)) => unknown(name, "It can't be read.", "Check that the database runs."),
    }
}

/// Time goes on from what was last written down. `newest` is none when it isn't known, and of nothing when there is none.
fn clock(newest: Option<Option<Millis>>, now: Millis) -> Check {
    let name = "clock";
    match newest {
        None => unknown(name, "What was written down last isn't known.", ""),
        Some(Some(at)) if at.since(now) > MINUTE => {
            let found = format!("It is {now}, and the ledger was last written at {at}.");
            problem(name, found, "Set this computer's clock; devices and people are refused by a wrong one.")
        }
        Some(_) => ok(name, format!("It is {now}, not before anything that was written down.")),
    }
}

/// Whether something keeps the clock right.
fn time_source() -> Check {
    let name = "time source";
    // systemd-timesyncd leaves this once it has set the clock (systemd-timesyncd.service(8)).
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return ok(name, "systemd-timesyncd has set the clock.");
    }
    let advice = "Check with `timedatectl` or `chronyc tracking` that the clock is synchronized.";
    unknown(name, "Nothing here says that the clock is synchronized.", advice)
}

fn disk(name: &'static str, folder: &Path) -> Check {
    match rustix::fs::statvfs(folder) {
        Ok(about) => space(
            name,
            folder,
            about.f_bavail.saturating_mul(about.f_frsize),
            about.f_blocks.saturating_mul(about.f_frsize),
        ),
        Err(error) => unknown(name, format!("{}: {error}", folder.display()), ""),
    }
}

fn space(name: &'static str, folder: &Path, free: u64, all: u64) -> Check {
    let found = format!("{} MiB of {} MiB are free at {}.", free >> 20, all >> 20, folder.display());
    if free < TOO_LITTLE.min(all / 5) || free < 64 << 20 {
        return problem(name, found, "Free some: with a full disk nothing is saved, and the server says so.");
    }
    ok(name, found)
}

fn descriptors() -> Check {
    let name = "descriptors";
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    match limit.maximum {
        Some(most) if most < DESCRIPTORS => {
            let found = format!("At most {most} files and connections may be open.");
            problem(name, found, "Raise it to 65536 (LimitNOFILE= of the service).")
        }
        Some(most) => ok(name, format!("Up to {most} files and connections may be open.")),
        None => ok(name, "Any number of files and connections may be open."),
    }
}

/// How browsers come here, and whom the server believes about that.
fn address(config: &Config, listen: &Listen) -> Check {
    let name = "proxy";
    let here = listen.address.ip().is_loopback();
    let secure = config.base_url.starts_with("https://");
    let local = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    if !secure && !local.iter().any(|start| config.base_url.starts_with(start)) {
        let found = format!("Browsers come to {} without TLS.", config.base_url);
        return problem(
            name,
            found,
            "Give --tls-cert and --tls-key, or a proxy with TLS and --behind-proxy.",
        );
    }
    if listen.behind_proxy && !here {
        let found = format!(
            "{} is open to the network, and whoever comes is believed about their address.",
            listen.address
        );
        return problem(
            name,
            found,
            "With --behind-proxy, listen on 127.0.0.1, or let a firewall admit the proxy alone.",
        );
    }
    if secure && listen.tls.is_none() && !listen.behind_proxy {
        let found =
            format!("Browsers come to {} by something that this server doesn't know of.", config.base_url);
        return problem(
            name,
            found,
            "Give --behind-proxy when a proxy speaks TLS, or --tls-cert and --tls-key.",
        );
    }
    let by = if listen.behind_proxy { "through a proxy" } else { "directly" };
    ok(name, format!("Browsers come to {} {by}.", config.base_url))
}

fn certificate(listen: &Listen) -> Check {
    let name = "certificate";
    let Some((chain, key)) = &listen.tls else {
        return check(name, Outcome::NotSetUp, "This server doesn't speak TLS itself.", "");
    };
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(chain).and_then(Iterator::collect);
    let (chain, key) = match (chain, PrivateKeyDer::from_pem_file(key)) {
        (Ok(chain), Ok(key)) if !chain.is_empty() => (chain, key),
        (Ok(_), Ok(_)) => {
            return problem(name, "--tls-cert holds no certificate.", "Name the chain, as PEM.");
        }
        (Err(error), _) => return problem(name, format!("--tls-cert: {error}"), "Name the chain, as PEM."),
        (_, Err(error)) => return problem(name, format!("--tls-key: {error}"), "Name the key, as PEM."),
    };
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    match rustls::sign::CertifiedKey::from_der(chain, key, &provider) {
        // Whether it has run out is seen by whoever connects: that is checked under "answers".
        Ok(_) => ok(name, "Certificate and key belong together."),
        Err(error) => {
            problem(name, format!("Certificate and key: {error}"), "Name the key of this certificate.")
        }
    }
}

/// Whether a browser's request arrives, by the address that browsers use, with TLS as they verify it.
async fn answers(config: &Config) -> Check {
    let name = "answers";
    let base = config.base_url.trim_end_matches('/');
    let advice = "If the server runs, check the proxy, its certificate, and that the name leads here.";
    let asked = async {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let health = client.get(format!("{base}/healthz")).send().await?;
        let (status, said) = (health.status().as_u16(), health.text().await?);
        let gate = client.get(format!("{base}/gate/auth/")).send().await?;
        Ok::<_, reqwest::Error>((status, said, gate.status().as_u16()))
    };
    match asked.await {
        Ok((200, said, gate)) if said == "ok\n" && gate >= 400 => {
            ok(name, format!("{base}/healthz says ok."))
        }
        Ok((200, said, gate)) if said == "ok\n" => {
            let found = format!(
                "{base}/gate/auth/ lets in whoever asks ({gate}): something answers in the gate's place."
            );
            problem(name, found, advice)
        }
        Ok((503, said, _)) => {
            problem(name, format!("The server says: {}.", said.trim()), "See the checks above.")
        }
        Ok((status, _, _)) => {
            problem(name, format!("{base}/healthz is answered by something else ({status})."), advice)
        }
        Err(error) => unknown(name, format!("Nothing answers at {base}: {}", innermost(&error)), advice),
    }
}

/// The cause of an error that says something.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

async fn mail(config: &Config) -> Check {
    let name = "mail";
    let Some(settings) = &config.mail else {
        return check(
            name,
            Outcome::NotSetUp,
            "No mail server is named: people see messages on their pages alone.",
            "",
        );
    };
    let advice = "Check --mail-server, --mail-user, and --mail-trust.";
    let tried = async {
        let mail = Mail::new(settings)?;
        mail.try_out().await?;
        anyhow::Ok(mail)
    };
    match tokio::time::timeout(PATIENCE, tried).await {
        Ok(Ok(mail)) => ok(name, format!("{} takes mail from us.", mail.server())),
        Ok(Err(error)) => problem(name, format!("{}: {error:#}", settings.server), advice),
        Err(_) => problem(name, format!("{} doesn't answer.", settings.server), advice),
    }
}

async fn issuer(config: &Config, now: Millis) -> Check {
    let name = "issuer";
    let Some(settings) = &config.outside else {
        return check(name, Outcome::NotSetUp, "Nobody signs in elsewhere.", "");
    };
    let advice = "Check --oidc-issuer, and that this server reaches it.";
    match Outside::new(settings.clone()) {
        Err(error) => problem(name, format!("{error:#}"), advice),
        Ok(outside) => match outside.try_out(now).await {
            Ok(()) => ok(name, format!("{} publishes keys that we take.", settings.issuer)),
            Err(why) => problem(name, format!("{}: {why}", settings.issuer), advice),
        },
    }
}

fn backups(config: &Config, now: Millis) -> Check {
    let name = "backups";
    let Some((folder, _)) = &config.backups else {
        return unknown(
            name,
            "No --backup-dir is named, so nothing here says whether there are any.",
            "Name a folder on another disk, or make sure that `stead-server backup` runs elsewhere.",
        );
    };
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) => {
            let found = format!("{}: {error}", folder.display());
            return problem(name, found, "Make the folder, and let the server's user write there.");
        }
    };
    let newest = listed
        .flatten()
        .filter_map(|entry| entry.metadata().ok().filter(fs::Metadata::is_dir).map(|about| about.mtime()))
        .max();
    match newest.map(|seconds| now.since(Millis(seconds.saturating_mul(1000)))) {
        None => problem(
            name,
            format!("{} holds none.", folder.display()),
            "One is made once a day while the server runs.",
        ),
        Some(age) if age > 2 * DAY => {
            let found = format!("The newest in {} is {} hours old.", folder.display(), age / HOUR);
            problem(
                name,
                found,
                "One is made once a day while the server runs; the page System says why not.",
            )
        }
        Some(_) => disk(name, folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_no_pass() {
        let now = Millis(1_795_000_000_000);
        assert_eq!(clock(None, now).outcome, Outcome::Unknown);
        assert_eq!(clock(Some(None), now).outcome, Outcome::Ok);
        assert_eq!(clock(Some(Some(now)), now).outcome, Outcome::Ok);
        assert_eq!(clock(Some(Some(now.plus(HOUR))), now).outcome, Outcome::Problem);
        let folder = Path::new("/");
        assert_eq!(space("disk", folder, 10 << 20, 100 << 30).outcome, Outcome::Problem);
        assert_eq!(space("disk", folder, 900 << 20, 100 << 30).outcome, Outcome::Problem);
        assert_eq!(space("disk", folder, 10 << 30, 100 << 30).outcome, Outcome::Ok);
        assert_eq!(space("disk", folder, 200 << 20, 500 << 20).outcome, Outcome::Ok);
        let [good, unsure, bad] = [ok("a", ""), unknown("b", "", ""), problem("c", "", "")];
        assert_eq!(exit_code(&[]), 2);
        assert_eq!(exit_code(std::slice::from_ref(&good)), 0);
        assert_eq!(exit_code(&[good.clone(), unsure.clone()]), 2);
        assert_eq!(exit_code(&[unsure, bad, good]), 1);
    }
}

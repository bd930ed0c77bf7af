//! `stead-server serve`.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use stead_model::time::SECOND;
use tracing_subscriber::{EnvFilter, fmt};
use zeroize::Zeroizing;

use super::Data;
use crate::{
    Config,
    channels::mail,
    flows::sign_in::outside,
    gate,
    serve::{Listen, serve},
    words::Language,
};

#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    data: Data,
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// Certificate chain, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Key of the certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Something in front of this server speaks TLS.
    #[arg(long)]
    behind_proxy: bool,
    /// Address that browsers use, when it is not the one listened on.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Seconds between a device's check-ins.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(i64).range(1..=86_400))]
    check_in_every: i64,
    /// Who issues identities elsewhere (OpenID Connect), as in https://id.example.org.
    #[arg(long, value_name = "URL", requires = "oidc_client", env = "STEAD_OIDC_ISSUER")]
    oidc_issuer: Option<String>,
    /// What this server is called there. It must allow BASE_URL/sign-in/outside/back.
    #[arg(long, value_name = "ID", requires = "oidc_issuer", env = "STEAD_OIDC_CLIENT")]
    oidc_client: Option<String>,
    /// File with this server's secret there.
    #[arg(long, value_name = "FILE", requires = "oidc_issuer", env = "STEAD_OIDC_SECRET_FILE")]
    oidc_secret_file: Option<PathBuf>,
    /// What people call it.
    #[arg(long, value_name = "NAME", default_value = "your organisation", env = "STEAD_OIDC_NAME")]
    oidc_name: String,
    /// Write down whoever signs in there and is not in the directory yet.
    #[arg(long, requires = "oidc_issuer")]
    oidc_adds_people: bool,
    /// Mail server: smtps://HOST, smtp+starttls://HOST, or smtp://localhost.
    #[arg(long, value_name = "URL", requires = "mail_from", env = "STEAD_MAIL_SERVER")]
    mail_server: Option<String>,
    /// Whom mail comes from, as in "Stead <stead@example.org>".
    #[arg(long, value_name = "ADDRESS", requires = "mail_server", env = "STEAD_MAIL_FROM")]
    mail_from: Option<String>,
    /// Name to sign in with at the mail server.
    #[arg(long, value_name = "NAME", requires = "mail_password_file", env = "STEAD_MAIL_USER")]
    mail_user: Option<String>,
    /// File with the password for it.
    #[arg(long, value_name = "FILE", requires = "mail_user", env = "STEAD_MAIL_PASSWORD_FILE")]
    mail_password_file: Option<PathBuf>,
    /// More certificates to trust at the mail server, PEM.
    #[arg(long, value_name = "FILE", requires = "mail_server", env = "STEAD_MAIL_TRUST")]
    mail_trust: Option<PathBuf>,
    /// Seconds between two messages to the same person; what is about their account waits for nothing.
    #[arg(long, value_name = "SECONDS", default_value_t = 900, env = "STEAD_MAIL_APART", value_parser = clap::value_parser!(i64).range(1..=86_400))]
    mail_apart: i64,
    /// Program that prints documents, when it is not the stead-print beside this one.
    #[arg(long, value_name = "FILE", env = "STEAD_PRINTER")]
    printer: Option<PathBuf>,
    /// File that names the applications behind the gate.
    #[arg(long, value_name = "FILE", env = "STEAD_GATE")]
    gate: Option<PathBuf>,
    /// Folder in which a backup is made each day.
    #[arg(long, value_name = "DIR", env = "STEAD_BACKUP_DIR")]
    backup_dir: Option<PathBuf>,
    /// Backups kept there.
    #[arg(long, value_name = "N", default_value_t = 14, env = "STEAD_BACKUP_KEEP")]
    backup_keep: usize,
    /// Language for those who have chosen none: en or pt-BR.
    #[arg(long, value_name = "TAG", default_value = "en", env = "STEAD_LANGUAGE")]
    language: String,
    /// Continue although keys and database don't belong together, or one of them is older. The ledger records it.
    #[arg(long)]
    adopt: bool,

    /// Lets webhooks go to private addresses, such as a chat in the organization's own network.
    #[arg(long)]
    private_webhooks: bool,
    /// Write the log as JSON.
    #[arg(long)]
    log_json: bool,
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        start_log(self.log_json);
        let (data, config, listen) = self.settings()?;
        let app = data.open(config).await?;
        app.gate.settings.fits(&app.pack())?;
        tracing::info!(policy = app.pack().label(), digest = app.pack().digest, "policy in force");
        serve(app, listen, |address| tracing::info!(%address, "ready"), ended()).await?;
        Ok(ExitCode::SUCCESS)
    }

    /// What was said on the command line, in the shape in which the server takes it.
    pub(super) fn settings(self) -> anyhow::Result<(Data, Config, Listen)> {
        let scheme = if self.tls_cert.is_some() { "https" } else { "http" };
        let outside = match self.oidc_issuer.zip(self.oidc_client) {
            Some((issuer, client)) => Some(outside::Settings {
                issuer,
                client,
                secret: self.oidc_secret_file.as_deref().map(secret).transpose()?,
                name: self.oidc_name,
                adds_people: self.oidc_adds_people,
            }),
            None => None,
        };
        let mail = match self.mail_server.zip(self.mail_from) {
            Some((server, from)) => Some(mail::Settings {
                server,
                user: self.mail_user,
                password: self.mail_password_file.as_deref().map(secret).transpose()?,
                from,
                trust: self.mail_trust,
            }),
            None => None,
        };
        let config = Config {
            check_in_every: self.check_in_every * SECOND,
            base_url: self.base_url.unwrap_or_else(|| match self.listen.ip().is_loopback() {
                // Browsers bind passkeys to names alone.
                true => format!("{scheme}://localhost:{}", self.listen.port()),
                false => format!("{scheme}://{}", self.listen),
            }),
            behind_proxy: self.behind_proxy,
            outside,
            mail,
            apart: self.mail_apart * SECOND,
            printer: self.printer,
            gate: self.gate.as_deref().map(gate::Settings::read).transpose()?.unwrap_or_default(),
            backups: self.backup_dir.map(|folder| (folder, self.backup_keep)),
            language: Language::from_tag(&self.language)
                .with_context(|| format!("there is no language {}; take en or pt-BR", self.language))?,
            private_hooks: self.private_webhooks,
            adopt: self.adopt,
        };
        let listen = Listen {
            address: self.listen,
            tls: self.tls_cert.zip(self.tls_key),
            behind_proxy: self.behind_proxy,
        };
        Ok((self.data, config, listen))
    }
}

/// A secret from a file.
pub(super) fn secret(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}

pub(super) fn start_log(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json { log.json().init() } else { log.init() }
}

/// Resolves at Ctrl-C or when the system asks the program to end.
async fn ended() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        std::future::pending::<()>().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

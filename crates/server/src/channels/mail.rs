//! Mail: SMTP with TLS (RFC 5321, RFC 8314).

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        PoolConfig,
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use zeroize::Zeroizing;

use super::Failed;

/// What an operator sets for it.
#[derive(Clone)]
pub struct Settings {
    /// `smtps://host[:465]` with TLS from the first byte, `smtp+starttls://host[:587]` which must become TLS
    /// before anything is said, or `smtp://host[:25]` without, to this machine alone.
    pub server: String,
    /// The name to sign in with there; none where nobody signs in.
    pub user: Option<String>,
    /// The password for it.
    pub password: Option<Zeroizing<String>>,
    /// Whom mail comes from, as in `Stead <stead@example.org>`.
    pub from: String,
    /// More certificates to trust, PEM.
    pub trust: Option<PathBuf>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Settings({} from {})", self.server, self.from)
    }
}

/// A way to a mail server.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    server: String,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mail({})", self.server)
    }
}

impl Mail {
    /// The way that these settings name.
    ///
    /// # Errors
    /// When they make no sense, or mail would go over a network without TLS.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let (scheme, rest) = settings
            .server
            .split_once("://")
            .context("the mail server is written as in smtps://mail.example.org")?;
        let authority = rest.trim_end_matches('/');
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().context("the mail server's port is no number")?)),
            None => (authority, None),
        };
        let (tls, usual) = match scheme {
            "smtps" => (Tls::Wrapper(parameters(host, settings)?), 465),
            "smtp+starttls" => (Tls::Required(parameters(host, settings)?), 587),
            "smtp" if ["localhost", "127.0.0.1", "[::1]"].contains(&host) => (Tls::None, 25),
            "smtp" => bail!("mail to {host} would go without TLS; use smtps:// or smtp+starttls://"),
            _ => bail!("{scheme}:// is no way to a mail server; use smtps:// or smtp+starttls://"),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port.unwrap_or(usual))
            .tls(tls)
            .timeout(Some(Duration::from_secs(20)))
            .pool_config(PoolConfig::new().max_size(4));
        if let Some((user, password)) = settings.user.as_ref().zip(settings.password.as_ref()) {
            builder = builder.credentials(Credentials::new(user.clone(), password.to_string()));
        }
        Ok(Self {
            transport: builder.build(),
            from: settings
                .from
                .parse()
                .context("mail's sender is written as in Stead <stead@example.org>")?,
            server: settings.server.clone(),
        })
    }

    /// The server, to be shown.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Whom mail comes from.
    pub fn from(&self) -> String {
        self.from.to_string()
    }

    /// Connects and signs in, and sends nothing.
    ///
    /// # Errors
    /// Why it can't.
    pub async fn try_out(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.transport.test_connection().await?, "it doesn't answer as a mail server does");
        Ok(())
    }

    /// Sends a mail. `id` stays the same when it is tried again, so that it is shown once.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn send(
        &self,
        id: &str,
        to: &str,
        subject: &str,
        (text, html): (&str, &str),
    ) -> Result<(), Failed> {
        let never = |what: &dyn std::fmt::Display| Failed::Never(what.to_string());
        let address = to;
        let to: Mailbox = to.parse().map_err(|_| never(&"the address is no address"))?;
        let message = Message::builder()
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            // No machine should answer it (RFC 3834).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .multipart(MultiPart::alternative_plain_html(text.to_owned(), html.to_owned()))
            .map_err(|error| never(&error))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => {
                // Servers repeat the address; whom mail was for is nobody's else to read.
                let why = error.to_string().replace(address, "…");
                // There is no such mailbox (RFC 3463, 5.1.x): no use in trying again. Whatever else is
                // refused for good may be the server's mistake of an hour.
                let mailbox = error.is_permanent() && (why.contains(" 5.1.") || why.contains("(5.1."));
                Err(if mailbox { Failed::Never(why) } else { Failed::Later(why) })
            }
        }
    }
}

fn parameters(host: &str, settings: &Settings) -> anyhow::Result<TlsParameters> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = &settings.trust {
        let pem = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let certificate = Certificate::from_pem(&pem)
            .with_context(|| format!("{} holds no certificate", path.display()))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().context("TLS to the mail server cannot be set up")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(server: &str) -> Settings {
        Settings {
            server: server.to_owned(),
            user: None,
            password: None,
            from: "Stead <stead@stead.example>".to_owned(),
            trust: None,
        }
    }

    #[tokio::test]
    async fn mail_never_leaves_this_machine_in_the_clear() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        for (server, taken) in [
            ("smtps://mail.stead.example", true),
            ("smtp+starttls://mail.stead.example:2525", true),
            ("smtp://localhost:2525", true),
            ("smtp://mail.stead.example", false),
            ("smtp://localhost.stead.example", false),
            ("http://mail.stead.example", false),
            ("mail.stead.example", false),
            ("smtps://mail.stead.example:x", false),
        ] {
            assert_eq!(Mail::new(&settings(server)).is_ok(), taken, "{server}");
        }
    }
}

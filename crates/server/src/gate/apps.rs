//! What stands behind the gate, as the operator wrote it down:
//!
//! ```toml
//! proof_lasts = "PT4H"          # how long a device's proof is good for
//!
//! [[application]]
//! name = "records"              # in addresses
//! title = "Personnel records"   # on pages
//! url = "https://records.example.org"
//! tier = "restricted"           # of those that the policy names
//! certificates = true           # the proxy asks each connection for the device's certificate
//! ```

use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;
use stead_model::{message::PROOF_PORT, time::HOUR};
use stead_policy::{Pack, rule};

use super::tunnels::{self, Tunnel};

/// What stands behind the gate.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a device's proof is good for, in milliseconds.
    pub proof_lasts: i64,
    /// The port at which agents listen on their own machine.
    pub agent_port: u16,
    /// The applications.
    pub applications: Vec<Application>,
    /// The tunnels.
    pub tunnels: Vec<Tunnel>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { proof_lasts: 4 * HOUR, agent_port: PROOF_PORT, applications: Vec::new(), tunnels: Vec::new() }
    }
}

/// Something that stands behind the gate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Its name in addresses: small letters, digits and hyphens.
    pub name: String,
    /// Its name on pages.
    pub title: String,
    /// Where browsers find it: scheme, host and port.
    pub url: String,
    /// The tier that it takes.
    pub tier: String,
    /// Whether each connection must be made with the device's certificate, as the proxy asks for it and says.
    #[serde(default)]
    pub certificates: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    proof_lasts: Option<String>,
    #[serde(default)]
    agent_port: Option<u16>,
    #[serde(default)]
    application: Vec<Application>,
    #[serde(default)]
    tunnel: Vec<tunnels::Written>,
}

impl Settings {
    /// Reads the operator's file.
    ///
    /// # Errors
    /// When it cannot be read or something in it is not right; the words say what to do.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} cannot be used", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let file: File = toml::from_str(text)?;
        let standard = Self::default();
        let proof_lasts = match file.proof_lasts {
            None => standard.proof_lasts,
            Some(text) => rule::duration(&text)
                .filter(|lasts| (60_000..=24 * HOUR).contains(lasts))
                .with_context(|| format!("proof_lasts is {text}; write a time from PT1M to PT24H"))?,
        };
        let mut seen = Vec::new();
        for app in &file.application {
            if !is_name(&app.name) {
                bail!(
                    "an application is named {:?}; use up to 40 small letters, digits and hyphens",
                    app.name
                );
            }
            if seen.contains(&&app.name) {
                bail!("two applications are named {}", app.name);
            }
            seen.push(&app.name);
            let url = reqwest::Url::parse(&app.url).with_context(|| format!("the url of {}", app.name))?;
            let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() || !bare {
                bail!(
                    "the url of {} is {}; give scheme and host alone, as in https://wiki.example.org",
                    app.name,
                    app.url
                );
            }
            if url.scheme() == "http" && !is_here(&url) {
                bail!("the url of {} is not https: what browsers carry there could be read", app.name);
            }
        }
        let applications = file
            .application
            .into_iter()
            .map(|app| Application { url: app.url.trim_end_matches('/').to_owned(), ..app })
            .collect();
        let mut tunnels: Vec<Tunnel> = Vec::new();
        for written in file.tunnel {
            let tunnel = written.read()?;
            if tunnels.iter().any(|other| other.name == tunnel.name) {
                bail!("two tunnels are named {}", tunnel.name);
            }
            tunnels.push(tunnel);
        }
        Ok(Self {
            proof_lasts,
            agent_port: file.agent_port.unwrap_or(standard.agent_port),
            applications,
            tunnels,
        })
    }

    /// The application of this name.
    pub fn application(&self, name: &str) -> Option<&Application> {
        self.applications.iter().find(|app| app.name == name)
    }

    /// Whether anything here asks for a device's certificate.
    pub fn asks_for_certificates(&self) -> bool {
        self.applications.iter().any(|app| app.certificates)
    }

    /// The tunnel of this name, and its place among them.
    pub fn tunnel(&self, name: &str) -> Option<(usize, &Tunnel)> {
        self.tunnels.iter().enumerate().find(|(_, tunnel)| tunnel.name == name)
    }

    /// Whether the policy has every tier that is named.
    ///
    /// # Errors
    /// The first that it has not.
    pub fn fits(&self, pack: &Pack) -> anyhow::Result<()> {
        self.tunnels.iter().try_for_each(|tunnel| tunnel.fits(pack))?;
        let tiers = &pack.manifest.tiers;
        match self.applications.iter().find(|app| !tiers.contains(&app.tier)) {
            Some(app) => {
                bail!("{} takes the tier {}; the policy has {}", app.name, app.tier, tiers.join(", "))
            }
            None => Ok(()),
        }
    }
}

impl Application {
    /// Which of the policy's tiers it takes, counted from the least protected. One that the policy does not
    /// have any more counts as the most protected there is.
    pub fn place(&self, pack: &Pack) -> usize {
        place(pack, &self.tier)
    }
}

/// Which of the policy's tiers this is, counted from the least protected; the most protected where it has none such.
pub(super) fn place(pack: &Pack, tier: &str) -> usize {
    let tiers = &pack.manifest.tiers;
    tiers.iter().position(|known| known == tier).unwrap_or(tiers.len().saturating_sub(1))
}

/// Whether something may be called this in addresses and commands.
pub(super) fn is_name(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (1..=40).contains(&text.len()) && plain
}

/// Whether an address leads to this machine and nowhere else.
fn is_here(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let number = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || number.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(line: &str) -> String {
        let mut fields = std::collections::BTreeMap::from([
            ("name", "\"wiki\""),
            ("title", "\"Wiki\""),
            ("url", "\"https://wiki.example.org\""),
            ("tier", "\"standard\""),
        ]);
        if let Some((name, value)) = line.split_once(" = ") {
            fields.insert(name, value);
        }
        let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        format!("[[application]]\n{}\n", lines.join("\n"))
    }

    #[test]
    fn what_is_written_down_is_read() {
        let text = format!("proof_lasts = \"PT30M\"\n{}", app("url = \"https://wiki.example.org/\""));
        let settings = Settings::parse(&text).unwrap();
        assert_eq!(settings.proof_lasts, 30 * 60_000);
        let wiki = settings.application("wiki").unwrap();
        assert_eq!(wiki.url, "https://wiki.example.org");
        assert!(settings.application("wik").is_none());
        let pack = stead_policy::Pack::load(&stead_policy::shipped::remote_work()).unwrap();
        assert_eq!(wiki.place(&pack), 1);
        let gone = Application { tier: "gone".to_owned(), ..wiki.clone() };
        assert_eq!(gone.place(&pack), 2, "what nobody knows is the most protected");
        settings.fits(&pack).unwrap();
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        for (text, why) in [
            (app("name = \"Wiki\""), "small letters"),
            (app("name = \"\""), "small letters"),
            (app("url = \"http://wiki.example.org\""), "not https"),
            (app("url = \"https://wiki.example.org/path\""), "scheme and host alone"),
            (app("url = \"ftp://wiki.example.org\""), "scheme and host alone"),
            (app("url = \"wiki\""), "the url of wiki"),
            (app("color = \"red\""), "unknown field"),
            (format!("{}{}", app(""), app("")), "two applications"),
            (format!("proof_lasts = \"P2D\"\n{}", app("")), "PT24H"),
        ] {
            let said = format!("{:#}", Settings::parse(&text).unwrap_err());
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}

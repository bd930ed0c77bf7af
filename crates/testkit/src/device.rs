//! A simulated device: it enrols, seals and numbers its messages as the agent does, with facts of the
//! test's choosing.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use stead_model::{
    DeviceId, Fact, Facts, Millis, Value,
    fact::{Field, Record},
    message::{
        self, DELIVERY, Delivery, ENROLMENT, Enrolled, Enrolment, HEARTBEAT, Heartbeat, REPORT, Report,
        SHOWN, Shown, VERSION,
    },
    seal::{Envelope, Seed, SigningKey},
    tunnel::{PublicKey, TUNNEL_ASKED, TunnelAsked},
};

use crate::client::Client;

/// A device.
#[derive(Debug)]
pub struct SimDevice {
    /// Its id, as the server gave it.
    pub id: DeviceId,
    /// The key that the server signs its answers with, base64.
    pub answer_key: String,
    /// Number of its last message.
    pub seq: i64,
    key: SigningKey,
}

/// The facts of a computer that passes every rule that is measured.
pub fn good_facts() -> Facts {
    let volume = |mount: &str, encrypted: bool, how: &str| {
        Record::from([
            ("mount".to_owned(), Field::from(mount)),
            ("encrypted".to_owned(), Field::from(encrypted)),
            ("how".to_owned(), Field::from(how)),
        ])
    };
    let known = [
        ("device.kind", Value::from("computer"), "built in"),
        ("device.place.kind", Value::from("home"), "/proc/net/route, /proc/net/arp"),
        ("device.os.system", Value::from("debian"), "/etc/os-release"),
        ("device.os.release", Value::from("13"), "/etc/os-release"),
        ("device.os.name", Value::from("Debian GNU/Linux 13 (trixie)"), "/etc/os-release"),
        (
            "device.volumes",
            Value::from(vec![
                volume("/", true, "encrypted (LUKS2)"),
                volume("swap", true, "encrypted (LUKS2)"),
            ]),
            "/proc/self/mountinfo",
        ),
        ("device.firewall.denies_inbound", Value::from(true), "nft -j list ruleset"),
        (
            "device.firewall.by",
            Value::from("nftables: filter input refuses what is not allowed"),
            "nft -j list ruleset",
        ),
        ("device.screen.lock_after", Value::from(300_i64), "gsettings"),
        ("device.login.automatic", Value::from(false), "settings of GDM"),
        ("device.updates.security_pending", Value::from(0_i64), "lists of apt"),
        ("device.updates.automatic", Value::from(true), "/etc/apt/apt.conf.d"),
        ("device.antivirus.running", Value::from(true), "names of running processes"),
        ("device.antivirus.product", Value::from("ClamAV"), "names of running processes"),
        ("device.remote_login.open", Value::from(false), "/proc/net/tcp"),
        ("device.doors", Value::List(Vec::new()), "/proc/net/tcp"),
        ("device.secure_boot", Value::from(true), "/sys/firmware/efi/efivars"),
        ("device.wifi.security", Value::from("wpa3"), "nmcli device wifi"),
        ("device.tunnel.carries_traffic", Value::from(true), "ip route get"),
        ("device.password_manager.present", Value::from(true), "/usr/bin/keepassxc"),
        ("device.clock.synchronised", Value::from(true), "timedatectl show"),
        ("device.accounts.administrators", Value::from(1_i64), "/etc/group"),
        ("device.mail.foreign_accounts", Value::from(0_i64), "test"),
    ];
    known.into_iter().map(|(name, value, origin)| (name.to_owned(), Fact::known(value, origin))).collect()
}

/// [`good_facts`] with lists and signatures as fresh as `now`.
pub fn good_facts_at(now: Millis) -> Facts {
    let mut facts = good_facts();
    for name in ["device.updates.checked_at", "device.antivirus.signatures_at"] {
        facts.insert(name.to_owned(), Fact::known(now.0, "test"));
    }
    facts
}

impl SimDevice {
    /// The sealed enrolment of a device whose key is made from `seed`.
    pub fn enrolment(seed: [u8; 32], code: &str, name: &str, now: Millis) -> (SigningKey, Envelope) {
        let key = key(seed);
        let enrolment = Enrolment {
            v: VERSION,
            code: code.to_owned(),
            public_key: key.public_text(),
            name: name.to_owned(),
            machine: format!("machine of {name}"),
            at: now,
        };
        let envelope = key.seal(ENROLMENT, &json(&enrolment), "");
        (key, envelope)
    }

    /// The device that was enrolled with a key made from `seed`.
    pub fn with_identity(seed: [u8; 32], enrolled: Enrolled) -> Self {
        Self { id: enrolled.device, answer_key: enrolled.answer_key, seq: 0, key: key(seed) }
    }

    /// Enrols over a connection.
    ///
    /// # Errors
    /// What the server said.
    pub fn enrol(
        client: &mut Client,
        seed: [u8; 32],
        code: &str,
        name: &str,
        now: Millis,
    ) -> Result<Self, String> {
        let (key, envelope) = Self::enrolment(seed, code, name, now);
        let (status, body) =
            client.post("/api/v1/enrolments", &text(&envelope)).map_err(|e| e.to_string())?;
        if status != 201 {
            return Err(body);
        }
        let enrolled: Enrolled = serde_json::from_str(&body).map_err(|e| e.to_string())?;
        Ok(Self { id: enrolled.device, answer_key: enrolled.answer_key, seq: 0, key })
    }

    /// The next report, sealed.
    pub fn report(&mut self, facts: &Facts, now: Millis) -> Envelope {
        self.seq += 1;
        self.report_numbered(self.seq, facts, now)
    }

    /// A report with a number of the test's choosing.
    pub fn report_numbered(&self, seq: i64, facts: &Facts, now: Millis) -> Envelope {
        let facts = message::canonical_facts(facts).unwrap_or_default();
        let report = Report {
            v: VERSION,
            device: self.id,
            seq,
            at: now,
            agent: "test".to_owned(),
            read_at: BTreeMap::new(),
            facts: &facts,
        };
        self.key.seal(REPORT, &json(&report), &self.id.to_string())
    }

    /// The next heartbeat, sealed.
    pub fn heartbeat(&mut self, facts_digest: &str, now: Millis) -> Envelope {
        self.seq += 1;
        let heartbeat = Heartbeat {
            v: VERSION,
            device: self.id,
            seq: self.seq,
            at: now,
            facts_digest: facts_digest.to_owned(),
        };
        self.key.seal(HEARTBEAT, &json(&heartbeat), &self.id.to_string())
    }

    /// A message that waited, sent on.
    pub fn deliver(&self, late: Envelope, now: Millis) -> Envelope {
        let delivery = Delivery { v: VERSION, device: self.id, sent_at: now, late };
        self.seal(DELIVERY, &json(&delivery))
    }

    /// What the device's agent sends a browser back with that brought it a question.
    pub fn show(&self, question: &str, now: Millis) -> String {
        let shown = Shown { v: VERSION, device: self.id, at: now, question: question.to_owned() };
        let payload = serde_json::to_vec(&shown).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(text(&self.seal(SHOWN, &payload)))
    }

    /// What the device's agent sends when it wants to be let through a tunnel.
    pub fn ask_tunnel(&self, tunnel: Option<&str>, key: PublicKey, now: Millis) -> Envelope {
        let asked =
            TunnelAsked { v: VERSION, device: self.id, at: now, tunnel: tunnel.map(str::to_owned), key };
        self.seal(TUNNEL_ASKED, &json(&asked))
    }

    /// Seals a payload of the test's choosing as this device.
    pub fn seal(&self, payload_type: &str, payload: &[u8]) -> Envelope {
        self.key.seal(payload_type, payload, &self.id.to_string())
    }
}

/// The digest that a report of these facts has.
pub fn digest_of(facts: &Facts) -> String {
    message::canonical_facts(facts).map(|facts| message::facts_digest(&facts)).unwrap_or_default()
}

/// An envelope as it is posted.
pub fn text(envelope: &Envelope) -> String {
    serde_json::to_string(envelope).unwrap_or_default()
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[expect(clippy::panic, reason = "any 32 bytes are a seed; a test that has none cannot go on")]
fn key(seed: [u8; 32]) -> SigningKey {
    SigningKey::from_seed(&Seed::new(seed)).unwrap_or_else(|error| panic!("{error}"))
}

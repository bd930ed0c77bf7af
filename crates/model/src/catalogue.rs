//! The published list of facts. An agent sends nothing that is not named here, a rule can ask for
//! nothing that is not named here, and the page "what we know about you" is made from it.

/// The type of a value, for checking rules before they judge anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactType {
    /// Yes or no.
    Bool,
    /// A whole number.
    Int,
    /// Words.
    Text,
    /// A point in time, in milliseconds.
    Time,
    /// A list of records with these fields.
    List(&'static [(&'static str, FactType)]),
}

/// Who knows a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The agent measures it on the device.
    Device,
    /// The server's own records hold it.
    Record,
}

/// One fact that Stead may hold.
#[derive(Clone, Debug)]
pub struct FactSpec {
    /// Its name in rules and reports.
    pub name: &'static str,
    /// Its type.
    pub kind: FactType,
    /// Who knows it.
    pub source: Source,
    /// What it says, for the person it is about.
    pub about: &'static str,
}

const VOLUME: &[(&str, FactType)] =
    &[("mount", FactType::Text), ("encrypted", FactType::Bool), ("how", FactType::Text)];
const DOOR: &[(&str, FactType)] = &[("port", FactType::Int), ("program", FactType::Text)];

const fn device(name: &'static str, kind: FactType, about: &'static str) -> FactSpec {
    FactSpec { name, kind, source: Source::Device, about }
}

/// Every fact about a device.
pub const DEVICE: &[FactSpec] = &[
    device("device.kind", FactType::Text, "Whether it is a computer or a phone"),
    FactSpec {
        name: "device.owner",
        kind: FactType::Text,
        source: Source::Record,
        about: "Whether the organisation or the person owns it, as written down at enrolment",
    },
    device("device.os.system", FactType::Text, "The operating system"),
    device("device.os.release", FactType::Text, "The release of the operating system"),
    device("device.os.name", FactType::Text, "The operating system's name for itself"),
    device(
        "device.volumes",
        FactType::List(VOLUME),
        "Where fixed disks and swap are mounted and whether each is encrypted, never what is on them",
    ),
    device(
        "device.firewall.denies_inbound",
        FactType::Bool,
        "Whether connections from outside are refused unless allowed",
    ),
    device("device.firewall.by", FactType::Text, "Which firewall does it"),
    device(
        "device.screen.lock_after",
        FactType::Int,
        "Seconds of idleness until the screen is locked; 0 is never",
    ),
    device(
        "device.login.automatic",
        FactType::Bool,
        "Whether somebody is signed in without a password when it starts",
    ),
    device("device.updates.security_pending", FactType::Int, "How many security updates wait, never which"),
    device("device.updates.checked_at", FactType::Time, "When the list of updates was last fetched"),
    device("device.updates.automatic", FactType::Bool, "Whether security updates install themselves"),
    device("device.antivirus.running", FactType::Bool, "Whether virus protection runs"),
    device("device.antivirus.product", FactType::Text, "Which virus protection runs"),
    device("device.antivirus.signatures_at", FactType::Time, "When its signatures were last renewed"),
    device("device.remote_login.open", FactType::Bool, "Whether somebody can sign in over the network"),
    device(
        "device.doors",
        FactType::List(DOOR),
        "Which programs take connections from other machines, and on which port",
    ),
    device("device.secure_boot", FactType::Bool, "Whether only signed systems can start"),
    device(
        "device.wifi.security",
        FactType::Text,
        "How the Wi-Fi in use is encrypted: open, wep, wpa, wpa2, wpa3 or enterprise; never its name",
    ),
    device(
        "device.tunnel.carries_traffic",
        FactType::Bool,
        "Whether a tunnel carries what goes to the internet",
    ),
    device(
        "device.password_manager.present",
        FactType::Bool,
        "Whether a password manager is installed, never what is in it",
    ),
    device("device.clock.synchronised", FactType::Bool, "Whether the clock is kept right over the network"),
    device(
        "device.accounts.administrators",
        FactType::Int,
        "How many people's accounts have administrator rights, never whose",
    ),
    device(
        "device.mail.foreign_accounts",
        FactType::Int,
        "How many mail and calendar accounts are not the organisation's, never which",
    ),
];

/// The fact of this name.
pub fn find(name: &str) -> Option<&'static FactSpec> {
    DEVICE.iter().find(|spec| spec.name == name)
}

/// The published name nearest to `name`, for an error that helps.
pub fn nearest(name: &str) -> Option<&'static str> {
    DEVICE
        .iter()
        .map(|spec| (distance(spec.name, name), spec.name))
        .min()
        .filter(|(distance, _)| *distance <= name.len().div_ceil(3))
        .map(|(_, name)| name)
}

/// Levenshtein distance: how many letters must change.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_helpfully_near() {
        for (i, spec) in DEVICE.iter().enumerate() {
            assert!(DEVICE[i + 1..].iter().all(|other| other.name != spec.name), "{}", spec.name);
        }
        assert_eq!(nearest("device.volume"), Some("device.volumes"));
        assert_eq!(nearest("weather"), None);
    }
}

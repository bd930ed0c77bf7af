//! Which system and release: `/etc/os-release` (freedesktop.org os-release).

use stead_model::{Fact, Facts};

use super::value_of;
use crate::host::Host;

const ORIGIN: &str = "/etc/os-release";

pub fn facts(host: &Host) -> Facts {
    let text = host.read(ORIGIN).or_else(|_| host.read("/usr/lib/os-release"));
    let (system, release, name) = match &text {
        Err(why) => (Fact::unknown(why, ORIGIN), Fact::unknown(why, ORIGIN), Fact::unknown(why, ORIGIN)),
        Ok(text) => named(text),
    };
    Facts::from([
        ("device.kind".to_owned(), Fact::known("computer", "built in")),
        ("device.os.system".to_owned(), system),
        ("device.os.release".to_owned(), release),
        ("device.os.name".to_owned(), name),
    ])
}

fn named(text: &str) -> (Fact, Fact, Fact) {
    let id = value_of(text, "ID").unwrap_or_default();
    let version = value_of(text, "VERSION_ID").unwrap_or_default();
    let (system, release) = in_table(id, version, value_of(text, "NAME").unwrap_or_default());
    let release = match release {
        Some(release) => Fact::known(release, ORIGIN),
        None => {
            Fact::unknown(format!("{id} does not say which release it is; it may be a test release"), ORIGIN)
        }
    };
    let system = if id.is_empty() {
        Fact::unknown("the system does not say its name", ORIGIN)
    } else {
        Fact::known(system, ORIGIN)
    };
    let name = value_of(text, "PRETTY_NAME").unwrap_or(id);
    (system, release, Fact::known(name, ORIGIN))
}

/// System and release by the names that the table of supported systems uses.
fn in_table(id: &str, version: &str, name: &str) -> (String, Option<String>) {
    let parts = |count: usize| {
        (!version.is_empty()).then(|| version.split('.').take(count).collect::<Vec<_>>().join("."))
    };
    match id {
        "arch" | "manjaro" | "opensuse-tumbleweed" => (id.to_owned(), Some("rolling".to_owned())),
        "opensuse-leap" => ("opensuse".to_owned(), parts(2)),
        "rocky" => ("rocky-linux".to_owned(), parts(1)),
        "pop" => ("pop-os".to_owned(), parts(2)),
        "alpine" => ("alpine-linux".to_owned(), parts(2)),
        "centos" => ("centos-stream".to_owned(), parts(1)),
        "rhel" | "almalinux" | "debian" | "fedora" => (id.to_owned(), parts(1)),
        "linuxmint" if name == "LMDE" => (id.to_owned(), parts(1).map(|version| format!("lmde{version}"))),
        _ => (id.to_owned(), parts(2)),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};

    #[test]
    fn releases_are_named_as_in_the_table() {
        for (text, system, release) in [
            ("ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"", "debian", "12"),
            ("ID=ubuntu\nVERSION_ID=\"24.04\"", "ubuntu", "24.04"),
            ("ID=\"rocky\"\nVERSION_ID=\"9.4\"", "rocky-linux", "9"),
            ("ID=arch", "arch", "rolling"),
            ("NAME=LMDE\nID=linuxmint\nVERSION_ID=\"6\"", "linuxmint", "lmde6"),
            ("ID=alpine\nVERSION_ID=3.22.1", "alpine-linux", "3.22"),
        ] {
            let (host, _folder) = machine(0, &[("/etc/os-release", text)]);
            let facts = facts(&host);
            assert_eq!(known(&facts, "device.os.system"), system.into());
            assert_eq!(known(&facts, "device.os.release"), release.into());
        }
    }

    #[test]
    fn a_test_release_is_unknown() {
        let (host, _folder) =
            machine(0, &[("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian forky/sid\"")]);
        assert!(is_unknown(&facts(&host), "device.os.release").contains("test release"));
        let (host, _folder) = machine(0, &[]);
        assert!(is_unknown(&facts(&host), "device.os.system").contains("there is no"));
    }
}

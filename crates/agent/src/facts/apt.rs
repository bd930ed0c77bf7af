//! Security updates that wait on systems with apt: packages installed in an older version than the
//! security archive's list names. Read from the lists themselves, which is quicker than asking apt.

use std::{cmp::Ordering, collections::HashMap};

use super::LONG;
use crate::host::Host;

pub const LISTS: &str = "/var/lib/apt/lists";
pub const STATUS: &str = "/var/lib/dpkg/status";

/// How many security updates wait.
///
/// # Errors
/// Why it cannot be told.
pub fn pending(host: &Host) -> Result<i64, String> {
    let mut newest: HashMap<String, String> = HashMap::new();
    let mut lists = 0;
    for name in host.list(LISTS)? {
        if !name.contains("_Packages") || !name.contains("-security_") {
            continue;
        }
        let path = format!("{LISTS}/{name}");
        let text = if name.ends_with("_Packages") {
            host.read(&path)?
        } else {
            // Compressed lists are read by the helper that apt itself reads them with.
            host.run("apt-helper", &["cat-file", &path], LONG)?
        };
        lists += 1;
        for (package, version) in stanzas(&text, false) {
            let known = newest.entry(package).or_default();
            if known.is_empty() || compare(&version, known) == Ordering::Greater {
                *known = version;
            }
        }
    }
    if lists == 0 {
        return Err("there is no list of security updates; run `sudo apt update`".to_owned());
    }
    let status = host.read(STATUS)?;
    let pending = stanzas(&status, true)
        .filter(|(package, version)| {
            newest.get(package).is_some_and(|new| compare(new, version) == Ordering::Greater)
        })
        .count();
    Ok(i64::try_from(pending).unwrap_or(i64::MAX))
}

/// Package (with its architecture) and version of each paragraph; of installed ones alone where asked.
fn stanzas(text: &str, installed: bool) -> impl Iterator<Item = (String, String)> + '_ {
    text.split("\n\n").filter_map(move |stanza| {
        let (mut package, mut version, mut architecture, mut there) = ("", "", "", !installed);
        for line in stanza.lines() {
            // Only fields at the start of a line; long descriptions are indented.
            match line.as_bytes().first() {
                Some(b'P') => package = line.strip_prefix("Package: ").unwrap_or(package),
                Some(b'V') => version = line.strip_prefix("Version: ").unwrap_or(version),
                Some(b'A') => architecture = line.strip_prefix("Architecture: ").unwrap_or(architecture),
                Some(b'S') => there |= line.starts_with("Status: ") && line.ends_with(" installed"),
                _ => {}
            }
        }
        (there && !package.is_empty() && !version.is_empty())
            .then(|| (format!("{package}:{architecture}"), version.to_owned()))
    })
}

/// Compares two versions as Debian does (deb-version, section "Sorting algorithm").
pub fn compare(a: &str, b: &str) -> Ordering {
    let (epoch_a, upstream_a, revision_a) = parts(a);
    let (epoch_b, upstream_b, revision_b) = parts(b);
    epoch_a
        .cmp(&epoch_b)
        .then_with(|| compare_part(upstream_a, upstream_b))
        .then_with(|| compare_part(revision_a, revision_b))
}

fn parts(version: &str) -> (u64, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    (epoch.trim().parse().unwrap_or(0), upstream, revision)
}

fn compare_part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let is_digit = |c: &u8| c.is_ascii_digit();
        let words = |part: &[u8]| part.iter().position(is_digit).unwrap_or(part.len());
        let (word_a, rest_a) = a.split_at(words(a));
        let (word_b, rest_b) = b.split_at(words(b));
        for i in 0..word_a.len().max(word_b.len()) {
            let ordered = weight(word_a.get(i)).cmp(&weight(word_b.get(i)));
            if ordered != Ordering::Equal {
                return ordered;
            }
        }
        let numbers = |part: &[u8]| part.iter().position(|c| !is_digit(c)).unwrap_or(part.len());
        let (number_a, rest_a) = rest_a.split_at(numbers(rest_a));
        let (number_b, rest_b) = rest_b.split_at(numbers(rest_b));
        let trimmed = |n: &[u8]| n.iter().position(|c| *c != b'0').map_or(Vec::new(), |i| n[i..].to_vec());
        let (number_a, number_b) = (trimmed(number_a), trimmed(number_b));
        let ordered = number_a.len().cmp(&number_b.len()).then(number_a.cmp(&number_b));
        if ordered != Ordering::Equal {
            return ordered;
        }
        if rest_a.is_empty() && rest_b.is_empty() {
            return Ordering::Equal;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// A tilde sorts before the end of the part, letters before all else.
fn weight(c: Option<&u8>) -> i32 {
    match c {
        Some(b'~') => -1,
        None => 0,
        Some(c) if c.is_ascii_alphabetic() => i32::from(*c),
        Some(c) => i32::from(*c) + 256,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{super::testing::*, *};

    const VERSIONS: [&str; 22] = [
        "1.0",
        "1.0-1",
        "1.0-1~deb12u1",
        "1.0-1+deb12u1",
        "1:0.9",
        "2.0~rc1",
        "2.0",
        "2.0+dfsg-1",
        "2.0+dfsg1-1",
        "10.2",
        "9.9",
        "1.2.3-4ubuntu0.1",
        "1.2.3-4ubuntu0.10",
        "1.2.3-4",
        "0",
        "0.0",
        "1.0a",
        "1.0.a",
        "252.39-1~deb12u2",
        "252.38-1~deb12u1",
        "2026b-0+deb12u1",
        "5.10.0-1-2",
    ];

    /// dpkg itself is the judge, where it is installed.
    #[test]
    fn versions_compare_as_dpkg_does() {
        if !std::path::Path::new("/usr/bin/dpkg").exists() {
            eprintln!("skipped: dpkg is not installed");
            return;
        }
        for a in VERSIONS {
            for b in VERSIONS {
                let less = Command::new("/usr/bin/dpkg")
                    .args(["--compare-versions", a, "lt", b])
                    .status()
                    .unwrap()
                    .success();
                assert_eq!(compare(a, b) == Ordering::Less, less, "{a} {b}");
                assert_eq!(compare(b, a) == Ordering::Greater, less, "{b} {a}");
            }
        }
    }

    const INSTALLED: &str = "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.1-1\nDescription: x\n Package: fake\n\n\
        Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\nPackage: tzdata\nStatus: install ok installed\nArchitecture: all\nVersion: 2025b\n";

    #[test]
    fn only_installed_packages_with_a_newer_security_version_count() {
        let security = "Package: openssl\nArchitecture: amd64\nVersion: 3.0.2-1\n\nPackage: gone\nArchitecture: amd64\nVersion: 2\n\nPackage: tzdata\nArchitecture: all\nVersion: 2025b\n";
        let other = "Package: tzdata\nArchitecture: all\nVersion: 2026b\n";
        let (host, _folder) = machine(
            0,
            &[
                (STATUS, INSTALLED),
                ("/var/lib/apt/lists/x_dists_bookworm-security_main_binary-amd64_Packages", security),
                ("/var/lib/apt/lists/x_dists_bookworm_main_binary-amd64_Packages", other),
            ],
        );
        assert_eq!(pending(&host), Ok(1));
    }

    #[test]
    fn no_list_of_security_updates_is_unknown() {
        let (host, _folder) = machine(0, &[(STATUS, INSTALLED)]);
        assert!(pending(&host).unwrap_err().contains("apt update"));
        let (host, _folder) =
            machine(0, &[(STATUS, INSTALLED), ("/var/lib/apt/lists/x-security_Packages.lz4", "")]);
        let host = host.answering(
            "apt-helper cat-file /var/lib/apt/lists/x-security_Packages.lz4",
            Err("apt-helper ended with an error"),
        );
        assert!(pending(&host).is_err());
    }
}

//! Whether virus protection runs, by the exact names of processes, and how old its signatures are.

use stead_model::{Fact, Facts};

use super::processes;
use crate::host::Host;

/// What is known of a product's signatures.
enum Signatures {
    /// The newest of these files.
    Files(&'static [&'static str]),
    /// It works without.
    None,
    /// It keeps them to itself.
    Hidden,
}

/// Process name (the kernel cuts it to 15 characters), product, signatures.
const PRODUCTS: [(&str, &str, Signatures); 10] = [
    ("clamd", "ClamAV", Signatures::Files(&["/var/lib/clamav/daily.cld", "/var/lib/clamav/daily.cvd"])),
    ("falcon-sensor", "CrowdStrike Falcon", Signatures::None),
    ("s1-agent", "SentinelOne", Signatures::None),
    ("wdavdaemon", "Microsoft Defender", Signatures::Hidden),
    ("sophos-spl-core", "Sophos", Signatures::Hidden),
    ("savd", "Sophos", Signatures::Hidden),
    ("oaeventd", "ESET", Signatures::Hidden),
    ("elastic-endpoin", "Elastic Defend", Signatures::Hidden),
    ("bdsecd", "Bitdefender", Signatures::Hidden),
    ("cbagentd", "Carbon Black", Signatures::None),
];

pub fn facts(host: &Host) -> Facts {
    let origin = "names of running processes";
    let (running, product, signatures) = match processes(host) {
        Err(why) => (Fact::unknown(&why, origin), Fact::unknown(&why, origin), Fact::unknown(&why, origin)),
        Ok(seen) => match PRODUCTS.iter().find(|(name, _, _)| seen.iter().any(|(_, other)| other == name)) {
            Some((_, product, signatures)) => {
                (Fact::known(true, origin), Fact::known(*product, origin), age(host, product, signatures))
            }
            None => {
                let none = "no virus protection that Stead knows runs";
                (
                    Fact::known(false, origin),
                    Fact::not_applicable(none, origin),
                    Fact::not_applicable(none, origin),
                )
            }
        },
    };
    Facts::from([
        ("device.antivirus.running".to_owned(), running),
        ("device.antivirus.product".to_owned(), product),
        ("device.antivirus.signatures_at".to_owned(), signatures),
    ])
}

fn age(host: &Host, product: &str, signatures: &Signatures) -> Fact {
    match signatures {
        Signatures::Files(files) => files.iter().filter_map(|file| host.modified(file)).max().map_or_else(
            || {
                Fact::unknown(
                    format!("{product} runs, and its signatures are not where they should be"),
                    files[0],
                )
            },
            |time| Fact::known(time.0, files[0]),
        ),
        Signatures::None => {
            Fact::not_applicable(format!("{product} works without signatures"), "names of running processes")
        }
        Signatures::Hidden => Fact::unknown(
            format!("{product} does not tell Stead how old its signatures are"),
            "names of running processes",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};

    #[test]
    fn only_the_exact_name_of_a_running_process_counts() {
        let (host, _folder) = machine(
            1000,
            &[
                ("/proc/1/comm", "systemd\n"),
                ("/proc/50/comm", "clamd-notes.txt\n"),
                ("/proc/51/comm", "freshclam\n"),
                ("/usr/sbin/clamd", ""),
            ],
        );
        let facts_ = facts(&host);
        assert_eq!(known(&facts_, "device.antivirus.running"), false.into());
        assert!(is_not_applicable(&facts_, "device.antivirus.signatures_at"));
        let (host, _folder) = machine(
            1000,
            &[("/proc/1/comm", "init\n"), ("/proc/9/comm", "clamd\n"), ("/var/lib/clamav/daily.cvd", "")],
        );
        let facts_ = facts(&host);
        assert_eq!(known(&facts_, "device.antivirus.product"), "ClamAV".into());
        known(&facts_, "device.antivirus.signatures_at");
    }

    #[test]
    fn signatures_that_cannot_be_seen_are_unknown_and_hidden_processes_too() {
        let (host, _folder) = machine(1000, &[("/proc/1/comm", "init\n"), ("/proc/9/comm", "clamd\n")]);
        is_unknown(&facts(&host), "device.antivirus.signatures_at");
        let (host, _folder) = machine(1000, &[("/proc/900/comm", "bash\n")]);
        assert!(is_unknown(&facts(&host), "device.antivirus.running").contains("hidden"));
    }
}

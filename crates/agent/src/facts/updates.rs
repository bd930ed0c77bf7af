//! Pending security updates and whether they install themselves: apt, dnf, pacman, zypper.

use stead_model::{Fact, Facts, Millis};

use super::{LONG, apt};
use crate::{host::Host, kept::Kept};

const PENDING: &str = "device.updates.security_pending";
const CHECKED: &str = "device.updates.checked_at";
const AUTOMATIC: &str = "device.updates.automatic";

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
    Pacman,
    Zypper,
}

pub fn facts(host: &Host, kept: &Kept, now: Millis) -> (Facts, Millis) {
    let Some(manager) = manager(host) else {
        let why = "Stead knows apt, dnf, pacman and zypper, and finds none of them";
        let facts =
            [PENDING, CHECKED, AUTOMATIC].map(|name| (name.to_owned(), Fact::unknown(why, "/var/lib")));
        return (Facts::from(facts), now);
    };
    let mut depends_on: Vec<String> =
        lists(manager).iter().chain(installed(manager)).map(|path| (*path).to_owned()).collect();
    depends_on.extend(settings(manager).iter().map(|path| (*path).to_owned()));
    kept.get(host, "updates", &depends_on, now, || ask(host, manager))
}

fn manager(host: &Host) -> Option<Manager> {
    // By the database of what is installed, since tools of one system can be installed on another.
    [
        (Manager::Apt, "/var/lib/dpkg/status"),
        (Manager::Pacman, "/var/lib/pacman/local"),
        (Manager::Zypper, "/etc/zypp/repos.d"),
        (Manager::Dnf, "/etc/dnf/dnf.conf"),
    ]
    .into_iter()
    .find(|(_, path)| host.exists(path))
    .map(|(manager, _)| manager)
}

/// Where the lists of available packages are; their time is when they were fetched.
fn lists(manager: Manager) -> &'static [&'static str] {
    match manager {
        Manager::Apt => &[
            "/var/lib/apt/periodic/update-success-stamp",
            "/var/lib/apt/lists/partial",
            "/var/lib/apt/lists",
        ],
        Manager::Dnf => &["/var/cache/libdnf5", "/var/cache/dnf"],
        Manager::Pacman => &["/var/lib/pacman/sync"],
        Manager::Zypper => &["/var/cache/zypp/raw", "/var/cache/zypp/solv"],
    }
}

fn installed(manager: Manager) -> &'static [&'static str] {
    match manager {
        Manager::Apt => &[apt::STATUS],
        Manager::Dnf | Manager::Zypper => &[
            "/usr/lib/sysimage/rpm/rpmdb.sqlite",
            "/usr/lib/sysimage/rpm/Packages.db",
            "/var/lib/rpm/rpmdb.sqlite",
            "/var/lib/rpm/Packages",
        ],
        Manager::Pacman => &["/var/lib/pacman/local"],
    }
}

fn settings(manager: Manager) -> &'static [&'static str] {
    match manager {
        Manager::Apt => &[
            "/etc/apt/apt.conf",
            "/etc/apt/apt.conf.d",
            "/etc/apt/apt.conf.d/20auto-upgrades",
            "/etc/apt/apt.conf.d/50unattended-upgrades",
            "/etc/apt/apt.conf.d/10periodic",
            "/etc/systemd/system/timers.target.wants",
            "/etc/systemd/system",
        ],
        Manager::Dnf => &[
            "/etc/dnf/automatic.conf",
            "/etc/dnf/dnf5-plugins/automatic.conf",
            "/etc/systemd/system/timers.target.wants",
        ],
        Manager::Pacman => &[],
        Manager::Zypper => &[
            "/etc/sysconfig/automatic_online_update",
            "/etc/cron.daily",
            "/etc/systemd/system/timers.target.wants",
        ],
    }
}

fn ask(host: &Host, manager: Manager) -> Facts {
    let (pending, origin) = match manager {
        Manager::Apt => (apt::pending(host), "lists of apt, /var/lib/dpkg/status"),
        Manager::Dnf => (
            counted(host, "dnf", &["-q", "--cacheonly", "updateinfo", "list", "--security"], |line| {
                line.contains("/Sec.") || line.to_lowercase().contains("security")
            }),
            "dnf updateinfo list --security",
        ),
        Manager::Pacman => {
            (counted(host, "pacman", &["-Qu"], |line| !line.contains("[ignored]")), "pacman -Qu")
        }
        Manager::Zypper => (
            counted(
                host,
                "zypper",
                &["--no-refresh", "-x", "list-patches", "--category", "security"],
                |line| line.contains("<update "),
            ),
            "zypper list-patches --category security",
        ),
    };
    let checked = lists(manager).iter().filter_map(|path| host.modified(path)).max();
    let checked = checked.map_or_else(
        || Fact::unknown("the list of updates has never been fetched", lists(manager)[0]),
        |time| Fact::known(time.0, lists(manager)[0]),
    );
    let pending = match pending {
        Ok(number) => Fact::known(number, origin),
        Err(why) => Fact::unknown(why, origin),
    };
    Facts::from([
        (PENDING.to_owned(), pending),
        (CHECKED.to_owned(), checked),
        (AUTOMATIC.to_owned(), automatic(host, manager)),
    ])
}

fn counted(host: &Host, program: &str, arguments: &[&str], counts: fn(&str) -> bool) -> Result<i64, String> {
    match host.run(program, arguments, LONG) {
        Ok(text) => Ok(i64::try_from(text.lines().filter(|line| counts(line)).count()).unwrap_or(i64::MAX)),
        // `pacman -Qu` ends with an error when nothing waits.
        Err(why) if program == "pacman" && why.contains("ended with an error") => Ok(0),
        Err(why) => Err(why),
    }
}

fn automatic(host: &Host, manager: Manager) -> Fact {
    let (asked, origin) = match manager {
        Manager::Apt => (apt_automatic(host), "/etc/apt/apt.conf.d, apt-daily-upgrade.timer"),
        Manager::Dnf => (dnf_automatic(host), "/etc/dnf/automatic.conf, dnf-automatic.timer"),
        Manager::Pacman => (Ok(false), "pacman has no automatic updates"),
        Manager::Zypper => (zypper_automatic(host), "/etc/sysconfig/automatic_online_update"),
    };
    match asked {
        Ok(yes) => Fact::known(yes, origin),
        Err(why) => Fact::unknown(why, origin),
    }
}

fn timer_on(host: &Host, timer: &str) -> bool {
    let masked = host.link(&format!("/etc/systemd/system/{timer}")).as_deref() == Some("/dev/null");
    !masked && host.link(&format!("/etc/systemd/system/timers.target.wants/{timer}")).is_some()
}

/// The setting that installs, not the one that only refreshes lists; the program that does it; and the
/// timer that starts it.
fn apt_automatic(host: &Host) -> Result<bool, String> {
    let mut files = vec!["/etc/apt/apt.conf".to_owned()];
    let folder = "/etc/apt/apt.conf.d";
    files.extend(host.list(folder)?.into_iter().map(|name| format!("{folder}/{name}")));
    let mut value = String::new();
    for file in files {
        let text = host.read_if_there(&file)?.unwrap_or_default();
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("APT::Periodic::Unattended-Upgrade") {
                rest.trim().trim_end_matches(';').trim_matches('"').clone_into(&mut value);
            }
        }
    }
    let set = !value.is_empty() && value != "0";
    Ok(set && host.exists("/usr/bin/unattended-upgrade") && timer_on(host, "apt-daily-upgrade.timer"))
}

fn dnf_automatic(host: &Host) -> Result<bool, String> {
    if timer_on(host, "dnf-automatic-install.timer") {
        return Ok(true);
    }
    let on = timer_on(host, "dnf-automatic.timer") || timer_on(host, "dnf5-automatic.timer");
    for file in ["/etc/dnf/automatic.conf", "/etc/dnf/dnf5-plugins/automatic.conf"] {
        let text = host.read_if_there(file)?.unwrap_or_default();
        if super::value_of(&text, "apply_updates").is_some_and(|value| ["yes", "true", "1"].contains(&value))
        {
            return Ok(on);
        }
    }
    Ok(false)
}

fn zypper_automatic(host: &Host) -> Result<bool, String> {
    let text = host.read_if_there("/etc/sysconfig/automatic_online_update")?.unwrap_or_default();
    let set = super::value_of(&text, "AOU_ENABLE_CRONJOB") == Some("true");
    Ok(set || timer_on(host, "transactional-update.timer"))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::{super::testing::*, *};

    fn ubuntu(setting: &str) -> (Host, tempfile::TempDir) {
        let (host, folder) = machine(
            0,
            &[
                ("/var/lib/dpkg/status", ""),
                ("/var/lib/apt/lists/x-security_main_Packages", ""),
                ("/etc/apt/apt.conf.d/20auto-upgrades", setting),
                ("/usr/bin/unattended-upgrade", ""),
            ],
        );
        let wants = folder.path().join("etc/systemd/system/timers.target.wants");
        fs::create_dir_all(&wants).unwrap();
        symlink("/lib/systemd/system/apt-daily-upgrade.timer", wants.join("apt-daily-upgrade.timer"))
            .unwrap();
        (host, folder)
    }

    /// A known false pass of others: refreshing lists is not installing.
    #[test]
    fn only_the_setting_that_installs_counts() {
        let on = "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n";
        let lists_only = "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"0\";\n// APT::Periodic::Unattended-Upgrade \"1\";\n";
        for (setting, automatic) in [(on, true), (lists_only, false), ("", false)] {
            let (host, _folder) = ubuntu(setting);
            let (facts, _) = facts(&host, &Kept::default(), Millis(5));
            assert_eq!(known(&facts, AUTOMATIC), automatic.into(), "{setting}");
            assert_eq!(known(&facts, PENDING), 0_i64.into());
        }
    }

    #[test]
    fn answers_are_kept_until_what_they_depend_on_changes() {
        let (host, folder) = ubuntu("");
        let kept = Kept::default();
        assert_eq!(facts(&host, &kept, Millis(5)).1, Millis(5));
        assert_eq!(facts(&host, &kept, Millis(9)).1, Millis(5));
        fs::write(folder.path().join("var/lib/dpkg/status"), "Package: a\n").unwrap();
        assert_eq!(facts(&host, &kept, Millis(9)).1, Millis(9));
    }

    #[test]
    fn other_package_managers_are_counted() {
        let (host, _folder) = machine(0, &[("/etc/dnf/dnf.conf", ""), ("/var/cache/dnf/x", "")]);
        let listed = "FEDORA-2026-1 Important/Sec. kernel-6.1\nFEDORA-2026-2 Moderate/Sec. curl-8\n";
        let host = host.answering("dnf -q --cacheonly updateinfo list --security", Ok(listed));
        assert_eq!(known(&facts(&host, &Kept::default(), Millis(5)).0, PENDING), 2_i64.into());
        let (host, _folder) = machine(0, &[("/var/lib/pacman/local/x", "")]);
        let host = host.answering("pacman -Qu", Err("pacman ended with an error (1)"));
        let (facts_, _) = facts(&host, &Kept::default(), Millis(5));
        assert_eq!(known(&facts_, PENDING), 0_i64.into());
        assert!(is_unknown(&facts_, CHECKED).contains("never"));
        let (host, _folder) = machine(0, &[]);
        assert!(is_unknown(&facts(&host, &Kept::default(), Millis(5)).0, PENDING).contains("finds none"));
    }
}

//! Whether somebody is signed in at start without a password: GDM, SDDM, LightDM, greetd, and the
//! text consoles.

use stead_model::{Fact, Facts};

use super::one;
use crate::host::Host;

const NAME: &str = "device.login.automatic";

pub fn facts(host: &Host) -> Facts {
    let mut why_not = Vec::new();
    for (by, asked) in [
        ("GDM", gdm(host)),
        ("SDDM", sddm(host)),
        ("LightDM", lightdm(host)),
        ("greetd", greetd(host)),
        ("a text console", getty(host)),
    ] {
        match asked {
            Ok(true) => return one(NAME, Fact::known(true, format!("settings of {by}"))),
            Ok(false) => {}
            Err(why) => why_not.push(why),
        }
    }
    let origin = "settings of GDM, SDDM, LightDM, greetd and the consoles";
    one(
        NAME,
        if why_not.is_empty() {
            Fact::known(false, origin)
        } else {
            Fact::unknown(why_not.join("; "), origin)
        },
    )
}

/// Whether any of these files sets one of the keys in a section to something that `wanted` takes.
fn sets(
    host: &Host,
    files: &[String],
    section: &str,
    keys: &[&str],
    wanted: fn(&str) -> bool,
) -> Result<bool, String> {
    for file in files {
        let Some(text) = host.read_if_there(file)? else { continue };
        let mut here = false;
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                here = name == section || (section == "Seat:*" && name.starts_with("Seat"));
            } else if here
                && let Some((key, value)) = line.split_once('=')
                && keys.contains(&key.trim())
                && wanted(value.trim())
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn files_in(host: &Host, folder: &str) -> Result<Vec<String>, String> {
    Ok(host.list(folder)?.into_iter().map(|name| format!("{folder}/{name}")).collect())
}

fn gdm(host: &Host) -> Result<bool, String> {
    let files = ["/etc/gdm3/custom.conf", "/etc/gdm3/daemon.conf", "/etc/gdm/custom.conf"].map(str::to_owned);
    sets(host, &files, "daemon", &["AutomaticLoginEnable", "TimedLoginEnable"], |value| {
        value.eq_ignore_ascii_case("true") || value == "1"
    })
}

fn sddm(host: &Host) -> Result<bool, String> {
    let mut files = vec!["/etc/sddm.conf".to_owned()];
    files.extend(files_in(host, "/etc/sddm.conf.d")?);
    files.extend(files_in(host, "/usr/lib/sddm/sddm.conf.d")?);
    sets(host, &files, "Autologin", &["User"], |value| !value.is_empty())
}

fn lightdm(host: &Host) -> Result<bool, String> {
    let mut files = vec!["/etc/lightdm/lightdm.conf".to_owned()];
    for folder in ["/etc/lightdm/lightdm.conf.d", "/usr/share/lightdm/lightdm.conf.d"] {
        files.extend(files_in(host, folder)?);
    }
    sets(host, &files, "Seat:*", &["autologin-user"], |value| !value.is_empty())
}

fn greetd(host: &Host) -> Result<bool, String> {
    let text = host.read_if_there("/etc/greetd/config.toml")?.unwrap_or_default();
    Ok(text.lines().any(|line| line.trim() == "[initial_session]"))
}

fn getty(host: &Host) -> Result<bool, String> {
    let folder = "/etc/systemd/system";
    for unit in host.list(folder)? {
        if !unit.contains("getty@") {
            continue;
        }
        let files = if unit.ends_with(".d") {
            files_in(host, &format!("{folder}/{unit}"))?
        } else {
            vec![format!("{folder}/{unit}")]
        };
        for file in files {
            let text = host.read_if_there(&file)?.unwrap_or_default();
            if text
                .lines()
                .any(|line| line.trim_start().starts_with("ExecStart=") && line.contains("--autologin"))
            {
                return Ok(true);
            }
        }
    }
    Ok(host.exists("/run/agetty.autologged"))
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};

    #[test]
    fn each_way_is_found() {
        for (path, text) in [
            ("/etc/gdm3/custom.conf", "[daemon]\nAutomaticLoginEnable = true\nAutomaticLogin=sam\n"),
            ("/etc/gdm/custom.conf", "[daemon]\nTimedLoginEnable=True\n"),
            ("/etc/sddm.conf.d/a.conf", "[Autologin]\nUser=sam\n"),
            ("/etc/lightdm/lightdm.conf", "[Seat:*]\nautologin-user=sam\n"),
            ("/etc/greetd/config.toml", "[initial_session]\ncommand = \"sway\"\n"),
            (
                "/etc/systemd/system/getty@tty1.service.d/a.conf",
                "[Service]\nExecStart=-/sbin/agetty --autologin sam %I\n",
            ),
        ] {
            let (host, _folder) = machine(0, &[(path, text)]);
            assert_eq!(known(&facts(&host), NAME), true.into(), "{path}");
        }
    }

    #[test]
    fn comments_other_sections_and_empty_values_are_no_login() {
        for (path, text) in [
            (
                "/etc/gdm3/custom.conf",
                "[daemon]\n# AutomaticLoginEnable = true\n[security]\nAutomaticLoginEnable=true\n",
            ),
            ("/etc/sddm.conf", "[Autologin]\nUser=\n"),
            ("/etc/lightdm/lightdm.conf", "[Seat:*]\n#autologin-user=sam\n"),
        ] {
            let (host, _folder) = machine(0, &[(path, text)]);
            assert_eq!(known(&facts(&host), NAME), false.into(), "{path}");
        }
    }

    #[test]
    fn a_file_that_is_a_folder_is_unknown() {
        let (host, _folder) = machine(0, &[("/etc/sddm.conf/x", "")]);
        is_unknown(&facts(&host), NAME);
    }
}

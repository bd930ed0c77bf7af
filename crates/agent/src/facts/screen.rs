//! How many seconds of idleness until the screen is locked: the time until it goes dark and the time
//! from then until a password is asked. Zero is never. Settings of desktops: GNOME and its relatives
//! through gsettings, KDE and Xfce through their files, Sway and i3 through the programs that lock.

use stead_model::{Fact, Facts, Millis};

use super::{SHORT, one, processes, value_of};
use crate::{desktop::Session, host::Host, kept::Kept};

const NAME: &str = "device.screen.lock_after";

pub fn facts(host: &Host, kept: &Kept, now: Millis) -> (Facts, Millis) {
    let session = match Session::find(host) {
        Ok(Some(session)) => session,
        Ok(None) if has_desktop(host) => {
            let why = "nobody is signed in to the desktop, so its settings cannot be asked";
            return (one(NAME, Fact::unknown(why, "/run/systemd/sessions")), now);
        }
        Ok(None) => {
            let why = "no desktop is installed, so nobody works at a screen of this computer";
            return (
                one(NAME, Fact::not_applicable(why, "/usr/share/xsessions, /usr/share/wayland-sessions")),
                now,
            );
        }
        Err(why) => return (one(NAME, Fact::unknown(why, "/run/systemd/sessions")), now),
    };
    let home = &session.home;
    match session.desktop.as_str() {
        desktop if family(desktop).is_some() => {
            let depends_on = [
                format!("{home}/.config/dconf/user"),
                "/etc/dconf/db".to_owned(),
                "/etc/dconf/db/local".to_owned(),
            ];
            kept.get(host, "screen", &depends_on, now, || one(NAME, gsettings(host, &session)))
        }
        desktop if desktop.contains("kde") || desktop.contains("plasma") => (one(NAME, kde(host, home)), now),
        desktop if desktop.contains("xfce") => (one(NAME, xfce(host, home)), now),
        desktop if ["sway", "i3", "hyprland", "river"].iter().any(|name| desktop.contains(name)) => {
            (one(NAME, lockers(host, home)), now)
        }
        other => (
            one(
                NAME,
                Fact::unknown(
                    format!("how the desktop {other} locks its screen is not known to Stead"),
                    "XDG_CURRENT_DESKTOP",
                ),
            ),
            now,
        ),
    }
}

fn has_desktop(host: &Host) -> bool {
    ["/usr/share/xsessions", "/usr/share/wayland-sessions", "/usr/local/share/wayland-sessions"]
        .iter()
        .any(|folder| host.list(folder).is_ok_and(|names| !names.is_empty()))
        || host.exists("/etc/systemd/system/display-manager.service")
}

/// The schema family whose settings a desktop of the GNOME kind uses.
fn family(desktop: &str) -> Option<&'static str> {
    let any = |names: &[&str]| names.iter().any(|name| desktop.contains(name));
    if any(&["cinnamon"]) {
        Some("cinnamon")
    } else if any(&["mate"]) {
        Some("mate")
    } else if any(&["gnome", "ubuntu", "unity", "budgie", "pop", "pantheon"]) {
        Some("gnome")
    } else {
        None
    }
}

fn gsettings(host: &Host, session: &Session) -> Fact {
    let origin = "gsettings";
    let family = family(&session.desktop).unwrap_or("gnome");
    let (idle_schema, lock_schema) = match family {
        "cinnamon" => ("org.cinnamon.desktop.session", "org.cinnamon.desktop.screensaver"),
        "mate" => ("org.mate.session", "org.mate.screensaver"),
        _ => ("org.gnome.desktop.session", "org.gnome.desktop.screensaver"),
    };
    let ask = |schema: &str, key: &str| -> Result<String, String> {
        let answer = session.run(host, "gsettings", &["get", schema, key], SHORT);
        answer.map(|answer| answer.trim().trim_start_matches("uint32 ").to_owned())
    };
    let read = || -> Result<i64, String> {
        let number = |text: String| text.parse::<i64>().map_err(|_| format!("gsettings answered `{text}`"));
        if ask(lock_schema, "lock-enabled")? != "true" {
            return Ok(0);
        }
        if family == "mate" {
            // Minutes, and a switch of its own.
            if ask(lock_schema, "idle-activation-enabled")? != "true" {
                return Ok(0);
            }
            let (idle, delay) =
                (number(ask(idle_schema, "idle-delay")?)?, number(ask(lock_schema, "lock-delay")?)?);
            return Ok(if idle == 0 { 0 } else { (idle + delay) * 60 });
        }
        let (idle, delay) =
            (number(ask(idle_schema, "idle-delay")?)?, number(ask(lock_schema, "lock-delay")?)?);
        Ok(if idle == 0 { 0 } else { idle + delay })
    };
    match read() {
        Ok(seconds) => Fact::known(seconds, origin),
        Err(why) => Fact::unknown(why, origin),
    }
}

/// KDE: minutes of idleness, then seconds of grace. Where a key is not set, KDE itself locks after five
/// minutes and five seconds.
fn kde(host: &Host, home: &str) -> Fact {
    let origin = format!("{home}/.config/kscreenlockerrc");
    let text = match host.read_if_there(&origin) {
        Err(why) => return Fact::unknown(why, origin),
        Ok(text) => text.unwrap_or_default(),
    };
    let daemon: String = text
        .split("\n[")
        .find(|part| part.trim_start_matches('[').starts_with("Daemon]"))
        .unwrap_or_default()
        .to_owned();
    let number = |key: &str, default: i64| value_of(&daemon, key).map_or(Ok(default), str::parse);
    if value_of(&daemon, "Autolock").is_some_and(|value| value.eq_ignore_ascii_case("false")) {
        return Fact::known(0_i64, origin);
    }
    match (number("Timeout", 5), number("LockGrace", 5)) {
        (Ok(0), _) => Fact::known(0_i64, origin),
        (Ok(minutes), Ok(grace)) => Fact::known(minutes.saturating_mul(60).saturating_add(grace), origin),
        _ => Fact::unknown("kscreenlockerrc holds no number where one belongs", origin),
    }
}

/// Xfce: minutes until the saver starts, minutes until it locks. What is not set is taken as never.
fn xfce(host: &Host, home: &str) -> Fact {
    let origin = format!("{home}/.config/xfce4/xfconf/xfce-perchannel-xml/xfce4-screensaver.xml");
    let text = match host.read_if_there(&origin) {
        Err(why) => return Fact::unknown(why, origin),
        Ok(None) => return Fact::known(0_i64, origin),
        Ok(Some(text)) => text,
    };
    let mut path: Vec<String> = Vec::new();
    let (mut saver, mut lock, mut activates, mut idle, mut delay) = (true, None, true, None, 0_i64);
    for tag in text.split('<').filter(|tag| tag.starts_with("property") || tag.starts_with("/property")) {
        if tag.starts_with('/') {
            path.pop();
            continue;
        }
        let attribute =
            |name: &str| tag.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
        path.push(attribute("name").unwrap_or_default().to_owned());
        let value = attribute("value").unwrap_or_default();
        match path.join("/").as_str() {
            "saver/enabled" => saver = value == "true",
            "saver/idle-activation/enabled" => activates = value == "true",
            "saver/idle-activation/delay" => idle = value.parse::<i64>().ok(),
            "lock/enabled" => lock = Some(value == "true"),
            "lock/saver-activation/delay" => delay = value.parse().unwrap_or(i64::MAX / 120),
            _ => {}
        }
        if tag.trim_end().ends_with("/>") {
            path.pop();
        }
    }
    let seconds = match (saver && activates, lock, idle) {
        (true, Some(true), Some(idle)) if idle > 0 => (idle + delay).saturating_mul(60),
        _ => 0,
    };
    Fact::known(seconds, origin)
}

/// Sway, i3 and the like lock by a program that watches for idleness and must be running.
fn lockers(host: &Host, home: &str) -> Fact {
    let origin = "command lines of swayidle, xautolock, xidlehook, hypridle and xss-lock";
    let seen = match processes(host) {
        Ok(seen) => seen,
        Err(why) => return Fact::unknown(why, origin),
    };
    let mut soonest: Option<i64> = None;
    for (id, name) in seen {
        if name == "xss-lock" {
            // It locks when the X server's own screen saver starts; the server says after how long.
            match host.run("xset", &["q"], SHORT).map(|text| saver_timeout(&text)) {
                Ok(found) => soonest = soonest.into_iter().chain(found).min(),
                Err(why) => return Fact::unknown(format!("xss-lock runs, and {why}"), origin),
            }
            continue;
        }
        if !["swayidle", "xautolock", "xidlehook", "hypridle"].contains(&name.as_str()) {
            continue;
        }
        let words: Vec<String> = match host.read(&format!("/proc/{id}/cmdline")) {
            Ok(line) => line.split('\0').map(str::to_owned).collect(),
            Err(why) => return Fact::unknown(why, origin),
        };
        let found = match name.as_str() {
            "xautolock" => after(&words, "-time").map(|minutes| minutes * 60),
            "xidlehook" => after(&words, "--timer"),
            "hypridle" => {
                hypridle(&host.read(&format!("{home}/.config/hypr/hypridle.conf")).unwrap_or_default())
            }
            _ => {
                let config = host.read(&format!("{home}/.config/swayidle/config")).unwrap_or_default();
                swayidle(&words.join(" ")).or_else(|| swayidle(&config))
            }
        };
        soonest = soonest.into_iter().chain(found).min();
    }
    Fact::known(soonest.unwrap_or(0), origin)
}

/// `timeout:  600    cycle:  600`; none when it is 0, which is never.
fn saver_timeout(xset: &str) -> Option<i64> {
    let rest = xset.split("timeout:").nth(1)?;
    rest.split_whitespace().next()?.parse().ok().filter(|seconds| *seconds > 0)
}

fn after(words: &[String], option: &str) -> Option<i64> {
    let at = words.iter().position(|word| word == option)?;
    words.get(at + 1)?.parse().ok()
}

/// `timeout 300 'swaylock -f'`, where the command locks.
fn swayidle(text: &str) -> Option<i64> {
    text.split("timeout ")
        .skip(1)
        .filter(|part| part.contains("lock"))
        .filter_map(|part| part.split_whitespace().next()?.parse().ok())
        .min()
}

fn hypridle(text: &str) -> Option<i64> {
    text.split("listener")
        .skip(1)
        .filter(|part| part.contains("lock"))
        .filter_map(|part| value_of(part, "timeout")?.parse().ok())
        .min()
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};

    fn seconds(host: &Host) -> stead_model::Value {
        known(&facts(host, &Kept::default(), Millis(0)).0, NAME)
    }

    fn gnome(idle: &str, enabled: &str, delay: &str) -> (Host, tempfile::TempDir) {
        let (host, folder) = machine(1000, &[]);
        let host = host
            .with_variable("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
            .answering("gsettings get org.gnome.desktop.session idle-delay", Ok(idle))
            .answering("gsettings get org.gnome.desktop.screensaver lock-enabled", Ok(enabled))
            .answering("gsettings get org.gnome.desktop.screensaver lock-delay", Ok(delay));
        (host, folder)
    }

    #[test]
    fn gnome_adds_idleness_and_delay() {
        assert_eq!(seconds(&gnome("uint32 300\n", "true\n", "uint32 30\n").0), 330_i64.into());
    }

    /// A known false pass of others: the lock is enabled, and the screen never goes dark.
    #[test]
    fn a_lock_that_never_comes_is_zero() {
        assert_eq!(seconds(&gnome("uint32 0\n", "true\n", "uint32 0\n").0), 0_i64.into());
        assert_eq!(seconds(&gnome("uint32 300\n", "false\n", "uint32 0\n").0), 0_i64.into());
    }

    #[test]
    fn no_answer_is_unknown() {
        let (host, _folder) = machine(1000, &[]);
        let host = host.with_variable("XDG_CURRENT_DESKTOP", "GNOME");
        assert!(is_unknown(&facts(&host, &Kept::default(), Millis(0)).0, NAME).contains("gsettings"));
        let (host, _folder) = machine(1000, &[]);
        let host = host.with_variable("XDG_CURRENT_DESKTOP", "Enlightenment");
        is_unknown(&facts(&host, &Kept::default(), Millis(0)).0, NAME);
    }

    #[test]
    fn kde_and_xfce_are_read_from_their_files() {
        let kde = |text: &str| {
            let (host, folder) = machine(1000, &[("/home/sam/.config/kscreenlockerrc", text)]);
            (host.with_variable("XDG_CURRENT_DESKTOP", "KDE"), folder)
        };
        assert_eq!(
            seconds(&kde("[Daemon]\nTimeout=10\nLockGrace=0\n[Greeter]\nTimeout=1\n").0),
            600_i64.into()
        );
        assert_eq!(seconds(&kde("[Daemon]\nAutolock=false\n").0), 0_i64.into());
        assert_eq!(seconds(&kde("[Daemon]\nTimeout=0\n").0), 0_i64.into());
        let xml = |lock: &str| {
            format!(
                r#"<channel><property name="saver" type="empty"><property name="idle-activation" type="empty"><property name="delay" type="int" value="5"/></property></property><property name="lock" type="empty"><property name="enabled" type="bool" value="{lock}"/></property></channel>"#
            )
        };
        let xfce = |text: &str| {
            let (host, folder) = machine(
                1000,
                &[("/home/sam/.config/xfce4/xfconf/xfce-perchannel-xml/xfce4-screensaver.xml", text)],
            );
            (host.with_variable("XDG_CURRENT_DESKTOP", "XFCE"), folder)
        };
        assert_eq!(seconds(&xfce(&xml("true")).0), 300_i64.into());
        assert_eq!(seconds(&xfce(&xml("false")).0), 0_i64.into());
    }

    #[test]
    fn sway_locks_when_swayidle_runs_with_a_locker() {
        let sway = |line: &str| {
            let (host, folder) = machine(
                1000,
                &[("/proc/1/comm", "systemd\n"), ("/proc/7/comm", "swayidle\n"), ("/proc/7/cmdline", line)],
            );
            (host.with_variable("XDG_CURRENT_DESKTOP", "sway"), folder)
        };
        assert_eq!(
            seconds(
                &sway(
                    "swayidle\0-w\0timeout\x00300\0swaylock -f\0timeout\x00600\0swaymsg output * dpms off\0"
                )
                .0
            ),
            300_i64.into()
        );
        assert_eq!(seconds(&sway("swayidle\0timeout\x00300\0swaymsg output * dpms off\0").0), 0_i64.into());
    }

    #[test]
    fn i3_locks_when_the_x_server_says_so() {
        let i3 = |answer: Result<&str, &str>| {
            let (host, folder) =
                machine(1000, &[("/proc/1/comm", "systemd\n"), ("/proc/7/comm", "xss-lock\n")]);
            (host.with_variable("XDG_CURRENT_DESKTOP", "i3").answering("xset q", answer), folder)
        };
        let shown = "Screen Saver:\n  prefer blanking:  yes    allow exposures:  yes\n  timeout:  600    cycle:  600\n";
        assert_eq!(seconds(&i3(Ok(shown)).0), 600_i64.into());
        assert_eq!(seconds(&i3(Ok(&shown.replace("600", "0"))).0), 0_i64.into());
        let (host, _folder) = i3(Err("xset is not installed"));
        assert!(
            is_unknown(&facts(&host, &Kept::default(), Millis(0)).0, NAME).contains("xset is not installed")
        );
    }

    #[test]
    fn a_computer_without_a_desktop_is_not_asked() {
        let (host, _folder) = machine(0, &[]);
        assert!(is_not_applicable(&facts(&host, &Kept::default(), Millis(0)).0, NAME));
        let (host, _folder) = machine(0, &[("/usr/share/xsessions/gnome.desktop", "")]);
        assert!(
            is_unknown(&facts(&host, &Kept::default(), Millis(0)).0, NAME).contains("nobody is signed in")
        );
    }
}

//! Who sits at this computer's screen, and doing something as that person: settings and messages are theirs,
//! also where the agent runs as root.

use std::time::Duration;

use crate::{facts::value_of, host::Host};

/// Somebody's session at a screen.
#[derive(Debug)]
pub struct Session {
    /// The desktop's name, in lower case.
    pub desktop: String,
    /// Number of their account.
    pub user: u32,
    /// Number of their own group; none where the agent runs as them.
    pub group: Option<u32>,
    /// Their home folder.
    pub home: String,
}

impl Session {
    /// The session at this computer's screen; none when nobody is signed in there.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub fn find(host: &Host) -> Result<Option<Self>, String> {
        let user = host.user();
        if !host.is_root()
            && let Some(desktop) = host.variable("XDG_CURRENT_DESKTOP")
        {
            return Ok(Some(Self {
                desktop: desktop.to_lowercase(),
                user: user.id,
                group: None,
                home: user.home.clone(),
            }));
        }
        let folder = "/run/systemd/sessions";
        for name in host.list(folder)? {
            if name.ends_with(".ref") {
                continue;
            }
            let text = host.read(&format!("{folder}/{name}"))?;
            let of = |key| value_of(&text, key).unwrap_or_default();
            if of("CLASS") != "user" || !["x11", "wayland"].contains(&of("TYPE")) {
                continue;
            }
            let Ok(id) = of("UID").parse::<u32>() else { continue };
            if !host.is_root() && id != user.id {
                continue;
            }
            let passwd = host.read("/etc/passwd")?;
            let account = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
            let account =
                account.into_iter().find(|fields| fields.get(2).is_some_and(|is| is.parse() == Ok(id)));
            let (group, home) = account
                .and_then(|fields| Some((fields.get(3)?.parse().ok()?, (*fields.get(5)?).to_owned())))
                .ok_or(format!("account {id} has no group or no home folder"))?;
            return Ok(Some(Self {
                desktop: of("DESKTOP").to_lowercase(),
                user: id,
                group: Some(group),
                home,
            }));
        }
        Ok(None)
    }

    /// Runs a program as the person at the screen, with their message bus.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn run(
        &self,
        host: &Host,
        program: &str,
        arguments: &[&str],
        limit: Duration,
    ) -> Result<String, String> {
        if host.user().id == self.user {
            return host.run(program, arguments, limit);
        }
        // Of root's groups none stays: a program as the user is in the user's own.
        let group = self.group.ok_or("the account's group isn't known")?;
        let (user, group) = (format!("--reuid={}", self.user), format!("--regid={group}"));
        let home = format!("HOME={}", self.home);
        let runtime = format!("XDG_RUNTIME_DIR=/run/user/{}", self.user);
        let bus = format!("DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/{}/bus", self.user);
        let program = format!("/usr/bin/{program}");
        let as_them = [&user, &group, "--init-groups", "/usr/bin/env", &home, &runtime, &bus, &program];
        host.run("setpriv", &[&as_them, arguments].concat(), limit)
    }
}

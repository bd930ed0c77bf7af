//! Whether a password manager is installed: as a program, or in a browser's profile.

use stead_model::{Fact, Facts};

use super::one;
use crate::host::Host;

const NAME: &str = "device.password_manager.present";

const PROGRAMS: [&str; 21] = [
    "/usr/bin/keepassxc",
    "/usr/bin/keepass2",
    "/usr/bin/bitwarden",
    "/usr/bin/bw",
    "/opt/Bitwarden/bitwarden",
    "/usr/bin/1password",
    "/opt/1Password/1password",
    "/usr/bin/op",
    "/usr/bin/pass",
    "/usr/bin/gopass",
    "/usr/bin/seahorse",
    "/usr/bin/kwalletmanager5",
    "/usr/bin/enpass",
    "/opt/enpass/Enpass",
    "/usr/bin/proton-pass",
    "/usr/bin/nordpass",
    "/var/lib/flatpak/app/org.keepassxc.KeePassXC",
    "/var/lib/flatpak/app/com.bitwarden.desktop",
    "/var/lib/flatpak/app/com.onepassword.OnePassword",
    "/snap/bitwarden",
    "/snap/keepassxc",
];

/// Ids of extensions in Chromium and its relatives: Bitwarden, 1Password, KeePassXC, Dashlane, Proton Pass, LastPass.
const CHROMIUM: [&str; 6] = [
    "nngceckbapebfimnlniiiahkandclblb",
    "aeblfdkhhhdcdjpifhhbdiojplfjncoa",
    "oboonakemofpalcgghocfoadofidjkkk",
    "fdjamakpfbbddfjaooikfcpapjohcfmg",
    "ghmbeldphafepmbegfdlkpapadhbakde",
    "hdokiejnpimakedhajhdlcegeplioahd",
];

/// Ids of the same in Firefox.
const FIREFOX: [&str; 5] = [
    "{446900e4-71c2-419f-a6a7-df9c091e268b}",
    "{d634138d-c276-4fc8-924b-40a0ea21d284}",
    "keepassxc-browser@keepassxc.org",
    "jetpack-extension@dashlane.com",
    "78272b6fa58f4a1abaac99321d503a20@proton.me",
];

const PROFILES: [&str; 6] = [
    ".config/google-chrome",
    ".config/chromium",
    ".config/BraveSoftware/Brave-Browser",
    ".config/microsoft-edge",
    ".config/vivaldi",
    "snap/chromium/common/chromium",
];

pub fn facts(host: &Host) -> Facts {
    if let Some(program) = PROGRAMS.iter().find(|path| host.exists(path)) {
        return one(NAME, Fact::known(true, *program));
    }
    let homes = match homes(host) {
        Ok(homes) => homes,
        Err(why) => return one(NAME, Fact::unknown(why, "/home")),
    };
    for home in &homes {
        if in_chromium(host, home) || in_firefox(host, home) {
            return one(NAME, Fact::known(true, "extensions of a browser"));
        }
    }
    one(NAME, Fact::known(false, "installed programs and browser extensions"))
}

/// The person's own home; as root, everybody's.
fn homes(host: &Host) -> Result<Vec<String>, String> {
    if !host.is_root() {
        return Ok(vec![host.user().home.clone()]);
    }
    Ok(host.list("/home")?.into_iter().map(|name| format!("/home/{name}")).collect())
}

fn in_chromium(host: &Host, home: &str) -> bool {
    PROFILES.iter().any(|profiles| {
        let folder = format!("{home}/{profiles}");
        host.list(&folder).unwrap_or_default().iter().any(|profile| {
            CHROMIUM.iter().any(|id| host.exists(&format!("{folder}/{profile}/Extensions/{id}")))
        })
    })
}

fn in_firefox(host: &Host, home: &str) -> bool {
    [
        ".mozilla/firefox",
        "snap/firefox/common/.mozilla/firefox",
        ".var/app/org.mozilla.firefox/.mozilla/firefox",
    ]
    .iter()
    .any(|profiles| {
        let folder = format!("{home}/{profiles}");
        host.list(&folder).unwrap_or_default().iter().any(|profile| {
            let installed = host.list(&format!("{folder}/{profile}/extensions")).unwrap_or_default();
            FIREFOX.iter().any(|id| installed.iter().any(|name| name.strip_suffix(".xpi") == Some(id)))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};

    #[test]
    fn programs_and_extensions_of_any_profile_count() {
        for path in [
            "/usr/bin/keepassxc",
            "/home/sam/.config/chromium/Profile 2/Extensions/nngceckbapebfimnlniiiahkandclblb/1.0/manifest.json",
            "/home/sam/.mozilla/firefox/x.default/extensions/keepassxc-browser@keepassxc.org.xpi",
        ] {
            let (host, _folder) = machine(1000, &[(path, "")]);
            assert_eq!(known(&facts(&host), NAME), true.into(), "{path}");
        }
        let (host, _folder) = machine(1000, &[("/home/sam/.config/chromium/Default/Extensions/other/x", "")]);
        assert_eq!(known(&facts(&host), NAME), false.into());
    }
}

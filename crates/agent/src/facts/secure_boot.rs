//! Secure boot, from the firmware's own variables (UEFI specification 2.10, section 3.3): the fifth byte
//! is the value, after four bytes of attributes.

use stead_model::{Fact, Facts};

use super::one;
use crate::host::Host;

const NAME: &str = "device.secure_boot";
const FOLDER: &str = "/sys/firmware/efi/efivars";
const GLOBAL: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";

pub fn facts(host: &Host) -> Facts {
    if host.exists("/sys/firmware") && !host.exists("/sys/firmware/efi") {
        return one(
            NAME,
            Fact::not_applicable(
                "this computer started without UEFI, which secure boot is part of",
                "/sys/firmware",
            ),
        );
    }
    let value = |name: &str| -> Result<u8, String> {
        let path = format!("{FOLDER}/{name}-{GLOBAL}");
        host.read_bytes(&path)?.get(4).copied().ok_or_else(|| format!("{path} is too short"))
    };
    let origin = format!("{FOLDER}/SecureBoot-{GLOBAL}");
    let fact = match (value("SecureBoot"), value("SetupMode")) {
        // In setup mode anybody may change the keys.
        (Ok(on), Ok(setup)) => Fact::known(on == 1 && setup == 0, origin),
        (Ok(0), Err(_)) => Fact::known(false, origin),
        (Err(why), _) | (_, Err(why)) => Fact::unknown(why, origin),
    };
    one(NAME, fact)
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};

    #[test]
    fn the_fifth_byte_and_the_setup_mode_decide() {
        let with = |on: &str, setup: Option<&str>| {
            let path = |name: &str| format!("{FOLDER}/{name}-{GLOBAL}");
            let mut files = vec![(path("SecureBoot"), on.to_owned())];
            files.extend(setup.map(|setup| (path("SetupMode"), setup.to_owned())));
            let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            let (host, _folder) = machine(0, &files);
            facts(&host)[NAME].state.clone()
        };
        assert_eq!(with("\x06\0\0\0\x01", Some("\x06\0\0\0\0")), stead_model::FactState::Known(true.into()));
        assert_eq!(
            with("\x06\0\0\0\x01", Some("\x06\0\0\0\x01")),
            stead_model::FactState::Known(false.into())
        );
        assert_eq!(with("\x06\0\0\0\0", None), stead_model::FactState::Known(false.into()));
        assert!(matches!(with("\x06\0", Some("\x06\0\0\0\0")), stead_model::FactState::Unknown(_)));
        let (host, _folder) = machine(0, &[("/sys/firmware/acpi/x", "")]);
        assert!(is_not_applicable(&facts(&host), NAME));
        let (host, _folder) = machine(0, &[("/sys/firmware/efi/x", "")]);
        is_unknown(&facts(&host), NAME);
    }
}

//! How the Wi-Fi in use is encrypted, from NetworkManager or wpa_supplicant. Its name is never read.

use stead_model::{Fact, Facts};

use super::{SHORT, one, value_of};
use crate::host::Host;

const NAME: &str = "device.wifi.security";

pub fn facts(host: &Host) -> Facts {
    one(NAME, security(host))
}

fn security(host: &Host) -> Fact {
    let net = "/sys/class/net";
    let adapters: Vec<String> = match host.list(net) {
        Err(why) => return Fact::unknown(why, net),
        Ok(names) => names
            .into_iter()
            .filter(|name| {
                host.exists(&format!("{net}/{name}/wireless"))
                    || host.exists(&format!("{net}/{name}/phy80211"))
            })
            .collect(),
    };
    if adapters.is_empty() {
        return Fact::not_applicable("this computer has no Wi-Fi adapter", net);
    }
    let in_use: Vec<&String> = adapters
        .iter()
        .filter(|name| {
            !host.read(&format!("{net}/{name}/operstate")).is_ok_and(|state| state.trim() == "down")
        })
        .collect();
    let Some(adapter) = in_use.first() else {
        return Fact::not_applicable("the Wi-Fi is not in use", net);
    };
    let mut why = Vec::new();
    match host.run(
        "nmcli",
        &["-t", "-f", "ACTIVE,SECURITY", "device", "wifi", "list", "--rescan", "no"],
        SHORT,
    ) {
        Ok(text) => match text.lines().find_map(|line| line.strip_prefix("yes:")) {
            Some(security) => return Fact::known(of_networkmanager(security), "nmcli device wifi"),
            None => why.push("NetworkManager names no Wi-Fi in use".to_owned()),
        },
        Err(reason) => why.push(reason),
    }
    match host.run("wpa_cli", &["-i", adapter, "status"], SHORT) {
        Ok(text) => match value_of(&text, "key_mgmt") {
            Some(kind) => return Fact::known(of_supplicant(kind, &text), "wpa_cli status"),
            None => why.push("wpa_supplicant names no Wi-Fi in use".to_owned()),
        },
        Err(reason) => why.push(reason),
    }
    Fact::unknown(why.join("; "), "nmcli, wpa_cli")
}

fn of_networkmanager(security: &str) -> &'static str {
    let has = |word: &str| security.split_whitespace().any(|part| part == word);
    if has("802.1X") {
        "enterprise"
    } else if has("WPA3") {
        "wpa3"
    } else if has("WPA2") {
        "wpa2"
    } else if has("WPA1") {
        "wpa"
    } else if has("WEP") {
        "wep"
    } else {
        // Nothing, or opportunistic encryption, which anybody can stand in for.
        "open"
    }
}

fn of_supplicant(kind: &str, status: &str) -> &'static str {
    match kind {
        "SAE" | "FT-SAE" => "wpa3",
        kind if kind.contains("EAP") || kind.contains("802.1X") => "enterprise",
        kind if kind.starts_with("WPA2") || kind.starts_with("FT-PSK") => "wpa2",
        kind if kind.starts_with("WPA") => "wpa",
        _ if value_of(status, "pairwise_cipher").is_some_and(|cipher| cipher.starts_with("WEP")) => "wep",
        _ => "open",
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};

    const LINE: &str = "nmcli -t -f ACTIVE,SECURITY device wifi list --rescan no";

    fn adapter(state: &str) -> (Host, tempfile::TempDir) {
        machine(
            1000,
            &[
                ("/sys/class/net/wlan0/wireless/x", ""),
                ("/sys/class/net/wlan0/operstate", state),
                ("/sys/class/net/eth0/operstate", "up\n"),
            ],
        )
    }

    #[test]
    fn kinds_are_told_apart() {
        for (answer, kind) in [
            ("no:WPA3\nyes:WPA2\n", "wpa2"),
            ("yes:WPA1 WPA2\n", "wpa2"),
            ("yes:WPA2 802.1X\n", "enterprise"),
            ("yes:WPA2 WPA3\n", "wpa3"),
            ("yes:WEP\n", "wep"),
            ("yes:\n", "open"),
            ("yes:OWE\n", "open"),
        ] {
            let (host, _folder) = adapter("up\n");
            let host = host.answering(LINE, Ok(answer));
            assert_eq!(known(&facts(&host), NAME), kind.into(), "{answer}");
        }
        let (host, _folder) = adapter("up\n");
        let host = host.answering("wpa_cli -i wlan0 status", Ok("key_mgmt=WPA2-PSK\nwpa_state=COMPLETED\n"));
        assert_eq!(known(&facts(&host), NAME), "wpa2".into());
    }

    /// No adapter is evidence; not being able to ask is not.
    #[test]
    fn no_wifi_is_not_the_same_as_no_answer() {
        let (host, _folder) = machine(1000, &[("/sys/class/net/eth0/operstate", "up\n")]);
        assert!(is_not_applicable(&facts(&host), NAME));
        let (host, _folder) = adapter("down\n");
        assert!(is_not_applicable(&facts(&host), NAME));
        let (host, _folder) = adapter("up\n");
        assert!(is_unknown(&facts(&host), NAME).contains("nmcli is not installed"));
        let (host, _folder) = adapter("up\n");
        let host = host.answering(LINE, Ok("no:WPA2\n"));
        assert!(is_unknown(&facts(&host), NAME).contains("names no Wi-Fi"));
    }
}

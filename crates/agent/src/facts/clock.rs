//! Whether the clock is kept right over the network.

use stead_model::{Fact, Facts};

use super::{SHORT, one};
use crate::host::Host;

const NAME: &str = "device.clock.synchronised";

pub fn facts(host: &Host) -> Facts {
    // systemd-timesyncd leaves this mark when it has set the clock since the start.
    let mark = "/run/systemd/timesync/synchronized";
    if host.exists(mark) {
        return one(NAME, Fact::known(true, mark));
    }
    let origin = "timedatectl show";
    let fact = match host.run("timedatectl", &["show", "--property=NTPSynchronized", "--value"], SHORT) {
        Ok(text) => match text.trim() {
            "yes" => Fact::known(true, origin),
            "no" => Fact::known(false, origin),
            other => Fact::unknown(format!("timedatectl answered `{other}`"), origin),
        },
        Err(why) => Fact::unknown(why, origin),
    };
    one(NAME, fact)
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};

    #[test]
    fn the_system_is_asked() {
        let line = "timedatectl show --property=NTPSynchronized --value";
        let (host, _folder) = machine(0, &[]);
        assert_eq!(known(&facts(&host.answering(line, Ok("no\n"))), NAME), false.into());
        let (host, _folder) = machine(0, &[("/run/systemd/timesync/synchronized", "")]);
        assert_eq!(known(&facts(&host), NAME), true.into());
        let (host, _folder) = machine(0, &[]);
        assert!(
            is_unknown(&facts(&host.answering(line, Err("timedatectl ended with an error"))), NAME)
                .contains("error")
        );
    }
}

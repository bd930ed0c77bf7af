//! Facts about this computer: the only code that asks the operating system. It never fails; what
//! cannot be read is unknown, and says why.

mod accounts;
mod antivirus;
mod apt;
mod clock;
mod firewall;
mod login;
mod network;
mod os;
mod password_manager;
pub mod place;
mod screen;
mod secure_boot;
mod updates;
mod volumes;
mod wifi;

use std::{collections::BTreeMap, io, thread, time::Duration};

use stead_model::{Fact, Facts, Millis};

use crate::{host::Host, kept::Kept, place::Places};

/// How long most commands may take.
const SHORT: Duration = Duration::from_secs(5);
/// How long asking a package manager may take.
const LONG: Duration = Duration::from_secs(60);

/// What a pass over the machine gave.
#[derive(Debug)]
pub struct Collected {
    /// The facts.
    pub facts: Facts,
    /// Those read in an earlier pass, and when.
    pub read_at: BTreeMap<String, Millis>,
}

type Collector = fn(&Host, &Kept, Millis) -> (Facts, Millis);

/// Collectors that may run a command or read many files, each on a thread of its own.
const SIDE_BY_SIDE: [Collector; 6] = [
    |host, _, now| (firewall::facts(host), now),
    screen::facts,
    updates::facts,
    |host, _, now| (network::facts(host), now),
    |host, _, now| (wifi::facts(host), now),
    |host, _, now| (clock::facts(host), now),
];

/// Collectors that only read a few small files.
const QUICK: [fn(&Host) -> Facts; 8] = [
    os::facts,
    volumes::facts,
    login::facts,
    antivirus::facts,
    secure_boot::facts,
    password_manager::facts,
    accounts::facts,
    unmeasured,
];

/// Reads every fact that an agent measures.
pub fn collect(host: &Host, kept: &Kept, places: &io::Result<Places>, now: Millis) -> Collected {
    let mut collected = Collected { facts: Facts::new(), read_at: BTreeMap::new() };
    thread::scope(|scope| {
        let threads: Vec<_> =
            SIDE_BY_SIDE.iter().map(|collector| scope.spawn(move || collector(host, kept, now))).collect();
        for collector in QUICK {
            collected.facts.extend(collector(host));
        }
        collected.facts.extend(place::facts(host, places));
        for thread in threads {
            // A collector that ends abruptly leaves its facts out, and what is left out is unknown.
            if let Ok((facts, read_at)) = thread.join() {
                if read_at != now {
                    collected.read_at.extend(facts.keys().map(|name| (name.clone(), read_at)));
                }
                collected.facts.extend(facts);
            }
        }
    });
    collected
}

fn unmeasured(_: &Host) -> Facts {
    one(
        "device.mail.foreign_accounts",
        Fact::unknown("this agent does not count mail accounts yet", "built in"),
    )
}

/// A single fact.
fn one(name: &str, fact: Fact) -> Facts {
    Facts::from([(name.to_owned(), fact)])
}

/// The value of `key=value` in text of such lines, without quotes.
pub(crate) fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim().trim_matches('"').trim_matches('\''))
}

/// Names of all processes that can be seen, by exact name.
fn processes(host: &Host) -> Result<Vec<(u32, String)>, String> {
    let mut seen = Vec::new();
    for name in host.list("/proc")? {
        if let Ok(id) = name.parse::<u32>()
            && let Ok(comm) = host.read(&format!("/proc/{id}/comm"))
        {
            seen.push((id, comm.trim_end().to_owned()));
        }
    }
    // Where the first process is hidden, others are too, and not seeing one shows nothing.
    if seen.iter().any(|(id, _)| *id == 1) {
        Ok(seen)
    } else {
        Err("processes of others are hidden from this account; run as root".to_owned())
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use std::fs;

    use stead_model::{Fact, FactState, Facts, Value};

    use crate::host::Host;

    /// A machine made of files; `id` is the account's number.
    pub fn machine(id: u32, files: &[(&str, &str)]) -> (Host, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        (Host::recorded(folder.path(), id), folder)
    }

    pub fn known(facts: &Facts, name: &str) -> Value {
        match &facts[name].state {
            FactState::Known(value) => value.clone(),
            other => panic!("{name} is {other:?}"),
        }
    }

    pub fn is_unknown(facts: &Facts, name: &str) -> String {
        match &facts[name] {
            Fact { state: FactState::Unknown(why), .. } => why.clone(),
            other => panic!("{name} is {other:?}"),
        }
    }

    pub fn is_not_applicable(facts: &Facts, name: &str) -> bool {
        matches!(&facts[name].state, FactState::NotApplicable(_))
    }
}

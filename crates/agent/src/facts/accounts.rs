//! How many people's accounts have administrator rights: members of the groups that may become root,
//! and accounts that are root under another name.

use std::collections::BTreeSet;

use stead_model::{Fact, Facts};

use super::one;
use crate::host::Host;

const NAME: &str = "device.accounts.administrators";
const ORIGIN: &str = "/etc/passwd, /etc/group";

/// Groups whose members may do everything, on the systems that Stead knows.
const GROUPS: [&str; 4] = ["sudo", "wheel", "admin", "docker"];

pub fn facts(host: &Host) -> Facts {
    let fact = match count(host) {
        Ok(number) => Fact::known(number, ORIGIN),
        Err(why) => Fact::unknown(why, ORIGIN),
    };
    one(NAME, fact)
}

fn count(host: &Host) -> Result<i64, String> {
    let (passwd, group) = (host.read("/etc/passwd")?, host.read("/etc/group")?);
    let mut powerful = BTreeSet::new();
    let mut groups = BTreeSet::new();
    for line in group.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        if let [name, _, id, members] = fields.as_slice()
            && GROUPS.contains(name)
        {
            groups.insert(*id);
            powerful.extend(members.split(',').filter(|member| !member.is_empty()));
        }
    }
    let mut administrators = BTreeSet::new();
    for line in passwd.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, id, group, ..] = fields.as_slice() else { continue };
        // Root itself is on every system; what counts is who else can be it.
        if *name != "root" && (*id == "0" || powerful.contains(name) || groups.contains(group)) {
            administrators.insert(*name);
        }
    }
    Ok(i64::try_from(administrators.len()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};

    #[test]
    fn members_first_groups_and_second_roots_count_once() {
        let passwd = "root:x:0:0::/root:/bin/sh\nsam:x:1000:1000::/home/sam:/bin/sh\nana:x:1001:27::/home/ana:/bin/sh\ntoor:x:0:0::/:/bin/sh\nbob:x:1002:1002::/home/bob:/bin/sh\n";
        let group = "sudo:x:27:sam,ghost\ndocker:x:999:sam\nusers:x:100:bob\n";
        let (host, _folder) = machine(1000, &[("/etc/passwd", passwd), ("/etc/group", group)]);
        assert_eq!(known(&facts(&host), NAME), 3_i64.into());
        let (host, _folder) = machine(1000, &[("/etc/passwd", passwd)]);
        is_unknown(&facts(&host), NAME);
    }
}

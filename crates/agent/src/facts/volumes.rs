//! Which fixed volumes hold data, and whether each is encrypted: walked from what is mounted down to
//! the disks, through LVM, RAID and dm-crypt, by `/proc/self/mountinfo` and `/sys/dev/block`. An
//! encrypted volume elsewhere on the machine says nothing about these.

use std::collections::BTreeMap;

use stead_model::{
    Fact, Facts,
    fact::{Field, Record},
};

use super::{SHORT, one};
use crate::host::Host;

const MOUNTS: &str = "/proc/self/mountinfo";
const ORIGIN: &str = "/proc/self/mountinfo, /proc/swaps, /sys/dev/block";

/// What starts the machine is read before any key is there.
const BOOT: [&str; 4] = ["/boot", "/boot/efi", "/efi", "/boot/firmware"];

/// File systems that keep nothing on a disk of this machine.
const ELSEWHERE: [&str; 12] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "9p",
    "fuse.sshfs",
    "squashfs",
    "iso9660",
    "erofs",
    "virtiofs",
    "afs",
    "ceph",
];

/// Whether something is encrypted, and how, in words.
#[derive(Clone, Debug, PartialEq)]
enum Encryption {
    Yes(String),
    No(String),
    Unknown(String),
}

pub fn facts(host: &Host) -> Facts {
    let fact = match volumes(host) {
        Ok(records) => Fact::known(records, ORIGIN),
        Err(why) => Fact::unknown(why, ORIGIN),
    };
    one("device.volumes", fact)
}

struct Mount<'a> {
    device: &'a str,
    point: String,
    kind: &'a str,
    source: &'a str,
}

fn volumes(host: &Host) -> Result<Vec<Record>, String> {
    let text = host.read(MOUNTS)?;
    let mounts: Vec<Mount<'_>> = text.lines().filter_map(mount).collect();
    if !mounts.iter().any(|mount| mount.point == "/") {
        return Err(format!("{MOUNTS} does not say what holds /"));
    }
    // One volume may be mounted at several places; it is named by the first, which is the shortest.
    let mut by_source: BTreeMap<&str, (&Mount<'_>, Encryption)> = BTreeMap::new();
    for mount in &mounts {
        let Some(found) = encryption(host, mount) else { continue };
        let key = if mount.device.starts_with("0:") { mount.source } else { mount.device };
        match by_source.get(key) {
            Some((first, _)) if first.point.len() <= mount.point.len() => {}
            _ => {
                by_source.insert(key, (mount, found));
            }
        }
    }
    let mut records: Vec<Record> =
        by_source.into_values().map(|(mount, found)| record(&mount.point, found)).collect();
    records.sort_by_key(|record| format!("{:?}", record.get("mount")));
    records.extend(swaps(host, &mounts)?);
    Ok(records)
}

/// Fields of a line: id, parent, major:minor, root, mount point, options, …, `-`, type, source, options.
fn mount(line: &str) -> Option<Mount<'_>> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ');
    let (device, point) = (left.nth(2)?, left.nth(1)?);
    let mut right = right.split(' ');
    Some(Mount { device, point: unescape(point), kind: right.next()?, source: right.next()? })
}

/// White space stands as octal escapes.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
}

fn encryption(host: &Host, mount: &Mount<'_>) -> Option<Encryption> {
    if BOOT.contains(&mount.point.as_str()) || ELSEWHERE.contains(&mount.kind) {
        return None;
    }
    let root = mount.point == "/";
    match mount.kind {
        "zfs" => return Some(zfs(host, mount.source)),
        "overlay" if root => {
            return Some(Encryption::Unknown(
                "/ is an overlay, as in a container; the disk beneath cannot be seen from here".to_owned(),
            ));
        }
        _ => {}
    }
    if !mount.device.starts_with("0:") {
        return block(host, &format!("/sys/dev/block/{}", mount.device), mount.kind, root);
    }
    // btrfs and bcachefs show a number of no device; their source names one.
    if let Some(name) = mount.source.strip_prefix("/dev/") {
        let path = match host.resolve(mount.source) {
            Some(path) => format!("/sys/class/block{}", path.trim_start_matches("/dev")),
            None => format!("/sys/class/block/{name}"),
        };
        return if mount.kind == "btrfs" {
            btrfs(host, &path, root)
        } else {
            block(host, &path, mount.kind, root)
        };
    }
    root.then(|| Encryption::Unknown(format!("/ is on {}, which has no disk that can be seen", mount.kind)))
}

/// A block device: encrypted itself, or on devices that all are. None for memory and for what can be
/// pulled out, unless the system runs from it.
fn block(host: &Host, path: &str, kind: &str, root: bool) -> Option<Encryption> {
    let Some(path) = host.resolve(path) else {
        return Some(Encryption::Unknown(format!("{path} cannot be followed")));
    };
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    if name.starts_with("zram") || name.starts_with("ram") || name.starts_with("loop") {
        // What the system runs from lies somewhere, though that cannot be seen from here.
        return root.then(|| Encryption::Unknown(format!("/ is on {name}, whose own disk cannot be told")));
    }
    if !root && is_removable(host, &path) {
        return None;
    }
    Some(beneath(host, &path, &name, kind, 0))
}

fn beneath(host: &Host, path: &str, name: &str, kind: &str, depth: usize) -> Encryption {
    if depth > 8 {
        return Encryption::Unknown(format!("{name} rests on too many layers"));
    }
    match host.read_if_there(&format!("{path}/dm/uuid")) {
        Err(why) => return Encryption::Unknown(why),
        Ok(Some(uuid)) if uuid.starts_with("CRYPT-") => {
            let how = uuid.split('-').nth(1).unwrap_or("dm-crypt").trim();
            return Encryption::Yes(format!("encrypted ({how})"));
        }
        Ok(_) => {}
    }
    let slaves = match host.list(&format!("{path}/slaves")) {
        Ok(slaves) => slaves,
        Err(why) => return Encryption::Unknown(why),
    };
    if slaves.is_empty() {
        return Encryption::No(format!("not encrypted ({kind} on {name})"));
    }
    let found = slaves.iter().map(|slave| match host.resolve(&format!("{path}/slaves/{slave}")) {
        Some(below) => beneath(host, &below, slave, kind, depth + 1),
        None => Encryption::Unknown(format!("{slave} beneath {name} cannot be followed")),
    });
    all(found)
}

/// Encrypted only when all are; a clear one decides.
fn all(found: impl Iterator<Item = Encryption>) -> Encryption {
    let mut worst: Option<Encryption> = None;
    for one in found {
        worst = Some(match (worst, one) {
            (Some(clear @ Encryption::No(_)), _) | (_, clear @ Encryption::No(_)) => clear,
            (Some(unknown @ Encryption::Unknown(_)), _) | (_, unknown @ Encryption::Unknown(_)) => unknown,
            (_, yes) => yes,
        });
    }
    worst.unwrap_or_else(|| Encryption::Unknown("nothing was found beneath it".to_owned()))
}

fn btrfs(host: &Host, path: &str, root: bool) -> Option<Encryption> {
    let name = host.resolve(path)?.rsplit('/').next()?.to_owned();
    let filesystems = host.list("/sys/fs/btrfs").unwrap_or_default();
    for id in filesystems {
        let folder = format!("/sys/fs/btrfs/{id}/devices");
        let devices = host.list(&folder).unwrap_or_default();
        if devices.contains(&name) {
            let found: Vec<Encryption> = devices
                .iter()
                .filter_map(|device| block(host, &format!("{folder}/{device}"), "btrfs", root))
                .collect();
            return (!found.is_empty()).then(|| all(found.into_iter()));
        }
    }
    block(host, path, "btrfs", root)
}

fn zfs(host: &Host, dataset: &str) -> Encryption {
    match host.run("zfs", &["get", "-H", "-o", "value", "encryption", dataset], SHORT) {
        Ok(value) => match value.trim() {
            "off" | "-" | "" => Encryption::No(format!("not encrypted (zfs {dataset})")),
            how => Encryption::Yes(format!("encrypted (zfs {how})")),
        },
        Err(why) => Encryption::Unknown(why),
    }
}

fn is_removable(host: &Host, path: &str) -> bool {
    if path.contains("/usb") {
        return true;
    }
    // A partition asks its disk.
    let disk = if host.exists(&format!("{path}/partition")) {
        path.rsplit_once('/').map_or(path, |(disk, _)| disk)
    } else {
        path
    };
    host.read(&format!("{disk}/removable")).is_ok_and(|text| text.trim() == "1")
}

fn swaps(host: &Host, mounts: &[Mount<'_>]) -> Result<Vec<Record>, String> {
    let text = host.read("/proc/swaps")?;
    let mut records = Vec::new();
    for line in text.lines().skip(1) {
        let mut fields = line.split_whitespace();
        let (Some(file), Some(kind)) = (fields.next(), fields.next()) else { continue };
        let file = unescape(file);
        let found = if kind == "file" {
            // A swap file is as safe as the volume it lies on.
            let holder = mounts
                .iter()
                .filter(|mount| mount.point == "/" || file.starts_with(&format!("{}/", mount.point)))
                .max_by_key(|mount| mount.point.len());
            holder.and_then(|mount| encryption(host, mount))
        } else {
            let name = host.resolve(&file).unwrap_or_else(|| file.clone());
            block(host, &format!("/sys/class/block/{}", name.trim_start_matches("/dev/")), "swap", false)
        };
        records.extend(found.map(|found| record("swap", found)));
    }
    Ok(records)
}

fn record(mount: &str, found: Encryption) -> Record {
    let (encrypted, how) = match found {
        Encryption::Yes(how) => (Field::from(true), how),
        Encryption::No(how) => (Field::from(false), how),
        Encryption::Unknown(why) => (Field::unknown(&why), format!("could not tell: {why}")),
    };
    Record::from([
        ("mount".to_owned(), Field::from(mount)),
        ("encrypted".to_owned(), encrypted),
        ("how".to_owned(), Field::from(how.as_str())),
    ])
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use stead_model::{Scalar, Value};

    use super::{super::testing::*, *};

    /// Builds `/sys`: disk vda with partitions, dm devices with their slaves.
    fn sys(folder: &std::path::Path, blocks: &[(&str, &str, Option<&str>, &[&str])]) {
        for (name, number, uuid, slaves) in blocks {
            let real = folder.join(format!("sys/devices/virtual/block/{name}"));
            fs::create_dir_all(real.join("slaves")).unwrap();
            if let Some(uuid) = uuid {
                fs::create_dir_all(real.join("dm")).unwrap();
                fs::write(real.join("dm/uuid"), uuid).unwrap();
            }
            for class in ["sys/class/block", "sys/dev/block"] {
                fs::create_dir_all(folder.join(class)).unwrap();
            }
            symlink(&real, folder.join(format!("sys/class/block/{name}"))).unwrap();
            symlink(&real, folder.join(format!("sys/dev/block/{number}"))).unwrap();
            for slave in *slaves {
                symlink(
                    folder.join(format!("sys/devices/virtual/block/{slave}")),
                    real.join(format!("slaves/{slave}")),
                )
                .unwrap();
            }
        }
    }

    fn seen(host: &Host) -> Vec<String> {
        let Value::List(list) = known(&facts(host), "device.volumes") else { panic!() };
        list.iter()
            .map(|r| {
                let text = |name: &str| match &r[name] {
                    Field::Known(Scalar::Text(text)) => text.clone(),
                    Field::Known(Scalar::Bool(b)) => b.to_string(),
                    other => format!("{other:?}"),
                };
                format!(
                    "{} {}",
                    text("mount"),
                    if matches!(r["encrypted"], Field::Unknown { .. }) {
                        "?".to_owned()
                    } else {
                        text("encrypted")
                    }
                )
            })
            .collect()
    }

    const NO_SWAP: (&str, &str) = ("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");

    #[test]
    fn lvm_on_luks_is_encrypted_and_boot_is_not_asked() {
        let mounts = "22 1 253:1 / / rw shared:1 - ext4 /dev/mapper/vg-root rw\n23 22 8:1 / /boot rw - ext4 /dev/sda1 rw\n24 22 0:5 / /run rw - tmpfs tmpfs rw\n";
        let (host, folder) =
            machine(0, &[(MOUNTS, mounts), ("/proc/swaps", "F T S U P\n/dev/dm-2 partition 1 0 -2\n")]);
        sys(
            folder.path(),
            &[
                ("sda1", "8:1", None, &[]),
                ("sda2", "8:2", None, &[]),
                ("dm-0", "253:0", Some("CRYPT-LUKS2-abc-sda2_crypt\n"), &["sda2"]),
                ("dm-1", "253:1", Some("LVM-xyz\n"), &["dm-0"]),
                ("dm-2", "253:2", Some("LVM-swap\n"), &["dm-0"]),
            ],
        );
        assert_eq!(seen(&host), ["/ true", "swap true"]);
    }

    /// Known false passes of others: an encrypted swap or stick beside a clear root.
    #[test]
    fn an_encrypted_swap_or_a_plugged_in_stick_says_nothing_about_root() {
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 253:0 / /mnt rw - ext4 /dev/mapper/usb rw\n";
        let (host, folder) = machine(
            0,
            &[
                (MOUNTS, mounts),
                ("/proc/swaps", "F T S U P\n/dev/dm-1 partition 1 0 -2\n"),
                ("/etc/crypttab", "swap /dev/sda2 /dev/urandom swap\n"),
            ],
        );
        sys(
            folder.path(),
            &[
                ("sda1", "8:1", None, &[]),
                ("sda2", "8:2", None, &[]),
                ("sdb1", "8:17", None, &[]),
                ("dm-0", "253:0", Some("CRYPT-LUKS2-usb\n"), &["sdb1"]),
                ("dm-1", "253:1", Some("CRYPT-PLAIN-swap\n"), &["sda2"]),
            ],
        );
        assert_eq!(seen(&host), ["/ false", "/mnt true", "swap true"]);
    }

    #[test]
    fn a_mirror_is_only_as_safe_as_its_clear_half() {
        let mounts = "22 1 9:0 / / rw - ext4 /dev/md0 rw\n";
        let (host, folder) = machine(0, &[(MOUNTS, mounts), NO_SWAP]);
        sys(
            folder.path(),
            &[
                ("sda1", "8:1", None, &[]),
                ("sdb1", "8:17", None, &[]),
                ("dm-0", "253:0", Some("CRYPT-LUKS2-a\n"), &["sda1"]),
                ("md0", "9:0", None, &["dm-0", "sdb1"]),
            ],
        );
        assert_eq!(seen(&host), ["/ false"]);
    }

    #[test]
    fn memory_is_no_disk_and_a_container_is_unknown() {
        let mounts = "22 1 0:40 / / rw - overlay overlay rw,lowerdir=x\n";
        let (host, folder) =
            machine(0, &[(MOUNTS, mounts), ("/proc/swaps", "F T S U P\n/dev/zram0 partition 1 0 -2\n")]);
        sys(folder.path(), &[("zram0", "253:9", None, &[])]);
        assert_eq!(seen(&host), ["/ ?"]);
        // A system that runs from a file lies on some disk, which may be a clear one.
        let mounts = "22 1 7:0 / / rw - ext4 /dev/loop0 rw\n23 22 7:1 / /snap/x rw - ext4 /dev/loop1 rw\n";
        let (host, folder) = machine(0, &[(MOUNTS, mounts), ("/proc/swaps", "F T S U P\n")]);
        sys(folder.path(), &[("loop0", "7:0", None, &[]), ("loop1", "7:1", None, &[])]);
        assert_eq!(seen(&host), ["/ ?"]);
    }

    #[test]
    fn a_swap_file_lies_on_its_volume_and_zfs_answers_for_itself() {
        let mounts =
            "22 1 0:30 / / rw - zfs rpool/ROOT rw\n23 22 8:3 / /data\\040disk rw - xfs /dev/sda3 rw\n";
        let (host, folder) = machine(
            0,
            &[(MOUNTS, mounts), ("/proc/swaps", "F T S U P\n/data\\040disk/swapfile file 1 0 -2\n")],
        );
        sys(folder.path(), &[("sda3", "8:3", None, &[])]);
        let host = host.answering("zfs get -H -o value encryption rpool/ROOT", Ok("aes-256-gcm\n"));
        assert_eq!(seen(&host), ["/ true", "/data disk false", "swap false"]);
    }

    #[test]
    fn nothing_readable_is_unknown() {
        let (host, _folder) = machine(0, &[]);
        assert!(is_unknown(&facts(&host), "device.volumes").contains("there is no"));
        let (host, _folder) = machine(0, &[(MOUNTS, "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"), NO_SWAP]);
        assert_eq!(seen(&host), ["/ ?"]);
    }
}

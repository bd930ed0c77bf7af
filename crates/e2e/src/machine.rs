//! A computer of its own, as far as an agent can tell: its own disks (a mount namespace), and where asked its own
//! network, on this machine. It needs root.

use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use stead_testkit::program;

/// Such a computer. It ends with everything on it when dropped.
#[derive(Debug)]
pub struct Machine {
    root: PathBuf,
    holder: Child,
    agent: Option<Child>,
    log: PathBuf,
    folder: tempfile::TempDir,
}

/// Makes its disk, which `/sys` there says is encrypted, with the agent on it and what an agent reads.
const SETUP: &str = r#"
set -e
PATH=$PATH:/usr/sbin:/sbin
truncate -s 128M root.img && mkfs.ext4 -q root.img
mount -o loop root.img root
mkdir -p root/usr/bin root/usr/sbin root/etc root/proc root/var/run root/state root/tmp root/data root/root root/dev/net
mkdir -p root/sys/dev/block root/sys/devices/dm-0/dm
echo CRYPT-LUKS2-00000000-root > root/sys/devices/dm-0/dm/uuid
ln -s ../../devices/dm-0 "root/sys/dev/block/$(mountpoint -d root)"
cp "$1" root/usr/bin/stead
shift
for program in "$@"; do cp "$program" root/usr/sbin/; done
for file in root/usr/bin/stead root/usr/sbin/*; do
    [ -f "$file" ] || continue
    ldd "$file" | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "root${library%/*}"; cp -n "$library" "root$library"
    done
done
cp /etc/os-release root/etc/
printf 'root:x:0:0:root:/root:/bin/sh\n' > root/etc/passwd
printf 'root:x:0:\n' > root/etc/group
mount -t proc proc root/proc
touch root/dev/null root/dev/net/tun
mount --bind /dev/null root/dev/null
mount --bind /dev/net/tun root/dev/net/tun
touch ready
exec sleep infinity
"#;

/// Puts a second disk into it, which `/sys` there says is not encrypted.
const PLUG_IN: &str = r#"
set -e
PATH=$PATH:/usr/sbin:/sbin
[ -f data.img ] || { truncate -s 8M data.img && mkfs.ext4 -q data.img; }
device=$(losetup --find --show data.img)
mkdir -p root/sys/devices/sdb1
ln -sfn ../../devices/sdb1 "root/sys/dev/block/$(cat "/sys/class/block/${device##*/}/dev")"
mount "$device" root/data
losetup --detach "$device"
"#;

impl Machine {
    /// Starts it with some more programs on it; none, with the reason printed, where this account may not.
    pub fn start(network: Option<&str>, programs: &[&str]) -> Option<Self> {
        let root_may = Command::new("unshare").args(["--mount", "true"]).stderr(Stdio::null()).status();
        if !root_may.is_ok_and(|status| status.success()) {
            assert!(std::env::var_os("STEAD_TEST_ALL").is_none(), "mount namespaces need root");
            eprintln!("skipped: mount namespaces need root");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir(&root).unwrap();
        let ready = folder.path().join("ready");
        let mut command = match network {
            Some(name) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", name, "unshare"]);
                command
            }
            None => Command::new("unshare"),
        };
        command.args(["--mount", "--propagation", "private", "sh", "-c", SETUP, "setup"]);
        command.arg(program("stead").unwrap()).args(programs).current_dir(folder.path());
        let holder = command.stdin(Stdio::null()).spawn().unwrap();
        let log = folder.path().join("agent.log");
        let machine = Self { root, holder, agent: None, log, folder };
        let until = Instant::now() + Duration::from_secs(30);
        while !ready.exists() {
            assert!(Instant::now() < until, "the computer never started");
            thread::sleep(Duration::from_millis(50));
        }
        Some(machine)
    }

    fn inside(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--net", "--target", &self.holder.id().to_string()]);
        command
    }

    /// Runs a command in its namespaces; within its root or beside it.
    pub fn run(&self, command: &[&str], within: bool) -> Output {
        let mut inside = self.inside();
        if within {
            inside.arg("chroot").arg(&self.root);
        } else {
            // Where its disk is, as its own namespace sees it.
            inside.args(["sh", "-c", "cd \"$0\" && exec \"$@\""]).arg(self.folder.path());
        }
        inside.args(command).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs `stead` on it.
    pub fn stead(&self, arguments: &[&str]) -> Output {
        self.run(&[&["/usr/bin/stead", "--state", "/state"], arguments].concat(), true)
    }

    /// Enrols it.
    pub fn enrol(&self, server: &str, code: &str) {
        let enrolled = self.stead(&["enroll", server, code]);
        assert!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
    }

    /// Starts its agent, which listens to browsers at a port.
    pub fn start_agent(&mut self, door: u16) {
        let log = File::create(&self.log).unwrap();
        let mut command = self.inside();
        command.arg("chroot").arg(&self.root).args([
            "/usr/bin/stead",
            "--state",
            "/state",
            "agent",
            "--door",
        ]);
        command.arg(door.to_string()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.agent = Some(command.spawn().unwrap());
    }

    /// Ends its agent.
    pub fn stop_agent(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            let _ = agent.kill();
            let _ = agent.wait();
        }
    }

    /// What its agent has said.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether there is such a file on it.
    pub fn has(&self, path: &str) -> bool {
        self.run(&["test", "-e", &format!("root/{path}")], false).status.success()
    }

    /// Puts a disk into it that is not encrypted.
    pub fn plug_in(&self) {
        let done = self.run(&["sh", "-c", PLUG_IN], false);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Takes it out again.
    pub fn pull_out(&self) {
        let done = self.run(&["umount", "root/data"], false);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.stop_agent();
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

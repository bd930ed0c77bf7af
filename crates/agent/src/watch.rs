//! Notices when what facts are read from changes: files and folders (inotify), links, addresses, routes and
//! firewall (netlink), mounts (the kernel marks the table). It reads nothing of what has changed; that is for the
//! check-in that follows.

use std::{
    collections::HashMap,
    fs::File,
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::PathBuf,
    sync::mpsc::Sender,
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::inotify::{self, CreateFlags, WatchFlags},
    net::{
        AddressFamily, RecvFlags, SocketFlags, SocketType, bind, netlink, netlink::SocketAddrNetlink, recv,
        socket_with,
    },
};

use crate::wake::Wake;

/// Groups of the routing socket (linux/rtnetlink.h): links, addresses and routes of both families.
const ROUTES: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
/// The group of the netfilter socket that tells of changed rules: number 7 (linux/netfilter/nfnetlink.h).
const RULES: u32 = 1 << 6;

/// Folders in which something that counts may change; none of the names means any of them. `~` is the home of
/// whoever runs the agent.
const FOLDERS: [(&str, &[&str]); 17] = [
    ("/etc", &["passwd", "group", "os-release", "resolv.conf", "sddm.conf"]),
    ("/etc/gdm3", &[]),
    ("/etc/gdm", &[]),
    ("/etc/sddm.conf.d", &[]),
    ("/etc/lightdm", &[]),
    ("/etc/lightdm/lightdm.conf.d", &[]),
    ("/etc/greetd", &[]),
    ("/etc/apt/apt.conf.d", &[]),
    ("/etc/dconf/db", &[]),
    ("/var/lib/dpkg", &["status"]),
    ("/var/lib/apt/lists", &[]),
    ("/var/lib/clamav", &[]),
    ("/run/systemd/sessions", &[]),
    ("/run/systemd/timesync", &[]),
    ("/run/systemd/resolve", &["resolv.conf"]),
    ("~/.config/dconf", &["user"]),
    ("~/.config", &["kscreenlockerrc"]),
];

/// What is watched, all by one thread that sleeps until something changes.
#[derive(Debug)]
pub struct Watch {
    files: Option<OwnedFd>,
    /// Which names count, by watch; none means any.
    names: HashMap<i32, Vec<String>>,
    routes: Option<OwnedFd>,
    rules: Option<OwnedFd>,
    mounts: Option<File>,
}

impl Watch {
    /// Everything that this account may watch. `own` are files of the agent whose change counts as well; `home` is
    /// the person's.
    pub fn new(home: &str, own: &[PathBuf]) -> Self {
        let files = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok();
        let mut names: HashMap<i32, Vec<String>> = HashMap::new();
        let mut add = |folder: &std::path::Path, wanted: Vec<String>| {
            let flags = WatchFlags::CLOSE_WRITE
                | WatchFlags::CREATE
                | WatchFlags::DELETE
                | WatchFlags::MOVED_TO
                | WatchFlags::MOVED_FROM
                | WatchFlags::ONLYDIR;
            // A folder that is not there has nothing that could change.
            if let Some(Ok(id)) = files.as_ref().map(|files| inotify::add_watch(files, folder, flags)) {
                names.entry(id).or_default().extend(wanted);
            }
        };
        for (folder, wanted) in FOLDERS {
            let folder = folder.replacen('~', home, usize::from(!home.is_empty()));
            add(folder.as_ref(), wanted.iter().map(|name| (*name).to_owned()).collect());
        }
        for (folder, name) in own.iter().filter_map(|own| own.parent().zip(own.file_name())) {
            add(folder, vec![name.to_string_lossy().into_owned()]);
        }
        Self {
            files,
            names,
            // The routing protocol is number 0, which is what no protocol means.
            routes: heard(None, ROUTES),
            rules: heard(Some(netlink::NETFILTER), RULES),
            mounts: File::open("/proc/self/mountinfo").ok(),
        }
    }

    /// Whether changes of the firewall are told to this account.
    pub fn hears_firewall(&self) -> bool {
        self.rules.is_some()
    }

    /// Wakes at each change, on a thread of its own, until nobody listens any more.
    pub fn begin(self, wake: Sender<Wake>) {
        thread::spawn(move || {
            while let Ok(changed) = self.wait() {
                for what in changed {
                    if wake.send(Wake::Changed(what)).is_err() {
                        return;
                    }
                }
            }
        });
    }

    /// Waits until something has changed; what.
    fn wait(&self) -> rustix::io::Result<Vec<&'static str>> {
        let sources: Vec<(&'static str, BorrowedFd<'_>, PollFlags)> = [
            ("files", self.files.as_ref().map(AsFd::as_fd), PollFlags::IN),
            ("network", self.routes.as_ref().map(AsFd::as_fd), PollFlags::IN),
            ("firewall", self.rules.as_ref().map(AsFd::as_fd), PollFlags::IN),
            ("mounts", self.mounts.as_ref().map(AsFd::as_fd), PollFlags::PRI),
        ]
        .into_iter()
        .filter_map(|(what, source, flags)| Some((what, source?, flags)))
        .collect();
        let mut polled: Vec<PollFd<'_>> =
            sources.iter().map(|(_, source, flags)| PollFd::from_borrowed_fd(*source, *flags)).collect();
        loop {
            match poll(&mut polled, None) {
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        let ready: Vec<&'static str> = sources
            .iter()
            .zip(&polled)
            .filter(|(_, polled)| !polled.revents().is_empty())
            .map(|((what, ..), _)| *what)
            .collect();
        let mut changed = Vec::new();
        for what in ready {
            let counts = match what {
                "files" => self.files_count(),
                "network" => drained(self.routes.as_ref()),
                "firewall" => drained(self.rules.as_ref()),
                // That the table was marked is all there is to know; asking took the mark away.
                _ => true,
            };
            if counts {
                changed.push(what);
            }
        }
        Ok(changed)
    }

    /// Takes what has changed among files; whether any of it counts.
    fn files_count(&self) -> bool {
        let Some(files) = &self.files else { return false };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(files, &mut buffer);
        let mut counts = false;
        while let Ok(event) = reader.next() {
            let name = event.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let wanted = self.names.get(&event.wd());
            counts |= wanted.is_none_or(|wanted| wanted.is_empty() || wanted.contains(&name));
        }
        counts
    }
}

/// A netlink socket that hears these groups; none where this account may not.
fn heard(protocol: Option<rustix::net::Protocol>, groups: u32) -> Option<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol).ok()?;
    bind(&socket, &SocketAddrNetlink::new(0, groups)).ok()?;
    Some(socket)
}

/// Takes all that has been told; whether there was anything. What it says is read where facts are read.
fn drained(socket: Option<&OwnedFd>) -> bool {
    let Some(socket) = socket else { return false };
    let mut buffer = [0_u8; 8192];
    let mut any = false;
    loop {
        match recv(socket, &mut buffer, RecvFlags::empty()) {
            Ok((0, _)) | Err(rustix::io::Errno::AGAIN) => return any,
            // More came than there was room for: something has changed all the same.
            Ok(_) | Err(rustix::io::Errno::NOBUFS) => any = true,
            Err(_) => return any,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::mpsc, time::Duration};

    use super::*;

    #[test]
    fn a_file_that_counts_wakes_and_another_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join(".config");
        fs::create_dir_all(config.join("dconf")).unwrap();
        let own = folder.path().join("places.json");
        let (wake, woken) = mpsc::channel();
        Watch::new(folder.path().to_str().unwrap(), std::slice::from_ref(&own)).begin(wake);
        let files = |wait| {
            let mut any = false;
            while let Ok(Wake::Changed(what)) = woken.recv_timeout(Duration::from_millis(wait)) {
                any |= what == "files";
            }
            any
        };
        fs::write(config.join("other"), "x").unwrap();
        assert!(!files(300), "what nobody reads wakes nobody");
        for path in [config.join("kscreenlockerrc"), config.join("dconf/user"), own] {
            fs::write(&path, "x").unwrap();
            assert!(files(300), "{}", path.display());
        }
        fs::rename(config.join("other"), config.join("kscreenlockerrc")).unwrap();
        assert!(files(300), "replaced as editors do");
    }
}

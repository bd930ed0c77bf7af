//! The only door to the operating system: files, and commands by fixed paths. Tests put a folder and
//! recorded answers in its place.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use stead_model::Millis;

/// Where programs may be. Nothing is looked for on the person's own path.
const FOLDERS: [&str; 6] = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/lib/apt", "/usr/local/bin"];

/// The longest answer taken from a command.
const MAX_OUTPUT: u64 = 4 * 1024 * 1024;

/// The largest file read.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// Why something could not be read, in words for a person.
pub type Why = String;

/// The machine that facts are read from.
#[derive(Debug)]
pub struct Host {
    root: PathBuf,
    recorded: Option<BTreeMap<String, Result<String, Why>>>,
    user: User,
    environment: BTreeMap<String, String>,
}

/// Whose settings are read.
#[derive(Clone, Debug)]
pub struct User {
    /// Number of the account the agent runs as.
    pub id: u32,
    /// Home folder of that account.
    pub home: String,
}

impl Host {
    /// This machine.
    pub fn real() -> Self {
        let environment: BTreeMap<String, String> = [
            "HOME",
            "XDG_CURRENT_DESKTOP",
            "XDG_SESSION_TYPE",
            "XDG_RUNTIME_DIR",
            "DBUS_SESSION_BUS_ADDRESS",
            "DISPLAY",
            "XAUTHORITY",
        ]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect();
        Self {
            root: PathBuf::from("/"),
            recorded: None,
            user: User {
                id: rustix::process::geteuid().as_raw(),
                home: environment.get("HOME").cloned().unwrap_or_else(|| "/root".to_owned()),
            },
            environment,
        }
    }

    /// A machine made of a folder and recorded answers of commands.
    pub fn recorded(root: &Path, id: u32) -> Self {
        Self {
            root: root.to_owned(),
            recorded: Some(BTreeMap::new()),
            user: User { id, home: "/home/sam".to_owned() },
            environment: BTreeMap::new(),
        }
    }

    /// Records the answer to a command line.
    #[must_use]
    pub fn answering(mut self, command: &str, answer: Result<&str, &str>) -> Self {
        if let Some(recorded) = &mut self.recorded {
            recorded.insert(command.to_owned(), answer.map(str::to_owned).map_err(str::to_owned));
        }
        self
    }

    /// Sets a variable of the person's environment.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Whether the agent runs as root.
    pub fn is_root(&self) -> bool {
        self.user.id == 0
    }

    /// Whose settings are read.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// A variable of the person's environment; only a few are let through.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The text of a file.
    ///
    /// # Errors
    /// Why it could not be read.
    pub fn read(&self, path: &str) -> Result<String, Why> {
        self.read_bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// Why it could not be read.
    pub fn read_bytes(&self, path: &str) -> Result<Vec<u8>, Why> {
        let mut bytes = Vec::new();
        fs::File::open(self.path(path))
            .and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes))
            .map_err(|error| why(path, &error))?;
        Ok(bytes)
    }

    /// The text of a file, or none when there is no such file.
    ///
    /// # Errors
    /// Why it could not be read though it is there.
    pub fn read_if_there(&self, path: &str) -> Result<Option<String>, Why> {
        match fs::symlink_metadata(self.path(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            _ => self.read(path).map(Some),
        }
    }

    /// Whether there is something at this path, as far as can be seen.
    pub fn exists(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// Where a link leads, resolved, as a path on the machine.
    pub fn resolve(&self, path: &str) -> Option<String> {
        let full = fs::canonicalize(self.path(path)).ok()?;
        let root = fs::canonicalize(&self.root).ok()?;
        full.strip_prefix(root).ok().map(|path| format!("/{}", path.display()))
    }

    /// Names in a folder, sorted; empty when there is no such folder.
    ///
    /// # Errors
    /// Why it could not be listed though it is there.
    pub fn list(&self, path: &str) -> Result<Vec<String>, Why> {
        let entries = match fs::read_dir(self.path(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(why(path, &error)),
            Ok(entries) => entries,
        };
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        Ok(names)
    }

    /// When a file was last changed.
    pub fn modified(&self, path: &str) -> Option<Millis> {
        let seen = fs::metadata(self.path(path)).ok()?;
        Some(Millis(seen.mtime().saturating_mul(1000).saturating_add(seen.mtime_nsec() / 1_000_000)))
    }

    /// A mark that changes when a file changes: time, size and number. Empty when it is not there.
    pub fn mark(&self, path: &str) -> String {
        fs::metadata(self.path(path)).map_or_else(
            |_| String::new(),
            |seen| format!("{}.{}:{}:{}", seen.mtime(), seen.mtime_nsec(), seen.size(), seen.ino()),
        )
    }

    /// Target of a symbolic link, unresolved.
    pub fn link(&self, path: &str) -> Option<String> {
        fs::read_link(self.path(path)).ok().map(|target| target.to_string_lossy().into_owned())
    }

    /// Whether a program is installed where programs belong.
    pub fn has(&self, program: &str) -> bool {
        match &self.recorded {
            Some(recorded) => recorded.keys().any(|line| line.split(' ').next() == Some(program)),
            None => locate(program).is_some(),
        }
    }

    /// Runs a program by its fixed path with nothing of the person's environment but what is needed,
    /// without a shell, for at most `limit`; its standard output.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn run(&self, program: &str, arguments: &[&str], limit: Duration) -> Result<String, Why> {
        if let Some(recorded) = &self.recorded {
            let line = [&[program], arguments].concat().join(" ");
            return recorded
                .get(&line)
                .cloned()
                .unwrap_or_else(|| Err(format!("{program} is not installed")));
        }
        let path = locate(program).ok_or_else(|| format!("{program} is not installed"))?;
        let mut command = Command::new(path);
        command.args(arguments);
        for name in ["HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "XAUTHORITY"] {
            if let Some(value) = self.environment.get(name) {
                command.env(name, value);
            }
        }
        answer(command, program, limit)
    }
}

fn locate(program: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join(program)).find(|path| path.is_file())
}

fn answer(mut command: Command, program: &str, limit: Duration) -> Result<String, Why> {
    let kept: Vec<_> = command.get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned()))).collect();
    command
        .env_clear()
        .envs(kept)
        .env("LC_ALL", "C")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("{program} could not be started: {error}"))?;
    let (sender, receiver) = mpsc::channel();
    if let Some(out) = child.stdout.take() {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = out.take(MAX_OUTPUT).read_to_end(&mut bytes);
            // Nobody listens any more when the limit has passed.
            let _ = sender.send(read.map(|_| bytes));
        });
    }
    let bytes = match receiver.recv_timeout(limit) {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return Err(format!("{program} could not be read: {error}")),
        Err(_) => {
            // Either it has ended by now, or it is ended here.
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("{program} did not answer within {} s", limit.as_secs()));
        }
    };
    let status = child.wait().map_err(|error| format!("{program} could not be waited for: {error}"))?;
    if !status.success() {
        return Err(format!("{program} ended with an error ({status})"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn why(path: &str, error: &io::Error) -> Why {
    match error.kind() {
        io::ErrorKind::PermissionDenied => format!("only root may read {path}"),
        io::ErrorKind::NotFound => format!("there is no {path}"),
        _ => format!("{path} could not be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_hangs_is_ended() {
        let host = Host::real();
        let answer = host.run("sleep", &["5"], Duration::from_millis(100));
        assert_eq!(answer, Err("sleep did not answer within 0 s".to_owned()));
        assert_eq!(
            host.run("no-such-program", &[], Duration::from_secs(1)),
            Err("no-such-program is not installed".to_owned())
        );
        assert!(host.run("false", &[], Duration::from_secs(1)).unwrap_err().contains("ended with an error"));
    }

    #[test]
    fn the_environment_is_scrubbed() {
        let seen = Host::real().run("env", &[], Duration::from_secs(1)).unwrap();
        assert!(seen.contains("LC_ALL=C"));
        assert!(!seen.contains("CARGO"));
    }
}

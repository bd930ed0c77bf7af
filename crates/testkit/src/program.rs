//! The programs under test, started as a person starts them.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
    time::Duration,
};

use crate::{client::Client, postgres::free_port};

/// A program of this project, built now if need be.
///
/// # Errors
/// When it cannot be built.
pub fn program(name: &str) -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let built = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
            // As whoever runs all tests has built them: with fewer packages, what they share would be built anew.
            .args(["build", "--quiet", "--workspace", "--bins"])
            .current_dir(&root)
            .status()
            .map_err(|e| e.to_string())?;
        if !built.success() {
            return Err("the programs could not be built".to_owned());
        }
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Ok(target.join("debug"))
    });
    folder.clone().map(|folder| folder.join(name))
}

/// A server, running. It is killed when dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    program: PathBuf,
    data: PathBuf,
    store: Option<String>,
    more: Vec<String>,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts a server on a free port with its data in a folder, and waits until it is ready.
    ///
    /// # Errors
    /// Why it did not start.
    pub fn start(data: &Path, store: Option<&str>) -> Result<Self, String> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port().map_err(|e| e.to_string())?));
        Self::start_at(&program("stead-server")?, data, store, address)
    }

    /// Starts this program at this address.
    ///
    /// # Errors
    /// Why it did not start.
    pub fn start_at(
        program: &Path,
        data: &Path,
        store: Option<&str>,
        address: SocketAddr,
    ) -> Result<Self, String> {
        Self::start_with(program, data, store, address, &[])
    }

    /// The same with more arguments.
    ///
    /// # Errors
    /// Why it did not start.
    pub fn start_with(
        program: &Path,
        data: &Path,
        store: Option<&str>,
        address: SocketAddr,
        more: &[String],
    ) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.arg("serve").arg("--data").arg(data).args(["--listen", &address.to_string()]);
        if let Some(store) = store {
            command.args(["--store", store]);
        }
        command.args(more);
        let mut child = command.stderr(Stdio::piped()).spawn().map_err(|e| e.to_string())?;
        let log = child.stderr.take().ok_or("no log")?;
        let mut lines = BufReader::new(log).lines();
        let mut seen = Vec::new();
        for line in lines.by_ref().map_while(Result::ok) {
            if line.contains("ready") {
                let log = Arc::new(Mutex::new(seen));
                let kept = Arc::clone(&log);
                thread::spawn(move || {
                    for line in lines.map_while(Result::ok) {
                        eprintln!("server: {line}");
                        kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                    }
                });
                return Ok(Self {
                    address,
                    program: program.to_owned(),
                    data: data.to_owned(),
                    store: store.map(str::to_owned),
                    more: more.to_vec(),
                    child,
                    log,
                });
            }
            seen.push(line);
        }
        Err(seen.join("\n"))
    }

    /// What it has written to its log.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// Where browsers and agents find it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The server's process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Connects.
    ///
    /// # Errors
    /// When it does not take the connection.
    pub fn client(&self) -> Result<Client, String> {
        Client::connect(self.address).map_err(|e| e.to_string())
    }

    /// Kills it as a power cut would, without a word.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again on the same data.
    ///
    /// # Errors
    /// Why it did not start.
    pub fn again(&mut self) -> Result<(), String> {
        let started =
            Self::start_with(&self.program, &self.data, self.store.as_deref(), self.address, &self.more)?;
        *self = started;
        Ok(())
    }

    /// Starts it again with more arguments, this once.
    ///
    /// # Errors
    /// Why it did not start.
    pub fn again_with(&self, more: &[&str]) -> Result<Self, String> {
        let all: Vec<String> =
            self.more.iter().cloned().chain(more.iter().map(|m| (*m).to_owned())).collect();
        let mut started =
            Self::start_with(&self.program, &self.data, self.store.as_deref(), self.address, &all)?;
        started.more.clone_from(&self.more);
        Ok(started)
    }

    /// Asks it to end, and waits.
    pub fn terminate(&mut self) {
        if let Some(id) = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(0)) {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }

    /// Runs `stead-server admin` beside it; its output.
    ///
    /// # Errors
    /// What it complained of.
    pub fn admin(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = self.command("admin");
        let out = command.args(arguments).output().map_err(|e| e.to_string())?;
        if out.status.success() {
            Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&out.stderr).into_owned())
        }
    }

    /// Runs `stead-server ledger` on its data.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn ledger(&self, arguments: &[&str]) -> Result<Output, String> {
        Command::new(&self.program).arg("ledger").args(arguments).output().map_err(|e| e.to_string())
    }

    /// The key that checks the ledger.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn ledger_key(&self) -> Result<String, String> {
        let mut client = self.client()?;
        let (_, key) = client.get("/ledger/key", "").map_err(|e| e.to_string())?;
        Ok(key.trim().to_owned())
    }

    /// The folder with its data.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The store it was started with, when it is not in its folder.
    pub fn store(&self) -> Option<&str> {
        self.store.as_deref()
    }

    /// Signs in; the cookie.
    ///
    /// # Errors
    /// When it cannot.
    pub fn sign_in(&self) -> Result<String, String> {
        let link = self.admin(&["sign-in-link", "--base-url", &self.url()])?;
        let path = link.strip_prefix(&self.url()).ok_or("a strange link")?;
        let (_, cookie) = self.client()?.post_for_cookie(path).map_err(|e| e.to_string())?;
        cookie.ok_or_else(|| "no session".to_owned())
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(name).arg("--data").arg(&self.data);
        if let Some(store) = &self.store {
            command.args(["--store", store]);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        thread::sleep(Duration::from_millis(1));
    }
}

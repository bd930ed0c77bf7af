//! A PostgreSQL server in a temporary folder.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// A PostgreSQL server in a temporary folder. It ends when this value is dropped or the process dies.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    guard: Child,
    _folder: TempDir,
}

/// Waits for its standard input to close, then ends the server. So the server ends even when the
/// process that started it is killed.
const GUARD: &str = r#"
"$@" >/dev/null 2>"$LOG" & server=$!
echo started
cat >/dev/null
kill -INT $server 2>/dev/null
wait $server
"#;

impl Postgres {
    /// Starts a server; `durable` says whether it waits for the disk, which benchmarks want and
    /// tests do not.
    ///
    /// # Errors
    /// Why there is none, in words: what is missing and how to install it.
    pub fn start(durable: bool) -> Result<Self, String> {
        let bin = programs().ok_or(
            "PostgreSQL is not installed; `cargo xtask test` installs it where it may, or run `apt-get install postgresql`",
        )?;
        let folder = tempfile::Builder::new().prefix("stead-pg-").tempdir().map_err(|e| e.to_string())?;
        let data = folder.path().join("data");
        let log = folder.path().join("log");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).map_err(|e| e.to_string())?;
        fs::create_dir(&data).map_err(|e| e.to_string())?;
        fs::write(&log, "").map_err(|e| e.to_string())?;
        let root = rustix::process::getuid().is_root();
        if root {
            let (user, group) = postgres_ids().ok_or("there is no user `postgres` to run the server as")?;
            for path in [&data, &log] {
                chown(path, Some(user), Some(group)).map_err(|e| e.to_string())?;
            }
        }
        let command = |program: &str| {
            let mut command = if root {
                // `setpriv` becomes the program, so that a signal to it reaches the server.
                let mut command = Command::new("setpriv");
                command
                    .args(["--reuid=postgres", "--regid=postgres", "--init-groups"])
                    .arg(bin.join(program));
                command
            } else {
                Command::new(bin.join(program))
            };
            command.current_dir("/");
            command
        };
        let made = command("initdb")
            .args(["--username=stead", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data)
            .output()
            .map_err(|e| e.to_string())?;
        if !made.status.success() {
            return Err(format!("initdb failed: {}", String::from_utf8_lossy(&made.stderr)));
        }
        let port = free_port().map_err(|e| e.to_string())?;
        let server = command("postgres");
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "guard"]).arg(server.get_program()).args(server.get_args());
        guard.arg("-D").arg(&data);
        for setting in [
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", data.display()),
            format!("fsync={}", if durable { "on" } else { "off" }),
            "shared_buffers=256MB".to_owned(),
            "max_connections=120".to_owned(),
        ] {
            guard.args(["-c", &setting]);
        }
        guard
            .env("LOG", &log)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut guard = guard.spawn().map_err(|e| e.to_string())?;
        if let Some(out) = guard.stdout.take() {
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line).map_err(|e| e.to_string())?;
        }
        let server = Self { port, guard, _folder: folder };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() && server.create_database("probe").is_ok() {
                return Ok(server);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(format!("PostgreSQL did not start: {}", fs::read_to_string(&log).unwrap_or_default()))
    }

    /// Makes an empty database; its address.
    ///
    /// # Errors
    /// What `createdb` said.
    pub fn create_database(&self, name: &str) -> Result<String, String> {
        let bin = programs().ok_or("PostgreSQL is not installed")?;
        let made = Command::new(bin.join("createdb"))
            .args(["-h", "127.0.0.1", "-U", "stead", "-p", &self.port.to_string(), name])
            .output()
            .map_err(|e| e.to_string())?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into_owned());
        }
        Ok(format!("postgres://stead@127.0.0.1:{}/{name}", self.port))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Nobody is left to hear about a guard that cannot be waited for.
        let _ = self.guard.wait();
    }
}

/// A port on the loopback that nobody listens on.
///
/// # Errors
/// When the system gives none.
pub fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").ok().and_then(|versions| {
        let mut bins: Vec<PathBuf> = versions.flatten().map(|v| v.path().join("bin")).collect();
        bins.sort();
        bins.pop()
    });
    let on_path =
        std::env::var_os("PATH").into_iter().flat_map(|p| std::env::split_paths(&p).collect::<Vec<_>>());
    debian
        .into_iter()
        .chain(on_path)
        .find(|bin| is_there(&bin.join("initdb")) && is_there(&bin.join("postgres")))
}

fn is_there(path: &Path) -> bool {
    path.is_file()
}

fn postgres_ids() -> Option<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// A PostgreSQL server that waits for the disk and is started, stopped, broken and promoted by its own programs.
#[derive(Debug)]
pub struct Cluster {
    bin: PathBuf,
    data: PathBuf,
    port: u16,
    root: bool,
}

impl Cluster {
    /// Makes one in an empty folder, and starts it.
    ///
    /// # Errors
    /// What is missing, or what its programs said.
    pub fn start(folder: &Path) -> Result<Self, String> {
        let cluster = Self::at(folder)?;
        cluster.run(
            "initdb",
            &["--username=stead", "--auth=trust", "--encoding=UTF8", "--locale=C"],
            true,
        )?;
        cluster.up()?;
        Ok(cluster)
    }

    /// A copy of another that follows it, in an empty folder, started.
    ///
    /// # Errors
    /// What its programs said.
    pub fn standby_of(primary: &Self, folder: &Path) -> Result<Self, String> {
        let cluster = Self::at(folder)?;
        let port = primary.port.to_string();
        cluster.run(
            "pg_basebackup",
            &["-h", "127.0.0.1", "-U", "stead", "-p", &port, "--write-recovery-conf", "--checkpoint=fast"],
            true,
        )?;
        cluster.up()?;
        Ok(cluster)
    }

    fn at(folder: &Path) -> Result<Self, String> {
        let bin = programs().ok_or("PostgreSQL is not installed")?;
        let root = rustix::process::getuid().is_root();
        let data = folder.join("data");
        for path in [folder, &data] {
            fs::create_dir_all(path).map_err(|e| e.to_string())?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(|e| e.to_string())?;
            if root {
                let (user, group) =
                    postgres_ids().ok_or("there is no user `postgres` to run the server as")?;
                chown(path, Some(user), Some(group)).map_err(|e| e.to_string())?;
            }
        }
        let port = free_port().map_err(|e| e.to_string())?;
        Ok(Self { bin, data, port, root })
    }

    /// Runs one of its programs; `on_data` names its folder.
    fn run(&self, program: &str, arguments: &[&str], on_data: bool) -> Result<String, String> {
        let mut command = if self.root {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--init-groups"])
                .arg(self.bin.join(program));
            command
        } else {
            Command::new(self.bin.join(program))
        };
        if on_data {
            command.arg("-D").arg(&self.data);
        }
        // What it starts goes on and would keep a pipe open.
        let out = command
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(if program == "pg_ctl" { Stdio::null() } else { Stdio::piped() })
            .stderr(if program == "pg_ctl" { Stdio::null() } else { Stdio::piped() })
            .output()
            .map_err(|e| e.to_string())?;
        if out.status.success() {
            return Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned());
        }
        let log = fs::read_to_string(self.data.join("log")).unwrap_or_default();
        Err(format!("{program}: {}{log}", String::from_utf8_lossy(&out.stderr)))
    }

    /// Starts it.
    ///
    /// # Errors
    /// Its log.
    pub fn up(&self) -> Result<(), String> {
        let log = self.data.join("log").display().to_string();
        let options = format!(
            "-c port={} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c shared_buffers=32MB \
             -c restart_after_crash=on -c max_wal_size=64MB",
            self.port,
            self.data.display()
        );
        self.run("pg_ctl", &["start", "--wait", "--log", &log, "--options", &options], true).map(|_| ())
    }

    /// Stops it: `fast` lets nothing go on, `immediate` is a crash.
    ///
    /// # Errors
    /// What its program said.
    pub fn down(&self, mode: &str) -> Result<(), String> {
        self.run("pg_ctl", &["stop", "--wait", "--mode", mode], true).map(|_| ())
    }

    /// Makes a standby the primary.
    ///
    /// # Errors
    /// What its program said.
    pub fn promote(&self) -> Result<(), String> {
        self.run("pg_ctl", &["promote", "--wait"], true).map(|_| ())
    }

    /// Makes it follow from the next start on, as a demoted primary does.
    ///
    /// # Errors
    /// When its folder cannot be written.
    pub fn demote(&self) -> Result<(), String> {
        fs::write(self.data.join("standby.signal"), "").map_err(|e| e.to_string())
    }

    /// Undoes [`Cluster::demote`].
    ///
    /// # Errors
    /// When its folder cannot be written.
    pub fn undo_demote(&self) -> Result<(), String> {
        fs::remove_file(self.data.join("standby.signal")).map_err(|e| e.to_string())
    }

    /// Runs a statement as its superuser; what it gives.
    ///
    /// # Errors
    /// What psql said.
    pub fn sql(&self, statement: &str) -> Result<String, String> {
        let port = self.port.to_string();
        self.run(
            "psql",
            &["-h", "127.0.0.1", "-U", "stead", "-p", &port, "-d", "postgres", "-At", "-c", statement],
            false,
        )
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        format!("postgres://stead@127.0.0.1:{}/postgres", self.port)
    }

    /// Makes it listen where another one did.
    pub fn take_port_of(&mut self, other: &Self) {
        self.port = other.port;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.down("immediate");
    }
}

//! Real proxies in front of an application, with the very configurations that the book gives, and a browser that
//! goes through them.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use stead_testkit::free_port;

/// A program that Debian packages; none, with the reason printed, where it is not installed.
fn installed(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/bin"];
    let found = folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file());
    if found.is_none() {
        assert!(std::env::var_os("STEAD_TEST_ALL").is_none(), "{name} is not installed");
        eprintln!("skipped: {name} is not installed");
    }
    found
}

fn docs(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gate").join(name);
    fs::read_to_string(path).unwrap()
}

/// The same without the lines that keep the gate's pass from what is behind: a relay asks by it.
fn with_the_pass(name: &str) -> String {
    const KEEP_IT: [&str; 3] = ["Cookie $records_cookies;", "request_header Cookie ", "lua.stead-keep-pass"];
    let text = docs(name);
    let kept = |line: &&str| !KEEP_IT.iter().any(|keeps| line.contains(keeps));
    let lines: Vec<&str> = text.lines().filter(kept).collect();
    assert!(lines.len() < text.lines().count(), "{name} keeps the pass");
    lines.join("\n") + "\n"
}

/// A configuration with what stands in it for an example put right.
fn filled(mut text: String, changes: &[(&str, String)]) -> String {
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text
}

/// Which proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// nginx, with `auth_request`.
    Nginx,
    /// Caddy, with `forward_auth`.
    Caddy,
    /// HAProxy, with a few lines of Lua.
    HaProxy,
}

/// What a proxy needs to speak TLS as `records.localhost`, and to know devices.
#[derive(Debug)]
pub struct Tls {
    folder: tempfile::TempDir,
    /// The certificate of what certifies devices.
    pub devices: PathBuf,
}

impl Tls {
    /// Makes a certificate for `records.localhost` that is its own authority.
    pub fn new(devices: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ])
            .args(["-subj", "/CN=records.localhost", "-addext", "subjectAltName=DNS:records.localhost"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let part = |name| fs::read_to_string(folder.path().join(name)).unwrap();
        fs::write(folder.path().join("both.pem"), part("certificate.pem") + &part("key.pem")).unwrap();
        Self { folder, devices }
    }

    /// The file with the certificate and its key.
    pub fn both(&self) -> String {
        self.folder.path().join("both.pem").display().to_string()
    }
}

/// A proxy in front of the application `records`. It ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub port: u16,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Proxy {
    /// Starts it at a port, asking the server at one address and leading to the application at another; none where
    /// it is not installed.
    pub fn start(kind: Kind, port: u16, stead: SocketAddr, app: SocketAddr) -> Option<Self> {
        Self::start_with(kind, port, stead, app, None)
    }

    /// The same with TLS, where each connection is asked for a certificate of this authority.
    pub fn start_with(
        kind: Kind,
        port: u16,
        stead: SocketAddr,
        app: SocketAddr,
        tls: Option<&Tls>,
    ) -> Option<Self> {
        Self::begin(kind, port, stead, app, (tls, docs))
    }

    fn begin(
        kind: Kind,
        port: u16,
        stead: SocketAddr,
        app: SocketAddr,
        (tls, docs): (Option<&Tls>, fn(&str) -> String),
    ) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let mut command = match kind {
            Kind::Nginx => {
                let text = filled(
                    docs("nginx.conf"),
                    &[
                        (
                            "listen 443 ssl default_server;",
                            format!("listen 127.0.0.1:{port} default_server;"),
                        ),
                        ("listen 443 ssl;", format!("listen 127.0.0.1:{port};")),
                        ("records.example.org;", "records.localhost;".to_owned()),
                        ("127.0.0.1:8787", stead.to_string()),
                        ("127.0.0.1:3000", app.to_string()),
                    ],
                );
                let text = match tls {
                    Some(tls) => filled(
                        text,
                        &[
                            (&format!("{port};"), format!("{port} ssl;")),
                            (&format!("{port} default_server;"), format!("{port} ssl default_server;")),
                            ("/etc/ssl/records.pem", tls.both()),
                            ("/etc/ssl/records.key", tls.both()),
                            ("#ssl_", "ssl_".to_owned()),
                            ("/etc/ssl/stead-devices.pem", tls.devices.display().to_string()),
                        ],
                    ),
                    None => {
                        let settings = ["    ssl_", "    #ssl_"];
                        let plain =
                            text.lines().filter(|line| !settings.iter().any(|start| line.starts_with(start)));
                        plain.collect::<Vec<_>>().join("\n")
                    }
                };
                let whole = format!(
                    "daemon off; worker_processes 2; pid {0}/pid; error_log {0}/error.log;\n\
                     events {{ worker_connections 1024; }}\nhttp {{ access_log off; \
                     client_body_temp_path {0}; proxy_temp_path {0}; fastcgi_temp_path {0}; \
                     uwsgi_temp_path {0}; scgi_temp_path {0};\n{text}\n}}\n",
                    at.display()
                );
                fs::write(at.join("nginx.conf"), whole).unwrap();
                let mut command = Command::new(installed("nginx")?);
                command.arg("-e").arg(at.join("error.log")).arg("-c").arg(at.join("nginx.conf"));
                command
            }
            Kind::Caddy => {
                let scheme = if tls.is_some() { "https" } else { "http" };
                let here = format!("\n{scheme}://records.localhost:{port} {{\n\tbind 127.0.0.1");
                let text = filled(
                    docs("Caddyfile"),
                    &[
                        ("\nrecords.example.org {", here),
                        ("127.0.0.1:8787", stead.to_string()),
                        ("127.0.0.1:3000", app.to_string()),
                    ],
                );
                let text = match tls {
                    Some(tls) => filled(
                        text,
                        &[
                            ("#tls {", format!("#tls {0} {0} {{", tls.both())),
                            ("\t#", "\t".to_owned()),
                            ("\t Each", "\t# Each".to_owned()),
                            ("\t The", "\t# The".to_owned()),
                            ("\t In", "\t# In".to_owned()),
                            ("\t Who", "\t# Who".to_owned()),
                            ("\t What", "\t# What".to_owned()),
                            ("\t list", "\t# list".to_owned()),
                            ("\t Asked", "\t# Asked".to_owned()),
                            ("/etc/ssl/stead-devices.pem", tls.devices.display().to_string()),
                        ],
                    ),
                    None => text,
                };
                fs::write(at.join("Caddyfile"), format!("{{\n\tadmin off\n\tauto_https off\n}}\n{text}"))
                    .unwrap();
                let mut command = Command::new(installed("caddy")?);
                command.args(["run", "--adapter", "caddyfile", "--config"]).arg(at.join("Caddyfile"));
                command.env("HOME", at);
                command
            }
            Kind::HaProxy => {
                let lua = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gate/stead-gate.lua");
                let bind = "bind :443 ssl crt /etc/ssl/records.pem alpn http/1.1";
                let here = match tls {
                    Some(tls) => format!(
                        "bind 127.0.0.1:{port} ssl crt {} alpn http/1.1 ca-file {} verify optional",
                        tls.both(),
                        tls.devices.display()
                    ),
                    None => format!("bind 127.0.0.1:{port}"),
                };
                let text = filled(
                    docs("haproxy.cfg"),
                    &[
                        (bind, here),
                        ("/etc/haproxy/stead-gate.lua", lua.display().to_string()),
                        ("records.example.org", "records.localhost".to_owned()),
                        ("127.0.0.1:8787", stead.to_string()),
                        ("127.0.0.1:3000", app.to_string()),
                    ],
                );
                fs::write(at.join("haproxy.cfg"), text).unwrap();
                let mut command = Command::new(installed("haproxy")?);
                command.args(["-db", "-f"]).arg(at.join("haproxy.cfg"));
                command
            }
        };
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let proxy = Self { port, child, _folder: folder };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "{kind:?} never listened");
            thread::sleep(Duration::from_millis(50));
        }
        Some(proxy)
    }
}

impl Proxy {
    /// Ends it, and starts it at the same port in front of a relay, which asks by the pass.
    pub fn lead_to(&mut self, kind: Kind, stead: SocketAddr, relay: SocketAddr) {
        self.stop();
        *self = Self::begin(kind, self.port, stead, relay, (None, with_the_pass)).unwrap();
    }

    fn stop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
            thread::sleep(Duration::from_millis(100));
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop();
    }
}

/// An application that says what it was asked, and counts.
#[derive(Debug)]
pub struct Application {
    /// Where it listens.
    pub address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Application {
    /// Starts it; it goes on for as long as the test does.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                thread::spawn(move || answer(stream, &count));
            }
        });
        Self { address, asked }
    }

    /// How many requests have reached it.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Answers each request with its own head.
fn answer(stream: TcpStream, count: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (head, length) = read_head(&mut reader)?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        count.fetch_add(1, Ordering::Relaxed);
        if head.starts_with("GET /long ") || head.to_ascii_lowercase().contains("upgrade: websocket") {
            return goes_on(reader.get_mut(), head.starts_with("GET /long "));
        }
        let said = format!("the application was asked:\n{head}{}", String::from_utf8_lossy(&body));
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nContent-Type: text/plain\r\n\r\n{said}",
            said.len()
        );
        reader.get_mut().write_all(answer.as_bytes()).ok()?;
    }
}

/// One letter after the other, as a long download or over a WebSocket, until nobody is there any more.
fn goes_on(stream: &mut TcpStream, download: bool) -> Option<()> {
    let head = match download {
        true => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        // It fits the key that tests send.
        false => {
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        }
    };
    stream.write_all(head.as_bytes()).ok()?;
    let letter: &[u8] = if download { b"1\r\n.\r\n" } else { b"." };
    loop {
        stream.write_all(letter).ok()?;
        thread::sleep(Duration::from_millis(10));
    }
}

/// A relay between the proxy and the application. It ends when dropped.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
}

impl Relay {
    /// Starts it.
    pub fn start(gate: SocketAddr, app: SocketAddr) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port()));
        let mut command = Command::new(stead_testkit::program("stead-server").unwrap());
        command.args(["relay", "records", "--gate", &format!("http://{gate}")]);
        command.args(["--to", &format!("http://{app}"), "--listen", &address.to_string()]);
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "the relay never listened");
            thread::sleep(Duration::from_millis(50));
        }
        Self { address, child }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A head up to the empty line, and how long the body after it is.
fn read_head(reader: &mut impl BufRead) -> Option<(String, usize)> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" || line == "\n" {
            return Some((head, length));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Page {
    /// The status; 0 when the connection was closed without an answer.
    pub status: u16,
    /// Everything before the body.
    pub head: String,
    /// The body.
    pub body: String,
    /// The last address.
    pub address: String,
}

impl Page {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.head.lines().filter_map(|line| line.split_once(':'));
        all.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Sends bytes as they are, and reads what comes back until the other side closes or has said all.
pub fn send_raw(port: u16, request: &[u8]) -> Page {
    let nothing = Page { status: 0, head: String::new(), body: String::new(), address: String::new() };
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return nothing };
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    if stream.write_all(request).is_err() {
        return nothing;
    }
    let mut reader = BufReader::new(stream);
    let Some((head, length)) = read_head(&mut reader) else { return nothing };
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let mut body = Vec::new();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    if chunked {
        read_chunks(&mut reader, &mut body);
    } else if length > 0 {
        body.resize(length, 0);
        let _ = reader.read_exact(&mut body);
    }
    Page { status, head, body: String::from_utf8_lossy(&body).into_owned(), address: String::new() }
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> Option<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut chunk = vec![0; length + 2];
        reader.read_exact(&mut chunk).ok()?;
        if length == 0 {
            return Some(());
        }
        body.extend_from_slice(&chunk[..length]);
    }
}

/// A browser as far as this needs one: cookies for each host, and it goes where it is sent.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// Host with port, and path, of an address.
fn parts(address: &str) -> (String, String) {
    let rest = address.strip_prefix("http://").unwrap_or_else(|| panic!("{address}"));
    let slash = rest.find('/').unwrap_or(rest.len());
    let path = if slash == rest.len() { "/" } else { &rest[slash..] };
    (rest[..slash].to_owned(), path.to_owned())
}

impl Browser {
    /// Puts a cookie there, as `name=value`.
    pub fn put(&mut self, host: &str, cookie: &str) {
        let (name, value) = cookie.split_once('=').unwrap();
        self.cookies.entry(host.to_owned()).or_default().insert(name.to_owned(), value.to_owned());
    }

    /// The value of a cookie of a host.
    pub fn cookie(&self, host: &str, name: &str) -> Option<String> {
        self.cookies.get(host)?.get(name).cloned()
    }

    /// The `Cookie` header for a host.
    pub fn header(&self, host: &str) -> String {
        let all = self.cookies.get(host).into_iter().flatten();
        all.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Asks once, with more headers; keeps the cookies.
    pub fn ask(&mut self, address: &str, more: &[(&str, &str)]) -> Page {
        let (host, path) = parts(address);
        let port: u16 = host.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap();
        let mut request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        if !more.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept")) {
            request.push_str("Accept: text/html\r\n");
        }
        let cookies = self.header(&host);
        if !cookies.is_empty() {
            request.push_str(&format!("Cookie: {cookies}\r\n"));
        }
        for (name, value) in more {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut page = send_raw(port, format!("{request}\r\n").as_bytes());
        for line in page.head.lines() {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("set-cookie")
            {
                let (pair, rest) = value.trim().split_once(';').unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                let jar = self.cookies.entry(host.clone()).or_default();
                if rest.contains("Max-Age=0") {
                    jar.remove(name);
                } else {
                    jar.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        page.address = address.to_owned();
        page
    }

    /// Goes to an address and on to wherever it is sent, by way of the agent where that is asked. Stops where
    /// `until` says so.
    pub fn go_until(
        &mut self,
        address: &str,
        agent: &dyn Fn(&str) -> Option<String>,
        until: &dyn Fn(&str) -> bool,
    ) -> Page {
        let mut address = address.to_owned();
        for _ in 0..15 {
            let page = self.ask(&address, &[]);
            let Some(to) = page.header("location").filter(|_| (300..400).contains(&page.status)) else {
                return page;
            };
            let to =
                if to.starts_with('/') { format!("http://{}{to}", parts(&address).0) } else { to.to_owned() };
            if until(&to) {
                return Page { address: to, ..page };
            }
            address = match to.split_once("/device?question=") {
                Some((_, question)) if to.starts_with("http://127.0.0.1:") => match agent(question) {
                    Some(answered) => answered,
                    None => return Page { address: to, ..page },
                },
                _ => to,
            };
        }
        panic!("sent on and on: {address}");
    }

    /// The same to the end.
    pub fn go(&mut self, address: &str, agent: &dyn Fn(&str) -> Option<String>) -> Page {
        self.go_until(address, agent, &|_| false)
    }
}

/// A free port.
pub fn port() -> u16 {
    free_port().unwrap()
}

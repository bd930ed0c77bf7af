//! A mail server of another make, to which the programs under test send.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use serde_json::Value;

use crate::{peer, peers};

/// How long a test waits for a message. What happens together is held back for two minutes.
const LONGEST: Duration = Duration::from_secs(240);

/// A mail server that runs until the test ends.
pub struct MailPeer {
    child: Child,
    said: Receiver<String>,
    /// Messages to others that came while one to somebody was waited for.
    kept: VecDeque<Value>,
    /// Where it listens.
    pub port: u64,
}

impl MailPeer {
    /// None, with the reason printed, where there is no Python with the packages that tests need.
    pub fn start(kind: &str, trust: &Path) -> Option<Self> {
        let mut command = Command::new(peer("python")?);
        command.arg(peers().join("mail.py")).arg(kind).arg(trust);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, said) = mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let mut peer = Self { child, said, kept: VecDeque::new(), port: 0 };
        peer.port = peer.take()["port"].as_u64().unwrap();
        Some(peer)
    }

    /// The next message that it took; waits for it.
    pub fn take(&mut self) -> Value {
        self.kept.pop_front().unwrap_or_else(|| self.wait())
    }

    fn wait(&mut self) -> Value {
        let line = self.said.recv_timeout(LONGEST).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// The next message to somebody. Those to others stay for whoever asks for them: several go out at the same
    /// time, and which arrives first is not said.
    pub fn next_to(&mut self, address: &str) -> Value {
        let is_theirs = |message: &Value| message["to"][0] == address;
        if let Some(place) = self.kept.iter().position(is_theirs) {
            return self.kept.remove(place).unwrap_or_default();
        }
        loop {
            let message = self.wait();
            if is_theirs(&message) {
                return message;
            }
            self.kept.push_back(message);
        }
    }
}

impl Drop for MailPeer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server is started with that sends its mail there.
pub fn mail_arguments(folder: &Path, scheme: &str, port: u64, trust: &Path) -> Vec<String> {
    let password = folder.join("mail-password");
    std::fs::write(&password, "post office\n").unwrap();
    [
        "--mail-server",
        &format!("{scheme}://localhost:{port}"),
        "--mail-from",
        "Stead <stead@stead.example>",
        "--mail-user",
        "stead",
        "--mail-password-file",
        password.to_str().unwrap(),
        "--mail-trust",
        trust.to_str().unwrap(),
        // Tests wait for each message, whatever came before it.
        "--mail-apart",
        "1",
    ]
    .map(str::to_owned)
    .to_vec()
}

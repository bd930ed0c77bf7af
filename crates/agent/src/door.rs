//! The agent's door for a browser on the same machine, which the server's pages send here to show on which device
//! it runs: the agent signs the server's question and sends the browser back.
//!
//! ```text
//! GET http://127.0.0.1:18787/device?question=…        303 to the server's pages, with the signed answer
//!                                   …&look=1          the same, after a check-in
//! ```
//! It listens on the loopback address alone and answers nothing but that: no page may read the answer, which goes
//! nowhere but to the server at which this device is enrolled.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Sender},
    },
    thread,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use stead_model::{
    DeviceId, Millis,
    message::{SHOWN, Shown, VERSION},
    seal::SigningKey,
};

use crate::wake::Wake;

/// Most bytes of a request.
const LONGEST: usize = 8 * 1024;
/// Most bytes of a question.
const LONGEST_QUESTION: usize = 600;
/// Most browsers that are answered at the same time.
const AT_ONCE: usize = 8;
/// How long a browser may take to ask.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a browser waits for a check-in.
const LOOKING: Duration = Duration::from_secs(10);

/// What answers.
#[derive(Debug)]
pub struct Door {
    /// The device.
    pub device: DeviceId,
    /// Its key.
    pub key: SigningKey,
    /// Where browsers are sent back to.
    pub pages: Box<dyn Pages>,
    /// The clock.
    pub now: fn() -> Millis,
    /// Whom to wake for a check-in.
    pub wake: Sender<Wake>,
}

/// Says where the server's pages are, as the server itself said it last.
pub trait Pages: std::fmt::Debug + Send + Sync {
    /// The address, without a path.
    fn address(&self) -> String;
}

/// Begins to listen on this machine alone.
///
/// # Errors
/// When the port is taken.
pub fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

impl Door {
    /// Answers on a thread of its own, for as long as the program runs.
    pub fn open(self, listener: TcpListener) {
        let door = Arc::new(self);
        let busy = Arc::new(AtomicUsize::new(0));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else {
                    // No room for another just now.
                    thread::sleep(Duration::from_millis(200));
                    continue;
                };
                if busy.load(Ordering::Relaxed) >= AT_ONCE {
                    continue;
                }
                busy.fetch_add(1, Ordering::Relaxed);
                let (door, busy) = (Arc::clone(&door), Arc::clone(&busy));
                thread::spawn(move || {
                    // A browser that has gone away needs no answer.
                    let _ = door.serve(stream);
                    busy.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
    }

    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let port = stream.local_addr()?.port();
        let answer = match head(&mut stream)? {
            Some(head) => self.answer(&head, port),
            None => refused("400 Bad Request"),
        };
        stream.write_all(answer.as_bytes())
    }

    /// The answer to a request's head.
    pub(crate) fn answer(&self, head: &str, port: u16) -> String {
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some("GET"), Some(target)) = (words.next(), words.next()) else {
            return refused("405 Method Not Allowed");
        };
        let header = |wanted: &str| {
            let mut found = lines.clone().filter_map(|line| line.split_once(':'));
            found.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
        };
        // A name that somebody else lets lead to this machine is not this machine's.
        let here = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        if !header("host").is_some_and(|host| here.iter().any(|here| here == host)) {
            return refused("421 Misdirected Request");
        }
        // Browsers say whether a person goes to a page, or a page asks behind their back.
        let navigates = header("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
            && header("sec-fetch-dest").is_none_or(|dest| dest == "document");
        if !navigates {
            return refused("403 Forbidden");
        }
        let Some(query) = target.strip_prefix("/device?") else { return refused("404 Not Found") };
        let value = |wanted: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(name, _)| *name == wanted)
                .map(|p| p.1)
        };
        let plain = |text: &&str| {
            text.len() <= LONGEST_QUESTION
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        };
        let Some(question) = value("question").filter(plain) else { return refused("400 Bad Request") };
        if value("look").is_some() {
            self.look();
        }
        match self.shown(question) {
            Ok(shown) => format!(
                "HTTP/1.1 303 See Other\r\nLocation: {}/gate/device/back?shown={shown}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                self.pages.address()
            ),
            Err(_) => refused("500 Internal Server Error"),
        }
    }

    /// Has the device looked at and the server told, and waits for it a while.
    fn look(&self) {
        let (done, looked) = mpsc::channel();
        if self.wake.send(Wake::Asked(done)).is_ok() {
            // Looked at or not, the browser goes on: the page it comes to says how it is.
            let _ = looked.recv_timeout(LOOKING);
        }
    }

    fn shown(&self, question: &str) -> serde_json::Result<String> {
        let shown =
            Shown { v: VERSION, device: self.device, at: (self.now)(), question: question.to_owned() };
        let envelope = self.key.seal(SHOWN, &serde_json::to_vec(&shown)?, &self.device.to_string());
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&envelope)?))
    }
}

/// The head of a request, up to the empty line. None when it is too long or no text.
pub(crate) fn head(stream: &mut impl Read) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut part = [0; 1024];
    loop {
        let n = stream.read(&mut part)?;
        if n == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&part[..n]);
        if bytes.windows(4).any(|end| end == b"\r\n\r\n") {
            return Ok(String::from_utf8(bytes).ok());
        }
        if bytes.len() > LONGEST {
            return Ok(None);
        }
    }
}

fn refused(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use stead_model::seal::{Envelope, Seed, VerifyingKey};

    use super::*;

    #[derive(Debug)]
    struct Fixed;

    impl Pages for Fixed {
        fn address(&self) -> String {
            "https://stead.example.org".to_owned()
        }
    }

    fn door() -> (Door, mpsc::Receiver<Wake>) {
        let (wake, woken) = mpsc::channel();
        let key = SigningKey::from_seed(&Seed::new([3; 32])).unwrap();
        let device = DeviceId::from_parts(Millis(1), [1; 10]);
        (Door { device, key, pages: Box::new(Fixed), now: || Millis(5), wake }, woken)
    }

    fn ask(head: &str) -> String {
        door().0.answer(head, 18_787)
    }

    const GOOD: &str = "GET /device?question=a.b-c_1 HTTP/1.1\r\nHost: 127.0.0.1:18787\r\n";

    #[test]
    fn a_question_is_signed_and_sent_to_the_server_alone() {
        let answer = ask(GOOD);
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        let shown = answer.split_once("https://stead.example.org/gate/device/back?shown=").unwrap().1;
        let shown = URL_SAFE_NO_PAD.decode(shown.split_once("\r\n").unwrap().0).unwrap();
        let envelope: Envelope = serde_json::from_slice(&shown).unwrap();
        let (door, _) = door();
        let key = VerifyingKey::from_bytes(&door.key.public()).unwrap();
        let shown: Shown = serde_json::from_slice(envelope.open(SHOWN, &key).unwrap().bytes()).unwrap();
        assert_eq!((shown.question.as_str(), shown.at), ("a.b-c_1", Millis(5)));
    }

    #[test]
    fn nothing_else_is_answered() {
        for (head, status) in [
            (GOOD.replace("GET", "POST"), "405"),
            (GOOD.replace("127.0.0.1:18787", "evil.example:18787"), "421"),
            (GOOD.replace("Host: 127.0.0.1:18787\r\n", ""), "421"),
            (GOOD.replace("/device", "/devices"), "404"),
            (GOOD.replace("question=a", "question=a%0d%0a"), "400"),
            (GOOD.replace("question", "other"), "400"),
            (GOOD.replace("a.b", &"a".repeat(700)), "400"),
            (format!("{GOOD}Sec-Fetch-Mode: cors\r\n"), "403"),
            (format!("{GOOD}Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n"), "403"),
            (String::new(), "405"),
        ] {
            let answer = ask(&head);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {answer}");
            assert!(!answer.contains("shown="));
        }
        let person = format!("{GOOD}Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n");
        assert!(ask(&person).starts_with("HTTP/1.1 303"));
    }

    #[test]
    fn a_look_waits_for_the_check_in() {
        let (door, woken) = door();
        let waiting = thread::spawn(move || door.answer(&GOOD.replace(" HTTP", "&look=1 HTTP"), 18_787));
        let Wake::Asked(done) = woken.recv().unwrap() else { panic!("asked for something else") };
        assert!(!waiting.is_finished());
        done.send(()).unwrap();
        assert!(waiting.join().unwrap().starts_with("HTTP/1.1 303"));
    }
}

//! A small HTTP/1.1 client over one kept-alive connection: what a load generator can afford.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// A connection.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
    host: String,
    out: Vec<u8>,
    location: Option<String>,
    cookies: Vec<String>,
}

/// Status and body.
pub type Answer = (u16, String);

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self {
            stream: BufReader::with_capacity(16 * 1024, stream),
            host: address.to_string(),
            out: Vec::new(),
            location: None,
            cookies: Vec::new(),
        })
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn post(&mut self, path: &str, body: &str) -> io::Result<Answer> {
        self.send("POST", path, &[("content-type", "application/json")], body)
    }

    /// Gets a page, with a session's cookie where there is one.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn get(&mut self, path: &str, cookie: &str) -> io::Result<Answer> {
        self.send("GET", path, &[("cookie", cookie)], "")
    }

    /// Gets a page that is not text.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn get_bytes(&mut self, path: &str, cookie: &str) -> io::Result<(u16, Vec<u8>)> {
        self.get_bytes_with(path, &[("cookie", cookie)])
    }

    /// The same with these headers.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn get_bytes_with(&mut self, path: &str, headers: &[(&str, &str)]) -> io::Result<(u16, Vec<u8>)> {
        self.request("GET", path, headers, "")?;
        let (status, body, _) = self.whole_answer()?;
        Ok((status, body))
    }

    /// Sends a request with these headers.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Answer> {
        self.request(method, path, headers, body)?;
        let (status, body, _) = self.answer()?;
        Ok((status, body))
    }

    /// Where the last answer sends the browser.
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// Every cookie that the last answer set.
    pub fn cookies(&self) -> &[String] {
        &self.cookies
    }

    /// Posts a form, with cookies where there are some.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn post_form(&mut self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> io::Result<Answer> {
        let encoded = |text: &str| -> String {
            text.bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                        char::from(byte).to_string()
                    }
                    other => format!("%{other:02X}"),
                })
                .collect()
        };
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("cookie", cookie)];
        self.send("POST", path, &headers, &body.join("&"))
    }

    /// Posts, and hands out the cookie that the answer sets.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn post_for_cookie(&mut self, path: &str) -> io::Result<(u16, Option<String>)> {
        self.request("POST", path, &[], "")?;
        let (status, _, cookie) = self.answer()?;
        Ok((status, cookie))
    }

    /// Writes a request without waiting for its answer.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<()> {
        self.out.clear();
        write!(
            self.out,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n",
            self.host,
            body.len()
        )?;
        for (name, value) in headers {
            write!(self.out, "{name}: {value}\r\n")?;
        }
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(body.as_bytes());
        self.stream.get_mut().write_all(&self.out)
    }

    /// Reads the next answer: status, body, cookie set.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn answer(&mut self) -> io::Result<(u16, String, Option<String>)> {
        let (status, body, cookie) = self.whole_answer()?;
        Ok((status, String::from_utf8_lossy(&body).into_owned(), cookie))
    }

    fn whole_answer(&mut self) -> io::Result<(u16, Vec<u8>, Option<String>)> {
        let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let status =
            line.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| broken("no status"))?;
        let (mut length, mut cookie) = (0_usize, None);
        self.location = None;
        self.cookies.clear();
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(|_| broken("no length"))?;
            } else if name.eq_ignore_ascii_case("set-cookie") {
                let set = value.trim().split(';').next().map(str::to_owned);
                self.cookies.extend(set.clone());
                // The first is the session; what a browser is known by comes after it.
                cookie = cookie.or(set);
            } else if name.eq_ignore_ascii_case("location") {
                self.location = Some(value.trim().to_owned());
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, body, cookie))
    }
}

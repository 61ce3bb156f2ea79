//! A browser as far as the tests of HTTPS need one: it takes any certificate, says which it saw, and keeps a sign-in.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use proxpanel::tls::trust::{Fingerprint, Trust, client_config};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

/// Far longer than any answer takes.
const LIMIT: Duration = Duration::from_secs(60);

/// What came back.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// A header, or the empty text.
    pub fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
            .unwrap_or("")
    }

    /// The value of a cookie that was set, or `None`.
    fn cookie(&self, name: &str) -> Option<&str> {
        let start = format!("set-cookie: {name}=");
        let line = self.head.lines().find(|line| {
            line.get(..start.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(&start))
        })?;
        line[start.len()..].split(';').next()
    }
}

/// An open connection over TLS.
pub struct Connection(StreamOwned<ClientConnection, TcpStream>);

impl Connection {
    pub fn open(address: SocketAddr) -> Connection {
        let config = client_config(&Trust::FirstUse).expect("a configuration");
        let name = ServerName::try_from("panel.example.net").expect("a name");
        let mut tls = ClientConnection::new(config, name).expect("a connection");
        let mut stream = plain(address);
        while tls.is_handshaking() {
            tls.complete_io(&mut stream).expect("a handshake");
        }
        Connection(StreamOwned::new(tls, stream))
    }

    /// SHA-256 of the certificate, as the panel's page writes it.
    pub fn fingerprint(&self) -> String {
        let leaf = &self.0.conn.peer_certificates().expect("certificates")[0];
        Fingerprint::of(leaf).pairs()
    }

    /// How many certificates came.
    pub fn chain(&self) -> usize {
        self.0.conn.peer_certificates().map_or(0, <[_]>::len)
    }

    /// One request on this connection, which stays open.
    pub fn ask(&mut self, path: &str) -> Answer {
        send(
            &mut self.0,
            &format!("GET {path} HTTP/1.1\r\nHost: panel.example.net\r\n\r\n"),
        )
    }
}

fn plain(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, LIMIT).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream
}

/// One request over plain HTTP.
pub fn ask_plain(address: SocketAddr, path: &str) -> Answer {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: panel.example.net\r\nConnection: close\r\n\r\n");
    send(&mut plain(address), &request)
}

/// Sends a request and reads an answer whose length its head tells.
fn send(stream: &mut (impl Read + Write), request: &str) -> Answer {
    stream.write_all(request.as_bytes()).expect("sent");
    stream.flush().expect("sent");
    let mut octets = Vec::new();
    let mut block = [0; 4096];
    loop {
        if let Some(answer) = whole(&octets) {
            return answer;
        }
        let count = stream.read(&mut block).expect("an answer");
        assert!(count > 0, "closed after {} octets", octets.len());
        octets.extend_from_slice(&block[..count]);
    }
}

fn whole(octets: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(octets);
    let (head, _) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut answer = Answer {
        status,
        head: head.to_owned(),
        body: String::new(),
    };
    let length: usize = answer.header("content-length").parse().unwrap_or(0);
    let body = octets.get(head.len() + 4..)?;
    if body.len() < length {
        return None;
    }
    answer.body = String::from_utf8_lossy(body).into_owned();
    Some(answer)
}

/// A signed-in operator; each request is a connection of its own.
pub struct Operator {
    https: SocketAddr,
    cookie: String,
}

impl Operator {
    /// Signs in through the page.
    pub fn sign_in(https: SocketAddr, name: &str, password: &str) -> Operator {
        let mut operator = Operator {
            https,
            cookie: String::new(),
        };
        let page = operator.get("/login");
        let token = page
            .cookie("visitor")
            .expect("a visitor's token")
            .to_owned();
        operator.cookie = format!("visitor={token}");
        let fields = [("name", name), ("password", password), ("csrf", &token)];
        let answer = operator.send_form("/login", &fields);
        let session = answer.cookie("session").expect("a sign-in");
        assert!(answer.head.contains("; Secure"), "{}", answer.head);
        operator.cookie = format!("session={session}");
        operator
    }

    /// The same browser after the appliance was started anew on another port.
    pub fn at(self, https: SocketAddr) -> Operator {
        Operator { https, ..self }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "")
    }

    /// Sends a form of `page` with its token.
    pub fn post(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(page).body;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a token");
        let token = rest.split('"').next().expect("a token");
        let mut fields = fields.to_vec();
        fields.push(("csrf", token));
        self.send_form(path, &fields)
    }

    fn send_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        self.request("POST", path, &pairs.join("&"))
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Answer {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: panel.example.net\r\nCookie: {}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.cookie,
            body.len()
        );
        send(&mut Connection::open(self.https).0, &request)
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|octet| format!("%{octet:02X}")).collect()
}

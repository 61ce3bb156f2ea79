//! What travels over the socket: requests, the octets that follow them, answers, and peers that break off.

use std::net::Shutdown;

use super::*;

/// Only a peer that stalls makes a test wait for it.
const SHORT: Duration = Duration::from_millis(50);

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Request {
    /// Says the body back.
    Echo,
    Refuse {
        why: String,
    },
}

fn carry(_: &Handle, request: Request, body: &[u8], out: &mut dyn Write) -> Result<(), String> {
    match request {
        Request::Echo => out.write_all(body).map_err(|error| error.to_string()),
        Request::Refuse { why } => Err(why),
    }
}

/// A folder with a server that carries such requests out.
struct Served {
    folder: tempfile::TempDir,
    _server: Server,
    _runtime: tokio::runtime::Runtime,
}

fn serve_here() -> Served {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let entered = runtime.enter();
    let server = Server::listen_for_bodies(folder.path(), carry).unwrap();
    drop(entered);
    Served {
        folder,
        _server: server,
        _runtime: runtime,
    }
}

impl Served {
    fn ask(&self, request: &Request, body: &[u8]) -> (String, Vec<u8>) {
        let mut out = Vec::new();
        let became = match ask(self.folder.path(), request, body, &mut out).unwrap() {
            Asked::Done => "done".to_owned(),
            Asked::Failed(why) => why,
            Asked::NoDaemon => "nobody".to_owned(),
        };
        (became, out)
    }

    /// Says these octets and no more, and gives all that is answered.
    fn say(&self, octets: &[u8]) -> String {
        let mut stream = UnixStream::connect(self.folder.path().join(SOCKET)).unwrap();
        stream.write_all(octets).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn octets_that_follow_a_request_arrive_as_they_are() {
    let served = serve_here();
    let every: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).collect();
    for body in [&b""[..], b"\n", b"12 {}\n", &every] {
        let (became, out) = served.ask(&Request::Echo, body);
        assert_eq!(became, "done");
        assert!(out == body, "{} octets", body.len());
    }
    let why = "because \"so\"\nit is".to_owned();
    let refused = Request::Refuse { why: why.clone() };
    assert_eq!(served.ask(&refused, &every), (why, vec![]));
}

#[test]
fn as_many_octets_belong_to_a_request_as_its_line_says() {
    let served = serve_here();
    let ok = "{\"ok\":true}\n";
    for (said, body) in [
        // None, whatever follows.
        ("\"echo\"\nabc", ""),
        ("0 \"echo\"\nabc", ""),
        ("3 \"echo\"\nabc", "abc"),
        ("2 \"echo\"\nabc", "ab"),
    ] {
        assert_eq!(served.say(said.as_bytes()), format!("{ok}{body}"), "{said}");
    }
    // One octet is missing: nothing is carried out, and nothing is said.
    assert_eq!(served.say(b"4 \"echo\"\nabc"), "");
    for unknown in ["\"dance\"\n", "x \"echo\"\nabc", "-1 \"echo\"\n", "", "3"] {
        let answer = served.say(unknown.as_bytes());
        assert!(answer.contains("does not know this command"), "{answer}");
    }
}

#[test]
fn a_body_has_a_bound_and_so_has_a_request() {
    let served = serve_here();
    let largest = vec![b'x'; LARGEST_BODY + 1];
    let (became, out) = served.ask(&Request::Echo, &largest[1..]);
    assert_eq!((became.as_str(), out.len()), ("done", LARGEST_BODY));
    // Refused by its length, while the peer is still sending.
    let (became, out) = served.ask(&Request::Echo, &largest);
    assert_eq!(became, "at most 8388608 octets follow a command");
    assert!(out.is_empty());

    let around = serde_json::to_string(&Request::Refuse { why: String::new() }).unwrap();
    let room = usize::try_from(LONGEST_REQUEST).unwrap() - around.len() - 1;
    let why = "y".repeat(room);
    let longest = Request::Refuse { why: why.clone() };
    assert_eq!(served.ask(&longest, b""), (why.clone(), vec![]));
    let longer = Request::Refuse { why: why + "y" };
    let folder = served.folder.path();
    let error = ask(folder, &longer, b"", &mut Vec::new()).err().unwrap();
    assert!(
        error.to_string().contains("at most 16384 octets"),
        "{error}"
    );
}

#[test]
fn whoever_stalls_is_let_go() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for said in ["\"ec", "4 \"echo\"\nabc"] {
        let (mut peer, ours) = UnixStream::pair().unwrap();
        peer.write_all(said.as_bytes()).unwrap();
        let never = |_: &Handle, json: &str, _: &[u8], _: &mut dyn Write| panic!("{json}");
        let served = serve(&never, runtime.handle(), ours, SHORT);
        assert_eq!(served.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let mut answer = String::new();
        peer.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "");
    }
}

#[test]
fn nobody_listens_where_there_is_no_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let asked = ask(folder.path(), &Request::Echo, b"abc", &mut Vec::new()).unwrap();
    assert!(matches!(asked, Asked::NoDaemon));
}

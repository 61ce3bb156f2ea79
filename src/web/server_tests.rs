//! Connections over real sockets: bounds, handshakes, and orderly ends.

use super::*;
use crate::app::Clock;
use crate::tls::{Certificates, Fingerprint, Source};
use axum::body::{Bytes, HttpBody};
use axum::routing::get;
use hyper::body::Frame;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::interval;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

async fn start(limits: Limits, router: Router) -> Running {
    open(limits, Door::Plain { https_port: None }, router).await
}

async fn open(limits: Limits, door: Door, router: Router) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let done = tokio::spawn(serve_within(limits, listener, door, router, async {
        stopped.await.unwrap()
    }));
    Running {
        address,
        stop,
        done,
    }
}

fn pages() -> Router {
    Router::new().route(
        "/",
        get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
    )
}

const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: panel\r\nConnection: close\r\n\r\n";

async fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(ASK).await.unwrap();
    read(stream).await
}

/// All that comes until the other side closes; a test that hangs fails.
async fn read(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let read = timeout(Duration::from_secs(20), stream.read_to_string(&mut text));
    read.await.expect("closed in time").unwrap();
    text
}

#[tokio::test]
async fn handlers_learn_who_asks() {
    let running = start(LIMITS, pages()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let me = stream.local_addr().unwrap().to_string();
    let answer = ask(&mut stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(&me),
        "{answer}"
    );
    running.stop.send(()).unwrap();
    running.done.await.unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn a_slow_head_and_an_idle_connection_are_closed() {
    let limits = Limits {
        head: Duration::from_millis(50),
        ..LIMITS
    };
    let running = start(limits, pages()).await;
    for begun in [
        &b"GET / HTT"[..],
        b"",
        b"GET / HTTP/1.1\r\nHost: panel\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(begun).await.unwrap();
        read(&mut stream).await;
    }
    running.stop.send(()).unwrap();
    running.done.await.unwrap();
}

#[tokio::test]
async fn a_connection_beyond_the_bound_waits_for_room() {
    let limits = Limits {
        connections: 1,
        connection: Duration::from_millis(100),
        ..LIMITS
    };
    let running = start(limits, pages()).await;
    // The first sits idle and is closed after its time; the second is served then.
    let mut first = TcpStream::connect(running.address).await.unwrap();
    let mut second = TcpStream::connect(running.address).await.unwrap();
    assert!(ask(&mut second).await.starts_with("HTTP/1.1 200"));
    assert_eq!(read(&mut first).await, "");
    running.stop.send(()).unwrap();
    running.done.await.unwrap();
}

/// A file without an end, in pieces of `octets`, one every `pause`, until `enough`; then its last word.
fn file(octets: usize, pause: Duration, enough: Arc<Notify>) -> Router {
    let pieces = move || {
        let enough = Arc::clone(&enough);
        let (pour, poured) = tokio::sync::mpsc::channel::<io::Result<Bytes>>(1);
        tokio::spawn(async move {
            let mut ticks = interval(pause);
            loop {
                tokio::select! {
                    () = enough.notified() => break,
                    _ = ticks.tick() => {}
                }
                if pour.send(Ok(vec![b'x'; octets].into())).await.is_err() {
                    return;
                }
            }
            // Whoever reads to the end gets it.
            let _ = pour.send(Ok(Bytes::from_static(b"the end"))).await;
        });
        Body::new(Poured(poured))
    };
    Router::new().route("/", get(move || async move { pieces() }))
}

struct Poured(tokio::sync::mpsc::Receiver<io::Result<Bytes>>);

impl HttpBody for Poured {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0
            .poll_recv(context)
            .map(|next| next.map(|piece| piece.map(Frame::data)))
    }
}

/// Windows that are far longer than a busy machine takes for one piece.
const PATIENT: Limits = Limits {
    connection: Duration::from_millis(50),
    window: Duration::from_millis(700),
    least: 4_096,
    drain: Duration::from_millis(50),
    ..LIMITS
};

#[tokio::test]
async fn a_file_that_moves_may_take_longer_than_its_connection() {
    let enough = Arc::new(Notify::new());
    let tick = Duration::from_millis(1);
    let running = start(PATIENT, file(4_096, tick, Arc::clone(&enough))).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(ASK).await.unwrap();
    // Several windows long.
    let mut over = pin!(sleep(PATIENT.connection + 3 * PATIENT.window));
    let mut piece = [0; 4_096];
    loop {
        tokio::select! {
            () = over.as_mut() => break,
            read = stream.read(&mut piece) => assert!(read.unwrap() > 0, "it was cut off"),
        }
    }
    enough.notify_one();
    let rest = read(&mut stream).await;
    assert!(rest.contains("the end") && rest.ends_with("0\r\n\r\n"));
    running.stop.send(()).unwrap();
    running.done.await.unwrap();
}

#[tokio::test]
async fn a_file_that_drips_and_a_browser_that_takes_nothing_are_cut_off() {
    let never = Arc::new(Notify::new());
    let drip = Duration::from_millis(20);
    let running = start(PATIENT, file(1, drip, Arc::clone(&never))).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(ASK).await.unwrap();
    let dripped = read(&mut stream).await;
    assert!(!dripped.ends_with("0\r\n\r\n"), "it has no end: {dripped}");
    running.stop.send(()).unwrap();
    running.done.await.unwrap();

    let tick = Duration::from_millis(1);
    let alone = Limits {
        connections: 1,
        ..PATIENT
    };
    let running = start(alone, file(64 << 10, tick, never)).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(ASK).await.unwrap();
    // What the system takes in the browser's place is soon full; then the only place is free again although nobody reads.
    let mut second = TcpStream::connect(running.address).await.unwrap();
    second.write_all(ASK).await.unwrap();
    let mut first = [0; 8];
    let read = timeout(Duration::from_secs(20), second.read_exact(&mut first));
    read.await.expect("a place").unwrap();
    assert_eq!(&first, b"HTTP/1.1");
    running.stop.send(()).unwrap();
    running.done.await.unwrap();
}

#[tokio::test]
async fn a_page_is_answered_once_more_and_then_its_connection_ends_however_busy() {
    // Nothing has to move: only the age of the connection counts for pages.
    let limits = Limits {
        least: 0,
        ..PATIENT
    };
    let running = start(limits, pages()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let mut answers = 0u32;
    let mut octets = [0; 4_096];
    let asked = async {
        while stream.write_all(KEEP).await.is_ok() {
            match stream.read(&mut octets).await {
                Ok(count) if count > 0 => answers += 1,
                _ => break,
            }
        }
    };
    timeout(Duration::from_secs(20), asked)
        .await
        .expect("an end");
    assert!(answers > 0);
    running.stop.send(()).unwrap();
    running.done.await.unwrap();
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_file_that_moves() {
    let never = Arc::new(Notify::new());
    let tick = Duration::from_millis(1);
    let running = start(PATIENT, file(4_096, tick, never)).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(ASK).await.unwrap();
    let mut piece = [0; 4_096];
    let mut over = pin!(sleep(2 * PATIENT.connection));
    loop {
        tokio::select! {
            () = over.as_mut() => break,
            read = stream.read(&mut piece) => assert!(read.unwrap() > 0),
        }
    }
    running.stop.send(()).unwrap();
    let done = timeout(Duration::from_secs(20), running.done);
    done.await.expect("cut off").unwrap();
}

#[tokio::test]
async fn stopping_waits_for_the_answer_under_way_but_not_for_ever() {
    for (drain, answered) in [
        (Duration::from_secs(10), true),
        (Duration::from_millis(50), false),
    ] {
        let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (handler_asked, handler_go_on) = (Arc::clone(&asked), Arc::clone(&go_on));
        let slow = move || async move {
            handler_asked.notify_one();
            handler_go_on.notified().await;
            "late"
        };
        let running = start(
            Limits { drain, ..LIMITS },
            Router::new().route("/", get(slow)),
        )
        .await;
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(ASK).await.unwrap();
        asked.notified().await;
        running.stop.send(()).unwrap();
        if answered {
            go_on.notify_one();
        }
        running.done.await.unwrap();
        assert_eq!(read(&mut stream).await.ends_with("late"), answered);
    }
}

/// A certificate in a throw-away folder. The clock is the machine's, since rustls looks at it.
fn certificates() -> (tempfile::TempDir, Certificates) {
    let folder = tempfile::tempdir().unwrap();
    let now = Clock::System.now();
    let certificates = Certificates::open(folder.path(), Source::SelfSigned, None, now).unwrap();
    (folder, certificates)
}

/// Trusts what lies in the folder, and nothing else.
fn connector(folder: &tempfile::TempDir) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for file in std::fs::read_dir(folder.path().join("tls")).unwrap() {
        let certificate = CertificateDer::from_pem_file(file.unwrap().path());
        roots.add(certificate.unwrap()).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn shake(address: SocketAddr, connector: &TlsConnector) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let shaken = timeout(Duration::from_secs(20), connector.connect(name, stream));
    shaken.await.expect("a handshake in time").unwrap()
}

fn fingerprint(stream: &TlsStream<TcpStream>) -> Fingerprint {
    let leaf = stream.get_ref().1.peer_certificates().unwrap().first();
    Fingerprint(crate::crypto::sha256(leaf.unwrap()))
}

const KEEP: &[u8] = b"GET / HTTP/1.1\r\nHost: panel\r\n\r\n";

/// One answer on a connection that stays open.
async fn ask_again(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(KEEP).await.unwrap();
    let mut text = String::new();
    let mut octets = [0; 1024];
    while !text.contains("127.0.0.1:") {
        let read = timeout(Duration::from_secs(20), stream.read(&mut octets));
        let count = read.await.expect("an answer in time").unwrap();
        assert!(count > 0, "closed: {text}");
        text.push_str(&String::from_utf8_lossy(&octets[..count]));
    }
    text
}

#[tokio::test]
async fn a_new_certificate_meets_new_connections_and_leaves_open_ones_alone() {
    let (folder, certificates) = certificates();
    let door = Door::Tls(certificates.server_config());
    let running = open(LIMITS, door, pages()).await;
    let mut old = shake(running.address, &connector(&folder)).await;
    assert_eq!(
        old.get_ref().1.protocol_version(),
        Some(rustls::ProtocolVersion::TLSv1_3)
    );
    assert!(ask_again(&mut old).await.starts_with("HTTP/1.1 200"));
    let before = fingerprint(&old);
    assert_eq!(before, certificates.in_use().facts.fingerprint);

    let pair = certificates.make_self_signed(Clock::System.now()).unwrap();
    certificates.store(Source::Own, &pair).unwrap();
    certificates.choose(Source::Own).unwrap();
    let mut new = shake(running.address, &connector(&folder)).await;
    assert_eq!(fingerprint(&new), pair.facts().fingerprint);
    assert_ne!(fingerprint(&new), before);
    assert!(ask_again(&mut new).await.starts_with("HTTP/1.1 200"));
    assert!(ask_again(&mut old).await.starts_with("HTTP/1.1 200"));
    running.stop.send(()).unwrap();
    running.done.await.unwrap();
}

#[tokio::test]
async fn a_slow_handshake_delays_nobody_and_ends() {
    let (folder, certificates) = certificates();
    let limits = Limits {
        handshake: Duration::from_millis(300),
        ..LIMITS
    };
    let door = Door::Tls(certificates.server_config());
    let running = open(limits, door, pages()).await;
    // Silent, half a hello, and plain HTTP.
    let mut slow = Vec::new();
    for begun in [&b""[..], b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n"] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(begun).await.unwrap();
        slow.push(stream);
    }
    let mut quick = shake(running.address, &connector(&folder)).await;
    assert!(ask_again(&mut quick).await.starts_with("HTTP/1.1 200"));
    for mut stream in slow {
        let mut rest = Vec::new();
        let read = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest));
        // A reset is an end too.
        let _ended = read.await.expect("closed in time");
        assert!(!String::from_utf8_lossy(&rest).contains("HTTP/1.1"));
    }
    running.stop.send(()).unwrap();
    running.done.await.unwrap();
}

#[tokio::test]
async fn stopping_does_not_wait_for_handshakes() {
    let (_folder, certificates) = certificates();
    let door = Door::Tls(certificates.server_config());
    let running = open(LIMITS, door, pages()).await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    silent.write_all(b"\x16").await.unwrap();
    running.stop.send(()).unwrap();
    let done = timeout(Duration::from_secs(5), running.done);
    done.await.expect("well before the limits").unwrap();
}

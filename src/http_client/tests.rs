//! Against a TLS server of its own on 127.0.0.1 that says what the test wants.

use std::fs;
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::crypto;

type Script = dyn Fn(&str) -> Vec<u8> + Send + Sync;

/// Answers each connection with what the script makes of the request, then closes it.
struct Server {
    url: String,
    pem: String,
    fingerprint: [u8; 32],
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(script: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Server {
        Self::start_leaving(script, true).await
    }

    /// A server that does not close leaves its client waiting for more.
    async fn start_leaving(
        script: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
        closes: bool,
    ) -> Server {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (acceptor, kept) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&requests));
        let script: Arc<Script> = Arc::new(script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, script, kept) =
                    (acceptor.clone(), Arc::clone(&script), Arc::clone(&kept));
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await.ok()?;
                    let request = read_request(&mut stream).await;
                    kept.lock().unwrap().push(request.clone());
                    stream.write_all(&script(&request)).await.ok()?;
                    stream.flush().await.ok()?;
                    if closes {
                        stream.shutdown().await.ok()?;
                    } else {
                        std::future::pending::<()>().await;
                    }
                    Some(())
                });
            }
        });
        Server {
            url,
            pem: certificate.pem(),
            fingerprint: crypto::sha256(certificate.der()),
            requests,
        }
    }

    fn client(&self) -> Client {
        Client::new(&Trust::Pinned(Fingerprint(self.fingerprint))).unwrap()
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// The head and as much of a body as Content-Length says.
async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut text = String::new();
    let mut octet = [0];
    while !text.ends_with("\r\n\r\n") && stream.read(&mut octet).await.unwrap_or(0) == 1 {
        text.push(char::from(octet[0]));
    }
    let length = text
        .to_ascii_lowercase()
        .split_once("content-length: ")
        .map_or(0, |(_, rest)| {
            rest.split("\r\n").next().unwrap().parse().unwrap()
        });
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    text + &String::from_utf8(body).unwrap()
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

fn ok(body: &str) -> Vec<u8> {
    answer("200 OK", "", body)
}

fn impatient(total_ms: u64) -> Limits {
    let soon = Duration::from_millis(total_ms);
    Limits {
        total: soon,
        stall: soon,
        largest_body: 1_000,
        ..Limits::default()
    }
}

#[tokio::test]
async fn json_goes_there_and_back() {
    let server = Server::start(|_| ok("[1,2,3]")).await;
    let numbers: Vec<u8> = server
        .client()
        .post_json(&server.at("/sum?of=a"), &["a", "b"])
        .await
        .unwrap();
    assert_eq!(numbers, [1, 2, 3]);
    let request = server.requests().remove(0);
    assert!(
        request.starts_with("POST /sum?of=a HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("content-type: application/json"));
    assert!(request.contains(concat!("user-agent: proxpanel/", env!("CARGO_PKG_VERSION"))));
    assert!(request.ends_with("\r\n\r\n[\"a\",\"b\"]"));
    let numbers: Vec<u8> = server
        .client()
        .get_json(&server.at("/"), Some("word"))
        .await
        .unwrap();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(server.requests()[1].contains("authorization: Bearer word\r\n"));
}

#[tokio::test]
async fn only_the_right_certificate_is_believed() {
    let server = Server::start(|_| ok("1")).await;
    let other = Server::start(|_| ok("1")).await;
    for (trust, is_believed) in [
        (Trust::Pinned(Fingerprint(server.fingerprint)), true),
        (Trust::Pinned(Fingerprint(other.fingerprint)), false),
        (Trust::Authority(server.pem.clone()), true),
        (Trust::Authority(other.pem.clone()), false),
        (Trust::Public, false),
    ] {
        let client = Client::new(&trust).unwrap();
        let got = client.get_json::<u8>(&server.at("/"), None).await;
        match got {
            Ok(number) => assert!(is_believed && number == 1, "{trust:?}"),
            Err(HttpError::Untrusted { host, .. }) => {
                assert!(!is_believed, "{trust:?}");
                assert_eq!(host, "127.0.0.1");
            }
            Err(other) => panic!("{trust:?}: {other}"),
        }
    }
    for pem in [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let refused = Client::new(&Trust::Authority(pem.to_owned())).err();
        assert!(matches!(refused, Some(HttpError::Authority(_))));
    }
}

#[tokio::test]
async fn nothing_goes_over_plain_http() {
    let client = Client::new(&Trust::Public).unwrap();
    for url in [
        "http://127.0.0.1:1/",
        "127.0.0.1",
        "https://",
        "ftp://a/",
        "/a",
        "",
    ] {
        let got = client.get_json::<u8>(url, None).await;
        assert!(matches!(got, Err(HttpError::Address(_))), "{url}");
    }
    let raw = Request::builder()
        .uri("http://127.0.0.1:1/")
        .body(Full::default());
    let got = client.send(raw.unwrap()).await;
    assert!(matches!(got, Err(HttpError::Address(_))));
    let secret = client.get_json::<u8>("http://h/p?key=hidden", None).await;
    assert!(!secret.unwrap_err().to_string().contains("hidden"));
}

#[tokio::test]
async fn redirects_are_followed_a_little_and_never_to_http() {
    let server = Server::start(|request| {
        let to = |place: &str| answer("302 Found", &format!("Location: {place}\r\n"), "");
        match request.split(' ').nth(1).unwrap() {
            "/local" => to("/end"),
            "/plain" => to("http://127.0.0.1/end"),
            "/foreign" => to("//127.0.0.1/end"),
            "/relative" => to("end"),
            "/nowhere" => answer("302 Found", "", ""),
            "/circle" => to("/circle"),
            _ => ok("7"),
        }
    })
    .await;
    let get = |path: &'static str| {
        let (client, url) = (server.client(), server.at(path));
        async move { client.get_json::<u8>(&url, None).await }
    };
    assert_eq!(get("/local").await.unwrap(), 7);
    for path in ["/plain", "/foreign", "/relative", "/nowhere"] {
        let got = get(path).await;
        assert!(matches!(got, Err(HttpError::Redirect { .. })), "{path}");
    }
    let before = server.requests().len();
    assert!(matches!(
        get("/circle").await,
        Err(HttpError::Redirect { .. })
    ));
    assert_eq!(server.requests().len() - before, MOST_REDIRECTS + 1);
}

#[tokio::test]
async fn the_bearer_stays_with_its_host() {
    let end = Server::start(|_| ok("7")).await;
    let place = end.at("/end");
    let first = Server::start(move |request| match request.contains("GET /near") {
        true => answer("307 Temporary Redirect", "Location: /end\r\n", ""),
        false => answer(
            "307 Temporary Redirect",
            &format!("Location: {place}\r\n"),
            "",
        ),
    })
    .await;
    // One client for both: an authority list of the two self-made certificates.
    let client = Client::new(&Trust::Authority(format!("{}{}", first.pem, end.pem))).unwrap();
    let far: u8 = client
        .get_json(&first.at("/far"), Some("word"))
        .await
        .unwrap();
    assert_eq!(far, 7);
    assert!(first.requests()[0].contains("Bearer word"));
    assert!(!end.requests()[0].contains("Bearer"));
    let _ = client
        .get_json::<u8>(&first.at("/near"), Some("word"))
        .await;
    assert!(first.requests()[2].contains("Bearer word"));
}

#[tokio::test]
async fn what_the_other_side_says_is_told() {
    let problem =
        r#"{"type":"revoked","title":"Revoked","detail":"Unpaid since May","status":403}"#;
    let long = format!(
        r#"{{"type":"{0}","title":"{0}","detail":"{0}"}}"#,
        "ä".repeat(900)
    );
    let server = Server::start(move |request| {
        if request.contains("/problem") {
            answer("403 Forbidden", "", problem)
        } else if request.contains("/long") {
            answer("403 Forbidden", "", &long)
        } else {
            answer("500 Oh", "", "oh")
        }
    })
    .await;
    let error = server
        .client()
        .get_json::<u8>(&server.at("/problem"), None)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "127.0.0.1 answered 403: Unpaid since May"
    );
    let error = server
        .client()
        .post_json::<_, u8>(&server.at("/problem"), &1)
        .await
        .unwrap_err();
    assert!(
        matches!(error, HttpError::Status { problem: Some(problem), .. } if problem.kind == "revoked")
    );
    // It stands on a page and in the store, so there is no more of it than of a sentence or two.
    let long = server.at("/long");
    let error = server.client().get_json::<u8>(&long, None).await;
    let HttpError::Status { problem, .. } = error.unwrap_err() else {
        panic!("no status");
    };
    let problem = problem.unwrap();
    let said = [problem.kind, problem.title, problem.detail];
    assert_eq!(said.map(|text| text.chars().count()), [300; 3]);
    let error = server
        .client()
        .post_json::<_, u8>(&server.at("/"), &1)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "127.0.0.1 answered 500");
}

#[tokio::test]
async fn answers_end_in_octets_and_in_time() {
    let server = Server::start(|request| match request.contains("/exact") {
        true => ok(&format!("{:<1000}", 5)),
        false => ok(&format!("{:<1001}", 5)),
    })
    .await;
    let client = Client::with_limits(
        &Trust::Pinned(Fingerprint(server.fingerprint)),
        impatient(20_000),
    )
    .unwrap();
    assert_eq!(
        client
            .get_json::<u8>(&server.at("/exact"), None)
            .await
            .unwrap(),
        5
    );
    let long = client.get_json::<u8>(&server.at("/longer"), None).await;
    assert!(matches!(
        long,
        Err(HttpError::TooLarge { limit: 1_000, .. })
    ));
    // A head that never comes, and a body that never ends.
    for said in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1"] {
        let silent = Server::start_leaving(move |_| said.as_bytes().to_vec(), false).await;
        let client = Client::with_limits(
            &Trust::Pinned(Fingerprint(silent.fingerprint)),
            impatient(300),
        )
        .unwrap();
        let got = client.get_json::<u8>(&silent.at("/"), None).await;
        assert!(matches!(got, Err(HttpError::Timeout { .. })), "{said}");
    }
    // Nobody listens there: the port was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let got = client
        .get_json::<u8>(&format!("https://{free}/"), None)
        .await;
    assert!(matches!(got, Err(HttpError::Unreachable { .. })));
    let odd = Server::start(|_| ok("not json")).await;
    let got = odd.client().get_json::<u8>(&odd.at("/"), None).await;
    assert!(matches!(got, Err(HttpError::Garbled { .. })));
}

#[tokio::test]
async fn a_file_is_whole_or_not_there() {
    let text = "0123456789".repeat(60_000);
    let whole = text.clone();
    let server = Server::start(move |request| match request.split(' ').nth(1).unwrap() {
        "/broken" => {
            let mut cut = ok(&whole);
            cut.truncate(300_000);
            cut
        }
        "/chunked" => {
            let body = format!("{:x}\r\n{whole}\r\n0\r\n\r\n", whole.len());
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}").into_bytes()
        }
        "/missing" => answer("404 Not Found", "", "{\"title\":\"No such release\"}"),
        _ => ok(&whole),
    })
    .await;
    let client = server.client();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("file.deb");
    // What a broken attempt left is overwritten.
    fs::write(folder.path().join("file.deb.part"), "old").unwrap();
    let all = u64::try_from(text.len()).unwrap();
    for (path, announced) in [("/file", Some(all)), ("/chunked", None)] {
        let mut seen = Vec::new();
        let got = client
            .download(&server.at(path), None, &to, all, |octets, of| {
                seen.push((octets, of))
            })
            .await
            .unwrap();
        assert_eq!(
            (got.octets, got.sha256),
            (all, crypto::sha256(text.as_bytes()))
        );
        assert_eq!(fs::read_to_string(&to).unwrap(), text);
        assert_eq!(seen.last(), Some(&(all, announced)));
        assert!(seen.len() > 1, "progress is told on the way");
        fs::remove_file(&to).unwrap();
    }
    for (path, largest, said) in [
        ("/broken", all, "cannot be read"),
        ("/file", all - 1, "more than"),
        ("/chunked", all - 1, "more than"),
        ("/missing", all, "No such release"),
    ] {
        let error = client
            .download(&server.at(path), None, &to, largest, |_, _| ())
            .await
            .unwrap_err();
        assert!(error.to_string().contains(said), "{path}: {error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{path}");
    }
    let nowhere = folder.path().join("no/folder");
    let error = client
        .download(&server.at("/file"), None, &nowhere, all, |_, _| ())
        .await;
    assert!(matches!(error, Err(HttpError::File { .. })));
}

#[tokio::test]
async fn a_download_that_stalls_is_given_up() {
    let said = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1";
    let server = Server::start_leaving(move |_| said.as_bytes().to_vec(), false).await;
    let client = Client::with_limits(
        &Trust::Pinned(Fingerprint(server.fingerprint)),
        impatient(300),
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("file");
    let got = client
        .download(&server.at("/"), None, &to, 9, |_, _| ())
        .await;
    assert!(matches!(got, Err(HttpError::Timeout { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

//! A router for tests: logins and accounting records against a running daemon.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use proxpanel::radius::auth::Method;
use proxpanel::radius::client::{ClientError, Login, Reply, Request, exchange};
use proxpanel::radius::{AttributeBuffer, Code, SharedSecret, number};

/// The secret of the demo routers.
pub const SECRET: &str = "testing123";
const PATIENCE: Duration = Duration::from_secs(5);

static IDENTIFIER: AtomicU8 = AtomicU8::new(0);

fn identifier() -> u8 {
    IDENTIFIER.fetch_add(1, Ordering::Relaxed)
}

pub fn secret() -> SharedSecret {
    SharedSecret::new(SECRET.as_bytes()).unwrap()
}

/// What radclient prints. It waits five seconds for each of its tries.
pub fn radclient(
    server: SocketAddr,
    kind: &str,
    secret: &str,
    tries: u32,
    request: &str,
) -> String {
    let script =
        format!("printf '%s' \"$REQUEST\" | radclient -r {tries} -t 5 -x {server} {kind} {secret}");
    let output = Command::new("sh")
        .args(["-c", &script])
        .env("REQUEST", request)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Logs in, with patience.
pub fn login(server: SocketAddr, user_name: &str, password: &str, method: Method) -> Reply {
    let login = Login {
        user_name,
        password,
        method,
    };
    let request =
        Request::access(&secret(), identifier(), &login, &AttributeBuffer::new()).unwrap();
    exchange(server, &request, PATIENCE, 3).unwrap()
}

pub fn accepts(server: SocketAddr, user_name: &str, password: &str) -> bool {
    login(server, user_name, password, Method::Pap)
        .packet()
        .unwrap()
        .code()
        == Code::ACCESS_ACCEPT
}

pub const START: u32 = 1;
pub const STOP: u32 = 2;
pub const INTERIM: u32 = 3;

/// An accounting record of one session.
#[derive(Clone)]
pub struct Record {
    pub status: u32,
    pub session: String,
    pub user: String,
    pub seconds: u32,
    pub upload: u32,
    pub download: u32,
}

/// Sends a record and waits for the acknowledgement, `timeout` each time.
pub fn account(
    server: SocketAddr,
    record: &Record,
    timeout: Duration,
    tries: u32,
) -> Result<Reply, ClientError> {
    let mut attributes = AttributeBuffer::new();
    attributes
        .push_u32(number::ACCT_STATUS_TYPE, record.status)
        .unwrap();
    attributes
        .push_text(number::ACCT_SESSION_ID, &record.session)
        .unwrap();
    attributes
        .push_text(number::USER_NAME, &record.user)
        .unwrap();
    attributes
        .push_u32(number::ACCT_SESSION_TIME, record.seconds)
        .unwrap();
    attributes
        .push_u32(number::ACCT_INPUT_OCTETS, record.upload)
        .unwrap();
    attributes
        .push_u32(number::ACCT_OUTPUT_OCTETS, record.download)
        .unwrap();
    let request = Request::accounting(&secret(), identifier(), &attributes).unwrap();
    exchange(server, &request, timeout, tries)
}

/// The same, with patience.
pub fn acknowledged(server: SocketAddr, record: &Record) {
    account(server, record, PATIENCE, 3).unwrap();
}

//! A foreign client: FreeRADIUS' radclient, where it is installed, must accept what this server answers.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::fake::fake;
use super::{SECRET, peer};
use crate::radius::auth::{Attempt, Credential, RefusalCode, Verdict};
use crate::radius::server::spawn;
use crate::radius::{AccessOutcome, AccessRequest, AttributeBuffer, Port, number};

/// Checks the password "arctangent" and answers as a real handler would.
fn check_password(request: &AccessRequest<'_>, reply: &mut AttributeBuffer) -> AccessOutcome {
    let Ok(attempt) = Attempt::from_request(request) else {
        return AccessOutcome::Reject {
            delay: Duration::ZERO,
        };
    };
    match attempt.verify(
        &Credential::Password(b"arctangent"),
        request.user_name().unwrap(),
    ) {
        Verdict::Match(proof) => {
            proof.push_success(reply).unwrap();
            proof.push_mppe(reply, request, false).unwrap();
            reply.push_text(number::REPLY_MESSAGE, "welcome").unwrap();
            AccessOutcome::Accept
        }
        _ => {
            attempt
                .push_refusal(reply, RefusalCode::AuthenticationFailed, "no")
                .unwrap();
            AccessOutcome::Reject {
                delay: Duration::ZERO,
            }
        }
    }
}

/// radclient's output, or `None` where it is not installed.
fn radclient(server: std::net::SocketAddr, command: &str, attributes: &str) -> Option<String> {
    let secret = std::str::from_utf8(SECRET).unwrap();
    let mut child = Command::new("radclient")
        .args([
            "-x",
            "-r",
            "2",
            "-t",
            "5",
            &server.to_string(),
            command,
            secret,
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    child
        .stdin
        .take()
        .unwrap()
        .write_all(attributes.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn radclient_understands_us() {
    let (handler, _seen) = fake(peer(SECRET), check_password);
    let server = spawn(([127, 0, 0, 1], 0).into(), Port::Auth, 1, handler).unwrap();
    let name = "User-Name = \"nemo\", Message-Authenticator = 0x00";
    for (command, attributes, expected) in [
        (
            "auth",
            format!("{name}, User-Password = \"arctangent\""),
            "Received Access-Accept",
        ),
        (
            "auth",
            format!("{name}, CHAP-Password = \"arctangent\""),
            "Received Access-Accept",
        ),
        (
            "auth",
            format!("{name}, MS-CHAP-Password = \"arctangent\""),
            "MS-CHAP-MPPE-Keys",
        ),
        (
            "auth",
            format!("{name}, User-Password = \"wrong\""),
            "Received Access-Reject",
        ),
        (
            "auth",
            format!("{name}, MS-CHAP-Password = \"wrong\""),
            "E=691 R=0",
        ),
        (
            "status",
            "Message-Authenticator = 0x00".to_owned(),
            "Received Access-Accept",
        ),
    ] {
        let Some(output) = radclient(server.local_addr(), command, &attributes) else {
            println!("radclient is not installed");
            return;
        };
        assert!(
            output.contains(expected),
            "{command} {attributes}: {output}"
        );
    }
}

#[test]
fn radclient_gets_its_accounting_acknowledged() {
    let (handler, seen) = fake(peer(SECRET), check_password);
    let handler_for_server = Arc::clone(&handler);
    let server = spawn(
        ([127, 0, 0, 1], 0).into(),
        Port::Acct,
        1,
        handler_for_server,
    )
    .unwrap();
    let journal = std::thread::spawn(move || {
        // Ends when the server and every handle to the handler are gone.
        for acknowledgement in seen.records.iter() {
            acknowledgement.send();
        }
    });
    for (command, attributes) in [
        (
            "acct",
            "Acct-Status-Type = Start, Acct-Session-Id = \"81500001\"",
        ),
        ("status", "Message-Authenticator = 0x00"),
    ] {
        match radclient(server.local_addr(), command, attributes) {
            Some(output) => assert!(
                output.contains("Received Accounting-Response"),
                "{command}: {output}"
            ),
            None => println!("radclient is not installed"),
        }
    }
    drop(server);
    drop(handler);
    journal.join().unwrap();
}

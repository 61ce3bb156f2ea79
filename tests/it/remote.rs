//! Files to other machines, against servers that strangers wrote.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use proxpanel::crypto::Secret;
use proxpanel::remote::{Protocol, RemoteError, RemoteFile, Server};

use crate::support::file_servers::{Asks, Behaves, FileServer};

/// More than one piece, and no round number.
const OCTETS: usize = 700_001;

fn a_file(folder: &Path) -> (PathBuf, Vec<u8>) {
    let octets: Vec<u8> = (0..253).cycle().take(OCTETS).collect();
    let path = folder.join("local.enc");
    std::fs::write(&path, &octets).unwrap();
    (path, octets)
}

fn going_on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The error of a connection that must fail.
async fn refusal(server: &Server) -> RemoteError {
    match server.connect().await {
        Ok(_) => panic!("the connection stands"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_file_is_sent_listed_and_removed_by_each_protocol() {
    let local = tempfile::tempdir().unwrap();
    let (path, octets) = a_file(local.path());
    for protocol in Protocol::ALL {
        let there = FileServer::start(protocol);
        let mut server = there.trusted();
        // Folders are made on the way.
        server.folder = "isp/backups".to_owned();
        let mut link = server.connect().await.unwrap();
        let mut told = Vec::new();
        let sent = link
            .put(&path, "one.enc", &mut |octets| {
                told.push(octets);
                ControlFlow::Continue(())
            })
            .await
            .unwrap();
        assert_eq!(sent, OCTETS as u64, "{protocol:?}");
        assert!(told.len() > 3 && told.is_sorted(), "{protocol:?}: {told:?}");
        assert_eq!(told.last(), Some(&sent), "{protocol:?}");
        let arrived = there.folder.path().join("isp/backups/one.enc");
        assert_eq!(std::fs::read(&arrived).unwrap(), octets, "{protocol:?}");
        // Once more under the same name: replaced, not refused.
        link.put(&path, "one.enc", &mut going_on).await.unwrap();
        link.put(&path, "two.enc", &mut going_on).await.unwrap();
        let file = |name: &str| RemoteFile {
            name: name.to_owned(),
            octets: OCTETS as u64,
        };
        let listed = link.list().await.unwrap();
        assert_eq!(listed, [file("one.enc"), file("two.enc")], "{protocol:?}");
        link.remove("one.enc").await.unwrap();
        assert_eq!(
            link.list().await.unwrap(),
            [file("two.enc")],
            "{protocol:?}"
        );
        let missing = link.remove("one.enc").await.unwrap_err();
        assert!(matches!(missing, RemoteError::Refused(_)), "{missing:?}");
        link.close().await;
        server.test(&path, "test.enc").await.unwrap();
        assert!(!there.folder.path().join("isp/backups/test.enc").exists());
    }
}

#[tokio::test]
async fn a_file_that_is_given_up_never_gets_its_name() {
    let local = tempfile::tempdir().unwrap();
    let (path, _) = a_file(local.path());
    for protocol in Protocol::ALL {
        let there = FileServer::start(protocol);
        let mut link = there.trusted().connect().await.unwrap();
        let given_up = link
            .put(&path, "one.enc", &mut |_| ControlFlow::Break(()))
            .await
            .unwrap_err();
        assert!(matches!(given_up, RemoteError::Stopped), "{given_up:?}");
        drop(link);
        let mut link = there.trusted().connect().await.unwrap();
        let listed = link.list().await.unwrap();
        let is_torn = |file: &RemoteFile| file.torn() == Some("one.enc");
        assert!(listed.iter().all(is_torn), "{protocol:?}: {listed:?}");
        assert!(!there.folder.path().join("one.enc").exists());
    }
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_is_named_and_holds_no_such_file() {
    let local = tempfile::tempdir().unwrap();
    let (path, _) = a_file(local.path());
    for protocol in Protocol::ALL {
        let there = FileServer::start_so(protocol, Asks::Password, Behaves::Dies);
        let mut link = there.trusted().connect().await.unwrap();
        let error = link.put(&path, "one.enc", &mut going_on).await.unwrap_err();
        let is_named = matches!(
            error,
            RemoteError::Lost(_) | RemoteError::Refused(_) | RemoteError::Timeout { .. }
        );
        assert!(is_named, "{protocol:?}: {error:?}");
        assert!(!there.folder.path().join("one.enc").exists());
    }
}

#[tokio::test]
async fn a_server_that_nobody_vouched_for_gets_no_password() {
    for protocol in [Protocol::Ftps, Protocol::Sftp] {
        let there = FileServer::start(protocol);
        let shown = there.identity.clone().unwrap();
        match refusal(&there.server).await {
            RemoteError::Unknown { shown: said } => assert_eq!(said, shown),
            other => panic!("{protocol:?}: {other}"),
        }
        let mut impostor = there.trusted();
        let other = match protocol {
            Protocol::Sftp => "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            _ => "00".repeat(32),
        };
        impostor.identity = Some(other.clone());
        match refusal(&impostor).await {
            RemoteError::Differs {
                expected,
                shown: said,
            } => assert_eq!((expected, said), (other, shown)),
            other => panic!("{protocol:?}: {other}"),
        }
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_and_holds_no_password() {
    let wrong = "wrong-pass-0815";
    for protocol in Protocol::ALL {
        let there = FileServer::start(protocol);
        let mut server = there.trusted();
        server.password = Secret::new(wrong.to_owned());
        let error = refusal(&server).await;
        assert!(matches!(error, RemoteError::LoginRefused), "{error:?}");
        assert!(!format!("{error} {error:?}").contains(wrong));
        drop(there);
        // Nobody listens there any more.
        let error = refusal(&server).await;
        assert!(matches!(error, RemoteError::Unreachable(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_may_ask_for_the_password_as_a_question() {
    let there = FileServer::start_so(Protocol::Sftp, Asks::Questions, Behaves::Well);
    there.trusted().connect().await.unwrap().close().await;
    let mut server = there.trusted();
    server.password = Secret::new("wrong".to_owned());
    let error = refusal(&server).await;
    assert!(matches!(error, RemoteError::LoginRefused), "{error:?}");
}

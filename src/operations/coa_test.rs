//! Whether a router takes CoA: a Disconnect-Request for a session that does not exist, in every form a router may like.
//!
//! A refusal is the proof: whoever does not listen, or has another secret, says nothing.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::app::{App, CoaOutcome, CoaReport, NasEntry};
use crate::crypto;
use crate::domain::audit::Actor;
use crate::domain::id::NasId;
use crate::domain::nas::CoaForm;
use crate::radius::coa::{self, CoaClient, CoaError, Schedule};
use crate::radius::{AttributeBuffer, number};

use super::routers::{Clients, SESSION_CONTEXT_NOT_FOUND, coa_target};
use super::{Error, nas};

/// The ports that routers listen on: the standard one, and that of old RouterOS (mikrotik.md a1).
const PORTS: [u16; 2] = [3799, 1700];
/// An operator waits: two sends for each port.
const SCHEDULE: Schedule = Schedule {
    initial: Duration::from_secs(1),
    longest_wait: Duration::from_secs(1),
    sends: 2,
    duration: Duration::from_secs(2),
};
/// The user name of the request, with a random part, so that no session can have it.
const NOBODY: &str = "proxpanel-test";

/// What a router answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub port: u16,
    pub form: CoaForm,
    /// Session context not found (503) is what it should say.
    pub outcome: CoaOutcome,
}

impl Answer {
    /// Whether the router read the request, and did not refuse its form.
    fn is_understood(&self) -> bool {
        matches!(
            self.outcome,
            CoaOutcome::Confirmed | CoaOutcome::Refused(None | Some(SESSION_CONTEXT_NOT_FOUND))
        )
    }
}

/// Sends the requests, notes the outcome on the NAS, and keeps the form that was answered for all that it is sent from now
/// on. `None` when none was answered.
///
/// Errors: `Refused` where nobody knows the router's address, or it cannot be sent to.
pub async fn test(app: &App, actor: &Actor, id: NasId) -> Result<Option<Answer>, Error> {
    let entry = app.nas(id).ok_or(Error::Missing("NAS"))?;
    let attributes = nobody()?;
    let answer = match over_radsec(app, &entry, &attributes, &SCHEDULE).await {
        Some(answer) => Some(answer),
        None => over_udp(app, &entry, &attributes).await?,
    };
    entry.stats.report_coa(CoaReport {
        at: app.now(),
        is_disconnect: true,
        username: NOBODY.to_owned(),
        outcome: answer
            .as_ref()
            .filter(|answer| answer.port == entry.nas.coa_port)
            .map_or(CoaOutcome::NoAnswer, |answer| answer.outcome.clone()),
    });
    if let Some(answer) = &answer {
        nas::keep_coa_form(app, actor, id, answer.form).await?;
    }
    Ok(answer)
}

/// Names a session that nobody has.
fn nobody() -> Result<AttributeBuffer, Error> {
    let nobody = format!("{NOBODY}-{}", crypto::hex(&crypto::random_bytes::<6>()?));
    let mut attributes = AttributeBuffer::new();
    let written = attributes
        .push_text(number::USER_NAME, &nobody)
        .and_then(|()| attributes.push_text(number::ACCT_SESSION_ID, &nobody));
    written.map_err(|error| Error::Refused(error.to_string()))?;
    Ok(attributes)
}

/// Asks in the router's RadSec connection, where one is open. Only an answer that was understood counts: else UDP may do.
async fn over_radsec(
    app: &App,
    entry: &NasEntry,
    attributes: &AttributeBuffer,
    schedule: &Schedule,
) -> Option<Answer> {
    let is_radsec = entry.nas.radsec.is_some();
    let link = app.radsec_links.find(entry.peer.nas, None);
    let link = link.filter(|_| is_radsec)?;
    let asked = link.disconnect(attributes, schedule.duration).await;
    // One that was closed meanwhile is no way either.
    let Ok(Some(outcome)) = outcome(asked) else {
        return None;
    };
    let answer = Answer {
        port: entry.nas.coa_port,
        form: CoaForm::Radsec,
        outcome,
    };
    Some(answer).filter(Answer::is_understood)
}

async fn over_udp(
    app: &App,
    entry: &NasEntry,
    attributes: &AttributeBuffer,
) -> Result<Option<Answer>, Error> {
    let address = address(app, entry)?;
    let clients = Clients::bind(app.config.radius.coa_bind)?;
    let client = clients
        .for_router(address)
        .ok_or_else(|| Error::Refused("This machine has no IPv6.".to_owned()))?;
    let mut ports = vec![entry.nas.coa_port];
    ports.extend(PORTS.iter().filter(|port| **port != entry.nas.coa_port));
    first_answer(app, client, entry, attributes, address, &ports, &SCHEDULE).await
}

/// What was answered, if anything.
fn outcome(asked: Result<coa::CoaOutcome, CoaError>) -> Result<Option<CoaOutcome>, Error> {
    match asked {
        Ok(coa::CoaOutcome::Ack) => Ok(Some(CoaOutcome::Confirmed)),
        Ok(coa::CoaOutcome::Nak { error_cause }) => Ok(Some(CoaOutcome::Refused(error_cause))),
        Ok(coa::CoaOutcome::Timeout) => Ok(None),
        Err(error) => Err(Error::Refused(format!("Not sent: {error}."))),
    }
}

/// The router's address, or that of a session through it where the NAS is a network.
fn address(app: &App, entry: &NasEntry) -> Result<IpAddr, Error> {
    let of_session = || {
        let live = app.accounting.live();
        let mut sessions = live.open_sessions().filter(|s| s.nas == entry.nas.id);
        sessions.find_map(|session| session.place.source)
    };
    entry
        .nas
        .network
        .single()
        .or_else(of_session)
        .ok_or_else(|| {
            let why =
                "This device is a network, and no session through it tells the router's address.";
            Error::Refused(why.to_owned())
        })
}

async fn first_answer(
    app: &App,
    client: &CoaClient,
    entry: &NasEntry,
    attributes: &AttributeBuffer,
    address: IpAddr,
    ports: &[u16],
    schedule: &Schedule,
) -> Result<Option<Answer>, Error> {
    for &port in ports {
        let ask = async |form| {
            let target = coa_target(form, SocketAddr::new(address, port), entry, app.now());
            client.disconnect(&target, attributes, schedule).await
        };
        let [plain, signed, dated] = CoaForm::OVER_UDP;
        let (plain, signed, dated) = tokio::join!(ask(plain), ask(signed), ask(dated));
        let mut answers = Vec::new();
        for (form, asked) in CoaForm::OVER_UDP.into_iter().zip([plain, signed, dated]) {
            let Some(outcome) = outcome(asked)? else {
                continue;
            };
            answers.push(Answer {
                port,
                form,
                outcome,
            });
        }
        // Of equals the first: a refusal of one form is no reason to leave another out.
        let best = answers
            .into_iter()
            .min_by_key(|answer| !answer.is_understood());
        if best.is_some() {
            return Ok(best);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use md5::{Digest, Md5};
    use tokio::net::UdpSocket;

    use super::*;
    use crate::domain::audit::Object;
    use crate::domain::id::SubscriberId;
    use crate::domain::radsec::RadsecTrust;
    use crate::operations::routers::{Order, carry_out};
    use crate::operations::testing::{SECRET, TestApp, actor, router};
    use crate::radius::radsec::peer;
    use crate::radius::{AccessOutcome, AccessRequest, Code, Packet};
    use crate::store::audit;

    const QUICK: Schedule = Schedule {
        initial: Duration::from_millis(200),
        longest_wait: Duration::from_millis(200),
        sends: 1,
        duration: Duration::from_millis(200),
    };

    /// A Disconnect-NAK with Error-Cause 503.
    fn refusal(request: &[u8]) -> Vec<u8> {
        let mut octets = vec![42, request[1], 0, 26];
        octets.extend(&request[4..20]);
        octets.extend([number::ERROR_CAUSE, 6, 0, 0, 1, 247]);
        let digest = Md5::new().chain_update(&octets).chain_update(SECRET);
        octets[4..20].copy_from_slice(&digest.finalize());
        octets
    }

    /// Answers the requests that hold an attribute, or all for 0, for as long as it is asked.
    async fn answer(socket: UdpSocket, wanted: u8) {
        let mut buffer = vec![0; 4096];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            let request = &buffer[..length];
            let packet = Packet::parse(request).unwrap();
            assert!(
                packet
                    .first(number::USER_NAME)
                    .unwrap()
                    .starts_with(NOBODY.as_bytes())
            );
            if wanted == 0 || packet.first(wanted).is_some() {
                socket.send_to(&refusal(request), from).await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn the_first_form_that_is_answered_is_told() {
        let test = TestApp::new();
        let id = nas::create(&test.app, &actor(), router("Tower", "127.0.0.1"))
            .await
            .unwrap();
        let entry = test.app.nas(id).unwrap();
        let address = entry.nas.network.single().unwrap();
        let client = CoaClient::bind(address).unwrap();
        let never = number::PROXY_STATE;
        for (wanted, expected) in [
            (0, Some(CoaForm::Plain)),
            (
                number::MESSAGE_AUTHENTICATOR,
                Some(CoaForm::MessageAuthenticator),
            ),
            (number::EVENT_TIMESTAMP, Some(CoaForm::Dated)),
            (never, None),
        ] {
            let deaf = UdpSocket::bind((address, 0)).await.unwrap();
            let socket = UdpSocket::bind((address, 0)).await.unwrap();
            let ports = [&deaf, &socket].map(|socket| socket.local_addr().unwrap().port());
            let nobody = nobody().unwrap();
            let asked = first_answer(&test.app, &client, &entry, &nobody, address, &ports, &QUICK);
            let found = tokio::select! {
                found = asked => found.unwrap(),
                () = answer(socket, wanted) => unreachable!(),
            };
            let expected = expected.map(|form| Answer {
                port: ports[1],
                form,
                outcome: CoaOutcome::Refused(Some(503)),
            });
            assert_eq!(found, expected);
        }
    }

    #[tokio::test]
    async fn what_was_answered_is_kept_and_a_change_of_the_router_leaves_it() {
        let test = TestApp::new();
        let app = &test.app;
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut draft = router("Tower", "127.0.0.1");
        draft.coa_port = socket.local_addr().unwrap().port();
        let id = nas::create(app, &actor(), draft.clone()).await.unwrap();
        let form = || app.nas(id).unwrap().nas.coa_form;
        let newest = || {
            let view = app.store.view().unwrap();
            audit::of(&view, Object::Nas(id), 1).unwrap().remove(0)
        };
        assert_eq!(form(), None);
        let by = actor();
        let found = tokio::select! {
            found = super::test(app, &by, id) => found.unwrap().unwrap(),
            () = answer(socket, number::MESSAGE_AUTHENTICATOR) => unreachable!(),
        };
        assert_eq!(form(), Some(CoaForm::MessageAuthenticator));
        assert_eq!(form(), Some(found.form));
        let entry = newest();
        let [change] = entry.changes.as_slice() else {
            panic!("{entry:?}")
        };
        assert_eq!(
            [&entry.action, &change.field, &change.old, &change.new],
            [
                "CoA tested",
                "CoA requests",
                "not tested",
                "with Message-Authenticator"
            ]
        );
        // The same once more is no change, and a form says nothing of it.
        nas::keep_coa_form(app, &actor(), id, found.form)
            .await
            .unwrap();
        assert_eq!(newest().sequence, entry.sequence);
        draft.name = "Hill".to_owned();
        nas::update(app, &actor(), id, draft).await.unwrap();
        assert_eq!(form(), Some(found.form));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_router_that_answers_in_its_radsec_connection_is_told_there() {
        let test = TestApp::new();
        let app = &test.app;
        let draft = nas::Draft {
            radsec: Some(RadsecTrust::Pinned([1; 32])),
            ..router("Tower", "127.0.0.1")
        };
        let id = nas::create(app, &actor(), draft).await.unwrap();
        let here = IpAddr::from([127, 0, 0, 1]);
        let session = test.go_online("ali", SubscriberId(1), id, here);
        let access = |_: &AccessRequest<'_>, _: &mut AttributeBuffer| AccessOutcome::Silence;
        let links = Arc::clone(&app.radsec_links);
        let bench = peer::bench_at(id.0, links, peer::patient(), access);
        let mut router = bench.connect_and_ask().await;

        let by = actor();
        let answered = async {
            let request = router.receive().await;
            let name = Packet::parse(&request).unwrap();
            let name = name.first(number::USER_NAME).unwrap();
            assert!(name.starts_with(NOBODY.as_bytes()));
            let refusal = peer::answer(&request, Code::DISCONNECT_NAK, Some(503), b"radsec");
            router.send(&refusal).await;
        };
        let (found, ()) = tokio::join!(super::test(app, &by, id), answered);
        assert_eq!(found.unwrap().unwrap().form, CoaForm::Radsec);
        assert_eq!(app.nas(id).unwrap().nas.coa_form, Some(CoaForm::Radsec));

        let clients = Clients::bind(None).unwrap();
        let order = Order::Disconnect(session);
        let answered = async {
            let request = router.receive().await;
            assert_eq!(request[0], Code::DISCONNECT_REQUEST.0);
            let ack = peer::answer(&request, Code::DISCONNECT_ACK, None, b"radsec");
            router.send(&ack).await;
        };
        let (done, ()) = tokio::join!(carry_out(app, &clients, order), answered);
        assert_eq!(done, Some(CoaOutcome::Confirmed));

        drop(router);
        bench.seen.wait("RadsecClosed");
        let done = carry_out(app, &clients, order).await.unwrap();
        let CoaOutcome::Failed(why) = &done else {
            panic!("{done:?}")
        };
        assert!(why.contains("is not open"), "{why}");
    }

    #[test]
    fn the_form_that_is_understood_is_preferred() {
        let answer = |outcome| {
            let form = CoaForm::Plain;
            let port = 3799;
            Answer {
                port,
                form,
                outcome,
            }
        };
        for (outcome, is_understood) in [
            (CoaOutcome::Confirmed, true),
            (CoaOutcome::Refused(Some(503)), true),
            (CoaOutcome::Refused(None), true),
            (CoaOutcome::Refused(Some(402)), false),
            (CoaOutcome::NoAnswer, false),
        ] {
            assert_eq!(answer(outcome).is_understood(), is_understood);
        }
    }

    #[tokio::test]
    async fn the_address_of_a_network_is_that_of_its_sessions() {
        let test = TestApp::new();
        let app = &test.app;
        let id = nas::create(app, &actor(), router("Hills", "10.0.0.0/24"))
            .await
            .unwrap();
        let entry = app.nas(id).unwrap();
        assert!(matches!(address(app, &entry), Err(Error::Refused(_))));
        let missing = super::test(app, &actor(), NasId(99)).await;
        assert!(matches!(missing, Err(Error::Missing("NAS"))));
        let source = IpAddr::from([10, 0, 0, 7]);
        test.go_online("ali", SubscriberId(1), id, source);
        assert_eq!(address(app, &entry).unwrap(), source);
    }
}

//! A server that shows the right certificate and says what is not so.

use std::sync::Mutex;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::*;
use crate::crypto::Key;
use crate::domain::time::DAY;
use crate::licence::wire::{Question, Signed};
use crate::licence::{Answer, LONGEST_SIGNED, Nonce, SigningKey, Verdict, base64url};
use crate::store::licence as rows;
use crate::vendor::answers::Wanted;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    Honest,
    /// The answer to an earlier question, word for word.
    Replay,
    /// Revoked, signed by somebody else.
    OtherKey,
    /// Good, for another question.
    OtherNonce,
    /// No lie: the truth, with a clock of next month.
    FastClock,
    /// All is well, without a licence.
    NoLicence,
    OtherLicence,
    /// One bit of the signature differs.
    Bent,
    NotSigned,
    NotJson,
    Fault,
    TooLong,
}

#[derive(Clone)]
struct Liar {
    desk: Arc<Desk>,
    lie: Arc<Mutex<Lie>>,
    heard: Arc<Mutex<String>>,
}

async fn lie(State(liar): State<Liar>, Path(what): Path<String>, body: Bytes) -> Response {
    let question: Question = serde_json::from_slice(&body).unwrap();
    let wanted = match what.as_str() {
        "activate" => Wanted::Activate,
        _ => Wanted::Heartbeat,
    };
    let honest = liar
        .desk
        .answer(wanted, "192.0.2.1", &question)
        .await
        .unwrap();
    let nonce = Nonce::try_from(base64url::decode(&question.nonce).unwrap()).unwrap();
    let key = liar.desk.public_key();
    let (answer, _) = Answer::open(&key, &honest, &nonce).unwrap();
    let signed = |answer: Answer| answer.sign(&liar.desk.signing);
    let lie = *liar.lie.lock().unwrap();
    let answer = match lie {
        Lie::Honest => {
            *liar.heard.lock().unwrap() = honest.clone();
            honest
        }
        Lie::Replay => liar.heard.lock().unwrap().clone(),
        Lie::OtherKey => {
            let other = SigningKey::from_seed(&Key::from_bytes([9; 32])).unwrap();
            let revoked = Answer {
                verdict: Verdict::Revoked,
                ..answer
            };
            revoked.sign(&other)
        }
        Lie::OtherNonce => signed(Answer {
            nonce: [0; 16].into(),
            ..answer
        }),
        Lie::FastClock => signed(Answer {
            at: answer.at + 30 * DAY,
            ..answer
        }),
        Lie::NoLicence => signed(Answer {
            token: None,
            ..answer
        }),
        Lie::OtherLicence => signed(Answer {
            licence: answer.licence + 1,
            ..answer
        }),
        Lie::Bent => {
            let mut bent = honest;
            let last = bent.pop().unwrap();
            bent.push(if last == 'A' { 'Q' } else { 'A' });
            bent
        }
        Lie::NotSigned => String::new(),
        Lie::NotJson => return "well".into_response(),
        Lie::Fault => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Lie::TooLong => "A".repeat(LONGEST_SIGNED + 1),
    };
    serde_json::to_string(&Signed { answer })
        .unwrap()
        .into_response()
}

/// A vendor that says what it is told to.
async fn lying() -> (World, Arc<Mutex<Lie>>) {
    let said = Arc::new(Mutex::new(Lie::Honest));
    let kept = Arc::clone(&said);
    let world = World::with(0, move |desk| {
        let liar = Liar {
            desk: Arc::clone(desk),
            lie: kept,
            heard: Arc::default(),
        };
        Router::new()
            .route("/api/v1/license/{what}", post(lie))
            .with_state(liar)
    })
    .await;
    (world, said)
}

#[tokio::test]
async fn no_lie_changes_anything() {
    let (world, said) = lying().await;
    let (test, _) = world.licensed(terms(Some(7), None)).await;
    assert_eq!(beat(&test).await, Beat::Good);
    let row = || {
        let row = rows::get(&test.app.store.view().unwrap()).unwrap().unwrap();
        let problem = row.problem.clone();
        let rest = rows::LicenceRow {
            problem: String::new(),
            ..row
        };
        (rest, problem)
    };
    let (before, _) = row();
    for (lie, named) in [
        (Lie::Replay, "answers another question"),
        (Lie::OtherKey, "the vendor did not sign it"),
        (Lie::OtherNonce, "answers another question"),
        (Lie::NoLicence, "sends no licence"),
        (Lie::OtherLicence, "about another licence"),
        (Lie::Bent, "not believed"),
        (Lie::NotSigned, "it is not a signed text"),
        (Lie::NotJson, "cannot be read"),
        (Lie::Fault, "answered 500"),
        (Lie::TooLong, "it is not a signed text"),
    ] {
        *said.lock().unwrap() = lie;
        let Beat::Silent(why) = beat(&test).await else {
            panic!("{lie:?} was believed");
        };
        assert!(why.contains(named), "{lie:?}: {why}");
        assert_eq!(row(), (before.clone(), why), "{lie:?}");
        assert_eq!(title(&test), "The licence is active.", "{lie:?}");
        // Nor does activation believe it.
        let key = licence::key(&test.app).unwrap().unwrap();
        assert!(activate(&test, key.expose()).await.is_err(), "{lie:?}");
        assert_eq!(row().0, before, "{lie:?}");
    }
    *said.lock().unwrap() = Lie::Honest;
    assert_eq!(beat(&test).await, Beat::Good);
}

#[tokio::test]
async fn a_vendor_whose_clock_was_ahead_is_believed_again_when_it_is_right() {
    let (world, said) = lying().await;
    let (test, _) = world.licensed(terms(Some(7), None)).await;
    *said.lock().unwrap() = Lie::FastClock;
    assert_eq!(beat(&test).await, Beat::Good);
    *said.lock().unwrap() = Lie::Honest;
    assert_eq!(beat(&test).await, Beat::Good);
    assert_eq!(title(&test), "The licence is active.");
    let row = rows::get(&test.app.store.view().unwrap()).unwrap().unwrap();
    assert_eq!(
        row.last_seen,
        test.app.now().0,
        "and its odd time is forgotten"
    );
}

#[tokio::test]
async fn a_stored_licence_of_another_vendor_is_not_believed() {
    let world = World::start().await;
    let (test, _) = world.licensed(terms(None, None)).await;
    let other = SigningKey::from_seed(&Key::from_bytes([9; 32])).unwrap();
    let forged = crate::licence::testing::licence().sign(&other);
    test.app
        .store
        .write("forge", move |tx| {
            let mut row = rows::get(tx)?.unwrap();
            row.token.clone_from(&forged);
            rows::put(tx, &row)
        })
        .await
        .unwrap();
    assert!(
        title(&test).starts_with("The stored licence cannot be used: the vendor did not sign it")
    );
    assert!(!test.app.licence().allows_subscribers(1));
    assert!(
        test.app.licence().allows_changes(),
        "the next heartbeat mends it"
    );
    assert_eq!(beat(&test).await, Beat::Good);
    assert_eq!(title(&test), "The licence is active.");
}

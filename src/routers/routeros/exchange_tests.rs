//! Dialogues as words: what a router says, and what it means.

use super::*;
use crate::routers::RouterError;
use crate::routers::routeros::peer::encoded;
use crate::routers::routeros::wire::WORD_MAX_OCTETS;
use crate::routers::vectors::vector;

fn credentials(legacy_first: bool) -> Credentials {
    Credentials {
        name: "panel".to_owned(),
        password: Secret::new("pass".to_owned()),
        legacy_first,
    }
}

/// The sentences that wait to be sent, each as its words with spaces between.
fn sent(exchange: &mut Exchange) -> Vec<String> {
    let output = exchange.take_output();
    let mut decoder = Decoder::new();
    let mut rest = output.as_slice();
    let mut sentences = Vec::new();
    while let Some(sentence) = decoder.next(&mut rest).unwrap() {
        let words: Vec<&str> = sentence
            .words()
            .map(|word| std::str::from_utf8(word).unwrap())
            .collect();
        sentences.push(words.join(" "));
    }
    sentences
}

/// Gives the exchange one sentence.
fn hear(exchange: &mut Exchange, words: &[&str]) -> Result<Vec<Event>, ApiError> {
    let mut events = Vec::new();
    exchange.receive(&encoded(words), &mut events)?;
    Ok(events)
}

fn logged_in() -> Exchange {
    let mut exchange = Exchange::new(credentials(false)).unwrap();
    exchange.take_output();
    assert_eq!(hear(&mut exchange, &["!done"]), Ok(vec![Event::LoggedIn]));
    exchange
}

/// What a stream of sentences meant, in short: `row 1 a`, `done 1 ret`, `trap 2 text/category`.
fn told(exchange: &mut Exchange, sentences: &[&[&str]]) -> Vec<String> {
    let text = |sentence: &Sentence, name: &str| {
        String::from_utf8_lossy(sentence.attribute(name).unwrap_or_default()).into_owned()
    };
    let octets: Vec<u8> = sentences.iter().flat_map(|words| encoded(words)).collect();
    let mut events = Vec::new();
    // Cut anywhere: the events are the same.
    for piece in octets.chunks(5) {
        exchange.receive(piece, &mut events).unwrap();
    }
    events
        .iter()
        .map(|event| match event {
            Event::LoggedIn => "in".to_owned(),
            Event::Row { tag, row } => format!("row {tag} {}", text(row, "name")),
            Event::Ended { tag, result } => match result {
                Ok(done) => format!("done {tag} {}", text(done, "ret")),
                Err(ApiError::Trap { message, category }) => {
                    format!("trap {tag} {message}/{category:?}")
                }
                Err(error) => panic!("{error}"),
            },
        })
        .collect()
}

#[test]
fn the_login_of_today() {
    let mut exchange = Exchange::new(credentials(false)).unwrap();
    let login = "/login =name=panel =password=pass";
    assert_eq!(sent(&mut exchange), [login]);
    assert_eq!(hear(&mut exchange, &["!done"]), Ok(vec![Event::LoggedIn]));
    assert_eq!(sent(&mut exchange), Vec::<String>::new());
}

#[test]
fn the_login_of_old_routers() {
    let vector = vector("ros-api-legacy-login");
    let case = &vector["inputs"]["cases"][0];
    let ret = format!("=ret={}", case["ret"].as_str().unwrap());
    let response = vector["expected"]["response"][0].as_str().unwrap();
    for (legacy_first, first) in [
        (true, "/login".to_owned()),
        (
            false,
            format!(
                "/login =name=panel =password={}",
                case["password"].as_str().unwrap()
            ),
        ),
    ] {
        let mut exchange = Exchange::new(Credentials {
            password: Secret::new(case["password"].as_str().unwrap().to_owned()),
            ..credentials(legacy_first)
        })
        .unwrap();
        assert_eq!(sent(&mut exchange), [first]);
        assert_eq!(hear(&mut exchange, &["!done", &ret]), Ok(vec![]));
        let answer = format!("/login =name=panel =response={response}");
        assert_eq!(sent(&mut exchange), [answer]);
        assert_eq!(hear(&mut exchange, &["!done"]), Ok(vec![Event::LoggedIn]));
    }
}

#[test]
fn refused_logins() {
    let refused = |text: &str| Err(ApiError::LoginRefused(text.to_owned()));
    let challenge = "=ret=00112233445566778899aabbccddeeff";
    for (legacy_first, replies, expected) in [
        (
            false,
            vec![vec!["!trap", "=message=invalid user name or password (6)"]],
            refused("invalid user name or password (6)"),
        ),
        (false, vec![vec!["!trap"]], refused("no reason given")),
        (
            false,
            vec![vec!["!fatal", "too many sessions"]],
            refused("too many sessions"),
        ),
        (
            true,
            vec![
                vec!["!done", challenge],
                vec!["!trap", "=message=cannot log in"],
            ],
            refused("cannot log in"),
        ),
        (
            true,
            vec![vec!["!done"]],
            refused("it gives no challenge; it is no old router"),
        ),
        (
            true,
            vec![vec!["!done", "=ret=123"]],
            Err(ApiError::Protocol(RouterError::Challenge(3))),
        ),
        (
            false,
            vec![vec!["HTTP/1.1 400 Bad Request"]],
            Err(ApiError::Reply("HTTP/1.1 400 Bad Request".to_owned())),
        ),
    ] {
        let mut exchange = Exchange::new(credentials(legacy_first)).unwrap();
        let mut last = Ok(vec![]);
        for reply in &replies {
            last = hear(&mut exchange, reply);
        }
        assert_eq!(last, expected, "{replies:?}");
    }
}

#[test]
fn a_second_challenge_is_no_login_but_its_done_is() {
    let mut exchange = Exchange::new(credentials(true)).unwrap();
    let ret = "=ret=00112233445566778899aabbccddeeff";
    assert_eq!(hear(&mut exchange, &["!done", ret]), Ok(vec![]));
    assert_eq!(
        hear(&mut exchange, &["!re"]),
        Ok(vec![]),
        "means nothing here"
    );
    exchange.take_output();
    assert_eq!(
        hear(&mut exchange, &["!done", ret]),
        Ok(vec![Event::LoggedIn])
    );
    assert!(exchange.take_output().is_empty());
}

#[test]
fn a_password_too_long_for_a_word_is_refused() {
    let long = Credentials {
        password: Secret::new("x".repeat(WORD_MAX_OCTETS)),
        ..credentials(false)
    };
    let error = Exchange::new(long).err();
    let words = RouterError::LongWord(WORD_MAX_OCTETS + "=password=".len());
    assert_eq!(error, Some(ApiError::Protocol(words)));
}

#[test]
fn replies_find_their_request_in_any_order() {
    let mut exchange = logged_in();
    for (path, tag) in [
        ("/a/print", 1),
        ("/b/print", 2),
        ("/c/add", 3),
        ("/d/print", 4),
    ] {
        assert_eq!(exchange.request(&Command::new(path)), Ok(tag));
    }
    assert_eq!(
        sent(&mut exchange),
        [
            "/a/print .tag=1",
            "/b/print .tag=2",
            "/c/add .tag=3",
            "/d/print .tag=4"
        ]
    );
    let told = told(
        &mut exchange,
        &[
            &["!re", ".tag=2", "=name=b1"],
            &["!re", "=name=a1", ".tag=1"],
            &["!done", "=ret=*1A", ".tag=3"],
            &["!re", ".tag=2", "=name=b2"],
            &["!trap", ".tag=1", "=category=4", "=message=out of memory"],
            &["!trap", ".tag=1", "=message=and more"],
            &["!empty", ".tag=4"],
            &["!done", ".tag=2"],
            &["!done", ".tag=4"],
            &["!done", ".tag=1"],
        ],
    );
    assert_eq!(
        told,
        [
            "row 2 b1",
            "row 1 a1",
            "done 3 *1A",
            "row 2 b2",
            "done 2 ",
            "done 4 ",
            "trap 1 out of memory/Some(4)",
        ]
    );
}

#[test]
fn replies_to_nobody_mean_nothing() {
    let mut exchange = logged_in();
    exchange.request(&Command::new("/a/print")).unwrap();
    let told = told(
        &mut exchange,
        &[
            &["!re", "=name=x"],
            &["!done"],
            &["!done", ".tag=2"],
            &["!done", ".tag=0"],
            &["!trap", ".tag=x", "=message=x"],
            &["!done", ".tag=1"],
            &["!done", ".tag=1"],
            &["!re", ".tag=1", "=name=late"],
        ],
    );
    assert_eq!(told, ["done 1 "]);
}

#[test]
fn a_trap_without_words_is_a_trap() {
    for (category, expected) in [
        ("=category=x", None),
        ("=category=256", None),
        ("=category=0", Some(0)),
    ] {
        let mut exchange = logged_in();
        exchange.request(&Command::new("/a")).unwrap();
        let told = told(
            &mut exchange,
            &[&["!trap", ".tag=1", category], &["!done", ".tag=1"]],
        );
        assert_eq!(told, [format!("trap 1 no reason given/{expected:?}")]);
    }
}

#[test]
fn a_cancelled_request_gives_no_more_rows_and_ends() {
    let mut exchange = logged_in();
    exchange
        .request(&Command::new("/ppp/active/listen"))
        .unwrap();
    exchange.request(&Command::new("/b/print")).unwrap();
    exchange.take_output();
    assert_eq!(
        told(&mut exchange, &[&["!re", ".tag=1", "=name=a"]]),
        ["row 1 a"]
    );
    exchange.cancel(1).unwrap();
    exchange.cancel(1).unwrap();
    exchange.cancel(99).unwrap();
    assert_eq!(sent(&mut exchange), ["/cancel =tag=1 .tag=3"], "only once");
    let told = told(
        &mut exchange,
        &[
            &["!re", ".tag=1", "=name=late"],
            &["!re", ".tag=2", "=name=b"],
            &["!trap", ".tag=1", "=category=2", "=message=interrupted"],
            &["!done", ".tag=3"],
            &["!done", ".tag=1"],
        ],
    );
    assert_eq!(told, ["row 2 b", "trap 1 interrupted/Some(2)"]);
    exchange.cancel(1).unwrap();
    assert_eq!(sent(&mut exchange), Vec::<String>::new(), "it is over");
    assert_eq!(
        exchange.request(&Command::new("/c")),
        Ok(4),
        "no tag comes twice"
    );
}

#[test]
fn a_request_that_does_not_fit_leaves_no_trace() {
    let mut exchange = logged_in();
    let error = exchange.request(&Command::new("")).unwrap_err();
    assert_eq!(error, ApiError::Protocol(RouterError::EmptyWord));
    assert!(exchange.take_output().is_empty());
    assert_eq!(exchange.request(&Command::new("/a")), Ok(1));
}

#[test]
fn what_ends_the_connection() {
    for (octets, expected) in [
        (
            encoded(&["!fatal", "session terminated"]),
            ApiError::Fatal("session terminated".to_owned()),
        ),
        (
            encoded(&["!fatal", ".tag=1", "bye"]),
            ApiError::Fatal("bye".to_owned()),
        ),
        (
            encoded(&["!fatal", "=message=bye"]),
            ApiError::Fatal("bye".to_owned()),
        ),
        (
            encoded(&["!fatal"]),
            ApiError::Fatal("no reason given".to_owned()),
        ),
        (
            encoded(&["!what", ".tag=1"]),
            ApiError::Reply("!what".to_owned()),
        ),
        (
            vec![0xFF],
            ApiError::Protocol(RouterError::ReservedLength(0xFF)),
        ),
        (
            // 64 MB in one word.
            vec![3, b'!', b'r', b'e', 0xE4, 0, 0, 0],
            ApiError::Protocol(RouterError::LongWord(64 << 20)),
        ),
    ] {
        let mut exchange = logged_in();
        exchange.request(&Command::new("/a/print")).unwrap();
        let stream = [encoded(&["!re", ".tag=1"]), octets].concat();
        let mut events = Vec::new();
        assert_eq!(exchange.receive(&stream, &mut events), Err(expected));
        assert!(
            matches!(events.as_slice(), [Event::Row { tag: 1, .. }]),
            "what came before counts"
        );
    }
}

#[test]
fn any_octets_are_safe() {
    bolero::check!().for_each(|octets: &[u8]| {
        for mut exchange in [logged_in(), Exchange::new(credentials(true)).unwrap()] {
            let _ = exchange.request(&Command::new("/a/print"));
            let _ = exchange.receive(octets, &mut Vec::new());
        }
    });
}

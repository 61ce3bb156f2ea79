//! Sentences against the vectors, at their limits, and from arbitrary octets.

use proptest::prelude::*;

use super::*;
use crate::routers::vectors::{unhex, vector};

fn sentence(words: &[&[u8]]) -> Sentence {
    let mut sentence = Sentence::default();
    for word in words {
        sentence.push(word).unwrap();
    }
    sentence
}

fn encoded(sentence: &Sentence) -> Vec<u8> {
    let mut out = Vec::new();
    sentence.encode(&mut out);
    out
}

/// All sentences of the octets, given in pieces of `size`.
fn decode(octets: &[u8], size: usize) -> Result<Vec<Sentence>, RouterError> {
    let mut decoder = Decoder::new();
    let mut sentences = Vec::new();
    for mut piece in octets.chunks(size) {
        while let Some(sentence) = decoder.next(&mut piece)? {
            sentences.push(sentence);
        }
        assert!(piece.is_empty());
    }
    Ok(sentences)
}

#[test]
fn lengths_of_the_vector() {
    let vector = vector("ros-api-word-length");
    let lengths = vector["inputs"]["lengths"].as_array().unwrap();
    let expected = vector["expected"]["encoded"].as_array().unwrap();
    assert_eq!(lengths.len(), 11);
    for (length, hex) in lengths.iter().zip(expected) {
        let length = u32::try_from(length.as_u64().unwrap()).unwrap();
        let mut octets = Vec::new();
        encode_length(length, &mut octets);
        assert_eq!(octets, unhex(hex), "{length}");
        let mut decoder = Decoder::new();
        let got = decoder.next(&mut octets.as_slice());
        match usize::try_from(length).unwrap() {
            too_long if too_long > WORD_MAX_OCTETS => {
                assert_eq!(got, Err(RouterError::LongWord(too_long)));
            }
            0 => assert!(matches!(decoder.part, Part::Start)),
            expected => {
                assert!(matches!(&decoder.part, Part::Word { missing } if *missing == expected));
            }
        }
    }
}

#[test]
fn sentences_of_the_vector() {
    let vector = vector("ros-api-sentences");
    let sentences = vector["inputs"]["sentences"].as_array().unwrap();
    let expected = vector["expected"]["encoded"].as_array().unwrap();
    assert_eq!(sentences.len(), 9);
    let mut stream = Vec::new();
    let mut all = Vec::new();
    for (words, hex) in sentences.iter().zip(expected) {
        let words: Vec<&[u8]> = words
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap().as_bytes())
            .collect();
        let sentence = sentence(&words);
        assert_eq!(encoded(&sentence), unhex(hex));
        sentence.encode(&mut stream);
        all.push(sentence);
    }
    for size in [1, 2, 7, 128, stream.len()] {
        assert_eq!(
            decode(&stream, size),
            Ok(all.clone()),
            "in pieces of {size}"
        );
    }
}

#[test]
fn attributes_split_at_the_second_sign() {
    let row = sentence(&[
        b"!re",
        b".tag=a1",
        b"=.id=*1",
        b"=comment=",
        b"=rule=a=b",
        b"=name=\xE9",
        b"=names=x",
        b"=name=again",
    ]);
    assert_eq!(row.first(), Some(b"!re".as_slice()));
    for (name, value) in [
        (".tag", Some(b"a1".as_slice())),
        (".id", Some(b"*1")),
        ("comment", Some(b"")),
        ("rule", Some(b"a=b")),
        ("name", Some(b"\xE9")),
        ("nam", None),
        ("!re", None),
        ("", None),
    ] {
        assert_eq!(row.attribute(name), value, "{name}");
    }
    assert_eq!(
        sentence(&[b"=ret=x"]).attribute("ret"),
        None,
        "the first word is no attribute"
    );
}

#[test]
fn longer_lengths_and_empty_sentences_are_read() {
    let expected = vec![sentence(&[b"a"])];
    for octets in [
        b"\x01a\x00".as_slice(),
        b"\x80\x01a\x00",
        b"\xC0\x00\x01a\x80\x00",
        b"\xE0\x00\x00\x01a\x00",
        b"\xF0\x00\x00\x00\x01a\x00",
        b"\xF7\x00\x00\x00\x01a\x00",
        b"\x00\x00\x01a\x00\x00",
    ] {
        assert_eq!(decode(octets, 1), Ok(expected.clone()), "{octets:x?}");
    }
    assert_eq!(decode(b"\x01a", 1), Ok(vec![]), "not finished");
}

#[test]
fn reserved_octets_break_the_connection() {
    for octet in 0xF8..=0xFF {
        let mut decoder = Decoder::new();
        let mut input: &[u8] = &[1, b'a', octet, 0];
        let expected = Err(RouterError::ReservedLength(octet));
        assert_eq!(decoder.next(&mut input), expected);
        assert_eq!(
            decoder.next(&mut b"\x01a\x00".as_slice()),
            expected,
            "and it stays so"
        );
    }
}

#[test]
fn the_limits_are_exact() {
    let longest = vec![b'x'; WORD_MAX_OCTETS];
    let mut full = sentence(&[&longest, &longest, &longest, &longest]);
    let octets = encoded(&full);
    assert_eq!(decode(&octets, 4096), Ok(vec![full.clone()]));
    assert_eq!(
        full.push(b"y"),
        Err(RouterError::LongSentence {
            words: 5,
            octets: SENTENCE_MAX_OCTETS + 1
        })
    );
    let mut one_more = octets[..octets.len() - 1].to_vec();
    one_more.extend_from_slice(b"\x01y\x00");
    assert_eq!(
        decode(&one_more, 4096),
        Err(RouterError::LongSentence {
            words: 5,
            octets: SENTENCE_MAX_OCTETS + 1
        })
    );

    let mut empty = Sentence::default();
    let too_long = vec![b'x'; WORD_MAX_OCTETS + 1];
    assert_eq!(
        empty.push(&too_long),
        Err(RouterError::LongWord(WORD_MAX_OCTETS + 1))
    );
    assert_eq!(empty.push(b""), Err(RouterError::EmptyWord));
    assert!(empty.is_empty());
    assert_eq!(
        decode(b"\xD0\x00\x01", 1),
        Err(RouterError::LongWord(WORD_MAX_OCTETS + 1))
    );
    assert_eq!(decode(b"\xD0\x00\x00", 1), Ok(vec![]));

    let most = [b"\x01a".repeat(SENTENCE_MAX_WORDS), vec![0]].concat();
    assert_eq!(
        decode(&most, 64).unwrap()[0].words().count(),
        SENTENCE_MAX_WORDS
    );
    assert_eq!(
        decode(&b"\x01a".repeat(SENTENCE_MAX_WORDS + 1), 64),
        Err(RouterError::LongSentence {
            words: SENTENCE_MAX_WORDS + 1,
            octets: SENTENCE_MAX_WORDS + 1
        })
    );
}

#[test]
fn passwords_do_not_show() {
    let shown = format!("{:?}", sentence(&[b"/login", b"=password=secret"]));
    assert_eq!(shown, "Sentence(2 words, 22 octets)");
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        words in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 1..20),
        size in 1usize..400,
    ) {
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let sentence = sentence(&words);
        prop_assert_eq!(decode(&encoded(&sentence), size), Ok(vec![sentence]));
    }
}

/// Any octets are decoded or refused, the same however they are cut, and what is decoded encodes to the same again.
#[test]
fn any_octets_are_safe() {
    bolero::check!().for_each(|octets: &[u8]| {
        let whole = decode(octets, octets.len().max(1));
        assert_eq!(whole, decode(octets, 1));
        let stream: Vec<u8> = whole.iter().flatten().flat_map(encoded).collect();
        if let Ok(sentences) = whole {
            assert_eq!(decode(&stream, 3), Ok(sentences));
        }
    });
}

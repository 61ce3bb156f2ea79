//! Words and sentences of the API as they travel (mikrotik.md b2).
//!
//! Written from the reference alone: the program's own codec is not used here, so that two readings of it meet.
//! Strings of the protocol are octets. The stand-in keeps one char per octet, so that nothing is lost on the way.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// What the stand-in takes of one word, and of one sentence; a router closes the connection somewhere above.
pub const WORD_MAX_OCTETS: usize = 1 << 20;
pub const SENTENCE_MAX_WORDS: usize = 256;
/// Before the login both are much smaller.
pub const WORD_MAX_BEFORE_LOGIN: usize = 1024;
pub const WORDS_MAX_BEFORE_LOGIN: usize = 8;

/// Largest word and most words of a sentence.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub octets: usize,
    pub words: usize,
}

pub const BEFORE_LOGIN: Limits = Limits {
    octets: WORD_MAX_BEFORE_LOGIN,
    words: WORDS_MAX_BEFORE_LOGIN,
};
pub const AFTER_LOGIN: Limits = Limits {
    octets: WORD_MAX_OCTETS,
    words: SENTENCE_MAX_WORDS,
};

/// The length in front of a word of `n` octets, in the shortest form.
pub fn length(n: u32) -> Vec<u8> {
    let [a, b, c, d] = n.to_be_bytes();
    match n {
        0..=0x7F => vec![d],
        0x80..=0x3FFF => vec![c | 0x80, d],
        0x4000..=0x1F_FFFF => vec![b | 0xC0, c, d],
        0x20_0000..=0xFFF_FFFF => vec![a | 0xE0, b, c, d],
        _ => vec![0xF0, a, b, c, d],
    }
}

/// How many octets follow the first one of a length, and what the first one gives. `None` for the reserved ones.
fn first_octet(octet: u8) -> Option<(usize, u32)> {
    match octet {
        0x00..=0x7F => Some((0, u32::from(octet))),
        0x80..=0xBF => Some((1, u32::from(octet & 0x3F))),
        0xC0..=0xDF => Some((2, u32::from(octet & 0x1F))),
        0xE0..=0xEF => Some((3, u32::from(octet & 0x0F))),
        0xF0..=0xF7 => Some((4, 0)),
        0xF8..=0xFF => None,
    }
}

/// One char per octet.
pub fn text(octets: &[u8]) -> String {
    octets.iter().map(|octet| char::from(*octet)).collect()
}

/// Back to octets; a char above 255 cannot have come from `text` and goes as its UTF-8.
pub fn octets(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    for letter in text.chars() {
        match u8::try_from(letter) {
            Ok(octet) => octets.push(octet),
            Err(_) => octets.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    octets
}

/// A sentence with its end.
pub fn sentence<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut out = Vec::new();
    for word in words {
        let word = octets(word);
        out.extend(length(
            u32::try_from(word.len()).expect("a word below 4 GiB"),
        ));
        out.extend(word);
    }
    out.push(0);
    out
}

/// Reads one sentence; empty ones are passed over. `None` when the peer has closed between two sentences.
/// Errors: a word or sentence above the limits, a reserved length, an end in the middle.
pub async fn read_sentence(
    stream: &mut (impl AsyncRead + Unpin),
    limits: Limits,
) -> io::Result<Option<Vec<String>>> {
    let mut words: Vec<String> = Vec::new();
    loop {
        let first = match stream.read_u8().await {
            Ok(first) => first,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && words.is_empty() => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let (more, mut length) = first_octet(first).ok_or_else(|| wrong("a reserved length"))?;
        for _ in 0..more {
            length = (length << 8) | u32::from(stream.read_u8().await?);
        }
        if length == 0 {
            if words.is_empty() {
                continue;
            }
            return Ok(Some(words));
        }
        let length = usize::try_from(length).expect("32 bits fit");
        if length > limits.octets || words.len() == limits.words {
            return Err(wrong("a word or sentence above the limit"));
        }
        let mut word = vec![0; length];
        stream.read_exact(&mut word).await?;
        words.push(text(&word));
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut octets: &[u8], limits: Limits) -> io::Result<Option<Vec<String>>> {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(read_sentence(&mut octets, limits))
    }

    #[test]
    fn lengths_are_those_of_the_reference() {
        let cases: [(u32, &[u8]); 10] = [
            (0, &[0x00]),
            (127, &[0x7F]),
            (128, &[0x80, 0x80]),
            (16_383, &[0xBF, 0xFF]),
            (16_384, &[0xC0, 0x40, 0x00]),
            (2_097_151, &[0xDF, 0xFF, 0xFF]),
            (2_097_152, &[0xE0, 0x20, 0x00, 0x00]),
            (268_435_455, &[0xEF, 0xFF, 0xFF, 0xFF]),
            (268_435_456, &[0xF0, 0x10, 0x00, 0x00, 0x00]),
            (u32::MAX, &[0xF0, 0xFF, 0xFF, 0xFF, 0xFF]),
        ];
        for (n, expected) in cases {
            assert_eq!(length(n), expected, "{n}");
        }
    }

    #[test]
    fn sentences_are_read_back_at_every_length() {
        for n in [1, 127, 128, 16_383, 16_384, WORD_MAX_OCTETS] {
            let word = "\u{e9}".repeat(n);
            let octets = sentence(["/x", &word]);
            let read = read(&octets, AFTER_LOGIN).unwrap().unwrap();
            assert!(read == ["/x", &word], "{n} octets");
        }
        let long_forms: [&[u8]; 4] = [
            &[0x80, 1, b'x', 0],
            &[0xC0, 0, 1, b'x', 0],
            &[0xE0, 0, 0, 1, b'x', 0],
            &[0, 0, 0xF0, 0, 0, 0, 1, b'x', 0xF0, 0, 0, 0, 0],
        ];
        for octets in long_forms {
            assert_eq!(read(octets, AFTER_LOGIN).unwrap().unwrap(), ["x"]);
        }
        assert_eq!(read(&[], AFTER_LOGIN).unwrap(), None);
        assert_eq!(read(&[0, 0], AFTER_LOGIN).unwrap(), None);
    }

    #[test]
    fn what_is_too_large_or_cut_off_is_an_error() {
        let large = sentence(["x".repeat(WORD_MAX_BEFORE_LOGIN + 1).as_str()]);
        let many = sentence(["x"; WORDS_MAX_BEFORE_LOGIN + 1]);
        let most = sentence(["x"; WORDS_MAX_BEFORE_LOGIN]);
        assert!(read(&large, BEFORE_LOGIN).is_err());
        assert!(read(&large, AFTER_LOGIN).is_ok());
        assert!(read(&many, BEFORE_LOGIN).is_err());
        assert!(read(&most, BEFORE_LOGIN).is_ok());
        for cut in [&[0xF8][..], &[0xFF], &[0x80], &[2, b'x'], &[1, b'x']] {
            assert!(read(cut, AFTER_LOGIN).is_err(), "{cut:?}");
        }
    }
}

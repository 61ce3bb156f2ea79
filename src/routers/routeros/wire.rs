//! Words and sentences as octets.
//!
//! A word is a length and its octets; a sentence is words and an empty word behind them (mikrotik.md b2). Words are
//! octets, not text: RouterOS keeps what was typed in any code page. Invariant: a decoder never holds more than one
//! sentence, within the limits below, whatever arrives and however it is cut.

use zeroize::Zeroize;

use crate::routers::RouterError;

/// The longest word that is read or written. Real ones stay below some kilobytes.
pub const WORD_MAX_OCTETS: usize = 1 << 20;
/// The most words of a sentence; the widest menu has some hundred fields.
pub const SENTENCE_MAX_WORDS: usize = 256;
/// Octets of all words of a sentence together.
pub const SENTENCE_MAX_OCTETS: usize = 4 << 20;

/// The one API attribute, which has no sign in front.
const TAG: &str = ".tag";

/// The words of one request or reply, without the empty one. They lie in one piece: thousands of rows are read at once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sentence {
    octets: Vec<u8>,
    /// Where each word ends; the next begins there.
    ends: Vec<usize>,
}

impl Sentence {
    /// Errors: `EmptyWord`, `LongWord`, `LongSentence`; the sentence is then unchanged.
    pub fn push(&mut self, word: &[u8]) -> Result<(), RouterError> {
        if word.is_empty() {
            return Err(RouterError::EmptyWord);
        }
        self.check_room(word.len())?;
        self.octets.extend_from_slice(word);
        self.end_word();
        Ok(())
    }

    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let word = self.octets.get(start..end).unwrap_or_default();
            start = end;
            word
        })
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The command or the kind of reply: `/ppp/active/print`, `!re`, `!done`.
    pub fn first(&self) -> Option<&[u8]> {
        self.words().next()
    }

    /// The value of `=name=value`, or with the name `.tag` of `.tag=value`. The value may hold `=` or be empty.
    pub fn attribute(&self, name: &str) -> Option<&[u8]> {
        self.words().skip(1).find_map(|word| {
            let word = if name == TAG {
                word
            } else {
                word.strip_prefix(b"=")?
            };
            word.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
        })
    }

    /// Octets of all words together.
    pub fn octets(&self) -> usize {
        self.octets.len()
    }

    fn check_room(&self, length: usize) -> Result<(), RouterError> {
        if length > WORD_MAX_OCTETS {
            return Err(RouterError::LongWord(length));
        }
        let words = self.ends.len() + 1;
        let octets = self.octets.len() + length;
        if words > SENTENCE_MAX_WORDS || octets > SENTENCE_MAX_OCTETS {
            return Err(RouterError::LongSentence { words, octets });
        }
        Ok(())
    }

    /// What was appended since the last word is a word.
    fn end_word(&mut self) {
        self.ends.push(self.octets.len());
    }

    /// Appends the sentence as it goes on the wire.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for word in self.words() {
            // Words are bounded far below 32 bits.
            encode_length(u32::try_from(word.len()).unwrap_or(u32::MAX), out);
            out.extend_from_slice(word);
        }
        out.push(0);
    }
}

impl std::fmt::Debug for Sentence {
    /// Sizes only: words may be passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Sentence({} words, {} octets)",
            self.ends.len(),
            self.octets.len()
        )
    }
}

impl Zeroize for Sentence {
    /// For sentences that hold a password.
    fn zeroize(&mut self) {
        self.octets.zeroize();
        self.ends.clear();
    }
}

/// The shortest form of a length; up to four of its high bits say how many octets it has.
fn encode_length(length: u32, out: &mut Vec<u8>) {
    let octets = |marked: u32| marked.to_be_bytes();
    match length {
        0..=0x7F => out.extend(octets(length).into_iter().skip(3)),
        0x80..=0x3FFF => out.extend(octets(length | 0x8000).into_iter().skip(2)),
        0x4000..=0x1F_FFFF => out.extend(octets(length | 0xC0_0000).into_iter().skip(1)),
        0x20_0000..=0xFFF_FFFF => out.extend(octets(length | 0xE000_0000)),
        _ => {
            out.push(0xF0);
            out.extend(octets(length));
        }
    }
}

/// Where the decoder stands within a word.
#[derive(Debug)]
enum Part {
    /// Before a length.
    Start,
    /// Within a length: its value so far, and the octets still to come.
    Length { value: u32, missing: u8 },
    /// Within a word: the octets still to come. Those that came are the end of the sentence.
    Word { missing: usize },
    /// After an error there is no telling where a word begins.
    Broken(RouterError),
}

/// Puts sentences together from octets that arrive in any pieces.
#[derive(Debug)]
pub struct Decoder {
    part: Part,
    sentence: Sentence,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    pub fn new() -> Decoder {
        Decoder {
            part: Part::Start,
            sentence: Sentence::default(),
        }
    }

    /// Takes octets off the front of `input` until a sentence is whole; `None` when all are taken and more are needed.
    /// Empty sentences are passed over, lengths in a longer form than needed are read.
    ///
    /// Errors: `ReservedLength`, `LongWord`, `LongSentence`. The connection must be closed: the error stays.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Sentence>, RouterError> {
        loop {
            match &mut self.part {
                Part::Start => {
                    let Some((&octet, rest)) = input.split_first() else {
                        return Ok(None);
                    };
                    *input = rest;
                    self.start_length(octet)?;
                }
                Part::Length { value, missing: 0 } => {
                    let length = usize::try_from(*value).unwrap_or(usize::MAX);
                    self.part = Part::Start;
                    if length > 0 {
                        self.start_word(length)?;
                    } else if !self.sentence.is_empty() {
                        return Ok(Some(std::mem::take(&mut self.sentence)));
                    }
                }
                Part::Length { value, missing } => {
                    let Some((&octet, rest)) = input.split_first() else {
                        return Ok(None);
                    };
                    *input = rest;
                    *value = (*value << 8) | u32::from(octet);
                    *missing -= 1;
                }
                Part::Word { missing: 0 } => {
                    self.sentence.end_word();
                    self.part = Part::Start;
                }
                Part::Word { missing } => {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    // Memory is taken as octets arrive, not as the length promises.
                    let (taken, rest) = input.split_at(input.len().min(*missing));
                    self.sentence.octets.extend_from_slice(taken);
                    *missing -= taken.len();
                    *input = rest;
                }
                Part::Broken(error) => return Err(error.clone()),
            }
        }
    }

    fn start_length(&mut self, octet: u8) -> Result<(), RouterError> {
        let (kept, missing) = match octet {
            0x00..=0x7F => (octet, 0),
            0x80..=0xBF => (octet & 0x3F, 1),
            0xC0..=0xDF => (octet & 0x1F, 2),
            0xE0..=0xEF => (octet & 0x0F, 3),
            0xF0..=0xF7 => (0, 4),
            0xF8..=0xFF => return self.fail(RouterError::ReservedLength(octet)),
        };
        self.part = Part::Length {
            value: kept.into(),
            missing,
        };
        Ok(())
    }

    fn start_word(&mut self, length: usize) -> Result<(), RouterError> {
        if let Err(error) = self.sentence.check_room(length) {
            return self.fail(error);
        }
        self.part = Part::Word { missing: length };
        Ok(())
    }

    fn fail(&mut self, error: RouterError) -> Result<(), RouterError> {
        self.part = Part::Broken(error.clone());
        self.sentence = Sentence::default();
        Err(error)
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;

//! One request to a router, as words.

use zeroize::Zeroizing;

use super::wire::Sentence;
use crate::routers::RouterError;

/// A command, its attributes and its queries. Has no Debug: attributes may be passwords.
pub struct Command {
    sentence: Zeroizing<Sentence>,
    /// The first word that did not fit; told when the request is sent, so that a command is built in one expression.
    fault: Option<RouterError>,
}

impl Command {
    /// `path` is menu and verb: `/ppp/active/print`.
    pub fn new(path: &str) -> Command {
        let mut command = Command {
            sentence: Zeroizing::default(),
            fault: None,
        };
        command.push(path.as_bytes());
        command
    }

    /// Adds `=name=value`. The value may be empty, hold `=` or any octets.
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Command {
        let parts = [b"=", name.as_bytes(), b"=", value.as_ref()];
        let word = Zeroizing::new(parts.concat());
        self.push(&word);
        self
    }

    /// The fields wanted of each row, comma-separated; slow ones are computed too when there is no such list.
    pub fn fields(self, names: &str) -> Command {
        self.with(".proplist", names)
    }

    /// Adds `?query`, such as `type=pppoe-in`; the order counts (mikrotik.md b4).
    pub fn query(mut self, query: &str) -> Command {
        self.push(format!("?{query}").as_bytes());
        self
    }

    fn push(&mut self, word: &[u8]) {
        if let Err(fault) = self.sentence.push(word) {
            self.fault.get_or_insert(fault);
        }
    }

    /// Appends the request with its tag as it goes on the wire.
    ///
    /// Errors: `EmptyWord`, `LongWord`, `LongSentence`; then nothing is appended.
    pub(super) fn encode(&self, tag: u64, out: &mut Vec<u8>) -> Result<(), RouterError> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let mut sentence = self.sentence.clone();
        sentence.push(format!(".tag={tag}").as_bytes())?;
        sentence.encode(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routers::routeros::wire::{Decoder, SENTENCE_MAX_WORDS, WORD_MAX_OCTETS};

    fn words(command: &Command) -> Vec<String> {
        let mut octets = Vec::new();
        command.encode(7, &mut octets).unwrap();
        let sentence = Decoder::new().next(&mut octets.as_slice()).unwrap();
        let text = |word: &[u8]| String::from_utf8(word.to_vec()).unwrap();
        sentence.unwrap().words().map(text).collect()
    }

    #[test]
    fn words_keep_their_order_and_the_tag_is_last() {
        let command = Command::new("/interface/print")
            .query("type=pppoe-in")
            .fields(".id,name")
            .with("comment", "a=b")
            .with("limit", "");
        let expected = [
            "/interface/print",
            "?type=pppoe-in",
            "=.proplist=.id,name",
            "=comment=a=b",
            "=limit=",
            ".tag=7",
        ];
        assert_eq!(words(&command), expected);
    }

    #[test]
    fn a_command_that_does_not_fit_is_told_when_it_is_sent() {
        let refused = |command: Command| {
            let mut out = vec![1];
            let error = command.encode(1, &mut out).unwrap_err();
            assert_eq!(out, [1], "nothing was appended");
            error
        };
        assert_eq!(refused(Command::new("")), RouterError::EmptyWord);
        let long = vec![b'x'; WORD_MAX_OCTETS];
        let command = Command::new("/x").with("a", &long).with("b", "");
        assert_eq!(refused(command), RouterError::LongWord(WORD_MAX_OCTETS + 3));
        // The command, all but one of the attributes and the tag fill the sentence.
        let wide = |attributes: usize| {
            (0..attributes).fold(Command::new("/x"), |command, _| command.with("a", ""))
        };
        assert_eq!(
            words(&wide(SENTENCE_MAX_WORDS - 2)).len(),
            SENTENCE_MAX_WORDS
        );
        let error = refused(wide(SENTENCE_MAX_WORDS - 1));
        assert!(matches!(error, RouterError::LongSentence { .. }), "{error}");
    }
}

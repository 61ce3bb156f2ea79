//! The fields of the index, and the note that every commit carries.
//!
//! Nothing is stored: a hit is a key, and the row is read from the store. Word frequencies and lengths are not kept
//! either, since ranking is by kind of match (`query`). Changing anything here or in `words` needs a new [`VERSION`].

use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions,
};

use super::{Document, words};

/// An index of another version is made anew when opened.
pub(super) const VERSION: u32 = 1;
/// tantivy's tokenizer that only splits at white space: the words are already as they must be.
const TOKENIZER: &str = "whitespace";

/// Name of the fast field, which is read by name.
pub(super) const KEY: &str = "key";

#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub key: Field,
    /// Whole words.
    pub words: Field,
    /// How words begin: up to three characters, addresses in full.
    pub starts: Field,
    /// Every three characters in a row of a word.
    pub grams: Field,
}

pub(super) fn build() -> (Schema, Fields) {
    let text = TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false),
    );
    let mut builder = Schema::builder();
    let fields = Fields {
        key: builder.add_u64_field(KEY, INDEXED | FAST),
        words: builder.add_text_field("words", text.clone()),
        starts: builder.add_text_field("starts", text.clone()),
        grams: builder.add_text_field("grams", text),
    };
    (builder.build(), fields)
}

pub(super) fn to_tantivy(fields: Fields, document: &Document) -> TantivyDocument {
    let words = words::of_texts(&document.texts);
    let mut row = TantivyDocument::default();
    row.add_u64(fields.key, document.key.pack());
    row.add_text(fields.words, join(&words));
    row.add_text(fields.starts, join(&words::starts(&words)));
    row.add_text(fields.grams, join(&words::grams(&words)));
    row
}

fn join<'a>(terms: impl IntoIterator<Item = &'a String>) -> String {
    let mut joined = String::new();
    for term in terms {
        joined.push_str(term);
        joined.push(' ');
    }
    joined
}

/// The payload of a commit: `schema=1;seq=N`.
pub(super) fn note(sequence: u64) -> String {
    format!("schema={VERSION};seq={sequence}")
}

/// The sequence of a payload written by this version of the schema.
pub(super) fn read_note(payload: &str) -> Option<u64> {
    let (version, sequence) = payload.strip_prefix("schema=")?.split_once(";seq=")?;
    (version.parse() == Ok(VERSION)).then(|| sequence.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_this_version_only() {
        assert_eq!(note(7), "schema=1;seq=7");
        for sequence in [0, 1, u64::MAX] {
            assert_eq!(read_note(&note(sequence)), Some(sequence));
        }
        for payload in [
            "",
            "schema=2;seq=7",
            "schema=1",
            "schema=1;seq=",
            "schema=1;seq=-1",
            "seq=7",
        ] {
            assert_eq!(read_note(payload), None, "{payload}");
        }
    }
}

//! Asking the index.
//!
//! Ranked by kind of match, best first: a whole word, the beginning of a word, the inside of a word; among equals the
//! older entry. Substrings are found by their grams, which lets in a few rows that only have the grams: the caller
//! checks the rows with `matches`.

use tantivy::collector::TopDocs;
use tantivy::query::{
    BooleanQuery, ConstScoreQuery, DisjunctionMaxQuery, FuzzyTermQuery, Occur, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Score, Term};

use super::schema::{self, Fields};
use super::wanted::{Form, Wanted, Word};
use super::words;
use super::{Index, Key, SearchError};

/// Hits of one query. The box shows 20; more is a list page with filters.
const MOST_HITS: usize = 200;
/// What a match adds to the score of its word. A whole word counts more than all else together.
const WHOLE: Score = 8.0;
const BEGINNING: Score = 2.0;
const INSIDE: Score = 1.0;
/// Lengths of words in which one typing mistake is forgiven: in shorter ones it makes any word of any other.
const FORGIVEN: std::ops::RangeInclusive<usize> = 4..=32;

impl Index {
    /// Keys of documents that have all words of the query, best first, at most `limit` (and 200).
    ///
    /// These are candidates: keep those whose row [`super::matches`]. Empty for a query without letters or digits.
    pub fn query(&self, text: &str, limit: usize) -> Result<Vec<Key>, SearchError> {
        self.top(text, limit, word_query)
    }

    /// Keys of documents that have all words of the query if one mistake in each is forgiven. For when
    /// [`Index::query`] left nothing; the rows are not to be checked with [`super::matches`].
    pub fn similar(&self, text: &str, limit: usize) -> Result<Vec<Key>, SearchError> {
        self.top(text, limit, similar_query)
    }

    fn top(
        &self,
        text: &str,
        limit: usize,
        ask: fn(Fields, &Word) -> Box<dyn Query>,
    ) -> Result<Vec<Key>, SearchError> {
        let wanted = Wanted::parse(text);
        if wanted.readings.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let readings = wanted
            .readings
            .iter()
            .map(|reading| all(reading.iter().map(|word| ask(self.fields, word)).collect()));
        let query = best(readings.collect());
        let searcher = self.reader.searcher();
        let collector = TopDocs::with_limit(limit.min(MOST_HITS)).order_by_score();
        let mut keys = Vec::new();
        for (_, address) in searcher.search(&query, &collector)? {
            let segment = searcher.segment_reader(address.segment_ord);
            let column = segment.fast_fields().u64(schema::KEY)?;
            keys.extend(column.first(address.doc_id).and_then(Key::unpack));
        }
        Ok(keys)
    }
}

fn word_query(fields: Fields, word: &Word) -> Box<dyn Query> {
    best(
        word.forms
            .iter()
            .map(|form| form_query(fields, form))
            .collect(),
    )
}

fn similar_query(fields: Fields, word: &Word) -> Box<dyn Query> {
    let mut queries = vec![word_query(fields, word)];
    for form in &word.forms {
        if let Form::Inside(text) = form
            && FORGIVEN.contains(&text.chars().count())
        {
            let term = Term::from_field_text(fields.words, text);
            queries.push(Box::new(FuzzyTermQuery::new_prefix(term, 1, true)));
        }
    }
    best(queries)
}

fn form_query(fields: Fields, form: &Form) -> Box<dyn Query> {
    let (must, text) = match form {
        Form::Start(text) => (term(fields.starts, text), text),
        Form::Inside(text) => {
            let grams = words::grams_of(text);
            let grams = grams.iter().map(|gram| term(fields.grams, gram)).collect();
            (all(grams), text)
        }
    };
    let beginning: String = text.chars().take(words::GRAM).collect();
    Box::new(BooleanQuery::new(vec![
        (Occur::Must, scored(must, INSIDE)),
        (
            Occur::Should,
            scored(term(fields.starts, &beginning), BEGINNING),
        ),
        (Occur::Should, scored(term(fields.words, text), WHOLE)),
    ]))
}

fn term(field: Field, text: &str) -> Box<dyn Query> {
    let term = Term::from_field_text(field, text);
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn scored(query: Box<dyn Query>, score: Score) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(query, score))
}

fn all(mut queries: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match queries.pop() {
        Some(only) if queries.is_empty() => only,
        last => {
            queries.extend(last);
            Box::new(BooleanQuery::intersection(queries))
        }
    }
}

/// Any of the queries; the best of their scores.
fn best(mut queries: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match queries.pop() {
        Some(only) if queries.is_empty() => only,
        last => {
            queries.extend(last);
            Box::new(DisjunctionMaxQuery::new(queries))
        }
    }
}

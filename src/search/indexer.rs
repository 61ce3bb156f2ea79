//! Opening, changing and resting the index.
//!
//! One writer at a time, made when first needed. Invariant: whatever state the folder is in, [`Index::open`] gives a
//! working index as long as the folder can be written, and the sequence on disk is never ahead of the documents.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tantivy::directory::MmapDirectory;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, TantivyError, Term};

use super::schema::{self, Fields};
use super::{Change, Key, SearchError};

/// Octets of the writer's buffer; tantivy takes no less.
const WRITER_BUDGET: usize = 15_000_000;
/// Changes of one commit. tantivy queues up to 10,000 documents before its writer; at 1.5 KB each that would be 15 MB.
const COMMIT_CHANGES: usize = 2_000;
/// So many segments of like size are merged into one: few, since each costs every query a look-up.
const MERGE_SEGMENTS: usize = 4;
/// A segment with a greater share of deleted documents is rewritten.
const MERGE_DELETED: f32 = 0.3;

pub struct Index {
    inner: tantivy::Index,
    pub(super) fields: Fields,
    pub(super) reader: IndexReader,
    writing: Mutex<Writing>,
}

struct Writing {
    writer: Option<IndexWriter>,
    /// The number of the last complete update.
    sequence: u64,
}

/// An index that is ready, and how far it has come.
pub struct Opened {
    pub index: Index,
    /// The number given to the last complete [`Index::update`]; 0 for an empty index.
    pub sequence: u64,
    /// Why an index that was there has been thrown away.
    pub rebuilt: Option<Rebuilt>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rebuilt {
    #[error("the index has another schema")]
    OtherSchema,
    #[error("the index was not filled to the end")]
    Unfinished,
    #[error("the index is damaged: {0}")]
    Damaged(String),
}

impl From<TantivyError> for Rebuilt {
    fn from(error: TantivyError) -> Rebuilt {
        Rebuilt::Damaged(error.to_string())
    }
}

impl Index {
    /// Opens the index in `folder`, which is made if missing. An index that cannot be used is deleted and begun anew.
    /// Errors: the folder cannot be read or written.
    pub fn open(folder: &Path) -> Result<Opened, SearchError> {
        let failed = |source| SearchError::Folder {
            path: folder.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let rebuilt = if is_there(folder).map_err(failed)? {
            match open_existing(folder) {
                Ok((index, sequence)) => {
                    return Ok(Opened {
                        index,
                        sequence,
                        rebuilt: None,
                    });
                }
                Err(reason) => Some(reason),
            }
        } else {
            None
        };
        remove_index(folder).map_err(failed)?;
        let (schema, fields) = schema::build();
        let directory = MmapDirectory::open(folder).map_err(TantivyError::from)?;
        let inner = tantivy::Index::create(directory, schema, tantivy::IndexSettings::default())?;
        Ok(Opened {
            index: Index::over(inner, fields, 0)?,
            sequence: 0,
            rebuilt,
        })
    }

    fn over(inner: tantivy::Index, fields: Fields, sequence: u64) -> Result<Index, TantivyError> {
        let reader = inner
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(1)
            .try_into()?;
        Ok(Index {
            inner,
            fields,
            reader,
            writing: Mutex::new(Writing {
                writer: None,
                sequence,
            }),
        })
    }

    /// Applies the changes in order; they are on disk and can be found when this returns.
    ///
    /// `sequence` is the caller's number of the last change, from 1. One commit for up to 2,000 changes; of more, the earlier
    /// ones are committed under the old number, so that a rebuild needs little memory and one that breaks off is
    /// repeated. A commit costs some 25 disk syncs: changes should be gathered for a second or two. Blocks; not for
    /// async code. Errors: the index failed, and stands under the number it had.
    pub fn update(
        &self,
        changes: impl IntoIterator<Item = Change>,
        sequence: u64,
    ) -> Result<(), SearchError> {
        let mut writing = self.lock();
        let mut writer = match writing.writer.take() {
            Some(writer) => writer,
            None => self.new_writer()?,
        };
        // On an error the writer is dropped here, and its uncommitted changes with it.
        for (at, change) in changes.into_iter().enumerate() {
            if at > 0 && at.is_multiple_of(COMMIT_CHANGES) {
                commit(&mut writer, writing.sequence)?;
            }
            self.apply(&writer, change)?;
        }
        commit(&mut writer, sequence)?;
        writing.sequence = sequence;
        writing.writer = Some(writer);
        self.reader.reload()?;
        Ok(())
    }

    fn apply(&self, writer: &IndexWriter, change: Change) -> Result<(), TantivyError> {
        match change {
            Change::Put(document) => {
                writer.delete_term(self.key_term(document.key));
                writer.add_document(schema::to_tantivy(self.fields, &document))?;
            }
            Change::Delete(key) => {
                writer.delete_term(self.key_term(key));
            }
        }
        Ok(())
    }

    /// Gives back the writer's threads and memory, to be called after 30 s without an update. The next update makes a
    /// new writer. Waits for merges that are under way.
    pub fn rest(&self) -> Result<(), SearchError> {
        if let Some(writer) = self.lock().writer.take() {
            writer.wait_merging_threads()?;
            self.reader.reload()?;
        }
        Ok(())
    }

    /// How many documents can be found.
    pub fn len(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn key_term(&self, key: Key) -> Term {
        Term::from_field_u64(self.fields.key, key.pack())
    }

    fn new_writer(&self) -> Result<IndexWriter, TantivyError> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(WRITER_BUDGET)
            .build();
        let writer = self.inner.writer_with_options(options)?;
        let mut merges = LogMergePolicy::default();
        merges.set_min_num_segments(MERGE_SEGMENTS);
        merges.set_del_docs_ratio_before_merge(MERGE_DELETED);
        writer.set_merge_policy(Box::new(merges));
        Ok(writer)
    }

    /// A panic while the lock was held leaves either no writer or a sound one.
    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn commit(writer: &mut IndexWriter, sequence: u64) -> Result<(), TantivyError> {
    let mut commit = writer.prepare_commit()?;
    commit.set_payload(&schema::note(sequence));
    commit.commit()?;
    Ok(())
}

/// The file that makes a folder an index.
const META: &str = "meta.json";

fn is_there(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if is_of_index(&entry?.file_name().to_string_lossy()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn open_existing(folder: &Path) -> Result<(Index, u64), Rebuilt> {
    let directory = MmapDirectory::open(folder).map_err(TantivyError::from)?;
    let inner = tantivy::Index::open(directory)?;
    let (schema, fields) = schema::build();
    let metas = inner.load_metas()?;
    let sequence = match metas.payload.as_deref() {
        Some(payload) => schema::read_note(payload).ok_or(Rebuilt::OtherSchema)?,
        None => 0,
    };
    if inner.schema() != schema {
        return Err(Rebuilt::OtherSchema);
    }
    // What is in it may have been deleted meanwhile, and no change will say so.
    if sequence == 0 && !metas.segments.is_empty() {
        return Err(Rebuilt::Unfinished);
    }
    // Checksums are only compared of files in tantivy's own list, and the list is a file as well.
    let listed = inner.directory().list_managed_files();
    if !listed.contains(Path::new(META)) {
        return Err(Rebuilt::Damaged(
            "the list of files is incomplete".to_owned(),
        ));
    }
    if let Some(path) = inner.validate_checksum()?.into_iter().min() {
        return Err(Rebuilt::Damaged(format!("{} has changed", path.display())));
    }
    Ok((Index::over(inner, fields, sequence)?, sequence))
}

/// Deletes the files of an index and nothing else, in case the folder is not the one that was meant.
fn remove_index(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_of_index(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Names that tantivy gives: its lists, locks, temporary files, and segments named by 32 hex digits.
fn is_of_index(name: &str) -> bool {
    let is_segment = name
        .split_once('.')
        .is_some_and(|(stem, _)| stem.len() == 32 && stem.bytes().all(|b| b.is_ascii_hexdigit()));
    is_segment
        || name == META
        || name == ".managed.json"
        || name.starts_with(".tantivy-")
        || name.starts_with(".tmp")
}

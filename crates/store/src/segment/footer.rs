//! A segment's footer: schema, row groups, and where each event's rows lie.

use super::SegmentMeta;
use super::checked::CheckedFile;
use super::damage::Damage;
use crate::disk::Disk;
use crate::error::StoreError;
use arrow::array::{ArrayRef, StringArray};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::PageIndexPolicy;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Key of the event index in the file's key-value metadata.
pub(crate) const EVENT_INDEX_KEY: &str = "frostpane.events";

/// Where one event's rows lie in a segment. Rows are sorted by event, so it is one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventRun {
    pub event: String,
    pub first_row: u64,
    pub rows: u64,
    pub first_ms: i64,
    pub last_ms: i64,
}

impl EventRun {
    pub fn end_row(&self) -> u64 {
        self.first_row + self.rows
    }
}

/// What a column takes in the schemas, about, which the metadata's own figure leaves out.
const COLUMN_BYTES: usize = 512;

/// What an event of the index takes beside its name, which is there twice: in the index and in the dictionary.
const EVENT_BYTES: usize = size_of::<EventRun>() + 16;

/// A segment's footer, read and checked when somebody needs it, and kept while there is room ([`super::footers`]).
pub(crate) struct Footer {
    pub metadata: ArrowReaderMetadata,
    pub events: Vec<EventRun>,
    /// Names of `events` in the same order: the dictionary of every batch read from the segment.
    pub event_dictionary: ArrayRef,
    /// First row of each row group, and the number of rows behind the last.
    pub row_group_starts: Vec<u64>,
    /// Whether a scan wanted rows of the row group before.
    pub touched: Vec<AtomicBool>,
    pub file: Arc<CheckedFile>,
}

impl Footer {
    /// Memory of the footer, about.
    pub fn memory_bytes(&self) -> usize {
        let names: usize = self.events.iter().map(|run| 2 * run.event.len() + EVENT_BYTES).sum();
        let columns = self.metadata.schema().fields().len() * COLUMN_BYTES;
        size_of::<Footer>() + names + columns + self.metadata.metadata().memory_size()
    }

    pub fn read(disk: &dyn Disk, path: &Path, meta: &SegmentMeta, damage: &Arc<Damage>) -> Result<Footer, StoreError> {
        let file = Arc::new(CheckedFile::open(disk, path, meta, damage)?);
        let corrupt = |what: String| StoreError::corrupt(path, meta.bytes, what);
        let reader = super::reader::FileChunks::new(file.clone());
        let options = ArrowReaderOptions::new()
            .with_offset_index_policy(PageIndexPolicy::Optional)
            .with_column_index_policy(PageIndexPolicy::Skip);
        let metadata = ArrowReaderMetadata::load(&reader, options).map_err(|error| reader.fault(&error))?;
        let events = event_index(&metadata).ok_or_else(|| corrupt("it has no event index".into()))?;
        let names = StringArray::from_iter_values(events.iter().map(|run| run.event.as_str()));
        let mut row_group_starts = vec![0];
        for group in metadata.metadata().row_groups() {
            let start = row_group_starts.last().expect("it starts with one entry") + group.num_rows() as u64;
            row_group_starts.push(start);
        }
        if row_group_starts.last() != Some(&meta.rows) || events.last().map(EventRun::end_row) != Some(meta.rows) {
            return Err(corrupt("its number of rows is not what the catalog says".into()));
        }
        Ok(Footer {
            metadata,
            events,
            event_dictionary: Arc::new(names),
            touched: row_group_starts.iter().map(|_| AtomicBool::new(false)).collect(),
            row_group_starts,
            file,
        })
    }
}

fn event_index(metadata: &ArrowReaderMetadata) -> Option<Vec<EventRun>> {
    let entries = metadata.metadata().file_metadata().key_value_metadata()?;
    let entry = entries.iter().find(|entry| entry.key == EVENT_INDEX_KEY)?;
    serde_json::from_str(entry.value.as_deref()?).ok()
}

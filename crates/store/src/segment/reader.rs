//! Reading rows of a segment: only the wanted events' runs, only the wanted columns.

use super::checked::CheckedFile;
use super::footer::Footer;
use crate::error::StoreError;
use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, RecordBatchReader, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::Int32Type;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use std::io::{BufReader, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

/// Rows per batch. Large enough to amortise what a batch costs, small enough for its columns to stay in cache.
const BATCH_ROWS: usize = 16_384;

/// Values per batch: with thousands of columns a batch has fewer rows, so that several of them fit into memory.
const BATCH_CELLS: usize = 1_000_000;

/// So many rows of one text: with another text instead they are the event column of most batches, without a word written.
static ONE_TEXT: LazyLock<DictionaryArray<Int32Type>> = LazyLock::new(|| {
    let keys = Int32Array::from_value(0, BATCH_ROWS);
    DictionaryArray::new(keys, Arc::new(StringArray::from(vec![""])))
});

/// Rows per batch of so many columns.
pub(crate) fn batch_rows(columns: usize) -> usize {
    (BATCH_CELLS / columns.max(1)).clamp(64, BATCH_ROWS)
}

/// A run of consecutive rows of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowRange {
    /// Place in [`Footer::events`].
    pub event: usize,
    pub start: u64,
    pub end: u64,
    /// Every row of the run lies in the wanted time, so that times need not be compared.
    pub inside_time: bool,
}

/// Rows of the events that may lie in the time. `from_ms` gives the first instant wanted of an event, or that it is not wanted.
pub(crate) fn ranges_of(footer: &Footer, from_ms: impl Fn(&str) -> Option<i64>, to_ms: i64) -> Vec<RowRange> {
    let runs = footer.events.iter().enumerate();
    runs.filter_map(|(event, run)| {
        let from_ms = from_ms(&run.event)?;
        (run.last_ms >= from_ms && run.first_ms < to_ms).then(|| RowRange {
            event,
            start: run.first_row,
            end: run.end_row(),
            inside_time: run.first_ms >= from_ms && run.last_ms < to_ms,
        })
    })
    .collect()
}

/// Batches of the chosen columns over ranges of rows, in order.
pub(crate) struct SegmentRows {
    footer: Arc<Footer>,
    reader: ParquetRecordBatchReader,
    chunks: FileChunks,
    /// Rows not yet returned; the first one may be partly used.
    ranges: std::collections::VecDeque<RowRange>,
}

/// A piece of a batch: so many rows of a range, starting at an absolute row.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub range: RowRange,
    pub rows: usize,
}

/// A batch and where in the segment its rows are.
pub(crate) struct Located {
    pub batch: RecordBatch,
    pub pieces: Vec<Piece>,
}

impl SegmentRows {
    /// `columns` are names in the segment's schema; unknown ones must have been left out.
    pub fn open(footer: &Arc<Footer>, ranges: Vec<RowRange>, columns: &[&str]) -> Result<SegmentRows, StoreError> {
        let chunks = FileChunks::new(footer.file.clone());
        let (groups, selection) = select(footer, &ranges);
        let schema = footer.metadata.schema();
        let roots = columns.iter().filter_map(|column| schema.index_of(column).ok());
        let mask = ProjectionMask::roots(footer.metadata.parquet_schema(), roots);
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks.clone(), footer.metadata.clone())
            .with_batch_size(batch_rows(columns.len()))
            .with_projection(mask)
            .with_row_groups(groups);
        if let Some(selection) = selection {
            builder = builder.with_row_selection(selection);
        }
        let reader = builder.build().map_err(|error| chunks.fault(&error))?;
        Ok(SegmentRows {
            footer: footer.clone(),
            reader,
            chunks,
            ranges: ranges.into(),
        })
    }

    pub fn bytes_read(&self) -> u64 {
        self.chunks.bytes_read()
    }

    pub fn footer(&self) -> &Arc<Footer> {
        &self.footer
    }

    pub fn next(&mut self) -> Result<Option<Located>, StoreError> {
        match self.reader.next() {
            None => Ok(None),
            Some(Ok(batch)) => {
                let pieces = self.locate(batch.num_rows());
                Ok(Some(Located { batch, pieces }))
            }
            Some(Err(error)) => Err(self.chunks.fault(&error)),
        }
    }

    fn locate(&mut self, mut rows: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while rows > 0 {
            let range = self
                .ranges
                .front_mut()
                .expect("the reader returns the selected rows only");
            let taken = rows.min((range.end - range.start) as usize);
            pieces.push(Piece {
                range: *range,
                rows: taken,
            });
            range.start += taken as u64;
            rows -= taken;
            if range.start == range.end {
                self.ranges.pop_front();
            }
        }
        pieces
    }
}

impl Located {
    /// The event column, made from the event index instead of being read. Most batches are of one event; these have that
    /// one in their dictionary, so that who reads them sees it at once.
    pub fn events(&self, footer: &Footer) -> ArrayRef {
        if let [piece] = self.pieces.as_slice()
            && piece.rows <= BATCH_ROWS
        {
            let name = footer.event_dictionary.slice(piece.range.event, 1);
            return Arc::new(ONE_TEXT.slice(0, piece.rows).with_values(name));
        }
        let mut keys = Vec::with_capacity(self.batch.num_rows());
        for piece in &self.pieces {
            keys.resize(keys.len() + piece.rows, piece.range.event as i32);
        }
        Arc::new(DictionaryArray::new(
            Int32Array::from(keys),
            footer.event_dictionary.clone(),
        ))
    }
}

/// Whole columns of a row group, and how many bytes were read for them.
pub(crate) fn read_group(
    footer: &Arc<Footer>,
    group: usize,
    columns: &[&str],
) -> Result<(Vec<ArrayRef>, u64), StoreError> {
    let chunks = FileChunks::new(footer.file.clone());
    let schema = footer.metadata.schema();
    let roots = columns.iter().filter_map(|column| schema.index_of(column).ok());
    let mask = ProjectionMask::roots(footer.metadata.parquet_schema(), roots);
    let rows = footer.row_group_starts[group + 1] - footer.row_group_starts[group];
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks.clone(), footer.metadata.clone())
        .with_batch_size(rows as usize)
        .with_projection(mask)
        .with_row_groups(vec![group])
        .build()
        .map_err(|error| chunks.fault(&error))?;
    let schema = reader.schema();
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().map_err(|error| chunks.fault(&error))?;
    let batch = concat_batches(&schema, &batches).map_err(|error| chunks.fault(&error))?;
    if batch.num_rows() as u64 != rows {
        return Err(StoreError::corrupt(
            footer.file.path(),
            0,
            "a row group has too few rows",
        ));
    }
    let values = columns.iter().map(|column| crate::rows::column(&batch, column).clone());
    Ok((values.collect(), chunks.bytes_read()))
}

/// The row groups that hold the ranges, and the ranges as a selection of those groups' rows (`None`: all of them).
fn select(footer: &Footer, ranges: &[RowRange]) -> (Vec<usize>, Option<RowSelection>) {
    let starts = &footer.row_group_starts;
    let mut groups = Vec::new();
    let mut selected: Vec<Range<usize>> = Vec::new();
    let mut total = 0;
    for (group, bounds) in starts.windows(2).enumerate() {
        let overlapping: Vec<Range<u64>> = ranges
            .iter()
            .map(|range| range.start.max(bounds[0])..range.end.min(bounds[1]))
            .filter(|range| range.start < range.end)
            .collect();
        if overlapping.is_empty() {
            continue;
        }
        groups.push(group);
        for range in overlapping {
            let start = total + (range.start - bounds[0]) as usize;
            let end = total + (range.end - bounds[0]) as usize;
            match selected.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => selected.push(start..end),
            }
        }
        total += (bounds[1] - bounds[0]) as usize;
    }
    let all = selected.len() == 1 && selected[0] == (0..total);
    let selection = (!all && total > 0).then(|| RowSelection::from_consecutive_ranges(selected.into_iter(), total));
    (groups, selection)
}

/// A file as the parquet reader wants it, counting what is read.
#[derive(Clone)]
pub(crate) struct FileChunks {
    file: Arc<CheckedFile>,
    bytes: Arc<AtomicU64>,
    /// The first fault of the file itself. The parquet reader passes on only its text.
    fault: Arc<OnceLock<StoreError>>,
}

impl FileChunks {
    pub fn new(file: Arc<CheckedFile>) -> FileChunks {
        FileChunks {
            file,
            bytes: Arc::default(),
            fault: Arc::default(),
        }
    }

    pub fn bytes_read(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Why a read failed: the fault of the file, or what the parquet reader could not make sense of.
    pub fn fault(&self, error: &dyn std::error::Error) -> StoreError {
        match self.fault.get() {
            Some(fault) => fault.clone(),
            None => StoreError::corrupt(self.file.path(), 0, error.to_string()),
        }
    }

    fn read(&self, start: u64, length: usize) -> Result<Bytes, StoreError> {
        self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        self.file
            .read(start, length)
            .inspect_err(|fault| drop(self.fault.set(fault.clone())))
    }
}

impl Length for FileChunks {
    fn len(&self) -> u64 {
        self.file.size()
    }
}

impl ChunkReader for FileChunks {
    type T = BufReader<Cursor>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<BufReader<Cursor>> {
        Ok(BufReader::new(Cursor {
            chunks: self.clone(),
            position: start,
        }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        self.read(start, length)
            .map_err(|fault| ParquetError::External(Box::new(fault)))
    }
}

/// Sequential reading from some place in a file.
pub(crate) struct Cursor {
    chunks: FileChunks,
    position: u64,
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.chunks.file.size().saturating_sub(self.position);
        let length = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let bytes = self.chunks.read(self.position, length).map_err(std::io::Error::other)?;
        buffer[..length].copy_from_slice(&bytes);
        self.position += length as u64;
        Ok(length)
    }
}

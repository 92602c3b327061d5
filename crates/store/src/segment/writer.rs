//! Writing a segment: to a temporary name, synced, then renamed. The caller syncs the directory once for all.

use super::SegmentMeta;
use super::checked::BlockSums;
use super::footer::{EVENT_INDEX_KEY, EventRun};
use super::reader::batch_rows;
use crate::disk::{Disk, WriteFile};
use crate::error::StoreError;
use crate::rows::{EVENT, Fixed, INSERT_ID, PERSON, SEQ, TIME};
use arrow::array::new_null_array;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use model::ProjectId;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{BloomFilterPosition, EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Ending of a segment that is being written. Such files are swept at start.
pub(crate) const TEMPORARY: &str = ".tmp";

/// False positives of the bloom filter on insert ids. Each one costs reading the keys of a row group once.
const INSERT_ID_FPP: f64 = 0.001;

/// Columns of a segment that may be written with dictionaries: the first ones. For each of them the parquet writer holds a hash
/// table of 70 KiB before there is any value, with two thousand columns 140 MB for each segment that is written. In the others
/// compression finds most of the repetition.
const DICTIONARY_COLUMNS_MAX: usize = 256;

/// What a new segment is, beside its rows.
pub(crate) struct SegmentPlace {
    pub id: u64,
    pub project: ProjectId,
    pub shard: u32,
    pub period: String,
    pub row_group_rows: usize,
    /// Memory after which a row group ends before it has all its rows.
    pub row_group_bytes: usize,
}

/// A segment being written. Rows must come sorted by event, person, time and sequence number.
pub(crate) struct SegmentWriter {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    temporary: Temporary,
    writer: ArrowWriter<DiskWriter>,
    row_group_bytes: usize,
    events: Vec<EventRun>,
    meta: SegmentMeta,
}

impl SegmentWriter {
    /// `schema` must have every column of the batches to come, in their order.
    pub fn create(
        disk: &Arc<dyn Disk>,
        directory: &Path,
        place: SegmentPlace,
        schema: SchemaRef,
    ) -> Result<SegmentWriter, StoreError> {
        let properties = properties(&schema, place.row_group_rows.max(1));
        let meta = SegmentMeta {
            id: place.id,
            project: place.project,
            shard: place.shard,
            period: place.period,
            rows: 0,
            bytes: 0,
            first_ms: i64::MAX,
            last_ms: i64::MIN,
            first_seq: u64::MAX,
            last_seq: 0,
            sums: Vec::new(),
        };
        let path = directory.join(meta.file_name() + TEMPORARY);
        let file = disk
            .create(&path)
            .map_err(|source| StoreError::io("create", &path, source))?;
        let temporary = Temporary {
            disk: disk.clone(),
            path,
            renamed: false,
        };
        let sink = DiskWriter {
            file,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            sums: BlockSums::default(),
        };
        let writer = ArrowWriter::try_new(sink, schema.clone(), Some(properties))
            .map_err(|error| write_error(&temporary.path, error))?;
        Ok(SegmentWriter {
            disk: disk.clone(),
            directory: directory.to_path_buf(),
            temporary,
            writer,
            row_group_bytes: place.row_group_bytes,
            events: Vec::new(),
            meta,
        })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        self.index(batch);
        // In steps, so that with thousands of columns memory is looked at before it has grown by all of a large batch.
        let step = batch_rows(batch.num_columns());
        for start in (0..batch.num_rows()).step_by(step) {
            let piece = batch.slice(start, step.min(batch.num_rows() - start));
            let written =
                self.writer
                    .write(&piece)
                    .and_then(|()| match self.writer.memory_size() > self.row_group_bytes {
                        true => self.writer.flush(),
                        false => Ok(()),
                    });
            written.map_err(|error| write_error(&self.temporary.path, error))?;
        }
        Ok(())
    }

    /// Notes events, times and sequence numbers of a batch.
    fn index(&mut self, batch: &RecordBatch) {
        let fixed = Fixed::of(batch);
        let names = fixed.event_names();
        for (row, key) in fixed.events.keys().values().iter().enumerate() {
            let (event, time) = (names[*key as usize], fixed.times[row]);
            if self.events.last().is_none_or(|run| run.event != event) {
                debug_assert!(self.events.last().is_none_or(|run| run.event.as_str() < event));
                self.events.push(EventRun {
                    event: event.to_owned(),
                    first_row: self.meta.rows,
                    rows: 0,
                    first_ms: i64::MAX,
                    last_ms: i64::MIN,
                });
            }
            let run = self.events.last_mut().expect("one was pushed if there was none");
            run.rows += 1;
            run.first_ms = run.first_ms.min(time);
            run.last_ms = run.last_ms.max(time);
            self.meta.rows += 1;
            self.meta.first_seq = self.meta.first_seq.min(fixed.seqs[row]);
            self.meta.last_seq = self.meta.last_seq.max(fixed.seqs[row]);
        }
        for run in &self.events {
            self.meta.first_ms = self.meta.first_ms.min(run.first_ms);
            self.meta.last_ms = self.meta.last_ms.max(run.last_ms);
        }
    }

    /// Completes the file, makes it durable and gives it its name.
    pub fn finish(mut self) -> Result<SegmentMeta, StoreError> {
        let index = serde_json::to_string(&self.events).expect("event runs are plain strings and numbers");
        self.writer
            .append_key_value_metadata(KeyValue::new(EVENT_INDEX_KEY.to_owned(), index));
        self.writer
            .finish()
            .map_err(|error| write_error(&self.temporary.path, error))?;
        let sink = self.writer.inner_mut();
        sink.drain()
            .and_then(|()| sink.file.sync())
            .map_err(|source| StoreError::io("write", &self.temporary.path, source))?;
        (self.meta.bytes, self.meta.sums) = std::mem::take(&mut sink.sums).finish();
        let path = self.directory.join(self.meta.file_name());
        self.disk
            .rename(&self.temporary.path, &path)
            .map_err(|source| StoreError::io("rename", &path, source))?;
        self.temporary.renamed = true;
        Ok(self.meta)
    }
}

/// The file under its temporary name, removed unless it got its final one: a full disk must not stay full of it.
struct Temporary {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    renamed: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed
            && let Err(error) = self.disk.remove(&self.path)
        {
            // The next start sweeps it.
            tracing::warn!(file = %self.path.display(), %error, "An unfinished segment could not be removed");
        }
    }
}

/// The batch with exactly the columns of the schema: missing ones are null.
pub(crate) fn align(batch: &RecordBatch, schema: &SchemaRef) -> RecordBatch {
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            Some(values) => values.clone(),
            None => new_null_array(field.data_type(), batch.num_rows()),
        });
    RecordBatch::try_new(schema.clone(), columns.collect()).expect("a column has one type everywhere")
}

fn properties(schema: &SchemaRef, row_group_rows: usize) -> WriterProperties {
    let path = |name: &str| ColumnPath::new(vec![name.to_owned()]);
    let level = ZstdLevel::try_new(1).expect("zstd has a level 1");
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(row_group_rows))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_bloom_filter_position(BloomFilterPosition::End)
        .set_created_by("frostpane".to_owned());
    for field in schema.fields().iter().skip(DICTIONARY_COLUMNS_MAX) {
        builder = builder.set_column_dictionary_enabled(path(field.name()), false);
    }
    for delta in [PERSON, TIME, SEQ] {
        builder = builder
            .set_column_dictionary_enabled(path(delta), false)
            .set_column_encoding(path(delta), Encoding::DELTA_BINARY_PACKED)
            .set_column_compression(path(delta), Compression::UNCOMPRESSED);
    }
    // Random bits: neither a dictionary nor a delta nor compression makes them smaller.
    builder = builder
        .set_column_dictionary_enabled(path(INSERT_ID), false)
        .set_column_encoding(path(INSERT_ID), Encoding::PLAIN)
        .set_column_compression(path(INSERT_ID), Compression::UNCOMPRESSED)
        .set_column_bloom_filter_enabled(path(INSERT_ID), true)
        .set_column_bloom_filter_fpp(path(INSERT_ID), INSERT_ID_FPP)
        .set_column_bloom_filter_max_ndv(path(INSERT_ID), row_group_rows as u64);
    let order = [EVENT, PERSON, TIME, SEQ].map(|name| SortingColumn {
        column_idx: schema.index_of(name).expect("the fixed columns come first") as i32,
        descending: false,
        nulls_first: true,
    });
    builder.set_sorting_columns(Some(order.to_vec())).build()
}

fn write_error(path: &Path, error: parquet::errors::ParquetError) -> StoreError {
    let source = match error {
        parquet::errors::ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(io) => *io,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    };
    StoreError::io("write", path, source)
}

const BUFFER_BYTES: usize = 1 << 20;

/// A [`WriteFile`] behind a buffer, as the parquet writer wants it.
struct DiskWriter {
    file: Box<dyn WriteFile>,
    buffer: Vec<u8>,
    sums: BlockSums,
}

impl DiskWriter {
    fn drain(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.file.write(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}

impl io::Write for DiskWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sums.add(bytes);
        if self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.drain()?;
        }
        if bytes.len() >= BUFFER_BYTES {
            self.file.write(bytes)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // The parquet writer flushes after every row group; the bytes need not leave the buffer before `finish`.
        Ok(())
    }
}

//! Finding the rows of a segment that have later copies elsewhere.
//!
//! A copy has the same event, person, time and insert id. Insert ids are keyed digests, so a bloom filter on them
//! tells nearly always that a segment has no copy of a row; only for the rest are the key columns of the row groups
//! in question read and compared exactly.

use super::Segment;
use super::reader::{FileChunks, RowRange, SegmentRows};
use crate::error::StoreError;
use crate::rows::{Fixed, INSERT_ID, PERSON, SEQ, TIME, values};
use arrow::array::{Array, AsArray};
use arrow::datatypes::UInt64Type;
use hashbrown::HashMap;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::bloom_filter::Sbbf;

/// Rows of a segment that fresh rows supersede.
pub(crate) struct Superseded {
    /// Fresh rows up to this number have been compared with the segment.
    pub probed_seq: u64,
    /// Row of the segment, and the number of the fresh row that supersedes it.
    pub rows: Vec<(u32, u64)>,
    /// One filter per row group, read when first needed.
    filters: Option<Vec<Option<Sbbf>>>,
}

/// A row that may be a copy of a segment's row.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Candidate<'a> {
    pub event: &'a str,
    pub person: u64,
    pub time: i64,
    pub insert_id: u64,
}

impl Superseded {
    pub fn new(probed_seq: u64) -> Superseded {
        Superseded {
            probed_seq,
            rows: Vec::new(),
            filters: None,
        }
    }

    /// Gives the filters' memory back. They are read again when needed.
    pub fn forget_filters(&mut self) {
        self.filters = None;
    }

    /// Compares candidates, each with its sequence number, with the segment, and notes the rows they supersede.
    pub fn probe(&mut self, segment: &Segment, candidates: &[(Candidate<'_>, u64)]) -> Result<(), StoreError> {
        let footer = segment.footer()?;
        let filters = match &mut self.filters {
            Some(filters) => filters,
            unread => unread.insert(read_filters(segment)?),
        };
        for (group, filter) in filters.iter().enumerate() {
            let (start, end) = (footer.row_group_starts[group], footer.row_group_starts[group + 1]);
            let mut hits: HashMap<Candidate<'_>, u64> = HashMap::new();
            for (candidate, seq) in candidates {
                if filter.as_ref().is_none_or(|filter| filter.check(&candidate.insert_id)) {
                    let latest = hits.entry(*candidate).or_insert(*seq);
                    *latest = (*latest).min(*seq);
                }
            }
            if !hits.is_empty() {
                compare(segment, start, end, &hits, &mut self.rows)?;
            }
        }
        Ok(())
    }
}

/// Reads the key columns of rows `start..end` and notes those that are in `hits`.
fn compare(
    segment: &Segment,
    start: u64,
    end: u64,
    hits: &HashMap<Candidate<'_>, u64>,
    found: &mut Vec<(u32, u64)>,
) -> Result<(), StoreError> {
    let footer = segment.footer()?;
    let ranges = footer
        .events
        .iter()
        .enumerate()
        .filter(|(_, run)| hits.keys().any(|hit| hit.event == run.event))
        .map(|(event, run)| RowRange {
            event,
            start: run.first_row.max(start),
            end: run.end_row().min(end),
            inside_time: true,
        })
        .filter(|range| range.start < range.end)
        .collect::<Vec<_>>();
    if ranges.is_empty() {
        return Ok(());
    }
    let mut rows = SegmentRows::open(&footer, ranges, &[PERSON, TIME, INSERT_ID, SEQ])?;
    while let Some(located) = rows.next()? {
        let persons = values::<UInt64Type>(&located.batch, PERSON);
        let times = values::<arrow::datatypes::Int64Type>(&located.batch, TIME);
        let insert_ids = crate::rows::column(&located.batch, INSERT_ID).as_primitive::<UInt64Type>();
        let seqs = values::<UInt64Type>(&located.batch, SEQ);
        let mut row = 0;
        for piece in &located.pieces {
            let event = footer.events[piece.range.event].event.as_str();
            for offset in 0..piece.rows {
                let at = row + offset;
                if insert_ids.is_null(at) {
                    continue;
                }
                let key = Candidate {
                    event,
                    person: persons[at],
                    time: times[at],
                    insert_id: insert_ids.value(at),
                };
                if let Some(later) = hits.get(&key).filter(|later| **later > seqs[at]) {
                    found.push(((piece.range.start + offset as u64) as u32, *later));
                }
            }
            row += piece.rows;
        }
    }
    Ok(())
}

fn read_filters(segment: &Segment) -> Result<Vec<Option<Sbbf>>, StoreError> {
    let footer = segment.footer()?;
    let chunks = FileChunks::new(footer.file.clone());
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks.clone(), footer.metadata.clone());
    let column = footer
        .metadata
        .parquet_schema()
        .columns()
        .iter()
        .position(|column| column.name() == INSERT_ID)
        .ok_or_else(|| StoreError::corrupt(footer.file.path(), 0, "it has no column insert_id"))?;
    (0..footer.row_group_starts.len() - 1)
        .map(|group| {
            builder
                .get_row_group_column_bloom_filter(group, column)
                .map_err(|error| chunks.fault(&error))
        })
        .collect()
}

/// The candidates among a fresh batch's rows: rows `after..=up_to` with an insert id in the segment's time.
pub(crate) fn candidates<'a>(
    segment: &Segment,
    fixed: &Fixed<'a>,
    names: &[&'a str],
    after: u64,
    up_to: u64,
    into: &mut Vec<(Candidate<'a>, u64)>,
) {
    let keys = fixed.events.keys().values();
    let time = segment.meta.first_ms..=segment.meta.last_ms;
    for (row, seq) in fixed.seqs.iter().enumerate() {
        if *seq <= after || *seq > up_to || !time.contains(&fixed.times[row]) {
            continue;
        }
        if let Some(insert_id) = fixed.insert_id(row) {
            let candidate = Candidate {
                event: names[keys[row] as usize],
                person: fixed.persons[row],
                time: fixed.times[row],
                insert_id,
            };
            into.push((candidate, *seq));
        }
    }
}

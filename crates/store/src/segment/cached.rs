//! Reading rows of a segment through the column cache.

use super::Segment;
use super::cache::ColumnCache;
use super::footer::Footer;
use super::reader::{Located, Piece, RowRange, SegmentRows, read_group};
use crate::error::StoreError;
use crate::memory::Reservation;
use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Rows per batch that is cut out of a cached row group.
const BATCH_ROWS: usize = 16_384;

/// A row group is decoded as a whole and kept if at least this part of it is wanted, or if it was wanted before.
const WHOLE_SHARE: u64 = 4;

/// What a value takes when it is decoded, about: a number, or the key of a text in a dictionary.
const CELL_BYTES: usize = 8;

/// Like [`SegmentRows`], but row groups that are in the cache, or worth being there, are read from it.
pub(crate) struct CachedRows {
    cache: Arc<ColumnCache>,
    segment: u64,
    footer: Arc<Footer>,
    columns: Vec<String>,
    schema: SchemaRef,
    ranges: VecDeque<RowRange>,
    next_group: usize,
    current: Current,
    bytes: u64,
}

enum Current {
    Nothing,
    /// A row group in memory, and the wanted ranges of it that were not returned yet.
    Cached {
        first_row: u64,
        values: Vec<ArrayRef>,
        ranges: VecDeque<RowRange>,
        /// For the columns that this scan decoded itself.
        _memory: Option<Reservation>,
    },
    Direct(Box<SegmentRows>),
}

impl CachedRows {
    pub fn open(
        cache: &Arc<ColumnCache>,
        segment: &Segment,
        ranges: Vec<RowRange>,
        columns: &[&str],
    ) -> Result<CachedRows, StoreError> {
        let footer = segment.footer()?;
        let all = footer.metadata.schema();
        let field = |name: &&str| all.field_with_name(name).expect("the caller looked it up").clone();
        let fields: Vec<_> = columns.iter().map(field).collect();
        Ok(CachedRows {
            cache: cache.clone(),
            segment: segment.meta.id,
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            schema: Arc::new(Schema::new(fields)),
            ranges: ranges.into(),
            next_group: 0,
            current: Current::Nothing,
            bytes: 0,
            footer,
        })
    }

    pub fn footer(&self) -> &Arc<Footer> {
        &self.footer
    }

    pub fn bytes_read(&self) -> u64 {
        match &self.current {
            Current::Direct(rows) => self.bytes + rows.bytes_read(),
            _ => self.bytes,
        }
    }

    pub fn next(&mut self) -> Result<Option<Located>, StoreError> {
        loop {
            match &mut self.current {
                Current::Nothing => {
                    if !self.open_group()? {
                        return Ok(None);
                    }
                }
                Current::Cached {
                    first_row,
                    values,
                    ranges,
                    ..
                } => {
                    if let Some(pieces) = take_pieces(ranges) {
                        return Ok(Some(cut(&self.schema, values, *first_row, pieces)));
                    }
                    self.current = Current::Nothing;
                }
                Current::Direct(rows) => {
                    if let Some(located) = rows.next()? {
                        return Ok(Some(located));
                    }
                    self.bytes += rows.bytes_read();
                    self.current = Current::Nothing;
                }
            }
        }
    }

    /// Goes to the next row group with wanted rows.
    fn open_group(&mut self) -> Result<bool, StoreError> {
        let starts = &self.footer.row_group_starts;
        while self.next_group + 1 < starts.len() && !self.ranges.is_empty() {
            let group = self.next_group;
            let (start, end) = (starts[group], starts[group + 1]);
            self.next_group += 1;
            let wanted = ranges_before(&mut self.ranges, end);
            if wanted.is_empty() {
                continue;
            }
            self.current = self.read_group(group, start, end, wanted)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn read_group(
        &mut self,
        group: usize,
        start: u64,
        end: u64,
        wanted: VecDeque<RowRange>,
    ) -> Result<Current, StoreError> {
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let mut found = self.cache.find(self.segment, group, &columns);
        let missing: Vec<&str> = columns
            .iter()
            .zip(&found)
            .filter(|(_, values)| values.is_none())
            .map(|(column, _)| *column)
            .collect();
        let mut memory = None;
        if !missing.is_empty() {
            let rows: u64 = wanted.iter().map(|range| range.end - range.start).sum();
            let wanted_before = self.footer.touched[group].swap(true, Ordering::Relaxed);
            let worth_it = rows * WHOLE_SHARE >= end - start || wanted_before;
            if worth_it {
                let cells = (end - start) as usize * missing.len();
                memory = self.cache.room_for_scan(cells * CELL_BYTES);
            }
            if memory.is_none() {
                let rows = SegmentRows::open(&self.footer, wanted.into(), &columns)?;
                return Ok(Current::Direct(Box::new(rows)));
            }
            let (read, bytes) = read_group(&self.footer, group, &missing)?;
            self.bytes += bytes;
            for (column, values) in missing.iter().zip(read) {
                self.cache.insert(self.segment, group, column, values.clone());
                let place = columns
                    .iter()
                    .position(|other| other == column)
                    .expect("it was asked for");
                found[place] = Some(values);
            }
        }
        Ok(Current::Cached {
            first_row: start,
            values: found.into_iter().flatten().collect(),
            ranges: wanted,
            _memory: memory,
        })
    }
}

/// Takes the ranges, or parts of them, that lie before a row.
fn ranges_before(ranges: &mut VecDeque<RowRange>, end: u64) -> VecDeque<RowRange> {
    let mut taken = VecDeque::new();
    while let Some(range) = ranges.front_mut().filter(|range| range.start < end) {
        if range.end <= end {
            taken.push_back(*range);
            ranges.pop_front();
        } else {
            taken.push_back(RowRange { end, ..*range });
            range.start = end;
        }
    }
    taken
}

/// Takes neighbouring ranges for one batch.
fn take_pieces(ranges: &mut VecDeque<RowRange>) -> Option<Vec<Piece>> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut room = BATCH_ROWS as u64;
    let mut at = ranges.front()?.start;
    while let Some(range) = ranges.front_mut().filter(|range| range.start == at && room > 0) {
        let rows = (range.end - range.start).min(room);
        pieces.push(Piece {
            range: *range,
            rows: rows as usize,
        });
        range.start += rows;
        at += rows;
        room -= rows;
        if range.start == range.end {
            ranges.pop_front();
        }
    }
    Some(pieces)
}

fn cut(schema: &SchemaRef, values: &[ArrayRef], first_row: u64, pieces: Vec<Piece>) -> Located {
    let offset = (pieces[0].range.start - first_row) as usize;
    let rows = pieces.iter().map(|piece| piece.rows).sum();
    let columns = values.iter().map(|values| values.slice(offset, rows)).collect();
    let batch = RecordBatch::try_new(schema.clone(), columns).expect("cached columns are those of the schema");
    Located { batch, pieces }
}

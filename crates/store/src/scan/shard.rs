//! One shard's rows: its segments, then its fresh blocks.

use super::Figures;
use super::keep::Keep;
use super::request::Resolved;
use crate::error::StoreError;
use crate::rows::{EVENT, Fixed, PERSON, TIME, column, values};
use crate::segment::Segment;
use crate::segment::cached::CachedRows;
use crate::segment::reader::Located;
use crate::segment::stream::rows_of_persons;
use crate::snapshot::SnapshotParts;
use arrow::datatypes::{Int64Type, UInt64Type};
use arrow::record_batch::RecordBatch;
use roaring::RoaringBitmap;
use std::sync::Arc;

pub(super) struct ShardScan {
    parts: Arc<SnapshotParts>,
    shard: u32,
    request: Arc<Resolved>,
    next_segment: usize,
    next_block: usize,
    open: Option<OpenSegment>,
}

struct OpenSegment {
    rows: CachedRows,
    /// Rows that this snapshot must not see: deleted ones and those with a fresh copy.
    dropped: RoaringBitmap,
    counted_bytes: u64,
}

impl ShardScan {
    pub fn new(parts: Arc<SnapshotParts>, shard: u32, request: Arc<Resolved>) -> ShardScan {
        // A scan for some persons has nothing to do in the shards of others.
        let concerned = request.persons.as_ref().is_none_or(|persons| {
            let shards = u64::from(parts.shards);
            persons.iter().any(|person| person % shards == u64::from(shard))
        });
        let (next_segment, next_block) = if concerned {
            (0, 0)
        } else {
            (parts.segments.len(), parts.fresh.blocks.len())
        };
        ShardScan {
            parts,
            shard,
            request,
            next_segment,
            next_block,
            open: None,
        }
    }

    pub fn next(&mut self, figures: &mut Figures) -> Result<Option<RecordBatch>, StoreError> {
        loop {
            if let Some(open) = &mut self.open {
                match open.rows.next()? {
                    Some(located) => {
                        figures.rows += located.batch.num_rows() as u64;
                        figures.bytes += open.rows.bytes_read() - open.counted_bytes;
                        open.counted_bytes = open.rows.bytes_read();
                        if let Some(batch) = self.filter_located(located) {
                            return Ok(Some(batch));
                        }
                    }
                    None => self.open = None,
                }
            } else if self.next_segment < self.parts.segments.len() {
                self.next_segment += 1;
                let segment = self.parts.segments[self.next_segment - 1].clone();
                self.open = self.open_segment(&segment)?;
            } else if self.next_block < self.parts.fresh.blocks.len() {
                self.next_block += 1;
                if let Some(batch) = self.fresh_batch(self.next_block - 1, figures) {
                    return Ok(Some(batch));
                }
            } else {
                return Ok(None);
            }
        }
    }

    fn open_segment(&self, segment: &Segment) -> Result<Option<OpenSegment>, StoreError> {
        let (request, meta) = (&self.request, &segment.meta);
        if meta.shard != self.shard || !request.overlaps(meta.first_ms, meta.last_ms) {
            return Ok(None);
        }
        let footer = segment.footer()?;
        let ranges = request.ranges(&footer);
        let ranges = match &request.persons {
            // First only the persons, then the other columns of few rows.
            Some(persons) => rows_of_persons(&self.parts.cache, segment, ranges, persons)?,
            None => ranges,
        };
        if ranges.is_empty() {
            return Ok(None);
        }
        let schema = footer.metadata.schema();
        let mut columns: Vec<&str> = request.fixed.iter().copied().filter(|name| *name != EVENT).collect();
        columns.extend(request.source_columns(|name| schema.index_of(name).is_ok()));
        Ok(Some(OpenSegment {
            rows: CachedRows::open(&self.parts.cache, segment, ranges, &columns)?,
            dropped: self.parts.dropped_rows(segment)?,
            counted_bytes: 0,
        }))
    }

    /// Applies deletions, time and persons to a segment's batch.
    fn filter_located(&self, located: Located) -> Option<RecordBatch> {
        let open = self.open.as_ref().expect("a batch comes from the open segment");
        let batch = &located.batch;
        let persons = values::<UInt64Type>(batch, PERSON);
        let times = values::<Int64Type>(batch, TIME);
        let mut keep = Keep::all(batch.num_rows());
        let mut row = 0;
        for piece in &located.pieces {
            let (start, end) = (piece.range.start as u32, (piece.range.start + piece.rows as u64) as u32);
            for dropped in open.dropped.range(start..end) {
                keep.drop(row + (dropped - start) as usize);
            }
            if !piece.range.inside_time {
                let event = &open.rows.footer().events[piece.range.event].event;
                let wanted = self.request.first_ms_of(event)..self.request.to_ms;
                let outside = (row..row + piece.rows).filter(|row| !wanted.contains(&times[*row]));
                outside.for_each(|row| keep.drop(row));
            }
            row += piece.rows;
        }
        self.filter_persons(&mut keep, persons);
        let fixed = self.request.fixed.iter().map(|name| match *name {
            EVENT => located.events(open.rows.footer()),
            name => column(batch, name).clone(),
        });
        let fixed = fixed.collect();
        keep.apply(self.request.assemble(fixed, self.request.property_columns(batch)))
    }

    fn filter_persons(&self, keep: &mut Keep, persons: &[u64]) {
        let identity = &self.parts.identity;
        for hidden in [identity.erased(), identity.entangled()] {
            if !hidden.is_empty() {
                keep.retain_persons(persons, hidden, false);
            }
        }
        if let Some(wanted) = &self.request.persons {
            keep.retain_persons(persons, wanted, true);
        }
    }

    fn fresh_batch(&self, block: usize, figures: &mut Figures) -> Option<RecordBatch> {
        let (request, block) = (&self.request, &self.parts.fresh.blocks[block]);
        if !request.overlaps(block.first_ms, block.last_ms) {
            return None;
        }
        let batch = block.batches()[self.shard as usize].as_ref()?;
        figures.rows += batch.num_rows() as u64;
        let fixed = Fixed::of(batch);
        let mut keep = Keep::all(batch.num_rows());
        let superseded = &self.parts.fresh.superseded;
        if !superseded.is_empty() {
            keep.retain(fixed.seqs, |seq| !superseded.contains(seq));
        }
        let names = fixed.event_names();
        let keys = fixed.events.keys().values();
        let wanted: Vec<bool> = names.iter().map(|name| request.wants_event(name)).collect();
        if wanted.contains(&false) {
            keep.retain(keys, |key| wanted[key as usize]);
        }
        if request.cuts(block.first_ms, block.last_ms) {
            let from_ms: Vec<i64> = names.iter().map(|name| request.first_ms_of(name)).collect();
            let wanted = |row: usize| (from_ms[keys[row] as usize]..request.to_ms).contains(&fixed.times[row]);
            let outside = (0..batch.num_rows()).filter(|row| !wanted(*row));
            outside.for_each(|row| keep.drop(row));
        }
        self.filter_persons(&mut keep, fixed.persons);
        let columns = request.fixed.iter().map(|name| column(batch, name).clone()).collect();
        keep.apply(request.assemble(columns, request.property_columns(batch)))
    }
}

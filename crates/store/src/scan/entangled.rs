//! The last partition: persons whose rows lie under several numbers.
//!
//! Their rows are gathered from the segments and fresh blocks of all shards, given the canonical number, and sorted
//! with each copy once, because two rows may have become copies only by the merge.

use super::Figures;
use super::request::Resolved;
use crate::error::StoreError;
use crate::rows::sorted::{Gathering, RowKey, drop_copies, sort};
use crate::rows::{Fixed, column};
use crate::segment::Segment;
use crate::segment::stream::{RowStream, rows_of_persons};
use crate::snapshot::SnapshotParts;
use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;
use std::sync::Arc;

/// Rows per batch of the result.
const BATCH_ROWS: usize = 16_384;

pub(super) struct EntangledScan {
    parts: Arc<SnapshotParts>,
    request: Arc<Resolved>,
    gathered: Option<Gathering>,
    returned: usize,
}

impl EntangledScan {
    pub fn new(parts: Arc<SnapshotParts>, request: Arc<Resolved>) -> EntangledScan {
        EntangledScan {
            parts,
            request,
            gathered: None,
            returned: 0,
        }
    }

    pub fn next(&mut self, figures: &mut Figures) -> Result<Option<RecordBatch>, StoreError> {
        if self.parts.identity.entangled().is_empty() {
            return Ok(None);
        }
        if self.gathered.is_none() {
            self.gathered = Some(self.gather(figures)?);
        }
        let gathering = self.gathered.as_ref().expect("it was just made");
        let rest = &gathering.rows[self.returned..];
        let rows: &[RowKey] = &rest[..rest.len().min(BATCH_ROWS)];
        if rows.is_empty() {
            return Ok(None);
        }
        let batch = gathering.take(rows);
        self.returned += rows.len();
        let fixed = self.request.fixed.iter();
        let columns: Vec<ArrayRef> = fixed.map(|name| column(&batch, name).clone()).collect();
        Ok(Some(
            self.request.assemble(columns, self.request.property_columns(&batch)),
        ))
    }

    fn gather(&self, figures: &mut Figures) -> Result<Gathering, StoreError> {
        let (request, identity) = (&self.request, &self.parts.identity);
        let mut sources = Vec::new();
        for segment in self.parts.segments.iter() {
            let concerned = segment.may_hold(identity.entangled(), self.parts.shards);
            if concerned && request.overlaps(segment.meta.first_ms, segment.meta.last_ms) {
                self.read_segment(segment, &mut sources, figures)?;
            }
        }
        for block in &self.parts.fresh.blocks {
            if request.overlaps(block.first_ms, block.last_ms) {
                let batches = block.batches().iter().flatten().cloned();
                sources.extend(batches.inspect(|batch| figures.rows += batch.num_rows() as u64));
            }
        }
        // By source and dictionary key: the first instant wanted of the event, if it is.
        let wanted_from: Vec<Vec<Option<i64>>> = sources
            .iter()
            .map(|batch| {
                Fixed::of(batch)
                    .event_names()
                    .iter()
                    .map(|name| request.wants_event(name).then(|| request.first_ms_of(name)))
                    .collect()
            })
            .collect();
        let mut gathering = Gathering::new(sources, |source, row, fixed| {
            let person = fixed.persons[row];
            if !identity.entangled().contains(person) {
                return None;
            }
            let from_ms = wanted_from[source][fixed.events.keys().value(row) as usize]?;
            if !(from_ms..request.to_ms).contains(&fixed.times[row]) {
                return None;
            }
            let canonical = identity.canonical(person);
            let asked = request
                .persons
                .as_ref()
                .is_none_or(|persons| persons.contains(canonical));
            (asked && !identity.is_erased(canonical) && !identity.is_erased(person)).then_some(canonical)
        });
        sort(&mut gathering.rows);
        drop_copies(&mut gathering.rows, |_| {});
        Ok(gathering)
    }

    /// Reads the entangled persons' rows of a segment, in the common layout.
    fn read_segment(
        &self,
        segment: &Segment,
        sources: &mut Vec<RecordBatch>,
        figures: &mut Figures,
    ) -> Result<(), StoreError> {
        let request = &self.request;
        let footer = segment.footer()?;
        let ranges = request.ranges(&footer);
        if ranges.is_empty() {
            return Ok(());
        }
        let ranges = rows_of_persons(&self.parts.cache, segment, ranges, self.parts.identity.entangled())?;
        if ranges.is_empty() {
            return Ok(());
        }
        let schema = footer.metadata.schema();
        let properties = request.source_columns(|name| schema.index_of(name).is_ok());
        let mut rows = RowStream::open(&footer, ranges, &properties, segment.deleted.clone())?;
        while let Some(batch) = rows.next()? {
            figures.rows += batch.num_rows() as u64;
            sources.push(batch);
        }
        figures.bytes += rows.bytes_read();
        Ok(())
    }
}

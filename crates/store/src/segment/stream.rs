//! Whole rows of a segment, in the common layout, for compaction and for entangled persons.

use super::Segment;
use super::cache::ColumnCache;
use super::cached::CachedRows;
use super::footer::{EventRun, Footer};
use super::reader::{RowRange, SegmentRows};
use crate::error::StoreError;
use crate::rows::{INSERT_ID, PERSON, SEQ, TIME, batch_of, column, fixed_fields, values};
use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, UInt64Type};
use arrow::record_batch::RecordBatch;
use roaring::{RoaringBitmap, RoaringTreemap};
use std::sync::Arc;

/// Every row of the segment.
pub(crate) fn all_rows(footer: &Footer) -> Vec<RowRange> {
    let whole = |(event, run): (usize, &EventRun)| RowRange {
        event,
        start: run.first_row,
        end: run.end_row(),
        inside_time: true,
    };
    footer.events.iter().enumerate().map(whole).collect()
}

/// The parts of `ranges` that hold rows of the persons. Reads only the column of persons.
/// Deleted rows may be among them.
pub(crate) fn rows_of_persons(
    cache: &Arc<ColumnCache>,
    segment: &Segment,
    ranges: Vec<RowRange>,
    wanted: &RoaringTreemap,
) -> Result<Vec<RowRange>, StoreError> {
    let mut found: Vec<RowRange> = Vec::new();
    if ranges.is_empty() {
        return Ok(found);
    }
    let mut rows = CachedRows::open(cache, segment, ranges, &[PERSON])?;
    while let Some(located) = rows.next()? {
        let persons = values::<UInt64Type>(&located.batch, PERSON);
        let mut last = None;
        let mut at = 0;
        for piece in &located.pieces {
            for offset in 0..piece.rows {
                let person = persons[at + offset];
                // Rows of a person come in runs, so the set is asked once per run.
                let is_wanted = match last {
                    Some((same, is_wanted)) if same == person => is_wanted,
                    _ => wanted.contains(person),
                };
                last = Some((person, is_wanted));
                if is_wanted {
                    push_row(&mut found, piece.range, piece.range.start + offset as u64);
                }
            }
            at += piece.rows;
        }
    }
    Ok(found)
}

fn push_row(found: &mut Vec<RowRange>, within: RowRange, row: u64) {
    match found.last_mut() {
        Some(last) if last.event == within.event && last.end == row => last.end += 1,
        _ => found.push(RowRange {
            start: row,
            end: row + 1,
            ..within
        }),
    }
}

/// Batches of the common layout over ranges of a segment, without deleted rows.
pub(crate) struct RowStream {
    rows: SegmentRows,
    deleted: RoaringBitmap,
    properties: Vec<Field>,
}

impl RowStream {
    /// With the given property columns, which must exist.
    pub fn open(
        footer: &Arc<Footer>,
        ranges: Vec<RowRange>,
        properties: &[&str],
        deleted: RoaringBitmap,
    ) -> Result<RowStream, StoreError> {
        let schema = footer.metadata.schema();
        let field = |name: &&str| schema.field_with_name(name).expect("the caller looked it up").clone();
        let mut columns = vec![PERSON, TIME, INSERT_ID, SEQ];
        columns.extend(properties);
        Ok(RowStream {
            rows: SegmentRows::open(footer, ranges, &columns)?,
            deleted,
            properties: properties.iter().map(field).collect(),
        })
    }

    /// With all property columns of the segment.
    pub fn open_whole(
        footer: &Arc<Footer>,
        ranges: Vec<RowRange>,
        deleted: RoaringBitmap,
    ) -> Result<RowStream, StoreError> {
        let fields = footer.metadata.schema().fields().iter().skip(fixed_fields().len());
        let names: Vec<&str> = fields.map(|field| field.name().as_str()).collect();
        RowStream::open(footer, ranges, &names, deleted)
    }

    pub fn bytes_read(&self) -> u64 {
        self.rows.bytes_read()
    }

    pub fn next(&mut self) -> Result<Option<RecordBatch>, StoreError> {
        let Some(located) = self.rows.next()? else {
            return Ok(None);
        };
        let mut fields = fixed_fields();
        let mut columns: Vec<ArrayRef> = vec![located.events(self.rows.footer())];
        columns.extend([PERSON, TIME, INSERT_ID, SEQ].map(|name| column(&located.batch, name).clone()));
        for property in &self.properties {
            columns.push(column(&located.batch, property.name()).clone());
            fields.push(property.clone());
        }
        let batch = batch_of(fields, columns);
        if self.deleted.is_empty() {
            return Ok(Some(batch));
        }
        let mut keep = Vec::with_capacity(batch.num_rows());
        for piece in &located.pieces {
            let start = piece.range.start;
            keep.extend((start..start + piece.rows as u64).map(|row| !self.deleted.contains(row as u32)));
        }
        let kept = filter_record_batch(&batch, &BooleanArray::from(keep)).expect("the mask has the batch's length");
        Ok(Some(kept))
    }
}

//! Gathering rows of several batches into one order, each copy once.
//!
//! The flush, the compaction and the scan of entangled persons all need this: take rows from sorted batches, give
//! every row its person's canonical number, sort, drop copies. Keys are collected into small structs and sorted;
//! property values are moved once, at the end, column by column.

use super::{Fixed, batch_of, fixed_fields};
use crate::columns::parse_physical;
use arrow::array::{
    Array, ArrayRef, DictionaryArray, Int32Array, Int64Array, StringArray, UInt64Array, new_null_array,
};
use arrow::compute::interleave;
use arrow::datatypes::Field;
use arrow::record_batch::RecordBatch;
use hashbrown::HashSet;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One row's sort key and where its values are.
#[derive(Clone, Copy)]
pub(crate) struct RowKey {
    /// Place of the event's name among all names in order.
    pub rank: u32,
    pub person: u64,
    pub time: i64,
    pub seq: u64,
    pub insert_id: Option<u64>,
    source: u32,
    row: u32,
}

/// Batches and the rows chosen from them.
pub(crate) struct Gathering {
    sources: Vec<RecordBatch>,
    event_names: Vec<String>,
    pub rows: Vec<RowKey>,
}

impl Gathering {
    /// Takes the rows that `choose` gives a person number to. It is asked with the source, the row and the columns.
    pub fn new(
        sources: Vec<RecordBatch>,
        mut choose: impl FnMut(usize, usize, &Fixed<'_>) -> Option<u64>,
    ) -> Gathering {
        let names: BTreeSet<&str> = sources.iter().flat_map(|s| Fixed::of(s).event_names()).collect();
        let event_names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut rows = Vec::new();
        for (source, batch) in sources.iter().enumerate() {
            let fixed = Fixed::of(batch);
            let ranks: Vec<u32> = fixed
                .event_names()
                .iter()
                .map(|name| event_names.partition_point(|other| other.as_str() < *name) as u32)
                .collect();
            let keys = fixed.events.keys().values();
            for row in 0..batch.num_rows() {
                if let Some(person) = choose(source, row, &fixed) {
                    rows.push(RowKey {
                        rank: ranks[keys[row] as usize],
                        person,
                        time: fixed.times[row],
                        seq: fixed.seqs[row],
                        insert_id: fixed.insert_id(row),
                        source: source as u32,
                        row: row as u32,
                    });
                }
            }
        }
        Gathering {
            sources,
            event_names,
            rows,
        }
    }

    pub fn event_name(&self, rank: u32) -> &str {
        &self.event_names[rank as usize]
    }

    /// The rows' values in the given order, in the common layout.
    pub fn take(&self, rows: &[RowKey]) -> RecordBatch {
        let keys = Int32Array::from_iter_values(rows.iter().map(|row| row.rank as i32));
        let dictionary = Arc::new(StringArray::from_iter_values(&self.event_names));
        let mut fields = fixed_fields();
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(DictionaryArray::new(keys, dictionary)),
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.person))),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.time))),
            Arc::new(UInt64Array::from_iter(rows.iter().map(|row| row.insert_id))),
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.seq))),
        ];
        let places: Vec<(usize, usize)> = rows.iter().map(|row| (row.source as usize, row.row as usize)).collect();
        for physical in self.property_columns() {
            let values = self.interleave(physical, &places);
            if values.null_count() < values.len() {
                fields.push(Field::new(physical, values.data_type().clone(), true));
                columns.push(values);
            }
        }
        batch_of(fields, columns)
    }

    fn property_columns(&self) -> BTreeSet<&str> {
        let schemas = self.sources.iter().map(RecordBatch::schema_ref);
        schemas
            .flat_map(|schema| schema.fields().iter().skip(fixed_fields().len()))
            .map(|field| field.name().as_str())
            .collect()
    }

    fn interleave(&self, physical: &str, places: &[(usize, usize)]) -> ArrayRef {
        let (_, kind) = parse_physical(physical).expect("property columns are named by kind");
        let absent = kind.data_type();
        let arrays: Vec<ArrayRef> = self
            .sources
            .iter()
            .map(|source| match source.column_by_name(physical) {
                Some(values) => values.clone(),
                None => new_null_array(&absent, source.num_rows()),
            })
            .collect();
        let arrays: Vec<&dyn Array> = arrays.iter().map(|array| &**array).collect();
        interleave(&arrays, places).expect("a column has one type in all batches")
    }
}

/// Sorts by event, person, time and sequence number.
pub(crate) fn sort(rows: &mut [RowKey]) {
    rows.sort_unstable_by_key(|row| (row.rank, row.person, row.time, row.seq));
}

/// Keeps, of sorted rows, the latest of every set of copies. Calls `dropped` for the others.
pub(crate) fn drop_copies(rows: &mut Vec<RowKey>, mut dropped: impl FnMut(&RowKey)) {
    let mut kept = 0;
    let mut start = 0;
    let mut seen = HashSet::new();
    while start < rows.len() {
        let first = rows[start];
        let same = |row: &RowKey| (row.rank, row.person, row.time) == (first.rank, first.person, first.time);
        let len = rows[start..].iter().take_while(|row| same(row)).count();
        if len == 1 {
            rows[kept] = first;
            kept += 1;
            start += 1;
            continue;
        }
        // The group is in order of arrival: from the end, the first of each insert id is the latest copy.
        seen.clear();
        let group = start..start + len;
        let is_latest: Vec<bool> = group
            .clone()
            .rev()
            .map(|at| rows[at].insert_id.is_none_or(|id| seen.insert(id)))
            .collect();
        for (at, latest) in group.zip(is_latest.into_iter().rev()) {
            if latest {
                rows[kept] = rows[at];
                kept += 1;
            } else {
                dropped(&rows[at]);
            }
        }
        start += len;
    }
    rows.truncate(kept);
}

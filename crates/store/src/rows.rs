//! Rows as Arrow batches: the layout that fresh blocks, segments and compaction share.
//!
//! A batch has the fixed columns `event`, `person`, `time`, `insert_id`, `seq` and one column per property and value
//! type that occurs in it, in any order, found by name. Its rows are sorted by event, person, time and sequence
//! number. Properties beyond the project's column limit lie in `overflow:json`, an object by physical name.

pub(crate) mod build;
pub(crate) mod overflow;
pub(crate) mod sorted;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, PrimitiveArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, Int32Type, Int64Type, UInt64Type};
use arrow::record_batch::RecordBatch;
use std::sync::Arc;

pub(crate) const EVENT: &str = "event";
pub(crate) const PERSON: &str = "person";
pub(crate) const TIME: &str = "time";
pub(crate) const INSERT_ID: &str = "insert_id";
pub(crate) const SEQ: &str = "seq";
/// Properties beyond the column limit. No property's physical name: a property called `overflow` that holds lists
/// would have it, so [`build`] sends that one here as well.
pub(crate) const OVERFLOW: &str = "overflow:json";

/// The fixed columns, in the order of a segment's schema.
pub(crate) fn fixed_fields() -> Vec<Field> {
    vec![
        Field::new(EVENT, crate::columns::string_type(), false),
        Field::new(PERSON, DataType::UInt64, false),
        Field::new(TIME, DataType::Int64, false),
        Field::new(INSERT_ID, DataType::UInt64, true),
        Field::new(SEQ, DataType::UInt64, false),
    ]
}

/// The fixed columns of a batch, by type.
pub(crate) struct Fixed<'a> {
    pub events: &'a DictionaryArray<Int32Type>,
    pub persons: &'a [u64],
    pub times: &'a [i64],
    pub insert_ids: &'a PrimitiveArray<UInt64Type>,
    pub seqs: &'a [u64],
}

impl<'a> Fixed<'a> {
    pub fn of(batch: &'a RecordBatch) -> Fixed<'a> {
        Fixed {
            events: column(batch, EVENT).as_dictionary(),
            persons: values::<UInt64Type>(batch, PERSON),
            times: values::<Int64Type>(batch, TIME),
            insert_ids: column(batch, INSERT_ID).as_primitive(),
            seqs: values::<UInt64Type>(batch, SEQ),
        }
    }

    /// Keyed digest of the client's insert id, if it sent one.
    pub fn insert_id(&self, row: usize) -> Option<u64> {
        self.insert_ids.is_valid(row).then(|| self.insert_ids.value(row))
    }

    pub fn event_name(&self, row: usize) -> &'a str {
        let names = self.events.values().as_string::<i32>();
        names.value(self.events.keys().value(row) as usize)
    }

    /// Event name by dictionary key.
    pub fn event_names(&self) -> Vec<&'a str> {
        let names = self.events.values().as_string::<i32>();
        (0..names.len()).map(|key| names.value(key)).collect()
    }
}

/// A column that every batch of this layout has.
pub(crate) fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    batch
        .column_by_name(name)
        .expect("batches of this layout have all fixed columns")
}

pub(crate) fn values<'a, T: ArrowPrimitiveType>(batch: &'a RecordBatch, name: &str) -> &'a [T::Native] {
    column(batch, name).as_primitive::<T>().values()
}

/// A batch over columns with names; all columns may hold nulls except the fixed ones.
pub(crate) fn batch_of(fields: Vec<Field>, columns: Vec<ArrayRef>) -> RecordBatch {
    let schema = Arc::new(arrow::datatypes::Schema::new(fields));
    RecordBatch::try_new(schema, columns).expect("columns have the length and type of their fields")
}

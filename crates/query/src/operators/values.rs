//! The distinct values that a metric counts, by number.

use super::input::{Lists, ValueColumns, value_group};
use crate::segments::{SegmentIndex, SegmentValue};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;

/// Turns the value columns of a metric into numbers of values.
#[derive(Debug)]
pub(super) struct Values {
    columns: ValueColumns,
    index: SegmentIndex,
    lists: Lists,
    not_set: u32,
}

impl Values {
    pub fn new(metric: usize, schema: &SchemaRef) -> Values {
        let mut index = SegmentIndex::default();
        Values {
            columns: ValueColumns::new(&value_group(metric), schema, &mut index),
            not_set: index.value(SegmentValue::NotSet),
            index,
            lists: Lists::default(),
        }
    }

    /// Reads the values of the rows that matter.
    pub fn read(&mut self, batch: &RecordBatch, matters: impl Fn(usize) -> bool) -> Result<()> {
        self.columns
            .fill(batch, "a measured property", &mut self.index, &mut self.lists, &matters)
    }

    /// Numbers of the values that a row of the batch read last has.
    pub fn of_row(&self, row: usize) -> impl Iterator<Item = u32> {
        let numbers = self.lists.numbers(&self.columns.words[row]).iter();
        numbers.copied().filter(|value| *value != self.not_set)
    }

    /// A value as JSON text.
    pub fn text(&self, value: u32) -> Box<str> {
        self.index.value_text(value)
    }

    pub fn size_bytes(&self) -> usize {
        self.index.size_bytes() + self.lists.size_bytes()
    }
}

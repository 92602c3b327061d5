//! The mask of rows that a batch keeps. No mask is allocated while every row stays.

use arrow::array::BooleanArray;
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;
use roaring::RoaringTreemap;

/// Which rows stay; all of them until one is dropped.
pub(super) struct Keep {
    rows: usize,
    keep: Option<Vec<bool>>,
}

impl Keep {
    pub fn all(rows: usize) -> Keep {
        Keep { rows, keep: None }
    }

    pub fn drop(&mut self, row: usize) {
        self.keep.get_or_insert_with(|| vec![true; self.rows])[row] = false;
    }

    /// Drops the rows of `range` for whose value `stays` is false.
    pub fn retain<T: Copy>(&mut self, values: &[T], range: std::ops::Range<usize>, stays: impl Fn(T) -> bool) {
        for row in range {
            if !stays(values[row]) {
                self.drop(row);
            }
        }
    }

    /// Drops rows by person. Rows of a person come in runs, so the set is asked once per run.
    pub fn retain_persons(&mut self, persons: &[u64], set: &RoaringTreemap, stays_if_in: bool) {
        let mut last = None;
        for (row, person) in persons.iter().enumerate() {
            let stays = match last {
                Some((same, stays)) if same == *person => stays,
                _ => set.contains(*person) == stays_if_in,
            };
            last = Some((*person, stays));
            if !stays {
                self.drop(row);
            }
        }
    }

    /// The rows that stay; `None` if there are none.
    pub fn apply(self, batch: RecordBatch) -> Option<RecordBatch> {
        let Some(keep) = self.keep else {
            return (self.rows > 0).then_some(batch);
        };
        let mask = BooleanArray::new(BooleanBuffer::from(keep), None);
        let kept = filter_record_batch(&batch, &mask).expect("the mask has the batch's length");
        (kept.num_rows() > 0).then_some(kept)
    }
}

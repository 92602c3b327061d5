//! The mask of rows that a batch keeps. No mask is made while every row stays.

use arrow::array::BooleanArray;
use arrow::buffer::{BooleanBuffer, MutableBuffer};
use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;
use arrow::util::bit_util;
use roaring::RoaringTreemap;

/// Which rows stay; all of them until one is dropped.
pub(super) struct Keep {
    rows: usize,
    /// One bit per row.
    keep: Option<MutableBuffer>,
}

impl Keep {
    pub fn all(rows: usize) -> Keep {
        Keep { rows, keep: None }
    }

    pub fn drop(&mut self, row: usize) {
        let rows = self.rows;
        let keep = self.keep.get_or_insert_with(|| {
            MutableBuffer::from_len_zeroed(rows.div_ceil(8)).with_bitset(rows.div_ceil(8), true)
        });
        bit_util::unset_bit(keep.as_slice_mut(), row);
    }

    /// Drops the rows for whose value `stays` is false.
    pub fn retain<T: Copy>(&mut self, values: &[T], stays: impl Fn(T) -> bool) {
        let mask = MutableBuffer::collect_bool(self.rows, |row| stays(values[row]));
        self.and(mask);
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

    fn and(&mut self, mask: MutableBuffer) {
        match &mut self.keep {
            None => self.keep = Some(mask),
            Some(keep) => {
                let both = keep.as_slice_mut().iter_mut().zip(mask.as_slice());
                both.for_each(|(kept, other)| *kept &= other);
            }
        }
    }

    /// The rows that stay; `None` if there are none.
    pub fn apply(self, batch: RecordBatch) -> Option<RecordBatch> {
        let Some(keep) = self.keep else {
            return (self.rows > 0).then_some(batch);
        };
        let keep = BooleanBuffer::new(keep.into(), 0, self.rows);
        match keep.count_set_bits() {
            0 => None,
            kept if kept == self.rows => Some(batch),
            _ => Some(filter_record_batch(&batch, &BooleanArray::new(keep, None)).expect("one bit per row")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{AsArray, UInt64Array};
    use arrow::datatypes::UInt64Type;
    use std::sync::Arc;

    fn batch(rows: u64) -> RecordBatch {
        let values = Arc::new(UInt64Array::from_iter_values(0..rows));
        RecordBatch::try_from_iter([("n", values as _)]).unwrap()
    }

    fn kept(keep: Keep, rows: u64) -> Vec<u64> {
        let batch = keep.apply(batch(rows));
        batch.map_or(Vec::new(), |batch| {
            batch.column(0).as_primitive::<UInt64Type>().values().to_vec()
        })
    }

    #[test]
    fn masks_add_up_at_every_length() {
        for rows in 0..70_u64 {
            let values: Vec<u64> = (0..rows).collect();
            assert_eq!(kept(Keep::all(rows as usize), rows), values);
            let mut keep = Keep::all(rows as usize);
            values
                .iter()
                .filter(|n| **n % 5 == 1)
                .for_each(|n| keep.drop(*n as usize));
            keep.retain(&values, |n| n % 3 != 0);
            let odd: RoaringTreemap = values.iter().copied().filter(|n| n % 2 == 1).collect();
            keep.retain_persons(&values, &odd, true);
            let expected: Vec<u64> = values
                .iter()
                .copied()
                .filter(|n| n % 5 != 1 && n % 3 != 0 && n % 2 == 1)
                .collect();
            assert_eq!(kept(keep, rows), expected);
            let mut none = Keep::all(rows as usize);
            none.retain(&values, |_| false);
            assert!(kept(none, rows).is_empty());
        }
    }
}

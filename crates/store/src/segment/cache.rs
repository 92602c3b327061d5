//! Decoded columns in memory.
//!
//! Reports come back to the same columns again and again: everybody's page asks for `person` and `time` of the last
//! weeks. Decoding them is most of what a scan costs, so decoded row groups are kept, up to a number of bytes, and a
//! scan hands out slices of them. What was not used for the longest time goes first (second chance, in a ring).

use arrow::array::{Array, ArrayRef};
use hashbrown::{HashMap, HashSet};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One column of one row group.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    segment: u64,
    row_group: u32,
    column: Box<str>,
}

/// Decoded columns of all projects, bounded in bytes.
pub(crate) struct ColumnCache {
    bytes_max: usize,
    contents: Mutex<Contents>,
}

#[derive(Default)]
struct Contents {
    entries: HashMap<Key, Entry>,
    /// Keys in the order in which they are looked at for removal.
    ring: VecDeque<Key>,
    bytes: usize,
}

struct Entry {
    values: ArrayRef,
    bytes: usize,
    used: bool,
}

impl ColumnCache {
    pub fn new(bytes_max: usize) -> ColumnCache {
        ColumnCache {
            bytes_max,
            contents: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The columns of a row group that are there; `None` in the place of the others.
    pub fn find(&self, segment: u64, row_group: usize, columns: &[&str]) -> Vec<Option<ArrayRef>> {
        let mut contents = self.lock();
        let mut key = Key {
            segment,
            row_group: row_group as u32,
            column: "".into(),
        };
        columns
            .iter()
            .map(|column| {
                key.column = (*column).into();
                let entry = contents.entries.get_mut(&key)?;
                entry.used = true;
                Some(entry.values.clone())
            })
            .collect()
    }

    pub fn insert(&self, segment: u64, row_group: usize, column: &str, values: ArrayRef) {
        let bytes = values.get_array_memory_size();
        if bytes > self.bytes_max {
            return;
        }
        let key = Key {
            segment,
            row_group: row_group as u32,
            column: column.into(),
        };
        let mut contents = self.lock();
        let entry = Entry {
            values,
            bytes,
            // Earns its second chance by being found. So one long scan does not drive out what is asked for daily.
            used: false,
        };
        contents.bytes += bytes;
        match contents.entries.insert(key.clone(), entry) {
            // Two scans decoded it at the same time.
            Some(earlier) => contents.bytes -= earlier.bytes,
            None => contents.ring.push_back(key),
        }
        contents.shrink(self.bytes_max);
    }

    /// Drops what belongs to segments that were replaced.
    pub fn forget(&self, segments: &HashSet<u64>) {
        let mut contents = self.lock();
        let Contents { entries, ring, bytes } = &mut *contents;
        entries.retain(|key, entry| {
            let stays = !segments.contains(&key.segment);
            *bytes -= if stays { 0 } else { entry.bytes };
            stays
        });
        ring.retain(|key| !segments.contains(&key.segment));
    }

    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }
}

impl Contents {
    fn shrink(&mut self, bytes_max: usize) {
        while self.bytes > bytes_max {
            let Some(key) = self.ring.pop_front() else { return };
            let Some(entry) = self.entries.get_mut(&key) else {
                continue;
            };
            if std::mem::take(&mut entry.used) {
                self.ring.push_back(key);
            } else {
                self.bytes -= entry.bytes;
                self.entries.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::UInt64Array;
    use std::sync::Arc;

    fn column(first: u64) -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(first..first + 1_000))
    }

    #[test]
    fn the_cache_stays_below_its_limit_and_keeps_what_is_used() {
        let size = column(0).get_array_memory_size();
        let cache = ColumnCache::new(size * 3);
        for group in 0..3 {
            cache.insert(1, group, "person", column(group as u64));
        }
        assert!(cache.find(1, 0, &["person", "time"])[0].is_some());
        assert!(cache.find(1, 0, &["person", "time"])[1].is_none());
        for group in 3..10 {
            cache.insert(1, group, "person", column(group as u64));
            assert!(cache.bytes() <= size * 3);
            let found = cache.find(1, 0, &["person"])[0].clone();
            assert_eq!(
                found.as_deref(),
                Some(&*column(0)),
                "it was used before every insertion"
            );
        }
        assert!(cache.find(1, 1, &["person"])[0].is_none());
        cache.insert(1, 9, "person", column(9));
        assert!(cache.bytes() <= size * 3);
        cache.insert(2, 0, "person", column(20));
        cache.forget(&[1].into_iter().collect());
        assert!(cache.find(1, 0, &["person"])[0].is_none());
        assert!(cache.find(2, 0, &["person"])[0].is_some());
        assert_eq!(cache.bytes(), size);
    }
}

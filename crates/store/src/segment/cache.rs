//! Decoded columns in memory.
//!
//! Reports come back to the same columns again and again: everybody's page asks for `person` and `time` of the last
//! weeks. Decoding them is most of what a scan costs, so decoded row groups are kept, up to a number of bytes and as long
//! as nobody needs the memory, and a scan hands out slices of them. What was not used for the longest time goes first
//! (second chance, in a ring).

use crate::memory::{GivesWay, Memory, MemoryUse, Reservation};
use arrow::array::{Array, ArrayRef};
use hashbrown::{HashMap, HashSet};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

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
    memory: Memory,
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
    pub fn new(bytes_max: usize, memory: &Memory) -> Arc<ColumnCache> {
        let cache = Arc::new(ColumnCache {
            bytes_max,
            memory: memory.clone(),
            contents: Mutex::default(),
        });
        let weak: Weak<ColumnCache> = Arc::downgrade(&cache);
        memory.add_cache(weak);
        cache
    }

    /// Memory for columns that a scan is about to decode as a whole; `None` when it should read them bit by bit.
    pub fn room_for_scan(&self, bytes: usize) -> Option<Reservation> {
        self.memory.reserve(MemoryUse::Questions, bytes)
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
        // Before the lock: to make room this cache gives way as well.
        if bytes > self.bytes_max || !self.memory.try_add(MemoryUse::Columns, bytes) {
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
        let before = contents.bytes;
        match contents.entries.insert(key.clone(), entry) {
            // Two scans decoded it at the same time.
            Some(earlier) => contents.bytes -= earlier.bytes,
            None => contents.ring.push_back(key),
        }
        contents.shrink(self.bytes_max);
        self.memory.remove(MemoryUse::Columns, before - contents.bytes);
    }

    /// Drops what belongs to segments that were replaced.
    pub fn forget(&self, segments: &HashSet<u64>) {
        let mut contents = self.lock();
        let before = contents.bytes;
        let Contents { entries, ring, bytes } = &mut *contents;
        entries.retain(|key, entry| {
            let stays = !segments.contains(&key.segment);
            *bytes -= if stays { 0 } else { entry.bytes };
            stays
        });
        ring.retain(|key| !segments.contains(&key.segment));
        self.memory.remove(MemoryUse::Columns, before - contents.bytes);
    }

    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }
}

impl GivesWay for ColumnCache {
    fn give_way(&self, bytes: usize) -> usize {
        let mut contents = self.lock();
        let before = contents.bytes;
        contents.shrink(before.saturating_sub(bytes));
        let freed = before - contents.bytes;
        self.memory.remove(MemoryUse::Columns, freed);
        freed
    }
}

impl Drop for ColumnCache {
    fn drop(&mut self) {
        let bytes = self.bytes();
        self.memory.remove(MemoryUse::Columns, bytes);
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

    fn column(first: u64) -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(first..first + 1_000))
    }

    #[test]
    fn the_cache_stays_below_its_limit_and_keeps_what_is_used() {
        let size = column(0).get_array_memory_size();
        let memory = Memory::unlimited();
        let cache = ColumnCache::new(size * 3, &memory);
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
    #[test]
    fn the_cache_gives_way_to_those_who_cannot_wait() {
        let size = column(0).get_array_memory_size();
        let memory = Memory::limited(size * 16);
        let cache = ColumnCache::new(usize::MAX, &memory);
        for group in 0..16 {
            cache.insert(1, group, "person", column(group as u64));
        }
        assert_eq!(cache.bytes(), size * 12, "a quarter stays free");
        let question = memory.reserve(MemoryUse::Questions, size * 12).unwrap();
        assert_eq!(cache.bytes(), size);
        cache.insert(1, 20, "person", column(20));
        assert!(cache.find(1, 20, &["person"])[0].is_none(), "there is no room for it");
        drop(question);
        drop(cache);
        assert!(memory.figures().used_bytes.iter().all(|(_, bytes)| *bytes == 0));
    }
}

//! The persons behind one number of a metric.

use super::Figure;
use crate::operators::cells::{Cells, WHOLE_RANGE, Wanted, segment_text};
use crate::operators::input::Breakdowns;
use crate::windows::Windows;
use roaring::RoaringTreemap;
use std::ops::Range;

/// Collects them from the rows that the metric counts or, where it counts sessions, from these.
pub(super) struct Members {
    wanted: Wanted,
    segment: String,
    of_sessions: bool,
    /// What the number is measured over.
    slots: Range<usize>,
    /// Whether each segment is the wanted one, once that is known.
    known: Vec<Option<bool>>,
    persons: RoaringTreemap,
    last_person: u64,
}

impl Members {
    pub fn new(wanted: Wanted, figure: Figure, windows: &Windows) -> Members {
        let slots = match usize::try_from(wanted.bucket) {
            Ok(bucket) => windows.of_buckets.get(bucket).cloned().unwrap_or_default(),
            Err(_) => {
                debug_assert_eq!(wanted.bucket, WHOLE_RANGE);
                windows.whole.clone()
            }
        };
        Members {
            segment: segment_text(&wanted.segment),
            wanted,
            of_sessions: figure == Figure::Sessions,
            slots,
            known: Vec::new(),
            persons: RoaringTreemap::new(),
            last_person: 0,
        }
    }

    pub fn is_of_rows(&self, metric: usize) -> bool {
        self.is_of(metric) && !self.of_sessions
    }

    pub fn is_of_sessions(&self, metric: usize) -> bool {
        self.is_of(metric) && self.of_sessions
    }

    fn is_of(&self, metric: usize) -> bool {
        self.wanted.series as usize == metric
    }

    /// Adds the person of something that the metric counts in a slot and in some segments.
    pub fn add(&mut self, person: u64, slot: u32, segments: &[u32], breakdowns: &Breakdowns) {
        // Rows come by person, mostly.
        if person == self.last_person || person == 0 || !self.slots.contains(&(slot as usize)) {
            return;
        }
        if segments.iter().any(|segment| self.is_wanted(*segment, breakdowns)) {
            self.last_person = person;
            self.persons.insert(person);
        }
    }

    fn is_wanted(&mut self, segment: u32, breakdowns: &Breakdowns) -> bool {
        let place = segment as usize;
        if self.known.len() <= place {
            self.known.resize(place + 1, None);
        }
        *self.known[place].get_or_insert_with(|| segment_text(&breakdowns.shown(segment)) == self.segment)
    }

    pub fn size_bytes(&self) -> usize {
        self.persons.serialized_size() + self.known.capacity()
    }

    pub fn finish(self, cells: &mut Cells) {
        let key = cells.key_of(&self.wanted);
        cells.entry(key).members = self.persons;
    }
}

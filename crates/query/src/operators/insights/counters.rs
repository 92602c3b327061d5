//! The cells of one metric, by column: a segment has a block of one cell per slot.

use super::Figure;
use super::presence::{Presence, Present, SLOTS_MAX};
use crate::operators::cells::{Cell, CellKey, Cells, WHOLE_RANGE};
use crate::operators::extremes::Extremes;
use crate::operators::input::Breakdowns;
use crate::operators::values::Values;
use crate::persons::{Crowd, PersonSet};
use crate::spread::Spread;
use crate::windows::Windows;
use datafusion::arrow::array::{Array, Float64Array};
use hashbrown::HashSet;
use std::ops::Range;

pub(super) struct Counters {
    figure: Figure,
    slots: usize,
    /// First cell of each segment's block, plus one; 0 where the segment has none.
    blocks: Vec<u32>,
    counts: Vec<Counts>,
    /// For [`Figure::Persons`], unless there are too many slots.
    presence: Option<Presence>,
    /// Per cell, for [`Figure::Persons`] without `presence`.
    sets: Vec<PersonSet>,
    /// Per cell, for other figures.
    crowds: Vec<Crowd>,
    /// Per cell, for [`Figure::Numbers`].
    numbers: Vec<Numbers>,
    /// Per cell, for [`Figure::Spread`].
    spreads: Vec<Vec<f64>>,
    /// Per cell, for [`Figure::Values`].
    values: Vec<HashSet<u32>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    events: u64,
    person_events: u64,
    /// The person seen last; nobody at first, who is not counted anyway. [`EVERYBODY`] once it does not matter any more
    /// who else comes, because there are many.
    last_person: u64,
}

/// No person's number.
const EVERYBODY: u64 = u64::MAX;

#[derive(Clone, Debug, Default)]
struct Numbers {
    count: u64,
    sum: f64,
    extremes: Option<Extremes>,
}

impl Counters {
    pub fn new(figure: Figure, slots: usize) -> Counters {
        Counters {
            figure,
            slots,
            blocks: Vec::new(),
            counts: Vec::new(),
            presence: (figure == Figure::Persons && slots <= SLOTS_MAX).then(Presence::default),
            sets: Vec::new(),
            crowds: Vec::new(),
            numbers: Vec::new(),
            spreads: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Whether rows are counted when persons are walked, not when they come.
    pub fn is_of_walk(&self) -> bool {
        matches!(self.figure, Figure::Sessions | Figure::Frequency)
    }

    #[inline]
    pub fn cell(&mut self, segment: usize, slot: usize) -> usize {
        let block = match self.blocks.get(segment) {
            Some(block) if *block > 0 => *block as usize - 1,
            _ => self.new_block(segment),
        };
        block + slot
    }

    #[cold]
    fn new_block(&mut self, segment: usize) -> usize {
        if self.blocks.len() <= segment {
            self.blocks.resize(segment + 1, 0);
        }
        let block = self.counts.len();
        let cells = block + self.slots;
        self.counts.resize(cells, Counts::default());
        match self.figure {
            Figure::Persons if self.presence.is_some() => {}
            Figure::Persons => self.sets.resize(cells, PersonSet::default()),
            _ => self.crowds.resize(cells, Crowd::default()),
        }
        match self.figure {
            Figure::Numbers => self.numbers.resize(cells, Numbers::default()),
            Figure::Spread => self.spreads.resize(cells, Vec::new()),
            Figure::Values => self.values.resize(cells, HashSet::new()),
            _ => {}
        }
        self.blocks[segment] = block as u32 + 1;
        block
    }

    #[inline]
    pub fn count(&mut self, cell: usize, person: u64) {
        // Wrapping spares a test; nobody has 2^64 rows.
        let counts = &mut self.counts[cell];
        counts.events = counts.events.wrapping_add(1);
        counts.person_events = counts.person_events.wrapping_add(u64::from(person != 0));
        if counts.last_person == EVERYBODY || person == counts.last_person || person == 0 {
            return;
        }
        counts.last_person = person;
        if self.figure == Figure::Persons {
            return self.sets[cell].insert(person);
        }
        self.crowds[cell].insert(person);
        if self.crowds[cell].is_many() {
            counts.last_person = EVERYBODY;
        }
    }

    /// Whether persons are counted by their presence: then rows are counted by [`Counters::count_present`].
    pub fn is_by_presence(&self) -> bool {
        self.presence.is_some()
    }

    /// Counts the rows of a batch that the metric looks at.
    pub fn count_present(&mut self, rows: &Selected<'_>, breakdowns: &Breakdowns) {
        let Some(mut presence) = self.presence.take() else {
            return;
        };
        if let ([segment, ..], 0) = (rows.segments, breakdowns.len()) {
            self.count_everybody(rows, *segment, &mut presence);
            self.presence = Some(presence);
            return;
        }
        for (row, word) in rows.segments.iter().enumerate() {
            let Some((person, slot)) = rows.looked_at(row) else {
                continue;
            };
            for segment in breakdowns.segments(word) {
                let cell = self.cell(*segment as usize, slot as usize);
                // Wrapping spares a test; nobody has 2^64 rows.
                let counts = &mut self.counts[cell];
                counts.events = counts.events.wrapping_add(1);
                counts.person_events = counts.person_events.wrapping_add(u64::from(person != 0));
                presence.see(person, *segment, slot);
            }
        }
        self.presence = Some(presence);
    }

    /// [`Counters::count_present`] without breakdowns: all rows are of one segment.
    fn count_everybody(&mut self, rows: &Selected<'_>, segment: u32, presence: &mut Presence) {
        let block = self.cell(segment as usize, 0);
        let mut of_somebody = [0_u64; SLOTS_MAX];
        for row in 0..rows.segments.len() {
            match rows.looked_at(row) {
                None => {}
                Some((0, slot)) => self.counts[block + slot as usize].events += 1,
                Some((person, slot)) => {
                    of_somebody[slot as usize] = of_somebody[slot as usize].wrapping_add(1);
                    presence.see(person, segment, slot);
                }
            }
        }
        for (counts, seen) in self.counts[block..block + self.slots].iter_mut().zip(of_somebody) {
            counts.events += seen;
            counts.person_events += seen;
        }
    }

    #[inline]
    pub fn number(&mut self, cell: usize, numbers: &Float64Array, row: usize, person: u64) {
        if numbers.is_null(row) {
            return;
        }
        let number = numbers.value(row);
        if self.figure == Figure::Spread {
            return self.spreads[cell].push(number);
        }
        let known = &mut self.numbers[cell];
        match &mut known.extremes {
            Some(extremes) => extremes.add(number, person),
            none => *none = Some(Extremes::of(number, person)),
        }
        known.count += 1;
        known.sum += number;
    }

    pub fn values(&mut self, cell: usize, values: impl Iterator<Item = u32>) {
        self.values[cell].extend(values);
    }

    /// Adds the metric's cells.
    pub fn finish(
        mut self,
        series: u32,
        windows: &Windows,
        values: Option<&Values>,
        breakdowns: &Breakdowns,
        cells: &mut Cells,
    ) {
        let presence = self.presence.take();
        let mut present = presence.map(|presence| presence.finish(self.blocks.len(), windows).into_iter());
        for segment in 0..self.blocks.len() {
            let present = present.as_mut().and_then(Iterator::next);
            if self.blocks[segment] == 0 {
                continue;
            }
            let block = self.blocks[segment] as usize - 1;
            let place = cells.place(breakdowns.shown(segment as u32));
            let key = |bucket: i32| CellKey {
                series,
                bucket,
                segment: place,
            };
            if self.figure.is_of_windows() {
                let found = match present {
                    Some(present) => self.of_present(block, windows, present),
                    None => self.of_windows(block, windows),
                };
                for (bucket, cell) in found {
                    *cells.entry(key(bucket)) = cell;
                }
                continue;
            }
            for slot in 0..self.slots {
                if self.counts[block + slot].events > 0 {
                    *cells.entry(key(slot as i32)) = self.take(block + slot, values);
                }
            }
        }
    }

    /// The cells of a segment over all windows with an event, given who was present in them.
    fn of_present(&self, block: usize, windows: &Windows, present: Vec<Present>) -> Vec<(i32, Cell)> {
        let counts = &self.counts[block..block + self.slots];
        // Of all slots before each.
        let mut sums = vec![(0, 0)];
        for counts in counts {
            let (events, person_events) = sums.last().copied().unwrap_or_default();
            sums.push((events + counts.events, person_events + counts.person_events));
        }
        let buckets = windows.of_buckets.iter().zip(0..);
        let cells = buckets.chain([(&windows.whole, WHOLE_RANGE)]).zip(present);
        let cells = cells.map(|((window, bucket), present)| {
            let (before, after) = (sums[window.start], sums[window.end.max(window.start)]);
            let cell = Cell {
                events: after.0 - before.0,
                person_events: after.1 - before.1,
                persons: present.persons,
                crowd: present.crowd,
                ..Cell::default()
            };
            (bucket, cell)
        });
        cells.filter(|(_, cell)| cell.events > 0).collect()
    }

    /// The cells of a segment over all windows with an event, by uniting sets.
    fn of_windows(&mut self, block: usize, windows: &Windows) -> Vec<(i32, Cell)> {
        let mut found = Vec::new();
        let mut running = Running::default();
        let buckets = windows.of_buckets.iter().zip(0..);
        for (window, bucket) in buckets.chain([(&windows.whole, WHOLE_RANGE)]) {
            let cell = self.of_window(block, window, &mut running);
            if cell.events > 0 {
                found.push((bucket, cell));
            }
        }
        found
    }

    /// Unites the slots of a window, going on from the window before where it begins at the same slot.
    fn of_window(&mut self, block: usize, window: &Range<usize>, running: &mut Running) -> Cell {
        if running.window.start != window.start || running.window.end > window.end {
            *running = Running {
                window: window.start..window.start,
                ..Running::default()
            };
        }
        for slot in running.window.end..window.end {
            let cell = block + slot;
            running.events += self.counts[cell].events;
            running.person_events += self.counts[cell].person_events;
            running.set.unite(&self.sets[cell]);
        }
        running.window.end = running.window.end.max(window.end);
        Cell {
            events: running.events,
            person_events: running.person_events,
            persons: running.set.count(),
            crowd: running.set.crowd().clone(),
            ..Cell::default()
        }
    }

    fn take(&mut self, cell: usize, values: Option<&Values>) -> Cell {
        let counts = self.counts[cell];
        let numbers = self.numbers.get_mut(cell).map(std::mem::take).unwrap_or_default();
        let spread = self.spreads.get_mut(cell).map(std::mem::take);
        let seen = self.values.get_mut(cell).map(std::mem::take);
        let texts = seen.into_iter().flatten();
        Cell {
            events: counts.events,
            person_events: counts.person_events,
            numbers: numbers.count,
            sum: numbers.sum,
            extremes: numbers.extremes,
            spread: Spread::of(spread.unwrap_or_default()),
            values: texts.filter_map(|value| Some(values?.text(value))).collect(),
            crowd: std::mem::take(&mut self.crowds[cell]),
            ..Cell::default()
        }
    }

    pub fn size_bytes(&self) -> usize {
        let presence = self.presence.as_ref().map_or(0, Presence::size_bytes);
        let sets: usize = self.sets.iter().map(PersonSet::size_bytes).sum();
        let crowds: usize = self.crowds.iter().map(|crowd| crowd.few().len() * 8).sum();
        let values: usize = self.values.iter().map(|values| values.capacity() * 5).sum();
        let extremes = self.numbers.iter().flat_map(|numbers| &numbers.extremes);
        let whose: usize = extremes.map(Extremes::heap_bytes).sum();
        presence
            + sets
            + crowds
            + whose
            + values
            + self.spread_bytes()
            + self.blocks.capacity() * 4
            + self.counts.capacity() * size_of::<Counts>()
            + self.crowds.capacity() * size_of::<Crowd>()
            + self.sets.capacity() * size_of::<PersonSet>()
            + self.numbers.capacity() * size_of::<Numbers>()
            + self.spreads.capacity() * size_of::<Vec<f64>>()
            + self.values.capacity() * size_of::<HashSet<u32>>()
    }

    fn spread_bytes(&self) -> usize {
        self.spreads.iter().map(|spread| spread.capacity() * 8).sum()
    }

    /// Bytes that [`Counters::finish`] needs besides: lists of numbers become pairs, and then columns.
    pub fn finish_bytes(&self) -> usize {
        let values: usize = self.values.iter().map(|values| values.len() * 64).sum();
        4 * self.spread_bytes() + values
    }
}

/// The rows of a batch, and which of them a metric looks at.
pub(super) struct Selected<'a> {
    /// Of the metric, in `masks`.
    pub bit: u32,
    pub first_slot: u32,
    pub masks: &'a [u32],
    pub slots: &'a [u32],
    pub persons: &'a [u64],
    /// As [`Breakdowns::of_rows`] gives them.
    pub segments: &'a [u32],
}

impl Selected<'_> {
    /// Person and slot of a row, if the metric looks at it.
    #[inline]
    fn looked_at(&self, row: usize) -> Option<(u64, u32)> {
        let is_looked_at = self.masks[row] & self.bit != 0 && self.slots[row] >= self.first_slot;
        is_looked_at.then(|| (self.persons[row], self.slots[row]))
    }
}

/// A window that is put together.
#[derive(Default)]
struct Running {
    window: Range<usize>,
    events: u64,
    person_events: u64,
    set: PersonSet,
}

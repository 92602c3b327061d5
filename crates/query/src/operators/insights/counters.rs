//! The cells of one metric, by column: a segment has a block of one cell per slot.

use super::Figure;
use crate::operators::cells::{Cell, CellKey, Cells, WHOLE_RANGE};
use crate::operators::extremes::Extremes;
use crate::operators::input::Breakdowns;
use crate::operators::values::Values;
use crate::persons::{Crowd, PersonSet};
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
    /// Per cell, unless there are `sets`.
    crowds: Vec<Crowd>,
    /// Per cell, for [`Figure::Persons`].
    sets: Vec<PersonSet>,
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
    /// The person seen last; nobody at first, who is not counted anyway.
    last_person: u64,
}

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
            crowds: Vec::new(),
            sets: Vec::new(),
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
        let counts = &mut self.counts[cell];
        counts.events += 1;
        counts.person_events += u64::from(person != 0);
        if person == counts.last_person || person == 0 {
            return;
        }
        counts.last_person = person;
        match self.figure {
            Figure::Persons => self.sets[cell].insert(person),
            _ => self.crowds[cell].insert(person),
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
        for segment in 0..self.blocks.len() {
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
                for (bucket, cell) in self.of_windows(block, windows) {
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

    /// The cells of a segment over all windows with an event.
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
            spread: counted(spread.unwrap_or_default()),
            values: texts.filter_map(|value| Some(values?.text(value))).collect(),
            crowd: std::mem::take(&mut self.crowds[cell]),
            ..Cell::default()
        }
    }

    pub fn size_bytes(&self) -> usize {
        let sets: usize = self.sets.iter().map(PersonSet::size_bytes).sum();
        let crowds: usize = self.crowds.iter().map(|crowd| crowd.few().len() * 8).sum();
        let values: usize = self.values.iter().map(|values| values.capacity() * 5).sum();
        let extremes = self.numbers.iter().flat_map(|numbers| &numbers.extremes);
        let whose: usize = extremes.map(Extremes::heap_bytes).sum();
        sets + crowds
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

/// A window that is put together.
#[derive(Default)]
struct Running {
    window: Range<usize>,
    events: u64,
    person_events: u64,
    set: PersonSet,
}

/// Numbers with how often each is there.
fn counted(mut numbers: Vec<f64>) -> Vec<(f64, u64)> {
    numbers.sort_unstable_by(f64::total_cmp);
    let runs = numbers.chunk_by(|left, right| left == right);
    runs.map(|run| (run[0], run.len() as u64)).collect()
}

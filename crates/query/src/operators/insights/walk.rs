//! Figures for which a person's rows must lie together: sessions, and how many events each person has.
//!
//! Rows are kept in a few words each until the partition has been read, and then dealt out to their persons.

use super::members::Members;
use super::{Figure, Metric};
use crate::operators::cells::{Cell, CellKey, Cells, WHOLE_RANGE};
use crate::operators::extremes::Extremes;
use crate::operators::group::{Grouped, OfPerson};
use crate::operators::input::{Breakdowns, Rows};
use crate::operators::sessions::sessions;
use crate::persons::{Crowd, PersonIndex};
use crate::spread::Spread;
use crate::windows::Windows;
use hashbrown::HashMap;

pub(super) struct Walk {
    /// Bits of the metrics that count sessions, and of those that count each person's events.
    session_metrics: u32,
    frequency_metrics: u32,
    timeout_ms: i64,
    persons: PersonIndex,
    rows: Vec<WalkRow>,
}

#[derive(Clone, Copy, Debug)]
struct WalkRow {
    time_ms: i64,
    person: u32,
    slot: u32,
    /// Bit `i`: metric `i` looks at it.
    metrics: u32,
    /// As [`Breakdowns::of_rows`] gives it; meaningless where no metric looks at it.
    segments: u32,
}

impl OfPerson for WalkRow {
    fn person(&self) -> u32 {
        self.person
    }

    /// Of two rows of one instant either may be first: both are in one session and in one slot.
    fn order(&self) -> (i64, u64) {
        (self.time_ms, 0)
    }
}

impl Walk {
    /// None where no metric needs it.
    pub fn new(metrics: &[(Option<String>, Figure)], timeout_ms: i64) -> Option<Walk> {
        let bits = |wanted: Figure| {
            let of_figure = metrics.iter().enumerate().filter(|(_, (_, figure))| *figure == wanted);
            of_figure.fold(0_u32, |bits, (metric, _)| bits | 1 << metric)
        };
        let (session_metrics, frequency_metrics) = (bits(Figure::Sessions), bits(Figure::Frequency));
        (session_metrics | frequency_metrics != 0).then(|| Walk {
            session_metrics,
            frequency_metrics,
            timeout_ms,
            persons: PersonIndex::default(),
            rows: Vec::new(),
        })
    }

    pub fn push(&mut self, rows: &Rows<'_>, masks: &[u32], segments: &[u32], slots: &[u32]) {
        let wanted = self.session_metrics | self.frequency_metrics;
        let mut last = (0, 0);
        for (row, mask) in masks.iter().enumerate() {
            let person = rows.persons[row];
            // Events that no metric looks at hold sessions together all the same.
            if person == 0 || (self.session_metrics == 0 && mask & wanted == 0) {
                continue;
            }
            if person != last.0 {
                last = (person, self.persons.number(person));
            }
            self.rows.push(WalkRow {
                time_ms: rows.times_ms[row],
                person: last.1,
                slot: slots[row],
                metrics: mask & wanted,
                segments: segments[row],
            });
        }
    }

    pub fn size_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<WalkRow>() + self.persons.size_bytes()
    }

    /// Bytes that [`Walk::finish`] needs besides, given how many cells a metric has at most.
    pub fn finish_bytes(&self, cells_max: usize) -> usize {
        let metrics = (self.session_metrics | self.frequency_metrics).count_ones() as usize;
        let cells = metrics * cells_max * size_of::<Frequency>();
        Grouped::<WalkRow>::bytes(self.rows.len(), self.persons.len()) + cells
    }

    /// Counts sessions in their metrics' counters; adds the cells of frequencies, and the members that sessions make.
    pub fn finish(
        self,
        metrics: &mut [Metric],
        breakdowns: &Breakdowns,
        cells: &mut Cells,
        mut members: Option<&mut Members>,
    ) {
        let grouped = Grouped::new(self.rows, self.persons.len());
        let mut frequencies: HashMap<(u32, i32, u32), Frequency> = HashMap::new();
        let mut segments = Vec::new();
        let mut slots = Vec::new();
        for (person, rows) in grouped.persons() {
            let person = self.persons.person(person);
            for (index, metric) in metrics.iter_mut().enumerate() {
                let bit = 1_u32 << index;
                if self.session_metrics & bit != 0 {
                    let begin = rows.partition_point(|row| row.slot < metric.first_slot);
                    let rows = &rows[begin..];
                    for session in sessions(rows, self.timeout_ms) {
                        segments.clear();
                        for row in rows[session.clone()].iter().filter(|row| row.metrics & bit != 0) {
                            segments.extend_from_slice(breakdowns.segments(&row.segments));
                        }
                        segments.sort_unstable();
                        segments.dedup();
                        let slot = rows[session.start].slot;
                        if let Some(members) = members.as_mut().filter(|members| members.is_of_sessions(index)) {
                            members.add(person, slot, &segments, breakdowns);
                        }
                        for segment in &segments {
                            let cell = metric.counters.cell(*segment as usize, slot as usize);
                            metric.counters.count(cell, person);
                        }
                    }
                }
                if self.frequency_metrics & bit != 0 {
                    slots.clear();
                    for row in rows
                        .iter()
                        .filter(|row| row.metrics & bit != 0 && row.slot >= metric.first_slot)
                    {
                        slots.extend(
                            breakdowns
                                .segments(&row.segments)
                                .iter()
                                .map(|segment| (*segment, row.slot)),
                        );
                    }
                    slots.sort_unstable();
                    for of_segment in slots.chunk_by(|left, right| left.0 == right.0) {
                        each_window(of_segment, &metric.windows, |bucket, events| {
                            let key = (index as u32, bucket, of_segment[0].0);
                            frequencies.entry(key).or_default().add(person, events);
                        });
                    }
                }
            }
        }
        for ((series, bucket, segment), frequency) in frequencies {
            let segment = cells.place(breakdowns.shown(segment));
            *cells.entry(CellKey {
                series,
                bucket,
                segment,
            }) = frequency.into_cell();
        }
    }
}

/// How many persons have how many events.
#[derive(Default)]
struct Frequency {
    persons: HashMap<u64, u64>,
    extremes: Option<Extremes>,
    crowd: Crowd,
}

impl Frequency {
    fn add(&mut self, person: u64, events: u64) {
        *self.persons.entry(events).or_default() += 1;
        match &mut self.extremes {
            Some(extremes) => extremes.add(events as f64, person),
            none => *none = Some(Extremes::of(events as f64, person)),
        }
        self.crowd.insert(person);
    }

    fn into_cell(self) -> Cell {
        let spread = self.persons.into_iter();
        Cell {
            spread: Spread::of_pairs(spread.map(|(events, persons)| (events as f64, persons))),
            extremes: self.extremes,
            crowd: self.crowd,
            ..Cell::default()
        }
    }
}

/// Calls for each window with events of a person, given their slots in order.
fn each_window(slots: &[(u32, u32)], windows: &Windows, mut found: impl FnMut(i32, u64)) {
    let before = |end: usize| slots.partition_point(|(_, slot)| (*slot as usize) < end);
    let mut bucket = 0;
    while let Some(window) = windows.of_buckets.get(bucket) {
        let begin = before(window.start);
        let Some((_, next)) = slots.get(begin) else { break };
        let events = before(window.end).saturating_sub(begin);
        if events > 0 {
            found(bucket as i32, events as u64);
            bucket += 1;
        } else {
            // On to the first window that reaches the next event.
            let rest = &windows.of_buckets[bucket..];
            bucket += rest.partition_point(|window| window.end <= *next as usize).max(1);
        }
    }
    let events = before(windows.whole.end).saturating_sub(before(windows.whole.start));
    if events > 0 {
        found(WHOLE_RANGE, events as u64);
    }
}

//! Insights: counts, distinct persons, sessions and figures of a property, per segment and time.
//!
//! A row is counted in one cell per segment, that of its slot of time. What adds up over time leaves as it is, one cell
//! per slot, and the answer adds it up; persons do not, so that their sets are united here, over the window of each number.
//! Rows come sorted by person within an event, so a cell that sees the person it saw last has nothing to add to its set.
//! Sessions and frequencies need a person's rows together: see [`walk`].

mod counters;
mod members;
mod presence;
mod walk;

use super::cells::{Cells, Wanted};
use super::input::{Breakdowns, Number, Rows, Selectors};
use super::tally::members_of;
use super::values::Values;
use super::{Accumulate, Operator};
use crate::calendar::Buckets;
use crate::windows::Windows;
use counters::{Counters, Selected};
use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use hashbrown::HashSet;
use members::Members;
use std::sync::Arc;
use walk::Walk;

/// What a metric needs to know of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    Events,
    Persons,
    Numbers,
    /// Every number.
    Spread,
    /// Distinct values.
    Values,
    Sessions,
    /// How many persons have how many events.
    Frequency,
}

impl Figure {
    /// Whether cells are of whole windows, because persons do not add up over time. Others are of slots.
    pub fn is_of_windows(self) -> bool {
        matches!(self, Figure::Persons | Figure::Frequency)
    }
}

#[derive(Debug)]
pub(crate) struct InsightsOperator {
    /// Event and figure per metric.
    pub metrics: Vec<(Option<String>, Figure)>,
    pub breakdowns: usize,
    /// By breakdown, the edges of its ranges if it has such.
    pub edges: Vec<Option<Arc<[f64]>>>,
    pub slots: Arc<Buckets>,
    /// By metric.
    pub windows: Vec<Windows>,
    pub session_timeout_ms: i64,
    /// Answer for all segments but these together.
    pub rest_of: Option<Arc<HashSet<String>>>,
    pub wanted: Option<Wanted>,
}

impl Operator for InsightsOperator {
    fn name(&self) -> &'static str {
        "Insights"
    }

    fn describe(&self) -> String {
        let metrics = self.metrics.iter().map(|(event, figure)| match event {
            Some(event) => format!("{figure:?} of {event:?}"),
            None => format!("{figure:?} of any event"),
        });
        let metrics: Vec<String> = metrics.collect();
        let slots = &self.slots.names;
        let mut text = format!(
            "{}; breakdowns={}; slots={} from {}",
            metrics.join(", "),
            self.breakdowns,
            slots.len(),
            slots.first().map_or("", String::as_str)
        );
        if self.edges.iter().any(Option::is_some) {
            text.push_str(&format!("; edges={:?}", self.edges));
        }
        if self.has(Figure::Sessions) {
            text.push_str(&format!("; session_timeout_ms={}", self.session_timeout_ms));
        }
        if let Some(shown) = &self.rest_of {
            text.push_str(&format!("; rest of {} segments", shown.len()));
        }
        text + &members_of(self.wanted.as_ref())
    }

    fn accumulate(&self, input: &SchemaRef) -> Result<Box<dyn Accumulate>> {
        let events: Vec<Option<String>> = self.metrics.iter().map(|(event, _)| event.clone()).collect();
        let mut breakdowns = Breakdowns::new(self.breakdowns, input);
        for (breakdown, edges) in self.edges.iter().enumerate() {
            if let Some(edges) = edges {
                breakdowns.set_ranges(breakdown, edges);
            }
        }
        if let Some(shown) = &self.rest_of {
            breakdowns.set_rest(shown.clone());
        }
        let metrics = self.metrics.iter().zip(&self.windows).enumerate();
        let metrics = metrics.map(|(metric, ((_, figure), windows))| Metric {
            number: Number::new(metric, input),
            values: (*figure == Figure::Values).then(|| Values::new(metric, input)),
            counters: Counters::new(*figure, self.slots.len()),
            first_slot: windows.first() as u32,
            windows: windows.clone(),
        });
        Ok(Box::new(Accumulator {
            selectors: Selectors::new(&events, input),
            breakdowns,
            metrics: metrics.collect(),
            walk: Walk::new(&self.metrics, self.session_timeout_ms),
            members: self.wanted.as_ref().map(|wanted| {
                let metric = wanted.series as usize;
                Members::new(wanted.clone(), self.metrics[metric].1, &self.windows[metric])
            }),
            slots: self.slots.clone(),
            masks: Vec::new(),
            segments: Vec::new(),
            row_slots: Vec::new(),
            pushes: 0,
            cells_bytes: 0,
        }))
    }
}

impl InsightsOperator {
    fn has(&self, wanted: Figure) -> bool {
        self.metrics.iter().any(|(_, figure)| *figure == wanted)
    }
}

struct Accumulator {
    selectors: Selectors,
    breakdowns: Breakdowns,
    metrics: Vec<Metric>,
    walk: Option<Walk>,
    members: Option<Members>,
    slots: Arc<Buckets>,
    // Columns of the batch at hand, kept to spare their allocation.
    masks: Vec<u32>,
    segments: Vec<u32>,
    row_slots: Vec<u32>,
    pushes: u32,
    cells_bytes: usize,
}

struct Metric {
    number: Number,
    /// Of [`Figure::Values`].
    values: Option<Values>,
    counters: Counters,
    first_slot: u32,
    windows: Windows,
}

impl Accumulate for Accumulator {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.selectors.masks(batch, &mut self.masks)?;
        let masks = &self.masks;
        self.breakdowns
            .of_rows(batch, &mut self.segments, |row| masks[row] != 0)?;
        let rows = Rows::of(batch)?;
        self.slots.find_all(rows.times_ms, &mut self.row_slots);
        for (index, metric) in self.metrics.iter_mut().enumerate() {
            let bit = 1_u32 << index;
            let numbers = metric.number.of(batch, |row| masks[row] & bit != 0)?;
            if let Some(values) = &mut metric.values {
                values.read(batch, |row| masks[row] & bit != 0)?;
            }
            if let Some(members) = self.members.as_mut().filter(|members| members.is_of_rows(index)) {
                let contributes = |row: &usize| {
                    masks[*row] & bit != 0
                        && numbers.is_none_or(|numbers| numbers.is_valid(*row))
                        && metric
                            .values
                            .as_ref()
                            .is_none_or(|values| values.of_row(*row).next().is_some())
                };
                for row in (0..masks.len()).filter(contributes) {
                    let segments = self.breakdowns.segments(&self.segments[row]);
                    members.add(rows.persons[row], self.row_slots[row], segments, &self.breakdowns);
                }
            }
            if metric.counters.is_of_walk() {
                continue;
            }
            if metric.counters.is_by_presence() {
                let selected = Selected {
                    bit,
                    first_slot: metric.first_slot,
                    masks,
                    slots: &self.row_slots,
                    persons: rows.persons,
                    segments: &self.segments,
                };
                metric.counters.count_present(&selected, &self.breakdowns);
                continue;
            }
            let selected = masks.iter().enumerate().filter(|(_, mask)| *mask & bit != 0);
            for (row, _) in selected {
                let slot = self.row_slots[row];
                if slot < metric.first_slot {
                    continue;
                }
                for segment in self.breakdowns.segments(&self.segments[row]) {
                    let cell = metric.counters.cell(*segment as usize, slot as usize);
                    metric.counters.count(cell, rows.persons[row]);
                    if let Some(numbers) = numbers {
                        metric.counters.number(cell, numbers, row, rows.persons[row]);
                    }
                    if let Some(values) = &metric.values {
                        metric.counters.values(cell, values.of_row(row));
                    }
                }
            }
        }
        if let Some(walk) = &mut self.walk {
            walk.push(&rows, masks, &self.segments, &self.row_slots);
        }
        self.pushes += 1;
        // Walking all cells costs more than a batch; every so often is soon enough for a limit.
        if self.pushes.is_power_of_two() || self.pushes.is_multiple_of(64) {
            self.cells_bytes = self.metrics.iter().map(Metric::size_bytes).sum();
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        let walk = self.walk.as_ref().map_or(0, Walk::size_bytes);
        let members = self.members.as_ref().map_or(0, Members::size_bytes);
        self.cells_bytes + self.breakdowns.size_bytes() + walk + members
    }

    fn finish_bytes(&self) -> usize {
        let windows = self.metrics.iter().map(|metric| metric.windows.of_buckets.len());
        let cells_each = self.slots.len().max(windows.max().unwrap_or(0)) + 1;
        let cells_max = cells_each * self.breakdowns.index.len();
        let walk = self.walk.as_ref().map_or(0, |walk| walk.finish_bytes(cells_max));
        let cells = self.metrics.iter().map(|metric| metric.counters.finish_bytes());
        let members = self.members.as_ref().map_or(0, Members::size_bytes);
        walk + members + cells.sum::<usize>()
    }

    fn finish(mut self: Box<Self>) -> Result<RecordBatch> {
        let mut cells = Cells::default();
        if let Some(walk) = self.walk.take() {
            walk.finish(&mut self.metrics, &self.breakdowns, &mut cells, self.members.as_mut());
        }
        for (series, metric) in self.metrics.into_iter().enumerate() {
            let Metric {
                counters,
                windows,
                values,
                ..
            } = metric;
            counters.finish(series as u32, &windows, values.as_ref(), &self.breakdowns, &mut cells);
        }
        if let Some(members) = self.members {
            members.finish(&mut cells);
        }
        cells.into_batch()
    }
}

impl Metric {
    fn size_bytes(&self) -> usize {
        self.counters.size_bytes() + self.values.as_ref().map_or(0, Values::size_bytes)
    }
}

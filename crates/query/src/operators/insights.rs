//! Insights: counts, distinct persons and figures of a property, per segment and bucket and over the range.
//!
//! Rows come sorted by person within an event, so a cell that sees the person it saw last has nothing to count;
//! only a change of person reaches the cell's set.

use super::cells::{Cell, CellKey, Cells, WHOLE_RANGE};
use super::input::{Breakdowns, Number, Rows, Selectors};
use super::{Accumulate, Operator};
use crate::calendar::Buckets;
use crate::persons::{Crowd, PersonSet};
use datafusion::arrow::array::{Array, Float64Array, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use std::sync::Arc;

/// What a metric needs to know of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    Events,
    Persons,
    Numbers,
}

#[derive(Debug)]
pub(crate) struct InsightsOperator {
    /// Event and figure per metric.
    pub metrics: Vec<(Option<String>, Figure)>,
    pub breakdowns: usize,
    pub buckets: Arc<Buckets>,
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
        let buckets = &self.buckets.names;
        format!(
            "{}; breakdowns={}; buckets={} from {}",
            metrics.join(", "),
            self.breakdowns,
            buckets.len(),
            buckets.first().map_or("", String::as_str)
        )
    }

    fn accumulate(&self, input: &SchemaRef) -> Result<Box<dyn Accumulate>> {
        let events: Vec<Option<String>> = self.metrics.iter().map(|(event, _)| event.clone()).collect();
        let metrics = self.metrics.iter().enumerate();
        Ok(Box::new(Accumulator {
            selectors: Selectors::new(&events, input),
            breakdowns: Breakdowns::new(self.breakdowns, input),
            metrics: metrics
                .map(|(metric, (_, figure))| MetricCells {
                    figure: *figure,
                    number: Number::new(metric, input),
                    cells: Vec::new(),
                })
                .collect(),
            buckets: self.buckets.clone(),
            masks: Vec::new(),
            segments: Vec::new(),
            row_buckets: Vec::new(),
            pushes: 0,
            set_bytes: 0,
        }))
    }
}

struct Accumulator {
    selectors: Selectors,
    breakdowns: Breakdowns,
    metrics: Vec<MetricCells>,
    buckets: Arc<Buckets>,
    // Columns of the batch at hand, kept to spare their allocation.
    masks: Vec<u32>,
    segments: Vec<u32>,
    row_buckets: Vec<u32>,
    pushes: u32,
    set_bytes: usize,
}

struct MetricCells {
    figure: Figure,
    number: Number,
    /// By segment; each has one cell per bucket and a last one for the range.
    cells: Vec<Option<Box<[Counts]>>>,
}

/// The state of a cell.
#[derive(Clone, Debug, Default)]
struct Counts {
    events: u64,
    person_events: u64,
    /// The person seen last; nobody at first, who is not counted anyway.
    last_person: u64,
    persons: PersonSet,
    crowd: Crowd,
    numbers: u64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Accumulate for Accumulator {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.selectors.masks(batch, &mut self.masks)?;
        let masks = &self.masks;
        self.breakdowns
            .of_rows(batch, &mut self.segments, |row| masks[row] != 0)?;
        let rows = Rows::of(batch)?;
        self.row_buckets.clear();
        let buckets = &self.buckets;
        self.row_buckets
            .extend(rows.times_ms.iter().map(|time_ms| buckets.find(*time_ms) as u32));
        for (metric, state) in self.metrics.iter_mut().enumerate() {
            let bit = 1_u32 << metric;
            let figure = state.figure;
            let numbers = state.number.of(batch, |row| masks[row] & bit != 0)?;
            for (row, mask) in masks.iter().enumerate() {
                if mask & bit == 0 {
                    continue;
                }
                let number = numbers.and_then(|numbers| number_of(numbers, row));
                for segment in self.breakdowns.segments(&self.segments[row]) {
                    let cells = state.cells_of(*segment as usize, buckets.len());
                    let person = rows.persons[row];
                    cells[self.row_buckets[row] as usize].count(figure, person, number);
                    cells[buckets.len()].count(figure, person, number);
                }
            }
        }
        self.pushes += 1;
        // Walking all sets costs more than a batch; every so often is soon enough for a limit.
        if self.pushes.is_power_of_two() || self.pushes.is_multiple_of(64) {
            self.set_bytes = self.metrics.iter().map(MetricCells::size_bytes).sum();
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.set_bytes + self.breakdowns.size_bytes()
    }

    fn finish(self: Box<Self>) -> Result<RecordBatch> {
        let mut cells = Cells::default();
        for (series, metric) in self.metrics.into_iter().enumerate() {
            for (segment, counts) in metric.cells.into_iter().enumerate() {
                let Some(counts) = counts else { continue };
                let shown = self.breakdowns.index.shown(segment as u32, self.breakdowns.len());
                let place = cells.place(shown);
                let range = counts.len() - 1;
                for (bucket, counts) in counts.into_iter().enumerate().filter(|(_, counts)| counts.events > 0) {
                    let key = CellKey {
                        series: series as u32,
                        bucket: if bucket == range { WHOLE_RANGE } else { bucket as i32 },
                        segment: place,
                    };
                    *cells.entry(key) = counts.into_cell(metric.figure);
                }
            }
        }
        cells.into_batch()
    }
}

fn number_of(numbers: &Float64Array, row: usize) -> Option<f64> {
    numbers.is_valid(row).then(|| numbers.value(row))
}

impl MetricCells {
    #[inline]
    fn cells_of(&mut self, segment: usize, buckets: usize) -> &mut [Counts] {
        if self.cells.len() <= segment {
            self.cells.resize_with(segment + 1, || None);
        }
        self.cells[segment].get_or_insert_with(|| vec![Counts::default(); buckets + 1].into())
    }

    fn size_bytes(&self) -> usize {
        let of_segments = self.cells.iter().flatten().map(|counts| {
            let sets: usize = counts
                .iter()
                .map(|counts| counts.persons.size_bytes() + counts.crowd.few().len() * 8)
                .sum();
            sets + counts.len() * size_of::<Counts>()
        });
        of_segments.sum::<usize>() + self.cells.len() * size_of::<usize>() * 2
    }
}

impl Counts {
    #[inline]
    fn count(&mut self, figure: Figure, person: u64, number: Option<f64>) {
        self.events += 1;
        if person != 0 {
            self.person_events += 1;
            if person != self.last_person {
                self.last_person = person;
                match figure {
                    Figure::Persons => self.persons.insert(person),
                    Figure::Events | Figure::Numbers => self.crowd.insert(person),
                }
            }
        }
        if let Some(number) = number {
            self.min = if self.numbers == 0 {
                number
            } else {
                self.min.min(number)
            };
            self.max = if self.numbers == 0 {
                number
            } else {
                self.max.max(number)
            };
            self.numbers += 1;
            self.sum += number;
        }
    }

    fn into_cell(self, figure: Figure) -> Cell {
        Cell {
            events: self.events,
            person_events: self.person_events,
            numbers: self.numbers,
            sum: self.sum,
            min: self.min,
            max: self.max,
            persons: self.persons.len(),
            crowd: match figure {
                Figure::Persons => self.persons.crowd().clone(),
                Figure::Events | Figure::Numbers => self.crowd,
            },
            ..Cell::default()
        }
    }
}

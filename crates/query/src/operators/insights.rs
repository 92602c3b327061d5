//! Insights: counts, distinct persons and figures of a property, per segment and bucket and over the range.
//!
//! A row is counted in one cell per segment, that of its bucket; cells over the range are put together from the buckets
//! at the end. Rows come sorted by person within an event, so a cell that sees the person it saw last has nothing to
//! add to its set.

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
                    blocks: Vec::new(),
                    counts: Vec::new(),
                    crowds: Vec::new(),
                    sets: Vec::new(),
                    numbers: Vec::new(),
                })
                .collect(),
            buckets: self.buckets.clone(),
            masks: Vec::new(),
            segments: Vec::new(),
            row_buckets: Vec::new(),
            pushes: 0,
            cells_bytes: 0,
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
    cells_bytes: usize,
}

/// The cells of one metric, by column. A segment has a block of one cell per bucket.
struct MetricCells {
    figure: Figure,
    number: Number,
    /// First cell of each segment's block, plus one; 0 where the segment has none.
    blocks: Vec<u32>,
    counts: Vec<Counts>,
    /// Per cell, unless there are `sets`.
    crowds: Vec<Crowd>,
    /// Per cell, for [`Figure::Persons`].
    sets: Vec<PersonSet>,
    /// Per cell, for [`Figure::Numbers`].
    numbers: Vec<Numbers>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    events: u64,
    person_events: u64,
    /// The person seen last; nobody at first, who is not counted anyway.
    last_person: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Numbers {
    count: u64,
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
        self.buckets.find_all(rows.times_ms, &mut self.row_buckets);
        for (metric, cells) in self.metrics.iter_mut().enumerate() {
            let bit = 1_u32 << metric;
            let numbers = cells.number.of(batch, |row| masks[row] & bit != 0)?;
            let selected = masks.iter().enumerate().filter(|(_, mask)| *mask & bit != 0);
            for (row, _) in selected {
                for segment in self.breakdowns.segments(&self.segments[row]) {
                    let block = cells.block(*segment as usize, self.buckets.len());
                    let cell = block + self.row_buckets[row] as usize;
                    cells.count(cell, rows.persons[row]);
                    if let Some(numbers) = numbers {
                        cells.number(cell, numbers, row);
                    }
                }
            }
        }
        self.pushes += 1;
        // Walking all cells costs more than a batch; every so often is soon enough for a limit.
        if self.pushes.is_power_of_two() || self.pushes.is_multiple_of(64) {
            self.cells_bytes = self.metrics.iter().map(MetricCells::size_bytes).sum();
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.cells_bytes + self.breakdowns.size_bytes()
    }

    fn finish(self: Box<Self>) -> Result<RecordBatch> {
        let mut cells = Cells::default();
        let buckets = self.buckets.len();
        for (series, mut metric) in self.metrics.into_iter().enumerate() {
            for segment in 0..metric.blocks.len() {
                if metric.blocks[segment] == 0 {
                    continue;
                }
                let block = metric.blocks[segment] as usize - 1;
                let shown = self.breakdowns.index.shown(segment as u32, self.breakdowns.len());
                let place = cells.place(shown);
                let key = |bucket: i32| CellKey {
                    series: series as u32,
                    bucket,
                    segment: place,
                };
                let mut whole = Cell::default();
                let mut everybody = PersonSet::default();
                for bucket in 0..buckets {
                    let cell = block + bucket;
                    if metric.counts[cell].events == 0 {
                        continue;
                    }
                    let of_bucket = metric.take(cell);
                    whole.merge(&of_bucket);
                    if metric.figure == Figure::Persons {
                        everybody.unite(&metric.sets[cell]);
                    }
                    *cells.entry(key(bucket as i32)) = of_bucket;
                }
                if metric.figure == Figure::Persons {
                    // A person of several buckets is one person of the range.
                    whole.persons = everybody.count();
                    whole.crowd = everybody.crowd().clone();
                }
                *cells.entry(key(WHOLE_RANGE)) = whole;
            }
        }
        cells.into_batch()
    }
}

impl MetricCells {
    /// First cell of a segment.
    #[inline]
    fn block(&mut self, segment: usize, buckets: usize) -> usize {
        match self.blocks.get(segment) {
            Some(block) if *block > 0 => *block as usize - 1,
            _ => self.new_block(segment, buckets),
        }
    }

    #[cold]
    fn new_block(&mut self, segment: usize, buckets: usize) -> usize {
        if self.blocks.len() <= segment {
            self.blocks.resize(segment + 1, 0);
        }
        let block = self.counts.len();
        let cells = block + buckets;
        self.counts.resize(cells, Counts::default());
        match self.figure {
            Figure::Persons => self.sets.resize(cells, PersonSet::default()),
            Figure::Events => self.crowds.resize(cells, Crowd::default()),
            Figure::Numbers => {
                self.crowds.resize(cells, Crowd::default());
                self.numbers.resize(cells, Numbers::default());
            }
        }
        self.blocks[segment] = block as u32 + 1;
        block
    }

    #[inline]
    fn count(&mut self, cell: usize, person: u64) {
        let counts = &mut self.counts[cell];
        counts.events += 1;
        counts.person_events += u64::from(person != 0);
        if person == counts.last_person || person == 0 {
            return;
        }
        counts.last_person = person;
        match self.figure {
            Figure::Persons => self.sets[cell].insert(person),
            Figure::Events | Figure::Numbers => self.crowds[cell].insert(person),
        }
    }

    #[inline]
    fn number(&mut self, cell: usize, numbers: &Float64Array, row: usize) {
        if numbers.is_null(row) {
            return;
        }
        let number = numbers.value(row);
        let known = &mut self.numbers[cell];
        known.min = if known.count == 0 {
            number
        } else {
            known.min.min(number)
        };
        known.max = if known.count == 0 {
            number
        } else {
            known.max.max(number)
        };
        known.count += 1;
        known.sum += number;
    }

    fn take(&mut self, cell: usize) -> Cell {
        let counts = self.counts[cell];
        let numbers = self.numbers.get(cell).copied().unwrap_or_default();
        let (persons, crowd) = match self.figure {
            Figure::Persons => (self.sets[cell].count(), self.sets[cell].crowd().clone()),
            Figure::Events | Figure::Numbers => (0, std::mem::take(&mut self.crowds[cell])),
        };
        Cell {
            events: counts.events,
            person_events: counts.person_events,
            numbers: numbers.count,
            sum: numbers.sum,
            min: numbers.min,
            max: numbers.max,
            persons,
            crowd,
            ..Cell::default()
        }
    }

    fn size_bytes(&self) -> usize {
        let sets: usize = self.sets.iter().map(PersonSet::size_bytes).sum();
        let crowds: usize = self.crowds.iter().map(|crowd| crowd.few().len() * 8).sum();
        sets + crowds
            + self.blocks.capacity() * 4
            + self.counts.capacity() * size_of::<Counts>()
            + self.crowds.capacity() * size_of::<Crowd>()
            + self.sets.capacity() * size_of::<PersonSet>()
            + self.numbers.capacity() * size_of::<Numbers>()
    }
}

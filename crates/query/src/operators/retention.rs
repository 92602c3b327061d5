//! Retention: who was born in which bucket, and in which intervals they came back.
//!
//! As in [`super::funnel`], the rows that matter are kept until the partition has been read and then walked person by
//! person.

use super::cells::{CellKey, Cells};
use super::input::{Breakdowns, Rows, Selectors};
use super::{Accumulate, Operator};
use crate::calendar::Buckets;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use model::report::Cohorts;
use std::sync::Arc;

/// Series of the births; interval `i` is series `i + 1`.
pub(crate) const BORN: u32 = 0;

#[derive(Clone, Debug)]
pub(crate) enum IntervalRule {
    /// Blocks of this length from each birth on.
    Rolling { unit_ms: i64 },
    /// Buckets of the cohorts and beyond.
    Calendar,
}

#[derive(Debug)]
pub(crate) struct RetentionOperator {
    pub born: Option<String>,
    pub returning: Option<String>,
    /// First instant after the range: nobody is born from here on.
    pub born_before_ms: i64,
    /// Buckets of the cohorts, and for calendar intervals all that returns can fall into.
    pub buckets: Arc<Buckets>,
    pub rule: IntervalRule,
    pub intervals: u32,
    pub cohorts: Cohorts,
    pub on_or_after: bool,
    pub breakdown: bool,
}

impl Operator for RetentionOperator {
    fn name(&self) -> &'static str {
        "Retention"
    }

    fn describe(&self) -> String {
        format!(
            "born={:?}; returning={:?}; born_before_ms={}; rule={:?}; intervals=0..={}; cohorts={:?}; on_or_after={}; \
             breakdown={}; buckets={}",
            self.born.as_deref().unwrap_or("*"),
            self.returning.as_deref().unwrap_or("*"),
            self.born_before_ms,
            self.rule,
            self.intervals,
            self.cohorts,
            self.on_or_after,
            self.breakdown,
            self.buckets.len()
        )
    }

    fn accumulate(&self, input: &SchemaRef) -> Result<Box<dyn Accumulate>> {
        let events = [self.born.clone(), self.returning.clone()];
        Ok(Box::new(Accumulator {
            rule: Rule {
                born_before_ms: self.born_before_ms,
                buckets: self.buckets.clone(),
                interval: self.rule.clone(),
                intervals: self.intervals,
                cohorts: self.cohorts,
                on_or_after: self.on_or_after,
            },
            selectors: Selectors::new(&events, input),
            breakdowns: Breakdowns::new(usize::from(self.breakdown), input),
            rows: Vec::new(),
            masks: Vec::new(),
            segments: Vec::new(),
        }))
    }
}

struct Rule {
    born_before_ms: i64,
    buckets: Arc<Buckets>,
    interval: IntervalRule,
    intervals: u32,
    cohorts: Cohorts,
    on_or_after: bool,
}

struct Accumulator {
    rule: Rule,
    selectors: Selectors,
    breakdowns: Breakdowns,
    rows: Vec<LifeRow>,
    masks: Vec<u32>,
    segments: Vec<u32>,
}

const IS_BORN: u32 = 1;
const IS_RETURN: u32 = 2;

/// An event that can be a birth or a return.
#[derive(Clone, Copy, Debug)]
struct LifeRow {
    person: u64,
    time_ms: i64,
    seq: u64,
    is: u32,
    /// As [`Breakdowns::of_rows`] gives it; meaningless where it is no birth.
    segments: u32,
}

impl Accumulate for Accumulator {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.selectors.masks(batch, &mut self.masks)?;
        let masks = &self.masks;
        self.breakdowns
            .of_rows(batch, &mut self.segments, |row| masks[row] & IS_BORN != 0)?;
        let rows = Rows::of(batch)?;
        let seqs = Rows::seqs(batch)?;
        for (row, mask) in masks.iter().enumerate() {
            let too_late = rows.times_ms[row] >= self.rule.born_before_ms;
            let is = if too_late { mask & IS_RETURN } else { *mask };
            if is != 0 && rows.persons[row] != 0 {
                self.rows.push(LifeRow {
                    person: rows.persons[row],
                    time_ms: rows.times_ms[row],
                    seq: seqs[row],
                    is,
                    segments: self.segments[row],
                });
            }
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<LifeRow>() + self.breakdowns.size_bytes()
    }

    fn finish_bytes(&self) -> usize {
        self.rows.len() / 2 * size_of::<LifeRow>()
    }

    fn finish(mut self: Box<Self>) -> Result<RecordBatch> {
        self.rows.sort_by_key(|row| (row.person, row.time_ms, row.seq));
        let mut cells = Cells::default();
        let everybody = cells.place(Vec::new());
        let mut places: Vec<u32> = Vec::new();
        for rows in self.rows.chunk_by(|left, right| left.person == right.person) {
            let mut last_bucket = None;
            for (index, birth) in rows.iter().enumerate().filter(|(_, row)| row.is & IS_BORN != 0) {
                let bucket = self.rule.buckets.find(birth.time_ms);
                if last_bucket == Some(bucket) {
                    continue;
                }
                last_bucket = Some(bucket);
                places.clear();
                places.push(everybody);
                if self.breakdowns.len() > 0 {
                    for segment in self.breakdowns.segments(&birth.segments) {
                        let shown = self.breakdowns.index.shown(*segment, self.breakdowns.len());
                        places.push(cells.place(shown));
                    }
                }
                let returned = self.rule.returned(birth.time_ms, bucket, &rows[index + 1..]);
                for segment in &places {
                    count(&mut cells, birth.person, bucket, *segment, returned);
                }
                if self.rule.cohorts == Cohorts::Birth {
                    break;
                }
            }
        }
        cells.into_batch()
    }
}

impl Rule {
    /// Bit `i`: the person returned in interval `i`.
    fn returned(&self, birth_ms: i64, birth_bucket: usize, later: &[LifeRow]) -> u128 {
        let mut returned = 0_u128;
        for row in later
            .iter()
            .filter(|row| row.is & IS_RETURN != 0 && row.time_ms > birth_ms)
        {
            let interval = match self.interval {
                IntervalRule::Rolling { unit_ms } => (row.time_ms - birth_ms) / unit_ms,
                IntervalRule::Calendar => (self.buckets.find(row.time_ms) - birth_bucket) as i64,
            };
            if interval <= i64::from(self.intervals) {
                returned |= 1 << interval;
            } else if self.on_or_after {
                returned |= 1 << self.intervals;
            } else {
                // Rows are in order of time: none of the rest returns earlier.
                break;
            }
        }
        if self.on_or_after && returned != 0 {
            // Every interval up to the last one with a return.
            let last = returned.ilog2();
            returned = (1 << last) | ((1 << last) - 1);
        }
        returned
    }
}

fn count(cells: &mut Cells, person: u64, bucket: usize, segment: u32, returned: u128) {
    let mut count_in = |series: u32| {
        let cell = cells.entry(CellKey {
            series,
            bucket: bucket as i32,
            segment,
        });
        cell.persons += 1;
        cell.crowd.insert(person);
    };
    count_in(BORN);
    let mut rest = returned;
    while rest != 0 {
        count_in(rest.trailing_zeros() + 1);
        rest &= rest - 1;
    }
}

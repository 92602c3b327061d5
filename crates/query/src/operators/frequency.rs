//! Frequency and stickiness: in how many parts of a bucket each person was active.
//!
//! Kept is one short row per event at most, one per person and part where rows come together. At the end each person's
//! distinct parts are counted: over all segments for everybody, and within each segment.

use super::group::{Grouped, OfPerson};
use super::input::{Breakdowns, Rows, Selectors};
use super::tally::{Counted, Tally};
use super::{Accumulate, Operator};
use crate::calendar::Buckets;
use crate::persons::PersonIndex;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct FrequencyOperator {
    pub active: Option<String>,
    pub buckets: Arc<Buckets>,
    /// Hours or days of the same range.
    pub parts: Arc<Buckets>,
    /// Most parts that a bucket can have.
    pub parts_max: usize,
    /// Whether those of exactly so many parts are a number too.
    pub exactly: bool,
    pub breakdown: bool,
}

/// Series of those active in at least `parts` parts.
pub(crate) fn at_least(parts: usize) -> usize {
    parts - 1
}

/// Series of those active in exactly `parts` parts, where there are such numbers.
pub(crate) fn exactly(parts: usize, parts_max: usize) -> usize {
    parts_max + parts - 1
}

impl Operator for FrequencyOperator {
    fn name(&self) -> &'static str {
        "Frequency"
    }

    fn describe(&self) -> String {
        let first = |buckets: &Buckets| buckets.names.first().cloned().unwrap_or_default();
        format!(
            "active={:?}; buckets={} from {}; parts={} from {}, at most {}; exactly={}; breakdown={}",
            self.active.as_deref().unwrap_or("*"),
            self.buckets.len(),
            first(&self.buckets),
            self.parts.len(),
            first(&self.parts),
            self.parts_max,
            self.exactly,
            self.breakdown,
        )
    }

    fn accumulate(&self, input: &SchemaRef) -> Result<Box<dyn Accumulate>> {
        Ok(Box::new(Accumulator {
            selectors: Selectors::new(std::slice::from_ref(&self.active), input),
            breakdowns: Breakdowns::new(usize::from(self.breakdown), input),
            persons: PersonIndex::default(),
            buckets: self.buckets.clone(),
            parts: self.parts.clone(),
            parts_max: self.parts_max,
            exactly: self.exactly,
            rows: Vec::new(),
            masks: Vec::new(),
            segments: Vec::new(),
            row_parts: Vec::new(),
        }))
    }
}

struct Accumulator {
    selectors: Selectors,
    breakdowns: Breakdowns,
    persons: PersonIndex,
    buckets: Arc<Buckets>,
    parts: Arc<Buckets>,
    parts_max: usize,
    exactly: bool,
    rows: Vec<ActiveRow>,
    // Columns of the batch at hand, kept to spare their allocation.
    masks: Vec<u32>,
    segments: Vec<u32>,
    row_parts: Vec<u32>,
}

/// A person was active in a part.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ActiveRow {
    person: u32,
    part: u32,
    /// As [`Breakdowns::of_rows`] gives it.
    segments: u32,
}

impl OfPerson for ActiveRow {
    fn person(&self) -> u32 {
        self.person
    }

    fn order(&self) -> (i64, u64) {
        (i64::from(self.part), u64::from(self.segments))
    }
}

impl Accumulate for Accumulator {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.selectors.masks(batch, &mut self.masks)?;
        let masks = &self.masks;
        self.breakdowns
            .of_rows(batch, &mut self.segments, |row| masks[row] != 0)?;
        let rows = Rows::of(batch)?;
        self.parts.find_all(rows.times_ms, &mut self.row_parts);
        let mut last = (0, 0);
        for (row, person) in rows.persons.iter().enumerate() {
            if masks[row] == 0 || *person == 0 {
                continue;
            }
            if *person != last.0 {
                last = (*person, self.persons.number(*person));
            }
            let active = ActiveRow {
                person: last.1,
                part: self.row_parts[row],
                segments: self.segments[row],
            };
            if self.rows.last() != Some(&active) {
                self.rows.push(active);
            }
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<ActiveRow>() + self.breakdowns.size_bytes() + self.persons.size_bytes()
    }

    fn finish_bytes(&self) -> usize {
        Grouped::<ActiveRow>::bytes(self.rows.len(), self.persons.len())
    }

    fn finish(self: Box<Self>) -> Result<RecordBatch> {
        let series = self.parts_max * if self.exactly { 2 } else { 1 };
        let bucket_of_part: Vec<usize> = (0..self.parts.len())
            .map(|part| self.buckets.find(self.parts.start_ms(part)))
            .collect();
        let mut tally = Tally::new(&self.breakdowns, series, self.buckets.len());
        let grouped = Grouped::new(self.rows, self.persons.len());
        let mut in_segments: Vec<(u32, u32)> = Vec::new();
        for (number, rows) in grouped.persons() {
            let person = self.persons.person(number);
            for_each_bucket(rows.iter().map(|row| row.part), &bucket_of_part, |bucket, parts| {
                let row = tally.everybody(bucket);
                tally.count(row, at_least(parts) as u32, person);
            });
            if self.breakdowns.len() == 0 {
                continue;
            }
            in_segments.clear();
            for row in rows {
                let segments = self.breakdowns.segments(&row.segments).iter();
                in_segments.extend(segments.map(|segment| (*segment, row.part)));
            }
            in_segments.sort_unstable();
            for of_segment in in_segments.chunk_by(|left, right| left.0 == right.0) {
                let parts = of_segment.iter().map(|(_, part)| *part);
                for_each_bucket(parts, &bucket_of_part, |bucket, parts| {
                    let row = tally.segment(of_segment[0].0, bucket);
                    tally.count(row, at_least(parts) as u32, person);
                });
            }
        }
        // Counted so far are those of exactly so many parts, as if that were the first series.
        let parts_max = self.parts_max;
        let exactly = self.exactly;
        tally.each_row(|counts| {
            let (at_least, exact) = counts.split_at_mut(parts_max);
            if exactly {
                exact.clone_from_slice(at_least);
            }
            sum_up(at_least);
        });
        tally.into_cells().into_batch()
    }
}

/// Calls with the number of distinct parts in each bucket, given parts in order.
fn for_each_bucket(parts: impl Iterator<Item = u32>, bucket_of_part: &[usize], mut found: impl FnMut(usize, usize)) {
    let (mut bucket, mut count, mut last) = (0, 0, None);
    for part in parts {
        if last.replace(part) == Some(part) {
            continue;
        }
        let next = bucket_of_part[part as usize];
        if next != bucket && count > 0 {
            found(bucket, count);
            count = 0;
        }
        bucket = next;
        count += 1;
    }
    if count > 0 {
        found(bucket, count);
    }
}

/// From persons of exactly so many parts to those of at least so many. No person is in two of the former.
fn sum_up(counts: &mut [Counted]) {
    for parts in (1..counts.len()).rev() {
        let (fewer, more) = counts.split_at_mut(parts);
        fewer[parts - 1].merge(&more[0]);
    }
}

//! Frequency and stickiness: in how many parts of a bucket each person was active.
//!
//! Kept is one short row per event at most, one per person and part where rows come together. At the end each person's
//! distinct parts are counted: over all segments for everybody, and within each segment.

use super::cells::Wanted;
use super::group::{Grouped, OfPerson};
use super::input::{Breakdowns, Rows, Selectors};
use super::tally::{Counted, Row, Tally, members_of};
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
    pub wanted: Option<Wanted>,
}

/// Series of those active in at least `parts` parts. `exactly` says whether there are numbers of [`exactly`] between.
pub(crate) fn at_least(parts: usize, exactly: bool) -> usize {
    (parts - 1) * numbers_per_part(exactly)
}

/// Series of those active in exactly `parts` parts, where there are such numbers.
pub(crate) fn exactly(parts: usize) -> usize {
    2 * (parts - 1) + 1
}

fn numbers_per_part(exactly: bool) -> usize {
    if exactly { 2 } else { 1 }
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
        ) + &members_of(self.wanted.as_ref())
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
            wanted: self.wanted.clone(),
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
    wanted: Option<Wanted>,
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
        let per_part = numbers_per_part(self.exactly);
        let bucket_of_part: Vec<usize> = (0..self.parts.len())
            .map(|part| self.buckets.find(self.parts.start_ms(part)))
            .collect();
        let series = self.parts_max * per_part;
        let tally = Tally::new(&self.breakdowns, series, self.buckets.len(), self.wanted.as_ref());
        let mut counter = Counter {
            tally,
            exactly: self.exactly,
        };
        let grouped = Grouped::new(self.rows, self.persons.len());
        let mut in_segments: Vec<(u32, u32)> = Vec::new();
        for (number, rows) in grouped.persons() {
            let person = self.persons.person(number);
            for_each_bucket(rows.iter().map(|row| row.part), &bucket_of_part, |bucket, parts| {
                let row = counter.tally.everybody(bucket);
                counter.count(row, person, parts);
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
                    let row = counter.tally.segment(of_segment[0].0, bucket);
                    counter.count(row, person, parts);
                });
            }
        }
        let mut tally = counter.tally;
        tally.each_row(|counts| finish_row(counts, per_part));
        tally.into_cells().into_batch()
    }
}

struct Counter<'a> {
    tally: Tally<'a>,
    exactly: bool,
}

impl Counter<'_> {
    /// Counts a person who was active in exactly so many parts, where those of at least so many will be.
    fn count(&mut self, row: Row, person: u64, parts: usize) {
        let with_exactly = self.exactly;
        self.tally.member(row, person, |series| {
            let series = series as usize;
            match with_exactly && series % 2 == 1 {
                true => series == exactly(parts),
                false => series <= at_least(parts, with_exactly),
            }
        });
        self.tally.count(row, at_least(parts, with_exactly) as u32, person);
    }
}

/// From persons of exactly so many parts to those of at least so many. No person is in two of the former.
fn finish_row(counts: &mut [Counted], per_part: usize) {
    if per_part == 2 {
        for numbers in counts.chunks_exact_mut(2) {
            numbers[1] = numbers[0].clone();
        }
    }
    for next in (per_part..counts.len()).step_by(per_part).rev() {
        let (fewer, more) = counts.split_at_mut(next);
        fewer[next - per_part].merge(&more[0]);
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

//! Lifecycle: in which buckets each person was active, and what that makes them in each.
//!
//! Kept is a short row per event at most, one per person and bucket where rows come together: the first event of the
//! bucket, since its segment is the one that counts.

use super::cells::Wanted;
use super::group::{Grouped, OfPerson};
use super::input::{Breakdowns, Rows, Selectors};
use super::tally::{Row, Tally, members_of};
use super::{Accumulate, Operator};
use crate::calendar::Buckets;
use crate::persons::PersonIndex;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use std::sync::Arc;

// Series.
pub(crate) const NEW: u32 = 0;
pub(crate) const RETURNING: u32 = 1;
pub(crate) const RESURRECTED: u32 = 2;
pub(crate) const DORMANT: u32 = 3;
const SERIES: usize = 4;

#[derive(Debug)]
pub(crate) struct LifecycleOperator {
    pub active: Option<String>,
    /// The bucket before the first one, then those of the range.
    pub buckets: Arc<Buckets>,
    pub breakdown: bool,
    pub wanted: Option<Wanted>,
}

impl Operator for LifecycleOperator {
    fn name(&self) -> &'static str {
        "Lifecycle"
    }

    fn describe(&self) -> String {
        format!(
            "active={:?}; buckets={} from {}; breakdown={}",
            self.active.as_deref().unwrap_or("*"),
            self.buckets.len(),
            self.buckets.names.first().map_or("", String::as_str),
            self.breakdown,
        ) + &members_of(self.wanted.as_ref())
    }

    fn accumulate(&self, input: &SchemaRef) -> Result<Box<dyn Accumulate>> {
        Ok(Box::new(Accumulator {
            selectors: Selectors::new(std::slice::from_ref(&self.active), input),
            breakdowns: Breakdowns::new(usize::from(self.breakdown), input),
            persons: PersonIndex::default(),
            buckets: self.buckets.clone(),
            rows: Vec::new(),
            masks: Vec::new(),
            segments: Vec::new(),
            wanted: self.wanted.clone(),
        }))
    }
}

struct Accumulator {
    selectors: Selectors,
    breakdowns: Breakdowns,
    persons: PersonIndex,
    buckets: Arc<Buckets>,
    rows: Vec<ActiveRow>,
    // Columns of the batch at hand, kept to spare their allocation.
    masks: Vec<u32>,
    segments: Vec<u32>,
    wanted: Option<Wanted>,
}

/// A bucket that a person was active in, with their first event in it that is known.
#[derive(Clone, Copy, Debug)]
struct ActiveRow {
    time_ms: i64,
    seq: u64,
    person: u32,
    /// [`EARLIER`], or index into the buckets.
    bucket: i32,
    /// As [`Breakdowns::of_rows`] gives it.
    segments: u32,
}

/// Before all buckets.
const EARLIER: i32 = -1;

impl OfPerson for ActiveRow {
    fn person(&self) -> u32 {
        self.person
    }

    fn order(&self) -> (i64, u64) {
        (self.time_ms, self.seq)
    }
}

impl Accumulate for Accumulator {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.selectors.masks(batch, &mut self.masks)?;
        let masks = &self.masks;
        self.breakdowns
            .of_rows(batch, &mut self.segments, |row| masks[row] != 0)?;
        let rows = Rows::of(batch)?;
        let seqs = Rows::seqs(batch);
        let mut last = (0, 0);
        for (row, person) in rows.persons.iter().enumerate() {
            if masks[row] == 0 || *person == 0 {
                continue;
            }
            if *person != last.0 {
                last = (*person, self.persons.number(*person));
            }
            let time_ms = rows.times_ms[row];
            let earlier = time_ms < self.buckets.start_ms(0);
            let active = ActiveRow {
                time_ms,
                seq: seqs.map_or(0, |seqs| seqs[row]),
                person: last.1,
                bucket: if earlier {
                    EARLIER
                } else {
                    self.buckets.find(time_ms) as i32
                },
                segments: self.segments[row],
            };
            match self.rows.last_mut() {
                Some(known) if (known.person, known.bucket) == (active.person, active.bucket) => {
                    if active.order() < known.order() {
                        *known = active;
                    }
                }
                _ => self.rows.push(active),
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
        let mut walker = Walker {
            buckets: self.buckets.len() as i32,
            breakdowns: &self.breakdowns,
            tally: Tally::new(&self.breakdowns, SERIES, self.buckets.len(), self.wanted.as_ref()),
        };
        let grouped = Grouped::new(self.rows, self.persons.len());
        for (number, rows) in grouped.persons() {
            walker.walk(self.persons.person(number), rows);
        }
        walker.tally.into_cells().into_batch()
    }
}

struct Walker<'a> {
    buckets: i32,
    breakdowns: &'a Breakdowns,
    tally: Tally<'a>,
}

impl Walker<'_> {
    /// One person, whose rows come in order: the first of a bucket is their first event in it.
    fn walk(&mut self, person: u64, rows: &[ActiveRow]) {
        let mut last: Option<&ActiveRow> = None;
        for row in rows {
            let before = last.map(|last| last.bucket);
            if before == Some(row.bucket) {
                continue;
            }
            if row.bucket != EARLIER {
                let series = match before {
                    None => NEW,
                    Some(before) if before == row.bucket - 1 && before != EARLIER => RETURNING,
                    Some(_) => RESURRECTED,
                };
                self.count(person, row.bucket, series, row.segments);
            }
            self.dormant(person, last, row.bucket);
            last = Some(row);
        }
        self.dormant(person, last, self.buckets);
    }

    /// Counts a person as dormant behind the last bucket they were active in, unless they are active there too.
    fn dormant(&mut self, person: u64, last: Option<&ActiveRow>, next_active: i32) {
        let Some(last) = last else { return };
        let missed = last.bucket + 1;
        if last.bucket != EARLIER && missed < next_active {
            self.count(person, missed, DORMANT, last.segments);
        }
    }

    fn count(&mut self, person: u64, bucket: i32, series: u32, segments: u32) {
        let bucket = bucket as usize;
        let row = self.tally.everybody(bucket);
        self.count_in(row, person, series);
        if self.breakdowns.len() == 0 {
            return;
        }
        let breakdowns = self.breakdowns;
        for segment in breakdowns.segments(&segments) {
            let row = self.tally.segment(*segment, bucket);
            self.count_in(row, person, series);
        }
    }

    fn count_in(&mut self, row: Row, person: u64, series: u32) {
        self.tally.member(row, person, |wanted| wanted == series);
        self.tally.count(row, series, person);
    }
}

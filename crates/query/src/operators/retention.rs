//! Retention: who was born in which bucket, and in which intervals they came back.
//!
//! Where everybody is born once, rows are read twice: first for the earliest birth of each person, then for the returns,
//! which need no order then, and no memory but a bit for each interval. Where people are born again in every bucket,
//! rows are dealt out to their persons and walked in order of time, as in [`super::funnel`].

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
use model::report::{Cohorts, RetentionSide};
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
    /// The range: who is born outside is in no cohort.
    pub born_from_ms: i64,
    pub born_before_ms: i64,
    /// Buckets of the cohorts, and for calendar intervals all that returns can fall into.
    pub buckets: Arc<Buckets>,
    pub rule: IntervalRule,
    pub intervals: u32,
    /// Lengths of the intervals in units; all of one unit when empty.
    pub brackets: Vec<u32>,
    pub cohorts: Cohorts,
    pub on_or_after: bool,
    pub breakdown: bool,
    pub wanted: Option<Wanted>,
    /// Who is meant by a wanted interval.
    pub side: RetentionSide,
}

impl Operator for RetentionOperator {
    fn name(&self) -> &'static str {
        "Retention"
    }

    fn describe(&self) -> String {
        format!(
            "born={:?}; returning={:?}; born_ms={}..{}; rule={:?}; intervals=0..={}; brackets={:?}; cohorts={:?}; \
             on_or_after={}; breakdown={}; buckets={}{}",
            self.born.as_deref().unwrap_or("*"),
            self.returning.as_deref().unwrap_or("*"),
            self.born_from_ms,
            self.born_before_ms,
            self.rule,
            self.intervals,
            self.brackets,
            self.cohorts,
            self.on_or_after,
            self.breakdown,
            self.buckets.len(),
            match self.side {
                RetentionSide::Returned => "",
                RetentionSide::NotReturned => "; without return",
            }
        ) + &members_of(self.wanted.as_ref())
    }

    fn passes(&self) -> usize {
        match self.cohorts {
            Cohorts::Birth | Cohorts::FirstEver => 2,
            Cohorts::Recurring => 1,
        }
    }

    fn accumulate(&self, input: &SchemaRef) -> Result<Box<dyn Accumulate>> {
        let events = [self.born.clone(), self.returning.clone()];
        Ok(Box::new(Accumulator {
            rule: Rule {
                born_from_ms: self.born_from_ms,
                born_before_ms: self.born_before_ms,
                buckets: self.buckets.clone(),
                interval: self.rule.clone(),
                intervals: self.intervals,
                interval_of_unit: interval_of_unit(&self.brackets),
                on_or_after: self.on_or_after,
            },
            selectors: Selectors::new(&events, input),
            breakdowns: Breakdowns::new(usize::from(self.breakdown), input),
            persons: PersonIndex::default(),
            lives: match self.cohorts {
                Cohorts::Birth | Cohorts::FirstEver => Lives::Once(Once::default()),
                Cohorts::Recurring => Lives::Again(Vec::new()),
            },
            masks: Vec::new(),
            segments: Vec::new(),
            wanted: self.wanted.clone(),
            side: self.side,
        }))
    }
}

/// The interval that each unit belongs to; empty where every unit is one.
fn interval_of_unit(brackets: &[u32]) -> Vec<u8> {
    let lengths = brackets.iter().enumerate();
    lengths
        .flat_map(|(interval, units)| std::iter::repeat_n(interval as u8, *units as usize))
        .collect()
}

struct Rule {
    born_from_ms: i64,
    born_before_ms: i64,
    buckets: Arc<Buckets>,
    interval: IntervalRule,
    intervals: u32,
    interval_of_unit: Vec<u8>,
    on_or_after: bool,
}

struct Accumulator {
    rule: Rule,
    selectors: Selectors,
    breakdowns: Breakdowns,
    persons: PersonIndex,
    lives: Lives,
    masks: Vec<u32>,
    segments: Vec<u32>,
    wanted: Option<Wanted>,
    side: RetentionSide,
}

/// What is kept of the rows.
enum Lives {
    Once(Once),
    Again(Vec<LifeRow>),
}

/// Everybody's birth and, in the second pass, returns.
#[derive(Default)]
struct Once {
    births_known: bool,
    /// By person.
    births: Vec<Birth>,
    /// By person: bit `i` for a return in interval `i`.
    returned: Vec<u128>,
}

#[derive(Clone, Copy)]
struct Birth {
    time_ms: i64,
    seq: u64,
    /// As [`Breakdowns::of_rows`] gives it.
    segments: u32,
}

/// Later than any return.
const UNBORN: Birth = Birth {
    time_ms: i64::MAX,
    seq: u64::MAX,
    segments: 0,
};

const IS_BORN: u32 = 1;
const IS_RETURN: u32 = 2;

/// An event that can be a birth or a return.
#[derive(Clone, Copy, Debug)]
struct LifeRow {
    time_ms: i64,
    seq: u64,
    person: u32,
    is: u32,
    /// As [`Breakdowns::of_rows`] gives it; meaningless where it is no birth.
    segments: u32,
}

impl OfPerson for LifeRow {
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
        let (rule, persons, masks) = (&self.rule, &mut self.persons, &self.masks);
        let (rows, seqs) = (Rows::of(batch)?, Rows::seqs(batch));
        if let Lives::Once(once) = &mut self.lives
            && once.births_known
        {
            once.add_returns(rule, persons, &rows, masks);
            return Ok(());
        }
        self.breakdowns
            .of_rows(batch, &mut self.segments, |row| masks[row] & IS_BORN != 0)?;
        match &mut self.lives {
            Lives::Once(once) => once.add_births(rule, persons, &rows, seqs, masks, &self.segments),
            Lives::Again(lives) => {
                let mut last = (0, 0);
                for (row, mask) in masks.iter().enumerate() {
                    let (person, time_ms) = (rows.persons[row], rows.times_ms[row]);
                    let is = rule.kept(*mask, time_ms);
                    if is == 0 || person == 0 {
                        continue;
                    }
                    if person != last.0 {
                        last = (person, persons.number(person));
                    }
                    lives.push(LifeRow {
                        time_ms,
                        seq: seqs.map_or(0, |seqs| seqs[row]),
                        person: last.1,
                        is,
                        segments: self.segments[row],
                    });
                }
            }
        }
        Ok(())
    }

    fn next_pass(&mut self) {
        if let Lives::Once(once) = &mut self.lives {
            once.births_known = true;
            once.returned = vec![0; once.births.len()];
        }
    }

    fn size_bytes(&self) -> usize {
        let lives = match &self.lives {
            Lives::Once(once) => once.births.capacity() * (size_of::<Birth>() + size_of::<u128>()),
            Lives::Again(rows) => rows.capacity() * size_of::<LifeRow>(),
        };
        lives + self.breakdowns.size_bytes() + self.persons.size_bytes()
    }

    fn finish_bytes(&self) -> usize {
        match &self.lives {
            Lives::Once(_) => 0,
            Lives::Again(rows) => Grouped::<LifeRow>::bytes(rows.len(), self.persons.len()),
        }
    }

    fn finish(self: Box<Self>) -> Result<RecordBatch> {
        let series = self.rule.intervals as usize + 2;
        let tally = Tally::new(&self.breakdowns, series, self.rule.buckets.len(), self.wanted.as_ref());
        let mut counter = Counter {
            breakdowns: &self.breakdowns,
            side: self.side,
            tally,
        };
        match self.lives {
            Lives::Once(once) => {
                for (person, (birth, returned)) in once.births.iter().zip(&once.returned).enumerate() {
                    if self.rule.is_in_range(birth.time_ms) {
                        let bucket = self.rule.buckets.find(birth.time_ms);
                        let returned = self.rule.filled(*returned);
                        counter.count(self.persons.person(person), bucket, &birth.segments, returned);
                    }
                }
            }
            Lives::Again(rows) => {
                let grouped = Grouped::new(rows, self.persons.len());
                for (person, rows) in grouped.persons() {
                    self.rule.walk(self.persons.person(person), rows, &mut counter);
                }
            }
        }
        counter.tally.into_cells().into_batch()
    }
}

impl Once {
    fn add_births(
        &mut self,
        rule: &Rule,
        persons: &mut PersonIndex,
        rows: &Rows<'_>,
        seqs: Option<&[u64]>,
        masks: &[u32],
        segments: &[u32],
    ) {
        let mut last = (0, UNBORN.time_ms);
        for (row, mask) in masks.iter().enumerate() {
            let (person, time_ms) = (rows.persons[row], rows.times_ms[row]);
            // Rows of a person and event come in order of time: only the first can be the birth.
            if mask & IS_BORN == 0 || (person == last.0 && time_ms > last.1) {
                continue;
            }
            last = (person, time_ms);
            if time_ms >= rule.born_before_ms || person == 0 {
                continue;
            }
            let number = persons.number(person) as usize;
            if number == self.births.len() {
                self.births.push(UNBORN);
            }
            let birth = &mut self.births[number];
            let seq = seqs.map_or(0, |seqs| seqs[row]);
            if (time_ms, seq) < (birth.time_ms, birth.seq) {
                *birth = Birth {
                    time_ms,
                    seq,
                    segments: segments[row],
                };
            }
        }
    }

    fn add_returns(&mut self, rule: &Rule, persons: &PersonIndex, rows: &Rows<'_>, masks: &[u32]) {
        // Of the person at hand: number, birth and its bucket.
        let (mut last, mut number, mut birth_ms, mut bucket) = (0, 0, UNBORN.time_ms, 0);
        let mut returned = 0;
        for (row, mask) in masks.iter().enumerate() {
            let (person, time_ms) = (rows.persons[row], rows.times_ms[row]);
            if person != last {
                if returned != 0 {
                    self.returned[number] |= std::mem::take(&mut returned);
                }
                last = person;
                birth_ms = UNBORN.time_ms;
                if let Some(known) = persons.known(person) {
                    number = known as usize;
                    birth_ms = self.births[number].time_ms;
                    if !rule.is_in_range(birth_ms) {
                        birth_ms = UNBORN.time_ms;
                    } else if matches!(rule.interval, IntervalRule::Calendar) {
                        bucket = rule.buckets.find(birth_ms);
                    }
                }
            }
            if mask & IS_RETURN != 0 && time_ms > birth_ms {
                returned |= rule.interval_bit(birth_ms, || bucket, time_ms);
            }
        }
        if returned != 0 {
            self.returned[number] |= returned;
        }
    }
}

impl Rule {
    fn is_in_range(&self, birth_ms: i64) -> bool {
        (self.born_from_ms..self.born_before_ms).contains(&birth_ms)
    }

    /// What a row can be, by its time: nobody is born behind the range, and nobody returns before it.
    #[inline]
    fn kept(&self, mask: u32, time_ms: i64) -> u32 {
        if time_ms >= self.born_before_ms {
            mask & IS_RETURN
        } else if time_ms < self.born_from_ms {
            mask & IS_BORN
        } else {
            mask
        }
    }

    /// The bit of the interval that a return falls into; none for one beyond the last, unless it counts for that too.
    #[inline]
    fn interval_bit(&self, birth_ms: i64, birth_bucket: impl Fn() -> usize, return_ms: i64) -> u128 {
        let units = match self.interval {
            IntervalRule::Rolling { unit_ms } => (return_ms - birth_ms) / unit_ms,
            IntervalRule::Calendar => (self.buckets.find(return_ms) - birth_bucket()) as i64,
        };
        let interval = if self.interval_of_unit.is_empty() {
            units
        } else {
            let interval = self.interval_of_unit.get(units as usize);
            interval.map_or(i64::MAX, |interval| i64::from(*interval))
        };
        if interval <= i64::from(self.intervals) {
            1 << interval
        } else if self.on_or_after {
            1 << self.intervals
        } else {
            0
        }
    }

    /// With every interval up to the last one with a return, if that is the rule.
    fn filled(&self, returned: u128) -> u128 {
        if !self.on_or_after || returned == 0 {
            return returned;
        }
        let last = returned.ilog2();
        (1 << last) | ((1 << last) - 1)
    }

    /// One person, born in every bucket with a birth.
    fn walk(&self, person: u64, rows: &[LifeRow], counter: &mut Counter<'_>) {
        let mut last_bucket = None;
        for (index, birth) in rows.iter().enumerate().filter(|(_, row)| row.is & IS_BORN != 0) {
            let bucket = self.buckets.find(birth.time_ms);
            if last_bucket.replace(bucket) == Some(bucket) {
                continue;
            }
            let mut returned = 0_u128;
            let later = rows[index + 1..].iter();
            for row in later.filter(|row| row.is & IS_RETURN != 0 && row.time_ms > birth.time_ms) {
                let bit = self.interval_bit(birth.time_ms, || bucket, row.time_ms);
                if bit == 0 {
                    // Rows are in order of time: none of the rest returns earlier.
                    break;
                }
                returned |= bit;
            }
            counter.count(person, bucket, &birth.segments, self.filled(returned));
        }
    }
}

/// Counts births and returns.
struct Counter<'a> {
    breakdowns: &'a Breakdowns,
    side: RetentionSide,
    tally: Tally<'a>,
}

impl Counter<'_> {
    fn count(&mut self, person: u64, bucket: usize, segments: &u32, returned: u128) {
        let row = self.tally.everybody(bucket);
        self.count_in(row, person, returned);
        if self.breakdowns.len() == 0 {
            return;
        }
        let breakdowns = self.breakdowns;
        for segment in breakdowns.segments(segments) {
            let row = self.tally.segment(*segment, bucket);
            self.count_in(row, person, returned);
        }
    }

    fn count_in(&mut self, row: Row, person: u64, returned: u128) {
        let side = self.side;
        self.tally.member(row, person, |series| {
            let has_returned = || returned & (1 << (series - 1)) != 0;
            series == BORN || has_returned() == (side == RetentionSide::Returned)
        });
        self.tally.count(row, BORN, person);
        let mut rest = returned;
        while rest != 0 {
            self.tally.count(row, rest.trailing_zeros() + 1, person);
            rest &= rest - 1;
        }
    }
}

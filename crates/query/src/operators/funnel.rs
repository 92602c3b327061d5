//! Funnels: how far each person's counted attempt comes.
//!
//! What is here answers the plain funnel, of persons and in order; [`general`] answers every other. Rows that are a step of
//! the funnel are kept, in a few words each, until the partition has been read; then they are dealt out to their persons,
//! and each person's are walked in order of time.

mod attempts;
pub(crate) mod general;
pub(crate) mod rule;
mod walker;

use super::cells::Wanted;
use super::group::{Grouped, OfPerson};
use super::input::{Breakdowns, Rows, Selectors};
use super::tally::{Row, Tally};
use super::{Accumulate, Operator};
use crate::calendar::Buckets;
use crate::persons::PersonIndex;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use model::report::{Attempt, STEPS_MAX};
use std::sync::Arc;

/// Series of those who came no further than step 0, the next one of step 1, and so on. Exists only where wanted.
pub(crate) const DROPPED_OFF: u32 = STEPS_MAX as u32;

#[derive(Debug)]
pub(crate) struct FunnelOperator {
    /// Event per step.
    pub steps: Vec<Option<String>>,
    /// Starts that count: from, and to before.
    pub starts_ms: (i64, i64),
    pub window_ms: i64,
    pub tie_ms: i64,
    pub attempt: Attempt,
    pub breakdown: bool,
    /// Buckets of the trend.
    pub buckets: Option<Arc<Buckets>>,
    pub wanted: Option<Wanted>,
}

impl Operator for FunnelOperator {
    fn name(&self) -> &'static str {
        "Funnel"
    }

    fn describe(&self) -> String {
        let steps: Vec<&str> = self.steps.iter().map(|step| step.as_deref().unwrap_or("*")).collect();
        let members = self.wanted.as_ref().map(|wanted| format!("; members of {wanted:?}"));
        format!(
            "steps={steps:?}; starts=[{}, {}); window_ms={}; tie_ms={}; attempt={:?}; breakdown={}; buckets={}{}",
            self.starts_ms.0,
            self.starts_ms.1,
            self.window_ms,
            self.tie_ms,
            self.attempt,
            self.breakdown,
            self.buckets.as_ref().map_or(0, |buckets| buckets.len()),
            members.unwrap_or_default()
        )
    }

    fn accumulate(&self, input: &SchemaRef) -> Result<Box<dyn Accumulate>> {
        Ok(Box::new(Accumulator {
            rule: Rule {
                steps: self.steps.len(),
                starts_ms: self.starts_ms,
                window_ms: self.window_ms,
                tie_ms: self.tie_ms,
                attempt: self.attempt,
                buckets: self.buckets.clone(),
                wanted: self.wanted.clone(),
            },
            selectors: Selectors::new(&self.steps, input),
            breakdowns: Breakdowns::new(usize::from(self.breakdown), input),
            persons: PersonIndex::default(),
            rows: Vec::new(),
            masks: Vec::new(),
            segments: Vec::new(),
        }))
    }
}

struct Rule {
    steps: usize,
    starts_ms: (i64, i64),
    window_ms: i64,
    tie_ms: i64,
    attempt: Attempt,
    buckets: Option<Arc<Buckets>>,
    wanted: Option<Wanted>,
}

impl Rule {
    /// Whether a later start could still count instead of the best so far.
    fn can_be_beaten(&self, best: Option<Run>) -> bool {
        best.is_none_or(|best| self.attempt == Attempt::Furthest && best.steps < self.steps)
    }

    fn is_beaten_by(&self, best: Option<Run>, later: &Run) -> bool {
        best.is_none_or(|best| self.attempt == Attempt::Furthest && best.steps < later.steps)
    }
}

struct Accumulator {
    rule: Rule,
    selectors: Selectors,
    breakdowns: Breakdowns,
    persons: PersonIndex,
    rows: Vec<StepRow>,
    masks: Vec<u32>,
    segments: Vec<u32>,
}

/// An event that is some step.
#[derive(Clone, Copy, Debug)]
struct StepRow {
    time_ms: i64,
    seq: u64,
    person: u32,
    /// Bit `i`: it is step `i`.
    steps: u32,
    /// As [`Breakdowns::of_rows`] gives it; meaningless where it is not the first step.
    segments: u32,
}

impl OfPerson for StepRow {
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
            .of_rows(batch, &mut self.segments, |row| masks[row] & 1 != 0)?;
        let rows = Rows::of(batch)?;
        let seqs = Rows::seqs(batch);
        let mut last = (0, 0);
        for (row, mask) in masks.iter().enumerate() {
            let person = rows.persons[row];
            // Nobody goes through no funnel.
            if *mask == 0 || person == 0 {
                continue;
            }
            if person != last.0 {
                last = (person, self.persons.number(person));
            }
            self.rows.push(StepRow {
                time_ms: rows.times_ms[row],
                seq: seqs.map_or(0, |seqs| seqs[row]),
                person: last.1,
                steps: *mask,
                segments: self.segments[row],
            });
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<StepRow>() + self.breakdowns.size_bytes() + self.persons.size_bytes()
    }

    fn finish_bytes(&self) -> usize {
        let members = self
            .rule
            .wanted
            .as_ref()
            .map_or(0, |_| self.persons.len() * size_of::<u64>());
        Grouped::<StepRow>::bytes(self.rows.len(), self.persons.len()) + members
    }

    fn finish(self: Box<Self>) -> Result<RecordBatch> {
        let grouped = Grouped::new(self.rows, self.persons.len());
        let buckets = self.rule.buckets.as_ref().map_or(0, |buckets| buckets.len());
        let wanted = self.rule.wanted.as_ref();
        let mut walker = Walker {
            rule: &self.rule,
            breakdowns: &self.breakdowns,
            step_rows: vec![Vec::new(); self.rule.steps],
            tally: Tally::new(&self.breakdowns, self.rule.steps, buckets, wanted),
        };
        for (person, rows) in grouped.persons() {
            walker.person(self.persons.person(person), rows);
        }
        walker.tally.into_cells().into_batch()
    }
}

/// Walks one person after the other.
struct Walker<'a> {
    rule: &'a Rule,
    breakdowns: &'a Breakdowns,
    /// Indexes of the person's rows that are each step.
    step_rows: Vec<Vec<u32>>,
    tally: Tally<'a>,
}

/// One way through the funnel.
#[derive(Clone, Copy)]
struct Run {
    steps: usize,
    /// Indexes of the rows that are its steps.
    rows: [u32; STEPS_MAX],
}

impl Walker<'_> {
    /// Counts the person's attempt for the range, and the one of each bucket.
    fn person(&mut self, person: u64, rows: &[StepRow]) {
        let (from_ms, to_ms) = self.rule.starts_ms;
        let is_start = |row: &StepRow| row.steps & 1 == 1 && row.time_ms >= from_ms && row.time_ms < to_ms;
        if !rows.iter().any(is_start) {
            return;
        }
        self.list_steps(rows);
        let mut of_range: Option<Run> = None;
        let mut of_bucket: Option<(usize, Run)> = None;
        for (start, row) in rows.iter().enumerate().filter(|(_, row)| is_start(row)) {
            let bucket = self.rule.buckets.as_ref().map(|buckets| buckets.find(row.time_ms));
            if let Some((before, run)) = of_bucket
                && bucket != Some(before)
            {
                self.count(person, rows, &run, before);
                of_bucket = None;
            }
            let wanted_in_bucket = bucket.is_some() && self.rule.can_be_beaten(of_bucket.map(|(_, run)| run));
            if !wanted_in_bucket && !self.rule.can_be_beaten(of_range) {
                continue;
            }
            let run = self.attempt(rows, start);
            if self.rule.is_beaten_by(of_range, &run) {
                of_range = Some(run);
            }
            if let Some(bucket) = bucket
                && self.rule.is_beaten_by(of_bucket.map(|(_, run)| run), &run)
            {
                of_bucket = Some((bucket, run));
            }
        }
        if let Some((bucket, run)) = of_bucket {
            self.count(person, rows, &run, bucket);
        }
        if let Some(run) = of_range {
            self.count(person, rows, &run, self.tally.whole_range());
        }
    }

    /// Lists which rows are which step.
    fn list_steps(&mut self, rows: &[StepRow]) {
        self.step_rows.iter_mut().for_each(Vec::clear);
        for (index, row) in rows.iter().enumerate() {
            let mut steps = row.steps;
            while steps != 0 {
                self.step_rows[steps.trailing_zeros() as usize].push(index as u32);
                steps &= steps - 1;
            }
        }
    }

    /// Each further step takes the earliest row that may be it.
    fn attempt(&self, rows: &[StepRow], start: usize) -> Run {
        let start_ms = rows[start].time_ms;
        let mut run = Run {
            steps: 1,
            rows: [u32::MAX; STEPS_MAX],
        };
        run.rows[0] = start as u32;
        let mut before_ms = start_ms;
        for step in 1..self.rule.steps {
            let earliest_ms = before_ms.max(start_ms) - self.rule.tie_ms;
            let indexes = &self.step_rows[step];
            let first = indexes.partition_point(|index| rows[*index as usize].time_ms < earliest_ms);
            let next = indexes[first..].iter().find(|index| !run.rows[..step].contains(index));
            match next {
                Some(index) if rows[*index as usize].time_ms <= start_ms + self.rule.window_ms => {
                    run.rows[step] = *index;
                    before_ms = rows[*index as usize].time_ms;
                    run.steps = step + 1;
                }
                _ => break,
            }
        }
        run
    }

    fn count(&mut self, person: u64, rows: &[StepRow], run: &Run, bucket: usize) {
        let everybodys = self.tally.everybody(bucket);
        self.count_in(everybodys, person, rows, run);
        let breakdowns = self.breakdowns;
        if breakdowns.len() == 0 {
            return;
        }
        for segment in breakdowns.segments(&rows[run.rows[0] as usize].segments) {
            let of_segment = self.tally.segment(*segment, bucket);
            self.count_in(of_segment, person, rows, run);
        }
    }

    fn count_in(&mut self, row: Row, person: u64, rows: &[StepRow], run: &Run) {
        let steps = run.steps as u32;
        self.tally
            .member(row, person, |series| match series.checked_sub(DROPPED_OFF) {
                Some(last) => last + 1 == steps,
                None => series < steps,
            });
        let start_ms = rows[run.rows[0] as usize].time_ms;
        let mut before_ms = start_ms;
        for (step, index) in (0..steps).zip(run.rows) {
            let time_ms = rows[index as usize].time_ms;
            self.tally.count(row, step, person);
            // A step that ties with the one before may lie before it.
            let (from_previous_ms, from_start_ms) = ((time_ms - before_ms).max(0), (time_ms - start_ms).max(0));
            self.tally.took(row, step, from_previous_ms, from_start_ms);
            before_ms = time_ms;
        }
    }
}

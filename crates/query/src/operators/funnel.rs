//! Funnels: how far each person's counted attempt comes.
//!
//! What is here answers the plain funnel, of persons and in order; [`general`] answers every other. Rows that are a step of
//! the funnel are kept, in a few words each, until the partition has been read; then they are dealt out to their persons,
//! and each person's are walked in order of time.

mod attempts;
pub(crate) mod general;
pub(crate) mod rule;
mod walker;

use super::cells::{CellKey, Cells, WHOLE_RANGE, Wanted};
use super::group::{Grouped, OfPerson};
use super::input::{Breakdowns, Rows, Selectors};
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
        let mut cells = Cells::default();
        let wanted = self.rule.wanted.as_ref().map(|wanted| cells.key_of(wanted));
        let mut walker = Walker {
            rule: &self.rule,
            breakdowns: &self.breakdowns,
            persons: &self.persons,
            step_rows: vec![Vec::new(); self.rule.steps],
            cells,
            wanted,
            places: Vec::new(),
        };
        let everybody = walker.cells.place(Vec::new());
        for (_, rows) in grouped.persons() {
            walker.person(rows, everybody);
        }
        walker.cells.into_batch()
    }
}

/// Walks one person after the other.
struct Walker<'a> {
    rule: &'a Rule,
    breakdowns: &'a Breakdowns,
    persons: &'a PersonIndex,
    /// Indexes of the person's rows that are each step.
    step_rows: Vec<Vec<u32>>,
    cells: Cells,
    wanted: Option<CellKey>,
    /// Cell segment of each segment, once known.
    places: Vec<Option<u32>>,
}

/// One way through the funnel.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    steps: usize,
    times_ms: [i64; 32],
}

impl Walker<'_> {
    /// Counts the person's attempt for the range, and the one of each bucket.
    fn person(&mut self, rows: &[StepRow], everybody: u32) {
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
                self.count(rows, &run, before as i32, everybody);
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
            self.count(rows, &run, bucket as i32, everybody);
        }
        if let Some(run) = of_range {
            self.count(rows, &run, WHOLE_RANGE, everybody);
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
            start,
            steps: 1,
            times_ms: [start_ms; 32],
        };
        let mut used = [u32::MAX; 32];
        used[0] = start as u32;
        for step in 1..self.rule.steps {
            let earliest_ms = run.times_ms[step - 1].max(start_ms) - self.rule.tie_ms;
            let indexes = &self.step_rows[step];
            let first = indexes.partition_point(|index| rows[*index as usize].time_ms < earliest_ms);
            let next = indexes[first..].iter().find(|index| !used[..step].contains(index));
            match next {
                Some(index) if rows[*index as usize].time_ms <= start_ms + self.rule.window_ms => {
                    used[step] = *index;
                    run.times_ms[step] = rows[*index as usize].time_ms;
                    run.steps = step + 1;
                }
                _ => break,
            }
        }
        run
    }

    fn count(&mut self, rows: &[StepRow], run: &Run, bucket: i32, everybody: u32) {
        let row = &rows[run.start];
        let person = self.persons.person(row.person as usize);
        self.count_in(person, run, bucket, everybody);
        if self.breakdowns.len() == 0 {
            return;
        }
        for segment in self.breakdowns.segments(&row.segments) {
            let place = self.place(*segment);
            self.count_in(person, run, bucket, place);
        }
    }

    fn place(&mut self, segment: u32) -> u32 {
        let index = segment as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, None);
        }
        if let Some(place) = self.places[index] {
            return place;
        }
        let place = self
            .cells
            .place(self.breakdowns.index.shown(segment, self.breakdowns.len()));
        self.places[index] = Some(place);
        place
    }

    fn count_in(&mut self, person: u64, run: &Run, bucket: i32, segment: u32) {
        let key = |series: u32| CellKey {
            series,
            bucket,
            segment,
        };
        let dropped_off = key(DROPPED_OFF + run.steps as u32 - 1);
        if self.wanted == Some(dropped_off) {
            self.cells.entry(dropped_off).members.insert(person);
        }
        for step in 0..run.steps {
            let key = key(step as u32);
            let cell = self.cells.entry(key);
            if self.wanted == Some(key) {
                cell.members.insert(person);
            }
            cell.persons += 1;
            cell.crowd.insert(person);
            let time_ms = run.times_ms[step];
            cell.from_previous_ms += (time_ms - run.times_ms[step.saturating_sub(1)]).max(0) as f64;
            cell.from_start_ms += (time_ms - run.times_ms[0]).max(0) as f64;
        }
    }
}

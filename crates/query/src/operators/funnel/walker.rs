//! Counts the attempts of one person after the other, in a funnel of general form.

use super::DROPPED_OFF;
use super::attempts::{PersonRows, Run};
use super::general::{HeldIndex, Row};
use super::rule::Rule;
use crate::calendar::Buckets;
use crate::operators::cells::{CellKey, Cells, Took, WHOLE_RANGE, Wanted};
use crate::operators::input::Breakdowns;
use datafusion::arrow::array::RecordBatch;
use datafusion::common::Result;
use model::report::{Attempt, Attribution, FunnelCount};

pub(super) struct Walker<'a> {
    rule: &'a Rule,
    breakdowns: &'a Breakdowns,
    /// Word of the segment without a value.
    not_set: u32,
    buckets: Option<&'a Buckets>,
    rows: PersonRows<'a>,
    cells: Cells,
    everybody: u32,
    wanted: Option<CellKey>,
    /// Cell segment of each segment, once known.
    places: Vec<Option<u32>>,
    /// Segments of the attempt at hand.
    segments: Vec<u32>,
}

impl<'a> Walker<'a> {
    pub fn new(
        rule: &'a Rule,
        held: &'a HeldIndex,
        breakdowns: &'a Breakdowns,
        not_set: u32,
        buckets: Option<&'a Buckets>,
    ) -> Walker<'a> {
        let mut cells = Cells::default();
        Walker {
            rule,
            breakdowns,
            not_set,
            buckets,
            rows: PersonRows::new(rule, held),
            everybody: cells.place(Vec::new()),
            cells,
            wanted: None,
            places: Vec::new(),
            segments: Vec::new(),
        }
    }

    /// Collects the members of a number.
    pub fn want(&mut self, wanted: &Wanted) {
        self.wanted = Some(self.cells.key_of(wanted));
    }

    pub fn into_batch(self) -> Result<RecordBatch> {
        self.cells.into_batch()
    }

    pub fn person(&mut self, person: u64, rows: &[Row]) {
        if !rows.iter().any(|row| self.rows.may_start(row)) {
            return;
        }
        self.rows.list(rows);
        match self.rule.count {
            FunnelCount::Uniques => self.once_per_bucket(person, rows),
            FunnelCount::Totals => self.one_after_the_other(person, rows),
            FunnelCount::Sessions => self.once_per_session(person, rows),
        }
    }

    fn starts(&self, rows: &[Row]) -> Vec<usize> {
        let rows = rows.iter().enumerate();
        let starts = rows.filter(|(_, row)| self.rows.may_start(row));
        starts.map(|(index, _)| index).collect()
    }

    /// Whether a later start could still count instead of the best so far.
    fn can_be_beaten(&self, best: Option<&Run>) -> bool {
        best.is_none_or(|best| self.rule.attempt == Attempt::Furthest && best.len < self.rule.steps)
    }

    fn is_beaten_by(&self, best: Option<&Run>, later: &Run) -> bool {
        best.is_none_or(|best| self.rule.attempt == Attempt::Furthest && best.len < later.len)
    }

    fn bucket(&self, rows: &[Row], start: usize) -> Option<usize> {
        self.buckets.map(|buckets| buckets.find(rows[start].time_ms))
    }

    /// Counts the person's attempt for the range, and the one of each bucket.
    fn once_per_bucket(&mut self, person: u64, rows: &[Row]) {
        let mut of_range: Option<Run> = None;
        let mut of_bucket: Option<(usize, Run)> = None;
        for start in self.starts(rows) {
            let bucket = self.bucket(rows, start);
            if let Some((before, run)) = of_bucket
                && bucket != Some(before)
            {
                self.count(person, rows, &run, Some(before));
                of_bucket = None;
            }
            let best_of_bucket = of_bucket.as_ref().map(|(_, run)| run);
            let wanted_in_bucket = bucket.is_some() && self.can_be_beaten(best_of_bucket);
            if !wanted_in_bucket && !self.can_be_beaten(of_range.as_ref()) {
                continue;
            }
            let run = self.rows.attempt(rows, start);
            if let Some(bucket) = bucket
                && self.is_beaten_by(best_of_bucket, &run)
            {
                of_bucket = Some((bucket, run));
            }
            if self.is_beaten_by(of_range.as_ref(), &run) {
                of_range = Some(run);
            }
        }
        if let Some((bucket, run)) = of_bucket {
            self.count(person, rows, &run, Some(bucket));
        }
        if let Some(run) = of_range {
            self.count(person, rows, &run, None);
        }
    }

    /// Counts attempts that do not overlap.
    fn one_after_the_other(&mut self, person: u64, rows: &[Row]) {
        let mut over = 0;
        for start in self.starts(rows) {
            if start < over {
                continue;
            }
            let run = self.rows.attempt(rows, start);
            over = run.over;
            self.count_twice(person, rows, &run);
        }
    }

    /// Counts one attempt of each session.
    fn once_per_session(&mut self, person: u64, rows: &[Row]) {
        let mut of_session: Option<Run> = None;
        for start in self.starts(rows) {
            if let Some(run) = of_session
                && self.rows.session(run.start()) != self.rows.session(start)
            {
                self.count_twice(person, rows, &run);
                of_session = None;
            }
            if !self.can_be_beaten(of_session.as_ref()) {
                continue;
            }
            let run = self.rows.attempt(rows, start);
            if self.is_beaten_by(of_session.as_ref(), &run) {
                of_session = Some(run);
            }
        }
        if let Some(run) = of_session {
            self.count_twice(person, rows, &run);
        }
    }

    /// Counts an attempt for the range and for the bucket of its start.
    fn count_twice(&mut self, person: u64, rows: &[Row], run: &Run) {
        self.count(person, rows, run, None);
        if let Some(bucket) = self.bucket(rows, run.start()) {
            self.count(person, rows, run, Some(bucket));
        }
    }

    fn count(&mut self, person: u64, rows: &[Row], run: &Run, bucket: Option<usize>) {
        let bucket = bucket.map_or(WHOLE_RANGE, |bucket| bucket as i32);
        self.count_in(person, rows, run, bucket, self.everybody);
        if self.breakdowns.len() == 0 {
            return;
        }
        self.attribute(rows, run);
        let segments = std::mem::take(&mut self.segments);
        for segment in &segments {
            let place = self.place(*segment);
            self.count_in(person, rows, run, bucket, place);
        }
        self.segments = segments;
    }

    /// Lists the segments that an attempt belongs to.
    fn attribute(&mut self, rows: &[Row], run: &Run) {
        self.segments.clear();
        let word = |place: usize| &rows[run.rows[place] as usize].segments;
        let mut set = (0..run.len).filter(|place| *word(*place) != self.not_set);
        let place = match self.rule.attribution {
            Attribution::First => set.next(),
            Attribution::Last => set.next_back(),
            Attribution::Step(step) => (0..run.len).find(|place| usize::from(run.steps[*place]) == step),
            Attribution::Any => {
                for segment in set.flat_map(|place| self.breakdowns.segments(word(place))) {
                    if !self.segments.contains(segment) {
                        self.segments.push(*segment);
                    }
                }
                None
            }
        };
        if let Some(place) = place {
            self.segments.extend(self.breakdowns.segments(word(place)));
        }
        if self.segments.is_empty() {
            self.segments.extend(self.breakdowns.segments(&self.not_set));
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
        let shown = self.breakdowns.index.shown(segment, self.breakdowns.len());
        let place = self.cells.place(shown);
        self.places[index] = Some(place);
        place
    }

    fn count_in(&mut self, person: u64, rows: &[Row], run: &Run, bucket: i32, segment: u32) {
        let key = |series: u32| CellKey {
            series,
            bucket,
            segment,
        };
        let dropped_off = key(DROPPED_OFF + run.len as u32 - 1);
        if self.wanted == Some(dropped_off) {
            self.cells.entry(dropped_off).members.insert(person);
        }
        let time_ms = |place: usize| rows[run.rows[place] as usize].time_ms;
        for place in 0..run.len {
            let key = key(place as u32);
            let cell = self.cells.entry(key);
            if self.wanted == Some(key) {
                cell.members.insert(person);
            }
            match self.rule.count {
                FunnelCount::Uniques => cell.persons += 1,
                FunnelCount::Totals | FunnelCount::Sessions => cell.events += 1,
            }
            cell.crowd.insert(person);
            let took = Took {
                person,
                from_previous_ms: (time_ms(place) - time_ms(place.saturating_sub(1))).max(0),
                from_start_ms: (time_ms(place) - time_ms(0)).max(0),
            };
            cell.from_previous_ms += took.from_previous_ms as f64;
            cell.from_start_ms += took.from_start_ms as f64;
            if self.rule.times && place > 0 && bucket == WHOLE_RANGE {
                cell.times.push(took);
            }
        }
    }
}

//! The attempts of one person, in a funnel of general form.

use super::general::{HeldIndex, Row};
use super::rule::{EXCLUSION_BIT, KEPT, Rule};
use crate::operators::sessions::sessions;
use model::report::STEPS_MAX;
use std::ops::Range;

/// One person's rows, listed by what they are.
pub(super) struct PersonRows<'a> {
    rule: &'a Rule,
    held: &'a HeldIndex,
    /// Rows that are each step, by held values and then in order.
    steps: Vec<Vec<u32>>,
    /// Rows that each exclusion looks at, in order.
    excluded: Vec<Vec<u32>>,
    /// Rows that end an attempt in a strict funnel, in order.
    others: Vec<u32>,
    sessions: Vec<Range<usize>>,
    /// Session of each row.
    session_of: Vec<u32>,
}

/// One way through the funnel.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub len: usize,
    /// Steps in the order in which they were taken, and their rows.
    pub steps: [u8; STEPS_MAX],
    pub rows: [u32; STEPS_MAX],
    /// The first row with which the next attempt may begin, if attempts must not overlap.
    pub over: usize,
}

impl Run {
    pub fn start(&self) -> usize {
        self.rows[0] as usize
    }

    fn uses(&self, row: u32) -> bool {
        self.rows[..self.len].contains(&row)
    }

    fn take(&mut self, step: u32, row: u32) {
        self.steps[self.len] = step as u8;
        self.rows[self.len] = row;
        self.len += 1;
    }
}

impl<'a> PersonRows<'a> {
    pub fn new(rule: &'a Rule, held: &'a HeldIndex) -> PersonRows<'a> {
        PersonRows {
            rule,
            held,
            steps: vec![Vec::new(); rule.steps],
            excluded: vec![Vec::new(); rule.exclusions.len()],
            others: Vec::new(),
            sessions: Vec::new(),
            session_of: Vec::new(),
        }
    }

    /// Whether an attempt can begin with a row.
    pub fn may_start(&self, row: &Row) -> bool {
        let (from_ms, to_ms) = self.rule.starts_ms;
        row.bits & self.rule.groups[0] != 0 && row.time_ms >= from_ms && row.time_ms < to_ms && self.has_held(row)
    }

    fn has_held(&self, row: &Row) -> bool {
        self.held.is_empty() || self.held.is_complete(row.held)
    }

    /// Lists the rows of the next person.
    pub fn list(&mut self, rows: &[Row]) {
        self.steps.iter_mut().chain(&mut self.excluded).for_each(Vec::clear);
        self.others.clear();
        for (index, row) in rows.iter().enumerate() {
            let index = index as u32;
            for (step, listed) in self.steps.iter_mut().enumerate() {
                if row.bits & 1 << step != 0 && (self.held.is_empty() || self.held.is_complete(row.held)) {
                    listed.push(index);
                }
            }
            for (exclusion, listed) in self.excluded.iter_mut().enumerate() {
                if row.bits & 1 << (EXCLUSION_BIT + exclusion as u32) != 0 {
                    listed.push(index);
                }
            }
            if self.rule.strict && row.bits & KEPT != 0 {
                self.others.push(index);
            }
        }
        if !self.held.is_empty() {
            let steps = self.steps.iter_mut();
            steps.for_each(|listed| listed.sort_by_key(|index| rows[*index as usize].held));
        }
        self.list_sessions(rows);
    }

    fn list_sessions(&mut self, rows: &[Row]) {
        let Some((_, timeout_ms)) = self.rule.sessions else {
            return;
        };
        self.sessions.clear();
        self.sessions.extend(sessions(rows, timeout_ms));
        self.session_of.clear();
        for (number, session) in self.sessions.iter().enumerate() {
            self.session_of.extend(session.clone().map(|_| number as u32));
        }
    }

    /// The session of a row, where sessions matter.
    pub fn session(&self, row: usize) -> usize {
        self.session_of[row] as usize
    }

    /// The rows that can be part of an attempt with this start.
    fn window(&self, rows: &[Row], start: usize) -> Range<u32> {
        let last_ms = rows[start].time_ms + self.rule.window_ms;
        let end = rows.partition_point(|row| row.time_ms <= last_ms);
        let Some((count, _)) = self.rule.sessions else {
            return 0..end as u32;
        };
        let first = self.session(start);
        let last = (first + count as usize).min(self.sessions.len()) - 1;
        self.sessions[first].start as u32..end.min(self.sessions[last].end) as u32
    }

    pub fn attempt(&self, rows: &[Row], start: usize) -> Run {
        let window = self.window(rows, start);
        let mut run = Run {
            len: 0,
            steps: [0; STEPS_MAX],
            rows: [0; STEPS_MAX],
            over: 0,
        };
        run.take((rows[start].bits & self.rule.groups[0]).trailing_zeros(), start as u32);
        let mut done = 1_u32 << run.steps[0];
        while run.len < self.rule.steps {
            let next = self.next(rows, &run, self.rule.groups[run.len] & !done, &window);
            let end = self.end(rows, &run, &window);
            if let Some(end) = end
                && next
                    .is_none_or(|(_, row)| rows[end as usize].time_ms < rows[row as usize].time_ms - self.rule.tie_ms)
            {
                run.over = end as usize;
                return run;
            }
            let Some((step, row)) = next else {
                run.over = window.end as usize;
                return run;
            };
            done |= 1 << step;
            run.take(step, row);
        }
        let last = run.rows[..run.len].iter().max();
        run.over = last.map_or(0, |last| *last as usize + 1);
        run
    }

    /// The earliest row that is a step which may come next, and the first such step that it is.
    fn next(&self, rows: &[Row], run: &Run, open: u32, window: &Range<u32>) -> Option<(u32, u32)> {
        let start = &rows[run.start()];
        let before_ms = rows[run.rows[run.len - 1] as usize].time_ms;
        let earliest_ms = before_ms.max(start.time_ms) - self.rule.tie_ms;
        let mut earliest: Option<(u32, u32)> = None;
        let mut rest = open;
        while rest != 0 {
            let step = rest.trailing_zeros();
            rest &= rest - 1;
            let listed = &self.steps[step as usize];
            let first = listed.partition_point(|index| {
                let row = &rows[*index as usize];
                (row.held, row.time_ms) < (start.held, earliest_ms)
            });
            let mut in_reach = listed[first..]
                .iter()
                .copied()
                .take_while(|row| rows[*row as usize].held == start.held && *row < window.end);
            let found = in_reach.find(|row| *row >= window.start && !run.uses(*row));
            if let Some(row) = found
                && earliest.is_none_or(|(_, before)| row < before)
            {
                earliest = Some((step, row));
            }
        }
        earliest
    }

    /// The earliest row that ends the attempt, if no next step comes before it.
    fn end(&self, rows: &[Row], run: &Run, window: &Range<u32>) -> Option<u32> {
        let first_after = |listed: &[u32], step: usize, ends: &dyn Fn(&Row) -> bool| {
            let after_ms = rows[run.rows[step] as usize].time_ms + self.rule.tie_ms;
            let first = listed.partition_point(|row| rows[*row as usize].time_ms <= after_ms);
            let in_reach = listed[first..].iter().copied().take_while(|row| *row < window.end);
            let mut unused = in_reach.filter(|row| *row >= window.start && !run.uses(*row));
            unused.find(|row| ends(&rows[*row as usize]))
        };
        let mut earliest = first_after(&self.others, 0, &|_| true);
        let last = run.len - 1;
        for (listed, (from, to)) in self.excluded.iter().zip(&self.rule.exclusions) {
            if *from > last || last >= *to {
                continue;
            }
            let started = rows[run.start()].held;
            let ends = |row: &Row| self.held.is_empty() || self.held.agrees(row.held, started);
            if let Some(row) = first_after(listed, *from, &ends) {
                earliest = Some(earliest.map_or(row, |before| before.min(row)));
            }
        }
        earliest
    }
}

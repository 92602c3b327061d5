//! One person's events in order: which occurrences count, and the path of each.

use super::FlowRow;
use super::nodes::Nodes;
use super::table::{End, MORE, Path, place};
use crate::operators::sessions::sessions;
use model::report::{ANCHORS_MAX, Flow, FlowCount};

/// Walks one person after the other.
pub(super) struct Walker<'a> {
    flow: &'a Flow,
    nodes: &'a Nodes,
    starts_ms: (i64, i64),
    /// Session of each row; [`NO_SESSION`] outside the range. Empty where sessions do not matter.
    sessions: Vec<u32>,
    /// Rows that are each anchor.
    anchor_rows: Vec<Vec<u32>>,
    /// Rows that are steps.
    steps: Vec<u32>,
    /// Steps before each row.
    rank: Vec<u32>,
    /// Where the run of equal nodes that each step is in begins, and the end behind it. A step that does not collapse
    /// is a run of its own.
    run_begin: Vec<u32>,
    run_end: Vec<u32>,
    path: Path,
}

const NO_SESSION: u32 = u32::MAX;

type Anchors = [usize; ANCHORS_MAX];

impl<'a> Walker<'a> {
    pub fn new(flow: &'a Flow, nodes: &'a Nodes, starts_ms: (i64, i64)) -> Walker<'a> {
        Walker {
            flow,
            nodes,
            starts_ms,
            sessions: Vec::new(),
            anchor_rows: vec![Vec::new(); flow.anchors.len()],
            steps: Vec::new(),
            rank: Vec::new(),
            run_begin: Vec::new(),
            run_end: Vec::new(),
            path: Path::default(),
        }
    }

    /// Hands on what is counted of a person: the segments' word of the start, and the path, which is without places where
    /// no occurrence was found. `later`: the person has steps after all rows.
    pub fn person(&mut self, rows: &[FlowRow], later: bool, mut count: impl FnMut(u32, &Path)) {
        let (from_ms, to_ms) = self.starts_ms;
        let is_start = |row: &FlowRow| row.anchors & 1 == 1 && row.time_ms >= from_ms && row.time_ms < to_ms;
        if !rows.iter().any(is_start) {
            return;
        }
        self.list(rows);
        let mut starts = (0..rows.len()).filter(|row| is_start(&rows[*row])).peekable();
        while let Some(first) = starts.next() {
            let mut found = self.occurrence(rows, first).map(|anchors| (first, anchors));
            if self.flow.count != FlowCount::Total {
                // Of a person's or session's starts the first that is an occurrence stands for all.
                while let Some(next) = starts.next_if(|next| self.are_one(first, *next)) {
                    if found.is_none() {
                        found = self.occurrence(rows, next).map(|anchors| (next, anchors));
                    }
                }
            }
            let Some((start, anchors)) = found else {
                self.path.clear();
                count(rows[first].segments, &self.path);
                continue;
            };
            self.follow(rows, &anchors, later);
            count(rows[start].segments, &self.path);
            let last = anchors[self.flow.anchors.len() - 1];
            if self.flow.count == FlowCount::Total {
                while starts.next_if(|next| *next <= last).is_some() {}
            }
        }
    }

    /// Whether two starts are counted as one.
    fn are_one(&self, first: usize, next: usize) -> bool {
        self.flow.count == FlowCount::Person || self.sessions[first] == self.sessions[next]
    }

    /// Notes what is asked of the rows again and again.
    fn list(&mut self, rows: &[FlowRow]) {
        self.list_sessions(rows);
        self.anchor_rows.iter_mut().for_each(Vec::clear);
        self.steps.clear();
        self.rank.clear();
        for (index, row) in rows.iter().enumerate() {
            self.rank.push(self.steps.len() as u32);
            if row.step {
                self.steps.push(index as u32);
            }
            let mut anchors = row.anchors;
            while anchors != 0 {
                self.anchor_rows[anchors.trailing_zeros() as usize].push(index as u32);
                anchors &= anchors - 1;
            }
        }
        self.list_runs(rows);
    }

    fn list_sessions(&mut self, rows: &[FlowRow]) {
        self.sessions.clear();
        if !self.flow.needs_sessions() {
            return;
        }
        self.sessions.resize(rows.len(), NO_SESSION);
        let begin = rows.partition_point(|row| row.time_ms < self.starts_ms.0);
        let end = rows.partition_point(|row| row.time_ms < self.starts_ms.1);
        let found = sessions(&rows[begin..end], self.flow.session_timeout_ms);
        for (number, session) in (0..).zip(found) {
            self.sessions[begin + session.start..begin + session.end].fill(number);
        }
    }

    fn list_runs(&mut self, rows: &[FlowRow]) {
        let node = |step: u32| rows[step as usize].node;
        self.run_begin.clear();
        for (index, step) in self.steps.iter().enumerate() {
            let node_here = node(*step);
            let goes_on = index > 0 && node(self.steps[index - 1]) == node_here && self.nodes.collapses(node_here);
            let begin = if goes_on {
                self.run_begin[index - 1]
            } else {
                index as u32
            };
            self.run_begin.push(begin);
        }
        self.run_end.clear();
        self.run_end.resize(self.steps.len(), 0);
        for index in (0..self.steps.len()).rev() {
            let next = index + 1;
            let goes_on = next < self.steps.len() && self.run_begin[next] == self.run_begin[index];
            self.run_end[index] = if goes_on { self.run_end[next] } else { next as u32 };
        }
    }

    /// The earliest further anchors after a start.
    fn occurrence(&self, rows: &[FlowRow], start: usize) -> Option<Anchors> {
        let mut anchors = [start; ANCHORS_MAX];
        for anchor in 1..self.flow.anchors.len() {
            let candidates = &self.anchor_rows[anchor];
            let first = candidates.partition_point(|row| *row as usize <= anchors[anchor - 1]);
            let next = *candidates.get(first)? as usize;
            if !self.is_within_reach(rows, start, next) {
                return None;
            }
            anchors[anchor] = next;
        }
        Some(anchors)
    }

    fn is_within_reach(&self, rows: &[FlowRow], start: usize, row: usize) -> bool {
        match self.flow.window_ms {
            Some(window_ms) => (rows[row].time_ms - rows[start].time_ms).abs() <= window_ms,
            None => self.sessions[row] == self.sessions[start],
        }
    }

    /// Fills `path` with the path around an occurrence.
    fn follow(&mut self, rows: &[FlowRow], anchors: &Anchors, later: bool) {
        let mut path = std::mem::take(&mut self.path);
        path.clear();
        let (anchors, before) = (&anchors[..self.flow.anchors.len()], self.flow.before as usize);
        self.follow_before(rows, anchors[0], &mut path);
        let gap_columns = self.flow.between as usize + 2;
        for (anchor, row) in anchors.iter().enumerate() {
            let column = before + anchor * gap_columns;
            path.places.push(place(column, rows[*row].node));
            if let Some(next) = anchors.get(anchor + 1) {
                path.more[anchor] = self.follow_between(rows, *row, *next, column + 1, &mut path);
            }
        }
        let column = before + (anchors.len() - 1) * gap_columns + 1;
        let last = anchors[anchors.len() - 1];
        let shown = self.follow_after(rows, anchors[0], last, column, &mut path);
        if shown < self.flow.after as usize {
            let last_step = self.steps.last().map(|step| *step as usize);
            let goes_on = last_step.is_some_and(|step| step > last && !self.is_within_reach(rows, anchors[0], step));
            path.end = if later || goes_on {
                End::WindowEnded
            } else {
                End::DroppedOff
            };
        }
        self.path = path;
    }

    /// Whether a step beside an anchor is a repeat of it.
    fn repeats(&self, step_node: u32, anchor_node: u32) -> bool {
        step_node == anchor_node && self.nodes.collapses(step_node)
    }

    fn follow_before(&self, rows: &[FlowRow], start: usize, path: &mut Path) {
        let mut next = self.rank[start] as usize;
        let mut column = self.flow.before as usize;
        let end = next;
        while next > 0 && column > 0 {
            let (index, row) = (next - 1, self.steps[next - 1] as usize);
            if !self.is_within_reach(rows, start, row) {
                break;
            }
            next = self.run_begin[index] as usize;
            if index + 1 == end && self.repeats(rows[row].node, rows[start].node) {
                continue;
            }
            column -= 1;
            path.places.push(place(column, rows[row].node));
        }
        path.places.reverse();
    }

    /// How many steps of the gap have no column of their own.
    fn follow_between(&self, rows: &[FlowRow], left: usize, right: usize, column: usize, path: &mut Path) -> u64 {
        let begin = self.rank[left] as usize + usize::from(rows[left].step);
        let end = self.rank[right] as usize;
        let (mut next, mut shown, mut more) = (begin, 0, 0);
        while next < end {
            let (index, node) = (next, rows[self.steps[next] as usize].node);
            next = (self.run_end[index] as usize).min(end);
            let repeats_left = index == begin && self.repeats(node, rows[left].node);
            let repeats_right = next == end && self.repeats(node, rows[right].node);
            if repeats_left || repeats_right {
                continue;
            }
            if shown < self.flow.between as usize {
                path.places.push(place(column + shown, node));
                shown += 1;
            } else {
                more += 1;
            }
        }
        if more > 0 {
            path.places.push(place(column + shown, MORE));
        }
        more
    }

    /// How many steps are shown after the last anchor.
    fn follow_after(&self, rows: &[FlowRow], start: usize, last: usize, column: usize, path: &mut Path) -> usize {
        let begin = self.rank[last] as usize + usize::from(rows[last].step);
        let (mut next, mut shown) = (begin, 0);
        while next < self.steps.len() && shown < self.flow.after as usize {
            let (index, row) = (next, self.steps[next] as usize);
            if !self.is_within_reach(rows, start, row) {
                break;
            }
            next = self.run_end[index] as usize;
            if index == begin && self.repeats(rows[row].node, rows[last].node) {
                continue;
            }
            path.places.push(place(column + shown, rows[row].node));
            shown += 1;
        }
        shown
    }
}

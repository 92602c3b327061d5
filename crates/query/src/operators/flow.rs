//! Flows: the paths that persons take around anchors.
//!
//! Rows that are a step, an anchor or part of a session are kept, in a few words each, until the partition has been
//! read; then they are dealt out to their persons, and [`walk`] follows each person's. What a partition ends with is
//! its [`table`] of distinct paths with the persons of each; [`graph`] turns the paths of all into nodes and links,
//! because which nodes are rare is known only then.

mod graph;
mod nodes;
mod table;
mod walk;

use super::group::{Grouped, OfPerson};
use super::input::{Breakdowns, Rows, Selectors};
use super::{Accumulate, Memory, Operator, cells};
use crate::persons::PersonIndex;
use datafusion::arrow::array::{AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{Int32Type, SchemaRef};
use datafusion::common::{Result, internal_err};
use model::report::{Flow, FlowCell};
use nodes::Nodes;
use std::sync::Arc;
use table::PathTable;

pub(crate) use graph::{only_cell, read};

#[derive(Debug)]
pub(crate) struct FlowOperator {
    pub flow: Arc<Flow>,
    /// Starts that count: from, and to before.
    pub starts_ms: (i64, i64),
    /// Whether the report's filter is a column behind those of the anchors, because sessions are made before it.
    pub filter: bool,
    /// The number whose members are wanted instead of an answer.
    pub number: Option<FlowCell>,
}

impl Operator for FlowOperator {
    fn name(&self) -> &'static str {
        "Flow"
    }

    fn describe(&self) -> String {
        let flow = serde_json::to_string(self.flow.as_ref()).expect("a definition is plain JSON");
        let members = self.number.as_ref().map(|number| format!("; members of {number:?}"));
        format!(
            "starts=[{}, {}); filter={}; {flow}{}",
            self.starts_ms.0,
            self.starts_ms.1,
            self.filter,
            members.unwrap_or_default()
        )
    }

    fn accumulate(&self, input: &SchemaRef) -> Result<Box<dyn Accumulate>> {
        let flow = &self.flow;
        let anchors = flow.anchors.len();
        let anchor_events: Vec<Option<String>> = flow.anchors.iter().map(|anchor| anchor.event.clone()).collect();
        let expansions = flow.expand.len();
        Ok(Box::new(Accumulator {
            flow: flow.clone(),
            starts_ms: self.starts_ms,
            filter: self.filter.then(|| Selectors::over(&[None], anchors, input)),
            anchors: Selectors::new(&anchor_events, input),
            nodes: Nodes::new(flow.clone(), input),
            breakdowns: Breakdowns::over(expansions..expansions + usize::from(flow.breakdown.is_some()), input),
            persons: PersonIndex::default(),
            later: Vec::new(),
            rows: Vec::new(),
            batch: BatchWords::default(),
        }))
    }

    fn partial_schema(&self) -> SchemaRef {
        table::schema()
    }

    fn schema(&self) -> SchemaRef {
        match self.number {
            Some(_) => cells::schema(),
            None => graph::schema(),
        }
    }

    fn merge(&self, partials: &[RecordBatch], memory: Memory<'_>) -> Result<RecordBatch> {
        match &self.number {
            Some(number) => graph::merge_members(&self.flow, number, partials, memory),
            None => graph::merge(&self.flow, partials, memory),
        }
    }
}

struct Accumulator {
    flow: Arc<Flow>,
    starts_ms: (i64, i64),
    filter: Option<Selectors>,
    anchors: Selectors,
    nodes: Nodes,
    breakdowns: Breakdowns,
    persons: PersonIndex,
    /// Whether each person has a step after every row that is kept.
    later: Vec<bool>,
    rows: Vec<FlowRow>,
    batch: BatchWords,
}

/// Words of the rows of one batch.
#[derive(Default)]
struct BatchWords {
    /// Bit 0: the report's filter keeps the row.
    kept: Vec<u32>,
    anchors: Vec<u32>,
    nodes: Vec<u32>,
    segments: Vec<u32>,
    /// Per event name of the dictionary.
    names: Vec<NameFlags>,
}

#[derive(Clone, Copy)]
struct NameFlags {
    hidden: bool,
    step: bool,
}

/// An event of somebody.
#[derive(Clone, Copy, Debug)]
struct FlowRow {
    time_ms: i64,
    seq: u64,
    person: u32,
    /// Of [`Nodes`]; meaningless where it is neither step nor anchor.
    node: u32,
    /// As [`Breakdowns::of_rows`] gives it; meaningless where it is not the first anchor.
    segments: u32,
    /// Bit `i`: it is anchor `i`.
    anchors: u8,
    step: bool,
}

impl OfPerson for FlowRow {
    fn person(&self) -> u32 {
        self.person
    }

    fn order(&self) -> (i64, u64) {
        (self.time_ms, self.seq)
    }
}

impl Accumulator {
    /// Fills the words of a batch.
    fn read(&mut self, batch: &RecordBatch, keys: &[i32]) -> Result<()> {
        let BatchWords {
            kept,
            anchors,
            nodes,
            segments,
            names,
        } = &mut self.batch;
        match &self.filter {
            Some(filter) => filter.masks(batch, kept)?,
            None => {
                kept.clear();
                kept.resize(batch.num_rows(), 1);
            }
        }
        let name = |row: usize| names[keys[row] as usize];
        let counts = |row: usize| kept[row] & 1 == 1 && !name(row).hidden;
        self.anchors.masks_where(batch, anchors, counts)?;
        self.nodes
            .of_rows(batch, nodes, |row| anchors[row] != 0 || (counts(row) && name(row).step))?;
        if self.flow.breakdown.is_some() {
            self.breakdowns.of_rows(batch, segments, |row| anchors[row] & 1 == 1)
        } else {
            segments.clear();
            segments.resize(batch.num_rows(), 0);
            Ok(())
        }
    }

    /// Whether no path reaches so late.
    fn is_beyond(&self, time_ms: i64) -> bool {
        match self.flow.window_ms {
            Some(window_ms) => time_ms >= self.starts_ms.1 + window_ms,
            None => time_ms >= self.starts_ms.1,
        }
    }

    fn is_in_a_session(&self, time_ms: i64) -> bool {
        self.flow.needs_sessions() && self.starts_ms.0 <= time_ms && time_ms < self.starts_ms.1
    }
}

impl Accumulate for Accumulator {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let Some(events) = batch.column_by_name("event") else {
            return internal_err!("a flow misses its column 'event'");
        };
        let events = events.as_dictionary::<Int32Type>();
        let names: &StringArray = events.values().as_string();
        self.batch.names.clear();
        self.batch.names.extend(names.iter().map(|name| NameFlags {
            hidden: self.flow.is_hidden(name.unwrap_or_default()),
            step: self.flow.is_step(name.unwrap_or_default()),
        }));
        let keys = events.keys().values();
        self.read(batch, keys)?;
        let rows = Rows::of(batch)?;
        let seqs = Rows::seqs(batch);
        let mut last = (0, 0);
        for (row, person) in rows.persons.iter().copied().enumerate() {
            let time_ms = rows.times_ms[row];
            let anchors = self.batch.anchors[row] as u8;
            let step = self.batch.kept[row] & 1 == 1 && self.batch.names[keys[row] as usize].step;
            // Nobody goes nowhere.
            if person == 0 || (anchors == 0 && !step && !self.is_in_a_session(time_ms)) {
                continue;
            }
            if person != last.0 {
                last = (person, self.persons.number(person));
                self.later.resize(self.persons.len(), false);
            }
            if self.is_beyond(time_ms) {
                self.later[last.1 as usize] |= step;
                continue;
            }
            self.rows.push(FlowRow {
                time_ms,
                seq: seqs.map_or(0, |seqs| seqs[row]),
                person: last.1,
                node: self.batch.nodes[row],
                segments: self.batch.segments[row],
                anchors,
                step,
            });
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<FlowRow>()
            + self.later.capacity()
            + self.nodes.size_bytes()
            + self.breakdowns.size_bytes()
            + self.persons.size_bytes()
    }

    fn finish_bytes(&self) -> usize {
        Grouped::<FlowRow>::bytes(self.rows.len(), self.persons.len())
    }

    fn finish(self: Box<Self>) -> Result<RecordBatch> {
        self.finish_within(&|_| Ok(()))
    }

    fn finish_within(self: Box<Self>, memory: Memory<'_>) -> Result<RecordBatch> {
        let state = *self;
        let grouped = Grouped::new(state.rows, state.persons.len());
        let mut walker = walk::Walker::new(&state.flow, &state.nodes, state.starts_ms);
        let mut table = PathTable::default();
        let mut reserved = 0;
        for (number, rows) in grouped.persons() {
            let person = state.persons.person(number);
            walker.person(rows, state.later[number], |segments, path| {
                table.add(segments, path, person);
            });
            let size = table.size_bytes();
            // The batch that it ends as takes as much again.
            if 2 * size > reserved {
                let more = 2 * size - reserved + (1 << 20);
                memory(more)?;
                reserved += more;
            }
        }
        table.into_batch(&state.nodes, |word| {
            let breakdowns = &state.breakdowns;
            match breakdowns.len() {
                0 => Vec::new(),
                len => {
                    let segments = breakdowns.segments(&word).iter();
                    segments.map(|segment| breakdowns.index.shown(*segment, len)).collect()
                }
            }
        })
    }
}

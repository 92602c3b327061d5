//! Flows: the paths that persons take around anchors.
//!
//! The rows are read twice, first to see who starts when. Of these persons, rows within reach of a start that are a step,
//! an anchor or part of a session are then kept, in a few words each, until the partition has been read; they are dealt
//! out to their persons, and [`walk`] follows each person's. What a partition ends with is its [`table`] of distinct
//! paths with the persons of each; [`graph`] turns the paths of all into nodes and links, because which nodes are rare
//! is known only then.

mod graph;
mod nodes;
mod reach;
mod table;
mod walk;

use super::group::{Grouped, OfPerson};
use super::input::{Breakdowns, Rows, Selectors};
use super::{Accumulate, Memory, Operator, cells};
use datafusion::arrow::array::{AsArray, DictionaryArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{Int32Type, SchemaRef};
use datafusion::common::{Result, internal_err};
use model::report::{Flow, FlowCell};
use nodes::Nodes;
use reach::{Reach, Reaches};
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

    fn passes(&self) -> usize {
        2
    }

    fn accumulate(&self, input: &SchemaRef) -> Result<Box<dyn Accumulate>> {
        let flow = &self.flow;
        let anchors = flow.anchors.len();
        let anchor_events: Vec<Option<String>> = flow.anchors.iter().map(|anchor| anchor.event.clone()).collect();
        let expansions = flow.expand.len();
        Ok(Box::new(Accumulator {
            flow: flow.clone(),
            starts_ms: self.starts_ms,
            reaches: Reaches::new(flow, self.starts_ms),
            starts_known: false,
            filter: self.filter.then(|| Selectors::over(&[None], anchors, input)),
            starts: Selectors::new(&anchor_events[..1], input),
            anchors: Selectors::new(&anchor_events, input),
            nodes: Nodes::new(flow.clone(), input),
            breakdowns: Breakdowns::over(expansions..expansions + usize::from(flow.breakdown.is_some()), input),
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
    /// Of everybody with a start: filled in the first pass.
    reaches: Reaches,
    starts_known: bool,
    filter: Option<Selectors>,
    /// The first anchor alone.
    starts: Selectors,
    anchors: Selectors,
    nodes: Nodes,
    breakdowns: Breakdowns,
    rows: Vec<FlowRow>,
    batch: BatchWords,
}

/// Words of the rows of one batch.
#[derive(Default)]
struct BatchWords {
    /// [`COUNTS`] and [`STEP`].
    looked: Vec<u32>,
    anchors: Vec<u32>,
    nodes: Vec<u32>,
    segments: Vec<u32>,
    /// As in `looked`, per event name of the dictionary.
    names: Vec<u32>,
}

/// The report's filter keeps the row, and its event is not hidden.
const COUNTS: u32 = 1;
/// What counts and is a step.
const STEP: u32 = 2;

/// An event of somebody.
#[derive(Clone, Copy, Debug)]
struct FlowRow {
    time_ms: i64,
    seq: u64,
    /// Of [`Reaches`].
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
    /// Says of each row whether it counts and is a step.
    fn look(&mut self, batch: &RecordBatch, events: &DictionaryArray<Int32Type>) -> Result<()> {
        let BatchWords { looked, names, .. } = &mut self.batch;
        let texts: &StringArray = events.values().as_string();
        names.clear();
        names.extend(texts.iter().map(|name| {
            let name = name.unwrap_or_default();
            let counts = COUNTS * u32::from(!self.flow.is_hidden(name));
            counts | (STEP * u32::from(self.flow.is_step(name)))
        }));
        let of_name = |key: &i32| names[*key as usize];
        let keys = events.keys().values().iter();
        match &self.filter {
            Some(filter) => {
                filter.masks(batch, looked)?;
                let rows = looked.iter_mut().zip(keys);
                rows.for_each(|(looked, key)| *looked = u32::from(*looked != 0) * of_name(key));
            }
            None => {
                looked.clear();
                match names.as_slice() {
                    [name] => looked.resize(batch.num_rows(), *name),
                    _ => looked.extend(keys.map(of_name)),
                }
            }
        }
        Ok(())
    }

    /// Notes whose starts the rows are.
    fn find_starts(&mut self, batch: &RecordBatch) -> Result<()> {
        let BatchWords { looked, anchors, .. } = &mut self.batch;
        self.starts
            .masks_where(batch, anchors, |row| looked[row] & COUNTS != 0)?;
        let rows = Rows::of(batch)?;
        let of_rows = anchors.iter().zip(rows.persons).zip(rows.times_ms);
        for ((anchor, person), time_ms) in of_rows {
            let is_in_range = self.starts_ms.0 <= *time_ms && *time_ms < self.starts_ms.1;
            // Nobody goes nowhere.
            if *anchor != 0 && is_in_range && *person != 0 {
                self.reaches.start(*person, *time_ms);
            }
        }
        Ok(())
    }

    /// Fills the other words of a batch.
    fn read(&mut self, batch: &RecordBatch) -> Result<()> {
        let BatchWords {
            looked,
            anchors,
            nodes,
            segments,
            ..
        } = &mut self.batch;
        self.anchors
            .masks_where(batch, anchors, |row| looked[row] & COUNTS != 0)?;
        self.nodes
            .of_rows(batch, nodes, |row| anchors[row] != 0 || looked[row] & STEP != 0)?;
        if self.flow.breakdown.is_some() {
            self.breakdowns.of_rows(batch, segments, |row| anchors[row] & 1 == 1)
        } else {
            segments.clear();
            segments.resize(batch.num_rows(), 0);
            Ok(())
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
        if !self.starts_known && !self.starts.may_look_at(batch)? {
            return Ok(());
        }
        self.look(batch, events.as_dictionary::<Int32Type>())?;
        if !self.starts_known {
            return self.find_starts(batch);
        }
        self.read(batch)?;
        let rows = Rows::of(batch)?;
        let seqs = Rows::seqs(batch);
        let (mut last, mut reach) = (0, Reach::NONE);
        for (row, (person, time_ms)) in rows.persons.iter().zip(rows.times_ms).enumerate() {
            // Rows of a person come in runs.
            if *person != last {
                last = *person;
                reach = self.reaches.of(*person);
            }
            let step = self.batch.looked[row] & STEP != 0;
            if !reach.holds(*time_ms) {
                if step && reach.is_before(*time_ms) {
                    self.reaches.set_later(reach);
                }
                continue;
            }
            let anchors = self.batch.anchors[row] as u8;
            if anchors == 0 && !step && !self.is_in_a_session(*time_ms) {
                continue;
            }
            self.rows.push(FlowRow {
                time_ms: *time_ms,
                seq: seqs.map_or(0, |seqs| seqs[row]),
                person: reach.number,
                node: self.batch.nodes[row],
                segments: self.batch.segments[row],
                anchors,
                step,
            });
        }
        Ok(())
    }

    fn next_pass(&mut self) {
        self.starts_known = true;
    }

    fn size_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<FlowRow>()
            + self.reaches.size_bytes()
            + self.nodes.size_bytes()
            + self.breakdowns.size_bytes()
    }

    fn finish_bytes(&self) -> usize {
        Grouped::<FlowRow>::bytes(self.rows.len(), self.reaches.persons())
    }

    fn finish(self: Box<Self>) -> Result<RecordBatch> {
        self.finish_within(&|_| Ok(()))
    }

    fn finish_within(self: Box<Self>, memory: Memory<'_>) -> Result<RecordBatch> {
        let state = *self;
        let grouped = Grouped::new(state.rows, state.reaches.persons());
        let mut walker = walk::Walker::new(&state.flow, &state.nodes, state.starts_ms);
        let mut table = PathTable::default();
        let mut reserved = 0;
        for (number, rows) in grouped.persons() {
            let person = state.reaches.person(number);
            walker.person(rows, state.reaches.has_later(number), |segments, path| {
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

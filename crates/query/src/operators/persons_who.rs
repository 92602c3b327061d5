//! Persons by what they did: each accumulator reads the rows of one partition, which are of whole persons, and ends with
//! the persons it found.

use super::group::{Grouped, OfPerson};
use super::input::{Rows, Selectors};
use crate::persons::PersonIndex;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use model::report::{EventSelector, TIE_MS};
use roaring::RoaringTreemap;
use std::sync::Arc;

/// What is looked for; makes an accumulator per partition.
pub(crate) trait Who: Clone + Send + 'static {
    fn accumulate(&self, input: &SchemaRef) -> Box<dyn FindPersons>;
}

pub(crate) trait FindPersons: Send {
    fn push(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Bytes held now, about, with what [`FindPersons::finish`] needs besides.
    fn size_bytes(&self) -> usize;

    fn finish(self: Box<Self>) -> RoaringTreemap;
}

fn events_of(selectors: &[EventSelector]) -> Vec<Option<String>> {
    selectors.iter().map(|selector| selector.event.clone()).collect()
}

/// Those of whose events a selector looks at a number that holds.
#[derive(Clone)]
pub(crate) struct Count {
    events: Vec<Option<String>>,
    holds: Arc<dyn Fn(u64) -> bool + Send + Sync>,
}

impl Count {
    pub fn new(selectors: &[EventSelector], holds: impl Fn(u64) -> bool + Send + Sync + 'static) -> Count {
        Count {
            events: events_of(selectors),
            holds: Arc::new(holds),
        }
    }
}

impl Who for Count {
    fn accumulate(&self, input: &SchemaRef) -> Box<dyn FindPersons> {
        Box::new(Counting {
            selectors: Selectors::new(&self.events, input),
            holds: self.holds.clone(),
            persons: PersonIndex::default(),
            counts: Vec::new(),
            masks: Vec::new(),
        })
    }
}

struct Counting {
    selectors: Selectors,
    holds: Arc<dyn Fn(u64) -> bool + Send + Sync>,
    persons: PersonIndex,
    counts: Vec<u64>,
    masks: Vec<u32>,
}

impl FindPersons for Counting {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.selectors.masks(batch, &mut self.masks)?;
        let rows = Rows::of(batch)?;
        for (person, mask) in rows.persons.iter().zip(&self.masks) {
            if *mask == 0 || *person == 0 {
                continue;
            }
            let place = self.persons.number(*person) as usize;
            if place == self.counts.len() {
                self.counts.push(0);
            }
            self.counts[place] += 1;
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.persons.size_bytes() + self.counts.capacity() * 8 + self.counts.len() / 4
    }

    fn finish(self: Box<Self>) -> RoaringTreemap {
        let counted = self.counts.iter().enumerate();
        let found = counted.filter(|(_, count)| (self.holds)(**count));
        found.map(|(place, _)| self.persons.person(place)).collect()
    }
}

/// Everybody with an event.
#[derive(Clone, Default)]
pub(crate) struct Everybody {
    persons: RoaringTreemap,
}

impl Who for Everybody {
    fn accumulate(&self, _input: &SchemaRef) -> Box<dyn FindPersons> {
        Box::new(Everybody::default())
    }
}

impl FindPersons for Everybody {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut last = 0;
        for person in Rows::of(batch)?.persons {
            if *person != last && *person != 0 {
                last = *person;
                self.persons.insert(*person);
            }
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.persons.serialized_size()
    }

    fn finish(self: Box<Self>) -> RoaringTreemap {
        self.persons
    }
}

/// Those who go through steps in order, as in a funnel.
#[derive(Clone)]
pub(crate) struct Sequence {
    events: Vec<Option<String>>,
    starts_ms: (i64, i64),
    window_ms: i64,
}

impl Sequence {
    pub fn new(steps: &[EventSelector], starts_ms: (i64, i64), window_ms: i64) -> Sequence {
        Sequence {
            events: events_of(steps),
            starts_ms,
            window_ms,
        }
    }

    /// Times of the rows that matter: a tie may come before the start, and the last step a window after it.
    pub fn times_ms(&self) -> (i64, i64) {
        (
            self.starts_ms.0.saturating_sub(TIE_MS),
            self.starts_ms.1.saturating_add(self.window_ms),
        )
    }
}

impl Who for Sequence {
    fn accumulate(&self, input: &SchemaRef) -> Box<dyn FindPersons> {
        Box::new(Walking {
            selectors: Selectors::new(&self.events, input),
            sequence: self.clone(),
            persons: PersonIndex::default(),
            rows: Vec::new(),
            masks: Vec::new(),
        })
    }
}

struct Walking {
    sequence: Sequence,
    selectors: Selectors,
    persons: PersonIndex,
    rows: Vec<StepRow>,
    masks: Vec<u32>,
}

/// An event that is some step.
#[derive(Clone, Copy)]
struct StepRow {
    time_ms: i64,
    seq: u64,
    person: u32,
    /// Bit `i`: it is step `i`.
    steps: u32,
}

impl OfPerson for StepRow {
    fn person(&self) -> u32 {
        self.person
    }

    fn order(&self) -> (i64, u64) {
        (self.time_ms, self.seq)
    }
}

impl FindPersons for Walking {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.selectors.masks(batch, &mut self.masks)?;
        let rows = Rows::of(batch)?;
        let seqs = Rows::seqs(batch);
        for (row, mask) in self.masks.iter().enumerate() {
            if *mask != 0 && rows.persons[row] != 0 {
                self.rows.push(StepRow {
                    time_ms: rows.times_ms[row],
                    seq: seqs.map_or(0, |seqs| seqs[row]),
                    person: self.persons.number(rows.persons[row]),
                    steps: *mask,
                });
            }
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        let grouped = Grouped::<StepRow>::bytes(self.rows.len(), self.persons.len());
        self.rows.capacity() * size_of::<StepRow>() + self.persons.size_bytes() + grouped
    }

    fn finish(self: Box<Self>) -> RoaringTreemap {
        let grouped = Grouped::new(self.rows, self.persons.len());
        let through = grouped.persons().filter(|(_, rows)| self.sequence.is_completed(rows));
        through.map(|(person, _)| self.persons.person(person)).collect()
    }
}

impl Sequence {
    fn is_completed(&self, rows: &[StepRow]) -> bool {
        let (from_ms, to_ms) = self.starts_ms;
        let starts = rows.iter().enumerate();
        let mut starts = starts.filter(|(_, row)| row.steps & 1 == 1 && row.time_ms >= from_ms && row.time_ms < to_ms);
        starts.any(|(start, _)| self.completes_from(rows, start))
    }

    /// Each further step takes the earliest row that may be it.
    fn completes_from(&self, rows: &[StepRow], start: usize) -> bool {
        let start_ms = rows[start].time_ms;
        let last_ms = start_ms.saturating_add(self.window_ms);
        let mut used = vec![start];
        let mut before_ms = start_ms;
        for step in 1..self.events.len() {
            let earliest_ms = before_ms.max(start_ms) - TIE_MS;
            let first = rows.partition_point(|row| row.time_ms < earliest_ms);
            let in_window = rows[first..].iter().take_while(|row| row.time_ms <= last_ms);
            let next = in_window
                .zip(first..)
                .find(|(row, place)| row.steps & (1 << step) != 0 && !used.contains(place));
            let Some((row, place)) = next else { return false };
            used.push(place);
            before_ms = row.time_ms;
        }
        true
    }
}

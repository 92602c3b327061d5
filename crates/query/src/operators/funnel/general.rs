//! Funnels of every form: any order, strict, exclusions, held properties, sessions, first times.
//!
//! Beside the plain ordered funnel of persons (see [`super`]), which stays fast by knowing nothing of all this. Rows
//! that matter are kept in a few words each until the partition has been read; then they are dealt out to their
//! persons and [`super::walker`] goes through each person's.

use super::rule::{EXCLUSION_BIT, KEPT, LOOKED_AT, Rule, STEPS};
use super::walker::Walker;
use crate::calendar::Buckets;
use crate::operators::cells::Wanted;
use crate::operators::group::{Grouped, OfPerson};
use crate::operators::input::{Breakdowns, Rows, Selectors};
use crate::operators::{Accumulate, Operator};
use crate::persons::PersonIndex;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{Result, internal_err};
use hashbrown::HashMap;
use model::report::{Attribution, HELD_MAX};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct GeneralFunnelOperator {
    pub rule: Arc<Rule>,
    /// Event of each selector, and what it makes of a row: the bit of a step or exclusion.
    pub selectors: Vec<(Option<String>, u32)>,
    /// The report's filter is a column behind those of the selectors, not below the operator.
    pub filter_is_column: bool,
    /// Interval of the rows that can be part of an attempt: from, and to before. Earlier ones show what came first.
    pub interval_ms: (i64, i64),
    /// Held properties; their columns come behind that of the breakdown.
    pub held: usize,
    pub breakdown: bool,
    pub buckets: Option<Arc<Buckets>>,
    pub wanted: Option<Wanted>,
}

impl Operator for GeneralFunnelOperator {
    fn name(&self) -> &'static str {
        "GeneralFunnel"
    }

    fn describe(&self) -> String {
        format!(
            "selectors={:?}; filter_is_column={}; interval=[{}, {}); held={}; breakdown={}; buckets={}; wanted={:?}; {:?}",
            self.selectors,
            self.filter_is_column,
            self.interval_ms.0,
            self.interval_ms.1,
            self.held,
            self.breakdown,
            self.buckets.as_ref().map_or(0, |buckets| buckets.len()),
            self.wanted,
            self.rule,
        )
    }

    fn accumulate(&self, input: &SchemaRef) -> Result<Box<dyn Accumulate>> {
        let chunks = self.selectors.chunks(32).enumerate().map(|(chunk, selectors)| {
            let events: Vec<Option<String>> = selectors.iter().map(|(event, _)| event.clone()).collect();
            let bits = selectors.iter().map(|(_, bit)| *bit).collect();
            (Selectors::over(&events, 32 * chunk, input), bits)
        });
        let first_held = usize::from(self.breakdown);
        let held = (0..self.held).map(|held| Held::new(first_held + held, input));
        Ok(Box::new(Accumulator {
            rule: self.rule.clone(),
            interval_ms: self.interval_ms,
            selectors: chunks.collect(),
            filter: self
                .filter_is_column
                .then(|| Selectors::over(&[None], self.selectors.len(), input)),
            attributed: match self.rule.attribution {
                Attribution::Step(step) => 1 << step,
                _ => STEPS,
            },
            breakdowns: Breakdowns::new(first_held, input),
            held: HeldIndex {
                columns: held.collect(),
                ..HeldIndex::default()
            },
            buckets: self.buckets.clone(),
            wanted: self.wanted.clone(),
            persons: PersonIndex::default(),
            rows: Vec::new(),
            firsts: Vec::new(),
            bits: Vec::new(),
            masks: Vec::new(),
            segments: Vec::new(),
        }))
    }
}

struct Accumulator {
    rule: Arc<Rule>,
    interval_ms: (i64, i64),
    /// Selectors in groups as large as a mask, with their bits.
    selectors: Vec<(Selectors, Vec<u32>)>,
    filter: Option<Selectors>,
    /// Rows with one of these bits may give an attempt its segments.
    attributed: u32,
    breakdowns: Breakdowns,
    held: HeldIndex,
    buckets: Option<Arc<Buckets>>,
    wanted: Option<Wanted>,
    persons: PersonIndex,
    rows: Vec<Row>,
    /// Time and place of the first event of each first-time step, by person and then by step.
    firsts: Vec<(i64, u64)>,
    // Columns of the batch at hand, kept to spare their allocation.
    bits: Vec<u32>,
    masks: Vec<u32>,
    segments: Vec<u32>,
}

/// An event that can matter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub time_ms: i64,
    pub seq: u64,
    person: u32,
    /// What it is; see [`super::rule`].
    pub bits: u32,
    /// Number of its held values in [`HeldIndex`].
    pub held: u32,
    /// As [`Breakdowns::of_rows`] gives it; meaningless where it cannot give an attempt its segments.
    pub segments: u32,
}

impl OfPerson for Row {
    fn person(&self) -> u32 {
        self.person
    }

    fn order(&self) -> (i64, u64) {
        (self.time_ms, self.seq)
    }
}

/// Numbers the combinations of held values.
#[derive(Default)]
pub(super) struct HeldIndex {
    columns: Vec<Held>,
    numbers: HashMap<[u32; HELD_MAX], u32>,
    listed: Vec<[u32; HELD_MAX]>,
}

/// One held property.
struct Held {
    values: Breakdowns,
    not_set: u32,
    /// Of the batch at hand.
    words: Vec<u32>,
}

impl Held {
    fn new(number: usize, input: &SchemaRef) -> Held {
        let mut values = Breakdowns::over(number..number + 1, input);
        Held {
            not_set: values.not_set(),
            values,
            words: Vec::new(),
        }
    }
}

impl HeldIndex {
    fn read(&mut self, batch: &RecordBatch, matters: impl Fn(usize) -> bool) -> Result<()> {
        for held in &mut self.columns {
            held.values.of_rows(batch, &mut held.words, &matters)?;
        }
        Ok(())
    }

    /// The number of a row's values.
    fn number(&mut self, row: usize) -> u32 {
        let mut words = [0; HELD_MAX];
        for (word, held) in words.iter_mut().zip(&self.columns) {
            *word = held.words[row];
        }
        let next = self.listed.len() as u32;
        *self.numbers.entry(words).or_insert_with(|| {
            self.listed.push(words);
            next
        })
    }

    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Whether every held property is set.
    pub fn is_complete(&self, number: u32) -> bool {
        let words = &self.listed[number as usize];
        (self.columns.iter().zip(words)).all(|(held, word)| *word != held.not_set)
    }

    /// Whether what is set in the one is the same in the other.
    pub fn agrees(&self, number: u32, with: u32) -> bool {
        let (words, others) = (&self.listed[number as usize], &self.listed[with as usize]);
        let mut values = self.columns.iter().zip(words).zip(others);
        values.all(|((held, word), other)| *word == held.not_set || word == other)
    }

    fn size_bytes(&self) -> usize {
        let values: usize = self.columns.iter().map(|held| held.values.size_bytes()).sum();
        values + self.listed.capacity() * 32
    }
}

impl Accumulate for Accumulator {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.read_bits(batch)?;
        let rows = Rows::of(batch)?;
        let Some(seqs) = Rows::seqs(batch) else {
            return internal_err!("a funnel of this form needs the order of its rows");
        };
        let (from_ms, to_ms) = self.interval_ms;
        let (bits, attributed) = (&self.bits, self.attributed);
        let in_interval = |row: usize| rows.times_ms[row] >= from_ms && rows.times_ms[row] < to_ms;
        self.breakdowns.of_rows(batch, &mut self.segments, |row| {
            bits[row] & attributed != 0 && in_interval(row)
        })?;
        self.held
            .read(batch, |row| bits[row] & LOOKED_AT != 0 && in_interval(row))?;

        let wanted_bits = self.rule.wanted_bits();
        let mut last = (0, 0);
        for (row, seq) in seqs.iter().enumerate() {
            let (person, bits) = (rows.persons[row], self.bits[row]);
            // Nobody goes through no funnel.
            if person == 0 {
                continue;
            }
            if person != last.0 {
                last = (person, self.persons.number(person));
            }
            let order = (rows.times_ms[row], *seq);
            self.note_firsts(last.1, bits, order);
            if !in_interval(row) || (wanted_bits != 0 && bits & wanted_bits == 0) {
                continue;
            }
            let held = if self.held.is_empty() { 0 } else { self.held.number(row) };
            self.rows.push(Row {
                time_ms: order.0,
                seq: order.1,
                person: last.1,
                bits,
                held,
                segments: self.segments[row],
            });
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
            + self.firsts.capacity() * size_of::<(i64, u64)>()
            + self.breakdowns.size_bytes()
            + self.held.size_bytes()
            + self.persons.size_bytes()
    }

    fn finish_bytes(&self) -> usize {
        // A row is a step of a counted attempt about once.
        let times = if self.rule.times { self.rows.len() * 48 } else { 0 };
        let members = self
            .wanted
            .as_ref()
            .map_or(0, |_| self.persons.len() * size_of::<u64>());
        Grouped::<Row>::bytes(self.rows.len(), self.persons.len()) + times + members
    }

    fn finish(mut self: Box<Self>) -> Result<RecordBatch> {
        self.keep_firsts();
        let not_set = if self.breakdowns.len() == 0 {
            0
        } else {
            self.breakdowns.not_set()
        };
        let grouped = Grouped::new(std::mem::take(&mut self.rows), self.persons.len());
        let mut walker = Walker::new(
            &self.rule,
            &self.held,
            &self.breakdowns,
            not_set,
            self.buckets.as_deref(),
        );
        if let Some(wanted) = &self.wanted {
            walker.want(wanted);
        }
        for (person, rows) in grouped.persons() {
            walker.person(self.persons.person(person), rows);
        }
        walker.into_batch()
    }
}

impl Accumulator {
    /// What each row of the batch is.
    fn read_bits(&mut self, batch: &RecordBatch) -> Result<()> {
        match &self.filter {
            // The only selector of its mask: bit 0.
            Some(filter) => {
                filter.masks(batch, &mut self.masks)?;
                self.bits.clear();
                self.bits.extend(self.masks.iter().map(|mask| mask * KEPT));
            }
            None => {
                self.bits.clear();
                self.bits.resize(batch.num_rows(), KEPT);
            }
        }
        for (selectors, bits_of) in &self.selectors {
            selectors.masks_where(batch, &mut self.masks, |row| self.bits[row] & KEPT != 0)?;
            for (bits, mask) in self.bits.iter_mut().zip(&self.masks) {
                let mut mask = *mask;
                while mask != 0 {
                    *bits |= bits_of[mask.trailing_zeros() as usize];
                    mask &= mask - 1;
                }
            }
        }
        Ok(())
    }

    /// Remembers the earliest event of each step that only first times are.
    fn note_firsts(&mut self, person: u32, bits: u32, order: (i64, u64)) {
        let mut steps = self.rule.first_time;
        let (first, count) = (
            person as usize * steps.count_ones() as usize,
            steps.count_ones() as usize,
        );
        if count > 0 && self.firsts.len() < first + count {
            self.firsts.resize(first + count, (i64::MAX, u64::MAX));
        }
        let mut place = first;
        while steps != 0 {
            if bits & (steps & steps.wrapping_neg()) != 0 {
                self.firsts[place] = self.firsts[place].min(order);
            }
            place += 1;
            steps &= steps - 1;
        }
    }

    /// Takes the bits of first-time steps from all rows but the first.
    fn keep_firsts(&mut self) {
        let steps = self.rule.first_time;
        let count = steps.count_ones() as usize;
        if count == 0 {
            return;
        }
        for row in &mut self.rows {
            let mut rest = steps;
            let mut place = row.person as usize * count;
            while rest != 0 {
                if self.firsts[place] != (row.time_ms, row.seq) {
                    row.bits &= !(rest & rest.wrapping_neg());
                }
                place += 1;
                rest &= rest - 1;
            }
        }
    }
}

// Steps, exclusions and what else is known of a row share a word.
const _: () = assert!(model::report::STEPS_MAX as u32 <= EXCLUSION_BIT);

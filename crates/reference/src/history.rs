//! What happened, as told: events with copies, merges, profiles; and the rows that count.

use model::{Event, PersonNumber, Value};
use std::collections::BTreeMap;

/// An event at its place in the order of reception.
#[derive(Clone, Debug)]
pub struct HistoryEvent {
    pub event: Event,
    pub seq: u64,
}

/// Everything a question can depend on.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub events: Vec<HistoryEvent>,
    /// `(from, into)`, in order.
    pub merges: Vec<(PersonNumber, PersonNumber)>,
    /// Ordinary properties of canonical persons.
    pub profiles: BTreeMap<PersonNumber, BTreeMap<String, Value>>,
}

/// An event that counts, with the person it counts for.
pub(crate) struct Row<'a> {
    pub event: &'a Event,
    pub seq: u64,
    pub person: PersonNumber,
    pub profile: Option<&'a BTreeMap<String, Value>>,
}

impl History {
    /// The person that `person` was merged into, directly or by way of others.
    pub fn canonical(&self, person: PersonNumber) -> PersonNumber {
        let mut current = person;
        // Each merge can be taken once; a longer walk would be a circle.
        for _ in 0..=self.merges.len() {
            match self
                .merges
                .iter()
                .find(|(from, into)| *from == current && *into != current)
            {
                Some((_, into)) => current = *into,
                None => break,
            }
        }
        current
    }
}

/// The events that count: of each set of copies the latest received, in order of reception.
pub(crate) fn rows(history: &History) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for told in &history.events {
        let person = history.canonical(told.event.person);
        let copy = rows.iter().position(|row| {
            row.event.insert_id.is_some()
                && row.event.insert_id == told.event.insert_id
                && row.event.name == told.event.name
                && row.person == person
                && row.event.time == told.event.time
        });
        let row = Row {
            event: &told.event,
            seq: told.seq,
            person,
            profile: history.profiles.get(&person),
        };
        match copy {
            Some(index) if rows[index].seq < told.seq => rows[index] = row,
            Some(_) => {}
            None => rows.push(row),
        }
    }
    rows.sort_by_key(|row| row.seq);
    rows
}

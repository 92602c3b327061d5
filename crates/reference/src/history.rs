//! What happened, as told: events with copies, merges, profiles; and the rows that count.

use crate::surroundings::Surroundings;
use model::{Definitions, Event, GroupNumber, PersonNumber, Value};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Ordinary properties of groups, by group key and number.
    pub groups: BTreeMap<(String, GroupNumber), BTreeMap<String, Value>>,
    /// Persons who were erased, by canonical number. What they did is not in `events` any more.
    pub erased: BTreeSet<PersonNumber>,
    /// What the names in expressions stand for.
    pub definitions: Definitions,
}

/// An event that counts, with the person it counts for.
pub(crate) struct Row<'a> {
    pub event: &'a Event,
    pub seq: u64,
    pub person: PersonNumber,
    pub profile: Option<&'a BTreeMap<String, Value>>,
    /// It is a profile that is looked at, and no event.
    pub is_profile: bool,
    pub around: &'a Surroundings<'a>,
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
pub(crate) fn rows<'a>(around: &'a Surroundings<'a>) -> Vec<Row<'a>> {
    let history = around.history;
    let mut rows: Vec<Row<'a>> = Vec::new();
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
            is_profile: false,
            around,
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

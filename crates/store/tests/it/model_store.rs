//! The plain model: all rows in a list, every question answered from scratch.

use crate::support::Row;
use ::model::{Event, FeedEntry, PersonNumber, ProfileOp, Record, Subject, Value};
use std::collections::{BTreeMap, BTreeSet};
use store::{ColumnKind, physical_name};

/// What one project should answer.
#[derive(Clone, Default)]
pub struct ModelStore {
    rows: Vec<Event>,
    feed_position: u64,
    merged_into: BTreeMap<u64, u64>,
    erased: BTreeSet<u64>,
    /// Only the property `count` and `Add` and `Set` are modelled; the table of operations has its own test.
    pub profiles: BTreeMap<u64, f64>,
}

impl ModelStore {
    pub fn apply(&mut self, record: &Record) {
        for item in &record.feed {
            if item.seq == self.feed_position + 1 {
                self.feed_position = item.seq;
                self.apply_feed(&item.entry);
            }
        }
        for update in &record.profiles {
            let Subject::Person(person) = update.subject else {
                continue;
            };
            let person = self.canonical(person.0);
            if person == 0 || self.erased.contains(&person) {
                continue;
            }
            match &update.op {
                ProfileOp::Add(amounts) => *self.profiles.entry(person).or_default() += amounts[0].1,
                ProfileOp::Delete => drop(self.profiles.remove(&person)),
                other => panic!("{other:?} is not modelled"),
            }
        }
        self.rows.extend(record.events.iter().cloned());
    }

    fn apply_feed(&mut self, entry: &FeedEntry) {
        match entry {
            FeedEntry::Merge { from, into } => {
                let (from, into) = (self.canonical(from.0), self.canonical(into.0));
                if from != into {
                    self.merged_into.insert(from, into);
                    self.profiles.remove(&from);
                }
            }
            FeedEntry::Reset { person } => {
                self.profiles.remove(&person.0);
            }
            FeedEntry::Erase { persons } => {
                for person in persons {
                    self.erased.insert(person.0);
                    self.profiles.remove(&person.0);
                }
            }
            FeedEntry::Gap { .. } => {}
        }
    }

    pub fn feed_position(&self) -> u64 {
        self.feed_position
    }

    pub fn canonical(&self, person: u64) -> u64 {
        self.merged_into
            .get(&person)
            .map_or(person, |into| self.canonical(*into))
    }

    pub fn is_erased(&self, person: u64) -> bool {
        self.erased.contains(&self.canonical(person))
    }

    /// All numbers of a person.
    pub fn cluster(&self, person: u64) -> Vec<PersonNumber> {
        let root = self.canonical(person);
        let absorbed = self.merged_into.keys().filter(|other| self.canonical(**other) == root);
        std::iter::once(root)
            .chain(absorbed.copied())
            .map(PersonNumber)
            .collect()
    }

    /// What a scan of everything returns, by sequence number.
    pub fn rows(&self) -> Vec<Row> {
        let mut latest: BTreeMap<(&str, u64, i64, u64), u64> = BTreeMap::new();
        for (row, event) in self.rows.iter().enumerate() {
            if let Some(insert_id) = event.insert_id {
                let key = (
                    event.name.as_str(),
                    self.canonical(event.person.0),
                    event.time.0,
                    insert_id.0,
                );
                latest.insert(key, row as u64);
            }
        }
        let is_latest = |row: u64, event: &Event| {
            event.insert_id.is_none_or(|insert_id| {
                latest[&(
                    event.name.as_str(),
                    self.canonical(event.person.0),
                    event.time.0,
                    insert_id.0,
                )] == row
            })
        };
        self.rows
            .iter()
            .zip(0..)
            .filter(|(event, row)| is_latest(*row, event) && !self.is_erased(event.person.0))
            .map(|(event, row)| Row {
                seq: row + 1,
                event: event.name.clone(),
                person: self.canonical(event.person.0),
                time_ms: event.time.0,
                properties: properties(event),
            })
            .collect()
    }
}

fn properties(event: &Event) -> BTreeMap<String, Value> {
    let plain = event.properties.iter().map(|(name, value)| {
        let kind = ColumnKind::of(value).expect("no nulls on events");
        (physical_name(name, kind), value.clone())
    });
    let groups = event.groups.iter().map(|(key, numbers)| {
        let numbers = numbers.iter().map(|number| Value::Number(number.0 as f64)).collect();
        (physical_name(key, ColumnKind::Group), Value::List(numbers))
    });
    plain.chain(groups).collect()
}

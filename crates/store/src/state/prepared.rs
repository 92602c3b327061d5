//! A record with everything that can be computed before it has its place in the log.
//!
//! Appending threads do this side by side, so that the one thread that applies records has one look-up per event
//! name and column of a batch, not one per value.

use super::encoded::{EncodedEvent, EncodedEvents, RecordHead, encode};
use crate::columns::ColumnKind;
use hashbrown::HashMap;
use model::Record;

pub(crate) struct Prepared {
    pub head: RecordHead,
    pub events: EncodedEvents,
    pub event_tallies: Vec<EventTally>,
    /// For every event of the record, the place of its name in `event_tallies`.
    pub event_of_row: Vec<u32>,
    pub columns: Vec<ColumnTally>,
}

pub(crate) struct EventTally {
    pub name: String,
    pub rows: u64,
    pub first_ms: i64,
    pub last_ms: i64,
}

pub(crate) struct ColumnTally {
    pub name: String,
    pub kind: ColumnKind,
    pub rows: u64,
}

impl Prepared {
    pub fn new(record: &Record) -> postcard::Result<Prepared> {
        Prepared::read(encode(record)?)
    }

    /// Takes a record as it lies in the log.
    pub fn read(record: Vec<u8>) -> postcard::Result<Prepared> {
        let mut events = EventTallies::default();
        let mut columns = ColumnTallies::default();
        let (head, encoded) = EncodedEvents::read(record, |event| {
            events.count(event);
            columns.count(event);
        })?;
        Ok(Prepared {
            head,
            events: encoded,
            event_tallies: events.tallies,
            event_of_row: events.place_of_row,
            columns: columns.tallies,
        })
    }

    /// What the log is given.
    pub fn record_bytes(&self) -> &[u8] {
        self.events.record_bytes()
    }
}

#[derive(Default)]
struct EventTallies {
    tallies: Vec<EventTally>,
    places: HashMap<String, u32>,
    place_of_row: Vec<u32>,
}

impl EventTallies {
    fn count(&mut self, event: &EncodedEvent<'_>) {
        let place = match self.places.get(event.name) {
            Some(place) => *place,
            None => {
                let place = self.tallies.len() as u32;
                self.places.insert(event.name.to_owned(), place);
                self.tallies.push(EventTally {
                    name: event.name.to_owned(),
                    rows: 0,
                    first_ms: i64::MAX,
                    last_ms: i64::MIN,
                });
                place
            }
        };
        let tally = &mut self.tallies[place as usize];
        tally.rows += 1;
        tally.first_ms = tally.first_ms.min(event.time.0);
        tally.last_ms = tally.last_ms.max(event.time.0);
        self.place_of_row.push(place);
    }
}

#[derive(Default)]
struct ColumnTallies {
    tallies: Vec<ColumnTally>,
    /// Places of a property's tallies, one for each kind.
    places: HashMap<String, [Option<u32>; ColumnKind::ALL.len()]>,
    /// Events of a batch mostly list the same properties in the same order, so the place of the property at the same
    /// position of the event before is tried first. That saves most of the hashing.
    places_before: Vec<u32>,
}

impl ColumnTallies {
    fn count(&mut self, event: &EncodedEvent<'_>) {
        let properties = event.properties.iter();
        let properties = properties.filter_map(|(name, value)| Some((*name, ColumnKind::of_encoded(value)?)));
        let groups = event.groups.iter().map(|(key, _)| (*key, ColumnKind::Group));
        for (position, (name, kind)) in properties.chain(groups).enumerate() {
            let place = self.place(position, name, kind);
            match self.places_before.get_mut(position) {
                Some(before) => *before = place,
                None => self.places_before.push(place),
            }
            self.tallies[place as usize].rows += 1;
        }
    }

    fn place(&mut self, position: usize, name: &str, kind: ColumnKind) -> u32 {
        if let Some(guess) = self.places_before.get(position) {
            let tally = &self.tallies[*guess as usize];
            if tally.name == name && tally.kind == kind {
                return *guess;
            }
        }
        let place = &mut self.places.entry_ref(name).or_default()[kind as usize];
        *place.get_or_insert_with(|| {
            self.tallies.push(ColumnTally {
                name: name.to_owned(),
                kind,
                rows: 0,
            });
            (self.tallies.len() - 1) as u32
        })
    }
}

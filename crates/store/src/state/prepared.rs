//! A record with everything that can be computed before it has its place in the log.
//!
//! Appending threads do this side by side, so that the one thread that applies records has one look-up per event
//! name and column of a batch, not one per value.

use crate::columns::ColumnKind;
use hashbrown::HashMap;
use model::{Event, Record};

pub(crate) struct Prepared {
    pub record: Record,
    pub events: Vec<EventTally>,
    /// For every event of the record, the place of its name in `events`.
    pub event_of_row: Vec<u32>,
    pub columns: Vec<ColumnTally>,
    /// Estimated memory of the events.
    pub bytes: usize,
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

/// What one property costs in memory beyond its encoded bytes.
const PROPERTY_OVERHEAD_BYTES: usize = 64;

impl Prepared {
    /// `encoded_bytes` is the record's length in the log.
    pub fn new(record: Record, encoded_bytes: usize) -> Prepared {
        let (events, event_of_row) = tally_events(&record.events);
        let columns = tally_columns(&record.events);
        let values: usize = record.events.iter().map(|event| event.properties.len() + 2).sum();
        Prepared {
            bytes: encoded_bytes + values * PROPERTY_OVERHEAD_BYTES,
            record,
            events,
            event_of_row,
            columns,
        }
    }
}

fn tally_events(events: &[Event]) -> (Vec<EventTally>, Vec<u32>) {
    let mut tallies: Vec<EventTally> = Vec::new();
    let mut places: HashMap<&str, u32> = HashMap::new();
    let place_of_row = events
        .iter()
        .map(|event| {
            let place = *places.entry(&event.name).or_insert_with(|| {
                tallies.push(EventTally {
                    name: event.name.clone(),
                    rows: 0,
                    first_ms: i64::MAX,
                    last_ms: i64::MIN,
                });
                (tallies.len() - 1) as u32
            });
            let tally = &mut tallies[place as usize];
            tally.rows += 1;
            tally.first_ms = tally.first_ms.min(event.time.0);
            tally.last_ms = tally.last_ms.max(event.time.0);
            place
        })
        .collect();
    (tallies, place_of_row)
}

fn tally_columns(events: &[Event]) -> Vec<ColumnTally> {
    let mut tallies: Vec<ColumnTally> = Vec::new();
    let mut places: HashMap<(&str, ColumnKind), usize> = HashMap::new();
    // Events of a batch mostly list the same properties in the same order, so the place of the property at the same
    // position of the event before is tried first. That saves most of the hashing.
    let mut places_before: Vec<usize> = Vec::new();
    for event in events {
        let properties = event
            .properties
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), ColumnKind::of(value)?)));
        let groups = event.groups.iter().map(|(key, _)| (key.as_str(), ColumnKind::Group));
        for (position, (name, kind)) in properties.chain(groups).enumerate() {
            let guess = places_before.get(position).copied();
            let place = match guess.filter(|guess| tallies[*guess].name == name && tallies[*guess].kind == kind) {
                Some(place) => place,
                None => *places.entry((name, kind)).or_insert_with(|| {
                    tallies.push(ColumnTally {
                        name: name.to_owned(),
                        kind,
                        rows: 0,
                    });
                    tallies.len() - 1
                }),
            };
            match places_before.get_mut(position) {
                Some(before) => *before = place,
                None => places_before.push(place),
            }
            tallies[place].rows += 1;
        }
    }
    tallies
}

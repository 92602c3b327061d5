//! A store with little memory gives the same answers, in smaller steps.

use crate::support::{NOW_MS, Row, create, event, everything, feed, merge, options, record, scan};
use model::{Event, PersonNumber, Value};
use std::path::Path;
use store::{Memory, MemoryUse, Store, StoreOptions};

const PERSONS: u64 = 60;
const EVENTS_EACH: u64 = 40;

fn events(of: u64) -> Vec<Event> {
    (0..EVENTS_EACH)
        .map(|number| {
            let mut made = event("Visit", of, NOW_MS + number as i64, Some(of * 1_000 + number));
            let text = format!("{of} {number} {}", "x".repeat(200));
            made.properties = (0..5)
                .map(|place| (format!("text {place}"), Value::String(text.clone())))
                .collect();
            made
        })
        .collect()
}

/// Persons in five flushes, each of the first half merged into one of the second at the end.
fn live(options: StoreOptions) -> Store {
    let store = create(options);
    for part in 0..5 {
        for person in (1..=PERSONS).filter(|person| person % 5 == part) {
            store.append(record(events(person))).unwrap();
        }
        store.flush().unwrap();
    }
    let mut merges = record(Vec::new());
    let half = PERSONS / 2;
    merges.feed = feed(1, (1..=half).map(|person| merge(person, person + half)).collect());
    store.append(merges).unwrap();
    store.flush().unwrap();
    while store.compact().unwrap() > 0 {}
    store
}

fn rows(store: &Store) -> Vec<Row> {
    let snapshot = store.snapshot(crate::support::PROJECT);
    let rows = scan(&snapshot, &everything(&snapshot));
    let merged = rows.iter().filter(|row| row.person == PERSONS / 2 + 1).count() as u64;
    assert_eq!(merged, 2 * EVENTS_EACH);
    assert_eq!(snapshot.canonical(PersonNumber(1)), PersonNumber(PERSONS / 2 + 1));
    rows
}

fn within(directory: &Path, memory: &Memory) -> StoreOptions {
    StoreOptions {
        // The rows of all merges together take several times the part that moving them may have.
        row_group_rows: 131_072,
        ..options(directory).within(memory)
    }
}

#[test]
fn merges_and_compaction_in_small_steps_end_where_large_ones_do() {
    let (large, small) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let memory = Memory::limited(4 << 20);
    let unlimited = live(within(large.path(), &Memory::unlimited()));
    let limited = live(within(small.path(), &memory));
    assert_eq!(limited.metrics().entangled_persons, 0);
    assert_eq!(rows(&limited), rows(&unlimited));
    let figures = memory.figures();
    for of in [MemoryUse::Fresh, MemoryUse::Questions, MemoryUse::Maintenance] {
        let held = figures.used_bytes.iter().find(|(other, _)| *other == of).unwrap().1;
        assert_eq!(held, 0, "{of:?}");
    }
}

#[test]
fn without_room_for_whole_row_groups_scans_read_bit_by_bit() {
    let directory = tempfile::tempdir().unwrap();
    let memory = Memory::limited(64 << 20);
    let store = live(within(directory.path(), &memory));
    let expected = rows(&store);
    let held = |of: MemoryUse| {
        memory
            .figures()
            .used_bytes
            .iter()
            .find(|(other, _)| *other == of)
            .unwrap()
            .1
    };
    assert!(held(MemoryUse::Footers) > 0 && held(MemoryUse::Columns) > 0);
    let taken = memory.reserve(MemoryUse::Ingestion, 60 << 20).unwrap();
    assert_eq!(
        (held(MemoryUse::Footers), held(MemoryUse::Columns)),
        (0, 0),
        "both gave way"
    );
    assert!(memory.reserve(MemoryUse::Questions, 1).is_none());
    assert_eq!(rows(&store), expected);
    assert!(memory.was_short(), "so fresh rows would be flushed now");
    drop(taken);
    assert_eq!(rows(&store), expected);
}

//! The disk fills up and is cleared again.

use crate::support::*;
use store::disk::faulty::FaultyDisk;
use store::{ScanRequest, Store, StoreError};

fn count(store: &Store) -> usize {
    let request = ScanRequest {
        with_event: true,
        with_seq: true,
        ..ScanRequest::everything()
    };
    scan(&store.snapshot(PROJECT), &request).len()
}

fn append(store: &Store, time_ms: i64) -> Result<(), StoreError> {
    let events = (0..10).map(|person| event("open", person, time_ms, None));
    store.append(record(events.collect())).map(drop)
}

#[test]
fn appends_are_refused_while_full_and_resume_by_themselves() {
    for room in [0, 1, 19, 100, 5_000] {
        let directory = tempfile::tempdir().unwrap();
        let disk = FaultyDisk::new();
        let options = options_on(directory.path(), &disk);
        let store = create(options.clone());
        let mut stored = 0;
        append(&store, NOW_MS).unwrap();
        stored += 10;
        disk.set_room(Some(room));
        let mut refused = 0;
        for step in 1..60 {
            match append(&store, NOW_MS + step) {
                Ok(()) => stored += 10,
                Err(StoreError::Full { .. }) => refused += 1,
                Err(other) => panic!("{other:?}"),
            }
            assert_eq!(count(&store), stored, "questions are answered while the disk is full");
        }
        assert!(refused > 0, "a disk with room for {room} bytes became full");
        disk.set_room(None);
        append(&store, NOW_MS + 100).unwrap();
        stored += 10;
        assert_eq!(count(&store), stored);
        store.close();
        let store = Store::open(options).unwrap();
        assert_eq!(count(&store), stored, "no refused record came back");
    }
}

#[test]
fn a_flush_without_room_changes_nothing_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::new();
    let store = create(options_on(directory.path(), &disk));
    for step in 0..20 {
        append(&store, NOW_MS + step).unwrap();
    }
    disk.set_room(Some(500));
    assert!(matches!(store.flush(), Err(StoreError::Full { .. })));
    let segments = std::fs::read_dir(directory.path().join("segments")).unwrap().count();
    assert_eq!(segments, 0, "half a flush stays on a full disk");
    assert_eq!(count(&store), 200);
    disk.set_room(None);
    store.flush().unwrap();
    assert_eq!(count(&store), 200);
    assert_eq!(store.metrics().fresh_rows, 0);
}

//! What is in segments does not lie in the log as well.

use crate::support::*;
use store::disk::faulty::{Fault, FaultyDisk};
use store::{ScanRequest, Store, StoreError};

fn append(store: &Store, time_ms: i64) -> Result<u64, StoreError> {
    let events = (0..10).map(|person| event("open", person, time_ms, None));
    store.append(record(events.collect())).map(|position| position.0)
}

fn count(store: &Store) -> usize {
    let request = ScanRequest {
        with_seq: true,
        ..ScanRequest::everything()
    };
    scan(&store.snapshot(PROJECT), &request).len()
}

#[test]
fn a_flush_empties_the_log_and_the_numbers_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = create(options(directory.path()));
    let mut last = 0;
    for round in 0..4 {
        for step in 0..=round * 20 {
            let position = append(&store, NOW_MS + step).unwrap();
            assert_eq!(position, last + 1);
            last = position;
        }
        assert!(store.metrics().log_bytes > 0);
        store.flush().unwrap();
        assert_eq!(store.metrics().log_bytes, 0);
        assert_eq!(count(&store), last as usize * 10);
        if round % 2 == 1 {
            store.close();
            store = Store::open(options(directory.path())).unwrap();
            assert_eq!(count(&store), last as usize * 10);
        }
    }
}

#[test]
fn a_log_that_was_flushed_before_the_end_is_gone_after_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::new();
    let store = create(options_on(directory.path(), &disk));
    append(&store, NOW_MS).unwrap();
    let before = disk.operations();
    store.flush().unwrap();
    let flush_operations = disk.operations() - before;
    append(&store, NOW_MS + 1).unwrap();
    // The last operation of a flush is the removal.
    disk.fail_after(flush_operations, Fault::Failed);
    assert!(store.flush().is_err());
    assert!(!disk.is_armed() && store.metrics().log_bytes > 0);
    assert_eq!(count(&store), 20);
    store.close();
    let store = Store::open(options(directory.path())).unwrap();
    assert_eq!((store.metrics().log_bytes, count(&store)), (0, 20));
    assert_eq!(append(&store, NOW_MS + 2).unwrap(), 3);
}

#[test]
fn a_stopped_log_stays_for_recovery_to_decide() {
    let directory = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::new();
    let store = create(options_on(directory.path(), &disk));
    append(&store, NOW_MS).unwrap();
    let before = disk.operations();
    append(&store, NOW_MS + 1).unwrap();
    // The last operation of an append is the sync.
    disk.fail_after(disk.operations() - before, Fault::Failed);
    assert!(matches!(append(&store, NOW_MS + 2), Err(StoreError::Unknown { .. })));
    store.flush().unwrap();
    assert!(store.metrics().log_bytes > 0);
    assert_eq!(count(&store), 20);
    store.close();
    let store = Store::open(options(directory.path())).unwrap();
    assert!([20, 30].contains(&count(&store)));
}

//! Copies of events: recognised whenever they arrive, and whatever became of the first one.

use crate::support::*;
use ::model::{FeedEntry, PersonNumber};
use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use store::{ScanRequest, Store};

const DAY_MS: i64 = 24 * HOUR_MS;

fn seqs(store: &Store) -> Vec<u64> {
    let request = ScanRequest {
        with_event: true,
        with_seq: true,
        ..ScanRequest::everything()
    };
    scan(&store.snapshot(PROJECT), &request)
        .iter()
        .map(|row| row.seq)
        .collect()
}

fn append(store: &Store, person: u64, time_ms: i64, insert_id: Option<u64>) {
    store
        .append(record(vec![event("open", person, time_ms, insert_id)]))
        .unwrap();
}

#[test]
fn the_latest_copy_wins_across_weeks_and_flushes() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    append(&store, 1, NOW_MS - 40 * DAY_MS, Some(9));
    store.flush().unwrap();
    append(&store, 1, NOW_MS, Some(9));
    store.flush().unwrap();
    assert_eq!(seqs(&store), [1, 2], "another time is another event");
    let before = store.snapshot(PROJECT);
    append(&store, 1, NOW_MS - 40 * DAY_MS, Some(9));
    assert_eq!(seqs(&store), [2, 3]);
    assert_eq!(
        scan(&before, &everything(&before)).len(),
        2,
        "an earlier snapshot still sees the first copy"
    );
    store.flush().unwrap();
    assert_eq!(seqs(&store), [2, 3]);
    assert_eq!(store.snapshot(PROJECT).events()[0].rows, 2);
    store.close();
    let store = Store::open(options(directory.path())).unwrap();
    assert_eq!(seqs(&store), [2, 3]);
    assert_eq!(store.metrics().deleted_rows, 1);
    store.compact().unwrap();
    assert_eq!(
        store.metrics().segment_rows,
        2,
        "compaction removes the first copy from the disk"
    );
    assert_eq!(seqs(&store), [2, 3]);
}

#[test]
fn events_without_insert_id_are_never_copies() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    for _ in 0..3 {
        append(&store, 1, NOW_MS, None);
        store.flush().unwrap();
        append(&store, 1, NOW_MS, None);
    }
    assert_eq!(seqs(&store), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn rows_become_copies_by_a_merge() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    append(&store, 1, NOW_MS, Some(9));
    append(&store, 2, NOW_MS, Some(9));
    append(&store, 4, NOW_MS, Some(9));
    store.flush().unwrap();
    assert_eq!(seqs(&store), [1, 2, 3]);
    let mut merging = record(vec![event("open", 1, NOW_MS, None)]);
    merging.feed = feed(1, vec![merge(1, 2)]);
    store.append(merging).unwrap();
    assert_eq!(seqs(&store), [2, 3, 4]);
    assert_eq!(store.metrics().entangled_persons, 2);
    store.flush().unwrap();
    assert_eq!(seqs(&store), [2, 3, 4]);
    store.compact().unwrap();
    assert_eq!(store.metrics().entangled_persons, 0, "compaction moved the rows");
    assert_eq!(seqs(&store), [2, 3, 4]);
    // A copy that still carries the absorbed number, from a cache that never heard of the merge.
    append(&store, 1, NOW_MS, Some(9));
    assert_eq!(seqs(&store), [3, 4, 5]);
    store.close();
    assert_eq!(seqs(&Store::open(options(directory.path())).unwrap()), [3, 4, 5]);
}

#[test]
fn erased_persons_leave_answers_at_once_and_the_disk_with_compaction() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    for person in 1..10 {
        append(&store, person, NOW_MS, None);
    }
    store.flush().unwrap();
    let mut erasing = record(Vec::new());
    let persons = vec![PersonNumber(3), PersonNumber(4)];
    erasing.feed = feed(1, vec![FeedEntry::Erase { persons }]);
    store.append(erasing).unwrap();
    assert_eq!(seqs(&store), [1, 2, 5, 6, 7, 8, 9]);
    assert!(store.snapshot(PROJECT).is_erased(PersonNumber(3)));
    assert_eq!(store.metrics().segment_rows, 9);
    store.compact().unwrap();
    assert_eq!(store.metrics().segment_rows, 7);
    append(&store, 3, NOW_MS, None);
    assert_eq!(seqs(&store).len(), 7, "a late event of an erased person stays hidden");
    store.flush().unwrap();
    assert_eq!(store.metrics().segment_rows, 7, "and is not written");
}

#[test]
fn files_stay_as_long_as_somebody_reads_them() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    for step in 0..6 {
        append(&store, 3, NOW_MS + step, None);
        store.flush().unwrap();
    }
    let files = || std::fs::read_dir(directory.path().join("segments")).unwrap().count();
    let snapshot = store.snapshot(PROJECT);
    assert_eq!(store.compact().unwrap(), 6);
    assert_eq!(files(), 7);
    assert_eq!(scan(&snapshot, &everything(&snapshot)).len(), 6);
    drop(snapshot);
    assert_eq!(files(), 1);
    assert_eq!(seqs(&store).len(), 6);
}

/// Insert ids of all rows by sequence number, read from every partition.
fn insert_ids(store: &Store) -> Vec<(u64, Option<u64>)> {
    let request = ScanRequest {
        with_event: true,
        with_seq: true,
        with_insert_id: true,
        ..ScanRequest::everything()
    };
    let snapshot = store.snapshot(PROJECT);
    let mut found = Vec::new();
    for partition in 0..snapshot.scan_count() {
        for batch in snapshot.scan(partition, &request).unwrap() {
            let batch = batch.unwrap();
            let column = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<UInt64Type>().clone();
            found.extend(column("seq").values().iter().copied().zip(column("insert_id").iter()));
        }
    }
    found.sort_unstable();
    found
}

/// From fresh rows, from segments, and from the partition of persons that were merged.
#[test]
fn rows_are_read_with_their_insert_ids() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    append(&store, 1, NOW_MS, Some(9));
    append(&store, 2, NOW_MS, None);
    let expected = [(1, Some(9)), (2, None)];
    assert_eq!(insert_ids(&store), expected);
    store.flush().unwrap();
    assert_eq!(insert_ids(&store), expected);
    append(&store, 3, NOW_MS, Some(7));
    let mut merging = record(Vec::new());
    merging.feed = feed(1, vec![merge(2, 3)]);
    store.append(merging).unwrap();
    assert_eq!(insert_ids(&store), [(1, Some(9)), (2, None), (3, Some(7))]);
}

//! Many threads at once, with the background thread flushing and compacting all the time.

use crate::support::*;
use ::model::ProjectId;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use store::{Position, ScanRequest, Store, StoreOptions};

const THREADS: i64 = 4;
const RECORDS: i64 = 120;

fn times(store: &Store, project: ProjectId) -> BTreeSet<i64> {
    let request = ScanRequest {
        with_event: true,
        with_seq: true,
        ..ScanRequest::everything()
    };
    let rows = scan(&store.snapshot(project), &request);
    let times: BTreeSet<i64> = rows.iter().map(|row| row.time_ms).collect();
    assert_eq!(times.len(), rows.len(), "a row is there twice");
    times
}

#[test]
fn whatever_was_acknowledged_is_in_the_next_snapshot() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        background: true,
        flush_rows: 40,
        ..options(directory.path())
    };
    let store = create(options.clone());
    let acknowledged = Mutex::new(BTreeSet::new());
    let positions: Mutex<BTreeSet<Position>> = Mutex::default();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stop_at_end = StopAtEnd(&done);
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (store, acknowledged, positions) = (&store, &acknowledged, &positions);
                scope.spawn(move || {
                    for step in 0..RECORDS {
                        let time = NOW_MS + thread * RECORDS + step;
                        // Sent twice, as by a client that lost the answer.
                        for _ in 0..2 {
                            let open = event("open", step as u64 % 9, time, Some(time as u64));
                            let position = store.append(record(vec![open])).unwrap();
                            assert!(positions.lock().unwrap().insert(position));
                        }
                        acknowledged.lock().unwrap().insert(time);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let before = acknowledged.lock().unwrap().clone();
                assert!(
                    times(&store, PROJECT).is_superset(&before),
                    "an acknowledged event is not in the next scan"
                );
            }
        });
        scope.spawn(|| {
            // Merges while the rows move.
            for seq in 1..6 {
                let mut merging = record(Vec::new());
                merging.feed = feed(seq, vec![merge(seq, seq + 1)]);
                let position = store.append(merging).unwrap();
                assert!(positions.lock().unwrap().insert(position));
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        drop(stop_at_end);
    });
    let expected: BTreeSet<i64> = (NOW_MS..NOW_MS + THREADS * RECORDS).collect();
    assert_eq!(times(&store, PROJECT), expected);
    let records = (THREADS * RECORDS * 2 + 5) as u64;
    assert_eq!(store.metrics().log_position, records);
    let numbers: BTreeSet<Position> = (1..=records).map(Position).collect();
    assert_eq!(
        positions.into_inner().unwrap(),
        numbers,
        "every record has a number of its own"
    );
    // On a busy machine its thread may not have had a turn yet.
    let begun = Instant::now();
    while store.metrics().segments == 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the background thread flushes"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(store.metrics().maintenance_failures, 0);
    store.close();
    let store = Store::open(options).unwrap();
    assert_eq!(times(&store, PROJECT), expected);
}

#[test]
fn a_closed_store_refuses_appends() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    let other = store.clone();
    store.append(record(vec![event("open", 1, NOW_MS, None)])).unwrap();
    store.close();
    let refused = other.append(record(Vec::new()));
    assert!(matches!(refused, Err(store::StoreError::Closed)));
    assert_eq!(times(&other, PROJECT).len(), 1, "questions are still answered");
}

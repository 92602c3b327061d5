//! A backup of a running store, opened again.

use crate::support::*;
use ::model::{ProfileOp, ProfileUpdate, Subject, Value};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use store::{ScanRequest, Store, StoreError};

fn rows(store: &Store) -> Vec<Row> {
    let snapshot = store.snapshot(PROJECT);
    scan(&snapshot, &everything(&snapshot))
}

#[test]
fn a_backup_gives_equal_answers() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(&directory.path().join("data")));
    for step in 0..30_i64 {
        let mut buy = event("buy", step as u64 % 7, NOW_MS + step, Some(step as u64 % 9));
        buy.properties = vec![("plan".into(), Value::String(format!("p{}", step % 3)))];
        let mut record = record(vec![buy]);
        record.profiles = vec![ProfileUpdate {
            subject: Subject::Person(::model::PersonNumber(5)),
            op: ProfileOp::Add(vec![("count".into(), 1.0)]),
            time: ::model::EventTime(NOW_MS + step),
            touches_last_seen: true,
        }];
        if step == 20 {
            record.feed = feed(1, vec![merge(3, 4)]);
        }
        store.append(record).unwrap();
        if step % 8 == 7 {
            store.flush().unwrap();
        }
    }
    let copy = directory.path().join("copy");
    store.backup(&copy).unwrap();
    assert!(matches!(store.backup(&copy), Err(StoreError::NotAStore { .. })));
    let restored = Store::open(options(&copy)).unwrap();
    assert_eq!(rows(&restored), rows(&store));
    let profiles = |store: &Store| {
        let profiles = store.snapshot(PROJECT).profiles();
        profiles
            .iter()
            .map(|(person, profile)| (person, profile.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(profiles(&restored), profiles(&store));
    assert_eq!(restored.feed_position(PROJECT), 1);
    // The copy is a store of its own.
    restored
        .append(record(vec![event("buy", 1, NOW_MS + 99, None)]))
        .unwrap();
    restored.flush().unwrap();
    restored.close();
    assert_eq!(
        rows(&Store::open(options(&copy)).unwrap()).len(),
        rows(&store).len() + 1
    );
}

#[test]
fn a_backup_under_load_has_every_record_from_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(&directory.path().join("data")));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stop_at_end = StopAtEnd(&stop);
        let writer = scope.spawn(|| {
            let mut step = 0;
            while !stop.load(Ordering::Relaxed) {
                store
                    .append(record(vec![event("open", step % 11, NOW_MS + step as i64, None)]))
                    .unwrap();
                step += 1;
                if step % 16 == 0 {
                    store.flush().unwrap();
                }
                if step % 64 == 0 {
                    store.compact().unwrap();
                }
            }
        });
        for round in 0..5 {
            let before = times(&store);
            let copy = directory.path().join(format!("copy{round}"));
            store.backup(&copy).unwrap();
            let restored = times(&Store::open(options(&copy)).unwrap());
            assert!(
                restored.is_superset(&before),
                "a record from before the backup is missing"
            );
            let last = restored.last().copied().unwrap_or(NOW_MS - 1);
            let gapless: BTreeSet<i64> = (NOW_MS..=last).collect();
            assert_eq!(restored, gapless);
        }
        drop(stop_at_end);
        writer.join().unwrap();
    });
}

fn times(store: &Store) -> BTreeSet<i64> {
    let request = ScanRequest {
        with_seq: true,
        ..ScanRequest::everything()
    };
    let rows = scan(&store.snapshot(PROJECT), &request);
    let times: BTreeSet<i64> = rows.iter().map(|row| row.time_ms).collect();
    assert_eq!(times.len(), rows.len(), "a record is there twice");
    times
}

//! Each single disk operation of a short life fails, without and with effect; then the power goes, and the store
//! must come back with every acknowledged record once, no refused one, and unknown ones whole or not at all.

use crate::support::*;
use ::model::PersonNumber;
use std::collections::BTreeSet;
use store::disk::faulty::{Fault, FaultyDisk, Tail};
use store::{ScanRequest, Store, StoreError};

/// What happened to the records of a life, each named by the time of its events.
#[derive(Default)]
struct Fate {
    acknowledged: BTreeSet<i64>,
    unknown: BTreeSet<i64>,
    refused: BTreeSet<i64>,
}

const EVENTS_PER_RECORD: u64 = 5;

/// Appends, flushes and compacts so that every kind of disk operation occurs. Returns what each append was told.
fn live(store: &Store) -> Fate {
    let mut fate = Fate::default();
    for round in 0..4_i64 {
        for step in 0..6_i64 {
            let name = NOW_MS + round * 100 + step;
            // Without insert ids a record that is stored twice counts twice.
            let events = (0..EVENTS_PER_RECORD).map(|person| event("open", person, name, None));
            let mut record = record(events.collect());
            if round == 1 && step == 0 {
                record.feed = feed(1, vec![merge(1, 2)]);
            }
            match store.append(record) {
                Ok(_) => fate.acknowledged.insert(name),
                Err(StoreError::Unknown { .. }) => fate.unknown.insert(name),
                Err(StoreError::Full { .. } | StoreError::Unavailable { .. }) => fate.refused.insert(name),
                Err(other) => panic!("unexpected: {other:?}"),
            };
            check(store, &fate);
        }
        // A flush or compaction that fails leaves everything as it was; later ones go on.
        let _ = store.flush();
        check(store, &fate);
        let _ = store.compact();
        check(store, &fate);
    }
    fate
}

/// Every acknowledged record is visible, whole and once; no refused one is.
fn check(store: &Store, fate: &Fate) {
    let snapshot = store.snapshot(PROJECT);
    let request = ScanRequest {
        with_event: true,
        with_seq: true,
        ..ScanRequest::everything()
    };
    let rows = scan(&snapshot, &request);
    let mut names: Vec<i64> = rows.iter().map(|row| row.time_ms).collect();
    names.sort_unstable();
    let found: BTreeSet<i64> = names.iter().copied().collect();
    assert_eq!(
        names.len() as u64,
        found.len() as u64 * EVENTS_PER_RECORD,
        "a record is torn or doubled"
    );
    assert!(found.is_superset(&fate.acknowledged), "an acknowledged record is lost");
    assert!(found.is_disjoint(&fate.refused), "a refused record came back");
    let known: BTreeSet<i64> = fate.acknowledged.union(&fate.unknown).copied().collect();
    assert!(found.is_subset(&known));
    if store.feed_position(PROJECT) == 1 {
        assert_eq!(snapshot.canonical(PersonNumber(1)), PersonNumber(2));
        assert!(rows.iter().all(|row| row.person != 1));
    }
}

fn check_fault(at: u64, fault: Fault, tail: Tail) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::new();
    let options = options_on(directory.path(), &disk);
    let store = create(options.clone());
    disk.fail_after(at, fault);
    let fate = live(&store);
    let struck = !disk.is_armed();
    store.close();
    disk.crash(tail).unwrap();
    let store = Store::open(options.clone()).unwrap();
    check(&store, &fate);
    // The store works on as if nothing had been.
    store.append(record(Vec::new())).unwrap();
    store.flush().unwrap();
    store.compact().unwrap();
    check(&store, &fate);
    store.close();
    let store = Store::open(options).unwrap();
    check(&store, &fate);
    struck
}

fn check_every_operation(fault: Fault, tail: Tail) {
    let mut at = 1;
    while check_fault(at, fault, tail) {
        at += 1;
    }
    assert!(at > 100, "a life has more than {at} disk operations");
}

#[test]
fn any_operation_may_fail_before_a_power_cut() {
    check_every_operation(Fault::Failed, Tail::Lost);
}

#[test]
fn any_operation_may_fail_though_it_was_carried_out() {
    check_every_operation(Fault::FailedButStored, Tail::Lost);
}

#[test]
fn any_operation_may_fail_before_the_process_ends() {
    check_every_operation(Fault::Failed, Tail::Kept);
}

/// What the catalog refuses for once, on a full disk for example, did not happen, and works when tried again.
#[test]
fn a_refused_publication_stops_nothing() {
    for statement in ["UPDATE ON setting", "INSERT ON segment", "DELETE ON segment"] {
        let directory = tempfile::tempdir().unwrap();
        let disk = FaultyDisk::new();
        let store = create(options_on(directory.path(), &disk));
        let catalog = rusqlite::Connection::open(directory.path().join("catalog.db")).unwrap();
        let files = || std::fs::read_dir(directory.path().join("segments")).unwrap().count();
        for round in 0..6 {
            store
                .append(record(vec![event("open", 1, NOW_MS + round, None)]))
                .unwrap();
            let refuse = format!("CREATE TRIGGER refuse BEFORE {statement} BEGIN SELECT RAISE(ABORT, 'full'); END");
            catalog.execute_batch(&refuse).unwrap();
            let before = files();
            let refused = [store.flush().is_err(), store.compact().is_err()];
            if refused.contains(&true) {
                assert_eq!(
                    files(),
                    before + usize::from(!refused[0]),
                    "files of a refused publication stay"
                );
            }
            catalog.execute_batch("DROP TRIGGER refuse").unwrap();
            store.flush().unwrap();
        }
        store.compact().unwrap();
        let metrics = store.metrics();
        assert_eq!((metrics.segments, metrics.segment_rows, metrics.fresh_rows), (1, 6, 0));
        assert_eq!(metrics.maintenance_stopped, 0);
    }
}

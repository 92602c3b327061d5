//! A backup of a running store, opened again.

use crate::support::*;
use ::model::{ProfileOp, ProfileUpdate, Subject, Value};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use store::{ScanRequest, Store};

fn rows(store: &Store) -> Vec<Row> {
    let snapshot = store.snapshot(PROJECT);
    scan(&snapshot, &everything(&snapshot))
}

/// Every frozen file in a new directory, as a backup that is restored puts them there.
fn copy_frozen(store: &Store, to: &Path) -> io::Result<()> {
    for folder in ["log", "segments"] {
        std::fs::create_dir_all(to.join(folder)).unwrap();
    }
    for mut file in store.freeze(&to.join("catalog.db")).unwrap() {
        let mut content = vec![0; file.bytes as usize];
        file.read(0, &mut content)?;
        std::fs::write(to.join(&file.path), content).unwrap();
    }
    Ok(())
}

#[test]
fn a_frozen_file_outlives_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(&directory.path().join("data")));
    let append = |step: i64| {
        store
            .append(record(vec![event("open", 1, NOW_MS + step, None)]))
            .unwrap();
        store.flush().unwrap();
    };
    (0..4).for_each(append);
    let copy = directory.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    let frozen = store.freeze(&copy.join("catalog.db")).unwrap();
    let segments = |frozen: &[store::FrozenFile]| -> Vec<(String, Option<Vec<u8>>)> {
        let segments = frozen.iter().filter(|file| file.identity.is_some());
        segments
            .map(|file| (file.path.clone(), file.identity.clone()))
            .collect()
    };
    let names = segments(&frozen);
    assert!(!names.is_empty());
    // Compaction replaces them all; a later backup has others.
    assert!(store.compact().unwrap() > 0);
    let later = store.freeze(&copy.join("later.db")).unwrap();
    assert_ne!(segments(&later), names);
    for mut file in frozen {
        let mut content = vec![0; file.bytes as usize];
        file.read(0, &mut content).unwrap();
    }
}

#[test]
fn a_damaged_segment_is_not_copied() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let store = create(options(&data));
    store.append(record(vec![event("open", 1, NOW_MS, None)])).unwrap();
    store.flush().unwrap();
    store.close();
    let segment = std::fs::read_dir(data.join("segments"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let mut content = std::fs::read(segment.path()).unwrap();
    content[100] ^= 1;
    std::fs::write(segment.path(), content).unwrap();
    let error = copy_frozen(&Store::open(options(&data)).unwrap(), &directory.path().join("copy")).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
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
    copy_frozen(&store, &copy).unwrap();
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
            copy_frozen(&store, &copy).unwrap();
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
        with_event: true,
        with_seq: true,
        ..ScanRequest::everything()
    };
    let rows = scan(&store.snapshot(PROJECT), &request);
    let times: BTreeSet<i64> = rows.iter().map(|row| row.time_ms).collect();
    assert_eq!(times.len(), rows.len(), "a record is there twice");
    times
}

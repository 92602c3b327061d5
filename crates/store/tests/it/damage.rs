//! Damaged files: reported with file and offset, never read as something else.

use crate::support::{self, *};
use ::model::Value;
use std::path::{Path, PathBuf};
use store::{ScanRequest, Snapshot, Store, StoreError, StoreOptions};

fn fill(store: &Store) {
    let events = (0..300_u64).map(|n| {
        let mut event = event(
            ["buy", "open"][n as usize % 2],
            n % 40,
            NOW_MS + n as i64 * 1_000,
            Some(n),
        );
        event.properties = vec![
            ("plan".into(), Value::String(format!("plan {}", n % 5))),
            ("amount".into(), Value::Number(n as f64)),
            ("list".into(), Value::List(vec![Value::Number(n as f64)])),
        ];
        event
    });
    store.append(record(events.collect())).unwrap();
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// All rows, or the first error.
fn try_scan(snapshot: &Snapshot) -> Result<usize, StoreError> {
    let request = everything(snapshot);
    for partition in 0..snapshot.scan_count() {
        for batch in snapshot.scan(partition, &request)? {
            batch?;
        }
    }
    Ok(scan(snapshot, &request).len())
}

#[test]
fn a_flipped_bit_in_a_segment_is_never_served() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    fill(&store);
    store.flush().unwrap();
    let expected = {
        let snapshot = store.snapshot(PROJECT);
        scan(&snapshot, &everything(&snapshot))
    };
    store.close();
    let file = files(&directory.path().join("segments")).remove(0);
    let content = std::fs::read(&file).unwrap();
    let mut reported = 0;
    for at in (0..content.len()).step_by(3) {
        let mut damaged = content.clone();
        damaged[at] ^= 1 << (at % 8);
        std::fs::write(&file, &damaged).unwrap();
        let store = Store::open(options(directory.path())).unwrap();
        let snapshot = store.snapshot(PROJECT);
        match try_scan(&snapshot) {
            Ok(_) => assert_eq!(
                scan(&snapshot, &everything(&snapshot)),
                expected,
                "byte {at} changed the answer"
            ),
            Err(StoreError::Corrupt { file: named, .. }) => {
                assert_eq!(named, file);
                reported += 1;
            }
            Err(other) => panic!("byte {at}: {other:?}"),
        }
    }
    assert!(
        reported > content.len() / 3 / 2,
        "most flipped bits matter; {reported} were reported"
    );
}

/// The rest is served, flushed and compacted; what needs the damaged file says so; put back, it is served again.
#[test]
fn a_damaged_segment_is_set_aside() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        shards: 1,
        ..options(directory.path())
    };
    let store = create(options.clone());
    let day_ms = 24 * HOUR_MS;
    let append = |store: &Store, time_ms| {
        // Always the same event, so that every flush looks for earlier copies of it.
        let buy = event("buy", 1, time_ms, Some(7));
        store.append(record(vec![buy])).unwrap();
    };
    append(&store, NOW_MS);
    store.flush().unwrap();
    append(&store, NOW_MS - day_ms);
    append(&store, NOW_MS - day_ms + 1);
    store.flush().unwrap();
    store.close();
    let file = files(&directory.path().join("segments")).remove(0);
    let content = std::fs::read(&file).unwrap();
    let mut damaged = content.clone();
    damaged[content.len() / 2] ^= 1;
    std::fs::write(&file, &damaged).unwrap();

    let store = Store::open(options.clone()).unwrap();
    let yesterday = |store: &Store| {
        let snapshot = store.snapshot(PROJECT);
        let request = ScanRequest {
            to_ms: NOW_MS,
            ..everything(&snapshot)
        };
        scan(&snapshot, &request).len()
    };
    let is_named = |store: &Store| match try_scan(&store.snapshot(PROJECT)) {
        Err(StoreError::Corrupt { file: named, .. }) => named == file,
        _ => false,
    };
    assert!(is_named(&store));
    assert_eq!((yesterday(&store), store.metrics().damaged_segments), (2, 1));
    let mut merging = record(vec![event("buy", 2, NOW_MS - day_ms, Some(8))]);
    merging.feed = feed(1, vec![merge(2, 1)]);
    store.append(merging).unwrap();
    for step in 2..6 {
        append(&store, NOW_MS);
        append(&store, NOW_MS - day_ms + step);
        store.flush().unwrap();
    }
    store.compact().unwrap();
    assert!(is_named(&store), "a smaller number would look like an answer");
    let metrics = store.metrics();
    assert_eq!((metrics.fresh_rows, metrics.damaged_segments), (0, 1));
    assert_eq!(
        metrics.entangled_persons, 2,
        "person 2 may have rows in the damaged file"
    );
    store.close();

    std::fs::write(&file, &content).unwrap();
    let store = Store::open(options).unwrap();
    assert_eq!(yesterday(&store), 7);
    store.compact().unwrap();
    let metrics = store.metrics();
    assert_eq!((metrics.entangled_persons, metrics.damaged_segments), (0, 0));
    assert_eq!(
        try_scan(&store.snapshot(PROJECT)).unwrap(),
        8,
        "settling the merge found the copies"
    );
}

/// Found by a question, by a verification of the running store, or by one of a store that nobody had open.
#[test]
fn damage_is_remembered_until_the_file_is_put_back() {
    type Find<'a> = &'a dyn Fn(&Path, &Path);
    let open = |directory: &Path| Store::open(options(directory)).unwrap();
    let finds: [Find<'_>; 3] = [
        &|directory, _| assert!(try_scan(&open(directory).snapshot(PROJECT)).is_err()),
        &|directory, file| {
            let store = open(directory);
            assert_eq!(store.metrics().damaged_segments, 0, "nobody has read it");
            assert!(store.examine(file));
            assert!(!store.examine(&directory.join("catalog.db")));
            assert_eq!(store.metrics().damaged_segments, 1);
        },
        &|directory, file| {
            let files = [directory.join("catalog.db"), file.to_path_buf()];
            store::examine_at_start(directory, &files).unwrap();
        },
    ];
    for find in finds {
        let directory = tempfile::tempdir().unwrap();
        let store = create(options(directory.path()));
        fill(&store);
        store.flush().unwrap();
        let sound = files(&directory.path().join("segments"));
        assert!(sound.iter().all(|file| !store.examine(file)));
        assert!(matches!(
            store::examine_at_start(directory.path(), &sound),
            Err(StoreError::Locked { .. })
        ));
        store.close();
        let content = std::fs::read(&sound[0]).unwrap();
        let mut damaged = content.clone();
        damaged[content.len() / 2] ^= 1;
        std::fs::write(&sound[0], &damaged).unwrap();
        find(directory.path(), &sound[0]);
        for _ in 0..2 {
            assert_eq!(open(directory.path()).metrics().damaged_segments, 1);
        }
        std::fs::write(&sound[0], &content).unwrap();
        assert_eq!(open(directory.path()).metrics().damaged_segments, 0);
        // Nothing is left to be read whole at the next start.
        std::fs::write(&sound[0], &damaged).unwrap();
        assert_eq!(open(directory.path()).metrics().damaged_segments, 0);
    }
}

#[test]
fn a_cut_log_loses_nothing_but_its_unacknowledged_end() {
    let directory = support::in_memory();
    let store = create(options(directory.path()));
    for step in 0..6 {
        store
            .append(record(vec![event("open", 1, NOW_MS + step, None)]))
            .unwrap();
    }
    store.close();
    let file = files(&directory.path().join("log")).pop().unwrap();
    let content = std::fs::read(&file).unwrap();
    let mut before = 6;
    for cut in (0..=content.len()).rev() {
        std::fs::write(&file, &content[..cut]).unwrap();
        let store = Store::open(options(directory.path())).unwrap();
        let snapshot = store.snapshot(PROJECT);
        let times: Vec<i64> = scan(&snapshot, &everything(&snapshot))
            .iter()
            .map(|row| row.time_ms - NOW_MS)
            .collect();
        let expected: Vec<i64> = (0..times.len() as i64).collect();
        assert_eq!(times, expected);
        assert!(times.len() <= before && times.len() + 1 >= before);
        before = times.len();
        drop(snapshot);
        store.close();
    }
    assert_eq!(before, 0);
}

/// A log of three groups. Damage before the last is reported; the last, which then looks like one that was never finished, is cut off.
#[test]
fn every_flipped_bit_of_the_log_is_reported_or_in_its_last_group() {
    let directory = support::in_memory();
    let store = create(options(directory.path()));
    let mut ends = Vec::new();
    for step in 0..3 {
        let event = event("open", 1, NOW_MS + step, None);
        store.append(record(vec![event])).unwrap();
        let log = files(&directory.path().join("log")).pop().unwrap();
        ends.push(std::fs::metadata(log).unwrap().len() as usize);
    }
    store.close();
    let log = files(&directory.path().join("log")).pop().unwrap();
    let content = std::fs::read(&log).unwrap();
    assert_eq!(content.len(), ends[2]);
    for bit in 0..content.len() * 8 {
        let mut damaged = content.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&log, damaged).unwrap();
        match Store::open(options(directory.path())) {
            Ok(store) => {
                assert!(bit / 8 >= ends[1], "bit {bit} took records that were acknowledged");
                assert_eq!(store.snapshot(PROJECT).watermark(), 2, "bit {bit}");
            }
            Err(StoreError::Corrupt { file, .. } | StoreError::NewerFormat { file, .. }) => {
                assert_eq!(file, log, "bit {bit}");
                assert!(bit / 8 < ends[1], "bit {bit} of a group that may be a torn one");
            }
            Err(other) => panic!("bit {bit}: {other:?}"),
        }
    }
}

#[test]
fn damage_in_the_middle_of_the_log_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    for _ in 0..3 {
        fill(&store);
    }
    store.close();
    let log = files(&directory.path().join("log"));
    assert_eq!(log.len(), 3, "the log went on in new files");
    let content = std::fs::read(&log[1]).unwrap();
    let mut damaged = content.clone();
    damaged[200] ^= 4;
    std::fs::write(&log[1], &damaged).unwrap();
    match Store::open(options(directory.path())).map(drop) {
        Err(StoreError::Corrupt { file, offset, .. }) => assert_eq!((file, offset), (log[1].clone(), 24)),
        other => panic!("{other:?}"),
    }
    std::fs::remove_file(&log[1]).unwrap();
    match Store::open(options(directory.path())).map(drop) {
        Err(StoreError::Corrupt { file, .. }) => assert_eq!(file, log[2]),
        other => panic!("{other:?}"),
    }
    std::fs::write(&log[1], &content).unwrap();
    let store = Store::open(options(directory.path())).unwrap();
    assert_eq!(store.snapshot(PROJECT).watermark(), 900);
}

#[test]
fn a_directory_without_a_store_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(
        Store::open(options(directory.path())),
        Err(StoreError::NotAStore { .. })
    ));
    create(options(directory.path())).close();
    assert!(matches!(
        Store::create(options(directory.path())),
        Err(StoreError::NotAStore { .. })
    ));
}

//! Rows past retention: out of every answer at once, off the disk by compaction.

use crate::support::*;
use ::model::EventTime;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use store::{Retention, Store, StoreError, StoreOptions};

const DAY_MS: i64 = 24 * HOUR_MS;

thread_local! {
    /// The time of the test that runs on this thread.
    static NOW: Cell<i64> = const { Cell::new(NOW_MS) };
}

fn moving(directory: &Path) -> StoreOptions {
    NOW.set(NOW_MS);
    StoreOptions {
        clock: || EventTime(NOW.get()),
        ..options(directory)
    }
}

fn retain(store: &Store, days: Option<u32>, events: &[(&str, u32)]) {
    let mut project = store.catalog().project(PROJECT).unwrap();
    project.settings.retention = Retention {
        days,
        events: events
            .iter()
            .map(|(name, days)| ((*name).to_owned(), *days))
            .collect::<BTreeMap<_, _>>(),
    };
    store.catalog().update_project(&project).unwrap();
}

/// One visit and one order a day, of ten persons, `days` days back.
fn fill(store: &Store, days: i64) {
    for day in 0..days {
        let at = |hour: i64| NOW_MS - day * DAY_MS + hour * HOUR_MS;
        let person = (day % 10) as u64;
        store
            .append(record(vec![
                event("visit", person, at(1), Some(day as u64)),
                event("order", person, at(2), Some(day as u64)),
            ]))
            .unwrap();
    }
}

/// Days back of the rows of an event that a scan returns.
fn days(store: &Store, name: &str) -> Vec<i64> {
    let snapshot = store.snapshot(PROJECT);
    let rows = scan(&snapshot, &everything(&snapshot));
    let rows = rows.iter().filter(|row| row.event == name);
    let mut days: Vec<i64> = rows.map(|row| (NOW_MS - row.time_ms).div_euclid(DAY_MS) + 1).collect();
    days.sort_unstable();
    days
}

fn up_to(last: i64) -> Vec<i64> {
    (0..=last).collect()
}

fn rows_on_disk(store: &Store) -> u64 {
    store.metrics().segment_rows
}

#[test]
fn rows_leave_answers_at_once_wherever_they_lie() {
    for flushed in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let store = create(moving(directory.path()));
        fill(&store, 60);
        if flushed {
            store.flush().unwrap();
        }
        // Two of them are one person, whose rows come from the partition of such persons.
        store
            .append(::model::Record {
                feed: feed(1, vec![merge(3, 4)]),
                ..record(Vec::new())
            })
            .unwrap();
        let before = store.snapshot(PROJECT);
        retain(&store, Some(30), &[("order", 7)]);
        assert_eq!((days(&store, "visit"), days(&store, "order")), (up_to(30), up_to(7)));
        let after = store.snapshot(PROJECT);
        assert!(after.version() > before.version(), "kept answers would be stale");
        assert_eq!(
            scan(&before, &everything(&before)).len(),
            120,
            "a snapshot does not change"
        );
        retain(&store, Some(7), &[("order", 40)]);
        assert_eq!((days(&store, "visit"), days(&store, "order")), (up_to(7), up_to(40)));
        retain(&store, None, &[]);
        assert_eq!(days(&store, "visit").len(), 60);
        // A day later, one day less.
        retain(&store, Some(30), &[]);
        NOW.set(NOW_MS + DAY_MS);
        assert_eq!(days(&store, "visit"), up_to(29));
        assert!(store.snapshot(PROJECT).version() > after.version());
    }
}

#[test]
fn compaction_removes_them_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(moving(directory.path()));
    fill(&store, 90);
    store.flush().unwrap();
    store.compact().unwrap();
    assert_eq!(rows_on_disk(&store), 180);
    retain(&store, Some(30), &[("order", 7)]);
    store.compact().unwrap();
    // What is past it by less than a week may wait in a segment with others.
    let left = rows_on_disk(&store);
    assert!((31 + 8..=31 + 8 + 2 * 7).contains(&left), "{left} rows are left");
    assert_eq!((days(&store, "visit"), days(&store, "order")), (up_to(30), up_to(7)));
    retain(&store, None, &[]);
    let visits = days(&store, "visit").len();
    assert!((31..=38).contains(&visits), "{visits} visits came back");
    // Everything, at last.
    retain(&store, Some(1), &[]);
    NOW.set(NOW_MS + 20 * DAY_MS);
    store.compact().unwrap();
    assert_eq!((rows_on_disk(&store), store.metrics().segments), (0, 0));
    assert_eq!(store.compact().unwrap(), 0);
    drop(store);
    let files = std::fs::read_dir(directory.path().join("segments")).unwrap().count();
    assert_eq!(files, 0);
    let store = Store::open(moving(directory.path())).unwrap();
    assert!(days(&store, "visit").is_empty());
    assert_eq!(
        store.catalog().project(PROJECT).unwrap().settings.retention.days,
        Some(1)
    );
}

#[test]
fn a_segment_is_not_written_again_every_day() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(moving(directory.path()));
    fill(&store, 60);
    store.flush().unwrap();
    store.compact().unwrap();
    retain(&store, Some(30), &[]);
    store.compact().unwrap();
    let mut rewritten = 0;
    for day in 1..=28 {
        NOW.set(NOW_MS + day * DAY_MS);
        rewritten += usize::from(store.compact().unwrap() > 0);
    }
    assert!(rewritten <= 10, "something was rewritten on {rewritten} of 28 days");
    assert_eq!(days(&store, "visit"), up_to(2));
}

#[test]
fn what_cannot_be_enforced_is_alarmed_and_stays_out_of_answers() {
    let directory = tempfile::tempdir().unwrap();
    let disk = store::disk::faulty::FaultyDisk::new();
    let store = create(StoreOptions {
        disk: std::sync::Arc::new(disk.clone()),
        ..moving(directory.path())
    });
    fill(&store, 60);
    store.flush().unwrap();
    retain(&store, Some(30), &[("order", 1)]);
    disk.set_room(Some(0));
    assert!(store.compact().is_err());
    assert_eq!(store.metrics().retention_overdue, 1);
    assert_eq!((days(&store, "visit"), days(&store, "order")), (up_to(30), up_to(1)));
    disk.set_room(None);
    store.compact().unwrap();
    assert_eq!(store.metrics().retention_overdue, 0);
}

/// The time of [`a_clock_that_jumps_removes_nothing`], whose store has a thread of its own.
static JUMPING: AtomicI64 = AtomicI64::new(NOW_MS);

#[test]
fn a_clock_that_jumps_removes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(StoreOptions {
        background: true,
        clock: || EventTime(JUMPING.load(Ordering::SeqCst)),
        ..options(directory.path())
    });
    let other = store.catalog().create_project("Kept", "UTC").unwrap().id;
    let wait_until = |overdue: bool| {
        while store.retention_is_overdue(PROJECT) != overdue {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    fill(&store, 20);
    store.flush().unwrap();
    retain(&store, Some(30), &[]);
    JUMPING.store(NOW_MS + 400 * DAY_MS, Ordering::SeqCst);
    wait_until(true);
    assert!(days(&store, "visit").is_empty(), "answers believe the clock");
    let _ = store.compact();
    assert_eq!(rows_on_disk(&store), 40, "the disk does not");
    assert!(!store.retention_is_overdue(other), "nothing is to be removed there");
    JUMPING.store(NOW_MS, Ordering::SeqCst);
    wait_until(false);
    assert_eq!(days(&store, "visit"), up_to(19));
}

/// Orders leave the files that can be read; the damaged one goes as a whole when all of it is past retention.
#[test]
fn a_damaged_segment_holds_up_no_other() {
    for from_end in [20, 900] {
        let directory = tempfile::tempdir().unwrap();
        let options = || StoreOptions {
            shards: 1,
            ..moving(directory.path())
        };
        let store = create(options());
        fill(&store, 60);
        store.flush().unwrap();
        store.compact().unwrap();
        store.close();
        let mut files: Vec<_> = std::fs::read_dir(directory.path().join("segments"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        // By period, the months before the days.
        files.sort_by_key(|file| file.to_string_lossy().rsplit("-s0-").next().unwrap().to_owned());
        let month = &files[1];
        let mut content = std::fs::read(month).unwrap();
        let at = content.len() - from_end;
        content[at] ^= 1;
        std::fs::write(month, content).unwrap();

        let store = Store::open(options()).unwrap();
        let before = store.metrics();
        retain(&store, Some(300), &[("order", 4)]);
        store.compact().unwrap();
        let after = store.metrics();
        assert!(after.segment_rows < before.segment_rows, "{after:?}");
        assert_eq!((after.damaged_segments, after.retention_overdue), (1, 1));
        assert_eq!(store.compact().unwrap(), 0, "there is an end to it");
        NOW.set(NOW_MS + 400 * DAY_MS);
        store.compact().unwrap();
        let after = store.metrics();
        assert_eq!(
            (after.segments, after.damaged_segments, after.retention_overdue),
            (0, 0, 0)
        );
    }
}

#[test]
fn impossible_settings_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(moving(directory.path()));
    let mut project = store.catalog().project(PROJECT).unwrap();
    project.settings.retention.days = Some(0);
    assert!(matches!(
        store.catalog().update_project(&project),
        Err(StoreError::Invalid(_))
    ));
    assert_eq!(
        store.catalog().project(PROJECT).unwrap().settings.retention,
        Retention::default()
    );
}

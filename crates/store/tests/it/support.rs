//! Short ways to make records and to read a snapshot back.

use ::model::{
    BatchId, Event, EventTime, FeedEntry, FeedItem, InsertId, PersonNumber, ProfileUpdate, ProjectId, Record, Value,
};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type, UInt64Type};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::disk::faulty::FaultyDisk;
use store::{ColumnKind, ScanRequest, Snapshot, Store, StoreOptions, parse_physical};

pub const PROJECT: ProjectId = ProjectId(1);
pub const HOUR_MS: i64 = 3_600_000;
/// 2026-11-20T00:00:00Z, a Friday.
pub const NOW_MS: i64 = 1_795_132_800_000;

/// Settings for tests: few shards, no background thread, small files and row groups.
pub fn options(directory: &Path) -> StoreOptions {
    StoreOptions {
        shards: 3,
        background: false,
        log_file_bytes: 4_096,
        row_group_rows: 7,
        clock: || EventTime(NOW_MS),
        ..StoreOptions::new(directory)
    }
}

pub fn options_on(directory: &Path, disk: &FaultyDisk) -> StoreOptions {
    StoreOptions {
        disk: Arc::new(disk.clone()),
        ..options(directory)
    }
}

/// A directory where a sync costs nothing.
pub fn in_memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// A new store with one project.
pub fn create(options: StoreOptions) -> Store {
    let store = Store::create(options).unwrap();
    let project = store.catalog().create_project("Test", "UTC").unwrap();
    assert_eq!(project.id, PROJECT);
    store
}

pub fn event(name: &str, person: u64, time_ms: i64, insert_id: Option<u64>) -> Event {
    Event {
        name: name.into(),
        person: PersonNumber(person),
        time: EventTime(time_ms),
        insert_id: insert_id.map(InsertId),
        properties: Vec::new(),
        groups: Vec::new(),
    }
}

pub fn record(events: Vec<Event>) -> Record {
    Record {
        project: PROJECT,
        batch_id: BatchId::default(),
        received: EventTime(NOW_MS),
        feed: Vec::new(),
        profiles: Vec::new(),
        events,
    }
}

pub fn feed(first_seq: u64, entries: Vec<FeedEntry>) -> Vec<FeedItem> {
    let numbered = entries.into_iter().zip(first_seq..);
    numbered.map(|(entry, seq)| FeedItem { seq, entry }).collect()
}

pub fn merge(from: u64, into: u64) -> FeedEntry {
    FeedEntry::Merge {
        from: PersonNumber(from),
        into: PersonNumber(into),
    }
}

pub fn with_profiles(profiles: Vec<ProfileUpdate>) -> Record {
    Record {
        profiles,
        ..record(Vec::new())
    }
}

/// A row as a scan returned it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub seq: u64,
    pub event: String,
    pub person: u64,
    pub time_ms: i64,
    /// Values by physical column name.
    pub properties: BTreeMap<String, Value>,
}

/// Request for all rows with all listed columns and sequence numbers.
pub fn everything(snapshot: &Snapshot) -> ScanRequest {
    ScanRequest {
        properties: snapshot
            .columns()
            .iter()
            .map(|column| column.physical.clone())
            .collect(),
        with_event: true,
        with_seq: true,
        ..ScanRequest::everything()
    }
}

/// All rows of a request by sequence number, with the order and the partitions checked on the way.
pub fn scan(snapshot: &Snapshot, request: &ScanRequest) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut home: BTreeMap<u64, usize> = BTreeMap::new();
    for partition in 0..snapshot.scan_count() {
        for batch in snapshot.scan(partition, request).unwrap() {
            let found = rows_of(&batch.unwrap(), request);
            check_order(&found);
            for row in &found {
                let at = *home.entry(row.person).or_insert(partition);
                assert!(
                    row.person == 0 || at == partition,
                    "person {} is in partitions {at} and {partition}",
                    row.person
                );
            }
            rows.extend(found);
        }
    }
    rows.sort_by_key(|row| row.seq);
    rows
}

fn check_order(rows: &[Row]) {
    let mut seen = Vec::new();
    for pair in rows.windows(2) {
        if pair[0].event == pair[1].event {
            let key = |row: &Row| (row.person, row.time_ms, row.seq);
            assert!(key(&pair[0]) < key(&pair[1]), "{pair:?} are out of order");
        } else {
            seen.push(&pair[0].event);
            assert!(
                !seen.contains(&&pair[1].event),
                "rows of {} do not lie together",
                pair[1].event
            );
        }
    }
}

fn rows_of(batch: &RecordBatch, request: &ScanRequest) -> Vec<Row> {
    let expected: Vec<&str> = ["event", "person", "time", "seq"]
        .into_iter()
        .chain(request.properties.iter().map(String::as_str))
        .collect();
    let schema = batch.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, expected);
    assert!(batch.num_rows() > 0, "scans return no empty batches");
    let events = batch.column(0).as_dictionary::<Int32Type>();
    let names = events.values().as_string::<i32>();
    (0..batch.num_rows())
        .map(|row| Row {
            seq: batch.column(3).as_primitive::<UInt64Type>().value(row),
            event: names.value(events.keys().value(row) as usize).to_owned(),
            person: batch.column(1).as_primitive::<UInt64Type>().value(row),
            time_ms: batch.column(2).as_primitive::<Int64Type>().value(row),
            properties: request
                .properties
                .iter()
                .zip(&batch.columns()[4..])
                .filter(|(_, column)| column.is_valid(row) && !is_null_value(column, row))
                .map(|(physical, column)| (physical.clone(), value(physical, column, row)))
                .collect(),
        })
        .collect()
}

fn is_null_value(column: &dyn Array, row: usize) -> bool {
    column.logical_nulls().is_some_and(|nulls| nulls.is_null(row))
}

fn value(physical: &str, column: &dyn Array, row: usize) -> Value {
    match parse_physical(physical).unwrap().1 {
        ColumnKind::String => {
            let column = column.as_dictionary::<Int32Type>();
            let values = column.values().as_string::<i32>();
            Value::String(values.value(column.keys().value(row) as usize).to_owned())
        }
        ColumnKind::Number => Value::Number(column.as_primitive::<Float64Type>().value(row)),
        ColumnKind::Bool => Value::Bool(column.as_boolean().value(row)),
        ColumnKind::Json => {
            let text = column.as_string::<i32>().value(row);
            Value::from_json(&serde_json::from_str(text).unwrap())
        }
        ColumnKind::Group => {
            let numbers = column.as_list::<i32>().value(row);
            let numbers = numbers.as_primitive::<UInt64Type>();
            Value::List(
                numbers
                    .values()
                    .iter()
                    .map(|number| Value::Number(*number as f64))
                    .collect(),
            )
        }
    }
}

/// Sets a flag when it goes, also because an assertion failed: the threads of a scope wait for each other.
pub struct StopAtEnd<'a>(pub &'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

//! One life of a store on a simulated disk, drawn from a seed, beside the plain model of what it has to answer.

use super::disk::{Fault, SimDisk};
use crate::model_store::ModelStore;
use crate::random_histories::{Change, Draft, PERSONS, check, record_of};
use crate::support::*;
use ::model::Record;
use fastrand::Rng;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{Snapshot, Store, StoreError, StoreOptions};

/// Steps of a life.
const STEPS: usize = 24;

const DAY_MS: i64 = 24 * HOUR_MS;

pub struct World {
    rng: Rng,
    options: StoreOptions,
    disk: SimDisk,
    store: Option<Store>,
    /// What was acknowledged, and how many records that are.
    model: ModelStore,
    records: u64,
    /// A group that nobody was told the fate of, in order. The log has stopped behind it.
    unknown: Vec<Record>,
    /// The project's wall clock. It jumps.
    now_ms: i64,
    catalog: CatalogFaults,
    /// Earlier moments that somebody still reads.
    readers: Vec<(Snapshot, ModelStore)>,
    pub acknowledged: u64,
    pub crashes: u64,
    /// What happened, for the one who reads a failure.
    pub story: Vec<String>,
}

/// Lets publications fail at one of their statements. What SQLite itself does on a bad disk is SQLite's to test.
struct CatalogFaults {
    connection: rusqlite::Connection,
    is_armed: bool,
}

impl CatalogFaults {
    const STATEMENTS: [&str; 5] = [
        "UPDATE ON setting WHEN NEW.name = 'watermark'",
        "UPDATE ON setting WHEN NEW.name = 'next_segment'",
        "INSERT ON segment",
        "DELETE ON segment",
        "UPDATE ON project",
    ];

    fn open(directory: &Path) -> CatalogFaults {
        CatalogFaults {
            connection: rusqlite::Connection::open(directory.join("catalog.db")).unwrap(),
            is_armed: false,
        }
    }

    fn arm(&mut self, rng: &mut Rng) {
        let statement = Self::STATEMENTS[rng.usize(..Self::STATEMENTS.len())];
        self.disarm();
        let refuse = format!("CREATE TRIGGER refuse BEFORE {statement} BEGIN SELECT RAISE(ABORT, 'injected'); END");
        self.connection.execute_batch(&refuse).unwrap();
        self.is_armed = true;
    }

    fn disarm(&mut self) {
        if std::mem::take(&mut self.is_armed) {
            self.connection.execute_batch("DROP TRIGGER refuse").unwrap();
        }
    }
}

impl World {
    pub fn new(seed: u64, directory: &Path) -> World {
        let mut rng = Rng::with_seed(seed);
        let disk = SimDisk::new(rng.u64(..));
        let options = StoreOptions {
            shards: 2,
            log_file_bytes: 1 << rng.u32(8..13),
            row_group_rows: 32,
            gather: Duration::ZERO,
            disk: Arc::new(disk.clone()),
            ..options(directory)
        };
        std::fs::create_dir(directory).unwrap();
        let store = create(options.clone());
        World {
            rng,
            disk,
            store: Some(store),
            model: ModelStore::default(),
            records: 0,
            unknown: Vec::new(),
            now_ms: NOW_MS,
            catalog: CatalogFaults::open(directory),
            readers: Vec::new(),
            acknowledged: 0,
            crashes: 0,
            story: Vec::new(),
            options,
        }
    }

    pub fn live(&mut self) {
        for _ in 0..STEPS {
            self.step();
            if !self.disk.has_power() {
                self.crash();
            }
        }
        self.heal();
        self.work();
        self.crash();
        self.work();
    }

    /// Stands for everything that was written.
    pub fn digest(&self) -> u32 {
        self.disk.digest()
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("it is open between the steps")
    }

    fn tell(&mut self, what: impl std::fmt::Debug) {
        let directory = self.options.directory.to_string_lossy();
        self.story.push(format!("{what:?}").replace(&*directory, ""));
    }

    fn step(&mut self) {
        match self.rng.u8(..32) {
            0..13 => self.append(),
            13..17 => self.flush(),
            17..20 => self.compact(),
            20 => self.read(),
            21..25 => self.break_disk(),
            25 => self.catalog.arm(&mut self.rng),
            26 => self.heal(),
            27 => self.now_ms = NOW_MS + self.rng.i64(-900..900) * DAY_MS,
            28..30 => self.begin_to_read(),
            30 => self.restart(),
            _ => self.crash(),
        }
    }

    /// Sends a group of records, and remembers what was answered.
    fn append(&mut self) {
        let mut ahead = self.model.clone();
        let records: Vec<Record> = (0..self.rng.usize(1..4))
            .map(|_| {
                let record = self.draw(&ahead);
                ahead.apply(&record);
                record
            })
            .collect();
        let answers = self.store().append_group(records.clone()).unwrap();
        self.tell(("append", &answers));
        let stored = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!(
            stored == 0 || stored == answers.len(),
            "a group has one fate: {answers:?}"
        );
        match &answers[0] {
            Ok(_) => {
                assert!(self.unknown.is_empty(), "the log went on behind a failed sync");
                let numbers = answers.into_iter().map(|answer| answer.unwrap().0);
                let first = self.records + 1;
                assert!(numbers.eq(first..first + stored as u64), "records have other numbers");
                self.records += stored as u64;
                self.acknowledged += stored as u64;
                self.model = ahead;
            }
            Err(StoreError::Unknown { .. }) if self.unknown.is_empty() => self.unknown = records,
            Err(StoreError::Unknown { .. }) => {}
            Err(StoreError::Full { .. } | StoreError::Unavailable { .. }) => {
                assert!(
                    self.unknown.is_empty(),
                    "a stopped log does not know what became of a record"
                );
            }
            Err(other) => panic!("unexpected: {other:?}"),
        }
    }

    fn draw(&mut self, model: &ModelStore) -> Record {
        let rng = &mut self.rng;
        let drafts: Vec<Draft> = (0..rng.usize(..8))
            .map(|_| Draft {
                name: rng.u8(..3),
                person: rng.u64(..PERSONS),
                hour: [0, 0, 0, -24, 0, 0, 0, -2_000][rng.usize(..8)] + rng.i64(-2..2),
                insert_id: (rng.u8(..10) < 7).then(|| rng.u64(..3)),
                // Few columns: each costs every segment a compressor.
                property: rng.u8(..3),
            })
            .collect();
        let (one, other) = (rng.u64(1..PERSONS), rng.u64(1..PERSONS));
        let change = match rng.u8(..10) {
            0..2 => vec![Change::Merge(one, other)],
            2 => vec![Change::Erase(one)],
            3 => vec![Change::Reset(one)],
            4..6 => vec![Change::Add(one), Change::Add(other)],
            6 => vec![Change::Delete(one)],
            _ => Vec::new(),
        };
        let mut record = record_of(&drafts, &change, model);
        record.received.0 = self.now_ms;
        record
    }

    fn flush(&mut self) {
        let done = self.store().flush();
        self.tell(("flush", &done));
        assert!(!matches!(done, Err(StoreError::Corrupt { .. })), "{done:?}");
        self.check_rows();
    }

    fn compact(&mut self) {
        let done = self.store().compact();
        self.tell(("compact", &done));
        assert!(!matches!(done, Err(StoreError::Corrupt { .. })), "{done:?}");
        self.check_rows();
        for (snapshot, model) in &self.readers {
            self.disk.observed(|| compare(snapshot, model));
        }
    }

    /// A question on a disk that may refuse: the right answer or none.
    fn read(&mut self) {
        let snapshot = self.store().snapshot(PROJECT);
        let answer = count(&snapshot);
        self.tell(("read", &answer));
        match answer {
            Ok(rows) => assert_eq!(rows, self.model.rows().len()),
            Err(StoreError::Io { .. }) => {}
            Err(other) => panic!("unexpected: {other:?}"),
        }
    }

    fn begin_to_read(&mut self) {
        if self.readers.len() == 2 {
            self.readers.remove(0);
        }
        let snapshot = self.store().snapshot(PROJECT);
        self.readers.push((snapshot, self.model.clone()));
    }

    fn break_disk(&mut self) {
        let after = self.rng.u64(1..25);
        match self.rng.u8(..8) {
            0 => self.disk.fail_read_after(after),
            1 => self.disk.set_room(Some(self.rng.usize(..4_000))),
            2 => self.disk.fail_after(after, Fault::Full),
            3 => self.disk.fail_after(after, Fault::FailedButStored),
            4..6 => self.disk.fail_after(after, Fault::Failed),
            _ => self.disk.fail_after(after, Fault::PowerCut),
        }
    }

    fn heal(&mut self) {
        self.disk.heal();
        self.catalog.disarm();
    }

    /// What a healthy disk allows: flush and compaction succeed, whatever failed before.
    fn work(&mut self) {
        self.store().flush().unwrap();
        self.check_rows();
        self.store().compact().unwrap();
        self.check();
        assert_eq!(self.store().metrics().fresh_rows, 0);
        if self.unknown.is_empty() {
            let before = self.acknowledged;
            self.append();
            assert!(self.acknowledged > before && self.disk.has_power());
        }
    }

    /// The process ends in an orderly way; the disk stays what it is.
    fn restart(&mut self) {
        self.tell("restart");
        self.stop();
        self.start();
    }

    fn crash(&mut self) {
        self.tell("crash");
        self.crashes += 1;
        self.stop();
        self.catalog.disarm();
        self.disk.crash();
        self.start();
    }

    fn stop(&mut self) {
        self.readers.clear();
        self.store.take().expect("it was open").close();
    }

    /// Opens the store; a start that fails or loses power is tried again. Then everything must be as promised.
    fn start(&mut self) {
        if self.rng.u8(..4) == 0 {
            let after = self.rng.u64(1..8);
            let faults = [Fault::Failed, Fault::FailedButStored, Fault::PowerCut];
            self.disk.fail_after(after, faults[self.rng.usize(..3)]);
        }
        let store = loop {
            match Store::open(self.options.clone()) {
                Ok(store) => break store,
                Err(error) => {
                    self.tell(("start", &error));
                    assert!(
                        matches!(error, StoreError::Io { .. } | StoreError::Full { .. }),
                        "{error:?}"
                    );
                    if !self.disk.has_power() {
                        self.disk.crash();
                    }
                    self.heal();
                }
            }
        };
        if !self.disk.has_power() {
            // It came up from what was synced, and lost power on the way to the first step.
            store.close();
            self.disk.crash();
            return self.start();
        }
        self.disk.heal();
        let survivors = store.metrics().log_position.checked_sub(self.records);
        let survivors = survivors.expect("acknowledged records are missing") as usize;
        assert!(
            survivors <= self.unknown.len(),
            "records that nobody sent, or that were refused"
        );
        self.tell(("survivors", survivors, self.unknown.len()));
        // Of a group that nobody was told about, the log may hold the first ones, whole.
        for record in self.unknown.drain(..).take(survivors) {
            self.model.apply(&record);
            self.records += 1;
        }
        self.store = Some(store);
        self.check();
        self.check_files();
    }

    fn check(&self) {
        let snapshot = self.store().snapshot(PROJECT);
        assert_eq!(self.store().feed_position(PROJECT), self.model.feed_position());
        self.disk.observed(|| check(&snapshot, &self.model));
    }

    fn check_rows(&self) {
        let snapshot = self.store().snapshot(PROJECT);
        self.disk.observed(|| compare(&snapshot, &self.model));
    }

    /// After a start nothing lies about that nobody needs.
    fn check_files(&self) {
        let files = |name: &str| self.disk.files(&self.options.directory.join(name));
        let segments: Vec<PathBuf> = files("segments");
        assert_eq!(segments.len() as u64, self.store().metrics().segments, "{segments:?}");
    }
}

fn compare(snapshot: &Snapshot, model: &ModelStore) {
    assert_eq!(scan(snapshot, &everything(snapshot)), model.rows());
}

fn count(snapshot: &Snapshot) -> Result<usize, StoreError> {
    let request = everything(snapshot);
    let mut rows = 0;
    for partition in 0..snapshot.scan_count() {
        for batch in snapshot.scan(partition, &request)? {
            rows += batch?.num_rows();
        }
    }
    Ok(rows)
}

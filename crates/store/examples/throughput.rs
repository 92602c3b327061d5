//! Measures append, flush, compaction and scan on this machine.
//!
//! `cargo run --release -p store --example throughput -- [EVENTS] [THREADS] [DIRECTORY]`
#![allow(clippy::print_stdout)]

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use model::{BatchId, Event, EventTime, InsertId, PersonNumber, ProjectId, Record, Value};
use std::path::{Path, PathBuf};
use std::time::Instant;
use store::{ScanRequest, Snapshot, Store, StoreError, StoreOptions};

const BATCH: u64 = 2_000;
const DAYS: u64 = 90;
const NOW_MS: i64 = 1_795_132_800_000;
const EVENTS: [&str; 8] = [
    "Page View",
    "Sign Up",
    "Search",
    "Add To Cart",
    "Checkout",
    "Purchase",
    "Share",
    "Log In",
];
const CITIES: [&str; 6] = ["Paris", "Berlin", "London", "Madrid", "Lyon", "Rome"];
const BROWSERS: [&str; 4] = ["Chrome", "Safari", "Firefox", "Edge"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let events: u64 = arguments.next().map_or(Ok(2_000_000), |text| text.parse())?;
    let threads: u64 = arguments.next().map_or(Ok(4), |text| text.parse())?;
    let directory = arguments
        .next()
        .map_or_else(|| PathBuf::from("/tmp/store-throughput"), PathBuf::from);
    if directory.exists() {
        std::fs::remove_dir_all(&directory)?;
    }
    // No flush by itself, so that each step is measured alone.
    let options = StoreOptions {
        flush_rows: usize::MAX,
        flush_bytes: usize::MAX,
        fresh_rows_max: usize::MAX,
        ..StoreOptions::new(&directory)
    };
    let store = Store::create(options.clone())?;
    let project = store.catalog().create_project("Measured", "UTC")?.id;

    let step = Step::start();
    append_all(&store, project, events, threads)?;
    step.report("append", events);
    println!("{:?}", store.metrics());
    store.close();
    let step = Step::start();
    let store = Store::open(options)?;
    step.report("recover from the log", events);
    println!("{:?}", store.metrics());
    let step = Step::start();
    scans(&store.snapshot(project))?;
    step.report("scans of fresh rows", events);
    let step = Step::start();
    store.flush()?;
    step.report("flush", events);
    let step = Step::start();
    println!("{} segments replaced", store.compact()?);
    step.report("compact", events);
    let metrics = store.metrics();
    println!("{metrics:?}");
    println!(
        "{:.1} bytes per event",
        metrics.segment_bytes as f64 / metrics.segment_rows as f64
    );
    scans(&store.snapshot(project))?;
    store.close();
    reopen(&directory)?;
    Ok(())
}

fn append_all(store: &Store, project: ProjectId, events: u64, threads: u64) -> Result<(), StoreError> {
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || -> Result<(), StoreError> {
                    let batches = events / BATCH;
                    let mut random = fastrand::Rng::with_seed(thread);
                    let mut latencies = Vec::new();
                    for batch in (thread..batches).step_by(threads as usize) {
                        let record = record(project, batch * BATCH, events, &mut random);
                        let started = Instant::now();
                        store.append(record)?;
                        latencies.push(started.elapsed().as_micros());
                    }
                    latencies.sort_unstable();
                    let at = |share: usize| latencies.get(latencies.len() * share / 100).copied().unwrap_or(0);
                    println!("thread {thread}: append p50 {} µs, p99 {} µs", at(50), at(99));
                    Ok(())
                })
            })
            .collect();
        handles
            .into_iter()
            .try_for_each(|handle| handle.join().expect("an appending thread panicked"))
    })
}

/// A web event with 15 properties; times go forward over the days as in an import.
fn record(project: ProjectId, first: u64, events: u64, random: &mut fastrand::Rng) -> Record {
    let span_ms = DAYS * 24 * 3_600_000;
    let events = (first..first + BATCH).map(|number| {
        let time = NOW_MS - span_ms as i64 + (number as f64 / events as f64 * span_ms as f64) as i64;
        let text = |value: &str| Value::String(value.to_owned());
        let page = format!("/products/{}", random.u32(0..2_000));
        let properties = vec![
            ("$browser", text(BROWSERS[random.usize(0..4)])),
            ("$browser_version", Value::Number(f64::from(random.u32(90..130)))),
            (
                "$os",
                text(["Windows", "Mac OS X", "iOS", "Android"][random.usize(0..4)]),
            ),
            ("$city", text(CITIES[random.usize(0..6)])),
            (
                "mp_country_code",
                text(["FR", "DE", "GB", "ES", "IT"][random.usize(0..5)]),
            ),
            (
                "$screen_width",
                Value::Number([1920.0, 1440.0, 390.0, 412.0][random.usize(0..4)]),
            ),
            (
                "$screen_height",
                Value::Number([1080.0, 900.0, 844.0, 915.0][random.usize(0..4)]),
            ),
            ("$current_url", text(&page)),
            (
                "$referrer",
                text(["google", "direct", "newsletter"][random.usize(0..3)]),
            ),
            ("utm_source", text(["ads", "mail", "none"][random.usize(0..3)])),
            ("plan", text(["free", "team", "business"][random.usize(0..3)])),
            ("amount", Value::Number(f64::from(random.u32(1..20_000)) / 100.0)),
            ("items", Value::Number(f64::from(random.u32(1..9)))),
            ("logged_in", Value::Bool(random.bool())),
            ("experiment", text(["a", "b"][random.usize(0..2)])),
        ];
        Event {
            name: EVENTS[(random.f64() * random.f64() * 8.0) as usize].to_owned(),
            person: PersonNumber(1 + random.u64(0..(number / 20).max(1_000))),
            time: EventTime(time),
            insert_id: Some(InsertId(random.u64(..))),
            properties: properties
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            groups: Vec::new(),
        }
    });
    Record {
        project,
        batch_id: BatchId::default(),
        received: EventTime(NOW_MS),
        feed: Vec::new(),
        profiles: Vec::new(),
        events: events.collect(),
    }
}

fn scans(snapshot: &Snapshot) -> Result<(), StoreError> {
    let all = ScanRequest::everything();
    let month = ScanRequest {
        from_ms: NOW_MS - 30 * 24 * 3_600_000,
        properties: vec!["$browser:string".into()],
        ..all.clone()
    };
    let one_event = ScanRequest {
        events: Some(vec!["Purchase".into()]),
        ..all.clone()
    };
    let wide = ScanRequest {
        properties: snapshot
            .columns()
            .iter()
            .map(|column| column.physical.clone())
            .collect(),
        ..all.clone()
    };
    let some = ScanRequest {
        persons: Some((1..6).map(PersonNumber).collect()),
        ..wide.clone()
    };
    let requests = [
        ("event, person, time of all", &all),
        ("the same, warm", &all),
        ("30 days with browser", &month),
        ("one event", &one_event),
        ("all columns", &wide),
        ("five persons, all columns", &some),
    ];
    for (name, request) in requests {
        let started = Instant::now();
        let (mut rows, mut read, mut bytes, mut sum) = (0_u64, 0, 0, 0_u64);
        for partition in 0..snapshot.scan_count() {
            let mut scan = snapshot.scan(partition, request)?;
            for batch in &mut scan {
                let batch = batch?;
                rows += batch.num_rows() as u64;
                let persons = batch.column(1).as_primitive::<UInt64Type>().values();
                sum = persons.iter().fold(sum, |sum, person| sum.wrapping_add(*person));
            }
            read += scan.rows_read();
            bytes += scan.bytes_read();
        }
        let took = started.elapsed();
        println!(
            "scan {name}: {rows} rows ({read} read, {:.1} MB) in {:.1} ms on one thread, {:.1} M rows/s [{sum:x}]",
            bytes as f64 / 1e6,
            took.as_secs_f64() * 1e3,
            read as f64 / took.as_secs_f64() / 1e6
        );
    }
    Ok(())
}

fn reopen(directory: &Path) -> Result<(), StoreError> {
    let started = Instant::now();
    let store = Store::open(StoreOptions::new(directory))?;
    println!("open: {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    store.close();
    Ok(())
}

/// Wall and CPU time since a step began. CPU time tells more on a machine that does other things as well.
struct Step {
    wall: Instant,
    cpu_s: f64,
}

impl Step {
    fn start() -> Step {
        Step {
            wall: Instant::now(),
            cpu_s: cpu_s(),
        }
    }

    fn report(&self, what: &str, events: u64) {
        let (wall, cpu) = (self.wall.elapsed().as_secs_f64(), cpu_s() - self.cpu_s);
        println!(
            "{what}: {wall:.2} s ({:.0} events/s), CPU {cpu:.2} s ({:.2} µs an event)",
            events as f64 / wall,
            cpu / events as f64 * 1e6
        );
    }
}

/// User and system time of this process, from `/proc/self/stat` in hundredths of a second.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = behind_name.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

//! Fills a store directly, for measurements of sizes that would take the front door hours.
//!
//! `rows reduced ... | load DATA_DIRECTORY PROJECT` appends rows in their reduced form (`crates/synthetic/examples/rows.rs`)
//! to the store in `DATA_DIRECTORY`, in which `frostpane init` has made the project, then flushes and compacts until
//! nothing is left to do. The event store is the same as after an import of the same rows: rows pass log, flush and
//! compaction, and properties are those that ingestion leaves. What is left out is everything before it. The vault
//! hears of nobody: the person of `p17` is number 18 by agreement. The firewall sees no value: reduced rows are what it
//! would leave. `bench/run --engines frostpane,imported` compares the two ways. With no rows it flushes and compacts what is
//! there already.
//!
//! An example of this crate because nothing else of Frostpane is needed, and because the shipped program must not have
//! a way around the vault.

use model::{BatchId, Event, EventTime, InsertId, PersonNumber, ProjectId, Record, Value};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, Stdin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use store::{Store, StoreError, StoreOptions};

/// Rows of a record: those of a full batch of `/import`.
const BATCH_ROWS: usize = 2_000;
/// Threads that parse and append.
const THREADS: usize = 2;
/// Rows that may wait for the background flush. Far from the number at which the store refuses more.
const FRESH_ROWS_MAX: u64 = 1_500_000;

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, project] = arguments.as_slice() else {
        return Err("usage: load DATA_DIRECTORY PROJECT < ROWS".into());
    };
    let project = ProjectId(project.parse()?);
    let store = Store::open(StoreOptions::new(directory))?;
    let started = Instant::now();
    let loader = Loader {
        store: &store,
        project,
        lines: Mutex::new(BufReader::with_capacity(1 << 20, io::stdin())),
        loaded: AtomicU64::new(0),
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| loader.run())).collect();
        let mut ends = threads.into_iter().map(|thread| thread.join());
        ends.try_for_each(|end| end.unwrap_or_else(|_| Err("a loading thread panicked".into())))
    })?;
    let rows = loader.loaded.into_inner();
    report("appended", rows, started);
    store.flush()?;
    while store.compact()? > 0 {}
    report("flushed and compacted", rows, started);
    store.close();
    Ok(())
}

fn report(what: &str, rows: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    // Standard error, because the workspace reserves standard output for data.
    eprintln!(
        "{what}: {rows} rows in {seconds:.1} s, {:.0} rows/s",
        rows as f64 / seconds
    );
}

struct Loader<'s> {
    store: &'s Store,
    project: ProjectId,
    lines: Mutex<BufReader<Stdin>>,
    loaded: AtomicU64,
}

impl Loader<'_> {
    fn run(&self) -> Result<(), Error> {
        let mut text = String::new();
        loop {
            let rows = self.read_batch(&mut text)?;
            if rows == 0 {
                return Ok(());
            }
            let events = text.lines().map(event).collect::<Result<_, _>>()?;
            self.append(events)?;
            self.loaded.fetch_add(rows as u64, Ordering::Relaxed);
        }
    }

    fn read_batch(&self, text: &mut String) -> io::Result<usize> {
        text.clear();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = 0;
        while rows < BATCH_ROWS && lines.read_line(text)? > 0 {
            rows += 1;
        }
        Ok(rows)
    }

    fn append(&self, events: Vec<Event>) -> Result<(), StoreError> {
        while self.store.metrics().fresh_rows > FRESH_ROWS_MAX {
            std::thread::sleep(Duration::from_millis(20));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.store.append(Record {
            project: self.project,
            batch_id: BatchId::default(),
            received: EventTime(now.as_millis() as i64),
            feed: Vec::new(),
            profiles: Vec::new(),
            events,
        })?;
        Ok(())
    }
}

/// The event that ingestion would have stored for a reduced row sent to `/import`.
fn event(line: &str) -> Result<Event, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Row {
        event: String,
        properties: Properties,
    }
    let Row { event, properties } = serde_json::from_str(line)?;
    let mut event = Event {
        name: event,
        person: PersonNumber(0),
        time: EventTime(0),
        insert_id: None,
        properties: Vec::with_capacity(properties.0.len()),
        groups: Vec::new(),
    };
    for (name, value) in properties.0 {
        match (name.as_str(), value) {
            ("time", Value::Number(time)) => event.time = EventTime(time as i64),
            ("distinct_id", Value::String(id)) => event.person = person(&id)?,
            ("$insert_id", Value::String(id)) => event.insert_id = Some(insert_id(&id)),
            (_, value) => event.properties.push((name, value)),
        }
    }
    // What `/import` adds to each event.
    event.properties.push(("$import".to_owned(), Value::Bool(true)));
    Ok(event)
}

fn person(id: &str) -> Result<PersonNumber, serde_json::Error> {
    let number = id.strip_prefix('p').and_then(|digits| digits.parse::<u64>().ok());
    let number = number.ok_or_else(|| de::Error::custom(format_args!("{id:?} is not `p` and a number")))?;
    Ok(PersonNumber(number + 1))
}

/// Eight bytes that look as random as the keyed digest of ingestion does.
fn insert_id(id: &str) -> InsertId {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    InsertId(hasher.finish())
}

/// Members of a JSON object in their order. Parsed without a tree of `serde_json::Value`, which would take as long as
/// everything else here.
struct Properties(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Properties;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of properties")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties, A::Error> {
                let mut members = Vec::with_capacity(24);
                while let Some((name, Plain(value))) = map.next_entry::<String, Plain>()? {
                    members.push((name, value));
                }
                Ok(Properties(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// A value of a reduced row: a flag, a number, a text or a list of those.
struct Plain(Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Plain;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a flag, a number, a text or a list")
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Plain, E> {
                Ok(Plain(Value::Bool(flag)))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Plain, E> {
                Ok(Plain(Value::Number(number as f64)))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Plain, E> {
                Ok(Plain(Value::Number(number as f64)))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Plain, E> {
                Ok(Plain(Value::Number(number)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Plain, E> {
                Ok(Plain(Value::String(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Plain, A::Error> {
                let mut items = Vec::new();
                while let Some(Plain(item)) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Plain(Value::List(items)))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

//! Random sequences of append, flush, compact, reopen and crash: every snapshot answers as the model does.

use crate::model_store::ModelStore;
use crate::support::*;
use ::model::{EventTime, FeedEntry, GroupNumber, PersonNumber, ProfileOp, ProfileUpdate, Record, Subject, Value};
use proptest::prelude::*;
use store::disk::faulty::{FaultyDisk, Tail};
use store::{ScanRequest, Snapshot, Store};

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<Draft>, Vec<Change>),
    Flush,
    Compact,
    Reopen,
    Crash(Tail),
}

/// An event drawn from few names, persons, times and insert ids, so that copies and ties are common.
#[derive(Clone, Copy, Debug)]
pub struct Draft {
    pub name: u8,
    pub person: u64,
    pub hour: i64,
    pub insert_id: Option<u64>,
    pub property: u8,
}

#[derive(Clone, Debug)]
pub enum Change {
    Merge(u64, u64),
    Erase(u64),
    Reset(u64),
    Add(u64),
    Delete(u64),
}

pub const PERSONS: u64 = 12;

fn drafts() -> impl Strategy<Value = Draft> {
    // Mostly the last days, sometimes months ago, so that days and months both get partitions.
    let hour = prop_oneof![3 => -4..4_i64, 1 => -24..0_i64, 1 => -3_000..0_i64];
    (
        0..3_u8,
        0..PERSONS,
        hour,
        proptest::option::weighted(0.7, 0..3_u64),
        any::<u8>(),
    )
        .prop_map(|(name, person, hour, insert_id, property)| Draft {
            name,
            person,
            hour,
            insert_id,
            property,
        })
}

fn changes() -> impl Strategy<Value = Change> {
    let person = 1..PERSONS;
    prop_oneof![
        4 => (person.clone(), person.clone()).prop_map(|(from, into)| Change::Merge(from, into)),
        1 => person.clone().prop_map(Change::Erase),
        1 => person.clone().prop_map(Change::Reset),
        3 => person.clone().prop_map(Change::Add),
        1 => person.prop_map(Change::Delete),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let append = (
        prop::collection::vec(drafts(), 0..12),
        prop::collection::vec(changes(), 0..2),
    )
        .prop_map(|(drafts, changes)| Step::Append(drafts, changes));
    let tail = prop_oneof![Just(Tail::Lost), Just(Tail::Half), Just(Tail::Kept)];
    let step = prop_oneof![
        8 => append,
        3 => Just(Step::Flush),
        2 => Just(Step::Compact),
        1 => Just(Step::Reopen),
        1 => tail.prop_map(Step::Crash),
    ];
    prop::collection::vec(step, 1..24)
}

pub fn record_of(drafts: &[Draft], changes: &[Change], model: &ModelStore) -> Record {
    let events = drafts.iter().map(|draft| {
        let mut event = event(
            ["open", "buy", "close"][draft.name as usize],
            draft.person,
            NOW_MS + draft.hour * HOUR_MS,
            draft.insert_id,
        );
        event.properties = properties(draft.property);
        if draft.property % 5 == 0 {
            event.groups = vec![(
                "company".into(),
                vec![GroupNumber(7), GroupNumber(u64::from(draft.property))],
            )];
        }
        event
    });
    let mut record = record(events.collect());
    let mut entries = Vec::new();
    for change in changes {
        match change {
            // The vault never merges erased persons, and erases whole clusters.
            Change::Merge(from, into) if model.is_erased(*from) || model.is_erased(*into) => {}
            Change::Merge(from, into) => entries.push(merge(*from, *into)),
            Change::Erase(person) => entries.push(FeedEntry::Erase {
                persons: model.cluster(*person),
            }),
            Change::Reset(person) => entries.push(FeedEntry::Reset {
                person: PersonNumber(model.canonical(*person)),
            }),
            Change::Add(person) => record
                .profiles
                .push(update(*person, ProfileOp::Add(vec![("count".into(), 1.0)]))),
            Change::Delete(person) => record.profiles.push(update(*person, ProfileOp::Delete)),
        }
    }
    // An erasure in the same record as a merge would have been expanded with it.
    entries.truncate(1);
    record.feed = feed(model.feed_position() + 1, entries);
    record
}

fn update(person: u64, op: ProfileOp) -> ProfileUpdate {
    ProfileUpdate {
        subject: Subject::Person(PersonNumber(person)),
        op,
        time: EventTime(NOW_MS),
        touches_last_seen: true,
    }
}

/// Properties of mixed types under one name, and absent ones.
fn properties(choice: u8) -> Vec<(String, Value)> {
    let value = match choice % 6 {
        0 => return Vec::new(),
        1 => Value::String(format!("v{}", choice % 7)),
        2 => Value::Number(f64::from(choice) / 4.0),
        3 => Value::Bool(choice.is_multiple_of(2)),
        4 => Value::List(vec![Value::Number(f64::from(choice)), Value::String("x".into())]),
        _ => Value::Object(vec![("a".into(), Value::Bool(true))]),
    };
    vec![
        ("p".into(), value),
        (format!("q.{}", choice % 3), Value::String("é\"".into())),
    ]
}

pub fn check(snapshot: &Snapshot, model: &ModelStore) {
    let everything = everything(snapshot);
    let expected = model.rows();
    assert_eq!(scan(snapshot, &everything), expected);
    check_filters(snapshot, &everything, &expected);
    let profiles: Vec<(u64, Value)> = snapshot
        .profiles()
        .iter()
        .map(|(person, profile)| (person.0, profile.properties["count"].clone()))
        .collect();
    let expected: Vec<(u64, Value)> = model
        .profiles
        .iter()
        .map(|(person, count)| (*person, Value::Number(*count)))
        .collect();
    assert_eq!(profiles, expected);
    for person in 0..PERSONS {
        assert_eq!(snapshot.canonical(PersonNumber(person)).0, model.canonical(person));
        assert_eq!(snapshot.cluster(PersonNumber(person)), model.cluster(person));
    }
}

fn check_filters(snapshot: &Snapshot, everything: &ScanRequest, rows: &[Row]) {
    let (from_ms, to_ms) = (NOW_MS - 2 * HOUR_MS, NOW_MS + HOUR_MS);
    let some = ScanRequest {
        events: Some(vec!["buy".into(), "close".into(), "never".into()]),
        from_ms,
        to_ms,
        persons: Some((0..PERSONS / 2).map(PersonNumber).collect()),
        ..everything.clone()
    };
    let wanted =
        |row: &&Row| row.event != "open" && (from_ms..to_ms).contains(&row.time_ms) && row.person < PERSONS / 2;
    let expected: Vec<Row> = rows.iter().filter(wanted).cloned().collect();
    assert_eq!(scan(snapshot, &some), expected);
}

fn run(steps: &[Step]) {
    let directory = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::new();
    let options = options_on(directory.path(), &disk);
    let mut store = create(options.clone());
    let mut model = ModelStore::default();
    let mut earlier: Option<(Snapshot, ModelStore)> = None;
    for step in steps {
        let version_before = store.snapshot(PROJECT).version();
        match step {
            Step::Append(drafts, changes) => {
                let record = record_of(drafts, changes, &model);
                model.apply(&record);
                store.append(record).unwrap();
            }
            Step::Flush => store.flush().unwrap(),
            Step::Compact => drop(store.compact().unwrap()),
            Step::Reopen => {
                earlier = None;
                store.close();
                store = Store::open(options.clone()).unwrap();
            }
            Step::Crash(tail) => {
                earlier = None;
                store.close();
                disk.crash(*tail).unwrap();
                store = Store::open(options.clone()).unwrap();
            }
        }
        let snapshot = store.snapshot(PROJECT);
        // Kept answers live and die by the version: it changes with every record, and with nothing that changes no answer.
        match step {
            Step::Append(..) => assert!(snapshot.version() > version_before),
            Step::Flush | Step::Compact => assert_eq!(snapshot.version(), version_before),
            Step::Reopen | Step::Crash(_) => {}
        }
        assert_eq!(store.feed_position(PROJECT), model.feed_position());
        check(&snapshot, &model);
        // A snapshot goes on answering for its moment, whatever became of the files since.
        if let Some((snapshot, model)) = &earlier {
            check(snapshot, model);
        }
        if earlier.is_none() {
            earlier = Some((snapshot, model.clone()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_snapshot_answers_as_the_model_does(steps in steps()) {
        run(&steps);
    }
}

/// A quick look by default; `STORE_CASES` asks for more before a release.
fn cases() -> u32 {
    std::env::var("STORE_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(48)
}

//! A history with a question: whether engine and reference differ over it, how to make it small, and where it is kept.

use crate::equal;
use crate::life::{Life, Step};
use crate::random;
use crate::world::World;
use fastrand::Rng;
use model::report::{Answer, Report};
use model::{Definitions, Event, EventTime};
use query::{Engine, QueryError};
use reference::ReferenceError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;

/// Numbers of an answer that are asked for their members, by whether there are any.
const EMPTY_CELLS_MAX: u32 = 3;
const FULL_CELLS_MAX: u32 = 4;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Case {
    pub report: Report,
    pub now: EventTime,
    pub life: Life,
}

/// Where engine and reference differ, if they do.
pub fn difference(world: &World, engine: &Engine, report: &Report, now: EventTime) -> Option<String> {
    let expected = world.reference(report, now);
    let got = world.ask(engine, report, now);
    match (&expected, &got) {
        (Ok(expected), Ok((explained, _))) => equal::difference(expected, &explained.answer)
            .or_else(|| members_difference(world, engine, report, now, expected)),
        // What is not defined is refused; a case made small must keep what it names.
        (_, Err(QueryError::Definition { .. })) if world.history.definitions == Definitions::default() => None,
        (Err(ReferenceError::Type(_)), Err(QueryError::Expression { .. })) => None,
        (Err(ReferenceError::Invalid(_)), Err(QueryError::Invalid(_))) => None,
        (expected, Ok(_)) => Some(format!("an answer, where the reference has {expected:?}")),
        (expected, Err(error)) => Some(format!("{error:?}, where the reference has {expected:?}")),
    }
}

/// Where they differ in who is behind some of the answer's numbers.
fn members_difference(
    world: &World,
    engine: &Engine,
    report: &Report,
    now: EventTime,
    answer: &Answer,
) -> Option<String> {
    // A case draws the same numbers each time, and another case others.
    let mut rng = Rng::with_seed(now.0 as u64);
    // Most answers to random questions are about nobody; those about somebody are asked more.
    let (mut empty, mut full) = (0, 0);
    while empty < EMPTY_CELLS_MAX && full < FULL_CELLS_MAX {
        let cell = random::cell(&mut rng, report, answer);
        let expected = world.reference_members(report, &cell, now).unwrap();
        let (got, _) = world.members(engine, report, &cell, now).unwrap();
        if got != expected {
            return Some(format!("{cell:?} holds {expected:?}, not {got:?}"));
        }
        *(if got.is_empty() { &mut empty } else { &mut full }) += 1;
    }
    None
}

impl Case {
    pub fn difference(&self) -> Option<String> {
        let world = self.life.play();
        difference(&world, &world.engine(), &self.report, self.now)
    }

    /// A case that still fails, with as little in it as trying brings.
    pub fn shrink(self) -> Case {
        shrink_with(self, &|case| case.difference().is_some())
    }

    /// Writes the case where [`kept`] finds it.
    pub fn keep(&self) -> PathBuf {
        let text = serde_json::to_string_pretty(self).unwrap();
        let name = format!("{:016x}.json", Rng::new().u64(..));
        let path = directory().join(name);
        std::fs::create_dir_all(directory()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Cases that failed once.
pub fn kept() -> Vec<(PathBuf, Case)> {
    let Ok(entries) = std::fs::read_dir(directory()) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let case = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, case)
    };
    paths.into_iter().map(read).collect()
}

/// Takes away what can be taken away, in rounds, until a round takes nothing.
fn shrink_with(mut case: Case, fails: &dyn Fn(&Case) -> bool) -> Case {
    loop {
        let before = size(&case);
        case = fewer(case, &|case| &mut case.life.steps, fails);
        for step in 0..case.life.steps.len() {
            case = smaller_batch(case, step, fails);
        }
        case = smaller_report(case, fails);
        if size(&case) == before {
            return case;
        }
    }
}

fn size(case: &Case) -> usize {
    serde_json::to_string(case).unwrap().len()
}

/// Drops runs of a list's items, long runs first.
fn fewer<T: Clone>(mut case: Case, list: &dyn Fn(&mut Case) -> &mut Vec<T>, fails: &dyn Fn(&Case) -> bool) -> Case {
    let mut run = list(&mut case).len();
    while run > 0 {
        let mut from = 0;
        while from < list(&mut case).len() {
            let mut smaller = case.clone();
            let items = list(&mut smaller);
            let to = (from + run).min(items.len());
            items.drain(from..to);
            if fails(&smaller) {
                case = smaller;
            } else {
                from += run;
            }
        }
        run /= 2;
    }
    case
}

fn smaller_batch(mut case: Case, step: usize, fails: &dyn Fn(&Case) -> bool) -> Case {
    let Step::Batch { .. } = case.life.steps[step] else {
        return case;
    };
    case = fewer(case, &|case| batch(case, step).0, fails);
    case = fewer(case, &|case| batch(case, step).1, fails);
    case = fewer(case, &|case| batch(case, step).2, fails);
    for event in 0..batch(&mut case, step).0.len() {
        case = fewer(case, &|case| &mut batch(case, step).0[event].properties, fails);
        case = fewer(case, &|case| &mut batch(case, step).0[event].groups, fails);
        let mut smaller = case.clone();
        if batch(&mut smaller, step).0[event].insert_id.take().is_some() && fails(&smaller) {
            case = smaller;
        }
    }
    case
}

type Batch<'a> = (
    &'a mut Vec<Event>,
    &'a mut Vec<model::ProfileUpdate>,
    &'a mut Vec<(model::PersonNumber, model::PersonNumber)>,
);

fn batch(case: &mut Case, step: usize) -> Batch<'_> {
    match &mut case.life.steps[step] {
        Step::Batch {
            events,
            profiles,
            merges,
        } => (events, profiles, merges),
        _ => panic!("only batches have parts"),
    }
}

/// Leaves out each part of the definition that can be left out.
fn smaller_report(mut case: Case, fails: &dyn Fn(&Case) -> bool) -> Case {
    let mut tried = 0;
    loop {
        let whole = serde_json::to_value(&case.report).unwrap();
        let paths = paths(&whole);
        let Some(path) = paths.get(tried) else { return case };
        tried += 1;
        let Ok(report) = serde_json::from_value::<Report>(without(whole.clone(), path)) else {
            continue;
        };
        if serde_json::to_value(&report).unwrap() == whole || report.check().is_err() {
            continue;
        }
        let smaller = Case { report, ..case.clone() };
        if fails(&smaller) {
            case = smaller;
            tried = 0;
        }
    }
}

/// Pointers to every member and item, outer ones first.
fn paths(value: &Value) -> Vec<Vec<String>> {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (at.to_string(), item))
            .collect(),
        _ => return Vec::new(),
    };
    let mut found: Vec<Vec<String>> = members.iter().map(|(name, _)| vec![name.clone()]).collect();
    for (name, value) in members {
        found.extend(paths(value).into_iter().map(|mut path| {
            path.insert(0, name.clone());
            path
        }));
    }
    found
}

fn without(mut value: Value, path: &[String]) -> Value {
    let (last, parents) = path.split_last().expect("a path has parts");
    let mut at = &mut value;
    for name in parents {
        at = match at {
            Value::Object(members) => &mut members[name],
            Value::Array(items) => &mut items[name.parse::<usize>().unwrap()],
            _ => return Value::Null,
        };
    }
    match at {
        Value::Object(members) => drop(members.remove(last)),
        Value::Array(items) => drop(items.remove(last.parse().unwrap())),
        _ => {}
    }
    value
}

#[test]
fn a_case_shrinks_to_what_makes_it_fail() {
    let mut rng = Rng::with_seed(7);
    let life = random::life(&mut rng, 60, 5);
    let report = crate::world::report(serde_json::json!({
        "range": {"from": "2026-03-02", "to": "2026-03-08"},
        "filter": "properties[\"p\"] == \"x\"",
        "question": {"kind": "insights", "unit": "day", "metrics": [{"measure": "total"}, {"event": "A", "measure": "unique"}]},
    }));
    let now = EventTime(0);
    // Stands for a fault that shows whenever A happens while a metric counts persons.
    let happens = |case: &Case| {
        let happened = case.life.steps.iter().any(|step| match step {
            Step::Batch { events, .. } => events.iter().any(|event| event.name == "A"),
            _ => false,
        });
        happened && serde_json::to_string(&case.report).unwrap().contains("unique")
    };
    let whole = Case { report, now, life };
    assert!(happens(&whole));
    let mut small = shrink_with(whole, &happens);
    assert_eq!(small.life.steps.len(), 1);
    let (events, profiles, merges) = batch(&mut small, 0);
    assert_eq!((events.len(), profiles.len(), merges.len()), (1, 0, 0));
    assert!(events[0].properties.is_empty() && events[0].groups.is_empty());
    assert!(small.report.filter.is_none());
    let question = serde_json::to_value(&small.report.question).unwrap();
    assert_eq!(question["metrics"].as_array().unwrap().len(), 1);
}

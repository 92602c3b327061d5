//! The engine gives the reference's answer, for random histories and random reports.
//!
//! `FROSTPANE_QUERY_CASES` sets how many histories are made (each is asked several reports), `FROSTPANE_QUERY_SEED` where
//! they begin; without it the run is the same each time. A pair that fails is made small and kept in `tests/cases`,
//! where it is asked again ever after.

use crate::case::{self, Case};
use crate::random;
use fastrand::Rng;
use model::PersonNumber;
use query::QueryError;
use reference::ReferenceError;

const REPORTS_PER_HISTORY: u64 = 12;
const COHORTS_PER_HISTORY: u64 = 12;

fn number(variable: &str, default: u64) -> u64 {
    let asked = std::env::var(variable).ok();
    asked.map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn engine_and_reference_agree() {
    let first = number("FROSTPANE_QUERY_SEED", 1);
    for seed in first..first + number("FROSTPANE_QUERY_CASES", 50) {
        let mut rng = Rng::with_seed(seed);
        let (events, persons) = (rng.usize(1..160), rng.u64(1..14));
        let life = random::life(&mut rng, events, persons);
        let world = life.play();
        let engine = world.engine();
        for _ in 0..REPORTS_PER_HISTORY {
            let report = random::report(&mut rng);
            let now = random::now(&mut rng);
            if let Some(difference) = case::difference(&world, &engine, &report, now) {
                let life = life.clone();
                let kept = Case { life, report, now }.shrink().keep();
                panic!(
                    "history {seed}: {difference}\na small case is kept as {}",
                    kept.display()
                );
            }
        }
    }
}

#[test]
fn cohorts_hold_the_same_persons() {
    let first = number("FROSTPANE_QUERY_SEED", 1);
    for seed in first..first + number("FROSTPANE_QUERY_CASES", 50) {
        let mut rng = Rng::with_seed(seed);
        let (events, persons) = (rng.usize(1..160), rng.u64(1..14));
        let world = random::life(&mut rng, events, persons).play();
        let engine = world.engine();
        for _ in 0..COHORTS_PER_HISTORY {
            let cohort = random::any_cohort(&mut rng, persons);
            let now = random::now(&mut rng);
            let shown = serde_json::to_string(&cohort).unwrap();
            let expected = reference::cohort(&cohort, &world.project.timezone, &world.history, now);
            match (&expected, world.cohort(&engine, &cohort, now)) {
                (Ok(expected), Ok(got)) => {
                    let expected: Vec<PersonNumber> = expected.iter().copied().collect();
                    assert!(
                        got == expected,
                        "history {seed}: holds {expected:?}, not {got:?}\n{shown}"
                    );
                }
                (Err(ReferenceError::Type(_)), Err(QueryError::Expression { .. })) => {}
                (expected, got) => panic!("history {seed}: expected {expected:?}\ngot {got:?}\n{shown}"),
            }
        }
    }
}

#[test]
fn kept_cases_agree() {
    for (path, case) in case::kept() {
        let difference = case.difference();
        assert!(
            difference.is_none(),
            "{}: {}",
            path.display(),
            difference.unwrap_or_default()
        );
    }
}

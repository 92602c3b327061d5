//! The engine gives the reference's answer, for random histories and random reports.
//!
//! `FROSTPANE_QUERY_CASES` sets how many worlds are made (each is asked several reports); failing seeds are kept by
//! proptest beside this file.

use crate::equal::difference;
use crate::random;
use fastrand::Rng;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};
use query::QueryError;
use reference::ReferenceError;

const REPORTS_PER_WORLD: u64 = 12;
const CELLS_PER_ANSWER: usize = 2;

fn cases() -> u32 {
    let asked = std::env::var("FROSTPANE_QUERY_CASES").ok();
    asked.and_then(|cases| cases.parse().ok()).unwrap_or(40)
}

proptest! {
    #![proptest_config(Config {
        cases: cases(),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        max_shrink_iters: 200,
        ..Config::default()
    })]

    #[test]
    fn engine_and_reference_agree(
        world_seed in any::<u64>(),
        events in 1_usize..160,
        persons in 1_u64..14,
        report_seed in any::<u64>(),
    ) {
        let world = random::world(world_seed, events, persons);
        let engine = world.engine();
        for index in 0..REPORTS_PER_WORLD {
            let mut rng = Rng::with_seed(report_seed.wrapping_add(index));
            let report = random::report(&mut rng);
            let now = random::now(&mut rng);
            let shown = serde_json::to_string(&report).unwrap();
            let expected = world.reference(&report, now);
            let got = world.ask(&engine, &report, now);
            match (&expected, &got) {
                (Ok(expected), Ok((explained, _))) => {
                    let different = difference(expected, &explained.answer);
                    prop_assert!(different.is_none(), "{}\n{shown}", different.unwrap_or_default());
                    for _ in 0..CELLS_PER_ANSWER {
                        let Some(cell) = random::cell(&mut rng, &report, expected) else { break };
                        let expected = world.reference_members(&report, &cell, now).unwrap();
                        let (got, _) = world.members(&engine, &report, &cell).unwrap();
                        prop_assert!(got == expected, "{cell:?} holds {expected:?}, not {got:?}\n{shown}");
                    }
                }
                (Err(ReferenceError::Type(_)), Err(QueryError::Expression { .. })) => {}
                (Err(ReferenceError::Invalid(_)), Err(QueryError::Invalid(_))) => {}
                (expected, Ok(_)) => prop_assert!(false, "expected {expected:?}\n{shown}"),
                (expected, Err(error)) => prop_assert!(false, "expected {expected:?}\ngot {error:?}\n{shown}"),
            }
        }
    }
}

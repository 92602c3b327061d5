//! What an explanation tells beside the numbers: nothing of events that no number in the answer is about.

use crate::world::{World, at, event, report};
use ledger::Class;
use model::EventTime;
use query::{Explanation, SqlQuestion};
use serde_json::json;

/// 30 persons do Common, at noon; one of them does Rare so many times, an hour later.
fn world(rare: i64) -> World {
    let mut world = World::new("UTC");
    let noon = at("2026-03-10T12:00:00Z");
    let common = (1..=30).map(|person| event("Common", person, noon + person as i64));
    let rare = (0..rare).map(|time| event("Rare", 7, noon + 3_600_000 + time));
    world.append(common.chain(rare).collect(), Vec::new(), Vec::new());
    world
}

fn statement(world: &World, sql: &str) -> Explanation {
    let question = SqlQuestion {
        sql: sql.to_owned(),
        limit: 10,
    };
    let engine = world.engine();
    let answered = world
        .wait(engine.sql(&world.project, &question, Class::D0, EventTime(0)))
        .unwrap();
    world.release(answered).0.unwrap().explanation
}

/// The largest segment only.
fn largest(world: &World) -> Explanation {
    let asked = report(json!({"range": {"from": "2026-03-09", "to": "2026-03-11"}, "question":
        {"kind": "insights", "unit": "day", "metrics": [{"measure": "unique"}], "breakdown": ["$event_name"], "limit": 1}}));
    let (explained, _) = world.ask(&world.engine(), &asked, EventTime(0)).unwrap();
    explained.explanation
}

#[test]
fn what_was_read_does_not_tell_how_often_something_rare_happened() {
    let crowds = "group by event having count(distinct person) >= 10";
    let questions: [&dyn Fn(&World) -> Explanation; 4] = [
        &|world| {
            statement(
                world,
                &format!("select event, count(*) from events where event = 'Rare' {crowds}"),
            )
        },
        &|world| {
            statement(
                world,
                &format!("select event, count(*) from events where time >= '2026-03-10 13:00:00' {crowds}"),
            )
        },
        &|world| statement(world, &format!("select event, count(*) from events {crowds}")),
        &largest,
    ];
    for in_segments in [false, true] {
        let worlds = [0, 1, 400].map(world);
        if in_segments {
            worlds.iter().for_each(|world| world.store().flush().unwrap());
        }
        for (number, question) in questions.iter().enumerate() {
            let told = worlds.each_ref().map(|world| {
                let explanation = question(world);
                assert_eq!(explanation.class, Class::D0, "question {number}");
                (explanation.rows_read, explanation.bytes_read)
            });
            assert_eq!(
                told,
                [(query::ROWS_READ_STEP, query::BYTES_READ_STEP); 3],
                "question {number}"
            );
        }
    }
}

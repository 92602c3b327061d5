//! Memory, time, cancelling, sharing, and answers that are kept.

use crate::equal::difference;
use crate::random;
use crate::world::{World, at, event, report, set};
use fastrand::Rng;
use ledger::Class;
use model::report::Report;
use model::{EventTime, PersonNumber, Value};
use query::{Engine, EngineOptions, QueryError, SqlQuestion};
use serde_json::json;
use std::time::{Duration, Instant};

fn crowd(persons: u64) -> World {
    let mut world = World::new("UTC");
    let noon = at("2026-03-10T12:00:00Z");
    let events = (1..=persons)
        .map(|person| event("A", person, noon + person as i64))
        .collect();
    world.append(events, Vec::new(), Vec::new());
    world
}

fn unique() -> Report {
    report(json!({"range": {"from": "2026-03-09", "to": "2026-03-11"}, "question":
        {"kind": "insights", "unit": "day", "metrics": [{"event": "A", "measure": "unique"}]}}))
}

const NOW: EventTime = EventTime(1_775_000_000_000);

/// Between what suffices for all shards at once and what does not suffice for one lies what suffices shard by shard.
#[test]
fn short_of_memory_a_question_runs_shard_by_shard() {
    let world = crowd(30_000);
    // Retention remembers something of every person.
    let asked = report(json!({"range": {"from": "2026-03-09", "to": "2026-03-11"}, "question":
        {"kind": "retention", "born": {"event": "A"}, "returning": {"event": "A"}, "unit": "day", "intervals": 2}}));
    let (expected, _) = world.ask(&world.engine(), &asked, NOW).unwrap();
    let mut split = 0;
    let mut refused = 0;
    // From 64 KiB to 8 MiB. On a busy machine shards happen to run one by one anyway; then it is tried again.
    for step in (0..48).cycle().take(6 * 48) {
        if step == 0 && split > 0 {
            break;
        }
        let kib = (64.0 * 1.11_f64.powi(step)) as usize;
        let engine = world.engine_with(kib << 10);
        match world.ask(&engine, &asked, NOW) {
            Ok((explained, _)) => {
                assert_eq!(explained.answer, expected.answer);
                split += engine.metrics().split;
            }
            Err(QueryError::TooLarge { limit_bytes, .. }) => {
                assert_eq!(limit_bytes, kib << 10);
                refused += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
        comes_to_rest(&engine);
    }
    assert!(split > 0 && refused > 0, "split {split}, refused {refused}");
}

#[test]
fn one_question_holds_no_more_than_its_share() {
    let world = crowd(4_000);
    let options = EngineOptions {
        question_memory_bytes: 512,
        ..EngineOptions::new(2, 256 << 20)
    };
    let engine = Engine::new(world.store().clone(), options);
    let refused = world.ask(&engine, &unique(), NOW).err();
    assert!(
        matches!(refused, Some(QueryError::TooLarge { limit_bytes: 512, .. })),
        "{refused:?}"
    );
}

/// Every pair of pairs of 2,000 events: hours of work.
fn endless() -> SqlQuestion {
    SqlQuestion {
        sql: "select count(*) from events a, events b, events c, events d where a.time < b.time and c.time < d.time \
              and a.person + b.person + c.person + d.person < 0"
            .into(),
        limit: 1,
    }
}

/// Pairs none of which pass: no rows are handed on.
fn fruitless() -> SqlQuestion {
    SqlQuestion {
        sql: "select count(*) from events a, events b, events c \
              where a.time < b.time and length(concat(a.event, b.event, c.event)) > 1000000"
            .into(),
        limit: 1,
    }
}

fn comes_to_rest(engine: &Engine) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while engine.metrics().running > 0 || engine.metrics().memory_bytes > 0 {
        assert!(Instant::now() < deadline, "still {:?}", engine.metrics());
        std::thread::yield_now();
    }
}

#[test]
fn a_question_ends_at_its_time_limit() {
    let world = crowd(2_000);
    let options = EngineOptions {
        timeout: Duration::from_millis(200),
        ..EngineOptions::new(2, 256 << 20)
    };
    let engine = Engine::new(world.store().clone(), options);
    for question in [endless(), fruitless()] {
        let ended = world
            .wait(engine.sql(&world.project, &question, Class::D3, EventTime(0)))
            .err();
        assert!(
            matches!(ended, Some(QueryError::TimedOut { limit_ms: 200 })),
            "{ended:?}"
        );
        comes_to_rest(&engine);
    }
    assert_eq!(engine.metrics().timeouts, 2);
}

#[test]
fn a_question_that_nobody_waits_for_stops() {
    let world = crowd(2_000);
    let engine = world.engine();
    world.wait(async {
        let (project, question) = (world.project.clone(), fruitless());
        let mut asking = Box::pin(engine.sql(&project, &question, Class::D3, EventTime(0)));
        // Polled until it holds memory, which is in the middle of its work.
        let deadline = Instant::now() + Duration::from_secs(20);
        while engine.metrics().memory_bytes == 0 {
            assert!(Instant::now() < deadline, "it never began");
            assert!(futures_poll(&mut asking).await.is_none());
        }
        assert_eq!(engine.metrics().running, 1);
    });
    comes_to_rest(&engine);
}

/// Polls once.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        let polled = std::pin::Pin::new(&mut *future).poll(context);
        std::task::Poll::Ready(match polled {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[test]
fn a_kept_answer_discloses_each_time() {
    let world = crowd(4);
    let engine = world.engine();
    for kept in [false, true, true] {
        let (explained, disclosure) = world.ask(&engine, &unique(), NOW).unwrap();
        assert_eq!(explained.explanation.from_cache, kept);
        assert_eq!((disclosure.class, disclosure.persons.len()), (Class::D1, 4));
    }
    let metrics = engine.metrics();
    assert_eq!((metrics.cache_hits, metrics.cache_misses), (2, 1));
    assert!(metrics.cache_bytes > 0);
}

#[test]
fn kept_answers_take_only_their_memory() {
    let world = crowd(20);
    let options = EngineOptions {
        cache_bytes: 20_000,
        ..EngineOptions::new(2, 256 << 20)
    };
    let engine = Engine::new(world.store().clone(), options);
    for day in 10..30 {
        let mut asked = unique();
        asked.range.to = jiff::civil::date(2026, 3, day);
        world.ask(&engine, &asked, NOW).unwrap();
        assert!(engine.metrics().cache_bytes <= 20_000);
        let (again, _) = world.ask(&engine, &asked, NOW).unwrap();
        assert!(again.explanation.from_cache);
    }
    let (first, _) = world.ask(&engine, &unique(), NOW).unwrap();
    assert!(!first.explanation.from_cache);
}

/// One engine for everything that happens to a store, asked the same few questions again and again at times a moment, a
/// minute or months apart. Whatever it has kept, it gives the reference's answer of now.
#[test]
fn kept_answers_are_never_stale() {
    let mut kept = 0;
    for seed in 0..12 {
        let mut rng = Rng::with_seed(seed);
        let mut world = random::life(&mut rng, 60, 8).play();
        let engine = world.engine();
        let reports: Vec<Report> = (0..3).map(|_| random::report(&mut rng)).collect();
        let mut now = random::now(&mut rng);
        for _ in 0..24 {
            // Nothing comes from the erased any more, and the vault does not merge them.
            let snapshot = world.store().snapshot(world.project.id);
            let persons: Vec<u64> = (1..8)
                .filter(|person| !snapshot.is_erased(PersonNumber(*person)))
                .collect();
            match rng.u32(0..12) {
                0 if !persons.is_empty() => {
                    let time = at("2026-03-20T12:00:00Z") + rng.i64(0..864_000_000);
                    let name = ["A", "B", "C"][rng.usize(0..3)];
                    let person = persons[rng.usize(0..persons.len())];
                    world.append(vec![event(name, person, time)], Vec::new(), Vec::new());
                }
                1 => {
                    let profile = set(rng.u64(1..8), vec![("plan".into(), Value::Number(rng.f64()))]);
                    world.append(Vec::new(), vec![profile], Vec::new());
                    world.read_profiles();
                }
                2 if !persons.is_empty() => {
                    let mut any = || PersonNumber(persons[rng.usize(0..persons.len())]);
                    let (from, into) = (any(), any());
                    let canonical = |person| world.history.canonical(person) == person;
                    if from != into && canonical(from) && canonical(into) {
                        world.append(Vec::new(), Vec::new(), vec![(from, into)]);
                        world.read_profiles();
                    }
                }
                7 if persons.len() > 4 => {
                    let person = world.history.canonical(PersonNumber(persons[0]));
                    let snapshot = world.store().snapshot(world.project.id);
                    world.erase(snapshot.cluster(person));
                    world.read_profiles();
                }
                3 => now = EventTime(now.0 + rng.i64(1..120_000)),
                4 => now = EventTime(now.0 + rng.i64(1..5_000_000_000)),
                5 => world.store().flush().unwrap(),
                6 => drop(world.store().compact().unwrap()),
                _ => {}
            }
            let asked = &reports[rng.usize(0..reports.len())];
            let Ok(expected) = world.reference(asked, now) else {
                continue;
            };
            let (explained, _) = world.ask(&engine, asked, now).unwrap();
            kept += u32::from(explained.explanation.from_cache);
            let different = difference(&expected, &explained.answer);
            assert!(different.is_none(), "seed {seed}: {different:?}");
        }
    }
    assert!(kept > 40, "only {kept} answers were kept");
}

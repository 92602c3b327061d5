//! What an answer discloses: exactly the persons of its cells of one to nine.
//!
//! The oracle looks at the history itself: it asks the reference for the same answer over the history without one
//! person. A person is behind a number if the number is another without them, and then behind a small one if that
//! number, counting persons, is below ten.

use crate::random;
use crate::world::{World, at, event, report};
use fastrand::Rng;
use ledger::Class;
use model::report::{
    Answer, Breakdown, Edges, FlowSegment, FlowTotal, FunnelCount, LifecycleBucket, Measure, NodePlace, Question,
    Report,
};
use model::{EventTime, Expression, PersonNumber, Value};
use serde_json::json;
use std::collections::BTreeSet;

/// Persons 1 … `crowd` do A; of these the first `small` do B too.
fn world(crowd: u64, small: u64) -> World {
    let mut world = World::new("UTC");
    let time = at("2026-03-10T12:00:00Z");
    let mut events: Vec<_> = (1..=crowd)
        .map(|person| event("A", person, time + person as i64))
        .collect();
    events.extend((1..=small).map(|person| event("B", person, time + 60_000 + person as i64)));
    events.push(event("A", 0, time));
    world.append(events, Vec::new(), Vec::new());
    world
}

fn disclosed(world: &World, report: &Report) -> (Class, Vec<u64>, Vec<String>) {
    let (_, disclosure) = world
        .ask(&world.engine(), report, EventTime(at("2027-01-01T00:00:00Z")))
        .unwrap();
    let fields = disclosure.fields.into_iter().collect();
    (disclosure.class, disclosure.persons.iter().collect(), fields)
}

fn on_the_day(question: serde_json::Value) -> Report {
    report(json!({"range": {"from": "2026-03-10", "to": "2026-03-10"}, "question": question}))
}

fn count(event: &str, measure: &str) -> Report {
    on_the_day(json!({"kind": "insights", "unit": "day", "metrics": [{"event": event, "measure": measure}]}))
}

#[test]
fn ten_persons_are_a_crowd_and_nine_are_not() {
    for measure in ["total", "unique", "per_person"] {
        assert_eq!(
            disclosed(&world(10, 0), &count("A", measure)),
            (Class::D0, vec![], vec![])
        );
        let nine: Vec<u64> = (1..=9).collect();
        assert_eq!(
            disclosed(&world(9, 0), &count("A", measure)),
            (Class::D1, nine, vec!["A".into()])
        );
        // Nobody is not a person, and no person is nothing to disclose.
        assert_eq!(
            disclosed(&world(0, 0), &count("A", measure)),
            (Class::D0, vec![], vec![])
        );
    }
}

#[test]
fn fields_are_events_and_properties_of_the_question() {
    let report = report(json!({"range": {"from": "2026-03-10", "to": "2026-03-10"},
        "filter": "user[\"role\"] != \"x\"",
        "question": {"kind": "insights", "unit": "day", "breakdown": ["plan"],
            "metrics": [{"event": "A", "filter": "not defined(properties[\"price\"])", "measure": {"sum": {"property": "cost"}}},
                {"measure": "total"}]}}));
    let (class, persons, fields) = disclosed(&world(3, 0), &report);
    assert_eq!((class, persons), (Class::D1, vec![1, 2, 3]));
    assert_eq!(fields, ["A", "cost", "plan", "price", "role"]);
}

#[test]
fn small_steps_and_cohorts_disclose_who_is_in_them() {
    let funnel =
        on_the_day(json!({"kind": "funnel", "steps": [{"event": "A"}, {"event": "B"}], "window_ms": 3_600_000}));
    assert_eq!(disclosed(&world(20, 10), &funnel).0, Class::D0);
    assert_eq!(disclosed(&world(20, 4), &funnel).1, [1, 2, 3, 4]);
    let retention = on_the_day(
        json!({"kind": "retention", "born": {"event": "A"}, "returning": {"event": "B"}, "unit": "day", "intervals": 3}),
    );
    assert_eq!(disclosed(&world(20, 10), &retention).0, Class::D0);
    assert_eq!(disclosed(&world(20, 2), &retention).1, [1, 2]);
}

#[test]
fn segments_beyond_the_limit_disclose_nobody() {
    let by_event = |limit: usize| {
        on_the_day(
            json!({"kind": "insights", "unit": "day", "breakdown": ["$event_name"], "limit": limit,
            "metrics": [{"measure": "unique"}]}),
        )
    };
    assert_eq!(disclosed(&world(20, 3), &by_event(2)).1, [1, 2, 3]);
    assert_eq!(disclosed(&world(20, 3), &by_event(1)).0, Class::D0);
}

/// Automatic edges reach to the extremes, so they tell of whoever has these.
#[test]
fn automatic_edges_disclose_who_is_at_their_ends() {
    let priced = |prices: &dyn Fn(u64) -> Option<f64>| {
        let mut world = World::new("UTC");
        let events = (0..=60).map(|person| {
            let mut event = event("A", person, at("2026-03-10T12:00:00Z"));
            let price = prices(person).map(|price| ("price".to_owned(), Value::Number(price)));
            event.properties.extend(price);
            event
        });
        world.append(events.collect(), Vec::new(), Vec::new());
        world
    };
    let by_price = |edges: serde_json::Value| {
        on_the_day(
            json!({"kind": "insights", "unit": "day", "limit": 1, "metrics": [{"event": "A", "measure": "unique"}],
            "breakdown": [{"value": "price", "edges": edges}]}),
        )
    };
    let asked = |world: &World, edges: serde_json::Value| disclosed(world, &by_price(edges));

    // 40 persons are in the range that is shown; those at either end are not.
    let tails = priced(&|person| match person {
        1..=3 => Some(-900.0),
        4..=43 => Some(-15.0),
        44 => Some(95.0),
        _ => None,
    });
    assert_eq!(
        asked(&tails, json!("auto")),
        (Class::D1, vec![1, 2, 3, 44], vec!["A".into(), "price".into()])
    );
    assert_eq!(asked(&tails, json!({"at": [-50, 0]})).0, Class::D0);
    // Ten are a crowd, and nobody is not a person.
    let crowds = priced(&|person| match person {
        0 => Some(99.0),
        1..=10 => Some(1.0),
        11..=40 => Some(55.0),
        41..=50 => Some(91.0),
        _ => None,
    });
    assert_eq!(asked(&crowds, json!("auto")).0, Class::D0);
    assert_eq!(asked(&priced(&|_| None), json!("auto")).0, Class::D0);
}

/// Everybody but one, and everybody: the difference is one person, whatever the size of both.
#[test]
fn whom_a_question_names_it_discloses() {
    let world = world(40, 0);
    let asked = |filter: &str| {
        disclosed(
            &world,
            &Report {
                filter: Some(Expression::parse(filter).unwrap()),
                ..count("A", "unique")
            },
        )
    };
    let fields = || vec!["$distinct_id".to_owned(), "A".into()];
    let id = "properties[\"$distinct_id\"]";
    assert_eq!(asked(&format!("{id} != 7")), (Class::D1, vec![7], fields()));
    assert_eq!(asked(&format!("not {id} in [7, 8]")), (Class::D1, vec![7, 8], fields()));
    assert_eq!(asked(&format!("{id} == 7")), (Class::D1, vec![7], fields()));
    assert_eq!(asked(&format!("defined({id})")).0, Class::D0);
    let engine = world.engine();
    for computed in [format!("{id} < 20"), format!("{id} % 2 == 0")] {
        let report = Report {
            filter: Some(Expression::parse(&computed).unwrap()),
            ..count("A", "unique")
        };
        let refused = world.ask(&engine, &report, EventTime(0)).err().unwrap();
        assert_eq!(refused.code(), model::ErrorCode::InvalidExpression, "{computed}");
        assert!(world.wait(engine.check(&report)).is_err(), "{computed}");
    }
}

/// The persons of small cells of a report that counts distinct persons, by leaving each out.
fn oracle(world: &World, report: &Report, now: EventTime) -> BTreeSet<u64> {
    let whole = cells(&world.reference(report, now).unwrap());
    let everybody: BTreeSet<u64> = world
        .history
        .events
        .iter()
        .map(|event| world.history.canonical(event.event.person).0)
        .filter(|person| *person != 0)
        .collect();
    let behind = |person: &u64| {
        let mut without = world.history.clone();
        without
            .events
            .retain(|event| world.history.canonical(event.event.person) != PersonNumber(*person));
        let without = reference::answer(report, &world.project.timezone, &without, now).unwrap();
        let without = cells(&without);
        // Segments vanish and change places with the person; cells are matched by name.
        whole.iter().any(|(name, count)| {
            let left = without
                .iter()
                .find(|(other, _)| other == name)
                .map_or(0, |(_, count)| *count);
            (1..10).contains(count) && left < *count
        })
    };
    everybody.into_iter().filter(behind).collect()
}

/// Every number of an answer that counts persons, by name.
fn cells(answer: &Answer) -> Vec<(String, u64)> {
    let mut cells = Vec::new();
    match answer {
        Answer::Insights(insights) => {
            for series in &insights.series {
                let name = format!("{} {:?}", series.metric, series.segment);
                let count = |value: Option<f64>| value.unwrap_or_default() as u64;
                cells.push((format!("{name} total"), count(series.total)));
                for (bucket, value) in series.values.iter().enumerate() {
                    cells.push((format!("{name} {bucket}"), count(*value)));
                }
            }
        }
        Answer::Funnel(funnel) => {
            let groups = std::iter::once(&funnel.overall).chain(&funnel.trend);
            for (group, segments) in groups.enumerate() {
                for segment in segments {
                    for (step, counted) in segment.steps.iter().enumerate() {
                        let name = format!("{group} {:?} {step}", segment.segment);
                        for (of, times) in [&counted.times_from_previous, &counted.times_from_start]
                            .into_iter()
                            .enumerate()
                        {
                            let bins = times.iter().flat_map(|times| &times.histogram);
                            cells.extend(bins.map(|bin| (format!("{name} {of} {}", bin.from_ms), bin.count)));
                        }
                        cells.push((name, counted.count));
                    }
                }
            }
        }
        Answer::Retention(retention) => {
            for segment in &retention.segments {
                for (bucket, cohort) in segment.cohorts.iter().enumerate() {
                    let name = format!("{:?} {bucket}", segment.segment);
                    cells.push((format!("{name} born"), cohort.born));
                    for (interval, count) in cohort.returned.iter().enumerate() {
                        cells.push((format!("{name} {interval}"), *count));
                    }
                }
            }
        }
        Answer::Frequency(frequency) => {
            for segment in &frequency.segments {
                cells.extend(lists(&format!("{:?} at least", segment.segment), &segment.at_least));
            }
        }
        Answer::Stickiness(stickiness) => {
            for segment in &stickiness.segments {
                let [at_least, exactly] = [
                    segment
                        .buckets
                        .iter()
                        .map(|bucket| bucket.at_least.clone())
                        .collect::<Vec<_>>(),
                    segment.buckets.iter().map(|bucket| bucket.exactly.clone()).collect(),
                ];
                cells.extend(lists(&format!("{:?} at least", segment.segment), &at_least));
                cells.extend(lists(&format!("{:?} exactly", segment.segment), &exactly));
            }
        }
        Answer::Lifecycle(lifecycle) => {
            for segment in &lifecycle.segments {
                let stages =
                    |bucket: &LifecycleBucket| vec![bucket.new, bucket.returning, bucket.resurrected, bucket.dormant];
                let buckets: Vec<Vec<u64>> = segment.buckets.iter().map(stages).collect();
                cells.extend(lists(&format!("{:?}", segment.segment), &buckets));
            }
        }
        Answer::Flow(flow) => flow.segments.iter().for_each(|segment| of_flow(segment, &mut cells)),
    }
    cells
}

fn lists(name: &str, lists: &[Vec<u64>]) -> Vec<(String, u64)> {
    let lists = lists.iter().enumerate();
    let numbered = lists.flat_map(|(bucket, list)| {
        let numbers = list.iter().enumerate();
        numbers.map(move |(place, count)| (format!("{name} {bucket} {place}"), *count))
    });
    numbered.collect()
}

fn of_flow(segment: &FlowSegment, cells: &mut Vec<(String, u64)>) {
    let mut add = |name: String, total: FlowTotal| {
        cells.push((format!("{:?} {name}", segment.segment), total.persons));
    };
    let counted = |count: u64, persons: u64| FlowTotal { count, persons };
    add("complete".into(), segment.complete);
    add("incomplete".into(), segment.incomplete);
    let name = |place: &NodePlace| {
        format!(
            "{} {:?}",
            place.column, segment.steps[place.column].nodes[place.node].name
        )
    };
    for (column, step) in segment.steps.iter().enumerate() {
        add(format!("{column} reached"), step.reached);
        for node in &step.nodes {
            let name = format!("{column} {:?}", node.name);
            add(name.clone(), counted(node.count, node.persons));
            add(format!("{name} began"), node.began);
            add(format!("{name} dropped off"), node.dropped_off);
            add(format!("{name} window ended"), node.window_ended);
        }
    }
    for link in &segment.links {
        let name = format!("{} to {}", name(&link.from), name(&link.to));
        add(name, counted(link.count, link.persons));
    }
    for path in &segment.paths {
        let name = format!("{:?}", path.steps);
        add(name.clone(), counted(path.count, path.persons));
        add(format!("{name} dropped off"), path.dropped_off);
        add(format!("{name} window ended"), path.window_ended);
    }
}

/// The oracle needs numbers that count persons, and all segments shown.
fn countable(mut report: Report) -> Report {
    match &mut report.question {
        Question::Insights(insights) => {
            insights
                .metrics
                .iter_mut()
                .for_each(|metric| metric.measure = Measure::Unique);
            for metric in &mut insights.metrics {
                metric.hidden = false;
            }
            insights.formulas.clear();
            insights.compare_previous = false;
            insights.compare = None;
            // Ranges that depend on who is there cannot be matched by name.
            for breakdown in &mut insights.breakdown {
                if let Breakdown::Ranges { edges, .. } = breakdown {
                    *edges = Edges::At(vec![0.0, 5.0]);
                }
            }
            insights.limit = 10_000;
        }
        Question::Funnel(funnel) => {
            funnel.count = FunnelCount::Uniques;
            funnel.limit = 10_000;
        }
        Question::Retention(retention) => retention.limit = 10_000,
        Question::Frequency(frequency) => frequency.limit = 10_000,
        Question::Stickiness(stickiness) => stickiness.limit = 10_000,
        Question::Lifecycle(lifecycle) => lifecycle.limit = 10_000,
        Question::Flow(flow) => {
            flow.limit = 10_000;
            flow.nodes = 100;
            flow.paths = 1_000;
        }
    }
    report
}

#[test]
fn random_answers_disclose_exactly_the_persons_of_their_small_cells() {
    let mut rng = Rng::with_seed(11);
    let mut of_class = [0, 0];
    for seed in 0..12 {
        let world = random::life(&mut Rng::with_seed(seed), 150, 24).play();
        let engine = world.engine();
        for _ in 0..8 {
            let report = countable(random::report(&mut rng));
            let now = random::now(&mut rng);
            // Whom a question names is disclosed besides; see above.
            let names = serde_json::to_string(&report).unwrap().contains("$distinct_id");
            if names || world.reference(&report, now).is_err() {
                continue;
            }
            let (_, disclosure) = world.ask(&engine, &report, now).unwrap();
            let expected = oracle(&world, &report, now);
            let got: BTreeSet<u64> = disclosure.persons.iter().collect();
            assert_eq!(
                got,
                expected,
                "seed {seed}: {}",
                serde_json::to_string(&report).unwrap()
            );
            let class = if expected.is_empty() { Class::D0 } else { Class::D1 };
            assert_eq!(disclosure.class, class);
            of_class[usize::from(class == Class::D1)] += 1;
        }
    }
    assert!(
        of_class[0] >= 5 && of_class[1] >= 30,
        "the reports are of both classes: {of_class:?}"
    );
}

//! Exactly the persons of small cells, for random answers.
//!
//! The oracle looks at the history itself: it asks the reference for the same answer over the history without one
//! person. A person is behind a number if the number is another without them, and then behind a small one if that
//! number, counting persons, is below ten.

use crate::random;
use crate::world::World;
use fastrand::Rng;
use ledger::Class;
use model::report::{
    Answer, Breakdown, Edges, FlowSegment, FlowTotal, FunnelCount, LifecycleBucket, Measure, NodePlace, Question,
    Report,
};
use model::{EventTime, PersonNumber};
use std::collections::BTreeSet;

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
        for _ in 0..14 {
            let report = countable(random::report(&mut rng));
            let now = random::now(&mut rng);
            // Whom a question names is disclosed besides.
            let text = serde_json::to_string(&report).unwrap();
            let names = ["$distinct_id", "cohort(", "computed["]
                .iter()
                .any(|name| text.contains(name));
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

//! Questions that must have the same answer, or answers that must add up, whoever computed them: what a mistake that
//! engine and reference share could not hide.

use crate::equal;
use crate::life::Life;
use crate::random;
use crate::world::World;
use fastrand::Rng;
use jiff::ToSpan;
use model::EventTime;
use model::expression::{BinaryOp, Expression, Function};
use model::report::{
    Answer, Cohorts, DateRange, FrequencyAnswer, FunnelAnswer, FunnelCount, InsightsAnswer, LifecycleAnswer, Question,
    Report, RetentionAnswer, Unit,
};
use query::QueryError;

const HISTORIES: u64 = 25;
const REPORTS_PER_HISTORY: usize = 4;

/// Random histories, each with a source of randomness for its questions.
fn lives(of: u64) -> impl Iterator<Item = (Life, Rng)> {
    (0..HISTORIES).map(move |index| {
        let mut rng = Rng::with_seed(of * 1_000 + index);
        let (events, persons) = (rng.usize(20..140), rng.u64(2..12));
        (random::life(&mut rng, events, persons), rng)
    })
}

fn answer(world: &World, report: &Report, now: EventTime) -> Result<Answer, QueryError> {
    Ok(world.ask(&world.engine(), report, now)?.0.answer)
}

/// Both answer alike, or both refuse.
fn assert_alike(what: &str, report: &Report, left: &Result<Answer, QueryError>, right: &Result<Answer, QueryError>) {
    let shown = || serde_json::to_string(report).unwrap();
    match (left, right) {
        (Ok(left), Ok(right)) => {
            let different = equal::difference(left, right);
            assert!(different.is_none(), "{what}: {}\n{}", different.unwrap(), shown());
        }
        (Err(left), Err(right)) => assert_eq!(left.code(), right.code(), "{what}\n{}", shown()),
        _ => panic!("{what}: {left:?} and {right:?}\n{}", shown()),
    }
}

/// Asks random reports of two tellings of one history.
fn same_in(what: &str, one: &World, other: &World, rng: &mut Rng) {
    for _ in 0..REPORTS_PER_HISTORY {
        let (report, now) = (random::report(rng), random::now(rng));
        assert_alike(what, &report, &answer(one, &report, now), &answer(other, &report, now));
    }
}

#[test]
fn how_the_store_keeps_events_does_not_matter() {
    for (life, mut rng) in lives(1) {
        let as_told = life.play();
        same_in("one shard", &as_told, &life.play_with(1), &mut rng);
        same_in("eight shards", &as_told, &life.play_with(8), &mut rng);
        same_in("never flushed", &as_told, &life.in_memory().play(), &mut rng);
        same_in("flushed and compacted", &as_told, &life.settled().play(), &mut rng);
    }
}

/// A merge counts from the moment it is told, before and after compaction has rewritten the person's rows.
#[test]
fn when_persons_were_merged_does_not_matter() {
    for (life, mut rng) in lives(2) {
        let life = life.without_profiles();
        let beforehand = life.merged_beforehand().play();
        same_in("merged afterwards", &life.play(), &beforehand, &mut rng);
        same_in("merged physically", &life.settled().play(), &beforehand, &mut rng);
    }
}

#[test]
fn the_order_of_filters_does_not_matter() {
    for (life, mut rng) in lives(3) {
        let world = life.play();
        for _ in 0..REPORTS_PER_HISTORY {
            let (report, now) = (random::report(&mut rng), random::now(&mut rng));
            let (first, second) = (
                boolean(random::condition(&mut rng, 2)),
                boolean(random::condition(&mut rng, 2)),
            );
            let filtered = |filter: Expression| Report {
                filter: Some(filter),
                ..report.clone()
            };
            let one = filtered(first.clone().and(second.clone()));
            let other = filtered(second.and(first));
            assert_alike(
                "filters in another order",
                &one,
                &answer(&world, &one, now),
                &answer(&world, &other, now),
            );
        }
    }
}

/// A condition that is never a type error and never not set.
fn boolean(condition: Expression) -> Expression {
    Expression::Call {
        function: Function::Boolean,
        arguments: vec![condition],
    }
}

/// Events where a condition holds and events where it does not are all events; likewise persons, when it is about them.
#[test]
fn parts_sum_to_the_whole() {
    for (life, mut rng) in lives(4) {
        let world = life.play();
        for _ in 0..REPORTS_PER_HISTORY {
            let now = random::now(&mut rng);
            let plan = || Expression::parse("user[\"plan\"]").unwrap();
            let of_person = Expression::Binary {
                op: BinaryOp::Equal,
                left: Box::new(plan()),
                right: Box::new(Expression::Literal(model::Value::String("x".into()))),
            };
            let of_event = boolean(random::any_value(&mut rng, 2));
            for (condition, measure) in [(of_event, "total"), (of_person.clone(), "total"), (of_person, "unique")] {
                let whole = counted(&mut rng, measure);
                let part = |filter: Expression| {
                    insights(
                        &world,
                        &Report {
                            filter: Some(filter),
                            ..whole.clone()
                        },
                        now,
                    )
                };
                let Some((whole, yes, no)) = insights(&world, &whole, now)
                    .zip(part(condition.clone()))
                    .zip(part(Expression::Not(Box::new(condition))))
                    .map(|((whole, yes), no)| (whole, yes, no))
                else {
                    continue;
                };
                assert_eq!(totals(&whole), added(&totals(&yes), &totals(&no)), "{measure}");
            }
        }
    }
}

/// Days asked for one stretch at a time are the days asked for at once.
#[test]
fn time_can_be_split() {
    for (life, mut rng) in lives(5) {
        let world = life.play();
        for _ in 0..REPORTS_PER_HISTORY {
            let now = random::now(&mut rng);
            let mut report = random::report(&mut rng);
            let Some(stretch) = by_day(&mut report) else { continue };
            let range = report.range;
            let middle = range.from + rng.i64(0..stretch).days();
            let ask = |from, to| {
                let report = Report {
                    range: DateRange { from, to },
                    ..report.clone()
                };
                days(answer(&world, &report, now).ok()?)
            };
            let parts = ask(range.from, middle).zip(ask(middle + 1.day(), range.to));
            let whole = ask(range.from, range.to);
            if let Some(((mut first, second), whole)) = parts.zip(whole) {
                first.extend(second);
                assert_eq!(first, whole, "{}", serde_json::to_string(&report).unwrap());
            }
        }
    }
}

/// Makes a report one whose days stand for themselves, if it can be one, over at least two days; how many days there
/// are between the first and the last.
fn by_day(report: &mut Report) -> Option<i64> {
    match &mut report.question {
        Question::Insights(insights) => {
            *insights = serde_json::from_value(serde_json::json!({
                "unit": "day", "metrics": [{"measure": "total"}, {"event": "A", "measure": "unique"}],
            }))
            .unwrap();
        }
        Question::Funnel(funnel) => {
            funnel.unit = Some(Unit::Day);
            funnel.breakdown = None;
            // Attempts that must not overlap, and sessions, do not end with the day.
            funnel.count = FunnelCount::Uniques;
            funnel.window_sessions = None;
        }
        Question::Retention(retention) => {
            retention.unit = Unit::Day;
            retention.cohorts = Cohorts::Recurring;
            retention.breakdown = None;
        }
        Question::Frequency(frequency) => {
            (frequency.unit, frequency.part) = (Unit::Day, Unit::Hour);
            frequency.breakdown = None;
        }
        Question::Lifecycle(lifecycle) => {
            lifecycle.unit = Unit::Day;
            lifecycle.look_back_days = None;
            lifecycle.breakdown = None;
        }
        Question::Stickiness(_) | Question::Flow(_) => return None,
    }
    let days = (report.range.to - report.range.from).get_days();
    (days > 0).then_some(i64::from(days))
}

/// One text per day of an answer.
fn days(answer: Answer) -> Option<Vec<String>> {
    let text = |value: serde_json::Value| value.to_string();
    match answer {
        Answer::Insights(InsightsAnswer { buckets, series, .. }) => Some(
            (0..buckets.len())
                .map(|day| {
                    // A metric that nothing was counted for may have no series at all.
                    let values = series.iter().filter(|series| series.values[day] != Some(0.0));
                    let values: Vec<_> = values.map(|series| (series.metric, series.values[day])).collect();
                    text(serde_json::json!([buckets[day], values]))
                })
                .collect(),
        ),
        Answer::Funnel(FunnelAnswer { buckets, trend, .. }) => {
            let steps = |day: &Vec<model::report::FunnelSegment>| {
                day[0].steps.iter().map(|step| step.count).collect::<Vec<u64>>()
            };
            let days = buckets.iter().zip(&trend);
            Some(
                days.map(|(bucket, day)| text(serde_json::json!([bucket, steps(day)])))
                    .collect(),
            )
        }
        Answer::Retention(RetentionAnswer { buckets, segments, .. }) => {
            let days = buckets.iter().zip(&segments[0].cohorts);
            Some(
                days.map(|(bucket, cohort)| text(serde_json::json!([bucket, cohort])))
                    .collect(),
            )
        }
        Answer::Frequency(FrequencyAnswer { buckets, segments, .. }) => {
            let days = buckets.iter().zip(&segments[0].at_least);
            Some(days.map(|day| text(serde_json::json!(day))).collect())
        }
        Answer::Lifecycle(LifecycleAnswer { buckets, segments, .. }) => {
            let days = buckets.iter().zip(&segments[0].buckets);
            Some(days.map(|day| text(serde_json::json!(day))).collect())
        }
        Answer::Stickiness(_) | Answer::Flow(_) => None,
    }
}

/// A count of any event over a random range.
fn counted(rng: &mut Rng, measure: &str) -> Report {
    let question = serde_json::json!({"kind": "insights", "unit": "day", "metrics": [{"measure": measure}]});
    Report {
        filter: None,
        question: serde_json::from_value(question).unwrap(),
        ..random::report(rng)
    }
}

fn insights(world: &World, report: &Report, now: EventTime) -> Option<InsightsAnswer> {
    match answer(world, report, now) {
        Ok(Answer::Insights(answer)) => Some(answer),
        Ok(_) => panic!("another kind of answer"),
        Err(QueryError::Expression { .. } | QueryError::Invalid(_)) => None,
        Err(error) => panic!("{error:?}"),
    }
}

/// Each bucket's number, then the range's.
fn totals(answer: &InsightsAnswer) -> Vec<f64> {
    let mut numbers = vec![0.0; answer.buckets.len() + 1];
    for series in &answer.series {
        for (number, value) in numbers.iter_mut().zip(series.values.iter().chain([&series.total])) {
            *number += value.unwrap_or(0.0);
        }
    }
    numbers
}

fn added(left: &[f64], right: &[f64]) -> Vec<f64> {
    left.iter().zip(right).map(|(left, right)| left + right).collect()
}

//! Random histories and random reports.

mod activity;
mod cohort;
mod flow;
mod funnel;
mod insights;
mod retention;

pub use flow::flow;

use crate::life::{Life, Step};
use crate::world::set;
use fastrand::Rng;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use model::expression::{BinaryOp, Expression, Function, Scope};
use model::report::{
    Answer, Attempt, Attribution, Cohorts, DateRange, DayCount, EventSelector, Exclusion, Frequency, FrequencyAnswer,
    FrequencyCell, Funnel, FunnelAnswer, FunnelCell, FunnelCount, FunnelSide, Insights, Intervals, Lifecycle,
    LifecycleAnswer, LifecycleCell, LifecycleStage, Measure, Metric, Order, Question, Report, ReportCell, Retention,
    RetentionAnswer, RetentionCell, Segment, StepSelector, Stickiness, StickinessAnswer, StickinessCell,
    TimesToConvert, Unit,
};
use model::{Event, EventTime, GroupNumber, InsertId, PersonNumber, Subject, Value};

/// Zones with changes of the clock within the weeks of the history, odd offsets, and without.
const ZONES: [&str; 7] = [
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Auckland",
    "America/Santiago",
];
const EVENTS: [&str; 4] = ["A", "B", "C", "Sign up"];
const FIRST_DAY: Date = date(2026, 3, 2);
const DAYS: i64 = 40;

fn pick<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    &of[rng.usize(0..of.len())]
}

fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(0..100) < percent
}

/// What happened to a project: several batches, merges, flushes, compactions, restarts and perhaps an erasure.
pub fn life(rng: &mut Rng, events: usize, persons: u64) -> Life {
    let timezone = (*pick(rng, &ZONES)).to_owned();
    let mut left = events;
    let mut steps = Vec::new();
    // Merges lead from one canonical person to another, as the vault gives them.
    let mut canonical: Vec<u64> = (1..=persons).chain([1 << 47]).collect();
    while left > 0 {
        let count = rng.usize(1..=10).min(left);
        left -= count;
        let events: Vec<Event> = (0..count).map(|_| event(rng, persons)).collect();
        let mut merges = Vec::new();
        if canonical.len() > 2 && chance(rng, 12) {
            let from = canonical.swap_remove(rng.usize(0..canonical.len()));
            let into = *pick(rng, &canonical);
            merges.push((PersonNumber(from), PersonNumber(into)));
        }
        let mut profiles = Vec::new();
        if chance(rng, 40) {
            profiles.push(profile(rng, persons));
        }
        if chance(rng, 20) {
            profiles.push(group_profile(rng));
        }
        steps.push(Step::Batch {
            events,
            profiles,
            merges,
        });
        match rng.u32(0..100) {
            0..12 => steps.push(Step::Flush),
            12..17 => steps.extend([Step::Flush, Step::Compact]),
            17..20 => steps.push(Step::Reopen),
            _ => {}
        }
    }
    if chance(rng, 15) {
        steps.push(Step::Erase(PersonNumber(*pick(rng, &canonical))));
    }
    steps.push(Step::Define(cohort::definitions(rng, persons)));
    Life { timezone, steps }
}

fn event(rng: &mut Rng, persons: u64) -> Event {
    let person = match rng.u32(0..100) {
        0..8 => 0,
        8..10 => 1 << 47,
        _ => rng.u64(1..=persons),
    };
    let mut properties = Vec::new();
    for name in ["p", "q", "n"] {
        if chance(rng, 70) {
            properties.push((name.to_owned(), if name == "n" { number(rng) } else { value(rng) }));
        }
    }
    let mut groups = Vec::new();
    if chance(rng, 40) {
        let count = rng.usize(1..=2);
        groups.push((
            "company".to_owned(),
            (0..count).map(|_| GroupNumber(rng.u64(1..=3))).collect(),
        ));
    }
    Event {
        name: (*pick(rng, &EVENTS)).to_owned(),
        person: PersonNumber(person),
        time: EventTime(instant(rng)),
        insert_id: chance(rng, 30).then(|| InsertId(rng.u64(1..=2))),
        properties,
        groups,
    }
}

/// Often one of few instants, so that ties and copies happen.
fn instant(rng: &mut Rng) -> i64 {
    let first_ms = FIRST_DAY
        .at(0, 0, 0, 0)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .unwrap()
        .timestamp()
        .as_millisecond();
    let day_ms = 86_400_000;
    match rng.u32(0..10) {
        0..4 => first_ms + rng.i64(0..12) * day_ms / 4 + rng.i64(0..8) * 500,
        4..6 => first_ms + rng.i64(0..DAYS) * day_ms + rng.i64(0..24) * 3_600_000,
        _ => first_ms + rng.i64(0..DAYS * day_ms),
    }
}

fn number(rng: &mut Rng) -> Value {
    // Multiples of a quarter add up exactly in any order, so that equal sums order segments alike.
    Value::Number(rng.i32(-40..80) as f64 / 4.0)
}

fn text(rng: &mut Rng) -> String {
    let texts = [
        "x",
        "y",
        "xy",
        "",
        "false",
        "12",
        "-0.5",
        "2026-03-10",
        "2026-03-29T02:30:00",
        "Ünï\"c",
    ];
    (*pick(rng, &texts)).to_owned()
}

fn scalar(rng: &mut Rng) -> Value {
    match rng.u32(0..10) {
        0..5 => Value::String(text(rng)),
        5..8 => Value::Number(*pick(rng, &[0.0, 1.0, 2.5, -3.0, 12.0, 1e12, 1_773_000_000.0])),
        _ => Value::Bool(rng.bool()),
    }
}

fn value(rng: &mut Rng) -> Value {
    match rng.u32(0..10) {
        0..7 => scalar(rng),
        7..9 => {
            let count = rng.usize(0..4);
            let mut items: Vec<Value> = (0..count).map(|_| scalar(rng)).collect();
            if chance(rng, 20) {
                items.push(Value::List(vec![scalar(rng)]));
            }
            if chance(rng, 20) {
                items.push(Value::Null);
            }
            Value::List(items)
        }
        _ => Value::Object(vec![("a".into(), scalar(rng)), ("b".into(), scalar(rng))]),
    }
}

fn profile(rng: &mut Rng, persons: u64) -> model::ProfileUpdate {
    let name = (*pick(rng, &["plan", "n", "tags"])).to_owned();
    let value = if name == "plan" {
        Value::String(text(rng))
    } else {
        value(rng)
    };
    set(rng.u64(1..=persons), vec![(name, value)])
}

fn group_profile(rng: &mut Rng) -> model::ProfileUpdate {
    let value = if rng.bool() { scalar(rng) } else { value(rng) };
    model::ProfileUpdate {
        subject: Subject::Group {
            key: "company".into(),
            number: GroupNumber(rng.u64(1..=3)),
        },
        ..set(0, vec![((*pick(rng, &["industry", "size"])).to_owned(), value)])
    }
}

// ------------------------------------------------------------------ reports

pub fn report(rng: &mut Rng) -> Report {
    let from = FIRST_DAY + rng.i64(-2..DAYS).days();
    let unit = *pick(
        rng,
        &[
            Unit::Minute,
            Unit::Hour,
            Unit::Day,
            Unit::Day,
            Unit::Week,
            Unit::Month,
            Unit::Quarter,
        ],
    );
    let days = match unit {
        Unit::Minute => rng.i64(0..2),
        Unit::Hour => rng.i64(0..9),
        _ => rng.i64(0..45),
    };
    let question = match rng.u32(0..15) {
        0..3 => Question::Insights(insights::insights(rng, unit)),
        3..6 => Question::Funnel(funnel::funnel(rng, unit)),
        6 => Question::Frequency(activity::frequency(rng)),
        7 => Question::Stickiness(activity::stickiness(rng)),
        8 => Question::Lifecycle(activity::lifecycle(rng)),
        9..12 => Question::Flow(flow(rng)),
        _ => Question::Retention(retention::retention(rng)),
    };
    // The reference looks for hours minute by minute.
    let days = match &question {
        Question::Frequency(frequency) if frequency.part == Unit::Hour => days.min(8),
        // A flow over few days has few paths.
        Question::Flow(_) if rng.bool() => DAYS,
        _ => days,
    };
    Report {
        version: 1,
        range: DateRange {
            from,
            to: from + days.days(),
        },
        timezone: chance(rng, 60).then(|| (*pick(rng, &ZONES)).to_owned()),
        filter: chance(rng, 30).then(|| condition(rng, 2)),
        question,
    }
}

/// A number of an answer, for asking who is behind it.
pub fn cell(rng: &mut Rng, report: &Report, answer: &Answer) -> ReportCell {
    match (&report.question, answer) {
        (Question::Insights(insights), Answer::Insights(answer)) => {
            ReportCell::Insights(insights::cell(rng, insights, answer))
        }
        (Question::Funnel(funnel), Answer::Funnel(answer)) => ReportCell::Funnel(funnel::cell(rng, funnel, answer)),
        (Question::Retention(retention), Answer::Retention(answer)) => {
            ReportCell::Retention(retention::cell(rng, retention, answer))
        }
        (Question::Frequency(frequency), Answer::Frequency(answer)) => {
            ReportCell::Frequency(activity::frequency_cell(rng, frequency, answer))
        }
        (Question::Stickiness(stickiness), Answer::Stickiness(answer)) => {
            ReportCell::Stickiness(activity::stickiness_cell(rng, stickiness, answer))
        }
        (Question::Lifecycle(lifecycle), Answer::Lifecycle(answer)) => {
            ReportCell::Lifecycle(activity::lifecycle_cell(rng, lifecycle, answer))
        }
        (Question::Flow(flow), Answer::Flow(answer)) => ReportCell::Flow(flow::cell(rng, flow, answer)),
        (question, answer) => panic!("{answer:?} answers no {question:?}"),
    }
}

/// A segment of an answer, everybody or none that there is.
fn asked_segment<'a>(rng: &mut Rng, broken_down: bool, segments: impl Iterator<Item = &'a Segment>) -> Segment {
    if !broken_down || chance(rng, 30) {
        return Vec::new();
    }
    let segments: Vec<&Segment> = segments.collect();
    match rng.u32(0..10) {
        0 => vec![Some("never".into())],
        _ => (*pick(rng, &segments)).clone(),
    }
}

/// A cohort that may be built on those that every world has.
pub fn any_cohort(rng: &mut Rng, persons: u64) -> model::Cohort {
    cohort::cohort(rng, persons, cohort::COHORTS)
}

/// A moment within or after the history.
pub fn now(rng: &mut Rng) -> EventTime {
    EventTime(instant(rng) + if rng.bool() { 200 * 86_400_000 } else { 0 })
}

fn selector(rng: &mut Rng) -> EventSelector {
    EventSelector {
        event: chance(rng, 80).then(|| (*pick(rng, &EVENTS)).to_owned()),
        filter: chance(rng, 35).then(|| condition(rng, 2)),
    }
}

fn broken_down(rng: &mut Rng) -> Expression {
    if chance(rng, 70) {
        property(rng)
    } else {
        any_value(rng, 2)
    }
}

fn property(rng: &mut Rng) -> Expression {
    if chance(rng, 15) {
        return named(rng);
    }
    let (scope, names): (Scope, &[&str]) = match rng.u32(0..10) {
        0..7 => (
            Scope::Properties,
            &["p", "q", "n", "company", "never", "$time", "$event_name"],
        ),
        7..9 => (Scope::User, &["plan", "n", "tags", "never"]),
        _ => (Scope::Event, &["$time", "$event_name"]),
    };
    Expression::Property {
        scope,
        name: (*pick(rng, names)).to_owned(),
    }
}

/// Something that the world's project has saved, or a group's property.
fn named(rng: &mut Rng) -> Expression {
    match rng.u32(0..4) {
        0 => Expression::Cohort(rng.u64(1..=cohort::COHORTS)),
        1 => Expression::Computed((*pick(rng, &cohort::COMPUTED)).to_owned()),
        2 => Expression::Lookup {
            table: "t".into(),
            column: (*pick(rng, &["k", "number", "flag", "text"])).to_owned(),
            key: Box::new(any_value(rng, 1)),
        },
        _ => Expression::Group {
            key: (*pick(rng, &["company", "p"])).to_owned(),
            property: (*pick(rng, &["industry", "size", "never"])).to_owned(),
        },
    }
}

fn binary(op: BinaryOp, left: Expression, right: Expression) -> Expression {
    Expression::Binary {
        op,
        left: Box::new(left),
        right: Box::new(right),
    }
}

fn call(function: Function, argument: Expression) -> Expression {
    Expression::Call {
        function,
        arguments: vec![argument],
    }
}

/// An expression that is mostly a boolean.
pub fn condition(rng: &mut Rng, depth: u32) -> Expression {
    use BinaryOp::*;
    if depth > 0 && chance(rng, 45) {
        return match rng.u32(0..3) {
            0 => Expression::Not(Box::new(condition(rng, depth - 1))),
            1 => binary(And, condition(rng, depth - 1), condition(rng, depth - 1)),
            _ => binary(Or, condition(rng, depth - 1), condition(rng, depth - 1)),
        };
    }
    if chance(rng, 3) {
        // Not a boolean, or not always: a type error where and/or meets it.
        return any_value(rng, depth);
    }
    if chance(rng, 4) {
        return naming(rng);
    }
    if chance(rng, 12) {
        return Expression::Cohort(rng.u64(1..=cohort::COHORTS));
    }
    let value = |rng: &mut Rng| any_value(rng, depth.min(1));
    match rng.u32(0..10) {
        0..4 => {
            let op = *pick(rng, &[Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual]);
            binary(op, value(rng), value(rng))
        }
        4..6 => {
            let count = rng.usize(0..4);
            let items = (0..count).map(|_| scalar(rng)).collect();
            binary(In, value(rng), Expression::Literal(Value::List(items)))
        }
        6 => binary(In, value(rng), value(rng)),
        7 => call(Function::Defined, value(rng)),
        _ => call(Function::Boolean, value(rng)),
    }
}

/// A condition that names persons.
fn naming(rng: &mut Rng) -> Expression {
    let person = || Expression::property("$distinct_id");
    let number = |rng: &mut Rng| Value::Number(f64::from(rng.u32(0..16)));
    match rng.u32(0..4) {
        0 => binary(BinaryOp::Equal, person(), Expression::Literal(number(rng))),
        1 => binary(BinaryOp::NotEqual, Expression::Literal(number(rng)), person()),
        2 => {
            let numbers = (0..rng.usize(0..5)).map(|_| number(rng));
            binary(
                BinaryOp::In,
                person(),
                Expression::Literal(Value::List(numbers.collect())),
            )
        }
        _ => call(Function::Defined, person()),
    }
}

pub fn any_value(rng: &mut Rng, depth: u32) -> Expression {
    use BinaryOp::*;
    if depth == 0 || chance(rng, 40) {
        return if chance(rng, 65) {
            property(rng)
        } else {
            Expression::Literal(scalar(rng))
        };
    }
    let inner = |rng: &mut Rng| any_value(rng, depth - 1);
    match rng.u32(0..12) {
        0..4 => {
            let op = *pick(rng, &[Add, Add, Subtract, Multiply, Divide, Remainder]);
            binary(op, inner(rng), inner(rng))
        }
        4 => Expression::Negate(Box::new(property(rng))),
        5 => condition(rng, depth - 1),
        6 => Expression::Call {
            function: Function::String,
            arguments: vec![inner(rng), inner(rng)],
        },
        _ => {
            let function = *pick(
                rng,
                &[
                    Function::Floor,
                    Function::Round,
                    Function::Ceil,
                    Function::Boolean,
                    Function::Number,
                    Function::String,
                    Function::Datetime,
                ],
            );
            call(function, inner(rng))
        }
    }
}

//! Answers worked out by hand, so that the reference itself is proven by something.

mod activity;
mod flow;
mod funnel;
mod insights;
mod ordered_funnel;
mod retention;

use crate::{History, HistoryEvent, ReferenceError, answer, evaluate};
use model::report::{Answer, FunnelStep, Report};
use model::{Event, EventTime, Expression, GroupNumber, InsertId, PersonNumber, Value};
use serde_json::json;
use std::collections::BTreeMap;

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// Name, person, time, properties.
type Row<'a> = (&'a str, u64, &'a str, &'a [(&'a str, Value)]);

fn history(events: &[Row<'_>]) -> History {
    let told = events
        .iter()
        .zip(1..)
        .map(|((name, person, time, properties), seq)| HistoryEvent {
            seq,
            event: Event {
                name: (*name).into(),
                person: PersonNumber(*person),
                time: EventTime(at(time)),
                insert_id: None,
                properties: properties
                    .iter()
                    .map(|(name, value)| ((*name).into(), value.clone()))
                    .collect(),
                groups: Vec::new(),
            },
        });
    History {
        events: told.collect(),
        ..History::default()
    }
}

fn ask(history: &History, report: serde_json::Value) -> serde_json::Value {
    let report: Report = serde_json::from_value(report).unwrap();
    let now = EventTime(at("2030-01-01T00:00:00Z"));
    serde_json::to_value(answer(&report, "UTC", history, now).unwrap()).unwrap()
}

fn number(number: f64) -> Value {
    Value::Number(number)
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

#[test]
fn copies_and_merged_persons_count_once() {
    let mut history = history(&[
        ("E", 1, "2026-08-03T10:00:00Z", &[("v", number(1.0))]),
        ("E", 2, "2026-08-03T10:00:00Z", &[("v", number(2.0))]),
        ("E", 2, "2026-08-03T11:00:00Z", &[("v", number(4.0))]),
    ]);
    history.events[0].event.insert_id = Some(InsertId(7));
    history.events[1].event.insert_id = Some(InsertId(7));
    let question = json!({
        "range": {"from": "2026-08-03", "to": "2026-08-03"},
        "question": {"kind": "insights", "unit": "day", "metrics": [
            {"measure": "total"}, {"measure": "unique"}, {"measure": {"sum": {"property": "v"}}},
        ]},
    });
    let totals = |history: &History| {
        let answer = ask(history, question.clone());
        [0, 1, 2].map(|metric| answer["series"][metric]["total"].as_f64().unwrap())
    };
    assert_eq!(totals(&history), [3.0, 2.0, 7.0]);
    // Once both are person 3, the first two events are copies, and the latest received is kept.
    history.merges = vec![(PersonNumber(1), PersonNumber(3)), (PersonNumber(2), PersonNumber(3))];
    assert_eq!(totals(&history), [2.0, 1.0, 6.0]);
}

#[test]
fn users_and_groups_are_looked_up() {
    let mut history = history(&[("E", 5, "2026-08-03T10:00:00Z", &[])]);
    history.merges.push((PersonNumber(5), PersonNumber(9)));
    history.profiles = BTreeMap::from([(PersonNumber(9), BTreeMap::from([("plan".into(), text("pro"))]))]);
    history.events[0].event.groups = vec![("company".into(), vec![GroupNumber(4), GroupNumber(6)])];
    let value = |expression: &str| {
        let expression = Expression::parse(expression).unwrap();
        evaluate(&expression, "UTC", &history).unwrap().remove(0)
    };
    assert_eq!(value("user[\"plan\"]"), [Some(json!("pro"))]);
    assert_eq!(value("properties[\"company\"]"), [Some(json!(4)), Some(json!(6))]);
    assert_eq!(value("6 in properties[\"company\"]"), [Some(json!(true))]);
}

#[test]
fn wrong_questions_are_refused() {
    let history = history(&[("E", 1, "2026-08-03T10:00:00Z", &[("s", text("x"))])]);
    let refused = |extra: serde_json::Value| {
        let mut report = json!({
            "range": {"from": "2026-08-03", "to": "2026-08-03"},
            "question": {"kind": "insights", "unit": "day", "metrics": [{"measure": "total"}]},
        });
        for (name, value) in extra.as_object().unwrap() {
            report[name] = value.clone();
        }
        let report: Report = serde_json::from_value(report).unwrap();
        answer(&report, "UTC", &history, EventTime(0)).unwrap_err()
    };
    assert!(matches!(
        refused(json!({"filter": "properties[\"s\"] and true"})),
        ReferenceError::Type(_)
    ));
    assert!(matches!(
        refused(json!({"timezone": "Mars/Olympus"})),
        ReferenceError::Invalid(_)
    ));
    let backwards = json!({"range": {"from": "2026-08-04", "to": "2026-08-03"}});
    assert!(matches!(refused(backwards), ReferenceError::Invalid(_)));
}

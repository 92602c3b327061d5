//! Who is behind a number: exactly the persons that it counts, and a record of everyone handed out.

use crate::world::{World, at, event, report};
use ledger::Class;
use model::report::{Report, ReportCell};
use query::QueryError;
use serde_json::json;

/// Persons 1 … 30 do A, the first 12 do B an hour later, person 5 on the next day too.
fn world() -> World {
    let mut world = World::new("UTC");
    let time = at("2026-03-10T12:00:00Z");
    let mut events: Vec<_> = (1..=30).map(|person| event("A", person, time)).collect();
    events.extend((1..=12).map(|person| event("B", person, time + 3_600_000)));
    events.push(event("A", 5, time + 86_400_000));
    world.append(events, Vec::new(), Vec::new());
    world
}

fn funnel() -> Report {
    report(
        json!({"range": {"from": "2026-03-10", "to": "2026-03-11"}, "question": {"kind": "funnel", "unit": "day",
        "steps": [{"event": "A"}, {"event": "B"}], "window_ms": 7_200_000, "breakdown": "$event_name"}}),
    )
}

fn cell(json: serde_json::Value) -> ReportCell {
    serde_json::from_value(json).unwrap()
}

#[test]
fn members_are_those_that_the_number_counts() {
    let world = world();
    let engine = world.engine();
    let of = |asked: serde_json::Value| {
        let (members, disclosure) = world.members(&engine, &funnel(), &cell(asked)).unwrap();
        let members: Vec<u64> = members.into_iter().map(|person| person.0).collect();
        assert_eq!(disclosure.class, Class::D2);
        assert_eq!(disclosure.persons.iter().collect::<Vec<_>>(), members);
        assert_eq!(
            disclosure.fields.into_iter().collect::<Vec<_>>(),
            ["$event_name", "A", "B"]
        );
        members
    };
    let span = |from: u64, to: u64| (from..=to).collect::<Vec<_>>();
    assert_eq!(of(json!({"kind": "funnel", "step": 0})), span(1, 30));
    assert_eq!(of(json!({"kind": "funnel", "step": 1, "segment": ["A"]})), span(1, 12));
    assert_eq!(
        of(json!({"kind": "funnel", "step": 0, "side": "dropped_off"})),
        span(13, 30)
    );
    assert_eq!(
        of(json!({"kind": "funnel", "step": 0, "side": "dropped_off", "bucket": 1})),
        [5]
    );
    assert_eq!(of(json!({"kind": "funnel", "step": 0, "segment": ["B"]})), [0; 0]);
    assert_eq!(of(json!({"kind": "funnel", "step": 0, "bucket": 7})), [0; 0]);
}

#[test]
fn a_cell_that_the_report_does_not_have_is_refused() {
    let world = world();
    let engine = world.engine();
    let refused = |report: &Report, asked: serde_json::Value| match world.members(&engine, report, &cell(asked)) {
        Err(QueryError::Invalid(invalid)) => invalid.at,
        other => panic!("{other:?}"),
    };
    let mut without_trend = funnel();
    let model::report::Question::Funnel(question) = &mut without_trend.question else {
        unreachable!()
    };
    question.unit = None;
    let retention = report(
        json!({"range": {"from": "2026-03-10", "to": "2026-03-11"}, "question": {"kind": "retention",
        "born": {}, "returning": {}, "unit": "day", "intervals": 3}}),
    );
    assert_eq!(refused(&funnel(), json!({"kind": "funnel", "step": 2})), "/cell/step");
    assert_eq!(
        refused(&funnel(), json!({"kind": "funnel", "step": 1, "side": "dropped_off"})),
        "/cell/step"
    );
    assert_eq!(
        refused(&without_trend, json!({"kind": "funnel", "step": 0, "bucket": 0})),
        "/cell/bucket"
    );
    assert_eq!(
        refused(&funnel(), json!({"kind": "funnel", "step": 0, "segment": ["A", "B"]})),
        "/cell/segment"
    );
    assert_eq!(refused(&retention, json!({"kind": "funnel", "step": 0})), "/cell/kind");
}

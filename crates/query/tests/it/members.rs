//! Who is behind a number: exactly the persons that it counts, and a record of everyone handed out.

mod flow;
mod insights;

use crate::world::{World, at, event, report};
use ledger::Class;
use model::EventTime;
use model::report::{Report, ReportCell};
use query::{Page, QueryError};
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
        let (members, disclosure) = world.members(&engine, &funnel(), &cell(asked), EventTime(0)).unwrap();
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
fn a_page_of_members_discloses_who_is_on_it() {
    let world = world();
    let engine = world.engine();
    let page = |asked: serde_json::Value, limit: usize, offset: usize| {
        let page = Page { limit, offset };
        let rows = world.wait(engine.member_rows(&world.project, &funnel(), &cell(asked), page, EventTime(0)));
        let (page, disclosure) = world.release(rows.unwrap());
        let people: Vec<u64> = page.people.into_iter().map(|row| row.person.0).collect();
        (page.total, people, disclosure.persons.iter().collect::<Vec<_>>())
    };
    let everybody = json!({"kind": "funnel", "step": 0});
    assert_eq!(page(everybody, 2, 3), (30, vec![4, 5], vec![4, 5]));
    // Of few, the number alone says who they are.
    let few = json!({"kind": "funnel", "step": 0, "bucket": 1});
    assert_eq!(page(few, 10, 7), (1, vec![], vec![5]));
}

#[test]
fn a_cell_that_the_report_does_not_have_is_refused() {
    let world = world();
    let engine = world.engine();
    let refused =
        |report: &Report, asked: serde_json::Value| match world.members(&engine, report, &cell(asked), EventTime(0)) {
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

#[test]
fn members_of_retention_and_what_stands_beside_it() {
    let world = world();
    let engine = world.engine();
    let asked = |question: serde_json::Value, mut number: serde_json::Value| {
        number["kind"] = question["kind"].clone();
        let report = report(json!({"range": {"from": "2026-03-09", "to": "2026-03-15"}, "question": question}));
        world
            .members(&engine, &report, &cell(number), EventTime(0))
            .map(|(members, _)| members.into_iter().map(|person| person.0).collect::<Vec<u64>>())
    };
    let of = |question: &serde_json::Value, number| asked(question.clone(), number).unwrap();
    let refused = |question: &serde_json::Value, number| match asked(question.clone(), number) {
        Err(QueryError::Invalid(invalid)) => invalid.at,
        other => panic!("{other:?}"),
    };
    let all: Vec<u64> = (1..=30).collect();
    let but_five: Vec<u64> = all.iter().copied().filter(|person| *person != 5).collect();

    let retention = json!({"kind": "retention", "born": {"event": "A"}, "returning": {"event": "A"}, "unit": "day",
        "intervals": 2, "interval_rule": "calendar"});
    assert_eq!(of(&retention, json!({"bucket": 1})), all);
    assert_eq!(of(&retention, json!({"bucket": 1, "interval": 1})), [5]);
    let not_returned = json!({"bucket": 1, "interval": 1, "side": "not_returned"});
    assert_eq!(of(&retention, not_returned), but_five);
    let not_born = json!({"bucket": 0, "interval": 1, "side": "not_returned"});
    assert_eq!(of(&retention, not_born), [0; 0]);
    assert_eq!(
        refused(&retention, json!({"bucket": 1, "side": "not_returned"})),
        "/cell/interval"
    );
    assert_eq!(
        refused(&retention, json!({"bucket": 1, "interval": 3})),
        "/cell/interval"
    );
    let frequency =
        json!({"kind": "frequency", "active": {}, "unit": "day", "part": "hour", "breakdown": "$event_name"});
    assert_eq!(
        of(&frequency, json!({"bucket": 1, "at_least": 2})),
        (1..=12).collect::<Vec<_>>()
    );
    assert_eq!(
        of(&frequency, json!({"bucket": 1, "at_least": 2, "segment": ["A"]})),
        [0; 0]
    );
    assert_eq!(
        refused(&frequency, json!({"bucket": 1, "at_least": 0})),
        "/cell/at_least"
    );
    let stickiness = json!({"kind": "stickiness", "active": {"event": "A"}, "unit": "week"});
    assert_eq!(of(&stickiness, json!({"bucket": 0, "days": 1})), but_five);
    assert_eq!(
        of(&stickiness, json!({"bucket": 0, "days": 1, "count": "at_least"})),
        all
    );
    assert_eq!(refused(&stickiness, json!({"bucket": 0, "days": 8})), "/cell/days");
    let lifecycle = json!({"kind": "lifecycle", "active": {"event": "A"}, "unit": "day"});
    assert_eq!(of(&lifecycle, json!({"bucket": 2, "stage": "dormant"})), but_five);
    assert_eq!(of(&lifecycle, json!({"bucket": 2, "stage": "returning"})), [5]);
    assert_eq!(of(&lifecycle, json!({"bucket": 1, "stage": "new"})), all);
    assert_eq!(of(&lifecycle, json!({"bucket": 70, "stage": "new"})), [0; 0]);
}

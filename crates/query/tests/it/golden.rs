//! Answers over a small fixed world, one file per kind of report, to be read like code. Engine and reference must both give
//! them. `UPDATE_GOLDEN=1` writes what is right now.

mod funnel;
mod insights;

use crate::equal::difference;
use crate::world::{World, at, event, report};
use model::report::Answer;
use model::{EventTime, Value};
use serde_json::{Value as Json, json};

/// Six persons over four weeks; 2 March 2026 is a Monday. The last day is still running.
fn world() -> World {
    let mut world = World::new("Europe/Paris");
    let events = [
        ("Sign up", 1, "2026-02-10T09:00:00Z", "web"),
        ("Sign up", 2, "2026-03-02T09:00:00Z", "web"),
        ("Visit", 2, "2026-03-02T09:30:00Z", "web"),
        ("Visit", 2, "2026-03-03T09:30:00Z", "ios"),
        ("Visit", 2, "2026-03-10T21:00:00Z", "ios"),
        ("Visit", 2, "2026-03-25T08:00:00Z", "web"),
        ("Sign up", 3, "2026-03-04T12:00:00Z", "ios"),
        ("Visit", 3, "2026-03-05T13:00:00Z", "ios"),
        ("Visit", 3, "2026-03-12T13:00:00Z", "ios"),
        ("Visit", 3, "2026-03-19T13:00:00Z", "web"),
        ("Visit", 3, "2026-03-26T13:00:00Z", "ios"),
        ("Sign up", 1, "2026-03-09T08:00:00Z", "web"),
        ("Visit", 1, "2026-03-09T08:20:00Z", "web"),
        ("Visit", 1, "2026-03-09T10:20:00Z", "web"),
        // After midnight in Paris, before it in London.
        ("Sign up", 4, "2026-03-15T23:30:00Z", "ios"),
        ("Visit", 4, "2026-03-16T22:59:00Z", "ios"),
        ("Visit", 4, "2026-03-16T23:30:00Z", "ios"),
        ("Sign up", 5, "2026-03-20T12:00:00Z", "web"),
        ("Visit", 6, "2026-03-28T12:00:00Z", "web"),
        // Nobody.
        ("Visit", 0, "2026-03-28T12:00:00Z", "web"),
    ];
    let events = events.map(|(name, person, time, os)| {
        let mut event = event(name, person, at(time));
        event.properties = vec![("os".into(), Value::String(os.into()))];
        event
    });
    world.append(events.to_vec(), Vec::new(), Vec::new());
    world
}

fn check(kind: &str, questions: &[Json]) {
    let range = json!({"from": "2026-03-02", "to": "2026-03-29"});
    check_in(&world(), at("2026-03-29T12:00:00Z"), &range, kind, questions);
}

fn check_in(world: &World, now_ms: i64, range: &Json, kind: &str, questions: &[Json]) {
    let engine = world.engine();
    let now = EventTime(now_ms);
    let answered = questions.iter().map(|question| {
        let mut question = question.clone();
        question["kind"] = json!(kind);
        let report = report(json!({"range": range, "question": question}));
        let (explained, _) = world.ask(&engine, &report, now).unwrap();
        let expected: Answer = world.reference(&report, now).unwrap();
        assert_eq!(difference(&expected, &explained.answer), None, "{question}");
        json!({"words": explained.explanation.definition, "question": question, "answer": explained.answer})
    });
    let got = serde_json::to_string_pretty(&answered.collect::<Vec<_>>()).unwrap() + "\n";
    let path = format!("{}/tests/it/golden/{kind}.json", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &got).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(got == golden, "{kind}: UPDATE_GOLDEN=1 writes what is right now\n{got}");
}

#[test]
fn retention() {
    let asked = |extra: Json| {
        let mut question = json!({"born": {"event": "Sign up"}, "returning": {"event": "Visit"}, "unit": "week",
            "intervals": 3});
        question
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        question
    };
    check(
        "retention",
        &[
            asked(json!({})),
            asked(json!({"cohorts": "first_ever", "interval_rule": "calendar", "breakdown": "os"})),
            asked(json!({"cohorts": "recurring", "on_or_after": true})),
            asked(json!({"unit": "day", "brackets": [1, 1, 5, 7], "limit": 1, "breakdown": "os"})),
        ],
    );
}

#[test]
fn frequency() {
    check(
        "frequency",
        &[
            json!({"active": {"event": "Visit"}, "unit": "week", "part": "day"}),
            json!({"active": {}, "unit": "month", "part": "day", "breakdown": "os"}),
        ],
    );
}

#[test]
fn stickiness() {
    check(
        "stickiness",
        &[
            json!({"active": {"event": "Visit"}, "unit": "week"}),
            json!({"active": {}, "unit": "week", "breakdown": "os", "limit": 1}),
        ],
    );
}

#[test]
fn lifecycle() {
    check(
        "lifecycle",
        &[
            json!({"active": {"event": "Visit"}, "unit": "week"}),
            json!({"active": {}, "unit": "week", "breakdown": "os"}),
            json!({"active": {}, "unit": "week", "look_back_days": 7}),
        ],
    );
}

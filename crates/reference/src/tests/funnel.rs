//! Funnels of every form, worked out by hand. What happened is written as `A0 B10:x`: event, second, and perhaps a
//! value of the property `k`.

use super::ordered_funnel::counts;
use super::{ask, at};
use crate::{History, HistoryEvent, members};
use model::report::{Report, ReportCell};
use model::{Event, EventTime, PersonNumber, Value};
use serde_json::{Value as Json, json};

fn told(persons: &[&str]) -> History {
    let start_ms = at("2026-08-03T10:00:00Z");
    let mut history = History::default();
    for (person, story) in (1..).zip(persons) {
        for word in story.split_whitespace() {
            let (what, value) = word
                .split_once(':')
                .map_or((word, None), |(what, value)| (what, Some(value)));
            let (name, second) = what.split_at(1);
            let second: i64 = second.parse().unwrap();
            let seq = history.events.len() as u64 + 1;
            history.events.push(HistoryEvent {
                seq,
                event: Event {
                    name: name.into(),
                    person: PersonNumber(person),
                    time: EventTime(start_ms + second * 1_000),
                    insert_id: None,
                    properties: value
                        .map(|value| ("k".into(), Value::String(value.into())))
                        .into_iter()
                        .collect(),
                    groups: Vec::new(),
                },
            });
        }
    }
    history
}

fn question(extra: &Json) -> Json {
    let mut question = json!({"kind": "funnel", "steps": [{"event": "A"}, {"event": "B"}, {"event": "C"}],
        "window_ms": 100_000, "tie_ms": 0});
    for (name, value) in extra.as_object().unwrap() {
        question[name] = value.clone();
    }
    json!({"range": {"from": "2026-08-03", "to": "2026-08-04"}, "question": question})
}

/// Counts over everybody.
fn steps(persons: &[&str], extra: Json) -> Vec<u64> {
    counts(&ask(&told(persons), question(&extra))["overall"][0])
}

/// Counts of each segment, by name.
fn split(persons: &[&str], extra: Json) -> Vec<(Json, Vec<u64>)> {
    let answer = ask(&told(persons), question(&extra));
    let segments = answer["overall"].as_array().unwrap()[1..].iter();
    segments
        .map(|segment| (segment["segment"][0].clone(), counts(segment)))
        .collect()
}

#[test]
fn a_step_is_any_of_several_events() {
    let several = json!({"steps": [{"event": "A"}, {"any_of": [{"event": "B", "filter": "properties[\"k\"] == \"x\""},
        {"event": "D"}]}]});
    assert_eq!(steps(&["A0 B1:x", "A0 D1", "A0 B1:y", "A0 C1"], several), [4, 2]);
}

#[test]
fn any_order_counts_how_many_steps_were_done() {
    let any = json!({"order": "any"});
    assert_eq!(steps(&["C0 A1 B2", "B0 C5", "A0 A1"], any), [3, 2, 1]);
    // The first keeps its place: what came before it does not count.
    let anchored = json!({"order": "any", "steps": [{"event": "A", "anchored": true}, {"event": "B"}, {"event": "C"}]});
    assert_eq!(steps(&["A0 C1 B2", "B0 A1 C2", "C0 B1"], anchored), [2, 2, 1]);
    // One in the middle is reached when all before it are done.
    let middle = json!({"order": "any", "steps": [{"event": "A"}, {"event": "B"}, {"event": "C", "anchored": true},
        {"event": "D"}]});
    assert_eq!(
        steps(&["B0 A1 C2 D3", "B0 C1 A2 D3", "A0 D1 B2 C3"], middle),
        [3, 3, 2, 1]
    );
}

#[test]
fn strict_allows_nothing_between() {
    let strict = |extra: Json| {
        let mut question = extra;
        question["order"] = json!("strict");
        question
    };
    assert_eq!(
        steps(&["A0 B1 C2", "A0 B1 X2 C3", "A0 X1 B2"], strict(json!({}))),
        [3, 2, 1]
    );
    // An event at the instant of a step may have come before or after it, and so may one within the tie.
    assert_eq!(steps(&["X0 A0 X0 B1 C2 X2 X3"], strict(json!({}))), [1, 1, 1]);
    assert_eq!(steps(&["A0 X1 B5 C9"], strict(json!({"tie_ms": 1_000}))), [1, 1, 1]);
    // But not both between the start and its neighbour, and between that and the next.
    assert_eq!(steps(&["A0 B5 X6 C9"], strict(json!({"tie_ms": 1_000}))), [1, 1, 0]);
    // A later start is an attempt of its own.
    assert_eq!(steps(&["A0 X1 A2 B3 C4"], strict(json!({}))), [1, 1, 1]);
}

#[test]
fn the_filter_of_the_report_decides_what_can_be_between() {
    let mut report = question(&json!({"order": "strict"}));
    report["filter"] = json!("properties[\"$event_name\"] != \"X\"");
    assert_eq!(
        counts(&ask(&told(&["A0 X1 B2 X3 C4"]), report)["overall"][0]),
        [1, 1, 1]
    );
}

#[test]
fn an_excluded_event_ends_the_attempt_before_the_step() {
    let excluded = |from: usize, to: usize| json!({"exclusions": [{"event": "X", "from": from, "to": to}]});
    assert_eq!(steps(&["A0 X1 B2 C3"], excluded(0, 2)), [1, 0, 0]);
    assert_eq!(steps(&["A0 B1 X2 C3"], excluded(0, 2)), [1, 1, 0]);
    assert_eq!(steps(&["A0 B1 X2 C3"], excluded(0, 1)), [1, 1, 1]);
    assert_eq!(steps(&["A0 X1 B2 C3"], excluded(1, 2)), [1, 1, 1]);
    // Before the start, after the end and at the instant of a step it does not matter.
    assert_eq!(steps(&["X0 A1 X1 B2 C3 X4"], excluded(0, 2)), [1, 1, 1]);
    // The last step is the end where none is named.
    assert_eq!(
        steps(&["A0 B1 X2 C3"], json!({"exclusions": [{"event": "X"}]})),
        [1, 1, 0]
    );
}

#[test]
fn held_properties_have_one_value_on_all_steps() {
    let hold = json!({"hold": ["k"]});
    assert_eq!(
        steps(&["A0:x B1:x C2:x", "A0:x B1:y B2:x C3:y", "A0 B1 C2"], hold),
        [2, 2, 1]
    );
    let excluded = json!({"hold": ["k"], "exclusions": [{"event": "X"}]});
    // Another value of an excluded event is about something else; without a value it is about everything.
    assert_eq!(
        steps(&["A0:x X1:y B2:x C3:x", "A0:x X1:x B2:x", "A0:x X1 B2:x"], excluded),
        [3, 1, 1]
    );
}

#[test]
fn first_times_are_first_ever() {
    let first = json!({"steps": [{"event": "A", "first_time": true}, {"event": "B"}]});
    // A day and more before the range.
    assert_eq!(steps(&["A-100000 A0 B1", "A0 A5 B6", "A50 B51"], first), [2, 2]);
    let later = json!({"steps": [{"event": "A"}, {"event": "B", "first_time": true}]});
    assert_eq!(steps(&["B-5 A0 B1", "A0 B1 B2"], later), [2, 1]);
    let filtered = json!({"steps": [{"event": "A", "filter": "properties[\"k\"] == \"x\"", "first_time": true},
        {"event": "B"}]});
    assert_eq!(steps(&["A-100000:y A0:x B1"], filtered), [1, 1]);
}

#[test]
fn totals_count_attempts_that_do_not_overlap() {
    let totals = |extra: Json| {
        let mut question = extra;
        question["count"] = json!("totals");
        question
    };
    assert_eq!(steps(&["A0 B1 C2 A3 B4 C5 A6"], totals(json!({}))), [3, 2, 2]);
    // While one attempt runs, another start begins none.
    assert_eq!(steps(&["A0 A1 B2 C3"], totals(json!({}))), [1, 1, 1]);
    // It is over with the window: at 100 s it still runs, at 101 s the next begins.
    assert_eq!(steps(&["A0 A100", "A0 A101 B102"], totals(json!({}))), [3, 1, 0]);
    // Or with what ended it, which in a strict funnel can be the next start itself.
    assert_eq!(
        steps(&["A0 X1 A2 B3 C4"], totals(json!({"exclusions": [{"event": "X"}]}))),
        [2, 1, 1]
    );
    assert_eq!(steps(&["A0 A1 B2 C3"], totals(json!({"order": "strict"}))), [2, 1, 1]);
}

#[test]
fn windows_and_counts_go_by_sessions() {
    let hour = json!({"window_ms": 3_600_000, "session_timeout_ms": 60_000, "window_sessions": 1});
    // X holds the session together.
    assert_eq!(steps(&["A0 X50 B100 C190", "A0 B70"], hour), [2, 1, 0]);
    let two = json!({"window_ms": 3_600_000, "session_timeout_ms": 60_000, "window_sessions": 2});
    assert_eq!(steps(&["A0 B70 C140", "A0 B70 C71"], two), [2, 2, 1]);
    let sessions = json!({"window_ms": 3_600_000, "session_timeout_ms": 60_000, "count": "sessions"});
    assert_eq!(steps(&["A0 B1 C2 A3 A100 B101 B200"], sessions), [2, 2, 1]);
    // Sessions are made before the report's filter.
    let mut report = question(&json!({"window_ms": 3_600_000, "session_timeout_ms": 60_000, "window_sessions": 1}));
    report["filter"] = json!("properties[\"$event_name\"] != \"X\"");
    assert_eq!(counts(&ask(&told(&["A0 X50 B100"]), report)["overall"][0]), [1, 1, 0]);
}

#[test]
fn segments_come_from_the_attributed_step() {
    let persons = ["A0:x B1:y C2:z", "A0 B1:y", "A0"];
    let by = |attribution: Json| split(&persons, json!({"breakdown": "k", "attribution": attribution}));
    let none = || json!(null);
    assert_eq!(
        by(json!("first")),
        [
            (none(), vec![1, 0, 0]),
            (json!("x"), vec![1, 1, 1]),
            (json!("y"), vec![1, 1, 0])
        ]
    );
    assert_eq!(
        by(json!("last")),
        [
            (none(), vec![1, 0, 0]),
            (json!("y"), vec![1, 1, 0]),
            (json!("z"), vec![1, 1, 1])
        ]
    );
    assert_eq!(
        by(json!("any")),
        [
            (json!("y"), vec![2, 2, 1]),
            (none(), vec![1, 0, 0]),
            (json!("x"), vec![1, 1, 1]),
            (json!("z"), vec![1, 1, 1])
        ]
    );
    assert_eq!(
        by(json!({"step": 1})),
        [(json!("y"), vec![2, 2, 1]), (none(), vec![1, 0, 0])]
    );
    assert_eq!(
        by(json!({"step": 0})),
        [(none(), vec![2, 1, 0]), (json!("x"), vec![1, 1, 1])]
    );
}

#[test]
fn times_to_convert_have_percentiles_and_bins() {
    let times = json!({"times": {"percentiles": [25, 75], "histogram": true}});
    let answer = ask(&told(&["A0 B1 C3", "A0 B2", "A0 B7", "A0 B40"]), question(&times));
    let step = &answer["overall"][0]["steps"][1];
    assert_eq!(step["times_from_previous"], step["times_from_start"]);
    assert_eq!(
        step["times_from_previous"],
        json!({
            "median_ms": 4_500.0,
            "percentiles": [{"percent": 25, "ms": 1_750.0}, {"percent": 75, "ms": 15_250.0}],
            "histogram": [
                {"from_ms": 1_000, "to_ms": 5_000, "count": 2}, {"from_ms": 5_000, "to_ms": 10_000, "count": 1},
                {"from_ms": 10_000, "to_ms": 30_000, "count": 0}, {"from_ms": 30_000, "to_ms": 60_000, "count": 1}
            ],
        })
    );
    let last = &answer["overall"][0]["steps"][2];
    assert_eq!(last["times_from_previous"]["median_ms"], json!(2_000.0));
    assert_eq!(last["times_from_start"]["median_ms"], json!(3_000.0));
    assert_eq!(answer["overall"][0]["steps"][0]["times_from_start"], json!(null));
}

#[test]
fn members_are_who_a_number_counts() {
    let history = told(&["A0:x B1", "A0:y", "A0:x", "B0"]);
    let of = |cell: Json| -> Vec<u64> {
        let report: Report = serde_json::from_value(question(&json!({"breakdown": "k"}))).unwrap();
        let cell: ReportCell = serde_json::from_value(cell).unwrap();
        let members = members(&report, &cell, "UTC", &history, EventTime(0)).unwrap();
        members.into_iter().map(|person| person.0).collect()
    };
    assert_eq!(of(json!({"kind": "funnel", "step": 0})), [1, 2, 3]);
    assert_eq!(of(json!({"kind": "funnel", "step": 1})), [1]);
    assert_eq!(of(json!({"kind": "funnel", "step": 0, "side": "dropped_off"})), [2, 3]);
    assert_eq!(
        of(json!({"kind": "funnel", "step": 0, "side": "dropped_off", "segment": ["x"]})),
        [3]
    );
}

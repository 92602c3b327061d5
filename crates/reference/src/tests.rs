//! Answers worked out by hand, so that the reference itself is proven by something.

mod flow;
mod funnel;

use crate::{History, HistoryEvent, ReferenceError, answer, evaluate};
use model::report::{Answer, FunnelStep, Report};
use model::{Event, EventTime, Expression, GroupNumber, InsertId, PersonNumber, Value};
use serde_json::json;
use std::collections::BTreeMap;

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// `(name, person, time)`, then properties.
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
fn insights_count_events_persons_and_numbers() {
    let history = history(&[
        (
            "Buy",
            1,
            "2026-08-03T10:00:00Z",
            &[("price", number(10.0)), ("plan", text("pro"))],
        ),
        (
            "Buy",
            1,
            "2026-08-03T11:00:00Z",
            &[("price", number(2.5)), ("plan", text("pro"))],
        ),
        (
            "Buy",
            2,
            "2026-08-04T10:00:00Z",
            &[("price", text("free")), ("plan", text("basic"))],
        ),
        ("Buy", 0, "2026-08-04T12:00:00Z", &[("price", number(4.0))]),
        ("Look", 3, "2026-08-04T12:00:00Z", &[("price", number(100.0))]),
        ("Buy", 3, "2026-08-05T00:00:00Z", &[("price", number(100.0))]),
    ]);
    let metric = |measure: serde_json::Value| json!({"event": "Buy", "measure": measure});
    let price = json!({"property": "price"});
    let metrics: Vec<serde_json::Value> = vec![
        metric(json!("total")),
        metric(json!("unique")),
        metric(json!("per_person")),
        metric(json!({ "sum": price })),
        metric(json!({ "mean": price })),
        metric(json!({ "min": price })),
        metric(json!({ "max": price })),
    ];
    let answer = ask(
        &history,
        json!({
            "range": {"from": "2026-08-02", "to": "2026-08-04"},
            "question": {"kind": "insights", "metrics": metrics, "unit": "day"},
        }),
    );
    assert_eq!(answer["buckets"], json!(["2026-08-02", "2026-08-03", "2026-08-04"]));
    let expected = [
        ([0.0, 2.0, 2.0], 4.0),
        ([0.0, 1.0, 1.0], 2.0),
        // Nobody's event counts neither above nor below the line.
        ([0.0, 2.0, 1.0], 1.5),
        ([0.0, 12.5, 4.0], 16.5),
        // The price that is a text is no part of the mean.
        ([0.0, 6.25, 4.0], 5.5),
        ([0.0, 2.5, 4.0], 2.5),
        ([0.0, 10.0, 4.0], 10.0),
    ];
    for (metric, (values, total)) in expected.iter().enumerate() {
        assert_eq!(answer["series"][metric]["values"], json!(values), "metric {metric}");
        assert_eq!(answer["series"][metric]["total"], json!(total), "metric {metric}");
    }
}

#[test]
fn segments_split_lists_and_are_ordered_and_cut() {
    let tags = |items: &[&str]| Value::List(items.iter().map(|item| text(item)).collect());
    let object = Value::Object(vec![("a".into(), number(1.0))]);
    let history = history(&[
        ("E", 1, "2026-08-03T10:00:00Z", &[("t", tags(&["x", "y", "x"]))]),
        ("E", 2, "2026-08-03T10:00:00Z", &[("t", tags(&["y"]))]),
        ("E", 3, "2026-08-03T10:00:00Z", &[("t", tags(&[]))]),
        ("E", 3, "2026-08-03T10:00:00Z", &[]),
        ("E", 4, "2026-08-03T10:00:00Z", &[("t", object)]),
        ("E", 4, "2026-08-03T10:00:00Z", &[("t", number(3.0))]),
        ("E", 4, "2026-08-03T10:00:00Z", &[("t", Value::Bool(true))]),
    ]);
    let question = |limit: usize| {
        json!({
            "range": {"from": "2026-08-03", "to": "2026-08-03"},
            "question": {"kind": "insights", "metrics": [{"measure": "total"}], "unit": "day",
                "breakdown": ["properties[\"t\"]"], "limit": limit},
        })
    };
    let answer = ask(&history, question(50));
    let segments: Vec<(&serde_json::Value, f64)> = answer["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| (&series["segment"][0], series["total"].as_f64().unwrap()))
        .collect();
    let expected = [
        (json!(null), 2.0),
        (json!("y"), 2.0),
        (json!(true), 1.0),
        (json!(3), 1.0),
        (json!("x"), 1.0),
        (json!("{\"a\":1}"), 1.0),
    ];
    // Equal sizes: not set, booleans, numbers, texts by their bytes.
    let mut sorted: Vec<(&serde_json::Value, f64)> = expected.iter().map(|(value, size)| (value, *size)).collect();
    sorted[4..].sort_by_key(|(value, _)| value.as_str());
    assert_eq!(segments, sorted);
    let cut = ask(&history, question(1));
    assert_eq!(cut["segments_total"], json!(6));
    assert_eq!(cut["series"].as_array().unwrap().len(), 1);
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
fn days_and_hours_follow_the_clock() {
    // Clocks in Paris go from 03:00 back to 02:00 on 25 October 2026, at 01:00 UTC.
    let history = history(&[
        ("E", 1, "2026-10-24T21:59:59Z", &[]),
        ("E", 1, "2026-10-24T22:00:00Z", &[]),
        ("E", 1, "2026-10-25T00:30:00Z", &[]),
        ("E", 1, "2026-10-25T01:30:00Z", &[]),
        ("E", 1, "2026-10-25T22:59:59Z", &[]),
        ("E", 1, "2026-10-25T23:00:00Z", &[]),
    ]);
    let question = |unit: &str| {
        json!({
            "timezone": "Europe/Paris",
            "range": {"from": "2026-10-25", "to": "2026-10-25"},
            "question": {"kind": "insights", "unit": unit, "metrics": [{"measure": "total"}]},
        })
    };
    assert_eq!(ask(&history, question("day"))["series"][0]["values"], json!([4.0]));
    let hours = ask(&history, question("hour"));
    assert_eq!(hours["buckets"].as_array().unwrap().len(), 24);
    assert_eq!(hours["buckets"][2], json!("2026-10-25 02:00:00"));
    assert_eq!(hours["series"][0]["values"][2], json!(2.0));
    assert_eq!(hours["series"][0]["values"][23], json!(1.0));
}

#[test]
fn weeks_and_quarters_keep_the_days_of_the_range() {
    let history = history(&[
        ("E", 1, "2026-08-03T10:00:00Z", &[]),
        ("E", 1, "2026-08-05T10:00:00Z", &[]),
        ("E", 1, "2026-08-10T10:00:00Z", &[]),
        ("E", 1, "2026-08-11T10:00:00Z", &[]),
    ]);
    let question = |unit: &str| {
        json!({
            "range": {"from": "2026-08-05", "to": "2026-08-10"},
            "question": {"kind": "insights", "unit": unit, "metrics": [{"measure": "total"}], "compare_previous": true},
        })
    };
    let weeks = ask(&history, question("week"));
    assert_eq!(weeks["buckets"], json!(["2026-08-03", "2026-08-10"]));
    assert_eq!(weeks["series"][0]["values"], json!([1.0, 1.0]));
    // The six days before: 30 July to 4 August.
    assert_eq!(weeks["previous"]["buckets"], json!(["2026-07-27", "2026-08-03"]));
    assert_eq!(weeks["previous"]["series"][0]["values"], json!([0.0, 1.0]));
    assert_eq!(ask(&history, question("quarter"))["buckets"], json!(["2026-07-01"]));
}

fn funnel(history: &History, extra: serde_json::Value) -> serde_json::Value {
    let mut question = json!({
        "kind": "funnel", "steps": [{"event": "A"}, {"event": "B"}, {"event": "C"}], "window_ms": 3_600_000,
    });
    for (name, value) in extra.as_object().unwrap() {
        question[name] = value.clone();
    }
    ask(
        history,
        json!({"range": {"from": "2026-08-03", "to": "2026-08-04"}, "question": question}),
    )
}

fn counts(segment: &serde_json::Value) -> Vec<u64> {
    let steps: Vec<FunnelStep> = serde_json::from_value(segment["steps"].clone()).unwrap();
    steps.iter().map(|step| step.count).collect()
}

#[test]
fn funnel_steps_come_in_order_within_the_window() {
    let history = history(&[
        // Goes all the way.
        ("A", 1, "2026-08-03T10:00:00Z", &[]),
        ("B", 1, "2026-08-03T10:10:00Z", &[]),
        ("C", 1, "2026-08-03T10:40:00Z", &[]),
        // Out of order.
        ("B", 2, "2026-08-03T10:00:00Z", &[]),
        ("A", 2, "2026-08-03T10:10:00Z", &[]),
        // The last step a millisecond late; the second comes after the range.
        ("A", 3, "2026-08-04T23:30:00Z", &[]),
        ("B", 3, "2026-08-05T00:30:00Z", &[]),
        ("C", 3, "2026-08-05T00:30:00.001Z", &[]),
        // Nobody goes through no funnel, and a start outside the range is none.
        ("A", 0, "2026-08-03T10:00:00Z", &[]),
        ("A", 4, "2026-08-02T23:59:59Z", &[]),
    ]);
    let answer = funnel(&history, json!({}));
    let steps = &answer["overall"][0]["steps"];
    assert_eq!(counts(&answer["overall"][0]), [3, 2, 1]);
    assert_eq!(steps[0]["mean_ms_from_previous"], json!(null));
    assert_eq!(steps[1]["mean_ms_from_previous"], json!(35.0 * 60_000.0));
    assert_eq!(steps[2]["mean_ms_from_previous"], json!(30.0 * 60_000.0));
    assert_eq!(steps[2]["mean_ms_from_start"], json!(40.0 * 60_000.0));
}

#[test]
fn ties_may_come_in_either_order() {
    let history = history(&[
        ("B", 1, "2026-08-03T10:00:00Z", &[]),
        ("A", 1, "2026-08-03T10:00:02Z", &[]),
        ("C", 1, "2026-08-03T10:00:00.500Z", &[]),
    ]);
    let tied = funnel(&history, json!({}));
    assert_eq!(counts(&tied["overall"][0]), [1, 1, 1]);
    // Before its predecessor counts as no time at all, after it as it is.
    assert_eq!(tied["overall"][0]["steps"][1]["mean_ms_from_previous"], json!(0.0));
    assert_eq!(tied["overall"][0]["steps"][2]["mean_ms_from_previous"], json!(500.0));
    assert_eq!(tied["overall"][0]["steps"][2]["mean_ms_from_start"], json!(0.0));
    assert_eq!(
        counts(&funnel(&history, json!({"tie_ms": 1_999}))["overall"][0]),
        [1, 0, 0]
    );
    assert_eq!(counts(&funnel(&history, json!({"tie_ms": 0}))["overall"][0]), [1, 0, 0]);
}

#[test]
fn an_event_is_one_step_of_an_attempt_only() {
    let history = history(&[
        ("A", 1, "2026-08-03T10:00:00Z", &[]),
        ("A", 1, "2026-08-03T10:01:00Z", &[]),
    ]);
    let same = json!({"steps": [{"event": "A"}, {"event": "A"}, {"event": "A"}]});
    assert_eq!(counts(&funnel(&history, same)["overall"][0]), [1, 1, 0]);
}

#[test]
fn the_furthest_attempt_counts_or_the_first() {
    let history = history(&[
        ("A", 1, "2026-08-03T10:00:00Z", &[("from", text("ad"))]),
        ("A", 1, "2026-08-03T20:00:00Z", &[("from", text("mail"))]),
        ("B", 1, "2026-08-03T20:10:00Z", &[]),
        ("A", 1, "2026-08-04T20:00:00Z", &[("from", text("web"))]),
    ]);
    let with = |attempt: &str| {
        funnel(
            &history,
            json!({"attempt": attempt, "breakdown": "from", "unit": "day"}),
        )
    };
    let furthest = with("furthest");
    assert_eq!(counts(&furthest["overall"][0]), [1, 1, 0]);
    assert_eq!(furthest["overall"][1]["segment"], json!(["mail"]));
    assert_eq!(furthest["segments_total"], json!(1));
    // The second day has an attempt too, but its segment is none of the shown ones.
    assert_eq!(counts(&furthest["trend"][1][0]), [1, 0, 0]);
    assert_eq!(counts(&furthest["trend"][1][1]), [0, 0, 0]);
    let first = with("first");
    assert_eq!(counts(&first["overall"][0]), [1, 0, 0]);
    assert_eq!(first["overall"][1]["segment"], json!(["ad"]));
}

fn retention(history: &History, now: &str, extra: serde_json::Value) -> serde_json::Value {
    let mut question = json!({
        "kind": "retention", "born": {"event": "A"}, "returning": {"event": "B"}, "unit": "day", "intervals": 2,
    });
    for (name, value) in extra.as_object().unwrap() {
        question[name] = value.clone();
    }
    let report = json!({"range": {"from": "2026-08-03", "to": "2026-08-04"}, "question": question});
    let report: Report = serde_json::from_value(report).unwrap();
    let answer = answer(&report, "UTC", history, EventTime(at(now))).unwrap();
    assert!(matches!(answer, Answer::Retention(_)));
    let mut cohorts = serde_json::to_value(answer).unwrap()["segments"][0]["cohorts"].clone();
    for cohort in cohorts.as_array_mut().unwrap() {
        cohort.as_object_mut().unwrap().remove("complete");
    }
    cohorts
}

#[test]
fn returns_roll_from_birth_or_follow_the_calendar() {
    let history = history(&[
        ("A", 1, "2026-08-03T22:00:00Z", &[]),
        // The instant of birth is no return; two hours later is, on the next day.
        ("B", 1, "2026-08-03T22:00:00Z", &[]),
        ("B", 1, "2026-08-04T00:00:00Z", &[]),
        ("A", 1, "2026-08-04T10:00:00Z", &[]),
        ("B", 1, "2026-08-05T22:00:00Z", &[]),
        ("A", 2, "2026-08-04T01:00:00Z", &[]),
    ]);
    let late = "2026-09-01T00:00:00Z";
    let rolling = retention(&history, late, json!({}));
    assert_eq!(
        rolling,
        json!([{"born": 1, "returned": [1, 0, 1]}, {"born": 1, "returned": [0, 0, 0]}])
    );
    let calendar = retention(&history, late, json!({"interval_rule": "calendar"}));
    assert_eq!(calendar[0], json!({"born": 1, "returned": [0, 1, 1]}));
    let on_or_after = retention(&history, late, json!({"on_or_after": true}));
    assert_eq!(on_or_after[0], json!({"born": 1, "returned": [1, 1, 1]}));
    let recurring = retention(&history, late, json!({"cohorts": "recurring"}));
    assert_eq!(recurring[1], json!({"born": 2, "returned": [0, 1, 0]}));
}

#[test]
fn intervals_show_once_they_have_begun() {
    let history = history(&[("A", 1, "2026-08-03T22:00:00Z", &[])]);
    let shown = |now: &str| {
        let cohorts = retention(&history, now, json!({}));
        [0, 1].map(|cohort| cohorts[cohort]["returned"].as_array().unwrap().len())
    };
    assert_eq!(shown("2026-08-02T23:59:59Z"), [0, 0]);
    assert_eq!(shown("2026-08-03T00:00:00Z"), [1, 0]);
    assert_eq!(shown("2026-08-04T12:00:00Z"), [2, 1]);
    assert_eq!(shown("2026-08-06T00:00:00Z"), [3, 3]);
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

#[test]
fn brackets_put_units_together() {
    let history = history(&[
        ("A", 1, "2026-08-03T12:00:00Z", &[]),
        ("B", 1, "2026-08-04T11:59:59Z", &[]),
        ("B", 1, "2026-08-06T11:00:00Z", &[]),
        ("B", 1, "2026-08-10T11:59:59Z", &[]),
        // Day 7 is beyond the brackets 0, 1–2 and 3–6.
        ("A", 2, "2026-08-03T12:00:00Z", &[]),
        ("B", 2, "2026-08-10T12:00:00Z", &[]),
    ]);
    let late = "2026-09-01T00:00:00Z";
    let brackets = |extra: serde_json::Value| {
        let mut question = json!({"brackets": [1, 2, 4]});
        question
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        retention(&history, late, question)[0]["returned"].clone()
    };
    assert_eq!(brackets(json!({})), json!([1, 1, 1]));
    assert_eq!(brackets(json!({"interval_rule": "calendar"})), json!([0, 1, 1]));
    assert_eq!(brackets(json!({"on_or_after": true})), json!([2, 2, 2]));
    // Bracket 3–6 begins three days after the cohort's first instant.
    let shown = |now: &str| {
        let cohorts = retention(&history, now, json!({"brackets": [1, 2, 4]}));
        cohorts[0]["returned"].as_array().unwrap().len()
    };
    assert_eq!([shown("2026-08-05T23:59:59Z"), shown("2026-08-06T00:00:00Z")], [2, 3]);
}

#[test]
fn the_first_ever_may_lie_before_the_range() {
    let history = history(&[
        ("A", 1, "2025-01-01T00:00:00Z", &[("plan", text("free"))]),
        ("A", 1, "2026-08-03T12:00:00Z", &[("plan", text("pro"))]),
        ("A", 2, "2026-08-03T12:00:00Z", &[]),
        ("B", 2, "2026-08-04T12:00:00Z", &[]),
        // A return before the birth is none.
        ("B", 3, "2026-08-01T12:00:00Z", &[]),
        ("A", 3, "2026-08-04T12:00:00Z", &[]),
    ]);
    let late = "2026-09-01T00:00:00Z";
    let ever = retention(&history, late, json!({"cohorts": "first_ever"}));
    assert_eq!(
        ever,
        json!([{"born": 1, "returned": [0, 1, 0]}, {"born": 1, "returned": [0, 0, 0]}])
    );
    // "Such" an event is one that passes the filter.
    let pro = json!({"cohorts": "first_ever", "born": {"event": "A", "filter": "properties[\"plan\"] == \"pro\""}});
    assert_eq!(retention(&history, late, pro)[0]["born"], json!(1));
}

#[test]
fn the_curve_weighs_cohorts_that_are_through() {
    let history = history(&[
        ("A", 1, "2026-08-03T10:00:00Z", &[]),
        ("A", 2, "2026-08-03T23:00:00Z", &[]),
        ("B", 1, "2026-08-04T12:00:00Z", &[]),
        ("A", 3, "2026-08-04T10:00:00Z", &[]),
        ("B", 3, "2026-08-05T11:00:00Z", &[]),
    ]);
    let asked = |now: &str| {
        let report = json!({"range": {"from": "2026-08-03", "to": "2026-08-04"}, "question": {"kind": "retention",
            "born": {"event": "A"}, "returning": {"event": "B"}, "unit": "day", "intervals": 1}});
        let report: Report = serde_json::from_value(report).unwrap();
        let answer = answer(&report, "UTC", &history, EventTime(at(now))).unwrap();
        let segment = serde_json::to_value(answer).unwrap()["segments"][0].clone();
        let complete = [0, 1].map(|cohort| segment["cohorts"][cohort]["complete"].as_u64().unwrap());
        (complete, segment["curve"].clone())
    };
    let none = json!({"born": 0, "returned": 0});
    // Who is born at the end of the third has had a day of 24 hours at the end of the fourth.
    assert_eq!(asked("2026-08-04T23:59:59Z"), ([0, 0], json!([none, none])));
    assert_eq!(
        asked("2026-08-05T00:00:00Z"),
        ([1, 0], json!([{"born": 2, "returned": 0}, none]))
    );
    let curve = json!([{"born": 3, "returned": 0}, {"born": 2, "returned": 1}]);
    assert_eq!(asked("2026-08-06T12:00:00Z"), ([2, 1], curve));
    let curve = json!([{"born": 3, "returned": 0}, {"born": 3, "returned": 2}]);
    assert_eq!(asked("2026-08-07T00:00:00Z"), ([2, 2], curve));
}

fn activity(history: &History, now: &str, range: [&str; 2], question: serde_json::Value) -> serde_json::Value {
    let report = json!({"range": {"from": range[0], "to": range[1]}, "question": question});
    let report: Report = serde_json::from_value(report).unwrap();
    serde_json::to_value(answer(&report, "UTC", history, EventTime(at(now))).unwrap()).unwrap()
}

/// 3 August 2026 is a Monday.
fn weeks() -> History {
    history(&[
        ("E", 1, "2026-08-03T09:00:00Z", &[("os", text("a"))]),
        ("E", 1, "2026-08-03T09:59:00Z", &[("os", text("b"))]),
        ("E", 1, "2026-08-03T11:00:00Z", &[("os", text("a"))]),
        ("E", 1, "2026-08-05T09:00:00Z", &[("os", text("a"))]),
        ("E", 2, "2026-08-05T09:00:00Z", &[("os", text("b"))]),
        ("E", 2, "2026-08-19T09:00:00Z", &[("os", text("b"))]),
        ("E", 3, "2026-08-12T09:00:00Z", &[("os", text("b"))]),
        ("E", 3, "2026-08-20T09:00:00Z", &[("os", text("a"))]),
        ("E", 0, "2026-08-05T09:00:00Z", &[]),
    ])
}

#[test]
fn frequency_counts_distinct_parts() {
    let question =
        json!({"kind": "frequency", "active": {"event": "E"}, "unit": "day", "part": "hour", "breakdown": "os"});
    let answer = activity(&weeks(), "2026-08-05T12:00:00Z", ["2026-08-03", "2026-08-05"], question);
    assert_eq!(answer["buckets"], json!(["2026-08-03", "2026-08-04", "2026-08-05"]));
    assert_eq!(answer["partial"], json!([false, false, true]));
    let firsts = |segment: usize, bucket: usize| {
        let list = answer["segments"][segment]["at_least"][bucket].as_array().unwrap();
        assert_eq!(list.len(), 24);
        list.iter()
            .take(3)
            .map(|count| count.as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(firsts(0, 0), [1, 1, 0]);
    assert_eq!(firsts(0, 1), [0, 0, 0]);
    assert_eq!(firsts(0, 2), [2, 0, 0]);
    // Each segment by itself: hours 9 and 11 on a, hour 9 on b.
    assert_eq!(answer["segments"][1]["segment"], json!(["a"]));
    assert_eq!((firsts(1, 0), firsts(2, 0)), (vec![1, 1, 0], vec![1, 0, 0]));
}

#[test]
fn stickiness_tells_exactly_from_at_least() {
    let question = json!({"kind": "stickiness", "active": {"event": "E"}, "unit": "week"});
    let answer = activity(&weeks(), "2026-08-12T12:00:00Z", ["2026-08-04", "2026-08-16"], question);
    // The first week lacks its Monday; of the second, three days have begun.
    assert_eq!(
        (&answer["partial"], &answer["days"]),
        (&json!([true, true]), &json!([6, 3]))
    );
    let first = &answer["segments"][0]["buckets"][0];
    assert_eq!(first["exactly"], json!([2, 0, 0, 0, 0, 0, 0]));
    assert_eq!(first["at_least"], json!([2, 0, 0, 0, 0, 0, 0]));
    assert_eq!(first["ratio"], json!(2.0 / 12.0));
    let whole = json!({"kind": "stickiness", "active": {"event": "E"}, "unit": "month"});
    let whole = activity(&weeks(), "2026-09-12T12:00:00Z", ["2026-08-01", "2026-08-31"], whole);
    let august = &whole["segments"][0]["buckets"][0];
    assert_eq!(whole["partial"], json!([false]));
    assert_eq!(
        august["exactly"].as_array().unwrap()[..3],
        [json!(0), json!(3), json!(0)]
    );
    assert_eq!(
        august["at_least"].as_array().unwrap()[..3],
        [json!(3), json!(3), json!(0)]
    );
    assert_eq!(august["ratio"], json!(6.0 / 93.0));
}

#[test]
fn a_life_has_four_stages() {
    let of = |extra: serde_json::Value, range: [&str; 2], now: &str| {
        let mut question = json!({"kind": "lifecycle", "active": {"event": "E"}, "unit": "week"});
        question
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        activity(&weeks(), now, range, question)
    };
    let stages = |answer: &serde_json::Value, segment: usize| -> Vec<[u64; 4]> {
        let buckets = answer["segments"][segment]["buckets"].as_array().unwrap();
        let names = ["new", "returning", "resurrected", "dormant"];
        buckets
            .iter()
            .map(|bucket| names.map(|name| bucket[name].as_u64().unwrap()))
            .collect()
    };
    let late = "2026-10-01T00:00:00Z";
    let all = of(json!({}), ["2026-08-03", "2026-08-30"], late);
    assert_eq!(
        stages(&all, 0),
        [[2, 0, 0, 0], [1, 0, 0, 2], [0, 1, 1, 0], [0, 0, 0, 2]]
    );
    // Weeks are whole, and what lies before the range counts.
    let cut = of(json!({}), ["2026-08-13", "2026-08-19"], late);
    assert_eq!(cut["buckets"], json!(["2026-08-10", "2026-08-17"]));
    assert_eq!(stages(&cut, 0), [[1, 0, 0, 2], [0, 1, 1, 0]]);
    let short = of(json!({"look_back_days": 7}), ["2026-08-17", "2026-08-17"], late);
    assert_eq!(stages(&short, 0), [[1, 1, 0, 0]]);
    // A week that has not begun is not shown; one that runs is partial.
    let early = of(json!({}), ["2026-08-03", "2026-08-30"], "2026-08-12T00:00:00Z");
    assert_eq!(early["partial"], json!([false, true]));
    // The first event of the week decides the segment: person 3 returns in a, and person 2 is resurrected in b.
    let by_os = of(json!({"breakdown": "os"}), ["2026-08-17", "2026-08-23"], late);
    assert_eq!(by_os["segments_total"], json!(2));
    assert_eq!(
        (stages(&by_os, 1), stages(&by_os, 2)),
        (vec![[0, 1, 0, 0]], vec![[0, 0, 1, 0]])
    );
}

/// Values of the first series of each metric, then its total.
fn lines(answer: &serde_json::Value) -> Vec<(serde_json::Value, serde_json::Value)> {
    let series = answer["series"].as_array().unwrap().iter();
    series
        .map(|one| (one["values"].clone(), one["total"].clone()))
        .collect()
}

#[test]
fn insights_measure_persons_sessions_and_spreads() {
    let price = |price: f64| [("price", number(price))];
    let (one, two, four) = (price(1.0), price(2.0), price(4.0));
    let history = history(&[
        // Before the range: only for what looks back.
        ("Look", 9, "2026-08-01T10:00:00Z", &one),
        ("Look", 1, "2026-08-03T23:50:00Z", &one),
        // Of another name, but it holds the session of the 3rd together.
        ("Scroll", 1, "2026-08-04T00:10:00Z", &[]),
        ("Look", 1, "2026-08-04T00:30:00Z", &two),
        ("Look", 1, "2026-08-04T12:00:00Z", &four),
        ("Look", 2, "2026-08-04T12:00:00Z", &two),
        ("Look", 0, "2026-08-04T12:00:00Z", &two),
    ]);
    let metric = |measure: serde_json::Value| json!({"event": "Look", "measure": measure});
    let answer = ask(
        &history,
        json!({
            "range": {"from": "2026-08-03", "to": "2026-08-04"},
            "question": {"kind": "insights", "unit": "day", "metrics": [
                metric(json!("sessions")),
                metric(json!({"active": {"days": 3}})),
                metric(json!({"frequency": {"aggregate": "median"}})),
                metric(json!({"median": {"property": "price"}})),
                metric(json!({"percentile": {"property": "price", "percentile": 75}})),
                metric(json!({"distinct": {"property": "price"}})),
            ]},
        }),
    );
    let expected = [
        // Person 1 has one of the 3rd, with the Look after midnight in it, and one of the 4th; person 2 one.
        (json!([1.0, 2.0]), json!(3.0)),
        // Persons 9 and 1; then 1 and 2, the first of August being four days back.
        (json!([2.0, 2.0]), json!(2.0)),
        // Person 1 has two on the 4th and person 2 one.
        (json!([1.0, 1.5]), json!(2.0)),
        (json!([1.0, 2.0]), json!(2.0)),
        // 2, 2, 2, 4: place 2.25 lies between 2 and 4. With 1 before them, place 3 is a 2.
        (json!([1.0, 2.5]), json!(2.0)),
        (json!([1.0, 2.0]), json!(3.0)),
    ];
    assert_eq!(lines(&answer), expected);
}

#[test]
fn insights_window_compare_and_group_the_rest() {
    let plan = |plan: &str| [("plan", text(plan))];
    let (basic, pro, gold) = (plan("basic"), plan("pro"), plan("gold"));
    let history = history(&[
        ("E", 3, "2026-08-02T10:00:00Z", &pro),
        ("E", 1, "2026-08-03T10:00:00Z", &basic),
        ("E", 2, "2026-08-03T10:00:00Z", &basic),
        ("E", 1, "2026-08-04T10:00:00Z", &pro),
        ("E", 1, "2026-08-04T11:00:00Z", &gold),
    ]);
    let question = |more: serde_json::Value| {
        let mut question = json!({"kind": "insights", "unit": "day", "metrics": [{"measure": "unique"}]});
        question
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask(
            &history,
            json!({"range": {"from": "2026-08-03", "to": "2026-08-04"}, "question": question}),
        )
    };
    assert_eq!(lines(&question(json!({}))), [(json!([2.0, 1.0]), json!(2.0))]);
    let cumulative = question(json!({"cumulative": true}));
    assert_eq!(lines(&cumulative), [(json!([2.0, 2.0]), json!(2.0))]);
    // The day before the range is in the first window, and not in the total.
    let rolling = question(json!({"rolling": 2}));
    assert_eq!(lines(&rolling), [(json!([3.0, 2.0]), json!(2.0))]);
    // Person 1 is in two of the other plans, and one person.
    let other = question(json!({"breakdown": ["plan"], "limit": 1, "other": true}));
    let expected = [(json!([2.0, 0.0]), json!(2.0)), (json!([0.0, 1.0]), json!(1.0))];
    assert_eq!(lines(&other), expected);
    assert_eq!(other["series"][1]["other"], json!(true));
    let shifted = question(json!({"compare": {"shift": {"count": 1, "unit": "day"}}}));
    assert_eq!(lines(&shifted["previous"]), [(json!([1.0, 2.0]), json!(3.0))]);
    let compared = question(json!({"compare": {"where": {"filter": "properties[\"plan\"] == \"pro\""}}}));
    assert_eq!(lines(&compared["previous"]), [(json!([0.0, 1.0]), json!(1.0))]);
    let formula = question(json!({"formulas": [{"formula": "10 / (A - 1)"}]}));
    assert_eq!(lines(&formula)[1], (json!([10.0, null]), json!(10.0)));
    // A week of which the range holds two days.
    assert_eq!(question(json!({"unit": "week"}))["partial"], json!([true]));
    assert_eq!(question(json!({}))["partial"], json!([false, false]));
}

#[test]
fn insights_put_numbers_into_ranges() {
    let at_price = |person: u64, price: f64| ("E", person, "2026-08-03T10:00:00Z", vec![("price", number(price))]);
    let rows = [at_price(1, 12.0), at_price(2, 20.0), at_price(3, 61.0)];
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(name, person, time, p)| (*name, *person, *time, p.as_slice()))
        .collect();
    let history = history(&rows);
    let segments = |edges: serde_json::Value| {
        let question = json!({
            "range": {"from": "2026-08-03", "to": "2026-08-03"},
            "question": {"kind": "insights", "unit": "day", "metrics": [{"measure": "total"}],
                "breakdown": [{"value": "price", "edges": edges}]},
        });
        let answer = ask(&history, question);
        let series = answer["series"].as_array().unwrap().clone();
        series
            .iter()
            .map(|one| one["segment"][0].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(segments(json!("auto")), ["10 - 15", "20 - 25", "60 - 65"]);
    assert_eq!(segments(json!({"at": [20, 61]})), ["20 - 61", "< 20", "≥ 61"]);
}

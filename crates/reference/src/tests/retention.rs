//! Who comes back, worked out by hand.

use super::*;

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

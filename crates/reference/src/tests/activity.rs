//! Frequency, stickiness and lifecycle, worked out by hand.

use super::*;

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

//! Funnels of persons whose steps come in order, worked out by hand.

use super::*;

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

pub(super) fn counts(segment: &serde_json::Value) -> Vec<u64> {
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

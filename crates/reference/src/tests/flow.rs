//! Flows worked out by hand.

use super::*;

fn on_the_day(history: &History, extra: serde_json::Value) -> serde_json::Value {
    let mut question = json!({"kind": "flow", "anchors": [{"event": "A"}], "window_ms": 3_600_000});
    let fields = question.as_object_mut().unwrap();
    fields.extend(extra.as_object().unwrap().clone());
    ask(
        history,
        json!({"range": {"from": "2026-08-03", "to": "2026-08-03"}, "question": question}),
    )
}

/// The paths of everybody as text, with how many took them.
fn paths(answer: &serde_json::Value) -> Vec<(String, u64)> {
    let paths = answer["segments"][0]["paths"].as_array().unwrap().iter();
    let text = |step: &serde_json::Value| {
        let name = step["event"].as_str().unwrap_or_else(|| step["kind"].as_str().unwrap());
        let column = &step["column"];
        match step["value"].get(0) {
            Some(value) => format!("{column}:{name}={value}"),
            None => format!("{column}:{name}"),
        }
    };
    let texts = paths.map(|path| {
        let steps: Vec<String> = path["steps"].as_array().unwrap().iter().map(text).collect();
        (steps.join(" "), path["count"].as_u64().unwrap())
    });
    texts.collect()
}

fn one(text: &str) -> Vec<(String, u64)> {
    vec![(text.to_owned(), 1)]
}

/// One person's events, a minute each, at midday.
fn minutes(names: &str) -> History {
    let times: Vec<String> = (0..60).map(|minute| format!("2026-08-03T12:{minute:02}:00Z")).collect();
    let rows: Vec<Row<'_>> = names
        .split(' ')
        .zip(&times)
        .map(|(name, time)| (name, 1, time.as_str(), [].as_slice()))
        .collect();
    history(&rows)
}

#[test]
fn flows_show_steps_around_anchors() {
    let history = minutes("X Y A B A C");
    assert_eq!(
        paths(&on_the_day(&history, json!({"before": 1, "after": 2}))),
        one("0:Y 1:A 2:B 3:A")
    );
    // Every occurrence: the second begins within the first one's steps, but after its anchor.
    assert_eq!(
        paths(&on_the_day(
            &history,
            json!({"before": 1, "after": 2, "count": "total"})
        )),
        [("0:B 1:A 2:C".into(), 1), ("0:Y 1:A 2:B 3:A".into(), 1)]
    );
    let hidden = json!({"before": 1, "after": 2, "hide": ["Y", "B"]});
    assert_eq!(paths(&on_the_day(&history, hidden)), one("0:X 1:A 2:A 3:C"));
    let only = json!({"before": 3, "after": 2, "only": ["X", "C"]});
    assert_eq!(paths(&on_the_day(&history, only)), one("2:X 3:A 4:C"));
}

#[test]
fn gaps_show_their_first_steps_and_say_how_many_more() {
    let history = minutes("A X X Y Z A B");
    let anchors = json!([{"event": "A"}, {"event": "B"}]);
    let flow = |extra: serde_json::Value| {
        let mut asked = json!({"anchors": anchors, "between": 2});
        asked
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        on_the_day(&history, asked)
    };
    let answer = flow(json!({}));
    assert_eq!(paths(&answer), one("0:A 1:X 2:X 3:more 4:B"));
    assert_eq!(answer["segments"][0]["steps"][3]["nodes"][0]["stands_for"], json!(3));
    let answer = flow(json!({"collapse": "all"}));
    assert_eq!(paths(&answer), one("0:A 1:X 2:Y 3:more 4:B"));
    assert_eq!(answer["segments"][0]["steps"][3]["nodes"][0]["stands_for"], json!(2));
    let answer = flow(json!({"between": 10, "collapse": {"events": ["X"]}, "hide": ["Z"]}));
    assert_eq!(paths(&answer), one("0:A 1:X 2:Y 3:A 12:B"));
    // Repeats beside an anchor are the anchor.
    let beside = minutes("A A Q Q A A B B C");
    let question = json!({"anchors": [{"event": "A"}, {"event": "B"}], "between": 3, "after": 2, "collapse": "all"});
    assert_eq!(paths(&on_the_day(&beside, question)), one("0:A 1:Q 2:A 5:B 6:C"));
}

#[test]
fn paths_end_where_nothing_follows_or_the_window_does() {
    let history = history(&[
        ("A", 1, "2026-08-03T10:00:00Z", &[]),
        ("B", 1, "2026-08-03T11:00:00Z", &[]),
        ("A", 2, "2026-08-03T10:00:00Z", &[]),
        ("B", 2, "2026-08-03T11:00:00.001Z", &[]),
        ("A", 3, "2026-08-03T10:00:00Z", &[]),
        ("A", 4, "2026-08-03T10:00:00Z", &[]),
        ("B", 4, "2027-01-01T10:00:00Z", &[]),
        ("A", 0, "2026-08-03T10:00:00Z", &[]),
    ]);
    let answer = on_the_day(&history, json!({"after": 1}));
    let total = |persons: u64| json!({"count": persons, "persons": persons});
    assert_eq!(
        answer["segments"][0]["steps"][0]["nodes"],
        json!([{"kind": "event", "event": "A", "stands_for": 0, "count": 4, "persons": 4,
            "began": total(0), "dropped_off": total(1), "window_ended": total(2)}])
    );
    assert_eq!(
        answer["segments"][0]["links"],
        json!([{"from": {"column": 0, "node": 0}, "to": {"column": 1, "node": 0}, "count": 1, "persons": 1}])
    );
    // Of three starts one has its second anchor in time.
    let answer = on_the_day(
        &history,
        json!({"anchors": [{"event": "A"}, {"event": "B"}], "between": 1}),
    );
    assert_eq!(answer["segments"][0]["complete"], total(1));
    assert_eq!(answer["segments"][0]["incomplete"], total(3));
}

#[test]
fn sessions_hold_paths_together() {
    let history = history(&[
        ("X", 1, "2026-08-03T09:00:00Z", &[]),
        ("A", 1, "2026-08-03T10:00:00Z", &[]),
        ("Y", 1, "2026-08-03T10:30:00Z", &[]),
        ("B", 1, "2026-08-03T11:00:00Z", &[]),
        ("A", 1, "2026-08-03T11:10:00Z", &[]),
        ("A", 1, "2026-08-03T12:00:00Z", &[]),
        ("C", 1, "2026-08-03T13:00:00Z", &[]),
    ]);
    let question = |count: &str| {
        let anchors = json!([{"event": "A"}]);
        let question = json!({"kind": "flow", "anchors": anchors, "before": 1, "after": 5, "count": count,
            "hide": ["Y"]});
        ask(
            &history,
            json!({"range": {"from": "2026-08-03", "to": "2026-08-03"}, "question": question}),
        )
    };
    // The hidden event still holds the session together.
    let first = ("1:A 2:B 3:A".to_owned(), 1);
    assert_eq!(paths(&question("person")), std::slice::from_ref(&first));
    assert_eq!(paths(&question("session")), [("1:A".into(), 1), first.clone()]);
    assert_eq!(
        paths(&question("total")),
        [("0:B 1:A".into(), 1), ("1:A".into(), 1), first]
    );
    let node = &question("session")["segments"][0]["steps"][1]["nodes"][0];
    assert_eq!((&node["count"], &node["persons"]), (&json!(2), &json!(1)));
}

#[test]
fn values_tell_events_apart_and_segments_split_paths() {
    let tags = Value::List(vec![text("x"), text("y")]);
    let history = history(&[
        ("A", 1, "2026-08-03T10:00:00Z", &[("p", text("one")), ("tags", tags)]),
        ("B", 1, "2026-08-03T10:01:00Z", &[("p", number(2.0))]),
        ("A", 2, "2026-08-03T10:00:00Z", &[("tags", text("y"))]),
    ]);
    let question = json!({"after": 1, "breakdown": "tags", "limit": 1,
        "expand": [{"event": "A", "property": "tags"}, {"property": "p"}]});
    let answer = on_the_day(&history, question);
    assert_eq!(
        paths(&answer),
        [
            (r#"0:A="[\"x\",\"y\"]" 1:B=2"#.to_owned(), 1),
            (r#"0:A="y""#.to_owned(), 1)
        ]
    );
    assert_eq!(answer["segments_total"], json!(2));
    assert_eq!(answer["segments"][1]["segment"], json!(["y"]));
    assert_eq!(answer["segments"][1]["complete"]["count"], json!(2));
}

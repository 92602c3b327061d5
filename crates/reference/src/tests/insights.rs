//! Numbers over time, worked out by hand.

use super::*;

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

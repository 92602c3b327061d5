//! Plans as text: what is pushed into the scan, and what runs above it.

use crate::world::{World, at, event, report, set};
use model::{EventTime, Value};
use serde_json::json;

#[test]
fn plans_push_events_times_and_columns_into_the_scan() {
    let mut world = World::new("UTC");
    let mut first = event("Buy", 1, at("2026-03-10T12:00:00Z"));
    first.properties = vec![
        ("plan".into(), Value::String("pro".into())),
        ("price".into(), Value::Number(3.0)),
        ("unused".into(), Value::Number(3.0)),
    ];
    let profile = set(1, vec![("role".into(), Value::String("dev".into()))]);
    world.append(
        vec![first, event("Sign up", 1, at("2026-03-10T12:00:00Z"))],
        vec![profile],
        Vec::new(),
    );
    let engine = world.engine();

    let range = json!({"from": "2026-03-01", "to": "2026-03-31"});
    let reports = [
        report(
            json!({"range": range, "filter": "properties[\"plan\"] == \"pro\"", "question": {"kind": "insights",
            "unit": "day", "breakdown": ["user[\"role\"]"],
            "metrics": [{"event": "Buy", "measure": "unique"},
                {"event": "Sign up", "filter": "defined(properties[\"price\"])", "measure": {"sum": {"property": "price"}}}]}}),
        ),
        report(
            json!({"range": range, "question": {"kind": "funnel", "window_ms": 3_600_000, "unit": "week",
            "steps": [{"event": "Sign up"}, {"event": "Buy", "filter": "properties[\"price\"] > 2 and properties[\"plan\"]"}]}}),
        ),
        report(
            json!({"range": range, "question": {"kind": "retention", "born": {"event": "Sign up"}, "returning": {},
            "unit": "week", "intervals": 4, "breakdown": "plan"}}),
        ),
        report(
            json!({"range": range, "question": {"kind": "flow", "anchors": [{"event": "Sign up"}], "before": 1,
            "only": ["Buy"], "window_ms": 3_600_000, "expand": [{"event": "Buy", "property": "plan"}]}}),
        ),
        report(
            json!({"range": range, "filter": "properties[\"plan\"] == \"pro\"", "question": {"kind": "flow",
            "anchors": [{"event": "Sign up", "filter": "defined(properties[\"price\"])"}], "after": 1}}),
        ),
    ];
    let plans: Vec<String> = reports
        .iter()
        .map(|report| {
            world
                .wait(engine.plan_text(&world.project, report, EventTime(0)))
                .unwrap()
        })
        .collect();
    let got = plans.join("\n");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/plans.txt");
    if std::env::var_os("FROSTPANE_WRITE_GOLDEN").is_some() {
        std::fs::write(golden, &got).unwrap();
    }
    assert_eq!(
        got,
        std::fs::read_to_string(golden).unwrap(),
        "FROSTPANE_WRITE_GOLDEN=1 writes what is right now"
    );
}

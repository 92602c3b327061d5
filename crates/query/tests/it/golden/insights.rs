//! Insights over a week in which ten persons look and some of them buy.

use super::check_in;
use crate::world::{World, at};
use model::{Event, Value};
use serde_json::json;

const DAY: i64 = 24 * 60;

/// An event some minutes after Monday, 2 March 2026, 08:00 UTC.
fn event(name: &str, person: u64, minute: i64, properties: &[(&str, Value)]) -> Event {
    let mut event = crate::world::event(name, person, at("2026-03-02T08:00:00Z") + minute * 60_000);
    let properties = properties.iter();
    event.properties = properties
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    event
}

/// Person `p` looks on `p` days from Monday on, twice within half an hour, and buys on even days.
fn world() -> World {
    let mut world = World::new("UTC");
    let mut events = Vec::new();
    for person in 1..=10_u64 {
        let plan = if person % 3 == 0 { "pro" } else { "basic" };
        for day in 0..person.min(7) as i64 {
            let minute = day * DAY + person as i64;
            events.push(event("Look", person, minute, &[("plan", Value::String(plan.into()))]));
            events.push(event("Look", person, minute + 25, &[]));
            if day % 2 == 0 {
                let price = Value::Number(person as f64 * 2.5);
                events.push(event("Buy", person, minute + 40, &[("price", price)]));
            }
        }
    }
    // Before the week, and by nobody.
    events.push(event("Look", 11, -3 * DAY, &[]));
    events.push(event("Look", 0, 5, &[]));
    world.append(events, Vec::new(), Vec::new());
    world
}

#[test]
fn insights_answers() {
    let price = json!({"property": "price"});
    let buy = |measure: serde_json::Value| json!({"event": "Buy", "measure": measure});
    let look = |measure: &str| json!({"event": "Look", "measure": measure});
    let questions = [
        // Figures of a property.
        json!({"unit": "day", "metrics": [
                buy(json!({"sum": price})), buy(json!({"mean": price})), buy(json!({"median": price})),
                buy(json!({"percentile": {"property": "price", "percentile": 90}})), buy(json!({"min": price})),
                buy(json!({"max": price})), buy(json!({"distinct": price}))]}),
        // Persons, sessions and frequency.
        json!({"unit": "day", "session_timeout_ms": 1_200_000, "metrics": [
                look("total"), look("unique"), look("per_person"), look("sessions"), buy(json!("sessions")),
                {"event": "Look", "measure": {"active": {"days": 7}}},
                {"event": "Look", "measure": {"frequency": {"aggregate": "median"}}},
                {"event": "Look", "measure": {"frequency": {"aggregate": {"percentile": 90}}}}]}),
        // Formulas over hidden metrics, one without a result.
        json!({"unit": "day",
                "metrics": [{"event": "Buy", "measure": "unique", "hidden": true}, {"event": "Look", "measure": "unique"}],
                "formulas": [{"name": "Buyers in percent", "formula": "round(100 * A / B)"}, {"formula": "B / A"},
                    {"formula": "coalesce(B / A, 0)"}]}),
        // The largest segments and the others together.
        json!({"unit": "week", "limit": 1, "other": true, "breakdown": ["plan"],
                "metrics": [look("unique"), look("total")]}),
        // Round ranges.
        json!({"unit": "week", "metrics": [buy(json!("unique"))],
                "breakdown": [{"value": "price", "edges": "auto"}]}),
        // Ranges of one's own.
        json!({"unit": "week", "metrics": [buy(json!("total"))],
                "breakdown": [{"value": "price", "edges": {"at": [5, 20]}}]}),
        // Added up, compared with the week before.
        json!({"unit": "day", "cumulative": true, "metrics": [look("unique"), look("total")],
                "compare": {"shift": {"count": 1, "unit": "week"}}}),
        // Over three days, compared with some.
        json!({"unit": "day", "rolling": 3, "metrics": [look("unique")],
                "compare": {"where": {"filter": "properties[\"plan\"] == \"pro\""}}}),
        // Stickiness over the last 28 days: those of the day in percent of those of the month.
        json!({"unit": "day", "metrics": [
                {"event": "Look", "measure": {"active": {"days": 1}}, "hidden": true},
                {"event": "Look", "measure": {"active": {"days": 28}}, "hidden": true}],
                "formulas": [{"name": "DAU/MAU in percent", "formula": "A / B * 100"}]}),
        // A month that the range cuts.
        json!({"unit": "month", "metrics": [look("unique")], "compare_previous": true}),
    ];
    let range = json!({"from": "2026-03-02", "to": "2026-03-08"});
    check_in(&world(), at("2026-03-08T12:00:00Z"), &range, "insights", &questions);
}

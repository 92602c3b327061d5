//! Funnels.

use super::check_in;
use crate::world::{self, World, at};
use model::{Event, Value};
use serde_json::json;

/// `minute` minutes after Monday, 2 March 2026, 08:00 UTC.
fn event(name: &str, person: u64, minute: i64, properties: &[(&str, Value)]) -> Event {
    let mut event = world::event(name, person, at("2026-03-02T08:00:00Z") + minute * 60_000);
    let properties = properties.iter().map(|(name, value)| ((*name).into(), value.clone()));
    event.properties = properties.collect();
    event
}

/// Twelve persons visit; ten of them sign up, in different ways; some invite, cancel and pay.
fn world() -> World {
    let mut world = World::new("UTC");
    let text = |text: &str| Value::String(text.into());
    let mut events = Vec::new();
    for person in 1..=12 {
        let plan = if person % 3 == 0 { "pro" } else { "free" };
        let start = person as i64 * 90;
        events.push(event("Visit", person, start, &[("team", text("red"))]));
        if person <= 10 {
            let props = [("plan", text(plan)), ("team", text("red"))];
            events.push(event("Sign up", person, start + person as i64, &props));
        }
        if person % 2 == 0 {
            events.push(event("Invite", person, start + 15, &[("plan", text("invited"))]));
        }
        if person == 4 {
            events.push(event("Cancel", person, start + 20, &[]));
        }
        if person <= 8 {
            let team = if person == 5 { "blue" } else { "red" };
            events.push(event(
                "Pay",
                person,
                start + 25 + 10 * person as i64,
                &[("team", text(team))],
            ));
        }
    }
    // The first comes again next day and pays again; the second had paid the month before.
    events.push(event("Visit", 1, 1_500, &[("team", text("red"))]));
    events.push(event(
        "Sign up",
        1,
        1_510,
        &[("plan", text("pro")), ("team", text("red"))],
    ));
    events.push(event("Pay", 1, 1_520, &[("team", text("red"))]));
    events.push(event("Pay", 2, -40_000, &[]));
    world.append(events, Vec::new(), Vec::new());
    world
}

#[test]
fn funnels_answer_as_ever() {
    let funnel = |extra: serde_json::Value| {
        let mut question = json!({"window_ms": 21_600_000,
            "steps": [{"event": "Visit"}, {"event": "Sign up"}, {"event": "Pay"}]});
        for (name, value) in extra.as_object().unwrap() {
            question[name] = value.clone();
        }
        question
    };
    let anchored = json!([{"event": "Visit", "anchored": true}, {"event": "Sign up"},
        {"any_of": [{"event": "Invite"}, {"event": "Pay", "filter": "properties[\"team\"] == \"blue\""}]}]);
    let first = json!([{"event": "Visit"}, {"event": "Pay", "first_time": true}]);
    let questions = [
        funnel(json!({})),
        funnel(json!({"unit": "day", "breakdown": "plan", "attribution": "any"})),
        funnel(json!({"order": "any", "steps": anchored})),
        funnel(json!({"order": "strict"})),
        funnel(json!({"exclusions": [{"event": "Cancel", "from": 1}]})),
        funnel(json!({"hold": ["team"]})),
        funnel(json!({"steps": first})),
        funnel(json!({"count": "totals"})),
        funnel(json!({"count": "sessions"})),
        funnel(json!({"window_sessions": 1, "session_timeout_ms": 2_400_000})),
        funnel(json!({"times": {"percentiles": [10, 50, 90], "histogram": true}})),
        funnel(json!({"breakdown": "plan", "attribution": {"step": 1}, "attempt": "first"})),
    ];
    let range = json!({"from": "2026-03-02", "to": "2026-03-29"});
    check_in(&world(), at("2026-03-29T12:00:00Z"), &range, "funnel", &questions);
}

//! The rules of expressions (contract X3–X15), each case on the engine and on the reference.
//!
//! Asked twice: where properties have one type each, and where every property has every type in some other event, so
//! that all typed columns exist.

use crate::world::{World, at, event, report, set};
use model::report::Answer;
use model::{EventTime, Expression, GroupNumber, Value};
use query::QueryError;
use serde_json::{Value as Json, json};

fn text(text: &str) -> Value {
    Value::String(text.into())
}

fn list(items: &[Value]) -> Value {
    Value::List(items.to_vec())
}

fn world(mixed: bool) -> World {
    let mut world = World::new("Europe/Paris");
    let mut asked = event("E", 1, at("2026-03-10T12:00:00Z"));
    asked.properties = vec![
        ("s".into(), text("hello")),
        ("empty".into(), text("")),
        ("false_text".into(), text("false")),
        ("n".into(), Value::Number(7.0)),
        ("half".into(), Value::Number(2.5)),
        ("zero".into(), Value::Number(0.0)),
        ("minus".into(), Value::Number(-7.0)),
        ("t".into(), Value::Bool(true)),
        ("f".into(), Value::Bool(false)),
        ("l".into(), list(&[text("a"), Value::Number(7.0), Value::Bool(true)])),
        ("o".into(), Value::Object(vec![("k".into(), Value::Number(1.0))])),
        ("day".into(), text("2026-03-10")),
        ("number_text".into(), text(" 12.50 ")),
        ("epoch".into(), Value::Number(1_773_140_400.0)),
    ];
    asked.groups = vec![("company".into(), vec![GroupNumber(4), GroupNumber(6)])];
    let names: Vec<String> = asked.properties.iter().map(|(name, _)| name.clone()).collect();
    world.append(
        vec![asked],
        vec![set(
            1,
            vec![("plan".into(), text("pro")), ("seats".into(), Value::Number(3.0))],
        )],
        Vec::new(),
    );
    if mixed {
        let values = [
            text("x"),
            Value::Number(1.0),
            Value::Bool(false),
            list(&[text("hello"), Value::Number(2.0)]),
            Value::Object(vec![("k".into(), text("v"))]),
        ];
        for value in values {
            let mut other = event("Other", 2, at("2026-03-10T12:00:00Z"));
            let names = names.iter().map(String::as_str).chain(["never"]);
            other.properties = names.map(|name| (name.to_owned(), value.clone())).collect();
            let profile = set(2, vec![("plan".into(), value.clone()), ("never".into(), value.clone())]);
            world.append(vec![other], vec![profile], Vec::new());
        }
    }
    world.store().flush().unwrap();
    world.read_profiles();
    world
}

fn total_by(expression: &str) -> model::report::Report {
    report(json!({
        "range": {"from": "2026-03-10", "to": "2026-03-10"},
        "question": {"kind": "insights", "unit": "day", "breakdown": [expression],
            "metrics": [{"event": "E", "measure": "total"}]},
    }))
}

/// Expression, and the values that a breakdown by it shows; an empty list is a type error.
fn cases() -> Vec<(&'static str, Json)> {
    let (yes, no, unset) = (json!([true]), json!([false]), json!([null]));
    let mut cases = vec![
        // X3, X4: look-up.
        (r#"properties["s"]"#, json!(["hello"])),
        (r#"properties["n"]"#, json!([7])),
        (r#"properties["f"]"#, no.clone()),
        (r#"properties["l"]"#, json!([true, 7, "a"])),
        (r#"properties["o"]"#, json!(["{\"k\":1}"])),
        (r#"properties["company"]"#, json!([4, 6])),
        (r#"properties["unheard of"]"#, unset.clone()),
        (r#"user["plan"]"#, json!(["pro"])),
        (r#"user["s"]"#, unset.clone()),
        (r#"event["$time"]"#, json!(["2026-03-10T13:00:00"])),
        (r#"properties["$time"]"#, json!(["2026-03-10T13:00:00"])),
        (r#"event["$event_name"]"#, json!(["E"])),
        (r#"event["s"]"#, unset.clone()),
        // X5: arithmetic.
        (r#"properties["n"] + 1"#, json!([8])),
        (r#"properties["n"] - properties["half"]"#, json!([4.5])),
        (r#"properties["n"] * 2"#, json!([14])),
        (r#"properties["n"] / 2"#, json!([3.5])),
        (r#"properties["n"] / properties["zero"]"#, unset.clone()),
        (r#"properties["n"] % 0"#, unset.clone()),
        (r#"properties["n"] % 4"#, json!([3])),
        (r#"properties["minus"] % 4"#, json!([-3])),
        (r#"properties["n"] % -4"#, json!([3])),
        (r#"-properties["n"]"#, json!([-7])),
        (r#"-properties["zero"]"#, json!([0])),
        (r#"-properties["s"]"#, unset.clone()),
        (r#"properties["s"] + " world""#, json!(["hello world"])),
        (r#"properties["s"] + 1"#, unset.clone()),
        (r#"properties["t"] + 1"#, unset.clone()),
        (r#"1e308 * 10"#, unset.clone()),
        (r#"properties["never"] + 1"#, unset.clone()),
        // X6: equality is never undefined.
        (r#"properties["s"] == "hello""#, yes.clone()),
        (r#"properties["s"] == "Hello""#, no.clone()),
        (r#"properties["s"] != "hello""#, no.clone()),
        (r#"properties["n"] == 7"#, yes.clone()),
        (r#"properties["n"] == "7""#, no.clone()),
        (r#"properties["n"] != "7""#, yes.clone()),
        (r#"properties["zero"] == properties["f"]"#, no.clone()),
        (r#"properties["t"] == true"#, yes.clone()),
        (r#"properties["never"] == "x""#, no.clone()),
        (r#"properties["never"] != "x""#, yes.clone()),
        (r#"properties["never"] == properties["unheard of"]"#, yes.clone()),
        (r#"properties["never"] == properties["empty"]"#, no.clone()),
        (r#"properties["l"] == "a""#, yes.clone()),
        (r#"7 == properties["l"]"#, yes.clone()),
        (r#"properties["l"] == "b""#, no.clone()),
        (r#"properties["l"] != "b""#, yes.clone()),
        (r#"properties["l"] == properties["l"]"#, yes.clone()),
        (r#"properties["l"] == ["a", 7, true]"#, yes.clone()),
        (r#"properties["l"] == ["a"]"#, no.clone()),
        (r#"properties["o"] == properties["o"]"#, yes.clone()),
        (r#"properties["o"] == "k""#, no.clone()),
        (r#"properties["company"] == 6"#, yes.clone()),
        (r#"properties["company"] == "6""#, no.clone()),
        (r#"properties["company"] == [4, 6]"#, yes.clone()),
        (r#"event["$time"] == datetime("2026-03-10T12:00:00Z")"#, yes.clone()),
        (r#"event["$time"] == "2026-03-10T12:00:00Z""#, no.clone()),
        // X7: order.
        (r#"properties["n"] < 8"#, yes.clone()),
        (r#"properties["n"] <= 7"#, yes.clone()),
        (r#"properties["n"] > 7"#, no.clone()),
        (r#"properties["n"] >= 7"#, yes.clone()),
        (r#"properties["s"] < "help""#, yes.clone()),
        (r#"properties["s"] < 8"#, unset.clone()),
        (r#"properties["t"] < true"#, unset.clone()),
        (r#"properties["l"] < 8"#, unset.clone()),
        (r#"properties["never"] < 8"#, unset.clone()),
        (r#"event["$time"] > "2026-03-10""#, yes.clone()),
        (r#"event["$time"] > "2026-03-10T13:00:00""#, no.clone()),
        (r#"event["$time"] >= "2026-03-10T13:00:00""#, yes.clone()),
        (r#""2026-03-10T12:00:00Z" >= event["$time"]"#, yes.clone()),
        (r#"event["$time"] > "yesterday""#, unset.clone()),
        (r#"event["$time"] == datetime(properties["epoch"])"#, no.clone()),
        (r#"event["$time"] > properties["epoch"]"#, yes.clone()),
        (r#"event["$time"] >= 1773144000"#, yes.clone()),
        (r#"event["$time"] > 1773144000000"#, no.clone()),
        (r#"event["$time"] > true"#, unset.clone()),
        (r#"properties["day"] < datetime("2026-03-11")"#, yes.clone()),
        // X8: in.
        (r#""ell" in properties["s"]"#, yes.clone()),
        (r#""ELL" in properties["s"]"#, no.clone()),
        (r#"properties["s"] in "say hello""#, yes.clone()),
        (r#"properties["n"] in [1, 7]"#, yes.clone()),
        (r#"properties["n"] in [1, 2]"#, no.clone()),
        (r#"properties["n"] in ["7"]"#, no.clone()),
        (r#"properties["n"] in []"#, no.clone()),
        (r#"properties["never"] in [1]"#, unset.clone()),
        (r#"properties["l"] in ["a"]"#, unset.clone()),
        (r#""a" in properties["l"]"#, yes.clone()),
        (r#"true in properties["l"]"#, yes.clone()),
        (r#""b" in properties["l"]"#, no.clone()),
        (r#"1 in properties["s"]"#, unset.clone()),
        (r#""k" in properties["o"]"#, unset.clone()),
        (r#"6 in properties["company"]"#, yes.clone()),
        (r#""6" in properties["company"]"#, no.clone()),
        (r#"properties["l"] in properties["l"]"#, unset.clone()),
        // X9: logic.
        (r#"properties["t"] and true"#, yes.clone()),
        (r#"properties["t"] and properties["never"]"#, no.clone()),
        (r#"properties["never"] or properties["t"]"#, yes.clone()),
        (r#"properties["never"] or properties["never"]"#, no.clone()),
        (r#"properties["s"] and true"#, json!([])),
        (r#"false and properties["s"]"#, json!([])),
        (r#"true or properties["n"]"#, json!([])),
        (r#"not (properties["l"] or true)"#, json!([])),
        (r#"defined(1 and true)"#, json!([])),
        (r#"not properties["t"]"#, no.clone()),
        (r#"not properties["never"]"#, yes.clone()),
        (r#"not properties["s"]"#, unset.clone()),
        (r#"not properties["n"]"#, unset.clone()),
        // X10: casts.
        (r#"string(properties["n"])"#, json!(["7"])),
        (r#"string(properties["half"])"#, json!(["2.5"])),
        (r#"string(properties["t"])"#, json!(["true"])),
        (r#"string(properties["l"])"#, json!(["[\"a\",7,true]"])),
        (r#"string(properties["company"])"#, json!(["[4,6]"])),
        (r#"string(event["$time"])"#, json!(["2026-03-10T13:00:00"])),
        (r#"string(properties["never"])"#, unset.clone()),
        (r#"number(properties["number_text"])"#, json!([12.5])),
        (r#"number(properties["s"])"#, unset.clone()),
        (r#"number("inf")"#, unset.clone()),
        (r#"number(properties["t"])"#, json!([1])),
        (r#"number(properties["f"])"#, json!([0])),
        (r#"number(properties["never"])"#, unset.clone()),
        (r#"number(properties["l"])"#, unset.clone()),
        (r#"number(event["$time"])"#, json!([1_773_144_000])),
        (r#"boolean(properties["s"])"#, yes.clone()),
        (r#"boolean(properties["empty"])"#, no.clone()),
        (r#"boolean(properties["false_text"])"#, no.clone()),
        (r#"boolean(properties["zero"])"#, no.clone()),
        (r#"boolean(properties["minus"])"#, yes.clone()),
        (r#"boolean(properties["never"])"#, no.clone()),
        (r#"boolean(properties["l"])"#, yes.clone()),
        (r#"boolean(properties["o"])"#, yes.clone()),
        (r#"boolean(event["$time"])"#, yes.clone()),
        // X11, X12.
        (r#"defined(properties["empty"])"#, yes.clone()),
        (r#"defined(properties["f"])"#, yes.clone()),
        (r#"defined(properties["never"])"#, no.clone()),
        (r#"defined(properties["never"] + 1)"#, no.clone()),
        (r#"defined(floor(properties["s"]))"#, no.clone()),
        // X13: half away from zero.
        (r#"round(properties["half"])"#, json!([3])),
        (r#"round(-properties["half"])"#, json!([-3])),
        (r#"floor(-properties["half"])"#, json!([-3])),
        (r#"ceil(-properties["half"])"#, json!([-2])),
        (r#"ceil(-0.5)"#, json!([0])),
        (r#"floor(properties["s"])"#, unset.clone()),
        // X14.
        (r#"datetime(properties["day"])"#, json!(["2026-03-10T00:00:00"])),
        (r#"datetime("2026-07-01T00:00:00Z")"#, json!(["2026-07-01T02:00:00"])),
        (r#"datetime("2026-03-29T02:30:00")"#, json!(["2026-03-29T03:30:00"])),
        (r#"datetime(properties["epoch"])"#, json!(["2026-03-10T12:00:00"])),
        (r#"datetime(1773140400000)"#, json!(["2026-03-10T12:00:00"])),
        (r#"datetime(properties["s"])"#, unset.clone()),
        (r#"datetime(properties["t"])"#, unset.clone()),
        // X15.
        (r#"string(properties["never"], "none")"#, json!(["none"])),
        (r#"string(properties["n"], "none")"#, json!(["7"])),
        (r#"string(properties["never"], properties["n"])"#, json!(["7"])),
        (r#"boolean(properties["s"]) == true"#, yes.clone()),
        (r#"properties["s"] = "hello""#, yes),
    ];
    cases.push((r#"user["seats"] * properties["half"]"#, json!([7.5])));
    cases
}

#[test]
fn both_engines_follow_the_rules() {
    for mixed in [false, true] {
        let world = world(mixed);
        let engine = world.engine();
        for (expression, expected) in cases() {
            let report = total_by(expression);
            let now = EventTime(0);
            let of_engine = world.ask(&engine, &report, now).map(|(explained, _)| explained.answer);
            if expected == json!([]) {
                let refused = world.reference(&report, now).unwrap_err();
                assert!(
                    matches!(refused, reference::ReferenceError::Type(_)),
                    "reference: {expression}"
                );
                let refused = of_engine.expect_err(expression);
                assert!(
                    matches!(refused, QueryError::Expression { .. }),
                    "engine, mixed={mixed}: {expression}"
                );
                continue;
            }
            assert_eq!(
                segments(&world.reference(&report, now).unwrap()),
                expected,
                "reference: {expression}"
            );
            let of_engine = of_engine.unwrap_or_else(|error| panic!("engine, mixed={mixed}: {expression}: {error}"));
            assert_eq!(segments(&of_engine), expected, "engine, mixed={mixed}: {expression}");
        }
    }
}

fn segments(answer: &Answer) -> Json {
    let Answer::Insights(insights) = answer else {
        panic!("not insights")
    };
    insights.series.iter().map(|series| json!(series.segment[0])).collect()
}

#[test]
fn nesting_that_would_explode_is_refused() {
    let world = world(true);
    let engine = world.engine();
    let mut expression = "properties[\"n\"]".to_owned();
    for _ in 0..40 {
        expression = format!("number({expression} == properties[\"l\"]) + 1");
    }
    let report = total_by(&expression);
    assert!(Expression::parse(&expression).is_ok());
    match world.ask(&engine, &report, EventTime(0)) {
        Err(QueryError::Expression { message }) => assert!(message.contains("nested"), "{message}"),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("an expression of exponential size was planned"),
    }
}

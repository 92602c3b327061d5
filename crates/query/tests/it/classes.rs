//! What an answer discloses: exactly the persons of its cells of one to nine, and whoever else it tells of.

mod oracle;

use crate::world::{World, at, event, report};
use ledger::Class;
use model::report::Report;
use model::{EventTime, Expression, Value};
use serde_json::json;

/// Persons 1 … `crowd` do A; of these the first `small` do B too.
fn world(crowd: u64, small: u64) -> World {
    let mut world = World::new("UTC");
    let time = at("2026-03-10T12:00:00Z");
    let mut events: Vec<_> = (1..=crowd)
        .map(|person| event("A", person, time + person as i64))
        .collect();
    events.extend((1..=small).map(|person| event("B", person, time + 60_000 + person as i64)));
    events.push(event("A", 0, time));
    world.append(events, Vec::new(), Vec::new());
    world
}

fn disclosed(world: &World, report: &Report) -> (Class, Vec<u64>, Vec<String>) {
    let (_, disclosure) = world
        .ask(&world.engine(), report, EventTime(at("2027-01-01T00:00:00Z")))
        .unwrap();
    let fields = disclosure.fields.into_iter().collect();
    (disclosure.class, disclosure.persons.iter().collect(), fields)
}

fn on_the_day(question: serde_json::Value) -> Report {
    report(json!({"range": {"from": "2026-03-10", "to": "2026-03-10"}, "question": question}))
}

fn count(event: &str, measure: &str) -> Report {
    on_the_day(json!({"kind": "insights", "unit": "day", "metrics": [{"event": event, "measure": measure}]}))
}

#[test]
fn ten_persons_are_a_crowd_and_nine_are_not() {
    for measure in ["total", "unique", "per_person"] {
        assert_eq!(
            disclosed(&world(10, 0), &count("A", measure)),
            (Class::D0, vec![], vec![])
        );
        let nine: Vec<u64> = (1..=9).collect();
        assert_eq!(
            disclosed(&world(9, 0), &count("A", measure)),
            (Class::D1, nine, vec!["A".into()])
        );
        // Nobody is not a person, and no person is nothing to disclose.
        assert_eq!(
            disclosed(&world(0, 0), &count("A", measure)),
            (Class::D0, vec![], vec![])
        );
    }
}

#[test]
fn fields_are_events_and_properties_of_the_question() {
    let report = report(json!({"range": {"from": "2026-03-10", "to": "2026-03-10"},
        "filter": "user[\"role\"] != \"x\"",
        "question": {"kind": "insights", "unit": "day", "breakdown": ["plan"],
            "metrics": [{"event": "A", "filter": "not defined(properties[\"price\"])", "measure": {"sum": {"property": "cost"}}},
                {"measure": "total"}]}}));
    let (class, persons, fields) = disclosed(&world(3, 0), &report);
    assert_eq!((class, persons), (Class::D1, vec![1, 2, 3]));
    assert_eq!(fields, ["A", "cost", "plan", "price", "role"]);
}

#[test]
fn small_steps_and_cohorts_disclose_who_is_in_them() {
    let funnel =
        on_the_day(json!({"kind": "funnel", "steps": [{"event": "A"}, {"event": "B"}], "window_ms": 3_600_000}));
    assert_eq!(disclosed(&world(20, 10), &funnel).0, Class::D0);
    assert_eq!(disclosed(&world(20, 4), &funnel).1, [1, 2, 3, 4]);
    let retention = on_the_day(
        json!({"kind": "retention", "born": {"event": "A"}, "returning": {"event": "B"}, "unit": "day", "intervals": 3}),
    );
    assert_eq!(disclosed(&world(20, 10), &retention).0, Class::D0);
    assert_eq!(disclosed(&world(20, 2), &retention).1, [1, 2]);
}

#[test]
fn segments_beyond_the_limit_disclose_nobody() {
    let by_event = |limit: usize| {
        on_the_day(
            json!({"kind": "insights", "unit": "day", "breakdown": ["$event_name"], "limit": limit,
            "metrics": [{"measure": "unique"}]}),
        )
    };
    assert_eq!(disclosed(&world(20, 3), &by_event(2)).1, [1, 2, 3]);
    assert_eq!(disclosed(&world(20, 3), &by_event(1)).0, Class::D0);
}

/// Automatic edges reach to the extremes, so they tell of whoever has these.
#[test]
fn automatic_edges_disclose_who_is_at_their_ends() {
    let priced = |prices: &dyn Fn(u64) -> Option<f64>| {
        let mut world = World::new("UTC");
        let events = (0..=60).map(|person| {
            let mut event = event("A", person, at("2026-03-10T12:00:00Z"));
            let price = prices(person).map(|price| ("price".to_owned(), Value::Number(price)));
            event.properties.extend(price);
            event
        });
        world.append(events.collect(), Vec::new(), Vec::new());
        world
    };
    let by_price = |edges: serde_json::Value| {
        on_the_day(
            json!({"kind": "insights", "unit": "day", "limit": 1, "metrics": [{"event": "A", "measure": "unique"}],
            "breakdown": [{"value": "price", "edges": edges}]}),
        )
    };
    let asked = |world: &World, edges: serde_json::Value| disclosed(world, &by_price(edges));

    // 40 persons are in the range that is shown; those at either end are not.
    let tails = priced(&|person| match person {
        1..=3 => Some(-900.0),
        4..=43 => Some(-15.0),
        44 => Some(95.0),
        _ => None,
    });
    assert_eq!(
        asked(&tails, json!("auto")),
        (Class::D1, vec![1, 2, 3, 44], vec!["A".into(), "price".into()])
    );
    assert_eq!(asked(&tails, json!({"at": [-50, 0]})).0, Class::D0);
    // Ten are a crowd, and nobody is not a person.
    let crowds = priced(&|person| match person {
        0 => Some(99.0),
        1..=10 => Some(1.0),
        11..=40 => Some(55.0),
        41..=50 => Some(91.0),
        _ => None,
    });
    assert_eq!(asked(&crowds, json!("auto")).0, Class::D0);
    assert_eq!(asked(&priced(&|_| None), json!("auto")).0, Class::D0);
}

/// The largest number is somebody's, however many others have one.
#[test]
fn extremes_disclose_whose_they_are() {
    let noon = at("2026-03-10T12:00:00Z");
    let mut world = World::new("UTC");
    let events = (0..=40).map(|person| {
        let price = match person {
            1..=3 => 5.0,
            4..=30 => 50.0,
            _ => 90.0,
        };
        let mut event = event("A", person, noon + person as i64);
        event.properties.push(("price".into(), Value::Number(price)));
        event
    });
    world.append(events.collect(), Vec::new(), Vec::new());
    world.append(vec![event("A", 7, noon)], Vec::new(), Vec::new());
    let asked = |measure: serde_json::Value| {
        let metrics = json!([{"event": "A", "measure": measure, "hidden": true}]);
        let formulas = json!([{"formula": "A * 2"}]);
        let question = json!({"kind": "insights", "unit": "day", "metrics": metrics, "formulas": formulas});
        let (_, persons, _) = disclosed(&world, &on_the_day(question));
        persons
    };
    let of = |kind: &str| json!({kind: {"property": "price"}});
    let percentile = |percentile: f64| json!({"percentile": {"property": "price", "percentile": percentile}});
    for least in [of("min"), percentile(0.0)] {
        assert_eq!(asked(least), [1, 2, 3]);
    }
    // Ten share it.
    for most in [of("max"), percentile(100.0)] {
        assert!(asked(most).is_empty());
    }
    let frequency = |aggregate: serde_json::Value| asked(json!({"frequency": {"aggregate": aggregate}}));
    assert_eq!(frequency(json!("max")), [7]);
    assert_eq!(frequency(json!({"percentile": 100})), [7]);
    assert!(frequency(json!("min")).is_empty());
    for crowds in [
        of("median"),
        of("mean"),
        of("sum"),
        percentile(90.0),
        json!({"frequency": {"aggregate": "mean"}}),
    ] {
        assert!(asked(crowds).is_empty());
    }
    // Nobody's number is nobody's.
    let mut dear = event("A", 0, noon + 5);
    dear.properties.push(("price".into(), Value::Number(1_000.0)));
    world.append(vec![dear], Vec::new(), Vec::new());
    let dearest = json!({"kind": "insights", "unit": "day", "metrics": [{"event": "A", "measure": of("max")}]});
    assert!(disclosed(&world, &on_the_day(dearest)).1.is_empty());
}

/// Everybody but one, and everybody: the difference is one person, whatever the size of both.
#[test]
fn whom_a_question_names_it_discloses() {
    let world = world(40, 0);
    let asked = |filter: &str| {
        disclosed(
            &world,
            &Report {
                filter: Some(Expression::parse(filter).unwrap()),
                ..count("A", "unique")
            },
        )
    };
    let fields = || vec!["$distinct_id".to_owned(), "A".into()];
    let id = "properties[\"$distinct_id\"]";
    assert_eq!(asked(&format!("{id} != 7")), (Class::D1, vec![7], fields()));
    assert_eq!(asked(&format!("not {id} in [7, 8]")), (Class::D1, vec![7, 8], fields()));
    assert_eq!(asked(&format!("{id} == 7")), (Class::D1, vec![7], fields()));
    assert_eq!(asked(&format!("defined({id})")).0, Class::D0);
    let engine = world.engine();
    for computed in [format!("{id} < 20"), format!("{id} % 2 == 0")] {
        let report = Report {
            filter: Some(Expression::parse(&computed).unwrap()),
            ..count("A", "unique")
        };
        let refused = world.ask(&engine, &report, EventTime(0)).err().unwrap();
        assert_eq!(refused.code(), model::ErrorCode::InvalidExpression, "{computed}");
        assert!(world.wait(engine.check(&report)).is_err(), "{computed}");
    }
}

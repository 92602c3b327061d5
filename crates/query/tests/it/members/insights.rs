//! Who is behind a number of a metric: everybody whose events it is measured over.

use super::cell;
use crate::world::{World, at, event, report};
use model::{EventTime, Value};
use query::QueryError;
use serde_json::{Value as Json, json};

/// On the 10th persons 1 … 6 buy, each at an own price, 5 and 6 for nothing; 1 twice within the hour and 2 in the evening
/// again. On the 3rd 1, 2 and 7 buy, on the 11th 8 without a plan. Nobody buys too.
fn world() -> World {
    let mut world = World::new("UTC");
    let buy = |person: u64, time: &str, plan: Option<&str>, price: Option<f64>| {
        let mut event = event("Buy", person, at(time));
        event
            .properties
            .extend(plan.map(|plan| ("plan".into(), Value::String(plan.into()))));
        event
            .properties
            .extend(price.map(|price| ("price".into(), Value::Number(price))));
        event
    };
    let noon = "2026-03-10T12:00:00Z";
    let events = vec![
        buy(1, noon, Some("pro"), Some(10.0)),
        buy(1, "2026-03-10T12:20:00Z", Some("pro"), Some(12.0)),
        buy(2, noon, Some("pro"), Some(20.0)),
        buy(2, "2026-03-10T20:00:00Z", Some("free"), Some(5.0)),
        buy(3, noon, Some("pro"), Some(30.0)),
        buy(4, noon, Some("team"), Some(40.0)),
        buy(5, noon, Some("free"), None),
        buy(6, noon, Some("school"), None),
        buy(0, noon, Some("pro"), Some(50.0)),
        buy(1, "2026-03-03T12:00:00Z", Some("pro"), Some(1.0)),
        buy(2, "2026-03-03T12:00:00Z", Some("school"), Some(2.0)),
        buy(7, "2026-03-03T12:00:00Z", Some("pro"), Some(3.0)),
        buy(8, "2026-03-11T12:00:00Z", None, Some(40.0)),
    ];
    world.append(events, Vec::new(), Vec::new());
    world
}

/// Asks one question after the other, each with a number of its own; the range is the 10th and 11th.
struct Asking {
    world: World,
    engine: query::Engine,
}

impl Asking {
    fn new() -> Asking {
        let world = world();
        Asking {
            engine: world.engine(),
            world,
        }
    }

    fn of(&self, question: &Json, number: Json) -> Vec<u64> {
        self.try_of(question, number).unwrap()
    }

    fn refused(&self, question: &Json, number: Json) -> &'static str {
        match self.try_of(question, number) {
            Err(QueryError::Invalid(invalid)) => invalid.at,
            other => panic!("{other:?}"),
        }
    }

    fn try_of(&self, question: &Json, mut number: Json) -> Result<Vec<u64>, QueryError> {
        number["kind"] = json!("insights");
        let mut question = question.clone();
        question["kind"] = json!("insights");
        question["unit"] = json!("day");
        let report = report(json!({"range": {"from": "2026-03-10", "to": "2026-03-11"}, "question": question}));
        let members = self.world.members(&self.engine, &report, &cell(number), EventTime(0));
        members.map(|(members, _)| members.into_iter().map(|person| person.0).collect())
    }
}

#[test]
fn each_measure_has_those_who_contribute_to_it() {
    let asking = Asking::new();
    let of = |measure: Json, bucket: Json| {
        let mut number = json!({"metric": 0});
        number["bucket"] = bucket;
        asking.of(&json!({"metrics": [{"event": "Buy", "measure": measure}]}), number)
    };
    let everybody = [1, 2, 3, 4, 5, 6, 8];
    let on_the_tenth = [1, 2, 3, 4, 5, 6];
    let with_price = [1, 2, 3, 4, 8];
    for measure in ["total", "unique", "per_person", "sessions"] {
        assert_eq!(of(json!(measure), json!(null)), everybody, "{measure}");
        assert_eq!(of(json!(measure), json!(0)), on_the_tenth, "{measure}");
    }
    assert_eq!(of(json!({"frequency": {"aggregate": "max"}}), json!(0)), on_the_tenth);
    for measure in ["sum", "mean", "median", "min", "max", "distinct"] {
        let measure = json!({measure: {"property": "price"}});
        assert_eq!(of(measure.clone(), json!(null)), with_price, "{measure}");
        assert_eq!(of(measure.clone(), json!(1)), [8], "{measure}");
        assert_eq!(of(measure.clone(), json!(2)), [0; 0], "{measure}");
    }
    let distinct = json!({"distinct": {"property": "plan"}});
    assert_eq!(of(distinct, json!(null)), on_the_tenth);
    // Ten days, of which eight lie before the range.
    assert_eq!(of(json!({"active": {"days": 10}}), json!(0)), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn segments_are_named_as_the_answer_names_them() {
    let asking = Asking::new();
    let question = json!({"metrics": [{"event": "Buy", "measure": "unique"}, {"event": "Buy", "measure": "sessions"}],
        "breakdown": ["plan"], "limit": 1, "other": true});
    assert_eq!(
        asking.of(&question, json!({"metric": 0, "segment": ["pro"]})),
        [1, 2, 3]
    );
    // Beyond the limit, but named.
    assert_eq!(asking.of(&question, json!({"metric": 0, "segment": ["free"]})), [2, 5]);
    assert_eq!(asking.of(&question, json!({"metric": 0, "segment": [null]})), [8]);
    assert_eq!(asking.of(&question, json!({"metric": 0, "segment": ["none"]})), [0; 0]);
    for metric in [0, 1] {
        let other = json!({"metric": metric, "other": true});
        assert_eq!(asking.of(&question, other), [2, 4, 5, 6, 8]);
        let other = json!({"metric": metric, "other": true, "bucket": 1});
        assert_eq!(asking.of(&question, other), [8]);
    }
    let all_shown = json!({"metrics": [{"event": "Buy", "measure": "unique"}], "breakdown": ["plan"], "other": true});
    assert_eq!(asking.of(&all_shown, json!({"metric": 0, "other": true})), [0; 0]);

    let ranges = json!({"metrics": [{"event": "Buy", "measure": "unique"}],
        "breakdown": [{"value": "price", "edges": {"at": [10, 30]}}, "plan"]});
    let of_range = |name: &str, plan: &str| asking.of(&ranges, json!({"metric": 0, "segment": [name, plan]}));
    assert_eq!(of_range("10 - 30", "pro"), [1, 2]);
    assert_eq!(of_range("≥ 30", "pro"), [3]);
    assert_eq!(of_range("< 10", "free"), [2]);
    let automatic = json!({"metrics": [{"event": "Buy", "measure": "unique"}],
        "breakdown": [{"value": "price", "edges": "auto"}]});
    assert_eq!(
        asking.of(&automatic, json!({"metric": 0, "segment": ["40 - 45"]})),
        [4, 8]
    );
}

#[test]
fn buckets_of_windows_and_comparisons_have_the_members_of_theirs() {
    let asking = Asking::new();
    let metrics = json!([{"event": "Buy", "measure": "unique"}, {"event": "Buy", "measure": "total", "hidden": true}]);
    let number = |bucket: usize| json!({"metric": 1, "bucket": bucket});
    let cumulative = json!({"metrics": metrics, "cumulative": true});
    assert_eq!(asking.of(&cumulative, number(1)), [1, 2, 3, 4, 5, 6, 8]);
    let rolling = json!({"metrics": metrics, "rolling": 9});
    assert_eq!(asking.of(&rolling, number(1)), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(asking.of(&rolling, json!({"metric": 0})), [1, 2, 3, 4, 5, 6, 8]);

    let week_before = json!({"metrics": metrics, "breakdown": ["plan"], "limit": 1, "other": true,
        "compare": {"shift": {"count": 1, "unit": "week"}}});
    let before = |number: Json| {
        let mut number = number;
        number["previous"] = json!(true);
        asking.of(&week_before, number)
    };
    assert_eq!(before(json!({"metric": 0, "bucket": 0, "segment": ["pro"]})), [1, 7]);
    assert_eq!(before(json!({"metric": 0, "other": true})), [2]);
    assert_eq!(before(json!({"metric": 0, "bucket": 1, "segment": ["pro"]})), [0; 0]);
    let of_some = json!({"metrics": metrics, "compare": {"where": {"filter": "properties[\"price\"] < 15"}}});
    assert_eq!(asking.of(&of_some, json!({"metric": 0, "previous": true})), [1, 2]);
    let period_before = json!({"metrics": metrics, "compare_previous": true});
    assert_eq!(
        asking.of(&period_before, json!({"metric": 0, "previous": true})),
        [0; 0]
    );
}

#[test]
fn numbers_that_the_report_does_not_have_are_refused() {
    let asking = Asking::new();
    let question = json!({"metrics": [{"event": "Buy", "measure": "unique"}], "breakdown": ["plan"],
        "formulas": [{"formula": "A * 2"}]});
    let refused = |number: Json| asking.refused(&question, number);
    assert_eq!(refused(json!({"metric": 1, "segment": ["pro"]})), "/cell/metric");
    assert_eq!(refused(json!({"metric": 2, "segment": ["pro"]})), "/cell/metric");
    assert_eq!(refused(json!({"metric": 0})), "/cell/segment");
    assert_eq!(
        refused(json!({"metric": 0, "segment": ["pro", "free"]})),
        "/cell/segment"
    );
    assert_eq!(refused(json!({"metric": 0, "other": true})), "/cell/other");
    assert_eq!(
        refused(json!({"metric": 0, "segment": ["pro"], "previous": true})),
        "/cell/previous"
    );
    let with_other = json!({"metrics": [{"measure": "total"}], "breakdown": ["plan"], "other": true});
    let both = json!({"metric": 0, "segment": ["pro"], "other": true});
    assert_eq!(asking.refused(&with_other, both), "/cell/segment");
    let whole = json!({"metrics": [{"measure": "total"}], "other": true});
    assert_eq!(
        asking.refused(&whole, json!({"metric": 0, "other": true})),
        "/cell/other"
    );
    assert_eq!(
        asking.refused(&whole, json!({"metric": 0, "segment": ["pro"]})),
        "/cell/segment"
    );
}

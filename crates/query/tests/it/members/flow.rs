//! Who is behind a number of a flow: the persons of the paths that it counts.

use super::cell;
use crate::world::{World, at, event, report};
use ledger::Disclosure;
use model::report::ReportCell;
use model::{EventTime, Value};
use query::QueryError;
use serde_json::{Value as Json, json};

/// After a visit of "/a", persons 1, 2 and 3 search, 4 and 5 buy, 6 asks for help and 7 for a price; 8 does nothing more,
/// 9 only long after. 1 and 4 then leave. Person 10 visits "/b" and buys.
fn world() -> World {
    let mut world = World::new("UTC");
    let noon = at("2026-03-10T12:00:00Z");
    let minute = 60_000;
    let mut events = Vec::new();
    for person in 1..=10 {
        let mut visit = event("Visit", person, noon);
        let page = if person == 10 { "/b" } else { "/a" };
        visit.properties = vec![("page".into(), Value::String(page.into()))];
        events.push(visit);
    }
    let then = [
        ("Search", 1),
        ("Search", 2),
        ("Search", 3),
        ("Buy", 4),
        ("Buy", 5),
        ("Help", 6),
        ("Price", 7),
        ("Buy", 10),
    ];
    events.extend(then.map(|(name, person)| event(name, person, noon + minute)));
    events.push(event("Search", 9, noon + 48 * 60 * minute));
    events.extend([1, 4].map(|person| event("Leave", person, noon + 2 * minute)));
    world.append(events, Vec::new(), Vec::new());
    world
}

fn flow() -> Json {
    json!({"kind": "flow", "anchors": [{"event": "Visit"}], "before": 1, "after": 2, "nodes": 2,
        "window_ms": 3_600_000, "breakdown": "page"})
}

struct Asking {
    world: World,
    engine: query::Engine,
    question: Json,
}

impl Asking {
    fn of(question: Json) -> Asking {
        let world = world();
        Asking {
            engine: world.engine(),
            world,
            question,
        }
    }

    fn ask(&self, number: &Json, segment: Json) -> Result<(Vec<u64>, Disclosure), QueryError> {
        let report = report(json!({"range": {"from": "2026-03-10", "to": "2026-03-10"}, "question": self.question}));
        let cell = cell(json!({"kind": "flow", "number": number, "segment": segment}));
        let members = self.world.members(&self.engine, &report, &cell, EventTime(0));
        members.map(|(members, disclosure)| (members.into_iter().map(|person| person.0).collect(), disclosure))
    }

    fn members(&self, number: Json) -> Vec<u64> {
        self.ask(&number, json!([])).unwrap().0
    }

    fn refused(&self, number: Json) -> &'static str {
        match self.ask(&number, json!([])) {
            Err(QueryError::Invalid(invalid)) => invalid.at,
            other => panic!("{other:?}"),
        }
    }
}

fn node(column: usize, event: &str) -> Json {
    json!({"column": column, "kind": "event", "event": event})
}

fn other(column: usize) -> Json {
    json!({"column": column, "kind": "other"})
}

#[test]
fn nodes_links_and_ends_have_the_persons_of_their_paths() {
    let asking = Asking::of(flow());
    let of = |number: Json| asking.members(number);
    assert_eq!(of(json!("complete")), (1..=10).collect::<Vec<_>>());
    assert_eq!(of(json!("incomplete")), [0; 0]);
    assert_eq!(of(json!({"reached": {"column": 2}})), [1, 2, 3, 4, 5, 6, 7, 10]);
    assert_eq!(of(json!({"node": {"at": node(2, "Search")}})), [1, 2, 3]);
    assert_eq!(
        of(json!({"node": {"at": node(2, "Search"), "side": "dropped_off"}})),
        [2, 3]
    );
    assert_eq!(
        of(json!({"node": {"at": node(1, "Visit"), "side": "dropped_off"}})),
        [8]
    );
    assert_eq!(
        of(json!({"node": {"at": node(1, "Visit"), "side": "window_ended"}})),
        [9]
    );
    assert_eq!(
        of(json!({"node": {"at": node(1, "Visit"), "side": "began"}})),
        (1..=10).collect::<Vec<_>>()
    );
    assert_eq!(of(json!({"node": {"at": node(1, "Buy")}})), [0; 0]);
    // Two nodes are shown: those with three paths. The rest has names all the same.
    assert_eq!(of(json!({"node": {"at": other(2)}})), [6, 7]);
    assert_eq!(of(json!({"node": {"at": node(2, "Help")}})), [6]);
    assert_eq!(of(json!({"link": {"from": node(1, "Visit"), "to": other(2)}})), [6, 7]);
    assert_eq!(
        of(json!({"link": {"from": node(2, "Buy"), "to": node(3, "Leave")}})),
        [4]
    );
    let steps = [node(1, "Visit"), node(2, "Search")];
    assert_eq!(of(json!({"path": {"steps": steps}})), [2, 3]);
    assert_eq!(of(json!({"path": {"steps": steps, "side": "window_ended"}})), [0; 0]);
}

#[test]
fn a_segment_has_its_own_rare_nodes() {
    let asking = Asking::of(flow());
    let of = |number: Json, segment: &str| asking.ask(&number, json!([segment])).unwrap().0;
    assert_eq!(of(json!({"node": {"at": node(2, "Buy")}}), "/b"), [10]);
    assert_eq!(of(json!({"node": {"at": node(2, "Buy")}}), "/a"), [4, 5]);
    assert_eq!(of(json!({"node": {"at": other(2)}}), "/b"), [0; 0]);
    assert_eq!(of(json!("complete"), "/c"), [0; 0]);
}

#[test]
fn gaps_and_what_was_not_completed() {
    let mut question = flow();
    question["anchors"] = json!([{"event": "Visit"}, {"event": "Leave"}]);
    let asking = Asking::of(question);
    assert_eq!(asking.members(json!("complete")), [1, 4]);
    assert_eq!(asking.members(json!("incomplete")), [2, 3, 5, 6, 7, 8, 9, 10]);
    let more = json!({"column": 2, "kind": "more"});
    assert_eq!(asking.members(json!({"node": {"at": more}})), [1, 4]);
    assert_eq!(
        asking.members(json!({"link": {"from": more, "to": node(3, "Leave")}})),
        [1, 4]
    );
    assert_eq!(
        asking.refused(json!({"node": {"at": node(2, "Buy")}})),
        "/cell/number/node/at"
    );
    assert_eq!(
        asking.refused(json!({"node": {"at": other(2)}})),
        "/cell/number/node/at"
    );
}

#[test]
fn what_the_number_names_is_disclosed() {
    let asking = Asking::of(flow());
    let link = json!({"link": {"from": node(1, "Visit"), "to": node(2, "Buy")}});
    let (members, disclosure) = asking.ask(&link, json!([])).unwrap();
    assert_eq!(members, [4, 5, 10]);
    assert_eq!(disclosure.persons.iter().collect::<Vec<_>>(), members);
    assert_eq!(
        disclosure.fields.into_iter().collect::<Vec<_>>(),
        ["Buy", "Visit", "page"]
    );
}

#[test]
fn numbers_that_the_flow_does_not_have_are_refused() {
    let asking = Asking::of(flow());
    let refused = |number: Json| asking.refused(number);
    let more = json!({"column": 2, "kind": "more"});
    let nameless = json!({"column": 2, "kind": "event"});
    let named_other = json!({"column": 2, "kind": "other", "event": "Buy"});
    let side = |column: usize, side: &str| json!({"node": {"at": node(column, "Visit"), "side": side}});
    assert_eq!(
        refused(json!({"reached": {"column": 4}})),
        "/cell/number/reached/column"
    );
    for at in [node(4, "Buy"), more, nameless, named_other] {
        assert_eq!(refused(json!({"node": {"at": at}})), "/cell/number/node/at");
    }
    for side in [
        side(0, "began"),
        side(2, "began"),
        side(0, "dropped_off"),
        side(3, "window_ended"),
    ] {
        assert_eq!(refused(side), "/cell/number/node/side");
    }
    let backwards = json!({"link": {"from": node(2, "Buy"), "to": node(2, "Buy")}});
    assert_eq!(refused(backwards), "/cell/number/link/to/column");
    assert_eq!(refused(json!({"path": {"steps": []}})), "/cell/number/path/steps");
    assert_eq!(
        refused(json!({"path": {"steps": [other(2)]}})),
        "/cell/number/path/steps"
    );
    let unordered = [node(2, "Buy"), node(1, "Visit")];
    assert_eq!(
        refused(json!({"path": {"steps": unordered}})),
        "/cell/number/path/steps"
    );
    let began = json!({"path": {"steps": [node(1, "Visit")], "side": "began"}});
    assert_eq!(refused(began), "/cell/number/path/side");
    let several = asking.ask(&json!("complete"), json!(["/a", "/b"]));
    assert!(matches!(several, Err(QueryError::Invalid(invalid)) if invalid.at == "/cell/segment"));
    // What is misspelt is refused, not overlooked.
    let misspelt = json!({"kind": "flow", "number": "complete", "segmnt": ["/a"]});
    assert!(serde_json::from_value::<ReportCell>(misspelt).is_err());
}

//! What holds in every flow: nothing that goes into a node is lost.

use crate::equal::difference;
use crate::random;
use crate::world::{World, at, event, report};
use fastrand::Rng;
use jiff::civil::date;
use ledger::Class;
use model::report::{Answer, DateRange, FlowAnswer, FlowLink, FlowSegment, NodePlace, Question, Report};
use model::{EventTime, Value};
use serde_json::json;

/// Random flows over random worlds, with the invariants of the definition's text.
#[test]
fn what_comes_in_goes_out_or_ends() {
    let mut paths_seen = 0;
    for seed in 0..40 {
        let mut rng = Rng::with_seed(seed);
        let world = random::life(&mut rng, 100, 10).play();
        let engine = world.engine();
        for _ in 0..6 {
            let mut report = random::report(&mut rng);
            report.question = Question::Flow(random::flow(&mut rng));
            report.range = whole_history();
            let Ok((explained, _)) = world.ask(&engine, &report, random::now(&mut rng)) else {
                continue;
            };
            let Answer::Flow(answer) = explained.answer else {
                panic!("a flow is asked")
            };
            let Question::Flow(flow) = &report.question else {
                panic!("a flow is asked")
            };
            for segment in &answer.segments {
                check(&answer, segment, flow.before as usize, flow.paths);
                paths_seen += segment.paths_total;
            }
        }
    }
    assert!(paths_seen > 500, "only {paths_seen} paths were checked");
}

fn whole_history() -> DateRange {
    DateRange {
        from: date(2026, 3, 1),
        to: date(2026, 4, 15),
    }
}

fn check(answer: &FlowAnswer, segment: &FlowSegment, before: usize, paths_max: usize) {
    let last = answer.columns.len() - 1;
    for (column, step) in segment.steps.iter().enumerate() {
        let sum: u64 = step.nodes.iter().map(|node| node.count).sum();
        assert_eq!(sum, step.reached.count);
        for (node, shown) in step.nodes.iter().enumerate() {
            let here = NodePlace { column, node };
            let links = |wanted: fn(&FlowLink) -> NodePlace| -> u64 {
                let links = segment.links.iter().filter(|link| wanted(link) == here);
                links.map(|link| link.count).sum()
            };
            let (into, out) = (links(|link| link.to), links(|link| link.from));
            let ended = shown.dropped_off.count + shown.window_ended.count;
            if column > 0 {
                assert_eq!(into + shown.began.count, shown.count, "into {here:?}");
            } else {
                assert_eq!((into, shown.began.count), (0, 0));
            }
            if column < last {
                assert_eq!(out + ended, shown.count, "out of {here:?}");
            } else {
                assert_eq!((out, ended), (0, 0));
            }
            assert!(shown.began.count == 0 || column <= before);
            assert!(shown.persons <= shown.count && shown.persons > 0);
        }
        let anchor = answer.columns[column].distance == 0;
        assert!(!anchor || step.reached == segment.complete);
    }
    if segment.paths_total <= paths_max {
        let listed: u64 = segment.paths.iter().map(|path| path.count).sum();
        assert_eq!(listed, segment.complete.count);
    }
    assert_eq!(segment.paths.len(), segment.paths_total.min(paths_max));
}

fn on_the_day(question: serde_json::Value) -> Report {
    report(json!({"range": {"from": "2026-03-10", "to": "2026-03-10"}, "question": question}))
}

/// Persons 1 … 12 do A; of these the first 3 then B, the others C, but person 12 nothing.
fn crowd() -> World {
    let mut world = World::new("UTC");
    let time = at("2026-03-10T12:00:00Z");
    let mut events: Vec<_> = (1..=12).map(|person| event("A", person, time)).collect();
    events.extend((1..=11).map(|person| event(if person <= 3 { "B" } else { "C" }, person, time + 1_000)));
    world.append(events, Vec::new(), Vec::new());
    world
}

#[test]
fn small_nodes_links_and_ends_disclose_their_persons() {
    let world = crowd();
    let ask = |question: serde_json::Value| {
        let now = EventTime(at("2027-01-01T00:00:00Z"));
        let (_, disclosure) = world.ask(&world.engine(), &on_the_day(question), now).unwrap();
        (disclosure.class, disclosure.persons.iter().collect::<Vec<u64>>())
    };
    let after = |more: serde_json::Value| {
        let mut question = json!({"kind": "flow", "anchors": [{"event": "A"}], "after": 1, "window_ms": 60_000});
        question
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        question
    };
    // B has three persons, C eight, and one drops off.
    assert_eq!(ask(after(json!({}))), (Class::D1, (1..=12).collect()));
    // Eight go on to C, and four drop off.
    let one = json!({"nodes": 1, "only": ["C"], "paths": 0});
    assert_eq!(ask(after(one)).1, (1..=12).collect::<Vec<u64>>());
    let before_all = json!({"kind": "flow", "anchors": [{"event": "A"}], "before": 1, "window_ms": 1});
    assert_eq!(ask(before_all).0, Class::D0);
}

#[test]
fn rare_nodes_are_one_and_their_persons_count_once() {
    let mut world = World::new("UTC");
    let time = at("2026-03-10T12:00:00Z");
    let mut events = Vec::new();
    for (index, name) in ["B", "B", "B", "C", "D", "E"].into_iter().enumerate() {
        let start = time + 10_000 * index as i64;
        events.push(event("A", 1, start));
        events.push(event(name, 1, start + 1));
    }
    world.append(events, Vec::new(), Vec::new());
    let question = json!({"kind": "flow", "anchors": [{"event": "A"}], "after": 1, "window_ms": 60_000,
        "count": "total", "nodes": 1});
    let (explained, _) = world
        .ask(&world.engine(), &on_the_day(question), EventTime(time))
        .unwrap();
    let nodes = serde_json::to_value(&explained.answer).unwrap()["segments"][0]["steps"][1]["nodes"].clone();
    let none = json!({"count": 0, "persons": 0});
    assert_eq!(
        nodes,
        json!([
            {"kind": "event", "event": "B", "stands_for": 0, "count": 3, "persons": 1,
                "began": none, "dropped_off": none, "window_ended": none},
            {"kind": "other", "stands_for": 3, "count": 3, "persons": 1,
                "began": none, "dropped_off": none, "window_ended": none},
        ])
    );
}

#[test]
fn paths_that_need_too_much_memory_are_refused() {
    let mut world = World::new("UTC");
    let time = at("2026-03-10T12:00:00Z");
    let events = (0..4_000).map(|index| event(&format!("event {}", index % 3_000), index % 40, time + index as i64));
    world.append(events.collect(), Vec::new(), Vec::new());
    let question = json!({"kind": "flow", "anchors": [{}], "after": 10, "count": "total", "window_ms": 60_000});
    let asked = on_the_day(question);
    let refused = world.ask(&world.engine_with(600_000), &asked, EventTime(time));
    assert!(
        matches!(refused, Err(query::QueryError::TooLarge { .. })),
        "{refused:?}"
    );
    world.ask(&world.engine(), &asked, EventTime(time)).unwrap();
}

/// Nine visitors of a shop: most look around, some buy, one comes back the next day.
fn shop() -> World {
    let mut world = World::new("Europe/Paris");
    let mut events = Vec::new();
    let mut told = |person: u64, minute: i64, names: &str| {
        for (index, name) in names.split(' ').enumerate() {
            let time = at("2026-03-10T08:00:00Z") + (minute + index as i64) * 60_000;
            let (name, page) = name.split_once('/').unwrap_or((name, ""));
            let mut event = event(name, person, time);
            if !page.is_empty() {
                event.properties = vec![("page".into(), Value::String(page.into()))];
            }
            events.push(event);
        }
    };
    told(1, 0, "View/home View/shoes Basket Pay");
    told(2, 5, "View/home View/home View/hats Basket View/help Pay");
    told(3, 9, "View/shoes View/hats Leave");
    told(4, 10, "Search View/hats Basket");
    told(4, 1_500, "View/home Pay");
    told(5, 11, "View/home Search View/shoes Basket Pay View/home");
    told(6, 12, "View/home");
    told(7, 13, "Search Search Search View/hats Leave");
    told(8, 14, "View/home View/shoes Basket Pay");
    told(9, 15, "View Basket Basket Leave");
    told(0, 16, "View/home Basket Pay");
    world.append(events, Vec::new(), Vec::new());
    world
}

/// `UPDATE_GOLDEN=1` writes what is right now.
#[test]
fn answers_over_a_small_shop_are_golden() {
    let world = shop();
    let engine = world.engine();
    let view = json!({"event": "View", "property": "page"});
    let questions = [
        json!({"anchors": [{"event": "View"}], "after": 3, "window_ms": 3_600_000, "collapse": "all"}),
        json!({"anchors": [{"event": "Pay"}], "before": 3, "expand": [view], "nodes": 2, "paths": 3}),
        json!({"anchors": [{"event": "View"}, {"event": "Basket"}, {"event": "Pay"}], "between": 1, "after": 1,
            "window_ms": 172_800_000, "hide": ["Leave"], "breakdown": "page", "limit": 1, "paths": 2}),
        json!({"anchors": [{"filter": "properties[\"page\"] == \"home\""}], "before": 1, "after": 2, "count": "total",
            "only": ["Basket", "Pay"], "window_ms": 172_800_000}),
        json!({"anchors": [{"event": "Basket"}], "before": 2, "after": 2, "count": "session",
            "session_timeout_ms": 60_000, "collapse": {"events": ["Basket"]}}),
    ];
    let answered = questions.map(|mut question| {
        question["kind"] = json!("flow");
        let report = report(json!({"range": {"from": "2026-03-10", "to": "2026-03-11"}, "question": question}));
        let now = EventTime(at("2026-03-12T00:00:00Z"));
        let (explained, disclosure) = world.ask(&engine, &report, now).unwrap();
        let expected = world.reference(&report, now).unwrap();
        assert_eq!(difference(&expected, &explained.answer), None, "{question}");
        json!({"words": explained.explanation.definition, "question": question,
            "disclosed": disclosure.persons.iter().collect::<Vec<_>>(), "answer": explained.answer})
    });
    let got = serde_json::to_string_pretty(&answered).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/golden/flow.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &got).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    assert!(got == golden, "UPDATE_GOLDEN=1 writes what is right now");
}

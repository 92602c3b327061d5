//! Rows: events and people, and what they disclose.

use crate::world::{World, at, event, report, set};
use ledger::Class;
use model::report::EventSelector;
use model::{EventTime, Expression, GroupNumber, InsertId, PersonNumber, ProfileOp, ProfileUpdate, Subject, Value};
use query::{Behavior, EventsQuery, PeopleFilter, PeopleQuery, PeopleSet, QueryError};
use serde_json::json;

const NOON: &str = "2026-03-10T12:00:00Z";

fn text(text: &str) -> Value {
    Value::String(text.into())
}

/// Five events of persons 1 to 3 and nobody; 3 was merged into 1.
fn world() -> World {
    let mut world = World::new("UTC");
    let mut events: Vec<_> = [(1, 30), (2, 10), (3, 20), (0, 40), (1, 0)]
        .into_iter()
        .map(|(person, minutes)| event("E", person, at(NOON) + minutes * 60_000))
        .collect();
    events[0].properties = vec![
        ("plan".into(), text("pro")),
        ("l".into(), Value::List(vec![Value::Number(1.0)])),
    ];
    events[1].properties = vec![("plan".into(), Value::Number(2.0))];
    events[1].groups = vec![("company".into(), vec![GroupNumber(9)])];
    let profiles = vec![
        set(1, vec![("plan".into(), text("pro")), ("n".into(), Value::Number(1.0))]),
        set(2, vec![("plan".into(), text("basic"))]),
        set(4, vec![("n".into(), Value::Number(5.0)), ("gone".into(), Value::Null)]),
    ];
    world.append(events, profiles, Vec::new());
    world.store().flush().unwrap();
    world.append(Vec::new(), Vec::new(), vec![(PersonNumber(3), PersonNumber(1))]);
    world
}

fn everything() -> EventsQuery {
    EventsQuery {
        from_ms: i64::MIN,
        to_ms: i64::MAX,
        events: None,
        filter: None,
        persons: None,
        after_seq: None,
        behind: None,
        limit: usize::MAX,
        newest_first: false,
    }
}

fn minutes(world: &World, question: &EventsQuery) -> Vec<i64> {
    let rows = world
        .wait(world.engine().events(&world.project, question, EventTime(0)))
        .unwrap();
    let (rows, _) = world.release(rows);
    rows.iter().map(|row| (row.time.0 - at(NOON)) / 60_000).collect()
}

#[test]
fn events_come_in_order_filtered_and_cut() {
    let world = world();
    assert_eq!(minutes(&world, &everything()), [0, 10, 20, 30, 40]);
    let newest = EventsQuery {
        newest_first: true,
        limit: 2,
        ..everything()
    };
    assert_eq!(minutes(&world, &newest), [40, 30]);
    // An absorbed number asks for the person it was absorbed by.
    let of_person = EventsQuery {
        persons: Some(vec![PersonNumber(3)]),
        ..everything()
    };
    assert_eq!(minutes(&world, &of_person), [0, 20, 30]);
    let between = EventsQuery {
        from_ms: at(NOON) + 600_000,
        to_ms: at(NOON) + 1_800_000,
        ..everything()
    };
    assert_eq!(minutes(&world, &between), [10, 20]);
    let filter = Expression::parse("defined(properties[\"plan\"]) and user[\"n\"] == 1").unwrap();
    let filtered = EventsQuery {
        filter: Some(filter),
        ..everything()
    };
    assert_eq!(minutes(&world, &filtered), [30]);
    let other = EventsQuery {
        events: Some(vec!["Other".into()]),
        ..everything()
    };
    assert!(minutes(&world, &other).is_empty());
    // In order of reception: the second event received has the second earliest time, and so on.
    let received = EventsQuery {
        after_seq: Some(0),
        ..everything()
    };
    assert_eq!(minutes(&world, &received), [30, 10, 20, 40, 0]);
}

#[test]
fn events_show_all_they_have_and_disclose_it() {
    let world = world();
    let question = EventsQuery {
        limit: 2,
        persons: Some(vec![PersonNumber(1), PersonNumber(2)]),
        newest_first: true,
        ..everything()
    };
    let rows = world
        .wait(world.engine().events(&world.project, &question, EventTime(0)))
        .unwrap();
    let (rows, disclosure) = world.release(rows);
    assert_eq!(rows.len(), 2);
    assert_eq!(
        rows[0].properties,
        [
            ("l".to_owned(), Value::List(vec![Value::Number(1.0)])),
            ("plan".to_owned(), text("pro")),
        ]
    );
    assert_eq!(rows[1].person, PersonNumber(1));
    assert_eq!(disclosure.class, Class::D2);
    assert_eq!(disclosure.persons.iter().collect::<Vec<_>>(), [1]);
    assert_eq!(
        disclosure.fields.into_iter().collect::<Vec<_>>(),
        ["$event_name", "$time", "l", "plan"]
    );
    let groups = EventsQuery {
        persons: Some(vec![PersonNumber(2)]),
        ..everything()
    };
    let rows = world
        .wait(world.engine().events(&world.project, &groups, EventTime(0)))
        .unwrap();
    let (rows, disclosure) = world.release(rows);
    assert_eq!(rows[0].groups, [("company".to_owned(), vec![GroupNumber(9)])]);
    assert!(disclosure.fields.contains("company"));
}

fn people(filter: Option<&str>, sort: Option<(&str, bool)>) -> PeopleQuery {
    PeopleQuery {
        filter: filter.map(|filter| Expression::parse(filter).unwrap()),
        persons: None,
        sort: sort.map(|(property, descending)| (property.to_owned(), descending)),
        limit: 10,
        offset: 0,
    }
}

fn numbers(world: &World, question: &PeopleQuery) -> (u64, Vec<u64>) {
    let page = world
        .wait(world.engine().people(&world.project, question, EventTime(0)))
        .unwrap();
    let (page, disclosure) = world.release(page);
    assert_eq!(disclosure.class, Class::D2);
    let numbers: Vec<u64> = page.people.iter().map(|row| row.person.0).collect();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    assert_eq!(
        disclosure.persons.iter().collect::<Vec<_>>(),
        sorted,
        "exactly the page is disclosed"
    );
    (page.total, numbers)
}

#[test]
fn people_are_filtered_sorted_and_paged() {
    let world = world();
    assert_eq!(numbers(&world, &people(None, None)), (3, vec![1, 2, 4]));
    assert_eq!(
        numbers(&world, &people(Some("properties[\"plan\"] == \"pro\""), None)),
        (1, vec![1])
    );
    assert_eq!(
        numbers(&world, &people(Some("user[\"plan\"] == \"pro\""), None)),
        (1, vec![1])
    );
    assert_eq!(
        numbers(&world, &people(Some("not defined(properties[\"n\"])"), None)),
        (1, vec![2])
    );
    assert_eq!(
        numbers(&world, &people(Some("properties[\"$time\"] > 0"), None)),
        (0, vec![])
    );
    // Those without the property come last, whatever the direction.
    assert_eq!(numbers(&world, &people(None, Some(("n", true)))), (3, vec![4, 1, 2]));
    assert_eq!(numbers(&world, &people(None, Some(("n", false)))), (3, vec![1, 4, 2]));
    let second = PeopleQuery {
        offset: 1,
        limit: 1,
        ..people(None, Some(("n", true)))
    };
    assert_eq!(numbers(&world, &second), (3, vec![1]));
    // Somebody without a profile is found by number, an absorbed number as the person it is now.
    let by_number = PeopleQuery {
        persons: Some(vec![PersonNumber(3), PersonNumber(77)]),
        ..people(None, None)
    };
    assert_eq!(numbers(&world, &by_number), (2, vec![1, 77]));
    let refused = world.wait(world.engine().people(
        &world.project,
        &people(Some("properties[\"plan\"] and true"), None),
        EventTime(0),
    ));
    assert!(matches!(refused, Err(QueryError::Expression { .. })));
}

#[test]
fn sets_of_people_are_cut_into_pages() {
    let world = world();
    let engine = world.engine();
    let asked = |filter: PeopleFilter, order: Option<(&str, bool)>| {
        let order = order.map(|(property, descending)| (property.to_owned(), descending));
        world.wait(engine.matching_people(&world.project, &filter, order.as_ref(), EventTime(0)))
    };
    let all = asked(PeopleFilter::default(), None).unwrap();
    assert_eq!(
        (all.len(), all.slice(1, 5)),
        (3, vec![PersonNumber(2), PersonNumber(4)])
    );
    let kept = all.retain(&[PersonNumber(4), PersonNumber(8)]);
    assert_eq!(kept.slice(0, 9), [PersonNumber(4)]);
    let numbers = |set: PeopleSet| set.slice(0, 9).into_iter().map(|person| person.0).collect::<Vec<_>>();
    let passing = |expression: &str| numbers(asked(filter_of(expression), None).unwrap());
    assert_eq!(passing("properties[\"n\"] > 2"), [4]);
    // What a profile has besides its properties.
    assert_eq!(passing("properties[\"$distinct_id\"] in [2, 4, 77]"), [2, 4]);
    assert_eq!(passing("user[\"$distinct_id\"] == 1 and properties[\"n\"] == 1"), [1]);
    assert_eq!(
        passing("properties[\"$last_seen\"] > \"2000-01-01T00:00:00\""),
        [1, 2, 4]
    );
    let search = PeopleFilter {
        search: Some("BAS".into()),
        ..PeopleFilter::default()
    };
    assert_eq!(numbers(asked(search, None).unwrap()), [2]);
    assert_eq!(
        numbers(asked(PeopleFilter::default(), Some(("n", true))).unwrap()),
        [4, 1, 2]
    );
    assert_eq!(
        numbers(asked(PeopleFilter::default(), Some(("plan", false))).unwrap()),
        [2, 1, 4]
    );
}

fn filter_of(expression: &str) -> PeopleFilter {
    PeopleFilter {
        expression: Some(Expression::parse(expression).unwrap()),
        ..PeopleFilter::default()
    }
}

/// Contract EN9: events in a window, of one name or several, each with a filter of its own.
#[test]
fn behaviours_count_events_of_whole_persons() {
    let world = world();
    let engine = world.engine();
    let behavior = |name: &str, selectors: &[(Option<&str>, Option<&str>)], minutes: (i64, i64)| Behavior {
        name: name.to_owned(),
        selectors: selectors
            .iter()
            .map(|(event, filter)| EventSelector {
                event: event.map(str::to_owned),
                filter: filter.map(|filter| Expression::parse(filter).unwrap()),
            })
            .collect(),
        from_ms: at(NOON) + minutes.0 * 60_000,
        to_ms: at(NOON) + minutes.1 * 60_000,
    };
    let passing = |expression: &str, behaviors: Vec<Behavior>| {
        let filter = PeopleFilter {
            behaviors,
            ..filter_of(expression)
        };
        let set = world.wait(engine.matching_people(&world.project, &filter, None, EventTime(0)));
        set.map(|set| set.slice(0, 9).into_iter().map(|person| person.0).collect::<Vec<_>>())
    };
    let all = |name: &str| behavior(name, &[(Some("E"), None)], (0, 60));
    // 3 was merged into 1, so these are 1's three events; 4 has a profile and no event, nobody counts nowhere.
    let count = "behaviors[\"b\"]";
    assert_eq!(passing(&format!("{count} == 3"), vec![all("b")]).unwrap(), [1]);
    assert_eq!(passing(&format!("{count} == 0"), vec![all("b")]).unwrap(), [4]);
    assert_eq!(
        passing(
            &format!("{count} > 0 and properties[\"plan\"] == \"basic\""),
            vec![all("b")]
        )
        .unwrap(),
        [2]
    );
    let window = behavior("b", &[(None, None)], (0, 30));
    assert_eq!(
        passing(&format!("{count} == 2"), vec![window]).unwrap(),
        [1],
        "the end is not in the window"
    );
    let filtered = behavior(
        "b",
        &[
            (Some("E"), Some("properties[\"plan\"] == \"pro\"")),
            (Some("Other"), None),
        ],
        (0, 60),
    );
    assert_eq!(passing(&format!("{count} == 1"), vec![filtered.clone()]).unwrap(), [1]);
    let twice = behavior("b", &[(Some("E"), None), (None, None)], (0, 60));
    assert_eq!(
        passing(&format!("{count} == 3"), vec![twice]).unwrap(),
        [1],
        "selected twice, counted once"
    );
    let two = vec![all("a"), filtered];
    assert_eq!(passing("behaviors[\"a\"] > behaviors[\"b\"]", two).unwrap(), [1, 2]);
    // One that did not come along is not set.
    assert_eq!(
        passing("not defined(behaviors[\"c\"])", vec![all("b")]).unwrap(),
        [1, 2, 4]
    );
    let faulty = behavior("b", &[(Some("E"), Some("properties[\"plan\"] and true"))], (0, 60));
    assert!(matches!(
        passing(&format!("{count} > 0"), vec![faulty]),
        Err(QueryError::Expression { .. })
    ));
}

#[test]
fn groups_are_filtered_sorted_and_paged() {
    let mut world = World::new("UTC");
    let group = |number: u64, name: &str, seats: f64| ProfileUpdate {
        subject: Subject::Group {
            key: "company".into(),
            number: GroupNumber(number),
        },
        op: ProfileOp::Set(vec![
            ("name".into(), text(name)),
            ("seats".into(), Value::Number(seats)),
        ]),
        ..set(1, Vec::new())
    };
    let updates = vec![
        group(7, "Acme", 5.0),
        group(3, "Globex", 9.0),
        set(1, vec![("name".into(), text("Acme"))]),
    ];
    world.append(Vec::new(), updates, Vec::new());
    let engine = world.engine();
    let matching = |key: &str, filter: PeopleFilter, order: Option<(&str, bool)>| {
        let order = order.map(|(property, descending)| (property.to_owned(), descending));
        let set = world.wait(engine.matching_groups(&world.project, key, &filter, order.as_ref(), EventTime(0)));
        set.unwrap()
            .slice(0, 9)
            .into_iter()
            .map(|group| group.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(matching("company", PeopleFilter::default(), None), [3, 7]);
    assert_eq!(
        matching("company", PeopleFilter::default(), Some(("seats", false))),
        [7, 3]
    );
    assert_eq!(matching("company", filter_of("properties[\"seats\"] > 5"), None), [3]);
    assert_eq!(
        matching("company", filter_of("properties[\"$distinct_id\"] == 7"), None),
        [7]
    );
    assert!(matching("team", PeopleFilter::default(), None).is_empty());
    let rows = engine.groups(&world.project, "company", &[GroupNumber(7), GroupNumber(8)]);
    let (rows, disclosure) = world.release(rows);
    assert_eq!((rows.len(), rows[0].group), (1, GroupNumber(7)));
    assert_eq!((disclosure.class, disclosure.persons.len()), (Class::D2, 0));
    assert_eq!(
        disclosure.fields.into_iter().collect::<Vec<_>>(),
        ["company", "name", "seats"]
    );
}

/// Piece by piece, each row once, and many at one instant too.
#[test]
fn events_come_in_pieces() {
    let mut world = World::new("UTC");
    let times = [5, 0, 0, 0, 3, 0, 5, 1];
    let mut events: Vec<_> = times
        .iter()
        .map(|minutes| event("E", 1, at(NOON) + minutes * 60_000))
        .collect();
    events[4].insert_id = Some(InsertId(44));
    world.append(events, Vec::new(), Vec::new());
    let engine = world.engine();
    let (mut behind, mut found) = (None, Vec::new());
    loop {
        let question = EventsQuery {
            behind,
            limit: 3,
            ..everything()
        };
        let (rows, _) = world.release(
            world
                .wait(engine.events(&world.project, &question, EventTime(0)))
                .unwrap(),
        );
        let Some(last) = rows.last() else { break };
        behind = Some((last.time, last.seq));
        found.extend(rows);
    }
    let minutes: Vec<i64> = found.iter().map(|row| (row.time.0 - at(NOON)) / 60_000).collect();
    assert_eq!(minutes, [0, 0, 0, 0, 1, 3, 5, 5]);
    let seqs: std::collections::BTreeSet<u64> = found.iter().map(|row| row.seq).collect();
    assert_eq!(seqs.len(), 8);
    let ids: Vec<Option<InsertId>> = found.iter().map(|row| row.insert_id).collect();
    assert_eq!(ids.iter().flatten().collect::<Vec<_>>(), [&InsertId(44)]);
    assert_eq!(ids[5], Some(InsertId(44)));
}

#[test]
fn explanations_say_what_was_asked_and_read() {
    let world = world();
    let report = report(
        json!({"range": {"from": "2026-03-10", "to": "2026-03-10"}, "question": {"kind": "insights",
        "unit": "day", "metrics": [{"event": "E", "measure": "unique"}]}}),
    );
    let (explained, disclosure) = world.ask(&world.engine(), &report, EventTime(0)).unwrap();
    let explanation = explained.explanation;
    assert_eq!(
        explanation.definition,
        "Distinct persons with \"E\", per day. From 2026-03-10 to 2026-03-10, days in UTC."
    );
    assert_eq!(
        explanation.watermark,
        world.store().snapshot(world.project.id).watermark()
    );
    assert_eq!(explanation.rows_read, query::ROWS_READ_STEP);
    let digest: String = ledger::digest_of(&report)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(explanation.digest, digest);
    assert_eq!(explanation.class, disclosure.class);
}

#[test]
fn too_large_questions_say_what_to_narrow() {
    let mut world = World::new("UTC");
    let events = (1..2_000).map(|person| event("E", person, at(NOON) + person as i64));
    world.append(events.collect(), Vec::new(), Vec::new());
    let report = report(
        json!({"range": {"from": "2026-03-01", "to": "2026-03-31"}, "question": {"kind": "retention",
        "born": {"event": "E"}, "returning": {}, "unit": "day", "intervals": 3}}),
    );
    let refused = world
        .ask(&world.engine_with(10_000), &report, EventTime(0))
        .map(|_| ())
        .unwrap_err();
    assert_eq!(refused.code(), model::ErrorCode::QueryTooLarge);
    assert!(refused.to_string().contains("narrow the range"), "{refused}");
    assert!(world.ask(&world.engine(), &report, EventTime(0)).is_ok());
}

#[test]
fn a_dropped_question_leaves_the_engine_well() {
    let world = world();
    let engine = world.engine();
    let question = everything();
    world.wait(async {
        let asked = engine.events(&world.project, &question, EventTime(0));
        tokio::select! {
            biased;
            _ = std::future::ready(()) => {}
            _ = asked => {}
        }
    });
    assert_eq!(minutes(&world, &question).len(), 5);
}

//! Cohorts, computed properties, lookup tables and groups by hand: what each rule finds, and what is refused.

use crate::world::{World, at, event, report, set};
use ledger::Class;
use model::cohort::{Cohort, Frozen};
use model::definitions::{Definitions, LookupTable};
use model::report::{Answer, Report};
use model::{DefinitionError, EventTime, Expression, GroupNumber, PersonNumber, ProfileUpdate, Subject, Value};
use query::{PeopleFilter, QueryError, SqlQuestion};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

const NOON: &str = "2026-03-10T12:00:00Z";
const HOUR_MS: i64 = 3_600_000;

fn now() -> EventTime {
    EventTime(at(NOON))
}

fn cohort(rule: Json) -> Cohort {
    serde_json::from_value(json!({ "rule": rule })).unwrap()
}

/// Person 1 does A three times, 2 once, long ago; 3 does A then B, 4 only B; 5 has a profile only. 6 was merged into 1.
fn world() -> World {
    let mut world = World::new("UTC");
    let time = at(NOON);
    let mut events = vec![
        event("A", 1, time),
        event("A", 1, time - HOUR_MS),
        event("A", 6, time - 2 * HOUR_MS),
        event("A", 2, time - 40 * 24 * HOUR_MS),
        event("A", 3, time - 3 * HOUR_MS),
        event("B", 3, time - 2 * HOUR_MS),
        event("B", 4, time - 24 * HOUR_MS),
        event("B", 0, time),
    ];
    events[0].groups = vec![("company".into(), vec![GroupNumber(1)])];
    events[5].groups = vec![("company".into(), vec![GroupNumber(1), GroupNumber(2), GroupNumber(2)])];
    events[6].properties = vec![("plan".into(), Value::String("pro".into()))];
    let industry = |number: u64, industry: &str| ProfileUpdate {
        subject: Subject::Group {
            key: "company".into(),
            number: GroupNumber(number),
        },
        ..set(0, vec![("industry".into(), Value::String(industry.into()))])
    };
    let profiles = vec![
        set(5, vec![("plan".into(), Value::String("pro".into()))]),
        set(1, vec![("plan".into(), Value::String("free".into()))]),
        industry(1, "music"),
        industry(2, "film"),
    ];
    world.append(events, profiles, Vec::new());
    world.append(Vec::new(), Vec::new(), vec![(PersonNumber(6), PersonNumber(1))]);
    world.store().flush().unwrap();
    world.read_profiles();
    world
}

/// Numbers of the members, by the engine and by the reference.
fn members(world: &World, cohort: &Cohort) -> Vec<u64> {
    let of_engine = world.cohort(&world.engine(), cohort, now()).unwrap();
    let of_reference = reference::cohort(cohort, "UTC", &world.history, now()).unwrap();
    assert_eq!(of_engine, of_reference.into_iter().collect::<Vec<_>>());
    of_engine.into_iter().map(|person| person.0).collect()
}

#[test]
fn every_rule_finds_its_persons() {
    let world = world();
    let did = |event: &str, count: Json, when: Json| json!({"kind": "did", "events": {"event": event}, "count": count, "when": when});
    let cases = [
        (did("A", json!({"at_least": 1}), json!("ever")), vec![1, 2, 3]),
        (did("A", json!({"at_least": 3}), json!("ever")), vec![1]),
        (did("A", json!({"exactly": 1}), json!({"last_days": 30})), vec![3]),
        (did("A", json!({"exactly": 0}), json!({"last_days": 30})), vec![2, 4, 5]),
        (did("A", json!({"at_most": 1}), json!("ever")), vec![2, 3, 4, 5]),
        (did("B", json!({"at_least": 1}), json!({"last_days": 1})), vec![3]),
        (
            did(
                "B",
                json!({"at_least": 1}),
                json!({"range": {"from": "2026-03-09", "to": "2026-03-09"}}),
            ),
            vec![4],
        ),
        (
            json!({"kind": "not", "rule": did("B", json!({"at_least": 1}), json!("ever"))}),
            vec![1, 2, 5],
        ),
        (
            json!({"kind": "all", "rules": [did("A", json!({"at_least": 1}), json!("ever")),
                {"kind": "not", "rule": did("B", json!({"at_least": 1}), json!("ever"))}]}),
            vec![1, 2],
        ),
        (
            json!({"kind": "any", "rules": [did("A", json!({"at_least": 2}), json!("ever")),
                {"kind": "profile", "filter": "properties[\"plan\"] == \"pro\""}]}),
            vec![1, 5],
        ),
        (
            json!({"kind": "profile", "filter": "not defined(user[\"plan\"])"}),
            vec![2, 3, 4],
        ),
        (
            json!({"kind": "sequence", "steps": [{"event": "A"}, {"event": "B"}], "window_ms": HOUR_MS, "when": "ever"}),
            vec![3],
        ),
        (
            json!({"kind": "sequence", "steps": [{"event": "A"}, {"event": "A"}, {"event": "A"}],
                "window_ms": 2 * HOUR_MS, "when": {"last_days": 1}}),
            vec![1],
        ),
        (json!({"kind": "persons", "persons": [6, 0, 2, 99]}), vec![1, 2, 99]),
        (
            json!({"kind": "cell", "cell": {"kind": "funnel", "step": 0, "side": "dropped_off"},
                "report": {"range": {"from": "2026-01-01", "to": "2026-03-10"}, "question": {"kind": "funnel",
                    "steps": [{"event": "A"}, {"event": "B"}], "window_ms": HOUR_MS}}}),
            vec![1, 2],
        ),
        (
            json!({"kind": "did", "events": {"filter": "\"film\" in group[\"company\"][\"industry\"]"},
                "count": {"at_least": 1}, "when": "ever"}),
            vec![3],
        ),
    ];
    for (rule, expected) in cases {
        assert_eq!(members(&world, &cohort(rule.clone())), expected, "{rule}");
    }
}

#[test]
fn frozen_members_follow_merges() {
    let world = world();
    let mut frozen = cohort(json!({"kind": "persons", "persons": []}));
    frozen.frozen = Some(Frozen::new(EventTime(5), [4, 6].into_iter().map(PersonNumber)));
    assert_eq!(members(&world, &frozen), [1, 4]);
}

#[test]
fn small_cohorts_are_disclosed_with_their_size() {
    let mut world = world();
    let size = |world: &World, cohort: &Cohort| {
        let size = world
            .wait(world.engine().cohort_size(&world.project, cohort, now()))
            .unwrap();
        let (size, disclosure) = world.release(size);
        (size, disclosure.class, disclosure.persons.len())
    };
    let did_a = cohort(json!({"kind": "did", "events": {"event": "A"}, "count": {"at_least": 1}, "when": "ever"}));
    assert_eq!(size(&world, &did_a), (3, Class::D1, 3));
    let none = cohort(json!({"kind": "did", "events": {"event": "C"}, "count": {"at_least": 1}, "when": "ever"}));
    assert_eq!(size(&world, &none), (0, Class::D0, 0));
    world.append(
        (10..20).map(|person| event("A", person, 0)).collect(),
        Vec::new(),
        Vec::new(),
    );
    assert_eq!(size(&world, &did_a), (13, Class::D0, 0));
}

fn definitions() -> Definitions {
    let formula = |text: &str| Expression::parse(text).unwrap();
    let table = "plan,price,label\npro,20,Big\nfree,0,\n";
    Definitions {
        cohorts: BTreeMap::from([
            (
                1,
                cohort(
                    json!({"kind": "did", "events": {"event": "A"}, "count": {"at_least": 1}, "when": {"last_days": 30}}),
                ),
            ),
            (
                2,
                cohort(json!({"kind": "not", "rule": {"kind": "cohort", "cohort": 1}})),
            ),
            (3, cohort(json!({"kind": "cohort", "cohort": 4}))),
            (4, cohort(json!({"kind": "cohort", "cohort": 3}))),
            (5, cohort(json!({"kind": "profile", "filter": "cohort(1)"}))),
        ]),
        computed: BTreeMap::from([
            ("price".into(), formula(r#"lookup("plans", "price", user["plan"])"#)),
            ("with tax".into(), formula(r#"computed["price"] * 1.5"#)),
            ("a".into(), formula(r#"computed["b"]"#)),
            ("b".into(), formula(r#"computed["a"]"#)),
        ]),
        lookups: BTreeMap::from([("plans".into(), LookupTable::from_csv(table).unwrap())]),
    }
}

fn uniques_by(breakdown: &str) -> Report {
    report(
        json!({"range": {"from": "2026-01-01", "to": "2026-03-10"}, "question": {"kind": "insights",
        "unit": "month", "breakdown": [breakdown], "metrics": [{"measure": "total"}]}}),
    )
}

fn segments(world: &World, breakdown: &str) -> Vec<(Json, f64)> {
    let report = uniques_by(breakdown);
    let (explained, _) = world.ask(&world.engine(), &report, now()).unwrap();
    assert_eq!(
        explained.answer,
        world.reference(&report, now()).unwrap(),
        "{breakdown}"
    );
    let Answer::Insights(insights) = explained.answer else {
        panic!("not insights")
    };
    let series = insights.series.iter();
    series
        .map(|series| (json!(series.segment[0]), series.total.unwrap()))
        .collect()
}

/// An answer is kept under what its names stood for: it is found again as long as that stays, and no longer.
#[test]
fn kept_answers_follow_definitions() {
    let mut world = world();
    world.define(definitions());
    let engine = world.engine();
    let ask = |world: &World, breakdown: &str, now: EventTime| {
        let (explained, _) = world.ask(&engine, &uniques_by(breakdown), now).unwrap();
        assert_eq!(
            explained.answer,
            world.reference(&uniques_by(breakdown), now).unwrap(),
            "{breakdown}"
        );
        explained.explanation.from_cache
    };
    let (price, regulars) = (r#"computed["with tax"]"#, "cohort(1)");
    let later = |ms: i64| EventTime(now().0 + ms);
    assert!(!ask(&world, price, now()) && ask(&world, price, now()));
    assert!(!ask(&world, regulars, later(1)) && ask(&world, regulars, later(1)));
    // The same minute, and the one after: what happened 30 days before comes out of "the last 30 days".
    assert!(ask(&world, regulars, later(59_000)));
    assert!(!ask(&world, regulars, later(60_001)));

    let mut changed = definitions();
    changed.computed.insert("price".into(), Expression::parse("2").unwrap());
    world.define(changed.clone());
    assert!(!ask(&world, price, now()) && ask(&world, price, now()));
    changed
        .lookups
        .insert("plans".into(), LookupTable::from_csv("plan,price\npro,30\n").unwrap());
    changed.computed = definitions().computed;
    world.define(changed.clone());
    assert!(!ask(&world, price, now()));
    changed.cohorts.insert(
        1,
        cohort(json!({"kind": "did", "events": {"event": "B"}, "count": {"at_least": 1}, "when": "ever"})),
    );
    world.define(changed);
    assert!(!ask(&world, regulars, later(1)) && ask(&world, regulars, later(1)));
}

/// What statements see of cohorts is who is in them, and only those asked about are found out.
#[test]
fn statements_see_members() {
    let mut world = world();
    world.define(definitions());
    let engine = world.engine();
    let ask = |sql: &str| {
        let question = SqlQuestion {
            sql: sql.to_owned(),
            limit: 100,
        };
        let answered = world.wait(engine.sql(&world.project, &question, Class::D3, now()))?;
        let (outcome, disclosure) = world.release(answered);
        Ok::<_, QueryError>((outcome.unwrap().rows.rows, disclosure))
    };
    let (rows, disclosure) =
        ask("select cohort, name, person from cohorts where cohort in (1, 2) order by 1, 3").unwrap();
    let expected = json!([
        [1, "cohort number 1", 1],
        [1, "cohort number 1", 3],
        [2, "cohort number 2", 2],
        [2, "cohort number 2", 4],
        [2, "cohort number 2", 5]
    ]);
    assert_eq!(json!(rows), expected);
    assert_eq!(disclosure.class, Class::D2);
    assert_eq!(disclosure.persons.iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let (rows, disclosure) = ask("select count(distinct person) from cohorts where name = 'cohort number 1'").unwrap();
    assert_eq!(json!(rows), json!([[2]]));
    assert_eq!((disclosure.class, disclosure.persons.len()), (Class::D1, 2));
    let joined = "select count(*) from events join cohorts using (person) where cohort = 1 and event = 'A'";
    assert_eq!(json!(ask(joined).unwrap().0), json!([[4]]));
    // Cohorts 3 and 4 are in a circle: whoever asks about all of them is told so.
    let circle = ask("select count(*) from cohorts").unwrap_err();
    assert!(circle.to_string().contains("circle"), "{circle}");
}

/// All but one differ from all by that one, however many they are: who is asked around is disclosed.
#[test]
fn whoever_is_named_by_a_cohort_is_disclosed() {
    let mut world = world();
    world.append(
        (10..40).map(|person| event("A", person, at(NOON))).collect(),
        Vec::new(),
        Vec::new(),
    );
    let listed = |persons: std::ops::Range<u64>| json!({"kind": "persons", "persons": persons.collect::<Vec<_>>()});
    let not = |rule: Json| json!({"kind": "not", "rule": rule});
    world.define(Definitions {
        cohorts: BTreeMap::from([
            (1, cohort(not(listed(11..12)))),
            (2, cohort(not(listed(11..23)))),
            (3, cohort(not(json!({"kind": "cohort", "cohort": 1})))),
            (
                4,
                cohort(not(
                    json!({"kind": "profile", "filter": r#"properties["$distinct_id"] == 12"#}),
                )),
            ),
        ]),
        ..Definitions::default()
    });
    let engine = world.engine();
    let of = |filter: &str| {
        let asked = json!({"range": {"from": "2026-03-10", "to": "2026-03-10"}, "filter": filter, "question": {
            "kind": "insights", "unit": "day", "metrics": [{"measure": "unique", "event": "A"}]}});
        let (_, disclosure) = world.ask(&engine, &report(asked), now()).unwrap();
        (disclosure.class, disclosure.persons.iter().collect::<Vec<_>>())
    };
    assert_eq!(of("event[\"$event\"] == \"A\""), (Class::D0, vec![]));
    assert_eq!(of("cohort(1)"), (Class::D1, vec![11]));
    assert_eq!(of("cohort(2)"), (Class::D0, vec![]), "twelve are a crowd");
    assert_eq!(of("not cohort(3)"), (Class::D1, vec![11]));
    assert_eq!(of("cohort(4)"), (Class::D1, vec![12]));
    let question = SqlQuestion {
        sql: "select count(distinct person) from events join cohorts using (person) where cohort = 1".into(),
        limit: 10,
    };
    let answered = world
        .wait(engine.sql(&world.project, &question, Class::D3, now()))
        .unwrap();
    let (_, disclosure) = world.release(answered);
    assert_eq!(
        (disclosure.class, disclosure.persons.iter().collect::<Vec<_>>()),
        (Class::D1, vec![11])
    );
}

#[test]
fn names_are_values_in_every_report() {
    let mut world = world();
    world.define(definitions());
    // Nobody's event is in no cohort.
    assert_eq!(segments(&world, "cohort(1)"), [(json!(true), 5.0), (json!(false), 3.0)]);
    assert_eq!(segments(&world, "cohort(2)"), [(json!(false), 6.0), (json!(true), 2.0)]);
    assert_eq!(
        segments(&world, r#"string(computed["with tax"], "none")"#),
        [(json!("none"), 5.0), (json!("0"), 3.0)]
    );
    assert_eq!(
        segments(&world, r#"lookup("plans", "label", properties["plan"])"#),
        [(json!(null), 7.0), (json!("Big"), 1.0)]
    );
    assert_eq!(
        segments(&world, r#"group["company"]["industry"]"#),
        [(json!(null), 6.0), (json!("music"), 2.0), (json!("film"), 1.0)]
    );
}

#[test]
fn questions_in_words_explain_their_cohorts() {
    let mut world = world();
    world.define(definitions());
    let (explained, disclosure) = world.ask(&world.engine(), &uniques_by("cohort(2)"), now()).unwrap();
    let words = explained.explanation.definition;
    assert!(
        words.ends_with(
            "cohort(2) is \"cohort number 2\": Persons who are not among those who are in cohort 1, \"cohort number 1\"."
        ),
        "{words}"
    );
    assert!(disclosure.fields.contains("cohort(2)"));
}

#[test]
fn what_is_not_saved_is_refused_with_where_and_why() {
    let mut world = world();
    world.define(definitions());
    let refused = |breakdown: &str| match world.ask(&world.engine(), &uniques_by(breakdown), now()) {
        Err(QueryError::Definition { error, at }) => (error, at),
        Err(other) => panic!("{breakdown}: {other}"),
        Ok(_) => panic!("{breakdown} has an answer"),
    };
    let at = || Some("/question/breakdown/0".to_owned());
    assert_eq!(refused("cohort(9)"), (DefinitionError::UnknownCohort(9), at()));
    assert_eq!(
        refused(r#"computed["x"]"#),
        (DefinitionError::UnknownComputed("x".into()), at())
    );
    assert_eq!(
        refused(r#"lookup("plans", "x", 1)"#).0.to_string(),
        "the lookup table \"plans\" has no column \"x\""
    );
    assert_eq!(
        refused(r#"computed["a"]"#).0,
        DefinitionError::ComputedCircle("a → b → a".into())
    );
    assert_eq!(
        refused("cohort(3)").0,
        DefinitionError::CohortCircle("3 → 4 → 3".into())
    );
    assert_eq!(refused("cohort(5)").0, DefinitionError::CohortInCohort(1));
}

#[test]
fn people_are_found_by_cohort() {
    let mut world = world();
    world.define(definitions());
    let filter = PeopleFilter {
        expression: Some(Expression::parse("cohort(1)").unwrap()),
        ..PeopleFilter::default()
    };
    let engine = world.engine();
    let found = engine.matching_people(&world.project, &filter, None, now());
    assert_eq!(world.wait(found).unwrap().slice(0, 9), [PersonNumber(1)]);
}

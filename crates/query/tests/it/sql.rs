//! SQL: the same numbers as reports and plain loops, nothing but reading, and never too low a class.

use crate::world::{World, at, event, report, set};
use ledger::Class;
use model::report::Answer;
use model::{Event, EventTime, GroupNumber, PersonNumber, ProfileOp, ProfileUpdate, Subject, Value};
use query::{QueryError, SqlQuestion, SqlRows};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// 30 persons: everybody does A once with a plan and a price, 1 to 4 do B twice; nobody does A once. Person 31 was merged
/// into 1. Persons 1 … 12 have profiles.
fn world() -> World {
    let mut world = World::new("UTC");
    let noon = at("2026-03-10T12:00:00Z");
    let with = |mut made: Event, properties: &[(&str, Value)]| {
        made.properties = properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        made
    };
    let mut events: Vec<Event> = (1..=30)
        .map(|person| {
            let plan = if person <= 20 {
                "pro"
            } else if person <= 27 {
                "free"
            } else {
                "rare"
            };
            let properties = [
                ("plan", Value::String(plan.into())),
                ("price", Value::Number(person as f64)),
            ];
            with(event("A", person, noon + person as i64 * 60_000), &properties)
        })
        .collect();
    for person in 1..=4 {
        for minute in 0..2 {
            let marked = [
                ("vip", Value::Number(f64::from(u8::from(person == 2)))),
                ("plan", Value::Number(7.0)),
            ];
            events.push(with(event("B", person, noon + minute * 60_000), &marked));
        }
    }
    events[0]
        .groups
        .push(("company".into(), vec![GroupNumber(5), GroupNumber(6)]));
    events.push(event("A", 0, noon));
    events.push(event("B", 31, noon + 86_400_000));
    let role = |person| if person == 3 { "chief" } else { "member" };
    let mut profiles: Vec<ProfileUpdate> = (1..=12)
        .map(|person| set(person, vec![("role".into(), Value::String(role(person).into()))]))
        .collect();
    profiles.push(ProfileUpdate {
        subject: Subject::Group {
            key: "company".into(),
            number: GroupNumber(5),
        },
        op: ProfileOp::Set(vec![("seats".into(), Value::Number(40.0))]),
        time: EventTime(noon),
        touches_last_seen: true,
    });
    world.append(events, profiles, Vec::new());
    world.append(Vec::new(), Vec::new(), vec![(PersonNumber(31), PersonNumber(1))]);
    world
}

struct Released {
    rows: SqlRows,
    class: Class,
    persons: Vec<u64>,
    fields: BTreeSet<String>,
}

fn ask_up_to(world: &World, sql: &str, limit: usize) -> Result<Released, QueryError> {
    let question = SqlQuestion {
        sql: sql.to_owned(),
        limit,
    };
    let answered = world.wait(world.engine().sql(&world.project, &question, Class::D3, EventTime(0)))?;
    let (outcome, disclosure) = world.release(answered);
    let explained = outcome.map_err(QueryError::Sql)?;
    assert_eq!(explained.explanation.class, disclosure.class);
    Ok(Released {
        rows: explained.rows,
        class: disclosure.class,
        persons: disclosure.persons.iter().collect(),
        fields: disclosure.fields,
    })
}

fn ask(world: &World, sql: &str) -> Released {
    ask_up_to(world, sql, 1_000).unwrap_or_else(|error| panic!("{sql}\n{error:?}"))
}

fn rows(world: &World, sql: &str) -> Vec<Vec<Json>> {
    ask(world, sql).rows.rows
}

#[test]
fn numbers_are_those_of_plain_loops() {
    let world = world();
    for (sql, expected) in [
        ("select count(*) from events", json!([[40]])),
        // Nobody is not a person, and merged persons are one.
        (
            "select count(distinct person), count(person) from events",
            json!([[30, 39]]),
        ),
        (
            "select event, count(*) c, count(distinct person) p from events group by event order by event",
            json!([["A", 31, 30], ["B", 9, 4]]),
        ),
        (
            "select plan, count(*) from events where event = 'A' and plan is not null group by 1 order by 1",
            json!([["free", 7], ["pro", 20], ["rare", 3]]),
        ),
        (
            "select sum(price), avg(price), max(price) from events where plan = 'pro'",
            json!([[210, 10.5, 20]]),
        ),
        (
            "select \"plan:number\", count(*) from events where event = 'B' and \"plan:number\" = 7 group by 1",
            json!([[7, 8]]),
        ),
        (
            "select count(*) from events where time >= '2026-03-10T12:10:00Z' and time < timestamp '2026-03-10 12:20:00'",
            json!([[10]]),
        ),
        (
            "select date_trunc('day', time) as day, count(*) from events group by day order by day",
            json!([["2026-03-10T00:00:00.000Z", 39], ["2026-03-11T00:00:00.000Z", 1]]),
        ),
        (
            "select p.role, count(*) from events e join persons p on e.person = p.person group by 1 order by 1",
            json!([["chief", 3], ["member", 18]]),
        ),
        (
            "select company from events where company is not null",
            json!([[[5, 6]]]),
        ),
        ("select key, \"group\", seats from groups", json!([["company", 5, 40]])),
        (
            "select person, role from persons where person in (2, 3) order by person",
            json!([[2, "member"], [3, "chief"]]),
        ),
        (
            "with few as (select person from events where event = 'B') select count(distinct person) from few",
            json!([[4]]),
        ),
        (
            "select person, row_number() over (partition by person order by time) n from events where event = 'B' and person = 2 order by n",
            json!([[2, 1], [2, 2]]),
        ),
    ] {
        assert_eq!(Json::from_iter(rows(&world, sql)), expected, "{sql}");
    }
}

#[test]
fn numbers_are_those_of_reports() {
    let world = crate::random::life(&mut fastrand::Rng::with_seed(3), 300, 25).play();
    let engine = world.engine();
    let range = json!({"from": "2026-03-01", "to": "2026-04-30"});
    for (measure, sql) in [("total", "count(*)"), ("unique", "count(distinct person)")] {
        let asked = report(json!({"range": range, "timezone": "UTC", "question":
            {"kind": "insights", "unit": "day", "breakdown": ["$event_name"], "metrics": [{"measure": measure}]}}));
        let (explained, _) = world
            .ask(&engine, &asked, EventTime(at("2027-01-01T00:00:00Z")))
            .unwrap();
        let Answer::Insights(insights) = explained.answer else {
            panic!()
        };
        let mut expected = BTreeMap::new();
        for series in &insights.series {
            let name = series.segment[0].clone().unwrap();
            for (bucket, value) in insights.buckets.iter().zip(&series.values) {
                if let Some(value) = value.filter(|value| *value > 0.0) {
                    expected.insert((name.as_str().unwrap().to_owned(), bucket.clone()), value as i64);
                }
            }
        }
        let sql = format!(
            "select event, date_trunc('day', time) d, {sql} from events
             where time >= '2026-03-01' and time < '2026-05-01' group by event, d"
        );
        let got: BTreeMap<_, _> = ask(&world, &sql)
            .rows
            .rows
            .iter()
            .map(|row| {
                let day = row[1].as_str().unwrap()[..10].to_owned();
                ((row[0].as_str().unwrap().to_owned(), day), row[2].as_i64().unwrap())
            })
            .filter(|(_, count)| *count > 0)
            .collect();
        assert_eq!(got, expected, "{measure}");
    }
}

#[test]
fn counting_crowds_is_d0() {
    let world = world();
    for sql in [
        "select count(*) from events",
        "select 1",
        "select count(distinct person) from events where event = 'A'",
        "select plan, count(*), avg(price) from events where plan = 'pro' group by plan",
        "select date_trunc('day', time), count(*) from events where event = 'A' group by 1",
        "select event, count(*) from events group by event having count(distinct person) >= 10",
        "select plan, n * 2 as n from (select plan, count(*) as n from events group by plan having count(distinct person) > 19) order by n limit 3",
        "select event, count(*) from events e group by event having count(distinct e.person) >= 10 and count(*) > 1",
        "select role, count(*) from persons group by role having count(distinct person) >= 11",
        "select p.role, count(*) from persons p left join events e on p.person = e.person group by 1 having count(distinct p.person) >= 11",
        "select distinct plan from events where plan = 'pro'",
        "select sum(n) over (order by plan) from (select plan, count(*) n from events where plan = 'pro' group by plan)",
        "select count(*) from events where event = 'nothing'",
        "select event, count(*) from events where event = 'A' group by rollup(event)",
    ] {
        let released = ask(&world, sql);
        assert_eq!((released.class, released.persons), (Class::D0, vec![]), "{sql}");
        assert!(released.fields.is_empty());
    }
}

#[test]
fn small_cells_are_d1_with_their_persons() {
    let world = world();
    let seven: Vec<u64> = (21..=27).collect();
    for (sql, expected) in [
        ("select count(*) from events where event = 'B'", vec![1, 2, 3, 4]),
        ("select count(*) from events where plan = 'free'", seven.clone()),
        // A group that LIMIT or HAVING takes away was computed, and its absence tells.
        (
            "select plan, count(*) c from events where plan <> 'rare' group by plan order by c desc limit 1",
            seven.clone(),
        ),
        (
            "select plan from events where plan <> 'rare' group by plan having count(*) <> 7",
            seven.clone(),
        ),
        (
            "select plan from events where plan <> 'rare' group by plan having count(distinct person) >= 5",
            seven.clone(),
        ),
        (
            "select plan from events where plan <> 'rare' group by plan having 7 < count(distinct person)",
            seven,
        ),
        // Of the group of thirty, few have the value that is counted.
        ("select count(vip) from events", vec![1, 2, 3, 4]),
        ("select sum(vip) from events", vec![2]),
        (
            "select count(*) filter (where plan = 'rare'), count(*) from events",
            vec![28, 29, 30],
        ),
        ("select count(distinct \"plan:number\") from events", vec![1, 2, 3, 4]),
        (
            "select distinct plan from events where plan in ('pro', 'rare')",
            vec![28, 29, 30],
        ),
        (
            "select plan from events where plan in ('pro', 'rare') union all select 'x'",
            (1..=30).filter(|p| *p <= 20 || *p >= 28).collect(),
        ),
        (
            "select role, count(*) from persons where role = 'chief' group by role",
            vec![3],
        ),
        ("select sum(cast(vip as bigint)) from events", vec![2]),
        (
            "select p.role, count(*) from events e join persons p using (person) where p.role = 'chief' group by 1",
            vec![3],
        ),
    ] {
        let released = ask(&world, sql);
        let class = if sql.contains("union") { Class::D2 } else { Class::D1 };
        assert_eq!((released.class, released.persons), (class, expected), "{sql}");
        assert!(!released.fields.is_empty(), "{sql}");
    }
}

#[test]
fn rows_are_d2_with_the_persons_sent() {
    let world = world();
    for (sql, limit, expected) in [
        (
            "select person from events where event = 'B' order by time, person",
            3,
            vec![1, 2, 3],
        ),
        ("select plan from events where person = 5", 10, vec![5]),
        (
            "select plan from (select * from events e where e.event = 'A') x order by x.price desc nulls last limit 2",
            10,
            vec![29, 30],
        ),
        ("select role from persons where role = 'chief'", 10, vec![3]),
        (
            "select person + 1 from events where event = 'A' and price < 3",
            10,
            vec![1, 2],
        ),
        (
            "select count(*) from events where event = 'nothing' and person = 1",
            10,
            vec![],
        ),
    ] {
        let released = ask_up_to(&world, sql, limit).unwrap();
        assert_eq!((released.class, released.persons), (Class::D2, expected), "{sql}");
    }
    let released = ask_up_to(
        &world,
        "select person, plan from events where event = 'A' and person = 9",
        10,
    )
    .unwrap();
    assert_eq!(released.fields, ["event", "person", "plan"].map(str::to_owned).into());
}

/// Ways to bring single persons out as if they were numbers. Each must be D2, with the persons it is about.
#[test]
fn attacks_are_d2() {
    let world = world();
    for (sql, about) in [
        (
            "select array_agg(person) from events where event = 'B'",
            vec![1, 2, 3, 4],
        ),
        (
            "select string_agg(cast(person as varchar), ',') from events where event = 'B'",
            vec![1, 2, 3, 4],
        ),
        ("select count(*) from events group by person", (1..=30).collect()),
        (
            "select count(*) c from events group by person order by person limit 1",
            (1..=30).collect(),
        ),
        ("select max(person) from events", (1..=30).collect()),
        ("select sum(person) from events", (1..=30).collect()),
        (
            "select sum(x) from (select person as x from events) t",
            (1..=30).collect(),
        ),
        (
            "select sum(case when person = 5 then 1 else 0 end) from events",
            (1..=30).collect(),
        ),
        (
            "select count(*) filter (where person = 5) from events",
            (1..=30).collect(),
        ),
        (
            "select sum(x) from (select case when vip = 1 then 1 else 2 end x from events where event = 'A') t",
            (1..=30).collect(),
        ),
        ("select count(*) from events where person = 5", vec![5]),
        (
            "select count(*) from events where person % 7 = 3 and event = 'A'",
            vec![3, 10, 17, 24],
        ),
        (
            "select count(*) from events where plan in (select plan from events where person = 28)",
            (1..=30).collect(),
        ),
        (
            "select (select count(*) from events where event = 'B'), count(*) from events",
            (1..=30).collect(),
        ),
        (
            "select min(price), max(price) from events where event = 'A'",
            (1..=30).collect(),
        ),
        (
            "select first_value(price order by time) from events where event = 'A'",
            (1..=30).collect(),
        ),
        (
            "select lag(plan) over (order by time) from events where event = 'A'",
            (1..=30).collect(),
        ),
        (
            "select rank() over (order by person) from events where event = 'B'",
            vec![1, 2, 3, 4],
        ),
        ("select distinct person from events where event = 'B'", vec![1, 2, 3, 4]),
        (
            "select count(*) from (select person from events group by person having count(*) > 1) x",
            (1..=30).collect(),
        ),
        (
            "select count(*) from events e join (select person as referrer, price from events) r on e.price = r.referrer",
            (1..=30).collect(),
        ),
        (
            "select count(*) from (select price as person from events where event = 'A') x join events e on x.person = e.person",
            (1..=30).collect(),
        ),
        (
            "select count(b.event) from events a join events b on a.person = a.person where b.event = 'B'",
            (1..=30).collect(),
        ),
        (
            "select count(b.event) from events a join events b on a.person = b.person or a.price > 0 where b.event = 'B'",
            (1..=30).collect(),
        ),
        (
            "select count(*) from events a, events b where a.event = 'B' and b.event = 'B'",
            vec![1, 2, 3, 4],
        ),
        (
            "select count(*) from events group by coalesce(person, 0)",
            (1..=30).collect(),
        ),
        ("select unnest(company) from events", (1..=30).collect()),
        (
            "select count(*) from events where exists (select 1 from persons p where p.person = events.person and p.role = 'chief')",
            (1..=30).collect(),
        ),
        (
            "select avg(price) from (select price from events where event = 'A' order by time limit 2) x",
            vec![1],
        ),
        (
            "select sum(price order by time) from events where event = 'A'",
            (1..=30).collect(),
        ),
        (
            "select stddev(distinct price) from events where event = 'A'",
            (1..=30).collect(),
        ),
    ] {
        let released = match ask_up_to(&world, sql, 1_000) {
            Ok(released) => released,
            Err(QueryError::Sql(_)) => continue,
            Err(other) => panic!("{sql}\n{other:?}"),
        };
        assert_eq!(released.class, Class::D2, "{sql}");
        let noted: BTreeSet<u64> = released.persons.into_iter().collect();
        let missing: Vec<&u64> = about.iter().filter(|person| !noted.contains(person)).collect();
        assert!(missing.is_empty(), "{sql}\nmissed {missing:?}, noted {noted:?}");
    }
}

#[test]
fn groups_are_rows_without_persons() {
    let released = ask(&world(), "select count(*) from groups");
    assert_eq!((released.class, released.persons), (Class::D2, vec![]));
}

/// What a sign-in may not see is not run: a failure on the way would tell it.
#[test]
fn statements_above_the_clearance_are_not_run() {
    let world = world();
    let divided = "select 1 / (case when person = 2 and event = 'B' then 0 else 1 end) from events";
    let question = SqlQuestion {
        sql: divided.into(),
        limit: 10,
    };
    let answered = world
        .wait(world.engine().sql(&world.project, &question, Class::D0, EventTime(0)))
        .unwrap();
    assert_eq!(answered.disclosure().class, Class::D2);
    let (outcome, _) = world.release(answered);
    assert_eq!(outcome.unwrap().rows, SqlRows::default());
}

#[test]
fn failures_on_the_way_hold_no_values() {
    let world = world();
    for sql in [
        "select cast(plan as bigint) from events where event = 'A'",
        "select 1 / (cast(price as bigint) - 3) from events where event = 'A'",
        "select to_timestamp(plan) from events where event = 'A'",
    ] {
        // More rows than there are: a limit that is reached before the fault ends the statement without it.
        match ask_up_to(&world, sql, 1_000).err() {
            Some(QueryError::Sql(fault)) => {
                assert!(
                    !fault.message.contains("pro") && !fault.message.contains("free"),
                    "{}",
                    fault.message
                );
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[test]
fn nothing_but_one_select_is_taken() {
    let world = world();
    for sql in [
        "",
        "   -- nothing",
        "insert into events select * from events",
        "update events set event = 'x'",
        "delete from events",
        "create table t as select 1",
        "create view v as select 1",
        "drop table events",
        "copy events to '/tmp/x'",
        "copy (select * from events) to '/tmp/x.csv'",
        "create external table t stored as csv location '/etc/passwd'",
        "set datafusion.execution.batch_size = 1",
        "reset datafusion.execution.batch_size",
        "show tables",
        "show all",
        "describe events",
        "explain select 1",
        "explain analyze select * from events",
        "prepare p as select 1",
        "select 1; select 2",
        "select 1; drop table events",
        "select * from information_schema.tables",
        "select * from information_schema.df_settings",
        "select * from pg_catalog.pg_class",
        "select * from public.events",
        "select * from generate_series(1, 10)",
        "select * from range(10)",
        "select * from '/etc/passwd'",
        "select * from \"/etc/passwd.csv\"",
        "select * into t from events",
        "select * from events for update",
        "with recursive r as (select 1 union all select * from r) select * from r",
        "with x as (insert into events select 1) select * from x",
        "select repeat('x', 1000000000)",
        "select lpad('x', 1000000000, 'y')",
        "select random() from events",
        "select version()",
        "select crowd(person) from events",
        "select approx_distinct(person) from events",
        "select @@version",
        "select $1",
        "select \"\u{1}person\" from events",
        "select nothing from events",
        "select foo(1)",
        "selec 1",
        "select * from users",
    ] {
        // More rows than there are: a limit that is reached before the fault ends the statement without it.
        match ask_up_to(&world, sql, 1_000).err() {
            Some(QueryError::Sql(fault)) => {
                assert!(fault.position.is_some() || sql.is_empty(), "{sql}: {}", fault.message);
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[test]
fn faults_say_where() {
    let world = world();
    for (sql, line, column, words) in [
        ("select *\nfrom events\nwhere plann = 'x'", 3, 7, "plann"),
        (
            "select *\nfrom  nowhere",
            2,
            7,
            "there is no view 'nowhere'; there are events, persons, groups",
        ),
        ("select count(*\nfrom events", 2, 1, "Expected"),
        ("select 1,\n  foo(2)", 2, 3, "foo"),
    ] {
        let Some(QueryError::Sql(fault)) = ask_up_to(&world, sql, 10).err() else {
            panic!("{sql}")
        };
        assert!(fault.message.contains(words), "{sql}: {}", fault.message);
        let position = fault.position.unwrap();
        assert_eq!(
            (position.line, position.column),
            (line, column),
            "{sql}: {}",
            fault.message
        );
    }
}

#[test]
fn answers_are_cut_at_the_limit_and_say_so() {
    let world = world();
    let whole = ask_up_to(&world, "select person from events order by time, person", 40).unwrap();
    assert_eq!((whole.rows.rows.len(), whole.rows.cut), (40, false));
    let cut = ask_up_to(
        &world,
        "select person from events where event = 'A' order by time, person",
        5,
    )
    .unwrap();
    assert_eq!((cut.rows.rows.len(), cut.rows.cut, cut.rows.limit), (5, true, 5));
    // Nobody's row is the first.
    assert_eq!(cut.persons, [1, 2, 3, 4]);
}

#[test]
fn statements_share_the_memory_limit() {
    let world = crate::random::life(&mut fastrand::Rng::with_seed(3), 300, 25).play();
    let question = SqlQuestion {
        sql: "select a.time from events a join events b on a.time <> b.time order by 1".into(),
        limit: 10,
    };
    let engine = world.engine_with(20_000);
    let refused = world
        .wait(engine.sql(&world.project, &question, Class::D3, EventTime(0)))
        .err();
    assert!(matches!(refused, Some(QueryError::TooLarge { .. })), "{refused:?}");
}

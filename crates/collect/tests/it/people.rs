//! Identities, profiles and groups, through vault and store.

use crate::world::*;
use collect::Endpoint::{Engage, Groups, Track};
use model::GroupNumber;
use std::collections::{BTreeMap, BTreeSet};

fn event(name: &str, properties: &str) -> String {
    format!(r#"{{"event":"{name}","properties":{{"token":"T",{properties}}}}}"#)
}

#[test]
fn v28_a_sign_up_is_one_person() {
    let world = World::new();
    world.track(&event("a", r#""$device_id":"d""#));
    world.track(&event("b", r#""$device_id":"d","$user_id":"u""#));
    world.track(&event("c", r#""distinct_id":"u""#));
    world.track(&event("d", r#""distinct_id":"$device:d""#));
    let persons: Vec<u64> = world.rows().iter().map(|row| row.person).collect();
    assert!(
        persons[0] > 0 && persons.iter().all(|person| *person == persons[0]),
        "{persons:?}"
    );
}

#[test]
fn a_second_device_with_a_past_is_merged_at_once() {
    let world = World::new();
    world.track(&event("a", r#""$device_id":"d1","$user_id":"u""#));
    world.track(&event("b", r#""$device_id":"d2""#));
    let before: Vec<u64> = world.rows().iter().map(|row| row.person).collect();
    assert_ne!(before[0], before[1]);
    world.track(&event("c", r#""$device_id":"d2","$user_id":"u""#));
    let after: Vec<u64> = world.rows().iter().map(|row| row.person).collect();
    assert_eq!(after, [before[0]; 3]);
    // The cached tuple of the second device still carries the absorbed number; the edge makes it right.
    world.track(&event("d", r#""$device_id":"d2""#));
    assert_eq!(world.rows()[3].person, before[0]);
}

#[test]
fn what_is_not_an_id_is_nobody() {
    let world = World::new();
    for id in [
        "\"\"",
        "\"undefined\"",
        "null",
        "0",
        "\"00000000-0000-0000-0000-000000000000\"",
    ] {
        world.track(&event("e", &format!(r#""distinct_id":{id}"#)));
    }
    world.track(&event("e", r#""x":1"#));
    assert!(world.rows().iter().all(|row| row.person == 0));
    assert_eq!(world.rows().len(), 6);
    assert_eq!(world.collector.metrics().identities["not_an_id"], 4);
}

#[test]
fn a_known_tuple_asks_nobody() {
    let world = World::new();
    for _ in 0..5 {
        world.track(&event("e", r#""distinct_id":"u""#));
    }
    let metrics = world.collector.metrics();
    assert_eq!((metrics.cache_misses, metrics.cache_hits), (1, 4));
}

#[test]
fn newcomers_among_known_people_get_numbers_of_their_own() {
    let world = World::new();
    let batch = |ids: &[&str]| {
        let events = ids
            .iter()
            .map(|id| event(id, &format!(r#""distinct_id":"{id}","company":"of {id}""#)));
        format!("[{}]", events.collect::<Vec<_>>().join(","))
    };
    world.track(&batch(&["b", "d"]));
    world.track(&batch(&["a", "b", "c", "d", "b", "a"]));
    world.track(&batch(&["d", "c", "e", "a"]));
    let metrics = world.collector.metrics();
    assert_eq!((metrics.cache_misses, metrics.cache_hits), (2 * 5, 2 * 5));
    let mut numbers: BTreeMap<String, BTreeSet<(u64, String)>> = BTreeMap::new();
    for row in world.rows() {
        let company = row.properties["company:group"].clone();
        numbers.entry(row.event).or_default().insert((row.person, company));
    }
    assert!(numbers.values().all(|numbers| numbers.len() == 1), "{numbers:?}");
    let distinct: BTreeSet<_> = numbers.values().flatten().collect();
    assert_eq!(distinct.len(), 5, "{numbers:?}");
    for name in ["a", "b", "c", "d", "e"] {
        let (person, _) = numbers[name].first().unwrap();
        assert_eq!(world.person(name), Some(*person), "the vault's own answer");
    }
}

#[test]
fn profile_operations_do_what_they_say() {
    let world = World::new();
    let update = |ops: &str| world.engage(&format!(r#"{{"$token":"T","$distinct_id":"u",{ops}}}"#));
    update(r#""$set":{"plan":"free","n":1,"list":["a"]}"#);
    update(r#""$set_once":{"plan":"never","first":"yes"}"#);
    update(r#""$add":{"n":2.5,"plan":1,"fresh":"3"}"#);
    update(r#""$append":{"list":"b"}"#);
    update(r#""$union":{"list":["b","c"],"single":"x"}"#);
    update(r#""$remove":{"list":"a"}"#);
    update(r#""$unset":["first"]"#);
    let person = world.person("u").unwrap();
    let profile = world.profile(person);
    assert_eq!(profile["plan"], r#""free""#);
    assert_eq!(profile["n"], "3.5");
    assert_eq!(profile["list"], r#"["b","c"]"#);
    assert_eq!(profile["single"], r#"["x"]"#);
    assert!(!profile.contains_key("first"));
    update(r#""$unset":"plan""#);
    assert!(!world.profile(person).contains_key("plan"));
}

#[test]
fn a_replayed_update_counts_once() {
    let mut world = World::new();
    let update = |world: &World, id: &str| {
        let body =
            format!(r#"{{"$token":"T","$distinct_id":"u","$mp_metadata":{{"$mp_event_id":"{id}"}},"$add":{{"n":1}}}}"#);
        world.send(Request::post(Engage, "", format!("[{body},{body}]"))).status
    };
    assert_eq!(update(&world, "a"), 200);
    assert_eq!(update(&world, "a"), 200);
    world.stop_vault();
    assert_eq!(
        update(&world, "b"),
        200,
        "known and without identifying fields, so the cache answers"
    );
    assert_eq!(world.collector.metrics().dropped["replayed"], 4);
    world.start_vault();
    let person = world.person("u").unwrap();
    assert_eq!(world.profile(person)["n"], "2");
}

#[test]
fn an_update_that_failed_is_taken_when_it_comes_again() {
    let mut world = World::new();
    let body = r#"{"$token":"T","$distinct_id":"u","$mp_metadata":{"$mp_event_id":"a"},"$add":{"n":1}}"#;
    world.stop_vault();
    assert_eq!(world.send(Request::post(Engage, "", body)).status, 503);
    world.start_vault();
    world.engage(body);
    assert_eq!(world.profile(world.person("u").unwrap())["n"], "1");
}

#[test]
fn a_batch_that_the_vault_will_never_take_is_not_asked_for_again() {
    let world = World::new();
    for round in 0..2 {
        let updates: Vec<String> = (0..600)
            .map(|at| format!(r#"{{"$token":"T","$group_key":"k{round}x{at}x","$group_id":"g","$set":{{"a":1}}}}"#))
            .collect();
        let reply = world.send(Request::post(Groups, "verbose=1", format!("[{}]", updates.join(","))));
        assert_eq!(
            (reply.status, json(&reply)["status"].as_i64()),
            (200, Some(i64::from(round == 0)))
        );
    }
    world.track(&event("others go on", r#""distinct_id":"u""#));
}

#[test]
fn v31_presence_of_delete_deletes() {
    for value in ["null", "\"\"", "{}", "\"null\"", "\"u1\""] {
        let world = World::new();
        world.track(&event("e", r#""distinct_id":"u1""#));
        world.engage(r#"{"$token":"T","$distinct_id":"u1","$set":{"plan":"pro"}}"#);
        let person = world.rows()[0].person;
        assert_eq!(world.profile(person).len(), 1);
        world.engage(&format!(
            r#"{{"$token":"T","$distinct_id":"u1","$set":{{"plan":"x"}},"$delete":{value}}}"#
        ));
        assert!(world.profile(person).is_empty(), "{value}");
        assert_eq!(world.rows().len(), 1, "events stay");
    }
}

#[test]
fn groups_become_numbers_and_profiles_of_their_own() {
    let world = World::new();
    world.configure(|settings| settings.group_keys = vec!["club".into()]);
    world.track(&event(
        "e",
        r#""distinct_id":"u","club":["chess","go"],"company":"Acme Secret Holdings""#,
    ));
    world.track(&event("f", r#""distinct_id":"u","club":"go","user_id":"42""#));
    let rows = world.rows();
    assert_eq!(rows[0].properties["club:group"], "[1, 2]");
    assert_eq!(rows[1].properties["club:group"], "[2]");
    assert!(
        rows[0].properties.contains_key("company:group"),
        "an implicit reference key"
    );
    assert!(rows[1].properties.contains_key("user_id:group"));
    let update = r#"{"$token":"T","$group_key":"club","$group_id":"go","$set":{"size":12,"email":"go@club.example"}}"#;
    assert_eq!(text(&world.send(Request::post(Groups, "", update))), "1");
    let profiles = world.store.snapshot(world.project).profiles();
    let group = profiles.group("club", GroupNumber(2)).unwrap();
    assert_eq!(group.properties.keys().collect::<Vec<_>>(), ["size"]);
    world.engage(r#"{"$token":"T","$distinct_id":"u","$set":{"club":["go"],"company":"Acme Secret Holdings"}}"#);
    let profile = world.profile(rows[0].person);
    assert_eq!((profile["club"].as_str(), profile["company"].as_str()), ("[2]", "1"));
    assert!(!contains(&world.data_bytes(), b"Acme Secret"));
}

#[test]
fn opting_out_is_honoured_and_may_still_delete() {
    let world = World::new();
    world.engage(r#"{"$token":"T","$distinct_id":"u","$set":{"plan":"pro"}}"#);
    let opted_out = |endpoint, body: &str| {
        text(&world.send(Request {
            opted_out: true,
            ..Request::post(endpoint, "", body)
        }))
        .to_owned()
    };
    assert_eq!(opted_out(Track, &event("e", r#""distinct_id":"u""#)), "1");
    assert_eq!(
        opted_out(Engage, r#"{"$token":"T","$distinct_id":"u","$set":{"plan":"x"}}"#),
        "1"
    );
    assert!(world.rows().is_empty());
    assert_eq!(world.collector.metrics().dropped["opted_out"], 2);
    let person = world.person("u").unwrap();
    assert_eq!(world.profile(person)["plan"], r#""pro""#);
    assert_eq!(
        opted_out(Engage, r#"{"$token":"T","$distinct_id":"u","$delete":""}"#),
        "1"
    );
    assert!(world.profile(person).is_empty());
    world.configure(|settings| settings.honour_opt_out = false);
    assert_eq!(opted_out(Track, &event("e", r#""distinct_id":"u""#)), "1");
    assert_eq!(world.names(), ["who", "e"]);
}

#[test]
fn country_comes_from_the_address_and_the_address_goes() {
    let world = World::new();
    let send = |query: &str, body: &str| world.send(Request::post(Track, query, body).from("90.0.0.1"));
    send("ip=1", &event("asked", r#""x":1"#));
    send("ip=0", &event("not asked", r#""x":1"#));
    send("ip=1", &event("own", r#""ip":"133.11.0.1""#));
    send("ip=1", &event("off", r#""ip":"0""#));
    send("ip=1", &event("off too", r#""ip":0"#));
    send("ip=1", &event("set", r#""mp_country_code":"DE","$city":"Berlin""#));
    let rows = world.rows();
    let countries: Vec<Option<&str>> = rows
        .iter()
        .map(|row| row.properties.get("mp_country_code:string").map(String::as_str))
        .collect();
    assert_eq!(countries, [Some("FR"), None, Some("JP"), None, None, Some("DE")]);
    world.configure(|settings| settings.country_from_ip = false);
    send("ip=1", &event("never", r#""x":1"#));
    assert!(!world.rows()[6].properties.contains_key("mp_country_code:string"));
    let engage = r#"{"$token":"T","$distinct_id":"u","$ip":"133.11.0.1","$set":{"plan":"pro"}}"#;
    world.configure(|settings| settings.country_from_ip = true);
    world.engage(engage);
    assert_eq!(world.profile(world.person("u").unwrap())["$country_code"], r#""JP""#);
}

#[test]
fn the_user_agent_fills_what_is_missing() {
    let world = World::new();
    let agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
    let send = |body: &str| {
        world.send(Request {
            user_agent: Some(agent.into()),
            ..Request::post(Track, "", body)
        })
    };
    send(&event("bare", r#""x":1"#));
    send(&event("own", r#""$os":"Linux""#));
    let rows = world.rows();
    assert_eq!(
        (
            rows[0].properties["$os:string"].as_str(),
            rows[0].properties["$browser:string"].as_str()
        ),
        ("Windows", "Chrome")
    );
    assert_eq!(rows[1].properties["$os:string"], "Linux");
    assert!(!rows[1].properties.contains_key("$browser:string"));
}

pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

//! When something behind the collector is away: nothing is stored, and the client is told to come back.

use crate::world::*;
use collect::CollectorOptions;
use collect::Endpoint::{Import, Track};

const EVENT: &str = r#"{"event":"e","properties":{"token":"T","distinct_id":"u"}}"#;

#[test]
fn without_the_vault_nothing_is_stored_and_nothing_is_lost() {
    let mut world = World::new();
    world.stop_vault();
    let reply = world.send(Request::post(Track, "verbose=1", EVENT));
    assert_eq!((reply.status, reply.retry_after_s), (503, Some(2)));
    assert_eq!(json(&reply)["code"], 503);
    assert!(world.rows().is_empty());
    world.start_vault();
    world.track(EVENT);
    assert_eq!(world.names(), ["e"]);
    assert_eq!(world.collector.metrics().refused["unavailable"], 1);
}

#[test]
fn a_known_person_survives_a_short_absence() {
    let mut world = World::new();
    world.track(EVENT);
    world.stop_vault();
    world.track(EVENT);
    assert_eq!(world.names(), ["e", "e"], "within the lease the cache answers");
}

#[test]
fn a_closed_store_is_a_503() {
    let world = World::new();
    world.store.clone().close();
    let reply = world.send(Request::post(Track, "", EVENT));
    assert_eq!((reply.status, reply.retry_after_s), (503, Some(2)));
}

#[test]
fn too_many_at_once_is_a_429() {
    let world = World::with_options(CollectorOptions {
        requests_max: 0,
        clock: || NOW,
        ..CollectorOptions::default()
    });
    let reply = world.send(Request::post(Import, "strict=1", EVENT));
    assert_eq!((reply.status, reply.retry_after_s), (429, Some(2)));
    assert_eq!(json(&reply)["status"], "Too Many Requests");
}

#[test]
fn many_at_once_agree_on_the_numbers() {
    let world = World::new();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let world = &world;
            scope.spawn(move || {
                for at in 0..20 {
                    let id = (at * 7 + thread) % 10;
                    world.track(&format!(
                        r#"{{"event":"p{id}","properties":{{"token":"T","$device_id":"d{id}","$user_id":"u{id}"}}}}"#
                    ));
                }
            });
        }
    });
    let rows = world.rows();
    assert_eq!(rows.len(), 160);
    for id in 0..10 {
        let mut persons: Vec<u64> = rows
            .iter()
            .filter(|row| row.event == format!("p{id}"))
            .map(|row| row.person)
            .collect();
        persons.dedup();
        persons.sort_unstable();
        persons.dedup();
        assert_eq!(persons.len(), 1, "p{id}: {persons:?}");
    }
}

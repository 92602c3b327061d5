//! Who may import (contract 0.2, I8).

use crate::world::*;
use collect::Endpoint::Import;
use serde_json::json;

const EVENT: &str = r#"[{"event":"i","properties":{"distinct_id":"u","time":1700000000}}]"#;

#[test]
fn every_variant_opens_its_project() {
    let world = World::new();
    let project = world.project;
    let check = |query: &str, header: Option<&str>| {
        let request = Request::post(Import, query, EVENT);
        let request = match header {
            Some(header) => request.authorized(header),
            None => request,
        };
        assert_eq!(text(&world.send(request)), "1", "{query} {header:?}");
    };
    check("", Some("Basic VDo="));
    check("", Some("Basic c2VjcmV0Og=="));
    check("", Some("Basic c2VjcmV0"));
    check("", Some("Basic secret:"));
    check(&format!("project_id={project}"), Some("Basic c3ZjOnB3"));
    check(&format!("project_id={project}"), Some("Basic svc:pw"));
    check("api_key=secret", None);
    check("", Some("Bearer secret"));
    assert_eq!(world.rows().len(), 8);
}

#[test]
fn others_get_the_401_that_tools_parse() {
    let world = World::new();
    let refused = |query: &str, header: Option<&str>| {
        let request = Request::post(Import, query, EVENT);
        let request = match header {
            Some(header) => request.authorized(header),
            None => request,
        };
        let reply = world.send(request);
        assert_eq!(reply.status, 401, "{query} {header:?}");
        let body = json(&reply);
        assert_eq!((&body["code"], &body["status"]), (&json!(401), &json!("Unauthorized")));
        body["error"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused("", None), "Invalid credentials");
    assert_eq!(refused("", Some("Basic bm9wZTo=")), "Invalid credentials");
    assert_eq!(
        refused("project_id=1", Some("Basic svc:wrong")),
        "Invalid service account credentials"
    );
    assert_eq!(
        refused("project_id=1", Some("Basic nobody:pw")),
        "Invalid service account credentials"
    );
    assert_eq!(refused("", Some("Basic svc:pw")), "project_id, missing or empty");
    assert_eq!(refused("project_id=999", Some("Basic svc:pw")), "Invalid credentials");
    assert!(world.rows().is_empty());
    assert_eq!(world.collector.metrics().refused["unauthorized"], 6);
}

#[test]
fn an_api_secret_in_a_payload_is_no_token() {
    let world = World::new();
    let event = r#"{"event":"e","properties":{"token":"secret"}}"#;
    assert_eq!(
        text(&world.send(Request::post(collect::Endpoint::Track, "", event))),
        "1"
    );
    assert!(world.rows().is_empty());
    assert_eq!(world.collector.metrics().dropped["unknown_token"], 1);
}

#[test]
fn projects_are_apart() {
    let world = World::new();
    let other = world.add_project("two", "T2", "secret2", None).id;
    let event = |token: &str| {
        format!(
            r#"{{"event":"{token}","properties":{{"token":"{token}","distinct_id":"u","$insert_id":"x","time":1700000000}}}}"#
        )
    };
    world.track(&format!("[{},{}]", event("T"), event("T2")));
    assert_eq!(world.names(), ["T"]);
    assert_eq!(world.rows_of(other).len(), 1);
    let reply = world.send(Request::post(Import, "strict=1", event("T")).authorized("Basic c2VjcmV0Mg=="));
    assert_eq!(reply.status, 400, "a token of another project");
}

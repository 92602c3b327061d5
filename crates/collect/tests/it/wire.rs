//! The wire vectors of contract section 11 and the tricky points of section 10.

use crate::world::*;
use collect::Endpoint::{Engage, Import, Track};
use serde_json::json;

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn v1_v2_js_batches_and_beacons() {
    let world = World::new();
    let body = format!("data={}", encoded(B64A));
    for content_type in [FORM, "text/plain;charset=UTF-8", "application/octet-stream"] {
        let reply = world.send(Request::post(Track, "verbose=1&ip=1&_=1700000000000", &body).typed(content_type));
        assert_eq!((reply.status, text(&reply)), (200, r#"{"error":null,"status":1}"#));
        assert_eq!(reply.content_type, "application/json");
    }
    assert_eq!(
        world.names(),
        ["a>?~"; 3],
        "without an insert id nothing is a duplicate"
    );
}

#[test]
fn v3_the_same_event_twice_is_one() {
    let world = World::new();
    let event =
        r#"[{"event":"e","properties":{"token":"T","distinct_id":"u","$insert_id":"abc-1","time":1700000000.5}}]"#;
    world.track(event);
    world.track(event);
    world.track(&event.replace("abc-1", "abc-2"));
    let rows = world.rows();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].time_ms, 1_700_000_000_500);
    world.store.flush().unwrap();
    world.track(event);
    assert_eq!(world.rows().len(), 2, "also against a segment");
}

#[test]
fn v4_v5_v6_node_and_php() {
    let world = World::new();
    let reply = world.send(Request::post(Track, "ip=0&verbose=0", format!("data={B64A}")).typed(FORM));
    assert_eq!((text(&reply), reply.content_type), ("1", "text/plain"));
    let reply = world.send(Request::get(Track, &format!("ip=0&verbose=0&data={}", encoded(B64O))));
    assert_eq!(text(&reply), "1");
    assert_eq!(world.names(), ["a>?~", "a~~~"]);
    let reply = world.send(Request::get(Engage, &format!("ip=0&verbose=0&data={}", encoded(B64P))));
    assert_eq!(text(&reply), "1");
    let person = world.rows()[0].person;
    assert_eq!(world.profile(person)["plan"], r#""pro""#);
}

#[test]
fn v7_v8_v9_python_and_ruby() {
    let world = World::new();
    let event = r#"{"event":"py","properties":{"token":"T","distinct_id":1,"time":1700000000.25}}"#;
    let reply = world.send(Request::post(Track, "", format!("data={}&verbose=1&ip=0", encoded(event))).typed(FORM));
    assert_eq!(json(&reply), json!({"error": null, "status": 1}));
    let reply = world.send(Request::post(Engage, "", format!("data={}&verbose=1", encoded(B64P))).typed(FORM));
    assert_eq!(json(&reply)["status"], 1);
    assert_eq!(json(&reply)["error"], serde_json::Value::Null);
    let pixel = B64O.replace('+', "-").replace('/', "_").replace('=', "");
    let reply = world.send(Request::get(Track, &format!("data={pixel}&ip=1&img=1")));
    assert_eq!(reply.content_type, "image/gif");
    assert!(reply.body.starts_with(b"GIF89a"));
    assert_eq!(world.names(), ["py", "a~~~"]);
}

#[test]
fn v10_v11_go() {
    let world = World::new();
    let events = r#"[{"event":"go","properties":{"token":"T","distinct_id":"g","time":1700000000123}}]"#;
    let reply = world.send(Request::post(Track, "verbose=1", events).typed("application/json"));
    assert_eq!(json(&reply)["status"], 1);
    let update = r#"[{"$token":"T","$distinct_id":"g","$ip":"0","$set":{"tier":2}}]"#;
    assert_eq!(
        text(&world.send(Request::post(Engage, "", update).typed("application/json"))),
        "1"
    );
    assert_eq!(world.profile(world.rows()[0].person)["tier"], "2");
}

#[test]
fn v12_v13_v14_java_and_swift() {
    let world = World::new();
    let form = Request::post(Track, "ip=0", format!("data={}", encoded(B64A)))
        .typed("application/x-www-form-urlencoded; charset=utf8");
    assert_eq!(text(&world.send(form.gzipped())), "1");
    let event = r#"[{"id":7,"$mp_metadata":{"$mp_event_id":"m1"},"event":"swift","properties":{"token":"T","distinct_id":"s","time":1700000000000}}]"#;
    for _ in 0..2 {
        assert_eq!(text(&world.send(Request::post(Track, "ip=1", event).gzipped())), "1");
    }
    assert_eq!(
        world.names(),
        ["a>?~", "swift"],
        "a retry of a mobile SDK is known by its event id"
    );
    let poison = world.send(Request::post(Track, "ip=1", event.replace("\"event\":\"swift\",", "")).gzipped());
    assert_eq!((poison.status, text(&poison)), (200, "0"));
}

#[test]
fn v15_v16_v19_strict_import() {
    let world = World::new();
    let event = |time: &str| {
        format!(
            r#"{{"event":"i","properties":{{{time}"distinct_id":"u","$insert_id":"i-{}"}}}}"#,
            time.len()
        )
    };
    let strict = |body: String| Request::post(Import, "strict=1&verbose=1", body).authorized("Basic VDo=");
    let reply = world.send(strict(format!("[{}]", event("\"time\":1700000000,"))).typed("application/json"));
    assert_eq!(
        json(&reply),
        json!({"code": 200, "num_records_imported": 1, "status": "OK"})
    );
    let reply = world.send(strict(format!("[{},{}]", event("\"time\":1700000000000,"), event(""))));
    assert_eq!(reply.status, 400);
    let body = json(&reply);
    assert_eq!(
        (&body["code"], &body["num_records_imported"], &body["status"]),
        (&json!(400), &json!(1), &json!("Bad Request"))
    );
    assert_eq!(body["error"], "some data points in the request failed validation");
    let failed = &body["failed_records"][0];
    assert_eq!(
        (&failed["index"], &failed["field"]),
        (&json!(1), &json!("properties.time"))
    );
    assert_eq!(
        (&failed["insert_id"], &failed["$insert_id"]),
        (&json!("i-0"), &json!("i-0"))
    );
    assert_eq!(failed["message"], "'properties.time' is invalid: must not be missing");
    let lines = format!("{}\n{}\n", event("\"time\":1600000000,"), event("\"time\":31536000,"));
    let reply = world.send(strict(lines).typed("application/x-ndjson").gzipped());
    assert_eq!(json(&reply)["num_records_imported"], 2);
    assert_eq!(world.rows().len(), 4);
    assert!(world.rows().iter().all(|row| row.properties["$import:bool"] == "true"));
}

#[test]
fn v17_v18_python_and_node_import() {
    let world = World::new();
    let project = world.project;
    let event = r#"[{"event":"i","properties":{"token":"T","distinct_id":"u","time":1700000000}}]"#;
    let body = format!("data={}&verbose=1&ip=0", encoded(event));
    let reply = world.send(
        Request::post(Import, &format!("project_id={project}"), body)
            .typed(FORM)
            .authorized("Basic c3ZjOnB3"),
    );
    assert_eq!(
        json(&reply),
        json!({"code": 200, "error": null, "num_records_imported": 1, "status": 1})
    );
    let query = format!("ip=0&verbose=0&project_id={project}");
    let reply = world.send(
        Request::post(Import, &query, format!("data={B64A}"))
            .typed(FORM)
            .authorized("Basic c3ZjOnB3"),
    );
    assert_eq!(text(&reply), "1");
    let reply =
        world.send(Request::get(Import, &format!("{query}&data={}", encoded(B64O))).authorized("Basic c3ZjOnB3"));
    assert_eq!(text(&reply), "1");
    let failing = format!("data={}&verbose=1", encoded(r#"[{"event":"","properties":{}}]"#));
    let reply =
        world.send(Request::post(Import, &format!("project_id={project}"), failing).authorized("Basic c3ZjOnB3"));
    assert_eq!(json(&reply)["status"], 0);
    assert_eq!(json(&reply)["num_records_imported"], 0);
}

#[test]
fn v34_a_long_pixel_url_is_taken() {
    let world = World::new();
    let long = format!(
        r#"{{"event":"px","properties":{{"token":"T","distinct_id":"u","list":[{}]}}}}"#,
        vec!["\"abcdefgh\""; 2500].join(",")
    );
    let query = format!("data={}", encoded(&long));
    assert!(query.len() > 40 * 1024);
    assert_eq!(text(&world.send(Request::get(Track, &query))), "1");
    assert_eq!(world.names(), ["px"]);
}

#[test]
fn validation_says_which_field() {
    let world = World::new();
    let check = |event: &str, field: &str, message: &str| {
        let reply = world.send(Request::post(Import, "strict=1", format!("[{event}]")).authorized("Basic c2VjcmV0"));
        let failed = &json(&reply)["failed_records"][0];
        assert_eq!(
            (failed["field"].as_str(), failed["message"].as_str()),
            (Some(field), Some(message)),
            "{event}"
        );
    };
    let with = |properties: &str| format!(r#"{{"event":"e","properties":{{{properties}}}}}"#);
    check(r#"{"properties":{}}"#, "event", "'event' must not be missing or blank");
    check(
        r#"{"event":"  ","properties":{}}"#,
        "event",
        "'event' must not be missing or blank",
    );
    let seconds = "'properties.time' is invalid: must be specified as seconds since epoch";
    check(&with(r#""time":"soon","$insert_id":"a""#), "properties.time", seconds);
    check(&with(r#""time":12,"$insert_id":"a""#), "properties.time", seconds);
    check(
        &with(r#""time":1710003700,"$insert_id":"a""#),
        "properties.time",
        "'properties.time' is invalid: must not be in the future",
    );
    check(
        &with(r#""time":1700000000,"$insert_id":"a b""#),
        "$insert_id",
        "'$insert_id' is invalid: must only contain alphanumeric or hyphen '-' characters",
    );
    check(
        &with(r#""time":1700000000"#),
        "$insert_id",
        "'$insert_id' is invalid: must not be missing",
    );
    check(
        &with(r#""time":1700000000,"$insert_id":"undefined""#),
        "$insert_id",
        "'$insert_id' is invalid: value is not allowed",
    );
    check(
        &with(r#""time":1700000000,"$insert_id":"a","distinct_id":"anonymous""#),
        "properties.distinct_id",
        "'properties.distinct_id' is invalid: value is not allowed",
    );
    check(
        &with(r#""time":1700000000,"$insert_id":"a","token":"other""#),
        "properties.token",
        "'properties.token' is invalid: must match the credentials",
    );
    assert!(world.rows().is_empty());
    let fine = with(r#""time":1710003000,"$insert_id":"a""#);
    let reply = world.send(Request::post(Import, "strict=1", fine).authorized("Basic c2VjcmV0"));
    assert_eq!(
        json(&reply)["num_records_imported"],
        1,
        "without distinct_id, less than an hour ahead"
    );
    assert_eq!(world.rows()[0].time_ms, NOW.0, "clamped");
    let broken = b"[{\"event\":\"e\",\"properties\":{\"time\":1700000000,\"$insert_id\":\"b\",\"p\":\"\xff\"}}]";
    let reply = world.send(Request::post(Import, "strict=1", broken).authorized("Basic c2VjcmV0"));
    assert_eq!(
        json(&reply)["failed_records"][0]["message"],
        "properties is invalid: string should be valid utf8"
    );
}

#[test]
fn refusals_on_track_say_why_and_are_never_4xx() {
    let world = World::new();
    let check = |body: &str, error: &str| {
        let reply = world.send(Request::post(Track, "verbose=1", body));
        assert_eq!(
            (reply.status, json(&reply)),
            (200, json!({"error": error, "status": 0})),
            "{body}"
        );
        assert_eq!(text(&world.send(Request::post(Track, "", body))), "0");
    };
    check("", "data, missing or empty");
    check("[]", "data, missing or empty");
    check("data=%FF%FF", "data, not a valid base64 or JSON payload");
    check(r#"{"event":"e","properties":{}}"#, "token, missing or empty");
    check(r#"{"properties":{"token":"T"}}"#, "event, missing");
    check("[1,2]", "data, not an object");
    let engage = |body: &str| json(&world.send(Request::post(Engage, "verbose=1", body)))["error"].clone();
    assert_eq!(engage(r#"{"$distinct_id":"u","$set":{}}"#), "$token, missing or empty");
    assert_eq!(
        engage(r#"{"$token":"T","$set":{}}"#),
        "Engage API error: $distinct_id, missing or empty"
    );
}

#[test]
fn one_good_event_makes_the_batch_good() {
    let world = World::new();
    world.track(r#"[{"properties":{"token":"T"}},{"event":"ok","properties":{"token":"T"}}]"#);
    assert_eq!(world.names(), ["ok"]);
    world.track(r#"[{"event":"e","properties":{"token":"nobody"}}]"#);
    world.track(r#"[{"event":"e","properties":{"token":"T","$ignore":true}},{"event":"e","properties":{"token":"T","$ignore":"x"}}]"#);
    assert_eq!(world.names(), ["ok"], "unknown token and $ignore store nothing");
    world.track(r#"[{"event":"not ignored","properties":{"token":"T","$ignore":""}}]"#);
    let metrics = world.collector.metrics();
    assert_eq!((metrics.dropped["unknown_token"], metrics.dropped["ignored"]), (1, 2));
    assert_eq!(metrics.events, 2);
}

#[test]
fn jsonp_and_images() {
    let world = World::new();
    let call = |query: &str| world.send(Request::get(Track, &format!("data={}&{query}", encoded(B64O))));
    let reply = call("callback=mixpanel._jsc%5B12345678%5D");
    assert_eq!(
        (text(&reply), reply.content_type),
        ("mixpanel._jsc[12345678](1);", "text/javascript")
    );
    assert_eq!(
        text(&call("callback=(function()%7B%7D)&verbose=1")),
        r#"(function(){})({"error":null,"status":1});"#
    );
    assert_eq!(text(&call("callback=alert(1)//")), "1", "as if there were none");
    assert_eq!(
        world.send(Request::get(Track, "img=1")).content_type,
        "image/gif",
        "also where there was nothing"
    );
}

#[test]
fn limits_are_kept() {
    let world = World::new();
    let many = format!(
        "[{}]",
        vec![r#"{"event":"e","properties":{"token":"T"}}"#; 2001].join(",")
    );
    assert_eq!(world.send(Request::post(Track, "", many)).status, 413);
    let bomb = Request::post(Track, "", vec![b' '; 50_000_000]).gzipped();
    assert_eq!(world.send(bomb).status, 413);
    let large = format!(
        r#"[{{"event":"big","properties":{{"token":"T","x":"{}"}}}},{{"event":"ok","properties":{{"token":"T"}}}}]"#,
        "x".repeat(1_100_000)
    );
    world.track(&large);
    assert_eq!(world.names(), ["ok"]);
}

#[test]
fn times_of_every_sdk_and_the_future() {
    let world = World::new();
    for time in [
        "1700000000.123",
        "1700000000123",
        "1700000000123000",
        "\"1700000000123\"",
        "1900000000",
        "0",
        "\"x\"",
    ] {
        world.track(&format!(
            r#"{{"event":"t","properties":{{"token":"T","time":{time}}}}}"#
        ));
    }
    let times: Vec<i64> = world.rows().iter().map(|row| row.time_ms).collect();
    let sent = 1_700_000_000_123;
    assert_eq!(times, [sent, sent, sent, sent, NOW.0, NOW.0, NOW.0]);
}

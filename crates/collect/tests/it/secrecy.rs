//! What must not lie in the data directory, whatever a client sends (G1, V30).

use crate::people::contains;
use crate::world::*;
use collect::Endpoint::{Engage, Import, Track};
use model::{PersonNumber, PurposeCode};
use vault_client::{Asker, LookupRequest, Personal, Purpose, RevealRequest, Role};

/// Plants that no byte of the data directory may hold, and a control that it must.
#[test]
fn v30_nothing_that_identifies_reaches_the_disk() {
    let world = World::new();
    let event = r#"[{"event":"order for secret-event@mail.example.com","properties":{
        "token":"T","distinct_id":"planted-user-0001","$device_id":"planted-device-0002","$user_id":"planted-account-0003",
        "ip":"203.0.113.199","$current_url":"https://u:planted-password@x.example/planted-user@mail.example.com/a?email=planted%40mail.example.com&utm_source=control-kept",
        "$referrer":"https://x.example/planted-path-0004","$name":"Planted Name","custom_email":"planted5@mail.example.com",
        "note":"call planted6@mail.example.com","nested":{"deep":["cGxhbnRlZDdAbWFpbC5leGFtcGxlLmNvbQ=="]},"paid_with":"4111 1111 1111 1111",
        "key":"sk_live_plantedplantedplanted","planted8@mail.example.com":1,"company":"Planted Company","$insert_id":"planted-insert-9",
        "$city":"Plantedville","$latitude":48.123456,"password":"planted-secret-10","gclid":"planted-click-11"}}]"#;
    let reply = world.send(Request::post(Track, "ip=1", event).from("198.51.100.77"));
    assert_eq!(text(&reply), "1");
    let update = r#"{"$token":"T","$distinct_id":"planted-user-0001","$ip":"203.0.113.198","$set":{"$email":"planted12@mail.example.com",
        "$name":"Planted Person","Phone":"+33612345678","plan":"control-plan","company":"Planted Company","about":"planted13@mail.example.com"}}"#;
    assert_eq!(text(&world.send(Request::post(Engage, "", update))), "1");
    let import = r#"{"event":"i","properties":{"distinct_id":"planted-import-14","time":1700000000,"$insert_id":"planted-insert-15"}}"#;
    world.send(Request::post(Import, "strict=1", import).authorized("Basic c2VjcmV0"));
    let bytes = world.data_bytes();
    let lower: Vec<u8> = bytes.to_ascii_lowercase();
    for needle in [
        "planted",
        "203.0.113",
        "198.51.100",
        "4111",
        "48.123456",
        "33612345678",
        "secret-event",
        "cGxhbnRl",
    ] {
        assert!(
            !contains(&lower, needle.to_ascii_lowercase().as_bytes()),
            "{needle} is in the data directory"
        );
    }
    for address in [[203, 0, 113, 199], [198, 51, 100, 77]] {
        assert!(!contains(&bytes, &address), "an address as bytes");
    }
    for control in ["control-kept", "control-plan", "redacted_name"] {
        assert!(contains(&bytes, control.as_bytes()), "the scan would find {control}");
    }
    let metrics = world.collector.metrics();
    assert!(metrics.removed.keys().all(|(_, path, _)| !path.contains("planted")));
    let removed =
        |path: &str, reason: &'static str| metrics.removed.get(&(world.project, path.to_owned(), reason)).copied();
    assert_eq!(removed("password", "key_name"), Some(1));
    assert_eq!(removed("note", "email"), Some(1));
    assert_eq!(removed("nested.deep", "email"), Some(1));
    assert_eq!(removed("paid_with", "card"), Some(1));
    assert_eq!(removed("key", "stripe_key"), Some(1));
    assert_eq!(removed("event", "email"), Some(1));
}

#[test]
fn identifying_fields_are_in_the_vault() {
    let world = World::new();
    let update = |ops: &str| {
        world.engage(&format!(
            r#"{{"$token":"T","$distinct_id":"u","$mp_metadata":{{"$mp_event_id":"{}"}},{ops}}}"#,
            ops.len()
        ))
    };
    update(r#""$set":{"$email":"Ann@Mail.example.com","$name":"Ann Other","Phone":"+33612345678","plan":"pro"}"#);
    update(r#""$append":{"address":"first"}"#);
    update(r#""$append":{"address":"first"}"#);
    update(r#""$append":{"address":"second"}"#);
    update(r#""$unset":["Phone"]"#);
    let person = PersonNumber(world.person("u").unwrap());
    assert_eq!(world.profile(person.0).keys().collect::<Vec<_>>(), ["plan"]);
    let owner = world
        .vault
        .create_account(&Personal::new("owner@frostpane.example"), Role::Owner)
        .unwrap();
    let code = world.vault.create_login_link(owner).unwrap();
    let session = world.vault.sign_in(&code).unwrap().unwrap().secret;
    let purpose = Purpose {
        code: PurposeCode::Support,
        text: Personal::new("a test that looks"),
    };
    let lookup = LookupRequest {
        project: world.project,
        identifier: Personal::new("ann@mail.example.com"),
        asker: Asker::Session(session.clone()),
        purpose: purpose.clone(),
    };
    assert_eq!(world.vault.lookup(&lookup).unwrap(), Some(person));
    let reveal = RevealRequest {
        project: world.project,
        person,
        fields: None,
        asker: Asker::Session(session),
        purpose,
    };
    let revealed = world.vault.reveal(&reveal).unwrap();
    let fields: Vec<(&str, &str)> = revealed
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect();
    let expected = [
        ("$email", r#""Ann@Mail.example.com""#),
        ("$name", r#""Ann Other""#),
        ("address", r#"["first","second"]"#),
    ];
    assert_eq!(fields, expected, "a replay of a mobile SDK is applied once");
    assert_eq!(revealed.identifiers[0].1.expose(), "u");
}

#[test]
fn random_requests_never_panic() {
    let world = World::new();
    let mut generator = fastrand::Rng::with_seed(1);
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        "\"event\":",
        "\"e\"",
        ",",
        "\"properties\":{\"token\":\"T\"",
        "data=",
        "%7B",
        "\\ud800",
        "1e999",
        "null",
        "NaN",
        "\"$set\":{",
        "\"$token\":\"T\"",
        "\"$distinct_id\":\"u\"",
        "é",
        "\u{0}",
        "&verbose=1",
        "\"$delete\"",
        ":",
        "\"time\":-1e308",
        "\"ip\":\"::1\"",
    ];
    for _ in 0..3_000 {
        let body: String = (0..generator.usize(..12))
            .map(|_| pieces[generator.usize(..pieces.len())])
            .collect();
        let endpoint = [Track, Engage, Import, collect::Endpoint::Groups][generator.usize(..4)];
        let mut bytes = body.into_bytes();
        if generator.bool() && !bytes.is_empty() {
            let at = generator.usize(..bytes.len());
            bytes[at] = generator.u8(..);
        }
        let request = Request::post(endpoint, "verbose=1", bytes)
            .authorized("Basic VDo=")
            .from("90.0.0.1");
        let reply = world.send(if generator.u8(..8) == 0 {
            request.gzipped()
        } else {
            request
        });
        assert!(matches!(reply.status, 200 | 400 | 413), "{}", reply.status);
    }
}

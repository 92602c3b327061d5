//! Identifying fields: profile operations on sealed values, and what a link does to them.

use crate::support::*;
use vault_client::protocol::{Reply, Request};
use vault_client::{FieldOp, Tuple, WriteSubject};

#[test]
fn operations_of_one_update_apply_in_order() {
    let mut world = World::new();
    let person = world.write(
        user("u"),
        &[
            (FieldOp::Set, "$name", Some("\"Ada\"")),
            (FieldOp::SetOnce, "$name", Some("\"Bob\"")),
            (FieldOp::SetOnce, "$email", Some("\"ada@example.org\"")),
            (FieldOp::Union, "$phones", Some("[\"+33612345678\"]")),
            (FieldOp::Add, "$visits", Some("2")),
            (FieldOp::Unset, "$nothing", None),
        ],
    );
    let expected = [
        "$email=\"ada@example.org\"",
        "$name=\"Ada\"",
        "$phones=[\"+33612345678\"]",
        "$visits=2",
    ];
    assert_eq!(world.fields(person), expected);
    world.restart();
    assert_eq!(world.fields(person), expected);
    world.write(
        user("u"),
        &[(FieldOp::Add, "$visits", Some("-3")), (FieldOp::Unset, "$phones", None)],
    );
    assert_eq!(
        world.fields(person),
        ["$email=\"ada@example.org\"", "$name=\"Ada\"", "$visits=-1"]
    );
    world.write(
        user("u"),
        &[(FieldOp::Delete, "", None), (FieldOp::Set, "$name", Some("\"Eve\""))],
    );
    assert_eq!(world.fields(person), ["$name=\"Eve\""]);
}

#[test]
fn a_device_only_profile_is_emptied_by_sign_up() {
    let world = World::new();
    let person = world.write(device("d"), &[(FieldOp::Set, "$email", Some("\"ada@example.org\""))]);
    assert_eq!(world.lookup("ADA@example.org"), Some(person));
    assert_eq!(world.number(pair("d", "u")), person);
    assert!(world.fields(person).is_empty());
    assert_eq!(
        world.lookup("ada@example.org"),
        None,
        "the second index still leads there"
    );
}

#[test]
fn a_second_devices_profile_is_not_taken_over() {
    let world = World::new();
    world.write(
        device("d"),
        &[
            (FieldOp::Set, "$name", Some("\"Guest\"")),
            (FieldOp::Set, "$city", Some("\"Paris\"")),
        ],
    );
    let person = world.write(user("u"), &[(FieldOp::Set, "$name", Some("\"Ada\""))]);
    assert_eq!(world.number(pair("d", "u")), person);
    assert_eq!(world.fields(person), ["$name=\"Ada\""]);
    assert_eq!(
        world.fields(1),
        ["$name=\"Ada\""],
        "the absorbed number leads to the person"
    );
}

#[test]
fn a_repeated_update_is_skipped_for_seven_days() {
    let world = World::new();
    let request = || {
        let mut request = world.request(vec![Tuple {
            profile: true,
            ..user("u")
        }]);
        request.writes = ["$a", "$b"]
            .map(|field| write(FieldOp::Append, field, Some("1")))
            .into();
        for write in &mut request.writes {
            write.event_id = Some([5; 16]);
        }
        request
    };
    world.resolve(request());
    world.resolve(request());
    assert_eq!(
        world.fields(1),
        ["$a=[1]", "$b=[1]"],
        "one update with two fields, sent twice"
    );
    world.clock.advance(8 * 24 * 3_600_000);
    // The writer forgets between two groups; the one that notices comes after the first call of the day.
    world.number(user("w"));
    world.number(user("x"));
    world.resolve(request());
    assert_eq!(world.fields(1), ["$a=[1,1]", "$b=[1,1]"]);
}

#[test]
fn groups_have_fields_of_their_own() {
    let world = World::new();
    let mut request = world.request(vec![]);
    request.refs = vec![reference("company", "Acme"), reference("company", "")];
    request.writes = vec![
        write(FieldOp::Set, "$owner", Some("\"ada@example.org\"")),
        write(FieldOp::Set, "$owner", Some("\"nobody\"")),
        write(FieldOp::Append, "$owner", Some("1")),
    ];
    request.writes[0].subject = WriteSubject::Ref(0);
    request.writes[1].subject = WriteSubject::Ref(1);
    request.writes[2].subject = WriteSubject::Ref(0);
    assert_eq!(world.resolve(request.clone()).refs[0].0, 1);
    assert_eq!(group_fields(&world), 1);
    request.batch_id = world.new_batch();
    request.writes = vec![write(FieldOp::Delete, "", None)];
    request.writes[0].subject = WriteSubject::Ref(0);
    world.resolve(request.clone());
    assert_eq!(group_fields(&world), 0);
    request.writes[0].subject = WriteSubject::Ref(7);
    assert!(world.try_resolve(request).is_err(), "a subject that is not in the call");
}

/// Groups are not revealed by any call yet, so their rows are counted.
fn group_fields(world: &World) -> i64 {
    let connection = rusqlite::Connection::open(world.path().join("vault.db")).unwrap();
    connection
        .query_row("SELECT count(*) FROM gfield", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_value_that_is_no_json_harms_its_own_call_only() {
    let world = World::new();
    let mut request = world.request(vec![Tuple {
        profile: true,
        ..user("u")
    }]);
    request.writes = vec![write(FieldOp::Set, "$name", Some("{broken"))];
    let error = world.try_resolve(request).unwrap_err();
    assert!(!error.to_string().contains("broken"), "an error quotes a value");
    assert_eq!(world.persons(), 0, "the refused call left something behind");
    assert_eq!(world.number(user("v")), 1);
}

#[test]
fn contacts_are_found_in_any_spelling() {
    let world = World::new();
    let ada = world.write(
        user("u-1"),
        &[
            (FieldOp::Set, "$email", Some("\"Ada@Example.org\"")),
            (FieldOp::Set, "$phone", Some("\"+33 6 12 34 56 78\"")),
            (FieldOp::Set, "$name", Some("\"Ada Lovelace\"")),
        ],
    );
    let bob = world.number(user("Bob@example.org"));
    for (text, expected) in [
        ("u-1", Some(ada)),
        ("ada@EXAMPLE.org", Some(ada)),
        ("0033 6 12 34 56 78", Some(ada)),
        ("bob@example.org", Some(bob)),
        ("Bob@example.org", Some(bob)),
        ("Ada Lovelace", None),
        ("ada@example.com", None),
    ] {
        assert_eq!(world.lookup(text), expected, "{text}");
    }
    world.write(user("u-1"), &[(FieldOp::Set, "$email", Some("\"new@example.org\""))]);
    assert_eq!(
        (world.lookup("ada@example.org"), world.lookup("new@example.org")),
        (None, Some(ada))
    );
    world.number(device("phone-1"));
    assert_eq!(world.lookup("$device:phone-1"), Some(3));
}

#[test]
fn secrets_are_kept_by_project_and_name() {
    let mut world = World::new();
    let put = |world: &World, name: &str, text: &str| {
        let text = vault_client::SecretText::new(text);
        world
            .ask(Request::PutSecret {
                project: PROJECT,
                name: name.into(),
                text,
            })
            .unwrap();
    };
    let get = |world: &World, name: &str| match world.ask(Request::Secret {
        project: PROJECT,
        name: name.into(),
    }) {
        Ok(Reply::Secret(text)) => text.map(|text| text.expose().to_owned()),
        _ => panic!("another answer"),
    };
    assert_eq!(get(&world, "token"), None);
    put(&world, "token", "fpw_one");
    put(&world, "token", "fpw_two");
    put(&world, "other", "");
    world.restart();
    assert_eq!(
        (get(&world, "token").as_deref(), get(&world, "other").as_deref()),
        (Some("fpw_two"), Some(""))
    );
}

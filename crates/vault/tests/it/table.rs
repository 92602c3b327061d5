//! Table 1.3 of the secrecy contract through the call itself, and what stands around it (ID-4 to ID-10, ID-22).

use crate::support::*;
use model::{BatchId, ProjectId};
use vault_client::protocol::Request;
use vault_client::{Personal, Tuple};

#[test]
fn row_1_nobody() {
    let world = World::new();
    for tuple in [
        Tuple::default(),
        device(""),
        user("anonymous"),
        user("$device:abc"),
        device(&"x".repeat(256)),
    ] {
        assert_eq!(world.number(tuple), 0);
    }
    assert_eq!((world.persons(), world.feed()), (0, vec![]));
}

#[test]
fn rows_2_to_5_one_identity() {
    let world = World::new();
    let first = world.resolve(world.request(vec![device("d")]));
    assert!(first.ids[0].new && !first.ids[0].linked);
    assert_eq!(first.ids[0].person.0, 1);
    let again = world.resolve(world.request(vec![device("d")]));
    assert!(!again.ids[0].new);
    assert_eq!(again.ids[0].person.0, 1);
    // One namespace of two kinds: the user "d" is somebody else.
    assert_eq!(world.number(user("d")), 2);
    assert_eq!(world.number(user("d")), 2);
    assert_eq!(world.number(device("D")), 3, "ids are compared as bytes");
    assert_eq!((world.persons(), world.feed()), (3, vec![]));
}

#[test]
fn row_6_both_unknown() {
    let world = World::new();
    let reply = world.resolve(world.request(vec![pair("d", "u")]));
    assert!(reply.ids[0].new && reply.ids[0].linked);
    assert_eq!((world.number(device("d")), world.number(user("u"))), (1, 1));
    assert_eq!((world.persons(), world.feed()), (1, vec![]));
}

#[test]
fn row_7_a_new_device_of_a_known_user() {
    let world = World::new();
    assert_eq!(world.number(user("u")), 1);
    let reply = world.resolve(world.request(vec![pair("d", "u")]));
    assert!(!reply.ids[0].new && reply.ids[0].linked);
    assert_eq!((reply.ids[0].person.0, world.number(device("d"))), (1, 1));
    assert_eq!((world.persons(), world.feed()), (1, vec![]));
    assert_eq!(world.identifiers(1), ["d", "u"]);
}

#[test]
fn row_8_sign_up() {
    let world = World::new();
    assert_eq!(world.number(device("d")), 1);
    let reply = world.resolve(world.request(vec![pair("d", "u")]));
    assert!(!reply.ids[0].new && reply.ids[0].linked);
    assert_eq!((reply.ids[0].person.0, world.number(user("u"))), (1, 1));
    assert_eq!(entries(&reply.feed), [reset(1)]);
    assert_eq!((world.persons(), world.feed()), (1, vec![reset(1)]));
}

#[test]
fn row_9_a_second_device_with_a_past() {
    let world = World::new();
    assert_eq!((world.number(device("d")), world.number(user("u"))), (1, 2));
    let reply = world.resolve(world.request(vec![pair("d", "u")]));
    assert_eq!((reply.ids[0].person.0, reply.ids[0].linked), (2, true));
    assert_eq!(entries(&reply.feed), [reset(1), merge(1, 2)]);
    assert_eq!(world.number(device("d")), 2);
    assert_eq!(world.identifiers(2), ["d", "u"]);
    assert_eq!(
        world.identifiers(1),
        ["d", "u"],
        "an absorbed number leads to the whole person"
    );
    let own = world.number(Tuple {
        ignore_alias: true,
        ..device("d")
    });
    assert_eq!(own, 1, "$ignore_alias asks for the identity's own number");
}

#[test]
fn rows_10_and_11_linked_devices() {
    let world = World::new();
    world.number(pair("d", "u"));
    world.number(user("v"));
    assert_eq!(world.number(pair("d", "u")), 1);
    assert_eq!(world.number(pair("d", "v")), 2, "row 11: the event is the other user's");
    assert_eq!(world.number(device("d")), 1, "the device stays with its first user");
    assert_eq!((world.persons(), world.feed()), (2, vec![]));
}

#[test]
fn row_12_an_unknown_user_on_a_linked_device() {
    let world = World::new();
    world.number(pair("d", "u"));
    let reply = world.resolve(world.request(vec![pair("d", "v")]));
    assert_eq!(
        (reply.ids[0].person.0, reply.ids[0].new, reply.ids[0].linked),
        (2, true, false)
    );
    assert_eq!((world.number(device("d")), world.feed()), (1, vec![]));
}

#[test]
fn looking_ahead_saves_an_edge() {
    let world = World::new();
    world.number(user("u"));
    // d is new and belongs to u later in the batch; e is new and belongs to a new user.
    let reply = world.resolve(world.request(vec![
        device("d"),
        device("e"),
        pair("d", "u"),
        pair("e", "w"),
        pair("d", "v"),
        device("d"),
    ]));
    let numbers: Vec<u64> = reply.ids.iter().map(|id| id.person.0).collect();
    assert_eq!(numbers, [1, 2, 1, 2, 3, 1]);
    assert_eq!((world.persons(), world.feed()), (3, vec![]));
}

#[test]
fn a_device_with_a_profile_update_is_not_looked_ahead_for() {
    let world = World::new();
    let update = Tuple {
        profile: true,
        ..device("d")
    };
    let reply = world.resolve(world.request(vec![update, device("d"), pair("d", "u")]));
    let numbers: Vec<u64> = reply.ids.iter().map(|id| id.person.0).collect();
    assert_eq!(numbers, [1, 1, 1]);
    assert_eq!(world.feed(), [reset(1)], "its profile is emptied when it is linked");
}

#[test]
fn profile_updates_never_link() {
    let world = World::new();
    assert_eq!(world.number(device("d")), 1);
    assert_eq!(
        world.number(Tuple {
            profile: true,
            ..pair("d", "u")
        }),
        2,
        "the user is meant"
    );
    assert_eq!(
        world.number(Tuple {
            profile: true,
            ..pair("d", "u")
        }),
        2
    );
    assert_eq!((world.number(device("d")), world.feed()), (1, vec![]));
}

#[test]
fn the_feed_has_no_gaps_and_pages_by_what_is_held() {
    let world = World::new();
    for n in 0..3 {
        world.number(device(&format!("d{n}")));
        world.number(user(&format!("u{n}")));
        world.number(pair(&format!("d{n}"), &format!("u{n}")));
    }
    assert_eq!(
        world.feed(),
        [reset(1), merge(1, 2), reset(3), merge(3, 4), reset(5), merge(5, 6)]
    );
    for have in 0..=6 {
        let mut request = world.request(vec![user("u0")]);
        request.have_feed = have;
        let reply = world.resolve(request);
        let seqs: Vec<u64> = reply.feed.iter().map(|item| item.seq).collect();
        assert_eq!((seqs, reply.more), ((have + 1..=6).collect(), false));
    }
    let mut ahead = world.request(vec![user("u0")]);
    ahead.have_feed = 99;
    assert!(world.resolve(ahead).feed.is_empty());
}

#[test]
fn a_long_feed_comes_in_pages() {
    let world = World::new();
    let count = 5_100;
    for from in (0..count).step_by(1_700) {
        let ids = (from..from + 1_700)
            .flat_map(|n| [device(&format!("d{n}")), user(&format!("u{n}"))])
            .collect();
        world.resolve(world.request(ids));
        let ids = (from..from + 1_700)
            .map(|n| pair(&format!("d{n}"), &format!("u{n}")))
            .collect();
        world.resolve(world.request(ids));
    }
    let reply = world.resolve(world.request(vec![user("u0")]));
    assert_eq!(
        (reply.feed.len(), reply.more, reply.feed[9_999].seq),
        (10_000, true, 10_000)
    );
    let Ok(vault_client::protocol::Reply::Feed { items, more }) = world.ask(Request::FeedSince {
        project: PROJECT,
        seq: 10_000,
    }) else {
        panic!("another answer")
    };
    assert_eq!((items.len(), more, items[0].seq), (200, false, 10_001));
}

#[test]
fn groups_are_numbered_per_key() {
    let mut world = World::new();
    assert_eq!((world.group("company", "Acme"), world.group("company", "Beta")), (1, 2));
    assert_eq!((world.group("team", "Acme"), world.group("company", "Acme")), (1, 1));
    assert_eq!(world.group("company", ""), 0);
    world.restart();
    assert_eq!(
        (
            world.group("company", "Beta"),
            world.group("company", "Gamma"),
            world.group("team", "X")
        ),
        (2, 3, 2)
    );
    assert_eq!(world.persons(), 0);
}

#[test]
fn a_small_index_forgets_and_still_knows() {
    let mut world = World::with_index(8);
    let ids = |range: std::ops::Range<u32>| {
        range
            .map(|n| pair(&format!("d{n}"), &format!("u{n}")))
            .collect::<Vec<_>>()
    };
    let first = world.resolve(world.request(ids(0..100)));
    assert_eq!(world.persons(), 100);
    for _ in 0..2 {
        let again = world.resolve(world.request(ids(0..100)));
        for (n, (a, b)) in first.ids.iter().zip(&again.ids).enumerate() {
            assert_eq!((a.person, b.new, b.linked), (b.person, false, false), "tuple {n}");
        }
        world.restart();
    }
    assert_eq!((world.persons(), world.feed()), (100, vec![]));
    assert_eq!(world.group("k", "a"), 1);
}

#[test]
fn projects_know_nothing_of_each_other() {
    let world = World::new();
    let other = ProjectId(2);
    world.number(pair("d", "u"));
    let mut request = world.request(vec![device("d"), user("u")]);
    request.project = other;
    assert!(world.try_resolve(request.clone()).is_err(), "a project nobody made");
    world.ask(Request::CreateProject(other)).unwrap();
    let numbers: Vec<u64> = world.resolve(request).ids.iter().map(|id| id.person.0).collect();
    assert_eq!(numbers, [1, 2], "what is one person there is two here");
    let keys: Vec<_> = [PROJECT, other]
        .map(|project| match world.ask(Request::DedupKey(project)).unwrap() {
            vault_client::protocol::Reply::Key32(key) => *key,
            _ => panic!("another answer"),
        })
        .into();
    assert_ne!(keys[0], keys[1]);
    assert!(world.ask(Request::CreateProject(ProjectId(0))).is_err());
}

#[test]
fn a_batch_sent_twice_has_one_effect() {
    let mut world = World::new();
    let mut request = world.request(vec![Tuple {
        profile: true,
        ..user("u")
    }]);
    request.batch_id = BatchId([9; 16]);
    request.writes = vec![
        write(vault_client::FieldOp::Append, "$tags", Some("1")),
        write(vault_client::FieldOp::Append, "$tags", Some("2")),
    ];
    let first = world.resolve(request.clone());
    let again = world.resolve(request.clone());
    assert_eq!(first.ids[0].person, again.ids[0].person);
    assert_eq!(world.fields(1), ["$tags=[1,2]"]);
    world.restart();
    world.resolve(request.clone());
    assert_eq!(world.fields(1), ["$tags=[1,2]"]);
    request.batch_id = BatchId([10; 16]);
    world.resolve(request);
    assert_eq!(world.fields(1), ["$tags=[1,2,1,2]"], "another batch is another update");
}

#[test]
fn numbers_and_keys_survive_restarts() {
    let mut world = World::new();
    let lineage = world.resolve(world.request(vec![])).lineage;
    for n in 1..=5u64 {
        assert_eq!(world.number(user(&format!("u{n}"))), n);
        assert_eq!(world.number(user("u1")), 1);
        world.restart();
    }
    assert_eq!(world.identifiers(3), ["u3"]);
    assert_eq!(world.resolve(world.request(vec![])).lineage, lineage);
    let uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let number = world.number(Tuple {
        device: Some(Personal::new(uuid)),
        ..Tuple::default()
    });
    assert_eq!(world.identifiers(number), [uuid]);
}

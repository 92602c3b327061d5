//! Who may learn who somebody is, and what is on record before they do.

use crate::support::*;
use ledger::{Actor, Class, Decision, Entry, EntryFilter, Ledger};
use model::{AccountNumber, ErrorCode, GroupNumber, PersonNumber, PurposeCode};
use vault_client::protocol::{Reply, Request};
use vault_client::{Asker, FieldOp, Personal, Purpose, RevealRequest, Role, SecretText, VaultError};

/// The ledger's entries, oldest first, with the persons of each. Read with the vault closed.
fn entries_of(world: &mut World) -> Vec<(Entry, Vec<u64>)> {
    world.close();
    let ledger = Ledger::open(&world.path().join("ledger")).unwrap();
    let mut found = ledger.entries(EntryFilter::default(), 100).unwrap();
    drop(ledger);
    world.open().unwrap();
    found.reverse();
    found
        .into_iter()
        .map(|(entry, persons)| (entry, persons.iter().collect()))
        .collect()
}

fn world_with_ada() -> (World, u64) {
    let world = World::new();
    world.number(device("d"));
    let fields = [
        (FieldOp::Set, "$email", Some("\"ada@example.org\"")),
        (FieldOp::Set, "$name", Some("\"Ada\"")),
    ];
    let person = world.write(user("u"), &fields);
    world.number(pair("d", "u"));
    (world, person)
}

#[test]
fn a_reveal_is_recorded_before_it_is_answered() {
    let (mut world, person) = world_with_ada();
    let session = world.session(Role::Owner);
    let revealed = world.reveal_as(1, Asker::Session(session)).unwrap();
    let fields: Vec<_> = revealed
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect();
    assert_eq!(fields, [("$email", "\"ada@example.org\""), ("$name", "\"Ada\"")]);
    assert_eq!((revealed.identifiers.len(), revealed.ledger_seq), (2, 1));
    let entries = entries_of(&mut world);
    let (entry, persons) = &entries[0];
    assert_eq!(entries.len(), 1);
    assert_eq!(persons, &[person], "the canonical number of the moment");
    assert_eq!(
        (&entry.actor, entry.class, entry.decision),
        (&Actor::Account(AccountNumber(1)), Class::D3, Decision::Released)
    );
    assert_eq!(
        (entry.action.as_str(), entry.purpose_code),
        ("reveal", Some(PurposeCode::Support))
    );
    assert_eq!(entry.fields, ["$distinct_id", "$email", "$name"]);
    assert!(entry.session_commit.is_some() && entry.purpose_commit.is_some());
}

#[test]
fn only_the_fields_that_are_asked_for_are_shown_and_recorded() {
    let (mut world, person) = world_with_ada();
    let request = RevealRequest {
        project: PROJECT,
        person: PersonNumber(person),
        fields: Some(vec!["$name".into(), "$nothing".into()]),
        asker: robot(),
        purpose: purpose(),
    };
    let Reply::Revealed(revealed) = world.ask(Request::Reveal(request)).unwrap() else {
        panic!("another answer")
    };
    assert_eq!((revealed.fields.len(), revealed.identifiers.len()), (1, 0));
    let entries = entries_of(&mut world);
    assert_eq!(entries[0].0.fields, ["$name"]);
    assert_eq!(entries[0].0.actor, Actor::ServiceAccount("robot".into()));
}

#[test]
fn who_may_reveal() {
    let (mut world, person) = world_with_ada();
    for (role, allowed) in [
        (Role::Owner, true),
        (Role::PrivacyOfficer, true),
        (Role::Admin, false),
        (Role::Analyst, false),
        (Role::Viewer, false),
        (Role::Auditor, false),
    ] {
        let session = world.session(role);
        let outcome = world.reveal_as(person, Asker::Session(session));
        assert_eq!(outcome.is_ok(), allowed, "{}", role.as_str());
        if let Err(error) = outcome {
            assert!(matches!(
                error,
                VaultError::Refused {
                    code: ErrorCode::Forbidden,
                    ..
                }
            ));
        }
    }
    let refused = entries_of(&mut world)
        .iter()
        .filter(|(entry, _)| entry.decision == Decision::Refused)
        .count();
    assert_eq!(refused, 4, "a refusal is on record too");
}

#[test]
fn a_session_that_is_over_reveals_nothing() {
    let (mut world, person) = world_with_ada();
    let session = world.session(Role::Owner);
    world.ask(Request::EndSession(session.clone())).unwrap();
    for secret in [session, SecretText::new("made up")] {
        let error = world.reveal_as(person, Asker::Session(secret)).err().unwrap();
        assert!(matches!(
            error,
            VaultError::Refused {
                code: ErrorCode::Unauthenticated,
                ..
            }
        ));
    }
    assert!(entries_of(&mut world).is_empty());
}

#[test]
fn a_purpose_has_10_to_500_characters() {
    let (world, person) = world_with_ada();
    for (text, accepted) in [
        ("", false),
        ("too short", false),
        ("         x         ", false),
        ("é".repeat(10).as_str(), true),
        ("é".repeat(500).as_str(), true),
        ("é".repeat(501).as_str(), false),
    ] {
        let request = RevealRequest {
            project: PROJECT,
            person: PersonNumber(person),
            fields: None,
            asker: robot(),
            purpose: Purpose {
                code: PurposeCode::Legal,
                text: Personal::new(text),
            },
        };
        let outcome = world.ask(Request::Reveal(request));
        assert_eq!(outcome.is_ok(), accepted, "{} characters", text.chars().count());
        if let Err(error) = outcome {
            assert!(matches!(
                error,
                VaultError::Refused {
                    code: ErrorCode::PurposeRequired,
                    ..
                }
            ));
        }
    }
}

#[test]
fn a_lookup_is_recorded_hit_or_miss() {
    let (mut world, person) = world_with_ada();
    assert_eq!(world.lookup("ada@example.org"), Some(person));
    assert_eq!(world.lookup("eve@example.org"), None);
    let entries = entries_of(&mut world);
    let persons: Vec<_> = entries.iter().map(|(_, persons)| persons.clone()).collect();
    assert_eq!(persons, [vec![person], vec![]]);
    assert!(
        entries
            .iter()
            .all(|(entry, _)| entry.action == "lookup" && entry.class == Class::D3)
    );
    // Nothing of the identifier may be checked against the ledger: the same question digests differently.
    world.lookup("ada@example.org");
    let entries = entries_of(&mut world);
    assert_ne!(entries[0].0.question_digest, entries[2].0.question_digest);
}

#[test]
fn labels_of_groups_are_recorded() {
    let mut world = World::new();
    world.group("company", "Acme");
    world.group("company", "Beta");
    let labels = |world: &World, key: &str, asker| {
        let numbers = [2, 9, 1].map(GroupNumber).into();
        match world.ask(Request::GroupLabels {
            project: PROJECT,
            key: key.into(),
            numbers,
            asker,
        }) {
            Ok(Reply::Labels(labels)) => Some(
                labels
                    .iter()
                    .map(|l| l.as_ref().map(|l| l.expose().to_owned()))
                    .collect::<Vec<_>>(),
            ),
            Ok(_) => panic!("another answer"),
            Err(_) => None,
        }
    };
    assert_eq!(
        labels(&world, "company", robot()).unwrap(),
        [Some("Beta".into()), None, Some("Acme".into())]
    );
    assert_eq!(labels(&world, "team", robot()).unwrap(), [None, None, None]);
    let viewer = world.session(Role::Viewer);
    assert_eq!(labels(&world, "company", Asker::Session(viewer)), None);
    assert_eq!(entries_of(&mut world).len(), 3);
}

#[test]
fn without_a_ledger_there_is_no_answer() {
    let (mut world, person) = world_with_ada();
    world.close();
    // A folder where the ledger's file should be: it cannot be opened, so the vault does not open either.
    std::fs::remove_dir_all(world.path().join("ledger")).unwrap();
    std::fs::create_dir_all(world.path().join("ledger/entries.log")).unwrap();
    assert!(world.open().is_err());
    std::fs::remove_dir_all(world.path().join("ledger")).unwrap();
    world.open().unwrap();
    assert!(world.reveal(person).is_ok());
}

#[test]
fn nobody_is_not_found() {
    let (mut world, _) = world_with_ada();
    for person in [0, 99] {
        let error = world.reveal(person).err().unwrap();
        assert!(matches!(
            error,
            VaultError::Refused {
                code: ErrorCode::NotFound,
                ..
            }
        ));
    }
    assert!(entries_of(&mut world).is_empty());
}

#[test]
fn keys_of_pseudonyms_differ_by_stream_and_stay() {
    let mut world = World::new();
    let key = |world: &World, stream: &str| match world
        .ask(Request::PseudonymKey {
            project: PROJECT,
            stream: stream.into(),
        })
        .unwrap()
    {
        Reply::Key64(key) => *key,
        _ => panic!("another answer"),
    };
    let (a, b) = (key(&world, "a"), key(&world, "b"));
    assert_ne!(a, b);
    world.restart();
    assert_eq!(key(&world, "a"), a);
}

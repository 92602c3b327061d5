//! Copies of the vault's files, and files put back.

use crate::support::*;
use std::path::Path;
use vault::backup::{KEYSTORE, adopt_restored, copy_database, verify};
use vault_client::FieldOp;
use vault_client::protocol::{Reply, Request};

const NAME: (FieldOp, &str, Option<&str>) = (FieldOp::Set, "$name", Some("\"Ada\""));

fn copy_all(world: &World, to: &Path) {
    for name in ["vault.db", "accounts.db", KEYSTORE] {
        copy_database(world.path(), name, to).unwrap();
    }
}

fn lineage(world: &World) -> u64 {
    match world.ask(Request::Hello).unwrap() {
        Reply::Hello(hello) => hello.lineage,
        _ => panic!("another answer"),
    }
}

#[test]
fn a_copy_that_is_put_back_is_a_history_of_its_own() {
    let mut world = World::new();
    world.write(user("ada"), &[NAME]);
    let copy = tempfile::tempdir().unwrap();
    copy_all(&world, copy.path());
    let before = lineage(&world);
    // Somebody who came after the copy takes a key that the copy has made ahead.
    world.write(user("eve"), &[NAME]);
    world.close();
    for name in ["vault.db", "accounts.db", KEYSTORE] {
        for tail in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(world.path().join(format!("{name}{tail}")));
        }
        std::fs::copy(copy.path().join(name), world.path().join(name)).unwrap();
    }
    adopt_restored(world.path(), &world.path().join(KEYSTORE)).unwrap();
    assert!(verify(world.path()).damage.is_empty());
    world.open().unwrap();
    assert_ne!(lineage(&world), before);
    assert_eq!(world.fields(1), ["$name=\"Ada\""]);
}

#[test]
fn what_contradicts_itself_is_found_without_keys() {
    for (statements, said) in [
        ("UPDATE person SET key_id = zeroblob(16) WHERE n = 1", "have no key"),
        ("UPDATE project SET next_person = 1", "away twice"),
        ("UPDATE project SET feed_seq = 7", "has a hole"),
    ] {
        let mut world = World::new();
        world.write(user("ada"), &[NAME]);
        assert!(verify(world.path()).damage.is_empty());
        world.tamper(statements);
        let damage = verify(world.path()).damage;
        assert!(
            damage.len() == 1 && damage[0].what.contains(said),
            "{statements}: {damage:?}"
        );
    }
}

#[test]
fn a_vault_of_a_later_program_is_refused() {
    let mut world = World::new();
    world.tamper("PRAGMA user_version = 9");
    let refused = world.open().unwrap_err().to_string();
    assert!(
        refused.contains("vault.db has format 10") && refused.contains("reads up to 1"),
        "{refused}"
    );
}

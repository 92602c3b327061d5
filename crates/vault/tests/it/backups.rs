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

/// Every bit of the headers, one of every 61st byte: found by name, or in a page that is free.
#[test]
fn a_flipped_bit_of_any_database_is_found_or_lies_in_a_free_page() {
    let mut world = World::new();
    world.write(user("ada"), &[NAME]);
    world.close();
    for name in ["vault.db", "accounts.db", KEYSTORE] {
        let file = world.path().join(name);
        let free: usize = rusqlite::Connection::open(&file)
            .unwrap()
            .pragma_query_value(None, "freelist_count", |row| row.get(0))
            .unwrap();
        let content = std::fs::read(&file).unwrap();
        let mut unnoticed = std::collections::BTreeSet::new();
        for bit in (0..100 * 8).chain((100..content.len()).step_by(61).map(|at| at * 8 + at % 8)) {
            let mut damaged = content.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&file, damaged).unwrap();
            let found = verify(world.path()).damage;
            if found.is_empty() {
                unnoticed.insert(bit / 8 / 4096);
            }
            assert!(
                found.iter().all(|damage| damage.file == file),
                "{name} bit {bit}: {found:?}"
            );
        }
        assert!(unnoticed.len() <= free, "{name}: {unnoticed:?} of {free} free pages");
        // The first page is read by every start.
        let mut damaged = content.clone();
        damaged[2_000] ^= 4;
        std::fs::write(&file, damaged).unwrap();
        let refused = world.open().unwrap_err().to_string();
        assert!(
            refused.contains(name) && refused.contains("restore it from a backup"),
            "{refused}"
        );
        std::fs::write(&file, content).unwrap();
    }
    world.open().unwrap();
    assert_eq!(world.fields(1), ["$name=\"Ada\""]);
}

#[test]
fn a_vault_of_a_later_program_is_refused() {
    let mut world = World::new();
    world.tamper("PRAGMA user_version = 9");
    let refused = world.open().unwrap_err().to_string();
    assert!(
        refused.contains("vault.db has format 10") && refused.contains("reads up to 2"),
        "{refused}"
    );
}

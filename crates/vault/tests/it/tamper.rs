//! Somebody with the disk and without the keys: whatever they move, change or put back is refused (VA-5, VA-14).

use crate::support::*;
use model::ProjectId;
use std::path::Path;
use vault::VaultServeError;
use vault_client::protocol::{Reply, Request};
use vault_client::{FieldOp, VaultError};

const NAME_ADA: (FieldOp, &str, Option<&str>) = (FieldOp::Set, "$name", Some("\"Ada\""));
const NAME_EVE: (FieldOp, &str, Option<&str>) = (FieldOp::Set, "$name", Some("\"Eve\""));

fn is_refused(world: &World, person: u64) -> bool {
    match world.reveal(person) {
        Ok(_) => false,
        Err(VaultError::Refused {
            code: model::ErrorCode::Internal,
            ..
        }) => true,
        Err(error) => panic!("refused for another reason: {error}"),
    }
}

fn two_people() -> World {
    let world = World::new();
    world.write(user("ada"), &[NAME_ADA]);
    world.write(user("eve"), &[NAME_EVE]);
    world
}

fn check_refused(statements: &str, persons: &[u64]) {
    let mut world = two_people();
    world.tamper(statements);
    world.open().unwrap();
    for person in persons {
        assert!(is_refused(&world, *person), "person {person} after: {statements}");
    }
}

#[test]
fn rows_that_were_swapped_between_people() {
    let swap = |table: &str, column: &str| {
        format!(
            "UPDATE {table} SET {column} = (SELECT {column} FROM {table} AS o WHERE o.person = 3 - {table}.person)
                WHERE person IN (1, 2)"
        )
    };
    // One statement reads its own writes, so the swap goes through a temporary table.
    let swap_all = |table: &str, column: &str| {
        format!(
            "CREATE TEMP TABLE t AS SELECT person, {column} AS c FROM {table};
            UPDATE {table} SET {column} = (SELECT c FROM t WHERE t.person = 3 - {table}.person);"
        )
    };
    check_refused(&swap_all("ident", "sealed"), &[1, 2]);
    check_refused(&swap_all("field", "sealed"), &[1, 2]);
    check_refused(&swap("ident", "sealed"), &[1]);
    check_refused(
        "UPDATE ident SET person = 3 - person, ident_id = ident_id + 10",
        &[1, 2],
    );
    check_refused("UPDATE ident SET ident_id = 9 WHERE person = 1", &[1]);
    check_refused("UPDATE ident SET kind = 100 WHERE person = 1", &[1]);
    check_refused(
        "CREATE TEMP TABLE t AS SELECT n, key_id FROM person;
        UPDATE person SET key_id = (SELECT key_id FROM t WHERE t.n = 3 - person.n)",
        &[1, 2],
    );
}

#[test]
fn rows_that_were_changed() {
    for statements in [
        "UPDATE person SET ver = ver + 1 WHERE n = 1",
        "UPDATE person SET canon = 2 WHERE n = 1",
        "UPDATE person SET state = 2 WHERE n = 1",
        "UPDATE person SET mac = zeroblob(32) WHERE n = 1",
        "UPDATE field SET ver = ver + 1 WHERE person = 1",
        "UPDATE field SET schema_ver = 2 WHERE person = 1",
        "DELETE FROM field WHERE person = 1",
        "INSERT INTO field SELECT project, person, 7, ver, schema_ver, updated_ms, sealed FROM field WHERE person = 1",
    ] {
        check_refused(statements, &[1]);
    }
}

#[test]
fn every_flipped_bit_of_a_stored_identity() {
    let mut world = two_people();
    world.tamper("CREATE TABLE kept AS SELECT sealed FROM ident WHERE person = 1");
    let length: usize = connection(&world)
        .query_row("SELECT length(sealed) FROM kept", [], |row| row.get(0))
        .unwrap();
    world.open().unwrap();
    for bit in 0..length * 8 {
        let connection = connection(&world);
        let mut sealed: Vec<u8> = connection
            .query_row("SELECT sealed FROM kept", [], |row| row.get(0))
            .unwrap();
        sealed[bit / 8] ^= 1 << (bit % 8);
        connection
            .execute("UPDATE ident SET sealed = ?1 WHERE person = 1", [sealed])
            .unwrap();
        // Each try is recorded and costs syncs, so every seventh bit is asked for; the record's own test asks for all.
        if bit % 7 == 0 {
            assert!(is_refused(&world, 1), "bit {bit}");
        }
    }
    connection(&world)
        .execute(
            "UPDATE ident SET sealed = (SELECT sealed FROM kept) WHERE person = 1",
            [],
        )
        .unwrap();
    assert_eq!(world.fields(1), ["$name=\"Ada\""]);
}

fn connection(world: &World) -> rusqlite::Connection {
    rusqlite::Connection::open(world.path().join("vault.db")).unwrap()
}

#[test]
fn a_field_that_was_put_back() {
    let mut world = two_people();
    world.tamper("CREATE TABLE kept AS SELECT * FROM field WHERE person = 1");
    world.open().unwrap();
    world.write(user("ada"), &[NAME_EVE]);
    world.tamper("INSERT OR REPLACE INTO field SELECT * FROM kept");
    world.open().unwrap();
    assert!(is_refused(&world, 1));
    // Also when the field was deleted and made anew in between.
    let mut world = two_people();
    world.tamper("CREATE TABLE kept AS SELECT * FROM field WHERE person = 1");
    world.open().unwrap();
    world.write(user("ada"), &[(FieldOp::Unset, "$name", None)]);
    world.write(user("ada"), &[NAME_EVE]);
    world.tamper("INSERT OR REPLACE INTO field SELECT * FROM kept");
    world.open().unwrap();
    assert!(is_refused(&world, 1));
    // A write to the person is refused as well: it would bless what was put back.
    let mut request = world.request(vec![user("ada")]);
    request.writes = vec![write(FieldOp::Append, "$tags", Some("1"))];
    assert!(world.try_resolve(request).is_err());
    assert_eq!(world.write(user("eve"), &[NAME_EVE]), 2, "others are not harmed");
}

#[test]
fn a_person_row_that_was_put_back_to_before_a_merge() {
    let mut world = World::new();
    world.number(device("d"));
    world.number(user("u"));
    world.tamper("CREATE TABLE kept AS SELECT * FROM person WHERE n = 1");
    world.open().unwrap();
    world.number(pair("d", "u"));
    world.tamper("INSERT OR REPLACE INTO person SELECT * FROM kept");
    world.open().unwrap();
    assert!(is_refused(&world, 1) && is_refused(&world, 2));
}

#[test]
fn counters_and_feed_that_were_put_back() {
    let refuses_to_open = |statements: &str| {
        let mut world = World::new();
        world.number(device("d"));
        world.number(user("u"));
        world.number(pair("d", "u"));
        world.tamper(statements);
        assert!(
            matches!(world.open(), Err(VaultServeError::Fault(_))),
            "opened after: {statements}"
        );
    };
    refuses_to_open("UPDATE project SET next_person = 2");
    refuses_to_open("UPDATE project SET feed_seq = 1");
    refuses_to_open("UPDATE project SET feed_seq = 3");
    refuses_to_open("DELETE FROM feed WHERE seq = 1");
    refuses_to_open("DELETE FROM feed WHERE seq = 2");
}

#[test]
fn keys_of_another_project() {
    let mut world = World::new();
    let other = ProjectId(2);
    world.ask(Request::CreateProject(other)).unwrap();
    world.number(user("u"));
    let mut request = world.request(vec![user("u")]);
    request.project = other;
    world.resolve(request);
    world.close();
    let keys = rusqlite::Connection::open(world.path().join("keys.db")).unwrap();
    let swap = |connection: &rusqlite::Connection, table: &str, columns: &str| {
        connection
            .execute_batch(&format!(
                "CREATE TEMP TABLE t AS SELECT * FROM {table};
                DELETE FROM {table};
                INSERT INTO {table} SELECT 3 - project, {columns} FROM t;
                DROP TABLE t;"
            ))
            .unwrap();
    };
    // The project keys alone, the key-encryption keys alone: neither opens.
    for (table, columns) in [
        ("pkey", "purpose, gen, wrapped"),
        ("kek", "gen, wrapped, state, created_ms, destroyed_ms"),
    ] {
        swap(&keys, table, columns);
        assert!(matches!(world.open(), Err(VaultServeError::Fault(_))), "{table}");
        swap(&keys, table, columns);
    }
    // One purpose's key in the place of another's.
    keys.execute_batch(
        "CREATE TEMP TABLE k AS SELECT purpose, wrapped FROM pkey WHERE project = 1;
        UPDATE pkey SET wrapped = (SELECT wrapped FROM k WHERE k.purpose = 'fields')
            WHERE project = 1 AND purpose = 'index'",
    )
    .unwrap();
    assert!(matches!(world.open(), Err(VaultServeError::Fault(_))));
}

#[test]
fn a_data_key_in_the_place_of_another() {
    let mut world = two_people();
    world.close();
    let keys = rusqlite::Connection::open(world.path().join("keys.db")).unwrap();
    keys.execute_batch(
        "CREATE TEMP TABLE k AS SELECT key_id, nonce, wrapped FROM dek ORDER BY key_id LIMIT 2;
        UPDATE dek SET nonce = (SELECT k.nonce FROM k WHERE k.key_id <> dek.key_id),
            wrapped = (SELECT k.wrapped FROM k WHERE k.key_id <> dek.key_id)
            WHERE key_id IN (SELECT key_id FROM k)",
    )
    .unwrap();
    drop(keys);
    world.open().unwrap();
    assert!(is_refused(&world, 1) && is_refused(&world, 2));
}

fn copy(world: &World, name: &str, to: &Path) {
    std::fs::copy(world.path().join(name), to.join(name)).unwrap();
}

fn put_back(world: &World, name: &str, from: &Path) {
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(world.path().join(format!("{name}{suffix}")));
    }
    std::fs::copy(from.join(name), world.path().join(name)).unwrap();
}

#[test]
fn a_whole_file_that_was_put_back_opens_as_a_restore_only() {
    let backup = tempfile::tempdir().unwrap();
    let mut world = World::new();
    world.number(user("a"));
    world.close();
    copy(&world, "vault.db", backup.path());
    copy(&world, "keys.db", backup.path());
    world.open().unwrap();
    let lineage = world.resolve(world.request(vec![])).lineage;
    world.number(user("b"));
    world.close();
    put_back(&world, "vault.db", backup.path());
    assert!(matches!(
        world.open(),
        Err(VaultServeError::Restored { file: "vault.db", .. })
    ));

    world.options.accept_restore = true;
    world.open().unwrap();
    let restored = world.resolve(world.request(vec![user("a"), user("c")]));
    assert_ne!(restored.lineage, lineage, "caches of numbers must be emptied");
    assert_eq!(restored.ids[0].person.0, 1);
    assert_eq!(world.identifiers(restored.ids[1].person.0), ["c"]);
    // No data key serves two people, not even one who is no longer in the directory.
    let row = connection(&world).query_row("SELECT key_id FROM person WHERE n = 2", [], |row| {
        row.get::<_, Vec<u8>>(0)
    });
    let serial = u64::from_be_bytes(row.unwrap()[..8].try_into().unwrap());
    assert!(
        serial > 256,
        "serial {serial} lies in the block that the lost person's key came from"
    );

    // And keys.db older than vault.db: keys are missing, so it does not open at all.
    let mut world = World::new();
    world.close();
    copy(&world, "keys.db", backup.path());
    world.open().unwrap();
    world.number(user("a"));
    world.close();
    put_back(&world, "keys.db", backup.path());
    assert!(matches!(world.open(), Err(VaultServeError::Fault(_))));
}

#[test]
fn labels_and_sealed_texts_that_were_moved() {
    let mut world = World::new();
    world.group("company", "Acme");
    world.group("company", "Beta");
    for name in ["one", "two"] {
        let text = vault_client::SecretText::new(name);
        world
            .ask(Request::PutSecret {
                project: PROJECT,
                name: name.into(),
                text,
            })
            .unwrap();
    }
    world.tamper(
        "UPDATE grp SET sealed = (SELECT sealed FROM grp AS o WHERE o.n = 2) WHERE n = 1;
        UPDATE document SET sealed = (SELECT sealed FROM document AS o WHERE o.name = x'74776f') WHERE name = x'6f6e65';",
    );
    world.open().unwrap();
    let numbers = vec![model::GroupNumber(1)];
    assert!(
        world
            .ask(Request::GroupLabels {
                project: PROJECT,
                key: "company".into(),
                numbers,
                asker: robot()
            })
            .is_err()
    );
    assert!(
        world
            .ask(Request::Secret {
                project: PROJECT,
                name: "one".into()
            })
            .is_err()
    );
    let Ok(Reply::Secret(Some(text))) = world.ask(Request::Secret {
        project: PROJECT,
        name: "two".into(),
    }) else {
        panic!("the untouched secret is gone")
    };
    assert_eq!(text.expose(), "two");
}

//! Checksums for a database that was made without.

use crate::{content, fill};
use rusqlite::Connection;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn plain(file: &Path) -> Vec<String> {
    let connection = Connection::open(file).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    fill(&connection);
    let found = content(&connection).unwrap();
    // As a killed process leaves it: with everything in the write-ahead log still.
    let left = |suffix: &str| std::fs::read(format!("{}{suffix}", file.display())).unwrap();
    let (database, log) = (left(""), left("-wal"));
    drop(connection);
    std::fs::write(file, database).unwrap();
    std::fs::write(format!("{}-wal", file.display()), log).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    found
}

#[test]
fn an_existing_database_gets_checksums_and_keeps_everything() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.db");
    let expected = plain(&file);
    // What an upgrade that was cut off left.
    std::fs::write(directory.path().join("a.db-sealing"), b"half").unwrap();
    pages::seal_existing(&file, 4).unwrap();
    let connection = Connection::open(&file).unwrap();
    assert!(pages::is_sealed(&connection).unwrap());
    let version: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!((version, content(&connection).unwrap()), (4, expected));
    drop(connection);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for (number, page) in std::fs::read(&file).unwrap().chunks(4096).enumerate() {
        assert!(pages::page::is_whole(page, number as u64 * 4096), "page {number}");
    }
    let names: Vec<_> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["a.db"]);
}

#[test]
fn a_database_in_use_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.db");
    let expected = plain(&file);
    let other = Connection::open(&file).unwrap();
    assert_eq!(content(&other).unwrap(), expected);
    assert!(pages::seal_existing(&file, 4).is_err());
    other.execute_batch("INSERT INTO setting VALUES ('later', 1)").unwrap();
    assert!(!pages::is_sealed(&other).unwrap());
    drop(other);
    pages::seal_existing(&file, 4).unwrap();
    assert_eq!(
        content(&Connection::open(&file).unwrap()).unwrap().len(),
        expected.len() + 1
    );
}

#[test]
fn without_room_for_a_copy_nothing_is_changed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.db");
    let expected = plain(&file);
    // Something that cannot be replaced stands where the copy would.
    std::fs::create_dir(directory.path().join("a.db-sealing")).unwrap();
    assert!(pages::seal_existing(&file, 4).is_err());
    let connection = Connection::open(&file).unwrap();
    assert_eq!(content(&connection).unwrap(), expected);
}

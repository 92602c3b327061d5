//! Flipped bits: an error that names the file and the page, or an answer that is right.

use crate::{content, create};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

fn read(file: &Path) -> rusqlite::Result<Vec<String>> {
    content(&Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

#[test]
fn no_flipped_bit_is_ever_served() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.db");
    let expected = content(&create(&file)).unwrap();
    let sound = std::fs::read(&file).unwrap();
    assert_eq!(read(&file).unwrap(), expected);
    let mut unnoticed = Vec::new();
    for at in 0..sound.len() {
        // Every bit of the header and of some page's beginning, one of every eleventh byte elsewhere.
        let bits = match at {
            0..100 | 4096..4140 => 0..8,
            _ if at % 11 == 0 || at % 4096 < 16 => at % 8..at % 8 + 1,
            _ => continue,
        };
        for bit in bits {
            let mut damaged = sound.clone();
            damaged[at] ^= 1 << bit;
            std::fs::write(&file, damaged).unwrap();
            match read(&file) {
                Ok(found) => {
                    assert_eq!(found, expected, "bit {bit} of byte {at} changed an answer");
                    unnoticed.push(at / 4096);
                }
                Err(error) => {
                    let damage = pages::damage(&error).unwrap_or_else(|| panic!("bit {bit} of byte {at}: {error}"));
                    assert_eq!(damage.file.as_deref(), Some(file.as_path()), "bit {bit} of byte {at}");
                    assert_eq!(damage.offset, (at / 4096 * 4096) as u64);
                }
            }
        }
    }
    unnoticed.dedup();
    let free = sound.len() / 4096 - unnoticed.len();
    assert!(
        unnoticed.len() <= 5 && free > 5,
        "only pages that are free may be damaged unnoticed: {unnoticed:?}"
    );
}

#[test]
fn pages_from_elsewhere_and_pages_of_zeros_are_damage() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.db");
    drop(create(&file));
    let sound = std::fs::read(&file).unwrap();
    let mut swapped = sound.clone();
    swapped[4096..8192].copy_from_slice(&sound[8192..12288]);
    let mut empty = sound.clone();
    empty[4096..8192].fill(0);
    for damaged in [swapped, empty] {
        std::fs::write(&file, damaged).unwrap();
        let error = read(&file).unwrap_err();
        assert_eq!(pages::damage(&error).unwrap().offset, 4096);
    }
}

/// A transaction larger than SQLite's cache writes pages before the first one.
#[test]
fn large_transactions_have_checksums_too() {
    let directory = tempfile::tempdir().unwrap();
    for mode in ["DELETE", "WAL"] {
        let file = directory.path().join(format!("{mode}.db"));
        pages::register();
        let connection = Connection::open(&file).unwrap();
        pages::seal_new(&connection).unwrap();
        connection
            .execute_batch(&format!(
                "PRAGMA cache_size = 10; PRAGMA journal_mode = {mode}; BEGIN; CREATE TABLE t(x);
                 WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2000)
                 INSERT INTO t SELECT randomblob(1000) FROM n; COMMIT;"
            ))
            .unwrap();
        let copy = directory.path().join(format!("{mode}-copy.db"));
        connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()]).unwrap();
        drop(connection);
        for file in [file, copy] {
            let content = std::fs::read(&file).unwrap();
            assert!(content.len() > 500 * 4096);
            for (number, page) in content.chunks(4096).enumerate() {
                assert!(
                    pages::page::is_whole(page, number as u64 * 4096),
                    "page {number} of {}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn a_rolled_back_transaction_leaves_whole_pages() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.db");
    let connection = create(&file);
    connection
        .execute_batch("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 5")
        .unwrap();
    let expected = content(&connection).unwrap();
    connection
        .execute_batch("BEGIN; UPDATE row SET body = randomblob(5000); INSERT INTO setting VALUES ('x', 1); ROLLBACK;")
        .unwrap();
    assert_eq!(content(&connection).unwrap(), expected);
    drop(connection);
    assert_eq!(read(&file).unwrap(), expected);
}

#[test]
fn a_database_without_checksums_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("plain.db");
    pages::register();
    let connection = Connection::open(&file).unwrap();
    crate::fill(&connection);
    assert!(!pages::is_sealed(&connection).unwrap());
    drop(connection);
    let content = std::fs::read(&file).unwrap();
    assert_eq!(content[20], 0, "no bytes are reserved");
    assert!(read(&file).is_ok());
}

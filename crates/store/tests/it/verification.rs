//! Verification of a store's files: silent on sound ones, running or not, and specific about damage.

use crate::support::*;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use store::{Store, StoreError, Verified, verify};

fn sound(directory: &Path) -> Verified {
    let verified = verify(directory, &mut |_| {}).unwrap();
    assert_eq!(verified.damage, []);
    verified
}

/// A stopped store with segments and log files.
fn filled(directory: &Path) {
    let store = create(options(directory));
    for step in 0..40 {
        let events = (0..20).map(|n| event("open", n % 5, NOW_MS + step * 100 + n as i64, Some(n)));
        store.append(record(events.collect())).unwrap();
        if step == 9 {
            store.flush().unwrap();
        }
    }
    store.close();
}

fn files(directory: &Path, below: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory.join(below)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn sound_files_are_read_whole_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    let on_disk = |below: &str| {
        files(directory.path(), below)
            .into_iter()
            .map(|path| std::fs::read(path).unwrap())
    };
    let before: Vec<Vec<u8>> = on_disk("segments").chain(on_disk("log")).collect();
    let mut told = 0;
    let verified = verify(directory.path(), &mut |bytes| told += bytes).unwrap();
    assert_eq!(verified.damage, []);
    assert_eq!(verified.files as usize, before.len() + 1);
    let catalog = std::fs::metadata(directory.path().join("catalog.db")).unwrap().len();
    let bytes = before.iter().map(Vec::len).sum::<usize>() as u64 + catalog;
    assert_eq!((verified.bytes, told), (bytes, bytes));
    assert_eq!(on_disk("segments").chain(on_disk("log")).collect::<Vec<_>>(), before);
}

#[test]
fn every_flipped_byte_of_a_segment_is_found() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    let segment = files(directory.path(), "segments").remove(0);
    let content = std::fs::read(&segment).unwrap();
    for at in (0..content.len()).step_by(7) {
        let mut damaged = content.clone();
        damaged[at] ^= 1 << (at % 8);
        std::fs::write(&segment, damaged).unwrap();
        let found = verify(directory.path(), &mut |_| {}).unwrap().damage;
        assert_eq!((found.len(), &found[0].file), (1, &segment), "byte {at}");
    }
    std::fs::remove_file(&segment).unwrap();
    let found = verify(directory.path(), &mut |_| {}).unwrap().damage;
    assert_eq!((found.len(), &found[0].file), (1, &segment));
    std::fs::write(&segment, content).unwrap();
    sound(directory.path());
}

#[test]
fn a_flipped_byte_of_a_log_file_is_found_unless_it_looks_torn() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    let logs = files(directory.path(), "log");
    assert!(logs.len() > 2);
    for path in &logs[..logs.len() - 1] {
        let content = std::fs::read(path).unwrap();
        for at in (0..content.len()).step_by(97) {
            let mut damaged = content.clone();
            damaged[at] ^= 1;
            std::fs::write(path, damaged).unwrap();
            let found = verify(directory.path(), &mut |_| {})
                .unwrap_or_else(|error| panic!("{error}"))
                .damage;
            assert_eq!((found.len(), &found[0].file), (1, path), "byte {at}");
        }
        std::fs::write(path, content).unwrap();
    }
    let last = logs.last().unwrap();
    let content = std::fs::read(last).unwrap();
    std::fs::write(last, &content[..content.len() - 1]).unwrap();
    sound(directory.path());
    std::fs::write(last, content).unwrap();
    std::fs::remove_file(&logs[1]).unwrap();
    let found = verify(directory.path(), &mut |_| {}).unwrap().damage;
    assert_eq!((found.len(), &found[0].file), (1, &logs[2]));
}

#[test]
fn a_catalog_that_is_cut_off_is_found() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    let file = directory.path().join("catalog.db");
    let content = std::fs::read(&file).unwrap();
    for part in [content.len() / 2, 4096, 50] {
        std::fs::write(&file, &content[..part]).unwrap();
        let found = verify(directory.path(), &mut |_| {}).unwrap().damage;
        assert!(
            found.iter().any(|damage| damage.file == file),
            "{part} bytes: {found:?}"
        );
    }
}

/// Numbers of the catalog's pages, each with a byte of it flipped: either it is found and named, or nothing depends on it.
#[test]
fn every_flipped_bit_of_the_catalog_is_found_or_lies_in_a_free_page() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    let file = directory.path().join("catalog.db");
    let free: u64 = rusqlite::Connection::open(&file)
        .unwrap()
        .pragma_query_value(None, "freelist_count", |row| row.get(0))
        .unwrap();
    let answers = || {
        let store = Store::open(options(directory.path()))?;
        let snapshot = store.snapshot(PROJECT);
        let rows = scan(&snapshot, &everything(&snapshot)).len();
        Ok((
            rows,
            store.catalog().projects(),
            store.catalog().documents(PROJECT, "report")?,
        ))
    };
    let expected = answers().unwrap_or_else(|error: StoreError| panic!("{error}"));
    let content = std::fs::read(&file).unwrap();
    let mut unnoticed = std::collections::BTreeSet::new();
    // Every bit of the header, one of every 61st byte.
    let places = (0..100 * 8).chain((100..content.len()).step_by(61).map(|at| at * 8 + at % 8));
    for bit in places {
        let mut damaged = content.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&file, &damaged).unwrap();
        let found = verify(directory.path(), &mut |_| {}).unwrap().damage;
        if found.is_empty() {
            unnoticed.insert(bit / 8 / 4096);
        } else {
            assert!(found.iter().all(|damage| damage.file == file), "bit {bit}: {found:?}");
        }
        // A start reads most pages and refuses what is damaged; it never comes up with something else.
        if bit % 9 == 0 {
            match answers() {
                Ok(found) => assert_eq!(found, expected, "bit {bit} changed an answer"),
                Err(StoreError::Corrupt { file: named, .. }) => assert!(named.ends_with("catalog.db"), "{named:?}"),
                Err(other) => panic!("bit {bit}: {other}"),
            }
        }
        std::fs::write(&file, &content).unwrap();
    }
    assert!(unnoticed.len() as u64 <= free, "{unnoticed:?} of {free} free pages");
    sound(directory.path());
}

/// What a killed process leaves in the write-ahead log are commits like any other.
#[test]
fn a_flipped_bit_of_the_catalogs_write_ahead_log_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let killed = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    for step in 0..3 {
        store
            .append(record(vec![event("open", 1, NOW_MS + step, None)]))
            .unwrap();
        store.flush().unwrap();
    }
    for name in ["catalog.db", "catalog.db-wal"] {
        std::fs::copy(directory.path().join(name), killed.path().join(name)).unwrap();
    }
    for folder in ["log", "segments"] {
        std::fs::create_dir(killed.path().join(folder)).unwrap();
        for file in files(directory.path(), folder) {
            std::fs::copy(&file, killed.path().join(folder).join(file.file_name().unwrap())).unwrap();
        }
    }
    store.close();
    sound(killed.path());
    let log = killed.path().join("catalog.db-wal");
    let content = std::fs::read(&log).unwrap();
    let mut damaged = content.clone();
    damaged[5_000] ^= 1;
    std::fs::write(&log, damaged).unwrap();
    let found = verify(killed.path(), &mut |_| {}).unwrap().damage;
    assert!(found.iter().any(|damage| damage.file == log), "{found:?}");
    match Store::open(options(killed.path())).map(drop) {
        Err(StoreError::Corrupt { file, .. }) => assert_eq!(file, log),
        other => panic!("{other:?}"),
    }
    std::fs::write(&log, content).unwrap();
    assert_eq!(
        Store::open(options(killed.path()))
            .unwrap()
            .snapshot(PROJECT)
            .watermark(),
        3
    );
}

#[test]
fn a_store_that_works_is_sound_at_every_moment() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stop_at_end = StopAtEnd(&stop);
        let writer = scope.spawn(|| {
            let mut step = 0;
            while !stop.load(Ordering::Relaxed) {
                let events = (0..5).map(|n| event("open", n, NOW_MS + step * 10 + n as i64, None));
                store.append(record(events.collect())).unwrap();
                step += 1;
                if step % 8 == 0 {
                    store.flush().unwrap();
                }
                if step % 32 == 0 {
                    store.compact().unwrap();
                }
            }
        });
        for _ in 0..40 {
            sound(directory.path());
        }
        drop(stop_at_end);
        writer.join().unwrap();
    });
}

#[test]
fn files_of_a_later_program_are_refused_and_not_called_damaged() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    let formats = |directory: &Path| -> Vec<(&str, u32)> {
        let found = store::formats(directory).unwrap();
        let mut found: Vec<_> = found.iter().map(|format| (format.name, format.found)).collect();
        found.dedup();
        found
    };
    assert_eq!(
        formats(directory.path()),
        [("catalog", store::CATALOG_VERSION), ("log", store::LOG_VERSION)]
    );
    // As a later program would write the header: magic and checksum stay where they are.
    let log = files(directory.path(), "log").pop().unwrap();
    let content = std::fs::read(&log).unwrap();
    let mut later = content.clone();
    later[7] = 9;
    let crc = crc32c::crc32c(&later[..16]);
    later[16..20].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&log, &later).unwrap();
    assert_eq!(formats(directory.path()).last(), Some(&("log", 9)));
    let refused = Store::open(options(directory.path())).map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::NewerFormat { found: 9, .. }), "{refused}");
    assert_eq!(std::fs::read(&log).unwrap(), later, "nothing was changed");
    std::fs::write(&log, &content).unwrap();

    let catalog = directory.path().join("catalog.db");
    let connection = rusqlite::Connection::open(&catalog).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let refused = verify(directory.path(), &mut |_| {}).unwrap_err();
    assert!(
        matches!(refused, StoreError::NewerFormat { found: 99, .. }),
        "{refused}"
    );
    assert!(matches!(
        Store::open(options(directory.path())).map(drop),
        Err(StoreError::NewerFormat { found: 99, .. })
    ));
}

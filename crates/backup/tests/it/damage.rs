//! Sets that are not what was written: found by a verification, and never restored from.

use crate::support::*;
use backup::{BackupError, BackupSet};
use std::fs;

fn damaged(change: impl Fn(&std::path::Path), below: &str) {
    let world = World::new();
    let all = files(&[("main", b"one"), ("a/b", &bytes(1, 3000))]);
    world.back_up(0, &all);
    world.back_up(1, &all);
    let touched = all_files(&world.directory().join(below));
    for (place, path) in touched.into_iter().enumerate() {
        // A manifest concerns its own run only, an object both.
        let day = if below == "runs" { place as i64 } else { 0 };
        let content = fs::read(&path).unwrap();
        change(&path);
        let set = BackupSet::open(&world.directory()).unwrap();
        let found = set.verify(&mut |_| {}).unwrap().damage;
        assert_eq!(found.len(), 1, "{}: {found:?}", path.display());
        assert_eq!(found[0].file, path);
        assert!(!found[0].needed_by.is_empty());
        assert!(
            matches!(world.restored(Some(day)), Err(BackupError::Damaged { .. })),
            "{}",
            path.display()
        );
        fs::write(&path, content).unwrap();
        assert_eq!(world.restored(Some(day)).unwrap(), all);
        assert!(set.verify(&mut |_| {}).unwrap().damage.is_empty());
    }
}

#[test]
fn a_flipped_bit_anywhere() {
    let flip = |path: &std::path::Path| {
        let mut content = fs::read(path).unwrap();
        let at = content.len() / 2;
        content[at] ^= 0x10;
        fs::write(path, content).unwrap();
    };
    damaged(flip, "objects");
    damaged(flip, "runs");
}

#[test]
fn a_missing_or_shortened_object() {
    damaged(|path| fs::remove_file(path).unwrap(), "objects");
    damaged(|path| fs::write(path, b"").unwrap(), "objects");
}

#[test]
fn a_damaged_manifest_stops_pruning() {
    let world = World::new();
    world.back_up(0, &files(&[("main", b"one")]));
    world.back_up(1, &files(&[("main", b"two")]));
    let first = all_files(&world.directory().join("runs")).remove(0);
    fs::write(&first, b"{}").unwrap();
    // Its objects would look like nobody's.
    assert!(matches!(world.set().prune(i64::MAX), Err(BackupError::Damaged { .. })));
    assert_eq!(all_files(&world.directory().join("objects")).len(), 2);
}

#[test]
fn a_set_of_a_later_format_is_refused() {
    let world = World::new();
    let mut manifest = BackupSet::manifest("events", id(0), "9.0.0", &[]);
    manifest.format = 99;
    world.set().begin(manifest).unwrap().commit().unwrap();
    let refused = world.restored(None).unwrap_err().to_string();
    assert!(refused.contains("format 99") && refused.contains("9.0.0"), "{refused}");
}

#[test]
fn a_directory_without_a_set_is_refused() {
    let world = World::new();
    assert!(matches!(
        BackupSet::open(world.root.path()),
        Err(BackupError::NotASet { .. })
    ));
}

#[test]
fn a_full_disk_ends_the_run_and_nothing_else() {
    // `/dev/full` cannot be a folder; a set whose object folder is a file refuses in the same place.
    let world = World::new();
    let all = files(&[("main", b"one")]);
    world.back_up(0, &all);
    let objects = world.directory().join("objects");
    let hidden = world.directory().join("hidden");
    let set = world.set();
    fs::rename(&objects, &hidden).unwrap();
    fs::write(&objects, b"").unwrap();
    assert!(matches!(
        run(&set, 1, &files(&[("main", b"two")])),
        Err(BackupError::Io { .. })
    ));
    fs::remove_file(&objects).unwrap();
    fs::rename(&hidden, &objects).unwrap();
    assert_eq!(world.restored(None).unwrap(), all);
}

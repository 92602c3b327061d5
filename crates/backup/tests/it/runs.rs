//! Runs that go well, runs that are cut off, and their end.

use crate::support::*;
use backup::{BackupError, BackupSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[test]
fn every_run_comes_back_as_it_was() {
    let world = World::new();
    let first = files(&[
        ("main", b"one"),
        ("empty", b""),
        ("a/b.fixed", &bytes(1, LARGE)),
        ("log", &bytes(2, LARGE)),
    ]);
    world.back_up(0, &first);
    let mut second = first.clone();
    second.remove("empty");
    second.insert("main".into(), b"two".to_vec());
    second.get_mut("log").unwrap().extend(b"more");
    world.back_up(1, &second);
    assert_eq!(world.restored(Some(0)).unwrap(), first);
    assert_eq!(world.restored(Some(1)).unwrap(), second);
    assert_eq!(world.restored(None).unwrap(), second);
    assert!(matches!(world.restored(Some(2)), Err(BackupError::NotASet { .. })));
}

#[test]
fn what_has_not_changed_is_not_copied_again() {
    let world = World::new();
    let mut all = files(&[
        ("main", b"one"),
        ("a/b.fixed", &bytes(1, 1000)),
        ("log", &bytes(2, LARGE)),
    ]);
    let first = world.back_up(0, &all);
    assert_eq!(
        (first.files, first.bytes, first.new_bytes),
        (3, 1003 + LARGE as u64, 1003 + LARGE as u64)
    );
    assert_eq!(world.back_up(1, &all).new_bytes, 0);
    // Only the last piece of a file that grows is new.
    all.get_mut("log").unwrap().extend(b"more");
    assert_eq!(world.back_up(2, &all).new_bytes, 3 + 4);
}

#[test]
fn a_file_with_an_identity_is_not_read_again() {
    let world = World::new();
    world.back_up(0, &files(&[("main", b""), ("x.fixed", b"content")]));
    let set = world.set();
    let add = |day: i64, identity: &[u8]| {
        let mut run = set.begin(BackupSet::manifest("events", id(day), "0.1.0", &[])).unwrap();
        let added = run.add("x.fixed", 7, Some(identity), |_, _| {
            Err(std::io::Error::other("unreadable"))
        });
        added.and_then(|()| run.commit())
    };
    assert_eq!(add(1, b"x.fixed").unwrap().new_bytes, 0);
    // Another content under the same name is another file.
    assert!(matches!(add(2, b"another"), Err(BackupError::Source { .. })));
    drop(set);
    // What somebody removed from the set is copied again.
    fs::remove_file(objects(&world).pop().unwrap()).unwrap();
    let again = files(&[("main", b""), ("x.fixed", b"content")]);
    assert_eq!(world.back_up(3, &again).new_bytes, 7);
    assert_eq!(world.restored(Some(0)).unwrap(), again);
}

#[test]
fn a_run_that_is_given_up_leaves_no_backup_and_its_objects_are_used() {
    let world = World::new();
    let all = files(&[("a", &bytes(1, 5000)), ("main", &bytes(2, 5000))]);
    {
        let set = world.set();
        let mut run = set.begin(BackupSet::manifest("events", id(0), "0.1.0", &[])).unwrap();
        run.add("a", 5000, None, |_, buffer| {
            buffer.copy_from_slice(&bytes(1, 5000));
            Ok(())
        })
        .unwrap();
        let failed = run.add("b", 5000, None, |_, _| Err(std::io::Error::other("unplugged")));
        assert!(matches!(failed, Err(BackupError::Source { path, .. }) if path == "b"));
    }
    assert!(matches!(world.restored(None), Err(BackupError::NotASet { .. })));
    // As a killed process leaves it: half a file under its unfinished name.
    let object = objects(&world).pop().unwrap();
    fs::write(object.with_extension("unfinished"), b"half").unwrap();
    fs::write(world.directory().join("staging").join("catalog.db"), b"half").unwrap();
    assert_eq!(world.back_up(1, &all).new_bytes, 5000);
    assert_eq!(world.restored(None).unwrap(), all);
    assert!(
        all_files(&world.directory())
            .iter()
            .all(|path| path.extension().is_none_or(|e| e != "unfinished"))
    );
    assert!(all_files(&world.directory().join("staging")).is_empty());
}

#[test]
fn two_runs_at_once_are_refused() {
    let world = World::new();
    let first = world.set();
    assert!(matches!(
        BackupSet::open_to_write(&world.directory()),
        Err(BackupError::Busy(_))
    ));
    run(&first, 0, &files(&[("main", b"one")])).unwrap();
    // Reading goes on beside a writer.
    assert_eq!(world.restored(None).unwrap(), files(&[("main", b"one")]));
    drop(first);
    world.back_up(1, &files(&[("main", b"two")]));
}

#[test]
fn pruning_keeps_what_kept_runs_need_and_always_the_newest() {
    let world = World::new();
    let shared = ("shared", b"shared".as_slice());
    let first = files(&[shared, ("main", b"first")]);
    let second = files(&[shared, ("main", b"second")]);
    world.back_up(0, &first);
    world.back_up(10, &second);
    let set = world.set();
    assert_eq!(set.prune(NOW_MS).unwrap().runs, 0);
    let pruned = set.prune(NOW_MS + 5 * DAY_MS).unwrap();
    assert_eq!((pruned.runs, pruned.objects, pruned.bytes), (1, 1, 5));
    assert_eq!(set.prune(NOW_MS + 500 * DAY_MS).unwrap(), Default::default());
    assert!(world.restored(Some(0)).is_err());
    assert_eq!(world.restored(Some(10)).unwrap(), second);
    assert!(set.verify(&mut |_| {}).unwrap().damage.is_empty());
}

#[test]
fn only_the_owner_may_read_a_backup_or_what_comes_out_of_it() {
    let world = World::new();
    let (directory, to) = (world.directory(), world.path("restored"));
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    world.back_up(0, &files(&[("main", b"one"), ("a/b", b"two")]));
    let set = BackupSet::open(&directory).unwrap();
    set.restore(&set.run(None).unwrap(), &to, "main")
        .unwrap()
        .finish()
        .unwrap();
    for root in [&directory, &to] {
        check_closed(root);
    }
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o750)).unwrap();
    let damage = set.verify(&mut |_| {}).unwrap().damage;
    assert!(
        damage.len() == 1 && damage[0].what.contains("open to other users"),
        "{damage:?}"
    );
}

fn check_closed(path: &Path) {
    let mode = fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    match path.is_dir() {
        true => {
            assert_eq!(mode, 0o700, "{}", path.display());
            fs::read_dir(path)
                .unwrap()
                .for_each(|entry| check_closed(&entry.unwrap().path()));
        }
        false => assert_eq!(mode, 0o600, "{}", path.display()),
    }
}

#[test]
fn a_restore_goes_to_an_empty_directory_only() {
    let world = World::new();
    world.back_up(0, &files(&[("main", b"one")]));
    let set = BackupSet::open(&world.directory()).unwrap();
    let manifest = set.run(None).unwrap();
    let to = world.path("to");
    fs::create_dir(&to).unwrap();
    fs::write(to.join("other"), b"mine").unwrap();
    assert!(matches!(
        set.restore(&manifest, &to, "main"),
        Err(BackupError::NotEmpty(_))
    ));
    assert_eq!(read(&to), files(&[("other", b"mine")]));
    // One that was cut off lacks the file that makes it whole, and is not gone on with.
    let cut = world.path("cut");
    drop(set.restore(&manifest, &cut, "main").unwrap());
    assert_eq!(read(&cut), files(&[("main.restoring", b"one")]));
    assert!(matches!(
        set.restore(&manifest, &cut, "main"),
        Err(BackupError::NotEmpty(_))
    ));
}

fn objects(world: &World) -> Vec<std::path::PathBuf> {
    all_files(&world.directory().join("objects"))
}

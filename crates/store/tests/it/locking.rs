//! One directory, one process.

use crate::support::*;
use std::process::Command;
use store::{Store, StoreError};

const DIRECTORY: &str = "STORE_TEST_LOCKED_DIRECTORY";

#[test]
fn a_second_store_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    assert!(matches!(
        Store::open(options(directory.path())),
        Err(StoreError::Locked { .. })
    ));
    store.close();
    Store::open(options(directory.path())).unwrap();
}

#[test]
fn a_second_process_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    let other = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "locking::open_in_another_process", "--ignored"]);
        command.env(DIRECTORY, directory.path()).output().unwrap()
    };
    let refused = other();
    assert!(!refused.status.success());
    assert!(
        String::from_utf8_lossy(&refused.stdout).contains("Locked"),
        "{refused:?}"
    );
    store.close();
    assert!(other().status.success());
}

/// Run by the test above in a process of its own.
#[test]
#[ignore = "the other half of a_second_process_is_refused"]
fn open_in_another_process() {
    let directory = std::env::var_os(DIRECTORY).unwrap();
    Store::open(options(directory.as_ref())).map(Store::close).unwrap();
}

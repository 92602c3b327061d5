//! One process, one data directory.

use crate::error::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// Holds `LOCK` of a directory until it is dropped.
pub(crate) struct DirectoryLock(File);

impl DirectoryLock {
    pub(crate) fn take(directory: &Path) -> Result<DirectoryLock, StoreError> {
        let path = directory.join("LOCK");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| StoreError::io("open", &path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(DirectoryLock(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
                directory: directory.to_path_buf(),
            }),
            Err(TryLockError::Error(source)) => Err(StoreError::io("lock", &path, source)),
        }
    }
}

impl Drop for DirectoryLock {
    /// Unlocks in words. Closing the file is not enough: a child that another thread is starting holds a copy of it
    /// until it has become its own program, and with the copy the lock.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

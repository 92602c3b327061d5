//! One process, one vault directory.

use crate::error::VaultServeError;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Holds `vault.lock` of a directory until it is dropped.
pub(crate) struct DirectoryLock(File);

impl DirectoryLock {
    pub(crate) fn take(directory: &Path) -> Result<DirectoryLock, VaultServeError> {
        let path = directory.join("vault.lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(VaultServeError::io(&path))?;
        file.try_lock().map_err(|error| VaultServeError::Io {
            path,
            source: error.into(),
        })?;
        Ok(DirectoryLock(file))
    }
}

impl Drop for DirectoryLock {
    /// Unlocks in words. Closing the file is not enough: a child that another thread is starting holds a copy of it
    /// until it has become its own program, and with the copy the lock.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

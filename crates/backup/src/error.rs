//! What can go wrong, sorted by what the operator can do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a backup was not made, not restored or not read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Another run has the set open. Nothing was changed.
    #[error("another backup is being written to {}; wait until it is done", .0.display())]
    Busy(PathBuf),
    /// The directory holds no backup set, or one of something else.
    #[error("{}: {what}", directory.display())]
    NotASet { directory: PathBuf, what: String },
    /// A file of the set is not what was written.
    #[error("{} is damaged: {what}; `frostpane verify --backup` lists which backups need it", file.display())]
    Damaged { file: PathBuf, what: String },
    /// A restore goes to new or empty directories only. Nothing was changed.
    #[error("{} is not empty; restore into a new directory", .0.display())]
    NotEmpty(PathBuf),
    /// What was to be copied cannot be read. The run was given up; earlier backups are untouched.
    #[error("cannot read {path} for the backup: {source}")]
    Source { path: String, source: io::Error },
    /// The target's disk refused. The run was given up; earlier backups are untouched, and a new run goes on from what
    /// this one copied.
    #[error("cannot {action} {}: {source}", file.display())]
    Io {
        action: &'static str,
        file: PathBuf,
        source: io::Error,
    },
}

impl BackupError {
    pub(crate) fn io(action: &'static str, file: &Path) -> impl FnOnce(io::Error) -> BackupError {
        let file = file.to_path_buf();
        move |source| BackupError::Io { action, file, source }
    }

    pub(crate) fn damaged(file: &Path, what: impl Into<String>) -> BackupError {
        BackupError::Damaged {
            file: file.to_path_buf(),
            what: what.into(),
        }
    }
}

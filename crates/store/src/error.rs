//! What can go wrong, sorted by what the caller can do about it.

use model::ProjectId;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the store did not do what was asked. Cheap to clone, because one failed group commit answers many callers.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full. Nothing was stored; appends resume by themselves once there is room.
    #[error("no space left for {file}")]
    Full {
        file: PathBuf,
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The disk refused a write (read-only, I/O error). Nothing was stored; the next append tries again.
    #[error("cannot write {file}")]
    Unavailable {
        file: PathBuf,
        #[source]
        source: Arc<std::io::Error>,
    },
    /// An fsync or a commit failed, so it is unknown what survives. Nothing more is written until the store is
    /// opened again and recovery has decided.
    #[error("{reason}; restart to recover")]
    Unknown { reason: String },
    /// Rows arrive faster than they can be flushed. Nothing was stored; try again later.
    #[error("{rows} rows, about {bytes} bytes, wait to be flushed")]
    Overloaded { rows: usize, bytes: usize },
    /// The record carries identity feed entries that do not follow on those of the log. Nothing was stored; ask the
    /// vault for the feed since [`crate::Store::feed_position`].
    #[error("identity feed of project {project} goes on at {expected}, the record brings {got}")]
    FeedHole {
        project: ProjectId,
        expected: u64,
        got: u64,
    },
    /// No project with this number is in the catalog.
    #[error("project {0} does not exist")]
    UnknownProject(ProjectId),
    /// A record above the limit of the log. Nothing was stored; split the batch.
    #[error("the record has {bytes} bytes; the limit is {limit}")]
    TooLarge { bytes: usize, limit: usize },
    /// A name, a document or a request that breaks a rule of the store.
    #[error("{0}")]
    Invalid(String),
    /// Bytes on disk are not what was written. `offset` is where the damage was noticed.
    #[error("{file} is damaged at byte {offset}: {what}")]
    Corrupt { file: PathBuf, offset: u64, what: String },
    /// Another process has the directory open.
    #[error("{directory} is in use by another process")]
    Locked { directory: PathBuf },
    /// The directory holds no store, or one of an unknown format.
    #[error("{directory}: {what}")]
    NotAStore { directory: PathBuf, what: String },
    /// The files were written by a later version of the program. Nothing was changed.
    #[error(
        "{file} has format {found}, and this program reads up to {known}; start the later program again, or restore a backup \
         that was made before it first ran"
    )]
    NewerFormat { file: PathBuf, found: u32, known: u32 },
    /// Any other failure of the file system.
    #[error("cannot {action} {file}")]
    Io {
        action: &'static str,
        file: PathBuf,
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The catalog refused a statement.
    #[error("catalog: cannot {action}")]
    Catalog {
        action: &'static str,
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    pub(crate) fn io(action: &'static str, file: &Path, source: std::io::Error) -> StoreError {
        let file = file.to_path_buf();
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full {
                file,
                source: Arc::new(source),
            },
            _ => StoreError::Io {
                action,
                file,
                source: Arc::new(source),
            },
        }
    }

    pub(crate) fn corrupt(file: &Path, offset: u64, what: impl Into<String>) -> StoreError {
        StoreError::Corrupt {
            file: file.to_path_buf(),
            offset,
            what: what.into(),
        }
    }

    pub(crate) fn catalog(action: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
        move |source| match pages::damage(&source) {
            Some(damage) => StoreError::Corrupt {
                file: damage.file.unwrap_or_else(|| "catalog.db".into()),
                offset: damage.offset,
                what: format!("{}, so it cannot {action}; restore from a backup", damage.what),
            },
            None => StoreError::Catalog {
                action,
                source: Arc::new(source),
            },
        }
    }

    /// Whether the fault may pass by itself, so that a client should be told to try again.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            StoreError::Full { .. } | StoreError::Unavailable { .. } | StoreError::Overloaded { .. }
        )
    }
}

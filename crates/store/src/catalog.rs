//! The catalog: projects, credentials, saved documents, and what lies on disk.
//!
//! One SQLite database (WAL, `synchronous=FULL`), one connection behind a mutex: statements are short, and the two
//! questions of the ingestion path (is this token known, does this project exist) are answered from memory. A flush
//! or a compaction is published by one transaction ([`publish`]), so that after any crash the catalog names exactly
//! the segments that exist completely, with the watermark that belongs to them.

mod credentials;
mod documents;
mod projects;
pub(crate) mod publish;
mod schema;

pub use credentials::{Credential, CredentialKind};
pub use documents::{Document, Draft, Replaced, Stamp};
pub use projects::{Project, ProjectSettings};

use crate::error::StoreError;
use model::{EventTime, ProjectId};
use rusqlite::Connection;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// The store's database of everything that is not an event.
pub struct Catalog {
    connection: Mutex<Connection>,
    /// Projects and credentials in memory. Written only while the connection is locked, after its transaction.
    cache: RwLock<Cache>,
    clock: fn() -> EventTime,
}

#[derive(Default)]
struct Cache {
    projects: BTreeMap<ProjectId, Project>,
    credentials: HashMap<[u8; 32], Arc<Credential>>,
}

impl Catalog {
    pub(crate) fn create(file: &Path, shards: u32, clock: fn() -> EventTime) -> Result<Catalog, StoreError> {
        let connection = schema::create(file, shards)?;
        Catalog::with(connection, clock)
    }

    pub(crate) fn open(file: &Path, clock: fn() -> EventTime) -> Result<Catalog, StoreError> {
        let connection = schema::open(file)?;
        Catalog::with(connection, clock)
    }

    fn with(connection: Connection, clock: fn() -> EventTime) -> Result<Catalog, StoreError> {
        let cache = Cache {
            projects: projects::load(&connection)?,
            credentials: credentials::load(&connection)?,
        };
        Ok(Catalog {
            connection: Mutex::new(connection),
            cache: RwLock::new(cache),
            clock,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cached<T>(&self, read: impl FnOnce(&Cache) -> T) -> T {
        read(&self.cache.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change_cache(&self, change: impl FnOnce(&mut Cache)) {
        change(&mut self.cache.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Writes a consistent copy of the database to a new file.
    pub(crate) fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let target = file.to_string_lossy().into_owned();
        self.lock()
            .execute("VACUUM INTO ?1", [target])
            .map(drop)
            .map_err(StoreError::catalog("copy itself"))
    }
}

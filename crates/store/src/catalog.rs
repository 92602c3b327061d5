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
mod reader;
mod schema;

pub use credentials::{Credential, CredentialKind};
pub use documents::{Document, Draft, Replaced, Stamp};
pub use projects::{Project, ProjectSettings};
pub(crate) use reader::CatalogReader;
pub use schema::VERSION as CATALOG_VERSION;

use crate::error::StoreError;
use model::{EventTime, ProjectId};
use rusqlite::{Connection, OpenFlags};
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
}

/// Writes a consistent copy of a database, live or not, to a new or empty file. Over a connection of its own: whoever reads
/// or saves a document meanwhile does not wait.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    pages::register();
    let copied = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .and_then(|connection| connection.execute("VACUUM INTO ?1", [to.to_string_lossy()]));
    copied.map(drop).map_err(StoreError::catalog("copy itself"))
}

/// Version of the catalog's tables in a file.
pub(crate) fn version(file: &Path) -> Result<u32, StoreError> {
    CatalogReader::open(file)?.version()
}

/// Refuses a catalog of a later version. One that cannot be read at all is damage, which is for others to say.
pub(crate) fn check_version(file: &Path) -> Result<(), StoreError> {
    match version(file) {
        Ok(found) => schema::check_version(file, found),
        Err(_) => Ok(()),
    }
}

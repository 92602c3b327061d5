//! Tables of the catalog and their version.

use crate::error::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Version of the tables, in SQLite's `user_version`. A store of another version is refused.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE setting(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE project(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    settings TEXT NOT NULL,
    next_seq INTEGER NOT NULL DEFAULT 1,
    feed_position INTEGER NOT NULL DEFAULT 0,
    received_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE credential(
    digest BLOB PRIMARY KEY,
    project INTEGER NOT NULL REFERENCES project(id),
    kind TEXT NOT NULL,
    username TEXT UNIQUE,
    created_ms INTEGER NOT NULL,
    scopes TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE document(
    project INTEGER NOT NULL REFERENCES project(id),
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY(project, kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE segment(
    id INTEGER PRIMARY KEY,
    project INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    period TEXT NOT NULL,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    sums BLOB NOT NULL,
    deleted BLOB NOT NULL
) STRICT;
CREATE TABLE property_column(
    project INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    rows INTEGER NOT NULL,
    PRIMARY KEY(project, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE event(
    project INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    rows INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY(project, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE merged_person(
    project INTEGER NOT NULL,
    person INTEGER NOT NULL,
    into_person INTEGER NOT NULL,
    PRIMARY KEY(project, person)
) STRICT, WITHOUT ROWID;
CREATE TABLE unsettled_person(
    project INTEGER NOT NULL,
    person INTEGER NOT NULL,
    merged_after_seq INTEGER NOT NULL,
    PRIMARY KEY(project, person)
) STRICT, WITHOUT ROWID;
CREATE TABLE erased_person(
    project INTEGER NOT NULL,
    person INTEGER NOT NULL,
    purge_after_seq INTEGER,
    PRIMARY KEY(project, person)
) STRICT, WITHOUT ROWID;
CREATE TABLE profile(
    project INTEGER NOT NULL,
    group_key TEXT NOT NULL,
    number INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY(project, group_key, number)
) STRICT, WITHOUT ROWID;
";

/// Creates the database file with its tables.
pub(super) fn create(file: &Path, shards: u32) -> Result<Connection, StoreError> {
    let connection = Connection::open(file).map_err(StoreError::catalog("create the database"))?;
    configure(&connection)?;
    let setup = format!(
        "BEGIN; {TABLES}
         INSERT INTO setting VALUES ('shards', {shards}), ('watermark', 0), ('next_segment', 1);
         PRAGMA user_version = {VERSION}; COMMIT;"
    );
    connection
        .execute_batch(&setup)
        .map_err(StoreError::catalog("create the tables"))?;
    Ok(connection)
}

/// Opens an existing database of this version.
pub(super) fn open(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).map_err(|source| StoreError::NotAStore {
        directory: file.parent().unwrap_or(file).to_path_buf(),
        what: format!("its catalog cannot be opened: {source}"),
    })?;
    configure(&connection)?;
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(StoreError::catalog("read its version"))?;
    if version != VERSION {
        return Err(StoreError::NotAStore {
            directory: file.parent().unwrap_or(file).to_path_buf(),
            what: format!("its catalog has version {version}; this program reads version {VERSION}"),
        });
    }
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        .map_err(StoreError::catalog("set its journal mode"))
}

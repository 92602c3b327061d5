//! How every database of the vault directory is opened.

use crate::error::VaultServeError;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// Version of the vault's databases. They carry one less than it in SQLite's `user_version`, where new files have 0.
pub const FORMAT_VERSION: u32 = 1;

/// The version that a database carries.
pub(crate) fn format_version(connection: &Connection) -> Result<u32, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| {
        row.get::<_, u32>(0).map(|version| version + 1)
    })
}

/// Opens for writing; makes the file (mode 0600, which its WAL inherits) if it is missing.
///
/// `synchronous=FULL`: a commit has been fsynced when it returns. `secure_delete`: deleted rows are overwritten.
/// `temp_store=MEMORY`: no sorter spills rows into a temporary file.
pub(crate) fn open(path: &Path) -> Result<Connection, VaultServeError> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(VaultServeError::io(path))?;
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | no_mutex())?;
    connection.busy_timeout(Duration::from_secs(5))?;
    let found = format_version(&connection)?;
    if found > FORMAT_VERSION {
        let file = path.to_owned();
        return Err(VaultServeError::NewerFormat { file, found });
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// A reader of committed state. It cannot write, whatever is asked of it.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | no_mutex())?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Each connection is used by one thread at a time, which Rust checks.
fn no_mutex() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_NO_MUTEX
}

pub(crate) fn meta_number(connection: &Connection, name: &str) -> Result<Option<u64>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get::<_, i64>(0))
        .optional()
        .map(|value| value.map(|number| number as u64))
}

pub(crate) fn set_meta_number(connection: &Connection, name: &str, value: u64) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached("INSERT INTO meta(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2")?
        .execute((name, value as i64))?;
    Ok(())
}

pub(crate) fn meta_bytes<const N: usize>(
    connection: &Connection,
    name: &str,
) -> Result<Option<[u8; N]>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

pub(crate) fn set_meta_bytes(connection: &Connection, name: &str, value: &[u8]) -> Result<(), rusqlite::Error> {
    connection.execute("INSERT INTO meta(name, value) VALUES(?1, ?2)", (name, value))?;
    Ok(())
}

pub(crate) const META_TABLE: &str =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value ANY NOT NULL) WITHOUT ROWID, STRICT;";

//! How every database of the vault directory is opened.

use crate::error::VaultServeError;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// Version of the vault's databases. They carry one less than it in SQLite's `user_version`: those of version 1 have 0 there. Since
/// version 2 their pages have checksums.
pub const FORMAT_VERSION: u32 = 2;

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
    check_wal(path)?;
    let mut connection = connect(path)?;
    let found = damage_named(path, format_version(&connection))?;
    if found > FORMAT_VERSION {
        let file = path.to_owned();
        return Err(VaultServeError::NewerFormat { file, found });
    }
    if connection.query_row("PRAGMA page_count", (), |row| row.get::<_, u32>(0))? == 0 {
        pages::seal_new(&connection)?;
        connection.pragma_update(None, "user_version", FORMAT_VERSION - 1)?;
    } else if found < FORMAT_VERSION {
        drop(connection);
        pages::seal_existing(path, FORMAT_VERSION - 1).map_err(|source| VaultServeError::Upgrade {
            file: path.to_owned(),
            source,
        })?;
        connection = connect(path)?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    pages::register();
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | no_mutex())?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// Commits that the write-ahead log has lost to damage would be missing without a word.
pub(crate) fn check_wal(path: &Path) -> Result<(), VaultServeError> {
    match pages::wal::check(path) {
        Ok(None) => Ok(()),
        Ok(Some(damage)) => Err(VaultServeError::Damaged {
            file: damage.file,
            offset: damage.offset,
            what: "a frame fails its checksum, and later commits follow it",
        }),
        Err(source) => Err(VaultServeError::io(path)(source)),
    }
}

/// Names the file that an error tells to be damaged.
fn damage_named<T>(path: &Path, result: Result<T, rusqlite::Error>) -> Result<T, VaultServeError> {
    result.map_err(|error| match pages::damage(&error) {
        Some(damage) => VaultServeError::Damaged {
            file: damage.file.unwrap_or_else(|| path.to_owned()),
            offset: damage.offset,
            what: damage.what,
        },
        None => error.into(),
    })
}

/// A reader of committed state. It cannot write, whatever is asked of it.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    pages::register();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_version_1_gets_checksums_and_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys.db");
        let first = Connection::open(&file).unwrap();
        first
            .execute_batch(&format!("PRAGMA journal_mode = WAL; {META_TABLE}"))
            .unwrap();
        set_meta_number(&first, "state_seq", 7).unwrap();
        drop(first);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        for _ in 0..2 {
            let connection = open(&file).unwrap();
            assert!(pages::is_sealed(&connection).unwrap());
            assert_eq!(format_version(&connection).unwrap(), FORMAT_VERSION);
            assert_eq!(meta_number(&connection, "state_seq").unwrap(), Some(7));
        }
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

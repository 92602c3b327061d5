//! Giving a database checksums: a new one from its first page on, an existing one by a copy that takes its place.

use crate::page::APPLICATION_ID;
use crate::shim::{register, reserve};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Why a database could not be given checksums. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Somebody else has it open; what they write would go to the file that is about to be replaced.
    #[error("it is in use")]
    InUse,
}

/// Gives a database that has no page yet checksums for all it will have. Comes before everything else, the journal's mode included.
pub fn seal_new(connection: &Connection) -> rusqlite::Result<()> {
    reserve(connection);
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

/// Whether a database has checksums.
pub fn is_sealed(connection: &Connection) -> rusqlite::Result<bool> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok(id == APPLICATION_ID)
}

/// Gives an existing database checksums and a new `user_version`, which must be one that programs without checksums refuse: they would
/// write pages without. Needs room for a copy. Cut off at any moment, the file is the old one or the new one, whole.
pub fn seal_existing(file: &Path, user_version: u32) -> Result<(), SealError> {
    register();
    let copy = with_suffix(file, "-sealing");
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Takes what is in the write-ahead log into the file and the log away: it would be applied to the new file.
    let mode: String = connection.query_row("PRAGMA journal_mode = DELETE", (), |row| row.get(0))?;
    if mode != "delete" {
        return Err(SealError::InUse);
    }
    remove_if_there(&copy)?;
    make_empty(&copy, file)?;
    reserve(&connection);
    connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    let sealed = Connection::open_with_flags(&copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    sealed.pragma_update(None, "user_version", user_version)?;
    sealed.pragma_update(None, "application_id", APPLICATION_ID)?;
    sealed.close().map_err(|(_, error)| error)?;
    File::open(&copy)?.sync_all()?;
    connection.close().map_err(|(_, error)| error)?;
    // The commit point.
    fs::rename(&copy, file)?;
    File::open(file.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

/// An empty file that nobody may read who may not read the other.
fn make_empty(copy: &Path, like: &Path) -> io::Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(copy)?;
    made.set_permissions(fs::metadata(like)?.permissions())
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(crate) fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

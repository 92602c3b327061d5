//! The catalog of a store that may be running elsewhere: read, never changed.

use super::publish::segments_of;
use super::{credentials, projects, publish, schema};
use crate::error::StoreError;
use crate::segment::SegmentMeta;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// Most faults that SQLite is asked to name.
const FAULTS_MAX: u32 = 20;

/// A catalog open for reading only.
pub(crate) struct CatalogReader(Connection);

impl CatalogReader {
    pub fn open(file: &Path) -> Result<CatalogReader, StoreError> {
        pages::register();
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection.busy_timeout(Duration::from_secs(5))?;
            Ok(connection)
        };
        open().map(CatalogReader).map_err(StoreError::catalog("open itself"))
    }

    /// Looks for commits that its write-ahead log has lost to damage.
    pub fn check_wal(file: &Path) -> Result<(), StoreError> {
        schema::check_wal(file)
    }

    /// Version of the tables.
    pub fn version(&self) -> Result<u32, StoreError> {
        schema::version(&self.0)
    }

    /// What is wrong with the structure of the database, in SQLite's words.
    pub fn integrity(&self) -> Result<Vec<String>, StoreError> {
        let ask = || -> rusqlite::Result<Vec<String>> {
            let mut check = self.0.prepare(&format!("PRAGMA integrity_check({FAULTS_MAX})"))?;
            let mut faults: Vec<String> = check
                .query_map((), |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            faults.retain(|fault| fault != "ok");
            Ok(faults)
        };
        ask().map_err(StoreError::catalog("check its structure"))
    }

    /// Reads all rows into what a start would make of them.
    pub fn read_everything(&self) -> Result<(), StoreError> {
        projects::load(&self.0)?;
        credentials::load(&self.0)?;
        publish::load(&self.0).map(drop)
    }

    pub fn watermark(&self) -> Result<u64, StoreError> {
        publish::setting(&self.0, "watermark")
    }

    pub fn segments(&self) -> Result<Vec<SegmentMeta>, StoreError> {
        segments_of(&self.0).map_err(StoreError::catalog("read its segments"))
    }

    pub fn names_segment(&self, id: u64) -> Result<bool, StoreError> {
        self.0
            .query_row("SELECT count(*) FROM segment WHERE id = ?1", [id], |row| {
                row.get::<_, u64>(0)
            })
            .map(|count| count > 0)
            .map_err(StoreError::catalog("look for a segment"))
    }
}

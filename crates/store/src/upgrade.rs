//! Which formats the files of a store have, and what opening it would do about that.

use crate::catalog::{self, CATALOG_VERSION};
use crate::disk::{RealDisk, read_all};
use crate::error::StoreError;
use crate::log::{self, file_path, files};
use std::path::{Path, PathBuf};

/// The version of one kind of file, as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatFound {
    pub name: &'static str,
    pub file: PathBuf,
    pub found: u32,
    /// The version that this program writes. An earlier one is brought up to it when the store is opened, in transactions of
    /// one step each; a later one is refused.
    pub known: u32,
}

/// Reads the versions of the files in a directory. Changes nothing.
pub fn formats(directory: &Path) -> Result<Vec<FormatFound>, StoreError> {
    let catalog = directory.join("catalog.db");
    if !catalog.exists() {
        return Err(StoreError::NotAStore {
            directory: directory.to_path_buf(),
            what: "there is no catalog".into(),
        });
    }
    let mut found = vec![FormatFound {
        name: "catalog",
        found: catalog::version(&catalog)?,
        file: catalog,
        known: CATALOG_VERSION,
    }];
    let logs = directory.join("log");
    for first in files::list(&RealDisk, &logs)? {
        let file = file_path(&logs, first);
        let content = read_all(&RealDisk, &file).map_err(|source| StoreError::io("read", &file, source))?;
        // A file without a whole header is for recovery to judge.
        if let Some(version) = log::version_of_header(&content) {
            found.push(FormatFound {
                name: "log",
                file,
                found: version,
                known: log::FORMAT_VERSION,
            });
        }
    }
    Ok(found)
}

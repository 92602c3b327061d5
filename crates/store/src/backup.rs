//! What a backup copies, held still while the store goes on.
//!
//! The log first, then the catalog, then the segments that the copied catalog names. In this order the copy is
//! complete whatever is flushed meanwhile: a record is in the log files listed first, or a flush has put it into segments
//! before the catalog was copied. Log files are held open and segments by reference, so neither a flush nor compaction can
//! take them away before they are read.

use crate::catalog;
use crate::core::{Core, catalog_file};
use crate::disk::ReadFile;
use crate::error::StoreError;
use crate::log::{file_path, files};
use crate::segment::Segment;
use crate::segment::checked::CheckedFile;
use std::cmp::Ordering;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};

/// A file of the store as of the moment of [`crate::Store::freeze`].
pub struct FrozenFile {
    /// Relative to the store's directory.
    pub path: String,
    pub bytes: u64,
    /// Equal only if the content is, for files that never change.
    pub identity: Option<Vec<u8>>,
    content: Content,
}

enum Content {
    Log(Arc<dyn ReadFile>),
    Segment(Arc<Segment>, Option<CheckedFile>),
}

impl FrozenFile {
    /// Fills the buffer from `offset` on. Damage is reported, not copied: a segment's blocks are compared with their
    /// checksums.
    pub fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        match &mut self.content {
            Content::Log(file) => file.read_at(offset, buffer),
            Content::Segment(segment, open) => {
                let file = match open {
                    Some(file) => file,
                    None => open.insert(segment.open().map_err(io::Error::other)?),
                };
                let content = file.read(offset, buffer.len()).map_err(io::Error::other)?;
                buffer.copy_from_slice(&content);
                Ok(())
            }
        }
    }
}

/// Copies the catalog into `catalog_copy`, a new or empty file, and lists everything else that belongs to it.
pub(crate) fn freeze(core: &Core, catalog_copy: &Path) -> Result<Vec<FrozenFile>, StoreError> {
    let mut frozen = log_files(core)?;
    // No flush or compaction may come between the catalog's copy and the list.
    let _held = core.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
    catalog::copy(&catalog_file(&core.options), catalog_copy)?;
    let state = core.state();
    let segments = state.projects.values().flat_map(|project| project.segments.iter());
    frozen.extend(segments.map(|segment| FrozenFile {
        path: format!("segments/{}", segment.meta.file_name()),
        bytes: segment.meta.bytes,
        identity: Some(segment.meta.sums.iter().flat_map(|sum| sum.to_le_bytes()).collect()),
        content: Content::Segment(segment.clone(), None),
    }));
    Ok(frozen)
}

/// The log files there are, as far as they are durable: what lies behind may yet be cut off and overwritten.
/// A file that a flush removes meanwhile is not needed: its records are in segments.
fn log_files(core: &Core) -> Result<Vec<FrozenFile>, StoreError> {
    let directory = core.log_directory();
    let Some((current, durable)) = core.log_end() else {
        return Ok(Vec::new());
    };
    let mut frozen = Vec::new();
    for first in files::list(&*core.options.disk, &directory)? {
        let path = file_path(&directory, first);
        let file = match core.options.disk.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other.map_err(|source| StoreError::io("open", &path, source))?,
        };
        let bytes = match path.cmp(&current) {
            Ordering::Less => file.size(),
            Ordering::Equal => durable,
            Ordering::Greater => continue,
        };
        let name = path.file_name().expect("a log file has a name").to_string_lossy();
        frozen.push(FrozenFile {
            path: format!("log/{name}"),
            bytes,
            identity: None,
            content: Content::Log(file),
        });
    }
    Ok(frozen)
}

//! Copying a running store.
//!
//! The log first, then the catalog, then the segments that the copied catalog names. In this order the copy is
//! complete whatever is flushed meanwhile: a record is in the copied log, or a flush has put it into segments before
//! the catalog was copied. The segments are held by a snapshot, so compaction cannot remove them under the copy.

use crate::core::{Core, log_directory, segment_directory};
use crate::error::StoreError;
use crate::log::{file_path, files};
use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, PoisonError};

pub(crate) fn backup(core: &Core, to: &Path) -> Result<(), StoreError> {
    let mut target = core.options.clone();
    target.directory = to.to_path_buf();
    if to.join("catalog.db").exists() {
        return Err(StoreError::NotAStore {
            directory: to.to_path_buf(),
            what: "there is a store already".into(),
        });
    }
    for directory in [log_directory(&target), segment_directory(&target)] {
        fs::create_dir_all(&directory).map_err(|source| StoreError::io("create", &directory, source))?;
    }
    copy_log(core, &log_directory(&target))?;
    let segments: Vec<_> = {
        // No flush or compaction may come between the catalog's copy and the list.
        let _held = core.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        core.catalog.copy_to(&to.join("catalog.db"))?;
        let state = core.state();
        let projects = state.projects.values();
        projects
            .flat_map(|project| project.segments.iter().map(Arc::clone))
            .collect()
    };
    for segment in &segments {
        let name = segment.meta.file_name();
        copy_file(&segment.file.path, &segment_directory(&target).join(name))?;
    }
    for directory in [to.to_path_buf(), log_directory(&target), segment_directory(&target)] {
        let sync = File::open(&directory).and_then(|file| file.sync_all());
        sync.map_err(|source| StoreError::io("sync", &directory, source))?;
    }
    Ok(())
}

/// Copies the log files there are, as far as they are durable: what lies behind may yet be cut off and overwritten.
/// A file that a flush removes meanwhile is not needed: its records are in segments.
fn copy_log(core: &Core, to: &Path) -> Result<(), StoreError> {
    let directory = core.log_directory();
    let Some((current, durable)) = core.log_end() else {
        return Ok(());
    };
    for first in files::list(&*core.options.disk, &directory)? {
        let (from, copy) = (file_path(&directory, first), file_path(to, first));
        let bytes = match from.cmp(&current) {
            Ordering::Less => u64::MAX,
            Ordering::Equal => durable,
            Ordering::Greater => continue,
        };
        match copy_part(&from, &copy, bytes) {
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<(), StoreError> {
    copy_part(from, to, u64::MAX)
}

fn copy_part(from: &Path, to: &Path, bytes: u64) -> Result<(), StoreError> {
    let copy = || -> io::Result<()> {
        let mut source = File::open(from)?.take(bytes);
        let mut target = File::create_new(to)?;
        io::copy(&mut source, &mut target)?;
        target.sync_all()
    };
    copy().map_err(|source| StoreError::io("copy", from, source))
}

//! Damage that outlives the process: which segments were set aside, by name, in the file `damaged`.
//!
//! What nobody reads, nobody finds damaged. So after a restart the alarm would be silent until a question, a compaction or a
//! verification comes upon the same file again. The names are therefore written down whenever they change, and at the next start each of
//! these segments is read whole: one that is still damaged is set aside at once, one that was put back from a backup is a segment like
//! any other.

use crate::core::{Core, State};
use crate::disk::{Disk, RealDisk, read_all};
use crate::error::StoreError;
use crate::lock::DirectoryLock;
use crate::options::StoreOptions;
use crate::segment::Segment;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

const NAME: &str = "damaged";

/// Bytes compared at a time.
const STEP_BYTES: u64 = 1 << 20;

type Names = BTreeSet<String>;

/// Compares the segments that are written down as damaged, and sets aside those that still are. Returns what is written down.
pub(crate) fn recall(options: &StoreOptions, state: &State) -> Names {
    let names = read(&*options.disk, &options.directory);
    let segments = state.projects.values().flat_map(|project| project.segments.iter());
    for segment in segments.filter(|segment| names.contains(&segment.meta.file_name())) {
        // What is found is noted by what finds it.
        let _ = compare(segment);
    }
    names
}

/// Writes down which segments are damaged, if that has changed.
pub(crate) fn remember(core: &Core) {
    let names: Names = {
        let state = core.state();
        let segments = state.projects.values().flat_map(|project| project.segments.iter());
        let damaged = segments.filter(|segment| segment.is_damaged());
        damaged.map(|segment| segment.meta.file_name()).collect()
    };
    let mut remembered = core.remembered_damage.lock().unwrap_or_else(PoisonError::into_inner);
    if *remembered == names {
        return;
    }
    match write(&*core.options.disk, &core.options.directory, &names) {
        Ok(()) => *remembered = names,
        // Tried again with the next look at it.
        Err(error) => tracing::warn!(%error, "Which segments are damaged could not be written down"),
    }
}

/// Reads a segment that somebody else found to be damaged, so that it is set aside if it is. Returns whether it was.
pub(crate) fn examine(core: &Core, file: &Path) -> bool {
    let segment: Option<Arc<Segment>> = {
        let state = core.state();
        let mut segments = state.projects.values().flat_map(|project| project.segments.iter());
        segments.find(|segment| segment.file.path == file).cloned()
    };
    let Some(segment) = segment else { return false };
    // What is found is noted by what finds it.
    let _ = compare(&segment);
    remember(core);
    segment.is_damaged()
}

/// Lets the next start of a store that nobody has open examine these files. Those that are no segments are left out.
pub fn examine_at_start(directory: &Path, files: &[PathBuf]) -> Result<(), StoreError> {
    let segments = directory.join("segments");
    let found = files.iter().filter(|file| file.parent() == Some(&segments));
    let found: Names = found
        .filter_map(|file| Some(file.file_name()?.to_str()?.to_owned()))
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    let _lock = DirectoryLock::take(directory)?;
    let before = read(&RealDisk, directory);
    write(&RealDisk, directory, &(&before | &found))
}

fn compare(segment: &Segment) -> Result<(), StoreError> {
    let file = segment.open()?;
    let mut offset = 0;
    while offset < file.size() {
        let bytes = (file.size() - offset).min(STEP_BYTES);
        file.read(offset, bytes as usize)?;
        offset += bytes;
    }
    segment.footer().map(drop)
}

/// Nothing, mostly. A file that cannot be read costs an alarm, which the next reader of a damaged segment raises again.
fn read(disk: &dyn Disk, directory: &Path) -> Names {
    let content = read_all(disk, &directory.join(NAME)).unwrap_or_default();
    String::from_utf8_lossy(&content).lines().map(str::to_owned).collect()
}

fn write(disk: &dyn Disk, directory: &Path, names: &Names) -> Result<(), StoreError> {
    let (path, new) = (directory.join(NAME), directory.join("damaged-new"));
    let write = || -> io::Result<()> {
        match disk.remove(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = disk.create(&new)?;
        let lines: Vec<&str> = names.iter().map(String::as_str).collect();
        file.write(lines.join("\n").as_bytes())?;
        file.sync()?;
        disk.rename(&new, &path)?;
        disk.sync_dir(directory)
    };
    write().map_err(|source| StoreError::io("write", &path, source))
}

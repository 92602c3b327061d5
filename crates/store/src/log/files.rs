//! Writing groups of frames to log files.

use super::recovery::LastFile;
use super::{FILE_HEADER_BYTES, file_header, file_path, first_of_name, push_frame};
use crate::disk::{Disk, WriteFile};
use crate::error::StoreError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The log's files, open at their end.
pub(crate) struct LogFiles {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    file_bytes_max: u64,
    /// Number the next record gets.
    next: u64,
    current: Option<Current>,
    /// Why nothing is written any more.
    stopped: Option<String>,
}

struct Current {
    file: Box<dyn WriteFile>,
    path: PathBuf,
    /// Length that is durable. Whatever lies behind it was never acknowledged.
    len: u64,
}

impl LogFiles {
    /// Goes on behind the last record: in the given file, which recovery cut to its durable length, or in a new one.
    pub fn resume(
        disk: Arc<dyn Disk>,
        directory: &Path,
        file_bytes_max: u64,
        next: u64,
        last: Option<LastFile>,
    ) -> Result<LogFiles, StoreError> {
        let current = match last {
            None => None,
            Some(LastFile {
                path,
                len,
                tail_start,
                tail,
            }) => {
                // What recovery read may be in the page cache only, and after a failed sync the kernel takes it for
                // written: the next sync would succeed and do nothing. It is about to be answered from, so it is
                // written again first. Only the last group can be concerned; the others were synced before it began.
                let open = || -> io::Result<Box<dyn WriteFile>> {
                    let mut file = disk.append_to(&path)?;
                    file.truncate(len)?;
                    file.rewrite(tail_start, &tail)?;
                    file.sync()?;
                    disk.sync_dir(directory)?;
                    Ok(file)
                };
                let file = open().map_err(|source| StoreError::io("resume", &path, source))?;
                Some(Current { file, path, len })
            }
        };
        Ok(LogFiles {
            disk,
            directory: directory.to_path_buf(),
            file_bytes_max,
            next,
            current,
            stopped: None,
        })
    }

    /// Number the next record gets.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Writes and syncs a group of records. On success all are durable, the first with number [`LogFiles::next`] as
    /// it was before the call. On failure none is, or the log has stopped and it is unknown.
    pub fn write_group(&mut self, payloads: &[&[u8]]) -> Result<(), StoreError> {
        if let Some(reason) = &self.stopped {
            return Err(StoreError::Unknown { reason: reason.clone() });
        }
        let mut bytes = Vec::with_capacity(payloads.iter().map(|payload| payload.len() + 32).sum());
        for (place, payload) in payloads.iter().enumerate() {
            push_frame(&mut bytes, self.next + place as u64, place as u32, payload);
        }
        self.make_room()?;
        let current = self.current.as_mut().expect("a file was opened");
        if let Err(source) = current.file.write(&bytes) {
            let error = write_error(&current.path, source);
            self.cut_back()?;
            return Err(error);
        }
        if let Err(source) = current.file.sync() {
            return Err(self.stop("fsync", &source));
        }
        // The commit point: from here on every record of the group is durable.
        current.len += bytes.len() as u64;
        self.next += payloads.len() as u64;
        Ok(())
    }

    /// Starts a new file if there is none or the current one is full.
    fn make_room(&mut self) -> Result<(), StoreError> {
        if self
            .current
            .as_ref()
            .is_some_and(|current| current.len < self.file_bytes_max)
        {
            return Ok(());
        }
        let path = file_path(&self.directory, self.next);
        let mut file = match self.create(&path) {
            Ok(file) => file,
            Err(source) => return Err(write_error(&path, source)),
        };
        if let Err(source) = file.write(&file_header(self.next)) {
            // An incomplete last file holds no record; the next attempt replaces it, and so would recovery.
            return Err(write_error(&path, source));
        }
        if let Err(source) = file.sync().and_then(|()| self.disk.sync_dir(&self.directory)) {
            return Err(self.stop("fsync of a new file", &source));
        }
        self.current = Some(Current {
            file,
            path,
            len: FILE_HEADER_BYTES as u64,
        });
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        match self.disk.create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Left by an attempt that failed before its header was durable. It has no acknowledged record: its
                // name says that its first one would be the next.
                self.disk.remove(path)?;
                self.disk.create(path)
            }
            other => other,
        }
    }

    /// Removes what a failed write left, durably, so that recovery cannot find records that were refused.
    fn cut_back(&mut self) -> Result<(), StoreError> {
        let current = self.current.as_mut().expect("a write was attempted");
        let cut = current.file.truncate(current.len).and_then(|()| current.file.sync());
        cut.map_err(|source| self.stop("cutting off a failed write", &source))
    }

    fn stop(&mut self, what: &str, source: &io::Error) -> StoreError {
        let reason = format!("the log stopped: {what} failed: {source}");
        tracing::error!(reason, "The log stopped; restart to recover");
        self.stopped = Some(reason.clone());
        StoreError::Unknown { reason }
    }

    /// The file being written, and the length of it that is durable.
    pub fn end(&self) -> Option<(PathBuf, u64)> {
        self.current.as_ref().map(|current| (current.path.clone(), current.len))
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Removes files all of whose records are at or below `flushed`: also the one being written, if nothing newer is in
    /// it, so that what is in segments does not lie on the disk twice until the log's file is full.
    pub fn remove_below(&mut self, flushed: u64) -> Result<(), StoreError> {
        // After a failed sync it is unknown what the last file holds; recovery must find it.
        let all_flushed = self.next <= flushed + 1 && self.stopped.is_none();
        if all_flushed {
            self.current = None;
        }
        let behind_last = all_flushed.then_some(self.next);
        let firsts = list(&*self.disk, &self.directory)?;
        let following = firsts.iter().skip(1).copied().chain(behind_last);
        for (first, following) in firsts.iter().zip(following) {
            if following <= flushed + 1 {
                let path = file_path(&self.directory, *first);
                self.disk
                    .remove(&path)
                    .map_err(|source| StoreError::io("remove", &path, source))?;
            }
        }
        Ok(())
    }
}

/// First record numbers of the log files there are, in order.
pub(crate) fn list(disk: &dyn Disk, directory: &Path) -> Result<Vec<u64>, StoreError> {
    let names = disk
        .list(directory)
        .map_err(|source| StoreError::io("list", directory, source))?;
    Ok(names.iter().filter_map(|name| first_of_name(name)).collect())
}

/// A failed write that left nothing behind: the caller may try again.
fn write_error(path: &Path, source: io::Error) -> StoreError {
    match StoreError::io("write", path, source) {
        StoreError::Io { file, source, .. } => StoreError::Unavailable { file, source },
        full => full,
    }
}

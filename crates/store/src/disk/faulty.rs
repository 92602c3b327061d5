//! A disk that fails on purpose.
//!
//! **Fault model.** Operations that change the disk (create, open for append, write, rewrite, sync, truncate, rename, remove,
//! directory sync) are counted from 1. A [`Fault`] says what happens at one of them:
//!
//! - *failed*: the call returns `EIO` and has no effect, except that a failing write leaves the first half of its
//!   bytes in the file, as a real disk may;
//! - *failed but stored*: the call takes full effect and returns `EIO` all the same.
//!
//! Beside that the disk has room for a number of bytes; a write beyond it stores what fits and returns `ENOSPC`.
//!
//! [`FaultyDisk::crash`] is the power cut: every file falls back to the length it had at its last successful sync,
//! created and renamed entries whose directory was not synced since fall back to what was there before, and removals
//! not yet synced stay removed (a file system may do either; for removals this is the harder case, because nothing
//! may depend on a removed file coming back). Optionally part of the unsynced tail survives ([`Tail`]), because
//! unsynced does not mean lost. Reading never fails. Files are only ever appended to, so lengths describe contents.
//!
//! Not modelled: unsynced pages that survive out of order (the log's tests make such tails by hand) and SQLite's own
//! files, which SQLite's own tests cover.

use super::{Disk, ReadFile, RealDisk, WriteFile};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What happens at the n-th operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Failed,
    FailedButStored,
}

/// What a crash leaves of bytes that were written and not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    Lost,
    Half,
    Kept,
}

/// [`RealDisk`] with scheduled faults. Cloning shares the schedule.
#[derive(Clone, Default)]
pub struct FaultyDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    operations: u64,
    fault: Option<(u64, Fault)>,
    room_bytes: Option<u64>,
    /// Synced and written length of every file that was written since the last crash.
    lengths: HashMap<PathBuf, Length>,
    /// Entries that vanish (`None`) or move back (`Some(old name)`) at a crash.
    unsynced_entries: Vec<(PathBuf, Option<PathBuf>)>,
}

#[derive(Clone, Copy, Default)]
struct Length {
    synced: u64,
    written: u64,
}

impl FaultyDisk {
    pub fn new() -> FaultyDisk {
        FaultyDisk::default()
    }

    /// Number of changing operations so far.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Schedules one fault `after` further operations (1 is the next one).
    pub fn fail_after(&self, after: u64, fault: Fault) {
        let mut state = self.lock();
        let at = state.operations + after;
        state.fault = Some((at, fault));
    }

    /// Whether the scheduled fault has not happened yet.
    pub fn is_armed(&self) -> bool {
        self.lock().fault.is_some()
    }

    pub fn disarm(&self) {
        self.lock().fault = None;
    }

    /// Leaves room for so many more bytes, or for any number.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.lock().room_bytes = bytes;
    }

    /// Cuts the power. Open files must not be used any more.
    pub fn crash(&self, tail: Tail) -> io::Result<()> {
        let mut state = self.lock();
        for (path, length) in state.lengths.drain() {
            let unsynced = length.written - length.synced;
            let kept = match tail {
                Tail::Lost => 0,
                Tail::Half => unsynced / 2,
                Tail::Kept => unsynced,
            };
            if let Ok(file) = std::fs::OpenOptions::new().write(true).open(&path) {
                file.set_len(length.synced + kept)?;
            }
        }
        for (path, back) in state.unsynced_entries.drain(..).rev() {
            match back {
                Some(old) if path.exists() => std::fs::rename(&path, &old)?,
                None if path.exists() => std::fs::remove_file(&path)?,
                _ => {}
            }
        }
        state.fault = None;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one operation and says which fault, if any, strikes it.
    fn strike(&self) -> Option<Fault> {
        let mut state = self.lock();
        state.operations += 1;
        match state.fault {
            Some((at, fault)) if at == state.operations => {
                state.fault = None;
                Some(fault)
            }
            _ => None,
        }
    }

    fn apply<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.strike() {
            None => act(),
            Some(Fault::Failed) => Err(injected()),
            Some(Fault::FailedButStored) => {
                act()?;
                Err(injected())
            }
        }
    }
}

fn injected() -> io::Error {
    io::Error::other("injected fault")
}

impl Disk for FaultyDisk {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_dir_all(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        self.apply(|| {
            let inner = RealDisk.create(path)?;
            let mut state = self.lock();
            state.lengths.insert(path.to_path_buf(), Length::default());
            state.unsynced_entries.push((path.to_path_buf(), None));
            Ok(self.writer(inner, path))
        })
    }

    fn append_to(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        self.apply(|| {
            let inner = RealDisk.append_to(path)?;
            let size = std::fs::metadata(path)?.len();
            let length = Length {
                synced: size,
                written: size,
            };
            self.lock().lengths.entry(path.to_path_buf()).or_insert(length);
            Ok(self.writer(inner, path))
        })
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        RealDisk.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.apply(|| {
            RealDisk.rename(from, to)?;
            let mut state = self.lock();
            if let Some(length) = state.lengths.remove(from) {
                state.lengths.insert(to.to_path_buf(), length);
            }
            state
                .unsynced_entries
                .push((to.to_path_buf(), Some(from.to_path_buf())));
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.apply(|| {
            RealDisk.remove(path)?;
            let mut state = self.lock();
            state.lengths.remove(path);
            state.unsynced_entries.retain(|(entry, _)| entry != path);
            Ok(())
        })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.apply(|| {
            RealDisk.sync_dir(path)?;
            self.lock()
                .unsynced_entries
                .retain(|(entry, _)| entry.parent() != Some(path));
            Ok(())
        })
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(path)
    }
}

impl FaultyDisk {
    fn writer(&self, inner: Box<dyn WriteFile>, path: &Path) -> Box<dyn WriteFile> {
        Box::new(FaultyWriter {
            disk: self.clone(),
            inner,
            path: path.to_path_buf(),
        })
    }
}

struct FaultyWriter {
    disk: FaultyDisk,
    inner: Box<dyn WriteFile>,
    path: PathBuf,
}

impl FaultyWriter {
    fn length(&self, change: impl FnOnce(&mut Length)) {
        if let Some(length) = self.disk.lock().lengths.get_mut(&self.path) {
            change(length);
        }
    }

    fn store(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.inner.write(bytes)?;
        self.length(|length| length.written += bytes.len() as u64);
        Ok(())
    }

    /// Takes room for the bytes; `Err(n)` says that only `n` of them fit.
    fn take_room(&self, bytes: usize) -> Result<(), usize> {
        let mut state = self.disk.lock();
        let Some(room) = state.room_bytes.as_mut() else {
            return Ok(());
        };
        let fits = (*room).min(bytes as u64);
        *room -= fits;
        if fits == bytes as u64 {
            Ok(())
        } else {
            Err(fits as usize)
        }
    }
}

impl WriteFile for FaultyWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.disk.strike() {
            Some(Fault::Failed) => {
                self.store(&bytes[..bytes.len() / 2])?;
                return Err(injected());
            }
            Some(Fault::FailedButStored) => {
                self.store(bytes)?;
                return Err(injected());
            }
            None => {}
        }
        match self.take_room(bytes.len()) {
            Ok(()) => self.store(bytes),
            Err(fits) => {
                self.store(&bytes[..fits])?;
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
        }
    }

    fn rewrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let fault = self.disk.strike();
        if fault == Some(Fault::Failed) {
            return Err(injected());
        }
        self.inner.rewrite(offset, bytes)?;
        fault.map_or(Ok(()), |_| Err(injected()))
    }

    fn sync(&mut self) -> io::Result<()> {
        let fault = self.disk.strike();
        if fault == Some(Fault::Failed) {
            return Err(injected());
        }
        self.inner.sync()?;
        self.length(|length| length.synced = length.written);
        fault.map_or(Ok(()), |_| Err(injected()))
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let fault = self.disk.strike();
        if fault == Some(Fault::Failed) {
            return Err(injected());
        }
        self.inner.truncate(len)?;
        self.length(|length| {
            length.written = len;
            length.synced = length.synced.min(len);
        });
        fault.map_or(Ok(()), |_| Err(injected()))
    }
}

//! A disk in memory that keeps apart what a process sees and what a power cut leaves.
//!
//! **Fault model.** A file's bytes are durable after `sync`, a directory's entries after `sync_dir`, and nothing else
//! is. [`SimDisk::crash`] draws what is left of the rest:
//!
//! - of bytes behind the durable ones: nothing, everything, a prefix, or single sectors of 512 bytes, with zeros or
//!   noise in the place of the others; what one write stored may also have become durable by itself at once;
//! - of created, renamed and removed entries: none, all, a prefix, or any of them (a removed file can come back);
//! - of bytes whose `sync` failed, single sectors, even if a later `sync` reports success: the kernel has marked them clean.
//!
//! A [`Fault`] strikes at the n-th changing operation. While the disk has no room every write stores what fits. Reads
//! fail when told to. Everything is drawn from one seed, and every operation is added to a digest, so that two runs can
//! be compared.

use super::content::Content;
use fastrand::Rng;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::disk::{Disk, ReadFile, WriteFile};

/// What happens at the n-th changing operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `EIO`, without effect; of a write, some bytes are stored all the same.
    Failed,
    /// `EIO`, with full effect.
    FailedButStored,
    /// `ENOSPC`; of a write, some bytes are stored.
    Full,
    /// The operation happens, partly or not at all, and nothing works any more until [`SimDisk::crash`].
    PowerCut,
}

#[derive(Clone)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

struct State {
    rng: Rng,
    /// Entries as processes see them, and as they are on the disk.
    seen: BTreeMap<PathBuf, Arc<Inode>>,
    durable: BTreeMap<PathBuf, Arc<Inode>>,
    /// What leads from `durable` to `seen`.
    unsynced: Vec<EntryChange>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    reads_until_fault: Option<u64>,
    room_bytes: Option<usize>,
    has_power: bool,
    /// Neither counts nor fails: the test itself is reading.
    is_observed: bool,
    digest: u32,
}

enum EntryChange {
    Create(PathBuf, Arc<Inode>),
    Rename(PathBuf, PathBuf, Arc<Inode>),
    Remove(PathBuf),
}

impl EntryChange {
    fn directory(&self) -> Option<&Path> {
        let (EntryChange::Create(path, _) | EntryChange::Rename(_, path, _) | EntryChange::Remove(path)) = self;
        path.parent()
    }

    fn carry_out(self, entries: &mut BTreeMap<PathBuf, Arc<Inode>>) {
        match self {
            EntryChange::Create(path, inode) => drop(entries.insert(path, inode)),
            EntryChange::Remove(path) => drop(entries.remove(&path)),
            EntryChange::Rename(from, to, inode) => {
                entries.remove(&from);
                entries.insert(to, inode);
            }
        }
    }
}

#[derive(Default)]
struct Inode(Mutex<Content>);

impl Inode {
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimDisk {
    pub fn new(seed: u64) -> SimDisk {
        SimDisk {
            state: Arc::new(Mutex::new(State {
                rng: Rng::with_seed(seed),
                seen: BTreeMap::new(),
                durable: BTreeMap::new(),
                unsynced: Vec::new(),
                operations: 0,
                fault: None,
                reads_until_fault: None,
                room_bytes: None,
                has_power: true,
                is_observed: false,
                digest: 0,
            })),
        }
    }

    /// Schedules a fault `after` further changing operations (1 is the next one).
    pub fn fail_after(&self, after: u64, fault: Fault) {
        let mut state = self.lock();
        state.fault = Some((state.operations + after, fault));
    }

    /// Lets one read fail, `after` further ones.
    pub fn fail_read_after(&self, after: u64) {
        self.lock().reads_until_fault = Some(after);
    }

    pub fn set_room(&self, bytes: Option<usize>) {
        self.lock().room_bytes = bytes;
    }

    /// Nothing fails from now on, except that the power stays away if it is.
    pub fn heal(&self) {
        let mut state = self.lock();
        state.fault = None;
        state.reads_until_fault = None;
        state.room_bytes = None;
    }

    pub fn has_power(&self) -> bool {
        self.lock().has_power
    }

    /// Reads that the test makes for itself: they never fail.
    pub fn observed<T>(&self, observe: impl FnOnce() -> T) -> T {
        self.lock().is_observed = true;
        let observed = observe();
        self.lock().is_observed = false;
        observed
    }

    /// Cuts the power, or ends a power cut: only what was durable is there, and some of the rest.
    pub fn crash(&self) {
        let mut state = self.lock();
        let State {
            rng, durable, unsynced, ..
        } = &mut *state;
        let changes = std::mem::take(unsynced);
        let kept = choose(rng, changes.len());
        for (change, _) in changes.into_iter().zip(kept).filter(|(_, kept)| *kept) {
            change.carry_out(durable);
        }
        for inode in durable.values() {
            inode.lock().tear(rng);
        }
        state.seen = state.durable.clone();
        state.has_power = true;
        drop(state);
        self.heal();
    }

    /// Names of all files below a directory.
    pub fn files(&self, directory: &Path) -> Vec<PathBuf> {
        let state = self.lock();
        state
            .seen
            .keys()
            .filter(|path| path.starts_with(directory))
            .cloned()
            .collect()
    }

    /// Stands for everything that was ever written, in order.
    pub fn digest(&self) -> u32 {
        self.lock().digest
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which of `count` unsynced changes a crash keeps.
fn choose(rng: &mut Rng, count: usize) -> Vec<bool> {
    let kind = rng.u8(..4);
    let prefix = rng.usize(..=count);
    (0..count)
        .map(|place| match kind {
            0 => false,
            1 => true,
            2 => place < prefix,
            _ => rng.bool(),
        })
        .collect()
}

fn broken() -> io::Error {
    io::Error::other("injected fault")
}

fn full() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

impl State {
    /// Counts an operation. Returns whether it is carried out, and what it answers.
    fn operate(&mut self, what: &str, path: &Path, bytes: &[u8]) -> (bool, io::Result<()>) {
        if !self.has_power {
            return (false, Err(broken()));
        }
        self.operations += 1;
        let name = path.file_name().map_or(&[][..], |name| name.as_encoded_bytes());
        for part in [what.as_bytes(), name, bytes] {
            self.digest = crc32c::crc32c_append(self.digest, part);
        }
        match self.fault {
            Some((at, fault)) if at <= self.operations => {
                self.fault = None;
                match fault {
                    Fault::Failed => (false, Err(broken())),
                    Fault::FailedButStored => (true, Err(broken())),
                    Fault::Full if what == "write" || what == "create" => (false, Err(full())),
                    Fault::Full => (true, Ok(())),
                    Fault::PowerCut => {
                        self.has_power = false;
                        (self.rng.bool(), Err(broken()))
                    }
                }
            }
            _ => (true, Ok(())),
        }
    }

    fn read(&mut self) -> io::Result<()> {
        if self.is_observed {
            return Ok(());
        }
        if !self.has_power {
            return Err(broken());
        }
        match &mut self.reads_until_fault {
            Some(0) => {
                self.reads_until_fault = None;
                Err(broken())
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn missing() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

impl Disk for SimDisk {
    fn create_dir_all(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let mut state = self.lock();
        if state.seen.contains_key(path) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let (happens, answer) = state.operate("create", path, &[]);
        let inode = Arc::new(Inode::default());
        if happens {
            state.seen.insert(path.to_path_buf(), inode.clone());
            let change = EntryChange::Create(path.to_path_buf(), inode.clone());
            state.unsynced.push(change);
        }
        answer.map(|()| self.writer(path, inode))
    }

    fn append_to(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let mut state = self.lock();
        let inode = state.seen.get(path).cloned().ok_or_else(missing)?;
        let (_, answer) = state.operate("open", path, &[]);
        answer.map(|()| self.writer(path, inode))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        let mut state = self.lock();
        state.read()?;
        let inode = state.seen.get(path).cloned().ok_or_else(missing)?;
        Ok(Arc::new(SimReader {
            disk: self.clone(),
            inode,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        let inode = state.seen.get(from).cloned().ok_or_else(missing)?;
        let (happens, answer) = state.operate("rename", to, &[]);
        if happens {
            let change = || EntryChange::Rename(from.to_path_buf(), to.to_path_buf(), inode.clone());
            change().carry_out(&mut state.seen);
            state.unsynced.push(change());
        }
        answer
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        if !state.seen.contains_key(path) {
            return Err(missing());
        }
        let (happens, answer) = state.operate("remove", path, &[]);
        if happens {
            state.seen.remove(path);
            state.unsynced.push(EntryChange::Remove(path.to_path_buf()));
        }
        answer
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        let (happens, answer) = state.operate("sync_dir", path, &[]);
        if happens {
            let (here, elsewhere) = std::mem::take(&mut state.unsynced)
                .into_iter()
                .partition(|change| change.directory() == Some(path));
            state.unsynced = elsewhere;
            let here: Vec<EntryChange> = here;
            for change in here {
                change.carry_out(&mut state.durable);
            }
        }
        answer
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut state = self.lock();
        state.read()?;
        let files = state.seen.keys().filter(|file| file.parent() == Some(path));
        Ok(files
            .filter_map(|file| Some(file.file_name()?.to_str()?.to_owned()))
            .collect())
    }
}

impl SimDisk {
    fn writer(&self, path: &Path, inode: Arc<Inode>) -> Box<dyn WriteFile> {
        Box::new(SimWriter {
            disk: self.clone(),
            path: path.to_path_buf(),
            inode,
        })
    }
}

struct SimWriter {
    disk: SimDisk,
    path: PathBuf,
    inode: Arc<Inode>,
}

impl WriteFile for SimWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.lock();
        let had_power = state.has_power;
        let (happens, answer) = state.operate("write", &self.path, bytes);
        let mut stored = match (happens, had_power) {
            (true, _) => bytes.len(),
            (false, true) => state.rng.usize(..=bytes.len()),
            (false, false) => 0,
        };
        let mut answer = answer;
        if let Some(room) = &mut state.room_bytes {
            if stored > *room {
                (stored, answer) = (*room, Err(full()));
            }
            *room -= stored;
        }
        let mut content = self.inode.lock();
        content.seen.extend_from_slice(&bytes[..stored]);
        if had_power && state.rng.u8(..4) == 0 {
            content.write_back();
        }
        answer
    }

    fn rewrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.lock();
        let (happens, answer) = state.operate("rewrite", &self.path, bytes);
        if happens {
            self.inode.lock().rewrite(offset as usize, bytes);
        }
        answer
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.lock();
        let (happens, answer) = state.operate("sync", &self.path, &[]);
        let mut content = self.inode.lock();
        if happens {
            content.sync();
        } else if state.has_power {
            content.give_up();
        }
        answer
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut state = self.disk.lock();
        let (happens, answer) = state.operate("truncate", &self.path, &len.to_le_bytes());
        if happens {
            self.inode.lock().truncate(len as usize);
        }
        answer
    }
}

struct SimReader {
    disk: SimDisk,
    inode: Arc<Inode>,
}

impl ReadFile for SimReader {
    fn size(&self) -> u64 {
        self.inode.lock().seen.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.disk.lock().read()?;
        let content = self.inode.lock();
        let wanted = content.seen.get(offset as usize..offset as usize + buffer.len());
        buffer.copy_from_slice(wanted.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?);
        Ok(())
    }
}

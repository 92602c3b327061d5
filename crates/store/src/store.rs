//! The store as its users hold it.

use crate::backup::FrozenFile;
use crate::catalog::Catalog;
use crate::core::{Core, State, catalog_file, log_directory, segment_directory};
use crate::damaged;
use crate::error::StoreError;
use crate::lock::DirectoryLock;
use crate::log::commit::{self, Position};
use crate::log::files::LogFiles;
use crate::log::recovery;
use crate::maintain;
use crate::memory::Memory;
use crate::options::{StoreMetrics, StoreOptions};
use crate::segment::Segment;
use crate::segment::footers::Footers;
use crate::snapshot::Snapshot;
use crate::state::fresh::Block;
use crate::state::identity::Identity;
use crate::state::profiles::Profiles;
use crate::state::project::ProjectState;
use crate::state::registry::Registry;
use hashbrown::HashSet;
use model::{ProjectId, Record};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// The event store of one data directory. Cloning gives another handle to the same store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    core: Arc<Core>,
    background: Arc<maintain::Signal>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Held as long as the store lives; keeps other processes out.
    _lock: DirectoryLock,
}

impl Store {
    /// Makes an empty store in a new or empty directory.
    pub fn create(options: StoreOptions) -> Result<Store, StoreError> {
        let directory = options.directory.clone();
        let io = |source| StoreError::io("create", &directory, source);
        options.disk.create_dir_all(&directory).map_err(io)?;
        let lock = DirectoryLock::take(&directory)?;
        if catalog_file(&options).exists() {
            return Err(StoreError::NotAStore {
                directory,
                what: "there is a store already".into(),
            });
        }
        for path in [log_directory(&options), segment_directory(&options)] {
            options.disk.create_dir_all(&path).map_err(io)?;
        }
        // Last of all: a directory with a catalog is a complete store.
        let catalog = Catalog::create(&catalog_file(&options), options.shards.max(1), options.clock)?;
        options.disk.sync_dir(&directory).map_err(io)?;
        Store::start(options, lock, catalog)
    }

    /// Opens a store, recovering from its log whatever the catalog does not have yet.
    pub fn open(options: StoreOptions) -> Result<Store, StoreError> {
        let file = catalog_file(&options);
        if !file.exists() {
            return Err(StoreError::NotAStore {
                directory: options.directory.clone(),
                what: "there is no catalog".into(),
            });
        }
        let lock = DirectoryLock::take(&options.directory)?;
        let catalog = Catalog::open(&file, options.clock)?;
        Store::start(options, lock, catalog)
    }

    fn start(options: StoreOptions, lock: DirectoryLock, catalog: Catalog) -> Result<Store, StoreError> {
        let footers = Footers::new(&options.memory);
        let mut state = load_state(&options, &footers, &catalog)?;
        let flushed = state.flushed;
        let directory = log_directory(&options);
        let recovered = replay(&options, &directory, &mut state)?;
        let limit = options.log_file_bytes;
        let mut files = LogFiles::resume(options.disk.clone(), &directory, limit, recovered.next, recovered.last)?;
        files.remove_below(flushed)?;
        sweep_orphans(&options, &state)?;
        let remembered = damaged::recall(&options, &state);
        let core = Arc::new(Core::new(options, catalog, state, footers, remembered));
        damaged::remember(&core);
        core.note_fresh(&core.state());
        core.note_log(files.end(), false);
        let background = Arc::new(maintain::Signal::default());
        let mut threads = Vec::new();
        {
            let core = core.clone();
            threads.push(spawn("store-log", move || commit::run(&core.queue, files, &core))?);
        }
        if core.options.background {
            let (core, signal) = (core.clone(), background.clone());
            threads.push(spawn("store-maintain", move || maintain::run(&core, &signal))?);
        }
        if core.options.background && core.options.memory.limit_bytes().is_some() {
            let (memory, signal) = (core.options.memory.clone(), background.clone());
            threads.push(spawn("store-memory", move || {
                maintain::observe_memory(&memory, &signal)
            })?);
        }
        Ok(Store {
            inner: Arc::new(Inner {
                core,
                background,
                threads: Mutex::new(threads),
                _lock: lock,
            }),
        })
    }

    /// Makes a record durable and visible. Blocks until both are done; appends of several threads share an fsync.
    ///
    /// After [`StoreError::Unknown`] the record may or may not survive; after any other error nothing was stored.
    pub fn append(&self, record: Record) -> Result<Position, StoreError> {
        if !self.inner.core.catalog.has_project(record.project) {
            return Err(StoreError::UnknownProject(record.project));
        }
        self.inner.core.wait_for_room()?;
        self.inner.core.queue.append(record)
    }

    /// Appends records to the log as one group: one write, one fsync. [`Store::append`] of several threads comes to
    /// the same; here it does not depend on how fast they are, and a simulation can be repeated.
    #[doc(hidden)]
    pub fn append_group(&self, records: Vec<Record>) -> Result<Vec<Result<Position, StoreError>>, StoreError> {
        self.inner.core.queue.append_group(records)
    }

    /// Highest identity feed entry of the project that is durable in the log.
    pub fn feed_position(&self, project: ProjectId) -> u64 {
        self.inner.core.feed_position(project)
    }

    /// The project as of now: every acknowledged record is in it.
    pub fn snapshot(&self, project: ProjectId) -> Snapshot {
        self.inner.core.snapshot(project)
    }

    pub fn catalog(&self) -> &Catalog {
        &self.inner.core.catalog
    }

    /// Moves all fresh rows into segments.
    pub fn flush(&self) -> Result<(), StoreError> {
        maintain::flush::flush(&self.inner.core)
    }

    /// Brings what lies on disk into its best form: settles merged persons, removes erased ones, merges small
    /// segments. Returns the number of segments it replaced.
    pub fn compact(&self) -> Result<usize, StoreError> {
        maintain::compact::compact(&self.inner.core)
    }

    /// The memory of the process, which the store shares with whoever uses it.
    pub fn memory(&self) -> &Memory {
        &self.inner.core.options.memory
    }

    /// Reads a file that somebody else found to be damaged, a verification say. If it is one of a segment and is damaged, it is set
    /// aside from now on. Returns whether it is.
    pub fn examine(&self, file: &Path) -> bool {
        damaged::examine(&self.inner.core, file)
    }

    /// Whether rows of the project past retention could not be removed from the disk when that was last tried.
    pub fn retention_is_overdue(&self, project: ProjectId) -> bool {
        self.inner.core.retention_is_overdue(project)
    }

    pub fn metrics(&self) -> StoreMetrics {
        self.inner.core.metrics()
    }

    /// Holds the store as it is now for a backup, while it goes on: copies the catalog into `catalog_copy`, a new or empty
    /// file, and returns the other files that belong to it. A directory with all of them, the copy as `catalog.db`, opens
    /// like this store and has every record that was acknowledged before the call.
    pub fn freeze(&self, catalog_copy: &Path) -> Result<Vec<FrozenFile>, StoreError> {
        crate::backup::freeze(&self.inner.core, catalog_copy)
    }

    /// Ends the background work and writes what waits. Appends through other handles are refused from now on.
    pub fn close(self) {
        self.inner.stop();
    }
}

impl Inner {
    fn stop(&self) {
        self.core.queue.close();
        self.core.close();
        self.background.stop();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("A thread of the store panicked");
            }
        }
        damaged::remember(&self.core);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Blocks of fresh rows that may wait for their batches while the log is replayed.
const REPLAY_AHEAD: usize = 4;

/// Applies the log behind the watermark. A second thread makes the blocks' batches meanwhile: events take several
/// times the memory, and there may be a lot of log.
fn replay(options: &StoreOptions, directory: &Path, state: &mut State) -> Result<recovery::Recovered, StoreError> {
    let flushed = state.flushed;
    std::thread::scope(|scope| {
        let (complete, blocks) = std::sync::mpsc::sync_channel::<Arc<Block>>(REPLAY_AHEAD);
        scope.spawn(move || {
            for block in blocks {
                block.batches();
            }
        });
        recovery::replay(&*options.disk, directory, flushed, |prepared| {
            let position = state.position + 1;
            if let Some(block) = state.apply(position, prepared) {
                // The other thread ends only when this end of the channel is gone.
                let _ = complete.send(block);
            }
        })
    })
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|source| StoreError::io("start a thread for", Path::new(name), source))
}

/// The state as of the last flush.
fn load_state(options: &StoreOptions, footers: &Arc<Footers>, catalog: &Catalog) -> Result<State, StoreError> {
    let shards = u32::try_from(catalog.setting("shards")?).unwrap_or(1).max(1);
    let directory = segment_directory(options);
    let mut projects = BTreeMap::new();
    for found in catalog.load()? {
        let mut project = ProjectState::new(shards);
        project.next_seq = found.next_seq;
        project.flushed_seq = project.last_seq();
        project.feed_position = found.feed_position;
        project.received = found.received;
        project.identity = Identity::load(found.merges, found.unsettled, found.erased, found.unpurged);
        project.registry = Registry::load(found.columns, found.events);
        let mut profiles = Profiles::default();
        for (slot, profile) in found.profiles {
            profiles.load(slot, profile);
        }
        project.profiles = Arc::new(profiles);
        let last_seq = project.last_seq();
        let segments = found.segments.into_iter();
        let segments =
            segments.map(|(meta, deleted)| Segment::new(&options.disk, footers, &directory, meta, deleted, last_seq));
        project.segments = Arc::new(segments.map(Arc::new).collect());
        projects.insert(found.project, project);
    }
    Ok(State::new(shards, catalog.setting("watermark")?, projects))
}

/// Removes segment files that no transaction published, or that were obsolete when the process ended.
fn sweep_orphans(options: &StoreOptions, state: &State) -> Result<(), StoreError> {
    let directory = segment_directory(options);
    let known: HashSet<String> = state
        .projects
        .values()
        .flat_map(|project| project.segments.iter())
        .map(|segment| segment.meta.file_name())
        .collect();
    let found = options
        .disk
        .list(&directory)
        .map_err(|source| StoreError::io("list", &directory, source))?;
    for name in found.iter().filter(|name| !known.contains(*name)) {
        let path = directory.join(name);
        options
            .disk
            .remove(&path)
            .map_err(|source| StoreError::io("remove", &path, source))?;
    }
    Ok(())
}

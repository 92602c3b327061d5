//! What the store's threads share: the state of all projects, and the steps that change it.

use crate::catalog::Catalog;
use crate::clock::SteadyClock;
use crate::error::StoreError;
use crate::log::commit::Queue;
use crate::memory::{MemoryUse, Reservation};
use crate::options::{StoreMetrics, StoreOptions};
use crate::retention::Cutoffs;
use crate::segment::cache::ColumnCache;
use crate::segment::footers::Footers;
use crate::snapshot::{Snapshot, SnapshotParts};
use crate::state::fresh::Block;
use crate::state::prepared::Prepared;
use crate::state::project::ProjectState;
use model::ProjectId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Longest wait of an append for a flush to catch up.
const CATCH_UP: Duration = Duration::from_secs(5);

/// Fresh rows of less than this are not flushed for the sake of others: many small segments cost more than they free.
const FLUSH_WHEN_SHORT_BYTES: usize = 2 << 20;

pub(crate) struct Core {
    pub options: StoreOptions,
    pub catalog: Catalog,
    pub shards: u32,
    pub cache: Arc<ColumnCache>,
    /// What the writer of the log is to do.
    pub queue: Queue,
    pub footers: Arc<Footers>,
    state: Mutex<State>,
    fresh: FreshFigures,
    /// Told when fresh rows became fewer, or the store closes.
    drained: Condvar,
    drained_lock: Mutex<()>,
    log_stopped: AtomicBool,
    log_end: Mutex<Option<(PathBuf, u64)>>,
    pub maintenance_failures: AtomicU64,
    /// Projects whose rows past retention could not be removed from the disk when that was last tried.
    retention_overdue: Mutex<BTreeSet<ProjectId>>,
    /// What retention was last enforced for, by project.
    enforced: Mutex<BTreeMap<ProjectId, Arc<Cutoffs>>>,
    /// What the wall clock is held against while the store works by itself.
    clock: Option<SteadyClock>,
    /// Held by whoever changes segments: flush, compaction, and a backup while it lists them.
    pub maintenance: Mutex<()>,
    /// Set when a publication's outcome could not be learnt: memory and catalog may differ until a restart.
    maintenance_stopped: AtomicBool,
    /// A merge of segments did not get the memory it needs; it is tried again soon.
    pub compaction_waits: AtomicBool,
    /// Names of damaged segments as they are written down ([`crate::damaged`]).
    pub remembered_damage: Mutex<BTreeSet<String>>,
    /// Set when the store closes: long work is given up.
    closing: AtomicBool,
}

/// Fresh rows over all projects, readable without the state's lock.
#[derive(Default)]
struct FreshFigures {
    rows: AtomicUsize,
    bytes: AtomicUsize,
}

/// All projects as of one place in the log.
pub(crate) struct State {
    shards: u32,
    pub projects: BTreeMap<ProjectId, ProjectState>,
    /// Number of the last applied record.
    pub position: u64,
    /// Number of the last record that segments and catalog hold completely.
    pub flushed: u64,
    /// When the oldest fresh row arrived.
    pub fresh_since: Option<Instant>,
}

impl State {
    pub fn new(shards: u32, flushed: u64, projects: BTreeMap<ProjectId, ProjectState>) -> State {
        State {
            shards,
            projects,
            position: flushed,
            flushed,
            fresh_since: None,
        }
    }

    pub fn project(&mut self, project: ProjectId) -> &mut ProjectState {
        let shards = self.shards;
        self.projects
            .entry(project)
            .or_insert_with(|| ProjectState::new(shards))
    }

    /// Lets a durable record take effect. Recovery and steady state both come through here. Returns a block of fresh
    /// rows if this completed one.
    pub fn apply(&mut self, position: u64, prepared: Prepared) -> Option<Arc<Block>> {
        debug_assert_eq!(position, self.position + 1);
        self.position = position;
        self.fresh_since.get_or_insert_with(Instant::now);
        let project = prepared.head.project;
        self.project(project).apply(prepared)
    }

    fn fresh_rows(&self) -> usize {
        self.projects.values().map(|project| project.fresh.rows()).sum()
    }

    fn fresh_bytes(&self) -> usize {
        self.projects.values().map(|project| project.fresh.bytes()).sum()
    }
}

impl Core {
    pub fn new(
        options: StoreOptions,
        catalog: Catalog,
        state: State,
        footers: Arc<Footers>,
        remembered_damage: BTreeSet<String>,
    ) -> Core {
        let clock = options.background.then(|| SteadyClock::start((options.clock)().0));
        let cache = ColumnCache::new(options.cache_bytes, &options.memory);
        // After the columns: without a segment's footer not even its columns in memory can be used.
        footers.give_way_from_now();
        Core {
            remembered_damage: Mutex::new(remembered_damage),
            footers,
            cache,
            catalog,
            queue: Queue::default(),
            shards: state.shards,
            fresh: FreshFigures::default(),
            state: Mutex::new(state),
            options,
            drained: Condvar::new(),
            drained_lock: Mutex::new(()),
            log_stopped: AtomicBool::new(false),
            log_end: Mutex::new(None),
            maintenance_failures: AtomicU64::new(0),
            retention_overdue: Mutex::default(),
            enforced: Mutex::default(),
            clock,
            maintenance: Mutex::new(()),
            maintenance_stopped: AtomicBool::new(false),
            compaction_waits: AtomicBool::new(false),
            closing: AtomicBool::new(false),
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn log_directory(&self) -> PathBuf {
        log_directory(&self.options)
    }

    pub fn segment_directory(&self) -> PathBuf {
        segment_directory(&self.options)
    }

    /// Applies a durable group, of which the first record has number `first`.
    pub fn apply(&self, first: u64, group: Vec<Prepared>) {
        let mut state = self.state();
        for (place, prepared) in group.into_iter().enumerate() {
            // The maintenance thread makes the batches of complete blocks.
            state.apply(first + place as u64, prepared);
        }
        self.note_fresh(&state);
    }

    /// Notes how many fresh rows there are, and what they take.
    pub fn note_fresh(&self, state: &State) {
        let bytes = state.fresh_bytes();
        self.fresh.rows.store(state.fresh_rows(), Ordering::Relaxed);
        let before = self.fresh.bytes.swap(bytes, Ordering::Relaxed);
        let memory = &self.options.memory;
        match bytes.checked_sub(before) {
            Some(more) => memory.add(MemoryUse::Fresh, more),
            None => memory.remove(MemoryUse::Fresh, before - bytes),
        }
    }

    /// Notes how far the log is durable, and whether it stopped.
    pub fn note_log(&self, end: Option<(PathBuf, u64)>, stopped: bool) {
        *self.log_end.lock().unwrap_or_else(PoisonError::into_inner) = end;
        self.log_stopped.store(stopped, Ordering::Relaxed);
    }

    /// The log file being written, and the length of it that is durable.
    pub fn log_end(&self) -> Option<(PathBuf, u64)> {
        self.log_end.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a flush takes beside the rows that it writes.
    pub fn hold_for_flush(&self) -> Reservation {
        let bytes = self.fresh.bytes.load(Ordering::Relaxed);
        self.options.memory.hold(MemoryUse::Maintenance, bytes / 2)
    }

    /// Tells waiting appends that fresh rows were flushed.
    pub fn note_flushed(&self, state: &State) {
        self.note_fresh(state);
        let _held = self.drained_lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.drained.notify_all();
    }

    /// Holds an append back while too many rows wait to be flushed.
    pub fn wait_for_room(&self) -> Result<(), StoreError> {
        let StoreOptions {
            fresh_rows_max,
            fresh_bytes_max,
            ..
        } = self.options;
        let rows = || self.fresh.rows.load(Ordering::Relaxed);
        let bytes = || self.fresh.bytes.load(Ordering::Relaxed);
        let is_crowded = || rows() >= fresh_rows_max || bytes() >= fresh_bytes_max;
        if !is_crowded() {
            return Ok(());
        }
        let held = self.drained_lock.lock().unwrap_or_else(PoisonError::into_inner);
        let crowded = |_: &mut ()| is_crowded();
        let (_held, timeout) = self
            .drained
            .wait_timeout_while(held, CATCH_UP, crowded)
            .unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            return Err(StoreError::Overloaded {
                rows: rows(),
                bytes: bytes(),
            });
        }
        Ok(())
    }

    /// Takes the right to change segments.
    pub fn maintain(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
        let held = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        if self.maintenance_stopped.load(Ordering::Relaxed) {
            return Err(StoreError::Unknown {
                reason: "an earlier publication may or may not have been committed".into(),
            });
        }
        Ok(held)
    }

    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    pub fn stop_maintenance(&self, reason: &str) {
        tracing::error!(reason, "Flush and compaction stopped; restart to recover");
        self.maintenance_stopped.store(true, Ordering::Relaxed);
    }

    pub fn feed_position(&self, project: ProjectId) -> u64 {
        let state = self.state();
        state.projects.get(&project).map_or(0, |project| project.feed_position)
    }

    /// From when on the project's events are kept, as of now.
    pub fn cutoffs(&self, project: ProjectId) -> Arc<Cutoffs> {
        let cutoffs = self.catalog.cutoffs(project);
        self.state().project(project).retain(cutoffs)
    }

    /// Whether the cutoffs of any project are others than those that were last enforced.
    pub fn retention_is_due(&self) -> bool {
        let enforced = self.enforced.lock().unwrap_or_else(PoisonError::into_inner);
        let projects = self.catalog.projects().into_iter().map(|project| project.id);
        let mut current = projects.map(|project| (project, self.catalog.cutoffs(project)));
        current.any(|(project, cutoffs)| match enforced.get(&project) {
            Some(done) => **done != cutoffs,
            None => !cutoffs.keep_all(),
        })
    }

    fn overdue(&self) -> MutexGuard<'_, BTreeSet<ProjectId>> {
        self.retention_overdue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes whether a project has rows past retention that could not be removed. Returns whether that is news.
    pub fn note_retention(&self, project: ProjectId, is_overdue: bool) -> bool {
        let mut overdue = self.overdue();
        if is_overdue {
            overdue.insert(project)
        } else {
            overdue.remove(&project)
        }
    }

    pub fn retention_is_overdue(&self, project: ProjectId) -> bool {
        self.overdue().contains(&project)
    }

    /// Whether the wall clock went another way than time does: nothing is removed by its word then.
    pub fn clock_is_suspect(&self) -> bool {
        let clock = self.clock.as_ref();
        clock.is_some_and(|clock| clock.contradicts((self.options.clock)().0))
    }

    /// Notes that no row before these cutoffs is due for removal.
    pub fn note_enforced(&self, project: ProjectId, cutoffs: Arc<Cutoffs>) {
        let mut enforced = self.enforced.lock().unwrap_or_else(PoisonError::into_inner);
        enforced.insert(project, cutoffs);
    }

    pub fn snapshot(&self, project: ProjectId) -> Snapshot {
        let cutoffs = self.cutoffs(project);
        let mut state = self.state();
        let shards = self.shards;
        let project = state.project(project);
        Snapshot::new(SnapshotParts {
            shards,
            last_seq: project.last_seq(),
            version: project.version,
            cutoffs,
            fresh: project.fresh_view(),
            segments: project.segments.clone(),
            identity: project.identity.clone(),
            profiles: project.profiles.clone(),
            registry: project.registry.clone(),
            cache: self.cache.clone(),
        })
    }

    /// Whether it is time to flush: by rows, memory or age, or because others need the memory.
    pub fn flush_is_due(&self) -> bool {
        let state = self.state();
        self.note_fresh(&state);
        let (rows, bytes, options) = (state.fresh_rows(), state.fresh_bytes(), &self.options);
        let age = state.fresh_since.map_or(Duration::ZERO, |since| since.elapsed());
        let is_short = options.memory.was_short() && bytes >= FLUSH_WHEN_SHORT_BYTES;
        rows >= options.flush_rows
            || bytes >= options.flush_bytes
            || is_short
            || age >= Duration::from_millis(options.flush_age_ms)
    }

    pub fn metrics(&self) -> StoreMetrics {
        let log_bytes = self.log_bytes();
        let state = self.state();
        let mut metrics = StoreMetrics {
            fresh_rows: state.fresh_rows() as u64,
            fresh_bytes: state.fresh_bytes() as u64,
            log_bytes,
            log_position: state.position,
            flushed_position: state.flushed,
            log_stopped: u64::from(self.log_stopped.load(Ordering::Relaxed)),
            maintenance_stopped: u64::from(self.maintenance_stopped.load(Ordering::Relaxed)),
            maintenance_failures: self.maintenance_failures.load(Ordering::Relaxed),
            retention_overdue: self.overdue().len() as u64,
            ..StoreMetrics::default()
        };
        metrics.cache_bytes = self.cache.bytes() as u64;
        for project in state.projects.values() {
            metrics.entangled_persons += project.identity.entangled().len();
            metrics.profiles += project.profiles.len() as u64;
            for segment in project.segments.iter() {
                metrics.segments += 1;
                metrics.damaged_segments += u64::from(segment.is_damaged());
                metrics.segment_rows += segment.meta.rows;
                metrics.segment_bytes += segment.meta.bytes;
                metrics.deleted_rows += segment.deleted.len();
            }
        }
        metrics
    }

    fn log_bytes(&self) -> u64 {
        let directory = self.log_directory();
        let files = crate::log::files::list(&*self.options.disk, &directory).unwrap_or_default();
        let sizes = files
            .iter()
            .map(|first| std::fs::metadata(crate::log::file_path(&directory, *first)));
        sizes.filter_map(Result::ok).map(|metadata| metadata.len()).sum()
    }
}

pub(crate) fn log_directory(options: &StoreOptions) -> PathBuf {
    options.directory.join("log")
}

pub(crate) fn segment_directory(options: &StoreOptions) -> PathBuf {
    options.directory.join("segments")
}

pub(crate) fn catalog_file(options: &StoreOptions) -> PathBuf {
    options.directory.join("catalog.db")
}

//! Settings of a store and the figures it reports.

use crate::disk::{Disk, RealDisk};
use crate::memory::{Memory, available_bytes};
use model::EventTime;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where a store lies and when it flushes. [`StoreOptions::new`] gives the defaults.
#[derive(Clone)]
pub struct StoreOptions {
    pub directory: PathBuf,
    /// Shards a project's persons are spread over. Fixed when the store is created; ignored when it is opened.
    pub shards: u32,
    /// Fresh rows that start a flush.
    pub flush_rows: usize,
    /// Estimated memory of fresh rows that starts a flush.
    pub flush_bytes: usize,
    /// Age of the oldest fresh row that starts a flush.
    pub flush_age_ms: u64,
    /// Fresh rows above which appends are refused until a flush has caught up.
    pub fresh_rows_max: usize,
    /// Estimated memory of fresh rows above which appends are refused in the same way.
    pub fresh_bytes_max: usize,
    /// The memory of the process, which fresh rows, caches, flush and compaction share with everybody else.
    pub memory: Memory,
    /// Most memory for decoded columns that scans keep for each other.
    pub cache_bytes: usize,
    /// Rows per row group of a segment: the grain of bloom filters and of decoded columns. Tests make it small.
    pub row_group_rows: usize,
    /// Memory of an unfinished row group after which it is written, however few rows it has.
    pub row_group_bytes: usize,
    /// Size after which the log goes on in a new file.
    pub log_file_bytes: u64,
    /// Longest wait of the log for records to write together with those it has. Only if the group before had company.
    pub gather: Duration,
    /// Whether a background thread flushes and compacts. Tests turn it off and call the steps themselves.
    pub background: bool,
    pub disk: Arc<dyn Disk>,
    /// The wall clock, used for creation times only.
    pub clock: fn() -> EventTime,
}

impl StoreOptions {
    pub fn new(directory: impl Into<PathBuf>) -> StoreOptions {
        StoreOptions {
            directory: directory.into(),
            shards: 8,
            flush_rows: 500_000,
            flush_bytes: 256 << 20,
            flush_age_ms: 5 * 60 * 1000,
            fresh_rows_max: 4_000_000,
            fresh_bytes_max: 2 << 30,
            memory: Memory::unlimited(),
            cache_bytes: default_cache_bytes(),
            row_group_rows: 131_072,
            row_group_bytes: 256 << 20,
            log_file_bytes: 64 << 20,
            gather: Duration::from_millis(2),
            background: true,
            disk: Arc::new(RealDisk),
            clock: system_clock,
        }
    }

    /// Shares a limit with others: columns are kept as long as nobody needs the memory, and fresh rows go to disk early
    /// where there is little.
    pub fn within(self, memory: &Memory) -> StoreOptions {
        StoreOptions {
            flush_bytes: self.flush_bytes.min(memory.part(12, usize::MAX)),
            fresh_bytes_max: self.fresh_bytes_max.min(memory.part(4, usize::MAX)),
            cache_bytes: memory.part(1, self.cache_bytes),
            row_group_bytes: self.row_group_bytes.min(memory.part(12, usize::MAX)),
            memory: memory.clone(),
            ..self
        }
    }
}

/// An eighth of what there is, at most 4 GiB.
fn default_cache_bytes() -> usize {
    const SMALLEST: usize = 64 << 20;
    (available_bytes().unwrap_or(0) / 8).clamp(SMALLEST, 4 << 30)
}

fn system_clock() -> EventTime {
    EventTime(jiff::Timestamp::now().as_millisecond())
}

/// Figures of a running store, for `/metrics` and the status page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreMetrics {
    /// Rows in memory that no segment has yet.
    pub fresh_rows: u64,
    /// Estimated memory of those rows.
    pub fresh_bytes: u64,
    pub segments: u64,
    /// Segments known to be damaged: set aside, and named to whoever asks for their rows.
    pub damaged_segments: u64,
    /// Rows in segments, marked ones included.
    pub segment_rows: u64,
    pub segment_bytes: u64,
    /// Rows in segments that are marked as deleted and wait for compaction.
    pub deleted_rows: u64,
    /// Memory of decoded columns that scans keep for each other.
    pub cache_bytes: u64,
    /// Bytes of all log files.
    pub log_bytes: u64,
    /// Number of the last durable record.
    pub log_position: u64,
    /// Number of the last record that segments and catalog hold completely.
    pub flushed_position: u64,
    /// Persons whose rows lie under several numbers until compaction has moved them.
    pub entangled_persons: u64,
    /// Persons with an ordinary profile.
    pub profiles: u64,
    /// 1 after a failed fsync: appends are refused until the store is opened again.
    pub log_stopped: u64,
    /// 1 after a publication whose outcome is unknown: flush and compaction wait for a restart, appends go on.
    pub maintenance_stopped: u64,
    /// Background flushes and compactions that failed since the start.
    pub maintenance_failures: u64,
    /// Projects whose rows past retention could not be removed from the disk when that was last tried.
    pub retention_overdue: u64,
}

//! What the last verification of the files on disk found, for metrics, status and the app.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Kept by whoever verifies; everybody else reads it.
#[derive(Debug, Default)]
pub struct Integrity {
    /// Seconds since 1970; 0 before the first.
    finished_s: AtomicU64,
    bytes: AtomicU64,
    damaged_files: AtomicU64,
}

impl Integrity {
    /// Notes a verification that has just ended.
    pub fn finished(&self, bytes: u64, damaged_files: u64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.damaged_files.store(damaged_files, Ordering::Relaxed);
        self.finished_s.store(now.as_secs(), Ordering::Relaxed);
    }

    /// When the last one ended, in seconds since 1970; 0 if there was none since the start.
    pub fn finished_s(&self) -> u64 {
        self.finished_s.load(Ordering::Relaxed)
    }

    /// Bytes read by all of them.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Damage that the last one found.
    pub fn damaged_files(&self) -> u64 {
        self.damaged_files.load(Ordering::Relaxed)
    }
}

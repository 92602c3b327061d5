//! Work on what lies on disk: flush, compaction, and the thread that does both.
//!
//! Whoever changes the set of segments holds [`Core::maintenance`], so flush and compaction never meet. Appends and
//! scans go on meanwhile; they only ever wait for the moment in which a finished result is exchanged in memory.

pub(crate) mod compact;
pub(crate) mod flush;
mod merge;
mod period;
mod plan;
mod retire;
mod settle;
mod written;

use crate::core::Core;
use crate::error::StoreError;
use crate::memory::{Memory, resident_bytes};
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the thread looks for work.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long it leaves a failing disk alone.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Tells the maintenance thread to end.
#[derive(Default)]
pub(crate) struct Signal {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    pub fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits; returns whether to go on.
    fn pause(&self, time: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let (stopped, _) = self
            .changed
            .wait_timeout_while(stopped, time, |stopped| !*stopped)
            .unwrap_or_else(PoisonError::into_inner);
        !*stopped
    }
}

/// The maintenance thread. Compaction goes in steps, so that a flush never waits for more than one of them.
pub(crate) fn run(core: &Core, signal: &Signal) {
    let mut wait = INTERVAL;
    let clock = SteadyClock::new(core);
    let mut compacting = true;
    while signal.pause(wait) {
        build_blocks(core);
        clock.check(core);
        wait = match work(core, &mut compacting) {
            Ok(()) if compacting => Duration::ZERO,
            Ok(()) => INTERVAL,
            Err(StoreError::Closed) => break,
            Err(error) => {
                core.maintenance_failures.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(error = %error, "Flush or compaction failed; rows stay in the log");
                PAUSE_AFTER_FAILURE
            }
        };
    }
}

/// Compares what is held by everybody's account with what the process has, as long as the store is open.
pub(crate) fn observe_memory(memory: &Memory, signal: &Signal) {
    while signal.pause(INTERVAL) {
        if let Some(bytes) = resident_bytes() {
            memory.observe(bytes);
        }
    }
}

/// Flushes if it is time, and takes one step of compaction while there may be something to do.
fn work(core: &Core, compacting: &mut bool) -> Result<(), StoreError> {
    if core.flush_is_due() {
        flush::flush(core)?;
        *compacting = true;
    }
    *compacting |= core.compaction_waits.swap(false, Ordering::Relaxed);
    *compacting |= core.retention_is_due() && !core.clock_is_suspect.load(Ordering::Relaxed);
    if *compacting {
        *compacting = compact::step(core)? > 0;
    }
    Ok(())
}

/// Holds the wall clock against one that only goes forward. Retention removes for good what the wall clock calls old; a clock
/// that jumps by years must not.
struct SteadyClock {
    started: Instant,
    started_ms: i64,
}

impl SteadyClock {
    /// How far the two may drift apart.
    const DRIFT_MS: i64 = 24 * 60 * 60 * 1000;

    fn new(core: &Core) -> SteadyClock {
        SteadyClock {
            started: Instant::now(),
            started_ms: (core.options.clock)().0,
        }
    }

    fn check(&self, core: &Core) {
        let expected_ms = self.started_ms + self.started.elapsed().as_millis() as i64;
        let drift_ms = ((core.options.clock)().0 - expected_ms).abs();
        let suspect = drift_ms > SteadyClock::DRIFT_MS;
        if suspect != core.clock_is_suspect.swap(suspect, Ordering::Relaxed) && suspect {
            core.retention_overdue.store(1, Ordering::Relaxed);
            tracing::error!(
                drift_ms,
                "The clock jumped; nothing is removed by retention until it is back or the server restarts"
            );
        }
    }
}

/// Turns complete blocks into batches before a question has to.
fn build_blocks(core: &Core) {
    let unbuilt: Vec<_> = {
        let state = core.state();
        state
            .projects
            .values()
            .flat_map(|project| project.fresh.unbuilt())
            .collect()
    };
    for block in unbuilt {
        block.batches();
    }
}

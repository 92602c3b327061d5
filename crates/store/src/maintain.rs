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
use crate::damaged;
use crate::error::StoreError;
use crate::memory::{Memory, resident_bytes};
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

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

/// How much the thread steps back for those that somebody waits for, as `nice` does. It still gets a third of what one of
/// them gets: fresh rows must not come faster for long than they can be flushed.
const NICENESS: i32 = 5;

/// The maintenance thread. Compaction goes in steps, so that a flush never waits for more than one of them.
pub(crate) fn run(core: &Core, signal: &Signal) {
    // Linux keeps the niceness by thread, and without a process id means the calling one.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "Maintenance runs at the usual priority");
    }
    let mut wait = INTERVAL;
    let mut clock_was_suspect = false;
    let mut compacting = true;
    while signal.pause(wait) {
        build_blocks(core);
        compacting |= watch_clock(core, &mut clock_was_suspect);
        damaged::remember(core);
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
    *compacting |= core.retention_is_due() && !core.clock_is_suspect();
    if *compacting {
        *compacting = compact::step(core)? > 0;
    }
    Ok(())
}

/// Says so when the clock jumped. Returns whether it has, or is back: compaction then finds out what that keeps from being removed.
fn watch_clock(core: &Core, was_suspect: &mut bool) -> bool {
    let suspect = core.clock_is_suspect();
    let has_changed = suspect != std::mem::replace(was_suspect, suspect);
    if has_changed && suspect {
        tracing::error!("The clock jumped; nothing is removed by retention until it is back or the server restarts");
    }
    has_changed
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

//! Work on what lies on disk: flush, compaction, and the thread that does both.
//!
//! Whoever changes the set of segments holds [`Core::maintenance`], so flush and compaction never meet. Appends and
//! scans go on meanwhile; they only ever wait for the moment in which a finished result is exchanged in memory.

pub(crate) mod compact;
pub(crate) mod flush;
mod merge;
mod period;
mod plan;
mod settle;
mod written;

use crate::core::Core;
use crate::error::StoreError;
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

/// The maintenance thread. Compaction goes in steps, so that a flush never waits for more than one of them.
pub(crate) fn run(core: &Core, signal: &Signal) {
    let mut wait = INTERVAL;
    let mut compacting = true;
    while signal.pause(wait) {
        build_blocks(core);
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

/// Flushes if it is time, and takes one step of compaction while there may be something to do.
fn work(core: &Core, compacting: &mut bool) -> Result<(), StoreError> {
    if core.flush_is_due() {
        flush::flush(core)?;
        *compacting = true;
    }
    if *compacting {
        *compacting = compact::step(core)? > 0;
    }
    Ok(())
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

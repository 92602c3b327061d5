//! Counts of what was taken in, turned away and taken out. Never a value, and of names only those fit to be stored.

use crate::firewall::Tally;
use model::ProjectId;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Most (project, property, reason) rows; what comes later is counted under [`OVERFLOW`].
const REMOVED_ROWS_MAX: usize = 10_000;
/// Longest property path in the counts, in Unicode scalars.
const PATH_SCALARS_MAX: usize = 200;
/// Stands for all property paths beyond the bound.
pub const OVERFLOW: &str = "(others)";

/// A consistent copy of the counts since start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectMetrics {
    pub requests: u64,
    /// Events that are durable in the log.
    pub events: u64,
    /// Profile operations that are durable in vault and log.
    pub updates: u64,
    /// Items accepted and not stored, on purpose: `unknown_token`, `opted_out`, `ignored`, `nobody`,
    /// `replayed`.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Items and requests that were turned away, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Identities that were not used, by reason.
    pub identities: BTreeMap<&'static str, u64>,
    /// What the firewall took out, by project, property path and detector or rule.
    pub removed: BTreeMap<(ProjectId, String, &'static str), u64>,
    /// Identities whose number was known here, and those the vault was asked for.
    pub cache_hits: u64,
    pub cache_misses: u64,
}

/// The counts of a running collector.
#[derive(Default)]
pub struct Counters {
    state: Mutex<CollectMetrics>,
}

impl Counters {
    pub fn snapshot(&self) -> CollectMetrics {
        self.lock().clone()
    }

    /// Several counts at once, so that a reader never sees half of a request.
    pub fn add(&self, change: impl FnOnce(&mut CollectMetrics)) {
        change(&mut self.lock());
    }

    pub fn refused(&self, reason: &'static str) {
        self.add(|metrics| *metrics.refused.entry(reason).or_default() += 1);
    }

    pub fn removed(&self, project: ProjectId, tally: Tally) {
        let mut metrics = self.lock();
        for (mut path, reason, count) in tally.into_counts() {
            if let Some((end, _)) = path.char_indices().nth(PATH_SCALARS_MAX) {
                path.truncate(end);
            }
            let full = metrics.removed.len() >= REMOVED_ROWS_MAX;
            let key = (project, path, reason);
            let key = if full && !metrics.removed.contains_key(&key) {
                (project, OVERFLOW.to_owned(), reason)
            } else {
                key
            };
            *metrics.removed.entry(key).or_default() += count;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, CollectMetrics> {
        self.state.lock().expect("no holder panics")
    }
}

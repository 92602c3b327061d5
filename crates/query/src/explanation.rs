//! What an answer says of itself: its question in words, how fresh it is, what it took.
//!
//! An explanation leaves with every answer, also with one that shows nobody, and the ledger knows nothing of it. So it
//! must not tell of persons what the numbers beside it do not: how many rows a rare event, a minute or one person has.
//! [`Explanation::new`] is where that is kept, for every way on which answers leave.

use crate::scan::ScanCounters;
use ledger::Class;
use serde::Serialize;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Rows that were read are told in whole steps, rounded up.
pub const ROWS_READ_STEP: u64 = 10_000;
/// Bytes that were read are told in whole steps, rounded up.
pub const BYTES_READ_STEP: u64 = 1_000_000;

/// What a number means, how fresh it is and what it took.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    /// The question in words.
    pub definition: String,
    /// Sequence number of the last event that the answer can include. It depends on no question.
    pub watermark: u64,
    /// Rows that were read, rounded up to the next 10,000 and at least that: the exact figure would tell how many events
    /// a few persons have, who need not be in the answer.
    pub rows_read: u64,
    /// Bytes that were read, rounded up to the next 1,000,000 and at least that.
    pub bytes_read: u64,
    /// Whole milliseconds, rounded up: about what the asker's own clock says.
    pub took_ms: f64,
    /// SHA-256 of the question's canonical JSON, in hexadecimal.
    pub digest: String,
    pub class: Class,
    /// The answer was kept from when the same was asked before. Nothing that it depends on has changed since.
    pub from_cache: bool,
    /// Somebody asked the same at the same time, and it was computed once for both.
    pub shared: bool,
    /// How long the question could have run.
    pub time_limit_ms: u64,
}

/// What is known of a question that was answered.
pub(crate) struct Answering<'a> {
    pub definition: String,
    pub watermark: u64,
    pub counters: &'a ScanCounters,
    pub started: Instant,
    pub digest: [u8; 32],
    pub class: Class,
    pub time_limit: Duration,
}

impl Explanation {
    /// Whatever the class: the persons that a closer answer is recorded to be about are not all whose rows were read.
    pub(crate) fn new(answering: Answering<'_>) -> Explanation {
        let mut explanation = Explanation {
            definition: answering.definition,
            watermark: answering.watermark,
            rows_read: whole_steps(answering.counters.rows.load(Ordering::Relaxed), ROWS_READ_STEP),
            bytes_read: whole_steps(answering.counters.bytes.load(Ordering::Relaxed), BYTES_READ_STEP),
            took_ms: 0.0,
            digest: answering.digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            class: answering.class,
            from_cache: false,
            shared: false,
            time_limit_ms: answering.time_limit.as_millis() as u64,
        };
        explanation.took(answering.started);
        explanation
    }

    /// Sets how long an answer took that was asked for at `started`.
    pub(crate) fn took(&mut self, started: Instant) {
        self.took_ms = (started.elapsed().as_secs_f64() * 1000.0).ceil();
    }
}

/// Nothing is a step too: whether there is anything at all is what must not be seen.
fn whole_steps(count: u64, step: u64) -> u64 {
    count.max(1).div_ceil(step).saturating_mul(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_in_whole_steps() {
        for (count, told) in [(0, 10), (1, 10), (10, 10), (11, 20), (u64::MAX, u64::MAX)] {
            assert_eq!(whole_steps(count, 10), told, "{count}");
        }
    }
}

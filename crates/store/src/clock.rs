//! The wall clock, held against one that only goes forward.

use std::time::Instant;

/// How far the two may drift apart.
const DRIFT_MS: i64 = 24 * 60 * 60 * 1000;

/// Retention removes for good what the wall clock calls old; a clock that jumps by years must not.
pub(crate) struct SteadyClock {
    started: Instant,
    started_ms: i64,
}

impl SteadyClock {
    pub fn start(now_ms: i64) -> SteadyClock {
        SteadyClock {
            started: Instant::now(),
            started_ms: now_ms,
        }
    }

    /// Whether the wall clock went another way than time does.
    pub fn contradicts(&self, now_ms: i64) -> bool {
        let expected_ms = self.started_ms + self.started.elapsed().as_millis() as i64;
        now_ms.abs_diff(expected_ms) > DRIFT_MS.unsigned_abs()
    }
}

//! Reading no faster than it was asked for, so that what runs beside it keeps its disk.

use std::time::{Duration, Instant};

/// Lets so many bytes a second pass, on average since the start.
pub struct Pace {
    bytes_per_second: u64,
    started: Instant,
    bytes: u64,
}

impl Pace {
    /// `mib_per_second` of 0 is no limit.
    pub fn new(mib_per_second: u64) -> Pace {
        Pace {
            bytes_per_second: mib_per_second << 20,
            started: Instant::now(),
            bytes: 0,
        }
    }

    /// Waits until the bytes that were read so far may have been read.
    pub fn read(&mut self, bytes: u64) {
        self.bytes += bytes;
        if self.bytes_per_second > 0 {
            let due = Duration::from_secs_f64(self.bytes as f64 / self.bytes_per_second as f64);
            std::thread::sleep(due.saturating_sub(self.started.elapsed()));
        }
    }
}

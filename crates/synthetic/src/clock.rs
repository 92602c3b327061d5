//! The window of time that is generated, and the rhythm of days and weeks in it.

use fastrand::Rng;

pub(crate) const SECOND_MS: i64 = 1_000;
pub(crate) const MINUTE_MS: i64 = 60 * SECOND_MS;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
/// Of a moment that does not come.
pub(crate) const NEVER: i64 = i64::MAX;

/// The generated window: from `start_ms`, included, to `end_ms`, excluded.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub start_ms: i64,
    pub end_ms: i64,
}

impl Window {
    pub fn length_ms(self) -> i64 {
        self.end_ms - self.start_ms
    }

    pub fn contains(self, time_ms: i64) -> bool {
        (self.start_ms..self.end_ms).contains(&time_ms)
    }
}

/// A calendar day on the clock of somebody: days since 1970-01-01 there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LocalDay(pub i64);

impl LocalDay {
    pub fn of(time_ms: i64, offset_ms: i64) -> LocalDay {
        LocalDay((time_ms + offset_ms).div_euclid(DAY_MS))
    }

    /// First instant of the day in UTC.
    pub fn start_ms(self, offset_ms: i64) -> i64 {
        self.0 * DAY_MS - offset_ms
    }

    /// 0 is Monday.
    pub fn weekday(self) -> usize {
        (self.0 + 3).rem_euclid(7) as usize
    }

    pub fn is_weekend(self) -> bool {
        self.weekday() >= 5
    }

    /// A moment of the day when people of this trade are awake, in UTC.
    pub fn moment_ms(self, offset_ms: i64, rng: &mut Rng) -> i64 {
        let hours = if self.is_weekend() {
            &WEEKEND_HOURS
        } else {
            &WORKDAY_HOURS
        };
        let hour = i64::from(hours[usize::from(rng.u8(..128))]);
        self.start_ms(offset_ms) + hour * HOUR_MS + rng.i64(0..HOUR_MS)
    }
}

/// Work done on each day of the week, Tuesday being the busiest.
pub(crate) const WEEK: [f64; 7] = [1.02, 1.12, 1.08, 1.03, 0.86, 0.34, 0.30];

static WORKDAY_HOURS: [u8; 128] = spread([
    1, 1, 1, 1, 1, 1, 2, 4, 7, 10, 12, 11, 8, 9, 11, 11, 9, 7, 5, 4, 4, 4, 2, 2,
]);
static WEEKEND_HOURS: [u8; 128] = spread([3, 2, 1, 1, 1, 1, 1, 2, 4, 6, 8, 9, 8, 8, 8, 9, 9, 8, 7, 7, 8, 8, 5, 4]);

/// A table in which each hour stands as often as its weight says; the weights add up to 128.
const fn spread(weights: [u8; 24]) -> [u8; 128] {
    let mut table = [0; 128];
    let mut filled = 0;
    let mut hour = 0;
    while hour < 24 {
        let mut times = 0;
        while times < weights[hour] {
            table[filled] = hour as u8;
            filled += 1;
            times += 1;
        }
        hour += 1;
    }
    assert!(filled == 128);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekdays_follow_the_calendar() {
        // 2026-11-22 is a Sunday.
        let sunday = LocalDay::of(1_795_305_600_000, 0);
        assert_eq!(sunday.weekday(), 6);
        assert!(sunday.is_weekend());
        assert_eq!(LocalDay(sunday.0 + 1).weekday(), 0);
    }

    #[test]
    fn a_day_starts_earlier_in_the_east() {
        let day = LocalDay::of(0, 9 * HOUR_MS);
        assert_eq!(day.start_ms(9 * HOUR_MS), -9 * HOUR_MS);
    }
}

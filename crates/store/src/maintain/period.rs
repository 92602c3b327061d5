//! The time partitions of segments: UTC days, or UTC months.

use hashbrown::HashSet;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Rows of the last days always get partitions by day: that is where events keep arriving.
pub(super) const RECENT_DAYS: i64 = 2;

/// Older days that one flush may still give partitions of their own.
const OLD_DAYS_MAX: usize = 3;

/// Decides which partition a row goes to.
pub(crate) struct Periods {
    /// First instant that is partitioned by day whatever happens.
    recent_ms: i64,
    old_by_month: bool,
}

impl Periods {
    /// `now_ms` is when the latest record was received; `days` are the days of the rows to be written.
    pub fn plan(now_ms: i64, days: &HashSet<i64>) -> Periods {
        let recent_day = now_ms.div_euclid(DAY_MS) - RECENT_DAYS;
        let old = days.iter().filter(|day| **day < recent_day).count();
        Periods {
            recent_ms: recent_day * DAY_MS,
            old_by_month: old > OLD_DAYS_MAX,
        }
    }

    /// The partition of a day.
    pub fn of_day(&self, day: i64) -> String {
        let by_month = self.old_by_month && day * DAY_MS < self.recent_ms;
        name(day, by_month)
    }
}

/// `2026-11-22` or `2026-11`. Times that no calendar reaches share one partition at either end.
pub(crate) fn name(day: i64, by_month: bool) -> String {
    let Ok(timestamp) = Timestamp::from_millisecond(day.saturating_mul(DAY_MS)) else {
        return if day < 0 { "past".into() } else { "future".into() };
    };
    let date = timestamp.to_zoned(TimeZone::UTC).date();
    let format = if by_month { "%Y-%m" } else { "%Y-%m-%d" };
    date.strftime(format).to_string()
}

/// The month that a day's partition belongs to, and the first instant behind that month. `None` for other names.
pub(crate) fn month_of_day_partition(period: &str) -> Option<(String, i64)> {
    let date: Date = period.parse().ok()?;
    let next = date.first_of_month().checked_add(1.month()).ok()?;
    let end = next.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some((date.strftime("%Y-%m").to_string(), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_go_to_months_and_live_rows_to_days() {
        let now = 20_000 * DAY_MS + 5;
        let import: HashSet<i64> = (19_900..=20_000).collect();
        let periods = Periods::plan(now, &import);
        assert_eq!(periods.of_day(19_900), "2024-06");
        assert_eq!(periods.of_day(19_997), "2024-10");
        assert_eq!(periods.of_day(19_998), "2024-10-02");
        assert_eq!(periods.of_day(20_000), "2024-10-04");
        let live: HashSet<i64> = [19_990, 19_999, 20_000].into_iter().collect();
        assert_eq!(Periods::plan(now, &live).of_day(19_990), "2024-09-24");
    }

    #[test]
    fn days_belong_to_months() {
        assert_eq!(
            month_of_day_partition("2024-02-29"),
            Some(("2024-02".into(), 1_709_251_200_000))
        );
        assert_eq!(month_of_day_partition("2024-02"), None);
        assert_eq!(month_of_day_partition("past"), None);
        assert_eq!(name(i64::MAX / DAY_MS, true), "future");
    }
}

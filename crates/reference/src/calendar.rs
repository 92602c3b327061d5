//! Days, buckets and their names.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use model::report::{InvalidReport, Unit};

/// A bucket begins at `start_ms` and ends where the next begins.
pub(crate) struct Bucket {
    pub name: String,
    pub start_ms: i64,
}

/// First instant of a day. A day that the zone skipped begins where the next one does.
pub(crate) fn day_start(date: Date, zone: &TimeZone) -> Result<i64, InvalidReport> {
    let midnight = date.to_zoned(zone.clone()).and_then(|zoned| zoned.start_of_day());
    midnight
        .map(|zoned| zoned.timestamp().as_millisecond())
        .map_err(|_| outside())
}

/// First instant of the day after.
pub(crate) fn day_end(date: Date, zone: &TimeZone) -> Result<i64, InvalidReport> {
    day_start(date.tomorrow().map_err(|_| outside())?, zone)
}

/// All buckets that hold a part of the days `from` … `to`. The first may begin before `from`.
pub(crate) fn buckets(from: Date, to: Date, unit: Unit, zone: &TimeZone) -> Result<Vec<Bucket>, InvalidReport> {
    if matches!(unit, Unit::Minute | Unit::Hour) {
        return clock_buckets(from, to, unit, zone);
    }
    let mut buckets = Vec::new();
    let mut date = from;
    loop {
        // Walk back to the first day of the bucket, forward to the first day of the next.
        while !begins_bucket(date, unit) {
            date = date.yesterday().map_err(|_| outside())?;
        }
        buckets.push(Bucket {
            name: date.to_string(),
            start_ms: day_start(date, zone)?,
        });
        date = date.tomorrow().map_err(|_| outside())?;
        while !begins_bucket(date, unit) {
            date = date.tomorrow().map_err(|_| outside())?;
        }
        if date > to {
            return Ok(buckets);
        }
    }
}

/// Whether a bucket begins with this day.
pub(crate) fn begins_bucket(date: Date, unit: Unit) -> bool {
    match unit {
        Unit::Week => date.weekday() == Weekday::Monday,
        Unit::Month => date.day() == 1,
        Unit::Quarter => date.day() == 1 && matches!(date.month(), 1 | 4 | 7 | 10),
        Unit::Minute | Unit::Hour | Unit::Day => true,
    }
}

/// Walks the clock minute by minute; a bucket begins wherever it shows another hour (minute) than before.
fn clock_buckets(from: Date, to: Date, unit: Unit, zone: &TimeZone) -> Result<Vec<Bucket>, InvalidReport> {
    let mut buckets: Vec<Bucket> = Vec::new();
    let mut before = None;
    let mut at = Timestamp::from_millisecond(day_start(from, zone)?).map_err(|_| outside())?;
    let end = Timestamp::from_millisecond(day_end(to, zone)?).map_err(|_| outside())?;
    while at < end {
        let shown = zone.to_datetime(at);
        let minute = if unit == Unit::Hour { 0 } else { shown.minute() };
        let clock = Some((shown.date(), shown.hour(), minute));
        if clock != before {
            buckets.push(Bucket {
                name: format!("{} {:02}:{minute:02}:00", shown.date(), shown.hour()),
                start_ms: at.as_millisecond(),
            });
            before = clock;
        }
        at = at.checked_add(1.minute()).map_err(|_| outside())?;
    }
    Ok(buckets)
}

/// The bucket that holds an instant, given that it is not later than the last bucket.
pub(crate) fn bucket_of(buckets: &[Bucket], time_ms: i64) -> usize {
    buckets
        .iter()
        .rposition(|bucket| bucket.start_ms <= time_ms)
        .unwrap_or_default()
}

pub(crate) fn names(buckets: &[Bucket]) -> Vec<String> {
    buckets.iter().map(|bucket| bucket.name.clone()).collect()
}

fn outside() -> InvalidReport {
    InvalidReport {
        at: "/range",
        message: "the range leaves the calendar".into(),
    }
}

//! The time that each number of a metric is measured over.

use crate::Asked;
use crate::calendar::{Bucket, buckets, day_end, day_start};
use jiff::tz::TimeZone;
use jiff::{ToSpan, civil::Date};
use model::report::{DateRange, Insights, InvalidReport, Measure, Unit};

/// From, and to before.
#[derive(Clone)]
pub(super) struct Span {
    from_ms: i64,
    to_ms: i64,
}

impl Span {
    pub fn holds(&self, time_ms: i64) -> bool {
        self.from_ms <= time_ms && time_ms < self.to_ms
    }
}

/// The spans of one metric.
pub(super) struct Spans {
    pub of_buckets: Vec<Span>,
    /// Of its total.
    pub whole: Span,
}

impl Spans {
    /// Whether one of the metric's numbers is measured over this instant.
    pub fn hold(&self, time_ms: i64) -> bool {
        self.whole.holds(time_ms) || self.of_buckets.iter().any(|span| span.holds(time_ms))
    }

    /// The earliest instant that the metric reads.
    pub fn begin_ms(&self) -> i64 {
        let spans = self.of_buckets.iter().chain([&self.whole]);
        spans.map(|span| span.from_ms).min().unwrap_or(self.whole.from_ms)
    }

    /// Of a bucket, or of the total where there is no such bucket.
    pub fn at(&self, bucket: usize) -> &Span {
        self.of_buckets.get(bucket).unwrap_or(&self.whole)
    }
}

/// The spans of every metric over a range.
pub(super) fn spans(insights: &Insights, range: DateRange, zone: &TimeZone) -> Result<Vec<Spans>, InvalidReport> {
    let shown = buckets(range.from, range.to, insights.unit, zone)?;
    // Enough buckets before, to count back in.
    let days_back = insights
        .metrics
        .iter()
        .map(|metric| days_back(insights, &metric.measure));
    let earlier_from = days_before(range.from, days_back.max().unwrap_or(0))?;
    let all = buckets(earlier_from, range.to, insights.unit, zone)?;
    let metrics = insights.metrics.iter();
    metrics
        .map(|metric| spans_of(insights, &metric.measure, range, zone, &shown, &all))
        .collect()
}

fn spans_of(
    insights: &Insights,
    measure: &Measure,
    range: DateRange,
    zone: &TimeZone,
    shown: &[Bucket],
    all: &[Bucket],
) -> Result<Spans, InvalidReport> {
    let mut whole = Span {
        from_ms: day_start(range.from, zone)?,
        to_ms: day_end(range.to, zone)?,
    };
    let before = all.len() - shown.len();
    let mut of_buckets = Vec::new();
    for (index, bucket) in shown.iter().enumerate() {
        let next_ms = shown.get(index + 1).map_or(whole.to_ms, |next| next.start_ms);
        let to_ms = next_ms.min(whole.to_ms);
        let from_ms = match (measure, insights.rolling, insights.cumulative) {
            (Measure::Active { days }, ..) => active_from(*days, bucket, next_ms, to_ms, all, insights.unit, zone)?,
            (_, Some(rolling), _) => all[before + index + 1 - rolling as usize].start_ms,
            (_, None, true) => whole.from_ms,
            (_, None, false) => bucket.start_ms.max(whole.from_ms),
        };
        of_buckets.push(Span { from_ms, to_ms });
    }
    if let (Measure::Active { .. }, Some(last)) = (measure, of_buckets.last()) {
        whole = last.clone();
    }
    Ok(Spans { of_buckets, whole })
}

/// Where the days of activity that end with a bucket begin.
fn active_from(
    days: u16,
    bucket: &Bucket,
    next_ms: i64,
    to_ms: i64,
    all: &[Bucket],
    unit: Unit,
    zone: &TimeZone,
) -> Result<i64, InvalidReport> {
    if unit == Unit::Hour {
        let earliest_ms = next_ms - i64::from(days) * 24 * 3_600_000;
        let first = all.iter().find(|bucket| bucket.start_ms >= earliest_ms);
        return Ok(first.map_or(bucket.start_ms, |first| first.start_ms));
    }
    // The day of the bucket's last instant in the range.
    let last = jiff::Timestamp::from_millisecond(to_ms - 1).map_err(|_| outside())?;
    let last_day = last.to_zoned(zone.clone()).date();
    day_start(days_before(last_day, i64::from(days) - 1)?, zone)
}

/// Surely enough days for the buckets before the range that a window can reach.
fn days_back(insights: &Insights, measure: &Measure) -> i64 {
    if let Measure::Active { days } = measure {
        return i64::from(*days) + 3;
    }
    let Some(rolling) = insights.rolling else { return 0 };
    let rolling = i64::from(rolling);
    match insights.unit {
        Unit::Minute => rolling / 1_300 + 2,
        Unit::Hour => rolling / 22 + 2,
        Unit::Day => rolling,
        Unit::Week => rolling * 7,
        Unit::Month => rolling * 31,
        Unit::Quarter => rolling * 92,
    }
}

fn days_before(date: Date, days: i64) -> Result<Date, InvalidReport> {
    date.checked_sub(days.days()).map_err(|_| outside())
}

/// Whether the range cuts each bucket, or it is not over.
pub(super) fn partial(
    shown: &[Bucket],
    unit: Unit,
    range: DateRange,
    asked: &Asked<'_>,
) -> Result<Vec<bool>, InvalidReport> {
    let (from_ms, to_ms) = (day_start(range.from, asked.zone)?, day_end(range.to, asked.zone)?);
    // The bucket behind the last says where the last one ends.
    let end_ms = match unit {
        Unit::Minute | Unit::Hour => to_ms,
        _ => {
            let later = range.to.checked_add(100.days()).map_err(|_| outside())?;
            let longer = buckets(range.from, later, unit, asked.zone)?;
            longer.get(shown.len()).map_or(to_ms, |next| next.start_ms)
        }
    };
    let mut partial = Vec::new();
    for (index, bucket) in shown.iter().enumerate() {
        let end_ms = shown.get(index + 1).map_or(end_ms, |next| next.start_ms);
        partial.push(bucket.start_ms < from_ms || end_ms > to_ms || end_ms > asked.now.0);
    }
    Ok(partial)
}

fn outside() -> InvalidReport {
    InvalidReport {
        at: "/range",
        message: "the range leaves the calendar".into(),
    }
}

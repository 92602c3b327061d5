//! Which buckets insights show, and which slots of time each of their numbers is measured over.
//!
//! Rows are counted in *slots*, the finest pieces of time that the question tells apart: its buckets, or single days where
//! windows are longer than buckets. Every number is then put together from the slots of its window.

use crate::calendar::{Buckets, bucket_before, days_after, next_start, range_ms};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::EventTime;
use model::report::{DateRange, Insights, InvalidReport, Measure, Unit};
use std::ops::Range;
use std::sync::Arc;

const DAY_MS: i64 = 86_400_000;
/// Fewest hours of a day with a change of the clock.
const HOURS_MIN: u32 = 23;

/// The time of one insights question.
pub(crate) struct Timeline {
    /// Those that the answer shows.
    pub buckets: Buckets,
    pub slots: Arc<Buckets>,
    /// By metric.
    pub windows: Vec<Windows>,
    /// From, and to before: everything that some metric reads.
    pub read_ms: (i64, i64),
    range_ms: (i64, i64),
}

/// The slots of each number of a metric. Neither beginnings nor ends ever go back from one bucket to the next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Windows {
    pub of_buckets: Vec<Range<usize>>,
    pub whole: Range<usize>,
}

impl Windows {
    /// The first slot that the metric reads.
    pub fn first(&self) -> usize {
        let of_bucket = self.of_buckets.first().map_or(self.whole.start, |window| window.start);
        of_bucket.min(self.whole.start)
    }
}

impl Timeline {
    pub fn new(insights: &Insights, range: DateRange, zone: &TimeZone) -> Result<Timeline, InvalidReport> {
        let range_ms = range_ms(range, zone)?;
        let buckets = Buckets::new(range, insights.unit, zone)?;
        let active_days = insights.metrics.iter().filter_map(|metric| match metric.measure {
            Measure::Active { days } => Some(i64::from(days)),
            _ => None,
        });
        let asked = Asked {
            insights,
            range,
            zone,
            from_ms: range_ms.0,
            active_days: active_days.max(),
        };
        let (slots, windows) = match insights.unit {
            Unit::Minute | Unit::Hour => asked.by_clock(&buckets)?,
            _ if asked.has_windows() => asked.by_day(&buckets)?,
            _ => asked.by_bucket(&buckets),
        };
        // A first bucket that the range cuts is read from the cut on; a window from where its first bucket begins.
        let first = windows.iter().map(Windows::first).min();
        let read_from_ms = match first {
            Some(first) if slots.len() > first && asked.has_windows() => slots.start_ms(first),
            _ => range_ms.0,
        };
        Ok(Timeline {
            read_ms: (read_from_ms, range_ms.1),
            buckets,
            slots: Arc::new(slots),
            windows,
            range_ms,
        })
    }

    /// Whether the range cuts each bucket, or it is not over.
    pub fn partial(&self, now: EventTime) -> Vec<bool> {
        let (from_ms, to_ms) = self.range_ms;
        let is_partial = |bucket: usize| {
            let end_ms = self.buckets.end_ms(bucket);
            self.buckets.start_ms(bucket) < from_ms || end_ms > to_ms || end_ms > now.0
        };
        (0..self.buckets.len()).map(is_partial).collect()
    }
}

struct Asked<'a> {
    insights: &'a Insights,
    range: DateRange,
    zone: &'a TimeZone,
    from_ms: i64,
    /// Of the metric with the longest window.
    active_days: Option<i64>,
}

impl Asked<'_> {
    /// Whether something is read before the range.
    fn has_windows(&self) -> bool {
        self.insights.rolling.is_some() || self.active_days.is_some()
    }

    /// Windows of every metric, given those of ordinary ones and how those of active persons are made.
    fn windows(&self, ordinary: &Windows, active: impl Fn(i64) -> Vec<Range<usize>>) -> Vec<Windows> {
        let of_measure = |measure: &Measure| match measure {
            Measure::Active { days } => {
                let of_buckets = active(i64::from(*days));
                Windows {
                    whole: of_buckets.last().cloned().unwrap_or(0..0),
                    of_buckets,
                }
            }
            _ => ordinary.clone(),
        };
        let metrics = self.insights.metrics.iter();
        metrics.map(|metric| of_measure(&metric.measure)).collect()
    }

    /// Slots are the buckets.
    fn by_bucket(&self, buckets: &Buckets) -> (Buckets, Vec<Windows>) {
        let begin = |bucket: usize| if self.insights.cumulative { 0 } else { bucket };
        let ordinary = Windows {
            of_buckets: (0..buckets.len()).map(|bucket| begin(bucket)..bucket + 1).collect(),
            whole: 0..buckets.len(),
        };
        (buckets.clone(), self.windows(&ordinary, |_| Vec::new()))
    }

    /// Slots are days, from the first that a window reaches.
    fn by_day(&self, buckets: &Buckets) -> Result<(Buckets, Vec<Windows>), InvalidReport> {
        let DateRange { from, to } = self.range;
        let unit = self.insights.unit;
        let before = self.insights.rolling.map_or(0, |rolling| rolling - 1);
        let first_bucket = bucket_before(from, unit, before)?;
        let rolling_from = if before > 0 { first_bucket } else { from };
        let active_from = days_after(from, 1 - self.active_days.unwrap_or(1))?;
        let first_day = rolling_from.min(active_from);
        let slots = Buckets::new(DateRange { from: first_day, to }, Unit::Day, self.zone)?;
        let slot = |date: Date| (date.max(first_day) - first_day).get_days() as usize;

        // First days of all buckets, and of the one behind the last.
        let mut starts = vec![first_bucket];
        for _ in 0..before as usize + buckets.len() {
            starts.push(next_start(*starts.last().unwrap_or(&from), unit)?);
        }
        let ends: Vec<usize> = starts[before as usize + 1..]
            .iter()
            .map(|start| slot(*start).min(slots.len()))
            .collect();
        let begin = |bucket: usize| match (self.insights.cumulative, before) {
            (false, 1..) => slot(starts[bucket]),
            (false, 0) => slot(starts[bucket].max(from)),
            (true, _) => slot(from),
        };
        let ordinary = Windows {
            of_buckets: ends.iter().enumerate().map(|(b, end)| begin(b)..*end).collect(),
            whole: slot(from)..slots.len(),
        };
        let active = |days: i64| ends.iter().map(|end| end.saturating_sub(days as usize)..*end).collect();
        let windows = self.windows(&ordinary, active);
        Ok((slots, windows))
    }

    /// Slots are hours or minutes, which are buckets too.
    fn by_clock(&self, buckets: &Buckets) -> Result<(Buckets, Vec<Windows>), InvalidReport> {
        let before = self.insights.rolling.map_or(0, |rolling| rolling - 1);
        let per_day_min = match self.insights.unit {
            Unit::Hour => HOURS_MIN,
            _ => HOURS_MIN * 60,
        };
        // One day more than needed, for a zone that skipped one.
        let rolling_days = match before {
            0 => 0,
            _ => i64::from(before / per_day_min) + 2,
        };
        let active_days = self.active_days.map_or(0, |days| days + 2);
        let first_day = days_after(self.range.from, -rolling_days.max(active_days))?;
        let with_before = DateRange {
            from: first_day,
            to: self.range.to,
        };
        let slots = Buckets::new(with_before, self.insights.unit, self.zone)?;
        let first = slots.first_from(self.from_ms);
        let begin = |bucket: usize| match self.insights.cumulative {
            true => first,
            false => first + bucket - before as usize,
        };
        let ordinary = Windows {
            of_buckets: (0..buckets.len())
                .map(|bucket| begin(bucket)..first + bucket + 1)
                .collect(),
            whole: first..slots.len(),
        };
        let active = |days: i64| {
            let ends = first + 1..first + 1 + buckets.len();
            ends.map(|end| slots.first_from(slots.end_ms(end - 1) - days * DAY_MS)..end)
                .collect()
        };
        let windows = self.windows(&ordinary, active);
        Ok((slots, windows))
    }
}

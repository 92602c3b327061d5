//! Plan parts of retention.

use super::{Parts, RowsBuilder, Source, wanted_bucket};
use crate::QueryError;
use crate::calendar::{Buckets, days_after, range_ms};
use crate::operators::cells::Wanted;
use crate::operators::retention::{BORN, IntervalRule, RetentionOperator};
use model::report::{Cohorts, DateRange, Intervals, Retention, RetentionCell, RetentionSide, Unit};
use std::sync::Arc;

/// Length of a rolling interval.
pub(crate) fn unit_ms(unit: Unit) -> i64 {
    let days = match unit {
        Unit::Week => 7,
        Unit::Month => 30,
        _ => 1,
    };
    days * 86_400_000
}

/// Units that the intervals are made of.
fn units(retention: &Retention) -> i64 {
    match retention.brackets.as_slice() {
        [] => i64::from(retention.intervals) + 1,
        brackets => brackets.iter().map(|units| i64::from(*units)).sum(),
    }
}

/// Units before the end of an interval.
pub(crate) fn units_until_end(retention: &Retention, interval: usize) -> usize {
    match retention.brackets.as_slice() {
        [] => interval + 1,
        brackets => brackets[..=interval].iter().map(|units| *units as usize).sum(),
    }
}

/// A day after which no return can fall into the last interval, counted from the range's last day.
fn days_of_returns(retention: &Retention) -> i64 {
    let unit_days_max = match retention.unit {
        Unit::Week => 7,
        Unit::Month => 31,
        _ => 1,
    };
    (units(retention) + 1) * unit_days_max
}

pub(super) fn wanted(cell: &RetentionCell) -> Wanted {
    Wanted {
        series: cell.interval.map_or(BORN, |interval| interval + 1),
        bucket: wanted_bucket(cell.bucket),
        segment: cell.segment.clone(),
    }
}

pub(super) fn parts(
    source: &Source,
    retention: &Retention,
    range: DateRange,
    wanted: Option<Wanted>,
    side: RetentionSide,
) -> Result<Parts, QueryError> {
    let (born_from_ms, born_before_ms) = range_ms(range, &source.zone.rules)?;
    let with_returns = DateRange {
        from: range.from,
        to: days_after(range.to, days_of_returns(retention))?,
    };
    let (_, returns_end_ms) = range_ms(with_returns, &source.zone.rules)?;
    let from_ms = match retention.cohorts {
        Cohorts::FirstEver => i64::MIN,
        Cohorts::Birth | Cohorts::Recurring => born_from_ms,
    };
    let to_ms = if retention.on_or_after {
        i64::MAX
    } else {
        returns_end_ms
    };
    let buckets = Arc::new(Buckets::new(with_returns, retention.unit, &source.zone.rules)?);

    let events = vec![retention.born.event.clone(), retention.returning.event.clone()];
    // Which of two births of one instant was received first shows in its breakdown only.
    let mut rows = RowsBuilder::new(from_ms, to_ms, events, retention.breakdown.is_some());
    rows.filter(source, 0, retention.born.filter.as_ref())?;
    rows.filter(source, 1, retention.returning.filter.as_ref())?;
    if let Some(breakdown) = &retention.breakdown {
        rows.breakdown(source, 0, breakdown)?;
    }
    let operator = RetentionOperator {
        born: retention.born.event.clone(),
        returning: retention.returning.event.clone(),
        born_from_ms,
        born_before_ms,
        buckets: buckets.clone(),
        rule: match retention.rule {
            Intervals::Rolling => IntervalRule::Rolling {
                unit_ms: unit_ms(retention.unit),
            },
            Intervals::Calendar => IntervalRule::Calendar,
        },
        intervals: retention.intervals,
        brackets: retention.brackets.clone(),
        cohorts: retention.cohorts,
        on_or_after: retention.on_or_after,
        breakdown: retention.breakdown.is_some(),
        wanted,
        side,
    };
    Ok((Arc::new(operator), rows, Some(buckets)))
}
